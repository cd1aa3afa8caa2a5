import type { Graph, Loop } from "../analysis/graph.ts";
import { successors } from "../ir/ir.ts";

/**
 * An order of a graph's blocks (as indices) that is topological but for back edges and keeps each
 * loop together: linearised control flow goes through the blocks in this order.
 */
export function compactOrder(graph: Graph): number[] {
  const children = new Map<Loop | undefined, Loop[]>();
  for (const loop of graph.loops) {
    const list = children.get(loop.parent);
    if (list) list.push(loop);
    else children.set(loop.parent, [loop]);
  }
  const blocksOf = new Map<Loop, Set<number>>();
  for (const loop of graph.loops) blocksOf.set(loop, new Set(loop.blocks));

  const arrange = (scope: Loop | undefined, start: number): number[] => {
    const inScope = (k: number) => !scope || (blocksOf.get(scope) as Set<number>).has(k);
    const inner = children.get(scope) ?? [];
    const home = new Map<number, Loop>();
    for (const l of inner) for (const k of blocksOf.get(l) as Set<number>) home.set(k, l);
    const loopAt = (k: number) => home.get(k);
    const done = new Set<number>();
    const post: number[] = [];
    // A node is named by its first block: a loop by its header.
    const name = (k: number) => loopAt(k)?.header ?? k;
    const next = (node: number): number[] => {
      const loop = loopAt(node);
      const own = loop ? (blocksOf.get(loop) as Set<number>) : new Set([node]);
      const targets: number[] = [];
      for (const b of own) {
        for (const s of successors(graph.order[b])) {
          const k = graph.index.get(s) as number;
          if (own.has(k) || k === start || !inScope(k)) continue;
          targets.push(name(k));
        }
      }
      // The later in the original order, the earlier in the walk: it ends up later again.
      return [...new Set(targets)].sort((a, b) => b - a);
    };
    const stack = [{ node: start, next: next(start), k: 0 }];
    done.add(start);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.k < top.next.length) {
        const n = top.next[top.k++];
        if (!done.has(n)) {
          done.add(n);
          stack.push({ node: n, next: next(n), k: 0 });
        }
      } else {
        post.push(top.node);
        stack.pop();
      }
    }
    return post.reverse().flatMap((node) => {
      const loop = loopAt(node);
      return loop ? arrange(loop, node) : [node];
    });
  };
  const outermost = graph.loops.find((l) => l.header === 0 && !l.parent);
  if (outermost) throw new Error("a region starts with a loop header");
  return arrange(undefined, 0);
}
