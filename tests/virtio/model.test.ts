import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, test } from "../harness.ts";
import { SEED } from "../seed.ts";
import { runModel } from "./model.ts";
import { featureSets } from "./rig.ts";

/** Steps of a whole run. */
const STEPS = Number(process.env["WARPRING_STEPS"] ?? 1_000_000);

const SETS = featureSets();
const LENGTH = 600;
const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });

describe(`a driver and a device against a plain model, seed ${SEED}`, () => {
  let done = 0;
  for (const [index, { name, features }] of SETS.entries()) {
    const packed = name.includes("packed");
    test(`${name}: any interleaving`, () => {
      const sizes = packed ? [1, 2, 3, 5, 8, 17, 64] : [1, 2, 4, 8, 16, 64];
      fc.assert(
        fc.property(
          fc.constantFrom(...sizes),
          fc.noBias(fc.uint32Array({ minLength: 1, maxLength: 2 * LENGTH, size: "max" })),
          (size, steps) => {
            runModel(features, size, steps, memory);
            done += steps.length;
          },
        ),
        { seed: (SEED + index) % 2 ** 31, numRuns: Math.ceil(STEPS / SETS.length / LENGTH) },
      );
    });
  }

  test("the run was as long as it should be", () => {
    assert.ok(done > 0.9 * STEPS, `${done} steps`);
  });
});
