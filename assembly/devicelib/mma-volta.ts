/**
 * `mma.sync.m8n8k4` on f16 (PTX ISA 9.7.14.5.1): four independent 8×8×4 products, one for each
 * quad pair, lanes 4q…4q+3 and 4q+16…4q+19. Volta's own instruction; later GPUs compute it with
 * f32 multiply-adds, and so does this, in the order that ptxas emits for sm_90:
 *
 *   D in f32:  d = c + (a3·b3 + (a2·b2 + (a1·b1 + a0·b0)))      each + one rounded fma
 *   D in f16:  d = (c + (a1·b1 + a0·b0)) + (a3·b3 + a2·b2)      and one rounding to f16
 *
 *      row i of the 8×4 A, column i of the 4×8 B: lane q·4 + (i mod 4) + 16·(i div 4)
 *      scratch, for one quad pair: A f32[8][4], B f32[4][8], C f32[8][8]
 */
import { SLOT_BYTES, slot } from "./warp-frame";
import { halfToSingle, singleToHalf } from "./mma-formats";

const B_AT: i32 = 128;
const C_AT: i32 = 256;

/** a·b + c for factors whose product is exact in f64, rounded once. */
function fma(a: f32, b: f32, c: f32): f32 {
  const p = f64(a) * f64(b);
  const x = f64(c);
  const s = p + x;
  const q = s - p;
  const rest = p - (s - q) + (x - q);
  // Rounded to odd in f64, the second rounding is the only one (Boldo & Melquiond 2008).
  // (An infinite sum leaves NaN in `rest`, which is neither above nor below 0.)
  if ((rest > 0 || rest < 0) && (reinterpret<i64>(s) & 1) == 0) {
    const up = (rest > 0) == (s > 0);
    return f32(reinterpret<f64>(reinterpret<i64>(s) + (up ? 1 : -1)));
  }
  return f32(s);
}

/** The f16 in bits 0–15 of `h`. */
// @ts-ignore: decorator
@inline
function half(h: i32): f32 {
  return f32x4.extract_lane(halfToSingle(i32x4.splat(h & 0xffff)), 0);
}

/** f16 number `i` of a lane's registers (two in each). */
// @ts-ignore: decorator
@inline
function halfOf(operand: i32, lane: i32, i: i32): f32 {
  return half(load<u16>(operand + (i >> 1) * SLOT_BYTES + (lane << 2) + ((i & 1) << 1)));
}

/** Lane of the quad pair that holds row (or column) `i` of eight. */
// @ts-ignore: decorator
@inline
function laneOf(quad: i32, i: i32): i32 {
  return (quad << 2) + (i & 3) + ((i & 4) << 2);
}

/** Where f32 accumulator `r` of a lane of the quad pair is: row·8 + column. */
// @ts-ignore: decorator
@inline
function placeF32(lane: i32, r: i32): i32 {
  const row = (lane & 1) + (r & 2) + ((lane & 16) >> 2);
  return (row << 3) + (r & 4) + (lane & 2) + (r & 1);
}

/** Where f16 accumulator `r` is. */
// @ts-ignore: decorator
@inline
function placeF16(lane: i32, r: i32): i32 {
  return (((lane & 3) + ((lane & 16) >> 2)) << 3) + r;
}

// @ts-ignore: decorator
@inline
function canonical(f: f32): f32 {
  return f != f ? reinterpret<f32>(0x7fffffff) : f;
}

/** All four products. `rowA`, `rowB`: the layouts; `halfC`, `halfD`: the accumulators' types. */
function quadProducts(
  rowA: bool,
  rowB: bool,
  halfC: bool,
  halfD: bool,
  active: i32,
  frame: i32,
): void {
  const nd = halfD ? 4 : 8;
  const a = slot(frame, nd);
  const b = slot(frame, nd + 2);
  const c = slot(frame, nd + 4);
  const scratch = slot(c, halfC ? 4 : 8);
  for (let quad = 0; quad < 4; quad++) {
    for (let i = 0; i < 8; i++) {
      const lane = laneOf(quad, i);
      for (let j = 0; j < 4; j++) {
        // A lane's four elements are a row of A, or a column of four of its rows; B likewise.
        const m = rowA ? i : (i & 4) + j;
        const ka = rowA ? j : i & 3;
        store<f32>(scratch + (((m << 2) + ka) << 2), halfOf(a, lane, j));
        const n = rowB ? (i & 4) + j : i;
        const kb = rowB ? i & 3 : j;
        store<f32>(scratch + B_AT + (((kb << 3) + n) << 2), halfOf(b, lane, j));
      }
      for (let r = 0; r < 8; r++) {
        const at = scratch + C_AT + ((halfC ? placeF16(lane, r) : placeF32(lane, r)) << 2);
        const value = halfC
          ? halfOf(c, lane, r)
          : load<f32>(c + r * SLOT_BYTES + (lane << 2));
        store<f32>(at, value);
      }
    }
    for (let m = 0; m < 8; m++) {
      const row = scratch + (m << 4);
      for (let n = 0; n < 8; n++) {
        const column = scratch + B_AT + (n << 2);
        const at = scratch + C_AT + (((m << 3) + n) << 2);
        let first = load<f32>(row) * load<f32>(column);
        if (!halfD) first += 0; // an fma with +0, where the f16 form multiplies: −0 becomes +0
        const low = fma(load<f32>(row, 4), load<f32>(column, 32), first);
        if (halfD) {
          const third = load<f32>(row, 8) * load<f32>(column, 64);
          const high = fma(load<f32>(row, 12), load<f32>(column, 96), third);
          store<f32>(at, load<f32>(at) + low + high);
        } else {
          const more = fma(load<f32>(row, 8), load<f32>(column, 64), low);
          store<f32>(at, canonical(load<f32>(at) + fma(load<f32>(row, 12), load<f32>(column, 96), more)));
        }
      }
    }
    for (let i = 0; i < 8; i++) {
      const lane = laneOf(quad, i);
      if (((active >>> lane) & 1) == 0) continue;
      for (let r = 0; r < 8; r++) {
        const from = scratch + C_AT + ((halfD ? placeF16(lane, r) : placeF32(lane, r)) << 2);
        if (halfD) {
          const bits = i32x4.extract_lane(singleToHalf(v128.load32_splat(from)), 0);
          store<u16>(frame + (r >> 1) * SLOT_BYTES + (lane << 2) + ((r & 1) << 1), bits as u16);
        } else {
          store<i32>(frame + r * SLOT_BYTES + (lane << 2), load<i32>(from));
        }
      }
    }
  }
}

/** `mma.sync.aligned.m8n8k4.row.row.f32.f16.f16.f32`: slots d 8, a 2, b 2, c 8. */
export function mma_sync_aligned_m8n8k4_row_row_f32_f16_f16_f32(active: i32, frame: i32): void {
  quadProducts(true, true, false, false, active, frame);
}

/** `mma.sync.aligned.m8n8k4.row.row.f16.f16.f16.f16`: slots d 4, a 2, b 2, c 4. */
export function mma_sync_aligned_m8n8k4_row_row_f16_f16_f16_f16(active: i32, frame: i32): void {
  quadProducts(true, true, true, true, active, frame);
}

/** `mma.sync.aligned.m8n8k4.row.row.f32.f16.f16.f16`: slots d 8, a 2, b 2, c 4. */
export function mma_sync_aligned_m8n8k4_row_row_f32_f16_f16_f16(active: i32, frame: i32): void {
  quadProducts(true, true, true, false, active, frame);
}

/** `mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32`: slots d 8, a 2, b 2, c 8. */
export function mma_sync_aligned_m8n8k4_row_col_f32_f16_f16_f32(active: i32, frame: i32): void {
  quadProducts(true, false, false, false, active, frame);
}

/** `mma.sync.aligned.m8n8k4.row.col.f16.f16.f16.f16`: slots d 4, a 2, b 2, c 4. */
export function mma_sync_aligned_m8n8k4_row_col_f16_f16_f16_f16(active: i32, frame: i32): void {
  quadProducts(true, false, true, true, active, frame);
}

/** `mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f16`: slots d 8, a 2, b 2, c 4. */
export function mma_sync_aligned_m8n8k4_row_col_f32_f16_f16_f16(active: i32, frame: i32): void {
  quadProducts(true, false, true, false, active, frame);
}

/** `mma.sync.aligned.m8n8k4.col.row.f32.f16.f16.f32`: slots d 8, a 2, b 2, c 8. */
export function mma_sync_aligned_m8n8k4_col_row_f32_f16_f16_f32(active: i32, frame: i32): void {
  quadProducts(false, true, false, false, active, frame);
}

/** `mma.sync.aligned.m8n8k4.col.row.f16.f16.f16.f16`: slots d 4, a 2, b 2, c 4. */
export function mma_sync_aligned_m8n8k4_col_row_f16_f16_f16_f16(active: i32, frame: i32): void {
  quadProducts(false, true, true, true, active, frame);
}

/** `mma.sync.aligned.m8n8k4.col.row.f32.f16.f16.f16`: slots d 8, a 2, b 2, c 4. */
export function mma_sync_aligned_m8n8k4_col_row_f32_f16_f16_f16(active: i32, frame: i32): void {
  quadProducts(false, true, true, false, active, frame);
}

/** `mma.sync.aligned.m8n8k4.col.col.f32.f16.f16.f32`: slots d 8, a 2, b 2, c 8. */
export function mma_sync_aligned_m8n8k4_col_col_f32_f16_f16_f32(active: i32, frame: i32): void {
  quadProducts(false, false, false, false, active, frame);
}

/** `mma.sync.aligned.m8n8k4.col.col.f16.f16.f16.f16`: slots d 4, a 2, b 2, c 4. */
export function mma_sync_aligned_m8n8k4_col_col_f16_f16_f16_f16(active: i32, frame: i32): void {
  quadProducts(false, false, true, true, active, frame);
}

/** `mma.sync.aligned.m8n8k4.col.col.f32.f16.f16.f16`: slots d 8, a 2, b 2, c 4. */
export function mma_sync_aligned_m8n8k4_col_col_f32_f16_f16_f16(active: i32, frame: i32): void {
  quadProducts(false, false, true, false, active, frame);
}
