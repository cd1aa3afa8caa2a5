import { type Block, NONE, type Region, Value } from "../ir/ir.ts";
import type { Divergence } from "./divergence.ts";
import { endValues } from "./divergence.ts";
import { UNIFORM, uniform, VARYING, varying } from "./shapes.ts";

/** Operations whose operands may be taken in any order, with the same bits. */
const ANY_ORDER = /^(i32|i64)_(add|xor|and|or)$/;

/**
 * Adds up what is summed in the order in which the terms are there: a chain `((late + a) + b) + c` has the
 * late term wait three more times, which is what takes the time where rounds build on each other (hashes).
 * The same for `xor`, `and` and `or`. Sums that would not be there earlier stay as they are.
 */
export function balanceSums(region: Region, d: Divergence): void {
  const uses = new Map<Value, number>();
  const use = (v: Value) => uses.set(v, (uses.get(v) ?? 0) + 1);
  for (const b of region.blocks) {
    for (const v of b.values) v.args.forEach(use);
    endValues(b).forEach(use);
  }
  for (const b of region.blocks) balanceBlock(b, d, uses);
}

function balanceBlock(block: Block, d: Divergence, uses: ReadonlyMap<Value, number>): void {
  const own = new Set(block.values);
  const isTerm = (v: Value, op: string) =>
    v.op === op && own.has(v) && uses.get(v) === 1 && d.of(v).kind === VARYING;
  /** Sums that are part of a larger one. */
  const parts = new Set<Value>();
  for (const v of block.values) {
    if (ANY_ORDER.test(v.op) && d.of(v).kind === VARYING)
      for (const a of v.args) if (isTerm(a, v.op)) parts.add(a);
  }
  const ready = new Map<Value, number>();
  const at = (v: Value) => ready.get(v) ?? 0;
  const dropped = new Set<Value>();
  const result: Value[] = [];
  for (const v of block.values) {
    const isSum = ANY_ORDER.test(v.op) && d.of(v).kind === VARYING && !parts.has(v);
    if (isSum && v.args.some((a) => parts.has(a))) {
      const own = termsOf(v, parts);
      const added = add(v, own.terms, d, at);
      if (added) {
        for (const p of own.parts) dropped.add(p);
        for (const sum of added) {
          ready.set(sum, Math.max(...sum.args.map(at)) + latency(sum, d));
          result.push(sum);
        }
      }
    }
    if (v.type !== NONE) ready.set(v, Math.max(0, ...v.args.map(at)) + latency(v, d));
    result.push(v);
  }
  if (dropped.size > 0) block.values = result.filter((v) => !dropped.has(v));
}

/** What a sum adds up in the end, and the sums that are in between. */
function termsOf(sum: Value, parts: ReadonlySet<Value>): { terms: Value[]; parts: Value[] } {
  const found = { terms: [] as Value[], parts: [] as Value[] };
  const work = [...sum.args].reverse();
  for (let v = work.pop(); v; v = work.pop()) {
    if (!parts.has(v) || v.op !== sum.op) found.terms.push(v);
    else {
      found.parts.push(v);
      work.push(...[...v.args].reverse());
    }
  }
  return found;
}

/** The sums in between that make a sum earlier, or undefined; the sum itself gets its operands. */
function add(
  sum: Value,
  terms: Value[],
  d: Divergence,
  at: (v: Value) => number,
): Value[] | undefined {
  const time = latency(sum, d);
  const before = Math.max(...sum.args.map(at));
  const made: Value[] = [];
  const times = new Map<Value, number>();
  const when = (v: Value) => times.get(v) ?? at(v);
  const rest = [...terms];
  /** Takes the earliest term; scalars first, which stay scalars among themselves. */
  const take = () => {
    let best = 0;
    rest.forEach((v, k) => {
      const [x, y] = [v, rest[best]].map((t) => (d.of(t).kind === UNIFORM ? -1 : when(t)));
      if (x < y) best = k;
    });
    return rest.splice(best, 1)[0];
  };
  while (rest.length > 2) {
    const pair = [take(), take()];
    const part = new Value(sum.op, sum.type, pair);
    const scalars = pair.every((v) => d.of(v).kind === UNIFORM);
    times.set(part, Math.max(...pair.map(when)) + (scalars ? 1 : time));
    made.push(part);
    d.shapes.set(part, scalars ? uniform : varying);
    rest.push(part);
  }
  if (Math.max(...rest.map(when)) >= before) {
    for (const part of made) d.shapes.delete(part);
    return undefined;
  }
  sum.args = rest;
  return made;
}

/** Cycles until a result is there, as processors of these years have it for vectors. */
function latency(v: Value, d: Divergence): number {
  if (v.op === "const" || v.op === "phi") return 0;
  if (d.of(v).kind !== VARYING) return 1;
  if (/^(load|reload|result)$/.test(v.op)) return 7;
  if (/_(div|sqrt|rem)/.test(v.op) || v.op === "lib") return 12;
  if (/_rot[lr]$/.test(v.op)) return 5;
  return /^[if](32|64)_(mul|fma)|^f/.test(v.op) ? 3 : 2;
}
