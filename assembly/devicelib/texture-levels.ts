// Levels of mipmapped textures (PTX ISA §9.7.10, tex.level and tex.grad): the descriptor of each level
// follows that of the one before.

import {
  DESCRIPTOR_DEPTH,
  DESCRIPTOR_HEIGHT,
  DESCRIPTOR_LEVELS,
  DESCRIPTOR_MIP_BIAS,
  DESCRIPTOR_MIP_FILTER,
  DESCRIPTOR_MIP_LEAST,
  DESCRIPTOR_MIP_MOST,
  DESCRIPTOR_SIZE,
  DESCRIPTOR_WIDTH,
} from "../../runtime/protocol/arrays";
import { lg2_approx_f32 } from "./approx";
import { TEXTURE_DIMENSIONS } from "./texture-defs";
import { extent, levelOf, levelsOf, quantized, texture_fetch } from "./texture";
import { field } from "./texture-texels";

/**
 * The level that is asked for, with the bias, kept within the sampler's bounds and the texture; NaN is
 * the first.
 */
function level(d: usize, s: usize, lod: f32): f32 {
  const biased: f32 = lod + load<f32>(s + DESCRIPTOR_MIP_BIAS);
  if (biased != biased) return 0;
  const bounded = min<f32>(
    max<f32>(biased, load<f32>(s + DESCRIPTOR_MIP_LEAST)),
    load<f32>(s + DESCRIPTOR_MIP_MOST),
  );
  return min<f32>(max<f32>(bounded, 0), <f32>(levelsOf(d) - 1));
}

/** tex.level with f32 coordinates: the nearest level, or a blend of two with 8 bits of fraction. */
export function texture_level(
  d: usize,
  s: usize,
  out: usize,
  control: i32,
  layer: i32,
  x: f32,
  y: f32,
  z: f32,
  lod: f32,
): void {
  if (levelsOf(d) == 1) {
    texture_fetch(d, s, out, control, layer, x, y, z);
    return;
  }
  const at = level(d, s, lod);
  if (field(s, DESCRIPTOR_MIP_FILTER) == 0) {
    const nearest = <i32>floor<f32>(at + 0.5);
    texture_fetch(levelOf(d, nearest), s, out, control, layer, x, y, z);
    return;
  }
  const fixed = <i32>floor<f32>(at * 256 + 0.5);
  const weight = fixed & 255;
  const upper = fixed >> 8;
  texture_fetch(levelOf(d, upper), s, out, control, layer, x, y, z);
  if (weight == 0) return;
  const first = v128.load(out);
  texture_fetch(levelOf(d, upper + 1), s, out, control, layer, x, y, z);
  const second = v128.load(out);
  store<f32>(out, mixed(d, f32x4.extract_lane(first, 0), f32x4.extract_lane(second, 0), weight));
  store<f32>(out + 4, mixed(d, f32x4.extract_lane(first, 1), f32x4.extract_lane(second, 1), weight));
  store<f32>(out + 8, mixed(d, f32x4.extract_lane(first, 2), f32x4.extract_lane(second, 2), weight));
  store<f32>(out + 12, mixed(d, f32x4.extract_lane(first, 3), f32x4.extract_lane(second, 3), weight));
}

function mixed(d: usize, a: f32, b: f32, weight: i32): f32 {
  return quantized(d, (<f64>a * (256 - weight) + <f64>b * weight) / 256);
}

/**
 * tex.grad: the level at which a step of the larger one of the two gradients is one texel. `dx…` and
 * `dy…` are the changes of the coordinates along the two directions of a screen.
 */
export function texture_gradient(
  d: usize,
  s: usize,
  out: usize,
  control: i32,
  layer: i32,
  x: f32,
  y: f32,
  z: f32,
  dxu: f32,
  dxv: f32,
  dxw: f32,
  dyu: f32,
  dyv: f32,
  dyw: f32,
): void {
  const dimensions = control & TEXTURE_DIMENSIONS;
  const width = <f64>extent(d, DESCRIPTOR_WIDTH);
  const height = dimensions > 1 ? <f64>extent(d, DESCRIPTOR_HEIGHT) : 0;
  const depth = dimensions > 2 ? <f64>extent(d, DESCRIPTOR_DEPTH) : 0;
  const across = squared(dxu * width, dxv * height, dxw * depth);
  const down = squared(dyu * width, dyv * height, dyw * depth);
  // Half the logarithm of the square; no step at all is the first level.
  const lod: f32 = 0.5 * lg2_approx_f32(<f32>max<f64>(across, down));
  texture_level(d, s, out, control, layer, x, y, z, lod);
}

function squared(u: f64, v: f64, w: f64): f64 {
  return u * u + v * v + w * w;
}
