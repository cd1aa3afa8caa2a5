import type { Graph } from "../analysis/graph.ts";
import { type Block, I32, I64, type Value } from "../ir/ir.ts";
import { difference, plainSum, stepOf } from "./sums.ts";

/** A value that changes by a constant in each round of a loop. */
export interface Counter {
  init: Value;
  step: bigint;
}

/** A loop of single rounds, and the one behind it with `times` of them in a round. */
export interface Pair {
  /** Decides whether there are single rounds, and on which side there are none. */
  guard: Block;
  skipSingle: boolean;
  single: Block;
  /** How often the first loop goes round: `total & (times - 1)`, counted down by this phi. */
  counter: Value;
  total: Value;
  /** Where both meet; decides whether there are any more, and on which side there are none. */
  middle: Block;
  skipUnrolled: boolean;
  /** Blocks between the middle and the unrolled loop. */
  between: Block[];
  unrolled: Block;
  times: number;
  /** Where the unrolled loop and the middle's other side lead to. */
  end: Block;
}

/** Past blocks that do nothing but jump. */
function pastEmpty(from: Block, to: Block): { from: Block; to: Block } {
  let at = { from, to };
  while (at.to.values.length === 0 && at.to.terminator?.kind === "jump") {
    at = { from: at.to, to: at.to.terminator.target };
  }
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

export function findPair(graph: Graph, unrolled: Block): Pair | undefined {
  const out = wayOut(unrolled);
  const before = branchBefore(unrolled);
  if (!out || !before || unrolled.preds.length !== 2) return undefined;
  const { branch: middle, between, enters } = before;
  const t = middle.terminator;
  if (t?.kind !== "branch" || middle.preds.length !== 2) return undefined;
  const end = pastEmpty(middle, enters ? t.no : t.yes).to;
  if (pastEmpty(unrolled, out.out).to !== end || end === middle) return undefined;
  // The loop in front of the middle.
  const single = graph.order.find(
    (b) => wayOut(b) && b !== unrolled && pastEmpty(b, wayOut(b)?.out as Block).to === middle,
  );
  const first = single && single.preds.length === 2 && branchBefore(single);
  if (!single || !first) return undefined;
  const g = first.branch.terminator;
  const way = wayOut(single);
  if (g?.kind !== "branch" || !way) return undefined;
  if (pastEmpty(first.branch, first.enters ? g.no : g.yes).to !== middle) return undefined;
  const counted = countedDown(single, way.cond, way.stay);
  if (!counted) return undefined;
  const { counter, init } = counted;
  const [total, mask] = init.args;
  if (init.op !== "i32_and" || mask.op !== "const") return undefined;
  const times = mask.imm + 1;
  if (times < 2 || times > 16 || (times & (times - 1)) !== 0) return undefined;
  if (!isZeroTest(g.cond, init, !first.enters)) return undefined;
  const pair: Pair = {
    guard: first.branch,
    skipSingle: !first.enters,
    single,
    counter,
    total,
    middle,
    skipUnrolled: !enters,
    between,
    unrolled,
    times,
    end,
  };
  return goesOn(t.cond, !enters, pair) ? pair : undefined;
}

/** The phi that a loop counts down to zero by ones, and what it begins with. */
function countedDown(
  loop: Block,
  cond: Value,
  stay: boolean,
): { counter: Value; init: Value } | undefined {
  for (const counter of phisOf(loop)) {
    const c = counterOf(loop, counter);
    if (c?.step !== -1n || counter.type !== I32) continue;
    if (isZeroTest(cond, ends(loop, counter).next, !stay)) return { counter, init: c.init };
  }
  return undefined;
}

/** Whether a condition is `is` exactly where a value is zero. */
export function isZeroTest(cond: Value, v: Value, is: boolean): boolean {
  const [a, b] = cond.args;
  if (cond.op === "i32_eqz") return is && a === v;
  const op = is ? "i32_eq" : "i32_ne";
  return cond.op === op && a === v && b.op === "const" && b.imm === 0;
}

/** Whether the middle's branch skips the unrolled loop exactly where `total`, not 0, is less than `times`. */
function goesOn(cond: Value, skip: boolean, { total, times }: Pair): boolean {
  const [a, b] = cond.args;
  if (b?.op !== "const" || a.type !== I32) return false;
  const more = difference(I32, plainSum(a), plainSum(total)); // a = total + more
  if (more !== 0n && more !== -1n) return false;
  const least = BigInt(times) + more; // of a, where there are more rounds
  const c = BigInt(b.imm >>> 0);
  switch (cond.op) {
    case "i32_lt_u":
      return skip && c === least;
    case "i32_ge_u":
      return !skip && c === least;
    case "i32_gt_u":
      return !skip && c === least - 1n;
    case "i32_le_u":
      return skip && c === least - 1n;
  }
  return false;
}

/** Whether a block's end leads to `to`'s block over blocks that only jump, seen from the far side. */
export function pastEmptyBack(from: Block, to: Block): boolean {
  let at = from;
  while (at !== to && at.values.length === 0 && at.preds.length === 1) at = at.preds[0];
  return at === to;
}
