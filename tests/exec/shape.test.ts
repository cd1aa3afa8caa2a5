/** What a block's shape decides is decided when a kernel is compiled for it. */
import assert from "node:assert/strict";
import { reportKernel } from "../../runtime/compiler/index.ts";
import { Bench, kernelText } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

/** p0[tid] = (ntid.x > 40 ? 2 : 1) + 10 × tid.y, by a branch whose sides meet in a phi. */
const text = kernelText(
  1,
  `mov.u32 %r1, %ntid.x; mov.u32 %r2, %tid.y; mad.lo.u32 %r4, %r2, %r1, %r0;
  setp.gt.u32 %p0, %r1, 40; @%p0 bra A; mov.u32 %r3, 1; bra B; A: mov.u32 %r3, 2;
  B: mad.lo.u32 %r3, %r2, 10, %r3; mul.wide.u32 %rd4, %r4, 4; add.s64 %rd5, %rd0, %rd4;
  st.global.u32 [%rd5], %r3;`,
);

describe("the shape of a block", () => {
  for (const block of [
    [32, 1, 1],
    [64, 1, 1],
    [32, 2, 1],
    [44, 3, 1],
  ] as [number, number, number][]) {
    test(`${block.join(" by ")} threads`, async () => {
      const lowered = await lowerText(text);
      assert.deepEqual(reportKernel(lowered, block).branches, []);
      const threads = block[0] * block[1];
      const expected = Array.from(
        { length: threads },
        (_, t) => (block[0] > 40 ? 2 : 1) + 10 * Math.floor(t / block[0]),
      );
      for (const width of [1, 4] as const) {
        const bench = await Bench.create(width);
        const out = bench.zeros(4 * threads);
        assert.equal(bench.run(text, [out], { block }), undefined);
        assert.deepEqual(bench.words(out, threads), expected);
      }
    });
  }
});
