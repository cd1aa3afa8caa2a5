/** An executor whose pool takes part in every launch that it may, however short: it begins with it. */
import type { ExecHost } from "../../runtime/exec/index.ts";
import { Executor, loadArtifacts } from "../../runtime/exec/index.ts";
import { LAUNCH_NEXT_BLOCK } from "../../runtime/exec/layout.ts";
import type { ExecutionOptions } from "../../runtime/machine/load-executor.ts";

/** A thread that hasn't come after so long never will. */
const PATIENCE_MS = 60_000;

/** Launches of this thread's pool executors in which another thread ran the first block. */
export const shared = { launches: 0 };

class PoolExecutor extends Executor {
  protected override runBlocks(
    ...[plan, kernel, started, helps]: Parameters<Executor["runBlocks"]>
  ): unknown {
    const { pool, launchRecord: at } = this;
    if (!pool || !helps) return super.runBlocks(plan, kernel, started, helps, false);
    const words = new Int32Array(this.host.memory.memory.buffer);
    const next = (at + LAUNCH_NEXT_BLOCK) >> 2;
    const contexts = (k: number) => plan.control + (k + 1) * plan.controlStride;
    const until = performance.now() + PATIENCE_MS;
    let asked = false;
    while (Atomics.load(words, next) === 0) {
      if (performance.now() > until) throw new Error("the pool's threads did not come");
      asked ||= pool.offer(kernel.pooled, at, plan.count, contexts);
      Atomics.wait(words, next, 0, asked ? 0.02 : 1);
    }
    shared.launches++;
    return super.runBlocks(plan, kernel, started, true, true);
  }
}

/** See ExecutorModule of `runtime/machine/load-executor.ts`. */
export async function executorFactory(
  options: ExecutionOptions,
): Promise<(host: ExecHost) => Executor> {
  const artifacts = await loadArtifacts();
  return (host) => new PoolExecutor(host, artifacts, { ...options, width: 4 });
}
