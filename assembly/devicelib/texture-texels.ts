// Texels of textures and surfaces, through the descriptor that an object's handle points to
// (runtime/protocol/arrays.ts). Filtering and addressing: CUDA Programming Guide, "Texture Fetching".

import {
  DESCRIPTOR_ADDRESS,
  DESCRIPTOR_BORDER,
  DESCRIPTOR_CHANNEL_BYTES,
  DESCRIPTOR_CHANNELS,
  DESCRIPTOR_FORMAT,
  DESCRIPTOR_PITCH,
  DESCRIPTOR_READ_MODE,
  DESCRIPTOR_SLICE,
  DESCRIPTOR_SRGB,
  FORMAT_FLOAT,
  FORMAT_SIGNED,
} from "../../runtime/protocol/arrays";
import { ex2_approx_f32, lg2_approx_f32 } from "./approx";
import { cvt_f32_f16 } from "./cvt-float";

/** Addresses below are never a texture's: the null page. */
export const LOWEST: u32 = 65536;

const WRAP: u32 = 0;
export const CLAMP: u32 = 1;
const MIRROR: u32 = 2;
export const BORDER: u32 = 3;

// @ts-ignore: decorator
@inline
export function field(descriptor: usize, offset: usize): u32 {
  return load<u32>(descriptor + offset);
}

/** The address of a texel or of a byte of a row; a descriptor that points nowhere is a trap. */
export function placeOf(d: usize, x: u32, y: u32, slice: u32): usize {
  const pitch = field(d, DESCRIPTOR_PITCH);
  const at = field(d, DESCRIPTOR_ADDRESS) + slice * field(d, DESCRIPTOR_SLICE) + y * pitch + x;
  if (at < LOWEST) unreachable();
  return at;
}

/** Whether texels are read as f32: floats, and integers read as fractions. */
export function isFloat(d: usize): bool {
  return field(d, DESCRIPTOR_FORMAT) == FORMAT_FLOAT || field(d, DESCRIPTOR_READ_MODE) != 0;
}

/** An 8-bit sRGB value's intensity, rounded to eight significant bits as the texture unit does. */
function linear(c: f32): f32 {
  let v: f32 = c / 12.92;
  if (c > 0.04045) v = ex2_approx_f32(2.4 * lg2_approx_f32((c + 0.055) / 1.055));
  const bits = reinterpret<u32>(v);
  return reinterpret<f32>((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
}

/** A channel of the texel at an address as f32, if `isFloat`. */
export function channelFloat(d: usize, at: usize, channel: u32): f32 {
  if (channel >= field(d, DESCRIPTOR_CHANNELS)) return 0;
  const size = field(d, DESCRIPTOR_CHANNEL_BYTES);
  const p = at + channel * size;
  const format = field(d, DESCRIPTOR_FORMAT);
  if (format == FORMAT_FLOAT) return size == 4 ? load<f32>(p) : cvt_f32_f16(<i32>load<u16>(p));
  // The least integer is below −1, as blends take it.
  if (format == FORMAT_SIGNED) return size == 1 ? <f32>load<i8>(p) / 127 : <f32>load<i16>(p) / 32767;
  if (size == 2) return <f32>load<u16>(p) / 65535;
  const value = <f32>load<u8>(p) / 255;
  return field(d, DESCRIPTOR_SRGB) != 0 && channel < 3 ? linear(value) : value;
}

/** A channel of an integer texel, extended to 32 bits. */
export function channelInteger(d: usize, at: usize, channel: u32): u32 {
  if (channel >= field(d, DESCRIPTOR_CHANNELS)) return 0;
  const size = field(d, DESCRIPTOR_CHANNEL_BYTES);
  const p = at + channel * size;
  if (size == 4) return load<u32>(p);
  if (field(d, DESCRIPTOR_FORMAT) == FORMAT_SIGNED) {
    return size == 1 ? <u32>(<i32>load<i8>(p)) : <u32>(<i32>load<i16>(p));
  }
  return size == 1 ? <u32>load<u8>(p) : <u32>load<u16>(p);
}

/** The border's channel as a texel of the texture would have it. */
export function border(d: usize, sampler: usize, channel: u32): f32 {
  if (channel >= field(d, DESCRIPTOR_CHANNELS)) return 0;
  const value = load<f32>(sampler + DESCRIPTOR_BORDER + 4 * channel);
  const format = field(d, DESCRIPTOR_FORMAT);
  if (format == FORMAT_FLOAT) return value;
  const signed = format == FORMAT_SIGNED;
  const byte = field(d, DESCRIPTOR_CHANNEL_BYTES) == 1;
  const steps: f32 = signed ? (byte ? 127 : 32767) : byte ? 255 : 65535;
  const clamped = min<f32>(max<f32>(value, signed ? -1 : 0), 1);
  return floor<f32>(clamped * steps + 0.5) / steps;
}

/** The border's channel of integers: the low bits of what the descriptor holds. */
export function borderInteger(d: usize, sampler: usize, channel: u32): u32 {
  if (channel >= field(d, DESCRIPTOR_CHANNELS)) return 0;
  const bits = load<u32>(sampler + DESCRIPTOR_BORDER + 4 * channel);
  const unused = 32 - 8 * field(d, DESCRIPTOR_CHANNEL_BYTES);
  if (field(d, DESCRIPTOR_FORMAT) == FORMAT_SIGNED) return ((<i32>bits) << unused) >> unused;
  return (bits << unused) >>> unused;
}

/**
 * The index of a texel along a dimension of `n`: −1 for the border. Wrapping and mirroring are for
 * normalized coordinates; others clamp.
 */
export function wrapIndex(i: i32, n: i32, mode: u32, normalized: bool): i32 {
  if (i >= 0 && i < n) return i;
  if (mode == BORDER) return -1;
  if (normalized && mode == WRAP) {
    const m = i % n;
    return m < 0 ? m + n : m;
  }
  if (normalized && mode == MIRROR) {
    let m = i % (2 * n);
    if (m < 0) m += 2 * n;
    return m < n ? m : 2 * n - 1 - m;
  }
  return i < 0 ? 0 : n - 1;
}
