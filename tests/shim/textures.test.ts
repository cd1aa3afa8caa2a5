import assert from "node:assert/strict";
import * as cuda from "../../cuda-shim/index.ts";
import { Device, f32 } from "../../index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureText, ok, SMALL, withCuda } from "./support.ts";

const FLOAT = cuda.cudaCreateChannelDesc(32, 0, 0, 0, cuda.cudaChannelFormatKindFloat);
const INT = cuda.cudaCreateChannelDesc(32, 0, 0, 0, cuda.cudaChannelFormatKindSigned);
const BYTES4 = cuda.cudaCreateChannelDesc(8, 8, 8, 8, cuda.cudaChannelFormatKindUnsigned);
const box = () => ({ value: 0 });
const toDevice = cuda.cudaMemcpyHostToDevice;
const toHost = cuda.cudaMemcpyDeviceToHost;

describe("what objects were made of", () => {
  test("arrays, rows of memory and pitched rows come back as they were given", () =>
    withCuda(() => {
      const memory = box();
      ok(cuda.cudaMalloc(memory, 1024));
      const array = box();
      ok(cuda.cudaMallocArray(array, BYTES4, 16, 4, cuda.cudaArraySurfaceLoadStore));
      const resources: cuda.CudaResourceDesc[] = [
        { resType: 0, res: { array: { array: array.value } } },
        { resType: 2, res: { linear: { devPtr: memory.value, desc: INT, sizeInBytes: 64 } } },
        {
          resType: 3,
          res: {
            pitch2D: { devPtr: memory.value, desc: BYTES4, width: 8, height: 2, pitchInBytes: 512 },
          },
        },
      ];
      const sampling = {
        addressMode: [cuda.cudaAddressModeClamp, cuda.cudaAddressModeBorder, 0],
        filterMode: cuda.cudaFilterModePoint,
        readMode: cuda.cudaReadModeElementType,
        sRGB: 0,
        borderColor: [1, 2, 3, 0.5],
        normalizedCoords: 0,
        mipmapFilterMode: cuda.cudaFilterModePoint,
        mipmapLevelBias: 0,
        minMipmapLevelClamp: 0,
        maxMipmapLevelClamp: 0,
      };
      const [resource, texture]: [
        cuda.Out<cuda.CudaResourceDesc | null>,
        cuda.Out<cuda.CudaTextureDesc | null>,
      ] = [{ value: null }, { value: null }];
      for (const given of resources) {
        const object = box();
        ok(cuda.cudaCreateTextureObject(object, given, sampling));
        ok(cuda.cudaGetTextureObjectResourceDesc(resource, object.value));
        assert.deepEqual(resource.value, given);
        ok(cuda.cudaGetTextureObjectTextureDesc(texture, object.value));
        assert.deepEqual(texture.value, sampling);
        const view = cuda.cudaGetTextureObjectResourceViewDesc({ value: null }, object.value);
        fails(view, "cudaErrorInvalidValue");
      }
      const surface = box();
      ok(cuda.cudaCreateSurfaceObject(surface, resources[0] ?? null));
      ok(cuda.cudaGetSurfaceObjectResourceDesc(resource, surface.value));
      assert.deepEqual(resource.value, resources[0]);
    }));
});

describe("arrays", () => {
  test("rows in and out, and what they were made with", () =>
    withCuda(() => {
      const array = box();
      ok(cuda.cudaMallocArray(array, BYTES4, 10, 6));
      const data = Uint8Array.from({ length: 50 * 6 }, (_, i) => i & 0xff);
      ok(cuda.cudaMemcpy2DToArray(array.value, 0, 0, data, 50, 40, 6, toDevice));
      const back = new Uint8Array(40 * 6);
      ok(cuda.cudaMemcpy2DFromArray(back, 40, array.value, 0, 0, 40, 6, toHost));
      for (let y = 0; y < 6; y++) {
        const row = back.subarray(40 * y, 40 * y + 40);
        assert.deepEqual(row, data.subarray(50 * y, 50 * y + 40));
      }
      const part = new Uint8Array(8 * 2);
      ok(cuda.cudaMemcpy2DFromArray(part, 8, array.value, 12, 3, 8, 2, toHost));
      assert.deepEqual(part.subarray(8), data.subarray(50 * 4 + 12, 50 * 4 + 20));
      const desc: cuda.Out<cuda.CudaChannelFormatDesc | null> = { value: null };
      const extent: cuda.Out<cuda.CudaExtent | null> = { value: null };
      ok(cuda.cudaArrayGetInfo(desc, extent, box(), array.value));
      assert.deepEqual(desc.value, BYTES4);
      assert.deepEqual(extent.value, { width: 10, height: 6, depth: 0 });
      const other = box();
      ok(cuda.cudaMallocArray(other, BYTES4, 10, 6));
      const kind = cuda.cudaMemcpyDeviceToDevice;
      ok(cuda.cudaMemcpy2DArrayToArray(other.value, 4, 1, array.value, 0, 0, 8, 2, kind));
      ok(cuda.cudaMemcpy2DFromArray(part, 8, other.value, 4, 1, 8, 2, toHost));
      assert.deepEqual(part.subarray(0, 8), data.subarray(0, 8));
      ok(cuda.cudaFreeArray(array.value));
      ok(cuda.cudaFreeArray(other.value));
      ok(cuda.cudaFreeArray(0));
    }));

  test("boxes of a three-dimensional one", () =>
    withCuda(() => {
      const array = box();
      ok(cuda.cudaMalloc3DArray(array, INT, { width: 8, height: 4, depth: 3 }));
      const data = Int32Array.from({ length: 96 }, (_, i) => i);
      const srcPtr = { ptr: data, pitch: 32, xsize: 32, ysize: 4 };
      const extent = { width: 8, height: 4, depth: 3 };
      ok(cuda.cudaMemcpy3D({ srcPtr, dstArray: array.value, extent, kind: toDevice }));
      const back = new Int32Array(4);
      ok(
        cuda.cudaMemcpy3D({
          srcArray: array.value,
          srcPos: { x: 5, y: 1, z: 2 },
          dstPtr: { ptr: back, pitch: 8, xsize: 8, ysize: 2 },
          extent: { width: 2, height: 2, depth: 1 },
          kind: toHost,
        }),
      );
      assert.deepEqual(back, Int32Array.of(77, 78, 85, 86));
      const outside = { width: 8, height: 4, depth: 4 };
      const copy = { srcPtr, dstArray: array.value, extent: outside, kind: toDevice };
      fails(cuda.cudaMemcpy3D(copy), "cudaErrorInvalidValue");
    }));

  test("that are none, and copies beyond them", () =>
    withCuda(() => {
      const array = box();
      const handle = "cudaErrorInvalidResourceHandle";
      const value = "cudaErrorInvalidValue";
      const host = new Uint8Array(1000);
      ok(cuda.cudaMallocArray(array, INT, 8, 4));
      const write = (w: number, h: number, width: number, height: number) =>
        cuda.cudaMemcpy2DToArray(array.value, w, h, host, 64, width, height, toDevice);
      for (const [w, h, width, height] of [
        [0, 0, 36, 1],
        [4, 0, 32, 1],
        [0, 0, 32, 5],
        [0, 4, 4, 1],
        [2, 0, 4, 1],
        [0, 0, 6, 1],
        [-4, 0, 4, 1],
      ] as const) {
        fails(write(w, h, width, height), value);
      }
      const three = cuda.cudaCreateChannelDesc(32, 32, 32, 0, 2);
      const mixed = cuda.cudaCreateChannelDesc(8, 16, 0, 0, 1);
      for (const desc of [three, mixed, cuda.cudaCreateChannelDesc(0, 0, 0, 0, 0)]) {
        fails(cuda.cudaMallocArray(box(), desc, 8), "cudaErrorInvalidChannelDescriptor");
      }
      fails(cuda.cudaMallocArray(null, INT, 8), value);
      fails(cuda.cudaMallocArray(box(), null, 8), value);
      fails(cuda.cudaMallocArray(box(), INT, 0), value);
      fails(cuda.cudaMallocArray(box(), INT, 2 ** 33), value);
      ok(cuda.cudaFreeArray(array.value));
      for (const none of [array.value, 77, -1, 2 ** 33]) {
        fails(cuda.cudaFreeArray(none), handle);
        fails(cuda.cudaGetChannelDesc({ value: null }, none), handle);
        fails(cuda.cudaMemcpy2DToArray(none, 0, 0, host, 4, 4, 1, toDevice), handle);
      }
    }));
});

describe("textures and surfaces", () => {
  test("an array read as a texture, with clamping, borders and interpolation", async () => {
    using device = await Device.open(SMALL);
    using module = device.loadModule(fixtureText("textures.ptx"));
    device.run(() => {
      const array = box();
      ok(cuda.cudaMallocArray(array, FLOAT, 8, 2));
      const data = Float32Array.from({ length: 16 }, (_, i) => i * i);
      ok(cuda.cudaMemcpy2DToArray(array.value, 0, 0, data, 32, 32, 2, toDevice));
      const resource: cuda.CudaResourceDesc = {
        resType: cuda.cudaResourceTypeArray,
        res: { array: { array: array.value } },
      };
      const read = (desc: cuda.CudaTextureDesc, shift: number): Float32Array => {
        const texture = box();
        ok(cuda.cudaCreateTextureObject(texture, resource, desc));
        const out = device.alloc(64);
        const shape = { grid: 2, block: 8 };
        module.kernel("readTexture").launch(shape, texture.value, out, 8, f32(shift));
        const result = out.toArray(Float32Array);
        ok(cuda.cudaDestroyTextureObject(texture.value));
        fails(cuda.cudaDestroyTextureObject(texture.value), "cudaErrorInvalidValue");
        return result;
      };
      const clamp = [cuda.cudaAddressModeClamp, cuda.cudaAddressModeClamp];
      assert.deepEqual(read({ addressMode: clamp }, 0), data);
      const shifted = read({ addressMode: clamp }, 3);
      assert.deepEqual(shifted.subarray(0, 8), Float32Array.of(9, 16, 25, 36, 49, 49, 49, 49));
      const border = [cuda.cudaAddressModeBorder, cuda.cudaAddressModeBorder];
      const outside = read({ addressMode: border, borderColor: [-1, 0, 0, 0] }, 6);
      assert.deepEqual(outside.subarray(0, 4), Float32Array.of(36, 49, -1, -1));
      const linear = { addressMode: clamp, filterMode: cuda.cudaFilterModeLinear };
      assert.deepEqual(read(linear, 0.5).subarray(0, 3), Float32Array.of(0.5, 2.5, 6.5));
    });
  });

  test("memory read as a texture, and a surface written", async () => {
    using device = await Device.open(SMALL);
    using module = device.loadModule(fixtureText("textures.ptx"));
    device.run(() => {
      using data = device.upload(Int32Array.from({ length: 64 }, (_, i) => 1000 - i));
      const texture = box();
      const linear = { devPtr: data.pointer, desc: INT, sizeInBytes: 256 };
      const resource: cuda.CudaResourceDesc = {
        resType: cuda.cudaResourceTypeLinear,
        res: { linear },
      };
      ok(cuda.cudaCreateTextureObject(texture, resource, {}));
      using out = device.alloc(256);
      module.kernel("fetch").launch({ grid: 1, block: 64 }, texture.value, out);
      assert.deepEqual(out.toArray(Int32Array), data.toArray(Int32Array));

      const array = box();
      ok(cuda.cudaMallocArray(array, INT, 8, 4, cuda.cudaArraySurfaceLoadStore));
      const surface = box();
      const ofArray: cuda.CudaResourceDesc = {
        resType: cuda.cudaResourceTypeArray,
        res: { array: { array: array.value } },
      };
      ok(cuda.cudaCreateSurfaceObject(surface, ofArray));
      module.kernel("writeSurface").launch({ grid: 4, block: 8 }, surface.value, 100);
      const seen = new Int32Array(32);
      ok(cuda.cudaMemcpy2DFromArray(seen, 32, array.value, 0, 0, 32, 4, toHost));
      assert.deepEqual(
        seen,
        Int32Array.from({ length: 32 }, (_, i) => 100 + 10 * (i >> 3) + (i & 7)),
      );
      ok(cuda.cudaDestroySurfaceObject(surface.value));
    });
  });

  test("descriptions that are none", () =>
    withCuda(() => {
      const array = box();
      ok(cuda.cudaMallocArray(array, INT, 8, 4));
      const ofArray = (handle: number): cuda.CudaResourceDesc => ({
        resType: cuda.cudaResourceTypeArray,
        res: { array: { array: handle } },
      });
      const value = "cudaErrorInvalidValue";
      const create = (resource: unknown, texture: unknown, view: unknown = null) =>
        cuda.cudaCreateTextureObject(box(), resource as never, texture as never, view);
      ok(create(ofArray(array.value), {}));
      fails(cuda.cudaCreateTextureObject(null, ofArray(array.value), {}), value);
      fails(create(null, {}), value);
      fails(create(ofArray(array.value), null), value);
      fails(create(ofArray(99), {}), "cudaErrorInvalidResourceHandle");
      fails(create({ resType: 9, res: {} }, {}), value);
      fails(create({ resType: 1, res: {} }, {}), value);
      fails(create(ofArray(array.value), {}, {}), "cudaErrorNotSupported");
      fails(create(ofArray(array.value), { addressMode: [4] }), value);
      fails(create(ofArray(array.value), { filterMode: 1 }), value);
      const wild = { devPtr: 4096, desc: INT, sizeInBytes: 64 };
      fails(create({ resType: 2, res: { linear: wild } }, {}), value);
      const noFormat = { ...wild, desc: cuda.cudaCreateChannelDesc(8, 16, 0, 0, 0) };
      const channels = "cudaErrorInvalidChannelDescriptor";
      fails(create({ resType: 2, res: { linear: noFormat } }, {}), channels);
      // Not made for surfaces.
      fails(cuda.cudaCreateSurfaceObject(box(), ofArray(array.value)), value);
      ok(cuda.cudaDestroyTextureObject(0));
      for (const none of [-1, 12345, 0.5]) {
        fails(cuda.cudaDestroyTextureObject(none), value);
        fails(cuda.cudaDestroySurfaceObject(none), value);
      }
    }));
});
