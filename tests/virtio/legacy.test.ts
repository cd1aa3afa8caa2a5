import assert from "node:assert/strict";
import {
  DriverQueue,
  sgInitOne,
  VIRTIO_F_NOTIFY_ON_EMPTY,
  VIRTIO_SUPPORTED,
  VirtioDevice,
  virtioNotify,
  virtqueueAddOutbuf,
  virtqueueDisableCb,
  virtqueueGetBuf,
  virtqueueKickPrepare,
  virtqueuePop,
  virtqueuePush,
} from "../../runtime/virtio/index.ts";
import { describe, test } from "../harness.ts";
import { BUFFERS, core, RAM_END, RAM_SIZE, RAM_START } from "./rig.ts";

/** A transitional device, and the bare minimum that an old driver does with it. */
function makeLegacy(legacy: boolean) {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const interrupts: number[] = [];
  const log: string[] = [];
  const device = new VirtioDevice({
    core,
    memory,
    deviceId: 1,
    vendorId: 1,
    features: VIRTIO_SUPPORTED,
    config: new Uint8Array(4),
    queues: [{ maxSize: 8 }],
    workspace: RAM_END + 0x10000,
    regions: [{ guest: RAM_START, size: RAM_SIZE, offset: RAM_START }],
    legacy,
    onNotify: (vq) => {
      for (let e = virtqueuePop(vq); e; e = virtqueuePop(vq)) {
        virtqueuePush(vq, e, 0);
        virtioNotify(vq);
      }
    },
    interrupt: (index) => void interrupts.push(index),
    log: (message) => void log.push(message),
  });
  const driver = new DriverQueue<number>({
    core,
    memory,
    index: 0,
    size: 8,
    base: RAM_START,
    workspace: RAM_END,
    features: VIRTIO_F_NOTIFY_ON_EMPTY,
    notify: () => {},
  });
  return { device, driver, interrupts, log };
}

describe("legacy interface", () => {
  test("a driver without VERSION_1 and without FEATURES_OK is served, before DRIVER_OK too", () => {
    const { device, driver, interrupts, log } = makeLegacy(true);
    device.writeStatus(1);
    device.writeStatus(3);
    device.setDriverFeatures(VIRTIO_F_NOTIFY_ON_EMPTY);
    device.setQueue(0, { size: 8, ...driver.addresses });
    assert.equal(device.enableQueue(0), true);
    assert.equal(virtqueueAddOutbuf(driver, [sgInitOne(BUFFERS, 4)], 1), 0);
    virtqueueKickPrepare(driver);
    device.notify(0);
    assert.equal(virtqueueGetBuf(driver), 1);
    assert.deepEqual(interrupts, [0]);
    device.writeStatus(7);
    assert.equal(device.status, 7);
    // §6.3: the last buffer notifies, though interrupts are off.
    virtqueueDisableCb(driver);
    for (const token of [2, 3]) {
      assert.equal(virtqueueAddOutbuf(driver, [sgInitOne(BUFFERS, 4)], token), 0);
    }
    virtqueueKickPrepare(driver);
    device.notify(0);
    assert.deepEqual(interrupts, [0, 0]);
    assert.deepEqual([virtqueueGetBuf(driver), virtqueueGetBuf(driver)], [2, 3]);
    assert.deepEqual(log, []);
  });

  test("a device that is not transitional refuses that driver", () => {
    const { device, log } = makeLegacy(false);
    device.writeStatus(3);
    device.setDriverFeatures(VIRTIO_F_NOTIFY_ON_EMPTY);
    device.writeStatus(7);
    assert.equal(device.status, 3);
    device.writeStatus(11);
    assert.equal(device.status, 3);
    assert.match(log.join("\n"), /VERSION_1 is required/);
  });
});
