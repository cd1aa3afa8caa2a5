import assert from "node:assert/strict";
import {
  sgInitOne,
  VIRTIO_F_NOTIFY_ON_EMPTY,
  VIRTIO_SUPPORTED,
  virtqueueAddOutbuf,
  virtqueueDisableCb,
  virtqueueGetBuf,
  virtqueueKickPrepare,
} from "../../runtime/virtio/index.ts";
import { describe, test } from "../harness.ts";
import { legacyRig } from "./legacy-rig.ts";
import { BUFFERS } from "./rig.ts";

/** A transitional device, and the bare minimum that an old driver does with it. */
const makeLegacy = (legacy: boolean) =>
  legacyRig({ features: VIRTIO_SUPPORTED, accepted: VIRTIO_F_NOTIFY_ON_EMPTY, legacy });

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
