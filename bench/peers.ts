/**
 * The peers that are present on this machine: finds, builds and runs them. A peer that is absent (no
 * gcc, no OpenCL, no Vulkan) is simply not there; its figures are null.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "bench", "peers");
/** Programs and outputs of the benchmark: below build/, which git ignores. */
export const folder = join(root, "build", "bench");

export type PeerName = "pocl" | "webgpu" | "native" | "native_sse";
export const peerNames: readonly PeerName[] = ["pocl", "webgpu", "native", "native_sse"];

/** What people call the peers. */
export const peerTitles: Readonly<Record<PeerName, string>> = {
  pocl: "PoCL",
  webgpu: "WebGPU on lavapipe",
  native: "gcc -O3 -march=native",
  native_sse: "gcc -O3, 128-bit vectors",
};

/** A kernel's runs on one peer: milliseconds of each, or why there are none. */
export interface PeerResult {
  readonly ms?: readonly number[];
  readonly error?: string;
}

/** A kernel and the size it is run at. */
export interface Job {
  readonly name: string;
  readonly n: number;
}

const C_FLAGS = ["-fopenmp", "-ffp-contract=fast", "-fno-math-errno"];
/** -mfma alone would bring in AVX and 256-bit vectors: 128 bits are asked for. */
const builds = {
  native: ["-O3", "-march=native", ...C_FLAGS, "native.c", "-lm"],
  native_sse: [
    ...["-O3", "-msse4.2", "-mfma", "-mf16c", "-mprefer-vector-width=128"],
    ...[...C_FLAGS, "native.c", "-lm"],
  ],
  pocl: ["-O2", "pocl.c", "-lOpenCL", "-lm"],
};

/** The path of the deno or bun of this project, else of the one on the PATH. */
export function runtimePath(name: "bun" | "deno"): string {
  const local = join(root, "node_modules", ".bin", name);
  return existsSync(local) ? local : name;
}

/** Builds a C peer where gcc and its libraries are; false where not. Rebuilds when sources change. */
function build(peer: keyof typeof builds): boolean {
  const target = join(folder, peer);
  const newest = Math.max(
    ...readdirSync(sources).map((name) => statSync(join(sources, name)).mtimeMs),
  );
  if (existsSync(target) && statSync(target).mtimeMs > newest) return true;
  const run = spawnSync("gcc", [...builds[peer], "-o", target], { cwd: sources });
  return run.status === 0;
}

/**
 * Which peers are here. The check of PoCL and WebGPU starts them once with no work, since a loader
 * can be installed without a device behind it.
 */
export function findPeers(): Set<PeerName> {
  mkdirSync(folder, { recursive: true });
  const found = new Set<PeerName>();
  if (build("native")) found.add("native");
  if (build("native_sse")) found.add("native_sse");
  if (build("pocl") && spawnSync(join(folder, "pocl"), ["latency", "1"]).status === 0) {
    found.add("pocl");
  }
  const webgpu = spawnSync(runtimePath("deno"), webgpuArguments(0, []), { env: environment() });
  if (webgpu.status === 0) found.add("webgpu");
  return found;
}

/** Vulkan's loader wants a runtime directory; any will do. */
function environment(): NodeJS.ProcessEnv {
  return { XDG_RUNTIME_DIR: folder, ...process.env };
}

function webgpuArguments(runs: number, jobs: readonly Job[]): string[] {
  return [
    ...["run", "-A", "--unstable-webgpu", join(sources, "webgpu.ts"), folder, String(runs)],
    ...jobs.map(({ name, n }) => `${name}=${n}`),
  ];
}

/**
 * Runs a program that prints one line of JSON per kernel and calls `onLine` for each. It is killed
 * after `silence` seconds without a line. Resolves to an empty string, or to how it ended badly.
 */
export function runLines(
  command: string,
  args: readonly string[],
  silence: number,
  onLine: (line: Record<string, unknown>) => void,
): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env: environment() });
    let stdout = "";
    let stderr = "";
    let late = false;
    const kill = (): void => {
      late = true;
      child.kill("SIGKILL");
    };
    let timer = setTimeout(kill, silence * 1000);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      clearTimeout(timer);
      timer = setTimeout(kill, silence * 1000);
      const lines = (stdout + text).split("\n");
      stdout = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("{")) onLine(JSON.parse(line) as Record<string, unknown>);
      }
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-2000);
    });
    child.on("error", (error) => resolve(String(error)));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (late) resolve(`no answer within ${silence} s`);
      else if (code === 0) resolve("");
      else resolve(`ended with ${signal ?? code}: ${stderr.trim().slice(-600)}`);
    });
  });
}

/**
 * Runs jobs in one program that takes them as NAME=N. Where it dies the kernel it died at is marked,
 * and a new process goes on with the rest.
 */
export async function runJobs(
  jobs: readonly Job[],
  start: (rest: readonly Job[]) => readonly [string, readonly string[]],
  onResult: (name: string, result: PeerResult) => void,
): Promise<void> {
  let rest = jobs;
  while (rest.length > 0) {
    let done = 0;
    const [command, args] = start(rest);
    const failure = await runLines(command, args, 180, (line) => {
      onResult(String(line["name"]), line as PeerResult);
      done++;
    });
    if (done < rest.length) {
      onResult(rest[done]!.name, { error: failure || "ended without a result" });
      done++;
    }
    rest = rest.slice(done);
  }
}

/** Runs jobs on one peer; the outputs of each kernel's first run are left in outputFile(). */
export async function runPeer(
  peer: PeerName,
  jobs: readonly Job[],
  runs: number,
  onResult: (name: string, result: PeerResult) => void,
): Promise<void> {
  if (peer === "webgpu") {
    const start = (rest: readonly Job[]) =>
      [runtimePath("deno"), webgpuArguments(runs, rest)] as const;
    return await runJobs(jobs, start, onResult);
  }
  for (const { name, n } of jobs) {
    const args = [name, String(n), String(runs), outputFile(peer, name)];
    if (peer === "pocl") args.push(sources);
    let result: PeerResult = {};
    const failure = await runLines(join(folder, peer), args, 180, (line) => {
      result = line as PeerResult;
    });
    onResult(name, result.ms ? result : { error: failure || "ended without a result" });
  }
}

/**
 * PoCL's latencies: cold build and first launch in ms, enqueue and finish in µs. Both lists are of
 * `runs` processes, since only the first build of a process is cold.
 */
export async function poclLatency(
  runs: number,
): Promise<{ cold_ms: number[]; launch_us: number[] } | undefined> {
  const cold_ms: number[] = [];
  const launch_us: number[] = [];
  for (let r = 0; r < runs; r++) {
    await runLines(join(folder, "pocl"), ["latency", "1"], 180, (line) => {
      cold_ms.push(line["cold_ms"] as number);
      launch_us.push(...(line["launch_us"] as number[]));
    });
  }
  return cold_ms.length > 0 ? { cold_ms, launch_us } : undefined;
}

/** Where the outputs of a kernel's first run are. */
export function outputFile(peer: string, name: string): string {
  return join(folder, `${peer}.${name}`);
}

/** Those outputs. */
export function readOutput(peer: string, name: string): Uint8Array {
  return new Uint8Array(readFileSync(outputFile(peer, name)));
}
