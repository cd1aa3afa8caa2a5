/** What the device tells a host thread on its event queue, in the order in which it happened. */

import {
  EVENT_BYTES,
  EVENT_CONTEXT,
  EVENT_HEADER_SIZE,
  EVENT_KIND,
  EVENT_PRINT,
  EVENT_VALUE,
} from "../protocol/definitions.ts";
import type { DeviceQueue } from "../virtio/index.ts";
import { iovFromBuf, iovSize, virtioNotify, virtqueuePop, virtqueuePush } from "../virtio/index.ts";

/** One event; a print longer than a buffer is cut into several. */
export interface HostEvent {
  readonly kind: number;
  readonly context: number;
  readonly value: number;
  readonly bytes: Uint8Array;
}

/** The events on their way to one host thread. */
export class Outbox {
  readonly #header = new DataView(new ArrayBuffer(EVENT_HEADER_SIZE));
  readonly #headerBytes = new Uint8Array(this.#header.buffer);
  #events: HostEvent[] = [];
  /** Bytes of the first event that went out already. */
  #sent = 0;
  /** Called when the last event went out. */
  #whenEmpty: (() => void)[] = [];

  get empty(): boolean {
    return this.#events.length === 0;
  }

  push(event: HostEvent): void {
    this.#events.push(event);
  }

  /** Calls back when all events that are in the box now were delivered. */
  afterDelivery(callback: () => void): void {
    if (this.empty) callback();
    else this.#whenEmpty.push(callback);
  }

  /** Throws everything away (no driver listens): those who wait are called. */
  clear(): void {
    this.#events = [];
    this.#sent = 0;
    this.#done();
  }

  /**
   * Fills the buffers that the driver has offered.
   * @param queue the event queue; undefined if the driver has set none up, then events are lost
   */
  flush(queue: DeviceQueue | undefined): void {
    if (this.empty) return;
    if (queue === undefined) {
      this.clear();
      return;
    }
    let pushed = false;
    while (this.#events.length > 0) {
      const element = virtqueuePop(queue);
      if (element === undefined) break;
      const room = iovSize(element.in) - EVENT_HEADER_SIZE;
      pushed = true;
      if (room <= 0) {
        // Too small for any event: given back empty, as virtio 1.3 §2.7.8.2 allows.
        virtqueuePush(queue, element, 0);
        continue;
      }
      const event = this.#events[0]!;
      // Only text may come in pieces; other events that don't fit lose their tail.
      const bytes = Math.min(room, event.bytes.length - this.#sent);
      const end = event.kind === EVENT_PRINT ? this.#sent + bytes : event.bytes.length;
      this.#header.setUint32(EVENT_KIND, event.kind, true);
      this.#header.setUint32(EVENT_CONTEXT, event.context, true);
      this.#header.setUint32(EVENT_BYTES, bytes, true);
      this.#header.setUint32(EVENT_VALUE, event.value, true);
      iovFromBuf(element.in, 0, this.#headerBytes, EVENT_HEADER_SIZE);
      const part = event.bytes.subarray(this.#sent, this.#sent + bytes);
      iovFromBuf(element.in, EVENT_HEADER_SIZE, part, bytes);
      virtqueuePush(queue, element, EVENT_HEADER_SIZE + bytes);
      if (end >= event.bytes.length) {
        this.#events.shift();
        this.#sent = 0;
      } else {
        this.#sent = end;
      }
    }
    if (pushed) virtioNotify(queue);
    if (this.empty) this.#done();
  }

  #done(): void {
    const waiting = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const callback of waiting) callback();
  }
}
