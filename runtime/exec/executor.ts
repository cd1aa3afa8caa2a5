import type { CompiledKernel, DeviceLibrary } from "../compiler/index.ts";
import { Heap } from "../memory/index.ts";
import type { ExecArtifacts } from "./artifacts.ts";
import { ChildLaunches } from "./children.ts";
import { describeFault } from "./fault.ts";
import { HelpPolicy } from "./help.ts";
import { KernelHost } from "./host.ts";
import * as L from "./layout.ts";
import { Module, type ModuleOwner, type PlacedKernel } from "./module.ts";
import { WorkerPool } from "./pool.ts";
import { POOL_CONTROL_BYTES } from "./pool-defs.ts";
import type {
  ExecHost,
  ExecOptions,
  KernelCache,
  KernelFault,
  KernelInfo,
  LaunchRequest,
  LoadedModule,
} from "./types.ts";

interface ExecCore {
  runLaunch(launch: number, contexts: number, count: number, budget: number): number;
}

/** Bytes at the front of scratch that kernels may not touch: launch records, contexts, pcs. */
const CONTROL_BYTES = 8 << 20;
/** Turns of blocks between two looks at the clock. */
const BUDGET = 4096;
/** Blocks that take turns if a kernel waits for others. */
const MAX_RESIDENT = 512;
/** Stack of local memory for kernels that call functions, bytes a thread. */
const STACK_BYTES = 32 << 10;
const PARAM_BYTES = 32 << 10;
/** Workers at most, if the caller doesn't say. */
const MAX_WORKERS = 15;
/**
 * Bytes between what different threads work on: the processors' prefetchers, which run ahead of one
 * thread's spill slots, would take the next thread's shared memory away from it all the time.
 */
const APART_BYTES = 4096;
/** A launch that has run this long is worth waking the workers for. */
const WORTH_HELP_MS = 0.08;

/** Threads that the machine runs at once. */
const hardwareThreads = () =>
  typeof navigator === "object" ? (navigator.hardwareConcurrency ?? 1) : 1;

const align = (n: number, to: number) => Math.ceil(n / to) * to;

/**
 * Runs kernels: keeps them compiled by block shape, lays out each launch in scratch memory and
 * drives the core's execution loops.
 */
export class Executor implements ModuleOwner {
  readonly host: ExecHost;
  readonly library: DeviceLibrary;
  readonly fma: "exact" | "relaxed" | "unfused";
  readonly width: 1 | 4 | undefined;
  readonly cache: KernelCache | undefined;
  private readonly core: ExecCore;
  private readonly table: WebAssembly.Table;
  private readonly kernelHost: KernelHost;
  private readonly children: ChildLaunches;
  private readonly control: Heap;
  private readonly data: Heap;
  private readonly freeTable = new Map<number, number[]>();
  private tableTop = 1;
  protected readonly launchRecord: number;
  private readonly paramBuffer: number;
  private readonly low: number;
  protected readonly pool: WorkerPool | undefined;
  private gridId = 0;

  /**
   * @param host the device's memory and output
   * @param artifacts as from `loadArtifacts`
   * @param options threads and arithmetic
   */
  constructor(host: ExecHost, artifacts: ExecArtifacts, options: ExecOptions = {}) {
    this.host = host;
    this.library = artifacts.library;
    this.fma = artifacts.fusedMultiplyAdd ? "relaxed" : (options.fma ?? "exact");
    this.width = options.width;
    this.cache = artifacts.cache;
    this.table = new WebAssembly.Table({ initial: 64, element: "anyfunc" });
    const env = { memory: host.memory.memory, table: this.table };
    this.core = new WebAssembly.Instance(artifacts.core, { env }).exports as unknown as ExecCore;
    const { scratch } = host.memory.map;
    this.low = scratch.start + CONTROL_BYTES;
    this.control = new Heap(scratch.start, CONTROL_BYTES, 64);
    this.data = new Heap(this.low, scratch.size - CONTROL_BYTES, 64);
    this.launchRecord = this.control.alloc(L.LAUNCH_RECORD_BYTES);
    this.paramBuffer = this.data.alloc(PARAM_BYTES);
    this.kernelHost = new KernelHost(host);
    this.children = new ChildLaunches(host);
    Object.assign(this.kernelHost.imports, this.children.imports);
    const helpers = options.workers ?? Math.min(MAX_WORKERS, hardwareThreads() - 1);
    if (artifacts.threads && helpers > 0) {
      const controls = Array.from({ length: helpers }, () =>
        this.control.alloc(POOL_CONTROL_BYTES),
      );
      this.pool = new WorkerPool(artifacts.threads, host.memory.memory, artifacts.core, controls);
    }
  }

  /**
   * Parses and lowers a PTX module and gives its variables memory.
   * @param twin the same module loaded before, for another device: managed variables are those of it
   * @throws PtxError (code 218) for PTX that is malformed or not supported
   */
  loadModule(ptx: string, name = "ptx", twin?: LoadedModule): LoadedModule {
    return new Module(this, ptx, name, twin instanceof Module ? twin : undefined);
  }

  /** Puts a compiled kernel's regions into the function table and its cut table into memory. */
  place(compiled: CompiledKernel, beside?: PlacedKernel): PlacedKernel {
    const module = new WebAssembly.Module(compiled.wasm);
    const instance = new WebAssembly.Instance(module, {
      env: { memory: this.host.memory.memory },
      host: this.kernelHost.imports as unknown as WebAssembly.ModuleImports,
    });
    const table = this.freeTable.get(compiled.regions)?.pop() ?? this.growTable(compiled.regions);
    for (let k = 0; k < compiled.regions; k++) {
      this.table.set(table + k, instance.exports[`region${k + 1}`] as () => number);
    }
    const cuts = this.control.alloc(compiled.cuts.length);
    if (cuts === 0) throw outOfScratch(compiled.cuts.length);
    this.host.memory.bytes(cuts, compiled.cuts.length).set(compiled.cuts);
    // Functions of the host print, allocate or report through this thread.
    const alone = compiled.hosts.some((name) => name !== "clock" && name !== "globaltimer");
    const shared = this.pool && !alone && !beside;
    const pooled = shared ? (this.pool as WorkerPool).add(module, table, compiled.regions) : 0;
    const help = pooled > 0 && compiled.atomics ? new HelpPolicy() : undefined;
    const history = beside?.history ?? { ms: 0, blocks: 0, help };
    return { compiled, table, cuts, pooled, history };
  }

  private growTable(count: number): number {
    const at = this.tableTop;
    this.tableTop += count;
    if (this.tableTop > this.table.length) this.table.grow(this.tableTop + 64 - this.table.length);
    return at;
  }

  release({ compiled, table, cuts }: PlacedKernel): void {
    for (let k = 0; k < compiled.regions; k++) this.table.set(table + k, null);
    const list = this.freeTable.get(compiled.regions);
    if (list) list.push(table);
    else this.freeTable.set(compiled.regions, [table]);
    this.control.release(cuts);
  }

  /**
   * Runs a launch, and what it launches itself, to its end.
   * @returns the first fault, or undefined
   * @throws Error with a cudaError_t `code` if the launch cannot start
   */
  launch(request: LaunchRequest): KernelFault | undefined {
    this.host.running?.(request.kernel);
    try {
      const fault = this.launchGrid(request);
      if (!this.children.pending) return fault;
      if (!fault) return this.children.run(request, (child) => this.launch(child));
      this.children.drop();
      return fault;
    } finally {
      this.host.running?.(undefined);
    }
  }

  /** Offset of a word by which any thread ends the launch that runs: it sets it to 1. */
  get stopWord(): number {
    return this.launchRecord + L.LAUNCH_STOP;
  }

  private launchGrid(request: LaunchRequest): KernelFault | undefined {
    const module = request.module as Module;
    const kernel = this.formOf(request, module);
    this.children.begin(module);
    const info = module.kernels.get(request.kernel) as KernelInfo;
    const plan = this.plan(request, info, kernel);
    try {
      return this.run(request, module, kernel, plan);
    } finally {
      this.free(plan);
    }
  }

  /** The form of a kernel that a launch runs: for one thread where no other will take part. */
  private formOf(request: LaunchRequest, module: Module): PlacedKernel {
    const { kernel: name, block, grid, cooperative } = request;
    const several = module.kernel(name, block, !this.pool);
    if (!this.pool || !several.compiled.atomics) return several;
    const blocks = grid[0] * grid[1] * grid[2];
    const { history, pooled } = several;
    const known = history.ms > 0 && blocks <= 4 * history.blocks;
    const short = known && (history.ms <= WORTH_HELP_MS || history.help?.wanted() === false);
    const alone = pooled === 0 || blocks === 1 || cooperative || short;
    return alone ? module.kernel(name, block, true) : several;
  }

  /** Reserves the memory of the blocks that are resident at once. */
  private plan(
    request: LaunchRequest,
    info: KernelInfo,
    { compiled, pooled }: PlacedKernel,
  ): LaunchPlan {
    const threads = request.block[0] * request.block[1] * request.block[2];
    const rounded = align(threads, 4);
    const warps = Math.ceil(threads / 32);
    const shared = align(
      request.dynamicSharedBytes > 0
        ? compiled.dynamicSharedOffset + request.dynamicSharedBytes
        : compiled.sharedBytes,
      16,
    );
    const stack = Math.max(STACK_BYTES, align(request.stackBytes ?? 0, 16));
    const local = compiled.localBytes + (compiled.usesStack ? stack : 0);
    const frame = compiled.frameBytes * warps;
    const spill = align(compiled.spillBytes * rounded, 16);
    const cluster = request.cluster ?? info.clusterDims ?? [1, 1, 1];
    const clusterBlocks = cluster[0] * cluster[1] * cluster[2];
    // Windows of a cluster are a power of two apart, so that an address tells its block.
    const clusterShift = Math.max(6, 32 - Math.clz32(Math.max(shared, 1) - 1));
    const window = clusterBlocks > 1 ? 2 ** clusterShift : align(shared, 64);
    const perBlock = window + align(frame + spill + align(local * threads, 16), 64) + 64;
    const arrays = compiled.clusters ? 3 : 2;
    const perControl = L.BLOCK_CONTEXT_BYTES + arrays * 4 * align(threads, 32) + 64;
    const blocks = request.grid[0] * request.grid[1] * request.grid[2];
    let count = clusterBlocks;
    if (request.cooperative) count = blocks;
    else if (compiled.waits) {
      const sharers = 1 + (this.pool?.size ?? 0);
      const room = Math.floor((this.data.free * 0.75) / perBlock / sharers);
      const most = Math.min(blocks, MAX_RESIDENT, room);
      count = Math.max(1, Math.floor(most / clusterBlocks)) * clusterBlocks;
    }
    const helps = this.pool !== undefined && pooled > 0 && blocks > 1 && !request.cooperative;
    const threadsAtWork = helps ? 1 + (this.pool as WorkerPool).size : 1;
    const apart = threadsAtWork > 1 ? APART_BYTES : 0;
    const dataStride = perBlock * count + apart;
    const controlStride = perControl * count + apart;
    const dataBytes = dataStride * threadsAtWork;
    let inHeap = true;
    let data = this.data.alloc(dataBytes);
    if (data === 0) {
      inHeap = false;
      data = this.host.allocDevice(dataBytes, 64);
    }
    if (data === 0) throw outOfScratch(dataBytes);
    const control = this.control.alloc(controlStride * threadsAtWork);
    if (control === 0) {
      if (inHeap) this.data.release(data);
      else this.host.freeDevice(data);
      throw outOfScratch(controlStride * threadsAtWork);
    }
    return {
      threads,
      shared,
      cluster,
      clusterBlocks,
      clusterShift,
      explicitCluster: request.cluster !== undefined || info.clusterDims !== undefined,
      window,
      clusters: compiled.clusters,
      local,
      frame,
      spill,
      perBlock,
      perControl,
      dataStride,
      controlStride,
      count,
      threadsAtWork,
      data,
      control,
      inHeap,
    };
  }

  private free(plan: LaunchPlan): void {
    this.control.release(plan.control);
    if (plan.inHeap) this.data.release(plan.data);
    else this.host.freeDevice(plan.data);
  }

  private run(
    request: LaunchRequest,
    module: Module,
    kernel: PlacedKernel,
    plan: LaunchPlan,
  ): KernelFault | undefined {
    const { memory } = this.host;
    const at = this.launchRecord;
    const started = performance.now();
    this.writeRecord(request, module, kernel, plan, started);
    const { u32 } = memory;
    for (let thread = 0; thread < plan.threadsAtWork; thread++) {
      for (let k = 0; k < plan.count; k++) this.writeContext(u32, thread, k, plan, kernel);
    }
    this.kernelHost.begin(request);
    const { history } = kernel;
    const helps = plan.threadsAtWork > 1 && (history.help?.wanted() ?? true);
    const atOnce = helps && history.ms > WORTH_HELP_MS;
    let cause = this.runBlocks(plan, kernel, started, helps, atOnce);
    if (cause === 1)
      Atomics.store(new Int32Array(memory.memory.buffer), (at + L.LAUNCH_STOP) >> 2, 1);
    const others = plan.threadsAtWork > 1 ? (this.pool as WorkerPool).end() : 0;
    if (cause === 0) cause = others;
    if (cause === 0 && (plan.threadsAtWork > 1 || history.help)) {
      const ms = performance.now() - started;
      const [x, y, z] = request.grid;
      // With help from the start it took half as long as it would have alone, or longer.
      history.ms = ms * (atOnce ? 2 : 1);
      history.blocks = x * y * z;
      const compared = atOnce || !helps;
      if (compared && history.ms > WORTH_HELP_MS) history.help?.ran(ms, history.blocks, atOnce);
    }
    if (cause === 0 && memory.view.getUint32(at + L.LAUNCH_STOP, true) === 0) return undefined;
    return describeFault(memory, at, request, kernel.compiled, this.kernelHost, cause);
  }

  /**
   * Runs blocks on this thread until none is left.
   * @param helps whether the pool's workers may help, as soon as the launch has turned out to be long
   * @param atOnce whether they are asked before it begins
   * @returns 0, or why it ended: 1 the deadline, 2 a fault, 3 a deadlock, or what the engine threw
   */
  protected runBlocks(
    plan: LaunchPlan,
    kernel: PlacedKernel,
    started: number,
    helps: boolean,
    atOnce: boolean,
  ): unknown {
    const { memory } = this.host;
    const at = this.launchRecord;
    const deadline = memory.view.getFloat64(at + L.LAUNCH_DEADLINE, true);
    const { pool } = this;
    const contexts = (k: number) => plan.control + (k + 1) * plan.controlStride;
    const offer = () => !pool || pool.offer(kernel.pooled, at, plan.count, contexts);
    /** Nobody can help who has not been asked. */
    let settled = !helps;
    if (atOnce) settled = offer();
    let before = started;
    let budget = settled ? BUDGET : 4;
    for (;;) {
      let result: number;
      try {
        result = this.core.runLaunch(at, plan.control, plan.count, budget);
      } catch (error) {
        return error ?? 4;
      }
      if (result !== 1) return result;
      const now = performance.now();
      if (deadline !== 0 && now >= deadline) return 1;
      if (settled) continue;
      if (now - started > WORTH_HELP_MS) settled = offer();
      // Threads that are still starting are asked again within a millisecond or so.
      if (settled) budget = BUDGET;
      else if (now - before < 0.5) budget = Math.min(BUDGET, budget * 2);
      before = now;
    }
  }

  private writeRecord(
    request: LaunchRequest,
    module: Module,
    { compiled, cuts }: PlacedKernel,
    plan: LaunchPlan,
    started: number,
  ): void {
    const { memory } = this.host;
    const at = this.launchRecord;
    const { u32, u8, view } = memory;
    const words = at >> 2;
    u32.fill(0, words, words + (L.LAUNCH_RECORD_BYTES >> 2));
    const set = (offset: number, value: number) => {
      u32[words + (offset >> 2)] = value;
    };
    const { grid, block, params } = request;
    for (let k = 0; k < 3; k++) {
      set(L.LAUNCH_GRID_X + 4 * k, grid[k]);
      set(L.LAUNCH_BLOCK_X + 4 * k, block[k]);
    }
    set(L.LAUNCH_THREADS, plan.threads);
    set(L.LAUNCH_GROUPS, Math.ceil(plan.threads / compiled.width));
    set(L.LAUNCH_WIDTH, compiled.width);
    set(L.LAUNCH_PARAMS, this.paramBuffer);
    set(L.LAUNCH_PARAM_BYTES, params.length);
    set(L.LAUNCH_DYNAMIC_SHARED, request.dynamicSharedBytes);
    set(L.LAUNCH_TOTAL_SHARED, plan.shared);
    set(L.LAUNCH_LOCAL_BYTES, plan.local);
    set(L.LAUNCH_MODULE_OFFSET, module.offset);
    set(L.LAUNCH_CUTS, cuts);
    set(L.LAUNCH_REGIONS, compiled.regions);
    set(L.LAUNCH_BLOCKS, grid[0] * grid[1] * grid[2]);
    set(L.LAUNCH_FRAME_BYTES, compiled.frameBytes);
    set(L.LAUNCH_RUNS, compiled.runs ? 1 : 0);
    for (let k = 0; k < 3; k++) set(L.LAUNCH_CLUSTER_X + 4 * k, plan.cluster[k]);
    set(L.LAUNCH_CLUSTER_BLOCKS, plan.clusterBlocks);
    set(L.LAUNCH_EXPLICIT_CLUSTER, plan.explicitCluster ? 1 : 0);
    set(L.LAUNCH_CLUSTER_SHIFT, plan.clusterShift);
    set(L.LAUNCH_CLUSTER_SHARED, (plan.clusterBlocks - 1) * plan.window + plan.shared);
    const low = memory.base + this.low;
    set(L.LAUNCH_HEAP_BASE, memory.base);
    set(L.LAUNCH_HEAP_BASE + 4, memory.base / 2 ** 32);
    set(L.LAUNCH_HEAP_LOW, low);
    set(L.LAUNCH_HEAP_LOW + 4, low / 2 ** 32);
    set(L.LAUNCH_HEAP_BYTES, memory.byteLength - this.low);
    set(L.LAUNCH_GRID_ID, ++this.gridId);
    if (request.timeoutMs > 0) {
      view.setFloat64(at + L.LAUNCH_DEADLINE, started + request.timeoutMs, true);
    }
    u8.set(params, this.paramBuffer);
    if (request.cooperative) this.gridWorkspace(view, at);
  }

  /**
   * The workspace of grid.sync: its address is in %envreg1 (high) and %envreg2 (low); the barrier
   * counter that cooperative groups count on is the word at offset 4 (as nvcc's code reads it).
   */
  private gridWorkspace(view: DataView, at: number): void {
    const workspace = this.paramBuffer + PARAM_BYTES - 64;
    this.host.memory.bytes(workspace, 64).fill(0);
    const pointer = this.host.memory.pointerOf(workspace);
    view.setUint32(at + L.LAUNCH_ENVREG + 4, Math.floor(pointer / 2 ** 32), true);
    view.setUint32(at + L.LAUNCH_ENVREG + 8, pointer % 2 ** 32, true);
  }

  /** Writes the context of the k-th block that is resident on a thread. */
  private writeContext(
    u32: Uint32Array,
    thread: number,
    k: number,
    plan: LaunchPlan,
    kernel: PlacedKernel,
  ): void {
    const control = plan.control + thread * plan.controlStride;
    const words = (control + k * L.BLOCK_CONTEXT_BYTES) >> 2;
    const arrays =
      control + plan.count * L.BLOCK_CONTEXT_BYTES + k * (plan.perControl - L.BLOCK_CONTEXT_BYTES);
    // The windows of a cluster lie side by side in front of what else its blocks need.
    const rank = k % plan.clusterBlocks;
    const cluster = plan.data + thread * plan.dataStride + (k - rank) * plan.perBlock;
    const rest = plan.perBlock - plan.window;
    const frame = cluster + plan.clusterBlocks * plan.window + rank * rest;
    const spill = frame + plan.frame;
    const column = 4 * align(plan.threads, 32);
    const set = (offset: number, value: number) => {
      u32[words + (offset >> 2)] = value;
    };
    set(L.BLOCK_LAUNCH, this.launchRecord);
    set(L.BLOCK_SHARED, cluster + rank * plan.window);
    set(L.BLOCK_CLUSTER, cluster);
    set(L.BLOCK_RANK, rank);
    set(L.BLOCK_FRAME, frame);
    set(L.BLOCK_SPILL, spill);
    set(L.BLOCK_LOCAL, spill + plan.spill);
    set(L.BLOCK_PC, arrays);
    set(L.BLOCK_ARGUMENT, arrays + column);
    set(L.BLOCK_PHASE, plan.clusters ? arrays + 2 * column : 0);
    set(L.BLOCK_TABLE, kernel.table);
    set(L.BLOCK_STATE, 0);
  }

  dispose(): void {
    this.pool?.dispose();
    for (let k = 0; k < this.table.length; k++) this.table.set(k, null);
  }
}

/** Where a launch lies in scratch memory; bytes and addresses. */
interface LaunchPlan {
  threads: number;
  shared: number;
  /** Blocks of a cluster: x, y, z, and all. */
  cluster: readonly number[];
  clusterBlocks: number;
  clusterShift: number;
  explicitCluster: boolean;
  /** Bytes from a block's shared window to the next one's in its cluster. */
  window: number;
  /** The kernel looks beyond its block. */
  clusters: boolean;
  local: number;
  frame: number;
  spill: number;
  perBlock: number;
  perControl: number;
  /** From one thread's to the next. */
  dataStride: number;
  controlStride: number;
  /** Blocks that are resident on each thread. */
  count: number;
  /** Threads that may run blocks: this one and the pool's. */
  threadsAtWork: number;
  data: number;
  control: number;
  inHeap: boolean;
}

function outOfScratch(bytes: number): Error {
  const message = `no room for ${bytes} bytes of scratch memory`;
  return Object.assign(new Error(message), { code: 701 }); // cudaErrorLaunchOutOfResources
}
