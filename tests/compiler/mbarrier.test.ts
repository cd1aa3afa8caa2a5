import assert from "node:assert/strict";
import { describe, test } from "../harness.ts";
import { Bench, kernelText, WIDTHS } from "./bench.ts";

const BAR = ".shared .align 8 .b64 bar[2];";

/** All threads arrive and wait by state, `phases` times; every phase sees the whole block's sum. */
const PHASES = kernelText(
  1,
  `.shared .align 16 .b32 sum[8];
mov.u32 %r1, bar; mov.u32 %r2, %ntid.x; mov.u32 %r9, sum;
setp.ne.u32 %p1, %r0, 0;
@%p1 bra START;
mbarrier.init.shared::cta.b64 [%r1], %r2;
st.shared.v4.u32 [%r9], {0, 0, 0, 0}; st.shared.u32 [%r9+16], 0;
START: bar.sync 0;
mov.u32 %r3, 0;
LOOP:
shl.b32 %r4, %r3, 2; add.u32 %r4, %r4, %r9;
atom.shared.add.u32 %r5, [%r4], %r0;
mbarrier.arrive.shared::cta.b64 %rd1, [%r1];
WAIT: mbarrier.test_wait.shared::cta.b64 %p2, [%r1], %rd1;
@!%p2 bra WAIT;
ld.shared.u32 %r6, [%r4];
mad.lo.u32 %r7, %r3, %r2, %r0;
mul.wide.u32 %rd2, %r7, 4; add.u64 %rd2, %rd0, %rd2;
st.global.u32 [%rd2], %r6;
add.u32 %r3, %r3, 1;
setp.lt.u32 %p3, %r3, 5;
@%p3 bra LOOP;
bar.sync 0;
mbarrier.inval.shared::cta.b64 [%r1];`,
  BAR,
);

/** One thread walks an object through its operations and stores what it sees. */
const WALK = kernelText(
  1,
  `mov.u32 %r1, bar;
mbarrier.init.shared.b64 [%r1], 4;
mbarrier.arrive.noComplete.shared.b64 %rd1, [%r1], 1;
mbarrier.arrive.shared.b64 %rd2, [%r1], 2;
mbarrier.pending_count.b64 %r2, %rd1; st.global.u32 [%rd0], %r2;
mbarrier.pending_count.b64 %r2, %rd2; st.global.u32 [%rd0+4], %r2;
mbarrier.test_wait.shared.b64 %p1, [%r1], %rd1; selp.u32 %r2, 1, 0, %p1; st.global.u32 [%rd0+8], %r2;
mbarrier.expect_tx.shared.b64 [%r1], 64;
mbarrier.arrive_drop.shared.b64 %rd3, [%r1];
mbarrier.test_wait.parity.shared.b64 %p1, [%r1], 0; selp.u32 %r2, 1, 0, %p1; st.global.u32 [%rd0+12], %r2;
mbarrier.complete_tx.shared.b64 [%r1], 48;
mbarrier.test_wait.parity.shared.b64 %p1, [%r1], 0; selp.u32 %r2, 1, 0, %p1; st.global.u32 [%rd0+16], %r2;
mbarrier.complete_tx.shared.b64 [%r1], 16;
mbarrier.test_wait.parity.shared.b64 %p1, [%r1], 0; selp.u32 %r2, 1, 0, %p1; st.global.u32 [%rd0+20], %r2;
mbarrier.test_wait.parity.shared.b64 %p1, [%r1], 1; selp.u32 %r2, 1, 0, %p1; st.global.u32 [%rd0+24], %r2;
mbarrier.arrive.shared.b64 %rd4, [%r1];
mbarrier.pending_count.b64 %r2, %rd4; st.global.u32 [%rd0+28], %r2;
st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.b32 [%r1+8], 77, [%r1];
ld.shared.u32 %r2, [%r1+8]; st.global.u32 [%rd0+32], %r2;
red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%r1+8], 5, [%r1];
ld.shared.u32 %r2, [%r1+8]; st.global.u32 [%rd0+36], %r2;
mbarrier.arrive.expect_tx.shared.b64 %rd5, [%r1], 8;
mbarrier.arrive.shared.b64 %rd5, [%r1], 1;
mbarrier.try_wait.shared.b64 %p1, [%r1], %rd5, 1000; selp.u32 %r2, 1, 0, %p1; st.global.u32 [%rd0+40], %r2;
cp.async.mbarrier.arrive.shared.b64 [%r1];
cp.async.mbarrier.arrive.noinc.shared.b64 [%r1];
mbarrier.arrive.shared.b64 %rd4, [%r1];
mbarrier.pending_count.b64 %r2, %rd4; st.global.u32 [%rd0+44], %r2;`,
  BAR,
);

for (const width of WIDTHS) {
  describe(`mbarrier, ${width} lanes`, () => {
    test("phases of a whole block, waited for by state", async () => {
      for (const threads of [1, 33, 128]) {
        const bench = await Bench.create(width);
        const out = bench.zeros(5 * 4 * threads);
        assert.equal(bench.run(PHASES, [out], { block: threads }), undefined);
        const sum = (threads * (threads - 1)) / 2;
        assert.deepEqual(bench.words(out, 5 * threads), new Array(5 * threads).fill(sum));
      }
    });

    test("counts, transfers, dropped arrivals and parities", async () => {
      const bench = await Bench.create(width);
      const out = bench.zeros(48);
      assert.equal(bench.run(WALK, [out]), undefined);
      // pending 4, then 3; not complete; after the last arrival 64 bytes are open; 16 are; complete:
      // parity 0 has ended and parity 1 runs; 3 arrivals expected now; …; 2 of 3 are left.
      assert.deepEqual(bench.words(out, 12), [4, 3, 0, 0, 0, 1, 0, 3, 77, 82, 1, 2]);
    });

    test("a misaligned object is a fault", async () => {
      const bench = await Bench.create(width);
      const body = "mov.u32 %r1, bar; mbarrier.init.shared.b64 [%r1+4], 1;";
      assert.equal(bench.run(kernelText(1, body, BAR), [bench.zeros(8)])?.code, 716);
    });
  });
}
