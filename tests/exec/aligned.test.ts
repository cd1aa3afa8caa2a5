import assert from "node:assert/strict";
import { Bench, kernelText, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

const THREADS = 64;
const all = <T>(value: (t: number) => T) => Array.from({ length: THREADS }, (_, t) => value(t));

/** A kernel with pointers p0 and p1 and 32-bit parameters n and m. */
function text(body: string): string {
  return kernelText(2, `ld.param.u32 %r20, [n]; ld.param.u32 %r21, [m]; ${body}`).replace(
    ".param .u64 p1)",
    ".param .u64 p1, .param .u32 n, .param .u32 m)",
  );
}
const OUT = "mul.wide.u32 %rd5, %r0, 4; add.s64 %rd5, %rd1, %rd5;";

for (const width of WIDTHS) {
  describe(`parameters that may be multiples of four, ${width} lanes`, () => {
    test("a loop from the thread's index up to a width", async () => {
      const bench = await Bench.create(width);
      const data = bench.upload(Uint32Array.from({ length: 256 }, (_, k) => k * k + 1));
      const body = `${OUT} mov.u32 %r5, 0; mov.u32 %r1, %r0;
        L: setp.ge.s32 %p0, %r1, %r20; @%p0 bra E; mul.wide.s32 %rd4, %r1, 4; add.s64 %rd4, %rd0, %rd4;
        ld.global.u32 %r2, [%rd4]; add.u32 %r5, %r5, %r2; add.u32 %r1, %r1, 64; bra L;
        E: st.global.u32 [%rd5], %r5;`;
      for (const n of [0, 1, 4, 63, 64, 65, 100, 102, 128, 253, 256]) {
        const out = bench.zeros(256);
        assert.equal(bench.run(text(body), [data, out, n, 0], { block: THREADS }), undefined);
        const sum = (t: number) => {
          let s = 0;
          for (let k = t; k < n; k += 64) s += k * k + 1;
          return s;
        };
        assert.deepEqual(bench.words(out, THREADS), all(sum), `n = ${n}`);
      }
    });

    test("the rounds that are left of a thread's share", async () => {
      // ((~t + n) >> 4) + 1, and what of it is left by fours: as nvcc unrolls a loop.
      const bench = await Bench.create(width);
      const body = `${OUT} not.b32 %r1, %r0; add.s32 %r2, %r1, %r20; shr.s32 %r3, %r2, 4;
        add.s32 %r3, %r3, 1; and.b32 %r4, %r3, 3; mov.u32 %r5, 0; sub.s32 %r6, %r20, %r0;
        L: setp.eq.s32 %p0, %r4, 0; @%p0 bra E; add.s32 %r5, %r5, 1000; add.s32 %r4, %r4, -1; bra L;
        E: and.b32 %r7, %r6, 15; mad.lo.u32 %r5, %r7, 50, %r5; add.s32 %r5, %r5, %r3;
        setp.lt.s32 %p1, %r6, 32; @%p1 bra F; add.s32 %r5, %r5, 7; F: st.global.u32 [%rd5], %r5;`;
      const model = (n: number) => (t: number) => {
        const rounds = ((~t + n) >> 4) + 1;
        return ((rounds & 3) * 1000 + ((n - t) & 15) * 50 + rounds + (n - t < 32 ? 0 : 7)) >>> 0;
      };
      for (const n of [0, 1, 2, 3, 4, 16, 30, 32, 60, 64, 67, 96, 128]) {
        const out = bench.zeros(256);
        assert.equal(bench.run(text(body), [out, out, n, 0], { block: THREADS }), undefined);
        assert.deepEqual(bench.words(out, THREADS), all(model(n)), `n = ${n}`);
      }
    });

    test("a guard in front of a loop, and accesses that go anywhere", async () => {
      // Threads from 40 on end; the loop gains by n as a multiple of four; both accesses go anywhere.
      const bench = await Bench.create(width);
      const places = Uint32Array.from({ length: 64 }, (_, t) => (t * 37) & 63);
      const body = `setp.ge.u32 %p1, %r0, 40; @%p1 bra F; mul.lo.u32 %r3, %r0, %r0; and.b32 %r3, %r3, 63;
        mul.wide.u32 %rd4, %r3, 4; add.s64 %rd4, %rd0, %rd4; ld.global.u32 %r2, [%rd4];
        mul.lo.u32 %r3, %r0, 37; and.b32 %r3, %r3, 63; mul.wide.u32 %rd5, %r3, 4; add.s64 %rd5, %rd1, %rd5;
        mov.u32 %r5, %r2; mov.u32 %r1, %r0;
        L: setp.ge.s32 %p0, %r1, %r20; @%p0 bra E; add.u32 %r5, %r5, 100; add.u32 %r1, %r1, 64; bra L;
        E: st.global.u32 [%rd5], %r5; F:`;
      for (const n of [0, 64, 130, 128]) {
        const [data, out] = [bench.upload(places), bench.zeros(256)];
        assert.equal(bench.run(text(body), [data, out, n, 0], { block: THREADS }), undefined);
        const expected = new Array(64).fill(0);
        for (let t = 0; t < 40; t++) {
          expected[(t * 37) & 63] =
            places[(t * t) & 63] + 100 * Math.max(0, Math.ceil((n - t) / 64));
        }
        assert.deepEqual(bench.words(out, 64), expected, `n = ${n}`);
      }
    });

    test("partners at a distance, and a direction by a bit of the index", async () => {
      const bench = await Bench.create(width);
      const keys = Uint32Array.from({ length: 128 }, (_, k) => Math.imul(k + 1, 0x9e3779b1));
      const body = `add.s32 %r1, %r21, -1; and.b32 %r1, %r1, %r0; shl.b32 %r2, %r0, 1; sub.s32 %r2, %r2, %r1;
        mul.wide.s32 %rd4, %r2, 4; add.s64 %rd4, %rd0, %rd4; add.s32 %r3, %r2, %r21;
        mul.wide.s32 %rd5, %r3, 4; add.s64 %rd5, %rd0, %rd5; ld.global.u32 %r4, [%rd4];
        ld.global.u32 %r5, [%rd5]; and.b32 %r6, %r2, %r20; setp.eq.s32 %p0, %r6, 0;
        setp.gt.u32 %p1, %r4, %r5; xor.pred %p2, %p0, %p1; @%p2 bra E;
        st.global.u32 [%rd4], %r5; st.global.u32 [%rd5], %r4; E:`;
      for (const distance of [1, 2, 4, 8, 32, 64]) {
        for (const size of [2, 4, 16, 128]) {
          const data = bench.upload(keys);
          const params = [data, data, size, distance];
          assert.equal(bench.run(text(body), params, { block: THREADS }), undefined);
          const expected = [...keys];
          for (let t = 0; t < THREADS; t++) {
            const i = 2 * t - (t & (distance - 1));
            const [a, b] = [keys[i], keys[i + distance]];
            if (a > b === ((i & size) === 0)) [expected[i], expected[i + distance]] = [b, a];
          }
          assert.deepEqual(bench.words(data, 128), expected, `${size}, ${distance}`);
        }
      }
    });
  });
}
