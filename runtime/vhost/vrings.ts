/** The rings of one client: what the frontend says of each, and when the device serves it. */
import type { VirtioGpu } from "../device/virtio-gpu.ts";
import {
  MAX_QUEUE_GROUPS,
  QUEUE_EVENT,
  QUEUES_PER_GROUP,
  WARPRING_F_DEVICE_MEMORY,
} from "../protocol/definitions.ts";
import {
  type QueueObserver,
  STATUS_ACKNOWLEDGE,
  STATUS_DRIVER,
  STATUS_DRIVER_OK,
  STATUS_FEATURES_OK,
  type TakenChain,
  VIRTIO_F_RING_PACKED,
  virtqueueResume,
  virtqueueReturnAll,
  virtqueueSetNotification,
} from "../virtio/index.ts";
import { ConnectionError, type Message } from "./connection.ts";
import * as V from "./defs.ts";
import { InflightArea } from "./inflight-area.ts";
import type { Libc } from "./libc.ts";
import { type MappedMemory, TableError } from "./memory.ts";

/** Rings that a frontend may set up. */
export const QUEUES = MAX_QUEUE_GROUPS * QUEUES_PER_GROUP;

/** What the frontend has said about a ring; addresses are its own virtual ones. */
interface Vring {
  size: number;
  /** Where the ring goes on (SET_VRING_BASE); undefined: a new one. */
  base: number | undefined;
  desc: number;
  avail: number;
  used: number;
  kick: number;
  call: number;
  error: number;
  enabled: boolean;
  running: boolean;
  /** What the device has of it, in the order in which it was taken. */
  inFlight: TakenChain[];
  observer: QueueObserver | undefined;
}

/** The device that serves the rings, and the memory that they lie in. */
interface Served {
  readonly gpu: VirtioGpu;
  readonly memory: MappedMemory;
}

/** All rings of a client. */
export class Vrings {
  /** Features that the frontend has accepted, those of the transport aside. */
  features = 0n;
  readonly #libc: Libc;
  readonly #vrings: Vring[] = [];
  readonly #one = new Uint8Array(new BigUint64Array([1n]).buffer);
  #requests: readonly number[] = [];
  #served: Served | undefined;
  #inflight: InflightArea | undefined;

  /** @param libc for descriptors and the area of SET_INFLIGHT_FD */
  constructor(libc: Libc) {
    this.#libc = libc;
    for (let i = 0; i < QUEUES; i++) this.#vrings.push(newVring());
  }

  /** From now on there is a device; undefined: there is none any more. */
  serve(served: Served | undefined): void {
    this.#served = served;
  }

  /** Indices of the rings that run, and on which the device takes requests. */
  get requests(): readonly number[] {
    return this.#requests;
  }

  #noteRunning(): void {
    const running = this.#vrings.flatMap(({ running }, index) => (running ? [index] : []));
    this.#requests = running.filter((index) => index % QUEUES_PER_GROUP !== QUEUE_EVENT);
  }

  /** The descriptor by which the driver kicks a ring; -1 if it does not run, or has none. */
  kick(index: number): number {
    const vring = this.#vrings[index];
    return vring?.running ? vring.kick : -1;
  }

  /** While the device looks by itself the driver can spare its kicks (§2.7.10). */
  wantKicks(wanted: boolean): void {
    for (const index of this.#requests) {
      const queue = this.#served?.gpu.virtio.queue(index);
      if (queue !== undefined && !queue.broken) virtqueueSetNotification(queue, wanted);
    }
  }

  // ── messages ───────────────────────────────────────────────────────────────────────────────

  /**
   * Carries out a message about one ring.
   * @param taken receives the descriptors that are kept
   * @returns the reply, or for a request without one, whether it was carried out
   * @throws ConnectionError if there is no such ring or request
   */
  handle({ request, payload, descriptors }: Message, taken: Set<number>): Uint8Array | boolean {
    const word = payload.getUint32(0, true);
    const hasFd = [V.SET_VRING_KICK, V.SET_VRING_CALL, V.SET_VRING_ERR].includes(request);
    const index = hasFd ? word & 0xff : word;
    const vring = this.#vrings[index];
    if (vring === undefined) throw new ConnectionError(`request ${request} for queue ${index}`);
    const value = payload.getUint32(4, true);
    const fd = (): number => {
      const given = hasFd && !(word & V.VRING_NO_FD) ? descriptors[0] : -1;
      if (given === undefined) throw new ConnectionError(`request ${request} has no descriptor`);
      if (given >= 0) taken.add(given);
      return given;
    };
    switch (request) {
      case V.SET_VRING_NUM:
        vring.size = value;
        return !vring.running;
      case V.SET_VRING_BASE:
        vring.base = value;
        // The upper half is the used ring's position of a packed ring; a split ring shows its own.
        return !vring.running && (this.#packed || value <= 0xffff);
      case V.SET_VRING_ADDR:
        if (payload.byteLength < V.VRING_ADDR_SIZE) throw new ConnectionError("short ring address");
        vring.desc = Number(payload.getBigUint64(V.VRING_ADDR_DESC, true));
        vring.avail = Number(payload.getBigUint64(V.VRING_ADDR_AVAIL, true));
        vring.used = Number(payload.getBigUint64(V.VRING_ADDR_USED, true));
        return !vring.running;
      case V.SET_VRING_KICK:
        this.#close(vring.kick);
        vring.kick = fd();
        return this.#start(index);
      case V.SET_VRING_CALL:
        this.#close(vring.call);
        vring.call = fd();
        return true;
      case V.SET_VRING_ERR:
        this.#close(vring.error);
        vring.error = fd();
        return true;
      case V.SET_VRING_ENABLE:
        vring.enabled = value !== 0;
        if (!vring.enabled) this.#stop(index);
        return vring.enabled ? this.#start(index) : true;
      case V.GET_VRING_BASE: {
        this.#stop(index);
        const state = new DataView(new ArrayBuffer(8));
        state.setUint32(0, index, true);
        state.setUint32(4, vring.base ?? (this.#packed ? PACKED_START : 0), true);
        return new Uint8Array(state.buffer);
      }
      default:
        throw new ConnectionError(`unknown request ${request}`);
    }
  }

  /**
   * GET_INFLIGHT_FD: makes an area for the kind of rings that was negotiated.
   * @returns its descriptor, the caller's to close, and the reply
   */
  createInflight(payload: DataView): { fd: number; answer: Uint8Array } {
    return InflightArea.create(this.#libc, payload, this.#packed);
  }

  /**
   * SET_INFLIGHT_FD: rings that start from now on keep their account there.
   * @returns false while a ring runs
   * @throws TableError if it cannot be such an area
   */
  setInflight(payload: DataView, fd: number): boolean {
    if (this.#vrings.some(({ running }) => running)) return false;
    this.#inflight?.unmap();
    this.#inflight = undefined;
    this.#inflight = new InflightArea(this.#libc, payload, fd, this.#packed);
    return true;
  }

  // ── life of a ring ─────────────────────────────────────────────────────────────────────────

  /** A ring starts when it has a kick descriptor and is enabled. */
  #start(index: number): boolean {
    const vring = this.#vrings[index];
    if (vring === undefined || vring.running || vring.kick < 0 || !vring.enabled) return true;
    if (this.#served === undefined || !this.#negotiate(this.#served.gpu)) return false;
    const { gpu, memory } = this.#served;
    if (memory.sharesDeviceMemory !== this.sharesDeviceMemory) {
      throw new TableError(
        "WARPRING_F_DEVICE_MEMORY decides what the memory table means: SET_FEATURES comes before it",
      );
    }
    const { size } = vring;
    const [desc, driver, device] = [vring.desc, vring.avail, vring.used].map((user) =>
      memory.guestOf(user),
    ) as [number, number, number];
    if (desc < 0 || driver < 0 || device < 0) return false;
    vring.inFlight = [];
    vring.observer = undefined;
    gpu.virtio.setQueue(index, { size, desc, driver, device });
    vring.running = gpu.virtio.enableQueue(index);
    this.#noteRunning();
    const queue = gpu.virtio.queue(index);
    if (queue === undefined || queue.broken) return vring.running;
    const area = this.#inflight?.queue(index, queue);
    const base = vring.base ?? (this.#packed ? PACKED_START : 0);
    const state = area === undefined ? { base, lost: [] } : area.recover(base);
    if (state === undefined) {
      throw new TableError(`the inflight region of queue ${index} is not one`);
    }
    vring.observer = area;
    virtqueueResume(queue, state.base, state.lost);
    return vring.running;
  }

  /** §3.1.1 in one go: a frontend negotiates with the guest before it sets rings up. */
  #negotiate({ virtio }: VirtioGpu): boolean {
    if (virtio.status & STATUS_DRIVER_OK) return true;
    const steps = [STATUS_ACKNOWLEDGE, STATUS_DRIVER, STATUS_FEATURES_OK, STATUS_DRIVER_OK];
    let status = 0;
    for (const step of steps) {
      if (step === STATUS_FEATURES_OK) virtio.setDriverFeatures(this.features);
      status |= step;
      virtio.writeStatus(status);
    }
    return (virtio.status & STATUS_DRIVER_OK) !== 0;
  }

  /** WARPRING_F_DEVICE_MEMORY was accepted: the memory table has device memory, too. */
  get sharesDeviceMemory(): boolean {
    return (this.features & (1n << BigInt(WARPRING_F_DEVICE_MEMORY))) !== 0n;
  }

  get #packed(): boolean {
    return (this.features & VIRTIO_F_RING_PACKED) !== 0n;
  }

  /** Keeps account of what the device has of a ring. */
  observe(index: number): QueueObserver | undefined {
    const vring = this.#vrings[index];
    if (vring === undefined) return undefined;
    return {
      taken(head, units) {
        vring.inFlight.push({ head, units });
        vring.observer?.taken(head, units);
      },
      giving: (head) => vring.observer?.giving(head),
      given(head) {
        const at = vring.inFlight.findIndex((chain) => chain.head === head);
        if (at >= 0) vring.inFlight.splice(at, 1);
        vring.observer?.given(head);
      },
    };
  }

  /** Takes a ring out of use. What the device still has of it goes back with nothing written. */
  #stop(index: number): void {
    const vring = this.#vrings[index];
    if (!vring?.running) return;
    const virtio = this.#served?.gpu.virtio;
    const queue = virtio?.queue(index);
    if (queue !== undefined && !queue.broken) {
      vring.base = virtqueueReturnAll(queue, [...vring.inFlight]);
    }
    virtio?.disableQueue(index);
    vring.running = false;
    this.#noteRunning();
  }

  /** The device has used buffers of a ring; -1: it needs a reset. */
  interrupt(index: number): void {
    if (index >= 0) {
      this.#signal(this.#vrings[index]?.call ?? -1);
      return;
    }
    // vhost-user says so on the error descriptors, and wakes who waits.
    for (const vring of this.#vrings) {
      this.#signal(vring.error);
      this.#signal(vring.call);
    }
  }

  /** Forgets all that was said of the rings, after a reset of the device. */
  reset(): void {
    for (const vring of this.#vrings) {
      for (const fd of [vring.kick, vring.call, vring.error]) this.#close(fd);
      Object.assign(vring, newVring());
    }
    this.#noteRunning();
  }

  /** The end: nothing is served any more. */
  end(): void {
    this.reset();
    this.#inflight?.unmap();
    this.#inflight = undefined;
    this.#served = undefined;
  }

  #signal(fd: number): void {
    if (fd >= 0) this.#libc.call("write", fd, this.#one, 8);
  }

  #close(fd: number): void {
    if (fd >= 0) this.#libc.call("close", fd);
  }
}

/** Both positions of a new packed ring: index 0, wrap counter 1 (§2.8.1). */
const PACKED_START = 0x80008000;

function newVring(): Vring {
  const addresses = { desc: 0, avail: 0, used: 0 };
  const descriptors = { kick: -1, call: -1, error: -1 };
  const state = { enabled: false, running: false, inFlight: [], observer: undefined };
  return { size: 0, base: undefined, ...addresses, ...descriptors, ...state };
}
