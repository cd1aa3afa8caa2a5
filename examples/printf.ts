/** printf inside a kernel. */
import { Device } from "../index.ts";
import {
  checked,
  main,
  type RunOptions,
  type RunResult,
  randomFloats,
  readPtx,
} from "./support.ts";

const BLOCKS = 2;
const THREADS = 4;

/** What printf's conversions in the kernel make of one thread's values. */
function expectedLine(name: string, i: number, value: number): string {
  const block = Math.floor(i / THREADS);
  const thread = String(i % THREADS).padStart(2);
  const hex = (i === 0 ? "0" : `0x${(i * 17).toString(16).padStart(4, "0")}`).padStart(6, "0");
  return `${name}: block ${block} thread ${thread} value ${value.toFixed(3).padStart(8)} hex ${hex}`;
}

/** Two blocks of four threads say hello. The lines may come in any order; each must be there once. */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const n = BLOCKS * THREADS;
  const values = randomFloats(n, 16, -1000, 1000);
  const name = "warpring";
  let text = "";
  const decoder = new TextDecoder();
  const stdout = (bytes: Uint8Array): void => {
    text += decoder.decode(bytes, { stream: true });
  };

  using device = await Device.open({ stdout });
  using module = device.loadModule(await readPtx("printf"));
  const greet = module.kernel("greet");
  using deviceValues = device.upload(values);
  using deviceName = device.upload(new TextEncoder().encode(`${name}\0`));

  const start = performance.now();
  greet.launch({ grid: BLOCKS, block: THREADS }, deviceValues, deviceName);
  device.synchronize();
  const ms = performance.now() - start;

  const lines = text.split("\n");
  for (const line of lines) if (line) log(line);
  const scientific = values[0]!.toExponential(2).replace(/e([+-])(\d)$/, "e$10$2");
  const expected = [
    "",
    ...Array.from(values, (value, i) => expectedLine(name, i, value)),
    `long 1234567890123, char 'w', scientific ${scientific}, percent 100%`,
  ];
  const actual = lines.sort().join("\n");
  const wrong = actual === expected.sort().join("\n") ? "" : `printed ${JSON.stringify(text)}`;
  return checked(`${expected.length - 1} lines`, wrong, ms, "as printed by C");
}

if (import.meta.main) await main(run);
