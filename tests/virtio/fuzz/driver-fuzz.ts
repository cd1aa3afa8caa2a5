// The other direction: a device that writes anything into the rings, and the driver's side through
// the debug core. The driver must only ever hand back what is in flight, and touch nothing but its
// rings.

import {
  type AccessLog,
  type CoreDriver,
  coreDriver,
  instantiateCore,
} from "../../../runtime/virtio/core.ts";
import * as defs from "../../../runtime/virtio/defs.ts";
import { driverWorkspace, queueLayout } from "../../../runtime/virtio/layout.ts";
import { BUFFERS, RAM, RAM_BYTES, Random } from "./generate.ts";

const WORKSPACE = RAM + RAM_BYTES;
const SIZES = [1, 2, 4, 8, 16];
const INDIRECT = 4;
const ROUNDS = 6;

/** Runs mutated used rings; each is a function of seed and number alone. */
export class DriverFuzzer {
  readonly tally = new Map<string, number>();
  readonly #memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
  readonly #view = new DataView(this.#memory.buffer);
  readonly #random = new Random();
  readonly #seed: number;
  readonly #split: CoreDriver;
  readonly #packed: CoreDriver;
  #wrong = "";
  #chaos = false;
  /** Ranges that the driver may read, and write. */
  #mayRead: readonly [number, number][] = [];
  #mayWrite: readonly [number, number][] = [];

  constructor(debugCore: WebAssembly.Module, seed: number) {
    this.#seed = seed;
    const core = instantiateCore(debugCore, this.#memory, this.#log);
    this.#split = coreDriver(core, false);
    this.#packed = coreDriver(core, true);
  }

  readonly #log: AccessLog = (address, length, write) => {
    const from = address >>> 0;
    const end = from + (length >>> 0);
    const ranges = write ? this.#mayWrite : this.#mayRead;
    if (!ranges.some(([low, high]) => from >= low && end <= high)) {
      this.#wrong ||= `driver ${write ? "writes" : "reads"} ${length} bytes at ${from}`;
    }
    if (this.#chaos && this.#random.chance(20)) {
      this.#view.setUint8(RAM + this.#random.below(0x800), this.#random.next());
    }
  };

  /** Runs ring `number`. @returns what is wrong, or an empty string */
  run(number: number): string {
    const random = this.#random;
    random.reset(this.#seed, number);
    this.#wrong = "";
    this.#chaos = false;
    const packed = random.chance(50);
    const size = packed ? 1 + random.below(16) : SIZES[random.below(5)]!;
    const shape = { size, packed, indirect: INDIRECT };
    const layout = queueLayout(shape);
    const areas = driverWorkspace(shape);
    new Uint8Array(this.#memory.buffer, RAM, layout.bytes).fill(0);
    const ring = packed ? this.#packed : this.#split;
    const indirect = random.chance(50);
    const inOrder = random.chance(40);
    const features =
      (indirect ? defs.RING_INDIRECT : 0) |
      (random.chance(50) ? defs.RING_EVENT_IDX : 0) |
      (inOrder ? defs.RING_IN_ORDER : 0);
    const desc: [number, number] = [RAM, RAM + layout.driver];
    const driver: [number, number] = [RAM + layout.driver, RAM + layout.device];
    const device: [number, number] = [RAM + layout.device, RAM + layout.indirect];
    this.#mayRead = packed ? [desc, device] : [device];
    this.#mayWrite = [desc, driver, [RAM + layout.indirect, RAM + layout.bytes]];
    ring.init(
      size,
      RAM,
      driver[0],
      device[0],
      features,
      WORKSPACE,
      WORKSPACE + areas.staging,
      WORKSPACE + areas.shadow,
    );
    if (indirect) ring.setIndirect(RAM + layout.indirect, BigInt(RAM + layout.indirect), INDIRECT);
    this.#chaos = random.chance(25);

    const inFlight = new Map<number, number>();
    let free = size;
    let got = 0;
    for (let round = 0; round < ROUNDS && ring.broken() === 0 && this.#wrong === ""; round++) {
      for (let i = random.below(size + 1); i > 0; i--) {
        const total = 1 + random.below(Math.min(size, 3));
        const out = random.below(total + 1);
        this.#stage(WORKSPACE + areas.staging, total);
        const head = ring.add(out, total - out);
        if (head < 0) continue;
        const used = indirect && total > 1 ? 1 : total;
        if (head >= size || inFlight.has(head)) this.#wrong ||= `head ${head} is given twice`;
        inFlight.set(head, used);
        free -= used;
      }
      ring.kickPrepare();
      this.#lie(packed, size, device[0], [...inFlight.keys()]);
      for (let head = ring.get(); head >= 0; head = ring.get()) {
        const used = inFlight.get(head);
        if (used === undefined) this.#wrong ||= `head ${head} came back, which is not in flight`;
        inFlight.delete(head);
        free += used ?? 0;
        got++;
        if (ring.free() !== free || this.#wrong) break;
      }
      if (ring.free() !== free) this.#wrong ||= `${ring.free()} descriptors free, not ${free}`;
      if (random.chance(30)) ring.enableCallbacks();
      if (random.chance(30)) ring.disableCallbacks();
      ring.enableCallbacksDelayed();
    }
    if (ring.broken() !== 0 && ring.get() !== defs.RESULT_BROKEN) {
      this.#wrong ||= "a broken queue gives buffers";
    }
    const outcome = `driver, ${ring.broken() ? `broken ${ring.broken()}` : got > 0 ? "took" : "idle"}`;
    this.tally.set(outcome, (this.tally.get(outcome) ?? 0) + 1);
    return this.#wrong;
  }

  #stage(at: number, total: number): void {
    for (let i = 0; i < total; i++) {
      this.#view.setUint32(at + 16 * i, BUFFERS + 64 * i, true);
      this.#view.setUint32(at + 16 * i + 4, 0, true);
      this.#view.setUint32(at + 16 * i + 8, 1 + this.#random.below(64), true);
    }
  }

  /** The device's part: plausible used entries, with wrong ones strewn in. */
  #lie(packed: boolean, size: number, device: number, inFlight: readonly number[]): void {
    const random = this.#random;
    const view = this.#view;
    const id = () => {
      if (random.chance(85) && inFlight.length > 0) return inFlight[random.below(inFlight.length)]!;
      return random.chance(50) ? random.below(size) : random.next();
    };
    const length = () => (random.chance(85) ? random.below(16) : random.next());
    if (packed) {
      for (let i = 0; i < size; i++) {
        if (random.chance(40)) continue;
        const at = RAM + 16 * i;
        view.setUint32(at + 8, length(), true);
        view.setUint16(at + 12, id(), true);
        const flags = random.chance(90) ? [0x8080, 0, 0x8082, 2][random.below(4)]! : random.next();
        view.setUint16(at + 14, flags, true);
      }
      view.setUint32(device, random.next(), true);
      return;
    }
    for (let i = 0; i < size; i++) {
      view.setUint32(device + 4 + 8 * i, id(), true);
      view.setUint32(device + 8 + 8 * i, length(), true);
    }
    const idx = view.getUint16(device + 2, true);
    const step = random.chance(92) ? random.below(inFlight.length + 1) : random.next();
    view.setUint16(device + 2, idx + step, true);
    view.setUint16(device, random.below(4), true);
    view.setUint16(device + 4 + 8 * size, random.next(), true);
  }
}
