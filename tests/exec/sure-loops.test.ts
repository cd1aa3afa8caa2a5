/**
 * Loops in bodies that take tests for the whole block as given: addresses that move with the rounds are
 * tested once for all rounds of all threads. What the loops are bounded by is each time something else.
 */
import { type Case, INDEX, INDEX_2D, LINE, tryCases } from "./sure-cases.ts";

/** r10 += p1[index]. */
const add = (index: string) => `mul.wide.s32 %rd5, ${index}, 4; add.s64 %rd7, %rd1, %rd5;
  ld.global.u32 %r9, [%rd7]; mad.lo.s32 %r10, %r10, 3, %r9;`;
/** p0[r1] = r10. */
const SAVE = "mul.wide.s32 %rd5, %r1, 4; add.s64 %rd6, %rd0, %rd5; st.global.u32 [%rd6], %r10;";
const TWO = { checks: 2, branches: 1, flat: false };

const cases: Case[] = [
  {
    name: "a number of rounds that is known",
    body: `${INDEX} mov.u32 %r10, 0; mov.u32 %r4, 0; L: add.s32 %r7, %r1, %r4; ${add("%r7")}
      setp.ne.s32 %p0, %r4, 6; add.s32 %r4, %r4, 1; @%p0 bra L; ${SAVE}`,
    block: LINE,
    grid: [5, 1, 1],
    sure: TWO,
  },
  {
    name: "rounds up to n, a column of a matrix",
    body: `${INDEX} mov.u32 %r10, 0; mov.u32 %r4, 0; L: mad.lo.s32 %r7, %r4, 64, %r1; ${add("%r7")}
      add.s32 %r4, %r4, 1; setp.lt.s32 %p0, %r4, %r3; @%p0 bra L; ${SAVE}`,
    block: LINE,
    grid: [2, 1, 1],
    n: 41,
    sure: TWO,
  },
  {
    name: "a bound that is passed at once",
    body: `${INDEX} mov.u32 %r10, 0; mov.u32 %r4, 0; L: mad.lo.s32 %r7, %r4, 64, %r1; ${add("%r7")}
      add.s32 %r4, %r4, 1; setp.lt.s32 %p0, %r4, %r3; @%p0 bra L; ${SAVE}`,
    block: LINE,
    grid: [2, 1, 1],
    n: 0xfffffff0,
    sure: TWO,
  },
  {
    name: "the last round goes beyond the memory's end",
    body: `${INDEX} mov.u32 %r10, 0; mov.u32 %r4, 0; L: mad.lo.s32 %r7, %r4, 16, %r1;
      mul.wide.s32 %rd5, %r7, 4; add.s64 %rd7, %rd0, %rd5; ld.global.u32 %r9, [%rd7];
      add.s32 %r10, %r10, %r9; add.s32 %r4, %r4, 1; setp.lt.s32 %p0, %r4, %r3; @%p0 bra L;
      mul.wide.s32 %rd5, %r1, 4; add.s64 %rd6, %rd1, %rd5; st.global.u32 [%rd6], %r10;`,
    block: LINE,
    grid: [2, 1, 1],
    shift: [-1, 0],
    n: 60,
    sure: TWO,
    fault: [700, 56],
  },
  {
    name: "four at a time, down to nothing",
    body: `${INDEX} mov.u32 %r10, 0; mov.u32 %r4, %r3; mov.u32 %r7, %r1; L: ${add("%r7")}
      add.s32 %r7, %r7, 5; add.s32 %r4, %r4, -4; setp.ne.s32 %p0, %r4, 0; @%p0 bra L; ${SAVE}`,
    block: LINE,
    grid: [3, 1, 1],
    n: 60,
    sure: TWO,
  },
  {
    name: "down by two, compared without a sign, from where the block is",
    body: `${INDEX} mov.u32 %r5, %ctaid.x; shl.b32 %r5, %r5, 5; mov.u32 %r10, 0; add.s32 %r4, %r5, 37;
      L: add.s32 %r7, %r1, %r4; ${add("%r7")} add.s32 %r4, %r4, -2; setp.gt.u32 %p0, %r4, %r3;
      @%p0 bra L; ${SAVE}`,
    block: LINE,
    grid: [6, 1, 1],
    n: 3,
    sure: TWO,
  },
  {
    name: "a pointer that moves by a row of n",
    body: `${INDEX} mul.wide.s32 %rd5, %r1, 4; add.s64 %rd7, %rd1, %rd5; mul.wide.s32 %rd8, %r3, 4;
      mov.u32 %r10, 0; mov.u32 %r4, 0; L: ld.global.u32 %r9, [%rd7]; mad.lo.s32 %r10, %r10, 3, %r9;
      add.s64 %rd7, %rd7, %rd8; add.s32 %r4, %r4, 1; setp.le.s32 %p0, %r4, 11; @%p0 bra L; ${SAVE}`,
    block: LINE,
    grid: [3, 1, 1],
    n: 192,
    sure: TWO,
  },
  {
    name: "a pointer that moves back, below the memory",
    body: `${INDEX} mul.wide.s32 %rd5, %r1, 4; add.s64 %rd7, %rd1, %rd5; mul.wide.s32 %rd8, %r3, 4;
      mov.u32 %r10, 0; mov.u32 %r4, 0; L: ld.global.u32 %r9, [%rd7]; mad.lo.s32 %r10, %r10, 3, %r9;
      add.s64 %rd7, %rd7, %rd8; add.s32 %r4, %r4, 1; setp.le.s32 %p0, %r4, 11; @%p0 bra L; ${SAVE}`,
    block: LINE,
    grid: [3, 1, 1],
    n: 0xf0000000,
    sure: TWO,
    fault: [700, 0],
  },
  {
    name: "a loop in a loop",
    body: `${INDEX} mov.u32 %r10, 0; mov.u32 %r4, 0; O: mov.u32 %r5, 0; mul.lo.s32 %r6, %r4, 96;
      L: add.s32 %r7, %r6, %r5; add.s32 %r7, %r7, %r1; ${add("%r7")} add.s32 %r5, %r5, 2;
      setp.lt.u32 %p0, %r5, 9; @%p0 bra L; add.s32 %r4, %r4, 1; setp.ne.s32 %p0, %r4, %r3; @%p0 bra O;
      ${SAVE}`,
    block: LINE,
    grid: [4, 1, 1],
    n: 13,
    sure: { checks: 2, branches: 2, flat: false },
  },
  {
    name: "two ways out of a loop",
    body: `${INDEX} mov.u32 %r10, 0; mov.u32 %r4, 0; L: mad.lo.s32 %r7, %r4, 32, %r1; ${add("%r7")}
      setp.gt.u32 %p0, %r9, 4000000000; @%p0 bra D; add.s32 %r4, %r4, 1; setp.lt.s32 %p0, %r4, %r3;
      @%p0 bra L; D: ${SAVE}`,
    block: LINE,
    grid: [4, 1, 1],
    n: 100,
    sure: { checks: 2, branches: 2, flat: false },
  },
  {
    name: "more rounds than can be sure, and an early end",
    body: `${INDEX} mov.u32 %r10, 0; mov.u32 %r4, 0; L: mad.lo.s32 %r7, %r4, 32, %r1; ${add("%r7")}
      setp.gt.u32 %p0, %r9, 3000000000; @%p0 bra D; add.s32 %r4, %r4, 1; setp.lt.s32 %p0, %r4, %r3;
      @%p0 bra L; D: ${SAVE}`,
    block: LINE,
    grid: [4, 1, 1],
    n: 0x7fffffff,
    sure: { checks: 2, branches: 2, flat: false },
  },
  {
    name: "a filter over an image, zero outside",
    body: `${INDEX_2D} mov.u32 %r10, 0; add.s32 %r11, %r4, -1; mov.u32 %r12, 0;
      L: or.b32 %r8, %r1, %r11; setp.lt.s32 %p0, %r8, 0; setp.ge.s32 %p1, %r1, %r3; or.pred %p0, %p0, %p1;
      setp.ge.s32 %p1, %r11, %r3; or.pred %p0, %p1, %p0; @%p0 bra N; mad.lo.s32 %r7, %r11, %r3, %r1;
      ${add("%r7")} N: add.s32 %r11, %r11, 1; setp.ne.s32 %p0, %r12, 2; add.s32 %r12, %r12, 1;
      @%p0 bra L; setp.ge.s32 %p0, %r1, %r3; setp.ge.s32 %p1, %r4, %r3; or.pred %p0, %p0, %p1;
      @%p0 bra E; mad.lo.s32 %r1, %r4, %r3, %r1; ${SAVE} E:`,
    block: [8, 8, 1],
    grid: [7, 7, 1],
    n: 50,
    sure: TWO,
  },
];

tryCases("tests for whole blocks with loops", cases);
