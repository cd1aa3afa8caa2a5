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
import {
  findPeers,
  folder,
  type Job,
  type PeerName,
  type PeerResult,
  peerNames,
  peerTitles,
  poclLatency,
  readOutput,
  runJobs,
  runLines,
  runPeer,
  runtimePath,
} from "./peers.ts";
import { compareOutputs, median, type Problem, problems } from "./problems.ts";
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
const jobs: Job[] = wanted.map((problem) => ({ name: problem.name, n: size(problem) }));

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

/** The command that starts bench/warpring.ts in a configuration. */
function warpringCommand(
  { runtime, fma }: Configuration,
  args: readonly string[],
): readonly [string, readonly string[]] {
  const flags = runtime === "deno" ? ["run", "-A"] : ["run"];
  return [runtimePath(runtime), [...flags, warpringProgram, `--fma=${fma}`, ...args]];
}

const failures: string[] = [];

/** Runs all kernels on the peers. Returns medians by kernel and peer, null where there is none. */
async function measurePeers(found: ReadonlySet<PeerName>) {
  const figures = new Map<string, Record<PeerName, number | null>>();
  for (const { name } of jobs) {
    figures.set(name, { pocl: null, webgpu: null, native: null, native_sse: null });
  }
  for (const peer of peerNames) {
    if (!found.has(peer)) continue;
    progress(`${peerTitles[peer]}…`);
    // WGSL has no f64: this kernel is absent there, not failed.
    const possible = jobs.filter(({ name }) => peer !== "webgpu" || name !== "dgemm");
    await runPeer(peer, possible, runs, (name, result) => {
      progress(`${peerTitles[peer]}: ${name}`);
      if (result.ms) figures.get(name)![peer] = median(result.ms);
      else failures.push(`${peerTitles[peer]}, ${name}: ${result.error}`);
    });
  }
  return figures;
}

/** The first peer whose output of a kernel is there: the outputs that the others are held against. */
function reference(peers: Readonly<Record<PeerName, number | null>>) {
  const order: PeerName[] = ["native_sse", "native", "pocl", "webgpu"];
  return order.find((peer) => peers[peer] !== null);
}

/** Compares the outputs of the peers with each other and strikes out those which differ. */
function checkPeers(figures: Map<string, Record<PeerName, number | null>>): void {
  for (const problem of wanted) {
    const row = figures.get(problem.name)!;
    const base = reference(row);
    if (!base) continue;
    const expected = readOutput(base, problem.name);
    for (const peer of peerNames) {
      if (row[peer] === null || peer === base) continue;
      const wrong = compareOutputs(problem, readOutput(peer, problem.name), expected);
      if (!wrong) continue;
      failures.push(`${peerTitles[peer]}, ${problem.name}: output differs: ${wrong}`);
      row[peer] = null;
    }
  }
}

/** Runs all kernels on warpring in one configuration and checks each output against a peer's. */
async function measureWarpring(
  configuration: Configuration,
  peers: Map<string, Record<PeerName, number | null>>,
): Promise<Measurements> {
  const title = configurationTitle(configuration);
  const results: Map<string, PeerResult>[] = [];
  for (const workers of [0, 1]) {
    const results1 = new Map<string, PeerResult>();
    results.push(results1);
    const start = (rest: readonly Job[]) =>
      warpringCommand(configuration, [
        ...[`--workers=${workers}`, `--runs=${runs}`, `--folder=${folder}`],
        ...rest.map(({ name, n }) => `${name}=${n}`),
      ]);
    await runJobs(jobs, start, (name, result) => {
      progress(`${title}, ${workers || "all"} workers: ${name}`);
      results1.set(name, result);
      const problem = wanted.find((p) => p.name === name)!;
      const row = peers.get(name)!;
      const base = reference(row);
      if (result.error) {
        failures.push(`${title}, ${name}: ${result.error}`);
      } else if (base) {
        const wrong = compareOutputs(problem, readOutput("warpring", name), readOutput(base, name));
        if (wrong) {
          failures.push(`${title}, ${name}: output differs from ${peerTitles[base]}: ${wrong}`);
          results1.set(name, { error: "wrong output" });
        }
      }
    });
  }
  const middle = (result?: PeerResult): number | null => (result?.ms ? median(result.ms) : null);
  const kernels: KernelFigures[] = wanted.map((problem) => {
    const row = peers.get(problem.name)!;
    return {
      name: problem.name,
      elements: problem.elements(size(problem)),
      warpring_ms: middle(results[0]!.get(problem.name)),
      warpring_1_worker_ms: middle(results[1]!.get(problem.name)),
      peers: {
        pocl_ms: row.pocl,
        webgpu_ms: row.webgpu,
        native_ms: row.native,
        native_sse_ms: row.native_sse,
      },
    };
  });

  progress(`${title}: latencies and copies`);
  let extra: Record<string, unknown> = {};
  const [command, args] = warpringCommand(configuration, [
    ...["--extra", `--runs=${runs}`],
    ...(options.quick ? ["--quick"] : []),
  ]);
  const failed = await runLines(command, args, 180, (line) => {
    extra = { ...extra, ...line };
  });
  if (failed) failures.push(`${title}, latencies: ${failed}`);
  const number = (name: string): number | null =>
    typeof extra[name] === "number" ? extra[name] : null;
  return {
    ...configuration,
    kernels,
    latency: {
      launch_us: number("launch_us"),
      launch_async_us: number("launch_async_us"),
      round_trip_us: number("round_trip_us"),
      cold_ms: number("cold_ms"),
      cold_next_ms: number("cold_next_ms"),
      pocl_launch_us: null,
      pocl_cold_ms: null,
    },
    copy: {
      h2d_gbps: number("h2d_gbps"),
      d2h_gbps: number("d2h_gbps"),
      typed_array_set_gbps: number("typed_array_set_gbps"),
      sizes: (extra["copies"] as Measurements["copy"]["sizes"]) ?? [],
    },
    saxpy_ns_per_element: (extra["sweep"] as Measurements["saxpy_ns_per_element"]) ?? [],
  };
}

const found = findPeers();
const names = peerNames.filter((peer) => found.has(peer)).map((peer) => peerTitles[peer]);
console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? "unknown CPU"}`);
console.log(`peers: ${names.join(", ") || "none is installed; nothing to compare with"}`);

const peerFigures = await measurePeers(found);
checkPeers(peerFigures);
progress("PoCL: latencies");
const pocl = found.has("pocl") ? await poclLatency(runs) : undefined;

const all: Measurements[] = [];
for (const configuration of configurations) {
  const measured = await measureWarpring(configuration, peerFigures);
  measured.latency.pocl_launch_us = pocl ? median(pocl.launch_us) : null;
  measured.latency.pocl_cold_ms = pocl ? median(pocl.cold_ms) : null;
  progress("");
  console.log(printTable(measured, wanted));
  all.push(measured);
}
progress("");

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
