import assert from "node:assert/strict";
import { PtxError } from "../../runtime/compiler/index.ts";
import { runMutant } from "../../scripts/fuzz-ptx.ts";
import { mutant, readSeeds } from "../../scripts/ptx-mutants.ts";
import { compileAll, readLibrary } from "../../scripts/ptx-support.ts";
import { describe, test } from "../harness.ts";

describe("fuzzing the compiler", () => {
  test("mutants are refused with a PtxError or compile to valid WebAssembly", () => {
    const seeds = readSeeds();
    const library = readLibrary();
    let compiled = 0;
    for (let index = 0; index < 400; index++) {
      const text = mutant(seeds, 20, index);
      const result = runMutant(text, (source) => compileAll(source, library));
      assert.notEqual(typeof result, "string", `mutant ${index} of seed 20: ${result}`);
      if (result === true) compiled++;
    }
    assert.ok(compiled > 20 && compiled < 380, `${compiled} of 400 compiled`);
  });

  test("a mutant follows from its seed and number", () => {
    const seeds = readSeeds();
    assert.equal(mutant(seeds, 1, 5), mutant(seeds, 1, 5));
    assert.notEqual(mutant(seeds, 1, 5), mutant(seeds, 1, 6));
    assert.notEqual(mutant(seeds, 1, 5), mutant(seeds, 2, 5));
  });

  test("what isn't a PtxError counts as a failure", () => {
    const throwing = (error: unknown) => () => {
      throw error;
    };
    assert.equal(runMutant("", throwing(new TypeError("x"))), "TypeError: x");
    assert.equal(runMutant("", throwing(new PtxError("x", 1, 1))), false);
    assert.equal(
      runMutant("", () => {}),
      true,
    );
  });
});
