/** Bitonic sort: a network of comparisons, in shared memory where the partners are near. */
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

const SHARE = 1024;
const THREADS = SHARE / 2;

/** Sorts 2¹⁶ unsigned integers. */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const n = 1 << 16;
  const next = random(11);
  const keys = Uint32Array.from({ length: n }, () => next() * 2 ** 32);

  using device = await Device.open();
  using module = device.loadModule(await readPtx("bitonic-sort"));
  const sortShares = module.kernel("sortShares");
  const mergeGlobal = module.kernel("mergeGlobal");
  const mergeShares = module.kernel("mergeShares");
  using deviceKeys = device.upload(keys);
  log(`sorting ${n} keys`);

  const shape = { grid: n / SHARE, block: THREADS };
  const start = performance.now();
  sortShares.launch(shape, deviceKeys);
  for (let size = 2 * SHARE; size <= n; size *= 2) {
    for (let distance = size / 2; distance >= SHARE; distance /= 2) {
      mergeGlobal.launch(shape, deviceKeys, size, distance);
    }
    mergeShares.launch(shape, deviceKeys, size);
  }
  device.synchronize();
  const ms = performance.now() - start;

  return checked(
    `${n} keys`,
    difference(deviceKeys.toArray(Uint32Array), keys.slice().sort()),
    ms,
    "sorted",
  );
}

if (import.meta.main) await main(run);
