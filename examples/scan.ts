/** Prefix sums with warp shuffles, in three launches. */
import { Device } from "../index.ts";
import {
  checked,
  difference,
  main,
  type RunOptions,
  type RunResult,
  randomInts,
  readPtx,
} from "./support.ts";

const THREADS = 1024;

/** The inclusive prefix sums of half a million integers; at most THREADS blocks fit this scheme. */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const n = 500_000;
  const blocks = Math.ceil(n / THREADS);
  const input = randomInts(n, 10, 100);

  using device = await Device.open();
  using module = device.loadModule(await readPtx("scan"));
  const scanBlocks = module.kernel("scanBlocks");
  const addOffsets = module.kernel("addOffsets");
  using deviceInput = device.upload(input);
  using output = device.alloc(4 * n);
  using sums = device.alloc(4 * blocks);
  using total = device.alloc(4 * 1);
  log(`${n} integers in ${blocks} blocks`);

  const start = performance.now();
  scanBlocks.launch({ grid: blocks, block: THREADS }, deviceInput, output, sums, n);
  scanBlocks.launch({ grid: 1, block: THREADS }, sums, sums, total, blocks);
  addOffsets.launch({ grid: blocks, block: THREADS }, output, sums, n);
  device.synchronize();
  const ms = performance.now() - start;

  let sum = 0;
  const expected = input.map((value) => {
    sum += value;
    return sum;
  });
  const wrong =
    difference(output.toArray(Int32Array), expected) ||
    difference(total.toArray(Int32Array), [sum]);
  return checked(`${n} integers`, wrong, ms);
}

if (import.meta.main) await main(run);
