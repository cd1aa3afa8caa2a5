/** Rows of different lengths as nvcc compiles them: in code for single threads and in lane groups. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { formatReport, reportKernel } from "../../runtime/compiler/index.ts";
import { Bench } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

const TEXT = readFileSync(new URL("../compiler/fixtures/rows.ptx", import.meta.url), "utf8");
const ROWS = 64;
const BLOCK = 32;

/** What kernels read: 32-bit starts and columns (64-bit ones for `longRows`), values, and x. */
function inputs(name: string) {
  const lengths = Array.from({ length: ROWS }, (_, r) => (r * 7) % 21);
  const starts = [3];
  for (const n of lengths) starts.push((starts.at(-1) as number) + n);
  const count = starts.at(-1) as number;
  const columns = Array.from({ length: count + 8 }, (_, k) => (k * 37) % 101);
  const long = name === "longRows";
  const words = (list: number[]) =>
    long ? BigUint64Array.from(list.map(BigInt)) : Uint32Array.from(list);
  const float = (k: number) => ((k * 29) % 97) / 97 - 0.3;
  const numbers = (n: number) => {
    const list = Array.from({ length: n }, (_, k) => float(k));
    if (name !== "doubleRows") return new Uint32Array(Float32Array.from(list).buffer);
    return new Uint32Array(Float64Array.from(list).buffer);
  };
  const whole = Uint32Array.from({ length: 101 }, (_, k) => (k * 7919) % 10007);
  const integers = name === "largest" || name === "pointers";
  return {
    starts: words(starts),
    columns: words(columns),
    values: integers ? [] : [numbers(count + 8)],
    x: integers ? whole : numbers(101),
    rows: long ? BigInt(ROWS) : ROWS,
  };
}

async function run(text: string, name: string, width: 1 | 4): Promise<number[]> {
  const bench = await Bench.shared(width);
  const { starts, columns, values, x, rows } = inputs(name);
  const out = bench.zeros(8 * ROWS);
  const pointers = [starts, columns, ...values, x].map((data) => bench.upload(data));
  const options = { block: BLOCK, grid: ROWS / BLOCK, kernel: name };
  assert.equal(bench.run(text, [rows, ...pointers, out], options), undefined);
  return bench.words(out, 2 * ROWS);
}

async function reportOf(text: string, name: string) {
  return reportKernel(await lowerText(text, name), [BLOCK, 1, 1]);
}

describe("rows of different lengths", () => {
  for (const name of [
    "signedRows",
    "unsignedRows",
    "longRows",
    "doubleRows",
    "largest",
    "pointers",
  ]) {
    test(name, async () => {
      const report = await reportOf(TEXT, name);
      const rerolled = name === "pointers" ? 0 : 1;
      assert.equal(report.alone?.rerolled, rerolled, formatReport(report));
      assert.equal(report.alone?.ranged, 1, formatReport(report));
      const alone = await run(TEXT, name, 1);
      assert.deepEqual(alone, await run(TEXT, name, 4));
      assert.ok(new Set(alone).size > ROWS / 8);
    });
  }

  /** Changes of `largest` and `longRows` with which the parts are no longer copies of one another. */
  const changes: [name: string, from: RegExp, to: string][] = [
    ["largest", /\[%rd33\+-4\]/, "[%rd33+-8]"],
    ["largest", /ld\.global\.u32 \t%r40/, "ld.global.s16 \t%r40"],
    ["largest", /max\.s32 \t%r41/, "min.s32 \t%r41"],
    ["largest", /max\.s32 \t%r41/, "max.u32 \t%r41"],
    ["largest", /add\.s64 \t%rd33, %rd33, 16/, "add.s64 \t%rd33, %rd33, 12"],
    ["largest", /add\.s64 \t%rd33, %rd18, 8/, "add.s64 \t%rd33, %rd18, 12"],
    ["largest", /sub\.s32 \t%r48, %r4, %r53/, "add.s32 \t%r48, %r53, 5; and.b32 %r48, %r48, 28"],
    ["largest", /add\.s32 \t%r50, %r50, 4/, "add.s32 \t%r50, %r50, 3"],
    ["largest", /setp\.lt\.u32 \t%p3, %r31, 3/, "setp.lt.u32 \t%p3, %r31, 4"],
    ["largest", /max\.s32 \t%r54, %r45, %r54/, "add.s32 \t%r54, %r45, %r54"],
    ["longRows", /setp\.lt\.u64 \t(%p\d+), (%rd\d+), 3;/, "setp.lt.u64 \t$1, $2, 2;"],
  ];
  for (const [name, from, to] of changes) {
    test(`${name} with ${to} for ${from.source}`, async () => {
      const at = TEXT.indexOf(`.entry ${name}(`);
      const text = TEXT.slice(0, at) + TEXT.slice(at).replace(from, to);
      assert.notEqual(text, TEXT);
      assert.equal((await reportOf(text, name)).alone?.rerolled, 0);
      assert.deepEqual(await run(text, name, 1), await run(text, name, 4));
    });
  }
});
