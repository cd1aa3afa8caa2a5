/** `warpring serve`: devices for many programs, over a Unix socket. */
import { existsSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { nativeLibraries } from "../cuda-shim/native/install.ts";
import { VERSIONS } from "../cuda-shim/native/versions.ts";
import { type Command, CommandError, EXIT_OK, stringOption } from "./command.ts";
import { needMachine } from "./program.ts";
import {
  defaultSocket,
  runtimeCommand,
  SERVER_OPTIONS,
  serverOptions,
  startServer,
  statusSocketOf,
} from "./server-process.ts";
import { print } from "./terminal.ts";
import { VERSION } from "./version.ts";

export const serve: Command = {
  name: "serve",
  operands: "",
  count: [0, 0],
  summary: "serve devices to other processes (vhost-user)",
  options: {
    ...SERVER_OPTIONS,
    socket: { type: "string", value: "PATH", help: "of the Unix socket, which must not exist" },
  },
  async run(args) {
    needMachine(process.platform, process.arch);
    const socket = resolve(stringOption(args, "socket") ?? defaultSocket());
    if (existsSync(socket)) {
      throw new CommandError(
        `${socket} exists: is a server running there? If not, remove it, or name another with --socket`,
      );
    }
    const statusSocket = statusSocketOf(socket);
    // Nobody listens at the first name: whatever has the second was left behind.
    rmSync(statusSocket, { force: true });
    const options = { ...serverOptions(args), statusSocket, watchStdin: true };
    const runtime = stringOption(args, "runtime");
    // What is missing is said before anything is built.
    runtimeCommand(runtime);
    const library = await nativeLibraries(VERSION, VERSIONS);
    const server = await startServer(socket, options, runtime);
    print(`WARPRING_SOCKET=${socket}`);
    print(`LD_LIBRARY_PATH=${library}`);
    const end = (): void => void server.kill("SIGTERM");
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
    const code = await new Promise<number>((done) => {
      server.once("exit", (status) => done(status ?? EXIT_OK));
    });
    for (const path of [socket, statusSocket]) rmSync(path, { force: true });
    return code;
  },
};
