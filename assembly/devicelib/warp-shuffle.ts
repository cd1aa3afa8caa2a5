/**
 * `shfl.sync` (PTX ISA 9.7.9.6) and the older `shfl`: slots d, p, a, b, c.
 *
 * c holds the clamp in bits 0–4 and the segment mask in bits 8–12. A lane whose source would leave
 * its segment reads its own a and gets p = 0. A source lane that takes no part is undefined in the
 * ISA; here, as on an H100, it reads 0: reductions over a part of a warp count on it.
 */
import { GROUPS, laneIds, lanes, slot, storeLanes } from "./warp-frame";

const UP: i32 = 0;
const DOWN: i32 = 1;
const BFLY: i32 = 2;
const IDX: i32 = 3;

/** True if all 32 lanes of the operand hold the same value: one shuffle pattern then serves all. */
function isUniform(operand: i32): bool {
  const first = v128.load32_splat(operand);
  let differ = i32x4.splat(0);
  for (let g = 0; g < GROUPS; g++) {
    differ = v128.or(differ, v128.xor(lanes(operand, g), first));
  }
  return !v128.any_true(differ);
}

/** Lane `j` of group order: the i32 at a + 4·j for four lane numbers. */
// @ts-ignore: decorator
@inline
function gather(a: i32, j: v128): v128 {
  const at = i32x4.shl(j, 2);
  return i32x4(
    load<i32>(a + i32x4.extract_lane(at, 0)),
    load<i32>(a + i32x4.extract_lane(at, 1)),
    load<i32>(a + i32x4.extract_lane(at, 2)),
    load<i32>(a + i32x4.extract_lane(at, 3)),
  );
}

/** Four lanes permuted by `lane ^ mask`, mask below 4. */
// @ts-ignore: decorator
@inline
function flipWithin(v: v128, mask: i32): v128 {
  if (mask & 1) v = i32x4.shuffle(v, v, 1, 0, 3, 2);
  if (mask & 2) v = i32x4.shuffle(v, v, 2, 3, 0, 1);
  return v;
}

/** All ones where the lane of the four lane numbers takes part. */
function takePart(active: i32, j: v128): v128 {
  return i32x4.neg(
    i32x4(
      (active >>> i32x4.extract_lane(j, 0)) & 1,
      (active >>> i32x4.extract_lane(j, 1)) & 1,
      (active >>> i32x4.extract_lane(j, 2)) & 1,
      (active >>> i32x4.extract_lane(j, 3)) & 1,
    ),
  );
}

// @ts-ignore: decorator
@inline
function shuffle(mode: i32, active: i32, frame: i32): void {
  const d = slot(frame, 0);
  const p = slot(frame, 1);
  const a = slot(frame, 2);
  const b = slot(frame, 3);
  const c = slot(frame, 4);
  const five = i32x4.splat(31);
  const uniform = isUniform(b) && isUniform(c);
  const delta = load<i32>(b) & 31;
  for (let g = 0; g < GROUPS; g++) {
    const lane = laneIds(g);
    const control = lanes(c, g);
    const amount = v128.and(lanes(b, g), five);
    const clamp = v128.and(control, five);
    const segment = v128.and(i32x4.shr_u(control, 8), five);
    const base = v128.and(lane, segment);
    const limit = v128.or(base, v128.andnot(clamp, segment));
    let j: v128;
    let inside: v128;
    if (mode == UP) {
      j = i32x4.sub(lane, amount);
      inside = i32x4.ge_s(j, limit);
    } else {
      if (mode == DOWN) j = i32x4.add(lane, amount);
      else if (mode == BFLY) j = v128.xor(lane, amount);
      else j = v128.or(base, v128.andnot(amount, segment));
      inside = i32x4.le_s(j, limit);
    }
    const own = lanes(a, g);
    let value: v128;
    if (uniform) {
      // A lane outside its segment may read beyond the operand here (still inside the frame, for
      // at most 31 lanes): the select below drops it.
      if (mode == UP) value = v128.load(a + (((g << 2) - delta) << 2));
      else if (mode == DOWN) value = v128.load(a + (((g << 2) + delta) << 2));
      else if (mode == BFLY) value = flipWithin(lanes(a, g ^ (delta >>> 2)), delta & 3);
      else value = gather(a, v128.and(j, five));
      value = v128.bitselect(value, own, inside);
    } else {
      value = gather(a, v128.bitselect(j, lane, inside));
    }
    if (active != -1) value = v128.and(value, takePart(active, v128.bitselect(j, lane, inside)));
    storeLanes(d, g, value, active);
    storeLanes(p, g, i32x4.neg(inside), active);
  }
}

/** `shfl.sync.up.b32 d|p, a, b, c`: from the lane b below. Slots d, p, a, b, c. */
export function shfl_sync_up_b32(active: i32, frame: i32): void {
  shuffle(UP, active, frame);
}

/** `shfl.sync.down.b32 d|p, a, b, c`: from the lane b above. Slots d, p, a, b, c. */
export function shfl_sync_down_b32(active: i32, frame: i32): void {
  shuffle(DOWN, active, frame);
}

/** `shfl.sync.bfly.b32 d|p, a, b, c`: from lane ^ b. Slots d, p, a, b, c. */
export function shfl_sync_bfly_b32(active: i32, frame: i32): void {
  shuffle(BFLY, active, frame);
}

/** `shfl.sync.idx.b32 d|p, a, b, c`: from lane b of the segment. Slots d, p, a, b, c. */
export function shfl_sync_idx_b32(active: i32, frame: i32): void {
  shuffle(IDX, active, frame);
}
