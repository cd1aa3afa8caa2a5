/**
 * `wmma.mma` (PTX ISA 9.7.14.4) on fragments that are laid out as the H100 lays them out: each is
 * two `mma.sync` products side by side, whose operands are the fragments' registers in order.
 *
 *   m16n16k16   A whole; B and C: columns 0–7, then 8–15
 *   m32n8k16    B whole; A and C: rows 0–15, then 16–31
 *   m8n32k16    transposed, Dᵀ = Bᵀ·Aᵀ + Cᵀ: A whole; B and C: columns 0–15, then 16–31
 *   m16n16k8    (tf32) as m16n16k16, each half two products of k4
 *
 * f16 fragments of A and B have eight registers; of those only the first 4, or 2 where the matrix
 * has 8 rows or columns, differ (runtime/compiler/wmma-fragments.ts), and only they are in the frame.
 * The layouts of A and B concern `wmma.load` alone. m8n8k4, m8n8k32 and m8n8k128 are `mma.sync` products.
 */
import { SLOT_BYTES, slot } from "./warp-frame";
import { BF16, F16, TF32, intermediate, unpackA, unpackB } from "./mma-tiles";
import { ANY, TO_F16, TO_F16_LATE, TO_F32, WIDE, multiply } from "./mma-dot";
import { NONE, multiplyFixed, prepareA, prepareB } from "./mma-fixed";
import { leastOf } from "./mma-float";
import { S8, U8, integerProduct } from "./mma-integer";

/** Which operand the two halves share. */
const M16N16: i32 = 0;
const M32N8: i32 = 1;
const M8N32: i32 = 2;

/** Registers of a product's A: always 16×16. Of its B, 16×8, half as many. */
const WHOLE: i32 = 4;
const SLIM: i32 = 2;

// @ts-ignore: decorator
@inline
function floats<T>(
  type: i32,
  shape: i32,
  halfC: bool,
  mode: i32,
  active: i32,
  frame: i32,
): void {
  const nd = mode == TO_F32 ? 8 : 4;
  const nc = halfC ? 4 : 8;
  const na = shape == M32N8 ? 8 : shape == M8N32 ? 2 : 4;
  const nb = shape == M32N8 ? 2 : shape == M8N32 ? 8 : 4;
  const a = slot(frame, nd);
  const b = slot(frame, nd + na);
  const c = slot(frame, nd + na + nb);
  const scratch = slot(c, nc);
  // The operand that both halves share is prepared once, for each way by which one of them goes.
  const sharesA = shape == M16N16;
  const shared = shape == M32N8 ? b : a;
  const known = sharesA
    ? prepareA<T>(type, shared, WHOLE, scratch)
    : prepareB<T>(type, shared, SLIM, scratch);
  let unpacked = false;
  let wide = false;
  for (let h = 0; h < 2; h++) {
    const own = sharesA ? slot(b, h * SLIM) : slot(shape == M8N32 ? b : a, h * WHOLE);
    const from = slot(c, h * (nc >> 1));
    const to = slot(frame, h * (nd >> 1));
    const t = intermediate(scratch);
    let knownOwn = NONE;
    if (known != NONE) {
      knownOwn = sharesA ? prepareB<T>(type, own, SLIM, scratch) : prepareA<T>(type, own, WHOLE, scratch);
    }
    let done = false;
    if (type == TF32) {
      done =
        multiplyFixed<T, f32, f32>(scratch, 0, 2, known, knownOwn, from, t, -1) &&
        multiplyFixed<T, f32, f32>(scratch, 2, 2, known, knownOwn, t, to, active);
    } else if (halfC && mode == TO_F32) {
      done = multiplyFixed<T, u16, f32>(scratch, 0, 8, known, knownOwn, from, to, active);
    } else if (halfC) {
      done = multiplyFixed<T, u16, u16>(scratch, 0, 8, known, knownOwn, from, to, active);
    } else if (mode == TO_F32) {
      done = multiplyFixed<T, f32, f32>(scratch, 0, 8, known, knownOwn, from, to, active);
    } else {
      done = multiplyFixed<T, f32, u16>(scratch, 0, 8, known, knownOwn, from, to, active);
    }
    if (done) continue;
    if (!unpacked) {
      wide = sharesA
        ? unpackA(type, shared, WHOLE, scratch)
        : unpackB(type, shared, SLIM, scratch);
      unpacked = true;
    }
    const wideOwn = sharesA
      ? unpackB(type, own, SLIM, scratch)
      : unpackA(type, own, WHOLE, scratch);
    const path = wide || wideOwn ? WIDE : ANY;
    if (type == TF32) {
      multiply<T>(scratch, 0, 4, path, -126, from, false, t, TO_F32, -1);
      multiply<T>(scratch, 4, 8, path, -126, t, false, to, TO_F32, active);
    } else {
      multiply<T>(scratch, 0, 16, path, leastOf(type), from, halfC, to, mode, active);
    }
  }
}

// @ts-ignore: decorator
@inline
function bytes(type: i32, shape: i32, saturate: bool, active: i32, frame: i32): void {
  const na = shape == M32N8 ? 4 : shape == M8N32 ? 1 : 2;
  const nb = shape == M32N8 ? 1 : shape == M8N32 ? 4 : 2;
  const a = slot(frame, 8);
  const b = slot(frame, 8 + na);
  const c = slot(frame, 8 + na + nb);
  const scratch = slot(c, 8);
  for (let h = 0; h < 2; h++) {
    let x = a;
    let y = b;
    if (shape == M16N16) y = slot(b, h);
    else if (shape == M32N8) x = slot(a, 2 * h);
    else {
      x = slot(b, 2 * h);
      y = a;
    }
    const at = (h << 2) * SLOT_BYTES;
    integerProduct(type, type, 16, 8, saturate, frame + at, x, y, c + at, scratch, active);
  }
}

/** `wmma.mma` m16n16k16, D f32, A and B f16, C f32: slots d 8, a 4, b 4, c 8. */
export function wmma_mma_m16n16k16_f32_f16_f16_f32(active: i32, frame: i32): void {
  floats<i32>(F16, M16N16, false, TO_F32, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m16n16k16_f32_f16_f16_f32_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M16N16, false, TO_F32, active, frame);
}

/** `wmma.mma` m16n16k16, D f16, A and B f16, C f16: slots d 4, a 4, b 4, c 4. */
export function wmma_mma_m16n16k16_f16_f16_f16_f16(active: i32, frame: i32): void {
  floats<i32>(F16, M16N16, true, TO_F16, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m16n16k16_f16_f16_f16_f16_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M16N16, true, TO_F16, active, frame);
}

/** `wmma.mma` m16n16k16, D f32, A and B f16, C f16: slots d 8, a 4, b 4, c 4. */
export function wmma_mma_m16n16k16_f32_f16_f16_f16(active: i32, frame: i32): void {
  floats<i32>(F16, M16N16, true, TO_F32, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m16n16k16_f32_f16_f16_f16_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M16N16, true, TO_F32, active, frame);
}

/** `wmma.mma` m16n16k16, D f16, A and B f16, C f32: slots d 4, a 4, b 4, c 8. */
export function wmma_mma_m16n16k16_f16_f16_f16_f32(active: i32, frame: i32): void {
  floats<i32>(F16, M16N16, false, TO_F16_LATE, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m16n16k16_f16_f16_f16_f32_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M16N16, false, TO_F16_LATE, active, frame);
}

/** `wmma.mma` m16n16k16 on bf16: slots d 8, a 4, b 4, c 8. */
export function wmma_mma_m16n16k16_f32_bf16_bf16_f32(active: i32, frame: i32): void {
  floats<i32>(BF16, M16N16, false, TO_F32, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m16n16k16_f32_bf16_bf16_f32_relaxed(active: i32, frame: i32): void {
  floats<f32>(BF16, M16N16, false, TO_F32, active, frame);
}

/** `wmma.mma` m32n8k16, D f32, A and B f16, C f32: slots d 8, a 8, b 2, c 8. */
export function wmma_mma_m32n8k16_f32_f16_f16_f32(active: i32, frame: i32): void {
  floats<i32>(F16, M32N8, false, TO_F32, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m32n8k16_f32_f16_f16_f32_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M32N8, false, TO_F32, active, frame);
}

/** `wmma.mma` m32n8k16, D f16, A and B f16, C f16: slots d 4, a 8, b 2, c 4. */
export function wmma_mma_m32n8k16_f16_f16_f16_f16(active: i32, frame: i32): void {
  floats<i32>(F16, M32N8, true, TO_F16, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m32n8k16_f16_f16_f16_f16_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M32N8, true, TO_F16, active, frame);
}

/** `wmma.mma` m32n8k16, D f32, A and B f16, C f16: slots d 8, a 8, b 2, c 4. */
export function wmma_mma_m32n8k16_f32_f16_f16_f16(active: i32, frame: i32): void {
  floats<i32>(F16, M32N8, true, TO_F32, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m32n8k16_f32_f16_f16_f16_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M32N8, true, TO_F32, active, frame);
}

/** `wmma.mma` m32n8k16, D f16, A and B f16, C f32: slots d 4, a 8, b 2, c 8. */
export function wmma_mma_m32n8k16_f16_f16_f16_f32(active: i32, frame: i32): void {
  floats<i32>(F16, M32N8, false, TO_F16_LATE, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m32n8k16_f16_f16_f16_f32_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M32N8, false, TO_F16_LATE, active, frame);
}

/** `wmma.mma` m32n8k16 on bf16: slots d 8, a 8, b 2, c 8. */
export function wmma_mma_m32n8k16_f32_bf16_bf16_f32(active: i32, frame: i32): void {
  floats<i32>(BF16, M32N8, false, TO_F32, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m32n8k16_f32_bf16_bf16_f32_relaxed(active: i32, frame: i32): void {
  floats<f32>(BF16, M32N8, false, TO_F32, active, frame);
}

/** `wmma.mma` m8n32k16, D f32, A and B f16, C f32: slots d 8, a 2, b 8, c 8. */
export function wmma_mma_m8n32k16_f32_f16_f16_f32(active: i32, frame: i32): void {
  floats<i32>(F16, M8N32, false, TO_F32, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m8n32k16_f32_f16_f16_f32_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M8N32, false, TO_F32, active, frame);
}

/** `wmma.mma` m8n32k16, D f16, A and B f16, C f16: slots d 4, a 2, b 8, c 4. */
export function wmma_mma_m8n32k16_f16_f16_f16_f16(active: i32, frame: i32): void {
  floats<i32>(F16, M8N32, true, TO_F16, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m8n32k16_f16_f16_f16_f16_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M8N32, true, TO_F16, active, frame);
}

/** `wmma.mma` m8n32k16, D f32, A and B f16, C f16: slots d 8, a 2, b 8, c 4. */
export function wmma_mma_m8n32k16_f32_f16_f16_f16(active: i32, frame: i32): void {
  floats<i32>(F16, M8N32, true, TO_F32, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m8n32k16_f32_f16_f16_f16_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M8N32, true, TO_F32, active, frame);
}

/** `wmma.mma` m8n32k16, D f16, A and B f16, C f32: slots d 4, a 2, b 8, c 8. */
export function wmma_mma_m8n32k16_f16_f16_f16_f32(active: i32, frame: i32): void {
  floats<i32>(F16, M8N32, false, TO_F16_LATE, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m8n32k16_f16_f16_f16_f32_relaxed(active: i32, frame: i32): void {
  floats<f32>(F16, M8N32, false, TO_F16_LATE, active, frame);
}

/** `wmma.mma` m8n32k16 on bf16: slots d 8, a 2, b 8, c 8. */
export function wmma_mma_m8n32k16_f32_bf16_bf16_f32(active: i32, frame: i32): void {
  floats<i32>(BF16, M8N32, false, TO_F32, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m8n32k16_f32_bf16_bf16_f32_relaxed(active: i32, frame: i32): void {
  floats<f32>(BF16, M8N32, false, TO_F32, active, frame);
}

/** `wmma.mma` m16n16k8 on tf32: slots d 8, a 4, b 4, c 8. */
export function wmma_mma_m16n16k8_f32_tf32_tf32_f32(active: i32, frame: i32): void {
  floats<i32>(TF32, M16N16, false, TO_F32, active, frame);
}

/** The same, by relaxed SIMD. */
export function wmma_mma_m16n16k8_f32_tf32_tf32_f32_relaxed(active: i32, frame: i32): void {
  floats<f32>(TF32, M16N16, false, TO_F32, active, frame);
}

/** `wmma.mma` m16n16k16 on s8: slots d 8, a 2, b 2, c 8. */
export function wmma_mma_m16n16k16_s32_s8_s8_s32(active: i32, frame: i32): void {
  bytes(S8, M16N16, false, active, frame);
}

/** `wmma.mma` m16n16k16 on s8, saturating: slots d 8, a 2, b 2, c 8. */
export function wmma_mma_m16n16k16_s32_s8_s8_s32_satfinite(active: i32, frame: i32): void {
  bytes(S8, M16N16, true, active, frame);
}

/** `wmma.mma` m16n16k16 on u8: slots d 8, a 2, b 2, c 8. */
export function wmma_mma_m16n16k16_s32_u8_u8_s32(active: i32, frame: i32): void {
  bytes(U8, M16N16, false, active, frame);
}

/** `wmma.mma` m16n16k16 on u8, saturating: slots d 8, a 2, b 2, c 8. */
export function wmma_mma_m16n16k16_s32_u8_u8_s32_satfinite(active: i32, frame: i32): void {
  bytes(U8, M16N16, true, active, frame);
}

/** `wmma.mma` m32n8k16 on s8: slots d 8, a 4, b 1, c 8. */
export function wmma_mma_m32n8k16_s32_s8_s8_s32(active: i32, frame: i32): void {
  bytes(S8, M32N8, false, active, frame);
}

/** `wmma.mma` m32n8k16 on s8, saturating: slots d 8, a 4, b 1, c 8. */
export function wmma_mma_m32n8k16_s32_s8_s8_s32_satfinite(active: i32, frame: i32): void {
  bytes(S8, M32N8, true, active, frame);
}

/** `wmma.mma` m32n8k16 on u8: slots d 8, a 4, b 1, c 8. */
export function wmma_mma_m32n8k16_s32_u8_u8_s32(active: i32, frame: i32): void {
  bytes(U8, M32N8, false, active, frame);
}

/** `wmma.mma` m32n8k16 on u8, saturating: slots d 8, a 4, b 1, c 8. */
export function wmma_mma_m32n8k16_s32_u8_u8_s32_satfinite(active: i32, frame: i32): void {
  bytes(U8, M32N8, true, active, frame);
}

/** `wmma.mma` m8n32k16 on s8: slots d 8, a 1, b 4, c 8. */
export function wmma_mma_m8n32k16_s32_s8_s8_s32(active: i32, frame: i32): void {
  bytes(S8, M8N32, false, active, frame);
}

/** `wmma.mma` m8n32k16 on s8, saturating: slots d 8, a 1, b 4, c 8. */
export function wmma_mma_m8n32k16_s32_s8_s8_s32_satfinite(active: i32, frame: i32): void {
  bytes(S8, M8N32, true, active, frame);
}

/** `wmma.mma` m8n32k16 on u8: slots d 8, a 1, b 4, c 8. */
export function wmma_mma_m8n32k16_s32_u8_u8_s32(active: i32, frame: i32): void {
  bytes(U8, M8N32, false, active, frame);
}

/** `wmma.mma` m8n32k16 on u8, saturating: slots d 8, a 1, b 4, c 8. */
export function wmma_mma_m8n32k16_s32_u8_u8_s32_satfinite(active: i32, frame: i32): void {
  bytes(U8, M8N32, true, active, frame);
}
