import {
  COMMAND_FAULT_INFO,
  FAULT_INFO_CODE,
  FAULT_INFO_TEXT_LENGTH,
} from "../../runtime/protocol/definitions.ts";
import { cudaSuccess } from "../../runtime/protocol/errors.ts";
import { CudaError, isSticky } from "../errors.ts";
import { type HostThread, useThread } from "../thread.ts";

/**
 * Makes calls by CUDA's names for a host thread.
 * @param body makes them and returns the `cudaError_t` of the first that failed, or 0
 * @param what was being done, for the message
 * @throws CudaError if it isn't 0
 */
export function check(thread: HostThread, what: string, body: () => number): void {
  const before = useThread(thread);
  try {
    const error = body();
    if (error === cudaSuccess) return;
    const detail = isSticky(error) ? faultText(thread, error) : thread.detail;
    throw new CudaError(error, detail === "" ? what : `${what}: ${detail}`);
  } finally {
    useThread(before);
  }
}

/** What the device says about the kernel fault that stays on the current context. */
function faultText(thread: HostThread, error: number): string {
  const text = new Uint8Array(4096);
  const device = thread.device().begin();
  if (device.send(COMMAND_FAULT_INFO, undefined, text) !== cudaSuccess) return "";
  if (device.getU32(FAULT_INFO_CODE) !== error) return "";
  const length = Math.min(device.getU32(FAULT_INFO_TEXT_LENGTH), text.length);
  return new TextDecoder().decode(text.subarray(0, length));
}

/**
 * Gives something back at the end of its block. Where the device is closed it is gone already, and
 * where a kernel's fault stays on the context it goes with that: neither must hide the error that
 * ended the block.
 */
export function disposeQuietly(thread: HostThread, release: () => void): void {
  if (!thread.isOpen) return;
  try {
    release();
  } catch (failure) {
    if (!(failure instanceof CudaError && isSticky(failure.code))) throw failure;
  }
}
