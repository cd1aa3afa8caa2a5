// f32 → f16 and bf16 bits in any rounding mode. Not re-exported.

import {
  RM,
  RN,
  RP,
  RZ,
  bfloatToFloat,
  floatToBfloat,
  floatToBfloatRz,
  floatToHalf,
  floatToHalfRz,
  halfToFloat,
} from "./common";

/** x as f16 in `mode` (a constant). */
// @ts-ignore: decorator
@inline
export function halfIn(x: f32, mode: i32): i32 {
  if (mode == RN) return floatToHalf(x);
  const h = floatToHalfRz(x);
  if (mode == RM) return h + i32(x < halfToFloat(h));
  if (mode == RP) return h + i32(x > halfToFloat(h));
  return h;
}

/** x as bf16 in `mode` (a constant). */
// @ts-ignore: decorator
@inline
export function bfloatIn(x: f32, mode: i32): i32 {
  if (mode == RN) return floatToBfloat(x);
  const h = floatToBfloatRz(x);
  if (mode == RM) return h + i32(x < bfloatToFloat(h));
  if (mode == RP) return h + i32(x > bfloatToFloat(h));
  return h;
}

/** `.relu`: negative values and −0 become +0; NaN stays. */
// @ts-ignore: decorator
@inline
export function relu16(h: i32): i32 {
  return h >= 0x8000 ? 0 : h;
}

/** `.satfinite`: infinities become the largest finite value of their sign; NaN stays. */
// @ts-ignore: decorator
@inline
export function finite16(h: i32, infinity: i32): i32 {
  return (h & 0x7fff) == infinity ? h - 1 : h;
}
