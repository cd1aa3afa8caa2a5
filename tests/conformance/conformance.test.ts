/**
 * The recorded cases on the virtual GPU in every execution strategy, with all lanes active and with the
 * odd ones inactive.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { shared } from "../../scripts/kernels/pool-executor.ts";
import { describe, test } from "../harness.ts";
import { loadOracle } from "./oracle.ts";
import { CaseRunner, familyOf, withOddLanesInactive } from "./run.ts";
import { STRATEGIES, STRATEGY_NAMES } from "./strategies.ts";

/** Every folder here with cases. */
const FOLDERS = readdirSync(new URL(".", import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .filter((name) => existsSync(new URL(`${name}/cases.json.br`, import.meta.url)));

for (const folder of FOLDERS) {
  const oracle = loadOracle(fileURLToPath(new URL(folder, import.meta.url)));
  const families = new Map<string, number[]>();
  oracle.cases.forEach((entry, index) => {
    const family = familyOf(entry.name);
    const list = families.get(family);
    if (list) list.push(index);
    else families.set(family, [index]);
  });
  for (const strategy of STRATEGY_NAMES) {
    describe(`H100, ${folder}, ${strategy}`, () => {
      const runner = new CaseRunner(oracle, strategy);
      for (const [family, indices] of families) {
        test(`${family}, ${indices.length} cases`, async () => {
          const wrong: string[] = [];
          const before = shared.launches;
          for (const index of indices) {
            const { name, failure, repeatFailure } = await runner.run(index);
            if (failure !== undefined) wrong.push(`${name}: ${failure}`);
            if (repeatFailure !== undefined) wrong.push(`${name}, odd lanes off: ${repeatFailure}`);
          }
          assert.equal(wrong.length, 0, `\n${wrong.join("\n")}`);
          const launches = shared.launches - before;
          if (STRATEGIES[strategy].workers === 0) assert.equal(launches, 0);
          else assert.ok(launches >= indices.length, `${launches} launches on two threads`);
        });
      }
      test("the device is given back", () => runner.close());
    });
  }
}

test("the folders are found", () => {
  for (const name of ["data", "extra", "memory", "wgmma"]) assert.ok(FOLDERS.includes(name), name);
});

test("the branch around the body leaves out collective operations only", () => {
  const oracle = loadOracle(fileURLToPath(new URL("data", import.meta.url)));
  const repeated = oracle.cases.filter((c) => withOddLanesInactive(c.ptx) !== undefined);
  const names = new Set(repeated.map((c) => c.name));
  assert.equal(oracle.cases.length, 806);
  assert.ok(names.has("add.rn.f32") && names.has("isspacep") && names.has("call recursive"));
  for (const name of ["vote.sync.any", "bar.sync reverse", "mma.m8n8k4.f64"]) {
    assert.ok(!names.has(name), `${name} has an operation of the warp or the block`);
  }
});
