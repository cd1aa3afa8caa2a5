import type { Value } from "../ir/ir.ts";
import { type AccessPattern, accessPattern as patternOf } from "../simd/patterns.ts";
import { LANES } from "../simd/shapes.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { log2 } from "./access-codes.ts";
import { FIRST_ACTIVE, type GroupOperands } from "./group-operands.ts";
import { indexLimits } from "./index-limits.ts";
import { allLanes } from "./lane-tests.ts";
import { emitScalar } from "./scalar.ts";
import { shuffle32 } from "./vector.ts";

/** How the lanes make an access. */
export function accessPattern(e: GroupOperands, check: Value): AccessPattern {
  const pattern = patternOf((v) => e.shape(v), check);
  // A linear address that was not found contiguous isn't.
  const hopeless = pattern.tried && e.given(check) === "linear";
  return hopeless ? { stride: undefined, tried: false } : pattern;
}

/** Locals of a check: with a stride (fast, ea, eas), without one (eas), of uniform ones (ea). */
export function checkTypes(e: GroupOperands, check: Value): number[] {
  if (e.near(check)) return [VALTYPE.i32];
  const { stride } = accessPattern(e, check);
  if (stride === 0) return [VALTYPE.i32];
  return stride === undefined ? [VALTYPE.v128] : [VALTYPE.i32, VALTYPE.i32, VALTYPE.v128];
}

/** An address check of four lanes. */
export function emitVectorCheck(e: GroupOperands, v: Value, placed: readonly number[]): void {
  const { w } = e;
  // A check whose address nobody uses still has to be made.
  const locals = placed.length > 0 ? placed : checkTypes(e, v).map((type) => e.temporaryOf(type));
  const { stride, tried } = accessPattern(e, v);
  if (e.given(v)) {
    givenAddress(e, v, locals);
    return;
  }
  if (stride === 0) {
    e.threadOffset = FIRST_ACTIVE; // the one that a fault names
    emitScalar(e, v);
    e.threadOffset = 0;
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

/** The address of a check that was made for the whole block. */
function givenAddress(e: GroupOperands, v: Value, locals: readonly number[]): void {
  const { w } = e;
  const { space, scale = 1 } = v.aux;
  const [first, index] = v.args;
  const { stride, tried } = accessPattern(e, v);
  if (e.near(v)) {
    e.lane(index, 0);
    scaleBy(e, scale, OP.i32_shl, OP.i32_mul);
    e.pushBase32(first);
    w.op(OP.i32_add);
    w.localSet(locals[0]);
    return;
  }
  if (stride !== undefined && !tried) {
    if (space !== "generic") {
      e.scalar(first);
      e.pushWindow(space as "shared");
      w.op(OP.i32_add);
    } else {
      if (index) {
        e.scalar(index);
        scaleBy(e, scale, OP.i32_shl, OP.i32_mul);
      }
      e.pushBase32(first);
      if (index) w.op(OP.i32_add);
    }
    w.localSet(locals[stride === 0 ? 0 : 1]);
    e.sure.add(v);
    return;
  }
  if (space !== "generic") {
    e.vec(first);
    e.pushWindowVector(space as "shared");
    w.op(OP.i32x4_add);
  } else if (index) {
    e.vec(index);
    scaleBy(e, scale, OP.i32x4_shl, OP.i32x4_mul);
    e.pushBase32(first);
    w.op(OP.i32x4_splat);
    w.op(OP.i32x4_add);
  } else {
    e.vec(first, 0);
    e.vec(first, 1);
    shuffle32(e, [0, 2, 4, 6]);
  }
  if (stride === undefined) {
    w.localSet(locals[0]);
    return;
  }
  const [fast, ea, eas] = locals;
  w.localTee(eas);
  w.localGet(eas);
  w.op(OP.i32x4_extract_lane);
  w.u8(0);
  w.localTee(ea);
  w.op(OP.i32x4_splat);
  w.op(OP.i32x4_sub);
  e.pushIota(stride);
  w.op(OP.i32x4_eq);
  allLanes(w);
  w.localSet(fast);
}

/** Multiplies what is on the stack by a constant. */
function scaleBy(e: GroupOperands, scale: number, shift: number, multiply: number): void {
  const { w } = e;
  if (scale === 1) return;
  if ((scale & (scale - 1)) === 0) {
    w.i32Const(log2(scale));
    w.op(shift);
    return;
  }
  w.i32Const(scale);
  if (multiply === OP.i32x4_mul) w.op(OP.i32x4_splat);
  w.op(multiply);
}

/**
 * Looks whether the lanes' addresses happen to lie side by side: sets `ea` to lane 0's and pushes
 * whether they do and all are in range.
 */
function tryContiguous(e: GroupOperands, v: Value, stride: number, ea: number): void {
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
    allLanes(w);
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
  allLanes(w);
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
function rangeTest(e: GroupOperands, offset: number, shift: number, span: number): void {
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
function affineGeneric(e: GroupOperands, v: Value, stride: number, ea: number): void {
  const { w } = e;
  const { offset = 0, size = 1, align = 1, signed = false, scale = 1 } = v.aux;
  const [base, index] = v.args;
  const { stride: step, zeros } = e.shape(index);
  const shift = log2(align);
  const limits = indexLimits(e, v, stride);
  if (limits) {
    // base + index × scale, in 32 bits: right if the index is in range.
    e.scalar(index);
    if (scale !== 1) {
      w.i32Const(log2(scale));
      w.op(OP.i32_shl);
    }
    e.pushBase32(base);
    w.op(OP.i32_add);
    w.localSet(ea);
    e.scalar(index);
    w.localGet(limits.low);
    w.op(OP.i32_sub);
    w.localGet(limits.count);
    w.op(OP.i32_lt_u);
    return;
  }
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
function affineWindow(e: GroupOperands, v: Value, stride: number, ea: number): void {
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
function laneChecks(e: GroupOperands, v: Value, eas: number): void {
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
    allLanes(w);
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
function quickLanes(e: GroupOperands, v: Value, eas: number): void {
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
  scaleBy(e, scale, OP.i32x4_shl, OP.i32x4_mul);
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
  allLanes(w);
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
function windowLanes(e: GroupOperands, v: Value, eas: number): void {
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
    allLanes(w);
    e.startOverUnless();
    return;
  }
  w.op(OP.i32x4_ge_u);
  e.faultLanes(v, () => w.localGet(sums), "lane_word");
}
