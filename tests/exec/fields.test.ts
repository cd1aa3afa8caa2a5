/** Bit fields and permutations of bytes with constants compute what those of registers do. */
import assert from "node:assert/strict";
import { Bench, kernelText, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

const THREADS = 8;
const NUMBERS = [0, 1, 0x80000000, 0xffffffff, 0x12345678, 0x89abcdef, 0x7fffff80, 0xdeadbeef];
const STARTS = [0, 1, 7, 8, 16, 24, 31, 32, 200, 256 + 3];
const LENGTHS = [0, 1, 8, 9, 22, 31, 32, 255, 256 + 8];
const fields = STARTS.flatMap((start) => LENGTHS.map((length) => [start, length]));
const SELECTORS = [
  0x3210, 0x7654, 0x4440, 0x5410, 0x7632, 0x0123, 0x4567, 0x2222, 0x7604, 0x3340, 0x0501, 0x6273,
  0x9810, 0x8888, 0xfedc, 0x13210,
].map((selector) => [selector]);

/** r5 and r6 are two numbers of the thread's; r10 is the result. */
const operations = [
  { op: "bfe.u32 %r10, %r5,", places: fields },
  { op: "bfe.s32 %r10, %r5,", places: fields },
  { op: "bfi.b32 %r10, %r5, %r6,", places: fields },
  { op: "prmt.b32 %r10, %r5, %r6,", places: SELECTORS },
];

/** Each place as constants, or as what p2 holds. */
function body(op: string, places: number[][], constants: boolean): string {
  const lines = places.map((place, k) => {
    const operands = place.map((value, n) =>
      constants
        ? `mov.u32 %r${8 + n}, ${value};`
        : `ld.global.u32 %r${8 + n}, [%rd2+${8 * k + 4 * n}];`,
    );
    const registers = place.map((_, n) => `%r${8 + n}`).join(", ");
    return `${operands.join(" ")} ${op} ${registers}; st.global.u32 [%rd5+${4 * k}], %r10;`;
  });
  return `mul.wide.u32 %rd4, %r0, 4; add.s64 %rd6, %rd1, %rd4; ld.global.u32 %r5, [%rd6];
    ld.global.u32 %r6, [%rd6+16]; mul.wide.u32 %rd4, %r0, ${4 * places.length}; add.s64 %rd5, %rd0, %rd4;
    ${lines.join("\n")}`;
}

for (const width of WIDTHS) {
  describe(`fields at constant places, ${width} lanes`, () => {
    for (const { op, places } of operations) {
      test(op.split(" ")[0]!, async () => {
        const bench = await Bench.shared(width);
        const numbers = bench.upload(Uint32Array.from([...NUMBERS, ...NUMBERS]));
        const own = bench.upload(Uint32Array.from(places.flatMap(([a, b = 0]) => [a!, b])));
        const [expected, got] = [false, true].map((constants) => {
          const out = bench.zeros(4 * THREADS * places.length);
          const text = kernelText(3, body(op, places, constants));
          assert.equal(bench.run(text, [out, numbers, own], { block: THREADS }), undefined);
          return bench.words(out, THREADS * places.length);
        });
        assert.deepEqual(got, expected);
        assert.ok(new Set(got).size > places.length / 2);
      });
    }
  });
}
