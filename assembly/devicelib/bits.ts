// Bit manipulation: counts, reversals, fields, shifts with clamped amounts, permutations of bytes.

/** shl.b16: amounts above 15 give 0 */
export function shl_b16(a: i32, b: i32): i32 {
  return <u32>b > 15 ? 0 : (a << b) & 0xffff;
}
/** shl.b32: amounts above 31 give 0 */
export function shl_b32(a: i32, b: i32): i32 {
  return <u32>b > 31 ? 0 : a << b;
}
/** shl.b64 */
export function shl_b64(a: i64, b: i32): i64 {
  return <u32>b > 63 ? 0 : a << b;
}
/** shr.u16 */
export function shr_u16(a: i32, b: i32): i32 {
  return <u32>b > 15 ? 0 : a >>> b;
}
/** shr.u32 */
export function shr_u32(a: i32, b: i32): i32 {
  return <u32>b > 31 ? 0 : a >>> b;
}
/** shr.u64 */
export function shr_u64(a: i64, b: i32): i64 {
  return <u32>b > 63 ? 0 : a >>> b;
}
/** shr.s16 */
export function shr_s16(a: i32, b: i32): i32 {
  return (<i32>(<i16>a) >> min<u32>(b, 15)) & 0xffff;
}
/** shr.s32 */
export function shr_s32(a: i32, b: i32): i32 {
  return a >> min<u32>(b, 31);
}
/** shr.s64 */
export function shr_s64(a: i64, b: i32): i64 {
  return a >> min<u32>(b, 63);
}
export { shr_u16 as shr_b16, shr_u32 as shr_b32, shr_u64 as shr_b64 };

/** shf.l.wrap.b32: the upper word of (b:a) << (c mod 32) */
export function shf_l_wrap_b32(a: i32, b: i32, c: i32): i32 {
  return (b << c) | ((a >>> 1) >>> (~c & 31));
}
/** shf.r.wrap.b32: the lower word of (b:a) >> (c mod 32) */
export function shf_r_wrap_b32(a: i32, b: i32, c: i32): i32 {
  return (a >>> c) | ((b << 1) << (~c & 31));
}
/** shf.l.clamp.b32: as wrap, by at most 32 */
export function shf_l_clamp_b32(a: i32, b: i32, c: i32): i32 {
  return <u32>c > 31 ? a : shf_l_wrap_b32(a, b, c);
}
/** shf.r.clamp.b32 */
export function shf_r_clamp_b32(a: i32, b: i32, c: i32): i32 {
  return <u32>c > 31 ? b : shf_r_wrap_b32(a, b, c);
}

/** popc.b32 */
export function popc_b32(a: i32): i32 {
  return popcnt<i32>(a);
}
/** popc.b64 */
export function popc_b64(a: i64): i32 {
  return <i32>popcnt<i64>(a);
}
/** clz.b32 */
export function clz_b32(a: i32): i32 {
  return clz<i32>(a);
}
/** clz.b64 */
export function clz_b64(a: i64): i32 {
  return <i32>clz<i64>(a);
}
/** brev.b32 */
export function brev_b32(a: i32): i32 {
  a = ((a >>> 1) & 0x55555555) | ((a & 0x55555555) << 1);
  a = ((a >>> 2) & 0x33333333) | ((a & 0x33333333) << 2);
  a = ((a >>> 4) & 0x0f0f0f0f) | ((a & 0x0f0f0f0f) << 4);
  a = ((a >>> 8) & 0x00ff00ff) | ((a & 0x00ff00ff) << 8);
  return rotr<i32>(a, 16);
}
/** brev.b64 */
export function brev_b64(a: i64): i64 {
  return ((<i64>brev_b32(<i32>a)) << 32) | <i64>(<u32>brev_b32(<i32>(a >>> 32)));
}

/** bfind.u32: the position of the highest set bit, −1 if there is none */
export function bfind_u32(a: i32): i32 {
  return 31 - clz<i32>(a);
}
/** bfind.s32: of the highest bit that differs from the sign */
export function bfind_s32(a: i32): i32 {
  return 31 - clz<i32>(a ^ (a >> 31));
}
/** bfind.shiftamt.u32: the left shift that brings that bit to the top, −1 if there is none */
export function bfind_shiftamt_u32(a: i32): i32 {
  return a == 0 ? -1 : clz<i32>(a);
}
/** bfind.shiftamt.s32 */
export function bfind_shiftamt_s32(a: i32): i32 {
  return bfind_shiftamt_u32(a ^ (a >> 31));
}
/** bfind.u64 */
export function bfind_u64(a: i64): i32 {
  return 63 - <i32>clz<i64>(a);
}
/** bfind.s64 */
export function bfind_s64(a: i64): i32 {
  return 63 - <i32>clz<i64>(a ^ (a >> 63));
}
/** bfind.shiftamt.u64 */
export function bfind_shiftamt_u64(a: i64): i32 {
  return a == 0 ? -1 : <i32>clz<i64>(a);
}
/** bfind.shiftamt.s64 */
export function bfind_shiftamt_s64(a: i64): i32 {
  return bfind_shiftamt_u64(a ^ (a >> 63));
}

/**
 * bfe.u32: c bits of a from bit b on; positions and lengths count modulo 256, bits above 31 are 0
 */
export function bfe_u32(a: i32, b: i32, c: i32): i32 {
  const start = b & 0xff;
  const length = c & 0xff;
  const field = start > 31 ? 0 : a >>> start;
  return length > 31 ? field : field & ((1 << length) - 1);
}
/** bfe.s32: bits above 31, and above the field, repeat the field's topmost bit within a */
export function bfe_s32(a: i32, b: i32, c: i32): i32 {
  const start = b & 0xff;
  const length = c & 0xff;
  if (length == 0) return 0;
  const field = a >> min<i32>(start, 31);
  // A field that ends below bit 31 is sign-extended from its own top; else a's sign does it.
  const unused = 32 - length;
  return unused <= 0 ? field : (field << unused) >> unused;
}
/** bfe.u64; here the GPU takes the whole 32 bits of position and length */
export function bfe_u64(a: i64, b: i32, c: i32): i64 {
  const field = <u32>b > 63 ? 0 : a >>> b;
  return <u32>c > 63 ? field : field & ((i64(1) << c) - 1);
}
/** bfe.s64 */
export function bfe_s64(a: i64, b: i32, c: i32): i64 {
  if (c == 0) return 0;
  const field = a >> min<u32>(b, 63);
  return <u32>c > 63 ? field : (field << (64 - c)) >> (64 - c);
}
/** bfi.b32: b with d bits from bit c on replaced by the lowest bits of a */
export function bfi_b32(a: i32, b: i32, c: i32, d: i32): i32 {
  const start = c & 0xff;
  const length = d & 0xff;
  if (start > 31) return b;
  const mask = (length > 31 ? -1 : (1 << length) - 1) << start;
  return ((a << start) & mask) | (b & ~mask);
}
/** bfi.b64; here the GPU takes the whole 32 bits of position and length */
export function bfi_b64(a: i64, b: i64, c: i32, d: i32): i64 {
  if (<u32>c > 63) return b;
  const mask: i64 = (<u32>d > 63 ? i64(-1) : (i64(1) << d) - 1) << c;
  return ((a << c) & mask) | (b & ~mask);
}

/** bmsk.wrap.b32: b mod 32 ones from bit a mod 32 on */
export function bmsk_wrap_b32(a: i32, b: i32): i32 {
  return ((1 << (b & 31)) - 1) << (a & 31);
}
/** bmsk.clamp.b32: b ones from bit a on, both at most 32 */
export function bmsk_clamp_b32(a: i32, b: i32): i32 {
  if (<u32>a > 31) return 0;
  return (<u32>b > 31 ? -1 : (1 << b) - 1) << a;
}
/** szext.wrap.u32: the lowest b mod 32 bits of a, zero-extended */
export function szext_wrap_u32(a: i32, b: i32): i32 {
  return a & ((1 << (b & 31)) - 1);
}
/** szext.wrap.s32: sign-extended; of 0 bits it is 0 */
export function szext_wrap_s32(a: i32, b: i32): i32 {
  const unused = 32 - (b & 31);
  return unused == 32 ? 0 : (a << unused) >> unused;
}
/** szext.clamp.u32 */
export function szext_clamp_u32(a: i32, b: i32): i32 {
  return <u32>b > 31 ? a : a & ((1 << b) - 1);
}
/** szext.clamp.s32 */
export function szext_clamp_s32(a: i32, b: i32): i32 {
  return <u32>b > 31 ? a : szext_wrap_s32(a, b);
}

/**
 * fns.b32: the position of the c-th set bit of a from bit b on: upwards for c > 0, downwards for
 * c < 0, for 0 bit b itself; −1 if there is none. (For the lowest c the GPU answers 0.)
 */
export function fns_b32(a: i32, b: i32, c: i32): i32 {
  if (c == 0) return (a >>> b) & 1 && <u32>b < 32 ? b : -1;
  if (<u32>b > 31) return -1;
  if (c == i32.MIN_VALUE) return 0;
  if (c > 0) {
    let rest = a & (-1 << b);
    for (; c > 1 && rest != 0; c--) rest &= rest - 1;
    return rest == 0 ? -1 : ctz<i32>(rest);
  }
  let rest = brev_b32(a) & (-1 << (31 - b));
  for (; c < -1 && rest != 0; c++) rest &= rest - 1;
  return rest == 0 ? -1 : 31 - ctz<i32>(rest);
}

/** lop3.b32: for each bit, bit (a·4 + b·2 + c) of the table `lut` */
export function lop3_b32(a: i32, b: i32, c: i32, lut: i32): i32 {
  let d = 0;
  if (lut & 1) d |= ~a & ~b & ~c;
  if (lut & 2) d |= ~a & ~b & c;
  if (lut & 4) d |= ~a & b & ~c;
  if (lut & 8) d |= ~a & b & c;
  if (lut & 16) d |= a & ~b & ~c;
  if (lut & 32) d |= a & ~b & c;
  if (lut & 64) d |= a & b & ~c;
  if (lut & 128) d |= a & b & c;
  return d;
}

// @ts-ignore: decorator
@inline
function pick(bytes: u64, selector: i32): i32 {
  const byte = <i32>(bytes >> ((selector & 7) << 3)) & 0xff;
  return selector & 8 ? ((byte << 24) >> 31) & 0xff : byte;
}

/**
 * prmt.b32: four bytes of (b:a) by the four nibbles of c; a nibble's top bit replicates the sign
 */
export function prmt_b32(a: i32, b: i32, c: i32): i32 {
  const bytes = <u64>(<u32>a) | ((<u64>b) << 32);
  return (
    pick(bytes, c) |
    (pick(bytes, c >>> 4) << 8) |
    (pick(bytes, c >>> 8) << 16) |
    (pick(bytes, c >>> 12) << 24)
  );
}
/** prmt.b32.f4e: four bytes from byte c on, upwards */
export function prmt_b32_f4e(a: i32, b: i32, c: i32): i32 {
  return <i32>((<u64>(<u32>a) | ((<u64>b) << 32)) >> ((c & 3) << 3));
}
/** prmt.b32.b4e: four bytes from byte c on, downwards, around the eight */
export function prmt_b32_b4e(a: i32, b: i32, c: i32): i32 {
  const bytes = rotr<u64>(<u64>(<u32>a) | ((<u64>b) << 32), ((c & 3) << 3) + 40);
  return bswap<i32>(<i32>bytes);
}
/** prmt.b32.rc8: byte c four times */
export function prmt_b32_rc8(a: i32, b: i32, c: i32): i32 {
  return ((a >>> ((c & 3) << 3)) & 0xff) * 0x01010101;
}
/** prmt.b32.ecl: byte k is byte max(k, c) */
export function prmt_b32_ecl(a: i32, b: i32, c: i32): i32 {
  const n = c & 3;
  return prmt_b32(a, 0, n | (max<i32>(1, n) << 4) | (max<i32>(2, n) << 8) | (3 << 12));
}
/** prmt.b32.ecr: byte k is byte min(k, c) */
export function prmt_b32_ecr(a: i32, b: i32, c: i32): i32 {
  const n = c & 3;
  return prmt_b32(a, 0, (min<i32>(1, n) << 4) | (min<i32>(2, n) << 8) | (n << 12));
}
/** prmt.b32.rc16: half c twice */
export function prmt_b32_rc16(a: i32, b: i32, c: i32): i32 {
  return ((a >>> ((c & 1) << 4)) & 0xffff) * 0x00010001;
}
