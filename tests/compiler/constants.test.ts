import assert from "node:assert/strict";
import { compileKernel } from "../../runtime/compiler/index.ts";
import { describe, test } from "../harness.ts";
import { Bench, kernelText } from "./bench.ts";
import { lowerText } from "./lower.ts";

const at = (to: string, base: string) => `mad.wide.u32 ${to}, %r0, 4, ${base};`;
/** y[i] = (x[i] ^ c) + (x[i] & c) */
const text = kernelText(
  2,
  `${at("%rd2", "%rd0")} ${at("%rd3", "%rd1")} ld.global.u32 %r1, [%rd2];
  xor.b32 %r2, %r1, 0x12345678; and.b32 %r3, %r1, 0x12345678; add.u32 %r2, %r2, %r3;
  st.global.u32 [%rd3], %r2;`,
);

describe("vector constants", () => {
  test("are in a global that may change, once, and nowhere in the code", async () => {
    const lowered = await lowerText(text);
    const { wasm } = compileKernel(lowered, { fma: "exact", shape: [64, 1, 1] });
    const bytes = Buffer.from(wasm).toString("hex");
    const constant = "78563412".repeat(4);
    assert.equal(bytes.split(constant).length - 1, 1);
    const [mutableVector, vectorConst] = ["7b01", "fd0c"];
    assert.ok(bytes.includes(`${mutableVector}${vectorConst}${constant}0b`));
  });

  test("keep their value from launch to launch", async () => {
    const bench = await Bench.create(4);
    const x = Uint32Array.from({ length: 64 }, (_, i) => i * 0x01234567);
    const pointers = [bench.upload(x), bench.zeros(256)];
    for (let round = 0; round < 3; round++) {
      assert.equal(bench.run(text, pointers, { block: 64 }), undefined);
      assert.deepEqual(bench.words(pointers[1], 64), [
        ...x.map((v) => (v ^ 0x12345678) + (v & 0x12345678)),
      ]);
    }
  });
});
