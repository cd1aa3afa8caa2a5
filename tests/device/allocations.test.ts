import assert from "node:assert/strict";
import { AllocationTable } from "../../runtime/device/allocations.ts";
import { GuestMemory, Heap } from "../../runtime/memory/index.ts";
import { MEMORY_DEVICE } from "../../runtime/protocol/definitions.ts";
import { describe, test } from "../harness.ts";

const MIB = 1 << 20;

describe("where allocations lie", () => {
  const make = (bytes: number) =>
    new AllocationTable(GuestMemory.create(), new Heap(256, bytes, 256));
  const owner = { ordinal: 0, handle: 1 };

  test("large ones of the size of pages begin in other sets of a cache, small ones side by side", () => {
    const table = make(128 * MIB);
    const at = (bytes: number) => table.alloc(bytes, MEMORY_DEVICE, 0, owner)?.offset ?? 0;
    const large = [16 * MIB, 32 * MIB, 16 * MIB, 16 * MIB].map((bytes) => at(bytes) % 4096);
    assert.equal(new Set(large).size, 4);
    const [a, b] = [at(MIB), at(MIB)];
    assert.equal(b - a, MIB);
  });

  test("what is left can be had to the last byte", () => {
    const table = make(32 * MIB);
    const first = table.alloc(16 * MIB, MEMORY_DEVICE, 0, owner);
    const rest = table.free(0);
    assert.equal(rest, 16 * MIB - 1280);
    const second = table.alloc(rest, MEMORY_DEVICE, 0, owner);
    assert.equal(second?.size, rest);
    assert.equal(table.free(0), 0);
    assert.ok(first && (second?.offset as number) >= first.offset + first.size);
  });

  test("where only a range of just the size is left, it is taken", () => {
    const table = make(50 * MIB);
    const all = [0, 1, 2].map(() => table.alloc(16 * MIB, MEMORY_DEVICE, 0, owner));
    const middle = all[1];
    assert.ok(middle);
    table.release(middle);
    assert.equal(table.alloc(16 * MIB + 1280, MEMORY_DEVICE, 0, owner)?.offset, middle.offset);
  });
});
