/**
 * Hints about managed memory. It is where host and kernels both see it, so that they change nothing;
 * what was said is remembered for those who ask.
 */
import {
  COMMAND_POINTER_ATTRIBUTES,
  MEMORY_MANAGED,
  POINTER_ATTRIBUTES_ADDRESS,
  POINTER_ATTRIBUTES_BYTES,
  POINTER_ATTRIBUTES_KIND,
  POINTER_ATTRIBUTES_SERIAL,
  POINTER_ATTRIBUTES_START,
} from "../runtime/protocol/definitions.ts";
import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import { COMMAND_STREAM_INFO } from "../runtime/protocol/streams.ts";
import { PREFETCH } from "./advice.ts";
import {
  cudaCpuDeviceId,
  cudaInvalidDeviceId,
  cudaMemAdviseSetAccessedBy,
  cudaMemAdviseSetPreferredLocation,
  cudaMemAdviseSetReadMostly,
  cudaMemAdviseUnsetAccessedBy,
  cudaMemAdviseUnsetPreferredLocation,
  cudaMemAdviseUnsetReadMostly,
  cudaMemAttachGlobal,
  cudaMemAttachHost,
  cudaMemAttachSingle,
  cudaMemLocationTypeHost,
  cudaMemRangeAttributeAccessedBy,
  cudaMemRangeAttributeLastPrefetchLocation,
  cudaMemRangeAttributeLastPrefetchLocationId,
  cudaMemRangeAttributeLastPrefetchLocationType,
  cudaMemRangeAttributePreferredLocation,
  cudaMemRangeAttributePreferredLocationId,
  cudaMemRangeAttributePreferredLocationType,
  cudaMemRangeAttributeReadMostly,
} from "./constants.ts";
import { CudaError } from "./errors.ts";
import { type CudaMemLocation, checkLocation } from "./memory-place.ts";
import { call, type HostThread } from "./thread.ts";
import { type CudaPointer, type CudaStream, isBox, isI32, isSize, type Out } from "./types.ts";

/**
 * Checks that a range is managed memory.
 * @returns the serial number of its allocation
 * @throws CudaError cudaErrorInvalidValue
 */
function checkManaged(thread: HostThread, devPtr: CudaPointer, count: number): number {
  if (!isSize(devPtr) || devPtr === 0 || !isSize(count) || count === 0) {
    throw new CudaError(cudaErrorInvalidValue);
  }
  const device = thread.device().begin();
  device.setU64(POINTER_ATTRIBUTES_ADDRESS, devPtr).check(COMMAND_POINTER_ATTRIBUTES);
  const end = device.getU64(POINTER_ATTRIBUTES_START) + device.getU64(POINTER_ATTRIBUTES_BYTES);
  if (device.getU32(POINTER_ATTRIBUTES_KIND) !== MEMORY_MANAGED || devPtr + count > end) {
    throw new CudaError(cudaErrorInvalidValue);
  }
  return device.getU32(POINTER_ATTRIBUTES_SERIAL);
}

/** Would bring managed memory to a place before it is used there. */
export function cudaMemPrefetchAsync(
  devPtr: CudaPointer,
  count: number,
  location: CudaMemLocation | null,
  flags = 0,
  stream: CudaStream = 0,
): number {
  return call((thread) => {
    if (flags !== 0) return cudaErrorInvalidValue;
    return prefetch(thread, devPtr, count, location, stream);
  });
}

function prefetch(
  thread: HostThread,
  start: CudaPointer,
  bytes: number,
  location: CudaMemLocation | null,
  stream: CudaStream,
): number {
  const serial = checkManaged(thread, start, bytes);
  checkLocation(thread, location);
  thread.device().begin(stream).check(COMMAND_STREAM_INFO);
  thread.advice.say({ start, end: start + bytes, serial, about: PREFETCH, set: true, location });
  return cudaSuccess;
}

/** Says how managed memory will be used. @param advice `cudaMemAdvise…` */
export function cudaMemAdvise(
  devPtr: CudaPointer,
  count: number,
  advice: number,
  location: CudaMemLocation | null,
): number {
  return call((thread) => {
    if (!isI32(advice)) return cudaErrorInvalidValue;
    if (advice < cudaMemAdviseSetReadMostly || advice > cudaMemAdviseUnsetAccessedBy) {
      return cudaErrorInvalidValue;
    }
    const serial = checkManaged(thread, devPtr, count);
    if (!PLACELESS.has(advice)) checkLocation(thread, location);
    // Each kind of advice has a number that sets it, and the next one takes it back.
    const set = advice % 2 === 1;
    const about = set ? advice : advice - 1;
    thread.advice.say({ start: devPtr, end: devPtr + count, serial, about, set, location });
    return cudaSuccess;
  });
}

/** Advice that concerns no place. */
const PLACELESS: ReadonlySet<number> = new Set([
  cudaMemAdviseSetReadMostly,
  cudaMemAdviseUnsetReadMostly,
  cudaMemAdviseUnsetPreferredLocation,
]);

/** What an attribute of a range asks about, and what it wants to know of it. */
const ATTRIBUTES: ReadonlyMap<number, [about: number, what: "set" | "device" | "type" | "id"]> =
  new Map([
    [cudaMemRangeAttributeReadMostly, [cudaMemAdviseSetReadMostly, "set"]],
    [cudaMemRangeAttributePreferredLocation, [cudaMemAdviseSetPreferredLocation, "device"]],
    [cudaMemRangeAttributeAccessedBy, [cudaMemAdviseSetAccessedBy, "device"]],
    [cudaMemRangeAttributeLastPrefetchLocation, [PREFETCH, "device"]],
    [cudaMemRangeAttributePreferredLocationType, [cudaMemAdviseSetPreferredLocation, "type"]],
    [cudaMemRangeAttributePreferredLocationId, [cudaMemAdviseSetPreferredLocation, "id"]],
    [cudaMemRangeAttributeLastPrefetchLocationType, [PREFETCH, "type"]],
    [cudaMemRangeAttributeLastPrefetchLocationId, [PREFETCH, "id"]],
  ]);

/** The value of an attribute of a range, which has `words` ints. @throws CudaError */
function rangeAttribute(
  thread: HostThread,
  dataSize: number,
  attribute: number,
  devPtr: CudaPointer,
  count: number,
): number | number[] {
  const known = ATTRIBUTES.get(attribute);
  const words = isSize(dataSize) ? dataSize / 4 : 0;
  const list = attribute === cudaMemRangeAttributeAccessedBy;
  if (!known || !isSize(words) || words === 0 || (!list && words !== 1)) {
    throw new CudaError(cudaErrorInvalidValue);
  }
  const serial = checkManaged(thread, devPtr, count);
  const said = thread.advice.find(devPtr, devPtr + count, serial, known[0]);
  const place = said?.location;
  const onHost = place?.type === cudaMemLocationTypeHost;
  switch (known[1]) {
    case "set":
      return said ? 1 : 0;
    case "type":
      return place?.type ?? 0;
    case "id":
      return place?.id ?? 0;
    default: {
      const device = !place ? cudaInvalidDeviceId : onHost ? cudaCpuDeviceId : place.id;
      if (!list) return device;
      const others = Math.min(words, thread.devices.length) - 1;
      return [device, ...Array.from({ length: others }, () => cudaInvalidDeviceId)];
    }
  }
}

/**
 * What was said of all of a range of managed memory.
 * @param data receives a number; for `cudaMemRangeAttributeAccessedBy` ordinals, one a device at most
 * @param dataSize bytes that the answer has in C: 4, or 4 for each device
 * @param attribute `cudaMemRangeAttribute…`
 */
export function cudaMemRangeGetAttribute(
  data: Out<number | number[]> | null,
  dataSize: number,
  attribute: number,
  devPtr: CudaPointer,
  count: number,
): number {
  return call((thread) => {
    if (!isBox(data)) return cudaErrorInvalidValue;
    data.value = rangeAttribute(thread, dataSize, attribute, devPtr, count);
    return cudaSuccess;
  });
}

/** Several attributes of a range; see `cudaMemRangeGetAttribute`. */
export function cudaMemRangeGetAttributes(
  data: readonly Out<number | number[]>[] | null,
  dataSizes: readonly number[] | null,
  attributes: readonly number[] | null,
  devPtr: CudaPointer,
  count: number,
): number {
  return call((thread) => {
    const lists = [data, dataSizes, attributes];
    if (!lists.every((each) => Array.isArray(each) && each.length === attributes?.length)) {
      return cudaErrorInvalidValue;
    }
    if (attributes?.length === 0 || !data?.every(isBox)) return cudaErrorInvalidValue;
    for (const [index, box] of data.entries()) {
      const [size = 0, attribute = 0] = [dataSizes?.[index], attributes?.[index]];
      box.value = rangeAttribute(thread, size, attribute, devPtr, count);
    }
    return cudaSuccess;
  });
}

/** Checks ranges of managed memory. @throws CudaError cudaErrorInvalidValue */
function checkRanges(
  thread: HostThread,
  dptrs: readonly CudaPointer[] | null,
  sizes: readonly number[] | null,
  flags: number,
): void {
  const lists = Array.isArray(dptrs) && Array.isArray(sizes);
  if (!lists || dptrs.length === 0 || dptrs.length !== sizes.length || flags !== 0) {
    throw new CudaError(cudaErrorInvalidValue);
  }
  for (const [index, dptr] of dptrs.entries()) checkManaged(thread, dptr, sizes[index]);
}

/** Says that the contents of managed memory are not needed any more; they stay. */
export function cudaMemDiscardBatchAsync(
  dptrs: readonly CudaPointer[] | null,
  sizes: readonly number[] | null,
  flags = 0,
  stream: CudaStream = 0,
): number {
  return call((thread) => {
    checkRanges(thread, dptrs, sizes, flags);
    return thread.device().begin(stream).send(COMMAND_STREAM_INFO);
  });
}

/**
 * `cudaMemPrefetchAsync` for many ranges.
 * @param prefetchLocs places, of which the n-th is for the ranges from `prefetchLocIdxs[n]` on
 */
export function cudaMemPrefetchBatchAsync(
  dptrs: readonly CudaPointer[] | null,
  sizes: readonly number[] | null,
  prefetchLocs: readonly CudaMemLocation[] | null,
  prefetchLocIdxs: readonly number[] | null,
  flags = 0,
  stream: CudaStream = 0,
): number {
  return call((thread) => {
    checkRanges(thread, dptrs, sizes, flags);
    const ranges = dptrs ?? [];
    if (!Array.isArray(prefetchLocs) || !Array.isArray(prefetchLocIdxs))
      return cudaErrorInvalidValue;
    const places = prefetchLocs.length;
    if (places === 0 || places > ranges.length || places !== prefetchLocIdxs.length) {
      return cudaErrorInvalidValue;
    }
    if (prefetchLocIdxs[0] !== 0) return cudaErrorInvalidValue;
    for (let index = 0, at = 0; index < ranges.length; index++) {
      if (prefetchLocIdxs[at + 1] === index) at++;
      prefetch(thread, ranges[index] ?? 0, sizes?.[index] ?? 0, prefetchLocs[at], stream);
    }
    return cudaSuccess;
  });
}

/** `cudaMemDiscardBatchAsync` and `cudaMemPrefetchBatchAsync` in one. */
export function cudaMemDiscardAndPrefetchBatchAsync(
  dptrs: readonly CudaPointer[] | null,
  sizes: readonly number[] | null,
  prefetchLocs: readonly CudaMemLocation[] | null,
  prefetchLocIdxs: readonly number[] | null,
  flags = 0,
  stream: CudaStream = 0,
): number {
  return cudaMemPrefetchBatchAsync(dptrs, sizes, prefetchLocs, prefetchLocIdxs, flags, stream);
}

/** Says which stream will use managed memory. @param flags `cudaMemAttach…` */
export function cudaStreamAttachMemAsync(
  stream: CudaStream,
  devPtr: CudaPointer,
  length = 0,
  flags: number = cudaMemAttachSingle,
): number {
  return call((thread) => {
    const known = [cudaMemAttachGlobal, cudaMemAttachHost, cudaMemAttachSingle].includes(flags);
    if (!known || !isSize(length)) return cudaErrorInvalidValue;
    // A length of 0 means the whole allocation.
    checkManaged(thread, devPtr, length || 1);
    return thread.device().begin(stream).send(COMMAND_STREAM_INFO);
  });
}
