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
 * The narrow path does four outputs at a time: products in f32 (exact: 22 bits), scaled by a power
 * of two so that the cut is the conversion to i32. It needs exponents from −50 to 50 and no
 * infinity or NaN; whatever else there is goes through the wide path, one output at a time in f64.
 */
import { SLOT_BYTES, lanes, storeLanes } from "./warp-frame";
import {
  NO_EXPONENT,
  currentRow,
  exponentA,
  exponentB,
  halfToSingle,
  singleExponents,
  tileA,
  tileB,
} from "./mma-tiles";

/** Bits kept after the point when terms are aligned. */
const FRACTION: i32 = 25;

/** How a sum becomes a destination: f32; f16 at once; f16 through f32. */
export const TO_F32: i32 = 0;
export const TO_F16: i32 = 1;
export const TO_F16_LATE: i32 = 2;

const NAN_F32: i32 = 0x7fffffff;
const NAN_F16: i32 = 0x7fff;

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
  h = v128.bitselect(i32x4.splat(NAN_F16), h, i32x4.gt_s(magnitude, i32x4.splat(0x7f800000)));
  const nan = i32x4.eq(h, i32x4.splat(NAN_F16));
  return v128.or(h, v128.andnot(sign, nan));
}

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

/** Four sums first + second, scaled to f32: cut toward zero, or rounded to odd. */
// @ts-ignore: decorator
@inline
function finish(first: v128, second: v128, exponent: v128, odd: bool): v128 {
  const low = f64x2.add(f64x2.convert_low_i32x4_s(first), f64x2.convert_low_i32x4_s(second));
  first = i32x4.shuffle(first, first, 2, 3, 2, 3);
  second = i32x4.shuffle(second, second, 2, 3, 2, 3);
  const high = f64x2.add(f64x2.convert_low_i32x4_s(first), f64x2.convert_low_i32x4_s(second));
  const x = scaled(low, exponent, odd);
  const y = scaled(high, i32x4.shuffle(exponent, exponent, 2, 3, 2, 3), odd);
  return i32x4.shuffle(x, y, 0, 1, 4, 5);
}

// @ts-ignore: decorator
@inline
function term(a: v128, b: v128, scale: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.mul(f32x4.mul(a, b), scale));
}

/** Exponents of addends; an f16 one (an f16 product's) is a subnormal below 2⁻¹⁴. */
// @ts-ignore: decorator
@inline
function addendExponents(c: v128, mode: i32): v128 {
  const e = singleExponents(c);
  if (mode != TO_F16) return e;
  const zero = i32x4.eq(e, i32x4.splat(NO_EXPONENT));
  return v128.bitselect(e, i32x4.max_s(e, i32x4.splat(-14)), zero);
}

/** One row by the narrow path: `even` and `odd` columns' addends in, results through `out`. */
// @ts-ignore: decorator
@inline
function narrowRow(
  scratch: i32,
  m: i32,
  from: i32,
  to: i32,
  even: v128,
  odd: v128,
  mode: i32,
  out: i32,
): void {
  let top = i16x8.splat(NO_EXPONENT);
  for (let k = from; k < to; k++) {
    const e = i16x8.add(v128.load16_splat(exponentA(scratch, m, k)), v128.load(exponentB(scratch, k)));
    top = i16x8.max_s(top, e);
  }
  const topEven = i32x4.extend_low_i16x8_s(top);
  const topOdd = i32x4.extend_high_i16x8_s(top);
  // Without a product other than 0 the result is c; the floor only keeps the scale a number.
  const floor = i32x4.splat(-100);
  const noneEven = i32x4.lt_s(topEven, floor);
  const noneOdd = i32x4.lt_s(topOdd, floor);
  const eEven = i32x4.max_s(i32x4.max_s(topEven, addendExponents(even, mode)), floor);
  const eOdd = i32x4.max_s(i32x4.max_s(topOdd, addendExponents(odd, mode)), floor);
  const one = i32x4.splat(127 + FRACTION);
  const scaleEven = i32x4.shl(i32x4.sub(one, eEven), 23);
  const scaleOdd = i32x4.shl(i32x4.sub(one, eOdd), 23);
  // Eight products and c stay below 2³¹, sixteen would not: two sums.
  const middle = min(from + 8, to);
  let even0 = i32x4.trunc_sat_f32x4_s(f32x4.mul(even, scaleEven));
  let odd0 = i32x4.trunc_sat_f32x4_s(f32x4.mul(odd, scaleOdd));
  let even1 = i32x4.splat(0);
  let odd1 = i32x4.splat(0);
  for (let k = from; k < middle; k++) {
    const a = v128.load32_splat(tileA(scratch, m, k));
    const b = tileB(scratch, k);
    even0 = i32x4.add(even0, term(a, v128.load(b), scaleEven));
    odd0 = i32x4.add(odd0, term(a, v128.load(b, 16), scaleOdd));
  }
  for (let k = middle; k < to; k++) {
    const a = v128.load32_splat(tileA(scratch, m, k));
    const b = tileB(scratch, k);
    even1 = i32x4.add(even1, term(a, v128.load(b), scaleEven));
    odd1 = i32x4.add(odd1, term(a, v128.load(b, 16), scaleOdd));
  }
  const sticky = mode == TO_F16;
  const x = v128.bitselect(even, finish(even0, even1, eEven, sticky), noneEven);
  const y = v128.bitselect(odd, finish(odd0, odd1, eOdd, sticky), noneOdd);
  v128.store(out, x);
  v128.store(out, y, 16);
}

/** f32 bits of an exact sum cut toward zero, subnormal results included. */
function cutToSingle(x: f64): f32 {
  if (abs(x) < reinterpret<f64>(0x3810000000000000)) {
    // Below 2⁻¹²⁶: a multiple of 2⁻¹⁴⁹.
    const step = reinterpret<f64>(0x36a0000000000000);
    return f32(trunc(x / step) * step);
  }
  return f32(reinterpret<f64>(reinterpret<i64>(x) & ~0x1fffffff));
}

/** An exact sum as an f32 that rounds to f16 as the sum itself would (round to odd). */
function oddToSingle(x: f64): f32 {
  const bits = reinterpret<i64>(x);
  const rest = bits & 0x1fffffff;
  return f32(reinterpret<f64>((bits & ~0x1fffffff) | (rest != 0 ? 0x20000000 : 0)));
}

// @ts-ignore: decorator
@inline
function isNan(x: f32): bool {
  return x != x;
}

/** One output by the wide path: place `at` (of the permuted columns) of row m. */
function wideOutput(
  scratch: i32,
  m: i32,
  from: i32,
  to: i32,
  at: i32,
  c: f32,
  mode: i32,
): f32 {
  let special: f64 = f64(c) - f64(c);
  let top = <i32>NO_EXPONENT;
  for (let k = from; k < to; k++) {
    const a = load<f32>(tileA(scratch, m, k));
    const b = load<f32>(tileB(scratch, k) + (at << 2));
    const p = f64(a) * f64(b);
    // 0 if all terms so far are finite, else NaN; infinities are told apart below.
    special += p - p;
    top = max(
      top,
      <i32>load<i16>(exponentA(scratch, m, k)) + <i32>load<i16>(exponentB(scratch, k) + (at << 1)),
    );
  }
  if (special != 0) {
    let sum: f64 = f64(c);
    for (let k = from; k < to; k++) {
      const a = load<f32>(tileA(scratch, m, k));
      sum += f64(a) * f64(load<f32>(tileB(scratch, k) + (at << 2)));
    }
    const result = f32(sum);
    return isNan(result) ? reinterpret<f32>(NAN_F32) : result;
  }
  const bits = reinterpret<i32>(c) & 0x7fffffff;
  if (bits != 0) {
    const exponent = max(bits >>> 23, 1) - 127;
    top = max(top, mode == TO_F16 ? max(exponent, -14) : exponent);
  }
  if (top < -1000) return 0;
  const scale = reinterpret<f64>(<i64>(1023 + FRACTION - top) << 52);
  let sum = trunc(f64(c) * scale);
  for (let k = from; k < to; k++) {
    const a = load<f32>(tileA(scratch, m, k));
    sum += trunc(f64(a) * f64(load<f32>(tileB(scratch, k) + (at << 2))) * scale);
  }
  const result = sum * reinterpret<f64>(<i64>(1023 - FRACTION + top) << 52);
  return mode == TO_F16 ? oddToSingle(result) : cutToSingle(result);
}

/** A result that is cut or rounded to 0 is +0, whatever the sign of the sum was. */
// @ts-ignore: decorator
@inline
function positiveZero(f: v128, mode: i32): v128 {
  // Up to 2⁻²⁵ an f16 rounds to 0.
  const largest = mode == TO_F16 ? f32x4.splat(reinterpret<f32>(0x33000000)) : f32x4.splat(0);
  return v128.andnot(f, f32x4.le(f32x4.abs(f), largest));
}

/** True if one of four f32 is infinite or NaN. */
// @ts-ignore: decorator
@inline
function isSpecial(c: v128): bool {
  const magnitude = v128.and(c, i32x4.splat(0x7fffffff));
  return v128.any_true(i32x4.gt_s(magnitude, i32x4.splat(0x7f7fffff)));
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

/**
 * One hardware product: rows 0–15 of the tiles over k in [from, to), at most 16 of them.
 * @param wide take the wide path throughout
 * @param c address of the accumulator's first register (f32, or f16x2 if `isHalf`); 0: all zero
 * @param d address of the result's first register
 * @param mode TO_F32, TO_F16 or TO_F16_LATE
 */
export function multiply(
  scratch: i32,
  from: i32,
  to: i32,
  wide: bool,
  c: i32,
  isHalf: bool,
  d: i32,
  mode: i32,
  active: i32,
): void {
  const row = currentRow(scratch);
  for (let m = 0; m < 16; m++) {
    let even = f32x4.splat(0);
    let odd = f32x4.splat(0);
    if (c != 0) {
      even = loadEven(c, m, isHalf);
      odd = loadOdd(c, m, isHalf);
    }
    if (wide || isSpecial(even) || isSpecial(odd)) {
      v128.store(row, even);
      v128.store(row, odd, 16);
      for (let n = 0; n < 8; n++) {
        const at = row + (n << 2);
        store<f32>(at, wideOutput(scratch, m, from, to, n, load<f32>(at), mode));
      }
    } else {
      narrowRow(scratch, m, from, to, even, odd, mode, row);
    }
    even = positiveZero(v128.load(row), mode);
    odd = positiveZero(v128.load(row, 16), mode);
    storeRow(d, m, even, odd, mode != TO_F32, active);
  }
}
