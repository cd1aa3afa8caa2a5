/** Reading elements of the case files as numbers: f16 and bf16 included, packed pairs as two. */
import type { ElementType } from "./oracle.ts";

/** Floating-point types of one value. */
export type FloatType = "f16" | "bf16" | "f32" | "f64";

/** A float type's explicit significand bits and smallest normal exponent. */
export const FLOAT_FORMAT: Record<
  FloatType,
  { fraction: number; minExponent: number; max: number }
> = {
  f16: { fraction: 10, minExponent: -14, max: 65504 },
  bf16: { fraction: 7, minExponent: -126, max: 2 ** 128 - 2 ** 120 },
  f32: { fraction: 23, minExponent: -126, max: 2 ** 128 - 2 ** 104 },
  f64: { fraction: 52, minExponent: -1022, max: Number.MAX_VALUE },
};

const scratch = new DataView(new ArrayBuffer(8));

/** f16 bits → number. */
export function halfValue(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}

/** bf16 bits → number. */
export function bfloatValue(bits: number): number {
  scratch.setUint32(0, (bits << 16) >>> 0);
  return scratch.getFloat32(0);
}

/** The float type that an element type holds (one or two of), or undefined for integers. */
export function floatType(type: ElementType): FloatType | undefined {
  if (type.endsWith("x2")) return type.slice(0, -2) as FloatType;
  return type in FLOAT_FORMAT ? (type as FloatType) : undefined;
}

/** All floats in a vector, in memory order; packed pairs give two each. */
export function floatsOf(type: FloatType, bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: number[] = [];
  if (type === "f64") for (let i = 0; i < bytes.length; i += 8) out.push(view.getFloat64(i, true));
  else if (type === "f32")
    for (let i = 0; i < bytes.length; i += 4) out.push(view.getFloat32(i, true));
  else {
    const value = type === "f16" ? halfValue : bfloatValue;
    for (let i = 0; i < bytes.length; i += 2) out.push(value(view.getUint16(i, true)));
  }
  return out;
}

/** The distance between neighbouring values of the type around x (its unit in the last place). */
export function ulp(type: FloatType, x: number): number {
  const { fraction, minExponent } = FLOAT_FORMAT[type];
  const exponent =
    x === 0 ? minExponent : Math.max(Math.floor(Math.log2(Math.abs(x))), minExponent);
  return 2 ** (exponent - fraction);
}
