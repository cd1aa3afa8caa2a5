import { Graph } from "../analysis/graph.ts";
import {
  Block,
  type CutState,
  hasEffect,
  I1,
  I32,
  type LoweredFunction,
  type Region,
  type Terminator,
  Value,
} from "../ir/ir.ts";
import { turnSkips } from "../passes/branches.ts";
import { eliminateDead } from "../passes/dce.ts";
import { checkEarly } from "../passes/early.ts";
import type { OptimizedRegion, RegionMaker } from "../pipeline.ts";
import { fuseProducts, splitAddresses } from "./addresses.ts";
import { alignedParameters, testAligned } from "./aligned.ts";
import { Divergence, unifyLatches } from "./divergence.ts";
import { dropKept, threadExits } from "./exits.ts";
import { jam, planJam } from "./jam.ts";
import { ALL_LANES, type LinearRegion, linearize } from "./linearize.ts";
import { accessPattern, comesFromLoad, type ShapeOf } from "./patterns.ts";
import { hoistOut, orderOfRows, type Rows } from "./rows.ts";
import {
  AFFINE,
  join,
  LANES,
  type Shape,
  type ShapeContext,
  sameShape,
  UNIFORM,
  UNKNOWN,
  unknown,
  VARYING,
  varying,
} from "./shapes.ts";
import { balanceSums } from "./sums.ts";
import { justEnds, maySure, type SureTests, takeAsGiven } from "./sure.ts";
import { touchesOfLater } from "./touches.ts";
import { type Trim, trimmedShape, trimOf } from "./trim.ts";
import { splatLoads, takeAndNot } from "./vector-forms.ts";
import { jamWarp } from "./warp-jam.ts";
import { planWarps, type WarpPlans } from "./warp-plan.ts";
import { loadsFromNeighbours } from "./windows.ts";

/** One body of a region for lane groups. */
export interface GroupVariant {
  /**
   * - sure: runs only if tests for the whole block have passed; four active lanes
   * - fast: assumes four active lanes that all pass the guards at the start
   * - jammed: as fast, for several groups at once
   * - warp: for the groups of a whole warp, past warp operations
   * - general: any lanes, under masks
   */
  kind: "sure" | "fast" | "jammed" | "warp" | "general";
  /** sure: the tests, and what they make sure of. */
  given: SureTests | undefined;
  /** sure, of a row of blocks that have several rows of threads each. */
  rows: Rows | undefined;
  /** sure: what is computed before the loop over groups, once a block or a row of threads. */
  hoisted: Value[];
  divergence: Divergence;
  linear: LinearRegion;
  /** Lane groups that the body takes at once. */
  copies: number;
  /** Which of these groups a value is for, where not the first. */
  copyOf: Map<Value, number>;
}

/** A region ready to be written for lane groups. */
export interface GroupRegion {
  prologue: Value[];
  variants: GroupVariant[];
  /** The threads that the region does anything for, where that is a range known before the groups. */
  trim: Trim | undefined;
  /** What whole warps run instead, past warp operations. */
  warp: Region | undefined;
  /** How a register that lives across cuts varies over the lanes. */
  register(index: number): Shape;
}

/** Regions beyond this size are run one thread at a time: linearising them costs too much. */
const MAX_BLOCKS = 800;

/** Why a kernel is not run in lane groups, or undefined if it can be. */
export function groupObstacle(
  regions: OptimizedRegion[],
  callsFunctions: boolean,
): string | undefined {
  if (callsFunctions) return "it calls functions that cannot be inlined";
  if (regions.some((r) => r.region.blocks.length > MAX_BLOCKS))
    return "its control flow is too large";
  return undefined;
}

/**
 * Why a kernel is likely to be faster one thread at a time, or undefined: in a loop that lanes leave
 * many rounds apart, each gather waits for the lane that goes round most.
 */
export function groupDrawback(groups: GroupRegion[]): string | undefined {
  for (const { variants } of groups) {
    for (const { divergence: d, kind } of variants) {
      if (kind === "warp") continue;
      for (const loop of d.loops) {
        if (d.leavesSoon(loop)) continue;
        for (const k of loop.blocks) {
          for (const v of d.graph.order[k].values) {
            if (v.op !== "check" || v.aux.space !== "generic") continue;
            const { stride, tried } = accessPattern((x) => d.of(x), v);
            if ((tried || stride === undefined) && comesFromLoad((x) => d.of(x), v)) {
              return "lanes leave a loop apart that gathers from memory";
            }
          }
        }
      }
    }
  }
  return undefined;
}

/**
 * Prepares all regions of a kernel for lane groups: finds how values vary over lanes, across cuts
 * too, splits addresses and linearises divergent control flow.
 */
export function groupRegions(
  fn: LoweredFunction,
  regions: OptimizedRegion[],
  block: readonly [number, number, number],
  maker: RegionMaker,
): { groups: GroupRegion[]; warps: WarpPlans } {
  for (const { region } of regions) {
    branchSwitches(region);
    turnSkips(region);
    threadExits(region);
    unifyLatches(region);
  }
  const shapesOver = new Map<number, Map<number, Shape>>();
  const context = (lanes: number): Omit<ShapeContext, "of"> => {
    const shapes = shapesOver.get(lanes) ?? registerShapes(fn, regions, block, lanes);
    shapesOver.set(lanes, shapes);
    return { block, lanes, register: (index) => shapes.get(index) ?? varying };
  };
  const group = context(LANES);
  const warps = planWarps(fn, regions, block, maker, context);
  const groups = regions.map(({ region, prologue }): GroupRegion => {
    let kept = prologue;
    const prepare = (kind: GroupVariant["kind"], own: Region, given?: SureTests) => {
      const outside = [...prologue, ...(given?.steady ?? []), ...(given?.values ?? [])];
      const divergence = new Divergence(own, outside, { ...group, aligned: given?.aligned });
      splitAddresses(own, divergence);
      fuseProducts(own, divergence);
      takeAndNot(own, divergence);
      balanceSums(own, divergence);
      const needed = new Set(eliminateDead(own, outside));
      kept = prologue.filter((v) => kept.includes(v) || needed.has(v));
      const rows = given?.flat && block[1] * block[2] > 1;
      const hoisted = given ? hoistOut(outside, divergence, rows === true, given.checks) : [];
      return {
        kind,
        given,
        divergence,
        region: own,
        rows: rows ? orderOfRows(own, divergence) : undefined,
        hoisted,
        outside: [...outside, ...hoisted],
      };
    };
    const warp = warps.plans.get(region.entry);
    const prepared = [prepare("general", cloneRegion(region))];
    // The rest is for lanes that have left the warps' body, or its blocks.
    const rare = warp !== undefined || warps.rare(region.entry);
    if (!rare) {
      const early = cloneRegion(region);
      checkEarly(early);
      const divergence = new Divergence(early, prologue, group);
      assumeGuards(early, divergence);
      dropKept(early, divergence);
      prepared.unshift(prepare("fast", early));
    }
    const trim = rare ? undefined : trimOf(region, prologue, block);
    const visited = trim ? trimmedShape(trim, block) : block;
    for (const flat of rare ? [] : sureKinds(regions.length === 1, trim, visited[0])) {
      const changed = cloneRegion(region);
      const steady = flat ? [] : takeSteady(changed, block, context);
      const found = takeAsGiven(changed, [...prologue, ...steady], visited, flat);
      const own = found ? changed : cloneRegion(region);
      const aligned = found || !flat ? alignedIn(own, prologue, group) : new Set<Value>();
      if (!found && aligned.size === 0) continue;
      const given = { ...(found ?? NOTHING_GIVEN), aligned, steady: found ? steady : [] };
      given.code = testAligned(given.code, aligned);
      prepared.push(prepare("sure", own, given));
      break;
    }
    const variants = prepared.map(
      ({ kind, given, divergence, region: own, rows, hoisted, outside }): GroupVariant => {
        eliminateDead(own, outside);
        const lanes = kind === "general" ? 0 : ALL_LANES;
        const linear = linearize(own, divergence, lanes);
        return { kind, given, rows, hoisted, divergence, linear, copies: 1, copyOf: new Map() };
      },
    );
    if (warp) variants.push(jamWarp(warp));
    if (rare) {
      variants.forEach(splatLoads);
      const all = [...kept, ...(warp?.prologue ?? [])];
      return { prologue: all, register: group.register, trim, warp: warp?.region, variants };
    }
    // Several groups at once: in the sure body, else in a further body as fast as the fast one.
    const last = prepared.length - 1;
    const best = prepared[last].kind === "sure" ? last : 0;
    const { given, rows, region: plain, divergence, outside } = prepared[best];
    const shape: typeof block = rows ? [block[0], 1, 1] : block;
    const plan = planJam(plain, divergence, shape, given, (copy, lanes) => {
      return new Divergence(copy, outside, context(lanes));
    });
    if (plan.copies > 1 && !trim) {
      const jammed = jam(variants[best], plan);
      if (maker.fma === "relaxed") loadsFromNeighbours(jammed);
      if (jammed.kind === "sure") variants[best] = jammed;
      else variants.push(jammed);
    }
    variants.forEach(splatLoads);
    // What any body needs of the prologue stays; uses are counted per body. The tests of a sure body
    // are made of any of the prologue's values.
    const whole = variants.some((v) => v.given);
    const all = whole ? prologue : kept;
    return { prologue: all, register: group.register, trim, warp: undefined, variants };
  });
  touchEarly(groups);
  return { groups, warps };
}

/**
 * Takes the registers that are the same for all threads of a block out of a body: they are loaded once. All
 * threads of the block stand at the region's start then.
 */
function takeSteady(
  region: Region,
  [x, y, z]: readonly [number, number, number],
  context: (lanes: number) => Omit<ShapeContext, "of">,
): Value[] {
  const steady: Value[] = [];
  const isSteady = (v: Value) =>
    [LANES, x * y * z].every((lanes) => context(lanes).register(v.imm).kind === UNIFORM);
  for (const b of region.blocks) {
    b.values = b.values.filter((v) => {
      if (v.op !== "reload" || !isSteady(v)) return true;
      steady.push(v);
      return false;
    });
  }
  return steady;
}

const NOTHING_GIVEN: Omit<SureTests, "aligned" | "steady"> = {
  code: [],
  checks: new Map(),
  flat: false,
  touches: [],
  columns: undefined,
  strided: false,
  values: [],
  owned: undefined,
};

/** Lets the first region touch what later ones reach: their memory is on its way meanwhile. */
function touchEarly([first, ...later]: GroupRegion[]): void {
  const sure = ({ variants }: GroupRegion) => variants.find((v) => v.kind === "sure")?.given;
  const given = sure(first);
  if (!given) return;
  for (const region of later) {
    const other = sure(region);
    if (!other) continue;
    for (const own of other.touches.splice(0)) {
      const moved = touchesOfLater(own, other.code, region.prologue);
      if (moved) given.touches.push(moved);
      else other.touches.push(own);
    }
  }
}

/** The parameters to take as multiples of four in a sure body, unless it is too large for one. */
function alignedIn(
  region: Region,
  prologue: Value[],
  context: Omit<ShapeContext, "of">,
): Set<Value> {
  const [x, y, z] = context.block;
  if ((x * y * z) % LANES !== 0 || !maySure(region)) return new Set();
  return alignedParameters(() => cloneRegion(region), prologue, context);
}

/** Threads from which on tests for the whole block are worth their time. */
const MIN_SURE = 32;

/** The sure bodies to look for: of a row of blocks, of one block, or none. */
function sureKinds(single: boolean, trim: Trim | undefined, threads: number): boolean[] {
  if (trim) return threads < MIN_SURE ? [] : [false];
  return single ? [true, false] : [false];
}

/**
 * The shapes of registers that live across cuts, found together with the shapes inside the regions.
 * Only if all lanes of a group always reach the same cut do they stay in step; else lanes that
 * reload a register may be in different rounds of a loop, and everything varies.
 */
function registerShapes(
  fn: LoweredFunction,
  regions: OptimizedRegion[],
  block: readonly [number, number, number],
  lanes: number,
): Map<number, Shape> {
  const shapes = new Map<number, Shape>();
  if (fn.cuts.length === 0 || fn.cuts.some((c) => c.kind === "wait")) return shapes;
  for (const { region } of regions) {
    for (const b of region.blocks) {
      const t = b.terminator;
      if (t?.kind === "cut" && t.state)
        for (const s of t.state.spills) shapes.set(s.register, unknown);
      for (const v of b.values) if (v.op === "reload") shapes.set(v.imm, unknown);
    }
  }
  const register = (index: number) => shapes.get(index) ?? varying;
  const loading = new Map<number, OptimizedRegion[]>();
  for (const own of regions) {
    for (const b of own.region.blocks) {
      for (const v of b.values) {
        if (v.op !== "reload") continue;
        const list = loading.get(v.imm);
        if (!list) loading.set(v.imm, [own]);
        else if (!list.includes(own)) list.push(own);
      }
    }
  }
  // Regions are looked at again when registers that they load have got other shapes.
  const stale = new Set(regions);
  const set = (index: number, shape: Shape) => {
    shapes.set(index, shape);
    for (const own of loading.get(index) ?? []) stale.add(own);
  };
  while (stale.size > 0) {
    for (const own of regions) {
      if (!stale.delete(own)) continue;
      const copy = cloneRegion(own.region);
      const d = new Divergence(copy, own.prologue, { block, lanes, register });
      if (!inStep(d) || namesLanes(d)) return new Map();
      for (const b of copy.blocks) {
        const t = b.terminator;
        if (t?.kind !== "cut" || !t.state) continue;
        for (const { register: r, value } of t.state.spills) {
          const old = shapes.get(r) ?? varying;
          const next = join(old, d.of(value));
          if (!sameShape(old, next)) set(r, next);
        }
      }
    }
    if (stale.size > 0) continue;
    // Registers that are loaded but that no region saves: code that nothing reaches.
    for (const [r, s] of shapes) if (s.kind === UNKNOWN) set(r, varying);
  }
  return shapes;
}

/** Whether lanes that start together can only stop at one cut, or exit. */
function inStep(d: Divergence): boolean {
  const { graph } = d;
  for (const b of d.branches) {
    const k = graph.index.get(b) as number;
    const cuts = new Set<number>();
    graph.order.forEach((other, n) => {
      if (n <= k || other.terminator?.kind !== "cut") return;
      if (d.partial(k).has(n)) cuts.add(other.terminator.cut.entry);
    });
    // A cut that only some lanes reach is shared with one that the others reach later on.
    if (cuts.size > 0) {
      for (const other of graph.order) {
        if (other.terminator?.kind === "cut") cuts.add(other.terminator.cut.entry);
      }
    }
    if (cuts.size > 1) return false;
  }
  for (const loop of d.loops) {
    const entries = new Set<number>();
    for (const b of graph.order)
      if (b.terminator?.kind === "cut") entries.add(b.terminator.cut.entry);
    if (entries.size > 1 && loop.blocks.some((n) => graph.order[n].terminator?.kind === "cut"))
      return false;
  }
  return true;
}

/**
 * Whether lanes of a group may wait at one cut for different ones: with member masks or barriers
 * that differ, some go on before the others (`tiled_partition<2>`).
 */
function namesLanes(d: Divergence): boolean {
  return d.graph.order.some(({ terminator: t }) => {
    if (t?.kind !== "cut" || !t.state) return false;
    return t.state.operands.some((v) => d.of(v).kind >= AFFINE);
  });
}

/** Switches become chains of branches, which can be linearised. */
export function branchSwitches(region: Region): void {
  let id = Math.max(...region.blocks.map((b) => b.id)) + 1;
  for (const block of [...region.blocks]) {
    const t = block.terminator;
    if (t?.kind !== "switch") continue;
    let at = block;
    t.targets.forEach((target, k) => {
      if (k === t.targets.length - 1) {
        at.terminator = { kind: "jump", target };
        return;
      }
      const number = new Value("const", I32, [], k);
      const cond = new Value("i32_eq", I1, [t.index, number]);
      at.values.push(number, cond);
      const next = new Block(id++);
      region.blocks.push(next);
      at.terminator = { kind: "branch", cond, yes: target, no: next };
      at = next;
    });
    repairPhis(region, block, t.targets);
  }
  new Graph(region.start); // predecessors anew
}

/** Phis behind a switch had one operand for it; now its chain may come in several times. */
function repairPhis(region: Region, block: Block, targets: Block[]): void {
  const before = new Map<Block, Block[]>();
  for (const t of new Set(targets)) before.set(t, [...t.preds]);
  new Graph(region.start);
  for (const [target, old] of before) {
    const from = (p: Block) => (old.includes(p) ? p : block);
    for (const phi of target.values) {
      if (phi.op !== "phi") break;
      const args = phi.args;
      phi.args = target.preds.map((p) => args[old.indexOf(from(p))]);
    }
  }
}

/** A copy that passes may change; prologue values are shared. */
export function cloneRegion(region: Region): Region {
  const blocks = new Map<Block, Block>();
  const values = new Map<Value, Value>();
  for (const b of region.blocks) {
    const copy = new Block(b.id);
    copy.line = b.line;
    blocks.set(b, copy);
    for (const v of b.values) {
      const c = new Value(v.op, v.type, v.args, v.imm, v.big, v.aux);
      values.set(v, c);
      copy.values.push(c);
    }
  }
  const to = (b: Block) => blocks.get(b) as Block;
  const of = (v: Value) => values.get(v) ?? v;
  for (const b of region.blocks) {
    const copy = to(b);
    copy.preds = b.preds.map(to);
    for (const v of b.values) (values.get(v) as Value).args = v.args.map(of);
    copy.terminator = cloneTerminator(b.terminator as Terminator, to, of);
  }
  return { ...region, start: to(region.start), blocks: region.blocks.map(to) };
}

function cloneTerminator(
  t: Terminator,
  to: (b: Block) => Block,
  of: (v: Value) => Value,
): Terminator {
  if (t.kind === "jump") return { kind: "jump", target: to(t.target) };
  if (t.kind === "branch")
    return { kind: "branch", cond: of(t.cond), yes: to(t.yes), no: to(t.no) };
  if (t.kind === "switch")
    return { kind: "switch", index: of(t.index), targets: t.targets.map(to) };
  if (t.kind !== "cut" || !t.state) return t;
  const state: CutState = {
    spills: t.state.spills.map((s) => ({ register: s.register, value: of(s.value) })),
    operands: t.state.operands.map(of),
    sources: t.state.sources.map(of),
  };
  return { kind: "cut", cut: t.cut, state };
}

/**
 * Guards at the region's start, where the lanes that fail just end (`if (i >= n) return`): the fast
 * body takes all lanes as passing; a group in which one fails starts over in the general body.
 * Nothing may have had an effect before, and what was loaded decides nothing: groups that data splits
 * are too many to run twice.
 */
export function assumeGuards(region: Region, d: { of: ShapeOf }): void {
  let block = region.start;
  let id = Math.max(...region.blocks.map((b) => b.id)) + 1;
  // A block that a loop comes back to has had its effects when it is reached again.
  for (let preds = 0; block.preds.length === preds; preds = 1) {
    if (block.values.some((v) => hasEffect(v) && v.op !== "check")) return;
    const t = block.terminator;
    if (t?.kind === "jump") {
      block = t.target;
      continue;
    }
    if (t?.kind !== "branch" || d.of(t.cond).kind !== VARYING || t.yes === t.no) return;
    if (comesFromLoad((x) => d.of(x), t.cond)) return; // data, which splits groups anywhere
    const [endsYes, endsNo] = [justEnds(t.yes), justEnds(t.no)];
    if (endsYes === endsNo) return;
    const pass = endsYes ? t.no : t.yes;
    const fail = endsYes ? t.yes : t.no;
    const all = new Value("all", I1, [t.cond], 0, 0n, { negate: endsYes });
    const slow = new Block(id++);
    slow.values.push(new Value("slow", 5, []));
    slow.terminator = { kind: "exit" };
    slow.preds = [block];
    region.blocks.push(slow);
    block.values.push(all);
    block.terminator = { kind: "branch", cond: all, yes: pass, no: slow };
    fail.preds = fail.preds.filter((p) => p !== block);
    block = pass;
  }
}
