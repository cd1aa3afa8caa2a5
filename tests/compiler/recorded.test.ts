import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { loadOracle } from "../conformance/oracle.ts";
import { CaseRunner } from "../conformance/run.ts";
import { describe, test } from "../harness.ts";

/** Cases in the form of tests/conformance, recorded on an H100. */
const oracle = loadOracle(fileURLToPath(new URL("./recorded", import.meta.url)));

describe("comparisons, packs, vector atomics, cp.async and mbarrier as an H100 answers", () => {
  oracle.cases.forEach((entry, index) => {
    test(entry.name, async () => {
      const runner = new CaseRunner(oracle);
      try {
        const { failure, repeatFailure } = await runner.run(index);
        assert.equal(failure, undefined);
        assert.equal(repeatFailure, undefined);
      } finally {
        runner.close();
      }
    });
  });
});
