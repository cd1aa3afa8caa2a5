// Registers of virtio-mmio, version 2 (virtio 1.3 §4.2.2).

import assert from "node:assert/strict";
import * as defs from "../../../runtime/virtio/defs.ts";
import { VIRTIO_F_RING_PACKED } from "../../../runtime/virtio/index.ts";
import { RAM_END, RAM_START } from "../rig.ts";
import { DEVICE_ID, PLAIN, type StateVector, type Step, VENDOR_ID } from "./machine.ts";

const VILLAIN = "virtio-villain tests/mmio/";
const VRING = "virtio-villain tests/vring/";
const FIRECRACKER = "Firecracker virtio/transport/mmio.rs ";
const RUST_VMM = "rust-vmm virtio-queue queue.rs test_queue_is_valid";

/** Enables queue `index` with these guest addresses. */
function enable(index: number, size: number, desc: number, driver: number, device: number): Step[] {
  return [
    ["w", defs.MMIO_QUEUE_SEL, index],
    ["w", defs.MMIO_QUEUE_SIZE, size],
    ["do", (machine) => machine.writeAddresses({ desc, driver, device })],
    ["w", defs.MMIO_QUEUE_READY, 1],
  ];
}

const D = RAM_START;
const A = RAM_START + 0x1000;
const U = RAM_START + 0x2000;
const BAD: Step[] = [
  ["log", /ring not aligned or not wholly in writable guest memory/],
  ["r", defs.MMIO_STATUS, 11 | defs.STATUS_NEEDS_RESET],
];

export const REGISTERS: readonly StateVector[] = [
  {
    name: "M0017 magic, version, device and vendor",
    source: `${VILLAIN}m0017_version_check; ${FIRECRACKER}test_bus_device_read`,
    section: "4.2.2",
    steps: [
      ["r", 0x000, 0x74726976],
      ["r", 0x004, 2],
      ["r", 0x008, DEVICE_ID],
      ["r", 0x00c, VENDOR_ID],
    ],
  },
  {
    name: "M0001 accesses of other widths",
    source: `${VILLAIN}m0001_non_32bit_access`,
    section: "4.2.2.2",
    steps: [
      ["r", 0x000, 0, 1],
      ["log", /read of 1 bytes/],
      ["r", 0x000, 0, 2],
      ["r", 0x002, 0, 4],
      ["w", defs.MMIO_STATUS, 1, 1],
      ["log", /write of 1 bytes/],
      ["r", defs.MMIO_STATUS, 0],
    ],
  },
  {
    name: "M0002 configuration in accesses of 3 bytes, and over its end",
    source: `${VILLAIN}m0002_wrong_width_config`,
    section: "4.2.2.2",
    steps: [
      ["r", defs.MMIO_CONFIG, 0, 3],
      ["log", /3 bytes of configuration/],
      ["r", defs.MMIO_CONFIG + 6, 0, 4],
      ["log", /4 bytes of configuration at 6, of 8/],
    ],
  },
  {
    name: "M0003 offsets that mean nothing",
    source: `${VILLAIN}m0003_undefined_offset; ${FIRECRACKER}test_bus_device_activate`,
    section: "4.2.2.2",
    steps: [
      ["r", 0x018, 0],
      ["log", /which cannot be read/],
      ["w", 0x0a8, 1],
      ["log", /which cannot be written/],
      ["w", 0x1000, 1],
      ["log", /configuration/],
    ],
  },
  {
    name: "M0004 no queue selected: queue 0",
    source: `${VILLAIN}m0004_no_queue_sel`,
    section: "4.2.2",
    steps: [["r", defs.MMIO_QUEUE_SIZE_MAX, 16]],
  },
  {
    name: "M0008 writes to read-only registers",
    source: `${VILLAIN}m0008_write_readonly_regs`,
    section: "4.2.2.2",
    steps: [0x000, 0x004, 0x008, 0x00c, 0x010, 0x034, 0x060, 0x0fc].flatMap((offset): Step[] => [
      ["w", offset, 0xdead],
      ["log", /which cannot be written/],
    ]),
  },
  {
    name: "M0009 reads of write-only registers",
    source: `${VILLAIN}m0009_read_writeonly_regs`,
    section: "4.2.2.2",
    steps: [0x014, 0x020, 0x024, 0x030, 0x038, 0x050, 0x064, 0x080].flatMap((offset): Step[] => [
      ["r", offset, 0],
      ["log", /which cannot be read/],
    ]),
  },
  {
    name: "M0010 a reset clears interrupts and ready bits",
    source: `${VILLAIN}m0010_reset_via_status_zero`,
    section: "4.2.2.1",
    steps: [
      ["negotiate", PLAIN],
      ["queue", 0, 8],
      ["status", 15, 15],
      ["requests", 0, 1, true],
      ["r", defs.MMIO_INTERRUPT_STATUS, 1],
      ["status", 0, 0],
      ["r", defs.MMIO_INTERRUPT_STATUS, 0],
      ["line", false],
      ["r", defs.MMIO_QUEUE_READY, 0],
    ],
  },
  {
    name: "M0011 driver features in words that do not exist",
    source: `${VILLAIN}m0011_feature_sel_out_of_range`,
    section: "4.2.2",
    steps: [
      ["status", 3, 3],
      ["w", defs.MMIO_DRIVER_FEATURES_SEL, 9],
      ["w", defs.MMIO_DRIVER_FEATURES, 0xffffffff],
      ["do", (machine) => assert.equal(machine.device.driverFeatures, 0n)],
    ],
  },
  {
    name: "M0012 a queue larger than the maximum",
    source: `${VILLAIN}m0012_queue_num_exceeds_max; ${VRING}t0043_queue_size_too_large`,
    section: "4.2.2.2",
    steps: [
      ["negotiate", PLAIN],
      ...enable(0, 32, D, A, U),
      ["log", /size 32, which is not a legal one/],
      ["r", defs.MMIO_QUEUE_READY, 0],
    ],
  },
  {
    name: "T0041 a split queue whose size is no power of two",
    source: `${VRING}t0041_queue_size_not_power_of_two; ${RUST_VMM}`,
    section: "2.7",
    steps: [["negotiate", PLAIN], ...enable(0, 11, D, A, U), ["log", /size 11/], ["r", 0x44, 0]],
  },
  {
    name: "T0041 a packed queue may have any size",
    source: "virtio 1.3 standard",
    section: "2.8.10.1",
    steps: [
      ["negotiate", PLAIN | VIRTIO_F_RING_PACKED],
      ["queue", 0, 11],
      ["status", 15, 15],
      ["requests", 0, 11, true],
      ["requests", 0, 11, true],
    ],
  },
  {
    name: "T0042 a queue of size 0",
    source: `${VRING}t0042_queue_size_zero; ${RUST_VMM}`,
    section: "2.7",
    steps: [["negotiate", PLAIN], ...enable(0, 0, D, A, U), ["log", /size 0/], ["r", 0x44, 0]],
  },
  {
    name: "T0044 a misaligned descriptor table",
    source: `${VRING}t0044_queue_desc_unaligned; ${RUST_VMM}`,
    section: "2.7",
    steps: [["negotiate", PLAIN], ...enable(0, 8, D + 8, A, U), ...BAD],
  },
  {
    name: "T0045 a misaligned available ring",
    source: `${VRING}t0045_queue_avail_unaligned; ${RUST_VMM}`,
    section: "2.7",
    steps: [["negotiate", PLAIN], ...enable(0, 8, D, A + 1, U), ...BAD],
  },
  {
    name: "T0046 a misaligned used ring",
    source: `${VRING}t0046_queue_used_unaligned; ${RUST_VMM}`,
    section: "2.7",
    steps: [["negotiate", PLAIN], ...enable(0, 8, D, A, U + 2), ...BAD],
  },
  {
    name: "T0047 all three parts at one place: the guest's own loss",
    source: `${VRING}t0047_queue_addrs_overlap`,
    section: "2.7",
    steps: [
      ["negotiate", PLAIN],
      ...enable(0, 8, D, D, D),
      ["quiet"],
      ["status", 15, 15],
      [
        "do",
        (machine) => {
          for (let i = 0; i < 32; i++) machine.view.setUint32(D + 4 * i, 0x40004000 + i, true);
          machine.write(defs.MMIO_QUEUE_NOTIFY, 0);
        },
      ],
      ["log", /queue 0: /],
    ],
  },
  {
    name: "T0048 a table outside memory",
    source: `${VRING}t0048_queue_addr_outside_ram; ${RUST_VMM}`,
    section: "2.7",
    steps: [["negotiate", PLAIN], ...enable(0, 8, 0xffff_fff0, A, U), ...BAD],
  },
  {
    name: "an available ring that ends outside memory",
    source: RUST_VMM,
    section: "2.7",
    steps: [["negotiate", PLAIN], ...enable(0, 8, D, RAM_END - 20, U), ...BAD],
  },
  {
    name: "its neighbour: one that ends with memory",
    source: RUST_VMM,
    section: "2.7",
    steps: [["negotiate", PLAIN], ...enable(0, 8, D, RAM_END - 22, U), ["quiet"], ["r", 0x44, 1]],
  },
  {
    name: "a used ring that ends outside memory",
    source: RUST_VMM,
    section: "2.7",
    steps: [["negotiate", PLAIN], ...enable(0, 8, D, A, RAM_END - 68), ...BAD],
  },
  {
    name: "T0049 enabled without addresses",
    source: `${VRING}t0049_enable_without_addrs; ${VILLAIN}m0013_queue_ready_no_config`,
    section: "4.2.3.2",
    steps: [
      ["negotiate", PLAIN],
      ["w", defs.MMIO_QUEUE_SEL, 0],
      ["w", defs.MMIO_QUEUE_READY, 1],
      ...BAD,
    ],
  },
  {
    name: "M0030 a table at the top of 64 bits",
    source: `${VILLAIN}m0030_queue_desc_top_addr`,
    section: "4.2.2",
    steps: [
      ["negotiate", PLAIN],
      ["w", defs.MMIO_QUEUE_DESC_LOW, 0xfffffff0],
      ["w", defs.MMIO_QUEUE_DESC_HIGH, 0xffffffff],
      ["w", defs.MMIO_QUEUE_DRIVER_LOW, A],
      ["w", defs.MMIO_QUEUE_DEVICE_LOW, U],
      ["w", defs.MMIO_QUEUE_READY, 1],
      ...BAD,
    ],
  },
  {
    name: "misaligned event suppression structures",
    source: "virtio-villain tests/packed/p0009_packed_unaligned",
    section: "2.8.11",
    steps: [["negotiate", PLAIN | VIRTIO_F_RING_PACKED], ...enable(0, 8, D, A + 2, U), ...BAD],
  },
  {
    name: "M0014 ready written twice",
    source: `${VILLAIN}m0014_double_queue_ready`,
    section: "4.2.2",
    steps: [["negotiate", PLAIN], ["queue", 0, 8], ["w", 0x44, 1], ["r", 0x44, 1], ["quiet"]],
  },
  {
    name: "M0029 ready written with 2",
    source: `${VILLAIN}m0029_queue_ready_nonbool`,
    section: "4.2.2",
    steps: [
      ["negotiate", PLAIN],
      ["w", defs.MMIO_QUEUE_READY, 2],
      ["log", /QueueReady written with 2/],
      ["r", defs.MMIO_QUEUE_READY, 0],
    ],
  },
  {
    name: "M0021 another queue selected while one is ready",
    source: `${VILLAIN}m0021_qsel_while_qready`,
    section: "4.2.2",
    steps: [
      ["negotiate", PLAIN],
      ["queue", 0, 8],
      ["w", defs.MMIO_QUEUE_SEL, 1],
      ["r", defs.MMIO_QUEUE_READY, 0],
      ["w", defs.MMIO_QUEUE_SEL, 0],
      ["r", defs.MMIO_QUEUE_READY, 1],
    ],
  },
  {
    name: "ready 0 stops a queue",
    source: "virtio 1.3 standard",
    section: "4.2.2.2",
    steps: [
      ["negotiate", PLAIN],
      ["queue", 0, 8],
      ["status", 15, 15],
      ["w", defs.MMIO_QUEUE_READY, 0],
      ["r", defs.MMIO_QUEUE_READY, 0],
      ["add", 0, 1],
      ["kick", 0],
      ["served", 0, 0],
    ],
  },
  {
    name: "M0019 the maximum of queues that exist and that do not",
    source: `${VILLAIN}m0019_mmio_queue_num_max_read; ${FIRECRACKER}test_new`,
    section: "4.2.2",
    steps: [
      ["w", defs.MMIO_QUEUE_SEL, 1],
      ["r", defs.MMIO_QUEUE_SIZE_MAX, 8],
      ["w", defs.MMIO_QUEUE_SEL, 2],
      ["r", defs.MMIO_QUEUE_SIZE_MAX, 0],
      ["w", defs.MMIO_QUEUE_SEL, 0xffff],
      ["r", defs.MMIO_QUEUE_SIZE_MAX, 0],
      ["r", defs.MMIO_QUEUE_READY, 0],
    ],
  },
  {
    name: "a notification of a queue that does not exist",
    source: "QEMU hw/virtio/virtio-mmio.c: QueueNotify beyond VIRTIO_QUEUE_MAX",
    section: "2.6",
    steps: [
      ["negotiate", PLAIN],
      ["status", 15, 15],
      ["kick", 0xffff],
      ["log", /queue 65535, which does not exist/],
      ["kick", 2],
      ["log", /queue 2, which does not exist/],
      ["r", defs.MMIO_STATUS, 15],
    ],
  },
  {
    name: "set-up of a queue that does not exist",
    source: `${FIRECRACKER}test_new`,
    section: "2.6",
    steps: [
      ["negotiate", PLAIN],
      ...enable(2, 8, D, A, U),
      ["log", /queue 2 does not exist/],
      ["w", defs.MMIO_QUEUE_SEL, 77],
      ["w", defs.MMIO_QUEUE_READY, 1],
      ["log", /queue 77 does not exist/],
    ],
  },
  {
    name: "M0007 an interrupt stays until it is acknowledged",
    source: `${VILLAIN}m0007_missing_interrupt_ack`,
    section: "4.2.2.1",
    steps: [
      ["negotiate", PLAIN],
      ["queue", 0, 8],
      ["status", 15, 15],
      ["requests", 0, 1, true],
      ["r", defs.MMIO_INTERRUPT_STATUS, 1],
      ["r", defs.MMIO_INTERRUPT_STATUS, 1],
      ["line", true],
      ["w", defs.MMIO_INTERRUPT_ACK, 1],
      ["r", defs.MMIO_INTERRUPT_STATUS, 0],
      ["line", false],
    ],
  },
  {
    name: "M0020 one of two events acknowledged",
    source: `${VILLAIN}m0020_mmio_interrupt_ack_partial; ${FIRECRACKER}test_bus_device_write`,
    section: "4.2.2.1",
    steps: [
      ["negotiate", PLAIN],
      ["queue", 0, 8],
      ["status", 15, 15],
      ["requests", 0, 1, true],
      ["config", 0, 1],
      ["r", defs.MMIO_INTERRUPT_STATUS, 3],
      ["w", defs.MMIO_INTERRUPT_ACK, 0xfd],
      ["r", defs.MMIO_INTERRUPT_STATUS, 2],
      ["line", true],
    ],
  },
  {
    name: "M0016 the generation changes with the configuration",
    source: `${VILLAIN}m0016_config_generation_semantics`,
    section: "2.5",
    steps: [
      ["r", defs.MMIO_CONFIG_GENERATION, 0],
      ["config", 1, 0x22],
      ["r", defs.MMIO_CONFIG_GENERATION, 1],
      ["r", defs.MMIO_CONFIG, 0x04032201],
      ["line", false],
    ],
  },
  {
    name: "M0032 a configuration change notification once the driver is there",
    source: `${VILLAIN}m0032_config_change_interrupt`,
    section: "3.3.1",
    steps: [
      ["negotiate", PLAIN],
      ["status", 15, 15],
      ["config", 0, 7],
      ["r", 0x60, 2],
    ],
  },
  {
    name: "configuration writes before DRIVER",
    source: `${FIRECRACKER}test_bus_device_write`,
    section: "3.1.1",
    steps: [
      ["status", 1, 1],
      ["w", defs.MMIO_CONFIG + 4, 0xff, 1],
      ["log", /configuration write at 4 with status 0x1/],
      ["r", defs.MMIO_CONFIG + 4, 5, 1],
    ],
  },
  {
    name: "configuration writes where the device allows them, and where not",
    source: `${FIRECRACKER}test_bus_device_write`,
    section: "2.5",
    steps: [
      ["negotiate", PLAIN],
      ["w", defs.MMIO_CONFIG + 4, 0xbeef, 2],
      ["r", defs.MMIO_CONFIG + 4, 0x0807beef],
      ["w", defs.MMIO_CONFIG, 0xff, 1],
      ["log", /read-only at 0/],
      ["r", defs.MMIO_CONFIG, 1, 1],
    ],
  },
  {
    name: "M0018 configuration of 64 bits, in two reads",
    source: `${VILLAIN}m0018_mmio_64bit_config`,
    section: "4.2.2.2",
    steps: [
      ["r", defs.MMIO_CONFIG, 0x04030201],
      ["r", defs.MMIO_CONFIG + 4, 0x08070605],
      ["r", defs.MMIO_CONFIG, 0, 8],
      ["log", /8 bytes of configuration/],
    ],
  },
  {
    name: "M0022 magic and version after a reset",
    source: `${VILLAIN}m0022_magic_version_after_reset`,
    section: "4.2.2.1",
    steps: [
      ["negotiate", PLAIN],
      ["status", 0, 0],
      ["r", 0, 0x74726976],
      ["r", 4, 2],
    ],
  },
  {
    name: "M0025 a shared memory region that does not exist",
    source: `${VILLAIN}m0025_shm_sel_out_of_range; ${VILLAIN}m0026_shm_read_no_sel`,
    section: "4.2.2",
    steps: [
      ["r", defs.MMIO_SHM_LEN_LOW, 0xffffffff],
      ["w", defs.MMIO_SHM_SEL, 200],
      ["r", defs.MMIO_SHM_LEN_LOW, 0xffffffff],
      ["r", defs.MMIO_SHM_LEN_HIGH, 0xffffffff],
      ["r", defs.MMIO_SHM_BASE_LOW, 0xffffffff],
      ["r", defs.MMIO_SHM_BASE_HIGH, 0xffffffff],
    ],
  },
  {
    name: "M0027 a shared memory region, twice the same; M0028 it cannot be written",
    source: `${VILLAIN}m0027_shm_region_stability; ${VILLAIN}m0028_shm_write_readonly`,
    section: "2.10",
    steps: [
      ["w", defs.MMIO_SHM_SEL, 1],
      ["r", defs.MMIO_SHM_LEN_LOW, 0],
      ["r", defs.MMIO_SHM_LEN_HIGH, 2],
      ["r", defs.MMIO_SHM_BASE_LOW, 0x23450000],
      ["r", defs.MMIO_SHM_BASE_HIGH, 1],
      ["w", defs.MMIO_SHM_BASE_LOW, 0],
      ["log", /which cannot be written/],
      ["r", defs.MMIO_SHM_BASE_LOW, 0x23450000],
    ],
  },
];
