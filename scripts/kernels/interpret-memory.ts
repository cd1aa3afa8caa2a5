// Memory of the interpreter: loads, stores and atomic operations on bytes.

import type { Value } from "./ops.ts";

const scratch = new DataView(new ArrayBuffer(8));

/** The value of a register of `type` with these bits. */
export function fromBits(type: string, low: number, high: number): Value {
  scratch.setUint32(0, low, true);
  scratch.setUint32(4, high, true);
  if (type === "f32") return scratch.getFloat32(0, true);
  if (type === "f64") return scratch.getFloat64(0, true);
  return type === "b64" ? scratch.getBigUint64(0, true) : low;
}

/** The bits of a value, low and high word. */
export function toBits(type: string, value: Value): [number, number] {
  scratch.setBigUint64(0, 0n, true);
  if (type === "f32") scratch.setFloat32(0, value as number, true);
  else if (type === "f64") scratch.setFloat64(0, value as number, true);
  else if (typeof value === "bigint") scratch.setBigUint64(0, value, true);
  else scratch.setUint32(0, Number(value), true);
  return [scratch.getUint32(0, true), scratch.getUint32(4, true)];
}

/** What a load of `type` brings into a register of `register`'s type. */
export function loadFrom(view: DataView, at: number, type: string, register: string): Value {
  const narrow: Record<string, () => number> = {
    u8: () => view.getUint8(at),
    b8: () => view.getUint8(at),
    s8: () => view.getInt8(at) >>> 0,
    u16: () => view.getUint16(at, true),
    b16: () => view.getUint16(at, true),
    s16: () => view.getInt16(at, true) >>> 0,
  };
  const value = narrow[type];
  if (value !== undefined) return register === "b16" ? value() & 0xffff : value();
  const high = type.endsWith("64") ? view.getUint32(at + 4, true) : 0;
  return fromBits(register, view.getUint32(at, true), high);
}

/** Stores the low bytes of a value in a register of `register`'s type. */
export function storeTo(
  view: DataView,
  at: number,
  bytes: number,
  register: string,
  value: Value,
): void {
  const [low, high] = toBits(register, value);
  if (bytes === 1) view.setUint8(at, low);
  else if (bytes === 2) view.setUint16(at, low, true);
  else view.setUint32(at, low, true);
  if (bytes === 8) view.setUint32(at + 4, high, true);
}

const signed = (type: string, x: bigint): bigint =>
  type.startsWith("s") ? BigInt.asIntN(Number(type.slice(1)), x) : x;

/** `atom` and `red` (§9.7.13): the new value for an old one; for cas, `b` is compared with. */
const STEPS: Record<string, (type: string, old: bigint, b: bigint, c: bigint) => bigint> = {
  add: (_, old, b) => old + b,
  and: (_, old, b) => old & b,
  or: (_, old, b) => old | b,
  xor: (_, old, b) => old ^ b,
  min: (type, old, b) => (signed(type, old) < signed(type, b) ? old : b),
  max: (type, old, b) => (signed(type, old) > signed(type, b) ? old : b),
  inc: (_, old, b) => (old >= b ? 0n : old + 1n),
  dec: (_, old, b) => (old === 0n || old > b ? b : old - 1n),
  exch: (_, __, b) => b,
  cas: (_, old, b, c) => (old === b ? c : old),
};

/** Changes the memory; the old value. */
export function atomically(
  view: DataView,
  at: number,
  mods: readonly string[],
  b: Value,
  c: Value,
): Value {
  const type = mods.at(-1) as string;
  const bits = Number(type.slice(1));
  const op = mods.find((m) => m in STEPS) as string;
  const old = bits === 64 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
  const step = STEPS[op] as (typeof STEPS)[string];
  const put = BigInt.asUintN(bits, step(type, old, BigInt(b), BigInt(c)));
  if (bits === 64) view.setBigUint64(at, put, true);
  else view.setUint32(at, Number(put), true);
  return bits === 64 ? old : Number(old);
}
