/**
 * The vGPUs of a machine, one or more: their state, their queues, and the loop that runs queued work.
 * Requests are served in serve.ts, contexts come and go in contexts.ts; transport (status, features,
 * config space) is in virtio-gpu.ts.
 */
import type { ExecHost, Executor } from "../exec/index.ts";
import { type GuestMemory, Heap } from "../memory/index.ts";
import * as P from "../protocol/definitions.ts";
import { cudaErrorInvalidValue } from "../protocol/errors.ts";
import type { DeviceQueue } from "../virtio/index.ts";
import { virtqueuePopRequest } from "../virtio/index.ts";
import { AllocationTable } from "./allocations.ts";
import { type Answer, Call, LATER } from "./call.ts";
import type { Capture } from "./capture.ts";
import { COMMANDS } from "./commands/index.ts";
import type { ConditionValues } from "./conditional.ts";
import type { Context } from "./context.ts";
import { emptyContext, stopGroup } from "./contexts.ts";
import { QueueGroup } from "./groups.ts";
import type { LaunchPool } from "./launch.ts";
import { createLaunchPool } from "./launch.ts";
import type { Module } from "./module.ts";
import { MemoryPool } from "./pool.ts";
import { DeviceAttributes, type DeviceDescription } from "./properties.ts";
import { serve } from "./serve.ts";
import { RecordedRequest, recordedCommand } from "./source.ts";
import { Stream, type Ticket, WaiterList, type Work } from "./stream.ts";

/** Printed bytes that a context keeps; then they are handed to the host without being asked for. */
const OUTPUT_LIMIT = 1 << 20;

/** What a device is made of. */
export interface DeviceOptions {
  readonly memory: GuestMemory;
  readonly description: DeviceDescription;
  /** Makes the executor that runs this device's kernels. */
  readonly executor: (host: ExecHost) => Executor;
  /** Called when a kernel starts, with its name, and when it has ended. */
  readonly onKernel?: (name: string | undefined) => void;
}

/** The device's state and its work loop. */
export class Device {
  readonly memory: GuestMemory;
  readonly description: DeviceDescription;
  /** What each device is, by its ordinal. */
  readonly devices: readonly DeviceAttributes[];
  readonly allocations: AllocationTable;
  readonly executor: Executor;
  readonly launches: LaunchPool;
  readonly contexts = new Map<number, Context>();
  readonly groups: QueueGroup[] = [];
  /** Captures that have begun and not ended. */
  readonly captures = new Set<Capture>();
  /** The context whose work runs now: what it prints, and what it allocates, belongs to it. */
  current: Context | undefined;
  /** What kernels that run now set as conditions of their graph's launch. */
  conditions: ConditionValues | undefined;
  readonly timeoutMs: number;
  /** The primary context of each device, once it was needed. */
  readonly primaries: (Context | undefined)[] = [];
  /** Requests that wait for points in streams of any context. */
  readonly waiters = new WaiterList();
  #handle = P.FIRST_HANDLE;
  #streamId = 0;
  readonly #call = new Call();

  /** @param options memory, description and executor */
  constructor(options: DeviceOptions) {
    const { memory } = options;
    this.memory = memory;
    const region = memory.map.deviceMemory;
    const heap = new Heap(region.start, region.size, 256, (end) => memory.ensure(end));
    this.description = options.description;
    const count = options.description.devices ?? 1;
    this.devices = Array.from(
      { length: count },
      (_, i) => new DeviceAttributes(this.description, i),
    );
    this.allocations = new AllocationTable(memory, heap, count);
    this.timeoutMs = options.description.timeoutMs;
    for (let i = 0; i < P.MAX_QUEUE_GROUPS; i++) this.groups.push(new QueueGroup(i));
    this.launches = createLaunchPool(this);
    this.executor = options.executor({
      memory,
      allocDevice: (bytes, align, managed) => {
        const owner = { ordinal: this.current?.ordinal ?? 0, handle: 0 };
        const kind = managed ? P.MEMORY_MANAGED : P.MEMORY_DEVICE;
        return this.allocations.alloc(bytes, kind, 0, owner, true, align)?.offset ?? 0;
      },
      freeDevice: (offset) => {
        const entry = this.allocations.at(memory.pointerOf(offset));
        if (entry) this.allocations.release(entry);
      },
      hostWrites: () =>
        this.groups.some((g) => g.writes) ? undefined : this.allocations.hostRange,
      print: (text) => this.#print(text),
      setCondition: (condition, value) => {
        if (this.conditions?.has(condition)) this.conditions.set(condition, value);
      },
      ...(options.onKernel ? { running: options.onKernel } : {}),
    });
  }

  /** Groups that sent START and not STOP. */
  get openCount(): number {
    return this.groups.filter((group) => group.started).length;
  }

  /** A handle that nothing else of this device has or had. */
  newHandle(): number {
    return this.#handle++;
  }

  /**
   * What a handle names in any context of the device (events may be waited for across contexts).
   * @returns the resource if it is of the given kind
   */
  resource<T extends object>(
    handle: number,
    kind: abstract new (...args: never[]) => T,
  ): T | undefined {
    for (const context of this.contexts.values()) {
      const found = context.resources.get(handle);
      if (found !== undefined) return found instanceof kind ? found : undefined;
    }
    return undefined;
  }

  /**
   * What a handle names for a context: something of its own, or of the primary context of another device.
   * @returns the resource if it is of the given kind
   */
  visible<T extends object>(
    context: Context,
    handle: number,
    kind: abstract new (...args: never[]) => T,
  ): T | undefined {
    const own = context.resources.get(handle);
    if (own !== undefined) return own instanceof kind ? own : undefined;
    for (const other of this.primaries) {
      if (other === undefined || other.ordinal === context.ordinal) continue;
      const found = other.resources.get(handle);
      if (found !== undefined) return found instanceof kind ? found : undefined;
    }
    return undefined;
  }

  /** The stream of a handle, as a thread of a context has it: its own, or another device's. */
  streamOf(context: Context, handle: number, thread: number): Stream | undefined {
    return context.stream(handle, thread) ?? this.visible(context, handle, Stream);
  }

  /** The module of a handle, in any context. */
  module(handle: number): Module | undefined {
    for (const { modules } of this.contexts.values()) {
      const found = modules.get(handle);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Points after all work that is in any context now: then nobody uses what is there. */
  tails(): Ticket[] {
    return [...this.contexts.values()].flatMap((context) => context.scheduler.tails());
  }

  /** Takes a handle out of use. */
  forget(handle: number): void {
    for (const context of this.contexts.values()) context.resources.delete(handle);
  }

  /** The pool that a context's stream-ordered allocations come from unless it says otherwise. */
  defaultPool(context: Context): MemoryPool {
    if (context.defaultPool === undefined) {
      context.defaultPool = new MemoryPool(context, this.newHandle(), 0, true);
      context.resources.set(context.defaultPool.handle, context.defaultPool);
    }
    return context.defaultPool;
  }

  /**
   * Turns a recorded request into work.
   * @returns the work, or a cudaError_t
   */
  prepareRecorded(context: Context, group: QueueGroup, request: Uint8Array): Work | number {
    const prepare = COMMANDS[recordedCommand(request)]?.prepare;
    if (prepare === undefined) return cudaErrorInvalidValue;
    return prepare(this, new RecordedRequest(this.memory, context, group, request));
  }

  readonly newStreamId = (): number => ++this.#streamId;

  // ── queues ────────────────────────────────────────────────────────────────────────────────

  /** Takes over a queue that the driver has set up. */
  attachQueue(index: number, queue: DeviceQueue): void {
    const group = this.groups[Math.floor(index / P.QUEUES_PER_GROUP)]!;
    const role = index % P.QUEUES_PER_GROUP;
    if (role === P.QUEUE_CONTROL) group.control = queue;
    else if (role === P.QUEUE_EVENT) group.event = queue;
    else group.stream = queue;
  }

  /** A queue was reset: its group stops and everything that waits for it is forgotten. */
  detachQueue(index: number): void {
    const at = Math.floor(index / P.QUEUES_PER_GROUP);
    const group = this.groups[at]!;
    const role = index % P.QUEUES_PER_GROUP;
    if (role === P.QUEUE_EVENT) {
      group.event = undefined;
      group.outbox.clear();
      return;
    }
    group.reset = true;
    stopGroup(this, group);
    const next = new QueueGroup(at);
    next.event = group.event;
    if (role === P.QUEUE_CONTROL) next.stream = group.stream;
    else next.control = group.control;
    this.groups[at] = next;
  }

  /** Device reset: no guest owns anything any more. */
  reset(): void {
    for (const group of this.groups) {
      group.reset = true;
      group.outbox.clear();
    }
    for (const context of this.contexts.values()) emptyContext(this, context);
    this.contexts.clear();
    this.primaries.length = 0;
    for (let i = 0; i < this.groups.length; i++) this.groups[i] = new QueueGroup(i);
  }

  /**
   * The driver's notification (a kick): takes what is in the queue.
   * @param index of the virtqueue
   * @returns true if there was anything
   */
  processQueue(index: number): boolean {
    const group = this.groups[Math.floor(index / P.QUEUES_PER_GROUP)]!;
    const role = index % P.QUEUES_PER_GROUP;
    if (role === P.QUEUE_EVENT) {
      group.outbox.flush(group.event);
      return false;
    }
    const queue = role === P.QUEUE_CONTROL ? group.control : group.stream;
    if (queue === undefined) return false;
    let any = false;
    for (;;) {
      const element = virtqueuePopRequest(queue, P.REQUEST_SIZE);
      if (element === undefined) return any;
      any = true;
      const call = this.#call;
      call.group = group;
      call.queue = queue;
      call.element = element;
      call.request = queue.header;
      call.response = queue.response;
      serve(this, call, role === P.QUEUE_STREAM);
      if (group.reset) return true;
    }
  }

  /** Runs queued work until none can go on. */
  run(): void {
    while (this.step());
  }

  /** Runs one piece of work. @returns false if none can run */
  step(): boolean {
    for (const context of this.contexts.values()) {
      if (context.scheduler.pending === 0) continue;
      this.current = context;
      if (context.scheduler.step()) return true;
    }
    return false;
  }

  // ── answers that come later ───────────────────────────────────────────────────────────────

  /**
   * Answers a request when points in streams are reached; the context's sticky error counts.
   * @param tickets the points, by default all work of the context
   * @param then runs just before the answer, whatever became of the work
   * @returns LATER
   */
  whenDone(
    call: Call,
    context: Context,
    then?: () => void,
    tickets: readonly Ticket[] = context.scheduler.tails(),
  ): number {
    if (tickets.length === 0) {
      // What `then` ends may have something to say still.
      if (then) this.deliver(context, call.group);
      then?.();
      return context.error;
    }
    const answer = call.later();
    context.scheduler.wait({
      tickets,
      done: (error) => {
        this.deliver(context, answer.group);
        then?.();
        this.answer(answer, error, context);
      },
    });
    return LATER;
  }

  /** Sends a late answer after all that the context has printed. */
  answer(answer: Answer, error: number, context: Context): void {
    this.deliver(context, answer.group);
    answer.group.outbox.afterDelivery(() => answer.send(error));
  }

  /** Hands what the context has printed to a host thread. */
  deliver(context: Context, group: QueueGroup): void {
    if (context.output.empty) return;
    for (const event of context.output.take()) group.outbox.push(event);
    group.outbox.flush(group.event);
  }

  #print(text: Uint8Array): void {
    const context = this.current;
    if (context === undefined) return;
    context.output.print(text);
    // Not more than one group at a time is spoken to, or the text would get out of order.
    if (context.output.bytes > OUTPUT_LIMIT) {
      const group = this.groups.find((candidate) => candidate.retained.has(context.handle));
      if (group?.outbox.empty) this.deliver(context, group);
    }
  }
}
