import assert from "node:assert/strict";
import { Runner, runKernel, STRATEGIES } from "../../scripts/fuzz-kernels.ts";
import { difference, outcomeHash } from "../../scripts/kernels/compare.ts";
import { type Recorded, textHash } from "../../scripts/kernels/export.ts";
import { generate, generateRecorded, inputWords } from "../../scripts/kernels/generate.ts";
import { interpret } from "../../scripts/kernels/interpret.ts";
import { fmaF32, OPS } from "../../scripts/kernels/ops.ts";
import { halfBits, halfValue, WIDE_OPS } from "../../scripts/kernels/wide-ops.ts";
import { describe, test } from "../harness.ts";
import { fixture } from "./helpers.ts";

/** What an H100 computed for the first kernels of a seed. */
const recorded: Recorded = JSON.parse(fixture("gpu-kernels.json"));
/** The same of the wider kind. */
const wide: Recorded = JSON.parse(fixture("gpu-kernels-wide.json"));

describe("generated kernels", () => {
  test("compute what the H100 computed, by the interpreter", () => {
    for (let index = 0; index < 60; index++) {
      const generated = generateRecorded(recorded.seed, index);
      const outcome = interpret(generated, inputWords(recorded.seed + index));
      assert.equal(outcomeHash(generated, outcome), recorded.hashes[index], `kernel ${index}`);
    }
  });

  test("compute what the H100 computed, on the virtual GPU", async () => {
    const runner = new Runner(STRATEGIES[0] as (typeof STRATEGIES)[number]);
    for (let index = 60; index < recorded.hashes.length; index += 8) {
      const generated = generateRecorded(recorded.seed, index);
      const outcome = await runner.run(generated, inputWords(recorded.seed + index));
      assert.ok(outcome);
      assert.equal(outcomeHash(generated, outcome), recorded.hashes[index], `kernel ${index}`);
    }
    runner.close();
  });

  test("of the wider kind compute what the H100 computed, by the interpreter and on the virtual GPU", async () => {
    const runner = new Runner(STRATEGIES[0] as (typeof STRATEGIES)[number]);
    let same = 0;
    for (let index = 0; index < wide.hashes.length; index += 4) {
      const generated = generate(wide.seed, index);
      // The generator has learnt more since: then it is another kernel.
      if (textHash(generated.ptx) !== wide.texts?.[index]) continue;
      same++;
      const input = inputWords(wide.seed + index);
      const outcome =
        index % 3 === 0 ? interpret(generated, input) : await runner.run(generated, input);
      assert.ok(outcome);
      assert.equal(outcomeHash(generated, outcome), wide.hashes[index], `kernel ${index}`);
    }
    runner.close();
    assert.ok(same >= 50, `${same} kernels are as they were recorded`);
  });

  test("regression: lanes that have all left by another exit don't go round again", async () => {
    const runner = new Runner(STRATEGIES[0] as (typeof STRATEGIES)[number]);
    for (const index of [102, 121]) {
      assert.deepEqual(await runKernel([runner], 777, index), [], `kernel ${index} of seed 777`);
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
    const ops = [...OPS, ...WIDE_OPS];
    const used = new Set<string>();
    for (let index = 0; index < 60; index++) {
      const { ptx } = generate(3, index);
      for (const op of ops) if (ptx.includes(`${op.name} `)) used.add(op.name);
    }
    assert.ok(used.size > ops.length * 0.9, `${used.size} of ${ops.length}`);
  });

  test("have barriers, votes, atomics, vectors, calls and blocks of all kinds", () => {
    const texts = Array.from({ length: 150 }, (_, index) => generate(3, index));
    const all = texts.map(({ ptx }) => ptx).join("");
    const wanted =
      "bar.sync 1, |bar.red.popc|bar.red.and|match.any.sync|match.all.sync|redux.sync|shfl.sync.up|, %m;|" +
      ".callprototype|call (r), deep|brx.idx|st.shared.v4|ld.local.v2|st.global.v2.b64|ld.global.nc.|" +
      "atom.shared.cas.b64|atom.relaxed.gpu.global|red.global.inc|div.s64|subc.cc|fma.rn.f16x2|bar.warp.sync";
    for (const text of wanted.split("|")) assert.ok(all.includes(text), text);
    assert.ok(texts.some((t) => t.blockShape[2] > 1) && texts.some((t) => t.gridShape[1] > 1));
    assert.ok(texts.some((t) => t.block % 4 !== 0 && t.block > 32));
  });

  test("halves are rounded to the nearest, ties to even", () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const [value, next] = [halfValue(bits), bits === 0x7bff ? 65536 : halfValue(bits + 1)];
      assert.equal(halfBits(value), bits);
      assert.equal(halfBits(-value), bits | 0x8000);
      const middle = (value + next) / 2;
      assert.equal(halfBits(middle), bits + (bits & 1));
      assert.equal(halfBits(middle * (1 - 2 ** -40)), bits);
    }
    assert.equal(halfBits(Number.NaN), 0x7fff);
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
