import type { Value } from "../ir/ir.ts";
import { LANES } from "../simd/shapes.ts";
import { WORD } from "../simd/structures.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import type { GroupOperands } from "./group-operands.ts";
import { allLanes } from "./lane-tests.ts";
import { FIRST, HIGH, LAST, type Lanes, LOW, shuffle32, shuffleLocals } from "./vector.ts";
import { activeAddresses, pushAddress, pushWord } from "./vector-access.ts";
import { accessPattern } from "./vector-check.ts";

/**
 * Locals of `structures`: of two words two structures each, of bytes all as they lie in memory, else the
 * words of two lanes in turns.
 */
export const structureTypes = ({ aux }: Value): number[] =>
  Array(aux.stride ? 1 : aux.size === 8 ? 2 : LANES).fill(VALTYPE.v128);

/** Where lanes' structures lie: pushes the address of lane k's and returns the offset that goes with it. */
type Where = (k: number) => number;
/** @param stride of lanes whose structures lie in one range that may be read; undefined: anywhere */
type Access = (stride: number | undefined, where: Where) => void;

/** An access of lanes anywhere, whose addresses are in a local, and one of lanes at a stride from an address. */
function waysOf(e: GroupOperands, offset: number, access: Access) {
  return {
    scattered: (eas: number) => {
      const active = activeAddresses(e, eas, offset);
      access(undefined, (k) => {
        pushWord(e, active.addresses, k);
        return active.offset;
      });
    },
    apart: (ea: number, stride: number) =>
      access(stride, (k) => pushAddress(e, ea, offset + k * stride)),
  };
}

/**
 * Loads two to four words of each lane, or bytes.
 * @param locals see `structureTypes`
 */
export function emitStructures(e: GroupOperands, v: Value, locals: readonly number[]): void {
  const [check] = v.args;
  const offset = v.aux.offset as number;
  const load = v.aux.stride ? loadBytes : loadStructures;
  // Inactive lanes load, too, where all lanes' addresses are known to be good.
  const ways = waysOf(e, offset, (stride, at) => load(e, v, locals, stride, at));
  accessStructures(e, check, ways, false);
}

/**
 * Accesses the lanes' structures in the way that the check allows.
 * @param masked only active lanes may be accessed
 */
function accessStructures(
  e: GroupOperands,
  check: Value,
  { scattered, apart }: ReturnType<typeof waysOf>,
  masked: boolean,
): void {
  const { w } = e;
  const where = e.locals(check);
  const addresses = (ea: number, stride: number, eas: number) => {
    e.pushAffine(ea, stride);
    w.localSet(eas);
  };
  const near = e.near(check);
  if (near) {
    if (!masked) {
      apart(where[0], near[1]);
      return;
    }
    const eas = e.temporaryOf(VALTYPE.v128);
    addresses(where[0], near[1], eas);
    scattered(eas);
    return;
  }
  const { stride } = accessPattern(e, check);
  if (stride === undefined) {
    scattered(where[0]);
    return;
  }
  const [fast, ea, eas] = where;
  const sure = e.isSure(check);
  if (sure && !masked) {
    apart(ea, stride);
    return;
  }
  if (!sure) w.localGet(fast);
  if (masked) {
    e.pushMask();
    allLanes(w);
    if (!sure) w.op(OP.i32_and);
  }
  w.if();
  apart(ea, stride);
  w.op(OP.else);
  if (masked) {
    // The lanes' addresses were not needed so far.
    if (!sure) {
      w.localGet(fast);
      w.if();
    }
    addresses(ea, stride, eas);
    if (!sure) w.end();
  }
  scattered(eas);
  w.end();
}

function loadStructures(
  e: GroupOperands,
  { aux }: Value,
  locals: readonly number[],
  stride: number | undefined,
  where: Where,
): void {
  const { w } = e;
  const size = aux.size as number;
  if (size === 8) {
    for (const pair of [0, 1]) {
      const at = where(2 * pair);
      if (stride === size) w.mem(OP.v128_load, 2, at);
      else {
        w.mem(OP.v128_load64_zero, 2, at);
        w.localSet(locals[pair]);
        const next = where(2 * pair + 1);
        w.localGet(locals[pair]);
        w.mem(OP.v128_load64_lane, 2, next);
        w.u8(1);
      }
      w.localSet(locals[pair]);
    }
    return;
  }
  for (let k = 0; k < LANES; k++) {
    // Behind three words come those of the next lane.
    const whole = size === 16 || (stride !== undefined && stride >= 4 && k < LANES - 1);
    const at = where(k);
    if (whole) w.mem(OP.v128_load, 2, at);
    else {
      w.mem(OP.v128_load64_zero, 2, at);
      w.localSet(locals[k]);
      const third = where(k) + 8;
      w.localGet(locals[k]);
      w.mem(OP.v128_load32_lane, 2, third);
      w.u8(2);
    }
    w.localSet(locals[k]);
  }
  for (const [a, b] of [locals.slice(0, 2), locals.slice(2)]) {
    shuffleLocals(e, a, b, LOW);
    shuffleLocals(e, a, b, HIGH);
    w.localSet(b);
    w.localSet(a);
  }
}

/** Loads what lanes access of bytes that lie in one vector, each at its place in it. */
function loadBytes(
  e: GroupOperands,
  { aux }: Value,
  [local]: readonly number[],
  stride: number | undefined,
  where: Where,
): void {
  const { w } = e;
  const apart = aux.stride as number;
  const size = aux.size as number;
  if (stride === undefined) {
    e.constant([0, 0, 0, 0]);
    w.localSet(local);
    for (let k = 0; k < LANES; k++) {
      for (let byte = 0; byte < size; byte++) {
        loadPart(e, local, 1, where(k) + byte, k * apart + byte);
      }
    }
    return;
  }
  const end = (LANES - 1) * apart + size;
  let from = end === 16 ? 16 : end >= 8 ? 8 : 4;
  const at = where(0);
  w.mem(from === 16 ? OP.v128_load : from === 8 ? OP.v128_load64_zero : OP.v128_load32_zero, 0, at);
  w.localSet(local);
  for (const bytes of [4, 2, 1]) {
    if (from + bytes > end) continue;
    loadPart(e, local, bytes, where(0) + from, from / bytes);
    from += bytes;
  }
}

/** Loads 1, 2 or 4 bytes from the address on the stack as a part of a local. */
function loadPart(
  { w }: GroupOperands,
  local: number,
  bytes: number,
  offset: number,
  part: number,
) {
  w.localGet(local);
  const code = { 1: OP.v128_load8_lane, 2: OP.v128_load16_lane, 4: OP.v128_load32_lane }[bytes];
  w.mem(code as number, 0, offset);
  w.u8(part);
  w.localSet(local);
}

/** Takes bytes of the vector on the stack: of each byte of the result which one, or -1 for zero. */
function takeBytes(e: GroupOperands, from: (byte: number) => number): void {
  const bytes = Int8Array.from({ length: 16 }, (_, k) => from(k));
  e.constant([...new Int32Array(bytes.buffer)]);
  e.w.op(OP.i8x16_swizzle);
}

/** Pushes one word, or the bytes of one member, of each lane's structure. */
export function pushStructureWord(e: GroupOperands, v: Value): void {
  const locals = e.locals(v.args[0]);
  const stride = v.args[0].aux.stride as number | undefined;
  if (stride) {
    e.w.localGet(locals[0]);
    takeBytes(e, (k) =>
      k % 4 < (v.aux.size as number) ? (k >> 2) * stride + v.imm + (k % 4) : -1,
    );
    return;
  }
  const word = v.imm / WORD;
  const odd = word % 2 === 1;
  if (locals.length === 2)
    shuffleLocals(e, locals[0], locals[1], odd ? [1, 3, 5, 7] : [0, 2, 4, 6]);
  else {
    const half = word >> 1;
    shuffleLocals(e, locals[half], locals[half + 2], odd ? LAST : FIRST);
  }
}

/** Stores two to four words of each active lane, or the bytes of its structure. */
export function emitStoreStructures(e: GroupOperands, v: Value): void {
  const [check, ...words] = v.args;
  const size = v.aux.size as number;
  const offset = v.aux.offset as number;
  const rows = v.aux.stride ? [joinBytes(e, v)] : transpose(e, words);
  const store = v.aux.stride ? storeBytes : storeRows;
  const ways = waysOf(e, offset, (stride, at) => store(e, rows, size, stride, at));
  accessStructures(e, check, ways, e.mask >= 0);
}

/** Turns words of all lanes into locals of each lane's words, two lanes in one if there are two words. */
function transpose(e: GroupOperands, [x, y, z, last = z]: readonly Value[]): number[] {
  const { w } = e;
  const interleaved = (a: Value, b: Value, lanes: Lanes) => {
    const local = e.temporaryOf(VALTYPE.v128);
    e.vec(a);
    e.vec(b);
    shuffle32(e, lanes);
    w.localSet(local);
    return local;
  };
  const low = interleaved(x, y, LOW);
  const high = interleaved(x, y, HIGH);
  if (!z) return [low, high];
  return [
    [low, interleaved(z, last, LOW)],
    [high, interleaved(z, last, HIGH)],
  ].flatMap(([a, b]) => {
    shuffleLocals(e, a, b, FIRST);
    shuffleLocals(e, a, b, LAST);
    w.localSet(b);
    w.localSet(a);
    return [a, b];
  });
}

/** Turns the members of all lanes into a local with the bytes as they lie in memory. */
function joinBytes(e: GroupOperands, { args: [, ...members], aux }: Value): number {
  const { w } = e;
  const starts = aux.starts as number[];
  const stride = aux.stride as number;
  members.forEach((member, n) => {
    const end = starts[n + 1] ?? stride;
    e.vec(member);
    takeBytes(e, (k) => {
      const [lane, at] = [Math.floor(k / stride), k % stride];
      return lane < LANES && at >= starts[n] && at < end ? 4 * lane + at - starts[n] : -1;
    });
    if (n > 0) w.op(OP.v128_or);
  });
  const local = e.temporaryOf(VALTYPE.v128);
  w.localSet(local);
  return local;
}

function storeBytes(
  e: GroupOperands,
  [local]: readonly number[],
  size: number,
  stride: number | undefined,
  where: Where,
): void {
  const { w } = e;
  const part = (code: number, offset: number, lane: number) => {
    w.localGet(local);
    w.mem(code, 0, offset);
    w.u8(lane);
  };
  if (stride === undefined) {
    for (let k = 0; k < LANES; k++) {
      for (let byte = 0; byte < size; byte++) {
        part(OP.v128_store8_lane, where(k) + byte, k * size + byte);
      }
    }
    return;
  }
  const at = where(0);
  if (size === 4) {
    w.localGet(local);
    w.mem(OP.v128_store, 0, at);
    return;
  }
  part(OP.v128_store64_lane, at, 0);
  if (size === 3) part(OP.v128_store32_lane, where(0) + 8, 2);
}

function storeRows(
  e: GroupOperands,
  rows: readonly number[],
  size: number,
  stride: number | undefined,
  where: Where,
): void {
  const { w } = e;
  if (size === 8) {
    for (let k = 0; k < LANES; k++) {
      const whole = stride === size;
      if (whole && k % 2 === 1) continue;
      const at = where(k);
      w.localGet(rows[k >> 1]);
      w.mem(whole ? OP.v128_store : OP.v128_store64_lane, 2, at);
      if (!whole) w.u8(k % 2);
    }
    return;
  }
  for (let k = 0; k < LANES; k++) {
    const at = where(k);
    w.localGet(rows[k]);
    w.mem(size === 16 ? OP.v128_store : OP.v128_store64_lane, 2, at);
    if (size === 16) continue;
    w.u8(0);
    const third = where(k) + 8;
    w.localGet(rows[k]);
    w.mem(OP.v128_store32_lane, 2, third);
    w.u8(2);
  }
}
