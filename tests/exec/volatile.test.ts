import assert from "node:assert/strict";
import { Bench, kernelText, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

const STORE = "mul.wide.u32 %rd9, %r0, 4; add.s64 %rd9, %rd0, %rd9; st.global.u32 [%rd9], %r5;";
const SETUP = ".shared .b32 s[128]; mov.u32 %r1, s; mad.lo.u32 %r2, %r0, 4, %r1;";
const value = (t: number) => 3 * t + 1;
const OWN = "mad.lo.u32 %r3, %r0, 3, 1; st.volatile.shared.u32 [%r2], %r3;";

for (const width of WIDTHS) {
  describe(`volatile shared memory, ${width} lanes`, () => {
    const run = async (body: string, block: number) => {
      const bench = await Bench.create(width);
      const out = bench.zeros(4 * block);
      const fault = bench.run(kernelText(1, body), [out], { block, timeoutMs: 20000 });
      assert.equal(fault, undefined);
      return bench.words(out, block);
    };

    test("regression: a warp's reduction without synchronisation", async () => {
      // s[t] += s[t + k]: all lanes load before one stores, and the other way round.
      const step = (k: number) => `ld.volatile.shared.u32 %r3, [%r2+${4 * k}];
        ld.volatile.shared.u32 %r4, [%r2]; add.u32 %r4, %r4, %r3; st.volatile.shared.u32 [%r2], %r4;`;
      const body = `${SETUP} ${OWN} bar.sync 0; mov.u32 %r5, 0; setp.ge.u32 %p0, %r0, 32; @%p0 bra E;
        ${[32, 16, 8, 4, 2, 1].map(step).join(" ")}
        E: bar.sync 0; ld.shared.u32 %r5, [%r1]; ${STORE}`;
      const sum = Array.from({ length: 64 }, (_, t) => value(t)).reduce((a, b) => a + b);
      assert.deepEqual(await run(body, 64), Array(64).fill(sum));
    });

    test("regression: a warp's scan, in which ever fewer lanes take part", async () => {
      const step = (k: number) => `setp.lt.u32 %p0, %r6, ${k}; @%p0 bra S${k};
        ld.volatile.shared.u32 %r3, [%r2-${4 * k}]; ld.volatile.shared.u32 %r4, [%r2];
        add.u32 %r4, %r4, %r3; st.volatile.shared.u32 [%r2], %r4; S${k}:`;
      const body = `${SETUP} ${OWN} mov.u32 %r6, %laneid; ${[1, 2, 4, 8, 16].map(step).join(" ")}
        ld.volatile.shared.u32 %r5, [%r2]; ${STORE}`;
      const expected = Array.from({ length: 96 }, (_, t) => {
        let sum = 0;
        for (let k = t & ~31; k <= t; k++) sum += value(k);
        return sum;
      });
      assert.deepEqual(await run(body, 96), expected);
    });

    test("a lane waits for one of its warp, which is ahead or behind", async () => {
      for (const [waits, tells] of [
        [0, 1],
        [1, 0],
        [5, 2],
      ]) {
        const body = `${SETUP} st.volatile.shared.u32 [%r1], 0; bar.sync 0; mov.u32 %r5, 1;
          setp.eq.u32 %p0, %r0, ${waits}; @%p0 bra W; setp.eq.u32 %p1, %r0, ${tells}; @%p1 bra T; bra E;
          W: ld.volatile.shared.u32 %r5, [%r1]; setp.eq.u32 %p2, %r5, 0; @%p2 bra W; bra E;
          T: st.volatile.shared.u32 [%r1], 7;
          E: ${STORE}`;
        const words = await run(body, 32);
        assert.deepEqual(
          words,
          Array.from({ length: 32 }, (_, t) => (t === waits ? 7 : 1)),
        );
      }
    });
  });
}
