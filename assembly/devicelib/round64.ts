// f64 add, sub, mul, div, rcp and sqrt in the rounding modes that WebAssembly lacks. Sums are exact
// with their error term; the others are done in integers (soft64.ts).

import { RM, RP, RZ } from "./common";
import { divSlow, fmaSlow, sqrtSlow, zeroDown } from "./soft64";

// @ts-ignore: decorator
@inline
function add(a: f64, b: f64, mode: i32): f64 {
  const s = a + b;
  if (!(abs<f64>(s) < Infinity)) {
    // NaN, a true infinity, or an overflow, which only rounds to infinity on its own side.
    if (!(abs<f64>(a) < Infinity) || !(abs<f64>(b) < Infinity) || s != s) return s;
    if (mode == RP && s > 0) return s;
    if (mode == RM && s < 0) return s;
    return reinterpret<f64>(reinterpret<u64>(s) - 1);
  }
  if (mode == RM && s == 0) return zeroDown(a, b);
  // Fast2Sum with the larger operand first: its steps cannot overflow when s did not.
  const swap = abs<f64>(a) < abs<f64>(b);
  const larger = swap ? b : a;
  const error = (swap ? a : b) - (s - larger);
  const bits = reinterpret<i64>(s);
  if (error == 0) return s;
  const towardsZero = (reinterpret<i64>(error) ^ bits) < 0;
  if (mode == RZ) return towardsZero ? reinterpret<f64>(bits - 1) : s;
  if (mode == RM) return error < 0 ? reinterpret<f64>(towardsZero ? bits - 1 : bits + 1) : s;
  return error > 0 ? reinterpret<f64>(towardsZero ? bits - 1 : bits + 1) : s;
}

// A product is a fused multiply-add of a zero that has the product's sign.
// @ts-ignore: decorator
@inline
function mul(a: f64, b: f64, mode: i32): f64 {
  const zero = reinterpret<f64>((reinterpret<u64>(a) ^ reinterpret<u64>(b)) & 0x8000000000000000);
  return fmaSlow(a, b, zero, mode);
}

/** add.rz.f64 */
export function add_rz_f64(a: f64, b: f64): f64 {
  return add(a, b, RZ);
}
/** add.rm.f64 */
export function add_rm_f64(a: f64, b: f64): f64 {
  return add(a, b, RM);
}
/** add.rp.f64 */
export function add_rp_f64(a: f64, b: f64): f64 {
  return add(a, b, RP);
}
/** sub.rz.f64 */
export function sub_rz_f64(a: f64, b: f64): f64 {
  return add(a, -b, RZ);
}
/** sub.rm.f64 */
export function sub_rm_f64(a: f64, b: f64): f64 {
  return add(a, -b, RM);
}
/** sub.rp.f64 */
export function sub_rp_f64(a: f64, b: f64): f64 {
  return add(a, -b, RP);
}
/** mul.rz.f64 */
export function mul_rz_f64(a: f64, b: f64): f64 {
  return mul(a, b, RZ);
}
/** mul.rm.f64 */
export function mul_rm_f64(a: f64, b: f64): f64 {
  return mul(a, b, RM);
}
/** mul.rp.f64 */
export function mul_rp_f64(a: f64, b: f64): f64 {
  return mul(a, b, RP);
}
/** div.rz.f64 */
export function div_rz_f64(a: f64, b: f64): f64 {
  return divSlow(a, b, RZ);
}
/** div.rm.f64 */
export function div_rm_f64(a: f64, b: f64): f64 {
  return divSlow(a, b, RM);
}
/** div.rp.f64 */
export function div_rp_f64(a: f64, b: f64): f64 {
  return divSlow(a, b, RP);
}
/** rcp.rz.f64 */
export function rcp_rz_f64(a: f64): f64 {
  return divSlow(1, a, RZ);
}
/** rcp.rm.f64 */
export function rcp_rm_f64(a: f64): f64 {
  return divSlow(1, a, RM);
}
/** rcp.rp.f64 */
export function rcp_rp_f64(a: f64): f64 {
  return divSlow(1, a, RP);
}
/** sqrt.rz.f64 */
export function sqrt_rz_f64(a: f64): f64 {
  return sqrtSlow(a, RZ);
}
/** sqrt.rm.f64 */
export function sqrt_rm_f64(a: f64): f64 {
  return sqrtSlow(a, RM);
}
/** sqrt.rp.f64 */
export function sqrt_rp_f64(a: f64): f64 {
  return sqrtSlow(a, RP);
}
/** rcp.rn.f64 */
export function rcp_rn_f64(a: f64): f64 {
  return 1 / a;
}
