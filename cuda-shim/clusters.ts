/** How many blocks a cluster can have, and how many clusters the device holds at once. */
import { cudaDevAttrMultiProcessorCount } from "../runtime/protocol/attributes.ts";
import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import {
  COMMAND_FUNCTION_ATTRIBUTES,
  FUNCTION_ATTRIBUTES_CLUSTER_BLOCKS,
  FUNCTION_ATTRIBUTES_CLUSTER_DEPTH,
  FUNCTION_ATTRIBUTES_CLUSTER_HEIGHT,
  FUNCTION_ATTRIBUTES_CLUSTER_WIDTH,
  FUNCTION_ATTRIBUTES_FUNCTION,
} from "../runtime/protocol/functions.ts";
import type { CudaLaunchConfig } from "./attributes.ts";
import { cudaLaunchAttributeClusterDimension } from "./constants.ts";
import { cudaDeviceGetAttribute } from "./device.ts";
import { cudaOccupancyMaxActiveBlocksPerMultiprocessor } from "./function.ts";
import { withFunction } from "./function-call.ts";
import { call } from "./thread.ts";
import { type Dim3Like, dim3, type HostSymbol, isBox, isObject, type Out } from "./types.ts";

/** What a function's clusters may be: the most blocks, and the size that is required (0: none). */
function limitsOf(func: HostSymbol | null, limits: { most: number; required: number }): number {
  return withFunction(func, (device, fn) => {
    device.begin().setU32(FUNCTION_ATTRIBUTES_FUNCTION, fn.handle);
    device.check(COMMAND_FUNCTION_ATTRIBUTES);
    limits.most = device.getU32(FUNCTION_ATTRIBUTES_CLUSTER_BLOCKS);
    limits.required =
      device.getU32(FUNCTION_ATTRIBUTES_CLUSTER_WIDTH) *
      device.getU32(FUNCTION_ATTRIBUTES_CLUSTER_HEIGHT) *
      device.getU32(FUNCTION_ATTRIBUTES_CLUSTER_DEPTH);
    return cudaSuccess;
  });
}

function product(extent: Dim3Like): number {
  const [x, y, z] = dim3(extent);
  return x * y * z;
}

/** The most blocks that a cluster of a kernel can have with a launch's block and shared memory. */
export function cudaOccupancyMaxPotentialClusterSize(
  clusterSize: Out<number> | null,
  func: HostSymbol | null,
  launchConfig: CudaLaunchConfig | null,
): number {
  if (!isBox(clusterSize) || !isObject(launchConfig)) return call(() => cudaErrorInvalidValue);
  const limits = { most: 0, required: 0 };
  const error = limitsOf(func, limits);
  if (error === cudaSuccess) clusterSize.value = limits.required || limits.most;
  return error;
}

/** How many clusters of a launch the device holds at once. */
export function cudaOccupancyMaxActiveClusters(
  numClusters: Out<number> | null,
  func: HostSymbol | null,
  launchConfig: CudaLaunchConfig | null,
): number {
  if (!isBox(numClusters) || !isObject(launchConfig)) return call(() => cudaErrorInvalidValue);
  const limits = { most: 0, required: 0 };
  const asked = limitsOf(func, limits);
  if (asked !== cudaSuccess) return asked;
  const { attrs = [], blockDim, dynamicSmemBytes = 0 } = launchConfig;
  const size = attrs.find(({ id }) => id === cudaLaunchAttributeClusterDimension)?.val;
  let blocks = limits.required || 1;
  let threads = 0;
  const read = call(() => {
    if (size !== undefined) blocks = product(size as Dim3Like);
    threads = product(blockDim);
    return blocks >= 1 && blocks <= limits.most ? cudaSuccess : cudaErrorInvalidValue;
  });
  if (read !== cudaSuccess) return read;
  const each = { value: 0 };
  const failed = cudaOccupancyMaxActiveBlocksPerMultiprocessor(
    each,
    func,
    threads,
    dynamicSmemBytes,
  );
  if (failed !== cudaSuccess) return failed;
  const multiprocessors = { value: 0 };
  const counted = call((thread) =>
    cudaDeviceGetAttribute(multiprocessors, cudaDevAttrMultiProcessorCount, thread.current),
  );
  if (counted === cudaSuccess) {
    numClusters.value = Math.floor((each.value * multiprocessors.value) / blocks);
  }
  return counted;
}
