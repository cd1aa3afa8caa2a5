/** Copies and sets that don't wait: they are ordered on a stream. */
import { COPY_ASYNC } from "../runtime/protocol/definitions.ts";
import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import {
  cudaMemcpyDefault,
  cudaMemcpyDeviceToHost,
  cudaMemcpyHostToDevice,
  cudaStreamDefault,
  cudaStreamLegacy,
} from "./constants.ts";
import { byteOf, copy, set } from "./memory.ts";
import type { CudaMemLocation } from "./memory-place.ts";
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

/** `cudaMemcpyAttributes`: what the copies of a batch may do; none of it need be made use of. */
export interface CudaMemcpyAttributes {
  /** `cudaMemcpySrcAccessOrder…` */
  srcAccessOrder?: number;
  srcLocHint?: CudaMemLocation;
  dstLocHint?: CudaMemLocation;
  flags?: number;
}

/**
 * Many copies on a stream, which is not the default one, in one call.
 * @param sizes bytes of each
 * @param attrs attributes, of which the n-th is for the copies from `attrsIdxs[n]` on
 */
export function cudaMemcpyBatchAsync(
  dsts: readonly CopyOperand[] | null,
  srcs: readonly CopyOperand[] | null,
  sizes: readonly number[] | null,
  attrs: readonly CudaMemcpyAttributes[] | null,
  attrsIdxs: readonly number[] | null,
  stream: CudaStream,
): number {
  return call((thread) => {
    const lists = [dsts, srcs, sizes, attrs, attrsIdxs];
    if (!lists.every(Array.isArray)) return cudaErrorInvalidValue;
    const [count, targets, sources, kinds, starts] = lists.map((list) => list?.length ?? 0);
    if (!count || count !== targets || count !== sources) return cudaErrorInvalidValue;
    if (!kinds || kinds > count || kinds !== starts) return cudaErrorInvalidValue;
    if (stream === cudaStreamDefault || stream === cudaStreamLegacy) return cudaErrorInvalidValue;
    for (const [index, bytes] of (sizes ?? []).entries()) {
      const [dst = null, src = null] = [dsts?.[index], srcs?.[index]];
      const error = copy(thread, dst, src, bytes, cudaMemcpyDefault, stream, COPY_ASYNC);
      if (error !== cudaSuccess) return error;
    }
    return cudaSuccess;
  });
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
