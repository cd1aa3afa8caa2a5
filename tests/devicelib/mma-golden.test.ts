import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { warpFrame } from "../../runtime/compiler/warp-frames.ts";
import { matrixCases } from "../../scripts/oracle/mma_cases.ts";
import { makePools, POOL, WIDTH } from "../../scripts/oracle/mma_pools.ts";
import { describe, test } from "../harness.ts";
import { simulate } from "./mma-oracle.ts";

/** Answers of an H100 to the cases with the pools of seed 1 (scripts/oracle/record.cpp). */
const golden = new Uint8Array(
  brotliDecompressSync(readFileSync(new URL("../fixtures/mma/golden.seed1.br", import.meta.url))),
);

const cases = matrixCases();
const pools = makePools(1);

/** A case's family: its opcode, shape and kind of elements. */
function family(name: string): string {
  const shape = /m\d+n\d+(k\d+)?/.exec(name)?.[0] ?? "";
  return `${name.split(".").slice(0, 2).join(".")} ${shape || "m8n8"}`;
}

describe("matrix operations answer as an H100 does, bit for bit", () => {
  const families = new Map<string, { name: string; run: () => void }[]>();
  let at = 0;
  for (const c of cases) {
    const size = POOL * (WIDTH[c.out] ?? 0);
    const expected = golden.subarray(at, at + size);
    at += size;
    const list = families.get(family(c.name)) ?? [];
    families.set(family(c.name), list);
    // The f64 twins are exact only where the engine's multiply-add is fused: not run here.
    const twin = !c.name.includes("f64") && warpFrame(c.name.split(" ")[0] ?? "")?.relaxed;
    const run = () => {
      for (const useRelaxed of twin ? [false, true] : [false]) {
        const got = simulate(c, pools, useRelaxed);
        const wrong = got.findIndex((byte, i) => byte !== expected[i]);
        assert.equal(wrong, -1, `${c.name}: byte ${wrong} of ${size}, relaxed: ${useRelaxed}`);
      }
    };
    list.push({ name: c.name, run });
  }
  test("the golden file belongs to these cases", () => assert.equal(at, golden.length));
  for (const [name, list] of families) {
    test(`${name}: ${list.length} cases`, () => {
      for (const c of list) c.run();
    });
  }
});
