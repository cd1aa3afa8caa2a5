import type { Graph } from "../analysis/graph.ts";
import { type Block, hasEffect, I1, I32, I64, isPure, type Value } from "../ir/ir.ts";
import { NEGATED } from "../passes/fold.ts";
import { BlockValues } from "./block-values.ts";

// A group whose lanes store under a mask may write four words at once, those of inactive lanes as they
// were, only if nobody else writes these meanwhile: what is stored there between the load and the store
// would be lost. That holds if each thread of the grid stores to words of its own. Let
//
//     A(t) = base + Σ stride[k] × digit[k](t)
//
// be the address that thread t stores to, where the digits number the threads of the grid: each thread has
// a combination of its own. If the strides, in ascending order, are such that each is at least as large
// as what all digits below it come to, and the lowest at least as large as a store, then no two threads'
// stores overlap. Where a thread stores to several places, the distances between these are further
// digits of two values. The words that a group writes under a mask are those that its own threads would
// store to; another thread never does, in whatever order blocks run, and the group's own threads do what
// they do one operation after the other. Digits, strides and base are the same for the whole launch.
//
// What else may write is outside of the launch (the host, a copy that is under way); where that may go
// is in the launch record, and the words of all threads have to lie elsewhere.

/** A 32-bit value as base + Σ factor × digit, modulo 2³², the same for the whole launch. */
interface Sum32 {
  base: Value;
  factors: Map<string, Value>;
}

/** A 64-bit value as base + Σ stride × digit, in exact arithmetic. */
interface Sum64 {
  base: Value;
  digits: Map<string, { stride: Value; span: Value }>;
  /** Strides and spans (stride × greatest digit) lie within ±2^bits. */
  bits: number;
  needs: Value[];
}

/** A guard that every store stands behind, and that all threads of the body pass. */
export interface Guard {
  cond: Value;
  wanted: boolean;
}

const MAX_BITS = 56;
/** Stores that a kernel may have. */
const MAX_STORES = 4;
const LAUNCH_REGISTER = /^(nctaid\.[xyz]|ntid\.[xyz]|heapBase|moduleBase|dynamicShared)$/;

/**
 * The stores to device memory of a kernel of one region, or undefined if it has effects there that are
 * not plain stores, or none.
 */
export function plainStores(
  blocks: readonly Block[],
): { block: Block; store: Value }[] | undefined {
  const stores: { block: Block; store: Value }[] = [];
  for (const block of blocks) {
    for (const v of block.values) {
      if (v.op === "store" && v.aux.space === "generic") stores.push({ block, store: v });
      else if (hasEffect(v) && !/^(check|load|store|fence)$/.test(v.op)) return undefined;
      if (v.op === "store" && (v.aux.ordered || v.aux.space === "local")) return undefined;
    }
  }
  return stores.length > 0 && stores.length <= MAX_STORES ? stores : undefined;
}

/** Whether every store comes behind the end of a block. */
export const allBehind = (graph: Graph, block: Block, stores: readonly { block: Block }[]) => {
  const at = graph.index.get(block) as number;
  return stores.every((s) => graph.dominates(at, graph.index.get(s.block) as number));
};

/**
 * Finds what has to be tested, once a launch, for every thread of it to store to addresses of its own.
 * @param stores all of the kernel's
 * @param prologue values of the block; those of the launch among them are used
 * @param block threads in x, y, z
 * @returns values in order, the last of which is the outcome (I1); undefined if that can't be told
 */
export function ownAddresses(
  stores: readonly Value[],
  guards: readonly Guard[],
  prologue: readonly Value[],
  block: readonly [number, number, number],
): { code: Value[]; outcome: Value } | undefined {
  const search = new Owned(prologue, block);
  const outcome = search.run(stores, guards);
  return outcome && { code: search.code, outcome };
}

class Owned extends BlockValues {
  private readonly block: readonly [number, number, number];
  private readonly launch = new Map<Value, Value | undefined>();
  private readonly sums = new Map<Value, Sum32 | undefined>();
  /** x & mask, where that is a digit: one for the whole kernel. */
  private mask: Value | undefined;
  /** Greatest index in x, of the threads that pass the guards. */
  private lastX: Value;
  private readonly needs: Value[] = [];

  constructor(prologue: readonly Value[], block: readonly [number, number, number]) {
    super(prologue);
    this.block = block;
    const blocks = this.make("i64_extend_i32_u", I64, this.register("nctaid.x", I32));
    const threads = this.make("i64_mul", I64, blocks, this.wide(BigInt(block[0])));
    this.needs.push(this.make("i64_le_u", I1, threads, this.wide(1n << 31n)));
    this.lastX = this.make("i64_sub", I64, threads, this.wide(1n));
  }

  run(stores: readonly Value[], guards: readonly Guard[]): Value | undefined {
    for (const { cond, wanted } of guards) this.limit(cond, wanted);
    this.needs.push(this.make("i64_ge_s", I1, this.lastX, this.wide(0n)));
    const sums: Sum64[] = [];
    for (const store of stores) {
      const [check] = store.args;
      const sum = check.op === "check" ? this.sum64(check.args[0]) : undefined;
      if (!sum) return undefined;
      const offset = this.wide(BigInt(store.aux.offset as number));
      sums.push({ ...sum, base: this.make("i64_add", I64, sum.base, offset) });
    }
    const [first, ...others] = sums;
    const digits = [...first.digits].map(([name, d]) => ({ ...d, last: this.last(name) }));
    const seen = [first];
    for (const sum of others) {
      if (!sameDigits(sum, first)) return undefined;
      if (seen.some((s) => same(s.base, sum.base))) continue;
      seen.push(sum);
      const delta = this.make("i64_sub", I64, sum.base, first.base);
      const negative = this.make("i64_lt_s", I1, delta, this.wide(0n));
      const opposite = this.make("i64_sub", I64, this.wide(0n), delta);
      const distance = this.make("select", I64, negative, opposite, delta);
      this.needs.push(this.make("i64_lt_u", I1, distance, this.wide(1n << 40n)));
      digits.push({ stride: distance, span: distance, last: this.wide(1n) });
    }
    if (!this.numbersThreads(first)) return undefined;
    const size = this.wide(BigInt(Math.max(...stores.map((s) => s.aux.size as number))));
    const needs = [...this.needs, ...sums.flatMap((s) => s.needs)];
    digits.forEach((a, k) => {
      needs.push(this.either([this.single(a), this.make("i64_ge_s", I1, a.stride, size)]));
      for (const b of digits.slice(k + 1)) {
        const below = [a, b].map(({ stride, span }, n) => {
          const end = this.make("i64_add", I64, stride, span);
          return this.make("i64_le_s", I1, end, [b, a][n].stride);
        });
        needs.push(this.either([this.single(a), this.single(b), ...below]));
      }
    });
    needs.push(...this.elsewhere(seen, first, size));
    if (needs.some((n) => n.op === "const" && n.imm === 0)) return undefined;
    return [...new Set(needs.filter((n) => n.op !== "const"))].reduce((a, b) =>
      this.make("and1", I1, a, b),
    );
  }

  private either(conditions: Value[]): Value {
    return conditions.reduce((a, b) => this.make("or1", I1, a, b));
  }

  private single({ last }: { last: Value }): Value {
    return this.make("i64_eqz", I1, last);
  }

  /** Nobody outside of the launch writes where its threads may. */
  private elsewhere(sums: readonly Sum64[], { digits }: Sum64, size: Value): Value[] {
    const quiet = this.make("i32_ne", I1, this.register("quiet", I32), this.word(0));
    const low = this.register("hostLow", I64);
    const high = this.register("hostHigh", I64);
    const span = [...digits.values()].reduce((n, d) => this.make("i64_add", I64, n, d.span), size);
    const outside = sums.map(({ base }) => {
      const end = this.make("i64_add", I64, base, span);
      const below = this.make("i64_le_u", I1, end, low);
      return this.either([below, this.make("i64_ge_u", I1, base, high)]);
    });
    return [quiet, ...outside];
  }

  /** Whether the digits tell all threads of the grid apart; what is left to be tested is noted. */
  private numbersThreads({ digits }: Sum64): boolean {
    const has = (name: string) => digits.has(name);
    if (!has("gtid.x") && !has("low")) return false;
    const [, y, z] = this.block;
    if ((y > 1 && !has("tid.y")) || (z > 1 && !has("tid.z"))) return false;
    for (const name of ["ctaid.y", "ctaid.z"]) {
      if (!has(name)) this.needs.push(this.single({ last: this.last(name) }));
    }
    return true;
  }

  /** A digit's greatest value (I64); of `high` the greatest multiple of the low digit's range. */
  private last(name: string): Value {
    const [, y, z] = this.block;
    if (name === "tid.y") return this.wide(BigInt(y - 1));
    if (name === "tid.z") return this.wide(BigInt(z - 1));
    if (name === "gtid.x") return this.lastX;
    if (name === "low" || name === "high") {
      const mask = this.make("i64_extend_i32_s", I64, this.mask as Value);
      const rest = this.make("i64_xor", I64, mask, this.wide(-1n));
      if (name === "high") return this.make("i64_and", I64, this.lastX, rest);
      const less = this.make("i64_lt_s", I1, mask, this.lastX);
      return this.make("select", I64, less, mask, this.lastX);
    }
    const blocks = this.register(`n${name}`, I32);
    const count = this.make("i64_extend_i32_u", I64, blocks);
    return this.make("i64_sub", I64, count, this.wide(1n));
  }

  /** Takes what a guard says of the greatest index in x. */
  private limit(cond: Value, wanted: boolean): void {
    if (cond.op === "not1") {
      this.limit(cond.args[0], !wanted);
      return;
    }
    if (cond.op === (wanted ? "and1" : "or1")) {
      for (const c of cond.args) this.limit(c, wanted);
      return;
    }
    const [, name, sign] = /^i32_(lt|le|gt|ge)_([su])$/.exec(cond.op) ?? [];
    if (!name) return;
    const op = wanted ? name : NEGATED[name];
    const below = op === "lt" || op === "le";
    const [index, other] = below ? cond.args : [cond.args[1], cond.args[0]];
    const bound = index.op === "sreg" && index.aux.name === "gtid.x" && this.ofLaunch(other);
    if (!bound) return;
    const wide = this.make(`i64_extend_i32_${sign}`, I64, bound);
    const strict = op === "lt" || op === "gt";
    const most = strict ? this.make("i64_sub", I64, wide, this.wide(1n)) : wide;
    const less = this.make("i64_lt_s", I1, most, this.lastX);
    this.lastX = this.make("select", I64, less, most, this.lastX);
  }

  /** The value, or one like it that is made anew, if it is the same for the whole launch. */
  private ofLaunch(v: Value): Value | undefined {
    if (v.op === "const") return v;
    if (!this.launch.has(v)) this.launch.set(v, this.findOfLaunch(v));
    return this.launch.get(v);
  }

  private findOfLaunch(v: Value): Value | undefined {
    if (v.op === "param") return this.isOwn(v) ? v : undefined;
    if (v.op === "sreg") {
      const name = v.aux.name as string;
      const k = ["ntid.x", "ntid.y", "ntid.z"].indexOf(name);
      if (k >= 0) return this.word(this.block[k]);
      return LAUNCH_REGISTER.test(name) ? this.register(name, v.type) : undefined;
    }
    if (!/^(i32|i64)_/.test(v.op) || /_(div|rem)_/.test(v.op) || !isPure(v)) return undefined;
    const args = v.args.map((a) => this.ofLaunch(a));
    return args.every((a) => a !== undefined) ? this.make(v.op, v.type, ...args) : undefined;
  }

  private sum32(v: Value): Sum32 | undefined {
    if (!this.sums.has(v)) this.sums.set(v, this.findSum32(v));
    return this.sums.get(v);
  }

  private findSum32(v: Value): Sum32 | undefined {
    const own = this.ofLaunch(v);
    if (own) return { base: own, factors: new Map() };
    const digit = (name: string) => ({
      base: this.word(0),
      factors: new Map([[name, this.word(1)]]),
    });
    if (v.op === "sreg") {
      const name = v.aux.name as string;
      return /^(gtid\.x|tid\.[yz]|ctaid\.[yz])$/.test(name) ? digit(name) : undefined;
    }
    const [a, b] = v.args;
    switch (v.op) {
      case "i32_add":
      case "i32_sub": {
        const [s, t] = [this.sum32(a), this.sum32(b)];
        if (!s || !t) return undefined;
        const factors = new Map(s.factors);
        for (const [name, f] of t.factors) {
          factors.set(name, this.make(v.op, I32, factors.get(name) ?? this.word(0), f));
        }
        return { base: this.make(v.op, I32, s.base, t.base), factors };
      }
      case "i32_mul":
      case "i32_shl": {
        const [by, of] =
          v.op === "i32_mul" && this.ofLaunch(a) ? [this.ofLaunch(a), b] : [this.ofLaunch(b), a];
        const s = by && this.sum32(of);
        if (!s) return undefined;
        const scale = (x: Value) => this.make(v.op, I32, x, by);
        const factors = new Map([...s.factors].map(([name, f]) => [name, scale(f)]));
        return { base: scale(s.base), factors };
      }
      case "i32_and": {
        const [index, mask] = isIndex(a) ? [a, this.ofLaunch(b)] : [b, this.ofLaunch(a)];
        if (!isIndex(index) || !mask || (this.mask && !same(this.mask, mask))) return undefined;
        if (!this.mask) this.takeMask(mask);
        return digit("low");
      }
    }
    return undefined;
  }

  /** The mask must be a power of two less one: then it takes x apart. */
  private takeMask(mask: Value): void {
    this.mask = mask;
    const next = this.make("i32_add", I32, mask, this.word(1));
    const common = this.make("i32_and", I32, mask, next);
    this.needs.push(this.make("i32_ge_s", I1, mask, this.word(0)));
    this.needs.push(this.make("i32_eqz", I1, common));
  }

  private sum64(v: Value): Sum64 | undefined {
    const own = this.ofLaunch(v);
    if (own) return { base: own, digits: new Map(), bits: 0, needs: [] };
    const [a, b] = v.args;
    switch (v.op) {
      case "i64_extend_i32_s":
      case "i64_extend_i32_u":
        return this.extended(a, v.op.endsWith("_u"));
      case "i64_add": {
        const [s, t] = [this.sum64(a), this.sum64(b)];
        if (!s || !t) return undefined;
        const digits = new Map(s.digits);
        for (const [name, d] of t.digits) {
          const other = digits.get(name);
          const add = (x: Value | undefined, y: Value) => (x ? this.make("i64_add", I64, x, y) : y);
          const [stride, span] = [add(other?.stride, d.stride), add(other?.span, d.span)];
          digits.set(name, { stride, span });
        }
        const bits = Math.max(s.bits, t.bits) + 1;
        const base = this.make("i64_add", I64, s.base, t.base);
        return bits > MAX_BITS
          ? undefined
          : { base, digits, bits, needs: [...s.needs, ...t.needs] };
      }
      case "i64_mul":
      case "i64_shl": {
        const s = this.sum64(a);
        if (!s || b.op !== "const") return undefined;
        const by = v.op === "i64_mul" ? b.big : 1n << (b.big & 63n);
        const bits = s.bits + by.toString(2).length;
        if (by <= 0n || bits > MAX_BITS) return undefined;
        const scale = (x: Value) => this.make("i64_mul", I64, x, this.wide(by));
        const digits = new Map(
          [...s.digits].map(([name, d]) => [
            name,
            { stride: scale(d.stride), span: scale(d.span) },
          ]),
        );
        return { base: scale(s.base), digits, bits, needs: s.needs };
      }
    }
    return undefined;
  }

  /** A 32-bit sum in exact arithmetic: what its greatest value is has to fit. */
  private extended(v: Value, unsigned: boolean): Sum64 | undefined {
    const s = this.sum32(v);
    if (!s) return undefined;
    const factors = new Map(s.factors);
    const low = factors.get("low");
    if (low) {
      // x is its low digit, and a multiple of the low digit's range.
      const x = factors.get("gtid.x") ?? this.word(0);
      const range = this.make("i32_add", I32, this.mask as Value, this.word(1));
      factors.delete("gtid.x");
      factors.set("low", this.make("i32_add", I32, x, low));
      factors.set("high", this.make("i32_mul", I32, x, range));
      return this.spread(s.base, factors, unsigned, x);
    }
    return this.spread(s.base, factors, unsigned, undefined);
  }

  /** @param high factor of the multiple of the low digit's range, if there is one */
  private spread(
    base32: Value,
    factors: Map<string, Value>,
    unsigned: boolean,
    high: Value | undefined,
  ): Sum64 {
    const base = this.make("i64_extend_i32_s", I64, base32);
    const needs = unsigned ? [this.make("i64_ge_s", I1, base, this.wide(0n))] : [];
    const digits: Sum64["digits"] = new Map();
    let most = base;
    for (const [name, factor] of factors) {
      const stride = this.make("i64_extend_i32_s", I64, factor);
      const each = name === "high" ? this.make("i64_extend_i32_s", I64, high as Value) : stride;
      const span = this.make("i64_mul", I64, each, this.last(name));
      needs.push(this.make("i64_lt_u", I1, span, this.wide(1n << 32n)));
      digits.set(name, { stride, span });
      most = this.make("i64_add", I64, most, span);
    }
    needs.push(this.make("i64_lt_s", I1, most, this.wide(1n << 31n)));
    return { base, digits, bits: 33, needs };
  }
}

const isIndex = (v: Value) => v.op === "sreg" && v.aux.name === "gtid.x";

const same = (a: Value, b: Value) =>
  a === b || (a.op === "const" && b.op === "const" && a.imm === b.imm && a.big === b.big);

function sameDigits(a: Sum64, b: Sum64): boolean {
  if (a.digits.size !== b.digits.size) return false;
  return [...a.digits].every(([name, d]) => {
    const other = b.digits.get(name);
    return other !== undefined && same(d.stride, other.stride) && same(d.span, other.span);
  });
}
