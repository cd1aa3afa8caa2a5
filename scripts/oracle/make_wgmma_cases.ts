/**
 * Writes the cases of warpgroup products in the oracle's form, for `record` (record.cpp) and
 * `npm run conformance`: bun scripts/oracle/make_wgmma_cases.ts OUTDIR SEED
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { makePools, POOL } from "./mma_pools.ts";
import { wgmmaCases } from "./wgmma_cases.ts";

const [out, seedText] = process.argv.slice(2);
if (!out || !seedText) throw new Error("usage: make_wgmma_cases.ts OUTDIR SEED");
const seed = Number(seedText);
const cases = wgmmaCases();
mkdirSync(out, { recursive: true });
for (const [type, bytes] of Object.entries(makePools(seed))) {
  writeFileSync(`${out}/pool.${type}.bin`, bytes);
}
writeFileSync(`${out}/cases.json`, JSON.stringify({ n: POOL, block: 128, seed, cases }));
console.log(`${cases.length} cases`);
