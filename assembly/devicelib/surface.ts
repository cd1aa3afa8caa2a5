// Surface accesses (PTX ISA §9.7.11): the descriptor is the surface object's.

import {
  DESCRIPTOR_CHANNEL_BYTES,
  DESCRIPTOR_CHANNELS,
  DESCRIPTOR_DEPTH,
  DESCRIPTOR_FORMAT,
  DESCRIPTOR_HEIGHT,
  DESCRIPTOR_WIDTH,
  FORMAT_FLOAT,
  FORMAT_SIGNED,
} from "../../runtime/protocol/arrays";
import { cvt_rz_f16_f32 } from "./cvt-half";
import {
  SURFACE_CLAMP,
  SURFACE_ELEMENTS,
  TEXTURE_DIMENSIONS,
  TEXTURE_LAYERED,
} from "./texture-defs";
import { field, placeOf } from "./texture-texels";

function clamped(v: i32, last: i32): i32 {
  return v < 0 ? 0 : min<i32>(v, last);
}

/**
 * The address of `bytes` bytes (or of a whole element) of a surface, aligned to them; 0 if they are
 * not inside, unless the control word says to clamp.
 */
export function surface_address(
  d: usize,
  control: i32,
  layer: i32,
  x: i32,
  y: i32,
  z: i32,
  bytes: i32,
): usize {
  const dimensions = control & TEXTURE_DIMENSIONS;
  const size = <i32>(field(d, DESCRIPTOR_CHANNEL_BYTES) * field(d, DESCRIPTOR_CHANNELS));
  const width = <i32>field(d, DESCRIPTOR_WIDTH) * size;
  const height = max<i32>(1, <i32>field(d, DESCRIPTOR_HEIGHT));
  const depth = max<i32>(1, <i32>field(d, DESCRIPTOR_DEPTH));
  const whole = (control & SURFACE_ELEMENTS) != 0;
  const length = whole ? size : bytes;
  let at = whole ? x * size : x;
  let row = dimensions > 1 ? y : 0;
  let slice = control & TEXTURE_LAYERED ? layer : dimensions > 2 ? z : 0;
  if (control & SURFACE_CLAMP) {
    at = clamped(at, width - length);
    row = clamped(row, height - 1);
    // Layers below the first are beyond the last.
    slice = control & TEXTURE_LAYERED && slice < 0 ? depth - 1 : clamped(slice, depth - 1);
  }
  const inside = at >= 0 && at <= width - length && <u32>row < <u32>height && <u32>slice < <u32>depth;
  if (!inside || at % length != 0) return 0;
  return placeOf(d, at, row, slice);
}

/** sust.p: stores channels of 32 bits in the surface's format: integers saturated, floats cut to f16. */
export function surface_store_formatted(d: usize, at: usize, channel: i32, bits: i32): void {
  if (<u32>channel >= field(d, DESCRIPTOR_CHANNELS)) return;
  const size = <i32>field(d, DESCRIPTOR_CHANNEL_BYTES);
  const format = field(d, DESCRIPTOR_FORMAT);
  const p = at + channel * size;
  if (size == 4) store<i32>(p, bits);
  else if (format == FORMAT_FLOAT) store<u16>(p, <u16>cvt_rz_f16_f32(reinterpret<f32>(bits)));
  else if (format == FORMAT_SIGNED) {
    const most = size == 1 ? 127 : 32767;
    const v = min<i32>(max<i32>(bits, -most - 1), most);
    if (size == 1) store<i8>(p, <i8>v);
    else store<i16>(p, <i16>v);
  } else {
    const v = min<u32>(bits, size == 1 ? 255 : 65535);
    if (size == 1) store<u8>(p, <u8>v);
    else store<u16>(p, <u16>v);
  }
}
