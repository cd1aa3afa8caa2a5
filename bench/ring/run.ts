/**
 * Requests through a virtqueue against a driver and a device in C: `npm run bench:ring`.
 *
 * The loop is the same in all: add a batch of requests (16 bytes out, 16 in), kick, pop and answer
 * them, take them back. "core" is our ring code in a WebAssembly loop, "API" the TypeScript
 * functions, one request at a time. C, core and API take turns within one run, so that a busy
 * machine is as slow for each; the best of the rounds counts.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadsInOrder } from "../../runtime/virtio/core.ts";
import {
  DeviceQueue,
  DriverQueue,
  loadCore,
  queueLayout,
  sgInitOne,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
  virtqueueAddSgs,
  virtqueueGetBuf,
  virtqueueKick,
  virtqueuePopRequest,
  virtqueuePushResponse,
} from "../../runtime/virtio/index.ts";
import { deviceWorkspace, driverWorkspace } from "../../runtime/virtio/layout.ts";
import { writeRegions } from "../../runtime/virtio/regions.ts";
import { StressPair } from "../../tests/virtio/stress/stress.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SIZE = 512;
const BATCHES = [1, 16, 256];
const REQUESTS = 1 << 17;
const ROUNDS = 40;
const RAM = 0x10000;
const RAM_BYTES = 0x100000;
const BUFFERS = RAM + 0x40000;
const WORKSPACE = RAM + RAM_BYTES;
const DRIVER_WORKSPACE = WORKSPACE + 0x10000;
const REGIONS = [{ guest: RAM, size: RAM_BYTES, offset: RAM }];
const ASC = ["--runtime", "stub", "--noAssert", "--use", "abort=", "--importMemory"];
const ASC_SHARED = ["--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"];
const ASC_FEATURES = ["--enable", "simd,threads"];

type Runner = (batch: number, requests: number) => number;

function newMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
}

/** Compiles ring.c; undefined where there is no gcc. */
function buildC(folder: string): string | undefined {
  const out = join(folder, "ring");
  const source = join(ROOT, "bench/ring/ring.c");
  const { status } = spawnSync("gcc", ["-O2", "-pthread", "-o", out, source], { stdio: "inherit" });
  return status === 0 ? out : undefined;
}

function runC(program: string, kind: string, batch: number, requests: number, two = false): number {
  const args = [kind, String(batch), String(requests), ...(two ? ["2"] : [])];
  return Number(execFileSync(program, args, { encoding: "utf8" }));
}

/** Nanoseconds per request of the loop in WebAssembly. */
function coreRunner(module: WebAssembly.Module, packed: boolean): Runner {
  const memory = newMemory();
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const loop = exports as unknown as {
    setWorkspace(...args: number[]): void;
    setRegionCount(count: number): void;
    setLoadsInOrder(yes: number): void;
    setUp(...args: number[]): void;
    loop(batch: number, requests: number): number;
  };
  const layout = queueLayout({ size: SIZE, packed });
  const areas = deviceWorkspace({ size: SIZE });
  const driver = driverWorkspace({ size: SIZE, packed });
  const [header, response] = [WORKSPACE + areas.header, WORKSPACE + areas.response];
  loop.setWorkspace(WORKSPACE, areas.segments, header, response);
  writeRegions(new DataView(memory.buffer, WORKSPACE), REGIONS);
  loop.setRegionCount(1);
  loop.setLoadsInOrder(loadsInOrder() ? 1 : 0);
  loop.setUp(
    packed ? 1 : 0,
    SIZE,
    RAM + layout.descriptors,
    RAM + layout.driver,
    RAM + layout.device,
    DRIVER_WORKSPACE,
    DRIVER_WORKSPACE + driver.staging,
    DRIVER_WORKSPACE + driver.shadow,
    BUFFERS,
    header,
    response,
  );
  return (batch, requests) => {
    const began = performance.now();
    const sum = loop.loop(batch, requests);
    const elapsed = performance.now() - began;
    const rounded = Math.ceil(requests / batch) * batch;
    if (sum !== rounded * 16) throw new Error(`the loop broke: ${sum}`);
    return (elapsed * 1e6) / rounded;
  };
}

/** The same through the TypeScript API. */
async function apiRunner(packed: boolean): Promise<Runner> {
  const core = await loadCore();
  const memory = newMemory();
  const features = VIRTIO_F_VERSION_1 | (packed ? VIRTIO_F_RING_PACKED : 0n);
  let notified = 0;
  const common = { core, memory, index: 0, size: SIZE, features, notify: () => void notified++ };
  const driver = new DriverQueue<number>({ ...common, base: RAM, workspace: DRIVER_WORKSPACE });
  const device = new DeviceQueue({
    ...common,
    ...driver.addresses,
    workspace: WORKSPACE,
    regions: REGIONS,
    onError: (reason) => {
      throw new Error(reason);
    },
  });
  const view = new DataView(memory.buffer);
  const lists = Array.from({ length: SIZE / 2 }, (_, slot) => {
    const at = BUFFERS + 64 * slot;
    return { out: [sgInitOne(at, 16)], into: [sgInitOne(at + 32, 16)] };
  });
  return (batch, requests) => {
    const began = performance.now();
    let done = 0;
    while (done < requests) {
      for (let i = 0; i < batch; i++) {
        const { out, into } = lists[i]!;
        view.setUint32(BUFFERS + 64 * i, done + i, true);
        if (virtqueueAddSgs(driver, out, into, i) !== 0) throw new Error("add");
      }
      virtqueueKick(driver);
      for (let e = virtqueuePopRequest(device, 16); e; e = virtqueuePopRequest(device, 16)) {
        device.response.setUint32(0, device.header.getUint32(0, true) ^ 0xffff, true);
        virtqueuePushResponse(e, 16);
      }
      for (let i = 0; i < batch; i++) {
        if (virtqueueGetBuf(driver) === undefined) throw new Error("get");
      }
      done += batch;
    }
    return ((performance.now() - began) * 1e6) / done;
  };
}

function best(values: readonly number[]): number {
  return Math.min(...values);
}

const folder = mkdtempSync(join(tmpdir(), "warpring-ring-"));
try {
  const program = buildC(folder);
  const wasm = join(folder, "loop.wasm");
  const asc = join(ROOT, "node_modules/.bin/asc");
  const loopSource = join(ROOT, "assembly/bench/ring-loop.ts");
  const flags = [...ASC, ...ASC_SHARED, ...ASC_FEATURES, "-O3", "--converge", "-o", wasm];
  execFileSync(asc, [loopSource, ...flags], { stdio: ["ignore", "ignore", "inherit"] });
  const module = new WebAssembly.Module(new Uint8Array(readFileSync(wasm)));
  const runtime = "Bun" in globalThis ? "Bun" : "Deno" in globalThis ? "Deno" : "Node";

  console.log(`One thread, ${runtime}; nanoseconds per request, best of ${ROUNDS}:\n`);
  console.log("| ring | batch | C | core | core / C | API |");
  console.log("|---|---|---|---|---|---|");
  for (const packed of [false, true]) {
    const kind = packed ? "packed" : "split";
    const core = coreRunner(module, packed);
    const api = await apiRunner(packed);
    // Engines compile the loop in steps; the C starts compiled.
    for (let round = 0; round < 4; round++) for (const batch of BATCHES) core(batch, REQUESTS / 4);
    for (const batch of BATCHES) api(batch, REQUESTS / 4);
    for (const batch of BATCHES) {
      const times = { c: [] as number[], core: [] as number[], api: [] as number[] };
      for (let round = 0; round < ROUNDS; round++) {
        if (program) times.c.push(runC(program, kind, batch, REQUESTS));
        times.core.push(core(batch, REQUESTS / 4));
        times.api.push(api(batch, REQUESTS / 16));
      }
      const [c, w, a] = [best(times.c), best(times.core), best(times.api)];
      const ratio = program ? (w / c).toFixed(2) : "no gcc";
      const shown = program ? c.toFixed(1) : "no gcc";
      console.log(
        `| ${kind} | ${batch} | ${shown} | ${w.toFixed(1)} | ${ratio} | ${a.toFixed(0)} |`,
      );
    }
  }

  console.log(`\nTwo threads (${availableParallelism()} cores), requests per second:\n`);
  console.log("| ring | C, spinning, batch 256 | API, two Workers |");
  console.log("|---|---|---|");
  const pair = new StressPair();
  for (const packed of [false, true]) {
    const kind = packed ? "packed" : "split";
    const ns = program ? runC(program, kind, 256, 256 * 400, true) : Number.NaN;
    const features = packed ? VIRTIO_F_RING_PACKED : 0n;
    const { done, seconds, error } = await pair.run({ features, size: SIZE }, 200_000);
    if (error !== "") throw new Error(error);
    const c = program ? `${(1e3 / ns).toFixed(2)} M` : "no gcc";
    console.log(`| ${kind} | ${c} | ${(done / seconds / 1e6).toFixed(2)} M |`);
  }
  await pair.stop();
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(0);
