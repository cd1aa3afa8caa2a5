/**
 * A client's memory: the files of its memory table, mapped over the device's linear memory, so that
 * kernels, rings and the client see the same bytes.
 */
import { guestRegions } from "../machine/layout.ts";
import {
  GUEST_PAGE_BYTES,
  GuestMemory,
  MAX_MEMORY_BYTES,
  type MemoryMap,
  memoryMap,
  POINTER_BASE,
  type Region,
  WASM_PAGE_BYTES,
} from "../memory/index.ts";
import type { GuestRegion } from "../virtio/index.ts";
import * as V from "./defs.ts";
import {
  F_GET_SEALS,
  F_SEAL_SHRINK,
  type Libc,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ_WRITE,
  SEEK_END,
} from "./libc.ts";

/** One region of a SET_MEM_TABLE message. */
export interface TableRegion {
  /** Guest physical address. */
  readonly guest: number;
  readonly bytes: number;
  /** The frontend's own address of it, by which it names rings. */
  readonly user: number;
  /** Where it starts in the file. */
  readonly offset: number;
  readonly fd: number;
}

/** A memory table that cannot be used. */
export class TableError extends Error {
  override name = "TableError";
}

/**
 * The regions of a SET_MEM_TABLE message.
 * @param descriptors that came with it, one for each
 * @throws TableError if it has none, too many, or not as many as descriptors
 */
export function readTable(payload: DataView, descriptors: readonly number[]): TableRegion[] {
  const count = payload.byteLength < V.TABLE_HEADER_SIZE ? 0 : payload.getUint32(0, true);
  const bytes = V.TABLE_HEADER_SIZE + count * V.REGION_SIZE;
  if (count === 0 || count > V.MAX_REGIONS || payload.byteLength < bytes) {
    throw new TableError(`a memory table of ${count} regions in ${payload.byteLength} bytes`);
  }
  if (descriptors.length !== count) {
    throw new TableError(`${descriptors.length} descriptors for ${count} regions`);
  }
  return descriptors.map((fd, i): TableRegion => {
    const at = V.TABLE_HEADER_SIZE + i * V.REGION_SIZE;
    const field = (offset: number): number => Number(payload.getBigUint64(at + offset, true));
    return {
      guest: field(V.REGION_GUEST),
      bytes: field(V.REGION_BYTES),
      user: field(V.REGION_USER),
      offset: field(V.REGION_OFFSET),
      fd,
    };
  });
}

/** A region, and where it is in the linear memory. */
interface Placed extends TableRegion {
  readonly at: number;
}

/**
 * Guest memory that is a client's. The device's private parts in between (queue walks, launch
 * parameters, scratch) stay the device's own.
 */
export class MappedMemory extends GuestMemory {
  /** Device memory is the client's, too (WARPRING_F_DEVICE_MEMORY). */
  readonly sharesDeviceMemory: boolean;
  readonly #libc: Libc;
  readonly #table: readonly Placed[];
  /** Up to where device memory is mapped. */
  #mapped: number;

  /**
   * Maps a table that has guest RAM and device memory at the offsets of the memory map, which are
   * their guest addresses, too.
   * @param table from the client; descriptors are used as long as the memory grows
   * @param largest bytes of device memory at most
   * @throws TableError if there is not all of that, or a file could shrink
   */
  static map(libc: Libc, table: readonly TableRegion[], largest: number): MappedMemory {
    for (const region of table) checkFile(libc, region, MAX_MEMORY_BYTES, WASM_PAGE_BYTES);
    const fixed = memoryMap();
    const start = fixed.deviceMemory.start;
    const placed = table.map((region) => ({ ...region, at: region.guest }));
    const ram = placed.find((region) => covers(region, fixed.guestRam));
    const device = placed.find(({ at, bytes }) => start >= at && start < at + bytes);
    if (ram === undefined || device === undefined) {
      throw new TableError(
        `the memory table has no guest RAM at ${fixed.guestRam.start} (${fixed.guestRam.size} ` +
          `bytes), or no device memory at ${start}: a frontend whose memory is elsewhere must not ` +
          "accept WARPRING_F_DEVICE_MEMORY",
      );
    }
    const room = device.guest + device.bytes - start;
    const bytes = Math.floor(Math.min(room, fixed.deviceMemory.size, largest) / 65536) * 65536;
    if (bytes <= 0) throw new TableError("the memory table leaves no device memory");
    const result = new MappedMemory(libc, memoryMap({ bytes: start + bytes }), placed, true);
    result.#place(result.map.guestRam);
    return result;
  }

  /**
   * Maps a table of guest RAM only, wherever its guest addresses are: the regions lie one behind the
   * other in the linear memory, and device memory is the device's own.
   * @param table and the others: as for `map`
   * @throws TableError if regions overlap, leave no room for device memory, or a file could shrink
   */
  static mapRam(libc: Libc, table: readonly TableRegion[], largest: number): MappedMemory {
    for (const region of table) {
      checkFile(libc, region, Number.MAX_SAFE_INTEGER, GUEST_PAGE_BYTES);
      const { guest, bytes } = region;
      const overlaps = (other: TableRegion): boolean =>
        other !== region && guest < other.guest + other.bytes && other.guest < guest + bytes;
      if (table.some(overlaps)) throw new TableError(`regions overlap at ${guest}`);
    }
    const ramStart = memoryMap().guestRam.start;
    let end = ramStart;
    const placed = table.map((region) => {
      const at = end;
      end += Math.ceil(region.bytes / WASM_PAGE_BYTES) * WASM_PAGE_BYTES;
      return { ...region, at };
    });
    const guestRamBytes = end - ramStart;
    const { start } = memoryMap({ guestRamBytes: 0 }).deviceMemory;
    const room = MAX_MEMORY_BYTES - start - guestRamBytes;
    const bytes = Math.floor(Math.min(room, largest) / WASM_PAGE_BYTES) * WASM_PAGE_BYTES;
    if (bytes <= 0) {
      throw new TableError(`${guestRamBytes} bytes of RAM leave no device memory within 4 GiB`);
    }
    const map = memoryMap({ guestRamBytes, bytes: start + guestRamBytes + bytes });
    const result = new MappedMemory(libc, map, placed, false);
    for (const region of placed) result.#place({ start: region.at, size: region.bytes });
    return result;
  }

  private constructor(
    libc: Libc,
    map: MemoryMap,
    table: readonly Placed[],
    sharesDeviceMemory: boolean,
  ) {
    const initial = map.deviceMemory.start / WASM_PAGE_BYTES;
    super(new WebAssembly.Memory({ initial, maximum: 65536, shared: true }), map, POINTER_BASE);
    this.sharesDeviceMemory = sharesDeviceMemory;
    this.#libc = libc;
    this.#table = table;
    this.#mapped = map.deviceMemory.start;
  }

  /** Grows the memory, and maps what the client has there. */
  override ensure(end: number): boolean {
    if (!super.ensure(end)) return false;
    // The base class makes the fixed regions before this one has a table: those are never mapped.
    if (!(#mapped in this) || !this.sharesDeviceMemory) return true;
    const { start, size } = this.map.deviceMemory;
    const to = Math.min(this.byteLength, start + size);
    if (to > this.#mapped) this.#place({ start: this.#mapped, size: to - this.#mapped });
    this.#mapped = to;
    return true;
  }

  /** What rings and descriptors may reach: guest RAM, by its guest addresses. */
  get ram(): GuestRegion[] {
    if (this.sharesDeviceMemory) return guestRegions(this.map);
    return this.#table.map(({ guest, bytes, at }) => ({ guest, size: bytes, offset: at }));
  }

  /** The guest physical address of a frontend's address, or -1. */
  guestOf(user: number): number {
    for (const region of this.#table) {
      const at = user - region.user;
      if (at >= 0 && at < region.bytes) return region.guest + at;
    }
    return -1;
  }

  /** Takes the client's files out of the memory: it may live on until the engine collects it. */
  release(): void {
    const { guestRam, deviceMemory } = this.map;
    const device = { start: deviceMemory.start, size: this.#mapped - deviceMemory.start };
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    for (const { start, size } of [guestRam, device]) {
      if (size > 0) {
        this.#libc.call("mmap", this.#addressOf(start), size, PROT_READ_WRITE, flags, -1, 0);
      }
    }
  }

  #addressOf(offset: number): bigint {
    return this.#libc.addressOf(new Uint8Array(this.memory.buffer)) + BigInt(offset);
  }

  #place({ start, size }: Region): void {
    const region = this.#table.find((each) => covers(each, { start, size }));
    if (region === undefined) throw new TableError(`no region has ${size} bytes at ${start}`);
    const address = this.#addressOf(start);
    const from = region.offset + (start - region.at);
    const flags = MAP_SHARED | MAP_FIXED;
    const got = this.#libc.call("mmap", address, size, PROT_READ_WRITE, flags, region.fd, from);
    if (BigInt(got) !== address) throw new TableError(`mapping ${size} bytes failed (${got})`);
  }
}

function covers({ at, bytes }: Placed, { start, size }: Region): boolean {
  return start >= at && start + size <= at + bytes;
}

/**
 * A file that can shrink would kill the device with SIGBUS: it must be sealed.
 * @param end of guest addresses
 * @param page what all is a multiple of
 */
function checkFile(
  libc: Libc,
  { fd, guest, bytes, offset }: TableRegion,
  end: number,
  page: number,
): void {
  const seals = libc.call("fcntl", fd, F_GET_SEALS, 0);
  if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
    throw new TableError("a memory file is not sealed with F_SEAL_SHRINK");
  }
  const length = libc.call("lseek", fd, 0, SEEK_END);
  const sound = bytes > 0 && [guest, bytes, offset].every((n) => n % page === 0);
  if (!sound || !(offset + bytes <= length) || !(guest + bytes <= end)) {
    throw new TableError(
      `a region of ${bytes} bytes at ${guest} is not in its file, or misaligned`,
    );
  }
}
