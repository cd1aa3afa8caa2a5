/** What can be set and asked about functions, and the context's limits. */
import {
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../../protocol/errors.ts";
import * as P from "../../protocol/functions.ts";
import type { Call } from "../call.ts";
import { mostClusterBlocks, requiredCluster, setClusterAttribute } from "../clusters.ts";
import type { Device } from "../device.ts";
import { activeBlocks, availableShared } from "../occupancy.ts";
import { SHARED_PER_BLOCK_OPTIN } from "../properties.ts";
import type { Command, CommandFamily } from "../table.ts";

const attributes: Command = {
  responseBytes: P.FUNCTION_ATTRIBUTES_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const fn = call.context.functions.get(call.u32(P.FUNCTION_ATTRIBUTES_FUNCTION));
    if (fn === undefined) return cudaErrorInvalidResourceHandle;
    call.set32(P.FUNCTION_ATTRIBUTES_MAX_DYNAMIC_SHARED, fn.maxDynamicShared);
    call.set32(P.FUNCTION_ATTRIBUTES_CARVEOUT, fn.carveout);
    call.set32(P.FUNCTION_ATTRIBUTES_CACHE_CONFIG, fn.cacheConfig);
    const [x, y, z] = requiredCluster(fn) ?? [0, 0, 0];
    call.set32(P.FUNCTION_ATTRIBUTES_CLUSTER_WIDTH, x);
    call.set32(P.FUNCTION_ATTRIBUTES_CLUSTER_HEIGHT, y);
    call.set32(P.FUNCTION_ATTRIBUTES_CLUSTER_DEPTH, z);
    const own = fn.info.explicitCluster || fn.info.clusterDims !== undefined;
    call.set32(P.FUNCTION_ATTRIBUTES_CLUSTER_REQUIRED, own ? 1 : 0);
    call.set32(P.FUNCTION_ATTRIBUTES_CLUSTER_POLICY, fn.clusters.policy);
    call.set32(P.FUNCTION_ATTRIBUTES_CLUSTER_NON_PORTABLE, fn.clusters.nonPortable);
    call.set32(P.FUNCTION_ATTRIBUTES_CLUSTER_BLOCKS, mostClusterBlocks(fn));
    return cudaSuccess;
  },
};

const set: Command = {
  responseBytes: P.FUNCTION_SET_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const fn = call.context.functions.get(call.u32(P.FUNCTION_SET_FUNCTION));
    if (fn === undefined) return cudaErrorInvalidResourceHandle;
    const value = call.u32(P.FUNCTION_SET_VALUE) | 0;
    switch (call.u32(P.FUNCTION_SET_ATTRIBUTE)) {
      case P.FUNCTION_MAX_DYNAMIC_SHARED:
        if (value < 0 || value + fn.info.sharedBytes > SHARED_PER_BLOCK_OPTIN) {
          return cudaErrorInvalidValue;
        }
        fn.maxDynamicShared = value;
        return cudaSuccess;
      case P.FUNCTION_CARVEOUT:
        if (value < -1 || value > 100) return cudaErrorInvalidValue;
        fn.carveout = value;
        return cudaSuccess;
      case P.FUNCTION_CACHE_CONFIG:
        if (value < 0 || value > 3) return cudaErrorInvalidValue;
        fn.cacheConfig = value;
        return cudaSuccess;
      case P.FUNCTION_CLUSTER_WIDTH:
      case P.FUNCTION_CLUSTER_HEIGHT:
      case P.FUNCTION_CLUSTER_DEPTH:
      case P.FUNCTION_CLUSTER_NON_PORTABLE:
      case P.FUNCTION_CLUSTER_POLICY:
        return setClusterAttribute(fn, call.u32(P.FUNCTION_SET_ATTRIBUTE), value);
      default:
        return cudaErrorInvalidValue;
    }
  },
};

const occupancy: Command = {
  responseBytes: P.OCCUPANCY_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const fn = call.context.functions.get(call.u32(P.OCCUPANCY_FUNCTION));
    if (fn === undefined) return cudaErrorInvalidResourceHandle;
    const threads = call.u32(P.OCCUPANCY_THREADS) | 0;
    if (threads <= 0) return cudaErrorInvalidValue;
    call.set32(P.OCCUPANCY_BLOCKS, activeBlocks(fn, threads, call.u64(P.OCCUPANCY_SHARED_BYTES)));
    return cudaSuccess;
  },
};

const occupancyShared: Command = {
  responseBytes: P.OCCUPANCY_SHARED_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const fn = call.context.functions.get(call.u32(P.OCCUPANCY_SHARED_FUNCTION));
    if (fn === undefined) return cudaErrorInvalidResourceHandle;
    const threads = call.u32(P.OCCUPANCY_SHARED_THREADS) | 0;
    const blocks = call.u32(P.OCCUPANCY_SHARED_BLOCKS) | 0;
    if (blocks <= 0 || activeBlocks(fn, threads, 0) < blocks) return cudaErrorInvalidValue;
    call.set32(P.OCCUPANCY_SHARED_AVAILABLE, availableShared(fn, blocks));
    return cudaSuccess;
  },
};

/** Limits that a context has, with their defaults and largest values, in cudaLimit's units. */
const LIMITS: ReadonlyMap<number, { readonly value: number; readonly most: number }> = new Map([
  [P.LIMIT_STACK_SIZE, { value: 1024, most: 512 << 10 }],
  [P.LIMIT_PRINTF_FIFO_SIZE, { value: 1 << 20, most: 2 ** 32 }],
  [P.LIMIT_MALLOC_HEAP_SIZE, { value: 8 << 20, most: 2 ** 32 }],
  [P.LIMIT_PENDING_LAUNCHES, { value: 2048, most: 2 ** 31 }],
  [P.LIMIT_L2_FETCH_GRANULARITY, { value: 64, most: 128 }],
  [P.LIMIT_PERSISTING_L2_SIZE, { value: 0, most: 32768000 }],
]);

const limitGet: Command = {
  responseBytes: P.LIMIT_GET_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const limit = call.u32(P.LIMIT_GET_LIMIT);
    const known = LIMITS.get(limit);
    if (known === undefined) return cudaErrorInvalidValue;
    call.set64(P.LIMIT_GET_VALUE, call.context.limits.get(limit) ?? known.value);
    return cudaSuccess;
  },
};

const limitSet: Command = {
  responseBytes: P.LIMIT_SET_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const limit = call.u32(P.LIMIT_SET_LIMIT);
    const known = LIMITS.get(limit);
    if (known === undefined) return cudaErrorInvalidValue;
    const value = call.u64(P.LIMIT_SET_VALUE);
    if (value > known.most) return cudaErrorInvalidValue;
    call.context.limits.set(limit, value);
    return cudaSuccess;
  },
};

/** The family: FUNCTION_ATTRIBUTES, FUNCTION_SET, OCCUPANCY*, LIMIT_*. */
export const functionCommands: CommandFamily = new Map([
  [P.COMMAND_FUNCTION_ATTRIBUTES, attributes],
  [P.COMMAND_FUNCTION_SET, set],
  [P.COMMAND_OCCUPANCY, occupancy],
  [P.COMMAND_OCCUPANCY_SHARED, occupancyShared],
  [P.COMMAND_LIMIT_GET, limitGet],
  [P.COMMAND_LIMIT_SET, limitSet],
]);
