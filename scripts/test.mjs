// Runs all tests in Bun and then in Deno and ends with one line, `N passed, N failed`, over both.
// Arguments (paths of test files or folders) are handed to both. Exits 1 if any test failed, or if
// a runner ended badly without saying that a test failed. Plain JavaScript, because Node runs it.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const paths = process.argv.slice(2);

/**
 * Bun ends with ` 12 pass` and ` 1 fail`, Deno with `ok | 12 passed (3 steps) | 1 failed`. `failures`
 * finds what a runner said of those that failed: Bun in front of each `(fail)`, after the line of
 * the test before, Deno in one part at its end.
 */
const runners = [
  {
    name: "bun",
    args: ["test", ...paths],
    passed: /^ *(\d+) pass$/gm,
    failed: /^ *(\d+) fail$/gm,
    broken: /^ *(\d+) errors?$/gm,
    failures: bunFailures,
  },
  {
    name: "deno",
    // `npm run typecheck` has checked the types; Deno would check those of each Worker again.
    args: ["test", "-P", "--no-check", ...(paths.length > 0 ? paths : ["tests/"])],
    passed: /\| (\d+) passed/g,
    failed: /\| (\d+) failed/g,
    broken: undefined,
    failures: (output) => /^ ERRORS $.*(?=^ FAILURES $)/ms.exec(output)?.[0] ?? "",
  },
];

/** Runs one command in the repository's root, showing and returning all that it prints. */
function runCommand(name, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, "node_modules", ".bin", name), args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        output += text;
        process.stdout.write(text);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

function bunFailures(output) {
  const found = [];
  let lines = [];
  for (const line of output.split("\n")) {
    lines.push(line);
    const between = lines.includes("# Unhandled error between tests");
    const rules = lines.filter((text) => /^-{20,}$/.test(text)).length;
    if (line.startsWith("(fail) ") || (between && rules === 2)) found.push(lines.join("\n"));
    else if (between || !/^\(pass\) |\.test\.ts:$/.test(line)) continue;
    lines = [];
  }
  return found.join("\n");
}

/** The last match's number: tests may print lines that look like an earlier summary. */
function lastNumber(output, pattern) {
  return pattern ? Number([...output.matchAll(pattern)].at(-1)?.[1] ?? 0) : 0;
}

let passed = 0;
let failed = 0;
const lines = [];
const failures = [];
for (const runner of runners) {
  console.log(`\n== ${runner.name} ${runner.args.join(" ")}`);
  const { code, output } = await runCommand(runner.name, runner.args);
  const good = lastNumber(output, runner.passed);
  let bad = lastNumber(output, runner.failed) + lastNumber(output, runner.broken);
  // A crash of the runner itself, or a run in which nothing was found, counts as one failure.
  if (bad === 0 && (code !== 0 || good === 0)) bad = 1;
  passed += good;
  failed += bad;
  lines.push(`${runner.name}: ${good} passed, ${bad} failed`);
  // Shown again at the end, for those who have only a log's last lines.
  if (bad > 0) failures.push(`\n== failed in ${runner.name}\n${runner.failures(output).trim()}`);
}

if (failures.length > 0) console.log(failures.join("\n"));
console.log(`\n${lines.join("\n")}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
