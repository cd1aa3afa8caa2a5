/** What a machine needs to run prebuilt CUDA programs, and how to run one. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type CommandResult, warpring } from "../cli/run.ts";
import { ROOT } from "../repo/files.ts";

/** Where the prebuilt programs are. */
export const PREBUILT = join(ROOT, "tests", "programs", "prebuilt");

/** Why prebuilt programs cannot be run here, or undefined if they can. */
export function missing(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return "the prebuilt programs are for Linux on x86-64";
  }
  const compiler = process.env["CC"] ?? "cc";
  const works = spawnSync(compiler, ["--version"], { stdio: "ignore" }).status === 0;
  return works ? undefined : `there is no C compiler (${compiler}) to build libcudart.so with`;
}

/** Names of the prebuilt programs. */
export function prebuilt(): string[] {
  return existsSync(PREBUILT) ? readdirSync(PREBUILT).sort() : [];
}

/** The runtime that runs the tests. */
export const RUNTIME = "Deno" in globalThis ? "deno" : "bun";

/** Runs a program with a device in this runtime. */
export function runProgram(program: string, ...args: string[]): CommandResult {
  return warpring("run", "--verbose", "--runtime", RUNTIME, "--", program, ...args);
}
