// IN_ORDER: one used entry may stand for a whole batch (virtio 1.3 §2.7.9, §2.8.8), written by our
// device and by a foreign one.

import assert from "node:assert/strict";
import * as defs from "../../runtime/virtio/defs.ts";
import {
  sgInitOne,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
  virtqueueAddInbuf,
  virtqueueAddOutbuf,
  virtqueueAddSgs,
  virtqueueDisableCb,
  virtqueueEnableCb,
  virtqueueEnableCbDelayed,
  virtqueueFill,
  virtqueueFlush,
  virtqueueGetBuf,
  virtqueueIsBroken,
  virtqueueKick,
  virtqueuePop,
  virtqueuePush,
  vringInterrupt,
} from "../../runtime/virtio/index.ts";
import { describe, test } from "../harness.ts";
import { BUFFERS, makeRig, type Rig } from "./rig.ts";

const out = [sgInitOne(BUFFERS, 8), sgInitOne(BUFFERS + 16, 8)];
const into = [sgInitOne(BUFFERS + 64, 8)];

/** Writes used element `slot` (split), or the used descriptor at `slot` in round `wrap` (packed). */
function use(rig: Rig, slot: number, id: number, length: number, wrap = 1): void {
  const { desc, device } = rig.driver.addresses;
  if (!rig.device.packed) {
    rig.view.setUint32(device + 4 + 8 * slot, id, true);
    rig.view.setUint32(device + 8 + 8 * slot, length, true);
    return;
  }
  rig.view.setUint32(desc + 16 * slot + 8, length, true);
  rig.view.setUint16(desc + 16 * slot + 12, id, true);
  const flags = (wrap ? 0x8080 : 0) | (length > 0 ? defs.DESC_F_WRITE : 0);
  rig.view.setUint16(desc + 16 * slot + 14, flags, true);
}

function getAll(rig: Rig): [unknown, number][] {
  const found: [unknown, number][] = [];
  for (let t = virtqueueGetBuf(rig.driver); t !== undefined; t = virtqueueGetBuf(rig.driver)) {
    found.push([t, rig.driver.usedLength]);
  }
  return found;
}

for (const packed of [false, true]) {
  const features = VIRTIO_F_VERSION_1 | VIRTIO_F_IN_ORDER | (packed ? VIRTIO_F_RING_PACKED : 0n);

  describe(`batches in order, ${packed ? "packed" : "split"}`, () => {
    test("the device uses readable buffers by one entry for all of them", () => {
      const rig = makeRig({ size: 16, features });
      for (let i = 0; i < 4; i++) assert.equal(virtqueueAddOutbuf(rig.driver, out, i), 0);
      assert.equal(virtqueueAddSgs(rig.driver, out, into, 4), 0);
      assert.equal(virtqueueAddOutbuf(rig.driver, out, 5), 0);
      virtqueueKick(rig.driver);
      for (let i = 0; i < 6; i++) {
        const element = virtqueuePop(rig.device);
        assert.ok(element);
        virtqueueFill(rig.device, element, i === 4 ? 3 : 0, i);
      }
      virtqueueFlush(rig.device, 6);
      // Buffer 4 is written, so its length counts: it ends the first batch. 5 is the second one.
      const { desc, device } = rig.driver.addresses;
      if (packed) {
        const used = [0, 2, 4, 6, 8, 11].filter(
          (slot) => (rig.view.getUint16(desc + 16 * slot + 14, true) & 0x8080) === 0x8080,
        );
        assert.deepEqual(used, [0, 11]);
        assert.deepEqual(
          used.map((slot) => rig.view.getUint16(desc + 16 * slot + 12, true)),
          [4, 5],
        );
      } else {
        assert.equal(rig.view.getUint16(device + 2, true), 6);
        const heads = [0, 5].map((slot) => rig.view.getUint32(device + 4 + 8 * slot, true));
        assert.deepEqual(heads, [8, 11]);
        assert.equal(rig.view.getUint32(device + 4 + 8, true), 0, "an entry that was skipped");
      }
      const lengths = [0, 0, 0, 0, 3, 0];
      assert.deepEqual(
        getAll(rig),
        lengths.map((length, i) => [i, length]),
      );
      assert.equal(rig.driver.free, 16);
    });

    test("buffers that were held back come with the one they waited for", () => {
      const rig = makeRig({ size: 8, features });
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < 3; i++) assert.equal(virtqueueAddOutbuf(rig.driver, out, i), 0);
        virtqueueKick(rig.driver);
        const elements = [0, 1, 2].map(() => virtqueuePop(rig.device)!);
        for (const i of [2, 1]) virtqueuePush(rig.device, elements[i]!, 0);
        assert.deepEqual(getAll(rig), []);
        virtqueuePush(rig.device, elements[0]!, 0);
        assert.deepEqual(
          getAll(rig).map(([token]) => token),
          [0, 1, 2],
        );
      }
      assert.equal(rig.driver.free, 8);
    });

    test("a foreign device's batch: the skipped buffers count as used completely", () => {
      const rig = makeRig({ size: 8, features });
      for (let i = 0; i < 4; i++) assert.equal(virtqueueAddInbuf(rig.driver, into, i), 0);
      virtqueueKick(rig.driver);
      use(rig, 0, 2, 5);
      if (!packed) rig.view.setUint16(rig.driver.addresses.device + 2, 3, true);
      assert.deepEqual(getAll(rig), [
        [0, 8],
        [1, 8],
        [2, 5],
      ]);
      use(rig, 3, 3, 1);
      if (!packed) rig.view.setUint16(rig.driver.addresses.device + 2, 4, true);
      assert.deepEqual(getAll(rig), [[3, 1]]);
    });

    for (const eventIdx of [0n, VIRTIO_F_EVENT_IDX]) {
      test(`regression: what is left of a batch counts as used, features ${eventIdx}`, () => {
        const rig = makeRig({ size: 8, features: features | eventIdx });
        for (let i = 0; i < 3; i++) assert.equal(virtqueueAddInbuf(rig.driver, into, i), 0);
        virtqueueKick(rig.driver);
        use(rig, 0, 2, 8);
        if (!packed) rig.view.setUint16(rig.driver.addresses.device + 2, 3, true);
        for (const token of [0, 1]) {
          assert.equal(virtqueueGetBuf(rig.driver), token);
          virtqueueDisableCb(rig.driver);
          assert.equal(virtqueueEnableCb(rig.driver), false, "the rest of the batch is waiting");
          assert.equal(vringInterrupt(rig.driver), true);
        }
        assert.equal(virtqueueEnableCbDelayed(rig.driver), false);
        assert.equal(virtqueueGetBuf(rig.driver), 2);
        assert.equal(virtqueueEnableCb(rig.driver), true);
      });
    }

    test("a batch that ends with a buffer not in flight breaks the queue", () => {
      const rig = makeRig({ size: 8, features });
      for (let i = 0; i < 2; i++) assert.equal(virtqueueAddInbuf(rig.driver, into, i), 0);
      virtqueueKick(rig.driver);
      use(rig, 0, 5, 8);
      if (!packed) rig.view.setUint16(rig.driver.addresses.device + 2, 2, true);
      assert.deepEqual(getAll(rig), []);
      assert.equal(virtqueueIsBroken(rig.driver), true);
    });
  });
}

test("split: an index beyond a batch breaks the queue once the batch is taken", () => {
  const rig = makeRig({ size: 8, features: VIRTIO_F_VERSION_1 | VIRTIO_F_IN_ORDER });
  for (let i = 0; i < 2; i++) assert.equal(virtqueueAddInbuf(rig.driver, into, i), 0);
  virtqueueKick(rig.driver);
  use(rig, 0, 1, 8);
  use(rig, 2, 1, 8);
  rig.view.setUint16(rig.driver.addresses.device + 2, 3, true);
  assert.deepEqual(
    getAll(rig).map(([token]) => token),
    [0, 1],
  );
  assert.match(rig.driver.error, /not in flight/);
});
