import { Graph } from "../analysis/graph.ts";
import { cloneRegion } from "../ir/clone.ts";
import {
  type Block,
  type Cut,
  type LoweredFunction,
  type Region,
  successors,
  type Value,
} from "../ir/ir.ts";
import { eliminateDead } from "../passes/dce.ts";
import type { OptimizedRegion, RegionMaker } from "../pipeline.ts";
import { namesAllLanes, takesAnyMask } from "../regions/crossing.ts";
import { crossableCuts } from "../regions/waits.ts";
import { fuseProducts, splitAddresses } from "./addresses.ts";
import { Divergence, unifyLatches } from "./divergence.ts";
import { assumeGuards, branchSwitches } from "./group-region.ts";
import { ALL_LANES, type LinearRegion, linearize } from "./linearize.ts";
import { LANES, type ShapeContext, UNIFORM, WARP_LANES } from "./shapes.ts";
import type { WarpForm } from "./warp-ops.ts";
import { raceCut } from "./warp-races.ts";

/** A region that goes on past warp operations, for whole warps. */
export interface WarpPlan {
  region: Region;
  prologue: Value[];
  divergence: Divergence;
  linear: LinearRegion;
  /** Values that all lanes of a warp share. */
  shared: Set<Value>;
  /** How the operations are done, once the body is made. */
  forms: Map<Cut, WarpForm>;
}

/** What became of the cuts of warp operations. */
export interface WarpPlans {
  /** By the entry that the region starts at. */
  plans: Map<number, WarpPlan>;
  /** Whether threads hardly ever stand at an entry, since whole warps go past it. */
  rare(entry: number): boolean;
  /** Why operations end their region, wherever they do. */
  reasons: Map<Cut, string>;
}

/** Operations beyond which a region ends at the next warp operation: there are eight of each. */
const MAX_VALUES = 600;
/** Operations for each warp operation beyond which the code is not worth its size. */
const MAX_VALUES_EACH = 60;
/** Operations on matrices, whose operands go through the warp's frame in any case. */
const MATRIX = /^(w?mma|wgmma|ldmatrix|stmatrix|movmatrix)_/;
const LONG = "the region before it is long";

type Context = (lanes: number) => Omit<ShapeContext, "of">;

/**
 * Finds the regions that go on past warp operations. That is possible where the lanes of a warp come
 * to the operation together and its member mask tells nobody apart: then it is done on the eight lane groups of the
 * warp side by side. Loops before the first operation stay a region of their own, since groups run
 * them faster one by one.
 */
export function planWarps(
  fn: LoweredFunction,
  regions: OptimizedRegion[],
  block: readonly [number, number, number],
  maker: RegionMaker,
  context: Context,
): WarpPlans {
  const plans = new Map<number, WarpPlan>();
  const reasons = new Map<Cut, string>();
  const own = fn.cuts.filter((c) => c.kind === "warp" || c.kind === "gather");
  if (own.length === 0) return { plans, reasons, rare: () => false };
  const [x, y, z] = block;
  if ((x * y * z) % WARP_LANES !== 0) {
    for (const cut of own) reasons.set(cut, "the block's last warp is not a whole one");
    return { plans, reasons, rare: () => false };
  }
  const candidates = crossableCuts(fn);
  for (const cut of own) {
    if (!candidates.has(cut)) reasons.set(cut, "it lies in a loop that waits for other threads");
    else if (MATRIX.test(cut.warpOp ?? "")) {
      candidates.delete(cut);
      reasons.set(cut, "matrices come from memory, and groups load them faster one by one");
    }
  }
  const work = [1];
  const seen = new Set(work);
  for (let entry = work.pop(); entry; entry = work.pop()) {
    const plain = regions[entry - 1].region;
    const loops = new Graph(plain.start).loops.length > 0;
    const from = plain.from;
    const first = from?.next ?? fn.entry;
    const plan = loops
      ? undefined
      : planWarp(from, first, candidates, maker, context, block, reasons);
    if (plan) plans.set(entry, plan);
    for (const { terminator: t } of (plan?.region ?? plain).blocks) {
      if (t?.kind !== "cut") continue;
      if (loops && candidates.has(t.cut)) reasons.set(t.cut, "it is the first after a loop");
      if (seen.has(t.cut.entry)) continue;
      seen.add(t.cut.entry);
      work.push(t.cut.entry);
    }
  }
  return { plans, reasons, rare: (entry) => !seen.has(entry) };
}

/** The region behind `from`, past all the operations that it can go past; undefined if none. */
function planWarp(
  from: Cut | undefined,
  first: Block,
  candidates: ReadonlySet<Cut>,
  maker: RegionMaker,
  context: Context,
  block: readonly [number, number, number],
  reasons: Map<Cut, string>,
): WarpPlan | undefined {
  const crossed = new Set(candidates);
  const refuse = (cuts: Iterable<Cut>, reason: string): boolean => {
    const before = crossed.size;
    for (const cut of cuts) if (crossed.delete(cut)) reasons.set(cut, reason);
    return crossed.size < before;
  };
  const [warp, group] = [context(WARP_LANES), context(LANES)];
  refuse(farFrom(first, crossed), LONG);
  for (;;) {
    const { region, prologue } = maker.make(from, crossed, 4);
    const operations = warpValues(region);
    if (operations.length === 0) return undefined;
    if (refuse(beyond(region), LONG)) continue;
    const values = region.blocks.reduce((sum, b) => sum + b.values.length, 0);
    // What only keeps lanes in step saves no exchange.
    const exchanges = operations.filter((v) => v.aux.name !== "").length;
    if (values > MAX_VALUES_EACH * (exchanges + (operations.length - exchanges) / 4)) {
      refuse(operations.map(cutOf), "there is much code for few operations");
      return undefined;
    }
    const partial = operations.filter((v) => !namesAllLanes(v) && !takesAnyMask(v));
    if (refuse(partial.map(cutOf), "its member mask is not known to be all lanes")) continue;
    branchSwitches(region);
    unifyLatches(region);
    const guards = lanesOf(region, prologue, warp);
    assumeGuards(region, guards);
    const wide = lanesOf(region, prologue, warp);
    if (refuse(operations.filter((v) => wide.parted(v)).map(cutOf), "lanes come to it apart"))
      continue;
    const race = raceCut(wide.divergence, prologue, block);
    if (race && refuse([race], "warps have read there what others store to behind it")) continue;
    const divergence = new Divergence(
      region,
      prologue,
      { ...group, shared: new Set(operations.filter((v) => wide.of(v).kind === UNIFORM)) },
      new Set(region.blocks.filter((b) => wide.branches(b))),
    );
    splitAddresses(region, divergence);
    fuseProducts(region, divergence);
    const kept = eliminateDead(region, prologue);
    const whole = lanesOf(region, kept, warp);
    const shared = new Set<Value>();
    for (const v of region.blocks.flatMap((b) => b.values)) {
      if (whole.of(v).kind === UNIFORM && divergence.of(v).kind === UNIFORM) shared.add(v);
    }
    const linear = linearize(region, divergence, ALL_LANES);
    const masked = new Set<Cut>();
    for (const b of new Graph(linear.start).order) {
      if (linear.maskOf.get(b) === ALL_LANES) continue;
      for (const v of b.values) if (v.op === "warp") masked.add(cutOf(v));
    }
    if (refuse(masked, "lanes come to it apart")) continue;
    if (!branchesTogether(linear, new Set([...shared, ...kept]))) return undefined;
    return { region, prologue: kept, divergence, linear, shared, forms: new Map() };
  }
}

/** Whether the branches that are left are the same for all lanes of a warp. */
function branchesTogether(linear: LinearRegion, shared: Set<Value>): boolean {
  return new Graph(linear.start).order.every(({ terminator: t }) => {
    if (t?.kind !== "branch") return true;
    return /^(any|all|const)$/.test(t.cond.op) || shared.has(t.cond);
  });
}

const cutOf = (v: Value) => v.aux.cut as Cut;

const warpValues = (region: Region): Value[] =>
  region.blocks.flatMap((b) => b.values.filter((v) => v.op === "warp"));

/** The cuts that are certain to come too late, before anything is built. */
function farFrom(first: Block, crossed: ReadonlySet<Cut>): Cut[] {
  const late: Cut[] = [];
  const seen = new Set([first]);
  let values = 0;
  // In the order in which they are come to, near ones first.
  for (const b of seen) {
    for (const v of b.values) if (!/^(reg|const)/.test(v.op)) values++;
    const t = b.terminator;
    if (t?.kind !== "cut") for (const s of successors(b)) seen.add(s);
    else if (crossed.has(t.cut)) {
      if (values > 2 * MAX_VALUES) late.push(t.cut);
      else seen.add(t.cut.next);
    }
  }
  return late;
}

/** Of a region that is too long, the cuts to end it at: those that come late, or else the last. */
function beyond(region: Region): Cut[] {
  const late: Cut[] = [];
  let last: Cut | undefined;
  let values = 0;
  for (const b of new Graph(region.start).order) {
    for (const v of b.values) {
      values++;
      if (v.op !== "warp") continue;
      last = cutOf(v);
      if (values > MAX_VALUES) late.push(last);
    }
  }
  if (values <= MAX_VALUES || !last) return [];
  return late.length > 0 ? late : [last];
}

/** How a region's values and branches are over all lanes of a warp, found out in a copy. */
function lanesOf(region: Region, prologue: Value[], context: Omit<ShapeContext, "of">) {
  const copy = cloneRegion(region);
  const values = new Map<Value, Value>();
  const blocks = new Map<Block, Block>();
  region.blocks.forEach((b, n) => {
    blocks.set(b, copy.blocks[n]);
    b.values.forEach((v, k) => {
      values.set(v, copy.blocks[n].values[k]);
    });
  });
  const home = new Map<Value, Block>();
  for (const b of copy.blocks) for (const v of b.values) home.set(v, b);
  const d = new Divergence(copy, prologue, context);
  const { order, index } = d.graph;
  const apart = order.map((_, k) => k).filter((k) => d.parts(k));
  return {
    divergence: d,
    of: (v: Value) => d.of(values.get(v) ?? v),
    branches: (b: Block) => d.branches.has(blocks.get(b) as Block),
    /** Whether some lanes may not come to where a value is computed, or at another time. */
    parted: (v: Value): boolean => {
      const k = index.get(home.get(values.get(v) as Value) as Block);
      if (k === undefined) return false; // nothing comes there
      for (const loop of d.loops) if (d.inLoop(loop, k)) return true;
      return apart.some((b) => b !== k && d.partial(b).has(k));
    },
  };
}
