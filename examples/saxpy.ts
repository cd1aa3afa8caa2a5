/** saxpy, y = alpha * x + y, with a grid-stride loop. */
import { Device, f32 } from "../index.ts";
import {
  checked,
  difference,
  fmaf,
  main,
  type RunOptions,
  type RunResult,
  randomFloats,
  readPtx,
} from "./support.ts";

/** One saxpy over 2²⁰ elements. The multiply-add is fused: exact against fmaf(). */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const n = 1 << 20;
  const alpha = Math.fround(2.7);
  const x = randomFloats(n, 3, -1, 1);
  const y = randomFloats(n, 4, -1, 1);

  using device = await Device.open();
  using module = device.loadModule(await readPtx("saxpy"));
  const saxpy = module.kernel("saxpy");
  using deviceX = device.upload(x);
  using deviceY = device.upload(y);
  log(`saxpy of ${n} elements on a grid of 256 blocks`);

  const start = performance.now();
  saxpy.launch({ grid: 256, block: 256 }, n, f32(alpha), deviceX, deviceY);
  device.synchronize();
  const ms = performance.now() - start;

  const expected = x.map((value, i) => fmaf(alpha, value, y[i]!));
  return checked(`${n} elements`, difference(deviceY.toArray(Float32Array), expected), ms);
}

if (import.meta.main) await main(run);
