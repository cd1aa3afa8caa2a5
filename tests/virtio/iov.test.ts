import assert from "node:assert/strict";
import {
  type Iov,
  iovDiscardBack,
  iovDiscardFront,
  iovDiscardUndo,
  iovFromBuf,
  iovMemset,
  iovSize,
  iovToBuf,
  sgInitOne,
  virtqueueAddSgs,
  virtqueueKick,
  virtqueuePop,
} from "../../runtime/virtio/index.ts";
import { describe, test } from "../harness.ts";
import { BUFFERS, makeRig, type Rig } from "./rig.ts";

/** Buffers of these sizes, 123 bytes apart, popped by the device. */
function chain(out: readonly number[], into: readonly number[]): { rig: Rig; out: Iov; in: Iov } {
  const rig = makeRig({ size: 16 });
  let at = BUFFERS;
  const list = (sizes: readonly number[]) =>
    sizes.map((size) => {
      const sg = sgInitOne(at, size);
      at += size + 123;
      return sg;
    });
  assert.equal(virtqueueAddSgs(rig.driver, list(out), list(into), "token"), 0);
  virtqueueKick(rig.driver);
  const element = virtqueuePop(rig.device);
  assert.ok(element);
  return { rig, out: element.out, in: element.in };
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7 + 1);
}

/** One case: what is done with the iov of a chain, and what must come out. */
interface IovVector {
  readonly name: string;
  readonly source: string;
  readonly out?: readonly number[];
  readonly in?: readonly number[];
  readonly run: (found: { rig: Rig; out: Iov; in: Iov }) => void;
}

const RUST_VMM = "rust-vmm virtio-queue descriptor_utils.rs ";
const QEMU = "QEMU tests/unit/test-iov.c ";
const FIRECRACKER = "Firecracker virtio/iovec.rs ";

const VECTORS: readonly IovVector[] = [
  {
    name: "64 of 106 bytes, then the rest",
    source: `${RUST_VMM}reader_test_simple_chain`,
    out: [8, 16, 18, 64],
    run: ({ out }) => {
      assert.equal(iovSize(out), 106);
      const buffer = new Uint8Array(64);
      assert.equal(iovToBuf(out, 0, buffer), 64);
      assert.equal(iovDiscardFront(out, 64), 64);
      assert.equal(iovSize(out), 42);
      assert.equal(iovToBuf(out, 0, buffer), 42);
      assert.equal(iovDiscardFront(out, 64), 42);
      assert.equal(iovSize(out), 0);
    },
  },
  {
    name: "64 of 106 bytes written, then the rest",
    source: `${RUST_VMM}writer_test_simple_chain`,
    in: [8, 16, 18, 64],
    run: ({ in: into }) => {
      assert.equal(iovFromBuf(into, 0, bytes(64)), 64);
      assert.equal(iovFromBuf(into, 64, bytes(64)), 42);
    },
  },
  {
    name: "nothing to read in a chain that is all writable",
    source: `${RUST_VMM}reader_test_incompatible_chain`,
    in: [8],
    run: ({ out }) => {
      assert.equal(iovSize(out), 0);
      assert.equal(iovToBuf(out, 0, new Uint8Array(1)), 0);
      assert.equal(iovDiscardFront(out, 1), 0);
    },
  },
  {
    name: "nothing to write in a chain that is all readable",
    source: `${RUST_VMM}writer_test_incompatible_chain`,
    out: [8],
    run: ({ in: into }) => {
      assert.equal(iovSize(into), 0);
      assert.equal(iovFromBuf(into, 0, bytes(1)), 0);
    },
  },
  {
    name: "128 bytes to read, 68 to write",
    source: `${RUST_VMM}reader_writer_shared_chain`,
    out: [16, 16, 96],
    in: [64, 1, 3],
    run: ({ rig, out, in: into }) => {
      rig.u8.set(bytes(16), BUFFERS);
      const buffer = new Uint8Array(200);
      assert.equal(iovToBuf(out, 0, buffer), 128);
      assert.deepEqual(buffer.subarray(0, 16), bytes(16));
      assert.equal(iovFromBuf(into, 0, buffer.subarray(0, 68)), 68);
      assert.equal(iovFromBuf(into, 68, buffer), 0);
    },
  },
  {
    name: "a value in four buffers of one byte",
    source: `${RUST_VMM}reader_writer_shattered_object`,
    in: [1, 1, 1, 1],
    run: ({ rig, in: into }) => {
      assert.equal(iovFromBuf(into, 0, new Uint8Array([0x78, 0x56, 0x34, 0x12])), 4);
      const found = [0, 1, 2, 3].map((i) => rig.u8[BUFFERS + 124 * i]);
      assert.deepEqual(found, [0x78, 0x56, 0x34, 0x12]);
      const back = new Uint8Array(4);
      assert.equal(iovToBuf(into, 0, back), 4);
      assert.equal(new DataView(back.buffer).getUint32(0, true), 0x12345678);
    },
  },
  {
    name: "more asked than there is",
    source: `${RUST_VMM}reader_unexpected_eof`,
    out: [256, 256],
    run: ({ out }) => assert.equal(iovToBuf(out, 0, new Uint8Array(1024)), 512),
  },
  ...[0, 24, 32, 128, 256].map((cut) => ({
    name: `cut at ${cut} of 128`,
    source: `${RUST_VMM}split_border, split_middle, split_end, split_beginning, split_outofbounds`,
    out: [16, 16, 96],
    run: ({ out }: { out: Iov }) => {
      assert.equal(iovDiscardFront(out, cut), Math.min(cut, 128));
      assert.equal(iovSize(out), Math.max(0, 128 - cut));
    },
  })),
  {
    name: "48 of 64 bytes there are",
    source: `${RUST_VMM}read_full`,
    out: [16, 16, 16],
    run: ({ out }) => assert.equal(iovToBuf(out, 0, new Uint8Array(64)), 48),
  },
  {
    name: "48 of 64 bytes have room",
    source: `${RUST_VMM}write_full`,
    in: [16, 16, 16],
    run: ({ in: into }) => assert.equal(iovFromBuf(into, 0, bytes(64)), 48),
  },
  {
    name: "an offset inside, at the border of, and beyond buffers",
    source: `${FIRECRACKER}test_iovec_read_at`,
    out: [64, 64, 64, 64],
    run: ({ rig, out }) => {
      for (let i = 0; i < 256; i++) rig.u8[BUFFERS + (i >> 6) * 187 + (i & 63)] = i;
      const buffer = new Uint8Array(5);
      for (const offset of [0, 1, 59, 60, 63, 64, 127, 190, 251]) {
        assert.equal(iovToBuf(out, offset, buffer), 5);
        assert.deepEqual(
          [...buffer],
          [0, 1, 2, 3, 4].map((i) => offset + i),
        );
      }
      assert.equal(iovToBuf(out, 252, buffer), 4);
      assert.equal(iovToBuf(out, 256, buffer), 0);
      assert.equal(iovToBuf(out, 257, buffer), 0);
    },
  },
  {
    name: "what lies between the buffers is not written",
    source: `${FIRECRACKER}test_iovec_mut_write_at`,
    in: [64, 64],
    run: ({ rig, in: into }) => {
      rig.u8.fill(0xaa, BUFFERS, BUFFERS + 400);
      assert.equal(iovFromBuf(into, 60, new Uint8Array(8)), 8);
      const found = [...rig.u8.subarray(BUFFERS, BUFFERS + 400)];
      const zeros = found.flatMap((byte, i) => (byte === 0 ? [i] : []));
      assert.deepEqual(zeros, [60, 61, 62, 63, 187, 188, 189, 190]);
    },
  },
  {
    name: "memset over the border of two buffers",
    source: `${QEMU}test_to_from_buf`,
    in: [4, 4],
    run: ({ rig, in: into }) => {
      assert.equal(iovMemset(into, 2, 0x5a, 100), 6);
      const found = [0, 1, 2, 3, 127, 128, 129, 130].map((i) => rig.u8[BUFFERS + i]);
      assert.deepEqual(found, [0, 0, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a]);
    },
  },
  ...[
    { name: "nothing", bytes: 0, left: [5, 6, 7] },
    { name: "a part of the first", bytes: 3, left: [2, 6, 7] },
    { name: "exactly the first", bytes: 5, left: [6, 7] },
    { name: "the first and a part of the second", bytes: 8, left: [3, 7] },
    { name: "all", bytes: 18, left: [] },
    { name: "more than all", bytes: 19, left: [] },
  ].map(({ name, bytes: count, left }) => ({
    name: `discard at the front: ${name}, and undo`,
    source: `${QEMU}test_discard_front, test_discard_front_undo`,
    out: [5, 6, 7],
    run: ({ out }: { out: Iov }) => {
      const first = out.address(0);
      assert.equal(iovDiscardFront(out, count), Math.min(count, 18));
      const lengths = () => Array.from({ length: out.count }, (_, i) => out.length(i));
      assert.deepEqual(lengths(), left);
      assert.equal(iovDiscardUndo(out), true);
      assert.deepEqual(lengths(), [5, 6, 7]);
      assert.equal(out.address(0), first);
      assert.equal(iovDiscardUndo(out), false);
    },
  })),
  ...[
    { name: "nothing", bytes: 0, left: [5, 6, 7] },
    { name: "a part of the last", bytes: 3, left: [5, 6, 4] },
    { name: "exactly the last", bytes: 7, left: [5, 6] },
    { name: "the last and a part of the second", bytes: 8, left: [5, 5] },
    { name: "all", bytes: 18, left: [] },
    { name: "more than all", bytes: 19, left: [] },
  ].map(({ name, bytes: count, left }) => ({
    name: `discard at the back: ${name}, and undo`,
    source: `${QEMU}test_discard_back, test_discard_back_undo`,
    in: [5, 6, 7],
    run: ({ in: into }: { in: Iov }) => {
      assert.equal(iovDiscardBack(into, count), Math.min(count, 18));
      const lengths = () => Array.from({ length: into.count }, (_, i) => into.length(i));
      assert.deepEqual(lengths(), left);
      assert.equal(iovDiscardUndo(into), true);
      assert.deepEqual(lengths(), [5, 6, 7]);
    },
  })),
  {
    name: "front and back, undone in the other order",
    source: `${QEMU}test_discard_front_undo`,
    out: [5, 6, 7],
    run: ({ out }) => {
      iovDiscardFront(out, 7);
      iovDiscardBack(out, 8);
      assert.deepEqual([out.count, out.length(0), iovSize(out)], [1, 3, 3]);
      iovDiscardUndo(out);
      iovDiscardUndo(out);
      assert.deepEqual([out.count, iovSize(out), out.address(0)], [3, 18, BUFFERS]);
    },
  },
  {
    name: "to and from addresses of the linear memory",
    source: `${QEMU}test_to_from_buf`,
    out: [5, 6],
    in: [6, 5],
    run: ({ rig, out, in: into }) => {
      rig.u8.set([1, 2, 3, 4, 5], BUFFERS);
      rig.u8.set([6, 7, 8, 9, 10, 11], BUFFERS + 128);
      assert.equal(iovToBuf(out, 1, BUFFERS + 0x1000, 100), 10);
      assert.equal(iovFromBuf(into, 0, BUFFERS + 0x1000, 10), 10);
      const back = new Uint8Array(10);
      assert.equal(iovToBuf(into, 0, back), 10);
      assert.deepEqual([...back], [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    },
  },
  {
    name: "an array that is larger than the bounce buffer",
    source: `${QEMU}test_to_from_buf`,
    in: [1000, 3000],
    run: ({ in: into }) => {
      const data = bytes(4000);
      assert.equal(iovFromBuf(into, 0, data), 4000);
      const back = new Uint8Array(4096);
      assert.equal(iovToBuf(into, 0, back), 4000);
      assert.deepEqual(back.subarray(0, 4000), data);
    },
  },
];

describe("iov", () => {
  for (const { name, source, out = [], in: into = [], run } of VECTORS) {
    test(`${name} (§2.7.4; ${source})`, () => run(chain(out, into)));
  }
});
