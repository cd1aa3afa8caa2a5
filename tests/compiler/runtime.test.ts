import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "../harness.ts";
import { Bench, WIDTHS } from "./bench.ts";

const PTX = readFileSync(new URL("./fixtures/runtime.ptx", import.meta.url), "utf8");
const counting = (n: number) => Uint32Array.from({ length: n }, (_, k) => k);

function ackermann(m: number, n: number): number {
  if (m === 0) return n + 1;
  return ackermann(m - 1, n === 0 ? 1 : ackermann(m, n - 1));
}

for (const width of WIDTHS) {
  describe(`device-side runtime in nvcc's output, ${width} lanes`, () => {
    const start = async () => {
      const bench = await Bench.create(width);
      const module = bench.executor.loadModule(PTX);
      const run = (kernel: string, params: number[], grid: number, block: number, more = {}) =>
        bench.launch(module, params, { kernel, grid, block, ...more });
      return { bench, run };
    };

    test("virtual functions of objects on the device heap", async () => {
      const { bench, run } = await start();
      const out = bench.zeros(256);
      assert.equal(run("virtuals", [out, 40], 2, 32), undefined);
      const expected = Array.from({ length: 40 }, (_, i) =>
        i % 3 ? 3 * i * i + (i % 5) : i * i * (i % 5),
      );
      assert.deepEqual(bench.floats(out, 41), [...expected, 0]);
    });

    test("function pointers and recursion", async () => {
      const { bench, run } = await start();
      const [out, which] = [bench.zeros(256), bench.upload(counting(64).map((k) => k % 3))];
      assert.equal(run("pointers", [out, which], 1, 64), undefined);
      const operations = [(a: number) => a + 7, (a: number) => a - 7, (a: number) => a * 7];
      const results = bench.words(out, 64).map((v) => v | 0);
      assert.deepEqual(
        results,
        [...counting(64)].map((i) => operations[i % 3](i)),
      );
      assert.equal(run("recursion", [out], 1, 32), undefined);
      assert.deepEqual(
        bench.words(out, 32),
        [...counting(32)].map((i) => ackermann(2, i % 7)),
      );
    });

    test("cooperative groups: grid barriers", async () => {
      const { bench, run } = await start();
      const [data, partial, out] = [bench.upload(counting(1000)), bench.zeros(32), bench.zeros(32)];
      const fault = run("gridSum", [data, partial, out, 1000], 8, 32, { cooperative: true });
      assert.equal(fault, undefined);
      let sums = new Array<number>(8).fill(0);
      for (let i = 0; i < 1000; i++) sums[(i >> 5) % 8] += i;
      for (let round = 0; round < 3; round++) sums = sums.map((s, k) => s + sums[(k + 1) % 8]);
      assert.deepEqual(bench.words(out, 8), sums);
    });

    test("cooperative groups: tiles and coalesced threads", async () => {
      const { bench, run } = await start();
      const [data, out] = [bench.upload(counting(64)), bench.zeros(512)];
      assert.equal(run("tiles", [data, out], 1, 64), undefined);
      const expected = [...counting(64)].map((i) => 8 * (i & ~7) + 28 + (i ^ 1));
      assert.deepEqual(bench.words(out, 65), [...expected, 32]);
    });

    test("memory from malloc lives on in the next launch", async () => {
      const { bench, run } = await start();
      const [slots, out] = [bench.zeros(512), bench.zeros(256)];
      assert.equal(run("heap", [slots, out, 0], 1, 64), undefined);
      assert.equal(run("heap", [slots, out, 1], 1, 64), undefined);
      assert.deepEqual(
        bench.words(out, 64),
        [...counting(64)].map((i) => 256 * i + 120),
      );
    });

    test("a spin lock between the lanes of a warp, and alloca", async () => {
      const { bench, run } = await start();
      const [counter, out] = [bench.zeros(4), bench.zeros(128)];
      assert.equal(run("locked", [counter], 4, 64), undefined);
      assert.deepEqual(bench.words(counter, 1), [256]);
      assert.equal(run("dynamic", [out, counter], 1, 32), undefined);
      const sum = (n: number) => {
        let s = 256;
        for (let k = 0; k < n; k++) s += (n - 1 - k) ** 2 * (k + 1);
        return s;
      };
      assert.deepEqual(
        bench.words(out, 32),
        [...counting(32)].map((i) => sum((i % 9) + 1)),
      );
    });

    test("printf and assert", async () => {
      const { bench, run } = await start();
      assert.equal(run("prints", [3], 1, 32), undefined);
      const line = (i: number, x: string, c: string) => `${i}|${x}|text|${c}|123456789abc\n`;
      assert.equal(
        bench.printed,
        line(0, " 0.00", "a") + line(1, " 1.50", "b") + line(2, " 3.00", "c"),
      );
      const fault = run("asserts", [bench.upload(counting(32))], 1, 32);
      assert.equal(fault?.code, 710);
      assert.match(fault?.message ?? "", /runtime\.cu:\d+: .*thread: \[1,0,0\] Assertion/);
    });
  });
}
