/**
 * Runs one of the benchmark's kernels on warpring, in a process of its own, as the other peers do.
 *
 * Usage: warpring.ts --fma=exact|unfused --workers=N --output=FILE NAME N
 *    or: warpring.ts --fma=exact|unfused --runs=N [--quick] latency|copies|sweep
 *
 * Workers counts all threads that run kernels, the caller's included; 0 means one per core. The
 * outputs of the first run go to FILE; after a warm-up the program takes turns (`turns.ts`). Times are
 * from the first launch to the end of synchronize(). The other three print one line of JSON each.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { Device, type DeviceOptions, f32 } from "../index.ts";
import { makePlan, readKernel } from "./plans.ts";
import { median, outputBytes, type Problem, problems } from "./problems.ts";
import { print, takeTurns } from "./turns.ts";

const { values: options, positionals } = parseArgs({
  options: {
    fma: { type: "string", default: "exact" },
    workers: { type: "string", default: "0" },
    runs: { type: "string", default: "5" },
    output: { type: "string", default: "" },
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
const WARM_UP_MS = options.quick ? 100 : 300;

const time = (body: () => void): number => {
  const start = performance.now();
  body();
  return performance.now() - start;
};

/** Runs one problem: one run for the outputs, a warm-up, then a timed run for each turn. */
async function runProblem(problem: Problem, n: number): Promise<void> {
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
  writeFileSync(options.output, outputBytes(outputs));

  for (let spent = 0; spent < WARM_UP_MS; ) {
    reset();
    spent += time(run);
  }
  await takeTurns(() => {
    reset();
    return time(run);
  });
}

/**
 * What a process pays at first, and what launches cost. Cold is PTX text to the first result of a small
 * kernel, the device being open; each text has a constant of its own, so that no cache knows it.
 */
async function measureLatency(): Promise<void> {
  const ptx = await readKernel("empty");
  const opened = performance.now();
  using device = await Device.open(deviceOptions);
  const open_ms = performance.now() - opened;
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
  const cold_ms = cold(seed);
  const next = Array.from({ length: 9 }, (_, i) => cold(seed + 1 + i));

  const kernel = device.loadModule(ptx).kernel("empty");
  const shape = { grid: 1, block: 256 };
  const count = options.quick ? 2000 : 10_000;
  /** Microseconds of one call of `body`, when the engine has had its time with it. */
  const microseconds = (body: () => void, end: () => void = () => {}): number => {
    const once = (): number =>
      time(() => {
        for (let i = 0; i < count; i++) body();
        end();
      });
    for (let spent = 0; spent < WARM_UP_MS; ) spent += once();
    return (once() / count) * 1000;
  };
  print({
    open_ms,
    cold_ms,
    cold_next_ms: median(next),
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
    // The three take turns, so that a slow moment of the machine hits them alike; and the engine has had
    // its time with each, as with kernels.
    const bodies = {
      set: () => other.set(host),
      h2d: () => void buffer.write(host),
      d2h: () => void buffer.read(other),
    };
    const once = (body: () => void): number =>
      time(() => {
        for (let i = 0; i < repeat; i++) body();
      });
    const samples = { h2d: [] as number[], d2h: [] as number[], set: [] as number[] };
    for (const body of Object.values(bodies)) {
      for (let spent = 0; spent < WARM_UP_MS; ) spent += once(body);
    }
    for (let r = 0; r < 3 * runs; r++) {
      for (const name of ["set", "h2d", "d2h"] as const) {
        samples[name].push((bytes * repeat) / once(bodies[name]) / 1e6);
      }
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
  for (const log of options.quick ? [16, 18, 20, 22] : [16, 18, 20, 22, 24, 25, 26]) {
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

const measures: Readonly<Record<string, () => Promise<void>>> = {
  latency: measureLatency,
  copies: measureCopies,
  sweep: measureSweep,
};
const [name = "", n] = positionals;
if (n === undefined) {
  const measure = measures[name];
  if (!measure) throw new Error(`nothing called ${name} to measure`);
  await measure();
} else {
  const problem = problems.find((p) => p.name === name);
  if (!problem) throw new Error(`no kernel ${name}`);
  await runProblem(problem, Number(n));
}
process.exit(0);
