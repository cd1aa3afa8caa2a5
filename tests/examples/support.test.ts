import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { difference, encodePng, fmaf, random } from "../../examples/support.ts";
import { describe, test } from "../harness.ts";

/** a * b + c rounded once, by exact integer arithmetic at a scale of 2⁻⁸⁰⁰. */
function exactFma(a: number, b: number, c: number): number {
  const scaled = (x: number): bigint => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, x);
    const bits = view.getBigUint64(0);
    const exponent = (bits >> 52n) & 2047n;
    const mantissa = (bits & ((1n << 52n) - 1n)) | (exponent ? 1n << 52n : 0n);
    const value = mantissa << ((exponent || 1n) - 1075n + 400n);
    return bits >> 63n ? -value : value;
  };
  const sum = scaled(a) * scaled(b) + (scaled(c) << 400n);
  const magnitude = sum < 0n ? -sum : sum;
  const length = BigInt(magnitude.toString(2).length);
  const exponent = length - 24n > 651n ? length - 24n : 651n; // 2⁻¹⁴⁹ is the last place at least
  let quotient = magnitude >> exponent;
  const rest = magnitude - (quotient << exponent);
  const half = 1n << (exponent - 1n);
  if (rest > half || (rest === half && quotient & 1n)) quotient += 1n;
  const value = Number(quotient) * 2 ** Number(exponent - 800n);
  return sum < 0n ? -value : value;
}

describe("what the examples share", () => {
  test("fmaf rounds once", () => {
    const next = random(1);
    const near = (): number =>
      Math.fround((1 + Math.floor(next() * 8) * 2 ** -23) * (next() < 0.5 ? 1 : -1));
    for (let i = 0; i < 20_000; i++) {
      const [a, b] = [near(), near()];
      const c = near() * 2 ** Math.floor(next() * 60 - 30);
      assert.equal(fmaf(a, b, c) + 0, exactFma(a, b, c) + 0, `${a} * ${b} + ${c}`);
    }
  });

  test("regression: fmaf where rounding to f64 first would be wrong", () => {
    // The exact sum lies just below the middle between two f32; as an f64 it is the middle.
    const a = 1 + 2 ** -23;
    const c = 2 ** 30;
    const b = 64 * (1 - 2 ** -23);
    assert.equal(Math.fround(a * b + c), 2 ** 30);
    assert.equal(fmaf(a, b, c), exactFma(a, b, c));
    const [x, y, z] = [1 + 2 ** -12, 1 + 2 ** -12, 2 ** -53];
    assert.equal(fmaf(x, y, z), exactFma(x, y, z));
    assert.notEqual(Math.fround(x * y + z), exactFma(x, y, z));
  });

  test("difference names the first element that is off", () => {
    assert.equal(difference([1, 2, 3], [1, 2, 3]), "");
    assert.equal(difference([1, 2.1, 4], [1, 2, 3]), "element 1 is 2.1, expected 2");
    assert.equal(difference([1, 2.1, 4], [1, 2, 3], 0.5), "element 2 is 4, expected 3");
    assert.equal(difference([1], [1, 2]), "1 elements, expected 2");
    assert.equal(difference([Number.NaN], [1], 10), "element 0 is NaN, expected 1");
  });

  test("a PNG holds the pixels that went in", () => {
    const rgb = Uint8Array.from({ length: 5 * 3 * 3 }, (_, i) => i * 5);
    const png = encodePng(5, 3, rgb);
    assert.deepEqual([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const view = new DataView(png.buffer, png.byteOffset);
    assert.deepEqual([view.getUint32(16), view.getUint32(20)], [5, 3]);
    const length = view.getUint32(33);
    assert.equal(new TextDecoder().decode(png.subarray(37, 41)), "IDAT");
    const rows = new Uint8Array(inflateSync(png.subarray(41, 41 + length)));
    for (let y = 0; y < 3; y++) {
      assert.equal(rows[y * 16], 0);
      assert.deepEqual(
        [...rows.subarray(y * 16 + 1, y * 16 + 16)],
        [...rgb.subarray(y * 15, y * 15 + 15)],
      );
    }
    // The CRC of IEND is a constant of the format.
    assert.deepEqual([...png.subarray(-4)], [0xae, 0x42, 0x60, 0x82]);
  });
});
