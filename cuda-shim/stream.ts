import {
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import {
  COMMAND_STREAM_CREATE,
  COMMAND_STREAM_DESTROY,
  COMMAND_STREAM_INFO,
  COMMAND_STREAM_QUERY,
  COMMAND_STREAM_SYNCHRONIZE,
  COMMAND_STREAM_WAIT_EVENT,
  STREAM_CREATE_FLAGS,
  STREAM_CREATE_PRIORITY,
  STREAM_CREATE_STREAM,
  STREAM_INFO_DEVICE,
  STREAM_INFO_FLAGS,
  STREAM_INFO_ID,
  STREAM_INFO_PRIORITY,
  STREAM_PRIORITY_GREATEST,
  STREAM_PRIORITY_LEAST,
  STREAM_WAIT_EVENT_EVENT,
  STREAM_WAIT_EVENT_FLAGS,
} from "../runtime/protocol/streams.ts";
import { cudaStreamDefault } from "./constants.ts";
import { call } from "./thread.ts";
import { type CudaEvent, type CudaStream, isBox, isI32, isU32, type Out } from "./types.ts";

/** Makes a stream that waits for the legacy default stream and that it waits for. */
export function cudaStreamCreate(pStream: Out<CudaStream> | null): number {
  return cudaStreamCreateWithPriority(pStream, cudaStreamDefault, STREAM_PRIORITY_LEAST);
}

/** Makes a stream. @param flags `cudaStreamDefault` or `cudaStreamNonBlocking` */
export function cudaStreamCreateWithFlags(pStream: Out<CudaStream> | null, flags: number): number {
  return cudaStreamCreateWithPriority(pStream, flags, STREAM_PRIORITY_LEAST);
}

/**
 * Makes a stream.
 * @param flags `cudaStreamDefault` or `cudaStreamNonBlocking`
 * @param priority lower numbers first; clamped to `cudaDeviceGetStreamPriorityRange`
 */
export function cudaStreamCreateWithPriority(
  pStream: Out<CudaStream> | null,
  flags: number,
  priority: number,
): number {
  return call((thread) => {
    if (!isBox(pStream) || !isU32(flags) || !isI32(priority)) return cudaErrorInvalidValue;
    const device = thread.device().begin();
    device.setU32(STREAM_CREATE_FLAGS, flags).setU32(STREAM_CREATE_PRIORITY, priority);
    device.check(COMMAND_STREAM_CREATE);
    pStream.value = device.getU32(STREAM_CREATE_STREAM);
    return cudaSuccess;
  });
}

/** Ends a stream; work that is in it still runs. The default streams can't be ended. */
export function cudaStreamDestroy(stream: CudaStream): number {
  return call((thread) => {
    const error = thread.device().begin(stream).send(COMMAND_STREAM_DESTROY);
    if (error === cudaSuccess) thread.streamDevices.delete(stream);
    return error;
  });
}

/** Waits for the work that is in a stream. @returns the fault of a kernel, if one had one */
export function cudaStreamSynchronize(stream: CudaStream): number {
  return call((thread) => thread.device().begin(stream).send(COMMAND_STREAM_SYNCHRONIZE));
}

/** cudaSuccess if the work that is in a stream is done, cudaErrorNotReady if not. */
export function cudaStreamQuery(stream: CudaStream): number {
  return call((thread) => thread.device().begin(stream).send(COMMAND_STREAM_QUERY));
}

/**
 * Makes the later work of a stream wait for an event, as it is recorded now.
 * @param flags `cudaEventWaitDefault` or `cudaEventWaitExternal`
 */
export function cudaStreamWaitEvent(stream: CudaStream, event: CudaEvent, flags = 0): number {
  return call((thread) => {
    if (flags !== 0 && flags !== 1) return cudaErrorInvalidValue;
    const device = thread.device().begin(stream);
    device.setHandle(STREAM_WAIT_EVENT_EVENT, event, cudaErrorInvalidResourceHandle);
    device.setU32(STREAM_WAIT_EVENT_FLAGS, flags);
    return device.send(COMMAND_STREAM_WAIT_EVENT);
  });
}

/** Asks for one field of what the device knows of a stream. */
function info(stream: CudaStream, out: Out<number> | null, field: number): number {
  return call((thread) => {
    if (!isBox(out)) return cudaErrorInvalidValue;
    const device = thread.device().begin(stream);
    device.check(COMMAND_STREAM_INFO);
    out.value = field === STREAM_INFO_ID ? device.getU64(field) : device.getI32(field);
    return cudaSuccess;
  });
}

/** The flags that a stream was made with. */
export function cudaStreamGetFlags(stream: CudaStream, flags: Out<number> | null): number {
  return info(stream, flags, STREAM_INFO_FLAGS);
}

/** The priority of a stream. */
export function cudaStreamGetPriority(stream: CudaStream, priority: Out<number> | null): number {
  return info(stream, priority, STREAM_INFO_PRIORITY);
}

/** A number that no other stream of the device has or had. */
export function cudaStreamGetId(stream: CudaStream, streamId: Out<number> | null): number {
  return info(stream, streamId, STREAM_INFO_ID);
}

/** The ordinal of a stream's device. */
export function cudaStreamGetDevice(stream: CudaStream, device: Out<number> | null): number {
  return call((thread) => {
    if (!isBox(device)) return cudaErrorInvalidValue;
    const file = thread.device().begin(stream);
    file.check(COMMAND_STREAM_INFO);
    device.value = file.getU32(STREAM_INFO_DEVICE);
    return cudaSuccess;
  });
}

/** The least and the greatest priority of streams; the greatest is the lower number. */
export function cudaDeviceGetStreamPriorityRange(
  leastPriority: Out<number> | null,
  greatestPriority: Out<number> | null,
): number {
  return call((thread) => {
    thread.device().needContext();
    if (isBox(leastPriority)) leastPriority.value = STREAM_PRIORITY_LEAST;
    if (isBox(greatestPriority)) greatestPriority.value = STREAM_PRIORITY_GREATEST;
    return cudaSuccess;
  });
}
