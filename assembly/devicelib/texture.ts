// Texture fetches and queries (PTX ISA §9.7.10): `out` gets four 32-bit results. `sampler` is the
// descriptor that says how to sample, the texture's own if there is no separate one.

import {
  DESCRIPTOR_ADDRESS_MODE_X,
  DESCRIPTOR_ADDRESS_MODE_Y,
  DESCRIPTOR_ADDRESS_MODE_Z,
  DESCRIPTOR_CHANNEL_BYTES,
  DESCRIPTOR_CHANNELS,
  DESCRIPTOR_DEPTH,
  DESCRIPTOR_FILTER,
  DESCRIPTOR_FORMAT,
  DESCRIPTOR_HEIGHT,
  DESCRIPTOR_LAYERED,
  DESCRIPTOR_NORMALIZED,
  DESCRIPTOR_READ_MODE,
  DESCRIPTOR_WIDTH,
  FORMAT_FLOAT,
  FORMAT_SIGNED,
} from "../../runtime/protocol/arrays";
import {
  QUERY_ADDRESS_MODE_X,
  QUERY_ADDRESS_MODE_Y,
  QUERY_ADDRESS_MODE_Z,
  QUERY_ARRAY_SIZE,
  QUERY_CHANNEL_DATA_TYPE,
  QUERY_CHANNEL_ORDER,
  QUERY_DEPTH,
  QUERY_FILTER_MODE,
  QUERY_HEIGHT,
  QUERY_NORMALIZED,
  QUERY_WIDTH,
  TEXTURE_COMPONENT_SHIFT,
  TEXTURE_CUBE,
  TEXTURE_DIMENSIONS,
  TEXTURE_LAYERED,
} from "./texture-defs";
import {
  border,
  channelFloat,
  channelInteger,
  field,
  isFloat,
  placeOf,
  wrapIndex,
} from "./texture-texels";

const FAR: f64 = 268435456;

/** Texels of a dimension; one if the texture doesn't have it. */
function extent(d: usize, offset: usize): i32 {
  return max<i32>(1, <i32>field(d, offset));
}

/** A coordinate in texels, times 256, kept far from overflow; NaN is 0. */
function fixed(coordinate: f64): i64 {
  if (coordinate != coordinate) return 0;
  return <i64>floor<f64>(min<f64>(max<f64>(coordinate, -FAR), FAR) * 256 + 0.5);
}

/** The texel that a coordinate lies in. */
function nearest(coordinate: f64): i32 {
  if (coordinate != coordinate) return 0;
  return <i32>floor<f64>(min<f64>(max<f64>(coordinate, -FAR), FAR));
}

/** A channel of the texel at indices that addressing has mapped; the border's where one is −1. */
function texel(d: usize, s: usize, x: i32, y: i32, slice: i32, channel: u32): f32 {
  if ((x | y | slice) < 0) return border(s, channel);
  const size = field(d, DESCRIPTOR_CHANNEL_BYTES) * field(d, DESCRIPTOR_CHANNELS);
  return channelFloat(d, placeOf(d, x * size, y, slice), channel);
}

/** The slice of a layered texture: layers outside are the nearest. */
function layerOf(d: usize, control: i32, layer: i32): i32 {
  const faces = control & TEXTURE_CUBE ? 6 : 1;
  const layers = extent(d, DESCRIPTOR_DEPTH) / faces;
  const index = <u32>layer < <u32>layers ? layer : layers - 1;
  return index * faces;
}

/** The face of a cube that a direction points to (CUDA Programming Guide, table of cubemaps). */
function faceOf(x: f32, y: f32, z: f32): i32 {
  const ax = abs<f32>(x);
  const ay = abs<f32>(y);
  const az = abs<f32>(z);
  if (ax >= ay && ax >= az) return x < 0 ? 1 : 0;
  if (ay >= az) return y < 0 ? 3 : 2;
  return z < 0 ? 5 : 4;
}

/** tex with f32 coordinates. */
export function texture_fetch(
  d: usize,
  s: usize,
  out: usize,
  control: i32,
  layer: i32,
  x: f32,
  y: f32,
  z: f32,
): void {
  sample(d, s, out, control, layer, x, y, z, -1);
}

/** tld4: one component of the four texels of a bilinear fetch, counterclockwise from (0, 1). */
export function texture_gather(
  d: usize,
  s: usize,
  out: usize,
  control: i32,
  layer: i32,
  x: f32,
  y: f32,
  z: f32,
): void {
  sample(d, s, out, control, layer, x, y, z, (control >> TEXTURE_COMPONENT_SHIFT) & 3);
}

function sample(
  d: usize,
  s: usize,
  out: usize,
  control: i32,
  layer: i32,
  x: f32,
  y: f32,
  z: f32,
  component: i32,
): void {
  let dimensions = control & TEXTURE_DIMENSIONS;
  let slice = control & TEXTURE_LAYERED ? layerOf(d, control, layer) : 0;
  let normalized = field(s, DESCRIPTOR_NORMALIZED) != 0;
  let modeX = field(s, DESCRIPTOR_ADDRESS_MODE_X);
  let modeY = field(s, DESCRIPTOR_ADDRESS_MODE_Y);
  let u = x;
  let v = y;
  if (control & TEXTURE_CUBE) {
    const face = faceOf(x, y, z);
    const major = abs<f32>(face < 2 ? x : face < 4 ? y : z);
    const across = face == 0 ? -z : face == 1 ? z : face == 5 ? -x : x;
    const down = face == 2 ? z : face == 3 ? -z : -y;
    u = (across / major + 1) / 2;
    v = (down / major + 1) / 2;
    slice += face;
    dimensions = 2;
    normalized = true;
    modeX = 1;
    modeY = 1;
  }
  const width = extent(d, DESCRIPTOR_WIDTH);
  const height = dimensions > 1 ? extent(d, DESCRIPTOR_HEIGHT) : 1;
  const depth = dimensions > 2 ? extent(d, DESCRIPTOR_DEPTH) : 1;
  const a = <f64>(normalized ? u * <f32>width : u);
  const b = dimensions > 1 ? <f64>(normalized ? v * <f32>height : v) : 0;
  const c = dimensions > 2 ? <f64>(normalized ? z * <f32>depth : z) : 0;
  const modeZ = field(s, DESCRIPTOR_ADDRESS_MODE_Z);
  if (component < 0 && (field(s, DESCRIPTOR_FILTER) == 0 || !isFloat(d))) {
    const i = wrapIndex(nearest(a), width, modeX, normalized);
    const j = dimensions > 1 ? wrapIndex(nearest(b), height, modeY, normalized) : 0;
    const k = dimensions > 2 ? wrapIndex(nearest(c), depth, modeZ, normalized) : slice;
    writeTexel(d, s, out, i, j, k);
    return;
  }
  // Weights have 8 fractional bits.
  const fa = fixed(a - 0.5);
  const fb = dimensions > 1 ? fixed(b - 0.5) : 0;
  const fc = dimensions > 2 ? fixed(c - 0.5) : 0;
  const i0 = wrapIndex(<i32>(fa >> 8), width, modeX, normalized);
  const i1 = wrapIndex(<i32>(fa >> 8) + 1, width, modeX, normalized);
  const j0 = dimensions > 1 ? wrapIndex(<i32>(fb >> 8), height, modeY, normalized) : 0;
  const j1 = dimensions > 1 ? wrapIndex(<i32>(fb >> 8) + 1, height, modeY, normalized) : 0;
  const k0 = dimensions > 2 ? wrapIndex(<i32>(fc >> 8), depth, modeZ, normalized) : slice;
  const k1 = dimensions > 2 ? wrapIndex(<i32>(fc >> 8) + 1, depth, modeZ, normalized) : slice;
  if (component >= 0) {
    gather(d, s, out, i0, j1, k0, component);
    gather(d, s, out + 4, i1, j1, k0, component);
    gather(d, s, out + 8, i1, j0, k0, component);
    gather(d, s, out + 12, i0, j0, k0, component);
    return;
  }
  const wa = <f64>(fa & 255) / 256;
  const wb = <f64>(fb & 255) / 256;
  const wc = <f64>(fc & 255) / 256;
  for (let channel: u32 = 0; channel < 4; channel++) {
    let sum = plane(d, s, i0, i1, j0, j1, k0, wa, wb, channel);
    if (wc != 0) sum += wc * (plane(d, s, i0, i1, j0, j1, k1, wa, wb, channel) - sum);
    store<f32>(out + 4 * channel, <f32>sum);
  }
}

/** One component of a texel, as the texture's type has it. */
function gather(d: usize, s: usize, out: usize, x: i32, y: i32, slice: i32, channel: i32): void {
  if ((x | y | slice) < 0 || isFloat(d)) store<f32>(out, texel(d, s, x, y, slice, channel));
  else {
    const size = field(d, DESCRIPTOR_CHANNEL_BYTES) * field(d, DESCRIPTOR_CHANNELS);
    store<u32>(out, channelInteger(d, placeOf(d, x * size, y, slice), channel));
  }
}

/** The bilinear blend in one slice. */
function plane(
  d: usize,
  s: usize,
  i0: i32,
  i1: i32,
  j0: i32,
  j1: i32,
  slice: i32,
  wa: f64,
  wb: f64,
  channel: u32,
): f64 {
  const low = row(d, s, i0, i1, j0, slice, wa, channel);
  if (wb == 0) return low;
  return low + wb * (row(d, s, i0, i1, j1, slice, wa, channel) - low);
}

function row(d: usize, s: usize, i0: i32, i1: i32, j: i32, slice: i32, w: f64, channel: u32): f64 {
  const left = <f64>texel(d, s, i0, j, slice, channel);
  if (w == 0) return left;
  return left + w * (<f64>texel(d, s, i1, j, slice, channel) - left);
}

/** All channels of one texel. */
function writeTexel(d: usize, s: usize, out: usize, x: i32, y: i32, slice: i32): void {
  const float = isFloat(d);
  for (let channel: u32 = 0; channel < 4; channel++) {
    if (float || (x | y | slice) < 0) {
      const value = texel(d, s, x, y, slice, channel);
      if (float) store<f32>(out + 4 * channel, value);
      else store<i32>(out + 4 * channel, <i32>value);
    } else {
      const size = field(d, DESCRIPTOR_CHANNEL_BYTES) * field(d, DESCRIPTOR_CHANNELS);
      const value = channelInteger(d, placeOf(d, x * size, y, slice), channel);
      store<u32>(out + 4 * channel, value);
    }
  }
}

/** tex with s32 coordinates: texel indices; outside of a one-dimensional texture is zero. */
export function texture_texel(
  d: usize,
  s: usize,
  out: usize,
  control: i32,
  layer: i32,
  x: i32,
  y: i32,
  z: i32,
): void {
  const dimensions = control & TEXTURE_DIMENSIONS;
  const slice = control & TEXTURE_LAYERED ? layerOf(d, control, layer) : 0;
  const width = extent(d, DESCRIPTOR_WIDTH);
  if (dimensions == 1 && !(control & TEXTURE_LAYERED)) {
    if (<u32>x < <u32>width) writeTexel(d, s, out, x, 0, 0);
    else v128.store(out, i64x2.splat(0));
    return;
  }
  const i = wrapIndex(x, width, field(s, DESCRIPTOR_ADDRESS_MODE_X), false);
  let j: i32 = 0;
  let k = slice;
  if (dimensions > 1) {
    const mode = field(s, DESCRIPTOR_ADDRESS_MODE_Y);
    j = wrapIndex(y, extent(d, DESCRIPTOR_HEIGHT), mode, false);
  }
  if (dimensions > 2) {
    const mode = field(s, DESCRIPTOR_ADDRESS_MODE_Z);
    k = wrapIndex(z, extent(d, DESCRIPTOR_DEPTH), mode, false);
  }
  writeTexel(d, s, out, i, j, k);
}

/** OpenCL's channel type numbers, which txq and suq give (PTX ISA §5.3.3). */
function dataType(d: usize): i32 {
  const size = <i32>field(d, DESCRIPTOR_CHANNEL_BYTES);
  const format = field(d, DESCRIPTOR_FORMAT);
  if (format == FORMAT_FLOAT) return size == 2 ? 0x10dd : 0x10de;
  const log = size == 4 ? 2 : size - 1;
  if (field(d, DESCRIPTOR_READ_MODE)) return (format == FORMAT_SIGNED ? 0x10d0 : 0x10d2) + log;
  return (format == FORMAT_SIGNED ? 0x10d7 : 0x10da) + log;
}

/** txq and suq. */
export function texture_query(d: usize, query: i32): i32 {
  const layered = field(d, DESCRIPTOR_LAYERED) != 0;
  switch (query) {
    case QUERY_WIDTH:
      return field(d, DESCRIPTOR_WIDTH);
    case QUERY_HEIGHT:
      return field(d, DESCRIPTOR_HEIGHT);
    case QUERY_DEPTH:
      return layered ? 0 : field(d, DESCRIPTOR_DEPTH);
    case QUERY_ARRAY_SIZE:
      return layered ? field(d, DESCRIPTOR_DEPTH) : 0;
    case QUERY_CHANNEL_DATA_TYPE:
      return dataType(d);
    case QUERY_CHANNEL_ORDER: {
      const channels = field(d, DESCRIPTOR_CHANNELS);
      return channels == 1 ? 0x10b0 : channels == 2 ? 0x10b2 : 0x10b5;
    }
    case QUERY_NORMALIZED:
      return field(d, DESCRIPTOR_NORMALIZED);
    case QUERY_FILTER_MODE:
      return field(d, DESCRIPTOR_FILTER);
    case QUERY_ADDRESS_MODE_X:
      return field(d, DESCRIPTOR_ADDRESS_MODE_X);
    case QUERY_ADDRESS_MODE_Y:
      return field(d, DESCRIPTOR_ADDRESS_MODE_Y);
    case QUERY_ADDRESS_MODE_Z:
      return field(d, DESCRIPTOR_ADDRESS_MODE_Z);
    default:
      return 0;
  }
}
