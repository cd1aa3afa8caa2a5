import { type Block, NONE, Value } from "../ir/ir.ts";

/** What the pass needs to know about a body's values. */
export interface SpillPolicy {
  /** Takes one vector register while it lives. */
  isVector(v: Value): boolean;
  /** Is written where it is used. */
  inlined: ReadonlySet<Value>;
  /** Values that other blocks see, or that are set in more than one place. */
  kept: ReadonlySet<Value>;
  /** Told of each new value. */
  created(v: Value): void;
}

/** Vector registers to fill: those of x86 without AVX-512, less two for what an operation needs. */
const REGISTERS = 14;
/** Blocks with fewer values are left to the engine. */
const MIN_VALUES = 300;

/**
 * Keeps at most REGISTERS vectors alive in a large block without control flow. What is not used for
 * longest is kept in memory (`spill`, right behind the value) and comes back for its next uses
 * (`unspill`), as in Belady's algorithm.
 * @param slots vectors that fit in memory
 * @returns whether anything is kept there
 */
export function spillVectors(block: Block, slots: number, policy: SpillPolicy): boolean {
  if (block.values.length < MIN_VALUES) return false;
  const spiller = new Spiller(block, slots, policy);
  return spiller.run();
}

class Spiller {
  private readonly block: Block;
  private readonly policy: SpillPolicy;
  /** What is written on its own, in order, and the vectors that each reads. */
  private readonly roots: Value[];
  private readonly operands: Value[][];
  private readonly own: Set<Value>;
  /** Positions where a value that may be spilled is read, in order. */
  private readonly uses = new Map<Value, number[]>();
  /** In registers: each value by what stands for it now. */
  private readonly live = new Map<Value, Value>();
  private readonly slotOf = new Map<Value, number>();
  /** Slots that nothing needs any more from a position on. */
  private readonly free: { slot: number; from: number }[];
  private readonly position = new Map<Value, number>();
  private readonly spills = new Map<Value, Value>();
  private readonly before = new Map<Value, Value[]>();

  constructor(block: Block, slots: number, policy: SpillPolicy) {
    this.block = block;
    this.policy = policy;
    this.own = new Set(block.values);
    this.roots = block.values.filter((v) => !policy.inlined.has(v));
    this.operands = this.roots.map((v) => [...this.leaves(v, new Set())]);
    this.free = Array.from({ length: slots }, (_, slot) => ({ slot, from: -1 }));
    this.roots.forEach((v, at) => {
      this.position.set(v, at);
    });
  }

  private leaves(v: Value, out: Set<Value>): Set<Value> {
    for (const a of v.args) {
      if (this.policy.inlined.has(a)) this.leaves(a, out);
      else if (this.policy.isVector(a)) out.add(a);
    }
    return out;
  }

  private maySpill(v: Value): boolean {
    const { policy } = this;
    return this.own.has(v) && policy.isVector(v) && !policy.inlined.has(v) && !policy.kept.has(v);
  }

  run(): boolean {
    const fixed = new Set<Value>();
    this.roots.forEach((v, at) => {
      for (const a of this.operands[at]) {
        if (!this.maySpill(a)) fixed.add(a);
        else this.uses.set(a, [...(this.uses.get(a) ?? []), at]);
      }
      if (this.policy.isVector(v) && !this.maySpill(v)) fixed.add(v);
    });
    // Too little is left to choose from.
    if (fixed.size > REGISTERS / 2) return false;
    const budget = REGISTERS - fixed.size;
    this.roots.forEach((v, at) => {
      this.step(v, at, budget);
    });
    if (this.spills.size === 0) return false;
    this.rewrite();
    return true;
  }

  private nextUse(v: Value, at: number): number {
    return this.uses.get(v)?.find((k) => k > at) ?? Infinity;
  }

  private step(v: Value, at: number, budget: number): void {
    const needed = new Set(this.operands[at].filter((a) => this.maySpill(a)));
    const renamed = new Map<Value, Value>();
    for (const a of needed) {
      const stands = this.live.get(a) ?? this.bringBack(a, v);
      if (stands !== a) renamed.set(a, stands);
    }
    if (renamed.size > 0) this.rename(v, renamed);
    this.evict(at, budget, needed);
    for (const a of needed) {
      if (this.nextUse(a, at) < Infinity) continue;
      this.live.delete(a);
      const slot = this.slotOf.get(a);
      if (slot !== undefined) this.free.push({ slot, from: at });
    }
    if (!this.maySpill(v) || !this.uses.has(v)) return;
    this.live.set(v, v);
    this.evict(at, budget, new Set([v]));
  }

  private bringBack(a: Value, user: Value): Value {
    const back = new Value("unspill", a.type, [], this.slotOf.get(a) as number);
    this.policy.created(back);
    this.before.set(user, [...(this.before.get(user) ?? []), back]);
    this.live.set(a, back);
    return back;
  }

  private evict(at: number, budget: number, keep: ReadonlySet<Value>): void {
    while (this.live.size > budget) {
      let worst: Value | undefined;
      let furthest = -1;
      for (const v of this.live.keys()) {
        const next = this.nextUse(v, at);
        if (next > furthest && !keep.has(v)) [worst, furthest] = [v, next];
      }
      if (!worst || !this.keepInMemory(worst)) return;
      this.live.delete(worst);
    }
  }

  /** The slot is written where the value is made: what is free now must have been free then, too. */
  private keepInMemory(v: Value): boolean {
    if (this.slotOf.has(v)) return true;
    const made = this.position.get(v) as number;
    const k = this.free.findIndex(({ from }) => from <= made);
    if (k < 0) return false;
    const [{ slot }] = this.free.splice(k, 1);
    this.slotOf.set(v, slot);
    const spill = new Value("spill", NONE, [v], slot);
    v.uses++;
    this.policy.created(spill);
    this.spills.set(v, spill);
    return true;
  }

  private rename(v: Value, to: Map<Value, Value>): void {
    v.args = v.args.map((a) => {
      if (this.policy.inlined.has(a)) this.rename(a, to);
      const stands = to.get(a) ?? a;
      a.uses--;
      stands.uses++;
      return stands;
    });
  }

  private rewrite(): void {
    this.block.values = this.block.values.flatMap((v) => {
      const spill = this.spills.get(v);
      return [...(this.before.get(v) ?? []), v, ...(spill ? [spill] : [])];
    });
  }
}
