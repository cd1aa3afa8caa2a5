/**
 * What one opener has allocated and not freed: a list in blocks of fixed size, as a kernel module
 * would keep it, with an index by address.
 */

const BLOCK_ENTRIES = 256;

interface Block {
  readonly addresses: Float64Array;
  readonly kinds: Uint32Array;
  readonly serials: Uint32Array;
}

/** One entry, as `drain` hands it out. */
export interface OwnedAllocation {
  readonly address: number;
  readonly kind: number;
  readonly serial: number;
}

/** The allocations of an open file. */
export class AllocationList {
  readonly #blocks: Block[] = [];
  /** Slots that were used and are free again. */
  readonly #free: number[] = [];
  readonly #slots = new Map<number, number>();
  #next = 0;

  /** How many entries there are. */
  get count(): number {
    return this.#slots.size;
  }

  /**
   * @param address CUDA pointer, not 0
   * @param kind MEMORY_*
   * @param serial that the device gave the allocation
   */
  add(address: number, kind: number, serial: number): void {
    const slot = this.#slots.get(address) ?? this.#free.pop() ?? this.#next++;
    const index = Math.floor(slot / BLOCK_ENTRIES);
    this.#blocks[index] ??= {
      addresses: new Float64Array(BLOCK_ENTRIES),
      kinds: new Uint32Array(BLOCK_ENTRIES),
      serials: new Uint32Array(BLOCK_ENTRIES),
    };
    const block = this.#blocks[index]!;
    const at = slot % BLOCK_ENTRIES;
    block.addresses[at] = address;
    block.kinds[at] = kind;
    block.serials[at] = serial;
    this.#slots.set(address, slot);
  }

  /** Forgets an address. @returns false if it was not there */
  remove(address: number): boolean {
    const slot = this.#slots.get(address);
    if (slot === undefined) return false;
    this.#slots.delete(address);
    this.#free.push(slot);
    return true;
  }

  /** Forgets everything and says what it was, oldest block first. */
  drain(): OwnedAllocation[] {
    const entries: OwnedAllocation[] = [];
    for (const [address, slot] of this.#slots) {
      const block = this.#blocks[Math.floor(slot / BLOCK_ENTRIES)]!;
      const at = slot % BLOCK_ENTRIES;
      entries.push({ address, kind: block.kinds[at]!, serial: block.serials[at]! });
    }
    this.#slots.clear();
    this.#blocks.length = 0;
    this.#free.length = 0;
    this.#next = 0;
    return entries;
  }
}
