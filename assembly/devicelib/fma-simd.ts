// Fused multiply-add on four f32 or two f64 lanes; the methods are those of fma.ts.

import {
  ftzX4,
  demotePair,
  promoteHigh,
  promoteLow,
  satX4,
  toOddX2,
  twoSumErrorX2,
} from "./simd-common";
import { fma_rn_f64, fma_rn_ftz_f32 } from "./fma";

/** Odd-rounded f64 sums of lanes 0 and 1. */
// @ts-ignore: decorator
@inline
function oddLow(a: v128, b: v128, c: v128): v128 {
  const p = f64x2.mul(promoteLow(a), promoteLow(b));
  const cc = promoteLow(c);
  const s = f64x2.add(p, cc);
  return toOddX2(s, twoSumErrorX2(p, cc, s));
}

/** Odd-rounded f64 sums of lanes 2 and 3. */
// @ts-ignore: decorator
@inline
function oddHigh(a: v128, b: v128, c: v128): v128 {
  const p = f64x2.mul(promoteHigh(a), promoteHigh(b));
  const cc = promoteHigh(c);
  const s = f64x2.add(p, cc);
  return toOddX2(s, twoSumErrorX2(p, cc, s));
}

/** The four sums with a last bit that tells of what was lost: the rare part of fma_rn_f32_x4. */
function fmaTies(a: v128, b: v128, c: v128): v128 {
  return demotePair(oddLow(a, b, c), oddHigh(a, b, c));
}

/** fma.rn.f32, exact, on four lanes. */
export function fma_rn_f32_x4(a: v128, b: v128, c: v128): v128 {
  const s0 = f64x2.add(f64x2.mul(promoteLow(a), promoteLow(b)), promoteLow(c));
  const s1 = f64x2.add(f64x2.mul(promoteHigh(a), promoteHigh(b)), promoteHigh(c));
  const r = demotePair(s0, s1);
  // A sum on a tie of f32, or a subnormal result: as in the scalar form. Doubled and moved to
  // signed order, the bits of subnormal numbers are the lowest but for zero's, which come last.
  const low29 = i64x2.splat(0x1fffffff);
  const tie = i64x2.splat(0x10000000);
  const order = i32x4.add(i32x4.add(r, r), i32x4.splat(0x7fffffff));
  const doubtful = v128.or(
    v128.or(i64x2.eq(v128.and(s0, low29), tie), i64x2.eq(v128.and(s1, low29), tie)),
    i32x4.lt_s(order, i32x4.splat(0x80ffffff)),
  );
  if (v128.any_true(doubtful)) return fmaTies(a, b, c);
  return r;
}

/** fma.rn.f32 through relaxed_madd: for engines where that is fused. */
export function fma_rn_f32_x4_relaxed(a: v128, b: v128, c: v128): v128 {
  return f32x4.relaxed_madd(a, b, c);
}
/** fma.rn.f32, one lane, through relaxed_madd. */
export function fma_rn_f32_relaxed(a: f32, b: f32, c: f32): f32 {
  return f32x4.extract_lane(f32x4.relaxed_madd(f32x4.splat(a), f32x4.splat(b), f32x4.splat(c)), 0);
}
/** fma.rn.f64 through relaxed_madd, two lanes. */
export function fma_rn_f64_x2_relaxed(a: v128, b: v128, c: v128): v128 {
  return f64x2.relaxed_madd(a, b, c);
}
/** fma.rn.f64, one lane, through relaxed_madd. */
export function fma_rn_f64_relaxed(a: f64, b: f64, c: f64): f64 {
  return f64x2.extract_lane(f64x2.relaxed_madd(f64x2.splat(a), f64x2.splat(b), f64x2.splat(c)), 0);
}

/** fma.rn.ftz.f32 on four lanes. */
export function fma_rn_ftz_f32_x4(a: v128, b: v128, c: v128): v128 {
  const r = fma_rn_f32_x4(ftzX4(a), ftzX4(b), ftzX4(c));
  // The smallest normal number may have been rounded up from what is to be flushed.
  if (v128.any_true(f32x4.eq(f32x4.abs(r), f32x4.splat(1.1754943508222875e-38)))) {
    return lanesOneByOne(a, b, c);
  }
  return ftzX4(r);
}

function lanesOneByOne(a: v128, b: v128, c: v128): v128 {
  let d = f32x4.splat(
    fma_rn_ftz_f32(f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0), f32x4.extract_lane(c, 0)),
  );
  d = f32x4.replace_lane(
    d,
    1,
    fma_rn_ftz_f32(f32x4.extract_lane(a, 1), f32x4.extract_lane(b, 1), f32x4.extract_lane(c, 1)),
  );
  d = f32x4.replace_lane(
    d,
    2,
    fma_rn_ftz_f32(f32x4.extract_lane(a, 2), f32x4.extract_lane(b, 2), f32x4.extract_lane(c, 2)),
  );
  return f32x4.replace_lane(
    d,
    3,
    fma_rn_ftz_f32(f32x4.extract_lane(a, 3), f32x4.extract_lane(b, 3), f32x4.extract_lane(c, 3)),
  );
}
/** fma.rn.sat.f32 on four lanes. */
export function fma_rn_sat_f32_x4(a: v128, b: v128, c: v128): v128 {
  return satX4(fma_rn_f32_x4(a, b, c));
}
/** fma.rn.ftz.sat.f32 on four lanes. */
export function fma_rn_ftz_sat_f32_x4(a: v128, b: v128, c: v128): v128 {
  return satX4(fma_rn_ftz_f32_x4(a, b, c));
}

// The directed modes: both halves rounded to odd in f64, to nearest f32, and one step back where
// that went the wrong way. The step is −1 on the bits towards zero, +1 away from it.

/** 32-bit masks from two pairs of 64-bit ones. */
// @ts-ignore: decorator
@inline
function narrowMasks(low: v128, high: v128): v128 {
  return i32x4.shuffle(low, high, 0, 2, 4, 6);
}

/** fma.rz.f32 on four lanes. */
export function fma_rz_f32_x4(a: v128, b: v128, c: v128): v128 {
  const s0 = oddLow(a, b, c);
  const s1 = oddHigh(a, b, c);
  const r = demotePair(s0, s1);
  const over = narrowMasks(
    f64x2.gt(f64x2.abs(promoteLow(r)), f64x2.abs(s0)),
    f64x2.gt(f64x2.abs(promoteHigh(r)), f64x2.abs(s1)),
  );
  return i32x4.add(r, over);
}

/** A mask's −1 turned to +1 in negative lanes: one step down in value. */
// @ts-ignore: decorator
@inline
function stepDown(r: v128, over: v128): v128 {
  const negative = i32x4.shr_s(r, 31);
  return i32x4.add(r, i32x4.sub(v128.xor(over, negative), negative));
}

/** fma.rm.f32 on four lanes. */
export function fma_rm_f32_x4(a: v128, b: v128, c: v128): v128 {
  const s0 = oddLow(a, b, c);
  const s1 = oddHigh(a, b, c);
  const r = demotePair(s0, s1);
  const over = narrowMasks(f64x2.gt(promoteLow(r), s0), f64x2.gt(promoteHigh(r), s1));
  // (over ^ negative) − negative is over negated in negative lanes, and 0 stays 0.
  const stepped = stepDown(r, over);
  // Exact zero: −0 unless both terms are +0. Rare enough to be kept off the main path.
  const zero = v128.and(
    f32x4.eq(r, f32x4.splat(0)),
    narrowMasks(f64x2.eq(s0, f64x2.splat(0)), f64x2.eq(s1, f64x2.splat(0))),
  );
  if (!v128.any_true(zero)) return stepped;
  const terms = v128.or(v128.xor(a, b), c); // sign bits: set if the product or c is negative
  const product = v128.or(f32x4.eq(a, f32x4.splat(0)), f32x4.eq(b, f32x4.splat(0)));
  // A product that is not zero cancelled against c: −0. Else the signs decide.
  const negativeZero = v128.or(v128.andnot(i32x4.splat(-1), product), terms);
  return v128.or(stepped, v128.and(v128.and(zero, negativeZero), i32x4.splat(0x80000000)));
}

/** fma.rp.f32 on four lanes: −fma.rm(−a, b, −c). */
export function fma_rp_f32_x4(a: v128, b: v128, c: v128): v128 {
  const s0 = oddLow(a, b, c);
  const s1 = oddHigh(a, b, c);
  const r = demotePair(s0, s1);
  const under = narrowMasks(f64x2.lt(promoteLow(r), s0), f64x2.lt(promoteHigh(r), s1));
  const negative = i32x4.shr_s(r, 31);
  return i32x4.sub(r, i32x4.sub(v128.xor(under, negative), negative));
}

// @ts-ignore: decorator
@inline
function high26X2(x: v128): v128 {
  return v128.and(i64x2.add(x, i64x2.splat(0x4000000)), i64x2.splat(~0x7ffffff));
}

/** fma.rn.f64, exact, on two lanes. */
export function fma_rn_f64_x2(a: v128, b: v128, c: v128): v128 {
  const p = f64x2.mul(a, b);
  const ah = high26X2(a);
  const al = f64x2.sub(a, ah);
  const bh = high26X2(b);
  const bl = f64x2.sub(b, bh);
  let pe = f64x2.sub(f64x2.mul(ah, bh), p);
  pe = f64x2.add(pe, f64x2.mul(ah, bl));
  pe = f64x2.add(pe, f64x2.mul(al, bh));
  pe = f64x2.add(pe, f64x2.mul(al, bl));
  const uh = f64x2.add(c, pe);
  const ul = twoSumErrorX2(c, pe, uh);
  const th = f64x2.add(p, uh);
  const tl = twoSumErrorX2(p, uh, th);
  const v = f64x2.add(tl, ul);
  const z = f64x2.add(th, toOddX2(v, twoSumErrorX2(tl, ul, v)));
  const zero = f64x2.splat(0);
  const safe = v128.and(
    v128.or(
      f64x2.ge(f64x2.abs(p), f64x2.splat(1.1830521861667747e-271)),
      v128.or(f64x2.eq(a, zero), f64x2.eq(b, zero)),
    ),
    f64x2.lt(f64x2.abs(z), f64x2.splat(Infinity)),
  );
  if (i64x2.all_true(safe)) return v128.bitselect(f64x2.add(p, c), z, f64x2.eq(z, zero));
  return f64x2.replace_lane(
    f64x2.splat(
      fma_rn_f64(f64x2.extract_lane(a, 0), f64x2.extract_lane(b, 0), f64x2.extract_lane(c, 0)),
    ),
    1,
    fma_rn_f64(f64x2.extract_lane(a, 1), f64x2.extract_lane(b, 1), f64x2.extract_lane(c, 1)),
  );
}
