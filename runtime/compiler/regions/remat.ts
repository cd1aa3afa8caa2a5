import { isPure, type LoweredFunction, NO_AUX, Value } from "../ir/ir.ts";

const MAX_COST = 8;

/**
 * Finds the registers that are cheaper to compute again behind a cut than to save across it: those
 * with one definition that is a short pure expression of constants, special registers and kernel
 * parameters. They get no spill slot.
 */
export class Rematerializer {
  private readonly definition = new Map<number, Value | undefined>();
  private readonly cost = new Map<number, number>();

  constructor(fn: LoweredFunction) {
    for (const b of fn.blocks) {
      for (const v of b.values) {
        if (v.op !== "regwrite") continue;
        this.definition.set(v.imm, this.definition.has(v.imm) ? undefined : v.args[0]);
      }
    }
    // A destination of a warp operation is a definition too.
    for (const cut of fn.cuts) {
      for (const d of cut.destinations) this.definition.set(d.register, undefined);
    }
  }

  /** Whether the register is computed again rather than saved. */
  has(register: number): boolean {
    return this.costOf(register) <= MAX_COST;
  }

  private costOf(register: number): number {
    const known = this.cost.get(register);
    if (known !== undefined) return known;
    this.cost.set(register, Number.POSITIVE_INFINITY); // a cycle is no expression
    const value = this.definition.get(register);
    const cost = value ? this.valueCost(value) : Number.POSITIVE_INFINITY;
    this.cost.set(register, cost);
    return cost;
  }

  private valueCost(value: Value): number {
    if (value.op === "regread") return this.costOf(value.imm);
    if (!isPure(value) || value.op === "load" || value.op === "lib")
      return Number.POSITIVE_INFINITY;
    let sum = value.op === "const" || value.op === "sreg" || value.op === "param" ? 0 : 1;
    for (const a of value.args) sum += this.valueCost(a);
    return sum;
  }

  /** Appends a copy of the register's expression to `into`; `memo` shares registers. */
  compute(register: number, into: Value[], memo: Map<number, Value>): Value {
    const known = memo.get(register);
    if (known) return known;
    const build = (value: Value): Value => {
      if (value.op === "regread") return this.compute(value.imm, into, memo);
      const args = value.args.map(build);
      const copy = new Value(value.op, value.type, args, value.imm, value.big, value.aux ?? NO_AUX);
      into.push(copy);
      return copy;
    };
    const result = build(this.definition.get(register) as Value);
    memo.set(register, result);
    return result;
  }
}
