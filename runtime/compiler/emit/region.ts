import {
  BLOCK_ARGUMENT,
  BLOCK_MASKED,
  BLOCK_PC,
  FRAME_SLOT_BYTES,
  LAUNCH_LOCAL_BYTES,
  PC_EXITED,
  PC_READY,
  REGION_FAULT,
  REGION_MIXED,
} from "../../exec/layout.ts";
import { Graph } from "../analysis/graph.ts";
import {
  type Block,
  type Cut,
  F32,
  F64,
  I1,
  I32,
  type Region,
  sourceSlot,
  type Type,
  type Value,
} from "../ir/ir.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { CodeWriter } from "../wasm/writer.ts";
import { log2 } from "./access-codes.ts";
import { constantOperand, FunctionFrame, LOADS, STORES, wide } from "./frame.ts";
import { fusedValues } from "./fused-values.ts";
import { limitsOf } from "./index-limits.ts";
import type { KernelEmitter } from "./kernel.ts";
import { type Placement, placeValues, SCALAR_PLACEMENT } from "./locals.ts";
import { emitAddressFault, emitScalar } from "./scalar.ts";
import { emitSpecialRegister } from "./sreg.ts";
import { type StructureSink, walkStructured, writingOrder } from "./structure.ts";

/** A real function is written by the same code as a region, with another frame around it. */
export interface RealFrame {
  params: number;
  results: Type[];
  frameBytes: number;
}

/**
 * Writes one region as a function `(context, first, last) → pc`: a loop over the threads
 * first … last-1, around the region's code. Cuts and exits store the thread's pc and go on with the
 * next thread; the result is the pc that all of them reached, or REGION_MIXED.
 */
export class RegionEmitter extends FunctionFrame implements StructureSink {
  readonly row = -1;
  /** The code of one thread. */
  protected readonly written = this.w;
  private readonly prologue: Value[];
  private readonly graph: Graph;
  private readonly placement: Placement;
  /** Floats that are kept as the first lanes of vectors: what the engine multiplies and adds at once. */
  private readonly vectors: Set<Value>;
  private readonly real: RealFrame | undefined;
  /** The function that does the threads' rows at once, if they lie one after the other. */
  private readonly rows: number | undefined;
  private readonly callResults = new Map<string, number>();
  /** Structured frames open around the current point, up to the thread's own block. */
  private depth = 0;
  readonly thread = 1;
  private accOr = -1;
  private accAnd = -1;
  private spin = -1;

  constructor(
    kernel: KernelEmitter,
    region: Region,
    prologue: Value[],
    real?: RealFrame,
    rows?: number,
  ) {
    super(kernel, region, real ? real.params : 3);
    this.rows = rows;
    this.prologue = prologue;
    this.real = real;
    this.graph = new Graph(region.start);
    const order = writingOrder(this.graph);
    this.vectors = kernel.options.fma === "relaxed" ? fusedValues(order) : new Set();
    this.placement = placeValues(this.graph, order, prologue, {
      ...SCALAR_PLACEMENT,
      types: (v) => (this.vectors.has(v) ? [VALTYPE.v128] : SCALAR_PLACEMENT.types(v)),
    });
    this.placedLocals = this.placement.types.length;
  }

  get frameBytes(): number {
    return this.real?.frameBytes ?? this.kernel.localBytes;
  }

  /** Writes the function; returns its locals' types and its code. */
  emit(): { locals: number[]; code: Uint8Array } {
    this.accOr = this.temporary(I32);
    this.accAnd = this.temporary(I32);
    this.writeBody();
    const pre = this.withWriter(new CodeWriter(512), () => {
      for (const v of this.prologue) this.materialize(v);
      this.w.raw(this.lateCode.view());
    });
    const out = new CodeWriter(this.written.length + pre.length + 512);
    const whole = this.withWriter(out, () => this.frame(pre));
    const locals = [...this.placement.types, ...this.extra];
    return { locals, code: whole.view() };
  }

  /** Writes the code of one thread. */
  protected writeBody(): void {
    walkStructured(this.graph, this);
  }

  /** The function around the body: pins, prologue, warp operation, the loop over threads. */
  protected frame(pre: CodeWriter): void {
    const { w } = this;
    if (this.real) {
      w.raw(this.pins.view());
      if (this.fuel >= 0) this.setFuel();
      w.raw(this.top.view());
      w.raw(pre.view());
      w.raw(this.written.view());
      w.op(OP.unreachable);
      return;
    }
    const standing = this.kernel.single ? undefined : this.standingTest();
    const { from } = this.region;
    const warp =
      standing && from?.warpOp
        ? this.warpOperation(from, standing.masked, this.thread, 5)
        : undefined;
    w.raw(this.pins.view());
    if (this.fuel >= 0) this.setFuel();
    if (this.rows !== undefined) this.tryRows(this.rows);
    w.raw(pre.view());
    w.i32Const(-1);
    w.localSet(this.accAnd);
    if (warp) w.raw(warp.view());
    w.loop();
    w.block();
    w.raw(this.top.view());
    standing?.write();
    if (this.spin >= 0) {
      w.i32Const(SPIN);
      w.localSet(this.spin);
    }
    w.raw(this.written.view());
    w.end();
    w.localGet(this.thread);
    w.i32Const(1);
    w.op(OP.i32_add);
    w.localTee(this.thread);
    w.localGet(2);
    w.op(OP.i32_lt_u);
    w.brIf(0);
    w.end();
    this.pushEnd();
  }

  /** Pushes what the function returns behind its last thread. */
  protected pushEnd(): void {
    const { w } = this;
    w.localGet(this.accOr);
    w.i32Const(REGION_MIXED);
    w.localGet(this.accOr);
    w.localGet(this.accAnd);
    w.op(OP.i32_eq);
    w.op(OP.select);
  }

  /** Has another function do all of the threads: REGION_MIXED if it did nothing. */
  private tryRows(rows: number): void {
    const { w } = this;
    const end = this.temporary(I32);
    for (const parameter of [0, 1, 2]) w.localGet(parameter);
    w.call(rows);
    w.localTee(end);
    w.i32Const(REGION_MIXED);
    w.op(OP.i32_ne);
    w.if();
    w.localGet(end);
    w.op(OP.return);
    w.end();
  }

  /** Leaves out threads that don't stand before this region, where the block's are not together. */
  private standingTest(): { masked: number; write: () => void } {
    const masked = this.pin("masked", I32, (p) => {
      p.localGet(0);
      p.mem(OP.i32_load, 2, BLOCK_MASKED);
    });
    const pc = this.perThread("pc4", (t) => this.scaled(t, BLOCK_PC, 2));
    const write = () => {
      const { w } = this;
      w.localGet(masked);
      w.if();
      w.localGet(pc);
      w.mem(OP.i32_load, 2);
      w.i32Const(this.region.entry | PC_READY);
      w.op(OP.i32_ne);
      w.brIf(1);
      w.end();
    };
    return { masked, write };
  }

  // ---- values ----

  /** Pushes a value: from its local, or by writing its expression here. */
  push(v: Value): void {
    if (this.vectors.has(v)) {
      this.pushVector(v);
      this.w.op(v.type === F32 ? OP.f32x4_extract_lane : OP.f64x2_extract_lane);
      this.w.u8(0);
      return;
    }
    const local = this.localOf(v);
    if (local !== undefined) this.w.localGet(local);
    else this.operation(v);
  }

  /** Pushes a vector whose first lane is a value; nobody looks at the others. */
  private pushVector(v: Value): void {
    if (v.op === "const" && v.imm === 0 && v.big === 0n) {
      this.pushConstant(new Uint8Array(16));
      return;
    }
    if (!this.vectors.has(v)) {
      this.push(v);
      this.w.op(v.type === F32 ? OP.f32x4_splat : OP.f64x2_splat);
      return;
    }
    const local = this.localOf(v);
    if (local !== undefined) this.w.localGet(local);
    else this.operation(v);
  }

  protected localOf(v: Value): number | undefined {
    const [slot] = this.placement.slots.get(v) ?? [];
    if (slot !== undefined) return this.firstLocal + slot;
    if (v.op !== "result" || v.args.length === 0) return undefined;
    return this.callResults.get(`${v.args[0].id} ${v.imm}`);
  }

  /** Pushes the value of an operation, in the form that its local has. */
  protected operation(v: Value): void {
    const { w } = this;
    if (this.vectors.has(v)) {
      if (v.op === "load") {
        this.push(v.args[0]);
        const wide = v.type === F64;
        const code = wide ? OP.v128_load64_zero : OP.v128_load32_zero;
        w.mem(code, wide ? 3 : 2, v.aux.offset as number);
      } else {
        for (const a of v.args) this.pushVector(a);
        w.op(v.type === F32 ? OP.f32x4_relaxed_madd : OP.f64x2_relaxed_madd);
      }
    } else if (v.op === "check" && v.args.length === 2) this.indexCheck(v);
    else emitScalar(this, v);
  }

  /** Writes a value that is not nested into its user, and keeps it in its local. */
  private materialize(v: Value): void {
    if (v.op === "phi" || this.placement.inlined.has(v)) return;
    const [slot] = this.placement.slots.get(v) ?? [];
    if (slot === undefined) {
      if (v.op === "const" || v.op === "result") return;
      this.operation(v);
      if (v.type !== 5) this.w.op(OP.drop);
      return;
    }
    const result = v.op === "result" && v.args.length > 0;
    if (result) this.w.localGet(this.callResults.get(`${v.args[0].id} ${v.imm}`) as number);
    else this.operation(v);
    this.w.localSet(this.firstLocal + slot);
  }

  /** The check of base + index × scale: compares the index, and leaves the address in linear memory. */
  private indexCheck(v: Value): void {
    const { w } = this;
    const { size = 1, scale = 1 } = v.aux;
    const [base, index] = v.args;
    const own = this.localOf(base) as number;
    const limits = limitsOf(this, v, own, 0, size) as { low: number; count: number };
    this.push(index);
    w.localGet(limits.low);
    w.op(OP.i32_sub);
    w.localGet(limits.count);
    w.op(OP.i32_ge_u);
    w.if();
    emitAddressFault(this, v);
    w.end();
    w.localGet(
      this.afterPrologue(`base32 ${own}`, VALTYPE.i32, (p) => {
        p.localGet(own);
        p.op(OP.i32_wrap_i64);
      }),
    );
    this.push(index);
    if (scale > 1) {
      w.i32Const(log2(scale));
      w.op(OP.i32_shl);
    }
    w.op(OP.i32_add);
  }

  pushThread(): void {
    this.w.localGet(this.thread);
  }

  pushFirst(v: Value): void {
    this.push(v);
  }

  pushSpan(): void {
    throw new Error("blocks run as one row in lane groups only");
  }

  pushStart(): void {
    throw new Error("blocks run as one row in lane groups only");
  }

  pushStackLimit(): void {
    this.w.localGet(this.pinLaunch(LAUNCH_LOCAL_BYTES));
  }

  specialRegister(v: Value): void {
    emitSpecialRegister(this, v);
  }

  // ---- what lives across cuts ----

  pushReload(v: Value): void {
    const offset = this.pushSlot(v.imm, v.type);
    this.w.mem(LOADS[v.type], wide(v.type) ? 3 : 2, offset);
  }

  /** Pushes a result of the warp operation (or block reduction) in front of the region. */
  pushResult(v: Value): void {
    this.pushFrame(v.type);
    this.w.mem(LOADS[v.type], wide(v.type) ? 3 : 2, v.imm * FRAME_SLOT_BYTES);
    if (v.type === I1) {
      this.w.i32Const(0);
      this.w.op(OP.i32_ne);
    }
  }

  // ---- leaving ----

  /** Jumps out with a fault: `code` at `site`. */
  fault(code: number, site: number): void {
    const { w } = this;
    w.localGet(0);
    w.i32Const(code);
    w.i32Const(site);
    w.i64Const(0n);
    this.pushThread();
    w.call(this.kernel.faultFunction);
    this.leaveFault();
  }

  /** Returns from the region (or real function) after a fault. */
  leaveFault(): void {
    if (!this.real) this.w.i32Const(REGION_FAULT);
    else {
      this.w.i32Const(2);
      this.pushNoResults();
    }
    this.w.op(OP.return);
  }

  private pushNoResults(): void {
    for (const type of this.real?.results ?? []) {
      if (wide(type)) this.w.i64Const(0n);
      else this.w.i32Const(0);
    }
  }

  /** After a call returned a status that is not 0: 1 the thread has exited, 2 a fault. */
  leaveStatus(status: number): void {
    const { w } = this;
    if (this.real) {
      w.localGet(status);
      this.pushNoResults();
      w.op(OP.return);
      return;
    }
    w.localGet(status);
    w.i32Const(2);
    w.op(OP.i32_eq);
    w.if();
    w.i32Const(REGION_FAULT);
    w.op(OP.return);
    w.end();
    this.arriveAt(PC_EXITED);
    w.br(this.depth + 1); // out of the `if` that the caller has opened, and of the thread
  }

  callResult(call: Value, k: number, type: Type): number {
    const key = `${call.id} ${k}`;
    let local = this.callResults.get(key);
    if (local === undefined) {
      local = this.temporary(type);
      this.callResults.set(key, local);
    }
    return local;
  }

  resultLocal(k: number): number {
    const key = `own ${k}`;
    let local = this.callResults.get(key);
    if (local === undefined) {
      local = this.temporary((this.real as RealFrame).results[k]);
      this.callResults.set(key, local);
    }
    return local;
  }

  pushSpin(): void {
    if (this.spin < 0) this.spin = this.temporary(I32);
    const { w } = this;
    w.localGet(this.spin);
    w.i32Const(1);
    w.op(OP.i32_sub);
    w.localTee(this.spin);
  }

  /** Stores the thread's pc and notes it for the region's result. */
  private arriveAt(pc: number): void {
    const { w } = this;
    if (!this.kernel.single) {
      const address = this.perThread("pc4", (t) => this.scaled(t, BLOCK_PC, 2));
      w.localGet(address);
      w.i32Const(pc);
      w.mem(OP.i32_store, 2);
    } // else threads only exit: nobody asks where they stand
    for (const [acc, op] of [
      [this.accOr, OP.i32_or],
      [this.accAnd, OP.i32_and],
    ]) {
      w.localGet(acc);
      w.i32Const(pc);
      w.op(op);
      w.localSet(acc);
    }
  }

  // ---- StructureSink ----

  block(): void {
    this.w.block();
    this.depth++;
  }

  loop(): void {
    this.w.loop();
    this.w.loop();
    this.depth += 2;
  }

  end(): void {
    this.w.end();
    this.depth--;
  }

  body(block: Block): void {
    for (const v of block.values) this.materialize(v);
  }

  ifThen(block: Block, negate: boolean): void {
    this.condition(block, negate);
    this.w.if();
    const t = block.terminator;
    if (t?.kind === "branch" && (negate ? t.no : t.yes).rare) this.w.op(OP.nop);
    this.depth++;
  }

  branchIf(block: Block, negate: boolean, depth: number): void {
    this.condition(block, negate);
    this.w.brIf(depth);
  }

  private condition(block: Block, negate: boolean): void {
    if (block.terminator?.kind !== "branch") throw new Error("no condition");
    this.push(block.terminator.cond);
    if (negate) this.w.op(OP.i32_eqz);
  }

  edgeIsFree(from: Block, to: Block): boolean {
    const back = (this.graph.index.get(to) as number) <= (this.graph.index.get(from) as number);
    return !back && this.moves(from, to).length === 0;
  }

  private moves(from: Block, to: Block): { phi: Value; value: Value }[] {
    const list: { phi: Value; value: Value }[] = [];
    const k = to.preds.indexOf(from);
    for (const phi of to.values) {
      if (phi.op !== "phi") break;
      if (phi.args[k] !== phi && this.placement.slots.has(phi))
        list.push({ phi, value: phi.args[k] });
    }
    return list;
  }

  edge(from: Block, to: Block): void {
    const { w } = this;
    const moves = this.moves(from, to);
    for (const { phi, value } of moves) {
      if (this.vectors.has(phi)) this.pushVector(value);
      else this.push(value);
    }
    for (const { phi } of moves.reverse()) {
      w.localSet(this.firstLocal + (this.placement.slots.get(phi) as number[])[0]);
    }
  }

  br(depth: number): void {
    this.w.br(depth);
  }

  again(header: Block, depth: number): void {
    if (header.paid) this.w.br(depth);
    else this.nextRound(depth);
  }

  brTable(block: Block, count: number): void {
    if (block.terminator?.kind !== "switch") throw new Error("no switch");
    this.push(block.terminator.index);
    this.w.op(OP.br_table);
    this.w.u32(count - 1);
    for (let k = 0; k < count; k++) this.w.u32(k);
  }

  leave(block: Block): void {
    const t = block.terminator;
    const { w } = this;
    if (t?.kind === "return" || (this.real && t?.kind === "exit")) {
      w.i32Const(t.kind === "return" ? 0 : 1);
      const results = (this.real as RealFrame).results;
      if (t.kind === "return") {
        for (let k = 0; k < results.length; k++) w.localGet(this.resultLocal(k));
      } else this.pushNoResults();
      w.op(OP.return);
      return;
    }
    if (t?.kind === "exit") this.arriveAt(PC_EXITED);
    else if (t?.kind === "cut" && t.state) this.saveState(t.cut, t.state);
    else throw new Error("a block without an end");
    w.br(this.depth);
  }

  private saveState(cut: Cut, state: import("../ir/ir.ts").CutState): void {
    const { w } = this;
    for (const { register, value } of state.spills) {
      const offset = this.pushSlot(register, value.type);
      this.push(value);
      w.mem(STORES[value.type], wide(value.type) ? 3 : 2, offset);
    }
    state.sources.forEach((value, k) => {
      this.pushFrame(value.type);
      this.push(value);
      w.mem(STORES[value.type], wide(value.type) ? 3 : 2, sourceSlot(cut, k) * FRAME_SLOT_BYTES);
    });
    if (!constantOperand(cut) && state.operands.length > 0) {
      const address = this.perThread("argument4", (t) => this.scaled(t, BLOCK_ARGUMENT, 2));
      w.localGet(address);
      this.push(state.operands[0]);
      if (cut.kind === "block") {
        this.push(state.operands[1]);
        w.i32Const(8);
        w.op(OP.i32_shl);
        w.op(OP.i32_or);
      }
      w.mem(OP.i32_store, 2);
    }
    this.arriveAt(cut.entry);
  }
}

/** Rounds of a waiting loop before its thread lets the others run. */
const SPIN = 32;
