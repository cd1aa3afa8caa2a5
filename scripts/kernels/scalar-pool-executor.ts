/** An executor whose launches are shared out as `pool-executor.ts` does it, one thread at a time. */
import { sharing } from "./pool-executor.ts";

/** See ExecutorModule of `runtime/machine/load-executor.ts`. */
export const executorFactory = sharing(1);
