// The instructions that generated kernels are made of, each with its meaning in plain TypeScript, after
// the PTX ISA and without a look at the compiler. Integers of 32 bits and less are unsigned numbers,
// 64-bit ones unsigned bigints, floats numbers, predicates booleans.

export type Value = number | bigint | boolean;

/** Register classes: 16, 32 and 64 bits, f32, f64, predicates, f16, f16x2; "i" and "lut" are constants. */
export type Class = "h" | "r" | "q" | "f" | "d" | "p" | "e" | "w" | "i" | "lut";

export interface Op {
  name: string;
  to: Class;
  args: Class[];
  run: (...args: never[]) => Value;
}

const u32 = (x: number): number => x >>> 0;
const u16 = (x: number): number => x & 0xffff;
const s16 = (x: number): number => (x << 16) >> 16;
const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);
const f32 = Math.fround;

const ops: Op[] = [];

function op(name: string, to: Class, args: string, run: (...args: never[]) => Value): void {
  ops.push({ name, to, args: args.split(" ") as Class[], run });
}
const int2 = (name: string, run: (a: number, b: number) => number) =>
  op(name, "r", "r r", (a: number, b: number) => u32(run(a, b)));
const int1 = (name: string, run: (a: number) => number) =>
  op(name, "r", "r", (a: number) => u32(run(a)));
const int3 = (name: string, run: (a: number, b: number, c: number) => number) =>
  op(name, "r", "r r r", (a: number, b: number, c: number) => u32(run(a, b, c)));

const signed = (x: number): number => x | 0;
const mulHi = (a: bigint, b: bigint): number => Number(BigInt.asUintN(32, (a * b) >> 32n));
const big = (x: number): bigint => BigInt(x);

// 32-bit integers (§9.7.1, §9.7.8)
int2("add.u32", (a, b) => a + b);
int2("sub.s32", (a, b) => a - b);
int2("mul.lo.u32", (a, b) => Math.imul(a, b));
int2("mul.hi.u32", (a, b) => mulHi(big(a), big(b)));
int2("mul.hi.s32", (a, b) => mulHi(big(signed(a)), big(signed(b))));
int3("mad.lo.s32", (a, b, c) => Math.imul(a, b) + c);
int3("mad.hi.u32", (a, b, c) => mulHi(big(a), big(b)) + c);
int2("min.s32", (a, b) => Math.min(signed(a), signed(b)));
int2("max.u32", (a, b) => Math.max(a, b));
int2("min.u32", (a, b) => Math.min(a, b));
int2("max.s32", (a, b) => Math.max(signed(a), signed(b)));
int1("abs.s32", (a) => Math.abs(signed(a)));
int1("neg.s32", (a) => -signed(a));
int3("sad.u32", (a, b, c) => c + Math.abs(a - b));
int3("sad.s32", (a, b, c) => c + Math.abs(signed(a) - signed(b)));
int2("and.b32", (a, b) => a & b);
int2("or.b32", (a, b) => a | b);
int2("xor.b32", (a, b) => a ^ b);
int1("not.b32", (a) => ~a);
int1("cnot.b32", (a) => (a === 0 ? 1 : 0));
// Shifts by more than 31 give 0 or the sign: counts aren't masked.
int2("shl.b32", (a, b) => (b > 31 ? 0 : a << b));
int2("shr.u32", (a, b) => (b > 31 ? 0 : a >>> b));
int2("shr.s32", (a, b) => signed(a) >> Math.min(b, 31));
const funnel = (low: number, high: number): bigint => (big(high) << 32n) | big(low);
int3("shf.l.wrap.b32", (a, b, c) =>
  Number(BigInt.asUintN(32, (funnel(a, b) << big(c & 31)) >> 32n)),
);
int3("shf.r.wrap.b32", (a, b, c) => Number(BigInt.asUintN(32, funnel(a, b) >> big(c & 31))));
int3("shf.r.clamp.b32", (a, b, c) =>
  Number(BigInt.asUintN(32, funnel(a, b) >> big(Math.min(c, 32)))),
);
int1("popc.b32", (a) => {
  let count = 0;
  for (let bits = a; bits !== 0; bits &= bits - 1) count++;
  return count;
});
int1("clz.b32", (a) => Math.clz32(a));
int1("brev.b32", (a) => {
  let result = 0;
  for (let k = 0; k < 32; k++) result |= ((a >>> k) & 1) << (31 - k);
  return result;
});
int1("bfind.u32", (a) => (a === 0 ? -1 : 31 - Math.clz32(a)));
int1("bfind.s32", (a) => {
  const x = signed(a) < 0 ? u32(~a) : a;
  return x === 0 ? -1 : 31 - Math.clz32(x);
});
/** Position and length of a bit field are 8 bits each (§9.7.1 bfe). */
const field = (x: number): number => x & 255;
int3("bfe.u32", (a, b, c) => {
  const width = Math.min(field(c), 32);
  const shifted = field(b) > 31 ? 0n : big(a) >> big(field(b));
  return Number(shifted & ((1n << big(width)) - 1n));
});
int3("bfe.s32", (a, b, c) => {
  const [position, length] = [field(b), field(c)];
  if (length === 0) return 0;
  const sign = (signed(a) >> Math.min(position + length - 1, 31)) & 1;
  let result = 0;
  for (let k = 0; k < 32; k++) {
    const at = position + k;
    const bit = k < length && at <= 31 ? (a >>> at) & 1 : sign;
    result |= bit << k;
  }
  return result;
});
op("bfi.b32", "r", "r r r r", (a: number, b: number, c: number, d: number) => {
  let result = b;
  for (let k = 0; k < field(d) && field(c) + k <= 31; k++) {
    const at = field(c) + k;
    result = (result & ~(1 << at)) | (((a >>> k) & 1) << at);
  }
  return u32(result);
});
op("prmt.b32", "r", "r r r", (a: number, b: number, c: number) => {
  const bytes = (big(b) << 32n) | big(a);
  let result = 0;
  for (let k = 0; k < 4; k++) {
    const selector = (c >>> (4 * k)) & 15;
    let byte = Number((bytes >> big(8 * (selector & 7))) & 255n);
    if (selector & 8) byte = byte & 128 ? 255 : 0;
    result |= byte << (8 * k);
  }
  return u32(result);
});
op("lop3.b32", "r", "r r r lut", (a: number, b: number, c: number, lut: number) => {
  let result = 0;
  for (let k = 0; k < 32; k++) {
    const index = (((a >>> k) & 1) << 2) | (((b >>> k) & 1) << 1) | ((c >>> k) & 1);
    result |= ((lut >>> index) & 1) << k;
  }
  return u32(result);
});
op("add.sat.s32", "r", "r r", (a: number, b: number) =>
  u32(Math.max(-2147483648, Math.min(2147483647, signed(a) + signed(b)))),
);
op("dp4a.s32.u32", "r", "r r r", (a: number, b: number, c: number) => {
  let sum = c;
  for (let k = 0; k < 4; k++) sum += ((a << (24 - 8 * k)) >> 24) * ((b >>> (8 * k)) & 255);
  return u32(sum);
});
op("selp.b32", "r", "r r p", (a: number, b: number, p: boolean) => (p ? a : b));
op("slct.b32.s32", "r", "r r r", (a: number, b: number, c: number) => (signed(c) >= 0 ? a : b));
op("mov.b32", "r", "i", (a: number) => u32(a));
op("add.s32", "r", "r i", (a: number, b: number) => u32(a + b));

// 16 bits
op("cvt.u16.u32", "h", "r", (a: number) => u16(a));
op("cvt.u32.u16", "r", "h", (a: number) => a);
op("cvt.s32.s16", "r", "h", (a: number) => u32(s16(a)));
op("cvt.s32.s8", "r", "r", (a: number) => u32((a << 24) >> 24));
op("cvt.sat.u8.s32", "r", "r", (a: number) => Math.max(0, Math.min(255, signed(a))));
op("cvt.sat.s16.s32", "h", "r", (a: number) => u16(Math.max(-32768, Math.min(32767, signed(a)))));
op("add.s16", "h", "h h", (a: number, b: number) => u16(a + b));
op("sub.u16", "h", "h h", (a: number, b: number) => u16(a - b));
op("mul.lo.u16", "h", "h h", (a: number, b: number) => u16(a * b));
op("mul.hi.s16", "h", "h h", (a: number, b: number) => u16((s16(a) * s16(b)) >> 16));
op("mul.wide.s16", "r", "h h", (a: number, b: number) => u32(s16(a) * s16(b)));
op("min.s16", "h", "h h", (a: number, b: number) => u16(Math.min(s16(a), s16(b))));
op("max.u16", "h", "h h", (a: number, b: number) => Math.max(a, b));
op("shr.s16", "h", "h r", (a: number, b: number) => u16(s16(a) >> Math.min(b, 15)));
op("shl.b16", "h", "h r", (a: number, b: number) => (b > 15 ? 0 : u16(a << b)));
op("xor.b16", "h", "h h", (a: number, b: number) => a ^ b);
op("not.b16", "h", "h", (a: number) => u16(~a));

// 64 bits
const long2 = (name: string, run: (a: bigint, b: bigint) => bigint) =>
  op(name, "q", "q q", (a: bigint, b: bigint) => u64(run(a, b)));
long2("add.s64", (a, b) => a + b);
long2("sub.u64", (a, b) => a - b);
long2("mul.lo.s64", (a, b) => a * b);
long2("mul.hi.u64", (a, b) => (a * b) >> 64n);
long2("mul.hi.s64", (a, b) => (s64(a) * s64(b)) >> 64n);
long2("and.b64", (a, b) => a & b);
long2("or.b64", (a, b) => a | b);
long2("xor.b64", (a, b) => a ^ b);
long2("min.s64", (a, b) => (s64(a) < s64(b) ? a : b));
// biome-ignore lint/complexity/useMathMinMax: bigints
long2("max.u64", (a, b) => (a > b ? a : b));
op("not.b64", "q", "q", (a: bigint) => u64(~a));
op("neg.s64", "q", "q", (a: bigint) => u64(-a));
op("abs.s64", "q", "q", (a: bigint) => (s64(a) < 0n ? u64(-a) : a));
op("shl.b64", "q", "q r", (a: bigint, b: number) => (b > 63 ? 0n : u64(a << big(b))));
op("shr.u64", "q", "q r", (a: bigint, b: number) => (b > 63 ? 0n : a >> big(b)));
op("shr.s64", "q", "q r", (a: bigint, b: number) => u64(s64(a) >> big(Math.min(b, 63))));
op("mul.wide.s32", "q", "r r", (a: number, b: number) => u64(big(signed(a)) * big(signed(b))));
op("mad.wide.u32", "q", "r r q", (a: number, b: number, c: bigint) => u64(big(a) * big(b) + c));
op("cvt.u64.u32", "q", "r", (a: number) => big(a));
op("cvt.s64.s32", "q", "r", (a: number) => u64(big(signed(a))));
op("cvt.u32.u64", "r", "q", (a: bigint) => Number(BigInt.asUintN(32, a)));
op("cvt.sat.s32.s64", "r", "q", (a: bigint) => {
  const x = s64(a);
  return u32(Number(x < -2147483648n ? -2147483648n : x > 2147483647n ? 2147483647n : x));
});
op("popc.b64", "r", "q", (a: bigint) => a.toString(2).replaceAll("0", "").length);
op("clz.b64", "r", "q", (a: bigint) => (a === 0n ? 64 : 64 - a.toString(2).length));
op("selp.b64", "q", "q q p", (a: bigint, b: bigint, p: boolean) => (p ? a : b));

// f32 and f64: exact in f64 and then rounded once more, which is the same as rounding once (§9.7.3)
const isNegativeZero = (x: number): boolean => Object.is(x, -0);
export function lesser(a: number, b: number): number {
  if (Number.isNaN(a)) return b;
  if (Number.isNaN(b)) return a;
  if (a === b) return isNegativeZero(a) ? a : b;
  // biome-ignore lint/complexity/useMathMinMax: zeros and NaN were dealt with above
  return a < b ? a : b;
}
const float2 = (name: string, run: (a: number, b: number) => number) => {
  op(`${name}.f32`, "f", "f f", (a: number, b: number) => f32(run(a, b)));
  op(`${name}.f64`, "d", "d d", (a: number, b: number) => run(a, b));
};
float2("add.rn", (a, b) => a + b);
float2("sub.rn", (a, b) => a - b);
float2("mul.rn", (a, b) => a * b);
float2("div.rn", (a, b) => a / b);
float2("min", lesser);
float2("max", (a, b) => -lesser(-a, -b));
for (const [type, c] of [
  ["f32", "f"],
  ["f64", "d"],
] as const) {
  const round = type === "f32" ? f32 : (x: number): number => x;
  op(`sqrt.rn.${type}`, c, c, (a: number) => round(Math.sqrt(a)));
  op(`abs.${type}`, c, c, (a: number) => Math.abs(a));
  op(`neg.${type}`, c, c, (a: number) => -a);
  op(`cvt.rn.${type}.s32`, c, "r", (a: number) => round(signed(a)));
  op(`cvt.rn.${type}.u32`, c, "r", (a: number) => round(a));
  op(`cvt.rzi.s32.${type}`, "r", c, (a: number) =>
    // Out of range clamps; NaN is 0 from f32 and the least integer from f64 on the H100.
    Number.isNaN(a)
      ? type === "f32"
        ? 0
        : 0x80000000
      : u32(Math.max(-2147483648, Math.min(2147483647, Math.trunc(a)))),
  );
  op(`cvt.rmi.${type}.${type}`, c, c, (a: number) => Math.floor(a));
  op(`cvt.rzi.${type}.${type}`, c, c, (a: number) => Math.trunc(a));
  op(`selp.${type}`, c, `${c} ${c} p`, (a: number, b: number, p: boolean) => (p ? a : b));
}
op("cvt.f64.f32", "d", "f", (a: number) => a);
op("cvt.rn.f32.f64", "f", "d", (a: number) => f32(a));

/** Comparisons: signed, unsigned, and of floats, ordered and unordered (§9.7.6). */
const COMPARE: Record<string, (a: number | bigint, b: number | bigint) => boolean> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};
for (const [name, holds] of Object.entries(COMPARE)) {
  op(`setp.${name}.u32`, "p", "r r", (a: number, b: number) => holds(a, b));
  op(`setp.${name}.s32`, "p", "r r", (a: number, b: number) => holds(signed(a), signed(b)));
  op(`setp.${name}.s16`, "p", "h h", (a: number, b: number) => holds(s16(a), s16(b)));
  op(`setp.${name}.s64`, "p", "q q", (a: bigint, b: bigint) => holds(s64(a), s64(b)));
  op(`setp.${name}.u64`, "p", "q q", (a: bigint, b: bigint) => holds(a, b));
  for (const [type, c] of [
    ["f32", "f"],
    ["f64", "d"],
  ] as const) {
    const ordered = (a: number, b: number) => !Number.isNaN(a) && !Number.isNaN(b);
    op(
      `setp.${name}.${type}`,
      "p",
      `${c} ${c}`,
      (a: number, b: number) => ordered(a, b) && holds(a, b),
    );
    op(
      `setp.${name}u.${type}`,
      "p",
      `${c} ${c}`,
      (a: number, b: number) => !ordered(a, b) || holds(a, b),
    );
  }
}
op(
  "setp.lt.and.s32",
  "p",
  "r r p",
  (a: number, b: number, p: boolean) => signed(a) < signed(b) && p,
);
op("setp.ne.xor.u32", "p", "r r p", (a: number, b: number, p: boolean) => (a !== b) !== p);
op("and.pred", "p", "p p", (a: boolean, b: boolean) => a && b);
op("or.pred", "p", "p p", (a: boolean, b: boolean) => a || b);
op("xor.pred", "p", "p p", (a: boolean, b: boolean) => a !== b);
op("not.pred", "p", "p", (a: boolean) => !a);
op("set.gt.u32.s32", "r", "r r", (a: number, b: number) =>
  signed(a) > signed(b) ? 0xffffffff : 0,
);

/** All instructions, in a fixed order. */
export const OPS: readonly Op[] = ops;

/** All operations by name, of every list. */
const byName = new Map(ops.map((o) => [o.name, o]));

/** Makes more instructions known to `opOf`. */
export function addOps(more: readonly Op[]): void {
  for (const o of more) byName.set(o.name, o);
}

/** The meaning of an instruction that the interpreter has no case of its own for. */
export function opOf(mnemonic: string): Op | undefined {
  return byName.get(mnemonic);
}

const view = new DataView(new ArrayBuffer(8));

/** The sum of a product that f64 holds exactly and a third number, rounded to odd: the next rounding is right. */
export function fmaToOdd(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  if (!Number.isFinite(sum) || sum === 0) return sum;
  const back = sum - product;
  const error = product - (sum - back) + (c - back);
  if (error === 0) return sum;
  view.setFloat64(0, sum);
  const bits = view.getBigInt64(0);
  if ((bits & 1n) === 0n) {
    // Towards the exact value, by one unit in the last place.
    const up = error > 0 === sum > 0;
    view.setBigInt64(0, bits + (up ? 1n : -1n));
  }
  return view.getFloat64(0);
}

/** a × b + c in f32, rounded once. */
export function fmaF32(a: number, b: number, c: number): number {
  return f32(fmaToOdd(a, b, c));
}
ops.push({ name: "fma.rn.f32", to: "f", args: ["f", "f", "f"], run: fmaF32 });
byName.set("fma.rn.f32", ops[ops.length - 1] as Op);
