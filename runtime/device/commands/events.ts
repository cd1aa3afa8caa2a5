/** CUDA events. */
import {
  cudaErrorIllegalState,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorNotReady,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../../protocol/errors.ts";
import * as P from "../../protocol/streams.ts";
import type { Call } from "../call.ts";
import type { Device } from "../device.ts";
import type { RequestSource } from "../source.ts";
import type { Work } from "../stream.ts";
import type { Command, CommandFamily } from "../table.ts";
import { DeviceEvent, now, RecordWork } from "../timing.ts";

const ALL_FLAGS = P.EVENT_BLOCKING_SYNC | P.EVENT_DISABLE_TIMING | P.EVENT_INTERPROCESS;

const create: Command = {
  responseBytes: P.EVENT_CREATE_RESPONSE_SIZE,
  context: true,
  creates: true,
  run(device: Device, call: Call): number {
    const flags = call.u32(P.EVENT_CREATE_FLAGS);
    if (flags & ~ALL_FLAGS) return cudaErrorInvalidValue;
    if (flags & P.EVENT_INTERPROCESS) {
      return flags & P.EVENT_DISABLE_TIMING ? cudaErrorNotSupported : cudaErrorInvalidValue;
    }
    const event = new DeviceEvent(call.context, device.newHandle(), flags);
    call.context.resources.set(event.handle, event);
    call.set32(P.EVENT_CREATE_EVENT, event.handle);
    return cudaSuccess;
  },
};

const destroy: Command = {
  responseBytes: P.EVENT_DESTROY_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const handle = call.u32(P.EVENT_DESTROY_EVENT);
    if (device.resource(handle, DeviceEvent) === undefined) return cudaErrorInvalidResourceHandle;
    device.forget(handle);
    return cudaSuccess;
  },
};

/** What EVENT_RECORD_EXTERNAL, or STREAM_WAIT_EVENT_EXTERNAL, is where nothing captures. */
export function outsideCapture(flags: number): number {
  return flags === P.EVENT_RECORD_EXTERNAL ? cudaErrorIllegalState : cudaErrorInvalidValue;
}

const record: Command = {
  responseBytes: P.EVENT_RECORD_RESPONSE_SIZE,
  context: true,
  streamQueue: true,
  run(device: Device, call: Call): number {
    const stream = call.stream();
    const event = device.resource(call.u32(P.EVENT_RECORD_EVENT), DeviceEvent);
    if (stream === undefined || event === undefined) return cudaErrorInvalidResourceHandle;
    if (event.context.ordinal !== call.context.ordinal) return cudaErrorInvalidResourceHandle;
    // A capture would have taken it.
    if (call.u32(P.EVENT_RECORD_FLAGS) !== 0) return outsideCapture(call.u32(P.EVENT_RECORD_FLAGS));
    const { scheduler } = call.context;
    if (scheduler.isFree(stream)) {
      event.record = { ticket: stream.tail(), time: now() };
      return cudaSuccess;
    }
    scheduler.enqueue(stream, new RecordWork(event));
    return cudaSuccess;
  },
  prepare(device: Device, source: RequestSource): Work | number {
    const event = device.resource(source.u32(P.EVENT_RECORD_EVENT), DeviceEvent);
    const own = event?.context.ordinal === source.context.ordinal;
    return event && own ? new RecordWork(event) : cudaErrorInvalidResourceHandle;
  },
};

const query: Command = {
  responseBytes: P.EVENT_QUERY_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const event = device.resource(call.u32(P.EVENT_QUERY_EVENT), DeviceEvent);
    if (event === undefined) return cudaErrorInvalidResourceHandle;
    return event.context.error || (event.reached ? cudaSuccess : cudaErrorNotReady);
  },
};

const synchronize: Command = {
  responseBytes: P.EVENT_SYNCHRONIZE_RESPONSE_SIZE,
  context: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    const event = device.resource(call.u32(P.EVENT_SYNCHRONIZE_EVENT), DeviceEvent);
    if (event === undefined) return cudaErrorInvalidResourceHandle;
    const tickets = event.record && !event.reached ? [event.record.ticket] : [];
    return device.whenDone(call, event.context, undefined, tickets);
  },
};

const elapsed: Command = {
  responseBytes: P.EVENT_ELAPSED_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const start = device.resource(call.u32(P.EVENT_ELAPSED_START), DeviceEvent);
    const end = device.resource(call.u32(P.EVENT_ELAPSED_END), DeviceEvent);
    if (start?.record === undefined || end?.record === undefined) {
      return cudaErrorInvalidResourceHandle;
    }
    if (start.context.ordinal !== end.context.ordinal) return cudaErrorInvalidResourceHandle;
    if ((start.flags | end.flags) & P.EVENT_DISABLE_TIMING) return cudaErrorInvalidResourceHandle;
    if (!start.reached || !end.reached) return cudaErrorNotReady;
    const milliseconds = end.record.time - start.record.time;
    call.response.setFloat32(P.EVENT_ELAPSED_MILLISECONDS, milliseconds, true);
    return cudaSuccess;
  },
};

/** The family: EVENT_*. */
export const eventCommands: CommandFamily = new Map([
  [P.COMMAND_EVENT_CREATE, create],
  [P.COMMAND_EVENT_DESTROY, destroy],
  [P.COMMAND_EVENT_RECORD, record],
  [P.COMMAND_EVENT_QUERY, query],
  [P.COMMAND_EVENT_SYNCHRONIZE, synchronize],
  [P.COMMAND_EVENT_ELAPSED, elapsed],
]);
