// cvt to f16 and bf16 from the other floating-point types, alone and packed in pairs (`d = {a, b}`:
// a in the upper half). `.ftz` changes nothing here, on the GPU either. Wider types are rounded to
// odd in f32 first, so that nothing is rounded twice.

import { RM, RN, RP, RZ, bfloatToFloat, demoteOdd, halfToFloat } from "./common";
import { bfloatIn, finite16, halfIn, relu16 } from "./cvt-half-round";

// @ts-ignore: decorator
@inline
function satHalf(h: i32): i32 {
  return h >= 0x8000 || h > 0x7c00 ? 0 : min<i32>(h, 0x3c00);
}

/** cvt.rn.f16.f64 */
export function cvt_rn_f16_f64(a: f64): i32 {
  return halfIn(demoteOdd(a), RN);
}
/** cvt.rn.bf16.f64 */
export function cvt_rn_bf16_f64(a: f64): i32 {
  return bfloatIn(demoteOdd(a), RN);
}
/** cvt.rn.bf16.f16 */
export function cvt_rn_bf16_f16(a: i32): i32 {
  return bfloatIn(halfToFloat(a), RN);
}
/** cvt.rn.f16.bf16 */
export function cvt_rn_f16_bf16(a: i32): i32 {
  return halfIn(bfloatToFloat(a), RN);
}
/** cvt.rn.f16.f32 */
export function cvt_rn_f16_f32(a: f32): i32 {
  return halfIn(a, RN);
}
/** cvt.rn.ftz.f16.f32 */
export function cvt_rn_ftz_f16_f32(a: f32): i32 {
  return halfIn(a, RN);
}
/** cvt.rn.sat.f16.f32 */
export function cvt_rn_sat_f16_f32(a: f32): i32 {
  return satHalf(halfIn(a, RN));
}
/** cvt.rn.ftz.sat.f16.f32 */
export function cvt_rn_ftz_sat_f16_f32(a: f32): i32 {
  return satHalf(halfIn(a, RN));
}
/** cvt.rn.bf16.f32 */
export function cvt_rn_bf16_f32(a: f32): i32 {
  return bfloatIn(a, RN);
}
/** cvt.rz.f16.f64 */
export function cvt_rz_f16_f64(a: f64): i32 {
  return halfIn(demoteOdd(a), RZ);
}
/** cvt.rz.bf16.f64 */
export function cvt_rz_bf16_f64(a: f64): i32 {
  return bfloatIn(demoteOdd(a), RZ);
}
/** cvt.rz.bf16.f16 */
export function cvt_rz_bf16_f16(a: i32): i32 {
  return bfloatIn(halfToFloat(a), RZ);
}
/** cvt.rz.f16.bf16 */
export function cvt_rz_f16_bf16(a: i32): i32 {
  return halfIn(bfloatToFloat(a), RZ);
}
/** cvt.rz.f16.f32 */
export function cvt_rz_f16_f32(a: f32): i32 {
  return halfIn(a, RZ);
}
/** cvt.rz.ftz.f16.f32 */
export function cvt_rz_ftz_f16_f32(a: f32): i32 {
  return halfIn(a, RZ);
}
/** cvt.rz.sat.f16.f32 */
export function cvt_rz_sat_f16_f32(a: f32): i32 {
  return satHalf(halfIn(a, RZ));
}
/** cvt.rz.ftz.sat.f16.f32 */
export function cvt_rz_ftz_sat_f16_f32(a: f32): i32 {
  return satHalf(halfIn(a, RZ));
}
/** cvt.rz.bf16.f32 */
export function cvt_rz_bf16_f32(a: f32): i32 {
  return bfloatIn(a, RZ);
}
/** cvt.rm.f16.f64 */
export function cvt_rm_f16_f64(a: f64): i32 {
  return halfIn(demoteOdd(a), RM);
}
/** cvt.rm.bf16.f64 */
export function cvt_rm_bf16_f64(a: f64): i32 {
  return bfloatIn(demoteOdd(a), RM);
}
/** cvt.rm.bf16.f16 */
export function cvt_rm_bf16_f16(a: i32): i32 {
  return bfloatIn(halfToFloat(a), RM);
}
/** cvt.rm.f16.bf16 */
export function cvt_rm_f16_bf16(a: i32): i32 {
  return halfIn(bfloatToFloat(a), RM);
}
/** cvt.rm.f16.f32 */
export function cvt_rm_f16_f32(a: f32): i32 {
  return halfIn(a, RM);
}
/** cvt.rm.ftz.f16.f32 */
export function cvt_rm_ftz_f16_f32(a: f32): i32 {
  return halfIn(a, RM);
}
/** cvt.rm.sat.f16.f32 */
export function cvt_rm_sat_f16_f32(a: f32): i32 {
  return satHalf(halfIn(a, RM));
}
/** cvt.rm.ftz.sat.f16.f32 */
export function cvt_rm_ftz_sat_f16_f32(a: f32): i32 {
  return satHalf(halfIn(a, RM));
}
/** cvt.rm.bf16.f32 */
export function cvt_rm_bf16_f32(a: f32): i32 {
  return bfloatIn(a, RM);
}
/** cvt.rp.f16.f64 */
export function cvt_rp_f16_f64(a: f64): i32 {
  return halfIn(demoteOdd(a), RP);
}
/** cvt.rp.bf16.f64 */
export function cvt_rp_bf16_f64(a: f64): i32 {
  return bfloatIn(demoteOdd(a), RP);
}
/** cvt.rp.bf16.f16 */
export function cvt_rp_bf16_f16(a: i32): i32 {
  return bfloatIn(halfToFloat(a), RP);
}
/** cvt.rp.f16.bf16 */
export function cvt_rp_f16_bf16(a: i32): i32 {
  return halfIn(bfloatToFloat(a), RP);
}
/** cvt.rp.f16.f32 */
export function cvt_rp_f16_f32(a: f32): i32 {
  return halfIn(a, RP);
}
/** cvt.rp.ftz.f16.f32 */
export function cvt_rp_ftz_f16_f32(a: f32): i32 {
  return halfIn(a, RP);
}
/** cvt.rp.sat.f16.f32 */
export function cvt_rp_sat_f16_f32(a: f32): i32 {
  return satHalf(halfIn(a, RP));
}
/** cvt.rp.ftz.sat.f16.f32 */
export function cvt_rp_ftz_sat_f16_f32(a: f32): i32 {
  return satHalf(halfIn(a, RP));
}
/** cvt.rp.bf16.f32 */
export function cvt_rp_bf16_f32(a: f32): i32 {
  return bfloatIn(a, RP);
}
/** cvt.rn.f16x2.f32 */
export function cvt_rn_f16x2_f32(a: f32, b: f32): i32 {
  return (halfIn(a, RN) << 16) | halfIn(b, RN);
}
/** cvt.rn.relu.f16.f32 */
export function cvt_rn_relu_f16_f32(a: f32): i32 {
  return relu16(halfIn(a, RN));
}
/** cvt.rn.relu.f16x2.f32 */
export function cvt_rn_relu_f16x2_f32(a: f32, b: f32): i32 {
  return (relu16(halfIn(a, RN)) << 16) | relu16(halfIn(b, RN));
}
/** cvt.rn.satfinite.f16.f32 */
export function cvt_rn_satfinite_f16_f32(a: f32): i32 {
  return finite16(halfIn(a, RN), 0x7c00);
}
/** cvt.rn.satfinite.f16x2.f32 */
export function cvt_rn_satfinite_f16x2_f32(a: f32, b: f32): i32 {
  return (finite16(halfIn(a, RN), 0x7c00) << 16) | finite16(halfIn(b, RN), 0x7c00);
}
/** cvt.rn.relu.satfinite.f16.f32 */
export function cvt_rn_relu_satfinite_f16_f32(a: f32): i32 {
  return relu16(finite16(halfIn(a, RN), 0x7c00));
}
/** cvt.rn.relu.satfinite.f16x2.f32 */
export function cvt_rn_relu_satfinite_f16x2_f32(a: f32, b: f32): i32 {
  return (relu16(finite16(halfIn(a, RN), 0x7c00)) << 16) | relu16(finite16(halfIn(b, RN), 0x7c00));
}
/** cvt.rn.bf16x2.f32 */
export function cvt_rn_bf16x2_f32(a: f32, b: f32): i32 {
  return (bfloatIn(a, RN) << 16) | bfloatIn(b, RN);
}
/** cvt.rn.relu.bf16.f32 */
export function cvt_rn_relu_bf16_f32(a: f32): i32 {
  return relu16(bfloatIn(a, RN));
}
/** cvt.rn.relu.bf16x2.f32 */
export function cvt_rn_relu_bf16x2_f32(a: f32, b: f32): i32 {
  return (relu16(bfloatIn(a, RN)) << 16) | relu16(bfloatIn(b, RN));
}
/** cvt.rn.satfinite.bf16.f32 */
export function cvt_rn_satfinite_bf16_f32(a: f32): i32 {
  return finite16(bfloatIn(a, RN), 0x7f80);
}
/** cvt.rn.satfinite.bf16x2.f32 */
export function cvt_rn_satfinite_bf16x2_f32(a: f32, b: f32): i32 {
  return (finite16(bfloatIn(a, RN), 0x7f80) << 16) | finite16(bfloatIn(b, RN), 0x7f80);
}
/** cvt.rn.relu.satfinite.bf16.f32 */
export function cvt_rn_relu_satfinite_bf16_f32(a: f32): i32 {
  return relu16(finite16(bfloatIn(a, RN), 0x7f80));
}
/** cvt.rn.relu.satfinite.bf16x2.f32 */
export function cvt_rn_relu_satfinite_bf16x2_f32(a: f32, b: f32): i32 {
  return (
    (relu16(finite16(bfloatIn(a, RN), 0x7f80)) << 16) | relu16(finite16(bfloatIn(b, RN), 0x7f80))
  );
}
/** cvt.rz.f16x2.f32 */
export function cvt_rz_f16x2_f32(a: f32, b: f32): i32 {
  return (halfIn(a, RZ) << 16) | halfIn(b, RZ);
}
/** cvt.rz.relu.f16.f32 */
export function cvt_rz_relu_f16_f32(a: f32): i32 {
  return relu16(halfIn(a, RZ));
}
/** cvt.rz.relu.f16x2.f32 */
export function cvt_rz_relu_f16x2_f32(a: f32, b: f32): i32 {
  return (relu16(halfIn(a, RZ)) << 16) | relu16(halfIn(b, RZ));
}
/** cvt.rz.satfinite.f16.f32 */
export function cvt_rz_satfinite_f16_f32(a: f32): i32 {
  return finite16(halfIn(a, RZ), 0x7c00);
}
/** cvt.rz.satfinite.f16x2.f32 */
export function cvt_rz_satfinite_f16x2_f32(a: f32, b: f32): i32 {
  return (finite16(halfIn(a, RZ), 0x7c00) << 16) | finite16(halfIn(b, RZ), 0x7c00);
}
/** cvt.rz.relu.satfinite.f16.f32 */
export function cvt_rz_relu_satfinite_f16_f32(a: f32): i32 {
  return relu16(finite16(halfIn(a, RZ), 0x7c00));
}
/** cvt.rz.relu.satfinite.f16x2.f32 */
export function cvt_rz_relu_satfinite_f16x2_f32(a: f32, b: f32): i32 {
  return (relu16(finite16(halfIn(a, RZ), 0x7c00)) << 16) | relu16(finite16(halfIn(b, RZ), 0x7c00));
}
/** cvt.rz.bf16x2.f32 */
export function cvt_rz_bf16x2_f32(a: f32, b: f32): i32 {
  return (bfloatIn(a, RZ) << 16) | bfloatIn(b, RZ);
}
/** cvt.rz.relu.bf16.f32 */
export function cvt_rz_relu_bf16_f32(a: f32): i32 {
  return relu16(bfloatIn(a, RZ));
}
/** cvt.rz.relu.bf16x2.f32 */
export function cvt_rz_relu_bf16x2_f32(a: f32, b: f32): i32 {
  return (relu16(bfloatIn(a, RZ)) << 16) | relu16(bfloatIn(b, RZ));
}
/** cvt.rz.satfinite.bf16.f32 */
export function cvt_rz_satfinite_bf16_f32(a: f32): i32 {
  return finite16(bfloatIn(a, RZ), 0x7f80);
}
/** cvt.rz.satfinite.bf16x2.f32 */
export function cvt_rz_satfinite_bf16x2_f32(a: f32, b: f32): i32 {
  return (finite16(bfloatIn(a, RZ), 0x7f80) << 16) | finite16(bfloatIn(b, RZ), 0x7f80);
}
/** cvt.rz.relu.satfinite.bf16.f32 */
export function cvt_rz_relu_satfinite_bf16_f32(a: f32): i32 {
  return relu16(finite16(bfloatIn(a, RZ), 0x7f80));
}
/** cvt.rz.relu.satfinite.bf16x2.f32 */
export function cvt_rz_relu_satfinite_bf16x2_f32(a: f32, b: f32): i32 {
  return (
    (relu16(finite16(bfloatIn(a, RZ), 0x7f80)) << 16) | relu16(finite16(bfloatIn(b, RZ), 0x7f80))
  );
}
/** cvt.rn.sat.f16.f64 */
export function cvt_rn_sat_f16_f64(a: f64): i32 {
  return satHalf(cvt_rn_f16_f64(a));
}
/** cvt.rz.sat.f16.f64 */
export function cvt_rz_sat_f16_f64(a: f64): i32 {
  return satHalf(cvt_rz_f16_f64(a));
}
/** cvt.rm.sat.f16.f64 */
export function cvt_rm_sat_f16_f64(a: f64): i32 {
  return satHalf(cvt_rm_f16_f64(a));
}
/** cvt.rp.sat.f16.f64 */
export function cvt_rp_sat_f16_f64(a: f64): i32 {
  return satHalf(cvt_rp_f16_f64(a));
}

export {
  cvt_rn_ftz_sat_f16_f32 as cvt_rn_sat_ftz_f16_f32,
  cvt_rz_ftz_sat_f16_f32 as cvt_rz_sat_ftz_f16_f32,
  cvt_rm_ftz_sat_f16_f32 as cvt_rm_sat_ftz_f16_f32,
  cvt_rp_ftz_sat_f16_f32 as cvt_rp_sat_ftz_f16_f32,
};
