import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { startServer } from "../../cli/server-process.ts";
import { nativeLibraries } from "../../cuda-shim/native/install.ts";
import { NEWEST } from "../../cuda-shim/native/versions.ts";
import { describe, test } from "../harness.ts";
import { ROOT } from "../repo/files.ts";
import { missing, PREBUILT, RUNTIME } from "./support.ts";

const why = missing();

/** A program as a client of the server at `socket`, and how it ended. */
async function client(socket: string, name: string): Promise<{ code: number | null; out: string }> {
  const library = await nativeLibraries("test", [NEWEST]);
  const env = { ...process.env, WARPRING_SOCKET: socket, LD_LIBRARY_PATH: library };
  const child = spawn(join(PREBUILT, name), { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  child.stdout.on("data", (data) => {
    out += data;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out };
}

async function withServer(
  body: (socket: string, kill: () => void) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "warpring-test-"));
  const socket = join(folder, "device");
  const server = await startServer(socket, { watchStdin: true }, RUNTIME);
  const ended = new Promise((resolve) => server.once("exit", resolve));
  try {
    await body(socket, () => void server.kill("SIGKILL"));
  } finally {
    server.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A program that launches without end: started, and at work. */
async function endless(socket: string): Promise<{ kill(): void; ended: Promise<string> }> {
  const library = await nativeLibraries("test", [NEWEST]);
  const env = { ...process.env, WARPRING_SOCKET: socket, LD_LIBRARY_PATH: library };
  const program = join(ROOT, "tests", "vhost", "fixtures", "endless");
  const child = spawn(program, { env, stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (data) => {
      out += data;
      resolve();
    });
  });
  const ended = new Promise<string>((resolve) => {
    child.once("close", (code, signal) => resolve(`${out}${code ?? signal}`));
  });
  return { kill: () => void child.kill("SIGKILL"), ended };
}

/** Sends bytes to the server, and waits until it ends the connection. */
function send(socket: string, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => connection.write(bytes));
    connection.once("close", () => resolve());
    // A server that closes with bytes unread resets the connection: that ends it as well.
    connection.once("error", () => resolve());
    connection.resume();
  });
}

function message(request: number, flags: number, size: number): Uint8Array {
  return new Uint8Array(new Uint32Array([request, flags, size, 0, 0, 0, 0, 0]).buffer);
}

describe("a served device and bad clients", () => {
  if (why !== undefined) {
    console.warn(`served devices are not tested: ${why}`);
    return;
  }

  test("garbage ends its own connection, and nobody else's", async () => {
    await withServer(async (socket) => {
      const good = client(socket, "streams");
      await send(socket, new Uint8Array(64).fill(0xa5));
      await send(socket, message(5, 1, 0xffffffff));
      await send(socket, message(999, 1, 8));
      await send(socket, message(5, 1, 8));
      await send(socket, message(18, 1, 8));
      assert.deepEqual(await good, { code: 0, out: "streams passed\n" });
      assert.deepEqual(await client(socket, "vector-add"), { code: 0, out: "vector-add passed\n" });
    });
  });

  test("memory that could shrink is refused", async () => {
    await withServer(async (socket) => {
      const folder = mkdtempSync(join(tmpdir(), "warpring-test-"));
      const program = join(folder, "unsealed");
      const source = join(ROOT, "tests", "vhost", "unsealed.c");
      const built = spawnSync(process.env["CC"] ?? "cc", ["-o", program, source]);
      assert.equal(built.status, 0, String(built.stderr));
      const child = spawn(program, [socket]);
      const code = await new Promise((resolve) => child.once("exit", resolve));
      rmSync(folder, { recursive: true, force: true });
      assert.equal(code, 0);
      assert.equal((await client(socket, "managed")).code, 0);
    });
  });

  test("programs that find no device, and several at once", async () => {
    const alone = await client("/nonexistent/socket", "vector-add");
    assert.notEqual(alone.code, 0);
    await withServer(async (socket) => {
      const names = ["vector-add", "managed", "printing"];
      const all = await Promise.all(names.map((name) => client(socket, name)));
      assert.deepEqual(
        all.map(({ code }) => code),
        [0, 0, 0],
      );
    });
  });

  test("a program that is killed at work, and a device that is", async () => {
    await withServer(async (socket, kill) => {
      const first = await endless(socket);
      first.kill();
      assert.equal(await first.ended, "running\nSIGKILL");
      assert.equal((await client(socket, "managed")).code, 0);
      const second = await endless(socket);
      kill();
      // cudaErrorDevicesUnavailable, and no hang.
      assert.equal(await second.ended, "running\nerror 46\n9");
    });
  });
});
