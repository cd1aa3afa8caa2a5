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
import { fma_rn_ftz_f32 } from "./fma";
import { sum_rm_f32_x2x2, sum_rn_f32_x2x2, sum_rn_f64_x2 } from "./sum";

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

/** fma.rn.f32, exact, on four lanes. */
export function fma_rn_f32_x4(a: v128, b: v128, c: v128): v128 {
  return sum_rn_f32_x2x2(
    f64x2.mul(promoteLow(a), promoteLow(b)),
    f64x2.mul(promoteHigh(a), promoteHigh(b)),
    promoteLow(c),
    promoteHigh(c),
  );
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

/** fma.rm.f32 on four lanes. */
export function fma_rm_f32_x4(a: v128, b: v128, c: v128): v128 {
  return sum_rm_f32_x2x2(
    f64x2.mul(promoteLow(a), promoteLow(b)),
    f64x2.mul(promoteHigh(a), promoteHigh(b)),
    promoteLow(c),
    promoteHigh(c),
  );
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
  return sum_rn_f64_x2(p, pe, a, b, c);
}
