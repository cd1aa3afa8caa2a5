/** Allocation: device, pinned and managed memory, and what is known of a pointer. */
import * as P from "../../protocol/definitions.ts";
import {
  cudaErrorInvalidValue,
  cudaErrorMemoryAllocation,
  cudaSuccess,
} from "../../protocol/errors.ts";
import type { Call } from "../call.ts";
import type { Device } from "../device.ts";
import { freeGraphMemory } from "../graph-memory.ts";
import type { Command, CommandFamily } from "../table.ts";

/** cudaHostAllocPortable, cudaHostAllocMapped, cudaHostAllocWriteCombined. */
const HOST_FLAGS = 7;

const alloc: Command = {
  responseBytes: P.MEMORY_ALLOC_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const bytes = call.u64(P.MEMORY_ALLOC_BYTES);
    const kind = call.u32(P.MEMORY_ALLOC_KIND);
    if (kind !== P.MEMORY_DEVICE && kind !== P.MEMORY_HOST && kind !== P.MEMORY_MANAGED) {
      return cudaErrorInvalidValue;
    }
    // Nothing asked for, nothing given: the null pointer, as cudaMalloc(&p, 0) gives.
    const flags = call.u32(P.MEMORY_ALLOC_FLAGS);
    // Attached to all, or to the host; older drivers name neither.
    if (kind === P.MEMORY_MANAGED && flags > 2) return cudaErrorInvalidValue;
    if (bytes === 0) return cudaSuccess;
    if (kind === P.MEMORY_HOST && flags & ~HOST_FLAGS) return cudaErrorInvalidValue;
    const entry = device.allocations.alloc(bytes, kind, flags, call.context);
    if (entry === undefined) return cudaErrorMemoryAllocation;
    call.set64(P.MEMORY_ALLOC_ADDRESS, device.memory.pointerOf(entry.offset));
    call.set32(P.MEMORY_ALLOC_SERIAL, entry.serial);
    return cudaSuccess;
  },
};

const free: Command = {
  responseBytes: P.MEMORY_FREE_RESPONSE_SIZE,
  context: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    const address = call.u64(P.MEMORY_FREE_ADDRESS);
    if (address === 0) return cudaSuccess;
    const entry = device.allocations.at(address);
    const serial = call.u32(P.MEMORY_FREE_SERIAL);
    if (entry === undefined || entry.internal) return cudaErrorInvalidValue;
    if (serial !== 0 && serial !== entry.serial) return cudaErrorInvalidValue;
    const host = call.u32(P.MEMORY_FREE_KIND) === P.MEMORY_HOST;
    if (host !== (entry.kind === P.MEMORY_HOST)) return cudaErrorInvalidValue;
    // Taken out of the table at once, so that a second free meanwhile is refused; the bytes go
    // back when no work can use them any more.
    const owner = device.contexts.get(entry.context) ?? call.context;
    const tickets = device.tails();
    if (entry.graph) {
      const done = freeGraphMemory(device, entry);
      return done ? device.whenDone(call, owner, done, tickets) : cudaErrorInvalidValue;
    }
    if (tickets.length > 0) {
      device.allocations.withdraw(entry);
      return device.whenDone(call, owner, () => device.allocations.giveBack(entry), tickets);
    }
    device.allocations.release(entry);
    return cudaSuccess;
  },
};

const pointerAttributes: Command = {
  responseBytes: P.POINTER_ATTRIBUTES_RESPONSE_SIZE,
  context: true,
  afterFault: true,
  run(device: Device, call: Call): number {
    const entry = device.allocations.find(call.u64(P.POINTER_ATTRIBUTES_ADDRESS));
    if (entry === undefined) return cudaSuccess; // kind 0: not ours, all other fields 0
    call.set64(P.POINTER_ATTRIBUTES_START, device.memory.pointerOf(entry.offset));
    call.set64(P.POINTER_ATTRIBUTES_BYTES, entry.size);
    call.set32(P.POINTER_ATTRIBUTES_KIND, entry.kind);
    call.set32(P.POINTER_ATTRIBUTES_FLAGS, entry.flags);
    call.set32(P.POINTER_ATTRIBUTES_SERIAL, entry.serial);
    call.set32(P.POINTER_ATTRIBUTES_CONTEXT, entry.context);
    call.set32(P.POINTER_ATTRIBUTES_DEVICE, entry.device);
    return cudaSuccess;
  },
};

/** The family: MEMORY_ALLOC, MEMORY_FREE, POINTER_ATTRIBUTES. */
export const memoryCommands: CommandFamily = new Map([
  [P.COMMAND_MEMORY_ALLOC, alloc],
  [P.COMMAND_MEMORY_FREE, free],
  [P.COMMAND_POINTER_ATTRIBUTES, pointerAttributes],
]);
