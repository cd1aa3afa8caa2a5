import assert from "node:assert/strict";
import { makePools } from "../../scripts/oracle/mma_pools.ts";
import { wgmmaProducts } from "../../scripts/oracle/wgmma_cases.ts";
import { wgmmaCase } from "../../scripts/oracle/wgmma_kernels.ts";
import { describe, test } from "../harness.ts";
import { Bench, WIDTHS } from "./bench.ts";
import { expected, type Pools } from "./wgmma-model.ts";

const pools = makePools(3);

function words(type: string, vector: number): Uint32Array<ArrayBuffer> {
  const bytes = pools[type];
  if (!bytes) throw new Error(`no pool of ${type}`);
  return new Uint32Array(bytes.slice(2048 * vector, 2048 * (vector + 1)).buffer);
}

describe("warpgroup products against a plain model", () => {
  const families = new Map<string, ReturnType<typeof wgmmaProducts>>();
  for (const one of wgmmaProducts()) {
    const name = `${one.product.a} · ${one.product.b} to ${one.product.d}`;
    families.set(name, [...(families.get(name) ?? []), one]);
  }
  for (const [family, list] of families) {
    test(`${family}: ${list.length} products`, async () => {
      for (const width of WIDTHS) {
        const bench = await Bench.create(width);
        for (const { product, note } of width === 4 ? list : list.slice(0, 3)) {
          const c = wgmmaCase(product, note);
          const data = c.in.map((type, k) => words(type, k)) as Pools;
          const out = bench.zeros(4096);
          const fault = bench.run(c.ptx, [...data.map((d) => bench.upload(d)), out, 512], {
            grid: 4,
            block: 128,
            kernel: "t",
          });
          assert.equal(fault, undefined, c.name);
          const got = bench.words(out, 1024);
          for (let at = 0; at < 1024; at += 2) {
            const [block, thread] = [at >> 8, (at >> 1) & 127];
            const pair = expected(product, data, block, thread);
            assert.deepEqual(
              got.slice(at, at + 2),
              pair,
              `${c.name}: block ${block} thread ${thread}`,
            );
          }
        }
      }
    });
  }
});
