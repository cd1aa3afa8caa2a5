import type { Loop } from "../analysis/graph.ts";
import { F64, I1, I32, I64, type Value } from "../ir/ir.ts";
import { NEGATED, SWAPPED } from "../passes/fold.ts";
import { BlockValues } from "./block-values.ts";
import type { Induction, Inductions, LoopExit, LoopGuard } from "./inductions.ts";

/**
 * A 32-bit value as base + Σ step × index + slack, modulo 2³², over the thread's indices and the rounds
 * of loops that count. Base and steps are the same for the whole block; slack is anything between two
 * values of the block.
 */
export interface Linear {
  base: Value;
  /** Step of each index: x, y, z, and those of loops; undefined is 0. */
  steps: (Value | undefined)[];
  slack: Slack | undefined;
}

/** What is known of a part that isn't linear: I64, within ±2^bits, a multiple of a power of two. */
export interface Slack {
  low: Value;
  high: Value;
  bits: number;
  multiple: number;
  needs: Value[];
}

/** A 64-bit value: a base of the block's, if any, and what a thread adds to it, within bounds. */
export interface Spread {
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

/** Bounds of a spread stay inside this many bits, so that no sum of them wraps. */
export const MAX_BITS = 58;

/** What is known of a loop: the last of its rounds, counted from 0 (I64), if the needs are met. */
interface Count {
  last: Value;
  needs: Value[];
  /** All threads go round as often, though each starts elsewhere. */
  together: boolean;
}

/** Least and greatest of a value over all threads, in exact arithmetic: I64. */
export interface Range {
  low: Value;
  high: Value;
  needs: Value[];
}

/** What is compared at the end of a round: where it starts, and what a round adds. */
interface Counter {
  start: Linear | Spread;
  /** Of the block's; of the counter's type. */
  step: Value;
}

/** Loops of more rounds than this are not sure: 32-bit steps times rounds stay within ±2⁵³. */
const MAX_ROUNDS = 1n << 22n;
/** Nor are those that move 64-bit values by more than this in a round: all rounds stay within ±2⁵⁰. */
const MAX_STEP = 1n << 28n;

/**
 * The indices that values are linear in: the thread's, and the rounds of loops that count. How many
 * rounds there are is a value of the block.
 */
export abstract class Rounds extends BlockValues {
  /** Each index's greatest value as I64; undefined where it is always 0. */
  protected readonly last: (Value | undefined)[];
  /** What must hold for an index to stay below its greatest value. */
  protected readonly lastNeeds: Value[][] = [[], [], []];
  private readonly loops = new Map<Loop, number | undefined>();
  /** What must hold for forms of values behind loops. */
  readonly behind: Value[] = [];
  /** Exits that all threads take after the same number of rounds: that needs to be tested. */
  private readonly jointExits = new Map<LoopExit, Value[]>();
  /** Exits that are taken after just as many rounds as are counted. */
  private readonly exact = new Set<LoopExit>();
  private readonly inductions: Inductions;
  protected readonly flat: boolean;

  /**
   * @param prologue values of the block
   * @param block threads in x, y, z
   * @param inductions what counts in the region's loops
   * @param span number of threads in x from the first of this block on, for `gtid.x` (I32)
   */
  constructor(
    prologue: Iterable<Value>,
    block: readonly number[],
    inductions: Inductions,
    span: Value | undefined,
  ) {
    super(prologue);
    this.inductions = inductions;
    this.flat = span !== undefined;
    this.last = block.map((n) => (n === 1 ? undefined : this.wide(BigInt(n - 1))));
    if (span) {
      this.code.push(span);
      const threads = this.make("i64_extend_i32_u", I64, span);
      this.last[0] = this.make("i64_sub", I64, threads, this.wide(1n));
    }
  }

  /** A 32-bit value's form, if it has one. */
  protected abstract linear(v: Value): Linear | undefined;
  /** A 64-bit value's form, if it has one. */
  protected abstract spread(v: Value): Spread | undefined;
  /** The range of a form, as a comparison with or without a sign sees it. */
  protected abstract rangeOf(form: Linear | Spread, signed: boolean): Range | undefined;
  /** That exact bounds are what 32 bits hold. */
  protected abstract fits(low: Value, high: Value, signed: boolean): Value[];

  /** A phi to which every round of a loop adds the same. */
  protected counted(phi: Value): Linear | undefined {
    const found = this.inductions.phis.get(phi);
    const init = found && this.linear(found.init);
    const k = init && this.loopIndex(found.loop);
    const step = k !== undefined ? this.stepOf(found as Induction) : undefined;
    if (!init || k === undefined || !step) return undefined;
    const steps = [...init.steps];
    steps[k] = step;
    return { ...init, steps };
  }

  /** A phi behind a loop that an index counts, or that was skipped: both with the block's number of rounds. */
  protected countedBehind(phi: Value): Linear | undefined {
    const found = this.inductions.behindLoop(phi);
    const init = found && this.linear(found.induction.init);
    const rounds = init && this.allRounds(found.induction.loop, found.guard);
    const step = rounds && this.stepOf(found.induction);
    if (!init || !rounds || !step) return undefined;
    const way = this.make("i32_mul", I32, step, this.make("i32_wrap_i64", I32, rounds));
    return { ...init, base: this.make("i32_add", I32, init.base, way) };
  }

  protected countedBehind64(phi: Value): Spread | undefined {
    const found = this.inductions.behindLoop(phi);
    const init = found && this.spread(found.induction.init);
    const rounds = init && this.allRounds(found.induction.loop, found.guard);
    const step = rounds && this.stepOf(found.induction);
    if (!init || !rounds || !step) return undefined;
    const way = this.make("i64_mul", I64, step, rounds);
    return { ...init, base: this.make("i64_add", I64, init.base ?? this.wide(0n), way) };
  }

  /** How often all threads go round a loop that ends at a number; 0 where it is skipped. */
  private allRounds(loop: Loop, guard: LoopGuard): Value | undefined {
    const exits = this.inductions.exits.get(loop);
    const skipped = this.skips(guard);
    const k = skipped && this.loopIndex(loop);
    if (k === undefined || exits?.length !== 1 || !this.exact.has(exits[0])) return undefined;
    this.behind.push(...this.lastNeeds[k]);
    const all = this.make("i64_add", I64, this.last[k] as Value, this.wide(1n));
    return this.make("select", I64, skipped as Value, this.wide(0n), all);
  }

  /** Whether a loop is skipped, if the block decides that. */
  private skips({ branch, skip }: LoopGuard): Value | undefined {
    const t = branch.terminator;
    if (t?.kind !== "branch" || !this.isOwn(t.cond)) return undefined;
    return skip ? t.cond : this.make("not1", I1, t.cond);
  }

  protected counted64(phi: Value): Spread | undefined {
    const found = this.inductions.phis.get(phi);
    const init = found && this.spread(found.init);
    const k = init && this.loopIndex(found.loop);
    const step = k !== undefined ? this.stepOf(found as Induction) : undefined;
    if (!init || k === undefined || !step) return undefined;
    const zero = this.wide(0n);
    const far = this.make("i64_mul", I64, step, this.last[k] as Value);
    const down = this.make("i64_lt_s", I1, far, zero);
    const bits = Math.max(init.bits, 50) + 1;
    if (bits > MAX_BITS) return undefined;
    const moved = this.make("i64_add", I64, step, this.wide(MAX_STEP));
    return {
      ...init,
      low: this.make("i64_add", I64, init.low, this.make("select", I64, down, far, zero)),
      high: this.make("i64_add", I64, init.high, this.make("select", I64, down, zero, far)),
      bits,
      multiple: Math.min(init.multiple, multipleOf(step)),
      needs: [
        ...init.needs,
        ...this.lastNeeds[k],
        this.make("i64_le_u", I1, moved, this.wide(2n * MAX_STEP)),
      ],
    };
  }

  /** What a round adds, if that is the block's. */
  private stepOf({ init: { type }, steps }: Induction): Value | undefined {
    const width = type === I32 ? "i32" : "i64";
    let sum = type === I32 ? this.word(0) : this.wide(0n);
    for (const { value, minus } of steps) {
      const by = this.constantPart(value);
      if (!by) return undefined;
      sum = this.make(`${width}_${minus ? "sub" : "add"}`, type, sum, by);
    }
    return sum;
  }

  /** A value of the block that another one is in every thread and round, if there is one. */
  private constantPart(v: Value): Value | undefined {
    if (v.type === I32) {
      const l = this.linear(v);
      return l && isFlat(l) ? l.base : undefined;
    }
    const s = this.spread(v);
    return s?.base && s.bits === 0 ? s.base : undefined;
  }

  /** The index that counts a loop's rounds; undefined if it can't be told how many there are. */
  private loopIndex(loop: Loop): number | undefined {
    if (this.loops.has(loop)) return this.loops.get(loop);
    this.loops.set(loop, undefined); // a bound that depends on the loop itself is none
    for (const exit of this.inductions.exits.get(loop) ?? []) {
      const rounds = this.rounds(loop, exit);
      if (!rounds) continue;
      // A loop that is skipped goes round as if once.
      const guard = this.inductions.guardOf(loop);
      const skipped = guard && this.skips(guard);
      if (skipped) rounds.last = this.make("select", I64, skipped, this.wide(0n), rounds.last);
      const most = this.make("i64_le_u", I1, rounds.last, this.wide(MAX_ROUNDS));
      this.last.push(rounds.last);
      this.lastNeeds.push([...rounds.needs, most]);
      this.loops.set(loop, this.last.length - 1);
      if (rounds.together) this.jointExits.set(exit, [...rounds.needs, most]);
      break;
    }
    return this.loops.get(loop);
  }

  /**
   * Tests that all threads of the block take an exit after the same round, where each starts elsewhere;
   * undefined where there are none to make.
   */
  leaveTogether(loop: Loop, exit: LoopExit): Value[] | undefined {
    this.loopIndex(loop);
    return this.jointExits.get(exit);
  }

  /** How often a loop can go round before an exit is taken: what is compared there counts. */
  private rounds(loop: Loop, exit: LoopExit): Count | undefined {
    const { cond, stay } = exit;
    if (cond.op === "not1") return this.rounds(loop, { ...exit, cond: cond.args[0], stay: !stay });
    const [, width, name, sign] = /^i(32|64)_(lt|le|gt|ge|eq|ne)(?:_([su]))?$/.exec(cond.op) ?? [];
    if (!name) return undefined;
    const [x, y] = cond.args;
    const counter = this.counter(loop, x);
    const [at, bound, own] = counter
      ? [counter, y, name]
      : [this.counter(loop, y), x, SWAPPED[name]];
    const limit = width === "32" ? this.linear(bound) : this.spread(bound);
    if (!at || !limit || !isOne(limit)) return undefined;
    const op = stay ? own : NEGATED[own];
    const by = constantOf(at.step);
    const power = by !== undefined && Math.log2(Math.abs(by)) % 1 === 0;
    if (op === "ne") {
      const count = power ? this.roundsUntilEqual(at, limit, by) : undefined;
      if (count) this.exact.add(exit);
      return count;
    }
    if (by !== undefined && !isOne(at.start)) return undefined;
    // A step that isn't known is taken to be positive.
    const up = by === undefined || by > 0;
    if (up ? op !== "lt" && op !== "le" : op !== "gt" && op !== "ge") return undefined;
    const [from, to] = [at.start, limit].map((f) => this.rangeOf(f, sign !== "u"));
    if (!from || !to) return undefined;
    const needs = [...from.needs, ...to.needs];
    const inclusive = op === "le" || op === "ge";
    if (power) {
      const size = Math.abs(by);
      const way = up ? [to.low, from.low] : [from.low, to.low];
      const more = this.wide(BigInt(inclusive ? size : size - 1));
      const way64 = this.make("i64_sub", I64, way[0], way[1]);
      const shift = this.wide(BigInt(Math.log2(size)));
      const steps = this.make("i64_shr_s", I64, this.make("i64_add", I64, way64, more), shift);
      const last = this.natural(steps);
      return this.ends({ last, needs, together: false }, from, this.wide(BigInt(by)), sign, width);
    }
    if (!up) return undefined;
    const count = this.strides(from, to, at.step, inclusive, sign, width);
    return { ...count, together: !isOne(at.start) };
  }

  /**
   * Rounds of a loop that moves on by a step of the block's, as `i += blockDim.x * gridDim.x`: a
   * quotient that needs not be exact, and tests that it is, for the threads that go round most and
   * least often.
   */
  private strides(
    from: Range,
    to: Range,
    step: Value,
    inclusive: boolean,
    sign: string,
    width: string,
  ): Count {
    const by = step.type === I32 ? this.make("i64_extend_i32_s", I64, step) : step;
    const [zero, one] = [this.wide(0n), this.wide(1n)];
    const more = inclusive ? by : this.make("i64_sub", I64, by, one);
    const [most, least] = [from.low, from.high].map((v) =>
      this.natural(this.make("i64_add", I64, this.make("i64_sub", I64, to.low, v), more)),
    );
    const [a, b] = [most, by].map((v) => this.make("f64_convert_i64_s", F64, v));
    const last = this.make("i64_trunc_sat_f64_s", I64, this.make("f64_div", F64, a, b));
    const passed = this.make("i64_mul", I64, last, by);
    const needs = [
      ...from.needs,
      ...to.needs,
      this.make("i64_gt_s", I1, by, zero),
      this.make("i64_le_s", I1, by, this.wide(MAX_STEP)),
      this.make("i64_le_u", I1, last, this.wide(MAX_ROUNDS)),
      this.make("i64_le_s", I1, passed, least),
      this.make("i64_lt_s", I1, this.make("i64_sub", I64, most, passed), by),
    ];
    return this.ends({ last, needs, together: true }, from, by, sign, width);
  }

  /** The first time that a counter and a limit are equal, modulo 2³². */
  private roundsUntilEqual(at: Counter, limit: Linear | Spread, by: number): Count | undefined {
    if (!isLinear(at.start) || !isLinear(limit) || !isOne(at.start)) return undefined;
    const ends = by > 0 ? [limit.base, at.start.base] : [at.start.base, limit.base];
    const way = this.make("i32_sub", I32, ends[0], ends[1]);
    const size = Math.abs(by);
    const rest = this.make("i32_and", I32, way, this.word(size - 1));
    const shift = this.wide(BigInt(Math.log2(size)));
    const last = this.make("i64_shr_u", I64, this.make("i64_extend_i32_u", I64, way), shift);
    return { last, needs: [this.make("i32_eqz", I1, rest)], together: false };
  }

  /** A count, with the test that what is compared doesn't wrap before the end. */
  private ends(count: Count, from: Range, by: Value, sign: string, width: string): Count {
    if (width === "64") return count; // both ends lie within ±2⁶¹, and steps are small
    const end = this.make("i64_add", I64, from.high, this.make("i64_mul", I64, count.last, by));
    return { ...count, needs: [...count.needs, ...this.fits(end, end, sign !== "u")] };
  }

  /** max(v, 0). */
  private natural(v: Value): Value {
    const zero = this.wide(0n);
    return this.make("select", I64, this.make("i64_lt_s", I1, v, zero), zero, v);
  }

  /** A value as a phi of the loop plus what is the block's. */
  private counter(loop: Loop, v: Value): Counter | undefined {
    const found = this.inductions.phis.get(v);
    if (found) {
      const start = found.loop !== loop ? undefined : this.formOf(found.init);
      const step = this.stepOf(found);
      return start && step && { start, step };
    }
    if (!/^i(32|64)_(add|sub)$/.test(v.op)) return undefined;
    const [a, b] = v.args;
    const swapped = v.op.endsWith("add") && this.isOwn(a);
    const on = this.counter(loop, swapped ? b : a);
    const by = swapped ? a : b;
    if (!on || !this.isOwn(by)) return undefined;
    const { start } = on;
    const base = start.base ?? this.wide(0n);
    return {
      ...on,
      start: { ...start, base: this.make(v.op, v.type, base, by) } as Counter["start"],
    };
  }

  private formOf(v: Value): Linear | Spread | undefined {
    return v.type === I32 ? this.linear(v) : this.spread(v);
  }
}

/** The number that a step is, if it is known. */
function constantOf(step: Value): number | undefined {
  if (step.op !== "const") return undefined;
  return step.type === I32 ? step.imm : Number(step.big);
}

export const isLinear = (f: Linear | Spread): f is Linear => "slack" in f;

/** Whether a form is one value of the block. */
const isOne = (f: Linear | Spread) => (isLinear(f) ? isFlat(f) : f.bits === 0);

/** Whether a value is the same for all threads and rounds. */
export const isFlat = (l: Linear) => !l.slack && l.steps.every((s) => s === undefined);

/** A power of two that divides a 64-bit value, by how it was computed. */
function multipleOf(v: Value): number {
  const [a, b] = v.args;
  const low = (n: bigint) =>
    Number(n === 0n ? 1n << 30n : (n & -n) > 1n << 30n ? 1n << 30n : n & -n);
  if (v.op === "const") return low(v.big);
  if (v.op === "i64_mul" && b.op === "const") return Math.min(1 << 30, multipleOf(a) * low(b.big));
  if (v.op === "i64_shl" && b.op === "const") {
    return Math.min(1 << 30, multipleOf(a) * 2 ** Number(b.big & 63n));
  }
  if (v.op === "i64_add" || v.op === "i64_sub") return Math.min(multipleOf(a), multipleOf(b));
  return 1;
}
