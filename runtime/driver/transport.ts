/** What the driver needs of a virtio transport (virtio 1.3 §4 gives three; these are ours). */

/** Addresses of a queue's three areas, in guest physical memory. */
export interface QueueAddresses {
  readonly desc: number;
  readonly driver: number;
  readonly device: number;
}

/** The way from one host thread's driver to the device. */
export interface Transport {
  /** The thread's queue group, of MAX_QUEUE_GROUPS. */
  readonly group: number;
  /** The device runs beside the driver: there is something to gain by not waiting for it. */
  readonly concurrent: boolean;
  /** Features that the device offers. */
  deviceFeatures(): bigint;
  /** Features that were negotiated before this thread came, or undefined if it is the first. */
  negotiated(): bigint | undefined;
  setDriverFeatures(features: bigint): void;
  status(): number;
  setStatus(status: number): void;
  /** Copies the config space, consistently (§2.5.1). */
  readConfig(target: Uint8Array): void;
  queueMaxSize(index: number): number;
  enableQueue(index: number, size: number, addresses: QueueAddresses): void;
  /** Takes the queue out of use (§2.6.1). */
  resetQueue(index: number): void;
  /** Notifies the device of new buffers. @returns false if the device is gone */
  notify(index: number): boolean;
  /** Sets what is called when the device has used buffers of a queue. */
  onInterrupt(callback: (index: number) => void): void;
  /**
   * Waits until the device has used buffers or its configuration changed.
   * @returns false if nothing can ever come: the device runs in this thread and has nothing to do
   */
  wait(): boolean;
}
