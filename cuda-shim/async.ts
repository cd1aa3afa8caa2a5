/** Copies and sets that don't wait: they are ordered on a stream. */
import { COPY_ASYNC } from "../runtime/protocol/definitions.ts";
import { cudaMemcpyDeviceToHost, cudaMemcpyHostToDevice } from "./constants.ts";
import { byteOf, copy, set } from "./memory.ts";
import { copyFromSymbol, copyToSymbol } from "./symbol.ts";
import { call } from "./thread.ts";
import type { CopyOperand, CudaPointer, CudaStream, HostSymbol } from "./types.ts";

/**
 * Copies memory on a stream. Pinned memory is read and written when the stream gets there; JavaScript
 * memory is read before this returns, and written before this returns too (as CUDA does with pageable
 * memory).
 *
 * @param count bytes
 * @param kind `cudaMemcpyHostToDevice` and so on
 */
export function cudaMemcpyAsync(
  dst: CopyOperand,
  src: CopyOperand,
  count: number,
  kind: number,
  stream: CudaStream = 0,
): number {
  return call((thread) => copy(thread, dst, src, count, kind, stream, COPY_ASYNC));
}

/** Sets each of `count` bytes to the low byte of `value`, on a stream. */
export function cudaMemsetAsync(
  devPtr: CudaPointer,
  value: number,
  count: number,
  stream: CudaStream = 0,
): number {
  return call((thread) => set(thread, devPtr, byteOf(value), 1, count, stream, COPY_ASYNC));
}

/** `cudaMemcpyToSymbol` on a stream. */
export function cudaMemcpyToSymbolAsync(
  symbol: HostSymbol | null,
  src: CopyOperand,
  count: number,
  offset = 0,
  kind: number = cudaMemcpyHostToDevice,
  stream: CudaStream = 0,
): number {
  return call((thread) =>
    copyToSymbol(thread, symbol, src, count, offset, kind, stream, COPY_ASYNC),
  );
}

/** `cudaMemcpyFromSymbol` on a stream. */
export function cudaMemcpyFromSymbolAsync(
  dst: CopyOperand,
  symbol: HostSymbol | null,
  count: number,
  offset = 0,
  kind: number = cudaMemcpyDeviceToHost,
  stream: CudaStream = 0,
): number {
  return call((thread) =>
    copyFromSymbol(thread, dst, symbol, count, offset, kind, stream, COPY_ASYNC),
  );
}
