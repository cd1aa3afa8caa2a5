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
  BROKEN_RING,
  DESC_ALIGN,
  EVENT_ALIGN,
  RESULT_BROKEN,
  USED_ALIGN,
  WORK_DROPPED,
  WORK_ERROR_DETAIL,
  WORK_IN_COUNT,
  WORK_LENGTH,
  WORK_NDESCS,
  WORK_OUT_COUNT,
} from "./defs.ts";
import { brokenText } from "./errors.ts";
import { ringFeatures, VIRTIO_F_IN_ORDER, VIRTIO_F_RING_PACKED } from "./features.ts";
import { Iov, type IovHost, iovFromBuf, segmentWord } from "./iov.ts";
import {
  descriptorAreaBytes,
  deviceAreaBytes,
  deviceWorkspace,
  driverAreaBytes,
  isQueueSize,
} from "./layout.ts";
import { checkRegions, type GuestRegion, translate, writeRegions } from "./regions.ts";

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
  /** Tells the driver that buffers were used. */
  readonly notify: (index: number) => void;
  /** The queue broke, once; the text says why. */
  readonly onError: (reason: string, index: number) => void;
  /** With the debug core: receives each access to guest memory. */
  readonly log?: AccessLog;
}

const OPEN = 0;
const FILLED = 1;
const FLUSHED = 2;
const CLOSED = 3;

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

/**
 * Takes the next chain that the driver made available. Malformed ones break the queue.
 * Drain a queue until this returns nothing before you wait for the driver's next notification.
 * @returns the element, or nothing if there is none or the queue is broken
 */
export function virtqueuePop(vq: DeviceQueue): VirtQueueElement | undefined {
  vq.spill();
  const head = vq.ring.pop();
  if (head >= 0) return vq.adopt(head);
  if (head === RESULT_BROKEN) vq.reportBroken();
  return undefined;
}

/**
 * Pop, iovToBuf and iovDiscardFront in one call: the first bytes of the request are in `vq.header`
 * (a private copy: the guest can't change it any more), and `element.out` goes on behind them.
 * @param headerBytes at most the queue's `headerBytes`; `element.headerLength` says how many came
 * @throws RangeError if `headerBytes` is more than the queue has room for
 */
export function virtqueuePopRequest(
  vq: DeviceQueue,
  headerBytes: number,
): VirtQueueElement | undefined {
  if (headerBytes > vq.header.byteLength) throw new RangeError(`header of ${headerBytes} bytes`);
  vq.spill();
  const head = vq.ring.popRequest(headerBytes);
  if (head >= 0) {
    const element = vq.adopt(head);
    const dropped = vq.words[WORK_DROPPED >>> 2]!;
    element.headerLength = vq.words[WORK_LENGTH >>> 2]!;
    element.out.first += dropped;
    element.out.count -= dropped;
    return element;
  }
  if (head === RESULT_BROKEN) vq.reportBroken();
  return undefined;
}

/**
 * Writes the first `bytes` of `vq.response` to the chain, gives it back and notifies the driver if
 * it asks for that (§2.7.7.2).
 * @throws RangeError if `bytes` is more than the queue has room for; Error if given back before
 */
export function virtqueuePushResponse(element: VirtQueueElement, bytes: number): void {
  const vq = element.queue;
  if (bytes > vq.response.byteLength) throw new RangeError(`response of ${bytes} bytes`);
  if (element.state !== OPEN) throw new Error("the buffer was given back already");
  if (vq.staged.length > 0) throw new Error("staged buffers come first: flush them");
  if (vq.order.length > 1) {
    const written = iovFromBuf(element.in, 0, vq.response.byteOffset, bytes);
    virtqueuePush(vq, element, written);
    virtioNotify(vq);
    return;
  }
  vq.makeResident(element.in);
  const { first, count } = element.in;
  const notify = vq.ring.respond(element.index, vq.units(element), first, count, bytes);
  vq.order.length = 0;
  vq.close(element);
  if (notify) vq.notifyDriver();
}

/**
 * Gives a chain back: fill and flush of one element.
 * @param length bytes written to `element.in`
 */
export function virtqueuePush(vq: DeviceQueue, element: VirtQueueElement, length: number): void {
  virtqueueFill(vq, element, length, 0);
  virtqueueFlush(vq, 1);
}

/**
 * Stages a chain as the `position`-th to be flushed.
 * @throws Error if it was given back already, or positions are not 0, 1, 2, …
 */
export function virtqueueFill(
  vq: DeviceQueue,
  element: VirtQueueElement,
  length: number,
  position: number,
): void {
  if (element.state !== OPEN) throw new Error("the buffer was given back already");
  if (position !== vq.staged.length) throw new Error(`fill at ${position}, not in sequence`);
  element.state = FILLED;
  element.length = length;
  vq.staged.push(element);
}

/**
 * Makes `count` staged chains visible to the driver. In-order queues hold back those that overtook
 * an earlier one (§2.7.9, §2.8.8) until that one is flushed too.
 * @throws Error if fewer were staged
 */
export function virtqueueFlush(vq: DeviceQueue, count: number): void {
  if (count > vq.staged.length) throw new Error(`flush of ${count}, ${vq.staged.length} staged`);
  const flushed = vq.staged.splice(0, count);
  if (!vq.inOrder) {
    publish(vq, flushed);
    return;
  }
  for (const element of flushed) element.state = FLUSHED;
  let ready = 0;
  while (vq.order[ready]?.state === FLUSHED) ready++;
  publish(vq, vq.order.splice(0, ready));
}

function publish(vq: DeviceQueue, elements: readonly VirtQueueElement[]): void {
  let offset = 0;
  for (const element of elements) {
    vq.ring.fill(element.index, element.length, offset);
    offset += vq.units(element);
    vq.close(element);
  }
  if (offset > 0) vq.ring.flush(offset);
}

/** Gives a chain back without telling the driver: it stays in flight for the driver. */
export function virtqueueDetachElement(vq: DeviceQueue, element: VirtQueueElement): void {
  if (element.state === CLOSED) throw new Error("the buffer was given back already");
  vq.staged = vq.staged.filter((other) => other !== element);
  const at = vq.order.indexOf(element);
  if (at >= 0) vq.order.splice(at, 1);
  vq.ring.detach(vq.units(element));
  vq.close(element);
}

/**
 * Undoes the latest pop: the chain is the next one to be popped again.
 * @throws Error if it was given back already
 */
export function virtqueueUnpop(vq: DeviceQueue, element: VirtQueueElement): void {
  if (element.state !== OPEN) throw new Error("the buffer was given back already");
  const at = vq.order.indexOf(element);
  if (at >= 0) vq.order.splice(at, 1);
  vq.ring.rewind(1, vq.units(element));
  vq.close(element);
}

/**
 * Steps back over the latest `count` pops, whose elements host code has lost. Only right while no
 * later element was given back, and on a packed ring only if each was one descriptor.
 * @returns false if fewer are in flight
 */
export function virtqueueRewind(vq: DeviceQueue, count: number): boolean {
  if (count > vq.inFlight || vq.ring.rewind(count, count) === 0) return false;
  vq.inFlight -= count;
  if (vq.inOrder) vq.order.splice(vq.order.length - count, count);
  return true;
}

/** Asks for the driver's notifications, or for none. Look at the queue again after enabling. */
export function virtqueueSetNotification(vq: DeviceQueue, enable: boolean): void {
  vq.ring.setNotification(enable ? 1 : 0);
}

/** Is there nothing to pop? A broken queue is empty. */
export function virtqueueEmpty(vq: DeviceQueue): boolean {
  const empty = vq.ring.empty() !== 0;
  if (empty && vq.broken) vq.reportBroken();
  return empty;
}

/** Notifies the driver of used buffers if it wants to hear of them (§2.7.7.2). @returns if it did */
export function virtioNotify(vq: DeviceQueue): boolean {
  if (vq.ring.shouldNotify() === 0) return false;
  vq.notifyDriver();
  return true;
}
