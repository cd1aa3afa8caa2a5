import { DeviceLibrary } from "../compiler/index.ts";
import type { ThreadModule } from "./pool.ts";
import type { KernelCache } from "./types.ts";

/** The compiled WebAssembly that the executor works with. */
export interface ExecArtifacts {
  core: WebAssembly.Module;
  library: DeviceLibrary;
  /** Threads for the worker pool; undefined in a browser. */
  threads: ThreadModule | undefined;
  /** The engine's relaxed multiply-add is fused. */
  fusedMultiplyAdd: boolean;
  /** The engine leaves it to the code to keep vectors in memory (JavaScriptCore on x86). */
  spills: boolean;
  /** Where compiled kernels are kept beyond the process; nowhere if not given. */
  cache?: KernelCache | undefined;
}

let loaded: Promise<ExecArtifacts> | undefined;

/**
 * Loads core.wasm and the device library, once, from beside the sources or over HTTP.
 * @throws Error naming the file that cannot be read
 */
export function loadArtifacts(): Promise<ExecArtifacts> {
  loaded ??= load();
  return loaded;
}

/**
 * A folder that keeps compiled kernels, for `ExecArtifacts.cache`.
 * @param folder absolute path; see `DiskCache`
 */
export async function openKernelCache(folder: string): Promise<KernelCache> {
  const { DiskCache } = await import("./disk-cache.ts");
  return new DiskCache(folder);
}

async function load(): Promise<ExecArtifacts> {
  const [core, library] = await Promise.all([
    readArtifact(new URL("../../build/core.wasm", import.meta.url)),
    readArtifact(new URL("../../build/devicelib.wasm", import.meta.url)),
  ]);
  const multiplyAdd = probeMultiplyAdd();
  return {
    core: new WebAssembly.Module(core),
    library: new DeviceLibrary(library),
    threads: await threadModule(),
    fusedMultiplyAdd: multiplyAdd === "fused",
    spills: multiplyAdd === "unfused",
  };
}

async function threadModule(): Promise<ThreadModule | undefined> {
  if (typeof process === "undefined") return undefined;
  return (await import("node:worker_threads")) as unknown as ThreadModule;
}

async function readArtifact(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol !== "file:") {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  }
  const { readFile } = await import("node:fs/promises");
  try {
    return new Uint8Array(await readFile(url));
  } catch {
    throw new Error(`${url.pathname} is missing: run \`npm run build\``);
  }
}

/**
 * Whether f32x4.relaxed_madd rounds once; undefined where the engine has no relaxed SIMD. Of those that
 * have it only JavaScriptCore on x86 rounds twice. With a = b = 1 + 2⁻¹² and c = -(1 + 2⁻¹¹) a fused
 * operation leaves 2⁻²⁴, an unfused one 0.
 */
function probeMultiplyAdd(): "fused" | "unfused" | undefined {
  const splat = (bits: number[]) => [0x43, ...bits, 0xfd, 0x13];
  const body = [
    0,
    ...splat([0x00, 0x08, 0x80, 0x3f]),
    ...splat([0x00, 0x08, 0x80, 0x3f]),
    ...splat([0x00, 0x10, 0x80, 0xbf]),
    ...[0xfd, 0x85, 0x02, 0xfd, 0x1f, 0x00, 0x0b],
  ];
  const bytes = new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 5, 1, 0x60, 0, 1, 0x7d],
    ...[3, 2, 1, 0],
    ...[7, 5, 1, 1, 0x66, 0, 0],
    ...[10, body.length + 2, 1, body.length, ...body],
  ]);
  if (!WebAssembly.validate(bytes)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  return (exports as { f: () => number }).f() !== 0 ? "fused" : "unfused";
}
