import { BLOCK_ARRIVED, BLOCK_PHASE } from "../../exec/layout.ts";
import { F32, F64, I1, I32, I64, type Type, type Value } from "../ir/ir.ts";
import { OP } from "../wasm/opcodes.ts";
import { ATOMIC_LOADS, ATOMIC_STORES, log2 } from "./access-codes.ts";
import type { FunctionFrame } from "./frame.ts";
import { ERROR_ASSERT, ERROR_HARDWARE_STACK, ERROR_LAUNCH_FAILURE } from "./helpers.ts";

const LOADS: Record<string, number> = {
  [`${I32} 1`]: OP.i32_load8_u,
  [`${I32} 2`]: OP.i32_load16_u,
  [`${I32} 4`]: OP.i32_load,
  [`${I64} 8`]: OP.i64_load,
  [`${F32} 4`]: OP.f32_load,
  [`${F64} 8`]: OP.f64_load,
};
const STORES: Record<string, number> = {
  [`${I32} 1`]: OP.i32_store8,
  [`${I32} 2`]: OP.i32_store16,
  [`${I32} 4`]: OP.i32_store,
  [`${I64} 8`]: OP.i64_store,
  [`${F32} 4`]: OP.f32_store,
  [`${F64} 8`]: OP.f64_store,
};
/** Operations whose name is not their WebAssembly instruction's. */
const RENAMED: Record<string, number> = {
  and1: OP.i32_and,
  or1: OP.i32_or,
  xor1: OP.i32_xor,
  not1: OP.i32_eqz,
};

/** The WebAssembly instruction of an operation on single values. */
export const opcodeOf = (op: string): number | undefined =>
  RENAMED[op] ?? (OP as Record<string, number>)[op];

/** What the writer of scalar operations needs of the function that it writes into. */
export interface ScalarTarget extends FunctionFrame {
  /** Pushes an operand. */
  push(v: Value): void;
  specialRegister(v: Value): void;
  pushReload(v: Value): void;
  pushResult(v: Value): void;
  pushSpin(): void;
  pushThread(): void;
  /** Threads in x of the blocks that run as one row. */
  pushSpan(): void;
  /** The first of these threads, by its index in the grid. */
  pushStart(): void;
  /** Pushes the value of a group's first lane. */
  pushFirst(v: Value): void;
  /** Local with the row of threads, counted over y and z; -1 where the thread's number tells it. */
  readonly row: number;
  pushStackLimit(): void;
  fault(code: number, site: number): void;
  leaveFault(): void;
  leaveStatus(status: number): void;
  callResult(call: Value, k: number, type: Type): number;
  resultLocal(k: number): number;
  readonly frameBytes: number;
}

/** Pushes the value of one operation of one thread (nothing for operations without a result). */
export function emitScalar(e: ScalarTarget, v: Value): void {
  const { w } = e;
  switch (v.op) {
    case "const":
      if (v.type === I64) w.i64Const(v.big);
      else if (v.type === F32) w.f32ConstBits(v.imm);
      else if (v.type === F64) w.f64ConstBits(v.big);
      else w.i32Const(v.imm);
      return;
    case "bool_to_i32":
      e.push(v.args[0]);
      return;
    case "first":
      e.pushFirst(v.args[0]);
      return;
    case "select":
      e.push(v.args[1]);
      e.push(v.args[2]);
      e.push(v.args[0]);
      w.op(OP.select);
      return;
    case "f32_fma":
    case "f64_fma":
      emitFma(e, v);
      return;
    case "lib":
      for (const a of v.args) e.push(a);
      w.call(e.kernel.libraryOf(v));
      return;
    case "load":
      emitLoad(e, v);
      return;
    case "store":
      emitStore(e, v);
      return;
    case "check":
      emitCheck(e, v);
      return;
    case "range":
      emitRange(e, v);
      return;
    case "range_end":
      emitRangeEnd(e, v);
      return;
    case "sreg":
      e.specialRegister(v);
      return;
    case "param":
      e.pushParam(v);
      return;
    case "reload":
      e.pushReload(v);
      return;
    case "result":
      e.pushResult(v);
      return;
    case "argument":
      w.localGet(3 + v.imm);
      return;
    case "setresult":
      e.push(v.args[0]);
      w.localSet(e.resultLocal(v.imm));
      return;
    case "fence":
      w.op(OP.atomic_fence);
      w.u8(0);
      return;
    case "nanosleep":
      return;
    case "spin":
      e.pushSpin();
      return;
    case "fuel":
      e.push(v.args[0]);
      e.burnFuel();
      return;
    case "trap":
      e.fault(ERROR_LAUNCH_FAILURE, v.aux.site as number);
      return;
    case "arrive":
      emitArrive(e, v);
      return;
    case "host":
      emitHost(e, v);
      return;
    case "call":
      emitCall(e, v);
      return;
  }
  const code = opcodeOf(v.op);
  if (code === undefined) throw new Error(`no instruction for ${v.op}`);
  for (const a of v.args) e.push(a);
  w.op(code);
}

/** fma by the engine's fused instruction, the exact software form, or unfused if asked for. */
function emitFma(e: ScalarTarget, v: Value): void {
  const { w } = e;
  const single = v.type === F32;
  const [a, b, c] = v.args;
  if (e.kernel.options.fma === "unfused") {
    e.push(a);
    e.push(b);
    w.op(single ? OP.f32_mul : OP.f64_mul);
    e.push(c);
    w.op(single ? OP.f32_add : OP.f64_add);
  } else if (e.kernel.options.fma === "relaxed") {
    for (const x of v.args) {
      e.push(x);
      w.op(single ? OP.f32x4_splat : OP.f64x2_splat);
    }
    w.op(single ? OP.f32x4_relaxed_madd : OP.f64x2_relaxed_madd);
    w.op(single ? OP.f32x4_extract_lane : OP.f64x2_extract_lane);
    w.u8(0);
  } else {
    for (const x of v.args) e.push(x);
    w.call(e.kernel.library(single ? "fma_rn_f32" : "fma_rn_f64"));
  }
}

function emitLoad(e: ScalarTarget, v: Value): void {
  const { w } = e;
  const size = v.aux.size as number;
  const offset = v.aux.offset as number;
  e.push(v.args[0]);
  if (v.aux.ordered && v.aux.space === "generic") {
    w.mem(ATOMIC_LOADS[size], log2(size), offset);
    if (v.type === F32) w.op(OP.f32_reinterpret_i32);
    if (v.type === F64) w.op(OP.f64_reinterpret_i64);
    return;
  }
  w.mem(LOADS[`${v.type} ${size}`], log2(size), offset);
}

function emitStore(e: ScalarTarget, v: Value): void {
  const { w } = e;
  const [ea, value] = v.args;
  const size = v.aux.size as number;
  const offset = v.aux.offset as number;
  e.push(ea);
  e.push(value);
  const type = value.type === I1 ? I32 : value.type;
  if (v.aux.ordered && v.aux.space === "generic") {
    if (type === F32) w.op(OP.i32_reinterpret_f32);
    if (type === F64) w.op(OP.i64_reinterpret_f64);
    w.mem(ATOMIC_STORES[size], log2(size), offset);
    return;
  }
  w.mem(STORES[`${type} ${size}`], log2(size), offset);
}

/**
 * An address check: one unsigned comparison finds addresses out of range and, by rotating their low
 * bits to the top, misaligned ones. Leaves the address in linear memory.
 */
function emitCheck(e: ScalarTarget, v: Value): void {
  const { w } = e;
  const { space, offset = 0, size = 1, align = 1 } = v.aux;
  const shift = log2(align);
  const address = v.args[0];
  if (space === "generic") {
    e.push(address);
    w.localGet(e.heapLow());
    w.op(OP.i64_sub);
    if (offset !== 0) {
      w.i64Const(BigInt(offset));
      w.op(OP.i64_add);
    }
    if (shift > 0) {
      w.i64Const(BigInt(shift));
      w.op(OP.i64_rotr);
    }
    w.localGet(e.genericBound(size, shift));
    w.op(OP.i64_ge_u);
  } else {
    e.push(address);
    if (offset !== 0) {
      w.i32Const(offset);
      w.op(OP.i32_add);
    }
    if (shift > 0) {
      w.i32Const(shift);
      w.op(OP.i32_rotr);
    }
    w.localGet(e.windowBound(space as "shared" | "local", size, shift));
    w.op(OP.i32_ge_u);
  }
  w.if();
  emitAddressFault(e, v);
  w.end();
  e.push(address);
  if (space === "generic") w.op(OP.i32_wrap_i64);
  else {
    e.pushWindow(space as "shared" | "local");
    w.op(OP.i32_add);
  }
}

/** A fault at the address of a check: of its only operand, or of base and index. */
export function emitAddressFault(e: ScalarTarget, v: Value): void {
  const { w } = e;
  const { space, offset = 0, align = 1, site = 0, scale = 1, signed } = v.aux;
  const [address, index] = v.args;
  w.localGet(0);
  w.i32Const(site);
  e.push(address);
  if (space !== "generic") w.op(OP.i64_extend_i32_u);
  if (index) {
    e.push(index);
    w.op(signed ? OP.i64_extend_i32_s : OP.i64_extend_i32_u);
    w.i64Const(BigInt(scale));
    w.op(OP.i64_mul);
    w.op(OP.i64_add);
  }
  if (offset !== 0) {
    w.i64Const(BigInt(offset));
    w.op(OP.i64_add);
  }
  w.i32Const(align);
  e.pushThread();
  w.call(e.kernel.addressFault);
  e.leaveFault();
}

/**
 * What the rotated address of the lowest of some accesses has to be less than for all of them to pass their
 * check: they are `scale` bytes apart, and `more` follow the first one. 0 where these are `imm` or more, or
 * too many for memory.
 */
function emitRangeEnd(e: ScalarTarget, v: Value): void {
  const { w } = e;
  const { size = 1, align = 1, scale = 0 } = v.aux;
  const [more] = v.args;
  const bound = e.genericBound(size, log2(align));
  const step = Math.abs(scale) / align;
  const most = e.pin(`rounds ${bound} ${step} ${v.imm}`, I64, (p) => {
    // The least of imm and (bound − 1) / step + 1.
    const fits = e.temporary(I64);
    p.localGet(bound);
    p.i64Const(1n);
    p.op(OP.i64_sub);
    p.i64Const(BigInt(step));
    p.op(OP.i64_div_u);
    p.i64Const(1n);
    p.op(OP.i64_add);
    p.localTee(fits);
    p.i64Const(BigInt(v.imm));
    p.localGet(fits);
    p.i64Const(BigInt(v.imm));
    p.op(OP.i64_lt_u);
    p.op(OP.select);
  });
  w.localGet(bound);
  e.push(more);
  w.i64Const(BigInt(step));
  w.op(OP.i64_mul);
  w.op(OP.i64_sub);
  w.i64Const(0n);
  e.push(more);
  w.localGet(most);
  w.op(OP.i64_lt_u);
  w.op(OP.select);
}

/** Whether accesses that follow an address in steps of `scale` bytes are in front of a `range_end`. */
function emitRange(e: ScalarTarget, v: Value): void {
  const { w } = e;
  const { offset = 0, align = 1, scale = 0 } = v.aux;
  const [first, more, end] = v.args;
  e.push(first);
  if (scale < 0) {
    e.push(more);
    w.i64Const(BigInt(scale));
    w.op(OP.i64_mul);
    w.op(OP.i64_add);
  }
  w.localGet(e.heapLow());
  w.op(OP.i64_sub);
  if (offset !== 0) {
    w.i64Const(BigInt(offset));
    w.op(OP.i64_add);
  }
  if (align > 1) {
    w.i64Const(BigInt(log2(align)));
    w.op(OP.i64_rotr);
  }
  e.push(end);
  w.op(OP.i64_lt_u);
}

/**
 * bar.arrive: counts this thread at the barrier without waiting; without arguments
 * barrier.cluster.arrive: notes it in the thread's word.
 */
function emitArrive(e: ScalarTarget, v: Value): void {
  const { w } = e;
  if (v.args.length === 0) {
    w.localGet(e.pinAddress(BLOCK_PHASE));
    e.pushThread();
    w.i32Const(2);
    w.op(OP.i32_shl);
    w.op(OP.i32_add);
    w.i32Const(1);
    w.mem(OP.i32_store, 2, 0);
    return;
  }
  const push = () => {
    w.localGet(0);
    e.push(v.args[0]);
    w.i32Const(15);
    w.op(OP.i32_and);
    w.i32Const(2);
    w.op(OP.i32_shl);
    w.op(OP.i32_add);
  };
  push();
  push();
  w.mem(OP.i32_load, 2, BLOCK_ARRIVED);
  w.i32Const(1);
  w.op(OP.i32_add);
  w.mem(OP.i32_store, 2, BLOCK_ARRIVED);
}

function emitHost(e: ScalarTarget, v: Value): void {
  const { w } = e;
  const name = v.aux.name as string;
  const needsThread = name !== "clock" && name !== "globaltimer";
  if (needsThread) {
    w.localGet(0);
    e.pushThread();
  }
  for (const a of v.args) e.push(a);
  w.call(e.kernel.host(name));
  if (name === "__assertfail") e.fault(ERROR_ASSERT, v.aux.site as number);
}

/** A call of a real function: checks the stack, passes on exits and faults. */
function emitCall(e: ScalarTarget, v: Value): void {
  const { w } = e;
  const names = (v.aux.name as string).split(",").map(Number);
  const addresses = v.aux.atomic ? v.aux.atomic.split(",").map(Number) : [];
  const site = v.aux.site as number;
  const status = e.temporary(I32);
  const pointer = addresses.length > 0 ? v.args[1] : undefined;
  const args = v.args.slice(pointer ? 2 : 1);
  // The callee's frame starts behind the caller's.
  const stack = e.temporary(I32);
  e.push(v.args[0]);
  w.i32Const(e.frameBytes);
  w.op(OP.i32_add);
  w.localTee(stack);
  e.pushStackLimit();
  w.op(OP.i32_gt_u);
  w.if();
  e.fault(ERROR_HARDWARE_STACK, site);
  w.end();
  const one = (name: number) => {
    w.localGet(0);
    e.pushThread();
    w.localGet(stack);
    for (const a of args) e.push(a);
    w.call(e.kernel.realFunction(name));
    const results = e.kernel.realResults(name);
    for (let k = results.length - 1; k >= 0; k--) w.localSet(e.callResult(v, k, results[k]));
    w.localSet(status);
  };
  if (!pointer) one(names[0]);
  else {
    w.block();
    addresses.forEach((address, k) => {
      e.push(pointer);
      w.i64Const(BigInt(address));
      w.op(OP.i64_eq);
      w.if();
      one(names[k]);
      w.br(1);
      w.end();
    });
    e.fault(ERROR_LAUNCH_FAILURE, site);
    w.end();
  }
  w.localGet(status);
  w.if();
  e.leaveStatus(status);
  w.end();
}
