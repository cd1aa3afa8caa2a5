/** Exchange in shared memory that counts on the lanes of a warp being in step, without saying so. */
import assert from "node:assert/strict";
import { Bench, kernelText, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

/** r2 = address of s[tid], r3 = 3 tid + 1; rd9 = address of p0[tid]. */
const SETUP = `mov.u32 %r1, s; mad.lo.u32 %r2, %r0, 4, %r1; mad.lo.u32 %r3, %r0, 3, 1;
  mul.wide.u32 %rd9, %r0, 4; add.s64 %rd9, %rd0, %rd9; mov.u32 %r5, 0;`;
const SAVE = "st.global.u32 [%rd9], %r5;";
const value = (t: number) => 3 * t + 1;

for (const width of WIDTHS) {
  describe(`exchange without synchronisation, ${width} lanes`, () => {
    const run = async (body: string, block: number) => {
      const bench = await Bench.create(width);
      const out = bench.zeros(4 * block);
      const text = kernelText(1, body, ".shared .align 16 .b32 s[128];");
      assert.equal(bench.run(text, [out], { block }), undefined);
      return bench.words(out, block);
    };

    test("regression: one lane adds up what others have stored just before", async () => {
      // A barrier, for what came before; then some lanes store, and the first one reads.
      const body = `${SETUP} st.shared.u32 [%r2], 0; bar.sync 0; setp.ge.u32 %p0, %r0, 17; @%p0 bra J;
        st.shared.u32 [%r2], %r3; J: setp.ne.u32 %p1, %r0, 0; @%p1 bra E;
        ld.shared.u32 %r4, [s+64]; ld.shared.u32 %r5, [%r1+4]; add.u32 %r5, %r5, %r4; E: ${SAVE}`;
      const expected = Array(64).fill(0);
      expected[0] = value(1) + value(16);
      assert.deepEqual(await run(body, 64), expected);
    });

    test("regression: a kernel without a barrier, in which lanes pass on what they have", async () => {
      // s[t] = v; v = s[(t + 1) % 8 of eight lanes]; s[t] = v; v = s[t ^ 4].
      const body = `${SETUP} st.shared.u32 [%r2], %r3; add.u32 %r6, %r0, 1; and.b32 %r6, %r6, 7;
        and.b32 %r7, %r0, -8; add.u32 %r6, %r6, %r7; mad.lo.u32 %r6, %r6, 4, %r1; ld.shared.u32 %r3, [%r6];
        st.shared.u32 [%r2], %r3; xor.b32 %r7, %r0, 4; mad.lo.u32 %r7, %r7, 4, %r1;
        ld.shared.u32 %r5, [%r7]; ${SAVE}`;
      const next = (t: number) => value((t & -8) + ((t + 1) & 7));
      assert.deepEqual(
        await run(body, 64),
        Array.from({ length: 64 }, (_, t) => next(t ^ 4)),
      );
    });

    test("what a thread has stored itself is there for it, in a loop as well", async () => {
      const body = `${SETUP} st.shared.u32 [%r2], %r3; mov.u32 %r6, 0; L: ld.shared.u32 %r5, [%r2];
        add.u32 %r5, %r5, %r6; st.shared.u32 [%r2], %r5; add.u32 %r6, %r6, 1; setp.lt.u32 %p0, %r6, 5;
        @%p0 bra L; ${SAVE}`;
      assert.deepEqual(
        await run(body, 64),
        Array.from({ length: 64 }, (_, t) => value(t) + 10),
      );
    });
  });
}
