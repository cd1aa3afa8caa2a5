import {
  COMMAND_LAUNCH,
  LAUNCH_BLOCK_X,
  LAUNCH_BLOCK_Y,
  LAUNCH_BLOCK_Z,
  LAUNCH_CLUSTER_X_BIT,
  LAUNCH_CLUSTER_Y_BIT,
  LAUNCH_CLUSTER_Z_BIT,
  LAUNCH_COOPERATIVE,
  LAUNCH_FLAGS,
  LAUNCH_FUNCTION,
  LAUNCH_GRID_X,
  LAUNCH_GRID_Y,
  LAUNCH_GRID_Z,
  LAUNCH_PARAMETER_BYTES,
  LAUNCH_SHARED_BYTES,
  MAX_PARAMETER_BYTES,
} from "../runtime/protocol/definitions.ts";
import {
  cudaErrorInvalidClusterSize,
  cudaErrorInvalidConfiguration,
  cudaErrorInvalidValue,
  cudaErrorMissingConfiguration,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import type { DeviceFile } from "./device-file.ts";
import { CudaError } from "./errors.ts";
import type { DeviceFunction, ProgramKernel } from "./registry.ts";
import { call, type HostThread } from "./thread.ts";
import {
  bytesOf,
  type CudaKernel,
  type CudaStream,
  type Dim3Like,
  dim3,
  type Extent3,
  type HostMemory,
  type HostSymbol,
  isBox,
  isHostMemory,
  isSize,
  isU32,
  type Out,
} from "./types.ts";

/** A launch being configured: what stands between `<<<` and `>>>`. */
export interface LaunchConfiguration {
  readonly grid: Extent3;
  readonly block: Extent3;
  /** Dynamic shared memory, in bytes. */
  readonly sharedBytes: number;
  readonly stream: CudaStream;
  /** Arguments set so far by `cudaSetupArgument`, and how far they reach. */
  parameters: Uint8Array | undefined;
  argumentBytes: number;
}

/**
 * What stands between `<<<` and `>>>`, checked as far as it must be to be kept in numbers: limits are
 * the device's to check.
 * @throws CudaError cudaErrorInvalidValue
 */
export function launchConfiguration(
  gridDim: Dim3Like,
  blockDim: Dim3Like,
  sharedMem: number,
  stream: CudaStream = 0,
): LaunchConfiguration {
  const grid = dim3(gridDim);
  const block = dim3(blockDim);
  if (!grid.every(isU32) || !block.every(isU32)) throw new CudaError(cudaErrorInvalidValue);
  if (!isSize(sharedMem)) throw new CudaError(cudaErrorInvalidValue);
  return { grid, block, sharedBytes: sharedMem, stream, parameters: undefined, argumentBytes: 0 };
}

/**
 * The size of a launch's clusters, as its flags have it.
 * @throws CudaError cudaErrorInvalidClusterSize for what no device has; the rest is the device's to check
 */
export function clusterFlags(cluster: Dim3Like): number {
  const [x, y, z] = dim3(cluster);
  if (![x, y, z].every((blocks) => isU32(blocks) && blocks > 0 && blocks < 256)) {
    throw new CudaError(cudaErrorInvalidClusterSize);
  }
  return (
    ((x << LAUNCH_CLUSTER_X_BIT) | (y << LAUNCH_CLUSTER_Y_BIT) | (z << LAUNCH_CLUSTER_Z_BIT)) >>> 0
  );
}

/**
 * Sends a launch whose parameters are in `fn.block`.
 * @throws CudaError if the sizes can't be put into a request
 */
export function sendLaunch(
  device: DeviceFile,
  fn: DeviceFunction,
  grid: Extent3,
  block: Extent3,
  sharedBytes: number,
  stream: CudaStream,
  flags: number,
): number {
  if (sharedBytes > 0xffffffff) throw new CudaError(cudaErrorInvalidValue);
  device.begin(stream);
  device.setU32(LAUNCH_FUNCTION, fn.handle);
  device.setU32(LAUNCH_GRID_X, grid[0]).setU32(LAUNCH_GRID_Y, grid[1]);
  device.setU32(LAUNCH_GRID_Z, grid[2]).setU32(LAUNCH_BLOCK_X, block[0]);
  device.setU32(LAUNCH_BLOCK_Y, block[1]).setU32(LAUNCH_BLOCK_Z, block[2]);
  device.setU32(LAUNCH_SHARED_BYTES, sharedBytes);
  device.setU32(LAUNCH_PARAMETER_BYTES, fn.block.length).setU32(LAUNCH_FLAGS, flags);
  return shapeError(device.send(COMMAND_LAUNCH, fn.block));
}

/** Since CUDA 13 a shape that no device takes is an invalid value like any other. */
export function shapeError(error: number): number {
  return error === cudaErrorInvalidConfiguration ? cudaErrorInvalidValue : error;
}

/**
 * Copies arguments into a kernel's parameter block.
 * @param args one piece of memory for each parameter, of its size or longer
 * @throws CudaError cudaErrorInvalidValue if one is missing or too short
 */
export function packArguments(fn: DeviceFunction, args: readonly HostMemory[] | null): void {
  for (const [index, { offset, size }] of fn.parameters.entries()) {
    const argument = args?.[index];
    if (!isHostMemory(argument)) {
      throw new CudaError(cudaErrorInvalidValue, `${fn.name}: argument ${index} is missing`);
    }
    const bytes = bytesOf(argument);
    if (bytes.length < size) {
      throw new CudaError(
        cudaErrorInvalidValue,
        `${fn.name}: argument ${index} has ${bytes.length} bytes instead of ${size}`,
      );
    }
    fn.block.set(bytes.length === size ? bytes : bytes.subarray(0, size), offset);
  }
}

/**
 * Launches the kernel that `kernel` finds.
 * @param flags gives `LAUNCH_` flags, or throws a CudaError
 */
export function launch(
  kernel: (thread: HostThread) => ProgramKernel,
  gridDim: Dim3Like,
  blockDim: Dim3Like,
  args: readonly HostMemory[] | null,
  sharedMem: number,
  stream: CudaStream,
  flags: () => number,
): number {
  return call((thread) => {
    const { grid, block, sharedBytes } = launchConfiguration(gridDim, blockDim, sharedMem, stream);
    const device = thread.deviceOf(stream);
    const fn = thread.registry.functionOn(device, kernel(thread));
    packArguments(fn, args);
    return sendLaunch(device, fn, grid, block, sharedBytes, stream, flags());
  });
}

const noFlags = () => 0;
const cooperative = () => LAUNCH_COOPERATIVE;

/**
 * Launches a kernel.
 *
 * @param func what the kernel was registered under, or its `cudaKernel_t`
 * @param args for each parameter the memory that holds its value (in C: an array of pointers)
 * @param sharedMem dynamic shared memory, in bytes
 * @returns cudaErrorInvalidDeviceFunction for null, cudaErrorInvalidResourceHandle for what was not
 *   registered; cudaErrorInvalidValue also for a shape that no device takes, as since CUDA 13;
 *   faults of earlier kernels; what the kernel itself does wrong comes at the next synchronisation
 */
export function cudaLaunchKernel(
  func: HostSymbol | null,
  gridDim: Dim3Like,
  blockDim: Dim3Like,
  args: readonly HostMemory[] | null,
  sharedMem = 0,
  stream: CudaStream = 0,
): number {
  return launch(
    (thread) => thread.registry.kernel(func),
    gridDim,
    blockDim,
    args,
    sharedMem,
    stream,
    noFlags,
  );
}

/** `cudaLaunchKernel` for a kernel by its handle: what nvcc 12 and later emit. */
export function __cudaLaunchKernel(
  kernel: CudaKernel,
  gridDim: Dim3Like,
  blockDim: Dim3Like,
  args: readonly HostMemory[] | null,
  sharedMem = 0,
  stream: CudaStream = 0,
): number {
  return launch(
    (thread) => thread.registry.kernelByHandle(kernel),
    gridDim,
    blockDim,
    args,
    sharedMem,
    stream,
    noFlags,
  );
}

/**
 * Launches a kernel whose blocks run at the same time, so that they may wait for one another.
 * @returns as `cudaLaunchKernel`, and cudaErrorCooperativeLaunchTooLarge if they don't fit
 */
export function cudaLaunchCooperativeKernel(
  func: HostSymbol | null,
  gridDim: Dim3Like,
  blockDim: Dim3Like,
  args: readonly HostMemory[] | null,
  sharedMem = 0,
  stream: CudaStream = 0,
): number {
  return launch(
    (thread) => thread.registry.kernel(func),
    gridDim,
    blockDim,
    args,
    sharedMem,
    stream,
    cooperative,
  );
}

/** Keeps what stands between `<<<` and `>>>` for the stub that is called next. @returns 0 */
export function __cudaPushCallConfiguration(
  gridDim: Dim3Like,
  blockDim: Dim3Like,
  sharedMem = 0,
  stream: CudaStream = 0,
): number {
  return call((thread) => {
    thread.configurations.push(launchConfiguration(gridDim, blockDim, sharedMem, stream));
    return cudaSuccess;
  });
}

/**
 * Gives back what `__cudaPushCallConfiguration` kept.
 * @returns cudaErrorMissingConfiguration if there is nothing
 */
export function __cudaPopCallConfiguration(
  gridDim: Out<Extent3> | null,
  blockDim: Out<Extent3> | null,
  sharedMem: Out<number> | null,
  stream: Out<CudaStream> | null,
): number {
  return call((thread) => {
    if (!isBox(gridDim) || !isBox(blockDim) || !isBox(sharedMem) || !isBox(stream))
      return cudaErrorInvalidValue;
    const kept = thread.configurations.pop();
    if (!kept) return cudaErrorMissingConfiguration;
    gridDim.value = kept.grid;
    blockDim.value = kept.block;
    sharedMem.value = kept.sharedBytes;
    stream.value = kept.stream;
    return cudaSuccess;
  });
}

/** Begins a launch as CUDA 9 and earlier do: `cudaSetupArgument`… and `cudaLaunch` follow. */
export function cudaConfigureCall(
  gridDim: Dim3Like,
  blockDim: Dim3Like,
  sharedMem = 0,
  stream: CudaStream = 0,
): number {
  return __cudaPushCallConfiguration(gridDim, blockDim, sharedMem, stream);
}

/**
 * Puts one argument into the launch being configured.
 * @param arg memory that holds the value
 * @param size bytes of it
 * @param offset in the parameter block, in bytes
 * @returns cudaErrorMissingConfiguration if no launch is being configured
 */
export function cudaSetupArgument(arg: HostMemory | null, size: number, offset: number): number {
  return call((thread) => {
    const pending = thread.configurations.at(-1);
    if (!pending) return cudaErrorMissingConfiguration;
    if (!isHostMemory(arg) || !isSize(size) || !isSize(offset)) return cudaErrorInvalidValue;
    const bytes = bytesOf(arg);
    if (bytes.length < size || offset + size > MAX_PARAMETER_BYTES) return cudaErrorInvalidValue;
    pending.parameters ??= new Uint8Array(MAX_PARAMETER_BYTES);
    pending.parameters.set(bytes.subarray(0, size), offset);
    pending.argumentBytes = Math.max(pending.argumentBytes, offset + size);
    return cudaSuccess;
  });
}

/**
 * Launches a kernel with the configuration and arguments set before (CUDA 9 and earlier).
 * @param func what the kernel was registered under
 * @returns cudaErrorMissingConfiguration; cudaErrorInvalidValue if the arguments don't fill the
 *   kernel's parameter block
 */
export function cudaLaunch(func: HostSymbol | null): number {
  return call((thread) => {
    const kept = thread.configurations.pop();
    if (!kept) return cudaErrorMissingConfiguration;
    const device = thread.deviceOf(kept.stream);
    const fn = thread.registry.functionOn(device, thread.registry.kernel(func));
    if (kept.argumentBytes !== fn.block.length) return cudaErrorInvalidValue;
    if (kept.parameters) fn.block.set(kept.parameters.subarray(0, kept.argumentBytes));
    return sendLaunch(device, fn, kept.grid, kept.block, kept.sharedBytes, kept.stream, 0);
  });
}
