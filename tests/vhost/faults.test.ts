import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "../harness.ts";
import { ROOT } from "../repo/files.ts";
import { missing, runClient, startClient, type TestServer, withServer } from "./support.ts";

const why = missing();
const FIXTURES = join(ROOT, "tests", "vhost", "fixtures");

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

/** Builds a frontend for the time of `body`. */
async function withFrontend(
  body: (program: string) => Promise<void>,
  name = "frontend",
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "warpring-test-"));
  try {
    const program = join(folder, name);
    const source = join(ROOT, "tests", "vhost", `${name}.c`);
    const built = spawnSync(process.env["CC"] ?? "cc", ["-O1", "-o", program, source]);
    assert.equal(built.status, 0, String(built.stderr));
    await body(program);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A scenario of frontend.c that runs until it is killed, once it has said that it is ready. */
async function lasting(program: string, scenario: string, socket: string) {
  const child = spawn(program, [scenario, socket], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const started = await Promise.race([
    new Promise<boolean>((resolve) => child.stdout.once("data", () => resolve(true))),
    ended.then(() => false),
  ]);
  assert.ok(started, `${scenario} ended`);
  return async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
}

/** What a server's process holds: descriptors, and memory of clients. */
function held({ process: server }: TestServer): { descriptors: number; mapped: number } {
  const folder = `/proc/${server.pid}`;
  const maps = readFileSync(`${folder}/maps`, "utf8").split("\n");
  return {
    descriptors: readdirSync(`${folder}/fd`).length,
    mapped: maps.filter((line) => line.includes("memfd:")).length,
  };
}

/** Waits until a condition holds. */
async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 1200 && !holds(); i++) await new Promise((done) => setTimeout(done, 50));
  assert.ok(holds(), what);
}

async function ok(socket: string, name: string): Promise<void> {
  const { code, stdout, stderr } = await runClient(socket, name);
  assert.deepEqual([code, stdout, stderr], [0, `${name} passed\n`, ""]);
}

describe("a served device and bad clients", () => {
  if (why !== undefined) {
    console.warn(`served devices are not tested: ${why}`);
    return;
  }

  test("garbage ends its own connection, and nobody else's", async () => {
    await withServer(async ({ socket }) => {
      const good = ok(socket, "streams");
      await send(socket, new Uint8Array(64).fill(0xa5));
      await send(socket, message(5, 1, 0xffffffff));
      await send(socket, message(999, 1, 8));
      await send(socket, message(5, 1, 8));
      await send(socket, message(18, 1, 8));
      await good;
      await ok(socket, "vector-add");
    });
  });

  test("programs that find no device, and several at once", async () => {
    const alone = await runClient("/nonexistent/socket", "vector-add");
    assert.notEqual(alone.code, 0);
    await withServer(async ({ socket }) => {
      await Promise.all(["vector-add", "managed", "symbols"].map((name) => ok(socket, name)));
    });
  });

  test("a program that is killed at work leaves nothing, and a device that is leaves an error", async () => {
    await withServer(async (server) => {
      const { socket } = server;
      await ok(socket, "vector-add");
      await until("the first program's memory is back", () => held(server).mapped === 0);
      const before = held(server).descriptors;
      const working = await startClient(socket, join(FIXTURES, "endless"));
      await working.started;
      // In a kernel that would never end: the device stops it when its program has gone.
      const inKernel = await startClient(socket, join(FIXTURES, "neighbour"), "forever");
      await inKernel.started;
      assert.ok(held(server).mapped > 0);
      working.process.kill("SIGKILL");
      inKernel.process.kill("SIGKILL");
      assert.equal((await working.ended).code, "SIGKILL");
      assert.equal((await inKernel.ended).code, "SIGKILL");
      await until("their memory is back", () => held(server).mapped === 0);
      await until("their descriptors are closed", () => held(server).descriptors <= before);
      await ok(socket, "managed");
      const survivors = await Promise.all([
        startClient(socket, join(FIXTURES, "endless")),
        startClient(socket, join(FIXTURES, "neighbour"), "forever"),
      ]);
      await Promise.all(survivors.map(({ started }) => started));
      server.process.kill("SIGKILL");
      for (const { ended } of survivors) {
        const { code, stdout } = await ended;
        // cudaErrorDevicesUnavailable, and no hang.
        assert.deepEqual([code, stdout], [9, "running\nerror 46\n"]);
      }
    });
  });

  test("the socket's name vanishes: those who are connected go on", async () => {
    await withServer(async (server) => {
      const working = await startClient(server.socket, join(FIXTURES, "neighbour"), "watch");
      await working.started;
      rmSync(server.socket);
      const late = await runClient(server.socket, "vector-add");
      assert.notEqual(late.code, 0);
      assert.match(late.stderr, /no device at .*: No such file/);
      working.process.stdin?.end();
      assert.equal((await working.ended).code, 0);
    });
  });

  test("a wild kernel reaches nobody else's memory", async () => {
    await withServer(async ({ socket }) => {
      const watch = await startClient(socket, join(FIXTURES, "neighbour"), "watch");
      await watch.started;
      const wild = await startClient(socket, join(FIXTURES, "neighbour"), "wild");
      const { code, stdout } = await wild.ended;
      // Much of the address space is not device memory: the device has said so.
      assert.match(stdout, /^[1-9]\d* faults\n$/);
      assert.equal(code, 0);
      watch.process.stdin?.end();
      assert.deepEqual(await watch.ended, { code: 0, stdout: "ready\n", stderr: "" });
    });
  });

  test("clients that never take an answer, and a thousand connections", async () => {
    await withFrontend(async (program) => {
      await withServer(async (server) => {
        const { socket } = server;
        // What a runtime opens at its first client, it has then.
        await ok(socket, "vector-add");
        await until("the first program's memory is back", () => held(server).mapped === 0);
        const before = held(server).descriptors;
        const stopSilent = await lasting(program, "silent", socket);
        const stopMany = await lasting(program, "many", socket);
        await ok(socket, "managed");
        assert.ok(held(server).descriptors > before + 100);
        await stopMany();
        await stopSilent();
        await ok(socket, "vector-add");
        await until("all descriptors are closed", () => held(server).descriptors <= before + 2);
        await until("all memory is back", () => held(server).mapped === 0);
      });
    });
  });

  test("more clients than the server takes are turned away", async () => {
    const options = { maxClients: 2 };
    await withServer(async ({ socket }) => {
      const first = await startClient(socket, join(FIXTURES, "neighbour"), "watch");
      const second = await startClient(socket, join(FIXTURES, "neighbour"), "watch");
      await Promise.all([first.started, second.started]);
      const third = await runClient(socket, "vector-add");
      assert.notEqual(third.code, 0);
      first.process.stdin?.end();
      second.process.stdin?.end();
      assert.deepEqual([(await first.ended).code, (await second.ended).code], [0, 0]);
      // Their places are free as soon as their Workers have ended.
      for (let i = 0; i < 100; i++) {
        if ((await runClient(socket, "vector-add")).code === 0) return;
      }
      assert.fail("no place became free");
    }, options);
  });
});

describe("vhost-user, from a frontend that is not ours", () => {
  if (why !== undefined) return;

  const scenarios: Record<string, string> = {
    unsealed: "a memory file that could shrink is refused",
    shrinks: "one that is sealed cannot shrink",
    "short-file": "a file that is smaller than its region is refused",
    "reply-ack": "REPLY_ACK: what was done and what was refused is said",
    mq: "MQ: queues of another group",
    config: "CONFIG: parts of the configuration space",
    status: "STATUS and RESET_DEVICE: a broken ring, and a new start",
    base: "a ring that was stopped goes on where it was",
    elsewhere: "RAM in two regions at other addresses, and no device memory that is shared",
    inflight: "INFLIGHT_SHMFD: what a device had comes back from the next one",
  };
  const packed: Record<string, string> = {
    base: "packed: a ring that was stopped goes on where it was",
    inflight: "packed: INFLIGHT_SHMFD: what a device had comes back from the next one",
  };
  for (const [name, cases] of Object.entries({ frontend: scenarios, packed })) {
    for (const [scenario, what] of Object.entries(cases)) {
      test(what, async () => {
        await withFrontend(async (program) => {
          await withServer(async ({ socket }) => {
            const child = spawn(program, [scenario, socket], {
              stdio: ["ignore", "ignore", "pipe"],
            });
            let said = "";
            child.stderr.on("data", (data) => {
              said += data;
            });
            const code = await new Promise((resolve) => child.once("close", resolve));
            assert.deepEqual([code, said], [0, ""]);
            await ok(socket, "vector-add");
          });
        }, name);
      });
    }
  }
});
