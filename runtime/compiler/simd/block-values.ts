import { I32, I64, type Type, Value } from "../ir/ir.ts";
import { constant, fold } from "../passes/fold.ts";

/** Makes values that are the same for all threads of a block: folded, and each only once. */
export class BlockValues {
  /** What was made, in order; some of it may not be needed. */
  readonly code: Value[] = [];
  private readonly prologue: Set<Value>;
  private readonly own = new Set<Value>();
  private readonly made = new Map<string, Value>();

  /** @param prologue values of the block that are there */
  constructor(prologue: Iterable<Value>) {
    this.prologue = new Set(prologue);
  }

  /** Whether a value is the block's. */
  protected isOwn(v: Value): boolean {
    return v.op === "const" || this.prologue.has(v) || this.own.has(v);
  }

  protected word(n: number): Value {
    return constant(I32, n);
  }

  protected wide(n: bigint): Value {
    return constant(I64, n);
  }

  protected register(name: string, type: Type): Value {
    return this.once(`sreg ${name}`, () => new Value("sreg", type, [], 0, 0n, { name }));
  }

  /** An operation on values of the block. */
  protected make(op: string, type: Type, ...args: Value[]): Value {
    let v = new Value(op, type, args);
    for (let next = fold(v); next !== v; next = fold(v)) {
      v = next;
      if (this.isOwn(v)) return v;
    }
    const part = (a: Value) => (a.op === "const" ? `#${a.imm},${a.big}` : a.id);
    return this.once(`${v.op} ${v.args.map(part).join(" ")}`, () => v);
  }

  private once(key: string, make: () => Value): Value {
    let v = this.made.get(key);
    if (!v) {
      v = make();
      this.made.set(key, v);
      this.own.add(v);
      this.code.push(v);
    }
    return v;
  }
}
