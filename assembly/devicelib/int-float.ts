// 64-bit integers → f64, where the result needs more than one rounding to nearest. Not re-exported.

import { RM, RP, RZ, toOdd } from "./common";

/** x as f64, rounded to odd. */
// @ts-ignore: decorator
@inline
export function unsignedOdd(x: u64): f64 {
  const high = <f64>(x >> 32) * 4294967296; // exact, as is the low word; the sum's error is known
  const low = <f64>(x & 0xffffffff);
  const s = high + low;
  return toOdd(s, low - (s - high));
}

/** x as f64, rounded to odd. */
// @ts-ignore: decorator
@inline
export function signedOdd(x: i64): f64 {
  const high = <f64>(x >> 32) * 4294967296;
  const low = <f64>(x & 0xffffffff);
  const s = high + low;
  return toOdd(s, low - (s - high));
}

// @ts-ignore: decorator
@inline
function step(s: f64, error: f64, mode: i32): f64 {
  const bits = reinterpret<i64>(s);
  if (mode == RM) return error < 0 ? reinterpret<f64>(bits < 0 ? bits + 1 : bits - 1) : s;
  if (mode == RP) return error > 0 ? reinterpret<f64>(bits < 0 ? bits - 1 : bits + 1) : s;
  const towardsZero = error != 0 && (reinterpret<i64>(error) ^ bits) < 0;
  return reinterpret<f64>(bits - i64(towardsZero));
}

/** x as f64, rounded in `mode` (RZ, RM or RP). */
// @ts-ignore: decorator
@inline
export function unsignedDirected(x: u64, mode: i32): f64 {
  const high = <f64>(x >> 32) * 4294967296;
  const low = <f64>(x & 0xffffffff);
  const s = high + low;
  return step(s, low - (s - high), mode);
}

/** x as f64, rounded in `mode` (RZ, RM or RP). */
// @ts-ignore: decorator
@inline
export function signedDirected(x: i64, mode: i32): f64 {
  const high = <f64>(x >> 32) * 4294967296;
  const low = <f64>(x & 0xffffffff);
  const s = high + low;
  return step(s, low - (s - high), mode);
}
