import { F32, F64, I32, type Value } from "../ir/ir.ts";
import { AFFINE, isWide, LANES, UNIFORM } from "../simd/shapes.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import type { GroupEmitter } from "./group.ts";
import { emitScalar } from "./scalar.ts";
import { putLane } from "./vector.ts";

const log2 = (n: number) => 31 - Math.clz32(n);

/**
 * Bytes between the lanes of a checked address: 0 if all lanes have the same, undefined if the
 * lanes go anywhere.
 */
function laneStride(e: GroupEmitter, check: Value): number | undefined {
  if (check.op !== "check") return e.shape(check).kind === UNIFORM ? 0 : undefined;
  if (check.aux.space === "local") return undefined; // each lane has its own
  const [first, index] = check.args;
  if (index) {
    const s = e.shape(index);
    return s.kind === AFFINE && s.stride > 0 ? s.stride * (check.aux.scale as number) : undefined;
  }
  const s = e.shape(first);
  if (s.kind === UNIFORM) return 0;
  return s.kind === AFFINE && s.stride > 0 ? s.stride : undefined;
}

/**
 * Bytes between neighbouring lanes that an access of unknown pattern is tried with: most turn out
 * to be contiguous (pointers kept across barriers, computed indices). Undefined if not worth it.
 */
function triedStride(check: Value): number | undefined {
  if (check.op !== "check" || check.aux.space === "local") return undefined;
  const { align = 1, scale } = check.aux;
  if (check.args.length === 2 && align % (scale as number) !== 0) return undefined;
  return align;
}

/** How a varying access is made: its stride, and whether that is only tried. */
export function accessPattern(
  e: GroupEmitter,
  check: Value,
): { stride: number | undefined; tried: boolean } {
  const stride = laneStride(e, check);
  if (stride !== undefined) return { stride, tried: false };
  const tried = triedStride(check);
  return { stride: tried, tried: tried !== undefined };
}

/** Locals of a check: with a stride (fast, ea, eas), without one (eas), of uniform ones (ea). */
export function checkTypes(e: GroupEmitter, check: Value): number[] {
  const { stride } = accessPattern(e, check);
  if (stride === 0) return [VALTYPE.i32];
  return stride === undefined ? [VALTYPE.v128] : [VALTYPE.i32, VALTYPE.i32, VALTYPE.v128];
}

/** An address check of four lanes. */
export function emitVectorCheck(e: GroupEmitter, v: Value, placed: number[]): void {
  const { w } = e;
  // A check whose address nobody uses still has to be made.
  const locals = placed.length > 0 ? placed : checkTypes(e, v).map((type) => e.temporaryOf(type));
  const { stride, tried } = accessPattern(e, v);
  if (stride === 0) {
    emitScalar(e, v);
    w.localSet(locals[0]);
    return;
  }
  if (stride === undefined) {
    laneChecks(e, v, locals[0]);
    return;
  }
  const [fast, ea, eas] = locals;
  if (tried) tryContiguous(e, v, stride, ea);
  else if (v.args.length === 2) affineGeneric(e, v, stride, ea);
  else affineWindow(e, v, stride, ea);
  if (!tried && e.startOverUnless()) {
    e.sure.add(v);
    return;
  }
  w.localTee(fast);
  w.op(OP.i32_eqz);
  w.if();
  e.nested++;
  laneChecks(e, v, eas);
  e.nested--;
  w.end();
}

/**
 * Looks whether the lanes' addresses happen to lie side by side: sets `ea` to lane 0's and pushes
 * whether they do and all are in range.
 */
function tryContiguous(e: GroupEmitter, v: Value, stride: number, ea: number): void {
  const { w } = e;
  const { space, offset = 0, size = 1, align = 1, signed = false, scale = 1 } = v.aux;
  const [first, index] = v.args;
  const shift = log2(align);
  const span = size + (LANES - 1) * stride;
  if (space === "generic" && !index) {
    const address = e.temporaryOf(VALTYPE.i64);
    e.lane(first, 0);
    w.localTee(address);
    w.op(OP.i32_wrap_i64);
    w.localSet(ea);
    for (const half of [0, 1] as const) {
      e.vec(first, half);
      w.localGet(address);
      w.op(OP.i64x2_splat);
      w.op(OP.i64x2_sub);
      e.constant([2 * half * stride, 0, (2 * half + 1) * stride, 0]);
      w.op(OP.i64x2_eq);
    }
    w.op(OP.v128_and);
    w.op(OP.i32x4_all_true);
    w.localGet(address);
    w.localGet(e.heapLow());
    w.op(OP.i64_sub);
    rangeTest(e, offset, shift, span);
    w.op(OP.i32_and);
    return;
  }
  const lane0 = e.temporaryOf(VALTYPE.i32);
  const source = index ?? first;
  e.lane(source, 0);
  w.localSet(lane0);
  e.vec(source);
  w.localGet(lane0);
  w.op(OP.i32x4_splat);
  w.op(OP.i32x4_sub);
  e.pushIota(index ? stride / scale : stride);
  w.op(OP.i32x4_eq);
  w.op(OP.i32x4_all_true);
  if (!index) {
    w.localGet(lane0);
    e.pushWindow(space as "shared");
    w.op(OP.i32_add);
    w.localSet(ea);
    w.localGet(lane0);
    if (offset !== 0) {
      w.i32Const(offset);
      w.op(OP.i32_add);
    }
    if (shift > 0) {
      w.i32Const(shift);
      w.op(OP.i32_rotr);
    }
    w.localGet(e.windowBound(space as "shared", span, shift));
    w.op(OP.i32_lt_u);
    w.op(OP.i32_and);
    return;
  }
  const bytes = e.temporaryOf(VALTYPE.i64);
  w.localGet(lane0);
  w.op(signed ? OP.i64_extend_i32_s : OP.i64_extend_i32_u);
  if (scale !== 1) {
    w.i64Const(BigInt(scale));
    w.op(OP.i64_mul);
  }
  w.localSet(bytes);
  e.pushBase32(first);
  w.localGet(bytes);
  w.op(OP.i32_wrap_i64);
  w.op(OP.i32_add);
  w.localSet(ea);
  e.pushBaseFromLow(first, 0);
  w.localGet(bytes);
  w.op(OP.i64_add);
  rangeTest(e, offset, shift, span);
  w.op(OP.i32_and);
  // The index must not wrap between the lanes, though its bits do look contiguous.
  const steps = ((LANES - 1) * stride) / scale;
  w.localGet(lane0);
  w.i32Const(signed ? 0x7fffffff - steps : -1 - steps);
  w.op(signed ? OP.i32_le_s : OP.i32_le_u);
  w.op(OP.i32_and);
}

/** With an address relative to the lowest legal one on the stack: whether `span` bytes are legal. */
function rangeTest(e: GroupEmitter, offset: number, shift: number, span: number): void {
  const { w } = e;
  if (offset !== 0) {
    w.i64Const(BigInt(offset));
    w.op(OP.i64_add);
  }
  if (shift > 0) {
    w.i64Const(BigInt(shift));
    w.op(OP.i64_rotr);
  }
  w.localGet(e.genericBound(span, shift));
  w.op(OP.i64_lt_u);
}

/**
 * Sets `ea` to the address of lane 0 of base + extend(index) × scale, and pushes whether all four
 * lanes are in range.
 */
function affineGeneric(e: GroupEmitter, v: Value, stride: number, ea: number): void {
  const { w } = e;
  const { offset = 0, size = 1, align = 1, signed = false, scale = 1 } = v.aux;
  const [base, index] = v.args;
  const { stride: step, zeros } = e.shape(index);
  const shift = log2(align);
  const bytes = e.scaledIndex(index, signed, scale);
  e.pushBase32(base);
  w.localGet(bytes);
  w.op(OP.i32_wrap_i64);
  w.op(OP.i32_add);
  w.localSet(ea);
  e.pushBaseFromLow(base, offset);
  w.localGet(bytes);
  w.op(OP.i64_add);
  if (shift > 0) {
    w.i64Const(BigInt(shift));
    w.op(OP.i64_rotr);
  }
  w.localGet(e.genericBound(size + (LANES - 1) * stride, shift));
  w.op(OP.i64_lt_u);
  const span = (LANES - 1) * step;
  if (span >= 2 ** zeros) {
    // The 32-bit index must not wrap between the lanes.
    e.scalar(index);
    w.i32Const(signed ? 0x7fffffff - span : -1 - span);
    w.op(signed ? OP.i32_le_s : OP.i32_le_u);
    w.op(OP.i32_and);
  }
  if (stride % align !== 0) {
    w.op(OP.drop);
    w.i32Const(0);
  }
}

/** The same for an offset in shared or local memory. */
function affineWindow(e: GroupEmitter, v: Value, stride: number, ea: number): void {
  const { w } = e;
  const { space, offset = 0, size = 1, align = 1 } = v.aux;
  const [address] = v.args;
  const shift = log2(align);
  e.scalar(address);
  e.pushWindow(space as "shared");
  w.op(OP.i32_add);
  w.localSet(ea);
  e.scalar(address);
  if (offset !== 0) {
    w.i32Const(offset);
    w.op(OP.i32_add);
  }
  if (shift > 0) {
    w.i32Const(shift);
    w.op(OP.i32_rotr);
  }
  w.localGet(e.windowBound(space as "shared", size + (LANES - 1) * stride, shift));
  w.op(OP.i32_lt_u);
  if (stride % align !== 0) {
    w.op(OP.drop);
    w.i32Const(0);
  }
}

/** Checks each active lane by itself; leaves the lanes' addresses in `eas`. */
function laneChecks(e: GroupEmitter, v: Value, eas: number): void {
  const { w } = e;
  const { space, offset = 0, size = 1, align = 1, signed, scale = 1 } = v.aux;
  const shift = log2(align);
  const [first, index] = v.args;
  if (space !== "generic") {
    windowLanes(e, v, eas);
    return;
  }
  if (index) {
    quickLanes(e, v, eas);
    if (e.startOverUnless()) return;
    w.op(OP.i32_eqz);
    w.if();
    e.scalar(first);
    e.vec(index);
    w.i32Const(scale);
    w.i32Const(signed ? 1 : 0);
  } else {
    e.vec(first, 0);
    e.vec(first, 1);
  }
  w.localGet(e.heapLow());
  w.localGet(e.genericBound(size, shift));
  w.i32Const(shift);
  w.i32Const(offset);
  e.pushMask();
  w.call(e.kernel.library(index ? "lane_addresses" : "lane_addresses_wide"));
  w.localTee(eas);
  w.i32Const(-1);
  w.op(OP.i32x4_splat);
  if (!index && e.canStartOver()) {
    w.op(OP.i32x4_ne);
    w.op(OP.i32x4_all_true);
    e.startOverUnless();
    return;
  }
  w.op(OP.i32x4_eq);
  e.faultLanes(
    v,
    () => {
      if (index) {
        e.scalar(first);
        e.vec(index);
        w.i32Const(scale);
        w.i32Const(signed ? 1 : 0);
        w.i32Const(offset);
      } else {
        e.vec(first, 0);
        e.vec(first, 1);
      }
    },
    index ? "lane_address" : "lane_wide",
  );
  if (index) w.end();
}

/**
 * The common case of a gather in 32-bit vectors: the base is in range and no lane's index × scale
 * leaves 32 bits. Sets `eas` and pushes whether that is so.
 */
function quickLanes(e: GroupEmitter, v: Value, eas: number): void {
  const { w } = e;
  const { offset = 0, size = 1, align = 1, signed, scale = 1 } = v.aux;
  const [base, index] = v.args;
  const shift = log2(align);
  const start = e.temporaryOf(VALTYPE.i64);
  const offsets = e.temporaryOf(VALTYPE.v128);
  const sums = e.temporaryOf(VALTYPE.v128);
  // Where lane addresses are counted from.
  e.pushBaseFromLow(base, offset);
  w.localSet(start);
  e.vec(index);
  if (scale !== 1) {
    if ((scale & (scale - 1)) === 0) {
      w.i32Const(log2(scale));
      w.op(OP.i32x4_shl);
    } else {
      w.i32Const(scale);
      w.op(OP.i32x4_splat);
      w.op(OP.i32x4_mul);
    }
  }
  w.localTee(offsets);
  w.localGet(start);
  w.op(OP.i32_wrap_i64);
  w.op(OP.i32x4_splat);
  w.op(OP.i32x4_add);
  w.localSet(sums);
  // sum (rotated) < bound
  w.localGet(sums);
  if (shift > 0) {
    w.i32Const(shift);
    w.op(OP.i32x4_shr_u);
    w.localGet(sums);
    w.i32Const(32 - shift);
    w.op(OP.i32x4_shl);
    w.op(OP.v128_or);
  }
  w.localGet(e.genericBound32(size, shift));
  w.op(OP.i32x4_splat);
  w.op(OP.i32x4_lt_u);
  // The addition carried exactly if the offset is negative: sum < start ⇔ offset < 0.
  w.localGet(sums);
  w.localGet(start);
  w.op(OP.i32_wrap_i64);
  w.op(OP.i32x4_splat);
  w.op(OP.i32x4_lt_u);
  if (signed) {
    w.localGet(offsets);
    w.i32Const(31);
    w.op(OP.i32x4_shr_s);
    w.op(OP.v128_xor);
  }
  w.op(OP.v128_andnot);
  if (scale !== 1) {
    // The index times the scale fits.
    const limit = signed ? Math.floor(2 ** 31 / scale) : Math.floor((2 ** 32 - 1) / scale);
    e.vec(index);
    if (signed) {
      w.i32Const(limit);
      w.op(OP.i32x4_splat);
      w.op(OP.i32x4_add);
    }
    w.i32Const(signed ? (2 * limit) | 0 : limit | 0);
    w.op(OP.i32x4_splat);
    w.op(signed ? OP.i32x4_lt_u : OP.i32x4_le_u);
    w.op(OP.v128_and);
  }
  if (e.mask >= 0) {
    e.pushMask();
    w.op(OP.v128_not);
    w.op(OP.v128_or);
  }
  w.op(OP.i32x4_all_true);
  w.localGet(start);
  w.i64Const(32n);
  w.op(OP.i64_shr_u);
  w.op(OP.i64_eqz);
  w.op(OP.i32_and);
  // eas = base + index × scale; right only if the test has passed.
  w.localGet(offsets);
  e.pushBase32(base);
  w.op(OP.i32x4_splat);
  w.op(OP.i32x4_add);
  w.localSet(eas);
}

/** Offsets in shared or local memory: all lanes in one comparison. */
function windowLanes(e: GroupEmitter, v: Value, eas: number): void {
  const { w } = e;
  const { space, offset = 0, size = 1, align = 1 } = v.aux;
  const [address] = v.args;
  const shift = log2(align);
  const sums = e.temporaryOf(VALTYPE.v128);
  e.vec(address);
  if (offset !== 0) {
    w.i32Const(offset);
    w.op(OP.i32x4_splat);
    w.op(OP.i32x4_add);
  }
  w.localSet(sums);
  w.localGet(sums);
  if (shift > 0) {
    w.i32Const(shift);
    w.op(OP.i32x4_shr_u);
    w.localGet(sums);
    w.i32Const(32 - shift);
    w.op(OP.i32x4_shl);
    w.op(OP.v128_or);
  }
  e.vec(address);
  e.pushWindowVector(space as "shared");
  w.op(OP.i32x4_add);
  w.localSet(eas);
  w.localGet(e.windowBound(space as "shared", size, shift));
  w.op(OP.i32x4_splat);
  if (e.canStartOver()) {
    w.op(OP.i32x4_lt_u);
    if (e.mask >= 0) {
      e.pushMask();
      w.op(OP.v128_not);
      w.op(OP.v128_or);
    }
    w.op(OP.i32x4_all_true);
    e.startOverUnless();
    return;
  }
  w.op(OP.i32x4_ge_u);
  e.faultLanes(v, () => w.localGet(sums), "lane_word");
}

/** A load of four lanes into the value's locals. */
export function emitVectorLoad(e: GroupEmitter, v: Value, locals: number[]): void {
  const { w } = e;
  const [check] = v.args;
  const size = v.aux.size as number;
  const offset = v.aux.offset as number;
  if (v.aux.ordered && v.aux.space === "generic") {
    orderedLanes(e, v, locals);
    return;
  }
  const where = e.locals(check);
  const { stride } = accessPattern(e, check);
  if (stride === undefined) {
    gather(e, v, where[0], locals);
    return;
  }
  const [fast, ea, eas] = where;
  const sure = e.isSure(check);
  if (!sure) {
    w.localGet(fast);
    w.if();
  }
  if (stride === size) contiguousLoad(e, v, ea, offset, locals);
  else {
    for (let k = 0; k < LANES; k++)
      laneLoad(e, v, k, () => w.localGet(ea), offset + k * stride, locals);
  }
  if (sure) return;
  w.op(OP.else);
  gather(e, v, eas, locals);
  w.end();
}

function contiguousLoad(
  e: GroupEmitter,
  v: Value,
  ea: number,
  offset: number,
  locals: number[],
): void {
  const { w } = e;
  const size = v.aux.size as number;
  w.localGet(ea);
  if (size === 4) w.mem(OP.v128_load, 2, offset);
  else if (size === 8) {
    w.mem(OP.v128_load, 3, offset);
    w.localSet(locals[0]);
    w.localGet(ea);
    w.mem(OP.v128_load, 3, offset + 16);
    w.localSet(locals[1]);
    return;
  } else if (size === 2) {
    w.mem(OP.v128_load64_zero, 1, offset);
    w.op(OP.i32x4_extend_low_i16x8_u);
  } else {
    w.mem(OP.v128_load32_zero, 0, offset);
    w.op(OP.i16x8_extend_low_i8x16_u);
    w.op(OP.i32x4_extend_low_i16x8_u);
  }
  w.localSet(locals[0]);
}

/** Loads one lane from the address that `push` pushes. */
function laneLoad(
  e: GroupEmitter,
  v: Value,
  k: number,
  push: () => void,
  offset: number,
  locals: number[],
): void {
  const { w } = e;
  const size = v.aux.size as number;
  push();
  if (size === 8) {
    const local = locals[k >> 1];
    if ((k & 1) === 0) w.mem(OP.v128_load64_zero, 3, offset);
    else {
      w.localGet(local);
      w.mem(OP.v128_load64_lane, 3, offset);
      w.u8(1);
    }
    w.localSet(local);
    return;
  }
  if (size === 4) {
    if (k === 0) w.mem(OP.v128_load32_zero, 2, offset);
    else {
      w.localGet(locals[0]);
      w.mem(OP.v128_load32_lane, 2, offset);
      w.u8(k);
    }
    w.localSet(locals[0]);
    return;
  }
  w.mem(size === 2 ? OP.i32_load16_u : OP.i32_load8_u, log2(size), offset);
  putLane(e, I32, locals, k);
}

/** Loads from four addresses; inactive lanes touch no memory. */
function gather(e: GroupEmitter, v: Value, eas: number, locals: number[]): void {
  const { w } = e;
  const size = v.aux.size as number;
  const offset = v.aux.offset as number;
  const all = () => {
    for (let k = 0; k < LANES; k++) {
      const push = () => {
        w.localGet(eas);
        w.op(OP.i32x4_extract_lane);
        w.u8(k);
      };
      laneLoad(e, v, k, push, offset, locals);
    }
  };
  if (e.mask < 0) {
    all();
    return;
  }
  e.pushMask();
  w.op(OP.i32x4_all_true);
  w.if();
  all();
  w.op(OP.else);
  const names = size === 8 ? ["gather_8_low", "gather_8_high"] : [`gather_${size}`];
  names.forEach((name, half) => {
    w.localGet(eas);
    e.pushMask();
    w.i32Const(offset);
    w.call(e.kernel.library(name));
    w.localSet(locals[half]);
  });
  w.end();
}

/** Atomic loads, lane by lane. */
function orderedLanes(e: GroupEmitter, v: Value, locals: number[]): void {
  const { w } = e;
  const size = v.aux.size as number;
  for (let k = 0; k < LANES; k++) {
    e.ifLane(k);
    e.laneAddress(v.args[0], k);
    w.mem(ATOMIC_LOADS[size], log2(size), v.aux.offset as number);
    if (v.type === F32) w.op(OP.f32_reinterpret_i32);
    if (v.type === F64) w.op(OP.f64_reinterpret_i64);
    putLane(e, v.type, locals, k);
    e.endLane();
  }
}

const ATOMIC_LOADS: Record<number, number> = {
  1: OP.i32_atomic_load8_u,
  2: OP.i32_atomic_load16_u,
  4: OP.i32_atomic_load,
  8: OP.i64_atomic_load,
};
const ATOMIC_STORES: Record<number, number> = {
  1: OP.i32_atomic_store8,
  2: OP.i32_atomic_store16,
  4: OP.i32_atomic_store,
  8: OP.i64_atomic_store,
};

/** A store of four lanes; writes active lanes only. */
export function emitVectorStore(e: GroupEmitter, v: Value): void {
  const { w } = e;
  const [check, value] = v.args;
  const size = v.aux.size as number;
  const offset = v.aux.offset as number;
  const { stride } = accessPattern(e, check);
  if (stride === 0 && e.shape(value).kind === UNIFORM) {
    emitScalar(e, v);
    return;
  }
  if (stride === 0 || (v.aux.ordered && v.aux.space === "generic")) {
    laneStores(e, v);
    return;
  }
  const where = e.locals(check);
  if (stride === undefined) {
    scatter(e, v, where[0]);
    return;
  }
  const [fast, ea, eas] = where;
  const sure = e.isSure(check);
  const branches = !sure || e.mask >= 0;
  if (!sure) w.localGet(fast);
  if (e.mask >= 0) {
    e.pushMask();
    w.op(OP.i32x4_all_true);
    if (!sure) w.op(OP.i32_and);
  }
  if (branches) w.if();
  if (stride === size) contiguousStore(e, v, ea);
  else {
    for (let k = 0; k < LANES; k++) {
      w.localGet(ea);
      storeLane(e, value, size, k, offset + k * stride);
    }
  }
  if (!branches) return;
  w.op(OP.else);
  if (e.mask >= 0) {
    // The lanes' addresses were not needed so far.
    if (!sure) {
      w.localGet(fast);
      w.if();
    }
    e.pushAffine(ea, stride);
    w.localSet(eas);
    if (!sure) w.end();
  }
  scatter(e, v, eas);
  w.end();
}

function contiguousStore(e: GroupEmitter, v: Value, ea: number): void {
  const { w } = e;
  const [, value] = v.args;
  const size = v.aux.size as number;
  const offset = v.aux.offset as number;
  w.localGet(ea);
  if (size === 8) {
    e.vec(value, 0);
    w.mem(OP.v128_store, 3, offset);
    w.localGet(ea);
    e.vec(value, 1);
    w.mem(OP.v128_store, 3, offset + 16);
    return;
  }
  e.vec(value);
  if (size === 4) {
    w.mem(OP.v128_store, 2, offset);
    return;
  }
  e.vec(value);
  w.op(OP.i8x16_shuffle);
  const bytes = size === 2 ? [0, 1, 4, 5, 8, 9, 12, 13] : [0, 4, 8, 12];
  for (let k = 0; k < 16; k++) w.u8(bytes[k % bytes.length]);
  w.mem(size === 2 ? OP.v128_store64_lane : OP.v128_store32_lane, log2(size), offset);
  w.u8(0);
}

/** Stores lane k of a value to the address on the stack. */
function storeLane(e: GroupEmitter, value: Value, size: number, k: number, offset: number): void {
  const { w } = e;
  if (size === 8) {
    e.vec(value, (k >> 1) as 0 | 1);
    w.mem(OP.v128_store64_lane, 3, offset);
    w.u8(k & 1);
    return;
  }
  e.vec(value);
  const code =
    size === 4 ? OP.v128_store32_lane : size === 2 ? OP.v128_store16_lane : OP.v128_store8_lane;
  w.mem(code, log2(size), offset);
  w.u8(size === 4 ? k : size === 2 ? 2 * k : 4 * k);
}

function scatter(e: GroupEmitter, v: Value, eas: number): void {
  const { w } = e;
  const [, value] = v.args;
  const size = v.aux.size as number;
  const offset = v.aux.offset as number;
  if (e.mask < 0) {
    for (let k = 0; k < LANES; k++) {
      w.localGet(eas);
      w.op(OP.i32x4_extract_lane);
      w.u8(k);
      storeLane(e, value, size, k, offset);
    }
    return;
  }
  w.localGet(eas);
  e.pushMask();
  w.i32Const(offset);
  e.vec(value, 0);
  if (isWide(value)) e.vec(value, 1);
  w.call(e.kernel.library(`scatter_${size}`));
}

/** Stores lane by lane, in order: atomic ones, and different values to one address. */
function laneStores(e: GroupEmitter, v: Value): void {
  const { w } = e;
  const [check, value] = v.args;
  const size = v.aux.size as number;
  const offset = v.aux.offset as number;
  const atomic = v.aux.ordered && v.aux.space === "generic";
  for (let k = 0; k < LANES; k++) {
    e.ifLane(k);
    e.laneAddress(check, k);
    if (atomic) {
      e.lane(value, k);
      if (value.type === F32) w.op(OP.i32_reinterpret_f32);
      if (value.type === F64) w.op(OP.i64_reinterpret_f64);
      w.mem(ATOMIC_STORES[size], log2(size), offset);
    } else storeLane(e, value, size, k, offset);
    e.endLane();
  }
}
