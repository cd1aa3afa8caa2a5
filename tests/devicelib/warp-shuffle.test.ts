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
  warpFunction,
} from "./warp-harness.ts";

/** The ISA's description of `shfl`, lane by lane. */
function model(mode: string, lane: number, b: number, c: number): { from: number; p: number } {
  const bval = b & 31;
  const cval = c & 31;
  const segment = (c >> 8) & 31;
  const maxLane = (lane & segment) | (cval & ~segment);
  const minLane = lane & segment;
  let j = lane;
  let p = false;
  if (mode === "up") {
    j = lane - bval;
    p = j >= maxLane;
  } else if (mode === "down") {
    j = lane + bval;
    p = j <= maxLane;
  } else if (mode === "bfly") {
    j = lane ^ bval;
    p = j <= maxLane;
  } else {
    j = minLane | (bval & ~segment);
    p = j <= maxLane;
  }
  return { from: p ? j : lane, p: p ? 1 : 0 };
}

function check(mode: string, active: number, a: number[], b: number[], c: number[]): void {
  clearFrame();
  set32(2, a);
  set32(3, b);
  set32(4, c);
  warpFunction(`shfl_sync_${mode}_b32`)(active, FRAME);
  const expected = LANES.map((lane) => model(mode, lane, b[lane] ?? 0, c[lane] ?? 0));
  const takesPart = (lane: number) => (active >>> lane) & 1;
  // An H100 gives 0 for a source lane that takes no part.
  const source = (from: number) => (takesPart(from) ? a[from] : 0);
  const d = LANES.map((lane) => (takesPart(lane) ? source(expected[lane]?.from ?? -1) : FILL));
  const p = LANES.map((lane) => (takesPart(lane) ? expected[lane]?.p : FILL));
  const what = `${mode} active ${active.toString(16)} b ${b[0]} c ${c[0]?.toString(16)}`;
  assert.deepEqual(get32(0), d, what);
  assert.deepEqual(get32(1), p, what);
}

describe("shfl.sync", () => {
  for (const mode of ["up", "down", "bfly", "idx"]) {
    test(`${mode}: every distance in every segment width, whole warp`, () => {
      const random = random32(1);
      for (const width of [32, 16, 8, 4, 2, 1]) {
        const c = ((32 - width) << 8) | (mode === "up" ? 0 : 31);
        for (let b = 0; b < 34; b++) {
          check(mode, 0xffffffff, LANES.map(random), Array(32).fill(b), Array(32).fill(c));
        }
      }
    });
    test(`${mode}: odd clamps and segment masks, all lane sets`, () => {
      const random = random32(2);
      for (let round = 0; round < 40; round++) {
        const b = Array(32).fill(random());
        const c = Array(32).fill(random() & 0x1f1f);
        for (const active of laneMasks(random)) check(mode, active, LANES.map(random), b, c);
      }
    });
    test(`${mode}: distances and clamps that differ by lane`, () => {
      const random = random32(3);
      for (let round = 0; round < 40; round++) {
        for (const active of laneMasks(random)) {
          const c = LANES.map(() => random() & 0x1f1f);
          check(mode, active, LANES.map(random), LANES.map(random), c);
        }
      }
    });
  }
});
