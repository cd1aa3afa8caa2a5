/** Clusters of thread blocks: what a kernel asks for, and whether a launch may have it. */
import {
  cudaErrorInvalidClusterSize,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../protocol/errors.ts";
import * as P from "../protocol/functions.ts";
import type { KernelFunction } from "./module.ts";

type Extent = readonly [number, number, number];

/** Blocks of a cluster that every device with clusters takes, and those of this one (as an H100). */
const PORTABLE_BLOCKS = 8;
const MAX_BLOCKS = 16;

/** What `cudaFuncSetAttribute` has set about a function's clusters. */
export interface ClusterAttributes {
  /** cudaFuncAttributeRequiredClusterWidth, Height, Depth; 0: not set. */
  required: [number, number, number];
  nonPortable: number;
  policy: number;
}

export const newClusterAttributes = (): ClusterAttributes => ({
  required: [0, 0, 0],
  nonPortable: 0,
  policy: 0,
});

/** The size of clusters that a function's launches must have: by `.reqnctapercluster`, or as set. */
export function requiredCluster({ info, clusters }: KernelFunction): Extent | undefined {
  if (info.clusterDims) return info.clusterDims;
  const [x, y, z] = clusters.required;
  return x + y + z === 0 ? undefined : [x || 1, y || 1, z || 1];
}

/** Blocks that a cluster of a function may have. */
export function mostClusterBlocks({ info, clusters }: KernelFunction): number {
  const most = clusters.nonPortable ? MAX_BLOCKS : PORTABLE_BLOCKS;
  return Math.min(most, info.maxClusterRank ?? most);
}

/**
 * The cluster of a launch.
 * @param grid blocks in x, y, z
 * @param asked the size that the launch asks for, if it does
 * @returns the size, undefined for none, or cudaErrorInvalidClusterSize
 */
export function launchCluster(
  fn: KernelFunction,
  grid: readonly number[],
  asked: Extent | undefined,
): Extent | undefined | number {
  const required = requiredCluster(fn);
  const size = asked ?? required;
  if (size === undefined) return fn.info.explicitCluster ? cudaErrorInvalidClusterSize : undefined;
  if (required?.some((blocks, k) => blocks !== size[k])) return cudaErrorInvalidClusterSize;
  const [x, y, z] = size;
  if (x * y * z === 0 || x * y * z > mostClusterBlocks(fn)) return cudaErrorInvalidClusterSize;
  if (size.some((blocks, k) => grid[k]! % blocks !== 0)) return cudaErrorInvalidClusterSize;
  return size;
}

/** Sets an attribute of a function's clusters. @returns a cudaError_t */
export function setClusterAttribute(fn: KernelFunction, attribute: number, value: number): number {
  const dimension = attribute - P.FUNCTION_CLUSTER_WIDTH;
  if (dimension >= 0 && dimension < 3) {
    if (fn.info.clusterDims || value < 0) return cudaErrorInvalidValue;
    fn.clusters.required[dimension] = value;
    return cudaSuccess;
  }
  if (attribute === P.FUNCTION_CLUSTER_NON_PORTABLE) fn.clusters.nonPortable = value ? 1 : 0;
  else {
    if (value < 0 || value > 2) return cudaErrorInvalidValue;
    fn.clusters.policy = value;
  }
  return cudaSuccess;
}
