import assert from "node:assert/strict";
import { describe, test } from "../harness.ts";
import { Bench, kernelText, WIDTHS } from "./bench.ts";

const SMEM = ".shared .align 128 .b8 buf[8192]; .shared .align 8 .b64 bar[4];";

/** Each thread copies 16 bytes with a source size of its own; then the block writes its buffer out. */
const ZERO_FILL = kernelText(
  3,
  `shl.b32 %r1, %r0, 4;
mov.u32 %r2, buf; add.u32 %r2, %r2, %r1;
cvt.u64.u32 %rd4, %r1; add.u64 %rd5, %rd0, %rd4;
mul.wide.u32 %rd6, %r0, 4; add.u64 %rd6, %rd1, %rd6;
ld.global.u32 %r3, [%rd6];
setp.ne.u32 %p1, %r3, 0;
selp.b64 %rd5, %rd5, 0, %p1;
cp.async.cg.shared.global [%r2], [%rd5], 16, %r3;
cp.async.commit_group;
cp.async.wait_group 0;
bar.sync 0;
ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r2];
add.u64 %rd7, %rd2, %rd4;
st.global.v4.u32 [%rd7], {%r4, %r5, %r6, %r7};`,
  SMEM,
);

const IGNORE = kernelText(
  2,
  `shl.b32 %r1, %r0, 3;
mov.u32 %r2, buf; add.u32 %r2, %r2, %r1;
cvt.u64.u32 %rd4, %r1; add.u64 %rd5, %rd0, %rd4;
and.b32 %r3, %r0, 1; setp.ne.u32 %p1, %r3, 0;
cp.async.ca.shared.global [%r2], [%rd5], 8, %p1;
cp.async.wait_all;
ld.shared.u64 %rd8, [%r2];
add.u64 %rd7, %rd1, %rd4;
st.global.u64 [%rd7], %rd8;`,
  SMEM,
);

/** One thread fetches n bytes in bulk; all wait for the barrier's parity; then each doubles a word. */
const BULK = kernelText(
  3,
  `mov.u32 %r1, buf; mov.u32 %r2, bar;
ld.global.u32 %r5, [%rd2];
setp.ne.u32 %p1, %r0, 0;
@%p1 bra READY;
mbarrier.init.shared.b64 [%r2], 1;
fence.mbarrier_init.release.cluster;
READY: bar.sync 0;
@%p1 bra WAIT;
mbarrier.arrive.expect_tx.shared.b64 %rd9, [%r2], %r5;
cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%rd0], %r5, [%r2];
WAIT: mbarrier.try_wait.parity.shared.b64 %p2, [%r2], 0;
@!%p2 bra WAIT;
shl.b32 %r3, %r0, 2; add.u32 %r3, %r3, %r1;
ld.shared.u32 %r4, [%r3]; add.u32 %r4, %r4, %r4; st.shared.u32 [%r3], %r4;
fence.proxy.async.shared::cta;
bar.sync 0;
@%p1 bra DONE;
cp.async.bulk.global.shared::cta.bulk_group [%rd1], [%r1], %r5;
cp.async.bulk.commit_group;
cp.async.bulk.wait_group 0;
DONE:`,
  SMEM,
);

const REDUCE = (op: string) =>
  kernelText(
    2,
    `mov.u32 %r1, buf; shl.b32 %r2, %r0, 2; add.u32 %r3, %r1, %r2;
cvt.u64.u32 %rd4, %r2; add.u64 %rd5, %rd0, %rd4;
ld.global.u32 %r4, [%rd5]; st.shared.u32 [%r3], %r4;
bar.sync 0;
setp.ne.u32 %p1, %r0, 0;
@%p1 bra DONE;
cp.reduce.async.bulk.global.shared::cta.bulk_group.${op} [%rd1], [%r1], 128;
cp.async.bulk.commit_group;
cp.async.bulk.wait_group.read 0;
DONE:`,
    SMEM,
  );

for (const width of WIDTHS) {
  describe(`asynchronous copies, ${width} lanes`, () => {
    test("cp.async fills with zeros behind its source size, and reads nothing at size 0", async () => {
      const bench = await Bench.create(width);
      const data = Uint8Array.from({ length: 32 * 16 }, (_, k) => (k * 7 + 1) & 255);
      const sizes = Uint32Array.from({ length: 32 }, (_, k) => (k % 5) * 4);
      const out = bench.zeros(512);
      const fault = bench.run(ZERO_FILL, [bench.upload(data), bench.upload(sizes), out], {
        block: 32,
      });
      assert.equal(fault, undefined);
      const expected = data.map((v, k) => (k % 16 < sizes[k >> 4] ? v : 0));
      assert.deepEqual(bench.bytes(out, 512), expected);
    });

    test("cp.async with ignore-src stores zeros", async () => {
      const bench = await Bench.create(width);
      const data = BigUint64Array.from({ length: 32 }, (_, k) => (BigInt(k) << 33n) | 5n);
      const out = bench.zeros(256);
      assert.equal(bench.run(IGNORE, [bench.upload(data), out], { block: 32 }), undefined);
      assert.deepEqual(
        bench.longs(out, 32),
        [...data].map((v, k) => (k & 1 ? 0n : v)),
      );
    });

    test("cp.async.bulk completes on an mbarrier, and goes back in a bulk group", async () => {
      const bench = await Bench.create(width);
      const data = Uint32Array.from({ length: 128 }, (_, k) => k * 3);
      const out = bench.zeros(1024);
      const n = bench.upload(Uint32Array.of(512));
      assert.equal(bench.run(BULK, [bench.upload(data), out, n], { block: 128 }), undefined);
      assert.deepEqual(bench.words(out, 129), [...data].map((v) => v * 2).concat(0));
    });

    test("a bulk copy beyond the shared window or device memory is an illegal address", async () => {
      const bench = await Bench.create(width);
      const data = bench.zeros(1 << 16);
      for (const bytes of [16384, 0x7ffffff0, 0xfffffff0]) {
        const n = bench.upload(Uint32Array.of(bytes));
        const fault = bench.run(BULK, [data, data, n], { block: 32 });
        assert.equal(fault?.code, 700, `${bytes} bytes`);
      }
    });

    test("cp.reduce.async.bulk reduces element by element", async () => {
      const bench = await Bench.create(width);
      const a = Uint32Array.from({ length: 32 }, (_, k) => k * 1000);
      const b = Uint32Array.from({ length: 32 }, (_, k) => 31000 - k * 999);
      const models: [string, (x: number, y: number) => number][] = [
        ["add.u32", (x, y) => x + y],
        ["min.u32", Math.min],
        ["xor.b32", (x, y) => x ^ y],
        ["inc.u32", (x, y) => (x >= y ? 0 : x + 1)],
      ];
      for (const [op, model] of models) {
        const out = bench.upload(b);
        assert.equal(bench.run(REDUCE(op), [bench.upload(a), out], { block: 32 }), undefined);
        const expected = [...b].map((v, k) => model(v, a[k]));
        assert.deepEqual(bench.words(out, 32), expected, op);
      }
      const ones = bench.upload(Float32Array.from({ length: 32 }, () => 0.5));
      const sums = bench.upload(Float32Array.from({ length: 32 }, (_, k) => k));
      assert.equal(bench.run(REDUCE("add.f32"), [ones, sums], { block: 32 }), undefined);
      assert.deepEqual(
        bench.floats(sums, 32),
        Array.from({ length: 32 }, (_, k) => k + 0.5),
      );
    });
  });
}
