/** `warpring run`: an unmodified CUDA program, with a device of its own or a served one. */

import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { constants as osConstants, tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { BuildError } from "../cuda-shim/native/build.ts";
import { nativeLibraries } from "../cuda-shim/native/install.ts";
import { NEWEST, VERSIONS, type Version, versionNamed } from "../cuda-shim/native/versions.ts";
import { ImageError, neededBy } from "../runtime/image/index.ts";
import {
  type Command,
  type CommandArguments,
  CommandError,
  stringOption,
  UsageError,
} from "./command.ts";
import { runningServer, SERVER_OPTIONS, serverOptions, startServer } from "./server-process.ts";
import { VERSION } from "./version.ts";

/** Passed on to the program; SIGINT and SIGQUIT from a terminal reach it by themselves. */
const SIGNALS = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const;
const FROM_TERMINAL: readonly string[] = ["SIGINT", "SIGQUIT"];

export const run: Command = {
  name: "run",
  operands: "-- PROGRAM [ARGS…]",
  count: [1, Number.POSITIVE_INFINITY],
  summary: "run an unmodified CUDA program (built with nvcc -cudart shared)",
  options: {
    ...SERVER_OPTIONS,
    devices: { type: "string", value: "N", help: "how many devices the program sees: 1" },
    socket: {
      type: "string",
      value: "PATH",
      help: "of a running `warpring serve`; one at the usual place is used by itself",
    },
  },
  async run(args) {
    if (process.platform !== "linux") throw new CommandError("programs are run on Linux only");
    const devices = stringOption(args, "devices") ?? "1";
    if (devices !== "1") throw new UsageError(`--devices ${devices}: only 1 is supported`);
    const options = serverOptions(args);
    const [name = "", ...rest] = args.operands;
    const program = findProgram(name);
    const versions = await librariesFor(program);
    const library = await nativeLibraries(VERSION, versions).catch((error: unknown) => {
      throw error instanceof BuildError ? new CommandError(error.message) : error;
    });
    const served = stringOption(args, "socket") ?? (await servedDevice(args));
    const folder = served === undefined ? mkdtempSync(join(tmpdir(), "warpring-")) : undefined;
    const socket = served === undefined ? join(folder ?? "", "device") : resolve(served);
    try {
      const server =
        folder === undefined
          ? undefined
          : await startServer(
              socket,
              { ...options, watchStdin: true },
              stringOption(args, "runtime"),
            );
      const code = await runProgram(program, rest, library, socket);
      // Its work is done, whatever is still in the queues: the device dies with its only client.
      server?.kill("SIGKILL");
      return code;
    } finally {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** A running server's socket, unless a device of another kind is asked for. */
async function servedDevice(args: CommandArguments): Promise<string | undefined> {
  const wanted = Object.keys(SERVER_OPTIONS).some((name) => args.values[name] !== undefined);
  return wanted ? undefined : runningServer();
}

/** @returns the exit code, or 128 + the number of the signal that ended the program */
function runProgram(
  program: string,
  args: string[],
  library: string,
  socket: string,
): Promise<number> {
  const path = process.env["LD_LIBRARY_PATH"];
  const child = spawn(program, args, {
    stdio: "inherit",
    env: {
      ...process.env,
      LD_LIBRARY_PATH: path ? `${library}:${path}` : library,
      WARPRING_SOCKET: socket,
    },
  });
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (!(process.stdin.isTTY && FROM_TERMINAL.includes(signal))) child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new CommandError(`${program}: ${error.message}`)));
    child.once("exit", (code, signal) => {
      resolve(code ?? 128 + (signal ? osConstants.signals[signal] : 0));
    });
  });
}

/** As a shell finds it: a path, or a name in PATH. @throws CommandError */
function findProgram(name: string): string {
  const folders = name.includes("/") ? [""] : (process.env["PATH"] ?? "").split(delimiter);
  // A program in the current folder is found too: it is what people mean by `run a.out`.
  for (const folder of name.includes("/") ? folders : [...folders, "."]) {
    const path = folder === "" ? name : join(resolve(folder), name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here.
    }
  }
  throw new CommandError(`${name}: no such program`);
}

/**
 * The libraries that a program may load, of which most need one; what a script starts may need any.
 * @throws CommandError for what can be known to go wrong before the program starts
 */
async function librariesFor(path: string): Promise<readonly Version[]> {
  const bytes = new Uint8Array(await readFile(path));
  const isElf = bytes.length > 20 && Buffer.from(bytes.subarray(0, 4)).toString("latin1") === ELF;
  if (!isElf) return VERSIONS;
  const machine = bytes[18]! + 256 * bytes[19]!;
  const own = ELF_MACHINES[process.arch];
  if (own !== undefined && machine !== own) {
    throw new CommandError(`${path}: built for another processor (ELF machine ${machine})`);
  }
  const needed = librariesOf(bytes).find((name) => name.startsWith("libcudart.so"));
  if (needed === undefined) {
    // Its libraries may need one, or it may start other programs.
    if (!hasDeviceCode(bytes)) return VERSIONS;
    throw new CommandError(
      `${path} contains its own CUDA runtime: link it with \`nvcc -cudart shared\``,
    );
  }
  const version = versionNamed(needed);
  if (version !== undefined) return version === NEWEST ? [version] : [version, NEWEST];
  throw new CommandError(
    `${path} needs ${needed}: there are ${VERSIONS.map(({ library }) => library).join(", ")}`,
  );
}

const ELF = "\x7fELF";
const ELF_MACHINES: Record<string, number> = { x64: 62, arm64: 183 };

/** What an ELF file asks the dynamic linker for; nothing if it can't be read. */
function librariesOf(bytes: Uint8Array): string[] {
  try {
    return neededBy(bytes);
  } catch (error) {
    if (error instanceof ImageError) return [];
    throw error;
  }
}

function hasDeviceCode(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(".nv_fatbin");
}
