import {
  BLOCK_CTAID_X,
  BLOCK_MASKED,
  BLOCK_PC,
  BLOCK_RUN,
  PC_READY,
  REGION_MIXED,
} from "../../exec/layout.ts";
import { Graph } from "../analysis/graph.ts";
import {
  type Block,
  F32,
  hasEffect,
  I32,
  NONE,
  type Region,
  successors,
  type Value,
} from "../ir/ir.ts";
import type { GroupRegion, GroupVariant } from "../simd/group-region.ts";
import { isWide, LANES, VARYING } from "../simd/shapes.ts";
import { type Bound, onlyStop } from "../simd/trim.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { CodeWriter } from "../wasm/writer.ts";
import { GroupOperands } from "./group-operands.ts";
import { pushTest, value } from "./group-values.ts";
import type { KernelEmitter } from "./kernel.ts";
import { type PlacementPolicy, placeValues, valtypeOf } from "./locals.ts";
import { writingOrder } from "./region.ts";
import { emitScalar } from "./scalar.ts";
import { type StructureSink, walkStructured } from "./structure.ts";
import { readsOnce } from "./vector.ts";
import { checkTypes } from "./vector-check.ts";

/** Rounds of a waiting loop before its lanes let the others run. */
const SPIN = 32;
/**
 * Writes one region for lane groups of four threads: a function `(context, first, last) → pc` that
 * loops over groups. Where tests for the whole block pass, the sure body runs them all. Else each
 * group first tries the fast body, which takes all four lanes as active and
 * the guards at the region's start (`if (i >= n) return`) as passed by all; a group for which that
 * is not so runs the general body, under masks.
 */
export class GroupEmitter extends GroupOperands implements StructureSink {
  readonly source: GroupRegion;
  readonly onlyStop: number | undefined;
  readonly accOr: number;
  readonly accAnd: number;
  /** Blocks that the sure body runs as one row, and those that are left of the run. */
  private readonly blocks: number;
  private readonly rest: number;

  constructor(kernel: KernelEmitter, region: Region, source: GroupRegion) {
    super(kernel, region, 3);
    this.source = source;
    this.onlyStop = onlyStop(region);
    this.placeAll();
    const copies = Math.max(...source.variants.map((v) => v.copies));
    for (let k = 0; k < copies; k++) this.copyThreads.push(this.temporaryOf(VALTYPE.i32));
    this.accOr = this.temporaryOf(VALTYPE.i32);
    this.accAnd = this.temporaryOf(VALTYPE.i32);
    this.blocks = this.temporaryOf(VALTYPE.i32);
    this.rest = this.temporaryOf(VALTYPE.i32);
    this.span = this.temporaryOf(VALTYPE.i32);
  }

  /** Gives the prologue and both bodies their locals, one after the other. */
  private placeAll(): void {
    let base = 0;
    const placed: number[] = [];
    for (const v of this.source.prologue) {
      if (v.op === "const") continue;
      this.prologueSlots.set(v, this.firstLocal + placed.length);
      placed.push(valtypeOf(v.type));
    }
    base = placed.length;
    this.source.variants.forEach((variant, k) => {
      this.current = k;
      const graph = new Graph(variant.linear.start);
      const placement = placeValues(graph, writingOrder(graph), [], this.policy(variant));
      this.graphs.push(graph);
      this.placements.push(placement);
      this.localBases.push(this.firstLocal + base);
      base += placement.types.length;
      placed.push(...placement.types);
    });
    this.placedLocals = base;
    this.placedTypes = placed;
  }

  private policy(variant: GroupVariant): PlacementPolicy {
    return {
      types: (v) => {
        if (v.type === NONE || this.prologueSlots.has(v)) return [];
        if (v.op === "check") return checkTypes(this, v);
        if (this.shape(v).kind !== VARYING) return [valtypeOf(v.type)];
        return isWide(v) ? [VALTYPE.v128, VALTYPE.v128] : [VALTYPE.v128];
      },
      nests: (v, user) => {
        if (v.op === "check" || v.op === "load" || v.op === "out") return false;
        const varying = this.shape(v).kind === VARYING;
        if (!user) return !varying;
        if (/^(check|load|store|leave|phi_move|mask_move|out|call|host|all|arrive)$/.test(user.op))
          return false;
        const userVaries = this.shape(user).kind === VARYING;
        if (!userVaries) return !varying;
        if (isWide(user) || !readsOnce(user)) return false;
        return !varying || (!isWide(v) && readsOnce(v) && !staysInPlace(v, variant));
      },
      mutable: variant.linear.mutable,
      reuses: false,
    };
  }

  /** Writes the function; returns its locals' types and its code. */
  emit(): { locals: number[]; code: Uint8Array } {
    const bodies = new Map(
      this.source.variants.map((variant, k) => [variant.kind, this.body_(variant, k)]),
    );
    const pre = this.withWriter(new CodeWriter(512), () => {
      for (const v of this.source.prologue) {
        if (v.op === "const") continue;
        emitScalar(this, v);
        this.w.localSet(this.prologueSlots.get(v) as number);
      }
    });
    const whole = this.withWriter(new CodeWriter(4096), () => this.frame(pre, bodies));
    return { locals: [...this.placedTypes, ...this.extra], code: whole.view() };
  }

  private body_(variant: GroupVariant, k: number): CodeWriter {
    this.current = k;
    this.copy = 0;
    this.depth = 0;
    this.inlines = variant.kind !== "general"; // hardly any group runs the other one
    // The general body lies in the group's block; the fast one in a further block, left when slow.
    this.outer = startsOver(variant) ? 1 : 0;
    this.maskLocals.length = 0;
    for (let n = 0; n < variant.linear.masks; n++) {
      this.maskLocals.push(this.temporaryOf(VALTYPE.v128));
    }
    if (variant.kind === "general") this.entryMask = this.maskLocals[0];
    this.cleanBlocks = startsOver(variant) ? cleanBlocks(this.graphs[k]) : new Set();
    return this.withWriter(new CodeWriter(4096), () => walkStructured(this.graphs[k], this));
  }

  private frame(pre: CodeWriter, bodies: Map<GroupVariant["kind"], CodeWriter>): void {
    const { w } = this;
    const masked = this.pin("masked", I32, (p) => {
      p.localGet(0);
      p.mem(OP.i32_load, 2, BLOCK_MASKED);
    });
    const pc = this.kernel.single ? 0 : this.perThread("pc4", (t) => this.scaled(t, BLOCK_PC, 2));
    const { from } = this.region;
    const warp = from?.warpOp ? this.warpOperation(from, masked, 1, 3) : undefined;
    const { threads } = this.kernel;
    const entry = this.withWriter(new CodeWriter(64), () =>
      this.pushEntryLanes(masked, pc, threads),
    );
    const sure = bodies.get("sure");
    const tests = sure && this.withWriter(new CodeWriter(512), () => this.tests());
    if (this.kernel.runs) w.loop();
    w.raw(this.pins.view());
    if (this.fuel >= 0) this.setFuel();
    w.raw(pre.view());
    w.i32Const(-1);
    w.localSet(this.accAnd);
    if (warp) w.raw(warp.view());
    this.trimGroups(masked);
    w.block();
    if (sure && tests) {
      w.block();
      this.untilSure(tests, masked);
      w.raw(this.lateSureCode.view());
      this.sureGroups(sure);
      w.br(1);
      w.end();
    }
    w.raw(this.lateCode.view());
    this.groups(bodies, masked, entry);
    w.end();
    if (this.kernel.runs) this.nextBlock();
    if (this.onlyStop !== undefined) {
      w.i32Const(this.onlyStop);
      return;
    }
    w.localGet(this.accOr);
    w.i32Const(REGION_MIXED);
    w.localGet(this.accOr);
    w.localGet(this.accAnd);
    w.op(OP.i32_eq);
    w.op(OP.select);
  }

  /** The loop over groups, each by the fast or the general body. */
  private groups(
    bodies: Map<GroupVariant["kind"], CodeWriter>,
    masked: number,
    entry: CodeWriter,
  ): void {
    const { w } = this;
    const { threads } = this.kernel;
    w.loop();
    w.block();
    w.localGet(1);
    w.i32Const(2);
    w.op(OP.i32_shl);
    w.localSet(this.thread);
    this.setCopyThreads();
    w.raw(this.top.view());
    if (this.spin >= 0) {
      w.i32Const(SPIN);
      w.localSet(this.spin);
    }
    const jammed = this.source.variants.find((v) => v.kind === "jammed");
    const step = jammed ? this.temporary(I32) : -1;
    if (jammed) {
      // Groups that start over do so one by one.
      w.block();
      w.localGet(masked);
      w.brIf(0);
      w.localGet(1);
      w.i32Const(jammed.copies - 1);
      w.op(OP.i32_and);
      w.brIf(0);
      w.localGet(1);
      w.i32Const(jammed.copies);
      w.localTee(step);
      w.op(OP.i32_add);
      w.localGet(2);
      w.op(OP.i32_gt_u);
      w.brIf(0);
      w.raw((bodies.get("jammed") as CodeWriter).view());
      w.end();
      w.i32Const(1);
      w.localSet(step);
    }
    if (threads >= LANES) {
      w.block();
      if (!this.kernel.single) {
        w.localGet(masked);
        w.brIf(0);
      }
      if (threads % LANES !== 0) {
        w.localGet(this.thread);
        w.i32Const(threads - LANES);
        w.op(OP.i32_gt_u);
        w.brIf(0);
      }
      w.raw((bodies.get("fast") as CodeWriter).view());
      w.end();
    }
    w.raw(entry.view());
    w.localTee(this.entryMask);
    w.op(OP.v128_any_true);
    w.op(OP.i32_eqz);
    w.brIf(0);
    w.raw((bodies.get("general") as CodeWriter).view());
    w.end();
    w.localGet(1);
    if (jammed) w.localGet(step);
    else w.i32Const(1);
    w.op(OP.i32_add);
    w.localTee(1);
    w.localGet(2);
    w.op(OP.i32_lt_u);
    w.brIf(0);
    w.end();
  }

  // ---- the sure body ----

  /** Pushes whether the sure body may run. */
  private tests(): void {
    const { w } = this;
    const { given } = this.source.variants[this.sureIndex()];
    if (!given) return;
    const code = given.code.slice(0, -1);
    for (const v of code) {
      if (v.op === "sreg" && v.aux.name === "span") continue;
      emitScalar(this, v);
      const local = this.temporary(v.type);
      w.localSet(local);
      this.prologueSlots.set(v, local);
    }
    this.scalar(given.code[given.code.length - 1]);
  }

  private sureIndex(): number {
    return this.source.variants.findIndex((v) => v.kind === "sure");
  }

  private isFlat(): boolean {
    return this.source.variants[this.sureIndex()]?.given?.flat ?? false;
  }

  /**
   * Leaves the enclosing block unless the tests pass: for all blocks of the run as one row where the
   * body can do that, else (or if those don't pass) for this block alone.
   */
  private untilSure(tests: CodeWriter, masked: number): void {
    const { w } = this;
    const { copies } = this.source.variants[this.sureIndex()];
    if (copies > 1 && !this.isFlat()) {
      // Only whole steps of the loop over groups.
      w.localGet(1);
      w.localGet(2);
      w.op(OP.i32_or);
      w.i32Const(copies - 1);
      w.op(OP.i32_and);
      w.brIf(0);
    }
    if (!this.kernel.single) {
      w.localGet(masked);
      w.brIf(0);
    }
    if (!this.isFlat()) {
      w.raw(tests.view());
      w.op(OP.i32_eqz);
      w.brIf(0);
      return;
    }
    const { threads } = this.kernel;
    w.localGet(0);
    w.mem(OP.i32_load, 2, BLOCK_RUN);
    w.localSet(this.blocks);
    w.loop();
    w.localGet(this.blocks);
    w.i32Const(threads);
    w.op(OP.i32_mul);
    w.localSet(this.span);
    w.raw(tests.view());
    w.op(OP.i32_eqz);
    w.if();
    w.localGet(this.blocks);
    w.i32Const(1);
    w.localSet(this.blocks);
    w.i32Const(1);
    w.op(OP.i32_gt_u);
    w.brIf(1);
    w.br(2);
    w.end();
    w.end();
  }

  /** The loop over groups that need no tests of their own. */
  private sureGroups(body: CodeWriter): void {
    const { w } = this;
    const flat = this.isFlat();
    const lanes = LANES * this.source.variants[this.sureIndex()].copies;
    const end = this.temporary(I32);
    if (flat) {
      // Counted down, since the row's last index may wrap.
      w.localGet(this.pinAddress(BLOCK_CTAID_X));
      w.i32Const(this.kernel.threads);
      w.op(OP.i32_mul);
      w.localSet(this.thread);
      w.localGet(this.span);
      w.localSet(end);
    } else {
      w.localGet(1);
      w.i32Const(2);
      w.op(OP.i32_shl);
      w.localSet(this.thread);
      w.localGet(2);
      w.i32Const(2);
      w.op(OP.i32_shl);
      w.localSet(end);
    }
    w.loop();
    this.setCopyThreads();
    w.raw(this.top.view());
    w.block();
    w.raw(body.view());
    w.end();
    w.localGet(this.thread);
    w.i32Const(lanes);
    w.op(OP.i32_add);
    w.localSet(this.thread);
    w.localGet(end);
    if (flat) {
      w.i32Const(lanes);
      w.op(OP.i32_sub);
      w.localTee(end);
    } else {
      w.localGet(this.thread);
      w.op(OP.i32_ne);
    }
    w.brIf(0);
    w.end();
  }

  /** The first threads of the groups that are done together with this one. */
  private setCopyThreads(): void {
    const { w } = this;
    for (const [k, local] of this.copyThreads.entries()) {
      if (k === 0) continue;
      w.localGet(this.thread);
      w.i32Const(LANES * k);
      w.op(OP.i32_add);
      w.localSet(local);
    }
  }

  /** Goes on with the next block of the run, if there is one. */
  private nextBlock(): void {
    const { w } = this;
    const done = (push: () => void) => {
      if (this.isFlat()) w.localGet(this.blocks);
      else w.i32Const(1);
      push();
    };
    w.i32Const(0);
    w.localSet(1);
    w.localGet(0);
    w.localGet(0);
    w.mem(OP.i32_load, 2, BLOCK_CTAID_X);
    done(() => w.op(OP.i32_add));
    w.mem(OP.i32_store, 2, BLOCK_CTAID_X);
    w.localGet(0);
    w.localGet(0);
    w.mem(OP.i32_load, 2, BLOCK_RUN);
    done(() => w.op(OP.i32_sub));
    w.localTee(this.rest);
    w.mem(OP.i32_store, 2, BLOCK_RUN);
    w.localGet(this.rest);
    w.brIf(0);
    w.end();
  }

  /**
   * Leaves out the groups that have nothing to do. One at least stays, since the loop runs once. Only
   * while the block's threads are together: else each has to note where it stands.
   */
  private trimGroups(masked: number): void {
    const { w } = this;
    const { trim } = this.source;
    if (!trim || this.kernel.threads <= LANES) return;
    const groups = Math.ceil(this.kernel.threads / LANES);
    w.localGet(masked);
    w.op(OP.i32_eqz);
    w.if();
    if (trim.high) this.trimTo(trim.high, 2, LANES - 1, 1, groups);
    if (trim.low) this.trimTo(trim.low, 1, 0, 0, groups - 1);
    w.end();
  }

  /** Sets a local to the group of a bound, rounded up by `more` threads and kept in least … most. */
  private trimTo(bound: Bound, local: number, more: number, least: number, most: number): void {
    const { w } = this;
    const { value: limit, shift, plus, signed } = bound;
    const clamp = (x: number) => Math.min(Math.max(x, least), most);
    if (limit.op === "const") {
      const threads = (signed ? limit.imm : limit.imm >>> 0) * 2 ** shift + plus;
      w.i32Const(clamp(Math.floor((threads + more) / LANES)));
      w.localSet(local);
      return;
    }
    const group = this.temporaryOf(VALTYPE.i64);
    this.scalar(limit);
    w.op(signed ? OP.i64_extend_i32_s : OP.i64_extend_i32_u);
    w.i64Const(BigInt(plus + more));
    w.op(OP.i64_add);
    w.i64Const(BigInt(Math.log2(LANES)));
    w.op(OP.i64_shr_s);
    w.localSet(group);
    for (const [edge, keep] of [
      [least, OP.i64_gt_s],
      [most, OP.i64_lt_s],
    ]) {
      w.localGet(group);
      w.i64Const(BigInt(edge));
      w.localGet(group);
      w.i64Const(BigInt(edge));
      w.op(keep);
      w.op(OP.select);
      w.localSet(group);
    }
    w.localGet(group);
    w.op(OP.i32_wrap_i64);
    w.localSet(local);
  }

  /** The lanes that run the general body: threads of the block that stand before this region. */
  private pushEntryLanes(masked: number, pc: number, threads: number): void {
    const { w } = this;
    if (this.kernel.single) this.constant([-1, -1, -1, -1]);
    else {
      w.localGet(masked);
      w.if(VALTYPE.v128);
      w.localGet(pc);
      w.mem(OP.v128_load, 2);
      w.i32Const(this.region.entry | PC_READY);
      w.op(OP.i32x4_splat);
      w.op(OP.i32x4_eq);
      w.op(OP.else);
      this.constant([-1, -1, -1, -1]);
      w.end();
    }
    if (threads % LANES !== 0) {
      this.pushIota(1);
      w.localGet(this.thread);
      w.op(OP.i32x4_splat);
      w.op(OP.i32x4_add);
      w.i32Const(threads);
      w.op(OP.i32x4_splat);
      w.op(OP.i32x4_lt_u);
      w.op(OP.v128_and);
    }
  }
  // ---- StructureSink ----

  body(block: Block): void {
    this.mask = this.source.variants[this.current].linear.maskOf.get(block) ?? -1;
    this.clean = this.cleanBlocks.has(block);
    this.blockCache.clear();
    const { copyOf } = this.source.variants[this.current];
    for (const v of block.values) {
      this.copy = copyOf.get(v) ?? 0;
      value(this, v);
      if (hasVisibleEffect(v)) this.clean = false;
    }
    this.copy = 0;
  }

  block(): void {
    this.w.block();
    this.depth++;
  }

  loop(): void {
    this.w.loop();
    this.depth++;
  }

  end(): void {
    this.w.end();
    this.depth--;
  }

  ifThen(block: Block, negate: boolean): void {
    this.condition(block, negate);
    this.w.if();
    this.depth++;
  }

  branchIf(block: Block, negate: boolean, depth: number): void {
    this.condition(block, negate);
    this.w.brIf(depth);
  }

  private condition(block: Block, negate: boolean): void {
    if (block.terminator?.kind !== "branch") throw new Error("no condition");
    const { cond } = block.terminator;
    const nested = this.locals(cond).length === 0;
    if (nested && (cond.op === "any" || cond.op === "all")) pushTest(this, cond);
    else this.scalar(cond);
    if (negate) this.w.op(OP.i32_eqz);
  }

  edgeIsFree(from: Block, to: Block): boolean {
    const { index } = this.graphs[this.current];
    return (index.get(to) as number) > (index.get(from) as number);
  }

  edge(_from: Block, _to: Block, back: boolean): void {
    if (back) this.burnFuel();
  }

  br(depth: number): void {
    this.w.br(depth);
  }

  brTable(): void {
    throw new Error("switches are branches in lane groups");
  }

  leave(block: Block): void {
    if (block.values.some((v) => v.op === "slow")) return;
    this.w.br(this.depth + this.outer);
  }
}
/**
 * Whether a vector is computed where it stands in the program, and not where it is used: after all
 * the loads of a chain there would be more of them than registers. And chains of several groups go
 * side by side.
 */
function staysInPlace(v: Value, { copies }: GroupVariant): boolean {
  return (copies > 1 && v.type === F32) || v.args.some((a) => a.op === "load");
}

/** Whether a group can go on in the next body as long as nothing has had an effect. */
const startsOver = (v: GroupVariant) => v.kind === "fast" || v.kind === "jammed";

/** Whether running an operation again would show. */
function hasVisibleEffect(v: Value): boolean {
  if (v.op === "leave" || v.op === "phi_move") return v.op === "leave";
  return hasEffect(v) && !/^(check|load|nanosleep|spin|fence|slow)$/.test(v.op);
}

/** Blocks that are reached without any effect before, on whichever path. */
function cleanBlocks(graph: Graph): Set<Block> {
  const dirty = new Set<Block>();
  const work: Block[] = [];
  const soil = (block: Block) => {
    for (const s of successors(block)) {
      if (dirty.has(s)) continue;
      dirty.add(s);
      work.push(s);
    }
  };
  for (const b of graph.order) if (b.values.some(hasVisibleEffect)) soil(b);
  for (let b = work.pop(); b; b = work.pop()) soil(b);
  return new Set(graph.order.filter((b) => !dirty.has(b)));
}
