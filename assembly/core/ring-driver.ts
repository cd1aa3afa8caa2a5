// Split virtqueue (virtio 1.3 §2.7), the driver's side. One instance of the core is one queue. What
// the device writes is the used ring only; the free list and the lengths of buffers are kept in a
// shadow outside the rings, so that a device that lies can't lead the driver astray.
//
// Reading order: set-up, add, kick, get, callbacks, giving buffers up.

import {
  AVAIL_F_NO_INTERRUPT,
  BROKEN_NONE,
  BROKEN_USED_ID,
  BROKEN_USED_IDX,
  BROKEN_USED_LEN,
  DESC_ADDR,
  DESC_F_INDIRECT,
  DESC_F_NEXT,
  DESC_F_WRITE,
  DESC_LEN,
  DESC_SIZE,
  EINVAL,
  EIO,
  ENOSPC,
  RESULT_BROKEN,
  RESULT_EMPTY,
  RING_EVENT_IDX,
  RING_IN_ORDER,
  RING_INDIRECT,
  RING_LEGACY,
  SHADOW_SIZE,
  USED_F_NO_NOTIFY,
  WORK_ERROR_DETAIL,
  WORK_LENGTH,
} from "../../runtime/virtio/defs";
import {
  availEvent,
  bufferCount,
  bufferInBytes,
  bufferLast,
  clearShadowBuffer,
  descAt,
  hintUsedEvent,
  setAvailEntry,
  setAvailFlags,
  setAvailIdx,
  setDesc,
  setShadowBuffer,
  setShadowNext,
  setUsedEvent,
  shadowBuffer,
  shadowNext,
  usedEntry,
  usedFlags,
  usedIdx,
} from "./access";

let size: u32 = 0; // a power of two (§2.7)
let mask: u32 = 0;
let desc: u32 = 0;
let avail: u32 = 0;
let usedRing: u32 = 0;
let features: u32 = 0;
let work: u32 = 0;
let staging: u32 = 0; // scatterlist of the buffer being added: descriptors with addr and len
let shadow: u32 = 0;
let indirectTables: u32 = 0; // linear address of the tables, one for each head
let indirectGuest: u64 = 0; // and their guest address
let indirectMax: u32 = 0; // descriptors in each; 0: none

let freeHead: u32 = 0;
let freeCount: u32 = 0;
let availNext: u32 = 0; // our idx, modulo 2¹⁶; ahead of the ring's until the next kick
let availPublished: u32 = 0;
let lastUsed: u32 = 0;
let shadowUsed: u32 = 0; // the device's idx as it was last read
let callbacks: bool = true;
let oldest: u32 = 0; // in order: head of the oldest buffer that is in flight
let batchId: i32 = -1; // in order: head of the last buffer of the batch being taken
let batchLength: u32 = 0;
let broken: u32 = 0;

/** Sets where things lie; all are linear addresses that the caller has allocated and zeroed. */
export function splitDriverInit(
  queueSize: u32,
  descTable: u32,
  availRing: u32,
  deviceArea: u32,
  ringFeatures: u32,
  workspace: u32,
  stagingArea: u32,
  shadowArea: u32,
): void {
  size = queueSize;
  mask = queueSize - 1;
  desc = descTable;
  avail = availRing;
  usedRing = deviceArea;
  features = ringFeatures;
  work = workspace;
  staging = stagingArea;
  shadow = shadowArea;
  indirectMax = 0;
  freeHead = 0;
  freeCount = size;
  availNext = 0;
  availPublished = 0;
  lastUsed = 0;
  shadowUsed = 0;
  callbacks = true;
  oldest = 0;
  batchId = -1;
  broken = BROKEN_NONE;
  for (let i: u32 = 0; i < size; i++) {
    setShadowNext(shadowAt(i), (i + 1) & mask);
    clearShadowBuffer(shadowAt(i));
  }
}

/** Gives the queue one table of `max` indirect descriptors for each head. */
export function splitDriverSetIndirect(linear: u32, guest: u64, max: u32): void {
  indirectTables = linear;
  indirectGuest = guest;
  indirectMax = max;
}

// @ts-ignore: decorator
@inline
function shadowAt(index: u32): u32 {
  return shadow + index * SHADOW_SIZE;
}

/** Marks the queue broken; only a reset ends that. */
export function splitDriverBreakQueue(reason: u32, detail: u32): i32 {
  if (broken == BROKEN_NONE) {
    broken = reason;
    store<u32>(work, detail, WORK_ERROR_DETAIL);
  }
  return RESULT_BROKEN;
}

export function splitDriverBroken(): u32 {
  return broken;
}

/** Free descriptors. */
export function splitDriverFree(): u32 {
  return freeCount;
}

// ── add ─────────────────────────────────────────────────────────────────────────────────────────

/**
 * Adds the buffer described in the staging area: `outCount` readable elements, then `inCount`
 * writable ones (§2.7.4.2). Returns its head or a negative errno. The device sees it at the next
 * kick: entries are staged, and idx is published once.
 */
export function splitDriverAdd(outCount: u32, inCount: u32): i32 {
  if (broken != BROKEN_NONE) return -EIO;
  const total = outCount + inCount;
  if (total == 0) return -EINVAL;
  const indirect = (features & RING_INDIRECT) != 0 && total > 1 && total <= indirectMax;
  const needed: u32 = indirect ? 1 : total;
  if (total > size) return -EINVAL; // §2.7.5.3.1: no chain is longer than the queue, in a table too
  if (needed > freeCount) return -ENOSPC;

  // All lengths are known before anything is written, so a refused buffer leaves no trace.
  let outBytes: u64 = 0;
  let inBytes: u64 = 0;
  for (let i: u32 = 0; i < total; i++) {
    const length = load<u32>(staging + i * DESC_SIZE, DESC_LEN);
    if (length == 0) return -EINVAL;
    if (i < outCount) outBytes += length;
    else inBytes += length;
  }
  if (outBytes + inBytes > 0x100000000) return -EINVAL; // §2.7.5.2

  const head = freeHead;
  let last = head;
  if (indirect) {
    const offset = head * indirectMax * DESC_SIZE;
    const table = indirectTables + offset;
    for (let i: u32 = 0; i < total; i++) {
      // §2.7.5.3.1: the table's descriptors are sequential, and none is INDIRECT.
      const flags = (i + 1 < total ? DESC_F_NEXT : 0) | (i >= outCount ? DESC_F_WRITE : 0);
      place(table, i, i, flags, i + 1 < total ? i + 1 : 0);
    }
    setDesc(descAt(desc, head), indirectGuest + offset, total * DESC_SIZE, DESC_F_INDIRECT, 0);
  } else {
    let index = head;
    for (let i: u32 = 0; i < total; i++) {
      last = index;
      const next = shadowNext(shadowAt(index));
      const flags = (i + 1 < total ? DESC_F_NEXT : 0) | (i >= outCount ? DESC_F_WRITE : 0);
      place(desc, index, i, flags, next);
      index = next;
    }
  }
  freeHead = shadowNext(shadowAt(last));
  freeCount -= needed;
  setShadowBuffer(shadowAt(head), needed, last, inBytes);

  setAvailEntry(avail, availNext & mask, head);
  availNext = (availNext + 1) & 0xffff;
  return head;
}

// @ts-ignore: decorator
@inline
function place(table: u32, index: u32, element: u32, flags: u32, next: u32): void {
  const source = staging + element * DESC_SIZE;
  setDesc(
    descAt(table, index),
    load<u64>(source, DESC_ADDR),
    load<u32>(source, DESC_LEN),
    flags,
    next,
  );
}

// ── kick ────────────────────────────────────────────────────────────────────────────────────────

/** Publishes what was added (§2.7.13.3) and says whether the device wants to hear of it. */
export function splitDriverKickPrepare(): u32 {
  if (broken != BROKEN_NONE) return 0;
  const before = availPublished;
  if (before != availNext) {
    availPublished = availNext;
    setAvailIdx(avail, availNext);
  }
  // idx was stored, and the suppression field is loaded after it (§2.7.13.4.1).
  if (features & RING_EVENT_IDX) {
    const event = availEvent(usedRing, size);
    return ((availNext - event - 1) & 0xffff) < ((availNext - before) & 0xffff) ? 1 : 0;
  }
  return usedFlags(usedRing) & USED_F_NO_NOTIFY ? 0 : 1;
}

/** Our idx: the "next available" of a notification with data (§2.9). */
export function splitDriverNotificationData(): u32 {
  return availPublished;
}

// ── get ─────────────────────────────────────────────────────────────────────────────────────────

/** Used entries that were not taken yet, as far as the last read of idx shows; reads it at 0. */
// @ts-ignore: decorator
@inline
function moreUsed(): i32 {
  let count = (shadowUsed - lastUsed) & 0xffff;
  if (count != 0) return count;
  const idx = usedIdx(usedRing);
  count = (idx - lastUsed) & 0xffff;
  if (count > size) return splitDriverBreakQueue(BROKEN_USED_IDX, idx);
  shadowUsed = idx;
  return count;
}

/** 1 if a used buffer is waiting to be taken. */
export function splitDriverMore(): u32 {
  return broken == BROKEN_NONE && moreUsed() > 0 ? 1 : 0;
}

/**
 * Takes one used buffer: its head, RESULT_EMPTY or RESULT_BROKEN. WORK_LENGTH is how many bytes the
 * device says it wrote.
 */
export function splitDriverGet(): i32 {
  if (broken != BROKEN_NONE) return RESULT_BROKEN;
  let count = moreUsed();
  if (count == 0) {
    if (!callbacks || !(features & RING_EVENT_IDX)) return RESULT_EMPTY;
    setUsedEvent(avail, size, lastUsed); // about to wait: call back at the next one, and look again
    count = moreUsed();
    if (count == 0) return RESULT_EMPTY;
  }
  if (count < 0) return RESULT_BROKEN;
  const head = features & RING_IN_ORDER ? takeInOrder() : take();
  if (head < 0) return head;
  lastUsed = (lastUsed + 1) & 0xffff;
  if (callbacks && features & RING_EVENT_IDX) hintUsedEvent(avail, size, lastUsed);
  return head;
}

// @ts-ignore: decorator
@inline
function take(): i32 {
  const used = usedEntry(usedRing, lastUsed & mask);
  const id = <u32>used;
  const length = <u32>(used >> 32);
  const buffer = inFlight(id, length);
  if (buffer == 0) return RESULT_BROKEN;
  store<u32>(work, length, WORK_LENGTH);
  release(id, buffer);
  return id;
}

/**
 * §2.7.9: the device may write one entry for a batch, with the head of its last buffer, and skip
 * the rest. The skipped buffers count as used completely.
 */
function takeInOrder(): i32 {
  if (batchId < 0) {
    const used = usedEntry(usedRing, lastUsed & mask);
    const id = <u32>used;
    const length = <u32>(used >> 32);
    if (inFlight(id, length) == 0) return RESULT_BROKEN;
    batchId = id;
    batchLength = length;
  }
  const head = oldest;
  const buffer = shadowBuffer(shadowAt(head));
  if (buffer == 0) return splitDriverBreakQueue(BROKEN_USED_ID, head); // idx ran past those in flight
  if (head == batchId) {
    store<u32>(work, batchLength, WORK_LENGTH);
    batchId = -1;
  } else {
    store<u32>(work, bufferInBytes(buffer), WORK_LENGTH);
  }
  oldest = (head + bufferCount(buffer)) & mask;
  clearShadowBuffer(shadowAt(head));
  freeCount += bufferCount(buffer);
  return head;
}

/**
 * The buffer with head `id`, if it is in flight and the device could have written `length` bytes to
 * it (§2.7.8.2); 0 if that broke the queue.
 */
// @ts-ignore: decorator
@inline
function inFlight(id: u32, length: u32): u64 {
  const buffer = id < size ? shadowBuffer(shadowAt(id)) : 0;
  if (buffer == 0) {
    splitDriverBreakQueue(BROKEN_USED_ID, id);
    return 0;
  }
  // Legacy devices are known to report lengths that mean nothing (§2.7.8.1).
  if (length > bufferInBytes(buffer) && !(features & RING_LEGACY)) {
    splitDriverBreakQueue(BROKEN_USED_LEN, length);
    return 0;
  }
  return buffer;
}

// @ts-ignore: decorator
@inline
function release(head: u32, buffer: u64): void {
  freeCount += bufferCount(buffer);
  clearShadowBuffer(shadowAt(head));
  setShadowNext(shadowAt(bufferLast(buffer)), freeHead);
  freeHead = head;
}

// ── callbacks ───────────────────────────────────────────────────────────────────────────────────

/** Hint that no callbacks are wanted (§2.7.7.1); they may come all the same. */
export function splitDriverDisableCallbacks(): void {
  callbacks = false;
  if (!(features & RING_EVENT_IDX)) setAvailFlags(avail, AVAIL_F_NO_INTERRUPT);
}

/** Asks for a callback at the next used buffer; the result is for splitDriverPoll. */
export function splitDriverEnableCallbacks(): u32 {
  callbacks = true;
  if (features & RING_EVENT_IDX) setUsedEvent(avail, size, lastUsed);
  else setAvailFlags(avail, 0);
  return lastUsed;
}

/** Asks for a callback when three quarters of what is in flight are used. 0 if they are already. */
export function splitDriverEnableCallbacksDelayed(): u32 {
  callbacks = true;
  if (!(features & RING_EVENT_IDX)) {
    setAvailFlags(avail, 0);
    return usedIdx(usedRing) == lastUsed ? 1 : 0;
  }
  const ahead = (((availNext - lastUsed) & 0xffff) * 3) >> 2;
  setUsedEvent(avail, size, (lastUsed + ahead) & 0xffff);
  return ((usedIdx(usedRing) - lastUsed) & 0xffff) > ahead ? 0 : 1;
}

/** Has anything been used since splitDriverEnableCallbacks returned `mark`? */
export function splitDriverPoll(mark: u32): u32 {
  return broken == BROKEN_NONE && usedIdx(usedRing) != (mark & 0xffff) ? 1 : 0;
}

// ── giving buffers up ───────────────────────────────────────────────────────────────────────────

/** After a reset of the queue: takes back one buffer the device never used, or RESULT_EMPTY. */
export function splitDriverDetachUnused(): i32 {
  for (let head: u32 = 0; head < size; head++) {
    const buffer = shadowBuffer(shadowAt(head));
    if (buffer == 0) continue;
    availNext = (availNext - 1) & 0xffff;
    if (features & RING_IN_ORDER) {
      freeCount += bufferCount(buffer);
      clearShadowBuffer(shadowAt(head));
    } else {
      release(head, buffer);
    }
    return head;
  }
  return RESULT_EMPTY;
}
