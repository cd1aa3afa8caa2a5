/** Queue groups: the three virtqueues of one host thread and what belongs to that thread. */
import type { DeviceQueue } from "../virtio/index.ts";
import { Outbox } from "./events.ts";
import type { Stream } from "./stream.ts";

/** Threads of a group that are known to be copying. */
const MAX_COPYING = 64;

/** One group; it is replaced by a new one when its queues are reset. */
export class QueueGroup {
  readonly index: number;
  control: DeviceQueue | undefined;
  event: DeviceQueue | undefined;
  stream: DeviceQueue | undefined;
  readonly outbox = new Outbox();
  /** START was sent and STOP was not. */
  started = false;
  /** The process that START named. */
  process = 0;
  /** Contexts that this group retained, by handle, and how often. */
  readonly retained = new Map<number, number>();
  /** Host functions that this thread was asked to call and has not reported done, by ticket. */
  readonly hostCalls = new Map<number, Stream>();
  /** Host threads that were told to move bytes into device memory, and have sent nothing since. */
  readonly #copying = new Set<number>();
  /** The queues are gone: nothing may be answered on them any more. */
  reset = false;

  /** @param index of the group, from 0 */
  constructor(index: number) {
    this.index = index;
  }

  /** Whether its threads may be writing to device memory now, by copies of theirs. */
  get writes(): boolean {
    return this.#copying.size > 0 || this.hostCalls.size > 0;
  }

  /** A thread is told to move bytes into device memory. */
  beginCopy(thread: number): void {
    // Of a guest that has no end of threads not each can be known: one is copying from then on.
    this.#copying.add(this.#copying.size < MAX_COPYING ? thread : -1);
  }

  /** A thread has sent a request: it has moved what it was told to. */
  endCopy(thread: number): void {
    if (this.#copying.size > 0) this.#copying.delete(thread);
  }
}
