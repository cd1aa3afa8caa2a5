/**
 * What the examples share: reading PTX, random inputs, comparison with the reference, exact fused
 * multiply-add in plain TypeScript, a PNG writer, and the way they run as programs.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { deflateSync } from "node:zlib";

/** What an example may be told. */
export interface RunOptions {
  /** Gets lines of text on what is going on. */
  log?: (line: string) => void;
  /** Folder for the files that an example writes; `out` in the current folder by default. */
  directory?: string;
}

/** What an example has to say at its end. */
export interface RunResult {
  /** Whether the kernels computed what plain TypeScript computes. */
  ok: boolean;
  /** One line: the size of the problem and how the check went. */
  summary: string;
  /** Milliseconds from the first launch to the end of the last, compilation included. */
  ms: number;
  /** Path of the file that it wrote. */
  file?: string;
}

/** An example's `run`. */
export type Run = (options?: RunOptions) => Promise<RunResult>;

/** Reads the PTX of an example, beside this file. */
export function readPtx(name: string): Promise<string> {
  return readFile(new URL(`./${name}.ptx`, import.meta.url), "utf8");
}

/** Runs an example as a program: prints what it says and sets the exit code, 1 when wrong. */
export async function main(run: Run): Promise<void> {
  const result = await run({ log: console.log });
  const file = result.file ? `, ${result.file}` : "";
  console.log(
    `${result.ok ? "ok" : "WRONG"}: ${result.summary} (${result.ms.toFixed(1)} ms${file})`,
  );
  process.exitCode = result.ok ? 0 : 1;
}

/** A random number generator: xorshift32 from a seed other than 0; numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 8) * 2 ** -24;
  };
}

/** `count` random floats in [low, high). */
export function randomFloats(count: number, seed: number, low = 0, high = 1): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: count }, () => low + next() * (high - low));
}

/** `count` random integers in [0, limit). */
export function randomInts(count: number, seed: number, limit: number): Int32Array {
  const next = random(seed);
  return Int32Array.from({ length: count }, () => Math.floor(next() * limit));
}

/**
 * fma.rn.f32: a * b + c for f32 values, rounded once. The product of two f32 is exact in f64; the sum
 * is rounded to f64 and then to f32, which is wrong only where the f64 lies half way between two f32
 * and had been rounded itself. There the error of the sum decides (Knuth's TwoSum).
 */
export function fmaf(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const rounded = Math.fround(sum);
  const rest = sum - rounded;
  const other = rounded + 2 * rest;
  if (rest === 0 || Math.fround(other) !== other) return rounded;
  const t = sum - product;
  const error = product - (sum - t) + (c - t);
  if (error === 0) return rounded;
  return error > 0 === other > rounded ? other : rounded;
}

/**
 * Compares results with the reference, element by element. Returns an empty string if no element is
 * further off than `tolerance` (0: identical), else the first that is.
 */
export function difference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 0,
): string {
  if (actual.length !== expected.length) {
    return `${actual.length} elements, expected ${expected.length}`;
  }
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i]!;
    const e = expected[i]!;
    if (a === e || Math.abs(a - e) <= tolerance) continue;
    return `element ${i} is ${a}, expected ${e}`;
  }
  return "";
}

/** The result of an example from what difference() found: a summary says the size and the check. */
export function checked(what: string, wrong: string, ms: number, how = "identical"): RunResult {
  return { ok: wrong === "", summary: `${what}: ${wrong === "" ? how : wrong}`, ms };
}

/** CRC-32 as PNG has it (ISO 3309), over several pieces. */
function crc32(pieces: readonly Uint8Array[]): number {
  let crc = ~0;
  for (const piece of pieces) {
    for (const byte of piece) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  }
  return ~crc >>> 0;
}

/** A chunk of a PNG file: length, type, data, CRC of type and data (PNG specification, 5.3). */
function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(type);
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(name, 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32([name, data]));
  return chunk;
}

/** Encodes 8-bit RGB pixels, row by row from the top, as a PNG file. */
export function encodePng(width: number, height: number, rgb: Uint8Array): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits a sample, RGB, deflate, no filter method, not interlaced
  const stride = width * 3;
  const rows = new Uint8Array(height * (stride + 1)); // each row is led by its filter: 0, none
  for (let y = 0; y < height; y++) {
    rows.set(rgb.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  }
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    pngChunk("IHDR", header),
    pngChunk("IDAT", new Uint8Array(deflateSync(rows))),
    pngChunk("IEND", new Uint8Array(0)),
  ];
  const file = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
