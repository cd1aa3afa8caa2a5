import { F32, F64, I32, I64, type Value } from "../ir/ir.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { findType, type PtxType } from "./types.ts";

const isInteger = (t: PtxType) => /^[us]\d+$/.test(t.name);
const ROUND: Record<string, string> = { rni: "nearest", rzi: "trunc", rmi: "floor", rpi: "ceil" };

/** An integer of `from` as one of `to`: cut or extended as its own sign says. */
function integerToInteger(b: Builder, v: Value, to: PtxType, from: PtxType): Value {
  if (to.type === I64) {
    if (from.type === I64) return v;
    return b.emit(from.signed ? "i64_extend_i32_s" : "i64_extend_i32_u", I64, [v]);
  }
  const narrow = from.type === I64 ? b.emit("i32_wrap_i64", I32, [v]) : v;
  return to.bits < 32 ? b.zeroExtend(narrow, to.bits) : narrow;
}

/** cvt: what one WebAssembly instruction does; the rest is the library's (PTX ISA §9.7.9 cvt). */
const cvt: Lowering = (b, i) => {
  if (i.operands.length !== 2) return false;
  const types = i.mods.map(findType).filter((t) => t !== undefined);
  if (types.length !== 2) return false;
  const [to, from] = types;
  const rest = i.mods.slice(0, -2);
  const [d, x] = i.operands;
  const rounding = rest.length === 1 ? rest[0] : undefined;
  if (rest.length > 1) return false;
  if (isInteger(to) && isInteger(from)) {
    if (rounding) return false;
    b.write(d, integerToInteger(b, b.readSigned(x, from), to, from), to);
    return true;
  }
  if (to.float && isInteger(from)) {
    if (rounding !== "rn") return false;
    const target = to.type === F32 ? "f32" : "f64";
    const source = from.type === I64 ? "i64" : "i32";
    const v = b.readSigned(x, from);
    b.write(d, b.emit(`${target}_convert_${source}_${from.signed ? "s" : "u"}`, to.type, [v]), to);
    return true;
  }
  if (to.float && from.float) {
    const v = b.read(x, from);
    if (to.type === F64 && from.type === F32 && !rounding) {
      b.write(d, b.emit("f64_promote_f32", F64, [v]), to);
      return true;
    }
    if (to.type === F32 && from.type === F64 && rounding === "rn") {
      b.write(d, b.emit("f32_demote_f64", F32, [v]), to);
      return true;
    }
    if (to.type === from.type && rounding && ROUND[rounding]) {
      b.write(d, b.emit(`${to.type === F32 ? "f32" : "f64"}_${ROUND[rounding]}`, to.type, [v]), to);
      return true;
    }
    if (to.type === from.type && !rounding) {
      b.write(d, v, to);
      return true;
    }
    return false;
  }
  if (isInteger(to) && to.bits === 32 && from.type === F32 && rounding === "rzi") {
    // WebAssembly saturates and gives 0 for NaN, as PTX does.
    const op = to.signed ? "i32_trunc_sat_f32_s" : "i32_trunc_sat_f32_u";
    b.write(d, b.emit(op, I32, [b.read(x, from)]), to);
    return true;
  }
  return false;
};

/** Conversions (PTX ISA §9.7.9). */
export const conversions: Record<string, Lowering> = { cvt };
