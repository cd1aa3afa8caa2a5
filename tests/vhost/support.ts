/** What a machine needs to run prebuilt CUDA programs, and how to run one. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type ServerOptions, startServer } from "../../cli/server-process.ts";
import { nativeLibraries } from "../../cuda-shim/native/install.ts";
import { NEWEST } from "../../cuda-shim/native/versions.ts";
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
  if (!existsSync(PREBUILT)) return [];
  return readdirSync(PREBUILT)
    .filter((name) => !name.endsWith(".so"))
    .sort();
}

/** The runtime that runs the tests. */
export const RUNTIME = "Deno" in globalThis ? "deno" : "bun";

/** Runs a program with a device in this runtime. */
export function runProgram(program: string, ...args: string[]): CommandResult {
  return warpring("run", "--verbose", "--runtime", RUNTIME, "--", program, ...args);
}

/** A server in a process of its own. */
export interface TestServer {
  readonly socket: string;
  readonly process: ChildProcess;
  /** Ends it, and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a server in this runtime, on a socket in a folder of its own. */
export async function testServer(options: ServerOptions = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "warpring-test-"));
  const socket = join(folder, "device");
  const server = await startServer(socket, { watchStdin: true, ...options }, RUNTIME);
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const stop = async (): Promise<void> => {
    server.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { socket, process: server, stop };
}

/** Runs a test with a server, and ends it whatever happens. */
export async function withServer(
  body: (server: TestServer) => Promise<void>,
  options?: ServerOptions,
): Promise<void> {
  const server = await testServer(options);
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}

/** A program that runs as a server's client. */
export interface Client {
  readonly process: ChildProcess;
  /** Resolves at its first output, or at its end. */
  readonly started: Promise<void>;
  /** How it ended. */
  readonly ended: Promise<{ code: number | string | null; stdout: string; stderr: string }>;
}

/** Starts a program as a client of the server at `socket`. */
export async function startClient(
  socket: string,
  program: string,
  ...args: string[]
): Promise<Client> {
  const library = await nativeLibraries("test", [NEWEST]);
  const env = { ...process.env, WARPRING_SOCKET: socket, LD_LIBRARY_PATH: library };
  const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  const started = new Promise<void>((resolve) => {
    child.stdout.on("data", (data) => {
      stdout += data;
      resolve();
    });
    child.once("close", () => resolve());
  });
  child.stderr.on("data", (data) => {
    stderr += data;
  });
  const ended = new Promise<{ code: number | string | null; stdout: string; stderr: string }>(
    (resolve) => {
      child.once("close", (code, signal) => resolve({ code: code ?? signal, stdout, stderr }));
    },
  );
  return { process: child, started, ended };
}

/** Runs a prebuilt program as a client of the server at `socket`. */
export async function runClient(socket: string, name: string, ...args: string[]) {
  return (await startClient(socket, join(PREBUILT, name), ...args)).ended;
}
