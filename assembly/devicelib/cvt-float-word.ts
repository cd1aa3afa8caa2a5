// cvt from the 32-bit integers to the floating-point types, in every rounding mode.

import { RM, RN, RP, RZ, demote, demoteOdd } from "./common";
import { bfloatIn, halfIn } from "./cvt-half-round";

/** cvt.rn.f32.u32 */
export function cvt_rn_f32_u32(a: i32): f32 {
  return <f32>(<u32>a);
}
/** cvt.rz.f32.u32 */
export function cvt_rz_f32_u32(a: i32): f32 {
  return demote(<f64>(<u32>a), RZ);
}
/** cvt.rm.f32.u32 */
export function cvt_rm_f32_u32(a: i32): f32 {
  return demote(<f64>(<u32>a), RM);
}
/** cvt.rp.f32.u32 */
export function cvt_rp_f32_u32(a: i32): f32 {
  return demote(<f64>(<u32>a), RP);
}
/** cvt.rn.f64.u32 */
export function cvt_rn_f64_u32(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rz.f64.u32 */
export function cvt_rz_f64_u32(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rm.f64.u32 */
export function cvt_rm_f64_u32(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rp.f64.u32 */
export function cvt_rp_f64_u32(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rn.f16.u32 */
export function cvt_rn_f16_u32(a: i32): i32 {
  return halfIn(demoteOdd(<f64>(<u32>a)), RN);
}
/** cvt.rz.f16.u32 */
export function cvt_rz_f16_u32(a: i32): i32 {
  return halfIn(demoteOdd(<f64>(<u32>a)), RZ);
}
/** cvt.rm.f16.u32 */
export function cvt_rm_f16_u32(a: i32): i32 {
  return halfIn(demoteOdd(<f64>(<u32>a)), RM);
}
/** cvt.rp.f16.u32 */
export function cvt_rp_f16_u32(a: i32): i32 {
  return halfIn(demoteOdd(<f64>(<u32>a)), RP);
}
/** cvt.rn.bf16.u32 */
export function cvt_rn_bf16_u32(a: i32): i32 {
  return bfloatIn(demoteOdd(<f64>(<u32>a)), RN);
}
/** cvt.rz.bf16.u32 */
export function cvt_rz_bf16_u32(a: i32): i32 {
  return bfloatIn(demoteOdd(<f64>(<u32>a)), RZ);
}
/** cvt.rm.bf16.u32 */
export function cvt_rm_bf16_u32(a: i32): i32 {
  return bfloatIn(demoteOdd(<f64>(<u32>a)), RM);
}
/** cvt.rp.bf16.u32 */
export function cvt_rp_bf16_u32(a: i32): i32 {
  return bfloatIn(demoteOdd(<f64>(<u32>a)), RP);
}
/** cvt.rn.f32.s32 */
export function cvt_rn_f32_s32(a: i32): f32 {
  return <f32>a;
}
/** cvt.rz.f32.s32 */
export function cvt_rz_f32_s32(a: i32): f32 {
  return demote(<f64>a, RZ);
}
/** cvt.rm.f32.s32 */
export function cvt_rm_f32_s32(a: i32): f32 {
  return demote(<f64>a, RM);
}
/** cvt.rp.f32.s32 */
export function cvt_rp_f32_s32(a: i32): f32 {
  return demote(<f64>a, RP);
}
/** cvt.rn.f64.s32 */
export function cvt_rn_f64_s32(a: i32): f64 {
  return <f64>a;
}
/** cvt.rz.f64.s32 */
export function cvt_rz_f64_s32(a: i32): f64 {
  return <f64>a;
}
/** cvt.rm.f64.s32 */
export function cvt_rm_f64_s32(a: i32): f64 {
  return <f64>a;
}
/** cvt.rp.f64.s32 */
export function cvt_rp_f64_s32(a: i32): f64 {
  return <f64>a;
}
/** cvt.rn.f16.s32 */
export function cvt_rn_f16_s32(a: i32): i32 {
  return halfIn(demoteOdd(<f64>a), RN);
}
/** cvt.rz.f16.s32 */
export function cvt_rz_f16_s32(a: i32): i32 {
  return halfIn(demoteOdd(<f64>a), RZ);
}
/** cvt.rm.f16.s32 */
export function cvt_rm_f16_s32(a: i32): i32 {
  return halfIn(demoteOdd(<f64>a), RM);
}
/** cvt.rp.f16.s32 */
export function cvt_rp_f16_s32(a: i32): i32 {
  return halfIn(demoteOdd(<f64>a), RP);
}
/** cvt.rn.bf16.s32 */
export function cvt_rn_bf16_s32(a: i32): i32 {
  return bfloatIn(demoteOdd(<f64>a), RN);
}
/** cvt.rz.bf16.s32 */
export function cvt_rz_bf16_s32(a: i32): i32 {
  return bfloatIn(demoteOdd(<f64>a), RZ);
}
/** cvt.rm.bf16.s32 */
export function cvt_rm_bf16_s32(a: i32): i32 {
  return bfloatIn(demoteOdd(<f64>a), RM);
}
/** cvt.rp.bf16.s32 */
export function cvt_rp_bf16_s32(a: i32): i32 {
  return bfloatIn(demoteOdd(<f64>a), RP);
}
