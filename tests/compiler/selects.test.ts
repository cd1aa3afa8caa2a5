import assert from "node:assert/strict";
import { compileKernel } from "../../runtime/compiler/index.ts";
import { describe, test } from "../harness.ts";
import { kernelText } from "./bench.ts";
import { lowerText } from "./lower.ts";

/** i32x4.relaxed_laneselect and v128.bitselect, as they are encoded. */
const RELAXED = [0xfd, 0x8b, 0x02];
const BITSELECT = [0xfd, 0x52];

/** Odd threads double their number, four values and one of 64 bits; then each loops that often. */
const BODY = `and.b32 %r1, %r0, 1; setp.ne.u32 %p0, %r1, 0; add.u32 %r2, %r0, %r0;
  selp.b32 %r3, %r2, %r0, %p0; cvt.u64.u32 %rd1, %r3; mul.lo.u64 %rd1, %rd1, %rd1;
  selp.b64 %rd2, %rd1, %rd0, %p0; mov.u32 %r4, 0;
  L: add.u32 %r4, %r4, 3; add.u64 %rd2, %rd2, %rd1; setp.lt.u32 %p1, %r4, %r3; @%p1 bra L;
  mul.wide.u32 %rd3, %r0, 8; add.s64 %rd3, %rd0, %rd3; st.global.u64 [%rd3], %rd2;`;

async function codeOf(fma: "exact" | "relaxed" | "unfused"): Promise<string> {
  const lowered = await lowerText(kernelText(1, BODY), "k");
  return compileKernel(lowered, { fma, shape: [64, 1, 1], width: 4 }).wasm.join();
}

describe("lanes selected by masks", () => {
  test("are one instruction where the engine has relaxed SIMD, and only there", async () => {
    const code = await codeOf("relaxed");
    assert.ok(code.includes(RELAXED.join()));
    assert.ok(!code.includes(BITSELECT.join()));
    for (const fma of ["exact", "unfused"] as const) {
      const plain = await codeOf(fma);
      assert.ok(!plain.includes(RELAXED.join()), fma);
      assert.ok(plain.includes(BITSELECT.join()), fma);
    }
  });
});
