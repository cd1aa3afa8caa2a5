import assert from "node:assert/strict";
import { Device } from "../../index.ts";
import { type ThreadModule, WorkerPool } from "../../runtime/exec/pool.ts";
import {
  POOL_COMMAND,
  POOL_CONTEXTS,
  POOL_DONE,
  POOL_KERNEL,
  POOL_OFFER,
  POOL_READY,
  POOL_RESULT,
  POOL_TAKEN,
} from "../../runtime/exec/pool-defs.ts";
import { describe, test } from "../harness.ts";

/** Threads that never run: the test plays their part in the control words. */
class Idle {
  port1 = this;
  port2 = this;
  posted: unknown[] = [];
  postMessage(message: unknown): void {
    this.posted.push(message);
  }
  unref(): void {}
  close(): void {}
  terminate(): void {}
}
const threads = { Worker: Idle, MessageChannel: Idle } as unknown as ThreadModule;
const empty = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));

function pool() {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const controls = [1024, 1088];
  const workers = new WorkerPool(threads, memory, empty, controls);
  const words = new Int32Array(memory.buffer);
  const word = (k: number, at: number) => (controls[k]! + at) >> 2;
  return {
    workers,
    get: (k: number, at: number) => words[word(k, at)],
    set: (k: number, at: number, value: number) => {
      words[word(k, at)] = value;
    },
  };
}

describe("the worker pool", () => {
  test("regression: what threads work on lies 4 KiB apart", async () => {
    using device = await Device.open({ workers: 2 });
    using module = device.loadModule(`
      .version 8.0
      .target sm_75
      .address_size 64
      .visible .entry nothing() { ret; }`);
    const { offer } = WorkerPool.prototype;
    const places: number[][] = [];
    WorkerPool.prototype.offer = function (kernel, launch, count, contexts): boolean {
      places.push([contexts(-1), contexts(0), contexts(1)]);
      return offer.call(this, kernel, launch, count, contexts);
    };
    try {
      // Long enough to be worth help, on any machine.
      module.kernel("nothing").launch({ grid: 100_000, block: 64 });
      device.synchronize();
    } finally {
      WorkerPool.prototype.offer = offer;
    }
    assert.ok(places.length > 0);
    for (const [own = 0, first = 0, second = 0] of places) {
      assert.ok(first - own >= 4096 && second - first >= 4096, `${own} ${first} ${second}`);
    }
  });

  test("regression: a thread that starts late is asked while the launch still runs", () => {
    const { workers, get, set } = pool();
    const kernel = workers.add(empty, 5, 1);
    const offer = () => workers.offer(kernel, 4096, 1, (k) => 8192 + k);
    assert.equal(offer(), false); // no thread is there yet
    set(1, POOL_READY, 1);
    assert.equal(offer(), false); // one is
    assert.equal(get(0, POOL_OFFER), 0);
    const first = get(1, POOL_OFFER);
    assert.notEqual(first, 0);
    assert.equal(get(1, POOL_COMMAND), first);
    assert.equal(get(1, POOL_CONTEXTS), 8193);
    assert.equal(get(1, POOL_KERNEL), kernel);
    set(1, POOL_OFFER, POOL_TAKEN);
    set(0, POOL_READY, 1);
    assert.equal(offer(), true);
    assert.equal(get(0, POOL_CONTEXTS), 8192);
    assert.equal(get(1, POOL_OFFER), POOL_TAKEN); // and nobody twice
    assert.equal(offer(), true);

    // Worker 1 ends with a fault; worker 0 has not come and need not come any more.
    set(1, POOL_RESULT, 2);
    set(1, POOL_DONE, first!);
    assert.equal(workers.end(), 2);
    assert.equal(get(0, POOL_OFFER), 0);
    assert.equal(workers.end(), 0);
    workers.dispose();
  });
});
