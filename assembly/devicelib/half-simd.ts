// f16 and bf16 on four lanes: one value in the lower half of each 32-bit lane, or packed pairs. The
// methods are those of half.ts and bfloat.ts.

import { promoteHigh, promoteLow, toOddX2, twoSumErrorX2 } from "./simd-common";
import { max_NaN_f32_x4, max_f32_x4, min_NaN_f32_x4, min_f32_x4 } from "./minmax-simd";

/** f16 bits (upper halves 0) → f32. */
// @ts-ignore: decorator
@inline
function fromHalf(h: v128): v128 {
  const magnitude = v128.and(h, i32x4.splat(0x7fff));
  const scaled = f32x4.mul(i32x4.shl(magnitude, 13), i32x4.splat(0x77800000));
  const special = v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x7bff)), i32x4.splat(0x7f800000));
  const sign = i32x4.shl(v128.and(h, i32x4.splat(0x8000)), 16);
  return v128.or(v128.or(scaled, special), sign);
}

/** f32 → f16 bits, to nearest even. */
// @ts-ignore: decorator
@inline
function toHalf(x: v128): v128 {
  const magnitude = v128.and(x, i32x4.splat(0x7fffffff));
  const base = f32x4.mul(f32x4.mul(magnitude, i32x4.splat(0x77800000)), i32x4.splat(0x08800000));
  const bias = i32x4.max_s(v128.and(magnitude, i32x4.splat(0x7f800000)), i32x4.splat(0x38800000));
  const sum = f32x4.add(i32x4.add(bias, i32x4.splat(0x07800000)), base);
  const half = i32x4.add(
    v128.and(i32x4.shr_u(sum, 13), i32x4.splat(0x7c00)),
    v128.and(sum, i32x4.splat(0xfff)),
  );
  const signed = v128.or(half, v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000)));
  return v128.bitselect(
    i32x4.splat(0x7fff),
    signed,
    i32x4.gt_s(magnitude, i32x4.splat(0x7f800000)),
  );
}

/** bf16 bits → f32. */
// @ts-ignore: decorator
@inline
function fromBfloat(h: v128): v128 {
  return i32x4.shl(h, 16);
}

/** f32 → bf16 bits, to nearest even. */
// @ts-ignore: decorator
@inline
function toBfloat(x: v128): v128 {
  const even = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), even), 16);
  return v128.bitselect(i32x4.splat(0x7fff), rounded, f32x4.ne(x, x));
}

// @ts-ignore: decorator
@inline
function low(x: v128): v128 {
  return v128.and(x, i32x4.splat(0xffff));
}

// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return i32x4.shr_u(x, 16);
}

// @ts-ignore: decorator
@inline
function pair(lower: v128, upper: v128): v128 {
  return v128.or(lower, i32x4.shl(upper, 16));
}

/** Negative values and −0 to 0; NaN (0x7fff) stays. */
// @ts-ignore: decorator
@inline
function relu(h: v128): v128 {
  return v128.andnot(h, i32x4.gt_s(h, i32x4.splat(0x7fff)));
}

/** a·b + c of f32 lanes that hold f16 values, rounded to odd. */
// @ts-ignore: decorator
@inline
function fmaOfHalves(a: v128, b: v128, c: v128): v128 {
  const p = f32x4.mul(a, b);
  const s = f32x4.add(p, c);
  const t = f32x4.sub(s, p);
  const error = f32x4.add(f32x4.sub(p, f32x4.sub(s, t)), f32x4.sub(c, t));
  const inexact = f32x4.gt(f32x4.abs(error), f32x4.splat(0));
  const down = v128.and(i32x4.shr_s(v128.xor(s, error), 31), inexact);
  return v128.or(i32x4.add(s, down), v128.and(inexact, i32x4.splat(1)));
}

/** Two f64 sums rounded to odd of the lanes' products and addends. */
// @ts-ignore: decorator
@inline
function oddSum(a: v128, b: v128, c: v128): v128 {
  const p = f64x2.mul(a, b);
  const s = f64x2.add(p, c);
  return toOddX2(s, twoSumErrorX2(p, c, s));
}

/** Two f64 → f32 rounded to odd, in lanes 0 and 1. */
// @ts-ignore: decorator
@inline
function demoteOdd(x: v128): v128 {
  const r = f32x4.demote_f64x2_zero(x);
  const back = f64x2.promote_low_f32x4(r);
  const over = f64x2.gt(f64x2.abs(back), f64x2.abs(x));
  const inexact = v128.and(f64x2.ne(back, x), f64x2.eq(x, x));
  const down = i32x4.add(r, i32x4.shuffle(over, over, 0, 2, 0, 2));
  const sticky = v128.and(i32x4.shuffle(inexact, inexact, 0, 2, 0, 2), i32x4.splat(1));
  return v128.or(down, sticky);
}

/** a·b + c of f32 lanes that hold bf16 values, rounded to odd. */
// @ts-ignore: decorator
@inline
function fmaOfBfloats(a: v128, b: v128, c: v128): v128 {
  const lower = demoteOdd(oddSum(promoteLow(a), promoteLow(b), promoteLow(c)));
  const upper = demoteOdd(oddSum(promoteHigh(a), promoteHigh(b), promoteHigh(c)));
  return i64x2.shuffle(lower, upper, 0, 2);
}

/** cvt.f32.f16 on four lanes. */
export function cvt_f32_f16_x4(a: v128): v128 {
  return fromHalf(a);
}
/** cvt.rn.f16.f32 on four lanes. */
export function cvt_rn_f16_f32_x4(a: v128): v128 {
  return toHalf(a);
}
/** cvt.rn.f16x2.f32 on four lanes. */
export function cvt_rn_f16x2_f32_x4(a: v128, b: v128): v128 {
  return pair(toHalf(b), toHalf(a));
}
/** add.rn.f16 on four lanes. */
export function add_rn_f16_x4(a: v128, b: v128): v128 {
  return toHalf(f32x4.add(fromHalf(a), fromHalf(b)));
}
/** add.rn.f16x2 on four lanes. */
export function add_rn_f16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toHalf(f32x4.add(fromHalf(low(a)), fromHalf(low(b)))),
    toHalf(f32x4.add(fromHalf(high(a)), fromHalf(high(b)))),
  );
}
/** sub.rn.f16 on four lanes. */
export function sub_rn_f16_x4(a: v128, b: v128): v128 {
  return toHalf(f32x4.sub(fromHalf(a), fromHalf(b)));
}
/** sub.rn.f16x2 on four lanes. */
export function sub_rn_f16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toHalf(f32x4.sub(fromHalf(low(a)), fromHalf(low(b)))),
    toHalf(f32x4.sub(fromHalf(high(a)), fromHalf(high(b)))),
  );
}
/** mul.rn.f16 on four lanes. */
export function mul_rn_f16_x4(a: v128, b: v128): v128 {
  return toHalf(f32x4.mul(fromHalf(a), fromHalf(b)));
}
/** mul.rn.f16x2 on four lanes. */
export function mul_rn_f16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toHalf(f32x4.mul(fromHalf(low(a)), fromHalf(low(b)))),
    toHalf(f32x4.mul(fromHalf(high(a)), fromHalf(high(b)))),
  );
}
/** fma.rn.f16 on four lanes. */
export function fma_rn_f16_x4(a: v128, b: v128, c: v128): v128 {
  return toHalf(fmaOfHalves(fromHalf(a), fromHalf(b), fromHalf(c)));
}
/** fma.rn.f16x2 on four lanes. */
export function fma_rn_f16x2_x4(a: v128, b: v128, c: v128): v128 {
  return pair(
    toHalf(fmaOfHalves(fromHalf(low(a)), fromHalf(low(b)), fromHalf(low(c)))),
    toHalf(fmaOfHalves(fromHalf(high(a)), fromHalf(high(b)), fromHalf(high(c)))),
  );
}
/** fma.rn.relu.f16 on four lanes. */
export function fma_rn_relu_f16_x4(a: v128, b: v128, c: v128): v128 {
  return relu(toHalf(fmaOfHalves(fromHalf(a), fromHalf(b), fromHalf(c))));
}
/** fma.rn.relu.f16x2 on four lanes. */
export function fma_rn_relu_f16x2_x4(a: v128, b: v128, c: v128): v128 {
  return pair(
    relu(toHalf(fmaOfHalves(fromHalf(low(a)), fromHalf(low(b)), fromHalf(low(c))))),
    relu(toHalf(fmaOfHalves(fromHalf(high(a)), fromHalf(high(b)), fromHalf(high(c))))),
  );
}
/** min.f16 on four lanes. */
export function min_f16_x4(a: v128, b: v128): v128 {
  return toHalf(min_f32_x4(fromHalf(a), fromHalf(b)));
}
/** min.f16x2 on four lanes. */
export function min_f16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toHalf(min_f32_x4(fromHalf(low(a)), fromHalf(low(b)))),
    toHalf(min_f32_x4(fromHalf(high(a)), fromHalf(high(b)))),
  );
}
/** min.NaN.f16 on four lanes. */
export function min_NaN_f16_x4(a: v128, b: v128): v128 {
  return toHalf(min_NaN_f32_x4(fromHalf(a), fromHalf(b)));
}
/** min.NaN.f16x2 on four lanes. */
export function min_NaN_f16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toHalf(min_NaN_f32_x4(fromHalf(low(a)), fromHalf(low(b)))),
    toHalf(min_NaN_f32_x4(fromHalf(high(a)), fromHalf(high(b)))),
  );
}
/** max.f16 on four lanes. */
export function max_f16_x4(a: v128, b: v128): v128 {
  return toHalf(max_f32_x4(fromHalf(a), fromHalf(b)));
}
/** max.f16x2 on four lanes. */
export function max_f16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toHalf(max_f32_x4(fromHalf(low(a)), fromHalf(low(b)))),
    toHalf(max_f32_x4(fromHalf(high(a)), fromHalf(high(b)))),
  );
}
/** max.NaN.f16 on four lanes. */
export function max_NaN_f16_x4(a: v128, b: v128): v128 {
  return toHalf(max_NaN_f32_x4(fromHalf(a), fromHalf(b)));
}
/** max.NaN.f16x2 on four lanes. */
export function max_NaN_f16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toHalf(max_NaN_f32_x4(fromHalf(low(a)), fromHalf(low(b)))),
    toHalf(max_NaN_f32_x4(fromHalf(high(a)), fromHalf(high(b)))),
  );
}
/** cvt.f32.bf16 on four lanes. */
export function cvt_f32_bf16_x4(a: v128): v128 {
  return fromBfloat(a);
}
/** cvt.rn.bf16.f32 on four lanes. */
export function cvt_rn_bf16_f32_x4(a: v128): v128 {
  return toBfloat(a);
}
/** cvt.rn.bf16x2.f32 on four lanes. */
export function cvt_rn_bf16x2_f32_x4(a: v128, b: v128): v128 {
  return pair(toBfloat(b), toBfloat(a));
}
/** add.rn.bf16 on four lanes. */
export function add_rn_bf16_x4(a: v128, b: v128): v128 {
  return toBfloat(f32x4.add(fromBfloat(a), fromBfloat(b)));
}
/** add.rn.bf16x2 on four lanes. */
export function add_rn_bf16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toBfloat(f32x4.add(fromBfloat(low(a)), fromBfloat(low(b)))),
    toBfloat(f32x4.add(fromBfloat(high(a)), fromBfloat(high(b)))),
  );
}
/** sub.rn.bf16 on four lanes. */
export function sub_rn_bf16_x4(a: v128, b: v128): v128 {
  return toBfloat(f32x4.sub(fromBfloat(a), fromBfloat(b)));
}
/** sub.rn.bf16x2 on four lanes. */
export function sub_rn_bf16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toBfloat(f32x4.sub(fromBfloat(low(a)), fromBfloat(low(b)))),
    toBfloat(f32x4.sub(fromBfloat(high(a)), fromBfloat(high(b)))),
  );
}
/** mul.rn.bf16 on four lanes. */
export function mul_rn_bf16_x4(a: v128, b: v128): v128 {
  return toBfloat(f32x4.mul(fromBfloat(a), fromBfloat(b)));
}
/** mul.rn.bf16x2 on four lanes. */
export function mul_rn_bf16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toBfloat(f32x4.mul(fromBfloat(low(a)), fromBfloat(low(b)))),
    toBfloat(f32x4.mul(fromBfloat(high(a)), fromBfloat(high(b)))),
  );
}
/** fma.rn.bf16 on four lanes. */
export function fma_rn_bf16_x4(a: v128, b: v128, c: v128): v128 {
  return toBfloat(fmaOfBfloats(fromBfloat(a), fromBfloat(b), fromBfloat(c)));
}
/** fma.rn.bf16x2 on four lanes. */
export function fma_rn_bf16x2_x4(a: v128, b: v128, c: v128): v128 {
  return pair(
    toBfloat(fmaOfBfloats(fromBfloat(low(a)), fromBfloat(low(b)), fromBfloat(low(c)))),
    toBfloat(fmaOfBfloats(fromBfloat(high(a)), fromBfloat(high(b)), fromBfloat(high(c)))),
  );
}
/** fma.rn.relu.bf16 on four lanes. */
export function fma_rn_relu_bf16_x4(a: v128, b: v128, c: v128): v128 {
  return relu(toBfloat(fmaOfBfloats(fromBfloat(a), fromBfloat(b), fromBfloat(c))));
}
/** fma.rn.relu.bf16x2 on four lanes. */
export function fma_rn_relu_bf16x2_x4(a: v128, b: v128, c: v128): v128 {
  return pair(
    relu(toBfloat(fmaOfBfloats(fromBfloat(low(a)), fromBfloat(low(b)), fromBfloat(low(c))))),
    relu(toBfloat(fmaOfBfloats(fromBfloat(high(a)), fromBfloat(high(b)), fromBfloat(high(c))))),
  );
}
/** min.bf16 on four lanes. */
export function min_bf16_x4(a: v128, b: v128): v128 {
  return toBfloat(min_f32_x4(fromBfloat(a), fromBfloat(b)));
}
/** min.bf16x2 on four lanes. */
export function min_bf16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toBfloat(min_f32_x4(fromBfloat(low(a)), fromBfloat(low(b)))),
    toBfloat(min_f32_x4(fromBfloat(high(a)), fromBfloat(high(b)))),
  );
}
/** min.NaN.bf16 on four lanes. */
export function min_NaN_bf16_x4(a: v128, b: v128): v128 {
  return toBfloat(min_NaN_f32_x4(fromBfloat(a), fromBfloat(b)));
}
/** min.NaN.bf16x2 on four lanes. */
export function min_NaN_bf16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toBfloat(min_NaN_f32_x4(fromBfloat(low(a)), fromBfloat(low(b)))),
    toBfloat(min_NaN_f32_x4(fromBfloat(high(a)), fromBfloat(high(b)))),
  );
}
/** max.bf16 on four lanes. */
export function max_bf16_x4(a: v128, b: v128): v128 {
  return toBfloat(max_f32_x4(fromBfloat(a), fromBfloat(b)));
}
/** max.bf16x2 on four lanes. */
export function max_bf16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toBfloat(max_f32_x4(fromBfloat(low(a)), fromBfloat(low(b)))),
    toBfloat(max_f32_x4(fromBfloat(high(a)), fromBfloat(high(b)))),
  );
}
/** max.NaN.bf16 on four lanes. */
export function max_NaN_bf16_x4(a: v128, b: v128): v128 {
  return toBfloat(max_NaN_f32_x4(fromBfloat(a), fromBfloat(b)));
}
/** max.NaN.bf16x2 on four lanes. */
export function max_NaN_bf16x2_x4(a: v128, b: v128): v128 {
  return pair(
    toBfloat(max_NaN_f32_x4(fromBfloat(low(a)), fromBfloat(low(b)))),
    toBfloat(max_NaN_f32_x4(fromBfloat(high(a)), fromBfloat(high(b)))),
  );
}

// Without a rounding modifier, add, sub and mul round to nearest.
export {
  add_rn_f16_x4 as add_f16_x4,
  sub_rn_f16_x4 as sub_f16_x4,
  mul_rn_f16_x4 as mul_f16_x4,
  add_rn_f16x2_x4 as add_f16x2_x4,
  sub_rn_f16x2_x4 as sub_f16x2_x4,
  mul_rn_f16x2_x4 as mul_f16x2_x4,
  add_rn_bf16_x4 as add_bf16_x4,
  sub_rn_bf16_x4 as sub_bf16_x4,
  mul_rn_bf16_x4 as mul_bf16_x4,
  add_rn_bf16x2_x4 as add_bf16x2_x4,
  sub_rn_bf16x2_x4 as sub_bf16x2_x4,
  mul_rn_bf16x2_x4 as mul_bf16x2_x4,
};
