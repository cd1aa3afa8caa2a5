import {
  MAX_MEMORY_BYTES,
  type MemoryMap,
  memoryMap,
  POINTER_BASE,
  WASM_PAGE_BYTES,
} from "./map.ts";

/** The memory grows by 16 MiB at least. */
const GROW_PAGES = 256;

/**
 * Guest physical memory: one shared WebAssembly.Memory, its map, and views that follow its growth
 * (by this thread or another). A guest physical address is an offset; a CUDA pointer is
 * `base + offset`.
 */
export class GuestMemory {
  readonly memory: WebAssembly.Memory;
  readonly map: MemoryMap;
  /** CUDA pointer of offset 0: a multiple of 2³² below 2⁴⁷. */
  readonly base: number;
  #buffer: ArrayBufferLike;
  /** All buffers this memory has had: views over any of them see the same bytes. */
  readonly #buffers = new WeakSet<ArrayBufferLike>();
  #u8: Uint8Array;
  #u32: Uint32Array;
  #view: DataView;

  /**
   * @param memory the linear memory; must be shared
   * @param map the partition of this vGPU
   * @param base CUDA pointer of offset 0
   * @throws RangeError if `base` is no multiple of 2³² below 2⁴⁷
   */
  constructor(memory: WebAssembly.Memory, map: MemoryMap, base: number = POINTER_BASE) {
    if (!(base >= 0 && base < 2 ** 47) || base % MAX_MEMORY_BYTES !== 0) {
      throw new RangeError("the pointer base must be a multiple of 4 GiB below 2^47");
    }
    this.memory = memory;
    this.map = map;
    this.base = base;
    this.#buffer = memory.buffer;
    this.#buffers.add(this.#buffer);
    this.#u8 = new Uint8Array(this.#buffer);
    this.#u32 = new Uint32Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
    this.ensure(map.deviceMemory.start);
  }

  /**
   * Makes a memory with the map's fixed regions and the first step of device memory present; more comes by
   * `ensure`. (If the first allocation of a device let it grow, V8 would collect garbage: it takes 16 MiB
   * for much, whether or not they are used.)
   * @param map the partition, as from `memoryMap()`
   * @param base CUDA pointer of offset 0
   */
  static create(map: MemoryMap = memoryMap(), base: number = POINTER_BASE): GuestMemory {
    const { start, size } = map.deviceMemory;
    const first = Math.min(GROW_PAGES, Math.floor(size / WASM_PAGE_BYTES));
    const initial = start / WASM_PAGE_BYTES + first;
    const memory = new WebAssembly.Memory({ initial, maximum: 65536, shared: true });
    return new GuestMemory(memory, map, base);
  }

  /** All bytes there are now. Do not keep it across a call that may grow the memory. */
  get u8(): Uint8Array {
    if (this.memory.buffer !== this.#buffer) this.#follow();
    return this.#u8;
  }

  /** The memory as 32-bit words (index = offset / 4); as `u8`, not to be kept. */
  get u32(): Uint32Array {
    if (this.memory.buffer !== this.#buffer) this.#follow();
    return this.#u32;
  }

  /** The memory as a DataView; as `u8`, not to be kept. */
  get view(): DataView {
    if (this.memory.buffer !== this.#buffer) this.#follow();
    return this.#view;
  }

  /** Bytes that the memory has now. */
  get byteLength(): number {
    return this.u8.length;
  }

  /** Is it this memory's buffer, or one that it had before it grew? Both have the same bytes. */
  owns(buffer: ArrayBufferLike): boolean {
    return buffer === this.memory.buffer || this.#buffers.has(buffer);
  }

  /**
   * Grows the memory so that it reaches `end`.
   * @param end offset in bytes
   * @returns false if the engine refuses
   */
  ensure(end: number): boolean {
    const missing = Math.ceil((end - this.byteLength) / WASM_PAGE_BYTES);
    if (missing <= 0) return true;
    const { start, size } = this.map.deviceMemory;
    const rest = Math.floor((start + size - this.byteLength) / WASM_PAGE_BYTES);
    // In steps: every growth makes all threads renew their views, and unused pages cost nothing.
    for (const pages of [Math.min(Math.max(missing, GROW_PAGES), rest), missing]) {
      try {
        this.memory.grow(pages);
        break;
      } catch {
        // Less may be possible; or another thread has grown it meanwhile: the resulting size counts.
        if (this.memory.buffer.byteLength >= end) break;
      }
    }
    this.#follow();
    return this.byteLength >= end;
  }

  /**
   * Checks a guest physical range and gives its offset: the identity in this process.
   * @param address guest physical address
   * @param length bytes, 0 allowed
   * @returns the offset in the linear memory, or -1 if the range is not all inside the partition
   *   above the null page, or not present
   */
  translate(address: number, length: number): number {
    const first = this.map.guestRam.start;
    // Both are below 2⁵³ or the comparisons fail, so the sum cannot wrap.
    if (!(address >= first && length >= 0 && address + length <= this.byteLength)) return -1;
    return address;
  }

  /**
   * The offset of a CUDA pointer's range.
   * @param pointer base + offset
   * @param length bytes
   * @returns the offset, or -1 if the range leaves the memory
   */
  offsetOf(pointer: number, length: number): number {
    return this.translate(pointer - this.base, length);
  }

  /** The CUDA pointer of an offset. */
  pointerOf(offset: number): number {
    return this.base + offset;
  }

  /**
   * A view of a range; it stays valid when the memory grows (shared buffers keep their bytes).
   * @param offset in bytes
   * @param length in bytes
   * @throws RangeError if the range is not present
   */
  bytes(offset: number, length: number): Uint8Array {
    return this.u8.subarray(this.#checked(offset, length), offset + length);
  }

  #checked(offset: number, length: number): number {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.byteLength)) {
      throw new RangeError(`${length} bytes at ${offset} are outside the memory`);
    }
    return offset;
  }

  #follow(): void {
    this.#buffers.add(this.memory.buffer);
    this.#buffer = this.memory.buffer;
    this.#u8 = new Uint8Array(this.#buffer);
    this.#u32 = new Uint32Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }
}
