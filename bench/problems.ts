/**
 * The problems that warpring and every peer solve. The buffers are made from the same hash as in
 * `peers/problems.h`, bit for bit, so that outputs can be compared without exchanging inputs.
 */

/** One array of a problem: what it holds at first and whether it is an output. */
export interface ProblemBuffer {
  /** First contents; an array of zeros for a pure output. */
  readonly data: Float32Array | Float64Array | Uint16Array | Uint32Array | Int32Array;
  readonly output?: boolean;
  /** Given its first contents again before every run, since the kernel works in place. */
  readonly reset?: boolean;
}

/** How outputs of different peers may differ. `fraction`: share of elements that may differ at all. */
export interface Tolerance {
  /** Largest difference, as a part of the largest magnitude of the output. 0: bit for bit. */
  readonly relative: number;
  readonly fraction?: number;
}

/** A problem of the benchmark. Its `make` turns a size into buffers, in the order of the peers. */
export interface Problem {
  readonly name: string;
  /** Size with and without `--quick`; `elements` says what it counts. */
  readonly size: { readonly full: number; readonly quick: number };
  /** Elements of work for the JSON. */
  elements(n: number): number;
  /** Work in units of `unit` x 1e9, from what the algorithm needs at least. */
  work(n: number): number;
  readonly unit: "GB/s" | "GFLOP/s" | "Gop/s" | "Gsteps/s";
  /** Type of the outputs' elements. */
  readonly outputType: "f32" | "f64" | "u32";
  readonly tolerance: Tolerance;
  /** Bound by arithmetic and not by memory: two workers should be nearly twice as fast. */
  readonly computeBound: boolean;
  /** Why the plain C is another algorithm than the kernel; absent where it is the same. */
  readonly nativeChanges?: string;
  make(n: number): ProblemBuffer[];
}

const GOLDEN = 0x9e3779b9;

/** lowbias32 of `i + seed * golden`, see problems.h. */
export function draw(i: number, seed: number): number {
  let x = (i + Math.imul(seed, GOLDEN)) | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x >>> 0;
}

function coarse(count: number, seed: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = ((draw(i, seed) >>> 24) - 128) / 256;
  return data;
}

function uniform(count: number, seed: number, low: number, span: number): Float32Array {
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const u = (draw(i, seed) >>> 8) * 2 ** -24;
    data[i] = low + Math.fround(span * u);
  }
  return data;
}

function words(count: number, seed: number): Uint32Array {
  const data = new Uint32Array(count);
  for (let i = 0; i < count; i++) data[i] = draw(i, seed);
  return data;
}

/** The f16 bits of k / 256 for k in [-128, 128). */
function halfBits(k: number): number {
  if (k === 0) return 0;
  const magnitude = Math.abs(k) / 256;
  const exponent = Math.floor(Math.log2(magnitude));
  const mantissa = (magnitude / 2 ** exponent - 1) * 1024;
  return (k < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | mantissa;
}

function halves(count: number, seed: number): Uint16Array {
  const table = Uint16Array.from({ length: 256 }, (_, i) => halfBits(i - 128));
  const data = new Uint16Array(count);
  for (let i = 0; i < count; i++) data[i] = table[draw(i, seed) >>> 24]!;
  return data;
}

const output = (count: number): ProblemBuffer => ({ data: new Float32Array(count), output: true });
const counts = (count: number): ProblemBuffer => ({ data: new Uint32Array(count), output: true });
const exact: Tolerance = { relative: 0 };
const square = (n: number): number => n * n;
const same = (n: number): number => n;

/** CSR matrix with 4 to 19 elements a row, in random columns. */
function sparse(rows: number): ProblemBuffer[] {
  const starts = new Int32Array(rows + 1);
  for (let r = 0; r < rows; r++) starts[r + 1] = starts[r]! + 4 + (draw(r, 1) >>> 28);
  const count = starts[rows]!;
  const columns = new Int32Array(count);
  for (let i = 0; i < count; i++) columns[i] = draw(i, 2) % rows;
  return [
    { data: starts },
    { data: columns },
    { data: coarse(count, 3) },
    { data: coarse(rows, 4) },
    output(rows),
  ];
}

const loopOrder = "loop order changed: rows of C as sums of rows of B";

/** All problems, in the order of the table. */
export const problems: readonly Problem[] = [
  {
    name: "saxpy",
    size: { full: 1 << 24, quick: 1 << 20 },
    elements: same,
    work: (n) => 12 * n,
    unit: "GB/s",
    outputType: "f32",
    tolerance: exact,
    computeBound: false,
    make: (n) => [{ data: coarse(n, 1) }, { data: coarse(n, 2), output: true, reset: true }],
  },
  {
    name: "triad",
    size: { full: 1 << 24, quick: 1 << 20 },
    elements: same,
    work: (n) => 12 * n,
    unit: "GB/s",
    outputType: "f32",
    tolerance: exact,
    computeBound: false,
    make: (n) => [{ data: coarse(n, 1) }, { data: coarse(n, 2) }, output(n)],
  },
  ...(["transpose-naive", "transpose-tiled"] as const).map(
    (name): Problem => ({
      name,
      size: { full: 4096, quick: 1024 },
      elements: square,
      work: (n) => 8 * n * n,
      unit: "GB/s",
      outputType: "f32",
      tolerance: exact,
      computeBound: false,
      make: (n) => [{ data: coarse(n * n, 1) }, output(n * n)],
    }),
  ),
  {
    name: "reduce",
    size: { full: 1 << 24, quick: 1 << 20 },
    elements: same,
    work: (n) => 4 * n,
    unit: "GB/s",
    outputType: "f32",
    tolerance: exact,
    computeBound: true,
    nativeChanges: "a serial (vectorised) sum for the tree",
    make: (n) => [{ data: coarse(n, 1) }, output(n / 256)],
  },
  {
    name: "scan",
    size: { full: 1 << 22, quick: 1 << 18 },
    elements: same,
    work: (n) => 8 * n,
    unit: "GB/s",
    outputType: "u32",
    tolerance: exact,
    computeBound: true,
    nativeChanges: "two serial passes a thread for the block-wise scans",
    make: (n) => [
      { data: words(n, 1).map((w) => w & 15) },
      counts(n),
      { data: new Uint32Array(n / 256) },
    ],
  },
  {
    name: "histogram-shared",
    size: { full: 1 << 24, quick: 1 << 20 },
    elements: same,
    work: (n) => 4 * n,
    unit: "GB/s",
    outputType: "u32",
    tolerance: exact,
    computeBound: true,
    nativeChanges: "bins private to a thread, no atomics",
    make: (n) => [{ data: words(n, 1) }, { ...counts(256), reset: true }],
  },
  {
    name: "histogram-global",
    size: { full: 1 << 22, quick: 1 << 18 },
    elements: same,
    work: (n) => 4 * n,
    unit: "GB/s",
    outputType: "u32",
    tolerance: exact,
    computeBound: false,
    make: (n) => [{ data: words(n, 1) }, { ...counts(4096), reset: true }],
  },
  {
    name: "sgemm",
    size: { full: 1024, quick: 256 },
    elements: square,
    work: (n) => 2 * n ** 3,
    unit: "GFLOP/s",
    outputType: "f32",
    tolerance: exact,
    computeBound: true,
    nativeChanges: loopOrder,
    make: (n) => [{ data: coarse(n * n, 1) }, { data: coarse(n * n, 2) }, output(n * n)],
  },
  {
    name: "dgemm",
    size: { full: 512, quick: 256 },
    elements: square,
    work: (n) => 2 * n ** 3,
    unit: "GFLOP/s",
    outputType: "f64",
    tolerance: exact,
    computeBound: true,
    nativeChanges: loopOrder,
    make: (n) => [
      { data: Float64Array.from(coarse(n * n, 1)) },
      { data: Float64Array.from(coarse(n * n, 2)) },
      { data: new Float64Array(n * n), output: true },
    ],
  },
  {
    name: "hgemm-wmma",
    size: { full: 512, quick: 256 },
    elements: square,
    work: (n) => 2 * n ** 3,
    unit: "GFLOP/s",
    outputType: "f32",
    tolerance: exact,
    computeBound: true,
    nativeChanges: `${loopOrder}; inputs converted to f32 once`,
    make: (n) => [{ data: halves(n * n, 1) }, { data: halves(n * n, 2) }, output(n * n)],
  },
  {
    name: "convolution",
    size: { full: 2048, quick: 512 },
    elements: square,
    work: (n) => 98 * n * n,
    unit: "GFLOP/s",
    outputType: "f32",
    tolerance: exact,
    computeBound: true,
    nativeChanges: "one filter element at a time over a whole row, no bounds checks inside",
    make: (n) => [
      { data: coarse(n * n, 1) },
      { data: Float32Array.from({ length: 49 }, (_, i) => ((draw(i, 2) >>> 28) - 8) / 16) },
      output(n * n),
    ],
  },
  {
    name: "stencil",
    size: { full: 4096, quick: 1024 },
    elements: square,
    work: (n) => 8 * n * n,
    unit: "GB/s",
    outputType: "f32",
    tolerance: exact,
    computeBound: false,
    make: (n) => [{ data: coarse(n * n, 1) }, output(n * n)],
  },
  {
    name: "nbody",
    size: { full: 8192, quick: 2048 },
    elements: same,
    work: (n) => 20 * n * n,
    unit: "GFLOP/s",
    outputType: "f32",
    tolerance: { relative: 1e-4 },
    computeBound: true,
    make: (n) => [{ data: uniform(4 * n, 1, 0, 1) }, output(4 * n)],
  },
  {
    name: "mandelbrot",
    size: { full: 1024, quick: 256 },
    elements: square,
    work: (n) => 256 * n * n,
    unit: "Gsteps/s",
    outputType: "u32",
    // Whether a step is contracted to a fused multiply-add moves single pixels at the edge.
    tolerance: { relative: 0, fraction: 0.02 },
    computeBound: true,
    make: (n) => [counts(n * n)],
  },
  {
    name: "black-scholes",
    size: { full: 1 << 22, quick: 1 << 18 },
    elements: same,
    work: (n) => n,
    unit: "Gop/s",
    outputType: "f32",
    tolerance: { relative: 1e-5 },
    computeBound: true,
    make: (n) => [
      { data: uniform(n, 1, 5, 25) },
      { data: uniform(n, 2, 1, 99) },
      { data: uniform(n, 3, 0.25, 9.75) },
      output(n),
      output(n),
    ],
  },
  {
    name: "spmv",
    size: { full: 1 << 18, quick: 1 << 15 },
    elements: same,
    work: (n) => 11.5 * 2 * n,
    unit: "GFLOP/s",
    outputType: "f32",
    tolerance: exact,
    computeBound: false,
    make: sparse,
  },
  {
    name: "bitonic-sort",
    size: { full: 1 << 18, quick: 1 << 14 },
    elements: same,
    work: (n) => ((n / 2) * Math.log2(n) * (Math.log2(n) + 1)) / 2,
    unit: "Gop/s",
    outputType: "u32",
    tolerance: exact,
    computeBound: false,
    make: (n) => [{ data: words(n, 1), output: true, reset: true }],
  },
  {
    name: "monte-carlo",
    size: { full: 1 << 16, quick: 1 << 14 },
    elements: same,
    work: (n) => 256 * n,
    unit: "Gsteps/s",
    outputType: "u32",
    // x*x + y*y, fused or not, decides points on the circle itself.
    tolerance: { relative: 0, fraction: 0.001 },
    computeBound: true,
    make: (n) => [counts(n)],
  },
  {
    name: "sha256",
    size: { full: 1 << 18, quick: 1 << 15 },
    elements: same,
    work: (n) => n,
    unit: "Gop/s",
    outputType: "u32",
    tolerance: exact,
    computeBound: true,
    make: (n) => [{ data: words(8 * n, 1) }, counts(n)],
  },
  {
    name: "softmax",
    size: { full: 4096, quick: 512 },
    elements: (n) => 1024 * n,
    work: (n) => 1024 * n,
    unit: "Gop/s",
    outputType: "f32",
    tolerance: { relative: 1e-5 },
    computeBound: true,
    nativeChanges: "serial (vectorised) sums for the trees; each exponential computed once",
    make: (n) => [{ data: uniform(1024 * n, 1, 0, 8) }, output(1024 * n)],
  },
  {
    name: "floyd-warshall",
    size: { full: 512, quick: 128 },
    elements: square,
    work: (n) => n ** 3,
    unit: "Gop/s",
    outputType: "u32",
    tolerance: exact,
    computeBound: false,
    make: (n) => {
      const data = words(n * n, 1).map((w, i) => (i % (n + 1) === 0 ? 0 : 1 + (w % 1000)));
      return [{ data, output: true, reset: true }];
    },
  },
];

/** Bytes of all outputs, one after the other, as the peers write them. */
export function outputBytes(buffers: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const b of buffers) length += b.byteLength;
  const all = new Uint8Array(length);
  let at = 0;
  for (const b of buffers) {
    all.set(b, at);
    at += b.byteLength;
  }
  return all;
}

/**
 * Compares two peers' outputs. Returns an empty string when they agree within the tolerance, else
 * what differs: the first element and by how much.
 */
export function compareOutputs(problem: Problem, a: Uint8Array, b: Uint8Array): string {
  if (a.byteLength !== b.byteLength) return `${a.byteLength} bytes against ${b.byteLength}`;
  const View = { f32: Float32Array, f64: Float64Array, u32: Uint32Array }[problem.outputType];
  const x = new View(a.slice().buffer);
  const y = new View(b.slice().buffer);
  let scale = 0;
  for (const value of y) {
    const magnitude = Math.abs(value);
    if (magnitude > scale) scale = magnitude;
  }
  const allowed = problem.tolerance.relative * scale;
  let different = 0;
  let first = "";
  for (let i = 0; i < x.length; i++) {
    const difference = Math.abs(x[i]! - y[i]!);
    if (difference <= allowed) continue;
    if (Number.isNaN(x[i]!) && Number.isNaN(y[i]!)) continue;
    if (different++ === 0) first = `element ${i}: ${x[i]} against ${y[i]}`;
  }
  if (different <= (problem.tolerance.fraction ?? 0) * x.length) return "";
  return `${different} of ${x.length} differ, ${first}`;
}

/** The median of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The geometric mean; NaN of nothing. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length);
}
