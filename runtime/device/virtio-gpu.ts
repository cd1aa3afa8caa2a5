/**
 * The vGPU as a virtio device (virtio 1.3 §2): features, configuration space and virtqueues around
 * the Device that does the work.
 */
import type { Region } from "../memory/index.ts";
import * as P from "../protocol/definitions.ts";
import { writeU64 } from "../protocol/fields.ts";
import {
  CONFIG_CHANGE,
  type GuestRegion,
  type QueueObserver,
  type QueueOffer,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_VERSION_1,
  VirtioDevice,
  virtioWorkspaceBytes,
} from "../virtio/index.ts";
import { Device, type DeviceOptions } from "./device.ts";
import {
  COMPUTE_MAJOR,
  COMPUTE_MINOR,
  MAX_THREADS_PER_BLOCK,
  SHARED_PER_BLOCK_OPTIN,
  WARP_SIZE,
} from "./properties.ts";

/** What the device offers: the ring features of its virtqueues and its own. */
export const OFFERED_FEATURES =
  VIRTIO_F_VERSION_1 |
  VIRTIO_F_INDIRECT_DESC |
  VIRTIO_F_EVENT_IDX |
  VIRTIO_F_RING_PACKED |
  VIRTIO_F_RING_RESET |
  (1n << BigInt(P.WARPRING_F_EVENTS)) |
  (1n << BigInt(P.WARPRING_F_DEVICE_MEMORY)) |
  (1n << BigInt(P.WARPRING_F_HOST_CALLS));

/** How to make the device and its transport state. */
export interface VirtioGpuOptions extends DeviceOptions {
  /** Compiled core.wasm. */
  readonly core: WebAssembly.Module;
  /** Private bytes for the device's side of the queues, in no guest region. */
  readonly workspace: Region;
  /** Where guest RAM is. */
  readonly regions: readonly GuestRegion[];
  /** Tells the driver of used buffers in a queue, or (-1) of a new status or configuration. */
  readonly interrupt: (index: number) => void;
  /** Says what a guest did wrong. */
  readonly log?: (message: string) => void;
  /** Keeps account of the buffers of a queue. */
  readonly observer?: (index: number) => QueueObserver | undefined;
  /** A kick only marks its queue: the owner calls `turn` (a device in a thread of its own). */
  readonly deferred?: boolean;
}

/** The vGPU with its transport state. */
export class VirtioGpu {
  readonly device: Device;
  readonly virtio: VirtioDevice;
  /** Queues that were notified and are to be looked at. */
  readonly #notified: number[] = [];
  readonly #deferred: boolean;
  #working = false;

  /**
   * @param options parts of the device
   * @throws RangeError if the workspace is too small
   */
  constructor(options: VirtioGpuOptions) {
    this.device = new Device(options);
    this.#deferred = options.deferred ?? false;
    const queues = queueOffers();
    if (virtioWorkspaceBytes(queues) > options.workspace.size) {
      throw new RangeError("the workspace is too small for the device's queues");
    }
    this.virtio = new VirtioDevice({
      core: options.core,
      memory: options.memory.memory,
      deviceId: P.VIRTIO_ID_GPU_COMPUTE,
      vendorId: P.VIRTIO_VENDOR_ID,
      features: OFFERED_FEATURES,
      config: configSpace(this.device),
      queues,
      workspace: options.workspace.start,
      regions: options.regions,
      onEnable: (vq) => this.device.attachQueue(vq.index, vq),
      onNotify: (vq) => this.#notify(vq.index),
      onReset: (vq) => (vq ? this.device.detachQueue(vq.index) : this.device.reset()),
      interrupt: options.interrupt,
      ...(options.observer ? { observer: options.observer } : {}),
      log: options.log ?? (() => {}),
    });
  }

  /** A kick: everything that is in the queue is taken, and the work that it brought is done. */
  #notify(index: number): void {
    if (!this.#notified.includes(index)) this.#notified.push(index);
    // A callback of the driver that kicks again while the device works: the loop below sees it.
    if (this.#working || this.#deferred) return;
    this.#working = true;
    try {
      while (this.turn());
    } finally {
      this.#working = false;
    }
  }

  /**
   * Takes what notified queues hold, then does one piece of work.
   * @returns false if there was nothing to do
   */
  turn(): boolean {
    while (this.#notified.length > 0) this.device.processQueue(this.#notified.shift() as number);
    return this.device.step() || this.#notified.length > 0;
  }
}

function queueOffers(): QueueOffer[] {
  const sizes: number[] = [];
  sizes[P.QUEUE_CONTROL] = P.CONTROL_QUEUE_SIZE;
  sizes[P.QUEUE_EVENT] = P.EVENT_QUEUE_SIZE;
  sizes[P.QUEUE_STREAM] = P.STREAM_QUEUE_SIZE;
  const offers: QueueOffer[] = [];
  for (let group = 0; group < P.MAX_QUEUE_GROUPS; group++) {
    for (const maxSize of sizes) offers.push({ maxSize, headerBytes: P.MAX_RESPONSE_SIZE });
  }
  return offers;
}

/** The configuration space, §"Device configuration layout" of docs/device.md. */
function configSpace(device: Device): Uint8Array {
  const { description } = device;
  const bytes = new Uint8Array(P.CONFIG_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(P.CONFIG_PROTOCOL_VERSION, P.PROTOCOL_VERSION, true);
  view.setUint32(P.CONFIG_COMPUTE_MAJOR, COMPUTE_MAJOR, true);
  view.setUint32(P.CONFIG_COMPUTE_MINOR, COMPUTE_MINOR, true);
  view.setUint32(P.CONFIG_MULTIPROCESSORS, description.multiprocessors, true);
  writeU64(view, P.CONFIG_MEMORY_SIZE, device.allocations.total * device.devices.length);
  writeU64(view, P.CONFIG_POINTER_BASE, device.memory.base);
  view.setUint32(P.CONFIG_WARP_SIZE, WARP_SIZE, true);
  view.setUint32(P.CONFIG_MAX_THREADS_PER_BLOCK, MAX_THREADS_PER_BLOCK, true);
  view.setUint32(P.CONFIG_MAX_SHARED_PER_BLOCK, SHARED_PER_BLOCK_OPTIN, true);
  view.setUint32(P.CONFIG_MAX_PARAMETER_BYTES, P.MAX_PARAMETER_BYTES, true);
  view.setUint32(P.CONFIG_QUEUE_GROUPS, P.MAX_QUEUE_GROUPS, true);
  view.setUint32(P.CONFIG_DEVICE_INDEX, description.index, true);
  view.setUint32(P.CONFIG_DEVICES, device.devices.length, true);
  return bytes;
}

export { CONFIG_CHANGE };
