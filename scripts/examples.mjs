// Runs every example from source in Bun and in Deno; each checks its own result and exits non-zero
// when it is wrong. Ends with one line, `N passed, N failed`. An argument keeps the examples whose
// name contains it. Plain JavaScript, because Node runs it.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const wanted = process.argv[2] ?? "";
const examples = readdirSync(join(root, "examples"))
  .filter((name) => name.endsWith(".ts") && name !== "support.ts" && name.includes(wanted))
  .sort();
const runtimes = { bun: ["run"], deno: ["run", "-P"] };

let passed = 0;
let failed = 0;
for (const example of examples) {
  for (const [runtime, args] of Object.entries(runtimes)) {
    const started = performance.now();
    const result = spawnSync(
      join(root, "node_modules", ".bin", runtime),
      [...args, join("examples", example)],
      {
        cwd: root,
        env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
        encoding: "utf8",
        timeout: 120_000,
      },
    );
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const ok = result.status === 0;
    if (ok) passed++;
    else failed++;
    console.log(`${ok ? "ok    " : "FAILED"} ${runtime.padEnd(4)} ${example} (${seconds} s)`);
    if (!ok) console.log(`${result.stdout}${result.stderr}${result.error ?? ""}`);
  }
}
if (examples.length === 0) failed++;

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
