import { Graph } from "../analysis/graph.ts";
import {
  Block,
  F32,
  F64,
  hasEffect,
  I1,
  isPure,
  NONE,
  type Region,
  type Terminator,
  Value,
} from "../ir/ir.ts";
import type { Divergence } from "./divergence.ts";
import { cloneRegion, type GroupVariant } from "./group-region.ts";
import { ALL_LANES } from "./linearize.ts";
import { accessPattern } from "./patterns.ts";
import { isWide, LANES, type Shape, uniform, VARYING } from "./shapes.ts";
import { type Sharing, sharedByGroups, timesComputed } from "./sharing.ts";
import type { SureTests } from "./sure.ts";

/** Regions of more operations than this stay as they are: the code would be too long. */
const MAX_VALUES = 400;
/** Operations of all copies together. */
const MAX_COPIED = 1200;
/** Eight groups at once have to spare a group this part of its loads, against four. */
const WORTH_EIGHT = 0.8;
/** Float operations below which several groups at once are not worth their code. */
const MIN_FLOATS = 5;
/** Vectors that may live at one time in all copies together; an engine has 16 registers. */
const MAX_LIVE = 20;

/** What a region does besides computing has to be plain loads and stores, and atomic operations. */
function isPlain(v: Value): boolean {
  if (v.op === "lib" && /^(atom|red)_/.test(v.aux.name as string)) return true;
  if (v.op === "load" || v.op === "store") return v.aux.ordered !== true;
  if (v.op === "check" || v.op === "slow") return true;
  return !hasEffect(v) && v.op !== "host" && v.op !== "out";
}

const isFloat = (v: Value) =>
  (v.type === F32 || v.type === F64) && /fma|add|sub|mul|div|sqrt|^lib$/.test(v.op);

/** Whether a group's accesses are all of one word, or of neighbouring words of 4 bytes at most. */
const takesParts = (values: readonly Value[], d: Divergence) =>
  values.every(({ op, args: [address], aux }) => {
    if ((op !== "load" && op !== "store") || aux.space !== "generic") return true;
    const { stride } = accessPattern((x) => d.of(x), address);
    return stride === 0 || (stride !== undefined && stride === aux.size && stride <= 4);
  });

/** Several lane groups at once. */
export interface Jam {
  copies: number;
  sharing: Sharing;
  /** Checks whose addresses move on by so many bytes from each group to the next. */
  steps: ReadonlyMap<Value, number>;
}

/**
 * How many lane groups at once the fast body of a region should take (1: one at a time), and what they
 * share. Long chains of float operations leave most of a core idle
 * when one group waits for its own results; and loads and splats of what is uniform are shared. Where
 * threads go through memory in large strides, one group takes a quarter of each line of memory, which is
 * gone from the caches when the next one comes to it.
 * @param given what a sure body takes as given
 * @param analyse the shapes in a copy of the region over a number of lanes
 */
export function planJam(
  region: Region,
  d: Divergence,
  block: readonly [number, number, number],
  given: SureTests | undefined,
  analyse: (copy: Region, lanes: number) => Divergence,
): Jam {
  const alone: Jam = { copies: 1, sharing: new Map(), steps: new Map() };
  if (d.branches.size > 0 || d.loops.size > 0) return alone;
  const values = region.blocks.flatMap((b) => b.values);
  const floats = values.filter((v) => isFloat(v) && d.of(v).kind === VARYING);
  const inParts = given?.strided && takesParts(values, d);
  if (values.length > MAX_VALUES || (floats.length < MIN_FLOATS && !inParts)) return alone;
  if (!values.every(isPlain)) return alone;
  const plan = (copies: number): Jam | undefined => {
    // Groups that are done at once start at a multiple of their number.
    if ((block[0] * block[1] * block[2]) % (LANES * copies) !== 0) return undefined;
    const copy = cloneRegion(region);
    const wide = analyse(copy, LANES * copies);
    if (wide.branches.size > 0 || wide.loops.size > 0) return undefined;
    const sharing = sharedByGroups(region, { region: copy, divergence: wide }, block, copies);
    const most = mostLive(d, (v) => timesComputed(sharing, v, copies));
    if (most > MAX_LIVE) return undefined;
    const all = { region: copy, divergence: wide };
    const own = (v: Value) => timesComputed(sharing, v, copies) === copies;
    return { copies, sharing, steps: stepsOf(region, all, given, own) };
  };
  const loads = ({ copies, sharing }: Jam) =>
    values.reduce((n, v) => n + (v.op === "load" ? timesComputed(sharing, v, copies) : 0), 0) /
    copies;
  const four = plan(4);
  const eight = four && values.length * 8 <= MAX_COPIED ? plan(8) : undefined;
  if (four && eight && loads(eight) <= WORTH_EIGHT * loads(four)) return eight;
  return four ?? plan(2) ?? alone;
}

/**
 * Checks that pass in every thread, of addresses that are linear in the lane over all groups: one
 * address does for all of them.
 */
function stepsOf(
  region: Region,
  wide: { region: Region; divergence: Divergence },
  given: SureTests | undefined,
  own: (v: Value) => boolean,
): Map<Value, number> {
  const steps = new Map<Value, number>();
  region.blocks.forEach((b, n) => {
    b.values.forEach((v, k) => {
      if (v.op !== "check" || v.aux.space !== "generic" || !given?.checks.get(v) || !own(v)) return;
      const copy = wide.region.blocks[n].values[k];
      const { stride, tried } = accessPattern((x) => wide.divergence.of(x), copy);
      if (stride && !tried) steps.set(v, LANES * stride);
    });
  });
  return steps;
}

/**
 * The most vectors that live at one time, by a scan over the blocks in order.
 * @param times how many of the groups have a vector of their own for a value
 */
function mostLive(d: Divergence, times: (v: Value) => number): number {
  const { order, index, loops } = d.graph;
  const start = new Map<Value, number>();
  const end = new Map<Value, number>();
  const bounds: { from: number; to: number }[] = [];
  let at = 0;
  for (const block of order) {
    const from = at++;
    for (const v of block.values) {
      start.set(v, v.op === "phi" ? from : at);
      if (v.op !== "phi") for (const a of v.args) end.set(a, at);
      at++;
    }
    bounds.push({ from, to: at++ });
  }
  for (const block of order) {
    for (const phi of block.values) {
      if (phi.op !== "phi") break;
      phi.args.forEach((a, k) => {
        const to = bounds[index.get(block.preds[k]) as number].to;
        for (const v of [a, phi]) end.set(v, Math.max(end.get(v) ?? 0, to));
      });
    }
  }
  for (const loop of loops) {
    const { from } = bounds[loop.header];
    const to = Math.max(...loop.blocks.map((b) => bounds[b].to));
    for (const [v, last] of end) {
      const first = start.get(v);
      if (first !== undefined && first < from && last >= from && last < to) end.set(v, to);
    }
  }
  const change = new Array<number>(at + 2).fill(0);
  for (const [v, last] of end) {
    const first = start.get(v);
    if (first === undefined || d.of(v).kind !== VARYING || v.op === "check") continue;
    const size = (isWide(v) ? 2 : 1) * times(v);
    change[first] += size;
    change[last] -= size;
  }
  let live = 0;
  let most = 0;
  for (const by of change) {
    live += by;
    most = Math.max(most, live);
  }
  return most;
}

/**
 * A body that does several lane groups at once: every operation is there once for each group, side by
 * side, but for what groups share. All branches are the same for all groups; a guard
 * (`all`) has to pass in each.
 */
export function jam(variant: GroupVariant, { copies, sharing, steps }: Jam): GroupVariant {
  const { linear, divergence: d } = variant;
  const blocks = new Map<Block, Block>();
  /** By group; one alone if it is all groups'. */
  const made = new Map<Value, Value[]>();
  const copyOf = new Map<Value, number>();
  const of = (v: Value, k: number): Value => {
    const list = made.get(v);
    return list ? list[Math.min(k, list.length - 1)] : v;
  };
  /** The copies of a value, each once. */
  const make = (v: Value): Value[] => {
    const firsts = v.op === "slow" || steps.has(v) ? [0] : sharing.get(v);
    const own = new Map<number, Value>();
    const list = Array.from({ length: copies }, (_, k) => {
      const first = firsts?.[k] ?? (firsts ? 0 : k);
      const known = own.get(first);
      if (known) return known;
      const c = new Value(v.op, v.type, [], v.imm, v.big, v.aux);
      if (first > 0) copyOf.set(c, first);
      d.shapes.set(c, d.of(v));
      own.set(first, c);
      return c;
    });
    made.set(v, own.size === 1 ? list.slice(0, 1) : list);
    return [...own.values()];
  };
  const mutable = new Set<Value>();
  for (const v of linear.mutable) for (const c of make(v)) mutable.add(c);
  const { order } = new Graph(linear.start);
  for (const block of order) {
    const copy = new Block(block.id);
    copy.line = block.line;
    blocks.set(block, copy);
    for (const v of block.values) {
      if (v.op === "phi_move") continue;
      copy.values.push(...make(v));
    }
  }
  for (const block of order) {
    const copy = blocks.get(block) as Block;
    const moves = block.values.filter((v) => v.op === "phi_move");
    for (const v of block.values) {
      made.get(v)?.forEach((c, k) => {
        c.args = v.args.map((a) => of(a, k));
        const step = /^(load|store)$/.test(v.op) ? steps.get(v.args[0]) : undefined;
        if (step) c.aux = { ...v.aux, offset: (v.aux.offset as number) + k * step };
      });
    }
    for (const v of moves) copy.values.push(moveAll(v, of, made));
    const t = block.terminator as Terminator;
    const to = (b: Block) => blocks.get(b) as Block;
    if (t.kind === "jump") copy.terminator = { kind: "jump", target: to(t.target) };
    else if (t.kind === "branch") {
      const cond = allOf([...new Set(made.get(t.cond) ?? [t.cond])], copy, d);
      copy.terminator = { kind: "branch", cond, yes: to(t.yes), no: to(t.no) };
    } else copy.terminator = t;
  }
  const start = blocks.get(linear.start) as Block;
  const jammed = new Graph(start).order;
  countUses(jammed);
  if (steps.size > 0) dropUnused(jammed, mutable);
  const maskOf = new Map([...blocks.values()].map((b) => [b, ALL_LANES]));
  const given = variant.given && {
    ...variant.given,
    checks: new Map(
      [...variant.given.checks].flatMap(([v, linear]) =>
        (made.get(v) ?? []).map((c) => [c, linear] as const),
      ),
    ),
  };
  const kind = given ? "sure" : "jammed";
  return {
    kind,
    given,
    rows: variant.rows,
    hoisted: variant.hoisted,
    divergence: d,
    linear: { start, maskOf, masks: 0, mutable },
    copies,
    copyOf,
  };
}

/** One move of all groups' phis, so that all operands are read first. */
function moveAll(v: Value, of: (v: Value, k: number) => Value, made: Map<Value, Value[]>): Value {
  const phis: Value[] = [];
  const inputs: Value[] = [];
  (v.aux.phis as Value[]).forEach((phi, n) => {
    (made.get(phi) as Value[]).forEach((c, k) => {
      if (phis.includes(c)) return;
      phis.push(c);
      inputs.push(of(v.args[n], k));
    });
  });
  const aux = { ...v.aux, phis, blends: phis.map(() => false) };
  return new Value(v.op, v.type, inputs, 0, 0n, aux);
}

/** The condition that holds if it does in every group. */
function allOf(conditions: Value[], block: Block, d: { shapes: Map<Value, Shape> }): Value {
  return conditions.reduce((a, b) => {
    const both = new Value("and1", I1, [a, b]);
    d.shapes.set(both, uniform);
    block.values.push(both);
    return both;
  });
}

/** Counts the uses of the values of blocks. */
export function countUses(order: Block[]): void {
  for (const b of order) for (const v of b.values) v.uses = 0;
  for (const b of order) {
    for (const v of b.values) for (const a of v.args) a.uses++;
    if (b.terminator?.kind === "branch") b.terminator.cond.uses++;
  }
}

/** Drops what computed addresses of groups that use another one's. */
function dropUnused(order: Block[], kept: ReadonlySet<Value>): void {
  for (const b of [...order].reverse()) {
    for (const v of [...b.values].reverse()) {
      if (v.uses > 0 || kept.has(v) || !isPure(v) || v.type === NONE) continue;
      for (const a of v.args) a.uses--;
      b.values.splice(b.values.indexOf(v), 1);
    }
  }
}
