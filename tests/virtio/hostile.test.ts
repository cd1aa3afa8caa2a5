import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  DeviceQueue,
  iovFromBuf,
  iovSize,
  iovToBuf,
  sgInitOne,
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
  virtqueueAddSgs,
  virtqueueGetBuf,
  virtqueueKick,
  virtqueuePop,
  virtqueuePopRequest,
  virtqueuePush,
} from "../../runtime/virtio/index.ts";
import { describe, test } from "../harness.ts";
import { BUFFERS, makeRig, RAM_END, RAM_SIZE, RAM_START } from "./rig.ts";

const debugCore = new WebAssembly.Module(
  new Uint8Array(readFileSync(new URL("../../build/core.debug.wasm", import.meta.url))),
);

interface Access {
  readonly address: number;
  readonly length: number;
  readonly write: boolean;
}

const RINGS = [
  { name: "split", features: VIRTIO_F_VERSION_1 },
  { name: "packed", features: VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED },
  { name: "split, indirect", features: VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC },
  {
    name: "packed, indirect",
    features: VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_RING_PACKED,
  },
];

for (const { name, features } of RINGS) {
  describe(`a guest that changes memory, ${name}`, () => {
    /** A rig with one chain added, and a second device on it whose accesses are logged. */
    function logged() {
      const rig = makeRig({ features, indirect: 4 });
      const log: Access[] = [];
      const device = new DeviceQueue({
        core: debugCore,
        memory: rig.memory,
        index: 3,
        size: 8,
        ...rig.driver.addresses,
        workspace: RAM_END + 0x20000,
        regions: [{ guest: RAM_START, size: RAM_SIZE, offset: RAM_START }],
        features,
        notify: () => {},
        onError: (reason) => void rig.errors.push(reason),
        log: (address, length, write) => void log.push({ address, length, write: write === 1 }),
      });
      const out = [sgInitOne(BUFFERS, 8), sgInitOne(BUFFERS + 16, 8)];
      const into = [sgInitOne(BUFFERS + 64, 8)];
      assert.equal(virtqueueAddSgs(rig.driver, out, into, "token"), 0);
      virtqueueKick(rig.driver);
      return { rig, device, log };
    }

    test("each byte of ring and table is read once for a chain", () => {
      const { device, log } = logged();
      assert.ok(virtqueuePop(device));
      const times = new Map<number, number>();
      for (const { address, length, write } of log) {
        if (write) continue;
        for (let i = 0; i < length; i++) {
          times.set(address + i, (times.get(address + i) ?? 0) + 1);
        }
      }
      assert.ok(times.size >= 3 * 14, `only ${times.size} bytes read`);
      for (const [address, count] of times) assert.equal(count, 1, `byte ${address}`);
    });

    test("descriptors that change after the pop change nothing", () => {
      const { rig, device } = logged();
      rig.u8.set([1, 2, 3, 4, 5, 6, 7, 8], BUFFERS);
      const element = virtqueuePop(device);
      assert.ok(element);
      rig.u8.fill(0xff, RAM_START, RAM_START + 0x1000);
      const bytes = new Uint8Array(8);
      assert.equal(iovToBuf(element.out, 0, bytes), 8);
      assert.deepEqual([...bytes], [1, 2, 3, 4, 5, 6, 7, 8]);
      assert.deepEqual([iovSize(element.out), iovSize(element.in)], [16, 8]);
    });

    test("a header is a private copy", () => {
      const { rig, device } = logged();
      rig.view.setUint32(BUFFERS, 0x1234, true);
      const element = virtqueuePopRequest(device, 12);
      assert.ok(element);
      rig.u8.fill(0xff, BUFFERS, BUFFERS + 64);
      assert.equal(device.header.getUint32(0, true), 0x1234);
      assert.equal(element.headerLength, 12);
    });

    test("nothing is written but the used part of the ring and what the chain allows", () => {
      const { rig, device, log } = logged();
      const element = virtqueuePop(device);
      assert.ok(element);
      assert.equal(iovFromBuf(element.in, 0, new Uint8Array(100).fill(7)), 8);
      virtqueuePush(device, element, 8);
      const { desc, device: used } = rig.driver.addresses;
      for (const { address, length, write } of log) {
        if (!write) continue;
        const end = address + length;
        const inUsed = address >= used && end <= used + 4 + 8 * 8 + 2;
        const inBuffer = address >= BUFFERS + 64 && end <= BUFFERS + 72;
        const inPacked = device.packed && address >= desc && end <= desc + 16;
        assert.ok(inUsed || inBuffer || inPacked, `write of ${length} bytes at ${address}`);
      }
      assert.equal(virtqueueGetBuf(rig.driver), "token");
    });

    test("memory that shrinks under a ring breaks the queue, and nothing outside is read", () => {
      const { rig, device, log } = logged();
      device.setRegions([{ guest: RAM_START, size: 64, offset: RAM_START }]);
      assert.match(rig.errors.join(), /not wholly in writable guest memory/);
      log.length = 0;
      assert.equal(virtqueuePop(device), undefined);
      assert.deepEqual(log, []);
    });

    test("memory that moves takes the ring with it", () => {
      const { rig, device } = logged();
      const moved = RAM_END + 0x40000;
      rig.u8.copyWithin(moved, RAM_START, RAM_START + 0x20000);
      rig.u8.fill(0xee, RAM_START, RAM_START + 0x20000);
      device.setRegions([
        { guest: RAM_START, size: 0x20000, offset: moved },
        { guest: BUFFERS, size: 0x1000, offset: BUFFERS },
      ]);
      const element = virtqueuePop(device);
      assert.ok(element, rig.errors.join());
      assert.deepEqual([iovSize(element.out), element.out.address(0)], [16, BUFFERS]);
    });
  });

  test(`ACCESS_PLATFORM: bus addresses unlike the driver's, ${name}`, () => {
    // The device sees the guest's memory 4 GiB higher, as an IOMMU would map it.
    const shift = 2 ** 32;
    const rig = makeRig({
      features: features | VIRTIO_F_ACCESS_PLATFORM,
      indirect: 4,
      guestOffset: shift,
      regions: [{ guest: RAM_START + shift, size: RAM_SIZE, offset: RAM_START }],
    });
    const out = [sgInitOne(BUFFERS + shift, 4), sgInitOne(BUFFERS + shift + 8, 4)];
    assert.equal(virtqueueAddSgs(rig.driver, out, [], 1), 0);
    virtqueueKick(rig.driver);
    const element = virtqueuePop(rig.device);
    assert.ok(element, rig.errors.join());
    assert.deepEqual([element.out.address(0), element.out.address(1)], [BUFFERS, BUFFERS + 8]);
    virtqueuePush(rig.device, element, 0);
    assert.equal(virtqueueGetBuf(rig.driver), 1);
    // An address that is the driver's own is none of the device's.
    assert.equal(virtqueueAddSgs(rig.driver, [sgInitOne(BUFFERS, 4)], [], 2), 0);
    virtqueueKick(rig.driver);
    assert.equal(virtqueuePop(rig.device), undefined);
    assert.match(rig.errors.join(), /outside guest memory/);
  });
}

test("packed: a list that runs over descriptors in flight breaks the queue (§2.8.17)", () => {
  const rig = makeRig({ size: 4, features: VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED });
  const { desc } = rig.driver.addresses;
  const write = (index: number, flags: number) => {
    rig.view.setBigUint64(desc + 16 * index, BigInt(BUFFERS), true);
    rig.view.setUint32(desc + 16 * index + 8, 4, true);
    rig.view.setUint16(desc + 16 * index + 12, index, true);
    rig.view.setUint16(desc + 16 * index + 14, flags, true);
  };
  write(0, 0x80);
  write(1, 0x80);
  assert.ok(virtqueuePop(rig.device) && virtqueuePop(rig.device));
  // Two are in flight; now the driver lies that both are available again, in the next round.
  write(2, 0x80 | 1);
  write(3, 0x80 | 1);
  write(0, 0x8000 | 1);
  write(1, 0x8000);
  assert.equal(virtqueuePop(rig.device), undefined);
  assert.match(rig.errors.join(), /a loop/);
});

test("split: more chains than the queue has descriptors break it, though idx never jumps", () => {
  const rig = makeRig({ size: 4 });
  const { desc, driver } = rig.driver.addresses;
  rig.view.setBigUint64(desc, BigInt(BUFFERS), true);
  rig.view.setUint32(desc + 8, 4, true);
  for (const idx of [3, 4]) {
    rig.view.setUint16(driver + 2, idx, true);
    while (rig.device.inFlight < idx) assert.ok(virtqueuePop(rig.device));
  }
  // All four are in flight, and a fifth is made available: head 0 again.
  rig.view.setUint16(driver + 2, 5, true);
  assert.equal(virtqueuePop(rig.device), undefined);
  assert.match(rig.errors.join(), /more chains in flight/);
});

test("packed: a full ring whose descriptors are made available again breaks the queue", () => {
  const rig = makeRig({ size: 2, features: VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED });
  const { desc } = rig.driver.addresses;
  for (const flags of [0x80, 0x8000]) {
    for (const index of [0, 1]) {
      rig.view.setBigUint64(desc + 16 * index, BigInt(BUFFERS), true);
      rig.view.setUint32(desc + 16 * index + 8, 4, true);
      rig.view.setUint16(desc + 16 * index + 14, flags, true);
      if (flags === 0x80) assert.ok(virtqueuePop(rig.device));
    }
  }
  assert.equal(virtqueuePop(rig.device), undefined);
  assert.match(rig.errors.join(), /more chains in flight/);
});
