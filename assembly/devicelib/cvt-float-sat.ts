// cvt.sat from the integers to f32, f64 and f16: the result is clamped to [0, 1], so that every
// positive number becomes 1 and the rest 0, in every rounding mode.

/** cvt.rn.sat.f32.u8 */
export function cvt_rn_sat_f32_u8(a: i32): f32 {
  return a != 0 ? 1 : 0;
}
/** cvt.rn.sat.f64.u8 */
export function cvt_rn_sat_f64_u8(a: i32): f64 {
  return a != 0 ? 1 : 0;
}
/** cvt.rn.sat.f16.u8 */
export function cvt_rn_sat_f16_u8(a: i32): i32 {
  return a != 0 ? 0x3c00 : 0;
}
/** cvt.rn.sat.f32.s8 */
export function cvt_rn_sat_f32_s8(a: i32): f32 {
  return a << 24 > 0 ? 1 : 0;
}
/** cvt.rn.sat.f64.s8 */
export function cvt_rn_sat_f64_s8(a: i32): f64 {
  return a << 24 > 0 ? 1 : 0;
}
/** cvt.rn.sat.f16.s8 */
export function cvt_rn_sat_f16_s8(a: i32): i32 {
  return a << 24 > 0 ? 0x3c00 : 0;
}
/** cvt.rn.sat.f32.u16 */
export function cvt_rn_sat_f32_u16(a: i32): f32 {
  return a != 0 ? 1 : 0;
}
/** cvt.rn.sat.f64.u16 */
export function cvt_rn_sat_f64_u16(a: i32): f64 {
  return a != 0 ? 1 : 0;
}
/** cvt.rn.sat.f16.u16 */
export function cvt_rn_sat_f16_u16(a: i32): i32 {
  return a != 0 ? 0x3c00 : 0;
}
/** cvt.rn.sat.f32.s16 */
export function cvt_rn_sat_f32_s16(a: i32): f32 {
  return a << 16 > 0 ? 1 : 0;
}
/** cvt.rn.sat.f64.s16 */
export function cvt_rn_sat_f64_s16(a: i32): f64 {
  return a << 16 > 0 ? 1 : 0;
}
/** cvt.rn.sat.f16.s16 */
export function cvt_rn_sat_f16_s16(a: i32): i32 {
  return a << 16 > 0 ? 0x3c00 : 0;
}
/** cvt.rn.sat.f32.u32 */
export function cvt_rn_sat_f32_u32(a: i32): f32 {
  return a != 0 ? 1 : 0;
}
/** cvt.rn.sat.f64.u32 */
export function cvt_rn_sat_f64_u32(a: i32): f64 {
  return a != 0 ? 1 : 0;
}
/** cvt.rn.sat.f16.u32 */
export function cvt_rn_sat_f16_u32(a: i32): i32 {
  return a != 0 ? 0x3c00 : 0;
}
/** cvt.rn.sat.f32.s32 */
export function cvt_rn_sat_f32_s32(a: i32): f32 {
  return a > 0 ? 1 : 0;
}
/** cvt.rn.sat.f64.s32 */
export function cvt_rn_sat_f64_s32(a: i32): f64 {
  return a > 0 ? 1 : 0;
}
/** cvt.rn.sat.f16.s32 */
export function cvt_rn_sat_f16_s32(a: i32): i32 {
  return a > 0 ? 0x3c00 : 0;
}
/** cvt.rn.sat.f32.u64 */
export function cvt_rn_sat_f32_u64(a: i64): f32 {
  return a != 0 ? 1 : 0;
}
/** cvt.rn.sat.f64.u64 */
export function cvt_rn_sat_f64_u64(a: i64): f64 {
  return a != 0 ? 1 : 0;
}
/** cvt.rn.sat.f16.u64 */
export function cvt_rn_sat_f16_u64(a: i64): i32 {
  return a != 0 ? 0x3c00 : 0;
}
/** cvt.rn.sat.f32.s64 */
export function cvt_rn_sat_f32_s64(a: i64): f32 {
  return a > 0 ? 1 : 0;
}
/** cvt.rn.sat.f64.s64 */
export function cvt_rn_sat_f64_s64(a: i64): f64 {
  return a > 0 ? 1 : 0;
}
/** cvt.rn.sat.f16.s64 */
export function cvt_rn_sat_f16_s64(a: i64): i32 {
  return a > 0 ? 0x3c00 : 0;
}

export {
  cvt_rn_sat_f32_u8 as cvt_rz_sat_f32_u8,
  cvt_rn_sat_f32_u8 as cvt_rm_sat_f32_u8,
  cvt_rn_sat_f32_u8 as cvt_rp_sat_f32_u8,
  cvt_rn_sat_f64_u8 as cvt_rz_sat_f64_u8,
  cvt_rn_sat_f64_u8 as cvt_rm_sat_f64_u8,
  cvt_rn_sat_f64_u8 as cvt_rp_sat_f64_u8,
  cvt_rn_sat_f16_u8 as cvt_rz_sat_f16_u8,
  cvt_rn_sat_f16_u8 as cvt_rm_sat_f16_u8,
  cvt_rn_sat_f16_u8 as cvt_rp_sat_f16_u8,
  cvt_rn_sat_f32_s8 as cvt_rz_sat_f32_s8,
  cvt_rn_sat_f32_s8 as cvt_rm_sat_f32_s8,
  cvt_rn_sat_f32_s8 as cvt_rp_sat_f32_s8,
  cvt_rn_sat_f64_s8 as cvt_rz_sat_f64_s8,
  cvt_rn_sat_f64_s8 as cvt_rm_sat_f64_s8,
  cvt_rn_sat_f64_s8 as cvt_rp_sat_f64_s8,
  cvt_rn_sat_f16_s8 as cvt_rz_sat_f16_s8,
  cvt_rn_sat_f16_s8 as cvt_rm_sat_f16_s8,
  cvt_rn_sat_f16_s8 as cvt_rp_sat_f16_s8,
  cvt_rn_sat_f32_u16 as cvt_rz_sat_f32_u16,
  cvt_rn_sat_f32_u16 as cvt_rm_sat_f32_u16,
  cvt_rn_sat_f32_u16 as cvt_rp_sat_f32_u16,
  cvt_rn_sat_f64_u16 as cvt_rz_sat_f64_u16,
  cvt_rn_sat_f64_u16 as cvt_rm_sat_f64_u16,
  cvt_rn_sat_f64_u16 as cvt_rp_sat_f64_u16,
  cvt_rn_sat_f16_u16 as cvt_rz_sat_f16_u16,
  cvt_rn_sat_f16_u16 as cvt_rm_sat_f16_u16,
  cvt_rn_sat_f16_u16 as cvt_rp_sat_f16_u16,
  cvt_rn_sat_f32_s16 as cvt_rz_sat_f32_s16,
  cvt_rn_sat_f32_s16 as cvt_rm_sat_f32_s16,
  cvt_rn_sat_f32_s16 as cvt_rp_sat_f32_s16,
  cvt_rn_sat_f64_s16 as cvt_rz_sat_f64_s16,
  cvt_rn_sat_f64_s16 as cvt_rm_sat_f64_s16,
  cvt_rn_sat_f64_s16 as cvt_rp_sat_f64_s16,
  cvt_rn_sat_f16_s16 as cvt_rz_sat_f16_s16,
  cvt_rn_sat_f16_s16 as cvt_rm_sat_f16_s16,
  cvt_rn_sat_f16_s16 as cvt_rp_sat_f16_s16,
  cvt_rn_sat_f32_u32 as cvt_rz_sat_f32_u32,
  cvt_rn_sat_f32_u32 as cvt_rm_sat_f32_u32,
  cvt_rn_sat_f32_u32 as cvt_rp_sat_f32_u32,
  cvt_rn_sat_f64_u32 as cvt_rz_sat_f64_u32,
  cvt_rn_sat_f64_u32 as cvt_rm_sat_f64_u32,
  cvt_rn_sat_f64_u32 as cvt_rp_sat_f64_u32,
  cvt_rn_sat_f16_u32 as cvt_rz_sat_f16_u32,
  cvt_rn_sat_f16_u32 as cvt_rm_sat_f16_u32,
  cvt_rn_sat_f16_u32 as cvt_rp_sat_f16_u32,
  cvt_rn_sat_f32_s32 as cvt_rz_sat_f32_s32,
  cvt_rn_sat_f32_s32 as cvt_rm_sat_f32_s32,
  cvt_rn_sat_f32_s32 as cvt_rp_sat_f32_s32,
  cvt_rn_sat_f64_s32 as cvt_rz_sat_f64_s32,
  cvt_rn_sat_f64_s32 as cvt_rm_sat_f64_s32,
  cvt_rn_sat_f64_s32 as cvt_rp_sat_f64_s32,
  cvt_rn_sat_f16_s32 as cvt_rz_sat_f16_s32,
  cvt_rn_sat_f16_s32 as cvt_rm_sat_f16_s32,
  cvt_rn_sat_f16_s32 as cvt_rp_sat_f16_s32,
  cvt_rn_sat_f32_u64 as cvt_rz_sat_f32_u64,
  cvt_rn_sat_f32_u64 as cvt_rm_sat_f32_u64,
  cvt_rn_sat_f32_u64 as cvt_rp_sat_f32_u64,
  cvt_rn_sat_f64_u64 as cvt_rz_sat_f64_u64,
  cvt_rn_sat_f64_u64 as cvt_rm_sat_f64_u64,
  cvt_rn_sat_f64_u64 as cvt_rp_sat_f64_u64,
  cvt_rn_sat_f16_u64 as cvt_rz_sat_f16_u64,
  cvt_rn_sat_f16_u64 as cvt_rm_sat_f16_u64,
  cvt_rn_sat_f16_u64 as cvt_rp_sat_f16_u64,
  cvt_rn_sat_f32_s64 as cvt_rz_sat_f32_s64,
  cvt_rn_sat_f32_s64 as cvt_rm_sat_f32_s64,
  cvt_rn_sat_f32_s64 as cvt_rp_sat_f32_s64,
  cvt_rn_sat_f64_s64 as cvt_rz_sat_f64_s64,
  cvt_rn_sat_f64_s64 as cvt_rm_sat_f64_s64,
  cvt_rn_sat_f64_s64 as cvt_rp_sat_f64_s64,
  cvt_rn_sat_f16_s64 as cvt_rz_sat_f16_s64,
  cvt_rn_sat_f16_s64 as cvt_rm_sat_f16_s64,
  cvt_rn_sat_f16_s64 as cvt_rp_sat_f16_s64,
};
