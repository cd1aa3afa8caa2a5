import { Heap } from "../memory/index.ts";
import * as L from "./layout.ts";
import type { Module, PlacedKernel } from "./module.ts";
import type { ExecHost, KernelInfo, LaunchRequest } from "./types.ts";

/** Bytes at the front of scratch that kernels may not touch: launch records, contexts, pcs. */
const CONTROL_BYTES = 8 << 20;
/** Blocks that take turns if a kernel waits for others. */
const MAX_RESIDENT = 512;
/** Stack of local memory for kernels that call functions, bytes a thread. */
const STACK_BYTES = 32 << 10;
const PARAM_BYTES = 32 << 10;
/**
 * Bytes between what different threads work on: the processors' prefetchers, which run ahead of one
 * thread's spill slots, would take the next thread's shared memory away from it all the time.
 */
const APART_BYTES = 4096;

const align = (n: number, to: number) => Math.ceil(n / to) * to;

/** Where a launch lies in scratch memory; bytes and addresses. */
export interface LaunchPlan {
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

/**
 * The scratch memory that launches lie in: a part that kernels may not touch (launch record, contexts,
 * pcs, cut tables) and one with what blocks need (shared and local memory, frames, spill slots).
 */
export class LaunchScratch {
  /** Address of the launch record. */
  readonly record: number;
  readonly control: Heap;
  private readonly host: ExecHost;
  private readonly data: Heap;
  private readonly paramBuffer: number;
  private readonly low: number;
  private gridId = 0;

  constructor(host: ExecHost) {
    this.host = host;
    const { scratch } = host.memory.map;
    this.low = scratch.start + CONTROL_BYTES;
    this.control = new Heap(scratch.start, CONTROL_BYTES, 64);
    this.data = new Heap(this.low, scratch.size - CONTROL_BYTES, 64);
    this.record = this.control.alloc(L.LAUNCH_RECORD_BYTES);
    this.paramBuffer = this.data.alloc(PARAM_BYTES);
  }

  /**
   * Reserves the memory of the blocks that are resident at once.
   * @param helpers threads beside the launching one that may run blocks
   * @throws Error with code 701 (cudaErrorLaunchOutOfResources) if there is no room
   */
  plan(
    request: LaunchRequest,
    info: KernelInfo,
    { compiled, pooled }: PlacedKernel,
    helpers: number,
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
      const sharers = 1 + helpers;
      const room = Math.floor((this.data.free * 0.75) / perBlock / sharers);
      const most = Math.min(blocks, MAX_RESIDENT, room);
      count = Math.max(1, Math.floor(most / clusterBlocks)) * clusterBlocks;
    }
    const helps = pooled > 0 && blocks > 1 && !request.cooperative;
    const threadsAtWork = helps ? 1 + helpers : 1;
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

  free(plan: LaunchPlan): void {
    this.control.release(plan.control);
    if (plan.inHeap) this.data.release(plan.data);
    else this.host.freeDevice(plan.data);
  }

  /** Writes the launch record, the kernel's parameters and the contexts of all threads' blocks. */
  write(
    request: LaunchRequest,
    module: Module,
    kernel: PlacedKernel,
    plan: LaunchPlan,
    started: number,
  ): void {
    const { compiled, cuts } = kernel;
    const { memory } = this.host;
    const at = this.record;
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
    this.divide(u32, plan, grid[0] * grid[1] * grid[2]);
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
    const writes = this.host.hostWrites?.();
    if (writes) {
      set(L.LAUNCH_QUIET, 1);
      [writes.low, writes.high].forEach((offset, k) => {
        const pointer = memory.base + offset;
        set(L.LAUNCH_HOST_LOW + 8 * k, pointer);
        set(L.LAUNCH_HOST_LOW + 8 * k + 4, pointer / 2 ** 32);
      });
    }
    if (request.timeoutMs > 0) {
      view.setFloat64(at + L.LAUNCH_DEADLINE, started + request.timeoutMs, true);
    }
    u8.set(params, this.paramBuffer);
    if (request.cooperative) this.gridWorkspace(view, at);
    for (let thread = 0; thread < plan.threadsAtWork; thread++) {
      for (let k = 0; k < plan.count; k++) this.writeContext(u32, thread, k, plan, kernel);
    }
  }

  /** Divides the grid among the threads, if no block may wait for another. */
  private divide(u32: Uint32Array, plan: LaunchPlan, blocks: number): void {
    const ranges = plan.count === 1 ? Math.min(plan.threadsAtWork, L.MAX_RANGES) : 1;
    u32[(this.record + L.LAUNCH_RANGES) >> 2] = ranges;
    for (let k = 0; k < ranges; k++) {
      u32[(this.record + L.LAUNCH_CURSORS + k * L.CURSOR_BYTES) >> 2] =
        k * Math.floor(blocks / ranges);
    }
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
    set(L.BLOCK_LAUNCH, this.record);
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
    set(L.BLOCK_RANGE, thread % L.MAX_RANGES);
    set(L.BLOCK_VECTORS, 4 * words + L.BLOCK_KEPT);
    set(L.BLOCK_STATE, 0);
  }
}

export function outOfScratch(bytes: number): Error {
  const message = `no room for ${bytes} bytes of scratch memory`;
  return Object.assign(new Error(message), { code: 701 }); // cudaErrorLaunchOutOfResources
}
