/** INFLIGHT_SHMFD: what a device's account of its buffers says if the device ends at any moment. */
import assert from "node:assert/strict";
import { InflightPacked, packedRegionBytes } from "../../runtime/vhost/inflight-packed.ts";
import { InflightSplit, splitRegionBytes } from "../../runtime/vhost/inflight-split.ts";
import { DESC_SIZE, PACKED_F_AVAIL, PACKED_F_USED } from "../../runtime/virtio/index.ts";
import { describe, test } from "../harness.ts";

const SIZE = 8;
const START = 0x80008000;

/** A generator of whole numbers below `n` (xorshift). */
function numbers(seed: number): (n: number) => number {
  let x = seed;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}

/** Calls `body` with all writes of DataViews reported before they happen. */
function watchingWrites(before: () => void, body: () => void): void {
  const names = ["setUint8", "setUint16", "setUint32", "setBigUint64"] as const;
  const prototype = DataView.prototype as unknown as Record<string, (...args: unknown[]) => void>;
  const originals = names.map((name) => prototype[name]!);
  for (const [i, name] of names.entries()) {
    prototype[name] = function (this: DataView, ...args: unknown[]) {
      before();
      originals[i]!.apply(this, args);
    };
  }
  try {
    body();
  } finally {
    for (const [i, name] of names.entries()) prototype[name] = originals[i]!;
  }
}

/** A packed ring, and a device that takes lists of it and gives them back. */
class PackedRing {
  readonly size = SIZE;
  readonly descriptors = new DataView(new ArrayBuffer(SIZE * DESC_SIZE));
  avail = { index: 0, wrap: 1 };
  used = { index: 0, wrap: 1 };

  get availPosition(): number {
    return this.avail.index | (this.avail.wrap << 15);
  }

  get base(): number {
    return (this.availPosition | (this.used.index << 16) | (this.used.wrap << 31)) >>> 0;
  }

  /** The driver makes a list available, and the device walks over it. */
  take(id: number, units: number): void {
    for (let i = 0; i < units; i++) {
      const flags = this.avail.wrap ? PACKED_F_AVAIL : PACKED_F_USED;
      this.#write(this.avail.index, 0x1000n + BigInt(16 * id + i), 64 + i, id, flags);
      this.avail = behind(this.avail, 1);
    }
  }

  give(id: number, units: number): void {
    const flags = this.used.wrap ? PACKED_F_AVAIL | PACKED_F_USED : 0;
    this.#write(this.used.index, 0n, 0, id, flags);
    this.used = behind(this.used, units);
  }

  #write(index: number, address: bigint, length: number, id: number, flags: number): void {
    const at = index * DESC_SIZE;
    this.descriptors.setBigUint64(at, address, true);
    this.descriptors.setUint32(at + 8, length, true);
    this.descriptors.setUint16(at + 12, id, true);
    this.descriptors.setUint16(at + 14, flags, true);
  }
}

function behind({ index, wrap }: { index: number; wrap: number }, units: number) {
  const next = index + units;
  return next < SIZE ? { index: next, wrap } : { index: next - SIZE, wrap: wrap ^ 1 };
}

/** What a next device finds, which must not change what there is. */
function found(bytes: Uint8Array, ring: PackedRing) {
  return new InflightPacked(bytes.slice(), ring).recover(START);
}

describe("the inflight region of a packed ring", () => {
  test("whenever the device ends, the next one gets what was in flight, in its order", () => {
    const next = numbers(7);
    const bytes = new Uint8Array(packedRegionBytes(SIZE));
    const ring = new PackedRing();
    const region = new InflightPacked(bytes, ring);
    assert.deepEqual(region.recover(START), { base: START, lost: [] });
    const lists: { head: number; units: number }[] = [];
    const units = () => lists.reduce((sum, list) => sum + list.units, 0);
    let moments = 0;
    /** At each write of a step the next device finds what was before it, or what is after it. */
    const step = (allowed: readonly unknown[], body: () => void): void => {
      let inside = false;
      watchingWrites(() => {
        if (inside) return;
        inside = true;
        const state = found(bytes, ring);
        inside = false;
        moments++;
        assert.ok(
          allowed.some((lost) => JSON.stringify(state?.lost) === JSON.stringify(lost)),
          `${JSON.stringify(state)}, not one of ${JSON.stringify(allowed)}`,
        );
      }, body);
    };
    for (let round = 0; round < 600; round++) {
      const free = SIZE - units();
      if (free > 0 && next(2) === 0) {
        const list = { head: next(SIZE), units: 1 + next(Math.min(3, free)) };
        if (lists.some(({ head }) => head === list.head)) continue;
        ring.take(list.head, list.units);
        const before = [...lists];
        lists.push(list);
        step([before, lists], () => region.taken(list.head, list.units));
      } else if (lists.length > 0) {
        const before = [...lists];
        const batch = 1 + next(Math.min(3, lists.length));
        const leaving = Array.from(
          { length: batch },
          () => lists.splice(next(lists.length), 1)[0]!,
        );
        step([before], () => {
          for (const { head } of leaving) region.giving(head);
        });
        // The descriptors behind the first come first: the driver sees that one last.
        for (const { head, units } of leaving) ring.give(head, units);
        step([lists], () => {
          for (const { head } of leaving) region.given(head);
        });
      }
      const state = found(bytes, ring);
      assert.deepEqual(state, { base: ring.base, lost: lists });
    }
    assert.ok(moments > 2000, `${moments} moments`);
  });

  test("a copy of each descriptor is in it, as the protocol has it", () => {
    const bytes = new Uint8Array(packedRegionBytes(SIZE));
    const ring = new PackedRing();
    const region = new InflightPacked(bytes, ring);
    region.recover(START);
    ring.take(5, 3);
    region.taken(5, 3);
    const view = new DataView(bytes.buffer);
    assert.deepEqual(
      [8, 10, 12, 14].map((at) => view.getUint16(at, true)),
      [1, SIZE, 3, 3],
    );
    assert.deepEqual(
      [view.getUint8(32), view.getUint16(32 + 4, true), view.getUint16(32 + 6, true)],
      [1, 2, 3],
    );
    for (let i = 0; i < 3; i++) {
      const at = 32 + 32 * i;
      assert.equal(view.getUint16(at + 16, true), 5);
      assert.equal(view.getUint16(at + 18, true), PACKED_F_AVAIL);
      assert.equal(view.getUint32(at + 20, true), 64 + i);
      assert.equal(view.getBigUint64(at + 24, true), 0x1000n + BigInt(80 + i));
    }
  });

  test("a region that is not one is refused, whatever is in it", () => {
    const next = numbers(11);
    const outcomes = { refused: 0, taken: 0 };
    for (let round = 0; round < 20_000; round++) {
      const bytes = new Uint8Array(packedRegionBytes(SIZE));
      const ring = new PackedRing();
      const region = new InflightPacked(bytes, ring);
      region.recover(START);
      ring.take(1, 2);
      region.taken(1, 2);
      ring.take(2, 1);
      region.taken(2, 1);
      const changes = 1 + next(4);
      for (let i = 0; i < changes; i++)
        bytes[next(bytes.length)] = next(3) === 0 ? next(12) : next(256);
      const state = found(bytes, ring);
      if (state === undefined) {
        outcomes.refused++;
        continue;
      }
      outcomes.taken++;
      const units = state.lost.reduce((sum, chain) => sum + chain.units, 0);
      assert.ok(units <= SIZE && state.lost.every((chain) => chain.units > 0));
      assert.ok((state.base & 0x7fff) < SIZE && ((state.base >>> 16) & 0x7fff) < SIZE);
    }
    assert.ok(outcomes.refused > 1000 && outcomes.taken > 1000, JSON.stringify(outcomes));
  });
});

describe("the inflight region of a split ring", () => {
  test("regression: what a second device gives back is not missing at a third one", () => {
    const bytes = new Uint8Array(splitRegionBytes(SIZE));
    const first = new InflightSplit(bytes, { size: SIZE, usedIndex: 0 });
    assert.deepEqual(first.recover(0), { base: 0, lost: [] });
    first.taken(3);
    first.taken(1);
    const second = new InflightSplit(bytes, { size: SIZE, usedIndex: 0 });
    const lost = [3, 1].map((head) => ({ head, units: 1 }));
    assert.deepEqual(second.recover(0), { base: 2, lost });
    // It gives one buffer back, and takes it again.
    second.taken(5);
    second.giving(5);
    second.given(5);
    second.taken(5);
    const third = new InflightSplit(bytes, { size: SIZE, usedIndex: 3 });
    assert.deepEqual(third.recover(3), { base: 4, lost: [{ head: 5, units: 1 }] });
  });
});
