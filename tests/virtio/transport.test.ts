// The device's state where the vectors do not reach: several queues at once, legacy drivers,
// what a reset forgets, and registers of queues that do not exist.

import assert from "node:assert/strict";
import * as defs from "../../runtime/virtio/defs.ts";
import {
  CONFIG_CHANGE,
  iovToBuf,
  sgInitOne,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_NOTIFY_ON_EMPTY,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_SUSPEND,
  VIRTIO_F_VERSION_1,
  VIRTIO_SUPPORTED,
  virtioNotify,
  virtqueueAddOutbuf,
  virtqueueDisableCb,
  virtqueueKickPrepare,
  virtqueuePop,
  virtqueuePush,
} from "../../runtime/virtio/index.ts";
import { describe, test } from "../harness.ts";
import { legacyRig } from "./legacy-rig.ts";
import { BUFFERS } from "./rig.ts";
import { Machine } from "./vectors/machine.ts";

function liveMachine(features: bigint): Machine {
  const machine = new Machine();
  machine.negotiate(features);
  machine.setUp(0, 8);
  machine.write(defs.MMIO_STATUS, 15);
  return machine;
}

test("queues side by side keep chains apart", () => {
  const machine = liveMachine(VIRTIO_F_VERSION_1);
  machine.setUp(1, 8);
  machine.holding = true;
  for (const index of [0, 1]) {
    const driver = machine.drivers[index]!;
    const at = BUFFERS + 0x100 * index;
    machine.view.setUint32(at, 0x1111 * (index + 1), true);
    assert.equal(virtqueueAddOutbuf(driver, [sgInitOne(at, 4), sgInitOne(at + 8, 4)], 1), 0);
    virtqueueKickPrepare(driver);
    machine.write(defs.MMIO_QUEUE_NOTIFY, index);
  }
  for (const [index, { element }] of machine.held.entries()) {
    assert.equal(element.out.address(0), BUFFERS + 0x100 * index);
    const bytes = new Uint8Array(4);
    assert.equal(iovToBuf(element.out, 0, bytes), 4);
    assert.equal(new DataView(bytes.buffer).getUint32(0, true), 0x1111 * (index + 1));
  }
});

test("several errors are logged each, and told to the driver once", () => {
  const machine = liveMachine(VIRTIO_F_VERSION_1);
  machine.device.needsReset("one");
  machine.write(defs.MMIO_INTERRUPT_ACK, 3);
  machine.device.needsReset("two");
  assert.equal(machine.line, false);
  assert.deepEqual(machine.log, ["one", "two"]);
});

describe("a reset forgets", () => {
  test("features, a suspend, a configuration change that was to be told", () => {
    const machine = liveMachine(VIRTIO_F_VERSION_1 | VIRTIO_F_SUSPEND);
    machine.write(defs.MMIO_STATUS, 31);
    machine.device.updateConfig(0, new Uint8Array([7]));
    machine.write(defs.MMIO_STATUS, 0);
    assert.equal(machine.device.driverFeatures, 0n);
    machine.negotiate(VIRTIO_F_VERSION_1 | VIRTIO_F_SUSPEND);
    machine.write(defs.MMIO_STATUS, 15);
    machine.write(defs.MMIO_STATUS, 31);
    machine.write(defs.MMIO_STATUS, 15);
    assert.equal(machine.read(defs.MMIO_INTERRUPT_STATUS), 0);
  });

  test("what the selectors select", () => {
    const machine = liveMachine(VIRTIO_F_VERSION_1);
    machine.write(defs.MMIO_DEVICE_FEATURES_SEL, 1);
    machine.write(defs.MMIO_DRIVER_FEATURES_SEL, 1);
    machine.write(defs.MMIO_QUEUE_SEL, 1);
    machine.write(defs.MMIO_SHM_SEL, 1);
    machine.write(defs.MMIO_STATUS, 0);
    assert.equal(
      machine.read(defs.MMIO_DEVICE_FEATURES),
      Number(VIRTIO_SUPPORTED & 0xffffffffn) >>> 0,
    );
    assert.equal(machine.read(defs.MMIO_QUEUE_SIZE_MAX), 16);
    assert.equal(machine.read(defs.MMIO_SHM_LEN_LOW), 0xffffffff);
    machine.write(defs.MMIO_STATUS, 3);
    machine.write(defs.MMIO_DRIVER_FEATURES, Number(VIRTIO_F_EVENT_IDX));
    assert.equal(machine.device.driverFeatures, VIRTIO_F_EVENT_IDX);
  });

  test("a suspend that waited for buffers in flight", () => {
    const machine = liveMachine(VIRTIO_F_VERSION_1 | VIRTIO_F_SUSPEND);
    machine.holding = true;
    machine.requests(0, 1, false);
    machine.write(defs.MMIO_STATUS, 31);
    machine.write(defs.MMIO_STATUS, 31); // asked for again while it waits: one request
    machine.write(defs.MMIO_STATUS, 0);
    machine.holding = false;
    assert.equal(machine.read(defs.MMIO_STATUS), 0);
    serveAgain(machine);
  });
});

/** A whole initialisation and a few requests, on a machine that was used before. */
function serveAgain(machine: Machine): void {
  machine.negotiate(VIRTIO_F_VERSION_1);
  machine.setUp(0, 8);
  machine.write(defs.MMIO_STATUS, 15);
  machine.requests(0, 3, true);
}

test("registers of a queue that does not exist", () => {
  const machine = liveMachine(VIRTIO_F_VERSION_1 | VIRTIO_F_RING_RESET);
  for (const queue of [2, 4, 99, 0xffffffff]) {
    machine.write(defs.MMIO_QUEUE_SEL, queue);
    const registers = [
      defs.MMIO_QUEUE_SIZE,
      defs.MMIO_QUEUE_DESC_LOW,
      defs.MMIO_QUEUE_DESC_HIGH,
      defs.MMIO_QUEUE_DRIVER_LOW,
      defs.MMIO_QUEUE_DRIVER_HIGH,
      defs.MMIO_QUEUE_DEVICE_LOW,
      defs.MMIO_QUEUE_DEVICE_HIGH,
      defs.MMIO_QUEUE_READY,
    ];
    for (const register of registers) {
      machine.log.length = 0;
      machine.write(register, 1);
      assert.match(machine.log.join(), /does not exist/, `register ${register} of ${queue}`);
    }
    machine.log.length = 0;
    if (queue !== 2) {
      machine.write(defs.MMIO_QUEUE_READY, 0);
      machine.write(defs.MMIO_QUEUE_RESET, 1);
      assert.equal(machine.log.length, 2);
    }
    assert.equal(machine.read(defs.MMIO_QUEUE_READY), 0);
    assert.equal(machine.read(defs.MMIO_QUEUE_SIZE_MAX), 0);
  }
  machine.log.length = 0;
  machine.requests(0, 3, true);
});

test("a queue is not set up after FAILED, nor while suspended", () => {
  for (const status of [defs.STATUS_FAILED | 15, 31]) {
    const machine = liveMachine(VIRTIO_F_VERSION_1 | VIRTIO_F_SUSPEND);
    machine.write(defs.MMIO_STATUS, status);
    machine.write(defs.MMIO_QUEUE_SEL, 1);
    machine.write(defs.MMIO_QUEUE_SIZE, 4);
    assert.match(machine.log.at(-1) ?? "", /set-up of queue 1 with status/);
    machine.write(defs.MMIO_QUEUE_READY, 1);
    assert.equal(machine.read(defs.MMIO_QUEUE_READY), 0);
  }
});

test("a queue that is enabled again while it is goes on where it was", () => {
  const machine = liveMachine(VIRTIO_F_VERSION_1);
  machine.requests(0, 3, true);
  const vq = machine.device.queue(0);
  machine.write(defs.MMIO_QUEUE_READY, 1);
  assert.equal(machine.device.queue(0), vq);
  machine.requests(0, 8, true);
});

test("configuration: its last byte can be written, and the generation changes with each write", () => {
  const machine = liveMachine(VIRTIO_F_VERSION_1);
  const before = machine.read(defs.MMIO_CONFIG_GENERATION);
  machine.write(defs.MMIO_CONFIG + 7, 0x5a, 1);
  assert.equal(machine.read(defs.MMIO_CONFIG + 7, 1), 0x5a);
  assert.equal(machine.read(defs.MMIO_CONFIG_GENERATION), before + 1);
  machine.write(defs.MMIO_CONFIG + 4, 0x01020304, 4);
  assert.equal(machine.read(defs.MMIO_CONFIG_GENERATION), before + 2);
  machine.write(defs.MMIO_CONFIG + 2, 1, 1); // read-only there: nothing changes
  assert.equal(machine.read(defs.MMIO_CONFIG_GENERATION), before + 2);
});

/** A transitional device that offers `features`, and a legacy driver that is about to use its queue. */
function legacyDevice(features: bigint, accepted: bigint) {
  const rig = legacyRig({ features, accepted });
  rig.device.writeStatus(3);
  rig.device.setDriverFeatures(accepted);
  rig.device.setQueue(0, { size: 8, ...rig.driver.addresses });
  return rig;
}

describe("legacy drivers", () => {
  test("features that were not offered are refused without FEATURES_OK too", () => {
    const offered = VIRTIO_SUPPORTED & ~VIRTIO_F_INDIRECT_DESC;
    const { device, log } = legacyDevice(offered, VIRTIO_F_INDIRECT_DESC);
    assert.equal(device.enableQueue(0), false);
    assert.match(log.at(-1) ?? "", /not offered/);
    device.writeStatus(7);
    assert.equal(device.status, 3);
    assert.match(log.at(-1) ?? "", /DRIVER_OK refused/);
  });

  test("features written after a queue was enabled hold from DRIVER_OK on", () => {
    const { device } = legacyDevice(VIRTIO_SUPPORTED, 0n);
    assert.equal(device.enableQueue(0), true);
    assert.equal(device.queue(0)?.features, 0n);
    device.setDriverFeatures(VIRTIO_F_EVENT_IDX);
    device.writeStatus(7);
    assert.equal(device.queue(0)?.features, VIRTIO_F_EVENT_IDX);
  });

  test("regression: an index that jumps is reported though NOTIFY_ON_EMPTY looks at it first", () => {
    const { memory, device, driver, log, interrupts } = legacyDevice(
      VIRTIO_SUPPORTED,
      VIRTIO_F_NOTIFY_ON_EMPTY,
    );
    assert.equal(device.enableQueue(0), true);
    device.writeStatus(7);
    virtqueueDisableCb(driver);
    assert.equal(virtqueueAddOutbuf(driver, [sgInitOne(BUFFERS, 4)], 1), 0);
    virtqueueKickPrepare(driver);
    const vq = device.queue(0)!;
    const element = virtqueuePop(vq);
    assert.ok(element);
    const view = new DataView(memory.buffer);
    view.setUint16(driver.addresses.driver + 2, 10, true);
    virtqueuePush(vq, element, 0);
    assert.equal(virtioNotify(vq), false, "the ring is not empty");
    assert.deepEqual(log, []);
    device.notify(0);
    assert.match(log.join(), /jumped/);
    assert.equal(device.status, 7 | defs.STATUS_NEEDS_RESET);
    assert.deepEqual(interrupts, [CONFIG_CHANGE]);
  });
});
