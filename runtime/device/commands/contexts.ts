/** START, STOP and the contexts. */
import * as P from "../../protocol/definitions.ts";
import {
  cudaErrorDeviceUninitialized,
  cudaErrorInsufficientDriver,
  cudaErrorInvalidDevice,
  cudaErrorInvalidValue,
  cudaErrorMemoryAllocation,
  cudaSuccess,
} from "../../protocol/errors.ts";
import { type Call, LATER } from "../call.ts";
import { emptyContext, releaseContext, retainContext, stopGroup } from "../contexts.ts";
import type { Device } from "../device.ts";
import type { Command, CommandFamily } from "../table.ts";

const start: Command = {
  responseBytes: P.START_RESPONSE_SIZE,
  beforeStart: true,
  run(device: Device, call: Call): number {
    call.set32(P.START_DEVICE_VERSION, P.PROTOCOL_VERSION);
    if (call.u32(P.START_PROTOCOL_VERSION) !== P.PROTOCOL_VERSION) {
      call.detail(P.DETAIL_VERSION);
      return cudaErrorInsufficientDriver;
    }
    if (call.group.started) return cudaErrorInvalidValue;
    call.group.started = true;
    call.group.process = call.u32(P.START_PROCESS);
    call.set32(P.START_OPEN_COUNT, device.openCount);
    return cudaSuccess;
  },
};

const stop: Command = {
  responseBytes: P.STOP_RESPONSE_SIZE,
  run(device: Device, call: Call): number {
    const answer = call.later();
    stopGroup(device, call.group);
    call.group.outbox.afterDelivery(() => answer.send(cudaSuccess));
    return LATER;
  },
};

/** Contexts of a device. */
const MAX_CONTEXTS = 256;

const create: Command = {
  responseBytes: P.CONTEXT_CREATE_RESPONSE_SIZE,
  run(device: Device, call: Call): number {
    const flags = call.u32(P.CONTEXT_CREATE_FLAGS);
    if (!(flags & P.CONTEXT_PRIMARY) && device.contexts.size >= MAX_CONTEXTS) {
      return cudaErrorMemoryAllocation;
    }
    const ordinal = call.u32(P.CONTEXT_CREATE_DEVICE);
    if (ordinal >= device.devices.length) return cudaErrorInvalidDevice;
    const context = retainContext(device, call.group, ordinal, flags);
    call.set32(P.CONTEXT_CREATE_CONTEXT, context.handle);
    return cudaSuccess;
  },
};

const destroy: Command = {
  responseBytes: P.CONTEXT_DESTROY_RESPONSE_SIZE,
  context: true,
  afterFault: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    const held = call.group.retained.get(call.context.handle) ?? 0;
    if (held === 0) return cudaErrorDeviceUninitialized;
    return device.whenDone(call, call.context, () => {
      releaseContext(device, call.group, call.context);
    });
  },
};

const reset: Command = {
  responseBytes: P.CONTEXT_RESET_RESPONSE_SIZE,
  context: true,
  afterFault: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    return device.whenDone(call, call.context, () => emptyContext(device, call.context));
  },
};

const synchronize: Command = {
  responseBytes: P.CONTEXT_SYNCHRONIZE_RESPONSE_SIZE,
  context: true,
  streamQueue: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    return device.whenDone(call, call.context);
  },
};

/** The family: START, STOP, CONTEXT_*. */
export const contextCommands: CommandFamily = new Map([
  [P.COMMAND_START, start],
  [P.COMMAND_STOP, stop],
  [P.COMMAND_CONTEXT_CREATE, create],
  [P.COMMAND_CONTEXT_DESTROY, destroy],
  [P.COMMAND_CONTEXT_RESET, reset],
  [P.COMMAND_CONTEXT_SYNCHRONIZE, synchronize],
]);
