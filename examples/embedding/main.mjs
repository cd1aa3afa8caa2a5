// core.wasm and an ahead-of-time kernel with nothing but WebAssembly: no TypeScript of warpring, no
// package, any Node from 20 on. docs/embedding.md explains every number here.
//
//   warpring compile examples/saxpy.ptx --block 256 --out out
//   node examples/embedding/main.mjs build/core.wasm out/saxpy.wasm out/saxpy.json
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { runKernel } from "./kernel.mjs";
import { echoOnce } from "./virtqueue.mjs";

const PAGE = 65536;
const [corePath, kernelPath, descriptionPath] = process.argv.slice(2);
if (!descriptionPath) {
  console.error("usage: node main.mjs CORE.wasm saxpy.wasm saxpy.json");
  process.exit(2);
}
const core = new WebAssembly.Module(readFileSync(corePath));
const kernel = new WebAssembly.Module(readFileSync(kernelPath));
const description = JSON.parse(readFileSync(descriptionPath, "utf8"));

// One shared memory is the guest's memory. The first page stays unused: address 0 is null.
const memory = new WebAssembly.Memory({ initial: 256, maximum: 65536, shared: true });

// 1. A virtqueue: one instance of the core is the driver's side, another the device's.
const answer = echoOnce(core, memory, PAGE, "ping");
console.log(`virtqueue: sent "ping", the device answered "${answer}"`);

// 2. saxpy, y = a x + y, on 1000 elements in 4 blocks of 256 threads.
const n = 1000;
const a = 2.5;
const x = 64 * PAGE;
const y = 65 * PAGE;
const floats = new Float32Array(memory.buffer);
for (let i = 0; i < n; i++) {
  floats[x / 4 + i] = i;
  floats[y / 4 + i] = 1;
}
const base = 2 ** 45; // CUDA pointers are base + offset
const params = new DataView(new ArrayBuffer(24));
params.setUint32(0, n, true);
params.setFloat32(4, a, true);
params.setBigUint64(8, BigInt(base + x), true);
params.setBigUint64(16, BigInt(base + y), true);
const started = performance.now();
const result = runKernel(core, kernel, description, memory, {
  grid: [4, 1, 1],
  block: [256, 1, 1],
  params: new Uint8Array(params.buffer),
  base,
  control: 16 * PAGE,
  scratch: 32 * PAGE,
});
let wrong = 0;
for (let i = 0; i < n; i++) if (floats[y / 4 + i] !== a * i + 1) wrong++;
const took = (performance.now() - started).toFixed(1);
console.log(`kernel: runLaunch returned ${result}, ${n - wrong} of ${n} right (${took} ms)`);
process.exitCode = answer === "gnip" && result === 0 && wrong === 0 ? 0 : 1;
