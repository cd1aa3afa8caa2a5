/**
 * What a call costs an unmodified program, against the same call in one process: `npm run
 * bench:programs`. In rounds, each of the four configurations in its turn, so that a busy machine is as
 * slow for each; the figures are the best of all rounds. Prints the table of docs/performance.md.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runtimeCommand, startServer } from "../../cli/server-process.ts";
import { nativeLibraries } from "../../cuda-shim/native/install.ts";
import { NEWEST } from "../../cuda-shim/native/versions.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });

/** Lines of overhead.cu and in-process.ts: what is measured, and how it reads in the table. */
const ROWS: [name: string, text: string, unit: string][] = [
  ["synchronise", "synchronise with nothing to do", "µs"],
  ["launch-queued", "empty launch, queued", "µs"],
  ["launch-wait", "empty launch, then wait", "µs"],
  ["copy-small-to", "copy 1 KiB to the device", "µs"],
  ["copy-small-from", "copy 1 KiB back", "µs"],
  ["copy-large-to", "copy 64 MiB to the device", "GB/s"],
  ["copy-large-from", "copy 64 MiB back", "GB/s"],
  ["copy-pinned-to", "copy 64 MiB of pinned memory", "GB/s"],
  ["copy-device", "copy 64 MiB within the device", "GB/s"],
  ["memcpy", "memcpy of 64 MiB, in the same process", "GB/s"],
];

const local = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function program(runtime: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "warpring-bench-"));
  const socket = join(folder, "device");
  const library = await nativeLibraries("bench", [NEWEST]);
  const server = await startServer(socket, { watchStdin: true }, runtime);
  try {
    const env = { ...process.env, WARPRING_SOCKET: socket, LD_LIBRARY_PATH: library };
    return execFileSync(local("overhead"), { env, encoding: "utf8" });
  } finally {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

function inProcess(runtime: string): string {
  const [command = "", ...before] = runtimeCommand(runtime);
  return execFileSync(command, [...before, local("in-process.ts")], { encoding: "utf8" });
}

const columns: { title: string; run: () => string | Promise<string> }[] = ["bun", "deno"].flatMap(
  (runtime) => {
    const name = runtime === "bun" ? "Bun" : "Deno";
    return [
      { title: `${name}, program`, run: () => program(runtime) },
      { title: `${name}, in-process`, run: () => inProcess(runtime) },
    ];
  },
);
const best = columns.map(() => new Map<string, number>());
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [i, { run }] of columns.entries()) {
    for (const line of (await run()).trim().split("\n")) {
      const [name = "", number = ""] = line.split(" ");
      const value = Number(number);
      const known = best[i]?.get(name);
      const unit = ROWS.find((row) => row[0] === name)?.[2];
      const better = unit === "µs" ? Math.min : Math.max;
      best[i]?.set(name, known === undefined ? value : better(known, value));
    }
  }
}
console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} threads\n`);
console.log(`| | ${columns.map(({ title }) => title).join(" | ")} |`);
console.log(`|---|${"---|".repeat(columns.length)}`);
for (const [name, text, unit] of ROWS) {
  const cells = best.map((each) => `${each.get(name)?.toFixed(1)} ${unit}`);
  console.log(`| ${text} | ${cells.join(" | ")} |`);
}
