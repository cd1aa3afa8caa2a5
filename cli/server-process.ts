/** The process that a device runs in, as `run` and `serve` start it. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { MAX_DEVICES } from "../runtime/protocol/definitions.ts";
import { type CommandArguments, CommandError, stringOption, UsageError } from "./command.ts";
import { kernelCacheFolder, NO_CACHE } from "./kernel-cache.ts";

/** Runtimes that can serve a device. */
const RUNTIMES = ["deno", "bun"] as const;
type Runtime = (typeof RUNTIMES)[number];

/** What the server is told, besides its socket. */
export interface ServerOptions {
  devices?: number;
  memoryBytes?: number;
  workers?: number;
  timeoutMs?: number;
  fma?: string;
  /** Folder for compiled kernels. */
  cache?: string;
  verbose?: boolean;
  /** Path of the socket that tells who connects what the server's clients do. */
  statusSocket?: string;
  maxClients?: number;
  /** It ends when its standard input does. */
  watchStdin?: boolean;
}

/** Options that `run` and `serve` share. */
export const SERVER_OPTIONS = {
  devices: { type: "string", value: "N", help: `devices that a program sees, 1 to ${MAX_DEVICES}` },
  memory: { type: "string", value: "SIZE", help: "memory of each device, as 512M or 2G" },
  workers: { type: "string", value: "N", help: "threads that run blocks beside the device's own" },
  runtime: { type: "string", value: "NAME", help: "bun or deno; Deno if it is there" },
  fma: { type: "string", value: "KIND", help: "exact (the default) or unfused" },
  timeout: { type: "string", value: "S", help: "stop kernels after so many seconds; 0: never" },
  "no-cache": NO_CACHE,
  verbose: { type: "boolean", help: "say what goes wrong between program and device" },
} as const;

/** @throws UsageError if a value is none */
export function serverOptions(args: CommandArguments): ServerOptions {
  const options: ServerOptions = {};
  const devices = stringOption(args, "devices");
  if (devices !== undefined) {
    options.devices = parseCount("devices", devices);
    if (options.devices < 1 || options.devices > MAX_DEVICES) {
      throw new UsageError(`--devices ${devices}: between 1 and ${MAX_DEVICES}`);
    }
  }
  const memory = stringOption(args, "memory");
  if (memory !== undefined) options.memoryBytes = parseSize(memory);
  const workers = stringOption(args, "workers");
  if (workers !== undefined) options.workers = parseCount("workers", workers);
  const timeout = stringOption(args, "timeout");
  if (timeout !== undefined) options.timeoutMs = 1000 * parseCount("timeout", timeout);
  const fma = stringOption(args, "fma");
  if (fma !== undefined) {
    if (fma !== "exact" && fma !== "unfused")
      throw new UsageError(`--fma ${fma}: exact or unfused`);
    options.fma = fma;
  }
  const cache = kernelCacheFolder(args);
  if (cache !== undefined) options.cache = cache;
  if (args.values["verbose"] === true) options.verbose = true;
  const { devices: count = 1, memoryBytes = 0 } = options;
  if (count > 1 && count * memoryBytes > 4 * 2 ** 30) {
    throw new UsageError(`--devices ${count} --memory ${memory}: more than 4G together`);
  }
  return options;
}

function parseCount(name: string, text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`--${name} ${text}: not a whole number`);
  return Number(text);
}

function parseSize(text: string): number {
  const found = /^(\d{1,10})([KMG]?)$/i.exec(text);
  if (!found) throw new UsageError(`--memory ${text}: not a size, as 512M or 2G`);
  const unit = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[(found[2] ?? "").toUpperCase()] ?? 1;
  const bytes = Number(found[1]) * unit;
  if (bytes < 2 ** 20 || bytes > 4 * 2 ** 30) {
    throw new UsageError(`--memory ${text}: between 1M and 4G`);
  }
  return bytes;
}

/** The command that starts a runtime on a module. @throws CommandError if there is none */
export function runtimeCommand(wanted: string | undefined): string[] {
  if (wanted !== undefined && !(RUNTIMES as readonly string[]).includes(wanted)) {
    throw new UsageError(`--runtime ${wanted}: bun or deno`);
  }
  const candidates = wanted === undefined ? RUNTIMES : [wanted as Runtime];
  for (const name of candidates) {
    const path = findRuntime(name);
    if (path !== undefined) return name === "deno" ? [path, "run", "-A", "--quiet"] : [path];
  }
  throw new CommandError(
    `serving a device needs ${candidates.join(" or ")}, which is not in PATH: ` +
      "install it from https://deno.com or https://bun.sh",
  );
}

function findRuntime(name: Runtime): string | undefined {
  const own = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
  if (own === name) return process.execPath;
  const local = fileURLToPath(new URL("../node_modules/.bin", import.meta.url));
  const above = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), local, above];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** Where `warpring serve` listens if it is not told. */
export function defaultSocket(): string {
  return join(process.env["XDG_RUNTIME_DIR"] ?? tmpdir(), "warpring.sock");
}

/** Where a server tells what its clients do. */
export function statusSocketOf(socket: string): string {
  return `${socket}.smi`;
}

/** The socket of a running `warpring serve`: $WARPRING_SOCKET, or the usual one if it is alive. */
export async function runningServer(): Promise<string | undefined> {
  const named = process.env["WARPRING_SOCKET"];
  if (named) return named;
  const usual = defaultSocket();
  const alive = await new Promise<boolean>((resolve) => {
    const connection = connect(statusSocketOf(usual));
    connection.once("connect", () => {
      resolve(true);
      connection.destroy();
    });
    connection.once("error", () => resolve(false));
  });
  return alive ? usual : undefined;
}

/**
 * Starts a server and waits until clients can connect.
 * @param socket path of its socket
 * @param runtime "bun" or "deno", or undefined for the better one that is there
 * @throws CommandError if it does not start
 */
export async function startServer(
  socket: string,
  options: ServerOptions,
  runtime: string | undefined,
): Promise<ChildProcess> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const main = fileURLToPath(new URL(`../runtime/vhost/main.${extension}`, import.meta.url));
  if (!existsSync(main)) throw new CommandError(`${main} is missing: build the package first`);
  const [program = "", ...before] = runtimeCommand(runtime);
  const server = spawn(program, [...before, main, socket, JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new CommandError(`${program}: ${error.message}`)));
    server.once("exit", (code) => {
      reject(new CommandError(`the device's process ended at its start (exit code ${code})`));
    });
    server.stdout?.once("data", () => resolve());
  });
  server.stdin?.on("error", () => {});
  return server;
}
