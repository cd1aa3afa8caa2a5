// What a virtio device is made from: its queues, configuration and hooks.

import type { AccessLog } from "./core.ts";
import type { DeviceQueue, QueueObserver } from "./device-queue.ts";
import { deviceWorkspaceBytes } from "./layout.ts";
import type { GuestRegion } from "./regions.ts";

/** One queue of a device, as the device offers it. */
export interface QueueOffer {
  /** Largest size the driver may choose; 0: no such queue. */
  readonly maxSize: number;
  /** As in DeviceQueueOptions. */
  readonly headerBytes?: number;
  readonly segments?: number;
}

/** How to make a device. Hooks run in the device's thread. */
export interface VirtioDeviceOptions {
  readonly core: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly deviceId: number;
  readonly vendorId: number;
  /** Feature bits that the device offers. */
  readonly features: bigint;
  /** Device configuration space at start. */
  readonly config: Uint8Array;
  readonly queues: readonly QueueOffer[];
  /** Linear address of virtioWorkspaceBytes() private bytes, 16-aligned, in no region. */
  readonly workspace: number;
  readonly regions: readonly GuestRegion[];
  /** Transitional: also serves drivers that do not accept VIRTIO_F_VERSION_1. */
  readonly legacy?: boolean;
  /** Why this set of accepted features cannot be served, or nothing if it can. */
  readonly validateFeatures?: (features: bigint) => string | undefined;
  /** A queue was enabled: this object is it until it is reset. */
  readonly onEnable?: (vq: DeviceQueue) => void;
  /** The driver's notification of a live queue: there may be buffers. */
  readonly onNotify: (vq: DeviceQueue) => void;
  /** A queue is about to be reset, or (without one) the whole device; buffers in flight are lost. */
  readonly onReset?: (vq: DeviceQueue | undefined) => void;
  /** Stop taking buffers and finish those in flight. False: the device cannot be suspended. */
  readonly onSuspend?: () => boolean;
  /** Go on. False: the device cannot. */
  readonly onResume?: () => boolean;
  /** The driver writes to the configuration space. False: that range is read-only. */
  readonly onConfigWrite?: (offset: number, bytes: Uint8Array) => boolean;
  /** Keeps account of the buffers of a queue that is enabled; none if not given. */
  readonly observer?: (index: number) => QueueObserver | undefined;
  /** Notifies the driver: of used buffers in queue `index`, or of a new configuration (-1). */
  readonly interrupt: (index: number) => void;
  /** Says what the guest did wrong. */
  readonly log: (message: string) => void;
  /** With the debug core: receives each access to guest memory. */
  readonly access?: AccessLog;
}

/** `interrupt` argument of a configuration change notification. */
export const CONFIG_CHANGE = -1;

/** What the driver has written about one queue. Addresses are the guest's. */
export interface QueueSetup {
  size: number;
  desc: number;
  driver: number;
  device: number;
}

/** Bytes of private memory that a device's queues need together. */
export function virtioWorkspaceBytes(queues: readonly QueueOffer[]): number {
  return queues.reduce((sum, offer) => sum + slotBytes(offer), 0);
}

/** Bytes of private memory of one queue. */
export function slotBytes({ maxSize, headerBytes, segments }: QueueOffer): number {
  return deviceWorkspaceBytes({
    size: maxSize,
    ...(headerBytes === undefined ? {} : { headerBytes }),
    ...(segments === undefined ? {} : { segments }),
  });
}
