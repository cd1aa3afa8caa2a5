import {
  POOL_COMMAND,
  POOL_CONTEXTS,
  POOL_CONTROL_BYTES,
  POOL_COUNT,
  POOL_DONE,
  POOL_KERNEL,
  POOL_LAUNCH,
  POOL_OFFER,
  POOL_READY,
  POOL_RESULT,
  POOL_STOP,
  POOL_WITHDRAWN,
} from "./pool-defs.ts";

/** What a worker starts with. */
export interface WorkerSetup {
  memory: WebAssembly.Memory;
  core: WebAssembly.Module;
  /** Address of its control words. */
  control: number;
  /** Kernels arrive here; read without an event loop. */
  port: NodePort;
}

/** A kernel for a worker's function table. */
export interface InstallMessage {
  /** Counts up from 1. */
  number: number;
  module: WebAssembly.Module;
  table: number;
  regions: number;
}

/** Node's worker threads, which Bun and Deno have too; a browser has none. */
export interface ThreadModule {
  readonly Worker: new (
    url: URL,
    options: { workerData: unknown; transferList: NodePort[] },
  ) => NodeWorker;
  readonly MessageChannel: new () => { readonly port1: NodePort; readonly port2: NodePort };
}

/** What a pool needs of Node's types, so that who uses the package needs none of them. */
interface NodePort {
  postMessage(message: unknown): void;
  unref(): void;
  close(): void;
}
interface NodeWorker {
  unref(): void;
  terminate(): Promise<number>;
}

interface PoolWorker {
  worker: NodeWorker;
  port: NodePort;
  control: number;
  /** Kernels that were posted to it. */
  posted: number;
  /** The launch it takes part in, 0 for none. */
  launch: number;
}

/** Rounds of looking at a worker's done word before sleeping on it. */
const SPINS = 5000;

const word = (address: number) => address >> 2;

/**
 * Threads that run blocks beside the launching one. They start at the first launch that is large
 * enough, wait in shared memory between launches, and end with the executor.
 */
export class WorkerPool {
  private readonly threads: ThreadModule;
  private readonly memory: WebAssembly.Memory;
  private readonly core: WebAssembly.Module;
  private readonly controls: number[];
  private readonly workers: PoolWorker[] = [];
  private readonly kernels: InstallMessage[] = [];
  private launches = 0;

  /** @param controls addresses of one control block (POOL_CONTROL_BYTES) for each worker */
  constructor(
    threads: ThreadModule,
    memory: WebAssembly.Memory,
    core: WebAssembly.Module,
    controls: number[],
  ) {
    this.threads = threads;
    this.memory = memory;
    this.core = core;
    this.controls = controls;
  }

  /** Workers at most. */
  get size(): number {
    return this.controls.length;
  }

  private view(): Int32Array {
    return new Int32Array(this.memory.buffer);
  }

  /** Makes a kernel known; returns its number for `begin`. */
  add(module: WebAssembly.Module, table: number, regions: number): number {
    this.kernels.push({ number: this.kernels.length + 1, module, table, regions });
    return this.kernels.length;
  }

  /** Starts the threads, if they have not been started. */
  private start(): void {
    if (this.workers.length > 0) return;
    const url = new URL(
      import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js",
      import.meta.url,
    );
    for (const control of this.controls) {
      this.view().fill(0, word(control), word(control + POOL_CONTROL_BYTES));
      const { port1, port2 } = new this.threads.MessageChannel();
      const setup: WorkerSetup = { memory: this.memory, core: this.core, control, port: port2 };
      const worker = new this.threads.Worker(url, { workerData: setup, transferList: [port2] });
      worker.unref();
      port1.unref();
      this.workers.push({ worker, port: port1, control, posted: 0, launch: 0 });
    }
  }

  /**
   * Lets the workers that are ready and not yet in the launch take part in it. The first call of a
   * process only starts the threads.
   * @param contexts gives the address of worker k's block contexts
   * @returns whether all workers have been asked
   */
  offer(kernel: number, launch: number, count: number, contexts: (k: number) => number): boolean {
    this.start();
    const view = this.view();
    let all = true;
    this.workers.forEach((w, k) => {
      if (w.launch !== 0) return;
      const at = word(w.control);
      if (Atomics.load(view, at + word(POOL_READY)) === 0) {
        all = false;
        return;
      }
      this.launches = (this.launches % 0x7fffffff) + 1;
      while (w.posted < this.kernels.length) w.port.postMessage(this.kernels[w.posted++]);
      Atomics.store(view, at + word(POOL_LAUNCH), launch);
      Atomics.store(view, at + word(POOL_CONTEXTS), contexts(k));
      Atomics.store(view, at + word(POOL_COUNT), count);
      Atomics.store(view, at + word(POOL_KERNEL), kernel);
      w.launch = this.launches;
      Atomics.store(view, at + word(POOL_OFFER), this.launches);
      Atomics.store(view, at + word(POOL_COMMAND), this.launches);
      Atomics.notify(view, at + word(POOL_COMMAND));
    });
    return all;
  }

  /** Waits until the workers have left the launch; the worst of their results (0: all is well). */
  end(): number {
    const view = this.view();
    let worst = 0;
    for (const w of this.workers) {
      if (w.launch === 0) continue;
      // A worker that has not come yet need not come any more.
      const offer = word(w.control + POOL_OFFER);
      if (Atomics.compareExchange(view, offer, w.launch, POOL_WITHDRAWN) === w.launch) {
        w.launch = 0;
        continue;
      }
      const done = word(w.control + POOL_DONE);
      for (let k = 0; ; k++) {
        const seen = Atomics.load(view, done);
        if (seen === w.launch) break;
        if (k > SPINS) Atomics.wait(view, done, seen, 1000);
      }
      worst = Math.max(worst, Atomics.load(view, word(w.control + POOL_RESULT)));
      w.launch = 0;
    }
    return worst;
  }

  /** Ends the threads. */
  dispose(): void {
    const view = this.view();
    for (const w of this.workers) {
      Atomics.store(view, word(w.control + POOL_COMMAND), POOL_STOP | 0);
      Atomics.notify(view, word(w.control + POOL_COMMAND));
      w.port.close();
      void w.worker.terminate();
    }
    this.workers.length = 0;
  }
}
