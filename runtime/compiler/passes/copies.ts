import type { Graph } from "../analysis/graph.ts";
import { terminatorValues } from "../emit/locals.ts";
import { type Block, hasEffect, I32, I64, isPure, type Value } from "../ir/ir.ts";
import { combine, difference, plainSum, type Sum, sumOf } from "./sums.ts";
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
    const { single, unrolled, times, end } = this.pair;
    if (![single, unrolled].every(onlyReads)) return false;
    if (!this.endsTogether() || !this.phisGoOn() || !this.keptInside()) return false;
    const checks = (b: Block) => b.values.filter((v) => v.op === "check");
    const wanted = new Set<string>();
    for (let k = 0; k < times; k++) for (const c of checks(single)) wanted.add(this.name(c, k));
    const has = new Set(checks(unrolled).map((c) => this.name(c, -1)));
    if (wanted.size !== has.size || [...wanted].some((x) => !has.has(x))) return false;
    // What comes out of either loop.
    const from = (b: Block) => end.preds.findIndex((p) => pastEmptyBack(p, b));
    const [short, long] = [from(this.pair.middle), from(unrolled)];
    if (short < 0 || long < 0 || short === long) return false;
    return phisOf(end).every((phi) => {
      const [a, b] = [phi.args[short], phi.args[long]];
      if (sameValue(a, b)) return !this.isInside(a);
      const over = this.throughMiddle(a);
      return (
        over !== undefined && this.name(ends(single, over).next, times - 1) === this.name(b, -1)
      );
    });
  }

  /** The single loop's phi whose last value a phi of the middle has. */
  private throughMiddle(v: Value): Value | undefined {
    const { middle, single } = this.pair;
    if (v.op !== "phi" || !middle.values.includes(v)) return undefined;
    const inner = middle.preds.findIndex((p) => pastEmptyBack(p, single));
    return phisOf(single).find((phi) => {
      const { init, next } = ends(single, phi);
      return v.args[inner] === next && sameValue(v.args[1 - inner], init);
    });
  }

  /** Whether the unrolled loop ends where `total` rounds have been made, of which there is one at least. */
  private endsTogether(): boolean {
    const { unrolled, total, times } = this.pair;
    const way = wayOut(unrolled) as { stay: boolean; cond: Value };
    const { op, args } = way.cond;
    for (const phi of phisOf(unrolled)) {
      const c = this.counters.get(phi);
      if (!c || phi.type !== I32 || args[0] !== ends(unrolled, phi).next) continue;
      const bound = args[1];
      // Counted down to zero from the rounds that are left.
      if (isZeroTest(way.cond, args[0], !way.stay) && c.step === BigInt(-times)) {
        const first = ends(this.pair.single, this.pair.counter).init;
        const left = combine(I32, plainSum(total), plainSum(first), -1n);
        if (difference(I32, plainSum(c.init), left) === 0n && this.atLeastOne()) return true;
      }
      // Counted up to a bound from where the single rounds have come to.
      const over = this.throughMiddle(c.init);
      const from = over && this.counters.get(over);
      if (c.step !== BigInt(times) || from?.step !== 1n || !bound || this.isInside(bound)) continue;
      const length = combine(I32, plainSum(bound), plainSum(from.init), -1n);
      if (difference(I32, length, plainSum(total)) !== 0n) continue;
      const ways = { i32_lt_s: "s", i32_ge_s: "s", i32_lt_u: "u", i32_ge_u: "u" } as const;
      const less = ways[op as keyof typeof ways];
      if (less && op.includes("lt") === way.stay && this.isLess(from.init, bound, less))
        return true;
      const not = op === "i32_ne" ? way.stay : op === "i32_eq" && !way.stay;
      if (not && (["s", "u"] as const).some((x) => this.isLess(from.init, bound, x))) return true;
    }
    return false;
  }

  /** Whether a branch before has found a < b. */
  private isLess(a: Value, b: Value, signs: "s" | "u"): boolean {
    return this.holdsBefore((op, x, y) => {
      if (op !== `i32_lt_${signs}`) return false;
      return (
        difference(I32, plainSum(x), plainSum(a)) === 0n &&
        difference(I32, plainSum(y), plainSum(b)) === 0n
      );
    });
  }

  /** Whether a branch before has found that the rounds, as a signed or an unsigned number, are one or more. */
  private atLeastOne(): boolean {
    const total = plainSum(this.pair.total);
    const is = (v: Sum<Value>) => difference(I32, v, total) === 0n;
    return this.holdsBefore((op, x, y) => {
      if (op === "i32_ne" && is(plainSum(x)) && y.op === "const" && y.imm === 0) return true;
      if (is(plainSum(y)) && x.op === "const" && x.imm === 0) return true; // 0 < rounds
      return is(combine(I32, plainSum(y), plainSum(x), -1n)); // rounds = y - x, and y is another one
    });
  }

  /** Whether `is` holds for a comparison that decided the way to the first loop, written as a < b or a ≠ b. */
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

  /** Finds for each of the unrolled loop's phis the single one's that it goes on from. */
  private phisGoOn(): boolean {
    const { single, unrolled, times } = this.pair;
    return phisOf(unrolled).every((phi) => {
      const { init } = ends(unrolled, phi);
      const direct = this.throughMiddle(init);
      const own = this.counters.get(phi);
      if (direct) {
        const other = this.counters.get(direct);
        if (Boolean(own) !== Boolean(other)) return false;
        if (own && other && own.step !== other.step * BigInt(times)) return false;
        this.origins.set(phi, { phi: direct, plus: 0n });
        return true;
      }
      if (!own) return false;
      for (const other of phisOf(single)) {
        const c = this.counters.get(other);
        if (!c || other.type !== phi.type || own.step !== c.step * BigInt(times)) continue;
        const plus = this.ahead(init, other, c);
        if (plus === undefined) continue;
        this.origins.set(phi, { phi: other, plus });
        return true;
      }
      // It only counts rounds: nothing else may use it.
      return this.countsOnly(phi);
    });
  }

  private countsOnly(phi: Value): boolean {
    const { unrolled } = this.pair;
    const { next } = ends(unrolled, phi);
    const { cond } = wayOut(unrolled) as { cond: Value };
    const users = (v: Value) => unrolled.values.filter((u) => u.args.includes(v));
    const path = new Set([phi, next, cond]);
    return [phi, next].every((v) => users(v).every((u) => path.has(u)));
  }

  /** By how much `init` is ahead of what a counter of the single loop has come to in the middle. */
  private ahead(init: Value, phi: Value, c: Counter): bigint | undefined {
    const { middle } = this.pair;
    // Sums of what the middle's phis are made of: the counter's start, and an index that went on with it.
    const reached = new Map<Value, Value>();
    for (const v of phisOf(middle)) {
      const over = this.throughMiddle(v);
      if (over) reached.set(v, over);
    }
    const leaf = (v: Value) => v;
    const sum = sumOf<Value>(init, () => undefined, leaf);
    const begin = sumOf<Value>(c.init, () => undefined, leaf);
    for (const [v, n] of sum.terms) {
      if (reached.get(v) === phi && n === 1n) {
        sum.terms.delete(v);
        return sum.terms.size === 0 ? sum.constant : undefined;
      }
      const signs = /^i64_extend_i32_([su])$/.exec(v.op)?.[1];
      const index = signs ? reached.get(v.args[0]) : undefined;
      const from = index && this.counters.get(index);
      if (from?.step !== 1n || n !== c.step || !this.staysBelow(from.init, signs as "s" | "u"))
        continue;
      const first = [...begin.terms.keys()].find((x) => x.op === v.op && x.args[0] === from.init);
      if (!first || begin.terms.get(first) !== n) continue;
      sum.terms.delete(v);
      begin.terms.delete(first);
      return difference(phi.type, sum, begin);
    }
    return undefined;
  }

  /** Whether an index that begins with `init` was less than what it will have come to in the end: it doesn't wrap. */
  private staysBelow(init: Value, signs: "s" | "u"): boolean {
    const end = combine(I32, plainSum(this.pair.total), plainSum(init), 1n);
    return this.holdsBefore((op, a, b) => {
      if (op !== `i32_lt_${signs}` || difference(I32, plainSum(b), end) !== 0n) return false;
      return difference(I32, plainSum(a), plainSum(init)) === 0n;
    });
  }

  /** Whether nothing but what the loops leave at the end looks at what will have changed. */
  private keptInside(): boolean {
    const { middle, between, unrolled, end, single } = this.pair;
    const own = new Set([middle, ...between, unrolled]);
    const changed = new Set<Value>(phisOf(middle));
    for (const b of own) {
      for (const v of b.values) {
        if (hasEffect(v) && b !== unrolled) return false;
        if (b === unrolled || v.args.some((a) => changed.has(a))) changed.add(v);
      }
    }
    const inSingle = new Set(single.values);
    for (const b of this.graph.order) {
      if (own.has(b)) continue;
      for (const v of b.values) {
        for (const [k, a] of v.args.entries()) {
          if (inSingle.has(a) && b !== single) return false;
          if (!changed.has(a)) continue;
          const from = v.op === "phi" && b === end ? b.preds[k] : undefined;
          if (!from || ![...own].some((p) => pastEmptyBack(from, p))) return false;
        }
      }
      if (terminatorValues(b).some((v) => changed.has(v) || (inSingle.has(v) && b !== single)))
        return false;
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
  const m = /^i32_(lt|gt|le|ge)_([su])$/.exec(cond.op);
  if (!m) {
    if (cond.op === (holds ? "i32_ne" : "i32_eq")) return is("i32_ne", a, b);
    return false;
  }
  const [, relation, signs] = m;
  const op = `i32_lt_${signs}`;
  if (relation === "lt" && holds) return is(op, a, b);
  if (relation === "gt" && holds) return is(op, b, a);
  if (relation === "le" && !holds) return is(op, b, a);
  if (relation === "ge" && !holds) return is(op, a, b);
  return false;
}
