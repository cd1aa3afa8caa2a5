import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawChart } from "../../bench/chart.ts";
import { problems } from "../../bench/problems.ts";
import { goals, type Measurements, printTable, writeDocument } from "../../bench/report.ts";
import { describe, test } from "../harness.ts";

/** Figures of three kernels: all peers, one peer, and a kernel that warpring failed at. */
const measured: Measurements = {
  runtime: "deno",
  fma: "exact",
  kernels: [
    {
      name: "saxpy",
      elements: 1 << 24,
      warpring_ms: 2,
      warpring_1_worker_ms: 3,
      peers: { pocl_ms: 4, webgpu_ms: 60, native_ms: 1, native_sse_ms: 1 },
    },
    {
      name: "sgemm",
      elements: 1 << 20,
      warpring_ms: 10,
      warpring_1_worker_ms: 19,
      peers: { pocl_ms: 160, webgpu_ms: null, native_ms: 5, native_sse_ms: 1 },
    },
    {
      name: "dgemm",
      elements: 1 << 18,
      warpring_ms: null,
      warpring_1_worker_ms: null,
      peers: { pocl_ms: 90, webgpu_ms: null, native_ms: null, native_sse_ms: null },
    },
  ],
  latency: {
    launch_us: 4,
    launch_async_us: 2,
    round_trip_us: 1,
    open_ms: 20,
    cold_ms: 3,
    cold_next_ms: 1,
    pocl_launch_us: 40,
    pocl_open_ms: 25,
    pocl_cold_ms: 30,
  },
  copy: {
    h2d_gbps: 9,
    d2h_gbps: 8,
    typed_array_set_gbps: 10,
    sizes: [{ mib: 16, h2d_gbps: 9, d2h_gbps: 8, set_gbps: 10 }],
  },
  saxpy_ns_per_element: [
    { elements: 1 << 16, ns: 9 },
    { elements: 1 << 24, ns: 0.5 },
    { elements: 1 << 26, ns: 0.6 },
  ],
};
const wanted = problems.filter(({ name }) => measured.kernels.some((k) => k.name === name));

describe("the benchmark's report", () => {
  test("goals are computed over the kernels that have both figures", () => {
    const value = (part: string): number =>
      goals(measured, wanted).find((g) => g.name.includes(part))!.value!;
    assert.ok(Math.abs(value("against PoCL, geometric") - Math.sqrt(2 * 16)) < 1e-9);
    assert.equal(value("against PoCL, slowest"), 2);
    assert.ok(Math.abs(value("lavapipe") - 30) < 1e-9);
    // sgemm in C is another algorithm: only saxpy counts.
    assert.ok(Math.abs(value("same algorithm") - 0.5) < 1e-9);
    // saxpy is bound by memory: only sgemm counts.
    assert.ok(Math.abs(value("two workers") - 1.9) < 1e-9);
    assert.equal(value("launch and synchronise"), 10);
    assert.equal(value("cold PTX"), 10);
    assert.equal(value("slowest copy"), 0.8);
    // 2¹⁶ elements fit the caches and do not count.
    assert.ok(Math.abs(value("largest to smallest") - 1.2) < 1e-9);
  });

  test("a missing figure is a dash in the table, and no goal is met by it", () => {
    const table = printTable(measured, wanted).split("\n");
    const dgemm = table.find((line) => line.startsWith("dgemm"))!;
    assert.match(dgemm, /^dgemm +– +– +– +90\.0 +–/);
    assert.match(table.find((line) => line.startsWith("saxpy "))!, /101 GB\/s +1\.50×/);
    const nothing = { ...measured, kernels: measured.kernels.slice(2) };
    assert.equal(goals(nothing, wanted)[0]!.value, undefined);
  });

  test("the page keeps what is around the tables", () => {
    const folder = mkdtempSync(join(tmpdir(), "report-"));
    try {
      const page = join(folder, "page.md");
      writeDocument(page, [measured], wanted);
      const first = readFileSync(page, "utf8");
      writeFileSync(page, `${first}\nKept.\n`);
      writeDocument(page, [measured], wanted);
      assert.equal(readFileSync(page, "utf8"), `${first}\nKept.\n`);
      assert.match(first, /\| saxpy \| 2\.00 \|/);
      writeFileSync(page, "no marks");
      assert.throws(() => writeDocument(page, [measured], wanted), /lost its marks/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("the chart has a bar for each ratio", () => {
    const svg = drawChart([measured], wanted);
    assert.equal(svg.match(/<title>/g)?.length, 4 + 3);
    assert.ok(svg.includes("sgemm, PoCL: 16.00×"));
    assert.ok(!/NaN|undefined|Infinity/.test(svg));
  });
});
