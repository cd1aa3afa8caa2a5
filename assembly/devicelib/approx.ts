// The approximate f32 functions, each on four lanes; the scalar form is lane 0 of it, so that both
// are the same code. Errors of all of them: docs/math-errors.md.
//
// rcp, sqrt and div use WebAssembly's own, correctly rounded operations. The others are polynomials
// in f32 without fused steps, so that every engine gives the same bits.

import { demotePair, ftzX4, promoteHigh, promoteLow } from "./simd-common";

// @ts-ignore: decorator
@inline
function lane0(x: v128): f32 {
  return f32x4.extract_lane(x, 0);
}

// @ts-ignore: decorator
@inline
function k(x: f32): v128 {
  return f32x4.splat(x);
}

/** One Horner step: p·x + c. */
// @ts-ignore: decorator
@inline
function step(p: v128, x: v128, c: f32): v128 {
  return f32x4.add(f32x4.mul(p, x), f32x4.splat(c));
}

/** rcp.approx.f32 on four lanes: correctly rounded. */
export function rcp_approx_f32_x4(a: v128): v128 {
  return f32x4.div(k(1), a);
}
/** rcp.approx.ftz.f32 on four lanes. */
export function rcp_approx_ftz_f32_x4(a: v128): v128 {
  return ftzX4(f32x4.div(k(1), ftzX4(a)));
}
/** rcp.approx.f32 */
export function rcp_approx_f32(a: f32): f32 {
  return 1 / a;
}
/** rcp.approx.ftz.f32 */
export function rcp_approx_ftz_f32(a: f32): f32 {
  return lane0(rcp_approx_ftz_f32_x4(k(a)));
}

/** sqrt.approx.f32 on four lanes: correctly rounded. */
export function sqrt_approx_f32_x4(a: v128): v128 {
  return f32x4.sqrt(a);
}
/** sqrt.approx.ftz.f32 on four lanes. */
export function sqrt_approx_ftz_f32_x4(a: v128): v128 {
  return f32x4.sqrt(ftzX4(a));
}
/** sqrt.approx.f32 */
export function sqrt_approx_f32(a: f32): f32 {
  return sqrt<f32>(a);
}
/** sqrt.approx.ftz.f32 */
export function sqrt_approx_ftz_f32(a: f32): f32 {
  return lane0(sqrt_approx_ftz_f32_x4(k(a)));
}

/** rsqrt.approx.f32 on four lanes. */
export function rsqrt_approx_f32_x4(a: v128): v128 {
  return f32x4.div(k(1), f32x4.sqrt(a));
}
/** rsqrt.approx.ftz.f32 on four lanes. */
export function rsqrt_approx_ftz_f32_x4(a: v128): v128 {
  return f32x4.div(k(1), f32x4.sqrt(ftzX4(a)));
}
/** rsqrt.approx.f32 */
export function rsqrt_approx_f32(a: f32): f32 {
  return 1 / sqrt<f32>(a);
}
/** rsqrt.approx.ftz.f32 */
export function rsqrt_approx_ftz_f32(a: f32): f32 {
  return lane0(rsqrt_approx_ftz_f32_x4(k(a)));
}

/** div.full.f32 on four lanes: correctly rounded. */
export function div_full_f32_x4(a: v128, b: v128): v128 {
  return f32x4.div(a, b);
}
/** div.full.ftz.f32 on four lanes. */
export function div_full_ftz_f32_x4(a: v128, b: v128): v128 {
  return ftzX4(f32x4.div(ftzX4(a), ftzX4(b)));
}
/**
 * div.approx.f32 on four lanes: correctly rounded, but for |b| > 2¹²⁶, where the GPU's reciprocal
 * is flushed: the quotient is 0, and NaN for an infinite a (PTX ISA, div).
 */
export function div_approx_f32_x4(a: v128, b: v128): v128 {
  const huge = f32x4.gt(f32x4.abs(b), k(8.507059173023462e37));
  const infinite = v128.or(v128.and(b, i32x4.splat(0x80000000)), i32x4.splat(0x7f800000));
  const isNumber = f32x4.eq(b, b);
  return f32x4.div(a, v128.bitselect(infinite, b, v128.and(huge, isNumber)));
}
/** div.approx.ftz.f32 on four lanes. */
export function div_approx_ftz_f32_x4(a: v128, b: v128): v128 {
  return ftzX4(div_approx_f32_x4(ftzX4(a), ftzX4(b)));
}
/** div.full.f32 */
export function div_full_f32(a: f32, b: f32): f32 {
  return a / b;
}
/** div.full.ftz.f32 */
export function div_full_ftz_f32(a: f32, b: f32): f32 {
  return lane0(div_full_ftz_f32_x4(k(a), k(b)));
}
/** div.approx.f32 */
export function div_approx_f32(a: f32, b: f32): f32 {
  return lane0(div_approx_f32_x4(k(a), k(b)));
}
/** div.approx.ftz.f32 */
export function div_approx_ftz_f32(a: f32, b: f32): f32 {
  return lane0(div_approx_ftz_f32_x4(k(a), k(b)));
}

/** 2^f for |f| ≤ ½, relative error below 2⁻²⁸ before rounding. */
// @ts-ignore: decorator
@inline
function exp2Fraction(f: v128): v128 {
  let p = k(0.00015476299449801445);
  p = step(p, f, 0.001340026967227459);
  p = step(p, f, 0.009618003852665424);
  p = step(p, f, 0.055503278970718384);
  p = step(p, f, 0.24022650718688965);
  p = step(p, f, 0.6931471824645996);
  return step(p, f, 1);
}

/** Adding it leaves the nearest integer in the low bits of an f32 below 2²² in magnitude. */
const ROUNDER: f32 = 12582912; // 1.5 · 2²³

/** ex2.approx.f32 on four lanes; subnormal results are kept. */
export function ex2_approx_f32_x4(a: v128): v128 {
  // pmin(limit, x) and pmax keep a NaN x: they answer their first operand unless the second wins.
  const x = f32x4.pmin(f32x4.pmax(a, k(-160)), k(130));
  const t = f32x4.add(x, k(ROUNDER));
  const p = exp2Fraction(f32x4.sub(x, f32x4.sub(t, k(ROUNDER))));
  // Two scalings, so that neither factor leaves the normal range; only the last one rounds.
  const n = i32x4.sub(t, i32x4.splat(0x4b400000));
  const n1 = i32x4.shr_s(n, 1);
  const n2 = i32x4.sub(n, n1);
  const s1 = i32x4.shl(i32x4.add(n1, i32x4.splat(127)), 23);
  const s2 = i32x4.shl(i32x4.add(n2, i32x4.splat(127)), 23);
  return f32x4.mul(f32x4.mul(p, s1), s2);
}
/** ex2.approx.ftz.f32 on four lanes; results below 2⁻¹²⁶ are 0. */
export function ex2_approx_ftz_f32_x4(a: v128): v128 {
  const x = f32x4.pmin(f32x4.pmax(a, k(-126)), k(128));
  const t = f32x4.add(x, k(ROUNDER));
  const p = exp2Fraction(f32x4.sub(x, f32x4.sub(t, k(ROUNDER))));
  // The integer goes straight into the exponent; 128 comes with a fraction of 1 and gives infinity.
  const r = i32x4.add(p, i32x4.shl(t, 23));
  return v128.or(v128.and(r, f32x4.ge(a, k(-126))), f32x4.ne(a, a));
}
/** ex2.approx.f32 */
export function ex2_approx_f32(a: f32): f32 {
  return lane0(ex2_approx_f32_x4(k(a)));
}
/** ex2.approx.ftz.f32 */
export function ex2_approx_ftz_f32(a: f32): f32 {
  return lane0(ex2_approx_ftz_f32_x4(k(a)));
}

/** log2 of positive normal lanes whose exponent is `shift` too large. */
// @ts-ignore: decorator
@inline
function log2Normal(x: v128, shift: v128): v128 {
  // x = 2^e · m with m between √½ and √2; f = m − 1 is exact.
  const e = i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23);
  const f = f32x4.sub(i32x4.sub(x, i32x4.shl(e, 23)), k(1));
  // ln(1 + f) = f − (f²/2 − s·(f²/2 + R(s²))), s = f / (2 + f) (fdlibm's logf).
  const s = f32x4.div(f, f32x4.add(f, k(2)));
  const z = f32x4.mul(s, s);
  let r = k(0.24279078841209412);
  r = step(r, z, 0.2849878668785095);
  r = step(r, z, 0.40000972151756287);
  r = step(r, z, 0.6666666269302368);
  r = f32x4.mul(r, z);
  const h = f32x4.mul(f32x4.mul(f, f), k(0.5));
  const ln = f32x4.sub(f, f32x4.sub(h, f32x4.mul(s, f32x4.add(h, r))));
  const exponent = f32x4.convert_i32x4_s(i32x4.sub(e, shift));
  return f32x4.add(exponent, f32x4.mul(ln, k(1.4426950216293335)));
}

/**
 * Puts in what is not a positive finite number: −∞ for zeros, NaN for negatives, ∞ and NaN as they
 * are.
 */
// @ts-ignore: decorator
@inline
function log2Special(a: v128, result: v128): v128 {
  const zero = f32x4.eq(a, k(0));
  const nonPositive = v128.bitselect(i32x4.splat(0xff800000), i32x4.splat(0x7fffffff), zero);
  const positive = f32x4.gt(a, k(0));
  const finite = v128.bitselect(result, a, f32x4.lt(a, k(Infinity)));
  const known = v128.bitselect(finite, nonPositive, positive);
  return v128.bitselect(known, a, f32x4.eq(a, a));
}

/** lg2.approx.f32 on four lanes. */
export function lg2_approx_f32_x4(a: v128): v128 {
  const subnormal = f32x4.lt(a, k(1.1754943508222875e-38));
  const x = v128.bitselect(f32x4.mul(a, k(8388608)), a, subnormal);
  return log2Special(a, log2Normal(x, v128.and(subnormal, i32x4.splat(23))));
}
/** lg2.approx.ftz.f32 on four lanes. */
export function lg2_approx_ftz_f32_x4(a: v128): v128 {
  const x = ftzX4(a);
  return log2Special(x, log2Normal(x, i32x4.splat(0)));
}
/** lg2.approx.f32 */
export function lg2_approx_f32(a: f32): f32 {
  return lane0(lg2_approx_f32_x4(k(a)));
}
/** lg2.approx.ftz.f32 */
export function lg2_approx_ftz_f32(a: f32): f32 {
  return lane0(lg2_approx_ftz_f32_x4(k(a)));
}

/**
 * Two angles in turns, as the GPU reduces them: a · (1/2π in f32), cut to f32, less whole turns.
 */
// @ts-ignore: decorator
@inline
function turns(x: v128): v128 {
  const product = f64x2.mul(x, f64x2.splat(0.15915493667125702));
  const cut = v128.and(product, i64x2.splat(0xffffffffe0000000));
  return f64x2.sub(cut, f64x2.nearest(cut));
}

/** sin(2πx) for |x| ≤ ¼, error below 2⁻²⁸ before rounding. */
// @ts-ignore: decorator
@inline
function sinTurns(x: v128): v128 {
  const u = f32x4.mul(x, x);
  let p = k(39.536705017089844);
  p = step(p, u, -76.5497817993164);
  p = step(p, u, 81.60100555419922);
  p = step(p, u, -41.34165573120117);
  p = step(p, u, 6.283185005187988);
  return f32x4.mul(p, x);
}

/**
 * sin.approx.f32 on four lanes. Within 2π of 0 the error is below 2⁻²¹; further out the cut of the
 * reduced angle dominates, and the results follow the GPU's.
 */
export function sin_approx_f32_x4(a: v128): v128 {
  const f = demotePair(turns(promoteLow(a)), turns(promoteHigh(a)));
  // Beyond a quarter turn: sin(2πf) = sin(2π(±½ − f)).
  const half = v128.or(v128.and(f, i32x4.splat(0x80000000)), k(0.5));
  const far = f32x4.gt(f32x4.abs(f), k(0.25));
  const r = sinTurns(v128.bitselect(f32x4.sub(half, f), f, far));
  // A zero has the argument's sign at whole turns and the other one at half turns.
  const sign = v128.and(v128.xor(a, far), i32x4.splat(0x80000000));
  return v128.bitselect(sign, r, f32x4.eq(r, k(0)));
}
/** cos.approx.f32 on four lanes: a quarter turn ahead of the sine. */
export function cos_approx_f32_x4(a: v128): v128 {
  const f = demotePair(turns(promoteLow(a)), turns(promoteHigh(a)));
  const r = sinTurns(f32x4.sub(k(0.25), f32x4.abs(f)));
  // A zero is −0 a quarter turn away from the whole turns on the side of larger magnitudes.
  const sign = v128.andnot(i32x4.splat(0x80000000), v128.xor(a, f));
  return v128.bitselect(sign, r, f32x4.eq(r, k(0)));
}
/** sin.approx.ftz.f32 on four lanes. */
export function sin_approx_ftz_f32_x4(a: v128): v128 {
  return ftzX4(sin_approx_f32_x4(ftzX4(a)));
}
/** cos.approx.ftz.f32 on four lanes. */
export function cos_approx_ftz_f32_x4(a: v128): v128 {
  return ftzX4(cos_approx_f32_x4(ftzX4(a)));
}
/** sin.approx.f32 */
export function sin_approx_f32(a: f32): f32 {
  return lane0(sin_approx_f32_x4(k(a)));
}
/** cos.approx.f32 */
export function cos_approx_f32(a: f32): f32 {
  return lane0(cos_approx_f32_x4(k(a)));
}
/** sin.approx.ftz.f32 */
export function sin_approx_ftz_f32(a: f32): f32 {
  return lane0(sin_approx_ftz_f32_x4(k(a)));
}
/** cos.approx.ftz.f32 */
export function cos_approx_ftz_f32(a: f32): f32 {
  return lane0(cos_approx_ftz_f32_x4(k(a)));
}

/** tanh.approx.f32 on four lanes: a rational approximation of degree 13 over 6. */
export function tanh_approx_f32_x4(a: v128): v128 {
  const x = f32x4.pmin(f32x4.pmax(a, k(-7.90531110763549805)), k(7.90531110763549805));
  const u = f32x4.mul(x, x);
  let p = k(-2.76076847742355e-16);
  p = step(p, u, 2.00018790482477e-13);
  p = step(p, u, -8.60467152213735e-11);
  p = step(p, u, 5.12229709037114e-8);
  p = step(p, u, 1.48572235717979e-5);
  p = step(p, u, 6.37261928875436e-4);
  p = step(p, u, 4.89352455891786e-3);
  let q = k(1.19825839466702e-6);
  q = step(q, u, 1.18534705686654e-4);
  q = step(q, u, 2.268434632439e-3);
  q = step(q, u, 4.89352518554385e-3);
  // Near 0 the function is its argument, and p·x could be subnormal.
  const small = f32x4.lt(f32x4.abs(a), k(0.000244140625));
  return v128.bitselect(a, f32x4.div(f32x4.mul(p, x), q), small);
}
/** tanh.approx.f32 */
export function tanh_approx_f32(a: f32): f32 {
  return lane0(tanh_approx_f32_x4(k(a)));
}
