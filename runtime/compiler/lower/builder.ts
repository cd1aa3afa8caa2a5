import {
  type Aux,
  type Block,
  F32,
  F64,
  I1,
  I32,
  I64,
  NO_AUX,
  NONE,
  type Type,
  Value,
} from "../ir/ir.ts";
import type { Instruction, Operand, PtxFunction, Variable } from "../ptx/ast.ts";
import { PtxError } from "../ptx/ast.ts";
import type { FunctionLowering } from "./function.ts";
import { type PtxType, ptxType } from "./types.ts";

const floatView = new DataView(new ArrayBuffer(8));

/** The bits of an f32 nearest to a double. */
function f32Bits(bits64: bigint): number {
  floatView.setBigUint64(0, bits64);
  floatView.setFloat32(0, floatView.getFloat64(0));
  return floatView.getInt32(0);
}

/** The bits of the double with an f32's value. */
function f64Bits(bits32: bigint): bigint {
  floatView.setUint32(0, Number(bits32));
  floatView.setFloat64(0, floatView.getFloat32(0));
  return floatView.getBigUint64(0);
}

/**
 * Appends operations to the current block, and reads and writes PTX operands. One builder serves
 * one instruction after the other; `guard` is the predicate of an instruction that is lowered
 * without a branch (its writes become selects).
 */
export class Builder {
  readonly fn: FunctionLowering;
  block!: Block;
  instruction!: Instruction;
  guard: Value | undefined = undefined;

  constructor(fn: FunctionLowering) {
    this.fn = fn;
  }

  /** An error at the current instruction. */
  error(message: string): PtxError {
    const i = this.instruction;
    return new PtxError(`${message}: ${i.text()}`, i.line, i.column, this.fn.kernelName);
  }

  /** The error for what the compiler does not support. */
  unsupported(what = "unsupported instruction"): PtxError {
    return this.error(what);
  }

  emit(op: string, type: Type, args: Value[], aux: Aux = NO_AUX, imm = 0, big = 0n): Value {
    const value = new Value(op, type, args, imm, big, aux);
    this.block.values.push(value);
    return value;
  }

  i32(value: number): Value {
    return this.emit("const", I32, [], NO_AUX, value | 0);
  }

  i64(value: bigint): Value {
    return this.emit("const", I64, [], NO_AUX, 0, BigInt.asIntN(64, value));
  }

  bool(value: boolean): Value {
    return this.emit("const", I1, [], NO_AUX, value ? 1 : 0);
  }

  /** A call of a device library function; its signature gives the result type. */
  lib(name: string, args: Value[], effect = false): Value {
    const found = this.fn.library.find(name);
    if (!found) throw this.unsupported();
    const types: Record<number, Type> = { 127: I32, 126: I64, 125: F32, 124: F64 };
    const result = found.type.results.length ? types[found.type.results[0]] : NONE;
    if (found.type.params.length !== args.length) {
      throw this.unsupported(`wrong number of operands (${found.type.params.length} expected)`);
    }
    return this.emit("lib", result, args, { name, effect });
  }

  not(a: Value): Value {
    return this.emit("not1", I1, [a]);
  }

  /** An I1 from an i32 that is 0 or not. */
  truth(a: Value): Value {
    return this.emit("i32_ne", I1, [a, this.i32(0)]);
  }

  /** An i32 0 or 1 from an I1. */
  bit(a: Value): Value {
    return this.emit("bool_to_i32", I32, [a]);
  }

  select(cond: Value, a: Value, b: Value): Value {
    return this.emit("select", a.type, [cond, a, b]);
  }

  /** Reinterprets or resizes `v` (of IR type) so that it has IR type `to`, bits kept. */
  coerce(v: Value, to: Type): Value {
    if (v.type === to) return v;
    const key = v.type * 8 + to;
    switch (key) {
      case I32 * 8 + F32:
        return this.emit("f32_reinterpret_i32", F32, [v]);
      case F32 * 8 + I32:
        return this.emit("i32_reinterpret_f32", I32, [v]);
      case I64 * 8 + F64:
        return this.emit("f64_reinterpret_i64", F64, [v]);
      case F64 * 8 + I64:
        return this.emit("i64_reinterpret_f64", I64, [v]);
      case I64 * 8 + I32:
        return this.emit("i32_wrap_i64", I32, [v]);
      case I32 * 8 + I64:
        return this.emit("i64_extend_i32_u", I64, [v]);
      case I1 * 8 + I32:
        return this.bit(v);
      case I32 * 8 + I1:
        return this.truth(v);
      case F32 * 8 + I64:
        return this.coerce(this.coerce(v, I32), I64);
      case I64 * 8 + F32:
        return this.coerce(this.coerce(v, I32), F32);
      case F64 * 8 + I32:
        return this.coerce(this.coerce(v, I64), I32);
      case I32 * 8 + F64:
        return this.coerce(this.coerce(v, I64), F64);
      default:
        throw this.error("a predicate and a number don't mix");
    }
  }

  /** An I32 cut to its low `bits` bits (zero-extended). */
  zeroExtend(v: Value, bits: number): Value {
    if (bits >= 32) return v;
    return this.emit("i32_and", I32, [v, this.i32((1 << bits) - 1)]);
  }

  /** An I32 whose low `bits` bits are sign-extended to 32. */
  signExtend(v: Value, bits: number): Value {
    if (bits === 8) return this.emit("i32_extend8_s", I32, [v]);
    if (bits === 16) return this.emit("i32_extend16_s", I32, [v]);
    return v;
  }

  /**
   * Reads an operand as a value of `type`: integers below 32 bits zero-extended. A register that is
   * wider than the type is truncated, a float register read as bits is reinterpreted.
   */
  read(operand: Operand, type: PtxType): Value {
    switch (operand.kind) {
      case "reg": {
        if (operand.component) throw this.unsupported("unsupported vector component");
        const declared = ptxType(operand.reg.type);
        const v = this.readRegister(operand.reg);
        const c = this.coerce(v, type.type);
        return type.bits < 32 && type.bits > 1 && declared.bits > type.bits
          ? this.zeroExtend(c, type.bits)
          : c;
      }
      case "int":
        return this.constant(operand.value, type);
      case "float": {
        if (type.type === F32) {
          const bits =
            operand.size === 4 ? Number(BigInt.asIntN(32, operand.bits)) : f32Bits(operand.bits);
          return this.emit("const", F32, [], NO_AUX, bits);
        }
        if (type.type === F64) {
          const bits = operand.size === 8 ? operand.bits : f64Bits(operand.bits);
          return this.emit("const", F64, [], NO_AUX, 0, BigInt.asIntN(64, bits));
        }
        return this.constant(operand.bits, type);
      }
      case "sreg":
        return this.coerce(this.fn.specialRegister(this, operand.name), type.type);
      case "not":
        return this.not(this.read(operand.operand, type));
      case "symbol":
        return this.coerce(this.symbolAddress(operand.symbol, operand.offset), type.type);
      default:
        throw this.error(`unexpected operand (${operand.kind})`);
    }
  }

  /** Reads a signed operand below 32 bits sign-extended; others as {@link read}. */
  readSigned(operand: Operand, type: PtxType): Value {
    const v = this.read(operand, type);
    return type.signed ? this.signExtend(v, type.bits) : v;
  }

  private constant(value: bigint, type: PtxType): Value {
    if (type.type === I1) return this.bool(value !== 0n);
    if (type.type === I64) return this.i64(value);
    if (type.type === I32)
      return this.i32(Number(BigInt.asIntN(32, BigInt.asUintN(type.bits, value))));
    if (type.type === F32)
      return this.emit("const", F32, [], NO_AUX, Number(BigInt.asIntN(32, value)));
    return this.emit("const", F64, [], NO_AUX, 0, BigInt.asIntN(64, value));
  }

  readRegister(reg: Variable): Value {
    const index = this.fn.registerOf(reg);
    return this.emit("regread", this.fn.registers[index].type, [], NO_AUX, index);
  }

  /** Writes a virtual register, under the guard if there is one. */
  writeRegister(index: number, value: Value): void {
    let v = value;
    if (this.guard) {
      const old = this.emit("regread", this.fn.registers[index].type, [], NO_AUX, index);
      v = this.select(this.guard, v, old);
    }
    this.emit("regwrite", NONE, [v], NO_AUX, index);
  }

  /**
   * Writes a value of `type` to an operand. A wider register gets it sign- or zero-extended, as
   * `type` says (PTX ISA §9.4.1).
   */
  write(operand: Operand, value: Value, type: PtxType): void {
    if (operand.kind === "sink") return;
    if (operand.kind !== "reg" || operand.component) throw this.error("a register was expected");
    const declared = ptxType(operand.reg.type);
    let v = value;
    if (declared.bits > type.bits && type.bits > 1) {
      if (type.signed) {
        if (type.bits < 32) v = this.signExtend(v, type.bits);
        if (declared.bits === 64) v = this.emit("i64_extend_i32_s", I64, [v]);
        else v = this.zeroExtend(v, declared.bits);
      }
    } else if (declared.bits < type.bits && declared.bits < 32) {
      v = this.zeroExtend(this.coerce(v, I32), declared.bits);
    }
    this.writeRegister(this.fn.registerOf(operand.reg), this.coerce(v, declared.type));
  }

  /** The address of a variable in its own state space (I64 for global and const: generic). */
  symbolAddress(symbol: Variable | PtxFunction, offset: number): Value {
    return this.fn.symbolAddress(this, symbol, offset);
  }

  /** The index of a fault site for the current instruction. */
  site(): number {
    return this.fn.site(this.instruction);
  }
}
