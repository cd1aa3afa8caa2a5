// cvt from the 8- and 16-bit integers to the floating-point types, in every rounding mode (f32 and
// f64 hold them all, so that there the modes agree).

import { RM, RN, RP, RZ } from "./common";
import { bfloatIn, halfIn } from "./cvt-half-round";

// @ts-ignore: decorator
@inline
function s8(a: i32): i32 {
  return (a << 24) >> 24;
}

// @ts-ignore: decorator
@inline
function s16(a: i32): i32 {
  return (a << 16) >> 16;
}

/** cvt.rn.f32.u8 */
export function cvt_rn_f32_u8(a: i32): f32 {
  return <f32>(<u32>a);
}
/** cvt.rz.f32.u8 */
export function cvt_rz_f32_u8(a: i32): f32 {
  return <f32>(<u32>a);
}
/** cvt.rm.f32.u8 */
export function cvt_rm_f32_u8(a: i32): f32 {
  return <f32>(<u32>a);
}
/** cvt.rp.f32.u8 */
export function cvt_rp_f32_u8(a: i32): f32 {
  return <f32>(<u32>a);
}
/** cvt.rn.f64.u8 */
export function cvt_rn_f64_u8(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rz.f64.u8 */
export function cvt_rz_f64_u8(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rm.f64.u8 */
export function cvt_rm_f64_u8(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rp.f64.u8 */
export function cvt_rp_f64_u8(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rn.f16.u8 */
export function cvt_rn_f16_u8(a: i32): i32 {
  return halfIn(<f32>(<u32>a), RN);
}
/** cvt.rz.f16.u8 */
export function cvt_rz_f16_u8(a: i32): i32 {
  return halfIn(<f32>(<u32>a), RZ);
}
/** cvt.rm.f16.u8 */
export function cvt_rm_f16_u8(a: i32): i32 {
  return halfIn(<f32>(<u32>a), RM);
}
/** cvt.rp.f16.u8 */
export function cvt_rp_f16_u8(a: i32): i32 {
  return halfIn(<f32>(<u32>a), RP);
}
/** cvt.rn.bf16.u8 */
export function cvt_rn_bf16_u8(a: i32): i32 {
  return bfloatIn(<f32>(<u32>a), RN);
}
/** cvt.rz.bf16.u8 */
export function cvt_rz_bf16_u8(a: i32): i32 {
  return bfloatIn(<f32>(<u32>a), RZ);
}
/** cvt.rm.bf16.u8 */
export function cvt_rm_bf16_u8(a: i32): i32 {
  return bfloatIn(<f32>(<u32>a), RM);
}
/** cvt.rp.bf16.u8 */
export function cvt_rp_bf16_u8(a: i32): i32 {
  return bfloatIn(<f32>(<u32>a), RP);
}
/** cvt.rn.f32.s8 */
export function cvt_rn_f32_s8(a: i32): f32 {
  return <f32>s8(a);
}
/** cvt.rz.f32.s8 */
export function cvt_rz_f32_s8(a: i32): f32 {
  return <f32>s8(a);
}
/** cvt.rm.f32.s8 */
export function cvt_rm_f32_s8(a: i32): f32 {
  return <f32>s8(a);
}
/** cvt.rp.f32.s8 */
export function cvt_rp_f32_s8(a: i32): f32 {
  return <f32>s8(a);
}
/** cvt.rn.f64.s8 */
export function cvt_rn_f64_s8(a: i32): f64 {
  return <f64>s8(a);
}
/** cvt.rz.f64.s8 */
export function cvt_rz_f64_s8(a: i32): f64 {
  return <f64>s8(a);
}
/** cvt.rm.f64.s8 */
export function cvt_rm_f64_s8(a: i32): f64 {
  return <f64>s8(a);
}
/** cvt.rp.f64.s8 */
export function cvt_rp_f64_s8(a: i32): f64 {
  return <f64>s8(a);
}
/** cvt.rn.f16.s8 */
export function cvt_rn_f16_s8(a: i32): i32 {
  return halfIn(<f32>s8(a), RN);
}
/** cvt.rz.f16.s8 */
export function cvt_rz_f16_s8(a: i32): i32 {
  return halfIn(<f32>s8(a), RZ);
}
/** cvt.rm.f16.s8 */
export function cvt_rm_f16_s8(a: i32): i32 {
  return halfIn(<f32>s8(a), RM);
}
/** cvt.rp.f16.s8 */
export function cvt_rp_f16_s8(a: i32): i32 {
  return halfIn(<f32>s8(a), RP);
}
/** cvt.rn.bf16.s8 */
export function cvt_rn_bf16_s8(a: i32): i32 {
  return bfloatIn(<f32>s8(a), RN);
}
/** cvt.rz.bf16.s8 */
export function cvt_rz_bf16_s8(a: i32): i32 {
  return bfloatIn(<f32>s8(a), RZ);
}
/** cvt.rm.bf16.s8 */
export function cvt_rm_bf16_s8(a: i32): i32 {
  return bfloatIn(<f32>s8(a), RM);
}
/** cvt.rp.bf16.s8 */
export function cvt_rp_bf16_s8(a: i32): i32 {
  return bfloatIn(<f32>s8(a), RP);
}
/** cvt.rn.f32.u16 */
export function cvt_rn_f32_u16(a: i32): f32 {
  return <f32>(<u32>a);
}
/** cvt.rz.f32.u16 */
export function cvt_rz_f32_u16(a: i32): f32 {
  return <f32>(<u32>a);
}
/** cvt.rm.f32.u16 */
export function cvt_rm_f32_u16(a: i32): f32 {
  return <f32>(<u32>a);
}
/** cvt.rp.f32.u16 */
export function cvt_rp_f32_u16(a: i32): f32 {
  return <f32>(<u32>a);
}
/** cvt.rn.f64.u16 */
export function cvt_rn_f64_u16(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rz.f64.u16 */
export function cvt_rz_f64_u16(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rm.f64.u16 */
export function cvt_rm_f64_u16(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rp.f64.u16 */
export function cvt_rp_f64_u16(a: i32): f64 {
  return <f64>(<u32>a);
}
/** cvt.rn.f16.u16 */
export function cvt_rn_f16_u16(a: i32): i32 {
  return halfIn(<f32>(<u32>a), RN);
}
/** cvt.rz.f16.u16 */
export function cvt_rz_f16_u16(a: i32): i32 {
  return halfIn(<f32>(<u32>a), RZ);
}
/** cvt.rm.f16.u16 */
export function cvt_rm_f16_u16(a: i32): i32 {
  return halfIn(<f32>(<u32>a), RM);
}
/** cvt.rp.f16.u16 */
export function cvt_rp_f16_u16(a: i32): i32 {
  return halfIn(<f32>(<u32>a), RP);
}
/** cvt.rn.bf16.u16 */
export function cvt_rn_bf16_u16(a: i32): i32 {
  return bfloatIn(<f32>(<u32>a), RN);
}
/** cvt.rz.bf16.u16 */
export function cvt_rz_bf16_u16(a: i32): i32 {
  return bfloatIn(<f32>(<u32>a), RZ);
}
/** cvt.rm.bf16.u16 */
export function cvt_rm_bf16_u16(a: i32): i32 {
  return bfloatIn(<f32>(<u32>a), RM);
}
/** cvt.rp.bf16.u16 */
export function cvt_rp_bf16_u16(a: i32): i32 {
  return bfloatIn(<f32>(<u32>a), RP);
}
/** cvt.rn.f32.s16 */
export function cvt_rn_f32_s16(a: i32): f32 {
  return <f32>s16(a);
}
/** cvt.rz.f32.s16 */
export function cvt_rz_f32_s16(a: i32): f32 {
  return <f32>s16(a);
}
/** cvt.rm.f32.s16 */
export function cvt_rm_f32_s16(a: i32): f32 {
  return <f32>s16(a);
}
/** cvt.rp.f32.s16 */
export function cvt_rp_f32_s16(a: i32): f32 {
  return <f32>s16(a);
}
/** cvt.rn.f64.s16 */
export function cvt_rn_f64_s16(a: i32): f64 {
  return <f64>s16(a);
}
/** cvt.rz.f64.s16 */
export function cvt_rz_f64_s16(a: i32): f64 {
  return <f64>s16(a);
}
/** cvt.rm.f64.s16 */
export function cvt_rm_f64_s16(a: i32): f64 {
  return <f64>s16(a);
}
/** cvt.rp.f64.s16 */
export function cvt_rp_f64_s16(a: i32): f64 {
  return <f64>s16(a);
}
/** cvt.rn.f16.s16 */
export function cvt_rn_f16_s16(a: i32): i32 {
  return halfIn(<f32>s16(a), RN);
}
/** cvt.rz.f16.s16 */
export function cvt_rz_f16_s16(a: i32): i32 {
  return halfIn(<f32>s16(a), RZ);
}
/** cvt.rm.f16.s16 */
export function cvt_rm_f16_s16(a: i32): i32 {
  return halfIn(<f32>s16(a), RM);
}
/** cvt.rp.f16.s16 */
export function cvt_rp_f16_s16(a: i32): i32 {
  return halfIn(<f32>s16(a), RP);
}
/** cvt.rn.bf16.s16 */
export function cvt_rn_bf16_s16(a: i32): i32 {
  return bfloatIn(<f32>s16(a), RN);
}
/** cvt.rz.bf16.s16 */
export function cvt_rz_bf16_s16(a: i32): i32 {
  return bfloatIn(<f32>s16(a), RZ);
}
/** cvt.rm.bf16.s16 */
export function cvt_rm_bf16_s16(a: i32): i32 {
  return bfloatIn(<f32>s16(a), RM);
}
/** cvt.rp.bf16.s16 */
export function cvt_rp_bf16_s16(a: i32): i32 {
  return bfloatIn(<f32>s16(a), RP);
}
