import assert from "node:assert/strict";
import {
  cudaDeviceGetDefaultMemPool,
  cudaDeviceGetMemPool,
  cudaDeviceSetMemPool,
  cudaFree,
  cudaFreeAsync,
  cudaGetErrorName,
  cudaMallocAsync,
  cudaMallocFromPoolAsync,
  cudaMemAllocationTypePinned,
  cudaMemcpyAsync,
  cudaMemcpyDeviceToHost,
  cudaMemLocationTypeDevice,
  cudaMemPoolAttrReleaseThreshold,
  cudaMemPoolAttrUsedMemCurrent,
  cudaMemPoolCreate,
  cudaMemPoolDestroy,
  cudaMemPoolGetAttribute,
  cudaMemPoolSetAttribute,
  cudaMemPoolTrimTo,
  cudaMemsetAsync,
  cudaStreamCreate,
  cudaStreamSynchronize,
} from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, ok, withCuda } from "./support.ts";

const PROPS = {
  allocType: cudaMemAllocationTypePinned,
  location: { type: cudaMemLocationTypeDevice, id: 0 },
};

describe("stream-ordered allocation", () => {
  test("use and free on a stream", () =>
    withCuda(() => {
      const stream = { value: 0 };
      const a = { value: 0 };
      ok(cudaStreamCreate(stream));
      ok(cudaMallocAsync(a, 5000, stream.value));
      assert.notEqual(a.value, 0);
      ok(cudaMemsetAsync(a.value, 6, 5000, stream.value));
      const back = new Uint8Array(5000);
      ok(cudaMemcpyAsync(back, a.value, 5000, cudaMemcpyDeviceToHost, stream.value));
      ok(cudaFreeAsync(a.value, stream.value));
      ok(cudaStreamSynchronize(stream.value));
      assert.deepEqual(back, new Uint8Array(5000).fill(6));
      fails(cudaFreeAsync(a.value, stream.value), "cudaErrorInvalidValue");
      ok(cudaMallocAsync(a, 100));
      ok(cudaFree(a.value));
      ok(cudaFreeAsync(0));
    }));

  test("pools, their attributes and limits", () =>
    withCuda(() => {
      const standard = { value: 0 };
      const pool = { value: 0 };
      const current = { value: 0 };
      ok(cudaDeviceGetDefaultMemPool(standard, 0));
      ok(cudaMemPoolCreate(pool, { ...PROPS, maxSize: 1 << 20 }));
      assert.notEqual(pool.value, standard.value);
      ok(cudaDeviceSetMemPool(0, pool.value));
      ok(cudaDeviceGetMemPool(current, 0));
      assert.equal(current.value, pool.value);
      const a = { value: 0 };
      ok(cudaMallocAsync(a, 10_000));
      const used = { value: 0 };
      ok(cudaMemPoolGetAttribute(pool.value, cudaMemPoolAttrUsedMemCurrent, used));
      assert.ok(used.value >= 10_000);
      const most = cudaMallocAsync({ value: 0 }, 4 << 20);
      assert.equal(cudaGetErrorName(most), "cudaErrorMemoryAllocation");
      ok(cudaMallocFromPoolAsync({ value: 0 }, 4 << 20, standard.value));
      ok(cudaFreeAsync(a.value));
      ok(cudaStreamSynchronize(0));
      ok(cudaMemPoolGetAttribute(pool.value, cudaMemPoolAttrUsedMemCurrent, used));
      assert.equal(used.value, 0);
      const threshold = cudaMemPoolAttrReleaseThreshold;
      ok(cudaMemPoolSetAttribute(pool.value, threshold, 2n ** 64n - 1n));
      ok(cudaMemPoolSetAttribute(pool.value, threshold, 2 ** 40));
      ok(cudaMemPoolGetAttribute(pool.value, threshold, used));
      assert.equal(used.value, 2 ** 40);
      ok(cudaMemPoolTrimTo(pool.value, 0));
      ok(cudaDeviceSetMemPool(0, standard.value));
      ok(cudaMemPoolDestroy(pool.value));
      for (const handle of [pool.value, 0, -1, 77]) {
        const error = cudaGetErrorName(cudaMemPoolTrimTo(handle, 0));
        assert.match(error, /cudaErrorInvalidValue|cudaErrorInvalidResourceHandle/);
      }
    }));

  test("what is none", () =>
    withCuda(() => {
      const out = { value: 0 };
      fails(cudaMallocAsync(null, 1), "cudaErrorInvalidValue");
      fails(cudaMallocAsync(out, 1 << 30), "cudaErrorMemoryAllocation");
      fails(cudaMallocAsync(out, -1), "cudaErrorMemoryAllocation");
      fails(cudaMallocAsync(out, 8, 999), "cudaErrorInvalidResourceHandle");
      fails(cudaFreeAsync(12345), "cudaErrorInvalidValue");
      fails(cudaFreeAsync(-1), "cudaErrorInvalidValue");
      fails(cudaMemPoolCreate(null, PROPS), "cudaErrorInvalidValue");
      fails(cudaMemPoolCreate(out, null), "cudaErrorInvalidValue");
      fails(cudaMemPoolCreate(out, { ...PROPS, handleTypes: 1 }), "cudaErrorNotSupported");
      fails(cudaDeviceGetDefaultMemPool(out, 5), "cudaErrorInvalidDevice");
    }));
});
