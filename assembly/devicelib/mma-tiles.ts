/**
 * Fragments of floating-point `mma` operands, unpacked to row-major f32 tiles with the exponent of
 * every element beside them (PTX ISA 9.7.14.5, the fragment figures).
 *
 * What the fragments make easy: the four lanes of group g hold, in one register, 16 consecutive
 * bytes of row g of A (rows g + 8 in every second register) or of column g of B. So a register's
 * group is one v128 of a row. B is stored as rows of k with its eight columns in the order
 * 0 2 4 6 1 3 5 7: the accumulator's registers hold even and odd columns apart.
 *
 *      scratch (FLOAT_SCRATCH_BYTES)
 *                A   f32[16][32]   2048 bytes
 *                EA  i16[16][32]   1024        exponents of A
 *                B   f32[32][8]    1024
 *                EB  i16[32][8]     512        exponents of B
 *                T   4 slots       1024        intermediate accumulators
 *                R   f32[8]          32        the row being computed
 */
import { SLOT_BYTES, lanes } from "./warp-frame";

/** Element types. 8-bit floats are widened to f16 first, as the H100 does. */
export const F16: i32 = 0;
export const BF16: i32 = 1;
export const TF32: i32 = 2;
export const E4M3: i32 = 3;
export const E5M2: i32 = 4;

/** Elements of a tile row of A. */
export const K_MAX: i32 = 32;
const EA_AT: i32 = 2048;
const B_AT: i32 = EA_AT + 1024;
const EB_AT: i32 = B_AT + 1024;
const T_AT: i32 = EB_AT + 512;
const R_AT: i32 = T_AT + 1024;

/** Exponent of a zero: below every other, and two of them do not overflow 16 bits. */
export const NO_EXPONENT: i16 = -8192;

// @ts-ignore: decorator
@inline
export function tileA(scratch: i32, m: i32, k: i32): i32 {
  return scratch + ((m * K_MAX + k) << 2);
}

// @ts-ignore: decorator
@inline
export function exponentA(scratch: i32, m: i32, k: i32): i32 {
  return scratch + EA_AT + ((m * K_MAX + k) << 1);
}

// @ts-ignore: decorator
@inline
export function tileB(scratch: i32, k: i32): i32 {
  return scratch + B_AT + (k << 5);
}

// @ts-ignore: decorator
@inline
export function exponentB(scratch: i32, k: i32): i32 {
  return scratch + EB_AT + (k << 4);
}

/** Four accumulator registers of 256 bytes. */
// @ts-ignore: decorator
@inline
export function intermediate(scratch: i32): i32 {
  return scratch + T_AT;
}

/** One row of results: even columns, then odd ones. */
// @ts-ignore: decorator
@inline
export function currentRow(scratch: i32): i32 {
  return scratch + R_AT;
}

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

/** Exponents of eight f16: subnormals have that of the smallest normal, zeros none. */
// @ts-ignore: decorator
@inline
export function halfExponents(h: v128): v128 {
  const magnitude = v128.and(h, i16x8.splat(0x7fff));
  const field = i16x8.max_s(i16x8.shr_u(magnitude, 10), i16x8.splat(1));
  const exponent = i16x8.sub(field, i16x8.splat(15));
  const zero = i16x8.eq(magnitude, i16x8.splat(0));
  return v128.bitselect(i16x8.splat(NO_EXPONENT), exponent, zero);
}

/** Exponents of four f32, as 32-bit lanes; subnormals and zeros as in `halfExponents`. */
// @ts-ignore: decorator
@inline
export function singleExponents(f: v128): v128 {
  const magnitude = v128.and(f, i32x4.splat(0x7fffffff));
  const field = i32x4.max_s(i32x4.shr_u(magnitude, 23), i32x4.splat(1));
  const exponent = i32x4.sub(field, i32x4.splat(127));
  const zero = i32x4.eq(magnitude, i32x4.splat(0));
  return v128.bitselect(i32x4.splat(NO_EXPONENT), exponent, zero);
}

/** Eight e4m3 (one per 16-bit lane) as f16; 0x7f is NaN, there is no infinity. */
// @ts-ignore: decorator
@inline
function e4m3ToHalf(x: v128): v128 {
  const magnitude = v128.and(x, i16x8.splat(0x7f));
  const normal = i16x8.add(i16x8.shl(magnitude, 7), i16x8.splat(0x2000));
  // m·2⁻⁹ for m of 0 to 7 is a normal f16 (or 0): its upper byte by table, the lower is 0.
  const table = i8x16(0, 0x18, 0x1c, 0x1e, 0x20, 0x21, 0x22, 0x23, 0, 0, 0, 0, 0, 0, 0, 0);
  const small = i16x8.shl(i8x16.swizzle(table, v128.or(magnitude, i16x8.splat(0x7f00))), 8);
  let half = v128.bitselect(small, normal, i16x8.lt_s(magnitude, i16x8.splat(8)));
  half = v128.or(half, i16x8.shr_u(i16x8.eq(magnitude, i16x8.splat(0x7f)), 1));
  return v128.or(half, i16x8.shl(v128.and(x, i16x8.splat(0x80)), 8));
}

/**
 * Eight elements of one row: their f32 values and exponents.
 * `wide` gathers whether the narrow product (see mma-dot.ts) cannot take them.
 */
// @ts-ignore: decorator
@inline
function halfIsWide(h: v128): bool {
  return v128.any_true(
    i16x8.gt_s(v128.and(h, i16x8.splat(0x7fff)), i16x8.splat(0x7bff)),
  );
}

/** True if one of four f32 is neither 0 nor of an exponent from −50 to 50. */
// @ts-ignore: decorator
@inline
function singleIsWide(f: v128): bool {
  const magnitude = v128.and(f, i32x4.splat(0x7fffffff));
  const field = i32x4.shr_u(magnitude, 23);
  const out = v128.or(
    i32x4.lt_s(field, i32x4.splat(127 - 50)),
    i32x4.gt_s(field, i32x4.splat(127 + 50)),
  );
  return v128.any_true(v128.and(out, i32x4.ne(magnitude, i32x4.splat(0))));
}

/** Stores eight f16 as row elements of A. */
// @ts-ignore: decorator
@inline
function storeHalvesA(scratch: i32, m: i32, k: i32, h: v128): void {
  const at = tileA(scratch, m, k);
  v128.store(at, halfToSingle(i32x4.extend_low_i16x8_u(h)));
  v128.store(at, halfToSingle(i32x4.extend_high_i16x8_u(h)), 16);
  v128.store(exponentA(scratch, m, k), halfExponents(h));
}

/** Stores four f32 as row elements of A. */
// @ts-ignore: decorator
@inline
function storeSinglesA(scratch: i32, m: i32, k: i32, f: v128): void {
  v128.store(tileA(scratch, m, k), f);
  const e = singleExponents(f);
  v128.store_lane<i64>(exponentA(scratch, m, k), i16x8.narrow_i32x4_s(e, e), 0);
}

/** Stores four f32 and their exponents into column `at` (a place of the permuted order) of B. */
// @ts-ignore: decorator
@inline
function storeColumnB(scratch: i32, k: i32, at: i32, f: v128, e: v128): void {
  const b = tileB(scratch, k) + (at << 2);
  v128.store_lane<f32>(b, f, 0);
  v128.store_lane<f32>(b, f, 1, 32);
  v128.store_lane<f32>(b, f, 2, 64);
  v128.store_lane<f32>(b, f, 3, 96);
  const x = exponentB(scratch, k) + (at << 1);
  v128.store_lane<i16>(x, e, 0);
  v128.store_lane<i16>(x, e, 2, 16);
  v128.store_lane<i16>(x, e, 4, 32);
  v128.store_lane<i16>(x, e, 6, 48);
}

// @ts-ignore: decorator
@inline
function storeHalvesB(scratch: i32, k: i32, at: i32, h: v128): void {
  const e = halfExponents(h);
  const low = halfToSingle(i32x4.extend_low_i16x8_u(h));
  const high = halfToSingle(i32x4.extend_high_i16x8_u(h));
  storeColumnB(scratch, k, at, low, i32x4.extend_low_i16x8_s(e));
  storeColumnB(scratch, k + 4, at, high, i32x4.extend_high_i16x8_s(e));
}

/** Bytes 0 and 1 of the four lanes (`second`: bytes 2 and 3), one per 16-bit lane, as f16. */
// @ts-ignore: decorator
@inline
function quarterToHalf(type: i32, v: v128, second: bool): v128 {
  const picked = second
    ? i8x16.shuffle(v, v, 2, 3, 6, 7, 10, 11, 14, 15, 2, 3, 6, 7, 10, 11, 14, 15)
    : i8x16.shuffle(v, v, 0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13);
  const x = i16x8.extend_low_i8x16_u(picked);
  return type == E4M3 ? e4m3ToHalf(x) : i16x8.shl(x, 8);
}

/** Upper 16 bits of an f32 are a bf16: four of them, `high` or low, of eight. */
// @ts-ignore: decorator
@inline
function bfloatToSingle(h: v128, high: bool): v128 {
  return i32x4.shl(high ? i32x4.extend_high_i16x8_u(h) : i32x4.extend_low_i16x8_u(h), 16);
}

/**
 * Unpacks A: `rows` (8 or 16) by the k that `registers` registers hold. 8-bit types go to two
 * tiles side by side, each `registers`·4 (16 rows) wide: elements 0 and 1 of each four, and 2 and 3.
 * @returns true if the product must take the wide path
 */
// @ts-ignore: decorator
@inline
export function unpackA(type: i32, a: i32, registers: i32, scratch: i32): bool {
  let wide = false;
  for (let r = 0; r < registers; r++) {
    const at = a + r * SLOT_BYTES;
    const row = (r & 1) << 3;
    for (let g = 0; g < 8; g++) {
      const v = lanes(at, g);
      const m = row + g;
      if (type == F16) {
        storeHalvesA(scratch, m, (r >> 1) << 3, v);
        wide = wide || halfIsWide(v);
      } else if (type == BF16) {
        const low = bfloatToSingle(v, false);
        const high = bfloatToSingle(v, true);
        storeSinglesA(scratch, m, (r >> 1) << 3, low);
        storeSinglesA(scratch, m, ((r >> 1) << 3) + 4, high);
        wide = wide || singleIsWide(low) || singleIsWide(high);
      } else if (type == TF32) {
        const f = v128.and(v, i32x4.splat(~0x1fff));
        storeSinglesA(scratch, m, (r >> 1) << 2, f);
        wide = wide || singleIsWide(f);
      } else {
        const first = quarterToHalf(type, v, false);
        const second = quarterToHalf(type, v, true);
        storeHalvesA(scratch, m, (r >> 1) << 3, first);
        storeHalvesA(scratch, m, ((r >> 1) << 3) + (registers << 2), second);
        wide = wide || halfIsWide(first) || halfIsWide(second);
      }
    }
  }
  return wide;
}

/** Unpacks B (8 columns); 8-bit types as in `unpackA`, each tile `registers`·8 high. */
// @ts-ignore: decorator
@inline
export function unpackB(type: i32, b: i32, registers: i32, scratch: i32): bool {
  let wide = false;
  for (let r = 0; r < registers; r++) {
    const operand = b + r * SLOT_BYTES;
    for (let n = 0; n < 8; n++) {
      const v = lanes(operand, n);
      const at = (n >> 1) + ((n & 1) << 2);
      if (type == F16) {
        storeHalvesB(scratch, r << 3, at, v);
        wide = wide || halfIsWide(v);
      } else if (type == BF16) {
        const low = bfloatToSingle(v, false);
        const high = bfloatToSingle(v, true);
        storeColumnB(scratch, r << 3, at, low, singleExponents(low));
        storeColumnB(scratch, (r << 3) + 4, at, high, singleExponents(high));
        wide = wide || singleIsWide(low) || singleIsWide(high);
      } else if (type == TF32) {
        const f = v128.and(v, i32x4.splat(~0x1fff));
        storeColumnB(scratch, r << 2, at, f, singleExponents(f));
        wide = wide || singleIsWide(f);
      } else {
        const first = quarterToHalf(type, v, false);
        const second = quarterToHalf(type, v, true);
        storeHalvesB(scratch, r << 3, at, first);
        storeHalvesB(scratch, (r << 3) + (registers << 3), at, second);
        wide = wide || halfIsWide(first) || halfIsWide(second);
      }
    }
  }
  return wide;
}
