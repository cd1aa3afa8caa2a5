import {
  COMMAND_MEMORY_ALLOC,
  COMMAND_MEMORY_COPY,
  COMMAND_MEMORY_FREE,
  COMMAND_MEMORY_INFO,
  COMMAND_MEMORY_SET,
  COPY_ASYNC,
  MEMORY_ALLOC_ADDRESS,
  MEMORY_ALLOC_BYTES,
  MEMORY_ALLOC_FLAGS,
  MEMORY_ALLOC_KIND,
  MEMORY_COPY_BYTES,
  MEMORY_COPY_FLAGS,
  MEMORY_COPY_KIND,
  MEMORY_COPY_SOURCE,
  MEMORY_COPY_TARGET,
  MEMORY_DEVICE,
  MEMORY_FREE_ADDRESS,
  MEMORY_FREE_KIND,
  MEMORY_HOST,
  MEMORY_INFO_DEVICE,
  MEMORY_INFO_FREE,
  MEMORY_INFO_TOTAL,
  MEMORY_MANAGED,
  MEMORY_SET_COUNT,
  MEMORY_SET_FLAGS,
  MEMORY_SET_TARGET,
  MEMORY_SET_VALUE,
  MEMORY_SET_WIDTH,
} from "../runtime/protocol/definitions.ts";
import {
  cudaErrorInvalidMemcpyDirection,
  cudaErrorInvalidValue,
  cudaErrorMemoryAllocation,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { COMMAND_STREAM_SYNCHRONIZE } from "../runtime/protocol/streams.ts";
import {
  cudaHostAllocMapped,
  cudaHostAllocPortable,
  cudaHostAllocWriteCombined,
  cudaMemAttachGlobal,
  cudaMemAttachHost,
  cudaMemcpyDefault,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyHostToHost,
} from "./constants.ts";
import { CudaError } from "./errors.ts";
import { isCaptured, lineCopy, sendHostCopy } from "./host-copy.ts";
import { call, currentThread, type HostThread } from "./thread.ts";
import {
  bytesOf,
  type CopyOperand,
  type CudaPointer,
  type CudaStream,
  isBox,
  isHostMemory,
  isI32,
  isSize,
  type Out,
} from "./types.ts";

/** The error for a size that is none: in C a negative one is an enormous one. */
export function sizeError(size: unknown): number {
  const negative = typeof size === "number" && size < 0;
  return negative ? cudaErrorMemoryAllocation : cudaErrorInvalidValue;
}

function allocate(out: Out<CudaPointer> | null, size: number, kind: number, flags: number): number {
  return call((thread) => {
    if (!isBox(out)) return cudaErrorInvalidValue;
    if (!isSize(size)) return sizeError(size);
    const device = thread.device().begin();
    if (size === 0) {
      out.value = 0;
      return cudaSuccess;
    }
    device.setU64(MEMORY_ALLOC_BYTES, size).setU32(MEMORY_ALLOC_KIND, kind);
    device.setU32(MEMORY_ALLOC_FLAGS, flags).check(COMMAND_MEMORY_ALLOC);
    out.value = device.getU64(MEMORY_ALLOC_ADDRESS);
    return cudaSuccess;
  });
}

function free(pointer: CudaPointer, kind: number): number {
  return call((thread) => {
    if (!isSize(pointer)) return cudaErrorInvalidValue;
    const device = thread.device().begin();
    if (pointer === 0) return cudaSuccess;
    device.setU64(MEMORY_FREE_ADDRESS, pointer).setU32(MEMORY_FREE_KIND, kind);
    return device.send(COMMAND_MEMORY_FREE);
  });
}

/**
 * Allocates device memory.
 * @param devPtr receives the address, aligned to 256 bytes; null (0) if `size` is 0
 * @param size in bytes
 * @returns cudaErrorMemoryAllocation if there is no room, cudaErrorInvalidValue
 */
export function cudaMalloc(devPtr: Out<CudaPointer> | null, size: number): number {
  return allocate(devPtr, size, MEMORY_DEVICE, 0);
}

/**
 * Frees device or managed memory, after all work that uses it. Null is no error.
 * @returns cudaErrorInvalidValue for an address that `cudaMalloc…` did not give or that is free
 */
export function cudaFree(devPtr: CudaPointer): number {
  return free(devPtr, MEMORY_DEVICE);
}

/** Allocates pinned host memory, which kernels see at the same address; see `hostView`. */
export function cudaMallocHost(ptr: Out<CudaPointer> | null, size: number): number {
  return allocate(ptr, size, MEMORY_HOST, 0);
}

/**
 * Allocates pinned host memory.
 * @param flags `cudaHostAllocPortable`, `…Mapped`, `…WriteCombined`: all pinned memory is portable and
 *   mapped here
 */
export function cudaHostAlloc(ptr: Out<CudaPointer> | null, size: number, flags = 0): number {
  const known = cudaHostAllocPortable | cudaHostAllocMapped | cudaHostAllocWriteCombined;
  if (!isI32(flags) || (flags & ~known) !== 0) return call(() => cudaErrorInvalidValue);
  return allocate(ptr, size, MEMORY_HOST, flags);
}

/** Frees pinned host memory. Null is no error. */
export function cudaFreeHost(ptr: CudaPointer): number {
  return free(ptr, MEMORY_HOST);
}

/**
 * Allocates managed memory, which host and kernels see at the same address; see `hostView`.
 * @param flags `cudaMemAttachGlobal` (unless given) or `cudaMemAttachHost`
 * @returns cudaErrorInvalidValue also for 0 bytes
 */
export function cudaMallocManaged(
  devPtr: Out<CudaPointer> | null,
  size: number,
  flags: number = cudaMemAttachGlobal,
): number {
  if (flags !== cudaMemAttachGlobal && flags !== cudaMemAttachHost) {
    return call(() => cudaErrorInvalidValue);
  }
  return allocate(devPtr, size, MEMORY_MANAGED, flags);
}

/**
 * The bytes of pinned, managed or device memory in this JavaScript thread, without a copy. (In C a
 * pointer is all that it takes.) The view stays what it is when the memory is freed: don't use it then.
 *
 * @param pointer an address inside one allocation
 * @param bytes how many
 * @throws CudaError cudaErrorInvalidValue if the range is not inside the device's memory
 */
export function hostView(pointer: CudaPointer, bytes: number): Uint8Array {
  const thread = currentThread();
  const view =
    thread && isSize(pointer) && isSize(bytes) ? thread.device().file.mmap(pointer, bytes) : -1;
  if (typeof view === "number") throw new CudaError(cudaErrorInvalidValue, "hostView");
  return view;
}

/** Free and total bytes of device memory. */
export function cudaMemGetInfo(free: Out<number> | null, total: Out<number> | null): number {
  return call((thread) => {
    const device = thread.device().begin().setU32(MEMORY_INFO_DEVICE, thread.current);
    device.check(COMMAND_MEMORY_INFO);
    if (isBox(free)) free.value = device.getU64(MEMORY_INFO_FREE);
    if (isBox(total)) total.value = device.getU64(MEMORY_INFO_TOTAL);
    return cudaSuccess;
  });
}

/** One side of a copy, ready for a request: an address, or bytes of the JavaScript side. */
export interface CopySide {
  readonly address: CudaPointer;
  readonly bytes: Uint8Array | undefined;
}

const NO_SIDE: CopySide = { address: 0, bytes: undefined };

/**
 * Looks at one side of a copy.
 * @param size bytes that the side must have
 * @throws CudaError cudaErrorInvalidValue if it is null, no memory, or too short
 */
export function copySide(operand: CopyOperand, size: number): CopySide {
  if (typeof operand === "number") {
    if (!isSize(operand) || operand === 0) throw new CudaError(cudaErrorInvalidValue);
    return { address: operand, bytes: undefined };
  }
  if (!isHostMemory(operand)) throw new CudaError(cudaErrorInvalidValue);
  const bytes = bytesOf(operand);
  if (bytes.length < size) throw new CudaError(cudaErrorInvalidValue);
  return { address: 0, bytes: bytes.length === size ? bytes : bytes.subarray(0, size) };
}

/**
 * Checks a direction against the sides of a copy: JavaScript memory can't be the device's side.
 * @throws CudaError cudaErrorInvalidMemcpyDirection, cudaErrorInvalidValue
 */
export function checkKind(kind: number, target: CopySide, source: CopySide): void {
  if (!isI32(kind) || kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) {
    throw new CudaError(cudaErrorInvalidMemcpyDirection);
  }
  const toDevice = kind === cudaMemcpyHostToDevice || kind === cudaMemcpyDeviceToDevice;
  const fromDevice = kind === cudaMemcpyDeviceToHost || kind === cudaMemcpyDeviceToDevice;
  if ((toDevice && target.bytes) || (fromDevice && source.bytes)) {
    throw new CudaError(cudaErrorInvalidValue);
  }
}

/**
 * Copies `count` bytes, ordered on a stream.
 * @param flags `COPY_ASYNC`, or 0 to wait for the copy
 * @throws CudaError if an operand is no memory, or too short
 */
export function copy(
  thread: HostThread,
  dst: CopyOperand,
  src: CopyOperand,
  count: number,
  kind: number,
  stream: CudaStream,
  flags: number,
): number {
  if (!isSize(count)) return cudaErrorInvalidValue;
  const device = thread.device().begin(stream);
  // Null is no error for nothing; stream and direction are still the device's to check.
  const target = count === 0 ? NO_SIDE : copySide(dst, count);
  const source = count === 0 ? NO_SIDE : copySide(src, count);
  checkKind(kind, target, source);
  if (thread.captures > 0 && (target.bytes || source.bytes) && flags === COPY_ASYNC) {
    if (isCaptured(thread, stream)) {
      return sendHostCopy(thread, lineCopy(dst, src, count, kind), stream);
    }
    device.begin(stream);
  }
  if (target.bytes && source.bytes) {
    // Both are JavaScript's own: the device only has to have done what was asked of it before.
    device.check(COMMAND_STREAM_SYNCHRONIZE);
    target.bytes.set(source.bytes);
    return cudaSuccess;
  }
  // The driver takes pinned memory by its address and chooses the way of any other.
  device.setU64(MEMORY_COPY_TARGET, target.address).setU64(MEMORY_COPY_SOURCE, source.address);
  device.setU64(MEMORY_COPY_BYTES, count).setU32(MEMORY_COPY_KIND, kind);
  device.setU32(MEMORY_COPY_FLAGS, flags);
  return device.send(COMMAND_MEMORY_COPY, source.bytes, target.bytes);
}

/**
 * Copies memory and waits for it.
 *
 * @param dst where to: an address, or JavaScript memory
 * @param src where from
 * @param count bytes; neither side may be shorter
 * @param kind `cudaMemcpyHostToDevice` and so on; by `cudaMemcpyDefault` the sides tell
 * @returns cudaErrorInvalidMemcpyDirection; cudaErrorInvalidValue for copies beyond an allocation;
 *   the fault of an earlier kernel
 */
export function cudaMemcpy(
  dst: CopyOperand,
  src: CopyOperand,
  count: number,
  kind: number,
): number {
  return call((thread) => copy(thread, dst, src, count, kind, 0, 0));
}

/** The byte that a set writes: the low one of an int. @throws CudaError cudaErrorInvalidValue */
export function byteOf(value: number): number {
  if (typeof value !== "number") throw new CudaError(cudaErrorInvalidValue);
  return value & 0xff;
}

/**
 * Sets memory, ordered on a stream.
 * @param width bytes of an element, 1, 2 or 4
 * @param count elements
 */
export function set(
  thread: HostThread,
  pointer: CudaPointer,
  value: number,
  width: 1 | 2 | 4,
  count: number,
  stream: CudaStream,
  flags: number,
): number {
  if (!isSize(pointer) || !isSize(count) || typeof value !== "number") return cudaErrorInvalidValue;
  const device = thread.device().begin(stream);
  device.setU64(MEMORY_SET_TARGET, pointer).setU64(MEMORY_SET_COUNT, count);
  device.setU32(MEMORY_SET_VALUE, value).setU32(MEMORY_SET_WIDTH, width);
  device.setU32(MEMORY_SET_FLAGS, flags);
  return device.send(COMMAND_MEMORY_SET);
}

/**
 * Sets each of `count` bytes to the low byte of `value`.
 * @returns cudaErrorInvalidValue if they are not inside one allocation
 */
export function cudaMemset(devPtr: CudaPointer, value: number, count: number): number {
  return call((thread) => set(thread, devPtr, byteOf(value), 1, count, 0, 0));
}
