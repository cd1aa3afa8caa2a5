import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { LineProcess } from "../../bench/line-process.ts";
import { runtimePath } from "../../bench/peers.ts";
import { problems } from "../../bench/problems.ts";
import { type Contender, race } from "../../bench/race.ts";
import { describe, test } from "../harness.ts";

const saxpy = problems.find(({ name }) => name === "saxpy")!;

/** A contender that is a shell script, with an output of one float. */
function contender(key: string, script: string, output = 1): Contender {
  return {
    key,
    title: key.toUpperCase(),
    start: () => new LineProcess("sh", ["-c", script], process.env),
    output: () => new Uint8Array(Float32Array.of(output).buffer),
  };
}

/** A script that is ready at once and says the given times, again and again. */
const says = (...ms: number[]): string =>
  `echo '{"ready": true}'; while :; do ${ms
    .map((t) => `read -r line || exit 0; echo '{"ms": ${t}}'`)
    .join("; ")}; done`;

describe("a race of the benchmark", () => {
  test("takes turns, and the median of each contender's", async () => {
    const { times, failures } = await race(
      saxpy,
      [contender("native", says(300, 100, 200)), contender("pocl", says(900, 2))],
      3,
      () => {},
    );
    assert.deepEqual(failures, []);
    // Of a run below 100 ms the next one counts: 900; 2, 900; 2, 900.
    assert.deepEqual(
      [...times],
      [
        ["native", 200],
        ["pocl", 900],
      ],
    );
  });

  test("leaves out whose output differs, who dies and who never starts", async () => {
    const { times, failures } = await race(
      saxpy,
      [
        contender("native", says(100)),
        contender("pocl", says(100), 2),
        contender("webgpu", "echo nothing here >&2; exit 4"),
        contender("ours", "echo '{\"ready\": true}'; read -r line; echo gone >&2; exit 3"),
      ],
      5,
      () => {},
    );
    assert.deepEqual([...times], [["native", 100]]);
    assert.equal(failures.length, 3);
    assert.match(failures[0]!, /^WEBGPU, saxpy: ended with 4: nothing here$/);
    assert.match(failures[1]!, /^POCL, saxpy: output differs from NATIVE: 1 of 1 differ/);
    assert.match(failures[2]!, /^OURS, saxpy: ended with 3: gone$/);
  });
});

describe("npm run bench", () => {
  test("writes the figures under their names, null where a peer is absent", () => {
    const folder = mkdtempSync(join(tmpdir(), "bench-"));
    const runtime = "Deno" in globalThis ? "deno" : "bun";
    try {
      const json = join(folder, "out.json");
      const main = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));
      const flags = runtime === "deno" ? ["run", "-A"] : ["run"];
      const args = ["--quick", "--filter", "monte", "--fma", "unfused", "--json", json];
      const bench = spawnSync(runtimePath(runtime), [...flags, main, ...args], {
        encoding: "utf8",
      });
      assert.equal(bench.status, 0, bench.stderr);
      const { kernels, latency, copy, ...rest } = JSON.parse(readFileSync(json, "utf8"));
      assert.equal(rest.runtime, runtime);
      assert.equal(rest.fma, "unfused");
      assert.equal(kernels.length, 1);
      const { peers, ...kernel } = kernels[0];
      assert.deepEqual(Object.keys(kernel), [
        "name",
        "elements",
        "warpring_ms",
        "warpring_1_worker_ms",
      ]);
      assert.equal(kernel.name, "monte-carlo");
      assert.equal(kernel.elements, 1 << 14);
      assert.ok(kernel.warpring_ms > 0 && kernel.warpring_1_worker_ms > 0);
      assert.deepEqual(Object.keys(peers), ["pocl_ms", "webgpu_ms", "native_ms", "native_sse_ms"]);
      for (const ms of Object.values(peers)) assert.ok(ms === null || (ms as number) > 0);
      const own = ["launch_us", "cold_ms", "open_ms", "round_trip_us"];
      for (const name of own) assert.ok(latency[name] > 0, name);
      for (const name of ["pocl_launch_us", "pocl_cold_ms"]) {
        assert.ok(peers.pocl_ms === null ? latency[name] === null : latency[name] > 0, name);
      }
      for (const name of ["h2d_gbps", "d2h_gbps", "typed_array_set_gbps"]) {
        assert.ok(copy[name] > 0, name);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
