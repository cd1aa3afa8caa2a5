/** Loops whose addresses are tested once in front of them: what they compute, and where they fault. */
import assert from "node:assert/strict";
import { RegionMaker } from "../../runtime/compiler/pipeline.ts";
import { Bench, kernelText } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

const WORDS = 256;

/** A loop over the words of p1, by a pointer %rd4 that moves `step` bytes; what it found goes to p0. */
interface Case {
  name: string;
  before?: string;
  round?: string;
  step?: number;
  /** Moves the index %r1 and sets %p0 where the loop goes on. */
  end: string;
  after?: string;
  faults?: true;
  /** The load of a round, and the words of memory for it. */
  load?: string;
  words?: number;
  /** How many loops there are in the code: two where addresses are tested in front. */
  loops: number;
}

const DOWN = "sub.u32 %r1, %r1, 1; setp.ne.u32 %p0, %r1, 0;";
const UP = "add.s32 %r1, %r1, 1; setp.lt.s32 %p0, %r1, %r3;";

const cases: Case[] = [
  { name: "counted down", before: "mov.u32 %r1, 100;", end: DOWN, loops: 2 },
  { name: "counted down from 1", before: "mov.u32 %r1, 1;", end: DOWN, loops: 2 },
  { name: "counted up", before: "mov.u32 %r1, 3; mov.u32 %r3, 80;", end: UP, loops: 2 },
  { name: "a bound below the start", before: "mov.u32 %r1, 9; mov.u32 %r3, 5;", end: UP, loops: 2 },
  {
    name: "in steps of three",
    before: "mov.u32 %r1, 0; mov.u32 %r3, 100;",
    end: "add.s32 %r1, %r1, 3; setp.lt.s32 %p0, %r1, %r3;",
    loops: 2,
  },
  {
    name: "without signs",
    before: "mov.u32 %r1, -20; mov.u32 %r3, -3;",
    end: "add.s32 %r1, %r1, 1; setp.ge.u32 %p1, %r1, %r3; not.pred %p0, %p1;",
    loops: 2,
  },
  {
    name: "an index that wraps at its end goes on",
    before: "mov.u32 %r1, 0x7ffffffa; mov.u32 %r3, 0x7fffffff;",
    end: "add.s32 %r1, %r1, 4; setp.lt.s32 %p0, %r1, %r3;",
    step: 65536,
    faults: true,
    loops: 2,
  },
  {
    name: "a start behind the bound that wraps goes on",
    before: "mov.u32 %r1, 0x7fffffff; mov.u32 %r3, 5;",
    end: UP,
    step: 65536,
    faults: true,
    loops: 2,
  },
  {
    name: "none at all counted down is all there are",
    before: "mov.u32 %r1, 0;",
    end: DOWN,
    step: 65536,
    faults: true,
    loops: 2,
  },
  {
    name: "backwards",
    before: "add.s64 %rd4, %rd1, 1020; mov.u32 %r1, 256;",
    step: -4,
    end: DOWN,
    loops: 2,
  },
  {
    name: "backwards out of memory",
    before: "sub.s64 %rd4, %rd1, %rd5; add.s64 %rd4, %rd4, 40; mov.u32 %r1, 256;",
    step: -4,
    end: DOWN,
    faults: true,
    loops: 2,
  },
  {
    name: "out of memory",
    before: "mov.u32 %r1, 0x80000;",
    step: 65536,
    end: DOWN,
    faults: true,
    loops: 2,
  },
  {
    name: "words that are misaligned",
    before: "add.s64 %rd4, %rd1, 2; mov.u32 %r1, 5;",
    end: DOWN,
    faults: true,
    loops: 2,
  },
  {
    name: "addresses far below memory",
    before: "mov.u64 %rd4, -40; mov.u32 %r1, 50;",
    end: DOWN,
    faults: true,
    loops: 2,
  },
  {
    name: "misaligned ones just below zero",
    before: "mov.u64 %rd4, -1; mov.u32 %r1, 50;",
    end: DOWN,
    faults: true,
    loops: 2,
  },
  {
    name: "more rounds than are tested at once",
    before: "mov.u32 %r1, 0x100005;",
    load: "ld.global.u8",
    words: 0x40010,
    step: 1,
    end: DOWN,
    loops: 2,
  },
  {
    name: "what comes out of it",
    before: "mov.u32 %r1, 3; mov.u32 %r3, 80;",
    end: UP,
    after:
      "cvt.u32.u64 %r5, %rd4; cvt.u32.u64 %r6, %rd1; sub.u32 %r5, %r5, %r6; mad.lo.u32 %r2, %r5, 1000, %r2; mad.lo.u32 %r2, %r1, 7777, %r2;",
    loops: 2,
  },
  {
    name: "a branch inside",
    before: "mov.u32 %r1, 100;",
    round:
      "and.b32 %r5, %r4, 2; setp.eq.u32 %p1, %r5, 0; @%p1 bra EVEN; ld.global.u32 %r6, [%rd4+8]; xor.b32 %r2, %r2, %r6; EVEN: add.u32 %r2, %r2, 1;",
    end: DOWN,
    loops: 2,
  },
  {
    name: "stores",
    before: "mov.u32 %r1, 20; add.s64 %rd7, %rd0, 16;",
    round: "st.global.u32 [%rd7], %r2; add.s64 %rd7, %rd7, 8;",
    end: DOWN,
    loops: 2,
  },
  {
    name: "stores up to the memory's end",
    before: "mov.u32 %r1, 20; sub.s64 %rd7, %rd0, %rd8; add.s64 %rd7, %rd7, 24;",
    round: "st.global.u32 [%rd7], %r2; sub.s64 %rd7, %rd7, 8;",
    end: DOWN,
    faults: true,
    loops: 2,
  },
  {
    name: "a loop around it",
    before: "mov.u32 %r7, 5; OUTER: mov.u64 %rd4, %rd1; mov.u32 %r1, %r7;",
    end: DOWN,
    after: "sub.u32 %r7, %r7, 1; setp.ne.u32 %p2, %r7, 0; @%p2 bra OUTER;",
    loops: 3,
  },
  {
    name: "counted in 64 bits",
    before: "mov.u64 %rd9, 77;",
    end: "sub.s64 %rd9, %rd9, 1; setp.ne.s64 %p0, %rd9, 0;",
    loops: 2,
  },
  {
    name: "counted up in 64 bits",
    before: "mov.u64 %rd9, -20; mov.u64 %rd10, 40;",
    end: "add.s64 %rd9, %rd9, 3; setp.lt.s64 %p0, %rd9, %rd10;",
    loops: 2,
  },
  {
    name: "a bound of 64 bits that wraps round to be near",
    before: "mov.u64 %rd9, 0x7ffffffffffffff0; mov.u64 %rd10, 0x8000000000000005;",
    end: "add.s64 %rd9, %rd9, 1; setp.lt.s64 %p0, %rd9, %rd10;",
    loops: 2,
  },
  {
    name: "an index of 64 bits that wraps at its end goes on",
    before: "mov.u64 %rd9, -3; mov.u64 %rd10, -1;",
    end: "add.s64 %rd9, %rd9, 4; setp.lt.u64 %p0, %rd9, %rd10;",
    step: 65536,
    faults: true,
    loops: 2,
  },
  {
    name: "a pointer until another one",
    before: "add.s64 %rd10, %rd4, 200;",
    end: "setp.ne.u64 %p0, %rd4, %rd10;",
    loops: 2,
  },
  {
    name: "a pointer below another one",
    before: "add.s64 %rd10, %rd4, 198;",
    end: "setp.lt.u64 %p0, %rd4, %rd10;",
    loops: 2,
  },
  {
    name: "a pointer that never is another one",
    before: "add.s64 %rd10, %rd4, 198;",
    step: 32768,
    end: "setp.ne.u64 %p0, %rd4, %rd10;",
    faults: true,
    loops: 2,
  },
  {
    name: "an index that is extended in each round",
    before: "mov.u32 %r1, 40; mov.u32 %r7, -5; add.s64 %rd11, %rd1, 20;",
    round:
      "mul.wide.s32 %rd6, %r7, 4; add.s64 %rd6, %rd6, %rd11; ld.global.u32 %r6, [%rd6]; xor.b32 %r2, %r2, %r6; add.s32 %r7, %r7, 1;",
    end: DOWN,
    loops: 2,
  },
  {
    name: "an index that wraps before it is extended",
    before:
      "mov.u32 %r1, 40; mov.u32 %r7, 0x7ffffffd; mov.u64 %rd11, 0x1fffffff4; sub.s64 %rd11, %rd1, %rd11;",
    round:
      "mul.wide.s32 %rd6, %r7, 4; add.s64 %rd6, %rd6, %rd11; ld.global.u32 %r6, [%rd6]; xor.b32 %r2, %r2, %r6; add.s32 %r7, %r7, 1;",
    end: DOWN,
    faults: true,
    loops: 2,
  },
  {
    name: "an index without signs that goes below zero",
    before: "mov.u32 %r1, 40; mov.u32 %r7, 3;",
    round:
      "mul.wide.u32 %rd6, %r7, 4; add.s64 %rd6, %rd6, %rd1; ld.global.u32 %r6, [%rd6]; xor.b32 %r2, %r2, %r6; sub.s32 %r7, %r7, 1;",
    end: DOWN,
    faults: true,
    loops: 2,
  },
  {
    name: "left in the middle",
    before: "mov.u32 %r1, 100;",
    round: "setp.gt.u32 %p1, %r2, 900; @%p1 bra OUT;",
    end: DOWN,
    after: "OUT:",
    loops: 1,
  },
  {
    name: "a step that is no multiple of the alignment",
    before: "mov.u32 %r1, 100;",
    step: 2,
    end: DOWN,
    faults: true,
    loops: 1,
  },
  {
    name: "a step that isn't known",
    before: "mov.u32 %r1, 8;",
    round: "and.b32 %r5, %r4, 28; cvt.u64.u32 %rd6, %r5; add.s64 %rd4, %rd4, %rd6;",
    end: DOWN,
    loops: 1,
  },
];

/** %rd5 and %rd8 are the distances of p1 and p0 from where memory begins. */
function textOf(one: Case): string {
  const { before = "", load = "ld.global.u32", round = "", step = 4, end, after = "" } = one;
  return kernelText(
    4,
    `mov.u64 %rd4, %rd1; mov.u64 %rd5, %rd2; mov.u64 %rd8, %rd3; mov.u32 %r2, 17; ${before}
LOOP: ${load} %r4, [%rd4]; mad.lo.u32 %r2, %r2, 3, %r4; ${round} add.s64 %rd4, %rd4, ${step}; ${end}
@%p0 bra LOOP; ${after} st.global.u32 [%rd0], %r2;`,
  );
}

async function countLoops(text: string): Promise<number> {
  const { lowered } = await lowerText(text);
  const [{ region }] = new RegionMaker(lowered, "exact", [1, 1, 1]).all(1);
  let loops = 0;
  region.blocks.forEach((b, k) => {
    if (b.preds.some((p) => region.blocks.indexOf(p) >= k)) loops++;
  });
  return loops;
}

describe("loops whose addresses are tested in front of them", () => {
  for (const one of cases) {
    test(one.name, async () => {
      const text = textOf(one);
      assert.equal(await countLoops(text), one.loops);
      const results = [];
      for (const width of [1, 4] as const) {
        const bench = await Bench.create(width);
        const words = Uint32Array.from({ length: one.words ?? WORDS }, (_, k) => 1 + k * 7);
        const data = bench.upload(words);
        const out = bench.zeros(512);
        const from = (p: number) => BigInt(p - bench.memory.base);
        const fault = bench.run(text, [out, data, from(data), from(out)]);
        const address = fault && Number(BigInt.asIntN(64, BigInt(fault.address)));
        results.push({ code: fault?.code, address, left: bench.words(out, 128) });
        assert.equal(fault !== undefined, one.faults === true);
      }
      assert.deepEqual(results[0], results[1]);
    });
  }
});
