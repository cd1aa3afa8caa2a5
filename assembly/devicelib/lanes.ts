// What warp operations need of the threads' pcs (see docs/embedding.md).

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
