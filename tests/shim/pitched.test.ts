import assert from "node:assert/strict";
import {
  type CudaPitchedPtr,
  cudaFree,
  cudaMalloc,
  cudaMalloc3D,
  cudaMallocPitch,
  cudaMemcpy,
  cudaMemcpy2D,
  cudaMemcpy2DAsync,
  cudaMemcpy3D,
  cudaMemcpyDefault,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyHostToHost,
  cudaMemset2D,
  cudaMemset3D,
  cudaStreamSynchronize,
  type Out,
} from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, ok, withCuda } from "./support.ts";

const bytes = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 5 + 1) & 0xff);

describe("pitched memory", () => {
  test("rows to the device, across it and back", () =>
    withCuda(() => {
      const a = { value: 0 };
      const b = { value: 0 };
      const pitch = { value: 0 };
      ok(cudaMallocPitch(a, pitch, 100, 20));
      assert.equal(pitch.value, 512);
      ok(cudaMallocPitch(b, pitch, 100, 20));
      const host = bytes(120 * 20);
      ok(cudaMemcpy2D(a.value, 512, host, 120, 100, 20, cudaMemcpyHostToDevice));
      ok(cudaMemcpy2D(b.value, 512, a.value, 512, 100, 20, cudaMemcpyDeviceToDevice));
      const back = new Uint8Array(110 * 20);
      ok(cudaMemcpy2D(back, 110, b.value, 512, 100, 20, cudaMemcpyDeviceToHost));
      for (let y = 0; y < 20; y++) {
        const row = back.subarray(y * 110, y * 110 + 110);
        assert.deepEqual(row.subarray(0, 100), host.subarray(y * 120, y * 120 + 100));
        assert.deepEqual(row.subarray(100), new Uint8Array(10));
      }
      ok(cudaMemset2D(b.value, 512, 7, 50, 10));
      ok(cudaMemcpy2DAsync(back, 110, b.value, 512, 100, 20, cudaMemcpyDefault));
      ok(cudaStreamSynchronize(0));
      assert.deepEqual(back.subarray(0, 50), new Uint8Array(50).fill(7));
      assert.deepEqual(back.subarray(50, 100), host.subarray(50, 100));
      assert.deepEqual(back.subarray(10 * 110, 10 * 110 + 100), host.subarray(1200, 1300));
      const copy = new Uint8Array(90 * 20);
      ok(cudaMemcpy2D(copy, 90, host, 120, 90, 20, cudaMemcpyHostToHost));
      assert.deepEqual(copy.subarray(90, 180), host.subarray(120, 210));
      ok(cudaFree(a.value));
    }));

  test("boxes", () =>
    withCuda(() => {
      const device: Out<CudaPitchedPtr | null> = { value: null };
      const extent = { width: 24, height: 6, depth: 4 };
      ok(cudaMalloc3D(device, extent));
      const ptr = device.value;
      assert.ok(ptr);
      assert.deepEqual([ptr.pitch, ptr.xsize, ptr.ysize], [512, 24, 6]);
      const host = bytes(24 * 6 * 4);
      const packed = { ptr: host, pitch: 24, xsize: 24, ysize: 6 };
      ok(cudaMemset3D(ptr, 0, extent));
      ok(cudaMemcpy3D({ srcPtr: packed, dstPtr: ptr, extent, kind: cudaMemcpyHostToDevice }));
      const back = new Uint8Array(5 * 3 * 2);
      ok(
        cudaMemcpy3D({
          srcPtr: ptr,
          srcPos: { x: 3, y: 2, z: 1 },
          dstPtr: { ptr: back, pitch: 5, xsize: 5, ysize: 3 },
          extent: { width: 5, height: 3, depth: 2 },
          kind: cudaMemcpyDeviceToHost,
        }),
      );
      for (let z = 0; z < 2; z++) {
        for (let y = 0; y < 3; y++) {
          const from = (z + 1) * 144 + (y + 2) * 24 + 3;
          const at = z * 15 + y * 5;
          assert.deepEqual(back.subarray(at, at + 5), host.subarray(from, from + 5));
        }
      }
      fails(cudaMemcpy3D(null), "cudaErrorInvalidValue");
    }));

  test("widths over the pitch, copies beyond an allocation, null", () =>
    withCuda(() => {
      const a = { value: 0 };
      ok(cudaMalloc(a, 1000));
      const host = new Uint8Array(1000);
      const to = cudaMemcpyHostToDevice;
      fails(cudaMemcpy2D(a.value, 10, host, 20, 11, 2, to), "cudaErrorInvalidPitchValue");
      fails(cudaMemcpy2D(a.value, 20, host, 10, 11, 2, to), "cudaErrorInvalidPitchValue");
      fails(cudaMemcpy2D(a.value, 100, host, 10, 10, 11, to), "cudaErrorInvalidValue");
      fails(cudaMemcpy2D(a.value, 10, host, 100, 10, 11, to), "cudaErrorInvalidValue");
      fails(cudaMemcpy2D(null, 10, host, 10, 10, 10, to), "cudaErrorInvalidValue");
      fails(cudaMemcpy2D(a.value, 10, null, 10, 10, 10, to), "cudaErrorInvalidValue");
      fails(cudaMemcpy2D(a.value, 10, host, 10, 10, 10, 9), "cudaErrorInvalidMemcpyDirection");
      fails(cudaMemcpy2D(a.value, 2 ** 50, host, 10, 10, 9, to), "cudaErrorInvalidValue");
      fails(cudaMemcpy2D(a.value, -1, host, 10, 10, 9, to), "cudaErrorInvalidValue");
      ok(cudaMemcpy2D(null, 10, null, 10, 0, 10, to));
      fails(cudaMemset2D(a.value, 10, 0, 11, 2), "cudaErrorInvalidPitchValue");
      fails(cudaMemset2D(a.value, 500, 0, 10, 3), "cudaErrorInvalidValue");
      fails(cudaMemset2D(0, 500, 0, 10, 1), "cudaErrorInvalidValue");
      const pitch = { value: 0 };
      fails(cudaMallocPitch(a, pitch, 2 ** 40, 2 ** 30), "cudaErrorMemoryAllocation");
      fails(cudaMallocPitch(null, pitch, 1, 1), "cudaErrorInvalidValue");
      fails(cudaMallocPitch(a, null, 1, 1), "cudaErrorInvalidValue");
      ok(cudaMemcpy(a.value, host, 1000, to));
    }));
});
