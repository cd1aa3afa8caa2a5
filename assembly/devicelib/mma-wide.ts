/**
 * Inner products of `mma` one at a time in f64, for every input: the wide path of mma-dot.ts, which
 * says what is computed.
 */
import { tileA, tileB } from "./mma-tiles";

/** Bits kept after the point when terms are aligned. */
export const FRACTION: i32 = 25;

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

/** Exponent of a value that is not 0, at least `least` (of the subnormals of its format). */
// @ts-ignore: decorator
@inline
function exponentOf(x: f32, least: i32): i32 {
  return max(((reinterpret<i32>(x) >>> 23) & 0xff) - 127, least);
}

/**
 * One output.
 * @param at place of the column in B's tile
 * @param least exponent of the factors' subnormals: −14 (f16) or −126
 * @param leastC the same of the addend's format
 * @param odd leave a result that a rounding to f16 follows
 * @param stored bit k: element k of the row counts (what is not stored meets no infinity)
 */
export function wideOutput(
  scratch: i32,
  m: i32,
  from: i32,
  to: i32,
  at: i32,
  c: f32,
  least: i32,
  leastC: i32,
  odd: bool,
  stored: i32,
): f32 {
  const column = tileB(scratch, 0) + (at << 2);
  const row = tileA(scratch, m, 0);
  const none = -10000;
  let top = c == 0 ? none : exponentOf(c, leastC);
  let sum: f64 = f64(c);
  for (let k = from; k < to; k++) {
    if (((stored >>> k) & 1) == 0) continue;
    const a = load<f32>(row + (k << 2));
    const b = load<f32>(column + (k << 5));
    sum += f64(a) * f64(b);
    if (a != 0 && b != 0) top = max(top, exponentOf(a, least) + exponentOf(b, least));
  }
  // Infinities and NaN come through a plain sum; finite ones cannot overflow it.
  if (sum - sum != 0) return sum != sum ? reinterpret<f32>(0x7fffffff) : f32(sum);
  if (top == none) return 0;
  const scale = reinterpret<f64>(<i64>(1023 + FRACTION - top) << 52);
  let total = trunc(f64(c) * scale);
  for (let k = from; k < to; k++) {
    if (((stored >>> k) & 1) == 0) continue;
    const p = f64(load<f32>(row + (k << 2))) * f64(load<f32>(column + (k << 5)));
    total += trunc(p * scale);
  }
  const result = total * reinterpret<f64>(<i64>(1023 - FRACTION + top) << 52);
  return odd ? oddToSingle(result) : cutToSingle(result);
}
