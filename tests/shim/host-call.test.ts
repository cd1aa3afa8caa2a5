import assert from "node:assert/strict";
import {
  cudaDeviceSynchronize,
  cudaGetLastError,
  cudaLaunchHostFunc,
  cudaLaunchKernel,
  cudaMalloc,
  cudaMallocHost,
  cudaMemcpyAsync,
  cudaMemcpyDeviceToHost,
  cudaMemsetAsync,
  cudaStreamAddCallback,
  cudaStreamCreate,
  cudaStreamSynchronize,
  hostView,
} from "../../cuda-shim/index.ts";
import { Device } from "../../index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureText, Output, ok, SMALL, withCuda } from "./support.ts";

describe("functions of the host in a stream", () => {
  test("run in their turn", () =>
    withCuda(() => {
      const stream = { value: 0 };
      const device = { value: 0 };
      const pinned = { value: 0 };
      ok(cudaStreamCreate(stream));
      ok(cudaMalloc(device, 1000));
      ok(cudaMallocHost(pinned, 1000));
      const view = hostView(pinned.value, 1000);
      const seen: number[] = [];
      for (const value of [1, 2, 3]) {
        ok(cudaMemsetAsync(device.value, value, 1000, stream.value));
        const toHost = cudaMemcpyDeviceToHost;
        ok(cudaMemcpyAsync(pinned.value, device.value, 1000, toHost, stream.value));
        ok(cudaLaunchHostFunc(stream.value, (data) => seen.push(view[999]! + Number(data)), 100));
      }
      const calls: unknown[] = [];
      ok(cudaStreamAddCallback(stream.value, (...args) => calls.push(args), "data"));
      ok(cudaStreamSynchronize(stream.value));
      assert.deepEqual(seen, [101, 102, 103]);
      assert.deepEqual(calls, [[stream.value, 0, "data"]]);
    }));

  test("must make no CUDA calls, and leave those around them alone", () =>
    withCuda(() => {
      const errors: number[] = [];
      ok(cudaLaunchHostFunc(0, () => errors.push(cudaMalloc({ value: 0 }, 10))));
      ok(cudaDeviceSynchronize());
      assert.deepEqual(errors, [800]);
      assert.equal(cudaGetLastError(), 0);
      ok(cudaDeviceSynchronize());
    }));

  test("after a fault only callbacks are called, with the error", async () => {
    using device = await Device.open({ ...SMALL, stderr: () => {} });
    const module = device.loadModule(fixtureText("faults.ptx"));
    const { registry } = device.thread;
    registry.nameKernel("storeInt", registry.addKernel(module.program, "storeInt"));
    device.run(() => {
      const seen: unknown[] = [];
      const stream = { value: 0 };
      ok(cudaStreamCreate(stream));
      ok(cudaLaunchKernel("storeInt", 1, 1, [BigUint64Array.of(0n)], 0, stream.value));
      // Whether the fault is known already is the device's affair; if so the calls report it.
      const first = cudaLaunchHostFunc(stream.value, () => seen.push("function"));
      const second = cudaStreamAddCallback(stream.value, (_s, status) => seen.push(status));
      fails(cudaStreamSynchronize(stream.value), "cudaErrorIllegalAddress");
      assert.ok(first === 0 || first === 700);
      assert.deepEqual(seen, second === 0 ? [700] : []);
    });
  });

  test("that are none, and streams that are none", () =>
    withCuda(() => {
      fails(cudaLaunchHostFunc(0, null as never), "cudaErrorInvalidValue");
      fails(cudaStreamAddCallback(0, "f" as never), "cudaErrorInvalidValue");
      fails(
        cudaStreamAddCallback(0, () => {}, 0, 1),
        "cudaErrorInvalidValue",
      );
      fails(
        cudaLaunchHostFunc(9999, () => {}),
        "cudaErrorInvalidResourceHandle",
      );
    }));

  test("a receiver of printed text must make no CUDA calls either", async () => {
    const output = new Output();
    const errors: number[] = [];
    using device = await Device.open({
      ...SMALL,
      stdout: (text) => {
        output.write(text);
        errors.push(cudaDeviceSynchronize());
      },
    });
    const module = device.loadModule(fixtureText("kernels.ptx"));
    module.kernel("print").launch({ grid: 1, block: 1 }, 5);
    device.synchronize();
    assert.equal(output.text, "value 5 of 0\n");
    assert.deepEqual(new Set(errors), new Set([800]));
  });
});
