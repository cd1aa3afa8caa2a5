import { I32, Value } from "../ir/ir.ts";
import { constant } from "./fold.ts";

/** Writes operations on 32-bit integers, in their order, to be put into a block. */
export class Writer {
  readonly made: Value[] = [];

  /** A value as it is; a number as a constant. */
  operand(x: Value | number): Value {
    if (typeof x !== "number") return x;
    const k = constant(I32, x);
    this.made.push(k);
    return k;
  }

  op(name: string, a: Value, b: Value | number): Value {
    const value = new Value(name, I32, [a, this.operand(b)]);
    this.made.push(value);
    return value;
  }
}
