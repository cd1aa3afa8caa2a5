// Packed virtqueue (virtio 1.3 §2.8), the driver's side. One instance of the core is one queue.
// Buffer ids and lengths are kept in a shadow outside the ring, so that a device that lies can't
// lead the driver astray.
//
// Reading order: set-up, add, kick, get, callbacks, giving buffers up.

import {
  BROKEN_NONE,
  BROKEN_PACKED_ID,
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
  EVENT_F_DESC,
  EVENT_F_DISABLE,
  EVENT_F_ENABLE,
  PACKED_F_AVAIL,
  PACKED_F_USED,
  RESULT_BROKEN,
  RESULT_EMPTY,
  RING_EVENT_IDX,
  RING_IN_ORDER,
  RING_INDIRECT,
  SHADOW_SIZE,
  WORK_ERROR_DETAIL,
  WORK_LENGTH,
} from "../../runtime/virtio/defs";
import {
  bufferCount,
  bufferInBytes,
  clearShadowBuffer,
  descAt,
  eventBoth,
  hintEventOffWrap,
  loadPackedTail,
  packedFlags,
  packedId,
  packedTail,
  publishPackedTail,
  setEventBoth,
  setPackedAddr,
  setPackedTail,
  setShadowBuffer,
  setShadowNext,
  shadowBuffer,
  shadowNext,
  tailLen,
} from "./access";

const STATE_BITS: u32 = PACKED_F_AVAIL | PACKED_F_USED;

let size: u32 = 0;
let ring: u32 = 0;
let driverEvent: u32 = 0;
let deviceEvent: u32 = 0;
let features: u32 = 0;
let work: u32 = 0;
let staging: u32 = 0; // scatterlist of the buffer being added: descriptors with addr and len
let shadow: u32 = 0; // by buffer id
let indirectTables: u32 = 0;
let indirectGuest: u64 = 0;
let indirectMax: u32 = 0;

let freeId: u32 = 0; // in order: the next id; else the head of a list
let freeCount: u32 = 0; // descriptors
let nextAvail: u32 = 0;
let availWrap: u32 = 1;
let nextUsed: u32 = 0;
let usedWrap: u32 = 1;
let added: u32 = 0; // descriptors since the last kick
let headIndex: u32 = 0; // first descriptor since the last kick, whose tail publishes all of them
let headTail: u64 = 0;
let callbacks: bool = true;
let oldest: u32 = 0; // in order: id of the oldest buffer in flight
let batchId: i32 = -1;
let batchLength: u32 = 0;
let broken: u32 = 0;

/** Sets where things lie; all are linear addresses that the caller has allocated and zeroed. */
export function packedDriverInit(
  queueSize: u32,
  descRing: u32,
  driverArea: u32,
  deviceArea: u32,
  ringFeatures: u32,
  workspace: u32,
  stagingArea: u32,
  shadowArea: u32,
): void {
  size = queueSize;
  ring = descRing;
  driverEvent = driverArea;
  deviceEvent = deviceArea;
  features = ringFeatures;
  work = workspace;
  staging = stagingArea;
  shadow = shadowArea;
  indirectMax = 0;
  freeId = 0;
  freeCount = size;
  nextAvail = 0;
  availWrap = 1; // §2.8.1
  nextUsed = 0;
  usedWrap = 1;
  added = 0;
  callbacks = true;
  oldest = 0;
  batchId = -1;
  broken = BROKEN_NONE;
  for (let i: u32 = 0; i < size; i++) {
    setShadowNext(shadowAt(i), after(i));
    clearShadowBuffer(shadowAt(i));
  }
}

/** Gives the queue one table of `max` indirect descriptors for each buffer id. */
export function packedDriverSetIndirect(linear: u32, guest: u64, max: u32): void {
  indirectTables = linear;
  indirectGuest = guest;
  indirectMax = max;
}

// @ts-ignore: decorator
@inline
function shadowAt(id: u32): u32 {
  return shadow + id * SHADOW_SIZE;
}

// @ts-ignore: decorator
@inline
function after(id: u32): u32 {
  return id + 1 == size ? 0 : id + 1;
}

/** Marks the queue broken; only a reset ends that. */
export function packedDriverBreakQueue(reason: u32, detail: u32): i32 {
  if (broken == BROKEN_NONE) {
    broken = reason;
    store<u32>(work, detail, WORK_ERROR_DETAIL);
  }
  return RESULT_BROKEN;
}

export function packedDriverBroken(): u32 {
  return broken;
}

/** Free descriptors. */
export function packedDriverFree(): u32 {
  return freeCount;
}

// ── add ─────────────────────────────────────────────────────────────────────────────────────────

/**
 * Adds the buffer described in the staging area: `outCount` readable elements, then `inCount`
 * writable ones (§2.8.17). Returns its id or a negative errno. The device sees it at the next kick:
 * the tail of the first descriptor since the last kick stays unwritten until then.
 */
export function packedDriverAdd(outCount: u32, inCount: u32): i32 {
  if (broken != BROKEN_NONE) return -EIO;
  const total = outCount + inCount;
  if (total == 0) return -EINVAL;
  const indirect = (features & RING_INDIRECT) != 0 && total > 1 && total <= indirectMax;
  const needed: u32 = indirect ? 1 : total;
  if (total > size) return -EINVAL; // §2.8.17: no list is longer than the queue, in a table too
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
  if (outBytes + inBytes > 0x100000000) return -EINVAL;

  const id = freeId;
  const entry = shadowAt(id);
  freeId = shadowNext(entry);
  setShadowBuffer(entry, needed, 0, inBytes);

  if (indirect) {
    const offset = id * indirectMax * DESC_SIZE;
    for (let i: u32 = 0; i < total; i++) {
      // §2.8.19: no flag but WRITE in a table; the id is reserved there.
      const source = staging + i * DESC_SIZE;
      const flags: u32 = i >= outCount ? DESC_F_WRITE : 0;
      const at = descAt(indirectTables + offset, i);
      setPackedAddr(at, load<u64>(source, DESC_ADDR));
      setPackedTail(at, packedTail(load<u32>(source, DESC_LEN), 0, flags));
    }
    put(indirectGuest + offset, total * DESC_SIZE, id, DESC_F_INDIRECT);
  } else {
    for (let i: u32 = 0; i < total; i++) {
      const source = staging + i * DESC_SIZE;
      const flags = (i + 1 < total ? DESC_F_NEXT : 0) | (i >= outCount ? DESC_F_WRITE : 0);
      put(load<u64>(source, DESC_ADDR), load<u32>(source, DESC_LEN), id, flags);
    }
  }
  freeCount -= needed;
  return id;
}

/** Writes the next descriptor of the ring; the first one since a kick without its tail. */
// @ts-ignore: decorator
@inline
function put(addr: u64, len: u32, id: u32, kind: u32): void {
  const flags = kind | (availWrap ? PACKED_F_AVAIL : PACKED_F_USED); // §2.8.1
  const at = descAt(ring, nextAvail);
  const tail = packedTail(len, id, flags);
  setPackedAddr(at, addr);
  if (added == 0) {
    headIndex = nextAvail;
    headTail = tail;
  } else {
    setPackedTail(at, tail);
  }
  added++;
  nextAvail++;
  if (nextAvail == size) {
    nextAvail = 0;
    availWrap ^= 1;
  }
}

// ── kick ────────────────────────────────────────────────────────────────────────────────────────

/** Publishes what was added (§2.8.21.1) and says whether the device wants to hear of it. */
export function packedDriverKickPrepare(): u32 {
  if (broken != BROKEN_NONE) return 0;
  const count = added;
  if (count > 0) {
    publishPackedTail(descAt(ring, headIndex), headTail);
    added = 0;
  }
  // Flags were stored, and the suppression structure is loaded after them (§2.8.21.3).
  const event = eventBoth(deviceEvent);
  const flags = (event >> 16) & 3;
  if (flags == EVENT_F_DISABLE) return 0;
  if (flags != EVENT_F_DESC || !(features & RING_EVENT_IDX)) return 1;
  let offset = event & 0x7fff;
  // The event lies in this round or in the one before: seen from nextAvail, that one is negative.
  if (((event >> 15) & 1) != availWrap) offset -= size;
  return ((nextAvail - offset - 1) & 0xffff) < count ? 1 : 0;
}

/** Next position and its wrap counter: the data of a notification with data (§2.9). */
export function packedDriverNotificationData(): u32 {
  return nextAvail | (availWrap << 15);
}

// ── get ─────────────────────────────────────────────────────────────────────────────────────────

/** Is the descriptor at this position used: are both its bits equal to the counter (§2.8.1)? */
// @ts-ignore: decorator
@inline
function isUsed(tail: u64, wrap: u32): bool {
  return (packedFlags(tail) & STATE_BITS) == (wrap ? STATE_BITS : 0);
}

/** 1 if a used buffer is waiting to be taken. */
export function packedDriverMore(): u32 {
  if (broken != BROKEN_NONE || freeCount == size) return 0;
  return batchId >= 0 || isUsed(loadPackedTail(descAt(ring, nextUsed)), usedWrap) ? 1 : 0;
}

/**
 * Takes one used buffer: its id, RESULT_EMPTY or RESULT_BROKEN. WORK_LENGTH is how many bytes the
 * device says it wrote.
 */
export function packedDriverGet(): i32 {
  if (broken != BROKEN_NONE) return RESULT_BROKEN;
  if (batchId < 0) {
    // With nothing in flight no descriptor can be used: at the very start of a round all zeros
    // would look so (§2.8.1).
    if (freeCount == size) return RESULT_EMPTY;
    const entry = descAt(ring, nextUsed);
    let tail = loadPackedTail(entry);
    if (!isUsed(tail, usedWrap)) {
      if (!callbacks || !(features & RING_EVENT_IDX)) return RESULT_EMPTY;
      // About to wait: call back at the next one, and look again.
      setEventBoth(driverEvent, nextUsed | (usedWrap << 15) | (EVENT_F_DESC << 16));
      tail = loadPackedTail(entry);
      if (!isUsed(tail, usedWrap)) return RESULT_EMPTY;
    }
    const id = packedId(tail);
    // §2.8.4: without WRITE the length is reserved, and ignored.
    const length = packedFlags(tail) & DESC_F_WRITE ? tailLen(tail) : 0;
    if (id >= size) return packedDriverBreakQueue(BROKEN_PACKED_ID, id);
    const buffer = shadowBuffer(shadowAt(id));
    if (buffer == 0) return packedDriverBreakQueue(BROKEN_PACKED_ID, id);
    if (length > bufferInBytes(buffer)) return packedDriverBreakQueue(BROKEN_USED_LEN, length);
    if (!(features & RING_IN_ORDER)) {
      store<u32>(work, length, WORK_LENGTH);
      setShadowNext(shadowAt(id), freeId);
      freeId = id;
      return release(id, buffer);
    }
    batchId = id;
    batchLength = length;
  }
  return takeInOrder();
}

/**
 * §2.8.8: one used descriptor may stand for a batch, with the id of its last buffer. The skipped
 * buffers count as used completely.
 */
function takeInOrder(): i32 {
  const id = oldest;
  const buffer = shadowBuffer(shadowAt(id));
  oldest = after(id);
  if (<i32>id == batchId) {
    store<u32>(work, batchLength, WORK_LENGTH);
    batchId = -1;
  } else {
    store<u32>(work, bufferInBytes(buffer), WORK_LENGTH);
  }
  return release(id, buffer);
}

/** Frees a buffer's descriptors and moves behind them in the ring. */
// @ts-ignore: decorator
@inline
function release(id: u32, buffer: u64): i32 {
  const count = bufferCount(buffer);
  clearShadowBuffer(shadowAt(id));
  freeCount += count;
  let next = nextUsed + count;
  if (next >= size) {
    next -= size;
    usedWrap ^= 1;
  }
  nextUsed = next;
  if (callbacks && features & RING_EVENT_IDX) {
    hintEventOffWrap(driverEvent, nextUsed | (usedWrap << 15));
  }
  return id;
}

// ── callbacks ───────────────────────────────────────────────────────────────────────────────────

/** Asks for no callbacks; they may come all the same. */
export function packedDriverDisableCallbacks(): void {
  callbacks = false;
  setEventBoth(driverEvent, nextUsed | (usedWrap << 15) | (EVENT_F_DISABLE << 16));
}

/** Asks for a callback at the next used buffer; the result is for packedDriverPoll. */
export function packedDriverEnableCallbacks(): u32 {
  callbacks = true;
  const position = nextUsed | (usedWrap << 15);
  const flags: u32 = features & RING_EVENT_IDX ? EVENT_F_DESC : EVENT_F_ENABLE;
  setEventBoth(driverEvent, position | (flags << 16));
  return position;
}

/** Asks for a callback when three quarters of what is in flight are used. 0 if some are already. */
export function packedDriverEnableCallbacksDelayed(): u32 {
  callbacks = true;
  let flags: u32 = EVENT_F_ENABLE;
  let index = nextUsed;
  let wrap = usedWrap;
  if (features & RING_EVENT_IDX) {
    flags = EVENT_F_DESC;
    index += ((size - freeCount) * 3) >> 2;
    if (index >= size) {
      index -= size;
      wrap ^= 1;
    }
  }
  setEventBoth(driverEvent, index | (wrap << 15) | (flags << 16));
  return packedDriverMore() ? 0 : 1;
}

/** Has the descriptor at `mark` been used since packedDriverEnableCallbacks returned it? */
export function packedDriverPoll(mark: u32): u32 {
  if (broken != BROKEN_NONE || freeCount == size) return 0;
  if (batchId >= 0) return 1; // the rest of a batch, which has no used descriptors of its own
  const index = mark & 0x7fff;
  if (index >= size) return 0;
  return isUsed(loadPackedTail(descAt(ring, index)), (mark >> 15) & 1) ? 1 : 0;
}

// ── giving buffers up ───────────────────────────────────────────────────────────────────────────

/** After a reset of the queue: takes back one buffer the device never used, or RESULT_EMPTY. */
export function packedDriverDetachUnused(): i32 {
  for (let id: u32 = 0; id < size; id++) {
    const buffer = shadowBuffer(shadowAt(id));
    if (buffer == 0) continue;
    clearShadowBuffer(shadowAt(id));
    setShadowNext(shadowAt(id), freeId);
    freeId = id;
    freeCount += bufferCount(buffer);
    return id;
  }
  return RESULT_EMPTY;
}
