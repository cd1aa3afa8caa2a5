/** How bodies that take tests for whole blocks as given are tried: tables of kernels (sure*.test.ts). */
import assert from "node:assert/strict";
import { reportKernel } from "../../runtime/compiler/index.ts";
import { Bench, kernelText } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

export type Shape = [number, number, number];

export interface Case {
  name: string;
  body: string;
  block: Shape;
  grid: Shape;
  /** The size that kernels call n, and what is added to the pointers p0 and p1. */
  n?: number;
  shift?: [number, number];
  /** What the report says of the first region: accesses covered, branches left, a row as one. */
  sure: { checks: number; branches: number; flat: boolean } | undefined;
  /** Rows of threads that are done at once. */
  rows?: number;
  /** What it computes depends on the order of blocks: nobody may help with it. */
  ordered?: true;
  /** The fault: error code, and the linear thread of the grid (block · threads + thread). */
  fault?: [code: number, thread: number];
}

export const WORDS = 4096;
/** r1 = ctaid.x · ntid.x + tid.x, r3 = n (third parameter). */
export const INDEX =
  "mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mad.lo.s32 %r1, %r1, %r2, %r0; cvt.u32.u64 %r3, %rd2;";
/** The same, and r4 = ctaid.y · ntid.y + tid.y. */
export const INDEX_2D = `${INDEX} mov.u32 %r4, %ctaid.y; mov.u32 %r5, %ntid.y; mov.u32 %r6, %tid.y;
  mad.lo.s32 %r4, %r4, %r5, %r6;`;
/** p0[i] = p1[i] + i for the index in a register. */
export const copy = (i: string) => `mul.wide.s32 %rd5, ${i}, 4; add.s64 %rd6, %rd0, %rd5;
  add.s64 %rd7, %rd1, %rd5; ld.global.u32 %r9, [%rd7]; add.s32 %r9, %r9, ${i}; st.global.u32 [%rd6], %r9;`;
export const LINE: Shape = [64, 1, 1];
export const FLAT = { checks: 2, branches: 0, flat: true };

async function report(text: string, block: Shape) {
  return reportKernel(await lowerText(text), block);
}

/** Runs each kernel one thread at a time and in lane groups, and looks at the report. */
export function tryCases(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    for (const c of cases) {
      test(c.name, async () => {
        const text = kernelText(3, c.body, ".shared .align 4 .b8 buf[256];");
        const said = (await report(text, c.block)).regions[0]?.sure;
        assert.deepEqual(
          said && { checks: said.checks, branches: said.branches, flat: said.flat },
          c.sure,
        );
        if (c.rows !== undefined) assert.equal(said?.rows, c.rows);
        const [one, four] = await Promise.all(
          ([1, 4] as const).map((width) => outcome(c, text, width)),
        );
        assert.deepEqual(four, one);
        assert.deepEqual(one?.fault && [one.fault.code, one.fault.thread], c.fault);
      });
    }
  });
}

/** What a kernel leaves in memory, and the thread of the grid that failed. */
async function outcome(c: Case, text: string, width: 1 | 4) {
  const [a, b] = c.shift ?? [0, 0];
  // Where it matters at which addresses things lie, or where memory ends, one of its own.
  const own = a < 0 || c.fault !== undefined;
  const bench = await (own || c.ordered
    ? Bench.create(width, true, undefined, c.ordered ? 0 : undefined)
    : Bench.shared(width));
  const out = bench.zeros(4 * WORDS);
  const from = bench.upload(Uint32Array.from({ length: WORDS }, (_, k) => (k * 2654435761) >>> 0));
  // A shift of -1: so that a thousand words are left to the end of memory.
  const first = a < 0 ? bench.memory.base + bench.memory.byteLength - 4000 : out + a;
  const fault = bench.run(text, [first, from + b, c.n ?? 0], { grid: c.grid, block: c.block });
  const threads = c.block[0] * c.block[1] * c.block[2];
  const place = fault && {
    code: fault.code,
    thread: fault.block[0] * threads + fault.thread[0],
    address: fault.address,
    line: fault.line,
  };
  // After a fault, which threads came before it is not fixed.
  return { fault: place, words: fault ? [] : bench.words(out, WORDS) };
}
