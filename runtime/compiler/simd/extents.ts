import { F64, I1, I32, I64, type Value } from "../ir/ir.ts";
import { NEGATED } from "../passes/fold.ts";
import { Forms } from "./forms.ts";
import type { Range } from "./rounds.ts";

/** What makes an access sure. */
export interface Passing {
  tests: Value[];
  /** The address is linear in the thread's indices. */
  regular: boolean;
}

/** The memory that the threads of a block reach by one access: I64 values of the block. */
export interface Reach {
  /** CUDA pointer of the lowest access. */
  first: Value;
  /** Bytes from there to the highest one. */
  span: Value;
  /** Bytes of an access. */
  size: number;
}

/**
 * What can be tested once for all threads of a block: which values they spread over, as new values of
 * the block. A range that holds for the extremes of all thread indices holds for every thread between
 * them, since what is looked at is linear in each; so are rounds of loops.
 */
export class Extents extends Forms {
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

  /** Where a checked access of device memory goes, if its address is linear in the indices. */
  reach(check: Value): Reach | undefined {
    const { space, offset = 0, size = 1 } = check.aux;
    const s = space === "generic" ? this.spread(check.args[0]) : undefined;
    if (!s?.base || !s.regular) return undefined;
    const start = this.make("i64_add", I64, s.base, this.wide(BigInt(offset)));
    const first = this.make("i64_add", I64, start, s.low);
    return { first, span: this.make("i64_sub", I64, s.high, s.low), size };
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

  /** A quotient that differs between threads as written, with the tests that it does not. */
  quotient(v: Value): { value: Value; tests: Value[] } | undefined {
    if (v.op !== "lib" || v.aux.name !== "div_u32" || !this.isOwn(v.args[1])) return undefined;
    const form = this.linear(v.args[0]);
    const range = form && this.rangeOf(form, false);
    if (!range) return undefined;
    const by = this.make("i64_extend_i32_u", I64, v.args[1]);
    // One that needs not be exact: the tests say that it is, for the greatest and for the least.
    const [a, b] = [range.high, by].map((x) => this.make("f64_convert_i64_s", F64, x));
    const quotient = this.make("i64_trunc_sat_f64_s", I64, this.make("f64_div", F64, a, b));
    const product = this.make("i64_mul", I64, quotient, by);
    const tests = this.together([
      ...range.needs,
      this.make("i64_gt_s", I1, by, this.wide(0n)),
      this.make("i64_le_s", I1, product, range.low),
      this.make("i64_lt_s", I1, this.make("i64_sub", I64, range.high, product), by),
    ]);
    return tests && { value: this.make("i32_wrap_i64", I32, quotient), tests };
  }

  /** An operation once more, of values of the block; undefined if some are not. */
  again(v: Value, args: Value[]): Value | undefined {
    return args.every((a) => this.isOwn(a)) ? this.make(v.op, v.type, ...args) : undefined;
  }

  /** Whether a value is the same for all threads of the block, and known before the body. */
  isOfBlock(v: Value): boolean {
    return this.isOwn(v);
  }

  /** Tests that a condition is `wanted` for every thread, or undefined if that can't be told. */
  always(cond: Value, wanted: boolean): Value[] | undefined {
    if (cond.op === "not1") return this.always(cond.args[0], !wanted);
    if (cond.op === (wanted ? "and1" : "or1")) {
      const parts = cond.args.map((a) => this.always(a, wanted));
      return parts.every((p) => p !== undefined) ? parts.flat() : undefined;
    }
    const both = bothNatural(cond, wanted);
    if (both) {
      const sides = both.map((v) => this.compared(v, true));
      if (!sides.every((s) => s !== undefined)) return undefined;
      const zero = this.wide(0n);
      const tests = sides.map((s) => this.make("i64_ge_s", I1, s.low, zero));
      return this.together([...sides.flatMap((s) => s.needs), ...tests]);
    }
    const [, name, sign] = /^i(?:32|64)_(lt|le|gt|ge|eq|ne)(?:_([su]))?$/.exec(cond.op) ?? [];
    if (!name) return undefined;
    const sides = cond.args.map((a) => this.compared(a, sign !== "u"));
    const [a, b] = sides;
    if (!a || !b) return undefined;
    const below = (x: Range, y: Range, op: string) => this.make(op, I1, x.high, y.low);
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

  /** The range of a compared value as the comparison sees it. */
  private compared(v: Value, signed: boolean): Range | undefined {
    const form = v.type === I32 ? this.linear(v) : this.spread(v);
    return form && this.rangeOf(form, signed);
  }

  /** Drops tests that are true in any case; undefined if one is false in any case. */
  private together(tests: Value[]): Value[] | undefined {
    if (tests.some((t) => t.op === "const" && t.imm === 0)) return undefined;
    return tests.filter((t) => t.op !== "const");
  }
}

/** The two values that a condition says are both not negative: `(a | b) < 0` that is false. */
function bothNatural(cond: Value, wanted: boolean): Value[] | undefined {
  const [either, zero] = cond.args;
  const natural = cond.op === (wanted ? "i32_ge_s" : "i32_lt_s") && zero.op === "const";
  return natural && zero.imm === 0 && either.op === "i32_or" ? either.args : undefined;
}
