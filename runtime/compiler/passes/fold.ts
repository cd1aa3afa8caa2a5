import { F64, I1, I32, I64, type Type, Value } from "../ir/ir.ts";

/** A constant of an integer or predicate type. */
export function constant(type: Type, value: number | bigint): Value {
  if (type === I64) return new Value("const", I64, [], 0, BigInt.asIntN(64, BigInt(value)));
  return new Value("const", type, [], Number(value) | 0);
}

const isConst = (v: Value) => v.op === "const";

const I32_OPS: Record<string, (a: number, b: number) => number> = {
  i32_add: (a, b) => (a + b) | 0,
  i32_sub: (a, b) => (a - b) | 0,
  i32_mul: (a, b) => Math.imul(a, b),
  i32_and: (a, b) => a & b,
  i32_or: (a, b) => a | b,
  i32_xor: (a, b) => a ^ b,
  i32_shl: (a, b) => a << (b & 31),
  i32_shr_u: (a, b) => (a >>> (b & 31)) | 0,
  i32_shr_s: (a, b) => a >> (b & 31),
};

const I64_OPS: Record<string, (a: bigint, b: bigint) => bigint> = {
  i64_add: (a, b) => a + b,
  i64_sub: (a, b) => a - b,
  i64_mul: (a, b) => a * b,
  i64_and: (a, b) => a & b,
  i64_or: (a, b) => a | b,
  i64_xor: (a, b) => a ^ b,
  i64_shl: (a, b) => a << (b & 63n),
  i64_shr_u: (a, b) => BigInt.asUintN(64, a) >> (b & 63n),
  i64_shr_s: (a, b) => a >> (b & 63n),
};

const I32_COMPARES: Record<string, (a: number, b: number) => boolean> = {
  i32_eq: (a, b) => a === b,
  i32_ne: (a, b) => a !== b,
  i32_lt_s: (a, b) => a < b,
  i32_le_s: (a, b) => a <= b,
  i32_gt_s: (a, b) => a > b,
  i32_ge_s: (a, b) => a >= b,
  i32_lt_u: (a, b) => a >>> 0 < b >>> 0,
  i32_le_u: (a, b) => a >>> 0 <= b >>> 0,
  i32_gt_u: (a, b) => a >>> 0 > b >>> 0,
  i32_ge_u: (a, b) => a >>> 0 >= b >>> 0,
};

const I64_COMPARES: Record<string, (a: bigint, b: bigint) => boolean> = {
  i64_eq: (a, b) => a === b,
  i64_ne: (a, b) => a !== b,
  i64_lt_s: (a, b) => a < b,
  i64_le_s: (a, b) => a <= b,
  i64_gt_s: (a, b) => a > b,
  i64_ge_s: (a, b) => a >= b,
  i64_lt_u: (a, b) => BigInt.asUintN(64, a) < BigInt.asUintN(64, b),
  i64_le_u: (a, b) => BigInt.asUintN(64, a) <= BigInt.asUintN(64, b),
  i64_gt_u: (a, b) => BigInt.asUintN(64, a) > BigInt.asUintN(64, b),
  i64_ge_u: (a, b) => BigInt.asUintN(64, a) >= BigInt.asUintN(64, b),
};

const COMMUTATIVE = new Set(
  "i32_add i32_mul i32_and i32_or i32_xor i64_add i64_mul i64_and i64_or i64_xor and1 or1 xor1".split(
    " ",
  ),
);

/** How many low bits of an I32 can be set: everything above is known to be zero. */
export function significantBits(v: Value, depth = 4): number {
  if (v.type !== I32) return 64;
  switch (v.op) {
    case "const":
      return 32 - Math.clz32(v.imm);
    case "load":
      return v.aux.signed ? 32 : (v.aux.size as number) * 8;
    case "param":
      return (v.aux.size as number) * 8;
    case "bool_to_i32":
      return 1;
    case "i32_and":
      if (depth === 0) return 32;
      return Math.min(significantBits(v.args[0], depth - 1), significantBits(v.args[1], depth - 1));
    case "i32_or":
    case "i32_xor":
      if (depth === 0) return 32;
      return Math.max(significantBits(v.args[0], depth - 1), significantBits(v.args[1], depth - 1));
    case "select":
      if (depth === 0) return 32;
      return Math.max(significantBits(v.args[1], depth - 1), significantBits(v.args[2], depth - 1));
    case "i32_shr_u":
      if (depth === 0 || !isConst(v.args[1])) return 32;
      return Math.max(0, significantBits(v.args[0], depth - 1) - (v.args[1].imm & 31));
    case "sreg":
      return v.aux.name?.startsWith("tid") || v.aux.name === "laneid" ? 10 : 32;
    default:
      return 32;
  }
}

/**
 * A simpler value equal to `v`, or `v` itself: constants folded, identities removed. May return a
 * new value, which the caller places before `v`.
 */
export function fold(v: Value): Value {
  const [a, b] = v.args;
  if (COMMUTATIVE.has(v.op) && isConst(a) && !isConst(b)) {
    v.args = [b, a];
    return fold(v);
  }
  if (v.type === I32 && b) return foldI32(v, a, b);
  if (v.type === I64 && b) return foldI64(v, a, b);
  if (v.type === I1) return foldI1(v, a, b);
  switch (v.op) {
    case "select":
      if (isConst(a)) return a.imm ? v.args[1] : v.args[2];
      return v.args[1] === v.args[2] ? v.args[1] : v;
    case "i32_wrap_i64":
      if (isConst(a)) return constant(I32, Number(BigInt.asIntN(32, a.big)));
      if (a.op === "i64_extend_i32_s" || a.op === "i64_extend_i32_u") return a.args[0];
      return v;
    case "i64_extend_i32_s":
      return isConst(a) ? constant(I64, a.imm) : v;
    case "i64_extend_i32_u":
      return isConst(a) ? constant(I64, a.imm >>> 0) : v;
    case "bool_to_i32":
      return isConst(a) ? constant(I32, a.imm) : v;
    case "i32_extend8_s":
      return isConst(a) ? constant(I32, (a.imm << 24) >> 24) : v;
    case "i32_extend16_s":
      if (isConst(a)) return constant(I32, (a.imm << 16) >> 16);
      return significantBits(a) < 16 ? a : v;
    case "i32_reinterpret_f32":
      return a.op === "f32_reinterpret_i32" ? a.args[0] : isConst(a) ? constant(I32, a.imm) : v;
    case "f32_reinterpret_i32":
      if (isConst(a)) return new Value("const", v.type, [], a.imm);
      return a.op === "i32_reinterpret_f32" ? a.args[0] : v;
    case "f64_promote_f32":
      return isConst(a) ? promoted(a.imm) : v;
    case "i64_reinterpret_f64":
      return a.op === "f64_reinterpret_i64" ? a.args[0] : isConst(a) ? constant(I64, a.big) : v;
    case "f64_reinterpret_i64":
      if (isConst(a)) return new Value("const", v.type, [], 0, a.big);
      return a.op === "i64_reinterpret_f64" ? a.args[0] : v;
    default:
      return v;
  }
}

/** The f64 constant of an f32's value, given by its bits. */
function promoted(bits: number): Value {
  const view = new DataView(new ArrayBuffer(8));
  view.setInt32(0, bits);
  view.setFloat64(0, view.getFloat32(0));
  return new Value("const", F64, [], 0, view.getBigInt64(0));
}

function foldI32(v: Value, a: Value, b: Value): Value {
  if (v.op === "select") {
    if (isConst(a)) return a.imm ? b : v.args[2];
    return b === v.args[2] ? b : v;
  }
  if (!isConst(b)) return v;
  const op = I32_OPS[v.op];
  if (op && isConst(a)) return constant(I32, op(a.imm, b.imm));
  const k = b.imm;
  switch (v.op) {
    case "i32_add":
      if (k === 0) return a;
      // (x + c) + d = x + (c + d)
      if (a.op === "i32_add" && isConst(a.args[1])) {
        return new Value("i32_add", I32, [a.args[0], constant(I32, (a.args[1].imm + k) | 0)]);
      }
      return v;
    case "i32_sub":
    case "i32_or":
    case "i32_xor":
    case "i32_shl":
    case "i32_shr_u":
    case "i32_shr_s":
      return k === 0 ? a : v;
    case "i32_mul":
      return k === 1 ? a : k === 0 ? b : v;
    case "i32_and": {
      if (k === 0) return b;
      const bits = significantBits(a);
      const mask = bits === 32 ? -1 : (1 << bits) - 1;
      return (k & mask) === mask ? a : v;
    }
    default:
      return v;
  }
}

function foldI64(v: Value, a: Value, b: Value): Value {
  if (v.op === "select") {
    if (isConst(a)) return a.imm ? b : v.args[2];
    return b === v.args[2] ? b : v;
  }
  if (!isConst(b)) return v;
  const op = I64_OPS[v.op];
  if (op && isConst(a)) return constant(I64, op(a.big, b.big));
  const k = b.big;
  switch (v.op) {
    case "i64_add":
      if (k === 0n) return a;
      if (a.op === "i64_add" && isConst(a.args[1])) {
        return new Value("i64_add", I64, [a.args[0], constant(I64, a.args[1].big + k)]);
      }
      return v;
    case "i64_sub":
    case "i64_or":
    case "i64_xor":
    case "i64_shl":
    case "i64_shr_u":
    case "i64_shr_s":
      return k === 0n ? a : v;
    case "i64_mul":
      return k === 1n ? a : k === 0n ? b : v;
    case "i64_and":
      if (k === 0xffffffffn && a.op === "i64_extend_i32_u") return a;
      return k === -1n ? a : k === 0n ? b : v;
    default:
      return v;
  }
}

/** The integer comparison that holds where another does not. */
export const NEGATED: Record<string, string> = {
  lt: "ge",
  le: "gt",
  gt: "le",
  ge: "lt",
  eq: "ne",
  ne: "eq",
};

/** The comparison that holds with its operands exchanged. */
export const SWAPPED: Record<string, string> = {
  lt: "gt",
  le: "ge",
  gt: "lt",
  ge: "le",
  eq: "eq",
  ne: "ne",
};

/** The operation for a comparison that is negated; undefined where there is none (NaN). */
export function negated(op: string): string | undefined {
  const [, type, name, sign] = /^(i32|i64|f32|f64)_(lt|le|gt|ge|eq|ne)(_[su])?$/.exec(op) ?? [];
  if (!name || (type !== "i32" && name !== "eq" && name !== "ne")) return undefined;
  return `${type}_${NEGATED[name]}${sign ?? ""}`;
}

function foldI1(v: Value, a: Value, b: Value | undefined): Value {
  switch (v.op) {
    case "not1": {
      if (isConst(a)) return constant(I1, a.imm ? 0 : 1);
      if (a.op === "not1") return a.args[0];
      const op = negated(a.op);
      return op ? new Value(op, I1, a.args) : v;
    }
    case "and1":
      if (b && isConst(b)) return b.imm ? a : b;
      return a === b ? a : v;
    case "or1":
      if (b && isConst(b)) return b.imm ? b : a;
      return a === b ? a : v;
    case "xor1":
      if (b && isConst(b)) return b.imm ? fold(new Value("not1", I1, [a])) : a;
      return v;
    case "select":
      if (isConst(a)) return a.imm ? v.args[1] : v.args[2];
      return v.args[1] === v.args[2] ? v.args[1] : v;
    case "i32_ne":
      // A predicate that went through an integer comes back as itself.
      if (b && isConst(b) && b.imm === 0) {
        if (a.op === "bool_to_i32") return a.args[0];
        if (a.op === "select" && isConst(a.args[1]) && isConst(a.args[2])) {
          if (a.args[1].imm !== 0 && a.args[2].imm === 0) return a.args[0];
        }
      }
      return foldCompare(v, a, b);
    default:
      return foldCompare(v, a, b);
  }
}

function foldCompare(v: Value, a: Value | undefined, b: Value | undefined): Value {
  if (!a || !isConst(a)) return v;
  if (v.op === "i32_eqz") return constant(I1, a.imm === 0 ? 1 : 0);
  if (v.op === "i64_eqz") return constant(I1, a.big === 0n ? 1 : 0);
  if (!b || !isConst(b)) return v;
  const narrow = I32_COMPARES[v.op];
  if (narrow) return constant(I1, narrow(a.imm, b.imm) ? 1 : 0);
  const wide = I64_COMPARES[v.op];
  return wide ? constant(I1, wide(a.big, b.big) ? 1 : 0) : v;
}
