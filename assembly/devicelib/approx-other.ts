// The approximate functions of f64, f16, bf16 and their pairs.

import { F64_MIN_NORMAL, bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "./common";
import { ex2_approx_f32, tanh_approx_f32 } from "./approx";

// @ts-ignore: decorator
@inline
function ftz64(x: f64): f64 {
  return abs<f64>(x) < F64_MIN_NORMAL ? copysign<f64>(0, x) : x;
}

/**
 * The upper 32 bits alone, as these functions read their operand and give their result (PTX ISA §9.7.3.13):
 * cut off, after a little was added. With these amounts an H100 has the same result for 98 % of operands.
 */
// @ts-ignore: decorator
@inline
function upper(x: f64, more: i64): f64 {
  return reinterpret<f64>((reinterpret<i64>(x) + more) & 0xffffffff00000000);
}

/** rcp.approx.ftz.f64, with subnormals flushed */
export function rcp_approx_ftz_f64(a: f64): f64 {
  const y = 1 / ftz64(upper(a, 0));
  return y == y ? ftz64(upper(y, 300647711)) : y;
}
/** rsqrt.approx.f64 */
export function rsqrt_approx_f64(a: f64): f64 {
  return 1 / sqrt<f64>(a);
}
/** rsqrt.approx.ftz.f64 */
export function rsqrt_approx_ftz_f64(a: f64): f64 {
  const y = 1 / sqrt<f64>(ftz64(upper(a, 0)));
  return y == y ? upper(y, 236223201) : y;
}

// @ts-ignore: decorator
@inline
function flushBfloat(h: i32): i32 {
  return (h & 0x7f80) == 0 ? h & 0x8000 : h;
}

/** ex2.approx.f16: the f32 function, rounded */
export function ex2_approx_f16(a: i32): i32 {
  return floatToHalf(ex2_approx_f32(halfToFloat(a)));
}
/** ex2.approx.ftz.bf16: the f32 function, rounded; subnormals are flushed */
export function ex2_approx_ftz_bf16(a: i32): i32 {
  return flushBfloat(floatToBfloat(ex2_approx_f32(bfloatToFloat(flushBfloat(a)))));
}
/** tanh.approx.f16 */
export function tanh_approx_f16(a: i32): i32 {
  return floatToHalf(tanh_approx_f32(halfToFloat(a)));
}
/** tanh.approx.bf16 */
export function tanh_approx_bf16(a: i32): i32 {
  return floatToBfloat(tanh_approx_f32(bfloatToFloat(a)));
}
/** ex2.approx.f16x2 */
export function ex2_approx_f16x2(a: i32): i32 {
  return ex2_approx_f16(a & 0xffff) | (ex2_approx_f16(a >>> 16) << 16);
}
/** ex2.approx.ftz.bf16x2 */
export function ex2_approx_ftz_bf16x2(a: i32): i32 {
  return ex2_approx_ftz_bf16(a & 0xffff) | (ex2_approx_ftz_bf16(a >>> 16) << 16);
}
/** tanh.approx.f16x2 */
export function tanh_approx_f16x2(a: i32): i32 {
  return tanh_approx_f16(a & 0xffff) | (tanh_approx_f16(a >>> 16) << 16);
}
/** tanh.approx.bf16x2 */
export function tanh_approx_bf16x2(a: i32): i32 {
  return tanh_approx_bf16(a & 0xffff) | (tanh_approx_bf16(a >>> 16) << 16);
}

/** rsqrt.approx.f64 on two lanes. */
export function rsqrt_approx_f64_x2(a: v128): v128 {
  return f64x2.div(f64x2.splat(1), f64x2.sqrt(a));
}
