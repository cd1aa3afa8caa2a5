/**
 * Graphs by CUDA's own calls: a step is captured from two streams, becomes a part of a graph that is
 * built by hand (with memory of its own and a function of the host), and is launched again and again;
 * then a clone with another parameter updates the executable graph.
 */
import * as cuda from "../index.ts";
import { checked, difference, main, type RunOptions, type RunResult, readPtx } from "./support.ts";

const N = 20_000;
const STEPS = 5;
const BLOCK = 256;
const GRID = Math.ceil(N / BLOCK);

/** Throws for an error number that is not 0. */
function check(error: number): void {
  if (error !== cuda.cudaSuccess) throw new cuda.CudaError(error);
}

/** What a call puts into a box. */
function made(call: (out: cuda.Out<number>) => number): number {
  const out = { value: 0 };
  check(call(out));
  return out.value;
}

const address = (pointer: number) => BigUint64Array.of(BigInt(pointer));
const word = (value: number) => Uint32Array.of(value);

/** One step in plain TypeScript. @returns the sum of the new elements */
function stepOf(x: Uint32Array, factor: number): number {
  const next = x.map((value, i) => {
    const right = x[i + 1 < x.length ? i + 1 : 0] ?? 0;
    return (Math.imul(value, factor) + 1) ^ ((value << 3) ^ right);
  });
  x.set(next);
  return x.reduce((total, value) => (total + value) >>> 0, 0);
}

/** Ten steps, five with each factor, and the sum of the elements after each. */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const x = Uint32Array.from({ length: N }, (_, i) => Math.imul(i, 0x9e3779b1));
  using _thread = await cuda.openCuda();
  const ptx = await readPtx("graphs");
  const library = made((out) => cuda.cudaLibraryLoadData(out, ptx));
  const kernel = (name: string) => made((out) => cuda.cudaLibraryGetKernel(out, library, name));
  const [scale, mix, join, sum] = ["scale", "mix", "join", "sum"].map(kernel) as [
    number,
    number,
    number,
    number,
  ];
  const memory = made((out) => cuda.cudaMalloc(out, 4 * N));
  check(cuda.cudaMemcpy(memory, x, 4 * N, cuda.cudaMemcpyHostToDevice));

  // Built by hand: memory for the branches, which is there while the graph runs.
  const graph = made((out) => cuda.cudaGraphCreate(out));
  const location = { type: cuda.cudaMemLocationTypeDevice, id: 0 };
  const room: cuda.CudaMemAllocNodeParams = {
    poolProps: { allocType: cuda.cudaMemAllocationTypePinned, location },
    bytesize: 8 * N + 4,
  };
  const allocated = made((out) => cuda.cudaGraphAddMemAllocNode(out, graph, [], room));
  const left = room.dptr ?? 0;
  const right = left + 4 * N;
  const total = right + 4 * N;

  // Captured: two streams that an event forks and another one joins.
  const [stream, side] = [made(cuda.cudaStreamCreate), made(cuda.cudaStreamCreate)];
  const [fork, done] = [made(cuda.cudaEventCreate), made(cuda.cudaEventCreate)];
  const scaleBy = (factor: number) => [address(memory), address(left), word(factor), word(N)];
  check(cuda.cudaStreamBeginCapture(stream, cuda.cudaStreamCaptureModeGlobal));
  check(cuda.cudaEventRecord(fork, stream));
  check(cuda.cudaStreamWaitEvent(side, fork));
  check(cuda.cudaLaunchKernel(scale, GRID, BLOCK, scaleBy(3), 0, stream));
  const mixed = [address(memory), address(right), word(N)];
  check(cuda.cudaLaunchKernel(mix, GRID, BLOCK, mixed, 0, side));
  check(cuda.cudaEventRecord(done, side));
  check(cuda.cudaStreamWaitEvent(stream, done));
  const both = [address(left), address(right), address(memory), word(N)];
  check(cuda.cudaLaunchKernel(join, GRID, BLOCK, both, 0, stream));
  const step = made((out) => cuda.cudaStreamEndCapture(stream, out));
  const nodes = { value: [] as number[] };
  check(cuda.cudaGraphGetNodes(step, nodes));
  log(`captured ${nodes.value.length} kernels from two streams`);

  // By hand again: the step, a sum of what it made, and a function that looks at it.
  const child = made((out) => cuda.cudaGraphAddChildGraphNode(out, graph, [allocated], step));
  const zero = { dst: total, pitch: 0, value: 0, elementSize: 4, width: 1, height: 1 };
  const cleared = made((out) => cuda.cudaGraphAddMemsetNode(out, graph, [allocated], zero));
  const summing = {
    func: sum,
    gridDim: GRID,
    blockDim: BLOCK,
    kernelParams: [address(memory), address(total), word(N)],
  };
  const added = made((out) => cuda.cudaGraphAddKernelNode(out, graph, [child, cleared], summing));
  const pinned = made((out) => cuda.cudaMallocHost(out, 4));
  const kind = cuda.cudaMemcpyDeviceToHost;
  const copied = made((out) =>
    cuda.cudaGraphAddMemcpyNode1D(out, graph, [added], pinned, total, 4, kind),
  );
  const sums: number[] = [];
  const fn = () =>
    sums.push(new DataView(cuda.hostView(pinned, 4).slice().buffer).getUint32(0, true));
  check(cuda.cudaGraphAddHostNode({ value: 0 }, graph, [copied], { fn }));
  check(cuda.cudaGraphAddMemFreeNode({ value: 0 }, graph, [copied], left));

  const start = performance.now();
  const exec = made((out) => cuda.cudaGraphInstantiate(out, graph));
  for (let i = 0; i < STEPS; i++) check(cuda.cudaGraphLaunch(exec, stream));
  check(cuda.cudaStreamSynchronize(stream));

  // Another factor: in a step that is changed, given to the child of the executable graph.
  const clone = made((out) => cuda.cudaGraphClone(out, step));
  const first = made((out) => cuda.cudaGraphNodeFindInClone(out, nodes.value[0] ?? 0, clone));
  const params: cuda.Out<cuda.CudaKernelNodeParams | null> = { value: null };
  check(cuda.cudaGraphKernelNodeGetParams(first, params));
  check(
    cuda.cudaGraphKernelNodeSetParams(
      first,
      params.value && { ...params.value, kernelParams: scaleBy(5) },
    ),
  );
  check(cuda.cudaGraphExecChildGraphNodeSetParams(exec, child, clone));
  for (let i = 0; i < STEPS; i++) check(cuda.cudaGraphLaunch(exec, stream));
  check(cuda.cudaStreamSynchronize(stream));
  const ms = performance.now() - start;

  const result = new Uint32Array(N);
  check(cuda.cudaMemcpy(result, memory, 4 * N, cuda.cudaMemcpyDeviceToHost));
  const expected = [3, 5].flatMap((factor) =>
    Array.from({ length: STEPS }, () => stepOf(x, factor)),
  );
  const wrong = difference(sums, expected) || difference(result, x);
  return checked(
    `${2 * STEPS} launches of a graph over ${N} integers`,
    wrong,
    ms,
    "sums identical",
  );
}

if (import.meta.main) await main(run);
