/** The ways to execute a kernel that every case is run in. */
import type { DeviceOptions } from "../../index.ts";

const executor = (name: string) => new URL(`../../scripts/kernels/${name}`, import.meta.url).href;

/** Options of the device for each strategy. */
export const STRATEGIES = {
  /** Thread by thread, on one thread. */
  scalar: { workers: 0, executor: executor("scalar-executor.ts") },
  /** Lane groups, on one thread. */
  simd: { workers: 0, executor: executor("group-executor.ts") },
  /** Thread by thread, on two threads. */
  "scalar-workers": { workers: 1, executor: executor("scalar-pool-executor.ts") },
  /** Lane groups, on two threads. */
  workers: { workers: 1, executor: executor("pool-executor.ts") },
} satisfies Record<string, DeviceOptions>;

/** Name of a strategy. */
export type Strategy = keyof typeof STRATEGIES;

/** All of them. */
export const STRATEGY_NAMES = Object.keys(STRATEGIES) as Strategy[];
