/**
 * The frame of a warp-wide operation: operand k is an array of 32 lanes at `frame + 256·k`,
 * destinations first. Lane i is at +4·i (32 bits and less) or +8·i (64 bits). These helpers read
 * and write four lanes (a lane group) at a time; a store keeps what inactive lanes hold.
 *
 *      frame                +256                 +512
 *      | d: lane 0 … 31     | next operand …     | …
 *      | 8 groups of 4 × 32 bits (128 bytes used), or 16 pairs of 64 bits
 */
import { SLOT_BYTES } from "../../runtime/compiler/warp-frame-defs";

export { SLOT_BYTES };

/** Lane groups (of four) in a warp. */
export const GROUPS: i32 = 8;

/** Address of operand `k` of the frame. */
// @ts-ignore: decorator
@inline
export function slot(frame: i32, k: i32): i32 {
  return frame + k * SLOT_BYTES;
}

/** The four 32-bit lanes of group `g` of the operand at `operand`. */
// @ts-ignore: decorator
@inline
export function lanes(operand: i32, g: i32): v128 {
  return v128.load(operand + (g << 4));
}

/** All ones in the lanes of group `g` that take part in the operation. */
// @ts-ignore: decorator
@inline
export function groupMask(active: i32, g: i32): v128 {
  const bit = i32x4(1, 2, 4, 8);
  return i32x4.eq(v128.and(i32x4.splat(active >>> (g << 2)), bit), bit);
}

/** Lane numbers of group `g`: 4g, 4g+1, 4g+2, 4g+3. */
// @ts-ignore: decorator
@inline
export function laneIds(g: i32): v128 {
  return i32x4.add(i32x4.splat(g << 2), i32x4(0, 1, 2, 3));
}

/** Writes group `g` of a destination; lanes outside `active` keep their value. */
// @ts-ignore: decorator
@inline
export function storeLanes(operand: i32, g: i32, value: v128, active: i32): void {
  const at = operand + (g << 4);
  if (active != -1) value = v128.bitselect(value, v128.load(at), groupMask(active, g));
  v128.store(at, value);
}

/** Writes one 32-bit value to every active lane of a destination. */
export function broadcast(operand: i32, value: i32, active: i32): void {
  const v = i32x4.splat(value);
  for (let g = 0; g < GROUPS; g++) storeLanes(operand, g, v, active);
}
