import assert from "node:assert/strict";
import {
  cudaDeviceGetStreamPriorityRange,
  cudaEventCreate,
  cudaEventCreateWithFlags,
  cudaEventDestroy,
  cudaEventDisableTiming,
  cudaEventElapsedTime,
  cudaEventInterprocess,
  cudaEventQuery,
  cudaEventRecord,
  cudaEventSynchronize,
  cudaFreeHost,
  cudaMalloc,
  cudaMallocHost,
  cudaMemcpyAsync,
  cudaMemcpyDeviceToHost,
  cudaMemcpyHostToDevice,
  cudaMemsetAsync,
  cudaStreamCreate,
  cudaStreamCreateWithFlags,
  cudaStreamCreateWithPriority,
  cudaStreamDestroy,
  cudaStreamGetFlags,
  cudaStreamGetId,
  cudaStreamGetPriority,
  cudaStreamLegacy,
  cudaStreamNonBlocking,
  cudaStreamPerThread,
  cudaStreamQuery,
  cudaStreamSynchronize,
  cudaStreamWaitEvent,
  hostView,
} from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, ok, withCuda } from "./support.ts";

describe("streams", () => {
  test("order copies and sets", () =>
    withCuda(() => {
      const stream = { value: 0 };
      ok(cudaStreamCreate(stream));
      const device = { value: 0 };
      const pinned = { value: 0 };
      ok(cudaMalloc(device, 10_000));
      ok(cudaMallocHost(pinned, 10_000));
      const view = hostView(pinned.value, 10_000);
      view.fill(1);
      ok(cudaMemcpyAsync(device.value, pinned.value, 10_000, cudaMemcpyHostToDevice, stream.value));
      ok(cudaMemsetAsync(device.value + 100, 2, 200, stream.value));
      ok(cudaMemcpyAsync(pinned.value, device.value, 300, cudaMemcpyDeviceToHost, stream.value));
      ok(cudaStreamSynchronize(stream.value));
      ok(cudaStreamQuery(stream.value));
      assert.deepEqual(view.slice(0, 300), new Uint8Array(300).fill(1).fill(2, 100));
      const back = new Uint8Array(200);
      ok(cudaMemcpyAsync(back, device.value + 100, 200, cudaMemcpyDeviceToHost, stream.value));
      ok(cudaStreamSynchronize(stream.value));
      assert.deepEqual(back, new Uint8Array(200).fill(2));
      ok(cudaFreeHost(pinned.value));
      ok(cudaStreamDestroy(stream.value));
    }));

  test("have flags, priorities and numbers", () =>
    withCuda(() => {
      const least = { value: 9 };
      const greatest = { value: 9 };
      ok(cudaDeviceGetStreamPriorityRange(least, greatest));
      assert.equal(least.value, 0);
      assert.ok(greatest.value < 0);
      const stream = { value: 0 };
      ok(cudaStreamCreateWithPriority(stream, cudaStreamNonBlocking, -2));
      const out = { value: 0 };
      ok(cudaStreamGetFlags(stream.value, out));
      assert.equal(out.value, cudaStreamNonBlocking);
      ok(cudaStreamGetPriority(stream.value, out));
      assert.equal(out.value, -2);
      const other = { value: 0 };
      ok(cudaStreamCreateWithPriority(other, 0, -1000));
      ok(cudaStreamGetPriority(other.value, out));
      assert.equal(out.value, greatest.value);
      const id = { value: 0 };
      ok(cudaStreamGetId(stream.value, id));
      ok(cudaStreamGetId(other.value, out));
      assert.notEqual(id.value, out.value);
    }));

  test("the default ones need no making and can't be ended", () =>
    withCuda(() => {
      for (const stream of [0, cudaStreamLegacy, cudaStreamPerThread]) {
        ok(cudaStreamSynchronize(stream));
        ok(cudaStreamQuery(stream));
        fails(cudaStreamDestroy(stream), "cudaErrorInvalidResourceHandle");
      }
    }));

  test("that are none, or were ended", () =>
    withCuda(() => {
      const stream = { value: 0 };
      ok(cudaStreamCreateWithFlags(stream, 0));
      ok(cudaStreamDestroy(stream.value));
      for (const handle of [stream.value, 3, 99_999, -1, 2 ** 33, 0.5]) {
        fails(cudaStreamSynchronize(handle), "cudaErrorInvalidResourceHandle");
        fails(cudaStreamQuery(handle), "cudaErrorInvalidResourceHandle");
        fails(cudaStreamDestroy(handle), "cudaErrorInvalidResourceHandle");
        fails(cudaStreamGetFlags(handle, { value: 0 }), "cudaErrorInvalidResourceHandle");
        fails(cudaMemsetAsync(0, 0, 0, handle), "cudaErrorInvalidResourceHandle");
      }
      fails(cudaStreamCreateWithFlags(stream, 2), "cudaErrorInvalidValue");
      fails(cudaStreamCreate(null), "cudaErrorInvalidValue");
      fails(cudaStreamGetPriority(0, null), "cudaErrorInvalidValue");
    }));
});

describe("events", () => {
  test("are recorded, waited for and timed", () =>
    withCuda(() => {
      const start = { value: 0 };
      const end = { value: 0 };
      const stream = { value: 0 };
      ok(cudaEventCreate(start));
      ok(cudaEventCreate(end));
      ok(cudaStreamCreate(stream));
      ok(cudaEventQuery(start.value));
      ok(cudaEventRecord(start.value, stream.value));
      const device = { value: 0 };
      ok(cudaMalloc(device, 1 << 20));
      ok(cudaMemsetAsync(device.value, 1, 1 << 20, stream.value));
      ok(cudaEventRecord(end.value, stream.value));
      ok(cudaStreamWaitEvent(0, end.value));
      ok(cudaEventSynchronize(end.value));
      ok(cudaEventQuery(end.value));
      const ms = { value: -1 };
      ok(cudaEventElapsedTime(ms, start.value, end.value));
      assert.ok(ms.value >= 0 && ms.value < 1000, `${ms.value} ms`);
      ok(cudaEventDestroy(start.value));
      ok(cudaEventDestroy(end.value));
    }));

  test("that are none, never recorded, or keep no time", () =>
    withCuda(() => {
      const event = { value: 0 };
      const plain = { value: 0 };
      const ms = { value: 0 };
      ok(cudaEventCreateWithFlags(event, cudaEventDisableTiming));
      ok(cudaEventCreate(plain));
      fails(cudaEventElapsedTime(ms, plain.value, plain.value), "cudaErrorInvalidResourceHandle");
      ok(cudaEventRecord(event.value));
      ok(cudaEventRecord(plain.value));
      fails(cudaEventElapsedTime(ms, plain.value, event.value), "cudaErrorInvalidResourceHandle");
      fails(cudaEventElapsedTime(null, plain.value, plain.value), "cudaErrorInvalidValue");
      fails(cudaEventCreateWithFlags(event, 8), "cudaErrorInvalidValue");
      fails(cudaEventCreateWithFlags(event, cudaEventInterprocess), "cudaErrorInvalidValue");
      fails(cudaEventCreate(null), "cudaErrorInvalidValue");
      ok(cudaEventDestroy(event.value));
      const stream = { value: 0 };
      ok(cudaStreamCreate(stream));
      // A stream is no event, and an event no stream.
      for (const handle of [event.value, stream.value, 0, 1, -1, 2 ** 33]) {
        fails(cudaEventQuery(handle), "cudaErrorInvalidResourceHandle");
        fails(cudaEventRecord(handle), "cudaErrorInvalidResourceHandle");
        fails(cudaEventSynchronize(handle), "cudaErrorInvalidResourceHandle");
        fails(cudaEventDestroy(handle), "cudaErrorInvalidResourceHandle");
        fails(cudaStreamWaitEvent(0, handle), "cudaErrorInvalidResourceHandle");
      }
      fails(cudaStreamSynchronize(plain.value), "cudaErrorInvalidResourceHandle");
    }));
});
