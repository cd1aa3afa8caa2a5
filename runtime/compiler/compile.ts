import {
  CUT_BLOCK,
  CUT_BYTES,
  CUT_CLUSTER,
  CUT_CONSTANT,
  CUT_FLAGS,
  CUT_GATHER,
  CUT_KIND,
  CUT_OPERAND,
  CUT_REDUCTION,
  CUT_START,
  CUT_WAIT,
  CUT_WARP,
  FRAME_SLOT_BYTES,
} from "../exec/layout.ts";
import { emitRows } from "./emit/adjacent-rows.ts";
import { constantOperand } from "./emit/frame.ts";
import { GroupEmitter } from "./emit/group.ts";
import { type EmitOptions, KernelEmitter, type RealSignature } from "./emit/kernel.ts";
import { RegionEmitter } from "./emit/region.ts";
import { ROW_BYTES } from "./emit/row-parts.ts";
import {
  type Cut,
  isDeviceAtomic,
  type LoweredFunction,
  type Site,
  sourceSlot,
  type Value,
} from "./ir/ir.ts";
import { chunks } from "./lower/calls.ts";
import { KernelContext, type ModuleLayout } from "./lower/context.ts";
import { FunctionLowering } from "./lower/function.ts";
import { assignSlots, type OptimizedRegion, type PassObserver, RegionMaker } from "./pipeline.ts";
import type { PtxFunction, PtxModule } from "./ptx/ast.ts";
import { PtxError } from "./ptx/ast.ts";
import { cutWaitLoops, hasLoops, waitsForBlocks } from "./regions/waits.ts";
import { type GroupRegion, groupObstacle, groupRegions } from "./simd/group-region.ts";
import { LANES } from "./simd/shapes.ts";
import type { DeviceLibrary } from "./wasm/library.ts";
import { VALTYPE } from "./wasm/opcodes.ts";

/** A kernel as a WebAssembly module, and what its launches need to know. */
export interface CompiledKernel {
  name: string;
  /** Imports `env.memory` and `host.*`, exports `region1` … `regionN`. */
  wasm: Uint8Array<ArrayBuffer>;
  regions: number;
  /** Threads of a lane group: 4 in SIMD code, 1 in scalar code. */
  width: number;
  /** The cut table, as the execution loops read it. */
  cuts: Uint8Array;
  /** Statically sized shared memory of a block, bytes. */
  sharedBytes: number;
  /** Byte offset of dynamic shared memory in the block's window. */
  dynamicSharedOffset: number;
  /** Local memory of one thread, without the stack of called functions. */
  localBytes: number;
  /** The kernel calls functions that need a stack. */
  usesStack: boolean;
  /** Spill slots of one thread, bytes. */
  spillBytes: number;
  /** Exchange frame of one warp, bytes. */
  frameBytes: number;
  /** A call of its region runs BLOCK_RUN blocks in a row. */
  runs: boolean;
  /** Some loop waits for memory: blocks must take turns. */
  waits: boolean;
  /** It looks beyond its block: shared addresses are those of the cluster's window. */
  clusters: boolean;
  /** The part of its operations that are atomic on device memory, 0 to 1. */
  atomics: number;
  hosts: string[];
  sites: Site[];
  registers: number;
}

/** How a kernel is compiled. */
export interface CompileOptions extends EmitOptions {
  /** 1: scalar code; 4: lane groups wherever possible; undefined: what is likely to be faster. */
  width?: 1 | 4 | undefined;
  observe?: PassObserver;
}

/** A kernel in register form, with the functions that it really calls: independent of options. */
export interface LoweredKernel {
  context: KernelContext;
  kernel: PtxFunction;
  lowered: LoweredFunction;
  reals: LoweredFunction[];
  sites: Site[];
}

/**
 * Lowers one kernel of a parsed module: everything that can be refused is refused here.
 * @throws PtxError naming kernel, line and text of what cannot be compiled
 */
export function lowerKernel(
  module: PtxModule,
  layout: ModuleLayout,
  kernel: PtxFunction,
  library: DeviceLibrary,
): LoweredKernel {
  const context = new KernelContext(module, layout, library, kernel);
  const sites: Site[] = [];
  const lowered = new FunctionLowering(context, sites, false).run(kernel);
  cutWaitLoops(lowered);
  const reals: LoweredFunction[] = [];
  for (let k = 0; k < context.realFunctions.size; k++) {
    const fn = [...context.realFunctions.keys()][k];
    reals.push(new FunctionLowering(context, sites, true).run(fn));
  }
  context.resolveDynamic();
  return { context, kernel, lowered, reals, sites };
}

/** How many operations a thread of a kernel runs at most; Infinity if loops or calls decide that. */
export function mostOperations({ lowered, reals }: LoweredKernel): number {
  if (reals.length > 0 || hasLoops(lowered)) return Infinity;
  return lowered.blocks.reduce((sum, b) => sum + b.values.length, 0);
}

/**
 * Compiles a lowered kernel to a WebAssembly module. May be called again with other options.
 * @throws PtxError if its control flow is nested too deeply for the engine
 */
export function compileKernel(from: LoweredKernel, options: CompileOptions): CompiledKernel {
  try {
    return compile(from, options);
  } catch (error) {
    if (error instanceof RangeError && /stack|recursion/i.test(error.message)) {
      const { kernel } = from;
      throw new PtxError("control flow is nested too deeply", kernel.line, 0, kernel.name);
    }
    throw error;
  }
}

/** Optimises a kernel, and prepares it for lane groups where that is possible and worth it. */
function chooseWidth(
  { lowered, reals }: LoweredKernel,
  { shape, width, fma, observe }: CompileOptions,
): { regions: OptimizedRegion[]; groups: GroupRegion[] | undefined } {
  const maker = new RegionMaker(lowered, fma, shape);
  const alone = () => ({ regions: maker.all(1, observe), groups: undefined });
  if (!shape || width === 1 || groupObstacle([], reals.length > 0)) return alone();
  const regions = maker.all(4);
  if (groupObstacle(regions, false)) return alone();
  const grouped = groupRegions(lowered, regions, shape, maker, width !== undefined);
  if (!grouped) return alone();
  if (observe) maker.all(4, observe); // the regions above are changed by now
  return { regions, groups: grouped.groups };
}

function compile(from: LoweredKernel, options: CompileOptions): CompiledKernel {
  const { context, kernel, lowered, reals, sites } = from;
  const { regions, groups } = chooseWidth(from, options);
  const { slots, bytes } = assignSlots(lowered, regions);
  const rows = !groups && regions.length === 1 ? regions[0].rows : undefined;
  const spillBytes = rows ? ROW_BYTES : bytes;
  const frameBytes = Math.max(0, ...lowered.cuts.map(frameBytesOf));
  const localBytes = Math.ceil(lowered.localBytes / 16) * 16;
  const hosts = hostsOf([lowered, ...reals]);
  // Blocks of one region may run several in a call, unless they tell multiprocessors apart.
  const runs = groups !== undefined && regions.length === 1 && !readsRegister(regions[0], "smid");
  const emitter = new KernelEmitter(
    context.library,
    { ...options, clusters: context.usesClusters },
    hosts,
    slots,
    frameBytes,
    localBytes,
    regions.length === 1,
    runs,
  );
  for (const fn of context.realFunctions.keys()) emitter.declareReal(signatureOf(fn));
  regions.forEach(({ region, prologue }, k) => {
    const index = emitter.module.declare();
    const adjacent = rows && emitter.module.declare();
    const { locals, code } = groups
      ? new GroupEmitter(emitter, region, groups[k]).emit()
      : new RegionEmitter(emitter, region, prologue, undefined, adjacent).emit();
    if (rows && adjacent !== undefined) emitRows(emitter, rows, adjacent);
    const { i32 } = VALTYPE;
    emitter.module.define(index, { params: [i32, i32, i32], results: [i32] }, locals, code);
    emitter.module.export(`region${k + 1}`, index);
  });
  for (const [k, fn] of reals.entries()) emitReal(emitter, fn, k, options);
  return {
    name: kernel.name,
    wasm: emitter.module.build(),
    regions: regions.length,
    width: groups ? LANES : 1,
    cuts: cutTable(lowered.cuts),
    sharedBytes: context.sharedBytes,
    dynamicSharedOffset: context.dynamicSharedOffset,
    localBytes,
    usesStack: reals.length > 0,
    spillBytes,
    frameBytes,
    runs,
    waits: waitsForBlocks(lowered),
    clusters: context.usesClusters,
    atomics: shareOfAtomics([lowered, ...reals]),
    hosts: [...hosts],
    sites,
    registers: lowered.registers.length,
  };
}

function readsRegister({ region, prologue }: OptimizedRegion, name: string): boolean {
  const reads = (v: Value) => v.op === "sreg" && v.aux.name === name;
  return prologue.some(reads) || region.blocks.some((b) => b.values.some(reads));
}

function signatureOf(fn: PtxFunction): RealSignature {
  return {
    params: chunks(fn.params).map((c) => c.type),
    results: chunks(fn.returns).map((c) => c.type),
  };
}

function emitReal(
  emitter: KernelEmitter,
  fn: LoweredFunction,
  number: number,
  options: CompileOptions,
): void {
  const maker = new RegionMaker(fn, options.fma, options.shape);
  const { region, prologue } = maker.make(undefined, new Set(), 1, options.observe);
  const type = emitter.realType(number);
  // Every call takes at least 32 bytes of stack, so that runaway recursion ends at the limit.
  const frameBytes = Math.max(32, Math.ceil(fn.localBytes / 16) * 16);
  const real = { params: type.params.length, results: emitter.realResults(number), frameBytes };
  const { locals, code } = new RegionEmitter(emitter, region, prologue, real).emit();
  emitter.module.define(emitter.realFunction(number), type, locals, code);
}

function hostsOf(functions: LoweredFunction[]): Set<string> {
  const names = new Set<string>();
  for (const fn of functions) {
    for (const b of fn.blocks) {
      for (const v of b.values) if (v.op === "host") names.add(v.aux.name as string);
    }
  }
  return names;
}

/**
 * The part of all operations that are atomic. Library functions `atom_…` are; those on shared memory, which
 * one worker owns, end in `_cta`.
 */
function shareOfAtomics(functions: LoweredFunction[]): number {
  const all = functions.flatMap((fn) => fn.blocks.flatMap((b) => b.values));
  const operations = all.filter((v) => !/^(const|regread|regwrite)$/.test(v.op));
  return operations.filter(isDeviceAtomic).length / Math.max(1, operations.length);
}

function frameBytesOf(cut: Cut): number {
  return sourceSlot(cut, cut.sources.length) * FRAME_SLOT_BYTES + cut.scratchBytes;
}

const KINDS = {
  block: CUT_BLOCK,
  warp: CUT_WARP,
  gather: CUT_GATHER,
  wait: CUT_WAIT,
  cluster: CUT_CLUSTER,
};
const REDUCTIONS: Record<string, number> = { popc: 1, and: 2, or: 3 };

/** The table that tells the execution loops what each entry waits for. */
function cutTable(cuts: Cut[]): Uint8Array {
  const bytes = new Uint8Array((cuts.length + 1) * CUT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(CUT_KIND, CUT_START, true);
  for (const cut of cuts) {
    const at = (cut.entry - 1) * CUT_BYTES;
    const operand = constantOperand(cut);
    view.setUint32(at + CUT_KIND, KINDS[cut.kind], true);
    view.setUint32(at + CUT_FLAGS, operand ? CUT_CONSTANT : 0, true);
    view.setUint32(at + CUT_OPERAND, (operand?.value ?? 0) >>> 0, true);
    view.setUint32(at + CUT_REDUCTION, REDUCTIONS[cut.reduction ?? ""] ?? 0, true);
  }
  return bytes;
}
