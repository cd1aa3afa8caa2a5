import type { Graph, Loop } from "../analysis/graph.ts";
import type { Block, Value } from "../ir/ir.ts";

/** A phi of a loop's header to which every round adds the same. */
export interface Induction {
  loop: Loop;
  /** Its value in the first round. */
  init: Value;
  /** What a round adds, or subtracts, one after the other. */
  steps: { value: Value; minus: boolean }[];
}

/** A branch that every round of a loop comes to, and that leaves it on one side. */
export interface LoopExit {
  block: Block;
  cond: Value;
  /** The loop goes on while `cond` is this. */
  stay: boolean;
}

/** A branch that decides whether a loop is entered, and the side on which it is not. */
export interface LoopGuard {
  branch: Block;
  skip: boolean;
}

/** Additions in one round beyond these are not followed. */
const MAX_STEPS = 16;

/** Loops of a region that count, by structure: what changes by the same in each round, and what ends them. */
export class Inductions {
  readonly phis = new Map<Value, Induction>();
  readonly exits = new Map<Loop, LoopExit[]>();
  /** Blocks whose branch can leave a loop. */
  readonly leaving = new Set<Block>();
  /** What the phis have in the next round. */
  private readonly nexts = new Map<Value, Value>();

  private readonly graph: Graph;

  constructor(graph: Graph) {
    this.graph = graph;
    for (const loop of graph.loops) {
      const inside = new Set(loop.blocks);
      const header = graph.order[loop.header];
      const isInside = (b: Block) => inside.has(graph.index.get(b) as number);
      const latch = header.preds.findIndex(isInside);
      this.exits.set(loop, []);
      if (header.preds.length !== 2 || isInside(header.preds[1 - latch])) continue;
      for (const phi of header.values) {
        if (phi.op !== "phi") break;
        const steps = stepsTo(phi, phi.args[latch]);
        if (!steps) continue;
        this.phis.set(phi, { loop, init: phi.args[1 - latch], steps });
        this.nexts.set(phi.args[latch], phi);
      }
      const last = graph.index.get(header.preds[latch]) as number;
      for (const k of loop.blocks) {
        const block = graph.order[k];
        const t = block.terminator;
        if (t?.kind !== "branch" || isInside(t.yes) === isInside(t.no)) continue;
        this.leaving.add(block);
        if (!graph.dominates(k, last)) continue;
        this.exits.get(loop)?.push({ block, cond: t.cond, stay: isInside(t.yes) });
      }
    }
  }

  headerOf(loop: Loop): Block {
    return this.graph.order[loop.header];
  }

  /** Has what counts refer to other values, as the region does. */
  replace(to: (v: Value) => Value): void {
    for (const induction of this.phis.values()) {
      induction.init = to(induction.init);
      for (const step of induction.steps) step.value = to(step.value);
    }
    for (const exits of this.exits.values()) for (const exit of exits) exit.cond = to(exit.cond);
  }

  /** The branch that skips a loop, if there is one right before it. */
  guardOf(loop: Loop): LoopGuard | undefined {
    const header = this.headerOf(loop);
    const isInside = (b: Block) => loop.blocks.includes(this.graph.index.get(b) as number);
    const before = header.preds.find((b) => !isInside(b));
    return before && guardBefore(before, header);
  }

  /**
   * Of a phi behind a loop, that is what an induction has come to or what it would have begun with where
   * the loop was skipped, that induction and the guard.
   */
  behindLoop(phi: Value): { induction: Induction; guard: LoopGuard } | undefined {
    if (phi.args.length !== 2) return undefined;
    for (const k of [0, 1]) {
      const counted = this.nexts.get(phi.args[k]);
      const induction = counted && this.phis.get(counted);
      if (!induction || induction.init !== phi.args[1 - k]) continue;
      const { loop } = induction;
      const join = this.graph.order.find((b) => b.values.includes(phi)) as Block;
      const skipped = guardBefore(join.preds[1 - k], join);
      const guard = this.guardOf(loop);
      const same = guard && skipped?.branch === guard.branch && skipped.skip !== guard.skip;
      if (same && this.isLeftAtEnd(loop)) return { induction, guard };
    }
    return undefined;
  }

  /** Whether the one way out of a loop is at the end of a round. */
  private isLeftAtEnd(loop: Loop): boolean {
    const header = this.headerOf(loop);
    const ways = loop.blocks.filter((k) => this.leaving.has(this.graph.order[k]));
    return ways.length === 1 && header.preds.includes(this.graph.order[ways[0]]);
  }
}

/** The branch that leads to a block by way of another one, and the side on which it does not. */
function guardBefore(before: Block, block: Block): LoopGuard | undefined {
  let [from, to] = [before, block];
  for (let k = 0; k < 4 && from.terminator?.kind === "jump" && from.preds.length === 1; k++) {
    [from, to] = [from.preds[0], from];
  }
  const t = from.terminator;
  if (t?.kind !== "branch" || t.yes === t.no) return undefined;
  return { branch: from, skip: t.no === to };
}

/** What is added to a phi on the way to a value; undefined if anything else is done to it. */
function stepsTo(phi: Value, value: Value): Induction["steps"] | undefined {
  const steps: Induction["steps"] = [];
  let v = value;
  while (v !== phi) {
    if (!/^i(32|64)_(add|sub)$/.test(v.op) || steps.length === MAX_STEPS) return undefined;
    const minus = v.op.endsWith("sub");
    const [a, b] = v.args;
    const [on, by] = minus || leadsTo(a, phi) ? [a, b] : [b, a];
    steps.push({ value: by, minus });
    v = on;
  }
  return steps.length > 0 ? steps.reverse() : undefined;
}

/** Whether additions lead from a value back to a phi. */
function leadsTo(value: Value, phi: Value): boolean {
  let v = value;
  for (let k = 0; k < MAX_STEPS && v !== phi; k++) {
    if (!/^i(32|64)_(add|sub)$/.test(v.op)) return false;
    v = v.args[0];
  }
  return v === phi;
}
