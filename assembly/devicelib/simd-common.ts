// Shared pieces of the four-lane forms. Not re-exported by index.ts.

/** Lane k as an integer. */
// @ts-ignore: decorator
@inline
export function laneOf(v: v128, k: i32): i32 {
  return k == 0
    ? i32x4.extract_lane(v, 0)
    : k == 1
      ? i32x4.extract_lane(v, 1)
      : k == 2
        ? i32x4.extract_lane(v, 2)
        : i32x4.extract_lane(v, 3);
}

/** Lanes 2 and 3 in the places of lanes 0 and 1. */
// @ts-ignore: decorator
@inline
export function highHalf(x: v128): v128 {
  return i64x2.shuffle(x, x, 1, 0);
}

/** The f64 values of lanes 0 and 1. */
// @ts-ignore: decorator
@inline
export function promoteLow(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

/** The f64 values of lanes 2 and 3. */
// @ts-ignore: decorator
@inline
export function promoteHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(highHalf(x));
}

/** Four f32 lanes from two pairs of f64, rounded to nearest. */
// @ts-ignore: decorator
@inline
export function demotePair(low: v128, high: v128): v128 {
  return i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** Flushes subnormal f32 lanes to zeros of their sign. */
// @ts-ignore: decorator
@inline
export function ftzX4(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000));
  const small = f32x4.lt(v128.xor(x, sign), f32x4.splat(1.1754943508222875e-38));
  return v128.bitselect(sign, x, small);
}

/** Clamps f32 lanes to [0, 1]; NaN and −0 become +0. */
// @ts-ignore: decorator
@inline
export function satX4(x: v128): v128 {
  // pmax(0, x) is 0 < x ? x : 0, pmin(1, y) is y < 1 ? y : 1.
  return f32x4.pmin(f32x4.splat(1), f32x4.pmax(f32x4.splat(0), x));
}

/** Sums rounded to nearest → rounded to odd (see common.ts), on two f64. */
// @ts-ignore: decorator
@inline
export function toOddX2(s: v128, error: v128): v128 {
  const inexact = f64x2.gt(f64x2.abs(error), f64x2.splat(0));
  const down = v128.and(i64x2.lt_s(v128.xor(s, error), i64x2.splat(0)), inexact);
  return v128.or(i64x2.add(s, down), v128.and(inexact, i64x2.splat(1)));
}

/** The error of the f64 sums `s = a + b`. */
// @ts-ignore: decorator
@inline
export function twoSumErrorX2(a: v128, b: v128, s: v128): v128 {
  const bb = f64x2.sub(s, a);
  return f64x2.add(f64x2.sub(a, f64x2.sub(s, bb)), f64x2.sub(b, bb));
}
