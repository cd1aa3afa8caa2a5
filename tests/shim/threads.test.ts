import assert from "node:assert/strict";
import { Device } from "../../index.ts";
import { describe, test } from "../harness.ts";
import type { Answer, Job } from "./second-thread.ts";
import { SMALL } from "./support.ts";

/** Runs a job in a Worker of its own. */
function inSecondThread(job: Job): Promise<Answer> {
  const worker = new Worker(new URL("./second-thread.ts", import.meta.url), { type: "module" });
  return new Promise<Answer>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data as Answer);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(job);
  }).finally(() => worker.terminate());
}

/** A device in a Worker, which threads can share. */
const openShared = () => Device.open({ ...SMALL, device: "worker" });

describe("a second JavaScript thread", () => {
  test("sees the first one's memory, and has a thread id of its own", async () => {
    using device = await openShared();
    using buffer = device.alloc(1000).fill(5);
    const { handle } = device;
    const job: Job = { handle, task: "fill", pointer: buffer.pointer, bytes: 1000 };
    const answer = await inSecondThread(job);
    assert.equal(answer.error, "");
    assert.equal(answer.value, 5);
    assert.deepEqual(buffer.toArray(Uint8Array), new Uint8Array(1000).fill(9));
    assert.notEqual(answer.thread, device.thread.devices[0]?.file.thread);
  });

  test("runs kernels on it", async () => {
    using device = await openShared();
    using buffer = device.upload(new Float32Array(256).fill(1));
    const { handle } = device;
    const job: Job = { handle, task: "saxpy", pointer: buffer.pointer, bytes: 1024 };
    const answer = await inSecondThread(job);
    assert.equal(answer.error, "");
    assert.deepEqual(buffer.toArray(Float32Array), new Float32Array(256).fill(7));
  });

  test("works at the same time", async () => {
    using device = await openShared();
    const { free } = device.memory;
    const { handle } = device;
    const job: Job = { handle, task: "many", pointer: 0, bytes: 0 };
    const others = [inSecondThread(job), inSecondThread(job)];
    const back = new Int32Array(64);
    for (let i = 0; i < 300; i++) {
      using buffer = device.upload(new Int32Array(64).fill(-i));
      assert.ok(buffer.read(back).every((value) => value === -i));
      if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (const answer of await Promise.all(others)) {
      assert.equal(answer.error, "");
      assert.equal(answer.value, 0);
    }
    assert.equal(device.memory.free, free);
  });

  test("what it leaves is freed when it ends", async () => {
    using device = await openShared();
    const { free } = device.memory;
    const job: Job = { handle: device.handle, task: "leave", pointer: 0, bytes: 0 };
    const answer = await inSecondThread(job);
    assert.equal(answer.error, "");
    assert.ok(answer.value <= free - (2 << 20));
    assert.equal(device.memory.free, free);
  });

  test("a fault in one thread is the context's, and so the other's", async () => {
    using device = await openShared();
    using buffer = device.alloc(16);
    const job: Job = { handle: device.handle, task: "fault", pointer: 0, bytes: 0 };
    const answer = await inSecondThread(job);
    assert.match(answer.error, /cudaErrorIllegalAddress/);
    assert.throws(() => buffer.fill(0), { code: 700 });
  });

  test("a device in this thread can't be shared, and says so", async () => {
    using device = await Device.open(SMALL);
    assert.throws(() => device.handle, /device: "worker"/);
  });
});
