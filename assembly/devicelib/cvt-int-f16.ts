// cvt from f16 to the integers, rounded to nearest even (.rni), towards zero (.rzi), down (.rmi) or
// up (.rpi). Values out of range are clamped (`.sat` changes nothing), and results of 8 and 16 bits
// have zero upper bits. NaN becomes what the H100 makes of it, see float-int.ts.

import { halfToFloat } from "./common";
import { toS8, toS16, toS32, toS64, toU8, toU16, toU32, toU64 } from "./float-int";

/** cvt.rni.u8.f16 */
export function cvt_rni_u8_f16(a: i32): i32 {
  return toU8<f32>(nearest<f32>(halfToFloat(a)));
}
/** cvt.rni.s8.f16 */
export function cvt_rni_s8_f16(a: i32): i32 {
  return toS8<f32>(nearest<f32>(halfToFloat(a)));
}
/** cvt.rni.u16.f16 */
export function cvt_rni_u16_f16(a: i32): i32 {
  return toU16<f32>(nearest<f32>(halfToFloat(a)));
}
/** cvt.rni.s16.f16 */
export function cvt_rni_s16_f16(a: i32): i32 {
  return toS16<f32>(nearest<f32>(halfToFloat(a)));
}
/** cvt.rni.u32.f16 */
export function cvt_rni_u32_f16(a: i32): i32 {
  return toU32<f32>(nearest<f32>(halfToFloat(a)));
}
/** cvt.rni.s32.f16 */
export function cvt_rni_s32_f16(a: i32): i32 {
  return toS32<f32>(nearest<f32>(halfToFloat(a)));
}
/** cvt.rni.u64.f16 */
export function cvt_rni_u64_f16(a: i32): i64 {
  return toU64<f32>(nearest<f32>(halfToFloat(a)));
}
/** cvt.rni.s64.f16 */
export function cvt_rni_s64_f16(a: i32): i64 {
  return toS64<f32>(nearest<f32>(halfToFloat(a)));
}
/** cvt.rzi.u8.f16 */
export function cvt_rzi_u8_f16(a: i32): i32 {
  return toU8<f32>(halfToFloat(a));
}
/** cvt.rzi.s8.f16 */
export function cvt_rzi_s8_f16(a: i32): i32 {
  return toS8<f32>(halfToFloat(a));
}
/** cvt.rzi.u16.f16 */
export function cvt_rzi_u16_f16(a: i32): i32 {
  return toU16<f32>(halfToFloat(a));
}
/** cvt.rzi.s16.f16 */
export function cvt_rzi_s16_f16(a: i32): i32 {
  return toS16<f32>(halfToFloat(a));
}
/** cvt.rzi.u32.f16 */
export function cvt_rzi_u32_f16(a: i32): i32 {
  return toU32<f32>(halfToFloat(a));
}
/** cvt.rzi.s32.f16 */
export function cvt_rzi_s32_f16(a: i32): i32 {
  return toS32<f32>(halfToFloat(a));
}
/** cvt.rzi.u64.f16 */
export function cvt_rzi_u64_f16(a: i32): i64 {
  return toU64<f32>(halfToFloat(a));
}
/** cvt.rzi.s64.f16 */
export function cvt_rzi_s64_f16(a: i32): i64 {
  return toS64<f32>(halfToFloat(a));
}
/** cvt.rmi.u8.f16 */
export function cvt_rmi_u8_f16(a: i32): i32 {
  return toU8<f32>(floor<f32>(halfToFloat(a)));
}
/** cvt.rmi.s8.f16 */
export function cvt_rmi_s8_f16(a: i32): i32 {
  return toS8<f32>(floor<f32>(halfToFloat(a)));
}
/** cvt.rmi.u16.f16 */
export function cvt_rmi_u16_f16(a: i32): i32 {
  return toU16<f32>(floor<f32>(halfToFloat(a)));
}
/** cvt.rmi.s16.f16 */
export function cvt_rmi_s16_f16(a: i32): i32 {
  return toS16<f32>(floor<f32>(halfToFloat(a)));
}
/** cvt.rmi.u32.f16 */
export function cvt_rmi_u32_f16(a: i32): i32 {
  return toU32<f32>(floor<f32>(halfToFloat(a)));
}
/** cvt.rmi.s32.f16 */
export function cvt_rmi_s32_f16(a: i32): i32 {
  return toS32<f32>(floor<f32>(halfToFloat(a)));
}
/** cvt.rmi.u64.f16 */
export function cvt_rmi_u64_f16(a: i32): i64 {
  return toU64<f32>(floor<f32>(halfToFloat(a)));
}
/** cvt.rmi.s64.f16 */
export function cvt_rmi_s64_f16(a: i32): i64 {
  return toS64<f32>(floor<f32>(halfToFloat(a)));
}
/** cvt.rpi.u8.f16 */
export function cvt_rpi_u8_f16(a: i32): i32 {
  return toU8<f32>(ceil<f32>(halfToFloat(a)));
}
/** cvt.rpi.s8.f16 */
export function cvt_rpi_s8_f16(a: i32): i32 {
  return toS8<f32>(ceil<f32>(halfToFloat(a)));
}
/** cvt.rpi.u16.f16 */
export function cvt_rpi_u16_f16(a: i32): i32 {
  return toU16<f32>(ceil<f32>(halfToFloat(a)));
}
/** cvt.rpi.s16.f16 */
export function cvt_rpi_s16_f16(a: i32): i32 {
  return toS16<f32>(ceil<f32>(halfToFloat(a)));
}
/** cvt.rpi.u32.f16 */
export function cvt_rpi_u32_f16(a: i32): i32 {
  return toU32<f32>(ceil<f32>(halfToFloat(a)));
}
/** cvt.rpi.s32.f16 */
export function cvt_rpi_s32_f16(a: i32): i32 {
  return toS32<f32>(ceil<f32>(halfToFloat(a)));
}
/** cvt.rpi.u64.f16 */
export function cvt_rpi_u64_f16(a: i32): i64 {
  return toU64<f32>(ceil<f32>(halfToFloat(a)));
}
/** cvt.rpi.s64.f16 */
export function cvt_rpi_s64_f16(a: i32): i64 {
  return toS64<f32>(ceil<f32>(halfToFloat(a)));
}

// With .sat the same: float to integer always clamps.
export {
  cvt_rni_u8_f16 as cvt_rni_sat_u8_f16,
  cvt_rni_s8_f16 as cvt_rni_sat_s8_f16,
  cvt_rni_u16_f16 as cvt_rni_sat_u16_f16,
  cvt_rni_s16_f16 as cvt_rni_sat_s16_f16,
  cvt_rni_u32_f16 as cvt_rni_sat_u32_f16,
  cvt_rni_s32_f16 as cvt_rni_sat_s32_f16,
  cvt_rni_u64_f16 as cvt_rni_sat_u64_f16,
  cvt_rni_s64_f16 as cvt_rni_sat_s64_f16,
  cvt_rzi_u8_f16 as cvt_rzi_sat_u8_f16,
  cvt_rzi_s8_f16 as cvt_rzi_sat_s8_f16,
  cvt_rzi_u16_f16 as cvt_rzi_sat_u16_f16,
  cvt_rzi_s16_f16 as cvt_rzi_sat_s16_f16,
  cvt_rzi_u32_f16 as cvt_rzi_sat_u32_f16,
  cvt_rzi_s32_f16 as cvt_rzi_sat_s32_f16,
  cvt_rzi_u64_f16 as cvt_rzi_sat_u64_f16,
  cvt_rzi_s64_f16 as cvt_rzi_sat_s64_f16,
  cvt_rmi_u8_f16 as cvt_rmi_sat_u8_f16,
  cvt_rmi_s8_f16 as cvt_rmi_sat_s8_f16,
  cvt_rmi_u16_f16 as cvt_rmi_sat_u16_f16,
  cvt_rmi_s16_f16 as cvt_rmi_sat_s16_f16,
  cvt_rmi_u32_f16 as cvt_rmi_sat_u32_f16,
  cvt_rmi_s32_f16 as cvt_rmi_sat_s32_f16,
  cvt_rmi_u64_f16 as cvt_rmi_sat_u64_f16,
  cvt_rmi_s64_f16 as cvt_rmi_sat_s64_f16,
  cvt_rpi_u8_f16 as cvt_rpi_sat_u8_f16,
  cvt_rpi_s8_f16 as cvt_rpi_sat_s8_f16,
  cvt_rpi_u16_f16 as cvt_rpi_sat_u16_f16,
  cvt_rpi_s16_f16 as cvt_rpi_sat_s16_f16,
  cvt_rpi_u32_f16 as cvt_rpi_sat_u32_f16,
  cvt_rpi_s32_f16 as cvt_rpi_sat_s32_f16,
  cvt_rpi_u64_f16 as cvt_rpi_sat_u64_f16,
  cvt_rpi_s64_f16 as cvt_rpi_sat_s64_f16,
};
