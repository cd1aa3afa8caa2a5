/** How a machine divides its memory among the device and the host threads that drive it. */
import { GUEST_PAGE_BYTES, type MemoryMap, type Region } from "../memory/index.ts";
import { MAX_QUEUE_GROUPS } from "../protocol/definitions.ts";
import type { GuestRegion } from "../virtio/index.ts";

/** One host thread's parts. */
export interface GroupLayout {
  /** Its share of guest RAM. */
  readonly guestRam: Region;
  /** Private bytes for its side of the queues. */
  readonly workspace: Region;
}

/** The device's private bytes: the first half of the workspace. */
export function deviceWorkspace(map: MemoryMap): Region {
  return { start: map.workspace.start, size: map.workspace.size / 2 };
}

/** The share of queue group `group`, of MAX_QUEUE_GROUPS. */
export function groupLayout(map: MemoryMap, group: number): GroupLayout {
  const ram =
    Math.floor(map.guestRam.size / MAX_QUEUE_GROUPS / GUEST_PAGE_BYTES) * GUEST_PAGE_BYTES;
  const own = map.workspace.size / 2 / MAX_QUEUE_GROUPS;
  const driverSide = map.workspace.start + map.workspace.size / 2;
  return {
    guestRam: { start: map.guestRam.start + group * ram, size: ram },
    workspace: { start: driverSide + group * own, size: own },
  };
}

/** What the device may reach for its queues: guest RAM, at its own address. */
export function guestRegions(map: MemoryMap): GuestRegion[] {
  const { start, size } = map.guestRam;
  return [{ guest: start, size, offset: start }];
}
