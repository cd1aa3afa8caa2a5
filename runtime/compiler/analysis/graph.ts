import { type Block, successors } from "../ir/ir.ts";

/** Blocks reachable from `start` in reverse postorder. Iterative, so that long chains are fine. */
export function reversePostorder(start: Block): Block[] {
  const order: Block[] = [];
  const seen = new Set<Block>([start]);
  const stack: { block: Block; next: Block[]; k: number }[] = [
    { block: start, next: successors(start), k: 0 },
  ];
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    if (top.k < top.next.length) {
      const s = top.next[top.k++];
      if (!seen.has(s)) {
        seen.add(s);
        stack.push({ block: s, next: successors(s), k: 0 });
      }
    } else {
      order.push(top.block);
      stack.pop();
    }
  }
  return order.reverse();
}

/** A region graph with what passes ask of it: order, dominators, loops. */
export class Graph {
  readonly order: Block[];
  readonly index = new Map<Block, number>();
  /** Immediate dominator by order index; the start's is itself. */
  readonly idom: number[];
  /** Innermost loop of each block, by order index. */
  readonly loopOf: (Loop | undefined)[];
  readonly loops: Loop[] = [];
  /** True if some cycle is entered other than through a block that dominates it. */
  irreducible = false;

  constructor(start: Block) {
    this.order = reversePostorder(start);
    const before = new Map<Block, Block[]>();
    this.order.forEach((b, k) => {
      this.index.set(b, k);
      before.set(b, b.preds);
      b.preds = [];
    });
    for (const b of this.order) for (const s of successors(b)) s.preds.push(b);
    for (const [b, preds] of before) keepPhis(b, preds);
    this.idom = this.dominators();
    this.loopOf = new Array(this.order.length).fill(undefined);
    this.findLoops();
  }

  // Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm".
  private dominators(): number[] {
    const idom = new Array<number>(this.order.length).fill(-1);
    idom[0] = 0;
    for (let changed = true; changed; ) {
      changed = false;
      for (let k = 1; k < this.order.length; k++) {
        let best = -1;
        for (const pred of this.order[k].preds) {
          const p = this.index.get(pred) as number;
          if (idom[p] < 0) continue;
          if (best < 0) best = p;
          else {
            let [x, y] = [p, best];
            while (x !== y) {
              while (x > y) x = idom[x];
              while (y > x) y = idom[y];
            }
            best = x;
          }
        }
        if (best !== idom[k]) {
          idom[k] = best;
          changed = true;
        }
      }
    }
    return idom;
  }

  /** Whether block index `a` dominates `b`. */
  dominates(a: number, b: number): boolean {
    let x = b;
    while (x > a) x = this.idom[x];
    return x === a;
  }

  private findLoops(): void {
    // Headers from the last to the first: inner loops are found before the loops around them.
    for (let h = this.order.length - 1; h >= 0; h--) {
      const latches: number[] = [];
      for (const pred of this.order[h].preds) {
        const p = this.index.get(pred) as number;
        if (p < h) continue;
        if (this.dominates(h, p)) latches.push(p);
        else this.irreducible = true;
      }
      if (latches.length === 0) continue;
      const loop: Loop = { header: h, blocks: [h], parent: undefined };
      this.loops.push(loop);
      const own = new Set([h]);
      const work = [...latches];
      for (let b = work.pop(); b !== undefined; b = work.pop()) {
        if (own.has(b)) continue;
        own.add(b);
        loop.blocks.push(b);
        for (const pred of this.order[b].preds) work.push(this.index.get(pred) as number);
      }
      for (const b of loop.blocks) {
        const inner = this.loopOf[b];
        if (!inner) this.loopOf[b] = loop;
        else {
          let outer = inner;
          while (outer.parent && outer.parent !== loop) outer = outer.parent;
          if (outer !== loop && !outer.parent) outer.parent = loop;
        }
      }
    }
  }
}

/** Has the operands of a block's phis follow its predecessors, where these have another order now. */
function keepPhis(block: Block, before: Block[]): void {
  const { preds } = block;
  if (preds.length !== before.length || preds.every((p, k) => p === before[k])) return;
  const from = preds.map((p) => before.indexOf(p));
  if (from.includes(-1)) return; // the blocks are others: whoever changed them sees to it
  for (const phi of block.values) {
    if (phi.op !== "phi") break;
    const { args } = phi;
    phi.args = from.map((k) => args[k]);
  }
}

/** A natural loop: its header and blocks as indices into the graph's order. */
export interface Loop {
  header: number;
  blocks: number[];
  parent: Loop | undefined;
}
