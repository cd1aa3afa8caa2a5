// f32 and f64 minimum and maximum in all forms, copysign and testp.
//
// A NaN loses against a number, unless `.NaN` asks for it; −0 is below +0 (PTX ISA, min). Inputs of
// `.ftz` forms are flushed. `.xorsign.abs`: of the magnitudes, with the exclusive or of the signs.

import { F32_MIN_NORMAL, F64_MIN_NORMAL, ftz, nan32, nan64 } from "./common";

// WebAssembly's min and max propagate NaN and order the zeros.
// @ts-ignore: decorator
@inline
function min32(a: f32, b: f32): f32 {
  const m = min<f32>(a, b);
  return a != a ? (b != b ? nan32() : b) : b != b ? a : m;
}

// @ts-ignore: decorator
@inline
function max32(a: f32, b: f32): f32 {
  const m = max<f32>(a, b);
  return a != a ? (b != b ? nan32() : b) : b != b ? a : m;
}

// @ts-ignore: decorator
@inline
function min32NaN(a: f32, b: f32): f32 {
  return a != a || b != b ? nan32() : min<f32>(a, b);
}

// @ts-ignore: decorator
@inline
function max32NaN(a: f32, b: f32): f32 {
  return a != a || b != b ? nan32() : max<f32>(a, b);
}

// @ts-ignore: decorator
@inline
function xorsign(m: f32, a: f32, b: f32): f32 {
  const signs = (reinterpret<i32>(a) ^ reinterpret<i32>(b)) & 0x80000000;
  return m != m ? m : reinterpret<f32>(reinterpret<i32>(m) | signs);
}

/** min.f64 */
export function min_f64(a: f64, b: f64): f64 {
  const m = min<f64>(a, b);
  return a != a ? (b != b ? nan64() : b) : b != b ? a : m;
}
/** max.f64 */
export function max_f64(a: f64, b: f64): f64 {
  const m = max<f64>(a, b);
  return a != a ? (b != b ? nan64() : b) : b != b ? a : m;
}
/** min.f32 */
export function min_f32(a: f32, b: f32): f32 {
  return min32(a, b);
}
/** min.xorsign.abs.f32 */
export function min_xorsign_abs_f32(a: f32, b: f32): f32 {
  return xorsign(min32(abs<f32>(a), abs<f32>(b)), a, b);
}
/** min.NaN.f32 */
export function min_NaN_f32(a: f32, b: f32): f32 {
  return min32NaN(a, b);
}
/** min.NaN.xorsign.abs.f32 */
export function min_NaN_xorsign_abs_f32(a: f32, b: f32): f32 {
  return xorsign(min32NaN(abs<f32>(a), abs<f32>(b)), a, b);
}
/** min.ftz.f32 */
export function min_ftz_f32(a: f32, b: f32): f32 {
  return min32(ftz(a), ftz(b));
}
/** min.ftz.xorsign.abs.f32 */
export function min_ftz_xorsign_abs_f32(a: f32, b: f32): f32 {
  return xorsign(min32(abs<f32>(ftz(a)), abs<f32>(ftz(b))), a, b);
}
/** min.ftz.NaN.f32 */
export function min_ftz_NaN_f32(a: f32, b: f32): f32 {
  return min32NaN(ftz(a), ftz(b));
}
/** min.ftz.NaN.xorsign.abs.f32 */
export function min_ftz_NaN_xorsign_abs_f32(a: f32, b: f32): f32 {
  return xorsign(min32NaN(abs<f32>(ftz(a)), abs<f32>(ftz(b))), a, b);
}
/** max.f32 */
export function max_f32(a: f32, b: f32): f32 {
  return max32(a, b);
}
/** max.xorsign.abs.f32 */
export function max_xorsign_abs_f32(a: f32, b: f32): f32 {
  return xorsign(max32(abs<f32>(a), abs<f32>(b)), a, b);
}
/** max.NaN.f32 */
export function max_NaN_f32(a: f32, b: f32): f32 {
  return max32NaN(a, b);
}
/** max.NaN.xorsign.abs.f32 */
export function max_NaN_xorsign_abs_f32(a: f32, b: f32): f32 {
  return xorsign(max32NaN(abs<f32>(a), abs<f32>(b)), a, b);
}
/** max.ftz.f32 */
export function max_ftz_f32(a: f32, b: f32): f32 {
  return max32(ftz(a), ftz(b));
}
/** max.ftz.xorsign.abs.f32 */
export function max_ftz_xorsign_abs_f32(a: f32, b: f32): f32 {
  return xorsign(max32(abs<f32>(ftz(a)), abs<f32>(ftz(b))), a, b);
}
/** max.ftz.NaN.f32 */
export function max_ftz_NaN_f32(a: f32, b: f32): f32 {
  return max32NaN(ftz(a), ftz(b));
}
/** max.ftz.NaN.xorsign.abs.f32 */
export function max_ftz_NaN_xorsign_abs_f32(a: f32, b: f32): f32 {
  return xorsign(max32NaN(abs<f32>(ftz(a)), abs<f32>(ftz(b))), a, b);
}
/** abs.ftz.f32 */
export function abs_ftz_f32(a: f32): f32 {
  return abs<f32>(ftz(a));
}
/** neg.ftz.f32 */
export function neg_ftz_f32(a: f32): f32 {
  return -ftz(a);
}
/** copysign.f32: the magnitude of b with the sign of a */
export function copysign_f32(a: f32, b: f32): f32 {
  return copysign<f32>(b, a);
}
/** testp.finite.f32 */
export function testp_finite_f32(a: f32): i32 {
  return i32(abs<f32>(a) < Infinity);
}
/** testp.infinite.f32 */
export function testp_infinite_f32(a: f32): i32 {
  return i32(abs<f32>(a) == Infinity);
}
/** testp.number.f32 */
export function testp_number_f32(a: f32): i32 {
  return i32(a == a);
}
/** testp.notanumber.f32 */
export function testp_notanumber_f32(a: f32): i32 {
  return i32(a != a);
}
/** testp.normal.f32: finite and not subnormal; the GPU counts zero in */
export function testp_normal_f32(a: f32): i32 {
  return i32(abs<f32>(a) < Infinity && (abs<f32>(a) >= F32_MIN_NORMAL || a == 0));
}
/** testp.subnormal.f32 */
export function testp_subnormal_f32(a: f32): i32 {
  return i32(abs<f32>(a) < F32_MIN_NORMAL && a != 0);
}
/** copysign.f64: the magnitude of b with the sign of a */
export function copysign_f64(a: f64, b: f64): f64 {
  return copysign<f64>(b, a);
}
/** testp.finite.f64 */
export function testp_finite_f64(a: f64): i32 {
  return i32(abs<f64>(a) < Infinity);
}
/** testp.infinite.f64 */
export function testp_infinite_f64(a: f64): i32 {
  return i32(abs<f64>(a) == Infinity);
}
/** testp.number.f64 */
export function testp_number_f64(a: f64): i32 {
  return i32(a == a);
}
/** testp.notanumber.f64 */
export function testp_notanumber_f64(a: f64): i32 {
  return i32(a != a);
}
/** testp.normal.f64: finite and not subnormal; the GPU counts zero in */
export function testp_normal_f64(a: f64): i32 {
  return i32(abs<f64>(a) < Infinity && (abs<f64>(a) >= F64_MIN_NORMAL || a == 0));
}
/** testp.subnormal.f64 */
export function testp_subnormal_f64(a: f64): i32 {
  return i32(abs<f64>(a) < F64_MIN_NORMAL && a != 0);
}
