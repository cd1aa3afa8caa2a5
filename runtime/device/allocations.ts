/**
 * The table of everything that lies in device memory: what was allocated, for whom, of which kind.
 * It lives in JavaScript, not in guest memory, and every address of a request is looked up here.
 */
import type { GuestMemory, Heap } from "../memory/index.ts";
import { MEMORY_HOST, MEMORY_MANAGED } from "../protocol/definitions.ts";
import type { GraphMemory } from "./graph-memory.ts";
import type { MemoryPool } from "./pool.ts";

/** Allocations start at multiples of this, as CUDA's do. */
export const ALLOCATION_GRANULE = 256;

/** Allocations of so many bytes and more are followed by a gap: the next one begins in other sets of the caches. */
const LARGE_BYTES = 16 << 20;
/**
 * Bytes of the gap. Kernels go through several arrays side by side, and through rows of them: where all begin at
 * multiples of a page, what they are at lies in one set of the nearest cache, which has 8 to 16 places.
 */
const GAP_BYTES = 1280;

/** The memory of one of several devices is a multiple of this. */
const DEVICE_GRANULE = 65536;

/** One allocation. `size` is what was asked for; the heap may hold more. */
export interface Allocation {
  readonly offset: number;
  readonly size: number;
  /** MEMORY_HOST, MEMORY_DEVICE, MEMORY_MANAGED or MEMORY_ARRAY. */
  readonly kind: number;
  readonly flags: number;
  /** Handle of the context; 0 for what the device itself needs (modules, scratch). */
  readonly context: number;
  /** Ordinal of the device whose memory it is. */
  readonly device: number;
  /** A number that no other allocation of this device ever has. */
  readonly serial: number;
  /** Only MEMORY_FREE of the guest's own allocations is allowed. */
  readonly internal: boolean;
  /** The memory pool that it came from, if any. */
  pool: MemoryPool | undefined;
  /** For memory that a graph allocates. */
  graph: GraphMemory | undefined;
}

/** Whether the host may write to an allocation whenever it likes. */
const isHosts = ({ kind }: Allocation): boolean => kind === MEMORY_HOST || kind === MEMORY_MANAGED;

/** For whom an allocation is: a device, and a context; handle 0 for the device itself. */
export interface Owner {
  readonly ordinal: number;
  readonly handle: number;
}

/**
 * Allocations sorted by address, over a heap. Several devices share the heap: each may take an equal
 * part of it, from wherever there is room.
 */
export class AllocationTable {
  readonly #memory: GuestMemory;
  readonly #heap: Heap;
  readonly #sorted: Allocation[] = [];
  #serial = 0;
  #last: Allocation | undefined;
  /** Bytes that each device has taken. */
  readonly #used: number[];
  /** Offsets between which all memory lies that the host uses, too; empty if there is none. */
  hostRange: { readonly low: number; readonly high: number } = { low: 0, high: 0 };

  /**
   * @param memory whose base makes CUDA pointers
   * @param heap over the device-memory region
   * @param devices how many share it
   */
  constructor(memory: GuestMemory, heap: Heap, devices = 1) {
    this.#memory = memory;
    this.#heap = heap;
    this.#used = new Array<number>(devices).fill(0);
  }

  /** Bytes that a device can still give. */
  free(device: number): number {
    return Math.min(this.total - this.#used[device]!, this.#heap.free);
  }
  /** Bytes that each device has. */
  get total(): number {
    const bytes = (this.#heap.end - this.#heap.start) / this.#used.length;
    return this.#used.length === 1 ? bytes : Math.floor(bytes / DEVICE_GRANULE) * DEVICE_GRANULE;
  }
  /** Bytes that each device has taken. */
  get used(): readonly number[] {
    return this.#used;
  }

  /** How many allocations there are. */
  get count(): number {
    return this.#sorted.length;
  }

  /**
   * @param bytes more than 0
   * @param owner whose it will be
   * @param align a power of two
   * @returns the new entry, or undefined if out of memory
   */
  alloc(
    bytes: number,
    kind: number,
    flags: number,
    owner: Owner,
    internal = false,
    align = ALLOCATION_GRANULE,
  ): Allocation | undefined {
    const device = owner.ordinal;
    if (!(bytes > 0 && bytes <= this.free(device))) return undefined;
    const before = this.#heap.free;
    const apart = bytes >= LARGE_BYTES && bytes + GAP_BYTES <= this.free(device);
    const offset =
      (apart && this.#heap.alloc(bytes + GAP_BYTES, align)) || this.#heap.alloc(bytes, align);
    if (offset === 0) return undefined;
    this.#used[device]! += before - this.#heap.free;
    const context = owner.handle;
    const serial = ++this.#serial;
    const size = bytes;
    const pool = undefined;
    const whose = { context, device, serial, internal, pool, graph: undefined };
    const entry: Allocation = { offset, size, kind, flags, ...whose };
    const at = this.#after(offset);
    if (at === this.#sorted.length) this.#sorted.push(entry);
    else this.#sorted.splice(at, 0, entry);
    if (isHosts(entry)) this.#findHostRange();
    return entry;
  }

  /** Takes an entry out and gives its memory back to the heap. */
  release(entry: Allocation): void {
    this.withdraw(entry);
    this.giveBack(entry);
  }

  /** Takes an entry out: its addresses are unknown from now on, its memory stays reserved. */
  withdraw(entry: Allocation): void {
    this.#sorted.splice(this.#after(entry.offset) - 1, 1);
    if (isHosts(entry)) this.#findHostRange();
    if (this.#last === entry) this.#last = undefined;
  }

  /** Gives the memory of a withdrawn entry back to the heap. */
  giveBack(entry: Allocation): void {
    entry.pool?.give(entry.size);
    const before = this.#heap.free;
    this.#heap.release(entry.offset);
    this.#used[entry.device]! -= this.#heap.free - before;
  }

  /** @returns the entry that starts at a CUDA pointer, or undefined */
  at(pointer: number): Allocation | undefined {
    const entry = this.find(pointer);
    return entry && this.#memory.pointerOf(entry.offset) === pointer ? entry : undefined;
  }

  /** @returns the entry that holds a CUDA pointer, or undefined */
  find(pointer: number): Allocation | undefined {
    const offset = pointer - this.#memory.base;
    const last = this.#last;
    if (last && offset >= last.offset && offset < last.offset + last.size) return last;
    const at = this.#after(offset) - 1;
    const entry = at >= 0 ? this.#sorted[at] : undefined;
    if (entry === undefined || !(offset < entry.offset + entry.size)) return undefined;
    this.#last = entry;
    return entry;
  }

  /**
   * Checks that a range lies in one allocation.
   * @param pointer CUDA pointer from a guest, any number
   * @param bytes any number
   * @returns the offset in the linear memory, or -1
   */
  range(pointer: number, bytes: number): number {
    const entry = this.find(pointer);
    if (entry === undefined) return -1;
    const offset = pointer - this.#memory.base;
    // Both terms are below 2⁵³: `bytes` is checked against the rest, nothing is added up.
    return bytes >= 0 && bytes <= entry.offset + entry.size - offset ? offset : -1;
  }

  /** Every entry of a context (or all, for undefined), as a copy that survives changes. */
  of(context: number | undefined): Allocation[] {
    return this.#sorted.filter((entry) => context === undefined || entry.context === context);
  }

  #findHostRange(): void {
    const [first, last] = [this.#sorted.find(isHosts), this.#sorted.findLast(isHosts)];
    this.hostRange = { low: first?.offset ?? 0, high: last ? last.offset + last.size : 0 };
  }

  /** Index of the first entry that starts above `offset`. */
  #after(offset: number): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sorted[middle]!.offset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
