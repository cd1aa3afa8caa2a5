/**
 * Every function of the device library that a recorded case uses, against what the H100 answered. The
 * compiler emits some instructions without the library; those cases are not for this test, and the
 * conformance runner has them all.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { compareOutput, hexElement } from "../conformance/compare.ts";
import { ELEMENT_BYTES, loadOracle } from "../conformance/oracle.ts";
import { describe, test } from "../harness.ts";
import { runCase, usesLibrary } from "./run-case.ts";

/** Folders of cases, and how many of each must be decided by the library alone. */
const FOLDERS: [string, number][] = [["data", 500]];

for (const [folder, least] of FOLDERS) {
  const oracle = loadOracle(fileURLToPath(new URL(`../conformance/${folder}`, import.meta.url)));
  describe(`device library against the H100, ${folder}`, () => {
    let covered = 0;
    oracle.cases.forEach((entry, index) => {
      if (!usesLibrary(entry) || entry.name.includes(".sync")) return;
      test(entry.name, () => {
        const got = runCase(oracle, entry);
        if (!got) return;
        covered++;
        const inputs = entry.in.map((type, k) => oracle.input(type, k));
        const wrong = compareOutput(entry, inputs, oracle.golden(index), got);
        if (!wrong) return;
        const shown = entry.in.map((type, k) =>
          hexElement(inputs[k] as Uint8Array, ELEMENT_BYTES[type], wrong.element),
        );
        assert.fail(
          `element ${wrong.element} (${shown.join(", ")}): expected ${wrong.expected}, ` +
            `got ${wrong.got}; ${wrong.count} wrong`,
        );
      });
    });
    test("covers the cases that need the library", () => {
      assert.ok(covered >= least, `only ${covered} cases ran`);
    });
  });
}
