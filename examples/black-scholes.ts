/** Option prices by the Black-Scholes formula. */
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

const RATE = Math.fround(0.02);
const VOLATILITY = Math.fround(0.3);

/** The polynomial of the kernel, in f64. */
function normalCdf(d: number): number {
  const k = 1 / (1 + 0.2316419 * Math.abs(d));
  const series =
    k *
    (0.31938153 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))));
  const tail = (Math.exp(-0.5 * d * d) / Math.sqrt(2 * Math.PI)) * series;
  return d > 0 ? 1 - tail : tail;
}

/** Call and put price of one option, in f64. */
function price(s: number, x: number, t: number): [call: number, put: number] {
  const spread = VOLATILITY * Math.sqrt(t);
  const d1 = (Math.log(s / x) + (RATE + 0.5 * VOLATILITY * VOLATILITY) * t) / spread;
  const d2 = d1 - spread;
  const later = x * Math.exp(-RATE * t);
  return [
    s * normalCdf(d1) - later * normalCdf(d2),
    later * (1 - normalCdf(d2)) - s * (1 - normalCdf(d1)),
  ];
}

/**
 * 200,000 options. Prices up to 100 must be within 5e-5 of the f64 reference, a few units in the last
 * place of the f32 terms which they are differences of.
 */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const n = 200_000;
  const spot = randomFloats(n, 12, 5, 30);
  const strike = randomFloats(n, 13, 1, 100);
  const years = randomFloats(n, 14, 0.25, 10);

  using device = await Device.open();
  using module = device.loadModule(await readPtx("black-scholes"));
  const blackScholes = module.kernel("blackScholes");
  using deviceSpot = device.upload(spot);
  using deviceStrike = device.upload(strike);
  using deviceYears = device.upload(years);
  using call = device.alloc(4 * n);
  using put = device.alloc(4 * n);
  log(`${n} options, interest ${RATE.toFixed(2)}, volatility ${VOLATILITY.toFixed(2)}`);

  const start = performance.now();
  blackScholes.launch(
    { grid: Math.ceil(n / 256), block: 256 },
    ...[n, deviceSpot, deviceStrike, deviceYears, f32(RATE), f32(VOLATILITY), call, put],
  );
  device.synchronize();
  const ms = performance.now() - start;

  const prices = Array.from({ length: n }, (_, i) => price(spot[i]!, strike[i]!, years[i]!));
  const calls = prices.map(([c]) => c);
  const puts = prices.map(([, p]) => p);
  const wrong =
    difference(call.toArray(Float32Array), calls, 5e-5) ||
    difference(put.toArray(Float32Array), puts, 5e-5);
  return checked(`${n} options`, wrong, ms, "within 5e-5");
}

if (import.meta.main) await main(run);
