import assert from "node:assert/strict";
import { compileKernel } from "../../runtime/compiler/index.ts";
import { describe, test } from "../harness.ts";
import { kernelText } from "./bench.ts";
import { lowerText } from "./lower.ts";

/** v128.load and i8x16.shuffle, as they are encoded. */
const LOAD = /253,0,2,/g;
const SHUFFLE = /253,13,/g;

const INDEX = `mov.u32 %r1, %ctaid.x; mad.lo.s32 %r1, %r1, 64, %r0; mul.wide.s32 %rd4, %r1, 4;
  add.s64 %rd5, %rd0, %rd4; add.s64 %rd6, %rd1, %rd4; add.s64 %rd7, %rd2, %rd4;`;
const SUM = `add.f32 %f4, %f1, %f2; add.f32 %f4, %f4, %f3; mul.f32 %f5, %f4, %f4; add.f32 %f5, %f5, %f1;
  mul.f32 %f5, %f5, %f2; st.global.f32 [%rd5], %f5;`;
const LEFT = "ld.global.f32 %f1, [%rd6+-4];";
const MIDDLE = "ld.global.f32 %f2, [%rd6];";
const RIGHT = "ld.global.f32 %f3, [%rd6+4];";

async function count(body: string, fma: "exact" | "relaxed"): Promise<[number, number]> {
  const lowered = await lowerText(kernelText(3, INDEX + body), "k");
  const code = compileKernel(lowered, { fma, shape: [64, 1, 1], width: 4 }).wasm.join();
  return [code.match(LOAD)?.length ?? 0, code.match(SHUFFLE)?.length ?? 0];
}

describe("loads between those of neighbouring groups", () => {
  test("are shuffles where the engine has an instruction for them", async () => {
    const [loads, shuffles] = await count(LEFT + MIDDLE + RIGHT + SUM, "relaxed");
    const [plainLoads, plainShuffles] = await count(LEFT + MIDDLE + RIGHT + SUM, "exact");
    // Four groups' twelve loads: six of them are left.
    assert.equal(plainLoads - loads, 6);
    assert.equal(shuffles - plainShuffles, 6);
  });

  test("stay loads behind a store", async () => {
    const store = "st.global.f32 [%rd7], %f2;";
    const [, apart] = await count(LEFT + MIDDLE + store + RIGHT + SUM, "relaxed");
    const [, together] = await count(store + LEFT + MIDDLE + RIGHT + SUM, "relaxed");
    // What is between the first two becomes shuffles still.
    assert.equal(together - apart, 3);
  });
});
