import assert from "node:assert/strict";
import { Bench, kernelText, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

const LANES = Array.from({ length: 32 }, (_, k) => k);
const STORE = "mul.wide.u32 %rd9, %r0, 4; add.s64 %rd9, %rd0, %rd9; st.global.u32 [%rd9], %r5;";
/** Members of each pair of lanes in r3, as `tiled_partition<2>` makes them. */
const PAIRS = "mov.u32 %r1, %laneid; and.b32 %r2, %r1, 30; mov.u32 %r3, 3; shl.b32 %r3, %r3, %r2;";

for (const width of WIDTHS) {
  describe(`divergence, ${width} lanes`, () => {
    const run = async (body: string, block = 32, more = {}) => {
      const bench = await Bench.shared(width);
      const out = bench.zeros(4096);
      const fault = bench.run(kernelText(1, body), [out], { block, timeoutMs: 5000, ...more });
      return { fault, words: bench.words(out, block) };
    };

    test("regression: pairs of lanes go through a loop one after the other", async () => {
      const body = `${PAIRS} mov.u32 %r4, 0; mov.u32 %r5, 0;
        L: shfl.sync.bfly.b32 %r6, %r1, 1, 31, %r3; add.u32 %r5, %r5, %r6; add.u32 %r5, %r5, %r4;
        add.u32 %r4, %r4, 1; setp.lt.u32 %p0, %r4, 5; @%p0 bra L; ${STORE}`;
      const { fault, words } = await run(body);
      assert.equal(fault, undefined);
      assert.deepEqual(
        words,
        LANES.map((t) => 5 * (t ^ 1) + 10),
      );
    });

    test("regression: a block that all lanes reach, but some in a later round", async () => {
      // Odd lanes come to the body in the first round, even ones go round by `continue`.
      const body = `mov.u32 %r4, 0; mov.u32 %r5, 0; and.b32 %r1, %r0, 1;
        H: add.u32 %r4, %r4, 1; setp.eq.u32 %p0, %r1, 0; @%p0 bra C;
        add.u32 %r5, %r5, %r4; setp.ge.u32 %p1, %r4, 3; @%p1 bra E; bra H;
        C: mov.u32 %r1, 1; bra H;
        E: ${STORE}`;
      const { fault, words } = await run(body);
      assert.equal(fault, undefined);
      assert.deepEqual(
        words,
        LANES.map((t) => (t & 1 ? 6 : 5)),
      );
    });

    test("regression: a loop that all lanes leave together is not entered by none", async () => {
      // rd3 is the same in four lanes, and 0 in those that don't come to the loop, which would never end there.
      const body = `mov.u32 %r5, 0; and.b32 %r8, %r0, 63; and.b32 %r3, %r0, 3; setp.eq.s32 %p0, %r8, 0; @%p0 bra E;
        add.s32 %r2, %r8, -1; setp.lt.u32 %p1, %r2, 3; @%p1 bra S; sub.s32 %r4, %r8, %r3; mov.u32 %r7, %r8;
        cvt.s64.s32 %rd3, %r4;
        L: mul.wide.s32 %rd5, %r7, 4; add.s64 %rd6, %rd0, %rd5; ld.global.u32 %r6, [%rd6+1024]; add.s32 %r7, %r7, 2;
        add.u32 %r5, %r5, %r6; add.u32 %r5, %r5, 1; add.s64 %rd3, %rd3, -4; setp.ne.s64 %p2, %rd3, 0; @%p2 bra L;
        S: add.u32 %r5, %r5, %r3;
        E: ${STORE}`;
      const { fault, words } = await run(body);
      assert.equal(fault, undefined);
      assert.deepEqual(
        words,
        LANES.map((t) => (t >> 2) + (t & 3)),
      );
    });

    test("regression: what all lanes of a loop load is not loaded by none", async () => {
      const body = `mov.u32 %r5, 7; mov.u32 %r4, 0; mov.u64 %rd5, 16; mul.wide.u32 %rd1, %r0, 4;
        add.s64 %rd1, %rd0, %rd1; ld.global.u32 %r1, [%rd1]; setp.eq.u32 %p0, %r1, 0; @%p0 bra E;
        add.u32 %r5, %r5, %r1;
        L: ld.global.u32 %r6, [%rd5]; add.s64 %rd5, %rd5, 4; add.u32 %r5, %r5, %r6; add.u32 %r4, %r4, 1;
        setp.ne.u32 %p2, %r4, 9; @%p2 bra L;
        E: ${STORE}`;
      const { fault, words } = await run(body);
      assert.equal(fault, undefined);
      assert.deepEqual(
        words,
        LANES.map(() => 7),
      );
    });

    test("regression: a cycle with two entries inside a loop with one", async () => {
      // H is the loop's header; A and B are entered from it both, and lead to each other.
      const body = `mov.u32 %r4, 0; mov.u32 %r5, 0;
        H: add.u32 %r4, %r4, 1; and.b32 %r1, %r0, %r4; setp.ne.u32 %p0, %r1, 0; @%p0 bra B;
        A: add.u32 %r5, %r5, 1; setp.ge.u32 %p1, %r5, 40; @%p1 bra E;
        B: add.u32 %r5, %r5, 10; and.b32 %r2, %r5, 2; setp.ne.u32 %p2, %r2, 0; @%p2 bra A;
        setp.lt.u32 %p3, %r4, 4; @%p3 bra H;
        E: ${STORE}`;
      const { fault, words } = await run(body);
      assert.equal(fault, undefined);
      const model = (t: number) => {
        let [i, x] = [0, 0];
        let at = "H";
        while (at !== "E") {
          if (at === "H") at = t & ++i ? "B" : "A";
          else if (at === "A") at = ++x >= 40 ? "E" : "B";
          else {
            x += 10;
            at = x & 2 ? "A" : i < 4 ? "H" : "E";
          }
        }
        return x;
      };
      assert.deepEqual(words, LANES.map(model));
    });

    test("regression: an inner loop's lanes go on with the outer loop in different rounds", async () => {
      const body = `mov.u32 %r4, 0; mov.u32 %r5, 0; and.b32 %r3, %r0, 3;
        H: add.u32 %r5, %r5, 100; mov.u32 %r6, 0;
        I: add.u32 %r6, %r6, 1; add.u32 %r4, %r4, 1; setp.ge.u32 %p0, %r4, 9; @%p0 bra E;
        add.u32 %r5, %r5, 1; setp.gt.u32 %p1, %r6, %r3; @%p1 bra H; bra I;
        E: mad.lo.u32 %r5, %r4, 10000, %r5; ${STORE}`;
      const { fault, words } = await run(body);
      assert.equal(fault, undefined);
      assert.deepEqual(
        words,
        LANES.map((t) => 90000 + 100 * (1 + Math.floor(8 / ((t & 3) + 1))) + 8),
      );
    });

    test("regression: a uniform way to a block that waits on another way", async () => {
      // Lanes of X go to J by a uniform branch, those of Y to K; K comes after J in the code.
      const body = `mov.u32 %r5, 0; mov.u32 %r2, %ctaid.x; add.u32 %r2, %r2, 2;
        and.b32 %r1, %r0, 1; setp.eq.u32 %p0, %r1, 0; @%p0 bra X;
        setp.eq.u32 %p2, %r2, 3; @%p2 bra K; bra J;
        X: setp.eq.u32 %p1, %r2, 0; @%p1 bra M; setp.eq.u32 %p1, %r2, 1; @%p1 bra E;
        setp.eq.u32 %p1, %r2, 2; @%p1 bra J;
        M: setp.eq.u32 %p1, %r2, 5; @%p1 bra E; bra K;
        J: setp.eq.u32 %p1, %r2, 2; @%p1 bra S; 
        K: setp.lt.u32 %p1, %r0, 7; @!%p1 bra E; bra T;
        S: add.u32 %r5, %r0, 100;
        T: add.u32 %r5, %r5, 1;
        E: ${STORE}`;
      const { fault, words } = await run(body);
      assert.equal(fault, undefined);
      assert.deepEqual(
        words,
        LANES.map((t) => t + 101),
      );
    });

    test("regression: code behind a barrier that no thread reaches", async () => {
      const body = `mov.u32 %r5, %r0; bra E;
        D: bar.sync 0; setp.lt.u32 %p1, %r5, %r7; @%p1 bra D; add.u32 %r7, %r7, %r5;
        bar.sync 0; and.b32 %r7, %r7, %r0; setp.ne.u32 %p2, %r7, 0; @!%p2 bra D;
        E: ${STORE}`;
      const { fault, words } = await run(body);
      assert.equal(fault, undefined);
      assert.deepEqual(words, LANES);
    });

    test("regression: the watchdog ends loops of barriers and of warp operations", async () => {
      const loops = {
        together: "W: bar.sync 0; bra W;",
        apart: "setp.eq.u32 %p0, %r0, 1; @%p0 bra E; W: bar.sync 0; bra W; E: exit;",
        shuffle: `mov.u32 %r1, 0; W: shfl.sync.bfly.b32 %r1, %r1, 1, 31, -1;
          setp.eq.u32 %p0, %r1, 0; @%p0 bra W;`,
      };
      for (const [name, body] of Object.entries(loops)) {
        const { fault } = await run(body, 64, { timeoutMs: 100 });
        assert.equal(fault?.code, 702, name);
      }
    });

    test("regression: lanes that leave at a loop's head after rounds with effects", async () => {
      const body = `mul.wide.u32 %rd9, %r0, 4; add.s64 %rd9, %rd0, %rd9; mov.u32 %r4, 0;
        and.b32 %r1, %r0, 1; setp.gt.u32 %p0, %r0, 99; bar.sync 0;
        H: @%p0 exit;
        ld.global.u32 %r5, [%rd9]; add.u32 %r5, %r5, 1; st.global.u32 [%rd9], %r5;
        setp.gt.u32 %p0, %r0, 21; add.u32 %r4, %r4, 1; setp.le.u32 %p1, %r4, %r1; @%p1 bra H;`;
      // A last group that isn't full: all others are tried as if none of their lanes left.
      const { fault, words } = await run(body, 37);
      assert.equal(fault, undefined);
      assert.deepEqual(
        words,
        Array.from({ length: 37 }, (_, t) => (t <= 21 && t % 2 === 1 ? 2 : 1)),
      );
    });

    test("regression: a fault of a uniform access names a lane that makes it", async () => {
      const body = `setp.lt.u32 %p0, %r0, 2; @%p0 bra E; mov.u64 %rd1, 4096;
        ld.global.u32 %r5, [%rd1]; ${STORE} E:`;
      const { fault } = await run(body);
      assert.deepEqual(fault?.thread, [2, 0, 0]);
    });

    test("regression: diverged warps go from cut to cut side by side", async () => {
      // What a block reduction leaves in shared memory is read, and the next one's first warp writes
      // there again after a shuffle, without a barrier between: code that GPUs run as it is meant.
      const body = `.shared .align 4 .b8 s[64]; mov.u32 %r1, s; shr.u32 %r2, %r0, 5;
        and.b32 %r3, %r0, 31; setp.eq.u32 %p1, %r2, 0; setp.eq.u32 %p2, %r3, 0; mov.u32 %r6, 7;
        @!%p1 bra A; shfl.sync.bfly.b32 %r6, %r6, 1, 31, -1; st.shared.u32 [%r1], %r6;
        A: bar.sync 0; ld.shared.u32 %r5, [%r1]; mov.u32 %r4, 16;
        B: shfl.sync.bfly.b32 %r6, %r6, %r4, 31, -1; shr.u32 %r4, %r4, 1;
        setp.ne.u32 %p0, %r4, 0; @%p0 bra B; shl.b32 %r7, %r2, 2; add.u32 %r7, %r7, %r1;
        @%p2 st.shared.u32 [%r7], %r0; bar.sync 0; ${STORE}`;
      const { fault, words } = await run(body, 128);
      assert.equal(fault, undefined);
      assert.deepEqual([...words], Array(128).fill(7));
    });
  });
}
