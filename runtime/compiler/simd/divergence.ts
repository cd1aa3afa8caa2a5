import { Graph, type Loop } from "../analysis/graph.ts";
import { type Block, type Region, retarget, successors, Value } from "../ir/ir.ts";
import {
  AFFINE,
  join,
  type Shape,
  type ShapeContext,
  sameShape,
  transfer,
  UNIFORM,
  UNKNOWN,
  uniform,
  unknown,
  varying,
} from "./shapes.ts";

/** Gives every loop one latch, so that a loop has one edge back to its header. */
export function unifyLatches(region: Region): void {
  const graph = new Graph(region.start);
  let id = Math.max(...region.blocks.map((b) => b.id)) + 1;
  for (const loop of graph.loops) {
    const header = graph.order[loop.header];
    const isBack = (p: Block) => (graph.index.get(p) as number) >= loop.header;
    const back = header.preds.filter(isBack);
    if (back.length < 2) continue;
    const latch = { ...emptyBlock(id++), line: header.line } as Block;
    latch.preds = back;
    latch.terminator = { kind: "jump", target: header };
    for (const phi of header.values) {
      if (phi.op !== "phi") break;
      const args = header.preds.map((p, k) => ({ p, v: phi.args[k] }));
      const fromBack = args.filter((a) => isBack(a.p)).map((a) => a.v);
      let merged = fromBack[0];
      if (fromBack.some((v) => v !== merged)) {
        merged = new Value("phi", phi.type, fromBack);
        latch.values.push(merged);
      }
      phi.args = [...args.filter((a) => !isBack(a.p)).map((a) => a.v), merged];
    }
    for (const p of back) retarget(p, (b) => (b === header ? latch : b));
    header.preds = [...header.preds.filter((p) => !isBack(p)), latch];
    region.blocks.push(latch);
  }
}

function emptyBlock(id: number): Partial<Block> {
  return { id, values: [], preds: [], terminator: undefined };
}

/** What divergence means for one region: shapes of values, and which control flow splits lanes. */
export class Divergence {
  readonly graph: Graph;
  readonly shapes = new Map<Value, Shape>();
  /** Blocks whose terminator sends lanes of a group different ways. */
  readonly branches = new Set<Block>();
  /** Loops that lanes of a group leave at different times. */
  readonly loops = new Set<Loop>();
  /** By loop, the `out` operations of what is used behind it, each with the block it stands in. */
  readonly kept = new Map<Loop, Map<Value, Block>>();
  private readonly joins = new Set<Block>();
  private readonly postDominators = new Map<Loop | undefined, Uint32Array[]>();
  private readonly partialCache = new Map<number, Set<number>>();
  private readonly loopSets = new Map<Loop, Set<number>>();
  private readonly apart: ReadonlySet<Block>;

  /** @param apart blocks whose branch is taken as divergent though a group's lanes may agree */
  constructor(
    region: Region,
    prologue: Value[],
    context: Omit<ShapeContext, "of">,
    apart: ReadonlySet<Block> = new Set(),
  ) {
    this.apart = apart;
    this.graph = new Graph(region.start);
    for (const loop of this.graph.loops) this.loopSets.set(loop, new Set(loop.blocks));
    const constantOr = (v: Value): Shape => (v.op === "const" ? transfer(v, full) : unknown);
    const full: ShapeContext = { ...context, of: (v) => this.shapes.get(v) ?? constantOr(v) };
    this.analyze(prologue, full);
  }

  /** The shape of a value. Tests of masks are made after the analysis: uniform by nature. */
  of(v: Value): Shape {
    return this.shapes.get(v) ?? (v.op === "any" ? uniform : varying);
  }

  private analyze(prologue: Value[], context: ShapeContext): void {
    const { order } = this.graph;
    for (const v of prologue) this.shapes.set(v, transfer(v, context));
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of order) {
        for (const v of block.values) {
          const next = v.op === "phi" ? this.phi(v, block, context) : transfer(v, context);
          // Only ever upwards, so that it ends.
          const old = this.shapes.get(v) ?? unknown;
          const joined = join(old, next);
          if (!sameShape(joined, old)) {
            this.shapes.set(v, joined);
            changed = true;
          }
        }
      }
      // Without loops each value came after those that it is made of.
      if (this.graph.loops.length === 0 && !this.graph.irreducible) changed = false;
      if (this.spread()) changed = true;
    }
    // What nothing was found out about is computed from nothing: no thread ever comes there.
    for (const v of [...prologue, ...order.flatMap((b) => b.values)]) {
      if ((this.shapes.get(v) ?? unknown).kind === UNKNOWN) this.shapes.set(v, uniform);
    }
  }

  private phi(v: Value, block: Block, context: ShapeContext): Shape {
    let s = unknown;
    for (const a of v.args) s = join(s, context.of(a));
    if (this.joins.has(block) && new Set(v.args).size > 1 && s.kind !== UNKNOWN) return varying;
    return s;
  }

  /** Finds branches that have become divergent, and what follows from them. */
  private spread(): boolean {
    let changed = false;
    this.graph.order.forEach((block, k) => {
      const t = block.terminator;
      const cond = t?.kind === "branch" && t.yes !== t.no ? t.cond : undefined;
      if (!cond || this.branches.has(block)) return;
      const s = this.shapes.get(cond);
      if (!s || s.kind === UNKNOWN) return;
      if (s.kind === UNIFORM && !this.apart.has(block)) return;
      this.branches.add(block);
      changed = true;
      const targets = successors(block).map((s) => this.graph.index.get(s) as number);
      for (const j of this.joinsOf(k, targets)) this.joins.add(this.graph.order[j]);
    });
    for (const loop of this.graph.loops) {
      if (!this.loops.has(loop) && this.leavesApart(loop)) {
        this.loops.add(loop);
        changed = true;
        // Lanes come out of the loop by different exits and at different times.
        const exits = [...this.exitTargets(loop)];
        for (const x of exits) this.joins.add(this.graph.order[x]);
        const last = Math.max(...loop.blocks);
        for (const j of this.joinsOf(Math.min(last, ...exits) - 1, exits)) {
          this.joins.add(this.graph.order[j]);
        }
        for (const v of this.valuesUsedOutside(loop)) this.keepForOutside(loop, v);
      }
    }
    return changed;
  }

  /** Whether lanes go apart at a block: by its branch, or by a loop that it is the header of. */
  parts(k: number): boolean {
    if (this.branches.has(this.graph.order[k])) return true;
    const loop = this.graph.loopOf[k];
    return loop?.header === k && this.loops.has(loop);
  }

  inLoop(loop: Loop, k: number): boolean {
    return (this.loopSets.get(loop) as Set<number>).has(k);
  }

  exitTargets(loop: Loop): Set<number> {
    const targets = new Set<number>();
    for (const b of loop.blocks) {
      for (const s of successors(this.graph.order[b])) {
        const k = this.graph.index.get(s) as number;
        if (!this.inLoop(loop, k)) targets.add(k);
      }
    }
    return targets;
  }

  /** Whether some exit of the loop is taken by part of the lanes that are in it. */
  private leavesApart(loop: Loop): boolean {
    for (const b of loop.blocks) {
      const block = this.graph.order[b];
      const leaves =
        successors(block).some((s) => !this.inLoop(loop, this.graph.index.get(s) as number)) ||
        /^(exit|cut|return)$/.test(block.terminator?.kind ?? "");
      if (!leaves) continue;
      if (this.branches.has(block)) return true;
      for (const other of loop.blocks) {
        if (this.parts(other) && this.partial(other).has(b)) return true;
      }
    }
    return false;
  }

  /**
   * Whether lanes leave a loop that they leave apart within a few rounds of each other, as they do
   * `for (i = tid; i < n; i += threads)`: by comparisons of what is linear in the lane's number only.
   */
  leavesSoon(loop: Loop): boolean {
    const { order, index } = this.graph;
    const leaves = (k: number) =>
      successors(order[k]).some((s) => !this.inLoop(loop, index.get(s) as number));
    const counted = (k: number) => {
      const t = order[k].terminator;
      if (t?.kind !== "branch" || !/^i32_(lt|gt|le|ge|eq|ne)/.test(t.cond.op)) return false;
      return t.cond.args.every((a) => this.of(a).kind === UNIFORM || this.of(a).kind === AFFINE);
    };
    const apart = [...loop.blocks].filter(
      (k) =>
        (this.branches.has(order[k]) || (this.parts(k) && k !== loop.header)) &&
        !(leaves(k) && counted(k)),
    );
    return [...loop.blocks].every((k) => {
      if (!leaves(k)) return !/^(exit|cut|return)$/.test(order[k].terminator?.kind ?? "");
      if (this.branches.has(order[k]) && !counted(k)) return false;
      return !apart.some((other) => this.partial(other).has(k));
    });
  }

  /** Values made in the loop that are used behind it. */
  valuesUsedOutside(loop: Loop): Value[] {
    const own = new Set<Value>();
    for (const b of loop.blocks) for (const v of this.graph.order[b].values) own.add(v);
    const found = new Set<Value>();
    this.graph.order.forEach((block, k) => {
      const inside = this.inLoop(loop, k);
      for (const v of block.values) {
        v.args.forEach((a, n) => {
          if (!own.has(a)) return;
          // A phi's operand is used at the end of the block that it comes from.
          const at = v.op === "phi" ? (this.graph.index.get(block.preds[n]) as number) : k;
          if (!this.inLoop(loop, at)) found.add(a);
        });
      }
      if (inside) return;
      for (const v of endValues(block)) if (own.has(v)) found.add(v);
    });
    return [...found];
  }

  /**
   * Lanes leave the loop in different rounds: what they use of it afterwards is kept by an `out`
   * operation, which changes only the lanes that are still in the loop.
   */
  private keepForOutside(loop: Loop, v: Value): void {
    const kept = this.kept.get(loop) ?? new Map<Value, Block>();
    this.kept.set(loop, kept);
    // A loop around this one that was found first keeps what this one has kept, not what its round made.
    let outer: Value | undefined;
    let value = v;
    for (; this.keptAround(loop, value); value = value.args[0]) outer = value;
    const known = [...kept.keys()].find((out) => out.args[0] === value);
    const out = known ?? new Value("out", value.type, [value]);
    if (!known) this.keepAs(out, loop, kept);
    if (outer) outer.args = [out];
  }

  /** Whether a value is an `out` operation of a loop around this one. */
  private keptAround(loop: Loop, v: Value): boolean {
    for (let l = loop.parent; l; l = l.parent) if (this.kept.get(l)?.has(v)) return true;
    return false;
  }

  /** Puts an `out` operation behind its operand, for all that use that outside of the loop. */
  private keepAs(out: Value, loop: Loop, kept: Map<Value, Block>): void {
    const [v] = out.args;
    const { order, index } = this.graph;
    for (const [k, block] of order.entries()) {
      const inside = this.inLoop(loop, k);
      for (const user of block.values) {
        if (user === out) continue;
        user.args = user.args.map((a, n) => {
          if (a !== v) return a;
          const at = user.op === "phi" ? (index.get(block.preds[n]) as number) : k;
          return this.inLoop(loop, at) ? a : out;
        });
      }
      if (inside) {
        const at = block.values.indexOf(v);
        if (at >= 0) {
          let next = at + 1;
          while (v.op === "phi" && block.values[next]?.op === "phi") next++;
          block.values.splice(next, 0, out);
          kept.set(out, block);
        }
      } else replaceEndValue(block, v, out);
    }
  }

  /** Whether lanes of a group can come to the block by different ways. */
  isJoin(block: Block): boolean {
    return this.joins.has(block);
  }

  /** Blocks behind `k` where lanes that went to different targets can meet (disjoint paths). */
  private joinsOf(k: number, targets: number[]): Set<number> {
    const { order, index } = this.graph;
    const label = new Map<number, number>();
    const found = new Set<number>();
    const direct = new Set(targets);
    for (let n = k + 1; n < order.length; n++) {
      let mine = direct.has(n) ? n : undefined;
      for (const p of order[n].preds) {
        const from = index.get(p) as number;
        if (from >= n || from <= k) continue;
        const l = label.get(from);
        if (l === undefined) continue;
        if (mine === undefined) mine = l;
        else if (mine !== l) {
          found.add(n);
          mine = n;
        }
      }
      if (mine !== undefined) label.set(n, mine);
    }
    return found;
  }

  /** The innermost loop that both blocks are in. */
  private commonLoop(a: number, b: number): Loop | undefined {
    let loop = this.graph.loopOf[a];
    while (loop && !this.inLoop(loop, b)) loop = loop.parent;
    return loop;
  }

  /** Whether every lane in block `k` comes to block `b`, in the same round of the loops around both. */
  follows(b: number, k: number): boolean {
    const post = this.postDominatorsIn(this.commonLoop(k, b))[k];
    return (post[b >>> 5] & (1 << (b & 31))) !== 0;
  }

  private postDominatorsIn(loop: Loop | undefined): Uint32Array[] {
    const known = this.postDominators.get(loop);
    if (known) return known;
    const found = postDominators(this.graph, loop);
    this.postDominators.set(loop, found);
    return found;
  }

  /** Blocks that only some of the lanes that reach block `k` may reach, because of its branch. */
  partial(k: number): Set<number> {
    const cached = this.partialCache.get(k);
    if (cached) return cached;
    const { order, index } = this.graph;
    const reach = new Set<number>();
    const work = successors(order[k]).map((s) => index.get(s) as number);
    for (let b = work.pop(); b !== undefined; b = work.pop()) {
      if (reach.has(b) || b <= k) continue;
      reach.add(b);
      for (const s of successors(order[b])) {
        const n = index.get(s) as number;
        if (n > b) work.push(n);
      }
    }
    // What every lane comes to, but only in a later round of a loop, is partial in this one.
    const result = new Set([...reach].filter((b) => !this.follows(b, k)));
    this.partialCache.set(k, result);
    return result;
  }
}

/** Values that a block's end uses. */
export function endValues(block: Block): Value[] {
  const t = block.terminator;
  if (t?.kind === "branch") return [t.cond];
  if (t?.kind === "switch") return [t.index];
  if (t?.kind === "cut" && t.state) {
    return [...t.state.operands, ...t.state.sources, ...t.state.spills.map((s) => s.value)];
  }
  return [];
}

function replaceEndValue(block: Block, from: Value, to: Value): void {
  const fix = (v: Value) => (v === from ? to : v);
  const t = block.terminator;
  if (t?.kind === "branch") t.cond = fix(t.cond);
  else if (t?.kind === "switch") t.index = fix(t.index);
  else if (t?.kind === "cut" && t.state) {
    t.state.operands = t.state.operands.map(fix);
    t.state.sources = t.state.sources.map(fix);
    for (const s of t.state.spills) s.value = fix(s.value);
  }
}

/**
 * For each block (by order index), the blocks that every path from it to an end goes through. A
 * round of `within`, or of a loop around it, ends where its header is reached again.
 */
function postDominators(graph: Graph, within: Loop | undefined): Uint32Array[] {
  const headers = new Set<number>();
  for (let loop = within; loop; loop = loop.parent) headers.add(loop.header);
  const n = graph.order.length;
  const words = (n + 31) >>> 5;
  const all = new Uint32Array(words).fill(0xffffffff);
  const none = new Uint32Array(words);
  const sets = Array.from({ length: n }, () => all.slice());
  for (let changed = true; changed; ) {
    changed = false;
    for (let k = n - 1; k >= 0; k--) {
      const next = new Uint32Array(words);
      const after = successors(graph.order[k]);
      if (after.length > 0) {
        next.fill(0xffffffff);
        for (const s of after) {
          const to = graph.index.get(s) as number;
          const from = to <= k && headers.has(to) ? none : sets[to];
          for (let w = 0; w < words; w++) next[w] &= from[w];
        }
      }
      next[k >>> 5] |= 1 << (k & 31);
      const old = sets[k];
      for (let w = 0; w < words; w++) {
        if (old[w] !== next[w]) {
          sets[k] = next;
          changed = true;
          break;
        }
      }
    }
  }
  return sets;
}
