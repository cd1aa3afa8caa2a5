/** An executor whose launches are shared out: the pool gets the first half of the blocks, however few. */
import type { ExecHost } from "../../runtime/exec/index.ts";
import { Executor, loadArtifacts } from "../../runtime/exec/index.ts";
import {
  BLOCK_CONTEXT_BYTES,
  BLOCK_CTAID_X,
  LAUNCH_BLOCKS,
  LAUNCH_CLUSTER_BLOCKS,
  LAUNCH_DEADLINE,
  LAUNCH_NEXT_BLOCK,
  LAUNCH_RANGES,
  LAUNCH_STOP,
} from "../../runtime/exec/layout.ts";
import type { ExecutionOptions } from "../../runtime/machine/load-executor.ts";

/** A thread that hasn't come after so long never will. */
const PATIENCE_MS = 60_000;
/** No block's index: contexts that still have it were not used. */
const UNUSED = -1;

/** Launches of this thread's pool executors in which two threads ran blocks. */
export const shared = { launches: 0 };

class PoolExecutor extends Executor {
  protected override runBlocks(
    ...[plan, kernel, started, helps]: Parameters<Executor["runBlocks"]>
  ): unknown {
    const { pool } = this;
    const at = this.scratch.record;
    if (!pool || !helps) return super.runBlocks(plan, kernel, started, helps, false);
    const words = new Int32Array(this.host.memory.memory.buffer);
    const word = (offset: number) => (at + offset) >> 2;
    const contexts = (k: number) => plan.control + (k + 1) * plan.controlStride;
    const own = Array.from(
      { length: plan.count },
      (_, k) => (plan.control + k * BLOCK_CONTEXT_BYTES + BLOCK_CTAID_X) >> 2,
    );
    for (const place of own) words[place] = UNUSED;

    // The grid seems to end with the pool's half, until all of that has been claimed. Blocks that may
    // wait for each other must all be resident.
    const blocks = words[word(LAUNCH_BLOCKS)] as number;
    const size = words[word(LAUNCH_CLUSTER_BLOCKS)] as number;
    const resident = plan.count > 1 ? Math.max(1, Math.floor(plan.count / size)) : blocks;
    words[word(LAUNCH_RANGES)] = 1;
    const half = size * Math.min(Math.floor(blocks / size / 2), resident);
    Atomics.store(words, word(LAUNCH_BLOCKS), half);
    const deadline = this.host.memory.view.getFloat64(at + LAUNCH_DEADLINE, true);
    const until = performance.now() + PATIENCE_MS;
    let asked = false;
    for (;;) {
      const next = Atomics.load(words, word(LAUNCH_NEXT_BLOCK));
      if (next >= half || Atomics.load(words, word(LAUNCH_STOP)) !== 0) break;
      const now = performance.now();
      if (deadline !== 0 && now >= deadline) return 1;
      if (now > until) throw new Error("the pool's threads did not come");
      asked ||= pool.offer(kernel.pooled, at, plan.count, contexts);
      Atomics.wait(words, word(LAUNCH_NEXT_BLOCK), next, asked ? 0.02 : 1);
    }
    Atomics.store(words, word(LAUNCH_BLOCKS), blocks);
    const result = super.runBlocks(plan, kernel, started, true, true);
    // The pool had claimed its half before this thread began.
    if (result === 0 && own.some((place) => words[place] !== UNUSED)) shared.launches++;
    return result;
  }
}

/** A factory of such executors, for code of one width. */
export function sharing(width: 1 | 4) {
  return async (options: ExecutionOptions): Promise<(host: ExecHost) => Executor> => {
    const artifacts = await loadArtifacts();
    return (host) => new PoolExecutor(host, artifacts, { ...options, width });
  };
}

/** See ExecutorModule of `runtime/machine/load-executor.ts`. */
export const executorFactory = sharing(4);
