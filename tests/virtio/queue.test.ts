import assert from "node:assert/strict";
import {
  DeviceQueue,
  DriverQueue,
  EINVAL,
  EIO,
  ENOSPC,
  isQueueSize,
  sgInitOne,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
  virtioNotify,
  virtqueueAddInbuf,
  virtqueueAddOutbuf,
  virtqueueAddSgs,
  virtqueueBreakDevice,
  virtqueueDetachElement,
  virtqueueDetachUnusedBuf,
  virtqueueDisableCb,
  virtqueueEmpty,
  virtqueueEnableCb,
  virtqueueEnableCbDelayed,
  virtqueueEnableCbPrepare,
  virtqueueFill,
  virtqueueFlush,
  virtqueueGetBuf,
  virtqueueIsBroken,
  virtqueueKick,
  virtqueueKickPrepare,
  virtqueueNotify,
  virtqueuePoll,
  virtqueuePop,
  virtqueuePush,
  virtqueueReset,
  virtqueueResize,
  virtqueueRewind,
  virtqueueSetNotification,
  virtqueueUnpop,
  vringInterrupt,
} from "../../runtime/virtio/index.ts";
import { describe, test } from "../harness.ts";
import {
  BUFFERS,
  core,
  featureSets,
  makeRig,
  RAM_END,
  RAM_SIZE,
  RAM_START,
  type Rig,
} from "./rig.ts";

const out = [sgInitOne(BUFFERS, 8)];
const into = [sgInitOne(BUFFERS + 64, 8)];

/** Adds `count` buffers with tokens from `first` on, and makes them visible. */
function add(rig: Rig, count: number, first = 0): void {
  for (let i = 0; i < count; i++) assert.equal(virtqueueAddInbuf(rig.driver, into, first + i), 0);
  virtqueueKick(rig.driver);
}

function popAll(rig: Rig) {
  const found = [];
  for (let e = virtqueuePop(rig.device); e !== undefined; e = virtqueuePop(rig.device))
    found.push(e);
  return found;
}

function getAll(rig: Rig): unknown[] {
  const found = [];
  for (let t = virtqueueGetBuf(rig.driver); t !== undefined; t = virtqueueGetBuf(rig.driver)) {
    found.push(t);
  }
  return found;
}

for (const { name, features } of featureSets()) {
  const inOrder = (features & VIRTIO_F_IN_ORDER) !== 0n;
  const eventIdx = (features & VIRTIO_F_EVENT_IDX) !== 0n;

  describe(`queue, ${name}`, () => {
    test("a queue that fills up says so, and has room again when buffers are used", () => {
      const rig = makeRig({ size: 4, features });
      for (let i = 0; i < 4; i++) assert.equal(virtqueueAddOutbuf(rig.driver, out, i), 0);
      assert.equal(virtqueueAddOutbuf(rig.driver, out, 4), -ENOSPC);
      virtqueueKick(rig.driver);
      virtqueuePush(rig.device, virtqueuePop(rig.device)!, 0);
      assert.equal(virtqueueGetBuf(rig.driver), 0);
      assert.equal(virtqueueAddOutbuf(rig.driver, out, 4), 0);
      assert.equal(virtqueueAddOutbuf(rig.driver, out, 5), -ENOSPC);
    });

    test("scatterlists that cannot be sent are refused and leave no trace", () => {
      const rig = makeRig({ size: 4, features });
      const cases: [typeof out, typeof out, unknown][] = [
        [[], [], 1],
        [[sgInitOne(BUFFERS, 0)], [], 1],
        [[sgInitOne(-1, 8)], [], 1],
        [[sgInitOne(BUFFERS, 2 ** 32)], [], 1],
        [out, into, undefined],
        [new Array(5).fill(out[0]), [], 1],
        [[], new Array(3).fill(sgInitOne(BUFFERS, 0x7fffffff)), 1],
      ];
      for (const [o, i, token] of cases) {
        assert.equal(virtqueueAddSgs(rig.driver, o, i, token), -EINVAL);
      }
      assert.equal(rig.driver.free, 4);
      virtqueueKick(rig.driver);
      assert.equal(virtqueueEmpty(rig.device), true);
    });

    test("buffers completed in any order come back in the order allowed", () => {
      const rig = makeRig({ size: 8, features });
      add(rig, 5);
      const elements = popAll(rig);
      assert.equal(elements.length, 5);
      for (const i of [3, 1, 0, 4, 2]) virtqueuePush(rig.device, elements[i]!, i);
      assert.deepEqual(getAll(rig), inOrder ? [0, 1, 2, 3, 4] : [3, 1, 0, 4, 2]);
    });

    test("nothing is seen before flush, and all of a batch after it", () => {
      const rig = makeRig({ size: 8, features });
      add(rig, 3);
      const elements = popAll(rig);
      for (const [i, element] of elements.entries()) virtqueueFill(rig.device, element, 8, i);
      assert.deepEqual(getAll(rig), []);
      virtqueueFlush(rig.device, 3);
      assert.deepEqual(getAll(rig), [0, 1, 2]);
      assert.equal(rig.driver.usedLength, 8);
      assert.throws(() => virtqueueFlush(rig.device, 1), /staged/);
    });

    test("unpop and rewind make chains available again", () => {
      const rig = makeRig({ size: 4, features });
      for (let round = 0; round < 5; round++) {
        add(rig, 3);
        const [, , last] = popAll(rig);
        virtqueueUnpop(rig.device, last!);
        assert.equal(virtqueueRewind(rig.device, 3), false);
        assert.equal(virtqueueRewind(rig.device, 2), true);
        assert.equal(rig.device.inFlight, 0);
        for (const element of popAll(rig)) virtqueuePush(rig.device, element, 0);
        assert.deepEqual(getAll(rig), [0, 1, 2]);
      }
      assert.deepEqual(rig.errors, []);
    });

    test("a detached buffer stays with the driver", () => {
      const rig = makeRig({ size: 4, features });
      add(rig, 1);
      const [element] = popAll(rig);
      virtqueueDetachElement(rig.device, element!);
      assert.equal(rig.device.inFlight, 0);
      assert.throws(() => virtqueuePush(rig.device, element!, 0), /given back/);
      assert.deepEqual(getAll(rig), []);
      assert.equal(virtqueueDetachUnusedBuf(rig.driver), 0);
      assert.equal(virtqueueDetachUnusedBuf(rig.driver), undefined);
      assert.equal(rig.driver.free, 4);
    });

    test("callbacks: disabled, enabled, polled, delayed", () => {
      const rig = makeRig({ size: 16, features });
      virtqueueDisableCb(rig.driver);
      add(rig, 8);
      const elements = popAll(rig);
      virtqueuePush(rig.device, elements[0]!, 0);
      // With the event index and a split ring, disabling is no more than a hint that does nothing.
      if (!eventIdx || rig.device.packed) assert.equal(virtioNotify(rig.device), false);
      assert.equal(virtqueueEnableCb(rig.driver), false, "one is waiting already");
      assert.equal(virtqueueGetBuf(rig.driver), 0);
      const mark = virtqueueEnableCbPrepare(rig.driver);
      assert.equal(virtqueuePoll(rig.driver, mark), false);
      virtqueuePush(rig.device, elements[1]!, 0);
      assert.equal(virtqueuePoll(rig.driver, mark), true);
      assert.equal(virtioNotify(rig.device), true);
      assert.equal(virtqueueGetBuf(rig.driver), 1);

      assert.equal(virtqueueEnableCbDelayed(rig.driver), true);
      const notified = elements.slice(2).map((element) => {
        virtqueuePush(rig.device, element, 0);
        return virtioNotify(rig.device);
      });
      // Six in flight: with the event index the callback comes after three quarters of them.
      const late = [false, false, false, false, true, false];
      assert.deepEqual(notified, eventIdx ? late : [true, true, true, true, true, true]);
      assert.equal(virtqueueEnableCbDelayed(rig.driver), false);
    });

    test("the device asks for notifications, or for none", () => {
      const rig = makeRig({ size: 8, features });
      virtqueueSetNotification(rig.device, false);
      if (eventIdx && !rig.device.packed) {
        // Only an index that stays behind keeps the driver quiet: the first kick passes it.
        assert.equal(virtqueueAddOutbuf(rig.driver, out, 0), 0);
        virtqueueKick(rig.driver);
      }
      const before = rig.kicks.length;
      assert.equal(virtqueueAddOutbuf(rig.driver, out, 1), 0);
      assert.equal(virtqueueKickPrepare(rig.driver), false);
      assert.equal(rig.kicks.length, before);
      popAll(rig);
      virtqueueSetNotification(rig.device, true);
      assert.equal(virtqueueEmpty(rig.device), true);
      assert.equal(virtqueueAddOutbuf(rig.driver, out, 2), 0);
      assert.equal(virtqueueKick(rig.driver), true);
      assert.equal(rig.kicks.length, before + 1);
    });

    test("a broken queue, and its reset, also to another size", () => {
      const rig = makeRig({ size: 8, features });
      add(rig, 3);
      virtqueueBreakDevice(rig.driver);
      assert.equal(virtqueueIsBroken(rig.driver), true);
      assert.match(rig.driver.error, /broken by the driver/);
      assert.equal(virtqueueAddOutbuf(rig.driver, out, 9), -EIO);
      assert.equal(virtqueueNotify(rig.driver), false);
      assert.equal(virtqueueGetBuf(rig.driver), undefined);
      const lost: unknown[] = [];
      virtqueueReset(rig.driver, (token) => void lost.push(token));
      assert.deepEqual(lost, [0, 1, 2]);
      assert.deepEqual([virtqueueIsBroken(rig.driver), rig.driver.free], [false, 8]);
      virtqueueResize(rig.driver, 2);
      assert.equal(virtqueueAddOutbuf(rig.driver, out, 0), 0);
      assert.equal(virtqueueAddOutbuf(rig.driver, out, 1), 0);
      assert.equal(virtqueueAddOutbuf(rig.driver, out, 2), -ENOSPC);
      assert.throws(() => virtqueueResize(rig.driver, 16), RangeError);
    });

    test("spurious interrupts and kicks do nothing", () => {
      const rig = makeRig({ size: 4, features });
      assert.equal(vringInterrupt(rig.driver), false);
      assert.equal(virtqueueNotify(rig.driver), true);
      assert.equal(virtqueuePop(rig.device), undefined);
      add(rig, 1);
      virtqueuePush(rig.device, virtqueuePop(rig.device)!, 0);
      assert.equal(vringInterrupt(rig.driver), true);
      assert.equal(virtqueueGetBuf(rig.driver), 0);
      assert.equal(vringInterrupt(rig.driver), false);
    });

    test("a retired queue touches neither rings nor buffers", () => {
      const rig = makeRig({ size: 4, features });
      add(rig, 2);
      const [a, b] = popAll(rig);
      virtqueuePush(rig.device, a!, 8);
      rig.device.retire();
      const before = rig.u8.slice(RAM_START, RAM_END);
      assert.equal(b!.in.size, 0);
      virtqueuePush(rig.device, b!, 8);
      assert.equal(virtioNotify(rig.device), false);
      assert.equal(virtqueuePop(rig.device), undefined);
      virtqueueSetNotification(rig.device, false);
      assert.deepEqual(rig.u8.subarray(RAM_START, RAM_END), before);
      assert.deepEqual(rig.errors, []);
    });
  });
}

describe("queue sizes", () => {
  test("powers of two for a split ring, any up to 32768 for a packed one", () => {
    const legal = (packed: boolean) =>
      [0, 1, 2, 3, 100, 128, 32767, 32768, 32769, 65536, 1.5, -1].filter((size) =>
        isQueueSize(size, packed),
      );
    assert.deepEqual(legal(false), [1, 2, 128, 32768]);
    assert.deepEqual(legal(true), [1, 2, 3, 100, 128, 32767, 32768]);
  });

  for (const features of [0n, VIRTIO_F_RING_PACKED, VIRTIO_F_INDIRECT_DESC]) {
    test(`32768 descriptors, all in flight, twice around (features ${features})`, () => {
      const rig = makeRig({ size: 32768, features: features | VIRTIO_F_VERSION_1 });
      for (let round = 0; round < 2; round++) {
        add(rig, 32768);
        assert.equal(virtqueueAddInbuf(rig.driver, into, "more"), -ENOSPC);
        for (let i = 0; i < 32768; i++) virtqueuePush(rig.device, virtqueuePop(rig.device)!, 1);
        for (let i = 0; i < 32768; i++) {
          if (virtqueueGetBuf(rig.driver) !== i) assert.fail(`buffer ${i}`);
        }
      }
      assert.deepEqual(rig.errors, []);
    });
  }
});

describe("mistakes of the host", () => {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const device = {
    core,
    memory,
    index: 0,
    size: 8,
    desc: RAM_START,
    driver: RAM_START + 0x1000,
    device: RAM_START + 0x2000,
    workspace: RAM_END,
    regions: [{ guest: RAM_START, size: RAM_SIZE, offset: RAM_START }],
    features: VIRTIO_F_VERSION_1,
    notify: () => {},
    onError: () => {},
  };
  const driver = {
    core,
    memory,
    index: 0,
    size: 8,
    base: RAM_START,
    workspace: RAM_END,
    features: VIRTIO_F_VERSION_1,
    notify: () => {},
  };
  const cases: [string, () => unknown][] = [
    ["a workspace inside a region", () => new DeviceQueue({ ...device, workspace: RAM_END - 16 })],
    ["a misaligned workspace", () => new DeviceQueue({ ...device, workspace: RAM_END + 8 })],
    ["a size that is no power of two", () => new DeviceQueue({ ...device, size: 9 })],
    [
      "a region outside memory",
      () => new DeviceQueue({ ...device, regions: [{ guest: 0, size: 2 ** 32, offset: 0 }] }),
    ],
    [
      "regions that overlap",
      () =>
        new DeviceQueue({
          ...device,
          regions: [
            { guest: 0, size: 8192, offset: RAM_START },
            { guest: 4096, size: 8192, offset: RAM_START },
          ],
        }),
    ],
    [
      "33 regions",
      () =>
        new DeviceQueue({
          ...device,
          regions: Array.from({ length: 33 }, (_, i) => ({ guest: 16 * i, size: 16, offset: 64 })),
        }),
    ],
    ["a misaligned base", () => new DriverQueue({ ...driver, base: RAM_START + 32 })],
    ["a driver's workspace misaligned", () => new DriverQueue({ ...driver, workspace: 8 })],
    ["a driver's queue of 12", () => new DriverQueue({ ...driver, size: 12 })],
  ];
  for (const [name, make] of cases) {
    test(`${name} is a RangeError`, () => {
      assert.throws(make, RangeError);
    });
  }
});
