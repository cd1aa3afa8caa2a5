// Shifts and fields on four lanes with an amount for each. WebAssembly shifts all lanes by one amount,
// which is what most programs ask for: that case is told apart first, the other goes lane by lane.

import {
  bfe_s32,
  bfe_u32,
  bfi_b32,
  shf_l_clamp_b32,
  shf_l_wrap_b32,
  shf_r_clamp_b32,
  shf_r_wrap_b32,
  shr_s32,
  shr_u32,
} from "./bits";

// @ts-ignore: decorator
@inline
function isUniform(x: v128): bool {
  return i32x4.all_true(i32x4.eq(x, i32x4.splat(i32x4.extract_lane(x, 0))));
}

/** shr.u32 on four lanes. */
export function shr_u32_x4(a: v128, b: v128): v128 {
  if (isUniform(b)) {
    const n = i32x4.extract_lane(b, 0);
    return <u32>n > 31 ? i32x4.splat(0) : i32x4.shr_u(a, n);
  }
  return i32x4(
    shr_u32(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0)),
    shr_u32(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1)),
    shr_u32(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2)),
    shr_u32(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3)),
  );
}
/** shr.s32 on four lanes. */
export function shr_s32_x4(a: v128, b: v128): v128 {
  if (isUniform(b)) return i32x4.shr_s(a, min<u32>(i32x4.extract_lane(b, 0), 31));
  return i32x4(
    shr_s32(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0)),
    shr_s32(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1)),
    shr_s32(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2)),
    shr_s32(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3)),
  );
}

// @ts-ignore: decorator
@inline
function funnelLeft(a: v128, b: v128, n: i32): v128 {
  return v128.or(i32x4.shl(b, n), i32x4.shr_u(i32x4.shr_u(a, 1), ~n & 31));
}

// @ts-ignore: decorator
@inline
function funnelRight(a: v128, b: v128, n: i32): v128 {
  return v128.or(i32x4.shr_u(a, n), i32x4.shl(i32x4.shl(b, 1), ~n & 31));
}

/** shf.l.wrap.b32 on four lanes. */
export function shf_l_wrap_b32_x4(a: v128, b: v128, c: v128): v128 {
  if (isUniform(c)) {
    const n = i32x4.extract_lane(c, 0);
    return funnelLeft(a, b, n);
  }
  return i32x4(
    shf_l_wrap_b32(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0), i32x4.extract_lane(c, 0)),
    shf_l_wrap_b32(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1), i32x4.extract_lane(c, 1)),
    shf_l_wrap_b32(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2), i32x4.extract_lane(c, 2)),
    shf_l_wrap_b32(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3), i32x4.extract_lane(c, 3)),
  );
}
/** shf.l.clamp.b32 on four lanes. */
export function shf_l_clamp_b32_x4(a: v128, b: v128, c: v128): v128 {
  if (isUniform(c)) {
    const n = i32x4.extract_lane(c, 0);
    return <u32>n > 31 ? a : funnelLeft(a, b, n);
  }
  return i32x4(
    shf_l_clamp_b32(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0), i32x4.extract_lane(c, 0)),
    shf_l_clamp_b32(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1), i32x4.extract_lane(c, 1)),
    shf_l_clamp_b32(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2), i32x4.extract_lane(c, 2)),
    shf_l_clamp_b32(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3), i32x4.extract_lane(c, 3)),
  );
}
/** shf.r.wrap.b32 on four lanes. */
export function shf_r_wrap_b32_x4(a: v128, b: v128, c: v128): v128 {
  if (isUniform(c)) {
    const n = i32x4.extract_lane(c, 0);
    return funnelRight(a, b, n);
  }
  return i32x4(
    shf_r_wrap_b32(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0), i32x4.extract_lane(c, 0)),
    shf_r_wrap_b32(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1), i32x4.extract_lane(c, 1)),
    shf_r_wrap_b32(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2), i32x4.extract_lane(c, 2)),
    shf_r_wrap_b32(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3), i32x4.extract_lane(c, 3)),
  );
}
/** shf.r.clamp.b32 on four lanes. */
export function shf_r_clamp_b32_x4(a: v128, b: v128, c: v128): v128 {
  if (isUniform(c)) {
    const n = i32x4.extract_lane(c, 0);
    return <u32>n > 31 ? b : funnelRight(a, b, n);
  }
  return i32x4(
    shf_r_clamp_b32(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0), i32x4.extract_lane(c, 0)),
    shf_r_clamp_b32(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1), i32x4.extract_lane(c, 1)),
    shf_r_clamp_b32(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2), i32x4.extract_lane(c, 2)),
    shf_r_clamp_b32(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3), i32x4.extract_lane(c, 3)),
  );
}
/** bfe.u32 on four lanes. */
export function bfe_u32_x4(a: v128, b: v128, c: v128): v128 {
  if (isUniform(b) && isUniform(c)) {
    const start = i32x4.extract_lane(b, 0) & 0xff;
    const length = i32x4.extract_lane(c, 0) & 0xff;
    const field = start > 31 ? i32x4.splat(0) : i32x4.shr_u(a, start);
    return length > 31 ? field : v128.and(field, i32x4.splat((1 << length) - 1));
  }
  return i32x4(
    bfe_u32(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0), i32x4.extract_lane(c, 0)),
    bfe_u32(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1), i32x4.extract_lane(c, 1)),
    bfe_u32(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2), i32x4.extract_lane(c, 2)),
    bfe_u32(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3), i32x4.extract_lane(c, 3)),
  );
}
/** bfe.s32 on four lanes. */
export function bfe_s32_x4(a: v128, b: v128, c: v128): v128 {
  if (isUniform(b) && isUniform(c)) {
    const length = i32x4.extract_lane(c, 0) & 0xff;
    if (length == 0) return i32x4.splat(0);
    const field = i32x4.shr_s(a, min<i32>(i32x4.extract_lane(b, 0) & 0xff, 31));
    const unused = 32 - length;
    return unused <= 0 ? field : i32x4.shr_s(i32x4.shl(field, unused), unused);
  }
  return i32x4(
    bfe_s32(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0), i32x4.extract_lane(c, 0)),
    bfe_s32(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1), i32x4.extract_lane(c, 1)),
    bfe_s32(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2), i32x4.extract_lane(c, 2)),
    bfe_s32(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3), i32x4.extract_lane(c, 3)),
  );
}
/** bfi.b32 on four lanes. */
export function bfi_b32_x4(a: v128, b: v128, c: v128, d: v128): v128 {
  if (isUniform(c) && isUniform(d)) {
    const start = i32x4.extract_lane(c, 0) & 0xff;
    const length = i32x4.extract_lane(d, 0) & 0xff;
    if (start > 31) return b;
    const mask = (length > 31 ? -1 : (1 << length) - 1) << start;
    return v128.bitselect(i32x4.shl(a, start), b, i32x4.splat(mask));
  }
  return i32x4(
    bfi_b32(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0), i32x4.extract_lane(c, 0), i32x4.extract_lane(d, 0)),
    bfi_b32(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1), i32x4.extract_lane(c, 1), i32x4.extract_lane(d, 1)),
    bfi_b32(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2), i32x4.extract_lane(c, 2), i32x4.extract_lane(d, 2)),
    bfi_b32(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3), i32x4.extract_lane(c, 3), i32x4.extract_lane(d, 3)),
  );
}
