// Status, features, reset, queue reset, suspend: scripts over virtio-mmio registers.

import assert from "node:assert/strict";
import * as defs from "../../../runtime/virtio/defs.ts";
import {
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_NOTIFICATION_DATA,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_SUSPEND,
} from "../../../runtime/virtio/index.ts";
import { PLAIN, type StateVector, type Step } from "./machine.ts";

const VILLAIN = "virtio-villain tests/state/";
const FIRECRACKER = "Firecracker virtio/transport/mmio.rs ";
const NEEDS_RESET = defs.STATUS_NEEDS_RESET;

/** A device that serves requests on queue 0. */
function live(features: bigint = PLAIN): Step[] {
  return [
    ["negotiate", features],
    ["queue", 0, 16],
    ["status", 15, 15],
    ["requests", 0, 2, true],
  ];
}

/** A head that is out of range, made available on queue 0. */
const POISON: Step = [
  "do",
  (machine) => {
    const { driver } = machine.drivers[0]!.addresses;
    machine.view.setUint16(driver + 2, machine.view.getUint16(driver + 2, true) + 17, true);
    machine.write(defs.MMIO_QUEUE_NOTIFY, 0);
  },
];

export const STATES: readonly StateVector[] = [
  {
    name: "the whole sequence, bit by bit",
    source: `${FIRECRACKER}test_bus_device_activate`,
    section: "3.1.1",
    steps: [
      ["status", 0, 0],
      ["status", 1, 1],
      ["status", 3, 3],
      ["do", (machine) => machine.writeFeatures(PLAIN)],
      ["status", 11, 11],
      ["status", 15, 15],
      ["quiet"],
    ],
  },
  {
    name: "S0001 features cannot change after FEATURES_OK",
    source: `${VILLAIN}s0001_double_feature_negotiation`,
    section: "3.1.1",
    steps: [
      ["negotiate", PLAIN],
      ["do", (machine) => machine.writeFeatures(PLAIN | VIRTIO_F_EVENT_IDX)],
      ["log", /features written/],
      ["do", (machine) => assert.equal(machine.device.driverFeatures, PLAIN)],
    ],
  },
  {
    name: "S0002 a reset in the middle of negotiation, then a whole one",
    source: `${VILLAIN}s0002_partial_reset_recovery`,
    section: "2.4",
    steps: [["status", 1, 1], ["status", 3, 3], ["status", 0, 0], ...live()],
  },
  {
    name: "S0003 fewer features after a reset",
    source: `${VILLAIN}s0003_feature_downgrade_across_reset`,
    section: "2.2",
    steps: [...live(PLAIN | VIRTIO_F_EVENT_IDX), ...live()],
  },
  {
    name: "S0004 a queue enabled again without its addresses",
    source: `${VILLAIN}s0004_queue_reenable_without_config`,
    section: "2.6.1.2",
    steps: [
      ...live(),
      ["status", 0, 0],
      ["negotiate", PLAIN],
      ["w", defs.MMIO_QUEUE_SEL, 0],
      ["w", defs.MMIO_QUEUE_READY, 1],
      ["log", /not wholly in writable guest memory/],
      ["r", defs.MMIO_STATUS, 11 | NEEDS_RESET],
    ],
  },
  {
    name: "S0005 nothing is served, and no notification sent, after FAILED",
    source: `${VILLAIN}s0005_interrupt_after_failed`,
    section: "2.1.1",
    steps: [
      ...live(),
      ["w", defs.MMIO_INTERRUPT_ACK, 3],
      ["status", 15 | 128, 15 | 128],
      ["requests", 0, 1, false],
      ["log", /notification of queue 0 with status/],
      ["line", false],
    ],
  },
  {
    name: "S0006 configuration can be read during negotiation",
    source: `${VILLAIN}s0006_config_read_during_negotiation`,
    section: "2.5.2",
    steps: [
      ["r", defs.MMIO_CONFIG, 0x04030201],
      ["status", 3, 3],
      ["r", defs.MMIO_CONFIG + 4, 0x0605, 2],
      ["quiet"],
    ],
  },
  {
    name: "S0009 notifications in every state",
    source: `${VILLAIN}s0009_notification_storm_status_transition`,
    section: "3.1.1",
    steps: [
      ["kick", 0],
      ["log", /with status 0x0/],
      ["status", 1, 1],
      ["kick", 0],
      ["log", /with status 0x1/],
      ["status", 3, 3],
      ["kick", 1],
      ["log", /with status 0x3/],
      ["negotiate", PLAIN],
      ["kick", 0],
      ["log", /with status 0xb/],
      ...live(),
    ],
  },
  {
    name: "S0010 split, then packed",
    source: `${VILLAIN}s0010_split_to_packed_reinit`,
    section: "2.2",
    steps: [...live(), ...live(PLAIN | VIRTIO_F_RING_PACKED), ...live()],
  },
  {
    name: "S0011 FEATURES_OK without VERSION_1",
    source: `${VILLAIN}s0011_features_ok_no_features`,
    section: "6.2",
    steps: [
      ["status", 1, 1],
      ["status", 3, 3],
      ["status", 11, 3],
      ["log", /VERSION_1 is required/],
    ],
  },
  {
    name: "S0012 resets one after the other",
    source: `${VILLAIN}s0012_back_to_back_resets`,
    section: "2.4",
    steps: [...live(), ["status", 0, 0], ["status", 0, 0], ["status", 0, 0], ...live()],
  },
  {
    name: "S0013 a queue set up after DRIVER_OK serves too",
    source: `${VILLAIN}s0013_queue_setup_after_driver_ok`,
    section: "3.1.1",
    steps: [...live(), ["queue", 1, 8], ["requests", 1, 3, true], ["quiet"]],
  },
  {
    name: "S0014 another queue size after a reset",
    source: `${VILLAIN}s0014_queue_size_change_after_reset`,
    section: "2.4",
    steps: [
      ...live(),
      ["negotiate", PLAIN],
      ["queue", 0, 4],
      ["status", 15, 15],
      ["requests", 0, 4, true],
    ],
  },
  {
    name: "S0015 features that do not go together are refused",
    source: `${VILLAIN}s0015_conflicting_features`,
    section: "2.2.2",
    steps: [
      ["status", 1, 1],
      ["status", 3, 3],
      ["do", (machine) => machine.writeFeatures(PLAIN | VIRTIO_F_INDIRECT_DESC)],
      ["status", 11, 3],
      ["log", /FEATURES_OK refused/],
      ["do", (machine) => machine.writeFeatures(PLAIN)],
      ["status", 11, 11],
    ],
  },
  {
    name: "S0017 a queue enabled twice",
    source: `${VILLAIN}s0017_enable_queue_twice`,
    section: "4.2.2.2",
    steps: [...live(), ["w", defs.MMIO_QUEUE_READY, 1], ["requests", 0, 2, true]],
  },
  {
    name: "S0018 DRIVER_OK cannot be cleared",
    source: `${VILLAIN}s0018_clear_driver_ok`,
    section: "2.1.1",
    steps: [...live(), ["status", 11, 15], ["log", /clears bits 0x4/], ["requests", 0, 1, true]],
  },
  {
    name: "S0020 all feature bits: those not offered are refused",
    source: `${VILLAIN}s0020_features_all_bits`,
    section: "2.2.1",
    steps: [
      ["status", 1, 1],
      ["status", 3, 3],
      ["do", (machine) => machine.writeFeatures(0xffff_ffff_ffff_ffffn)],
      ["status", 11, 3],
      ["log", /were not offered/],
    ],
  },
  {
    name: "S0021 a hundred initialisations",
    source: `${VILLAIN}s0021_rapid_reset_cycle`,
    section: "2.4",
    steps: Array.from({ length: 100 }, () => live()).flat(),
  },
  {
    name: "S0023 the driver cannot set NEEDS_RESET",
    source: `${VILLAIN}s0023_needs_reset_bit`,
    section: "2.1",
    steps: [...live(), ["status", 15 | NEEDS_RESET, 15], ["requests", 0, 1, true]],
  },
  {
    name: "S0024 reserved status bits are not stored",
    source: `${VILLAIN}s0024_status_reserved_bits`,
    section: "2.1",
    steps: [
      ["status", 1 | 32, 1],
      ["status", 3 | 32, 3],
    ],
  },
  {
    name: "S0027 NEEDS_RESET does not come by itself",
    source: `${VILLAIN}s0027_needs_reset_not_spurious`,
    section: "2.1.2",
    steps: [...live(), ["kick", 0], ["kick", 0], ["r", defs.MMIO_STATUS, 15]],
  },
  {
    name: "S0029 a reset while requests are in flight",
    source: `${VILLAIN}s0029_device_reset_during_io`,
    section: "2.4.1",
    steps: [
      ...live(),
      ["hold", true],
      ["requests", 0, 3, false],
      ["status", 0, 0],
      ["hold", false],
      ...live(),
    ],
  },
  {
    name: "S0031 recovery from NEEDS_RESET by a reset",
    source: `${VILLAIN}s0031_needs_reset_recovery`,
    section: "2.1.1",
    steps: [...live(), POISON, ["r", defs.MMIO_STATUS, 15 | NEEDS_RESET], ...live()],
  },
  {
    name: "S0031 NEEDS_RESET sends a configuration change notification",
    source: `${VILLAIN}s0091_needs_reset_config_change`,
    section: "2.1.2",
    steps: [
      ...live(),
      ["w", defs.MMIO_INTERRUPT_ACK, 3],
      ["line", false],
      POISON,
      ["log", /queue 0: available index jumped/],
      ["r", defs.MMIO_INTERRUPT_STATUS, 2],
      ["line", true],
    ],
  },
  {
    name: "a queue that broke does not stop the others",
    source: "rust-vmm and QEMU: per-queue errors",
    section: "2.1.2",
    steps: [
      ...live(),
      ["queue", 1, 8],
      ["requests", 1, 2, true],
      POISON,
      ["requests", 1, 3, true],
      ["served", 1, 5],
      ["kick", 0],
      ["served", 0, 2],
    ],
  },
  {
    name: "no notification before DRIVER_OK though the device needs a reset",
    source: "virtio 1.3 standard",
    section: "2.1.2",
    steps: [
      ["status", 3, 3],
      ["fail", "broken inside"],
      ["line", false],
      ["r", 0x70, 3 | 64],
    ],
  },
  {
    name: "S0032 a reset disables all queues",
    source: `${VILLAIN}s0032_queue_enable_reset_clears`,
    section: "4.2.2.1",
    steps: [
      ...live(),
      ["status", 0, 0],
      ["w", defs.MMIO_QUEUE_SEL, 0],
      ["r", defs.MMIO_QUEUE_READY, 0],
    ],
  },
  {
    name: "S0033 a reset forgets addresses",
    source: `${VILLAIN}s0033_queue_addr_reset_clears`,
    section: "2.4",
    steps: [
      ...live(),
      ["status", 0, 0],
      [
        "do",
        (machine) =>
          assert.deepEqual(machine.device.queueSetup(0), {
            size: 16,
            desc: 0,
            driver: 0,
            device: 0,
          }),
      ],
    ],
  },
  {
    name: "S0035 a reset between FEATURES_OK and DRIVER_OK",
    source: `${VILLAIN}s0035_reset_between_features_ok_driver_ok`,
    section: "2.4",
    steps: [["negotiate", PLAIN], ["queue", 0, 8], ["status", 0, 0], ...live()],
  },
  {
    name: "S0036 FAILED, then a reset, then a whole initialisation",
    source: `${VILLAIN}s0036_failed_then_reset_reinit`,
    section: "2.1.1",
    steps: [["status", 1, 1], ["status", 1 | 128, 1 | 128], ["status", 0, 0], ...live()],
  },
  {
    name: "S0038 feature words beyond those that exist read as 0",
    source: `${VILLAIN}s0038_feature_select_oob`,
    section: "4.2.2",
    steps: [
      ["w", defs.MMIO_DEVICE_FEATURES_SEL, 7],
      ["r", defs.MMIO_DEVICE_FEATURES, 0],
      ["w", defs.MMIO_DEVICE_FEATURES_SEL, 0xffffffff],
      ["r", defs.MMIO_DEVICE_FEATURES, 0],
      ["w", defs.MMIO_DEVICE_FEATURES_SEL, 1],
      ["r", defs.MMIO_DEVICE_FEATURES, 0x95f],
    ],
  },
  {
    name: "S0040 features before DRIVER are not taken",
    source: `${VILLAIN}s0040_driver_feature_before_driver; ${FIRECRACKER}test_bus_device_write`,
    section: "3.1.1",
    steps: [
      ["status", 1, 1],
      ["do", (machine) => machine.writeFeatures(PLAIN)],
      ["log", /features written with status 0x1/],
      ["do", (machine) => assert.equal(machine.device.driverFeatures, 0n)],
    ],
  },
  {
    name: "S0041 FAILED after DRIVER_OK; only a reset leads on",
    source: `${VILLAIN}s0041_failed_after_driver_ok`,
    section: "2.1.1",
    steps: [
      ...live(),
      ["status", 15 | 128, 15 | 128],
      ["status", 15, 15 | 128],
      ["log", /clears bits 0x80/],
      ...live(),
    ],
  },
  {
    name: "S0044 all status bits at once",
    source: `${VILLAIN}s0044_status_set_all_bits`,
    section: "2.1",
    steps: [["status", 0xff, 128]],
  },
  {
    name: "S0045 FAILED alone",
    source: `${VILLAIN}s0045_status_failed_alone`,
    section: "2.1.1",
    steps: [
      ["status", 128, 128],
      ["status", 129, 128],
      ["log", /after FAILED/],
      ["status", 0, 0],
    ],
  },
  {
    name: "S0046 DRIVER before ACKNOWLEDGE",
    source: `${VILLAIN}s0046_status_wrong_order`,
    section: "3.1.1",
    steps: [
      ["status", 2, 0],
      ["log", /bit 0x2 before 0x1/],
    ],
  },
  {
    name: "FEATURES_OK before DRIVER",
    source: `${VILLAIN}s0078_features_ok_no_driver`,
    section: "3.1.1",
    steps: [
      ["status", 1, 1],
      ["status", 9, 1],
      ["log", /bit 0x8 before 0x2/],
    ],
  },
  {
    name: "S0082 DRIVER_OK before FEATURES_OK",
    source: `${VILLAIN}s0082_driver_ok_no_features_ok; ${FIRECRACKER}test_bus_device_activate`,
    section: "3.1.1",
    steps: [
      ["status", 1, 1],
      ["status", 3, 3],
      ["status", 7, 3],
      ["log", /bit 0x4 before 0x8/],
    ],
  },
  {
    name: "several bits in one write, in their order",
    source: "QEMU hw/virtio/virtio-mmio.c: status is taken as written",
    section: "3.1.1",
    steps: [
      ["status", 3, 3],
      ["do", (machine) => machine.writeFeatures(PLAIN)],
      ["status", 15, 15],
      ["quiet"],
    ],
  },
  {
    name: "S0058 FEATURES_OK cannot be cleared",
    source: `${VILLAIN}s0058_clear_features_ok_after_driver_ok`,
    section: "2.1.1",
    steps: [...live(), ["status", 7, 15], ["log", /clears bits 0x8/]],
  },
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
    name: "S0079 DRIVER_OK twice",
    source: `${VILLAIN}s0079_driver_ok_twice`,
    section: "3.1.1",
    steps: [...live(), ["status", 15, 15], ["requests", 0, 1, true], ["quiet"]],
  },
  {
    name: "S0081 DRIVER_OK without queues",
    source: `${VILLAIN}s0081_driver_ok_no_queues`,
    section: "3.1.1",
    steps: [
      ["negotiate", PLAIN],
      ["status", 15, 15],
      ["kick", 0],
      ["log", /not enabled/],
    ],
  },
  {
    name: "S0085 a queue before ACKNOWLEDGE",
    source: `${VILLAIN}s0085_queue_before_ack`,
    section: "3.1.1",
    steps: [
      ["w", defs.MMIO_QUEUE_SIZE, 8],
      ["log", /set-up of queue 0 with status 0x0/],
      ["w", defs.MMIO_QUEUE_READY, 1],
      ["log", /enabled with status 0x0/],
      ["r", defs.MMIO_QUEUE_READY, 0],
    ],
  },
  {
    name: "S0090 FEATURES_OK written again",
    source: `${VILLAIN}s0090_features_ok_rewrite`,
    section: "3.1.1",
    steps: [["negotiate", PLAIN], ["status", 11, 11], ["quiet"]],
  },
  {
    name: "S0094 nothing is taken before DRIVER_OK",
    source: `${VILLAIN}s0094_no_buffer_consumption_before_driver_ok`,
    section: "2.1.2",
    steps: [
      ["negotiate", PLAIN],
      ["queue", 0, 8],
      ["add", 0, 2],
      ["kick", 0],
      ["served", 0, 0],
      ["status", 15, 15],
      ["kick", 0],
      ["served", 0, 2],
    ],
  },
  {
    name: "S0095 a live queue cannot be changed",
    source: `${VILLAIN}s0095_no_live_vqueue_modification`,
    section: "4.2.2.2",
    steps: [
      ...live(),
      ["w", defs.MMIO_QUEUE_SIZE, 4],
      ["log", /while it is enabled/],
      ["w", defs.MMIO_QUEUE_DESC_LOW, 0],
      ["log", /while it is enabled/],
      ["requests", 0, 16, true],
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
