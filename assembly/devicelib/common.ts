// Shared pieces of the device library's arithmetic. Not re-exported by index.ts: everything here is
// inlined into the functions that the compiler links.
//
// The central idea is "round to odd": when a value cannot be held exactly in the wider format, the
// lowest bit of its truncation is set. A number rounded to odd with at least two bits to spare can
// then be rounded to the narrower format in any mode without a double rounding
// (Boldo & Melquiond, "Emulation of FMA and correctly rounded sums", IEEE TC 57(4), 2008).

/** Rounding modes of the helpers that take one as a constant. */
export const RN = 0;
export const RZ = 1;
export const RM = 2;
export const RP = 3;

/** Smallest normal f32, 2⁻¹²⁶. */
export const F32_MIN_NORMAL: f32 = 1.1754943508222875e-38;
/** Smallest normal f64, 2⁻¹⁰²². */
export const F64_MIN_NORMAL: f64 = 2.2250738585072014e-308;

/** The NaN that an NVIDIA GPU returns from f32 arithmetic. */
// @ts-ignore: decorator
@inline
export function nan32(): f32 {
  return reinterpret<f32>(0x7fffffff);
}

/** The NaN that an NVIDIA GPU returns from f64 arithmetic. */
// @ts-ignore: decorator
@inline
export function nan64(): f64 {
  return reinterpret<f64>(0x7ff8000000000000);
}

/** Flushes a subnormal f32 to a zero of its sign. */
// @ts-ignore: decorator
@inline
export function ftz(x: f32): f32 {
  return abs<f32>(x) < F32_MIN_NORMAL ? copysign<f32>(0, x) : x;
}

/** Clamps to [0, 1]; NaN and −0 become +0 (PTX ISA, `.sat`). */
// @ts-ignore: decorator
@inline
export function sat(x: f32): f32 {
  return x > 0 ? (x < 1 ? x : 1) : 0;
}

/** The error of the f64 sum `s = a + b`: exact unless s overflowed (Knuth's TwoSum). */
// @ts-ignore: decorator
@inline
export function twoSumError(a: f64, b: f64, s: f64): f64 {
  const bb = s - a;
  return a - (s - bb) + (b - bb);
}

/**
 * Turns a sum rounded to nearest into the sum rounded to odd: `error` is what the rounding lost.
 * A NaN or infinity stays what it is (an infinite operand makes the error NaN).
 */
// @ts-ignore: decorator
@inline
export function toOdd(s: f64, error: f64): f64 {
  if (!(abs<f64>(error) > 0)) return s;
  const bits = reinterpret<i64>(s);
  return reinterpret<f64>((bits + ((bits ^ reinterpret<i64>(error)) >> 63)) | 1);
}

/** f64 → f32, rounding to odd: ready to be rounded once more, to f16 or bf16. */
// @ts-ignore: decorator
@inline
export function demoteOdd(x: f64): f32 {
  const r = <f32>x;
  const back = <f64>r;
  if (back == x || x != x) return r;
  const bits = reinterpret<i32>(r);
  return reinterpret<f32>((bits - i32(abs<f64>(back) > abs<f64>(x))) | 1);
}

/** f64 → f32 towards zero. */
// @ts-ignore: decorator
@inline
export function demoteRz(x: f64): f32 {
  const r = <f32>x;
  return reinterpret<f32>(reinterpret<i32>(r) - i32(abs<f64>(<f64>r) > abs<f64>(x)));
}

/** f64 → f32 towards minus infinity. */
// @ts-ignore: decorator
@inline
export function demoteRm(x: f64): f32 {
  const r = <f32>x;
  const bits = reinterpret<i32>(r);
  return <f64>r > x ? reinterpret<f32>(bits < 0 ? bits + 1 : bits - 1) : r;
}

/** f64 → f32 towards plus infinity. */
// @ts-ignore: decorator
@inline
export function demoteRp(x: f64): f32 {
  const r = <f32>x;
  const bits = reinterpret<i32>(r);
  return <f64>r < x ? reinterpret<f32>(bits < 0 ? bits - 1 : bits + 1) : r;
}

/** f64 → f32 in the rounding mode `mode` (a constant). */
// @ts-ignore: decorator
@inline
export function demote(x: f64, mode: i32): f32 {
  if (mode == RZ) return demoteRz(x);
  if (mode == RM) return demoteRm(x);
  if (mode == RP) return demoteRp(x);
  return <f32>x;
}

/**
 * f64 → f32 in `mode` with a result that is flushed if it is subnormal. As on the GPU, a result is
 * subnormal if it is below 2⁻¹²⁶ after rounding to 24 bits with no limit to the exponent.
 */
// @ts-ignore: decorator
@inline
export function demoteFtz(x: f64, mode: i32): f32 {
  if (!(abs<f64>(x) < 2.350988701644575e-38)) return demote(x, mode); // 2⁻¹²⁵
  const scaled = demote(x * 1.2676506002282294e30, mode); // 2¹⁰⁰
  if (abs<f32>(scaled) < 1.4901161193847656e-8) return copysign<f32>(0, <f32>x);
  return scaled * 7.888609052210118e-31;
}

/** f16 bits → f32, exact. */
// @ts-ignore: decorator
@inline
export function halfToFloat(h: i32): f32 {
  const magnitude = h & 0x7fff;
  // Shifted into f32's place the exponent is 112 too small; a product repairs it, subnormals
  // included.
  const scaled = reinterpret<i32>(reinterpret<f32>(magnitude << 13) * reinterpret<f32>(0x77800000));
  return reinterpret<f32>(scaled | ((h & 0x8000) << 16) | (magnitude >= 0x7c00 ? 0x7f800000 : 0));
}

/** f32 → f16 bits, to nearest even; NaN becomes 0x7fff, as on the GPU. */
// @ts-ignore: decorator
@inline
export function floatToHalf(x: f32): i32 {
  const bits = reinterpret<i32>(x);
  const magnitude = bits & 0x7fffffff;
  // Overflow to infinity by one product, back by another; then adding a power of two 13 bits above
  // the f16 result's unit lets the FPU round to nearest even, subnormals included.
  const base =
    reinterpret<f32>(magnitude) * reinterpret<f32>(0x77800000) * reinterpret<f32>(0x08800000);
  const bias = max<i32>(magnitude & 0x7f800000, 0x38800000);
  const sum = reinterpret<i32>(reinterpret<f32>(bias + 0x07800000) + base);
  const half = ((sum >> 13) & 0x7c00) + (sum & 0xfff);
  return magnitude > 0x7f800000 ? 0x7fff : half | ((bits >>> 16) & 0x8000);
}

/** f32 → f16 bits to nearest even, where a subnormal result is flushed (see demoteFtz). */
// @ts-ignore: decorator
@inline
export function floatToHalfFtz(x: f32): i32 {
  // 2⁻¹⁴·(1 − 2⁻¹²) is the least that rounds to 2⁻¹⁴ in 11 bits.
  if (abs<f32>(x) < reinterpret<f32>(0x387ff000)) return (reinterpret<u32>(x) >>> 16) & 0x8000;
  return floatToHalf(x);
}

/** f32 → f16 bits, towards zero; NaN becomes 0x7fff. */
// @ts-ignore: decorator
@inline
export function floatToHalfRz(x: f32): i32 {
  const bits = reinterpret<i32>(x);
  const magnitude = bits & 0x7fffffff;
  const sign = (bits >>> 16) & 0x8000;
  if (magnitude >= 0x47800000) {
    // 65536 and above: the largest finite value, except for infinity and NaN themselves.
    if (magnitude > 0x7f800000) return 0x7fff;
    return sign | (magnitude == 0x7f800000 ? 0x7c00 : 0x7bff);
  }
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000) >>> 13);
  // Subnormal: units of 2⁻²⁴.
  return sign | i32(reinterpret<f32>(magnitude) * 16777216);
}

/** bf16 bits → f32, exact. */
// @ts-ignore: decorator
@inline
export function bfloatToFloat(h: i32): f32 {
  return reinterpret<f32>(h << 16);
}

/** f32 → bf16 bits, to nearest even; NaN becomes 0x7fff. */
// @ts-ignore: decorator
@inline
export function floatToBfloat(x: f32): i32 {
  const bits = reinterpret<i32>(x);
  const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  return x != x ? 0x7fff : rounded;
}

/** f32 → bf16 bits, towards zero; NaN becomes 0x7fff. */
// @ts-ignore: decorator
@inline
export function floatToBfloatRz(x: f32): i32 {
  return x != x ? 0x7fff : reinterpret<u32>(x) >>> 16;
}
