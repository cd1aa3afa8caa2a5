/**
 * What overhead.cu measures, without the process boundary: the same calls of the TypeScript API on a
 * device in this thread. Prints the same lines, `NAME BEST MEDIAN`, microseconds or GB/s.
 */
import { readFileSync } from "node:fs";
import {
  CudaError,
  cudaDeviceSynchronize,
  cudaLaunchKernel,
  cudaLibraryGetKernel,
  cudaLibraryLoadData,
  cudaMalloc,
  cudaMallocHost,
  cudaMemcpy,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyHostToDevice,
  hostView,
  openCuda,
} from "../../cuda-shim/index.ts";

const LARGE = 64 << 20;
const SMALL = 1 << 10;

/** @throws CudaError */
function check(error: number): void {
  if (error !== 0) throw new CudaError(error);
}

/** As in overhead.cu: `count` calls at a time, and what one took in the best and the median round. */
function measure(name: string, rounds: number, count: number, bytes: number, body: () => void) {
  const seconds: number[] = [];
  for (let i = 0; i < count; i++) body();
  check(cudaDeviceSynchronize());
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) body();
    seconds.push((performance.now() - start) / 1000 / count);
    check(cudaDeviceSynchronize());
  }
  seconds.sort((a, b) => a - b);
  const show = (s = 0): string => (bytes > 0 ? bytes / s / 1e9 : s * 1e6).toFixed(3);
  console.log(`${name} ${show(seconds[0])} ${show(seconds[rounds >> 1])}`);
}

function allocate(allocation: (out: { value: number }, bytes: number) => number): number {
  const out = { value: 0 };
  check(allocation(out, LARGE));
  return out.value;
}

using thread = await openCuda();
const program = readFileSync(new URL("overhead", import.meta.url));
const library = { value: 0 };
const empty = { value: 0 };
check(cudaLibraryLoadData(library, program));
check(cudaLibraryGetKernel(empty, library.value, "_Z5emptyv"));
const host = new Uint8Array(LARGE).fill(1);
const host2 = new Uint8Array(LARGE).fill(2);
const [dev, dev2, pinned] = [cudaMalloc, cudaMalloc, cudaMallocHost].map(allocate) as [
  number,
  number,
  number,
];
hostView(pinned, LARGE).fill(3);
const launch = (): void => check(cudaLaunchKernel(empty.value, 1, 1, [], 0, 0));
const synchronize = (): void => check(cudaDeviceSynchronize());
measure("synchronise", 40, 200, 0, synchronize);
measure("launch-queued", 40, 200, 0, launch);
measure("launch-wait", 40, 100, 0, () => {
  launch();
  synchronize();
});
const copy = (to: number | Uint8Array, from: number | Uint8Array, bytes: number, kind: number) =>
  check(cudaMemcpy(to, from, bytes, kind));
measure("copy-small-to", 40, 100, 0, () => copy(dev, host, SMALL, cudaMemcpyHostToDevice));
measure("copy-small-from", 40, 100, 0, () => copy(host, dev, SMALL, cudaMemcpyDeviceToHost));
measure("copy-large-to", 9, 1, LARGE, () => copy(dev, host, LARGE, cudaMemcpyHostToDevice));
measure("copy-large-from", 9, 1, LARGE, () => copy(host, dev, LARGE, cudaMemcpyDeviceToHost));
measure("copy-pinned-to", 9, 1, LARGE, () => copy(dev, pinned, LARGE, cudaMemcpyHostToDevice));
measure("copy-device", 9, 1, LARGE, () => {
  copy(dev2, dev, LARGE, cudaMemcpyDeviceToDevice);
  synchronize();
});
measure("memcpy", 9, 1, LARGE, () => host2.set(host));
void thread;
