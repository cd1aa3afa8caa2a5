// Loading core.wasm, and the types of its exports that virtqueues use.

import { instantiateSync } from "@assemblyscript/loader";

/** One side of a virtqueue as the core has it; split and packed rings have the same functions. */
export interface CoreDevice {
  empty(): number;
  pop(): number;
  popRequest(headerBytes: number): number;
  fill(id: number, length: number, offset: number): void;
  flush(units: number): void;
  respond(id: number, units: number, first: number, count: number, bytes: number): number;
  detach(units: number): void;
  rewind(chains: number, units: number): number;
  shouldNotify(): number;
  setNotification(enable: number): void;
  breakQueue(reason: number, detail: number): number;
  broken(): number;
  state(word: number): number;
  init(size: number, desc: number, driver: number, device: number, features: number): void;
  move(desc: number, driver: number, device: number): void;
  restore(a: number, b: number, c: number, d: number, e: number, f: number): void;
}

/** The driver's side, likewise. */
export interface CoreDriver {
  init(
    size: number,
    desc: number,
    driver: number,
    device: number,
    features: number,
    workspace: number,
    staging: number,
    shadow: number,
  ): void;
  setIndirect(linear: number, guest: bigint, max: number): void;
  breakQueue(reason: number, detail: number): number;
  broken(): number;
  free(): number;
  add(outCount: number, inCount: number): number;
  kickPrepare(): number;
  notificationData(): number;
  get(): number;
  more(): number;
  disableCallbacks(): void;
  enableCallbacks(): number;
  enableCallbacksDelayed(): number;
  poll(mark: number): number;
  detachUnused(): number;
}

/** Exports for scatter-gather lists. All numbers are u32 unless said. */
export interface CoreIov {
  setWorkspace(address: number, segments: number, header: number, response: number): void;
  setRegionCount(count: number): void;
  setLoadsInOrder(yes: number): void;
  iovSize(first: number, count: number): number;
  iovToBuf(first: number, count: number, offset: number, target: number, bytes: number): number;
  iovFromBuf(first: number, count: number, offset: number, source: number, bytes: number): number;
  iovMemset(first: number, count: number, offset: number, value: number, bytes: number): number;
  iovDiscardFront(first: number, count: number, bytes: number): number;
  iovDiscardBack(first: number, count: number, bytes: number): number;
}

type Prefixed<Prefix extends string, T> = {
  [Name in keyof T & string as `${Prefix}${Capitalize<Name>}`]: T[Name];
};

/** All of them under the names that the core exports: splitDevicePop, packedDriverAdd, … */
export type CoreExports = CoreIov &
  Prefixed<"splitDevice", CoreDevice> &
  Prefixed<"packedDevice", CoreDevice> &
  Prefixed<"splitDriver", CoreDriver> &
  Prefixed<"packedDriver", CoreDriver>;

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * Compiles build/core.wasm, once. The module can be cloned to Workers.
 * @throws Error if the file cannot be read
 */
export function loadCore(): Promise<WebAssembly.Module> {
  compiled ??= compileCore(new URL("../../build/core.wasm", import.meta.url));
  return compiled;
}

/** Node, Bun and Deno read files; a browser fetches. */
async function compileCore(url: URL): Promise<WebAssembly.Module> {
  if (typeof process === "object" && url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    // At once, as kernels are: what is compiled in the background may wait for the event loop's next turn.
    return new WebAssembly.Module(new Uint8Array(await readFile(url)));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

/** Reports one access of the debug core to guest memory: kind is 0 for a read, 1 for a write. */
export type AccessLog = (address: number, length: number, kind: number) => void;

/**
 * One instance of the core: one side of one virtqueue, with its state in globals of its own.
 * @param core as from `loadCore`
 * @param memory shared linear memory
 * @param log receives each access; the debug core needs it, the release core never calls it
 */
export function instantiateCore(
  core: WebAssembly.Module,
  memory: WebAssembly.Memory,
  log?: AccessLog,
): CoreExports {
  const table = new WebAssembly.Table({ initial: 16, element: "anyfunc" });
  const env: Record<string, unknown> = { memory, table };
  if (log) env["logAccess"] = log;
  const { instance } = instantiateSync(core, { env });
  const exports = instance.exports as unknown as CoreExports;
  exports.setLoadsInOrder(loadsInOrder() ? 1 : 0);
  return exports;
}

/**
 * Does the engine's plain load do what the rings need of an atomic one, and is that one dear? So it
 * is in JavaScriptCore on x86-64 (see assembly/core/access.ts).
 */
export function loadsInOrder(): boolean {
  return "Bun" in globalThis && process.arch === "x64";
}

/** The functions of one side of a queue, split or packed, under common names. */
export function coreDevice(core: CoreExports, packed: boolean): CoreDevice {
  return pick<CoreDevice>(core, packed ? "packedDevice" : "splitDevice", DEVICE_NAMES);
}

/** The driver's side, likewise. */
export function coreDriver(core: CoreExports, packed: boolean): CoreDriver {
  return pick<CoreDriver>(core, packed ? "packedDriver" : "splitDriver", DRIVER_NAMES);
}

const DEVICE_NAMES: readonly (keyof CoreDevice)[] = [
  "empty",
  "pop",
  "popRequest",
  "fill",
  "flush",
  "respond",
  "detach",
  "rewind",
  "shouldNotify",
  "setNotification",
  "breakQueue",
  "broken",
  "state",
  "init",
  "move",
  "restore",
];

const DRIVER_NAMES: readonly (keyof CoreDriver)[] = [
  "init",
  "setIndirect",
  "breakQueue",
  "broken",
  "free",
  "add",
  "kickPrepare",
  "notificationData",
  "get",
  "more",
  "disableCallbacks",
  "enableCallbacks",
  "enableCallbacksDelayed",
  "poll",
  "detachUnused",
];

/** @throws Error if the core lacks a function: it was built from other sources */
function pick<T>(core: CoreExports, prefix: string, names: readonly (keyof T & string)[]): T {
  const found: Record<string, unknown> = {};
  for (const name of names) {
    const exported = prefix + name.charAt(0).toUpperCase() + name.slice(1);
    const value = (core as unknown as Record<string, unknown>)[exported];
    if (typeof value !== "function") throw new Error(`core.wasm has no ${exported}: rebuild it`);
    found[name] = value;
  }
  return found as T;
}
