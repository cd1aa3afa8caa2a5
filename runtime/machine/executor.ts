/** The default executor: kernels compiled from PTX to WebAssembly. */
import { type ExecHost, Executor, loadArtifacts, openKernelCache } from "../exec/index.ts";
import type { ExecutionOptions } from "./load-executor.ts";

/** See ExecutorModule. */
export async function executorFactory(
  options: ExecutionOptions,
): Promise<(host: ExecHost) => Executor> {
  const { cache: folder, ...execution } = options;
  const artifacts = await loadArtifacts();
  const cache = folder === undefined ? artifacts.cache : await openKernelCache(folder);
  return (host) => new Executor(host, { ...artifacts, cache }, execution);
}
