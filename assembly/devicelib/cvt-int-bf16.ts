// cvt from bf16 to the integers, rounded to nearest even (.rni), towards zero (.rzi), down (.rmi)
// or up (.rpi). Values out of range are clamped (`.sat` changes nothing), and results of 8 and 16
// bits have zero upper bits. NaN becomes what the H100 makes of it, see float-int.ts.

import { bfloatToFloat } from "./common";
import { toS8, toS16, toS32, toS64, toU8, toU16, toU32, toU64 } from "./float-int";

/** cvt.rni.u8.bf16 */
export function cvt_rni_u8_bf16(a: i32): i32 {
  return toU8<f32>(nearest<f32>(bfloatToFloat(a)));
}
/** cvt.rni.s8.bf16 */
export function cvt_rni_s8_bf16(a: i32): i32 {
  return toS8<f32>(nearest<f32>(bfloatToFloat(a)));
}
/** cvt.rni.u16.bf16 */
export function cvt_rni_u16_bf16(a: i32): i32 {
  return toU16<f32>(nearest<f32>(bfloatToFloat(a)));
}
/** cvt.rni.s16.bf16 */
export function cvt_rni_s16_bf16(a: i32): i32 {
  return toS16<f32>(nearest<f32>(bfloatToFloat(a)));
}
/** cvt.rni.u32.bf16 */
export function cvt_rni_u32_bf16(a: i32): i32 {
  return toU32<f32>(nearest<f32>(bfloatToFloat(a)));
}
/** cvt.rni.s32.bf16 */
export function cvt_rni_s32_bf16(a: i32): i32 {
  return toS32<f32>(nearest<f32>(bfloatToFloat(a)));
}
/** cvt.rni.u64.bf16 */
export function cvt_rni_u64_bf16(a: i32): i64 {
  return toU64<f32>(nearest<f32>(bfloatToFloat(a)));
}
/** cvt.rni.s64.bf16 */
export function cvt_rni_s64_bf16(a: i32): i64 {
  return toS64<f32>(nearest<f32>(bfloatToFloat(a)));
}
/** cvt.rzi.u8.bf16 */
export function cvt_rzi_u8_bf16(a: i32): i32 {
  return toU8<f32>(bfloatToFloat(a));
}
/** cvt.rzi.s8.bf16 */
export function cvt_rzi_s8_bf16(a: i32): i32 {
  return toS8<f32>(bfloatToFloat(a));
}
/** cvt.rzi.u16.bf16 */
export function cvt_rzi_u16_bf16(a: i32): i32 {
  return toU16<f32>(bfloatToFloat(a));
}
/** cvt.rzi.s16.bf16 */
export function cvt_rzi_s16_bf16(a: i32): i32 {
  return toS16<f32>(bfloatToFloat(a));
}
/** cvt.rzi.u32.bf16 */
export function cvt_rzi_u32_bf16(a: i32): i32 {
  return toU32<f32>(bfloatToFloat(a));
}
/** cvt.rzi.s32.bf16 */
export function cvt_rzi_s32_bf16(a: i32): i32 {
  return toS32<f32>(bfloatToFloat(a));
}
/** cvt.rzi.u64.bf16 */
export function cvt_rzi_u64_bf16(a: i32): i64 {
  return toU64<f32>(bfloatToFloat(a));
}
/** cvt.rzi.s64.bf16 */
export function cvt_rzi_s64_bf16(a: i32): i64 {
  return toS64<f32>(bfloatToFloat(a));
}
/** cvt.rmi.u8.bf16 */
export function cvt_rmi_u8_bf16(a: i32): i32 {
  return toU8<f32>(floor<f32>(bfloatToFloat(a)));
}
/** cvt.rmi.s8.bf16 */
export function cvt_rmi_s8_bf16(a: i32): i32 {
  return toS8<f32>(floor<f32>(bfloatToFloat(a)));
}
/** cvt.rmi.u16.bf16 */
export function cvt_rmi_u16_bf16(a: i32): i32 {
  return toU16<f32>(floor<f32>(bfloatToFloat(a)));
}
/** cvt.rmi.s16.bf16 */
export function cvt_rmi_s16_bf16(a: i32): i32 {
  return toS16<f32>(floor<f32>(bfloatToFloat(a)));
}
/** cvt.rmi.u32.bf16 */
export function cvt_rmi_u32_bf16(a: i32): i32 {
  return toU32<f32>(floor<f32>(bfloatToFloat(a)));
}
/** cvt.rmi.s32.bf16 */
export function cvt_rmi_s32_bf16(a: i32): i32 {
  return toS32<f32>(floor<f32>(bfloatToFloat(a)));
}
/** cvt.rmi.u64.bf16 */
export function cvt_rmi_u64_bf16(a: i32): i64 {
  return toU64<f32>(floor<f32>(bfloatToFloat(a)));
}
/** cvt.rmi.s64.bf16 */
export function cvt_rmi_s64_bf16(a: i32): i64 {
  return toS64<f32>(floor<f32>(bfloatToFloat(a)));
}
/** cvt.rpi.u8.bf16 */
export function cvt_rpi_u8_bf16(a: i32): i32 {
  return toU8<f32>(ceil<f32>(bfloatToFloat(a)));
}
/** cvt.rpi.s8.bf16 */
export function cvt_rpi_s8_bf16(a: i32): i32 {
  return toS8<f32>(ceil<f32>(bfloatToFloat(a)));
}
/** cvt.rpi.u16.bf16 */
export function cvt_rpi_u16_bf16(a: i32): i32 {
  return toU16<f32>(ceil<f32>(bfloatToFloat(a)));
}
/** cvt.rpi.s16.bf16 */
export function cvt_rpi_s16_bf16(a: i32): i32 {
  return toS16<f32>(ceil<f32>(bfloatToFloat(a)));
}
/** cvt.rpi.u32.bf16 */
export function cvt_rpi_u32_bf16(a: i32): i32 {
  return toU32<f32>(ceil<f32>(bfloatToFloat(a)));
}
/** cvt.rpi.s32.bf16 */
export function cvt_rpi_s32_bf16(a: i32): i32 {
  return toS32<f32>(ceil<f32>(bfloatToFloat(a)));
}
/** cvt.rpi.u64.bf16 */
export function cvt_rpi_u64_bf16(a: i32): i64 {
  return toU64<f32>(ceil<f32>(bfloatToFloat(a)));
}
/** cvt.rpi.s64.bf16 */
export function cvt_rpi_s64_bf16(a: i32): i64 {
  return toS64<f32>(ceil<f32>(bfloatToFloat(a)));
}
