import type { OpenFile } from "../runtime/driver/index.ts";
import {
  ARG_RESPONSE,
  ARG_SIZE,
  COMMAND_CONTEXT_CREATE,
  CONTEXT_CREATE_CONTEXT,
  CONTEXT_CREATE_DEVICE,
  CONTEXT_CREATE_FLAGS,
  CONTEXT_PRIMARY,
  IOCTL_BASE,
  REQUEST_COMMAND,
  REQUEST_CONTEXT,
  REQUEST_FLAGS,
  REQUEST_SIZE,
  REQUEST_STREAM,
  RESPONSE_ERROR,
} from "../runtime/protocol/definitions.ts";
import {
  EBADF,
  EDEADLK,
  EFAULT,
  EINVAL,
  ENODEV,
  ENOMEM,
  ENOTSUP,
  ENOTTY,
  ETIMEDOUT,
} from "../runtime/protocol/errno.ts";
import {
  cudaErrorCudartUnloading,
  cudaErrorDevicesUnavailable,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorMemoryAllocation,
  cudaErrorNotPermitted,
  cudaErrorNotSupported,
  cudaErrorTimeout,
  cudaErrorUnknown,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { readU64, writeU64 } from "../runtime/protocol/fields.ts";
import { CAPTURE_GLOBAL } from "../runtime/protocol/graphs.ts";
import { CudaError } from "./errors.ts";
import { isU32 } from "./types.ts";

/** What a negative errno of the driver is for a CUDA program. */
const CUDA_OF_ERRNO = new Map<number, number>([
  [ENOTTY, cudaErrorNotSupported],
  [ENOTSUP, cudaErrorNotSupported],
  [ENOMEM, cudaErrorMemoryAllocation],
  [EINVAL, cudaErrorInvalidValue],
  [EFAULT, cudaErrorInvalidValue],
  [EBADF, cudaErrorCudartUnloading],
  [ENODEV, cudaErrorDevicesUnavailable],
  [EDEADLK, cudaErrorNotPermitted],
  [ETIMEDOUT, cudaErrorTimeout],
]);

/**
 * One device as one host thread sees it: the open file of the driver, which all devices of the thread
 * have in common, the primary context, and the argument buffer that its requests are built in.
 *
 * A request is made by `begin`, a `set…` for each field, and `send`; the answer's fields are then read
 * by `get…` until the next `begin`. Offsets are those of the protocol's definitions.
 */
export class DeviceFile {
  readonly file: OpenFile;
  /** Which of the host thread's devices this is, from 0. */
  readonly ordinal: number;
  /** What `cudaSetDeviceFlags` chose. */
  flags = 0;
  /** Of the host thread: which of its calls are refused while streams are captured. */
  captureMode: number = CAPTURE_GLOBAL;
  readonly #arg = new DataView(new ArrayBuffer(ARG_SIZE));
  readonly #request = new Uint8Array(this.#arg.buffer, 0, REQUEST_SIZE);
  #context = 0;
  #generation = 0;
  /** Where `send` puts a request instead of sending it. */
  #recorder: ((command: number, out: Uint8Array | undefined) => void) | undefined;

  constructor(file: OpenFile, ordinal: number) {
    this.file = file;
    this.ordinal = ordinal;
  }

  /** The primary context of this device, 0 before it was needed. */
  get context(): number {
    return this.#context;
  }

  /** Makes the primary context if there is none, with `cudaDeviceSchedule…` flags. */
  needContext(flags = 0): void {
    if (this.#context !== 0) return;
    this.beginWithout();
    this.setU32(CONTEXT_CREATE_FLAGS, CONTEXT_PRIMARY + flags);
    this.setU32(CONTEXT_CREATE_DEVICE, this.ordinal);
    this.check(COMMAND_CONTEXT_CREATE);
    this.#context = this.getU32(CONTEXT_CREATE_CONTEXT);
  }

  /** Counts resets: what was loaded or looked up in another generation is gone. */
  get generation(): number {
    return this.#generation;
  }

  /** Tells that all that the primary context held is gone. */
  wasReset(): void {
    this.#generation++;
  }

  /**
   * Begins a request of the primary context, which is made if need be.
   * @param stream handle of the stream that the command is ordered on
   * @throws CudaError cudaErrorInvalidResourceHandle if `stream` can't be a handle, or why there is no
   *   context
   */
  begin(stream = 0): this {
    const handle = handleOf(stream, cudaErrorInvalidResourceHandle);
    if (this.#context === 0) this.needContext();
    this.beginWithout();
    this.#arg.setUint32(REQUEST_CONTEXT, this.#context, true);
    this.#arg.setUint32(REQUEST_STREAM, handle, true);
    this.#arg.setUint32(REQUEST_FLAGS, this.captureMode, true);
    return this;
  }

  /** Begins a request that needs no context. */
  beginWithout(): this {
    // So few words are cleared faster than by a call.
    for (let at = 0; at < REQUEST_SIZE; at += 4) this.#arg.setUint32(at, 0, true);
    return this;
  }

  setU32(field: number, value: number): this {
    this.#arg.setUint32(field, value, true);
    return this;
  }

  setU64(field: number, value: number): this {
    writeU64(this.#arg, field, value);
    return this;
  }

  setF32(field: number, value: number): this {
    this.#arg.setFloat32(field, value, true);
    return this;
  }

  /**
   * Sends the request and waits for the answer.
   * @param command a `COMMAND_` number
   * @param out bytes that follow the request
   * @param into receives the bytes that follow the answer
   * @returns the `cudaError_t` of the device or, if the driver refused, the one that fits its errno
   */
  send(command: number, out?: Uint8Array, into?: Uint8Array): number {
    if (this.#recorder) {
      this.#recorder(command, out);
      return cudaSuccess;
    }
    const status = this.file.ioctl(IOCTL_BASE + command, this.#arg, out, into);
    if (status < 0) return CUDA_OF_ERRNO.get(-status) ?? cudaErrorUnknown;
    return this.getU32(RESPONSE_ERROR);
  }

  /**
   * Records the request that `body` makes, as a node of a graph has it: its fixed part and the bytes
   * that follow it.
   * @param body sends one request; what it needs to know beforehand must be asked outside of it
   * @throws CudaError if it returns an error
   */
  record(body: () => number): Uint8Array {
    let recorded: Uint8Array | undefined;
    this.#recorder = (command, out) => {
      this.#arg.setUint32(REQUEST_COMMAND, command, true);
      recorded = new Uint8Array(REQUEST_SIZE + (out?.length ?? 0));
      recorded.set(this.#request);
      if (out) recorded.set(out, REQUEST_SIZE);
    };
    try {
      const error = body();
      if (error !== cudaSuccess) throw new CudaError(error);
    } finally {
      this.#recorder = undefined;
    }
    if (!recorded) throw new CudaError(cudaErrorInvalidValue);
    return recorded;
  }

  /** `send`, for requests that must succeed. @throws CudaError */
  check(command: number, out?: Uint8Array, into?: Uint8Array): void {
    const error = this.send(command, out, into);
    if (error !== cudaSuccess) throw new CudaError(error);
  }

  /**
   * Sets a field to a handle.
   * @param error what is thrown if it is null, or can be no handle
   * @throws CudaError
   */
  setHandle(field: number, handle: number, error: number): this {
    if (handle === 0) throw new CudaError(error);
    return this.setU32(field, handleOf(handle, error));
  }

  getU32(field: number): number {
    return this.#arg.getUint32(ARG_RESPONSE + field, true);
  }

  getI32(field: number): number {
    return this.#arg.getInt32(ARG_RESPONSE + field, true);
  }

  getF32(field: number): number {
    return this.#arg.getFloat32(ARG_RESPONSE + field, true);
  }

  getU64(field: number): number {
    return readU64(this.#arg, ARG_RESPONSE + field);
  }

  /** A copy of `size` bytes of the answer. */
  getBytes(field: number, size: number): Uint8Array {
    return new Uint8Array(
      this.#arg.buffer.slice(ARG_RESPONSE + field, ARG_RESPONSE + field + size),
    );
  }
}

/**
 * A number as a handle: what it names is for the device to say.
 * @throws CudaError `error` if it can't be one
 */
export function handleOf(handle: number, error: number): number {
  if (!isU32(handle)) throw new CudaError(error);
  return handle;
}
