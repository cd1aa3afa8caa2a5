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

    test("a fault of a child is the launch's", async () => {
      const bench = await Bench.create(width);
      const fault = bench.run(PTX, [8, 100, 0, bench.zeros(32)], { kernel: "parent", block: 32 });
      assert.deepEqual([fault?.code, fault?.kernel], [700, "child"]);
    });
  });
}
