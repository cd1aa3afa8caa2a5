/**
 * A client's memory: the files of its memory table, mapped over the device's linear memory, so that
 * kernels, rings and the client see the same bytes.
 */
import {
  GuestMemory,
  type MemoryMap,
  memoryMap,
  POINTER_BASE,
  type Region,
} from "../memory/index.ts";
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
  /** Guest physical address: the offset in the linear memory. */
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

/**
 * Guest memory whose guest RAM and device memory are a client's. The device's private parts in
 * between (queue walks, launch parameters, scratch) stay the device's own.
 */
export class MappedMemory extends GuestMemory {
  readonly #libc: Libc;
  readonly #table: readonly TableRegion[];
  /** Up to where device memory is mapped. */
  #mapped: number;

  /**
   * @param table from the client; descriptors are used as long as the memory grows
   * @param largest bytes of device memory at most
   * @throws TableError if the table does not have guest RAM and some device memory at the offsets
   *   that they have in the memory map, or a file could shrink
   */
  static map(libc: Libc, table: readonly TableRegion[], largest: number): MappedMemory {
    for (const region of table) checkFile(libc, region);
    const fixed = memoryMap();
    const start = fixed.deviceMemory.start;
    const ram = table.find((region) => covers(region, fixed.guestRam));
    const device = table.find((region) => contains(region, start));
    if (ram === undefined || device === undefined) {
      throw new TableError(
        `the memory table has no guest RAM at ${fixed.guestRam.start} (${fixed.guestRam.size} ` +
          `bytes), or no device memory at ${start}`,
      );
    }
    const room = device.guest + device.bytes - start;
    const bytes = Math.floor(Math.min(room, fixed.deviceMemory.size, largest) / 65536) * 65536;
    if (bytes <= 0) throw new TableError("the memory table leaves no device memory");
    const map = memoryMap({ bytes: start + bytes });
    const initial = start / 65536;
    const memory = new WebAssembly.Memory({ initial, maximum: 65536, shared: true });
    const result = new MappedMemory(libc, memory, map, table);
    result.#place(map.guestRam);
    return result;
  }

  private constructor(
    libc: Libc,
    memory: WebAssembly.Memory,
    map: MemoryMap,
    table: readonly TableRegion[],
  ) {
    super(memory, map, POINTER_BASE);
    this.#libc = libc;
    this.#table = table;
    this.#mapped = map.deviceMemory.start;
  }

  /** Grows the memory, and maps what the client has there. */
  override ensure(end: number): boolean {
    if (!super.ensure(end)) return false;
    // The base class makes the fixed regions before this one has a table: those are never mapped.
    if (!(#mapped in this)) return true;
    const { start, size } = this.map.deviceMemory;
    const to = Math.min(this.byteLength, start + size);
    if (to > this.#mapped) this.#place({ start: this.#mapped, size: to - this.#mapped });
    this.#mapped = to;
    return true;
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
    const at = region.offset + (start - region.guest);
    const flags = MAP_SHARED | MAP_FIXED;
    const got = this.#libc.call("mmap", address, size, PROT_READ_WRITE, flags, region.fd, at);
    if (BigInt(got) !== address) throw new TableError(`mapping ${size} bytes failed (${got})`);
  }
}

function contains(region: TableRegion, address: number): boolean {
  return address >= region.guest && address < region.guest + region.bytes;
}

function covers(region: TableRegion, { start, size }: Region): boolean {
  return start >= region.guest && start + size <= region.guest + region.bytes;
}

/** A file that can shrink would kill the device with SIGBUS: it must be sealed. */
function checkFile(libc: Libc, { fd, guest, bytes, offset }: TableRegion): void {
  const seals = libc.call("fcntl", fd, F_GET_SEALS, 0);
  if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
    throw new TableError("a memory file is not sealed with F_SEAL_SHRINK");
  }
  const length = libc.call("lseek", fd, 0, SEEK_END);
  const sound = [guest, bytes, offset].every((n) => n % 65536 === 0);
  if (!sound || !(offset + bytes <= length) || guest + bytes > 2 ** 32) {
    throw new TableError(
      `a region of ${bytes} bytes at ${guest} is not in its file, or misaligned`,
    );
  }
}
