/** `fma.rm` of a fraction with constants, as nvcc's `expf` has it, rounds as the instruction does. */
import assert from "node:assert/strict";
import { Bench, kernelText } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

const bits = (x: number) => new Uint32Array(Float32Array.of(x).buffer)[0]!;
const hex = (x: number) => `0f${bits(x).toString(16).padStart(8, "0")}`;
const next = (x: number, by: number) => new Float32Array(Uint32Array.of(bits(x) + by).buffer)[0]!;

/** p1[i] = fma.rm(sat(p0[i]), scale, first) */
const text = (scale: number, first: number, type: string) =>
  kernelText(
    2,
    `mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mad.lo.u32 %r1, %r1, %r2, %r0; mul.wide.u32 %rd2, %r1, 4;
    add.s64 %rd0, %rd0, %rd2; add.s64 %rd1, %rd1, %rd2; ld.global.f32 %f0, [%rd0]; cvt.sat.f32.f32 %f1, %f0;
    mov.f32 %f2, ${hex(scale)}; mov.f32 %f3, ${hex(first)}; fma.rm.${type} %f4, %f1, %f2, %f3;
    st.global.f32 [%rd1], %f4;`,
  );

/** Scale and addend; those of `expf` first, and then the ends of what is done in the short way. */
const pairs: [scale: number, first: number][] = [
  [252, 12582913],
  [252, 2 ** 24 - 253],
  [1, 2 ** 23],
  [1023 * 2 ** 12, 2 ** 23],
  [1023, 2 ** 23],
  [0, 2 ** 23],
  [1025, 2 ** 23],
  [252, 2 ** 24 - 252],
  [252, 2 ** 22],
  [-252, 12582913],
];

/** Numbers about the steps of `scale`, and others from 0 to 1 and outside of it. */
function inputs(scale: number): Float32Array {
  const numbers = [0, -0, 1, -1, 2, Number.NaN, Infinity, -Infinity, 1e-45, 1e-39, 1.2e-38, 0.5];
  const steps = Math.max(1, Math.floor(Math.abs(scale)));
  for (let k = 0; k < 300; k++) {
    const at = Math.fround(((k * 7919) % steps) / (Math.abs(scale) || 1)) || next(0, 3);
    numbers.push(next(at, -2), next(at, -1), at, next(at, 1), next(at, 2));
  }
  let seed = 12345;
  while (numbers.length < 4096) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    numbers.push(seed / 2 ** (32 + (numbers.length % 12)));
  }
  return Float32Array.from(numbers);
}

/** The instruction's answer; the product is exact in f64, and so is what is left of it. */
function reference(a: number, scale: number, first: number, flush: boolean): number {
  const fraction = a > 0 ? Math.min(a, 1) : 0;
  const product = flush && fraction < 2 ** -126 ? 0 : fraction * scale;
  const sum = Math.fround(first + product);
  return product - (sum - first) < 0 ? next(sum, -1) : sum;
}

describe("multiply-adds of fractions, rounded down", () => {
  for (const [scale, first] of pairs) {
    for (const type of ["f32", "ftz.f32"]) {
      test(`a × ${scale} + ${first}, ${type}`, async () => {
        const data = inputs(scale);
        const expected = [...data].map((a) => reference(a, scale, first, type !== "f32"));
        for (const width of [1, 4] as const) {
          for (const fused of [true, false]) {
            const bench = await Bench.shared(width, fused);
            const [input, output] = [bench.upload(data), bench.zeros(4 * data.length)];
            const options = { block: 256, grid: data.length / 256 };
            assert.equal(bench.run(text(scale, first, type), [input, output], options), undefined);
            assert.deepEqual(bench.floats(output, data.length), expected);
          }
        }
      });
    }
  }
});
