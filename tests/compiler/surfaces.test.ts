import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { describe, test } from "../harness.ts";
import { Bench, WIDTHS } from "./bench.ts";
import { textureData } from "./textures/cases.ts";
import { runSurface } from "./textures/run.ts";
import { isLoad, SURFACE_CASES } from "./textures/surface-cases.ts";

const RECORDED = readFileSync(new URL("./textures/surfaces.bin.br", import.meta.url));
/** What an H100 loaded, or left behind, in each case. */
const GOLDEN = new Uint8Array(brotliDecompressSync(RECORDED));

for (const width of WIDTHS) {
  describe(`surfaces, ${width} lanes`, () => {
    test("every surface case answers what an H100 answers", async () => {
      const bench = await Bench.create(width);
      let at = 0;
      const wrong: string[] = [];
      for (const c of SURFACE_CASES) {
        const [results, texels] = runSurface(bench, c);
        const got = isLoad(c) ? results : texels;
        const want = GOLDEN.subarray(at, at + got.length);
        const first = got.findIndex((byte, k) => byte !== want[k]);
        if (first >= 0) wrong.push(`${c.name}: byte ${first}: ${got[first]}, not ${want[first]}`);
        if (isLoad(c)) assert.deepEqual(texels, textureData(c), c.name);
        at += got.length;
      }
      assert.deepEqual(wrong, []);
      assert.equal(at, GOLDEN.length);
    });
  });
}
