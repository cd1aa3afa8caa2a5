import { I1, I32, I64, type Value } from "../ir/ir.ts";
import { boundsOf } from "./bounds.ts";
import {
  isFlat,
  isLinear,
  type Linear,
  MAX_BITS,
  type Range,
  Rounds,
  type Slack,
  type Spread,
} from "./rounds.ts";

/** Slack stays inside this many bits. */
const MAX_SLACK_BITS = 48;
/** The forms of values: linear in the indices but for a part that is only bounded. */
export abstract class Forms extends Rounds {
  private readonly linears = new Map<Value, Linear | undefined>();
  private readonly spreads = new Map<Value, Spread | undefined>();

  protected linear(v: Value): Linear | undefined {
    if (v.type !== I32) return undefined;
    if (!this.linears.has(v)) {
      this.linears.set(v, undefined); // a phi that comes back to itself has no form
      this.linears.set(v, this.findLinear(v) ?? this.bounded(v));
    }
    return this.linears.get(v);
  }

  private findLinear(v: Value): Linear | undefined {
    if (this.isOwn(v)) return { base: v, steps: [], slack: undefined };
    if (v.op === "sreg") return this.index(v.aux.name as string);
    if (v.op === "phi") return this.counted(v) ?? this.countedBehind(v);
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
        const steps = this.last.map((_, k) => join(f.steps[k], g.steps[k]));
        const slack = this.joinSlack(v.op, f.slack, g.slack);
        if (slack && slack.bits > MAX_SLACK_BITS) return undefined;
        return { base: join(f.base, g.base) as Value, steps, slack };
      }
      case "i32_xor": {
        const f = b.op === "const" && b.imm === -1 ? this.linear(a) : undefined;
        if (!f || f.slack) return undefined; // ~x is −1 − x
        const less = (x: Value, n: number) => this.make("i32_sub", I32, this.word(n), x);
        return { ...f, base: less(f.base, -1), steps: f.steps.map((s) => s && less(s, 0)) };
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

  /** What is known of a value whatever its operands are. */
  private bounded(v: Value): Linear | undefined {
    const known = boundsOf(v);
    if (!known) return undefined;
    const [low, high] = [known.low, known.high].map((n) => this.wide(BigInt(n)));
    return this.within({ low, high, bits: 31, multiple: known.multiple, needs: [] });
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
    return { base: this.register("start", I32), steps, slack: undefined };
  }

  private upTo(n: number): Slack {
    const [low, high] = [this.wide(0n), this.wide(BigInt(n))];
    return { low, high, bits: 31, multiple: 1, needs: [] };
  }

  protected spread(v: Value): Spread | undefined {
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
    if (v.op === "phi") return this.counted64(v) ?? this.countedBehind64(v);
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
      case "i64_and": {
        if (b.op !== "const" || b.big < 0n || b.big >= 1n << 31n) return undefined;
        const multiple = b.big === 0n ? 1 << 30 : Number(b.big & -b.big);
        const high = this.wide(b.big);
        return { base: undefined, low: zero, high, bits: 33, multiple, needs: [], regular: false };
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
        if (by <= 0n || by > 1n << 24n) return undefined;
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

  /** Least and greatest value over all threads and rounds, in exact arithmetic: I64, within ±2⁵⁸. */
  protected bounds(l: Linear): { low: Value; high: Value; needs: Value[] } {
    let low = this.make("i64_extend_i32_s", I64, l.base);
    let high = low;
    const zero = this.wide(0n);
    const needs: Value[] = [];
    l.steps.forEach((step, k) => {
      const last = this.last[k];
      if (!step || !last) return;
      needs.push(...this.lastNeeds[k]);
      const far = this.make("i64_mul", I64, this.make("i64_extend_i32_s", I64, step), last);
      const down = this.make("i64_lt_s", I1, far, zero);
      low = this.make("i64_add", I64, low, this.make("select", I64, down, far, zero));
      high = this.make("i64_add", I64, high, this.make("select", I64, down, zero, far));
    });
    if (!l.slack) return { low, high, needs };
    return {
      low: this.make("i64_add", I64, low, l.slack.low),
      high: this.make("i64_add", I64, high, l.slack.high),
      needs: [...needs, ...l.slack.needs],
    };
  }

  protected rangeOf(form: Linear | Spread, signed: boolean): Range | undefined {
    if (!isLinear(form)) return this.rangeOf64(form, signed);
    // What comes and goes between threads (`i % 2 == 0`) splits every block.
    if (form.slack) return undefined;
    if (isFlat(form)) {
      const wide = this.make(signed ? "i64_extend_i32_s" : "i64_extend_i32_u", I64, form.base);
      return { low: wide, high: wide, needs: [] };
    }
    const { low, high, needs } = this.bounds(form);
    return { low, high, needs: [...needs, ...this.fits(low, high, signed)] };
  }

  private rangeOf64(s: Spread, signed: boolean): Range | undefined {
    if (!s.regular) return undefined;
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

  /** That exact bounds are what 32 bits hold. */
  protected fits(low: Value, high: Value, signed: boolean): Value[] {
    const [least, most] = signed ? [-(1n << 31n), (1n << 31n) - 1n] : [0n, (1n << 32n) - 1n];
    return [
      this.make("i64_ge_s", I1, low, this.wide(least)),
      this.make("i64_le_s", I1, high, this.wide(most)),
    ];
  }
}
