import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { describe, test } from "../harness.ts";
import { ROOT, readText } from "./files.ts";

/** The README's first code block of a language. */
function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(readText("README.md"));
  assert.ok(found?.[1], `README has no ${language} block`);
  return found[1];
}

describe("README", () => {
  test("its kernel is the one whose PTX the test has", () => {
    assert.equal(block("cuda"), readText("tests/fixtures/readme/scale.cu"));
  });

  test("its program prints what its comment says", () => {
    const folder = mkdtempSync(join(tmpdir(), "warpring-readme-"));
    try {
      const source = block("ts");
      const index = pathToFileURL(join(ROOT, "index.ts")).href;
      writeFileSync(join(folder, "main.ts"), source.replace('"warpring"', `"${index}"`));
      copyFileSync(join(ROOT, "tests/fixtures/readme/scale.ptx"), join(folder, "scale.ptx"));
      const args =
        "Deno" in globalThis
          ? ["run", "-A", "--no-check", "--config", join(ROOT, "deno.json"), "main.ts"]
          : ["main.ts"];
      const result = spawnSync(process.execPath, args, {
        cwd: folder,
        encoding: "utf8",
        timeout: 60_000,
        env: { ...process.env, NO_COLOR: "1" },
      });
      assert.equal(result.status, 0, result.stderr);
      const promised = /console\.log\(.*\/\/ (.*)$/m.exec(source)?.[1];
      const printed = result.stdout.replace(/^.*\[/s, "").match(/[\d.]+/g);
      assert.equal(printed?.join(", "), promised);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
