/**
 * Blocks of several rows of threads whose memory is touched before they run: nothing but what the block
 * reaches is looked at, whatever way the rows lie. Grids are large enough for it (2 MiB by an access).
 */
import assert from "node:assert/strict";
import { reportKernel } from "../../runtime/compiler/index.ts";
import { Bench, kernelText } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

const BLOCK: [number, number, number] = [8, 2, 1];
const GRID: [number, number, number] = [256, 128, 1];
/** Words of a row that all blocks reach, and in all. */
const ROW = BLOCK[0] * GRID[0];
const WORDS = ROW * BLOCK[1] * GRID[1];

/** r1 = x and r4 = y of the thread in the grid, r3 = n. */
const INDEX = `mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mad.lo.s32 %r1, %r1, %r2, %r0;
  mov.u32 %r4, %ctaid.y; mov.u32 %r5, %ntid.y; mov.u32 %r6, %tid.y; mad.lo.s32 %r4, %r4, %r5, %r6;
  cvt.u32.u64 %r3, %rd2;`;
/** An address of device memory: a pointer plus four times an index. */
const at = (to: string, pointer: string, index: string) =>
  `mul.wide.s32 ${to}, ${index}, 4; add.s64 ${to}, ${pointer}, ${to};`;
/** Shared memory: r10 is the thread's own word, r11 its neighbour's. */
const SHARED = `mov.u32 %r10, buf; mad.lo.s32 %r11, %r6, 8, %r0; shl.b32 %r11, %r11, 2;
  add.s32 %r10, %r10, %r11; xor.b32 %r11, %r11, 4; mov.u32 %r12, buf; add.s32 %r11, %r12, %r11;`;
/** Takes r9 through shared memory, across a barrier: the neighbour's comes back. */
const EXCHANGE = "st.shared.u32 [%r10], %r9; bar.sync 0; ld.shared.u32 %r9, [%r11];";

interface Case {
  name: string;
  /** Computes r7, what a thread reads, and r8, what it writes; both in words. */
  where: string;
  /** Where p0 and p1 lie in their 2 MiB: words. */
  shift?: [number, number];
  n?: number;
  /** Accesses touched before the first region. */
  touched: number;
}

const cases: Case[] = [
  {
    name: "rows side by side",
    where: "mad.lo.s32 %r7, %r4, 2048, %r1; mov.u32 %r8, %r7;",
    touched: 2,
  },
  {
    name: "a row's length as a parameter, read along rows and written along columns",
    where: "mad.lo.s32 %r7, %r4, %r3, %r1; mad.lo.s32 %r8, %r1, 256, %r4;",
    n: ROW,
    touched: 2,
  },
  {
    name: "rows from the last one up",
    where: "mad.lo.s32 %r7, %r4, -2048, %r1; mad.lo.s32 %r8, %r4, 2048, %r1;",
    shift: [0, WORDS - ROW],
    touched: 2,
  },
  {
    name: "words from right to left",
    where: "mul.lo.s32 %r7, %r4, 2048; sub.s32 %r7, %r7, %r1; mad.lo.s32 %r8, %r4, 2048, %r1;",
    shift: [0, ROW - 1],
    touched: 2,
  },
  {
    name: "one word for a row of threads",
    where: "mad.lo.s32 %r7, %r4, 2048, %r3; mad.lo.s32 %r8, %r4, 2048, %r1;",
    n: 5,
    touched: 2,
  },
  {
    name: "what is read tells where to write",
    where: `mad.lo.s32 %r7, %r4, 2048, %r1; ${at("%rd5", "%rd1", "%r7")} ld.global.u32 %r8, [%rd5];
      and.b32 %r8, %r8, 7; mad.lo.s32 %r8, %r8, 0, %r7;`,
    touched: 1,
  },
];

/** Kernels of one region: name, words read and written, guard. Each has 2048 × 1024 threads. */
const COLUMNS: [name: string, where: string, guard: string][] = [
  ["a transpose", "mad.lo.s32 %r7, %r4, 2048, %r1; mad.lo.s32 %r8, %r1, 1024, %r4;", ""],
  [
    "columns from right to left",
    `mad.lo.s32 %r7, %r4, 2048, %r1; sub.s32 %r8, 2047, %r1; mad.lo.s32 %r8, %r8, 1024, %r4;`,
    "",
  ],
  [
    "a guard that the last rows fail",
    "mad.lo.s32 %r7, %r4, 2048, %r1; mad.lo.s32 %r8, %r1, 1024, %r4;",
    "setp.ge.s32 %p0, %r4, %r3; @%p0 bra E;",
  ],
  [
    "rows that lie far apart, too",
    "mad.lo.s32 %r7, %r4, 2048, %r1; and.b32 %r8, %r4, 1; mad.lo.s32 %r8, %r1, 1024, %r4;",
    "",
  ],
];

const kernel = (c: Case) =>
  kernelText(
    3,
    `${INDEX} ${SHARED} ${c.where} ${at("%rd6", "%rd1", "%r7")} ${at("%rd7", "%rd0", "%r8")}
     ld.global.u32 %r9, [%rd6]; ${EXCHANGE} st.global.u32 [%rd7], %r9;`,
    ".shared .align 4 .b8 buf[64];",
  );

async function touched(text: string): Promise<number> {
  const report = reportKernel(await lowerText(text), BLOCK);
  return report.regions[0]?.sure?.touched ?? 0;
}

async function outcome(c: Case, text: string, width: 1 | 4, atEnd: boolean) {
  const bench = await Bench.create(width);
  const from = bench.upload(Uint32Array.from({ length: WORDS }, (_, k) => (k * 2654435761) >>> 0));
  let out = bench.zeros(4 * WORDS);
  if (atEnd) {
    // The last word of the last row is the last of all memory.
    out = bench.memory.base + bench.memory.byteLength - 4 * WORDS;
  }
  const [a, b] = c.shift ?? [0, 0];
  const params = [out + 4 * a, from + 4 * b, c.n ?? 0];
  const fault = bench.run(text, params, { grid: GRID, block: BLOCK });
  assert.equal(fault, undefined);
  return bench.words(out, WORDS);
}

describe("memory that is touched before a block runs", () => {
  for (const c of cases) {
    test(c.name, async () => {
      const text = kernel(c);
      assert.equal(await touched(text), c.touched);
      for (const atEnd of [false, true]) {
        const [one, four] = [await outcome(c, text, 1, atEnd), await outcome(c, text, 4, atEnd)];
        assert.deepEqual(four, one);
        assert.ok(one.some((word) => word !== 0));
      }
    });
  }

  for (const [name, where, guard] of COLUMNS) {
    test(`along a row of blocks: ${name}`, async () => {
      const body = `${INDEX} ${guard} ${where} ${at("%rd6", "%rd1", "%r7")} ${at("%rd7", "%rd0", "%r8")}
        ld.global.u32 %r9, [%rd6]; st.global.u32 [%rd7], %r9; E:`;
      assert.equal(await touched(kernelText(3, body)), 1);
      const outcomes = [1, 4].map(async (width) => {
        const bench = await Bench.create(width as 1 | 4);
        const words = 4 * WORDS;
        const from = bench.upload(Uint32Array.from({ length: words }, (_, k) => k * 2654435761));
        bench.zeros(4 * words);
        const out = bench.memory.base + bench.memory.byteLength - 4 * words;
        const fault = bench.run(kernelText(3, body), [out, from, 1021], {
          grid: [GRID[0], 4 * GRID[1], 1],
          block: BLOCK,
        });
        assert.equal(fault, undefined);
        return bench.words(out, words);
      });
      const [one = [], four = []] = await Promise.all(outcomes);
      assert.ok(one.every((word, k) => word === four[k]));
      assert.ok(one.some((word) => word !== 0));
    });
  }

  test("an address that is out of range faults as ever, and touches nothing", async () => {
    const text = kernel({ ...(cases[0] as Case) });
    const faults = await Promise.all(
      ([1, 4] as const).map(async (width) => {
        const bench = await Bench.create(width);
        const from = bench.upload(new Uint32Array(WORDS));
        // One thread only: of several, those of another worker may come first.
        const out = bench.memory.base + bench.memory.byteLength - 4 * (WORDS - 1);
        const fault = bench.run(text, [out, from, 0], { grid: GRID, block: BLOCK });
        return [fault?.code, fault?.block, fault?.thread, fault?.address];
      }),
    );
    assert.deepEqual(faults[1], faults[0]);
    assert.equal(faults[0]?.[0], 700);
  });
});
