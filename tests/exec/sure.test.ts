/**
 * Bodies that take tests for the whole block, or for a row of blocks, as given: that kernels get them
 * where they should, that they answer what one thread at a time answers, and that the tests let no
 * wrong address through.
 */
import { type Case, copy, FLAT, INDEX, INDEX_2D, LINE, tryCases } from "./sure-cases.ts";

const cases: Case[] = [
  {
    name: "a row of blocks, the last one in part",
    body: `${INDEX} setp.ge.s32 %p0, %r1, %r3; @%p0 bra E; ${copy("%r1")} E:`,
    block: LINE,
    grid: [40, 1, 1],
    n: 39 * 64 + 17,
    sure: FLAT,
  },
  {
    name: "rows of a grid of two dimensions",
    body: `${INDEX} mov.u32 %r4, %ctaid.y; mad.lo.s32 %r7, %r4, 256, %r1; ${copy("%r7")}`,
    block: LINE,
    grid: [4, 6, 1],
    sure: FLAT,
  },
  {
    name: "an unsigned bound over 2^31",
    body: `${INDEX} setp.ge.u32 %p0, %r1, %r3; @%p0 bra E; ${copy("%r1")} E:`,
    block: LINE,
    grid: [12, 1, 1],
    n: 0xf0000000,
    sure: FLAT,
  },
  {
    name: "a signed bound that is negative",
    body: `${INDEX} setp.ge.s32 %p0, %r1, %r3; @%p0 bra E; ${copy("%r1")} E:`,
    block: LINE,
    grid: [3, 1, 1],
    n: 0xf0000000,
    sure: FLAT,
  },
  {
    name: "an index that passes 2^32 and comes back",
    body: `${INDEX} add.s32 %r7, %r1, -100; ${copy("%r7")}`,
    block: LINE,
    grid: [8, 1, 1],
    shift: [400, 400],
    sure: FLAT,
  },
  {
    name: "an unsigned index that wraps is far away",
    body: `${INDEX} add.s32 %r7, %r1, -100; mul.wide.u32 %rd5, %r7, 4; add.s64 %rd6, %rd0, %rd5;
      st.global.u32 [%rd6], %r1;`,
    block: LINE,
    grid: [8, 1, 1],
    shift: [400, 0],
    sure: { checks: 1, branches: 0, flat: true },
    fault: [700, 0],
  },
  {
    name: "indices that go down",
    body: `${INDEX} sub.s32 %r7, %r3, %r1; ${copy("%r7")}`,
    block: LINE,
    grid: [8, 1, 1],
    n: 700,
    sure: FLAT,
  },
  {
    name: "the first thread beyond the memory's end faults, in its block",
    body: `${INDEX} ${copy("%r1")}`,
    block: LINE,
    grid: [40, 1, 1],
    shift: [-1, 0],
    sure: FLAT,
    fault: [700, 1000],
  },
  {
    name: "a pointer that is wild",
    body: `${INDEX} ${copy("%r1")}`,
    block: LINE,
    grid: [4, 1, 1],
    shift: [0, 2 ** 46],
    sure: FLAT,
    fault: [700, 0],
  },
  {
    name: "a pointer that is misaligned",
    body: `${INDEX} ${copy("%r1")}`,
    block: LINE,
    grid: [4, 1, 1],
    shift: [2, 0],
    sure: FLAT,
    fault: [716, 0],
  },
  {
    name: "two dimensions, a guard of two parts, rows of n",
    body: `${INDEX_2D} setp.ge.s32 %p0, %r1, %r3; setp.ge.s32 %p1, %r4, %r3; or.pred %p0, %p0, %p1;
      @%p0 bra E; mad.lo.s32 %r7, %r4, %r3, %r1; ${copy("%r7")} E:`,
    block: [8, 8, 1],
    grid: [7, 7, 1],
    n: 50,
    sure: { checks: 2, branches: 0, flat: true },
  },
  {
    name: "two dimensions, written along columns",
    body: `${INDEX_2D} mad.lo.s32 %r7, %r1, %r3, %r4; ${copy("%r7")}`,
    block: [8, 4, 1],
    grid: [4, 8, 1],
    n: 40,
    sure: { checks: 2, branches: 0, flat: true },
  },
  {
    name: "the edge of an image is another path",
    body: `${INDEX_2D} setp.ge.s32 %p0, %r1, %r3; setp.ge.s32 %p1, %r4, %r3; or.pred %p0, %p0, %p1;
      @%p0 bra E; mad.lo.s32 %r7, %r4, %r3, %r1; mul.wide.s32 %rd5, %r7, 4;
      add.s64 %rd6, %rd0, %rd5; add.s64 %rd7, %rd1, %rd5; mov.u32 %r9, 7; add.s32 %r8, %r3, -1;
      setp.eq.s32 %p0, %r1, 0; setp.eq.s32 %p1, %r4, 0; or.pred %p0, %p0, %p1;
      setp.eq.s32 %p1, %r1, %r8; or.pred %p0, %p0, %p1; setp.eq.s32 %p1, %r4, %r8;
      or.pred %p0, %p0, %p1; @%p0 bra W;
      mul.wide.s32 %rd8, %r3, 4; add.s64 %rd9, %rd7, %rd8; sub.s64 %rd10, %rd7, %rd8;
      ld.global.u32 %r9, [%rd7+4]; ld.global.u32 %r10, [%rd7+-4]; mad.lo.s32 %r9, %r9, 3, %r10;
      ld.global.u32 %r10, [%rd9]; mad.lo.s32 %r9, %r9, 3, %r10;
      ld.global.u32 %r10, [%rd10]; mad.lo.s32 %r9, %r9, 3, %r10;
      W: st.global.u32 [%rd6], %r9; E:`,
    block: [8, 8, 1],
    grid: [7, 7, 1],
    n: 50,
    sure: { checks: 5, branches: 0, flat: true },
  },
  {
    name: "three dimensions, rows that are not of whole groups of four blocks",
    body: `${INDEX_2D} mov.u32 %r7, %tid.z; mov.u32 %r8, %ctaid.z; mad.lo.s32 %r8, %r8, 2, %r7;
      mad.lo.s32 %r7, %r8, 13, %r4; mad.lo.s32 %r7, %r7, 36, %r1; ${copy("%r7")}`,
    block: [4, 3, 2],
    grid: [9, 4, 2],
    sure: FLAT,
  },
  {
    name: "three dimensions, along columns, the last block in x beyond the edge",
    body: `${INDEX_2D} setp.ge.u32 %p0, %r1, %r3; @%p0 bra E; mov.u32 %r7, %tid.z;
      mad.lo.s32 %r8, %r1, 8, %r4; mad.lo.s32 %r7, %r8, 2, %r7; ${copy("%r7")} E:`,
    block: [8, 4, 2],
    grid: [11, 2, 1],
    n: 83,
    sure: FLAT,
  },
  {
    name: "a row of threads that isn't of whole groups stays with its block",
    body: `${INDEX_2D} mad.lo.s32 %r7, %r4, 60, %r1; ${copy("%r7")}`,
    block: [6, 4, 1],
    grid: [10, 3, 1],
    sure: { checks: 2, branches: 0, flat: false },
  },
  {
    name: "a wild address in one row of threads",
    body: `${INDEX_2D} setp.ne.s32 %p0, %r4, 5; mad.lo.s32 %r7, %r4, 64, %r1; @%p0 bra G;
      add.s32 %r7, %r7, %r3; G: ${copy("%r7")}`,
    block: [8, 4, 1],
    grid: [8, 4, 1],
    n: 1 << 28,
    sure: { checks: 2, branches: 0, flat: true },
    fault: [700, 0],
  },
  {
    name: "64-bit indices and bounds",
    body: `${INDEX} cvt.u64.u32 %rd4, %r0; mov.u32 %r5, %ctaid.x; mul.wide.u32 %rd3, %r5, %r2;
      add.s64 %rd4, %rd4, %rd3; setp.ge.u64 %p0, %rd4, %rd2; @%p0 bra E; shl.b64 %rd5, %rd4, 2;
      add.s64 %rd6, %rd0, %rd5; st.global.u32 [%rd6], %r1; E:`,
    block: LINE,
    grid: [20, 1, 1],
    n: 1203,
    sure: { checks: 1, branches: 0, flat: false },
  },
  {
    name: "shared memory of one block, to its end and beyond",
    body: `mov.u32 %r5, buf; shl.b32 %r6, %r0, 2; add.s32 %r5, %r5, %r6; cvt.u32.u64 %r7, %rd2;
      add.s32 %r5, %r5, %r7; st.shared.u32 [%r5], %r0; ld.shared.u32 %r9, [%r5];
      mul.wide.u32 %rd5, %r0, 4; add.s64 %rd6, %rd0, %rd5; st.global.u32 [%rd6], %r9;`,
    block: LINE,
    grid: [2, 1, 1],
    n: 0,
    sure: { checks: 2, branches: 0, flat: false },
  },
  {
    name: "shared memory beyond its end",
    body: `mov.u32 %r5, buf; shl.b32 %r6, %r0, 2; add.s32 %r5, %r5, %r6; cvt.u32.u64 %r7, %rd2;
      add.s32 %r5, %r5, %r7; st.shared.u32 [%r5], %r0;`,
    block: LINE,
    grid: [2, 1, 1],
    n: 16,
    sure: { checks: 1, branches: 0, flat: false },
    fault: [700, 60],
  },
  {
    name: "low bits and high bits of an index",
    body: `${INDEX} and.b32 %r5, %r1, 31; shr.u32 %r6, %r1, 5; mad.lo.s32 %r7, %r6, 33, %r5; ${copy("%r7")}`,
    block: LINE,
    grid: [20, 1, 1],
    sure: FLAT,
  },
  {
    name: "pairs at a distance, as bitonic sort has them",
    body: `${INDEX} add.s32 %r4, %r3, -1; and.b32 %r5, %r1, %r4; shl.b32 %r6, %r1, 1;
      sub.s32 %r7, %r6, %r5; add.s32 %r8, %r7, %r3; ${copy("%r7")} ${copy("%r8")}`,
    block: LINE,
    grid: [20, 1, 1],
    n: 16,
    sure: { checks: 4, branches: 0, flat: true },
  },
  {
    name: "pairs side by side: lanes that don't follow one another",
    body: `${INDEX} add.s32 %r4, %r3, -1; and.b32 %r5, %r1, %r4; shl.b32 %r6, %r1, 1;
      sub.s32 %r7, %r6, %r5; add.s32 %r8, %r7, %r3; ${copy("%r7")} ${copy("%r8")}`,
    block: LINE,
    grid: [20, 1, 1],
    n: 2,
    sure: { checks: 4, branches: 0, flat: true },
  },
  {
    name: "a mask that is negative bounds nothing",
    body: `${INDEX} and.b32 %r7, %r1, %r3; shl.b32 %r7, %r7, 6; ${copy("%r7")}`,
    block: LINE,
    grid: [40, 1, 1],
    shift: [-1, 0],
    n: 0xffffffff,
    sure: FLAT,
    fault: [700, 16],
  },
  {
    name: "low bits that lead beyond the memory's end",
    body: `${INDEX} and.b32 %r5, %r1, 127; mul.lo.s32 %r7, %r5, 10; ${copy("%r7")}`,
    block: LINE,
    grid: [4, 1, 1],
    shift: [-1, 0],
    sure: FLAT,
    fault: [700, 100],
  },
  {
    name: "regression: one test is made, and not the last that was thought of",
    body: `${INDEX} mov.u32 %r5, buf; shl.b32 %r6, %r0, 2; add.s32 %r5, %r5, %r6;
      st.shared.u32 [%r5], %r0; setp.ne.s32 %p0, %r0, 0; @%p0 bra E; add.s32 %r7, %r0, %r3;
      mul.wide.s32 %rd5, %r7, 2; add.s64 %rd6, %rd0, %rd5; st.global.u32 [%rd6], 7; E:`,
    block: LINE,
    grid: [2, 1, 1],
    n: 40,
    sure: { checks: 1, branches: 1, flat: false },
  },
  {
    name: "an access that only some threads make is checked for them",
    body: `${INDEX} and.b32 %r5, %r1, 1; setp.eq.s32 %p0, %r5, 0; @%p0 bra E; ${copy("%r1")} E:`,
    block: LINE,
    grid: [5, 1, 1],
    sure: { checks: 2, branches: 1, flat: true },
  },
];

tryCases("tests for whole blocks", cases);
