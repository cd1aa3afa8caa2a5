/**
 * Fuzzes the PTX compiler with mutants of real modules:
 *
 *   npm run fuzz:ptx -- [--count N] [--seed S] [--first K] [--parse] [--print]
 *
 * Each mutant must be refused with a PtxError or become valid WebAssembly, within two seconds; nothing
 * may crash, hang or take memory without bound. `--first K --count 1 --print` shows one mutant again;
 * `--parse` stops after the parser. Mutants are compiled in a Worker, which is stopped if it hangs.
 * The last line is `N passed, N failed`.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { PtxError, parsePtx } from "../runtime/compiler/index.ts";
import { mutant, readSeeds } from "./ptx-mutants.ts";
import { compileAll, readLibrary } from "./ptx-support.ts";

/** Longest time that one mutant may take, and until a Worker counts as hung. */
const MUTANT_MS = 2000;
const HANG_MS = 60_000;
const BATCH = 500;
/** Growth of the process's memory that can't be explained by garbage that waits to be collected. */
const MAX_RSS = 3 * 2 ** 30;

/** One run of the fuzzer, as its Worker gets it. */
interface Job {
  first: number;
  count: number;
  seed: number;
  parseOnly: boolean;
}

/** What a Worker tells: the mutants it has done so far. */
interface Progress {
  next: number;
  compiled: number;
  refused: number;
  failures: { index: number; reason: string }[];
}

/** Why a mutant fails, or whether it compiled; false if it was refused. */
export function runMutant(text: string, compile: (text: string) => void): string | boolean {
  // A busy machine makes one run slow, not two.
  for (let attempt = 1; ; attempt++) {
    const start = performance.now();
    const result = tryMutant(text, compile);
    const time = performance.now() - start;
    if (typeof result === "string" || time <= MUTANT_MS) return result;
    if (attempt === 2) return `took ${time.toFixed(0)} ms`;
  }
}

function tryMutant(text: string, compile: (text: string) => void): string | boolean {
  try {
    compile(text);
    return true;
  } catch (error) {
    if (!(error instanceof PtxError)) {
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
    return error.message === "" || error.line < 0 ? "an error without a message or line" : false;
  }
}

function work(job: Job): void {
  const seeds = readSeeds();
  const library = readLibrary();
  const compile = job.parseOnly
    ? (text: string) => void parsePtx(text)
    : (text: string) => compileAll(text, library);
  const progress: Progress = { next: job.first, compiled: 0, refused: 0, failures: [] };
  const end = job.first + job.count;
  while (progress.next < end) {
    const stop = Math.min(end, progress.next + BATCH);
    for (; progress.next < stop; progress.next++) {
      const result = runMutant(mutant(seeds, job.seed, progress.next), compile);
      if (typeof result === "string") {
        progress.failures.push({ index: progress.next, reason: result });
      } else if (result) progress.compiled++;
      else progress.refused++;
    }
    const rss = process.memoryUsage().rss;
    if (rss > MAX_RSS) {
      const reason = `the process takes ${(rss / 2 ** 30).toFixed(1)} GiB`;
      progress.failures.push({ index: progress.next - 1, reason });
      progress.next = end;
    }
    parentPort?.postMessage(progress);
  }
}

/** Runs a job in a Worker; a mutant at which it hangs fails, and the rest goes on in another. */
async function supervise(job: Job): Promise<Progress> {
  const total: Progress = { next: job.first, compiled: 0, refused: 0, failures: [] };
  const end = job.first + job.count;
  const start = performance.now();
  while (total.next < end) {
    const done = await runWorker({ ...job, first: total.next, count: end - total.next }, (p) => {
      const rate = (p.next - job.first) / ((performance.now() - start) / 1000);
      if (process.stdout.isTTY) {
        process.stdout.write(
          `\r${p.next - job.first} of ${job.count}, ${rate.toFixed(0)} a second `,
        );
      }
    });
    total.compiled += done.compiled;
    total.refused += done.refused;
    total.failures.push(...done.failures);
    total.next = done.next;
  }
  return total;
}

function runWorker(job: Job, report: (progress: Progress) => void): Promise<Progress> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: job });
    let last: Progress = { next: job.first, compiled: 0, refused: 0, failures: [] };
    let watchdog = setTimeout(hung, HANG_MS, "hangs");
    const finish = (progress: Progress) => {
      clearTimeout(watchdog);
      void worker.terminate();
      resolve(progress);
    };
    /** The Worker is silent: look for the mutant one by one in the batch it was at. */
    function hung(reason: string): void {
      const skipped = Math.min(BATCH, job.first + job.count - last.next);
      const failure = { index: last.next, reason: `one of ${skipped} mutants from here ${reason}` };
      finish({ ...last, next: last.next + skipped, failures: [...last.failures, failure] });
    }
    worker.on("message", (progress: Progress) => {
      last = progress;
      report(progress);
      clearTimeout(watchdog);
      if (progress.next >= job.first + job.count) finish(progress);
      else watchdog = setTimeout(hung, HANG_MS, "hangs");
    });
    worker.on("error", (error: Error) => hung(`ends the Worker: ${error.message}`));
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      count: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      first: { type: "string", default: "0" },
      parse: { type: "boolean", default: false },
      print: { type: "boolean", default: false },
    },
  });
  const job: Job = {
    first: Number(values.first),
    count: Number(values.count),
    seed: Number(values.seed),
    parseOnly: values.parse,
  };
  if (![job.first, job.count, job.seed].every((n) => Number.isSafeInteger(n) && n >= 0)) {
    console.error("--count, --seed and --first are whole numbers");
    process.exitCode = 2;
    return;
  }
  if (values.print) console.log("%s", mutant(readSeeds(), job.seed, job.first));
  const { compiled, refused, failures } = await supervise(job);
  if (process.stdout.isTTY) process.stdout.write("\r");
  for (const { index, reason } of failures.slice(0, 50)) {
    console.log("%s", `mutant ${index} (--seed ${job.seed} --first ${index}): ${reason}`);
  }
  console.log(`${compiled} mutants compiled, ${refused} were refused`);
  console.log(`${compiled + refused} passed, ${failures.length} failed`);
  if (failures.length > 0) process.exitCode = 1;
}

if (isMainThread) {
  // Imported by a test, this file only lends `runMutant`.
  if (process.argv[1]?.endsWith("fuzz-ptx.ts")) await main();
} else {
  work(workerData as Job);
}
