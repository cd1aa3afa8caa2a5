/** The default executor: kernels compiled from PTX to WebAssembly. */
import { type ExecHost, Executor } from "../exec/index.ts";
import type { ExecutionOptions } from "./load-executor.ts";

/** See ExecutorModule. */
export async function executorFactory(
  options: ExecutionOptions,
): Promise<(host: ExecHost) => Executor> {
  return (host) => new Executor(host, { ...options });
}
