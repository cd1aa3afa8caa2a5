// Where the threads of a warp stand: their pcs, four at a time, as masks of lanes.

import { PC_READY } from "../../runtime/exec/layout";

/** All lanes of a warp of `lanes` threads. */
// @ts-ignore: decorator
@inline
export function allLanes(lanes: u32): u32 {
  return <u32>-1 >>> (32 - lanes);
}

/** The sign bits of sixteen words; narrowing keeps them. */
// @ts-ignore: decorator
@inline
function sixteen(a: v128, b: v128, c: v128, d: v128): u32 {
  return i8x16.bitmask(
    i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)),
  );
}

// @ts-ignore: decorator
@inline
function equalAt(pcs: u32, offset: usize, wanted: v128): v128 {
  return i32x4.eq(v128.load(pcs + offset), wanted);
}

/** The lanes, of the warp whose pcs begin at `pcs` (room for 32), that have this pc. */
export function lanesAt(pcs: u32, lanes: u32, pc: u32): u32 {
  const p = i32x4.splat(pc);
  const low = sixteen(equalAt(pcs, 0, p), equalAt(pcs, 16, p), equalAt(pcs, 32, p), equalAt(pcs, 48, p));
  const high = sixteen(equalAt(pcs, 64, p), equalAt(pcs, 80, p), equalAt(pcs, 96, p), equalAt(pcs, 112, p));
  return (low | (high << 16)) & allLanes(lanes);
}

// @ts-ignore: decorator
@inline
function readyAt(pcs: u32, offset: usize): v128 {
  // PC_READY is the bit below the sign.
  return i32x4.shl(v128.load(pcs + offset), 1);
}

/** The lanes that may run. */
export function readyLanes(pcs: u32, lanes: u32): u32 {
  const low = sixteen(readyAt(pcs, 0), readyAt(pcs, 16), readyAt(pcs, 32), readyAt(pcs, 48));
  const high = sixteen(readyAt(pcs, 64), readyAt(pcs, 80), readyAt(pcs, 96), readyAt(pcs, 112));
  return (low | (high << 16)) & allLanes(lanes);
}

/** Lets the lanes of a mask, which all stand at `entry`, run. */
export function release(pcs: u32, mask: u32, entry: u32): void {
  for (; mask; mask &= mask - 1) store<u32>(pcs + 4 * ctz(mask), entry | PC_READY);
}
