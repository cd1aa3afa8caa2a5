/**
 * The ring fuzzer's long form: `npm run fuzz:ring -- --count N --seed S [--start K]`.
 *
 * Runs N mutated rings in a Worker while this thread watches that it gets on; a ring that is wrong
 * is named with what repeats it alone. The last line is `N passed, N failed`.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { DriverFuzzer } from "../tests/virtio/fuzz/driver-fuzz.ts";
import { RingFuzzer } from "../tests/virtio/fuzz/fuzz.ts";

/** Seconds without a finished batch after which a ring hangs. */
const HANG_SECONDS = 60;
const BATCH = 2000;
const SHOWN = 10;

interface Task {
  readonly count: number;
  readonly seed: number;
  readonly start: number;
}

interface Progress {
  readonly done: number;
  readonly failed: number;
  readonly lines: readonly string[];
  readonly tally: readonly (readonly [string, number])[];
}

/** The Worker's part: rings in batches, a message after each. */
function fuzz({ count, seed, start }: Task): void {
  const url = new URL("../build/core.debug.wasm", import.meta.url);
  const core = new WebAssembly.Module(new Uint8Array(readFileSync(url)));
  const device = new RingFuzzer(core, seed);
  const driver = new DriverFuzzer(core, seed);
  let failed = 0;
  for (let done = 0; done < count; ) {
    const lines: string[] = [];
    const end = Math.min(count, done + BATCH);
    for (; done < end; done++) {
      let wrong: string;
      try {
        // Every fourth ring is one that a bad device left for the driver.
        const fuzzer = (start + done) % 4 === 3 ? driver : device;
        wrong = fuzzer.run(start + done);
      } catch (error) {
        wrong = `crashed: ${error}`;
      }
      if (wrong === "") continue;
      failed++;
      lines.push(
        `ring ${start + done}: ${wrong} (--seed ${seed} --start ${start + done} --count 1)`,
      );
    }
    const progress: Progress = { done, failed, lines, tally: [...device.tally, ...driver.tally] };
    parentPort?.postMessage(progress);
  }
}

function main(): void {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "1000000" },
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      start: { type: "string", default: "0" },
    },
  });
  const task = {
    count: Number(values.count),
    seed: Number(values.seed),
    start: Number(values.start),
  };
  if (!Object.values(task).every((value) => Number.isSafeInteger(value) && value >= 0)) {
    console.error("--count, --seed and --start take numbers");
    process.exit(2);
  }
  console.log(`${task.count} rings from ${task.start}, seed ${task.seed}`);
  const began = performance.now();
  let last: Progress = { done: 0, failed: 0, lines: [], tally: [] };
  let shown = 0;
  let timer: ReturnType<typeof setTimeout>;

  const finish = (extra: number) => {
    clearTimeout(timer);
    const seconds = (performance.now() - began) / 1000;
    for (const [name, times] of [...last.tally].sort((a, b) => b[1] - a[1])) {
      console.log(`${String(times).padStart(10)}  ${name}`);
    }
    console.log(`${seconds.toFixed(1)} s, ${Math.round(last.done / seconds)} rings/s`);
    const failed = last.failed + extra;
    console.log(`${last.done - last.failed} passed, ${failed} failed`);
    process.exit(failed === 0 ? 0 : 1);
  };
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      console.log(`a ring from ${task.start + last.done} on hangs`);
      finish(1);
    }, HANG_SECONDS * 1000);
  };

  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  worker.on("error", (error) => {
    console.log(`the Worker died after ring ${task.start + last.done}: ${error}`);
    finish(1);
  });
  worker.on("message", (progress: Progress) => {
    last = progress;
    for (const line of progress.lines) if (shown++ < SHOWN) console.log(line);
    if (process.stdout.isTTY) process.stdout.write(`\r${progress.done} rings`);
    if (progress.done === task.count) finish(0);
    else watch();
  });
  watch();
}

if (isMainThread) main();
else fuzz(workerData as Task);
