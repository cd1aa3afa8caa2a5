// Every raw access of the rings goes through a named accessor of this file: a field of guest
// memory is one function here, and nobody else computes its address. In the debug build each
// access is also reported to the host (address, length, read or write), so that a fuzzer can hold
// it against the chain that allowed it.
//
// Guest memory is shared: what is loaded can change at any moment, so each accessor loads once and
// callers keep the value. Ring pointers were checked and aligned when the queue was set up (§2.7,
// §2.8.10), which is why no accessor checks its address again.
//
// Ordering: indices of the split ring, flags of the packed ring and the fields that suppress
// notifications are accessed with WebAssembly's sequentially consistent atomics. They are stored by an
// exchange: behind it, a load (does the other side want a notification? has the ring got more?) finds
// the "suitable memory barrier" of §2.7.13.4.1 and §2.8.21.3 in every tier of every engine, while an
// atomic store is none in JavaScriptCore before it has optimised the code; once it has, both cost the
// same. For the loads see `loadsInOrder`.
//
// Two fields that are neighbours are one access: engines without guard pages (V8 in Deno) check
// each one's bounds.

import {
  AVAIL_ENTRY_SIZE,
  AVAIL_FLAGS,
  AVAIL_IDX,
  AVAIL_RING,
  DESC_ADDR,
  DESC_LEN,
  DESC_SIZE,
  EVENT_OFF_WRAP,
  SHADOW_BUFFER,
  SHADOW_NEXT,
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

/**
 * Does the machine keep loads in order, and a load behind a locked exchange, by itself (x86 does), and
 * does the engine's plain load compile to one? In JavaScriptCore an atomic load costs 20 cycles, as a
 * locked read-modify-write does, and that would be much of a request; there the host sets this
 * (runtime/virtio/core.ts), and loads that need order are plain ones.
 */
let loadsInOrder: bool = false;

/** Sets loadsInOrder; anything but 0 is yes. Never called, every ordered load is an atomic one. */
export function setLoadsInOrder(yes: u32): void {
  loadsInOrder = yes != 0;
}

// @ts-ignore: decorator
@inline
function ordered16(address: u32): u32 {
  logged(address, 2, 0);
  return loadsInOrder ? load<u16>(address) : atomic.load<u16>(address);
}

// @ts-ignore: decorator
@inline
function ordered32(address: u32): u32 {
  logged(address, 4, 0);
  return loadsInOrder ? load<u32>(address) : atomic.load<u32>(address);
}

// @ts-ignore: decorator
@inline
function ordered64(address: u32): u64 {
  logged(address, 8, 0);
  return loadsInOrder ? load<u64>(address) : atomic.load<u64>(address);
}

// ── Descriptor: of a split ring, of an indirect table, and addr of a packed ring ────────────────

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

/** The other half, len | flags << 32 | next << 48: see tailLen, tailFlags, tailNext. */
// @ts-ignore: decorator
@inline
export function descTail(desc: u32): u64 {
  logged(desc + DESC_LEN, 8, 0);
  return load<u64>(desc, DESC_LEN);
}

// @ts-ignore: decorator
@inline
export function tailLen(tail: u64): u32 {
  return <u32>tail;
}

// @ts-ignore: decorator
@inline
export function tailFlags(tail: u64): u32 {
  return <u32>(tail >> 32) & 0xffff;
}

// @ts-ignore: decorator
@inline
export function tailNext(tail: u64): u32 {
  return <u32>(tail >> 48);
}

// @ts-ignore: decorator
@inline
export function setDesc(desc: u32, addr: u64, len: u32, flags: u32, next: u32): void {
  logged(desc, DESC_SIZE, 1);
  store<u64>(desc, addr, DESC_ADDR);
  store<u64>(desc, <u64>len | (<u64>(flags | (next << 16)) << 32), DESC_LEN);
}

// ── Shadow of a buffer, in the driver's private memory ──────────────────────────────────────────

/** count | last << 16 | in bytes << 32; 0 where there is no buffer. */
// @ts-ignore: decorator
@inline
export function shadowBuffer(entry: u32): u64 {
  return load<u64>(entry, SHADOW_BUFFER);
}

/** `inBytes` may be 2³², which counts as one less: used lengths have 32 bits only. */
// @ts-ignore: decorator
@inline
export function setShadowBuffer(entry: u32, count: u32, last: u32, inBytes: u64): void {
  const bytes = inBytes > 0xffffffff ? 0xffffffff : inBytes;
  store<u64>(entry, <u64>(count | (last << 16)) | (bytes << 32), SHADOW_BUFFER);
}

// @ts-ignore: decorator
@inline
export function clearShadowBuffer(entry: u32): void {
  store<u64>(entry, 0, SHADOW_BUFFER);
}

// @ts-ignore: decorator
@inline
export function bufferCount(buffer: u64): u32 {
  return <u32>buffer & 0xffff;
}

// @ts-ignore: decorator
@inline
export function bufferLast(buffer: u64): u32 {
  return (<u32>buffer >> 16) & 0xffff;
}

// @ts-ignore: decorator
@inline
export function bufferInBytes(buffer: u64): u32 {
  return <u32>(buffer >> 32);
}

// @ts-ignore: decorator
@inline
export function shadowNext(entry: u32): u32 {
  return load<u16>(entry, SHADOW_NEXT);
}

// @ts-ignore: decorator
@inline
export function setShadowNext(entry: u32, next: u32): void {
  store<u16>(entry, <u16>next, SHADOW_NEXT);
}

// ── Available ring ──────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
export function availFlags(avail: u32): u32 {
  return ordered16(avail + AVAIL_FLAGS);
}

// @ts-ignore: decorator
@inline
export function setAvailFlags(avail: u32, flags: u32): void {
  logged(avail + AVAIL_FLAGS, 2, 1);
  atomic.xchg<u16>(avail, <u16>flags, AVAIL_FLAGS);
}

// @ts-ignore: decorator
@inline
export function availIdx(avail: u32): u32 {
  return ordered16(avail + AVAIL_IDX);
}

// @ts-ignore: decorator
@inline
export function setAvailIdx(avail: u32, idx: u32): void {
  logged(avail + AVAIL_IDX, 2, 1);
  atomic.xchg<u16>(avail, <u16>idx, AVAIL_IDX);
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
  return ordered16(avail + AVAIL_RING + size * AVAIL_ENTRY_SIZE);
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
  atomic.xchg<u16>(address, <u16>idx, AVAIL_RING);
}

// ── Used ring ───────────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
export function usedFlags(used: u32): u32 {
  return ordered16(used + USED_FLAGS);
}

// @ts-ignore: decorator
@inline
export function setUsedFlags(used: u32, flags: u32): void {
  logged(used + USED_FLAGS, 2, 1);
  atomic.xchg<u16>(used, <u16>flags, USED_FLAGS);
}

// @ts-ignore: decorator
@inline
export function usedIdx(used: u32): u32 {
  return ordered16(used + USED_IDX);
}

// @ts-ignore: decorator
@inline
export function setUsedIdx(used: u32, idx: u32): void {
  logged(used + USED_IDX, 2, 1);
  atomic.xchg<u16>(used, <u16>idx, USED_IDX);
}

/** An entry, id | len << 32. */
// @ts-ignore: decorator
@inline
export function usedEntry(used: u32, slot: u32): u64 {
  const address = used + slot * USED_ENTRY_SIZE;
  logged(address + USED_RING, USED_ENTRY_SIZE, 0);
  return load<u64>(address, USED_RING);
}

// @ts-ignore: decorator
@inline
export function setUsedEntry(used: u32, slot: u32, id: u32, len: u32): void {
  const address = used + slot * USED_ENTRY_SIZE;
  logged(address + USED_RING, USED_ENTRY_SIZE, 1);
  store<u64>(address, <u64>id | (<u64>len << 32), USED_RING);
}

/** The device's event index, behind the entries of the used ring (§2.7.10). */
// @ts-ignore: decorator
@inline
export function availEvent(used: u32, size: u32): u32 {
  return ordered16(used + USED_RING + size * USED_ENTRY_SIZE);
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
  atomic.xchg<u16>(address, <u16>idx, USED_RING);
}

// ── Packed ring: the half of a descriptor that says everything but addr ─────────────────────────

/** A packed descriptor's half: len | id << 32 | flags << 48. */
// @ts-ignore: decorator
@inline
export function packedTail(len: u32, id: u32, flags: u32): u64 {
  return <u64>len | (<u64>(id | (flags << 16)) << 32);
}

// @ts-ignore: decorator
@inline
export function packedId(tail: u64): u32 {
  return <u32>(tail >> 32) & 0xffff;
}

// @ts-ignore: decorator
@inline
export function packedFlags(tail: u64): u32 {
  return <u32>(tail >> 48);
}

/** Flags, and with the same load what they guard. */
// @ts-ignore: decorator
@inline
export function loadPackedTail(desc: u32): u64 {
  return ordered64(desc + DESC_LEN);
}

/** Makes a descriptor visible, flags and what they guard in one store (§2.8.21.1, §2.8.15). */
// @ts-ignore: decorator
@inline
export function publishPackedTail(desc: u32, tail: u64): void {
  logged(desc + DESC_LEN, 8, 1);
  atomic.xchg<u64>(desc, tail, DESC_LEN);
}

/** The same without order, for all but the first of what is published together. */
// @ts-ignore: decorator
@inline
export function setPackedTail(desc: u32, tail: u64): void {
  logged(desc + DESC_LEN, 8, 1);
  store<u64>(desc, tail, DESC_LEN);
}

/** Address of an available descriptor; used ones have none (§2.8.4). */
// @ts-ignore: decorator
@inline
export function setPackedAddr(desc: u32, addr: u64): void {
  logged(desc + DESC_ADDR, 8, 1);
  store<u64>(desc, addr, DESC_ADDR);
}

// ── Event suppression structure (§2.8.14) ───────────────────────────────────────────────────────

/** Both halves at once, so that offset and flags belong together: off_wrap | flags << 16. */
// @ts-ignore: decorator
@inline
export function eventBoth(event: u32): u32 {
  return ordered32(event + EVENT_OFF_WRAP);
}

/** Both halves at once, in the same form. */
// @ts-ignore: decorator
@inline
export function setEventBoth(event: u32, both: u32): void {
  logged(event, 4, 1);
  atomic.xchg<u32>(event, both, EVENT_OFF_WRAP);
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
