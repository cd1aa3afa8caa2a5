/**
 * A plain model of `mma.sync`: fragments by the formulas of the PTX ISA (9.7.14.5), sums in
 * BigInt. Nothing here is shared with the device library.
 */

/** A finite number: significand·2^exponent, not normalised, as its format holds it. */
interface Exact {
  significand: bigint;
  exponent: number;
  /** Exponent of the format's leading bit (also for subnormals). */
  top: number;
}

/** A decoded element: a number, ±infinity or NaN. */
export type Element = Exact | number;

/** Bits of exponent and mantissa. */
interface Format {
  exponent: number;
  mantissa: number;
}

export const FORMATS: Record<string, Format> = {
  f16: { exponent: 5, mantissa: 10 },
  bf16: { exponent: 8, mantissa: 7 },
  tf32: { exponent: 8, mantissa: 10 },
  f32: { exponent: 8, mantissa: 23 },
  e5m2: { exponent: 5, mantissa: 2 },
  e4m3: { exponent: 4, mantissa: 3 },
};

/** Decodes the low bits of `bits`; tf32 lies in the upper 19 of 32. */
export function decode(type: string, bits: number): Element {
  if (type === "tf32") return decode("f32", bits & 0xffffe000);
  const format = FORMATS[type];
  if (!format) throw new Error(`no format ${type}`);
  const { exponent, mantissa } = format;
  const bias = (1 << (exponent - 1)) - 1;
  const field = (bits >>> mantissa) & ((1 << exponent) - 1);
  const low = bits & ((1 << mantissa) - 1);
  const negative = (bits >>> (exponent + mantissa)) & 1;
  if (type === "e4m3") {
    if (field === 15 && low === 7) return Number.NaN;
  } else if (field === (1 << exponent) - 1) {
    return low ? Number.NaN : negative ? -Infinity : Infinity;
  }
  const top = Math.max(field, 1) - bias;
  const significand = BigInt(field ? low | (1 << mantissa) : low);
  const exact = {
    significand: negative ? -significand : significand,
    exponent: top - mantissa,
    top,
  };
  // The hardware widens 8-bit floats to f16 before it multiplies: subnormals become normal there.
  if (!type.startsWith("e") || significand === 0n) return exact;
  const length = significand.toString(2).length;
  return { ...exact, top: Math.max(exact.exponent + length - 1, -14) };
}

const toNumber = (e: Element): number =>
  typeof e === "number" ? e : Number(e.significand) * 2 ** e.exponent;

/** x·2^shift cut toward zero. */
function cut(x: bigint, shift: number): bigint {
  if (shift >= 0) return x << BigInt(shift);
  return x < 0n ? -(-x >> BigInt(-shift)) : x >> BigInt(-shift);
}

/** Bits of x·2^exponent in a format, cut toward zero or to nearest even; zeros are +0. */
export function encode(type: string, x: bigint, exponent: number, nearest: boolean): number {
  const { exponent: width, mantissa } = FORMATS[type] as Format;
  const bias = (1 << (width - 1)) - 1;
  const magnitude = x < 0n ? -x : x;
  if (magnitude === 0n) return 0;
  const length = magnitude.toString(2).length;
  const top = Math.max(exponent + length - 1, 1 - bias);
  const shift = exponent - (top - mantissa);
  let significand = cut(magnitude, shift);
  if (nearest && shift < 0) {
    const rest = magnitude - (significand << BigInt(-shift));
    const half = 1n << BigInt(-shift - 1);
    if (rest > half || (rest === half && significand & 1n)) significand += 1n;
  }
  if (significand === 0n) return 0;
  // A carry out of the significand runs into the exponent field, as it should.
  const field = significand >> BigInt(mantissa) ? top + bias - 1 : 0;
  let bits = (BigInt(field) << BigInt(mantissa)) + significand;
  const infinity = BigInt((1 << width) - 1) << BigInt(mantissa);
  if (bits > infinity) bits = infinity;
  return Number(bits | (x < 0n ? 1n << BigInt(width + mantissa) : 0n)) >>> 0;
}

/** One sum of the tensor core: see assembly/devicelib/mma-dot.ts. `type` is the result's. */
export function fusedSum(a: Element[], b: Element[], c: Element, type: string): number {
  const nan = type === "f16" ? 0x7fff : 0x7fffffff;
  const products = a.map((x, k) => toNumber(x) * toNumber(b[k] as Element));
  const plain = products.reduce((sum, p) => sum + p, toNumber(c));
  if (Number.isNaN(plain)) return nan;
  if (!Number.isFinite(plain)) {
    return (
      ((type === "f16" ? 0x7c00 : 0x7f800000) |
        (plain < 0 ? 1 << (type === "f16" ? 15 : 31) : 0)) >>>
      0
    );
  }
  const terms = a.map((x, k) => {
    const [p, q] = [x as Exact, b[k] as Exact];
    return {
      significand: p.significand * q.significand,
      exponent: p.exponent + q.exponent,
      top: p.top + q.top,
    };
  });
  terms.push(c as Exact);
  const counting = terms.filter((t) => t.significand !== 0n);
  if (counting.length === 0) return 0;
  const unit = Math.max(...counting.map((t) => t.top)) - 25;
  const sum = counting.reduce((s, t) => s + cut(t.significand, t.exponent - unit), 0n);
  return encode(type, sum, unit, type === "f16");
}

/** Registers of an operand: 32 lanes each. */
export type Registers = number[][];

/** Element i of a row-major matrix from fragments of A: registers of `per` elements. */
export function elementA(a: Registers, row: number, k: number, per: number, tall: boolean) {
  const lane = 4 * (row % 8) + (Math.floor(k / per) % 4);
  const register = (tall ? 2 : 1) * Math.floor(k / (4 * per)) + (row >= 8 ? 1 : 0);
  return bitsOf(a, register, lane, k % per, per);
}

/** Element (k, column) from fragments of B. */
export function elementB(b: Registers, k: number, column: number, per: number) {
  const lane = 4 * column + (Math.floor(k / per) % 4);
  return bitsOf(b, Math.floor(k / (4 * per)), lane, k % per, per);
}

function bitsOf(r: Registers, register: number, lane: number, j: number, per: number): number {
  const word = r[register]?.[lane];
  if (word === undefined) throw new Error("outside of the fragment");
  const width = 32 / per;
  return width === 32 ? word >>> 0 : (word >>> (j * width)) & (2 ** width - 1);
}

/** Register, lane and half of (row, column) of C or D, f32/s32 (one element) or f16 (two). */
export function placeOfC(row: number, column: number, half: boolean) {
  const lane = 4 * (row % 8) + (column >> 1);
  const upper = row >= 8 ? 1 : 0;
  return half
    ? { register: upper, lane, part: column & 1 }
    : { register: 2 * upper + (column & 1), lane, part: 0 };
}
