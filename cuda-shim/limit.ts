import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import {
  COMMAND_LIMIT_GET,
  COMMAND_LIMIT_SET,
  LIMIT_GET_LIMIT,
  LIMIT_GET_VALUE,
  LIMIT_SET_LIMIT,
  LIMIT_SET_VALUE,
} from "../runtime/protocol/functions.ts";
import { cudaDeviceMapHost } from "./constants.ts";
import { call } from "./thread.ts";
import { isBox, isI32, isSize, isU32, type Out } from "./types.ts";

/** Sets a limit of the current device (`cudaLimit…`). @returns cudaErrorInvalidValue */
export function cudaDeviceSetLimit(limit: number, value: number): number {
  return call((thread) => {
    if (!isI32(limit) || !isSize(value)) return cudaErrorInvalidValue;
    const device = thread.device().begin().setU32(LIMIT_SET_LIMIT, limit);
    return device.setU64(LIMIT_SET_VALUE, value).send(COMMAND_LIMIT_SET);
  });
}

/** A limit of the current device. @returns cudaErrorInvalidValue */
export function cudaDeviceGetLimit(pValue: Out<number> | null, limit: number): number {
  return call((thread) => {
    if (!isBox(pValue) || !isI32(limit)) return cudaErrorInvalidValue;
    const device = thread.device().begin().setU32(LIMIT_GET_LIMIT, limit);
    device.check(COMMAND_LIMIT_GET);
    pValue.value = device.getU64(LIMIT_GET_VALUE);
    return cudaSuccess;
  });
}

/** Flags that `cudaSetDeviceFlags` takes: one way to wait, and three switches. */
const KNOWN_FLAGS = 0x9f;

/**
 * Sets how this host thread waits for the current device: hints, which are kept for those who ask.
 * Mapped pinned memory is always there.
 */
export function cudaSetDeviceFlags(flags: number): number {
  return call((thread) => {
    if (!isU32(flags)) return cudaErrorInvalidValue;
    const way = flags & 7;
    if ((flags & ~KNOWN_FLAGS) !== 0 || (way & (way - 1)) !== 0) {
      return cudaErrorInvalidValue;
    }
    thread.device().flags = flags;
    return cudaSuccess;
  });
}

/** The flags of the current device. */
export function cudaGetDeviceFlags(flags: Out<number> | null): number {
  return call((thread) => {
    if (!isBox(flags)) return cudaErrorInvalidValue;
    flags.value = thread.device().flags | cudaDeviceMapHost;
    return cudaSuccess;
  });
}
