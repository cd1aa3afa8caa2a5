/** A histogram with atomics in shared and in global memory. */
import { Device } from "../index.ts";
import {
  checked,
  difference,
  main,
  type RunOptions,
  type RunResult,
  random,
  readPtx,
} from "./support.ts";

/** Counts the byte values of two million bytes, most of them small. */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const n = 2_000_000;
  const next = random(8);
  const data = Uint8Array.from({ length: n }, () => next() * next() * 256);

  using device = await Device.open();
  using module = device.loadModule(await readPtx("histogram"));
  const histogram = module.kernel("histogram");
  using deviceData = device.upload(data);
  using bins = device.upload(new Uint32Array(256));
  log(`histogram of ${n} bytes`);

  const start = performance.now();
  histogram.launch({ grid: 128, block: 256 }, deviceData, n, bins);
  device.synchronize();
  const ms = performance.now() - start;

  const expected = new Uint32Array(256);
  for (const value of data) expected[value]!++;
  return checked(`${n} bytes in 256 bins`, difference(bins.toArray(Uint32Array), expected), ms);
}

if (import.meta.main) await main(run);
