// The places for a device's queues (virtio 1.3 §2.6): what the driver has written about each, and the
// queue once it is enabled. What a driver may do when is the transport's to decide.

import { DeviceQueue, type VirtQueueElement } from "./device-queue.ts";
import { VIRTIO_F_RING_PACKED } from "./features.ts";
import { isQueueSize } from "./layout.ts";
import { type DeviceState, restoreQueue, saveQueue } from "./migrate.ts";
import { checkRegions, type GuestRegion } from "./regions.ts";
import {
  type QueueOffer,
  type QueueSetup,
  slotBytes,
  type VirtioDeviceOptions,
  virtioWorkspaceBytes,
} from "./transport-options.ts";

/** One place. */
export interface QueueSlot extends QueueSetup {
  readonly index: number;
  readonly offer: QueueOffer;
  /** Linear address of its private bytes. */
  readonly workspace: number;
  vq: DeviceQueue | undefined;
}

/** What queues tell their device. */
export interface QueueHooks {
  /** Buffers of a queue were used, and its driver wants to hear of it. */
  readonly notify: (queue: number) => void;
  /** A queue broke. */
  readonly onError: (reason: string, queue: number) => void;
}

/** All places of a device, over the regions of guest memory that are in force. */
export class QueueSlots {
  readonly #options: VirtioDeviceOptions;
  readonly #hooks: QueueHooks;
  readonly #slots: readonly QueueSlot[];
  #regions: readonly GuestRegion[];

  /** @param options the device's: offers, workspace, memory, regions */
  constructor(options: VirtioDeviceOptions, hooks: QueueHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#regions = options.regions;
    let workspace = options.workspace;
    this.#slots = options.queues.map((offer, index) => {
      const slot = { index, offer, workspace, vq: undefined, ...unset(offer) };
      workspace += slotBytes(offer);
      return slot;
    });
  }

  get count(): number {
    return this.#slots.length;
  }

  /** The place of that index, if there is one. */
  at(index: number): QueueSlot | undefined {
    return this.#slots[index];
  }

  /** Queues that are enabled. */
  enabled(): DeviceQueue[] {
    return this.#slots.flatMap(({ vq }) => (vq ? [vq] : []));
  }

  /** Makes a place's queue of what the driver has written. @param features those negotiated */
  make(slot: QueueSlot, features: bigint): DeviceQueue {
    const { core, memory, access } = this.#options;
    const { index, size, desc, driver, device, workspace, offer } = slot;
    const observer = this.#options.observer?.(index);
    const vq = new DeviceQueue({
      core,
      memory,
      index,
      size,
      desc,
      driver,
      device,
      workspace,
      regions: this.#regions,
      features,
      ...(offer.headerBytes === undefined ? {} : { headerBytes: offer.headerBytes }),
      ...(offer.segments === undefined ? {} : { segments: offer.segments }),
      ...(access === undefined ? {} : { log: access }),
      ...(observer === undefined ? {} : { observer }),
      ...this.#hooks,
    });
    slot.vq = vq;
    this.#options.onEnable?.(vq);
    return vq;
  }

  /** Makes queues anew that were made with other features. */
  renew(features: bigint): void {
    for (const slot of this.#slots) {
      if (slot.vq === undefined || slot.vq.features === features) continue;
      slot.vq.retire();
      this.make(slot, features);
    }
  }

  /** Ends a place's queue, and forgets what was written about it. */
  drop(slot: QueueSlot): void {
    slot.vq?.retire();
    slot.vq = undefined;
    Object.assign(slot, unset(slot.offer));
  }

  dropAll(): void {
    for (const slot of this.#slots) this.drop(slot);
  }

  get regions(): readonly GuestRegion[] {
    return this.#regions;
  }

  /** Maps the guest's memory anew for all queues. @throws RangeError if the table is unsound */
  setRegions(regions: readonly GuestRegion[]): void {
    const { memory, workspace, queues } = this.#options;
    const size = virtioWorkspaceBytes(queues);
    checkRegions(regions, memory.buffer.byteLength, { start: workspace, size });
    this.#regions = regions;
    for (const vq of this.enabled()) vq.setRegions(regions);
  }

  /** All queues as plain data. @throws as saveQueue */
  save(inFlight: (vq: DeviceQueue) => readonly VirtQueueElement[]): DeviceState["queues"] {
    return this.#slots.map(({ vq, size, desc, driver, device }) => ({
      setup: { size, desc, driver, device },
      queue: vq ? saveQueue(vq, inFlight(vq)) : null,
    }));
  }

  /** @throws RangeError if a saved queue has a size that it cannot have here */
  checkSaved(queues: DeviceState["queues"], features: bigint): void {
    const packed = (features & VIRTIO_F_RING_PACKED) !== 0n;
    for (const [index, { setup, queue }] of queues.entries()) {
      if (queue === null) continue;
      const most = this.#slots[index]?.offer.maxSize ?? 0;
      if (setup.size > most || !isQueueSize(setup.size, packed)) {
        throw new RangeError(`the saved queue ${index} has size ${setup.size}`);
      }
    }
  }

  /** Goes on with saved queues. @returns the elements in flight, by queue */
  restore(queues: DeviceState["queues"], features: bigint): VirtQueueElement[][] {
    return this.#slots.map((slot) => {
      const { setup, queue } = queues[slot.index]!;
      Object.assign(slot, setup);
      return queue === null ? [] : restoreQueue(this.make(slot, features), queue);
    });
  }
}

function unset(offer: QueueOffer): QueueSetup {
  return { size: offer.maxSize, desc: 0, driver: 0, device: 0 };
}
