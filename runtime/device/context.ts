/** Contexts: what a process owns on the device, and the fault that may have ended it. */
import { STREAM_DEFAULT, STREAM_LEGACY, STREAM_PER_THREAD } from "../protocol/definitions.ts";
import { cudaSuccess } from "../protocol/errors.ts";
import type { Allocation } from "./allocations.ts";
import type { GraphAccount } from "./graph-memory.ts";
import type { ExecFault, KernelFunction, Module } from "./module.ts";
import { ContextOutput } from "./output.ts";
import type { MemoryPool } from "./pool.ts";
import { Scheduler, Stream, type WaiterList } from "./stream.ts";

/** Anything that a handle can name. A handle is never used twice, nor for two kinds. */
export type Resource = object;

/** A context of a device (cudaDeviceReset empties it; the primary one is shared by its openers). */
export class Context {
  readonly handle: number;
  /** Of its device, from 0. */
  readonly ordinal: number;
  readonly primary: boolean;
  /** cudaDeviceSchedule* and the like, as given. */
  flags: number;
  /** How often it was retained. */
  users = 0;
  /** The kernel fault that is its sticky error, if there was one. */
  fault: ExecFault | undefined;
  readonly modules = new Map<number, Module>();
  readonly functions = new Map<number, KernelFunction>();
  /** Streams made by STREAM_CREATE, events, graphs, pools … by handle. */
  readonly resources = new Map<number, Resource>();
  /** Texture and surface objects, by the offset of their descriptor. */
  readonly textures = new Map<number, object>();
  /** Limits that were set (cudaLimit → value). */
  readonly limits = new Map<number, number>();
  /** The device's own pool as this context sees it, made at first use. */
  defaultPool: MemoryPool | undefined;
  /** Where MEMORY_ALLOC_ASYNC takes from; undefined: the default pool. */
  currentPool: MemoryPool | undefined;
  /** Allocations of graphs' nodes. */
  readonly graphMemory = new Set<Allocation>();
  /** Their account, made at first use. */
  graphAccount: GraphAccount | undefined;
  /** Ordinals of the devices whose memory its kernels may use (cudaDeviceEnablePeerAccess). */
  readonly peers = new Set<number>();
  /** What kernels printed and which faults they had, not yet handed to a host thread. */
  readonly output: ContextOutput;
  readonly legacy: Stream;
  readonly scheduler: Scheduler;
  readonly #perThread = new Map<number, Stream>();
  readonly #newStreamId: () => number;

  /**
   * @param handle of the context
   * @param ordinal of its device
   * @param primary shared by the openers of the device
   * @param newStreamId gives numbers that no other stream of the machine has
   * @param waiters the device's
   */
  constructor(
    handle: number,
    ordinal: number,
    primary: boolean,
    flags: number,
    newStreamId: () => number,
    waiters: WaiterList,
  ) {
    this.handle = handle;
    this.ordinal = ordinal;
    this.primary = primary;
    this.flags = flags;
    this.#newStreamId = newStreamId;
    this.output = new ContextOutput(handle);
    this.legacy = new Stream(this, STREAM_LEGACY, newStreamId(), true, false, 0);
    this.scheduler = new Scheduler(this.legacy, waiters);
  }

  /** The sticky error, or cudaSuccess. */
  get error(): number {
    return this.scheduler.error;
  }

  /**
   * @param handle from a request
   * @param thread the caller's, which names its per-thread default stream
   * @returns the stream, or undefined if there is none of that handle
   */
  stream(handle: number, thread: number): Stream | undefined {
    if (handle === STREAM_DEFAULT || handle === STREAM_LEGACY) return this.legacy;
    if (handle === STREAM_PER_THREAD) {
      let stream = this.#perThread.get(thread);
      if (stream === undefined) {
        stream = new Stream(this, STREAM_PER_THREAD, this.#newStreamId(), false, false, 0);
        this.#perThread.set(thread, stream);
      }
      return stream;
    }
    const resource = this.resources.get(handle);
    return resource instanceof Stream ? resource : undefined;
  }

  /** All streams that are not the caller's to destroy, and all that are. */
  streams(): Stream[] {
    const made = [...this.resources.values()].filter((resource) => resource instanceof Stream);
    return [this.legacy, ...this.#perThread.values(), ...made];
  }

  /**
   * A kernel failed: the context's work is dropped and every later request gets the error.
   * @param fault what the executor found
   */
  fail(fault: ExecFault): void {
    if (this.error !== cudaSuccess) return;
    this.fault = fault;
    this.scheduler.error = fault.code;
  }
}
