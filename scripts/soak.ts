/**
 * A soak of the library and the served device: `npm run soak -- --launches N --allocations N`.
 *
 * In each runtime a server gets one client after another. The first are short ones, to warm it up;
 * then the long one, which checks its own sums and that the device's memory ends as it began; at the
 * end nothing of a client may be left in the server: no memory, no descriptors, and no more resident
 * memory than a part of what it began with. Ends with `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startServer } from "../cli/server-process.ts";
import { nativeLibraries } from "../cuda-shim/native/install.ts";
import { NEWEST } from "../cuda-shim/native/versions.ts";

const { values } = parseArgs({
  options: {
    launches: { type: "string", default: "1000000" },
    allocations: { type: "string", default: "10000000" },
    runtime: { type: "string", multiple: true, default: ["bun", "deno"] },
    verbose: { type: "boolean", default: false },
  },
});
const PROGRAM = fileURLToPath(new URL("../tests/vhost/fixtures/soak", import.meta.url));
/** Growth of the server's own memory that no leak is blamed for: compiled code, collectors' slack. */
const SLACK_MIB = 128;
const WARM_UPS = 3;

let passed = 0;
let failed = 0;
function check(what: string, good: boolean): void {
  if (good) passed++;
  else failed++;
  console.log(`${good ? "ok    " : "FAILED"} ${what}`);
}

async function client(socket: string, library: string, launches: string, allocations: string) {
  const child = spawn(PROGRAM, [launches, allocations], {
    env: { ...process.env, WARPRING_SOCKET: socket, LD_LIBRARY_PATH: library },
    stdio: ["ignore", "pipe", values.verbose ? "inherit" : "ignore"],
  });
  let out = "";
  child.stdout.on("data", (data) => {
    out += data;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, out: out.trim() };
}

/** Descriptors, mapped files of clients, and resident MiB of a process. */
function held(pid: number): { descriptors: number; mapped: number; resident: number } {
  const maps = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  const pages = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1];
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    mapped: maps.filter((line) => line.includes("memfd:")).length,
    resident: (Number(pages) * 4096) / 2 ** 20,
  };
}

/** The last client's Worker takes a moment to end. */
async function settled(pid: number, descriptors: number): Promise<ReturnType<typeof held>> {
  for (let i = 0; ; i++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = held(pid);
    if (i === 120 || (now.mapped === 0 && now.descriptors <= descriptors)) return now;
  }
}

async function soak(runtime: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "warpring-soak-"));
  const socket = join(folder, "device");
  const library = await nativeLibraries("soak", [NEWEST]);
  const server = await startServer(socket, { watchStdin: true }, runtime);
  const pid = server.pid ?? 0;
  try {
    const { descriptors } = held(pid);
    for (let i = 0; i < WARM_UPS; i++) await client(socket, library, "2000", "2000");
    // A runtime keeps a few more of its own after its first Workers.
    const before = await settled(pid, descriptors + 4);
    const start = Date.now();
    const { code, out } = await client(socket, library, values.launches, values.allocations);
    const seconds = (Date.now() - start) / 1000;
    const work = `${values.launches} launches, ${values.allocations} allocations`;
    check(`${runtime}: ${work} in ${seconds.toFixed(0)} s: ${out}`, code === 0);
    const after = await settled(pid, before.descriptors);
    check(`${runtime}: ${after.mapped} files of clients are mapped`, after.mapped === 0);
    const files = `${before.descriptors} descriptors before, ${after.descriptors} after`;
    check(`${runtime}: ${files}`, after.descriptors <= before.descriptors);
    const grown = after.resident - before.resident;
    const memory = `${before.resident.toFixed(0)} MiB resident before, ${after.resident.toFixed(0)} after`;
    check(`${runtime}: ${memory}`, grown < SLACK_MIB);
  } finally {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const runtime of values.runtime) await soak(runtime);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
