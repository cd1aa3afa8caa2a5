/**
 * Loops that move on by the size of the grid: where all threads of a block go round equally often, they
 * leave together, whatever the size of the array; the block in which it ends does as before.
 */
import { type Case, copy, INDEX, INDEX_2D, LINE, tryCases } from "./sure-cases.ts";

/** r4 = threads of the grid in x, r10 = 0. */
const STEP =
  "mov.u32 %r2, %ntid.x; mov.u32 %r4, %nctaid.x; mul.lo.s32 %r4, %r4, %r2; mov.u32 %r10, 0;";
/** r10 = r10 × 3 + p1[index]. */
const add = (index: string) => `mul.wide.s32 %rd5, ${index}, 4; add.s64 %rd7, %rd1, %rd5;
  ld.global.u32 %r9, [%rd7]; mad.lo.s32 %r10, %r10, 3, %r9;`;
/** p0[r1] = r10. */
const SAVE = "mul.wide.s32 %rd5, %r1, 4; add.s64 %rd6, %rd0, %rd5; st.global.u32 [%rd6], %r10;";
/** for (i = r1; i < r3; i += r4) */
const loop = (
  type: string,
  bound = "lt",
) => `mov.u32 %r7, %r1; setp.ge.${type} %p0, %r7, %r3; @%p0 bra S;
  L: ${add("%r7")} add.s32 %r7, %r7, %r4; setp.${bound}.${type} %p0, %r7, %r3; @%p0 bra L; S: ${SAVE}`;
const FOUND = { checks: 2, branches: 1, flat: false };
/** The same with 64-bit indices. */
const loop64 = (type: string) => `cvt.u64.u32 %rd8, %r1; cvt.u64.u32 %rd9, %r4;
  setp.ge.${type} %p0, %rd8, %rd2; @%p0 bra S;
  L: shl.b64 %rd5, %rd8, 2; add.s64 %rd7, %rd1, %rd5; ld.global.u32 %r9, [%rd7];
  mad.lo.s32 %r10, %r10, 3, %r9; add.s64 %rd8, %rd8, %rd9; setp.lt.${type} %p0, %rd8, %rd2; @%p0 bra L;
  S: ${SAVE}`;

const cases: Case[] = [0, 1, 63, 64, 255, 256, 257, 1000, 1024, 3001].map((n) => ({
  name: `an array of ${n}`,
  body: `${INDEX} ${STEP} ${loop("s32")}`,
  block: LINE,
  grid: [4, 1, 1],
  n,
  sure: FOUND,
}));
cases.push(
  {
    name: "a size that is negative, or very large without a sign",
    body: `${INDEX} ${STEP} ${loop("s32")}`,
    block: LINE,
    grid: [2, 1, 1],
    n: 0xffffff00,
    sure: FOUND,
  },
  {
    name: "up to n and with it, without a sign",
    body: `${INDEX} ${STEP} ${loop("u32", "le")}`,
    block: LINE,
    grid: [3, 1, 1],
    n: 1728,
    sure: FOUND,
  },
  {
    name: "counted in 64 bits",
    body: `${INDEX} ${STEP} ${loop64("u64")}`,
    block: LINE,
    grid: [3, 1, 1],
    n: 2500,
    sure: FOUND,
  },
  {
    name: "counted in 64 bits, all blocks alike",
    body: `${INDEX} ${STEP} ${loop64("s64")}`,
    block: LINE,
    grid: [3, 1, 1],
    n: 3 * 64 * 7,
    sure: FOUND,
  },
  {
    name: "a step that turns out to be negative, without a sign",
    body: `${INDEX} mov.u32 %r10, 0; add.s32 %r7, %r1, 200; L: ${add("%r7")} sub.s32 %r7, %r7, %r3;
      setp.lt.u32 %p0, %r7, 1000; @%p0 bra L; ${SAVE}`,
    block: LINE,
    grid: [2, 1, 1],
    n: 70,
    sure: FOUND,
  },
  {
    name: "a step from a parameter",
    body: `${INDEX} mov.u32 %r10, 0; mov.u32 %r7, %r1; L: ${add("%r7")} add.s32 %r7, %r7, %r3;
      setp.lt.s32 %p0, %r7, 1000; @%p0 bra L; ${SAVE}`,
    block: LINE,
    grid: [2, 1, 1],
    n: 37,
    sure: FOUND,
  },
  {
    name: "a step of three from where the block is",
    body: `${INDEX} mov.u32 %r10, 0; mov.u32 %r5, %ctaid.x; L: add.s32 %r7, %r1, %r5; ${add("%r7")}
      add.s32 %r5, %r5, 3; setp.lt.s32 %p0, %r5, %r3; @%p0 bra L; ${SAVE}`,
    block: LINE,
    grid: [4, 1, 1],
    n: 100,
    sure: FOUND,
  },
  {
    name: "the array goes on beyond the memory's end",
    body: `${INDEX} ${STEP} mov.u32 %r7, %r1; L: mul.wide.s32 %rd5, %r7, 4; add.s64 %rd7, %rd0, %rd5;
      ld.global.u32 %r9, [%rd7]; add.s32 %r10, %r10, %r9; add.s32 %r7, %r7, %r4;
      setp.lt.s32 %p0, %r7, %r3; @%p0 bra L; mul.wide.s32 %rd5, %r1, 4; add.s64 %rd6, %rd1, %rd5;
      st.global.u32 [%rd6], %r10;`,
    block: LINE,
    grid: [1, 1, 1],
    shift: [-1, 0],
    n: 1024,
    sure: FOUND,
    fault: [700, 40],
  },
  {
    name: "in both dimensions",
    body: `${INDEX_2D} ${STEP} mov.u32 %r5, %nctaid.y; shl.b32 %r5, %r5, 2; mov.u32 %r6, %r4;
      mov.u32 %r8, %ctaid.y; mov.u32 %r11, %tid.y; mad.lo.s32 %r8, %r8, 4, %r11; mov.u32 %r11, %r8;
      A: mov.u32 %r7, %r1; L: mad.lo.s32 %r9, %r8, 40, %r7; mul.wide.s32 %rd5, %r9, 4;
      add.s64 %rd7, %rd1, %rd5; add.s64 %rd6, %rd0, %rd5; ld.global.u32 %r10, [%rd7];
      add.s32 %r10, %r10, %r9; st.global.u32 [%rd6], %r10; add.s32 %r7, %r7, %r6;
      setp.lt.s32 %p0, %r7, 37; @%p0 bra L; add.s32 %r8, %r8, %r5; setp.lt.s32 %p0, %r8, %r3; @%p0 bra A;`,
    block: [8, 4, 1],
    grid: [2, 3, 1],
    n: 50,
    sure: { checks: 2, branches: 2, flat: false },
  },
  {
    name: "a sum that is added to memory at the end",
    body: `${INDEX} ${STEP} mov.u32 %r7, %r1; L: mul.wide.s32 %rd5, %r7, 4; add.s64 %rd7, %rd1, %rd5;
      ld.global.u32 %r9, [%rd7]; add.s32 %r10, %r10, %r9; add.s32 %r7, %r7, %r4;
      setp.lt.s32 %p0, %r7, %r3; @%p0 bra L; atom.global.add.u32 %r9, [%rd0], %r10;`,
    block: LINE,
    grid: [4, 1, 1],
    n: 2100,
    sure: FOUND,
  },
);

const NEXT = "add.s32 %r7, %r7, %r4;";
/** What nvcc makes of such a loop: some rounds, then four at a time; %r6 is a quotient. */
const unrolled = (rest: string) => `${INDEX} ${STEP} setp.ge.s32 %p0, %r1, %r3; @%p0 bra D;
  add.s32 %r5, %r1, %r4; not.b32 %r6, %r5; add.s32 %r7, %r4, %r3; add.s32 %r6, %r7, %r6;
  div.u32 %r6, %r6, %r4; add.s32 %r8, %r6, 1; and.b32 %r8, %r8, 3; setp.eq.s32 %p1, %r8, 0;
  mov.u32 %r7, %r1; @%p1 bra M; ${rest} M: setp.lt.u32 %p3, %r6, 3; @%p3 bra D;
  L: ${copy("%r7")} ${NEXT} ${copy("%r7")} ${NEXT} ${copy("%r7")} ${NEXT} ${copy("%r7")} ${NEXT}
  setp.lt.s32 %p4, %r7, %r3; @%p4 bra L; D:`;
const BACK = "add.s32 %r8, %r8, -1; setp.ne.s32 %p2, %r8, 0; @%p2 bra R;";
/** The rounds before by an index, and by pointers. */
const BY_INDEX = `R: ${copy("%r7")} ${NEXT} ${BACK}`;
const BY_POINTER = `mul.wide.s32 %rd5, %r1, 4; add.s64 %rd8, %rd0, %rd5; add.s64 %rd9, %rd1, %rd5;
  mul.wide.s32 %rd10, %r4, 4; R: ld.global.u32 %r9, [%rd9]; add.s32 %r9, %r9, 77; st.global.u32 [%rd8], %r9;
  add.s64 %rd8, %rd8, %rd10; add.s64 %rd9, %rd9, %rd10; ${NEXT} ${BACK}`;
for (const n of [
  0, 1, 64, 255, 256, 257, 512, 700, 768, 1000, 1024, 1280, 1800, 2048, 3000, 4096,
]) {
  for (const [how, rest] of Object.entries({ index: BY_INDEX, pointers: BY_POINTER })) {
    cases.push({
      name: `unrolled, an array of ${n}, first rounds by ${how}`,
      body: unrolled(rest),
      block: LINE,
      grid: [4, 1, 1],
      n,
      sure: { checks: 10, branches: 4, flat: false },
    });
  }
}
cases.push({
  name: "unrolled, beyond the memory's end",
  body: unrolled(BY_INDEX),
  block: LINE,
  grid: [1, 1, 1],
  shift: [-1, 0],
  n: 64 * 17,
  sure: { checks: 10, branches: 4, flat: false },
  fault: [700, 0],
});

tryCases("loops that move on by the size of the grid", cases);
