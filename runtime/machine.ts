/**
 * A machine: guest memory, the vGPU (in this thread or in a Worker of its own) and its driver.
 *
 *   createMachine(options?: MachineOptions): Promise<Machine>
 *   attachMachine(handle: MachineHandle, …): Promise<Machine>     in another Worker
 *   machine.open(options?: DriverOptions): OpenFile
 *   machine.handle: MachineHandle (structured-cloneable; machines with device "worker" only)
 *   machine.close(): void
 */
import type { DriverOptions, OpenFile } from "./driver/types.ts";

/** What can be chosen about a machine. */
export interface MachineOptions {
  /** "inline": the device runs in this thread, inside the kick. "worker": in its own, shared. */
  readonly device?: "inline" | "worker";
  /** Bytes of device memory, at most what 4 GiB leave. */
  readonly memoryBytes?: number;
  readonly multiprocessors?: number;
  /** Worker threads that run blocks beside the caller; 0 = none. */
  readonly workers?: number;
  readonly fma?: "exact" | "unfused";
  /** Kernels are stopped after this long; 0 = never. */
  readonly timeoutMs?: number;
  readonly name?: string;
}

/** A vGPU with its memory and driver, as one thread sees it. */
export interface MachineInterface {
  open(options?: DriverOptions): OpenFile;
  readonly handle: unknown;
  close(): void;
}
