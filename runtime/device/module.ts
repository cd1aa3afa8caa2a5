/** Modules and functions of a context, as their handles name them. */
import type { KernelFault, KernelInfo, LoadedModule } from "../exec/index.ts";
import { type ClusterAttributes, newClusterAttributes } from "./clusters.ts";
import { SHARED_PER_BLOCK } from "./properties.ts";

export type ExecFault = KernelFault;

/** A kernel that FUNCTION_GET gave a handle to. */
export interface KernelFunction {
  readonly handle: number;
  readonly module: Module;
  /** The part of the module that has it. */
  readonly part: LoadedModule;
  readonly info: KernelInfo;
  /** cudaFuncAttributeMaxDynamicSharedMemorySize: what a launch may ask for, in bytes. */
  maxDynamicShared: number;
  /** cudaFuncAttributePreferredSharedMemoryCarveout: percent, or -1 for the default. */
  carveout: number;
  /** cudaFuncCache*: kept for those who ask. */
  cacheConfig: number;
  readonly clusters: ClusterAttributes;
}

/** A module that MODULE_LOAD made. A program's image has one part for each translation unit. */
export interface Module {
  readonly handle: number;
  readonly parts: readonly LoadedModule[];
  /** Kernel names, in the order of the file. */
  readonly names: readonly string[];
  /** Functions that have a handle, by name. */
  readonly functions: Map<string, KernelFunction>;
}

/** @returns a module without handles to its functions yet */
export function newModule(handle: number, parts: readonly LoadedModule[]): Module {
  const names = parts.flatMap((part) => [...part.kernels.keys()]);
  return { handle, parts, names, functions: new Map() };
}

/** Gives back everything that the executor holds for a module. */
export function unloadModule(module: Module): void {
  for (const part of module.parts) part.unload();
}

/** @returns a function with CUDA's default attributes, or undefined if no part has it */
export function newFunction(
  handle: number,
  module: Module,
  name: string,
): KernelFunction | undefined {
  const part = module.parts.find((candidate) => candidate.kernels.has(name));
  const info = part?.kernels.get(name);
  if (part === undefined || info === undefined) return undefined;
  const maxDynamicShared = Math.max(0, SHARED_PER_BLOCK - info.sharedBytes);
  const clusters = newClusterAttributes();
  return { handle, module, part, info, maxDynamicShared, carveout: -1, cacheConfig: 0, clusters };
}
