/** The benchmark's figures: their types, the table on the terminal and the page in docs/. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { geometricMean, type Problem } from "./problems.ts";

/** How warpring is run: by which runtime, and with which multiply-add. */
export interface Configuration {
  readonly runtime: "bun" | "deno";
  readonly fma: "exact" | "unfused";
}

export interface PeerFigures {
  pocl_ms: number | null;
  webgpu_ms: number | null;
  native_ms: number | null;
  native_sse_ms: number | null;
}

/** One kernel: medians in milliseconds, null where absent, failed or with a wrong output. */
export interface KernelFigures {
  name: string;
  elements: number;
  warpring_ms: number | null;
  warpring_1_worker_ms: number | null;
  peers: PeerFigures;
}

/** One configuration's figures, as `--json` writes them. */
export interface Measurements extends Configuration {
  kernels: KernelFigures[];
  latency: {
    /** Empty launch and synchronise, µs. */
    launch_us: number | null;
    /** Empty launch without waiting, µs. */
    launch_async_us: number | null;
    /** Request through the driver, the ring and the device and back, µs. */
    round_trip_us: number | null;
    /** Opening a device, the modules being loaded, ms. */
    open_ms: number | null;
    /** PTX text to the first result of a small kernel, first in the process, ms. */
    cold_ms: number | null;
    /** The same for the next such kernels. */
    cold_next_ms: number | null;
    pocl_launch_us: number | null;
    /** Finding the platform, a context and a queue, ms. */
    pocl_open_ms: number | null;
    pocl_cold_ms: number | null;
  };
  copy: {
    h2d_gbps: number | null;
    d2h_gbps: number | null;
    typed_array_set_gbps: number | null;
    /** The same by size. */
    sizes: { mib: number; h2d_gbps: number; d2h_gbps: number; set_gbps: number }[];
  };
  saxpy_ns_per_element: { elements: number; ns: number }[];
}

/** "Deno, exact fma". */
export function configurationTitle({ runtime, fma }: Configuration): string {
  return `${runtime === "deno" ? "Deno" : "Bun"}, ${fma} fma`;
}

type PeerKey = keyof PeerFigures;
const peerKeys: readonly PeerKey[] = ["pocl_ms", "webgpu_ms", "native_ms", "native_sse_ms"];
const peerHeads: Readonly<Record<PeerKey, string>> = {
  pocl_ms: "PoCL",
  webgpu_ms: "WebGPU",
  native_ms: "gcc",
  native_sse_ms: "gcc 128",
};

/** How many times faster warpring is than a peer; undefined where either is absent. */
export function ratio(kernel: KernelFigures, peer: PeerKey): number | undefined {
  const theirs = kernel.peers[peer];
  return theirs === null || kernel.warpring_ms === null ? undefined : theirs / kernel.warpring_ms;
}

/** Ratios of all kernels that have one; for gcc 128 only where C keeps the algorithm. */
function ratios(measured: Measurements, peer: PeerKey, problems: readonly Problem[]): number[] {
  const changed = new Set(problems.filter((p) => p.nativeChanges).map((p) => p.name));
  return measured.kernels
    .filter((kernel) => peer !== "native_sse_ms" || !changed.has(kernel.name))
    .map((kernel) => ratio(kernel, peer))
    .filter((r) => r !== undefined);
}

const ms = (value: number | null): string =>
  value === null ? "–" : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const times = (value: number | undefined): string =>
  value === undefined ? "–" : `${value.toFixed(value < 10 ? 2 : 1)}×`;
const plain = (value: number | null, digits = 2): string =>
  value === null ? "–" : value.toFixed(digits);

/** The kernels' rows: time, rate, two workers against one, and for each peer its time and ratio. */
function rows(measured: Measurements, problems: readonly Problem[]): string[][] {
  return measured.kernels.map((kernel) => {
    const problem = problems.find((p) => p.name === kernel.name)!;
    const n = [problem.size.full, problem.size.quick].find(
      (size) => problem.elements(size) === kernel.elements,
    )!;
    const rate =
      kernel.warpring_ms === null
        ? "–"
        : `${(problem.work(n) / kernel.warpring_ms / 1e6).toPrecision(3)} ${problem.unit}`;
    const one = kernel.warpring_1_worker_ms;
    const speedup =
      one === null || kernel.warpring_ms === null ? undefined : one / kernel.warpring_ms;
    return [
      kernel.name,
      ms(kernel.warpring_ms),
      rate,
      times(speedup),
      ...peerKeys.flatMap((peer) => [ms(kernel.peers[peer]), times(ratio(kernel, peer))]),
    ];
  });
}

const heads = [
  ...["kernel", "ms", "rate", "2:1 workers"],
  ...peerKeys.flatMap((peer) => [`${peerHeads[peer]} ms`, "ratio"]),
];

/** The row of geometric means, and the number of kernels that each is over. */
function meanRow(measured: Measurements, problems: readonly Problem[]): string[] {
  return [
    ...["geometric mean", "", "", ""],
    ...peerKeys.flatMap((peer) => {
      const all = ratios(measured, peer, problems);
      return [`${all.length} kernels`, all.length > 0 ? times(geometricMean(all)) : "–"];
    }),
  ];
}

/** The figures of issue-like goals: name, goal, measured. */
export function goals(measured: Measurements, problems: readonly Problem[]) {
  const mean = (peer: PeerKey): number | undefined => {
    const all = ratios(measured, peer, problems);
    return all.length > 0 ? geometricMean(all) : undefined;
  };
  const pocl = ratios(measured, "pocl_ms", problems);
  const compute = measured.kernels.filter(
    (k) => problems.find((p) => p.name === k.name)?.computeBound,
  );
  const speedups = compute
    .filter((k) => k.warpring_1_worker_ms !== null && k.warpring_ms !== null)
    .map((k) => k.warpring_1_worker_ms! / k.warpring_ms!);
  const { latency, copy, saxpy_ns_per_element: sweep } = measured;
  const divide = (a: number | null, b: number | null): number | undefined =>
    a === null || b === null ? undefined : a / b;
  // Outside the caches: two arrays of 64 MiB and more. Smaller ones lie in part in those of a server.
  const outside = sweep.filter(({ elements }) => elements >= 1 << 24).map(({ ns }) => ns);
  const flat = outside.length > 1 ? Math.max(...outside) / Math.min(...outside) : undefined;
  const copies = copy.sizes.flatMap((s) => [s.h2d_gbps / s.set_gbps, s.d2h_gbps / s.set_gbps]);
  const least = (values: number[]): number | undefined =>
    values.length > 0 ? Math.min(...values) : undefined;
  const exactBun = measured.runtime === "bun" && measured.fma === "exact";
  return [
    { name: "against PoCL, geometric mean", goal: exactBun ? 1 : 3, value: mean("pocl_ms") },
    { name: "against WebGPU on lavapipe, geometric mean", goal: 3, value: mean("webgpu_ms") },
    { name: "against PoCL, slowest kernel", goal: 1, value: least(pocl) },
    { name: "against gcc -O3 -march=native, geometric mean", goal: 0.3, value: mean("native_ms") },
    {
      name: "against gcc -O3 with 128-bit vectors, same algorithm, geometric mean",
      goal: 0.8,
      value: mean("native_sse_ms"),
    },
    {
      name: "two workers against one, compute-bound, geometric mean",
      goal: 1.8,
      value: speedups.length > 0 ? geometricMean(speedups) : undefined,
    },
    {
      name: "empty launch and synchronise, against PoCL",
      goal: 8,
      value: divide(latency.pocl_launch_us, latency.launch_us),
    },
    {
      name: "cold PTX to first result, against PoCL",
      goal: 20,
      value: divide(latency.pocl_cold_ms, latency.cold_ms),
    },
    {
      name: "slowest copy of 1 MiB and more, against a typed array's set",
      goal: 0.9,
      value: least(copies),
    },
    {
      name: "saxpy's time per element, 2²⁴ to 2²⁶, largest to smallest",
      goal: 1.5,
      value: flat,
      atMost: true,
    },
  ];
}

/** The table for a terminal. */
export function printTable(measured: Measurements, problems: readonly Problem[]): string {
  const table = [heads, ...rows(measured, problems), meanRow(measured, problems)];
  const widths = heads.map((_, c) => Math.max(...table.map((row) => row[c]!.length)));
  const text = table.map((row) =>
    row
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
      .join("  "),
  );
  const { latency, copy } = measured;
  return [
    "",
    `warpring on ${configurationTitle(measured)}`,
    ...text,
    `launch and synchronise ${plain(latency.launch_us)} µs (PoCL ${plain(latency.pocl_launch_us)}), ` +
      `launch alone ${plain(latency.launch_async_us)} µs, request round trip ` +
      `${plain(latency.round_trip_us)} µs`,
    `cold: first kernel ${plain(latency.cold_ms)} ms, next ${plain(latency.cold_next_ms)} ms ` +
      `(PoCL ${plain(latency.pocl_cold_ms)})`,
    `copies of 16 MiB: to the device ${plain(copy.h2d_gbps)} GB/s, from it ${plain(copy.d2h_gbps)} ` +
      `GB/s, typed array set ${plain(copy.typed_array_set_gbps)} GB/s`,
    ...measured.saxpy_ns_per_element.map(
      ({ elements, ns }) => `saxpy of 2^${Math.log2(elements)}: ${ns.toFixed(3)} ns an element`,
    ),
  ].join("\n");
}

const markdownRow = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** One configuration's section of the page. */
function section(measured: Measurements, problems: readonly Problem[]): string {
  const { latency, copy } = measured;
  return [
    `### ${configurationTitle(measured)}`,
    "",
    markdownRow(heads),
    markdownRow(heads.map((_, i) => (i === 0 ? "---" : "--:"))),
    ...rows(measured, problems).map(markdownRow),
    markdownRow(meanRow(measured, problems).map((cell) => (cell ? `**${cell}**` : ""))),
    "",
    "| goal | at least | measured | |",
    "| --- | --: | --: | --- |",
    ...goals(measured, problems).map(({ name, goal, value, atMost }) => {
      const met = value !== undefined && (atMost ? value <= goal : value >= goal);
      const limit = atMost ? `at most ${goal}` : String(goal);
      return markdownRow([
        name,
        limit,
        times(value),
        value === undefined ? "–" : met ? "met" : "missed",
      ]);
    }),
    "",
    `Launch and synchronise ${plain(latency.launch_us)} µs, launch alone ` +
      `${plain(latency.launch_async_us)} µs, request round trip ${plain(latency.round_trip_us)} µs; ` +
      `PTX text to the first result ${plain(latency.cold_ms)} ms for the first kernel of a process, ` +
      `${plain(latency.cold_next_ms)} ms for the next (PoCL: launch and synchronise ` +
      `${plain(latency.pocl_launch_us)} µs, source text to the first result ` +
      `${plain(latency.pocl_cold_ms)} ms). Opening the device before that takes ` +
      `${plain(latency.open_ms)} ms (PoCL ${plain(latency.pocl_open_ms)} ms).`,
    "",
    "| copy | host to device, GB/s | device to host, GB/s | typed array `set`, GB/s |",
    "| --: | --: | --: | --: |",
    ...copy.sizes.map((s) =>
      markdownRow([
        `${s.mib} MiB`,
        plain(s.h2d_gbps, 1),
        plain(s.d2h_gbps, 1),
        plain(s.set_gbps, 1),
      ]),
    ),
    "",
    "saxpy, ns an element: " +
      measured.saxpy_ns_per_element
        .map(({ elements, ns }) => `2^${Math.log2(elements)}: ${ns.toFixed(3)}`)
        .join(", "),
    "",
  ].join("\n");
}

const BEGIN = "<!-- written by npm run bench -- --all --doc: begin -->";
const END = "<!-- written by npm run bench -- --all --doc: end -->";

/** Writes the tables between the two marks of a page and leaves what is around them. */
export function writeDocument(
  path: string,
  all: readonly Measurements[],
  problems: readonly Problem[],
): void {
  const changes = problems
    .filter((p) => p.nativeChanges)
    .map((p) => `${p.name} (${p.nativeChanges})`);
  const generated = [
    BEGIN,
    "",
    `Measured on ${cpus().length} cores of ${cpus()[0]?.model ?? "an unknown CPU"}. Times are medians; ` +
      "a ratio is the peer's time by warpring's, so more than 1 is faster than the peer.",
    "",
    "![Ratios by kernel](performance.svg)",
    "",
    ...all.map((measured) => section(measured, problems)),
    `Where plain C is another algorithm than the kernel, it is so because one would write it so: ` +
      `${changes.join("; ")}. These are left out of the mean against gcc with 128-bit vectors.`,
    "",
    END,
  ].join("\n");
  const old = existsSync(path) ? readFileSync(path, "utf8") : `# Performance\n\n${BEGIN}\n${END}\n`;
  const begin = old.indexOf(BEGIN);
  const end = old.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${path} has lost its marks`);
  writeFileSync(path, old.slice(0, begin) + generated + old.slice(end + END.length));
}
