/**
 * `wgmma.mma_async` (PTX ISA 9.7.15): 64 × n products by four warps. Warp w of the four has rows
 * 16w…16w+15 of A and D, so that each is a row of 16 × 8 `mma` products, whose fragments A and D in
 * registers are: this is what runs once per warp here, when the instruction is issued.
 *
 *      slots      d, which hold c before; base, warp, scale (32 bits), descriptor of B (64 bits),
 *                 A 4 × 32 bits, or its descriptor (64 bits) and base
 *      scratch    A 4 slots, B 2 slots, c 4 slots, then that of a product
 *
 * `base` is the linear address of shared offset 0, `warp` the warp's number in its four, `scale`
 * not 0 where C counts; the argument `word` says n and how it is done (warp-frame-defs.ts). A
 * descriptor is that of 9.7.15.5.1.2:
 *
 *      bits  0–13 start / 16   16–29 leading offset / 16   32–45 stride offset / 16
 *            49–51 base offset   62–63 swizzle: none, 128, 64, 32 bytes
 */
import { bitProduct } from "./mma-bit";
import { ANY, TO_F16, TO_F32, WIDE, multiply } from "./mma-dot";
import { NONE, multiplyFixed, prepareA, prepareB } from "./mma-fixed";
import { leastOf } from "./mma-float";
import { transpose8 } from "./mma-formats";
import { S8, U8, integerProduct } from "./mma-integer";
import { BF16, F16, TF32, unpackA, unpackB } from "./mma-tiles";
import { SLOT_BYTES, slot } from "./warp-frame";
import { multiplyQuarters, quartersA, quartersB } from "./wgmma-quarter";
import {
  WGMMA_A_DESCRIPTOR,
  WGMMA_COLUMNS,
  WGMMA_HALF,
  WGMMA_NEGATE,
  WGMMA_SATURATE,
  WGMMA_TURN_A,
  WGMMA_TURN_B,
  WGMMA_TYPE_A,
  WGMMA_TYPE_B,
} from "../../runtime/compiler/warp-frame-defs";

// @ts-ignore: decorator
@inline
function field(descriptor: i64, at: i32): i32 {
  return <i32>((descriptor >>> at) & 0x3fff) << 4;
}

/** Bytes of a row of the swizzled layouts; 16 without. */
// @ts-ignore: decorator
@inline
function width(descriptor: i64): i32 {
  const kind = <i32>(descriptor >>> 62) & 3;
  return kind == 0 ? 16 : 256 >> kind;
}

/** Offset from base of 16 bytes at `offset`, whose bits 4–6 are exchanged by those above bit 7. */
// @ts-ignore: decorator
@inline
function swizzled(descriptor: i64, offset: i32): i32 {
  const row = (offset >>> 7) - (<i32>(descriptor >>> 49) & 7);
  return offset ^ ((row & ((width(descriptor) >>> 4) - 1)) << 4);
}

/** Where chunk `chunk` of 16 bytes along k is in row `row` of an operand that lies along k. */
// @ts-ignore: decorator
@inline
function alongK(descriptor: i64, row: i32, chunk: i32): i32 {
  const w = width(descriptor);
  const lead = w == 16 ? field(descriptor, 16) : 16;
  return field(descriptor, 0) + (row & 7) * w + (row >> 3) * field(descriptor, 32) + chunk * lead;
}

/** Where eight elements of row k are, rows (or columns) 8·block on, of one that lies across. */
// @ts-ignore: decorator
@inline
function acrossK(descriptor: i64, block: i32, k: i32): i32 {
  const w = width(descriptor);
  const start = field(descriptor, 0);
  const lead = field(descriptor, 16);
  const stride = field(descriptor, 32);
  if (w == 16) return start + ((k & 7) << 4) + (k >> 3) * lead + block * stride;
  const per = w >>> 4;
  const within = (block & (per - 1)) << 4;
  return start + within + (block / per) * lead + (k & 7) * w + (k >> 3) * stride;
}

/**
 * The largest shared offset (of 16 bytes) that an operand of `blocks` times eight rows is read from,
 * for the compiler to check.
 */
export function wgmma_last(descriptor: i64, blocks: i32, turned: i32): i32 {
  const last = turned
    ? max(acrossK(descriptor, blocks - 1, 15), acrossK(descriptor, blocks - 1, 7))
    : alongK(descriptor, (blocks << 3) - 1, 1);
  // A swizzle stays in its row.
  return last | (width(descriptor) - 16);
}

/** Eight rows from 8·block on, 16 bytes along k each, to `to`: a register of a fragment. */
// @ts-ignore: decorator
@inline
function gather(base: i32, descriptor: i64, turned: bool, block: i32, chunk: i32, to: i32): void {
  for (let g = 0; g < 8; g++) {
    const offset = turned
      ? acrossK(descriptor, block, (chunk << 3) + g)
      : alongK(descriptor, (block << 3) + g, chunk);
    v128.store(to + (g << 4), v128.load(base + swizzled(descriptor, offset)));
  }
  if (turned) transpose8(to, to);
}

/** A's four registers: in place, or gathered, and negated, in scratch. */
function fragmentA(word: i32, warp: i32, a: i32, signs: i32, scratch: i32): i32 {
  if (word & WGMMA_A_DESCRIPTOR) {
    const base = load<i32>(slot(a, 1));
    const descriptor = load<i64>(a);
    const turned = (word & WGMMA_TURN_A) != 0;
    for (let r = 0; r < 4; r++) {
      gather(base, descriptor, turned, (warp << 1) + (r & 1), r >> 1, slot(scratch, r));
    }
  } else if (word & WGMMA_NEGATE) memory.copy(scratch, a, 4 * SLOT_BYTES);
  else return a;
  if (word & WGMMA_NEGATE) {
    const mask = i32x4.splat(signs);
    for (let r = 0; r < 4; r++) {
      for (let g = 0; g < 8; g++) {
        const at = slot(scratch, r) + (g << 4);
        v128.store(at, v128.xor(v128.load(at), mask));
      }
    }
  }
  return scratch;
}

/** B's two registers of columns 8j…8j+7. */
function fragmentB(word: i32, base: i32, descriptor: i64, j: i32, to: i32): void {
  const turned = (word & WGMMA_TURN_B) != 0;
  gather(base, descriptor, turned, j, 0, to);
  gather(base, descriptor, turned, j, 1, slot(to, 1));
}

/** Slots after d. */
const BASE: i32 = 0;
const WARP: i32 = 1;
const SCALE: i32 = 2;
const B: i32 = 3;
const A: i32 = 4;

/** Scratch, in slots. */
const B_SLOT: i32 = 4;
const C_SLOT: i32 = 6;
const ROOM_SLOT: i32 = 10;

/** Columns of D. */
// @ts-ignore: decorator
@inline
function columns(word: i32): i32 {
  return word & WGMMA_COLUMNS;
}

// @ts-ignore: decorator
@inline
function scratchOf(sources: i32, word: i32): i32 {
  return slot(sources, A + (word & WGMMA_A_DESCRIPTOR ? 2 : 4));
}

/** The addends of `registers` registers, out of the way of the results; zeros where C doesn't count. */
function addends(sources: i32, d: i32, registers: i32, c: i32): void {
  if (load<i32>(slot(sources, SCALE))) memory.copy(c, d, registers * SLOT_BYTES);
  else memory.fill(c, 0, registers * SLOT_BYTES);
}

/** f16, bf16 and tf32. */
// @ts-ignore: decorator
@inline
function floats<T>(type: i32, isHalf: bool, active: i32, frame: i32, word: i32): void {
  const per = isHalf ? 2 : 4;
  const blocks = columns(word) >> 3;
  const sources = slot(frame, blocks * per);
  const base = load<i32>(slot(sources, BASE));
  const scratch = scratchOf(sources, word);
  const signs = type == TF32 ? i32.MIN_VALUE : 0x80008000;
  const warp = load<i32>(slot(sources, WARP));
  const a = fragmentA(word, warp, slot(sources, A), signs, scratch);
  const b = slot(scratch, B_SLOT);
  const c = slot(scratch, C_SLOT);
  const room = slot(scratch, ROOM_SLOT);
  const k = type == TF32 ? 8 : 16;
  const known = prepareA<T>(type, a, 4, room);
  let unpacked = false;
  let wideA = false;
  const descriptor = load<i64>(slot(sources, B));
  for (let j = 0; j < blocks; j++) {
    fragmentB(word, base, descriptor, j, b);
    const d = slot(frame, j * per);
    addends(sources, d, per, c);
    const knownB = known == NONE ? NONE : prepareB<T>(type, b, 2, room);
    const done = isHalf
      ? multiplyFixed<T, u16, u16>(room, 0, k >> 1, known, knownB, c, d, active)
      : multiplyFixed<T, f32, f32>(room, 0, k >> 1, known, knownB, c, d, active);
    if (done) continue;
    if (!unpacked) {
      wideA = unpackA(type, a, 4, room);
      unpacked = true;
    }
    const path = unpackB(type, b, 2, room) || wideA ? WIDE : ANY;
    multiply<T>(room, 0, k, path, leastOf(type), c, isHalf, d, isHalf ? TO_F16 : TO_F32, active);
  }
}

/** `wgmma` k16 on f16 to f32. */
export function wgmma_f32_f16(active: i32, frame: i32, word: i32): void {
  floats<i32>(F16, false, active, frame, word);
}

/** The same, by relaxed SIMD. */
export function wgmma_f32_f16_relaxed(active: i32, frame: i32, word: i32): void {
  floats<f32>(F16, false, active, frame, word);
}

/** `wgmma` k16 on f16 to f16. */
export function wgmma_f16_f16(active: i32, frame: i32, word: i32): void {
  floats<i32>(F16, true, active, frame, word);
}

/** The same, by relaxed SIMD. */
export function wgmma_f16_f16_relaxed(active: i32, frame: i32, word: i32): void {
  floats<f32>(F16, true, active, frame, word);
}

/** `wgmma` k16 on bf16. */
export function wgmma_f32_bf16(active: i32, frame: i32, word: i32): void {
  floats<i32>(BF16, false, active, frame, word);
}

/** The same, by relaxed SIMD. */
export function wgmma_f32_bf16_relaxed(active: i32, frame: i32, word: i32): void {
  floats<f32>(BF16, false, active, frame, word);
}

/** `wgmma` k8 on tf32. */
export function wgmma_f32_tf32(active: i32, frame: i32, word: i32): void {
  floats<i32>(TF32, false, active, frame, word);
}

/** The same, by relaxed SIMD. */
export function wgmma_f32_tf32_relaxed(active: i32, frame: i32, word: i32): void {
  floats<f32>(TF32, false, active, frame, word);
}

/** `wgmma` k32 on 8-bit integers. */
export function wgmma_s32_8(active: i32, frame: i32, word: i32): void {
  const blocks = columns(word) >> 3;
  const sources = slot(frame, blocks << 2);
  const base = load<i32>(slot(sources, BASE));
  const scratch = scratchOf(sources, word);
  const a = fragmentA(word, load<i32>(slot(sources, WARP)), slot(sources, A), 0, scratch);
  const typeA = word & WGMMA_TYPE_A ? U8 : S8;
  const typeB = word & WGMMA_TYPE_B ? U8 : S8;
  const b = slot(scratch, B_SLOT);
  const c = slot(scratch, C_SLOT);
  const saturate = (word & WGMMA_SATURATE) != 0;
  const descriptor = load<i64>(slot(sources, B));
  for (let j = 0; j < blocks; j++) {
    fragmentB(word, base, descriptor, j, b);
    const d = slot(frame, j << 2);
    addends(sources, d, 4, c);
    integerProduct(typeA, typeB, 16, 16, saturate, d, a, b, c, slot(scratch, ROOM_SLOT), active);
  }
}

/** `wgmma` k256 on single bits, and.popc. */
export function wgmma_s32_b1(active: i32, frame: i32, word: i32): void {
  const blocks = columns(word) >> 3;
  const sources = slot(frame, blocks << 2);
  const base = load<i32>(slot(sources, BASE));
  const scratch = scratchOf(sources, word);
  const a = fragmentA(word, load<i32>(slot(sources, WARP)), slot(sources, A), 0, scratch);
  const b = slot(scratch, B_SLOT);
  const c = slot(scratch, C_SLOT);
  const descriptor = load<i64>(slot(sources, B));
  for (let j = 0; j < blocks; j++) {
    fragmentB(word, base, descriptor, j, b);
    const d = slot(frame, j << 2);
    addends(sources, d, 4, c);
    bitProduct(false, 16, 2, d, a, b, c, active);
  }
}

/** `wgmma` k32 on 8-bit floats, to f32 or, with `WGMMA_HALF`, to f16: see wgmma-quarter.ts. */
export function wgmma_quarter(active: i32, frame: i32, word: i32): void {
  const isHalf = (word & WGMMA_HALF) != 0;
  const per = isHalf ? 2 : 4;
  const blocks = columns(word) >> 3;
  const sources = slot(frame, blocks * per);
  const base = load<i32>(slot(sources, BASE));
  const scratch = scratchOf(sources, word);
  const signs = 0x80808080;
  const a = fragmentA(word, load<i32>(slot(sources, WARP)), slot(sources, A), signs, scratch);
  const b = slot(scratch, B_SLOT);
  const c = slot(scratch, C_SLOT);
  const room = slot(scratch, ROOM_SLOT);
  const isE5A = (word & WGMMA_TYPE_A) != 0;
  const isE5B = (word & WGMMA_TYPE_B) != 0;
  const specialA = quartersA(isE5A, a, room);
  const descriptor = load<i64>(slot(sources, B));
  for (let j = 0; j < blocks; j++) {
    fragmentB(word, base, descriptor, j, b);
    const d = slot(frame, j * per);
    addends(sources, d, per, c);
    const special = quartersB(isE5B, b, room) || specialA;
    multiplyQuarters(special, isE5A, isE5B, room, c, d, isHalf, active);
  }
}
