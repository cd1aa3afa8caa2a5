// Scatter-gather lists (iov): where the chain that is being walked is written down, and the walks
// over it that QEMU calls iov_*. The segments of one chain lie in the queue's workspace, which is
// outside guest memory: a descriptor is read once, checked, and from then on only this copy counts.
//
// A chain's readable segments come first and its writable ones after them (§2.7.4.2), so one array
// holds both: readable at [0, out), writable at [out, out + in).

import {
  BROKEN_ADDRESS,
  BROKEN_READONLY,
  BROKEN_SEGMENTS,
  REGION_BYTES,
  REGION_F_READONLY,
  REGION_FLAGS,
  REGION_GUEST,
  REGION_LINEAR,
  REGION_SIZE,
  SEGMENT_ADDRESS,
  SEGMENT_LENGTH,
  SEGMENT_SIZE,
  WORK_DROPPED,
  WORK_LENGTH,
  WORK_NDESCS,
  WORK_OUT_COUNT,
  WORK_PARTIAL,
  WORK_REGIONS,
  WORK_SEGMENTS,
} from "../../runtime/virtio/defs";
import { copyFromGuest, copyToGuest, fillGuest } from "./access";

/** Address of this queue side's workspace. */
export let work: u32 = 0;

let segmentEnd: u32 = 0; // behind the last segment that the workspace has room for
let headerArea: u32 = 0;
let responseArea: u32 = 0;
let regionCount: u32 = 0;
// The region that was hit last; nearly every guest has one region, so nearly every lookup ends here.
let hotGuest: u64 = 0;
let hotBytes: u64 = 0;
let hotLinear: u32 = 0;
let hotReadonly: bool = false;

/**
 * Sets the workspace and forgets the region table. Segments beyond `limit` are never written;
 * `header` and `response` are the private areas of gatherHeader and scatterResponse.
 */
export function setWorkspace(address: u32, limit: u32, header: u32, response: u32): void {
  work = address;
  segmentEnd = address + WORK_SEGMENTS + limit * SEGMENT_SIZE;
  headerArea = header;
  responseArea = response;
  regionCount = 0;
  hotBytes = 0;
}

/** Takes over the region table that the host has written into the workspace. */
export function setRegionCount(count: u32): void {
  regionCount = count;
  hotBytes = 0;
  if (count > 0) takeRegion(work + WORK_REGIONS);
}

function takeRegion(entry: u32): void {
  hotGuest = load<u64>(entry, REGION_GUEST);
  hotBytes = load<u64>(entry, REGION_BYTES);
  hotLinear = load<u32>(entry, REGION_LINEAR);
  hotReadonly = (load<u32>(entry, REGION_FLAGS) & REGION_F_READONLY) != 0;
}

/** Makes the region that holds guest address `address` the hot one; false if there is none. */
function findRegion(address: u64): bool {
  for (let i: u32 = 0; i < regionCount; i++) {
    const entry = work + WORK_REGIONS + i * REGION_SIZE;
    // Unsigned difference: wraps to a huge value when the address lies below the region.
    if (address - load<u64>(entry, REGION_GUEST) < load<u64>(entry, REGION_BYTES)) {
      takeRegion(entry);
      return true;
    }
  }
  return false;
}

/**
 * Linear address of guest bytes [address, address + length), or -1 where they are not wholly in one
 * region, or lie in a read-only one though `write` is set. Nothing here can overflow: offset <
 * region bytes ≤ 2³², and the comparison subtracts instead of adding.
 */
export function translate(address: u64, length: u64, write: bool): i64 {
  let offset = address - hotGuest;
  if (offset >= hotBytes) {
    if (!findRegion(address)) return -1;
    offset = address - hotGuest;
  }
  if (length > hotBytes - offset) return -1;
  if (write && hotReadonly) return -1;
  return <i64>(<u64>hotLinear + offset);
}

/** Address and length are neighbours: one store, and one load where both are needed. */
// @ts-ignore: decorator
@inline
function setSegment(segment: u32, address: u32, length: u32): void {
  store<u64>(segment, <u64>address | (<u64>length << 32), SEGMENT_ADDRESS);
}

/** Where the first segment of a chain goes. */
// @ts-ignore: decorator
@inline
export function firstSegment(): u32 {
  return work + WORK_SEGMENTS;
}

// @ts-ignore: decorator
@inline
function segmentsBefore(segment: u32): u32 {
  return (segment - firstSegment()) / SEGMENT_SIZE;
}

/** Writes down what a walk found: its end, its first writable segment (0: none), its descriptors. */
// @ts-ignore: decorator
@inline
export function finishChain(end: u32, writable: u32, descriptors: u32): void {
  const out = segmentsBefore(writable != 0 ? writable : end);
  store<u64>(work, <u64>out | (<u64>(segmentsBefore(end) - out) << 32), WORK_OUT_COUNT); // and in
  store<u32>(work, descriptors, WORK_NDESCS);
}

/** BROKEN_* number of the buffer that appendBuffer refused. */
export let refusal: u32 = 0;

/**
 * Adds a buffer of the guest's to the chain, whose next segment goes to `segment`. A buffer that
 * spans regions which follow each other in the guest's addresses becomes several segments. Returns
 * where the segment after it goes, or 0 and `refusal`. `length` is not 0.
 */
// @ts-ignore: decorator
@inline
export function appendBuffer(segment: u32, address: u64, length: u32, write: bool): u32 {
  const offset = address - hotGuest;
  // Nearly always the buffer lies in the region of the one before it.
  if (
    offset < hotBytes &&
    <u64>length <= hotBytes - offset &&
    !(write && hotReadonly) &&
    segment < segmentEnd
  ) {
    setSegment(segment, hotLinear + <u32>offset, length);
    return segment + SEGMENT_SIZE;
  }
  return appendParts(segment, address, length, write);
}

/** appendBuffer where regions have to be looked up, or the buffer may have to be refused. */
function appendParts(first: u32, address: u64, length: u32, write: bool): u32 {
  let segment = first;
  let left: u64 = length;
  while (true) {
    let offset = address - hotGuest;
    if (offset >= hotBytes) {
      if (!findRegion(address)) return refuse(BROKEN_ADDRESS);
      offset = address - hotGuest;
    }
    if (write && hotReadonly) return refuse(BROKEN_READONLY);
    if (segment >= segmentEnd) return refuse(BROKEN_SEGMENTS);
    const room = hotBytes - offset;
    const part = left < room ? left : room;
    setSegment(segment, hotLinear + <u32>offset, <u32>part);
    segment += SEGMENT_SIZE;
    left -= part;
    if (left == 0) return segment;
    address += part; // wraps to 0 at the end of 64 bits, where a region must be found again
  }
}

function refuse(reason: u32): u32 {
  refusal = reason;
  return 0;
}

// @ts-ignore: decorator
@inline
function segmentAt(index: u32): u32 {
  return work + WORK_SEGMENTS + index * SEGMENT_SIZE;
}

/** Bytes in segments [first, first + count): a chain may have 2³², which only a double holds. */
export function iovSize(first: u32, count: u32): f64 {
  let bytes: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    bytes += load<u32>(segmentAt(first + i), SEGMENT_LENGTH);
  }
  return <f64>bytes;
}

/**
 * Copies up to `bytes` from the segments, starting `offset` bytes into them, to linear memory at
 * `target`. Returns how many bytes there were to copy.
 */
export function iovToBuf(first: u32, count: u32, offset: u32, target: u32, bytes: u32): u32 {
  let done: u32 = 0;
  for (let i: u32 = 0; i < count && done < bytes; i++) {
    const segment = segmentAt(first + i);
    const length = load<u32>(segment, SEGMENT_LENGTH);
    if (offset >= length) {
      offset -= length;
      continue;
    }
    const room = length - offset;
    const part = min(room, bytes - done);
    copyFromGuest(target + done, load<u32>(segment, SEGMENT_ADDRESS) + offset, part);
    offset = 0;
    done += part;
  }
  return done;
}

/** The other way: from linear memory at `source` into the segments. Returns the bytes copied. */
export function iovFromBuf(first: u32, count: u32, offset: u32, source: u32, bytes: u32): u32 {
  let done: u32 = 0;
  for (let i: u32 = 0; i < count && done < bytes; i++) {
    const segment = segmentAt(first + i);
    const length = load<u32>(segment, SEGMENT_LENGTH);
    if (offset >= length) {
      offset -= length;
      continue;
    }
    const room = length - offset;
    const part = min(room, bytes - done);
    copyToGuest(load<u32>(segment, SEGMENT_ADDRESS) + offset, source + done, part);
    offset = 0;
    done += part;
  }
  return done;
}

/** Sets `bytes` bytes of the segments to `value`, from `offset` on. Returns how many were set. */
export function iovMemset(first: u32, count: u32, offset: u32, value: u32, bytes: u32): u32 {
  let done: u32 = 0;
  for (let i: u32 = 0; i < count && done < bytes; i++) {
    const segment = segmentAt(first + i);
    const length = load<u32>(segment, SEGMENT_LENGTH);
    if (offset >= length) {
      offset -= length;
      continue;
    }
    const room = length - offset;
    const part = min(room, bytes - done);
    fillGuest(load<u32>(segment, SEGMENT_ADDRESS) + offset, value, part);
    offset = 0;
    done += part;
  }
  return done;
}

/**
 * Takes `bytes` off the front: whole segments are dropped (WORK_DROPPED says how many, so that the
 * caller moves `first`), and the next one is shortened in place, by WORK_PARTIAL bytes. Returns the
 * bytes taken.
 */
export function iovDiscardFront(first: u32, count: u32, bytes: u32): u32 {
  let left = bytes;
  let dropped: u32 = 0;
  let partial: u32 = 0;
  while (dropped < count) {
    const segment = segmentAt(first + dropped);
    const length = load<u32>(segment, SEGMENT_LENGTH);
    if (length > left) {
      store<u32>(segment, load<u32>(segment, SEGMENT_ADDRESS) + left, SEGMENT_ADDRESS);
      store<u32>(segment, length - left, SEGMENT_LENGTH);
      partial = left;
      left = 0;
      break;
    }
    left -= length;
    dropped++;
    if (left == 0) break;
  }
  store<u32>(work, dropped, WORK_DROPPED);
  store<u32>(work, partial, WORK_PARTIAL);
  return bytes - left;
}

/** Takes `bytes` off the back, the same way. Returns the bytes taken. */
export function iovDiscardBack(first: u32, count: u32, bytes: u32): u32 {
  let left = bytes;
  let dropped: u32 = 0;
  let partial: u32 = 0;
  while (dropped < count) {
    const segment = segmentAt(first + count - 1 - dropped);
    const length = load<u32>(segment, SEGMENT_LENGTH);
    if (length > left) {
      store<u32>(segment, length - left, SEGMENT_LENGTH);
      partial = left;
      left = 0;
      break;
    }
    left -= length;
    dropped++;
    if (left == 0) break;
  }
  store<u32>(work, dropped, WORK_DROPPED);
  store<u32>(work, partial, WORK_PARTIAL);
  return bytes - left;
}

// ── A request's header and response, with private copies: one call instead of several ───────────

/**
 * Copies the first `bytes` readable bytes of the chain just popped to the private header area, and
 * takes them off the front. WORK_LENGTH says how many there were, WORK_DROPPED how many segments
 * are used up.
 */
// @ts-ignore: decorator
@inline
export function gatherHeader(bytes: u32): void {
  const count = load<u32>(work, WORK_OUT_COUNT);
  const segment = segmentAt(0);
  const both = load<u64>(segment, SEGMENT_ADDRESS);
  const address = <u32>both;
  const length = <u32>(both >> 32);
  if (count == 0 || length < bytes) {
    store<u32>(work, iovToBuf(0, count, 0, headerArea, bytes), WORK_LENGTH);
    iovDiscardFront(0, count, bytes);
    return;
  }
  // The usual case, a header in one piece, does the same without the walks.
  copyFromGuest(headerArea, address, bytes);
  setSegment(segment, address + bytes, length - bytes);
  store<u32>(work, bytes, WORK_LENGTH);
  store<u32>(work, length == bytes ? 1 : 0, WORK_DROPPED);
}

/** Copies `bytes` from the private response area to the front of a chain's writable segments. */
// @ts-ignore: decorator
@inline
export function scatterResponse(first: u32, count: u32, bytes: u32): u32 {
  const both = load<u64>(segmentAt(first), SEGMENT_ADDRESS);
  if (count == 0 || <u32>(both >> 32) < bytes) {
    return iovFromBuf(first, count, 0, responseArea, bytes);
  }
  copyToGuest(<u32>both, responseArea, bytes);
  return bytes;
}
