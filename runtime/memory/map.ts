/**
 * The memory map: where everything lies in the one linear memory of a vGPU. Every region is
 * "previous + size". Offsets are guest physical addresses; all sizes are in bytes.
 *
 *     0            ┌────────────────────────────┐
 *                  │ null page, never handed out│  64 KiB
 *     guestRam     ├────────────────────────────┤
 *                  │ rings, requests, staging   │  guestRamBytes
 *     workspace    ├────────────────────────────┤
 *                  │ private walks of the queues│  WORKSPACE_BYTES (in no guest region)
 *     launches     ├────────────────────────────┤
 *                  │ parameters of queued work  │  LAUNCH_SLOTS × LAUNCH_SLOT_BYTES
 *     scratch      ├────────────────────────────┤
 *                  │ spills, shared, local      │  scratchBytes (the executor's)
 *     deviceMemory ├────────────────────────────┤
 *                  │ heap: device, pinned and   │  grows up to the end of the partition
 *                  │ managed allocations        │
 *     end          └────────────────────────────┘  at most 4 GiB
 */

/** A WebAssembly page. */
export const WASM_PAGE_BYTES = 65536;
/** The end of the largest memory: 2³² bytes. */
export const MAX_MEMORY_BYTES = 4294967296;
/** Page size of guest RAM allocations. */
export const GUEST_PAGE_BYTES = 4096;

const NULL_PAGE_BYTES = 65536;
const GUEST_RAM_BYTES = 64 << 20;
const WORKSPACE_BYTES = 1 << 20;
const SCRATCH_BYTES = 64 << 20;
/** Where the parameters of launches wait for their turn. */
export const LAUNCH_SLOTS = 64;
export const LAUNCH_SLOT_BYTES = 4096;

/** CUDA pointer = POINTER_BASE + offset: a multiple of 4 GiB below 2⁴⁷. */
export const POINTER_BASE = 0x2000_0000_0000;

/** A range of the linear memory, in bytes. */
export interface Region {
  readonly start: number;
  readonly size: number;
}

/** The regions of one vGPU. */
export interface MemoryMap {
  readonly nullPage: Region;
  readonly guestRam: Region;
  readonly workspace: Region;
  readonly launches: Region;
  readonly scratch: Region;
  /** `size` is the most that the heap may grow to. */
  readonly deviceMemory: Region;
}

/** What can be chosen about the map; sizes in bytes. */
export interface MemoryMapOptions {
  /** Where the partition starts (a multiple of 64 KiB) and how long it is. */
  readonly start?: number;
  readonly bytes?: number;
  readonly guestRamBytes?: number;
  readonly scratchBytes?: number;
}

/**
 * Lays out one vGPU's partition of the linear memory.
 * @param options start and size of the partition, and of its fixed regions
 * @returns the regions, in ascending order and without gaps
 * @throws RangeError if the partition is not within 4 GiB or leaves no room for device memory
 */
export function memoryMap(options: MemoryMapOptions = {}): MemoryMap {
  const start = options.start ?? 0;
  const bytes = options.bytes ?? MAX_MEMORY_BYTES - start;
  const nullPage = { start, size: NULL_PAGE_BYTES };
  const guestRam = { start: end(nullPage), size: pages(options.guestRamBytes ?? GUEST_RAM_BYTES) };
  const workspace = { start: end(guestRam), size: WORKSPACE_BYTES };
  const launches = { start: end(workspace), size: LAUNCH_SLOTS * LAUNCH_SLOT_BYTES };
  const scratch = { start: end(launches), size: pages(options.scratchBytes ?? SCRATCH_BYTES) };
  const deviceMemory = { start: end(scratch), size: start + bytes - end(scratch) };
  if (start < 0 || start % WASM_PAGE_BYTES || !(start + bytes <= MAX_MEMORY_BYTES)) {
    throw new RangeError(`a partition of ${bytes} bytes at ${start} is not within 4 GiB`);
  }
  if (!(deviceMemory.size >= WASM_PAGE_BYTES)) {
    throw new RangeError(`a partition of ${bytes} bytes leaves no room for device memory`);
  }
  return { nullPage, guestRam, workspace, launches, scratch, deviceMemory };
}

function end(region: Region): number {
  return region.start + region.size;
}

function pages(bytes: number): number {
  return Math.ceil(bytes / WASM_PAGE_BYTES) * WASM_PAGE_BYTES;
}
