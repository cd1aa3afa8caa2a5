/** An executor that runs threads one at a time instead of in groups of four, to compare with. */
import type { ExecHost } from "../../runtime/exec/index.ts";
import { Executor, loadArtifacts } from "../../runtime/exec/index.ts";
import type { ExecutionOptions } from "../../runtime/machine/load-executor.ts";

/** See ExecutorModule of `runtime/machine/load-executor.ts`. */
export async function executorFactory(
  options: ExecutionOptions,
): Promise<(host: ExecHost) => Executor> {
  const artifacts = await loadArtifacts();
  return (host) => new Executor(host, artifacts, { ...options, width: 4 });
}
