/**
 * VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD, packed rings. A used descriptor overwrites an available one
 * (§2.8), so the region has a copy of each descriptor that was taken, in a list of entries of its own,
 * and two versions of the list's head and of the used position: the old one is what counts until the
 * driver sees the new one in the ring.
 *
 * A queue's region (vhost-user, "Inflight I/O tracking"), 64-byte aligned:
 *
 *     0   u64  features, 0      8   u16  version, 1       10  u16  descriptors
 *     12  u16  free_head        14  u16  old_free_head
 *     16  u16  used_idx         18  u16  old_used_idx
 *     20  u8   used_wrap_counter  21  u8  old_used_wrap_counter
 *     32  for each descriptor:
 *           0 u8 in flight  2 u16 next    4 u16 last   6 u16 num   8 u64 counter
 *           16 u16 id       18 u16 flags  20 u32 length            24 u64 address
 *
 * The list of free entries ends at `descriptors`. While the device runs nothing is read here: what it
 * needs to know of the region it keeps itself, since the frontend could write to it.
 */
import { DESC_SIZE, PACKED_F_AVAIL, PACKED_F_USED, type TakenChain } from "../virtio/index.ts";
import type { InflightRegion, InflightState } from "./inflight-area.ts";

const FREE_HEAD = 12;
const OLD_FREE_HEAD = 14;
const USED = 16;
const OLD_USED = 18;
const USED_WRAP = 20;
const OLD_USED_WRAP = 21;
const HEADER_BYTES = 32;

const ENTRY_BYTES = 32;
const NEXT = 2;
const LAST = 4;
const NUM = 6;
const COUNTER = 8;
const ID = 16;

const ALIGNMENT = 64;
const VERSION = 1;

/** Bytes of one queue's region. */
export function packedRegionBytes(size: number): number {
  return Math.ceil((HEADER_BYTES + size * ENTRY_BYTES) / ALIGNMENT) * ALIGNMENT;
}

/** What is asked of the queue. */
interface PackedQueue {
  readonly size: number;
  readonly descriptors: DataView | undefined;
  readonly availPosition: number;
}

/** A list in flight: its entries, from `first` on, are linked up to `last`. */
interface List {
  readonly id: number;
  readonly first: number;
  readonly last: number;
  readonly units: number;
}

/** A position in the ring: index, and wrap counter. */
interface Position {
  readonly index: number;
  readonly wrap: number;
}

/** The region of one queue, as the device that serves it keeps it. */
export class InflightPacked implements InflightRegion {
  readonly #view: DataView;
  readonly #queue: PackedQueue;
  readonly #size: number;
  /** By entry, the next free one; `size` ends the list. */
  readonly #next: Uint16Array;
  #free = 0;
  #used: Position = { index: 0, wrap: 1 };
  #lists: List[] = [];
  /** Those that are about to be made visible. */
  readonly #leaving: List[] = [];
  #counter = 0n;

  /** @param bytes the queue's region, packedRegionBytes(size) of them */
  constructor(bytes: Uint8Array, queue: PackedQueue) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#queue = queue;
    this.#size = queue.size;
    this.#next = new Uint16Array(queue.size);
  }

  recover(base: number): InflightState | undefined {
    const view = this.#view;
    const version = view.getUint16(8, true);
    let state: InflightState = { base, lost: [] };
    if (version === 0) {
      this.#used = this.#position(base >>> 16);
    } else {
      if (version !== VERSION || view.getUint16(10, true) !== this.#size) return undefined;
      const found = this.#read();
      if (found === undefined) return undefined;
      this.#used = found.used;
      const units = found.lost.reduce((sum, chain) => sum + chain.units, 0);
      // What was lost lies before the rest: it and the used descriptors are all that was taken.
      const next = this.#behind(found.used, units);
      state = { base: (word(next) | (word(found.used) << 16)) >>> 0, lost: found.lost };
      // They go back at once.
      this.#used = next;
    }
    this.#renew();
    return state;
  }

  /** Makes the region one of a queue of which nothing is in flight. */
  #renew(): void {
    const view = this.#view;
    view.setUint16(8, 0, true);
    for (let at = 0; at < HEADER_BYTES + this.#size * ENTRY_BYTES; at++) view.setUint8(at, 0);
    for (let entry = 0; entry < this.#size; entry++) this.#link(entry, entry + 1);
    this.#free = 0;
    this.#lists = [];
    view.setUint16(10, this.#size, true);
    this.#publish();
    this.#settle();
    view.setUint16(8, VERSION, true);
  }

  /** What an earlier device has left; undefined if it is not sound. All of it is read once. */
  #read(): { used: Position; lost: TakenChain[] } | undefined {
    const view = this.#view;
    const size = this.#size;
    let free = view.getUint16(OLD_FREE_HEAD, true);
    let used = this.#checked(view.getUint16(OLD_USED, true), view.getUint8(OLD_USED_WRAP));
    const newFree = view.getUint16(FREE_HEAD, true);
    const newUsed = this.#checked(view.getUint16(USED, true), view.getUint8(USED_WRAP));
    if (used === undefined || newUsed === undefined) return undefined;
    // The driver may have seen what was not noted any more: then the new version counts.
    if (word(used) !== word(newUsed) && !this.#isAvailable(used)) {
      used = newUsed;
      free = newFree;
    }
    const isFree = new Set<number>();
    for (let entry = free; entry !== size; entry = view.getUint16(at(entry) + NEXT, true)) {
      if (entry > size || isFree.has(entry)) return undefined;
      isFree.add(entry);
    }
    const found: { chain: TakenChain; counter: bigint }[] = [];
    let units = 0;
    for (let entry = 0; entry < size; entry++) {
      if (view.getUint8(at(entry)) === 0 || isFree.has(entry)) continue;
      const num = view.getUint16(at(entry) + NUM, true);
      const last = view.getUint16(at(entry) + LAST, true);
      units += num;
      if (num === 0 || last >= size || units > size) return undefined;
      // §2.8.6: the id is in the list's last descriptor.
      const chain = { head: view.getUint16(at(last) + ID, true), units: num };
      found.push({ chain, counter: view.getBigUint64(at(entry) + COUNTER, true) });
    }
    found.sort((a, b) => Number(a.counter - b.counter));
    return { used, lost: found.map(({ chain }) => chain) };
  }

  /** Is the descriptor at this position one that the driver has made available in this round? */
  #isAvailable({ index, wrap }: Position): boolean {
    const flags = this.#queue.descriptors?.getUint16(index * DESC_SIZE + 14, true) ?? 0;
    const state = flags & (PACKED_F_AVAIL | PACKED_F_USED);
    return state === (wrap ? PACKED_F_AVAIL : PACKED_F_USED);
  }

  taken(head: number, units: number): void {
    const view = this.#view;
    const first = this.#free;
    view.setUint16(at(first) + NUM, 0, true);
    view.setBigUint64(at(first) + COUNTER, this.#counter++, true);
    view.setUint8(at(first), 1);
    const ring = this.#queue.descriptors;
    // The queue is behind the list already.
    let index = (this.#queue.availPosition & 0x7fff) - units;
    let last = first;
    for (let i = 0; i < units; i++, index++) {
      const entry = this.#free;
      last = entry;
      view.setUint16(at(first) + NUM, i + 1, true);
      const from = (index < 0 ? index + this.#size : index) * DESC_SIZE;
      view.setBigUint64(at(entry) + 24, ring?.getBigUint64(from, true) ?? 0n, true);
      view.setUint32(at(entry) + 20, ring?.getUint32(from + 8, true) ?? 0, true);
      view.setUint16(at(entry) + 18, ring?.getUint16(from + 14, true) ?? 0, true);
      // What the queue has read, which is what goes back.
      view.setUint16(at(entry) + ID, head, true);
      this.#free = this.#next[entry]!;
    }
    view.setUint16(at(first) + LAST, last, true);
    view.setUint16(FREE_HEAD, this.#free, true);
    view.setUint16(OLD_FREE_HEAD, this.#free, true);
    this.#lists.push({ id: head, first, last, units });
  }

  giving(head: number): void {
    const list = this.#lists.find(({ id }) => id === head);
    if (list === undefined) return;
    this.#lists.splice(this.#lists.indexOf(list), 1);
    this.#leaving.push(list);
    this.#link(list.last, this.#free);
    this.#free = list.first;
    this.#used = this.#behind(this.#used, list.units);
    this.#publish();
  }

  given(head: number): void {
    const index = this.#leaving.findIndex(({ id }) => id === head);
    const [list] = index < 0 ? [] : this.#leaving.splice(index, 1);
    if (list !== undefined) this.#view.setUint8(at(list.first), 0);
    if (this.#leaving.length === 0) this.#settle();
  }

  #publish(): void {
    this.#view.setUint16(FREE_HEAD, this.#free, true);
    this.#view.setUint16(USED, this.#used.index, true);
    this.#view.setUint8(USED_WRAP, this.#used.wrap);
  }

  #settle(): void {
    this.#view.setUint16(OLD_FREE_HEAD, this.#free, true);
    this.#view.setUint16(OLD_USED, this.#used.index, true);
    this.#view.setUint8(OLD_USED_WRAP, this.#used.wrap);
  }

  #link(entry: number, next: number): void {
    this.#next[entry] = next;
    this.#view.setUint16(at(entry) + NEXT, next, true);
  }

  /** A position that is written as virtqueueResume takes it. */
  #position(written: number): Position {
    return { index: (written & 0x7fff) % this.#size, wrap: (written >>> 15) & 1 };
  }

  #checked(index: number, wrap: number): Position | undefined {
    return index < this.#size && wrap <= 1 ? { index, wrap } : undefined;
  }

  #behind({ index, wrap }: Position, units: number): Position {
    const next = index + units;
    return next < this.#size ? { index: next, wrap } : { index: next - this.#size, wrap: wrap ^ 1 };
  }
}

/** Where an entry is in the region. */
function at(entry: number): number {
  return HEADER_BYTES + entry * ENTRY_BYTES;
}

function word({ index, wrap }: Position): number {
  return index | (wrap << 15);
}
