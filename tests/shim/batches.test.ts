import assert from "node:assert/strict";
import * as cuda from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureBytes, fixturePath, ok, withCuda, withTwoDevices } from "./support.ts";

const box = () => ({ value: 0 });
const toDevice = cuda.cudaMemcpyHostToDevice;
const toHost = cuda.cudaMemcpyDeviceToHost;

function made(create: (out: cuda.Out<number>) => number): number {
  const out = box();
  ok(create(out));
  return out.value;
}

describe("many copies and ranges at once", () => {
  test("copies of any direction, in order", () =>
    withCuda(() => {
      const [a, b] = [
        made((out) => cuda.cudaMalloc(out, 16)),
        made((out) => cuda.cudaMalloc(out, 16)),
      ];
      const stream = made(cuda.cudaStreamCreate);
      const source = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
      const result = new Uint8Array(8);
      const lists = [
        [a, b, result],
        [source, a, b],
        [16, 16, 8],
      ] as const;
      ok(cuda.cudaMemcpyBatchAsync(...lists, [{ srcAccessOrder: 1 }], [0], stream));
      ok(cuda.cudaStreamSynchronize(stream));
      assert.deepEqual([...result], [1, 2, 3, 4, 5, 6, 7, 8]);
      const invalid = "cudaErrorInvalidValue";
      fails(cuda.cudaMemcpyBatchAsync(...lists, [{}], [0], 0), invalid);
      fails(cuda.cudaMemcpyBatchAsync([a], [source], [16, 1], [{}], [0], stream), invalid);
      fails(cuda.cudaMemcpyBatchAsync([], [], [], [{}], [0], stream), invalid);
      fails(cuda.cudaMemcpyBatchAsync([a], [source], [16], [], [], stream), invalid);
      fails(cuda.cudaMemcpyBatchAsync([a], [source], [17], [{}], [0], stream), invalid);
    }));

  test("what was said of managed memory is remembered", () =>
    withCuda(() => {
      const memory = made((out) => cuda.cudaMallocManaged(out, 4096));
      const device = { type: cuda.cudaMemLocationTypeDevice, id: 0 };
      const host = { type: cuda.cudaMemLocationTypeHost, id: 0 };
      const ask = (which: number, at = memory, bytes = 4096, size = 4) => {
        const out: cuda.Out<number | number[]> = { value: -99 };
        ok(cuda.cudaMemRangeGetAttribute(out, size, which, at, bytes));
        return out.value;
      };
      assert.equal(ask(cuda.cudaMemRangeAttributeReadMostly), 0);
      assert.equal(ask(cuda.cudaMemRangeAttributePreferredLocation), cuda.cudaInvalidDeviceId);
      ok(cuda.cudaMemAdvise(memory, 4096, cuda.cudaMemAdviseSetReadMostly, null));
      ok(cuda.cudaMemAdvise(memory, 4096, cuda.cudaMemAdviseSetPreferredLocation, host));
      ok(cuda.cudaMemAdvise(memory, 1024, cuda.cudaMemAdviseSetAccessedBy, device));
      assert.equal(ask(cuda.cudaMemRangeAttributeReadMostly, memory + 64, 8), 1);
      assert.equal(ask(cuda.cudaMemRangeAttributePreferredLocation), cuda.cudaCpuDeviceId);
      assert.equal(ask(cuda.cudaMemRangeAttributePreferredLocationType), host.type);
      assert.deepEqual(ask(cuda.cudaMemRangeAttributeAccessedBy, memory, 1024, 8), [0]);
      assert.deepEqual(ask(cuda.cudaMemRangeAttributeAccessedBy), [cuda.cudaInvalidDeviceId]);
      ok(cuda.cudaMemAdvise(memory, 4096, cuda.cudaMemAdviseUnsetReadMostly, null));
      assert.equal(ask(cuda.cudaMemRangeAttributeReadMostly), 0);

      const ranges = [memory, memory + 1024, memory + 2048];
      const sizes = [1024, 1024, 1024];
      ok(cuda.cudaMemPrefetchBatchAsync(ranges, sizes, [device, host], [0, 2]));
      const last = cuda.cudaMemRangeAttributeLastPrefetchLocation;
      assert.deepEqual(
        ranges.map((at) => ask(last, at, 1024)),
        [0, 0, cuda.cudaCpuDeviceId],
      );
      ok(cuda.cudaMemDiscardAndPrefetchBatchAsync(ranges, sizes, [host], [0]));
      const out = [box(), box()] as cuda.Out<number | number[]>[];
      const which = [last, cuda.cudaMemRangeAttributeLastPrefetchLocationId];
      ok(cuda.cudaMemRangeGetAttributes(out, [4, 4], which, memory, 1024));
      assert.deepEqual(
        out.map(({ value }) => value),
        [cuda.cudaCpuDeviceId, 0],
      );
      const invalid = "cudaErrorInvalidValue";
      fails(cuda.cudaMemRangeGetAttributes(out, [4], which, memory, 1024), invalid);
      fails(cuda.cudaMemRangeGetAttributes(out, [4, 8], which, memory, 1024), invalid);
      fails(cuda.cudaMemRangeGetAttribute(box(), 4, 9, memory, 1024), invalid);
      fails(cuda.cudaMemPrefetchBatchAsync(ranges, sizes, [device], [1]), invalid);
      fails(cuda.cudaMemPrefetchBatchAsync(ranges, [1], [device], [0]), invalid);
      const nowhere = [{ type: 1, id: 3 }];
      fails(cuda.cudaMemPrefetchBatchAsync(ranges, sizes, nowhere, [0]), "cudaErrorInvalidDevice");
      // Another allocation at the same place begins anew.
      ok(cuda.cudaFree(memory));
      const again = made((p) => cuda.cudaMallocManaged(p, 4096));
      assert.equal(
        ask(cuda.cudaMemRangeAttributePreferredLocation, again),
        cuda.cudaInvalidDeviceId,
      );
    }));
});

describe("copies in other forms", () => {
  test("boxes from device to device", () =>
    withTwoDevices(() => {
      const from = made((out) => cuda.cudaMalloc(out, 64));
      ok(cuda.cudaMemset(from, 3, 64));
      ok(cuda.cudaSetDevice(1));
      const to = made((out) => cuda.cudaMalloc(out, 64));
      ok(cuda.cudaMemset(to, 0, 64));
      const params = {
        srcDevice: 0,
        srcPtr: { ptr: from, pitch: 8, xsize: 8, ysize: 8 },
        dstDevice: 1,
        dstPtr: { ptr: to, pitch: 16, xsize: 8, ysize: 4 },
        extent: { width: 4, height: 2, depth: 1 },
      };
      ok(cuda.cudaMemcpy3DPeer(params));
      ok(cuda.cudaMemcpy3DPeerAsync({ ...params, dstPos: { x: 4, y: 2, z: 0 } }));
      const host = new Uint8Array(64);
      ok(cuda.cudaMemcpy(host, to, 64, toHost));
      const expected = Array.from({ length: 64 }, (_, i) => {
        const [x, y] = [i % 16, Math.floor(i / 16)];
        return (y < 2 && x < 4) || (y >= 2 && x >= 4 && x < 8) ? 3 : 0;
      });
      assert.deepEqual([...host], expected);
      fails(cuda.cudaMemcpy3DPeer({ ...params, srcDevice: 2 }), "cudaErrorInvalidDevice");
      fails(cuda.cudaMemcpy3DPeer(null), "cudaErrorInvalidValue");
    }));

  test("arrays, as rows that run on", () =>
    withCuda(() => {
      const desc = cuda.cudaCreateChannelDesc(8, 0, 0, 0, cuda.cudaChannelFormatKindUnsigned);
      const [array, other] = [0, 1].map(() =>
        made((out) => cuda.cudaMallocArray(out, desc, 10, 4)),
      );
      const data = Uint8Array.from({ length: 40 }, (_, i) => i);
      ok(cuda.cudaMemcpyToArray(array ?? 0, 0, 0, data, 40, toDevice));
      // The end of a row, two rows, the start of one.
      const part = Uint8Array.from({ length: 26 }, (_, i) => 100 + i);
      ok(cuda.cudaMemcpyToArrayAsync(array ?? 0, 7, 0, part, 26, toDevice));
      const back = new Uint8Array(40);
      ok(cuda.cudaMemcpyFromArray(back, array ?? 0, 0, 0, 40, toHost));
      assert.deepEqual([...back], [...data.subarray(0, 7), ...part, ...data.subarray(33)]);
      const middle = new Uint8Array(15);
      ok(cuda.cudaMemcpyFromArrayAsync(middle, array ?? 0, 5, 1, 15, toHost));
      assert.deepEqual([...middle], [...back.subarray(15, 30)]);
      const inside = cuda.cudaMemcpyDeviceToDevice;
      ok(cuda.cudaMemcpyArrayToArray(other ?? 0, 2, 3, array ?? 0, 0, 0, 5, inside));
      ok(cuda.cudaMemcpyFromArray(middle, other ?? 0, 2, 3, 5, toHost));
      assert.deepEqual([...middle.subarray(0, 5)], [0, 1, 2, 3, 4]);
      fails(cuda.cudaMemcpyFromArray(back, array ?? 0, 1, 0, 40, toHost), "cudaErrorInvalidValue");
    }));
});

describe("images", () => {
  test("a library from a file, and managed variables", () =>
    withCuda(() => {
      const library = made((out) =>
        cuda.cudaLibraryLoadFromFile(out, fixturePath("kernels.fatbin")),
      );
      assert.ok(made((out) => cuda.cudaLibraryGetKernelCount(out, library)) > 3);
      ok(cuda.cudaLibraryUnload(library));
      const missing = cuda.cudaLibraryLoadFromFile(box(), "/no/such/file");
      fails(missing, "cudaErrorFileNotFound");
      const image = cuda.__cudaRegisterFatBinary(fixtureBytes("kernels.fatbin"));
      cuda.__cudaRegisterManagedVar(image, "managed", "managed");
      const address = made((out) => cuda.cudaGetSymbolAddress(out, "managed"));
      assert.equal(new DataView(cuda.hostView(address, 4).slice().buffer).getInt32(0, true), 5);
    }));

  test("the width of banks is a hint", () =>
    withCuda(() => {
      const image = cuda.__cudaRegisterFatBinary(fixtureBytes("kernels.fatbin"));
      cuda.__cudaRegisterFunction(image, "nothing", "nothing");
      ok(cuda.cudaDeviceSetSharedMemConfig(cuda.cudaSharedMemBankSizeEightByte));
      const width = made(cuda.cudaDeviceGetSharedMemConfig);
      assert.equal(width, cuda.cudaSharedMemBankSizeFourByte);
      fails(cuda.cudaFuncSetSharedMemConfig("nothing", 3), "cudaErrorInvalidValue");
    }));
});
