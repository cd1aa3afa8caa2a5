import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { moveBytes } from "../../runtime/driver/bulk.ts";
import { test } from "../harness.ts";

test("long and short runs of bytes go into shared memory and out of it, and no further", () => {
  const memory = new WebAssembly.Memory({ initial: 33, maximum: 33, shared: true });
  const all = new Uint8Array(memory.buffer);
  for (const length of [
    0,
    1,
    4097,
    (64 << 10) - 1,
    64 << 10,
    300_001,
    512 << 10,
    (512 << 10) + 1,
    2_100_007,
  ]) {
    const data = new Uint8Array(length + 2).map((_, i) => i * 7 + (i >> 8)).subarray(1, length + 1);
    all.fill(0xee);
    moveBytes(all.subarray(1003, 1003 + length), data);
    assert.deepEqual(all.slice(1003, 1003 + length), data.slice());
    assert.deepEqual([all[1002], all[1003 + length]], [0xee, 0xee]);
    const back = new Uint8Array(length + 2).fill(0xdd);
    moveBytes(back.subarray(1, length + 1), all.subarray(1003, 1003 + length));
    assert.deepEqual(back.slice(1, length + 1), data.slice());
    assert.deepEqual([back[0], back[length + 1]], [0xdd, 0xdd]);
  }
});

test("runs beyond all caches, too", () => {
  const length = (33 << 20) + 5;
  const memory = new WebAssembly.Memory({ initial: 529, maximum: 529, shared: true });
  const data = new Uint8Array(length);
  new Uint32Array(data.buffer, 0, length >> 2).forEach((_, i, words) => {
    words[i] = Math.imul(i, 0x9e3779b1);
  });
  const shared = new Uint8Array(memory.buffer, 3, length);
  moveBytes(shared, data);
  const back = new Uint8Array(length + 1).fill(0xdd);
  moveBytes(back.subarray(0, length), shared);
  assert.equal(Buffer.compare(back.subarray(0, length), data), 0);
  assert.equal(back[length], 0xdd);
});
