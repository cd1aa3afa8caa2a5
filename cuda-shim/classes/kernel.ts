import { LAUNCH_COOPERATIVE } from "../../runtime/protocol/definitions.ts";
import { cudaErrorInvalidResourceHandle, cudaSuccess } from "../../runtime/protocol/errors.ts";
import { CudaError } from "../errors.ts";
import { clusterFlags, launchConfiguration, sendLaunch } from "../launch.ts";
import { cudaLibraryGetGlobal, cudaLibraryUnload } from "../module.ts";
import type { DeviceFunction, KernelParameter, LoadedModule, ProgramModule } from "../registry.ts";
import { call, type HostThread } from "../thread.ts";
import type { CudaLibrary, CudaStream, Dim3Like } from "../types.ts";
import { type KernelArgument, packKernelArguments } from "./arguments.ts";
import { DeviceBuffer } from "./buffer.ts";
import { check, disposeQuietly } from "./check.ts";

/** The shape of a launch. */
export interface LaunchShape {
  /** Blocks: a number, up to three of them, or `{ x, y, z }`. */
  readonly grid: Dim3Like;
  /** Threads of a block. */
  readonly block: Dim3Like;
  /** Dynamic shared memory, in bytes; 0 unless given. */
  readonly shared?: number;
  /** The stream; the default stream unless given. */
  readonly stream?: CudaStream | { readonly handle: CudaStream };
  /** All blocks at the same time, so that they may wait for one another. */
  readonly cooperative?: boolean;
  /** Blocks of a cluster, whose shared memory they share; the grid must be a multiple of it. */
  readonly cluster?: Dim3Like;
}

/** What a kernel needs; sizes in bytes. */
export interface KernelInfo {
  readonly name: string;
  readonly parameters: readonly KernelParameter[];
  /** Static shared memory of a block. */
  readonly sharedBytes: number;
  /** Local memory of a thread. */
  readonly localBytes: number;
  readonly registers: number;
  readonly maxThreads: number;
}

/** A kernel of a module: `kernel.launch({ grid: 8, block: 256 }, n, f32(2), x, y)`. */
export class Kernel {
  readonly #thread: HostThread;
  readonly #function: () => DeviceFunction;

  /** Use `module.kernel`. */
  constructor(thread: HostThread, fn: () => DeviceFunction) {
    this.#thread = thread;
    this.#function = fn;
  }

  get name(): string {
    return this.#function().name;
  }

  /** What the kernel needs: its parameters' places and sizes, and its memory. */
  get info(): KernelInfo {
    const { name, parameters, sharedBytes, localBytes, registers, maxThreads } = this.#function();
    return { name, parameters, sharedBytes, localBytes, registers, maxThreads };
  }

  /**
   * Launches the kernel. It may still run when this returns: `device.synchronize`, or reading a
   * buffer, waits for it and reports what it did wrong.
   *
   * @param shape grid, block, shared memory, stream
   * @param args one for each parameter
   * @throws CudaError cudaErrorInvalidValue for a shape over the limits,
   *   cudaErrorInvalidClusterSize, cudaErrorInvalidValue for a wrong number or size of arguments
   */
  launch(shape: LaunchShape, ...args: KernelArgument[]): void {
    check(this.#thread, "launch", () =>
      call((thread) => {
        const fn = this.#function();
        const { stream = 0 } = shape;
        const { grid, block, sharedBytes } = launchConfiguration(
          shape.grid,
          shape.block,
          shape.shared ?? 0,
        );
        packKernelArguments(fn, args);
        const handle = typeof stream === "number" ? stream : stream.handle;
        let flags = shape.cooperative ? LAUNCH_COOPERATIVE : 0;
        if (shape.cluster !== undefined) flags |= clusterFlags(shape.cluster);
        return sendLaunch(thread.device(), fn, grid, block, sharedBytes, handle, flags);
      }),
    );
  }
}

/** A module: kernels and variables from one image, loaded into a device. */
export class Module {
  readonly #thread: HostThread;
  #library: CudaLibrary;

  /** Use `device.loadModule`. */
  constructor(thread: HostThread, library: CudaLibrary) {
    this.#thread = thread;
    this.#library = library;
  }

  /** Names of the kernels, in the image's order. */
  get kernelNames(): string[] {
    const module = this.#loaded();
    return Array.from({ length: module.functionCount }, (_, i) => module.functionAt(i).name);
  }

  /**
   * A kernel by its name in the PTX.
   * @throws CudaError cudaErrorSymbolNotFound, whose message names the kernels that there are
   */
  kernel(name: string): Kernel {
    check(this.#thread, `kernel "${name}"`, () =>
      call(() => {
        this.#find(name);
        return cudaSuccess;
      }),
    );
    return new Kernel(this.#thread, () => this.#loaded().function(name));
  }

  #find(name: string): void {
    try {
      this.#loaded().function(name);
    } catch (failure) {
      if (!(failure instanceof CudaError)) throw failure;
      throw new CudaError(failure.code, `the module has ${this.kernelNames.join(", ") || "none"}`);
    }
  }

  /**
   * A `__device__` or `__constant__` variable, as a buffer of its size.
   * @throws CudaError cudaErrorSymbolNotFound
   */
  variable(name: string): DeviceBuffer {
    const address = { value: 0 };
    const size = { value: 0 };
    check(this.#thread, `variable "${name}"`, () =>
      cudaLibraryGetGlobal(address, size, this.#library, name),
    );
    return new DeviceBuffer(this.#thread, address.value, size.value, "borrowed");
  }

  /**
   * The module as the program's registry knows it, to register its kernels and variables for calls
   * by CUDA's own names.
   * @throws CudaError cudaErrorInvalidResourceHandle after `unload`
   */
  get program(): ProgramModule {
    const module = this.#thread.registry.module(this.#library);
    if (!module) throw new CudaError(cudaErrorInvalidResourceHandle, "the module was unloaded");
    return module;
  }

  #loaded(): LoadedModule {
    return this.program.on(this.#thread.device());
  }

  /**
   * Unloads the module.
   * @throws CudaError cudaErrorInvalidResourceHandle if that has been done already
   */
  unload(): void {
    check(this.#thread, "unload", () => cudaLibraryUnload(this.#library));
    this.#library = 0;
  }

  /** Unloads the module unless that was done, the device is closed, or a fault has taken it. */
  [Symbol.dispose](): void {
    if (this.#library !== 0) disposeQuietly(this.#thread, () => this.unload());
  }
}
