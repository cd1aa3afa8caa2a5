// A launch of a kernel that `warpring compile` wrote, through the core's execution loops.
import { performance } from "node:perf_hooks";

const LAUNCH_BYTES = 1408;
const CONTEXT_BYTES = 192;

const align = (value, to) => Math.ceil(value / to) * to;

/**
 * Runs a kernel to its end, one block after the other.
 * @param core the compiled core.wasm
 * @param kernel the compiled NAME.wasm
 * @param description what NAME.json holds
 * @param memory shared memory that both import
 * @param launch grid, block, params (bytes), base (CUDA pointer of address 0), and two free ranges
 *   of the memory: control (records) and scratch (shared, local and saved values)
 * @returns 0: all blocks are done; 2: a fault, described in the launch record; 3: a deadlock
 */
export function runKernel(core, kernel, description, memory, launch) {
  const { control, scratch, grid, block, params, base } = launch;
  const threads = block[0] * block[1] * block[2];
  const words = new Uint32Array(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);

  // The kernel's regions go into the table that the core calls through.
  const table = new WebAssembly.Table({ initial: 1 + description.regions, element: "anyfunc" });
  const exports = new WebAssembly.Instance(core, { env: { memory, table } }).exports;
  const host = Object.fromEntries(description.hosts.map((name) => [name, missing(name)]));
  const regions = new WebAssembly.Instance(kernel, {
    env: { memory },
    host: { ...host, now: () => performance.now() },
  }).exports;
  for (let k = 1; k <= description.regions; k++) table.set(k, regions[`region${k}`]);

  // Control: launch record, block context, cut table, two words for each thread.
  const record = control;
  const context = record + align(LAUNCH_BYTES, 64);
  const cuts = context + CONTEXT_BYTES;
  const pcs = align(cuts + description.cuts.length, 64);
  const argumentsAt = pcs + 4 * align(threads, 32);
  bytes.fill(0, control, argumentsAt + 4 * align(threads, 32));
  bytes.set(description.cuts, cuts);
  // Scratch: parameters, the block's shared window, the warps' frames, saved values, local memory.
  const shared = scratch + align(params.length, 64);
  const frame = shared + align(description.sharedBytes, 64);
  const spill = frame + description.frameBytes * Math.ceil(threads / 32);
  const local = spill + align(description.spillBytes * align(threads, 4), 16);
  bytes.set(params, scratch);

  const put = (address, ...values) => words.set(values, address / 4);
  put(record + 8, ...grid, ...block);
  const { width } = description; // threads of a lane group: 4 in SIMD code, else 1
  put(record + 32, threads, Math.ceil(threads / width), width);
  put(record + 44, scratch, params.length); // parameters
  put(record + 56, align(description.sharedBytes, 16)); // shared window, bytes
  put(record + 60, description.localBytes); // local memory of a thread
  put(record + 68, cuts, description.regions, grid[0] * grid[1] * grid[2]);
  view.setBigUint64(record + 80, BigInt(base), true);
  view.setBigUint64(record + 88, BigInt(base + scratch), true); // lowest address for kernels
  view.setBigUint64(record + 96, BigInt(memory.buffer.byteLength - scratch), true);
  put(record + 112, description.frameBytes);
  put(record + 164, description.runs ? 1 : 0); // a call may run several blocks
  put(context, record);
  put(context + 16, shared, local, spill, pcs, argumentsAt, frame);
  put(context + 48, 1); // table index of region1

  for (;;) {
    // 1 means: the budget of turns is used up, which is the time to look at a clock.
    const result = exports.runLaunch(record, context, 1, 4096);
    if (result !== 1) return result;
  }
}

/** What a kernel may import and this host doesn't have (printf, malloc, a clock). */
function missing(name) {
  return () => {
    throw new Error(`the kernel calls host.${name}`);
  };
}
