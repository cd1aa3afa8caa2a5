import {
  cudaErrorInvalidMemcpyDirection,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import {
  cudaMemcpyDefault,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyHostToDevice,
} from "./constants.ts";
import { CudaError } from "./errors.ts";
import { copy } from "./memory.ts";
import { call, type HostThread } from "./thread.ts";
import {
  type CopyOperand,
  type CudaPointer,
  type CudaStream,
  type HostSymbol,
  isBox,
  isSize,
  type Out,
} from "./types.ts";

/**
 * The address of `count` bytes at `offset` in a variable.
 * @throws CudaError cudaErrorInvalidSymbol, cudaErrorInvalidValue if they are not inside it
 */
export function symbolRange(
  thread: HostThread,
  symbol: HostSymbol | null,
  count: number,
  offset: number,
): CudaPointer {
  const variable = thread.registry.symbolOn(thread.device(), symbol);
  if (!isSize(count) || !isSize(offset) || offset + count > variable.size) {
    throw new CudaError(cudaErrorInvalidValue);
  }
  return variable.address + offset;
}

/** `cudaMemcpyToSymbol` on a stream; `flags` are COPY_ASYNC or 0. */
export function copyToSymbol(
  thread: HostThread,
  symbol: HostSymbol | null,
  src: CopyOperand,
  count: number,
  offset: number,
  kind: number,
  stream: CudaStream,
  flags: number,
): number {
  const address = symbolRange(thread, symbol, count, offset);
  const kinds = [cudaMemcpyHostToDevice, cudaMemcpyDeviceToDevice, cudaMemcpyDefault];
  if (!kinds.includes(kind)) return cudaErrorInvalidMemcpyDirection;
  return copy(thread, address, src, count, kind, stream, flags);
}

/** `cudaMemcpyFromSymbol` on a stream; `flags` are COPY_ASYNC or 0. */
export function copyFromSymbol(
  thread: HostThread,
  dst: CopyOperand,
  symbol: HostSymbol | null,
  count: number,
  offset: number,
  kind: number,
  stream: CudaStream,
  flags: number,
): number {
  const address = symbolRange(thread, symbol, count, offset);
  const kinds = [cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice, cudaMemcpyDefault];
  if (!kinds.includes(kind)) return cudaErrorInvalidMemcpyDirection;
  return copy(thread, dst, address, count, kind, stream, flags);
}

/**
 * Copies into a `__device__` or `__constant__` variable.
 *
 * @param symbol what the variable was registered under
 * @param src where from: an address, or JavaScript memory
 * @param count bytes
 * @param offset in the variable, in bytes
 * @param kind `cudaMemcpyHostToDevice` (unless given), `cudaMemcpyDeviceToDevice` or `…Default`
 * @returns cudaErrorInvalidSymbol, cudaErrorInvalidMemcpyDirection; cudaErrorInvalidValue for a copy
 *   beyond the variable
 */
export function cudaMemcpyToSymbol(
  symbol: HostSymbol | null,
  src: CopyOperand,
  count: number,
  offset = 0,
  kind: number = cudaMemcpyHostToDevice,
): number {
  return call((thread) => copyToSymbol(thread, symbol, src, count, offset, kind, 0, 0));
}

/** Copies from a variable; see `cudaMemcpyToSymbol`. `kind` is `cudaMemcpyDeviceToHost` unless given. */
export function cudaMemcpyFromSymbol(
  dst: CopyOperand,
  symbol: HostSymbol | null,
  count: number,
  offset = 0,
  kind: number = cudaMemcpyDeviceToHost,
): number {
  return call((thread) => copyFromSymbol(thread, dst, symbol, count, offset, kind, 0, 0));
}

/** The address of a variable on the current device. */
export function cudaGetSymbolAddress(
  devPtr: Out<CudaPointer> | null,
  symbol: HostSymbol | null,
): number {
  return call((thread) => {
    if (!isBox(devPtr)) return cudaErrorInvalidValue;
    devPtr.value = thread.registry.symbolOn(thread.device(), symbol).address;
    return cudaSuccess;
  });
}

/** The size of a variable, in bytes. */
export function cudaGetSymbolSize(size: Out<number> | null, symbol: HostSymbol | null): number {
  return call((thread) => {
    if (!isBox(size)) return cudaErrorInvalidValue;
    size.value = thread.registry.symbolOn(thread.device(), symbol).size;
    return cudaSuccess;
  });
}
