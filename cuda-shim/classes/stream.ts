import { cudaErrorNotReady, cudaSuccess } from "../../runtime/protocol/errors.ts";
import { cudaStreamNonBlocking } from "../constants.ts";
import {
  cudaEventCreate,
  cudaEventDestroy,
  cudaEventElapsedTime,
  cudaEventQuery,
  cudaEventRecord,
  cudaEventSynchronize,
} from "../event.ts";
import { cudaLaunchHostFunc } from "../host-call.ts";
import {
  cudaStreamCreateWithPriority,
  cudaStreamDestroy,
  cudaStreamQuery,
  cudaStreamSynchronize,
  cudaStreamWaitEvent,
} from "../stream.ts";
import type { HostThread } from "../thread.ts";
import type { CudaEvent, CudaStream } from "../types.ts";
import { check, disposeQuietly } from "./check.ts";

/** What can be chosen about a stream. */
export interface StreamOptions {
  /** Whether it does not wait for the default stream, nor that for it. */
  readonly nonBlocking?: boolean;
  /** Lower numbers first; 0 unless given. */
  readonly priority?: number;
}

/** An order of work beside others: launches in one stream follow one another. */
export class Stream {
  /** The handle, for calls by CUDA's own names. */
  readonly handle: CudaStream;
  readonly #thread: HostThread;
  #ended = false;

  /** Use `device.createStream`. */
  constructor(thread: HostThread, options: StreamOptions) {
    const stream = { value: 0 };
    const flags = options.nonBlocking ? cudaStreamNonBlocking : 0;
    check(thread, "createStream", () =>
      cudaStreamCreateWithPriority(stream, flags, options.priority ?? 0),
    );
    this.#thread = thread;
    this.handle = stream.value;
  }

  /** Waits for the work that is in the stream. @throws CudaError with the fault of a kernel */
  synchronize(): void {
    check(this.#thread, "synchronize", () => cudaStreamSynchronize(this.handle));
  }

  /** Whether the work that is in the stream is done. */
  get idle(): boolean {
    return isReady(this.#thread, () => cudaStreamQuery(this.handle));
  }

  /** Makes later work wait for an event. */
  wait(event: Event): this {
    check(this.#thread, "wait", () => cudaStreamWaitEvent(this.handle, event.handle));
    return this;
  }

  /** Calls a function when the work that is in the stream is done; it must not use the device. */
  call(run: () => void): this {
    check(this.#thread, "call", () => cudaLaunchHostFunc(this.handle, run));
    return this;
  }

  /** Ends the stream; work that is in it still runs. */
  destroy(): void {
    check(this.#thread, "destroy", () => cudaStreamDestroy(this.handle));
    this.#ended = true;
  }

  /** Ends the stream unless that was done, the device is closed, or a fault has taken it. */
  [Symbol.dispose](): void {
    if (!this.#ended) disposeQuietly(this.#thread, () => this.destroy());
  }
}

/** A point in a stream: reached when the work before it is done. */
export class Event {
  /** The handle, for calls by CUDA's own names. */
  readonly handle: CudaEvent;
  readonly #thread: HostThread;
  #ended = false;

  /** Use `device.createEvent`. */
  constructor(thread: HostThread) {
    const event = { value: 0 };
    check(thread, "createEvent", () => cudaEventCreate(event));
    this.#thread = thread;
    this.handle = event.value;
  }

  /** Puts the event behind the work that is in a stream (the default stream unless given). */
  record(stream?: Stream): this {
    check(this.#thread, "record", () => cudaEventRecord(this.handle, stream?.handle ?? 0));
    return this;
  }

  /** Waits until the event is reached. @throws CudaError with the fault of a kernel */
  synchronize(): void {
    check(this.#thread, "synchronize", () => cudaEventSynchronize(this.handle));
  }

  /** Whether the event is reached, or was never recorded. */
  get reached(): boolean {
    return isReady(this.#thread, () => cudaEventQuery(this.handle));
  }

  /** Milliseconds from an earlier event to this one. @throws CudaError if one isn't reached yet */
  since(start: Event): number {
    const ms = { value: 0 };
    check(this.#thread, "since", () => cudaEventElapsedTime(ms, start.handle, this.handle));
    return ms.value;
  }

  /** Ends the event. */
  destroy(): void {
    check(this.#thread, "destroy", () => cudaEventDestroy(this.handle));
    this.#ended = true;
  }

  /** Ends the event unless that was done, the device is closed, or a fault has taken it. */
  [Symbol.dispose](): void {
    if (!this.#ended) disposeQuietly(this.#thread, () => this.destroy());
  }
}

/** Asks; "not yet" is an answer and no error, and not the thread's last error either. */
function isReady(thread: HostThread, query: () => number): boolean {
  const before = thread.lastError;
  let ready = true;
  check(thread, "query", () => {
    const error = query();
    if (error !== cudaErrorNotReady) return error;
    thread.lastError = before;
    ready = false;
    return cudaSuccess;
  });
  return ready;
}
