/**
 * `redux.sync` (PTX ISA 9.7.13.17): one value from the lanes taking part, given to all of them.
 * Slots d, a. Lanes that take no part contribute the operation's neutral element.
 */
import { GROUPS, broadcast, groupMask, lanes, slot } from "./warp-frame";

const ADD: i32 = 0;
const AND: i32 = 1;
const OR: i32 = 2;
const XOR: i32 = 3;
const MIN_S: i32 = 4;
const MAX_S: i32 = 5;
const MIN_U: i32 = 6;
const MAX_U: i32 = 7;

// @ts-ignore: decorator
@inline
function combine(op: i32, x: v128, y: v128): v128 {
  if (op == ADD) return i32x4.add(x, y);
  if (op == AND) return v128.and(x, y);
  if (op == OR) return v128.or(x, y);
  if (op == XOR) return v128.xor(x, y);
  if (op == MIN_S) return i32x4.min_s(x, y);
  if (op == MAX_S) return i32x4.max_s(x, y);
  if (op == MIN_U) return i32x4.min_u(x, y);
  return i32x4.max_u(x, y);
}

// @ts-ignore: decorator
@inline
function reduce(op: i32, neutral: i32, active: i32, frame: i32): void {
  const a = slot(frame, 1);
  const idle = i32x4.splat(neutral);
  let sum = idle;
  for (let g = 0; g < GROUPS; g++) {
    let v = lanes(a, g);
    if (active != -1) v = v128.bitselect(v, idle, groupMask(active, g));
    sum = combine(op, sum, v);
  }
  sum = combine(op, sum, i32x4.shuffle(sum, sum, 2, 3, 0, 1));
  sum = combine(op, sum, i32x4.shuffle(sum, sum, 1, 0, 3, 2));
  broadcast(frame, i32x4.extract_lane(sum, 0), active);
}

/** `redux.sync.add.u32 d, a`: modulo 2³². */
export function redux_sync_add_u32(active: i32, frame: i32): void {
  reduce(ADD, 0, active, frame);
}

/** `redux.sync.add.s32 d, a`: modulo 2³². */
export function redux_sync_add_s32(active: i32, frame: i32): void {
  reduce(ADD, 0, active, frame);
}

/** `redux.sync.min.u32 d, a`. */
export function redux_sync_min_u32(active: i32, frame: i32): void {
  reduce(MIN_U, -1, active, frame);
}

/** `redux.sync.max.u32 d, a`. */
export function redux_sync_max_u32(active: i32, frame: i32): void {
  reduce(MAX_U, 0, active, frame);
}

/** `redux.sync.min.s32 d, a`. */
export function redux_sync_min_s32(active: i32, frame: i32): void {
  reduce(MIN_S, i32.MAX_VALUE, active, frame);
}

/** `redux.sync.max.s32 d, a`. */
export function redux_sync_max_s32(active: i32, frame: i32): void {
  reduce(MAX_S, i32.MIN_VALUE, active, frame);
}

/** `redux.sync.and.b32 d, a`. */
export function redux_sync_and_b32(active: i32, frame: i32): void {
  reduce(AND, -1, active, frame);
}

/** `redux.sync.or.b32 d, a`. */
export function redux_sync_or_b32(active: i32, frame: i32): void {
  reduce(OR, 0, active, frame);
}

/** `redux.sync.xor.b32 d, a`. */
export function redux_sync_xor_b32(active: i32, frame: i32): void {
  reduce(XOR, 0, active, frame);
}

/** PTX's canonical f32 NaN. */
const NAN_BITS: i32 = 0x7fffffff;

/**
 * f32 minimum and maximum through the order-preserving map of floats to signed integers
 * (−0 below +0, as `min.f32` has it). Without `.NaN` a NaN input counts only if all are NaN.
 */
// @ts-ignore: decorator
@inline
function reduceF32(isMin: bool, abs: bool, keepNan: bool, active: i32, frame: i32): void {
  const a = slot(frame, 1);
  const neutral = isMin ? i32.MAX_VALUE : i32.MIN_VALUE;
  let best = neutral;
  let numbers = 0;
  let nans = 0;
  for (let rest = active; rest != 0; rest &= rest - 1) {
    let bits = load<i32>(a + (ctz(rest) << 2));
    if (abs) bits &= 0x7fffffff;
    if ((bits & 0x7fffffff) > 0x7f800000) {
      nans++;
      continue;
    }
    numbers++;
    const key = bits ^ ((bits >> 31) & 0x7fffffff);
    best = isMin ? min(best, key) : max(best, key);
  }
  let result = best ^ ((best >> 31) & 0x7fffffff);
  if (numbers == 0 || (keepNan && nans != 0)) result = NAN_BITS;
  broadcast(frame, result, active);
}

/** `redux.sync.min.f32 d, a`. */
export function redux_sync_min_f32(active: i32, frame: i32): void {
  reduceF32(true, false, false, active, frame);
}

/** `redux.sync.max.f32 d, a`. */
export function redux_sync_max_f32(active: i32, frame: i32): void {
  reduceF32(false, false, false, active, frame);
}

/** `redux.sync.min.abs.f32 d, a`. */
export function redux_sync_min_abs_f32(active: i32, frame: i32): void {
  reduceF32(true, true, false, active, frame);
}

/** `redux.sync.max.abs.f32 d, a`. */
export function redux_sync_max_abs_f32(active: i32, frame: i32): void {
  reduceF32(false, true, false, active, frame);
}

/** `redux.sync.min.NaN.f32 d, a`. */
export function redux_sync_min_NaN_f32(active: i32, frame: i32): void {
  reduceF32(true, false, true, active, frame);
}

/** `redux.sync.max.NaN.f32 d, a`. */
export function redux_sync_max_NaN_f32(active: i32, frame: i32): void {
  reduceF32(false, false, true, active, frame);
}

/** `redux.sync.min.abs.NaN.f32 d, a`. */
export function redux_sync_min_abs_NaN_f32(active: i32, frame: i32): void {
  reduceF32(true, true, true, active, frame);
}

/** `redux.sync.max.abs.NaN.f32 d, a`. */
export function redux_sync_max_abs_NaN_f32(active: i32, frame: i32): void {
  reduceF32(false, true, true, active, frame);
}
