// cvt to tf32 and to and from the 8-bit floats e4m3 and e5m2 (OCP 8-bit floating point, rev. 1.0).
// Packed pairs: `d = {a, b}` with a in the upper half.

import { floatToHalf, halfToFloat } from "./common";

/** The 19 bits of tf32 of f32 bits, nearest, ties away from zero; NaN keeps its upper bits. */
// @ts-ignore: decorator
@inline
function tf32Away(bits: i32): i32 {
  const special = (bits & 0x7f800000) == 0x7f800000;
  return (special ? bits : bits + 0x1000) & ~0x1fff;
}

/** To nearest even, or cut; NaN becomes 0x7fffe000, as on the GPU. */
// @ts-ignore: decorator
@inline
function tf32(bits: i32, nearest: bool): i32 {
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fffe000;
  return (nearest ? bits + 0xfff + ((bits >>> 13) & 1) : bits) & ~0x1fff;
}

// @ts-ignore: decorator
@inline
function relu32(bits: i32): i32 {
  return bits < 0 ? 0 : bits;
}

/** cvt.rna.tf32.f32 */
export function cvt_rna_tf32_f32(a: f32): i32 {
  return tf32Away(reinterpret<i32>(a));
}
/**
 * cvt.rna.satfinite.tf32.f32: infinity becomes the largest number; NaN goes the same way on the GPU
 */
export function cvt_rna_satfinite_tf32_f32(a: f32): i32 {
  const r = tf32Away(reinterpret<i32>(a));
  return (r & 0x7f800000) == 0x7f800000 ? r - 0x2000 : r;
}
/** cvt.rn.tf32.f32 */
export function cvt_rn_tf32_f32(a: f32): i32 {
  return tf32(reinterpret<i32>(a), true);
}
/** cvt.rn.relu.tf32.f32 */
export function cvt_rn_relu_tf32_f32(a: f32): i32 {
  return relu32(tf32(reinterpret<i32>(a), true));
}
/** cvt.rz.tf32.f32 */
export function cvt_rz_tf32_f32(a: f32): i32 {
  return tf32(reinterpret<i32>(a), false);
}
/** cvt.rz.relu.tf32.f32 */
export function cvt_rz_relu_tf32_f32(a: f32): i32 {
  return relu32(tf32(reinterpret<i32>(a), false));
}

/**
 * f32 → an 8-bit float with `mantissa` fraction bits whose smallest normal exponent is `emin`, to
 * nearest even; magnitudes above the largest finite value `top` become it (`.satfinite`), NaN
 * `nan`.
 */
// @ts-ignore: decorator
@inline
function toFloat8(x: f32, mantissa: i32, emin: i32, top: i32, nan: i32): i32 {
  const bits = reinterpret<i32>(x);
  const magnitude = bits & 0x7fffffff;
  const sign = (bits >>> 24) & 0x80;
  if (magnitude > 0x7f800000) return nan;
  const drop = 23 - mantissa;
  if (magnitude >= (emin + 127) << 23) {
    // Rebias, round at bit `drop`; a carry runs into the exponent as it should.
    const rebased = magnitude - ((emin + 126) << 23);
    const rounded = (rebased + (1 << (drop - 1)) - 1 + ((rebased >>> drop) & 1)) >>> drop;
    return sign | min<i32>(rounded, top);
  }
  // Subnormal: in units of 2^(emin − mantissa), rounded by the FPU.
  const scaled = reinterpret<f32>(magnitude) * reinterpret<f32>((mantissa - emin + 127) << 23);
  return sign | <i32>nearest<f32>(scaled);
}

// @ts-ignore: decorator
@inline
function toE4m3(x: f32): i32 {
  return toFloat8(x, 3, -6, 0x7e, 0x7f);
}

// @ts-ignore: decorator
@inline
function toE5m2(x: f32): i32 {
  return toFloat8(x, 2, -14, 0x7b, 0x7f);
}

// @ts-ignore: decorator
@inline
function relu8(x: i32): i32 {
  return x >= 0x80 ? 0 : x;
}

/** e4m3 → f16, exact; 0x7f and 0xff are NaN, there is no infinity. */
// @ts-ignore: decorator
@inline
function fromE4m3(x: i32): i32 {
  if ((x & 0x7f) == 0x7f) return 0x7fff;
  // In f16's place the exponent is 8 too small; the product repairs it, subnormals included.
  return floatToHalf(halfToFloat((x & 0x7f) << 7) * 256) | ((x & 0x80) << 8);
}

/** e5m2 → f16: its upper byte. */
// @ts-ignore: decorator
@inline
function fromE5m2(x: i32): i32 {
  return (x & 0x7f) > 0x7c ? 0x7fff : (x & 0xff) << 8;
}

// @ts-ignore: decorator
@inline
function relu16(h: i32): i32 {
  return h >= 0x8000 ? 0 : h;
}

/** cvt.rn.satfinite.e4m3x2.f32 */
export function cvt_rn_satfinite_e4m3x2_f32(a: f32, b: f32): i32 {
  return (toE4m3(a) << 8) | toE4m3(b);
}
/** cvt.rn.satfinite.e5m2x2.f32 */
export function cvt_rn_satfinite_e5m2x2_f32(a: f32, b: f32): i32 {
  return (toE5m2(a) << 8) | toE5m2(b);
}
/** cvt.rn.satfinite.relu.e4m3x2.f32 */
export function cvt_rn_satfinite_relu_e4m3x2_f32(a: f32, b: f32): i32 {
  return (relu8(toE4m3(a)) << 8) | relu8(toE4m3(b));
}
/** cvt.rn.satfinite.relu.e5m2x2.f32 */
export function cvt_rn_satfinite_relu_e5m2x2_f32(a: f32, b: f32): i32 {
  return (relu8(toE5m2(a)) << 8) | relu8(toE5m2(b));
}
/** cvt.rn.satfinite.e4m3x2.f16x2 */
export function cvt_rn_satfinite_e4m3x2_f16x2(a: i32): i32 {
  return (toE4m3(halfToFloat(a >>> 16)) << 8) | toE4m3(halfToFloat(a & 0xffff));
}
/** cvt.rn.satfinite.e5m2x2.f16x2 */
export function cvt_rn_satfinite_e5m2x2_f16x2(a: i32): i32 {
  return (toE5m2(halfToFloat(a >>> 16)) << 8) | toE5m2(halfToFloat(a & 0xffff));
}
/** cvt.rn.satfinite.relu.e4m3x2.f16x2 */
export function cvt_rn_satfinite_relu_e4m3x2_f16x2(a: i32): i32 {
  return (relu8(toE4m3(halfToFloat(a >>> 16))) << 8) | relu8(toE4m3(halfToFloat(a & 0xffff)));
}
/** cvt.rn.satfinite.relu.e5m2x2.f16x2 */
export function cvt_rn_satfinite_relu_e5m2x2_f16x2(a: i32): i32 {
  return (relu8(toE5m2(halfToFloat(a >>> 16))) << 8) | relu8(toE5m2(halfToFloat(a & 0xffff)));
}
/** cvt.rn.f16x2.e4m3x2 */
export function cvt_rn_f16x2_e4m3x2(a: i32): i32 {
  return (fromE4m3(a >>> 8) << 16) | fromE4m3(a & 0xff);
}
/** cvt.rn.f16x2.e5m2x2 */
export function cvt_rn_f16x2_e5m2x2(a: i32): i32 {
  return (fromE5m2(a >>> 8) << 16) | fromE5m2(a & 0xff);
}
/** cvt.rn.relu.f16x2.e4m3x2 */
export function cvt_rn_relu_f16x2_e4m3x2(a: i32): i32 {
  return (relu16(fromE4m3(a >>> 8)) << 16) | relu16(fromE4m3(a & 0xff));
}
/** cvt.rn.relu.f16x2.e5m2x2 */
export function cvt_rn_relu_f16x2_e5m2x2(a: i32): i32 {
  return (relu16(fromE5m2(a >>> 8)) << 16) | relu16(fromE5m2(a & 0xff));
}
