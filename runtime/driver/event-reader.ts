/** The driver's side of an event queue, on which the device speaks first. */
import type { GuestMemory } from "../memory/index.ts";
import * as P from "../protocol/definitions.ts";
import {
  type DriverQueue,
  virtqueueAddInbuf,
  virtqueueBreakDevice,
  virtqueueGetBuf,
  virtqueueKick,
} from "../virtio/index.ts";
import type { DmaPool } from "./dma.ts";

/** An event as the device wrote it. */
export interface DeviceEvent {
  readonly kind: number;
  readonly context: number;
  readonly value: number;
  readonly bytes: Uint8Array;
}

/** Keeps an event queue filled with buffers and reads what the device writes into them. */
export class EventReader {
  readonly #memory: GuestMemory;
  readonly #dma: DmaPool;
  /** Tokens are the buffers' addresses. */
  readonly #queue: DriverQueue<number>;

  /** @param dma where the buffers come from */
  constructor(memory: GuestMemory, dma: DmaPool, queue: DriverQueue<number>) {
    this.#memory = memory;
    this.#dma = dma;
    this.#queue = queue;
  }

  /** Offers as many buffers as the queue and guest RAM hold. */
  offer(): void {
    for (let i = 0; i < this.#queue.size; i++) {
      const address = this.#dma.alloc(P.EVENT_BUFFER_SIZE, 64);
      if (!address) break;
      virtqueueAddInbuf(this.#queue, [{ address, length: P.EVENT_BUFFER_SIZE }], address);
    }
    virtqueueKick(this.#queue);
  }

  /**
   * Hands on what the device has written, in order.
   * @returns true if there was anything
   */
  deliver(receive: (event: DeviceEvent) => void): boolean {
    const queue = this.#queue;
    let any = false;
    for (;;) {
      const address = virtqueueGetBuf(queue);
      if (address === undefined) return any;
      any = true;
      const event = this.#read(address, queue.usedLength);
      // The buffer goes back before the event is handed on: a callback may come here again.
      virtqueueAddInbuf(queue, [{ address, length: P.EVENT_BUFFER_SIZE }], address);
      virtqueueKick(queue);
      if (event !== undefined) receive(event);
    }
  }

  /** Gives up on the queue. */
  breakQueue(): void {
    virtqueueBreakDevice(this.#queue);
  }

  #read(address: number, used: number): DeviceEvent | undefined {
    if (used < P.EVENT_HEADER_SIZE) return undefined;
    const { view } = this.#memory;
    const said = view.getUint32(address + P.EVENT_BYTES, true);
    const bytes = Math.min(said, used - P.EVENT_HEADER_SIZE);
    return {
      kind: view.getUint32(address + P.EVENT_KIND, true),
      context: view.getUint32(address + P.EVENT_CONTEXT, true),
      value: view.getUint32(address + P.EVENT_VALUE, true),
      bytes: this.#memory.bytes(address + P.EVENT_HEADER_SIZE, bytes).slice(),
    };
  }
}
