import assert from "node:assert/strict";
import {
  cudaDeviceReset,
  cudaDeviceSynchronize,
  cudaFree,
  cudaFreeHost,
  cudaGetLastError,
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
  cudaMemGetInfo,
  cudaMemset,
  cudaPeekAtLastError,
  cudaSuccess,
  hostView,
} from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, ok, withCuda } from "./support.ts";

const pattern = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + 3) & 0xff);

describe("memory", () => {
  // Below and above what travels in a request, and not a multiple of anything.
  for (const size of [1, 100, 4096, 70_001, 3_000_001]) {
    test(`${size} bytes to the device, across it and back`, () =>
      withCuda(() => {
        const a = { value: 0 };
        const b = { value: 0 };
        ok(cudaMalloc(a, size));
        ok(cudaMalloc(b, size));
        assert.equal(a.value % 256, 0);
        const data = pattern(size);
        ok(cudaMemcpy(a.value, data, size, cudaMemcpyHostToDevice));
        ok(cudaMemcpy(b.value, a.value, size, cudaMemcpyDeviceToDevice));
        const back = new Uint8Array(size);
        ok(cudaMemcpy(back, b.value, size, cudaMemcpyDeviceToHost));
        assert.deepEqual(back, data);
        ok(cudaFree(a.value));
        ok(cudaFree(b.value));
      }));
  }

  test("the direction is told by the sides", () =>
    withCuda(() => {
      const a = { value: 0 };
      ok(cudaMalloc(a, 64));
      const data = Float64Array.of(1.5, -2.5, 3.5);
      const back = new Float64Array(3);
      ok(cudaMemcpy(a.value, data, 24, cudaMemcpyDefault));
      ok(cudaMemcpy(back.buffer, a.value, 24, cudaMemcpyDefault));
      assert.deepEqual(back, data);
      const copy = new Float64Array(3);
      ok(cudaMemcpy(copy, data, 24, cudaMemcpyHostToHost));
      assert.deepEqual(copy, data);
    }));

  test("overlapping copies inside one allocation", () =>
    withCuda(() => {
      const a = { value: 0 };
      ok(cudaMalloc(a, 1000));
      const data = pattern(1000);
      ok(cudaMemcpy(a.value, data, 1000, cudaMemcpyHostToDevice));
      ok(cudaMemcpy(a.value + 100, a.value, 900, cudaMemcpyDeviceToDevice));
      const back = new Uint8Array(900);
      ok(cudaMemcpy(back, a.value + 100, 900, cudaMemcpyDeviceToHost));
      assert.deepEqual(back, data.subarray(0, 900));
    }));

  test("memset, of all and of a part", () =>
    withCuda(() => {
      const a = { value: 0 };
      ok(cudaMalloc(a, 1000));
      ok(cudaMemset(a.value, 0x1ab, 1000));
      ok(cudaMemset(a.value + 10, 1, 5));
      const back = new Uint8Array(1000);
      ok(cudaMemcpy(back, a.value, 1000, cudaMemcpyDeviceToHost));
      const expected = new Uint8Array(1000).fill(0xab).fill(1, 10, 15);
      assert.deepEqual(back, expected);
      ok(cudaMemset(a.value, 5, 0));
    }));

  test("pinned memory is host memory that the device sees", () =>
    withCuda(() => {
      const pinned = { value: 0 };
      const device = { value: 0 };
      ok(cudaMallocHost(pinned, 5000));
      ok(cudaMalloc(device, 5000));
      const view = hostView(pinned.value, 5000);
      view.set(pattern(5000));
      ok(cudaMemcpy(device.value, pinned.value, 5000, cudaMemcpyHostToDevice));
      view.fill(0);
      // A view of pinned memory works like its address.
      ok(cudaMemcpy(view, device.value, 5000, cudaMemcpyDeviceToHost));
      assert.deepEqual(view.slice(), pattern(5000));
      ok(cudaFreeHost(pinned.value));
      fails(cudaFreeHost(pinned.value), "cudaErrorInvalidValue");
      const other = { value: 0 };
      ok(cudaHostAlloc(other, 100, 7));
      ok(cudaFreeHost(other.value));
    }));

  test("managed memory", () =>
    withCuda(() => {
      const managed = { value: 0 };
      ok(cudaMallocManaged(managed, 100));
      hostView(managed.value, 100).fill(9);
      const back = new Uint8Array(100);
      ok(cudaMemcpy(back, managed.value, 100, cudaMemcpyDefault));
      assert.deepEqual(back, new Uint8Array(100).fill(9));
      ok(cudaFree(managed.value));
    }));

  test("nothing asked for, nothing given", () =>
    withCuda(() => {
      const a = { value: 5 };
      ok(cudaMalloc(a, 0));
      assert.equal(a.value, 0);
      ok(cudaFree(0));
      ok(cudaFreeHost(0));
      ok(cudaMallocManaged(a, 0));
      ok(cudaMemcpy(null, null, 0, cudaMemcpyDefault));
    }));

  test("free and total memory", () =>
    withCuda(() => {
      const free = { value: 0 };
      const total = { value: 0 };
      ok(cudaMemGetInfo(free, total));
      assert.ok(total.value > 0 && free.value <= total.value);
      const before = free.value;
      const a = { value: 0 };
      ok(cudaMalloc(a, 1 << 20));
      ok(cudaMemGetInfo(free, total));
      assert.ok(before - free.value >= 1 << 20);
      ok(cudaFree(a.value));
      ok(cudaMemGetInfo(free, null));
      assert.equal(free.value, before);
    }));

  test("a reset frees everything", () =>
    withCuda(() => {
      const free = { value: 0 };
      ok(cudaMemGetInfo(free, null));
      const before = free.value;
      const a = { value: 0 };
      ok(cudaMalloc(a, 1 << 20));
      ok(cudaDeviceReset());
      ok(cudaMemGetInfo(free, null));
      assert.equal(free.value, before);
      fails(cudaFree(a.value), "cudaErrorInvalidValue");
      ok(cudaMalloc(a, 1 << 20));
      ok(cudaDeviceSynchronize());
    }));
});

describe("the last error", () => {
  test("is kept until it is asked for", () =>
    withCuda(() => {
      assert.equal(cudaGetLastError(), cudaSuccess);
      fails(cudaFree(12345), "cudaErrorInvalidValue");
      const a = { value: 0 };
      ok(cudaMalloc(a, 10));
      fails(cudaPeekAtLastError(), "cudaErrorInvalidValue");
      fails(cudaGetLastError(), "cudaErrorInvalidValue");
      assert.equal(cudaPeekAtLastError(), cudaSuccess);
    }));

  test("without a device every call is cudaErrorInitializationError", () => {
    const a = { value: 0 };
    fails(cudaMalloc(a, 10), "cudaErrorInitializationError");
    fails(cudaGetLastError(), "cudaErrorInitializationError");
    fails(cudaPeekAtLastError(), "cudaErrorInitializationError");
    assert.throws(() => hostView(5, 5), { name: "CudaError", code: 1 });
  });
});
