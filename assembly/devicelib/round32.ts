// add, sub, mul, div, rcp and sqrt in the rounding modes that WebAssembly lacks, and their .ftz and
// .sat forms. (The plain .rn forms are single WASM instructions and not here.)
//
// f32: the operation is done in f64 and rounded once more. A product of two f32 is exact there; a
// sum is rounded to odd; a quotient or root of 24-bit operands is either exact or at least 2⁻⁴⁸
// away from every f32 and every tie, so its f64 rounding cannot hide on which side it lies.

import {
  F32_MIN_NORMAL,
  RM,
  RN,
  RP,
  RZ,
  demote,
  demoteFtz,
  ftz,
  sat,
  toOdd,
  twoSumError,
} from "./common";

// @ts-ignore: decorator
@inline
function add(a: f32, b: f32, mode: i32): f32 {
  if (mode == RN) return a + b;
  const s = <f64>a + <f64>b;
  if (mode == RM && s == 0) {
    // An exact zero sum is −0 when rounding down, unless both terms are +0 (IEEE 754-2019, 6.3).
    return (reinterpret<i32>(a) | reinterpret<i32>(b)) == 0 ? 0 : <f32>-0.0;
  }
  return demote(toOdd(s, twoSumError(<f64>a, <f64>b, s)), mode);
}

// @ts-ignore: decorator
@inline
function sub(a: f32, b: f32, mode: i32): f32 {
  return add(a, -b, mode);
}

// @ts-ignore: decorator
@inline
function mul(a: f32, b: f32, mode: i32): f32 {
  return mode == RN ? a * b : demote(<f64>a * <f64>b, mode);
}

/** Subnormal operands are flushed, and the result if it is subnormal after rounding. */
// @ts-ignore: decorator
@inline
function mulFtz(a: f32, b: f32, mode: i32): f32 {
  const x = ftz(a);
  const y = ftz(b);
  if (mode == RN) {
    const r = x * y;
    // Only the smallest normal number may have been rounded up from below.
    if (abs<f32>(r) > F32_MIN_NORMAL || r != r) return r;
  }
  return demoteFtz(<f64>x * <f64>y, mode);
}

// @ts-ignore: decorator
@inline
function divFtz(a: f32, b: f32, mode: i32): f32 {
  const x = ftz(a);
  const y = ftz(b);
  if (mode == RN) {
    const r = x / y;
    if (abs<f32>(r) > F32_MIN_NORMAL || r != r) return r;
  }
  return demoteFtz(<f64>x / <f64>y, mode);
}

// @ts-ignore: decorator
@inline
function div(a: f32, b: f32, mode: i32): f32 {
  return mode == RN ? a / b : demote(<f64>a / <f64>b, mode);
}

// @ts-ignore: decorator
@inline
function rcp(a: f32, mode: i32): f32 {
  return div(1, a, mode);
}

// @ts-ignore: decorator
@inline
function root(a: f32, mode: i32): f32 {
  return mode == RN ? sqrt<f32>(a) : demote(sqrt<f64>(<f64>a), mode);
}

/** add.rn.sat.f32 */
export function add_rn_sat_f32(a: f32, b: f32): f32 {
  return sat(add(a, b, RN));
}
/** add.rn.ftz.f32 */
export function add_rn_ftz_f32(a: f32, b: f32): f32 {
  return ftz(add(ftz(a), ftz(b), RN));
}
/** add.rn.ftz.sat.f32 */
export function add_rn_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(ftz(add(ftz(a), ftz(b), RN)));
}
/** add.rz.f32 */
export function add_rz_f32(a: f32, b: f32): f32 {
  return add(a, b, RZ);
}
/** add.rz.sat.f32 */
export function add_rz_sat_f32(a: f32, b: f32): f32 {
  return sat(add(a, b, RZ));
}
/** add.rz.ftz.f32 */
export function add_rz_ftz_f32(a: f32, b: f32): f32 {
  return ftz(add(ftz(a), ftz(b), RZ));
}
/** add.rz.ftz.sat.f32 */
export function add_rz_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(ftz(add(ftz(a), ftz(b), RZ)));
}
/** add.rm.f32 */
export function add_rm_f32(a: f32, b: f32): f32 {
  return add(a, b, RM);
}
/** add.rm.sat.f32 */
export function add_rm_sat_f32(a: f32, b: f32): f32 {
  return sat(add(a, b, RM));
}
/** add.rm.ftz.f32 */
export function add_rm_ftz_f32(a: f32, b: f32): f32 {
  return ftz(add(ftz(a), ftz(b), RM));
}
/** add.rm.ftz.sat.f32 */
export function add_rm_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(ftz(add(ftz(a), ftz(b), RM)));
}
/** add.rp.f32 */
export function add_rp_f32(a: f32, b: f32): f32 {
  return add(a, b, RP);
}
/** add.rp.sat.f32 */
export function add_rp_sat_f32(a: f32, b: f32): f32 {
  return sat(add(a, b, RP));
}
/** add.rp.ftz.f32 */
export function add_rp_ftz_f32(a: f32, b: f32): f32 {
  return ftz(add(ftz(a), ftz(b), RP));
}
/** add.rp.ftz.sat.f32 */
export function add_rp_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(ftz(add(ftz(a), ftz(b), RP)));
}
/** sub.rn.sat.f32 */
export function sub_rn_sat_f32(a: f32, b: f32): f32 {
  return sat(sub(a, b, RN));
}
/** sub.rn.ftz.f32 */
export function sub_rn_ftz_f32(a: f32, b: f32): f32 {
  return ftz(sub(ftz(a), ftz(b), RN));
}
/** sub.rn.ftz.sat.f32 */
export function sub_rn_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(ftz(sub(ftz(a), ftz(b), RN)));
}
/** sub.rz.f32 */
export function sub_rz_f32(a: f32, b: f32): f32 {
  return sub(a, b, RZ);
}
/** sub.rz.sat.f32 */
export function sub_rz_sat_f32(a: f32, b: f32): f32 {
  return sat(sub(a, b, RZ));
}
/** sub.rz.ftz.f32 */
export function sub_rz_ftz_f32(a: f32, b: f32): f32 {
  return ftz(sub(ftz(a), ftz(b), RZ));
}
/** sub.rz.ftz.sat.f32 */
export function sub_rz_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(ftz(sub(ftz(a), ftz(b), RZ)));
}
/** sub.rm.f32 */
export function sub_rm_f32(a: f32, b: f32): f32 {
  return sub(a, b, RM);
}
/** sub.rm.sat.f32 */
export function sub_rm_sat_f32(a: f32, b: f32): f32 {
  return sat(sub(a, b, RM));
}
/** sub.rm.ftz.f32 */
export function sub_rm_ftz_f32(a: f32, b: f32): f32 {
  return ftz(sub(ftz(a), ftz(b), RM));
}
/** sub.rm.ftz.sat.f32 */
export function sub_rm_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(ftz(sub(ftz(a), ftz(b), RM)));
}
/** sub.rp.f32 */
export function sub_rp_f32(a: f32, b: f32): f32 {
  return sub(a, b, RP);
}
/** sub.rp.sat.f32 */
export function sub_rp_sat_f32(a: f32, b: f32): f32 {
  return sat(sub(a, b, RP));
}
/** sub.rp.ftz.f32 */
export function sub_rp_ftz_f32(a: f32, b: f32): f32 {
  return ftz(sub(ftz(a), ftz(b), RP));
}
/** sub.rp.ftz.sat.f32 */
export function sub_rp_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(ftz(sub(ftz(a), ftz(b), RP)));
}
/** mul.rn.sat.f32 */
export function mul_rn_sat_f32(a: f32, b: f32): f32 {
  return sat(mul(a, b, RN));
}
/** mul.rn.ftz.f32 */
export function mul_rn_ftz_f32(a: f32, b: f32): f32 {
  return mulFtz(a, b, RN);
}
/** mul.rn.ftz.sat.f32 */
export function mul_rn_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(mulFtz(a, b, RN));
}
/** mul.rz.f32 */
export function mul_rz_f32(a: f32, b: f32): f32 {
  return mul(a, b, RZ);
}
/** mul.rz.sat.f32 */
export function mul_rz_sat_f32(a: f32, b: f32): f32 {
  return sat(mul(a, b, RZ));
}
/** mul.rz.ftz.f32 */
export function mul_rz_ftz_f32(a: f32, b: f32): f32 {
  return mulFtz(a, b, RZ);
}
/** mul.rz.ftz.sat.f32 */
export function mul_rz_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(mulFtz(a, b, RZ));
}
/** mul.rm.f32 */
export function mul_rm_f32(a: f32, b: f32): f32 {
  return mul(a, b, RM);
}
/** mul.rm.sat.f32 */
export function mul_rm_sat_f32(a: f32, b: f32): f32 {
  return sat(mul(a, b, RM));
}
/** mul.rm.ftz.f32 */
export function mul_rm_ftz_f32(a: f32, b: f32): f32 {
  return mulFtz(a, b, RM);
}
/** mul.rm.ftz.sat.f32 */
export function mul_rm_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(mulFtz(a, b, RM));
}
/** mul.rp.f32 */
export function mul_rp_f32(a: f32, b: f32): f32 {
  return mul(a, b, RP);
}
/** mul.rp.sat.f32 */
export function mul_rp_sat_f32(a: f32, b: f32): f32 {
  return sat(mul(a, b, RP));
}
/** mul.rp.ftz.f32 */
export function mul_rp_ftz_f32(a: f32, b: f32): f32 {
  return mulFtz(a, b, RP);
}
/** mul.rp.ftz.sat.f32 */
export function mul_rp_ftz_sat_f32(a: f32, b: f32): f32 {
  return sat(mulFtz(a, b, RP));
}
/** div.rn.ftz.f32 */
export function div_rn_ftz_f32(a: f32, b: f32): f32 {
  return divFtz(a, b, RN);
}
/** div.rz.f32 */
export function div_rz_f32(a: f32, b: f32): f32 {
  return div(a, b, RZ);
}
/** div.rz.ftz.f32 */
export function div_rz_ftz_f32(a: f32, b: f32): f32 {
  return divFtz(a, b, RZ);
}
/** div.rm.f32 */
export function div_rm_f32(a: f32, b: f32): f32 {
  return div(a, b, RM);
}
/** div.rm.ftz.f32 */
export function div_rm_ftz_f32(a: f32, b: f32): f32 {
  return divFtz(a, b, RM);
}
/** div.rp.f32 */
export function div_rp_f32(a: f32, b: f32): f32 {
  return div(a, b, RP);
}
/** div.rp.ftz.f32 */
export function div_rp_ftz_f32(a: f32, b: f32): f32 {
  return divFtz(a, b, RP);
}
/** rcp.rn.f32 */
export function rcp_rn_f32(a: f32): f32 {
  return rcp(a, RN);
}
/** rcp.rn.ftz.f32 */
export function rcp_rn_ftz_f32(a: f32): f32 {
  return divFtz(1, a, RN);
}
/** rcp.rz.f32 */
export function rcp_rz_f32(a: f32): f32 {
  return rcp(a, RZ);
}
/** rcp.rz.ftz.f32 */
export function rcp_rz_ftz_f32(a: f32): f32 {
  return divFtz(1, a, RZ);
}
/** rcp.rm.f32 */
export function rcp_rm_f32(a: f32): f32 {
  return rcp(a, RM);
}
/** rcp.rm.ftz.f32 */
export function rcp_rm_ftz_f32(a: f32): f32 {
  return divFtz(1, a, RM);
}
/** rcp.rp.f32 */
export function rcp_rp_f32(a: f32): f32 {
  return rcp(a, RP);
}
/** rcp.rp.ftz.f32 */
export function rcp_rp_ftz_f32(a: f32): f32 {
  return divFtz(1, a, RP);
}
/** sqrt.rn.ftz.f32 */
export function sqrt_rn_ftz_f32(a: f32): f32 {
  return ftz(root(ftz(a), RN));
}
/** sqrt.rz.f32 */
export function sqrt_rz_f32(a: f32): f32 {
  return root(a, RZ);
}
/** sqrt.rz.ftz.f32 */
export function sqrt_rz_ftz_f32(a: f32): f32 {
  return ftz(root(ftz(a), RZ));
}
/** sqrt.rm.f32 */
export function sqrt_rm_f32(a: f32): f32 {
  return root(a, RM);
}
/** sqrt.rm.ftz.f32 */
export function sqrt_rm_ftz_f32(a: f32): f32 {
  return ftz(root(ftz(a), RM));
}
/** sqrt.rp.f32 */
export function sqrt_rp_f32(a: f32): f32 {
  return root(a, RP);
}
/** sqrt.rp.ftz.f32 */
export function sqrt_rp_ftz_f32(a: f32): f32 {
  return ftz(root(ftz(a), RP));
}

// Without a rounding modifier, add, sub and mul round to nearest (PTX ISA, add).
export {
  add_rn_sat_f32 as add_sat_f32,
  add_rn_ftz_f32 as add_ftz_f32,
  add_rn_ftz_sat_f32 as add_ftz_sat_f32,
  sub_rn_sat_f32 as sub_sat_f32,
  sub_rn_ftz_f32 as sub_ftz_f32,
  sub_rn_ftz_sat_f32 as sub_ftz_sat_f32,
  mul_rn_sat_f32 as mul_sat_f32,
  mul_rn_ftz_f32 as mul_ftz_f32,
  mul_rn_ftz_sat_f32 as mul_ftz_sat_f32,
};
