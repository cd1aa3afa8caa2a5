import { I1, I32, I64 } from "../ir/ir.ts";
import type { Lowering } from "./instructions.ts";
import { lastType, ptxType } from "./types.ts";

function bitwise(op: "and" | "or" | "xor"): Lowering {
  return (b, i) => {
    const type = lastType(i.mods);
    if (!type) return false;
    const [d, x, y] = i.operands;
    const name = type.type === I1 ? `${op}1` : `${type.type === I64 ? "i64" : "i32"}_${op}`;
    b.write(d, b.emit(name, type.type, [b.read(x, type), b.read(y, type)]), type);
    return true;
  };
}

const not: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type) return false;
  const [d, x] = i.operands;
  const v = b.read(x, type);
  if (type.type === I1) b.write(d, b.not(v), type);
  else if (type.type === I64) b.write(d, b.emit("i64_xor", I64, [v, b.i64(-1n)]), type);
  else b.write(d, b.zeroExtend(b.emit("i32_xor", I32, [v, b.i32(-1)]), type.bits), type);
  return true;
};

/** Shifts: an amount of the width or more gives 0, or the sign (PTX ISA §9.7.8 shl, shr). */
function shift(left: boolean): Lowering {
  return (b, i) => {
    const type = lastType(i.mods);
    if (!type || i.mods.length !== 1) return false;
    const [d, x, amount] = i.operands;
    const long = type.type === I64;
    const p = long ? "i64" : "i32";
    const v = b.readSigned(x, type);
    const n = b.read(amount, ptxType("u32"));
    const arithmetic = !left && type.signed;
    const op = left ? `${p}_shl` : `${p}_shr_${type.signed ? "s" : "u"}`;
    const count = (c: typeof n) => (long ? b.coerce(c, I64) : c);
    let result: typeof v;
    if (n.op === "const") {
      const amountBits = n.imm >>> 0;
      if (amountBits < type.bits) result = b.emit(op, type.type, [v, count(n)]);
      else if (arithmetic) result = b.emit(op, type.type, [v, count(b.i32(type.bits - 1))]);
      else result = long ? b.i64(0n) : b.i32(0);
    } else {
      const inRange = b.emit("i32_lt_u", I1, [n, b.i32(type.bits)]);
      if (arithmetic) {
        result = b.emit(op, type.type, [v, count(b.select(inRange, n, b.i32(type.bits - 1)))]);
      } else {
        const zero = long ? b.i64(0n) : b.i32(0);
        result = b.select(inRange, b.emit(op, type.type, [v, count(n)]), zero);
      }
    }
    b.write(d, type.bits < 32 ? b.zeroExtend(result, type.bits) : result, type);
    return true;
  };
}

/** popc and clz: the result is a 32-bit count (PTX ISA §9.7.1). */
function count(op: "popcnt" | "clz"): Lowering {
  return (b, i) => {
    const type = lastType(i.mods);
    if (!type) return false;
    const [d, x] = i.operands;
    const long = type.type === I64;
    const v = b.emit(`${long ? "i64" : "i32"}_${op}`, type.type, [b.read(x, type)]);
    b.write(d, b.coerce(v, I32), ptxType("u32"));
    return true;
  };
}

/** `lop3.b32 d, a, b, c, immLut`: any function of three bits (PTX ISA §9.7.8 lop3). */
const lop3: Lowering = (b, i) => {
  const type = ptxType("b32");
  const [d, x, y, z, table, q0] = i.operands;
  if (table.kind !== "int") throw b.error("the look-up table must be a constant");
  const [p, q, r] = [x, y, z].map((o) => b.read(o, type));
  const inverted = [p, q, r].map((v) => b.emit("i32_xor", I32, [v, b.i32(-1)]));
  let sum = b.i32(0);
  for (let k = 0; k < 8; k++) {
    if (!((Number(table.value) >> k) & 1)) continue;
    const first = b.emit("i32_and", I32, [k & 4 ? p : inverted[0], k & 2 ? q : inverted[1]]);
    const term = b.emit("i32_and", I32, [first, k & 1 ? r : inverted[2]]);
    sum = sum.op === "const" ? term : b.emit("i32_or", I32, [sum, term]);
  }
  if (d.kind !== "pair") {
    b.write(d, sum, type);
    return true;
  }
  // `lop3.and d|p, …, q`: p = (d != 0) and q.
  const pred = ptxType("pred");
  const combined = b.emit(`${i.mods[0]}1`, I1, [b.truth(sum), b.read(q0, pred)]);
  b.write(d.first, sum, type);
  b.write(d.second, combined, pred);
  return true;
};

/** shf.l/.r with a constant or variable amount: a funnel shift of 64 bits (PTX ISA §9.7.8 shf). */
const shf: Lowering = (b, i) => {
  const type = ptxType("b32");
  const [d, low, high, amount] = i.operands;
  const left = i.mods.includes("l");
  const n = b.read(amount, type);
  const masked = i.mods.includes("wrap")
    ? b.emit("i32_and", I32, [n, b.i32(31)])
    : b.select(b.emit("i32_lt_u", I1, [n, b.i32(32)]), n, b.i32(32));
  const lo = b.read(low, type);
  const hi = b.read(high, type);
  if (
    i.mods.includes("wrap") &&
    low.kind === "reg" &&
    high.kind === "reg" &&
    low.reg === high.reg
  ) {
    b.write(d, b.emit(left ? "i32_rotl" : "i32_rotr", I32, [lo, n]), type);
    return true;
  }
  const joined = b.emit("i64_or", I64, [
    b.emit("i64_shl", I64, [b.coerce(hi, I64), b.i64(32n)]),
    b.coerce(lo, I64),
  ]);
  const by = b.coerce(masked, I64);
  const moved = b.emit(left ? "i64_shl" : "i64_shr_u", I64, [joined, by]);
  const taken = left ? b.emit("i64_shr_u", I64, [moved, b.i64(32n)]) : moved;
  b.write(d, b.coerce(taken, I32), type);
  return true;
};

/** Logic and shift instructions (PTX ISA §9.7.8). */
export const logic: Record<string, Lowering> = {
  and: bitwise("and"),
  or: bitwise("or"),
  xor: bitwise("xor"),
  not,
  shl: shift(true),
  shr: shift(false),
  popc: count("popcnt"),
  clz: count("clz"),
  lop3,
  shf,
};
