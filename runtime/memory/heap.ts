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
    if (best < 0) return 0;
    const from = alignUp(starts[best]!, step);
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
    this.#join(offset, offset + size);
    return true;
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
