/** `warpring run`: an unmodified CUDA program, with a device of its own or a served one. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { constants as osConstants, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { nativeLibraries } from "../cuda-shim/native/install.ts";
import { type Command, type CommandArguments, stringOption } from "./command.ts";
import { findProgram, needMachine, type Program, startFailure } from "./program.ts";
import {
  runningServer,
  runtimeCommand,
  SERVER_OPTIONS,
  serverOptions,
  startServer,
} from "./server-process.ts";
import { VERSION } from "./version.ts";

/** Passed on to the program; those that come from a terminal reach it by themselves. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT", "SIGWINCH", "SIGCONT"];
const SIGNALS: readonly NodeJS.Signals[] = [
  ...(["SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGURG"] as const),
  ...FROM_TERMINAL,
];

export const run: Command = {
  name: "run",
  operands: "-- PROGRAM [ARGS…]",
  count: [1, Number.POSITIVE_INFINITY],
  summary: "run an unmodified CUDA program (built with nvcc -cudart shared)",
  options: {
    ...SERVER_OPTIONS,
    socket: {
      type: "string",
      value: "PATH",
      help: "of a running `warpring serve`; one at the usual place is used by itself",
    },
  },
  async run(args) {
    needMachine(process.platform, process.arch);
    const options = serverOptions(args);
    const [name = "", ...rest] = args.operands;
    const program = findProgram(name);
    const runtime = stringOption(args, "runtime");
    const served = stringOption(args, "socket") ?? (await servedDevice(args));
    // What is missing is said before anything is built.
    if (served === undefined) runtimeCommand(runtime);
    const library = await nativeLibraries(VERSION, program.libraries);
    const folder = served === undefined ? mkdtempSync(join(tmpdir(), "warpring-")) : undefined;
    const socket = served === undefined ? join(folder ?? "", "device") : resolve(served);
    try {
      const server =
        folder === undefined
          ? undefined
          : await startServer(socket, { ...options, watchStdin: true }, runtime);
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
  program: Program,
  args: string[],
  library: string,
  socket: string,
): Promise<number> {
  const path = process.env["LD_LIBRARY_PATH"];
  const [command, ...before] = program.command;
  // Before it is started: the first signal may come with its first line.
  let started: ChildProcess | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const alone = process.stdin.isTTY && FROM_TERMINAL.includes(signal);
      // Deno's ChildProcess.kill sends one signal and no other.
      const running = started?.exitCode === null && started.signalCode === null;
      if (!alone && running && started?.pid !== undefined) process.kill(started.pid, signal);
    });
  }
  let child: ChildProcess;
  try {
    child = spawn(command, [...before, ...args], {
      stdio: "inherit",
      env: {
        ...process.env,
        LD_LIBRARY_PATH: path ? `${library}:${path}` : library,
        WARPRING_SOCKET: socket,
      },
    });
  } catch (error) {
    // Bun throws what others tell by an event.
    return Promise.reject(startFailure(program, error));
  }
  started = child;
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(startFailure(program, error)));
    child.once("exit", (code, signal) => {
      resolve(code ?? 128 + (signal ? osConstants.signals[signal] : 0));
    });
  });
}
