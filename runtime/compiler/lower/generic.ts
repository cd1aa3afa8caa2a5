import { F32, F64, I32, I64, type Type } from "../ir/ir.ts";
import type { Instruction, Operand } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import { lastType, type PtxType, ptxType } from "./types.ts";

const BY_VALTYPE: Record<number, Type> = { 127: I32, 126: I64, 125: F32, 124: F64 };

/** The PTX type that reads an operand for a library parameter of an IR type. */
export function operandType(operand: Operand, type: Type, mods: readonly string[]): PtxType {
  if (type === F32) return ptxType("f32");
  if (type === F64) return ptxType("f64");
  if (type === I64) return ptxType("b64");
  // An immediate is cut to the instruction's width; a register keeps its own.
  const width = lastType(mods);
  if (operand.kind !== "reg" && width && width.bits < 32) return ptxType(`b${width.bits}`);
  if (operand.kind === "reg") {
    const declared = ptxType(operand.reg.type);
    if (declared.name === "pred") return declared;
    return declared.bits < 32 ? ptxType(`b${declared.bits}`) : ptxType("b32");
  }
  return ptxType("b32");
}

/** The type that an instruction's result has by its modifiers: the first type, else the last. */
function resultType(i: Instruction, type: Type): PtxType {
  if (type === F32) return ptxType("f32");
  if (type === F64) return ptxType("f64");
  if (type === I64) return ptxType("b64");
  if (i.mods[0] === "pack") return ptxType("b32"); // the type is that of a part
  for (const mod of i.mods) {
    const t = /^(pred|[busf]\d+(x\d)?|bf16(x2)?|tf32|e\dm\d(x\d)?)$/.test(mod)
      ? ptxType(mod)
      : undefined;
    if (t && t.bits <= 32) {
      return t.bits < 32 ? ptxType(`${t.signed ? "s" : "b"}${t.bits}`) : ptxType("b32");
    }
  }
  return ptxType("b32");
}

/**
 * Lowers an instruction to a call of the device library's function of its name. Operands after the
 * first are its arguments, in order; the first is the destination.
 */
export function lowerLibrary(b: Builder, i: Instruction): void {
  const name = i.mnemonic.replaceAll(".", "_").replaceAll("::", "_");
  const fn = b.fn.library.find(name);
  if (!fn) throw b.unsupported();
  const { params, results } = fn.type;
  const sources = i.operands.slice(1);
  if (results.length !== 1 || sources.length !== params.length) throw b.unsupported();
  const args = sources.map((o, k) => {
    const type = BY_VALTYPE[params[k]];
    const pt = operandType(o, type, i.mods);
    return b.coerce(b.read(o, pt), type);
  });
  const value = b.lib(name, args);
  const destination = i.operands[0];
  if (destination.kind === "reg" && destination.reg.type === "pred") {
    b.write(destination, b.truth(value), ptxType("pred"));
  } else {
    b.write(destination, value, resultType(i, value.type));
  }
}
