import assert from "node:assert/strict";
import { Runner, runKernel, STRATEGIES } from "../../scripts/fuzz-kernels.ts";
import { difference, outcomeHash } from "../../scripts/kernels/compare.ts";
import type { Recorded } from "../../scripts/kernels/export.ts";
import { generate, inputWords } from "../../scripts/kernels/generate.ts";
import { interpret } from "../../scripts/kernels/interpret.ts";
import { fmaF32, OPS } from "../../scripts/kernels/ops.ts";
import { describe, test } from "../harness.ts";
import { fixture } from "./helpers.ts";

/** What an H100 computed for the first kernels of a seed. */
const recorded: Recorded = JSON.parse(fixture("gpu-kernels.json"));

describe("generated kernels", () => {
  test("compute what the H100 computed, by the interpreter", () => {
    for (let index = 0; index < 60; index++) {
      const generated = generate(recorded.seed, index);
      const outcome = interpret(generated, inputWords(recorded.seed + index));
      assert.equal(outcomeHash(generated, outcome), recorded.hashes[index], `kernel ${index}`);
    }
  });

  test("compute what the H100 computed, on the virtual GPU", async () => {
    const runner = new Runner(STRATEGIES[0] as (typeof STRATEGIES)[number]);
    for (let index = 60; index < recorded.hashes.length; index += 8) {
      const generated = generate(recorded.seed, index);
      const outcome = await runner.run(generated, inputWords(recorded.seed + index));
      assert.ok(outcome);
      assert.equal(outcomeHash(generated, outcome), recorded.hashes[index], `kernel ${index}`);
    }
    runner.close();
  });

  test("compute the same in every way of running them", async () => {
    const runners = STRATEGIES.map((strategy) => new Runner(strategy));
    for (let index = 0; index < 12; index++) {
      assert.deepEqual(await runKernel(runners, 77, index), [], `kernel ${index} of seed 77`);
    }
    for (const runner of runners) runner.close();
  });

  test("use most instructions that the generator knows", () => {
    const used = new Set<string>();
    for (let index = 0; index < 60; index++) {
      const { ptx } = generate(3, index);
      for (const op of OPS) if (ptx.includes(`${op.name} `)) used.add(op.name);
    }
    assert.ok(used.size > OPS.length * 0.9, `${used.size} of ${OPS.length}`);
  });

  test("a wrong word is found, another NaN isn't wrong", () => {
    const generated = generate(1, 1);
    const want = interpret(generated, inputWords(1));
    const got = { output: want.output.slice(), counters: want.counters.slice() };
    assert.equal(difference(generated, want, got), undefined);
    got.output[5] = (got.output[5] as number) ^ 1;
    assert.match(difference(generated, want, got) ?? "", /^thread 0: %r1 is /);
  });

  test("the interpreter's fma rounds once", () => {
    const e = 2 ** -12;
    assert.equal(fmaF32(1 + e, 1 + e, -(1 + 2 * e)), 2 ** -24);
    assert.equal(fmaF32(2 ** 24, 2 ** 24 - 1, 1), Math.fround(2 ** 48 - 2 ** 24));
    // Halfway between two floats but for the last bit of the sum.
    assert.equal(fmaF32(1 + 2 ** -23, 1, 2 ** -60), 1 + 2 ** -23);
    assert.equal(fmaF32(1, 1 + 2 ** -23, 2 ** -24 + 2 ** -47), 1 + 2 * 2 ** -23);
  });
});
