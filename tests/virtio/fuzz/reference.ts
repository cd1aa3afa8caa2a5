// What a pop must find, written from the standard in the plainest way, and independent of the core:
// the segments of the next chain or the reason why it is refused, and which bytes may be read.

import * as defs from "../../../runtime/virtio/defs.ts";
import type { GuestRegion } from "../../../runtime/virtio/index.ts";
import type { Shape } from "./generate.ts";

export interface Segment {
  readonly address: number;
  readonly length: number;
}

/** What a pop finds: a chain, nothing, or a reason to break. */
export type Found =
  | { readonly kind: "chain"; id: number; descriptors: number; out: Segment[]; in: Segment[] }
  | { readonly kind: "empty" }
  | { readonly kind: "broken"; readonly reason: number };

/** A device's position in a ring. */
export class Reference {
  readonly #view: DataView;
  readonly #shape: Shape;
  readonly #regions: readonly GuestRegion[];
  readonly #limit: number;
  readonly #mayRead: (address: number, length: number) => void;
  #index: number;
  #wrap: number;
  #seen: number;
  inUse = 0;

  /**
   * @param limit most segments in a chain
   * @param mayRead is told of each field that the device may read
   */
  constructor(
    view: DataView,
    shape: Shape,
    regions: readonly GuestRegion[],
    limit: number,
    mayRead: (address: number, length: number) => void,
  ) {
    this.#view = view;
    this.#shape = shape;
    this.#regions = regions;
    this.#limit = limit;
    this.#mayRead = mayRead;
    this.#index = shape.packed ? shape.start & 0x7fff : shape.start;
    this.#wrap = shape.start >>> 15;
    this.#seen = shape.start;
  }

  /** The next pop, on memory as it is now. */
  pop(): Found {
    return this.#shape.packed ? this.#popPacked() : this.#popSplit();
  }

  #popSplit(): Found {
    const { size, driver, desc } = this.#shape;
    if (this.#seen === this.#index) {
      this.#mayRead(driver + 2, 2);
      const idx = this.#view.getUint16(driver + 2, true);
      if (((idx - this.#index) & 0xffff) > size) return broken(defs.BROKEN_AVAIL_IDX);
      this.#seen = idx;
      // §2.7.10: a device that finds nothing sets its event index and looks once more.
      if (idx === this.#index && this.#shape.eventIdx) this.#mayRead(driver + 2, 2);
    }
    if (this.#seen === this.#index) return { kind: "empty" };
    if (this.inUse >= size) return broken(defs.BROKEN_IN_USE);
    const entry = driver + 4 + 2 * (this.#index % size);
    this.#mayRead(entry, 2);
    const head = this.#view.getUint16(entry, true);
    if (head >= size) return broken(defs.BROKEN_HEAD);

    const chain = new Chain(this.#regions, this.#limit);
    let table = desc;
    let count = size;
    let left = size;
    let index = head;
    let inTable = false;
    let descriptors = 0;
    for (;;) {
      if (left-- === 0) return broken(defs.BROKEN_LOOP);
      descriptors++;
      const { address, length, flags, next } = this.#read(table + 16 * index);
      if (flags & defs.DESC_F_INDIRECT) {
        const refused = this.#refuseTable(flags, length, inTable);
        if (refused) return broken(refused);
        table = linear(this.#regions, address, length);
        if (table < 0) return broken(defs.BROKEN_ADDRESS);
        inTable = true;
        count = length / 16;
        left = count;
        index = 0;
        continue;
      }
      const reason = chain.add(address, length, (flags & defs.DESC_F_WRITE) !== 0);
      if (reason) return broken(reason);
      if (!(flags & defs.DESC_F_NEXT)) break;
      if (next >= count) return broken(defs.BROKEN_NEXT);
      index = next;
    }
    this.#index = (this.#index + 1) & 0xffff;
    this.inUse++;
    return { kind: "chain", id: head, descriptors, out: chain.out, in: chain.in };
  }

  #popPacked(): Found {
    const { size, desc } = this.#shape;
    const available = (flags: number, wrap: number) => (flags & 0x8080) === (wrap ? 0x80 : 0x8000);
    const first = desc + 16 * this.#index;
    if (!available(this.#view.getUint16(first + 14, true), this.#wrap)) {
      for (let looks = 0; looks < (this.#shape.eventIdx ? 2 : 1); looks++) {
        this.#mayRead(first + 8, 8);
      }
      return { kind: "empty" };
    }
    if (this.inUse >= size) return broken(defs.BROKEN_IN_USE);

    const chain = new Chain(this.#regions, this.#limit);
    const head = this.#read(first);
    let id = head.next;
    let descriptors = 1;
    if (head.flags & defs.DESC_F_INDIRECT) {
      const refused = this.#refuseTable(head.flags, head.length, false);
      if (refused) return broken(refused);
      const table = linear(this.#regions, head.address, head.length);
      if (table < 0) return broken(defs.BROKEN_ADDRESS);
      for (let i = 0; i < head.length / 16; i++) {
        const { address, length, flags } = this.#read(table + 16 * i);
        const reason = chain.add(address, length, (flags & defs.DESC_F_WRITE) !== 0);
        if (reason) return broken(reason);
      }
    } else {
      let { address, length, flags } = head;
      let index = this.#index;
      let wrap = this.#wrap;
      for (;;) {
        const reason = chain.add(address, length, (flags & defs.DESC_F_WRITE) !== 0);
        if (reason) return broken(reason);
        if (!(flags & defs.DESC_F_NEXT)) break;
        if (descriptors >= size - this.inUse) return broken(defs.BROKEN_LOOP);
        index++;
        if (index === size) {
          index = 0;
          wrap ^= 1;
        }
        ({ address, length, flags, next: id } = this.#read(desc + 16 * index));
        if (!available(flags, wrap)) return broken(defs.BROKEN_PACKED_CHAIN);
        if (flags & defs.DESC_F_INDIRECT) return broken(defs.BROKEN_INDIRECT_NEXT);
        descriptors++;
      }
    }
    this.#index += descriptors;
    if (this.#index >= size) {
      this.#index -= size;
      this.#wrap ^= 1;
    }
    this.inUse += descriptors;
    return { kind: "chain", id, descriptors, out: chain.out, in: chain.in };
  }

  #refuseTable(flags: number, length: number, inTable: boolean): number {
    if (!this.#shape.indirect) return defs.BROKEN_INDIRECT_FEATURE;
    if (inTable) return defs.BROKEN_INDIRECT_NESTED;
    if (flags & defs.DESC_F_NEXT) return defs.BROKEN_INDIRECT_NEXT;
    return length === 0 || length % 16 !== 0 ? defs.BROKEN_INDIRECT_LENGTH : 0;
  }

  #read(at: number): { address: number; length: number; flags: number; next: number } {
    this.#mayRead(at, 16);
    const view = this.#view;
    const { packed } = this.#shape;
    return {
      address: view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true),
      length: view.getUint32(at + 8, true),
      flags: view.getUint16(at + (packed ? 14 : 12), true),
      next: view.getUint16(at + (packed ? 12 : 14), true),
    };
  }
}

function broken(reason: number): Found {
  return { kind: "broken", reason };
}

function regionOf(regions: readonly GuestRegion[], address: number): GuestRegion | undefined {
  return regions.find(({ guest, size }) => address >= guest && address < guest + size);
}

function linear(regions: readonly GuestRegion[], address: number, length: number): number {
  const region = regionOf(regions, address);
  if (!region || address + length > region.guest + region.size) return -1;
  return region.offset + (address - region.guest);
}

class Chain {
  readonly out: Segment[] = [];
  readonly in: Segment[] = [];
  readonly #regions: readonly GuestRegion[];
  readonly #limit: number;
  #bytes = 0;
  #writing = false;

  constructor(regions: readonly GuestRegion[], limit: number) {
    this.#regions = regions;
    this.#limit = limit;
  }

  /** Adds a buffer; a BROKEN_* number if it must not be. */
  add(address: number, length: number, write: boolean): number {
    if (this.#writing && !write) return defs.BROKEN_ORDER;
    if (length === 0) return defs.BROKEN_ZERO_LENGTH;
    this.#writing = write;
    this.#bytes += length;
    let at = address;
    let left = length;
    while (left > 0) {
      const region = regionOf(this.#regions, at);
      if (!region) return defs.BROKEN_ADDRESS;
      if (write && region.readonly) return defs.BROKEN_READONLY;
      if (this.out.length + this.in.length === this.#limit) return defs.BROKEN_SEGMENTS;
      const offset = at - region.guest;
      const part = Math.min(left, region.size - offset);
      (write ? this.in : this.out).push({ address: region.offset + offset, length: part });
      at += part;
      left -= part;
    }
    return this.#bytes > 2 ** 32 ? defs.BROKEN_TOO_LONG : 0;
  }
}
