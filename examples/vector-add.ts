/** Vector addition: the smallest complete program. */
import { Device } from "../index.ts";
import {
  checked,
  difference,
  main,
  type RunOptions,
  type RunResult,
  randomFloats,
  readPtx,
} from "./support.ts";

/** Adds two vectors of a million floats. The sums must be those of f32 addition, bit for bit. */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const n = 1_000_000;
  const a = randomFloats(n, 1);
  const b = randomFloats(n, 2, -1, 1);

  using device = await Device.open();
  using module = device.loadModule(await readPtx("vector-add"));
  const vectorAdd = module.kernel("vectorAdd");
  using deviceA = device.upload(a);
  using deviceB = device.upload(b);
  using deviceC = device.alloc(4 * n);
  log(`${device.properties.name}: adding ${n} pairs`);

  const start = performance.now();
  vectorAdd.launch({ grid: Math.ceil(n / 256), block: 256 }, deviceA, deviceB, deviceC, n);
  device.synchronize();
  const ms = performance.now() - start;

  const expected = a.map((value, i) => value + b[i]!);
  return checked(`${n} elements`, difference(deviceC.toArray(Float32Array), expected), ms);
}

if (import.meta.main) await main(run);
