import {
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import {
  COMMAND_EVENT_CREATE,
  COMMAND_EVENT_DESTROY,
  COMMAND_EVENT_ELAPSED,
  COMMAND_EVENT_QUERY,
  COMMAND_EVENT_RECORD,
  COMMAND_EVENT_SYNCHRONIZE,
  EVENT_CREATE_EVENT,
  EVENT_CREATE_FLAGS,
  EVENT_DESTROY_EVENT,
  EVENT_ELAPSED_END,
  EVENT_ELAPSED_MILLISECONDS,
  EVENT_ELAPSED_START,
  EVENT_QUERY_EVENT,
  EVENT_RECORD_EVENT,
  EVENT_RECORD_FLAGS,
  EVENT_SYNCHRONIZE_EVENT,
} from "../runtime/protocol/streams.ts";
import { cudaEventDefault } from "./constants.ts";
import type { DeviceFile } from "./device-file.ts";
import { call, type HostThread } from "./thread.ts";
import { type CudaEvent, type CudaStream, isBox, isU32, type Out } from "./types.ts";

/** Begins a request about an event. @throws CudaError cudaErrorInvalidResourceHandle */
function about(thread: HostThread, event: CudaEvent, field: number, stream = 0): DeviceFile {
  const device = thread.device().begin(stream);
  return device.setHandle(field, event, cudaErrorInvalidResourceHandle);
}

/** Makes an event. */
export function cudaEventCreate(event: Out<CudaEvent> | null): number {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

/** Makes an event. @param flags `cudaEventBlockingSync`, `cudaEventDisableTiming` */
export function cudaEventCreateWithFlags(event: Out<CudaEvent> | null, flags: number): number {
  return call((thread) => {
    if (!isBox(event) || !isU32(flags)) return cudaErrorInvalidValue;
    const device = thread.device().begin().setU32(EVENT_CREATE_FLAGS, flags);
    device.check(COMMAND_EVENT_CREATE);
    event.value = device.getU32(EVENT_CREATE_EVENT);
    return cudaSuccess;
  });
}

/** Ends an event. */
export function cudaEventDestroy(event: CudaEvent): number {
  return call((thread) => {
    return about(thread, event, EVENT_DESTROY_EVENT).send(COMMAND_EVENT_DESTROY);
  });
}

/** Records an event: it is reached when the work that is in the stream now is done. */
export function cudaEventRecord(event: CudaEvent, stream: CudaStream = 0): number {
  return cudaEventRecordWithFlags(event, stream, 0);
}

/** `cudaEventRecord`. @param flags `cudaEventRecordDefault` or `cudaEventRecordExternal` */
export function cudaEventRecordWithFlags(
  event: CudaEvent,
  stream: CudaStream = 0,
  flags = 0,
): number {
  return call((thread) => {
    if (flags !== 0 && flags !== 1) return cudaErrorInvalidValue;
    const device = about(thread, event, EVENT_RECORD_EVENT, stream);
    return device.setU32(EVENT_RECORD_FLAGS, flags).send(COMMAND_EVENT_RECORD);
  });
}

/** cudaSuccess if an event has been reached or was never recorded, cudaErrorNotReady if not. */
export function cudaEventQuery(event: CudaEvent): number {
  return call((thread) => {
    return about(thread, event, EVENT_QUERY_EVENT).send(COMMAND_EVENT_QUERY);
  });
}

/** Waits until an event is reached. */
export function cudaEventSynchronize(event: CudaEvent): number {
  return call((thread) => {
    return about(thread, event, EVENT_SYNCHRONIZE_EVENT).send(COMMAND_EVENT_SYNCHRONIZE);
  });
}

/**
 * Milliseconds from one event to another.
 * @returns cudaErrorNotReady if one has not been reached, cudaErrorInvalidResourceHandle if one was
 *   never recorded or keeps no time
 */
export function cudaEventElapsedTime(
  ms: Out<number> | null,
  start: CudaEvent,
  end: CudaEvent,
): number {
  return call((thread) => {
    if (!isBox(ms)) return cudaErrorInvalidValue;
    const device = about(thread, start, EVENT_ELAPSED_START);
    device.setHandle(EVENT_ELAPSED_END, end, cudaErrorInvalidResourceHandle);
    device.check(COMMAND_EVENT_ELAPSED);
    ms.value = device.getF32(EVENT_ELAPSED_MILLISECONDS);
    return cudaSuccess;
  });
}
