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
  DESCRIPTOR_LEVELS,
  DESCRIPTOR_NORMALIZED,
  DESCRIPTOR_READ_MODE,
  DESCRIPTOR_SIZE,
  DESCRIPTOR_WIDTH,
  FORMAT_FLOAT,
  FORMAT_SIGNED,
} from "../../runtime/protocol/arrays";
import { cvt_f32_f16 } from "./cvt-float";
import { cvt_rn_f16_f32 } from "./cvt-half";
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
  QUERY_LEVELS,
  QUERY_NORMALIZED,
  QUERY_WIDTH,
  TEXTURE_COMPONENT_SHIFT,
  TEXTURE_CUBE,
  TEXTURE_DIMENSIONS,
  TEXTURE_LAYERED,
} from "./texture-defs";
import {
  BORDER,
  border,
  borderInteger,
  channelFloat,
  channelInteger,
  CLAMP,
  field,
  isFloat,
  placeOf,
  wrapIndex,
} from "./texture-texels";

const FAR: f64 = 268435456;

/** How many levels a texture has. */
export function levelsOf(d: usize): i32 {
  return max<i32>(1, <i32>field(d, DESCRIPTOR_LEVELS));
}

/** The descriptor of a level; levels outside are the nearest. */
export function levelOf(d: usize, level: i32): usize {
  const index = min<i32>(max<i32>(level, 0), levelsOf(d) - 1);
  return d + <usize>index * DESCRIPTOR_SIZE;
}

/** Texels of a dimension; one if the texture doesn't have it. */
export function extent(d: usize, offset: usize): i32 {
  return max<i32>(1, <i32>field(d, offset));
}

/**
 * Where the left one of two texels to blend lies, times 256: ties up; clamped if that is the address
 * mode, and kept far from overflow. NaN is 0.
 */
function fixed(coordinate: f64, n: i32, mode: u32, normalized: bool): i64 {
  if (coordinate != coordinate) return 0;
  const place = <i64>floor<f64>(min<f64>(max<f64>(coordinate - 0.5, -FAR), FAR) * 256 + 0.5);
  const clamps = mode == CLAMP || (!normalized && mode != BORDER);
  return clamps ? min<i64>(max<i64>(place, 0), <i64>(n - 1) << 8) : place;
}

/** A coordinate in texels: of normalized ones 21 fractional bits count. */
function scaled(coordinate: f32, n: i32, normalized: bool): f64 {
  if (!normalized) return <f64>coordinate;
  return (floor<f64>(<f64>coordinate * 2097152) / 2097152) * n;
}

/** The texel that a coordinate lies in. */
function nearest(coordinate: f64): i32 {
  if (coordinate != coordinate) return 0;
  return <i32>floor<f64>(min<f64>(max<f64>(coordinate, -FAR), FAR));
}

/** A channel of the texel at indices that addressing has mapped; the border's where one is −1. */
function texel(d: usize, s: usize, x: i32, y: i32, slice: i32, channel: u32): f32 {
  if ((x | y | slice) < 0) return border(d, s, channel);
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
  const modeX = field(s, DESCRIPTOR_ADDRESS_MODE_X);
  const modeY = field(s, DESCRIPTOR_ADDRESS_MODE_Y);
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
  }
  // A line is a plane of one row, sampled at its upper edge: half of a blend is the border's, if it has one.
  const line = dimensions == 1 && (control & TEXTURE_LAYERED) == 0;
  const width = extent(d, DESCRIPTOR_WIDTH);
  const height = dimensions > 1 ? extent(d, DESCRIPTOR_HEIGHT) : 1;
  const depth = dimensions > 2 ? extent(d, DESCRIPTOR_DEPTH) : 1;
  const a = scaled(u, width, normalized);
  const b = dimensions > 1 ? scaled(v, height, normalized) : 0;
  const c = dimensions > 2 ? scaled(z, depth, normalized) : 0;
  const modeZ = field(s, DESCRIPTOR_ADDRESS_MODE_Z);
  if (component < 0 && (field(s, DESCRIPTOR_FILTER) == 0 || !isFloat(d))) {
    const i = wrapIndex(nearest(a), width, modeX, normalized);
    const j = dimensions > 1 ? wrapIndex(nearest(b), height, modeY, normalized) : 0;
    const k = dimensions > 2 ? wrapIndex(nearest(c), depth, modeZ, normalized) : slice;
    writeTexel(d, s, out, i, j, k);
    return;
  }
  // Weights have 8 fractional bits.
  const fa = fixed(a, width, component < 0 ? modeX : BORDER, normalized);
  const plane = dimensions > 1 || line;
  const fb = plane ? fixed(b, height, component < 0 ? modeY : BORDER, normalized) : 0;
  const fc = dimensions > 2 ? fixed(c, depth, modeZ, normalized) : 0;
  const i0 = wrapIndex(<i32>(fa >> 8), width, modeX, normalized);
  const i1 = wrapIndex(<i32>(fa >> 8) + 1, width, modeX, normalized);
  const j0 = plane ? wrapIndex(<i32>(fb >> 8), height, modeY, normalized) : 0;
  const j1 = plane ? wrapIndex(<i32>(fb >> 8) + 1, height, modeY, normalized) : 0;
  const k0 = dimensions > 2 ? wrapIndex(<i32>(fc >> 8), depth, modeZ, normalized) : slice;
  const k1 = dimensions > 2 ? wrapIndex(<i32>(fc >> 8) + 1, depth, modeZ, normalized) : slice;
  if (component >= 0) {
    gather(d, s, out, i0, j1, k0, component);
    gather(d, s, out + 4, i1, j1, k0, component);
    gather(d, s, out + 8, i1, j0, k0, component);
    gather(d, s, out + 12, i0, j0, k0, component);
    return;
  }
  blend(d, s, out, i0, i1, j0, j1, k0, k1, <i32>(fa & 255), <i32>(fb & 255), <i32>(fc & 255));
}

/**
 * Blends eight texels. The texture unit gives each texel a weight of 8 bits: 256 is split by the
 * fraction along z, those parts by that along x, and those by that along y, each time rounded. (Found
 * from what an H100 answers, which this equals to the last bit for f32 texels.)
 */
function blend(
  d: usize,
  s: usize,
  out: usize,
  i0: i32,
  i1: i32,
  j0: i32,
  j1: i32,
  k0: i32,
  k1: i32,
  a: i32,
  b: i32,
  c: i32,
): void {
  const near = 256 - c;
  const near1 = (near * a + 128) >> 8;
  const far1 = (c * a + 128) >> 8;
  for (let channel: u32 = 0; channel < 4; channel++) {
    let sum = column(d, s, i0, j0, j1, k0, near - near1, b, 127, channel);
    sum += column(d, s, i1, j0, j1, k0, near1, b, 128, channel);
    sum += column(d, s, i0, j0, j1, k1, c - far1, b, 127, channel);
    sum += column(d, s, i1, j0, j1, k1, far1, b, 128, channel);
    store<f32>(out + 4 * channel, quantized(d, sum / 256));
  }
}

/** The shares of the two texels of a column along y; `half` rounds ties down or up. */
function column(
  d: usize,
  s: usize,
  x: i32,
  j0: i32,
  j1: i32,
  z: i32,
  weight: i32,
  b: i32,
  half: i32,
  channel: u32,
): f64 {
  const far = (weight * b + half) >> 8;
  let sum: f64 = 0;
  if (weight != far) sum = <f64>texel(d, s, x, j0, z, channel) * (weight - far);
  if (far != 0) sum += <f64>texel(d, s, x, j1, z, channel) * far;
  return sum;
}

/** A blend as the texture unit gives it: f16 for f16 texels, 16-bit fractions for integers. */
export function quantized(d: usize, v: f64): f32 {
  const format = field(d, DESCRIPTOR_FORMAT);
  if (format == FORMAT_FLOAT) {
    return field(d, DESCRIPTOR_CHANNEL_BYTES) == 4 ? <f32>v : cvt_f32_f16(cvt_rn_f16_f32(<f32>v));
  }
  const steps: f64 = format == FORMAT_SIGNED ? 32767 : 65535;
  return <f32>max<f64>(floor<f64>(v * steps + 0.5) / steps, -1);
}

/** One component of a texel, as the texture's type has it. */
function gather(d: usize, s: usize, out: usize, x: i32, y: i32, slice: i32, channel: i32): void {
  if (isFloat(d)) {
    const v = texel(d, s, x, y, slice, channel);
    store<f32>(out, field(d, DESCRIPTOR_FORMAT) == FORMAT_SIGNED ? max<f32>(v, -1) : v);
  } else if ((x | y | slice) < 0) store<u32>(out, borderInteger(d, s, channel));
  else {
    const size = field(d, DESCRIPTOR_CHANNEL_BYTES) * field(d, DESCRIPTOR_CHANNELS);
    store<u32>(out, channelInteger(d, placeOf(d, x * size, y, slice), channel));
  }
}

/** All channels of one texel, or of the border. */
function writeTexel(d: usize, s: usize, out: usize, x: i32, y: i32, slice: i32): void {
  const outside = (x | y | slice) < 0;
  const size = field(d, DESCRIPTOR_CHANNEL_BYTES) * field(d, DESCRIPTOR_CHANNELS);
  const at: usize = outside ? 0 : placeOf(d, x * size, y, slice);
  for (let channel: u32 = 0; channel < 4; channel++) {
    const p = out + 4 * channel;
    if (isFloat(d)) {
      const v = outside ? border(d, s, channel) : channelFloat(d, at, channel);
      store<f32>(p, field(d, DESCRIPTOR_FORMAT) == FORMAT_SIGNED ? max<f32>(v, -1) : v);
    } else if (outside) store<u32>(p, borderInteger(d, s, channel));
    else store<u32>(p, channelInteger(d, at, channel));
  }
}

/** tex with s32 coordinates: texel indices; outside (of the layers, too) it is zero, whatever the address mode. */
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
  const layered = (control & TEXTURE_LAYERED) != 0;
  const height = dimensions > 1 ? extent(d, DESCRIPTOR_HEIGHT) : 1;
  const depth = layered || dimensions > 2 ? extent(d, DESCRIPTOR_DEPTH) : 1;
  const j = dimensions > 1 ? y : 0;
  const k = layered ? layer : dimensions > 2 ? z : 0;
  const across = <u32>x < <u32>extent(d, DESCRIPTOR_WIDTH) && <u32>j < <u32>height;
  if (across && <u32>k < <u32>depth) writeTexel(d, s, out, x, j, k);
  else v128.store(out, i64x2.splat(0));
}

/** tex.level with s32 coordinates. */
export function texture_level_texel(
  d: usize,
  s: usize,
  out: usize,
  control: i32,
  layer: i32,
  x: i32,
  y: i32,
  z: i32,
  level: i32,
): void {
  texture_texel(levelOf(d, level), s, out, control, layer, x, y, z);
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
export function texture_query(top: usize, query: i32, level: i32): i32 {
  const d = levelOf(top, level);
  const layered = field(d, DESCRIPTOR_LAYERED) != 0;
  switch (query) {
    case QUERY_WIDTH:
      return field(d, DESCRIPTOR_WIDTH);
    case QUERY_HEIGHT:
      return field(d, DESCRIPTOR_HEIGHT);
    case QUERY_DEPTH:
      return field(d, DESCRIPTOR_DEPTH);
    case QUERY_ARRAY_SIZE:
      return layered ? field(d, DESCRIPTOR_DEPTH) : 0;
    case QUERY_CHANNEL_DATA_TYPE:
      return dataType(d);
    case QUERY_CHANNEL_ORDER: {
      const channels = field(d, DESCRIPTOR_CHANNELS);
      return channels == 1 ? 0x10b0 : channels == 2 ? 0x10b2 : 0x10b5;
    }
    case QUERY_LEVELS:
      return levelsOf(d);
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
