/** Functions of the host that run in their turn of a stream. */
import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import {
  CAPTURE_INFO_STATUS,
  CAPTURE_STATUS_NONE,
  COMMAND_CAPTURE_INFO,
} from "../runtime/protocol/graphs.ts";
import {
  COMMAND_HOST_CALL,
  HOST_CALL_ALWAYS,
  HOST_CALL_DATA,
  HOST_CALL_FLAGS,
} from "../runtime/protocol/streams.ts";
import type { HostFunction } from "./callbacks.ts";
import type { DeviceFile } from "./device-file.ts";
import { call } from "./thread.ts";
import type { CudaStream } from "./types.ts";

/** What a stream's callback gets: the stream, the context's error, and the data given with it. */
export type StreamCallback = (stream: CudaStream, status: number, userData: unknown) => void;

/** Sends the request that calls the function with that ticket. @param box of a HOST_CALL_COPY */
export function sendHostCall(
  device: DeviceFile,
  stream: CudaStream,
  ticket: number,
  flags: number,
  box?: Uint8Array,
): number {
  device.begin(stream).setU64(HOST_CALL_DATA, ticket).setU32(HOST_CALL_FLAGS, flags);
  return device.send(COMMAND_HOST_CALL, box);
}

function enqueue(
  stream: CudaStream,
  run: StreamCallback,
  given: HostFunction,
  flags: number,
): number {
  return call((thread) => {
    const device = thread.device().begin(stream);
    // Captured, it becomes a node of a graph, which may run more than once.
    device.check(COMMAND_CAPTURE_INFO);
    const once = device.getU32(CAPTURE_INFO_STATUS) === CAPTURE_STATUS_NONE;
    const body = (error: number, handle: CudaStream) => run(handle, error, given.userData);
    const ticket = thread.hostCalls.add(body, once, given);
    const error = sendHostCall(device, stream, ticket, flags);
    if (error !== cudaSuccess) thread.hostCalls.delete(ticket);
    return error;
  });
}

/**
 * Calls a function of the host when the work that is in the stream now is done. It runs in this
 * JavaScript thread, in the next call that waits or looks for events, and must make no CUDA calls
 * (they return cudaErrorNotPermitted). It is not called after a fault.
 */
export function cudaLaunchHostFunc(
  stream: CudaStream,
  fn: (userData: unknown) => void,
  userData: unknown = undefined,
): number {
  if (typeof fn !== "function") return call(() => cudaErrorInvalidValue);
  return enqueue(stream, (_stream, _status, data) => fn(data), { fn, userData }, 0);
}

/**
 * `cudaLaunchHostFunc` with the stream and its error; called after a fault too.
 * @param flags 0
 */
export function cudaStreamAddCallback(
  stream: CudaStream,
  callback: StreamCallback,
  userData: unknown = undefined,
  flags = 0,
): number {
  if (flags !== 0 || typeof callback !== "function") return call(() => cudaErrorInvalidValue);
  const fn = (data: unknown) => callback(stream, cudaSuccess, data);
  return enqueue(stream, callback, { fn, userData }, HOST_CALL_ALWAYS);
}
