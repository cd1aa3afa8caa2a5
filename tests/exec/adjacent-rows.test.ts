/** Rows of a block's threads that lie one after the other: four of them are summed up at once. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { formatReport, reportKernel } from "../../runtime/compiler/index.ts";
import { Bench } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

const TEXT = readFileSync(new URL("../compiler/fixtures/adjacent.ptx", import.meta.url), "utf8");
const COLUMNS = 256;

async function rowsLine(name: string): Promise<number | undefined> {
  const report = reportKernel(await lowerText(TEXT, name), [64, 1, 1]);
  const { rows } = report.alone ?? {};
  assert.equal(/rows one after the other/.test(formatReport(report)), rows !== undefined);
  return rows;
}

/** Where rows of these lengths begin, and behind them where the last one ends. */
function startsOf(lengths: number[], first = 3): number[] {
  const starts = [first];
  for (const n of lengths) starts.push((starts.at(-1) as number) + n);
  return starts;
}

const float = (list: number[]) => new Uint32Array(Float32Array.from(list).buffer);
const numbers = (n: number, of: (k: number) => number) =>
  Array.from({ length: n }, (_, k) => of(k));
const column = (k: number) => (k * 37 + (k >> 3)) % COLUMNS;
/** Numbers with few bits: sums of them and of their products are exact in any order and in f32. */
const value = (k: number) => ((k * 29) % 31) - 15;

const LENGTHS: [name: string, of: (row: number) => number][] = [
  ["of 4 to 19", (r) => 4 + ((r * 7 + (r >> 4)) % 16)],
  ["some empty", (r) => (r % 5 === 0 || r % 64 > 60 ? 0 : (r * 11) % 9)],
  ["all empty", () => 0],
  ["one each", () => 1],
  ["one that is long", (r) => (r === 70 ? 3000 : 5)],
  ["too long to be worth it", () => 200],
];

describe("rows one after the other", () => {
  test("are found where the loop does nothing but sum up", async () => {
    for (const name of ["products", "segments", "computed", "totals"]) {
      assert.ok((await rowsLine(name)) !== undefined, name);
    }
    assert.equal(await rowsLine("nested"), undefined);
    assert.equal(await rowsLine("shifted"), undefined);
  });

  for (const [name, of] of LENGTHS) {
    for (const block of [64, 256, 100]) {
      test(`lengths ${name}, in blocks of ${block}`, async () => {
        const bench = await Bench.shared(1);
        const rows = 3 * block - 7;
        const starts = startsOf(numbers(rows, of));
        const count = starts.at(-1) as number;
        const columns = numbers(count, column);
        const values = numbers(count + 2, value);
        const x = numbers(COLUMNS, (k) => ((k * 13) % 64) - 20);
        const sums = (term: (k: number) => number) =>
          numbers(rows, (r) => {
            let sum = 0;
            for (let k = starts[r]; k < starts[r + 1]; k++) sum += term(k);
            return sum;
          });
        const out = bench.zeros(4 * rows);
        const upload = (list: number[]) => bench.upload(Int32Array.from(list));
        const run = (kernel: string, ...params: number[]) => {
          assert.equal(bench.run(TEXT, params, { kernel, block, grid: 3 }), undefined);
        };
        const [at, where, ints] = [upload(starts), upload(columns), upload(values)];
        const [floats, fx] = [bench.upload(float(values)), bench.upload(float(x))];
        run("products", rows, at, where, floats, fx, out);
        const products = sums((k) => values[k] * x[columns[k]]);
        assert.deepEqual(bench.floats(out, rows), products);
        run("segments", rows, at, at + 4, where, ints, upload(x), out, 1000);
        assert.deepEqual(
          bench.words(out, rows),
          products.map((sum, r) => (sum + 1000 + r) >>> 0),
        );
        run("totals", rows, at, ints, out);
        assert.deepEqual(
          bench.words(out, rows),
          sums((k) => values[k + 2]).map((sum) => sum >>> 0),
        );
      });
    }
  }

  test("computed indices, and a sum that is not only added to", async () => {
    const bench = await Bench.shared(1);
    const starts = startsOf(numbers(128, (r) => (r * 5) % 13));
    const columns = numbers(starts[128], column);
    const x = numbers(2 * COLUMNS, (k) => value(k) / 16);
    const z = numbers(COLUMNS, (k) => value(k + 5) / 8);
    const out = bench.zeros(4 * 128);
    const params = [starts, columns].map((list) => bench.upload(Int32Array.from(list)));
    params.push(...[x, z].map((list) => bench.upload(float(list))), out);
    const options = { kernel: "computed", block: 64, grid: 2 };
    assert.equal(bench.run(TEXT, [128, ...params], options), undefined);
    const expected = numbers(128, (r) => {
      let sum = 1;
      for (let k = starts[r]; k < starts[r + 1]; k++) {
        const sum2 = Math.fround(Math.fround(sum + x[2 * columns[k] + 1]) * 0.5);
        sum = Math.fround(sum2 - z[columns[k]]);
      }
      return sum;
    });
    const found = bench.floats(out, 128);
    // nvcc makes one multiply-add of the product and the difference.
    found.forEach((sum, r) => {
      assert.ok(Math.abs(sum - expected[r]) <= 1e-5, `${r}: ${sum} for ${expected[r]}`);
    });
    const alone = bench.words(out, 128);
    const groups = await Bench.shared(4);
    const again = groups.zeros(4 * 128);
    const others = [starts, columns].map((list) => groups.upload(Int32Array.from(list)));
    others.push(...[x, z].map((list) => groups.upload(float(list))), again);
    assert.equal(groups.run(TEXT, [128, ...others], options), undefined);
    assert.deepEqual(groups.words(again, 128), alone);
  });

  test("shifts that differ from element to element", async () => {
    const bench = await Bench.shared(1);
    const starts = startsOf(numbers(64, (r) => (r * 5) % 7));
    const columns = numbers(starts[64], column);
    const counts = numbers(starts[64], (k) => k % 5);
    const x = numbers(COLUMNS, value);
    const params = [starts, columns, counts, x].map((list) => bench.upload(Int32Array.from(list)));
    const y = bench.zeros(4 * 61);
    assert.equal(bench.run(TEXT, [61, ...params, y], { kernel: "shifted", block: 64 }), undefined);
    const expected = numbers(61, (r) => {
      let sum = 0;
      for (let k = starts[r]; k < starts[r + 1]; k++) sum += x[columns[k] >> counts[k]] << (61 & 7);
      return sum >>> 0;
    });
    assert.deepEqual(bench.words(y, 61), expected);
  });

  /** `segments` with x for y, so that what a row gathers tells whether rows before it had been stored. */
  async function inPlace(begins: number[], ends: number[]) {
    const bench = await Bench.shared(1);
    const rows = begins.length;
    const count = Math.max(...ends);
    const columns = numbers(count, (k) => (k * 37) % rows);
    const values = numbers(count, value);
    const x = numbers(rows, (k) => (k * 13) % 64);
    const params = [begins, ends, columns, values, x].map((list) =>
      bench.upload(Int32Array.from(list)),
    );
    const y = params[4];
    const options = { kernel: "segments", block: rows };
    assert.equal(bench.run(TEXT, [rows, ...params, y, 0], options), undefined);
    const sums = (source: (r: number) => number[]) => {
      const stored = [...x];
      for (let r = 0; r < rows; r++) {
        const from = source(r) === x ? x : stored;
        let sum = 0;
        for (let k = begins[r]; k < ends[r]; k++)
          sum = (sum + Math.imul(values[k], from[columns[k]])) | 0;
        stored[r] = (sum + r) | 0;
      }
      return stored.map((n) => n >>> 0);
    };
    return {
      found: bench.words(y, rows),
      atOnce: sums(() => x),
      inTurn: sums(() => []),
    };
  }

  test("all rows of a block are summed up before the first is stored", async () => {
    const starts = startsOf(numbers(64, (r) => (r * 7) % 10));
    const { found, atOnce, inTurn } = await inPlace(starts.slice(0, 64), starts.slice(1));
    assert.notDeepEqual(atOnce, inTurn);
    assert.deepEqual(found, atOnce);
  });

  test("rows without elements may be anywhere", async () => {
    const starts = startsOf(numbers(64, (r) => (r % 3 === 0 ? 0 : r % 10)));
    const [begins, ends] = [starts.slice(0, 64), starts.slice(1)];
    [begins[33], ends[33], begins[63], ends[63]] = [2, 1, 500, 500];
    const { found, atOnce } = await inPlace(begins, ends);
    assert.deepEqual(found, atOnce);
  });

  const apart: [name: string, row: number, begin: number, end: number][] = [
    ["a gap", 20, 1, 0],
    ["an overlap", 21, -1, 0],
    ["a row that ends before it begins", 30, 9, -2],
    ["the last row elsewhere", 63, -200, -195],
    ["the first row elsewhere", 0, 90, 88],
  ];
  for (const [name, row, begin, end] of apart) {
    test(`${name}: threads run one at a time`, async () => {
      const starts = startsOf(numbers(64, (r) => 2 + ((r * 7) % 10)));
      const [begins, ends] = [starts.slice(0, 64), starts.slice(1)];
      begins[row] += begin;
      ends[row] += end;
      const { found, inTurn } = await inPlace(begins, ends);
      assert.deepEqual(found, inTurn);
    });
  }

  test("an index that leads out of memory is its thread's fault", async () => {
    const bench = await Bench.shared(1);
    const starts = startsOf(
      numbers(64, () => 6),
      0,
    );
    const columns = numbers(64 * 6, column);
    columns[41 * 6 + 2] = 0x40000000;
    const values = numbers(64 * 6, value);
    const x = numbers(COLUMNS, (k) => k);
    const params = [starts, columns, values, x].map((list) => bench.upload(Int32Array.from(list)));
    const y = bench.zeros(4 * 64);
    const [at, where, ints, from] = params;
    const list = [64, at, at + 4, where, ints, from, y, 0];
    const fault = bench.run(TEXT, list, { kernel: "segments", block: 64 });
    assert.ok(fault);
    assert.deepEqual(fault.thread, [41, 0, 0]);
    assert.equal(fault.address, from + 4 * 0x40000000);
    assert.match(TEXT.split("\n")[fault.line - 1], /ld\.global/);
  });

  test("a sum that has no place is its thread's fault", async () => {
    const bench = await Bench.shared(1);
    const starts = startsOf(
      numbers(64, () => 6),
      0,
    );
    const [at, ints] = [starts, numbers(64 * 6 + 2, value)].map((list) =>
      bench.upload(Int32Array.from(list)),
    );
    const fault = bench.run(TEXT, [64, at, ints, 64], { kernel: "totals", block: 64 });
    assert.deepEqual(fault?.thread, [0, 0, 0]);
    assert.match(TEXT.split("\n")[(fault?.line ?? 0) - 1], /st\.global/);
  });

  test("rows whose index passes 2³¹ and 2³², and arrays that begin elsewhere", async () => {
    const bench = await Bench.shared(1);
    for (const first of [0x7fffff80, 0xffffff80]) {
      const starts = startsOf(
        numbers(64, (r) => (first > 2 ** 31 && r > 15 ? 0 : r % 8)),
        first,
      );
      const end = Math.min(starts[64], 2 ** 32);
      const columns = numbers(end - first, column);
      const values = numbers(end - first, value);
      const x = numbers(COLUMNS, (k) => k);
      const [at, where, ints, from] = [starts.map((n) => n | 0), columns, values, x].map((list) =>
        bench.upload(Int32Array.from(list)),
      );
      const y = bench.zeros(4 * 64);
      const shift = 4n * BigInt(first);
      const list = [64, at, at + 4, BigInt(where) - shift, BigInt(ints) - shift, from, y, 0];
      const fault = bench.run(TEXT, list, { kernel: "segments", block: 64 });
      assert.equal(fault, undefined);
      const expected = numbers(64, (r) => {
        let sum = r;
        for (let k = starts[r]; k < starts[r + 1]; k++)
          sum += values[k - first] * x[columns[k - first]];
        return sum >>> 0;
      });
      assert.deepEqual(bench.words(y, 64), expected);
    }
  });
});
