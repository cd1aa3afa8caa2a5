// Atomic operations on device memory: `atom_<op>_<type>(address, operands…)` returns the old value.
// They are real atomic accesses, since workers share device memory (PTX ISA §9.7.13.4 atom).
// Operations that WebAssembly lacks are compare-and-swap loops. The caller has checked the address.
// `atomics-cta.ts` has the forms for shared memory.

import { add_rn_bf16, max_bf16, min_bf16 } from "./bfloat";
import { ftz, nan32 } from "./common";
import { add_rn_f16, max_f16, min_f16 } from "./half";

export function atom_add_u32(a: usize, v: i32): i32 {
  return atomic.add<i32>(a, v);
}

export function atom_and_b32(a: usize, v: i32): i32 {
  return atomic.and<i32>(a, v);
}

export function atom_or_b32(a: usize, v: i32): i32 {
  return atomic.or<i32>(a, v);
}

export function atom_xor_b32(a: usize, v: i32): i32 {
  return atomic.xor<i32>(a, v);
}

export function atom_exch_b32(a: usize, v: i32): i32 {
  return atomic.xchg<i32>(a, v);
}

export function atom_cas_b32(a: usize, compare: i32, v: i32): i32 {
  return atomic.cmpxchg<i32>(a, compare, v);
}

export function atom_min_u32(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, <u32>v < <u32>old ? v : old);
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, <u32>v < <u32>old ? v : old);
  }
  return old;
}

export function atom_min_s32(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, <i32>v < <i32>old ? v : old);
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, <i32>v < <i32>old ? v : old);
  }
  return old;
}

export function atom_max_u32(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, <u32>v > <u32>old ? v : old);
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, <u32>v > <u32>old ? v : old);
  }
  return old;
}

export function atom_max_s32(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, <i32>v > <i32>old ? v : old);
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, <i32>v > <i32>old ? v : old);
  }
  return old;
}

export function atom_add_u64(a: usize, v: i64): i64 {
  return atomic.add<i64>(a, v);
}

export function atom_and_b64(a: usize, v: i64): i64 {
  return atomic.and<i64>(a, v);
}

export function atom_or_b64(a: usize, v: i64): i64 {
  return atomic.or<i64>(a, v);
}

export function atom_xor_b64(a: usize, v: i64): i64 {
  return atomic.xor<i64>(a, v);
}

export function atom_exch_b64(a: usize, v: i64): i64 {
  return atomic.xchg<i64>(a, v);
}

export function atom_cas_b64(a: usize, compare: i64, v: i64): i64 {
  return atomic.cmpxchg<i64>(a, compare, v);
}

export function atom_min_u64(a: usize, v: i64): i64 {
  let old = atomic.load<i64>(a);
  let seen = atomic.cmpxchg<i64>(a, old, <u64>v < <u64>old ? v : old);
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i64>(a, old, <u64>v < <u64>old ? v : old);
  }
  return old;
}

export function atom_min_s64(a: usize, v: i64): i64 {
  let old = atomic.load<i64>(a);
  let seen = atomic.cmpxchg<i64>(a, old, <i64>v < <i64>old ? v : old);
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i64>(a, old, <i64>v < <i64>old ? v : old);
  }
  return old;
}

export function atom_max_u64(a: usize, v: i64): i64 {
  let old = atomic.load<i64>(a);
  let seen = atomic.cmpxchg<i64>(a, old, <u64>v > <u64>old ? v : old);
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i64>(a, old, <u64>v > <u64>old ? v : old);
  }
  return old;
}

export function atom_max_s64(a: usize, v: i64): i64 {
  let old = atomic.load<i64>(a);
  let seen = atomic.cmpxchg<i64>(a, old, <i64>v > <i64>old ? v : old);
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i64>(a, old, <i64>v > <i64>old ? v : old);
  }
  return old;
}

export function atom_inc_u32(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, <u32>old >= <u32>v ? 0 : old + 1);
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, <u32>old >= <u32>v ? 0 : old + 1);
  }
  return old;
}

export function atom_dec_u32(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, old == 0 || <u32>old > <u32>v ? v : old - 1);
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, old == 0 || <u32>old > <u32>v ? v : old - 1);
  }
  return old;
}

export function atom_cas_b16(a: usize, compare: i32, v: i32): i32 {
  return <i32>atomic.cmpxchg<u16>(a, <u16>compare, <u16>v);
}

/**
 * The sum of an f32 addition: on device memory subnormal operands and results are zeros of their sign, in
 * shared memory (`keep`) they are kept (PTX ISA §9.7.13.5).
 */
// @ts-ignore: decorator
@inline
export function sumAtomically(old: f32, v: f32, keep: i32): f32 {
  const sum = keep ? old + v : ftz(ftz(old) + ftz(v));
  return sum == sum ? sum : nan32();
}

export function atom_add_f32(a: usize, v: f32, keep: i32): f32 {
  // One loop, with all values of `old` in one variable: were the first one used as a float by itself,
  // the optimiser would load it a second time, as one, and an update between the loads would be lost.
  let seen = atomic.load<i32>(a);
  let old: i32;
  do {
    old = seen;
    const sum = sumAtomically(reinterpret<f32>(old), v, keep);
    seen = atomic.cmpxchg<i32>(a, old, reinterpret<i32>(sum));
  } while (seen != old);
  return reinterpret<f32>(old);
}

export function atom_add_f64(a: usize, v: f64): f64 {
  let seen = atomic.load<i64>(a); // as above
  let old: i64;
  do {
    old = seen;
    seen = atomic.cmpxchg<i64>(a, old, reinterpret<i64>(reinterpret<f64>(old) + v));
  } while (seen != old);
  return reinterpret<f64>(old);
}

export function atom_add_f16(a: usize, v: i32): i32 {
  let old = <i32>atomic.load<u16>(a);
  let seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(add_rn_f16(old, v)));
  while (seen != old) {
    old = seen;
    seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(add_rn_f16(old, v)));
  }
  return old;
}

export function atom_add_f16x2(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, add_rn_f16(old & 0xffff, v & 0xffff) | (add_rn_f16(old >>> 16, v >>> 16) << 16));
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, add_rn_f16(old & 0xffff, v & 0xffff) | (add_rn_f16(old >>> 16, v >>> 16) << 16));
  }
  return old;
}

export function atom_min_f16(a: usize, v: i32): i32 {
  let old = <i32>atomic.load<u16>(a);
  let seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(min_f16(old, v)));
  while (seen != old) {
    old = seen;
    seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(min_f16(old, v)));
  }
  return old;
}

export function atom_min_f16x2(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, min_f16(old & 0xffff, v & 0xffff) | (min_f16(old >>> 16, v >>> 16) << 16));
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, min_f16(old & 0xffff, v & 0xffff) | (min_f16(old >>> 16, v >>> 16) << 16));
  }
  return old;
}

export function atom_max_f16(a: usize, v: i32): i32 {
  let old = <i32>atomic.load<u16>(a);
  let seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(max_f16(old, v)));
  while (seen != old) {
    old = seen;
    seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(max_f16(old, v)));
  }
  return old;
}

export function atom_max_f16x2(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, max_f16(old & 0xffff, v & 0xffff) | (max_f16(old >>> 16, v >>> 16) << 16));
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, max_f16(old & 0xffff, v & 0xffff) | (max_f16(old >>> 16, v >>> 16) << 16));
  }
  return old;
}

export function atom_add_bf16(a: usize, v: i32): i32 {
  let old = <i32>atomic.load<u16>(a);
  let seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(add_rn_bf16(old, v)));
  while (seen != old) {
    old = seen;
    seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(add_rn_bf16(old, v)));
  }
  return old;
}

export function atom_add_bf16x2(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, add_rn_bf16(old & 0xffff, v & 0xffff) | (add_rn_bf16(old >>> 16, v >>> 16) << 16));
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, add_rn_bf16(old & 0xffff, v & 0xffff) | (add_rn_bf16(old >>> 16, v >>> 16) << 16));
  }
  return old;
}

export function atom_min_bf16(a: usize, v: i32): i32 {
  let old = <i32>atomic.load<u16>(a);
  let seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(min_bf16(old, v)));
  while (seen != old) {
    old = seen;
    seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(min_bf16(old, v)));
  }
  return old;
}

export function atom_min_bf16x2(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, min_bf16(old & 0xffff, v & 0xffff) | (min_bf16(old >>> 16, v >>> 16) << 16));
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, min_bf16(old & 0xffff, v & 0xffff) | (min_bf16(old >>> 16, v >>> 16) << 16));
  }
  return old;
}

export function atom_max_bf16(a: usize, v: i32): i32 {
  let old = <i32>atomic.load<u16>(a);
  let seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(max_bf16(old, v)));
  while (seen != old) {
    old = seen;
    seen = <i32>atomic.cmpxchg<u16>(a, <u16>old, <u16>(max_bf16(old, v)));
  }
  return old;
}

export function atom_max_bf16x2(a: usize, v: i32): i32 {
  let old = atomic.load<i32>(a);
  let seen = atomic.cmpxchg<i32>(a, old, max_bf16(old & 0xffff, v & 0xffff) | (max_bf16(old >>> 16, v >>> 16) << 16));
  while (seen != old) {
    old = seen;
    seen = atomic.cmpxchg<i32>(a, old, max_bf16(old & 0xffff, v & 0xffff) | (max_bf16(old >>> 16, v >>> 16) << 16));
  }
  return old;
}
