// f64 arithmetic in integers, for what floating point cannot do by itself: directed rounding, and
// fused multiply-add where the error-free transformations would overflow or underflow.

import { RM, RN, RP, RZ } from "./common";

/** High 64 bits of the unsigned 128-bit product. */
// @ts-ignore: decorator
@inline
export function mulHigh(a: u64, b: u64): u64 {
  const al = a & 0xffffffff;
  const ah = a >> 32;
  const bl = b & 0xffffffff;
  const bh = b >> 32;
  const mid = ah * bl + ((al * bl) >> 32); // < 2⁶⁴: (2³²−1)² + 2³²
  const mid2 = al * bh + (mid & 0xffffffff);
  return ah * bh + (mid >> 32) + (mid2 >> 32);
}

/**
 * Rounds ±m·2^e to f64. `sign` is 0 or 1 in bit 63, m is not 0, and its lowest bit may stand for
 * everything below ("sticky") provided that m has at least 56 significant bits.
 */
export function roundPack(sign: u64, e: i32, m: u64, mode: i32): f64 {
  const shift = <i32>clz<u64>(m);
  m <<= shift;
  let biased = e - shift + 63 + 1023;
  if (biased >= 2047) return overflow(sign, mode);
  let drop: i32 = 11;
  if (biased <= 0) {
    drop += 1 - biased; // subnormal: the unit stays 2⁻¹⁰⁷⁴
    biased = 1;
    if (drop > 64) {
      m = 1; // below half of the smallest subnormal: only its direction matters
      drop = 64;
    }
  }
  // The kept part, then the dropped part aligned to the top of 64 bits.
  const kept: u64 = drop == 64 ? 0 : m >> drop;
  const rest: u64 = drop == 64 ? (m >> 1) | (m & 1) : (m << (64 - drop)) | 0;
  const half: u64 = drop == 64 ? u64(1) << 62 : u64(1) << 63;
  let up = false;
  if (mode == RN) up = rest > half || (rest == half && (kept & 1) != 0);
  else if (mode == RP) up = rest != 0 && sign == 0;
  else if (mode == RM) up = rest != 0 && sign != 0;
  // Bit 52 of `kept`, where present, adds itself to the exponent; so does a carry out of rounding.
  return reinterpret<f64>(sign | ((u64(biased - 1) << 52) + kept + u64(up)));
}

function overflow(sign: u64, mode: i32): f64 {
  const toInfinity = mode == RN || (mode == RP && sign == 0) || (mode == RM && sign != 0);
  return reinterpret<f64>(sign | (toInfinity ? 0x7ff0000000000000 : 0x7fefffffffffffff));
}

/** The significand of |x| (x finite and not 0) with bit 52 set. */
// @ts-ignore: decorator
@inline
function significand(x: f64): u64 {
  const m = reinterpret<u64>(x) & 0xfffffffffffff;
  if ((reinterpret<u64>(x) & 0x7ff0000000000000) != 0) return m | 0x10000000000000;
  return m << (clz<u64>(m) - 11);
}

/** The power of two of `significand(x)`'s unit. */
// @ts-ignore: decorator
@inline
function unit(x: f64): i32 {
  const biased = <i32>(reinterpret<u64>(x) >> 52) & 0x7ff;
  if (biased != 0) return biased - 1075;
  return -1074 - (<i32>clz<u64>(reinterpret<u64>(x) & 0xfffffffffffff) - 11);
}

/** a·b + c with one rounding in `mode`, for all operands (IEEE 754-2019, 5.4.1). */
export function fmaSlow(a: f64, b: f64, c: f64, mode: i32): f64 {
  const product = a * b;
  // NaN and infinities follow the plain operations, unless the product overflowed by itself.
  if (!(abs<f64>(a) < Infinity) || !(abs<f64>(b) < Infinity)) return product + c;
  if (!(abs<f64>(c) < Infinity)) return c;
  if (a == 0 || b == 0) {
    if (c != 0) return c;
    return mode == RM ? zeroDown(product, c) : product + c;
  }
  const signP = (reinterpret<u64>(a) ^ reinterpret<u64>(b)) & 0x8000000000000000;
  // The product in 128 bits, its top bit at 125 or 126; 21 zero bits at the bottom.
  const ma = significand(a) << 10;
  const mb = significand(b) << 11;
  let ph = mulHigh(ma, mb);
  let pl = ma * mb;
  let e = unit(a) + unit(b) - 21;
  if (c == 0) return roundPack(signP, e + 64, ph | u64(pl != 0), mode);
  const signC = reinterpret<u64>(c) & 0x8000000000000000;
  // c in the same form: top bit at 126, 74 zero bits at the bottom.
  let ch = significand(c) << 10;
  let cl: u64 = 0;
  const ec = unit(c) - 74;
  const distance = e - ec;
  // Align to the larger exponent. Bits lost on the way are folded into the lowest one; that happens
  // only where the other term is so much larger that at most one leading bit can cancel.
  if (distance > 0) {
    cl = shiftRightLow(ch, cl, distance);
    ch = distance > 63 ? 0 : ch >> distance;
  } else if (distance < 0) {
    pl = shiftRightLow(ph, pl, -distance);
    ph = -distance > 63 ? 0 : ph >> -distance;
    e = ec;
  }
  let sign = signP;
  let high: u64;
  let low: u64;
  if (signP == signC) {
    low = pl + cl;
    high = ph + ch + u64(low < pl);
  } else if (ph > ch || (ph == ch && pl >= cl)) {
    low = pl - cl;
    high = ph - ch - u64(pl < cl);
    if ((high | low) == 0) return mode == RM ? -0.0 : 0;
  } else {
    sign = signC;
    low = cl - pl;
    high = ch - ph - u64(cl < pl);
  }
  if (high == 0) return roundPack(sign, e, low, mode);
  const shift = clz<u64>(high);
  if (shift != 0) {
    high = (high << shift) | (low >> (64 - shift));
    low <<= shift;
  }
  return roundPack(sign, e + 64 - <i32>shift, high | u64(low != 0), mode);
}

/** A zero sum when rounding down is −0 unless both terms are +0 (IEEE 754-2019, 6.3). */
// @ts-ignore: decorator
@inline
export function zeroDown(a: f64, b: f64): f64 {
  return (reinterpret<u64>(a) | reinterpret<u64>(b)) == 0 ? 0 : -0.0;
}

/** Low word of (high:low) >> n with what falls off folded into the lowest bit; n ≥ 1. */
function shiftRightLow(high: u64, low: u64, n: i32): u64 {
  if (n < 64) {
    const lost = low << (64 - n);
    return (high << (64 - n)) | (low >> n) | u64(lost != 0);
  }
  if (n == 64) return high | u64(low != 0);
  if (n < 128) {
    const lost = (high << (128 - n)) | low;
    return (high >> (n - 64)) | u64(lost != 0);
  }
  return u64((high | low) != 0);
}

/** a / b with one rounding in `mode`, for all operands. */
export function divSlow(a: f64, b: f64, mode: i32): f64 {
  const q = a / b;
  if (!(abs<f64>(a) < Infinity) || !(abs<f64>(b) < Infinity) || a == 0 || b == 0) return q;
  const sign = (reinterpret<u64>(a) ^ reinterpret<u64>(b)) & 0x8000000000000000;
  // 64 quotient bits, two digits of base 2³² (Knuth, TAOCP 4.3.1 D); n < d keeps the digits in
  // range.
  const d = significand(b) << 11;
  let n = significand(a) << 10;
  const e = unit(a) - unit(b) + 1;
  const dh = d >> 32;
  const dl = d & 0xffffffff;
  const q1 = digit(n, dh, dl);
  n = (n << 32) - q1 * d;
  const q0 = digit(n, dh, dl);
  n = (n << 32) - q0 * d;
  const quotient = (q1 << 32) + q0;
  return roundPack(sign, e - 64, quotient | u64(n != 0), mode);
}

/** The next base-2³² digit of n·2³² / (dh:dl). */
function digit(n: u64, dh: u64, dl: u64): u64 {
  let q = n / dh;
  let r = n - q * dh;
  while (q > 0xffffffff || q * dl > ((r << 32) | 0)) {
    q--;
    r += dh;
    if (r > 0xffffffff) break;
  }
  return q;
}

/** √a with one rounding in `mode`, for all operands. */
export function sqrtSlow(a: f64, mode: i32): f64 {
  const r = sqrt<f64>(a);
  if (mode == RN || !(a > 0) || a == Infinity) return r;
  // Below 2⁻⁸⁰⁰ the residue could underflow; 2⁴⁰⁰ is the square of 2²⁰⁰.
  if (a < 1.499696813895631e-241) {
    return sqrtSlow(a * 2.5822498780869086e120, mode) * 6.223015277861142e-61;
  }
  // The sign of a − r² says on which side of √a the nearest value lies.
  const residue = fmaSlow(-r, r, a, RN);
  if (residue == 0) return r;
  const bits = reinterpret<u64>(r);
  if (mode == RP) return reinterpret<f64>(bits + u64(residue > 0));
  return reinterpret<f64>(bits - u64(residue < 0));
}
