import assert from "node:assert/strict";
import * as P from "../../runtime/protocol/index.ts";
import { describe, test } from "../harness.ts";
import { Bench } from "./bench.ts";

class Pools extends Bench {
  allocAsync(bytes: number, pool = 0, stream = 0): number {
    const fields = { [P.MEMORY_ALLOC_ASYNC_POOL]: pool, [P.REQUEST_STREAM]: stream };
    return this.call(P.COMMAND_MEMORY_ALLOC_ASYNC, fields, {
      [P.MEMORY_ALLOC_ASYNC_BYTES]: bytes,
    });
  }

  freeAsync(pointer: number, stream = 0): number {
    return this.call(
      P.COMMAND_MEMORY_FREE_ASYNC,
      { [P.REQUEST_STREAM]: stream },
      { [P.MEMORY_FREE_ASYNC_ADDRESS]: pointer },
    );
  }

  attribute(pool: number, attribute: number): number {
    const fields = { [P.POOL_GET_POOL]: pool, [P.POOL_GET_ATTRIBUTE]: attribute };
    assert.equal(this.call(P.COMMAND_POOL_GET, fields), 0);
    return this.get64(P.POOL_GET_VALUE);
  }

  set(pool: number, attribute: number, value: number): number {
    return this.call(
      P.COMMAND_POOL_SET,
      { [P.POOL_SET_POOL]: pool, [P.POOL_SET_ATTRIBUTE]: attribute },
      { [P.POOL_SET_VALUE]: value },
    );
  }

  defaultPool(): number {
    assert.equal(this.call(P.COMMAND_POOL_CURRENT), 0);
    return this.get32(P.POOL_CURRENT_DEFAULT);
  }
}

describe("stream-ordered allocation", () => {
  test("gives memory that copies reach, and takes it back in the stream's order", () => {
    const bench = new Pools();
    const { device } = bench.machine.gpu;
    const before = device.allocations.free(0);
    assert.equal(bench.allocAsync(1000), 0);
    const pointer = bench.get64(P.MEMORY_ALLOC_ASYNC_ADDRESS);
    assert.equal(bench.copyIn(pointer, new Uint8Array(1000).fill(3)), 0);
    const context = device.contexts.get(bench.context)!;
    context.scheduler.enqueue(context.legacy, { run: () => 1 });
    device.run();
    assert.equal(bench.freeAsync(pointer), 0);
    assert.equal(bench.freeAsync(pointer), P.cudaErrorInvalidValue, "a second time");
    assert.equal(device.allocations.free(0), before - 1024, "the stream has not got there");
    context.scheduler.finish(context.legacy);
    device.run();
    assert.equal(device.allocations.free(0), before);
    assert.equal(bench.freeAsync(0), 0);
    assert.equal(bench.allocAsync(0), 0);
    assert.equal(bench.get64(P.MEMORY_ALLOC_ASYNC_ADDRESS), 0);
    assert.equal(bench.allocAsync(2 ** 40), P.cudaErrorMemoryAllocation);
    assert.equal(bench.allocAsync(10, 0, 999), P.cudaErrorInvalidResourceHandle);
  });

  test("either free takes either allocation", () => {
    const bench = new Pools();
    bench.allocAsync(100);
    assert.equal(bench.free(bench.get64(P.MEMORY_ALLOC_ASYNC_ADDRESS)), 0);
    assert.equal(bench.freeAsync(bench.alloc(100)), 0);
    assert.equal(bench.freeAsync(bench.alloc(100, P.MEMORY_HOST)), P.cudaErrorInvalidValue);
  });

  test("a pool's account counts use, and keeps what its threshold says", () => {
    const bench = new Pools();
    const pool = bench.defaultPool();
    assert.equal(bench.attribute(pool, P.POOL_REUSE_ALLOW_OPPORTUNISTIC), 1);
    assert.equal(bench.set(pool, P.POOL_REUSE_ALLOW_OPPORTUNISTIC, 0), 0);
    assert.equal(bench.attribute(pool, P.POOL_REUSE_ALLOW_OPPORTUNISTIC), 0);
    assert.equal(bench.set(pool, P.POOL_RELEASE_THRESHOLD, 700), 0);
    bench.allocAsync(1000);
    const pointer = bench.get64(P.MEMORY_ALLOC_ASYNC_ADDRESS);
    assert.equal(bench.attribute(pool, P.POOL_USED_CURRENT), 1000);
    assert.equal(bench.freeAsync(pointer), 0);
    assert.equal(bench.attribute(pool, P.POOL_USED_CURRENT), 0);
    assert.equal(bench.attribute(pool, P.POOL_USED_HIGH), 1000);
    assert.equal(bench.attribute(pool, P.POOL_RESERVED_CURRENT), 700);
    const trim = { [P.POOL_TRIM_POOL]: pool };
    assert.equal(bench.call(P.COMMAND_POOL_TRIM, trim, { [P.POOL_TRIM_KEEP]: 100 }), 0);
    assert.equal(bench.attribute(pool, P.POOL_RESERVED_CURRENT), 100);
    assert.equal(bench.set(pool, P.POOL_USED_HIGH, 5), P.cudaErrorInvalidValue);
    assert.equal(bench.set(pool, P.POOL_USED_HIGH, 0), 0);
    assert.equal(bench.attribute(pool, P.POOL_USED_HIGH), 0);
    assert.equal(bench.set(pool, 99, 0), P.cudaErrorInvalidValue);
  });

  test("pools of one's own: limits, current pool, destruction", () => {
    const bench = new Pools();
    const own = bench.defaultPool();
    assert.equal(bench.call(P.COMMAND_POOL_CREATE, {}, { [P.POOL_CREATE_MAX_BYTES]: 1500 }), 0);
    const pool = bench.get32(P.POOL_CREATE_POOL);
    assert.equal(bench.call(P.COMMAND_POOL_CURRENT, { [P.POOL_CURRENT_POOL]: pool }), 0);
    assert.equal(bench.get32(P.POOL_CURRENT_CURRENT), pool);
    assert.equal(bench.allocAsync(1000), 0);
    assert.equal(bench.attribute(pool, P.POOL_USED_CURRENT), 1000);
    assert.equal(bench.allocAsync(1000), P.cudaErrorMemoryAllocation);
    assert.equal(bench.allocAsync(1000, own), 0);
    const destroy = (handle: number): number =>
      bench.call(P.COMMAND_POOL_DESTROY, { [P.POOL_DESTROY_POOL]: handle });
    assert.equal(destroy(own), P.cudaErrorInvalidValue);
    assert.equal(destroy(pool), 0);
    assert.equal(destroy(pool), P.cudaErrorInvalidValue);
    assert.equal(bench.defaultPool(), own);
    assert.equal(bench.get32(P.POOL_CURRENT_CURRENT), own);
  });
});

describe("functions, occupancy and limits", () => {
  const get = (bench: Bench, limit: number): number =>
    bench.call(P.COMMAND_LIMIT_GET, { [P.LIMIT_GET_LIMIT]: limit });

  test("dynamic shared memory is opted in to, up to 227 KiB with the static part", () => {
    const bench = new Bench();
    const fn = bench.fn(bench.load("// kernel k 0 shared=1024"), "k");
    const set = (attribute: number, value: number): number =>
      bench.call(P.COMMAND_FUNCTION_SET, {
        [P.FUNCTION_SET_FUNCTION]: fn,
        [P.FUNCTION_SET_ATTRIBUTE]: attribute,
        [P.FUNCTION_SET_VALUE]: value,
      });
    const most = 227 * 1024 - 1024;
    const launch = (bytes: number): number =>
      bench.launch(fn, new Uint8Array(0), { [P.LAUNCH_SHARED_BYTES]: bytes });
    assert.equal(launch(most), P.cudaErrorInvalidValue);
    assert.equal(set(P.FUNCTION_MAX_DYNAMIC_SHARED, most + 1), P.cudaErrorInvalidValue);
    assert.equal(set(P.FUNCTION_MAX_DYNAMIC_SHARED, -1), P.cudaErrorInvalidValue);
    assert.equal(set(P.FUNCTION_MAX_DYNAMIC_SHARED, most), 0);
    assert.equal(launch(most), 0);
    assert.equal(set(P.FUNCTION_CARVEOUT, 101), P.cudaErrorInvalidValue);
    assert.equal(set(P.FUNCTION_CARVEOUT, 50), 0);
    assert.equal(set(P.FUNCTION_CACHE_CONFIG, 2), 0);
    assert.equal(set(77, 0), P.cudaErrorInvalidValue);
    const ask = { [P.FUNCTION_ATTRIBUTES_FUNCTION]: fn };
    assert.equal(bench.call(P.COMMAND_FUNCTION_ATTRIBUTES, ask), 0);
    assert.equal(bench.get32(P.FUNCTION_ATTRIBUTES_MAX_DYNAMIC_SHARED), most);
    assert.equal(bench.get32(P.FUNCTION_ATTRIBUTES_CARVEOUT), 50);
    assert.equal(bench.get32(P.FUNCTION_ATTRIBUTES_CACHE_CONFIG), 2);
  });

  test("occupancy follows threads, registers and shared memory", () => {
    const bench = new Bench();
    const module = bench.load("// kernel k 0 regs=32\n// kernel fat 0 regs=128 maxthreads=512");
    const blocks = (name: string, threads: number, shared = 0): number => {
      const fn = bench.fn(module, name);
      const error = bench.call(
        P.COMMAND_OCCUPANCY,
        { [P.OCCUPANCY_FUNCTION]: fn, [P.OCCUPANCY_THREADS]: threads },
        { [P.OCCUPANCY_SHARED_BYTES]: shared },
      );
      assert.equal(error, 0);
      return bench.get32(P.OCCUPANCY_BLOCKS);
    };
    // As the occupancy calculator has them for compute capability 9.0.
    assert.equal(blocks("k", 1024), 2);
    assert.equal(blocks("k", 256), 8);
    assert.equal(blocks("k", 32), 32);
    assert.equal(blocks("k", 33), 32);
    assert.equal(blocks("k", 256, 40 << 10), 5);
    assert.equal(blocks("fat", 256), 2);
    assert.equal(blocks("fat", 513), 0);
    assert.equal(blocks("k", 256, 2 ** 40), 0);
    const fn = bench.fn(module, "k");
    const available = (threads: number, count: number): number =>
      bench.call(P.COMMAND_OCCUPANCY_SHARED, {
        [P.OCCUPANCY_SHARED_FUNCTION]: fn,
        [P.OCCUPANCY_SHARED_THREADS]: threads,
        [P.OCCUPANCY_SHARED_BLOCKS]: count,
      });
    assert.equal(available(256, 8), 0);
    const bytes = bench.get32(P.OCCUPANCY_SHARED_AVAILABLE);
    assert.equal(blocks("k", 256, bytes), 8);
    assert.equal(blocks("k", 256, bytes + 128), 7);
    assert.equal(available(256, 9), P.cudaErrorInvalidValue);
  });

  test("limits have CUDA's defaults and keep what is set, until the context is reset", () => {
    const bench = new Bench();
    assert.equal(get(bench, P.LIMIT_STACK_SIZE), 0);
    assert.equal(bench.get64(P.LIMIT_GET_VALUE), 1024);
    const set = (limit: number, value: number): number =>
      bench.call(
        P.COMMAND_LIMIT_SET,
        { [P.LIMIT_SET_LIMIT]: limit },
        { [P.LIMIT_SET_VALUE]: value },
      );
    assert.equal(set(P.LIMIT_MALLOC_HEAP_SIZE, 64 << 20), 0);
    assert.equal(get(bench, P.LIMIT_MALLOC_HEAP_SIZE), 0);
    assert.equal(bench.get64(P.LIMIT_GET_VALUE), 64 << 20);
    assert.equal(set(P.LIMIT_STACK_SIZE, 2 ** 40), P.cudaErrorInvalidValue);
    assert.equal(get(bench, 3), P.cudaErrorInvalidValue);
    assert.equal(set(99, 0), P.cudaErrorInvalidValue);
    bench.call(P.COMMAND_CONTEXT_RESET);
    assert.equal(get(bench, P.LIMIT_MALLOC_HEAP_SIZE), 0);
    assert.equal(bench.get64(P.LIMIT_GET_VALUE), 8 << 20);
  });
});
