import { F32, F64, I1, I32, I64, type Value } from "../ir/ir.ts";
import type { Instruction, Operand } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { findType, lastType, type PtxType, ptxType } from "./types.ts";

const COMPARISONS = new Set(
  "eq ne lt le gt ge lo ls hi hs equ neu ltu leu gtu geu num nan".split(" "),
);
const UNSIGNED: Record<string, string> = { lo: "lt", ls: "le", hi: "gt", hs: "ge" };

/** a `cmp` b as an I1 (PTX ISA §9.7.6.1: ordered and unordered float comparisons). */
function compare(
  b: Builder,
  cmp: string,
  type: PtxType,
  x: Operand,
  y: Operand,
  ftz: boolean,
): Value {
  if (type.type === I1) throw b.unsupported();
  if (type.type === F32 || type.type === F64) {
    const p = type.type === F32 ? "f32" : "f64";
    let v = b.read(x, type);
    let w = b.read(y, type);
    if (ftz) [v, w] = [flush(b, v), flush(b, w)];
    return compareFloats(b, cmp, p, v, w);
  }
  if (/^b?f16$/.test(type.name)) {
    // Comparing is exact in f32.
    const wide = (o: Operand) => {
      const half = b.read(o, type);
      return ftz ? flushHalf(b, half) : b.lib(`cvt_f32_${type.name}`, [half]);
    };
    return compareFloats(b, cmp, "f32", wide(x), wide(y));
  }
  return compareIntegers(b, cmp, type, x, y);
}

/** A subnormal f32 becomes a zero of its sign. */
function flush(b: Builder, v: Value): Value {
  const least = b.emit("const", F32, [], undefined, 0x00800000);
  const tiny = b.emit("f32_lt", I1, [b.emit("f32_abs", F32, [v]), least]);
  const zero = b.emit("f32_copysign", F32, [b.emit("const", F32, [], undefined, 0), v]);
  return b.select(tiny, zero, v);
}

/** An f16 as f32, subnormals as zero. */
function flushHalf(b: Builder, v: Value): Value {
  const magnitude = b.emit("i32_and", I32, [v, b.i32(0x7fff)]);
  const tiny = b.emit("i32_lt_u", I1, [magnitude, b.i32(0x0400)]);
  return b.lib("cvt_f32_f16", [b.select(tiny, b.i32(0), v)]);
}

function compareFloats(b: Builder, cmp: string, p: "f32" | "f64", v: Value, w: Value): Value {
  const ordered = (name: string, l: Value, r: Value) => b.emit(`${p}_${name}`, I1, [l, r]);
  switch (cmp) {
    case "eq":
    case "lt":
    case "le":
    case "gt":
    case "ge":
      return ordered(cmp, v, w);
    case "neu":
      return ordered("ne", v, w);
    case "equ":
      return b.emit("or1", I1, [ordered("eq", v, w), unordered(b, p, v, w)]);
    case "ne":
      return b.emit("and1", I1, [ordered("ne", v, w), b.not(unordered(b, p, v, w))]);
    case "ltu":
      return b.not(ordered("ge", v, w));
    case "leu":
      return b.not(ordered("gt", v, w));
    case "gtu":
      return b.not(ordered("le", v, w));
    case "geu":
      return b.not(ordered("lt", v, w));
    case "num":
      return b.not(unordered(b, p, v, w));
    case "nan":
      return unordered(b, p, v, w);
    default:
      throw b.unsupported();
  }
}

function compareIntegers(b: Builder, cmp: string, type: PtxType, x: Operand, y: Operand): Value {
  const p = type.type === I64 ? "i64" : "i32";
  const op = UNSIGNED[cmp] ?? cmp;
  const v = b.readSigned(x, type);
  const w = b.readSigned(y, type);
  if (op === "eq" || op === "ne") return b.emit(`${p}_${op}`, I1, [v, w]);
  if (!/^(lt|le|gt|ge)$/.test(op)) throw b.unsupported();
  return b.emit(`${p}_${op}_${type.signed ? "s" : "u"}`, I1, [v, w]);
}

function unordered(b: Builder, p: string, v: Value, w: Value): Value {
  return b.emit("or1", I1, [b.emit(`${p}_ne`, I1, [v, v]), b.emit(`${p}_ne`, I1, [w, w])]);
}

/** The comparison of setp and set with the optional combination with a predicate. */
function combined(b: Builder, i: Instruction, type: PtxType): { p: Value; q: Value | undefined } {
  const cmp = i.mods.find((m) => COMPARISONS.has(m)) as string;
  const bool = i.mods.find((m) => m === "and" || m === "or" || m === "xor");
  const [d, x, y, c] = i.operands;
  const t = compare(b, cmp, type, x, y, i.mods.includes("ftz"));
  const pred = ptxType("pred");
  const wantsBoth = d.kind === "pair";
  if (!bool) return { p: t, q: wantsBoth ? b.not(t) : undefined };
  const other = b.read(c, pred);
  return {
    p: b.emit(`${bool}1`, I1, [t, other]),
    q: wantsBoth ? b.emit(`${bool}1`, I1, [b.not(t), other]) : undefined,
  };
}

const setp: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type || /x2$/.test(type.name)) return packedSetp(b, i, type);
  const { p, q } = combined(b, i, type);
  const d = i.operands[0];
  const pred = ptxType("pred");
  if (d.kind === "pair") {
    b.write(d.first, p, pred);
    b.write(d.second, q as Value, pred);
  } else b.write(d, p, pred);
  return true;
};

/** setp on f16x2 and bf16x2: `p|q` are the results of the low and the high halves. */
function packedSetp(b: Builder, i: Instruction, type: PtxType | undefined): boolean {
  const d = i.operands[0];
  if (!type || d.kind !== "pair") return false;
  const [low, high] = packedComparisons(b, i, type);
  b.write(d.first, low, ptxType("pred"));
  b.write(d.second, high, ptxType("pred"));
  return true;
}

/** The comparisons of the low and the high halves, combined with a predicate if there is one. */
function packedComparisons(b: Builder, i: Instruction, type: PtxType): Value[] {
  const [, x, y, c] = i.operands;
  const cmp = i.mods.find((m) => COMPARISONS.has(m)) as string;
  const bool = i.mods.find((m) => m === "and" || m === "or" || m === "xor");
  const ftz = i.mods.includes("ftz");
  const half = type.name.replace("x2", "");
  const wide = (v: Value, k: number) => {
    const part = k === 0 ? b.zeroExtend(v, 16) : b.emit("i32_shr_u", I32, [v, b.i32(16)]);
    return ftz ? flushHalf(b, part) : b.lib(`cvt_f32_${half}`, [part]);
  };
  const v = b.read(x, type);
  const w = b.read(y, type);
  return [0, 1].map((k) => {
    const t = compareFloats(b, cmp, "f32", wide(v, k), wide(w, k));
    return bool ? b.emit(`${bool}1`, I1, [t, b.read(c, ptxType("pred"))]) : t;
  });
}

/** The bits of 1.0 in the types whose results are ones; integers get all ones. */
const ONES: Record<string, number> = { f16: 0x3c00, bf16: 0x3f80, f32: 0x3f800000 };

/** set: all ones or 1.0 where true (PTX ISA §9.7.6.2). */
const set: Lowering = (b, i) => {
  const types = i.mods.map(findType).filter((t) => t !== undefined);
  if (types.length !== 2) return false;
  const [result, source] = types;
  if (/x2$/.test(source.name)) return packedSet(b, i, result, source);
  const { p } = combined(b, i, source);
  const ones = ONES[result.name] ?? (result.bits === 16 ? 0xffff : -1);
  const v = b.select(p, b.i32(ones), b.i32(0));
  b.write(i.operands[0], b.coerce(v, result.type), result);
  return true;
};

/** set on f16x2 and bf16x2: each half of the result is its half's comparison. */
function packedSet(b: Builder, i: Instruction, result: PtxType, source: PtxType): boolean {
  const ones = ONES[result.name.replace("x2", "")] ?? 0xffff;
  const [low, high] = packedComparisons(b, i, source).map((t) =>
    b.select(t, b.i32(ones), b.i32(0)),
  );
  const shifted = b.emit("i32_shl", I32, [high, b.i32(16)]);
  b.write(i.operands[0], b.emit("i32_or", I32, [low, shifted]), ptxType("b32"));
  return true;
}

const selp: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type) return false;
  const [d, x, y, c] = i.operands;
  b.write(d, b.select(b.read(c, ptxType("pred")), b.read(x, type), b.read(y, type)), type);
  return true;
};

/** slct: the first operand where the third is not negative (PTX ISA §9.7.6.4). */
const slct: Lowering = (b, i) => {
  const types = i.mods.map(findType).filter((t) => t !== undefined);
  if (types.length !== 2) return false;
  const [type, sign] = types;
  const [d, x, y, c] = i.operands;
  let v = b.read(c, sign);
  let positive: Value;
  if (sign.type === F32) {
    if (i.mods.includes("ftz")) v = flush(b, v);
    positive = b.emit("f32_ge", I1, [v, b.emit("const", F32, [], undefined, 0)]);
  } else positive = b.emit("i32_ge_s", I1, [v, b.i32(0)]);
  b.write(d, b.select(positive, b.read(x, type), b.read(y, type)), type);
  return true;
};

/** Comparison and selection instructions (PTX ISA §9.7.6). */
export const compares: Record<string, Lowering> = { setp, set, selp, slct };
