import { isPure, type Region, type Value } from "../ir/ir.ts";
import type { Divergence } from "./divergence.ts";
import { accessPattern } from "./patterns.ts";
import { UNIFORM } from "./shapes.ts";

/** How the sure body of a row of blocks goes through blocks of several rows of threads. */
export interface Rows {
  /** Values that are the same for all threads of a row, in order. */
  values: Value[];
  /** Down the rows first, group by group; else row by row, through all blocks of the run. */
  down: boolean;
}

/**
 * Moves what is the same for a row of threads out of a body, and tells in which order the rows are
 * best gone through. Long rows stream through memory where lanes store side by side. Where they don't
 * (a transpose), the lines of memory that a group stores to are those that the next row goes on with:
 * stores wait for one another, loads from many lines don't.
 * @param region the body's own copy
 * @param prologue values of the block
 */
export function hoistRows(region: Region, prologue: readonly Value[], d: Divergence): Rows {
  const known = new Set(prologue);
  const isKnown = (v: Value) => v.op === "const" || known.has(v);
  const values: Value[] = [];
  for (const block of d.graph.order) {
    block.values = block.values.filter((v) => {
      const movable = isPure(v) && v.op !== "load" && v.op !== "const" && d.of(v).kind === UNIFORM;
      if (!movable || !v.args.every(isKnown)) return true;
      known.add(v);
      values.push(v);
      return false;
    });
  }
  const stores = region.blocks.flatMap((b) => b.values.filter((v) => v.op === "store"));
  const down = stores.some((v) => {
    const { stride, tried } = accessPattern((x) => d.of(x), v.args[0]);
    return stride === undefined || tried;
  });
  return { values, down };
}
