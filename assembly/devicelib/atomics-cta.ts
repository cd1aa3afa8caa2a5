// Atomic operations of one thread alone: as in `atomics.ts`, but plain loads and stores. One worker owns a
// block's shared memory while the block runs, and lanes come one after the other; device memory, too, if
// one worker runs all blocks.

import { sumAtomically } from "./atomics";
import { add_rn_bf16, max_bf16, min_bf16 } from "./bfloat";
import { add_rn_f16, max_f16, min_f16 } from "./half";

export function atom_add_u32_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, old + v);
  return old;
}

export function atom_and_b32_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, old & v);
  return old;
}

export function atom_or_b32_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, old | v);
  return old;
}

export function atom_xor_b32_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, old ^ v);
  return old;
}

export function atom_exch_b32_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, v);
  return old;
}

export function atom_cas_b32_cta(a: usize, compare: i32, v: i32): i32 {
  const old = load<i32>(a);
  if (old == compare) store<i32>(a, v);
  return old;
}

export function atom_min_u32_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, <u32>v < <u32>old ? v : old);
  return old;
}

export function atom_min_s32_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, <i32>v < <i32>old ? v : old);
  return old;
}

export function atom_max_u32_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, <u32>v > <u32>old ? v : old);
  return old;
}

export function atom_max_s32_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, <i32>v > <i32>old ? v : old);
  return old;
}

export function atom_add_u64_cta(a: usize, v: i64): i64 {
  const old = load<i64>(a);
  store<i64>(a, old + v);
  return old;
}

export function atom_and_b64_cta(a: usize, v: i64): i64 {
  const old = load<i64>(a);
  store<i64>(a, old & v);
  return old;
}

export function atom_or_b64_cta(a: usize, v: i64): i64 {
  const old = load<i64>(a);
  store<i64>(a, old | v);
  return old;
}

export function atom_xor_b64_cta(a: usize, v: i64): i64 {
  const old = load<i64>(a);
  store<i64>(a, old ^ v);
  return old;
}

export function atom_exch_b64_cta(a: usize, v: i64): i64 {
  const old = load<i64>(a);
  store<i64>(a, v);
  return old;
}

export function atom_cas_b64_cta(a: usize, compare: i64, v: i64): i64 {
  const old = load<i64>(a);
  if (old == compare) store<i64>(a, v);
  return old;
}

export function atom_min_u64_cta(a: usize, v: i64): i64 {
  const old = load<i64>(a);
  store<i64>(a, <u64>v < <u64>old ? v : old);
  return old;
}

export function atom_min_s64_cta(a: usize, v: i64): i64 {
  const old = load<i64>(a);
  store<i64>(a, <i64>v < <i64>old ? v : old);
  return old;
}

export function atom_max_u64_cta(a: usize, v: i64): i64 {
  const old = load<i64>(a);
  store<i64>(a, <u64>v > <u64>old ? v : old);
  return old;
}

export function atom_max_s64_cta(a: usize, v: i64): i64 {
  const old = load<i64>(a);
  store<i64>(a, <i64>v > <i64>old ? v : old);
  return old;
}

export function atom_inc_u32_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, <u32>old >= <u32>v ? 0 : old + 1);
  return old;
}

export function atom_dec_u32_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, old == 0 || <u32>old > <u32>v ? v : old - 1);
  return old;
}

export function atom_cas_b16_cta(a: usize, compare: i32, v: i32): i32 {
  const old = <i32>load<u16>(a);
  if (old == compare) store<u16>(a, <u16>v);
  return old;
}

export function atom_add_f32_cta(a: usize, v: f32, keep: i32): f32 {
  const old = load<f32>(a);
  store<f32>(a, sumAtomically(old, v, keep));
  return old;
}

export function atom_add_f64_cta(a: usize, v: f64): f64 {
  const old = load<f64>(a);
  store<f64>(a, old + v);
  return old;
}

export function atom_add_f16_cta(a: usize, v: i32): i32 {
  const old = <i32>load<u16>(a);
  store<u16>(a, <u16>add_rn_f16(old, v));
  return old;
}

export function atom_add_f16x2_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, add_rn_f16(old & 0xffff, v & 0xffff) | (add_rn_f16(old >>> 16, v >>> 16) << 16));
  return old;
}

export function atom_min_f16_cta(a: usize, v: i32): i32 {
  const old = <i32>load<u16>(a);
  store<u16>(a, <u16>min_f16(old, v));
  return old;
}

export function atom_min_f16x2_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, min_f16(old & 0xffff, v & 0xffff) | (min_f16(old >>> 16, v >>> 16) << 16));
  return old;
}

export function atom_max_f16_cta(a: usize, v: i32): i32 {
  const old = <i32>load<u16>(a);
  store<u16>(a, <u16>max_f16(old, v));
  return old;
}

export function atom_max_f16x2_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, max_f16(old & 0xffff, v & 0xffff) | (max_f16(old >>> 16, v >>> 16) << 16));
  return old;
}

export function atom_add_bf16_cta(a: usize, v: i32): i32 {
  const old = <i32>load<u16>(a);
  store<u16>(a, <u16>add_rn_bf16(old, v));
  return old;
}

export function atom_add_bf16x2_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, add_rn_bf16(old & 0xffff, v & 0xffff) | (add_rn_bf16(old >>> 16, v >>> 16) << 16));
  return old;
}

export function atom_min_bf16_cta(a: usize, v: i32): i32 {
  const old = <i32>load<u16>(a);
  store<u16>(a, <u16>min_bf16(old, v));
  return old;
}

export function atom_min_bf16x2_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, min_bf16(old & 0xffff, v & 0xffff) | (min_bf16(old >>> 16, v >>> 16) << 16));
  return old;
}

export function atom_max_bf16_cta(a: usize, v: i32): i32 {
  const old = <i32>load<u16>(a);
  store<u16>(a, <u16>max_bf16(old, v));
  return old;
}

export function atom_max_bf16x2_cta(a: usize, v: i32): i32 {
  const old = load<i32>(a);
  store<i32>(a, max_bf16(old & 0xffff, v & 0xffff) | (max_bf16(old >>> 16, v >>> 16) << 16));
  return old;
}
