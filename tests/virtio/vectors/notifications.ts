// When to notify: event index, flags, event suppression structures (virtio 1.3 §2.7.7, §2.7.10,
// §2.8.10). The device's side; kicks.ts has the driver's.

import assert from "node:assert/strict";
import * as defs from "../../../runtime/virtio/defs.ts";
import {
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_NOTIFY_ON_EMPTY,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
} from "../../../runtime/virtio/index.ts";
import { makeRig } from "../rig.ts";

export interface NotificationVector {
  readonly name: string;
  readonly source: string;
  readonly section: string;
  readonly packed?: boolean;
  readonly size?: number;
  readonly eventIdx?: boolean;
  readonly notifyOnEmpty?: boolean;
  /** The device's used position at the last notification (packed: with its wrap bit, 1 << 15). */
  readonly start?: number;
  /** Split: flags and used_event of the available ring; packed: off_wrap and flags of the event. */
  readonly flags?: number;
  readonly event?: number;
  /** Elements flushed, and after each flush whether the driver must be notified. */
  readonly steps: readonly (readonly [flushed: number, notify: boolean])[];
  /** Buffers in flight beforehand; by default those that are flushed and one more. */
  readonly inFlight?: number;
}

const WRAP = 0x8000;
const RUST_VMM = "rust-vmm virtio-queue queue.rs test_needs_notification";
const FIRECRACKER = "Firecracker virtio/queue.rs test_needs_kick";
const HYPERLIGHT = "hyperlight virtq/ring.rs ";
const VILLAIN = "virtio-villain tests/";

export const NOTIFICATIONS: readonly NotificationVector[] = [
  {
    name: "flags 0: always",
    source: RUST_VMM,
    section: "2.7.7.2",
    steps: [
      [1, true],
      [3, true],
    ],
  },
  {
    name: "NO_INTERRUPT: never",
    source: `${VILLAIN}vring/t0093_no_interrupt_suppresses_isr`,
    section: "2.7.7.2",
    flags: defs.AVAIL_F_NO_INTERRUPT,
    steps: [
      [1, false],
      [3, false],
    ],
  },
  {
    name: "flags' other bits say nothing",
    source: `${VILLAIN}vring/t0026_avail_flags_invalid`,
    section: "2.7.7.2",
    flags: 0xfffe,
    steps: [[1, true]],
  },
  {
    name: "with the event index, flags are ignored",
    source: "Linux drivers/virtio/virtio_ring.c vring_need_event",
    section: "2.7.7.2",
    eventIdx: true,
    flags: defs.AVAIL_F_NO_INTERRUPT,
    steps: [[1, true]],
  },
  {
    name: "used_event 4: only the step to 5",
    source: RUST_VMM,
    section: "2.7.7.2",
    eventIdx: true,
    size: 16,
    event: 4,
    steps: [
      [1, false],
      [1, false],
      [1, false],
      [1, false],
      [1, true],
      [1, false],
      [1, false],
    ],
  },
  {
    name: "used_event 4 again after 65536 more",
    source: RUST_VMM,
    section: "2.7.7.2",
    eventIdx: true,
    size: 16,
    start: 4,
    event: 4,
    steps: [
      [1, true],
      [1, false],
    ],
  },
  {
    name: "used_event 15, from 15 to 16",
    source: RUST_VMM,
    section: "2.7.7.2",
    eventIdx: true,
    size: 16,
    start: 15,
    event: 15,
    steps: [
      [1, true],
      [0, false],
    ],
  },
  {
    name: "used_event 15, from 14 to 15",
    source: RUST_VMM,
    section: "2.7.7.2",
    eventIdx: true,
    size: 16,
    start: 14,
    event: 15,
    steps: [[1, false]],
  },
  {
    name: "used_event 65532, from 65532 to 65533",
    source: RUST_VMM,
    section: "2.7.7.2",
    eventIdx: true,
    size: 16,
    start: 65532,
    event: 65532,
    steps: [[1, true]],
  },
  {
    name: "old index before the event, which is before the new one",
    source: FIRECRACKER,
    section: "2.7.7.2",
    eventIdx: true,
    size: 16,
    start: 5,
    event: 6,
    steps: [[5, true]],
  },
  {
    name: "old index at the event",
    source: FIRECRACKER,
    section: "2.7.7.2",
    eventIdx: true,
    size: 16,
    start: 6,
    event: 6,
    steps: [[4, true]],
  },
  {
    name: "event before the old index",
    source: FIRECRACKER,
    section: "2.7.7.2",
    eventIdx: true,
    size: 16,
    start: 7,
    event: 6,
    steps: [[3, false]],
  },
  {
    name: "T0027 a poisoned event",
    source: `${VILLAIN}vring/t0027_avail_used_event_poison`,
    section: "2.7.7.2",
    eventIdx: true,
    event: 0xffff,
    steps: [
      [1, false],
      [1, false],
    ],
  },
  {
    name: "T0055 an event far ahead",
    source: `${VILLAIN}vring/t0055_notif_suppression_overflow`,
    section: "2.7.7.2",
    eventIdx: true,
    event: 0x7fff,
    steps: [
      [2, false],
      [1, false],
    ],
  },
  {
    name: "T0080 the index wraps over the event",
    source: `${VILLAIN}vring/t0080_avail_wrap_event_idx`,
    section: "2.7.7.2",
    eventIdx: true,
    start: 0xfffe,
    event: 0xffff,
    steps: [
      [1, false],
      [1, true],
      [1, false],
    ],
  },
  {
    name: "T0088 exactly at the event",
    source: `${VILLAIN}vring/t0088_avail_event_exact_transition`,
    section: "2.7.7.2",
    eventIdx: true,
    start: 3,
    event: 3,
    steps: [[1, true]],
  },
  {
    name: "legacy: the last buffer notifies though interrupts are off",
    source: "QEMU hw/virtio/virtio.c virtio_split_should_notify",
    section: "6.3",
    notifyOnEmpty: true,
    flags: defs.AVAIL_F_NO_INTERRUPT,
    inFlight: 2,
    steps: [
      [1, false],
      [1, true],
    ],
  },
  {
    name: "packed ENABLE: always",
    source: `${HYPERLIGHT}should_notify_flags_enable_disable`,
    section: "2.8.10",
    packed: true,
    flags: defs.EVENT_F_ENABLE,
    steps: [
      [1, true],
      [2, true],
    ],
  },
  {
    name: "packed DISABLE: never",
    source: `${HYPERLIGHT}should_notify_flags_enable_disable`,
    section: "2.8.10",
    packed: true,
    flags: defs.EVENT_F_DISABLE,
    steps: [
      [1, false],
      [2, false],
    ],
  },
  {
    name: "packed event 6, from 2 to 3",
    source: `${HYPERLIGHT}should_notify_desc_no_crossing`,
    section: "2.8.10",
    packed: true,
    eventIdx: true,
    start: 2 | WRAP,
    event: 6 | WRAP,
    flags: defs.EVENT_F_DESC,
    steps: [[1, false]],
  },
  {
    name: "packed event 7 of the round before, from 7 over the end to 1",
    source: `${HYPERLIGHT}should_notify_desc_wrap_mismatch_adjusts_event_idx`,
    section: "2.8.10",
    packed: true,
    eventIdx: true,
    start: 7 | WRAP,
    event: 7 | WRAP,
    flags: defs.EVENT_F_DESC,
    steps: [[2, true]],
  },
  {
    name: "P0017 packed event with the other wrap counter",
    source: `${VILLAIN}packed/p0017_packed_notif_stale_wrap`,
    section: "2.8.10",
    packed: true,
    eventIdx: true,
    event: 0,
    flags: defs.EVENT_F_DESC,
    steps: [[1, false]],
  },
  {
    name: "P0019 packed event 1 with the other wrap counter",
    source: `${VILLAIN}packed/p0019_packed_event_wrap_mismatch`,
    section: "2.8.10",
    packed: true,
    eventIdx: true,
    event: 1,
    flags: defs.EVENT_F_DESC,
    steps: [
      [1, false],
      [1, false],
    ],
  },
  {
    name: "P0023 packed event at the next descriptor",
    source: `${VILLAIN}packed/p0023_packed_event_suppress_desc`,
    section: "2.8.10",
    packed: true,
    eventIdx: true,
    event: 1 | WRAP,
    flags: defs.EVENT_F_DESC,
    steps: [
      [1, false],
      [1, true],
    ],
  },
  {
    name: "P0029 packed event at 0",
    source: `${VILLAIN}packed/p0029_packed_event_idx_desc`,
    section: "2.8.10",
    packed: true,
    eventIdx: true,
    event: WRAP,
    flags: defs.EVENT_F_DESC,
    steps: [
      [1, true],
      [1, false],
    ],
  },
  {
    name: "P0031 packed reserved flags: notified, to be safe",
    source: `${VILLAIN}packed/p0031_packed_event_reserved`,
    section: "2.8.10",
    packed: true,
    eventIdx: true,
    flags: 3,
    steps: [[1, true]],
  },
  {
    name: "packed DESC without the feature: notified",
    source: "QEMU hw/virtio/virtio.c virtio_packed_should_notify",
    section: "2.8.10",
    packed: true,
    event: 5 | WRAP,
    flags: defs.EVENT_F_DESC,
    steps: [[1, true]],
  },
  {
    name: "P0041 packed event at the queue size: never reached",
    source: `${VILLAIN}packed/p0041_event_off_at_qsize`,
    section: "2.8.10",
    packed: true,
    eventIdx: true,
    event: 8 | WRAP,
    flags: defs.EVENT_F_DESC,
    steps: [
      [1, false],
      [1, false],
    ],
  },
  {
    name: "packed event offset 0x7fff",
    source: `${VILLAIN}packed/p0054_event_struct_format`,
    section: "2.8.14",
    packed: true,
    eventIdx: true,
    event: 0xffff,
    flags: defs.EVENT_F_DESC,
    steps: [
      [1, false],
      [3, false],
    ],
  },
  {
    name: "packed reserved bits beside the flags are ignored",
    source: `${VILLAIN}packed/p0054_event_struct_format`,
    section: "2.8.14",
    packed: true,
    flags: 0xfffc | defs.EVENT_F_DISABLE,
    steps: [[1, false]],
  },
  {
    name: "packed: a batch that passes the event",
    source: `${HYPERLIGHT}test_batch_notification_single_check`,
    section: "2.8.10",
    packed: true,
    eventIdx: true,
    event: 1 | WRAP,
    flags: defs.EVENT_F_DESC,
    steps: [
      [3, true],
      [1, false],
    ],
  },
];

/** Runs one vector on the device's side. */
export function runNotificationVector(vector: NotificationVector): void {
  const { packed = false, size = 8, eventIdx, notifyOnEmpty, flags = 0, event = 0 } = vector;
  let features = notifyOnEmpty ? VIRTIO_F_NOTIFY_ON_EMPTY : VIRTIO_F_VERSION_1;
  if (packed) features |= VIRTIO_F_RING_PACKED;
  if (eventIdx) features |= VIRTIO_F_EVENT_IDX;
  const rig = makeRig({ size, features });
  const { driver } = rig.driver.addresses;
  rig.view.setUint16(driver + (packed ? 2 : 0), flags, true);
  rig.view.setUint16(driver + (packed ? 0 : 4 + 2 * size), event, true);
  const inFlight = vector.inFlight ?? vector.steps.reduce((sum, [count]) => sum + count, 1);
  const start = vector.start ?? (packed ? WRAP : 0);
  const { ring } = rig.device;
  ring.restore(start, start, packed ? 0 : start, 1, 1, inFlight);
  // Nothing more is available: idx is where the device stopped (NOTIFY_ON_EMPTY looks at it).
  if (!packed) rig.view.setUint16(driver + 2, start, true);
  const found = vector.steps.map(([count]) => {
    for (let i = 0; i < count; i++) ring.fill(0, 0, i);
    if (count > 0) ring.flush(count);
    return [count, ring.shouldNotify() === 1];
  });
  assert.deepEqual(found, vector.steps);
}
