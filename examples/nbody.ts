/** Gravity between all pairs of bodies, tiles in shared memory. */
import { Device, f32 } from "../index.ts";
import {
  checked,
  difference,
  main,
  type RunOptions,
  type RunResult,
  randomFloats,
  readPtx,
} from "./support.ts";

const TILE = 256;
const SOFTENING = 0.01;

/** One step in f64; changes positions and velocities (x, y, z, w of each body). */
function referenceStep(n: number, dt: number, positions: Float64Array, velocities: Float64Array) {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const dx = positions[4 * j]! - positions[4 * i]!;
      const dy = positions[4 * j + 1]! - positions[4 * i + 1]!;
      const dz = positions[4 * j + 2]! - positions[4 * i + 2]!;
      const square = dx * dx + dy * dy + dz * dz + SOFTENING;
      const pull = (positions[4 * j + 3]! * dt) / (square * Math.sqrt(square));
      velocities[4 * i]! += dx * pull;
      velocities[4 * i + 1]! += dy * pull;
      velocities[4 * i + 2]! += dz * pull;
    }
  }
  for (let i = 0; i < 4 * n; i++) if (i % 4 < 3) positions[i]! += velocities[i]! * dt;
}

/**
 * Four steps of a thousand bodies. Positions must be within 10⁻⁵ of the f64 reference: rsqrtf is
 * approximate (2 units in the last place), and a thousand f32 additions round.
 */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const n = 1000;
  const steps = 4;
  const dt = Math.fround(0.001);
  const bodies = randomFloats(4 * n, 9); // x, y, z and mass in [0, 1)

  using device = await Device.open();
  using module = device.loadModule(await readPtx("nbody"));
  const nbodyStep = module.kernel("nbodyStep");
  using even = device.upload(bodies);
  using odd = device.alloc(4 * 4 * n);
  using velocities = device.upload(new Float32Array(4 * n));
  log(`${n} bodies, ${steps} steps of ${n * n} interactions`);

  const start = performance.now();
  for (let step = 0; step < steps; step++) {
    const [from, to] = step % 2 === 0 ? [even, odd] : [odd, even];
    nbodyStep.launch({ grid: Math.ceil(n / TILE), block: TILE }, n, f32(dt), from, to, velocities);
  }
  device.synchronize();
  const ms = performance.now() - start;

  const positions = Float64Array.from(bodies);
  const speeds = new Float64Array(4 * n);
  for (let step = 0; step < steps; step++) referenceStep(n, dt, positions, speeds);
  const wrong = difference((steps % 2 === 0 ? even : odd).toArray(Float32Array), positions, 1e-5);
  return checked(`${n} bodies, ${steps} steps`, wrong, ms, "within 1e-5");
}

if (import.meta.main) await main(run);
