/**
 * What the kernels of scripts/oracle/wgmma_kernels.ts compute, plainly: layouts by the formulas of
 * the PTX ISA (§9.7.15.5.1), sums by the model of mma.sync's tests.
 */
import {
  DEPTH,
  isQuarter,
  pairOf,
  QUARTER_MASKS,
  type SharedOperand,
  type WarpgroupProduct,
} from "../../scripts/oracle/wgmma_kernels.ts";
import { decode, fusedSum } from "../devicelib/mma-model.ts";

export type Pools = [Uint32Array, Uint32Array, Uint32Array];

const WIDTH = [16, 128, 64, 32];

const BITS: Record<string, number> = { f16: 16, bf16: 16, tf32: 32, b1: 1 };

/** Shared byte offset of the 16-byte unit with a row's elements, and the element's place in it. */
function place(o: SharedOperand, row: number, k: number, bits: number): [number, number] {
  const width = WIDTH[o.swizzle] ?? 16;
  const per = 128 / bits;
  let unit: number;
  let within: number;
  if (o.turned) {
    // Eight elements along the rows are a unit; ((u, n), (8, k)) of units.
    const block = Math.floor(row / 8);
    const units = width / 16;
    unit =
      o.swizzle === 0
        ? block * o.stride + (k % 8) * 16 + Math.floor(k / 8) * o.leading
        : (block % units) * 16 +
          Math.floor(block / units) * o.leading +
          (k % 8) * width +
          Math.floor(k / 8) * o.stride;
    within = row % 8;
  } else {
    const chunk = Math.floor(k / per);
    unit =
      (row % 8) * width +
      Math.floor(row / 8) * o.stride +
      chunk * (o.swizzle === 0 ? o.leading : 16);
    within = k % per;
  }
  let address = o.start + unit;
  const y = (Math.floor(address / 128) - o.baseOffset) & (width / 16 - 1);
  address ^= y << 4;
  return [address, within];
}

const poolWord = (pool: Uint32Array, c: number, index: number) =>
  pool[128 * c + (index & 127)] ?? 0;

/** The bits of an element in 16 bytes from word `read(0)` on. */
function element(bits: number, within: number, read: (word: number) => number): number {
  const at = within * bits;
  const word = read(at >> 5);
  return bits === 32 ? word : (word >>> (at & 31)) & (2 ** bits - 1);
}

/** A factor; those of 8 bits are taken as they are, not by way of f16 as in mma.sync. */
function factor(type: string, bits: number): ReturnType<typeof decode> {
  const e = decode(type, bits);
  if (typeof e === "number" || !isQuarter(type)) return e;
  return { ...e, top: e.exponent + (type === "e4m3" ? 3 : 2) };
}

const integer = (type: string, bits: number) => (type === "s8" && bits > 127 ? bits - 256 : bits);

/** The two registers that thread `t` of block `c` writes. */
export function expected(p: WarpgroupProduct, pools: Pools, c: number, t: number): number[] {
  const bits = BITS[p.a] ?? 8;
  const depth = DEPTH[p.a] ?? 0;
  const mask = isQuarter(p.a) ? (QUARTER_MASKS[c] ?? 0) : 0xffffffff;
  const shared = (word: number) =>
    (poolWord(pools[0], c, 41 * word + Math.floor(word / 128)) & mask) >>> 0;
  const fromShared = (o: SharedOperand, row: number, k: number) => {
    const [address, within] = place(o, row, k, bits);
    return element(bits, within, (w) => shared((address >> 2) + w));
  };
  const fromRegisters = (row: number, k: number) => {
    const per = 32 / bits;
    const inner = Math.floor(k / per) % 4;
    const register = 2 * Math.floor(k / (4 * per)) + (Math.floor(row / 8) % 2);
    const thread = 32 * Math.floor(row / 16) + 4 * (row % 8) + inner;
    const word = (poolWord(pools[1], c, thread + 53 * register) & mask) >>> 0;
    return element(bits, k % per, () => word);
  };
  const value = (row: number, column: number, addend: number): number => {
    const a = Array.from({ length: depth }, (_, k) =>
      p.sharedA ? fromShared(p.sharedA, row, k) : fromRegisters(row, k),
    );
    const b = Array.from({ length: depth }, (_, k) => fromShared(p.sharedB, column, k));
    if (p.d === "s32") {
      let sum = p.scale ? addend | 0 : 0;
      a.forEach((x, k) => {
        sum += integer(p.a, x) * integer(p.b, b[k] ?? 0);
      });
      return (p.saturate ? Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, sum)) : sum) >>> 0;
    }
    const sign = p.signs[0] * p.signs[1];
    const width = bits === 32 ? 31 : bits - 1;
    const factors = a.map((x) => factor(p.a, sign < 0 ? (x ^ (1 << width)) >>> 0 : x));
    const others = b.map((x) => factor(p.b, x));
    return fusedSum(factors, others, decode(p.d, p.scale ? addend : 0), p.d, isQuarter(p.a));
  };
  const [lane, warp] = [t % 32, Math.floor(t / 32)];
  return pairOf(p, c).map((register) => {
    const word = poolWord(pools[2], c, 7 * t + 29 * register);
    const row = 16 * warp + (lane >> 2);
    if (p.d === "f16") {
      const at = row + 8 * (register % 2);
      const column = 8 * Math.floor(register / 2) + 2 * (lane % 4);
      const low = value(at, column, word & 0xffff);
      return (low | (value(at, column + 1, word >>> 16) << 16)) >>> 0;
    }
    const at = row + 8 * (Math.floor(register / 2) % 2);
    return value(at, 8 * Math.floor(register / 4) + 2 * (lane % 4) + (register % 2), word);
  });
}
