// More instructions of generated kernels, with their meanings: 64-bit and half-precision ones. Halves are
// their bits here, one or two of 16.

import { addOps, type Class, fmaToOdd, lesser, type Op, type Value } from "./ops.ts";

const ops: Op[] = [];
/** Instructions that need care with their operands: they have a meaning, and are not picked at random. */
const careful: Op[] = [];

const make = (name: string, to: Class, args: string, run: (...args: never[]) => Value): Op => ({
  name,
  to,
  args: args.split(" ") as Class[],
  run,
});
const op = (...args: Parameters<typeof make>): number => ops.push(make(...args));

const u32 = (x: number): number => x >>> 0;
const s16 = (x: number): number => (x << 16) >> 16;
const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);

// ---- 64 bits (§9.7.1)

op("mad.lo.u64", "q", "q q q", (a: bigint, b: bigint, c: bigint) => u64(a * b + c));
op("mad.hi.s64", "q", "q q q", (a: bigint, b: bigint, c: bigint) =>
  u64(((s64(a) * s64(b)) >> 64n) + c),
);
op("mad.wide.s32", "q", "r r q", (a: number, b: number, c: bigint) =>
  u64(BigInt(a | 0) * BigInt(b | 0) + c),
);
op("sad.s64", "q", "q q q", (a: bigint, b: bigint, c: bigint) => {
  const difference = s64(a) - s64(b);
  return u64(c + (difference < 0n ? -difference : difference));
});
op("min.u64", "q", "q q", (a: bigint, b: bigint) => (a < b ? a : b));
op("max.s64", "q", "q q", (a: bigint, b: bigint) => (s64(a) > s64(b) ? a : b));
op("cnot.b64", "q", "q", (a: bigint) => (a === 0n ? 1n : 0n));
op("brev.b64", "q", "q", (a: bigint) => {
  let result = 0n;
  for (let k = 0n; k < 64n; k++) result |= ((a >> k) & 1n) << (63n - k);
  return result;
});
op("bfind.u64", "r", "q", (a: bigint) => (a === 0n ? 0xffffffff : a.toString(2).length - 1));
op("bfind.s64", "r", "q", (a: bigint) => {
  const x = s64(a) < 0n ? u64(~a) : a;
  return x === 0n ? 0xffffffff : x.toString(2).length - 1;
});
op("bfe.u64", "q", "q r r", (a: bigint, b: number, c: number) => {
  // Of 64 bits the H100 takes the whole of position and length.
  return b > 63 ? 0n : (a >> BigInt(b)) & ((1n << BigInt(Math.min(c, 64))) - 1n);
});
op("bfi.b64", "q", "q q r r", (a: bigint, b: bigint, c: number, d: number) => {
  let result = b;
  for (let k = 0; k < d && c + k <= 63; k++) {
    const at = BigInt(c + k);
    result = (result & ~(1n << at)) | (((a >> BigInt(k)) & 1n) << at);
  }
  return u64(result);
});
op("slct.u64.s32", "q", "q q r", (a: bigint, b: bigint, c: number) => ((c | 0) >= 0 ? a : b));
op("cvt.s64.s16", "q", "h", (a: number) => u64(BigInt(s16(a))));
op("cvt.u16.u64", "h", "q", (a: bigint) => Number(a & 0xffffn));
op("cvt.rn.f64.s64", "d", "q", (a: bigint) => Number(s64(a)));
op("cvt.rn.f64.u64", "d", "q", (a: bigint) => Number(a));
op("cvt.rzi.s64.f64", "q", "d", (a: number) => {
  if (Number.isNaN(a)) return 1n << 63n;
  if (a >= 2 ** 63) return (1n << 63n) - 1n;
  return a < -(2 ** 63) ? 1n << 63n : u64(BigInt(Math.trunc(a)));
});
for (const [type, sign] of [
  ["u64", (x: bigint) => x],
  ["s64", s64],
] as const) {
  careful.push(
    make(`div.${type}`, "q", "q q", (a: bigint, b: bigint) => u64(sign(a) / sign(b))),
    make(`rem.${type}`, "q", "q q", (a: bigint, b: bigint) => u64(sign(a) % sign(b))),
  );
}

// ---- what the generator uses for addresses and loops; constants are numbers

careful.push(
  make("mad.lo.u32", "r", "r r r", (a: number, b: number, c: number) => u32(Math.imul(a, b) + c)),
  make("mul.lo.u32", "r", "r r", (a: number, b: number) => u32(Math.imul(a, b))),
  make("sub.u32", "r", "r r", (a: number, b: number) => u32(a - b)),
  make("mul.wide.u32", "q", "r r", (a: number, b: number) => BigInt(a) * BigInt(b)),
  make("add.u64", "q", "q q", (a: bigint, b: bigint | number) => u64(a + BigInt(b))),
  make("div.u32", "r", "r r", (a: number, b: number) => Math.floor(a / b)),
  make("rem.u32", "r", "r r", (a: number, b: number) => a % b),
  make("div.s32", "r", "r r", (a: number, b: number) => u32(Math.trunc((a | 0) / (b | 0)))),
  make("rem.s32", "r", "r r", (a: number, b: number) => u32((a | 0) % (b | 0))),
  make("selp.u32", "r", "r r p", (a: number, b: number, p: boolean) => (p ? a : b)),
);

// ---- predicates

op("setp.eq.u16", "p", "h h", (a: number, b: number) => a === b);
op("setp.hi.u16", "p", "h h", (a: number, b: number) => a > b);
op("setp.le.or.u64", "p", "q q p", (a: bigint, b: bigint, p: boolean) => a <= b || p);
op("setp.gt.and.f32", "p", "f f p", (a: number, b: number, p: boolean) => a > b && p);
op("setp.num.f64", "p", "d d", (a: number, b: number) => !Number.isNaN(a) && !Number.isNaN(b));
op("set.le.u32.f32", "r", "f f", (a: number, b: number) => (a <= b ? 0xffffffff : 0));
op("set.lt.f32.s32", "f", "r r", (a: number, b: number) => ((a | 0) < (b | 0) ? 1 : 0));
op("selp.b16", "h", "h h p", (a: number, b: number, p: boolean) => (p ? a : b));

// ---- halves (§9.7.4)

/** The value of a half. */
export function halfValue(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** The nearest half, ties to even. */
export function halfBits(x: number): number {
  if (Number.isNaN(x)) return 0x7fff;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.abs(x);
  if (size >= 65520) return sign | 0x7c00;
  // Halves of this size are multiples of the unit.
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const exact = 2 ** exponent > size ? exponent - 1 : exponent;
  const unit = 2 ** (Math.max(exact, -14) - 10);
  const count = size / unit;
  const below = Math.floor(count);
  const rest = count - below;
  const rounded = below + (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? 1 : 0);
  // A count of 1024 and more carries the exponent with it.
  const base = exact < -14 ? 0 : exact + 14;
  return sign | (base * 1024 + rounded);
}

/** A function of halves, as f16 and as f16x2. */
function half(name: string, count: number, run: (...args: number[]) => number): void {
  const on = (...bits: number[]): number => halfBits(run(...bits.map(halfValue)));
  const args = (c: string): string => Array.from({ length: count }, () => c).join(" ");
  op(`${name}.f16`, "e", args("e"), on as never);
  op(`${name}.f16x2`, "w", args("w"), ((...pairs: number[]) => {
    const low = on(...pairs.map((p) => p & 0xffff));
    return u32((on(...pairs.map((p) => p >>> 16)) << 16) | low);
  }) as never);
}
half("add.rn", 2, (a = 0, b = 0) => a + b);
half("sub.rn", 2, (a = 0, b = 0) => a - b);
half("mul.rn", 2, (a = 0, b = 0) => a * b);
half("fma.rn", 3, (a = 0, b = 0, c = 0) => fmaToOdd(a, b, c));
half("min", 2, (a = 0, b = 0) => lesser(a, b));
half("max", 2, (a = 0, b = 0) => -lesser(-a, -b));
half("abs", 1, (a = 0) => Math.abs(a));
half("neg", 1, (a = 0) => -a);
op("cvt.rn.f16.f32", "e", "f", (a: number) => halfBits(a));
op("cvt.f32.f16", "f", "e", (a: number) => halfValue(a));
op("cvt.f64.f16", "d", "e", (a: number) => halfValue(a));
op("cvt.rn.f16.s32", "e", "r", (a: number) => halfBits(a | 0));
op("cvt.rn.f16x2.f32", "w", "f f", (a: number, b: number) =>
  u32((halfBits(a) << 16) | halfBits(b)),
);
op("setp.lt.f16", "p", "e e", (a: number, b: number) => halfValue(a) < halfValue(b));
op("setp.neu.f16", "p", "e e", (a: number, b: number) => halfValue(a) !== halfValue(b));
op("selp.b32", "w", "w w p", (a: number, b: number, p: boolean) => (p ? a : b));

/** The instructions, in a fixed order. */
export const WIDE_OPS: readonly Op[] = ops;
addOps([...ops, ...careful]);
