/**
 * Reads a folder of recorded instruction cases: `cases.json`, `pool.<type>.bin` and `golden.bin`,
 * each plain or compressed (`.br`, Brotli), as tests/conformance/README.md describes them.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

/** Element types of inputs and outputs, with their sizes in bytes. */
export const ELEMENT_BYTES = {
  i8: 1,
  i16: 2,
  f16: 2,
  bf16: 2,
  i32: 4,
  f32: 4,
  f16x2: 4,
  bf16x2: 4,
  i64: 8,
  f64: 8,
} as const;

export type ElementType = keyof typeof ELEMENT_BYTES;

/** The largest error that the PTX ISA allows, against the exact result. */
export interface Tolerance {
  ulp?: number;
  rel?: number;
  abs?: number;
  note?: string;
}

/** One instruction in a kernel `t(in0*, in1*, in2*, out*, n)` of its own. */
export interface Case {
  name: string;
  in: ElementType[];
  out: ElementType;
  tol: Tolerance | null;
  ptx: string;
}

/** A folder of cases with the recorded answers. */
export interface Oracle {
  /** elements per vector */
  n: number;
  /** threads per block */
  block: number;
  cases: Case[];
  /** Input vector `k` (0 to 2) of a type, `n` elements. */
  input(type: ElementType, k: number): Uint8Array;
  /** The recorded output of case number `index`. */
  golden(index: number): Uint8Array;
}

/** The file `name` of the folder, decompressed if only its `.br` form is there; undefined if neither. */
function readMaybe(folder: string, name: string): Uint8Array | undefined {
  const path = join(folder, name);
  if (existsSync(path)) return new Uint8Array(readFileSync(path));
  if (existsSync(`${path}.br`))
    return new Uint8Array(brotliDecompressSync(readFileSync(`${path}.br`)));
  return undefined;
}

function read(folder: string, name: string): Uint8Array {
  const bytes = readMaybe(folder, name);
  if (!bytes) throw new Error(`${folder} has no ${name} (nor ${name}.br)`);
  return bytes;
}

/**
 * Loads a folder of cases.
 * @param folder path
 * @throws Error when a file is missing or shorter than the cases need
 */
export function loadOracle(folder: string): Oracle {
  const listed = JSON.parse(new TextDecoder().decode(read(folder, "cases.json"))) as {
    n: number;
    block: number;
    cases: Case[];
  };
  const { n, block, cases } = listed;
  const golden = read(folder, "golden.bin");
  const starts: number[] = [];
  let at = 0;
  for (const { name, out } of cases) {
    if (!(out in ELEMENT_BYTES)) throw new Error(`case ${name}: unknown output type ${out}`);
    starts.push(at);
    at += n * ELEMENT_BYTES[out];
  }
  if (golden.length !== at) {
    throw new Error(`golden.bin has ${golden.length} bytes, the cases need ${at}`);
  }
  const pools = new Map<ElementType, Uint8Array>();
  const input = (type: ElementType, k: number): Uint8Array => {
    const bytes = n * ELEMENT_BYTES[type];
    let pool = pools.get(type);
    if (!pool) {
      pool = read(folder, `pool.${type}.bin`);
      if (pool.length !== 3 * bytes) throw new Error(`pool.${type}.bin is not 3 × ${bytes} bytes`);
      pools.set(type, pool);
    }
    return pool.subarray(k * bytes, (k + 1) * bytes);
  };
  return {
    n,
    block,
    cases,
    input,
    golden: (index) => {
      const start = starts[index];
      const entry = cases[index];
      if (start === undefined || !entry) throw new RangeError(`no case ${index}`);
      return golden.subarray(start, start + n * ELEMENT_BYTES[entry.out]);
    },
  };
}
