/**
 * The inner products of floating-point `mma`, as an H100's tensor core rounds them.
 *
 * A product of two elements is exact. For one output, the products and the addend c are aligned to
 * the largest exponent among them (exponents of operands added; a product's leading bit is not
 * looked at, zeros have no exponent), cut toward zero to 25 bits after the point, and summed
 * exactly. An f32 result cuts the sum toward zero, an f16 result rounds it to nearest even. All
 * elements of one hardware instruction are in one such sum; a zero result is +0, a NaN 0x7fffffff
 * or 0x7fff. (Model: Xie et al., "MMA-Sim", arXiv:2511.10909; checked against recorded H100 results,
 * tests/devicelib/mma-golden.test.ts.)
 *
 * The narrow path does two rows of eight outputs at a time: products in f32 (exact: 22 bits), scaled
 * by a power of two so that the cut is the conversion to i32. It takes factors of f16 range (bf16
 * and tf32: exponents from −42 to 42), no infinity, no NaN; all else is the wide path's (mma-wide.ts).
 */
import { halfToSingle, singleToHalf } from "./mma-formats";
import {
  currentRows,
  exponentsA,
  exponentsB,
  restoreSpecials,
  storedElements,
  tileA,
  tileB,
} from "./mma-tiles";
import { FRACTION, wideOutput } from "./mma-wide";
import { SLOT_BYTES, lanes, storeLanes } from "./warp-frame";

/** How a sum becomes a destination: f32; f16 at once; f16 through f32. */
export const TO_F32: i32 = 0;
export const TO_F16: i32 = 1;
export const TO_F16_LATE: i32 = 2;

/** Paths of a product: narrow where it can, wide, wide with a sparse A. */
export const ANY: i32 = 0;
export const WIDE: i32 = 1;
export const WIDE_SPARSE: i32 = 2;

/** Least exponent of products in the narrow path: below are those with a zero. */
const LEAST: i32 = -84;

/** Two sums (exact integers in f64) times 2^(exponent − 25), cut or made odd for f32. */
// @ts-ignore: decorator
@inline
function scaled(sum: v128, exponent: v128, odd: bool): v128 {
  const dropped = i64x2.splat(0x1fffffff);
  let t = v128.andnot(sum, dropped);
  if (odd) {
    const rest = i64x2.ne(v128.and(sum, dropped), i64x2.splat(0));
    t = v128.or(t, v128.and(rest, i64x2.splat(0x20000000)));
  }
  const scale = i64x2.shl(
    i64x2.extend_low_i32x4_s(i32x4.add(exponent, i32x4.splat(1023 - FRACTION))),
    52,
  );
  return f32x4.demote_f64x2_zero(f64x2.mul(t, scale));
}

/** `finish` for sums that need 33 bits. */
function finishLong(first: v128, second: v128, exponent: v128, odd: bool): v128 {
  const low = f64x2.add(f64x2.convert_low_i32x4_s(first), f64x2.convert_low_i32x4_s(second));
  first = i32x4.shuffle(first, first, 2, 3, 2, 3);
  second = i32x4.shuffle(second, second, 2, 3, 2, 3);
  const high = f64x2.add(f64x2.convert_low_i32x4_s(first), f64x2.convert_low_i32x4_s(second));
  const x = scaled(low, exponent, odd);
  const y = scaled(high, i32x4.shuffle(exponent, exponent, 2, 3, 2, 3), odd);
  return i32x4.shuffle(x, y, 0, 1, 4, 5);
}

/** Four sums first + second, times 2^(exponent − 25), as f32: cut toward zero, or rounded to odd. */
// @ts-ignore: decorator
@inline
export function finish(first: v128, second: v128, exponent: v128, odd: bool): v128 {
  const sum = i32x4.add(first, second);
  const overflow = v128.and(v128.xor(sum, first), v128.xor(sum, second));
  if (i32x4.bitmask(overflow) != 0) return finishLong(first, second, exponent, odd);
  // To nearest, and one step back where that went away from zero.
  const nearest = f32x4.convert_i32x4_s(sum);
  const error = i32x4.sub(i32x4.trunc_sat_f32x4_s(nearest), sum);
  const inexact = i32x4.ne(error, i32x4.splat(0));
  const away = v128.andnot(inexact, i32x4.shr_s(v128.xor(error, sum), 31));
  let cut = i32x4.add(nearest, away);
  if (odd) cut = v128.or(cut, v128.and(inexact, i32x4.splat(1)));
  const scale = i32x4.shl(i32x4.add(exponent, i32x4.splat(127 - FRACTION)), 23);
  return f32x4.mul(cut, scale);
}

/**
 * Products as integers of 2^(exponent − 25), cut toward zero. All are in range, so that the relaxed
 * conversion (one instruction on x86) does the same: T is f32 for that one, i32 for the other.
 */
// @ts-ignore: decorator
@inline
function term<T>(a: v128, b: v128, scale: v128): v128 {
  const scaled = f32x4.mul(f32x4.mul(a, b), scale);
  if (isFloat<T>()) return i32x4.relaxed_trunc_f32x4_s(scaled);
  return i32x4.trunc_sat_f32x4_s(scaled);
}

/** Exponents of addends; an f16 one (an f16 product's) is a subnormal below 2⁻¹⁴. */
// @ts-ignore: decorator
@inline
export function addendExponents(c: v128, mode: i32): v128 {
  const e = i32x4.sub(v128.and(i32x4.shr_u(c, 23), i32x4.splat(0xff)), i32x4.splat(127));
  // Zeros and subnormals of f32 are below any product, and stay −127.
  if (mode != TO_F16) return e;
  return v128.bitselect(i32x4.max_s(e, i32x4.splat(-14)), e, f32x4.ne(c, f32x4.splat(0)));
}

/** Exponents to align to: of the products' `top` and of c. */
// @ts-ignore: decorator
@inline
function alignment(top: v128, c: v128, mode: i32): v128 {
  // Without a product other than 0 the result is c; the bound only keeps the scale a number.
  return i32x4.max_s(i32x4.max_s(top, addendExponents(c, mode)), i32x4.splat(LEAST));
}

// @ts-ignore: decorator
@inline
function scaleOf(exponent: v128): v128 {
  return i32x4.shl(i32x4.sub(i32x4.splat(127 + FRACTION), exponent), 23);
}

// @ts-ignore: decorator
@inline
function addend(c: v128, scale: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.mul(c, scale));
}

/** The result, or c where no product is other than 0. */
// @ts-ignore: decorator
@inline
function orAddend(result: v128, c: v128, top: v128): v128 {
  return v128.bitselect(c, result, i32x4.lt_s(top, i32x4.splat(LEAST)));
}

/** Largest exponent of the products of row m, for eight columns; two k at a time, four a turn. */
// @ts-ignore: decorator
@inline
export function topExponents(scratch: i32, m: i32, from: i32, to: i32): v128 {
  let top = i8x16.splat(-128);
  let ea = exponentsA(scratch, m, from);
  const end = exponentsB(scratch, to);
  for (let eb = exponentsB(scratch, from); eb < end; eb += 32) {
    const a = v128.load32_splat(ea);
    const a0 = i8x16.shuffle(a, a, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    const a1 = i8x16.shuffle(a, a, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    top = i8x16.max_s(top, i8x16.add_sat_s(a0, v128.load(eb)));
    top = i8x16.max_s(top, i8x16.add_sat_s(a1, v128.load(eb, 16)));
    ea += 4;
  }
  return i16x8.max_s(i16x8.extend_low_i8x16_s(top), i16x8.extend_high_i8x16_s(top));
}

/**
 * Rows m and m + 1 by the narrow path; the addends are in `rows`, where the results go.
 * @returns false if an addend is infinite or NaN, with nothing done
 */
function narrowRows<T>(scratch: i32, m: i32, from: i32, to: i32, mode: i32, rows: i32): bool {
  const top0 = topExponents(scratch, m, from, to);
  const top1 = topExponents(scratch, m + 1, from, to);
  const topEven0 = i32x4.extend_low_i16x8_s(top0);
  const topOdd0 = i32x4.extend_high_i16x8_s(top0);
  const topEven1 = i32x4.extend_low_i16x8_s(top1);
  const topOdd1 = i32x4.extend_high_i16x8_s(top1);
  const even0 = v128.load(rows);
  const odd0 = v128.load(rows, 16);
  const even1 = v128.load(rows, 32);
  const odd1 = v128.load(rows, 48);
  const exponentEven0 = alignment(topEven0, even0, mode);
  const exponentOdd0 = alignment(topOdd0, odd0, mode);
  const exponentEven1 = alignment(topEven1, even1, mode);
  const exponentOdd1 = alignment(topOdd1, odd1, mode);
  const largest = i32x4.max_s(
    i32x4.max_s(exponentEven0, exponentOdd0),
    i32x4.max_s(exponentEven1, exponentOdd1),
  );
  if (v128.any_true(i32x4.gt_s(largest, i32x4.splat(127)))) return false; // c: infinity or NaN
  const scaleEven0 = scaleOf(exponentEven0);
  const scaleOdd0 = scaleOf(exponentOdd0);
  const scaleEven1 = scaleOf(exponentEven1);
  const scaleOdd1 = scaleOf(exponentOdd1);
  let sumEven0 = addend(even0, scaleEven0);
  let sumOdd0 = addend(odd0, scaleOdd0);
  let sumEven1 = addend(even1, scaleEven1);
  let sumOdd1 = addend(odd1, scaleOdd1);
  // Eight products and c stay below 2³¹, sixteen would not: two sums.
  let moreEven0 = i32x4.splat(0);
  let moreOdd0 = i32x4.splat(0);
  let moreEven1 = i32x4.splat(0);
  let moreOdd1 = i32x4.splat(0);
  const middle = tileB(scratch, min(from + 8, to));
  const last = tileB(scratch, to);
  let row = tileA(scratch, m, from);
  let b = tileB(scratch, from);
  for (; b < middle; b += 64) {
    let x = v128.load32_splat(row);
    let y = v128.load32_splat(row, 128);
    let even = v128.load(b);
    let odd = v128.load(b, 16);
    sumEven0 = i32x4.add(sumEven0, term<T>(x, even, scaleEven0));
    sumOdd0 = i32x4.add(sumOdd0, term<T>(x, odd, scaleOdd0));
    sumEven1 = i32x4.add(sumEven1, term<T>(y, even, scaleEven1));
    sumOdd1 = i32x4.add(sumOdd1, term<T>(y, odd, scaleOdd1));
    x = v128.load32_splat(row, 4);
    y = v128.load32_splat(row, 132);
    even = v128.load(b, 32);
    odd = v128.load(b, 48);
    sumEven0 = i32x4.add(sumEven0, term<T>(x, even, scaleEven0));
    sumOdd0 = i32x4.add(sumOdd0, term<T>(x, odd, scaleOdd0));
    sumEven1 = i32x4.add(sumEven1, term<T>(y, even, scaleEven1));
    sumOdd1 = i32x4.add(sumOdd1, term<T>(y, odd, scaleOdd1));
    row += 8;
  }
  for (; b < last; b += 64) {
    let x = v128.load32_splat(row);
    let y = v128.load32_splat(row, 128);
    let even = v128.load(b);
    let odd = v128.load(b, 16);
    moreEven0 = i32x4.add(moreEven0, term<T>(x, even, scaleEven0));
    moreOdd0 = i32x4.add(moreOdd0, term<T>(x, odd, scaleOdd0));
    moreEven1 = i32x4.add(moreEven1, term<T>(y, even, scaleEven1));
    moreOdd1 = i32x4.add(moreOdd1, term<T>(y, odd, scaleOdd1));
    x = v128.load32_splat(row, 4);
    y = v128.load32_splat(row, 132);
    even = v128.load(b, 32);
    odd = v128.load(b, 48);
    moreEven0 = i32x4.add(moreEven0, term<T>(x, even, scaleEven0));
    moreOdd0 = i32x4.add(moreOdd0, term<T>(x, odd, scaleOdd0));
    moreEven1 = i32x4.add(moreEven1, term<T>(y, even, scaleEven1));
    moreOdd1 = i32x4.add(moreOdd1, term<T>(y, odd, scaleOdd1));
    row += 8;
  }
  const sticky = mode == TO_F16;
  const d0 = finish(sumEven0, moreEven0, exponentEven0, sticky);
  const d1 = finish(sumOdd0, moreOdd0, exponentOdd0, sticky);
  const d2 = finish(sumEven1, moreEven1, exponentEven1, sticky);
  const d3 = finish(sumOdd1, moreOdd1, exponentOdd1, sticky);
  v128.store(rows, orAddend(d0, even0, topEven0));
  v128.store(rows, orAddend(d1, odd0, topOdd0), 16);
  v128.store(rows, orAddend(d2, even1, topEven1), 32);
  v128.store(rows, orAddend(d3, odd1, topOdd1), 48);
  return true;
}

/** A result that is cut or rounded to 0 is +0, whatever the sign of the sum was. */
// @ts-ignore: decorator
@inline
export function positiveZero(f: v128, mode: i32): v128 {
  if (mode != TO_F16) return f32x4.add(f, f32x4.splat(0));
  // Up to 2⁻²⁵ an f16 rounds to 0.
  const largest = f32x4.splat(reinterpret<f32>(0x33000000));
  return v128.andnot(f, f32x4.le(f32x4.abs(f), largest));
}

/** Columns 2i of a row as lanes, from an accumulator of f32 or f16x2 registers. */
// @ts-ignore: decorator
@inline
export function loadEven(c: i32, m: i32, isHalf: bool): v128 {
  const g = m & 7;
  if (!isHalf) return lanes(c + (m >> 3) * (2 * SLOT_BYTES), g);
  return halfToSingle(v128.and(lanes(c + (m >> 3) * SLOT_BYTES, g), i32x4.splat(0xffff)));
}

/** Columns 2i + 1 of a row. */
// @ts-ignore: decorator
@inline
export function loadOdd(c: i32, m: i32, isHalf: bool): v128 {
  const g = m & 7;
  if (!isHalf) return lanes(c + (m >> 3) * (2 * SLOT_BYTES) + SLOT_BYTES, g);
  return halfToSingle(i32x4.shr_u(lanes(c + (m >> 3) * SLOT_BYTES, g), 16));
}

/** Writes a row of results (f32 lanes: even columns, odd columns) as f32 or f16x2 registers. */
// @ts-ignore: decorator
@inline
export function storeRow(
  d: i32,
  m: i32,
  even: v128,
  odd: v128,
  isHalf: bool,
  active: i32,
): void {
  const g = m & 7;
  if (isHalf) {
    const pair = v128.or(singleToHalf(even), i32x4.shl(singleToHalf(odd), 16));
    storeLanes(d + (m >> 3) * SLOT_BYTES, g, pair, active);
  } else {
    const at = d + (m >> 3) * (2 * SLOT_BYTES);
    storeLanes(at, g, even, active);
    storeLanes(at + SLOT_BYTES, g, odd, active);
  }
}

/** Rows m and m + 1 by the wide path. */
function wideRows(
  path: i32,
  scratch: i32,
  m: i32,
  from: i32,
  to: i32,
  least: i32,
  mode: i32,
  rows: i32,
): void {
  const leastC = mode == TO_F16 ? -14 : -126;
  for (let n = 0; n < 16; n++) {
    const at = rows + (n << 2);
    const row = m + (n >> 3);
    const c = load<f32>(at);
    const odd = mode == TO_F16;
    const stored = path == WIDE_SPARSE ? load<i32>(storedElements(scratch, row)) : -1;
    store<f32>(at, wideOutput(scratch, row, from, to, n & 7, c, least, leastC, odd, stored));
  }
}

/**
 * One hardware product: rows 0–15 of the tiles over k in [from, to), 4, 8 or 16 of them.
 * T: see `term`.
 * @param path ANY, or WIDE or WIDE_SPARSE throughout
 * @param least exponent of the factors' subnormals: −14 (f16) or −126
 * @param c address of the accumulator's first register (f32, or f16x2 if `isHalf`); 0: all zero
 * @param d address of the result's first register
 * @param mode TO_F32, TO_F16 or TO_F16_LATE
 */
export function multiply<T>(
  scratch: i32,
  from: i32,
  to: i32,
  path: i32,
  least: i32,
  c: i32,
  isHalf: bool,
  d: i32,
  mode: i32,
  active: i32,
): void {
  const rows = currentRows(scratch);
  if (path != ANY && least == -14) restoreSpecials(scratch);
  for (let m = 0; m < 16; m += 2) {
    let even0 = f32x4.splat(0);
    let odd0 = even0;
    let even1 = even0;
    let odd1 = even0;
    if (c != 0) {
      even0 = loadEven(c, m, isHalf);
      odd0 = loadOdd(c, m, isHalf);
      even1 = loadEven(c, m + 1, isHalf);
      odd1 = loadOdd(c, m + 1, isHalf);
    }
    v128.store(rows, even0);
    v128.store(rows, odd0, 16);
    v128.store(rows, even1, 32);
    v128.store(rows, odd1, 48);
    if (path != ANY || !narrowRows<T>(scratch, m, from, to, mode, rows)) {
      wideRows(path, scratch, m, from, to, least, mode, rows);
    }
    const isHalfD = mode != TO_F32;
    storeRow(d, m, positiveZero(v128.load(rows), mode), positiveZero(v128.load(rows, 16), mode), isHalfD, active);
    even1 = positiveZero(v128.load(rows, 32), mode);
    odd1 = positiveZero(v128.load(rows, 48), mode);
    storeRow(d, m + 1, even1, odd1, isHalfD, active);
  }
}
