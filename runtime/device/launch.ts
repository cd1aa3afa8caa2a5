/** Kernel launches as work: their parameters wait in private memory until their turn comes. */
import type { LaunchRequest, LoadedModule } from "../exec/index.ts";
import { LAUNCH_SLOT_BYTES, LAUNCH_SLOTS } from "../memory/index.ts";
import { EVENT_FAULT } from "../protocol/definitions.ts";
import { cudaErrorAssert, cudaErrorLaunchFailure } from "../protocol/errors.ts";
import { LIMIT_MALLOC_HEAP_SIZE, LIMIT_STACK_SIZE } from "../protocol/functions.ts";
import type { Context } from "./context.ts";
import type { Device } from "./device.ts";
import type { ExecFault, KernelFunction } from "./module.ts";
import { WORK_DONE, type Work } from "./stream.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One launch, from its request until it has run. Reused by its pool. */
export class LaunchWork implements Work {
  readonly request: Mutable<LaunchRequest>;
  /** Linear address of its parameter slot, or 0 if it has none. */
  readonly slot: number;
  context!: Context;
  readonly #device: Device;
  readonly #slotBytes: Uint8Array;

  constructor(device: Device, slot: number) {
    this.#device = device;
    this.slot = slot;
    this.#slotBytes = slot ? device.memory.bytes(slot, LAUNCH_SLOT_BYTES) : new Uint8Array(0);
    this.request = {
      module: undefined as unknown as LoadedModule,
      kernel: "",
      grid: [1, 1, 1],
      block: [1, 1, 1],
      dynamicSharedBytes: 0,
      params: this.#slotBytes.subarray(0, 0),
      cooperative: false,
      timeoutMs: device.timeoutMs,
    };
  }

  /**
   * Makes room for the packed parameters.
   * @param bytes of the block
   * @returns where to put them: a linear address if the slot is large enough, else an array
   */
  room(bytes: number): number | Uint8Array {
    if (bytes <= this.#slotBytes.length) {
      if (this.request.params.length !== bytes) {
        this.request.params = this.#slotBytes.subarray(0, bytes);
      }
      return this.slot;
    }
    this.request.params = new Uint8Array(bytes);
    return this.request.params;
  }

  run(): number {
    const device = this.#device;
    const { context, request } = this;
    device.current = context;
    request.stackBytes = context.limits.get(LIMIT_STACK_SIZE);
    request.heapBytes = context.limits.get(LIMIT_MALLOC_HEAP_SIZE);
    const fault = this.#launch();
    if (fault !== undefined) reportFault(context, fault);
    return WORK_DONE;
  }

  release(): void {
    this.#device.launches.give(this);
  }

  #launch(): ExecFault | undefined {
    try {
      return this.#device.executor.launch(this.request);
    } catch (error) {
      // An executor's own failure (out of table room, a compiler error found late) must not take
      // the device down: it is this launch's fault.
      const { kernel } = this.request;
      const message = `${kernel}: ${error instanceof Error ? error.message : String(error)}`;
      const code = (error as { code?: unknown }).code;
      return {
        code: typeof code === "number" ? code : cudaErrorLaunchFailure,
        kind: "internal",
        kernel,
        block: [0, 0, 0],
        thread: [0, 0, 0],
        address: 0,
        line: 0,
        file: "",
        message,
      };
    }
  }
}

/** Makes a fault the context's sticky error and tells the host, in order with what was printed. */
export function reportFault(context: Context, fault: ExecFault): void {
  context.fail(fault);
  if (fault.code === cudaErrorAssert) context.output.complain(fault.message);
  context.output.push(EVENT_FAULT, fault.code, new TextEncoder().encode(fault.message));
}

/** Where launches come from and go back to. */
export interface LaunchPool {
  /** A launch of a function, to be filled in; its parameters go where `room` says. */
  take(fn: KernelFunction, context: Context): LaunchWork;
  give(work: LaunchWork): void;
}

/** @returns a pool whose first LAUNCH_SLOTS launches have slots in private memory */
export function createLaunchPool(device: Device): LaunchPool {
  const { launches } = device.memory.map;
  const free: LaunchWork[] = [];
  for (let i = LAUNCH_SLOTS - 1; i >= 0; i--) {
    free.push(new LaunchWork(device, launches.start + i * LAUNCH_SLOT_BYTES));
  }
  return {
    take(fn, context) {
      const work = free.pop() ?? new LaunchWork(device, 0);
      work.context = context;
      work.request.module = fn.part;
      work.request.kernel = fn.info.name;
      return work;
    },
    give(work) {
      if (work.slot !== 0) free.push(work);
    },
  };
}
