/**
 * The sums of `wgmma` on 8-bit floats, which an H100 does with fewer bits than those of 16-bit ones
 * (mma-dot.ts): all 32 products and the addend are aligned to the largest exponent among them, cut
 * toward zero to 13 bits after the point, and summed; an f32 result is cut to 13 bits of fraction,
 * an f16 result rounded to nearest even. (Xie et al., "MMA-Sim", arXiv:2511.10909.)
 *
 * Four columns at a time all of that is exact in f32; infinities, NaNs, and sums that are almost
 * nothing are done one by one in f64.
 *
 *      scratch    A f32[16][32], B f32[32][8] and their exponents as in mma-tiles.ts
 */
import {
  TO_F16,
  TO_F32,
  addendExponents,
  loadEven,
  loadOdd,
  positiveZero,
  storeRow,
  topExponents,
} from "./mma-dot";
import {
  E4M3,
  E5M2,
  currentRows,
  exponentsA,
  exponentsB,
  restoreSpecials,
  tileA,
  tileB,
  unpackA,
  unpackB,
} from "./mma-tiles";

/** Bits after the point. */
const FRACTION: i32 = 13;

/** Exponents of the subnormals of e4m3 and e5m2. */
const LEAST_E4M3: i32 = -6;
const LEAST_E5M2: i32 = -14;

/** Least exponent of sums four at a time. */
const LEAST: i32 = -84;

/** Raises the exponents of e4m3's subnormals, which f16 has as normal numbers; zeros have −128. */
function raiseExponents(from: i32, bytes: i32): void {
  for (let at = from; at < from + bytes; at += 16) {
    const e = v128.load(at);
    const zero = i8x16.eq(e, i8x16.splat(-128));
    v128.store(at, v128.bitselect(e, i8x16.max_s(e, i8x16.splat(LEAST_E4M3 as i8)), zero));
  }
}

/**
 * Unpacks A. Elements lie in another order along k than they came, as B's do.
 * @returns true if there is an infinity or a NaN
 */
export function quartersA(isE5: bool, a: i32, scratch: i32): bool {
  if (isE5) return unpackA(E5M2, a, 4, scratch);
  const wide = unpackA(E4M3, a, 4, scratch);
  raiseExponents(exponentsA(scratch, 0, 0), 16 * 32);
  return wide;
}

/** Unpacks B. */
export function quartersB(isE5: bool, b: i32, scratch: i32): bool {
  if (isE5) return unpackB(E5M2, b, 2, scratch);
  const wide = unpackB(E4M3, b, 2, scratch);
  raiseExponents(exponentsB(scratch, 0), 8 * 32);
  return wide;
}

// @ts-ignore: decorator
@inline
function power(exponent: v128): v128 {
  return i32x4.shl(i32x4.add(exponent, i32x4.splat(127)), 23);
}

/** Sums that are aligned to `exponent`, as f32; cut to 13 bits unless an f16 rounds them next. */
// @ts-ignore: decorator
@inline
function finished(sum: v128, exponent: v128, isHalf: bool): v128 {
  const result = f32x4.mul(sum, power(i32x4.sub(exponent, i32x4.splat(FRACTION))));
  return isHalf ? result : v128.and(result, i32x4.splat(~0x3ff));
}

/** Row m, whose addends are in `rows`, where the results go; false if not all of it can be done so. */
function quickRow(scratch: i32, m: i32, rows: i32, isHalf: bool): bool {
  const mode = isHalf ? TO_F16 : TO_F32;
  const top = topExponents(scratch, m, 0, 32);
  const least = i32x4.splat(LEAST);
  const even = v128.load(rows);
  const odd = v128.load(rows, 16);
  let e = i32x4.max_s(i32x4.extend_low_i16x8_s(top), addendExponents(even, mode));
  let o = i32x4.max_s(i32x4.extend_high_i16x8_s(top), addendExponents(odd, mode));
  const zero = f32x4.splat(0);
  const tiny = v128.or(
    v128.and(i32x4.lt_s(e, least), f32x4.ne(even, zero)),
    v128.and(i32x4.lt_s(o, least), f32x4.ne(odd, zero)),
  );
  if (v128.any_true(v128.or(tiny, i32x4.gt_s(i32x4.max_s(e, o), i32x4.splat(127))))) return false;
  e = i32x4.max_s(e, least);
  o = i32x4.max_s(o, least);
  const scaleE = power(i32x4.sub(i32x4.splat(FRACTION), e));
  const scaleO = power(i32x4.sub(i32x4.splat(FRACTION), o));
  let sumE = f32x4.trunc(f32x4.mul(even, scaleE));
  let sumO = f32x4.trunc(f32x4.mul(odd, scaleO));
  let a = tileA(scratch, m, 0);
  const end = tileB(scratch, 32);
  for (let b = tileB(scratch, 0); b < end; b += 32) {
    const x = v128.load32_splat(a);
    sumE = f32x4.add(sumE, f32x4.trunc(f32x4.mul(f32x4.mul(x, v128.load(b)), scaleE)));
    sumO = f32x4.add(sumO, f32x4.trunc(f32x4.mul(f32x4.mul(x, v128.load(b, 16)), scaleO)));
    a += 4;
  }
  v128.store(rows, finished(sumE, e, isHalf));
  v128.store(rows, finished(sumO, o, isHalf), 16);
  return true;
}

// @ts-ignore: decorator
@inline
function exponentOf(x: f32, least: i32): i32 {
  return max(((reinterpret<i32>(x) >>> 23) & 0xff) - 127, least);
}

/** f32 bits of a sum cut to 13 bits of fraction; subnormals have fewer. */
function cutShort(x: f64): f32 {
  if (abs(x) < reinterpret<f64>(0x3810000000000000)) {
    // Below 2⁻¹²⁶: a multiple of 2⁻¹³⁹.
    const step = reinterpret<f64>(0x3740000000000000);
    return f32(trunc(x / step) * step);
  }
  return f32(reinterpret<f64>(reinterpret<i64>(x) & ~0x7fffffffff));
}

/** A sum as an f32 that rounds to f16 as it would itself. */
function odd(x: f64): f32 {
  const bits = reinterpret<i64>(x);
  const rest = bits & 0x1fffffff;
  return f32(reinterpret<f64>((bits & ~0x1fffffff) | (rest != 0 ? 0x20000000 : 0)));
}

/** One output from row m and the column at `at` of the tiles. */
function output(
  scratch: i32,
  m: i32,
  at: i32,
  c: f32,
  leastA: i32,
  leastB: i32,
  isHalf: bool,
): f32 {
  const row = tileA(scratch, m, 0);
  const column = tileB(scratch, 0) + (at << 2);
  const none = -10000;
  let top = c == 0 ? none : exponentOf(c, isHalf ? -14 : -126);
  let sum: f64 = f64(c);
  for (let k = 0; k < 32; k++) {
    const a = load<f32>(row + (k << 2));
    const b = load<f32>(column + (k << 5));
    sum += f64(a) * f64(b);
    if (a != 0 && b != 0) top = max(top, exponentOf(a, leastA) + exponentOf(b, leastB));
  }
  if (sum - sum != 0) return sum != sum ? reinterpret<f32>(0x7fffffff) : f32(sum);
  if (top == none) return 0;
  const scale = reinterpret<f64>(<i64>(1023 + FRACTION - top) << 52);
  let total = trunc(f64(c) * scale);
  for (let k = 0; k < 32; k++) {
    total += trunc(f64(load<f32>(row + (k << 2))) * f64(load<f32>(column + (k << 5))) * scale);
  }
  const result = total * reinterpret<f64>(<i64>(1023 - FRACTION + top) << 52);
  return isHalf ? odd(result) : cutShort(result);
}

/**
 * All of 16 × 8 outputs; c and d are f32, or f16x2 if `isHalf`.
 * @param special A or B has an infinity or a NaN
 */
export function multiplyQuarters(
  special: bool,
  isE5A: bool,
  isE5B: bool,
  scratch: i32,
  c: i32,
  d: i32,
  isHalf: bool,
  active: i32,
): void {
  const rows = currentRows(scratch);
  const mode = isHalf ? TO_F16 : TO_F32;
  const leastA = isE5A ? LEAST_E5M2 : LEAST_E4M3;
  const leastB = isE5B ? LEAST_E5M2 : LEAST_E4M3;
  if (special) restoreSpecials(scratch);
  for (let m = 0; m < 16; m++) {
    v128.store(rows, loadEven(c, m, isHalf));
    v128.store(rows, loadOdd(c, m, isHalf), 16);
    if (special || !quickRow(scratch, m, rows, isHalf)) {
      for (let n = 0; n < 8; n++) {
        const at = rows + (n << 2);
        store<f32>(at, output(scratch, m, n, load<f32>(at), leastA, leastB, isHalf));
      }
    }
    const even = positiveZero(v128.load(rows), mode);
    storeRow(d, m, even, positiveZero(v128.load(rows, 16), mode), isHalf, active);
  }
}
