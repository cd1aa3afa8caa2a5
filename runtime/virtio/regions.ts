import { REGION_F_READONLY, REGION_SIZE, WORK_REGIONS, WORK_REGIONS_MAX } from "./defs.ts";

/** A range of guest physical memory and where it lies in the linear memory. */
export interface GuestRegion {
  /** Guest physical (or platform, §6.1 ACCESS_PLATFORM) address of its first byte. */
  readonly guest: number;
  /** Bytes. */
  readonly size: number;
  /** Offset in the linear memory. */
  readonly offset: number;
  /** The device may only read it. */
  readonly readonly?: boolean;
}

/**
 * Checks a region table.
 * @param regions the table
 * @param memoryBytes size of the linear memory
 * @param workspace the private range that no region may overlap: the device's own state is there
 * @throws RangeError if a region is empty, not in memory, overlaps the workspace or another region
 *   of the guest's addresses, or if there are more than 32
 */
export function checkRegions(
  regions: readonly GuestRegion[],
  memoryBytes: number,
  workspace: { readonly start: number; readonly size: number },
): void {
  if (regions.length > WORK_REGIONS_MAX) {
    throw new RangeError(`${regions.length} guest regions, at most ${WORK_REGIONS_MAX}`);
  }
  for (const [i, { guest, size, offset }] of regions.entries()) {
    const sound = [guest, size, offset].every((value) => Number.isSafeInteger(value) && value >= 0);
    // Memory of 4 GiB at most: none of the sums can leave the exact range of a double.
    if (!sound || size === 0 || guest + size > 2 ** 53 || offset + size > memoryBytes) {
      throw new RangeError(`guest region ${i} is not inside the linear memory`);
    }
    if (offset < workspace.start + workspace.size && workspace.start < offset + size) {
      throw new RangeError(`guest region ${i} overlaps the device's private workspace`);
    }
    for (const other of regions.slice(0, i)) {
      if (guest < other.guest + other.size && other.guest < guest + size) {
        throw new RangeError(`guest region ${i} overlaps another one`);
      }
    }
  }
}

/** Writes the table where the core reads it. */
export function writeRegions(view: DataView, regions: readonly GuestRegion[]): void {
  for (const [i, { guest, size, offset, readonly }] of regions.entries()) {
    const entry = WORK_REGIONS + i * REGION_SIZE;
    view.setBigUint64(entry, BigInt(guest), true);
    view.setBigUint64(entry + 8, BigInt(size), true);
    view.setUint32(entry + 16, offset, true);
    view.setUint32(entry + 20, readonly ? REGION_F_READONLY : 0, true);
  }
}

/**
 * The one translation of guest addresses, for host code: the core has its own copy of the table.
 * @param regions the region table
 * @param address guest address, any integer
 * @param length bytes
 * @param write is the range to be written?
 * @returns offset in the linear memory, or -1 if the range is not wholly inside one region
 */
export function translate(
  regions: readonly GuestRegion[],
  address: number,
  length: number,
  write: boolean,
): number {
  for (const region of regions) {
    const offset = address - region.guest;
    if (offset < 0 || offset >= region.size) continue;
    if (length > region.size - offset || (write && region.readonly)) return -1;
    return region.offset + offset;
  }
  return -1;
}

/** The guest address of a linear one, or -1 if no region has it. */
export function untranslate(regions: readonly GuestRegion[], linear: number): number {
  for (const { guest, size, offset } of regions) {
    if (linear >= offset && linear < offset + size) return guest + (linear - offset);
  }
  return -1;
}
