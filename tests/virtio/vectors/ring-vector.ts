// A test vector for the device's side of a ring: bytes that a driver left in guest memory, and what
// the device must make of them. The tables beside this file hold the vectors; what they say was
// learnt from the tests of other projects, named in `source`, and is checked against the standard's
// section. Numbers are facts of those tests or the smallest that show the same case.

import assert from "node:assert/strict";
import * as defs from "../../../runtime/virtio/defs.ts";
import { brokenText } from "../../../runtime/virtio/errors.ts";
import {
  type GuestRegion,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_NOTIFY_ON_EMPTY,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
  type VirtQueueElement,
  virtioNotify,
  virtqueueEmpty,
  virtqueuePop,
  virtqueuePush,
} from "../../../runtime/virtio/index.ts";
import { BUFFERS, makeRig, RAM_END, type Rig } from "../rig.ts";

/** Flags of descriptors. */
export const N = defs.DESC_F_NEXT;
export const W = defs.DESC_F_WRITE;
export const I = defs.DESC_F_INDIRECT;
/** AVAIL and USED bits of packed descriptors. */
export const A = defs.PACKED_F_AVAIL;
export const U = defs.PACKED_F_USED;

/** Where buffers may lie, and where guest memory ends. */
export const B = BUFFERS;
export const END = RAM_END;

/** Address, length, flags, and next (split) or buffer id (packed). */
export type Descriptor = readonly [
  address: number | bigint,
  length: number,
  flags: number,
  next: number,
];

/** An available descriptor of the first round (wrap counter 1). */
export function av(
  address: number | bigint,
  length: number,
  flags: number,
  id: number,
): Descriptor {
  return [address, length, flags | A, id];
}

/** Segments, by address and length. */
type Segments = readonly (readonly [number, number])[];

export interface Pop {
  readonly id: number;
  readonly out?: Segments;
  readonly in?: Segments;
}

export interface RingVector {
  /** Short name, unique in its table. */
  readonly name: string;
  /** Project and test that the case is from. */
  readonly source: string;
  /** Section of virtio 1.3. */
  readonly section: string;
  readonly size?: number;
  readonly features?: readonly (
    | "indirect"
    | "event_idx"
    | "in_order"
    | "notify_on_empty"
    | "legacy"
  )[];
  readonly segments?: number;
  readonly regions?: readonly GuestRegion[];
  /** Descriptors of the ring, from index 0. */
  readonly table: readonly Descriptor[];
  /** Indirect tables, by address. */
  readonly tables?: readonly (readonly [address: number, table: readonly Descriptor[]])[];
  /** Split: heads in the available ring, from `start`; and idx, by default behind them. */
  readonly avail?: readonly number[];
  readonly idx?: number;
  /** Split: the device's cursor at start. */
  readonly start?: number;
  /** Driver's suppression fields: flags and used_event, or the event structure. */
  readonly availFlags?: number;
  readonly usedEvent?: number;
  readonly driverEvent?: readonly [offWrap: number, flags: number];
  /** What is popped before the queue is empty or broken. */
  readonly pops: readonly Pop[];
  /** BROKEN_* if the ring breaks the queue. */
  readonly broken?: number;
  /** Which pops are given back, with which length, and whether the driver is notified after each. */
  readonly push?: readonly (readonly [pop: number, length: number])[];
  readonly notify?: readonly boolean[];
  /** Used elements that the driver then finds, as id and length, from the start of the ring. */
  readonly used?: readonly (readonly [number, number])[];
}

const FEATURES = {
  indirect: VIRTIO_F_INDIRECT_DESC,
  event_idx: VIRTIO_F_EVENT_IDX,
  in_order: VIRTIO_F_IN_ORDER,
  notify_on_empty: VIRTIO_F_NOTIFY_ON_EMPTY,
  legacy: 0n,
};

function writeDescriptor(
  view: DataView,
  at: number,
  descriptor: Descriptor,
  packed: boolean,
): void {
  const [address, length, flags, next] = descriptor;
  view.setBigUint64(at, BigInt(address), true);
  view.setUint32(at + 8, length, true);
  view.setUint16(at + (packed ? 14 : 12), flags, true);
  view.setUint16(at + (packed ? 12 : 14), next, true);
}

function writeRing(rig: Rig, vector: RingVector, packed: boolean): void {
  const { view } = rig;
  const { desc, driver } = rig.driver.addresses;
  vector.table.forEach((d, i) => {
    writeDescriptor(view, desc + 16 * i, d, packed);
  });
  for (const [address, table] of vector.tables ?? []) {
    table.forEach((d, i) => {
      writeDescriptor(view, address + 16 * i, d, packed);
    });
  }
  if (packed) {
    const [offWrap, flags] = vector.driverEvent ?? [0, 0];
    view.setUint16(driver, offWrap, true);
    view.setUint16(driver + 2, flags, true);
    return;
  }
  const size = vector.size ?? 8;
  const start = vector.start ?? 0;
  const heads = vector.avail ?? [];
  heads.forEach((head, i) => {
    view.setUint16(driver + 4 + 2 * ((start + i) % size), head, true);
  });
  view.setUint16(driver, vector.availFlags ?? 0, true);
  view.setUint16(driver + 2, vector.idx ?? (start + heads.length) & 0xffff, true);
  view.setUint16(driver + 4 + 2 * size, vector.usedEvent ?? 0, true);
}

function segmentsOf(iov: VirtQueueElement["out"]): [number, number][] {
  return Array.from({ length: iov.count }, (_, i) => [iov.address(i), iov.length(i)]);
}

/** Runs one vector; throws where the device does something else. */
export function runRingVector(vector: RingVector, packed: boolean): void {
  const features = vector.features ?? [];
  let bits = features.includes("legacy") ? 0n : VIRTIO_F_VERSION_1;
  for (const name of features) bits |= FEATURES[name];
  if (packed) bits |= VIRTIO_F_RING_PACKED;
  const { size = 8, segments, regions } = vector;
  const rig = makeRig({
    size,
    features: bits,
    ...(segments === undefined ? {} : { segments }),
    ...(regions === undefined ? {} : { regions }),
  });
  writeRing(rig, vector, packed);
  if (vector.start !== undefined) {
    rig.device.ring.restore(vector.start, vector.start, vector.start, 1, 1, 0);
  }

  const elements: VirtQueueElement[] = [];
  // One pop more than there can be shows that the end is an end.
  for (let i = 0; i <= size; i++) {
    const element = virtqueuePop(rig.device);
    if (element === undefined) break;
    elements.push(element);
  }
  const found = elements.map((element) => ({
    id: element.index,
    out: segmentsOf(element.out),
    in: segmentsOf(element.in),
  }));
  const expected = vector.pops.map(({ id, out = [], in: into = [] }) => ({ id, out, in: into }));
  assert.deepEqual(found, expected, rig.errors.join());

  assert.equal(rig.device.ring.broken(), vector.broken ?? 0, rig.errors.join());
  assert.equal(rig.errors.length, vector.broken === undefined ? 0 : 1);
  if (vector.broken !== undefined) {
    // The log says why, in words that name a section.
    assert.match(rig.errors[0]!, /§2\.\d/);
    assert.equal(rig.errors[0]!.split(":")[0], brokenText(vector.broken, 0).split(":")[0]);
    assert.equal(virtqueueEmpty(rig.device), true);
    assert.equal(virtqueuePop(rig.device), undefined);
  }

  (vector.push ?? []).forEach(([pop, length], i) => {
    virtqueuePush(rig.device, elements[pop]!, length);
    const notified = virtioNotify(rig.device);
    if (vector.notify !== undefined) assert.equal(notified, vector.notify[i], `notify ${i}`);
  });
  if (vector.used !== undefined)
    assert.deepEqual(usedOf(rig, packed, vector.used.length), vector.used);
}

function usedOf(rig: Rig, packed: boolean, count: number): [number, number][] {
  const { desc, device } = rig.driver.addresses;
  const { view } = rig;
  if (!packed) {
    return Array.from({ length: count }, (_, i) => {
      const at = device + 4 + 8 * i;
      return [view.getUint32(at, true), view.getUint32(at + 4, true)];
    });
  }
  return Array.from({ length: count }, (_, i) => {
    const at = desc + 16 * i;
    assert.equal(view.getUint16(at + 14, true) & (A | U), A | U, `descriptor ${i} is not used`);
    return [view.getUint16(at + 12, true), view.getUint32(at + 8, true)];
  });
}
