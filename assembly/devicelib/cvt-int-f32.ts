// cvt from f32 to the integers, rounded to nearest even (.rni), towards zero (.rzi), down (.rmi) or
// up (.rpi). Values out of range are clamped (`.sat` changes nothing), and results of 8 and 16 bits
// have zero upper bits. NaN becomes what the H100 makes of it, see float-int.ts.

import { ftz } from "./common";
import { toS8, toS16, toS32, toS64, toU8, toU16, toU32, toU64 } from "./float-int";

/** cvt.rni.u8.f32 */
export function cvt_rni_u8_f32(a: f32): i32 {
  return toU8<f32>(nearest<f32>(a));
}
/** cvt.rni.s8.f32 */
export function cvt_rni_s8_f32(a: f32): i32 {
  return toS8<f32>(nearest<f32>(a));
}
/** cvt.rni.u16.f32 */
export function cvt_rni_u16_f32(a: f32): i32 {
  return toU16<f32>(nearest<f32>(a));
}
/** cvt.rni.s16.f32 */
export function cvt_rni_s16_f32(a: f32): i32 {
  return toS16<f32>(nearest<f32>(a));
}
/** cvt.rni.u32.f32 */
export function cvt_rni_u32_f32(a: f32): i32 {
  return toU32<f32>(nearest<f32>(a));
}
/** cvt.rni.s32.f32 */
export function cvt_rni_s32_f32(a: f32): i32 {
  return toS32<f32>(nearest<f32>(a));
}
/** cvt.rni.u64.f32 */
export function cvt_rni_u64_f32(a: f32): i64 {
  return toU64<f32>(nearest<f32>(a));
}
/** cvt.rni.s64.f32 */
export function cvt_rni_s64_f32(a: f32): i64 {
  return toS64<f32>(nearest<f32>(a));
}
/** cvt.rzi.u8.f32 */
export function cvt_rzi_u8_f32(a: f32): i32 {
  return toU8<f32>(a);
}
/** cvt.rzi.s8.f32 */
export function cvt_rzi_s8_f32(a: f32): i32 {
  return toS8<f32>(a);
}
/** cvt.rzi.u16.f32 */
export function cvt_rzi_u16_f32(a: f32): i32 {
  return toU16<f32>(a);
}
/** cvt.rzi.s16.f32 */
export function cvt_rzi_s16_f32(a: f32): i32 {
  return toS16<f32>(a);
}
/** cvt.rzi.u32.f32 */
export function cvt_rzi_u32_f32(a: f32): i32 {
  return toU32<f32>(a);
}
/** cvt.rzi.s32.f32 */
export function cvt_rzi_s32_f32(a: f32): i32 {
  return toS32<f32>(a);
}
/** cvt.rzi.u64.f32 */
export function cvt_rzi_u64_f32(a: f32): i64 {
  return toU64<f32>(a);
}
/** cvt.rzi.s64.f32 */
export function cvt_rzi_s64_f32(a: f32): i64 {
  return toS64<f32>(a);
}
/** cvt.rmi.u8.f32 */
export function cvt_rmi_u8_f32(a: f32): i32 {
  return toU8<f32>(floor<f32>(a));
}
/** cvt.rmi.s8.f32 */
export function cvt_rmi_s8_f32(a: f32): i32 {
  return toS8<f32>(floor<f32>(a));
}
/** cvt.rmi.u16.f32 */
export function cvt_rmi_u16_f32(a: f32): i32 {
  return toU16<f32>(floor<f32>(a));
}
/** cvt.rmi.s16.f32 */
export function cvt_rmi_s16_f32(a: f32): i32 {
  return toS16<f32>(floor<f32>(a));
}
/** cvt.rmi.u32.f32 */
export function cvt_rmi_u32_f32(a: f32): i32 {
  return toU32<f32>(floor<f32>(a));
}
/** cvt.rmi.s32.f32 */
export function cvt_rmi_s32_f32(a: f32): i32 {
  return toS32<f32>(floor<f32>(a));
}
/** cvt.rmi.u64.f32 */
export function cvt_rmi_u64_f32(a: f32): i64 {
  return toU64<f32>(floor<f32>(a));
}
/** cvt.rmi.s64.f32 */
export function cvt_rmi_s64_f32(a: f32): i64 {
  return toS64<f32>(floor<f32>(a));
}
/** cvt.rpi.u8.f32 */
export function cvt_rpi_u8_f32(a: f32): i32 {
  return toU8<f32>(ceil<f32>(a));
}
/** cvt.rpi.s8.f32 */
export function cvt_rpi_s8_f32(a: f32): i32 {
  return toS8<f32>(ceil<f32>(a));
}
/** cvt.rpi.u16.f32 */
export function cvt_rpi_u16_f32(a: f32): i32 {
  return toU16<f32>(ceil<f32>(a));
}
/** cvt.rpi.s16.f32 */
export function cvt_rpi_s16_f32(a: f32): i32 {
  return toS16<f32>(ceil<f32>(a));
}
/** cvt.rpi.u32.f32 */
export function cvt_rpi_u32_f32(a: f32): i32 {
  return toU32<f32>(ceil<f32>(a));
}
/** cvt.rpi.s32.f32 */
export function cvt_rpi_s32_f32(a: f32): i32 {
  return toS32<f32>(ceil<f32>(a));
}
/** cvt.rpi.u64.f32 */
export function cvt_rpi_u64_f32(a: f32): i64 {
  return toU64<f32>(ceil<f32>(a));
}
/** cvt.rpi.s64.f32 */
export function cvt_rpi_s64_f32(a: f32): i64 {
  return toS64<f32>(ceil<f32>(a));
}
/** cvt.rni.ftz.u8.f32 */
export function cvt_rni_ftz_u8_f32(a: f32): i32 {
  return toU8<f32>(nearest<f32>(ftz(a)));
}
/** cvt.rni.ftz.s8.f32 */
export function cvt_rni_ftz_s8_f32(a: f32): i32 {
  return toS8<f32>(nearest<f32>(ftz(a)));
}
/** cvt.rni.ftz.u16.f32 */
export function cvt_rni_ftz_u16_f32(a: f32): i32 {
  return toU16<f32>(nearest<f32>(ftz(a)));
}
/** cvt.rni.ftz.s16.f32 */
export function cvt_rni_ftz_s16_f32(a: f32): i32 {
  return toS16<f32>(nearest<f32>(ftz(a)));
}
/** cvt.rni.ftz.u32.f32 */
export function cvt_rni_ftz_u32_f32(a: f32): i32 {
  return toU32<f32>(nearest<f32>(ftz(a)));
}
/** cvt.rni.ftz.s32.f32 */
export function cvt_rni_ftz_s32_f32(a: f32): i32 {
  return toS32<f32>(nearest<f32>(ftz(a)));
}
/** cvt.rni.ftz.u64.f32 */
export function cvt_rni_ftz_u64_f32(a: f32): i64 {
  return toU64<f32>(nearest<f32>(ftz(a)));
}
/** cvt.rni.ftz.s64.f32 */
export function cvt_rni_ftz_s64_f32(a: f32): i64 {
  return toS64<f32>(nearest<f32>(ftz(a)));
}
/** cvt.rzi.ftz.u8.f32 */
export function cvt_rzi_ftz_u8_f32(a: f32): i32 {
  return toU8<f32>(ftz(a));
}
/** cvt.rzi.ftz.s8.f32 */
export function cvt_rzi_ftz_s8_f32(a: f32): i32 {
  return toS8<f32>(ftz(a));
}
/** cvt.rzi.ftz.u16.f32 */
export function cvt_rzi_ftz_u16_f32(a: f32): i32 {
  return toU16<f32>(ftz(a));
}
/** cvt.rzi.ftz.s16.f32 */
export function cvt_rzi_ftz_s16_f32(a: f32): i32 {
  return toS16<f32>(ftz(a));
}
/** cvt.rzi.ftz.u32.f32 */
export function cvt_rzi_ftz_u32_f32(a: f32): i32 {
  return toU32<f32>(ftz(a));
}
/** cvt.rzi.ftz.s32.f32 */
export function cvt_rzi_ftz_s32_f32(a: f32): i32 {
  return toS32<f32>(ftz(a));
}
/** cvt.rzi.ftz.u64.f32 */
export function cvt_rzi_ftz_u64_f32(a: f32): i64 {
  return toU64<f32>(ftz(a));
}
/** cvt.rzi.ftz.s64.f32 */
export function cvt_rzi_ftz_s64_f32(a: f32): i64 {
  return toS64<f32>(ftz(a));
}
/** cvt.rmi.ftz.u8.f32 */
export function cvt_rmi_ftz_u8_f32(a: f32): i32 {
  return toU8<f32>(floor<f32>(ftz(a)));
}
/** cvt.rmi.ftz.s8.f32 */
export function cvt_rmi_ftz_s8_f32(a: f32): i32 {
  return toS8<f32>(floor<f32>(ftz(a)));
}
/** cvt.rmi.ftz.u16.f32 */
export function cvt_rmi_ftz_u16_f32(a: f32): i32 {
  return toU16<f32>(floor<f32>(ftz(a)));
}
/** cvt.rmi.ftz.s16.f32 */
export function cvt_rmi_ftz_s16_f32(a: f32): i32 {
  return toS16<f32>(floor<f32>(ftz(a)));
}
/** cvt.rmi.ftz.u32.f32 */
export function cvt_rmi_ftz_u32_f32(a: f32): i32 {
  return toU32<f32>(floor<f32>(ftz(a)));
}
/** cvt.rmi.ftz.s32.f32 */
export function cvt_rmi_ftz_s32_f32(a: f32): i32 {
  return toS32<f32>(floor<f32>(ftz(a)));
}
/** cvt.rmi.ftz.u64.f32 */
export function cvt_rmi_ftz_u64_f32(a: f32): i64 {
  return toU64<f32>(floor<f32>(ftz(a)));
}
/** cvt.rmi.ftz.s64.f32 */
export function cvt_rmi_ftz_s64_f32(a: f32): i64 {
  return toS64<f32>(floor<f32>(ftz(a)));
}
/** cvt.rpi.ftz.u8.f32 */
export function cvt_rpi_ftz_u8_f32(a: f32): i32 {
  return toU8<f32>(ceil<f32>(ftz(a)));
}
/** cvt.rpi.ftz.s8.f32 */
export function cvt_rpi_ftz_s8_f32(a: f32): i32 {
  return toS8<f32>(ceil<f32>(ftz(a)));
}
/** cvt.rpi.ftz.u16.f32 */
export function cvt_rpi_ftz_u16_f32(a: f32): i32 {
  return toU16<f32>(ceil<f32>(ftz(a)));
}
/** cvt.rpi.ftz.s16.f32 */
export function cvt_rpi_ftz_s16_f32(a: f32): i32 {
  return toS16<f32>(ceil<f32>(ftz(a)));
}
/** cvt.rpi.ftz.u32.f32 */
export function cvt_rpi_ftz_u32_f32(a: f32): i32 {
  return toU32<f32>(ceil<f32>(ftz(a)));
}
/** cvt.rpi.ftz.s32.f32 */
export function cvt_rpi_ftz_s32_f32(a: f32): i32 {
  return toS32<f32>(ceil<f32>(ftz(a)));
}
/** cvt.rpi.ftz.u64.f32 */
export function cvt_rpi_ftz_u64_f32(a: f32): i64 {
  return toU64<f32>(ceil<f32>(ftz(a)));
}
/** cvt.rpi.ftz.s64.f32 */
export function cvt_rpi_ftz_s64_f32(a: f32): i64 {
  return toS64<f32>(ceil<f32>(ftz(a)));
}

// With .sat the same: float to integer always clamps.
export {
  cvt_rni_u8_f32 as cvt_rni_sat_u8_f32,
  cvt_rni_s8_f32 as cvt_rni_sat_s8_f32,
  cvt_rni_u16_f32 as cvt_rni_sat_u16_f32,
  cvt_rni_s16_f32 as cvt_rni_sat_s16_f32,
  cvt_rni_u32_f32 as cvt_rni_sat_u32_f32,
  cvt_rni_s32_f32 as cvt_rni_sat_s32_f32,
  cvt_rni_u64_f32 as cvt_rni_sat_u64_f32,
  cvt_rni_s64_f32 as cvt_rni_sat_s64_f32,
  cvt_rzi_u8_f32 as cvt_rzi_sat_u8_f32,
  cvt_rzi_s8_f32 as cvt_rzi_sat_s8_f32,
  cvt_rzi_u16_f32 as cvt_rzi_sat_u16_f32,
  cvt_rzi_s16_f32 as cvt_rzi_sat_s16_f32,
  cvt_rzi_u32_f32 as cvt_rzi_sat_u32_f32,
  cvt_rzi_s32_f32 as cvt_rzi_sat_s32_f32,
  cvt_rzi_u64_f32 as cvt_rzi_sat_u64_f32,
  cvt_rzi_s64_f32 as cvt_rzi_sat_s64_f32,
  cvt_rmi_u8_f32 as cvt_rmi_sat_u8_f32,
  cvt_rmi_s8_f32 as cvt_rmi_sat_s8_f32,
  cvt_rmi_u16_f32 as cvt_rmi_sat_u16_f32,
  cvt_rmi_s16_f32 as cvt_rmi_sat_s16_f32,
  cvt_rmi_u32_f32 as cvt_rmi_sat_u32_f32,
  cvt_rmi_s32_f32 as cvt_rmi_sat_s32_f32,
  cvt_rmi_u64_f32 as cvt_rmi_sat_u64_f32,
  cvt_rmi_s64_f32 as cvt_rmi_sat_s64_f32,
  cvt_rpi_u8_f32 as cvt_rpi_sat_u8_f32,
  cvt_rpi_s8_f32 as cvt_rpi_sat_s8_f32,
  cvt_rpi_u16_f32 as cvt_rpi_sat_u16_f32,
  cvt_rpi_s16_f32 as cvt_rpi_sat_s16_f32,
  cvt_rpi_u32_f32 as cvt_rpi_sat_u32_f32,
  cvt_rpi_s32_f32 as cvt_rpi_sat_s32_f32,
  cvt_rpi_u64_f32 as cvt_rpi_sat_u64_f32,
  cvt_rpi_s64_f32 as cvt_rpi_sat_s64_f32,
  cvt_rni_ftz_u8_f32 as cvt_rni_ftz_sat_u8_f32,
  cvt_rni_ftz_s8_f32 as cvt_rni_ftz_sat_s8_f32,
  cvt_rni_ftz_u16_f32 as cvt_rni_ftz_sat_u16_f32,
  cvt_rni_ftz_s16_f32 as cvt_rni_ftz_sat_s16_f32,
  cvt_rni_ftz_u32_f32 as cvt_rni_ftz_sat_u32_f32,
  cvt_rni_ftz_s32_f32 as cvt_rni_ftz_sat_s32_f32,
  cvt_rni_ftz_u64_f32 as cvt_rni_ftz_sat_u64_f32,
  cvt_rni_ftz_s64_f32 as cvt_rni_ftz_sat_s64_f32,
  cvt_rzi_ftz_u8_f32 as cvt_rzi_ftz_sat_u8_f32,
  cvt_rzi_ftz_s8_f32 as cvt_rzi_ftz_sat_s8_f32,
  cvt_rzi_ftz_u16_f32 as cvt_rzi_ftz_sat_u16_f32,
  cvt_rzi_ftz_s16_f32 as cvt_rzi_ftz_sat_s16_f32,
  cvt_rzi_ftz_u32_f32 as cvt_rzi_ftz_sat_u32_f32,
  cvt_rzi_ftz_s32_f32 as cvt_rzi_ftz_sat_s32_f32,
  cvt_rzi_ftz_u64_f32 as cvt_rzi_ftz_sat_u64_f32,
  cvt_rzi_ftz_s64_f32 as cvt_rzi_ftz_sat_s64_f32,
  cvt_rmi_ftz_u8_f32 as cvt_rmi_ftz_sat_u8_f32,
  cvt_rmi_ftz_s8_f32 as cvt_rmi_ftz_sat_s8_f32,
  cvt_rmi_ftz_u16_f32 as cvt_rmi_ftz_sat_u16_f32,
  cvt_rmi_ftz_s16_f32 as cvt_rmi_ftz_sat_s16_f32,
  cvt_rmi_ftz_u32_f32 as cvt_rmi_ftz_sat_u32_f32,
  cvt_rmi_ftz_s32_f32 as cvt_rmi_ftz_sat_s32_f32,
  cvt_rmi_ftz_u64_f32 as cvt_rmi_ftz_sat_u64_f32,
  cvt_rmi_ftz_s64_f32 as cvt_rmi_ftz_sat_s64_f32,
  cvt_rpi_ftz_u8_f32 as cvt_rpi_ftz_sat_u8_f32,
  cvt_rpi_ftz_s8_f32 as cvt_rpi_ftz_sat_s8_f32,
  cvt_rpi_ftz_u16_f32 as cvt_rpi_ftz_sat_u16_f32,
  cvt_rpi_ftz_s16_f32 as cvt_rpi_ftz_sat_s16_f32,
  cvt_rpi_ftz_u32_f32 as cvt_rpi_ftz_sat_u32_f32,
  cvt_rpi_ftz_s32_f32 as cvt_rpi_ftz_sat_s32_f32,
  cvt_rpi_ftz_u64_f32 as cvt_rpi_ftz_sat_u64_f32,
  cvt_rpi_ftz_s64_f32 as cvt_rpi_ftz_sat_s64_f32,
};
