// Scatter-gather lists (iov): where the chain that is being walked is written down, and the walks
// over it that QEMU calls iov_*. The segments of one chain lie in the queue's workspace, which is
// outside guest memory: a descriptor is read once, checked, and from then on only this copy counts.
//
// A chain's readable segments come first and its writable ones after them (§2.7.4.2), so one array
// holds both: readable at [0, out), writable at [out, out + in).

import {
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
  WORK_OUT_COUNT,
  WORK_PARTIAL,
  WORK_REGIONS,
  WORK_SEGMENTS,
} from "../../runtime/virtio/defs";
import { copyFromGuest, copyToGuest, fillGuest } from "./access";

/** Address of this queue side's workspace. */
export let work: u32 = 0;
/** How many segments the workspace has room for. */
export let segmentLimit: u32 = 0;
/** Segments of the chain being walked. */
export let segmentCount: u32 = 0;
/** Bytes of that chain; a chain may have up to 2³² of them (§2.7.5.2), hence 64 bits. */
export let chainBytes: u64 = 0;

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
  segmentLimit = limit;
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

/** Starts the description of a new chain. */
// @ts-ignore: decorator
@inline
export function beginChain(): void {
  segmentCount = 0;
  chainBytes = 0;
}

/** What appendBuffer found. */
export const APPEND_OK: u32 = 0;
export const APPEND_ADDRESS: u32 = 1;
export const APPEND_READONLY: u32 = 2;
export const APPEND_SEGMENTS: u32 = 3;

/**
 * Adds a buffer of the guest's to the chain. A buffer that spans regions which follow each other in
 * the guest's addresses becomes several segments. `length` is not 0.
 */
// @ts-ignore: decorator
@inline
export function appendBuffer(address: u64, length: u32, write: bool): u32 {
  const offset = address - hotGuest;
  // Nearly always the buffer lies in the region of the one before it.
  if (
    offset < hotBytes &&
    <u64>length <= hotBytes - offset &&
    !(write && hotReadonly) &&
    segmentCount < segmentLimit
  ) {
    chainBytes += length; // at most 65,536 lengths of 32 bits: no overflow of 64
    const segment = work + WORK_SEGMENTS + segmentCount * SEGMENT_SIZE;
    store<u32>(segment, hotLinear + <u32>offset, SEGMENT_ADDRESS);
    store<u32>(segment, length, SEGMENT_LENGTH);
    segmentCount++;
    return APPEND_OK;
  }
  return appendParts(address, length, write);
}

/** appendBuffer where regions have to be looked up, or the buffer may have to be refused. */
function appendParts(address: u64, length: u32, write: bool): u32 {
  let left: u64 = length;
  chainBytes += left;
  while (true) {
    let offset = address - hotGuest;
    if (offset >= hotBytes) {
      if (!findRegion(address)) return APPEND_ADDRESS;
      offset = address - hotGuest;
    }
    if (write && hotReadonly) return APPEND_READONLY;
    if (segmentCount >= segmentLimit) return APPEND_SEGMENTS;
    const room = hotBytes - offset;
    const part = left < room ? left : room;
    const segment = work + WORK_SEGMENTS + segmentCount * SEGMENT_SIZE;
    store<u32>(segment, hotLinear + <u32>offset, SEGMENT_ADDRESS);
    store<u32>(segment, <u32>part, SEGMENT_LENGTH);
    segmentCount++;
    left -= part;
    if (left == 0) return APPEND_OK;
    address += part; // wraps to 0 at the end of 64 bits, where a region must be found again
  }
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
  const length = load<u32>(segment, SEGMENT_LENGTH);
  if (count == 0 || length < bytes) {
    store<u32>(work, iovToBuf(0, count, 0, headerArea, bytes), WORK_LENGTH);
    iovDiscardFront(0, count, bytes);
    return;
  }
  // The usual case, a header in one piece, does the same without the walks.
  const address = load<u32>(segment, SEGMENT_ADDRESS);
  copyFromGuest(headerArea, address, bytes);
  store<u32>(segment, address + bytes, SEGMENT_ADDRESS);
  store<u32>(segment, length - bytes, SEGMENT_LENGTH);
  store<u32>(work, bytes, WORK_LENGTH);
  store<u32>(work, length == bytes ? 1 : 0, WORK_DROPPED);
}

/** Copies `bytes` from the private response area to the front of a chain's writable segments. */
// @ts-ignore: decorator
@inline
export function scatterResponse(first: u32, count: u32, bytes: u32): u32 {
  const segment = segmentAt(first);
  if (count == 0 || load<u32>(segment, SEGMENT_LENGTH) < bytes) {
    return iovFromBuf(first, count, 0, responseArea, bytes);
  }
  copyToGuest(load<u32>(segment, SEGMENT_ADDRESS), responseArea, bytes);
  return bytes;
}
