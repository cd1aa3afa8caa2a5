import { BLOCK_KEPT, FRAME_SLOT_BYTES } from "../../exec/layout.ts";
import { I1, NONE, type Value } from "../ir/ir.ts";
import { isWide, LANES, VARYING } from "../simd/shapes.ts";
import { OP } from "../wasm/opcodes.ts";
import { leaveRegion } from "./group-leave.ts";
import type { GroupOperands } from "./group-operands.ts";
import { ERROR_ASSERT, ERROR_LAUNCH_FAILURE } from "./helpers.ts";
import { allLanes, anyLane } from "./lane-tests.ts";
import { emitScalar } from "./scalar.ts";
import { emitSpecialRegister } from "./sreg.ts";
import { emitStoreStructures, emitStructures, pushStructureWord } from "./structures.ts";
import { emitVector, putLane, selectByMask } from "./vector.ts";
import { emitStorePair, emitVectorLoad, emitVectorStore } from "./vector-access.ts";
import { emitVectorCheck } from "./vector-check.ts";
import { emitWarpValue } from "./warp-values.ts";

/** Rounds in which lanes that stored are remembered. */
const OFTEN_ROUNDS = 12;

export function value(e: GroupOperands, v: Value): void {
  const { w } = e;
  if (e.placements[e.current].inlined.has(v) || emitWarpValue(e, v)) return;
  switch (v.op) {
    case "mask_clear":
      e.constant([0, 0, 0, 0]);
      w.localSet(e.maskLocals[v.imm]);
      return;
    case "mask_take":
      w.localGet(e.maskLocals[v.aux.mask as number]);
      w.localSet(e.maskLocals[v.imm]);
      e.constant([0, 0, 0, 0]);
      w.localSet(e.maskLocals[v.aux.mask as number]);
      return;
    case "mask_move":
      maskMove(e, v);
      return;
    case "phi_move":
      phiMove(e, v);
      return;
    case "out":
      keep(e, v);
      return;
    case "leave":
      leaveRegion(e, v);
      return;
    case "slow":
      w.br(e.depth);
      return;
    case "any":
    case "all":
      test(e, v);
      return;
    case "spill":
      w.localGet(0);
      e.vec(v.args[0]);
      w.mem(OP.v128_store, 4, BLOCK_KEPT + v.imm * 16);
      return;
    case "check":
      emitVectorCheck(e, v, e.locals(v));
      return;
    case "store":
      emitVectorStore(e, v);
      return;
    case "store_structures":
      emitStoreStructures(e, v);
      return;
    case "store_pair":
      emitStorePair(e, v);
      return;
    case "host":
      if (e.shape(v).kind === VARYING || v.type === NONE) {
        host(e, v);
        return;
      }
      break;
    case "trap":
      eachLane(e, (k) => {
        e.threadOffset = k;
        e.fault(ERROR_LAUNCH_FAILURE, v.aux.site as number);
      });
      return;
    case "arrive":
      eachLane(e, (k) => {
        e.threadOffset = k;
        emitScalar(e, v);
      });
      return;
  }
  const locals = e.locals(v);
  if (v.type === NONE || e.shape(v).kind !== VARYING) {
    if (v.op === "lib" && v.aux.effect) emitVector(e, v, locals);
    else if (locals.length === 0 && v.type !== NONE) {
      if (v.op !== "const") {
        emitScalar(e, v);
        w.op(OP.drop);
      }
    } else {
      emitScalar(e, v);
      if (v.type !== NONE) w.localSet(locals[0]);
    }
    return;
  }
  vectorValue(e, v, locals);
}

function vectorValue(e: GroupOperands, v: Value, locals: readonly number[]): void {
  const { w } = e;
  if (locals.length === 0 && !v.aux.effect) return; // nobody uses it
  switch (v.op) {
    case "load":
      emitVectorLoad(e, v, locals);
      return;
    case "structures":
      emitStructures(e, v, locals);
      return;
    case "structure_word":
      pushStructureWord(e, v);
      w.localSet(locals[0]);
      return;
    case "reload": {
      const offset = e.pushSlot(v.imm, v.type);
      w.mem(OP.v128_load, 2, offset);
      w.localSet(locals[0]);
      if (!isWide(v)) return;
      const second = e.pushSlot(v.imm, v.type);
      w.mem(OP.v128_load, 2, second + 16);
      w.localSet(locals[1]);
      return;
    }
    case "result":
      e.pushFrame(v.type);
      w.mem(OP.v128_load, 2, v.imm * FRAME_SLOT_BYTES);
      if (v.type === I1) {
        e.constant([0, 0, 0, 0]);
        w.op(OP.i32x4_ne);
      }
      w.localSet(locals[0]);
      if (!isWide(v)) return;
      e.pushFrame(v.type);
      w.mem(OP.v128_load, 2, v.imm * FRAME_SLOT_BYTES + 16);
      w.localSet(locals[1]);
      return;
    case "sreg":
      laneRegisters(e, v, locals);
      return;
    default:
      emitVector(e, v, locals);
  }
}

/** Special registers that differ without a pattern. */
function laneRegisters(e: GroupOperands, v: Value, locals: readonly number[]): void {
  const { w } = e;
  const local = v.aux.name === "localOffset" || v.aux.name === "localWindow";
  for (let k = 0; k < LANES; k++) {
    e.threadOffset = local ? 0 : k;
    emitSpecialRegister(e, v);
    if (local && k > 0) {
      e.pushStackLimit();
      w.i32Const(k);
      w.op(OP.i32_mul);
      if (isWide(v)) w.op(OP.i64_extend_i32_u);
      w.op(isWide(v) ? OP.i64_add : OP.i32_add);
    }
    putLane(e, v.type, locals, k);
  }
  e.threadOffset = 0;
}

function eachLane(e: GroupOperands, write: (k: number) => void): void {
  for (let k = 0; k < LANES; k++) {
    e.ifLane(k);
    write(k);
    e.endLane();
  }
  e.threadOffset = 0;
}

function host(e: GroupOperands, v: Value): void {
  const { w } = e;
  const name = v.aux.name as string;
  const locals = e.locals(v);
  eachLane(e, (k) => {
    e.threadOffset = k;
    w.localGet(0);
    e.pushThread();
    for (const a of v.args) e.lane(a, k);
    w.call(e.kernel.host(name));
    if (name === "__assertfail") e.fault(ERROR_ASSERT, v.aux.site as number);
    else if (v.type !== NONE && locals.length > 0) putLane(e, v.type, locals, k);
    else if (v.type !== NONE) w.op(OP.drop);
  });
}

function test(e: GroupOperands, v: Value): void {
  const { w } = e;
  const locals = e.locals(v);
  pushTest(e, v);
  if (locals.length > 0) w.localSet(locals[0]);
  else w.op(OP.drop);
}

export function pushTest(e: GroupOperands, v: Value): void {
  const { w } = e;
  if (v.op === "any") {
    for (let k = 0; k < (v.aux.masks ?? 1); k++) {
      w.localGet(e.maskLocals[v.imm + k]);
      if (k > 0) w.op(OP.v128_or);
    }
    anyLane(w);
    if (v.aux.often) pushOften(e);
    return;
  }
  e.vec(v.args[0]);
  if (v.aux.negate) {
    anyLane(w);
    w.op(OP.i32_eqz);
  } else allLanes(w);
}

/**
 * Of which lanes there are (on the stack, a bit each) makes a value that is not 0 if there are any, or were in
 * one of the last rounds. Where it is about even whether lanes have something to store, a processor can't
 * tell what the branch will do; storing what is there anyway costs less. Where they seldom do, memory
 * stays unwritten.
 */
function pushOften(e: GroupOperands): void {
  const { w } = e;
  const past = e.pastLanes();
  w.i32Const(OFTEN_ROUNDS);
  w.op(OP.i32_shl);
  w.localGet(past);
  w.localGet(e.owned());
  w.op(OP.i32_and);
  w.i32Const(1);
  w.op(OP.i32_shr_u);
  w.op(OP.i32_or);
  w.localTee(past);
}

function maskMove(e: GroupOperands, v: Value): void {
  const { w } = e;
  const [cond] = v.args;
  const from = v.aux.mask as number;
  const target = e.maskLocals[v.imm];
  if (!cond) e.pushMaskOf(from);
  else if (from < 0) {
    e.vec(cond);
    if (v.aux.negate) w.op(OP.v128_not);
  } else {
    e.pushMaskOf(from);
    e.vec(cond);
    w.op(v.aux.negate ? OP.v128_andnot : OP.v128_and);
  }
  if (v.aux.add) {
    w.localGet(target);
    w.op(OP.v128_or);
  }
  w.localSet(target);
}

/** Blends the vector on the stack into a local: only lanes of `mask` change. */
function blend(
  e: GroupOperands,
  local: number,
  mask: number,
  half: 0 | 1,
  isWideValue: boolean,
): void {
  if (mask < 0) return;
  e.w.localGet(local);
  selectByMask(e, mask, half, isWideValue);
}

function phiMove(e: GroupOperands, v: Value): void {
  const { w } = e;
  const phis = v.aux.phis as Value[];
  const blends = v.aux.blends as boolean[];
  const mask = v.aux.mask as number;
  const targets: number[] = [];
  phis.forEach((phi, k) => {
    const locals = e.locals(phi);
    if (locals.length === 0) return;
    if (e.shape(phi).kind !== VARYING) {
      e.scalar(v.args[k]);
      targets.push(locals[0]);
      return;
    }
    locals.forEach((local, half) => {
      e.vec(v.args[k], half as 0 | 1);
      if (blends[k]) blend(e, local, mask, half as 0 | 1, isWide(phi));
      targets.push(local);
    });
  });
  for (const local of targets.reverse()) w.localSet(local);
}

/** Keeps a loop's value for lanes that leave: changes only those still inside. */
function keep(e: GroupOperands, v: Value): void {
  e.locals(v).forEach((local, half) => {
    e.vec(v.args[0], half as 0 | 1);
    blend(e, local, e.mask, half as 0 | 1, isWide(v));
    e.w.localSet(local);
  });
}
