/** Guest RAM that the driver gives to the device: request slots, and pages for what is longer. */
import { type GuestMemory, Heap, type Region } from "../memory/index.ts";
import { REQUEST_SIZE } from "../protocol/definitions.ts";
import { type Scatterlist, sgInitOne } from "../virtio/index.ts";

/** A slot's two halves: request with short data, response with short data. */
export const SLOT_OUT_BYTES = 4096;
export const SLOT_IN_BYTES = 4096;
const SLOT_BYTES = SLOT_OUT_BYTES + SLOT_IN_BYTES;
const PAGE = 4096;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One request in flight. Everything is made once, so that a request allocates nothing. */
export class Slot {
  readonly address: number;
  readonly request: Uint8Array;
  readonly requestWords: Uint32Array;
  readonly response: DataView;
  readonly responseBytes: Uint8Array;
  /** First elements of the scatterlists; `out` and `into` have more for long data. */
  readonly head: Mutable<Scatterlist>;
  readonly tail: Mutable<Scatterlist>;
  out: Scatterlist[];
  into: Scatterlist[];
  /** Long data, to be freed with the request. */
  pages: Scatterlist[] = [];
  /** The device has answered: bytes that it wrote, or -1. */
  used = -1;
  /** Nobody waits for it (any more); it goes back to the pool when the device lets go of it. */
  abandoned = false;
  /** A launch that was not waited for from the start. */
  launch = false;

  constructor(memory: GuestMemory, address: number) {
    this.address = address;
    this.request = memory.bytes(address, SLOT_OUT_BYTES);
    const { buffer } = this.request;
    this.requestWords = new Uint32Array(buffer, address, REQUEST_SIZE / 4);
    this.responseBytes = new Uint8Array(buffer, address + SLOT_OUT_BYTES, SLOT_IN_BYTES);
    this.response = new DataView(buffer, address + SLOT_OUT_BYTES, SLOT_IN_BYTES);
    this.head = sgInitOne(address, REQUEST_SIZE);
    this.tail = sgInitOne(address + SLOT_OUT_BYTES, SLOT_IN_BYTES);
    this.out = [this.head];
    this.into = [this.tail];
  }
}

/** The slots and pages of one host thread's share of guest RAM. */
export class DmaPool {
  readonly #memory: GuestMemory;
  readonly #heap: Heap;
  readonly #slots: Slot[] = [];

  /** @param region this thread's share of guest RAM, page-aligned */
  constructor(memory: GuestMemory, region: Region) {
    this.#memory = memory;
    this.#heap = new Heap(region.start, region.size, 64);
  }

  /** Bytes for a ring or the like; stays until the device is reset. @returns 0 if there are none */
  alloc(bytes: number, align: number): number {
    return this.#heap.alloc(bytes, align);
  }

  free(address: number): void {
    this.#heap.release(address);
  }

  /** @returns a slot, or undefined if guest RAM is exhausted */
  takeSlot(): Slot | undefined {
    const slot = this.#slots.pop();
    if (slot !== undefined) return slot;
    const address = this.#heap.alloc(SLOT_BYTES, PAGE);
    return address ? new Slot(this.#memory, address) : undefined;
  }

  giveSlot(slot: Slot): void {
    if (slot.pages.length > 0) {
      this.freePages(slot.pages);
      slot.pages = [];
      slot.out = [slot.head];
      slot.into = [slot.tail];
    }
    slot.used = -1;
    slot.abandoned = false;
    slot.launch = false;
    this.#slots.push(slot);
  }

  /**
   * Pages for long data, as few runs of adjacent ones as there are.
   * @param bytes how many
   * @param most elements of the list
   * @returns the scatterlist, in order, or undefined if guest RAM is exhausted
   */
  allocPages(bytes: number, most: number): Scatterlist[] | undefined {
    const list: Scatterlist[] = [];
    let left = bytes;
    let run = Math.ceil(bytes / PAGE) * PAGE;
    while (left > 0) {
      run = Math.min(run, Math.ceil(left / PAGE) * PAGE);
      const address = this.#heap.alloc(run, PAGE);
      if (address) {
        list.push(sgInitOne(address, Math.min(run, left)));
        left -= run;
      } else if (run > PAGE) {
        run = Math.ceil(run / 2 / PAGE) * PAGE;
      }
      if ((!address && run <= PAGE) || (list.length === most && left > 0)) {
        this.freePages(list);
        return undefined;
      }
    }
    return list;
  }

  freePages(list: readonly Scatterlist[]): void {
    for (const { address } of list) this.#heap.release(address);
  }
}
