import { F32, F64, I32, type Value } from "../ir/ir.ts";
import { LANES, UNIFORM } from "../simd/shapes.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { ATOMIC_LOADS, ATOMIC_STORES, log2 } from "./access-codes.ts";
import type { GroupOperands } from "./group-operands.ts";
import { allLanes } from "./lane-tests.ts";
import { emitScalar } from "./scalar.ts";
import { putLane, selectByMask, selectLanes, shuffle32 } from "./vector.ts";
import { accessPattern } from "./vector-check.ts";

/** A load of four lanes into the value's locals. */
export function emitVectorLoad(e: GroupOperands, v: Value, locals: readonly number[]): void {
  const { w } = e;
  const [check] = v.args;
  const size = v.aux.size as number;
  const offset = v.aux.offset as number;
  if (v.aux.splat) {
    // V8 has one instruction for it; JavaScriptCore loads words into scalar registers, but floats are vectors.
    e.scalar(check);
    if (e.kernel.options.fma === "relaxed") w.mem(OP.v128_load32_splat, 2, offset);
    else {
      w.mem(OP.f32_load, 2, offset);
      w.op(OP.f32x4_splat);
    }
    w.localSet(locals[0]);
    return;
  }
  if (v.aux.ordered && v.aux.space === "generic") {
    orderedLanes(e, v, locals);
    return;
  }
  const where = e.locals(check);
  const near = e.near(check);
  if (near) {
    nearLoad(e, v, where[0], near, locals);
    return;
  }
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
  else if (stride === 2 * size && size === 4) nearLoad(e, v, ea, [0, 8, 16, 24], locals);
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
  e: GroupOperands,
  v: Value,
  ea: number,
  offset: number,
  locals: readonly number[],
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

/** Loads four words from the two vectors that they lie in; the addresses of all lanes are legal. */
function nearLoad(
  e: GroupOperands,
  v: Value,
  ea: number,
  offsets: readonly number[],
  locals: readonly number[],
): void {
  const { w } = e;
  const first = Math.min(...offsets);
  const last = Math.max(...offsets) - 12;
  for (const from of [first, last]) {
    const at = pushAddress(e, ea, (v.aux.offset as number) + from);
    w.mem(OP.v128_load, 2, at);
  }
  const [a, b, c, d] = offsets.map((n) => (n - first <= 12 ? (n - first) / 4 : 4 + (n - last) / 4));
  shuffle32(e, [a, b, c, d]);
  w.localSet(locals[0]);
}

/** Pushes an address and returns the static offset that goes with it. */
export function pushAddress(e: GroupOperands, ea: number, offset: number): number {
  e.w.localGet(ea);
  if (offset >= 0) return offset;
  e.w.i32Const(offset);
  e.w.op(OP.i32_add);
  return 0;
}

/** Two stores that are eight words in a row, written with what is there for lanes that are not active. */
export function emitStorePair(e: GroupOperands, v: Value): void {
  const { w } = e;
  const [check, first, second] = v.args;
  const [ea] = e.locals(check);
  const words = v.aux.lanes as number[];
  for (const half of [0, 4]) {
    const [a, b, c, d] = words.slice(half, half + 4);
    const offset = (v.aux.offset as number) + 4 * half;
    const at = pushAddress(e, ea, offset);
    e.vec(first);
    e.vec(second);
    shuffle32(e, [a, b, c, d]);
    if (e.mask >= 0) {
      w.mem(OP.v128_load, 2, pushAddress(e, ea, offset));
      e.pushMask();
      e.pushMask();
      shuffle32(e, [a % 4, b % 4, c % 4, d % 4]);
      selectLanes(e);
    }
    w.mem(OP.v128_store, 2, at);
  }
}

/** Loads one lane from the address that `push` pushes. */
function laneLoad(
  e: GroupOperands,
  v: Value,
  k: number,
  push: () => void,
  offset: number,
  locals: readonly number[],
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

/** Loads from four addresses. Inactive lanes load from the block's sink, which spares a branch. */
function gather(e: GroupOperands, v: Value, eas: number, locals: readonly number[]): void {
  const { addresses, offset } = activeAddresses(e, eas, v.aux.offset as number);
  for (let k = 0; k < LANES; k++) {
    laneLoad(e, v, k, () => pushWord(e, addresses, k), offset, locals);
  }
}

/**
 * The addresses that four lanes access, with those of inactive lanes turned to the sink; `offset` is
 * what is left to be added to each.
 */
export function activeAddresses(
  e: GroupOperands,
  eas: number,
  offset: number,
): { addresses: number; offset: number } {
  if (e.mask < 0) return { addresses: eas, offset };
  const { w } = e;
  const addresses = e.temporaryOf(VALTYPE.v128);
  w.localGet(eas);
  if (offset !== 0) {
    w.i32Const(offset);
    w.op(OP.i32x4_splat);
    w.op(OP.i32x4_add);
  }
  w.localGet(e.sink());
  w.op(OP.i32x4_splat);
  e.pushMask();
  selectLanes(e);
  w.localSet(addresses);
  return { addresses, offset: 0 };
}

/** Pushes lane k of a local of four 32-bit words. */
export function pushWord(e: GroupOperands, local: number, k: number): void {
  e.w.localGet(local);
  e.w.op(OP.i32x4_extract_lane);
  e.w.u8(k);
}

/** Atomic loads, lane by lane. */
function orderedLanes(e: GroupOperands, v: Value, locals: readonly number[]): void {
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

/** A store of four lanes; writes active lanes only. */
export function emitVectorStore(e: GroupOperands, v: Value): void {
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
  const near = e.near(check);
  if (near && e.mask < 0) {
    near.forEach((n, k) => {
      const at = pushAddress(e, where[0], offset + n);
      storeLane(e, value, size, k, at);
    });
    return;
  }
  if (near) {
    const addresses = e.temporaryOf(VALTYPE.v128);
    w.localGet(where[0]);
    w.op(OP.i32x4_splat);
    e.constant([...near]);
    w.op(OP.i32x4_add);
    w.localSet(addresses);
    scatter(e, v, addresses);
    return;
  }
  if (stride === undefined) {
    scatter(e, v, where[0]);
    return;
  }
  const [fast, ea, eas] = where;
  const sure = e.isSure(check);
  if (e.blends) {
    if (!sure) {
      w.localGet(fast);
      w.if();
    }
    contiguousStore(e, v, ea, true);
    if (sure) return;
    w.op(OP.else);
    scatter(e, v, eas);
    w.end();
    return;
  }
  // Shared memory belongs to this thread of the host: what other lanes hold may be written back.
  const blends = e.mask >= 0 && v.aux.space === "shared" && stride === size && size >= 4;
  const masked = e.mask >= 0 && !blends;
  const branches = !sure || masked;
  if (!sure) w.localGet(fast);
  if (masked) {
    e.pushMask();
    allLanes(w);
    if (!sure) w.op(OP.i32_and);
  }
  if (branches) w.if();
  if (stride === size) contiguousStore(e, v, ea, blends);
  else {
    for (let k = 0; k < LANES; k++) {
      w.localGet(ea);
      storeLane(e, value, size, k, offset + k * stride);
    }
  }
  if (!branches) return;
  w.op(OP.else);
  if (masked) {
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

/** Stores four lanes side by side; `blends` keeps what is there for the inactive ones. */
function contiguousStore(e: GroupOperands, v: Value, ea: number, blends: boolean): void {
  const { w } = e;
  const [, value] = v.args;
  const size = v.aux.size as number;
  const offset = v.aux.offset as number;
  if (size >= 4) {
    for (let half = 0; half < size / 4; half++) {
      const at = offset + 16 * half;
      w.localGet(ea);
      e.vec(value, half as 0 | 1);
      if (blends) {
        w.localGet(ea);
        w.mem(OP.v128_load, log2(size), at);
        selectByMask(e, e.mask, half as 0 | 1, size === 8);
      }
      w.mem(OP.v128_store, log2(size), at);
    }
    return;
  }
  w.localGet(ea);
  e.vec(value);
  e.vec(value);
  w.op(OP.i8x16_shuffle);
  const bytes = size === 2 ? [0, 1, 4, 5, 8, 9, 12, 13] : [0, 4, 8, 12];
  for (let k = 0; k < 16; k++) w.u8(bytes[k % bytes.length]);
  w.mem(size === 2 ? OP.v128_store64_lane : OP.v128_store32_lane, log2(size), offset);
  w.u8(0);
}

/** Stores lane k of a value to the address on the stack. */
function storeLane(e: GroupOperands, value: Value, size: number, k: number, offset: number): void {
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

/** Stores to four addresses. Inactive lanes store to the block's sink, which spares a branch. */
function scatter(e: GroupOperands, v: Value, eas: number): void {
  const [, value] = v.args;
  const size = v.aux.size as number;
  const { addresses, offset } = activeAddresses(e, eas, v.aux.offset as number);
  for (let k = 0; k < LANES; k++) {
    pushWord(e, addresses, k);
    storeLane(e, value, size, k, offset);
  }
}

/** Stores lane by lane, in order: atomic ones, and different values to one address. */
function laneStores(e: GroupOperands, v: Value): void {
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
