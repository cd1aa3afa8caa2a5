import { type Cut, I32, I64, type LoweredFunction, type Type, Value } from "../ir/ir.ts";
import { following } from "./liveness.ts";

/** A register with two definitions: what it begins with, and itself plus a step. */
export interface Induction {
  register: number;
  /** The two `regwrite` operations. */
  begins: Value;
  advances: Value;
  /** What is added: the same whenever it is. */
  step: Value;
}

// How far an induction and its counter have come, at some place of the function. Each has begun and not
// advanced alone where they are together; apart is where that isn't known.
const UNREACHED = 0;
const NEITHER = 1;
const ONE_BEGUN = 2;
const COUNTER_BEGUN = 3;
const TOGETHER = 4;
const ONE_AHEAD = 5;
const COUNTER_AHEAD = 6;
const APART = 7;

/** What each definition makes of the state before it. */
const BEGINS = [0, ONE_BEGUN, ONE_BEGUN, TOGETHER, ONE_BEGUN, ONE_BEGUN, APART, ONE_BEGUN];
const COUNTER_BEGINS = [
  0,
  COUNTER_BEGUN,
  TOGETHER,
  COUNTER_BEGUN,
  COUNTER_BEGUN,
  APART,
  COUNTER_BEGUN,
  COUNTER_BEGUN,
];
const ADVANCES = [0, APART, APART, APART, ONE_AHEAD, APART, TOGETHER, APART];
const COUNTER_ADVANCES = [0, APART, APART, APART, COUNTER_AHEAD, TOGETHER, APART, APART];

/**
 * Finds registers that advance by steps in the same rounds of a loop in which a counter does: pointers
 * that nvcc made of indices. Where both are together, begin + (counter − its begin) / its step × step is the
 * register's value, so that it needs no place to be kept at a barrier.
 */
export class Lockstep {
  private readonly fn: LoweredFunction;
  private readonly inductions = new Map<number, Induction>();
  private readonly counters: Induction[] = [];
  private readonly together = new Map<string, Set<Cut>>();

  /**
   * @param isSteady whether a value is the same wherever it is computed
   * @param source the value that a `regread` reads, if there is one alone
   */
  constructor(
    fn: LoweredFunction,
    isSteady: (v: Value) => boolean,
    source: (v: Value) => Value | undefined,
  ) {
    this.fn = fn;
    const writes = new Map<number, Value[]>();
    const compared = new Set<number>();
    for (const b of fn.blocks) {
      for (const v of b.values) {
        v.block = b;
        if (v.op === "regwrite") writes.set(v.imm, [...(writes.get(v.imm) ?? []), v]);
        if (/^i32_(lt|le|gt|ge|eq|ne)/.test(v.op)) {
          for (const a of v.args) if (a.op === "regread") compared.add(a.imm);
        }
      }
    }
    for (const cut of fn.cuts) for (const { register } of cut.destinations) writes.delete(register);
    for (const [register, list] of writes) {
      if (list.length !== 2) continue;
      const advances = list.map((write) => advanceOf(register, write, source));
      const k = advances[0] ? 0 : 1;
      const found = advances[k];
      if (!found || advances[1 - k] || !isSteady(found.step)) continue;
      const { step } = found;
      const induction = { register, begins: list[1 - k], advances: list[k], step };
      this.inductions.set(register, induction);
      const counts = fn.registers[register].type === I32 && step.op === "const" && step.imm !== 0;
      if (
        counts &&
        (compared.has(register) || compared.has(found.by)) &&
        isSteady(list[1 - k].args[0])
      ) {
        this.counters.push(induction);
      }
    }
  }

  /** The induction of a register, and a counter that it is together with at a cut. */
  at(register: number, cut: Cut): { induction: Induction; counter: Induction } | undefined {
    const induction = this.inductions.get(register);
    if (!induction || this.counters.includes(induction)) return undefined;
    const counter = this.counters.find(
      (c) => dividesEvenly(induction, c) && this.cutsOf(induction, c).has(cut),
    );
    return counter && { induction, counter };
  }

  /** The cuts where two are together. */
  private cutsOf(one: Induction, counter: Induction): Set<Cut> {
    const key = `${one.register} ${counter.register}`;
    const known = this.together.get(key);
    if (known) return known;
    const tables = new Map([
      [one.begins, BEGINS],
      [one.advances, ADVANCES],
      [counter.begins, COUNTER_BEGINS],
      [counter.advances, COUNTER_ADVANCES],
    ]);
    const into = new Uint8Array(this.fn.blocks.length);
    into[this.fn.entry.id] = NEITHER;
    const work = [this.fn.entry];
    const atCut = new Map<Cut, number>();
    for (let b = work.pop(); b; b = work.pop()) {
      let state = into[b.id];
      for (const v of b.values) state = tables.get(v)?.[state] ?? state;
      if (b.terminator?.kind === "cut") atCut.set(b.terminator.cut, state);
      for (const s of following(b)) {
        const before = into[s.id];
        const next = before === UNREACHED || before === state ? state : APART;
        if (next === before) continue;
        into[s.id] = next;
        work.push(s);
      }
    }
    const found = new Set([...atCut].filter(([, s]) => s === TOGETHER).map(([cut]) => cut));
    this.together.set(key, found);
    return found;
  }
}

/**
 * What a definition adds to its register, if it does that: at once, or by way of another register (`by`) in
 * the same block.
 */
function advanceOf(
  register: number,
  write: Value,
  source: (v: Value) => Value | undefined,
): { step: Value; by: number } | undefined {
  let [sum] = write.args;
  let by = register;
  if (sum.op === "regread" && sum.imm !== register) {
    by = sum.imm;
    const value = source(sum);
    const values = write.block?.values ?? [];
    if (!value || values.indexOf(value) < 0 || values.indexOf(value) > values.indexOf(write))
      return undefined;
    sum = value;
  }
  if (sum.op !== "i32_add" && sum.op !== "i64_add") return undefined;
  const k = sum.args.findIndex((a) => a.op === "regread" && a.imm === register);
  return k < 0 ? undefined : { step: sum.args[1 - k], by };
}

/** Whether a counter's steps can be counted: powers of two, or such that one's step has each of its own in it. */
function dividesEvenly({ step }: Induction, counter: Induction): boolean {
  const by = Math.abs(counter.step.imm);
  if ((by & (by - 1)) === 0) return true;
  return (
    step.op === "const" && (step.type === I32 ? step.imm % by === 0 : step.big % BigInt(by) === 0n)
  );
}

/**
 * Appends the value of an induction that is together with its counter.
 * @param begin what the induction began with
 * @param counterBegin what the counter began with
 * @param count the counter's value
 * @param step the induction's step
 */
export function advanced(
  { induction, counter }: { induction: Induction; counter: Induction },
  begin: Value,
  counterBegin: Value,
  count: Value,
  step: Value,
  into: Value[],
): Value {
  const { type } = begin;
  const make = (op: string, of: Type, ...args: Value[]): Value => {
    const v = new Value(op, of, args);
    into.push(v);
    return v;
  };
  const constant = (n: bigint): Value => {
    const v =
      type === I32 ? new Value("const", I32, [], Number(n)) : new Value("const", I64, [], 0, n);
    into.push(v);
    return v;
  };
  const name = type === I32 ? "i32" : "i64";
  const by = counter.step.imm;
  const [later, earlier] = by > 0 ? [count, counterBegin] : [counterBegin, count];
  let steps = make("i32_sub", I32, later, earlier);
  let factor = step;
  const whole =
    induction.step.op === "const" ? (type === I32 ? BigInt(step.imm) : step.big) : undefined;
  const size = BigInt(Math.abs(by));
  if (whole !== undefined && whole % size === 0n) factor = constant(whole / size);
  else {
    const shift = new Value("const", I32, [], Math.log2(Math.abs(by)));
    into.push(shift);
    steps = make("i32_shr_u", I32, steps, shift);
  }
  if (type !== I32) steps = make("i64_extend_i32_u", I64, steps);
  return make(`${name}_add`, type, begin, make(`${name}_mul`, type, steps, factor));
}
