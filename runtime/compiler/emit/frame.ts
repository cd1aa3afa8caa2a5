import {
  BLOCK_CLUSTER,
  BLOCK_FRAME,
  BLOCK_LAUNCH,
  BLOCK_LOCAL,
  BLOCK_PC,
  BLOCK_SHARED,
  BLOCK_SINK,
  BLOCK_SPILL,
  FRAME_SLOT_BYTES,
  LAUNCH_CLUSTER_SHARED,
  LAUNCH_HEAP_BYTES,
  LAUNCH_HEAP_LOW,
  LAUNCH_LOCAL_BYTES,
  LAUNCH_PARAMS,
  LAUNCH_THREADS,
  LAUNCH_TOTAL_SHARED,
  PC_READY,
} from "../../exec/layout.ts";
import { type Cut, F32, F64, I1, I32, I64, type Region, type Type, type Value } from "../ir/ir.ts";
import type { InlineTarget } from "../wasm/library.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { CodeWriter } from "../wasm/writer.ts";
import { FUEL } from "./helpers.ts";
import type { KernelEmitter } from "./kernel.ts";
import { valtypeOf } from "./locals.ts";

export const LOADS: Record<number, number> = {
  [I1]: OP.i32_load,
  [I32]: OP.i32_load,
  [I64]: OP.i64_load,
  [F32]: OP.f32_load,
  [F64]: OP.f64_load,
};
export const STORES: Record<number, number> = {
  [I1]: OP.i32_store,
  [I32]: OP.i32_store,
  [I64]: OP.i64_store,
  [F32]: OP.f32_store,
  [F64]: OP.f64_store,
};
/** What library functions written in place may add to one function, bytes. */
const MAX_INLINED_BYTES = 16384;

export const wide = (type: Type) => type === I64 || type === F64;

/**
 * What every function of a kernel is written with: fields of the block context and the launch
 * record loaded once (`pins`), values of each thread or lane group (`top`), temporaries.
 */
export abstract class FunctionFrame implements InlineTarget {
  readonly kernel: KernelEmitter;
  readonly region: Region;
  w = new CodeWriter(2048);
  /** Code at the function's start: loads from the context and the launch record. */
  readonly pins = new CodeWriter(256);
  /** Code at the start of each thread or lane group. */
  readonly top = new CodeWriter(128);
  readonly extra: number[] = [];
  readonly firstLocal: number;
  /** Local that holds the linear index of the (first) thread. */
  abstract readonly thread: number;
  /** Locals of placed values, before the temporaries. */
  placedLocals = 0;
  fuel = -1;
  /** Small library functions are written in place of their calls. */
  inlines = true;
  private inlinedBytes = 0;
  private readonly inlineLocals = new Map<number, number[]>();
  private readonly pinned = new Map<string, number>();
  private readonly late = new Map<string, number>();
  /** Code behind the prologue's values. */
  readonly lateCode = new CodeWriter(128);

  constructor(kernel: KernelEmitter, region: Region, firstLocal: number) {
    this.kernel = kernel;
    this.region = region;
    this.firstLocal = firstLocal;
  }

  /** Runs `write` with another writer as the current one. */
  withWriter(w: CodeWriter, write: () => void): CodeWriter {
    const before = this.w;
    this.w = w;
    write();
    this.w = before;
    return w;
  }

  /** A fresh local of an IR type. */
  temporary(type: Type): number {
    return this.temporaryOf(valtypeOf(type));
  }

  /** A fresh local of a WebAssembly type. */
  temporaryOf(valtype: number): number {
    this.extra.push(valtype);
    return this.firstLocal + this.placedLocals + this.extra.length - 1;
  }

  /** Calls a device library function, or writes it in place: its operands are on the stack. */
  callLibrary(name: string): void {
    const fn = this.kernel.libraryFunction(name);
    const inline = this.inlines && this.inlinedBytes < MAX_INLINED_BYTES;
    this.inlinedBytes += this.kernel.linker.call(fn, this.w, inline ? this : undefined);
  }

  /** Locals for the code of one function written in place; the next one gets the same. */
  takeLocals(types: number[]): number[] {
    const used = new Map<number, number>();
    return types.map((type) => {
      const pool = this.inlineLocals.get(type) ?? [];
      this.inlineLocals.set(type, pool);
      const k = used.get(type) ?? 0;
      used.set(type, k + 1);
      if (k === pool.length) pool.push(this.temporaryOf(type));
      return pool[k];
    });
  }

  /**
   * Pushes a v128 constant: from a local that is set once, from a global whose value engines don't
   * know, since they make a constant anew at each use; but for zeros and ones, which are cheap.
   */
  pushConstant(bytes: Uint8Array, w = this.w): void {
    const [first] = bytes;
    if ((first === 0 || first === 255) && bytes.every((x) => x === first)) {
      w.op(OP.v128_const);
      w.raw(bytes);
      return;
    }
    const key = `constant ${String.fromCharCode(...bytes)}`;
    let local = this.pinned.get(key);
    if (local === undefined) {
      local = this.temporaryOf(VALTYPE.v128);
      this.pinned.set(key, local);
      this.pins.op(OP.global_get);
      this.pins.u32(this.kernel.module.vectorGlobal(bytes));
      this.pins.localSet(local);
    }
    w.localGet(local);
  }

  /** A local set once at the function's start. */
  pin(key: string, type: Type, write: (p: CodeWriter) => void): number {
    let local = this.pinned.get(key);
    if (local === undefined) {
      local = this.temporary(type);
      this.pinned.set(key, local);
      write(this.pins);
      this.pins.localSet(local);
    }
    return local;
  }

  /** A local set once, when the values that are the same for the whole block are there. */
  afterPrologue(key: string, type: number, write: (w: CodeWriter) => void): number {
    return this.setLate(this.lateCode, key, type, write);
  }

  protected setLate(
    code: CodeWriter,
    key: string,
    type: number,
    write: (w: CodeWriter) => void,
  ): number {
    let local = this.late.get(key);
    if (local === undefined) {
      local = this.temporaryOf(type);
      this.late.set(key, local);
      write(code);
      code.localSet(local);
    }
    return local;
  }

  /** A local set at the start of each thread. */
  perThread(key: string, write: (t: CodeWriter) => void): number {
    let local = this.pinned.get(key);
    if (local === undefined) {
      local = this.temporary(I32);
      this.pinned.set(key, local);
      write(this.top);
      this.top.localSet(local);
    }
    return local;
  }

  /** A pointer field of the block context. */
  pinAddress(offset: number): number {
    return this.pin(`block ${offset}`, I32, (p) => {
      p.localGet(0);
      p.mem(OP.i32_load, 2, offset);
    });
  }

  /** Where lanes that are not active may store what nobody reads. */
  sink(): number {
    return this.pin("sink", I32, (p) => {
      p.localGet(0);
      p.i32Const(BLOCK_SINK);
      p.op(OP.i32_add);
    });
  }

  launch(): number {
    return this.pinAddress(BLOCK_LAUNCH);
  }

  /** A 32-bit field of the launch record. */
  pinLaunch(offset: number): number {
    const launch = this.launch();
    return this.pin(`launch ${offset}`, I32, (p) => {
      p.localGet(launch);
      p.mem(OP.i32_load, 2, offset);
    });
  }

  /** A 64-bit field of the launch record. */
  pinLaunch64(offset: number): number {
    const launch = this.launch();
    return this.pin(`launch64 ${offset}`, I64, (p) => {
      p.localGet(launch);
      p.mem(OP.i64_load, 3, offset);
    });
  }

  threads(): number {
    return this.pinLaunch(LAUNCH_THREADS);
  }

  heapLow(): number {
    return this.pinLaunch64(LAUNCH_HEAP_LOW);
  }

  /** First value, of addresses rotated by `shift`, that is out of range for `size` bytes. */
  genericBound(size: number, shift: number): number {
    const bytes = this.pinLaunch64(LAUNCH_HEAP_BYTES);
    return this.pin(`bound ${size} ${shift}`, I64, (p) => {
      p.localGet(bytes);
      p.i64Const(BigInt(size));
      p.op(OP.i64_sub);
      p.i64Const(BigInt(shift));
      p.op(OP.i64_shr_u);
      p.i64Const(1n);
      p.op(OP.i64_add);
    });
  }

  /** The same as 32 bits, for vectors; a bound of 2³² becomes 2³² - 1. */
  genericBound32(size: number, shift: number): number {
    const whole = this.genericBound(size, shift);
    return this.pin(`bound32 ${size} ${shift}`, I32, (p) => {
      p.localGet(whole);
      p.op(OP.i32_wrap_i64);
      p.i32Const(-1);
      p.localGet(whole);
      p.i64Const(0xffffffffn);
      p.op(OP.i64_le_u);
      p.op(OP.select);
    });
  }

  /** The same for a window of shared or local memory, which may be smaller than the access. */
  windowBound(space: "shared" | "local", size: number, shift: number): number {
    const shared = this.kernel.options.clusters ? LAUNCH_CLUSTER_SHARED : LAUNCH_TOTAL_SHARED;
    const bytes = this.pinLaunch(space === "shared" ? shared : LAUNCH_LOCAL_BYTES);
    return this.pin(`bound ${space} ${size} ${shift}`, I32, (p) => {
      p.localGet(bytes);
      p.i32Const(size);
      p.op(OP.i32_sub);
      p.i32Const(shift);
      p.op(OP.i32_shr_u);
      p.i32Const(1);
      p.op(OP.i32_add);
      p.i32Const(0);
      p.localGet(bytes);
      p.i32Const(size);
      p.op(OP.i32_ge_u);
      p.op(OP.select);
    });
  }

  /** Pushes the start of the shared window (the block's or its cluster's) or of local memory. */
  pushWindow(space: "shared" | "local"): void {
    const { clusters } = this.kernel.options;
    if (space === "shared")
      this.w.localGet(this.pinAddress(clusters ? BLOCK_CLUSTER : BLOCK_SHARED));
    else this.w.localGet(this.localBase());
  }

  localBase(): number {
    const base = this.pinAddress(BLOCK_LOCAL);
    const bytes = this.pinLaunch(LAUNCH_LOCAL_BYTES);
    return this.perThread("local", (t) => {
      t.localGet(base);
      t.localGet(this.thread);
      t.localGet(bytes);
      t.op(OP.i32_mul);
      t.op(OP.i32_add);
    });
  }

  pushParam(v: Value): void {
    const params = this.pinLaunch(LAUNCH_PARAMS);
    const size = v.aux.size as number;
    this.w.localGet(params);
    const code = size === 1 ? OP.i32_load8_u : size === 2 ? OP.i32_load16_u : LOADS[v.type];
    this.w.mem(code, 31 - Math.clz32(size), v.imm);
  }

  /** context pointer + thread << shift, as an address of an array indexed by thread. */
  scaled(t: CodeWriter, offset: number, shift: number): void {
    t.localGet(this.pinAddress(offset));
    t.localGet(this.thread);
    t.i32Const(shift);
    t.op(OP.i32_shl);
    t.op(OP.i32_add);
  }

  /** Pushes the address of a register's slot for this thread; returns the static offset. */
  pushSlot(register: number, type: Type): number {
    const shift = wide(type) ? 3 : 2;
    const local = this.perThread(`spill${shift}`, (t) => this.scaled(t, BLOCK_SPILL, shift));
    const slot = this.kernel.slots.get(register) as number;
    const { shape } = this.kernel.options;
    this.w.localGet(local);
    if (shape) return slot * roundedThreads(shape);
    if (slot === 0) return 0;
    const threads = this.threads();
    const at = this.pin(`slot ${slot}`, I32, (p) => {
      // Slots are spaced for a whole number of groups of four threads.
      p.localGet(threads);
      p.i32Const(3);
      p.op(OP.i32_add);
      p.i32Const(-4);
      p.op(OP.i32_and);
      p.i32Const(slot);
      p.op(OP.i32_mul);
    });
    this.w.localGet(at);
    this.w.op(OP.i32_add);
    return 0;
  }

  /** Pushes the address of this thread's element in frame slot 0; slots are 256 bytes apart. */
  pushFrame(type: Type): void {
    const shift = wide(type) ? 3 : 2;
    const frame = this.pinAddress(BLOCK_FRAME);
    const local = this.perThread(`frame${shift}`, (t) => {
      t.localGet(frame);
      t.localGet(this.thread);
      t.i32Const(5);
      t.op(OP.i32_shr_u);
      t.i32Const(this.kernel.frameBytes);
      t.op(OP.i32_mul);
      t.op(OP.i32_add);
      t.localGet(this.thread);
      t.i32Const(31);
      t.op(OP.i32_and);
      t.i32Const(shift);
      t.op(OP.i32_shl);
      t.op(OP.i32_add);
    });
    this.w.localGet(local);
  }

  /** The warp-wide operation of the cut that the region starts behind, once for each warp. */
  warpOperation(from: Cut, masked: number, first: number, shift: number): CodeWriter {
    const threads = this.threads();
    const frame = this.pinAddress(BLOCK_FRAME);
    const pc = this.pinAddress(BLOCK_PC);
    const warp = this.temporary(I32);
    const left = this.temporary(I32);
    const own = this.temporary(I32);
    const ready = this.kernel.library("ready_lanes");
    return this.withWriter(new CodeWriter(128), () => {
      const { w } = this;
      w.localGet(first);
      w.i32Const(shift);
      w.op(OP.i32_shr_u);
      w.localSet(warp);
      w.loop();
      w.localGet(threads);
      w.localGet(warp);
      w.i32Const(5);
      w.op(OP.i32_shl);
      w.op(OP.i32_sub);
      w.localSet(left);
      w.localGet(pc);
      w.localGet(warp);
      w.i32Const(7);
      w.op(OP.i32_shl);
      w.op(OP.i32_add);
      w.i32Const(this.region.entry | PC_READY);
      w.localGet(left);
      w.localGet(masked);
      w.call(ready);
      w.localGet(frame);
      w.localGet(warp);
      w.i32Const(this.kernel.frameBytes);
      w.op(OP.i32_mul);
      w.op(OP.i32_add);
      w.localSet(own);
      this.callOverFrame(from, own);
      w.localGet(warp);
      w.i32Const(1);
      w.op(OP.i32_add);
      w.localTee(warp);
      w.i32Const(shift);
      w.op(OP.i32_shl);
      w.localGet(2);
      w.op(OP.i32_lt_u);
      w.brIf(0);
      w.end();
    });
  }

  /** With the lanes that take part on the stack: a cut's operation, over the frame at a local. */
  callOverFrame(cut: Cut, frame: number): void {
    const { w } = this;
    for (const { slot, count } of cut.turned ?? []) {
      w.localGet(frame);
      w.i32Const(slot * FRAME_SLOT_BYTES);
      w.op(OP.i32_add);
      w.i32Const(count);
      w.call(this.kernel.library("turn_blocks"));
    }
    const relaxed = this.kernel.options.fma === "relaxed" ? cut.relaxedOp : undefined;
    w.localGet(frame);
    if (cut.argument !== undefined) w.i32Const(cut.argument);
    w.call(this.kernel.library(relaxed ?? (cut.warpOp as string)));
  }

  abstract pushThread(): void;
  abstract leaveFault(): void;

  /**
   * Counts a loop's round and goes on with the next one, at the label at `depth`. At the end of the fuel it
   * looks whether the launch has been stopped, and goes on by the loop around, one label further out:
   * JavaScriptCore takes a block in an `if` for as frequent as the loop that it lies in, writes the call there
   * in place, and has no registers left for the loop.
   */
  nextRound(depth: number): void {
    const { w } = this;
    const fuel = this.fuelLocal();
    w.localGet(fuel);
    w.i32Const(1);
    w.op(OP.i32_sub);
    w.localTee(fuel);
    w.brIf(depth);
    this.refuel();
    w.br(depth + 1);
  }

  /** Counts many rounds at once: the units of fuel for them are on the stack, below 2³⁰. */
  burnFuel(): void {
    const { w } = this;
    const fuel = this.fuelLocal();
    const units = this.temporary(I32);
    w.localSet(units);
    w.localGet(fuel);
    w.localGet(units);
    w.op(OP.i32_sub);
    w.localTee(fuel);
    w.i32Const(0);
    w.op(OP.i32_le_s);
    w.if();
    this.refuel();
    w.end();
  }

  private fuelLocal(): number {
    if (this.fuel < 0) this.fuel = this.temporary(I32);
    return this.fuel;
  }

  /** Looks whether the launch has been stopped, and begins with the whole fuel again. */
  private refuel(): void {
    const { w } = this;
    w.localGet(0);
    this.pushThread();
    w.call(this.kernel.poll);
    w.if();
    this.leaveFault();
    w.end();
    this.setFuel();
  }

  /** Local memory of a thread, bytes. */
  localBytesField(): number {
    return this.pinLaunch(LAUNCH_LOCAL_BYTES);
  }

  setFuel(): void {
    this.w.i32Const(FUEL);
    this.w.localSet(this.fuel);
  }
}

/** Threads of a block, rounded up to whole groups of four. */
export function roundedThreads(shape: readonly [number, number, number]): number {
  return (shape[0] * shape[1] * shape[2] + 3) & ~3;
}

/** The operand word of a cut whose operands are constants, else undefined. */
export function constantOperand(cut: Cut): { value: number } | undefined {
  if (cut.operands.some((o) => o.op !== "const")) return undefined;
  if (cut.kind === "block") return { value: cut.operands[0].imm | (cut.operands[1].imm << 8) };
  if (cut.kind === "warp") return { value: cut.operands[0].imm };
  return { value: 0 };
}
