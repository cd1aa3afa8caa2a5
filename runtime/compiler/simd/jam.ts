import { Graph } from "../analysis/graph.ts";
import { cloneRegion } from "../ir/clone.ts";
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
import type { GroupVariant } from "./group-region.ts";
import { ALL_LANES } from "./linearize.ts";
import { byteOffsets, pairOf, type StorePair } from "./near.ts";
import { accessPattern, isBlendable, type ShapeOf } from "./patterns.ts";
import { AFFINE, isWide, LANES, type Shape, uniform, VARYING } from "./shapes.ts";
import { type Sharing, sharedByGroups, timesComputed } from "./sharing.ts";

/** Regions of more operations than this stay as they are: the code would be too long. */
const MAX_VALUES = 400;
/** The same of regions whose lanes take branches apart. */
const MAX_MASKED = 200;
/** Operations of all copies together. */
const MAX_COPIED = 1200;
/** Eight groups at once have to spare a group this part of its loads, against four. */
const WORTH_EIGHT = 0.8;
/**
 * Float operations below which several groups at once are not worth their code, but where the addresses of
 * the next group just go on.
 */
const MIN_FLOATS = 5;
/**
 * Vectors that may live at one time in all copies together, by the number of copies. An engine has 16
 * registers; what it keeps in memory beyond these costs less than two groups gain that wait for themselves,
 * and more than eight do. Of four it is V8 alone that gains for sure: with JavaScriptCore the same code took
 * 0.95 or 1.2 times as long, by where it lay.
 */
const maxLive = (copies: number, fused: boolean): number =>
  copies === 2 ? 28 : copies === 4 && fused ? 24 : 20;

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
  /** Checks whose addresses go on from one group to the next: bytes from a group to the next one. */
  steps: ReadonlyMap<Value, number>;
}

/**
 * How many lane groups at once the fast body of a region should take (1: one at a time), and what they
 * share. Long chains of float operations leave most of a core idle
 * when one group waits for its own results; and loads and splats of what is uniform are shared. Where
 * threads go through memory in large strides, one group takes a quarter of each line of memory, which is
 * gone from the caches when the next one comes to it. And where lanes take branches apart, one test says that
 * none of all groups' do.
 * @param from the region, its shapes, and what is known of its accesses
 * @param fused whether the engine has fused multiply-adds: it is V8
 * @param limit groups at most
 * @param analyse the shapes in a copy of the region over a number of lanes
 */
export function planJam(
  from: Pick<GroupVariant, "divergence" | "given" | "near"> & { region: Region },
  block: readonly [number, number, number],
  fused: boolean,
  limit: number,
  analyse: (copy: Region, lanes: number) => Divergence,
): Jam {
  const { region, divergence: d, given } = from;
  const alone: Jam = { copies: 1, sharing: new Map(), steps: new Map() };
  const values = region.blocks.flatMap((b) => b.values);
  if (d.loops.size > 0 || values.length > MAX_VALUES || !values.every(isPlain)) return alone;
  const masked = d.branches.size > 0;
  if (masked) {
    const sure = values.every((v) => v.op !== "check" || given?.checks.has(v));
    const moves = values.every((v) => !hasEffect(v) || /^(check|store)$/.test(v.op));
    if (!given?.flat || !sure || !moves || values.length > MAX_MASKED) return alone;
  }
  const floats = values.filter((v) => isFloat(v) && d.of(v).kind === VARYING);
  const inParts = given?.strided && takesParts(values, d);
  const few = !masked && !inParts && floats.length < MIN_FLOATS;
  if (few && (!given || given.flat)) return alone;
  const plan = (copies: number): Jam | undefined => {
    if (copies > limit) return undefined;
    // Groups that are done at once start at a multiple of their number.
    if ((block[0] * block[1] * block[2]) % (LANES * copies) !== 0) return undefined;
    const copy = cloneRegion(region);
    const divergence = analyse(copy, LANES * copies);
    if (divergence.loops.size > 0 || divergence.branches.size > d.branches.size) return undefined;
    const wide = { region: copy, divergence };
    const sharing = sharedByGroups(region, wide, block, copies);
    const steps = given
      ? stepsOf(from, { ...wide, lanes: LANES * copies })
      : new Map<Value, number>();
    const own = values.filter((v) => v.op === "check" && timesComputed(sharing, v, copies) > 1);
    if (few && (own.length === 0 || own.some((v) => !steps.has(v)))) return undefined;
    for (const check of steps.keys()) sharing.set(check, Array(copies).fill(0));
    const times = (v: Value) => timesComputed(sharing, v, copies);
    const most = mostLive(d.graph, (v) => d.of(v), times);
    return most > maxLive(copies, fused) ? undefined : { copies, sharing, steps };
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
 * The checks of loads and stores that need no address of their own for each group: the first group's is
 * computed whichever lanes it has, so no index may be one that only lanes of some branch compute.
 */
function stepsOf(
  { region, divergence: d, given, near }: Parameters<typeof planJam>[0],
  wide: { region: Region; divergence: Divergence; lanes: number },
): Map<Value, number> {
  const steps = new Map<Value, number>();
  const whole = ofAllLanes(d);
  region.blocks.forEach((b, n) => {
    b.values.forEach((v, k) => {
      if (v.op !== "check") return;
      const index = v.args[v.args.length - 1];
      const copy = wide.region.blocks[n].values[k];
      const step = near.has(v) && whole.has(index) ? stepBetween(copy, wide) : undefined;
      if (step !== undefined) steps.set(v, step);
      if (step !== undefined || given?.checks.get(v) !== true) return;
      const { stride, tried } = accessPattern((x) => d.of(x), v);
      const over = wide.divergence.of(copy.args[copy.args.length - 1]);
      const goesOn = over.kind === AFFINE && over.stride === d.of(index).stride;
      if (stride && !tried && goesOn && whole.has(index)) steps.set(v, LANES * stride);
    });
  });
  for (const b of region.blocks) {
    for (const v of b.values) {
      v.args.forEach((a, n) => {
        if (n > 0 || !/^(load|store)$/.test(v.op)) steps.delete(a);
      });
    }
  }
  return steps;
}

/** Bytes from a group's lanes to the next group's, if these lie to one another as the first group's do. */
function stepBetween(
  check: Value,
  { divergence, lanes }: { divergence: Divergence; lanes: number },
): number | undefined {
  const offsets = byteOffsets((v) => divergence.of(v), check, lanes);
  const step = offsets?.[LANES];
  const same = offsets?.every((n, k) => k < LANES || n === offsets[k - LANES] + (step as number));
  return same && step !== undefined && step >= 0 ? step : undefined;
}

/** The values that come before any branch that lanes take apart. */
function ofAllLanes({ graph, branches }: Divergence): Set<Value> {
  const values = new Set<Value>();
  for (const b of graph.order) {
    for (const v of b.values) values.add(v);
    if (branches.has(b)) break;
  }
  return values;
}

/**
 * The most vectors that live at one time, by a scan over the blocks in order.
 * @param times how many of the groups have a vector of their own for a value
 */
export function mostLive(graph: Graph, of: ShapeOf, times: (v: Value) => number): number {
  const { order, index, loops } = graph;
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
    if (first === undefined || of(v).kind !== VARYING || v.op === "check") continue;
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
 * side, but for what groups share. Branches that are left are the same for all groups; a guard
 * (`all`) has to pass in each. Under masks group after group has its turn, if it has lanes.
 */
export function jam(variant: GroupVariant, plan: Jam): GroupVariant {
  return new Jammer(variant, plan).run();
}

class Jammer {
  private readonly variant: GroupVariant;
  private readonly plan: Jam;
  private readonly blocks = new Map<Block, Block>();
  /** By group; one alone if it is all groups'. */
  private readonly made = new Map<Value, Value[]>();
  private readonly copyOf = new Map<Value, number>();
  /** What is done when all values have their copies. */
  private readonly late: (() => void)[] = [];
  /** Tests for lanes in front of blocks that do nothing but store. */
  private readonly stores = new Set<Value>();

  constructor(variant: GroupVariant, plan: Jam) {
    this.variant = variant;
    this.plan = plan;
  }

  run(): GroupVariant {
    const { variant, made, blocks } = this;
    const { copies } = this.plan;
    const { linear } = variant;
    const mutable = new Set<Value>();
    for (const v of linear.mutable) for (const c of this.make(v, false)) mutable.add(c);
    const { order } = new Graph(linear.start);
    const maskOf = new Map<Block, number>();
    for (const { terminator: t } of order) {
      if (t?.kind !== "branch" || t.cond.op !== "any") continue;
      if (this.onlyStores(t.yes)) this.stores.add(t.cond);
    }
    for (const block of order) {
      const copy = new Block(block.id);
      copy.line = block.line;
      const mask = linear.maskOf.get(block) ?? ALL_LANES;
      blocks.set(block, copy);
      maskOf.set(copy, this.maskFor(mask, 0));
      this.copyValues(block, copy, mask);
    }
    for (const block of order) this.finish(block);
    for (const complete of this.late) complete();
    const start = blocks.get(linear.start) as Block;
    dropDead(blocks.values(), mutable);
    countUses(new Graph(start).order);
    const given = variant.given && {
      ...variant.given,
      checks: new Map(
        [...variant.given.checks].flatMap(([v, linear]) =>
          (made.get(v) ?? [v]).map((c) => [c, linear] as const),
        ),
      ),
    };
    return {
      kind: given ? variant.kind : "jammed",
      given,
      fixed: undefined,
      near: new Map(
        [...variant.near].flatMap(([v, offsets]) =>
          (made.get(v) ?? [v]).map((c) => [c, offsets] as const),
        ),
      ),
      rows: variant.rows,
      hoisted: variant.hoisted,
      divergence: variant.divergence,
      linear: { start, maskOf, masks: linear.masks * copies, mutable },
      copies,
      copyOf: this.copyOf,
    };
  }

  /** The number of a group's own mask. */
  private maskFor(mask: number, k: number): number {
    return mask < 0 ? mask : mask * this.plan.copies + k;
  }

  private of(v: Value, k: number): Value {
    const list = this.made.get(v);
    return list ? list[Math.min(k, list.length - 1)] : v;
  }

  /** The copies of a value, each once. */
  private make(v: Value, masked: boolean): Value[] {
    const { copies, sharing, steps } = this.plan;
    const { divergence: d } = this.variant;
    const firsts = v.op === "slow" ? [0] : masked && !steps.has(v) ? undefined : sharing.get(v);
    const own = new Map<number, Value>();
    const list = Array.from({ length: copies }, (_, k) => {
      const first = firsts?.[k] ?? (firsts ? 0 : k);
      const known = own.get(first);
      if (known) return known;
      const c = new Value(v.op, v.type, [], v.imm, v.big, v.aux);
      const step = /^(load|store)$/.test(v.op) ? steps.get(v.args[0]) : undefined;
      if (step) c.aux = { ...v.aux, offset: (v.aux.offset as number) + first * step };
      if (first > 0) this.copyOf.set(c, first);
      d.shapes.set(c, d.of(v));
      own.set(first, c);
      return c;
    });
    this.made.set(v, own.size === 1 ? list.slice(0, 1) : list);
    return [...own.values()];
  }

  private copyValues(block: Block, copy: Block, mask: number): void {
    /** What the groups do one after the other. */
    let turns: Value[] = [];
    const take = (values: Value[], guarded: boolean) => {
      for (let k = 0; values.length > 0 && k < this.plan.copies; k++) {
        if (guarded) copy.values.push(new Value("group_if", NONE, [], this.maskFor(mask, k)));
        for (const v of values) copy.values.push(this.of(v, k));
        if (guarded) copy.values.push(new Value("group_end", NONE, []));
      }
    };
    const flush = () => {
      if (this.mayBlend(turns)) {
        const stores = turns.filter((v) => v.op === "store");
        take(
          turns.filter((v) => v.op !== "store"),
          false,
        );
        copy.values.push(new Value("owned_if", NONE, []));
        const pair = this.pairOf(stores);
        if (pair)
          for (let k = 0; k < this.plan.copies; k++) copy.values.push(this.pair(stores, pair, k));
        else take(stores, false);
        copy.values.push(new Value("owned_else", NONE, []));
        take(stores, true);
        copy.values.push(new Value("owned_end", NONE, []));
      } else take(turns, true);
      turns = [];
    };
    const { firsts, seconds } = mask < 0 ? pairsOf(this.variant.near, block.values) : NO_PAIRS;
    for (const v of block.values) {
      const stores = seconds.get(v);
      if (firsts.has(v) || stores) {
        this.make(v, false);
        if (!stores) continue; // it comes with the second one
        const pair = this.pairOf(stores) as StorePair;
        for (let k = 0; k < this.plan.copies; k++) copy.values.push(this.pair(stores, pair, k));
      } else if (isStructural(v)) {
        flush();
        copy.values.push(...this.structural(v));
      } else if (this.made.has(v) && v.op === "phi") copy.values.push(...new Set(this.made.get(v)));
      else {
        const made = this.make(v, mask >= 0);
        if (mask >= 0 && made.length > 1) turns.push(v);
        else copy.values.push(...made);
      }
    }
    flush();
  }

  /** Whether stores of some lanes may be made as one of all lanes, and there is nothing else but addresses. */
  private mayBlend(values: readonly Value[]): boolean {
    const { divergence: d, given } = this.variant;
    if (!given?.owned) return false;
    const stores = values.filter((v) => v.op === "store");
    return (
      stores.length > 0 &&
      (stores.every((v) => isBlendable((x) => d.of(x), v)) || this.pairOf(stores) !== undefined) &&
      values.every((v) => v.op === "store" || v.op === "check" || isPure(v))
    );
  }

  private pairOf([first, second, ...others]: readonly Value[]): StorePair | undefined {
    if (!second || others.length > 0) return undefined;
    return pairOf(this.variant.near, first, second);
  }

  /** Two stores of group k as one of eight words. */
  private pair(stores: readonly Value[], { from, words }: StorePair, k: number): Value {
    const offset = (this.of(stores[0], k).aux.offset as number) + from;
    const pair = new Value("store_pair", NONE, [], 0, 0n, { offset, lanes: words });
    if (k > 0) this.copyOf.set(pair, k);
    const [[check, first], [, second]] = stores.map((v) => v.args);
    this.late.push(() => {
      pair.args = [check, first, second].map((v) => this.of(v, k));
    });
    return pair;
  }

  /** Whether a block does nothing but store, so that it does no harm without lanes. */
  private onlyStores(block: Block): boolean {
    const { maskOf } = this.variant.linear;
    const values = block.values.filter((v) => !v.op.startsWith("mask_"));
    return (maskOf.get(block) ?? ALL_LANES) >= 0 && this.mayBlend(values);
  }

  /** What tells the groups' lanes apart, and what they leave with. */
  private structural(v: Value): Value[] {
    const { copies } = this.plan;
    if (v.op === "phi_move") return [];
    if (v.op === "any") {
      const often = this.stores.has(v);
      const c = new Value("any", I1, [], v.imm * copies, 0n, { masks: copies, often });
      this.made.set(v, [c]);
      this.variant.divergence.shapes.set(c, uniform);
      return [c];
    }
    const list = this.make(v, true);
    for (const [k, c] of list.entries()) {
      if (v.op !== "leave") c.imm = this.maskFor(v.imm, k);
      if (v.aux.mask !== undefined)
        c.aux = { ...v.aux, mask: this.maskFor(v.aux.mask as number, k) };
    }
    return list;
  }

  /** Gives the copies of a block's values their operands, and the block its end. */
  private finish(block: Block): void {
    const copy = this.blocks.get(block) as Block;
    for (const v of block.values) {
      if (v.op === "any") continue;
      this.made.get(v)?.forEach((c, k) => {
        c.args = v.args.map((a) => this.of(a, k));
      });
      if (v.op === "phi_move") copy.values.push(...this.moves(v));
    }
    const t = block.terminator as Terminator;
    const to = (b: Block) => this.blocks.get(b) as Block;
    if (t.kind === "jump") copy.terminator = { kind: "jump", target: to(t.target) };
    else if (t.kind === "branch") {
      const conditions = [...new Set(this.made.get(t.cond) ?? [t.cond])];
      const cond = allOf(conditions, copy, this.variant.divergence);
      copy.terminator = { kind: "branch", cond, yes: to(t.yes), no: to(t.no) };
    } else copy.terminator = t;
  }

  /**
   * The moves to phis: one of all groups', so that all operands are read first; under masks one for each
   * group, and then one of what they share, which the others read before.
   */
  private moves(v: Value): Value[] {
    const phis = v.aux.phis as Value[];
    const blends = v.aux.blends as boolean[];
    const mask = v.aux.mask as number;
    const part = (pairs: { n: number; k: number }[], k: number): Value => {
      const aux = {
        ...v.aux,
        phis: pairs.map((p) => this.of(phis[p.n], p.k)),
        blends: pairs.map((p) => blends[p.n]),
        mask: this.maskFor(mask, k),
      };
      const inputs = pairs.map((p) => this.of(v.args[p.n], p.k));
      const move = new Value("phi_move", NONE, inputs, 0, 0n, aux);
      if (k > 0) this.copyOf.set(move, k);
      return move;
    };
    const seen = new Set<Value>();
    const pairs: { n: number; k: number }[] = [];
    phis.forEach((phi, n) => {
      (this.made.get(phi) as Value[]).forEach((c, k) => {
        if (!seen.has(c)) pairs.push({ n, k });
        seen.add(c);
      });
    });
    if (!blends.includes(true)) return [part(pairs, 0)];
    const isShared = ({ n }: { n: number }) => (this.made.get(phis[n]) as Value[]).length === 1;
    const own = Array.from({ length: this.plan.copies }, (_, k) =>
      pairs.filter((p) => p.k === k && !isShared(p)),
    );
    const parts = own.map((list, k) => ({ list, k }));
    return [...parts, { list: pairs.filter(isShared), k: 0 }]
      .filter(({ list }) => list.length > 0)
      .map(({ list, k }) => part(list, k));
  }
}

const NO_PAIRS = { firsts: new Set<Value>(), seconds: new Map<Value, Value[]>() };

/** The stores of a block that can be made in pairs: nothing is loaded or stored between the two. */
function pairsOf(
  near: ReadonlyMap<Value, readonly number[]>,
  values: readonly Value[],
): typeof NO_PAIRS {
  const firsts = new Set<Value>();
  const seconds = new Map<Value, Value[]>();
  let open: Value | undefined;
  for (const v of values) {
    if (v.op === "store" && open && pairOf(near, open, v)) {
      firsts.add(open);
      seconds.set(v, [open, v]);
      open = undefined;
    } else if (v.op === "store") open = v;
    else if (v.op === "load" || (hasEffect(v) && v.op !== "check")) open = undefined;
  }
  return { firsts, seconds };
}

/** What all groups come to at once: masks, moves between blocks, the end. */
const isStructural = (v: Value) => /^(mask_|phi_move$|any$|leave$)/.test(v.op);

/** Drops values that nobody uses; what is moved to does stay. */
export function dropDead(blocks: Iterable<Block>, mutable: ReadonlySet<Value>): void {
  const uses = new Map<Value, number>();
  const all = [...blocks];
  const count = (v: Value, by: number) => uses.set(v, (uses.get(v) ?? 0) + by);
  for (const b of all) {
    for (const v of b.values) for (const a of v.args) count(a, 1);
    if (b.terminator?.kind === "branch") count(b.terminator.cond, 1);
  }
  const dead = new Set<Value>();
  const work: Value[] = [];
  const look = (v: Value) => {
    const drops = v.type !== NONE && !hasEffect(v) && !/^(host|any|all|spin|phi)$/.test(v.op);
    if ((uses.get(v) ?? 0) === 0 && drops && !dead.has(v) && !mutable.has(v)) {
      dead.add(v);
      work.push(v);
    }
  };
  for (const b of all) b.values.forEach(look);
  for (let v = work.pop(); v; v = work.pop()) {
    for (const a of v.args) {
      count(a, -1);
      look(a);
    }
  }
  for (const b of all) b.values = b.values.filter((v) => !dead.has(v));
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
