/** Whether the pool's workers should help with the launches of a kernel. */

/** Launches that are not compared: the engine is still optimising the code. */
const WARM_UP = 4;
/** Launches the other way after them: its code is new then. */
const OTHER_WAY = 2;
/** Of kernels with more atomic operations than this, by all of theirs, one thread alone makes the first launches. */
const MANY_ATOMICS = 1 / 16;
/** The other way is tried again after so many launches, and then after twice as many each time. */
const FIRST_RETRY = 16;
const LAST_RETRY = 1024;
/** How much worse an old best time is believed to be with each new one. */
const FORGET = 1.05;

/**
 * Threads that add to the same words take their cache lines away from each other all the time, and may
 * be slower together than one of them alone. Of a kernel with atomic operations on device memory both
 * ways are measured, and the faster one is kept.
 */
export class HelpPolicy {
  /** Best times lately of a block, ms: alone, and with help. */
  readonly #best: [alone: number, helped: number] = [0, 0];
  #launches = 0;
  #retry = FIRST_RETRY;
  #retryAt = WARM_UP + OTHER_WAY + FIRST_RETRY;

  readonly #first: boolean;

  /** @param atomics the part of the kernel's operations that are atomic */
  constructor(atomics: number) {
    this.#first = atomics <= MANY_ATOMICS;
  }

  /** May workers take part in the launch that begins? */
  wanted(): boolean {
    if (this.#launches < WARM_UP) return this.#first;
    if (this.#launches < WARM_UP + OTHER_WAY) return !this.#first;
    const [alone, helped] = this.#best;
    const help = helped === 0 || helped <= alone;
    return this.#launches === this.#retryAt ? !help : help;
  }

  /**
   * Hears how a launch went that was long enough for help.
   * @param ms how long it took
   * @param blocks of its grid
   * @param helped whether workers were asked at its beginning
   */
  ran(ms: number, blocks: number, helped: boolean): void {
    const which = helped ? 1 : 0;
    if (this.#launches >= WARM_UP - 1) {
      const time = ms / blocks;
      const before = this.#best[which];
      this.#best[which] = before === 0 ? time : Math.min(time, before * FORGET);
    }
    if (this.#launches === this.#retryAt) {
      this.#retry = Math.min(2 * this.#retry, LAST_RETRY);
      this.#retryAt += this.#retry;
    }
    this.#launches++;
  }
}
