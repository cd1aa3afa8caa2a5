import type { Graph } from "../analysis/graph.ts";
import { type Block, I32, I64, type Value } from "../ir/ir.ts";
import { constantOf, difference, plainSum, stepOf } from "./sums.ts";

/** A value that changes by a constant in each round of a loop. */
export interface Counter {
  init: Value;
  step: bigint;
}

/**
 * A loop of single rounds and one with `times` of them in a round: one behind the other, in either order.
 * Of `total` rounds the single loop makes `total & (times - 1)`.
 */
export interface Pair {
  /** Decides whether the first loop is entered, and on which side it is not. */
  guard: Block;
  skipsFirst: boolean;
  first: Block;
  /** Where both ways meet; decides whether the second loop is entered, and on which side it is not. */
  middle: Block;
  skipsSecond: boolean;
  /** Blocks between the middle and the second loop. */
  between: Block[];
  second: Block;
  /** Where the second loop and the middle's other side lead to. */
  end: Block;
  single: Block;
  unrolled: Block;
  /** The phi by which the single loop counts to zero: down from its rounds, or up from their negative. */
  counter: Value;
  countsUp: boolean;
  /** `total & (times - 1)` */
  rest: Value;
  total: Value;
  times: number;
}

/** Past blocks that do nothing but jump. */
function pastEmpty(block: Block): Block {
  let at = block;
  while (at.values.length === 0 && at.terminator?.kind === "jump") at = at.terminator.target;
  return at;
}

/** The other way out of a loop of one block, and whether it goes on where its condition holds. */
export function wayOut(loop: Block): { out: Block; stay: boolean; cond: Value } | undefined {
  const t = loop.terminator;
  if (t?.kind !== "branch" || (t.yes === loop) === (t.no === loop)) return undefined;
  const stay = t.yes === loop;
  return { out: stay ? t.no : t.yes, stay, cond: t.cond };
}

/** The predecessor of a loop of one block that is not itself, if there is one only. */
function entryOf(loop: Block): Block | undefined {
  const others = loop.preds.filter((p) => p !== loop);
  return others.length === 1 ? others[0] : undefined;
}

/** The phi's value in front of the loop and at the end of a round. */
export function ends(loop: Block, phi: Value): { init: Value; next: Value } {
  const self = loop.preds.indexOf(loop);
  return { init: phi.args[1 - self], next: phi.args[self] };
}

export function counterOf(loop: Block, phi: Value): Counter | undefined {
  if (phi.type !== I32 && phi.type !== I64) return undefined;
  const { init, next } = ends(loop, phi);
  const step = stepOf(phi, next);
  return step === undefined ? undefined : { init, step };
}

export const phisOf = (b: Block) => b.values.filter((v) => v.op === "phi");

/** From a loop back to the branch that decides whether it is entered, over blocks that lead nowhere else. */
function branchBefore(
  loop: Block,
): { branch: Block; between: Block[]; enters: boolean } | undefined {
  const between: Block[] = [];
  let [from, to] = [entryOf(loop), loop];
  while (from?.terminator?.kind === "jump" && from.preds.length === 1) {
    between.push(from);
    [from, to] = [from.preds[0], from];
  }
  const t = from?.terminator;
  if (!from || t?.kind !== "branch" || t.yes === t.no) return undefined;
  return { branch: from, between, enters: t.yes === to };
}

/** The pair whose second loop is a given one. */
export function findPair(graph: Graph, second: Block): Pair | undefined {
  const before = branchBefore(second);
  const out = wayOut(second);
  if (!before || !out || second.preds.length !== 2) return undefined;
  const { branch: middle, between, enters } = before;
  const t = middle.terminator;
  if (t?.kind !== "branch" || middle.preds.length !== 2) return undefined;
  const end = pastEmpty(enters ? t.no : t.yes);
  if (pastEmpty(out.out) !== end || end === middle) return undefined;
  const first = graph.order.find((b) => {
    const way = b !== second && wayOut(b);
    return way && pastEmpty(way.out) === middle;
  });
  const above = first && first.preds.length === 2 && branchBefore(first);
  if (!first || !above) return undefined;
  const g = above.branch.terminator;
  if (g?.kind !== "branch" || pastEmpty(above.enters ? g.no : g.yes) !== middle) return undefined;
  const place = { guard: above.branch, first, middle, between, second, end };
  const sides = { skipsFirst: !above.enters, skipsSecond: !enters };
  for (const [single, unrolled] of [
    [first, second],
    [second, first],
  ]) {
    const counted = countedToZero(single);
    if (!counted) continue;
    const pair = { ...place, ...sides, single, unrolled, ...counted };
    const [some, more] = single === first ? [g.cond, t.cond] : [t.cond, g.cond];
    const [skipsSome, skipsMore] =
      single === first
        ? [sides.skipsFirst, sides.skipsSecond]
        : [sides.skipsSecond, sides.skipsFirst];
    if (isZeroTest(some, counted.rest, skipsSome) && goesOn(more, skipsMore, pair)) return pair;
  }
  return undefined;
}

/** The phi that a loop counts to zero by ones, from `total & (times - 1)` or its negative. */
function countedToZero(
  loop: Block,
): Pick<Pair, "counter" | "countsUp" | "rest" | "total" | "times"> | undefined {
  const { cond, stay } = wayOut(loop) as { cond: Value; stay: boolean };
  for (const counter of phisOf(loop)) {
    const c = counterOf(loop, counter);
    if (!c || !isZeroTest(cond, ends(loop, counter).next, !stay)) continue;
    const [[rest, sign] = []] = plainSum(c.init).terms;
    const alone = { terms: new Map(rest && [[rest, -c.step]]), constant: 0n };
    if (!rest || sign !== -c.step || difference(counter.type, plainSum(c.init), alone) !== 0n) {
      continue;
    }
    const [total, mask] = rest.args;
    if (!/^i(32|64)_and$/.test(rest.op) || mask.op !== "const") continue;
    const times = Number(constantOf(mask)) + 1;
    if (times < 2 || times > 16 || (times & (times - 1)) !== 0) continue;
    if (c.step === 1n || c.step === -1n) {
      return { counter, countsUp: c.step === 1n, rest, total, times };
    }
  }
  return undefined;
}

/** Whether a condition is `is` exactly where a value is zero. */
export function isZeroTest(cond: Value, v: Value, is: boolean): boolean {
  const [a, b] = cond.args;
  if (/^i(32|64)_eqz$/.test(cond.op)) return is && a === v;
  const test = is ? /^i(32|64)_eq$/ : /^i(32|64)_ne$/;
  return test.test(cond.op) && a === v && b.op === "const" && constantOf(b) === 0n;
}

/** Whether a branch skips the unrolled loop exactly where `total`, not 0, is less than `times`. */
function goesOn(cond: Value, skips: boolean, { total, times }: Pair): boolean {
  const { type } = total;
  const [a, b] = cond.args;
  if (b?.op !== "const" || a.type !== type) return false;
  const more = difference(type, plainSum(a), plainSum(total)); // a = total + more
  if (more !== 0n && more !== -1n) return false;
  const least = BigInt(times) + more; // of a, where there are more rounds
  const c = BigInt.asUintN(type === I64 ? 64 : 32, constantOf(b));
  switch (cond.op.replace(/^i(32|64)_/, "")) {
    case "lt_u":
      return skips && c === least;
    case "ge_u":
      return !skips && c === least;
    case "gt_u":
      return !skips && c === least - 1n;
    case "le_u":
      return skips && c === least - 1n;
  }
  return false;
}

/** Whether a block's end leads to `to`'s block over blocks that only jump, seen from the far side. */
export function pastEmptyBack(from: Block, to: Block): boolean {
  let at = from;
  while (at !== to && at.values.length === 0 && at.preds.length === 1) at = at.preds[0];
  return at === to;
}
