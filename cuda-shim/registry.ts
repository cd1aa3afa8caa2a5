import {
  COMMAND_FUNCTION_GET,
  COMMAND_MODULE_LOAD,
  COMMAND_MODULE_UNLOAD,
  COMMAND_SYMBOL_GET,
  FUNCTION_GET_BINARY_VERSION,
  FUNCTION_GET_CONST_BYTES,
  FUNCTION_GET_FUNCTION,
  FUNCTION_GET_INDEX,
  FUNCTION_GET_LOCAL_BYTES,
  FUNCTION_GET_MAX_THREADS,
  FUNCTION_GET_MODULE,
  FUNCTION_GET_NAME_BYTES,
  FUNCTION_GET_NAME_LENGTH,
  FUNCTION_GET_PARAMETER_BYTES,
  FUNCTION_GET_PARAMETER_COUNT,
  FUNCTION_GET_PTX_VERSION,
  FUNCTION_GET_REGISTERS,
  FUNCTION_GET_SHARED_BYTES,
  MODULE_LOAD_BYTES,
  MODULE_LOAD_FUNCTIONS,
  MODULE_LOAD_LOG_LENGTH,
  MODULE_LOAD_MODULE,
  MODULE_LOAD_TWIN,
  MODULE_UNLOAD_MODULE,
  PARAMETER_BYTES,
  PARAMETER_OFFSET,
  PARAMETER_SIZE,
  SYMBOL_GET_ADDRESS,
  SYMBOL_GET_BYTES,
  SYMBOL_GET_MODULE,
  SYMBOL_GET_NAME_LENGTH,
} from "../runtime/protocol/definitions.ts";
import {
  cudaErrorDuplicateVariableName,
  cudaErrorInvalidDeviceFunction,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidSymbol,
  cudaErrorSymbolNotFound,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import type { DeviceFile } from "./device-file.ts";
import { CudaError } from "./errors.ts";
import type { HostSymbol } from "./types.ts";

/** Where one parameter of a kernel lies in the packed parameter block, in bytes. */
export interface KernelParameter {
  readonly offset: number;
  readonly size: number;
}

/** A kernel as one device knows it; sizes in bytes. */
export interface DeviceFunction {
  /** The device's handle. */
  readonly handle: number;
  readonly name: string;
  readonly parameters: readonly KernelParameter[];
  /** The packed parameter block, filled anew for each launch. */
  readonly block: Uint8Array;
  /** The same bytes. */
  readonly blockView: DataView;
  readonly sharedBytes: number;
  readonly localBytes: number;
  readonly constBytes: number;
  readonly registers: number;
  readonly maxThreads: number;
  readonly ptxVersion: number;
  readonly binaryVersion: number;
}

/** A variable as one device knows it. */
export interface DeviceSymbol {
  readonly address: number;
  readonly size: number;
}

/** A module that has been loaded into the primary context of a device. */
export class LoadedModule {
  readonly handle: number;
  /** Number of kernels that it has. */
  readonly functionCount: number;
  readonly #device: DeviceFile;
  readonly #functions = new Map<string, DeviceFunction>();
  readonly #symbols = new Map<string, DeviceSymbol>();

  constructor(device: DeviceFile, handle: number, functionCount: number) {
    this.#device = device;
    this.handle = handle;
    this.functionCount = functionCount;
  }

  /**
   * A kernel by name.
   * @throws CudaError cudaErrorSymbolNotFound if the module has none of that name
   */
  function(name: string): DeviceFunction {
    const known = this.#functions.get(name);
    if (known) return known;
    // To the device an empty name means "by place".
    if (name === "") throw new CudaError(cudaErrorSymbolNotFound);
    const found = { ...this.#get(new TextEncoder().encode(name), 0), name };
    this.#functions.set(name, found);
    return found;
  }

  /** A kernel that was looked up before, by the device's handle. */
  known(handle: number): DeviceFunction | undefined {
    return [...this.#functions.values()].find((each) => each.handle === handle);
  }

  /** A kernel by its place in the module, 0 to `functionCount - 1`. */
  functionAt(index: number): DeviceFunction {
    const found = this.#get(new Uint8Array(0), index);
    this.#functions.set(found.name, found);
    return found;
  }

  #get(name: Uint8Array, index: number): DeviceFunction {
    const device = this.#device.begin();
    device.setU32(FUNCTION_GET_MODULE, this.handle).setU32(FUNCTION_GET_NAME_LENGTH, name.length);
    device.setU32(FUNCTION_GET_INDEX, index).check(COMMAND_FUNCTION_GET, name, answer);
    const count = device.getU32(FUNCTION_GET_PARAMETER_COUNT);
    const nameAt = count * PARAMETER_SIZE;
    const nameBytes = device.getU32(FUNCTION_GET_NAME_BYTES);
    const block = new Uint8Array(device.getU32(FUNCTION_GET_PARAMETER_BYTES));
    return {
      handle: device.getU32(FUNCTION_GET_FUNCTION),
      name: new TextDecoder().decode(answer.subarray(nameAt, nameAt + nameBytes)),
      parameters: Array.from({ length: count }, (_, parameter) => ({
        offset: answerView.getUint32(parameter * PARAMETER_SIZE + PARAMETER_OFFSET, true),
        size: answerView.getUint32(parameter * PARAMETER_SIZE + PARAMETER_BYTES, true),
      })),
      block,
      blockView: new DataView(block.buffer),
      sharedBytes: device.getU32(FUNCTION_GET_SHARED_BYTES),
      localBytes: device.getU32(FUNCTION_GET_LOCAL_BYTES),
      constBytes: device.getU32(FUNCTION_GET_CONST_BYTES),
      registers: device.getU32(FUNCTION_GET_REGISTERS),
      maxThreads: device.getU32(FUNCTION_GET_MAX_THREADS),
      ptxVersion: device.getU32(FUNCTION_GET_PTX_VERSION),
      binaryVersion: device.getU32(FUNCTION_GET_BINARY_VERSION),
    };
  }

  /**
   * A variable by name.
   * @throws CudaError cudaErrorSymbolNotFound if the module has none of that name
   */
  symbol(name: string): DeviceSymbol {
    const known = this.#symbols.get(name);
    if (known) return known;
    const bytes = new TextEncoder().encode(name);
    const device = this.#device.begin();
    device.setU32(SYMBOL_GET_MODULE, this.handle).setU32(SYMBOL_GET_NAME_LENGTH, bytes.length);
    device.check(COMMAND_SYMBOL_GET, bytes);
    const found = {
      address: device.getU64(SYMBOL_GET_ADDRESS),
      size: device.getU64(SYMBOL_GET_BYTES),
    };
    this.#symbols.set(name, found);
    return found;
  }
}

/** Receives the parameter table and name of FUNCTION_GET, and the log of MODULE_LOAD. */
const answer = new Uint8Array(40960);
const answerView = new DataView(answer.buffer);

/**
 * An image that the program registered. A device loads it when something of it is first used there,
 * as CUDA does, or at once for `cudaLibraryLoadData`.
 */
export class ProgramModule {
  readonly #image: Uint8Array;
  readonly #loaded = new Map<
    DeviceFile,
    { generation: number; module: LoadedModule | CudaError }
  >();

  /** @param image PTX text, or the bytes of PTX, of a fat binary or of an ELF file */
  constructor(image: Uint8Array | string) {
    this.#image = typeof image === "string" ? new TextEncoder().encode(image) : image;
  }

  /**
   * The module on `device`.
   * @throws CudaError why it can't be loaded; what the device said about it is the error's message
   */
  on(device: DeviceFile): LoadedModule {
    const known = this.#loaded.get(device);
    let module = known && known.generation === device.generation ? known.module : undefined;
    if (!module) {
      module = this.#load(device);
      this.#loaded.set(device, { generation: device.generation, module });
    }
    if (module instanceof CudaError) throw module;
    return module;
  }

  /** The kernel of a device's handle that was looked up there, if it is one of this module. */
  functionOf(device: DeviceFile, handle: number): DeviceFunction | undefined {
    const known = this.#loaded.get(device);
    if (known?.generation !== device.generation || known.module instanceof CudaError)
      return undefined;
    return known.module.known(handle);
  }

  /** Its handle on some device, 0 if it is on none: all of them have the same managed variables. */
  #twin(): number {
    for (const [device, { generation, module }] of this.#loaded) {
      if (generation === device.generation && module instanceof LoadedModule) return module.handle;
    }
    return 0;
  }

  #load(device: DeviceFile): LoadedModule | CudaError {
    device.begin().setU32(MODULE_LOAD_BYTES, this.#image.length);
    device.setU32(MODULE_LOAD_TWIN, this.#twin());
    const error = device.send(COMMAND_MODULE_LOAD, this.#image, answer);
    if (error !== cudaSuccess) {
      const log = answer.slice(0, device.getU32(MODULE_LOAD_LOG_LENGTH));
      return new CudaError(error, new TextDecoder().decode(log));
    }
    const handle = device.getU32(MODULE_LOAD_MODULE);
    return new LoadedModule(device, handle, device.getU32(MODULE_LOAD_FUNCTIONS));
  }

  /** Unloads the module wherever it is loaded. @returns the first `cudaError_t` that is not 0 */
  unload(): number {
    let error: number = cudaSuccess;
    for (const [device, { generation, module }] of this.#loaded) {
      if (module instanceof CudaError || generation !== device.generation) continue;
      device.begin().setU32(MODULE_UNLOAD_MODULE, module.handle);
      error ||= device.send(COMMAND_MODULE_UNLOAD);
    }
    this.#loaded.clear();
    return error;
  }
}

/** A kernel that the program knows: a name in a module. */
export interface ProgramKernel {
  /** Its `cudaKernel_t`. */
  readonly handle: number;
  readonly module: ProgramModule;
  readonly name: string;
}

/** A variable that the program knows. */
export interface ProgramVariable {
  readonly module: ProgramModule;
  readonly name: string;
}

/** What a program registers before `main` (and what `cudaLibraryLoadData` adds later). */
export class Registry {
  readonly #modules = new Map<number, ProgramModule>();
  readonly #kernels = new Map<number, ProgramKernel>();
  readonly #kernelOf = new Map<HostSymbol, ProgramKernel>();
  readonly #variableOf = new Map<HostSymbol, ProgramVariable>();
  // Far from the small numbers that a program may register its kernels under.
  #nextHandle = 2 ** 40;

  /** Adds a module and returns its handle, never 0. */
  addModule(module: ProgramModule): number {
    const handle = this.#nextHandle++;
    this.#modules.set(handle, module);
    return handle;
  }

  module(handle: number): ProgramModule | undefined {
    return this.#modules.get(handle);
  }

  /** Forgets a module with its kernels and variables. @returns false if there is none */
  removeModule(handle: number): ProgramModule | undefined {
    const module = this.#modules.get(handle);
    if (!module) return undefined;
    this.#modules.delete(handle);
    for (const table of [this.#kernels, this.#kernelOf, this.#variableOf]) {
      for (const [key, value] of table) {
        if (value.module === module) (table as Map<unknown, unknown>).delete(key);
      }
    }
    return module;
  }

  /** Adds a kernel of a module, found later by its handle. */
  addKernel(module: ProgramModule, name: string): ProgramKernel {
    const kernel = { handle: this.#nextHandle++, module, name };
    this.#kernels.set(kernel.handle, kernel);
    return kernel;
  }

  /** Lets `host` stand for a kernel. */
  nameKernel(host: HostSymbol, kernel: ProgramKernel): void {
    this.#kernelOf.set(host, kernel);
  }

  /**
   * Lets `host` stand for a variable.
   * @throws CudaError cudaErrorDuplicateVariableName if it stands for one already
   */
  addVariable(host: HostSymbol, module: ProgramModule, name: string): void {
    if (this.#variableOf.has(host)) throw new CudaError(cudaErrorDuplicateVariableName);
    this.#variableOf.set(host, { module, name });
  }

  /**
   * The kernel that a host symbol or a `cudaKernel_t` stands for.
   * @throws CudaError cudaErrorInvalidDeviceFunction for null, cudaErrorInvalidResourceHandle if there is
   *   none: since CUDA 13 that is no handle of anything
   */
  kernel(func: HostSymbol | null): ProgramKernel {
    return this.find(func) ?? noKernel(func);
  }

  /** The kernel that a host symbol or a `cudaKernel_t` stands for, if there is one. */
  find(func: HostSymbol | null): ProgramKernel | undefined {
    if (func === null) return undefined;
    return this.#kernelOf.get(func) ?? this.#kernels.get(func as number);
  }

  /**
   * The kernel of a `cudaKernel_t`.
   * @throws CudaError as `kernel`
   */
  kernelByHandle(handle: number): ProgramKernel {
    return this.#kernels.get(handle) ?? noKernel(handle);
  }

  /**
   * A kernel on a device.
   * @throws CudaError cudaErrorSymbolNotFound if the module has none of that name; why the module can't
   *   be loaded
   */
  functionOn(device: DeviceFile, { module, name }: ProgramKernel): DeviceFunction {
    return module.on(device).function(name);
  }

  /**
   * The kernel of a device's handle, and what stands for it in the program: what it was registered
   * under, or its `cudaKernel_t`.
   * @throws CudaError cudaErrorInvalidDeviceFunction if there is none
   */
  symbolOf(device: DeviceFile, handle: number): { func: HostSymbol; fn: DeviceFunction } {
    const named = [...this.#kernelOf].map(([func, kernel]) => ({ func, kernel }));
    const all = [...this.#kernels].map(([func, kernel]) => ({ func, kernel }));
    for (const { func, kernel } of [...named, ...all]) {
      const fn = kernel.module.functionOf(device, handle);
      if (fn && fn.name === kernel.name) return { func, fn };
    }
    throw new CudaError(cudaErrorInvalidDeviceFunction);
  }

  /**
   * The variable that a host symbol stands for, on a device.
   * @throws CudaError cudaErrorInvalidSymbol if there is none, cudaErrorSymbolNotFound if the module has
   *   none of that name; why the module can't be loaded
   */
  symbolOn(device: DeviceFile, symbol: HostSymbol | null): DeviceSymbol {
    const variable = symbol === null ? undefined : this.#variableOf.get(symbol);
    if (!variable) throw new CudaError(cudaErrorInvalidSymbol);
    return variable.module.on(device).symbol(variable.name);
  }
}

function noKernel(func: HostSymbol | null): never {
  const none = func === null || func === 0;
  throw new CudaError(none ? cudaErrorInvalidDeviceFunction : cudaErrorInvalidResourceHandle);
}
