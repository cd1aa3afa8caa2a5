/**
 * Fragments of floating-point `mma` operands, unpacked to f32 tiles with the exponent of every
 * element beside them (PTX ISA 9.7.14.5, the fragment figures).
 *
 * What the fragments make easy: the four lanes of group g hold, in one register, 16 consecutive
 * bytes of row g of A (rows g + 8 in every second register) or of column g of B. So a register's
 * group is one v128 of a row. B is stored as rows of k with its eight columns in the order
 * 0 2 4 6 1 3 5 7: the accumulator's registers hold even and odd columns apart.
 *
 *      scratch (FLOAT_SCRATCH_BYTES)
 *                A   f32[16][32]   2048 bytes
 *                EA  i8[16][32]     512      exponents of A
 *                B   f32[32][8]    1024
 *                EB  i8[32][8]      256      exponents of B
 *                T   4 slots       1024      intermediate accumulators
 *                R   f32[2][8]       64      the rows being computed
 *                S   u32[16]         64      of each row of a sparse A, bit k: stored
 *                F                  768      integers (mma-fixed.ts)
 */
import { SLOT_BYTES, lanes } from "./warp-frame";
import { e4m3ToHalf, halfExponents, transpose8 } from "./mma-formats";

/** Element types. 8-bit floats are widened to f16 first, as the H100 does. */
export const F16: i32 = 0;
export const BF16: i32 = 1;
export const TF32: i32 = 2;
export const E4M3: i32 = 3;
export const E5M2: i32 = 4;

/** Largest exponent of a bf16 or tf32 in the narrow product (least: its negative). */
const NARROW: i16 = 42;

const EA_AT: i32 = 2048;
const B_AT: i32 = EA_AT + 512;
const EB_AT: i32 = B_AT + 1024;
const T_AT: i32 = EB_AT + 256;
const R_AT: i32 = T_AT + 1024;
export const FIXED_AT: i32 = R_AT + 128;

/** Row m of A from element k on: elements 4 bytes apart, rows 128. */
// @ts-ignore: decorator
@inline
export function tileA(scratch: i32, m: i32, k: i32): i32 {
  return scratch + (m << 7) + (k << 2);
}

/** Exponents of row m of A from element k on: bytes, rows 32 apart. */
// @ts-ignore: decorator
@inline
export function exponentsA(scratch: i32, m: i32, k: i32): i32 {
  return scratch + EA_AT + (m << 5) + k;
}

/** Row k of B: even columns, odd columns; next k 32 bytes on. */
// @ts-ignore: decorator
@inline
export function tileB(scratch: i32, k: i32): i32 {
  return scratch + B_AT + (k << 5);
}

/** Exponents of row k of B: bytes in the tile's order, rows 8 apart. */
// @ts-ignore: decorator
@inline
export function exponentsB(scratch: i32, k: i32): i32 {
  return scratch + EB_AT + (k << 3);
}

/** Four accumulator registers of 256 bytes. */
// @ts-ignore: decorator
@inline
export function intermediate(scratch: i32): i32 {
  return scratch + T_AT;
}

/** Two rows of results: even columns, then odd ones. */
// @ts-ignore: decorator
@inline
export function currentRows(scratch: i32): i32 {
  return scratch + R_AT;
}

/** Bits of the elements of row m of a sparse A that are stored. */
// @ts-ignore: decorator
@inline
export function storedElements(scratch: i32, m: i32): i32 {
  return scratch + R_AT + 64 + (m << 2);
}

/** Exponents of eight bf16; zeros have −127, which is as good as none in the narrow product. */
// @ts-ignore: decorator
@inline
function bfloatExponents(h: v128): v128 {
  const field = v128.and(i16x8.shr_u(h, 7), i16x8.splat(0xff));
  return i16x8.sub(field, i16x8.splat(127));
}

// @ts-ignore: decorator
@inline
function singleExponents(f: v128): v128 {
  const field = v128.and(i32x4.shr_u(f, 23), i32x4.splat(0xff));
  return i32x4.sub(field, i32x4.splat(127));
}

/** Lanes (not 0) of the elements that the narrow product cannot take: infinity or NaN. */
// @ts-ignore: decorator
@inline
function wideHalves(h: v128): v128 {
  return i16x8.gt_s(v128.and(h, i16x8.splat(0x7fff)), i16x8.splat(0x7bff));
}

/** The same of bf16: not 0, and an exponent beyond ±42. */
// @ts-ignore: decorator
@inline
function wideBfloats(h: v128, exponents: v128): v128 {
  const zero = i16x8.eq(v128.and(h, i16x8.splat(0x7fff)), i16x8.splat(0));
  return v128.andnot(i16x8.gt_s(i16x8.abs(exponents), i16x8.splat(NARROW)), zero);
}

// @ts-ignore: decorator
@inline
function wideSingles(f: v128, exponents: v128): v128 {
  const zero = i32x4.eq(v128.and(f, i32x4.splat(0x7fffffff)), i32x4.splat(0));
  return v128.andnot(i32x4.gt_s(i32x4.abs(exponents), i32x4.splat(NARROW)), zero);
}

/** Sign-extended 16-bit floats as f32; infinities and NaNs of f16 as 2¹⁶ and more. */
// @ts-ignore: decorator
@inline
function shortToSingle(type: i32, x: v128): v128 {
  if (type == BF16) return i32x4.shl(x, 16);
  const bits = v128.and(i32x4.shl(x, 13), i32x4.splat(~0x70001fff));
  return f32x4.mul(bits, f32x4.splat(reinterpret<f32>(0x77800000))); // 2¹¹²
}

/** Lower four of eight 16-bit floats as f32. */
// @ts-ignore: decorator
@inline
function lowSingles(type: i32, h: v128): v128 {
  return shortToSingle(type, i32x4.extend_low_i16x8_s(h));
}

// @ts-ignore: decorator
@inline
function highSingles(type: i32, h: v128): v128 {
  return shortToSingle(type, i32x4.extend_high_i16x8_s(h));
}

/** Gives f16 infinities and NaNs in the tiles their f32 form, for the wide path. */
export function restoreSpecials(scratch: i32): void {
  for (let at = scratch; at < scratch + EB_AT; at += 16) {
    if (at == scratch + EA_AT) at = scratch + B_AT;
    const x = v128.load(at);
    const special = i32x4.gt_s(v128.and(x, i32x4.splat(0x7fffffff)), i32x4.splat(0x477fffff));
    v128.store(at, v128.or(x, v128.and(special, i32x4.splat(0x7f800000))));
  }
}

/** Eight 16-bit elements of row m; which of them are wide. */
// @ts-ignore: decorator
@inline
function storeShortA(type: i32, scratch: i32, m: i32, k: i32, h: v128): v128 {
  const at = tileA(scratch, m, k);
  v128.store(at, lowSingles(type, h));
  v128.store(at, highSingles(type, h), 16);
  const e = type == BF16 ? bfloatExponents(h) : halfExponents(h);
  v128.store_lane<i64>(exponentsA(scratch, m, k), i8x16.narrow_i16x8_s(e, e), 0);
  return type == BF16 ? wideBfloats(h, e) : wideHalves(h);
}

/** Four tf32 of row m. */
// @ts-ignore: decorator
@inline
function storeSinglesA(scratch: i32, m: i32, k: i32, f: v128): v128 {
  v128.store(tileA(scratch, m, k), f);
  const e = singleExponents(f);
  const short = i16x8.narrow_i32x4_s(e, e);
  v128.store_lane<i32>(exponentsA(scratch, m, k), i8x16.narrow_i16x8_s(short, short), 0);
  return wideSingles(f, e);
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

// @ts-ignore: decorator
@inline
function isQuarter(type: i32): bool {
  return type == E4M3 || type == E5M2;
}

/**
 * Unpacks A: 16 rows by the k that `registers` registers hold. 8-bit types go to two tiles side by
 * side, each `registers`·4 wide: elements 0 and 1 of every four, and elements 2 and 3.
 * @returns true if the product must take the wide path
 */
// @ts-ignore: decorator
@inline
export function unpackA(type: i32, a: i32, registers: i32, scratch: i32): bool {
  let wide = i32x4.splat(0);
  for (let r = 0; r < registers; r++) {
    const at = a + r * SLOT_BYTES;
    const k = (r >> 1) << (type == TF32 ? 2 : 3);
    for (let g = 0; g < 8; g++) {
      const v = lanes(at, g);
      const m = ((r & 1) << 3) + g;
      if (type == TF32) {
        const cut = v128.and(v, i32x4.splat(~0x1fff));
        wide = v128.or(wide, storeSinglesA(scratch, m, k, cut));
      } else if (isQuarter(type)) {
        const first = quarterToHalf(type, v, false);
        const second = quarterToHalf(type, v, true);
        wide = v128.or(wide, storeShortA(F16, scratch, m, k, first));
        wide = v128.or(wide, storeShortA(F16, scratch, m, k + (registers << 2), second));
      } else {
        wide = v128.or(wide, storeShortA(type, scratch, m, k, v));
      }
    }
  }
  return v128.any_true(wide);
}

/** A row k of B: eight 16-bit elements in the order of the tile. */
// @ts-ignore: decorator
@inline
function storeRowB(type: i32, scratch: i32, k: i32, h: v128): v128 {
  const at = tileB(scratch, k);
  v128.store(at, lowSingles(type, h));
  v128.store(at, highSingles(type, h), 16);
  const e = type == BF16 ? bfloatExponents(h) : halfExponents(h);
  v128.store_lane<i64>(exponentsB(scratch, k), i8x16.narrow_i16x8_s(e, e), 0);
  return type == BF16 ? wideBfloats(h, e) : wideHalves(h);
}

/** Four rows of B from columns in the tile's order, tf32. */
// @ts-ignore: decorator
@inline
function storeSinglesB(scratch: i32, k: i32, even: v128, odd: v128): v128 {
  const at = tileB(scratch, k);
  v128.store(at, even);
  v128.store(at, odd, 16);
  const e = singleExponents(even);
  const o = singleExponents(odd);
  const short = i16x8.narrow_i32x4_s(e, o);
  v128.store_lane<i64>(exponentsB(scratch, k), i8x16.narrow_i16x8_s(short, short), 0);
  return v128.or(wideSingles(even, e), wideSingles(odd, o));
}

/** Rows k…k+3 of half of B's columns: four of four elements, transposed. Row i of the result. */
// @ts-ignore: decorator
@inline
function column4(operand: i32, first: i32, i: i32): v128 {
  const cut = i32x4.splat(~0x1fff);
  const x = lanes(operand, first);
  const y = lanes(operand, first + 2);
  const z = lanes(operand, first + 4);
  const w = lanes(operand, first + 6);
  const low =
    i < 2 ? i32x4.shuffle(x, y, 0, 4, 1, 5) : i32x4.shuffle(x, y, 2, 6, 3, 7);
  const high =
    i < 2 ? i32x4.shuffle(z, w, 0, 4, 1, 5) : i32x4.shuffle(z, w, 2, 6, 3, 7);
  const row =
    (i & 1) == 0 ? i32x4.shuffle(low, high, 0, 1, 4, 5) : i32x4.shuffle(low, high, 2, 3, 6, 7);
  return v128.and(row, cut);
}

/** Unpacks B (8 columns); 8-bit types as in `unpackA`, each tile `registers`·8 high. */
// @ts-ignore: decorator
@inline
export function unpackB(type: i32, b: i32, registers: i32, scratch: i32): bool {
  let wide = i32x4.splat(0);
  for (let r = 0; r < registers; r++) {
    const operand = b + r * SLOT_BYTES;
    if (type == TF32) {
      const k = r << 2;
      wide = v128.or(wide, storeSinglesB(scratch, k, column4(operand, 0, 0), column4(operand, 1, 0)));
      wide = v128.or(wide, storeSinglesB(scratch, k + 1, column4(operand, 0, 1), column4(operand, 1, 1)));
      wide = v128.or(wide, storeSinglesB(scratch, k + 2, column4(operand, 0, 2), column4(operand, 1, 2)));
      wide = v128.or(wide, storeSinglesB(scratch, k + 3, column4(operand, 0, 3), column4(operand, 1, 3)));
      continue;
    }
    // Columns in the tile's order, as rows of an 8×8 matrix to transpose; B's own tile is room for it.
    const parts = isQuarter(type) ? 2 : 1;
    for (let part = 0; part < parts; part++) {
      const k = (r << 3) + part * (registers << 3);
      const at = tileB(scratch, k);
      for (let n = 0; n < 8; n++) {
        let v = lanes(operand, n);
        if (isQuarter(type)) v = quarterToHalf(type, v, false);
        if (part == 1) v = quarterToHalf(type, lanes(operand, n), true);
        v128.store(at + (((n >> 1) + ((n & 1) << 2)) << 4), v);
      }
      transpose8(at, at);
      // From the last row on, since a row of f32 takes the place of two of 16 bits.
      for (let i = 7; i >= 0; i--) {
        const h = v128.load(at + (i << 4));
        wide = v128.or(wide, storeRowB(type == BF16 ? BF16 : F16, scratch, k + i, h));
      }
    }
  }
  return v128.any_true(wide);
}
