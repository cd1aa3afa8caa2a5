// Arithmetic of one bfloat16 (bf16) value. A register of it is an i32 with its upper 16 bits zero.
//
// A sum of two bf16 rounded to f32 and then to bf16 is rounded as if once (24 ≥ 2·8 + 2 bits;
// Figueroa 1995). Products, which can be subnormal, and fused multiply-adds go through f64, rounded
// to odd. NaN results are 0x7fff. `.ftz` flushes subnormals, `.sat` clamps to [0, 1], `.relu` to
// [0, ∞) (NaN stays NaN there); PTX ISA, "Half Precision Floating Point Instructions".

import { bfloatToFloat, demoteOdd, floatToBfloat, toOdd, twoSumError } from "./common";
import { maximum16, minimum16, withSign } from "./half-order";

// @ts-ignore: decorator
@inline
function flush(h: i32): i32 {
  return (h & 0x7f80) == 0 ? h & 0x8000 : h;
}

// @ts-ignore: decorator
@inline
function saturate(h: i32): i32 {
  // Negative, zero of either sign or NaN: +0.
  if (h >= 0x8000 || h > 0x7f80) return 0;
  return min<i32>(h, 0x3f80);
}

// @ts-ignore: decorator
@inline
function relu(h: i32): i32 {
  return h >= 0x8000 ? 0 : h;
}

// @ts-ignore: decorator
@inline
function add(a: i32, b: i32): i32 {
  return floatToBfloat(bfloatToFloat(a) + bfloatToFloat(b));
}

// @ts-ignore: decorator
@inline
function sub(a: i32, b: i32): i32 {
  return floatToBfloat(bfloatToFloat(a) - bfloatToFloat(b));
}

// @ts-ignore: decorator
@inline
function mul(a: i32, b: i32): i32 {
  return floatToBfloat(demoteOdd(<f64>bfloatToFloat(a) * <f64>bfloatToFloat(b)));
}

function fma(a: i32, b: i32, c: i32): i32 {
  const p = <f64>bfloatToFloat(a) * <f64>bfloatToFloat(b); // 16 bits: exact
  const addend = <f64>bfloatToFloat(c);
  const s = p + addend;
  return floatToBfloat(demoteOdd(toOdd(s, twoSumError(p, addend, s))));
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

/** add.rn.bf16 */
export function add_rn_bf16(a: i32, b: i32): i32 {
  return add(a, b);
}
/** sub.rn.bf16 */
export function sub_rn_bf16(a: i32, b: i32): i32 {
  return sub(a, b);
}
/** mul.rn.bf16 */
export function mul_rn_bf16(a: i32, b: i32): i32 {
  return mul(a, b);
}
/** fma.rn.bf16 */
export function fma_rn_bf16(a: i32, b: i32, c: i32): i32 {
  return fma(a, b, c);
}
/** fma.rn.relu.bf16 */
export function fma_rn_relu_bf16(a: i32, b: i32, c: i32): i32 {
  return relu(fma(a, b, c));
}
/** fma.rn.oob.bf16 */
export function fma_rn_oob_bf16(a: i32, b: i32, c: i32): i32 {
  return oob(a, b) ? 0 : fma(a, b, c);
}
/** fma.rn.oob.relu.bf16 */
export function fma_rn_oob_relu_bf16(a: i32, b: i32, c: i32): i32 {
  return oob(a, b) ? 0 : relu(fma(a, b, c));
}
/** min.bf16 */
export function min_bf16(a: i32, b: i32): i32 {
  return minimum16(a, b, 0x7f80, false);
}
/** min.xorsign.abs.bf16 */
export function min_xorsign_abs_bf16(a: i32, b: i32): i32 {
  return withSign(minimum16(a & 0x7fff, b & 0x7fff, 0x7f80, false), a ^ b);
}
/** min.NaN.bf16 */
export function min_NaN_bf16(a: i32, b: i32): i32 {
  return minimum16(a, b, 0x7f80, true);
}
/** min.NaN.xorsign.abs.bf16 */
export function min_NaN_xorsign_abs_bf16(a: i32, b: i32): i32 {
  return withSign(minimum16(a & 0x7fff, b & 0x7fff, 0x7f80, true), a ^ b);
}
/** max.bf16 */
export function max_bf16(a: i32, b: i32): i32 {
  return maximum16(a, b, 0x7f80, false);
}
/** max.xorsign.abs.bf16 */
export function max_xorsign_abs_bf16(a: i32, b: i32): i32 {
  return withSign(maximum16(a & 0x7fff, b & 0x7fff, 0x7f80, false), a ^ b);
}
/** max.NaN.bf16 */
export function max_NaN_bf16(a: i32, b: i32): i32 {
  return maximum16(a, b, 0x7f80, true);
}
/** max.NaN.xorsign.abs.bf16 */
export function max_NaN_xorsign_abs_bf16(a: i32, b: i32): i32 {
  return withSign(maximum16(a & 0x7fff, b & 0x7fff, 0x7f80, true), a ^ b);
}
/** abs.bf16 */
export function abs_bf16(a: i32): i32 {
  return a & 0x7fff;
}
/** neg.bf16 */
export function neg_bf16(a: i32): i32 {
  return a ^ 0x8000;
}

// Without a rounding modifier, add, sub and mul round to nearest.
export { add_rn_bf16 as add_bf16, sub_rn_bf16 as sub_bf16, mul_rn_bf16 as mul_bf16 };
