// mbarrier objects (PTX ISA §9.7.13.15): 64 bits in shared memory, opaque to programs. Our layout:
//
//   bits 0–19   expected arrivals of a phase
//   bits 20–39  pending arrivals of the current phase
//   bits 40–62  tx-count, two's complement: bytes that are still to be transferred
//   bit 63      parity of the current phase
//
// Only the blocks of one cluster, and so one worker, touch them: plain accesses do. The
// caller has checked the address.

import { inWindow } from "./windows";

const COUNT: i64 = 0xfffff;
const PENDING_SHIFT: i64 = 20;
const TX_SHIFT: i64 = 40;
const TX_BITS: i64 = 23;
const PARITY: i64 = 1 << 63;

// @ts-ignore: decorator
@inline
function expectedOf(m: i64): i64 {
  return m & COUNT;
}

// @ts-ignore: decorator
@inline
function pendingOf(m: i64): i64 {
  return (m >> PENDING_SHIFT) & COUNT;
}

// @ts-ignore: decorator
@inline
function txOf(m: i64): i64 {
  return (m << 1) >> (TX_SHIFT + 1);
}

// @ts-ignore: decorator
@inline
function pack(parity: i64, expected: i64, pending: i64, tx: i64): i64 {
  return (
    parity |
    (expected & COUNT) |
    ((pending & COUNT) << PENDING_SHIFT) |
    ((tx & ((1 << TX_BITS) - 1)) << TX_SHIFT)
  );
}

/** Stores the object; a phase with nothing pending ends, and the next one begins. */
function update(a: usize, parity: i64, expected: i64, pending: i64, tx: i64): void {
  if (pending == 0 && tx == 0) store<i64>(a, pack(parity ^ PARITY, expected, expected, 0));
  else store<i64>(a, pack(parity, expected, pending, tx));
}

export function mbarrier_init(a: usize, count: i32): void {
  store<i64>(a, pack(0, <i64>(<u32>count), <i64>(<u32>count), 0));
}

export function mbarrier_inval(a: usize): void {
  store<i64>(a, 0);
}

export function mbarrier_expect_tx(a: usize, bytes: i32): void {
  const m = load<i64>(a);
  update(a, m & PARITY, expectedOf(m), pendingOf(m), txOf(m) + <i64>(<u32>bytes));
}

export function mbarrier_complete_tx(a: usize, bytes: i32): void {
  const m = load<i64>(a);
  update(a, m & PARITY, expectedOf(m), pendingOf(m), txOf(m) - <i64>(<u32>bytes));
}

/** The same at the place of `a` in the shared window of each block in a mask (see copy_multicast). */
export function mbarrier_complete_tx_multicast(
  a: usize,
  bytes: i32,
  mask: i32,
  cluster: usize,
  shift: i32,
  blocks: i32,
): void {
  for (let rank = 0; rank < blocks; rank++) {
    if ((mask >> rank) & 1) {
      mbarrier_complete_tx(inWindow(a, cluster, shift, rank), bytes);
    }
  }
}

/** Expects `bytes` more, then arrives `count` times; returns the state before (§9.7.13.15.13). */
export function mbarrier_arrive(a: usize, count: i32, bytes: i32): i64 {
  const m = load<i64>(a);
  const pending = pendingOf(m) - <i64>(<u32>count);
  update(a, m & PARITY, expectedOf(m), pending, txOf(m) + <i64>(<u32>bytes));
  return m;
}

/** The same, and the following phases expect `count` arrivals less. */
export function mbarrier_arrive_drop(a: usize, count: i32, bytes: i32): i64 {
  const m = load<i64>(a);
  const n = <i64>(<u32>count);
  const tx = txOf(m) + <i64>(<u32>bytes);
  update(a, m & PARITY, expectedOf(m) - n, pendingOf(m) - n, tx);
  return m;
}

/** Whether the phase that `state` was taken in has ended. */
export function mbarrier_test(a: usize, state: i64): i32 {
  return i32((load<i64>(a) ^ state) < 0);
}

/** Whether the phase of a parity has ended: the current phase has the other parity. */
export function mbarrier_test_parity(a: usize, parity: i32): i32 {
  return i32(load<i64>(a) < 0) ^ (parity & 1) ? 1 : 0;
}

export function mbarrier_pending_count(state: i64): i32 {
  return <i32>pendingOf(state);
}
