/** Conway's game of life on a torus. */
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

const WIDTH = 320;
const HEIGHT = 240;
const GENERATIONS = 60;

/** One generation in plain TypeScript. */
function referenceStep(now: Uint8Array): Uint8Array {
  const next = new Uint8Array(now.length);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      let neighbours = 0;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          if (dx === 0 && dy === 0) continue;
          const nx = (x + dx + WIDTH) % WIDTH;
          const ny = (y + dy + HEIGHT) % HEIGHT;
          neighbours += now[ny * WIDTH + nx]!;
        }
      }
      const alive = now[y * WIDTH + x] === 1;
      next[y * WIDTH + x] = neighbours === 3 || (neighbours === 2 && alive) ? 1 : 0;
    }
  }
  return next;
}

/** The upper left corner of the field as text, two rows of cells a line. */
function* picture(cells: Uint8Array): Generator<string> {
  for (let y = 0; y < 24; y += 2) {
    let line = "";
    for (let x = 0; x < 72; x++) {
      const upper = cells[y * WIDTH + x]!;
      const lower = cells[(y + 1) * WIDTH + x]!;
      line += [" ", "▀", "▄", "█"][upper + 2 * lower];
    }
    yield line;
  }
}

/** 60 generations of 320 x 240 cells. */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const next = random(15);
  const cells = Uint8Array.from({ length: WIDTH * HEIGHT }, () => (next() < 0.3 ? 1 : 0));

  using device = await Device.open();
  using module = device.loadModule(await readPtx("life"));
  const lifeStep = module.kernel("lifeStep");
  using even = device.upload(cells);
  using odd = device.alloc(cells.length);

  const shape = { grid: [WIDTH / 32, HEIGHT / 8], block: [32, 8] };
  const start = performance.now();
  for (let generation = 0; generation < GENERATIONS; generation++) {
    const [from, to] = generation % 2 === 0 ? [even, odd] : [odd, even];
    lifeStep.launch(shape, WIDTH, HEIGHT, from, to);
  }
  device.synchronize();
  const ms = performance.now() - start;

  const actual = (GENERATIONS % 2 === 0 ? even : odd).toArray(Uint8Array);
  for (const line of picture(actual)) log(line);
  let expected: Uint8Array = cells;
  for (let g = 0; g < GENERATIONS; g++) expected = referenceStep(expected);
  const wrong = difference(actual, expected);
  return checked(`${WIDTH} x ${HEIGHT} cells, ${GENERATIONS} generations`, wrong, ms);
}

if (import.meta.main) await main(run);
