/**
 * The vGPUs of a machine, one or more: it takes requests from its queues, keeps contexts and their work in order, and hands
 * kernels to the executor. Transport (status, features, config space) is in virtio-gpu.ts.
 */
import type { ExecHost, Executor } from "../exec/index.ts";
import { type GuestMemory, Heap } from "../memory/index.ts";
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
import type { DeviceQueue } from "../virtio/index.ts";
import {
  iovSize,
  virtioNotify,
  virtqueuePopRequest,
  virtqueuePush,
  virtqueuePushResponse,
} from "../virtio/index.ts";
import { AllocationTable } from "./allocations.ts";
import { type Answer, Call, LATER } from "./call.ts";
import { type Capture, intercept } from "./capture.ts";
import { COMMANDS } from "./commands/index.ts";
import type { ConditionValues } from "./conditional.ts";
import { Context } from "./context.ts";
import { QueueGroup } from "./groups.ts";
import type { LaunchPool } from "./launch.ts";
import { createLaunchPool } from "./launch.ts";
import { type Module, unloadModule } from "./module.ts";
import { MemoryPool } from "./pool.ts";
import { DeviceAttributes, type DeviceDescription } from "./properties.ts";
import { RecordedRequest, recordedCommand } from "./source.ts";
import { Stream, type Ticket, WaiterList, type Work } from "./stream.ts";
import type { Command } from "./table.ts";

/** Printed bytes that a context keeps; then they are handed to the host without being asked for. */
const OUTPUT_LIMIT = 1 << 20;

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
  readonly #primary: (Context | undefined)[] = [];
  #handle = P.FIRST_HANDLE;
  #streamId = 0;
  readonly #call = new Call();
  readonly #waiters = new WaiterList();

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
    for (const other of this.#primary) {
      if (other === undefined || other.ordinal === context.ordinal) continue;
      const found = other.resources.get(handle);
      if (found !== undefined) return found instanceof kind ? found : undefined;
    }
    return undefined;
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
    this.stopGroup(group);
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
    for (const context of this.contexts.values()) this.emptyContext(context);
    this.contexts.clear();
    this.#primary.length = 0;
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
      this.#serve(call, role === P.QUEUE_STREAM);
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

  #serve(call: Call, fromStreamQueue: boolean): void {
    const { element, response } = call;
    if (iovSize(element.in) < P.RESPONSE_HEADER_SIZE) {
      // Nowhere to put even an error: given back with nothing written.
      virtqueuePush(call.queue, element, 0);
      virtioNotify(call.queue);
      return;
    }
    response.setUint32(P.RESPONSE_ERROR, 0, true);
    response.setUint32(P.RESPONSE_DETAIL, 0, true);
    call.responseBytes = P.RESPONSE_HEADER_SIZE;
    const command = COMMANDS[call.u32(P.REQUEST_COMMAND)];
    const refused = this.#refusal(call, command !== undefined, fromStreamQueue);
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
      context = this.#contextOf(call, command);
      if (context === undefined) {
        error = cudaErrorDeviceUninitialized;
      } else {
        call.context = context;
        if (!command.afterFault) error = context.error;
        if (error === cudaSuccess) error = overLimit(context, command);
      }
    }
    if (error === cudaSuccess) {
      const capturing = context !== undefined && this.captures.size > 0;
      error = (capturing ? intercept(this, call, command) : undefined) ?? command.run(this, call);
    }
    if (error === LATER) return;
    if (command.synchronizes && context && !(context.output.empty && call.group.outbox.empty)) {
      this.answer(call.later(), error, context);
      return;
    }
    response.setUint32(P.RESPONSE_ERROR, error, true);
    if (call.responseBytes === command.responseBytes) {
      virtqueuePushResponse(element, command.responseBytes);
    } else {
      this.#pushLong(call, command.responseBytes);
    }
  }

  /** The context that a request is for: that of its stream, if the stream is another device's. */
  #contextOf(call: Call, command: Command): Context | undefined {
    const context = this.contexts.get(call.contextHandle);
    if (context === undefined || command.ownStream || this.devices.length === 1) return context;
    const handle = call.u32(P.REQUEST_STREAM);
    if (handle < P.FIRST_HANDLE) return context;
    return this.visible(context, handle, Stream)?.context ?? context;
  }

  /** The response has a variable part, which is in the guest's buffers already. */
  #pushLong(call: Call, fixed: number): void {
    const total = call.responseBytes;
    call.responseBytes = 0;
    call.writeOutput(call.queue.response.byteOffset, fixed);
    virtqueuePush(call.queue, call.element, total);
    virtioNotify(call.queue);
  }

  /** Why a request is not even looked at (DETAIL_*). */
  #refusal(call: Call, known: boolean, fromStreamQueue: boolean): number {
    if (call.element.headerLength < P.REQUEST_SIZE) return P.DETAIL_SHORT_REQUEST;
    if (!known) return P.DETAIL_UNKNOWN_COMMAND;
    const command = COMMANDS[call.u32(P.REQUEST_COMMAND)]!;
    if (iovSize(call.element.in) < command.responseBytes) return P.DETAIL_SHORT_RESPONSE;
    if (fromStreamQueue && !command.streamQueue) return P.DETAIL_WRONG_QUEUE;
    if (!call.group.started && !command.beforeStart) return P.DETAIL_NOT_STARTED;
    return P.DETAIL_NONE;
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

  // ── contexts ──────────────────────────────────────────────────────────────────────────────

  /**
   * CONTEXT_CREATE: the primary context of a device, made if need be, or a new one; counted for the
   * group.
   */
  retainContext(group: QueueGroup, ordinal: number, flags: number): Context {
    const primary = (flags & P.CONTEXT_PRIMARY) !== 0;
    let context = primary ? this.#primary[ordinal] : undefined;
    if (context === undefined) {
      const own = flags & ~P.CONTEXT_PRIMARY;
      const handle = this.newHandle();
      context = new Context(handle, ordinal, primary, own, this.newStreamId, this.#waiters);
      this.contexts.set(context.handle, context);
      if (primary) this.#primary[ordinal] = context;
    }
    context.users++;
    group.retained.set(context.handle, (group.retained.get(context.handle) ?? 0) + 1);
    return context;
  }

  /** Takes back one of the group's holds; the last one of all destroys the context. */
  releaseContext(group: QueueGroup, context: Context): void {
    const held = group.retained.get(context.handle) ?? 0;
    if (held > 1) group.retained.set(context.handle, held - 1);
    else group.retained.delete(context.handle);
    if (held === 0 || --context.users > 0) return;
    this.emptyContext(context);
    this.contexts.delete(context.handle);
    if (this.#primary[context.ordinal] === context) this.#primary[context.ordinal] = undefined;
  }

  /** Drops all work, modules and memory of a context and forgets its fault (cudaDeviceReset). */
  emptyContext(context: Context): void {
    context.scheduler.abandon(context.error);
    for (const module of context.modules.values()) unloadModule(module);
    context.modules.clear();
    context.functions.clear();
    context.resources.clear();
    for (const entry of this.allocations.of(context.handle)) this.allocations.release(entry);
    context.textures.clear();
    context.limits.clear();
    for (const capture of this.captures) if (capture.leave(context)) this.captures.delete(capture);
    context.peers.clear();
    for (const other of this.contexts.values()) {
      if (context.primary) other.peers.delete(context.ordinal);
    }
    context.graphMemory.clear();
    context.graphAccount = undefined;
    context.defaultPool = undefined;
    context.currentPool = undefined;
    context.output.clear();
    context.fault = undefined;
    context.scheduler.error = cudaSuccess;
  }

  /** STOP, or the group's queues are gone: releases all that the group holds. */
  stopGroup(group: QueueGroup): void {
    group.started = false;
    // Nobody will call these functions any more; their streams go on.
    for (const { context, stream } of group.hostCalls.values()) {
      if (stream.running) context.scheduler.finish(stream);
    }
    group.hostCalls.clear();
    for (const [handle, count] of [...group.retained]) {
      const context = this.contexts.get(handle);
      if (context === undefined) continue;
      if (!group.reset) this.deliver(context, group);
      for (let i = 0; i < count; i++) this.releaseContext(group, context);
    }
    group.retained.clear();
  }
}
