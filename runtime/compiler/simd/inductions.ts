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

/** Additions in one round beyond these are not followed. */
const MAX_STEPS = 16;

/** Loops of a region that count, by structure: what changes by the same in each round, and what ends them. */
export class Inductions {
  readonly phis = new Map<Value, Induction>();
  readonly exits = new Map<Loop, LoopExit[]>();
  /** Blocks whose branch can leave a loop. */
  readonly leaving = new Set<Block>();

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
        if (steps) this.phis.set(phi, { loop, init: phi.args[1 - latch], steps });
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
