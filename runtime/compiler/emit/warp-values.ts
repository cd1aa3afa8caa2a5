import { FRAME_SLOT_BYTES } from "../../exec/layout.ts";
import { type Cut, I1, I32, type Value } from "../ir/ir.ts";
import { isWide, LANES } from "../simd/shapes.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { LOADS } from "./frame.ts";
import type { GroupOperands } from "./group-operands.ts";
import { allLanes, anyLane } from "./lane-tests.ts";
import { type Lanes, selectLanes, shuffle32 } from "./vector.ts";

/** Writes an operation of the body for whole warps; false if it is none. */
export function emitWarpValue(e: GroupOperands, v: Value): boolean {
  const { w } = e;
  switch (v.op) {
    case "group_if":
      w.localGet(e.maskLocals[v.imm]);
      anyLane(w);
      w.if();
      e.nested++;
      e.blockCache.clear(); // what is computed in here is there for this group only
      return true;
    case "group_end":
      w.end();
      e.nested--;
      e.blockCache.clear();
      return true;
    case "owned_if":
      w.localGet(e.owned());
      w.if();
      e.nested++;
      e.blends = true;
      e.blockCache.clear();
      return true;
    case "owned_else":
      w.op(OP.else);
      e.blends = false;
      e.blockCache.clear();
      return true;
    case "owned_end":
      w.end();
      e.nested--;
      e.blockCache.clear();
      return true;
    case "warp_store":
      store(e, v);
      return true;
    case "warp_call":
      call(e, v);
      return true;
  }
  if (!v.op.startsWith("warp_")) return false;
  const locals = e.locals(v);
  if (locals.length === 0) return true; // nobody uses it
  switch (v.op) {
    case "warp_lanes":
      e.vec(v.args[0]);
      e.vec(v.args[1]);
      shuffle32(e, v.aux.lanes as Lanes);
      break;
    case "warp_constant":
      e.constant(v.aux.lanes as number[]);
      break;
    case "warp_lane":
      e.lane(v.args[0], v.imm);
      break;
    case "warp_vote":
      vote(e, v);
      break;
    case "warp_reduce":
      reduce(e, v);
      break;
    case "warp_word":
      e.pushFrame(v.type);
      w.mem(LOADS[v.type], isWide(v) ? 3 : 2, v.imm * FRAME_SLOT_BYTES);
      if (v.type === I1) {
        w.i32Const(0);
        w.op(OP.i32_ne);
      }
      break;
    case "warp_pick":
      e.pushFrame(I32);
      pushBytes(e, v.args[0], 31, 2);
      w.op(OP.i32_add);
      w.mem(OP.i32_load, 2, v.imm * FRAME_SLOT_BYTES);
      break;
    case "warp_shift":
      shift(e, v);
      break;
    default:
      throw new Error(`no code for ${v.op}`);
  }
  w.localSet(locals[0]);
  return true;
}

/** Pushes (number & mask) << by. */
function pushBytes(e: GroupOperands, number: Value, mask: number, by: number): void {
  e.scalar(number);
  e.w.i32Const(mask);
  e.w.op(OP.i32_and);
  e.w.i32Const(by);
  e.w.op(OP.i32_shl);
}

/** The group's lanes of an operand, to a slot of the warp's frame. */
function store(e: GroupOperands, v: Value): void {
  const [source] = v.args;
  for (const half of isWide(source) ? ([0, 1] as const) : ([0] as const)) {
    e.pushFrame(source.type);
    e.vec(source, half);
    e.w.mem(OP.v128_store, 2, v.imm * FRAME_SLOT_BYTES + 16 * half);
  }
}

/** The library's function, over the frame, for all lanes. */
function call(e: GroupOperands, { aux: { cut } }: Value): void {
  const frame = e.temporaryOf(VALTYPE.i32);
  e.pushFrame(I32);
  e.w.localSet(frame);
  e.w.i32Const(-1);
  e.callOverFrame(cut as Cut, frame);
}

/** Pushes what the lanes' predicates come to. */
function vote(e: GroupOperands, { args, aux: { name } }: Value): void {
  const { w } = e;
  const combined = (op: number) => {
    args.forEach((a, k) => {
      e.vec(a);
      if (k > 0) w.op(op);
    });
  };
  const any = () => {
    combined(OP.v128_or);
    w.op(OP.v128_any_true); // 0 or 1
  };
  const all = () => {
    combined(OP.v128_and);
    allLanes(w);
  };
  if (name === "any") any();
  else if (name === "all") all();
  else if (name === "uni") {
    all();
    any();
    w.op(OP.i32_eqz);
    w.op(OP.i32_or);
  } else {
    // One byte a lane, sixteen lanes at a time.
    for (const half of [0, 4]) {
      for (const pair of [half, half + 2]) {
        e.vec(args[pair]);
        e.vec(args[pair + 1]);
        w.op(OP.i16x8_narrow_i32x4_s);
      }
      w.op(OP.i8x16_narrow_i16x8_s);
      w.op(OP.i8x16_bitmask);
    }
    w.i32Const(16);
    w.op(OP.i32_shl);
    w.op(OP.i32_or);
  }
}

/** Pushes one scalar of all lanes' values. */
function reduce(e: GroupOperands, v: Value): void {
  const { w } = e;
  const op = (OP as Record<string, number>)[v.aux.name as string];
  const sum = e.temporaryOf(VALTYPE.v128);
  v.args.forEach((a, k) => {
    e.vec(a);
    if (k > 0) w.op(op);
  });
  for (const lanes of [
    [2, 3, 0, 1],
    [1, 0, 3, 2],
  ] as Lanes[]) {
    w.localTee(sum);
    w.localGet(sum);
    w.localGet(sum);
    shuffle32(e, lanes);
    w.op(op);
  }
  w.op(OP.i32x4_extract_lane);
  w.u8(0);
}

/**
 * Pushes the group's lanes of an operand that lies in the frame, moved by a number that all lanes
 * share. What is read from beyond the operand's ends stays in the frame, and is not taken.
 */
function shift(e: GroupOperands, v: Value): void {
  const { w } = e;
  const [own, by] = v.args;
  const { name } = v.aux;
  const at = v.imm * FRAME_SLOT_BYTES;
  if (name === "bfly") {
    // The group with these lanes, then its lanes among themselves.
    const { copy } = e;
    e.copy = 0;
    e.pushFrame(I32);
    e.copy = copy;
    e.scalar(by);
    w.i32Const(28);
    w.op(OP.i32_and);
    w.i32Const(LANES * copy);
    w.op(OP.i32_xor);
    w.i32Const(2);
    w.op(OP.i32_shl);
    w.op(OP.i32_add);
    w.mem(OP.v128_load, 2, at);
    e.constant([0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c]);
    e.scalar(by);
    w.i32Const(3);
    w.op(OP.i32_and);
    w.i32Const(0x04040404);
    w.op(OP.i32_mul);
    w.op(OP.i32x4_splat);
    w.op(OP.v128_xor);
    w.op(OP.i8x16_swizzle);
    return;
  }
  e.pushFrame(I32);
  pushBytes(e, by, 31, 2);
  w.op(name === "up" ? OP.i32_sub : OP.i32_add);
  w.mem(OP.v128_load, 2, at);
  e.vec(own);
  e.constant([0, 1, 2, 3].map((k) => LANES * e.copy + k));
  e.scalar(by);
  w.i32Const(31);
  w.op(OP.i32_and);
  if (name === "up") {
    w.op(OP.i32x4_splat);
    w.op(OP.i32x4_ge_s);
  } else {
    // lane + by <= 31
    w.i32Const(31);
    w.op(OP.i32_xor);
    w.op(OP.i32x4_splat);
    w.op(OP.i32x4_le_s);
  }
  selectLanes(e);
}
