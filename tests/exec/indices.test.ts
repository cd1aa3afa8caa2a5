/** Checks of base + index × scale in code for single threads: which indices pass, and what faults. */
import assert from "node:assert/strict";
import { Bench, kernelText } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

/** An access at p1 + base + extend(index) × scale (bytes, modulo 2⁶⁴). */
interface Case {
  base: bigint;
  index: number;
  scale: number;
  signs?: "u";
  /** It is in p1's words. */
  passes: boolean;
}

const cases: Case[] = [
  { base: 0n, index: 0, scale: 4, passes: true },
  { base: 0n, index: 7, scale: 4, passes: true },
  { base: 28n, index: -7, scale: 4, passes: true },
  { base: 8n, index: -1, scale: 8, passes: true },
  { base: 4n << 31n, index: -(2 ** 31), scale: 4, passes: true },
  { base: -(4n << 32n), index: -1, scale: 4, signs: "u", passes: false },
  { base: -4n * (2n ** 32n - 3n), index: -3, scale: 4, signs: "u", passes: true },
  { base: -2048n * 2n ** 31n, index: -(2 ** 31), scale: 2048, signs: "u", passes: true },
  { base: 2048n * 2n ** 31n, index: -(2 ** 31), scale: 2048, passes: true },
  { base: -65536n * 2n ** 31n, index: -(2 ** 31), scale: 65536, signs: "u", passes: true },
  { base: 65536n * 2n ** 31n, index: -(2 ** 31), scale: 65536, passes: true },
  { base: 2n, index: 1, scale: 4, passes: false },
  { base: 1n, index: 3, scale: 4, passes: false },
  { base: 2n ** 63n, index: 0, scale: 4, passes: false },
  { base: 2n ** 62n, index: 2 ** 30, scale: 2048, passes: false },
  { base: 0n, index: 2 ** 31 - 1, scale: 4, passes: false },
  { base: 0n, index: -(2 ** 31), scale: 4, passes: false },
];

describe("indices one thread at a time", () => {
  for (const { base, index, scale, signs = "s", passes } of cases) {
    test(`${base} + ${index}${signs === "u" ? " (unsigned)" : ""} × ${scale}`, async () => {
      const text = kernelText(
        3,
        `ld.global.u32 %r1, [%rd0]; mul.wide.${signs}32 %rd4, %r1, ${scale}; add.s64 %rd5, %rd2, %rd4;
        ld.global.u32 %r2, [%rd5]; add.u32 %r2, %r2, 1; st.global.u32 [%rd5], %r2;`,
      );
      const results = [];
      for (const width of [1, 4] as const) {
        const bench = await Bench.create(width);
        const out = bench.upload(Int32Array.of(index));
        const data = bench.upload(Uint32Array.of(5, 6, 7, 8, 9, 10, 11, 12));
        const fault = bench.run(text, [out, data, BigInt.asUintN(64, BigInt(data) + base)]);
        const sum = bench.words(data, 8).reduce((a, b) => a + b);
        results.push({ code: fault?.code, address: fault?.address, sum });
        assert.equal(fault === undefined && sum === 69, passes);
      }
      assert.deepEqual(results[0], results[1]);
    });
  }
});
