import {
  type CompiledKernel,
  compileKernel,
  type DeviceLibrary,
  kernelParamOffset,
  type LoweredKernel,
  layoutModule,
  lowerKernel,
  type ModuleLayout,
  mostOperations,
  PtxError,
  type PtxFunction,
  type PtxModule,
  parsePtx,
  type Variable,
} from "../compiler/index.ts";
import type { HelpPolicy } from "./help.ts";
import {
  type ExecHost,
  type KernelCache,
  type KernelInfo,
  type LoadedModule,
  REGISTERS_PER_MULTIPROCESSOR,
  type SymbolInfo,
} from "./types.ts";

type Shape = readonly [number, number, number];

/**
 * What a launch runs of a kernel:
 * - several: code for any number of threads
 * - alone: code for one thread that runs all blocks, if the kernel has atomic operations
 * - brief: scalar code for one thread, which takes half the time to compile
 */
export type Form = "several" | "alone" | "brief";

/** Numbers of the forms, in keys. */
const FORMS: Readonly<Record<Form, number>> = { several: 0, alone: 1, brief: 2 };

/**
 * Operations of all threads of a kernel that run in scalar code at most before the kernel is compiled for
 * lane groups: they take less time than that, even in the engine's first tier.
 */
const BRIEF_OPERATIONS = 1 << 17;
/** What a thread costs beside its operations. */
const THREAD_OPERATIONS = 8;

/** A compiled kernel placed in the worker's function table. */
export interface PlacedKernel {
  compiled: CompiledKernel;
  /** Table index of its first region. */
  table: number;
  /** Address of its cut table. */
  cuts: number;
  /** Number in the worker pool; 0 if it must run on the launching thread alone. */
  pooled: number;
  history: LaunchHistory;
}

/** What is known of a kernel's launches, whichever form of it ran. */
export interface LaunchHistory {
  /** What the last one would have taken one thread, if workers could have helped; 0 before. */
  ms: number;
  /** Blocks of its grid. */
  blocks: number;
  /** Where help is not always worth having. */
  help: HelpPolicy | undefined;
}

/** What a module needs of the executor that made it. */
export interface ModuleOwner {
  readonly host: ExecHost;
  readonly library: DeviceLibrary;
  readonly fma: "exact" | "relaxed" | "unfused";
  readonly spills: boolean;
  readonly width: 1 | 4 | undefined;
  readonly cache: KernelCache | undefined;
  /** @param several the form for several threads, of one for a single thread */
  place(compiled: CompiledKernel, form: Form, several?: PlacedKernel): PlacedKernel;
  release(kernel: PlacedKernel): void;
}

/** Memory of managed variables, and how many modules have it. */
interface ManagedMemory {
  readonly offset: number;
  users: number;
}

/** A module: parsed and lowered at load, its kernels compiled at their first launch. */
export class Module implements LoadedModule {
  readonly kernels = new Map<string, KernelInfo>();
  readonly symbols = new Map<string, SymbolInfo>();
  /** Offset of the module's variables in the linear memory. */
  offset = 0;
  /** The managed variables, which the same module has on every device. */
  private managed: ManagedMemory | undefined;
  private readonly owner: ModuleOwner;
  private readonly source: string;
  private readonly ptx: PtxModule;
  private readonly layout: ModuleLayout;
  private readonly lowered = new Map<string, LoweredKernel>();
  private readonly placed = new Map<string, Map<number, PlacedKernel>>();
  /** Operations of a thread of each kernel, and how many all may still run in its brief form. */
  private readonly brief = new Map<string, { each: number; left: number }>();

  /**
   * @param twin the same module on another device, if it was loaded there before
   * @throws PtxError for what doesn't parse or isn't supported; Error with code 2
   *   (cudaErrorMemoryAllocation) if there is no room for the variables
   */
  constructor(owner: ModuleOwner, source: string, name: string, twin?: Module) {
    this.owner = owner;
    this.source = source;
    this.ptx = parsePtx(source, name);
    this.layout = layoutModule(this.ptx);
    for (const fn of this.ptx.functions) {
      if (fn.kind !== "entry" || !fn.body) continue;
      const lowered = lowerKernel(this.ptx, this.layout, fn, owner.library);
      this.lowered.set(fn.name, lowered);
      this.kernels.set(fn.name, this.describe(fn, lowered));
    }
    this.allocate(twin?.source === source ? twin : undefined);
  }

  private describe(fn: PtxFunction, lowered: LoweredKernel): KernelInfo {
    const params = fn.params.map((p) => ({
      offset: kernelParamOffset(fn, p),
      size: p.size,
      align: p.align,
    }));
    const last = params[params.length - 1];
    const [x, y, z] = fn.reqntid ?? fn.maxntid ?? [1024, 1, 1];
    const constBytes = this.ptx.variables
      .filter((v) => v.space === "const")
      .reduce((sum, v) => sum + v.size, 0);
    return {
      name: fn.name,
      params,
      paramBytes: last ? last.offset + last.size : 0,
      sharedBytes: lowered.context.sharedBytes,
      localBytes: lowered.lowered.localBytes,
      constBytes,
      // What ptxas would allocate is not known; the virtual registers bound it from above.
      numRegs: Math.min(
        fn.maxnreg ?? 255,
        Math.max(16, Math.ceil(lowered.lowered.registers.length / 4)),
        mostRegisters(x * y * z, fn.minnctapersm ?? 1),
      ),
      maxThreadsPerBlock: Math.min(1024, x * y * z),
      ptxVersion: Number(/\d+/.exec(this.ptx.target[0] ?? "")?.[0] ?? 0),
      clusterDims: fn.clusterDims && [...fn.clusterDims],
      explicitCluster: fn.explicitCluster,
      maxClusterRank: fn.maxClusterRank,
      usesGridSync: lowered.lowered.blocks.some((b) =>
        b.values.some((v) => v.op === "sreg" && v.aux.name === "envreg"),
      ),
    };
  }

  /** Gives the module's variables their memory and their initial bytes. */
  private allocate(twin: Module | undefined): void {
    const { host } = this.owner;
    const { size, offsets, managed, managedSize } = this.layout;
    if (size === 0) return;
    this.offset = this.allocateSegment(size, false);
    if (managedSize > 0) this.managed = twin?.managed ?? this.allocateManaged(managedSize);
    const first = this.managed?.users === 0;
    if (this.managed) this.managed.users++;
    const bytes = host.memory.bytes(this.offset, size);
    bytes.fill(0);
    const variables = [...this.ptx.variables, ...this.ptx.functions.flatMap((f) => f.locals)];
    for (const v of variables) {
      const at = offsets.get(v.id);
      if (at === undefined) continue;
      const address = Number(this.addressOf(v));
      if (!managed.has(v.id)) this.initialize(v, bytes.subarray(at, at + v.size));
      else {
        new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(at, BigInt(address), true);
        if (first) this.initialize(v, host.memory.bytes(address - host.memory.base, v.size));
      }
      this.symbols.set(v.name, {
        name: v.name,
        address,
        size: v.size,
        space: v.space as "global" | "const",
      });
    }
  }

  private allocateSegment(size: number, managed: boolean): number {
    const offset = this.owner.host.allocDevice(size, 256, managed);
    if (offset !== 0) return offset;
    this.freeMemory();
    throw Object.assign(new Error(`no memory for ${size} bytes of module variables`), { code: 2 });
  }

  private allocateManaged(size: number): ManagedMemory {
    const offset = this.allocateSegment(size, true);
    this.owner.host.memory.bytes(offset, size).fill(0);
    return { offset, users: 0 };
  }

  private freeMemory(): void {
    const { host } = this.owner;
    if (this.offset !== 0) host.freeDevice(this.offset);
    if (this.managed && --this.managed.users === 0) host.freeDevice(this.managed.offset);
    this.offset = 0;
    this.managed = undefined;
  }

  private initialize(v: Variable, target: Uint8Array): void {
    const { init } = v;
    if (!init) return;
    target.set(init.bytes.subarray(0, target.length));
    for (const r of init.relocations) {
      const address = this.addressOf(r.symbol) + BigInt(r.addend);
      let value = BigInt.asUintN(64, address);
      if (r.mask) {
        let shift = 0n;
        while (!((r.mask >> shift) & 1n)) shift++;
        value = (value & r.mask) >> shift;
      }
      for (let k = 0; k < r.size; k++) {
        target[r.offset + k] = Number((value >> BigInt(8 * k)) & 0xffn);
      }
    }
  }

  private addressOf(symbol: Variable | PtxFunction): bigint {
    if (symbol.kind !== "variable") {
      const any = this.lowered.values().next().value;
      return BigInt(any ? any.context.functionAddress(symbol) : 0);
    }
    const { memory } = this.owner.host;
    const shared = this.layout.managed.get(symbol.id);
    if (shared !== undefined && this.managed) {
      return BigInt(memory.pointerOf(this.managed.offset + shared));
    }
    const at = this.layout.offsets.get(symbol.id);
    if (at === undefined) throw new PtxError(`${symbol.name} has no address`, symbol.line, 0);
    return BigInt(memory.pointerOf(this.offset + at));
  }

  /** The kernel whose address a program has taken, or undefined. */
  kernelAt(address: bigint): string | undefined {
    const any = this.lowered.values().next().value;
    return any?.context.addressTaken.find(
      (fn) => fn.kind === "entry" && BigInt(any.context.functionAddress(fn)) === address,
    )?.name;
  }

  /** The kernel compiled for a block shape, if it has been placed in this form. */
  find(name: string, shape: Shape, form: Form): PlacedKernel | undefined {
    return this.placed.get(name)?.get(keyOf(shape, form));
  }

  /**
   * The kernel compiled for a block shape; compiled and placed on first use.
   * @param form what the launch needs of it
   */
  kernel(name: string, shape: Shape, form: Form): PlacedKernel {
    const known = this.find(name, shape, form);
    if (known) return known;
    const compiled = this.compile(name, shape, form);
    const placed = this.owner.place(compiled, form, this.find(name, shape, "several"));
    const shapes = this.placed.get(name);
    if (shapes) shapes.set(keyOf(shape, form), placed);
    else this.placed.set(name, new Map([[keyOf(shape, form), placed]]));
    return placed;
  }

  /**
   * Whether a launch of a kernel that has no other form yet is to run the brief one: while it has no loops
   * and few of its threads have run. What the launch runs is counted.
   */
  takeBrief(name: string, [x, y, z]: Shape, blocks: number): boolean {
    if (this.owner.width !== undefined) return false;
    let brief = this.brief.get(name);
    if (!brief) {
      const lowered = this.lowered.get(name);
      const each = lowered ? THREAD_OPERATIONS + mostOperations(lowered) : Infinity;
      brief = { each, left: BRIEF_OPERATIONS };
      this.brief.set(name, brief);
    }
    const left = brief.left - x * y * z * blocks * brief.each;
    if (left < 0) return false;
    brief.left = left;
    return true;
  }

  private compile(name: string, shape: Shape, form: Form): CompiledKernel {
    const lowered = this.lowered.get(name);
    if (!lowered) throw new Error(`no kernel ${name}`);
    const { fma, spills, cache } = this.owner;
    const width = form === "brief" ? 1 : this.owner.width;
    const alone = form !== "several";
    const source = { ptx: this.source, kernel: name, shape, fma, spills, width, alone };
    const kept = cache?.get(source);
    if (kept) return kept;
    const compiled = compileKernel(lowered, { fma, spills, shape, width, alone });
    cache?.put(source, compiled);
    return compiled;
  }

  unload(): void {
    for (const shapes of this.placed.values()) {
      for (const kernel of shapes.values()) this.owner.release(kernel);
    }
    this.placed.clear();
    this.freeMemory();
  }
}

const keyOf = ([x, y, z]: Shape, form: Form): number =>
  (x + y * 2048 + z * 2048 * 2048) * 3 + FORMS[form];

/**
 * Registers of a thread with which so many blocks of so many threads are resident at once: ptxas
 * spills the others (PTX ISA §11.4, .maxntid and .minnctapersm). In units of eight.
 */
function mostRegisters(threads: number, blocks: number): number {
  const warps = Math.ceil(Math.min(1024, threads) / 32) * blocks;
  return Math.max(16, Math.floor(REGISTERS_PER_MULTIPROCESSOR / (warps * 32) / 8) * 8);
}
