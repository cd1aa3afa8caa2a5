import { isDeviceAtomic, type Type, type Value } from "../ir/ir.ts";
import type { DeviceLibrary, LibraryFunction, LibraryLinker } from "../wasm/library.ts";
import { ModuleBuilder } from "../wasm/module.ts";
import { VALTYPE } from "../wasm/opcodes.ts";
import { defineAddressFault, defineFault, definePoll, HOST_TYPES } from "./helpers.ts";
import { valtypeOf } from "./locals.ts";

/** Choices that change the code of a kernel. */
export interface EmitOptions {
  /** How `fma` is computed: "exact" in software, "relaxed" by the engine's fused instruction. */
  fma: "exact" | "relaxed" | "unfused";
  /** The block's shape, if the kernel is specialised on it. */
  shape: readonly [number, number, number] | undefined;
  /** Shared addresses are offsets in the cluster's window, not in the block's own. */
  clusters?: boolean;
  /**
   * Vectors beyond the registers are kept in memory by the code, and shifted to the left by products:
   * for an engine that chooses badly among them, and shifts slowly (JavaScriptCore on x86).
   */
  spills?: boolean;
  /** One thread runs all blocks: atomic operations on device memory need not be atomic. */
  alone?: boolean;
}

/** A function that is really called: its chunks' types. */
export interface RealSignature {
  params: Type[];
  results: Type[];
}

/** What the regions and real functions of one kernel share while they are written. */
export class KernelEmitter {
  readonly module = new ModuleBuilder();
  readonly options: EmitOptions;
  readonly addressFault: number;
  readonly faultFunction: number;
  readonly poll: number;
  /** Bytes of one warp's exchange frame; 0 if the kernel exchanges nothing. */
  readonly frameBytes: number;
  /** Local memory of the kernel's own frame, bytes a thread; called functions follow. */
  readonly localBytes: number;
  /** The kernel has one region: no thread ever stops before its end. */
  readonly single: boolean;
  /** A call of its region runs BLOCK_RUN blocks in a row (x). */
  readonly runs: boolean;
  /** Spill slots: byte offset of each register's slot for a block of one thread. */
  readonly slots: Map<number, number>;
  private readonly hosts = new Map<string, number>();
  private readonly deviceLibrary: DeviceLibrary;
  readonly linker: LibraryLinker;
  private readonly reals: { index: number; signature: RealSignature }[] = [];

  constructor(
    library: DeviceLibrary,
    options: EmitOptions,
    hosts: Iterable<string>,
    slots: Map<number, number>,
    frameBytes: number,
    localBytes: number,
    single: boolean,
    runs: boolean,
  ) {
    this.single = single;
    this.runs = runs;
    this.localBytes = localBytes;
    this.options = options;
    this.deviceLibrary = library;
    this.slots = slots;
    this.frameBytes = frameBytes;
    const names = new Set(["now", ...hosts]);
    for (const name of names) {
      this.hosts.set(name, this.module.importFunction("host", name, HOST_TYPES[name]));
    }
    this.faultFunction = defineFault(this.module);
    this.addressFault = defineAddressFault(this.module, this.faultFunction);
    this.poll = definePoll(this.module, this.faultFunction, this.host("now"));
    for (const rare of [this.faultFunction, this.addressFault, this.poll]) {
      this.module.callRarely(rare);
    }
    this.linker = library.linker(this.module);
  }

  /** The index of a device library function, linked on first use. */
  library(name: string): number {
    return this.linker.place(this.libraryFunction(name).index);
  }

  /** The index of the device library function that an operation calls. */
  libraryOf(v: Value): number {
    const name = v.aux.name as string;
    const plain = `${name}_cta`;
    const alone = this.options.alone === true && isDeviceAtomic(v) && !v.aux.system;
    return this.library(alone && this.hasLibrary(plain) ? plain : name);
  }

  libraryFunction(name: string): LibraryFunction {
    const fn = this.deviceLibrary.find(name);
    if (!fn) throw new Error(`the device library has no ${name}`);
    return fn;
  }

  hasLibrary(name: string): boolean {
    return this.deviceLibrary.find(name) !== undefined;
  }

  /** Threads of a block, if the kernel is specialised on the block's shape; else 0. */
  get threads(): number {
    const { shape } = this.options;
    return shape ? shape[0] * shape[1] * shape[2] : 0;
  }

  host(name: string): number {
    return this.hosts.get(name) as number;
  }

  declareReal(signature: RealSignature): number {
    this.reals.push({ index: this.module.declare(), signature });
    return this.reals.length - 1;
  }

  realFunction(number: number): number {
    return this.reals[number].index;
  }

  realResults(number: number): Type[] {
    return this.reals[number].signature.results;
  }

  /** The WebAssembly type of a real function: (context, thread, stack, chunks…) → (status, chunks…). */
  realType(number: number): { params: number[]; results: number[] } {
    const { params, results } = this.reals[number].signature;
    const { i32 } = VALTYPE;
    return {
      params: [i32, i32, i32, ...params.map(valtypeOf)],
      results: [i32, ...results.map(valtypeOf)],
    };
  }
}
