import type { Graph, Loop } from "../analysis/graph.ts";
import { Block, hasEffect, I1, NONE, type Region, Value } from "../ir/ir.ts";
import { type Divergence, endValues } from "./divergence.ts";
import { keptAlong, keptAtExits, type Leaving, leavingAt } from "./exits.ts";
import { compactOrder } from "./order.ts";
import { VARYING } from "./shapes.ts";

/** All lanes of the group are active. */
export const ALL_LANES = -1;

/** A region whose branches are all uniform: lanes that go apart are told by masks. */
export interface LinearRegion {
  start: Block;
  /** The lanes that are active in a block: a mask number, or ALL_LANES. */
  maskOf: Map<Block, number>;
  masks: number;
  /** Values that are set in more than one place: phis and kept values. */
  mutable: Set<Value>;
}

/** A place in the linear order: a block, or the end of a loop that lanes leave apart. */
interface Node {
  block: number;
  tail: Loop | undefined;
  entry: Block;
}

/**
 * Rewrites a region so that only uniform branches are left (after Moll and Hack, "Partial
 * Control-Flow Linearization", PLDI 2018). A branch that splits the lanes of a group runs both
 * sides one after the other, each under the mask of its lanes; what has no lanes is jumped over. A
 * loop that lanes leave at different times runs until none is left. Phis become moves at the ends
 * of their predecessors, blended where only some lanes take the edge. Lanes that leave a loop with values of
 * their own do so aside, in the rounds in which there are any.
 * @param entryMask ALL_LANES if the group is known to be complete, else mask 0 is set by the caller
 */
export function linearize(region: Region, d: Divergence, entryMask: number): LinearRegion {
  const forced = new Set<number>();
  const inLine = new Set<number>();
  for (;;) {
    const result = new Linearizer(region, d, entryMask, forced, inLine).run();
    if (result) return result;
  }
}

/** Sets masks at once that one block clears and then adds to. */
function setAtOnce(block: Block, own: number): void {
  /** Masks that were cleared here and not used since. */
  const cleared = new Map<number, Value>();
  const needless = new Set<Value>();
  for (const v of block.values) {
    if (v.op === "mask_clear") {
      if (v.imm !== own) cleared.set(v.imm, v);
      continue;
    }
    const clear = v.op === "mask_move" && v.aux.mask !== v.imm ? cleared.get(v.imm) : undefined;
    if (clear) {
      needless.add(clear);
      if (v.aux.add) v.aux = { ...v.aux, add: false };
    }
    if (/^(any|mask_move|mask_take)$/.test(v.op)) cleared.delete(v.imm);
    cleared.delete(v.aux.mask as number);
  }
  if (needless.size > 0) block.values = block.values.filter((v) => !needless.has(v));
}

class Linearizer {
  private readonly d: Divergence;
  private readonly graph: Graph;
  private readonly entryMask: number;
  private readonly nodes: Node[] = [];
  private readonly nodeOf = new Map<number, number>();
  private readonly tailOf = new Map<Loop, number>();
  private readonly deferred: Set<number>[] = [];
  /** Mask of each block by order index, and whether it is the block's own. */
  private readonly mask: number[] = [];
  private readonly own: boolean[] = [];
  /** The block whose mask a block without one of its own has. */
  private readonly holder: number[] = [];
  private readonly forced: Set<number>;
  /** Branches out of loops that can't send lanes aside. */
  private readonly inLine: Set<number>;
  private readonly leaving = new Map<number, Leaving>();
  private readonly atExits: Set<Value>;
  /** Blocks that must not run without lanes: others have theirs, or some leave aside. */
  private readonly holders = new Set<number>();
  /** Blocks that are only come to with lanes. */
  private readonly tested = new Set<number>();
  /** Loops whose end is only come to when no lane is left. */
  private readonly straight = new Set<Loop>();
  private readonly nextMask = new Map<Loop, number>();
  private readonly result: LinearRegion;
  private masks = 0;
  private blocks = 0;

  constructor(
    region: Region,
    d: Divergence,
    entryMask: number,
    forced: Set<number>,
    inLine: Set<number>,
  ) {
    this.forced = forced;
    this.inLine = inLine;
    this.d = d;
    d.graph.order.forEach((_, k) => {
      const found = inLine.has(k) ? undefined : leavingAt(d, k);
      if (found) this.leaving.set(k, found);
    });
    this.atExits = keptAtExits(d, (k) => this.leaving.has(k));
    this.graph = d.graph;
    this.entryMask = entryMask;
    this.masks = entryMask === ALL_LANES ? 0 : 1;
    this.result = { start: region.start, maskOf: new Map(), masks: 0, mutable: new Set() };
  }

  /** The result, or undefined if more blocks turned out to need masks of their own. */
  run(): LinearRegion | undefined {
    const order = compactOrder(this.graph);
    this.placeNodes(order);
    this.assignMasks(order);
    this.testHolders();
    this.nodes.forEach((node, at) => {
      if (node.tail) this.tail(node, at, node.tail);
      else this.node(node, at);
    });
    const inLine = [...this.leaving.keys()].some((k) => this.inLine.has(k));
    if (this.forceMasks() || inLine) return undefined;
    for (const [block, mask] of this.result.maskOf) setAtOnce(block, mask);
    this.result.start = this.nodes[0].entry;
    this.result.masks = this.masks;
    return this.result;
  }

  private newBlock(mask: number, line = 0): Block {
    const block = new Block(this.blocks++);
    block.line = line;
    this.result.maskOf.set(block, mask);
    return block;
  }

  private placeNodes(order: number[]): void {
    const remaining = new Map<Loop, number>();
    for (const loop of this.d.loops) remaining.set(loop, loop.blocks.length);
    for (const k of order) {
      this.nodeOf.set(k, this.nodes.length);
      this.nodes.push({ block: k, tail: undefined, entry: this.newBlock(ALL_LANES) });
      for (let loop = this.graph.loopOf[k]; loop; loop = loop.parent) {
        const left = remaining.get(loop);
        if (left === undefined) continue;
        remaining.set(loop, left - 1);
        if (left > 1) continue;
        this.tailOf.set(loop, this.nodes.length);
        this.nodes.push({ block: -1, tail: loop, entry: this.newBlock(ALL_LANES) });
      }
    }
    for (let k = 0; k < this.nodes.length; k++) this.deferred.push(new Set());
  }

  /**
   * A block has its dominator's lanes unless a branch between them may send some elsewhere; then it
   * has a mask of its own.
   */
  private assignMasks(order: number[]): void {
    const { graph, d } = this;
    const apart = graph.order.map((_, k) => k).filter((k) => d.parts(k));
    for (const k of order) {
      if (k === 0) {
        this.mask[0] = this.entryMask;
        this.own[0] = false;
        continue;
      }
      const loop = graph.loopOf[k];
      if (loop && loop.header === k && d.loops.has(loop)) {
        this.mask[k] = this.masks++;
        this.nextMask.set(loop, this.masks++);
        this.own[k] = true;
        continue;
      }
      let dom = graph.idom[k];
      for (let l = graph.loopOf[dom]; l; ) {
        if (d.loops.has(l) && !d.inLoop(l, k)) {
          dom = graph.idom[l.header];
          l = graph.loopOf[dom];
        } else l = l.parent;
      }
      this.holder[k] = dom;
      const split =
        this.forced.has(k) || apart.some((b) => graph.dominates(dom, b) && d.partial(b).has(k));
      this.own[k] = split;
      this.mask[k] = split ? this.masks++ : this.mask[dom];
    }
  }

  /**
   * Where lanes may leave aside some must be: if none has left, the others go on without another test. And
   * blocks that have another's lanes count on some, above all loops that all lanes leave together: without
   * any, what their end depends on may never come.
   */
  private testHolders(): void {
    const { graph, leaving, own } = this;
    for (let k = 0; k < graph.order.length; k++) {
      if (own[k] && !leaving.has(k)) continue;
      let holder = k;
      while (!own[holder] && holder > 0) holder = this.holder[holder];
      this.holders.add(holder);
    }
  }

  /**
   * A block that waits while another runs is run after it, whichever way that one was come to. So
   * it needs lanes of its own if it isn't on all of these ways, though branches on them are uniform.
   */
  private forceMasks(): boolean {
    const { graph, d } = this;
    const before = this.forced.size;
    this.nodes.forEach(({ block, tail }, at) => {
      for (const waiting of this.deferred[at]) {
        const k = this.nodes[waiting].block;
        if (k <= 0 || this.own[k]) continue;
        const dom = this.holder[k];
        const surely = graph.dominates(dom, tail ? tail.header : block) && d.follows(k, dom);
        if (!surely) this.forced.add(k);
      }
    });
    return this.forced.size > before;
  }

  /** Jumps to the first of several nodes; the others follow in their turn. */
  private route(targets: Iterable<number>): Block {
    const sorted = [...new Set(targets)].sort((a, b) => a - b);
    const [first, ...rest] = sorted;
    for (const t of rest) this.deferred[first].add(t);
    return this.nodes[first].entry;
  }

  /** The same, or the end of the group's turn if no lane waits elsewhere. */
  private routeOrEnd(targets: Set<number>): Block {
    if (targets.size > 0) return this.route(targets);
    const end = this.newBlock(ALL_LANES);
    end.terminator = { kind: "exit" };
    return end;
  }

  private node(node: Node, at: number): void {
    const { graph, d } = this;
    const k = node.block;
    const source = graph.order[k];
    const waiting = this.deferred[at];
    const mask = this.mask[k];
    let block = node.entry;
    if (this.own[k] && !this.tested.has(k) && !this.isTrivial(k)) {
      const any = new Value("any", I1, [], this.maskToTest(k));
      block.values.push(any);
      const body = this.newBlock(mask, source.line);
      block.terminator = { kind: "branch", cond: any, yes: body, no: this.routeOrEnd(waiting) };
      block = body;
    }
    this.result.maskOf.set(block, mask);
    block.line = source.line;
    const loop = graph.loopOf[k];
    if (loop && loop.header === k) {
      // The back edge comes here, behind the guard.
      this.headers.set(loop, block);
      if (d.loops.has(loop)) {
        block.values.push(this.take(mask, this.nextMask.get(loop) as number));
      }
      this.clearMasks(block, loop);
    }
    if (k === 0) this.clearMasks(block, undefined);
    for (const v of source.values) {
      if (v.op === "phi") this.result.mutable.add(v);
      else {
        if (v.op === "out") this.result.mutable.add(v);
        if (!this.atExits.has(v)) block.values.push(v);
      }
    }
    this.finish(block, source, k, waiting);
  }

  private readonly headers = new Map<Loop, Block>();

  private maskToTest(k: number): number {
    const loop = this.graph.loopOf[k];
    const next = loop && loop.header === k ? this.nextMask.get(loop) : undefined;
    return next ?? this.mask[k];
  }

  /** Nothing but a few operations that do no harm without lanes. */
  private isTrivial(k: number): boolean {
    const block = this.graph.order[k];
    if (this.holders.has(k)) return false;
    if (block.values.some((v) => hasEffect(v) || v.op === "load" || v.op === "lib")) return false;
    if (block.values.length > 8) return false;
    if (this.graph.loopOf[k]?.header === k) return false;
    return block.terminator?.kind === "jump";
  }

  /** Masks that are gathered edge by edge start empty in each round of their loop. */
  private clearMasks(block: Block, scope: Loop | undefined): void {
    const { graph } = this;
    graph.order.forEach((_, k) => {
      if (!this.own[k]) return;
      const loop = graph.loopOf[k];
      // A header's lanes come from outside its loop.
      const header = loop?.header === k ? loop : undefined;
      if ((header ? header.parent : loop) !== scope) return;
      const id = (header && this.nextMask.get(header)) ?? this.mask[k];
      block.values.push(new Value("mask_clear", NONE, [], id));
    });
  }

  private take(mask: number, next: number): Value {
    return new Value("mask_take", NONE, [], mask, 0n, { mask: next });
  }

  /**
   * The node where an edge out of a block in `inner` leads: back edges and exits of loops that
   * lanes leave apart go to the loop's end.
   */
  private destination(inner: Loop | undefined, to: number): number {
    const { d } = this;
    for (let loop = inner; loop; loop = loop.parent) {
      if (!d.loops.has(loop)) continue;
      if (to === loop.header || !d.inLoop(loop, to)) return this.tailOf.get(loop) as number;
      break;
    }
    return this.nodeOf.get(to) as number;
  }

  private finish(block: Block, source: Block, k: number, waiting: Set<number>): void {
    const { graph, d } = this;
    const t = source.terminator;
    const mask = this.mask[k];
    const to = (b: Block) => this.destination(graph.loopOf[k], graph.index.get(b) as number);
    if (t?.kind === "jump" || (t?.kind === "branch" && t.yes === t.no)) {
      const target = t.kind === "jump" ? t.target : t.yes;
      const after = this.follow(k, target, waiting);
      this.edge(block, k, target, mask, undefined, false);
      block.terminator = { kind: "jump", target: after };
    } else if (t?.kind === "branch" && !d.branches.has(source)) {
      const side = (target: Block): Block => {
        const pad = this.newBlock(mask, source.line);
        const after = this.follow(k, target, waiting);
        this.edge(pad, k, target, mask, undefined, false);
        if (pad.values.length === 0) return after;
        pad.terminator = { kind: "jump", target: after };
        return pad;
      };
      block.terminator = { kind: "branch", cond: t.cond, yes: side(t.yes), no: side(t.no) };
    } else if (t?.kind === "branch") {
      const leaving = this.leaving.get(k);
      if (leaving && this.goesAside(k, leaving, waiting)) {
        this.aside(block, k, t.cond, leaving, waiting);
        return;
      }
      this.edge(block, k, t.yes, mask, t.cond, false);
      this.edge(block, k, t.no, mask, t.cond, true);
      block.terminator = { kind: "jump", target: this.route([...waiting, to(t.yes), to(t.no)]) };
    } else if (t?.kind === "exit" || t?.kind === "cut") {
      if (source.values[0]?.op !== "slow") {
        const aux = { block: source, mask };
        block.values.push(new Value("leave", NONE, endValues(source), 0, 0n, aux));
      }
      block.terminator = { kind: "jump", target: this.routeOrEnd(waiting) };
    } else throw new Error(`a ${t?.kind} cannot be linearised`);
  }

  /** Where control goes along a uniform edge. */
  private follow(k: number, target: Block, waiting: Set<number>): Block {
    const { graph, d } = this;
    const to = graph.index.get(target) as number;
    const loop = graph.loopOf[to];
    const back = loop?.header === to && d.inLoop(loop, k);
    if (back && loop && !d.loops.has(loop)) return this.headers.get(loop) as Block;
    if (back && loop && this.hasLanes(k) && this.isLast(loop, waiting)) {
      this.straight.add(loop);
      return this.headers.get(loop) as Block;
    }
    return this.route([...waiting, this.destination(graph.loopOf[k], to)]);
  }

  /** Whether nothing of a round is left to run: what waits is the loop's end. */
  private isLast(loop: Loop, waiting: Set<number>): boolean {
    const tail = this.tailOf.get(loop) as number;
    const latches = this.graph.order[loop.header].preds.filter((p) =>
      this.d.inLoop(loop, this.graph.index.get(p) as number),
    );
    return latches.length === 1 && [...waiting].every((at) => at >= tail);
  }

  /** Whether a block only runs if some lane is active in it. */
  private hasLanes(k: number): boolean {
    if (k === 0 || this.tested.has(k)) return true;
    if (!this.own[k]) return this.hasLanes(this.holder[k]);
    return !this.isTrivial(k);
  }

  /** Whether what comes after a branch out of a loop is the block of the lanes that stay. */
  private goesAside(k: number, { stay, back }: Leaving, waiting: Set<number>): boolean {
    const loop = this.graph.loopOf[k] as Loop;
    const at = this.nodeOf.get(this.graph.index.get(stay) as number) as number;
    const next = back ? this.isLast(loop, waiting) : [...waiting].every((w) => w > at);
    if (!next) this.inLine.add(k);
    return next;
  }

  /** Lanes that leave a loop do what is to be done for them, if there are any; the others go on. */
  private aside(
    block: Block,
    k: number,
    cond: Value,
    { exit, stay, back, negate }: Leaving,
    waiting: Set<number>,
  ): void {
    const { graph } = this;
    const loop = graph.loopOf[k] as Loop;
    const s = graph.index.get(stay) as number;
    const { line } = graph.order[k];
    const tail = this.tailOf.get(loop) as number;
    const mask = this.mask[k];
    const rest = back ? (this.nextMask.get(loop) as number) : this.mask[s];
    const gone = this.masks++;
    const lanes = (to: number, args: Value[], negated: boolean) =>
      new Value("mask_move", NONE, args, to, 0n, { mask, negate: negated, add: false });

    const on = this.newBlock(mask, line);
    this.moves(on, k, stay, mask, undefined, false);
    let after: Block;
    if (back) {
      this.straight.add(loop);
      after = this.headers.get(loop) as Block;
    } else {
      this.tested.add(s);
      after = this.route([...waiting, this.nodeOf.get(s) as number, tail]);
    }
    on.terminator = { kind: "jump", target: after };
    const next = on.values.length > 0 ? on : after;

    const side = this.newBlock(gone, line);
    this.edge(side, k, exit, gone, undefined, false);
    const left = new Value("any", I1, [], rest);
    side.values.push(lanes(rest, [cond], !negate), left);
    const end = this.routeOrEnd(new Set([...waiting, tail]));
    side.terminator = { kind: "branch", cond: left, yes: next, no: end };

    const any = new Value("any", I1, [], gone);
    block.values.push(lanes(gone, [cond], negate), lanes(rest, [], false), any);
    block.terminator = { kind: "branch", cond: any, yes: side, no: next };
  }

  /**
   * What happens on an edge, appended to `block`: the target's mask gets the edge's lanes, and the
   * target's phis their values.
   */
  private edge(
    block: Block,
    k: number,
    target: Block,
    mask: number,
    cond: Value | undefined,
    negate: boolean,
  ): void {
    const { graph, d } = this;
    const to = graph.index.get(target) as number;
    const loop = graph.loopOf[to];
    const header = loop?.header === to;
    const next = header && loop && d.loops.has(loop) ? this.nextMask.get(loop) : undefined;
    const targetMask = next ?? (this.own[to] ? this.mask[to] : undefined);
    const args = cond ? [cond] : [];
    if (targetMask !== undefined) {
      const add = !(next !== undefined && loop && this.straight.has(loop) && d.inLoop(loop, k));
      const aux = { mask, negate, add };
      block.values.push(new Value("mask_move", NONE, args, targetMask, 0n, aux));
    }
    for (const out of keptAlong(d, k, target)) {
      if (this.atExits.has(out)) block.values.push(out);
    }
    this.moves(block, k, target, mask, cond, negate);
  }

  /** The moves to the phis of an edge's target. */
  private moves(
    block: Block,
    k: number,
    target: Block,
    mask: number,
    cond: Value | undefined,
    negate: boolean,
  ): void {
    const { graph } = this;
    const to = graph.index.get(target) as number;
    const n = target.preds.indexOf(graph.order[k]);
    const moves: { phi: Value; value: Value; blend: boolean }[] = [];
    for (const phi of target.values) {
      if (phi.op !== "phi") break;
      const value = phi.args[n];
      if (value === phi) continue;
      moves.push({ phi, value, blend: this.needsBlend(phi, k, target, to, cond !== undefined) });
    }
    if (moves.length === 0) return;
    let edgeMask = mask;
    if (cond && moves.some((m) => m.blend)) {
      edgeMask = this.masks++;
      block.values.push(
        new Value("mask_move", NONE, [cond], edgeMask, 0n, { mask, negate, add: false }),
      );
    }
    // All values are read before any phi is written.
    const inputs = moves.map((m) => m.value);
    const aux = {
      phis: moves.map((m) => m.phi),
      blends: moves.map((m) => m.blend),
      mask: edgeMask,
    };
    block.values.push(new Value("phi_move", NONE, inputs, 0, 0n, aux));
  }

  /** Whether some lanes of the phi hold a value that this edge must leave alone. */
  private needsBlend(phi: Value, k: number, target: Block, to: number, splits: boolean): boolean {
    const { graph, d } = this;
    if (d.of(phi).kind !== VARYING) return false;
    for (let l = graph.loopOf[k]; l; l = l.parent) {
      if (d.loops.has(l) && !d.inLoop(l, to)) return true; // lanes come round by round
    }
    const loop = graph.loopOf[to];
    if (loop && loop.header === to) {
      // A back edge brings all lanes that are still in the loop; the others don't look again.
      if (d.inLoop(loop, k)) return false;
      const entries = target.preds.filter((p) => !d.inLoop(loop, graph.index.get(p) as number));
      return entries.length > 1 && !this.isFirst(k, entries) && (splits || d.isJoin(target));
    }
    if (!d.isJoin(target)) return false;
    return !this.isFirst(k, target.preds);
  }

  /** Whether block k comes before all the other predecessors, so that nothing is lost. */
  private isFirst(k: number, preds: Block[]): boolean {
    const place = (b: number) => this.nodeOf.get(b) as number;
    return preds.every((p) => place(this.graph.index.get(p) as number) >= place(k));
  }

  /** The end of a loop that lanes leave apart: again while some are left. */
  private tail(node: Node, at: number, loop: Loop): void {
    const next = this.nextMask.get(loop) as number;
    const any = new Value("any", I1, [], next);
    this.result.maskOf.set(node.entry, ALL_LANES);
    const exits = [...this.d.exitTargets(loop)].map((x) => this.destination(loop.parent, x));
    const targets = new Set([...this.deferred[at], ...exits]);
    if (this.straight.has(loop)) {
      node.entry.terminator = { kind: "jump", target: this.routeOrEnd(targets) };
      return;
    }
    node.entry.values.push(any);
    const again = this.headers.get(loop) as Block;
    node.entry.terminator = { kind: "branch", cond: any, yes: again, no: this.routeOrEnd(targets) };
  }
}
