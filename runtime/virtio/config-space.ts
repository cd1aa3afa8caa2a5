// A device's configuration space (virtio 1.3 §2.5): its bytes, and which version of them it is.

/** The bytes that the driver reads, and a number that changes with them. */
export class ConfigSpace {
  #bytes: Uint8Array;
  #generation = 0;

  /** @param bytes at the start; they are copied */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice();
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Changes whenever two reads could see different versions (§2.5). */
  get generation(): number {
    return this.#generation;
  }

  /** Fills `target`; bytes beyond the end are 0. */
  read(offset: number, target: Uint8Array): void {
    target.fill(0);
    if (offset < this.#bytes.length) {
      target.set(this.#bytes.subarray(offset, offset + target.length));
    }
  }

  /** Changes bytes. @throws RangeError if they are not all inside */
  write(offset: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, offset);
    this.#generation = (this.#generation + 1) >>> 0;
  }

  /** Goes on with another one's bytes and number. */
  restore(bytes: readonly number[], generation: number): void {
    this.#bytes = new Uint8Array(bytes);
    this.#generation = generation;
  }
}
