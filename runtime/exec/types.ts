import type { CompiledKernel } from "../compiler/index.ts";
import type { GuestMemory } from "../memory/index.ts";

/** Registers of a multiprocessor of compute capability 9.0. */
export const REGISTERS_PER_MULTIPROCESSOR = 65536;

/** A kernel parameter's place in the parameter buffer, bytes. */
export interface ParamInfo {
  offset: number;
  size: number;
  align: number;
}

/** What a launch, and `cudaFuncGetAttributes`, need to know of a kernel. */
export interface KernelInfo {
  name: string;
  params: ParamInfo[];
  paramBytes: number;
  /** Statically sized shared memory of a block, bytes. */
  sharedBytes: number;
  /** Local memory of a thread, bytes. */
  localBytes: number;
  /** The module's constant memory, bytes. */
  constBytes: number;
  numRegs: number;
  maxThreadsPerBlock: number;
  /** The virtual architecture that it was compiled for: 75 for `.target sm_75`. */
  ptxVersion: number;
  /** The kernel reads the cooperative workspace (grid.sync). */
  usesGridSync: boolean;
  /** `.reqnctapercluster`: blocks of a cluster in x, y, z. */
  clusterDims?: [number, number, number] | undefined;
  /** `.explicitcluster`: launches must say the size of their clusters. */
  explicitCluster?: boolean | undefined;
  /** `.maxclusterrank` */
  maxClusterRank?: number | undefined;
}

/** A module-scope variable. */
export interface SymbolInfo {
  name: string;
  /** CUDA pointer. */
  address: number;
  size: number;
  space: "global" | "const";
}

/** A PTX module whose variables have their memory. */
export interface LoadedModule {
  kernels: Map<string, KernelInfo>;
  symbols: Map<string, SymbolInfo>;
  /** Gives back its memory and compiled kernels. */
  unload(): void;
}

/** One launch. Shapes and limits have been checked by the device. */
export interface LaunchRequest {
  module: LoadedModule;
  kernel: string;
  grid: [number, number, number];
  block: [number, number, number];
  dynamicSharedBytes: number;
  /** The parameter buffer, laid out by KernelInfo.params. */
  params: Uint8Array;
  /** Blocks of a cluster in x, y, z, each a divisor of the grid's; undefined: the kernel's own. */
  cluster?: readonly [number, number, number] | undefined;
  /** All blocks must be resident at once (cudaLaunchCooperativeKernel). */
  cooperative: boolean;
  /** Watchdog; 0 for none. */
  timeoutMs: number;
  /** cudaLimitStackSize, bytes a thread; only more than the executor's own stack counts. */
  stackBytes?: number | undefined;
  /** cudaLimitMallocHeapSize, bytes. */
  heapBytes?: number | undefined;
}

/** Why a launch ended early. */
export interface KernelFault {
  /** cudaError_t */
  code: number;
  kind: string;
  kernel: string;
  block: [number, number, number];
  thread: [number, number, number];
  /** CUDA pointer, or the offset in shared or local memory; 0 if there is none. */
  address: number;
  /** Line of the source if the PTX has `.loc`, else of the PTX. */
  line: number;
  file: string;
  message: string;
}

/** What the executor needs of the device. */
export interface ExecHost {
  memory: GuestMemory;
  /**
   * Device memory: its offset in the linear memory, 0 if there is none left.
   * @param managed the host may use it, too
   */
  allocDevice(bytes: number, align: number, managed?: boolean): number;
  freeDevice(offset: number): void;
  /** Output of printf, UTF-8. */
  print(text: Uint8Array): void;
  /** A kernel sets a condition of a graph (cudaGraphSetConditional). */
  setCondition?(condition: number, value: number): void;
  /**
   * Where others than kernels may write while one runs (offsets in the linear memory, from `low` up to
   * `high`); undefined: anywhere.
   */
  hostWrites?(): { low: number; high: number } | undefined;
  /** A kernel starts, by name; or (undefined) it has ended. */
  running?(kernel: string | undefined): void;
}

/** Choices about execution. */
export interface ExecOptions {
  /** Threads that run blocks beside the caller. */
  workers?: number;
  /** "exact" (default): fused multiply-add as IEEE 754 has it, in software where the engine has
   *  none; "unfused": multiply and add where the engine has none. */
  fma?: "exact" | "unfused";
  /** 4: SIMD lane groups of four threads wherever possible; 1: one thread at a time; by default
   *  what is likely to be faster for a kernel. */
  width?: 1 | 4 | undefined;
}

/** All that the code of a kernel is made from, beside the compiler itself. */
export interface KernelSource {
  /** Text of the whole module. */
  ptx: string;
  kernel: string;
  shape: readonly [number, number, number];
  fma: "exact" | "relaxed" | "unfused";
  spills: boolean;
  width: 1 | 4 | undefined;
  /** One thread runs all blocks. */
  alone: boolean;
}

/** Compiled kernels that outlive the process. */
export interface KernelCache {
  /** A kernel that was stored, whole; undefined if there is none. Doesn't throw. */
  get(source: KernelSource): CompiledKernel | undefined;
  /** Stores a kernel if that is possible. Doesn't throw. */
  put(source: KernelSource, kernel: CompiledKernel): void;
}
