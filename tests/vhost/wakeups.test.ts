/** How often the library and the device wake each other: counted, whatever the machine's speed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { nativeLibraries } from "../../cuda-shim/native/install.ts";
import { NEWEST } from "../../cuda-shim/native/versions.ts";
import { describe, test } from "../harness.ts";
import { ROOT } from "../repo/files.ts";
import { missing, runProgram } from "./support.ts";

const why = missing();

describe("wake-ups between the library and the device", () => {
  if (why !== undefined) {
    console.warn(`wake-ups are not counted: ${why}`);
    return;
  }
  test("one at most for each synchronisation, and one for each request", async () => {
    const folder = mkdtempSync(join(tmpdir(), "warpring-wakeups-"));
    try {
      const library = join(await nativeLibraries("test", [NEWEST]), NEWEST.library);
      const program = join(folder, "program");
      const source = fileURLToPath(new URL("./wakeups/program.c", import.meta.url));
      const fatbin = join(ROOT, "tests", "fixtures", "image", "both.fatbin");
      const flags = ["-Wall", `-DFATBIN="${fatbin}"`, "-pthread", "-o", program];
      execFileSync(process.env["CC"] ?? "cc", [...flags, source, library]);
      const { code, stdout, stderr } = runProgram(program);
      assert.deepEqual([code, stderr], [0, ""]);
      const lines = stdout.trimEnd().split("\n");
      assert.equal(lines.length, 6, stdout);
      for (const line of lines) {
        const [, waits, requests, kicks, calls, sleeps] = /: (\d+) (\d+) (\d+) (\d+) (\d+)$/
          .exec(line)!
          .map(Number) as number[];
        // A call that the library no longer waited for may come after the counters were set to zero.
        assert.ok(
          calls! <= waits! + 1,
          `the device woke the library more than once a wait: ${line}`,
        );
        assert.ok(sleeps! <= waits! + 1, `the library slept more than once a wait: ${line}`);
        assert.ok(kicks! <= requests!, `more kicks than requests: ${line}`);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
