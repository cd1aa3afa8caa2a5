import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "../harness.ts";
import { Bench, WIDTHS } from "./bench.ts";

const PTX = readFileSync(new URL("./fixtures/children.ptx", import.meta.url), "utf8");

/** What the kernel `parent` does, in the order in which children run. */
function model(data: number[], depth: number): void {
  const child = (base: number, n: number) => {
    for (let i = 0; i < n; i++) data[i] = (data[i] * 3 + base + i) | 0;
  };
  child(100 * depth, data.length);
  if (depth > 0) model(data, depth - 1);
  child(1, 1);
  child(1, 2);
  data.forEach((v, i) => {
    data[i] = -v;
  });
}

for (const width of WIDTHS) {
  describe(`launches by kernels, ${width} lanes`, () => {
    test("children run in order when their parent is done, tail launches last", async () => {
      const bench = await Bench.create(width);
      const start = Array.from({ length: 100 }, (_, k) => k);
      const [data, errors] = [bench.upload(Uint32Array.from(start)), bench.zeros(32)];
      const options = { kernel: "parent", block: 32 };
      assert.equal(bench.run(PTX, [data, 100, 2, errors], options), undefined);
      model(start, 2);
      assert.deepEqual(
        bench.words(data, 100).map((v) => v | 0),
        start,
      );
      // A block of 2048 threads is no launch: cudaErrorInvalidConfiguration.
      assert.deepEqual(bench.words(errors, 6), [0, 9, 0, 9, 0, 9]);
    });

    test("copies and fills by a kernel have their turn among its launches", async () => {
      const bench = await Bench.create(width);
      const n = 64;
      const start = Uint32Array.from({ length: n }, (_, k) => k * k);
      const [data, errors] = [bench.upload(start), bench.zeros(32)];
      const options = { kernel: "copier", block: 32 };
      assert.equal(bench.run(PTX, [data, n, errors], options), undefined);
      const words = start.map((v, k) => v * 3 + 5 + k);
      words.copyWithin(n / 2, 0, n / 2);
      words.fill(0x11111111, 0, n / 8);
      words.copyWithin(n / 8, n / 2, (n / 8) * 5);
      words.copyWithin(n / 4, (n / 8) * 6, (n / 8) * 7);
      words.fill(0x22222222, (n / 8) * 5, (n / 8) * 5 + 1);
      words.fill(0x22222222, (n / 8) * 7, (n / 8) * 7 + 1);
      for (let k = 0; k < 3; k++) words[k] = words[k]! * 3 + 9 + k;
      assert.deepEqual(bench.words(data, n), [...words]);
      // cudaErrorInvalidMemcpyDirection, and cudaErrorInvalidValue for what is no memory.
      const text = 0x696e; // "invalid argument"
      assert.deepEqual(bench.words(errors, 6), [21, 1, 1, 1, 0, text]);
    });

    test("a fault of a child is the launch's", async () => {
      const bench = await Bench.create(width);
      const fault = bench.run(PTX, [8, 100, 0, bench.zeros(32)], { kernel: "parent", block: 32 });
      assert.deepEqual([fault?.code, fault?.kernel], [700, "child"]);
    });
  });
}
