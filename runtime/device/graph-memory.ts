/**
 * Memory that graphs allocate (CUDA Programming Guide, "Graph Memory Nodes"). An allocation node has
 * its address, and so its part of device memory, from when it is made for as long as a graph or an executable
 * graph has it. It is *claimed* from the launch of a graph that does not free it until it is freed, in
 * the order of the calls; and *live* from when the node runs until it is freed, in the order of the work.
 */
import { MEMORY_DEVICE } from "../protocol/definitions.ts";
import { cudaErrorInvalidValue, cudaSuccess } from "../protocol/errors.ts";
import { NODE_MEM_ALLOC } from "../protocol/graphs.ts";
import type { Allocation } from "./allocations.ts";
import type { Context } from "./context.ts";
import type { Device } from "./device.ts";
import { GraphExec, GraphNode } from "./graph.ts";
import { MemoryPool } from "./pool.ts";
import { WORK_DONE, type Work } from "./stream.ts";

/** What becomes of one allocation of a graph. */
export class GraphMemory {
  claimed = false;
  live = false;
  /** It has been live since the account was trimmed. */
  mapped = false;
  readonly account: GraphAccount;

  /** @param account of its device */
  constructor(account: GraphAccount) {
    this.account = account;
  }
}

/**
 * What the graphs of a device use, in bytes (cudaGraphMemAttributeType). They reserve as much as was ever
 * live or needed at once, until the account is trimmed; of that, they use what is mapped. It is an account only:
 * addresses, and with them device memory, belong to nodes for good.
 */
export class GraphAccount {
  usedHigh = 0;
  readonly #context: Context;
  readonly #pool: MemoryPool;

  constructor(context: Context) {
    this.#context = context;
    this.#pool = new MemoryPool(context, 0, 0);
    this.#pool.threshold = Number.POSITIVE_INFINITY;
  }

  get used(): number {
    let mapped = 0;
    for (const { graph, size } of this.#context.graphMemory) if (graph?.mapped) mapped += size;
    return Math.min(mapped, this.#pool.reserved);
  }
  get reserved(): number {
    return this.#pool.reserved;
  }
  get reservedHigh(): number {
    return this.#pool.reservedHigh;
  }

  /** A launch will need this much besides what is claimed: reserved and mapped at once, as CUDA does it. */
  launched(made: readonly Allocation[]): void {
    let bytes = 0;
    for (const { graph, size } of this.#context.graphMemory) if (graph?.claimed) bytes += size;
    for (const { graph, size } of made) {
      if (graph) graph.mapped = true;
      if (!graph?.claimed) bytes += size;
    }
    this.#pool.reserved = Math.max(this.#pool.reserved, bytes);
    this.#pool.reservedHigh = Math.max(this.#pool.reservedHigh, bytes);
    this.usedHigh = Math.max(this.usedHigh, this.used);
  }

  /** An allocation begins or ends to be live. */
  begin(memory: GraphMemory, bytes: number): void {
    memory.live = true;
    memory.mapped = true;
    this.#pool.take(bytes);
    this.usedHigh = Math.max(this.usedHigh, this.used);
  }
  end(memory: GraphMemory, bytes: number): void {
    memory.live = false;
    this.#pool.give(bytes);
  }

  /** Lets go of what isn't live. */
  trim(): void {
    for (const { graph } of this.#context.graphMemory)
      if (graph && !graph.live) graph.mapped = false;
    this.#pool.trim(0);
  }

  /** Forgets the high marks. */
  resetUsedHigh(): void {
    this.usedHigh = this.used;
  }
  resetReservedHigh(): void {
    this.#pool.reservedHigh = this.#pool.reserved;
  }
}

/** The account of a context's graphs. */
export function graphAccount(context: Context): GraphAccount {
  context.graphAccount ??= new GraphAccount(context);
  return context.graphAccount;
}

/** Memory for an allocation node. @returns undefined if out of memory */
export function allocateForGraph(
  device: Device,
  context: Context,
  bytes: number,
): Allocation | undefined {
  const entry = device.allocations.alloc(bytes, MEMORY_DEVICE, 0, context);
  if (entry === undefined) return undefined;
  entry.graph = new GraphMemory(graphAccount(context));
  context.graphMemory.add(entry);
  return entry;
}

/** What an allocation node or a free node does when its turn comes. */
export function memoryWork(type: number, entry: Allocation): Work {
  return {
    run() {
      if (type !== NODE_MEM_ALLOC) end(entry);
      else if (entry.graph && !entry.graph.live) entry.graph.account.begin(entry.graph, entry.size);
      return WORK_DONE;
    },
  };
}

function end(entry: Allocation): void {
  if (entry.graph?.live) entry.graph.account.end(entry.graph, entry.size);
}

/**
 * A launch of an executable graph: what it leaves allocated is claimed, what it frees of others is not.
 * @returns cudaErrorInvalidValue, and nothing is changed, if its memory is still in use or what it frees is not
 */
export function claimMemory(device: Device, exec: GraphExec): number {
  const made = new Set(exec.memory(true));
  const freed = new Set(exec.memory(false));
  for (const entry of [...made, ...freed]) {
    const { allocations } = device;
    if (allocations.at(device.memory.pointerOf(entry.offset)) !== entry || !entry.graph) {
      return cudaErrorInvalidValue;
    }
    const wanted = !made.has(entry);
    const released = made.has(entry) && exec.freesOnLaunch;
    if (entry.graph.claimed !== wanted && !released) return cudaErrorInvalidValue;
  }
  for (const account of new Set([...made].map((entry) => entry.graph!.account))) {
    account.launched([...made].filter((entry) => entry.graph!.account === account));
  }
  for (const entry of made) entry.graph!.claimed = true;
  for (const entry of freed) entry.graph!.claimed = false;
  return cudaSuccess;
}

/**
 * cudaFree or cudaFreeAsync of a graph's memory.
 * @returns what is to be done when the work before it is done, or undefined if it isn't allocated now
 */
export function freeGraphMemory(device: Device, entry: Allocation): (() => void) | undefined {
  if (!entry.graph?.claimed) return undefined;
  entry.graph.claimed = false;
  return () => {
    end(entry);
    releaseGraphMemory(device);
  };
}

/** Gives back what no graph and no executable graph has any more, once the work that is queued is done. */
export function releaseGraphMemory(device: Device): void {
  const contexts = [...device.contexts.values()];
  if (contexts.every((context) => context.graphMemory.size === 0)) return;
  const held = new Set<Allocation>();
  for (const object of contexts.flatMap((context) => [...context.resources.values()])) {
    if (object instanceof GraphNode && object.allocation) held.add(object.allocation);
    if (object instanceof GraphExec) for (const entry of object.memory(true)) held.add(entry);
  }
  for (const context of contexts) {
    for (const entry of context.graphMemory) {
      if (held.has(entry) || entry.graph?.claimed) continue;
      context.graphMemory.delete(entry);
      if (device.allocations.at(device.memory.pointerOf(entry.offset)) !== entry) continue;
      device.allocations.withdraw(entry);
      const done = (): void => device.allocations.giveBack(entry);
      context.scheduler.wait({ tickets: device.tails(), done });
    }
  }
}
