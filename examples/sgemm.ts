/** Matrix product with tiles in shared memory. */
import { Device } from "../index.ts";
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

const TILE = 16;

/** The product in plain TypeScript: the same chain of fused multiply-adds along k. */
function reference(m: number, n: number, k: number, a: Float32Array, b: Float32Array) {
  const c = new Float32Array(m * n);
  for (let row = 0; row < m; row++) {
    for (let col = 0; col < n; col++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum = fmaf(a[row * k + i]!, b[i * n + col]!, sum);
      c[row * n + col] = sum;
    }
  }
  return c;
}

/** A (250 x 190) times B (190 x 310): sizes that fill no tile. Exact, since the order is the same. */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const m = 250;
  const n = 310;
  const k = 190;
  const a = randomFloats(m * k, 5, -1, 1);
  const b = randomFloats(k * n, 6, -1, 1);

  using device = await Device.open();
  using module = device.loadModule(await readPtx("sgemm"));
  const sgemm = module.kernel("sgemm");
  using deviceA = device.upload(a);
  using deviceB = device.upload(b);
  using deviceC = device.alloc(4 * m * n);
  log(`C (${m} x ${n}) = A (${m} x ${k}) * B (${k} x ${n})`);

  const start = performance.now();
  sgemm.launch(
    { grid: [Math.ceil(n / TILE), Math.ceil(m / TILE)], block: [TILE, TILE] },
    ...[m, n, k, deviceA, deviceB, deviceC],
  );
  device.synchronize();
  const ms = performance.now() - start;

  const wrong = difference(deviceC.toArray(Float32Array), reference(m, n, k, a, b));
  return checked(`${m} x ${k} times ${k} x ${n}`, wrong, ms);
}

if (import.meta.main) await main(run);
