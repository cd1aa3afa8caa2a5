// Copies between address ranges that the caller has checked (PTX ISA §9.7.9.25 cp.async).

import { inWindow } from "./windows";

/** Copies `bytes` bytes. */
export function copy_bytes(to: usize, from: usize, bytes: i32): void {
  memory.copy(to, from, <usize>(<u32>bytes));
}

/** cp.async with a source size: `size` bytes from `from`, and zeros up to `bytes`. */
export function copy_zero_filled(to: usize, from: usize, bytes: i32, size: i32): void {
  const n = min<u32>(<u32>size, <u32>bytes);
  memory.copy(to, from, n);
  memory.fill(to + n, 0, <u32>bytes - n);
}

/**
 * cp.async.bulk.multicast::cluster: to the place of `to` in the shared window of each block in a mask.
 * @param cluster address of the first block's window; the others follow 2^shift bytes apart
 */
export function copy_multicast(
  to: usize,
  from: usize,
  bytes: i32,
  mask: i32,
  cluster: usize,
  shift: i32,
  blocks: i32,
): void {
  for (let rank = 0; rank < blocks; rank++) {
    if ((mask >> rank) & 1) {
      memory.copy(inWindow(to, cluster, shift, rank), from, <usize>(<u32>bytes));
    }
  }
}
