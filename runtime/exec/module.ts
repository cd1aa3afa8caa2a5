import {
  type CompiledKernel,
  compileKernel,
  type DeviceLibrary,
  kernelParamOffset,
  type LoweredKernel,
  layoutModule,
  lowerKernel,
  type ModuleLayout,
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
  /** @param beside the form for several threads, of one for a single thread */
  place(compiled: CompiledKernel, beside?: PlacedKernel): PlacedKernel;
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

  /**
   * The kernel compiled for a block shape; compiled and placed on first use.
   * @param alone the form for one thread that runs all blocks, else for several
   */
  kernel(name: string, shape: Shape, alone: boolean): PlacedKernel {
    let shapes = this.placed.get(name);
    if (!shapes) {
      shapes = new Map();
      this.placed.set(name, shapes);
    }
    const several = shape[0] + shape[1] * 2048 + shape[2] * 2048 * 2048;
    const key = alone ? -several : several;
    let placed = shapes.get(key);
    if (!placed) {
      placed = this.owner.place(
        this.compile(name, shape, alone),
        alone ? shapes.get(several) : undefined,
      );
      shapes.set(key, placed);
    }
    return placed;
  }

  private compile(name: string, shape: Shape, alone: boolean): CompiledKernel {
    const lowered = this.lowered.get(name);
    if (!lowered) throw new Error(`no kernel ${name}`);
    const { fma, spills, width, cache } = this.owner;
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

/**
 * Registers of a thread with which so many blocks of so many threads are resident at once: ptxas
 * spills the others (PTX ISA §11.4, .maxntid and .minnctapersm). In units of eight.
 */
function mostRegisters(threads: number, blocks: number): number {
  const warps = Math.ceil(Math.min(1024, threads) / 32) * blocks;
  return Math.max(16, Math.floor(REGISTERS_PER_MULTIPROCESSOR / (warps * 32) / 8) * 8);
}
