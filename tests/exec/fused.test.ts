/** Sums of fused multiply-adds in code for single threads, which are kept in vectors' first lanes. */
import assert from "node:assert/strict";
import { Bench, kernelText } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

const THREADS = 32;
const LOOP = "add.u32 %r1, %r1, 1; setp.lt.u32 %p0, %r1, %r2; @%p0 bra LOOP;";
const NEXT = "add.s64 %rd4, %rd4, 4;";

/** Bodies that leave a float in %f0; %rd4 points to the thread's words, %r2 are its rounds. */
const bodies: Record<string, string> = {
  "one sum": `mov.f32 %f0, 0f3F800000; LOOP: ld.global.f32 %f1, [%rd4]; ld.global.f32 %f2, [%rd4+4];
    fma.rn.f32 %f0, %f1, %f2, %f0; ${NEXT} ${LOOP}`,
  "sums that change places": `mov.f32 %f0, 0f3F800000; mov.f32 %f3, 0f40490FDB; LOOP: ld.global.f32 %f1, [%rd4];
    fma.rn.f32 %f4, %f1, %f0, %f3; mov.f32 %f3, %f0; mov.f32 %f0, %f4; ${NEXT} ${LOOP} sub.f32 %f0, %f0, %f3;`,
  "a sum that is looked at": `mov.f32 %f0, 0f3F800000; LOOP: ld.global.f32 %f1, [%rd4];
    fma.rn.f32 %f0, %f1, 0f3F4CCCCD, %f0; setp.gt.f32 %p1, %f0, 0f41200000; @%p1 mul.f32 %f0, %f0, 0f3E800000;
    ${NEXT} ${LOOP}`,
  "a load that is added, too": `mov.f32 %f0, 0f80000000; mov.f32 %f3, 0f00000000; LOOP: ld.global.f32 %f1, [%rd4];
    fma.rn.f32 %f0, %f1, %f1, %f0; add.f32 %f3, %f3, %f1; ${NEXT} ${LOOP} mul.f32 %f0, %f0, %f3;`,
  "a sum that skips rounds": `mov.f32 %f0, 0f3F800000; LOOP: ld.global.f32 %f1, [%rd4];
    setp.lt.f32 %p1, %f1, 0f3F000000; @%p1 bra SKIP; fma.rn.f32 %f0, %f1, %f0, %f1; SKIP: ${NEXT} ${LOOP}`,
  "of f64": `mov.f64 %d0, 0d3FF0000000000000; LOOP: ld.global.f32 %f1, [%rd4]; cvt.f64.f32 %d1, %f1;
    fma.rn.f64 %d0, %d1, %d0, %d1; ${NEXT} ${LOOP} cvt.rn.f32.f64 %f0, %d0;`,
  "loads of f64": `mov.f64 %d0, 0d3FF0000000000000; and.b64 %rd4, %rd4, -8; LOOP: ld.global.f64 %d1, [%rd4];
    ld.global.f64 %d2, [%rd4+8]; fma.rn.f64 %d0, %d1, 0d3FE0000000000000, %d0; fma.rn.f64 %d0, %d2, %d1, %d0;
    add.s64 %rd4, %rd4, 8; ${LOOP} cvt.rn.f32.f64 %f0, %d0;`,
};

describe("fused multiply-adds one thread at a time", () => {
  for (const [name, body] of Object.entries(bodies)) {
    test(name, async () => {
      const text = kernelText(
        2,
        `.reg .f64 %d<4>; mul.lo.u32 %r3, %r0, 20; cvt.u64.u32 %rd4, %r3; add.s64 %rd4, %rd1, %rd4;
        and.b32 %r2, %r0, 7; add.u32 %r2, %r2, 1; mov.u32 %r1, 0; ${body}
        mul.wide.u32 %rd5, %r0, 4; add.s64 %rd5, %rd0, %rd5; st.global.f32 [%rd5], %f0;`,
      );
      const words: number[][] = [];
      for (const [width, fused] of [
        [1, true],
        [1, false],
        [4, true],
      ] as const) {
        const bench = await Bench.shared(width, fused);
        const data = Float32Array.from({ length: 1024 }, (_, k) => ((k * 37) % 101) / 101);
        const out = bench.zeros(4 * THREADS);
        assert.equal(bench.run(text, [out, bench.upload(data)], { block: THREADS }), undefined);
        words.push(bench.words(out, THREADS));
      }
      assert.deepEqual(words[0], words[1]);
      assert.deepEqual(words[0], words[2]);
      assert.ok(new Set(words[0]).size > THREADS - 3);
    });
  }
});
