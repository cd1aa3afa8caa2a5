/** Machines: guest memory, the vGPU and its driver, as one host thread sees them. */
import type { DeviceDescription } from "../device/properties.ts";
import { DriverModule, type DriverOptions, type OpenFile, openFile } from "../driver/index.ts";
import {
  GuestMemory,
  type MemoryMap,
  memoryMap,
  POINTER_BASE,
  WASM_PAGE_BYTES,
} from "../memory/index.ts";
import { MAX_DEVICES } from "../protocol/definitions.ts";
import { loadCore } from "../virtio/index.ts";
import { interruptGroup } from "./device-loop.ts";
import { groupLayout } from "./layout.ts";
import { type ExecutionOptions, loadExecutor } from "./load-executor.ts";
import * as R from "./registers.ts";
import { SharedTransport } from "./shared-transport.ts";
import { startThread } from "./threads.ts";

/** Longer than any kernel should take, and shorter than for ever. */
const DEFAULT_TIMEOUT_MS = 600_000;

/** What can be chosen about a machine. */
export interface MachineOptions extends ExecutionOptions {
  /** "inline" (the default): the device runs in this thread, inside the kick. "worker": in its own. */
  readonly device?: "inline" | "worker";
  /** How many devices it is, all alike, 1 unless given; for openCuda 0, too. */
  readonly devices?: number;
  /** Bytes of memory of each device; by default all that 4 GiB leave. It is taken as it is needed. */
  readonly memoryBytes?: number;
  /** Streaming multiprocessors that the device says it has; 16 by default. */
  readonly multiprocessors?: number;
  /** Kernels are stopped after this many milliseconds, 600,000 by default; 0: never. */
  readonly timeoutMs?: number;
  /** Name of the device. */
  readonly name?: string;
  /** Which of the process's devices the first of these is, from 0. */
  readonly index?: number;
  /** CUDA pointer of guest physical address 0: a multiple of 4 GiB below 2⁴⁷. */
  readonly pointerBase?: number;
  /** Says what a guest did wrong on the rings. */
  readonly log?: (message: string) => void;
  /** URL of a module to take the executor from, see `ExecutorModule`; by default the compiler's. */
  readonly executor?: string;
}

/** What another JavaScript thread needs to use the same device; structured-cloneable. */
export interface MachineHandle {
  readonly devices: number;
  readonly memory: WebAssembly.Memory;
  readonly map: MemoryMap;
  readonly base: number;
  readonly core: WebAssembly.Module;
  readonly registers: Int32Array<SharedArrayBuffer>;
}

/** What the device's Worker is started with. */
export interface DeviceWorkerStart extends MachineHandle {
  readonly description: DeviceDescription;
  readonly options: ExecutionOptions;
  readonly executor: string | undefined;
}

/** Opening a device failed: `errno` says why, in Linux's numbers. */
export class MachineError extends Error {
  readonly errno: number;
  constructor(message: string, errno: number) {
    super(message);
    this.name = "MachineError";
    this.errno = errno;
  }
}

/** A vGPU with its memory and this thread's driver. */
export class Machine {
  readonly memory: GuestMemory;
  /** How many devices there are. */
  readonly devices: number;
  readonly #driver: DriverModule;
  readonly #handle: MachineHandle | undefined;
  readonly #end: () => void;
  readonly #files = new Set<OpenFile>();
  #closed = false;

  /** Use `createMachine` or `attachMachine`. */
  constructor(
    memory: GuestMemory,
    devices: number,
    driver: DriverModule,
    handle: MachineHandle | undefined,
    end: () => void,
  ) {
    this.memory = memory;
    this.devices = devices;
    this.#driver = driver;
    this.#handle = handle;
    this.#end = end;
  }

  /**
   * Opens the device.
   * @param options callbacks and the caller's thread id
   * @throws MachineError if the device cannot be opened, or the machine is closed
   */
  open(options: DriverOptions = {}): OpenFile {
    const file = this.#closed ? -19 : openFile(this.#driver, options);
    if (typeof file === "number") throw new MachineError("cannot open the device", -file);
    this.#files.add(file);
    return file;
  }

  /**
   * What another thread needs to attach (`attachMachine`).
   * @throws Error if the device runs inline: then only its own thread can use it
   */
  get handle(): MachineHandle {
    if (this.#handle) return this.#handle;
    throw new Error('only a machine made with device: "worker" can be shared between threads');
  }

  /** Releases this thread's open files and lets go of the device; its maker also ends it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const file of this.#files) file.release();
    this.#driver.remove();
    this.#end();
  }
}

/**
 * Makes a machine.
 * @param options what to choose
 * @throws MachineError, RangeError (sizes), or what loading the core throws
 */
export async function createMachine(options: MachineOptions = {}): Promise<Machine> {
  const fixed = memoryMap();
  const limit = fixed.deviceMemory.size;
  const devices = options.devices ?? 1;
  if (!(Number.isInteger(devices) && devices >= 1 && devices <= MAX_DEVICES)) {
    throw new RangeError(`${devices} devices; from 1 to ${MAX_DEVICES}`);
  }
  const most = Math.floor(limit / devices / WASM_PAGE_BYTES) * WASM_PAGE_BYTES;
  const each = Math.ceil((options.memoryBytes ?? most) / WASM_PAGE_BYTES) * WASM_PAGE_BYTES;
  if (!(each > 0 && each <= most)) {
    throw new RangeError(`device memory of ${options.memoryBytes} bytes; at most ${most}`);
  }
  const wanted = devices * each;
  const map = memoryMap({ bytes: fixed.deviceMemory.start + wanted });
  const memory = GuestMemory.create(map, options.pointerBase ?? POINTER_BASE);
  const core = await loadCore();
  const description: DeviceDescription = {
    name: options.name ?? "warpring vGPU",
    index: options.index ?? 0,
    devices,
    multiprocessors: options.multiprocessors ?? 16,
    memoryBytes: wanted,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  };
  const execution = executionOptions(options);
  if (options.device !== "worker") {
    const executor = await loadExecutor(options.executor, execution);
    const log = options.log ?? (() => {});
    // The device model comes with the first device that runs here: an import of the library, and a
    // thread that attaches to another's device, do without.
    const { inlineMachine } = await import("./inline.ts");
    const { gpu, driver } = inlineMachine({ memory, core, description, executor, log });
    return new Machine(memory, devices, driver, undefined, () => gpu.device.executor.dispose());
  }
  const registers = R.newRegisters();
  const handle = { devices, memory: memory.memory, map, base: memory.base, core, registers };
  const thread = await startThread("device-worker");
  const ready = new Promise<void>((resolve, reject) => {
    thread.onMessage((message) => {
      if (message === "ready") resolve();
      else reject(message instanceof Error ? message : new Error(String(message)));
    });
  });
  const { executor } = options;
  const start: DeviceWorkerStart = { ...handle, description, options: execution, executor };
  thread.post(start);
  await ready;
  thread.unref();
  return driveShared(handle, () => {
    Atomics.store(registers, R.STOP, 1);
    Atomics.add(registers, R.BELL, 1);
    Atomics.notify(registers, R.BELL);
    interruptGroup(registers, -1);
  });
}

/**
 * Attaches this thread to a machine of another one, with queues of its own.
 * @param handle from that thread's `machine.handle`
 * @throws MachineError, or Error if all queue groups are in use
 */
export async function attachMachine(handle: MachineHandle): Promise<Machine> {
  return driveShared(handle, () => {});
}

function driveShared(handle: MachineHandle, end: () => void): Machine {
  const { core, registers } = handle;
  const memory = new GuestMemory(handle.memory, handle.map, handle.base);
  const transport = new SharedTransport(registers);
  const { guestRam, workspace } = groupLayout(handle.map, transport.group);
  const driver = new DriverModule({ memory, core, transport, guestRam, workspace });
  const result = driver.probe();
  if (result < 0) {
    transport.close();
    throw new MachineError("cannot attach to the device", -result);
  }
  return new Machine(memory, handle.devices, driver, handle, () => {
    transport.close();
    end();
  });
}

function executionOptions({ workers, fma, cache }: MachineOptions): ExecutionOptions {
  return {
    ...(cache === undefined ? {} : { cache }),
    ...(workers === undefined ? {} : { workers }),
    ...(fma === undefined ? {} : { fma }),
  };
}
