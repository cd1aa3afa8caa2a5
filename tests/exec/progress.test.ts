import assert from "node:assert/strict";
import { Bench, kernelText, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

const BLOCKS = 40;

/** The address of word `index` of the parameter goes to `to`. */
const word = (to: string, index: string) =>
  `mul.wide.u32 ${to}, ${index}, 4; add.s64 ${to}, %rd0, ${to};`;

/** Each block waits for a word of the block behind it, round by round, and then writes its own. */
const chain = (round: string) => `mov.u32 %r1, %ctaid.x; add.u32 %r2, %r1, 1;
  ${word("%rd2", "%r1")} ${word("%rd3", "%r2")} mov.u32 %r8, 1;
  L: ${round} setp.eq.u32 %p0, %r5, 0; @%p0 bra L;
  bar.sync 0; add.u32 %r5, %r5, 1; st.volatile.global.u32 [%rd2], %r5;`;

const ROUNDS = {
  "every thread looks": "ld.volatile.global.u32 %r5, [%rd3]; bar.sync 0;",
  "a warp votes":
    "ld.volatile.global.u32 %r5, [%rd3]; setp.eq.u32 %p1, %r5, 0; vote.sync.all.pred %p1, %p1, -1;",
  "a counter goes on when it may": `ld.volatile.global.u32 %r6, [%rd3]; setp.eq.u32 %p1, %r6, 0;
    @%p1 bra S; sub.u32 %r8, %r8, 1; mov.u32 %r5, %r6;
    S: bar.sync 0; setp.ne.u32 %p0, %r8, 0; @%p0 bra L;`,
  "a counter, and no barrier": `ld.volatile.global.u32 %r6, [%rd3]; setp.eq.u32 %p1, %r6, 0;
    @%p1 bra S; sub.u32 %r8, %r8, 1; mov.u32 %r5, %r6;
    S: setp.ne.u32 %p0, %r8, 0; @%p0 bra L;`,
  "one thread looks for all": `setp.ne.u32 %p1, %r0, 0; @%p1 bra S;
    ld.relaxed.gpu.global.u32 %r6, [%rd3]; st.shared.u32 [%r7], %r6;
    S: bar.sync 0; ld.shared.u32 %r5, [%r7]; bar.sync 0;`,
  "one thread asks an atomic": `setp.ne.u32 %p1, %r0, 0; @%p1 bra S;
    atom.global.or.b32 %r6, [%rd3], 0; st.shared.u32 [%r7], %r6;
    S: bar.sync 0; ld.shared.u32 %r5, [%r7]; bar.sync 0;`,
};

for (const width of WIDTHS) {
  describe(`progress of blocks, ${width} lanes`, () => {
    for (const [name, round] of Object.entries(ROUNDS)) {
      test(`regression: blocks wait for later ones around a barrier: ${name}`, async () => {
        const bench = await Bench.create(width);
        const words = bench.upload(
          Uint32Array.from({ length: BLOCKS + 1 }, (_, b) => (b === BLOCKS ? 7 : 0)),
        );
        const text = kernelText(1, `.shared .b32 told; mov.u32 %r7, told; ${chain(round)}`);
        const fault = bench.run(text, [words], { grid: BLOCKS, block: 64, timeoutMs: 20000 });
        assert.equal(fault, undefined);
        assert.deepEqual(
          bench.words(words, BLOCKS + 1),
          Array.from({ length: BLOCKS + 1 }, (_, b) => 7 + BLOCKS - b),
        );
      });
    }
  });
}
