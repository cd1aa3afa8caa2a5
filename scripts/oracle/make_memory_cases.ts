/**
 * Writes the cases of atomic operations and ordered accesses, in the form of tests/conformance/README.md:
 *
 *   bun scripts/oracle/make_memory_cases.ts OUTDIR SEED     → cases.json, pool.<type>.bin
 *   record OUTDIR                                           → golden.bin, on a machine with a GPU
 *
 * (record.cpp says how to build `record`.)
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { memoryCases } from "./memory_cases.ts";
import { makePools, POOL } from "./mma_pools.ts";

const [out, seedText] = process.argv.slice(2);
if (!out || !seedText) throw new Error("usage: make_memory_cases.ts OUTDIR SEED");
const seed = Number(seedText);
const cases = memoryCases();
mkdirSync(out, { recursive: true });
for (const [type, bytes] of Object.entries(makePools(seed))) {
  writeFileSync(`${out}/pool.${type}.bin`, bytes);
}
writeFileSync(`${out}/cases.json`, JSON.stringify({ n: POOL, block: 128, seed, cases }));
console.log(`${cases.length} cases`);
