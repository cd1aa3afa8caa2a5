/**
 * A notification between two threads over one shared memory: a counter that only grows. The one who
 * waits remembers the count it saw before it looked at the queue, so that a ring in between is not
 * lost. Waking costs microseconds, so a waiter spins a little before it sleeps.
 */
export class Doorbell {
  readonly #words: Int32Array;

  /**
   * @param memory shared linear memory
   * @param address linear address of a word, 4-aligned, 0 at start
   */
  constructor(memory: WebAssembly.Memory, address: number) {
    this.#words = new Int32Array(memory.buffer, address, 1);
  }

  /** The count now, for `wait`. */
  get count(): number {
    return Atomics.load(this.#words, 0);
  }

  /** Rings: wakes who waits, or keeps the next one from waiting. */
  ring(): void {
    Atomics.add(this.#words, 0, 1);
    Atomics.notify(this.#words, 0);
  }

  /**
   * Waits for a ring after `seen`; where the thread may not block (a browser's main thread) it
   * throws, as Atomics.wait does.
   * @param seen a count from before the queue was last looked at
   * @param timeoutMs at most this long; forever by default
   * @param spins loads before going to sleep
   * @returns false after the time
   */
  wait(seen: number, timeoutMs: number = Number.POSITIVE_INFINITY, spins = 200): boolean {
    for (let i = 0; i < spins; i++) {
      if (Atomics.load(this.#words, 0) !== seen) return true;
    }
    return Atomics.wait(this.#words, 0, seen, timeoutMs) !== "timed-out";
  }
}
