/**
 * Indices that are kept inside an array, by a bound or by going round: inside of the array blocks take
 * as given that nothing has to be done; at its edges lanes choose.
 */
import { type Case, copy, INDEX, INDEX_2D, LINE, tryCases } from "./sure-cases.ts";

/** r9 = p1[index], added up in r10. */
const add = (index: string) => `mul.wide.s32 %rd5, ${index}, 4; add.s64 %rd7, %rd1, %rd5;
  ld.global.u32 %r9, [%rd7]; mad.lo.s32 %r10, %r10, 3, %r9;`;
const SAVE = (index: string) =>
  `mul.wide.s32 %rd5, ${index}, 4; add.s64 %rd6, %rd0, %rd5; st.global.u32 [%rd6], %r10;`;
/** r8 = n - 1. */
const LAST = "add.s32 %r8, %r3, -1;";
/** r7 = index + 1, or 0 behind the last; r11 = index - 1, or the last before 0. */
const AROUND = (
  i: string,
) => `setp.lt.s32 %p0, ${i}, %r8; add.s32 %r7, ${i}, 1; selp.b32 %r7, %r7, 0, %p0;
  setp.lt.s32 %p1, ${i}, 1; add.s32 %r11, ${i}, -1; selp.b32 %r11, %r8, %r11, %p1;`;

const cases: Case[] = [
  {
    name: "neighbours in a ring",
    body: `${INDEX} ${LAST} mov.u32 %r10, 0; ${AROUND("%r1")} ${add("%r7")} ${add("%r11")} ${SAVE("%r1")}`,
    block: LINE,
    grid: [9, 1, 1],
    n: 9 * 64,
    sure: { checks: 3, branches: 0, flat: true },
  },
  {
    name: "neighbours in a ring that ends inside of a block",
    body: `${INDEX} ${LAST} mov.u32 %r10, 0; ${AROUND("%r1")} ${add("%r7")} ${add("%r11")} ${SAVE("%r1")}`,
    block: LINE,
    grid: [5, 1, 1],
    n: 200,
    sure: { checks: 3, branches: 0, flat: true },
  },
  {
    name: "neighbours in an image, kept inside of it by bounds",
    body: `${INDEX_2D} ${LAST} mov.u32 %r10, 0; add.s32 %r7, %r1, 1; min.s32 %r7, %r7, %r8;
      mad.lo.s32 %r7, %r4, %r3, %r7; ${add("%r7")} add.s32 %r7, %r1, -1; max.s32 %r7, %r7, 0;
      mad.lo.s32 %r7, %r4, %r3, %r7; ${add("%r7")} add.s32 %r7, %r4, 2; min.s32 %r7, %r7, %r8;
      mad.lo.s32 %r7, %r7, %r3, %r1; ${add("%r7")} mad.lo.s32 %r7, %r4, %r3, %r1; ${SAVE("%r7")}`,
    block: [8, 4, 1],
    grid: [6, 12, 1],
    n: 48,
    sure: { checks: 4, branches: 0, flat: true },
  },
  {
    name: "one index kept on both sides, without a sign above",
    body: `${INDEX} ${LAST} add.s32 %r7, %r1, -70; max.s32 %r7, %r7, 0; min.u32 %r7, %r7, %r8; ${copy("%r7")}`,
    block: LINE,
    grid: [8, 1, 1],
    n: 300,
    sure: { checks: 2, branches: 0, flat: true },
  },
  {
    name: "a choice between two values of the block is none of these",
    body: `${INDEX} setp.lt.s32 %p0, %r1, 100; selp.b32 %r7, %r3, 3, %p0; mov.u32 %r10, 0;
      ${add("%r7")} add.s32 %r7, %r1, 2; ${add("%r7")} ${SAVE("%r1")}`,
    block: LINE,
    grid: [3, 1, 1],
    n: 77,
    sure: { checks: 2, branches: 0, flat: false },
  },
  {
    name: "planes that are 128 KiB apart",
    body: `${INDEX} mov.u32 %r4, %tid.z; mov.u32 %r10, 0; mul.wide.u32 %rd5, %r4, 131072;
      add.s64 %rd7, %rd1, %rd5; mul.wide.s32 %rd5, %r1, 4; add.s64 %rd7, %rd7, %rd5;
      ld.global.u32 %r10, [%rd7]; mad.lo.s32 %r7, %r4, 512, %r1; ${SAVE("%r7")}`,
    block: [32, 1, 2],
    grid: [8, 1, 1],
    sure: { checks: 2, branches: 0, flat: true },
  },
];

tryCases("indices kept inside", cases);
