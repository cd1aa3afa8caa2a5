/** Occupancy: how many blocks of a kernel one multiprocessor holds, by CUDA's own limits. */
import { REGISTERS_PER_MULTIPROCESSOR } from "../exec/types.ts";
import type { KernelFunction } from "./module.ts";
import {
  BLOCKS_PER_MULTIPROCESSOR,
  MAX_THREADS_PER_BLOCK,
  SHARED_PER_MULTIPROCESSOR,
  SHARED_RESERVED,
  THREADS_PER_MULTIPROCESSOR,
  WARP_SIZE,
} from "./properties.ts";

/** Registers are given to warps in units of 256, shared memory to blocks in units of 128 bytes. */
const REGISTER_UNIT = 256;
const SHARED_UNIT = 128;

/**
 * Blocks of a function that fit one multiprocessor at once (CUDA's occupancy calculator for 9.0).
 * @param fn the kernel
 * @param threads of a block
 * @param dynamicShared bytes of a block
 * @returns 0 … 32; 0 if not even one fits
 */
export function activeBlocks(fn: KernelFunction, threads: number, dynamicShared: number): number {
  const { info } = fn;
  if (threads <= 0 || threads > Math.min(info.maxThreadsPerBlock, MAX_THREADS_PER_BLOCK)) return 0;
  if (dynamicShared > fn.maxDynamicShared) return 0;
  const warps = Math.ceil(threads / WARP_SIZE);
  const byThreads = Math.floor(THREADS_PER_MULTIPROCESSOR / (warps * WARP_SIZE));
  const perWarp = Math.ceil((info.numRegs * WARP_SIZE) / REGISTER_UNIT) * REGISTER_UNIT;
  const byRegisters =
    perWarp > 0
      ? Math.floor(Math.floor(REGISTERS_PER_MULTIPROCESSOR / perWarp) / warps)
      : BLOCKS_PER_MULTIPROCESSOR;
  const shared = info.sharedBytes + dynamicShared + SHARED_RESERVED;
  const perBlock = Math.ceil(shared / SHARED_UNIT) * SHARED_UNIT;
  const byShared = Math.floor(SHARED_PER_MULTIPROCESSOR / perBlock);
  return Math.min(BLOCKS_PER_MULTIPROCESSOR, byThreads, byRegisters, byShared);
}

/**
 * Dynamic shared memory that each of `blocks` resident blocks can have.
 * @param blocks of a multiprocessor, more than 0
 * @returns bytes, at most what the function may ask for
 */
export function availableShared(fn: KernelFunction, blocks: number): number {
  const each = Math.floor(SHARED_PER_MULTIPROCESSOR / blocks / SHARED_UNIT) * SHARED_UNIT;
  const left = each - SHARED_RESERVED - fn.info.sharedBytes;
  return Math.max(0, Math.min(left, fn.maxDynamicShared));
}
