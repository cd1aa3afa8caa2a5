import assert from "node:assert/strict";
import { Bench, kernelText, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

type Compare = (t: number, limit: number) => boolean;
const COMPARE: Record<string, Compare> = {
  "lt.u32": (t, k) => t < k >>> 0,
  "le.u32": (t, k) => t <= k >>> 0,
  "gt.u32": (t, k) => t > k >>> 0,
  "ge.u32": (t, k) => t >= k >>> 0,
  "lt.s32": (t, k) => t < (k | 0),
  "le.s32": (t, k) => t <= (k | 0),
  "gt.s32": (t, k) => t > (k | 0),
  "ge.s32": (t, k) => t >= (k | 0),
  "eq.u32": (t, k) => t === k,
  "ne.u32": (t, k) => t !== k,
};
const LIMITS = [0, 1, 2, 3, 4, 5, 7, 8, 31, 32, 59, 60, 61, 64, 100, 0x7fffffff, 0x80000000, -1];

/** `if (x OP limit) out[t]++` between two barriers, and once more in front of the threads' end. */
const guarded = (x: string, op: string, limit: string, not: boolean, name: string) =>
  `${x} setp.${op} %p0, %r1, ${limit}; @${not ? "" : "!"}%p0 bra E${name};
   ld.global.u32 %r5, [%rd4]; add.u32 %r5, %r5, 1; st.global.u32 [%rd4], %r5; E${name}:`;

for (const width of WIDTHS) {
  describe(`groups with nothing to do, ${width} lanes`, () => {
    for (const [op, holds] of Object.entries(COMPARE)) {
      for (const shift of [0, 2]) {
        test(`${op} of the thread's index${shift ? ` >> ${shift}` : ""}`, async () => {
          const bench = await Bench.create(width);
          const x = shift ? `shr.u32 %r1, %r0, ${shift};` : "mov.u32 %r1, %r0;";
          for (const threads of [64, 61]) {
            for (const not of [false, true]) {
              const expect = (limit: number) =>
                Array.from({ length: threads }, (_, t) =>
                  holds(t >>> shift, limit) !== not ? 2 : 0,
                );
              const run = (limit: string, param: number) => {
                const out = bench.zeros(256);
                const body = `cvt.u32.u64 %r2, %rd1; mul.wide.u32 %rd4, %r0, 4; add.s64 %rd4, %rd0, %rd4;
                  bar.sync 0; ${guarded(x, op, limit, not, "A")} bar.sync 0; ${guarded(x, op, limit, not, "B")}`;
                const fault = bench.run(kernelText(2, body), [out, param], { block: threads });
                assert.equal(fault, undefined);
                return bench.words(out, threads);
              };
              for (const limit of LIMITS) {
                assert.deepEqual(
                  run("%r2", limit >>> 0),
                  expect(limit),
                  `limit ${limit}, a parameter`,
                );
              }
              for (const limit of [0, 3, 8, 61, -1]) {
                assert.deepEqual(
                  run(String(limit), 0),
                  expect(limit),
                  `limit ${limit}, a constant`,
                );
              }
            }
          }
        });
      }
    }

    test("what changes on the other side only is kept for all threads", async () => {
      // r5 lives across the barrier; threads below 8 change it.
      const bench = await Bench.create(width);
      const out = bench.zeros(256);
      const body = `mul.wide.u32 %rd4, %r0, 4; add.s64 %rd4, %rd0, %rd4; ld.global.u32 %r5, [%rd4];
        bar.sync 0; setp.ge.u32 %p0, %r0, 8; @%p0 bra E; add.u32 %r5, %r0, 100; E: bar.sync 0;
        add.u32 %r5, %r5, 1; st.global.u32 [%rd4], %r5;`;
      assert.equal(bench.run(kernelText(1, body), [out], { block: 64 }), undefined);
      const expected = Array.from({ length: 64 }, (_, t) => (t < 8 ? t + 101 : 1));
      assert.deepEqual(bench.words(out, 64), expected);
    });

    test("a register with several definitions is computed again where one of them comes", async () => {
      // r1 is tid.x behind the first barrier, and a sum behind the second.
      const bench = await Bench.create(width);
      const out = bench.zeros(1024);
      const body = `mov.u32 %r1, %tid.x; mov.u32 %r2, %r1; bar.sync 0;
        mul.wide.u32 %rd4, %r1, 4; add.s64 %rd4, %rd0, %rd4; st.global.u32 [%rd4], %r2;
        L: add.u32 %r1, %r1, 64; setp.lt.u32 %p0, %r1, 192; @%p0 bra L; bar.sync 0;
        mul.wide.u32 %rd5, %r1, 4; add.s64 %rd5, %rd0, %rd5; st.global.u32 [%rd5], %r1;`;
      assert.equal(bench.run(kernelText(1, body), [out], { block: 64 }), undefined);
      const expected = Array.from({ length: 256 }, (_, t) => (t < 64 || t >= 192 ? t : 0));
      assert.deepEqual(bench.words(out, 256), expected);
    });
  });
}
