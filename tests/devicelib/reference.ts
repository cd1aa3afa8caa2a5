/** Exact models of floating-point operations in BigInt: one rounding of the mathematical result. */

/** A binary format: explicit fraction bits, exponent bits. */
export interface Format {
  fraction: number;
  exponent: number;
}

export const F16: Format = { fraction: 10, exponent: 5 };
export const BF16: Format = { fraction: 7, exponent: 8 };
export const F32: Format = { fraction: 23, exponent: 8 };
export const F64: Format = { fraction: 52, exponent: 11 };

export type Mode = "rn" | "rz" | "rm" | "rp";

/** A decoded value: kind, sign (true: negative), and for numbers significand · 2^exponent. */
export interface Decoded {
  kind: "nan" | "infinite" | "number";
  negative: boolean;
  significand: bigint;
  exponent: number;
}

const bias = (f: Format): number => 2 ** (f.exponent - 1) - 1;

/** Takes bits apart. */
export function decode(bits: bigint, f: Format): Decoded {
  const fractionBits = BigInt(f.fraction);
  const negative = bits >> BigInt(f.fraction + f.exponent) !== 0n;
  const field = Number((bits >> fractionBits) & ((1n << BigInt(f.exponent)) - 1n));
  const fraction = bits & ((1n << fractionBits) - 1n);
  if (field === 2 ** f.exponent - 1) {
    return { kind: fraction ? "nan" : "infinite", negative, significand: 0n, exponent: 0 };
  }
  const exponent = Math.max(field, 1) - bias(f) - f.fraction;
  const significand = field ? fraction | (1n << fractionBits) : fraction;
  return { kind: "number", negative, significand, exponent };
}

/** Any NaN of the format. */
export function nanBits(f: Format): bigint {
  return ((1n << BigInt(f.exponent + 1)) - 1n) << BigInt(f.fraction - 1);
}

export function infinityBits(f: Format, negative: boolean): bigint {
  return withSign(((1n << BigInt(f.exponent)) - 1n) << BigInt(f.fraction), f, negative);
}

function withSign(magnitude: bigint, f: Format, negative: boolean): bigint {
  return negative ? magnitude | (1n << BigInt(f.fraction + f.exponent)) : magnitude;
}

function bitLength(x: bigint): number {
  return x.toString(2).length;
}

/**
 * Rounds ±(significand + sticky·ε)·2^exponent, where ε is anything between 0 and 1, to the format.
 * A significand of 0 without sticky gives a zero of the sign.
 */
export function round(
  negative: boolean,
  significand: bigint,
  exponent: number,
  sticky: boolean,
  f: Format,
  mode: Mode,
): bigint {
  if (significand === 0n && !sticky) return withSign(0n, f, negative);
  // Two more bits make room for the sticky one below any tie.
  let m = (significand << 2n) | (sticky ? 1n : 0n);
  let e = exponent - 2;
  const lowest = 1 - bias(f) - f.fraction;
  const unit = Math.max(e + bitLength(m) - 1 - f.fraction, lowest);
  if (unit < e) {
    m <<= BigInt(e - unit);
    e = unit;
  }
  const drop = BigInt(unit - e);
  let kept = m >> drop;
  const rest = m - (kept << drop);
  const half = drop > 0n ? 1n << (drop - 1n) : 0n;
  let up = false;
  if (mode === "rn") up = rest > half || (rest === half && rest !== 0n && (kept & 1n) === 1n);
  else if (mode === "rp") up = rest !== 0n && !negative;
  else if (mode === "rm") up = rest !== 0n && negative;
  if (up) kept += 1n;
  // The bits of a number are its significand plus its exponent field; carries do the rest.
  const magnitude = kept + (BigInt(unit - lowest) << BigInt(f.fraction));
  const infinity = ((1n << BigInt(f.exponent)) - 1n) << BigInt(f.fraction);
  if (magnitude >= infinity) {
    const toInfinity = mode === "rn" || (mode === "rp" && !negative) || (mode === "rm" && negative);
    return withSign(toInfinity ? infinity : infinity - 1n, f, negative);
  }
  return withSign(magnitude, f, negative);
}

/** a·b + c. */
export function fma(a: bigint, b: bigint, c: bigint, f: Format, mode: Mode): bigint {
  const [x, y, z] = [decode(a, f), decode(b, f), decode(c, f)];
  const negative = x.negative !== y.negative;
  if (x.kind === "nan" || y.kind === "nan" || z.kind === "nan") return nanBits(f);
  if (x.kind === "infinite" || y.kind === "infinite") {
    const zero = (v: Decoded): boolean => v.kind === "number" && v.significand === 0n;
    if (zero(x) || zero(y)) return nanBits(f);
    if (z.kind === "infinite" && z.negative !== negative) return nanBits(f);
    return infinityBits(f, negative);
  }
  if (z.kind === "infinite") return c;
  const e = Math.min(x.exponent + y.exponent, z.exponent);
  const product = (x.significand * y.significand) << BigInt(x.exponent + y.exponent - e);
  const addend = z.significand << BigInt(z.exponent - e);
  const sum = (negative ? -product : product) + (z.negative ? -addend : addend);
  if (sum === 0n) {
    const both = negative === z.negative && product === 0n && addend === 0n;
    return round(both ? negative : mode === "rm", 0n, 0, false, f, mode);
  }
  return round(sum < 0n, sum < 0n ? -sum : sum, e, false, f, mode);
}

const one = (f: Format): bigint => BigInt(bias(f)) << BigInt(f.fraction);
const signBit = (f: Format): bigint => 1n << BigInt(f.fraction + f.exponent);

export function add(a: bigint, b: bigint, f: Format, mode: Mode): bigint {
  return fma(a, one(f), b, f, mode);
}

export function sub(a: bigint, b: bigint, f: Format, mode: Mode): bigint {
  return fma(a, one(f), b ^ signBit(f), f, mode);
}

export function mul(a: bigint, b: bigint, f: Format, mode: Mode): bigint {
  const zero = (a ^ b) & signBit(f);
  return fma(a, b, zero, f, mode);
}

/** a / b. */
export function div(a: bigint, b: bigint, f: Format, mode: Mode): bigint {
  const [x, y] = [decode(a, f), decode(b, f)];
  const negative = x.negative !== y.negative;
  if (x.kind === "nan" || y.kind === "nan") return nanBits(f);
  if (x.kind === "infinite") return y.kind === "infinite" ? nanBits(f) : infinityBits(f, negative);
  if (y.kind === "infinite") return round(negative, 0n, 0, false, f, mode);
  if (y.significand === 0n) {
    return x.significand === 0n ? nanBits(f) : infinityBits(f, negative);
  }
  const shift = BigInt(3 * f.fraction);
  const n = x.significand << shift;
  const q = n / y.significand;
  const sticky = q * y.significand !== n;
  return round(negative, q, x.exponent - y.exponent - Number(shift), sticky, f, mode);
}

export function rcp(a: bigint, f: Format, mode: Mode): bigint {
  return div(one(f), a, f, mode);
}

/** The largest integer whose square is at most n (Newton). */
function integerRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

export function sqrt(a: bigint, f: Format, mode: Mode): bigint {
  const x = decode(a, f);
  if (x.kind === "nan") return nanBits(f);
  if (x.kind === "number" && x.significand === 0n) return a;
  if (x.negative) return nanBits(f);
  if (x.kind === "infinite") return a;
  let shift = 4 * f.fraction;
  if ((x.exponent - shift) % 2 !== 0) shift++;
  const n = x.significand << BigInt(shift);
  const r = integerRoot(n);
  return round(false, r, (x.exponent - shift) / 2, r * r !== n, f, mode);
}

/** One format to another. */
export function convert(a: bigint, from: Format, to: Format, mode: Mode): bigint {
  const x = decode(a, from);
  if (x.kind === "nan") return nanBits(to);
  if (x.kind === "infinite") return infinityBits(to, x.negative);
  return round(x.negative, x.significand, x.exponent, false, to, mode);
}

/** An integer to a format. */
export function fromInteger(x: bigint, to: Format, mode: Mode): bigint {
  return round(x < 0n, x < 0n ? -x : x, 0, false, to, mode);
}

export function isNan(bits: bigint, f: Format): boolean {
  return decode(bits, f).kind === "nan";
}
