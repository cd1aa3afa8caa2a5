/** Conversions and transposition of small floats, several at a time, for matrix products. */

/** Four f16 (one per 32-bit lane, upper bits zero) as f32, infinities and NaNs included. */
// @ts-ignore: decorator
@inline
export function halfToSingle(h: v128): v128 {
  const magnitude = i32x4.shl(v128.and(h, i32x4.splat(0x7fff)), 13);
  const special = i32x4.gt_s(magnitude, i32x4.splat(0x0f7fffff));
  const value = f32x4.mul(magnitude, f32x4.splat(reinterpret<f32>(0x77800000))); // 2¹¹²
  const infinite = v128.and(special, i32x4.splat(0x7f800000));
  const sign = i32x4.shl(v128.and(h, i32x4.splat(0x8000)), 16);
  return v128.or(v128.or(value, infinite), sign);
}

/** Four f32 to f16 in 32-bit lanes, to nearest even; NaN is 0x7fff. */
// @ts-ignore: decorator
@inline
export function singleToHalf(f: v128): v128 {
  const magnitude = v128.and(f, i32x4.splat(0x7fffffff));
  const sign = v128.and(i32x4.shr_u(f, 16), i32x4.splat(0x8000));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const bias = i32x4.splat(0x0fff - (112 << 23));
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, bias), odd), 13);
  // Below 2⁻¹⁴ adding 0.5 rounds to a multiple of 2⁻²⁴, the step of subnormals.
  const half = f32x4.splat(0.5);
  const small = i32x4.sub(f32x4.add(magnitude, half), half);
  let h = v128.bitselect(small, normal, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)));
  h = v128.bitselect(i32x4.splat(0x7c00), h, i32x4.gt_s(magnitude, i32x4.splat(0x477fefff)));
  const nan = i32x4.gt_s(magnitude, i32x4.splat(0x7f800000));
  return v128.bitselect(i32x4.splat(0x7fff), v128.or(h, sign), nan);
}

/** Exponents of eight f16: subnormals have that of the smallest normal, zeros −128 (none). */
// @ts-ignore: decorator
@inline
export function halfExponents(h: v128): v128 {
  const magnitude = v128.and(h, i16x8.splat(0x7fff));
  const field = i16x8.max_s(i16x8.shr_u(magnitude, 10), i16x8.splat(1));
  const exponent = i16x8.sub(field, i16x8.splat(15));
  return v128.bitselect(i16x8.splat(-128), exponent, i16x8.eq(magnitude, i16x8.splat(0)));
}

/** Eight e4m3 (one per 16-bit lane) as f16; 0x7f is NaN, there is no infinity. */
// @ts-ignore: decorator
@inline
export function e4m3ToHalf(x: v128): v128 {
  const magnitude = v128.and(x, i16x8.splat(0x7f));
  const normal = i16x8.add(i16x8.shl(magnitude, 7), i16x8.splat(0x2000));
  // m·2⁻⁹ for m of 0 to 7 is a normal f16 (or 0): its upper byte by table, the lower is 0.
  const table = i8x16(0, 0x18, 0x1c, 0x1e, 0x20, 0x21, 0x22, 0x23, 0, 0, 0, 0, 0, 0, 0, 0);
  const small = i16x8.shl(i8x16.swizzle(table, v128.or(magnitude, i16x8.splat(0x7f00))), 8);
  let half = v128.bitselect(small, normal, i16x8.lt_s(magnitude, i16x8.splat(8)));
  half = v128.or(half, i16x8.shr_u(i16x8.eq(magnitude, i16x8.splat(0x7f)), 1));
  return v128.or(half, i16x8.shl(v128.and(x, i16x8.splat(0x80)), 8));
}

/** The transpose of eight rows of eight 16-bit elements, from `from` to `to` (16 bytes a row). */
export function transpose8(from: i32, to: i32): void {
  const r0 = v128.load(from);
  const r1 = v128.load(from, 16);
  const r2 = v128.load(from, 32);
  const r3 = v128.load(from, 48);
  const r4 = v128.load(from, 64);
  const r5 = v128.load(from, 80);
  const r6 = v128.load(from, 96);
  const r7 = v128.load(from, 112);
  // Rows i and i + 4 interleaved, three times, carry element (i, j) to (j, i).
  const a0 = i16x8.shuffle(r0, r4, 0, 8, 1, 9, 2, 10, 3, 11);
  const a1 = i16x8.shuffle(r0, r4, 4, 12, 5, 13, 6, 14, 7, 15);
  const a2 = i16x8.shuffle(r1, r5, 0, 8, 1, 9, 2, 10, 3, 11);
  const a3 = i16x8.shuffle(r1, r5, 4, 12, 5, 13, 6, 14, 7, 15);
  const a4 = i16x8.shuffle(r2, r6, 0, 8, 1, 9, 2, 10, 3, 11);
  const a5 = i16x8.shuffle(r2, r6, 4, 12, 5, 13, 6, 14, 7, 15);
  const a6 = i16x8.shuffle(r3, r7, 0, 8, 1, 9, 2, 10, 3, 11);
  const a7 = i16x8.shuffle(r3, r7, 4, 12, 5, 13, 6, 14, 7, 15);
  const b0 = i16x8.shuffle(a0, a4, 0, 8, 1, 9, 2, 10, 3, 11);
  const b1 = i16x8.shuffle(a0, a4, 4, 12, 5, 13, 6, 14, 7, 15);
  const b2 = i16x8.shuffle(a1, a5, 0, 8, 1, 9, 2, 10, 3, 11);
  const b3 = i16x8.shuffle(a1, a5, 4, 12, 5, 13, 6, 14, 7, 15);
  const b4 = i16x8.shuffle(a2, a6, 0, 8, 1, 9, 2, 10, 3, 11);
  const b5 = i16x8.shuffle(a2, a6, 4, 12, 5, 13, 6, 14, 7, 15);
  const b6 = i16x8.shuffle(a3, a7, 0, 8, 1, 9, 2, 10, 3, 11);
  const b7 = i16x8.shuffle(a3, a7, 4, 12, 5, 13, 6, 14, 7, 15);
  v128.store(to, i16x8.shuffle(b0, b4, 0, 8, 1, 9, 2, 10, 3, 11));
  v128.store(to, i16x8.shuffle(b0, b4, 4, 12, 5, 13, 6, 14, 7, 15), 16);
  v128.store(to, i16x8.shuffle(b1, b5, 0, 8, 1, 9, 2, 10, 3, 11), 32);
  v128.store(to, i16x8.shuffle(b1, b5, 4, 12, 5, 13, 6, 14, 7, 15), 48);
  v128.store(to, i16x8.shuffle(b2, b6, 0, 8, 1, 9, 2, 10, 3, 11), 64);
  v128.store(to, i16x8.shuffle(b2, b6, 4, 12, 5, 13, 6, 14, 7, 15), 80);
  v128.store(to, i16x8.shuffle(b3, b7, 0, 8, 1, 9, 2, 10, 3, 11), 96);
  v128.store(to, i16x8.shuffle(b3, b7, 4, 12, 5, 13, 6, 14, 7, 15), 112);
}
