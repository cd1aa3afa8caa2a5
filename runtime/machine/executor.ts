/** The default executor: kernels compiled from PTX to WebAssembly. */
import { type ExecHost, Executor, loadArtifacts } from "../exec/index.ts";
import type { ExecutionOptions } from "./load-executor.ts";

/** See ExecutorModule. */
export async function executorFactory(
  options: ExecutionOptions,
): Promise<(host: ExecHost) => Executor> {
  const artifacts = await loadArtifacts();
  return (host) => new Executor(host, artifacts, { ...options });
}
