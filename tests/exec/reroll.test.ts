/** Loops that were unrolled ahead of time become one again in code for single threads, if they are its copies. */
import assert from "node:assert/strict";
import { RegionMaker } from "../../runtime/compiler/pipeline.ts";
import { Bench, kernelText } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

/** Rows of such lengths, one a thread. */
const LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 16, 17, 18, 31, 33, 40];

/** What a compiler makes of `for (k = start; k < end; ++k) sum = …`, unrolled `times` times. */
interface Shape {
  times: number;
  /** One round: the word at [at + offset] and the sum so far, to the next sum. */
  round: (at: string, offset: number, sum: string, to: string) => string;
  /** The k-th round of the unrolled loop, if it is another one. */
  other?: (at: string, offset: number, sum: string, to: string, k: number) => string;
  guard: string;
  /** Bits of the length that the first loop makes. */
  mask: number;
  more: string;
  /** Bytes that the unrolled loop's pointer is ahead. */
  ahead: number;
  advance: number;
  /** Sets %p3 where the unrolled loop goes on. */
  last: string;
  first: string;
  middle: string;
  after: string;
}

const sum = (at: string, offset: number, from: string, to: string) =>
  `ld.global.u32 %r20, [${at}+${offset}]; mad.lo.u32 ${to}, ${from}, 5, %r20;`;

const base = (times: number): Shape => ({
  times,
  round: sum,
  guard: "setp.le.s32 %p0, %r3, %r2;",
  mask: times - 1,
  more: `not.b32 %r8, %r2; add.s32 %r8, %r3, %r8; setp.lt.u32 %p2, %r8, ${times - 1};`,
  ahead: 8,
  advance: 4 * times,
  last: `add.s32 %r6, %r6, ${times}; setp.lt.s32 %p3, %r6, %r3;`,
  first: "",
  middle: "",
  after: "",
});

/** %r2 and %r3: a row's first word and the one behind it; %r9: the sum. */
function textOf(s: Shape): string {
  const rounds = Array.from({ length: s.times }, (_, k) => {
    const names = ["%r9", "%r10", "%r11", "%r12", "%r13", "%r14", "%r15", "%r16"];
    const [from, to] = [names[k], k === s.times - 1 ? "%r9" : names[k + 1]];
    const offset = 4 * k - s.ahead;
    return (s.other ?? s.round)("%rd7", offset, from as string, to as string, k);
  });
  return kernelText(
    3,
    `mul.wide.u32 %rd4, %r0, 4; add.s64 %rd5, %rd2, %rd4; add.s64 %rd3, %rd0, %rd4;
ld.global.u32 %r2, [%rd5]; ld.global.u32 %r3, [%rd5+4]; mov.u32 %r9, 1; mov.u32 %r19, 0;
${s.guard} @%p0 bra END;
sub.s32 %r4, %r3, %r2; and.b32 %r5, %r4, ${s.mask}; mov.u32 %r6, %r2; setp.eq.u32 %p1, %r5, 0; @%p1 bra MIDDLE;
mul.wide.s32 %rd6, %r2, 4; add.s64 %rd6, %rd1, %rd6;
SINGLE: ${s.round("%rd6", 0, "%r9", "%r9")} ${s.first}
add.s32 %r6, %r6, 1; add.s64 %rd6, %rd6, 4; add.s32 %r5, %r5, -1; setp.ne.u32 %p1, %r5, 0; @%p1 bra SINGLE;
MIDDLE: ${s.more} ${s.middle} @%p2 bra END;
mul.wide.s32 %rd8, %r6, 4; add.s64 %rd8, %rd8, ${s.ahead}; add.s64 %rd7, %rd1, %rd8;
UNROLLED: ${rounds.join("\n")}
add.s64 %rd7, %rd7, ${s.advance}; ${s.last} @%p3 bra UNROLLED;
END: ${s.after} add.u32 %r9, %r9, %r19; st.global.u32 [%rd3], %r9;`,
  );
}

async function loopsIn(text: string): Promise<number> {
  const { lowered } = await lowerText(text);
  let loops = 0;
  new RegionMaker(lowered, "exact", [1, 1, 1]).all(1, (pass, { blocks }) => {
    if (pass !== "reroll") return;
    blocks.forEach((b, k) => {
      if (b.preds.some((p) => blocks.indexOf(p) >= k)) loops++;
    });
  });
  return loops;
}

/** The sums of all rows, one thread at a time and in lane groups. */
async function sums(text: string): Promise<{ alone: number[]; groups: number[] }> {
  const run = async (width: 1 | 4) => {
    const bench = await Bench.shared(width);
    const starts = [0];
    for (const n of LENGTHS) starts.push((starts.at(-1) as number) + n);
    const data = Uint32Array.from({ length: 400 }, (_, k) => k * 2654435761 + 12345);
    const out = bench.zeros(4 * LENGTHS.length);
    // The words begin 32 bytes on: what runs ahead of a row is still there.
    const params = [out, bench.upload(data) + 32, bench.upload(Uint32Array.from(starts))];
    assert.equal(bench.run(text, params, { block: LENGTHS.length }), undefined);
    return bench.words(out, LENGTHS.length);
  };
  return { alone: await run(1), groups: await run(4) };
}

const float = (at: string, offset: number, from: string, to: string) =>
  `ld.global.u32 %r20, [${at}+${offset}]; and.b32 %r20, %r20, 0xffff; cvt.rn.f32.u32 %f2, %r20;
  cvt.rn.f32.u32 %f1, ${from}; fma.rn.f32 %f1, %f1, 0f3F000000, %f2; cvt.rzi.u32.f32 ${to}, %f1;`;
const gather = (at: string, offset: number, from: string, to: string) =>
  `ld.global.u32 %r20, [${at}+${offset}]; and.b32 %r20, %r20, 63; mul.wide.s32 %rd9, %r20, 4;
  add.s64 %rd9, %rd1, %rd9; ld.global.u32 %r21, [%rd9]; mad.lo.u32 ${to}, ${from}, 3, %r21;`;

describe("unrolled loops that become one", () => {
  const shapes: Record<string, Shape> = {
    twice: base(2),
    "four times": base(4),
    "eight times": base(8),
    "from where the first loop's pointer is": { ...base(4), ahead: 0 },
    "far ahead": { ...base(4), ahead: 12 },
    floats: { ...base(4), round: float },
    "through an index in memory": { ...base(4), round: gather },
    "until the index is the bound": {
      ...base(4),
      last: "add.s32 %r6, %r6, 4; setp.ne.s32 %p3, %r6, %r3;",
    },
    "counted down": {
      ...base(4),
      middle: "sub.s32 %r7, %r4, %r5; and.b32 %r17, %r4, 3; sub.s32 %r7, %r4, %r17;",
      last: "add.s32 %r7, %r7, -4; setp.ne.s32 %p3, %r7, 0; add.s32 %r6, %r6, 4;",
    },
    "compared the other way round": {
      ...base(4),
      guard: "setp.lt.s32 %p0, %r2, %r3; not.pred %p0, %p0;",
      more: "sub.s32 %r8, %r3, %r2; setp.ge.u32 %p2, %r8, 4; not.pred %p2, %p2;",
      last: "add.s32 %r6, %r6, 4; setp.ge.s32 %p3, %r6, %r3; not.pred %p3, %p3;",
    },
    "an index that is used behind them": { ...base(4), after: "mad.lo.u32 %r19, %r6, 3, %r19;" },
    "rounds whose loads come in another order": {
      ...base(2),
      other: (at, offset, from, to, k) => {
        if (k > 0) return `mad.lo.u32 ${to}, ${from}, 5, %r22;`;
        return `ld.global.u32 %r22, [${at}+${offset + 4}]; ${sum(at, offset, from, to)}`;
      },
    },
  };
  for (const [name, shape] of Object.entries(shapes)) {
    test(name, async () => {
      const text = textOf(shape);
      assert.equal(await loopsIn(text), 1);
      const { alone, groups } = await sums(text);
      assert.deepEqual(alone, groups);
      assert.ok(new Set(alone).size > LENGTHS.length - 3);
    });
  }
});

describe("loops that only look unrolled", () => {
  const odd = (
    k: number,
    text: (...args: Parameters<Shape["round"]>) => string,
  ): Partial<Shape> => ({
    other: (at, offset, from, to, n) => (n === k ? text : sum)(at, offset, from, to),
  });
  const shapes: Record<string, Shape> = {
    "a round that reads another word": {
      ...base(4),
      ...odd(2, (at, offset, from, to) => sum(at, offset + 4, from, to)),
    },
    "a round that adds something else": {
      ...base(4),
      ...odd(3, (at, offset, from, to) => sum(at, offset, from, to).replace("5", "7")),
    },
    "a round that reads half a word": {
      ...base(4),
      ...odd(0, (at, offset, from, to) =>
        sum(at, offset, from, to).replace("u32 %r20", "u16 %r20"),
      ),
    },
    "a round that leaves one out": {
      ...base(4),
      ...odd(1, (at, offset, _, to) => sum(at, offset, "%r9", to)),
    },
    "words of which some come twice": { ...base(4), advance: 12 },
    "a pointer that starts elsewhere": {
      ...base(4),
      other: (at, offset, from, to) => sum(at, offset - 4, from, to),
    },
    "a bit too few single rounds": { ...base(4), mask: 1 },
    "a bit too many single rounds": { ...base(4), mask: 7 },
    "a limit that lets too few go on": {
      ...base(4),
      more: base(4).more.replace(", 3;", ", 4;"),
    },
    "an end that comes late": {
      ...base(4),
      last: "add.s32 %r6, %r6, 4; add.s32 %r18, %r3, 1; setp.lt.s32 %p3, %r6, %r18;",
    },
    "an end that is without signs": {
      ...base(4),
      last: "add.s32 %r6, %r6, 4; setp.lt.u32 %p3, %r6, %r3;",
    },
    "rows that may be empty": { ...base(4), guard: "setp.gt.s32 %p0, %r2, %r3;" },
    "single rounds that count something else": {
      ...base(4),
      first: "add.s32 %r19, %r19, 1;",
    },
    "a value of the middle that is used behind": {
      ...base(4),
      middle: "mul.lo.u32 %r19, %r9, 9;",
    },
    stores: {
      ...base(4),
      round: (at, offset, from, to) => `${sum(at, offset, from, to)} st.global.u32 [%rd3], ${to};`,
    },
  };
  for (const [name, shape] of Object.entries(shapes)) {
    test(name, async () => {
      const text = textOf(shape);
      const found = await loopsIn(text);
      const { alone, groups } = await sums(text);
      assert.deepEqual(alone, groups);
      assert.equal(found, 2);
    });
  }
});
