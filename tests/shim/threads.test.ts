import assert from "node:assert/strict";
import { Device } from "../../index.ts";
import { kernelText } from "../compiler/bench.ts";
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

  test("copies its words between those that a kernel stores to meanwhile", async () => {
    // Each thread adds to a word of its own where a byte says so. The vectors between those hold what the other
    // thread copies, row by row, while kernels run: they would be stored as they were, if nobody else wrote there.
    using device = await openShared();
    using module = device.loadModule(
      kernelText(
        2,
        `mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mad.lo.s32 %r3, %r1, %r2, %r0; cvt.u64.u32 %rd4, %r3;
        add.s64 %rd5, %rd1, %rd4; ld.global.u8 %r4, [%rd5]; mul.wide.s32 %rd6, %r3, 4; add.s64 %rd6, %rd0, %rd6;
        ld.global.u32 %r5, [%rd6]; setp.eq.u32 %p0, %r4, 0; @%p0 bra E; add.u32 %r5, %r5, 1;
        st.global.u32 [%rd6], %r5; E:`,
      ),
    );
    const words = 1 << 14;
    const chosen = Uint8Array.from({ length: words }, (_, k) => +(k % 8 < 4));
    using counts = device.upload(new Uint32Array(words));
    using bytes = device.upload(chosen);
    let answer: Answer | undefined;
    const job: Job = {
      handle: device.handle,
      task: "between",
      pointer: counts.pointer,
      bytes: 4 * words,
    };
    const ended = inSecondThread(job).then((a) => {
      answer = a;
    });
    let rounds = 0;
    while (answer === undefined) {
      for (let k = 0; k < 20; k++, rounds++) {
        module.kernel("k").launch({ grid: words / 64, block: 64 }, counts, bytes);
      }
      device.synchronize();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await ended;
    assert.deepEqual([answer.error, answer.value], ["", 0]);
    const got = counts.toArray(Uint32Array);
    assert.ok(got.every((n, k) => !chosen[k] || n === rounds));
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
