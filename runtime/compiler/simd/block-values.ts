import { I1, I32, I64, type Type, Value } from "../ir/ir.ts";
import { constant } from "../passes/fold.ts";

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
    const folded = foldExtent(op, type, args);
    if (folded) return folded;
    const part = (a: Value) => (a.op === "const" ? `#${a.imm},${a.big}` : a.id);
    return this.once(`${op} ${args.map(part).join(" ")}`, () => new Value(op, type, args));
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

/** Constant operands, and those that change nothing. */
function foldExtent(op: string, type: Type, args: Value[]): Value | undefined {
  const isConst = (v: Value, n?: number) =>
    v.op === "const" && (n === undefined || (v.type === I64 ? v.big === BigInt(n) : v.imm === n));
  const [a, b, c] = args;
  if (op === "select") {
    if (isConst(a)) return a.imm !== 0 ? b : c;
    return undefined;
  }
  if (/_(add|sub)$/.test(op) && isConst(b, 0)) return a;
  if (/_add$/.test(op) && isConst(a, 0)) return b;
  if (/_mul$/.test(op) && isConst(b, 1)) return a;
  if (/_mul$/.test(op) && isConst(a, 1)) return b;
  if (!args.every((v) => isConst(v))) return undefined;
  const word = (n: number) => constant(type, n);
  const wide = (n: bigint) => constant(I64, n);
  const truth = (t: boolean) => constant(I1, t ? 1 : 0);
  switch (op) {
    case "i32_add":
      return word(a.imm + b.imm);
    case "i32_sub":
      return word(a.imm - b.imm);
    case "i32_mul":
      return word(Math.imul(a.imm, b.imm));
    case "i32_shl":
      return word(a.imm << (b.imm & 31));
    case "i32_and":
      return word(a.imm & b.imm);
    case "i32_eqz":
      return truth(a.imm === 0);
    case "i64_extend_i32_s":
      return wide(BigInt(a.imm));
    case "i64_extend_i32_u":
      return wide(BigInt(a.imm >>> 0));
    case "i64_add":
      return wide(a.big + b.big);
    case "i64_sub":
      return wide(a.big - b.big);
    case "i64_mul":
      return wide(a.big * b.big);
    case "i64_lt_s":
      return truth(BigInt.asIntN(64, a.big) < BigInt.asIntN(64, b.big));
    case "i64_le_s":
      return truth(BigInt.asIntN(64, a.big) <= BigInt.asIntN(64, b.big));
    case "i64_ge_s":
      return truth(BigInt.asIntN(64, a.big) >= BigInt.asIntN(64, b.big));
    case "i64_shr_s":
      return wide(BigInt.asIntN(64, a.big) >> b.big);
    case "and1":
      return truth((a.imm & b.imm) !== 0);
    case "or1":
      return truth((a.imm | b.imm) !== 0);
  }
  return undefined;
}
