/** How warpring runs each problem: the PTX, and the launches of one run. */
import { readFile } from "node:fs/promises";
import { type Device, type DeviceBuffer, f32, type Kernel, type Module } from "../index.ts";

/** One run of a problem: queues all of its launches, without waiting. */
export type Plan = () => void;

/** Makes a problem's plan from its module, its buffers (in the problem's order) and its size. */
type Planner = (
  kernel: (name: string) => Kernel,
  buffers: readonly DeviceBuffer[],
  n: number,
  module: Module,
) => Plan;

const THREADS = 256;

/** One thread an element in blocks of 256: `arguments` are those before the buffers. */
const linear =
  (name: string, lead: (n: number) => Parameters<Kernel["launch"]>[1][], perThread = 1): Planner =>
  (kernel, buffers, n) => {
    const k = kernel(name);
    const shape = { grid: n / THREADS / perThread, block: THREADS };
    const args = [...lead(n), ...buffers];
    return () => k.launch(shape, ...args);
  };

/** A square of n x n threads in blocks of bx x by, each `rows` rows. */
const tiled =
  (
    name: string,
    [bx, by]: readonly [number, number],
    lead: (n: number) => Parameters<Kernel["launch"]>[1][],
    rows = 1,
  ): Planner =>
  (kernel, buffers, n) => {
    const k = kernel(name);
    const shape = { grid: [n / bx, n / by / rows], block: [bx, by] };
    const args = [...lead(n), ...buffers];
    return () => k.launch(shape, ...args);
  };

const size = (n: number): number[] => [n];
const nothing = (): number[] => [];

const planners: Readonly<Record<string, Planner>> = {
  saxpy: linear("saxpy", (n) => [n, f32(2)]),
  triad: linear("triad", (n) => [n, f32(3)]),
  "transpose-naive": tiled("transposeNaive", [16, 16], size),
  "transpose-tiled": tiled("transposeTiled", [32, 8], size, 4),
  reduce: linear("blockReduce", size),
  scan: (kernel, [input, output, sums], n) => {
    const scanBlocks = kernel("scanBlocks");
    const scanSums = kernel("scanSums");
    const scanAdd = kernel("scanAdd");
    const shape = { grid: n / THREADS, block: THREADS };
    return () => {
      scanBlocks.launch(shape, input!, output!, sums!);
      scanSums.launch({ grid: 1, block: THREADS }, n / THREADS, sums!);
      scanAdd.launch(shape, output!, sums!);
    };
  },
  "histogram-shared": linear("histogramShared", nothing, 16),
  "histogram-global": linear("histogramGlobal", size),
  sgemm: tiled("sgemm", [16, 16], size),
  dgemm: tiled("dgemm", [16, 16], size),
  "hgemm-wmma": (kernel, [a, b, c], n) => {
    const hgemm = kernel("hgemm");
    const shape = { grid: [n / 64, n / 32], block: 256 };
    return () => hgemm.launch(shape, n, a!, b!, c!);
  },
  convolution: (kernel, [input, filter, output], n, module) => {
    // The filter is a variable in constant memory: the peers' argument is copied into it once.
    module.variable("filter").copyFrom(filter!);
    const convolution = kernel("convolution");
    const shape = { grid: [n / 16, n / 16], block: [16, 16] };
    return () => convolution.launch(shape, n, input!, output!);
  },
  stencil: tiled("stencil", [32, 8], (n) => [n, f32(0.25)]),
  nbody: linear("nbody", size),
  mandelbrot: tiled("mandelbrot", [16, 16], (n) => [n, 256]),
  "black-scholes": linear("blackScholes", (n) => [n, f32(0.02), f32(0.3)]),
  spmv: linear("spmv", size),
  "bitonic-sort": (kernel, [keys], n) => {
    const bitonicStage = kernel("bitonicStage");
    const shape = { grid: n / 2 / THREADS, block: THREADS };
    return () => {
      for (let width = 2; width <= n; width *= 2) {
        for (let distance = width / 2; distance >= 1; distance /= 2) {
          bitonicStage.launch(shape, keys!, width, distance);
        }
      }
    };
  },
  "monte-carlo": linear("monteCarlo", () => [256]),
  sha256: linear("sha256", size),
  softmax: (kernel, [input, output], n) => {
    const softmax = kernel("softmax");
    return () => softmax.launch({ grid: n, block: THREADS }, 1024, input!, output!);
  },
  "floyd-warshall": (kernel, [distances], n) => {
    const floydWarshall = kernel("floydWarshall");
    const shape = { grid: [n / 16, n / 16], block: [16, 16] };
    return () => {
      for (let k = 0; k < n; k++) floydWarshall.launch(shape, n, k, distances!);
    };
  },
};

/** Reads the PTX of one of the benchmark's kernels. */
export function readKernel(name: string): Promise<string> {
  return readFile(new URL(`./kernels/${name}.ptx`, import.meta.url), "utf8");
}

/** Loads a problem's module and makes its plan. The module stays loaded with the device. */
export async function makePlan(
  device: Device,
  name: string,
  buffers: readonly DeviceBuffer[],
  n: number,
): Promise<Plan> {
  const planner = planners[name];
  if (!planner) throw new Error(`no plan for ${name}`);
  const module = device.loadModule(await readKernel(name));
  return planner((kernel) => module.kernel(kernel), buffers, n, module);
}
