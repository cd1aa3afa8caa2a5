// The driver's side against a device that lies, or is only unusual: what it finds in the used ring
// (split) or in the descriptors (packed), and what it makes of it (virtio 1.3 §2.7.8, §2.8).

import assert from "node:assert/strict";
import * as defs from "../../../runtime/virtio/defs.ts";
import {
  sgInitOne,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
  virtqueueAddSgs,
  virtqueueGetBuf,
  virtqueueIsBroken,
  virtqueueKick,
} from "../../../runtime/virtio/index.ts";
import { makeRig } from "../rig.ts";
import { A, B, U, W } from "./ring-vector.ts";

export interface DriverVector {
  readonly name: string;
  readonly source: string;
  readonly section: string;
  readonly packed?: boolean;
  readonly size?: number;
  readonly inOrder?: boolean;
  readonly legacy?: boolean;
  /** Buffers that the driver adds: readable and writable bytes of each; tokens are 0, 1, 2, … */
  readonly add: readonly (readonly [out: number, into: number])[];
  /** Split: used elements from the start, and idx. */
  readonly used?: readonly (readonly [id: number, length: number])[];
  readonly idx?: number;
  /** Packed: descriptors that the device overwrites: position, id, length, flags. */
  readonly descs?: readonly (readonly [at: number, id: number, length: number, flags: number])[];
  /** What the driver gets: token and length. */
  readonly get: readonly (readonly [token: number, length: number])[];
  readonly broken?: number;
  /** Free descriptors afterwards. */
  readonly free?: number;
}

const LINUX = "Linux drivers/virtio/virtio_ring.c ";
const HYPERLIGHT = "hyperlight virtq/";
const USED = A | U;

export const BAD_DEVICES: readonly DriverVector[] = [
  {
    name: "nothing used",
    source: `${LINUX}virtqueue_get_buf_ctx_split`,
    section: "2.7.14",
    add: [[16, 16]],
    get: [],
    free: 6,
  },
  {
    name: "two used, in the other order",
    source: `${LINUX}virtqueue_get_buf_ctx_split`,
    section: "2.7.14",
    add: [
      [16, 0],
      [0, 16],
    ],
    used: [
      [1, 7],
      [0, 0],
    ],
    get: [
      [1, 7],
      [0, 0],
    ],
    free: 8,
  },
  {
    name: "id out of range",
    source: `${LINUX}virtqueue_get_buf_ctx_split: id %u out of range`,
    section: "2.7.8",
    add: [[16, 0]],
    used: [[8, 0]],
    get: [],
    broken: defs.BROKEN_USED_ID,
  },
  {
    name: "an id of 32 bits",
    source: `${LINUX}virtqueue_get_buf_ctx_split: id %u out of range`,
    section: "2.7.8",
    add: [[16, 0]],
    used: [[0x10000, 0]],
    get: [],
    broken: defs.BROKEN_USED_ID,
  },
  {
    name: "id is not a head",
    source: `${LINUX}virtqueue_get_buf_ctx_split: id %u is not a head`,
    section: "2.7.8",
    add: [[16, 16]],
    used: [[1, 0]],
    get: [],
    broken: defs.BROKEN_USED_ID,
  },
  {
    name: "a buffer used twice",
    source: `${LINUX}virtqueue_get_buf_ctx_split: id %u is not a head`,
    section: "2.7.8",
    add: [
      [16, 0],
      [16, 0],
    ],
    used: [
      [0, 0],
      [0, 0],
    ],
    get: [[0, 0]],
    broken: defs.BROKEN_USED_ID,
  },
  {
    name: "a length beyond the writable part",
    source: `${LINUX}used len is larger than in buflen (5.16)`,
    section: "2.7.8.2",
    add: [[16, 16]],
    used: [[0, 17]],
    get: [],
    broken: defs.BROKEN_USED_LEN,
  },
  {
    name: "all of the writable part",
    source: `${LINUX}used len is larger than in buflen (5.16)`,
    section: "2.7.8.2",
    add: [[16, 16]],
    used: [[0, 16]],
    get: [[0, 16]],
  },
  {
    name: "legacy: a length that means nothing",
    source: `${LINUX}suppress_used_validation`,
    section: "2.7.8.1",
    legacy: true,
    add: [[16, 16]],
    used: [[0, 32]],
    get: [[0, 32]],
  },
  {
    name: "idx far ahead",
    source: "Firecracker virtio/queue.rs InvalidAvailIdx, mirrored",
    section: "2.7.8",
    add: [[16, 0]],
    used: [[0, 0]],
    idx: 9,
    get: [],
    broken: defs.BROKEN_USED_IDX,
  },
  {
    name: "idx goes backwards",
    source: "Firecracker virtio/queue.rs InvalidAvailIdx, mirrored",
    section: "2.7.8",
    add: [[16, 0]],
    idx: 0xffff,
    get: [],
    broken: defs.BROKEN_USED_IDX,
  },
  {
    name: "used though nothing was added",
    source: `${LINUX}virtqueue_get_buf_ctx_split: id %u is not a head`,
    section: "2.7.8",
    add: [],
    used: [[0, 0]],
    get: [],
    broken: defs.BROKEN_USED_ID,
  },
  {
    name: "in order: one entry for three buffers",
    source: `${LINUX}virtqueue_get_buf_ctx_split_in_order`,
    section: "2.7.9",
    inOrder: true,
    add: [
      [16, 10],
      [16, 20],
      [16, 30],
    ],
    used: [[4, 5]],
    idx: 3,
    get: [
      [0, 10],
      [1, 20],
      [2, 5],
    ],
    free: 8,
  },
  {
    name: "in order: idx says less than the batch, the rest comes later",
    source: `${LINUX}virtqueue_get_buf_ctx_split_in_order`,
    section: "2.7.9",
    inOrder: true,
    add: [
      [16, 10],
      [16, 20],
    ],
    used: [[2, 5]],
    idx: 1,
    get: [[0, 10]],
  },
  {
    name: "in order: an entry for a buffer that is not in flight",
    source: `${LINUX}virtqueue_get_buf_ctx_split_in_order`,
    section: "2.7.9",
    inOrder: true,
    add: [[16, 10]],
    used: [[5, 5]],
    get: [],
    broken: defs.BROKEN_USED_ID,
  },
  {
    name: "in order: idx beyond what is in flight",
    source: `${LINUX}virtqueue_get_buf_ctx_split_in_order`,
    section: "2.7.9",
    inOrder: true,
    add: [[16, 10]],
    used: [
      [0, 5],
      [0, 5],
    ],
    get: [[0, 5]],
    broken: defs.BROKEN_USED_ID,
  },
  {
    name: "packed: nothing used",
    source: `${HYPERLIGHT}ring.rs ring_initial_poll_used_blocks`,
    section: "2.8.22",
    packed: true,
    add: [[16, 16]],
    get: [],
    free: 6,
  },
  {
    name: "packed: one used",
    source: `${HYPERLIGHT}ring.rs test_poll_and_reclaim`,
    section: "2.8.22",
    packed: true,
    add: [[0, 64]],
    descs: [[0, 0, 42, USED | W]],
    get: [[0, 42]],
    free: 8,
  },
  {
    name: "packed: the tail of a list is marked used",
    source: `${HYPERLIGHT}ring.rs bad_device_marks_tail_used`,
    section: "2.8.2",
    packed: true,
    add: [[4, 4]],
    descs: [[1, 0, 0, USED]],
    get: [],
  },
  {
    name: "packed: AVAIL set and USED clear",
    source: `${HYPERLIGHT}ring.rs bad_device_wrong_used_bits`,
    section: "2.8.1",
    packed: true,
    add: [[0, 8]],
    descs: [[0, 0, 8, A]],
    get: [],
  },
  {
    name: "packed: head and tail of a list are marked used",
    source: `${HYPERLIGHT}ring.rs bad_device_marks_multiple_used_in_chain`,
    section: "2.8.6",
    packed: true,
    add: [[4, 4]],
    descs: [
      [0, 0, 0, USED],
      [1, 0, 0, USED],
    ],
    get: [[0, 0]],
    free: 8,
  },
  {
    name: "packed: used at the wrong place",
    source: `${HYPERLIGHT}ring.rs bad_device_writes_used_at_wrong_slot`,
    section: "2.8.2",
    packed: true,
    add: [[0, 4]],
    descs: [[3, 0, 4, USED | W]],
    get: [],
  },
  {
    name: "packed: an id that was never given",
    source: `${HYPERLIGHT}producer.rs test_villain_used_descriptor_with_invalid_id_is_rejected`,
    section: "2.8.22",
    packed: true,
    add: [[0, 4]],
    descs: [[0, 5, 4, USED | W]],
    get: [],
    broken: defs.BROKEN_PACKED_ID,
  },
  {
    name: "packed: an id beyond the queue",
    source: `${LINUX}virtqueue_get_buf_ctx_packed: id %u out of range`,
    section: "2.8.22",
    packed: true,
    add: [[0, 4]],
    descs: [[0, 8, 4, USED | W]],
    get: [],
    broken: defs.BROKEN_PACKED_ID,
  },
  {
    name: "packed: an id used twice",
    source: `${LINUX}virtqueue_get_buf_ctx_packed: id %u is not a head`,
    section: "2.8.22",
    packed: true,
    add: [
      [0, 4],
      [0, 4],
    ],
    descs: [
      [0, 0, 4, USED | W],
      [1, 0, 4, USED | W],
    ],
    get: [[0, 4]],
    broken: defs.BROKEN_PACKED_ID,
  },
  {
    name: "packed: a length beyond the writable part",
    source: `${HYPERLIGHT}producer.rs test_villain_used_len_exceeding_writable_capacity_is_rejected`,
    section: "2.8.4",
    packed: true,
    add: [[16, 16]],
    descs: [[0, 0, 17, USED | W]],
    get: [],
    broken: defs.BROKEN_USED_LEN,
  },
  {
    name: "packed: without WRITE the length is ignored",
    source: "virtio 1.3 standard",
    section: "2.8.4",
    packed: true,
    add: [[16, 16]],
    descs: [[0, 0, 0xffffffff, USED]],
    get: [[0, 0]],
  },
  {
    name: "packed: NEXT in a used descriptor is ignored",
    source: "virtio 1.3 standard",
    section: "2.8.6",
    packed: true,
    add: [[0, 16]],
    descs: [[0, 0, 4, USED | W | defs.DESC_F_NEXT]],
    get: [[0, 4]],
  },
  {
    name: "packed: completed in the other order, over lists of different length",
    source: `${HYPERLIGHT}ring.rs test_out_of_order_multi_length`,
    section: "2.8.6",
    packed: true,
    add: [
      [4, 4],
      [0, 4],
    ],
    descs: [
      [0, 1, 4, USED | W],
      [1, 0, 2, USED | W],
    ],
    get: [
      [1, 4],
      [0, 2],
    ],
    free: 8,
  },
  {
    name: "packed in order: one descriptor for three buffers",
    source: `${LINUX}virtqueue_get_buf_ctx_packed_in_order`,
    section: "2.8.8",
    packed: true,
    inOrder: true,
    add: [
      [16, 10],
      [0, 20],
      [16, 30],
    ],
    descs: [[0, 2, 5, USED | W]],
    get: [
      [0, 10],
      [1, 20],
      [2, 5],
    ],
    free: 8,
  },
  {
    name: "packed in order: an id that is not in flight",
    source: `${LINUX}virtqueue_get_buf_ctx_packed_in_order`,
    section: "2.8.8",
    packed: true,
    inOrder: true,
    add: [[16, 10]],
    descs: [[0, 1, 5, USED | W]],
    get: [],
    broken: defs.BROKEN_PACKED_ID,
  },
];

/** Runs one vector on the driver's side. */
export function runDriverVector(vector: DriverVector): void {
  const { packed = false, size = 8, inOrder, legacy, add, used = [], descs = [] } = vector;
  let features = legacy ? 0n : VIRTIO_F_VERSION_1;
  if (packed) features |= VIRTIO_F_RING_PACKED;
  if (inOrder) features |= VIRTIO_F_IN_ORDER;
  const rig = makeRig({ size, features });
  for (const [token, [out, into]] of add.entries()) {
    const list = (bytes: number) => (bytes > 0 ? [sgInitOne(B, bytes)] : []);
    assert.equal(virtqueueAddSgs(rig.driver, list(out), list(into), token), 0);
  }
  virtqueueKick(rig.driver);

  const { desc, device } = rig.driver.addresses;
  for (const [i, [id, length]] of used.entries()) {
    rig.view.setUint32(device + 4 + 8 * i, id, true);
    rig.view.setUint32(device + 8 + 8 * i, length, true);
  }
  if (!packed) rig.view.setUint16(device + 2, vector.idx ?? used.length, true);
  for (const [at, id, length, flags] of descs) {
    rig.view.setUint32(desc + 16 * at + 8, length, true);
    rig.view.setUint16(desc + 16 * at + 12, id, true);
    rig.view.setUint16(desc + 16 * at + 14, flags, true);
  }

  const found: [unknown, number][] = [];
  for (let token = virtqueueGetBuf(rig.driver); token !== undefined; ) {
    found.push([token, rig.driver.usedLength]);
    token = virtqueueGetBuf(rig.driver);
  }
  assert.deepEqual(found, vector.get);
  assert.equal(rig.driver.ring.broken(), vector.broken ?? 0);
  assert.equal(virtqueueIsBroken(rig.driver), vector.broken !== undefined);
  assert.equal(rig.driver.error === "", vector.broken === undefined);
  if (vector.free !== undefined) assert.equal(rig.driver.free, vector.free);
  if (vector.broken !== undefined) {
    assert.equal(virtqueueAddSgs(rig.driver, [sgInitOne(B, 1)], [], "late"), -defs.EIO);
    assert.equal(virtqueueKick(rig.driver), true, "a broken queue asks for no notification");
  }
}
