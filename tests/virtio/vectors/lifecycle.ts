// Queue reset, suspend and resume, notifications with data: scripts over virtio-mmio registers.

import assert from "node:assert/strict";
import * as defs from "../../../runtime/virtio/defs.ts";
import {
  VIRTIO_F_NOTIFICATION_DATA,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_SUSPEND,
} from "../../../runtime/virtio/index.ts";
import { live, PLAIN, type StateVector } from "./machine.ts";

const VILLAIN = "virtio-villain tests/state/";
const NEEDS_RESET = defs.STATUS_NEEDS_RESET;

export const LIFECYCLE: readonly StateVector[] = [
  {
    name: "S0060 reset of one queue",
    source: `${VILLAIN}s0060_ring_reset_single_queue`,
    section: "2.6.1.1",
    steps: [
      ...live(PLAIN | VIRTIO_F_RING_RESET),
      ["w", defs.MMIO_QUEUE_RESET, 1],
      ["r", defs.MMIO_QUEUE_RESET, 0],
      ["r", defs.MMIO_QUEUE_READY, 0],
      ["r", defs.MMIO_STATUS, 15],
      ["kick", 0],
      ["log", /not enabled/],
    ],
  },
  {
    name: "S0061 a queue goes on after its reset",
    source: `${VILLAIN}s0061_ring_reset_reenable`,
    section: "2.6.1.2",
    steps: [
      ...live(PLAIN | VIRTIO_F_RING_RESET),
      ["w", defs.MMIO_QUEUE_RESET, 1],
      ["queue", 0, 16],
      ["requests", 0, 16, true],
      ["quiet"],
    ],
  },
  {
    name: "S0062 reset of a queue with requests in flight",
    source: `${VILLAIN}s0062_ring_reset_inflight`,
    section: "2.6.1.1",
    steps: [
      ...live(PLAIN | VIRTIO_F_RING_RESET),
      ["hold", true],
      ["requests", 0, 3, false],
      ["w", defs.MMIO_QUEUE_RESET, 1],
      ["r", defs.MMIO_QUEUE_READY, 0],
      ["hold", false],
      ["release"],
      ["served", 0, 2],
      ["queue", 0, 8],
      ["requests", 0, 5, true],
    ],
  },
  {
    name: "S0063 queue reset without the feature",
    source: `${VILLAIN}s0063_ring_reset_no_feature`,
    section: "2.6.1",
    steps: [
      ...live(),
      ["w", defs.MMIO_QUEUE_RESET, 1],
      ["log", /without VIRTIO_F_RING_RESET/],
      ["r", defs.MMIO_QUEUE_READY, 1],
      ["requests", 0, 1, true],
    ],
  },
  {
    name: "S0064 a queue reset twice",
    source: `${VILLAIN}s0064_ring_reset_twice`,
    section: "2.6.1",
    steps: [
      ...live(PLAIN | VIRTIO_F_RING_RESET),
      ["w", defs.MMIO_QUEUE_RESET, 1],
      ["w", defs.MMIO_QUEUE_RESET, 1],
      ["r", defs.MMIO_QUEUE_RESET, 0],
      ["quiet"],
    ],
  },
  {
    name: "S0065 the other queues go on while one is reset",
    source: `${VILLAIN}s0065_ring_reset_other_queues_active`,
    section: "2.6.1.1",
    steps: [
      ...live(PLAIN | VIRTIO_F_RING_RESET),
      ["queue", 1, 8],
      ["w", defs.MMIO_QUEUE_SEL, 0],
      ["w", defs.MMIO_QUEUE_RESET, 1],
      ["requests", 1, 8, true],
    ],
  },
  {
    name: "S0066 another size after a queue reset",
    source: `${VILLAIN}s0066_ring_reset_new_size`,
    section: "2.6.1.2",
    steps: [
      ...live(PLAIN | VIRTIO_F_RING_RESET),
      ["w", defs.MMIO_QUEUE_RESET, 1],
      ["queue", 0, 2],
      ["requests", 0, 2, true],
    ],
  },
  {
    name: "S0067 suspend",
    source: `${VILLAIN}s0067_suspend_basic`,
    section: "1.4 §3.4",
    steps: [...live(PLAIN | VIRTIO_F_SUSPEND), ["status", 31, 27], ["quiet"]],
  },
  {
    name: "S0068 suspend and resume",
    source: `${VILLAIN}s0068_suspend_resume`,
    section: "1.4 §3.4",
    steps: [
      ...live(PLAIN | VIRTIO_F_SUSPEND),
      ["status", 31, 27],
      ["status", 15, 15],
      ["requests", 0, 3, true],
    ],
  },
  {
    name: "S0069 SUSPEND before DRIVER_OK is ignored",
    source: `${VILLAIN}s0069_suspend_without_driver_ok`,
    section: "1.4 §3.4.2",
    steps: [
      ["negotiate", PLAIN | VIRTIO_F_SUSPEND],
      ["status", 27, 11],
      ["log", /SUSPEND before/],
    ],
  },
  {
    name: "S0070 SUSPEND without the feature is ignored",
    source: `${VILLAIN}s0070_suspend_without_feature`,
    section: "1.4 §3.4.2",
    steps: [...live(), ["status", 31, 15], ["log", /SUSPEND/], ["requests", 0, 1, true]],
  },
  {
    name: "S0071 SUSPEND twice",
    source: `${VILLAIN}s0071_suspend_double`,
    section: "1.4 §3.4",
    steps: [...live(PLAIN | VIRTIO_F_SUSPEND), ["status", 31, 27], ["status", 27, 27]],
  },
  {
    name: "S0072 nothing is served while suspended",
    source: `${VILLAIN}s0072_suspend_no_buffers_consumed`,
    section: "1.4 §3.4.2",
    steps: [
      ...live(PLAIN | VIRTIO_F_SUSPEND),
      ["status", 31, 27],
      ["requests", 0, 2, false],
      ["served", 0, 2],
      ["status", 15, 15],
      ["served", 0, 4],
    ],
  },
  {
    name: "S0072 suspended only once the requests in flight are used",
    source: "virtio 1.4 standard",
    section: "1.4 §3.4.2",
    steps: [
      ...live(PLAIN | VIRTIO_F_SUSPEND),
      ["hold", true],
      ["requests", 0, 2, false],
      ["status", 31, 15],
      ["requests", 0, 1, false],
      ["release"],
      ["r", defs.MMIO_STATUS, 27],
      ["served", 0, 4],
    ],
  },
  {
    name: "S0073 a configuration change is told after the resume",
    source: `${VILLAIN}s0073_suspend_config_deferred`,
    section: "1.4 §3.4.2",
    steps: [
      ...live(PLAIN | VIRTIO_F_SUSPEND),
      ["w", defs.MMIO_INTERRUPT_ACK, 3],
      ["status", 31, 27],
      ["config", 0, 9],
      ["line", false],
      ["status", 15, 15],
      ["r", defs.MMIO_INTERRUPT_STATUS, 2],
    ],
  },
  {
    name: "S0074 a device that cannot be suspended needs a reset",
    source: `${VILLAIN}s0074_suspend_needs_reset`,
    section: "1.4 §3.4.2",
    steps: [
      ...live(PLAIN | VIRTIO_F_SUSPEND),
      [
        "do",
        (machine) => {
          machine.suspendable = false;
        },
      ],
      ["status", 31, 15 | NEEDS_RESET],
      ["log", /cannot be suspended/],
    ],
  },
  {
    name: "configuration writes are ignored while suspended",
    source: "virtio 1.4 standard",
    section: "1.4 §3.4.2",
    steps: [
      ...live(PLAIN | VIRTIO_F_SUSPEND),
      ["status", 31, 27],
      ["w", defs.MMIO_CONFIG + 4, 0x55, 1],
      ["r", defs.MMIO_CONFIG + 4, 5, 1],
    ],
  },
  {
    name: "T0098 notification data names the queue in its low 16 bits",
    source: "virtio-villain tests/vring/t0098_notification_data",
    section: "2.9",
    steps: [
      ...live(PLAIN | VIRTIO_F_NOTIFICATION_DATA),
      ["add", 0, 3],
      [
        "do",
        (machine) => {
          const data = machine.drivers[0]!.notificationData();
          assert.equal(data, 5 << 16);
          machine.write(defs.MMIO_QUEUE_NOTIFY, data);
        },
      ],
      ["served", 0, 5],
    ],
  },
  {
    name: "packed notification data: offset and wrap counter",
    source: "virtio-villain tests/mmio/m0031_notification_data_feature",
    section: "2.9",
    steps: [
      ["negotiate", PLAIN | VIRTIO_F_NOTIFICATION_DATA | VIRTIO_F_RING_PACKED],
      ["queue", 3, 3],
      ["status", 15, 15],
      ["requests", 3, 2, true],
      [
        "do",
        (machine) => {
          assert.equal(machine.drivers[3]!.notificationData(), (3 | (2 << 16) | (1 << 31)) >>> 0);
        },
      ],
      ["requests", 3, 2, true],
      ["do", (machine) => assert.equal(machine.drivers[3]!.notificationData(), 3 | (1 << 16))],
      ["served", 3, 4],
    ],
  },
];
