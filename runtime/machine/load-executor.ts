/** Where machines get their executor from: a module, loaded in the thread that the device runs in. */
import type { ExecHost, Executor } from "../exec/index.ts";

/** What a machine's user can choose about execution. */
export interface ExecutionOptions {
  /** Worker threads that run blocks beside the caller; the executor's own default if not given. */
  readonly workers?: number;
  /** "exact" by default; "unfused" takes the engine's multiply-add where it does not fuse. */
  readonly fma?: "exact" | "unfused";
  /** Absolute path of a folder that keeps compiled kernels from one process to the next. */
  readonly cache?: string;
}

/** What a module has to export that executors come from. */
export interface ExecutorModule {
  executorFactory(options: ExecutionOptions): Promise<(host: ExecHost) => Executor>;
}

/**
 * @param url of an ExecutorModule; the compiler's executor by default
 * @param options what was chosen
 * @returns what a device makes its executor with
 */
export async function loadExecutor(
  url: string | undefined,
  options: ExecutionOptions,
): Promise<(host: ExecHost) => Executor> {
  const module: ExecutorModule =
    url === undefined ? await import("./executor.ts") : await import(url);
  return module.executorFactory(options);
}
