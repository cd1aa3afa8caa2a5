/**
 * Streams: work in order within one, with CUDA's rules between them (CUDA Runtime API, "Stream
 * synchronization behavior"): the legacy default stream waits for all work in blocking streams and
 * they for it; non-blocking streams wait for nothing but events.
 */
import { cudaSuccess } from "../protocol/errors.ts";
import { STREAM_PRIORITY_GREATEST, STREAM_PRIORITY_LEAST } from "../protocol/streams.ts";
import type { Capture } from "./capture.ts";
import type { Context } from "./context.ts";

/** What `Work.run` answers: finished; `Scheduler.finish` will be called for the stream; to be run again. */
export const WORK_DONE = 0;
export const WORK_RUNNING = 1;
export const WORK_AGAIN = 2;

/** A piece of work: a launch, a copy, a fill, an event … It runs when its turn in a stream comes. */
export interface Work {
  /** Does it, starts it, or does a part of it. @returns WORK_DONE, WORK_RUNNING or WORK_AGAIN */
  run(stream: Stream): number;
  /** Runs even when the context has failed. */
  readonly always?: boolean;
  /** Points that it waits for besides what is before it in its stream. */
  readonly waits?: readonly Ticket[];
  /** Called when it has its place in a stream. */
  enqueued?(ticket: Ticket): void;
  /** Called once when it is over or was dropped because the context had failed. */
  release?(): void;
}

/** A point in a stream: reached when `number` operations of it are complete. */
export interface Ticket {
  readonly stream: Stream;
  readonly number: number;
}

/** Someone who waits for points in streams: a request that was not answered yet. */
export interface Waiter {
  readonly tickets: readonly Ticket[];
  /** @param error cudaSuccess, or the context's sticky error */
  done(error: number): void;
}

interface Operation {
  readonly work: Work;
  readonly sequence: number;
  readonly waits: readonly Ticket[] | undefined;
}

const NO_TICKETS: readonly Ticket[] = [];

/** @returns true when all the points were reached */
export function reached(tickets: readonly Ticket[]): boolean {
  for (const ticket of tickets) {
    if (ticket.stream.completed < ticket.number) return false;
  }
  return true;
}

/** A stream of a context. */
export class Stream {
  readonly context: Context;
  readonly handle: number;
  /** cudaStreamNonBlocking was asked for. */
  readonly nonBlocking: boolean;
  /** The legacy default stream of its context. */
  readonly legacy: boolean;
  /** Lower runs first, as in CUDA. */
  priority: number;
  /** What was said of it and has no effect (STREAM_ATTRIBUTE). */
  hints: Map<number, Uint8Array> = new Map();
  /** Operations ever given to it and ever finished in it. */
  enqueued = 0;
  completed = 0;
  /** Number of the stream among all of the machine's (cudaStreamGetId). */
  readonly id: number;
  readonly operations: Operation[] = [];
  running = false;
  /** Points that the next operation has to wait for (cudaStreamWaitEvent). */
  barrier: readonly Ticket[] = NO_TICKETS;
  /** The capture that it takes part in, if any. */
  capture: Capture | undefined;

  constructor(
    context: Context,
    handle: number,
    id: number,
    legacy: boolean,
    nonBlocking: boolean,
    priority: number,
  ) {
    this.context = context;
    this.handle = handle;
    this.id = id;
    this.legacy = legacy;
    this.nonBlocking = nonBlocking;
    this.priority = priority;
  }

  get idle(): boolean {
    return this.completed === this.enqueued;
  }

  /** The point after everything that is in the stream now. */
  tail(): Ticket {
    return { stream: this, number: this.enqueued };
  }
}

/**
 * All that waits on a device. One list for all contexts, because an event of one may be waited for
 * in another.
 */
export class WaiterList {
  #waiters: { readonly waiter: Waiter; readonly scheduler: Scheduler }[] = [];

  add(waiter: Waiter, scheduler: Scheduler): void {
    this.#waiters.push({ waiter, scheduler });
  }

  /** Calls those whose points are reached. Called when work has ended. */
  wake(): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter(({ waiter }) => reached(waiter.tickets));
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((each) => !ready.includes(each));
    for (const { waiter, scheduler } of ready) waiter.done(scheduler.error);
  }
}

/** A priority that a stream can have: the nearest one. */
export function clampPriority(priority: number): number {
  return Math.max(STREAM_PRIORITY_GREATEST, Math.min(STREAM_PRIORITY_LEAST, priority));
}

/** The streams of one context and the order in which their work runs. */
export class Scheduler {
  readonly legacy: Stream;
  /** Operations given and not finished, over all streams. */
  pending = 0;
  /** The sticky error of the context; from then on work is dropped, not run. */
  error: number = cudaSuccess;
  #sequence = 0;
  /** Streams with unfinished operations. */
  readonly #active: Stream[] = [];
  readonly #waiters: WaiterList;

  /**
   * @param legacy the context's legacy default stream
   * @param waiters the device's
   */
  constructor(legacy: Stream, waiters: WaiterList) {
    this.legacy = legacy;
    this.#waiters = waiters;
  }

  /** @returns true if work given to the stream now would have nothing to wait for */
  isFree(stream: Stream): boolean {
    if (this.pending === 0 && stream.barrier.length === 0) return true;
    return stream.idle && reached(stream.barrier) && reached(this.#dependencies(stream));
  }

  /**
   * Puts work at a stream's end.
   * @returns its point in the stream
   */
  enqueue(stream: Stream, work: Work): Ticket {
    let waits: readonly Ticket[] | undefined;
    if (this.pending > 0) waits = this.#dependencies(stream);
    if (stream.barrier.length > 0) {
      // Events of another context may be among these, so they count even if nothing is pending.
      waits = waits ? [...stream.barrier, ...waits] : stream.barrier;
      stream.barrier = NO_TICKETS;
    }
    if (work.waits) waits = waits ? [...work.waits, ...waits] : work.waits;
    if (stream.idle) this.#active.push(stream);
    stream.operations.push({ work, sequence: ++this.#sequence, waits });
    stream.enqueued++;
    this.pending++;
    const ticket = stream.tail();
    work.enqueued?.(ticket);
    return ticket;
  }

  /** Makes the stream's next work wait for points in other streams too. */
  addBarrier(stream: Stream, tickets: readonly Ticket[]): void {
    if (!reached(tickets)) stream.barrier = [...stream.barrier, ...tickets];
  }

  /** Points after all work that is in the context's streams now. */
  tails(): Ticket[] {
    return this.#active.map((stream) => stream.tail());
  }

  /** What a request that synchronises with the stream has to wait for. */
  tailOf(stream: Stream): Ticket[] {
    const tickets = [...stream.barrier];
    if (stream.legacy) tickets.push(...this.#dependencies(stream));
    if (!stream.idle) tickets.push(stream.tail());
    return tickets;
  }

  /** Calls `waiter.done` once its points are reached: at once, if they are. */
  wait(waiter: Waiter): void {
    if (reached(waiter.tickets)) waiter.done(this.error);
    else this.#waiters.add(waiter, this);
  }

  /**
   * Runs one operation that can run.
   * @returns false if there is none
   */
  step(): boolean {
    const stream = this.#next();
    if (stream === undefined) return false;
    const operation = stream.operations[0]!;
    if (this.error === cudaSuccess || operation.work.always) {
      stream.running = true;
      const result = operation.work.run(stream);
      if (result === WORK_RUNNING) return true;
      if (result === WORK_AGAIN) {
        stream.running = false;
        return true;
      }
    }
    this.finish(stream);
    return true;
  }

  /** The operation at the stream's front is over. */
  finish(stream: Stream): void {
    const operation = stream.operations.shift()!;
    stream.running = false;
    stream.completed++;
    this.pending--;
    if (stream.operations.length === 0) this.#active.splice(this.#active.indexOf(stream), 1);
    operation.work.release?.();
    this.#waiters.wake();
  }

  /** Drops everything: running work too. Waiters are told the error. */
  abandon(error: number): void {
    this.error = error;
    while (this.#active.length > 0) this.finish(this.#active[0]!);
  }

  #next(): Stream | undefined {
    let best: Stream | undefined;
    for (const stream of this.#active) {
      if (stream.running) continue;
      const head = stream.operations[0]!;
      if (head.waits && this.error === cudaSuccess && !reached(head.waits)) continue;
      if (
        best === undefined ||
        stream.priority < best.priority ||
        (stream.priority === best.priority && head.sequence < best.operations[0]!.sequence)
      ) {
        best = stream;
      }
    }
    return best;
  }

  /** The rule between the legacy default stream and the blocking ones. */
  #dependencies(stream: Stream): readonly Ticket[] {
    if (stream.legacy) {
      const others = this.#active.filter((other) => other !== stream && !other.nonBlocking);
      return others.length > 0 ? others.map((other) => other.tail()) : NO_TICKETS;
    }
    if (stream.nonBlocking || this.legacy.idle) return NO_TICKETS;
    return [this.legacy.tail()];
  }
}
