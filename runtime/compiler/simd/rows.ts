import { hasEffect, isPure, type Region, type Value } from "../ir/ir.ts";
import type { Divergence } from "./divergence.ts";
import { accessPattern } from "./patterns.ts";
import { UNIFORM } from "./shapes.ts";

/**
 * Moves what is the same for all threads of a block out of a sure body, in front of the loop over groups; or
 * of a row of threads, in front of the row. What is loaded there may be loaded for all threads at once: none
 * of them has done anything yet, and threads see each other's stores when they will.
 * @param known values of the block
 * @param ofRow whether it is about rows: indices but that in x are the row's
 * @param checks those that pass in every thread
 * @returns what was moved, in order
 */
export function hoistOut(
  known: Iterable<Value>,
  d: Divergence,
  ofRow: boolean,
  checks: ReadonlyMap<Value, boolean>,
): Value[] {
  const outside = new Set(known);
  const isKnown = (v: Value) => v.op === "const" || outside.has(v);
  const values: Value[] = [];
  let early = true;
  const moves = (v: Value, inLoop: boolean): boolean => {
    if (d.of(v).kind !== UNIFORM || !v.args.every(isKnown)) return false;
    if (v.op === "check") return checks.has(v);
    if (v.op === "load") return early && !inLoop && v.aux.ordered !== true;
    return isPure(v) && !/^(const|reload|phi)$/.test(v.op) && (v.args.length > 0 || ofRow);
  };
  d.graph.order.forEach((block, n) => {
    const inLoop = d.graph.loopOf[n] !== undefined;
    block.values = block.values.filter((v) => {
      if (!moves(v, inLoop)) {
        if (hasEffect(v) && v.op !== "check") early = false;
        return true;
      }
      outside.add(v);
      values.push(v);
      return false;
    });
  });
  return values;
}

/** How the sure body of a row of blocks goes through blocks of several rows of threads. */
export interface Rows {
  /** Down the rows first, group by group; else row by row, through all blocks of the run. */
  down: boolean;
  /** Rows that the body takes at once. */
  atOnce: number;
  /** Values that are of other rows than the first of these. */
  further: ReadonlySet<Value>;
}

/**
 * In which order rows of threads are best gone through. Long rows stream through memory where lanes store
 * side by side. Where they don't (a transpose), the lines of memory that a group stores to are those that
 * the next row goes on with: stores wait for one another, loads from many lines don't.
 * @param near checks whose lanes lie near each other
 */
export function orderOfRows(
  region: Region,
  d: Divergence,
  near: ReadonlyMap<Value, readonly number[]>,
): Rows {
  const stores = region.blocks.flatMap((b) => b.values.filter((v) => v.op === "store"));
  const down = stores.some((v) => {
    const { stride, tried } = accessPattern((x) => d.of(x), v.args[0]);
    return !near.has(v.args[0]) && (stride === undefined || tried);
  });
  return { down, atOnce: 1, further: new Set() };
}
