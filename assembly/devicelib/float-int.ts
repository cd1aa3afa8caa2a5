// Rounded f32 or f64 → integers, clamped to the type's range. Not re-exported.
//
// NaN is what the H100 answers: from f16, bf16 and f32, 0 in up to 32 bits and 2⁶³ in 64 bits; from
// f64, the integer type's top bit alone. (PTX ISA 9.0 leaves it to the target.)

/** 0 … 255 */
// @ts-ignore: decorator
@inline
export function toU8<T>(x: T): i32 {
  const r = min<u32>(<u32>x, 255);
  return sizeof<T>() == 8 && x != x ? 0x80 : r;
}

/** −128 … 127, as 8 bits */
// @ts-ignore: decorator
@inline
export function toS8<T>(x: T): i32 {
  const r = max<i32>(min<i32>(<i32>x, 127), -128) & 0xff;
  return sizeof<T>() == 8 && x != x ? 0x80 : r;
}

/** 0 … 65535 */
// @ts-ignore: decorator
@inline
export function toU16<T>(x: T): i32 {
  const r = min<u32>(<u32>x, 0xffff);
  return sizeof<T>() == 8 && x != x ? 0x8000 : r;
}

/** −32768 … 32767, as 16 bits */
// @ts-ignore: decorator
@inline
export function toS16<T>(x: T): i32 {
  const r = max<i32>(min<i32>(<i32>x, 0x7fff), -0x8000) & 0xffff;
  return sizeof<T>() == 8 && x != x ? 0x8000 : r;
}

/** 0 … 2³² − 1 */
// @ts-ignore: decorator
@inline
export function toU32<T>(x: T): i32 {
  const r = <u32>x;
  return sizeof<T>() == 8 && x != x ? 0x80000000 : r;
}

/** −2³¹ … 2³¹ − 1 */
// @ts-ignore: decorator
@inline
export function toS32<T>(x: T): i32 {
  const r = <i32>x;
  return sizeof<T>() == 8 && x != x ? i32.MIN_VALUE : r;
}

/** 0 … 2⁶⁴ − 1 */
// @ts-ignore: decorator
@inline
export function toU64<T>(x: T): i64 {
  const r = <u64>x;
  return x != x ? i64.MIN_VALUE : r;
}

/** −2⁶³ … 2⁶³ − 1 */
// @ts-ignore: decorator
@inline
export function toS64<T>(x: T): i64 {
  const r = <i64>x;
  return x != x ? i64.MIN_VALUE : r;
}
