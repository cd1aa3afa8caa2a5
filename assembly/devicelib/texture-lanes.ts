// Texture fetches by four lanes at once. What textures of one or two dimensions mostly are (one
// descriptor for all lanes, texels of 32 bits, places inside or clamped) is done in vectors; anything
// else lane by lane. `mask` has the lanes that fetch; operands that are the same for all are vectors, too.

import {
  DESCRIPTOR_ADDRESS,
  DESCRIPTOR_ADDRESS_MODE_X,
  DESCRIPTOR_ADDRESS_MODE_Y,
  DESCRIPTOR_CHANNEL_BYTES,
  DESCRIPTOR_CHANNELS,
  DESCRIPTOR_FILTER,
  DESCRIPTOR_FORMAT,
  DESCRIPTOR_HEIGHT,
  DESCRIPTOR_NORMALIZED,
  DESCRIPTOR_PITCH,
  DESCRIPTOR_WIDTH,
  FORMAT_FLOAT,
} from "../../runtime/protocol/arrays";
import { laneOf } from "./simd-common";
import { extent, texture_fetch, texture_texel } from "./texture";
import { TEXTURE_CUBE, TEXTURE_DIMENSIONS, TEXTURE_LAYERED } from "./texture-defs";
import { BORDER, CLAMP, field, isFloat, LOWEST } from "./texture-texels";

/** Coordinates below are handled in vectors: times 256 they fit into 32 bits. */
const NEAR: f64 = 4194304;

// @ts-ignore: decorator
@inline
function first(v: v128): i32 {
  return i32x4.extract_lane(v, 0);
}

// @ts-ignore: decorator
@inline
function same(v: v128): bool {
  return i32x4.all_true(i32x4.eq(v, i32x4.splat(first(v))));
}

/** Whether the texture is a line or a plane of f32 or of 32-bit integers, the same for all lanes. */
// @ts-ignore: decorator
@inline
function isPlain(d: v128, s: v128, control: i32): bool {
  if (control & (TEXTURE_LAYERED | TEXTURE_CUBE)) return false;
  if ((control & TEXTURE_DIMENSIONS) > 2 || !same(d) || !same(s)) return false;
  const own: usize = first(d);
  if (field(own, DESCRIPTOR_CHANNEL_BYTES) != 4) return false;
  return field(own, DESCRIPTOR_FORMAT) == FORMAT_FLOAT || !isFloat(own);
}

/** Whether places outside are moved to the nearest inside. */
// @ts-ignore: decorator
@inline
function clamps(mode: u32, normalized: bool): bool {
  return mode == CLAMP || (!normalized && mode != BORDER);
}

// @ts-ignore: decorator
@inline
function outside(index: v128, n: i32): v128 {
  return i32x4.ge_u(index, i32x4.splat(n));
}

// @ts-ignore: decorator
@inline
function clamped(index: v128, n: i32): v128 {
  return i32x4.min_s(i32x4.max_s(index, i32x4.splat(0)), i32x4.splat(n - 1));
}

/** The addresses of the texels at indices that lie inside. */
// @ts-ignore: decorator
@inline
function placesOf(d: usize, x: v128, y: v128): v128 {
  const size = i32x4.splat(<i32>field(d, DESCRIPTOR_CHANNELS) << 2);
  const row = i32x4.mul(y, i32x4.splat(<i32>field(d, DESCRIPTOR_PITCH)));
  const at = i32x4.add(row, i32x4.mul(x, size));
  return i32x4.add(at, i32x4.splat(<i32>field(d, DESCRIPTOR_ADDRESS)));
}

// @ts-ignore: decorator
@inline
function lowest(at: v128): bool {
  return v128.any_true(i32x4.lt_u(at, i32x4.splat(LOWEST)));
}

/** The texel at an address: the channels that there are, and zeros. */
// @ts-ignore: decorator
@inline
function texelAt(at: usize, channels: u32): v128 {
  if (channels == 1) return i32x4.replace_lane(i32x4.splat(0), 0, load<i32>(at));
  return channels == 2 ? i64x2.replace_lane(i64x2.splat(0), 0, load<i64>(at)) : v128.load(at);
}

/** Writes the texels at four addresses, to which 0.0 is added if `zero` says so. */
function copyTexels(d: usize, mask: v128, out: v128, at: v128, zero: bool): bool {
  if (lowest(at)) return false;
  const channels = field(d, DESCRIPTOR_CHANNELS);
  let a = texelAt(i32x4.extract_lane(at, 0), channels);
  let b = texelAt(i32x4.extract_lane(at, 1), channels);
  let c = texelAt(i32x4.extract_lane(at, 2), channels);
  let e = texelAt(i32x4.extract_lane(at, 3), channels);
  if (zero) {
    // A blend is a sum that begins with zero: it has no −0.
    const nothing = f32x4.splat(0);
    a = f32x4.add(a, nothing);
    b = f32x4.add(b, nothing);
    c = f32x4.add(c, nothing);
    e = f32x4.add(e, nothing);
  }
  if (i32x4.extract_lane(mask, 0)) v128.store(i32x4.extract_lane(out, 0), a);
  if (i32x4.extract_lane(mask, 1)) v128.store(i32x4.extract_lane(out, 1), b);
  if (i32x4.extract_lane(mask, 2)) v128.store(i32x4.extract_lane(out, 2), c);
  if (i32x4.extract_lane(mask, 3)) v128.store(i32x4.extract_lane(out, 3), e);
  return true;
}

/** Coordinates of two lanes in texels: of normalized ones 21 fractional bits count. */
// @ts-ignore: decorator
@inline
function scaled(coordinate: v128, n: i32, normalized: bool): v128 {
  const wide = f64x2.promote_low_f32x4(coordinate);
  if (!normalized) return wide;
  const steps = f64x2.floor(f64x2.mul(wide, f64x2.splat(2097152)));
  return f64x2.mul(f64x2.mul(steps, f64x2.splat(1 / 2097152)), f64x2.splat(n));
}

// @ts-ignore: decorator
@inline
function upper(v: v128): v128 {
  return v128.shuffle<i32>(v, v, 2, 3, 2, 3);
}

// @ts-ignore: decorator
@inline
function joined(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(low, high, 0, 1, 4, 5);
}

/** The texels that coordinates lie in; NaN is 0. */
// @ts-ignore: decorator
@inline
function nearest(coordinate: v128, n: i32, normalized: bool): v128 {
  if (!normalized) return i32x4.trunc_sat_f32x4_s(f32x4.floor(coordinate));
  const low = i32x4.trunc_sat_f64x2_s_zero(f64x2.floor(scaled(coordinate, n, true)));
  const high = i32x4.trunc_sat_f64x2_s_zero(f64x2.floor(scaled(upper(coordinate), n, true)));
  return joined(low, high);
}

/** Whether coordinates of two lanes are numbers near enough to be taken times 256. */
// @ts-ignore: decorator
@inline
function isNear(v: v128): bool {
  return i64x2.all_true(f64x2.lt(f64x2.abs(v), f64x2.splat(NEAR)));
}

// @ts-ignore: decorator
@inline
function fixed(v: v128): v128 {
  const scale = f64x2.mul(f64x2.sub(v, f64x2.splat(0.5)), f64x2.splat(256));
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.floor(f64x2.add(scale, f64x2.splat(0.5))));
}

/** Fetches without filter; false if not all active lanes' places are inside or clamped. */
function fetchNearest(
  mask: v128,
  d: usize,
  s: usize,
  out: v128,
  dimensions: i32,
  x: v128,
  y: v128,
): bool {
  const normalized = field(s, DESCRIPTOR_NORMALIZED) != 0;
  const width = extent(d, DESCRIPTOR_WIDTH);
  let i = nearest(x, width, normalized);
  let away = outside(i, width);
  if (clamps(field(s, DESCRIPTOR_ADDRESS_MODE_X), normalized)) away = i32x4.splat(0);
  i = clamped(i, width);
  let j = i32x4.splat(0);
  if (dimensions > 1) {
    const height = extent(d, DESCRIPTOR_HEIGHT);
    j = nearest(y, height, normalized);
    if (!clamps(field(s, DESCRIPTOR_ADDRESS_MODE_Y), normalized)) {
      away = v128.or(away, outside(j, height));
    }
    j = clamped(j, height);
  }
  if (v128.any_true(v128.and(away, mask))) return false;
  return copyTexels(d, mask, out, placesOf(d, i, j), false);
}

/** The shares of two lanes' texels: those without a weight don't count, whatever they are. */
// @ts-ignore: decorator
@inline
function share(texels: v128, weights: v128): v128 {
  const w = f64x2.convert_low_i32x4_s(weights);
  const product = f64x2.mul(f64x2.promote_low_f32x4(texels), w);
  return v128.and(product, f64x2.ne(w, f64x2.splat(0)));
}

// @ts-ignore: decorator
@inline
function gathered(at: v128, offset: usize): v128 {
  let v = i32x4.splat(load<i32>(<usize>i32x4.extract_lane(at, 0) + offset));
  v = i32x4.replace_lane(v, 1, load<i32>(<usize>i32x4.extract_lane(at, 1) + offset));
  v = i32x4.replace_lane(v, 2, load<i32>(<usize>i32x4.extract_lane(at, 2) + offset));
  return i32x4.replace_lane(v, 3, load<i32>(<usize>i32x4.extract_lane(at, 3) + offset));
}

/** Blends four texels of each lane, as `blend` in texture.ts does. */
function blendPlane(
  d: usize,
  mask: v128,
  out: v128,
  i0: v128,
  i1: v128,
  j0: v128,
  j1: v128,
  a: v128,
  b: v128,
): bool {
  const p00 = placesOf(d, i0, j0);
  const p01 = placesOf(d, i0, j1);
  const p10 = placesOf(d, i1, j0);
  const p11 = placesOf(d, i1, j1);
  if (lowest(p00) || lowest(p01) || lowest(p10) || lowest(p11)) return false;
  const near = i32x4.sub(i32x4.splat(256), a);
  const w01 = i32x4.shr_s(i32x4.add(i32x4.mul(near, b), i32x4.splat(127)), 8);
  const w11 = i32x4.shr_s(i32x4.add(i32x4.mul(a, b), i32x4.splat(128)), 8);
  const w00 = i32x4.sub(near, w01);
  const w10 = i32x4.sub(a, w11);
  const channels = field(d, DESCRIPTOR_CHANNELS);
  const nothing = i32x4.splat(0);
  for (let k: u32 = channels; k < 4; k++) storeLanes(mask, out, 4 * k, nothing);
  for (let k: u32 = 0; k < channels; k++) {
    const t00 = gathered(p00, 4 * k);
    const t01 = gathered(p01, 4 * k);
    const t10 = gathered(p10, 4 * k);
    const t11 = gathered(p11, 4 * k);
    const low = f64x2.add(
      f64x2.add(share(t00, w00), share(t01, w01)),
      f64x2.add(share(t10, w10), share(t11, w11)),
    );
    const high = f64x2.add(
      f64x2.add(share(upper(t00), upper(w00)), share(upper(t01), upper(w01))),
      f64x2.add(share(upper(t10), upper(w10)), share(upper(t11), upper(w11))),
    );
    storeLanes(mask, out, 4 * k, joined(blended(low), blended(high)));
  }
  return true;
}

// @ts-ignore: decorator
@inline
function blended(sum: v128): v128 {
  const positive = f64x2.add(sum, f64x2.splat(0));
  return f32x4.demote_f64x2_zero(f64x2.mul(positive, f64x2.splat(1 / 256)));
}

// @ts-ignore: decorator
@inline
function storeLanes(mask: v128, out: v128, offset: usize, v: v128): void {
  if (i32x4.extract_lane(mask, 0)) {
    store<i32>(<usize>i32x4.extract_lane(out, 0) + offset, i32x4.extract_lane(v, 0));
  }
  if (i32x4.extract_lane(mask, 1)) {
    store<i32>(<usize>i32x4.extract_lane(out, 1) + offset, i32x4.extract_lane(v, 1));
  }
  if (i32x4.extract_lane(mask, 2)) {
    store<i32>(<usize>i32x4.extract_lane(out, 2) + offset, i32x4.extract_lane(v, 2));
  }
  if (i32x4.extract_lane(mask, 3)) {
    store<i32>(<usize>i32x4.extract_lane(out, 3) + offset, i32x4.extract_lane(v, 3));
  }
}

/** Fetches with the linear filter; false if that has to be done lane by lane. */
function fetchLinear(
  mask: v128,
  d: usize,
  s: usize,
  out: v128,
  dimensions: i32,
  x: v128,
  y: v128,
): bool {
  const normalized = field(s, DESCRIPTOR_NORMALIZED) != 0;
  const clampsX = clamps(field(s, DESCRIPTOR_ADDRESS_MODE_X), normalized);
  const clampsY = clamps(field(s, DESCRIPTOR_ADDRESS_MODE_Y), normalized);
  const width = extent(d, DESCRIPTOR_WIDTH);
  const lowX = scaled(x, width, normalized);
  const highX = scaled(upper(x), width, normalized);
  if (!isNear(lowX) || !isNear(highX)) return false;
  let fa = joined(fixed(lowX), fixed(highX));
  if (clampsX) fa = clampedFixed(fa, width);
  let i0 = i32x4.shr_s(fa, 8);
  let i1 = i32x4.add(i0, i32x4.splat(1));
  let away = clampsX ? i32x4.splat(0) : v128.or(outside(i0, width), outside(i1, width));
  let fb = i32x4.splat(0);
  let j0 = fb;
  let j1 = fb;
  if (dimensions > 1) {
    const height = extent(d, DESCRIPTOR_HEIGHT);
    const lowY = scaled(y, height, normalized);
    const highY = scaled(upper(y), height, normalized);
    if (!isNear(lowY) || !isNear(highY)) return false;
    fb = joined(fixed(lowY), fixed(highY));
    if (clampsY) fb = clampedFixed(fb, height);
    j0 = i32x4.shr_s(fb, 8);
    j1 = i32x4.add(j0, i32x4.splat(1));
    if (!clampsY) away = v128.or(away, v128.or(outside(j0, height), outside(j1, height)));
    j0 = clamped(j0, height);
    j1 = clamped(j1, height);
  } else if (!clampsY) return false; // half of a line's blend is its border's
  if (v128.any_true(v128.and(away, mask))) return false;
  i0 = clamped(i0, width);
  i1 = clamped(i1, width);
  const fraction = i32x4.splat(255);
  const a = v128.and(fa, fraction);
  const b = v128.and(fb, fraction);
  if (!v128.any_true(v128.and(v128.or(a, b), mask))) {
    return copyTexels(d, mask, out, placesOf(d, i0, j0), true);
  }
  return blendPlane(d, mask, out, i0, i1, j0, j1, a, b);
}

// @ts-ignore: decorator
@inline
function clampedFixed(place: v128, n: i32): v128 {
  return i32x4.min_s(i32x4.max_s(place, i32x4.splat(0)), i32x4.splat((n - 1) << 8));
}

/** tex with f32 coordinates. */
export function texture_fetch_lanes(
  mask: v128,
  d: v128,
  s: v128,
  out: v128,
  controls: v128,
  layer: v128,
  x: v128,
  y: v128,
  z: v128,
): void {
  const control = first(controls);
  if (isPlain(d, s, control)) {
    const own: usize = first(d);
    const sampler: usize = first(s);
    const dimensions = control & TEXTURE_DIMENSIONS;
    const blends = field(sampler, DESCRIPTOR_FILTER) != 0 && isFloat(own);
    if (blends && fetchLinear(mask, own, sampler, out, dimensions, x, y)) return;
    if (!blends && fetchNearest(mask, own, sampler, out, dimensions, x, y)) return;
  }
  for (let k = 0; k < 4; k++) {
    if (laneOf(mask, k) == 0) continue;
    texture_fetch(
      laneOf(d, k),
      laneOf(s, k),
      laneOf(out, k),
      control,
      laneOf(layer, k),
      reinterpret<f32>(laneOf(x, k)),
      reinterpret<f32>(laneOf(y, k)),
      reinterpret<f32>(laneOf(z, k)),
    );
  }
}

/** tex with s32 coordinates. */
export function texture_texel_lanes(
  mask: v128,
  d: v128,
  s: v128,
  out: v128,
  controls: v128,
  layer: v128,
  x: v128,
  y: v128,
  z: v128,
): void {
  const control = first(controls);
  if (isPlain(d, s, control)) {
    const own: usize = first(d);
    const plane = (control & TEXTURE_DIMENSIONS) > 1;
    const j = plane ? y : i32x4.splat(0);
    const height = plane ? extent(own, DESCRIPTOR_HEIGHT) : 1;
    const width = extent(own, DESCRIPTOR_WIDTH);
    const away = v128.or(outside(x, width), outside(j, height));
    if (!v128.any_true(v128.and(away, mask))) {
      const at = placesOf(own, clamped(x, width), clamped(j, height));
      if (copyTexels(own, mask, out, at, false)) return;
    }
  }
  for (let k = 0; k < 4; k++) {
    if (laneOf(mask, k) == 0) continue;
    texture_texel(
      laneOf(d, k),
      laneOf(s, k),
      laneOf(out, k),
      control,
      laneOf(layer, k),
      laneOf(x, k),
      laneOf(y, k),
      laneOf(z, k),
    );
  }
}
