// The last step of a fused multiply-add: the exact sum of a product and a third operand, rounded
// once. The compiler takes multiply-adds apart (passes/fma.ts), so that the steps before are shared
// between them. Each function has a cheap test for operands that its short way may get wrong, and
// does those by rounding to odd (see common.ts). These second parts are exported so that they stay
// functions of their own: what is left is small enough to be written in place of its calls.

import { RN, demoteRm, toOdd, twoSumError } from "./common";
import { demotePair, promoteLow, toOddX2, twoSumErrorX2 } from "./simd-common";
import { fmaSlow } from "./soft64";

/** The least product of f64 whose error can be held: half of it is 53 bits above 2⁻¹⁰⁷⁴ still. */
const LEAST_PRODUCT: f64 = 1.1830521861667747e-271; // 2⁻⁹⁰⁰

/** p + c rounded to odd, two lanes. */
// @ts-ignore: decorator
@inline
function oddSum(p: v128, c: v128): v128 {
  const s = f64x2.add(p, c);
  return toOddX2(s, twoSumErrorX2(p, c, s));
}

/** 32-bit masks from two pairs of 64-bit ones. */
// @ts-ignore: decorator
@inline
function narrowMasks(low: v128, high: v128): v128 {
  return i32x4.shuffle(low, high, 0, 2, 4, 6);
}

/**
 * p + c rounded to f32, where p is the product of two f32. The f64 sum rounds to the right f32
 * unless it lies on a tie of the f32 format after having lost bits itself; only such sums, and
 * subnormal results (whose ties are elsewhere), take the second path. A result of 0 needs none: its
 * sum was exact.
 */
export function sum_rn_f32(p: f64, c: f64): f32 {
  const s = p + c;
  const r = <f32>s;
  if (
    (<i32>reinterpret<i64>(s) & 0x1fffffff) == 0x10000000 ||
    u32((reinterpret<i32>(r) & 0x7fffffff) - 1) < 0x7fffff
  ) {
    return <f32>toOdd(s, twoSumError(p, c, s));
  }
  return r;
}

/** The rare part of sum_rn_f32_x2x2: all four sums with a last bit that tells what was lost. */
export function sum_ties_f32(p0: v128, p1: v128, c0: v128, c1: v128): v128 {
  return demotePair(oddSum(p0, c0), oddSum(p1, c1));
}

/** sum_rn_f32 on four lanes, given as two halves each. */
export function sum_rn_f32_x2x2(p0: v128, p1: v128, c0: v128, c1: v128): v128 {
  const s0 = f64x2.add(p0, c0);
  const s1 = f64x2.add(p1, c1);
  const r = demotePair(s0, s1);
  // A tie's low 29 bits are 0x10000000. (High words may look like it too: that costs time only.)
  const lowest = i32x4.min_s(i32x4.shl(s0, 3), i32x4.shl(s1, 3));
  const tie = i32x4.eq(lowest, i32x4.splat(0x80000000));
  // Doubled and moved to signed order, the bits of subnormal numbers are the lowest but for zero's,
  // which come last.
  const order = i32x4.add(i32x4.add(r, r), i32x4.splat(0x7fffffff));
  const doubtful = v128.or(tie, i32x4.lt_s(order, i32x4.splat(0x80ffffff)));
  if (v128.any_true(doubtful)) return sum_ties_f32(p0, p1, c0, c1);
  return r;
}

/** p + c rounded to f32 towards minus infinity, where p is the product of two f32. */
export function sum_rm_f32(p: f64, c: f64): f32 {
  const s = p + c;
  if (s == 0) {
    // An exact zero sum is −0 when rounding down, unless both terms are +0 (IEEE 754-2019, 6.3).
    return (reinterpret<i64>(p) | reinterpret<i64>(c)) == 0 ? 0 : <f32>-0.0;
  }
  return demoteRm(toOdd(s, twoSumError(p, c, s)));
}

/** The rare part of sum_rm_f32_x2x2: some f64 sum is a number of f32, and may have lost bits. */
export function sum_exact_f32(p0: v128, p1: v128, c0: v128, c1: v128): v128 {
  const s0 = oddSum(p0, c0);
  const s1 = oddSum(p1, c1);
  const r0 = f32x4.demote_f64x2_zero(s0);
  const r1 = f32x4.demote_f64x2_zero(s1);
  const r = i64x2.shuffle(r0, r1, 0, 2);
  const over = narrowMasks(f64x2.gt(promoteLow(r0), s0), f64x2.gt(promoteLow(r1), s1));
  const zero0 = f64x2.eq(s0, f64x2.splat(0));
  const zero1 = f64x2.eq(s1, f64x2.splat(0));
  const terms0 = i64x2.eq(v128.or(p0, c0), i64x2.splat(0));
  const terms1 = i64x2.eq(v128.or(p1, c1), i64x2.splat(0));
  const minusZero = narrowMasks(v128.andnot(zero0, terms0), v128.andnot(zero1, terms1));
  return v128.bitselect(i32x4.splat(0x80000000), stepDown(r, over), minusZero);
}

/** A mask's −1 turned to +1 in negative lanes: one step down in value. */
// @ts-ignore: decorator
@inline
function stepDown(r: v128, over: v128): v128 {
  const negative = i32x4.shr_s(r, 31);
  return i32x4.add(r, i32x4.sub(v128.xor(over, negative), negative));
}

/**
 * sum_rm_f32 on four lanes, given as two halves each. What an f64 sum lost matters only if that sum
 * is a number of f32: else it lies between the same two of them as the exact sum.
 */
export function sum_rm_f32_x2x2(p0: v128, p1: v128, c0: v128, c1: v128): v128 {
  const s0 = f64x2.add(p0, c0);
  const s1 = f64x2.add(p1, c1);
  const r0 = f32x4.demote_f64x2_zero(s0);
  const r1 = f32x4.demote_f64x2_zero(s1);
  const back0 = promoteLow(r0);
  const back1 = promoteLow(r1);
  const exact = v128.or(f64x2.eq(back0, s0), f64x2.eq(back1, s1));
  if (v128.any_true(exact)) return sum_exact_f32(p0, p1, c0, c1);
  const over = narrowMasks(f64x2.gt(back0, s0), f64x2.gt(back1, s1));
  return stepDown(i64x2.shuffle(r0, r1, 0, 2), over);
}

// fma.rn.f64 from p = a·b rounded and pe = a·b − p (Dekker's product). With s = p + c rounded and e
// its error (Knuth), the exact sum is s + e + pe. v = e + pe rounded is right to add to s, but where
// s + v is a tie: a tie is a multiple of a quarter of s's last place not far above it, so v has a
// handful of leading bits and zeros below. If p and c cancel, e is 0 and v exact.

/** The short way's doubt: v ends in zeros and pe is not 0, or the range is left. */
// @ts-ignore: decorator
@inline
function isDoubtful(p: f64, pe: f64, v: f64): bool {
  // v − v is NaN if anything is infinite or NaN (which as made here ends in zeros).
  return (
    ((reinterpret<i64>(v) << 24) == 0 && pe + (v - v) != 0) || abs<f64>(p) < LEAST_PRODUCT
  );
}

/** a·b + c for finite and other operands, by rounding to odd (Boldo & Melquiond 2008, algorithm 5). */
function fmaByOdd(p: f64, pe: f64, a: f64, b: f64, c: f64): f64 {
  const uh = c + pe;
  const ul = twoSumError(c, pe, uh);
  const th = p + uh;
  const tl = twoSumError(p, uh, th);
  const v = tl + ul;
  const z = th + toOdd(v, twoSumError(tl, ul, v));
  if ((abs<f64>(p) >= LEAST_PRODUCT || a == 0 || b == 0) && abs<f64>(z) < Infinity) {
    return z == 0 ? p + c : z; // the plain sum has the sign that IEEE 754 asks of a zero
  }
  return fmaSlow(a, b, c, RN);
}

/** a·b + c rounded once, where p is a·b rounded and pe the error of p. */
export function sum_rn_f64(p: f64, pe: f64, a: f64, b: f64, c: f64): f64 {
  const s = p + c;
  const v = twoSumError(p, c, s) + pe;
  if (isDoubtful(p, pe, v)) return fmaByOdd(p, pe, a, b, c);
  return s + v;
}

/** The rare part of sum_rn_f64_x2. */
export function sum_odd_f64(p: v128, pe: v128, a: v128, b: v128, c: v128): v128 {
  return f64x2.replace_lane(
    f64x2.splat(
      fmaByOdd(
        f64x2.extract_lane(p, 0),
        f64x2.extract_lane(pe, 0),
        f64x2.extract_lane(a, 0),
        f64x2.extract_lane(b, 0),
        f64x2.extract_lane(c, 0),
      ),
    ),
    1,
    fmaByOdd(
      f64x2.extract_lane(p, 1),
      f64x2.extract_lane(pe, 1),
      f64x2.extract_lane(a, 1),
      f64x2.extract_lane(b, 1),
      f64x2.extract_lane(c, 1),
    ),
  );
}

/** sum_rn_f64 on two lanes. */
export function sum_rn_f64_x2(p: v128, pe: v128, a: v128, b: v128, c: v128): v128 {
  const s = f64x2.add(p, c);
  const v = f64x2.add(twoSumErrorX2(p, c, s), pe);
  const zero = f64x2.splat(0);
  const ends = i64x2.eq(i64x2.shl(v, 24), zero);
  const lost = f64x2.ne(f64x2.add(pe, f64x2.sub(v, v)), zero);
  const tiny = f64x2.lt(f64x2.abs(p), f64x2.splat(LEAST_PRODUCT));
  if (v128.any_true(v128.or(v128.and(ends, lost), tiny))) return sum_odd_f64(p, pe, a, b, c);
  return f64x2.add(s, v);
}
