/** Requests from a queue: looked at, carried out, answered. */
import * as P from "../protocol/definitions.ts";
import {
  cudaErrorDeviceUninitialized,
  cudaErrorInitializationError,
  cudaErrorInvalidValue,
  cudaErrorLaunchPendingCountExceeded,
  cudaErrorMemoryAllocation,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../protocol/errors.ts";
import { iovSize, virtioNotify, virtqueuePush, virtqueuePushResponse } from "../virtio/index.ts";
import { type Call, LATER } from "./call.ts";
import { intercept } from "./capture.ts";
import { COMMANDS } from "./commands/index.ts";
import type { Context } from "./context.ts";
import type { Device } from "./device.ts";
import { Stream } from "./stream.ts";
import type { Command } from "./table.ts";

/** Things with handles that a context may have, modules apart. */
export const MAX_RESOURCES = 1 << 20;
/** Modules that a context may have. */
export const MAX_MODULES = 1 << 16;
/** Pieces of work that may wait in a context's streams. */
export const MAX_PENDING = 1 << 20;

/** A guest that only ever asks for more must not use up the host. @returns a cudaError_t */
function overLimit(context: Context, command: Command): number {
  if (command.creates) {
    const full = context.resources.size >= MAX_RESOURCES || context.modules.size >= MAX_MODULES;
    return full ? cudaErrorMemoryAllocation : cudaSuccess;
  }
  const waiting = command.prepare !== undefined && context.scheduler.pending >= MAX_PENDING;
  return waiting ? cudaErrorLaunchPendingCountExceeded : cudaSuccess;
}

/**
 * Serves a request: answers it, or sees to it that it is answered later.
 * @param fromStreamQueue whether it came by the group's stream queue
 */
export function serve(device: Device, call: Call, fromStreamQueue: boolean): void {
  const { element, response } = call;
  const room = iovSize(element.in);
  if (room < P.RESPONSE_HEADER_SIZE) {
    // Nowhere to put even an error: given back with nothing written.
    virtqueuePush(call.queue, element, 0);
    virtioNotify(call.queue);
    return;
  }
  call.group.endCopy(call.thread);
  response.setUint32(P.RESPONSE_ERROR, 0, true);
  response.setUint32(P.RESPONSE_DETAIL, 0, true);
  call.responseBytes = P.RESPONSE_HEADER_SIZE;
  const command = COMMANDS[call.u32(P.REQUEST_COMMAND)];
  const refused = refusal(call, command, room, fromStreamQueue);
  if (refused !== P.DETAIL_NONE || command === undefined) {
    call.detail(refused);
    const error =
      refused === P.DETAIL_UNKNOWN_COMMAND
        ? cudaErrorNotSupported
        : refused === P.DETAIL_NOT_STARTED
          ? cudaErrorInitializationError
          : cudaErrorInvalidValue;
    response.setUint32(P.RESPONSE_ERROR, error, true);
    virtqueuePushResponse(element, P.RESPONSE_HEADER_SIZE);
    return;
  }
  for (let at = P.RESPONSE_HEADER_SIZE; at < command.responseBytes; at += 4) {
    response.setUint32(at, 0, true);
  }
  call.responseBytes = command.responseBytes;
  let error: number = cudaSuccess;
  let context: Context | undefined;
  if (command.context) {
    context = contextOf(device, call);
    if (context === undefined) {
      error = cudaErrorDeviceUninitialized;
    } else {
      call.context = context;
      if (!command.afterFault) error = context.error;
      if (error === cudaSuccess) error = overLimit(context, command);
    }
  }
  if (error === cudaSuccess) {
    const capturing = context !== undefined && device.captures.size > 0;
    error = (capturing ? intercept(device, call, command) : undefined) ?? command.run(device, call);
  }
  if (error === LATER) return;
  if (command.synchronizes && context && !(context.output.empty && call.group.outbox.empty)) {
    device.answer(call.later(), error, context);
    return;
  }
  response.setUint32(P.RESPONSE_ERROR, error, true);
  if (call.responseBytes === command.responseBytes) {
    virtqueuePushResponse(element, command.responseBytes);
  } else {
    pushLong(call, command.responseBytes);
  }
}

/** The context that a request is for: that of its stream, if the stream is another device's. */
function contextOf(device: Device, call: Call): Context | undefined {
  const context = device.contexts.get(call.contextHandle);
  if (context === undefined || device.devices.length === 1) return context;
  const handle = call.u32(P.REQUEST_STREAM);
  if (handle < P.FIRST_HANDLE) return context;
  return device.visible(context, handle, Stream)?.context ?? context;
}

/** The response has a variable part, which is in the guest's buffers already. */
function pushLong(call: Call, fixed: number): void {
  const total = call.responseBytes;
  call.responseBytes = 0;
  call.writeOutput(call.queue.response.byteOffset, fixed);
  virtqueuePush(call.queue, call.element, total);
  virtioNotify(call.queue);
}

/**
 * Why a request is not even looked at (DETAIL_*).
 * @param room bytes for its response
 */
function refusal(
  call: Call,
  command: Command | undefined,
  room: number,
  fromStreamQueue: boolean,
): number {
  if (call.element.headerLength < P.REQUEST_SIZE) return P.DETAIL_SHORT_REQUEST;
  if (command === undefined) return P.DETAIL_UNKNOWN_COMMAND;
  if (room < command.responseBytes) return P.DETAIL_SHORT_RESPONSE;
  if (fromStreamQueue && !command.streamQueue) return P.DETAIL_WRONG_QUEUE;
  if (!call.group.started && !command.beforeStart) return P.DETAIL_NOT_STARTED;
  return P.DETAIL_NONE;
}
