import { F32, F64, I1, I32, I64, type Value } from "../ir/ir.ts";
import type { Instruction } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import { addCc, madCc } from "./carry.ts";
import type { Lowering } from "./instructions.ts";
import { lastType, type PtxType, ptxType } from "./types.ts";

/** True if all modifiers but the type are in `allowed`. */
export function onlyMods(i: Instruction, type: PtxType, ...allowed: string[]): boolean {
  return i.mods.every((m) => m === type.name || allowed.includes(m));
}

const prefix = (type: PtxType) => (type.type === I64 ? "i64" : "i32");

/** Integer result of `bits` bits from a 32-bit operation. */
function wrapped(b: Builder, v: Value, type: PtxType): Value {
  return type.bits < 32 ? b.zeroExtend(v, type.bits) : v;
}

function binary(int: string, float?: string): Lowering {
  return (b, i) => {
    const type = lastType(i.mods);
    if (!type) return false;
    if (i.mods[0] === "cc") return addCc(b, i);
    const [d, x, y] = i.operands;
    if (type.float) {
      if (!float || !onlyMods(i, type, "rn")) return false;
      const op = `${type.type === F32 ? "f32" : "f64"}_${float}`;
      b.write(d, b.emit(op, type.type, [b.read(x, type), b.read(y, type)]), type);
      return true;
    }
    if (!/^[busBUS]\d+$/.test(type.name) || !onlyMods(i, type)) return false;
    const v = b.emit(`${prefix(type)}_${int}`, type.type, [b.read(x, type), b.read(y, type)]);
    b.write(d, wrapped(b, v, type), type);
    return true;
  };
}

/** `mul.lo`, `mul.hi` and `mul.wide` of two operands: the value and its type. */
function product(
  b: Builder,
  i: Instruction,
  type: PtxType,
): { v: Value; type: PtxType } | undefined {
  const [, x, y] = i.operands;
  if (i.mods.includes("lo")) {
    const v = b.emit(`${prefix(type)}_mul`, type.type, [b.read(x, type), b.read(y, type)]);
    return { v: wrapped(b, v, type), type };
  }
  const wide = i.mods.includes("wide");
  if (!wide && !i.mods.includes("hi")) return undefined;
  if (type.bits === 16) {
    const v = b.emit("i32_mul", I32, [b.readSigned(x, type), b.readSigned(y, type)]);
    if (wide) return { v, type: ptxType(type.signed ? "s32" : "u32") };
    return { v: b.emit("i32_shr_u", I32, [v, b.i32(16)]), type };
  }
  if (type.bits === 32) {
    const extend = type.signed ? "i64_extend_i32_s" : "i64_extend_i32_u";
    const v = b.emit("i64_mul", I64, [
      b.emit(extend, I64, [b.read(x, type)]),
      b.emit(extend, I64, [b.read(y, type)]),
    ]);
    if (wide) return { v, type: ptxType(type.signed ? "s64" : "u64") };
    const high = b.emit("i64_shr_u", I64, [v, b.i64(32n)]);
    return { v: b.emit("i32_wrap_i64", I32, [high]), type };
  }
  if (wide) return undefined;
  return { v: b.lib(`mul_hi_${type.name}`, [b.read(x, type), b.read(y, type)]), type };
}

const mul: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type) return false;
  if (type.float) return binary("mul", "mul")(b, i);
  if (!onlyMods(i, type, "lo", "hi", "wide")) return false;
  const p = product(b, i, type);
  if (!p) return false;
  b.write(i.operands[0], p.v, p.type);
  return true;
};

/** fma, and mad of floats, which is the same operation since sm_20 (PTX ISA §9.7.3 mad). */
const fma: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type?.float || !onlyMods(i, type, "rn")) return false;
  const [d, x, y, z] = i.operands;
  const args = [b.read(x, type), b.read(y, type), b.read(z, type)];
  b.write(d, b.emit(type.type === F32 ? "f32_fma" : "f64_fma", type.type, args), type);
  return true;
};

const mad: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type) return false;
  if (type.float) {
    if (onlyMods(i, type, "rn")) return fma(b, i);
    const name = `fma_${i.mods.join("_")}`;
    if (!b.fn.library.find(name)) return false;
    const [d, ...rest] = i.operands;
    b.write(
      d,
      b.lib(
        name,
        rest.map((o) => b.read(o, type)),
      ),
      type,
    );
    return true;
  }
  if (i.mods.includes("cc")) return madCc(b, i);
  if (!onlyMods(i, type, "lo", "hi", "wide")) return false;
  const p = product(b, i, type);
  if (!p) return false;
  const v = b.emit(`${prefix(p.type)}_add`, p.type.type, [p.v, b.read(i.operands[3], p.type)]);
  b.write(i.operands[0], wrapped(b, v, p.type), p.type);
  return true;
};

function minmax(op: "lt" | "gt"): Lowering {
  return (b, i) => {
    const type = lastType(i.mods);
    if (!type || !/^[us](16|32|64)$/.test(type.name) || !onlyMods(i, type)) return false;
    if (i.operands.length !== 3) return false;
    const [d, x, y] = i.operands;
    const p = b.readSigned(x, type);
    const q = b.readSigned(y, type);
    const cmp = b.emit(`${prefix(type)}_${op}_${type.signed ? "s" : "u"}`, I1, [p, q]);
    b.write(d, wrapped(b, b.select(cmp, p, q), type), type);
    return true;
  };
}

/** Integer division: by zero gives all ones and the dividend (what hardware does; PTX leaves it). */
function divide(rem: boolean): Lowering {
  return (b, i) => {
    const type = lastType(i.mods);
    if (!type || type.float) return floatDivide(b, i, rem);
    return false; // the library's functions never trap
  };
}

function floatDivide(b: Builder, i: Instruction, rem: boolean): boolean {
  const type = lastType(i.mods);
  if (rem || !type?.float || !onlyMods(i, type, "rn")) return false;
  const [d, x, y] = i.operands;
  const op = type.type === F32 ? "f32_div" : "f64_div";
  b.write(d, b.emit(op, type.type, [b.read(x, type), b.read(y, type)]), type);
  return true;
}

const abs: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type || !onlyMods(i, type)) return false;
  const [d, x] = i.operands;
  if (type.float) {
    b.write(
      d,
      b.emit(type.type === F32 ? "f32_abs" : "f64_abs", type.type, [b.read(x, type)]),
      type,
    );
    return true;
  }
  if (!type.signed) return false;
  const v = b.readSigned(x, type);
  const zero = type.type === I64 ? b.i64(0n) : b.i32(0);
  const negated = b.emit(`${prefix(type)}_sub`, type.type, [zero, v]);
  const cmp = b.emit(`${prefix(type)}_lt_s`, I1, [v, zero]);
  b.write(d, wrapped(b, b.select(cmp, negated, v), type), type);
  return true;
};

const neg: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type || !onlyMods(i, type)) return false;
  const [d, x] = i.operands;
  if (type.float) {
    b.write(
      d,
      b.emit(type.type === F32 ? "f32_neg" : "f64_neg", type.type, [b.read(x, type)]),
      type,
    );
    return true;
  }
  if (!type.signed) return false;
  const zero = type.type === I64 ? b.i64(0n) : b.i32(0);
  const v = b.emit(`${prefix(type)}_sub`, type.type, [zero, b.read(x, type)]);
  b.write(d, wrapped(b, v, type), type);
  return true;
};

/** sqrt.rn and rcp.rn, which WebAssembly rounds as PTX does. */
const sqrt: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type?.float || !i.mods.includes("rn") || !onlyMods(i, type, "rn")) return false;
  const [d, x] = i.operands;
  b.write(
    d,
    b.emit(type.type === F32 ? "f32_sqrt" : "f64_sqrt", type.type, [b.read(x, type)]),
    type,
  );
  return true;
};

const rcp: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type?.float || !i.mods.includes("rn") || !onlyMods(i, type, "rn")) return false;
  const [d, x] = i.operands;
  const one =
    type.type === F32
      ? b.emit("const", F32, [], undefined, 0x3f800000)
      : b.emit("const", F64, [], undefined, 0, 0x3ff0000000000000n);
  const op = type.type === F32 ? "f32_div" : "f64_div";
  b.write(d, b.emit(op, type.type, [one, b.read(x, type)]), type);
  return true;
};

const cnot: Lowering = (b, i) => {
  const type = lastType(i.mods) as PtxType;
  const [d, x] = i.operands;
  const zero = type.type === I64 ? b.i64(0n) : b.i32(0);
  const is = b.emit(`${prefix(type)}_eq`, I1, [b.read(x, type), zero]);
  b.write(d, b.coerce(b.bit(is), type.type), type);
  return true;
};

/** Integer and floating-point arithmetic (PTX ISA §9.7.1, §9.7.3). */
export const arithmetic: Record<string, Lowering> = {
  add: binary("add", "add"),
  sub: binary("sub", "sub"),
  mul,
  mad,
  fma,
  min: minmax("lt"),
  max: minmax("gt"),
  div: divide(false),
  rem: divide(true),
  abs,
  neg,
  sqrt,
  rcp,
  cnot,
};
