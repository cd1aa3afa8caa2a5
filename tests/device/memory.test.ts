import assert from "node:assert/strict";
import * as P from "../../runtime/protocol/index.ts";
import { describe, test } from "../harness.ts";
import { Bench, pattern } from "./bench.ts";

describe("device memory", () => {
  test("copies in all four directions, short and long, give the bytes back", () => {
    const bench = new Bench();
    for (const bytes of [1, 7, 2048, 2049, 100_000, 3 << 20]) {
      const data = pattern(bytes);
      const a = bench.alloc(bytes);
      const b = bench.alloc(bytes);
      assert.equal(bench.copy(a, data, bytes, P.COPY_HOST_TO_DEVICE), 0);
      assert.equal(bench.copy(b, a, bytes, P.COPY_DEVICE_TO_DEVICE), 0);
      const back = new Uint8Array(bytes);
      assert.equal(bench.copy(back, b, bytes, P.COPY_DEVICE_TO_HOST), 0);
      assert.deepEqual(back, data);
      const again = new Uint8Array(bytes);
      assert.equal(bench.copy(again, a, bytes, P.COPY_DEFAULT), 0);
      assert.deepEqual(again, data);
      assert.equal(bench.free(a), 0);
      assert.equal(bench.free(b), 0);
    }
  });

  test("pinned memory is copied from and to by its address", () => {
    const bench = new Bench();
    const pinned = bench.alloc(10_000, P.MEMORY_HOST);
    const device = bench.alloc(10_000);
    const view = bench.file.mmap(pinned, 10_000) as Uint8Array;
    const data = pattern(10_000);
    view.set(data);
    assert.equal(bench.copy(device, view, 10_000, P.COPY_HOST_TO_DEVICE), 0);
    assert.equal(bench.copy(pinned, pinned, 0, P.COPY_HOST_TO_HOST), 0);
    view.fill(0);
    assert.equal(bench.copy(pinned, device, 10_000, P.COPY_DEVICE_TO_HOST), 0);
    assert.deepEqual(view.slice(), data);
    const other = bench.alloc(10_000, P.MEMORY_HOST);
    assert.equal(bench.copy(other, pinned, 10_000, P.COPY_HOST_TO_HOST), 0);
    assert.deepEqual((bench.file.mmap(other, 10_000) as Uint8Array).slice(), data);
  });

  test("sets bytes, halves and words", () => {
    const bench = new Bench();
    const pointer = bench.alloc(64);
    const set = (at: number, count: number, value: number, width: number): number =>
      bench.call(
        P.COMMAND_MEMORY_SET,
        { [P.MEMORY_SET_VALUE]: value, [P.MEMORY_SET_WIDTH]: width },
        { [P.MEMORY_SET_TARGET]: pointer + at, [P.MEMORY_SET_COUNT]: count },
      );
    assert.equal(set(0, 64, 0x1ff, 1), 0);
    assert.equal(set(8, 3, 0x12345678, 4), 0);
    assert.equal(set(2, 2, 0xabcd, 2), 0);
    const back = new Uint8Array(24);
    bench.copy(back, pointer, 24, P.COPY_DEVICE_TO_HOST);
    const word = [0x78, 0x56, 0x34, 0x12];
    const ff = (n: number): number[] => new Array<number>(n).fill(0xff);
    const want = [...ff(2), 0xcd, 0xab, 0xcd, 0xab, ...ff(2), ...word, ...word, ...word, ...ff(4)];
    assert.deepEqual([...back], want);
    assert.equal(set(0, 65, 0, 1), P.cudaErrorInvalidValue);
    assert.equal(set(1, 1, 0, 4), P.cudaErrorInvalidValue);
    assert.equal(set(0, 1, 0, 3), P.cudaErrorInvalidValue);
    assert.equal(set(0, 2 ** 52, 0, 4), P.cudaErrorInvalidValue);
  });

  test("refuses copies beyond an allocation, from nowhere, and in the wrong direction", () => {
    const bench = new Bench();
    const a = bench.alloc(100);
    const bad = P.cudaErrorInvalidValue;
    const data = new Uint8Array(5000);
    assert.equal(bench.copy(a, data, 101, P.COPY_HOST_TO_DEVICE), bad);
    assert.equal(bench.copy(a, data, 5000, P.COPY_HOST_TO_DEVICE), bad);
    assert.equal(bench.copy(a + 1, data, 100, P.COPY_HOST_TO_DEVICE), bad);
    assert.equal(bench.copy(data, a - 1, 1, P.COPY_DEVICE_TO_HOST), bad);
    assert.equal(bench.copy(0, data, 1, P.COPY_HOST_TO_DEVICE), bad);
    assert.equal(bench.copy(0x1234, a, 1, P.COPY_DEVICE_TO_HOST), bad);
    assert.equal(bench.copy(a, a, 2 ** 53 - 1, P.COPY_DEVICE_TO_DEVICE), bad);
    assert.equal(bench.copy(a, data, 1, P.COPY_DEVICE_TO_DEVICE), bad);
    assert.equal(bench.copy(a, a, 1, P.COPY_HOST_TO_DEVICE), 0, "known memory may be any side");
    assert.equal(bench.copy(a, data, 1, 5), P.cudaErrorInvalidMemcpyDirection);
    assert.equal(bench.copy(a, data, 0, P.COPY_HOST_TO_DEVICE), 0);
  });

  test("double free, freeing what was never allocated or another kind, is refused", () => {
    const bench = new Bench();
    const bad = P.cudaErrorInvalidValue;
    const a = bench.alloc(100);
    const pinned = bench.alloc(100, P.MEMORY_HOST);
    assert.equal(bench.free(a + 1), bad);
    assert.equal(bench.free(a, P.MEMORY_HOST), bad);
    assert.equal(bench.free(pinned), bad);
    assert.equal(bench.free(a), 0);
    assert.equal(bench.free(a), bad);
    assert.equal(bench.free(0xdead_beef), bad);
    assert.equal(bench.free(0), 0);
    assert.equal(bench.free(pinned, P.MEMORY_HOST), 0);
    assert.equal(bench.free(bench.alloc(100, P.MEMORY_MANAGED)), 0);
  });

  test("out of memory is an error and leaves the device working", () => {
    const bench = new Bench({ memoryBytes: 1 << 20 });
    const fields = { [P.MEMORY_ALLOC_KIND]: P.MEMORY_DEVICE };
    const ask = (bytes: number): number =>
      bench.call(P.COMMAND_MEMORY_ALLOC, fields, { [P.MEMORY_ALLOC_BYTES]: bytes });
    assert.equal(ask((1 << 20) + 1), P.cudaErrorMemoryAllocation);
    assert.equal(ask(2 ** 53 - 1), P.cudaErrorMemoryAllocation);
    const held = [];
    for (;;) {
      if (ask(100_000) !== 0) break;
      held.push(bench.get64(P.MEMORY_ALLOC_ADDRESS));
    }
    assert.equal(held.length, 10);
    for (const pointer of held) assert.equal(bench.free(pointer), 0);
    assert.equal(ask(1 << 20), 0);
    assert.equal(ask(0), 0);
    assert.equal(bench.get64(P.MEMORY_ALLOC_ADDRESS), 0);
  });

  test("memory info counts down and up again", () => {
    const bench = new Bench({ memoryBytes: 1 << 20 });
    const free = (): number => {
      assert.equal(bench.call(P.COMMAND_MEMORY_INFO), 0);
      assert.equal(bench.get64(P.MEMORY_INFO_TOTAL), 1 << 20);
      return bench.get64(P.MEMORY_INFO_FREE);
    };
    const before = free();
    const pointer = bench.alloc(1000);
    assert.equal(free(), before - 1024);
    bench.free(pointer);
    assert.equal(free(), before);
  });

  test("pointer attributes know start, size and kind, also inside an allocation", () => {
    const bench = new Bench();
    const pointer = bench.alloc(1000, P.MEMORY_MANAGED);
    const ask = (at: number): number =>
      bench.call(P.COMMAND_POINTER_ATTRIBUTES, {}, { [P.POINTER_ATTRIBUTES_ADDRESS]: at });
    assert.equal(ask(pointer + 999), 0);
    assert.equal(bench.get64(P.POINTER_ATTRIBUTES_START), pointer);
    assert.equal(bench.get64(P.POINTER_ATTRIBUTES_BYTES), 1000);
    assert.equal(bench.get32(P.POINTER_ATTRIBUTES_KIND), P.MEMORY_MANAGED);
    assert.equal(bench.get32(P.POINTER_ATTRIBUTES_CONTEXT), bench.context);
    assert.equal(ask(pointer + 1000), 0);
    assert.equal(bench.get32(P.POINTER_ATTRIBUTES_KIND), P.MEMORY_UNREGISTERED);
  });

  test("memory grows on demand, and old views stay views of the same bytes", () => {
    const bench = new Bench();
    const before = bench.memory.byteLength;
    const first = bench.alloc(1000);
    assert.equal(bench.memory.byteLength, before); // the first step was there
    const view = bench.file.mmap(first, 1000) as Uint8Array;
    bench.alloc(20 << 20);
    assert.ok(bench.memory.byteLength > before);
    bench.copy(first, pattern(1000), 1000, P.COPY_HOST_TO_DEVICE);
    assert.deepEqual(view.slice(), pattern(1000));
    assert.equal(bench.file.virtToPhys(view), first - bench.memory.base);
  });
});
