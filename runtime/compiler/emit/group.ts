import { KEPT_SLOTS } from "../../exec/layout.ts";
import { Graph } from "../analysis/graph.ts";
import { type Block, F32, hasEffect, NONE, type Region, successors, type Value } from "../ir/ir.ts";
import type { GroupRegion, GroupVariant } from "../simd/group-region.ts";
import { isWide, uniform, VARYING, varying } from "../simd/shapes.ts";
import { spillVectors } from "../simd/spills.ts";
import { onlyStop } from "../simd/trim.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { CodeWriter } from "../wasm/writer.ts";
import { GroupLoops } from "./group-loops.ts";
import { pushTest, value } from "./group-values.ts";
import type { KernelEmitter } from "./kernel.ts";
import {
  findInlined,
  type PlacementPolicy,
  placeValues,
  terminatorValues,
  valtypeOf,
} from "./locals.ts";
import { emitScalar } from "./scalar.ts";
import { type StructureSink, walkStructured, writingOrder } from "./structure.ts";
import { structureTypes } from "./structures.ts";
import { readsOnce } from "./vector.ts";
import { checkTypes, emitVectorCheck } from "./vector-check.ts";

/**
 * Writes one region for lane groups of four threads: a function `(context, first, last) → pc` that
 * loops over groups. Where tests for the whole block pass, the sure body runs them all. Else each
 * group first tries the fast body, which takes all four lanes as active and
 * the guards at the region's start (`if (i >= n) return`) as passed by all; a group for which that
 * is not so runs the general body, under masks.
 */
export class GroupEmitter extends GroupLoops implements StructureSink {
  readonly source: GroupRegion;
  readonly onlyStop: number | undefined;
  readonly accOr: number;
  readonly accAnd: number;
  readonly rowLocal: number;
  private readonly crowdedBlocks = new Set<Block>();

  constructor(kernel: KernelEmitter, region: Region, source: GroupRegion) {
    super(kernel, region, 3);
    this.source = source;
    this.onlyStop = onlyStop(region);
    const { warp } = source;
    if (warp && onlyStop(warp) !== this.onlyStop) this.onlyStop = undefined;
    this.placeAll();
    const copies = Math.max(...source.variants.map((v) => v.copies));
    for (let k = 0; k < copies; k++) this.copyThreads.push(this.temporaryOf(VALTYPE.i32));
    this.accOr = this.temporaryOf(VALTYPE.i32);
    this.accAnd = this.temporaryOf(VALTYPE.i32);
    this.span = this.temporaryOf(VALTYPE.i32);
    this.start = this.temporaryOf(VALTYPE.i32);
    this.rowLocal = this.temporaryOf(VALTYPE.i32);
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
    for (const { given, hoisted } of this.source.variants) {
      for (const v of [...(given?.steady ?? []), ...hoisted]) {
        this.prologueSlots.set(v, this.firstLocal + placed.length);
        placed.push(valtypeOf(v.type));
      }
    }
    base = placed.length;
    this.source.variants.forEach((variant, k) => {
      this.current = k;
      const graph = new Graph(variant.linear.start);
      if (this.kernel.options.spills) this.spill(writingOrder(graph), variant);
      const placement = placeValues(graph, writingOrder(graph), [], this.policy(variant));
      this.graphs.push(graph);
      this.placements.push(placement);
      for (const locals of placement.slots.values()) {
        for (let i = 0; i < locals.length; i++) locals[i] += this.firstLocal + base;
      }
      base += placement.types.length;
      placed.push(...placement.types);
    });
    this.placedLocals = base;
    this.placedTypes = placed;
  }

  /** Keeps vectors of large blocks in memory where there are more than registers. */
  private spill(order: Block[], variant: GroupVariant): void {
    const home = new Map<Value, Block>();
    const kept = new Set(variant.linear.mutable);
    for (const b of order) for (const v of b.values) home.set(v, b);
    for (const b of order) {
      for (const v of b.values) {
        // What addresses are made of is looked at when their accesses are written.
        const all = /^(check|leave|phi_move|phi)$/.test(v.op);
        for (const a of v.args) if (all || home.get(a) !== b) kept.add(a);
      }
      for (const a of terminatorValues(b)) kept.add(a);
    }
    const policy = {
      inlined: findInlined(order, [], this.policy(variant)),
      kept,
      isVector: (v: Value) =>
        v.type !== NONE &&
        !/^(const|check|structures)$/.test(v.op) &&
        !this.prologueSlots.has(v) &&
        this.shape(v).kind === VARYING &&
        !isWide(v),
      created: (v: Value) => variant.divergence.shapes.set(v, v.op === "spill" ? uniform : varying),
    };
    for (const b of order) if (spillVectors(b, KEPT_SLOTS, policy)) this.crowdedBlocks.add(b);
  }

  private policy(variant: GroupVariant): PlacementPolicy {
    return {
      types: (v) => {
        if (v.type === NONE || this.prologueSlots.has(v)) return [];
        if (v.op === "check") return checkTypes(this, v);
        if (v.op === "structures") return structureTypes(v);
        if (this.shape(v).kind !== VARYING) return [valtypeOf(v.type)];
        return isWide(v) ? [VALTYPE.v128, VALTYPE.v128] : [VALTYPE.v128];
      },
      nests: (v, user) => {
        if (/^(check|load|structures|out)$/.test(v.op)) return false;
        const varying = this.shape(v).kind === VARYING;
        if (v.op === "unspill") return true;
        if (!user) return !varying;
        if (user.op === "spill") return !isWide(v) && readsOnce(v) && !staysInPlace(v, variant);
        if (v.op === "any" || v.op === "all") return false;
        if (
          /^(check|load|store|store_structures|leave|phi_move|mask_move|out|call|host|all|arrive)$/.test(
            user.op,
          )
        )
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
    const bodies = new Map(this.source.variants.map((v, k) => [v, this.body_(v, k)]));
    this.row = -1;
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
    this.row = variant.rows ? this.rowLocal : -1;
    this.hoisting = true;
    for (const v of variant.hoisted) {
      this.withWriter(this.hoistedCode, () => {
        const local = this.prologueSlots.get(v) as number;
        if (v.op === "check") {
          emitVectorCheck(this, v, [local]);
          return;
        }
        emitScalar(this, v);
        this.w.localSet(local);
      });
    }
    this.hoisting = false;
    return this.withWriter(new CodeWriter(4096), () => walkStructured(this.graphs[k], this));
  }

  // ---- StructureSink ----

  body(block: Block): void {
    const { copyOf, kind, linear } = this.source.variants[this.current];
    const mask = linear.maskOf.get(block) ?? -1;
    this.mask = mask;
    this.clean = this.cleanBlocks.has(block);
    this.crowded = this.crowdedBlocks.has(block);
    this.blockCache.clear();
    for (const v of block.values) {
      this.copy = copyOf.get(v) ?? 0;
      if (mask >= 0) this.mask = mask + this.copy;
      if (kind === "warp") this.forAll = !copyOf.has(v);
      value(this, v);
      if (hasVisibleEffect(v)) this.clean = false;
    }
    this.forAll = false;
    this.copy = 0;
  }

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

  edge(): void {}

  br(depth: number): void {
    this.w.br(depth);
  }

  again(_: Block, depth: number): void {
    this.nextRound(depth);
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
function staysInPlace(v: Value, { copies, kind }: GroupVariant): boolean {
  return (copies > 1 && kind !== "warp" && v.type === F32) || v.args.some((a) => a.op === "load");
}

/** Whether a group can go on in the next body as long as nothing has had an effect. */
const startsOver = (v: GroupVariant) => !/^(sure|fixed|general)$/.test(v.kind);

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
