// Fused multiply-add. WebAssembly has none that is fused everywhere, so the exact forms are
// software: f32 through f64, f64 through error-free transformations. The `_relaxed` forms are for
// engines whose relaxed_madd was found to be fused (where it is not, they round twice).

import { RM, RN, RP, RZ, demote, demoteFtz, ftz, sat, toOdd, twoSumError } from "./common";
import { fmaSlow } from "./soft64";
import { sum_rm_f32, sum_rn_f32, sum_rn_f64 } from "./sum";

/** The exact a·b + c rounded to f32 in `mode`: the f64 sum is rounded to odd first. */
// @ts-ignore: decorator
@inline
function fmaOdd(a: f32, b: f32, c: f32, mode: i32): f32 {
  const p = <f64>a * <f64>b; // exact: 48 bits, exponents within f64's range
  const s = p + <f64>c;
  if (mode == RM && s == 0) {
    // An exact zero sum is −0 when rounding down, unless both terms are +0 (IEEE 754-2019, 6.3).
    return (reinterpret<i64>(p) | reinterpret<i64>(<f64>c)) == 0 ? 0 : <f32>-0.0;
  }
  return demote(toOdd(s, twoSumError(p, <f64>c, s)), mode);
}

/** As fmaOdd, with a subnormal result flushed; the operands are flushed already. */
// @ts-ignore: decorator
@inline
function fmaFtz(a: f32, b: f32, c: f32, mode: i32): f32 {
  const p = <f64>a * <f64>b;
  const s = p + <f64>c;
  if (mode == RM && s == 0) {
    return (reinterpret<i64>(p) | reinterpret<i64>(<f64>c)) == 0 ? 0 : <f32>-0.0;
  }
  return demoteFtz(toOdd(s, twoSumError(p, <f64>c, s)), mode);
}

/** fma.rn.f32: a·b + c, rounded once. */
export function fma_rn_f32(a: f32, b: f32, c: f32): f32 {
  return sum_rn_f32(<f64>a * <f64>b, <f64>c);
}

/** fma.rz.f32 */
export function fma_rz_f32(a: f32, b: f32, c: f32): f32 {
  return fmaOdd(a, b, c, RZ);
}
/** fma.rm.f32 */
export function fma_rm_f32(a: f32, b: f32, c: f32): f32 {
  return sum_rm_f32(<f64>a * <f64>b, <f64>c);
}
/** fma.rp.f32 */
export function fma_rp_f32(a: f32, b: f32, c: f32): f32 {
  return fmaOdd(a, b, c, RP);
}

// .ftz flushes subnormal inputs and results, .sat clamps the result to [0, 1] (PTX ISA, fma).
/** fma.rn.ftz.f32 */
export function fma_rn_ftz_f32(a: f32, b: f32, c: f32): f32 {
  return fmaFtz(ftz(a), ftz(b), ftz(c), RN);
}
/** fma.rz.ftz.f32 */
export function fma_rz_ftz_f32(a: f32, b: f32, c: f32): f32 {
  return fmaFtz(ftz(a), ftz(b), ftz(c), RZ);
}
/** fma.rm.ftz.f32 */
export function fma_rm_ftz_f32(a: f32, b: f32, c: f32): f32 {
  return fmaFtz(ftz(a), ftz(b), ftz(c), RM);
}
/** fma.rp.ftz.f32 */
export function fma_rp_ftz_f32(a: f32, b: f32, c: f32): f32 {
  return fmaFtz(ftz(a), ftz(b), ftz(c), RP);
}
/** fma.rn.sat.f32 */
export function fma_rn_sat_f32(a: f32, b: f32, c: f32): f32 {
  return sat(fma_rn_f32(a, b, c));
}
/** fma.rz.sat.f32 */
export function fma_rz_sat_f32(a: f32, b: f32, c: f32): f32 {
  return sat(fmaOdd(a, b, c, RZ));
}
/** fma.rm.sat.f32 */
export function fma_rm_sat_f32(a: f32, b: f32, c: f32): f32 {
  return sat(fmaOdd(a, b, c, RM));
}
/** fma.rp.sat.f32 */
export function fma_rp_sat_f32(a: f32, b: f32, c: f32): f32 {
  return sat(fmaOdd(a, b, c, RP));
}
/** fma.rn.ftz.sat.f32 */
export function fma_rn_ftz_sat_f32(a: f32, b: f32, c: f32): f32 {
  return sat(fma_rn_ftz_f32(a, b, c));
}
/** fma.rz.ftz.sat.f32 */
export function fma_rz_ftz_sat_f32(a: f32, b: f32, c: f32): f32 {
  return sat(fma_rz_ftz_f32(a, b, c));
}
/** fma.rm.ftz.sat.f32 */
export function fma_rm_ftz_sat_f32(a: f32, b: f32, c: f32): f32 {
  return sat(fma_rm_ftz_f32(a, b, c));
}
/** fma.rp.ftz.sat.f32 */
export function fma_rp_ftz_sat_f32(a: f32, b: f32, c: f32): f32 {
  return sat(fma_rp_ftz_f32(a, b, c));
}

/** x rounded to 26 significant bits, so that the products of such halves are exact. */
// @ts-ignore: decorator
@inline
function high26(x: f64): f64 {
  return reinterpret<f64>((reinterpret<i64>(x) + 0x4000000) & ~0x7ffffff);
}

/** fma.rn.f64: a·b + c, rounded once. */
export function fma_rn_f64(a: f64, b: f64, c: f64): f64 {
  const p = a * b;
  const ah = high26(a);
  const al = a - ah;
  const bh = high26(b);
  const bl = b - bh;
  return sum_rn_f64(p, ah * bh - p + ah * bl + al * bh + al * bl, a, b, c);
}
/** fma.rz.f64 */
export function fma_rz_f64(a: f64, b: f64, c: f64): f64 {
  return fmaSlow(a, b, c, RZ);
}
/** fma.rm.f64 */
export function fma_rm_f64(a: f64, b: f64, c: f64): f64 {
  return fmaSlow(a, b, c, RM);
}
/** fma.rp.f64 */
export function fma_rp_f64(a: f64, b: f64, c: f64): f64 {
  return fmaSlow(a, b, c, RP);
}
