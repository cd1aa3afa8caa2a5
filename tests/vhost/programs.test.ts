import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { warpring } from "../cli/run.ts";
import { describe, test } from "../harness.ts";
import { DELIBERATE } from "../programs/deliberate.ts";
import { ROOT } from "../repo/files.ts";
import {
  missing,
  PREBUILT,
  prebuilt,
  RUNTIME,
  runClient,
  runProgram,
  type TestServer,
  testServer,
} from "./support.ts";

const why = missing();
const mpirun = spawnSync("mpirun", ["--version"], { stdio: "ignore" }).status === 0;

/** Those that need more than a device: tested by themselves. */
const APART = new Set(["mpi", "devices", "across", "formats", "pipelines", "states"]);

describe("unmodified programs, built by nvcc", () => {
  test("every program has its binary", () => {
    const sources = readdirSync(join(ROOT, "tests", "programs"))
      .filter((name) => name.endsWith(".cu"))
      .map((name) => name.slice(0, -3));
    assert.deepEqual(prebuilt(), sources.sort());
    assert.ok(sources.length >= 40, `${sources.length} programs`);
  });

  test("the binaries are small", () => {
    const bytes = readdirSync(PREBUILT).map((name) => readFileSync(join(PREBUILT, name)).length);
    const sum = bytes.reduce((a, b) => a + b, 0);
    assert.ok(sum < 4 << 20, `${sum} bytes`);
  });
  if (why !== undefined) {
    console.warn(`unmodified programs are not tested: ${why}`);
    return;
  }

  // All are clients of one server, which the last test ends.
  let server: Promise<TestServer> | undefined;
  for (const name of prebuilt()) {
    if (APART.has(name)) continue;
    test(name, async () => {
      server ??= testServer({ verbose: true });
      const { code, stdout, stderr } = await runClient((await server).socket, name);
      assert.deepEqual([code, stderr], [0, ""], stdout);
      assert.match(stdout, new RegExp(`${name} passed\n$`));
    });
  }

  test("the server is still there", async () => {
    if (server === undefined) return;
    const { process: child, stop } = await server;
    assert.equal(child.exitCode, null);
    await stop();
  });

  if (!mpirun) {
    console.warn("programs over MPI are not tested: there is no mpirun");
    return;
  }
  test("mpi: two ranks, each with a device of its own", () => {
    const root = process.getuid?.() === 0 ? ["--allow-run-as-root"] : [];
    const ranks = ["--oversubscribe", "-n", "2", join(PREBUILT, "mpi")];
    const { code, stdout } = runProgram("mpirun", ...root, ...ranks);
    assert.equal(stdout, "mpi passed\n");
    assert.equal(code, 0);
  });
});

const NVCC = spawnSync("nvcc", ["--version"], { stdio: "ignore" }).status === 0;

describe("programs built here", () => {
  if (why !== undefined) return;
  if (!NVCC) {
    console.warn("programs with the toolkit's device runtime are not tested: there is no nvcc");
    return;
  }
  test("regression: separate compilation as nvcc does it without being told more", () => {
    const folder = mkdtempSync(join(tmpdir(), "warpring-nvcc-"));
    try {
      const program = join(folder, "children");
      const source = join(PREBUILT, "..", "children.cu");
      const flags = ["-std=c++17", "-cudart", "shared", "-rdc=true", "-arch=compute_75"];
      execFileSync("nvcc", [...flags, "-o", program, source]);
      const { code, stdout, stderr } = runProgram(program);
      assert.deepEqual(
        { code, stdout, stderr },
        { code: 0, stdout: "children passed\n", stderr: "" },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("warpring run", () => {
  if (why !== undefined) return;

  for (const name of ["vector-add", "managed", "streams"]) {
    test(`${name}, with a device of its own`, () => {
      const { code, stdout, stderr } = runProgram(join(PREBUILT, name));
      assert.equal(stderr, "");
      assert.equal(stdout, `${name} passed\n`);
      assert.equal(code, 0);
    });
  }

  test("devices: two of them", () => {
    const options = ["--devices", "2", "--memory", "512M", "--verbose", "--runtime", RUNTIME];
    const { code, stdout, stderr } = warpring("run", ...options, "--", join(PREBUILT, "devices"));
    assert.deepEqual([code, stdout, stderr], [0, "devices passed\n", ""]);
  });

  test("text of kernels comes in order with the program's", () => {
    const { stdout } = runProgram(join(PREBUILT, "printing"));
    const rounds = [0, 1, 2].flatMap((round) => [
      `host before ${round}`,
      `round ${round} thread 0 text 0.00`,
      `round ${round} thread 2 text 0.50`,
    ]);
    assert.deepEqual(stdout.trimEnd().split("\n"), [...rounds, "printing passed"]);
  });

  for (const name of ["across", "formats", "pipelines", "states"]) {
    test(`${name}: every line is what an H100 printed, but for deliberate differences`, () => {
      const url = new URL(`../programs/recorded/${name}.txt`, import.meta.url);
      const recorded = readFileSync(url, "utf8").split("\n");
      const two = name === "across" ? ["--devices", "2", "--memory", "256M"] : [];
      const path = join(PREBUILT, name);
      const { code, stdout } = warpring("run", ...two, "--runtime", RUNTIME, "--", path);
      const printed = stdout.split("\n");
      const unlike = recorded.flatMap((line, k) => {
        const deliberate = DELIBERATE.some(([known]) => known.test(line));
        return line === printed[k] || deliberate ? [] : [`${line} <> ${printed[k]}`];
      });
      assert.deepEqual(unlike, []);
      assert.deepEqual([code, printed.length], [0, recorded.length]);
    });
  }

  test("clusters: outputs, errors and attributes as on an H100", () => {
    const url = new URL("../compiler/fixtures/clusters.txt", import.meta.url);
    // How many clusters fit at once depends on the multiprocessors.
    const lines = (text: string) =>
      text.split("\n").filter((line) => !/^max-active \d+$/.test(line));
    const { stdout } = runProgram(join(PREBUILT, "clusters"));
    assert.deepEqual(
      lines(stdout.replace("clusters passed\n", "")),
      lines(readFileSync(url, "utf8")),
    );
  });
});
