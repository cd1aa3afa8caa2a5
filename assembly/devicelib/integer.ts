// Integer arithmetic that is more than a few WebAssembly instructions: high products, division,
// saturation, sums of absolute differences, dot products.

import { mulHigh } from "./soft64";

/** mul.hi.u32 */
export function mul_hi_u32(a: i32, b: i32): i32 {
  return <i32>((<u64>(<u32>a) * <u64>(<u32>b)) >> 32);
}
/** mul.hi.s32 */
export function mul_hi_s32(a: i32, b: i32): i32 {
  return <i32>((<i64>a * <i64>b) >> 32);
}
/** mul.hi.u64 */
export function mul_hi_u64(a: i64, b: i64): i64 {
  return mulHigh(<u64>a, <u64>b);
}
/** mul.hi.s64: the unsigned product's high half, less each operand where the other is negative */
export function mul_hi_s64(a: i64, b: i64): i64 {
  return <i64>mulHigh(<u64>a, <u64>b) - ((a >> 63) & b) - ((b >> 63) & a);
}
/** mul.hi.u16 */
export function mul_hi_u16(a: i32, b: i32): i32 {
  return (a * b) >>> 16;
}
/** mul.hi.s16 */
export function mul_hi_s16(a: i32, b: i32): i32 {
  return ((<i32>(<i16>a) * <i32>(<i16>b)) >>> 16) & 0xffff;
}
/** mad.hi.u16 */
export function mad_hi_u16(a: i32, b: i32, c: i32): i32 {
  return (mul_hi_u16(a, b) + c) & 0xffff;
}
/** mad.hi.s16 */
export function mad_hi_s16(a: i32, b: i32, c: i32): i32 {
  return (mul_hi_s16(a, b) + c) & 0xffff;
}
/** mad.hi.u32 */
export function mad_hi_u32(a: i32, b: i32, c: i32): i32 {
  return mul_hi_u32(a, b) + c;
}
/** mad.hi.s32 */
export function mad_hi_s32(a: i32, b: i32, c: i32): i32 {
  return mul_hi_s32(a, b) + c;
}
/** mad.hi.u64 */
export function mad_hi_u64(a: i64, b: i64, c: i64): i64 {
  return mul_hi_u64(a, b) + c;
}
/** mad.hi.s64 */
export function mad_hi_s64(a: i64, b: i64, c: i64): i64 {
  return mul_hi_s64(a, b) + c;
}

// @ts-ignore: decorator
@inline
function clampS32(x: i64): i32 {
  return <i32>min<i64>(max<i64>(x, i32.MIN_VALUE), i32.MAX_VALUE);
}

/** add.sat.s32 */
export function add_sat_s32(a: i32, b: i32): i32 {
  return clampS32(<i64>a + <i64>b);
}
/** sub.sat.s32 */
export function sub_sat_s32(a: i32, b: i32): i32 {
  return clampS32(<i64>a - <i64>b);
}
/** mad.hi.sat.s32 */
export function mad_hi_sat_s32(a: i32, b: i32, c: i32): i32 {
  return clampS32(<i64>mul_hi_s32(a, b) + <i64>c);
}

/** mul24.lo.u32: the low 32 bits of the 48-bit product of the operands' low 24 bits */
export function mul24_lo_u32(a: i32, b: i32): i32 {
  return (a & 0xffffff) * (b & 0xffffff);
}
/** mul24.hi.u32: bits 16 to 47 of that product */
export function mul24_hi_u32(a: i32, b: i32): i32 {
  return <i32>((<i64>(a & 0xffffff) * <i64>(b & 0xffffff)) >> 16);
}
/** mul24.lo.s32 */
export function mul24_lo_s32(a: i32, b: i32): i32 {
  return ((a << 8) >> 8) * ((b << 8) >> 8);
}
/** mul24.hi.s32 */
export function mul24_hi_s32(a: i32, b: i32): i32 {
  return <i32>((<i64>((a << 8) >> 8) * <i64>((b << 8) >> 8)) >> 16);
}
/** mad24.lo.u32 */
export function mad24_lo_u32(a: i32, b: i32, c: i32): i32 {
  return mul24_lo_u32(a, b) + c;
}
/** mad24.hi.u32 */
export function mad24_hi_u32(a: i32, b: i32, c: i32): i32 {
  return mul24_hi_u32(a, b) + c;
}
/** mad24.lo.s32 */
export function mad24_lo_s32(a: i32, b: i32, c: i32): i32 {
  return mul24_lo_s32(a, b) + c;
}
/** mad24.hi.s32 */
export function mad24_hi_s32(a: i32, b: i32, c: i32): i32 {
  return mul24_hi_s32(a, b) + c;
}
/** mad24.hi.sat.s32 */
export function mad24_hi_sat_s32(a: i32, b: i32, c: i32): i32 {
  return clampS32(<i64>mul24_hi_s32(a, b) + <i64>c);
}

/** sad.u16: c + |a − b| */
export function sad_u16(a: i32, b: i32, c: i32): i32 {
  return (c + abs<i32>(a - b)) & 0xffff;
}
/** sad.s16 */
export function sad_s16(a: i32, b: i32, c: i32): i32 {
  return (c + abs<i32>(<i32>(<i16>a) - <i32>(<i16>b))) & 0xffff;
}
/** sad.u32 */
export function sad_u32(a: i32, b: i32, c: i32): i32 {
  return c + (<u32>a < <u32>b ? b - a : a - b);
}
/** sad.s32 */
export function sad_s32(a: i32, b: i32, c: i32): i32 {
  return c + (a < b ? b - a : a - b);
}
/** sad.u64 */
export function sad_u64(a: i64, b: i64, c: i64): i64 {
  return c + (<u64>a < <u64>b ? b - a : a - b);
}
/** sad.s64 */
export function sad_s64(a: i64, b: i64, c: i64): i64 {
  return c + (a < b ? b - a : a - b);
}

// Division never traps. By zero it answers what the H100 does: quotient and remainder have all bits
// set (PTX leaves both open).

/** div.u32 */
export function div_u32(a: i32, b: i32): i32 {
  return b == 0 ? -1 : <i32>(<u32>a / <u32>b);
}
/** rem.u32 */
export function rem_u32(a: i32, b: i32): i32 {
  return b == 0 ? -1 : <i32>(<u32>a % <u32>b);
}
/** div.s32; the most negative number by −1 is itself */
export function div_s32(a: i32, b: i32): i32 {
  if (b == -1) return -a; // WebAssembly traps where the quotient overflows
  return b == 0 ? -1 : a / b;
}
/** rem.s32 */
export function rem_s32(a: i32, b: i32): i32 {
  return b == 0 ? -1 : a % b;
}
/** div.u64 */
export function div_u64(a: i64, b: i64): i64 {
  return b == 0 ? -1 : <i64>(<u64>a / <u64>b);
}
/** rem.u64 */
export function rem_u64(a: i64, b: i64): i64 {
  return b == 0 ? -1 : <i64>(<u64>a % <u64>b);
}
/** div.s64 */
export function div_s64(a: i64, b: i64): i64 {
  if (b == -1) return -a;
  return b == 0 ? -1 : a / b;
}
/** rem.s64 */
export function rem_s64(a: i64, b: i64): i64 {
  return b == 0 ? -1 : a % b;
}
/** div.u16 */
export function div_u16(a: i32, b: i32): i32 {
  return b == 0 ? 0xffff : <i32>(<u32>a / <u32>b);
}
/** rem.u16 */
export function rem_u16(a: i32, b: i32): i32 {
  return b == 0 ? 0xffff : <i32>(<u32>a % <u32>b);
}
/** div.s16 */
export function div_s16(a: i32, b: i32): i32 {
  return b == 0 ? 0xffff : (<i32>(<i16>a) / <i32>(<i16>b)) & 0xffff;
}
/** rem.s16 */
export function rem_s16(a: i32, b: i32): i32 {
  return b == 0 ? 0xffff : (<i32>(<i16>a) % <i32>(<i16>b)) & 0xffff;
}

// @ts-ignore: decorator
@inline
function unsignedByte(x: i32, k: i32): i32 {
  return (x >>> (8 * k)) & 0xff;
}

// @ts-ignore: decorator
@inline
function signedByte(x: i32, k: i32): i32 {
  return (x << (24 - 8 * k)) >> 24;
}

// @ts-ignore: decorator
@inline
function byteOf(x: i32, k: i32, signed: bool): i32 {
  return signed ? signedByte(x, k) : unsignedByte(x, k);
}

// @ts-ignore: decorator
@inline
function halfOf(x: i32, k: i32, signed: bool): i32 {
  return signed ? (x << (16 - 16 * k)) >> 16 : (x >>> (16 * k)) & 0xffff;
}

// @ts-ignore: decorator
@inline
function dot4(a: i32, b: i32, c: i32, sa: bool, sb: bool): i32 {
  return (
    c +
    byteOf(a, 0, sa) * byteOf(b, 0, sb) +
    byteOf(a, 1, sa) * byteOf(b, 1, sb) +
    byteOf(a, 2, sa) * byteOf(b, 2, sb) +
    byteOf(a, 3, sa) * byteOf(b, 3, sb)
  );
}

// @ts-ignore: decorator
@inline
function dot2(a: i32, b: i32, c: i32, sa: bool, sb: bool, first: i32): i32 {
  return c + halfOf(a, 0, sa) * byteOf(b, first, sb) + halfOf(a, 1, sa) * byteOf(b, first + 1, sb);
}

/** dp4a.u32.u32 */
export function dp4a_u32_u32(a: i32, b: i32, c: i32): i32 {
  return dot4(a, b, c, false, false);
}
/** dp2a.lo.u32.u32: b's two lower bytes */
export function dp2a_lo_u32_u32(a: i32, b: i32, c: i32): i32 {
  return dot2(a, b, c, false, false, 0);
}
/** dp2a.hi.u32.u32: b's two upper bytes */
export function dp2a_hi_u32_u32(a: i32, b: i32, c: i32): i32 {
  return dot2(a, b, c, false, false, 2);
}
/** dp4a.u32.s32 */
export function dp4a_u32_s32(a: i32, b: i32, c: i32): i32 {
  return dot4(a, b, c, false, true);
}
/** dp2a.lo.u32.s32: b's two lower bytes */
export function dp2a_lo_u32_s32(a: i32, b: i32, c: i32): i32 {
  return dot2(a, b, c, false, true, 0);
}
/** dp2a.hi.u32.s32: b's two upper bytes */
export function dp2a_hi_u32_s32(a: i32, b: i32, c: i32): i32 {
  return dot2(a, b, c, false, true, 2);
}
/** dp4a.s32.u32 */
export function dp4a_s32_u32(a: i32, b: i32, c: i32): i32 {
  return dot4(a, b, c, true, false);
}
/** dp2a.lo.s32.u32: b's two lower bytes */
export function dp2a_lo_s32_u32(a: i32, b: i32, c: i32): i32 {
  return dot2(a, b, c, true, false, 0);
}
/** dp2a.hi.s32.u32: b's two upper bytes */
export function dp2a_hi_s32_u32(a: i32, b: i32, c: i32): i32 {
  return dot2(a, b, c, true, false, 2);
}
/** dp4a.s32.s32 */
export function dp4a_s32_s32(a: i32, b: i32, c: i32): i32 {
  return dot4(a, b, c, true, true);
}
/** dp2a.lo.s32.s32: b's two lower bytes */
export function dp2a_lo_s32_s32(a: i32, b: i32, c: i32): i32 {
  return dot2(a, b, c, true, true, 0);
}
/** dp2a.hi.s32.s32: b's two upper bytes */
export function dp2a_hi_s32_s32(a: i32, b: i32, c: i32): i32 {
  return dot2(a, b, c, true, true, 2);
}
