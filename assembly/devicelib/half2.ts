// The packed forms of half.ts: two f16 in one i32, element 0 in the lower half.

import * as one from "./half";

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

/** add.rn.f16x2 */
export function add_rn_f16x2(a: i32, b: i32): i32 {
  return one.add_rn_f16(low(a), low(b)) | (one.add_rn_f16(high(a), high(b)) << 16);
}
/** add.rn.sat.f16x2 */
export function add_rn_sat_f16x2(a: i32, b: i32): i32 {
  return one.add_rn_sat_f16(low(a), low(b)) | (one.add_rn_sat_f16(high(a), high(b)) << 16);
}
/** add.rn.ftz.f16x2 */
export function add_rn_ftz_f16x2(a: i32, b: i32): i32 {
  return one.add_rn_ftz_f16(low(a), low(b)) | (one.add_rn_ftz_f16(high(a), high(b)) << 16);
}
/** add.rn.ftz.sat.f16x2 */
export function add_rn_ftz_sat_f16x2(a: i32, b: i32): i32 {
  return one.add_rn_ftz_sat_f16(low(a), low(b)) | (one.add_rn_ftz_sat_f16(high(a), high(b)) << 16);
}
/** sub.rn.f16x2 */
export function sub_rn_f16x2(a: i32, b: i32): i32 {
  return one.sub_rn_f16(low(a), low(b)) | (one.sub_rn_f16(high(a), high(b)) << 16);
}
/** sub.rn.sat.f16x2 */
export function sub_rn_sat_f16x2(a: i32, b: i32): i32 {
  return one.sub_rn_sat_f16(low(a), low(b)) | (one.sub_rn_sat_f16(high(a), high(b)) << 16);
}
/** sub.rn.ftz.f16x2 */
export function sub_rn_ftz_f16x2(a: i32, b: i32): i32 {
  return one.sub_rn_ftz_f16(low(a), low(b)) | (one.sub_rn_ftz_f16(high(a), high(b)) << 16);
}
/** sub.rn.ftz.sat.f16x2 */
export function sub_rn_ftz_sat_f16x2(a: i32, b: i32): i32 {
  return one.sub_rn_ftz_sat_f16(low(a), low(b)) | (one.sub_rn_ftz_sat_f16(high(a), high(b)) << 16);
}
/** mul.rn.f16x2 */
export function mul_rn_f16x2(a: i32, b: i32): i32 {
  return one.mul_rn_f16(low(a), low(b)) | (one.mul_rn_f16(high(a), high(b)) << 16);
}
/** mul.rn.sat.f16x2 */
export function mul_rn_sat_f16x2(a: i32, b: i32): i32 {
  return one.mul_rn_sat_f16(low(a), low(b)) | (one.mul_rn_sat_f16(high(a), high(b)) << 16);
}
/** mul.rn.ftz.f16x2 */
export function mul_rn_ftz_f16x2(a: i32, b: i32): i32 {
  return one.mul_rn_ftz_f16(low(a), low(b)) | (one.mul_rn_ftz_f16(high(a), high(b)) << 16);
}
/** mul.rn.ftz.sat.f16x2 */
export function mul_rn_ftz_sat_f16x2(a: i32, b: i32): i32 {
  return one.mul_rn_ftz_sat_f16(low(a), low(b)) | (one.mul_rn_ftz_sat_f16(high(a), high(b)) << 16);
}
/** fma.rn.f16x2 */
export function fma_rn_f16x2(a: i32, b: i32, c: i32): i32 {
  return one.fma_rn_f16(low(a), low(b), low(c)) | (one.fma_rn_f16(high(a), high(b), high(c)) << 16);
}
/** fma.rn.sat.f16x2 */
export function fma_rn_sat_f16x2(a: i32, b: i32, c: i32): i32 {
  return (
    one.fma_rn_sat_f16(low(a), low(b), low(c)) |
    (one.fma_rn_sat_f16(high(a), high(b), high(c)) << 16)
  );
}
/** fma.rn.relu.f16x2 */
export function fma_rn_relu_f16x2(a: i32, b: i32, c: i32): i32 {
  return (
    one.fma_rn_relu_f16(low(a), low(b), low(c)) |
    (one.fma_rn_relu_f16(high(a), high(b), high(c)) << 16)
  );
}
/** fma.rn.ftz.f16x2 */
export function fma_rn_ftz_f16x2(a: i32, b: i32, c: i32): i32 {
  return (
    one.fma_rn_ftz_f16(low(a), low(b), low(c)) |
    (one.fma_rn_ftz_f16(high(a), high(b), high(c)) << 16)
  );
}
/** fma.rn.ftz.sat.f16x2 */
export function fma_rn_ftz_sat_f16x2(a: i32, b: i32, c: i32): i32 {
  return (
    one.fma_rn_ftz_sat_f16(low(a), low(b), low(c)) |
    (one.fma_rn_ftz_sat_f16(high(a), high(b), high(c)) << 16)
  );
}
/** fma.rn.ftz.relu.f16x2 */
export function fma_rn_ftz_relu_f16x2(a: i32, b: i32, c: i32): i32 {
  return (
    one.fma_rn_ftz_relu_f16(low(a), low(b), low(c)) |
    (one.fma_rn_ftz_relu_f16(high(a), high(b), high(c)) << 16)
  );
}
/** fma.rn.oob.f16x2 */
export function fma_rn_oob_f16x2(a: i32, b: i32, c: i32): i32 {
  return (
    one.fma_rn_oob_f16(low(a), low(b), low(c)) |
    (one.fma_rn_oob_f16(high(a), high(b), high(c)) << 16)
  );
}
/** fma.rn.oob.relu.f16x2 */
export function fma_rn_oob_relu_f16x2(a: i32, b: i32, c: i32): i32 {
  return (
    one.fma_rn_oob_relu_f16(low(a), low(b), low(c)) |
    (one.fma_rn_oob_relu_f16(high(a), high(b), high(c)) << 16)
  );
}
/** min.f16x2 */
export function min_f16x2(a: i32, b: i32): i32 {
  return one.min_f16(low(a), low(b)) | (one.min_f16(high(a), high(b)) << 16);
}
/** min.xorsign.abs.f16x2 */
export function min_xorsign_abs_f16x2(a: i32, b: i32): i32 {
  return (
    one.min_xorsign_abs_f16(low(a), low(b)) | (one.min_xorsign_abs_f16(high(a), high(b)) << 16)
  );
}
/** min.NaN.f16x2 */
export function min_NaN_f16x2(a: i32, b: i32): i32 {
  return one.min_NaN_f16(low(a), low(b)) | (one.min_NaN_f16(high(a), high(b)) << 16);
}
/** min.NaN.xorsign.abs.f16x2 */
export function min_NaN_xorsign_abs_f16x2(a: i32, b: i32): i32 {
  return (
    one.min_NaN_xorsign_abs_f16(low(a), low(b)) |
    (one.min_NaN_xorsign_abs_f16(high(a), high(b)) << 16)
  );
}
/** min.ftz.f16x2 */
export function min_ftz_f16x2(a: i32, b: i32): i32 {
  return one.min_ftz_f16(low(a), low(b)) | (one.min_ftz_f16(high(a), high(b)) << 16);
}
/** min.ftz.xorsign.abs.f16x2 */
export function min_ftz_xorsign_abs_f16x2(a: i32, b: i32): i32 {
  return (
    one.min_ftz_xorsign_abs_f16(low(a), low(b)) |
    (one.min_ftz_xorsign_abs_f16(high(a), high(b)) << 16)
  );
}
/** min.ftz.NaN.f16x2 */
export function min_ftz_NaN_f16x2(a: i32, b: i32): i32 {
  return one.min_ftz_NaN_f16(low(a), low(b)) | (one.min_ftz_NaN_f16(high(a), high(b)) << 16);
}
/** min.ftz.NaN.xorsign.abs.f16x2 */
export function min_ftz_NaN_xorsign_abs_f16x2(a: i32, b: i32): i32 {
  return (
    one.min_ftz_NaN_xorsign_abs_f16(low(a), low(b)) |
    (one.min_ftz_NaN_xorsign_abs_f16(high(a), high(b)) << 16)
  );
}
/** max.f16x2 */
export function max_f16x2(a: i32, b: i32): i32 {
  return one.max_f16(low(a), low(b)) | (one.max_f16(high(a), high(b)) << 16);
}
/** max.xorsign.abs.f16x2 */
export function max_xorsign_abs_f16x2(a: i32, b: i32): i32 {
  return (
    one.max_xorsign_abs_f16(low(a), low(b)) | (one.max_xorsign_abs_f16(high(a), high(b)) << 16)
  );
}
/** max.NaN.f16x2 */
export function max_NaN_f16x2(a: i32, b: i32): i32 {
  return one.max_NaN_f16(low(a), low(b)) | (one.max_NaN_f16(high(a), high(b)) << 16);
}
/** max.NaN.xorsign.abs.f16x2 */
export function max_NaN_xorsign_abs_f16x2(a: i32, b: i32): i32 {
  return (
    one.max_NaN_xorsign_abs_f16(low(a), low(b)) |
    (one.max_NaN_xorsign_abs_f16(high(a), high(b)) << 16)
  );
}
/** max.ftz.f16x2 */
export function max_ftz_f16x2(a: i32, b: i32): i32 {
  return one.max_ftz_f16(low(a), low(b)) | (one.max_ftz_f16(high(a), high(b)) << 16);
}
/** max.ftz.xorsign.abs.f16x2 */
export function max_ftz_xorsign_abs_f16x2(a: i32, b: i32): i32 {
  return (
    one.max_ftz_xorsign_abs_f16(low(a), low(b)) |
    (one.max_ftz_xorsign_abs_f16(high(a), high(b)) << 16)
  );
}
/** max.ftz.NaN.f16x2 */
export function max_ftz_NaN_f16x2(a: i32, b: i32): i32 {
  return one.max_ftz_NaN_f16(low(a), low(b)) | (one.max_ftz_NaN_f16(high(a), high(b)) << 16);
}
/** max.ftz.NaN.xorsign.abs.f16x2 */
export function max_ftz_NaN_xorsign_abs_f16x2(a: i32, b: i32): i32 {
  return (
    one.max_ftz_NaN_xorsign_abs_f16(low(a), low(b)) |
    (one.max_ftz_NaN_xorsign_abs_f16(high(a), high(b)) << 16)
  );
}
/** abs.f16x2 */
export function abs_f16x2(a: i32): i32 {
  return a & 0x7fff7fff;
}
/** neg.f16x2 */
export function neg_f16x2(a: i32): i32 {
  return a ^ 0x80008000;
}
/** abs.ftz.f16x2 */
export function abs_ftz_f16x2(a: i32): i32 {
  return one.abs_ftz_f16(low(a)) | (one.abs_ftz_f16(high(a)) << 16);
}
/** neg.ftz.f16x2 */
export function neg_ftz_f16x2(a: i32): i32 {
  return one.neg_ftz_f16(low(a)) | (one.neg_ftz_f16(high(a)) << 16);
}

export {
  add_rn_f16x2 as add_f16x2,
  add_rn_sat_f16x2 as add_sat_f16x2,
  add_rn_ftz_f16x2 as add_ftz_f16x2,
  add_rn_ftz_sat_f16x2 as add_ftz_sat_f16x2,
  sub_rn_f16x2 as sub_f16x2,
  sub_rn_sat_f16x2 as sub_sat_f16x2,
  sub_rn_ftz_f16x2 as sub_ftz_f16x2,
  sub_rn_ftz_sat_f16x2 as sub_ftz_sat_f16x2,
  mul_rn_f16x2 as mul_f16x2,
  mul_rn_sat_f16x2 as mul_sat_f16x2,
  mul_rn_ftz_f16x2 as mul_ftz_f16x2,
  mul_rn_ftz_sat_f16x2 as mul_ftz_sat_f16x2,
};
