import assert from "node:assert/strict";
import { describe, test } from "../harness.ts";
import { Bench, kernelText, WIDTHS } from "./bench.ts";

/** Loads, stores and atomics of 128 bits by each of the threads. */
const WIDE = kernelText(
  2,
  `mul.wide.u32 %rd2, %r0, 16; add.u64 %rd3, %rd0, %rd2; add.u64 %rd4, %rd1, %rd2;
ld.global.b128 %q0, [%rd3];
mov.b128 {%rd5, %rd6}, %q0;
add.u64 %rd5, %rd5, %rd6;
mov.b128 %q1, {%rd6, %rd5};
st.relaxed.gpu.global.b128 [%rd4], %q1;
ld.acquire.gpu.global.b128 %q2, [%rd4];
atom.global.relaxed.gpu.exch.b128 %q3, [%rd4], %q0;
and.b32 %r1, %r0, 1; setp.ne.u32 %p1, %r1, 0;
@!%p1 mov.b128 %q2, %q0;
atom.global.cas.b128 %q3, [%rd4], %q2, %q3;
mov.b128 %q0, %q3;
st.global.b128 [%rd3], %q0;`,
);

const VECTORS = kernelText(
  4,
  `cvt.rn.f32.u32 %f0, %r0; mov.f32 %f1, 0f3F800000;
atom.global.add.v2.f32 {%f2, %f3}, [%rd0], {%f0, %f1};
red.global.add.v4.f32 [%rd0+16], {%f1, %f0, %f1, %f0};
mov.b32 %r1, 0x3C003C00;
atom.global.add.noftz.v2.f16x2 {%r2, %r3}, [%rd1], {%r1, %r1};
mov.b16 %h0, 0x3C00; cvt.rn.f16.u32 %h1, %r0;
red.global.max.noftz.v2.f16 [%rd1+8], {%h0, %h1};
cvt.rn.bf16.f32 %h2, %f0;
red.global.min.noftz.v2.bf16 [%rd2], {%h2, %h2};
multimem.ld_reduce.relaxed.gpu.global.add.u32 %r4, [%rd3];
multimem.red.relaxed.gpu.global.add.u32 [%rd3+4], %r4;
multimem.st.relaxed.gpu.global.u32 [%rd3+8], %r4;`,
);

/** Four levels of alloca in a loop, undone each round, with a value in each block of memory. */
const ALLOCA = kernelText(
  1,
  `mov.u32 %r1, 0; mov.u32 %r9, 0;
ROUND: stacksave.u64 %rd1;
add.u32 %r2, %r0, 1; mul.lo.u32 %r2, %r2, 12;
alloca.u64 %rd2, %rd9, 16;
mul.wide.u32 %rd8, %r2, 1;
alloca.u64 %rd3, %rd8, 32;
cvta.local.u64 %rd4, %rd3;
st.local.u32 [%rd2], %r0; add.u32 %r3, %r1, %r0; st.u32 [%rd4], %r3;
and.b64 %rd5, %rd3, 31; cvt.u32.u64 %r8, %rd5;
ld.local.u32 %r4, [%rd2]; ld.local.u32 %r5, [%rd3];
add.u32 %r9, %r9, %r4; add.u32 %r9, %r9, %r5; add.u32 %r9, %r9, %r8;
stackrestore.u64 %rd1;
add.u32 %r1, %r1, 1; setp.lt.u32 %p1, %r1, 1000;
@%p1 bra ROUND;
mul.wide.u32 %rd7, %r0, 4; add.u64 %rd7, %rd7, %rd0; st.global.u32 [%rd7], %r9;`,
).replace("mov.u32 %r0, %tid.x;", "mov.u32 %r0, %tid.x; mov.u64 %rd9, 64;");

const TOO_MUCH = kernelText(1, "mov.u64 %rd1, 1000000; alloca.u64 %rd2, %rd1;");

const SPACES = kernelText(
  1,
  `.shared .b32 s; .local .b32 l; .reg .u64 %x;
cvta.shared.u64 %rd1, s; cvta.local.u64 %rd2, l; cvta.const.u64 %rd3, c; cvta.global.u64 %rd4, g;
mov.u32 %r2, 0;
${["shared", "local", "const", "global"]
  .map((space) =>
    [1, 2, 3, 4]
      .map(
        (k) =>
          `isspacep.${space} %p1, %rd${k}; selp.u32 %r3, 1, 0, %p1; shl.b32 %r2, %r2, 1; or.b32 %r2, %r2, %r3;`,
      )
      .join("\n"),
  )
  .join("\n")}
st.global.u32 [%rd0], %r2;
mapa.shared::cluster.u32 %r4, s, 0; mov.u32 %r5, s; sub.u32 %r4, %r4, %r5; st.global.u32 [%rd0+4], %r4;
getctarank.u64 %r6, %rd1; st.global.u32 [%rd0+8], %r6;
mov.u32 %r7, %cluster_nctarank; st.global.u32 [%rd0+12], %r7;`,
  ".const .b32 c = 5; .global .b32 g = 6;",
);

/** ldmatrix with row addresses that have a constant part. */
const ROWS = kernelText(
  2,
  `shl.b32 %r1, %r0, 4; mov.u32 %r2, buf; add.u32 %r3, %r2, %r1;
cvt.u64.u32 %rd2, %r1; add.u64 %rd3, %rd0, %rd2;
ld.global.v4.u32 {%r4, %r5, %r6, %r7}, [%rd3];
st.shared.v4.u32 [%r3+1024], {%r4, %r5, %r6, %r7};
bar.sync 0;
ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r8}, [%r3+1024];
ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r9, %r10}, [%r3+1024];
mul.wide.u32 %rd4, %r0, 8; add.u64 %rd5, %rd1, %rd4;
st.global.v2.u32 [%rd5], {%r8, %r10};`,
  ".shared .align 16 .b8 buf[2048];",
);

/** Vectors in ordered accesses: the data is copied, its elements in another order, 64 bytes a thread. */
const ORDERED = kernelText(
  2,
  `.reg .f64 %d<4>; mul.wide.u32 %rd2, %r0, 64; add.u64 %rd3, %rd0, %rd2; add.u64 %rd4, %rd1, %rd2;
ld.relaxed.gpu.global.v2.u32 {%r1, %r2}, [%rd3]; st.relaxed.gpu.global.v2.u32 [%rd4], {%r2, %r1};
ld.volatile.global.v2.f32 {%f1, %f2}, [%rd3+8]; st.volatile.global.v2.f32 [%rd4+8], {%f2, %f1};
ld.acquire.gpu.global.v4.u32 {%r1, %r2, _, %r4}, [%rd3+16];
st.release.gpu.global.v4.u32 [%rd4+16], {%r4, %r2, %r2, %r1};
ld.relaxed.sys.v2.u64 {%rd5, %rd6}, [%rd3+32]; st.relaxed.sys.v2.u64 [%rd4+32], {%rd6, %rd5};
ld.volatile.global.v2.f64 {%d1, %d2}, [%rd3+48]; st.volatile.global.v2.f64 [%rd4+48], {%d2, %d1};`,
);

for (const width of WIDTHS) {
  describe(`memory operations, ${width} lanes`, () => {
    test("128-bit loads, stores, exchanges and compare-and-swaps", async () => {
      const bench = await Bench.create(width);
      const data = BigUint64Array.from({ length: 66 }, (_, k) => BigInt(k) * 0x1234567890abn);
      const [a, b] = [bench.upload(data), bench.zeros(66 * 8)];
      assert.equal(bench.run(WIDE, [a, b], { block: 33 }), undefined);
      const old: bigint[] = [];
      const now: bigint[] = [];
      for (let t = 0; t < 33; t++) {
        const [low, high] = [data[2 * t], data[2 * t + 1]];
        // The exchange left the input there: a swap that expects it (even threads) succeeds.
        now.push(...(t & 1 ? [low, high] : [high, low + high]));
        old.push(low, high);
      }
      assert.deepEqual(bench.longs(a, 66), old);
      assert.deepEqual(bench.longs(b, 66), now);
    });

    test("ordered vectors", async () => {
      const bench = await Bench.create(width);
      const data = Uint32Array.from({ length: 33 * 16 }, (_, k) => (k * 2654435761) >>> 0);
      // Floats go through as they are: no NaNs, whose payload an engine may change.
      for (let k = 0; k < data.length; k++) data[k] = ((data[k] as number) & 0x3fffffff) | 0x100000;
      const [a, b] = [bench.upload(data), bench.zeros(data.byteLength)];
      assert.equal(bench.run(ORDERED, [a, b], { block: 33 }), undefined);
      const from = [1, 0, 3, 2, 7, 5, 5, 4, 10, 11, 8, 9, 14, 15, 12, 13];
      const want = Array.from(data, (_, k) => data[(k & ~15) + (from[k & 15] as number)]);
      assert.deepEqual([...bench.words(b, data.length)], want);
    });

    test("atomics and reductions of vectors, and multimem on one device", async () => {
      const bench = await Bench.create(width);
      const [f, h, m] = [bench.zeros(32), bench.zeros(16), bench.upload(Uint32Array.of(3, 0, 0))];
      const least = bench.upload(Uint32Array.of(0x7f007f00));
      assert.equal(bench.run(VECTORS, [f, h, least, m], { block: 64 }), undefined);
      assert.deepEqual(bench.floats(f, 8), [2016, 64, 0, 0, 64, 2016, 64, 2016]);
      assert.deepEqual(bench.words(h, 3), [0x54005400, 0x54005400, 0x53e03c00]);
      assert.deepEqual(bench.words(least, 1), [0]);
      assert.deepEqual(bench.words(m, 3), [3, 192, 3]);
    });

    test("alloca, stacksave and stackrestore", async () => {
      const bench = await Bench.create(width);
      const out = bench.zeros(256);
      assert.equal(bench.run(ALLOCA, [out], { block: 64 }), undefined);
      const expected = Array.from({ length: 64 }, (_, t) => 2000 * t + 499500);
      assert.deepEqual(bench.words(out, 64), expected);
      assert.equal(bench.run(TOO_MUCH, [out])?.code, 719);
    });

    test("state spaces of generic addresses, and a cluster of one block", async () => {
      const bench = await Bench.create(width);
      const out = bench.upload(Uint32Array.of(9, 9, 9, 9));
      assert.equal(bench.run(SPACES, [out]), undefined);
      assert.deepEqual(bench.words(out, 4), [0b1000_0100_0010_0001, 0, 0, 1]);
    });

    test("regression: dynamic shared memory by its name, behind static variables", async () => {
      const bench = await Bench.create(width);
      const text = kernelText(
        1,
        `.shared .align 4 .b8 fixed[36]; mov.u32 %r1, fixed; mov.u32 %r2, 0;
FILL: add.u32 %r3, %r1, %r2; st.shared.u32 [%r3], 7; add.u32 %r2, %r2, 4; setp.lt.u32 %p1, %r2, 36; @%p1 bra FILL;
st.shared.u32 [dynamic], 1; st.shared.u32 [dynamic+4], 2; ld.shared.u32 %r4, [fixed+0]; ld.shared.u32 %r5, [fixed+4];
mov.u32 %r6, dynamic; ld.shared.u32 %r7, [%r6+4]; st.global.v4.u32 [%rd0], {%r4, %r5, %r6, %r7};`,
        ".extern .shared .align 16 .b8 dynamic[];",
      );
      const out = bench.zeros(16);
      assert.equal(bench.run(text, [out], { dynamicSharedBytes: 16 }), undefined);
      assert.deepEqual(bench.words(out, 4), [7, 7, 48, 2]);
    });

    test("ldmatrix keeps the constant part of its rows' addresses", async () => {
      const bench = await Bench.create(width);
      const data = Uint32Array.from({ length: 128 }, (_, k) => k + 1);
      const out = bench.zeros(256);
      assert.equal(bench.run(ROWS, [bench.upload(data), out], { block: 32 }), undefined);
      const expected = Array.from({ length: 32 }, (_, t) => [data[t], data[32 + t]]).flat();
      assert.deepEqual(bench.words(out, 64), expected);
    });
  });
}

describe("what is refused at load", () => {
  const refuse = async (ptx: string, message: RegExp) => {
    const bench = await Bench.create();
    assert.throws(() => bench.executor.loadModule(ptx), message);
  };

  test("copies by tensor map, sparse warpgroup products, multisampled textures", async () => {
    const copy = "cp.async.bulk.tensor.1d.global.shared::cta.bulk_group [%rd0, {%r1}], [%r2];";
    await refuse(kernelText(1, copy), /copies by tensor map.*cp\.async\.bulk\.tensor/);
    const sparse =
      "wgmma.mma_async.sp.sync.aligned.m64n8k32.f32.f16.f16 {%f0, %f1, %f2, %f3}, " +
      "{%r1, %r2, %r3, %r4}, %rd1, %r5, 0, %p1, 1, 1, 0;";
    await refuse(
      kernelText(0, sparse).replace("sm_90", "sm_90a"),
      /unsupported instruction: wgmma/,
    );
    const fetch = "tex.2dms.v4.u32.s32 {%r1, %r2, %r3, %r4}, [%rd0, {%r5, %r6, %r7, %r7}];";
    await refuse(kernelText(1, fetch), /multisampled textures/);
  });
});

describe("comparisons with results of 16 bits", () => {
  const ONE = 0x3c00;
  const cases: [string, number, number, number][] = [
    ["set.lt.f16.f16", 0x3c00, 0x4000, ONE],
    ["set.lt.u16.f16", 0x3c00, 0x4000, 0xffff],
    ["set.lt.s16.bf16", 0x4000, 0x3f80, 0],
    ["set.ne.bf16.u16", 1, 2, 0x3f80],
    ["set.eq.f16.s16", 0xffff, 0xffff, ONE],
    ["set.gt.f16x2.f16x2", 0x3c004000, 0x3c003c00, ONE],
    ["set.equ.u32.f16x2", 0x7e003c00, 0x3c003c00, 0xffffffff],
    ["set.le.bf16x2.bf16x2", 0x3f803f80, 0x40003f00, 0x3f800000],
  ];
  for (const [op, x, y, expected] of cases) {
    test(op, async () => {
      const bench = await Bench.create();
      const small = /16$/.test(op) && !/x2$/.test(op);
      const body = small
        ? `mov.b16 %h0, ${x}; mov.b16 %h1, ${y}; ${op} %h2, %h0, %h1; cvt.u32.u16 %r1, %h2;`
        : `mov.b32 %r2, ${x}; mov.b32 %r3, ${y}; ${op} %r1, %r2, %r3;`;
      const out = bench.zeros(4);
      const fault = bench.run(kernelText(1, `${body} st.global.u32 [%rd0], %r1;`), [out]);
      assert.equal(fault, undefined);
      assert.deepEqual(bench.words(out, 1), [expected]);
    });
  }

  test("lop3 with a predicate", async () => {
    const bench = await Bench.create();
    const out = bench.zeros(8);
    const body = `mov.u32 %r1, 0xF0; mov.u32 %r2, 0xCC; mov.u32 %r3, 0xAA; setp.eq.u32 %p1, 0, 0;
lop3.and.b32 %r4|%p2, %r1, %r2, %r3, 0x80, %p1; selp.u32 %r5, 1, 0, %p2;
lop3.or.b32 %r6|%p3, %r1, %r2, %r3, 0, !%p1; selp.u32 %r7, 1, 0, %p3;
shl.b32 %r5, %r5, 1; or.b32 %r5, %r5, %r7; st.global.v2.u32 [%rd0], {%r4, %r5};`;
    assert.equal(bench.run(kernelText(1, body), [out]), undefined);
    assert.deepEqual(bench.words(out, 2), [0x80, 2]);
  });
});
