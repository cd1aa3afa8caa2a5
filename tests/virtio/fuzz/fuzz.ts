// The ring fuzzer: mutated rings through the debug core, which reports every access to guest
// memory. Each access is held against what the chain allows, and each chain against a reference.

import {
  type AccessLog,
  type CoreDevice,
  type CoreExports,
  coreDevice,
  instantiateCore,
} from "../../../runtime/virtio/core.ts";
import * as defs from "../../../runtime/virtio/defs.ts";
import type { GuestRegion } from "../../../runtime/virtio/index.ts";
import { deviceWorkspace } from "../../../runtime/virtio/layout.ts";
import { writeRegions } from "../../../runtime/virtio/regions.ts";
import { RAM, RAM_BYTES, Random, randomShape, type Shape, writeRing } from "./generate.ts";
import { type Found, Reference, type Segment } from "./reference.ts";

const WORKSPACE = RAM + RAM_BYTES;
const SCRATCH = WORKSPACE + 0x8000;
const SIZE_MAX = 16;
/** Most segments of a chain: a small limit is reached often. */
const LIMIT = 20;
const BYTES = 24;

/** What happened to the rings, by name. */
export type Tally = Map<string, number>;

/** Region tables: one region, and three of which the last is a hole away and read-only. */
const REGION_TABLES: readonly (readonly GuestRegion[])[] = [
  [{ guest: RAM, size: RAM_BYTES, offset: RAM }],
  [
    { guest: RAM, size: 0x8000, offset: RAM },
    { guest: RAM + 0x8000, size: 0x4000, offset: RAM + 0x8000 },
    { guest: RAM + 0xd000, size: 0x3000, offset: RAM + 0xd000, readonly: true },
  ],
];

/** Runs rings one after the other; each is a function of seed and number alone. */
export class RingFuzzer {
  readonly tally: Tally = new Map();
  readonly #memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
  readonly #view = new DataView(this.#memory.buffer);
  readonly #words = new Uint32Array(this.#memory.buffer, WORKSPACE, 0x1000);
  readonly #core: CoreExports;
  readonly #split: CoreDevice;
  readonly #packed: CoreDevice;
  #regions: readonly GuestRegion[] = [];
  readonly #random = new Random();
  readonly #seed: number;
  /** For each byte of guest RAM the check in which it may be read, or written. */
  readonly #readable = new Uint32Array(RAM_BYTES);
  readonly #writable = new Uint32Array(RAM_BYTES);
  /** How often each readable byte may still be read: once for each time the reference does. */
  readonly #reads = new Uint8Array(RAM_BYTES);
  #check = 0;
  #chaos = false;
  #wrong = "";

  constructor(debugCore: WebAssembly.Module, seed: number) {
    this.#seed = seed;
    this.#core = instantiateCore(debugCore, this.#memory, this.#log);
    this.#split = coreDevice(this.#core, false);
    this.#packed = coreDevice(this.#core, true);
    const areas = deviceWorkspace({ size: SIZE_MAX, segments: LIMIT });
    const header = WORKSPACE + areas.header;
    this.#core.setWorkspace(WORKSPACE, LIMIT, header, WORKSPACE + areas.response);
    const bytes = new Uint8Array(this.#memory.buffer, RAM, RAM_BYTES);
    for (let i = 0; i < RAM_BYTES; i++) bytes[i] = i * 31;
  }

  /** One access of the core. Must not throw: it is called from WebAssembly. */
  readonly #log: AccessLog = (address, length, write) => {
    const from = (address >>> 0) - RAM;
    const bytes = length >>> 0;
    if (from < 0 || from + bytes > RAM_BYTES) {
      this.#wrong ||= `${write ? "write" : "read"} of ${bytes} bytes at ${address >>> 0}, outside`;
      return;
    }
    if (this.#chaos) {
      this.#disturb();
      if (!write) return;
    }
    const marks = write ? this.#writable : this.#readable;
    for (let i = from; i < from + bytes; i++) {
      if (marks[i] !== this.#check) {
        this.#wrong ||= `${write ? "write" : "read"} at ${address} of ${bytes} is not allowed`;
        return;
      }
      if (write) continue;
      if (this.#reads[i] === 0) {
        this.#wrong ||= `read at ${address} of ${bytes}: once more than allowed`;
        return;
      }
      this.#reads[i]! -= 1;
    }
  };

  /** Guest memory changes between two reads of the device. */
  #disturb(): void {
    if (!this.#random.chance(30)) return;
    const at = RAM + this.#random.below(0x800);
    this.#view.setUint8(at, this.#random.next());
  }

  #allowWrite(address: number, length: number): void {
    this.#writable.fill(this.#check, address - RAM, address - RAM + length);
  }

  #allowRead(address: number, length: number): void {
    for (let i = address - RAM; i < address - RAM + length; i++) {
      if (this.#readable[i] !== this.#check) this.#reads[i] = 0;
      this.#readable[i] = this.#check;
      this.#reads[i]! += 1;
    }
  }

  /** Runs ring `number`. @returns what is wrong, or an empty string */
  run(number: number): string {
    const random = this.#random;
    random.reset(this.#seed, number);
    const shape = randomShape(random);
    const regions = REGION_TABLES[random.chance(75) ? 0 : 1]!;
    writeRing(this.#view, random, shape);
    if (regions !== this.#regions) {
      this.#regions = regions;
      writeRegions(new DataView(this.#memory.buffer, WORKSPACE), regions);
      this.#core.setRegionCount(regions.length);
    }
    const ring = shape.packed ? this.#packed : this.#split;
    const features =
      (shape.indirect ? defs.RING_INDIRECT : 0) | (shape.eventIdx ? defs.RING_EVENT_IDX : 0);
    ring.init(shape.size, shape.desc, shape.driver, shape.device, features);
    const since = shape.packed ? 0 : shape.start;
    ring.restore(shape.start, shape.start, since, 1, 1, 0);
    this.#wrong = "";
    this.#chaos = random.chance(25);
    const outcome = this.#chaos
      ? this.#runChaos(ring, shape, regions)
      : this.#runChecked(ring, shape, regions);
    this.tally.set(outcome, (this.tally.get(outcome) ?? 0) + 1);
    return this.#wrong;
  }

  /** Memory holds still: every chain and every read is known beforehand. */
  #runChecked(ring: CoreDevice, shape: Shape, regions: readonly GuestRegion[]): string {
    const reference = new Reference(this.#view, shape, regions, LIMIT, (address, length) =>
      this.#allowRead(address, length),
    );
    let chains = 0;
    for (;;) {
      this.#begin(shape);
      const expected = reference.pop();
      const id = ring.pop();
      this.#compare(expected, id, ring);
      if (this.#wrong) return "wrong";
      if (expected.kind === "empty") return chains > 0 ? "served" : "empty";
      if (expected.kind === "broken") return `broken ${expected.reason}`;
      chains++;
      this.#serve(ring, shape, expected.id, expected.descriptors, expected.out, expected.in);
      reference.inUse -= shape.packed ? expected.descriptors : 1;
      if (this.#wrong) return "wrong";
      if (chains > 2 * SIZE_MAX) return "served"; // a ring that overwrites itself can go on
    }
  }

  /** Memory changes all the time: only where the core may look and write can be said. */
  #runChaos(ring: CoreDevice, shape: Shape, regions: readonly GuestRegion[]): string {
    for (let chains = 0; chains <= 2 * SIZE_MAX; chains++) {
      this.#begin(shape);
      const id = ring.pop();
      if (this.#wrong) return "wrong";
      if (id < 0) return id === defs.RESULT_EMPTY ? "chaos, empty" : "chaos, broken";
      const [out, into] = this.#segments();
      const inside = [...out, ...into].every(({ address, length }, i) =>
        regions.some(
          ({ offset, size, readonly }) =>
            address >= offset &&
            address + length <= offset + size &&
            !(readonly && i >= out.length),
        ),
      );
      if (!inside) this.#wrong ||= "a segment outside the regions, or writable in a read-only one";
      const units = this.#words[defs.WORK_NDESCS >>> 2]!;
      this.#serve(ring, shape, id, units, out, into);
      if (this.#wrong) return "wrong";
    }
    return "chaos, served";
  }

  /** A new check: what the last one allowed is forbidden again, but for the device's own fields. */
  #begin(shape: Shape): void {
    this.#check++;
    if (shape.eventIdx) {
      const at = shape.packed ? shape.device : shape.device + 4 + 8 * shape.size;
      this.#allowWrite(at, shape.packed ? 4 : 2);
    }
  }

  #compare(expected: Found, id: number, ring: CoreDevice): void {
    if (expected.kind === "empty") {
      if (id !== defs.RESULT_EMPTY) this.#wrong ||= `found ${id}, expected nothing`;
    } else if (expected.kind === "broken") {
      const reason = ring.broken();
      if (id !== defs.RESULT_BROKEN || reason !== expected.reason) {
        this.#wrong ||= `found ${id}, broken ${reason}, expected broken ${expected.reason}`;
      }
    } else if (id !== expected.id) {
      this.#wrong ||= `found ${id}, broken ${ring.broken()}, expected ${expected.id}`;
    } else {
      const [out, into] = this.#segments();
      const descriptors = this.#words[defs.WORK_NDESCS >>> 2]!;
      const same = (a: readonly Segment[], b: readonly Segment[]) =>
        a.length === b.length &&
        a.every(({ address, length }, i) => address === b[i]!.address && length === b[i]!.length);
      if (
        descriptors !== expected.descriptors ||
        !same(out, expected.out) ||
        !same(into, expected.in)
      ) {
        const found = JSON.stringify({ descriptors, out, in: into });
        this.#wrong ||= `found ${found}, expected ${JSON.stringify(expected)}`;
      }
    }
  }

  #segments(): [Segment[], Segment[]] {
    const outCount = this.#words[defs.WORK_OUT_COUNT >>> 2]!;
    const count = outCount + this.#words[defs.WORK_IN_COUNT >>> 2]!;
    const all = Array.from({ length: count }, (_, i) => {
      const at = (defs.WORK_SEGMENTS + defs.SEGMENT_SIZE * i) >>> 2;
      return { address: this.#words[at]!, length: this.#words[at + 1]! };
    });
    return [all.slice(0, outCount), all.slice(outCount)];
  }

  /** Reads and writes some bytes of the chain, and gives it back. */
  #serve(
    ring: CoreDevice,
    shape: Shape,
    id: number,
    units: number,
    out: readonly Segment[],
    into: readonly Segment[],
  ): void {
    const { size, desc, device, driver, packed } = shape;
    this.#check++;
    // No more than BYTES are copied, so that no more of a long segment needs to be marked.
    let left = BYTES + 8;
    for (const { address, length } of out) {
      this.#allowRead(address, Math.min(length, left));
      left -= Math.min(length, left);
    }
    for (const { address, length } of into) this.#allowWrite(address, length);
    const offset = this.#random.below(8);
    const sum = (list: readonly Segment[]) => list.reduce((bytes, { length }) => bytes + length, 0);
    const wanted = (list: readonly Segment[]) => Math.max(0, Math.min(BYTES, sum(list) - offset));
    const got = this.#core.iovToBuf(0, out.length, offset, SCRATCH, BYTES);
    const put = this.#core.iovFromBuf(out.length, into.length, offset, SCRATCH, BYTES);
    if (got !== wanted(out) || put !== wanted(into)) {
      this.#wrong ||= `copied ${got} and ${put} bytes of ${sum(out)} and ${sum(into)}`;
    }
    this.#check++;
    if (packed) {
      const position = ring.state(1) & 0x7fff;
      this.#allowWrite(desc + 16 * position + 8, 8);
      this.#allowRead(driver, 4);
    } else {
      const slot = ring.state(1) % size;
      this.#allowWrite(device + 4 + 8 * slot, 8);
      this.#allowWrite(device + 2, 2);
      this.#allowRead(driver, 2);
      this.#allowRead(driver + 4 + 2 * size, 2);
    }
    ring.fill(id, put, 0);
    ring.flush(packed ? units : 1);
    ring.shouldNotify();
  }
}
