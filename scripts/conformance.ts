/**
 * Runs recorded instruction cases on the virtual GPU:
 *
 *   npm run conformance -- [DIR] [--runtime bun|deno] [--filter REGEX] [--strategy NAME]
 *
 * NAME is scalar (thread by thread), simd (lane groups), workers (lane groups on two threads) or all
 * (the default). DIR is a folder as tests/conformance/README.md describes it (default: the recorded cases of the
 * project). Prints a table by instruction family, every failing case with its first wrong element, and
 * last `N passed, N failed`. A case passes if it is right with all lanes active and, where it has no
 * operation of the warp or block, with the odd lanes inactive too.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadOracle } from "../tests/conformance/oracle.ts";
import { type CaseResult, CaseRunner } from "../tests/conformance/run.ts";
import { STRATEGY_NAMES } from "../tests/conformance/strategies.ts";

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  options: {
    runtime: { type: "string" },
    filter: { type: "string" },
    strategy: { type: "string" },
  },
  allowPositionals: true,
});

const current = "Deno" in globalThis ? "deno" : "bun";
const wanted = values.runtime ?? current;
if (wanted !== "bun" && wanted !== "deno") {
  console.error(`--runtime is bun or deno, not ${wanted}`);
  process.exit(2);
}
if (positionals.length > 1) {
  console.error(`one folder, not ${positionals.join(" ")}`);
  process.exit(2);
}
const chosen = STRATEGY_NAMES.filter(
  (name) => (values.strategy ?? "all") === "all" || name === values.strategy,
);
if (chosen.length === 0) {
  console.error(`--strategy is ${STRATEGY_NAMES.join(", ")} or all, not ${values.strategy}`);
  process.exit(2);
}
process.exitCode = wanted === current ? await runHere() : runIn(wanted);

/** Starts this script in the other runtime; its exit code. */
function runIn(runtime: "bun" | "deno"): number {
  const command = fileURLToPath(new URL(`../node_modules/.bin/${runtime}`, import.meta.url));
  const flags = runtime === "deno" ? ["run", "-A"] : ["run"];
  const started = spawnSync(
    command,
    [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)],
    { stdio: "inherit" },
  );
  if (started.error) throw started.error;
  return started.status ?? 1;
}

/** One row of the table. */
interface Row {
  cases: number;
  passed: number;
  repeated: number;
  repeatPassed: number;
}

function printTable(results: CaseResult[]): void {
  const families = new Map<string, Row>();
  const total: Row = { cases: 0, passed: 0, repeated: 0, repeatPassed: 0 };
  for (const result of results) {
    let row = families.get(result.family);
    if (!row) {
      row = { cases: 0, passed: 0, repeated: 0, repeatPassed: 0 };
      families.set(result.family, row);
    }
    for (const r of [row, total]) {
      r.cases++;
      if (result.failure === undefined) r.passed++;
      if (result.repeated) r.repeated++;
      if (result.repeated && result.repeatFailure === undefined) r.repeatPassed++;
    }
  }
  const width = Math.max(8, ...[...families.keys()].map((f) => f.length));
  const line = (name: string, ...cells: (string | number)[]): void =>
    console.log(name.padEnd(width) + cells.map((c) => String(c).padStart(15)).join(""));
  line("family", "cases", "passed", "odd lanes off", "passed");
  for (const [name, row] of [...families].sort(([a], [b]) => (a < b ? -1 : 1))) {
    line(name, row.cases, row.passed, row.repeated, row.repeatPassed);
  }
  line("all", total.cases, total.passed, total.repeated, total.repeatPassed);
}

/** Runs the folder in this runtime; the exit code. */
async function runHere(): Promise<number> {
  const folder =
    positionals[0] ?? fileURLToPath(new URL("../tests/conformance/data", import.meta.url));
  const filter = values.filter === undefined ? undefined : new RegExp(values.filter);
  const oracle = loadOracle(folder);
  const results: CaseResult[] = [];
  const started = performance.now();
  for (const strategy of chosen) {
    const runner = new CaseRunner(oracle, strategy);
    for (const [index, entry] of oracle.cases.entries()) {
      if (filter && !filter.test(entry.name)) continue;
      const result = await runner.run(index);
      results.push({ ...result, name: `${result.name}, ${strategy}` });
    }
    runner.close();
  }
  printTable(results);
  let failed = 0;
  for (const { name, failure, repeatFailure } of results) {
    if (failure !== undefined || repeatFailure !== undefined) failed++;
    if (failure !== undefined) console.log(`FAIL ${name}: ${failure}`);
    if (repeatFailure !== undefined) console.log(`FAIL ${name}, odd lanes off: ${repeatFailure}`);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${results.length} cases (${chosen.join(", ")}) in ${current}, ${seconds} s`);
  console.log(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 && results.length > 0 ? 0 : 1;
}
