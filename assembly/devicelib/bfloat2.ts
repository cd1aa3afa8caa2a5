// The packed forms of bfloat.ts: two bf16 in one i32, element 0 in the lower half.

import * as one from "./bfloat";

// @ts-ignore: decorator
@inline
function low(x: i32): i32 {
  return x & 0xffff;
}

// @ts-ignore: decorator
@inline
function high(x: i32): i32 {
  return x >>> 16;
}

/** add.rn.bf16x2 */
export function add_rn_bf16x2(a: i32, b: i32): i32 {
  return one.add_rn_bf16(low(a), low(b)) | (one.add_rn_bf16(high(a), high(b)) << 16);
}
/** sub.rn.bf16x2 */
export function sub_rn_bf16x2(a: i32, b: i32): i32 {
  return one.sub_rn_bf16(low(a), low(b)) | (one.sub_rn_bf16(high(a), high(b)) << 16);
}
/** mul.rn.bf16x2 */
export function mul_rn_bf16x2(a: i32, b: i32): i32 {
  return one.mul_rn_bf16(low(a), low(b)) | (one.mul_rn_bf16(high(a), high(b)) << 16);
}
/** fma.rn.bf16x2 */
export function fma_rn_bf16x2(a: i32, b: i32, c: i32): i32 {
  return (
    one.fma_rn_bf16(low(a), low(b), low(c)) | (one.fma_rn_bf16(high(a), high(b), high(c)) << 16)
  );
}
/** fma.rn.relu.bf16x2 */
export function fma_rn_relu_bf16x2(a: i32, b: i32, c: i32): i32 {
  return (
    one.fma_rn_relu_bf16(low(a), low(b), low(c)) |
    (one.fma_rn_relu_bf16(high(a), high(b), high(c)) << 16)
  );
}
/** fma.rn.oob.bf16x2 */
export function fma_rn_oob_bf16x2(a: i32, b: i32, c: i32): i32 {
  return (
    one.fma_rn_oob_bf16(low(a), low(b), low(c)) |
    (one.fma_rn_oob_bf16(high(a), high(b), high(c)) << 16)
  );
}
/** fma.rn.oob.relu.bf16x2 */
export function fma_rn_oob_relu_bf16x2(a: i32, b: i32, c: i32): i32 {
  return (
    one.fma_rn_oob_relu_bf16(low(a), low(b), low(c)) |
    (one.fma_rn_oob_relu_bf16(high(a), high(b), high(c)) << 16)
  );
}
/** min.bf16x2 */
export function min_bf16x2(a: i32, b: i32): i32 {
  return one.min_bf16(low(a), low(b)) | (one.min_bf16(high(a), high(b)) << 16);
}
/** min.xorsign.abs.bf16x2 */
export function min_xorsign_abs_bf16x2(a: i32, b: i32): i32 {
  return (
    one.min_xorsign_abs_bf16(low(a), low(b)) | (one.min_xorsign_abs_bf16(high(a), high(b)) << 16)
  );
}
/** min.NaN.bf16x2 */
export function min_NaN_bf16x2(a: i32, b: i32): i32 {
  return one.min_NaN_bf16(low(a), low(b)) | (one.min_NaN_bf16(high(a), high(b)) << 16);
}
/** min.NaN.xorsign.abs.bf16x2 */
export function min_NaN_xorsign_abs_bf16x2(a: i32, b: i32): i32 {
  return (
    one.min_NaN_xorsign_abs_bf16(low(a), low(b)) |
    (one.min_NaN_xorsign_abs_bf16(high(a), high(b)) << 16)
  );
}
/** max.bf16x2 */
export function max_bf16x2(a: i32, b: i32): i32 {
  return one.max_bf16(low(a), low(b)) | (one.max_bf16(high(a), high(b)) << 16);
}
/** max.xorsign.abs.bf16x2 */
export function max_xorsign_abs_bf16x2(a: i32, b: i32): i32 {
  return (
    one.max_xorsign_abs_bf16(low(a), low(b)) | (one.max_xorsign_abs_bf16(high(a), high(b)) << 16)
  );
}
/** max.NaN.bf16x2 */
export function max_NaN_bf16x2(a: i32, b: i32): i32 {
  return one.max_NaN_bf16(low(a), low(b)) | (one.max_NaN_bf16(high(a), high(b)) << 16);
}
/** max.NaN.xorsign.abs.bf16x2 */
export function max_NaN_xorsign_abs_bf16x2(a: i32, b: i32): i32 {
  return (
    one.max_NaN_xorsign_abs_bf16(low(a), low(b)) |
    (one.max_NaN_xorsign_abs_bf16(high(a), high(b)) << 16)
  );
}
/** abs.bf16x2 */
export function abs_bf16x2(a: i32): i32 {
  return a & 0x7fff7fff;
}
/** neg.bf16x2 */
export function neg_bf16x2(a: i32): i32 {
  return a ^ 0x80008000;
}

export { add_rn_bf16x2 as add_bf16x2, sub_rn_bf16x2 as sub_bf16x2, mul_rn_bf16x2 as mul_bf16x2 };
