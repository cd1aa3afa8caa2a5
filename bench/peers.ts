/**
 * The peers that are present on this machine: finds, builds and starts them. A peer that is absent (no
 * gcc, no OpenCL, no Vulkan) is simply not there; its figures are null.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Answer, LineProcess } from "./line-process.ts";

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
  if (build("pocl") && spawnSync(join(folder, "pocl"), ["latency"]).status === 0) {
    found.add("pocl");
  }
  const webgpu = spawnSync(runtimePath("deno"), webgpuArguments, { env: environment() });
  if (webgpu.status === 0) found.add("webgpu");
  return found;
}

/** Vulkan's loader wants a runtime directory; any will do. */
function environment(): NodeJS.ProcessEnv {
  return { XDG_RUNTIME_DIR: folder, ...process.env };
}

const webgpuArguments = ["run", "-A", "--unstable-webgpu", join(sources, "webgpu.ts"), folder];

/** Starts a program of the benchmark. */
export function start(command: string, args: readonly string[]): LineProcess {
  return new LineProcess(command, args, environment());
}

/** The one answer of a program that ends by itself. @throws Error saying how it ended without one */
export async function askOnce(program: LineProcess): Promise<Answer> {
  try {
    return await program.answer();
  } finally {
    await program.end();
  }
}

/** Starts a peer on a kernel of size n; its outputs will be in `outputFile(peer, name)`. */
export function startPeer(peer: PeerName, name: string, n: number): LineProcess {
  if (peer === "webgpu") {
    return start(runtimePath("deno"), [...webgpuArguments, name, String(n)]);
  }
  const args = [name, String(n), outputFile(peer, name)];
  return start(join(folder, peer), peer === "pocl" ? [...args, sources] : args);
}

/** PoCL's latencies: opening a device, cold build and first launch in ms, enqueue and finish in µs. */
export async function poclLatency(): Promise<Answer> {
  return await askOnce(start(join(folder, "pocl"), ["latency"]));
}

/** Where the outputs of a kernel's first run are. */
export function outputFile(peer: string, name: string): string {
  return join(folder, `${peer}.${name}`);
}

/** Those outputs. */
export function readOutput(peer: string, name: string): Uint8Array {
  return new Uint8Array(readFileSync(outputFile(peer, name)));
}
