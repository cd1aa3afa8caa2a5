/** An executor that runs threads in groups of four wherever possible, also where one by one is faster. */
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
