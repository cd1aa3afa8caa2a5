import assert from "node:assert/strict";
import { Bench, kernelText, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

for (const width of WIDTHS) {
  describe(`addresses, ${width} lanes`, () => {
    test("accesses below and above a pointer share one check", async () => {
      const bench = await Bench.create(width);
      const data = bench.upload(Uint32Array.from({ length: 256 }, (_, k) => k * k));
      const out = bench.zeros(256);
      const body = `mul.wide.u32 %rd4, %r0, 16; add.s64 %rd4, %rd0, %rd4; add.s64 %rd4, %rd4, 8;
        ld.global.u32 %r1, [%rd4+-8]; ld.global.u32 %r2, [%rd4+-4]; ld.global.u32 %r3, [%rd4];
        ld.global.u32 %r4, [%rd4+4]; st.global.u32 [%rd4+-8], %r4; st.global.u32 [%rd4+4], %r1;
        add.u32 %r1, %r1, %r2; add.u32 %r1, %r1, %r3; add.u32 %r1, %r1, %r4;
        mul.wide.u32 %rd5, %r0, 4; add.s64 %rd5, %rd1, %rd5; st.global.u32 [%rd5], %r1;`;
      assert.equal(bench.run(kernelText(2, body), [data, out], { block: 64 }), undefined);
      const sum = (t: number) => [0, 1, 2, 3].reduce((s, k) => s + (4 * t + k) ** 2, 0);
      assert.deepEqual(
        bench.words(out, 64),
        Array.from({ length: 64 }, (_, t) => sum(t)),
      );
      const turned = Array.from({ length: 256 }, (_, k) => [k + 3, k, k, k - 3][k & 3] ** 2);
      assert.deepEqual(bench.words(data, 256), turned);
    });

    test("the lowest of several addresses may lie outside: a fault names it", async () => {
      const bench = await Bench.create(width);
      const out = bench.zeros(256);
      const body = `mul.wide.u32 %rd4, %r0, 4; add.s64 %rd4, %rd1, %rd4;
        ld.global.u32 %r1, [%rd4+-8]; ld.global.u32 %r2, [%rd4]; st.global.u32 [%rd0], %r1;`;
      const fault = bench.run(kernelText(2, body), [out, bench.memory.base], { block: 1 });
      assert.equal(fault?.address, bench.memory.base - 8);
    });

    test("a masked index of 64 bits", async () => {
      // The bits above the mask would lead out of memory.
      const bench = await Bench.create(width);
      const data = bench.upload(Uint32Array.from({ length: 64 }, (_, k) => k + 7));
      const out = bench.zeros(256);
      const body = `mul.lo.u32 %r1, %r0, 0x9e3779b1; shl.b32 %r1, %r1, 2; cvt.u64.u32 %rd3, %r1;
        and.b64 %rd3, %rd3, 252; add.s64 %rd3, %rd0, %rd3; ld.global.u32 %r5, [%rd3];
        mul.wide.u32 %rd4, %r0, 4; add.s64 %rd4, %rd1, %rd4; st.global.u32 [%rd4], %r5;`;
      assert.equal(bench.run(kernelText(2, body), [data, out], { block: 64 }), undefined);
      const index = (t: number) => Math.imul(t, 0x9e3779b1) & 63;
      assert.deepEqual(
        bench.words(out, 64),
        Array.from({ length: 64 }, (_, t) => index(t) + 7),
      );
    });
  });
}
