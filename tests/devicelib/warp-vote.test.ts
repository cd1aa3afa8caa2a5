import assert from "node:assert/strict";
import { describe, test } from "../harness.ts";
import {
  clearFrame,
  FILL,
  FRAME,
  get32,
  LANES,
  laneMasks,
  random32,
  set32,
  set64,
  warpFunction,
} from "./warp-harness.ts";

/** Lanes of a mask. */
const members = (active: number) => LANES.filter((lane) => (active >>> lane) & 1);

/** What a destination holds after the operation gave `value(lane)` to the lanes taking part. */
const written = (active: number, value: (lane: number) => number) =>
  LANES.map((lane) => ((active >>> lane) & 1 ? value(lane) >>> 0 : FILL));

describe("vote.sync", () => {
  test("all, any, uni and ballot against the definition", () => {
    const random = random32(4);
    const densities = [0, 1, 2, 31, 32];
    for (const density of densities) {
      for (let round = 0; round < 20; round++) {
        const a = LANES.map(() => (random() % 32 < density ? 1 : 0));
        for (const active of laneMasks(random)) {
          const set = members(active).filter((lane) => a[lane]);
          const ballot = set.reduce((bits, lane) => bits | (1 << lane), 0);
          const expected: Record<string, number> = {
            all_pred: set.length === members(active).length ? 1 : 0,
            any_pred: set.length > 0 ? 1 : 0,
            uni_pred: set.length === 0 || set.length === members(active).length ? 1 : 0,
            ballot_b32: ballot,
          };
          for (const [name, value] of Object.entries(expected)) {
            clearFrame();
            set32(1, a);
            warpFunction(`vote_sync_${name}`)(active, FRAME);
            assert.deepEqual(
              get32(0),
              written(active, () => value),
              name,
            );
          }
        }
      }
    }
  });
});

describe("match.sync", () => {
  for (const bits of [32, 64]) {
    test(`any and all of b${bits}`, () => {
      const random = random32(5 + bits);
      for (let round = 0; round < 60; round++) {
        const kinds = [1, 2, 3, 32][round % 4] ?? 1;
        // Values that differ in one half only, so that a 32-bit comparison of b64 would show.
        const table = LANES.map(() => (BigInt(random() % kinds) << (round & 1 ? 32n : 0n)) | 5n);
        const a = LANES.map((lane) => (bits === 32 ? BigInt(random() % kinds) : table[lane]) ?? 0n);
        for (const active of laneMasks(random)) {
          const run = (name: string, at: number) => {
            clearFrame();
            if (bits === 32) set32(at, a.map(Number));
            else set64(at, a);
            warpFunction(`match_${name}_sync_b${bits}`)(active, FRAME);
          };
          const peers = (lane: number) =>
            members(active).reduce((m, other) => (a[other] === a[lane] ? m | (1 << other) : m), 0);
          run("any", 1);
          assert.deepEqual(get32(0), written(active, peers));
          const same = members(active).every((lane) => peers(lane) >>> 0 === active >>> 0);
          run("all", 2);
          assert.deepEqual(
            get32(0),
            written(active, () => (same ? active : 0)),
          );
          assert.deepEqual(
            get32(1),
            written(active, () => (same ? 1 : 0)),
          );
        }
      }
    });
  }
});

describe("elect.sync", () => {
  test("the lowest lane taking part leads", () => {
    for (const active of laneMasks(random32(6))) {
      const leader = members(active)[0] ?? -1;
      clearFrame();
      warpFunction("elect_sync")(active, FRAME);
      assert.deepEqual(
        get32(0),
        written(active, () => leader),
      );
      assert.deepEqual(
        get32(1),
        written(active, (lane) => (lane === leader ? 1 : 0)),
      );
    }
  });
});

describe("redux.sync", () => {
  const integer: Record<string, (x: number, y: number) => number> = {
    add_u32: (x, y) => (x + y) >>> 0,
    add_s32: (x, y) => (x + y) >>> 0,
    min_u32: (x, y) => Math.min(x, y),
    max_u32: (x, y) => Math.max(x, y),
    min_s32: (x, y) => Math.min(x | 0, y | 0) >>> 0,
    max_s32: (x, y) => Math.max(x | 0, y | 0) >>> 0,
    and_b32: (x, y) => (x & y) >>> 0,
    or_b32: (x, y) => (x | y) >>> 0,
    xor_b32: (x, y) => (x ^ y) >>> 0,
  };
  for (const [name, combine] of Object.entries(integer)) {
    test(name, () => {
      const random = random32(7);
      for (let round = 0; round < 50; round++) {
        const spread = round % 3;
        const a = LANES.map(() => (spread ? random() : (random() % 5) - 2) >>> 0);
        for (const active of laneMasks(random)) {
          clearFrame();
          set32(1, a);
          warpFunction(`redux_sync_${name}`)(active, FRAME);
          const value = members(active)
            .map((lane) => a[lane] ?? 0)
            .reduce(combine);
          assert.deepEqual(
            get32(0),
            written(active, () => value),
          );
        }
      }
    });
  }

  const word = new DataView(new ArrayBuffer(4));
  const toFloat = (bits: number) => {
    word.setUint32(0, bits);
    return word.getFloat32(0);
  };
  const specials = [0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffffffff, 1, 0x80000001];
  for (const form of ["", "_abs", "_NaN", "_abs_NaN"]) {
    for (const op of ["min", "max"]) {
      test(`${op}${form}_f32`, () => {
        const random = random32(8);
        for (let round = 0; round < 60; round++) {
          const a = LANES.map(() =>
            round % 2 ? (specials[random() % specials.length] ?? 0) : random(),
          );
          for (const active of laneMasks(random)) {
            clearFrame();
            set32(1, a);
            warpFunction(`redux_sync_${op}${form}_f32`)(active, FRAME);
            const all = members(active).map((lane) =>
              form.includes("abs") ? (a[lane] ?? 0) & 0x7fffffff : (a[lane] ?? 0),
            );
            const numbers = all.filter((bits) => !Number.isNaN(toFloat(bits)));
            // Object order: by value, −0 before +0.
            numbers.sort((x, y) => toFloat(x) - toFloat(y) || (x >>> 31 < y >>> 31 ? 1 : -1));
            const lost = form.includes("NaN") && numbers.length < all.length;
            const best = op === "min" ? numbers[0] : numbers.at(-1);
            const expected = best === undefined || lost ? 0x7fffffff : best;
            assert.deepEqual(
              get32(0),
              written(active, () => expected),
            );
          }
        }
      });
    }
  }
});
