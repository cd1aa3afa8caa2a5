/** `warpring serve`: devices for many programs, over a Unix socket. */
import { existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { nativeLibraries } from "../cuda-shim/native/install.ts";
import { VERSIONS } from "../cuda-shim/native/versions.ts";
import { type Command, CommandError, EXIT_OK, stringOption } from "./command.ts";
import { SERVER_OPTIONS, serverOptions, startServer } from "./server-process.ts";
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
    const socket = resolve(stringOption(args, "socket") ?? defaultSocket());
    if (existsSync(socket)) throw new CommandError(`${socket} exists: is a server running there?`);
    const options = { ...serverOptions(args), watchStdin: true };
    const library = await nativeLibraries(VERSION, VERSIONS);
    const server = await startServer(socket, options, stringOption(args, "runtime"));
    print(`WARPRING_SOCKET=${socket}`);
    print(`LD_LIBRARY_PATH=${library}`);
    const end = (): void => void server.kill("SIGTERM");
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
    const code = await new Promise<number>((done) => {
      server.once("exit", (status) => done(status ?? EXIT_OK));
    });
    rmSync(socket, { force: true });
    return code;
  },
};

function defaultSocket(): string {
  return join(process.env["XDG_RUNTIME_DIR"] ?? tmpdir(), "warpring.sock");
}
