import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { runtimeCommand } from "../../cli/server-process.ts";
import { describe, test } from "../harness.ts";
import { ROOT } from "../repo/files.ts";
import { missing, RUNTIME } from "./support.ts";

describe("a short soak", () => {
  if (missing() !== undefined) return;

  test("launches and allocations leave nothing behind", () => {
    const [command = "", ...before] = runtimeCommand(RUNTIME);
    const script = join(ROOT, "scripts", "soak.ts");
    const counts = ["--launches", "3000", "--allocations", "5000", "--runtime", RUNTIME];
    const { status, stdout } = spawnSync(command, [...before, script, ...counts], {
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    assert.match(stdout, /\n4 passed, 0 failed\n$/);
    assert.equal(status, 0);
  });
});
