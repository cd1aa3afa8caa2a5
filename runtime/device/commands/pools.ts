/** Stream-ordered allocation and memory pools. */
import { MEMORY_DEVICE, MEMORY_MANAGED } from "../../protocol/definitions.ts";
import {
  cudaErrorInvalidDevice,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorMemoryAllocation,
  cudaSuccess,
} from "../../protocol/errors.ts";
import * as P from "../../protocol/pools.ts";
import type { Allocation } from "../allocations.ts";
import type { Call } from "../call.ts";
import type { Device } from "../device.ts";
import { freeGraphMemory } from "../graph-memory.ts";
import { MemoryPool } from "../pool.ts";
import { WORK_DONE, type Work } from "../stream.ts";
import type { Command, CommandFamily } from "../table.ts";

const create: Command = {
  responseBytes: P.POOL_CREATE_RESPONSE_SIZE,
  context: true,
  creates: true,
  run(device: Device, call: Call): number {
    const pool = new MemoryPool(
      call.context,
      device.newHandle(),
      call.u64(P.POOL_CREATE_MAX_BYTES),
    );
    call.context.resources.set(pool.handle, pool);
    call.set32(P.POOL_CREATE_POOL, pool.handle);
    return cudaSuccess;
  },
};

/** The pool of a handle. */
function poolOf(device: Device, call: Call, handle: number): MemoryPool | undefined {
  return device.visible(call.context, handle, MemoryPool);
}

const destroy: Command = {
  responseBytes: P.POOL_DESTROY_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const pool = poolOf(device, call, call.u32(P.POOL_DESTROY_POOL));
    if (pool === undefined || pool.isDefault) return cudaErrorInvalidValue;
    const { context } = pool;
    context.resources.delete(pool.handle);
    // What would come from it comes from the default pool again (cudaMemPoolDestroy).
    if (context.currentPool === pool) context.currentPool = undefined;
    return cudaSuccess;
  },
};

const current: Command = {
  responseBytes: P.POOL_CURRENT_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const handle = call.u32(P.POOL_CURRENT_POOL);
    const own = device.defaultPool(call.context);
    if (handle !== 0) {
      const pool = poolOf(device, call, handle);
      // A pool is used by its own device (cudaDeviceSetMemPool).
      if (pool?.context !== call.context) return cudaErrorInvalidValue;
      call.context.currentPool = pool;
    }
    call.set32(P.POOL_CURRENT_CURRENT, (call.context.currentPool ?? own).handle);
    call.set32(P.POOL_CURRENT_DEFAULT, own.handle);
    return cudaSuccess;
  },
};

const get: Command = {
  responseBytes: P.POOL_GET_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const pool = poolOf(device, call, call.u32(P.POOL_GET_POOL));
    const value = pool?.get(call.u32(P.POOL_GET_ATTRIBUTE));
    if (value === undefined) return cudaErrorInvalidValue;
    call.set64(P.POOL_GET_VALUE, value);
    return cudaSuccess;
  },
};

const set: Command = {
  responseBytes: P.POOL_SET_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const pool = poolOf(device, call, call.u32(P.POOL_SET_POOL));
    const done = pool?.set(call.u32(P.POOL_SET_ATTRIBUTE), call.u64(P.POOL_SET_VALUE));
    return done ? cudaSuccess : cudaErrorInvalidValue;
  },
};

const trim: Command = {
  responseBytes: P.POOL_TRIM_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const pool = poolOf(device, call, call.u32(P.POOL_TRIM_POOL));
    if (pool === undefined) return cudaErrorInvalidValue;
    pool.trim(call.u64(P.POOL_TRIM_KEEP));
    return cudaSuccess;
  },
};

/** The device that the pool's memory is on always has all access. */
const access: Command = {
  responseBytes: P.POOL_ACCESS_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const pool = poolOf(device, call, call.u32(P.POOL_ACCESS_POOL));
    const ordinal = call.u32(P.POOL_ACCESS_DEVICE);
    if (pool === undefined) return cudaErrorInvalidValue;
    if (ordinal >= device.devices.length) return cudaErrorInvalidDevice;
    const own = ordinal === pool.context.ordinal;
    if (call.u32(P.POOL_ACCESS_SET) !== 0) {
      const flags = call.u32(P.POOL_ACCESS_FLAGS);
      if (flags !== P.POOL_ACCESS_NONE && flags !== P.POOL_ACCESS_READ_WRITE) {
        return cudaErrorInvalidValue;
      }
      if (flags === P.POOL_ACCESS_READ_WRITE) pool.access.add(ordinal);
      else if (own) return cudaErrorInvalidValue;
      else pool.access.delete(ordinal);
    }
    const allowed = own || pool.access.has(ordinal);
    call.set32(P.POOL_ACCESS_ALLOWED, allowed ? P.POOL_ACCESS_READ_WRITE : P.POOL_ACCESS_NONE);
    return cudaSuccess;
  },
};

const allocAsync: Command = {
  responseBytes: P.MEMORY_ALLOC_ASYNC_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const { context } = call;
    if (call.stream() === undefined) return cudaErrorInvalidResourceHandle;
    const handle = call.u32(P.MEMORY_ALLOC_ASYNC_POOL);
    const pool =
      handle === 0
        ? (context.currentPool ?? device.defaultPool(context))
        : poolOf(device, call, handle);
    if (pool === undefined) return cudaErrorInvalidValue;
    const bytes = call.u64(P.MEMORY_ALLOC_ASYNC_BYTES);
    if (bytes === 0) return cudaSuccess;
    // The address is good from now on for work that comes later in the stream; that earlier work
    // must not use it is the program's affair, as it is in CUDA.
    const entry = pool.hasRoom(bytes)
      ? device.allocations.alloc(bytes, MEMORY_DEVICE, 0, pool.context)
      : undefined;
    if (entry === undefined) return cudaErrorMemoryAllocation;
    entry.pool = pool;
    pool.take(bytes);
    call.set64(P.MEMORY_ALLOC_ASYNC_ADDRESS, device.memory.pointerOf(entry.offset));
    call.set32(P.MEMORY_ALLOC_ASYNC_SERIAL, entry.serial);
    return cudaSuccess;
  },
};

/** Gives an allocation back when its turn in the stream comes, or the context drops its work. */
class FreeWork implements Work {
  readonly #device: Device;
  readonly #entry: Allocation;

  constructor(device: Device, entry: Allocation) {
    this.#device = device;
    this.#entry = entry;
  }

  run(): number {
    return WORK_DONE;
  }

  release(): void {
    this.#device.allocations.giveBack(this.#entry);
  }
}

const freeAsync: Command = {
  responseBytes: P.MEMORY_FREE_ASYNC_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    const address = call.u64(P.MEMORY_FREE_ASYNC_ADDRESS);
    if (address === 0) return cudaSuccess;
    const entry = device.allocations.at(address);
    if (entry === undefined || entry.internal) return cudaErrorInvalidValue;
    if (entry.kind !== MEMORY_DEVICE && entry.kind !== MEMORY_MANAGED) return cudaErrorInvalidValue;
    const { scheduler } = call.context;
    if (entry.graph) {
      const release = freeGraphMemory(device, entry);
      if (release === undefined) return cudaErrorInvalidValue;
      scheduler.enqueue(stream, { run: () => WORK_DONE, release });
      return cudaSuccess;
    }
    if (scheduler.isFree(stream)) device.allocations.release(entry);
    else {
      // Work that is queued before this still looks at the bytes, no longer at the table.
      device.allocations.withdraw(entry);
      scheduler.enqueue(stream, new FreeWork(device, entry));
    }
    return cudaSuccess;
  },
};

/** The family: POOL_*, MEMORY_ALLOC_ASYNC, MEMORY_FREE_ASYNC. */
export const poolCommands: CommandFamily = new Map([
  [P.COMMAND_POOL_CREATE, create],
  [P.COMMAND_POOL_DESTROY, destroy],
  [P.COMMAND_POOL_CURRENT, current],
  [P.COMMAND_POOL_GET, get],
  [P.COMMAND_POOL_SET, set],
  [P.COMMAND_POOL_TRIM, trim],
  [P.COMMAND_POOL_ACCESS, access],
  [P.COMMAND_MEMORY_ALLOC_ASYNC, allocAsync],
  [P.COMMAND_MEMORY_FREE_ASYNC, freeAsync],
]);
