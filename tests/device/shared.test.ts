import assert from "node:assert/strict";
import { attachMachine, createMachine, type Machine } from "../../runtime/machine.ts";
import * as P from "../../runtime/protocol/index.ts";
import { describe, test } from "../harness.ts";
import { pattern } from "./bench.ts";
import { Client } from "./client.ts";

const executor = new URL("./fake-executor.ts", import.meta.url).href;
const IMAGE = ".version 8.0\n// kernel store 12\n// kernel spin 8\n// kernel hello 0\n";

const start = (): Promise<Machine> =>
  createMachine({ device: "worker", executor, memoryBytes: 64 << 20 });
let common: Promise<Machine> | undefined;

/** Most tests share one device: starting a thread takes Deno a second, as it checks types anew. */
async function shared(run: (machine: Machine) => Promise<void> | void): Promise<void> {
  common ??= start();
  try {
    await run(await common);
  } finally {
    Client.releaseAll();
  }
}

/** A device for one test. */
async function alone(run: (machine: Machine) => Promise<void> | void): Promise<void> {
  const machine = await start();
  try {
    await run(machine);
  } finally {
    machine.close();
    Client.releaseAll();
  }
}

describe("a device in its own Worker", () => {
  test("serves requests, copies and launches of the thread that made it", () =>
    shared((machine) => {
      const client = new Client(machine);
      const pointer = client.alloc(100_000);
      const data = pattern(100_000);
      assert.equal(client.copyIn(pointer, data), 0);
      const store = client.fn(client.load(IMAGE), "store");
      const params = new DataView(new ArrayBuffer(12));
      P.writeU64(params, 0, pointer + 8);
      params.setUint32(8, 0xcafe, true);
      assert.equal(client.launch(store, new Uint8Array(params.buffer)), 0);
      const back = new Uint8Array(100_000);
      assert.equal(client.copyOut(back, pointer), 0);
      assert.equal(new DataView(back.buffer).getUint32(8, true), 0xcafe);
      back.set(data.subarray(8, 12), 8);
      assert.deepEqual(back, data);
    }));

  test("launches are accepted while a kernel runs, and the host can end it by pinned memory", () =>
    shared((machine) => {
      const client = new Client(machine);
      const flag = client.alloc(4, P.MEMORY_HOST);
      const spin = client.fn(client.load(IMAGE), "spin");
      const params = new DataView(new ArrayBuffer(8));
      P.writeU64(params, 0, flag);
      assert.equal(client.launch(spin, new Uint8Array(params.buffer)), 0);
      const view = client.file.mmap(flag, 4) as Uint8Array;
      Atomics.store(new Uint32Array(view.buffer, view.byteOffset, 1), 0, 1);
      assert.equal(client.sync(), 0);
    }));

  test("launches are sent without waiting, and stay in order with everything else", () =>
    shared((machine) => {
      const client = new Client(machine);
      const store = client.fn(client.load(IMAGE), "store");
      const pointer = client.alloc(4096);
      const params = new DataView(new ArrayBuffer(12));
      const back = new Uint8Array(4);
      const value = (): number => new DataView(back.buffer).getUint32(0, true);
      for (let i = 0; i < 2000; i++) {
        P.writeU64(params, 0, pointer);
        params.setUint32(8, i, true);
        assert.equal(client.launch(store, new Uint8Array(params.buffer)), 0);
        if (i % 100 !== 0) continue;
        assert.equal(client.copyOut(back, pointer), 0);
        assert.equal(value(), i);
      }
      assert.equal(client.sync(), 0);
      assert.equal(client.copyOut(back, pointer), 0);
      assert.equal(value(), 1999);
      const none = new Uint8Array(12);
      const shape = { [P.LAUNCH_BLOCK_X]: 2048 };
      assert.equal(client.launch(store, none, shape), P.cudaErrorInvalidConfiguration);
      assert.equal(client.launch(store, new Uint8Array(8)), P.cudaErrorInvalidValue);
      assert.equal(client.launch(store + 100, none), P.cudaErrorInvalidResourceHandle);
      const nowhere = { [P.REQUEST_STREAM]: 999 };
      assert.equal(client.launch(store, none, nowhere), P.cudaErrorInvalidResourceHandle);
      assert.equal(client.sync(), 0);
    }));

  test("a launch that is refused after all is heard of at the next synchronisation", () =>
    shared(async (machine) => {
      const client = new Client(machine);
      const module = client.load(IMAGE);
      const store = client.fn(module, "store");
      const other = new Client(await attachMachine(machine.handle));
      const unload = { [P.MODULE_UNLOAD_MODULE]: module };
      assert.equal(other.call(P.COMMAND_MODULE_UNLOAD, unload), 0);
      assert.equal(client.launch(store, new Uint8Array(12)), 0, "it cannot know yet");
      assert.equal(client.sync(), P.cudaErrorInvalidResourceHandle);
      assert.equal(client.sync(), 0, "said once");
    }));

  test("a second attachment has its own queues and the same memory and context", () =>
    shared(async (machine) => {
      const first = new Client(machine);
      const pointer = first.alloc(4096);
      first.copyIn(pointer, pattern(4096, 7));
      const second = new Client(await attachMachine(machine.handle));
      assert.equal(second.context, first.context);
      const back = new Uint8Array(4096);
      assert.equal(second.copyOut(back, pointer), 0);
      assert.deepEqual(back, pattern(4096, 7));
      assert.notEqual(second.file.thread, first.file.thread);
      second.machine.close();
      assert.equal(first.copyOut(back, pointer), 0);
    }));

  test("queue groups are given back: more attachments than groups, one after the other", () =>
    shared(async (machine) => {
      const first = new Client(machine);
      for (let i = 0; i < P.MAX_QUEUE_GROUPS + 3; i++) {
        const other = new Client(await attachMachine(machine.handle));
        assert.equal(other.context, first.context);
        const pointer = other.alloc(100);
        assert.equal(other.free(pointer), 0);
        other.machine.close();
      }
      assert.equal(first.sync(), 0);
    }));

  test("printed text comes to the thread that synchronises", () =>
    shared((machine) => {
      const client = new Client(machine);
      const hello = client.fn(client.load(IMAGE), "hello");
      assert.equal(client.launch(hello, new Uint8Array(0)), 0);
      assert.equal(client.sync(), 0);
      assert.deepEqual(client.stdout, ["hello from the device\n"]);
    }));

  test("another JavaScript thread attaches by the handle and works at the same time", () =>
    shared(async (machine) => {
      const first = new Client(machine);
      const pointer = first.alloc(4);
      first.copyIn(pointer, new Uint8Array(4));
      const worker = new Worker(new URL("./attach-worker.ts", import.meta.url), { type: "module" });
      const done = new Promise<unknown>((resolve) => {
        worker.onmessage = (event) => resolve(event.data);
        worker.onerror = (event) => resolve(event.message);
      });
      worker.postMessage({ handle: machine.handle, pointer, image: IMAGE });
      const other = await done;
      worker.terminate();
      assert.equal(typeof other, "number", String(other));
      assert.notEqual(other, first.file.thread);
      const back = new Uint8Array(4);
      first.copyOut(back, pointer);
      assert.equal(new DataView(back.buffer).getUint32(0, true), 1000);
    }));

  test("three threads at once, each with its own memory, disturb nobody", () =>
    shared(async (machine) => {
      const first = new Client(machine);
      assert.equal(first.call(P.COMMAND_MEMORY_INFO), 0);
      const before = first.get64(P.MEMORY_INFO_FREE);
      const workers: Worker[] = [];
      const results = [1, 2, 3].map(
        () =>
          new Promise<unknown>((resolve) => {
            const url = new URL("./attach-worker.ts", import.meta.url);
            const worker = new Worker(url, { type: "module" });
            workers.push(worker);
            worker.onmessage = (event) => resolve(event.data);
            worker.onerror = (event) => resolve(event.message);
            worker.postMessage({ handle: machine.handle, pointer: 0, image: IMAGE, rounds: 200 });
          }),
      );
      const threads = await Promise.all(results);
      for (const thread of threads) assert.equal(typeof thread, "number", String(thread));
      assert.equal(new Set(threads).size, 3);
      const closed = workers.map(
        (worker) =>
          new Promise<unknown>((resolve) => {
            worker.onmessage = (event) => resolve(event.data);
            worker.onerror = (event) => resolve(event.message);
            worker.postMessage("close");
          }),
      );
      assert.deepEqual(await Promise.all(closed), ["closed", "closed", "closed"]);
      for (const worker of workers) worker.terminate();
      assert.equal(first.call(P.COMMAND_MEMORY_INFO), 0);
      assert.equal(first.get64(P.MEMORY_INFO_FREE), before);
    }));

  test("functions of the host are called in their turn, by the thread that asked", () =>
    shared((machine) => {
      const called: number[] = [];
      const client = new Client(machine, { hostCall: (data) => called.push(data) });
      const store = client.fn(client.load(IMAGE), "store");
      const pointer = client.alloc(16);
      const params = new DataView(new ArrayBuffer(12));
      const back = new Uint8Array(4);
      for (let i = 1; i <= 50; i++) {
        P.writeU64(params, 0, pointer);
        params.setUint32(8, i, true);
        assert.equal(client.launch(store, new Uint8Array(params.buffer)), 0);
        assert.equal(client.call(P.COMMAND_HOST_CALL, {}, { [P.HOST_CALL_DATA]: i }), 0);
      }
      assert.equal(client.sync(), 0);
      assert.deepEqual(
        called,
        Array.from({ length: 50 }, (_, i) => i + 1),
      );
      client.copyOut(back, pointer);
      assert.equal(back[0], 50);
    }));

  test("when its maker closes the machine, others get EIO and do not hang", () =>
    alone(async (machine) => {
      const first = new Client(machine);
      assert.equal(first.sync(), 0);
      const second = new Client(await attachMachine(machine.handle));
      machine.close();
      assert.throws(() => second.sync(), /errno 5/);
      assert.throws(() => second.alloc(100), /errno 5/);
      second.machine.close();
    }));

  test("a machine that is closed refuses to be opened", () =>
    shared((machine) => {
      machine.close();
      common = undefined;
      assert.throws(() => machine.open(), /cannot open/);
    }));
});
