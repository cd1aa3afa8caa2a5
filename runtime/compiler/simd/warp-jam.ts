import { Graph } from "../analysis/graph.ts";
import { Block, type Cut, hasEffect, I1, isPure, NONE, type Terminator, Value } from "../ir/ir.ts";
import type { GroupVariant } from "./group-region.ts";
import { countUses, dropDead } from "./jam.ts";
import { LANES, type Shape, uniform, WARP_LANES } from "./shapes.ts";
import { expandWarp } from "./warp-ops.ts";
import type { WarpPlan } from "./warp-plan.ts";

/** Lane groups of a warp. */
export const GROUPS = WARP_LANES / LANES;

/** Pure operations under masks that a group without lanes may as well do. */
const FEW = 6;

/**
 * The body that runs a region for whole warps: every operation is there once for each lane group of a
 * warp, but for what all lanes share. Between warp operations group after group has its turn, so that
 * few vectors live at a time; under masks a group without lanes is left out.
 */
export function jamWarp(plan: WarpPlan): GroupVariant {
  return new WarpJam(plan).run();
}

/** Writes a body for eight lane groups; warp operations are written through it. */
export class WarpJam {
  private readonly plan: WarpPlan;
  private readonly made = new Map<Value, Value[]>();
  /** Copies whose operands are still to be set. */
  private readonly open: { copy: Value; from: Value; k: number }[] = [];
  private readonly copyOf = new Map<Value, number>();
  private readonly mutable = new Set<Value>();
  private readonly blocks = new Map<Block, Block>();
  private block = new Block(0);
  /** Operations since the last one that all groups had to come to. */
  private segment: Value[] = [];
  /** Whether a group's own access to memory, or a shared one, is among them. */
  private touches = { own: false, shared: false };
  private mask = -1;

  constructor(plan: WarpPlan) {
    this.plan = plan;
  }

  run(): GroupVariant {
    const { linear, divergence } = this.plan;
    for (const v of linear.mutable) for (const c of this.make(v)) this.mutable.add(c);
    const { order } = new Graph(linear.start);
    const maskOf = new Map<Block, number>();
    for (const b of order) {
      const copy = new Block(b.id);
      copy.line = b.line;
      this.blocks.set(b, copy);
      const mask = linear.maskOf.get(b) ?? -1;
      maskOf.set(copy, mask < 0 ? mask : mask * GROUPS);
    }
    for (const b of order) this.copyBlock(b);
    for (const { copy, from, k } of this.open) copy.args = from.args.map((a) => this.of(a, k));
    dropDead(this.blocks.values(), this.mutable); // what became of shuffled values that nobody uses
    const start = this.blocks.get(linear.start) as Block;
    countUses(new Graph(start).order);
    return {
      kind: "warp",
      given: undefined,
      rows: undefined,
      hoisted: [],
      divergence,
      linear: { start, maskOf, masks: linear.masks * GROUPS, mutable: this.mutable },
      fixed: undefined,
      near: new Map(),
      copies: GROUPS,
      copyOf: this.copyOf,
    };
  }

  /** What stands for a value in lane group k. */
  of(v: Value, k: number): Value {
    const list = this.made.get(v);
    return list ? list[Math.min(k, list.length - 1)] : v;
  }

  /** Whether all lanes share a value. */
  isShared(v: Value): boolean {
    return (this.made.get(v)?.length ?? 1) === 1;
  }

  shape(v: Value): Shape {
    return this.plan.divergence.of(v);
  }

  /** Lets a warp operation's result be these values, one for each group or one for all. */
  define(v: Value, values: Value[]): void {
    this.made.set(v, values);
  }

  /** Appends an operation of group k (undefined: of all groups). */
  emit(v: Value, shape: Shape, k?: number): Value {
    this.plan.divergence.shapes.set(v, shape);
    if (k !== undefined) this.copyOf.set(v, k);
    this.block.values.push(v);
    return v;
  }

  private make(v: Value): Value[] {
    const shared = this.shares(v);
    const list = Array.from({ length: shared ? 1 : GROUPS }, (_, k) => {
      const c = new Value(v.op, v.type, [], v.imm, v.big, v.aux);
      if (!shared) this.copyOf.set(c, k);
      this.plan.divergence.shapes.set(c, this.shape(v));
      this.open.push({ copy: c, from: v, k });
      return c;
    });
    this.made.set(v, list);
    return list;
  }

  /** Whether an operation is done once for all groups. */
  private shares(v: Value): boolean {
    if (v.op === "slow" || v.op === "fence" || v.op === "spin") return true;
    if (v.type === NONE && v.op !== "store") return false;
    return v.op !== "all" && this.plan.shared.has(v);
  }

  private copyBlock(b: Block): void {
    this.block = this.blocks.get(b) as Block;
    this.mask = this.plan.linear.maskOf.get(b) ?? -1;
    for (let n = 0; n < b.values.length; n++) {
      const v = b.values[n];
      if (this.made.has(v) && v.op === "phi") continue;
      if (v.op === "warp") {
        if (this.made.has(v)) continue;
        this.flush();
        // All results of one operation together.
        const results = b.values.slice(n).filter((x) => isSameOperation(v, x));
        this.plan.forms.set(v.aux.cut as Cut, expandWarp(this, v, results));
      } else if (isStructural(v)) {
        this.flush();
        this.structural(v);
      } else this.add(v);
    }
    this.flush();
    const to = (x: Block) => this.blocks.get(x) as Block;
    const t = b.terminator as Terminator;
    if (t.kind === "jump") this.block.terminator = { kind: "jump", target: to(t.target) };
    else if (t.kind === "branch") {
      const cond = this.allOf(this.made.get(t.cond) ?? [t.cond]);
      this.block.terminator = { kind: "branch", cond, yes: to(t.yes), no: to(t.no) };
    } else this.block.terminator = t;
  }

  /** The condition that holds if it does in every group. */
  private allOf(conditions: Value[]): Value {
    return conditions.reduce((a, b) => this.emit(new Value("and1", I1, [a, b]), uniform));
  }

  // ---- what groups do one after the other ----

  private add(v: Value): void {
    const memory = touchesMemory(v);
    const shared = this.shares(v);
    // A thread sees its own accesses in order, whoever makes them for it.
    if (memory && (shared ? this.touches.own : false)) this.flush();
    this.segment.push(v);
    if (memory) this.touches[shared ? "shared" : "own"] = true;
  }

  private flush(): void {
    const { segment, mask } = this;
    this.segment = [];
    this.touches = { own: false, shared: false };
    const lists = segment.map((v) =>
      v.op === "out" ? (this.made.get(v) as Value[]) : this.make(v),
    );
    // What is shared comes first, with what it is computed from (of the threads' numbers).
    const early = this.neededByShared(segment);
    lists.forEach((list, n) => {
      if (list.length === 1 || early.has(segment[n])) this.block.values.push(...list);
    });
    const own = segment
      .map((v, n) => ({ v, list: lists[n] }))
      .filter(({ v, list }) => list.length > 1 && !early.has(v));
    if (own.length === 0) return;
    const heavy = own.length > FEW || own.some(({ v }) => !isPure(v) || /^(lib|leave)$/.test(v.op));
    for (let k = 0; k < GROUPS; k++) {
      const guarded = mask >= 0 && heavy;
      if (guarded) this.block.values.push(new Value("group_if", NONE, [], mask * GROUPS + k));
      for (const { v, list } of own) {
        const c = list[k];
        if (v.op === "leave") c.aux = { ...v.aux, mask: this.maskOf(v.aux.mask as number, k) };
        this.block.values.push(c);
      }
      if (guarded) this.block.values.push(new Value("group_end", NONE, []));
    }
  }

  /** The groups' own values of a segment that shared ones of it are computed from. */
  private neededByShared(segment: Value[]): Set<Value> {
    const inside = new Set(segment);
    const needed = new Set<Value>();
    for (const v of [...segment].reverse()) {
      if (!this.shares(v) && !needed.has(v)) continue;
      for (const a of v.args) if (inside.has(a) && !this.shares(a)) needed.add(a);
    }
    return needed;
  }

  private maskOf(mask: number, k: number): number {
    return mask < 0 ? mask : mask * GROUPS + k;
  }

  // ---- masks and phis ----

  private structural(v: Value): void {
    if (v.op === "any") {
      const c = new Value("any", I1, [], v.imm * GROUPS, 0n, { masks: GROUPS });
      this.made.set(v, [this.emit(c, uniform)]);
      return;
    }
    if (v.op === "phi_move") {
      this.movePhis(v);
      return;
    }
    if (v.op === "slow" || v.op === "all") {
      this.block.values.push(...this.make(v));
      return;
    }
    for (const [k, c] of this.make(v).entries()) {
      c.imm = v.imm * GROUPS + k;
      if (v.aux.mask !== undefined) c.aux = { ...v.aux, mask: this.maskOf(v.aux.mask, k) };
      this.block.values.push(c);
    }
  }

  /** One move for each group, then one of what they share: it is read by the others before. */
  private movePhis(v: Value): void {
    const phis = v.aux.phis as Value[];
    const blends = v.aux.blends as boolean[];
    const shared = phis.map((phi) => (this.made.get(phi) as Value[]).length === 1);
    for (let k = 0; k <= GROUPS; k++) {
      const chosen = [...phis.keys()].filter((n) => shared[n] === (k === GROUPS));
      if (chosen.length === 0) continue;
      const aux = {
        phis: chosen.map((n) => this.of(phis[n], k)),
        blends: chosen.map((n) => blends[n]),
        mask: this.maskOf(v.aux.mask as number, Math.min(k, GROUPS - 1)),
      };
      const from = new Value(
        "phi_move",
        NONE,
        chosen.map((n) => v.args[n]),
      );
      const copy = new Value("phi_move", NONE, [], 0, 0n, aux);
      if (k < GROUPS) this.copyOf.set(copy, k);
      this.open.push({ copy, from, k });
      this.block.values.push(copy);
    }
  }
}

/** What all groups come to at once: masks, moves between blocks, tests. */
const isStructural = (v: Value) => /^(mask_|phi_move$|any$|all$|slow$)/.test(v.op);

/** Whether an operation reads or writes memory that others of the segment may write or read. */
const touchesMemory = (v: Value) =>
  v.op === "load" ? !isPure(v) : hasEffect(v) && v.op !== "check" && v.op !== "spin";

function isSameOperation(a: Value, b: Value): boolean {
  if (b.op !== "warp" || b.aux.cut !== a.aux.cut) return false;
  return a.args.length === b.args.length && a.args.every((x, k) => x === b.args[k]);
}
