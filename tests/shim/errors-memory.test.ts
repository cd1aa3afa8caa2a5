import assert from "node:assert/strict";
import {
  cudaFree,
  cudaFreeHost,
  cudaHostAlloc,
  cudaMalloc,
  cudaMallocHost,
  cudaMallocManaged,
  cudaMemcpy,
  cudaMemcpyDefault,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyHostToHost,
  cudaMemset,
  hostView,
} from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, ok, withCuda } from "./support.ts";

/** A new allocation, and its address. */
function allocated(size: number): number {
  const pointer = { value: 0 };
  ok(cudaMalloc(pointer, size));
  return pointer.value;
}

/** The device still works. */
function stillWorks(): void {
  const a = allocated(16);
  const back = new Uint8Array(16);
  ok(cudaMemset(a, 3, 16));
  ok(cudaMemcpy(back, a, 16, cudaMemcpyDeviceToHost));
  assert.deepEqual(back, new Uint8Array(16).fill(3));
  ok(cudaFree(a));
}

describe("bad uses of memory", () => {
  test("freeing twice, and what was never allocated", () =>
    withCuda(() => {
      const a = allocated(1000);
      ok(cudaFree(a));
      fails(cudaFree(a), "cudaErrorInvalidValue");
      for (const address of [1, 4096, 2 ** 45, 2 ** 52, -8, 1.5, Number.NaN]) {
        fails(cudaFree(address), "cudaErrorInvalidValue");
        fails(cudaFreeHost(address), "cudaErrorInvalidValue");
      }
      const b = allocated(1000);
      // Inside an allocation is not its start.
      fails(cudaFree(b + 1), "cudaErrorInvalidValue");
      fails(cudaFree(b + 256), "cudaErrorInvalidValue");
      ok(cudaFree(b));
      stillWorks();
    }));

  test("freeing one kind as the other", () =>
    withCuda(() => {
      const device = allocated(100);
      const host = { value: 0 };
      ok(cudaMallocHost(host, 100));
      fails(cudaFreeHost(device), "cudaErrorInvalidValue");
      fails(cudaFree(host.value), "cudaErrorInvalidValue");
      ok(cudaFree(device));
      ok(cudaFreeHost(host.value));
    }));

  test("out of memory, and recovery from it", () =>
    withCuda(() => {
      const a = { value: 77 };
      for (const size of [1 << 30, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER, -1]) {
        fails(cudaMalloc(a, size), "cudaErrorMemoryAllocation");
        fails(cudaMallocHost(a, size), "cudaErrorMemoryAllocation");
        fails(cudaMallocManaged(a, size), "cudaErrorMemoryAllocation");
      }
      assert.equal(a.value, 77);
      const blocks: number[] = [];
      let error = 0;
      while (error === 0) {
        error = cudaMalloc(a, 8 << 20);
        if (error === 0) blocks.push(a.value);
        assert.ok(blocks.length <= 8, "64 MiB hold eight blocks of 8 MiB at most");
      }
      fails(error, "cudaErrorMemoryAllocation");
      assert.ok(blocks.length >= 7, `${blocks.length} blocks of 8 MiB`);
      for (const block of blocks) ok(cudaFree(block));
      ok(cudaMalloc(a, 32 << 20));
      stillWorks();
    }));

  test("copies beyond an allocation, on either side", () =>
    withCuda(() => {
      const a = allocated(1000);
      const b = allocated(1000);
      const host = new Uint8Array(5000);
      const cases: [number, number][] = [
        [a, 1001],
        [a + 1, 1000],
        [a + 999, 2],
        [a + 1000, 1],
        [a - 1, 1],
        [4096, 1],
        [2 ** 46, 1],
        [a, 2000],
        [a, 5000],
      ];
      for (const [address, size] of cases) {
        fails(cudaMemcpy(address, host, size, cudaMemcpyHostToDevice), "cudaErrorInvalidValue");
        fails(cudaMemcpy(host, address, size, cudaMemcpyDeviceToHost), "cudaErrorInvalidValue");
        fails(cudaMemcpy(b, address, size, cudaMemcpyDeviceToDevice), "cudaErrorInvalidValue");
        fails(cudaMemcpy(address, b, size, cudaMemcpyDeviceToDevice), "cudaErrorInvalidValue");
        fails(cudaMemset(address, 0, size), "cudaErrorInvalidValue");
      }
      stillWorks();
    }));

  test("copies of sizes that are none", () =>
    withCuda(() => {
      const a = allocated(1000);
      const host = new Uint8Array(1000);
      for (const size of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, 2 ** 53 - 1]) {
        fails(cudaMemcpy(a, host, size, cudaMemcpyHostToDevice), "cudaErrorInvalidValue");
        fails(cudaMemcpy(host, a, size, cudaMemcpyDeviceToHost), "cudaErrorInvalidValue");
        fails(cudaMemset(a, 0, size), "cudaErrorInvalidValue");
      }
      fails(cudaMemcpy(a, host, 1001, cudaMemcpyHostToDevice), "cudaErrorInvalidValue");
    }));

  test("null and wrong sides", () =>
    withCuda(() => {
      const a = allocated(100);
      const host = new Uint8Array(100);
      fails(cudaMemcpy(null, host, 100, cudaMemcpyHostToDevice), "cudaErrorInvalidValue");
      fails(cudaMemcpy(0, host, 100, cudaMemcpyHostToDevice), "cudaErrorInvalidValue");
      fails(cudaMemcpy(a, null, 100, cudaMemcpyHostToDevice), "cudaErrorInvalidValue");
      fails(cudaMemcpy(host, a, 100, cudaMemcpyHostToDevice), "cudaErrorInvalidValue");
      fails(cudaMemcpy(a, host, 100, cudaMemcpyDeviceToHost), "cudaErrorInvalidValue");
      fails(cudaMemcpy(a, host, 100, cudaMemcpyDeviceToDevice), "cudaErrorInvalidValue");
      // What the device knows may be any side, as on an H100.
      ok(cudaMemcpy(host, a, 100, cudaMemcpyHostToHost));
      ok(cudaMemcpy(a, a, 100, cudaMemcpyHostToDevice));
      for (const kind of [-1, 5, 1.5, Number.NaN]) {
        fails(cudaMemcpy(a, host, 100, kind), "cudaErrorInvalidMemcpyDirection");
      }
      fails(cudaMemcpy(a, "text" as never, 100, cudaMemcpyDefault), "cudaErrorInvalidValue");
      fails(cudaMemset(0, 0, 100), "cudaErrorInvalidValue");
      fails(cudaMalloc(null, 100), "cudaErrorInvalidValue");
      fails(cudaHostAlloc({ value: 0 }, 100, 8), "cudaErrorInvalidValue");
      fails(cudaMallocManaged({ value: 0 }, 100, 3), "cudaErrorInvalidValue");
      stillWorks();
    }));

  test("views outside of the device's memory", () =>
    withCuda(() => {
      const a = allocated(100);
      assert.equal(hostView(a, 100).length, 100);
      for (const [pointer, size] of [
        [0, 1],
        [a, 2 ** 33],
        [2 ** 46, 8],
        [-1, 1],
        [a, -1],
      ] as const) {
        assert.throws(() => hostView(pointer, size), { name: "CudaError", code: 1 });
      }
    }));
});
