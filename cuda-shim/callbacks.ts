/** A function of the host that waits for its turn in a stream. */
export type HostCall = (error: number, stream: number) => void;

/**
 * What a host thread's drivers call back: functions in streams, and the receivers of printed text.
 * While one runs, CUDA calls are not permitted: the answer of the call that it interrupts is still in
 * the argument buffer.
 */
export class HostCalls {
  readonly #waiting = new Map<number, HostCall>();
  #next = 1;
  #depth = 0;

  /** Whether a callback is running. */
  get running(): boolean {
    return this.#depth > 0;
  }

  /** Keeps a function. @returns its ticket */
  add(fn: HostCall): number {
    const ticket = this.#next++;
    this.#waiting.set(ticket, fn);
    return ticket;
  }

  /** Forgets a function that won't be called. */
  delete(ticket: number): void {
    this.#waiting.delete(ticket);
  }

  /** Calls the function with that ticket, once. */
  run(ticket: number, error: number, stream: number): void {
    const fn = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (fn) this.guard(() => fn(error, stream));
  }

  /**
   * Runs a callback. What it throws is reported as uncaught, later: it must not come out of the driver
   * in the middle of a request.
   */
  guard(body: () => void): void {
    this.#depth++;
    try {
      body();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    } finally {
      this.#depth--;
    }
  }
}
