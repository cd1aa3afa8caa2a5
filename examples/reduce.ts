/** A sum: trees in shared memory with barriers, and one atomic addition per block. */
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

/** The sum of a million integers, exact and independent of the blocks' order. */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const n = 1_000_003;
  const input = randomInts(n, 7, 2000);

  using device = await Device.open();
  using module = device.loadModule(await readPtx("reduce"));
  const reduceSum = module.kernel("reduceSum");
  using deviceInput = device.upload(input);
  using total = device.upload(Int32Array.of(0));
  log(`adding ${n} integers in 64 blocks`);

  const start = performance.now();
  reduceSum.launch({ grid: 64, block: 256 }, deviceInput, n, total);
  device.synchronize();
  const ms = performance.now() - start;

  const expected = input.reduce((sum, value) => sum + value, 0);
  return checked(
    `sum of ${n} integers`,
    difference(total.toArray(Int32Array), [expected]),
    ms,
    `${expected}`,
  );
}

if (import.meta.main) await main(run);
