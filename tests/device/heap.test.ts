import assert from "node:assert/strict";
import {
  GuestMemory,
  Heap,
  MAX_MEMORY_BYTES,
  memoryMap,
  WASM_PAGE_BYTES,
} from "../../runtime/memory/index.ts";
import { describe, test } from "../harness.ts";

describe("the memory map", () => {
  test("regions follow each other without gaps, in any partition", () => {
    for (const start of [0, 1 << 30, 3 * 2 ** 30]) {
      const map = memoryMap({ start, bytes: 2 ** 30 });
      let at = start;
      const order = ["nullPage", "guestRam", "workspace", "launches", "scratch", "deviceMemory"];
      for (const name of order as (keyof typeof map)[]) {
        assert.equal(map[name].start, at, name);
        assert.ok(map[name].size > 0 && map[name].start % WASM_PAGE_BYTES === 0, name);
        at += map[name].size;
      }
      assert.equal(at, start + 2 ** 30);
    }
    assert.throws(() => memoryMap({ start: 1 }), RangeError);
    assert.throws(() => memoryMap({ bytes: MAX_MEMORY_BYTES + WASM_PAGE_BYTES }), RangeError);
    assert.throws(() => memoryMap({ bytes: 1 << 20 }), RangeError);
  });

  test("translate refuses the null page, what is not there, and sums that would wrap", () => {
    const memory = GuestMemory.create();
    const { guestRam } = memory.map;
    assert.equal(memory.translate(guestRam.start, 10), guestRam.start);
    assert.equal(memory.translate(memory.byteLength - 10, 10), memory.byteLength - 10);
    assert.equal(memory.translate(memory.byteLength - 10, 11), -1);
    assert.equal(memory.translate(0, 1), -1);
    assert.equal(memory.translate(guestRam.start - 1, 1), -1);
    assert.equal(memory.translate(guestRam.start, -1), -1);
    assert.equal(memory.translate(guestRam.start, 2 ** 53), -1);
    assert.equal(memory.translate(Number.NaN, 1), -1);
    assert.equal(memory.offsetOf(memory.base + guestRam.start, 4), guestRam.start);
    assert.equal(memory.offsetOf(guestRam.start, 4), -1);
    assert.throws(() => new GuestMemory(memory.memory, memory.map, 4096), RangeError);
    assert.throws(() => new GuestMemory(memory.memory, memory.map, 2 ** 47), RangeError);
  });
});

describe("guest memory", () => {
  test("grows in steps, and not beyond its partition", () => {
    const bytes = memoryMap().deviceMemory.start + (20 << 20);
    const memory = GuestMemory.create(memoryMap({ bytes }));
    const { start } = memory.map.deviceMemory;
    assert.equal(memory.byteLength, start + (16 << 20));
    assert.equal(memory.ensure(start + (16 << 20)), true);
    assert.equal(memory.byteLength, start + (16 << 20));
    assert.equal(memory.ensure(start + (17 << 20)), true);
    assert.equal(memory.byteLength, bytes);
    assert.equal(memory.ensure(start + 5), true);
    assert.equal(memory.byteLength, bytes);
    assert.equal(memory.ensure(MAX_MEMORY_BYTES + 1), false);
    const small = memoryMap({ bytes: start + WASM_PAGE_BYTES });
    assert.equal(GuestMemory.create(small).byteLength, start + WASM_PAGE_BYTES);
  });
});

describe("heaps", () => {
  test("allocations never overlap, are aligned, and merge when they are freed", () => {
    const start = 1 << 20;
    const size = 1 << 20;
    const heap = new Heap(start, size, 256);
    const live = new Map<number, number>();
    let state = 7;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % below;
    };
    for (let i = 0; i < 20_000; i++) {
      if (random(5) < 3) {
        const bytes = 1 + random(random(4) === 0 ? 60_000 : 2000);
        const align = 1 << random(14);
        const at = heap.alloc(bytes, align);
        if (at === 0) continue;
        assert.ok(at % Math.max(256, align) === 0 && at >= start && at + bytes <= start + size);
        for (const [other, length] of live) {
          if (at < other + length && other < at + bytes) assert.fail(`${at} overlaps ${other}`);
        }
        live.set(at, bytes);
      } else if (live.size > 0) {
        const victim = [...live.keys()][random(live.size)]!;
        assert.equal(heap.release(victim), true);
        assert.equal(heap.release(victim), false, "twice");
        live.delete(victim);
      }
    }
    for (const at of live.keys()) heap.release(at);
    assert.equal(heap.used, 0);
    assert.equal(heap.alloc(size), start, "it is one range again");
    assert.equal(heap.alloc(1), 0);
    assert.equal(heap.release(start + 256), false);
  });

  test("what was given back is used again before the memory grows", () => {
    let top = 0;
    const heap = new Heap(65536, 1 << 30, 256, (end) => {
      top = Math.max(top, end);
      return true;
    });
    for (const bytes of [100 << 20, 50 << 20, 99 << 20, 1 << 19, 1 << 18]) {
      assert.equal(heap.release(heap.alloc(bytes)), true);
    }
    assert.equal(top, 65536 + (100 << 20));
  });

  test("a heap whose memory cannot grow gives nothing and loses nothing", () => {
    let allowed = true;
    const heap = new Heap(65536, 65536, 256, () => allowed);
    const first = heap.alloc(1000);
    allowed = false;
    assert.equal(heap.alloc(1000), 0);
    allowed = true;
    heap.release(first);
    assert.equal(heap.alloc(65536), 65536);
  });
});
