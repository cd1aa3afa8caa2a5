import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "../harness.ts";
import { ROOT } from "./files.ts";

describe("deno", () => {
  test("a plain `deno test` passes: the files that need no permission, the rest ignored", () => {
    const result = spawnSync(join(ROOT, "node_modules", ".bin", "deno"), ["test", "--no-check"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 120_000,
      env: { ...process.env, NO_COLOR: "1" },
    });
    const output = result.stdout + result.stderr;
    assert.equal(result.status, 0, output);
    assert.match(output, /all other files need permissions: run `deno test -P` \.\.\. ignored/);
    const [, passed = "0"] = /ok \| (\d+) passed \| 0 failed \| 1 ignored/.exec(output) ?? [];
    assert.ok(Number(passed) > 100, output);
  });
});
