import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "../harness.ts";
import { ROOT } from "../repo/files.ts";
import { warpring, warpringInNode } from "./run.ts";

describe("demo", () => {
  test("runs the examples by name, with check, size and time, in this runtime and in Node", () => {
    for (const [run, name] of [
      [warpring, "Deno" in globalThis ? "Deno" : "Bun"],
      [warpringInNode, "Node"],
    ] as const) {
      const { code, stdout, stderr } = run("demo", "vector-add", "reduce");
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, new RegExp(`virtual GPU in ${name} \\d`));
      assert.match(stdout, /Fused multiply-add: exact, (by the engine|in software)\./);
      assert.match(stdout, /^ok +vector-add +[\d.]+ m?s +1000000 elements/m);
      assert.match(stdout, /^ok +reduce /m);
      assert.match(stdout, /2 of 2 computed what plain TypeScript computes/);
    }
  });

  test("keeps compiled kernels for the next time, unless told not to", () => {
    const folder = mkdtempSync(join(tmpdir(), "warpring-cache-"));
    const before = process.env["WARPRING_CACHE"];
    try {
      process.env["WARPRING_CACHE"] = folder;
      assert.equal(warpring("demo", "vector-add", "--no-cache").code, 0);
      assert.deepEqual(readdirSync(folder), []);
      assert.equal(warpring("demo", "vector-add").code, 0);
      const kept = readdirSync(folder);
      assert.ok(kept.length > 0);
      assert.equal(warpring("demo", "vector-add").code, 0);
      assert.deepEqual(readdirSync(folder), kept);
    } finally {
      if (before === undefined) delete process.env["WARPRING_CACHE"];
      else process.env["WARPRING_CACHE"] = before;
      rmSync(folder, { recursive: true });
    }
  });

  test("a picture goes where --out says, and its path is printed", () => {
    const folder = mkdtempSync(join(tmpdir(), "warpring-demo-"));
    try {
      const { code, stdout } = warpring("demo", "mandelbrot", "--out", folder);
      assert.equal(code, 0, stdout);
      const file = /^ +(\S+\.png)$/m.exec(stdout)?.[1] ?? "";
      assert.ok(existsSync(file), stdout);
      assert.deepEqual(
        [...readFileSync(file).subarray(1, 4)],
        [...new TextEncoder().encode("PNG")],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("it knows every example", () => {
    const { stderr } = warpring("demo", "tetris");
    const named = (/there are (.*)/.exec(stderr)?.[1] ?? "").split(", ");
    const programs = readdirSync(join(ROOT, "examples"))
      .filter((name) => name.endsWith(".cu"))
      .map((name) => name.replace(".cu", ""));
    assert.deepEqual(named.sort(), programs.sort());
  });

  test("an unknown example: the ones that there are, exit code 1", () => {
    const { code, stderr } = warpring("demo", "tetris");
    assert.equal(code, 1);
    assert.match(stderr, /no example tetris; there are assert, bitonic-sort, /);
  });
});
