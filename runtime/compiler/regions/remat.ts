import { type Block, type Cut, isPure, type LoweredFunction, NO_AUX, Value } from "../ir/ir.ts";
import { following } from "./liveness.ts";
import { advanced, type Induction, Lockstep } from "./lockstep.ts";

const MAX_COST = 16;
/** Operations that count an induction's steps. */
const COUNTING = 4;

/** What a register may have been given: nothing yet, one value (by number, from 1), or several. */
const NOTHING = 0;
const SEVERAL = -1;

/**
 * Finds the registers that are cheaper to compute again behind a cut than to save across it: those
 * whose only definition that comes to the cut is a short pure expression of constants, special
 * registers and kernel parameters; and those that advance together with a counter that is there anyway
 * (`lockstep.ts`). They get no spill slot.
 */
export class Rematerializer {
  /** The values that registers are given, by number; undefined where an operation behind a cut does. */
  private readonly given: (Value | undefined)[] = [undefined];
  private readonly cost: number[] = [Number.POSITIVE_INFINITY];
  /** The number of a register's one definition, or SEVERAL. */
  private readonly single: Int32Array;
  /** Where a register with several definitions stands in the states, or -1. */
  private readonly place: Int32Array;
  /** What comes to each cut, of the registers with several definitions. */
  private readonly atCut = new Map<Cut, Int32Array>();
  /** The definition that each `regread` reads. */
  private readonly read = new Map<Value, number>();
  private readonly live: Uint32Array[];
  private readonly lockstep: Lockstep;
  private readonly number = new Map<Value, number>();

  /** @param live the registers that are live where each block starts (`liveRegisters`) */
  constructor(fn: LoweredFunction, live: Uint32Array[]) {
    this.live = live;
    this.single = new Int32Array(fn.registers.length);
    this.place = new Int32Array(fn.registers.length).fill(-1);
    const writes = new Map<Value, number>();
    const define = (register: number, value: Value | undefined) => {
      const number = this.given.push(value) - 1;
      this.single[register] = this.single[register] === NOTHING ? number : SEVERAL;
      return number;
    };
    for (const b of fn.blocks) {
      for (const v of b.values) if (v.op === "regwrite") writes.set(v, define(v.imm, v.args[0]));
    }
    // A destination of a warp operation is a definition too.
    const arrivals = new Map<Cut, { register: number; number: number }[]>();
    for (const cut of fn.cuts) {
      const own = cut.destinations.filter((d) => d.register >= 0);
      arrivals.set(
        cut,
        own.map(({ register }) => ({ register, number: define(register, undefined) })),
      );
    }
    let places = 0;
    this.single.forEach((number, register) => {
      if (number === SEVERAL) this.place[register] = places++;
    });
    this.flow(fn, places, writes, arrivals);
    this.number = writes;
    this.lockstep = new Lockstep(
      fn,
      (v) => this.valueCost(v) < Number.POSITIVE_INFINITY,
      (v) => this.given[Math.max(this.read.get(v) ?? SEVERAL, NOTHING)],
    );
  }

  /** Which definitions come where: forwards, until nothing changes. */
  private flow(
    fn: LoweredFunction,
    places: number,
    writes: Map<Value, number>,
    arrivals: Map<Cut, { register: number; number: number }[]>,
  ): void {
    const into = fn.blocks.map(() => new Int32Array(places));
    const seen = new Uint8Array(fn.blocks.length);
    const work: Block[] = [fn.entry];
    seen[fn.entry.id] = 1;
    const state = new Int32Array(places);
    const write = (register: number, number: number) => {
      if (this.place[register] >= 0) state[this.place[register]] = number;
    };
    for (let b = work.pop(); b; b = work.pop()) {
      state.set(into[b.id]);
      for (const v of b.values) {
        if (v.op === "regread") this.read.set(v, this.definition(v.imm, state));
        else if (v.op === "regwrite") write(v.imm, writes.get(v) as number);
      }
      const cut = b.terminator?.kind === "cut" ? b.terminator.cut : undefined;
      if (cut) {
        this.atCut.set(cut, state.slice());
        for (const { register, number } of arrivals.get(cut) ?? []) write(register, number);
      }
      for (const s of following(b)) {
        const target = into[s.id];
        let changed = seen[s.id] === 0;
        for (let k = 0; k < places; k++) {
          const next = seen[s.id] ? join(target[k], state[k]) : state[k];
          if (next === target[k]) continue;
          target[k] = next;
          changed = true;
        }
        seen[s.id] = 1;
        if (changed) work.push(s);
      }
    }
  }

  private definition(register: number, state: Int32Array): number {
    const place = this.place[register];
    return place < 0 ? this.single[register] : state[place];
  }

  private numberAt(register: number, cut: Cut): number {
    const state = this.atCut.get(cut);
    return state ? this.definition(register, state) : SEVERAL;
  }

  /** Whether the register is computed again behind `cut` rather than saved. */
  has(register: number, cut: Cut): boolean {
    const cost = this.costOf(this.numberAt(register, cut));
    return cost <= MAX_COST || this.counted(register, cut) !== undefined;
  }

  /** The counter that a register can be computed from behind a cut, if that is short. */
  private counted(register: number, cut: Cut): ReturnType<Lockstep["at"]> {
    const found = this.lockstep.at(register, cut);
    if (!found) return undefined;
    const { induction, counter } = found;
    const isLive = (this.live[cut.next.id][counter.register >>> 5] >>> (counter.register & 31)) & 1;
    const cost =
      this.beginCost(induction) + this.beginCost(counter) + this.valueCost(induction.step);
    return isLive && cost + COUNTING <= MAX_COST ? found : undefined;
  }

  private beginCost({ begins }: Induction): number {
    return this.costOf(this.number.get(begins) as number);
  }

  private costOf(number: number): number {
    if (number <= NOTHING) return Number.POSITIVE_INFINITY;
    const known = this.cost[number];
    if (known !== undefined) return known;
    this.cost[number] = Number.POSITIVE_INFINITY; // a cycle is no expression
    const value = this.given[number];
    const cost = value ? this.valueCost(value) : Number.POSITIVE_INFINITY;
    this.cost[number] = cost;
    return cost;
  }

  private valueCost(value: Value): number {
    if (value.op === "regread") return this.costOf(this.read.get(value) ?? SEVERAL);
    if (!isPure(value) || value.op === "load" || value.op === "lib")
      return Number.POSITIVE_INFINITY;
    let sum = value.op === "const" || value.op === "sreg" || value.op === "param" ? 0 : 1;
    for (const a of value.args) sum += this.valueCost(a);
    return sum;
  }

  /**
   * Appends a copy of the register's expression to `into`; `memo` shares definitions.
   * @param reload the value that another register has behind the cut
   */
  compute(
    register: number,
    cut: Cut,
    into: Value[],
    memo: Map<number, Value>,
    reload: (register: number) => Value,
  ): Value {
    const number = this.numberAt(register, cut);
    const found = this.costOf(number) <= MAX_COST ? undefined : this.counted(register, cut);
    if (!found) return this.copy(number, into, memo);
    const { induction, counter } = found;
    const begin = (i: Induction) => this.copy(this.number.get(i.begins) as number, into, memo);
    const [own, other] = [begin(induction), begin(counter)];
    const step = this.copyValue(induction.step, into, memo);
    return advanced(found, own, other, reload(counter.register), step, into);
  }

  private copy(number: number, into: Value[], memo: Map<number, Value>): Value {
    const known = memo.get(number);
    if (known) return known;
    const result = this.copyValue(this.given[number] as Value, into, memo);
    memo.set(number, result);
    return result;
  }

  private copyValue(value: Value, into: Value[], memo: Map<number, Value>): Value {
    if (value.op === "regread") return this.copy(this.read.get(value) as number, into, memo);
    const args = value.args.map((a) => this.copyValue(a, into, memo));
    const copy = new Value(value.op, value.type, args, value.imm, value.big, value.aux ?? NO_AUX);
    into.push(copy);
    return copy;
  }
}

const join = (a: number, b: number): number =>
  a === b || b === NOTHING ? a : a === NOTHING ? b : SEVERAL;
