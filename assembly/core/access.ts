// Every raw access of the rings goes through a named accessor of this file: a field of guest
// memory is one function here, and nobody else computes its address. In the debug build each
// access is also reported to the host (address, length, read or write), so that a fuzzer can hold
// it against the chain that allowed it.
//
// Guest memory is shared: what is loaded can change at any moment, so each accessor loads once and
// callers keep the value. Ring pointers were checked and aligned when the queue was set up (§2.7,
// §2.8.10), which is why no accessor checks its address again.
//
// Ordering: indices of the split ring and flags of the packed ring are accessed with WebAssembly's
// sequentially consistent atomics. A store of an index followed by a load of the other side's
// suppression field is then the "suitable memory barrier" of §2.7.13.4.1 and §2.8.21.3.

import {
  AVAIL_ENTRY_SIZE,
  AVAIL_FLAGS,
  AVAIL_IDX,
  AVAIL_RING,
  DESC_ADDR,
  DESC_FLAGS,
  DESC_LEN,
  DESC_NEXT,
  DESC_SIZE,
  EVENT_OFF_WRAP,
  PACKED_DESC_FLAGS,
  PACKED_DESC_ID,
  USED_ENTRY_LEN,
  USED_ENTRY_SIZE,
  USED_FLAGS,
  USED_IDX,
  USED_RING,
} from "../../runtime/virtio/defs";

// @ts-ignore: decorator
@external("env", "logAccess")
declare function logAccess(address: u32, length: u32, write: u32): void;

// @ts-ignore: decorator
@inline
function logged(address: u32, length: u32, write: u32): void {
  if (ASC_OPTIMIZE_LEVEL == 0) logAccess(address, length, write);
}

// ── Descriptor of a split ring, of an indirect table, and (addr, len) of a packed ring ──────────

/** Address of descriptor `index` of the table at `table`. */
// @ts-ignore: decorator
@inline
export function descAt(table: u32, index: u32): u32 {
  return table + index * DESC_SIZE;
}

// @ts-ignore: decorator
@inline
export function descAddr(desc: u32): u64 {
  logged(desc + DESC_ADDR, 8, 0);
  return load<u64>(desc, DESC_ADDR);
}

// @ts-ignore: decorator
@inline
export function descLen(desc: u32): u32 {
  logged(desc + DESC_LEN, 4, 0);
  return load<u32>(desc, DESC_LEN);
}

// @ts-ignore: decorator
@inline
export function descFlags(desc: u32): u32 {
  logged(desc + DESC_FLAGS, 2, 0);
  return load<u16>(desc, DESC_FLAGS);
}

// @ts-ignore: decorator
@inline
export function descNext(desc: u32): u32 {
  logged(desc + DESC_NEXT, 2, 0);
  return load<u16>(desc, DESC_NEXT);
}

// @ts-ignore: decorator
@inline
export function setDesc(desc: u32, addr: u64, len: u32, flags: u32, next: u32): void {
  logged(desc, DESC_SIZE, 1);
  store<u64>(desc, addr, DESC_ADDR);
  store<u32>(desc, len, DESC_LEN);
  store<u32>(desc, flags | (next << 16), DESC_FLAGS); // flags and next are neighbours
}

// ── Available ring ──────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
export function availFlags(avail: u32): u32 {
  logged(avail + AVAIL_FLAGS, 2, 0);
  return atomic.load<u16>(avail, AVAIL_FLAGS);
}

// @ts-ignore: decorator
@inline
export function setAvailFlags(avail: u32, flags: u32): void {
  logged(avail + AVAIL_FLAGS, 2, 1);
  atomic.store<u16>(avail, <u16>flags, AVAIL_FLAGS);
}

// @ts-ignore: decorator
@inline
export function availIdx(avail: u32): u32 {
  logged(avail + AVAIL_IDX, 2, 0);
  return atomic.load<u16>(avail, AVAIL_IDX);
}

// @ts-ignore: decorator
@inline
export function setAvailIdx(avail: u32, idx: u32): void {
  logged(avail + AVAIL_IDX, 2, 1);
  atomic.store<u16>(avail, <u16>idx, AVAIL_IDX);
}

// @ts-ignore: decorator
@inline
export function availEntry(avail: u32, slot: u32): u32 {
  const address = avail + slot * AVAIL_ENTRY_SIZE;
  logged(address + AVAIL_RING, 2, 0);
  return load<u16>(address, AVAIL_RING);
}

// @ts-ignore: decorator
@inline
export function setAvailEntry(avail: u32, slot: u32, head: u32): void {
  const address = avail + slot * AVAIL_ENTRY_SIZE;
  logged(address + AVAIL_RING, 2, 1);
  store<u16>(address, <u16>head, AVAIL_RING);
}

/** The driver's event index, behind the entries of the available ring (§2.7.7). */
// @ts-ignore: decorator
@inline
export function usedEvent(avail: u32, size: u32): u32 {
  const address = avail + size * AVAIL_ENTRY_SIZE;
  logged(address + AVAIL_RING, 2, 0);
  return atomic.load<u16>(address, AVAIL_RING);
}

/** The same without order: a hint while entries are left; the last one before a wait is ordered. */
// @ts-ignore: decorator
@inline
export function hintUsedEvent(avail: u32, size: u32, idx: u32): void {
  const address = avail + size * AVAIL_ENTRY_SIZE;
  logged(address + AVAIL_RING, 2, 1);
  store<u16>(address, <u16>idx, AVAIL_RING);
}

// @ts-ignore: decorator
@inline
export function setUsedEvent(avail: u32, size: u32, idx: u32): void {
  const address = avail + size * AVAIL_ENTRY_SIZE;
  logged(address + AVAIL_RING, 2, 1);
  atomic.store<u16>(address, <u16>idx, AVAIL_RING);
}

// ── Used ring ───────────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
export function usedFlags(used: u32): u32 {
  logged(used + USED_FLAGS, 2, 0);
  return atomic.load<u16>(used, USED_FLAGS);
}

// @ts-ignore: decorator
@inline
export function setUsedFlags(used: u32, flags: u32): void {
  logged(used + USED_FLAGS, 2, 1);
  atomic.store<u16>(used, <u16>flags, USED_FLAGS);
}

// @ts-ignore: decorator
@inline
export function usedIdx(used: u32): u32 {
  logged(used + USED_IDX, 2, 0);
  return atomic.load<u16>(used, USED_IDX);
}

// @ts-ignore: decorator
@inline
export function setUsedIdx(used: u32, idx: u32): void {
  logged(used + USED_IDX, 2, 1);
  atomic.store<u16>(used, <u16>idx, USED_IDX);
}

// @ts-ignore: decorator
@inline
export function usedEntryId(used: u32, slot: u32): u32 {
  const address = used + slot * USED_ENTRY_SIZE;
  logged(address + USED_RING, 4, 0);
  return load<u32>(address, USED_RING);
}

// @ts-ignore: decorator
@inline
export function usedEntryLen(used: u32, slot: u32): u32 {
  const address = used + slot * USED_ENTRY_SIZE;
  logged(address + USED_RING + USED_ENTRY_LEN, 4, 0);
  return load<u32>(address, USED_RING + USED_ENTRY_LEN);
}

// @ts-ignore: decorator
@inline
export function setUsedEntry(used: u32, slot: u32, id: u32, len: u32): void {
  const address = used + slot * USED_ENTRY_SIZE;
  logged(address + USED_RING, USED_ENTRY_SIZE, 1);
  store<u32>(address, id, USED_RING);
  store<u32>(address, len, USED_RING + USED_ENTRY_LEN);
}

/** The device's event index, behind the entries of the used ring (§2.7.10). */
// @ts-ignore: decorator
@inline
export function availEvent(used: u32, size: u32): u32 {
  const address = used + size * USED_ENTRY_SIZE;
  logged(address + USED_RING, 2, 0);
  return atomic.load<u16>(address, USED_RING);
}

/** The same without order: a hint while entries are left; the last one before a wait is ordered. */
// @ts-ignore: decorator
@inline
export function hintAvailEvent(used: u32, size: u32, idx: u32): void {
  const address = used + size * USED_ENTRY_SIZE;
  logged(address + USED_RING, 2, 1);
  store<u16>(address, <u16>idx, USED_RING);
}

// @ts-ignore: decorator
@inline
export function setAvailEvent(used: u32, size: u32, idx: u32): void {
  const address = used + size * USED_ENTRY_SIZE;
  logged(address + USED_RING, 2, 1);
  atomic.store<u16>(address, <u16>idx, USED_RING);
}

// ── Packed ring ─────────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
export function packedFlags(desc: u32): u32 {
  logged(desc + PACKED_DESC_FLAGS, 2, 0);
  return atomic.load<u16>(desc, PACKED_DESC_FLAGS);
}

/** Flags of a later descriptor of a list, whose first flags were already seen: no order needed. */
// @ts-ignore: decorator
@inline
export function packedFlagsPlain(desc: u32): u32 {
  logged(desc + PACKED_DESC_FLAGS, 2, 0);
  return load<u16>(desc, PACKED_DESC_FLAGS);
}

// @ts-ignore: decorator
@inline
export function setPackedFlags(desc: u32, flags: u32): void {
  logged(desc + PACKED_DESC_FLAGS, 2, 1);
  atomic.store<u16>(desc, <u16>flags, PACKED_DESC_FLAGS);
}

// @ts-ignore: decorator
@inline
export function packedId(desc: u32): u32 {
  logged(desc + PACKED_DESC_ID, 2, 0);
  return load<u16>(desc, PACKED_DESC_ID);
}

/** Writes all but the flags, which make the descriptor visible and come last (§2.8.21.1). */
// @ts-ignore: decorator
@inline
export function setPackedBody(desc: u32, addr: u64, len: u32, id: u32): void {
  logged(desc, PACKED_DESC_FLAGS, 1);
  store<u64>(desc, addr, DESC_ADDR);
  store<u32>(desc, len, DESC_LEN);
  store<u16>(desc, <u16>id, PACKED_DESC_ID);
}

/** Body of a later descriptor of a list: flags may be plain, the first one's publish them. */
// @ts-ignore: decorator
@inline
export function setPackedWhole(desc: u32, addr: u64, len: u32, id: u32, flags: u32): void {
  logged(desc, DESC_SIZE, 1);
  store<u64>(desc, addr, DESC_ADDR);
  store<u32>(desc, len, DESC_LEN);
  store<u32>(desc, id | (flags << 16), PACKED_DESC_ID);
}

/** A used descriptor: length and id; the address field is unused (§2.8.4). */
// @ts-ignore: decorator
@inline
export function setPackedUsed(desc: u32, len: u32, id: u32): void {
  logged(desc + DESC_LEN, 6, 1);
  store<u32>(desc, len, DESC_LEN);
  store<u16>(desc, <u16>id, PACKED_DESC_ID);
}

// ── Event suppression structure (§2.8.14) ───────────────────────────────────────────────────────

/** Both halves at once, so that offset and flags belong together: off_wrap | flags << 16. */
// @ts-ignore: decorator
@inline
export function eventBoth(event: u32): u32 {
  logged(event, 4, 0);
  return atomic.load<u32>(event, EVENT_OFF_WRAP);
}

/** Both halves at once, in the same form. */
// @ts-ignore: decorator
@inline
export function setEventBoth(event: u32, both: u32): void {
  logged(event, 4, 1);
  atomic.store<u32>(event, both, EVENT_OFF_WRAP);
}

/** The offset without order: a hint while entries are left, as hintUsedEvent. */
// @ts-ignore: decorator
@inline
export function hintEventOffWrap(event: u32, offWrap: u32): void {
  logged(event + EVENT_OFF_WRAP, 2, 1);
  store<u16>(event, <u16>offWrap, EVENT_OFF_WRAP);
}

// ── Bytes of a guest's buffer ───────────────────────────────────────────────────────────────────

/** Up to so many bytes a loop is quicker than the engine's memory.copy, which is a call. */
const SHORT: u32 = 64;

/** memory.copy; short and disjoint ranges, as headers and responses are, in words. */
// @ts-ignore: decorator
@inline
function copy(target: u32, source: u32, bytes: u32): void {
  // Unsigned differences: both at least `bytes` only if neither range reaches into the other.
  if (bytes > SHORT || target - source < bytes || source - target < bytes) {
    memory.copy(target, source, bytes);
    return;
  }
  let i: u32 = 0;
  for (; i + 8 <= bytes; i += 8) store<u64>(target + i, load<u64>(source + i));
  for (; i < bytes; i++) store<u8>(target + i, load<u8>(source + i));
}

/** Copies out of a device-readable segment into host memory. */
// @ts-ignore: decorator
@inline
export function copyFromGuest(target: u32, source: u32, bytes: u32): void {
  logged(source, bytes, 0);
  copy(target, source, bytes);
}

/** Copies from host memory into a device-writable segment. */
// @ts-ignore: decorator
@inline
export function copyToGuest(target: u32, source: u32, bytes: u32): void {
  logged(target, bytes, 1);
  copy(target, source, bytes);
}

/** Sets bytes of a device-writable segment. */
// @ts-ignore: decorator
@inline
export function fillGuest(target: u32, value: u32, bytes: u32): void {
  logged(target, bytes, 1);
  memory.fill(target, <u8>value, bytes);
}
