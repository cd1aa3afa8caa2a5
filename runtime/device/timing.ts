/** Events: points in streams that can be waited for, and the times at which they were reached. */
import type { Capture } from "./capture.ts";
import type { Context } from "./context.ts";
import type { GraphNode } from "./graph.ts";
import { reached, type Ticket, WORK_DONE, type Work } from "./stream.ts";

/** One recording of an event. */
export interface EventRecord {
  readonly ticket: Ticket;
  /** Milliseconds of the device's clock, once reached. */
  time: number;
}

/** A CUDA event. */
export class DeviceEvent {
  readonly context: Context;
  readonly handle: number;
  readonly flags: number;
  /** The latest recording; undefined before the first. */
  record: EventRecord | undefined;

  /** Where it was recorded in a capture, if that was its latest recording. */
  captured: { readonly capture: Capture; readonly nodes: readonly GraphNode[] } | undefined;

  /**
   * @param context whose streams it can be recorded in
   * @param flags EVENT_BLOCKING_SYNC, EVENT_DISABLE_TIMING
   */
  constructor(context: Context, handle: number, flags: number) {
    this.context = context;
    this.handle = handle;
    this.flags = flags;
  }

  /** Was its latest recording reached? Also true if there was none (cudaEventQuery). */
  get reached(): boolean {
    return this.record === undefined || reached([this.record.ticket]);
  }
}

/** The device's clock, in milliseconds. */
export function now(): number {
  return performance.now();
}

/** The recording of an event as work: it notes the time. */
export class RecordWork implements Work {
  readonly #event: DeviceEvent;
  #record: EventRecord | undefined;

  constructor(event: DeviceEvent) {
    this.#event = event;
  }

  enqueued(ticket: Ticket): void {
    this.#record = { ticket, time: 0 };
    this.#event.record = this.#record;
  }

  run(): number {
    if (this.#record) this.#record.time = now();
    return WORK_DONE;
  }
}
