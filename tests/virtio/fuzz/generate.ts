// Rings for the fuzzer: plausible ones, so that much of the walk is reached, with wrong values
// strewn in. Every ring comes from its own number and the seed, so that each can be repeated alone.

import { DESC_F_INDIRECT, DESC_F_NEXT, DESC_F_WRITE } from "../../../runtime/virtio/defs.ts";

/** Guest RAM: rings, then tables, then buffers. */
export const RAM = 0x10000;
export const RAM_BYTES = 0x10000;
export const TABLES = RAM + 0x400;
export const TABLE_BYTES = 0x100;
export const BUFFERS = RAM + 0x1000;

/** A small random generator (xorshift with a multiplied state), good enough to mutate with. */
export class Random {
  #state = 1;

  /** Starts the sequence that belongs to `number` of `seed`. */
  reset(seed: number, number: number): void {
    let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35);
    mixed ^= mixed >>> 15;
    this.#state = Math.imul(mixed, 0x27d4eb2f) | 1;
  }

  /** 32 bits. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.imul(x, 0x9e3779b1) >>> 0;
  }

  /** 0 to limit - 1. */
  below(limit: number): number {
    return this.next() % limit;
  }

  chance(percent: number): boolean {
    return this.next() % 100 < percent;
  }
}

/** What a ring is like. */
export interface Shape {
  readonly packed: boolean;
  readonly size: number;
  readonly indirect: boolean;
  readonly eventIdx: boolean;
  /** The device's position at start: idx (split), or index | wrap << 15 (packed). */
  readonly start: number;
  readonly desc: number;
  readonly driver: number;
  readonly device: number;
}

const SPLIT_SIZES = [1, 2, 4, 8, 16];

export function randomShape(random: Random): Shape {
  const packed = random.chance(50);
  const size = packed ? 1 + random.below(16) : SPLIT_SIZES[random.below(5)]!;
  let start = 0;
  if (packed) start = random.below(size) | (random.below(2) << 15);
  else if (random.chance(60)) start = random.below(0x10000);
  return {
    packed,
    size,
    indirect: random.chance(70),
    eventIdx: random.chance(50),
    start,
    desc: RAM + 16 * random.below(4),
    driver: RAM + 0x180 + 4 * random.below(4),
    device: RAM + 0x200 + 4 * random.below(4),
  };
}

function address(random: Random): number {
  const kind = random.below(100);
  if (kind < 78) return BUFFERS + random.below(RAM_BYTES - 0x1000);
  if (kind < 84) return RAM + RAM_BYTES - random.below(40);
  if (kind < 89) return RAM + random.below(0x300);
  if (kind < 93) return TABLES + random.below(0x300);
  if (kind < 96) return random.below(RAM + 64);
  // The nearest doubles to 2^64 are 2048 apart below it.
  if (kind < 98) return 2 ** 64 - 2048 * (1 + random.below(64));
  return random.next() * 2 ** random.below(32);
}

function length(random: Random): number {
  const kind = random.below(100);
  if (kind < 85) return 1 + random.below(64);
  if (kind < 89) return 0;
  if (kind < 93) return 0xffffffff - random.below(32);
  if (kind < 97) return random.below(0x10000);
  return random.next();
}

/** Writes one descriptor; `count` is how many its table has, `state` the packed ring's bits. */
function descriptor(
  view: DataView,
  at: number,
  random: Random,
  count: number,
  shape: Shape,
  state: number,
  writable: boolean,
): void {
  let addr = address(random);
  let len = length(random);
  let flags = writable ? DESC_F_WRITE : 0;
  if (random.chance(55)) flags |= DESC_F_NEXT;
  let next = random.chance(90) ? random.below(count) : random.below(0x10000);
  if (shape.indirect ? random.chance(18) : random.chance(2)) {
    flags |= DESC_F_INDIRECT;
    if (random.chance(85)) flags &= ~DESC_F_NEXT;
    if (random.chance(90)) {
      addr = TABLES + TABLE_BYTES * random.below(3);
      len = 16 * (1 + random.below(6));
    }
  }
  if (random.chance(4)) flags = random.below(0x10000);
  if (shape.packed) {
    flags = (flags & ~0x8080) | state;
    if (random.chance(4)) flags ^= random.chance(50) ? 0x80 : 0x8000;
    if (random.chance(90)) next = random.below(shape.size);
  }
  view.setUint32(at, addr % 2 ** 32, true);
  view.setUint32(at + 4, addr / 2 ** 32, true);
  view.setUint32(at + 8, len, true);
  view.setUint16(at + (shape.packed ? 14 : 12), flags, true);
  view.setUint16(at + (shape.packed ? 12 : 14), next, true);
}

/** Fills ring and tables. */
export function writeRing(view: DataView, random: Random, shape: Shape): void {
  const { packed, size, desc, driver, start } = shape;
  const position = start & 0x7fff;
  const wrap = start >>> 15;
  const writableFrom = random.below(size + 1);
  for (let i = 0; i < size; i++) {
    // Descriptors from the position on are of this round, those before it of the next one.
    const round = (i >= position ? wrap : wrap ^ 1) === 1;
    const made = random.chance(80) ? round : !round;
    const writable = packed ? random.chance(50) : i >= writableFrom;
    descriptor(view, desc + 16 * i, random, size, shape, made ? 0x80 : 0x8000, writable);
  }
  for (let table = 0; table < 3; table++) {
    const from = random.below(7);
    for (let i = 0; i < 6; i++) {
      descriptor(view, TABLES + TABLE_BYTES * table + 16 * i, random, 6, shape, 0, i >= from);
    }
  }
  if (packed) {
    view.setUint32(driver, random.next(), true);
    return;
  }
  view.setUint16(driver, random.chance(80) ? random.below(2) : random.below(0x10000), true);
  const ahead = random.chance(92) ? random.below(size + 1) : random.below(0x10000);
  view.setUint16(driver + 2, (start + ahead) & 0xffff, true);
  for (let i = 0; i < size; i++) {
    const head = random.chance(96) ? random.below(size) : random.below(0x10000);
    view.setUint16(driver + 4 + 2 * i, head, true);
  }
  view.setUint16(driver + 4 + 2 * size, start + random.below(4), true);
}
