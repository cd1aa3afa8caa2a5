/**
 * The benchmark: the same kernels on warpring and on every peer that is present, side by side.
 *
 *   npm run bench -- [--filter TEXT] [--quick] [--runs N] [--runtime bun|deno] [--fma exact|unfused]
 *                    [--all] [--json FILE] [--svg FILE] [--doc]
 *
 * Outputs of all are compared first; a figure whose output differs is not shown, and the exit code is
 * then 1. `--all` measures three configurations of warpring (Deno exact, Bun unfused, Bun exact) in
 * one run; `--doc` writes docs/performance.md's tables and its chart from this run.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { drawChart } from "./chart.ts";
import type { Answer } from "./line-process.ts";
import {
  askOnce,
  findPeers,
  outputFile,
  type PeerName,
  peerNames,
  peerTitles,
  poclLatency,
  readOutput,
  runtimePath,
  start,
  startPeer,
} from "./peers.ts";
import { median, type Problem, problems } from "./problems.ts";
import { type Contender, race } from "./race.ts";
import {
  type Configuration,
  configurationTitle,
  type KernelFigures,
  type Measurements,
  printTable,
  writeDocument,
} from "./report.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const warpringProgram = join(root, "bench", "warpring.ts");

const { values: options } = parseArgs({
  options: {
    filter: { type: "string" },
    quick: { type: "boolean", default: false },
    runs: { type: "string", default: "5" },
    runtime: { type: "string" },
    fma: { type: "string", default: "exact" },
    all: { type: "boolean", default: false },
    json: { type: "string" },
    svg: { type: "string" },
    doc: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

/** Ends with a message on what is wrong with the command line. */
function usage(message: string): never {
  console.error(`${message}\n`);
  console.error(
    "bench [--filter TEXT] [--quick] [--runs N] [--runtime bun|deno] [--fma exact|unfused] [--all]",
  );
  console.error("      [--json FILE] [--svg FILE] [--doc]");
  process.exit(2);
}

if (options.help) usage("Times the kernels on warpring and on the peers that are present.");
const here = "Deno" in globalThis ? "deno" : "bun";
const runtime = options.runtime ?? here;
if (runtime !== "bun" && runtime !== "deno") usage(`--runtime ${runtime}: bun or deno`);
const fma = options.fma;
if (fma !== "exact" && fma !== "unfused") usage(`--fma ${fma}: exact or unfused`);
const runs = Number(options.runs);
if (!Number.isInteger(runs) || runs < 5 || runs > 64) usage("--runs: from 5 to 64");

const wanted = problems.filter(({ name }) => !options.filter || name.includes(options.filter));
if (wanted.length === 0) usage(`no kernel's name has "${options.filter}" in it`);
const size = (problem: Problem): number => problem.size[options.quick ? "quick" : "full"];

const configurations: Configuration[] = options.all
  ? [
      { runtime: "deno", fma: "exact" },
      { runtime: "bun", fma: "unfused" },
      { runtime: "bun", fma: "exact" },
    ]
  : [{ runtime, fma }];

/** A line that says what is being measured, on a terminal only. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** Starts bench/warpring.ts in a configuration. */
function startWarpring({ runtime, fma }: Configuration, args: readonly string[]) {
  const flags = runtime === "deno" ? ["run", "-A"] : ["run"];
  return start(runtimePath(runtime), [...flags, warpringProgram, `--fma=${fma}`, ...args]);
}

/** What the programs are told of --quick. */
const quick = options.quick ? ["--quick"] : [];
const failures: string[] = [];

/** Names warpring's contender in the race: in a configuration, with one thread or all. */
const keyOf = ({ runtime, fma }: Configuration, threads: 0 | 1): string =>
  `warpring-${runtime}-${fma}-${threads}`;

/** Everybody who takes part in a kernel's race. */
function contenders(problem: Problem, found: ReadonlySet<PeerName>): Contender[] {
  const n = size(problem);
  // WGSL has no f64: this kernel is absent there, not failed.
  const peers = peerNames.filter(
    (peer) => found.has(peer) && (peer !== "webgpu" || problem.name !== "dgemm"),
  );
  const ours = configurations.flatMap((configuration) =>
    ([0, 1] as const).map((threads): Contender => {
      const key = keyOf(configuration, threads);
      const output = outputFile(key, problem.name);
      const title = `${configurationTitle(configuration)}, ${threads || "all"} threads`;
      return {
        key,
        title,
        start: () =>
          startWarpring(configuration, [
            ...[`--workers=${threads}`, `--output=${output}`, ...quick],
            ...[problem.name, String(n)],
          ]),
        output: () => readOutput(key, problem.name),
      };
    }),
  );
  return [
    ...peers.map(
      (peer): Contender => ({
        key: peer,
        title: peerTitles[peer],
        start: () => startPeer(peer, problem.name, n),
        output: () => readOutput(peer, problem.name),
      }),
    ),
    ...ours,
  ];
}

/** A kernel's figures in one configuration. */
function kernelFigures(
  problem: Problem,
  configuration: Configuration,
  times: ReadonlyMap<string, number>,
): KernelFigures {
  const figure = (key: string): number | null => times.get(key) ?? null;
  return {
    name: problem.name,
    elements: problem.elements(size(problem)),
    warpring_ms: figure(keyOf(configuration, 0)),
    warpring_1_worker_ms: figure(keyOf(configuration, 1)),
    peers: {
      pocl_ms: figure("pocl"),
      webgpu_ms: figure("webgpu"),
      native_ms: figure("native"),
      native_sse_ms: figure("native_sse"),
    },
  };
}

/** One answer of a program, or nothing and a failure. */
async function attempt(title: string, ask: () => Promise<Answer>): Promise<Answer> {
  progress(title);
  try {
    return await ask();
  } catch (error) {
    failures.push(`${title}: ${(error as Error).message}`);
    return {};
  }
}

/** Medians by field over several answers; null where none has it. */
function medians(answers: readonly Answer[], field: string): number | null {
  const values = answers.map((answer) => answer[field]).filter((v) => typeof v === "number");
  return values.length > 0 ? median(values) : null;
}

/** Latencies of PoCL and of each configuration: processes in turns, since only a first build is cold. */
async function measureLatencies(withPocl: boolean): Promise<Measurements["latency"][]> {
  const pocl: Answer[] = [];
  const ours: Answer[][] = configurations.map(() => []);
  for (let r = 0; r < runs; r++) {
    if (withPocl) pocl.push(await attempt("PoCL, latencies", poclLatency));
    for (const [k, configuration] of configurations.entries()) {
      const args = ["latency", ...quick];
      const ask = () => askOnce(startWarpring(configuration, args));
      ours[k]!.push(await attempt(`${configurationTitle(configuration)}, latencies`, ask));
    }
  }
  return ours.map((answers) => ({
    launch_us: medians(answers, "launch_us"),
    launch_async_us: medians(answers, "launch_async_us"),
    round_trip_us: medians(answers, "round_trip_us"),
    open_ms: medians(answers, "open_ms"),
    cold_ms: medians(answers, "cold_ms"),
    cold_next_ms: medians(answers, "cold_next_ms"),
    pocl_launch_us: medians(pocl, "launch_us"),
    pocl_open_ms: medians(pocl, "open_ms"),
    pocl_cold_ms: medians(pocl, "cold_ms"),
  }));
}

/** Copies and saxpy by size in one configuration. */
async function measureSizes(configuration: Configuration) {
  const args = [`--runs=${runs}`, ...quick];
  const ask = (what: string): Promise<Answer> =>
    attempt(`${configurationTitle(configuration)}, ${what}`, () =>
      askOnce(startWarpring(configuration, [what, ...args])),
    );
  const copies = await ask("copies");
  const { sweep } = await ask("sweep");
  const number = (name: string): number | null => medians([copies], name);
  return {
    copy: {
      h2d_gbps: number("h2d_gbps"),
      d2h_gbps: number("d2h_gbps"),
      typed_array_set_gbps: number("typed_array_set_gbps"),
      sizes: (copies["copies"] as Measurements["copy"]["sizes"]) ?? [],
    },
    saxpy_ns_per_element: (sweep as Measurements["saxpy_ns_per_element"]) ?? [],
  };
}

const found = findPeers();
const names = peerNames.filter((peer) => found.has(peer)).map((peer) => peerTitles[peer]);
console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? "unknown CPU"}`);
console.log(`peers: ${names.join(", ") || "none is installed; nothing to compare with"}`);

const kernels: KernelFigures[][] = configurations.map(() => []);
for (const problem of wanted) {
  const result = await race(problem, contenders(problem, found), runs, (what) =>
    progress(`${problem.name}: ${what}`),
  );
  failures.push(...result.failures);
  for (const [k, configuration] of configurations.entries()) {
    kernels[k]!.push(kernelFigures(problem, configuration, result.times));
  }
}
const latencies = await measureLatencies(found.has("pocl"));
const all: Measurements[] = [];
for (const [k, configuration] of configurations.entries()) {
  const sizes = await measureSizes(configuration);
  all.push({ ...configuration, kernels: kernels[k]!, latency: latencies[k]!, ...sizes });
}
progress("");
for (const measured of all) console.log(printTable(measured, wanted));

const first = all[0]!;
if (options.json) {
  const json = { ...first, ...(all.length > 1 ? { configurations: all } : {}) };
  writeFileSync(options.json, `${JSON.stringify(json, undefined, 1)}\n`);
  console.log(`wrote ${options.json}`);
}
if (options.svg) {
  writeFileSync(options.svg, drawChart(all, wanted));
  console.log(`wrote ${options.svg}`);
}
if (options.doc) {
  const chart = join(root, "docs", "performance.svg");
  const document = join(root, "docs", "performance.md");
  writeFileSync(chart, drawChart(all, wanted));
  writeDocument(document, all, wanted);
  console.log("wrote docs/performance.md and docs/performance.svg");
}
for (const failure of failures) console.error(`failed: ${failure}`);
process.exit(failures.length > 0 ? 1 : 0);
