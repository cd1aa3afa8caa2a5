import type { Graph } from "../analysis/graph.ts";
import { terminatorValues } from "../emit/locals.ts";
import { type Block, hasEffect, I32, I64, isPure, type Value } from "../ir/ir.ts";
import { combine, constantOf, difference, plainSum, type Sum, sumOf } from "./sums.ts";
import {
  type Counter,
  counterOf,
  ends,
  isZeroTest,
  type Pair,
  pastEmptyBack,
  phisOf,
  wayOut,
} from "./unrolled.ts";

/** The values of two loops as texts: equal ones are the same operations on the same operands. */
export class Copies {
  private readonly graph: Graph;
  private readonly pair: Pair;
  private readonly names = new Map<string, string>();
  /** How the unrolled loop's phis go on from the single one's: phi and what is to be added. */
  private readonly origins = new Map<Value, { phi: Value; plus: bigint }>();
  private readonly counters = new Map<Value, Counter>();
  private readonly known = new Map<string, string>();

  constructor(graph: Graph, pair: Pair) {
    this.graph = graph;
    this.pair = pair;
    for (const loop of [pair.single, pair.unrolled]) {
      for (const phi of phisOf(loop)) {
        const c = counterOf(loop, phi);
        if (c) this.counters.set(phi, c);
      }
    }
  }

  same(): boolean {
    const { single, unrolled, first, second, middle, times, end } = this.pair;
    if (![single, unrolled].every(onlyReads)) return false;
    if (!this.endsTogether() || !this.phisGoOn() || !this.keptInside()) return false;
    const checks = (b: Block) => b.values.filter((v) => v.op === "check");
    const wanted = new Set<string>();
    for (let k = 0; k < times; k++) for (const c of checks(single)) wanted.add(this.name(c, k));
    const has = new Set(checks(unrolled).map((c) => this.name(c, -1)));
    if (wanted.size !== has.size || [...wanted].some((x) => !has.has(x))) return false;
    // What comes out of either loop.
    const from = (b: Block) => end.preds.findIndex((p) => pastEmptyBack(p, b));
    const [short, long] = [from(middle), from(second)];
    if (short < 0 || long < 0 || short === long) return false;
    return phisOf(end).every((phi) => {
      const [a, b] = [phi.args[short], phi.args[long]];
      if (sameValue(a, b)) return !this.isInside(a);
      const over = this.throughMiddle(a);
      if (!over) return false;
      const ofFirst = ends(first, over).next;
      const [one, all] = first === single ? [ofFirst, b] : [b, ofFirst];
      return this.name(one, times - 1) === this.name(all, -1);
    });
  }

  /** The first loop's phi whose last value a phi of the middle has. */
  private throughMiddle(v: Value): Value | undefined {
    const { middle, first } = this.pair;
    if (v.op !== "phi" || !middle.values.includes(v)) return undefined;
    const inner = middle.preds.findIndex((p) => pastEmptyBack(p, first));
    return phisOf(first).find((phi) => {
      const { init, next } = ends(first, phi);
      return v.args[inner] === next && sameValue(v.args[1 - inner], init);
    });
  }

  /** Whether the unrolled loop ends where `total` rounds have been made, of which there is one at least. */
  private endsTogether(): boolean {
    const { unrolled, rest, total, times } = this.pair;
    const { type } = total;
    const way = wayOut(unrolled) as { stay: boolean; cond: Value };
    const [end, bound] = way.cond.args;
    const relation = way.cond.op.replace(/^i(32|64)_/, "");
    for (const phi of phisOf(unrolled)) {
      const c = this.counters.get(phi);
      if (!c || phi.type !== type || end !== ends(unrolled, phi).next) continue;
      // Counted down to zero from the rounds that the single loop doesn't make.
      if (isZeroTest(way.cond, end, !way.stay) && c.step === BigInt(-times)) {
        const left = combine(type, this.plain(total), this.plain(rest), -1n);
        if (difference(type, this.plain(c.init), left) === 0n && this.atLeastOne()) return true;
      }
      // Counted up to a bound from where the single rounds have come to.
      const over = unrolled === this.pair.second ? this.throughMiddle(c.init) : undefined;
      const from = over && this.counters.get(over);
      if (c.step !== BigInt(times) || from?.step !== 1n || !bound || this.isInside(bound)) continue;
      const length = combine(type, this.plain(bound), this.plain(from.init), -1n);
      if (difference(type, length, this.plain(total)) !== 0n) continue;
      const less = /^(lt|ge)_([su])$/.exec(relation);
      if (less && (less[1] === "lt") === way.stay && this.isLess(from.init, bound, less[2])) {
        return true;
      }
      const not = relation === "ne" ? way.stay : relation === "eq" && !way.stay;
      if (not && ["s", "u"].some((signs) => this.isLess(from.init, bound, signs))) return true;
    }
    return false;
  }

  /** A value as a sum, where the larger of two is one of them if a branch before has found so. */
  private plain(v: Value): Sum<Value> {
    return sumOf<Value>(
      v,
      (x) => (x.op === "select" ? this.largest(x) : undefined),
      (x) => x,
    );
  }

  /** `max(x, y + 1)` is x where y < x: what a loop of one round at least is counted by. */
  private largest({ type, args: [cond, x, y] }: Value): Sum<Value> | undefined {
    const m = /^i(32|64)_(gt|ge)_([su])$/.exec(cond.op);
    if (!m || cond.args[0] !== x || cond.args[1] !== y) return undefined;
    const [larger, least] = [plainSum(x), plainSum(y)];
    const one: Sum<Value> = { terms: new Map(), constant: 1n };
    const found = this.holdsBefore((op, a, b) => {
      if (op !== `i${m[1]}_lt_${m[3]}` || difference(type, plainSum(b), larger) !== 0n)
        return false;
      return difference(type, combine(type, plainSum(a), one, 1n), least) === 0n;
    });
    return found ? larger : undefined;
  }

  /** Whether a branch before has found a < b. */
  private isLess(a: Value, b: Value, signs: string): boolean {
    const { type } = a;
    return this.holdsBefore((op, x, y) => {
      if (!op.endsWith(`lt_${signs}`) || x.type !== type) return false;
      return (
        difference(type, plainSum(x), plainSum(a)) === 0n &&
        difference(type, plainSum(y), plainSum(b)) === 0n
      );
    });
  }

  /** Whether a branch before has found that the rounds, as a signed or an unsigned number, are one or more. */
  private atLeastOne(): boolean {
    const { type } = this.pair.total;
    const total = this.plain(this.pair.total);
    const is = (v: Sum<Value>) => difference(type, v, total) === 0n;
    const isZero = (v: Value) => v.op === "const" && constantOf(v) === 0n;
    return this.holdsBefore((op, x, y) => {
      if (x.type !== type) return false;
      if (op.endsWith("ne") && is(plainSum(x)) && isZero(y)) return true;
      if (is(plainSum(y)) && isZero(x)) return true; // 0 < rounds
      return is(combine(type, plainSum(y), plainSum(x), -1n)); // rounds = y - x, and y is another one
    });
  }

  /** Whether `is` holds for a comparison that decided the way to the guard, written as a < b or a ≠ b. */
  private holdsBefore(is: (op: string, a: Value, b: Value) => boolean): boolean {
    const { graph } = this;
    let k = graph.index.get(this.pair.guard) as number;
    for (; k !== 0; k = graph.idom[k]) {
      const to = graph.order[k];
      const t = graph.order[graph.idom[k]].terminator;
      if (t?.kind !== "branch" || t.yes === t.no || to.preds.length !== 1) continue;
      if (asLess(t.cond, t.yes === to, is)) return true;
    }
    return false;
  }

  /** Finds for each of the second loop's phis the first one's that it goes on from. */
  private phisGoOn(): boolean {
    const { single, unrolled, second, counter } = this.pair;
    for (const phi of phisOf(second)) {
      if (phi === counter) continue;
      const found = this.goesOnFrom(phi);
      if (!found && second === single) return false;
      if (!found) continue;
      const { of, plus } = found;
      if (second === unrolled) this.origins.set(phi, { phi: of, plus });
      else this.origins.set(of, { phi, plus: -plus });
    }
    // The others only count rounds: nothing else may use them.
    return phisOf(unrolled).every((phi) => this.origins.has(phi) || this.countsOnly(phi));
  }

  /** The first loop's phi that a second one's goes on from, and what is added in between. */
  private goesOnFrom(phi: Value): { of: Value; plus: bigint } | undefined {
    const { first, second, single, times } = this.pair;
    const { init } = ends(second, phi);
    const own = this.counters.get(phi);
    const inStep = (c: Counter) => {
      const [one, all] = first === single ? [c, own] : [own, c];
      return one !== undefined && all?.step === one.step * BigInt(times);
    };
    const direct = this.throughMiddle(init);
    if (direct) {
      const other = this.counters.get(direct);
      const fits = other ? inStep(other) : own === undefined;
      return fits ? { of: direct, plus: 0n } : undefined;
    }
    for (const of of own ? phisOf(first) : []) {
      const c = this.counters.get(of);
      if (!c || of.type !== phi.type || !inStep(c)) continue;
      const plus = this.ahead(init, of, c);
      if (plus !== undefined) return { of, plus };
    }
    return undefined;
  }

  private countsOnly(phi: Value): boolean {
    const { unrolled } = this.pair;
    const { next } = ends(unrolled, phi);
    const { cond } = wayOut(unrolled) as { cond: Value };
    const users = (v: Value) => unrolled.values.filter((u) => u.args.includes(v));
    const path = new Set([phi, next, cond]);
    return [phi, next].every((v) => users(v).every((u) => path.has(u)));
  }

  /** By how much `init` is ahead of what a counter of the first loop has come to in the middle. */
  private ahead(init: Value, phi: Value, c: Counter): bigint | undefined {
    const { type } = phi;
    // Sums of what the middle's phis are made of: the counter itself, or an index that went on with it.
    const reached = new Map<Value, Value>();
    for (const v of phisOf(this.pair.middle)) {
      const over = this.throughMiddle(v);
      if (over) reached.set(v, over);
    }
    const sum = plainSum(init);
    for (const [v, n] of sum.terms) {
      if (reached.get(v) === phi && n === 1n) {
        sum.terms.delete(v);
        return sum.terms.size === 0 ? sum.constant : undefined;
      }
      const signs = /^i64_extend_i32_([su])$/.exec(v.op)?.[1];
      const index = reached.get(signs ? v.args[0] : v);
      const from = index && this.counters.get(index);
      if (!from || n * from.step !== c.step) continue;
      if (signs && !this.staysBelow(from.init, signs)) continue;
      // The same sum, of where the index began.
      const begin = plainSum(c.init);
      sum.terms.delete(v);
      let start = plainSum(from.init);
      if (signs) {
        const isStart = (x: Value) => x.op === v.op && x.args[0] === from.init;
        const first = [...begin.terms.keys()].find(isStart);
        if (!first) continue;
        start = { terms: new Map([[first, 1n]]), constant: 0n };
      }
      return difference(type, combine(type, sum, start, n), begin);
    }
    return undefined;
  }

  /** Whether an index that begins with `init` was less than what it will have come to in the end: it doesn't wrap. */
  private staysBelow(init: Value, signs: string): boolean {
    const { total } = this.pair;
    if (total.type !== I32) return false;
    const end = combine(I32, this.plain(total), plainSum(init), 1n);
    return this.holdsBefore((op, a, b) => {
      if (op !== `i32_lt_${signs}` || difference(I32, plainSum(b), end) !== 0n) return false;
      return difference(I32, plainSum(a), plainSum(init)) === 0n;
    });
  }

  /** Whether nothing but what the loops leave at the end looks at what will have changed. */
  private keptInside(): boolean {
    const { middle, between, first, second, end } = this.pair;
    const own = new Set([middle, ...between, second]);
    const changed = new Set<Value>(phisOf(middle));
    for (const b of own) {
      for (const v of b.values) {
        if (hasEffect(v) && b !== second) return false;
        if (b === second || v.args.some((a) => changed.has(a))) changed.add(v);
      }
    }
    const inFirst = new Set(first.values);
    for (const b of this.graph.order) {
      if (own.has(b)) continue;
      for (const v of b.values) {
        for (const [k, a] of v.args.entries()) {
          if (inFirst.has(a) && b !== first) return false;
          if (!changed.has(a)) continue;
          const from = v.op === "phi" && b === end ? b.preds[k] : undefined;
          if (!from || ![...own].some((p) => pastEmptyBack(from, p))) return false;
        }
      }
      const last = terminatorValues(b);
      if (last.some((v) => changed.has(v) || (inFirst.has(v) && b !== first))) return false;
    }
    return true;
  }

  private isInside(v: Value): boolean {
    const { middle, between, single, unrolled } = this.pair;
    return [middle, ...between, single, unrolled].some((b) => b.values.includes(v));
  }

  /** The text of a value of the single loop in its k-th of `times` rounds; of the unrolled loop for k = -1. */
  private name(v: Value, k: number): string {
    const loop = k < 0 ? this.pair.unrolled : this.pair.single;
    if (v.op === "const") return `${v.type} ${constantText(v)}`;
    if (!loop.values.includes(v)) return `v${v.id}`;
    if (v.op === "phi" && v.type !== I32 && v.type !== I64) {
      if (k < 0) return `s${this.origins.get(v)?.phi.id}`;
      return k === 0 ? `s${v.id}` : this.name(ends(this.pair.single, v).next, k - 1);
    }
    const key = `${v.id} ${k}`;
    let name = this.known.get(key);
    if (name === undefined) {
      name = this.newName(v, k);
      this.known.set(key, name);
    }
    return name;
  }

  private newName(v: Value, k: number): string {
    if (v.type === I32 || v.type === I64) {
      const sum = this.sum(v, k, "itself");
      const [[term, times] = ["", 0n]] = sum.terms;
      if (sum.constant !== 0n || sum.terms.size !== 1 || times !== 1n) {
        return this.intern(`${v.type} ${textOf(sum)}`);
      }
      if (term !== "itself") return term; // it is another value
    }
    return this.intern(this.operation(v, k));
  }

  /** An integer as a sum of texts; `self` is what it is called if it is no sum. */
  private sum(v: Value, k: number, self?: string): Sum<string> {
    return sumOf<string>(
      v,
      (x) => this.phiSum(x, k),
      (x) => (x === v && self) || this.name(x, k),
    );
  }

  /** A phi of the single loop as it is in its k-th round, of the unrolled one as what it goes on from. */
  private phiSum(v: Value, k: number): Sum<string> | undefined {
    const { single, unrolled } = this.pair;
    if (v.op !== "phi" || !(k < 0 ? unrolled : single).values.includes(v)) return undefined;
    const own = k < 0 ? this.origins.get(v) : { phi: v, plus: 0n };
    if (!own) return undefined; // it counts the rounds, and nothing else
    const begin: Sum<string> = { terms: new Map([[`s${own.phi.id}`, 1n]]), constant: own.plus };
    if (k <= 0) return begin;
    const c = this.counters.get(v);
    if (!c) return this.sum(ends(single, v).next, k - 1);
    begin.constant = c.step * BigInt(k);
    return begin;
  }

  private operation(v: Value, k: number): string {
    const { offset = 0, site: _, ...aux } = v.aux;
    if (v.op === "check" || (v.op === "load" && v.args[0].op === "check")) {
      const check = v.op === "check" ? v : v.args[0];
      const address = check.args[0];
      const at = combine(
        address.type,
        this.sum(address, k),
        { terms: new Map(), constant: BigInt(offset) },
        1n,
      );
      return `${v.op} ${v.type} ${JSON.stringify(aux)} ${check.aux.space} [${textOf(at)}]`;
    }
    const args = v.args.map((a) => this.name(a, k)).join(" ");
    return `${v.op} ${v.type} ${v.imm} ${v.big} ${offset} ${JSON.stringify(aux)} (${args})`;
  }

  private intern(text: string): string {
    let name = this.names.get(text);
    if (name === undefined) {
      name = `n${this.names.size}`;
      this.names.set(text, name);
    }
    return name;
  }
}

const textOf = ({ terms, constant }: Sum<string>) => {
  const products = [...terms].map(([name, n]) => `${n}*${name}`).sort();
  return [...products, constant].join(" + ");
};
const constantText = (v: Value) => `${v.imm} ${v.big}`;
const sameValue = (a: Value, b: Value) =>
  a === b ||
  (a.op === "const" &&
    b.op === "const" &&
    a.type === b.type &&
    constantText(a) === constantText(b));

/** Whether a loop's round changes nothing but its own values, and may be left by a fault only. */
function onlyReads(loop: Block): boolean {
  return loop.values.every((v) => {
    if (v.op === "phi" || v.op === "check") return true;
    if (v.op === "load") return v.aux.ordered !== true;
    return isPure(v) && !hasEffect(v);
  });
}

/** Asks about a comparison, and its outcome, in the form a < b, or a ≠ b. */
function asLess(
  cond: Value,
  holds: boolean,
  is: (op: string, a: Value, b: Value) => boolean,
): boolean {
  const [a, b] = cond.args;
  const m = /^(i32|i64)_(lt|gt|le|ge)_([su])$/.exec(cond.op);
  if (!m) {
    const test = holds ? /^(i32|i64)_ne$/ : /^(i32|i64)_eq$/;
    const type = test.exec(cond.op)?.[1];
    return type !== undefined && is(`${type}_ne`, a, b);
  }
  const [, type, relation, signs] = m;
  const op = `${type}_lt_${signs}`;
  if (relation === "lt" && holds) return is(op, a, b);
  if (relation === "gt" && holds) return is(op, b, a);
  if (relation === "le" && !holds) return is(op, b, a);
  if (relation === "ge" && !holds) return is(op, a, b);
  return false;
}
