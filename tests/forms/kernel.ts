/** Kernels that execute one instruction form each, with what they must leave behind. */
import { Random } from "../../scripts/ptx-mutants.ts";
import type { Bench } from "../compiler/bench.ts";

/** Threads of the one block that every case runs. */
export const THREADS = 64;

/** A kernel `k(in, out, …)` and its answer. */
export interface FormCase {
  ptx: string;
  input: Uint8Array;
  /** The bytes of `out`, which is zeroed before. */
  expected: Uint8Array;
  /** Further parameters after `in` and `out`. */
  more?: (bench: Bench) => (number | bigint)[];
  /** The CUDA error that the kernel must end with. */
  fault?: number;
  /**
   * Why the answer would be the same without the instruction: it only orders or delays what here is
   * ordered anyway.
   */
  unseen?: string;
}

/**
 * A kernel over the registers %p (predicates), %h (16 bits), %r, %f (32), %q, %d (64); %q0 and %q1 are
 * `in` and `out`, %r0 the thread.
 */
export function kernelOf(body: string, before = "", params = ""): string {
  return `.version 8.6
.target sm_90
.address_size 64
${before}
.visible .entry k(.param .u64 in, .param .u64 out${params})
{
.reg .pred %p<16>; .reg .b16 %h<32>; .reg .b32 %r<64>; .reg .b64 %q<64>; .reg .f32 %f<32>; .reg .f64 %d<32>;
ld.param.u64 %q0, [in]; ld.param.u64 %q1, [out];
mov.u32 %r0, %tid.x;
${body}
ret;
}
`;
}

/** `count` elements, made one by one from a generator of fixed seed. */
export function random<T>(count: number, make: (r: Random, k: number) => T): T[] {
  const generator = new Random(4711);
  return Array.from({ length: count }, (_, k) => make(generator, k));
}

/** Random bytes. */
export const randomBytes = (count: number): Uint8Array =>
  Uint8Array.from(random(count, (r) => r.below(256)));

/** The bytes of typed arrays, one after the other. */
export function bytesOf(
  ...arrays: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }[]
) {
  const parts = arrays.map((a) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
  const all = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** `%q<to>` = `%q<base>` + `%r<index>` × bytes. */
export const address = (to: number, base: number, index: number, bytes: number): string =>
  `mul.wide.u32 %q${to}, %r${index}, ${bytes}; add.s64 %q${to}, %q${base}, %q${to};`;
