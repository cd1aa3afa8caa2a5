import { I1, I32, I64, type Value } from "../ir/ir.ts";
import { NEGATED } from "../passes/fold.ts";
import { BlockValues } from "./block-values.ts";

/**
 * A 32-bit value as base + Σ step × index + slack, modulo 2³², over the thread's indices. Base and
 * steps are the same for the whole block; slack is anything between two values of the block.
 */
interface Linear {
  base: Value;
  /** Step of each index; undefined is 0. */
  steps: (Value | undefined)[];
  slack: Slack | undefined;
}

/** What is known of a part that isn't linear: I64, within ±2^bits, a multiple of a power of two. */
interface Slack {
  low: Value;
  high: Value;
  bits: number;
  multiple: number;
  needs: Value[];
}

/** A 64-bit value: a base of the block's, if any, and what a thread adds to it, within bounds. */
interface Spread {
  base: Value | undefined;
  /** Least and greatest that a thread adds (signed), as values of the block. */
  low: Value;
  high: Value;
  /** Both lie within ±2^bits. */
  bits: number;
  /** A power of two that divides what any thread adds. */
  multiple: number;
  /** What must hold for all that to be so. */
  needs: Value[];
  /** It is linear in the thread's indices. */
  regular: boolean;
}

/** What makes an access sure. */
export interface Passing {
  tests: Value[];
  /** The address is linear in the thread's indices. */
  regular: boolean;
}

/** Slack stays inside this many bits. */
const MAX_SLACK_BITS = 48;
/** Bounds of a spread stay inside this many bits, so that no sum of them wraps. */
const MAX_BITS = 58;

/**
 * What can be tested once for all threads of a block: which values they spread over, as new values of
 * the block. A range that holds for the extremes of all thread indices holds for every thread between
 * them, since what is looked at is linear in each.
 */
export class Extents extends BlockValues {
  private readonly linears = new Map<Value, Linear | undefined>();
  private readonly spreads = new Map<Value, Spread | undefined>();
  /** Each index's greatest value as I64; undefined where it is always 0. */
  private readonly last: (Value | undefined)[];
  private readonly flat: boolean;

  /**
   * @param prologue values of the block
   * @param block threads in x, y, z
   * @param span number of threads in x from the first of this block on, for `gtid.x` (I32)
   */
  constructor(prologue: Iterable<Value>, block: readonly number[], span: Value | undefined) {
    super(prologue);
    this.flat = span !== undefined;
    this.last = block.map((n) => (n === 1 ? undefined : this.wide(BigInt(n - 1))));
    if (span) {
      this.code.push(span);
      const threads = this.make("i64_extend_i32_u", I64, span);
      this.last[0] = this.make("i64_sub", I64, threads, this.wide(1n));
    }
  }

  // ---- what a thread may do ----

  /** Tests that an address check passes for every thread, or undefined if that can't be told. */
  passes(check: Value): Passing | undefined {
    const { space, offset = 0, size = 1, align = 1 } = check.aux;
    const [address] = check.args;
    const generic = space === "generic";
    if (!generic && space !== "shared") return undefined;
    const tests = generic
      ? this.inHeap(address, offset, size, align)
      : this.inShared(address, offset, size, align);
    if (!tests) return undefined;
    const regular = generic ? this.spread(address)?.regular : !this.linear(address)?.slack;
    return { tests, regular: regular ?? false };
  }

  private inHeap(address: Value, offset: number, size: number, align: number) {
    const s = this.spread(address);
    if (!s?.base || s.multiple % align !== 0) return undefined;
    const start = this.make("i64_add", I64, s.base, this.wide(BigInt(offset)));
    const fromLow = this.make("i64_sub", I64, start, this.register("heapLow", I64));
    const bytes = this.register("heapBytes", I64);
    const bound = this.make("i64_sub", I64, bytes, this.wide(BigInt(size)));
    // Low and high in range, and less than 2⁶⁰ apart: all between them are.
    const tests = [s.low, s.high].map((v) =>
      this.make("i64_le_u", I1, this.make("i64_add", I64, fromLow, v), bound),
    );
    if (align > 1) {
      const rest = this.make("i64_and", I64, start, this.wide(BigInt(align - 1)));
      tests.push(this.make("i64_eqz", I1, rest));
    }
    return this.together([...s.needs, ...tests]);
  }

  private inShared(address: Value, offset: number, size: number, align: number) {
    const l = this.linear(address);
    if (!l || (l.slack && l.slack.multiple % align !== 0)) return undefined;
    const { low, high, needs } = this.bounds(l);
    const end = this.make("i64_add", I64, high, this.wide(BigInt(offset + size)));
    const bytes = this.make("i64_extend_i32_u", I64, this.register("totalShared", I32));
    const tests = [
      ...needs,
      this.make("i64_ge_s", I1, low, this.wide(0n)),
      this.make("i64_le_s", I1, end, bytes),
    ];
    if (align > 1) {
      const start = this.make("i32_add", I32, l.base, this.word(offset));
      for (const part of [start, ...l.steps]) {
        if (!part) continue;
        const rest = this.make("i32_and", I32, part, this.word(align - 1));
        tests.push(this.make("i32_eqz", I1, rest));
      }
    }
    return this.together(tests);
  }

  /** Tests that a condition is `wanted` for every thread, or undefined if that can't be told. */
  always(cond: Value, wanted: boolean): Value[] | undefined {
    if (cond.op === "not1") return this.always(cond.args[0], !wanted);
    if (cond.op === (wanted ? "and1" : "or1")) {
      const parts = cond.args.map((a) => this.always(a, wanted));
      return parts.every((p) => p !== undefined) ? parts.flat() : undefined;
    }
    const [, width, name, sign] = /^i(32|64)_(lt|le|gt|ge|eq|ne)(?:_([su]))?$/.exec(cond.op) ?? [];
    if (!name) return undefined;
    const sides = cond.args.map((a) =>
      width === "32" ? this.compared(a, sign !== "u") : this.compared64(a, sign !== "u"),
    );
    const [a, b] = sides;
    if (!a || !b) return undefined;
    const below = (x: Compared, y: Compared, op: string) => this.make(op, I1, x.high, y.low);
    const op = wanted ? name : NEGATED[name];
    let test: Value;
    if (op === "lt") test = below(a, b, "i64_lt_s");
    else if (op === "le") test = below(a, b, "i64_le_s");
    else if (op === "gt") test = below(b, a, "i64_lt_s");
    else if (op === "ge") test = below(b, a, "i64_le_s");
    else if (op === "ne")
      test = this.make("or1", I1, below(a, b, "i64_lt_s"), below(b, a, "i64_lt_s"));
    else return undefined;
    return this.together([...a.needs, ...b.needs, test]);
  }

  /** Bounds of a compared 32-bit value as the comparison sees it. */
  private compared(v: Value, signed: boolean): Compared | undefined {
    const l = this.linear(v);
    // What comes and goes between threads (`i % 2 == 0`) splits every block.
    if (!l || l.slack) return undefined;
    if (isFlat(l)) {
      const wide = this.make(signed ? "i64_extend_i32_s" : "i64_extend_i32_u", I64, l.base);
      return { low: wide, high: wide, needs: [] };
    }
    const { low, high } = this.bounds(l);
    return { low, high, needs: this.fits(low, high, signed) };
  }

  private compared64(v: Value, signed: boolean): Compared | undefined {
    const s = this.spread(v);
    if (!s?.regular) return undefined;
    const needs = [...s.needs];
    let { low, high } = s;
    if (s.base) {
      // Neither bound may wrap.
      const moved = this.make("i64_add", I64, s.base, this.wide(1n << 61n));
      needs.push(this.make("i64_lt_u", I1, moved, this.wide(1n << 62n)));
      low = this.make("i64_add", I64, s.base, low);
      high = this.make("i64_add", I64, s.base, high);
    }
    if (!signed) needs.push(this.make("i64_ge_s", I1, low, this.wide(0n)));
    return { low, high, needs };
  }

  /** Drops tests that are true in any case; undefined if one is false in any case. */
  private together(tests: Value[]): Value[] | undefined {
    if (tests.some((t) => t.op === "const" && t.imm === 0)) return undefined;
    return tests.filter((t) => t.op !== "const");
  }

  // ---- forms ----

  private linear(v: Value): Linear | undefined {
    if (v.type !== I32) return undefined;
    if (!this.linears.has(v)) {
      this.linears.set(v, undefined); // a phi that comes back to itself has no form
      this.linears.set(v, this.findLinear(v));
    }
    return this.linears.get(v);
  }

  private findLinear(v: Value): Linear | undefined {
    if (this.isOwn(v)) return { base: v, steps: [], slack: undefined };
    if (v.op === "sreg") return this.index(v.aux.name as string);
    const [a, b] = v.args;
    switch (v.op) {
      case "i32_add":
      case "i32_sub": {
        const [f, g] = [this.linear(a), this.linear(b)];
        if (!f || !g) return undefined;
        const join = (x: Value | undefined, y: Value | undefined): Value | undefined => {
          if (!y) return x;
          if (!x && v.op === "i32_add") return y;
          return this.make(v.op, I32, x ?? this.word(0), y);
        };
        const steps = [0, 1, 2].map((k) => join(f.steps[k], g.steps[k]));
        const slack = this.joinSlack(v.op, f.slack, g.slack);
        if (slack && slack.bits > MAX_SLACK_BITS) return undefined;
        return { base: join(f.base, g.base) as Value, steps, slack };
      }
      case "i32_mul":
      case "i32_shl": {
        const [f, g] = [this.linear(a), this.linear(b)];
        if (!f || !g) return undefined;
        const [by, of] = v.op === "i32_mul" && isFlat(f) ? [f, g] : [g, f];
        if (!isFlat(by)) return undefined;
        const scale = (x: Value) => this.make(v.op, I32, x, by.base);
        const slack = of.slack && this.scaleSlack(v.op, of.slack, by.base);
        if (of.slack && !slack) return undefined;
        return { base: scale(of.base), steps: of.steps.map((s) => s && scale(s)), slack };
      }
      case "i32_and":
        return this.within(this.masked(a, b) ?? this.masked(b, a));
      case "i32_shr_u":
      case "i32_shr_s":
        return this.within(b.op === "const" ? this.shifted(a, b.imm & 31) : undefined);
    }
    return undefined;
  }

  private within(slack: Slack | undefined): Linear | undefined {
    return slack && { base: this.word(0), steps: [], slack };
  }

  /** v & mask, for a mask of the block that is not negative. */
  private masked(v: Value, mask: Value): Slack | undefined {
    if (!this.isOwn(mask)) return undefined;
    const multiple = mask.op === "const" ? (mask.imm === 0 ? 1 << 30 : mask.imm & -mask.imm) : 1;
    if (multiple < 0) return undefined;
    const zero = this.wide(0n);
    const most = this.make("i64_extend_i32_s", I64, mask);
    const needs = [this.make("i64_ge_s", I1, most, zero)];
    const l = this.linear(v);
    if (!l) return { low: zero, high: most, bits: 31, multiple, needs };
    // Of what is not negative no more than itself is left.
    const { low, high, needs: own } = this.bounds(l);
    const least = this.make("select", I64, this.make("i64_lt_s", I1, high, most), high, most);
    const natural = this.make("i64_ge_s", I1, low, zero);
    const bound = this.make("select", I64, this.all([natural, ...own]), least, most);
    return { low: zero, high: bound, bits: 31, multiple, needs };
  }

  /** v >> by, of what is not negative. */
  private shifted(v: Value, by: number): Slack | undefined {
    const l = this.linear(v);
    if (!l) return undefined;
    const { low, high, needs } = this.bounds(l);
    const count = this.wide(BigInt(by));
    return {
      low: this.make("i64_shr_s", I64, low, count),
      high: this.make("i64_shr_s", I64, high, count),
      bits: 31,
      multiple: 1,
      needs: [
        ...needs,
        this.make("i64_ge_s", I1, low, this.wide(0n)),
        ...this.fits(low, high, true),
      ],
    };
  }

  private joinSlack(op: string, a: Slack | undefined, b: Slack | undefined): Slack | undefined {
    if (!b) return a;
    const zero = this.wide(0n);
    const x = a ?? { low: zero, high: zero, bits: 0, multiple: 1 << 30, needs: [] };
    const [low, high] = op === "i32_add" ? [b.low, b.high] : [b.high, b.low];
    const join = op === "i32_add" ? "i64_add" : "i64_sub";
    return {
      low: this.make(join, I64, x.low, low),
      high: this.make(join, I64, x.high, high),
      bits: Math.max(x.bits, b.bits) + 1,
      multiple: Math.min(x.multiple, b.multiple),
      needs: [...x.needs, ...b.needs],
    };
  }

  private scaleSlack(op: string, s: Slack, by: Value): Slack | undefined {
    if (by.op !== "const") return undefined;
    const factor = op === "i32_shl" ? 2 ** (by.imm & 31) : by.imm;
    const bits = s.bits + factor.toString(2).length;
    if (factor <= 0 || bits > MAX_SLACK_BITS) return undefined;
    const multiple = Math.min(1 << 30, s.multiple * (factor & -factor));
    const scaled = (v: Value) => this.make("i64_mul", I64, v, this.wide(BigInt(factor)));
    return { ...s, low: scaled(s.low), high: scaled(s.high), bits, multiple };
  }

  private all(conditions: Value[]): Value {
    return conditions.reduce((a, b) => this.make("and1", I1, a, b));
  }

  private index(name: string): Linear | undefined {
    const k = [this.flat ? "gtid.x" : "tid.x", "tid.y", "tid.z"].indexOf(name);
    if (!this.flat && name === "laneid") return this.within(this.upTo(31));
    if (k < 0) return undefined;
    const steps: (Value | undefined)[] = [undefined, undefined, undefined];
    if (this.last[k]) steps[k] = this.word(1);
    if (name !== "gtid.x") return { base: this.word(0), steps, slack: undefined };
    const width = this.register("ntid.x", I32);
    const base = this.make("i32_mul", I32, this.register("ctaid.x", I32), width);
    return { base, steps, slack: undefined };
  }

  private upTo(n: number): Slack {
    const [low, high] = [this.wide(0n), this.wide(BigInt(n))];
    return { low, high, bits: 31, multiple: 1, needs: [] };
  }

  private spread(v: Value): Spread | undefined {
    if (v.type !== I64) return undefined;
    if (!this.spreads.has(v)) {
      this.spreads.set(v, undefined);
      this.spreads.set(v, this.findSpread(v));
    }
    return this.spreads.get(v);
  }

  private findSpread(v: Value): Spread | undefined {
    const zero = this.wide(0n);
    if (this.isOwn(v)) {
      const multiple = 1 << 30;
      return { base: v, low: zero, high: zero, bits: 0, multiple, needs: [], regular: true };
    }
    const [a, b] = v.args;
    switch (v.op) {
      case "i64_extend_i32_s":
      case "i64_extend_i32_u": {
        const l = this.linear(a);
        if (!l) return undefined;
        const { low, high, needs: own } = this.bounds(l);
        const needs = [...own, ...this.fits(low, high, v.op.endsWith("_s"))];
        const regular = !l.slack;
        return { base: undefined, low, high, bits: 33, multiple: 1, needs, regular };
      }
      case "i64_add":
      case "i64_sub": {
        const [s, t] = [this.spread(a), this.spread(b)];
        if (!s || !t || (v.op === "i64_sub" && t.bits > 0)) return undefined;
        const bits = Math.max(s.bits, t.bits) + 1;
        if (bits > MAX_BITS) return undefined;
        const base = !t.base ? s.base : this.make(v.op, I64, s.base ?? zero, t.base);
        return {
          base,
          low: this.make("i64_add", I64, s.low, t.low),
          high: this.make("i64_add", I64, s.high, t.high),
          bits,
          multiple: Math.min(s.multiple, t.multiple),
          needs: [...s.needs, ...t.needs],
          regular: s.regular && t.regular,
        };
      }
      case "i64_mul":
      case "i64_shl": {
        const s = this.spread(a);
        if (!s || b.op !== "const") return undefined;
        const by = v.op === "i64_mul" ? b.big : 1n << (b.big & 63n);
        if (by <= 0n || by > 1n << 16n) return undefined;
        const bits = s.bits + by.toString(2).length;
        if (bits > MAX_BITS) return undefined;
        const factor = this.wide(by);
        return {
          base: s.base && this.make("i64_mul", I64, s.base, factor),
          low: this.make("i64_mul", I64, s.low, factor),
          high: this.make("i64_mul", I64, s.high, factor),
          bits,
          multiple: Math.min(1 << 30, s.multiple * Number(by & -by)),
          needs: s.needs,
          regular: s.regular,
        };
      }
    }
    return undefined;
  }

  /** Least and greatest value over all threads, in exact arithmetic: I64, within ±2⁵⁰. */
  private bounds(l: Linear): { low: Value; high: Value; needs: Value[] } {
    let low = this.make("i64_extend_i32_s", I64, l.base);
    let high = low;
    const zero = this.wide(0n);
    l.steps.forEach((step, k) => {
      const last = this.last[k];
      if (!step || !last) return;
      const far = this.make("i64_mul", I64, this.make("i64_extend_i32_s", I64, step), last);
      const down = this.make("i64_lt_s", I1, far, zero);
      low = this.make("i64_add", I64, low, this.make("select", I64, down, far, zero));
      high = this.make("i64_add", I64, high, this.make("select", I64, down, zero, far));
    });
    if (!l.slack) return { low, high, needs: [] };
    return {
      low: this.make("i64_add", I64, low, l.slack.low),
      high: this.make("i64_add", I64, high, l.slack.high),
      needs: l.slack.needs,
    };
  }

  /** That exact bounds are what 32 bits hold. */
  private fits(low: Value, high: Value, signed: boolean): Value[] {
    const [least, most] = signed ? [-(1n << 31n), (1n << 31n) - 1n] : [0n, (1n << 32n) - 1n];
    return [
      this.make("i64_ge_s", I1, low, this.wide(least)),
      this.make("i64_le_s", I1, high, this.wide(most)),
    ];
  }
}

interface Compared {
  low: Value;
  high: Value;
  needs: Value[];
}

const isFlat = (l: Linear) => !l.slack && l.steps.every((s) => s === undefined);
