// What warp operations need of the threads' pcs (see docs/embedding.md).

import { laneOf } from "./simd-common";

/**
 * The lanes that take part in a warp operation in front of a region.
 * @param pcs address of the warp's 32 pcs
 * @param want pc of a lane that is ready for the region
 * @param lanes threads of the warp, at most 32 count
 * @param masked 0: all threads of the block are here
 */
export function ready_lanes(pcs: usize, want: i32, lanes: i32, masked: i32): i32 {
  const all = lanes >= 32 ? -1 : (1 << lanes) - 1;
  if (!masked) return all;
  const wanted = i32x4.splat(want);
  let mask = 0;
  for (let k = 0; k < 8; k++) {
    const here = i32x4.eq(v128.load(pcs + 16 * k), wanted);
    mask |= i32x4.bitmask(here) << (4 * k);
  }
  return mask & all;
}

/** activemask.b32: slot 0 of every active lane gets the mask of active lanes. */
export function activemask_b32(active: i32, frame: usize): void {
  for (let k = 0; k < 32; k++) {
    if (active & (1 << k)) store<i32>(frame + 4 * k, active);
  }
}

// Addresses of four lanes, checked one by one.

/** One lane's address as 64 bits: base + extend(index) × scale + offset. */
export function lane_address(
  base: i64,
  index: v128,
  scale: i32,
  signed: i32,
  offset: i32,
  k: i32,
): i64 {
  const i = laneOf(index, k);
  return base + (signed ? <i64>i : <i64>(<u32>i)) * scale + offset;
}

// @ts-ignore: decorator
@inline
function checked(address: i64, low: i64, bound: i64, shift: i32, offset: i32): i32 {
  const t = rotr<u64>(<u64>(address + offset - low), shift);
  return t < <u64>bound ? <i32>address : -1;
}

/**
 * Checks base + extend(index) × scale, lane by lane and exactly. `bound` is the first value, of
 * addresses relative to `low` rotated right by `shift`, that is out of range.
 * @returns addresses in linear memory, -1 for a bad lane; inactive lanes are 0
 */
export function lane_addresses(
  base: i64,
  index: v128,
  scale: i32,
  signed: i32,
  low: i64,
  bound: i64,
  shift: i32,
  offset: i32,
  mask: v128,
): v128 {
  let out = i32x4.splat(0);
  for (let k = 0; k < 4; k++) {
    if (!laneOf(mask, k)) continue;
    const address = lane_address(base, index, scale, signed, 0, k);
    out = put(out, k, checked(address, low, bound, shift, offset));
  }
  return out;
}

// @ts-ignore: decorator
@inline
function put(v: v128, k: i32, x: i32): v128 {
  return k == 0
    ? i32x4.replace_lane(v, 0, x)
    : k == 1
      ? i32x4.replace_lane(v, 1, x)
      : k == 2
        ? i32x4.replace_lane(v, 2, x)
        : i32x4.replace_lane(v, 3, x);
}

/** The same for four 64-bit addresses, lanes 0 and 1 in `a`, 2 and 3 in `b`. */
export function lane_addresses_wide(
  a: v128,
  b: v128,
  low: i64,
  bound: i64,
  shift: i32,
  offset: i32,
  mask: v128,
): v128 {
  let out = i32x4.splat(0);
  for (let k = 0; k < 4; k++) {
    if (!laneOf(mask, k)) continue;
    out = put(out, k, checked(lane_wide(a, b, k), low, bound, shift, offset));
  }
  return out;
}

/** Lane k of four 64-bit values. */
export function lane_wide(a: v128, b: v128, k: i32): i64 {
  const v = k < 2 ? a : b;
  return k & 1 ? i64x2.extract_lane(v, 1) : i64x2.extract_lane(v, 0);
}

/** Lane k of four 32-bit values. */
export function lane_word(v: v128, k: i32): i32 {
  return laneOf(v, k);
}
