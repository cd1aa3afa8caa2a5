import { Graph, type Loop } from "../analysis/graph.ts";
import { type Block, isPure, type Region, successors, type Value } from "../ir/ir.ts";

/** Special registers that are the same for all threads of a block. */
const BLOCK_UNIFORM = new Set(
  (
    "ntid.x ntid.y ntid.z ctaid.x ctaid.y ctaid.z nctaid.x nctaid.y nctaid.z smid nsmid " +
    "gridid envreg dynamicShared totalShared moduleBase moduleOffset heapBase sharedWindow " +
    "sharedOffset paramWindow paramSize localSize cluster.x cluster.y cluster.z clusterBlocks " +
    "clusterShared clusterShift explicitCluster clusterOffset clusterRank clusterWindow"
  ).split(" "),
);

/**
 * Moves pure values out of loops. What is the same for the whole block goes to the region's
 * prologue, before the loop over the lane groups; other loop-invariant values go before their loop.
 * Returns the prologue.
 */
export function hoist(region: Region): Value[] {
  const graph = new Graph(region.start);
  const prologue: Value[] = [];
  const invariant = new Set<Value>();
  for (const block of graph.order) {
    block.values = block.values.filter((v) => {
      if (!isBlockInvariant(v, invariant)) return true;
      invariant.add(v);
      prologue.push(v);
      return false;
    });
  }
  hoistFromLoops(graph, invariant);
  return prologue;
}

function isBlockInvariant(v: Value, known: Set<Value>): boolean {
  if (v.op === "const" || v.op === "param") return true;
  if (v.op === "sreg") return BLOCK_UNIFORM.has(v.aux.name as string);
  if (
    !isPure(v) ||
    v.op === "load" ||
    v.op === "reload" ||
    v.op === "result" ||
    v.op === "argument"
  ) {
    return false;
  }
  return v.args.length > 0 && v.args.every((a) => known.has(a));
}

function hoistFromLoops(graph: Graph, invariant: Set<Value>): void {
  const blockOf = new Map<Value, number>();
  graph.order.forEach((b, k) => {
    for (const v of b.values) blockOf.set(v, k);
  });
  const sets = new Map<Loop, Set<number>>();
  for (const loop of graph.loops) sets.set(loop, new Set(loop.blocks));
  graph.order.forEach((block, at) => {
    if (!graph.loopOf[at]) return;
    block.values = block.values.filter((v) => {
      const into = target(v, at);
      if (into === undefined) return true;
      const preheader: Block = graph.order[into];
      preheader.values.push(v);
      blockOf.set(v, into);
      return false;
    });
  });

  /** The block before the outermost loop that `v` can leave, or undefined. */
  function target(v: Value, at: number): number | undefined {
    const movable = isPure(v) || (v.op === "check" && graph.loopOf[at]?.header === at);
    if (!movable || v.op === "const") return undefined;
    let best: number | undefined;
    for (let loop = graph.loopOf[at]; loop; loop = loop.parent) {
      const inside = sets.get(loop) as Set<number>;
      const free = v.args.every((a) => {
        if (invariant.has(a)) return true;
        const home = blockOf.get(a);
        return home !== undefined && !inside.has(home);
      });
      if (!free) break;
      if (v.op === "check" && loop.header !== at) break;
      const home = graph.idom[loop.header];
      if (inside.has(home)) return undefined;
      // A check may fault: it only goes where the loop is sure to be entered.
      if (v.op === "check" && successors(graph.order[home]).length !== 1) break;
      best = home;
    }
    return best;
  }
}
