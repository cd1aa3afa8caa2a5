/** Streams, and host functions in them. */
import { EVENT_HOST_CALL } from "../../protocol/definitions.ts";
import {
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorNotReady,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../../protocol/errors.ts";
import { writeU64 } from "../../protocol/fields.ts";
import * as P from "../../protocol/streams.ts";
import type { Call } from "../call.ts";
import type { Context } from "../context.ts";
import type { Device } from "../device.ts";
import type { QueueGroup } from "../groups.ts";
import type { RequestSource } from "../source.ts";
import { clampPriority, reached, Stream, WORK_DONE, WORK_RUNNING, type Work } from "../stream.ts";
import type { Command, CommandFamily } from "../table.ts";
import { DeviceEvent } from "../timing.ts";
import { checkHostCopy } from "./boxes.ts";
import { nothing } from "./copies.ts";
import { outsideCapture } from "./events.ts";

const create: Command = {
  responseBytes: P.STREAM_CREATE_RESPONSE_SIZE,
  context: true,
  creates: true,
  run(device: Device, call: Call): number {
    const flags = call.u32(P.STREAM_CREATE_FLAGS);
    if (flags & ~P.STREAM_NON_BLOCKING) return cudaErrorInvalidValue;
    const priority = clampPriority(call.u32(P.STREAM_CREATE_PRIORITY) | 0);
    const nonBlocking = flags === P.STREAM_NON_BLOCKING;
    const handle = device.newHandle();
    const stream = new Stream(
      call.context,
      handle,
      device.newStreamId(),
      false,
      nonBlocking,
      priority,
    );
    call.context.resources.set(handle, stream);
    call.set32(P.STREAM_CREATE_STREAM, handle);
    return cudaSuccess;
  },
};

const destroy: Command = {
  responseBytes: P.STREAM_DESTROY_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const stream = call.stream();
    // The default streams are the context's own and not in its table.
    if (stream === undefined || !call.context.resources.delete(stream.handle)) {
      return cudaErrorInvalidResourceHandle;
    }
    stream.capture?.ended(stream);
    return cudaSuccess;
  },
};

const synchronize: Command = {
  responseBytes: P.STREAM_SYNCHRONIZE_RESPONSE_SIZE,
  context: true,
  streamQueue: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    const { context } = call;
    return device.whenDone(call, context, undefined, context.scheduler.tailOf(stream));
  },
};

const query: Command = {
  responseBytes: P.STREAM_QUERY_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    return reached(call.context.scheduler.tailOf(stream)) ? cudaSuccess : cudaErrorNotReady;
  },
};

const waitEvent: Command = {
  responseBytes: P.STREAM_WAIT_EVENT_RESPONSE_SIZE,
  context: true,
  streamQueue: true,
  run(device: Device, call: Call): number {
    const stream = call.stream();
    const event = device.resource(call.u32(P.STREAM_WAIT_EVENT_EVENT), DeviceEvent);
    if (stream === undefined || event === undefined) return cudaErrorInvalidResourceHandle;
    const flags = call.u32(P.STREAM_WAIT_EVENT_FLAGS);
    if (flags !== 0) return outsideCapture(flags);
    if (event.record) call.context.scheduler.addBarrier(stream, [event.record.ticket]);
    return cudaSuccess;
  },
  prepare(device: Device, source: RequestSource): Work | number {
    const event = device.resource(source.u32(P.STREAM_WAIT_EVENT_EVENT), DeviceEvent);
    if (event === undefined) return cudaErrorInvalidResourceHandle;
    return event.record ? { run: () => WORK_DONE, waits: [event.record.ticket] } : nothing;
  },
};

const info: Command = {
  responseBytes: P.STREAM_INFO_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    call.set32(P.STREAM_INFO_FLAGS, stream.nonBlocking ? P.STREAM_NON_BLOCKING : 0);
    call.set32(P.STREAM_INFO_PRIORITY, stream.priority);
    call.set64(P.STREAM_INFO_ID, stream.id);
    call.set32(P.STREAM_INFO_DEVICE, stream.context.ordinal);
    return cudaSuccess;
  },
};

/** A call of a function of the host: the stream stands still until the host says it is done. */
export class HostCallWork implements Work {
  readonly always: boolean;
  readonly #device: Device;
  readonly #context: Context;
  readonly #group: QueueGroup;
  readonly #data: number;

  constructor(device: Device, context: Context, group: QueueGroup, data: number, flags: number) {
    this.#device = device;
    this.#context = context;
    this.#group = group;
    this.#data = data;
    this.always = (flags & P.HOST_CALL_ALWAYS) !== 0;
  }

  run(stream: Stream): number {
    const ticket = this.#device.newHandle();
    const context = this.#context;
    this.#group.hostCalls.set(ticket, stream);
    const bytes = new Uint8Array(P.EVENT_HOST_CALL_BYTES);
    const view = new DataView(bytes.buffer);
    writeU64(view, P.EVENT_HOST_CALL_DATA, this.#data);
    view.setUint32(P.EVENT_HOST_CALL_ERROR, context.error, true);
    view.setUint32(P.EVENT_HOST_CALL_STREAM, stream.handle, true);
    const event = { kind: EVENT_HOST_CALL, context: context.handle, value: ticket, bytes };
    this.#device.deliver(context, this.#group);
    this.#group.outbox.push(event);
    this.#group.outbox.flush(this.#group.event);
    return WORK_RUNNING;
  }
}

function prepareHostCall(device: Device, source: RequestSource): Work | number {
  const { context, group } = source;
  if (group.event === undefined) return cudaErrorNotSupported;
  const data = source.u64(P.HOST_CALL_DATA);
  const flags = source.u32(P.HOST_CALL_FLAGS);
  const error = flags & P.HOST_CALL_COPY ? checkHostCopy(device, source) : cudaSuccess;
  if (error !== cudaSuccess) return error;
  return new HostCallWork(device, context, group, data, flags);
}

const hostCall: Command = {
  responseBytes: P.HOST_CALL_RESPONSE_SIZE,
  context: true,
  streamQueue: true,
  run(device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    const work = prepareHostCall(device, call);
    if (typeof work === "number") return work;
    call.context.scheduler.enqueue(stream, work);
    return cudaSuccess;
  },
  prepare: prepareHostCall,
};

const hostCallDone: Command = {
  responseBytes: P.HOST_CALL_DONE_RESPONSE_SIZE,
  run(_device: Device, call: Call): number {
    const ticket = call.u32(P.HOST_CALL_DONE_TICKET);
    const stream = call.group.hostCalls.get(ticket);
    if (stream === undefined) return cudaErrorInvalidValue;
    call.group.hostCalls.delete(ticket);
    // Of a graph's node the stream may be another device's.
    if (stream.running) stream.context.scheduler.finish(stream);
    return cudaSuccess;
  },
};

/** The family: STREAM_*, HOST_CALL, HOST_CALL_DONE. */
export const streamCommands: CommandFamily = new Map([
  [P.COMMAND_STREAM_CREATE, create],
  [P.COMMAND_STREAM_DESTROY, destroy],
  [P.COMMAND_STREAM_SYNCHRONIZE, synchronize],
  [P.COMMAND_STREAM_QUERY, query],
  [P.COMMAND_STREAM_WAIT_EVENT, waitEvent],
  [P.COMMAND_STREAM_INFO, info],
  [P.COMMAND_HOST_CALL, hostCall],
  [P.COMMAND_HOST_CALL_DONE, hostCallDone],
]);
