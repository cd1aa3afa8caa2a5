// The device's side of a virtqueue, by QEMU's names. Cursors are in the core instance's globals;
// what belongs to host code (elements in flight, their saved segments) is in JavaScript.

import {
  type AccessLog,
  type CoreDevice,
  type CoreExports,
  coreDevice,
  instantiateCore,
} from "./core.ts";
import {
  AVAIL_ALIGN,
  BROKEN_RESET,
  BROKEN_RING,
  DESC_ALIGN,
  EVENT_ALIGN,
  USED_ALIGN,
  WORK_ERROR_DETAIL,
  WORK_IN_COUNT,
  WORK_NDESCS,
  WORK_OUT_COUNT,
} from "./defs.ts";
import { brokenText } from "./errors.ts";
import { ringFeatures, VIRTIO_F_IN_ORDER, VIRTIO_F_RING_PACKED } from "./features.ts";
import { Iov, type IovHost, segmentWord } from "./iov.ts";
import {
  descriptorAreaBytes,
  deviceAreaBytes,
  deviceWorkspace,
  driverAreaBytes,
  isQueueSize,
} from "./layout.ts";
import { checkRegions, type GuestRegion, translate, writeRegions } from "./regions.ts";

/** A buffer that a device has: its head (split) or buffer id (packed). */
export interface TakenChain {
  readonly head: number;
  /** Entries of the ring that it stands for: one of a split ring, its descriptors of a packed one. */
  readonly units: number;
}

/** Who keeps account of the buffers that a device has, by head or buffer id. */
export interface QueueObserver {
  /** A buffer was taken; `units` as in TakenChain. */
  taken(head: number, units: number): void;
  /** A buffer is about to be made visible as used. */
  giving(head: number): void;
  /** It is visible. */
  given(head: number): void;
}

/** How to make the device's side of a queue. Addresses of rings are the guest's. */
export interface DeviceQueueOptions {
  readonly core: WebAssembly.Module;
  /** Shared linear memory. */
  readonly memory: WebAssembly.Memory;
  readonly index: number;
  readonly size: number;
  /** Guest address of the descriptor area, 16-aligned. */
  readonly desc: number;
  /** Guest address of the driver area (available ring, driver event suppression). */
  readonly driver: number;
  /** Guest address of the device area (used ring, device event suppression). */
  readonly device: number;
  /** Linear address of deviceWorkspaceBytes() private bytes, 16-aligned, in no region. */
  readonly workspace: number;
  readonly regions: readonly GuestRegion[];
  /** Negotiated feature bits. */
  readonly features: bigint;
  /** Longest header of virtqueuePopRequest and response of virtqueuePushResponse; default 256. */
  readonly headerBytes?: number;
  /** Most buffers in one chain; the queue size by default (more is useful with indirect tables). */
  readonly segments?: number;
  readonly observer?: QueueObserver;
  /** Tells the driver that buffers were used. */
  readonly notify: (index: number) => void;
  /** The queue broke, once; the text says why. */
  readonly onError: (reason: string, index: number) => void;
  /** With the debug core: receives each access to guest memory. */
  readonly log?: AccessLog;
}

/** Life of an element: popped, then staged, then (in-order queues) waiting for others, then over. */
export const OPEN = 0;
export const FILLED = 1;
export const FLUSHED = 2;
export const CLOSED = 3;

/** A chain that the device has taken and not yet given back. */
export class VirtQueueElement {
  /** @internal */
  readonly queue: DeviceQueue;
  /** Head (split) or buffer id (packed). */
  readonly index: number;
  /** Descriptors that it occupies in the ring. */
  readonly ndescs: number;
  /** What the device reads. */
  readonly out: Iov;
  /** What the device writes. */
  readonly in: Iov;
  /** Bytes of header that virtqueuePopRequest found: fewer than asked if the request is short. */
  headerLength = 0;
  /** @internal */
  state = OPEN;
  /** @internal Bytes written, once filled. */
  length = 0;
  /** @internal Segments, while another chain is in the workspace. */
  saved: Uint32Array | undefined;
  /** @internal Segments of out and in together. */
  readonly segments: number;
  /** @internal How many of them are readable. */
  readonly readable: number;

  constructor(
    queue: DeviceQueue,
    index: number,
    ndescs: number,
    outCount: number,
    inCount: number,
  ) {
    this.queue = queue;
    this.index = index;
    this.ndescs = ndescs;
    this.segments = outCount + inCount;
    this.readable = outCount;
    this.out = new Iov(queue, this, 0, outCount);
    this.in = new Iov(queue, this, outCount, inCount);
  }
}

/** The device's side of one virtqueue, split or packed. */
export class DeviceQueue implements IovHost {
  readonly index: number;
  readonly size: number;
  readonly packed: boolean;
  readonly features: bigint;
  readonly memory: WebAssembly.Memory;
  readonly workspace: number;
  readonly words: Uint32Array;
  readonly bounce: Uint8Array;
  readonly bounceAddress: number;
  /** Private copy of the latest request's header (virtqueuePopRequest). */
  readonly header: DataView;
  /** Where host code writes a response (virtqueuePushResponse). */
  readonly response: DataView;
  /** @internal */
  readonly core: CoreExports;
  /** @internal */
  readonly ring: CoreDevice;
  /** @internal */
  readonly inOrder: boolean;
  /** @internal Elements in flight, in the order of pop; kept where the order matters. */
  readonly order: VirtQueueElement[] = [];
  /** @internal Filled and not yet flushed (packed: the first is published last). */
  staged: VirtQueueElement[] = [];
  /** Chains taken and not given back. */
  inFlight = 0;
  #resident: VirtQueueElement | undefined;
  #reported = false;
  #retired = false;
  #regions: readonly GuestRegion[] = [];
  readonly #options: DeviceQueueOptions;

  /**
   * Takes over a queue that the driver has set up. A ring that is misaligned or not in writable
   * guest memory is the guest's mistake: the queue is then broken from the start and says so
   * through `onError`.
   * @throws RangeError if the size is not a legal one, or the workspace or the regions are unsound:
   *   those are mistakes of the host
   */
  constructor(options: DeviceQueueOptions) {
    const { core, memory, index, size, features, workspace } = options;
    this.packed = (features & VIRTIO_F_RING_PACKED) !== 0n;
    if (!isQueueSize(size, this.packed)) throw new RangeError(`queue size ${size}`);
    if (workspace % 16 !== 0 || workspace <= 0) throw new RangeError(`workspace at ${workspace}`);
    const areas = deviceWorkspace(options);
    this.#options = options;
    this.index = index;
    this.size = size;
    this.features = features;
    this.memory = memory;
    this.workspace = workspace;
    this.inOrder = (features & VIRTIO_F_IN_ORDER) !== 0n;
    // The workspace is there now, and a shared memory's bytes stay where they are when it grows.
    this.words = new Uint32Array(memory.buffer, workspace, areas.header >>> 2);
    const area = areas.response - areas.header;
    this.header = new DataView(memory.buffer, workspace + areas.header, area);
    this.response = new DataView(memory.buffer, workspace + areas.response, area);
    this.bounceAddress = workspace + areas.header;
    this.bounce = new Uint8Array(memory.buffer, this.bounceAddress, area);
    this.core = instantiateCore(core, memory, options.log);
    this.core.setWorkspace(
      workspace,
      areas.segments,
      workspace + areas.header,
      workspace + areas.response,
    );
    this.ring = coreDevice(this.core, this.packed);
    this.ring.init(size, 0, 0, 0, ringFeatures(features));
    this.setRegions(options.regions);
  }

  /** The region table in force. */
  get regions(): readonly GuestRegion[] {
    return this.#regions;
  }

  /** True once anything malformed was seen; only a new queue (after a reset) ends that. */
  get broken(): boolean {
    return this.ring.broken() !== 0;
  }

  /**
   * Maps the guest's memory anew, also while buffers are in flight: their segments keep their
   * linear addresses, the rings are looked up again, and a ring that is no longer wholly mapped
   * breaks the queue.
   * @throws RangeError if the table is unsound
   */
  setRegions(regions: readonly GuestRegion[]): void {
    const { memory, workspace } = this.#options;
    const { bytes } = deviceWorkspace(this.#options);
    checkRegions(regions, memory.buffer.byteLength, { start: workspace, size: bytes });
    this.#regions = regions;
    writeRegions(new DataView(memory.buffer, workspace), regions);
    this.core.setRegionCount(regions.length);
    this.#placeRings();
  }

  #placeRings(): void {
    const { desc, driver, device } = this.#options;
    const { packed, size } = this;
    const parts: [number, number, number, boolean][] = [
      [desc, descriptorAreaBytes(size), DESC_ALIGN, packed],
      [driver, driverAreaBytes(size, packed), packed ? EVENT_ALIGN : AVAIL_ALIGN, false],
      [device, deviceAreaBytes(size, packed), packed ? EVENT_ALIGN : USED_ALIGN, true],
    ];
    const [d, a, u] = parts.map(([address, bytes, align, write]) =>
      // Both the guest's and the linear address: atomics need the alignment of the latter.
      address % align === 0 ? aligned(translate(this.#regions, address, bytes, write), align) : -1,
    ) as [number, number, number];
    if (d < 0 || a < 0 || u < 0) {
      const wrong = d < 0 ? desc : a < 0 ? driver : device;
      this.breakQueue(BROKEN_RING, wrong % 2 ** 32);
      return;
    }
    this.ring.move(d, a, u);
  }

  /** Marks the queue broken and reports why. */
  breakQueue(reason: number, detail: number): void {
    this.ring.breakQueue(reason, detail);
    this.reportBroken();
  }

  /** @internal It broke before it was saved, which was reported there. */
  restoreBroken(reason: number): void {
    this.#reported = true;
    this.ring.breakQueue(reason, 0);
  }

  /**
   * Ends the queue's life (device or queue reset, §2.4.1, §2.6.1): from now on it touches neither
   * the rings nor the buffers in flight, whose segments become empty.
   */
  retire(): void {
    this.#reported = true;
    this.#retired = true;
    this.ring.breakQueue(BROKEN_RESET, 0);
  }

  /** True after `retire`: what is still in flight is given back into nothing. */
  get retired(): boolean {
    return this.#retired;
  }

  /** Index of a split ring's used ring, as the guest sees it; 0 of a broken queue. */
  get usedIndex(): number {
    const { device } = this.#options;
    const at = translate(this.#regions, device, deviceAreaBytes(this.size, false), true);
    return this.packed || at < 0 ? 0 : new DataView(this.memory.buffer).getUint16(at + 2, true);
  }

  /** The descriptor area as the guest sees it, DESC_SIZE bytes an entry; undefined of a broken queue. */
  get descriptors(): DataView | undefined {
    const bytes = descriptorAreaBytes(this.size);
    const at = translate(this.#regions, this.#options.desc, bytes, this.packed);
    return at < 0 ? undefined : new DataView(this.memory.buffer, at, bytes);
  }

  /** Where a packed ring's next descriptor to take is: index, and the wrap counter in bit 15. */
  get availPosition(): number {
    return this.ring.state(0);
  }

  /** @internal */
  get observer(): QueueObserver | undefined {
    return this.#options.observer;
  }

  /** @internal Tells the owner, once, why the queue broke. */
  reportBroken(): void {
    if (this.#reported) return;
    this.#reported = true;
    const detail = this.words[WORK_ERROR_DETAIL >>> 2]!;
    this.#options.onError(brokenText(this.ring.broken(), detail), this.index);
  }

  /** @internal */
  notifyDriver(): void {
    this.#options.notify(this.index);
  }

  /** @internal Makes room in the workspace for the next chain. */
  spill(): void {
    const element = this.#resident;
    if (element === undefined) return;
    this.#resident = undefined;
    if (element.state === CLOSED) return;
    const first = segmentWord(0);
    element.saved = this.words.slice(first, first + 2 * element.segments);
  }

  /** @internal The chain whose segments the core has just written to the workspace. */
  adopt(index: number): VirtQueueElement {
    const { words } = this;
    const element = new VirtQueueElement(
      this,
      index,
      words[WORK_NDESCS >>> 2]!,
      words[WORK_OUT_COUNT >>> 2]!,
      words[WORK_IN_COUNT >>> 2]!,
    );
    this.#resident = element;
    this.inFlight++;
    if (this.inOrder) this.order.push(element);
    this.#options.observer?.taken(index, this.units(element));
    return element;
  }

  /** @internal An element whose segments are known from elsewhere (restore). */
  adoptSaved(element: VirtQueueElement, segments: Uint32Array): void {
    element.saved = segments;
    this.inFlight++;
    if (this.inOrder) this.order.push(element);
  }

  makeResident(iov: Iov): void {
    const element = iov.owner as VirtQueueElement;
    if (this.#retired) {
      iov.count = 0;
      return;
    }
    if (element === this.#resident) return;
    if (element.saved === undefined) throw new Error("the buffer was given back already");
    this.spill();
    this.words.set(element.saved, segmentWord(0));
    element.saved = undefined;
    this.#resident = element;
  }

  /** @internal Ends an element's life with the device. */
  close(element: VirtQueueElement): void {
    element.state = CLOSED;
    element.saved = undefined;
    this.inFlight--;
  }

  /** @internal What the ring counts for an element. */
  units(element: VirtQueueElement): number {
    return this.packed ? element.ndescs : 1;
  }
}

function aligned(linear: number, align: number): number {
  return linear % align === 0 ? linear : -1;
}
