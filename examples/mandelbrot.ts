/** The Mandelbrot set as a PNG picture. */
import { mkdir, writeFile } from "node:fs/promises";
import { Device, f32 } from "../index.ts";
import {
  checked,
  difference,
  encodePng,
  fmaf,
  main,
  type RunOptions,
  type RunResult,
  readPtx,
} from "./support.ts";

const SIZE = 1024;
const MAX_ITERATIONS = 256;
const LEFT = -2.2;
const TOP = -1.5;
const STEP = Math.fround(3 / SIZE);

/** The iterations of one pixel, in f32 arithmetic as the kernel has it. */
function iterations(px: number, py: number): number {
  const cx = fmaf(px, STEP, Math.fround(LEFT));
  const cy = fmaf(py, STEP, Math.fround(TOP));
  let x = 0;
  let y = 0;
  for (let n = 0; n < MAX_ITERATIONS; n++) {
    const xx = Math.fround(x * x);
    const yy = Math.fround(y * y);
    if (Math.fround(xx + yy) > 4) return n;
    y = fmaf(Math.fround(2 * x), y, cy);
    x = Math.fround(Math.fround(xx - yy) + cx);
  }
  return MAX_ITERATIONS;
}

/** Colours: black inside, and outside a smooth round through blue, white and orange. */
function colour(counts: Uint16Array): Uint8Array {
  const rgb = new Uint8Array(counts.length * 3);
  counts.forEach((n, i) => {
    if (n === MAX_ITERATIONS) return;
    const angle = Math.log2(n + 1) * 1.4;
    rgb[3 * i] = 127.5 - 127.5 * Math.cos(angle - 1.1);
    rgb[3 * i + 1] = 127.5 - 127.5 * Math.cos(angle - 0.6);
    rgb[3 * i + 2] = 127.5 - 127.5 * Math.cos(angle);
  });
  return rgb;
}

/** 1024 x 1024 pixels, each of them exact; writes mandelbrot.png. */
export async function run({
  log = () => {},
  directory = "out",
}: RunOptions = {}): Promise<RunResult> {
  using device = await Device.open();
  using module = device.loadModule(await readPtx("mandelbrot"));
  const mandelbrot = module.kernel("mandelbrot");
  using counts = device.alloc(2 * SIZE * SIZE);
  log(`${SIZE} x ${SIZE} pixels, up to ${MAX_ITERATIONS} iterations each`);

  const start = performance.now();
  mandelbrot.launch(
    { grid: [SIZE / 16, SIZE / 16], block: [16, 16] },
    ...[SIZE, SIZE, f32(LEFT), f32(TOP), f32(STEP), MAX_ITERATIONS, counts],
  );
  device.synchronize();
  const ms = performance.now() - start;

  const actual = counts.toArray(Uint16Array);
  const expected = actual.map((_, i) => iterations(i % SIZE, Math.floor(i / SIZE)));
  const wrong = difference(actual, expected);

  await mkdir(directory, { recursive: true });
  const file = `${directory}/mandelbrot.png`;
  await writeFile(file, encodePng(SIZE, SIZE, colour(actual)));
  return { ...checked(`${SIZE} x ${SIZE} pixels`, wrong, ms), file };
}

if (import.meta.main) await main(run);
