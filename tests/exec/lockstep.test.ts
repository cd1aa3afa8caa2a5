/**
 * Registers that advance together with a counter are computed again behind barriers: what they are has to
 * be what they would be without the barriers.
 */
import assert from "node:assert/strict";
import { printRegion } from "../../runtime/compiler/index.ts";
import { RegionMaker } from "../../runtime/compiler/pipeline.ts";
import { Bench, kernelText } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

interface Case {
  name: string;
  body: string;
  /** Registers that are loaded again behind the barrier in the loop. */
  reloaded: number;
}

/** rd5 = p0 and rd6 = p1, each moved by four bytes a thread; r9 gathers what is read; rd7 = 4 × 64. */
const START = `mul.wide.u32 %rd4, %r0, 4; add.s64 %rd5, %rd0, %rd4; add.s64 %rd6, %rd1, %rd4; mov.u32 %r9, 0;
  ld.global.u32 %r20, [%rd1]; and.b32 %r20, %r20, 0; mov.u32 %r21, %ntid.x; mul.wide.u32 %rd7, %r21, 4;`;
const READ = "ld.global.u32 %r8, [%rd9]; mad.lo.u32 %r9, %r9, 3, %r8;";
const END = "st.global.u32 [%rd5], %r9;";

const cases: Case[] = [
  {
    name: "a pointer and a counter from 0 up",
    body: `mov.u64 %rd9, %rd6; mov.u32 %r4, 0; L: ${READ} bar.sync 0; add.s64 %rd9, %rd9, 256; add.u32 %r4, %r4, 1;
      setp.lt.u32 %p1, %r4, 5; @%p1 bra L;`,
    reloaded: 2,
  },
  {
    name: "steps of sixteen, from 48 down, and a pointer that goes back",
    body: `add.s64 %rd9, %rd6, 1024; mov.u32 %r4, 48; L: ${READ} bar.sync 0; add.s64 %rd9, %rd9, -128;
      add.s32 %r4, %r4, -16; setp.ge.s32 %p1, %r4, 0; @%p1 bra L;`,
    reloaded: 2,
  },
  {
    name: "a step that is known at the launch only",
    body: `mov.u64 %rd9, %rd6; mov.u32 %r4, 4; L: ${READ} bar.sync 0; add.s64 %rd9, %rd9, %rd7; add.s32 %r4, %r4, 4;
      setp.ne.s32 %p1, %r4, 20; @%p1 bra L;`,
    reloaded: 2,
  },
  {
    name: "steps that don't count one by one",
    body: `mov.u64 %rd9, %rd6; mov.u32 %r4, 0; L: ${READ} bar.sync 0; add.s64 %rd9, %rd9, %rd7; add.s32 %r4, %r4, 3;
      setp.lt.s32 %p1, %r4, 11; @%p1 bra L;`,
    reloaded: 3,
  },
  {
    name: "by way of other registers",
    body: `mov.u64 %rd9, %rd6; mov.u32 %r4, 0; L: ${READ} bar.sync 0; add.s64 %rd8, %rd9, 256; mov.u64 %rd9, %rd8;
      add.u32 %r5, %r4, 1; mov.u32 %r4, %r5; setp.lt.u32 %p1, %r5, 5; @%p1 bra L;`,
    reloaded: 2,
  },
  {
    name: "an index of 32 bits",
    body: `mov.u32 %r4, 0; mov.u32 %r7, %r0; L: mul.wide.u32 %rd8, %r7, 4; add.s64 %rd9, %rd1, %rd8; ${READ} bar.sync 0;
      add.u32 %r7, %r7, 64; add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, 5; @%p1 bra L;`,
    reloaded: 2,
  },
  {
    name: "a loop in a loop, with both set again",
    body: `mov.u32 %r10, 0; O: mov.u64 %rd9, %rd6; mov.u32 %r4, 0; L: ${READ} bar.sync 0; add.s64 %rd9, %rd9, 256;
      add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, 3; @%p1 bra L; ${READ}
      add.u32 %r10, %r10, 1; setp.lt.u32 %p2, %r10, 2; @%p2 bra O;`,
    reloaded: 3,
  },
  {
    name: "a loop in a loop, with the counter set again only",
    body: `mov.u64 %rd9, %rd6; mov.u32 %r10, 0; O: mov.u32 %r4, 0; L: ${READ} bar.sync 0; add.s64 %rd9, %rd9, 256;
      add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, 2; @%p1 bra L;
      add.u32 %r10, %r10, 1; setp.lt.u32 %p2, %r10, 2; @%p2 bra O;`,
    reloaded: 4,
  },
  {
    name: "a round in which the pointer stays",
    body: `mov.u64 %rd9, %rd6; mov.u32 %r4, 0; L: ${READ} bar.sync 0; setp.eq.u32 %p2, %r4, 2; @%p2 bra S; add.s64 %rd9, %rd9, 256;
      S: add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, 5; @%p1 bra L;`,
    reloaded: 3,
  },
  {
    name: "a barrier between the steps",
    body: `mov.u64 %rd9, %rd6; mov.u32 %r4, 0; L: ${READ} add.s64 %rd9, %rd9, 256; bar.sync 0; add.u32 %r4, %r4, 1;
      setp.lt.u32 %p1, %r4, 5; @%p1 bra L;`,
    reloaded: 3,
  },
  {
    name: "a pointer that begins with what was loaded",
    body: `mov.u32 %r4, 0; cvt.u64.u32 %rd8, %r20; add.s64 %rd9, %rd6, %rd8; L: ${READ} bar.sync 0; add.s64 %rd9, %rd9, 256;
      add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, 5; @%p1 bra L;`,
    reloaded: 3,
  },
  {
    name: "threads that go round unequally often",
    body: `mov.u64 %rd9, %rd6; mov.u32 %r4, 0; and.b32 %r11, %r0, 3; add.u32 %r11, %r11, 1; L: ${READ} bar.sync 0; add.s64 %rd9, %rd9, 256;
      add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, %r11; @%p1 bra L;`,
    reloaded: 2,
  },
];

const BLOCK = 64;

describe("registers in step with a counter", () => {
  for (const { name, body, reloaded } of cases) {
    const text = kernelText(2, `${START} ${body} ${END}`);

    test(`${name}: as without barriers`, async () => {
      const run = async (ptx: string, width: 1 | 4) => {
        const bench = await Bench.shared(width);
        const input = bench.upload(Uint32Array.from({ length: 8 * BLOCK }, (_, t) => 1 + 7 * t));
        const output = bench.zeros(4 * BLOCK);
        assert.equal(bench.run(ptx, [output, input], { block: BLOCK, grid: 1 }), undefined);
        return bench.words(output, BLOCK);
      };
      const expected = await run(text.replaceAll("bar.sync 0;", ""), 1);
      assert.equal(new Set(expected).size, BLOCK);
      for (const width of [1, 4] as const) assert.deepEqual(await run(text, width), expected);
    });

    test(`${name}: ${reloaded} registers are kept`, async () => {
      const { lowered } = await lowerText(text);
      const last = new RegionMaker(lowered, "exact", [BLOCK, 1, 1]).all(4).at(-1);
      assert.ok(last);
      const shown = printRegion(last.region, last.prologue);
      assert.equal(shown.split(" reload ").length - 1, reloaded, shown);
    });
  }
});

describe("registers that are the same for a whole block", () => {
  for (const [name, index] of [
    ["a warp's number tells warps apart", "mov.u32 %r2, %warpid;"],
    [
      "a lane's number tells warps apart",
      "mov.u32 %r2, %laneid; sub.u32 %r2, %r2, %r0; add.u32 %r2, %r2, 96; shr.u32 %r2, %r2, 5;",
    ],
    ["a block's number doesn't", "mov.u32 %r2, %ctaid.x;"],
  ] as const) {
    test(name, async () => {
      const text = kernelText(
        2,
        `${index} mul.wide.u32 %rd4, %r2, 4; add.s64 %rd4, %rd1, %rd4; ld.global.u32 %r3, [%rd4]; bar.sync 0;
        mov.u32 %r4, %ctaid.x; mad.lo.u32 %r4, %r4, 128, %r0; mul.wide.u32 %rd5, %r4, 4; add.s64 %rd5, %rd0, %rd5;
        mul.wide.u32 %rd6, %r3, 4; add.s64 %rd6, %rd1, %rd6; ld.global.u32 %r5, [%rd6];
        mad.lo.u32 %r5, %r3, 1000, %r5; st.global.u32 [%rd5], %r5;`,
      );
      const words: number[][] = [];
      for (const width of [1, 4] as const) {
        const bench = await Bench.shared(width);
        const input = bench.upload(Uint32Array.of(3, 1, 2, 0));
        const output = bench.zeros(4 * 256);
        assert.equal(bench.run(text, [output, input], { block: 128, grid: 2 }), undefined);
        words.push(bench.words(output, 256));
      }
      assert.deepEqual(words[1], words[0]);
      assert.equal(new Set(words[0]).size, index.includes("ctaid") ? 2 : 4);
    });
  }
});
