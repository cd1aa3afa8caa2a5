import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { startServer } from "../../cli/server-process.ts";
import { nativeLibrary } from "../../cuda-shim/native/install.ts";
import { describe, test } from "../harness.ts";
import { ROOT } from "../repo/files.ts";
import { missing, PREBUILT, RUNTIME } from "./support.ts";

const why = missing();

/** A program as a client of the server at `socket`, and how it ended. */
async function client(socket: string, name: string): Promise<{ code: number | null; out: string }> {
  const library = await nativeLibrary("test");
  const env = { ...process.env, WARPRING_SOCKET: socket, LD_LIBRARY_PATH: library };
  const child = spawn(join(PREBUILT, name), { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  child.stdout.on("data", (data) => {
    out += data;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out };
}

async function withServer(body: (socket: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "warpring-test-"));
  const socket = join(folder, "device");
  const server = await startServer(socket, { watchStdin: true }, RUNTIME);
  const ended = new Promise((resolve) => server.once("exit", resolve));
  try {
    await body(socket);
  } finally {
    server.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
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
});
