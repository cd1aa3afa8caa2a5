// cvt between floating-point types: f16, bf16, f32, f64 and tf32.

import { RM, RN, RP, RZ, bfloatToFloat, demote, demoteFtz, ftz, halfToFloat, sat } from "./common";
import { bfloatIn, halfIn } from "./cvt-half-round";

// @ts-ignore: decorator
@inline
function sat64(x: f64): f64 {
  return x > 0 ? (x < 1 ? x : 1) : 0;
}

// @ts-ignore: decorator
@inline
function satHalf(h: i32): i32 {
  return h >= 0x8000 || h > 0x7c00 ? 0 : min<i32>(h, 0x3c00);
}

/** cvt.rn.f32.f64 */
export function cvt_rn_f32_f64(a: f64): f32 {
  return demote(a, RN);
}
/** cvt.rn.sat.f32.f64 */
export function cvt_rn_sat_f32_f64(a: f64): f32 {
  return sat(demote(a, RN));
}
/** cvt.rn.ftz.f32.f64 */
export function cvt_rn_ftz_f32_f64(a: f64): f32 {
  return demoteFtz(a, RN);
}
/** cvt.rn.ftz.sat.f32.f64 */
export function cvt_rn_ftz_sat_f32_f64(a: f64): f32 {
  return sat(demoteFtz(a, RN));
}
/** cvt.rz.f32.f64 */
export function cvt_rz_f32_f64(a: f64): f32 {
  return demote(a, RZ);
}
/** cvt.rz.sat.f32.f64 */
export function cvt_rz_sat_f32_f64(a: f64): f32 {
  return sat(demote(a, RZ));
}
/** cvt.rz.ftz.f32.f64 */
export function cvt_rz_ftz_f32_f64(a: f64): f32 {
  return demoteFtz(a, RZ);
}
/** cvt.rz.ftz.sat.f32.f64 */
export function cvt_rz_ftz_sat_f32_f64(a: f64): f32 {
  return sat(demoteFtz(a, RZ));
}
/** cvt.rm.f32.f64 */
export function cvt_rm_f32_f64(a: f64): f32 {
  return demote(a, RM);
}
/** cvt.rm.sat.f32.f64 */
export function cvt_rm_sat_f32_f64(a: f64): f32 {
  return sat(demote(a, RM));
}
/** cvt.rm.ftz.f32.f64 */
export function cvt_rm_ftz_f32_f64(a: f64): f32 {
  return demoteFtz(a, RM);
}
/** cvt.rm.ftz.sat.f32.f64 */
export function cvt_rm_ftz_sat_f32_f64(a: f64): f32 {
  return sat(demoteFtz(a, RM));
}
/** cvt.rp.f32.f64 */
export function cvt_rp_f32_f64(a: f64): f32 {
  return demote(a, RP);
}
/** cvt.rp.sat.f32.f64 */
export function cvt_rp_sat_f32_f64(a: f64): f32 {
  return sat(demote(a, RP));
}
/** cvt.rp.ftz.f32.f64 */
export function cvt_rp_ftz_f32_f64(a: f64): f32 {
  return demoteFtz(a, RP);
}
/** cvt.rp.ftz.sat.f32.f64 */
export function cvt_rp_ftz_sat_f32_f64(a: f64): f32 {
  return sat(demoteFtz(a, RP));
}
/** cvt.rni.f32.f32 */
export function cvt_rni_f32_f32(a: f32): f32 {
  return nearest<f32>(a);
}
/** cvt.rni.sat.f32.f32 */
export function cvt_rni_sat_f32_f32(a: f32): f32 {
  return sat(nearest<f32>(a));
}
/** cvt.rni.ftz.f32.f32 */
export function cvt_rni_ftz_f32_f32(a: f32): f32 {
  return nearest<f32>(ftz(a));
}
/** cvt.rni.ftz.sat.f32.f32 */
export function cvt_rni_ftz_sat_f32_f32(a: f32): f32 {
  return sat(nearest<f32>(ftz(a)));
}
/** cvt.rni.f64.f64 */
export function cvt_rni_f64_f64(a: f64): f64 {
  return nearest<f64>(a);
}
/** cvt.rni.sat.f64.f64 */
export function cvt_rni_sat_f64_f64(a: f64): f64 {
  return sat64(nearest<f64>(a));
}
/** cvt.rni.f16.f16 */
export function cvt_rni_f16_f16(a: i32): i32 {
  return halfIn(nearest<f32>(halfToFloat(a)), RN);
}
/** cvt.rni.bf16.bf16 */
export function cvt_rni_bf16_bf16(a: i32): i32 {
  return bfloatIn(nearest<f32>(bfloatToFloat(a)), RN);
}
/** cvt.rzi.f32.f32 */
export function cvt_rzi_f32_f32(a: f32): f32 {
  return trunc<f32>(a);
}
/** cvt.rzi.sat.f32.f32 */
export function cvt_rzi_sat_f32_f32(a: f32): f32 {
  return sat(trunc<f32>(a));
}
/** cvt.rzi.ftz.f32.f32 */
export function cvt_rzi_ftz_f32_f32(a: f32): f32 {
  return trunc<f32>(ftz(a));
}
/** cvt.rzi.ftz.sat.f32.f32 */
export function cvt_rzi_ftz_sat_f32_f32(a: f32): f32 {
  return sat(trunc<f32>(ftz(a)));
}
/** cvt.rzi.f64.f64 */
export function cvt_rzi_f64_f64(a: f64): f64 {
  return trunc<f64>(a);
}
/** cvt.rzi.sat.f64.f64 */
export function cvt_rzi_sat_f64_f64(a: f64): f64 {
  return sat64(trunc<f64>(a));
}
/** cvt.rzi.f16.f16 */
export function cvt_rzi_f16_f16(a: i32): i32 {
  return halfIn(trunc<f32>(halfToFloat(a)), RN);
}
/** cvt.rzi.bf16.bf16 */
export function cvt_rzi_bf16_bf16(a: i32): i32 {
  return bfloatIn(trunc<f32>(bfloatToFloat(a)), RN);
}
/** cvt.rmi.f32.f32 */
export function cvt_rmi_f32_f32(a: f32): f32 {
  return floor<f32>(a);
}
/** cvt.rmi.sat.f32.f32 */
export function cvt_rmi_sat_f32_f32(a: f32): f32 {
  return sat(floor<f32>(a));
}
/** cvt.rmi.ftz.f32.f32 */
export function cvt_rmi_ftz_f32_f32(a: f32): f32 {
  return floor<f32>(ftz(a));
}
/** cvt.rmi.ftz.sat.f32.f32 */
export function cvt_rmi_ftz_sat_f32_f32(a: f32): f32 {
  return sat(floor<f32>(ftz(a)));
}
/** cvt.rmi.f64.f64 */
export function cvt_rmi_f64_f64(a: f64): f64 {
  return floor<f64>(a);
}
/** cvt.rmi.sat.f64.f64 */
export function cvt_rmi_sat_f64_f64(a: f64): f64 {
  return sat64(floor<f64>(a));
}
/** cvt.rmi.f16.f16 */
export function cvt_rmi_f16_f16(a: i32): i32 {
  return halfIn(floor<f32>(halfToFloat(a)), RN);
}
/** cvt.rmi.bf16.bf16 */
export function cvt_rmi_bf16_bf16(a: i32): i32 {
  return bfloatIn(floor<f32>(bfloatToFloat(a)), RN);
}
/** cvt.rpi.f32.f32 */
export function cvt_rpi_f32_f32(a: f32): f32 {
  return ceil<f32>(a);
}
/** cvt.rpi.sat.f32.f32 */
export function cvt_rpi_sat_f32_f32(a: f32): f32 {
  return sat(ceil<f32>(a));
}
/** cvt.rpi.ftz.f32.f32 */
export function cvt_rpi_ftz_f32_f32(a: f32): f32 {
  return ceil<f32>(ftz(a));
}
/** cvt.rpi.ftz.sat.f32.f32 */
export function cvt_rpi_ftz_sat_f32_f32(a: f32): f32 {
  return sat(ceil<f32>(ftz(a)));
}
/** cvt.rpi.f64.f64 */
export function cvt_rpi_f64_f64(a: f64): f64 {
  return ceil<f64>(a);
}
/** cvt.rpi.sat.f64.f64 */
export function cvt_rpi_sat_f64_f64(a: f64): f64 {
  return sat64(ceil<f64>(a));
}
/** cvt.rpi.f16.f16 */
export function cvt_rpi_f16_f16(a: i32): i32 {
  return halfIn(ceil<f32>(halfToFloat(a)), RN);
}
/** cvt.rpi.bf16.bf16 */
export function cvt_rpi_bf16_bf16(a: i32): i32 {
  return bfloatIn(ceil<f32>(bfloatToFloat(a)), RN);
}
/** cvt.ftz.f32.f32 */
export function cvt_ftz_f32_f32(a: f32): f32 {
  return ftz(a);
}
/** cvt.sat.f32.f32 */
export function cvt_sat_f32_f32(a: f32): f32 {
  return sat(a);
}
/** cvt.ftz.sat.f32.f32 */
export function cvt_ftz_sat_f32_f32(a: f32): f32 {
  return sat(ftz(a));
}
/** cvt.sat.f64.f64 */
export function cvt_sat_f64_f64(a: f64): f64 {
  return sat64(a);
}
/** cvt.sat.f16.f16 */
export function cvt_sat_f16_f16(a: i32): i32 {
  return satHalf(a);
}
/** cvt.f64.f32 */
export function cvt_f64_f32(a: f32): f64 {
  return <f64>a;
}
/** cvt.ftz.f64.f32 */
export function cvt_ftz_f64_f32(a: f32): f64 {
  return <f64>ftz(a);
}
/** cvt.sat.f64.f32 */
export function cvt_sat_f64_f32(a: f32): f64 {
  return sat64(<f64>a);
}
/** cvt.ftz.sat.f64.f32 */
export function cvt_ftz_sat_f64_f32(a: f32): f64 {
  return sat64(<f64>ftz(a));
}
/** cvt.f32.f16 */
export function cvt_f32_f16(a: i32): f32 {
  return halfToFloat(a);
}
/** cvt.sat.f32.f16 */
export function cvt_sat_f32_f16(a: i32): f32 {
  return sat(halfToFloat(a));
}
/** cvt.ftz.f32.f16 */
export function cvt_ftz_f32_f16(a: i32): f32 {
  return halfToFloat(a);
}
/** cvt.f64.f16 */
export function cvt_f64_f16(a: i32): f64 {
  return <f64>halfToFloat(a);
}
/** cvt.sat.f64.f16 */
export function cvt_sat_f64_f16(a: i32): f64 {
  return sat64(<f64>halfToFloat(a));
}
/** cvt.f32.bf16 */
export function cvt_f32_bf16(a: i32): f32 {
  return bfloatToFloat(a);
}
/** cvt.ftz.f32.bf16 */
export function cvt_ftz_f32_bf16(a: i32): f32 {
  return ftz(bfloatToFloat(a));
}
/** cvt.sat.f32.bf16 */
export function cvt_sat_f32_bf16(a: i32): f32 {
  return sat(bfloatToFloat(a));
}
/** cvt.f64.bf16 */
export function cvt_f64_bf16(a: i32): f64 {
  return <f64>bfloatToFloat(a);
}
/** cvt.f16.f16 */
export function cvt_f16_f16(a: i32): i32 {
  return a;
}
/** cvt.bf16.bf16 */
export function cvt_bf16_bf16(a: i32): i32 {
  return a;
}
/** cvt.rni.sat.f16.f16 */
export function cvt_rni_sat_f16_f16(a: i32): i32 {
  return satHalf(cvt_rni_f16_f16(a));
}
/** cvt.rzi.sat.f16.f16 */
export function cvt_rzi_sat_f16_f16(a: i32): i32 {
  return satHalf(cvt_rzi_f16_f16(a));
}
/** cvt.rmi.sat.f16.f16 */
export function cvt_rmi_sat_f16_f16(a: i32): i32 {
  return satHalf(cvt_rmi_f16_f16(a));
}
/** cvt.rpi.sat.f16.f16 */
export function cvt_rpi_sat_f16_f16(a: i32): i32 {
  return satHalf(cvt_rpi_f16_f16(a));
}

// The order of the two modifiers is free.
export {
  cvt_rn_ftz_sat_f32_f64 as cvt_rn_sat_ftz_f32_f64,
  cvt_rz_ftz_sat_f32_f64 as cvt_rz_sat_ftz_f32_f64,
  cvt_rm_ftz_sat_f32_f64 as cvt_rm_sat_ftz_f32_f64,
  cvt_rp_ftz_sat_f32_f64 as cvt_rp_sat_ftz_f32_f64,
  cvt_rni_ftz_sat_f32_f32 as cvt_rni_sat_ftz_f32_f32,
  cvt_rzi_ftz_sat_f32_f32 as cvt_rzi_sat_ftz_f32_f32,
  cvt_rmi_ftz_sat_f32_f32 as cvt_rmi_sat_ftz_f32_f32,
  cvt_rpi_ftz_sat_f32_f32 as cvt_rpi_sat_ftz_f32_f32,
  cvt_ftz_sat_f32_f32 as cvt_sat_ftz_f32_f32,
  cvt_ftz_sat_f64_f32 as cvt_sat_ftz_f64_f32,
  cvt_sat_f32_f16 as cvt_sat_ftz_f32_f16,
  cvt_sat_f32_f16 as cvt_ftz_sat_f32_f16,
};
