// Integer instructions and conversions on four 32-bit lanes.

/** The upper halves of four 64-bit products, of lanes 0, 1 and 2, 3. */
// @ts-ignore: decorator
@inline
function upperWords(p01: v128, p23: v128): v128 {
  return i32x4.shuffle(p01, p23, 1, 3, 5, 7);
}

/** mul.hi.u32 on four lanes. */
export function mul_hi_u32_x4(a: v128, b: v128): v128 {
  return upperWords(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b));
}
/** mul.hi.s32 on four lanes. */
export function mul_hi_s32_x4(a: v128, b: v128): v128 {
  return upperWords(i64x2.extmul_low_i32x4_s(a, b), i64x2.extmul_high_i32x4_s(a, b));
}
/** mad.hi.u32 on four lanes. */
export function mad_hi_u32_x4(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(mul_hi_u32_x4(a, b), c);
}
/** mad.hi.s32 on four lanes. */
export function mad_hi_s32_x4(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(mul_hi_s32_x4(a, b), c);
}
/** mul24.lo.u32 on four lanes. */
export function mul24_lo_u32_x4(a: v128, b: v128): v128 {
  const mask = i32x4.splat(0xffffff);
  return i32x4.mul(v128.and(a, mask), v128.and(b, mask));
}
/** mul24.lo.s32 on four lanes. */
export function mul24_lo_s32_x4(a: v128, b: v128): v128 {
  return i32x4.mul(i32x4.shr_s(i32x4.shl(a, 8), 8), i32x4.shr_s(i32x4.shl(b, 8), 8));
}

// A quotient of 32-bit integers rounded to f64 is never rounded up to an integer: it is at least
// 1/b below, and the rounding error is less than 2⁻²⁰/b. So its integer part is right.

/** div.u32 on four lanes; by zero all bits set. */
export function div_u32_x4(a: v128, b: v128): v128 {
  const q01 = f64x2.div(f64x2.convert_low_i32x4_u(a), f64x2.convert_low_i32x4_u(b));
  const a23 = i64x2.shuffle(a, a, 1, 0);
  const b23 = i64x2.shuffle(b, b, 1, 0);
  const q23 = f64x2.div(f64x2.convert_low_i32x4_u(a23), f64x2.convert_low_i32x4_u(b23));
  const q = i64x2.shuffle(
    i32x4.trunc_sat_f64x2_u_zero(q01),
    i32x4.trunc_sat_f64x2_u_zero(q23),
    0,
    2,
  );
  return v128.or(q, i32x4.eq(b, i32x4.splat(0)));
}
/** rem.u32 on four lanes. */
export function rem_u32_x4(a: v128, b: v128): v128 {
  const r = i32x4.sub(a, i32x4.mul(div_u32_x4(a, b), b));
  return v128.or(r, i32x4.eq(b, i32x4.splat(0)));
}
/** div.s32 on four lanes; the most negative number by −1 is itself, by zero −1. */
export function div_s32_x4(a: v128, b: v128): v128 {
  const q01 = f64x2.div(f64x2.convert_low_i32x4_s(a), f64x2.convert_low_i32x4_s(b));
  const a23 = i64x2.shuffle(a, a, 1, 0);
  const b23 = i64x2.shuffle(b, b, 1, 0);
  const q23 = f64x2.div(f64x2.convert_low_i32x4_s(a23), f64x2.convert_low_i32x4_s(b23));
  const q = i64x2.shuffle(
    i32x4.trunc_sat_f64x2_s_zero(q01),
    i32x4.trunc_sat_f64x2_s_zero(q23),
    0,
    2,
  );
  const negated = v128.bitselect(i32x4.neg(a), q, i32x4.eq(b, i32x4.splat(-1)));
  return v128.or(negated, i32x4.eq(b, i32x4.splat(0)));
}
/** rem.s32 on four lanes. */
export function rem_s32_x4(a: v128, b: v128): v128 {
  const r = i32x4.sub(a, i32x4.mul(div_s32_x4(a, b), b));
  return v128.or(r, i32x4.eq(b, i32x4.splat(0)));
}

/** sad.u32 on four lanes. */
export function sad_u32_x4(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(c, i32x4.sub(i32x4.max_u(a, b), i32x4.min_u(a, b)));
}
/** sad.s32 on four lanes. */
export function sad_s32_x4(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(c, i32x4.sub(i32x4.max_s(a, b), i32x4.min_s(a, b)));
}

/** popc.b32 on four lanes. */
export function popc_b32_x4(a: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(a)));
}
/** clz.b32 on four lanes. */
export function clz_b32_x4(a: v128): v128 {
  // Without the bit below a set one nothing rounds up, so that the f32 exponent is the top bit's
  // place.
  const top = f32x4.convert_i32x4_u(v128.andnot(a, i32x4.shr_u(a, 1)));
  return i32x4.min_u(i32x4.sub(i32x4.splat(158), i32x4.shr_u(top, 23)), i32x4.splat(32));
}
/** bfind.u32 on four lanes. */
export function bfind_u32_x4(a: v128): v128 {
  return i32x4.sub(i32x4.splat(31), clz_b32_x4(a));
}
/** bfind.s32 on four lanes. */
export function bfind_s32_x4(a: v128): v128 {
  return bfind_u32_x4(v128.xor(a, i32x4.shr_s(a, 31)));
}
/** bfind.shiftamt.u32 on four lanes. */
export function bfind_shiftamt_u32_x4(a: v128): v128 {
  return v128.or(clz_b32_x4(a), i32x4.eq(a, i32x4.splat(0)));
}
/** brev.b32 on four lanes: bytes turned round, and in each the nibbles by a table. */
export function brev_b32_x4(a: v128): v128 {
  const turned = i8x16.shuffle(a, a, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  const table = i8x16(0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15);
  const lower = i8x16.swizzle(table, v128.and(turned, i8x16.splat(15)));
  const upper = i8x16.swizzle(table, i8x16.shr_u(turned, 4));
  return v128.or(i8x16.shl(lower, 4), upper);
}

/** prmt.b32 on four lanes. */
export function prmt_b32_x4(a: v128, b: v128, c: v128): v128 {
  // The four nibbles of each lane of c spread over its bytes.
  const nibble = i32x4.splat(15);
  let index = v128.and(c, nibble);
  index = v128.or(index, i32x4.shl(v128.and(c, i32x4.splat(0xf0)), 4));
  index = v128.or(index, i32x4.shl(v128.and(c, i32x4.splat(0xf00)), 8));
  index = v128.or(index, i32x4.shl(v128.and(c, i32x4.splat(0xf000)), 12));
  // Eight bytes of (b:a) for two lanes at once; indices of the other lanes are out of range: 0.
  const place = v128.and(index, i8x16.splat(7));
  const none = i64x2(0, -0x7f7f7f7f7f7f7f80);
  const none2 = i64x2(-0x7f7f7f7f7f7f7f80, 0);
  const own = i32x4(0, 0x08080808, 0, 0x08080808);
  const at = i8x16.add(place, own);
  const bytes = v128.or(
    i8x16.swizzle(i32x4.shuffle(a, b, 0, 4, 1, 5), v128.or(at, none)),
    i8x16.swizzle(i32x4.shuffle(a, b, 2, 6, 3, 7), v128.or(at, none2)),
  );
  // A nibble's top bit asks for the byte's sign in all its bits.
  const signs = i8x16.ne(v128.and(index, i8x16.splat(8)), i8x16.splat(0));
  return v128.bitselect(i8x16.shr_s(bytes, 7), bytes, signs);
}

/** shl.b32 on four lanes with an amount each: a product with powers of two, 0 above 31. */
export function shl_b32_x4(a: v128, b: v128): v128 {
  const power = i32x4.trunc_sat_f32x4_u(i32x4.shl(i32x4.add(b, i32x4.splat(127)), 23));
  const inRange = i32x4.lt_u(b, i32x4.splat(32));
  return v128.and(i32x4.mul(a, power), inRange);
}

/** Sums of neighbouring i32 of two vectors: lanes 0 + 1, 2 + 3 of each. */
// @ts-ignore: decorator
@inline
function addPairs(x: v128, y: v128): v128 {
  return i32x4.add(i32x4.shuffle(x, y, 0, 2, 4, 6), i32x4.shuffle(x, y, 1, 3, 5, 7));
}

/** dp4a.s32.s32 on four lanes. */
export function dp4a_s32_s32_x4(a: v128, b: v128, c: v128): v128 {
  const x = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(a), i16x8.extend_low_i8x16_s(b));
  const y = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(a), i16x8.extend_high_i8x16_s(b));
  return i32x4.add(c, addPairs(x, y));
}
/** dp4a.u32.u32 on four lanes. */
export function dp4a_u32_u32_x4(a: v128, b: v128, c: v128): v128 {
  const x = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(a), i16x8.extend_low_i8x16_u(b));
  const y = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(a), i16x8.extend_high_i8x16_u(b));
  return i32x4.add(c, addPairs(x, y));
}
/** dp4a.u32.s32 on four lanes. */
export function dp4a_u32_s32_x4(a: v128, b: v128, c: v128): v128 {
  const x = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(a), i16x8.extend_low_i8x16_s(b));
  const y = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(a), i16x8.extend_high_i8x16_s(b));
  return i32x4.add(c, addPairs(x, y));
}
/** dp4a.s32.u32 on four lanes. */
export function dp4a_s32_u32_x4(a: v128, b: v128, c: v128): v128 {
  return dp4a_u32_s32_x4(b, a, c);
}
/** cvt.rni.s32.f32 on four lanes; NaN becomes 0. */
export function cvt_rni_s32_f32_x4(a: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(a));
}
/** cvt.rni.u32.f32 on four lanes; NaN becomes 0. */
export function cvt_rni_u32_f32_x4(a: v128): v128 {
  return i32x4.trunc_sat_f32x4_u(f32x4.nearest(a));
}
/** cvt.rzi.s32.f32 on four lanes; NaN becomes 0. */
export function cvt_rzi_s32_f32_x4(a: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(a);
}
/** cvt.rzi.u32.f32 on four lanes; NaN becomes 0. */
export function cvt_rzi_u32_f32_x4(a: v128): v128 {
  return i32x4.trunc_sat_f32x4_u(a);
}
/** cvt.rmi.s32.f32 on four lanes; NaN becomes 0. */
export function cvt_rmi_s32_f32_x4(a: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.floor(a));
}
/** cvt.rmi.u32.f32 on four lanes; NaN becomes 0. */
export function cvt_rmi_u32_f32_x4(a: v128): v128 {
  return i32x4.trunc_sat_f32x4_u(f32x4.floor(a));
}
/** cvt.rpi.s32.f32 on four lanes; NaN becomes 0. */
export function cvt_rpi_s32_f32_x4(a: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.ceil(a));
}
/** cvt.rpi.u32.f32 on four lanes; NaN becomes 0. */
export function cvt_rpi_u32_f32_x4(a: v128): v128 {
  return i32x4.trunc_sat_f32x4_u(f32x4.ceil(a));
}
