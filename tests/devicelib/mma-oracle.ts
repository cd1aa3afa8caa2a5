/**
 * What the kernels of scripts/oracle (mma_kernels.ts, wmma_kernels.ts) compute, with the device
 * library's functions in the place of the instructions: case → its 512 output elements, to be
 * compared with what an H100 answered.
 */
import { frameBytes, warpFrame } from "../../runtime/compiler/warp-frames.ts";
import { type WmmaAccess, wmmaAccess } from "../../runtime/compiler/wmma-fragments.ts";
import type { OracleCase } from "../../scripts/oracle/mma_kernels.ts";
import { POOL, WIDTH } from "../../scripts/oracle/mma_pools.ts";
import { metadataWord } from "../../scripts/oracle/sparse_kernels.ts";
import { clearFrame, FRAME, view, warpFunction } from "./warp-harness.ts";

/** Linear memory that kernels take for shared and global memory. */
const MEMORY = FRAME + 2 * 65536;

const LANES = 32;
const WARPS = POOL / LANES;

type Pools = Record<string, Uint8Array>;

/** Vector `k` of a case's inputs, as bytes. */
function input(pools: Pools, c: OracleCase, k: number): DataView {
  const type = c.in[k] ?? "";
  const width = WIDTH[type] ?? 0;
  const pool = pools[type];
  if (!pool) throw new Error(`no pool of ${type}`);
  return new DataView(pool.buffer, pool.byteOffset + k * POOL * width, POOL * width);
}

/** Whether `relaxed` functions run in place of the plain ones, where there are any. */
let relaxed = false;

function call(mnemonic: string): number {
  const frame = warpFrame(mnemonic);
  if (!frame) throw new Error(`no frame for ${mnemonic}`);
  if (frameBytes(frame) > 65536) throw new Error("the frame is larger than the test's memory");
  warpFunction((relaxed ? frame.relaxed : undefined) ?? frame.function)(-1, FRAME);
  return frame.dst.length;
}

/** Writes the pair (or 64-bit register) of each lane that `storeResult` of the kernels picks. */
function result(out: DataView, warp: number, registers: number, wide: boolean): void {
  const part = (warp >> 2) % (wide ? registers : Math.ceil(registers / 2));
  for (let lane = 0; lane < LANES; lane++) {
    const at = 8 * (LANES * warp + lane);
    if (wide) {
      out.setBigUint64(at, view.getBigUint64(FRAME + 256 * part + 8 * lane, true), true);
    } else {
      const second = Math.min(2 * part + 1, registers - 1);
      out.setUint32(at, view.getUint32(FRAME + 512 * part + 4 * lane, true), true);
      out.setUint32(at + 4, view.getUint32(FRAME + 256 * second + 4 * lane, true), true);
    }
  }
}

const element = (warp: number, r: number, pool: number, lane: number): number =>
  128 * (warp & 3) + ((41 * warp + 53 * r + 17 * pool + lane) & 127);

/** 8-bit floats: the mask that `limitQuarters` applies to factors. */
const quarterMask = (warp: number): number =>
  (warp & 3) < 2 ? 0xbfbfbfbf : (warp & 3) === 3 ? 0x8f8f8f8f : 0xffffffff;

/** `mma.sync`, `mma.sp`, `movmatrix`: registers from the pools. */
function registersCase(c: OracleCase, pools: Pools, out: DataView): void {
  const [mnemonic = "", selector] = c.name.split(" ");
  const frame = warpFrame(mnemonic);
  if (!frame) throw new Error(`no frame for ${c.name}`);
  const wide = frame.dst[0] === "b64";
  const line = c.ptx.split("\n").find((text) => text.includes(`  ${mnemonic} `)) ?? "";
  const lists = [...line.matchAll(/\{([^}]*)\}/g)].map((m) => m[1]?.split(",").length ?? 0);
  const counts = lists.length === 0 ? [1] : lists.slice(1);
  const quarters = /e[45]m[23]/.test(c.name);
  for (let warp = 0; warp < WARPS; warp++) {
    clearFrame();
    let slot = frame.dst.length;
    counts.forEach((count, pool) => {
      const from = input(pools, c, pool);
      for (let r = 0; r < count; r++, slot++) {
        for (let lane = 0; lane < LANES; lane++) {
          const index = element(warp, r, pool, lane);
          const at = FRAME + 256 * slot;
          if (wide) view.setBigUint64(at + 8 * lane, from.getBigUint64(8 * index, true), true);
          else {
            const mask = quarters && pool < 2 ? quarterMask(warp) : 0xffffffff;
            view.setUint32(at + 4 * lane, from.getUint32(4 * index, true) & mask, true);
          }
        }
      }
    });
    if (selector) {
      for (let lane = 0; lane < LANES; lane++) {
        const word = metadataWord(warp, lane, c.name.includes("tf32"));
        view.setUint32(FRAME + 256 * slot + 4 * lane, word, true);
        view.setUint32(FRAME + 256 * (slot + 1) + 4 * lane, Number(selector), true);
      }
      slot += 2;
    }
    if (slot !== frame.dst.length + frame.src.length) throw new Error(`operands of ${c.name}`);
    result(out, warp, call(mnemonic), wide);
  }
}

/** `ldmatrix`, `stmatrix`: a warp's 2 KiB of shared memory, rows at 16·((5·lane + 3) mod 32). */
function matrixCase(c: OracleCase, pools: Pools, out: DataView): void {
  const frame = warpFrame(c.name);
  if (!frame?.access) throw new Error(`no frame for ${c.name}`);
  const from = input(pools, c, 0);
  const { store } = frame.access;
  for (let warp = 0; warp < WARPS; warp++) {
    clearFrame();
    const word = (i: number) => MEMORY + 4 * i;
    for (let i = 0; i < 512; i++) {
      view.setUint32(word(i), from.getUint32(4 * ((37 * warp + i) & 511), true), true);
    }
    for (let lane = 0; lane < LANES; lane++) {
      const address = MEMORY + 1024 + 16 * ((5 * lane + 3) & 31);
      view.setUint32(FRAME + 256 * frame.access.slot + 4 * lane, address, true);
      for (let r = 0; store && r < frame.src.length - 1; r++) {
        const value = view.getUint32(word(lane + 32 * r), true);
        view.setUint32(FRAME + 256 * (1 + r) + 4 * lane, value, true);
      }
    }
    const registers = call(c.name);
    if (!store) {
      result(out, warp, registers, false);
      continue;
    }
    for (let lane = 0; lane < LANES; lane++) {
      for (let r = 0; r < 4; r++) {
        const value = view.getUint32(MEMORY + 1024 + 256 * (r >> 1) + 8 * lane + 4 * (r & 1), true);
        view.setUint32(FRAME + 256 * r + 4 * lane, value, true);
      }
    }
    result(out, warp, 4, false);
  }
}

/** Runs a `wmma.load` or `wmma.store` element by element, from or to `data` at `base`. */
function access(a: WmmaAccess, slot: number, data: DataView, base: number, stride: number): void {
  const f = a.fragment;
  const bytes = Math.max(1, f.elementBits / 8);
  for (let lane = 0; lane < LANES; lane++) {
    for (let r = 0; r < f.registers; r++) {
      const register = FRAME + 256 * (slot + r) + (f.registerBits / 8) * lane;
      let value = 0n;
      for (let j = 0; j < f.elementsPerRegister; j++) {
        const { row, column } = f.place(lane, r, j);
        const number = a.layout === "row" ? row * stride + column : column * stride + row;
        const at = base + Math.floor((number * f.elementBits) / 8);
        const shift = BigInt(f.elementBits < 8 ? (number * f.elementBits) % 8 : 0);
        for (let byte = 0; byte < bytes; byte++) {
          if (a.store) {
            data.setUint8(at + byte, view.getUint8(register + (f.elementBits / 8) * j + byte));
          } else {
            const bits = BigInt(data.getUint8(at + byte)) >> shift;
            const kept = f.elementBits < 8 ? bits & ((1n << BigInt(f.elementBits)) - 1n) : bits;
            value |= kept << BigInt(j * f.elementBits + 8 * byte);
          }
        }
      }
      if (a.store) continue;
      if (f.registerBits === 64) view.setBigUint64(register, value, true);
      else view.setUint32(register, Number(value), true);
    }
  }
}

/** The access of an instruction in the kernel's text, and its stride. */
function accesses(c: OracleCase): { a: WmmaAccess; stride: number }[] {
  const lines = [...c.ptx.matchAll(/(wmma\.(?:load|store)\S+) .*, (\d+);/g)];
  return lines.map((line) => {
    const a = wmmaAccess(line[1] ?? "");
    if (!a) throw new Error(`no access ${line[1]}`);
    return { a, stride: Number(line[2]) };
  });
}

function wmmaLoadCase(c: OracleCase, pools: Pools, out: DataView): void {
  const [load] = accesses(c);
  if (!load) throw new Error("a kernel without wmma.load");
  for (let warp = 0; warp < WARPS; warp++) {
    clearFrame();
    access(load.a, 0, input(pools, c, 0), 32 * (warp & 3), load.stride);
    const { registers, registerBits } = load.a.fragment;
    result(out, warp, registers, registerBits === 64);
  }
}

function wmmaProductCase(c: OracleCase, pools: Pools, out: DataView): void {
  const mnemonic = c.name.split(" ")[0] ?? "";
  const frame = warpFrame(mnemonic);
  const [a, b, cc, d] = accesses(c);
  if (!frame || !a || !b || !cc || !d) throw new Error(`no frame for ${mnemonic}`);
  const elements = d.a.fragment.rows * d.a.fragment.columns;
  const warps = POOL / elements;
  for (let warp = 0; warp < warps; warp++) {
    clearFrame();
    let slot = frame.dst.length;
    [a, b, cc].forEach((load, k) => {
      access(load.a, slot, input(pools, c, k), (POOL / warps) * warp, load.stride);
      slot += load.a.fragment.distinct;
    });
    if (slot !== frame.dst.length + frame.src.length) throw new Error(`operands of ${mnemonic}`);
    call(mnemonic);
    access(d.a, 0, out, warp * elements * (d.a.fragment.elementBits / 8), d.stride);
  }
}

/** Lane operations on each side of a branch: see lane_kernels.ts. */
function laneCase(c: OracleCase, pools: Pools, out: DataView): void {
  const mnemonic = c.name.split(" ")[0] ?? "";
  const frame = warpFrame(mnemonic);
  if (!frame) throw new Error(`no frame for ${mnemonic}`);
  const from = input(pools, c, 0);
  const wide = c.in[0] === "i64";
  for (let warp = 0; warp < WARPS; warp++) {
    const words = Array.from({ length: LANES }, (_, lane) => {
      const i = LANES * warp + lane;
      return wide ? from.getBigUint64(8 * i, true) : BigInt(from.getUint32(4 * i, true));
    });
    const side = words.map((w) => Number(((w >> 3n) ^ w) & 1n) === 0);
    const mask = side.reduce((m, set, lane) => m | (set ? 1 << lane : 0), 0);
    const source = (w: bigint): bigint => {
      const a = Number(w & 0xffffffffn) | 0;
      if (mnemonic.startsWith("vote"))
        return a > (mnemonic.includes("ballot") ? 99 : -99) ? 1n : 0n;
      if (!mnemonic.startsWith("match")) return w;
      return w & (mnemonic.includes("any") ? (wide ? 6n : 7n) : wide ? 8n : 9n);
    };
    for (const active of [mask, ~mask]) {
      if (active === 0) continue;
      clearFrame();
      const at = FRAME + 256 * frame.dst.length;
      words.forEach((w, lane) => {
        if (wide) view.setBigUint64(at + 8 * lane, source(w), true);
        else view.setUint32(at + 4 * lane, Number(source(w)), true);
      });
      warpFunction(frame.function)(active, FRAME);
      for (let lane = 0; lane < LANES; lane++) {
        if (!((active >>> lane) & 1)) continue;
        const p = frame.dst.length > 1 ? view.getUint32(FRAME + 256 + 4 * lane, true) : 0;
        const bonus = p ? (mnemonic === "elect.sync" ? 100 : 1) : 0;
        const d = view.getUint32(FRAME + 4 * lane, true) + bonus + (side[lane] ? 0 : 1000);
        out.setUint32(4 * (LANES * warp + lane), d, true);
      }
    }
  }
}

/**
 * The output vector of a case, as the kernel would leave it.
 * @param useRelaxed run the functions that use relaxed SIMD
 */
export function simulate(c: OracleCase, pools: Pools, useRelaxed = false): Uint8Array {
  relaxed = useRelaxed;
  const bytes = new Uint8Array(POOL * (WIDTH[c.out] ?? 0)).fill(0xcd);
  const out = new DataView(bytes.buffer);
  if (c.name.endsWith(" divided")) laneCase(c, pools, out);
  else if (c.name.startsWith("wmma.load")) wmmaLoadCase(c, pools, out);
  else if (c.name.startsWith("wmma.mma")) wmmaProductCase(c, pools, out);
  else if (/^(ld|st)matrix/.test(c.name)) matrixCase(c, pools, out);
  else registersCase(c, pools, out);
  return bytes;
}
