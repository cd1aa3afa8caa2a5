import type { CudaMemcpy3DParms } from "./pitched.ts";

/** A function of the host that waits for its turn in a stream. */
export type HostCall = (error: number, stream: number) => void;

/** A function of the program, and what it is called with. */
export interface HostFunction {
  readonly fn: (userData: unknown) => void;
  readonly userData: unknown;
  /** It is a copy of memory that the device does not know. */
  readonly copied?: CudaMemcpy3DParms;
}

/**
 * What a host thread's drivers call back: functions in streams, and the receivers of printed text.
 * While one runs, CUDA calls are not permitted: the answer of the call that it interrupts is still in
 * the argument buffer.
 */
export class HostCalls {
  readonly #waiting = new Map<number, { fn: HostCall; once: boolean; given: HostFunction }>();
  /** No two host threads have the same: a graph may be launched by another one than gave the function. */
  #next = 2 ** 32 * Math.floor(1 + Math.random() * 2 ** 19);
  #depth = 0;

  /** Whether a callback is running. */
  get running(): boolean {
    return this.#depth > 0;
  }

  /**
   * Keeps a function.
   * @param once false for a node of a graph, which may be launched any number of times
   * @param given what the program gave, for those who ask a node for it
   * @returns its ticket
   */
  add(fn: HostCall, once: boolean, given: HostFunction): number {
    const ticket = this.#next++;
    this.#waiting.set(ticket, { fn, once, given });
    return ticket;
  }

  /** What the program gave for a ticket. */
  given(ticket: number): HostFunction | undefined {
    return this.#waiting.get(ticket)?.given;
  }

  /** Forgets a function that won't be called. */
  delete(ticket: number): void {
    this.#waiting.delete(ticket);
  }

  /** Calls the function with that ticket. */
  run(ticket: number, error: number, stream: number): void {
    const waiting = this.#waiting.get(ticket);
    if (!waiting) {
      this.guard(() => {
        throw new Error("a graph's function or copy belongs to another JavaScript thread");
      });
      return;
    }
    if (waiting.once) this.#waiting.delete(ticket);
    this.guard(() => waiting.fn(error, stream));
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
