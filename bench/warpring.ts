/**
 * Runs the benchmark's kernels on warpring, in a process of its own, as the other peers do.
 *
 * Usage: warpring.ts --fma=exact|unfused --workers=N --runs=N --folder=DIR NAME=N...
 *    or: warpring.ts --fma=exact|unfused --runs=N --extra [--quick]
 *
 * Workers counts all threads that run kernels, the caller's included; 0 means one per core. Prints one
 * line of JSON per kernel, `{"name", "ms": [...]}` or `{"name", "error"}`, and writes the outputs of
 * the first run to DIR/warpring.NAME. With --extra: latencies, copies and saxpy by size, each a line.
 * Times are from the first launch to the end of synchronize().
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { Device, type DeviceOptions, f32 } from "../index.ts";
import { makePlan, readKernel } from "./plans.ts";
import { median, outputBytes, type Problem, problems } from "./problems.ts";

const { values: options, positionals } = parseArgs({
  options: {
    fma: { type: "string", default: "exact" },
    workers: { type: "string", default: "0" },
    runs: { type: "string", default: "5" },
    folder: { type: "string", default: "." },
    extra: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const runs = Number(options.runs);
const threads = Number(options.workers) || cpus().length;
const deviceOptions: DeviceOptions = {
  fma: options.fma === "unfused" ? "unfused" : "exact",
  workers: threads - 1,
};

/** Untimed runs after the first: the engines' optimising compilers take over in them. */
const WARM_UP_MS = 300;

const time = (body: () => void): number => {
  const start = performance.now();
  body();
  return performance.now() - start;
};
const print = (line: object): void => console.log(JSON.stringify(line));

/** Runs one problem. Returns the milliseconds of each timed run. */
async function runProblem(problem: Problem, n: number): Promise<number[]> {
  using device = await Device.open(deviceOptions);
  const contents = problem.make(n);
  const buffers = contents.map(({ data }) => device.upload(data));
  const plan = await makePlan(device, problem.name, buffers, n);
  const run = (): void => {
    plan();
    device.synchronize();
  };
  const reset = (): void => {
    for (const [i, { data, reset: again }] of contents.entries()) {
      if (again) buffers[i]!.write(data);
    }
  };

  run();
  const outputs = contents.flatMap(({ output }, i) =>
    output ? [buffers[i]!.toArray(Uint8Array)] : [],
  );
  writeFileSync(join(options.folder, `warpring.${problem.name}`), outputBytes(outputs));

  for (let spent = 0; spent < WARM_UP_MS; ) {
    reset();
    spent += time(run);
  }
  const ms: number[] = [];
  for (let r = 0; r < runs; r++) {
    reset();
    ms.push(time(run));
  }
  return ms;
}

/**
 * Cold: PTX text to the first result of a small kernel. Each text has a constant of its own, so that
 * no cache knows it. Prints the first of the process and the median of the next.
 */
async function measureCold(): Promise<void> {
  const ptx = await readKernel("empty");
  using device = await Device.open(deviceOptions);
  using buffer = device.alloc(4096);
  const cold = (seed: number): number => {
    const text = ptx.replace("12345", String(seed));
    return time(() => {
      using module = device.loadModule(text);
      module.kernel("empty").launch({ grid: 1, block: 256 }, buffer);
      device.synchronize();
    });
  };
  const seed = 100_000 + (Date.now() % 1_000_000_000);
  const first = cold(seed);
  const next = Array.from({ length: 9 }, (_, i) => cold(seed + 1 + i));
  print({ cold_ms: first, cold_next_ms: median(next) });
}

/** Empty launches, with and without waiting, and a request that does nothing but come back. */
async function measureLaunches(): Promise<void> {
  using device = await Device.open(deviceOptions);
  using buffer = device.alloc(4096);
  const kernel = device.loadModule(await readKernel("empty")).kernel("empty");
  const shape = { grid: 1, block: 256 };
  const count = options.quick ? 2000 : 10_000;
  /** Microseconds of one call of `body`: median over runs of `count` calls, after one for warmth. */
  const microseconds = (body: () => void, end: () => void = () => {}): number => {
    const once = (): number =>
      time(() => {
        for (let i = 0; i < count; i++) body();
        end();
      });
    once();
    return (median(Array.from({ length: runs }, once)) / count) * 1000;
  };
  print({
    launch_us: microseconds(() => {
      kernel.launch(shape, buffer);
      device.synchronize();
    }),
    launch_async_us: microseconds(
      () => kernel.launch(shape, buffer),
      () => device.synchronize(),
    ),
    round_trip_us: microseconds(() => device.memory),
  });
}

/** Copies in both directions, against a typed array's `set` of the same size. */
async function measureCopies(): Promise<void> {
  using device = await Device.open(deviceOptions);
  const sizes = [];
  for (const mib of options.quick ? [1, 16] : [1, 4, 16, 64]) {
    const bytes = mib << 20;
    const host = new Uint8Array(bytes).map((_, i) => i);
    const other = new Uint8Array(bytes);
    using buffer = device.alloc(bytes);
    const repeat = Math.max(1, 32 / mib);
    // The three take turns, so that a slow moment of the machine hits them alike.
    const samples = { h2d: [] as number[], d2h: [] as number[], set: [] as number[] };
    for (let r = 0; r < 3 * runs + 2; r++) {
      const sample = (list: number[], body: () => void): void => {
        const ms = time(() => {
          for (let i = 0; i < repeat; i++) body();
        });
        if (r >= 2) list.push((bytes * repeat) / ms / 1e6);
      };
      sample(samples.set, () => other.set(host));
      sample(samples.h2d, () => buffer.write(host));
      sample(samples.d2h, () => buffer.read(other));
    }
    sizes.push({
      mib,
      h2d_gbps: median(samples.h2d),
      d2h_gbps: median(samples.d2h),
      set_gbps: median(samples.set),
    });
  }
  const middle = sizes.find(({ mib }) => mib === 16)!;
  print({
    h2d_gbps: middle.h2d_gbps,
    d2h_gbps: middle.d2h_gbps,
    typed_array_set_gbps: middle.set_gbps,
    copies: sizes,
  });
}

/** saxpy by size: whether the time per element stays flat. */
async function measureSweep(): Promise<void> {
  const sweep = [];
  const ptx = await readKernel("saxpy");
  for (let log = 16; log <= (options.quick ? 22 : 26); log += 2) {
    const n = 2 ** log;
    using device = await Device.open({ ...deviceOptions, memoryBytes: 2 ** 30 });
    const x = device.upload(new Float32Array(n).fill(1));
    const y = device.upload(new Float32Array(n).fill(2));
    const kernel = device.loadModule(ptx).kernel("saxpy");
    const repeat = Math.max(1, 2 ** (22 - log));
    const once = (): number =>
      time(() => {
        for (let i = 0; i < repeat; i++) {
          kernel.launch({ grid: n / 256, block: 256 }, n, f32(0.5), x, y);
        }
        device.synchronize();
      });
    for (let spent = 0; spent < WARM_UP_MS; ) spent += once();
    const ms = median(Array.from({ length: runs }, once));
    sweep.push({ elements: n, ns: (ms * 1e6) / repeat / n });
  }
  print({ sweep });
}

if (options.extra) {
  // Cold first: it is the first kernel of the process.
  await measureCold();
  await measureLaunches();
  await measureCopies();
  await measureSweep();
}
for (const item of positionals) {
  const [name = "", n = "0"] = item.split("=");
  try {
    const problem = problems.find((p) => p.name === name);
    if (!problem) throw new Error("no such kernel");
    print({ name, ms: await runProblem(problem, Number(n)) });
  } catch (error) {
    print({ name, error: String(error) });
  }
}
process.exit(0);
