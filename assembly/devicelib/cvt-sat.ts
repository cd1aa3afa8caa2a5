// cvt.sat between integer types: the source as a 64-bit number, clamped to the destination's range.
// (Without .sat a conversion only truncates or extends.) Pairs that cannot be out of range are the
// plain conversions.

// @ts-ignore: decorator
@inline
function clampSigned(x: i64, low: i64, high: i64): i64 {
  return min<i64>(max<i64>(x, low), high);
}

/** cvt.sat.u8.s8 */
export function cvt_sat_u8_s8(a: i32): i32 {
  return max<i32>((a << 24) >> 24, 0);
}
/** cvt.sat.u8.u16 */
export function cvt_sat_u8_u16(a: i32): i32 {
  return <i32>min<u32>(a, 255);
}
/** cvt.sat.u8.s16 */
export function cvt_sat_u8_s16(a: i32): i32 {
  return min<i32>(max<i32>((a << 16) >> 16, 0), 255);
}
/** cvt.sat.u8.u32 */
export function cvt_sat_u8_u32(a: i32): i32 {
  return <i32>min<u32>(a, 255);
}
/** cvt.sat.u8.s32 */
export function cvt_sat_u8_s32(a: i32): i32 {
  return min<i32>(max<i32>(a, 0), 255);
}
/** cvt.sat.u8.u64 */
export function cvt_sat_u8_u64(a: i64): i32 {
  return <i32>(<i64>min<u64>(<u64>a, 255));
}
/** cvt.sat.u8.s64 */
export function cvt_sat_u8_s64(a: i64): i32 {
  return <i32>clampSigned(a, 0, 255);
}
/** cvt.sat.s8.u8 */
export function cvt_sat_s8_u8(a: i32): i32 {
  return <i32>min<u32>(a, 127);
}
/** cvt.sat.s8.u16 */
export function cvt_sat_s8_u16(a: i32): i32 {
  return <i32>min<u32>(a, 127);
}
/** cvt.sat.s8.s16 */
export function cvt_sat_s8_s16(a: i32): i32 {
  return min<i32>(max<i32>((a << 16) >> 16, -128), 127) & 0xff;
}
/** cvt.sat.s8.u32 */
export function cvt_sat_s8_u32(a: i32): i32 {
  return <i32>min<u32>(a, 127);
}
/** cvt.sat.s8.s32 */
export function cvt_sat_s8_s32(a: i32): i32 {
  return min<i32>(max<i32>(a, -128), 127) & 0xff;
}
/** cvt.sat.s8.u64 */
export function cvt_sat_s8_u64(a: i64): i32 {
  return <i32>(<i64>min<u64>(<u64>a, 127)) & 0xff;
}
/** cvt.sat.s8.s64 */
export function cvt_sat_s8_s64(a: i64): i32 {
  return <i32>clampSigned(a, -128, 127) & 0xff;
}
/** cvt.sat.u16.s8 */
export function cvt_sat_u16_s8(a: i32): i32 {
  return max<i32>((a << 24) >> 24, 0);
}
/** cvt.sat.u16.s16 */
export function cvt_sat_u16_s16(a: i32): i32 {
  return max<i32>((a << 16) >> 16, 0);
}
/** cvt.sat.u16.u32 */
export function cvt_sat_u16_u32(a: i32): i32 {
  return <i32>min<u32>(a, 65535);
}
/** cvt.sat.u16.s32 */
export function cvt_sat_u16_s32(a: i32): i32 {
  return min<i32>(max<i32>(a, 0), 65535);
}
/** cvt.sat.u16.u64 */
export function cvt_sat_u16_u64(a: i64): i32 {
  return <i32>(<i64>min<u64>(<u64>a, 65535));
}
/** cvt.sat.u16.s64 */
export function cvt_sat_u16_s64(a: i64): i32 {
  return <i32>clampSigned(a, 0, 65535);
}
/** cvt.sat.s16.u16 */
export function cvt_sat_s16_u16(a: i32): i32 {
  return <i32>min<u32>(a, 32767);
}
/** cvt.sat.s16.u32 */
export function cvt_sat_s16_u32(a: i32): i32 {
  return <i32>min<u32>(a, 32767);
}
/** cvt.sat.s16.s32 */
export function cvt_sat_s16_s32(a: i32): i32 {
  return min<i32>(max<i32>(a, -32768), 32767) & 0xffff;
}
/** cvt.sat.s16.u64 */
export function cvt_sat_s16_u64(a: i64): i32 {
  return <i32>(<i64>min<u64>(<u64>a, 32767)) & 0xffff;
}
/** cvt.sat.s16.s64 */
export function cvt_sat_s16_s64(a: i64): i32 {
  return <i32>clampSigned(a, -32768, 32767) & 0xffff;
}
/** cvt.sat.u32.s8 */
export function cvt_sat_u32_s8(a: i32): i32 {
  return max<i32>((a << 24) >> 24, 0);
}
/** cvt.sat.u32.s16 */
export function cvt_sat_u32_s16(a: i32): i32 {
  return max<i32>((a << 16) >> 16, 0);
}
/** cvt.sat.u32.s32 */
export function cvt_sat_u32_s32(a: i32): i32 {
  return max<i32>(a, 0);
}
/** cvt.sat.u32.u64 */
export function cvt_sat_u32_u64(a: i64): i32 {
  return <i32>(<i64>min<u64>(<u64>a, 0xffffffff));
}
/** cvt.sat.u32.s64 */
export function cvt_sat_u32_s64(a: i64): i32 {
  return <i32>clampSigned(a, 0, 0xffffffff);
}
/** cvt.sat.s32.u32 */
export function cvt_sat_s32_u32(a: i32): i32 {
  return <i32>min<u32>(a, 2147483647);
}
/** cvt.sat.s32.u64 */
export function cvt_sat_s32_u64(a: i64): i32 {
  return <i32>(<i64>min<u64>(<u64>a, 2147483647));
}
/** cvt.sat.s32.s64 */
export function cvt_sat_s32_s64(a: i64): i32 {
  return <i32>clampSigned(a, -2147483648, 2147483647);
}
/** cvt.sat.u64.s8 */
export function cvt_sat_u64_s8(a: i32): i64 {
  return <i64>max<i32>((a << 24) >> 24, 0);
}
/** cvt.sat.u64.s16 */
export function cvt_sat_u64_s16(a: i32): i64 {
  return <i64>max<i32>((a << 16) >> 16, 0);
}
/** cvt.sat.u64.s32 */
export function cvt_sat_u64_s32(a: i32): i64 {
  return <i64>max<i32>(a, 0);
}
/** cvt.sat.u64.s64 */
export function cvt_sat_u64_s64(a: i64): i64 {
  return max<i64>(a, 0);
}
/** cvt.sat.s64.u64 */
export function cvt_sat_s64_u64(a: i64): i64 {
  return <i64>min<u64>(<u64>a, i64.MAX_VALUE);
}
/** cvt.sat.u8.u8 */
export function cvt_sat_u8_u8(a: i32): i32 {
  return a;
}
/** cvt.sat.s8.s8 */
export function cvt_sat_s8_s8(a: i32): i32 {
  return a;
}
/** cvt.sat.u16.u8 */
export function cvt_sat_u16_u8(a: i32): i32 {
  return a;
}
/** cvt.sat.u16.u16 */
export function cvt_sat_u16_u16(a: i32): i32 {
  return a;
}
/** cvt.sat.s16.u8 */
export function cvt_sat_s16_u8(a: i32): i32 {
  return a;
}
/** cvt.sat.s16.s8 */
export function cvt_sat_s16_s8(a: i32): i32 {
  return ((a << 24) >> 24) & 0xffff;
}
/** cvt.sat.s16.s16 */
export function cvt_sat_s16_s16(a: i32): i32 {
  return a;
}
/** cvt.sat.u32.u8 */
export function cvt_sat_u32_u8(a: i32): i32 {
  return a;
}
/** cvt.sat.u32.u16 */
export function cvt_sat_u32_u16(a: i32): i32 {
  return a;
}
/** cvt.sat.u32.u32 */
export function cvt_sat_u32_u32(a: i32): i32 {
  return a;
}
/** cvt.sat.s32.u8 */
export function cvt_sat_s32_u8(a: i32): i32 {
  return a;
}
/** cvt.sat.s32.s8 */
export function cvt_sat_s32_s8(a: i32): i32 {
  return (a << 24) >> 24;
}
/** cvt.sat.s32.u16 */
export function cvt_sat_s32_u16(a: i32): i32 {
  return a;
}
/** cvt.sat.s32.s16 */
export function cvt_sat_s32_s16(a: i32): i32 {
  return (a << 16) >> 16;
}
/** cvt.sat.s32.s32 */
export function cvt_sat_s32_s32(a: i32): i32 {
  return a;
}
/** cvt.sat.u64.u8 */
export function cvt_sat_u64_u8(a: i32): i64 {
  return <i64>a;
}
/** cvt.sat.u64.u16 */
export function cvt_sat_u64_u16(a: i32): i64 {
  return <i64>a;
}
/** cvt.sat.u64.u32 */
export function cvt_sat_u64_u32(a: i32): i64 {
  return <i64>(<u32>a);
}
/** cvt.sat.u64.u64 */
export function cvt_sat_u64_u64(a: i64): i64 {
  return a;
}
/** cvt.sat.s64.u8 */
export function cvt_sat_s64_u8(a: i32): i64 {
  return <i64>a;
}
/** cvt.sat.s64.s8 */
export function cvt_sat_s64_s8(a: i32): i64 {
  return <i64>((a << 24) >> 24);
}
/** cvt.sat.s64.u16 */
export function cvt_sat_s64_u16(a: i32): i64 {
  return <i64>a;
}
/** cvt.sat.s64.s16 */
export function cvt_sat_s64_s16(a: i32): i64 {
  return <i64>((a << 16) >> 16);
}
/** cvt.sat.s64.u32 */
export function cvt_sat_s64_u32(a: i32): i64 {
  return <i64>(<u32>a);
}
/** cvt.sat.s64.s32 */
export function cvt_sat_s64_s32(a: i32): i64 {
  return <i64>a;
}
/** cvt.sat.s64.s64 */
export function cvt_sat_s64_s64(a: i64): i64 {
  return a;
}
