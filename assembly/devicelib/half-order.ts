// Minimum and maximum of 16-bit floats, by their bits. Not re-exported by index.ts.

/** An integer that orders 16-bit floats: −0 below +0, NaN apart. */
// @ts-ignore: decorator
@inline
function key(h: i32): i32 {
  const s = (h << 16) >> 16;
  return s ^ ((s >> 31) & 0x7fff);
}

/**
 * The smaller of two 16-bit floats whose infinity is `inf`. A NaN loses against a number, unless
 * `propagate` (`.NaN`) is set; what remains NaN is 0x7fff (PTX ISA, min).
 */
// @ts-ignore: decorator
@inline
export function minimum16(a: i32, b: i32, inf: i32, propagate: bool): i32 {
  const nanA = (a & 0x7fff) > inf;
  const nanB = (b & 0x7fff) > inf;
  if (propagate ? nanA || nanB : nanA && nanB) return 0x7fff;
  if (nanA) return b;
  if (nanB) return a;
  return key(a) < key(b) ? a : b;
}

/** The larger of two 16-bit floats, as minimum16. */
// @ts-ignore: decorator
@inline
export function maximum16(a: i32, b: i32, inf: i32, propagate: bool): i32 {
  const nanA = (a & 0x7fff) > inf;
  const nanB = (b & 0x7fff) > inf;
  if (propagate ? nanA || nanB : nanA && nanB) return 0x7fff;
  if (nanA) return b;
  if (nanB) return a;
  return key(a) > key(b) ? a : b;
}

/** `.xorsign`: the magnitude with the sign bit of `signs`; a NaN stays as it is. */
// @ts-ignore: decorator
@inline
export function withSign(magnitude: i32, signs: i32): i32 {
  return magnitude == 0x7fff ? magnitude : magnitude | (signs & 0x8000);
}
