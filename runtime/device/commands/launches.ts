/** LAUNCH: the shape is checked here, once, whoever the driver is. */
import * as P from "../../protocol/definitions.ts";
import {
  cudaErrorCooperativeLaunchTooLarge,
  cudaErrorInvalidConfiguration,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorLaunchOutOfResources,
  cudaSuccess,
} from "../../protocol/errors.ts";
import type { Call } from "../call.ts";
import { launchCluster } from "../clusters.ts";
import type { Device } from "../device.ts";
import type { LaunchWork } from "../launch.ts";
import type { KernelFunction } from "../module.ts";
import { activeBlocks } from "../occupancy.ts";
import { MAX_BLOCK_DIM, MAX_GRID_DIM, MAX_THREADS_PER_BLOCK } from "../properties.ts";
import type { RequestSource } from "../source.ts";
import type { Command, CommandFamily } from "../table.ts";

/**
 * Checks a launch's shape as CUDA does.
 * @param fn the kernel
 * @param shape grid x, y, z, block x, y, z
 * @param shared dynamic shared memory, in bytes
 * @returns a cudaError_t
 */
export function checkShape(
  device: Device,
  fn: KernelFunction,
  shape: readonly number[],
  shared: number,
  cooperative: boolean,
): number {
  for (let i = 0; i < 3; i++) {
    const grid = shape[i]!;
    const block = shape[3 + i]!;
    if (grid === 0 || grid > MAX_GRID_DIM[i]!) return cudaErrorInvalidConfiguration;
    if (block === 0 || block > MAX_BLOCK_DIM[i]!) return cudaErrorInvalidConfiguration;
  }
  const threads = shape[3]! * shape[4]! * shape[5]!;
  if (threads > MAX_THREADS_PER_BLOCK) return cudaErrorInvalidConfiguration;
  if (threads > fn.info.maxThreadsPerBlock) return cudaErrorLaunchOutOfResources;
  if (shared > fn.maxDynamicShared) {
    return cooperative ? cudaErrorCooperativeLaunchTooLarge : cudaErrorInvalidValue;
  }
  if (cooperative) {
    const { multiprocessors } = device.description;
    const resident = activeBlocks(fn, threads, shared) * multiprocessors;
    const blocks = shape[0]! * shape[1]! * shape[2]!;
    if (blocks > resident) return cudaErrorCooperativeLaunchTooLarge;
  }
  return cudaSuccess;
}

const shape = [0, 0, 0, 0, 0, 0];

const launch: Command = {
  responseBytes: P.LAUNCH_RESPONSE_SIZE,
  context: true,
  streamQueue: true,
  run(device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    const work = prepareLaunch(device, call);
    if (typeof work === "number") return work;
    call.context.scheduler.enqueue(stream, work);
    return cudaSuccess;
  },
  prepare: prepareLaunch,
};

/** The size of clusters that a launch's flags ask for. */
function clusterOf(flags: number): [number, number, number] | undefined {
  if (flags >>> P.LAUNCH_CLUSTER_X_BIT === 0) return undefined;
  const bits = [P.LAUNCH_CLUSTER_X_BIT, P.LAUNCH_CLUSTER_Y_BIT, P.LAUNCH_CLUSTER_Z_BIT] as const;
  const [x, y, z] = bits.map((bit) => (flags >>> bit) & 0xff) as [number, number, number];
  return [x, y, z];
}

/** Checks a launch and copies its parameters. @returns the work, or a cudaError_t */
function prepareLaunch(device: Device, call: RequestSource): LaunchWork | number {
  const { context } = call;
  const fn = context.functions.get(call.u32(P.LAUNCH_FUNCTION));
  if (fn === undefined) return cudaErrorInvalidResourceHandle;
  for (let i = 0; i < 6; i++) shape[i] = call.u32(P.LAUNCH_GRID_X + 4 * i);
  const shared = call.u32(P.LAUNCH_SHARED_BYTES);
  const flags = call.u32(P.LAUNCH_FLAGS);
  const cooperative = (flags & P.LAUNCH_COOPERATIVE) !== 0;
  const refused = checkShape(device, fn, shape, shared, cooperative);
  if (refused !== cudaSuccess) return refused;
  const cluster = launchCluster(fn, shape, clusterOf(flags));
  if (typeof cluster === "number") return cluster;
  const bytes = call.u32(P.LAUNCH_PARAMETER_BYTES);
  if (bytes !== fn.info.paramBytes) return cudaErrorInvalidValue;
  if (call.inputBytes < bytes) {
    call.detail(P.DETAIL_BAD_LENGTH);
    return cudaErrorInvalidValue;
  }
  const work = device.launches.take(fn, context);
  const { request } = work;
  for (let i = 0; i < 3; i++) {
    request.grid[i] = shape[i]!;
    request.block[i] = shape[3 + i]!;
  }
  request.dynamicSharedBytes = shared;
  request.cooperative = cooperative;
  request.cluster = cluster;
  const target = work.room(bytes);
  if (bytes > 0) call.readInput(0, target, bytes);
  return work;
}

/** The family: LAUNCH. */
export const launchCommands: CommandFamily = new Map([[P.COMMAND_LAUNCH, launch]]);
