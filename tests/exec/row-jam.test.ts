/**
 * Rows of threads that are done at once since they load the same: that kernels are done so where they should,
 * that they answer what one thread at a time answers, and that what is loaded once is loaded once.
 */
import assert from "node:assert/strict";
import { compileKernel } from "../../runtime/compiler/index.ts";
import { kernelText } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";
import { type Case, copy, INDEX_2D, type Shape, tryCases } from "./sure-cases.ts";

/** r7 = y · n + x, rd6 and rd7 = p0 and p1 moved to there, rd8 = bytes of a row; not at the image's edges. */
const PLACE = `${INDEX_2D} add.s32 %r8, %r3, -1; setp.le.s32 %p0, %r1, 0; setp.le.s32 %p1, %r4, 0;
  or.pred %p0, %p0, %p1; setp.ge.s32 %p1, %r1, %r8; or.pred %p0, %p0, %p1; setp.ge.s32 %p1, %r4, %r8;
  or.pred %p0, %p0, %p1; @%p0 bra E; mad.lo.s32 %r7, %r4, %r3, %r1; mul.wide.s32 %rd5, %r7, 4;
  add.s64 %rd6, %rd0, %rd5; add.s64 %rd7, %rd1, %rd5; mul.wide.s32 %rd8, %r3, 4;
  add.s64 %rd9, %rd7, %rd8; sub.s64 %rd10, %rd7, %rd8;`;
/** r9 of three words in a column. */
const COLUMN = `ld.global.u32 %r9, [%rd7]; ld.global.u32 %r10, [%rd9]; mad.lo.s32 %r9, %r9, 3, %r10;
  ld.global.u32 %r10, [%rd10]; mad.lo.s32 %r9, %r9, 3, %r10;`;
const STORE = "st.global.u32 [%rd6], %r9; E:";
/** f1 of five words around one, as floats. */
const AROUND = `ld.global.u32 %r9, [%rd7]; ld.global.u32 %r10, [%rd7+4]; ld.global.u32 %r11, [%rd7+-4];
  ld.global.u32 %r12, [%rd9]; ld.global.u32 %r13, [%rd10]; cvt.rn.f32.u32 %f1, %r9; cvt.rn.f32.u32 %f2, %r10;
  cvt.rn.f32.u32 %f3, %r11; cvt.rn.f32.u32 %f4, %r12; cvt.rn.f32.u32 %f5, %r13; add.f32 %f2, %f2, %f3;
  add.f32 %f2, %f2, %f4; add.f32 %f2, %f2, %f5; mul.f32 %f3, %f1, 0fC0800000; add.f32 %f2, %f2, %f3;
  fma.rn.f32 %f1, %f2, 0f3E800000, %f1; st.global.f32 [%rd6], %f1; E:`;

const column = (name: string, block: Shape, rows: number, more: Partial<Case> = {}): Case => ({
  name,
  body: `${PLACE} ${COLUMN} ${STORE}`,
  block,
  grid: [Math.ceil(50 / block[0]), Math.ceil(50 / block[1]), 1],
  n: 50,
  sure: { checks: 4, branches: 0, flat: true },
  rows,
  ...more,
});

const cases: Case[] = [
  column("eight rows, which is all of a block", [8, 8, 1], 8),
  column("eight of sixteen rows", [8, 16, 1], 8),
  column("six rows", [8, 6, 1], 6),
  column("five of ten rows", [8, 10, 1], 5),
  column("eleven rows, one by one", [8, 11, 1], 1),
  column("two rows", [8, 2, 1], 2),
  column("rows of two layers", [8, 4, 2], 4, {
    body: `${PLACE} mov.u32 %r11, %tid.z; mul.wide.u32 %rd11, %r11, 8192; add.s64 %rd6, %rd6, %rd11;
      add.s64 %rd7, %rd7, %rd11; add.s64 %rd9, %rd9, %rd11; add.s64 %rd10, %rd10, %rd11; ${COLUMN} ${STORE}`,
    n: 40,
    grid: [5, 10, 1],
  }),
  column("a place beyond the memory's end", [8, 8, 1], 8, { shift: [-1, 0], fault: [700, 1] }),
  column("pointers that are misaligned", [8, 8, 1], 8, { shift: [0, 2], fault: [716, 1] }),
  column("several groups of lanes beside one another", [32, 8, 1], 8, {
    body: `${PLACE} ${AROUND}`,
    n: 64,
    grid: [2, 8, 1],
    sure: { checks: 5, branches: 0, flat: true },
  }),
  column("regression: the same words twice in the first row", [8, 8, 1], 8, {
    body: `${PLACE} add.s32 %r11, %r4, 1; mad.lo.s32 %r11, %r11, %r3, %r1; mul.wide.s32 %rd11, %r11, 4;
      add.s64 %rd11, %rd1, %rd11; ${COLUMN} ld.global.u32 %r10, [%rd11]; mad.lo.s32 %r9, %r9, 5, %r10; ${STORE}`,
  }),
  column("a row of factors is the same for all rows", [8, 8, 1], 8, {
    body: `${INDEX_2D} mad.lo.s32 %r7, %r4, %r3, %r1; mul.wide.s32 %rd5, %r1, 4; add.s64 %rd6, %rd1, %rd5;
      ld.global.u32 %r11, [%rd6]; ${copy("%r7").replace("add.s32 %r9", "mul.lo.u32 %r9, %r9, %r11; add.s32 %r9")}`,
    n: 56,
    sure: { checks: 3, branches: 0, flat: true },
  }),
  column("what a thread has stored itself, it loads again", [8, 8, 1], 8, {
    // Whatever the next row's thread has stored, its uppermost bit is 0.
    body: `${PLACE} add.s64 %rd11, %rd6, %rd8; ld.global.u32 %r11, [%rd11]; shr.u32 %r11, %r11, 31; ${COLUMN}
      shr.u32 %r9, %r9, 1; st.global.u32 [%rd6], %r9; ld.global.u32 %r10, [%rd6]; shr.u32 %r9, %r10, 3;
      add.u32 %r9, %r9, %r11; ${STORE}`,
    sure: { checks: 5, branches: 0, flat: true },
  }),
  column("volatile loads stay each thread's own", [8, 8, 1], 1, {
    body: `${PLACE} ${COLUMN.replaceAll("ld.global", "ld.volatile.global")} ${STORE}`,
  }),
  column("two stores a thread are no more than eight rows of memory", [8, 8, 1], 4, {
    body: `${PLACE} ${COLUMN} st.global.u32 [%rd6+8192], %r10; ${STORE}`,
    n: 40,
  }),
];

tryCases("rows of threads at once", cases);

describe("what rows have in common", () => {
  test("is loaded once", async () => {
    const lowered = await lowerText(kernelText(3, `${PLACE} ${COLUMN} ${STORE}`));
    const loads = (block: Shape) => {
      const code = compileKernel(lowered, { fma: "relaxed", shape: block, width: 4 }).wasm.join();
      return code.match(/253,0,2,/g)?.length ?? 0; // v128.load
    };
    // Ten rows instead of a row's three.
    assert.equal(loads([8, 8, 1]) - loads([8, 11, 1]), 7);
  });
});
