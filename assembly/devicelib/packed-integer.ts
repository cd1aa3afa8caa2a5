// Packed 16-bit integers, .relu of integers, and cvt.pack.

// @ts-ignore: decorator
@inline
function signedLow(x: i32): i32 {
  return (x << 16) >> 16;
}

// @ts-ignore: decorator
@inline
function pack(low: i32, high: i32): i32 {
  return (low & 0xffff) | (high << 16);
}

/** add.u16x2 */
export function add_u16x2(a: i32, b: i32): i32 {
  return pack(a + b, (a >>> 16) + (b >>> 16));
}
export { add_u16x2 as add_s16x2 };
/** min.u16x2 */
export function min_u16x2(a: i32, b: i32): i32 {
  return pack(min<i32>(a & 0xffff, b & 0xffff), <i32>min<u32>(a >>> 16, b >>> 16));
}
/** max.u16x2 */
export function max_u16x2(a: i32, b: i32): i32 {
  return pack(max<i32>(a & 0xffff, b & 0xffff), <i32>max<u32>(a >>> 16, b >>> 16));
}
/** min.s16x2 */
export function min_s16x2(a: i32, b: i32): i32 {
  return pack(min<i32>(signedLow(a), signedLow(b)), min<i32>(a >> 16, b >> 16));
}
/** max.s16x2 */
export function max_s16x2(a: i32, b: i32): i32 {
  return pack(max<i32>(signedLow(a), signedLow(b)), max<i32>(a >> 16, b >> 16));
}
/** min.relu.s16x2: negative results become 0 */
export function min_relu_s16x2(a: i32, b: i32): i32 {
  return max_s16x2(min_s16x2(a, b), 0);
}
/** max.relu.s16x2 */
export function max_relu_s16x2(a: i32, b: i32): i32 {
  return max_s16x2(max_s16x2(a, b), 0);
}
/** min.relu.s32 */
export function min_relu_s32(a: i32, b: i32): i32 {
  return max<i32>(min<i32>(a, b), 0);
}
/** max.relu.s32 */
export function max_relu_s32(a: i32, b: i32): i32 {
  return max<i32>(max<i32>(a, b), 0);
}

/** Clamps to `bits` bits and keeps them. */
// @ts-ignore: decorator
@inline
function narrow(x: i32, bits: i32, signed: bool): i32 {
  const top = signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
  return min<i32>(max<i32>(x, signed ? ~top : 0), top) & ((1 << bits) - 1);
}

/** The two clamped numbers below what is kept of c. */
// @ts-ignore: decorator
@inline
function packNarrow(a: i32, b: i32, c: i32, bits: i32, signed: bool): i32 {
  return (c << (2 * bits)) | (narrow(a, bits, signed) << bits) | narrow(b, bits, signed);
}

/** cvt.pack.sat.u16.s32: a in the upper half */
export function cvt_pack_sat_u16_s32(a: i32, b: i32): i32 {
  return (narrow(a, 16, false) << 16) | narrow(b, 16, false);
}
/** cvt.pack.sat.s16.s32 */
export function cvt_pack_sat_s16_s32(a: i32, b: i32): i32 {
  return (narrow(a, 16, true) << 16) | narrow(b, 16, true);
}
/** cvt.pack.sat.u8.s32.b32 */
export function cvt_pack_sat_u8_s32_b32(a: i32, b: i32, c: i32): i32 {
  return packNarrow(a, b, c, 8, false);
}
/** cvt.pack.sat.s8.s32.b32 */
export function cvt_pack_sat_s8_s32_b32(a: i32, b: i32, c: i32): i32 {
  return packNarrow(a, b, c, 8, true);
}
/** cvt.pack.sat.u4.s32.b32 */
export function cvt_pack_sat_u4_s32_b32(a: i32, b: i32, c: i32): i32 {
  return packNarrow(a, b, c, 4, false);
}
/** cvt.pack.sat.s4.s32.b32 */
export function cvt_pack_sat_s4_s32_b32(a: i32, b: i32, c: i32): i32 {
  return packNarrow(a, b, c, 4, true);
}
/** cvt.pack.sat.u2.s32.b32 */
export function cvt_pack_sat_u2_s32_b32(a: i32, b: i32, c: i32): i32 {
  return packNarrow(a, b, c, 2, false);
}
/** cvt.pack.sat.s2.s32.b32 */
export function cvt_pack_sat_s2_s32_b32(a: i32, b: i32, c: i32): i32 {
  return packNarrow(a, b, c, 2, true);
}
