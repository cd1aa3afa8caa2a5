import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "../harness.ts";
import { SEED } from "../seed.ts";
import { DriverFuzzer } from "./fuzz/driver-fuzz.ts";
import { RingFuzzer } from "./fuzz/fuzz.ts";

const COUNT = 20_000;

/** The short form of `npm run fuzz:ring`. */
describe(`fuzzed rings, seed ${SEED}`, () => {
  const bytes = readFileSync(new URL("../../build/core.debug.wasm", import.meta.url));
  const core = new WebAssembly.Module(new Uint8Array(bytes));

  test(`${COUNT} mutated rings: no wrong access, no wrong chain`, () => {
    const fuzzer = new RingFuzzer(core, SEED);
    for (let number = 0; number < COUNT; number++) {
      const wrong = fuzzer.run(number);
      assert.equal(wrong, "", `ring ${number} of seed ${SEED}: ${wrong}`);
    }
    const served = fuzzer.tally.get("served") ?? 0;
    assert.ok(served > COUNT / 20, `only ${served} rings were served: the fuzzer is too wild`);
    assert.ok(fuzzer.tally.size >= 12, `only ${[...fuzzer.tally.keys()].join("; ")}`);
  });

  test(`${COUNT / 2} rings of a bad device: the driver takes only what is in flight`, () => {
    const fuzzer = new DriverFuzzer(core, SEED);
    for (let number = 0; number < COUNT / 2; number++) {
      const wrong = fuzzer.run(number);
      assert.equal(wrong, "", `ring ${number} of seed ${SEED}: ${wrong}`);
    }
    assert.ok(fuzzer.tally.size >= 4, `only ${[...fuzzer.tally.keys()].join("; ")}`);
  });
});
