import assert from "node:assert/strict";
import * as cuda from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureBytes, ok, withCuda } from "./support.ts";

const TWO = { devices: 2 };
const box = () => ({ value: 0 });
const PINNED = cuda.cudaMemAllocationTypePinned;
const at = (id: number) => ({ type: cuda.cudaMemLocationTypeDevice, id });

describe("which calls may be made during a capture", () => {
  test("a thread that is relaxed may allocate, and gets its mode back", () =>
    withCuda(() => {
      const stream = box();
      const graph = box();
      ok(cuda.cudaStreamCreate(stream));
      ok(cuda.cudaStreamBeginCapture(stream.value, cuda.cudaStreamCaptureModeGlobal));
      fails(cuda.cudaMalloc(box(), 64), "cudaErrorStreamCaptureUnsupported");
      fails(cuda.cudaStreamEndCapture(stream.value, graph), "cudaErrorStreamCaptureInvalidated");
      ok(cuda.cudaStreamBeginCapture(stream.value, cuda.cudaStreamCaptureModeGlobal));
      const mode = { value: cuda.cudaStreamCaptureModeRelaxed };
      ok(cuda.cudaThreadExchangeStreamCaptureMode(mode));
      assert.equal(mode.value, cuda.cudaStreamCaptureModeGlobal);
      ok(cuda.cudaMalloc(box(), 64));
      ok(cuda.cudaThreadExchangeStreamCaptureMode(mode));
      assert.equal(mode.value, cuda.cudaStreamCaptureModeRelaxed);
      ok(cuda.cudaStreamEndCapture(stream.value, graph));
      assert.notEqual(graph.value, 0);
      fails(cuda.cudaThreadExchangeStreamCaptureMode(null), "cudaErrorInvalidValue");
      fails(cuda.cudaThreadExchangeStreamCaptureMode({ value: 3 }), "cudaErrorInvalidValue");
      fails(cuda.cudaThreadExchangeStreamCaptureMode({ value: -1 }), "cudaErrorInvalidValue");
    }));
});

describe("devices, by other calls", () => {
  test("are initialised without being chosen, and lists of them are checked", () =>
    withCuda(() => {
      ok(cuda.cudaInitDevice(1, 0, 0));
      const current = box();
      ok(cuda.cudaGetDevice(current));
      assert.equal(current.value, 0);
      ok(cuda.cudaSetValidDevices([1, 0], 2));
      ok(cuda.cudaSetValidDevices(null, 0));
      fails(cuda.cudaSetValidDevices([1, 2], 2), "cudaErrorInvalidDevice");
      fails(cuda.cudaSetValidDevices([1], 2), "cudaErrorInvalidDevice");
      fails(cuda.cudaSetValidDevices(null, 1), "cudaErrorInvalidDevice");
    }, TWO));

  test("say what they can do with one another's memory", () =>
    withCuda(() => {
      for (let attribute = 1; attribute <= 5; attribute++) {
        const [there, back] = [{ value: 7 }, { value: 7 }];
        ok(cuda.cudaDeviceGetP2PAttribute(there, attribute, 0, 1));
        ok(cuda.cudaDeviceGetP2PAttribute(back, attribute, 1, 0));
        assert.ok(there.value === 0 || there.value === 1);
        assert.equal(there.value, back.value);
        if (attribute === cuda.cudaDevP2PAttrAccessSupported) assert.equal(there.value, 1);
      }
      fails(cuda.cudaDeviceGetP2PAttribute(box(), 0, 0, 1), "cudaErrorInvalidValue");
      fails(cuda.cudaDeviceGetP2PAttribute(box(), 6, 0, 1), "cudaErrorInvalidValue");
      fails(cuda.cudaDeviceGetP2PAttribute(null, 1, 0, 1), "cudaErrorInvalidValue");
      fails(cuda.cudaDeviceGetP2PAttribute(box(), 1, 0, 0), "cudaErrorInvalidDevice");
      fails(cuda.cudaDeviceGetP2PAttribute(box(), 1, 0, 2), "cudaErrorInvalidDevice");
    }, TWO));

  test("take linear textures of as many texels as their attribute says", () =>
    withCuda(() => {
      const [width, attribute] = [box(), box()];
      const desc = cuda.cudaCreateChannelDesc(32, 0, 0, 0, cuda.cudaChannelFormatKindFloat);
      ok(cuda.cudaDeviceGetTexture1DLinearMaxWidth(width, desc, 0));
      ok(cuda.cudaDeviceGetAttribute(attribute, cuda.cudaDevAttrMaxTexture1DLinearWidth, 0));
      assert.ok(width.value > 0);
      assert.equal(width.value, attribute.value);
    }));
});

describe("pools by their places", () => {
  test("are the devices' own, and can be chosen", () =>
    withCuda(() => {
      const [own, other, found] = [box(), box(), box()];
      ok(cuda.cudaMemGetDefaultMemPool(own, at(0), PINNED));
      ok(cuda.cudaMemGetDefaultMemPool(other, at(1), PINNED));
      assert.notEqual(own.value, other.value);
      const made = box();
      ok(cuda.cudaMemPoolCreate(made, { allocType: PINNED, location: at(1) }));
      ok(cuda.cudaMemSetMemPool(at(1), PINNED, made.value));
      ok(cuda.cudaMemGetMemPool(found, at(1), PINNED));
      assert.equal(found.value, made.value);
      ok(cuda.cudaMemGetMemPool(found, at(0), PINNED));
      assert.equal(found.value, own.value);
      const host = { type: cuda.cudaMemLocationTypeHost, id: 0 };
      fails(cuda.cudaMemGetMemPool(found, host, PINNED), "cudaErrorNotSupported");
      fails(cuda.cudaMemGetMemPool(found, at(2), PINNED), "cudaErrorInvalidDevice");
      fails(cuda.cudaMemGetMemPool(found, null, PINNED), "cudaErrorInvalidValue");
      fails(cuda.cudaMemGetMemPool(found, at(0), 0), "cudaErrorInvalidValue");
      fails(cuda.cudaMemGetMemPool(null, at(0), PINNED), "cudaErrorInvalidValue");
      fails(cuda.cudaMemSetMemPool(at(1), PINNED, 77), "cudaErrorInvalidValue");
    }, TWO));

  test("are for their own device, and for others that are let in", () =>
    withCuda(() => {
      const [pool, flags] = [box(), box()];
      const all = cuda.cudaMemAccessFlagsProtReadWrite;
      ok(cuda.cudaDeviceGetDefaultMemPool(pool, 1));
      ok(cuda.cudaMemPoolGetAccess(flags, pool.value, at(1)));
      assert.equal(flags.value, all);
      ok(cuda.cudaMemPoolGetAccess(flags, pool.value, at(0)));
      assert.equal(flags.value, cuda.cudaMemAccessFlagsProtNone);
      const set = (id: number, wanted: number) =>
        cuda.cudaMemPoolSetAccess(pool.value, [{ location: at(id), flags: wanted }]);
      ok(set(1, all));
      ok(set(0, cuda.cudaMemAccessFlagsProtNone));
      ok(cuda.cudaMemPoolSetAccess(pool.value, []));
      ok(set(0, all));
      ok(cuda.cudaMemPoolGetAccess(flags, pool.value, at(0)));
      assert.equal(flags.value, all);
      ok(set(0, cuda.cudaMemAccessFlagsProtNone));
      ok(cuda.cudaMemPoolGetAccess(flags, pool.value, at(0)));
      assert.equal(flags.value, cuda.cudaMemAccessFlagsProtNone);
      fails(set(1, cuda.cudaMemAccessFlagsProtNone), "cudaErrorInvalidValue");
      fails(set(1, 2), "cudaErrorInvalidValue");
      fails(set(0, 2), "cudaErrorInvalidValue");
      fails(set(2, all), "cudaErrorInvalidDevice");
      fails(cuda.cudaMemPoolSetAccess(pool.value, null), "cudaErrorInvalidValue");
      fails(
        cuda.cudaMemPoolSetAccess(77, [{ location: at(1), flags: all }]),
        "cudaErrorInvalidValue",
      );
      fails(cuda.cudaMemPoolGetAccess(flags, 77, at(1)), "cudaErrorInvalidValue");
      fails(cuda.cudaMemPoolGetAccess(null, pool.value, at(1)), "cudaErrorInvalidValue");
    }, TWO));
});

describe("kernels and streams, by other calls", () => {
  test("the kernels of a library are listed, and run", () =>
    withCuda(() => {
      const [library, count] = [box(), box()];
      ok(cuda.cudaLibraryLoadData(library, fixtureBytes("kernels.fatbin")));
      ok(cuda.cudaLibraryGetKernelCount(count, library.value));
      const names = (most: number): string[] => {
        const kernels: cuda.Out<number[]> = { value: [] };
        ok(cuda.cudaLibraryEnumerateKernels(kernels, most, library.value));
        return kernels.value.map((kernel) => {
          const name = { value: "" };
          ok(cuda.cudaFuncGetName(name, kernel));
          return name.value;
        });
      };
      const all = names(1000);
      assert.equal(all.length, count.value);
      assert.ok(all.includes("nothing") && new Set(all).size === all.length);
      assert.deepEqual(names(2), all.slice(0, 2));
      const kernels: cuda.Out<number[]> = { value: [] };
      ok(cuda.cudaLibraryEnumerateKernels(kernels, 1000, library.value));
      const nothing = kernels.value[all.indexOf("nothing")] ?? 0;
      ok(cuda.cudaLaunchKernel(nothing, 1, 1, []));
      ok(cuda.cudaDeviceSynchronize());
      fails(cuda.cudaLibraryEnumerateKernels(kernels, 0, library.value), "cudaErrorInvalidValue");
    }));

  test("an attribute of a kernel is set on one device", () =>
    withCuda(() => {
      const fatbin = cuda.__cudaRegisterFatBinary(fixtureBytes("kernels.fatbin"));
      cuda.__cudaRegisterFunction(fatbin, "nothing", "nothing");
      const kernel = box();
      ok(cuda.cudaGetFuncBySymbol(kernel, "nothing"));
      const most = cuda.cudaFuncAttributeMaxDynamicSharedMemorySize;
      ok(cuda.cudaKernelSetAttributeForDevice(kernel.value, most, 1024, 1));
      const asked = (): number | undefined => {
        const attributes: cuda.Out<cuda.CudaFuncAttributes | null> = { value: null };
        ok(cuda.cudaFuncGetAttributes(attributes, "nothing"));
        return attributes.value?.maxDynamicSharedSizeBytes;
      };
      assert.notEqual(asked(), 1024);
      ok(cuda.cudaSetDevice(1));
      assert.equal(asked(), 1024);
      const error = cuda.cudaKernelSetAttributeForDevice(kernel.value, most, 1024, 2);
      fails(error, "cudaErrorInvalidDevice");
    }, TWO));

  test("a stream gets the attributes of another, or none", () =>
    withCuda(() => {
      const [one, two] = [box(), box()];
      ok(cuda.cudaStreamCreate(one));
      ok(cuda.cudaStreamCreate(two));
      const policy = cuda.cudaLaunchAttributeSynchronizationPolicy;
      const value: cuda.Out<unknown> = { value: undefined };
      ok(cuda.cudaStreamSetAttribute(one.value, policy, 2));
      ok(cuda.cudaStreamCopyAttributes(two.value, one.value));
      ok(cuda.cudaStreamSetAttribute(one.value, policy, 3));
      ok(cuda.cudaStreamGetAttribute(two.value, policy, value));
      assert.equal(value.value, 2);
      ok(cuda.cudaStreamCopyAttributes(two.value, 0));
      ok(cuda.cudaStreamGetAttribute(two.value, policy, value));
      assert.equal(value.value, -1);
      fails(cuda.cudaStreamSetAttribute(one.value, policy, 5), "cudaErrorInvalidValue");
      fails(cuda.cudaStreamSetAttribute(one.value, policy, null), "cudaErrorInvalidValue");
      ok(cuda.cudaStreamSetAttribute(one.value, cuda.cudaLaunchAttributePriority, -2));
      const priority = box();
      ok(cuda.cudaStreamGetPriority(one.value, priority));
      assert.equal(priority.value, -2);
      const map = cuda.cudaLaunchAttributeMemSyncDomainMap;
      ok(cuda.cudaStreamGetAttribute(one.value, map, value));
      assert.deepEqual(value.value, { default_: 0, remote: 1 });
      ok(cuda.cudaStreamSetAttribute(one.value, map, { default_: 2, remote: 3 }));
      fails(
        cuda.cudaStreamSetAttribute(one.value, map, { default_: 4, remote: 0 }),
        "cudaErrorInvalidValue",
      );
      ok(cuda.cudaStreamGetAttribute(one.value, map, value));
      assert.deepEqual(value.value, { default_: 2, remote: 3 });
    }));
});
