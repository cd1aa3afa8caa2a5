/** Runs the command line as a user does, from source in the runtime that runs the tests. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "../repo/files.ts";

/** What a command left behind. */
export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

const SOURCE = join(ROOT, "cli", "main.ts");
const SOURCE_COMMAND = "Deno" in globalThis ? ["run", "-A", SOURCE] : [SOURCE];

/**
 * Runs `warpring` with these arguments, in the repository's root, without a terminal.
 * @throws if it can't be started, or takes over two minutes
 */
export function warpring(...args: string[]): CommandResult {
  return warpringWith({}, ...args);
}

/** The same, with other variables in the environment than this process has. */
export function warpringWith(env: Record<string, string>, ...args: string[]): CommandResult {
  return runProgram(process.execPath, [...SOURCE_COMMAND, ...args], env);
}

/** Starts `warpring` and does not wait for it; its output is text. */
export function startWarpring(...args: string[]): ChildProcess {
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn(process.execPath, [...SOURCE_COMMAND, ...args], {
    cwd: ROOT,
    stdio: [...stdio],
  });
  child.stdout?.setEncoding("utf8");
  return child;
}

/** Runs the built command in Node, as the installed package does. */
export function warpringInNode(...args: string[]): CommandResult {
  const built = join(ROOT, "dist", "cli", "main.js");
  if (!existsSync(built)) throw new Error("dist/ is not there: run `npm run build` first");
  return runProgram("node", [built, ...args]);
}

/** Runs any program as the others here are. @throws as `warpring` does */
export function runProgram(
  program: string,
  args: string[],
  more: Record<string, string> = {},
): CommandResult {
  const env = { ...process.env, ...more };
  delete env["FORCE_COLOR"];
  const result = spawnSync(program, args, {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 120_000,
    env: { ...env, NO_COLOR: "1" },
  });
  if (result.error) throw result.error;
  return { code: result.status ?? -1, stdout: result.stdout, stderr: result.stderr };
}
