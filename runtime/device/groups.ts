/** Queue groups: the three virtqueues of one host thread and what belongs to that thread. */
import type { DeviceQueue } from "../virtio/index.ts";
import { Outbox } from "./events.ts";
import type { Stream } from "./stream.ts";

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
  /** The queues are gone: nothing may be answered on them any more. */
  reset = false;

  /** @param index of the group, from 0 */
  constructor(index: number) {
    this.index = index;
  }
}
