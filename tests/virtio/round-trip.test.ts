import assert from "node:assert/strict";
import {
  iovDiscardBack,
  iovDiscardFront,
  iovDiscardUndo,
  iovFromBuf,
  iovSize,
  iovToBuf,
  sgInitOne,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
  virtioNotify,
  virtqueueAddSgs,
  virtqueueGetBuf,
  virtqueueKick,
  virtqueuePop,
  virtqueuePopRequest,
  virtqueuePush,
  virtqueuePushResponse,
} from "../../runtime/virtio/index.ts";
import { describe, test } from "../harness.ts";
import { BUFFERS, featureSets, makeRig } from "./rig.ts";

describe("virtqueue round trip", () => {
  for (const { name, features } of featureSets()) {
    for (const size of [1, 2, 4, 64]) {
      test(`${name}, ${size} descriptors: requests and responses, several rounds`, () => {
        const indirect = 4;
        const rig = makeRig({ size, features, indirect });
        for (let round = 0; round < 3 * size + 5; round++) {
          const out = [sgInitOne(BUFFERS, 8), sgInitOne(BUFFERS + 16, 4)];
          const into = [sgInitOne(BUFFERS + 64, 6)];
          // §2.7.5.3.1: no chain is longer than the queue, in an indirect table neither.
          if (size < 4) {
            rig.view.setUint32(BUFFERS, round, true);
            assert.equal(virtqueueAddSgs(rig.driver, [out[0]!], [], { round }), 0);
            assert.equal(virtqueueKick(rig.driver), true);
            const element = virtqueuePopRequest(rig.device, 4);
            assert.ok(element, rig.errors.join());
            assert.equal(rig.device.header.getUint32(0, true), round);
            assert.equal(iovSize(element.out), 4);
            virtqueuePushResponse(element, 0);
            assert.deepEqual(virtqueueGetBuf(rig.driver), { round });
            assert.equal(rig.driver.usedLength, 0);
            continue;
          }
          rig.u8.set([1, 2, 3, 4, 5, 6, 7, 8], BUFFERS);
          rig.view.setUint32(BUFFERS + 16, round, true);
          assert.equal(virtqueueAddSgs(rig.driver, out, into, { round }), 0);
          assert.equal(virtqueueKick(rig.driver), true);
          const element = virtqueuePopRequest(rig.device, 10);
          assert.ok(element, rig.errors.join());
          assert.equal(element.headerLength, 10);
          const header = new Uint8Array(rig.device.header.buffer, rig.device.header.byteOffset, 8);
          assert.deepEqual([...header], [1, 2, 3, 4, 5, 6, 7, 8]);
          assert.equal(rig.device.header.getUint16(8, true), round);
          assert.equal(iovSize(element.out), 2);
          rig.device.response.setUint32(0, round ^ 0xffff, true);
          virtqueuePushResponse(element, 4);
          assert.deepEqual(virtqueueGetBuf(rig.driver), { round });
          assert.equal(rig.driver.usedLength, 4);
          assert.equal(rig.view.getUint32(BUFFERS + 64, true), round ^ 0xffff);
          assert.equal(virtqueueGetBuf(rig.driver), undefined);
        }
        assert.deepEqual(rig.errors, []);
        assert.equal(rig.driver.free, size);
        assert.equal(rig.kicks.length > 0 && rig.interrupts.length > 0, true);
      });
    }
  }
});

describe("headers and responses of odd sizes", () => {
  const cases: [name: string, out: number[], into: number[], header: number, response: number][] = [
    ["no header, nothing to read", [], [8], 0, 8],
    ["a header, but nothing to read", [], [8], 4, 8],
    ["no header wanted", [8], [8], 0, 4],
    ["a header in three pieces", [2, 2, 8], [8], 6, 8],
    ["a header that is exactly one buffer", [4, 8], [8], 4, 8],
    ["a header that is all there is", [4], [], 4, 0],
    ["a header longer than the request", [3, 2], [8], 9, 8],
    ["a response in three pieces", [4], [1, 2, 3], 4, 6],
    ["a response longer than its buffers", [4], [1, 2], 4, 6],
    ["a response without a buffer", [4], [], 4, 6],
  ];
  for (const [name, out, into, header, response] of cases) {
    test(name, () => {
      const rig = makeRig();
      let at = BUFFERS;
      const list = (lengths: number[]) =>
        lengths.map((length) => {
          at += 32;
          for (let i = 0; i < length; i++) rig.u8[at + i] = at + i;
          return sgInitOne(at, length);
        });
      const outList = list(out);
      const inList = list(into);
      assert.equal(virtqueueAddSgs(rig.driver, outList, inList, "token"), 0);
      virtqueueKick(rig.driver);
      const element = virtqueuePopRequest(rig.device, header);
      assert.ok(element, rig.errors.join());
      const sum = (lengths: number[]) => lengths.reduce((a, b) => a + b, 0);
      const given = outList.flatMap(({ address, length }) =>
        Array.from({ length }, (_, i) => (address + i) & 0xff),
      );
      const taken = Math.min(header, sum(out));
      assert.equal(element.headerLength, taken);
      const private_ = new Uint8Array(
        rig.device.header.buffer,
        rig.device.header.byteOffset,
        taken,
      );
      assert.deepEqual([...private_], given.slice(0, taken));
      const rest = new Uint8Array(64);
      assert.equal(iovToBuf(element.out, 0, rest), sum(out) - taken);
      assert.deepEqual([...rest.subarray(0, sum(out) - taken)], given.slice(taken));
      assert.equal(iovSize(element.in), sum(into));
      for (let i = 0; i < response; i++) rig.device.response.setUint8(i, 0xa0 + i);
      virtqueuePushResponse(element, response);
      assert.equal(virtqueueGetBuf(rig.driver), "token");
      const written = Math.min(response, sum(into));
      assert.equal(rig.driver.usedLength, written);
      const got = inList.flatMap(({ address, length }) => [
        ...rig.u8.subarray(address, address + length),
      ]);
      const expected = Array.from({ length: written }, (_, i) => 0xa0 + i);
      assert.deepEqual(got.slice(0, written), expected);
    });
  }
});

describe("iov of an element in flight", () => {
  for (const features of [VIRTIO_F_VERSION_1, VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED]) {
    test(`two elements side by side keep their segments, feature bits ${features}`, () => {
      const rig = makeRig({ features });
      for (const at of [0, 256]) {
        const out = [sgInitOne(BUFFERS + at, 10), sgInitOne(BUFFERS + at + 32, 6)];
        const into = [sgInitOne(BUFFERS + at + 64, 5), sgInitOne(BUFFERS + at + 128, 7)];
        for (let i = 0; i < 64; i++) rig.u8[BUFFERS + at + i] = at / 2 + i;
        assert.equal(virtqueueAddSgs(rig.driver, out, into, at), 0);
      }
      virtqueueKick(rig.driver);
      const a = virtqueuePop(rig.device);
      const b = virtqueuePop(rig.device);
      assert.ok(a && b);
      assert.equal(virtqueuePop(rig.device), undefined);
      const bytes = new Uint8Array(16);
      assert.equal(iovToBuf(a.out, 0, bytes), 16);
      assert.deepEqual([...bytes], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 32, 33, 34, 35, 36, 37]);
      assert.equal(iovToBuf(b.out, 9, bytes), 7);
      assert.deepEqual([...bytes.subarray(0, 7)], [137, 160, 161, 162, 163, 164, 165]);

      assert.equal(iovDiscardFront(a.out, 12), 12);
      assert.equal(a.out.count, 1);
      assert.equal(a.out.size, 4);
      assert.equal(a.out.address(0), BUFFERS + 34);
      assert.equal(iovDiscardBack(b.in, 8), 8);
      assert.deepEqual([b.in.count, b.in.size, b.in.length(0)], [1, 4, 4]);
      assert.equal(iovDiscardUndo(b.in), true);
      assert.deepEqual([b.in.count, b.in.size], [2, 12]);
      assert.equal(iovDiscardUndo(a.out), true);
      assert.equal(a.out.size, 16);
      assert.equal(a.out.address(0), BUFFERS);
      assert.equal(iovDiscardUndo(a.out), false);

      // Completed in the other order.
      assert.equal(iovFromBuf(b.in, 3, new Uint8Array([9, 8, 7, 6])), 4);
      virtqueuePush(rig.device, b, 7);
      assert.equal(virtioNotify(rig.device), true);
      assert.equal(virtqueueGetBuf(rig.driver), 256);
      assert.equal(rig.driver.usedLength, 7);
      assert.deepEqual([...rig.u8.subarray(BUFFERS + 256 + 67, BUFFERS + 256 + 69)], [9, 8]);
      assert.deepEqual([...rig.u8.subarray(BUFFERS + 256 + 128, BUFFERS + 256 + 130)], [7, 6]);
      assert.equal(a.in.size, 12);
      virtqueuePush(rig.device, a, 0);
      assert.equal(virtqueueGetBuf(rig.driver), 0);
      assert.throws(() => virtqueuePush(rig.device, a, 0), /given back/);
    });
  }
});
