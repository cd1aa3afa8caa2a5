import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { warpring } from "../cli/run.ts";
import { describe, test } from "../harness.ts";
import { ROOT, readText, sourceFiles } from "../repo/files.ts";

const CORE = join(ROOT, "build", "core.wasm");

/** Compiles saxpy ahead of time into a folder, which is removed afterwards. */
function withKernel(body: (wasm: string, description: string) => void, ...options: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "warpring-embedding-"));
  try {
    const { code, stderr } = warpring(
      ...["compile", "examples/saxpy.ptx", "--out", folder, ...options],
    );
    assert.equal(code, 0, stderr);
    body(join(folder, "saxpy.wasm"), join(folder, "saxpy.json"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runInNode(...args: string[]) {
  const main = join(ROOT, "examples", "embedding", "main.mjs");
  return spawnSync("node", [main, ...args], { encoding: "utf8", timeout: 60_000 });
}

describe("embedding", () => {
  for (const options of [[], ["--block", "256"], ["--block", "256", "--scalar"]]) {
    const kind = options.join(" ") || "any block";
    test(`plain Node drives a virtqueue and runs an ahead-of-time kernel (${kind})`, () => {
      withKernel(
        (wasm, description) => {
          const { width } = JSON.parse(readFileSync(description, "utf8"));
          assert.equal(width, options.length === 2 ? 4 : 1);
          const { status, stdout, stderr } = runInNode(CORE, wasm, description);
          assert.equal(status, 0, stderr);
          assert.match(stdout, /sent "ping", the device answered "gnip"/);
          assert.match(stdout, /runLaunch returned 0, 1000 of 1000 right/);
        },
        ...options,
      );
    });
  }

  test("the example notices a kernel that computes something else", () => {
    withKernel((wasm, description) => {
      // x and y change places in the arithmetic: a y + x.
      const ptx = readText("examples/saxpy.ptx");
      const other = ptx.replaceAll(/(fma\S+\s+%f\d+, %f\d+), (%f\d+), (%f\d+);/g, "$1, $3, $2;");
      assert.notEqual(other, ptx);
      const file = `${description}.ptx`;
      writeFileSync(file, other);
      const folder = join(wasm, "..");
      assert.equal(warpring("compile", file, "--out", folder).code, 0);
      const { status, stdout } = runInNode(CORE, wasm, description);
      assert.equal(status, 1);
      assert.doesNotMatch(stdout, /1000 of 1000/);
    });
  });

  test("the example uses nothing of warpring but the WebAssembly", () => {
    const files = sourceFiles("examples/embedding");
    assert.ok(files.length >= 3);
    for (const file of files) {
      assert.ok(file.endsWith(".mjs"), file);
      for (const [, from = ""] of readText(file).matchAll(/\b(?:from|import\()\s*"([^"]+)"/g)) {
        assert.match(from, /^(node:\w+|\.\/\w+\.mjs)$/, file);
      }
    }
  });

  test("docs/embedding.md names every export and import of core.wasm", () => {
    const module = new WebAssembly.Module(readFileSync(CORE));
    const text = readText("docs/embedding.md");
    const names = [...WebAssembly.Module.exports(module), ...WebAssembly.Module.imports(module)];
    const missing = names
      .map(({ name }) => name)
      .filter((name) => !text.includes(`\`${name}`) && !text.includes(`\`env.${name}\``));
    assert.deepEqual(missing, []);
  });
});
