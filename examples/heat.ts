/** Heat on a plate: the 5-point stencil with a halo in shared memory, two buffers in turn. */
import { Device, f32 } from "../index.ts";
import {
  checked,
  difference,
  fmaf,
  main,
  type RunOptions,
  type RunResult,
  readPtx,
} from "./support.ts";

const WIDTH = 300;
const HEIGHT = 200;
const STEPS = 50;
const K = Math.fround(0.2);

/** One step in f32, with the additions in the kernel's order. */
function referenceStep(now: Float32Array): Float32Array {
  const next = now.slice();
  for (let y = 1; y < HEIGHT - 1; y++) {
    for (let x = 1; x < WIDTH - 1; x++) {
      const i = y * WIDTH + x;
      let around = Math.fround(now[i - 1]! + now[i + 1]!);
      around = Math.fround(around + now[i - WIDTH]!);
      around = Math.fround(around + now[i + WIDTH]!);
      next[i] = fmaf(K, fmaf(-4, now[i]!, around), now[i]!);
    }
  }
  return next;
}

/** A cold plate with a hot edge and a hot spot, 50 steps; exact. */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const plate = new Float32Array(WIDTH * HEIGHT).fill(20);
  plate.fill(100, 0, WIDTH);
  plate.fill(500, 120 * WIDTH + 150, 120 * WIDTH + 170);

  using device = await Device.open();
  using module = device.loadModule(await readPtx("heat"));
  const heatStep = module.kernel("heatStep");
  using even = device.upload(plate);
  using odd = device.alloc(4 * plate.length);
  log(`${WIDTH} x ${HEIGHT} cells, ${STEPS} steps`);

  const start = performance.now();
  const shape = { grid: [Math.ceil(WIDTH / 32), Math.ceil(HEIGHT / 8)], block: [32, 8] };
  for (let step = 0; step < STEPS; step++) {
    const [from, to] = step % 2 === 0 ? [even, odd] : [odd, even];
    heatStep.launch(shape, WIDTH, HEIGHT, f32(K), from, to);
  }
  device.synchronize();
  const ms = performance.now() - start;

  let expected: Float32Array = plate;
  for (let step = 0; step < STEPS; step++) expected = referenceStep(expected);
  const wrong = difference((STEPS % 2 === 0 ? even : odd).toArray(Float32Array), expected);
  return checked(`${WIDTH} x ${HEIGHT} cells, ${STEPS} steps`, wrong, ms);
}

if (import.meta.main) await main(run);
