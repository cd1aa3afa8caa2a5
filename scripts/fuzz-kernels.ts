/**
 * Runs random kernels on the virtual GPU in every way that there is, and compares all outcomes with
 * those of a plain interpreter:
 *
 *   npm run fuzz:kernels -- [--count N] [--seed S] [--first K] [--print]
 *
 * The interpreter (`scripts/kernels/interpret.ts`) shares nothing with the compiler but the parser.
 * `--first K --count 1 --print` shows one kernel. The last line is `N passed, N failed`.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { Device } from "../index.ts";
import { difference } from "./kernels/compare.ts";
import { BODY, type Generated, generate, inputWords } from "./kernels/generate.ts";
import { interpret, type Outcome } from "./kernels/interpret.ts";

/** A way to run kernels: options of the device, or another kernel that must compute the same. */
interface Strategy {
  name: string;
  options: NonNullable<Parameters<typeof Device.open>[0]>;
  /** Changes the kernel without changing what it computes. */
  rewrite?: (ptx: string) => string;
}

/**
 * Takes a branch around nothing that only half of the threads take, so that the body starts with
 * the threads of a group parted and joined again.
 */
function parted(ptx: string): string {
  return ptx.replace(
    BODY,
    "and.b32 %x0, %t, 1; setp.ne.u32 %xp, %x0, 0; @%xp bra PARTED; mov.b32 %x1, %x0; PARTED:",
  );
}

/** Puts the body into a loop of one round whose end only run time knows. */
function looped(ptx: string): string {
  return ptx
    .replace(BODY, "mov.b32 %loop3, 0; AGAIN:")
    .replace(/ret;\n\}\n$/, "setp.ne.u32 %xp, %loop3, 0; @%xp bra AGAIN; ret;\n}\n");
}

const SCALAR = new URL("./kernels/scalar-executor.ts", import.meta.url).href;
const GROUPS = new URL("./kernels/group-executor.ts", import.meta.url).href;
const POOL = new URL("./kernels/pool-executor.ts", import.meta.url).href;
const SCALAR_POOL = new URL("./kernels/scalar-pool-executor.ts", import.meta.url).href;

export const STRATEGIES: readonly Strategy[] = [
  // One thread alone, which has a form of its own for atomics; then several.
  { name: "lane groups", options: { workers: 0, executor: GROUPS } },
  { name: "thread by thread", options: { workers: 0, executor: SCALAR } },
  { name: "two threads", options: { workers: 1, executor: POOL } },
  { name: "thread by thread on two", options: { workers: 1, executor: SCALAR_POOL } },
  { name: "unfused arithmetic", options: { workers: 1, fma: "unfused" }, rewrite: withoutFma },
  { name: "parted threads", options: { workers: 1, executor: GROUPS }, rewrite: parted },
  { name: "in a loop", options: { workers: 1, executor: GROUPS }, rewrite: looped },
];

/** A kernel without fma, whose result may differ where the engine doesn't fuse. */
function withoutFma(ptx: string): string {
  return ptx.includes("fma.") ? "" : ptx;
}

/** Runs kernels one after the other on one device; a fault makes the next start a new one. */
export class Runner {
  readonly strategy: Strategy;
  #device: Device | undefined;

  constructor(strategy: Strategy) {
    this.strategy = strategy;
  }

  /** What the kernel leaves behind; undefined if the strategy doesn't apply to it. */
  async run(generated: Generated, input: Uint32Array): Promise<Outcome | undefined> {
    const ptx = this.strategy.rewrite?.(generated.ptx) ?? generated.ptx;
    if (ptx === "") return undefined;
    this.#device ??= await Device.open(this.strategy.options);
    const device = this.#device;
    const { dialect } = generated;
    try {
      using module = device.loadModule(ptx);
      const buffers = [
        device.upload(input.slice()),
        device.alloc(generated.grid * generated.block * dialect.outputWords * 4).fill(0),
        device.alloc(dialect.counterWords * 4).fill(0),
      ] as const;
      const shape = { grid: generated.gridShape, block: generated.blockShape };
      module.kernel("k").launch(shape, ...buffers);
      const output = buffers[1].toArray(Uint32Array);
      const counters = buffers[2].toArray(Uint32Array);
      for (const buffer of buffers) buffer.free();
      return { output, counters };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#device?.close();
    this.#device = undefined;
  }
}

/** Runs kernel `index` of a seed in every way: what went wrong, one line each. */
export async function runKernel(
  runners: readonly Runner[],
  seed: number,
  index: number,
): Promise<string[]> {
  const generated = generate(seed, index);
  const input = inputWords(seed + index);
  let want: Outcome;
  try {
    want = interpret(generated, input);
  } catch (error) {
    return [`interpreter: ${error instanceof Error ? error.message : String(error)}`];
  }
  const failures: string[] = [];
  for (const runner of runners) {
    let reason: string | undefined;
    try {
      const got = await runner.run(generated, input);
      reason = got === undefined ? undefined : difference(generated, want, got);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    if (reason !== undefined) failures.push(`${runner.strategy.name}: ${reason}`);
  }
  return failures;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      count: { type: "string", default: "500" },
      seed: { type: "string", default: "1" },
      first: { type: "string", default: "0" },
      print: { type: "boolean", default: false },
    },
  });
  const [count, seed, first] = [values.count, values.seed, values.first].map(Number);
  if (![count, seed, first].every((n) => Number.isSafeInteger(n) && (n as number) >= 0)) {
    console.error("--count, --seed and --first are whole numbers");
    process.exitCode = 2;
    return;
  }
  if (values.print) console.log("%s", generate(seed as number, first as number).ptx);
  const runners = STRATEGIES.map((strategy) => new Runner(strategy));
  let failed = 0;
  const end = (first as number) + (count as number);
  for (let index = first as number; index < end; index++) {
    const failures = await runKernel(runners, seed as number, index);
    if (failures.length > 0) failed++;
    for (const failure of failures.slice(0, failed > 20 ? 0 : 5)) {
      console.log("%s", `kernel ${index} (--seed ${seed} --first ${index}): ${failure}`);
    }
    if (process.stdout.isTTY)
      process.stdout.write(`\r${index + 1 - (first as number)} of ${count} `);
  }
  if (process.stdout.isTTY) process.stdout.write("\r");
  for (const runner of runners) runner.close();
  console.log(
    `each kernel ran in ${runners.length} ways: ${runners.map((r) => r.strategy.name).join(", ")}`,
  );
  console.log(`${(count as number) - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

if (process.argv[1]?.endsWith("fuzz-kernels.ts")) await main();
