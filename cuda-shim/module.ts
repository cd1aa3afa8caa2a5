/**
 * What nvcc's start-up code calls before `main`: registration of fat binaries, kernels and variables
 * (host_runtime.h and crt/host_runtime.h of the toolkits), and kernels by handle.
 */
import {
  cudaErrorFileNotFound,
  cudaErrorInvalidDeviceFunction,
  cudaErrorInvalidKernelImage,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { CudaError } from "./errors.ts";
import { ProgramModule } from "./registry.ts";
import { call, currentThread } from "./thread.ts";
import {
  type CudaKernel,
  type CudaLibrary,
  type HostSymbol,
  isBox,
  isU32,
  type Out,
} from "./types.ts";

/** An image of kernels: PTX text, or the bytes of PTX, of a fat binary or of an ELF file. */
export type KernelImage = string | Uint8Array;

function isImage(image: unknown): image is KernelImage {
  return typeof image === "string" || image instanceof Uint8Array;
}

/**
 * Registers a fat binary. As in CUDA it is not looked at before something of it is used; that use
 * reports what is wrong with it.
 * @returns its handle, 0 if `fatCubin` is no image or CUDA has not been started
 */
export function __cudaRegisterFatBinary(fatCubin: KernelImage | null): number {
  let handle = 0;
  call((thread) => {
    if (!isImage(fatCubin)) return cudaErrorInvalidKernelImage;
    handle = thread.registry.addModule(new ProgramModule(fatCubin));
    return cudaSuccess;
  });
  return handle;
}

/** Ends a registration (CUDA 10.1 and later); nothing is left to do. */
export function __cudaRegisterFatBinaryEnd(fatCubinHandle: number): void {
  call((thread) =>
    thread.registry.module(fatCubinHandle) ? cudaSuccess : cudaErrorInvalidResourceHandle,
  );
}

/**
 * Initialises the managed variables of a module. They live in ordinary device memory here, so nothing
 * is left to do.
 * @returns 1 (initialised), or 0 if the handle is none
 */
export function __cudaInitModule(fatCubinHandle: number): number {
  return currentThread()?.registry.module(fatCubinHandle) ? 1 : 0;
}

/** Takes a fat binary back: its kernels and variables are forgotten and its memory is freed. */
export function __cudaUnregisterFatBinary(fatCubinHandle: number): void {
  call(
    (thread) =>
      thread.registry.removeModule(fatCubinHandle)?.unload() ?? cudaErrorInvalidResourceHandle,
  );
}

/**
 * Registers a kernel.
 *
 * @param hostFun what stands for it in launches (in C the address of its stub)
 * @param deviceFun its name, as `deviceName`
 * @param deviceName its name in the PTX
 * @param _threadLimit and the rest: not used by the runtime since CUDA 4
 */
export function __cudaRegisterFunction(
  fatCubinHandle: number,
  hostFun: HostSymbol,
  deviceFun: string,
  deviceName: string = deviceFun,
  _threadLimit = -1,
): void {
  call(({ registry }) => {
    const module = registry.module(fatCubinHandle);
    if (!module) return cudaErrorInvalidResourceHandle;
    if (typeof deviceName !== "string") return cudaErrorInvalidValue;
    registry.nameKernel(hostFun, registry.addKernel(module, deviceName));
    return cudaSuccess;
  });
}

/**
 * Registers a `__device__` or `__constant__` variable.
 *
 * @param hostVar what stands for it in the symbol calls (in C the address of its shadow)
 * @param _deviceAddress its name, as `deviceName`
 * @param deviceName its name in the PTX
 * @param _ext and the rest: what the PTX says itself
 */
export function __cudaRegisterVar(
  fatCubinHandle: number,
  hostVar: HostSymbol,
  _deviceAddress: string,
  deviceName: string = _deviceAddress,
  _ext = 0,
  _size = 0,
  _constant = 0,
  _global = 0,
): void {
  call(({ registry }) => {
    const module = registry.module(fatCubinHandle);
    if (!module) return cudaErrorInvalidResourceHandle;
    if (typeof deviceName !== "string") return cudaErrorInvalidValue;
    registry.addVariable(hostVar, module, deviceName);
    return cudaSuccess;
  });
}

/**
 * Registers a `__managed__` variable: `__cudaRegisterVar` here, where host and kernels see it at one
 * address (`cudaGetSymbolAddress`).
 */
export function __cudaRegisterManagedVar(
  fatCubinHandle: number,
  hostVar: HostSymbol,
  deviceAddress: string,
  deviceName: string = deviceAddress,
): void {
  __cudaRegisterVar(fatCubinHandle, hostVar, deviceAddress, deviceName);
}

/**
 * The kernel that a host function stands for.
 * @returns cudaErrorInvalidDeviceFunction if it stands for none
 */
export function __cudaGetKernel(kernel: Out<CudaKernel> | null, hostFun: HostSymbol): number {
  return call(({ registry }) => {
    if (!isBox(kernel)) return cudaErrorInvalidValue;
    const known = registry.find(hostFun);
    if (!known) return cudaErrorInvalidDeviceFunction;
    kernel.value = known.handle;
    return cudaSuccess;
  });
}

/** `__cudaGetKernel`, by its public name (CUDA 12.1 and later). */
export function cudaGetKernel(kernel: Out<CudaKernel> | null, hostFun: HostSymbol): number {
  return __cudaGetKernel(kernel, hostFun);
}

/** `cudaGetKernel`: the device has one kind of handle for functions and kernels. */
export function cudaGetFuncBySymbol(
  functionPtr: Out<CudaKernel> | null,
  symbolPtr: HostSymbol,
): number {
  return __cudaGetKernel(functionPtr, symbolPtr);
}

/**
 * Loads a library of kernels into the current device at once.
 * @param code PTX text, or the bytes of PTX, of a fat binary or of an ELF file
 * @returns cudaErrorInvalidPtx, cudaErrorInvalidKernelImage, cudaErrorNoKernelImageForDevice …
 */
export function cudaLibraryLoadData(
  library: Out<CudaLibrary> | null,
  code: KernelImage | null,
): number {
  return call((thread) => {
    if (!isBox(library) || !isImage(code)) return cudaErrorInvalidValue;
    const module = new ProgramModule(code);
    module.on(thread.device());
    library.value = thread.registry.addModule(module);
    return cudaSuccess;
  });
}

/** The part of the runtimes' globals that gives built-in modules at once. */
interface Builtins {
  process?: { getBuiltinModule?(name: "node:fs"): typeof import("node:fs") | undefined };
}

/**
 * Loads a library of kernels from a file; see `cudaLibraryLoadData`.
 * @returns cudaErrorFileNotFound; cudaErrorNotSupported where there are no files (browsers)
 */
export function cudaLibraryLoadFromFile(
  library: Out<CudaLibrary> | null,
  fileName: string,
): number {
  return call((thread) => {
    if (!isBox(library) || typeof fileName !== "string") return cudaErrorInvalidValue;
    const files = (globalThis as Builtins).process?.getBuiltinModule?.("node:fs");
    if (!files) return cudaErrorNotSupported;
    let code: Uint8Array;
    try {
      code = files.readFileSync(fileName);
    } catch (error) {
      throw new CudaError(cudaErrorFileNotFound, String(error));
    }
    const module = new ProgramModule(code);
    module.on(thread.device());
    library.value = thread.registry.addModule(module);
    return cudaSuccess;
  });
}

/** Unloads a library; its kernels' handles end with it. */
export function cudaLibraryUnload(library: CudaLibrary): number {
  return call(
    (thread) => thread.registry.removeModule(library)?.unload() ?? cudaErrorInvalidResourceHandle,
  );
}

/**
 * A kernel of a library by name.
 * @returns cudaErrorSymbolNotFound if it has none of that name
 */
export function cudaLibraryGetKernel(
  kernel: Out<CudaKernel> | null,
  library: CudaLibrary,
  name: string,
): number {
  return call((thread) => {
    if (!isBox(kernel) || typeof name !== "string") return cudaErrorInvalidValue;
    const module = thread.registry.module(library);
    if (!module) return cudaErrorInvalidResourceHandle;
    module.on(thread.device()).function(name);
    kernel.value = thread.registry.addKernel(module, name).handle;
    return cudaSuccess;
  });
}

/**
 * A variable of a library by name: its address and size.
 * @returns cudaErrorSymbolNotFound if it has none of that name
 */
export function cudaLibraryGetGlobal(
  dptr: Out<number> | null,
  bytes: Out<number> | null,
  library: CudaLibrary,
  name: string,
): number {
  return call((thread) => {
    if ((!isBox(dptr) && !isBox(bytes)) || typeof name !== "string") return cudaErrorInvalidValue;
    const module = thread.registry.module(library);
    if (!module) return cudaErrorInvalidResourceHandle;
    const { address, size } = module.on(thread.device()).symbol(name);
    if (isBox(dptr)) dptr.value = address;
    if (isBox(bytes)) bytes.value = size;
    return cudaSuccess;
  });
}

/** How many kernels a library has. */
export function cudaLibraryGetKernelCount(count: Out<number> | null, library: CudaLibrary): number {
  return call((thread) => {
    if (!isBox(count)) return cudaErrorInvalidValue;
    const module = thread.registry.module(library);
    if (!module) return cudaErrorInvalidResourceHandle;
    count.value = module.on(thread.device()).functionCount;
    return cudaSuccess;
  });
}

/** The first kernels of a library, `numKernels` of them at most. */
export function cudaLibraryEnumerateKernels(
  kernels: Out<CudaKernel[]> | null,
  numKernels: number,
  library: CudaLibrary,
): number {
  return call((thread) => {
    if (!isBox(kernels) || !isU32(numKernels) || numKernels === 0) return cudaErrorInvalidValue;
    const module = thread.registry.module(library);
    if (!module) return cudaErrorInvalidResourceHandle;
    const loaded = module.on(thread.device());
    const count = Math.min(numKernels, loaded.functionCount);
    kernels.value = Array.from(
      { length: count },
      (_, index) => thread.registry.addKernel(module, loaded.functionAt(index).name).handle,
    );
    return cudaSuccess;
  });
}
