import type { DriverOptions } from "../runtime/driver/index.ts";
import {
  attachMachine,
  createMachine,
  type Machine,
  type MachineHandle,
  type MachineOptions,
} from "../runtime/machine.ts";
import { MAX_MEMORY_BYTES, POINTER_BASE } from "../runtime/memory/index.ts";
import { FIRST_HANDLE } from "../runtime/protocol/definitions.ts";
import {
  cudaErrorInitializationError,
  cudaErrorInvalidDevice,
  cudaErrorInvalidResourceHandle,
  cudaErrorNoDevice,
  cudaErrorNotPermitted,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { HostCalls } from "./callbacks.ts";
import { DeviceFile, HANDLE_SPAN } from "./device-file.ts";
import { CudaError, isSticky } from "./errors.ts";
import type { LaunchConfiguration } from "./launch.ts";
import { Registry } from "./registry.ts";
import { defaultOutput } from "./stdout.ts";
import type { CudaPointer, CudaStream } from "./types.ts";

/** What can be chosen about a host thread: where text goes, its id. */
export type ThreadOptions = Omit<DriverOptions, "hostCall">;

/** What can be chosen when CUDA is started in a thread. */
export interface CudaOptions extends MachineOptions, ThreadOptions {
  /** Number of devices (each a machine of its own); 1 unless given. */
  readonly devices?: number;
}

/** What another JavaScript thread needs to use the same devices; structured-cloneable. */
export interface CudaHandle {
  readonly machines: readonly MachineHandle[];
}

/**
 * A host thread of CUDA: what the C library keeps in thread-local memory (the current device, the
 * last error, the launch being configured), its open files of the devices, and the kernels that the
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
  /** Hints that were given about streams, by stream and attribute. */
  readonly streamAttributes = new Map<CudaStream, Map<number, unknown>>();
  /** The fat binaries, kernels and variables of the program. */
  readonly registry = new Registry();
  readonly devices: readonly DeviceFile[];
  readonly #machines: readonly Machine[];
  #open = true;

  /** Use `openCuda` or `attachCuda`. */
  constructor(machines: readonly Machine[], options: ThreadOptions) {
    this.#machines = machines;
    this.devices = machines.map((machine, ordinal) => {
      const file = machine.open(this.#callbacks(options, () => this.devices[ordinal]));
      return new DeviceFile(file, ordinal);
    });
  }

  /** What the driver calls back, with the guard around it. */
  #callbacks(options: ThreadOptions, device: () => DeviceFile | undefined): DriverOptions {
    const { hostCalls } = this;
    const { stdout = defaultOutput(1), stderr = defaultOutput(2), fault } = options;
    return {
      ...options,
      stdout: (text) => hostCalls.guard(() => stdout(text)),
      stderr: (text) => hostCalls.guard(() => stderr(text)),
      fault: (error, text) => hostCalls.guard(() => fault?.(error, text)),
      hostCall: (ticket, error, stream) =>
        hostCalls.run(ticket, error, device()?.handleOf(stream) ?? stream),
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

  /**
   * The device whose memory an address is in: each has a range of 4 GiB of its own. An address that is
   * in none is left to the current device to refuse.
   * @throws CudaError as `device`
   */
  deviceOf(address: CudaPointer): DeviceFile {
    const device = this.device();
    if (this.devices.length === 1 || device.hasAddress(address)) return device;
    return this.devices.find((other) => other.hasAddress(address)) ?? device;
  }

  /**
   * The device that a handle is of; the current one for the default streams.
   * @param error what is thrown if it is of none
   * @throws CudaError
   */
  deviceOfHandle(handle: number, error: number = cudaErrorInvalidResourceHandle): DeviceFile {
    if (typeof handle !== "number") throw new CudaError(error);
    if (handle < HANDLE_SPAN || this.devices.length === 1) {
      return handle < FIRST_HANDLE ? this.device() : (this.devices[0] ?? this.device());
    }
    const device = this.devices[Math.floor(handle / HANDLE_SPAN)];
    if (!device) throw new CudaError(error);
    return device;
  }

  /** Whether `close` has not been called. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Handle of these devices for `attachCuda` in another JavaScript thread. */
  get handle(): CudaHandle {
    return { machines: this.#machines.map((machine) => machine.handle) };
  }

  /**
   * Ends the host thread: its open files are released (the devices free what it left), and its
   * machines are closed. Idempotent.
   */
  close(): void {
    this.#open = false;
    if (current === this) current = undefined;
    for (const device of this.devices) device.file.release();
    for (const machine of this.#machines) machine.close();
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
  const { devices = 1, ...rest } = options;
  return begin(devices, rest, (index) => {
    // Each device's addresses are a range of their own, so that an address tells its device.
    const pointerBase = (rest.pointerBase ?? POINTER_BASE) + index * MAX_MEMORY_BYTES;
    return createMachine({ ...rest, index: (rest.index ?? 0) + index, pointerBase });
  });
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
  return begin(handle.machines.length, options, (index) =>
    attachMachine(handle.machines[index] as MachineHandle),
  );
}

/** Makes the machines and a host thread of them; if one fails, those before it are closed. */
async function begin(
  count: number,
  options: ThreadOptions,
  make: (index: number) => Promise<Machine>,
): Promise<HostThread> {
  const machines: Machine[] = [];
  try {
    for (let index = 0; index < count; index++) machines.push(await make(index));
    current = new HostThread(machines, options);
    return current;
  } catch (error) {
    for (const machine of machines) machine.close();
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
