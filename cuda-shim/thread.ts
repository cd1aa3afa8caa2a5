import type { DriverOptions, OpenFile } from "../runtime/driver/index.ts";
import {
  attachMachine,
  createMachine,
  type Machine,
  type MachineHandle,
  type MachineOptions,
} from "../runtime/machine.ts";
import { FIRST_HANDLE } from "../runtime/protocol/definitions.ts";
import {
  cudaErrorInitializationError,
  cudaErrorInvalidDevice,
  cudaErrorInvalidResourceHandle,
  cudaErrorNoDevice,
  cudaErrorNotPermitted,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { CAPTURE_GLOBAL } from "../runtime/protocol/graphs.ts";
import { COMMAND_STREAM_INFO, STREAM_INFO_DEVICE } from "../runtime/protocol/streams.ts";
import { Advice } from "./advice.ts";
import { HostCalls } from "./callbacks.ts";
import { DeviceFile, handleOf } from "./device-file.ts";
import { CudaError, isSticky } from "./errors.ts";
import { HeldObjects } from "./held-objects.ts";
import type { LaunchConfiguration } from "./launch.ts";
import { Registry } from "./registry.ts";
import { defaultOutput } from "./stdout.ts";
import { type CudaStream, isU32 } from "./types.ts";

/** Of how many streams a thread remembers the device, at most. */
const KNOWN_STREAMS = 4096;

/** What can be chosen about a host thread: where text goes, its id. */
export type ThreadOptions = Omit<DriverOptions, "hostCall">;

/** What can be chosen when CUDA is started in a thread. */
export interface CudaOptions extends MachineOptions, ThreadOptions {}

/** What another JavaScript thread needs to use the same devices; structured-cloneable. */
export interface CudaHandle {
  /** Undefined if there are no devices. */
  readonly machine: MachineHandle | undefined;
}

/**
 * A host thread of CUDA: what the C library keeps in thread-local memory (the current device, the
 * last error, the launch being configured), its open file of the devices, and the kernels that the
 * program registered. A JavaScript thread has one as a rule; it may have more, and chooses by
 * `useThread`.
 */
export class HostThread {
  /** Ordinal of the current device. */
  current = 0;
  /** What `cudaPeekAtLastError` answers. */
  lastError: number = cudaSuccess;
  /** What the last failing call was doing, or what the device said about it; may be empty. */
  detail = "";
  /** Launches being configured, innermost last. */
  readonly configurations: LaunchConfiguration[] = [];
  /** Functions of the host that wait in streams. */
  readonly hostCalls = new HostCalls();
  /** What was said of managed memory. */
  readonly advice = new Advice();
  /** Objects that graphs may hold. */
  readonly userObjects = new HeldObjects((body) => this.hostCalls.guard(body));
  /** Which calls it may make while streams are captured (`cudaStreamCaptureMode…`). */
  get captureMode(): number {
    return this.#captureMode;
  }
  set captureMode(mode: number) {
    this.#captureMode = mode;
    for (const device of this.devices) device.captureMode = mode;
  }
  #captureMode: number = CAPTURE_GLOBAL;
  /** The fat binaries, kernels and variables of the program. */
  readonly registry = new Registry();
  readonly devices: readonly DeviceFile[];
  /** How many captures it has begun and not ended. */
  captures = 0;
  /** Streams whose device is known. */
  readonly streamDevices = new Map<CudaStream, DeviceFile>();
  readonly #machine: Machine | undefined;
  readonly #file: OpenFile | undefined;
  #open = true;

  /** Use `openCuda` or `attachCuda`. */
  constructor(machine: Machine | undefined, options: ThreadOptions) {
    this.#machine = machine;
    const file = machine?.open(this.#callbacks(options));
    this.#file = file;
    this.devices = file
      ? Array.from({ length: machine?.devices ?? 0 }, (_, ordinal) => new DeviceFile(file, ordinal))
      : [];
  }

  /** What the driver calls back, with the guard around it. */
  #callbacks(options: ThreadOptions): DriverOptions {
    const { hostCalls } = this;
    const { stdout = defaultOutput(1), stderr = defaultOutput(2), fault } = options;
    return {
      ...options,
      stdout: (text) => hostCalls.guard(() => stdout(text)),
      stderr: (text) => hostCalls.guard(() => stderr(text)),
      fault: (error, text) => hostCalls.guard(() => fault?.(error, text)),
      hostCall: (ticket, error, stream) => hostCalls.run(ticket, error, stream),
    };
  }

  /**
   * The current device.
   * @throws CudaError (cudaErrorNoDevice, cudaErrorInvalidDevice)
   */
  device(): DeviceFile {
    const device = this.devices[this.current];
    if (device) return device;
    throw new CudaError(this.devices.length === 0 ? cudaErrorNoDevice : cudaErrorInvalidDevice);
  }

  /** A device by its ordinal, if there is one. */
  deviceAt(ordinal: number): DeviceFile | undefined {
    return isU32(ordinal) ? this.devices[ordinal] : undefined;
  }

  /**
   * The device that a stream's kernels run on, whichever is current: that of the stream.
   * @throws CudaError if there is no current device, or what the device says of the stream
   */
  deviceOf(stream: CudaStream): DeviceFile {
    const device = this.device();
    if (this.devices.length === 1) return device;
    if (handleOf(stream, cudaErrorInvalidResourceHandle) < FIRST_HANDLE) return device;
    const known = this.streamDevices.get(stream);
    if (known) return known;
    device.begin(stream).check(COMMAND_STREAM_INFO);
    const owner = this.devices[device.getU32(STREAM_INFO_DEVICE)] ?? device;
    // Streams may end in other threads, which doesn't come to be known here.
    if (this.streamDevices.size >= KNOWN_STREAMS) this.streamDevices.clear();
    this.streamDevices.set(stream, owner);
    return owner;
  }

  /** Whether `close` has not been called. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Handle of these devices for `attachCuda` in another JavaScript thread. */
  get handle(): CudaHandle {
    return { machine: this.#machine?.handle };
  }

  /**
   * Ends the host thread: its open file is released (the devices free what it left), and its
   * machine is closed. Idempotent.
   */
  close(): void {
    this.#open = false;
    if (current === this) current = undefined;
    this.#file?.release();
    this.#machine?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The host thread that the calls by CUDA's own names act for. */
let current: HostThread | undefined;

/**
 * Starts CUDA: makes the devices and a host thread for this JavaScript thread, and makes that the
 * current one.
 *
 * @param options sizes of the devices, where printed text goes, this thread's id
 * @returns the host thread; `close` it, or hold it by `using`
 * @throws RangeError if the sizes don't fit; Error if the WebAssembly of the core can't be loaded
 */
export async function openCuda(options: CudaOptions = {}): Promise<HostThread> {
  return begin(options.devices === 0 ? undefined : await createMachine(options), options);
}

/**
 * Attaches this JavaScript thread (a Worker, as a rule) to the devices of another, with queues of its
 * own, and makes the new host thread the current one.
 *
 * @param handle what `HostThread.handle` gave in the other thread; its devices run in Workers
 *   (`device: "worker"`)
 */
export async function attachCuda(
  handle: CudaHandle,
  options: ThreadOptions = {},
): Promise<HostThread> {
  const { machine } = handle;
  return begin(machine && (await attachMachine(machine)), options);
}

/** Makes a host thread of a machine, which is closed if that fails. */
function begin(machine: Machine | undefined, options: ThreadOptions): HostThread {
  try {
    current = new HostThread(machine, options);
    return current;
  } catch (error) {
    machine?.close();
    throw error;
  }
}

/**
 * Makes `thread` the one that calls by CUDA's own names act for.
 * @returns the one before
 */
export function useThread(thread: HostThread | undefined): HostThread | undefined {
  const before = current;
  current = thread;
  return before;
}

/** The current host thread, if CUDA has been started. */
export function currentThread(): HostThread | undefined {
  return current;
}

/**
 * Runs the body of an API function and keeps its error as the thread's last one.
 * @param body gets the host thread; returns a `cudaError_t`, or throws a CudaError
 * @returns the `cudaError_t`; cudaErrorInitializationError if CUDA has not been started,
 *   cudaErrorNotPermitted in a callback
 */
export function call(body: (thread: HostThread) => number): number {
  const thread = current;
  if (!thread) return cudaErrorInitializationError;
  if (thread.hostCalls.running) return cudaErrorNotPermitted;
  try {
    const error = body(thread);
    if (error !== cudaSuccess) {
      thread.lastError = error;
      thread.detail = "";
    }
    return error;
  } catch (failure) {
    if (!(failure instanceof CudaError)) throw failure;
    thread.lastError = failure.code;
    thread.detail = failure.detail;
    return failure.code;
  }
}

/**
 * The last error of this host thread, which is then forgotten unless it is one that stays on the
 * context (a kernel's fault).
 */
export function cudaGetLastError(): number {
  if (!current) return cudaErrorInitializationError;
  const error = current.lastError;
  if (!isSticky(error)) current.lastError = cudaSuccess;
  return error;
}

/** The last error of this host thread, which is kept. */
export function cudaPeekAtLastError(): number {
  return current ? current.lastError : cudaErrorInitializationError;
}
