import { BLOCK_VECTORS } from "../../exec/layout.ts";
import { F32, F64, I1, I32, I64, NONE, type Type, type Value } from "../ir/ir.ts";
import { isWide, LANES, type Shape, UNIFORM } from "../simd/shapes.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import type { FunctionFrame } from "./frame.ts";
import type { GroupOperands } from "./group-operands.ts";
import { opcodeOf } from "./scalar.ts";

/** Operations on four lanes that are one instruction on v128. */
const NARROW: Record<string, number> = {
  i32_add: OP.i32x4_add,
  i32_sub: OP.i32x4_sub,
  i32_mul: OP.i32x4_mul,
  i32_and: OP.v128_and,
  i32_or: OP.v128_or,
  i32_xor: OP.v128_xor,
  i32_andnot: OP.v128_andnot,
  andnot1: OP.v128_andnot,
  and1: OP.v128_and,
  or1: OP.v128_or,
  xor1: OP.v128_xor,
  not1: OP.v128_not,
  i32_eq: OP.i32x4_eq,
  i32_ne: OP.i32x4_ne,
  i32_lt_s: OP.i32x4_lt_s,
  i32_lt_u: OP.i32x4_lt_u,
  i32_gt_s: OP.i32x4_gt_s,
  i32_gt_u: OP.i32x4_gt_u,
  i32_le_s: OP.i32x4_le_s,
  i32_le_u: OP.i32x4_le_u,
  i32_ge_s: OP.i32x4_ge_s,
  i32_ge_u: OP.i32x4_ge_u,
  f32_eq: OP.f32x4_eq,
  f32_ne: OP.f32x4_ne,
  f32_lt: OP.f32x4_lt,
  f32_gt: OP.f32x4_gt,
  f32_le: OP.f32x4_le,
  f32_ge: OP.f32x4_ge,
  f32_add: OP.f32x4_add,
  f32_sub: OP.f32x4_sub,
  f32_mul: OP.f32x4_mul,
  f32_div: OP.f32x4_div,
  f32_sqrt: OP.f32x4_sqrt,
  f32_abs: OP.f32x4_abs,
  f32_neg: OP.f32x4_neg,
  f32_ceil: OP.f32x4_ceil,
  f32_floor: OP.f32x4_floor,
  f32_trunc: OP.f32x4_trunc,
  f32_nearest: OP.f32x4_nearest,
  f32_convert_i32_s: OP.f32x4_convert_i32x4_s,
  f32_convert_i32_u: OP.f32x4_convert_i32x4_u,
  i32_trunc_sat_f32_s: OP.i32x4_trunc_sat_f32x4_s,
  i32_trunc_sat_f32_u: OP.i32x4_trunc_sat_f32x4_u,
};

/** Bits kept, only looked at with another type. */
const SAME = new Set(
  "i32_reinterpret_f32 f32_reinterpret_i32 i64_reinterpret_f64 f64_reinterpret_i64".split(" "),
);

/** Operations on lanes of 64 bits, one instruction for each half. */
const WIDE: Record<string, number> = {
  i64_add: OP.i64x2_add,
  i64_sub: OP.i64x2_sub,
  i64_mul: OP.i64x2_mul,
  i64_and: OP.v128_and,
  i64_or: OP.v128_or,
  i64_xor: OP.v128_xor,
  f64_add: OP.f64x2_add,
  f64_sub: OP.f64x2_sub,
  f64_mul: OP.f64x2_mul,
  f64_div: OP.f64x2_div,
  f64_sqrt: OP.f64x2_sqrt,
  f64_abs: OP.f64x2_abs,
  f64_neg: OP.f64x2_neg,
  f64_ceil: OP.f64x2_ceil,
  f64_floor: OP.f64x2_floor,
  f64_trunc: OP.f64x2_trunc,
  f64_nearest: OP.f64x2_nearest,
};

const WIDE_COMPARE: Record<string, number> = {
  i64_eq: OP.i64x2_eq,
  i64_ne: OP.i64x2_ne,
  i64_lt_s: OP.i64x2_lt_s,
  i64_gt_s: OP.i64x2_gt_s,
  i64_le_s: OP.i64x2_le_s,
  i64_ge_s: OP.i64x2_ge_s,
  f64_eq: OP.f64x2_eq,
  f64_ne: OP.f64x2_ne,
  f64_lt: OP.f64x2_lt,
  f64_gt: OP.f64x2_gt,
  f64_le: OP.f64x2_le,
  f64_ge: OP.f64x2_ge,
};
const UNSIGNED_COMPARE: Record<string, number> = {
  i64_lt_u: OP.i64x2_lt_s,
  i64_gt_u: OP.i64x2_gt_s,
  i64_le_u: OP.i64x2_le_s,
  i64_ge_u: OP.i64x2_ge_s,
};

const SHIFTS: Record<string, number> = {
  i32_shl: OP.i32x4_shl,
  i32_shr_s: OP.i32x4_shr_s,
  i32_shr_u: OP.i32x4_shr_u,
  i64_shl: OP.i64x2_shl,
  i64_shr_s: OP.i64x2_shr_s,
  i64_shr_u: OP.i64x2_shr_u,
};

const EXTEND: Record<string, [low: number, high: number]> = {
  i64_extend_i32_s: [OP.i64x2_extend_low_i32x4_s, OP.i64x2_extend_high_i32x4_s],
  i64_extend_i32_u: [OP.i64x2_extend_low_i32x4_u, OP.i64x2_extend_high_i32x4_u],
};
/** Products of extended lanes (made by fuseProducts). */
const EXTMUL: Record<string, [low: number, high: number]> = {
  i64_extmul_s: [OP.i64x2_extmul_low_i32x4_s, OP.i64x2_extmul_high_i32x4_s],
  i64_extmul_u: [OP.i64x2_extmul_low_i32x4_u, OP.i64x2_extmul_high_i32x4_u],
};

/** What operations of one vector are written with. */
export interface VectorTarget extends FunctionFrame {
  /** The current block keeps vectors in memory. */
  readonly crowded: boolean;
  shape(v: Value): Shape;
  /** Pushes a uniform value. */
  scalar(v: Value): void;
  /** Pushes four lanes; of a 64-bit value lanes 0 and 1 (half 0) or 2 and 3. */
  vec(v: Value, half?: 0 | 1): void;
  /** Pushes a vector of four words. */
  constant(words: readonly number[]): void;
  hasLibrary(name: string): boolean;
}

/** Whether an operation's vector form reads each operand once, so that operands may nest in it. */
export function readsOnce(v: Value): boolean {
  return v.op in NARROW || SAME.has(v.op) || v.op === "f32_fma" || v.op === "bool_to_i32";
}

/** Four lanes of two vectors: 0–3 of the first, 4–7 of the second. */
export type Lanes = readonly [number, number, number, number];

/** The first two words, and the last two, of two vectors in turns; their first halves, and their last. */
export const LOW: Lanes = [0, 4, 1, 5];
export const HIGH: Lanes = [2, 6, 3, 7];
export const FIRST: Lanes = [0, 1, 4, 5];
export const LAST: Lanes = [2, 3, 6, 7];

/** Shuffle of two vectors by 32-bit lanes. */
export function shuffle32(e: VectorTarget, lanes: Lanes): void {
  e.w.op(OP.i8x16_shuffle);
  for (const lane of lanes) for (let k = 0; k < 4; k++) e.w.u8(lane * 4 + k);
}

/** Pushes a shuffle of two vectors in locals. */
export function shuffleLocals(e: VectorTarget, a: number, b: number, lanes: Lanes): void {
  e.w.localGet(a);
  e.w.localGet(b);
  shuffle32(e, lanes);
}

/** The lanes of a mask that each half of a 64-bit vector needs, each twice. */
const WIDEN: Lanes[] = [
  [0, 0, 1, 1],
  [2, 2, 3, 3],
];

/** Of the two vectors on the stack, takes the first's lanes in a mask and the second's elsewhere. */
export function selectByMask(e: GroupOperands, mask: number, half: 0 | 1, wide: boolean): void {
  e.pushMaskOf(mask);
  if (wide) {
    e.pushMaskOf(mask);
    shuffle32(e, WIDEN[half]);
  }
  selectLanes(e);
}

/**
 * Of the two vectors on the stack below a mask of whole lanes, takes the first's lanes in the mask and
 * the second's elsewhere. V8 makes one instruction of the relaxed form, and three of bitselect.
 */
export function selectLanes(e: VectorTarget): void {
  e.w.op(e.kernel.options.fma === "relaxed" ? OP.i32x4_relaxed_laneselect : OP.v128_bitselect);
}

/** Computes a varying value and leaves it in its locals. */
export function emitVector(e: GroupOperands, v: Value, locals: readonly number[]): void {
  const { w } = e;
  if (locals.length === 2) {
    if (emitWide(e, v, locals)) return;
  } else if (emitNarrow(e, v)) {
    w.localSet(locals[0]);
    return;
  }
  emitLanes(e, v, locals);
}

/** Pushes a varying value of one vector; false if the operation has no vector form. */
export function emitNarrow(e: VectorTarget, v: Value): boolean {
  const { w } = e;
  const [a, b] = v.args;
  const simple = NARROW[v.op];
  if (simple !== undefined && v.args.every((x) => !isWide(x))) {
    for (const x of v.args) e.vec(x);
    w.op(simple);
    return true;
  }
  if (SAME.has(v.op)) {
    e.vec(a);
    return true;
  }
  const compare = WIDE_COMPARE[v.op] ?? UNSIGNED_COMPARE[v.op];
  if (compare !== undefined) {
    for (const half of [0, 1] as const) {
      for (const x of [a, b]) {
        e.vec(x, half);
        if (v.op in UNSIGNED_COMPARE) {
          w.i64Const(-(2n ** 63n));
          w.op(OP.i64x2_splat);
          w.op(OP.v128_xor);
        }
      }
      w.op(compare);
    }
    shuffle32(e, [0, 2, 4, 6]);
    return true;
  }
  switch (v.op) {
    case "unspill":
      pushKept(e);
      w.mem(OP.v128_load, 4, v.imm * 16);
      return true;
    case "bool_to_i32":
      e.vec(a);
      w.op(OP.i32x4_neg);
      return true;
    case "select":
      e.vec(v.args[1]);
      e.vec(v.args[2]);
      e.vec(a);
      selectLanes(e);
      return true;
    case "i32_shl":
    case "i32_shr_s":
    case "i32_shr_u":
      if (e.shape(b).kind !== UNIFORM) return false;
      e.vec(a);
      if (v.op === "i32_shl") {
        shiftLeft(e, b);
        return true;
      }
      e.scalar(b);
      w.op(SHIFTS[v.op]);
      return true;
    case "i32_rotl":
    case "i32_rotr": {
      if (e.shape(b).kind !== UNIFORM) return false;
      const left = v.op === "i32_rotl";
      e.vec(a);
      if (left) shiftLeft(e, b);
      else {
        e.scalar(b);
        w.op(OP.i32x4_shr_u);
      }
      e.vec(a);
      w.i32Const(0);
      e.scalar(b);
      w.op(OP.i32_sub); // shift amounts count modulo 32
      w.op(left ? OP.i32x4_shr_u : OP.i32x4_shl);
      w.op(OP.v128_or);
      return true;
    }
    case "i32_extend8_s":
    case "i32_extend16_s": {
      const by = v.op === "i32_extend8_s" ? 24 : 16;
      e.vec(a);
      w.i32Const(by);
      w.op(OP.i32x4_shl);
      w.i32Const(by);
      w.op(OP.i32x4_shr_s);
      return true;
    }
    case "window":
      e.vec(a);
      e.vec(b);
      shuffle32(e, [v.imm, v.imm + 1, v.imm + 2, v.imm + 3]);
      return true;
    case "f32_copysign":
      e.vec(b);
      e.vec(a);
      w.i32Const(-0x80000000);
      w.op(OP.i32x4_splat);
      w.op(OP.v128_bitselect);
      return true;
    case "f32_fma":
      emitFma(e, v, 0);
      return true;
    case "i32_wrap_i64":
      e.vec(a, 0);
      e.vec(a, 1);
      shuffle32(e, [0, 2, 4, 6]);
      return true;
    case "f32_demote_f64":
      for (const half of [0, 1] as const) {
        e.vec(a, half);
        w.op(OP.f32x4_demote_f64x2_zero);
      }
      shuffle32(e, [0, 1, 4, 5]);
      return true;
    case "lib":
      return emitPermutation(e, v) || emitLibrary(e, v);
    default:
      return false;
  }
}

/** Shifts the vector on the stack by a uniform count. */
function shiftLeft(e: VectorTarget, by: Value): void {
  if (e.crowded && by.op === "const") {
    const factor = 1 << (by.imm & 31);
    e.constant([factor, factor, factor, factor]);
    e.w.op(OP.i32x4_mul);
  } else {
    e.scalar(by);
    e.w.op(OP.i32x4_shl);
  }
}

/**
 * Pushes the address of the vectors that are kept in memory, to load one: out of the context, so that
 * the engine doesn't know it for the address that was stored to, and keep the vector itself.
 */
function pushKept(e: VectorTarget): void {
  const local = e.pin("kept vectors", I32, (w) => {
    w.localGet(0);
    w.mem(OP.i32_load, 2, BLOCK_VECTORS);
  });
  e.w.localGet(local);
}

/** Computes both halves of a varying 64-bit value; false if there is no vector form. */
function emitWide(e: GroupOperands, v: Value, locals: readonly number[]): boolean {
  const { w } = e;
  const [a, b] = v.args;
  const halves = (push: (half: 0 | 1) => void): true => {
    push(0);
    push(1);
    w.localSet(locals[1]);
    w.localSet(locals[0]);
    return true;
  };
  const product = EXTMUL[v.op];
  if (product) {
    return halves((half) => {
      e.vec(a);
      e.vec(b);
      w.op(product[half]);
    });
  }
  const simple = WIDE[v.op];
  if (simple !== undefined) {
    return halves((half) => {
      for (const x of v.args) e.vec(x, half);
      w.op(simple);
    });
  }
  if (SAME.has(v.op)) return halves((half) => e.vec(a, half));
  const extend = EXTEND[v.op];
  if (extend) {
    return halves((half) => {
      e.vec(a);
      w.op(extend[half]);
    });
  }
  switch (v.op) {
    case "select":
      return halves((half) => {
        e.vec(v.args[1], half);
        e.vec(v.args[2], half);
        e.vec(a);
        e.vec(a);
        shuffle32(e, WIDEN[half]);
        selectLanes(e);
      });
    case "i64_shl":
    case "i64_shr_s":
    case "i64_shr_u":
      if (e.shape(b).kind !== UNIFORM) return false;
      return halves((half) => {
        e.vec(a, half);
        e.scalar(b);
        w.op(OP.i32_wrap_i64);
        w.op(SHIFTS[v.op]);
      });
    case "f64_promote_f32":
    case "f64_convert_i32_s":
    case "f64_convert_i32_u":
      return halves((half) => {
        e.vec(a);
        if (half === 1) {
          e.vec(a);
          shuffle32(e, [2, 3, 2, 3]);
        }
        w.op(
          v.op === "f64_promote_f32"
            ? OP.f64x2_promote_low_f32x4
            : v.op === "f64_convert_i32_s"
              ? OP.f64x2_convert_low_i32x4_s
              : OP.f64x2_convert_low_i32x4_u,
        );
      });
    case "f64_copysign":
      return halves((half) => {
        e.vec(b, half);
        e.vec(a, half);
        w.i64Const(-(2n ** 63n));
        w.op(OP.i64x2_splat);
        w.op(OP.v128_bitselect);
      });
    case "f64_fma":
      return halves((half) => emitFma(e, v, half));
    case "lib": {
      const name = `${v.aux.name}_x2`;
      if (!e.hasLibrary(name) || !v.args.every(isWide)) return false;
      return halves((half) => {
        for (const x of v.args) e.vec(x, half);
        e.callLibrary(name);
      });
    }
    default:
      return false;
  }
}

function emitFma(e: VectorTarget, v: Value, half: 0 | 1): void {
  const { w } = e;
  const single = v.type === F32;
  const { fma } = e.kernel.options;
  const [a, b, c] = v.args;
  e.vec(a, half);
  e.vec(b, half);
  if (fma === "unfused") w.op(single ? OP.f32x4_mul : OP.f64x2_mul);
  e.vec(c, half);
  if (fma === "unfused") w.op(single ? OP.f32x4_add : OP.f64x2_add);
  else if (fma === "relaxed") w.op(single ? OP.f32x4_relaxed_madd : OP.f64x2_relaxed_madd);
  else w.call(e.kernel.library(single ? "fma_rn_f32_x4" : "fma_rn_f64_x2"));
}

/** prmt with a constant selector that replicates no signs: the bytes of two vectors in that order. */
function emitPermutation(e: VectorTarget, { aux, args: [a, b, selector] }: Value): boolean {
  if (aux.name !== "prmt_b32" || selector.op !== "const" || selector.imm & 0x8888) return false;
  e.vec(a);
  e.vec(b);
  e.w.op(OP.i8x16_shuffle);
  for (let k = 0; k < 16; k++) {
    const byte = (selector.imm >> (4 * (k & 3))) & 7;
    e.w.u8((byte & 4) * 4 + (k & ~3) + (byte & 3));
  }
  return true;
}

/** A library function's form on four lanes; of 64-bit operands it takes both halves. */
function emitLibrary(e: VectorTarget, v: Value): boolean {
  const wide = v.args.some(isWide);
  const name = `${v.aux.name}${wide ? "_x2x2" : "_x4"}`;
  if (v.aux.effect || !e.hasLibrary(name)) return false;
  for (const x of v.args) {
    e.vec(x);
    if (isWide(x)) e.vec(x, 1);
  }
  e.callLibrary(name);
  return true;
}

/** Calls the form of a function with an effect that does it for all active lanes, if there is one. */
function emitMasked(e: GroupOperands, v: Value): boolean {
  if (v.op !== "lib" || v.aux.effect !== true || v.type !== NONE || v.args.some(isWide))
    return false;
  const name = `${v.aux.name}_lanes`;
  if (!e.hasLibrary(name)) return false;
  e.pushMask();
  for (const x of v.args) e.vec(x);
  e.w.call(e.kernel.library(name));
  return true;
}

/** Computes a value lane by lane with the scalar instruction and puts the lanes together. */
function emitLanes(e: GroupOperands, v: Value, locals: readonly number[]): void {
  const { w } = e;
  if (emitMasked(e, v)) return;
  for (let k = 0; k < LANES; k++) {
    const effect = v.op === "lib" && v.aux.effect === true;
    if (effect) e.ifLane(k);
    if (v.op === "select") {
      e.lane(v.args[1], k);
      e.lane(v.args[2], k);
      e.lane(v.args[0], k);
      w.op(OP.select);
    } else {
      for (const a of v.args) e.lane(a, k);
      if (v.op === "lib") w.call(e.kernel.libraryOf(v));
      else {
        const code = opcodeOf(v.op);
        if (code === undefined) throw new Error(`no instruction for ${v.op}`);
        w.op(code);
      }
    }
    if (locals.length === 0) {
      if (v.type !== NONE) w.op(OP.drop);
    } else putLane(e, v.type, locals, k);
    if (effect) e.endLane();
  }
}

/** Moves the scalar on the stack into lane k of a value's locals. */
export function putLane(e: GroupOperands, type: Type, locals: readonly number[], k: number): void {
  const { w } = e;
  const wide = type === I64 || type === F64;
  const local = wide ? locals[k >> 1] : locals[0];
  const lane = wide ? k & 1 : k;
  if (type === I1) {
    w.i32Const(0);
    w.op(OP.i32_ne);
    w.i32Const(-1);
    w.op(OP.i32_mul);
  }
  const scalar = e.temporaryOf(
    type === I64
      ? VALTYPE.i64
      : type === F64
        ? VALTYPE.f64
        : type === F32
          ? VALTYPE.f32
          : VALTYPE.i32,
  );
  w.localSet(scalar);
  w.localGet(local);
  w.localGet(scalar);
  w.op(
    type === I64
      ? OP.i64x2_replace_lane
      : type === F64
        ? OP.f64x2_replace_lane
        : type === F32
          ? OP.f32x4_replace_lane
          : OP.i32x4_replace_lane,
  );
  w.u8(lane);
  w.localSet(local);
}
