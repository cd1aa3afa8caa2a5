import assert from "node:assert/strict";
import * as cuda from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureText, ok, withCuda } from "./support.ts";

const FLOAT = cuda.cudaCreateChannelDesc(32, 0, 0, 0, cuda.cudaChannelFormatKindFloat);
const [POINT, LINEAR] = [cuda.cudaFilterModePoint, cuda.cudaFilterModeLinear];
const box = () => ({ value: 0 });
const address = (value: number) => BigUint64Array.of(BigInt(value));

function made(create: (out: cuda.Out<number>) => number): number {
  const out = box();
  ok(create(out));
  return out.value;
}

/** A mipmapped array of floats; each element of a level is 256 times the level's number. */
function mipmapped(extent: cuda.CudaExtent, levels: number, flags = 0): number {
  const whole = made((out) => cuda.cudaMallocMipmappedArray(out, FLOAT, extent, levels, flags));
  for (let level = 0; level < levels; level++) {
    const array = made((out) => cuda.cudaGetMipmappedArrayLevel(out, whole, level));
    const size = extentOf(array);
    const rows = Math.max(1, size.height);
    const depth = Math.max(1, size.depth);
    const data = new Float32Array(size.width * rows * depth).fill(256 * level);
    const pitch = 4 * size.width;
    const srcPtr = { ptr: data, pitch, xsize: size.width, ysize: rows };
    const box = { width: size.width, height: rows, depth };
    const kind = cuda.cudaMemcpyHostToDevice;
    ok(cuda.cudaMemcpy3D({ srcPtr, dstArray: array, extent: box, kind }));
  }
  return whole;
}

function extentOf(array: number): cuda.CudaExtent {
  const extent: cuda.Out<cuda.CudaExtent | null> = { value: null };
  ok(cuda.cudaArrayGetInfo(null, extent, null, array));
  return extent.value ?? { width: 0, height: 0, depth: 0 };
}

const SAMPLING: cuda.CudaTextureDesc = {
  addressMode: [cuda.cudaAddressModeClamp, cuda.cudaAddressModeClamp, cuda.cudaAddressModeClamp],
  filterMode: LINEAR,
  normalizedCoords: 1,
  mipmapFilterMode: LINEAR,
  maxMipmapLevelClamp: 100,
};

function textureOf(mipmap: number, sampling: cuda.CudaTextureDesc = {}): number {
  const resource = { resType: 1, res: { mipmap: { mipmap } } } as const;
  const desc = { ...SAMPLING, ...sampling };
  return made((out) => cuda.cudaCreateTextureObject(out, resource, desc));
}

/** Runs a kernel of mipmaps.ptx for each place. */
function read(kernel: string, texture: number, places: readonly number[][]): number[] {
  const library = made((out) => cuda.cudaLibraryLoadData(out, fixtureText("mipmaps.ptx")));
  const func = made((out) => cuda.cudaLibraryGetKernel(out, library, kernel));
  const bytes = 16 * places.length;
  const [given, out] = [0, 1].map(() => made((p) => cuda.cudaMalloc(p, bytes)));
  const data = Float32Array.from(places.flatMap((p) => [0, 1, 2, 3].map((k) => p[k] ?? 0)));
  ok(cuda.cudaMemcpy(given ?? 0, data, bytes, cuda.cudaMemcpyHostToDevice));
  const args = [address(texture), address(given ?? 0), address(out ?? 0)];
  ok(cuda.cudaLaunchKernel(func, 1, places.length, args));
  const result = new Float32Array(places.length);
  ok(cuda.cudaMemcpy(result, out ?? 0, result.byteLength, cuda.cudaMemcpyDeviceToHost));
  return [...result];
}

const at = (...lods: number[]) => lods.map((lod) => [0.5, 0.5, lod]);

describe("mipmapped arrays", () => {
  test("levels have half the extents of the one before, down to one element", () =>
    withCuda(() => {
      const whole = made((out) =>
        cuda.cudaMallocMipmappedArray(out, FLOAT, { width: 20, height: 5, depth: 0 }, 99),
      );
      const level = (k: number) =>
        extentOf(made((out) => cuda.cudaGetMipmappedArrayLevel(out, whole, k)));
      assert.deepEqual([0, 1, 2, 3, 4].map(level), [
        { width: 20, height: 5, depth: 0 },
        { width: 10, height: 2, depth: 0 },
        { width: 5, height: 1, depth: 0 },
        { width: 2, height: 1, depth: 0 },
        { width: 1, height: 1, depth: 0 },
      ]);
      fails(cuda.cudaGetMipmappedArrayLevel(box(), whole, 5), "cudaErrorInvalidValue");
      const first = made((out) => cuda.cudaGetMipmappedArrayLevel(out, whole, 0));
      assert.equal(
        made((out) => cuda.cudaGetMipmappedArrayLevel(out, whole, 0)),
        first,
      );
      // A level is no array to be freed, and no mipmapped one.
      fails(cuda.cudaFreeArray(first), "cudaErrorInvalidValue");
      fails(cuda.cudaGetMipmappedArrayLevel(box(), first, 0), "cudaErrorInvalidResourceHandle");
      fails(cuda.cudaArrayGetInfo(null, null, null, whole), "cudaErrorInvalidResourceHandle");
      const extent = { width: 8, height: 8, depth: 6 };
      const [layered, deep] = [cuda.cudaArrayLayered, 0].map((flags) => {
        const stack = made((out) => cuda.cudaMallocMipmappedArray(out, FLOAT, extent, 3, flags));
        return extentOf(made((out) => cuda.cudaGetMipmappedArrayLevel(out, stack, 2)));
      });
      assert.deepEqual(layered, { width: 2, height: 2, depth: 6 });
      assert.deepEqual(deep, { width: 2, height: 2, depth: 1 });
      ok(cuda.cudaFreeMipmappedArray(whole));
      fails(cuda.cudaFreeMipmappedArray(whole), "cudaErrorInvalidResourceHandle");
      fails(cuda.cudaArrayGetInfo(null, null, null, first), "cudaErrorInvalidResourceHandle");
      ok(cuda.cudaFreeMipmappedArray(0));
    }));

  test("levels hold their own data, in their own places", () =>
    withCuda(() => {
      const whole = mipmapped({ width: 64, height: 32, depth: 0 }, 7);
      for (let level = 0; level < 7; level++) {
        const array = made((out) => cuda.cudaGetMipmappedArrayLevel(out, whole, level));
        const { width, height } = extentOf(array);
        const back = new Float32Array(width * height);
        const toHost = cuda.cudaMemcpyDeviceToHost;
        ok(cuda.cudaMemcpy2DFromArray(back, 4 * width, array, 0, 0, 4 * width, height, toHost));
        assert.ok(back.every((value) => value === 256 * level));
      }
    }));
});

describe("mipmapped textures", () => {
  test("the level that is asked for, its bias and its bounds", () =>
    withCuda(() => {
      const whole = mipmapped({ width: 64, height: 32, depth: 0 }, 7);
      const lods = at(-1, 0, 1, 2, 2.25, 2.75, 6, 9, Number.NaN);
      const linear = read("levels2D", textureOf(whole), lods);
      assert.deepEqual(linear, [0, 0, 256, 512, 576, 704, 1536, 1536, 0]);
      const nearest = read("levels2D", textureOf(whole, { mipmapFilterMode: POINT }), lods);
      assert.deepEqual(nearest, [0, 0, 256, 512, 512, 768, 1536, 1536, 0]);
      const bias = read("levels2D", textureOf(whole, { mipmapLevelBias: 0.5 }), at(0, 1, 6));
      assert.deepEqual(bias, [128, 384, 1536]);
      const bounds = { minMipmapLevelClamp: 1, maxMipmapLevelClamp: 2.5 };
      const bounded = read("levels2D", textureOf(whole, bounds), at(0, 1.5, 4));
      assert.deepEqual(bounded, [256, 384, 640]);
      const first = read("plain2D", textureOf(whole), at(3));
      assert.deepEqual(first, [0]);
    }));

  test("in three dimensions, and in layers", () =>
    withCuda(() => {
      const deep = mipmapped({ width: 16, height: 8, depth: 4 }, 4);
      const lods = at(0, 1, 1.5, 3);
      assert.deepEqual(read("levels3D", textureOf(deep), lods), [0, 256, 384, 768]);
      const stack = mipmapped({ width: 16, height: 8, depth: 3 }, 4, cuda.cudaArrayLayered);
      const places = [2, 0, 1].map((layer) => [0.5, 0.5, 1.25, layer]);
      assert.deepEqual(read("layers2D", textureOf(stack), places), [320, 320, 320]);
    }));

  test("gradients choose the level at which the larger step is one element", () =>
    withCuda(() => {
      const texture = textureOf(mipmapped({ width: 64, height: 32, depth: 0 }, 7));
      const steps = [
        [1, 1],
        [4, 1],
        [2, 16],
        [0.25, 0.5],
        [0, 0],
        [1000, 1],
      ];
      const levels = read("gradients2D", texture, steps);
      assert.deepEqual(levels, [0, 512, 1024, 0, 0, 1536]);
    }));

  test("what they are made of, and what is refused", () =>
    withCuda(() => {
      const whole = mipmapped({ width: 16, height: 16, depth: 0 }, 3);
      const texture = textureOf(whole, { mipmapLevelBias: -0.5, minMipmapLevelClamp: 1 });
      const resource: cuda.Out<cuda.CudaResourceDesc | null> = { value: null };
      ok(cuda.cudaGetTextureObjectResourceDesc(resource, texture));
      assert.deepEqual(resource.value, { resType: 1, res: { mipmap: { mipmap: whole } } });
      const sampling: cuda.Out<cuda.CudaTextureDesc | null> = { value: null };
      ok(cuda.cudaGetTextureObjectTextureDesc(sampling, texture));
      assert.equal(sampling.value?.mipmapLevelBias, -0.5);
      assert.equal(sampling.value?.minMipmapLevelClamp, 1);
      const attempt = (mipmap: number, desc: cuda.CudaTextureDesc) =>
        cuda.cudaCreateTextureObject(box(), { resType: 1, res: { mipmap: { mipmap } } }, desc);
      const bad = [
        { normalizedCoords: 0 },
        { mipmapFilterMode: 2 },
        { mipmapLevelBias: Number.NaN },
      ];
      for (const wrong of bad) {
        fails(attempt(whole, { ...SAMPLING, ...wrong }), "cudaErrorInvalidValue");
      }
      const level = made((out) => cuda.cudaGetMipmappedArrayLevel(out, whole, 0));
      fails(attempt(level, SAMPLING), "cudaErrorInvalidResourceHandle");
      const extent = { width: 8, height: 8, depth: 6 };
      const cube = made((out) =>
        cuda.cudaMallocMipmappedArray(out, FLOAT, extent, 2, cuda.cudaArrayCubemap),
      );
      fails(attempt(cube, SAMPLING), "cudaErrorNotSupported");
      const array = { resType: 0, res: { array: { array: level } } } as const;
      ok(cuda.cudaCreateTextureObject(box(), array, SAMPLING));
    }));
});
