// The device's state that is the same on every transport (virtio 1.3 §2.1 to §2.6, §3): status,
// features, configuration space, queues, reset, suspend. Registers are in mmio.ts.

import { ConfigSpace } from "./config-space.ts";
import {
  STATUS_ACKNOWLEDGE,
  STATUS_DRIVER,
  STATUS_DRIVER_OK,
  STATUS_FAILED,
  STATUS_FEATURES_OK,
  STATUS_NEEDS_RESET,
  STATUS_SUSPEND,
} from "./defs.ts";
import type { DeviceQueue, VirtQueueElement } from "./device-queue.ts";
import {
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_SUSPEND,
  VIRTIO_F_VERSION_1,
} from "./features.ts";
import { isQueueSize } from "./layout.ts";
import type { DeviceState } from "./migrate.ts";
import { type QueueSlot, QueueSlots } from "./queue-slots.ts";
import type { GuestRegion } from "./regions.ts";
import { CONFIG_CHANGE, type QueueSetup, type VirtioDeviceOptions } from "./transport-options.ts";

/** A virtio device, seen from its transport. */
export class VirtioDevice {
  readonly options: VirtioDeviceOptions;
  readonly #queues: QueueSlots;
  readonly #config: ConfigSpace;
  #status = 0;
  #driverFeatures = 0n;
  #configChanged = false;
  #suspending = false;

  constructor(options: VirtioDeviceOptions) {
    this.options = options;
    this.#config = new ConfigSpace(options.config);
    this.#queues = new QueueSlots(options, {
      notify: (queue) => {
        // §2.1.2: no notification before DRIVER_OK; virtio 1.4 §3.4.2: none while suspended.
        if (this.#status & STATUS_SUSPEND) return;
        if (this.#status & STATUS_DRIVER_OK || this.#isLegacyLive()) options.interrupt(queue);
      },
      onError: (reason, queue) => this.needsReset(`queue ${queue}: ${reason}`),
    });
  }

  // ── status (§2.1) ──────────────────────────────────────────────────────────────────────────

  /** The status field, as the driver reads it. */
  get status(): number {
    if (this.#suspending) this.#trySuspend();
    return this.#status;
  }

  /** May queues be used now? */
  get live(): boolean {
    if (this.#status & (STATUS_SUSPEND | STATUS_FAILED) || this.#suspending) return false;
    return (this.#status & STATUS_DRIVER_OK) !== 0 || this.#isLegacyLive();
  }

  /** §3.1.2: a legacy driver may use the device before it sets DRIVER_OK. */
  #isLegacyLive(): boolean {
    return (
      this.options.legacy === true &&
      (this.#driverFeatures & VIRTIO_F_VERSION_1) === 0n &&
      (this.#status & STATUS_DRIVER) !== 0
    );
  }

  /**
   * The driver writes the status field. 0 resets; bits that come too early, and values that clear a
   * bit, are ignored and logged (§2.1.1, §3.1.1).
   */
  writeStatus(value: number): void {
    if (value === 0) {
      this.reset();
      return;
    }
    const own = STATUS_NEEDS_RESET; // the device's own bit: what the driver writes there is nothing
    if (this.#status & STATUS_SUSPEND) {
      if (value & STATUS_DRIVER_OK) this.#resume();
      else if (value & STATUS_FAILED) this.#status |= STATUS_FAILED;
      return;
    }
    const cleared = this.#status & ~value & ~own;
    if (cleared !== 0) {
      this.#refuse(`status ${hex(value)} clears bits ${hex(cleared)} (§2.1.1)`);
      return;
    }
    const added = value & ~this.#status & ~own;
    if (added & STATUS_FAILED) this.#status |= STATUS_FAILED;
    if (this.#status & STATUS_FAILED) {
      // §2.1.1: after FAILED only a reset leads on.
      if (added & ~STATUS_FAILED) this.#refuse(`status ${hex(value)} after FAILED (§2.1.1)`);
      return;
    }
    this.#step(added, STATUS_ACKNOWLEDGE, 0);
    this.#step(added, STATUS_DRIVER, STATUS_ACKNOWLEDGE);
    this.#step(added, STATUS_FEATURES_OK, STATUS_DRIVER);
    this.#step(added, STATUS_DRIVER_OK, STATUS_FEATURES_OK);
    if (added & STATUS_SUSPEND) this.#suspend();
  }

  #step(added: number, bit: number, before: number): void {
    if (!(added & bit)) return;
    const legacy = this.options.legacy === true && !(this.#driverFeatures & VIRTIO_F_VERSION_1);
    // §3.1.2: legacy drivers leave FEATURES_OK out.
    const required = bit === STATUS_DRIVER_OK && legacy ? STATUS_DRIVER : before;
    if ((this.#status & required) !== required) {
      this.#refuse(`status bit ${hex(bit)} before ${hex(required)} (§3.1.1)`);
      return;
    }
    // A driver that leaves FEATURES_OK out is judged when it goes live.
    if (bit === STATUS_FEATURES_OK || (bit === STATUS_DRIVER_OK && legacy)) {
      const reason = this.#unacceptable();
      if (reason !== undefined) {
        const name = bit === STATUS_FEATURES_OK ? "FEATURES_OK" : "DRIVER_OK";
        this.#refuse(`${name} refused: ${reason} (§2.2.2)`);
        return;
      }
    }
    this.#status |= bit;
    // A legacy driver enables queues before it is known which features it accepts.
    if (bit === STATUS_DRIVER_OK) this.#queues.renew(this.#driverFeatures);
  }

  /** The device met an error that only a reset ends (§2.1.2); other queues are served on. */
  needsReset(reason: string): void {
    this.options.log(reason);
    if (this.#status & STATUS_NEEDS_RESET) return;
    this.#status |= STATUS_NEEDS_RESET;
    // §2.1.2: with DRIVER_OK set the driver must be told.
    if (this.#status & STATUS_DRIVER_OK) this.options.interrupt(CONFIG_CHANGE);
  }

  /** Device reset (§2.4): status, features and queues start over; buffers in flight are lost. */
  reset(): void {
    this.options.onReset?.(undefined);
    this.#queues.dropAll();
    this.#status = 0;
    this.#driverFeatures = 0n;
    this.#suspending = false;
    this.#configChanged = false;
  }

  // ── features (§2.2) ────────────────────────────────────────────────────────────────────────

  get deviceFeatures(): bigint {
    return this.options.features;
  }

  /** Accepted features: final once FEATURES_OK is set. */
  get driverFeatures(): bigint {
    return this.#driverFeatures;
  }

  /** The driver writes the features it accepts; ignored outside of negotiation (§3.1.1). */
  setDriverFeatures(features: bigint): void {
    const negotiating = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
    if (this.#status !== negotiating) {
      this.#refuse(`features written with status ${hex(this.#status)} (§3.1.1)`);
      return;
    }
    this.#driverFeatures = features;
  }

  #unacceptable(): string | undefined {
    const { features, legacy, validateFeatures } = this.options;
    const accepted = this.#driverFeatures;
    const foreign = accepted & ~features;
    if (foreign !== 0n) return `features 0x${foreign.toString(16)} were not offered`;
    if (features & VIRTIO_F_VERSION_1 && !(accepted & VIRTIO_F_VERSION_1) && !legacy) {
      return "VIRTIO_F_VERSION_1 is required (§6.2)";
    }
    return validateFeatures?.(accepted);
  }

  // ── configuration space (§2.5) ─────────────────────────────────────────────────────────────

  /** Changes whenever two reads could see different versions of the configuration (§2.5). */
  get generation(): number {
    return this.#config.generation;
  }

  get configBytes(): number {
    return this.#config.bytes.length;
  }

  /** Reads the configuration space; bytes beyond its end are 0. Allowed in any state (§2.5.2). */
  readConfig(offset: number, target: Uint8Array): void {
    this.#config.read(offset, target);
  }

  /** The driver writes to the configuration space. */
  writeConfig(offset: number, bytes: Uint8Array): void {
    if (this.#status & STATUS_SUSPEND) return; // virtio 1.4 §3.4.2: ignored while suspended
    const inside = offset >= 0 && offset + bytes.length <= this.configBytes;
    if (!inside || !(this.#status & STATUS_DRIVER) || this.#status & STATUS_FAILED) {
      this.#refuse(`configuration write at ${offset} with status ${hex(this.#status)}`);
      return;
    }
    if (!this.options.onConfigWrite?.(offset, bytes)) {
      this.#refuse(`configuration is read-only at ${offset}`);
      return;
    }
    this.#config.write(offset, bytes);
  }

  /** The device changes its configuration and tells the driver (§3.3.1). */
  updateConfig(offset: number, bytes: Uint8Array): void {
    this.#config.write(offset, bytes);
    // virtio 1.4 §3.4.2: not while suspended, but when the device goes on.
    if (this.#status & STATUS_SUSPEND) this.#configChanged = true;
    else if (this.#status & STATUS_DRIVER_OK) this.options.interrupt(CONFIG_CHANGE);
  }

  // ── queues (§2.6) ──────────────────────────────────────────────────────────────────────────

  get queueCount(): number {
    return this.#queues.count;
  }

  /** Largest size of a queue; 0 if there is no such queue. */
  queueMaxSize(index: number): number {
    return this.#queues.at(index)?.offer.maxSize ?? 0;
  }

  /** The queue, if the driver has enabled it. */
  queue(index: number): DeviceQueue | undefined {
    return this.#queues.at(index)?.vq;
  }

  queueReady(index: number): boolean {
    return this.queue(index) !== undefined;
  }

  /** What the driver has written about a queue, if there is such a queue. */
  queueSetup(index: number): QueueSetup | undefined {
    const slot = this.#queues.at(index);
    if (slot === undefined) return undefined;
    const { size, desc, driver, device } = slot;
    return { size, desc, driver, device };
  }

  /** The driver sets a queue up; ignored while it is enabled, or outside of initialisation. */
  setQueue(index: number, setup: Partial<QueueSetup>): void {
    const slot = this.#queues.at(index);
    if (slot === undefined || slot.offer.maxSize === 0) {
      this.#refuse(`set-up of queue ${index}, which does not exist (§2.6)`);
    } else if (slot.vq !== undefined) {
      this.#refuse(`set-up of queue ${index} while it is enabled (§4.2.2.2)`);
    } else if (!this.#mayConfigure()) {
      this.#refuse(`set-up of queue ${index} with status ${hex(this.#status)} (§3.1.1)`);
    } else {
      Object.assign(slot, setup);
    }
  }

  #mayConfigure(): boolean {
    if (this.#status & (STATUS_FAILED | STATUS_SUSPEND)) return false;
    const legacy = this.options.legacy === true && (this.#status & STATUS_DRIVER) !== 0;
    return (this.#status & STATUS_FEATURES_OK) !== 0 || legacy;
  }

  /**
   * The driver enables a queue. One whose size is not legal stays disabled and is logged; one whose
   * rings are not where they may be is broken and asks for a reset.
   * @returns whether the queue is enabled now
   */
  enableQueue(index: number): boolean {
    const slot = this.#queues.at(index);
    if (slot === undefined || slot.offer.maxSize === 0) {
      this.#refuse(`queue ${index} does not exist (§2.6)`);
      return false;
    }
    if (slot.vq !== undefined) return true;
    const packed = (this.#driverFeatures & VIRTIO_F_RING_PACKED) !== 0n;
    if (!this.#mayConfigure()) {
      this.#refuse(`queue ${index} enabled with status ${hex(this.#status)} (§3.1.1)`);
      return false;
    }
    const reason = this.#unacceptable();
    if (reason !== undefined) {
      this.#refuse(`queue ${index} not enabled: ${reason} (§2.2.2)`);
      return false;
    }
    if (slot.size > slot.offer.maxSize || !isQueueSize(slot.size, packed)) {
      this.#refuse(`queue ${index} has size ${slot.size}, which is not a legal one (§2.7, §2.8)`);
      return false;
    }
    this.#queues.make(slot, this.#driverFeatures);
    return true;
  }

  /** The driver takes a queue out of use (QueueReady 0, §4.2.2.2), as it may in any state. */
  disableQueue(index: number): void {
    const slot = this.#queues.at(index);
    if (slot === undefined) this.#refuse(`queue ${index} does not exist (§2.6)`);
    else this.#stop(slot);
  }

  /** The driver resets a queue (§2.6.1), if VIRTIO_F_RING_RESET was negotiated. */
  resetQueue(index: number): void {
    const slot = this.#queues.at(index);
    if (slot === undefined) {
      this.#refuse(`reset of queue ${index}, which does not exist (§2.6)`);
    } else if (!(this.#driverFeatures & VIRTIO_F_RING_RESET)) {
      this.#refuse(`reset of queue ${index} without VIRTIO_F_RING_RESET (§2.6.1)`);
    } else {
      this.#stop(slot);
    }
  }

  #stop(slot: QueueSlot): void {
    if (slot.vq) this.options.onReset?.(slot.vq);
    this.#queues.drop(slot);
  }

  /**
   * The driver's notification: the value of QueueNotify (§4.2.3.3), with the queue's index in its
   * low 16 bits. Spurious ones, and those for queues that do not exist, do no harm (§2.7.10.2).
   */
  notify(value: number): void {
    const index = value & 0xffff;
    const slot = this.#queues.at(index);
    if (slot === undefined || slot.offer.maxSize === 0) {
      this.#refuse(`notification of queue ${index}, which does not exist (§2.6)`);
    } else if (!this.live) {
      this.#refuse(`notification of queue ${index} with status ${hex(this.#status)} (§3.1.1)`);
    } else if (slot.vq === undefined) {
      this.#refuse(`notification of queue ${index}, which is not enabled (§2.6)`);
    } else if (!slot.vq.broken) {
      this.options.onNotify(slot.vq);
    }
  }

  /** Maps the guest's memory anew for all queues. @throws RangeError if the table is unsound */
  setRegions(regions: readonly GuestRegion[]): void {
    this.#queues.setRegions(regions);
  }

  get regions(): readonly GuestRegion[] {
    return this.#queues.regions;
  }

  // ── suspend (virtio 1.4 §3.4) ──────────────────────────────────────────────────────────────

  #suspend(): void {
    const ready = STATUS_DRIVER_OK | STATUS_FEATURES_OK;
    if (!(this.#driverFeatures & VIRTIO_F_SUSPEND) || (this.#status & ready) !== ready) {
      this.#refuse("SUSPEND before the device runs, or without VIRTIO_F_SUSPEND (1.4 §3.4)");
      return;
    }
    if (this.#suspending) return;
    if (this.options.onSuspend?.() === false) {
      this.needsReset("the device cannot be suspended (1.4 §3.4.2)");
      return;
    }
    this.#suspending = true;
    this.#trySuspend();
  }

  /** Suspended only once all buffers that were taken are used (virtio 1.4 §3.4.2). */
  #trySuspend(): void {
    if (this.#queues.enabled().some((vq) => vq.inFlight > 0)) return;
    this.#suspending = false;
    this.#status = (this.#status & ~STATUS_DRIVER_OK) | STATUS_SUSPEND;
  }

  #resume(): void {
    if (this.options.onResume?.() === false) {
      this.needsReset("the device cannot go on (1.4 §3.4.2)");
      return;
    }
    this.#status = (this.#status & ~STATUS_SUSPEND) | STATUS_DRIVER_OK;
    if (this.#configChanged) this.options.interrupt(CONFIG_CHANGE);
    this.#configChanged = false;
    for (const vq of this.#queues.enabled()) if (!vq.broken) this.options.onNotify(vq);
  }

  // ── save and restore ───────────────────────────────────────────────────────────────────────

  /**
   * Saves a device that takes no buffers meanwhile, running or suspended.
   * @param inFlight the elements that device code holds of a queue, in the order of pop
   * @throws Error if those are not all of them
   */
  save(inFlight: (vq: DeviceQueue) => readonly VirtQueueElement[] = () => []): DeviceState {
    return {
      status: this.status,
      driverFeatures: this.#driverFeatures.toString(16),
      generation: this.generation,
      suspending: this.#suspending,
      configChanged: this.#configChanged,
      config: [...this.#config.bytes],
      queues: this.#queues.save(inFlight),
    };
  }

  /**
   * Goes on with a saved device's state in this one, which was made with the same options over the
   * same guest's memory.
   * @returns the elements in flight, by queue
   * @throws RangeError if the state does not fit what this device offers
   */
  restore(state: DeviceState): VirtQueueElement[][] {
    const features = BigInt(`0x${state.driverFeatures}`);
    if (features & ~this.options.features || state.queues.length !== this.queueCount) {
      throw new RangeError("the saved device had features or queues that this one has not");
    }
    if (state.config.length !== this.configBytes) {
      throw new RangeError(`the saved configuration has ${state.config.length} bytes`);
    }
    this.#queues.checkSaved(state.queues, features);
    this.reset();
    this.#status = state.status;
    this.#driverFeatures = features;
    this.#suspending = state.suspending;
    this.#configChanged = state.configChanged;
    this.#config.restore(state.config, state.generation);
    return this.#queues.restore(state.queues, features);
  }

  #refuse(message: string): void {
    this.options.log(message);
  }
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
