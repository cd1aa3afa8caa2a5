import assert from "node:assert/strict";
import {
  __cudaRegisterFatBinary,
  __cudaRegisterFunction,
  __cudaRegisterVar,
  type CudaDeviceProp,
  type CudaPointerAttributes,
  type CudaResourceDesc,
  cudaChooseDevice,
  cudaCreateTextureObject,
  cudaDestroyTextureObject,
  cudaDevAttrMaxThreadsPerBlock,
  cudaDevAttrMultiProcessorCount,
  cudaDeviceEnablePeerAccess,
  cudaDeviceGetAttribute,
  cudaDeviceGetByPCIBusId,
  cudaDeviceGetPCIBusId,
  cudaDeviceReset,
  cudaDeviceSynchronize,
  cudaDriverGetVersion,
  cudaEventCreate,
  cudaEventDestroy,
  cudaEventQuery,
  cudaEventRecord,
  cudaEventSynchronize,
  cudaFree,
  cudaGetDevice,
  cudaGetDeviceCount,
  cudaGetDeviceProperties,
  cudaGraphAddHostNode,
  cudaGraphCreate,
  cudaGraphInstantiate,
  cudaGraphLaunch,
  cudaLaunchKernel,
  cudaLibraryGetKernel,
  cudaLibraryLoadData,
  cudaMalloc,
  cudaMallocArray,
  cudaMallocAsync,
  cudaMemcpy,
  cudaMemcpyDefault,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyFromSymbol,
  cudaMemcpyHostToDevice,
  cudaMemset,
  cudaMemset2D,
  cudaMemsetAsync,
  cudaPointerGetAttributes,
  cudaRuntimeGetVersion,
  cudaSetDevice,
  cudaStreamCreate,
  cudaStreamDestroy,
  cudaStreamQuery,
  cudaStreamSynchronize,
  cudaStreamWaitEvent,
  type Out,
  openCuda,
} from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureBytes, fixtureText, ok, withCuda } from "./support.ts";

const TWO = { devices: 2 };

describe("devices", () => {
  test("are counted and chosen", () =>
    withCuda(() => {
      const out = { value: -1 };
      ok(cudaGetDeviceCount(out));
      assert.equal(out.value, 2);
      ok(cudaGetDevice(out));
      assert.equal(out.value, 0);
      ok(cudaSetDevice(1));
      ok(cudaGetDevice(out));
      assert.equal(out.value, 1);
      for (const ordinal of [2, -1, 0.5, Number.NaN]) {
        fails(cudaSetDevice(ordinal), "cudaErrorInvalidDevice");
      }
      ok(cudaGetDevice(out));
      assert.equal(out.value, 1);
      fails(cudaGetDeviceCount(null), "cudaErrorInvalidValue");
      fails(cudaGetDevice(null), "cudaErrorInvalidValue");
    }, TWO));

  test("have properties that agree with their attributes", () =>
    withCuda(
      () => {
        const prop: Out<CudaDeviceProp | null> = { value: null };
        ok(cudaGetDeviceProperties(prop, 0));
        const properties = prop.value;
        assert.ok(properties);
        const value = { value: 0 };
        ok(cudaDeviceGetAttribute(value, cudaDevAttrMultiProcessorCount, 0));
        assert.equal(value.value, 5);
        assert.equal(properties.multiProcessorCount, 5);
        ok(cudaDeviceGetAttribute(value, cudaDevAttrMaxThreadsPerBlock, 0));
        assert.equal(value.value, properties.maxThreadsPerBlock);
        assert.equal(properties.name, "test device");
        fails(cudaGetDeviceProperties(prop, 1), "cudaErrorInvalidDevice");
        fails(cudaGetDeviceProperties(null, 0), "cudaErrorInvalidValue");
        fails(cudaDeviceGetAttribute(value, 1, 7), "cudaErrorInvalidDevice");
        fails(cudaDeviceGetAttribute(null, 1, 0), "cudaErrorInvalidValue");
        for (const attribute of [0, -1, 100_000, 44, 1.5]) {
          fails(cudaDeviceGetAttribute(value, attribute, 0), "cudaErrorInvalidValue");
        }
      },
      { multiprocessors: 5, name: "test device" },
    ));

  test("are found by their PCI addresses and by what is asked of them", () =>
    withCuda(() => {
      const address = { value: "" };
      const found = { value: -1 };
      ok(cudaDeviceGetPCIBusId(address, 1));
      assert.match(address.value, /^[0-9A-F]{4}:[0-9A-F]{2}:[0-9A-F]{2}\.0$/);
      for (const text of [address.value, address.value.slice(5), address.value.toLowerCase()]) {
        ok(cudaDeviceGetByPCIBusId(found, text));
        assert.equal(found.value, 1);
      }
      fails(cudaDeviceGetByPCIBusId(found, "0000:77:00.0"), "cudaErrorInvalidDevice");
      fails(cudaDeviceGetByPCIBusId(found, 5 as never), "cudaErrorInvalidValue");
      ok(cudaChooseDevice(found, { major: 9, minor: 0 }));
      assert.equal(found.value, 0);
    }, TWO));

  test("versions", () =>
    withCuda(() => {
      const version = { value: 0 };
      ok(cudaRuntimeGetVersion(version));
      assert.equal(version.value, 13000);
      ok(cudaDriverGetVersion(version));
      assert.equal(version.value, 13000);
      fails(cudaDriverGetVersion(null), "cudaErrorInvalidValue");
    }));

  test("copy to one another, whichever is current", () =>
    withCuda(() => {
      const a = { value: 0 };
      const b = { value: 0 };
      ok(cudaMalloc(a, 10_000));
      ok(cudaSetDevice(1));
      ok(cudaMalloc(b, 10_000));
      assert.notEqual(a.value, b.value);
      const data = Uint8Array.from({ length: 10_000 }, (_, i) => i);
      ok(cudaMemcpy(a.value, data, 10_000, cudaMemcpyHostToDevice));
      ok(cudaMemcpy(b.value, a.value, 10_000, cudaMemcpyDeviceToDevice));
      ok(cudaSetDevice(0));
      ok(cudaMemset(a.value, 0, 10_000));
      const back = new Uint8Array(10_000);
      ok(cudaMemcpy(back, b.value, 10_000, cudaMemcpyDeviceToHost));
      assert.deepEqual(back, data);
      ok(cudaMemcpy(a.value, b.value, 100, cudaMemcpyDefault));
      ok(cudaMemcpy(back, a.value, 10_000, cudaMemcpyDefault));
      assert.deepEqual(
        back,
        new Uint8Array(10_000).map((_, i) => (i < 100 ? i : 0)),
      );
      fails(cudaMemcpy(a.value, b.value + 1, 10_000, cudaMemcpyDefault), "cudaErrorInvalidValue");
      fails(cudaMemcpy(a.value + 1, b.value, 10_000, cudaMemcpyDefault), "cudaErrorInvalidValue");
      ok(cudaFree(b.value));
      fails(cudaFree(b.value), "cudaErrorInvalidValue");
      fails(cudaMemcpy(a.value, b.value, 10_000, cudaMemcpyDefault), "cudaErrorInvalidValue");
      ok(cudaFree(a.value));
      ok(cudaDeviceSynchronize());
    }, TWO));

  test("have streams and events: another device's lead to it, or are refused", () =>
    withCuda(() => {
      const [one, two, event] = [{ value: 0 }, { value: 0 }, { value: 0 }];
      ok(cudaStreamCreate(one));
      ok(cudaSetDevice(1));
      ok(cudaStreamCreate(two));
      ok(cudaEventCreate(event));
      assert.notEqual(one.value, two.value);
      const a = { value: 0 };
      ok(cudaMalloc(a, 100));
      ok(cudaSetDevice(0));
      // What is asked for follows the stream.
      ok(cudaStreamSynchronize(two.value));
      ok(cudaStreamQuery(two.value));
      const foreign = "cudaErrorInvalidResourceHandle";
      ok(cudaMallocAsync(a, 100, two.value));
      const known: Out<CudaPointerAttributes | null> = { value: null };
      ok(cudaPointerGetAttributes(known, a.value));
      assert.equal(known.value?.device, 1);
      fails(cudaEventRecord(event.value, one.value), foreign);
      fails(cudaEventRecord(event.value, 0), foreign);
      ok(cudaEventRecord(event.value, two.value));
      ok(cudaStreamWaitEvent(one.value, event.value));
      ok(cudaEventSynchronize(event.value));
      ok(cudaEventDestroy(event.value));
      fails(cudaEventQuery(event.value), foreign);
      ok(cudaStreamDestroy(two.value));
      fails(cudaStreamDestroy(two.value), foreign);
      fails(cudaStreamQuery(two.value + 2 ** 32), foreign);
      ok(cudaStreamQuery(one.value));
    }, TWO));

  test("keep their faults to themselves, but for those who ask about their events", () =>
    withCuda(() => {
      const library = { value: 0 };
      const [trap, one, two] = [{ value: 0 }, { value: 0 }, { value: 0 }];
      const [broken, whole] = [{ value: 0 }, { value: 0 }];
      ok(cudaStreamCreate(one));
      ok(cudaEventCreate(broken));
      ok(cudaSetDevice(1));
      ok(cudaStreamCreate(two));
      ok(cudaEventCreate(whole));
      ok(cudaEventRecord(whole.value, two.value));
      ok(cudaSetDevice(0));
      ok(cudaLibraryLoadData(library, fixtureText("faults.ptx")));
      ok(cudaLibraryGetKernel(trap, library.value, "trap"));
      ok(cudaLaunchKernel(trap.value, 1, 1, [], 0, one.value));
      cudaEventRecord(broken.value, one.value);
      const fault = "cudaErrorLaunchFailure";
      fails(cudaStreamSynchronize(one.value), fault);
      // The current device's own fault comes first, whatever is asked about.
      fails(cudaEventQuery(whole.value), fault);
      fails(cudaEventSynchronize(whole.value), fault);
      ok(cudaSetDevice(1));
      ok(cudaEventQuery(whole.value));
      ok(cudaEventSynchronize(whole.value));
      fails(cudaEventQuery(broken.value), fault);
      fails(cudaEventSynchronize(broken.value), fault);
      // Who waits for work that was dropped is not stopped by it.
      ok(cudaStreamWaitEvent(two.value, broken.value));
      const memory = { value: 0 };
      ok(cudaMalloc(memory, 64));
      ok(cudaMemsetAsync(memory.value, 1, 64, two.value));
      ok(cudaStreamSynchronize(two.value));
      ok(cudaDeviceSynchronize());
      ok(cudaSetDevice(0));
      ok(cudaDeviceReset());
      fails(cudaEventQuery(broken.value), "cudaErrorInvalidResourceHandle");
      ok(cudaEventQuery(whole.value));
      ok(cudaMalloc(one, 64));
    }, TWO));

  for (const device of ["inline", "worker"] as const) {
    test(`have kernels and variables of their own, but for managed ones (${device})`, () =>
      withCuda(
        () => {
          const module = __cudaRegisterFatBinary(fixtureBytes("kernels.fatbin"));
          __cudaRegisterFunction(module, "use", "useSymbols");
          for (const name of ["counter", "managed"]) __cudaRegisterVar(module, name, name);
          const out = { value: 0 };
          const there = { value: 0 };
          const stream = { value: 0 };
          const read = (name: string): number | undefined => {
            const value = new Int32Array(1);
            ok(cudaMemcpyFromSymbol(value, name, 4));
            return value[0];
          };
          for (const [ordinal, launches] of [1, 2].entries()) {
            ok(cudaSetDevice(ordinal));
            ok(cudaMalloc(out, 128));
            ok(cudaStreamCreate(stream));
            const argument = Float64Array.of(0);
            new BigUint64Array(argument.buffer)[0] = BigInt(out.value);
            for (let i = 0; i < launches; i++) {
              ok(cudaLaunchKernel("use", 1, 4, [argument], 0, stream.value));
            }
            ok(cudaStreamSynchronize(stream.value));
            if (ordinal === 0) there.value = stream.value;
            // The device of the stream is the one that counts.
            ok(cudaLaunchKernel("use", 1, 4, [argument], 0, there.value));
          }
          assert.equal(read("counter"), 7 + 2 * 4);
          ok(cudaDeviceSynchronize());
          ok(cudaSetDevice(0));
          ok(cudaDeviceSynchronize());
          assert.equal(read("counter"), 7 + 3 * 4);
          assert.equal(read("managed"), 5 + 3 + 2);
          // Access by a kernel to the other's memory, and a reset that ends only one.
          ok(cudaDeviceEnablePeerAccess(1));
          ok(cudaDeviceReset());
          assert.equal(read("counter"), 7);
          ok(cudaSetDevice(1));
          assert.equal(read("counter"), 7 + 2 * 4);
          assert.equal(read("managed"), 5 + 3 + 2);
        },
        { ...TWO, device },
      ));
  }

  test("regression: a graph's host function is called in a stream of another device", () =>
    withCuda(() => {
      const [graph, node, exec] = [{ value: 0 }, { value: 0 }, { value: 0 }];
      const [here, there, x] = [{ value: 0 }, { value: 0 }, { value: 0 }];
      let calls = 0;
      ok(cudaStreamCreate(here));
      ok(cudaGraphCreate(graph));
      ok(cudaGraphAddHostNode(node, graph.value, null, { fn: () => calls++ }));
      ok(cudaGraphInstantiate(exec, graph.value));
      ok(cudaSetDevice(1));
      ok(cudaStreamCreate(there));
      ok(cudaMalloc(x, 64));
      ok(cudaGraphLaunch(exec.value, there.value));
      ok(cudaMemsetAsync(x.value, 1, 64, there.value));
      ok(cudaGraphLaunch(exec.value, here.value));
      ok(cudaStreamSynchronize(there.value));
      ok(cudaStreamSynchronize(here.value));
      assert.equal(calls, 2);
      ok(cudaDeviceReset());
      ok(cudaSetDevice(0));
      ok(cudaDeviceReset());
    }, TWO));

  test("fills and textures ask for access to another device's memory, copies don't", () =>
    withCuda(() => {
      const [x, texture, array] = [{ value: 0 }, { value: 0 }, { value: 0 }];
      const description = { x: 32, y: 0, z: 0, w: 0, f: 0 };
      ok(cudaSetDevice(1));
      ok(cudaMalloc(x, 64));
      ok(cudaMallocArray(array, description, 16));
      ok(cudaSetDevice(0));
      const over: CudaResourceDesc = { resType: 0, res: { array: { array: array.value } } };
      ok(cudaMemcpy(x.value, new Uint8Array(64), 64, cudaMemcpyHostToDevice));
      fails(cudaMemset(x.value, 1, 64), "cudaErrorInvalidValue");
      fails(cudaMemset2D(x.value, 16, 1, 16, 4), "cudaErrorInvalidValue");
      fails(cudaCreateTextureObject(texture, over, {}, null), "cudaErrorPeerAccessNotEnabled");
      ok(cudaDeviceEnablePeerAccess(1));
      ok(cudaMemset(x.value, 1, 64));
      ok(cudaMemset2D(x.value, 16, 1, 16, 4));
      ok(cudaCreateTextureObject(texture, over, {}, null));
      ok(cudaSetDevice(1));
      ok(cudaDestroyTextureObject(texture.value));
      ok(cudaDestroyTextureObject(0));
    }, TWO));

  test("that can't be made leave nothing behind", async () => {
    await assert.rejects(openCuda({ devices: 2, memoryBytes: -5 }), RangeError);
    fails(cudaMalloc({ value: 0 }, 10), "cudaErrorInitializationError");
    await assert.rejects(openCuda({ devices: 2, memoryBytes: 2 ** 31 }), RangeError);
    await assert.rejects(openCuda({ devices: 17, memoryBytes: 1 << 20 }), RangeError);
    await assert.rejects(openCuda({ devices: 1.5, memoryBytes: 1 << 20 }), RangeError);
    fails(cudaMalloc({ value: 0 }, 10), "cudaErrorInitializationError");
  });

  test("none at all", () =>
    withCuda(
      () => {
        const out = { value: 5 };
        fails(cudaGetDeviceCount(out), "cudaErrorNoDevice");
        assert.equal(out.value, 0);
        fails(cudaMalloc(out, 10), "cudaErrorNoDevice");
        fails(cudaSetDevice(0), "cudaErrorInvalidDevice");
      },
      { devices: 0 },
    ));
});
