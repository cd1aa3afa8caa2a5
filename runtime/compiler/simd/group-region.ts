import { Graph } from "../analysis/graph.ts";
import { cloneRegion } from "../ir/clone.ts";
import { Block, hasEffect, I1, I32, type LoweredFunction, type Region, Value } from "../ir/ir.ts";
import { turnSkips } from "../passes/branches.ts";
import { eliminateDead } from "../passes/dce.ts";
import { checkEarly } from "../passes/early.ts";
import type { OptimizedRegion, RegionMaker } from "../pipeline.ts";
import { fuseProducts, splitAddresses } from "./addresses.ts";
import { alignedParameters, testAligned } from "./aligned.ts";
import { Divergence, unifyLatches } from "./divergence.ts";
import { dropKept, threadExits } from "./exits.ts";
import { FIXED_VALUES, withParameter } from "./fixed.ts";
import { jam, planJam } from "./jam.ts";
import { ALL_LANES, type LinearRegion, linearize } from "./linearize.ts";
import { nearChecks } from "./near.ts";
import { accessPattern, comesFromLoad, type ShapeOf } from "./patterns.ts";
import { registerShapes } from "./register-shapes.ts";
import { jamRows } from "./row-jam.ts";
import { hoistOut, orderOfRows, type Rows } from "./rows.ts";
import { LANES, type Shape, type ShapeContext, UNIFORM, VARYING, varying } from "./shapes.ts";
import { takeStructures } from "./structures.ts";
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
   * - fixed: the same, where a parameter has a value that it is made for
   * - fast: assumes four active lanes that all pass the guards at the start
   * - jammed: as fast, for several groups at once
   * - warp: for the groups of a whole warp, past warp operations
   * - general: any lanes, under masks
   */
  kind: "sure" | "fixed" | "fast" | "jammed" | "warp" | "general";
  /** sure: the tests, and what they make sure of. */
  given: SureTests | undefined;
  /** sure, of a row of blocks that have several rows of threads each. */
  rows: Rows | undefined;
  /** sure: what is computed before the loop over groups, once a block or a row of threads. */
  hoisted: Value[];
  divergence: Divergence;
  linear: LinearRegion;
  /** fixed: the parameter, and its value. */
  fixed: { param: Value; value: number } | undefined;
  /** Checks whose lanes lie near each other, by the lanes' offsets from the first. */
  near: Map<Value, number[]>;
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

/** A body's region before its control flow is made linear. */
interface Prepared
  extends Pick<GroupVariant, "kind" | "given" | "rows" | "hoisted" | "near" | "divergence"> {
  region: Region;
  /** Values that are there before the body. */
  outside: Value[];
}

/** Lane groups that a body takes at once, at most. */
const MAX_GROUPS = 8;

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
  const bodies = groups.flatMap((g) => g.variants.filter(({ kind }) => kind !== "warp"));
  return bodies.some(({ divergence }) => gathersApart(divergence))
    ? "lanes leave a loop apart that gathers from memory"
    : undefined;
}

function gathersApart(d: Divergence): boolean {
  const isGather = (v: Value): boolean => {
    if (v.op !== "check" || v.aux.space !== "generic") return false;
    const { stride, tried } = accessPattern((x) => d.of(x), v);
    return (tried || stride === undefined) && comesFromLoad((x) => d.of(x), v);
  };
  return [...d.loops].some(
    (loop) =>
      !d.leavesSoon(loop) && loop.blocks.some((k) => d.graph.order[k].values.some(isGather)),
  );
}

/** A kernel ready to be written for lane groups. */
export interface GroupedKernel {
  /** By region. */
  groups: GroupRegion[];
  warps: WarpPlans;
}

/**
 * Prepares all regions of a kernel for lane groups: finds how values vary over lanes, across cuts
 * too, splits addresses and linearises divergent control flow.
 * @param always whether or not that is likely to be slower (`groupDrawback`), where there is nothing otherwise
 */
export function groupRegions(
  fn: LoweredFunction,
  regions: OptimizedRegion[],
  block: readonly [number, number, number],
  maker: RegionMaker,
  always?: true,
): GroupedKernel;
export function groupRegions(
  fn: LoweredFunction,
  regions: OptimizedRegion[],
  block: readonly [number, number, number],
  maker: RegionMaker,
  always: boolean,
): GroupedKernel | undefined;
export function groupRegions(
  fn: LoweredFunction,
  regions: OptimizedRegion[],
  block: readonly [number, number, number],
  maker: RegionMaker,
  always = true,
): GroupedKernel | undefined {
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
  const begun = regions.map(({ region, prologue }) => {
    let kept = prologue;
    const prepare = (kind: GroupVariant["kind"], own: Region, given?: SureTests): Prepared => {
      const outside = [...prologue, ...(given?.steady ?? []), ...(given?.values ?? [])];
      const divergence = new Divergence(own, outside, { ...group, aligned: given?.aligned });
      splitAddresses(own, divergence);
      fuseProducts(own, divergence);
      takeAndNot(own, divergence);
      balanceSums(own, divergence);
      const needed = new Set(eliminateDead(own, outside));
      kept = prologue.filter((v) => kept.includes(v) || needed.has(v));
      const rows = given?.flat && block[1] * block[2] > 1;
      // What is moved out runs whatever a parameter is: no access that is for one value of it.
      const checks = kind === "fixed" ? new Map<Value, boolean>() : given?.checks;
      const hoisted = checks ? hoistOut(outside, divergence, rows === true, checks) : [];
      const near = given ? nearChecks(divergence, given.checks) : new Map<Value, number[]>();
      return {
        kind,
        given,
        divergence,
        region: own,
        near,
        rows: rows ? orderOfRows(own, divergence, near) : undefined,
        hoisted,
        outside: [...outside, ...hoisted],
      };
    };
    const general = prepare("general", cloneRegion(region));
    return { region, prologue, prepare, general, kept: () => kept };
  });
  // Said of a kernel by its general bodies, it need not be found out what others would be like.
  if (!always && begun.some(({ general }) => gathersApart(general.divergence))) return undefined;
  const warps = planWarps(fn, regions, block, maker, context);
  const groups = begun.map(({ region, prologue, prepare, general, kept }): GroupRegion => {
    const warp = warps.plans.get(region.entry);
    const fixed: { param: Value; value: number; from: Prepared }[] = [];
    const prepared = [general];
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
      for (const { region: other, checks, values, ...of } of flat
        ? fixedRegions(own, prologue, given)
        : []) {
        const from = prepare("fixed", other, { ...given, checks, values, aligned: new Set() });
        if (knowsLanes(from)) fixed.push({ ...of, from });
      }
      prepared.push(prepare("sure", own, given));
      break;
    }
    const finish = ({ region: own, outside, ...rest }: Prepared): GroupVariant => {
      eliminateDead(own, outside);
      const linear = linearize(own, rest.divergence, rest.kind === "general" ? 0 : ALL_LANES);
      return { ...rest, linear, copies: 1, copyOf: new Map(), fixed: undefined };
    };
    const variants = prepared.map(finish);
    if (warp) variants.push(jamWarp(warp));
    if (rare) {
      variants.forEach(splatLoads);
      variants.forEach(takeStructures);
      const all = [...kept(), ...(warp?.prologue ?? [])];
      return { prologue: all, register: group.register, trim, warp: warp?.region, variants };
    }
    // Several groups at once: in the sure body, else in a further body as fast as the fast one.
    const fused = maker.fma === "relaxed";
    const several = (variant: GroupVariant, from: Prepared): GroupVariant => {
      const shape: typeof block = from.rows ? [block[0], 1, 1] : block;
      const groups = (most: number) =>
        planJam(from, shape, fused, most, (copy, lanes) => {
          return new Divergence(copy, from.outside, context(lanes));
        });
      if (trim) return variant;
      const jammed = (most: number) => {
        const plan = groups(most);
        return plan.copies > 1 ? jam(variant, plan) : variant;
      };
      const best = jammed(MAX_GROUPS);
      // What several rows have in common may be more than registers hold of many groups.
      const bodies = [() => best];
      for (let n = best.copies / 2; n >= 1; n /= 2) bodies.push(() => jammed(n));
      // Bodies for values of a parameter go through rows as this one does: one by one.
      const inRows = from.rows && fixed.length === 0 && jamRows(block, bodies, fused);
      if (inRows) return inRows;
      if (fused && best !== variant) loadsFromNeighbours(best);
      return best;
    };
    const last = prepared.length - 1;
    const best = prepared[last].kind === "sure" ? last : 0;
    const jammed = several(variants[best], prepared[best]);
    if (jammed.kind === "jammed") variants.push(jammed);
    else variants[best] = jammed;
    const { given } = jammed;
    if (given) {
      for (const { param, value, from } of fixed) {
        const variant = { ...several(finish(from), from), fixed: { param, value } };
        const alike = variant.copies === jammed.copies && variant.rows?.down === jammed.rows?.down;
        if (alike) variants.push(variant);
      }
      const values = variants.flatMap((v) => (v.fixed ? [v.fixed] : []));
      given.code = testAligned(given.code, given.aligned, values);
    }
    variants.forEach(splatLoads);
    variants.forEach(takeStructures);
    // What any body needs of the prologue stays; uses are counted per body. The tests of a sure body
    // are made of any of the prologue's values.
    const whole = variants.some((v) => v.given);
    const all = whole ? prologue : kept();
    return { prologue: all, register: group.register, trim, warp: undefined, variants };
  });
  if (!always && groupDrawback(groups)) return undefined;
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

/** Regions in which the parameter that has to be a multiple of four is a smaller number, with their checks. */
function fixedRegions(region: Region, prologue: Value[], given: SureTests) {
  const { aligned, checks } = given;
  const [param, ...others] = aligned;
  if (!param || others.length > 0 || checks.size === 0) return [];
  return FIXED_VALUES.map((value) => {
    const { region: copy, from, constants } = withParameter(region, prologue, param, value);
    const own = new Map<Value, boolean>();
    for (const [c, v] of from) {
      const linear = checks.get(v);
      if (linear !== undefined) own.set(c, linear);
    }
    return { param, value, region: copy, checks: own, values: [...given.values, ...constants] };
  });
}

/** Whether it is known how the lanes of each access lie to one another. */
function knowsLanes({ divergence: d, given, near }: Prepared): boolean {
  return [...(given?.checks.keys() ?? [])].every((v) => {
    const { stride, tried } = accessPattern((x) => d.of(x), v);
    return near.has(v) || (stride !== undefined && !tried);
  });
}

/** Threads from which on tests for the whole block are worth their time. */
const MIN_SURE = 32;

/** The sure bodies to look for: of a row of blocks, of one block, or none. */
function sureKinds(single: boolean, trim: Trim | undefined, threads: number): boolean[] {
  if (trim) return threads < MIN_SURE ? [] : [false];
  return single ? [true, false] : [false];
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
