import { Graph } from "../analysis/graph.ts";
import { I64, type Region, Value } from "../ir/ir.ts";
import { removeUnreachable, takeSide } from "./branches.ts";
import { Copies } from "./copies.ts";
import { findPair, type Pair } from "./unrolled.ts";

/**
 * Undoes the unrolling of loops that compilers do ahead of time: `n & 3` rounds one by one, then four in
 * each round of a second loop, become one loop of n rounds. A thread that runs alone leaves one loop then
 * and not two, whose ends no processor foresees where rows differ in length, and one test of a range
 * serves all rounds (`ranges.ts`). Loops that store or wait are left alone.
 * @returns whether there were any
 */
export function reroll(region: Region): boolean {
  let found = false;
  for (let again = true; again; ) {
    again = false;
    const graph = new Graph(region.start);
    for (const loop of graph.loops) {
      const pair = loop.blocks.length === 1 && findPair(graph, graph.order[loop.header]);
      if (!pair || !new Copies(graph, pair).same()) continue;
      join(region, pair);
      found = again = true;
      break; // the graph has changed
    }
  }
  return found;
}

/** The single loop makes all rounds; the unrolled one is never reached. */
function join(region: Region, pair: Pair): void {
  const { guard, skipsFirst, first, middle, skipsSecond, single, counter, countsUp, total } = pair;
  const into = 1 - single.preds.indexOf(single);
  let init = total;
  if (countsUp) {
    const { type } = total;
    const zero = new Value("const", type, []);
    init = new Value(type === I64 ? "i64_sub" : "i32_sub", type, [zero, total]);
    single.preds[into].values.push(init);
  }
  counter.args[into] = init;
  takeSide(guard, single === first ? !skipsFirst : skipsFirst);
  takeSide(middle, single === first ? skipsSecond : !skipsSecond);
  removeUnreachable(region);
}
