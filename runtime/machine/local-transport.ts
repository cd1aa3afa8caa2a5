/** The transport to a device in this thread: calls instead of registers, a kick runs the device. */
import type { VirtioGpu } from "../device/virtio-gpu.ts";
import type { QueueAddresses, Transport } from "../driver/transport.ts";

/** See Transport. */
export class LocalTransport implements Transport {
  readonly group: number;
  readonly concurrent = false;
  readonly #gpu: VirtioGpu;
  #interrupt: (index: number) => void = () => {};

  /**
   * @param gpu the device
   * @param group the queue group to drive
   */
  constructor(gpu: VirtioGpu, group = 0) {
    this.#gpu = gpu;
    this.group = group;
  }

  deviceFeatures(): bigint {
    return this.#gpu.virtio.deviceFeatures;
  }

  negotiated(): bigint | undefined {
    return undefined;
  }

  setDriverFeatures(features: bigint): void {
    this.#gpu.virtio.setDriverFeatures(features);
  }

  status(): number {
    return this.#gpu.virtio.status;
  }

  setStatus(status: number): void {
    this.#gpu.virtio.writeStatus(status);
  }

  readConfig(target: Uint8Array): void {
    this.#gpu.virtio.readConfig(0, target);
  }

  queueMaxSize(index: number): number {
    return this.#gpu.virtio.queueMaxSize(index);
  }

  enableQueue(index: number, size: number, addresses: QueueAddresses): void {
    this.#gpu.virtio.setQueue(index, { size, ...addresses });
    this.#gpu.virtio.enableQueue(index);
  }

  resetQueue(index: number): void {
    this.#gpu.virtio.resetQueue(index);
  }

  notify(index: number, data: number = index): boolean {
    this.#gpu.virtio.notify(data);
    return true;
  }

  onInterrupt(callback: (index: number) => void): void {
    this.#interrupt = callback;
  }

  /** The device's notification, from VirtioGpuOptions.interrupt. */
  interrupt(index: number): void {
    this.#interrupt(index);
  }

  wait(): boolean {
    // All that the device could do was done inside the kick.
    return false;
  }
}
