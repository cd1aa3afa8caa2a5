// cvt from the 64-bit integers to the floating-point types.

import { RM, RN, RP, RZ, demote, demoteOdd } from "./common";
import { bfloatIn, halfIn } from "./cvt-half-round";
import { signedDirected, signedOdd, unsignedDirected, unsignedOdd } from "./int-float";

/** cvt.rn.f32.u64 */
export function cvt_rn_f32_u64(a: i64): f32 {
  return <f32>(<u64>a);
}
/** cvt.rz.f32.u64 */
export function cvt_rz_f32_u64(a: i64): f32 {
  return demote(unsignedOdd(a), RZ);
}
/** cvt.rm.f32.u64 */
export function cvt_rm_f32_u64(a: i64): f32 {
  return demote(unsignedOdd(a), RM);
}
/** cvt.rp.f32.u64 */
export function cvt_rp_f32_u64(a: i64): f32 {
  return demote(unsignedOdd(a), RP);
}
/** cvt.rn.f64.u64 */
export function cvt_rn_f64_u64(a: i64): f64 {
  return <f64>(<u64>a);
}
/** cvt.rz.f64.u64 */
export function cvt_rz_f64_u64(a: i64): f64 {
  return unsignedDirected(a, RZ);
}
/** cvt.rm.f64.u64 */
export function cvt_rm_f64_u64(a: i64): f64 {
  return unsignedDirected(a, RM);
}
/** cvt.rp.f64.u64 */
export function cvt_rp_f64_u64(a: i64): f64 {
  return unsignedDirected(a, RP);
}
/** cvt.rn.f16.u64 */
export function cvt_rn_f16_u64(a: i64): i32 {
  return halfIn(demoteOdd(unsignedOdd(a)), RN);
}
/** cvt.rz.f16.u64 */
export function cvt_rz_f16_u64(a: i64): i32 {
  return halfIn(demoteOdd(unsignedOdd(a)), RZ);
}
/** cvt.rm.f16.u64 */
export function cvt_rm_f16_u64(a: i64): i32 {
  return halfIn(demoteOdd(unsignedOdd(a)), RM);
}
/** cvt.rp.f16.u64 */
export function cvt_rp_f16_u64(a: i64): i32 {
  return halfIn(demoteOdd(unsignedOdd(a)), RP);
}
/** cvt.rn.bf16.u64 */
export function cvt_rn_bf16_u64(a: i64): i32 {
  return bfloatIn(demoteOdd(unsignedOdd(a)), RN);
}
/** cvt.rz.bf16.u64 */
export function cvt_rz_bf16_u64(a: i64): i32 {
  return bfloatIn(demoteOdd(unsignedOdd(a)), RZ);
}
/** cvt.rm.bf16.u64 */
export function cvt_rm_bf16_u64(a: i64): i32 {
  return bfloatIn(demoteOdd(unsignedOdd(a)), RM);
}
/** cvt.rp.bf16.u64 */
export function cvt_rp_bf16_u64(a: i64): i32 {
  return bfloatIn(demoteOdd(unsignedOdd(a)), RP);
}
/** cvt.rn.f32.s64 */
export function cvt_rn_f32_s64(a: i64): f32 {
  return <f32>(<i64>a);
}
/** cvt.rz.f32.s64 */
export function cvt_rz_f32_s64(a: i64): f32 {
  return demote(signedOdd(a), RZ);
}
/** cvt.rm.f32.s64 */
export function cvt_rm_f32_s64(a: i64): f32 {
  return demote(signedOdd(a), RM);
}
/** cvt.rp.f32.s64 */
export function cvt_rp_f32_s64(a: i64): f32 {
  return demote(signedOdd(a), RP);
}
/** cvt.rn.f64.s64 */
export function cvt_rn_f64_s64(a: i64): f64 {
  return <f64>(<i64>a);
}
/** cvt.rz.f64.s64 */
export function cvt_rz_f64_s64(a: i64): f64 {
  return signedDirected(a, RZ);
}
/** cvt.rm.f64.s64 */
export function cvt_rm_f64_s64(a: i64): f64 {
  return signedDirected(a, RM);
}
/** cvt.rp.f64.s64 */
export function cvt_rp_f64_s64(a: i64): f64 {
  return signedDirected(a, RP);
}
/** cvt.rn.f16.s64 */
export function cvt_rn_f16_s64(a: i64): i32 {
  return halfIn(demoteOdd(signedOdd(a)), RN);
}
/** cvt.rz.f16.s64 */
export function cvt_rz_f16_s64(a: i64): i32 {
  return halfIn(demoteOdd(signedOdd(a)), RZ);
}
/** cvt.rm.f16.s64 */
export function cvt_rm_f16_s64(a: i64): i32 {
  return halfIn(demoteOdd(signedOdd(a)), RM);
}
/** cvt.rp.f16.s64 */
export function cvt_rp_f16_s64(a: i64): i32 {
  return halfIn(demoteOdd(signedOdd(a)), RP);
}
/** cvt.rn.bf16.s64 */
export function cvt_rn_bf16_s64(a: i64): i32 {
  return bfloatIn(demoteOdd(signedOdd(a)), RN);
}
/** cvt.rz.bf16.s64 */
export function cvt_rz_bf16_s64(a: i64): i32 {
  return bfloatIn(demoteOdd(signedOdd(a)), RZ);
}
/** cvt.rm.bf16.s64 */
export function cvt_rm_bf16_s64(a: i64): i32 {
  return bfloatIn(demoteOdd(signedOdd(a)), RM);
}
/** cvt.rp.bf16.s64 */
export function cvt_rp_bf16_s64(a: i64): i32 {
  return bfloatIn(demoteOdd(signedOdd(a)), RP);
}
