/** `warpring demo`: a handful of the examples, each with its check, size, time and file. */
import process from "node:process";
import type { Run } from "../examples/support.ts";
import { loadArtifacts, openKernelCache } from "../runtime/exec/index.ts";
import { type Command, CommandError, EXIT_FAILURE, EXIT_OK, stringOption } from "./command.ts";
import { kernelCacheFolder, NO_CACHE } from "./kernel-cache.ts";
import { formatTime, Progress, print, styled, table } from "./terminal.ts";

/** All examples, by name. */
const EXAMPLES: Record<string, () => Promise<{ run: Run }>> = {
  assert: () => import("../examples/assert.ts"),
  "bitonic-sort": () => import("../examples/bitonic-sort.ts"),
  "black-scholes": () => import("../examples/black-scholes.ts"),
  graphs: () => import("../examples/graphs.ts"),
  heat: () => import("../examples/heat.ts"),
  histogram: () => import("../examples/histogram.ts"),
  life: () => import("../examples/life.ts"),
  mandelbrot: () => import("../examples/mandelbrot.ts"),
  nbody: () => import("../examples/nbody.ts"),
  printf: () => import("../examples/printf.ts"),
  reduce: () => import("../examples/reduce.ts"),
  saxpy: () => import("../examples/saxpy.ts"),
  scan: () => import("../examples/scan.ts"),
  sgemm: () => import("../examples/sgemm.ts"),
  "vector-add": () => import("../examples/vector-add.ts"),
};

/** What is shown unless names are given: quick ones, and one that makes a picture. */
const SHOWN = [
  "vector-add",
  "sgemm",
  "reduce",
  "histogram",
  "scan",
  "nbody",
  "black-scholes",
  "life",
  "mandelbrot",
  "printf",
];

/** The `demo` command. */
export const demo: Command = {
  name: "demo",
  operands: "[NAME...]",
  count: [0, Object.keys(EXAMPLES).length],
  summary: "run some of the examples: kernels from nvcc, checked against plain TypeScript",
  options: {
    out: { type: "string", value: "FOLDER", help: "where pictures go (out)" },
    "no-cache": NO_CACHE,
  },
  async run(args) {
    const names = args.operands.length > 0 ? args.operands : SHOWN;
    for (const name of names) {
      if (Object.hasOwn(EXAMPLES, name)) continue;
      const known = Object.keys(EXAMPLES).join(", ");
      throw new CommandError(`demo: no example ${name}; there are ${known}`);
    }
    const directory = stringOption(args, "out");
    const artifacts = await loadArtifacts();
    const folder = kernelCacheFolder(args);
    if (folder !== undefined) artifacts.cache = await openKernelCache(folder);
    const { fusedMultiplyAdd } = artifacts;
    const fma = fusedMultiplyAdd ? "by the engine" : "in software";
    print(`CUDA kernels compiled by nvcc, on a virtual GPU in ${runtimeName()}.`);
    print(`Each result is checked. Fused multiply-add: exact, ${fma}.`);
    print();
    return (await runAll(names, directory)) ? EXIT_OK : EXIT_FAILURE;
  },
};

/** The JavaScript runtime and its version: `Bun 1.4.5`. */
function runtimeName(): string {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  if (bun !== undefined) return `Bun ${bun}`;
  if (deno !== undefined) return `Deno ${deno}`;
  return `Node ${node}`;
}

/** Runs the examples by name, printing a line each; returns whether all were right. */
async function runAll(names: string[], directory: string | undefined): Promise<boolean> {
  const started = performance.now();
  const width = Math.max(...names.map((name) => name.length));
  let wrong = 0;
  for (const name of names) {
    const progress = new Progress();
    progress.step(`running ${name}`, process.stderr.isTTY);
    const load = EXAMPLES[name];
    if (!load) continue;
    const lines: string[] = [];
    const { run } = await load();
    const result = await run({
      log: (line) => lines.push(line),
      ...(directory === undefined ? {} : { directory }),
    });
    progress.done();
    if (!result.ok) wrong++;
    const mark = result.ok ? styled("green", "ok   ") : styled("red", "WRONG");
    const [row] = table([
      [mark, name.padEnd(width), formatTime(result.ms).padStart(8), result.summary],
    ]);
    print(row);
    for (const line of lines) print(styled("dim", `      ${line}`));
    if (result.file) print(`      ${styled("bold", result.file)}`);
  }
  print();
  const took = formatTime(performance.now() - started);
  print(
    wrong === 0
      ? `${names.length} of ${names.length} computed what plain TypeScript computes (${took})`
      : `${wrong} of ${names.length} computed something else (${took})`,
  );
  return wrong === 0;
}
