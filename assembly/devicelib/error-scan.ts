// Measures the approximate f32 functions of one argument against double precision, over ranges of
// their bits. A tool of its own (scripts/math-errors.ts compiles and runs it), no part of the
// library.

import {
  cos_approx_f32_x4,
  ex2_approx_f32_x4,
  lg2_approx_f32_x4,
  rcp_approx_f32_x4,
  rsqrt_approx_f32_x4,
  sin_approx_f32_x4,
  sqrt_approx_f32_x4,
  tanh_approx_f32_x4,
} from "./approx";

/** Functions by number, as scripts/math-errors.ts names them. */
const RCP = 0;
const SQRT = 1;
const RSQRT = 2;
const SIN = 3;
const COS = 4;
const EX2 = 5;
const LG2 = 6;

// @ts-ignore: decorator
@inline
function approximate(fn: i32, x: v128): v128 {
  if (fn == RCP) return rcp_approx_f32_x4(x);
  if (fn == SQRT) return sqrt_approx_f32_x4(x);
  if (fn == RSQRT) return rsqrt_approx_f32_x4(x);
  if (fn == SIN) return sin_approx_f32_x4(x);
  if (fn == COS) return cos_approx_f32_x4(x);
  if (fn == EX2) return ex2_approx_f32_x4(x);
  if (fn == LG2) return lg2_approx_f32_x4(x);
  return tanh_approx_f32_x4(x);
}

// @ts-ignore: decorator
@inline
function exact(fn: i32, x: f64): f64 {
  if (fn == RCP) return 1 / x;
  if (fn == SQRT) return sqrt<f64>(x);
  if (fn == RSQRT) return 1 / sqrt<f64>(x);
  if (fn == SIN) return NativeMath.sin(x);
  if (fn == COS) return NativeMath.cos(x);
  if (fn == EX2) return NativeMath.exp2(x);
  if (fn == LG2) return NativeMath.log2(x);
  return NativeMath.tanh(x);
}

/** What a scan found so far; the script reads and resets it. Errors of finite results only. */
export let maxUlp: f64 = 0;
export let maxUlpAt: u32 = 0;
export let maxRelative: f64 = 0;
export let maxAbsolute: f64 = 0;
export let maxAbsoluteAt: u32 = 0;
/** Results that are not the f32 nearest to the exact one. */
export let misrounded: f64 = 0;
/** Results that are infinite, zero or NaN where they must not be. */
export let wrongKind: f64 = 0;
export let wrongKindAt: u32 = 0;

export function reset(): void {
  maxUlp = maxRelative = maxAbsolute = misrounded = wrongKind = 0;
}

/** The unit in the last place of an f32 near x. */
// @ts-ignore: decorator
@inline
function ulp(x: f64): f64 {
  const exponent = max<i64>((reinterpret<i64>(x) >> 52) & 0x7ff, 1023 - 126);
  return reinterpret<f64>((exponent - 23) << 52);
}

function compare(fn: i32, bits: u32, got: f32): void {
  const want = exact(fn, <f64>reinterpret<f32>(bits));
  const nearestValue = <f32>want;
  if (got == nearestValue) return;
  if (want != want) {
    if (got == got) {
      wrongKind++;
      wrongKindAt = bits;
    }
    return;
  }
  misrounded++;
  if (!(abs<f32>(got) < Infinity) || !(abs<f32>(nearestValue) < Infinity)) {
    wrongKind++;
    wrongKindAt = bits;
    return;
  }
  const error = abs<f64>(<f64>got - want);
  const ulps = error / ulp(want);
  if (ulps > maxUlp) {
    maxUlp = ulps;
    maxUlpAt = bits;
  }
  if (error > maxAbsolute) {
    maxAbsolute = error;
    maxAbsoluteAt = bits;
  }
  // Below the normal range an f32 cannot have a small relative error.
  if (abs<f64>(want) >= 1.1754943508222875e-38)
    maxRelative = max<f64>(maxRelative, error / abs<f64>(want));
}

// @ts-ignore: decorator
@inline
function scanWith(fn: i32, from: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i += 4) {
    const bits = i32x4.add(i32x4.splat(from + i), i32x4(0, 1, 2, 3));
    const got = approximate(fn, bits);
    compare(fn, from + i, f32x4.extract_lane(got, 0));
    compare(fn, from + i + 1, f32x4.extract_lane(got, 1));
    compare(fn, from + i + 2, f32x4.extract_lane(got, 2));
    compare(fn, from + i + 3, f32x4.extract_lane(got, 3));
  }
}

/** Measures function `fn` at `count` (a multiple of 4) inputs whose bits begin with `from`. */
export function scan(fn: i32, from: u32, count: u32): void {
  if (fn == RCP) scanWith(RCP, from, count);
  else if (fn == SQRT) scanWith(SQRT, from, count);
  else if (fn == RSQRT) scanWith(RSQRT, from, count);
  else if (fn == SIN) scanWith(SIN, from, count);
  else if (fn == COS) scanWith(COS, from, count);
  else if (fn == EX2) scanWith(EX2, from, count);
  else if (fn == LG2) scanWith(LG2, from, count);
  else scanWith(7, from, count);
}
