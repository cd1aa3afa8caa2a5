import assert from "node:assert/strict";
import { Bench, kernelText, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

/**
 * Round by round each warp adds up its threads' values, the first warp those sums, and every thread
 * adds the total to its value: after each round the block's threads meet again.
 */
const ROUNDS = 5;
const add = (mask: string) =>
  [16, 8, 4, 2, 1]
    .map((d) => `shfl.sync.bfly.b32 %r9, %r8, ${d}, 31, ${mask}; add.u32 %r8, %r8, %r9;`)
    .join("\n");
const REDUCE = `.shared .b32 sums[32]; mov.u32 %r1, sums;
  shr.u32 %r2, %r0, 5; and.b32 %r3, %r0, 31; setp.eq.u32 %p0, %r3, 0; setp.ne.u32 %p1, %r2, 0;
  mad.lo.u32 %r4, %r2, 4, %r1; mad.lo.u32 %r5, %r3, 4, %r1; mov.u32 %r6, %ntid.x; shr.u32 %r6, %r6, 5;
  add.u32 %r7, %r0, 1; mov.u32 %r10, 0;
  L: mov.u32 %r8, %r7; ${add("-1")}
  @%p0 st.shared.u32 [%r4], %r8; bar.sync 0;
  @%p1 bra J;
  mov.u32 %r8, 0; setp.lt.u32 %p2, %r3, %r6; @%p2 ld.shared.u32 %r8, [%r5]; ${add("-1")}
  @%p0 st.shared.u32 [%r1], %r8;
  J: bar.sync NUMBER; ld.shared.u32 %r8, [%r1]; bar.sync 0;
  add.u32 %r7, %r7, %r8; add.u32 %r10, %r10, 1; setp.lt.u32 %p3, %r10, ${ROUNDS}; @%p3 bra L;
  mul.wide.u32 %rd9, %r0, 4; add.s64 %rd9, %rd0, %rd9; st.global.u32 [%rd9], %r7;`;

for (const width of WIDTHS) {
  describe(`threads that meet again, ${width} lanes`, () => {
    for (const threads of [64, 256, 1024]) {
      for (const barrier of ["0", "3", `5, ${threads}`]) {
        test(`reductions of ${threads} threads, bar.sync ${barrier}`, async () => {
          const bench = await Bench.create(width);
          const out = bench.zeros(4 * threads);
          const text = kernelText(1, REDUCE.replace("NUMBER", barrier));
          const fault = bench.run(text, [out], { block: threads, timeoutMs: 20000 });
          assert.equal(fault, undefined);
          let values = Array.from({ length: threads }, (_, t) => t + 1);
          for (let k = 0; k < ROUNDS; k++) {
            const total = values.reduce((a, b) => (a + b) >>> 0);
            values = values.map((v) => (v + total) >>> 0);
          }
          assert.deepEqual(bench.words(out, threads), values);
        });
      }
    }

    test("a warp of 29 threads, whose lanes take turns at a shuffle of their own", async () => {
      const bench = await Bench.create(width);
      const out = bench.zeros(4 * 61);
      // Of the last warp the odd lanes shuffle among themselves, then the even ones; then a barrier.
      const body = `mov.u32 %r1, %laneid; mov.u32 %r5, 0; and.b32 %r2, %r1, 1; setp.eq.u32 %p0, %r2, 0;
        mov.u32 %r6, 0; L: @%p0 bra E; shfl.sync.idx.b32 %r3, %r0, 1, 31, 0xaaaaaaaa; add.u32 %r5, %r5, %r3; bra J;
        E: shfl.sync.idx.b32 %r3, %r0, 2, 31, 0x55555555; add.u32 %r5, %r5, %r3;
        J: bar.sync 0; add.u32 %r6, %r6, 1; setp.lt.u32 %p1, %r6, 3; @%p1 bra L;
        mul.wide.u32 %rd9, %r0, 4; add.s64 %rd9, %rd0, %rd9; st.global.u32 [%rd9], %r5;`;
      const fault = bench.run(kernelText(1, body), [out], { block: 61, timeoutMs: 20000 });
      assert.equal(fault, undefined);
      assert.deepEqual(
        bench.words(out, 61),
        Array.from({ length: 61 }, (_, t) => 3 * ((t & ~31) + (t & 1 ? 1 : 2))),
      );
    });
  });
}
