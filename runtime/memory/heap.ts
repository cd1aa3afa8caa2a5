/** How many ranges wait to be taken again before they are merged with their neighbours. */
const RECENT = 8;
/** Larger ones are merged at once: to leave them aside would make the memory grow. */
const RECENT_BYTES = 1 << 20;

/**
 * A heap over a range of the linear memory whose book-keeping lies outside it, in JavaScript: a
 * guest that writes anywhere cannot break it. Best fit; free ranges sorted by address and merged.
 */
export class Heap {
  readonly start: number;
  readonly end: number;
  /** Bytes handed out, rounded up to the granule. */
  used = 0;
  readonly #granule: number;
  readonly #ensure: (end: number) => boolean;
  /** Free ranges, ascending, never adjacent. */
  readonly #freeStart: number[];
  readonly #freeEnd: number[];
  readonly #sizes = new Map<number, number>();
  /** Ranges given back lately and not merged yet: whoever wants the same size again gets it at once. */
  readonly #recent: number[] = [];
  readonly #recentSizes: number[] = [];

  /**
   * @param start first offset
   * @param size bytes
   * @param granule allocations start at multiples of this power of two and are rounded up to it
   * @param ensure makes memory present up to an offset; false if there is no more
   */
  constructor(
    start: number,
    size: number,
    granule: number,
    ensure: (end: number) => boolean = () => true,
  ) {
    this.start = start;
    this.end = start + size;
    this.#granule = granule;
    this.#ensure = ensure;
    this.#freeStart = [start];
    this.#freeEnd = [start + size];
  }

  /** Bytes not handed out. */
  get free(): number {
    return this.end - this.start - this.used;
  }

  /**
   * @param bytes how many, more than 0
   * @param align a power of two; the granule if smaller
   * @returns the offset, or 0 if there is no range large enough
   */
  alloc(bytes: number, align: number = this.#granule): number {
    const granule = this.#granule;
    const size = alignUp(bytes, granule);
    const step = Math.max(align, granule);
    const at = this.#recentSizes.lastIndexOf(size);
    if (at >= 0 && (step === granule || this.#recent[at]! % step === 0)) {
      const again = this.#recent[at]!;
      this.#forget(at);
      this.#sizes.set(again, size);
      this.used += size;
      return again;
    }
    let best = this.#search(size, step);
    if (best < 0 && this.#recent.length > 0) {
      while (this.#recent.length > 0) this.#mergeOldest();
      best = this.#search(size, step);
    }
    if (best < 0) return 0;
    const from = alignUp(this.#freeStart[best]!, step);
    if (!this.#ensure(from + size)) return 0;
    this.#cut(best, from, from + size);
    this.#sizes.set(from, size);
    this.used += size;
    return from;
  }

  /**
   * @param offset as `alloc` gave it
   * @returns false if it is not the start of an allocation
   */
  release(offset: number): boolean {
    const size = this.#sizes.get(offset);
    if (size === undefined) return false;
    this.#sizes.delete(offset);
    this.used -= size;
    if (size > RECENT_BYTES) {
      this.#join(offset, offset + size);
      return true;
    }
    if (this.#recent.length === RECENT) this.#mergeOldest();
    this.#recent.push(offset);
    this.#recentSizes.push(size);
    return true;
  }

  /** Index of the smallest free range that holds `size` bytes at a multiple of `step`, or -1. */
  #search(size: number, step: number): number {
    const granule = this.#granule;
    const starts = this.#freeStart;
    const ends = this.#freeEnd;
    let best = -1;
    let bestRoom = Number.POSITIVE_INFINITY;
    for (let i = 0; i < starts.length; i++) {
      const room = ends[i]! - starts[i]!;
      // The last range is where the heap grows: being the largest, it is taken only if no other fits.
      if (room < size || room >= bestRoom) continue;
      // All ranges start at multiples of the granule, so that most need no division here.
      if (step !== granule && alignUp(starts[i]!, step) + size > ends[i]!) continue;
      best = i;
      bestRoom = room;
      if (room === size) break;
    }
    return best;
  }

  #mergeOldest(): void {
    const offset = this.#recent[0]!;
    const size = this.#recentSizes[0]!;
    this.#forget(0);
    this.#join(offset, offset + size);
  }

  #forget(index: number): void {
    this.#recent.splice(index, 1);
    this.#recentSizes.splice(index, 1);
  }

  #cut(index: number, from: number, to: number): void {
    const start = this.#freeStart[index]!;
    const end = this.#freeEnd[index]!;
    if (start < from && to < end) {
      this.#freeEnd[index] = from;
      this.#freeStart.splice(index + 1, 0, to);
      this.#freeEnd.splice(index + 1, 0, end);
    } else if (start < from) {
      this.#freeEnd[index] = from;
    } else if (to < end) {
      this.#freeStart[index] = to;
    } else {
      this.#freeStart.splice(index, 1);
      this.#freeEnd.splice(index, 1);
    }
  }

  #join(from: number, to: number): void {
    let low = 0;
    let high = this.#freeStart.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#freeStart[middle]! < from) low = middle + 1;
      else high = middle;
    }
    const left = low > 0 && this.#freeEnd[low - 1] === from;
    const right = low < this.#freeStart.length && this.#freeStart[low] === to;
    if (left && right) {
      this.#freeEnd[low - 1] = this.#freeEnd[low]!;
      this.#freeStart.splice(low, 1);
      this.#freeEnd.splice(low, 1);
    } else if (left) {
      this.#freeEnd[low - 1] = to;
    } else if (right) {
      this.#freeStart[low] = from;
    } else {
      this.#freeStart.splice(low, 0, from);
      this.#freeEnd.splice(low, 0, to);
    }
  }
}

function alignUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
