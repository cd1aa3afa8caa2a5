import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "../harness.ts";
import { missing, PREBUILT, prebuilt, runProgram } from "./support.ts";

const why = missing();

describe("unmodified programs, built by nvcc", () => {
  test("the set is there", () => {
    for (const name of ["vector-add", "managed", "streams"]) assert.ok(prebuilt().includes(name));
  });
  if (why !== undefined) {
    console.warn(`unmodified programs are not tested: ${why}`);
    return;
  }
  for (const name of prebuilt()) {
    test(name, () => {
      const { code, stdout, stderr } = runProgram(join(PREBUILT, name));
      assert.equal(stderr, "");
      assert.match(stdout, new RegExp(`${name} passed\n$`));
      assert.equal(code, 0);
    });
  }
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

  test("text of kernels comes in order with the program's", () => {
    const { stdout } = runProgram(join(PREBUILT, "printing"));
    const rounds = [0, 1, 2].flatMap((round) => [
      `host before ${round}`,
      `round ${round} thread 0 text 0.00`,
      `round ${round} thread 2 text 0.50`,
    ]);
    assert.deepEqual(stdout.trimEnd().split("\n"), [...rounds, "printing passed"]);
  });

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

  test("exit codes, arguments and signals are the program's", () => {
    const shell = (script: string) => runProgram("/bin/sh", "-c", script, "name", "a b");
    assert.deepEqual(shell('echo "$1"; exit 7'), { code: 7, stdout: "a b\n", stderr: "" });
    assert.equal(shell("kill -TERM $$").code, 128 + 15);
  });

  test("a program that is not there, and one without the shared runtime", () => {
    const { code, stderr } = runProgram("./no-such-program");
    assert.equal(code, 1);
    assert.match(stderr, /no-such-program: no such program/);
  });
});
