import type { Value } from "../ir/ir.ts";
import type { PtxFunction, PtxModule, Variable } from "../ptx/ast.ts";
import { PtxError } from "../ptx/ast.ts";
import type { DeviceLibrary } from "../wasm/library.ts";
import { factsOf } from "./facts.ts";

/** Where module-scope variables lie, relative to the module's segment in device memory. */
export interface ModuleLayout {
  /**
   * Byte offset of each `.global` and `.const` variable, by variable id; of a managed one that of the
   * word with its address, since several devices share it.
   */
  offsets: Map<number, number>;
  /** Bytes of the whole segment. */
  size: number;
  /** Byte offset of each managed variable in the memory that they have of their own, by variable id. */
  managed: Map<number, number>;
  /** Bytes of that. */
  managedSize: number;
  /** Bytes of the `.const` variables, at the front. */
  constBytes: number;
}

const ADDRESS_BYTES = 8;

/** Lays out the `.global` and `.const` variables of a module, constants first. */
export function layoutModule(module: PtxModule): ModuleLayout {
  const offsets = new Map<number, number>();
  const managed = new Map<number, number>();
  let size = 0;
  let managedSize = 0;
  let constBytes = 0;
  const variables = [...module.variables];
  for (const fn of module.functions) variables.push(...fn.locals);
  for (const space of ["const", "global"] as const) {
    for (const v of variables) {
      if (v.space !== space) continue;
      const align = Math.max(v.align, v.size >= 16 ? 16 : 1);
      if (v.managed) {
        size = Math.ceil(size / ADDRESS_BYTES) * ADDRESS_BYTES;
        offsets.set(v.id, size);
        size += ADDRESS_BYTES;
        managedSize = Math.ceil(managedSize / align) * align;
        managed.set(v.id, managedSize);
        managedSize += Math.max(v.size, 1);
        continue;
      }
      size = Math.ceil(size / align) * align;
      offsets.set(v.id, size);
      size += Math.max(v.size, 1);
    }
    if (space === "const") constBytes = size;
  }
  return { offsets, size, managed, managedSize, constBytes };
}

/**
 * Bytes of a block's reserved shared memory, where a kernel uses it: what an H100 says. Cooperative
 * groups use all of it: 32 bytes of barriers, then 8 bytes for each of 32 warps.
 */
export const RESERVED_SHARED_BYTES = 288;

/** What all functions of one kernel share while they are lowered. */
export class KernelContext {
  readonly module: PtxModule;
  readonly layout: ModuleLayout;
  readonly library: DeviceLibrary;
  readonly kernel: PtxFunction;
  /** Functions that can reach themselves, by index. */
  readonly recursive: ReadonlySet<number>;
  /** Functions whose address is taken anywhere in the module, in index order. */
  readonly addressTaken: readonly PtxFunction[];
  /** Functions to compile as WebAssembly functions of their own. */
  readonly realFunctions = new Map<PtxFunction, number>();
  /** Something in the module looks beyond its block: see `ModuleFacts`. */
  readonly usesClusters: boolean;
  private readonly sharedOffsets = new Map<number, number>();
  private readonly dynamicSymbols: { value: Value; offset: number }[] = [];
  private dynamicAlign = 16;
  /** Bytes of statically sized shared memory. */
  sharedBytes = 0;

  constructor(
    module: PtxModule,
    layout: ModuleLayout,
    library: DeviceLibrary,
    kernel: PtxFunction,
  ) {
    this.module = module;
    this.layout = layout;
    this.library = library;
    this.kernel = kernel;
    const { recursive, usesClusters, addressTaken } = factsOf(module);
    this.recursive = recursive;
    this.usesClusters = usesClusters;
    this.addressTaken = addressTaken;
  }

  /** Offset of a shared variable in the block's window, or -1 for dynamic (extern, unsized). */
  sharedOffset(v: Variable): number {
    if (v.linkage === "extern" || v.size === 0) {
      this.dynamicAlign = Math.max(this.dynamicAlign, v.align);
      return -1;
    }
    let offset = this.sharedOffsets.get(v.id);
    if (offset === undefined) {
      offset = Math.ceil(this.sharedBytes / v.align) * v.align;
      this.sharedOffsets.set(v.id, offset);
      this.sharedBytes = offset + v.size;
    }
    return offset;
  }

  private reservedAt = -1;

  /**
   * Offset of the block's reserved shared memory, RESERVED_SHARED_BYTES long; given on first use. The
   * tiles of several warps of cooperative groups keep their barriers there.
   */
  get reservedShared(): number {
    if (this.reservedAt < 0) {
      this.reservedAt = Math.ceil(this.sharedBytes / 16) * 16;
      this.sharedBytes = this.reservedAt + RESERVED_SHARED_BYTES;
    }
    return this.reservedAt;
  }

  /** Notes a constant that becomes the dynamic window's offset plus `offset`. */
  patchDynamic(value: Value, offset: number): void {
    this.dynamicSymbols.push({ value, offset });
  }

  /** Byte offset in the window where dynamic shared memory starts. */
  get dynamicSharedOffset(): number {
    return Math.ceil(this.sharedBytes / this.dynamicAlign) * this.dynamicAlign;
  }

  /** Fills in the dynamic window's offset once all static variables are known. */
  resolveDynamic(): void {
    for (const { value, offset } of this.dynamicSymbols) {
      value.imm = this.dynamicSharedOffset + offset;
    }
  }

  /** The address of a function as a value: 1-based among those whose address is taken. */
  functionAddress(fn: PtxFunction): number {
    return (this.addressTaken.indexOf(fn) + 1) * 16;
  }

  /** Byte offset of a global or constant variable, or of a managed one's address, in the module's segment. */
  moduleOffset(v: Variable): number {
    const offset = this.layout.offsets.get(v.id);
    if (offset === undefined) throw new PtxError(`variable ${v.name} has no address`, v.line, 0);
    return offset;
  }
}
