// f32 and f64 minimum and maximum on four or two lanes, .ftz and .sat forms of f32 arithmetic.

import { mul_rn_ftz_f32 } from "./round32";
import { ftzX4, satX4 } from "./simd-common";

/** Where both were NaN the canonical one, where one was the other operand, else `m`. */
// @ts-ignore: decorator
@inline
function numberOf(a: v128, b: v128, m: v128): v128 {
  const nanA = f32x4.ne(a, a);
  const nanB = f32x4.ne(b, b);
  const one = v128.bitselect(a, v128.bitselect(b, m, nanA), nanB);
  return v128.bitselect(i32x4.splat(0x7fffffff), one, v128.and(nanA, nanB));
}

/** min.f32 on four lanes. */
export function min_f32_x4(a: v128, b: v128): v128 {
  return numberOf(a, b, f32x4.min(a, b));
}
/** max.f32 on four lanes. */
export function max_f32_x4(a: v128, b: v128): v128 {
  return numberOf(a, b, f32x4.max(a, b));
}
/** min.ftz.f32 on four lanes. */
export function min_ftz_f32_x4(a: v128, b: v128): v128 {
  return min_f32_x4(ftzX4(a), ftzX4(b));
}
/** max.ftz.f32 on four lanes. */
export function max_ftz_f32_x4(a: v128, b: v128): v128 {
  return max_f32_x4(ftzX4(a), ftzX4(b));
}

// @ts-ignore: decorator
@inline
function canonical(m: v128): v128 {
  return v128.bitselect(i32x4.splat(0x7fffffff), m, f32x4.ne(m, m));
}

/** min.NaN.f32 on four lanes. */
export function min_NaN_f32_x4(a: v128, b: v128): v128 {
  return canonical(f32x4.min(a, b));
}
/** max.NaN.f32 on four lanes. */
export function max_NaN_f32_x4(a: v128, b: v128): v128 {
  return canonical(f32x4.max(a, b));
}

/** min.f64 on two lanes. */
export function min_f64_x2(a: v128, b: v128): v128 {
  const m = f64x2.min(a, b);
  return v128.bitselect(a, v128.bitselect(b, m, f64x2.ne(a, a)), f64x2.ne(b, b));
}
/** max.f64 on two lanes. */
export function max_f64_x2(a: v128, b: v128): v128 {
  const m = f64x2.max(a, b);
  return v128.bitselect(a, v128.bitselect(b, m, f64x2.ne(a, a)), f64x2.ne(b, b));
}

/** cvt.sat.f32.f32 on four lanes. */
export function cvt_sat_f32_f32_x4(a: v128): v128 {
  return satX4(a);
}
/** cvt.ftz.f32.f32 on four lanes. */
export function cvt_ftz_f32_f32_x4(a: v128): v128 {
  return ftzX4(a);
}
/** cvt.ftz.sat.f32.f32 on four lanes. */
export function cvt_ftz_sat_f32_f32_x4(a: v128): v128 {
  return satX4(ftzX4(a));
}
/** abs.ftz.f32 on four lanes. */
export function abs_ftz_f32_x4(a: v128): v128 {
  return f32x4.abs(ftzX4(a));
}
/** neg.ftz.f32 on four lanes. */
export function neg_ftz_f32_x4(a: v128): v128 {
  return f32x4.neg(ftzX4(a));
}

/** add.rn.ftz.f32 on four lanes; a subnormal sum is exact. */
export function add_rn_ftz_f32_x4(a: v128, b: v128): v128 {
  return ftzX4(f32x4.add(ftzX4(a), ftzX4(b)));
}
/** sub.rn.ftz.f32 on four lanes. */
export function sub_rn_ftz_f32_x4(a: v128, b: v128): v128 {
  return ftzX4(f32x4.sub(ftzX4(a), ftzX4(b)));
}
/** mul.rn.ftz.f32 on four lanes. */
export function mul_rn_ftz_f32_x4(a: v128, b: v128): v128 {
  const r = f32x4.mul(ftzX4(a), ftzX4(b));
  // Only the smallest normal number may have been rounded up from what is to be flushed.
  const doubtful = f32x4.eq(f32x4.abs(r), f32x4.splat(1.1754943508222875e-38));
  return v128.any_true(doubtful) ? mulOneByOne(a, b) : ftzX4(r);
}

function mulOneByOne(a: v128, b: v128): v128 {
  return f32x4(
    mul_rn_ftz_f32(f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0)),
    mul_rn_ftz_f32(f32x4.extract_lane(a, 1), f32x4.extract_lane(b, 1)),
    mul_rn_ftz_f32(f32x4.extract_lane(a, 2), f32x4.extract_lane(b, 2)),
    mul_rn_ftz_f32(f32x4.extract_lane(a, 3), f32x4.extract_lane(b, 3)),
  );
}

/** add.rn.sat.f32 on four lanes. */
export function add_rn_sat_f32_x4(a: v128, b: v128): v128 {
  return satX4(f32x4.add(a, b));
}
/** sub.rn.sat.f32 on four lanes. */
export function sub_rn_sat_f32_x4(a: v128, b: v128): v128 {
  return satX4(f32x4.sub(a, b));
}
/** mul.rn.sat.f32 on four lanes. */
export function mul_rn_sat_f32_x4(a: v128, b: v128): v128 {
  return satX4(f32x4.mul(a, b));
}
/** add.rn.ftz.sat.f32 on four lanes. */
export function add_rn_ftz_sat_f32_x4(a: v128, b: v128): v128 {
  return satX4(add_rn_ftz_f32_x4(a, b));
}
/** sub.rn.ftz.sat.f32 on four lanes. */
export function sub_rn_ftz_sat_f32_x4(a: v128, b: v128): v128 {
  return satX4(sub_rn_ftz_f32_x4(a, b));
}
/** mul.rn.ftz.sat.f32 on four lanes. */
export function mul_rn_ftz_sat_f32_x4(a: v128, b: v128): v128 {
  return satX4(mul_rn_ftz_f32_x4(a, b));
}
/** rcp.rn.f32 on four lanes. */
export function rcp_rn_f32_x4(a: v128): v128 {
  return f32x4.div(f32x4.splat(1), a);
}
/** rcp.rn.f64 on two lanes. */
export function rcp_rn_f64_x2(a: v128): v128 {
  return f64x2.div(f64x2.splat(1), a);
}
/** sqrt.rn.ftz.f32 on four lanes. */
export function sqrt_rn_ftz_f32_x4(a: v128): v128 {
  return f32x4.sqrt(ftzX4(a));
}
/** copysign.f32 on four lanes: the magnitude of b with the sign of a. */
export function copysign_f32_x4(a: v128, b: v128): v128 {
  return v128.bitselect(a, b, i32x4.splat(0x80000000));
}
/** copysign.f64 on two lanes. */
export function copysign_f64_x2(a: v128, b: v128): v128 {
  return v128.bitselect(a, b, i64x2.splat(0x8000000000000000));
}

export {
  add_rn_ftz_f32_x4 as add_ftz_f32_x4,
  add_rn_ftz_sat_f32_x4 as add_ftz_sat_f32_x4,
  add_rn_sat_f32_x4 as add_sat_f32_x4,
  mul_rn_ftz_f32_x4 as mul_ftz_f32_x4,
  mul_rn_ftz_sat_f32_x4 as mul_ftz_sat_f32_x4,
  mul_rn_sat_f32_x4 as mul_sat_f32_x4,
  sub_rn_ftz_f32_x4 as sub_ftz_f32_x4,
  sub_rn_ftz_sat_f32_x4 as sub_ftz_sat_f32_x4,
  sub_rn_sat_f32_x4 as sub_sat_f32_x4,
};
