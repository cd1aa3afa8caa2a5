/** The transport to a device in a Worker: registers in shared memory, doorbells by Atomics. */
import type { QueueAddresses, Transport } from "../driver/index.ts";
import { MAX_QUEUE_GROUPS, QUEUES_PER_GROUP } from "../protocol/definitions.ts";
import * as R from "./registers.ts";

/** See Transport. */
export class SharedTransport implements Transport {
  readonly group: number;
  readonly concurrent = true;
  readonly #registers: Int32Array<SharedArrayBuffer>;
  #seen = 0;
  #interrupt: (index: number) => void = () => {};

  /**
   * Takes a queue group of the device.
   * @param registers the machine's registers
   * @throws Error if all groups are taken
   */
  constructor(registers: Int32Array<SharedArrayBuffer>) {
    this.#registers = registers;
    this.group = -1;
    for (let group = 0; group < MAX_QUEUE_GROUPS && this.group < 0; group++) {
      if (Atomics.compareExchange(registers, R.GROUP_TAKEN + group, 0, 1) === 0) this.group = group;
    }
    if (this.group < 0) throw new Error(`all ${MAX_QUEUE_GROUPS} queue groups are in use`);
    this.#seen = Atomics.load(registers, R.GROUP_BELL + this.group);
  }

  deviceFeatures(): bigint {
    return features(this.#mail(R.OP_DEVICE_FEATURES), 0);
  }

  negotiated(): bigint | undefined {
    const words = this.#mail(R.OP_NEGOTIATED);
    return words[0] === 0 ? undefined : features(words, 1);
  }

  setDriverFeatures(value: bigint): void {
    this.#mail(R.OP_DRIVER_FEATURES, Number(value & 0xffffffffn), Number(value >> 32n));
  }

  status(): number {
    return Atomics.load(this.#registers, R.STATUS);
  }

  setStatus(status: number): void {
    this.#mail(R.OP_STATUS, status);
  }

  readConfig(target: Uint8Array): void {
    const words = this.#mail(R.OP_CONFIG);
    target.set(new Uint8Array(words.buffer, 0, target.length));
  }

  queueMaxSize(index: number): number {
    return this.#mail(R.OP_QUEUE_SIZE, index)[0]!;
  }

  enableQueue(index: number, size: number, { desc, driver, device }: QueueAddresses): void {
    this.#mail(R.OP_ENABLE, index, size, desc, driver, device);
  }

  resetQueue(index: number): void {
    this.#mail(R.OP_RESET, index);
  }

  notify(index: number): boolean {
    const registers = this.#registers;
    if (Atomics.load(registers, R.STOP) !== 0) return false;
    Atomics.or(registers, R.NOTIFIED, 1 << index);
    this.#ring();
    return true;
  }

  onInterrupt(callback: (index: number) => void): void {
    this.#interrupt = callback;
  }

  wait(): boolean {
    const registers = this.#registers;
    const bell = R.GROUP_BELL + this.group;
    let spins = 0;
    while (Atomics.load(registers, bell) === this.#seen) {
      if (Atomics.load(registers, R.STOP) !== 0) return false;
      if (++spins > R.SPIN_ROUNDS) Atomics.wait(registers, bell, this.#seen);
    }
    this.#seen = Atomics.load(registers, bell);
    this.#interrupt(this.group * QUEUES_PER_GROUP);
    return true;
  }

  /** Gives the queue group back for another thread. */
  close(): void {
    Atomics.store(this.#registers, R.GROUP_TAKEN + this.group, 0);
  }

  #ring(): void {
    Atomics.add(this.#registers, R.BELL, 1);
    Atomics.notify(this.#registers, R.BELL);
  }

  /** One register access, carried out by the device's thread. @returns a copy of the results */
  #mail(operation: number, ...args: number[]): Uint32Array<ArrayBuffer> {
    const registers = this.#registers;
    while (Atomics.compareExchange(registers, R.LOCK, 0, 1) !== 0) {
      Atomics.wait(registers, R.LOCK, 1, 10);
    }
    try {
      args.forEach((value, i) => {
        Atomics.store(registers, R.WORDS + i, value | 0);
      });
      Atomics.store(registers, R.OPERATION, operation);
      Atomics.store(registers, R.MAIL, R.MAIL_REQUEST);
      this.#ring();
      while (Atomics.load(registers, R.MAIL) !== R.MAIL_ANSWER) {
        if (Atomics.load(registers, R.STOP) !== 0) break;
        Atomics.wait(registers, R.MAIL, R.MAIL_REQUEST, 50);
      }
      Atomics.store(registers, R.MAIL, R.MAIL_FREE);
      return new Uint32Array(registers.slice(R.WORDS, R.WORDS + R.WORD_COUNT));
    } finally {
      Atomics.store(registers, R.LOCK, 0);
      Atomics.notify(registers, R.LOCK, 1);
    }
  }
}

function features(words: Uint32Array, at: number): bigint {
  return BigInt(words[at]!) | (BigInt(words[at + 1]!) << 32n);
}
