import assert from "node:assert/strict";
import * as P from "../../runtime/protocol/index.ts";
import { describe, test } from "../harness.ts";
import { Bench, pattern } from "./bench.ts";

/** target, pitch, slice, source, pitch, slice, width, height, depth */
type Numbers = [number, number, number, number, number, number, number, number, number];

function box(numbers: Numbers): Uint8Array {
  const view = new DataView(new ArrayBuffer(P.BOX_SIZE));
  numbers.forEach((value, i) => {
    P.writeU64(view, 8 * i, value);
  });
  return new Uint8Array(view.buffer);
}

function copy(
  bench: Bench,
  numbers: Numbers,
  kind: number,
  flags = 0,
  host: Uint8Array | undefined = undefined,
): number {
  const fields = { [P.MEMORY_COPY_3D_KIND]: kind, [P.MEMORY_COPY_3D_FLAGS]: flags };
  return bench.call(P.COMMAND_MEMORY_COPY_3D, fields, {}, box(numbers), host);
}

describe("boxes", () => {
  test("go from the host to the device, between allocations, and back, row by row", () => {
    const bench = new Bench();
    const host = pattern(20 * 10 * 3);
    const a = bench.alloc(64 * 10 * 3);
    const b = bench.alloc(32 * 10 * 3);
    const up: Numbers = [a + 4, 64, 640, 7, 20, 200, 9, 8, 3];
    assert.equal(copy(bench, up, P.COPY_HOST_TO_DEVICE, P.COPY_SOURCE_MAPPED, host), 0);
    const over: Numbers = [b, 32, 320, a + 4, 64, 640, 9, 8, 3];
    assert.equal(copy(bench, over, P.COPY_DEVICE_TO_DEVICE), 0);
    const back = new Uint8Array(host.length);
    const down: Numbers = [7, 20, 200, b, 32, 320, 9, 8, 3];
    assert.equal(copy(bench, down, P.COPY_DEVICE_TO_HOST, P.COPY_TARGET_MAPPED, back), 0);
    for (let i = 0; i < host.length; i++) {
      const [z, y, x] = [Math.floor(i / 200), Math.floor((i % 200) / 20), i % 20];
      // The box starts 7 bytes in, so its rows are columns 7 … 15 of the host's rows.
      const inside = x >= 7 && x < 16 && y < 8 && z < 3;
      assert.equal(back[i], inside ? host[i] : 0, `byte ${i}`);
    }
  });

  test("bounds, pitches, directions and the host's array are checked", () => {
    const bench = new Bench();
    const a = bench.alloc(100);
    const bad = P.cudaErrorInvalidValue;
    const d2d = P.COPY_DEVICE_TO_DEVICE;
    assert.equal(copy(bench, [a, 10, 0, a, 10, 0, 10, 10, 1], d2d), 0);
    assert.equal(copy(bench, [a, 10, 0, a, 10, 0, 10, 11, 1], d2d), bad);
    assert.equal(copy(bench, [a, 9, 0, a, 10, 0, 10, 2, 1], d2d), P.cudaErrorInvalidPitchValue);
    assert.equal(copy(bench, [a, 10, 15, a, 10, 20, 10, 2, 2], d2d), P.cudaErrorInvalidPitchValue);
    assert.equal(copy(bench, [a, 2 ** 52, 0, a, 10, 0, 10, 2 ** 40, 1], d2d), bad);
    assert.equal(copy(bench, [a, 0, 0, a, 0, 0, 10, 1, 1], d2d), 0);
    assert.equal(copy(bench, [0, 0, 0, 0, 0, 0, 0, 1, 1], d2d), 0);
    assert.equal(copy(bench, [a, 0, 0, a, 0, 0, 1, 1, 1], 7), P.cudaErrorInvalidMemcpyDirection);
    assert.equal(copy(bench, [a, 0, 0, a, 0, 0, 1, 1, 1], P.COPY_HOST_TO_DEVICE), 0);
    const host = new Uint8Array(10);
    const up: Numbers = [a, 10, 0, 1, 10, 0, 10, 1, 1];
    assert.throws(() => copy(bench, up, 1, P.COPY_SOURCE_MAPPED, host), /errno 14/);
    assert.throws(() => copy(bench, up, 1, P.COPY_SOURCE_MAPPED), /errno 14/);
    assert.equal(copy(bench, up, d2d, P.COPY_SOURCE_MAPPED, new Uint8Array(11)), bad);
  });

  test("fills leave what is between the rows alone", () => {
    const bench = new Bench();
    const a = bench.alloc(256);
    const set = (numbers: Numbers, value: number, element: number): number =>
      bench.call(
        P.COMMAND_MEMORY_SET_3D,
        { [P.MEMORY_SET_3D_VALUE]: value, [P.MEMORY_SET_3D_ELEMENT]: element },
        {},
        box(numbers),
      );
    assert.equal(set([a, 16, 64, 0, 0, 0, 8, 3, 2], 0x01020304, 4), 0);
    const back = new Uint8Array(128);
    bench.copyOut(back, a);
    for (let i = 0; i < 128; i++) {
      const inside = i % 64 < 48 && i % 16 < 8;
      assert.equal(back[i], inside ? 4 - (i % 4) : 0, `byte ${i}`);
    }
    const bad = P.cudaErrorInvalidValue;
    assert.equal(set([a + 1, 16, 64, 0, 0, 0, 8, 3, 1], 0, 4), bad);
    assert.equal(set([a, 18, 64, 0, 0, 0, 8, 3, 1], 0, 4), bad);
    assert.equal(set([a, 16, 64, 0, 0, 0, 7, 3, 1], 0, 2), bad);
    assert.equal(set([a, 16, 64, 0, 0, 0, 8, 3, 1], 0, 3), bad);
    assert.equal(set([a, 128, 0, 0, 0, 0, 8, 3, 1], 0, 1), bad);
    assert.equal(set([a, 4, 0, 0, 0, 0, 8, 3, 1], 0, 1), P.cudaErrorInvalidPitchValue);
  });
});
