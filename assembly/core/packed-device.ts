// Packed virtqueue (virtio 1.3 §2.8), the device's side. One instance of the core is one queue, and
// its cursors are the globals below: nothing that the device relies on lies in guest memory.
//
// A position is an index into the ring and a wrap counter (§2.8.1); a descriptor is available when
// its AVAIL bit equals our counter and its USED bit does not, and used when both equal it.
//
// Reading order: set-up, pop (with the walk of a list), push, notifications, save and restore.

import {
  BROKEN_ADDRESS,
  BROKEN_IN_USE,
  BROKEN_INDIRECT_FEATURE,
  BROKEN_INDIRECT_LENGTH,
  BROKEN_INDIRECT_NEXT,
  BROKEN_LOOP,
  BROKEN_NONE,
  BROKEN_ORDER,
  BROKEN_PACKED_CHAIN,
  BROKEN_TOO_LONG,
  BROKEN_ZERO_LENGTH,
  DESC_F_INDIRECT,
  DESC_F_NEXT,
  DESC_F_WRITE,
  DESC_SIZE,
  EVENT_F_DESC,
  EVENT_F_DISABLE,
  EVENT_F_ENABLE,
  PACKED_F_AVAIL,
  PACKED_F_USED,
  RESULT_BROKEN,
  RESULT_EMPTY,
  RING_EVENT_IDX,
  RING_INDIRECT,
  WORK_ERROR_DETAIL,
} from "../../runtime/virtio/defs";
import {
  descAddr,
  descAt,
  descTail,
  eventBoth,
  hintEventOffWrap,
  loadPackedTail,
  packedFlags,
  packedId,
  packedTail,
  publishPackedTail,
  setEventBoth,
  setPackedTail,
  tailLen,
} from "./access";
import {
  appendBuffer,
  finishChain,
  firstSegment,
  gatherHeader,
  refusal,
  scatterResponse,
  translate,
  work,
} from "./iov";

const STATE_BITS: u32 = PACKED_F_AVAIL | PACKED_F_USED;

let size: u32 = 0; // any number up to 32768 (§2.8.10.1)
let ring: u32 = 0;
let driverEvent: u32 = 0;
let deviceEvent: u32 = 0;
let features: u32 = 0;

let availIndex: u32 = 0; // next descriptor to take
let availWrap: u32 = 1;
let usedIndex: u32 = 0; // next descriptor to write
let usedWrap: u32 = 1;
let staged: u64 = 0; // used descriptor at usedIndex, which is published last
let usedSince: u32 = 0; // descriptors used since the last notification
let notification: bool = true;
let inUse: u32 = 0; // descriptors taken and not yet given back
let broken: u32 = 0;

/** Takes over a queue whose parts are at these linear addresses, already checked (§2.8.10.1). */
export function packedDeviceInit(
  queueSize: u32,
  descRing: u32,
  driverArea: u32,
  deviceArea: u32,
  ringFeatures: u32,
): void {
  size = queueSize;
  features = ringFeatures;
  availIndex = 0;
  availWrap = 1; // §2.8.1: both counters start at 1
  usedIndex = 0;
  usedWrap = 1;
  usedSince = 0;
  notification = true;
  inUse = 0;
  broken = BROKEN_NONE;
  packedDeviceMove(descRing, driverArea, deviceArea);
}

/** The same queue elsewhere in linear memory (the guest's regions were mapped anew). */
export function packedDeviceMove(descRing: u32, driverArea: u32, deviceArea: u32): void {
  ring = descRing;
  driverEvent = driverArea;
  deviceEvent = deviceArea;
}

/** Marks the queue broken; only a reset ends that. `detail` is the value that was wrong. */
export function packedDeviceBreakQueue(reason: u32, detail: u32): i32 {
  if (broken == BROKEN_NONE) {
    broken = reason;
    store<u32>(work, detail, WORK_ERROR_DETAIL);
  }
  return RESULT_BROKEN;
}

/** Why the queue is broken (BROKEN_*), 0 if it is not. */
export function packedDeviceBroken(): u32 {
  return broken;
}

// ── pop ─────────────────────────────────────────────────────────────────────────────────────────

/** Was this descriptor made available in a round with this wrap counter (§2.8.1)? */
// @ts-ignore: decorator
@inline
function isAvailable(tail: u64, wrap: u32): bool {
  return (packedFlags(tail) & STATE_BITS) == (wrap ? PACKED_F_AVAIL : PACKED_F_USED);
}

/** 1 if there is nothing to pop, 0 if there is; broken queues are empty. */
export function packedDeviceEmpty(): u32 {
  if (broken != BROKEN_NONE) return 1;
  return isAvailable(loadPackedTail(descAt(ring, availIndex)), availWrap) ? 0 : 1;
}

/**
 * Takes the next list: its buffer id, RESULT_EMPTY or RESULT_BROKEN. Its segments and counts are in
 * the workspace. Every field of guest memory is read once.
 */
// @ts-ignore: decorator
@inline
export function packedDevicePop(): i32 {
  if (broken != BROKEN_NONE) return RESULT_BROKEN;
  const first = descAt(ring, availIndex);
  let tail = loadPackedTail(first);
  if (!isAvailable(tail, availWrap)) {
    // About to sleep: ask for a notification at the next descriptor, then look once more, so that
    // one made available in between is not missed (§2.8.10).
    if (!notification || !(features & RING_EVENT_IDX)) return RESULT_EMPTY;
    setEventBoth(deviceEvent, availIndex | (availWrap << 15) | (EVENT_F_DESC << 16));
    tail = loadPackedTail(first);
    if (!isAvailable(tail, availWrap)) return RESULT_EMPTY;
  }
  if (inUse >= size) return packedDeviceBreakQueue(BROKEN_IN_USE, inUse);
  const id = packedFlags(tail) & DESC_F_INDIRECT ? walkIndirect(first, tail) : walk(tail);
  if (id < 0) return id;
  if (features & RING_EVENT_IDX && notification) {
    hintEventOffWrap(deviceEvent, availIndex | (availWrap << 15));
  }
  return id;
}

/** Pop, and the first `headerBytes` bytes of the request in the header area (see gatherHeader). */
export function packedDevicePopRequest(headerBytes: u32): i32 {
  const id = packedDevicePop();
  if (id >= 0) gatherHeader(headerBytes);
  return id;
}

/** Describes the list at availIndex, which begins with `first`, and moves on behind it. */
// @ts-ignore: decorator
@inline
function walk(first: u64): i32 {
  let segment = firstSegment();
  let writable: u32 = 0; // where the first writable segment is, once there is one
  let bytes: u64 = 0;
  let index = availIndex;
  let wrap = availWrap;
  let tail = first;
  let count: u32 = 0;
  const limit = size - inUse; // §2.8.17: no list is longer than the descriptors not in use
  while (true) {
    if (count >= limit) return packedDeviceBreakQueue(BROKEN_LOOP, index);
    const entry = descAt(ring, index);
    if (count > 0) {
      // §2.8.6: all descriptors of a list have their flags set before the first one's are, so that
      // they need no order of their own.
      tail = descTail(entry);
      if (!isAvailable(tail, wrap)) return packedDeviceBreakQueue(BROKEN_PACKED_CHAIN, index);
      // §2.8.19: no indirect descriptor in a list linked by NEXT.
      if (packedFlags(tail) & DESC_F_INDIRECT) {
        return packedDeviceBreakQueue(BROKEN_INDIRECT_NEXT, index);
      }
    }
    count++;
    const flags = packedFlags(tail);
    const write = (flags & DESC_F_WRITE) != 0;
    if (write != (writable != 0)) {
      if (!write) return packedDeviceBreakQueue(BROKEN_ORDER, index); // §2.8.17: they come last
      writable = segment;
    }
    const length = tailLen(tail);
    if (length == 0) return packedDeviceBreakQueue(BROKEN_ZERO_LENGTH, index);
    segment = appendBuffer(segment, descAddr(entry), length, write);
    if (segment == 0) return packedDeviceBreakQueue(refusal, index);
    // At most 2³² bytes in a list, as in a split ring's chain; 32,768 lengths can't overflow.
    bytes += length;
    if (bytes > 0x100000000) return packedDeviceBreakQueue(BROKEN_TOO_LONG, index);
    index++;
    if (index == size) {
      index = 0;
      wrap ^= 1;
    }
    if (!(flags & DESC_F_NEXT)) break;
  }
  finishChain(segment, writable, count);
  availIndex = index;
  availWrap = wrap;
  inUse += count;
  return packedId(tail); // §2.8.6: the id is in the list's last descriptor
}

/** Describes the list in an indirect table (§2.8.7): all its descriptors, in sequence. */
function walkIndirect(entry: u32, tail: u64): i32 {
  const flags = packedFlags(tail);
  if (!(features & RING_INDIRECT)) return packedDeviceBreakQueue(BROKEN_INDIRECT_FEATURE, flags);
  if (flags & DESC_F_NEXT) return packedDeviceBreakQueue(BROKEN_INDIRECT_NEXT, flags); // §2.8.19
  const tableBytes = tailLen(tail);
  if (tableBytes == 0 || tableBytes % DESC_SIZE != 0) {
    return packedDeviceBreakQueue(BROKEN_INDIRECT_LENGTH, tableBytes);
  }
  const table = translate(descAddr(entry), tableBytes, false);
  if (table < 0) return packedDeviceBreakQueue(BROKEN_ADDRESS, availIndex);
  let segment = firstSegment();
  let writable: u32 = 0;
  let bytes: u64 = 0;
  // Ends by the table's length, or before that by the limit on segments.
  for (let i: u32 = 0; i < tableBytes / DESC_SIZE; i++) {
    const element = descAt(<u32>table, i);
    // §2.8.7: WRITE is the only valid flag in a table, the others are ignored.
    const elementTail = descTail(element);
    const write = (packedFlags(elementTail) & DESC_F_WRITE) != 0;
    if (write != (writable != 0)) {
      if (!write) return packedDeviceBreakQueue(BROKEN_ORDER, i);
      writable = segment;
    }
    const length = tailLen(elementTail);
    if (length == 0) return packedDeviceBreakQueue(BROKEN_ZERO_LENGTH, i);
    segment = appendBuffer(segment, descAddr(element), length, write);
    if (segment == 0) return packedDeviceBreakQueue(refusal, i);
    bytes += length;
    if (bytes > 0x100000000) return packedDeviceBreakQueue(BROKEN_TOO_LONG, i);
  }
  finishChain(segment, writable, 1);
  availIndex++;
  if (availIndex == size) {
    availIndex = 0;
    availWrap ^= 1;
  }
  inUse++;
  return packedId(tail);
}

// ── push ────────────────────────────────────────────────────────────────────────────────────────

/**
 * Stages a used descriptor `offset` descriptors behind the next position. The driver looks at one
 * position only (§2.8.2), so all but the one at offset 0 are written out at once, without order.
 */
// @ts-ignore: decorator
@inline
export function packedDeviceFill(id: u32, length: u32, offset: u32): void {
  if (broken != BROKEN_NONE) return;
  if (offset == 0) {
    staged = usedTail(id, length, usedWrap);
    return;
  }
  let index = usedIndex + offset; // both at most 32768
  let wrap = usedWrap;
  if (index >= size) {
    index -= size;
    wrap ^= 1;
  }
  setPackedTail(descAt(ring, index), usedTail(id, length, wrap));
}

/**
 * §2.8.1: used is both bits equal to our counter. §2.8.3: WRITE says that bytes were written.
 */
// @ts-ignore: decorator
@inline
function usedTail(id: u32, length: u32, wrap: u32): u64 {
  return packedTail(length, id, (wrap ? STATE_BITS : 0) | (length ? DESC_F_WRITE : 0));
}

/** Makes what was staged visible, by the first one; `units` descriptors are used. */
// @ts-ignore: decorator
@inline
export function packedDeviceFlush(units: u32): void {
  inUse -= units;
  if (broken != BROKEN_NONE) return;
  publishPackedTail(descAt(ring, usedIndex), staged);
  usedIndex += units;
  if (usedIndex >= size) {
    usedIndex -= size;
    usedWrap ^= 1;
  }
  usedSince = min(usedSince + units, 0xffff);
}

/** The whole end of a request in one call, as splitDeviceRespond. */
export function packedDeviceRespond(
  id: u32,
  units: u32,
  first: u32,
  count: u32,
  bytes: u32,
): u32 {
  if (broken != BROKEN_NONE) {
    inUse -= units;
    return 0;
  }
  packedDeviceFill(id, scatterResponse(first, count, bytes), 0);
  packedDeviceFlush(units);
  return packedDeviceShouldNotify();
}

/** Gives `units` descriptors back without touching the ring (detach). */
export function packedDeviceDetach(units: u32): void {
  inUse -= units;
}

/** Steps back over the last lists taken, which have `units` descriptors. 0 if too many. */
export function packedDeviceRewind(_chains: u32, units: u32): u32 {
  if (units > inUse) return 0;
  if (availIndex < units) {
    availIndex += size;
    availWrap ^= 1;
  }
  availIndex -= units;
  inUse -= units;
  return 1;
}

// ── notifications ───────────────────────────────────────────────────────────────────────────────

/** Does the driver want to hear of what was flushed (§2.8.10)? 1 if it does. */
// @ts-ignore: decorator
@inline
export function packedDeviceShouldNotify(): u32 {
  if (broken != BROKEN_NONE) return 0;
  // The used flags were stored, and now the event is loaded; both sequentially consistent.
  const event = eventBoth(driverEvent);
  const since = usedSince;
  usedSince = 0;
  const flags = (event >> 16) & 3;
  if (flags == EVENT_F_DISABLE) return 0;
  if (flags != EVENT_F_DESC || !(features & RING_EVENT_IDX)) return 1;
  let offset = event & 0x7fff;
  // The event lies in this round or in the one before: seen from usedIndex, that one is negative.
  if (((event >> 15) & 1) != usedWrap) offset -= size;
  return ((usedIndex - offset - 1) & 0xffff) < since ? 1 : 0;
}

/** Asks the driver for notifications, or for none (§2.8.10). Look at the ring after enabling. */
export function packedDeviceSetNotification(enable: u32): void {
  notification = enable != 0;
  if (broken != BROKEN_NONE) return;
  const position = availIndex | (availWrap << 15);
  let flags: u32 = EVENT_F_DISABLE;
  if (enable) flags = features & RING_EVENT_IDX ? EVENT_F_DESC : EVENT_F_ENABLE;
  setEventBoth(deviceEvent, position | (flags << 16));
}

// ── save and restore ────────────────────────────────────────────────────────────────────────────

/** One word of the queue's state, by number: 0 to 5, in the order of packedDeviceRestore. */
export function packedDeviceState(word: u32): u32 {
  if (word == 0) return availIndex | (availWrap << 15);
  if (word == 1) return usedIndex | (usedWrap << 15);
  if (word == 2) return usedSince;
  if (word == 3) return 1;
  if (word == 4) return notification ? 1 : 0;
  return inUse;
}

/** Goes on where another instance's saved state stopped; positions are taken modulo the size. */
export function packedDeviceRestore(
  savedAvail: u32,
  savedUsed: u32,
  savedSince: u32,
  _reserved: u32,
  savedNotification: u32,
  savedInUse: u32,
): void {
  availIndex = (savedAvail & 0x7fff) % size;
  availWrap = (savedAvail >> 15) & 1;
  usedIndex = (savedUsed & 0x7fff) % size;
  usedWrap = (savedUsed >> 15) & 1;
  usedSince = savedSince;
  notification = savedNotification != 0;
  inUse = savedInUse;
}
