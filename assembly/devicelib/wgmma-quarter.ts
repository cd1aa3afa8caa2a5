/**
 * The sums of `wgmma` on 8-bit floats, which an H100 does with fewer bits than those of 16-bit ones
 * (mma-dot.ts): all 32 products and the addend are aligned to the largest exponent among them, cut
 * toward zero to 13 bits after the point, and summed; an f32 result is cut to 13 bits of fraction,
 * an f16 result rounded to nearest even. (Xie et al., "MMA-Sim", arXiv:2511.10909.)
 *
 *      scratch    A f32[16][32], B f32[32][8] as in mma-tiles.ts
 */
import { TO_F16, TO_F32, loadEven, loadOdd, positiveZero, storeRow } from "./mma-dot";
import { E4M3, E5M2, currentRows, restoreSpecials, tileA, tileB, unpackA, unpackB } from "./mma-tiles";

/** Bits after the point. */
const FRACTION: i32 = 13;

/** Exponents of the subnormals of e4m3 and e5m2. */
const LEAST_E4M3: i32 = -6;
const LEAST_E5M2: i32 = -14;

/** Unpacks A. Elements lie in another order along k than they came, as B's do. */
export function quartersA(isE5: bool, a: i32, scratch: i32): void {
  if (isE5) unpackA(E5M2, a, 4, scratch);
  else unpackA(E4M3, a, 4, scratch);
}

/** Unpacks B. */
export function quartersB(isE5: bool, b: i32, scratch: i32): void {
  if (isE5) unpackB(E5M2, b, 2, scratch);
  else unpackB(E4M3, b, 2, scratch);
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

/** All of 16 × 8 outputs; c and d are f32, or f16x2 if `isHalf`. */
export function multiplyQuarters(
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
  restoreSpecials(scratch);
  for (let m = 0; m < 16; m++) {
    v128.store(rows, loadEven(c, m, isHalf));
    v128.store(rows, loadOdd(c, m, isHalf), 16);
    for (let n = 0; n < 8; n++) {
      const at = rows + (n << 2);
      store<f32>(at, output(scratch, m, n, load<f32>(at), leastA, leastB, isHalf));
    }
    const even = positiveZero(v128.load(rows), mode);
    storeRow(d, m, even, positiveZero(v128.load(rows, 16), mode), isHalf, active);
  }
}
