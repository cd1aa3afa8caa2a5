import type { CompiledKernel, DeviceLibrary } from "../compiler/index.ts";
import type { ExecArtifacts } from "./artifacts.ts";
import { ChildLaunches } from "./children.ts";
import { describeFault } from "./fault.ts";
import { HelpPolicy } from "./help.ts";
import { KernelHost } from "./host.ts";
import * as L from "./layout.ts";
import { type Form, Module, type ModuleOwner, type PlacedKernel } from "./module.ts";
import { WorkerPool } from "./pool.ts";
import { POOL_CONTROL_BYTES } from "./pool-defs.ts";
import { type LaunchPlan, LaunchScratch, outOfScratch } from "./scratch.ts";
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

/** Turns of blocks between two looks at the clock. */
const BUDGET = 4096;
/** Workers at most, if the caller doesn't say. */
const MAX_WORKERS = 15;
/** A launch that has run this long is worth waking the workers for. */
const WORTH_HELP_MS = 0.02;

/** Threads that the machine runs at once. */
const hardwareThreads = () =>
  typeof navigator === "object" ? (navigator.hardwareConcurrency ?? 1) : 1;

/**
 * Runs kernels: keeps them compiled by block shape, lays out each launch in scratch memory and
 * drives the core's execution loops.
 */
export class Executor implements ModuleOwner {
  readonly host: ExecHost;
  readonly library: DeviceLibrary;
  readonly fma: "exact" | "relaxed" | "unfused";
  readonly spills: boolean;
  readonly width: 1 | 4 | undefined;
  readonly cache: KernelCache | undefined;
  private readonly core: ExecCore;
  private readonly table: WebAssembly.Table;
  private readonly kernelHost: KernelHost;
  private readonly children: ChildLaunches;
  protected readonly scratch: LaunchScratch;
  private readonly freeTable = new Map<number, number[]>();
  private tableTop = 1;
  protected readonly pool: WorkerPool | undefined;

  /**
   * @param host the device's memory and output
   * @param artifacts as from `loadArtifacts`
   * @param options threads and arithmetic
   */
  constructor(host: ExecHost, artifacts: ExecArtifacts, options: ExecOptions = {}) {
    this.host = host;
    this.library = artifacts.library;
    this.spills = artifacts.spills;
    this.fma = artifacts.fusedMultiplyAdd ? "relaxed" : (options.fma ?? "exact");
    this.width = options.width;
    this.cache = artifacts.cache;
    this.table = new WebAssembly.Table({ initial: 64, element: "anyfunc" });
    const env = { memory: host.memory.memory, table: this.table };
    this.core = new WebAssembly.Instance(artifacts.core, { env }).exports as unknown as ExecCore;
    this.scratch = new LaunchScratch(host);
    this.kernelHost = new KernelHost(host);
    this.children = new ChildLaunches(host);
    Object.assign(this.kernelHost.imports, this.children.imports);
    const helpers = options.workers ?? Math.min(MAX_WORKERS, hardwareThreads() - 1);
    if (artifacts.threads && helpers > 0) {
      const controls = Array.from({ length: helpers }, () =>
        this.scratch.control.alloc(POOL_CONTROL_BYTES),
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
  place(compiled: CompiledKernel, form: Form, several?: PlacedKernel): PlacedKernel {
    const module = new WebAssembly.Module(compiled.wasm);
    const instance = new WebAssembly.Instance(module, {
      env: { memory: this.host.memory.memory },
      host: this.kernelHost.imports as unknown as WebAssembly.ModuleImports,
    });
    const table = this.freeTable.get(compiled.regions)?.pop() ?? this.growTable(compiled.regions);
    for (let k = 0; k < compiled.regions; k++) {
      this.table.set(table + k, instance.exports[`region${k + 1}`] as () => number);
    }
    const cuts = this.scratch.control.alloc(compiled.cuts.length);
    if (cuts === 0) throw outOfScratch(compiled.cuts.length);
    this.host.memory.bytes(cuts, compiled.cuts.length).set(compiled.cuts);
    // Functions of the host print, allocate or report through this thread.
    const bound = compiled.hosts.some((name) => name !== "clock" && name !== "globaltimer");
    const pool = bound || form !== "several" ? undefined : this.pool;
    const pooled = pool ? pool.add(module, table, compiled.regions) : 0;
    const help = pooled > 0 && compiled.atomics > 0 ? new HelpPolicy(compiled.atomics) : undefined;
    const shared = form === "alone" ? several?.history : undefined;
    const history = shared ?? { ms: 0, blocks: 0, help };
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
    this.scratch.control.release(cuts);
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
    return this.scratch.record + L.LAUNCH_STOP;
  }

  private launchGrid(request: LaunchRequest): KernelFault | undefined {
    const module = request.module as Module;
    const kernel = this.formOf(request, module);
    this.children.begin(module);
    const info = module.kernels.get(request.kernel) as KernelInfo;
    const plan = this.scratch.plan(request, info, kernel, this.pool?.size ?? 0);
    try {
      return this.run(request, module, kernel, plan);
    } finally {
      this.scratch.free(plan);
    }
  }

  /** The form of a kernel that a launch runs: for one thread where no other will take part. */
  private formOf(request: LaunchRequest, module: Module): PlacedKernel {
    const { kernel: name, block, grid, cooperative } = request;
    const blocks = grid[0] * grid[1] * grid[2];
    const form = this.pool ? "several" : "alone";
    const placed = module.find(name, block, form);
    if (!placed && module.takeBrief(name, block, blocks))
      return module.kernel(name, block, "brief");
    const several = placed ?? module.kernel(name, block, form);
    if (!this.pool || several.compiled.atomics === 0) return several;
    const { history, pooled } = several;
    const known = history.ms > 0 && blocks <= 4 * history.blocks;
    const short = known && (history.ms <= WORTH_HELP_MS || history.help?.wanted() === false);
    const alone = pooled === 0 || blocks === 1 || cooperative || short;
    return alone ? module.kernel(name, block, "alone") : several;
  }

  private run(
    request: LaunchRequest,
    module: Module,
    kernel: PlacedKernel,
    plan: LaunchPlan,
  ): KernelFault | undefined {
    const { memory } = this.host;
    const at = this.scratch.record;
    const started = performance.now();
    this.scratch.write(request, module, kernel, plan, started);
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
    const at = this.scratch.record;
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

  dispose(): void {
    this.pool?.dispose();
    for (let k = 0; k < this.table.length; k++) this.table.set(k, null);
  }
}
