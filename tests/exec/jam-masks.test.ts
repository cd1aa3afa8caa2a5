/**
 * Rows of blocks whose lanes take branches apart, four groups at once: each lane does what it would do alone,
 * whichever lanes of whichever groups data sends there.
 */
import assert from "node:assert/strict";
import { reportKernel } from "../../runtime/compiler/index.ts";
import { Bench, kernelText } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

type Shape = [number, number, number];

/** r1 = thread of the grid's row, r5 = its row; r6 = word of p0 and p1; r7 = what p1 has there. */
const thread = (
  width: number,
) => `mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mad.lo.s32 %r1, %r2, %r3, %r0;
  mov.u32 %r2, %ctaid.y; mov.u32 %r3, %ntid.y; mov.u32 %r4, %tid.y; mad.lo.s32 %r5, %r2, %r3, %r4;
  mov.u32 %r10, ${width}; mad.lo.s32 %r6, %r5, %r10, %r1; mul.wide.s32 %rd4, %r6, 4;
  add.s64 %rd5, %rd0, %rd4; add.s64 %rd6, %rd1, %rd4; ld.global.u32 %r7, [%rd6];`;

interface Case {
  name: string;
  body: string;
  /** What a word of p0 becomes: from its place in the row, its row, p1's word, the word itself. */
  expected: (x: number, y: number, data: number, old: number) => number;
  /** Groups at once, if not four. */
  groups?: number;
}

/** r20 … are words made of r7; then r9 goes through all of them, from the first to the last and back. */
const MANY = Array.from({ length: 10 }, (_, k) => k);
const chain = `${MANY.map((k) => `mad.lo.u32 %r${20 + k}, %r7, ${2 * k + 3}, %r1; xor.b32 %r${20 + k}, %r${20 + k}, ${k * 77};`).join(" ")}
  mov.u32 %r9, %r7; ${[...MANY, ...MANY.toReversed()].map((k) => `mul.lo.u32 %r9, %r9, %r${20 + k}; xor.b32 %r9, %r9, %r1;`).join(" ")}`;
function chained(data: number, x: number): number {
  const words = MANY.map((k) => (Math.imul(data, 2 * k + 3) + x) ^ (k * 77));
  return [...words, ...words.toReversed()].reduce((r, w) => Math.imul(r, w) ^ x, data);
}

const cases: Case[] = [
  {
    name: "a store of some lanes",
    body: `and.b32 %r8, %r7, 1; setp.eq.u32 %p0, %r8, 0; @%p0 bra E; add.u32 %r9, %r7, %r1; st.global.u32 [%rd5], %r9; E:`,
    expected: (x, _y, data, old) => (data & 1 ? data + x : old),
  },
  {
    name: "an update in place",
    body: `ld.global.u32 %r8, [%rd5]; setp.ge.u32 %p0, %r7, %r8; @%p0 bra E; st.global.u32 [%rd5], %r7; E:`,
    expected: (_x, _y, data, old) => Math.min(data, old),
  },
  {
    name: "two sides that meet",
    body: `ld.global.u32 %r8, [%rd5]; and.b32 %r9, %r7, 2; setp.ne.u32 %p0, %r9, 0; @%p0 bra A;
      mul.lo.u32 %r9, %r8, 3; mov.u32 %r11, %r5; bra B; A: add.u32 %r9, %r8, %r1; mov.u32 %r11, 7; B:
      add.u32 %r9, %r9, %r11; st.global.u32 [%rd5], %r9;`,
    expected: (x, y, data, old) => (data & 2 ? old + x + 7 : 3 * old + y),
  },
  {
    name: "regression: an address that only they compute",
    body: `and.b32 %r8, %r7, 1; setp.eq.u32 %p0, %r8, 0; @%p0 bra E; mov.u32 %r12, %nctaid.z; add.s32 %r11, %r6, %r12;
      mul.wide.s32 %rd7, %r11, 4; add.s64 %rd7, %rd0, %rd7; st.global.u32 [%rd7+-4], %r7; E:`,
    expected: (_x, _y, data, old) => (data & 1 ? data : old),
  },
  {
    name: "branches in branches",
    body: `and.b32 %r8, %r7, 1; setp.eq.u32 %p0, %r8, 0; @%p0 bra A; and.b32 %r8, %r7, 4; setp.eq.u32 %p1, %r8, 0; @%p1 bra E;
      st.global.u32 [%rd5], %r1; bra E; A: mov.u32 %r9, 5; and.b32 %r8, %r7, 8; setp.eq.u32 %p1, %r8, 0; @%p1 bra C;
      ld.global.u32 %r9, [%rd5]; C: add.u32 %r9, %r9, %r7; st.global.u32 [%rd5], %r9; E:`,
    expected: (x, _y, data, old) => (data & 1 ? (data & 4 ? x : old) : data + (data & 8 ? old : 5)),
  },
  {
    name: "a long chain, much that lives, and a branch of few lanes",
    body: `${chain} setp.lt.u32 %p0, %r7, 17; @%p0 bra E; add.u32 %r9, %r9, 12345; E: st.global.u32 [%rd5], %r9;`,
    expected: (x, _y, data) => (chained(data, x) + (data < 17 ? 0 : 12345)) >>> 0,
    groups: 2,
  },
  {
    name: "a loop's worth of steps, and halves of words",
    body: `setp.gt.u32 %p0, %r7, 9; @%p0 bra E; cvt.u16.u32 %h1, %r7; st.global.u16 [%rd5+2], %h1; cvt.u16.u32 %h1, %r1;
      st.global.u16 [%rd5], %h1; E:`,
    expected: (x, _y, data, old) => (data > 9 ? old : ((data << 16) | x) >>> 0),
  },
];

const shapes: { block: Shape; grid: Shape }[] = [
  { block: [64, 1, 1], grid: [7, 1, 1] },
  { block: [16, 4, 1], grid: [5, 3, 1] },
];

describe("several groups whose lanes take branches apart", () => {
  for (const { name, body, expected, groups = 4 } of cases) {
    for (const { block, grid } of shapes) {
      const [width, height] = [block[0] * grid[0], block[1] * grid[1]];
      const text = kernelText(2, `${thread(width)} ${body}`);

      test(`${name}: blocks of ${block[0]} by ${block[1]}`, async () => {
        const data = Uint32Array.from({ length: width * height }, (_, k) =>
          k < 40 ? (k < 20 ? 0 : 15) : (Math.imul(k, 2654435761) >>> 13) % 20,
        );
        const old = data.map((_, k) => 3 + (k % 11));
        const wanted = [...old].map((o, k) =>
          expected(k % width, Math.floor(k / width), data[k]!, o),
        );
        for (const lanes of [1, 4] as const) {
          const bench = await Bench.shared(lanes);
          const pointers = [bench.upload(old), bench.upload(data)];
          assert.equal(bench.run(text, pointers, { block, grid }), undefined);
          assert.deepEqual(bench.words(pointers[0]!, width * height), wanted);
        }
      });

      test(`${name}: ${groups} groups at once in blocks of ${block[0]} by ${block[1]}`, async () => {
        const lowered = await lowerText(text);
        assert.deepEqual(
          reportKernel(lowered, block).regions.map((r) => r.groups),
          [groups],
        );
      });
    }
  }
});
