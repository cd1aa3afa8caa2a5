/**
 * Runs warp operations of the device library directly: a frame in an own memory, operands set and
 * read lane by lane (256 bytes an operand, as assembly/devicelib/warp-frame.ts has it).
 */
import { readFileSync } from "node:fs";

export type WarpFunction = (active: number, frame: number) => void;

const memory = new WebAssembly.Memory({ initial: 8, maximum: 65536, shared: true });
const module = new WebAssembly.Module(
  readFileSync(new URL("../../build/devicelib.wasm", import.meta.url)),
);
const instance = new WebAssembly.Instance(module, { env: { memory } });

/** A marker for destinations: lanes that do not take part must keep it. */
export const FILL = 0xcdcdcdcd;

/** Offset of the frame; the page around it is filled so that neighbours show stray writes. */
export const FRAME = 65536;

const bytes = new Uint8Array(memory.buffer);
export const view: DataView = new DataView(memory.buffer);

/** The exported function of that name; throws if the library has none. */
export function warpFunction(name: string): WarpFunction {
  const found = instance.exports[name];
  if (typeof found !== "function") throw new Error(`the device library has no ${name}`);
  return found as WarpFunction;
}

/** Fills the frame and what is around it with the marker. */
export function clearFrame(): void {
  bytes.fill(0xcd, FRAME - 4096, FRAME + 4 * 65536);
}

/** Sets operand `k` from 32 values of 32 bits. */
export function set32(k: number, values: ArrayLike<number>): void {
  for (let i = 0; i < 32; i++) view.setUint32(FRAME + 256 * k + 4 * i, values[i] ?? 0, true);
}

/** Sets operand `k` from 32 values of 64 bits. */
export function set64(k: number, values: ArrayLike<bigint>): void {
  for (let i = 0; i < 32; i++) view.setBigUint64(FRAME + 256 * k + 8 * i, values[i] ?? 0n, true);
}

/** The 32 values of operand `k`, unsigned. */
export function get32(k: number): number[] {
  return Array.from({ length: 32 }, (_, i) => view.getUint32(FRAME + 256 * k + 4 * i, true));
}

/** The 32 values of 64 bits of operand `k`, unsigned. */
export function get64(k: number): bigint[] {
  return Array.from({ length: 32 }, (_, i) => view.getBigUint64(FRAME + 256 * k + 8 * i, true));
}

/** A small repeatable generator of 32-bit numbers (Mulberry32). */
export function random32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Lane masks that tests run under: the whole warp, halves, single lanes and random sets. */
export function laneMasks(random: () => number): number[] {
  return [0xffffffff, 0xffff, 0xffff0000, 0x1, 0x80000000, 0xfff, random() | 1, random() | 0x100];
}

export const LANES: readonly number[] = Array.from({ length: 32 }, (_, i) => i);
