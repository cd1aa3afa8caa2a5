// Arithmetic of one half precision (f16) value. A register of it is an i32 with its upper 16 bits
// zero.
//
// The operands become f32. A sum or product of two f16 rounded to f32 and then to f16 is rounded as
// if once (24 ≥ 2·11 + 2 bits; Figueroa 1995). A fused multiply-add is rounded to odd in f32: its
// product is exact there, and the sum's error is known. NaN results are 0x7fff. `.ftz` flushes
// subnormals, `.sat` clamps to [0, 1], `.relu` to [0, ∞) (NaN stays NaN there); PTX ISA, "Half
// Precision Floating Point Instructions".

import { floatToHalf, floatToHalfFtz, halfToFloat } from "./common";
import { maximum16, minimum16, withSign } from "./half-order";

// @ts-ignore: decorator
@inline
function flush(h: i32): i32 {
  return (h & 0x7c00) == 0 ? h & 0x8000 : h;
}

// @ts-ignore: decorator
@inline
function saturate(h: i32): i32 {
  // Negative, zero of either sign or NaN: +0.
  if (h >= 0x8000 || h > 0x7c00) return 0;
  return min<i32>(h, 0x3c00);
}

// @ts-ignore: decorator
@inline
function relu(h: i32): i32 {
  return h >= 0x8000 ? 0 : h;
}

// @ts-ignore: decorator
@inline
function add(a: i32, b: i32): i32 {
  return floatToHalf(halfToFloat(a) + halfToFloat(b));
}

// @ts-ignore: decorator
@inline
function sub(a: i32, b: i32): i32 {
  return floatToHalf(halfToFloat(a) - halfToFloat(b));
}

// @ts-ignore: decorator
@inline
function mul(a: i32, b: i32): i32 {
  return floatToHalf(halfToFloat(a) * halfToFloat(b));
}

function mulFtz(a: i32, b: i32): i32 {
  return floatToHalfFtz(halfToFloat(flush(a)) * halfToFloat(flush(b)));
}

// @ts-ignore: decorator
@inline
function fmaOdd(a: i32, b: i32, c: i32): f32 {
  const p = halfToFloat(a) * halfToFloat(b); // 22 bits: exact
  const addend = halfToFloat(c);
  const s = p + addend;
  const t = s - p;
  const error = p - (s - t) + (addend - t);
  const bits = reinterpret<i32>(s);
  const odd = (bits + ((bits ^ reinterpret<i32>(error)) >> 31)) | 1;
  return abs<f32>(error) > 0 ? reinterpret<f32>(odd) : s;
}

function fma(a: i32, b: i32, c: i32): i32 {
  return floatToHalf(fmaOdd(a, b, c));
}

function fmaFtz(a: i32, b: i32, c: i32): i32 {
  return floatToHalfFtz(fmaOdd(flush(a), flush(b), flush(c)));
}

/**
 * `.oob`: whether an operand is the NaN that the tensor copies put in for data out of bounds
 * (0x7ff7 or 0xfff7, found on the H100).
 */
// @ts-ignore: decorator
@inline
function oob(a: i32, b: i32): bool {
  return (a & 0x7fff) == 0x7ff7 || (b & 0x7fff) == 0x7ff7;
}

/** add.rn.f16 */
export function add_rn_f16(a: i32, b: i32): i32 {
  return add(a, b);
}
/** add.rn.sat.f16 */
export function add_rn_sat_f16(a: i32, b: i32): i32 {
  return saturate(add(a, b));
}
/** add.rn.ftz.f16 */
export function add_rn_ftz_f16(a: i32, b: i32): i32 {
  return flush(add(flush(a), flush(b)));
}
/** add.rn.ftz.sat.f16 */
export function add_rn_ftz_sat_f16(a: i32, b: i32): i32 {
  return saturate(flush(add(flush(a), flush(b))));
}
/** sub.rn.f16 */
export function sub_rn_f16(a: i32, b: i32): i32 {
  return sub(a, b);
}
/** sub.rn.sat.f16 */
export function sub_rn_sat_f16(a: i32, b: i32): i32 {
  return saturate(sub(a, b));
}
/** sub.rn.ftz.f16 */
export function sub_rn_ftz_f16(a: i32, b: i32): i32 {
  return flush(sub(flush(a), flush(b)));
}
/** sub.rn.ftz.sat.f16 */
export function sub_rn_ftz_sat_f16(a: i32, b: i32): i32 {
  return saturate(flush(sub(flush(a), flush(b))));
}
/** mul.rn.f16 */
export function mul_rn_f16(a: i32, b: i32): i32 {
  return mul(a, b);
}
/** mul.rn.sat.f16 */
export function mul_rn_sat_f16(a: i32, b: i32): i32 {
  return saturate(mul(a, b));
}
/** mul.rn.ftz.f16 */
export function mul_rn_ftz_f16(a: i32, b: i32): i32 {
  return mulFtz(a, b);
}
/** mul.rn.ftz.sat.f16 */
export function mul_rn_ftz_sat_f16(a: i32, b: i32): i32 {
  return saturate(mulFtz(a, b));
}
/** fma.rn.f16 */
export function fma_rn_f16(a: i32, b: i32, c: i32): i32 {
  return fma(a, b, c);
}
/** fma.rn.sat.f16 */
export function fma_rn_sat_f16(a: i32, b: i32, c: i32): i32 {
  return saturate(fma(a, b, c));
}
/** fma.rn.relu.f16 */
export function fma_rn_relu_f16(a: i32, b: i32, c: i32): i32 {
  return relu(fma(a, b, c));
}
/** fma.rn.ftz.f16 */
export function fma_rn_ftz_f16(a: i32, b: i32, c: i32): i32 {
  return fmaFtz(a, b, c);
}
/** fma.rn.ftz.sat.f16 */
export function fma_rn_ftz_sat_f16(a: i32, b: i32, c: i32): i32 {
  return saturate(fmaFtz(a, b, c));
}
/** fma.rn.ftz.relu.f16 */
export function fma_rn_ftz_relu_f16(a: i32, b: i32, c: i32): i32 {
  return relu(fmaFtz(a, b, c));
}
/** fma.rn.oob.f16 */
export function fma_rn_oob_f16(a: i32, b: i32, c: i32): i32 {
  return oob(a, b) ? 0 : fma(a, b, c);
}
/** fma.rn.oob.relu.f16 */
export function fma_rn_oob_relu_f16(a: i32, b: i32, c: i32): i32 {
  return oob(a, b) ? 0 : relu(fma(a, b, c));
}
/** min.f16 */
export function min_f16(a: i32, b: i32): i32 {
  return minimum16(a, b, 0x7c00, false);
}
/** min.xorsign.abs.f16 */
export function min_xorsign_abs_f16(a: i32, b: i32): i32 {
  return withSign(minimum16(a & 0x7fff, b & 0x7fff, 0x7c00, false), a ^ b);
}
/** min.NaN.f16 */
export function min_NaN_f16(a: i32, b: i32): i32 {
  return minimum16(a, b, 0x7c00, true);
}
/** min.NaN.xorsign.abs.f16 */
export function min_NaN_xorsign_abs_f16(a: i32, b: i32): i32 {
  return withSign(minimum16(a & 0x7fff, b & 0x7fff, 0x7c00, true), a ^ b);
}
/** min.ftz.f16 */
export function min_ftz_f16(a: i32, b: i32): i32 {
  return minimum16(flush(a), flush(b), 0x7c00, false);
}
/** min.ftz.xorsign.abs.f16 */
export function min_ftz_xorsign_abs_f16(a: i32, b: i32): i32 {
  return withSign(minimum16(flush(a) & 0x7fff, flush(b) & 0x7fff, 0x7c00, false), a ^ b);
}
/** min.ftz.NaN.f16 */
export function min_ftz_NaN_f16(a: i32, b: i32): i32 {
  return minimum16(flush(a), flush(b), 0x7c00, true);
}
/** min.ftz.NaN.xorsign.abs.f16 */
export function min_ftz_NaN_xorsign_abs_f16(a: i32, b: i32): i32 {
  return withSign(minimum16(flush(a) & 0x7fff, flush(b) & 0x7fff, 0x7c00, true), a ^ b);
}
/** max.f16 */
export function max_f16(a: i32, b: i32): i32 {
  return maximum16(a, b, 0x7c00, false);
}
/** max.xorsign.abs.f16 */
export function max_xorsign_abs_f16(a: i32, b: i32): i32 {
  return withSign(maximum16(a & 0x7fff, b & 0x7fff, 0x7c00, false), a ^ b);
}
/** max.NaN.f16 */
export function max_NaN_f16(a: i32, b: i32): i32 {
  return maximum16(a, b, 0x7c00, true);
}
/** max.NaN.xorsign.abs.f16 */
export function max_NaN_xorsign_abs_f16(a: i32, b: i32): i32 {
  return withSign(maximum16(a & 0x7fff, b & 0x7fff, 0x7c00, true), a ^ b);
}
/** max.ftz.f16 */
export function max_ftz_f16(a: i32, b: i32): i32 {
  return maximum16(flush(a), flush(b), 0x7c00, false);
}
/** max.ftz.xorsign.abs.f16 */
export function max_ftz_xorsign_abs_f16(a: i32, b: i32): i32 {
  return withSign(maximum16(flush(a) & 0x7fff, flush(b) & 0x7fff, 0x7c00, false), a ^ b);
}
/** max.ftz.NaN.f16 */
export function max_ftz_NaN_f16(a: i32, b: i32): i32 {
  return maximum16(flush(a), flush(b), 0x7c00, true);
}
/** max.ftz.NaN.xorsign.abs.f16 */
export function max_ftz_NaN_xorsign_abs_f16(a: i32, b: i32): i32 {
  return withSign(maximum16(flush(a) & 0x7fff, flush(b) & 0x7fff, 0x7c00, true), a ^ b);
}
/** abs.f16 */
export function abs_f16(a: i32): i32 {
  return a & 0x7fff;
}
/** neg.f16 */
export function neg_f16(a: i32): i32 {
  return a ^ 0x8000;
}
/** abs.ftz.f16 */
export function abs_ftz_f16(a: i32): i32 {
  return flush(a) & 0x7fff;
}
/** neg.ftz.f16 */
export function neg_ftz_f16(a: i32): i32 {
  return flush(a) ^ 0x8000;
}

// Without a rounding modifier, add, sub and mul round to nearest.
export {
  add_rn_f16 as add_f16,
  add_rn_sat_f16 as add_sat_f16,
  add_rn_ftz_f16 as add_ftz_f16,
  add_rn_ftz_sat_f16 as add_ftz_sat_f16,
  sub_rn_f16 as sub_f16,
  sub_rn_sat_f16 as sub_sat_f16,
  sub_rn_ftz_f16 as sub_ftz_f16,
  sub_rn_ftz_sat_f16 as sub_ftz_sat_f16,
  mul_rn_f16 as mul_f16,
  mul_rn_sat_f16 as mul_sat_f16,
  mul_rn_ftz_f16 as mul_ftz_f16,
  mul_rn_ftz_sat_f16 as mul_ftz_sat_f16,
};
