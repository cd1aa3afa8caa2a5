// Split virtqueue (virtio 1.3 §2.7), the device's side. One instance of the core is one queue, and
// its cursors are the globals below: nothing that the device relies on lies in guest memory.
//
// Reading order: set-up, pop (with the walk of a chain), push, notifications, save and restore.

import {
  BROKEN_ADDRESS,
  BROKEN_AVAIL_IDX,
  BROKEN_HEAD,
  BROKEN_IN_USE,
  BROKEN_INDIRECT_FEATURE,
  BROKEN_INDIRECT_LENGTH,
  BROKEN_INDIRECT_NESTED,
  BROKEN_INDIRECT_NEXT,
  BROKEN_LOOP,
  BROKEN_NEXT,
  BROKEN_NONE,
  BROKEN_ORDER,
  BROKEN_TOO_LONG,
  BROKEN_ZERO_LENGTH,
  AVAIL_F_NO_INTERRUPT,
  DESC_F_INDIRECT,
  DESC_F_NEXT,
  DESC_F_WRITE,
  DESC_SIZE,
  RESULT_BROKEN,
  RESULT_EMPTY,
  RING_EVENT_IDX,
  RING_INDIRECT,
  RING_NOTIFY_ON_EMPTY,
  USED_F_NO_NOTIFY,
  WORK_ERROR_DETAIL,
} from "../../runtime/virtio/defs";
import {
  availEntry,
  availFlags,
  availIdx,
  descAddr,
  descAt,
  descTail,
  hintAvailEvent,
  setAvailEvent,
  setUsedEntry,
  setUsedFlags,
  setUsedIdx,
  tailFlags,
  tailLen,
  tailNext,
  usedEvent,
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

let size: u32 = 0; // a power of two (§2.7), so slots are taken with a mask
let mask: u32 = 0;
let desc: u32 = 0;
let avail: u32 = 0;
let used: u32 = 0;
let features: u32 = 0;

let lastAvail: u32 = 0; // next entry of the available ring to take, modulo 2¹⁶
let shadowAvail: u32 = 0; // the driver's idx as it was last read: read again only when used up
let usedNext: u32 = 0; // our idx in the used ring, modulo 2¹⁶
let signalled: u32 = 0; // idx at the last notification
let signalledValid: bool = false;
let notification: bool = true; // do we ask the driver for notifications?
let inUse: u32 = 0; // chains popped and not yet given back
let broken: u32 = 0;

/**
 * Takes over a queue whose three parts are at these linear addresses, already checked for size,
 * alignment and place. All cursors start at 0 (§2.7.6, §2.7.8).
 */
export function splitDeviceInit(
  queueSize: u32,
  descTable: u32,
  availRing: u32,
  usedRing: u32,
  ringFeatures: u32,
): void {
  size = queueSize;
  mask = queueSize - 1;
  features = ringFeatures;
  lastAvail = 0;
  shadowAvail = 0;
  usedNext = 0;
  signalled = 0;
  signalledValid = true; // nothing was used yet, and both sides know it
  notification = true;
  inUse = 0;
  broken = BROKEN_NONE;
  splitDeviceMove(descTable, availRing, usedRing);
}

/** The same queue elsewhere in linear memory (the guest's regions were mapped anew). */
export function splitDeviceMove(descTable: u32, availRing: u32, usedRing: u32): void {
  desc = descTable;
  avail = availRing;
  used = usedRing;
}

/** Marks the queue broken; only a reset ends that. `detail` is the value that was wrong. */
export function splitDeviceBreakQueue(reason: u32, detail: u32): i32 {
  if (broken == BROKEN_NONE) {
    broken = reason;
    store<u32>(work, detail, WORK_ERROR_DETAIL);
  }
  return RESULT_BROKEN;
}

/** Why the queue is broken (BROKEN_*), 0 if it is not. */
export function splitDeviceBroken(): u32 {
  return broken;
}

// ── pop ─────────────────────────────────────────────────────────────────────────────────────────

/**
 * How many chains the driver has made available beyond what was taken. Reads idx again only when
 * nothing is left of what the last read showed. A jump beyond the queue's size breaks the queue:
 * the driver never has more than `size` chains outstanding, and never decrements idx (§2.7.6.1).
 */
// @ts-ignore: decorator
@inline
function pending(): i32 {
  let count = (shadowAvail - lastAvail) & 0xffff;
  if (count != 0) return count;
  shadowAvail = availIdx(avail);
  count = (shadowAvail - lastAvail) & 0xffff;
  if (count > size) {
    const jumped = shadowAvail;
    shadowAvail = lastAvail;
    return splitDeviceBreakQueue(BROKEN_AVAIL_IDX, jumped);
  }
  return count;
}

/** Has the driver made nothing available? Judges no index: the next pop does. */
function nothingLeft(): bool {
  return shadowAvail == lastAvail && availIdx(avail) == lastAvail;
}

/** 1 if there is nothing to pop, 0 if there is; broken queues are empty. */
export function splitDeviceEmpty(): u32 {
  return broken != BROKEN_NONE || pending() <= 0 ? 1 : 0;
}

/**
 * Takes the next chain: its head (0 to size - 1), RESULT_EMPTY or RESULT_BROKEN. The chain's
 * segments and counts are in the workspace. Every field of guest memory is read once.
 */
// @ts-ignore: decorator
@inline
export function splitDevicePop(): i32 {
  if (broken != BROKEN_NONE) return RESULT_BROKEN;
  let count = pending();
  if (count == 0) {
    // About to sleep: ask for a notification at the next entry, then look once more, so that an
    // entry made available in between is not missed (§2.7.10, event index).
    if (!notification || !(features & RING_EVENT_IDX)) return RESULT_EMPTY;
    setAvailEvent(used, size, lastAvail);
    count = pending();
    if (count == 0) return RESULT_EMPTY;
  }
  if (count < 0) return RESULT_BROKEN;
  if (inUse >= size) return splitDeviceBreakQueue(BROKEN_IN_USE, inUse);

  const head = availEntry(avail, lastAvail & mask);
  if (head >= size) return splitDeviceBreakQueue(BROKEN_HEAD, head);
  if (!walk(head)) return RESULT_BROKEN;
  lastAvail = (lastAvail + 1) & 0xffff;
  inUse++;
  if (features & RING_EVENT_IDX && notification) hintAvailEvent(used, size, lastAvail);
  return head;
}

/** Pop, and the first `headerBytes` bytes of the request in the header area (see gatherHeader). */
export function splitDevicePopRequest(headerBytes: u32): i32 {
  const head = splitDevicePop();
  if (head >= 0) gatherHeader(headerBytes);
  return head;
}

/** Describes the chain that starts at `head` in the workspace; false if it broke the queue. */
function walk(head: u32): bool {
  let segment = firstSegment();
  let writable: u32 = 0; // where the first writable segment is, once there is one
  let bytes: u64 = 0;
  let table = desc;
  let entries = size; // descriptors in `table`
  let budget = size; // a chain longer than its table has a loop
  let index = head;
  let indirect = false;
  let descriptors: u32 = 0;

  while (true) {
    if (budget == 0) return fail(BROKEN_LOOP, index);
    budget--;
    descriptors++;
    const entry = descAt(table, index);
    const address = descAddr(entry);
    const tail = descTail(entry);
    const flags = tailFlags(tail);
    const length = tailLen(tail);

    if (flags & DESC_F_INDIRECT) {
      // §2.7.5.3.1: only if negotiated, never together with NEXT, never inside an indirect table.
      // §2.7.5.3.2: normal descriptors may come before it, and its WRITE flag is ignored.
      if (!(features & RING_INDIRECT)) return fail(BROKEN_INDIRECT_FEATURE, flags);
      if (indirect) return fail(BROKEN_INDIRECT_NESTED, index);
      if (flags & DESC_F_NEXT) return fail(BROKEN_INDIRECT_NEXT, flags);
      if (length == 0 || length % DESC_SIZE != 0) return fail(BROKEN_INDIRECT_LENGTH, length);
      const at = translate(address, length, false);
      if (at < 0) return fail(BROKEN_ADDRESS, index);
      indirect = true;
      table = <u32>at;
      entries = length / DESC_SIZE;
      budget = entries;
      index = 0;
      continue;
    }

    const write = (flags & DESC_F_WRITE) != 0;
    if (write != (writable != 0)) {
      if (!write) return fail(BROKEN_ORDER, index); // §2.7.4.2: writable ones come last
      writable = segment;
    }
    if (length == 0) return fail(BROKEN_ZERO_LENGTH, index);
    segment = appendBuffer(segment, address, length, write);
    if (segment == 0) return fail(refusal, index);
    // §2.7.5.2: at most 2³² bytes in a chain. Each length is below 2³²: the sum can't overflow.
    bytes += length;
    if (bytes > 0x100000000) return fail(BROKEN_TOO_LONG, index);

    if (!(flags & DESC_F_NEXT)) break;
    index = tailNext(tail);
    if (index >= entries) return fail(BROKEN_NEXT, index);
  }

  finishChain(segment, writable, descriptors);
  return true;
}

function fail(reason: u32, detail: u32): bool {
  splitDeviceBreakQueue(reason, detail);
  return false;
}

// ── push ────────────────────────────────────────────────────────────────────────────────────────

/** Stages a used element `offset` places ahead of idx; `flush` makes it visible (§2.7.8.2). */
// @ts-ignore: decorator
@inline
export function splitDeviceFill(head: u32, length: u32, offset: u32): void {
  if (broken != BROKEN_NONE) return;
  setUsedEntry(used, (usedNext + offset) & mask, head, length);
}

/** Makes `count` staged elements visible: len is set before idx (§2.7.8.2). */
// @ts-ignore: decorator
@inline
export function splitDeviceFlush(count: u32): void {
  inUse -= count;
  if (broken != BROKEN_NONE) return;
  const before = usedNext;
  usedNext = (usedNext + count) & 0xffff;
  setUsedIdx(used, usedNext);
  // Once idx has run past the last notification, comparing with it says nothing any more.
  if (((usedNext - signalled) & 0xffff) < ((usedNext - before) & 0xffff)) signalledValid = false;
}

/**
 * The whole end of a request in one call: `bytes` of the response area to the chain's writable
 * segments, a used element, idx. Returns 1 if the driver is to be notified.
 */
export function splitDeviceRespond(
  head: u32,
  units: u32,
  first: u32,
  count: u32,
  bytes: u32,
): u32 {
  if (broken != BROKEN_NONE) {
    inUse -= units;
    return 0;
  }
  splitDeviceFill(head, scatterResponse(first, count, bytes), 0);
  splitDeviceFlush(units);
  return splitDeviceShouldNotify();
}

/** Gives `units` chains back without touching the used ring (detach). */
export function splitDeviceDetach(units: u32): void {
  inUse -= units;
}

/** Steps back over the last `chains` taken, which are then available again. 0 if too many. */
export function splitDeviceRewind(chains: u32, _units: u32): u32 {
  if (chains > inUse) return 0;
  lastAvail = (lastAvail - chains) & 0xffff;
  inUse -= chains;
  return 1;
}

// ── notifications ───────────────────────────────────────────────────────────────────────────────

/** Does the driver want to hear of what was flushed (§2.7.7.2)? 1 if it does. */
// @ts-ignore: decorator
@inline
export function splitDeviceShouldNotify(): u32 {
  if (broken != BROKEN_NONE) return 0;
  if (features & RING_NOTIFY_ON_EMPTY && inUse == 0 && nothingLeft()) return 1; // §6.3
  if (!(features & RING_EVENT_IDX)) {
    return availFlags(avail) & AVAIL_F_NO_INTERRUPT ? 0 : 1;
  }
  // idx was stored, and now the event is loaded; both sequentially consistent, so the driver that
  // sets its event and then looks at idx can't miss us.
  const first = !signalledValid;
  const before = signalled;
  signalledValid = true;
  signalled = usedNext;
  if (first) return 1;
  const event = usedEvent(avail, size);
  return ((usedNext - event - 1) & 0xffff) < ((usedNext - before) & 0xffff) ? 1 : 0;
}

/**
 * Asks the driver for notifications, or asks it not to send any (§2.7.10.2). After enabling, the
 * caller looks at `splitDeviceEmpty` again.
 */
export function splitDeviceSetNotification(enable: u32): void {
  notification = enable != 0;
  if (broken != BROKEN_NONE) return;
  if (features & RING_EVENT_IDX) {
    // Flags stay 0 with the event index; an event that stays behind idx is the way to be left alone.
    if (enable) setAvailEvent(used, size, lastAvail);
  } else {
    setUsedFlags(used, enable ? 0 : USED_F_NO_NOTIFY);
  }
}

// ── save and restore ────────────────────────────────────────────────────────────────────────────

/** One word of the queue's state, by number: 0 to 5, in the order of splitDeviceRestore. */
export function splitDeviceState(word: u32): u32 {
  if (word == 0) return lastAvail;
  if (word == 1) return usedNext;
  if (word == 2) return signalled;
  if (word == 3) return signalledValid ? 1 : 0;
  if (word == 4) return notification ? 1 : 0;
  return inUse;
}

/** Goes on where another instance's saved state stopped. */
export function splitDeviceRestore(
  savedLastAvail: u32,
  savedUsed: u32,
  savedSignalled: u32,
  savedSignalledValid: u32,
  savedNotification: u32,
  savedInUse: u32,
): void {
  lastAvail = savedLastAvail & 0xffff;
  shadowAvail = lastAvail;
  usedNext = savedUsed & 0xffff;
  signalled = savedSignalled & 0xffff;
  signalledValid = savedSignalledValid != 0;
  notification = savedNotification != 0;
  inUse = savedInUse;
}
