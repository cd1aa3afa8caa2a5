/** The Worker that serves one client. */
import type { DeviceDescription } from "../device/properties.ts";
import { type ExecutionOptions, loadExecutor } from "../machine/load-executor.ts";
import { onFirstMessage } from "../machine/threads.ts";
import { openLibc } from "./libc.ts";
import { Session } from "./session.ts";

/** What a client's Worker is started with. */
export interface ClientStart {
  readonly fd: number;
  readonly core: WebAssembly.Module;
  readonly description: DeviceDescription;
  readonly execution: ExecutionOptions;
  /** Say what clients do wrong. */
  readonly verbose: boolean;
}

const { post, message } = await onFirstMessage<ClientStart>();
try {
  const { fd, core, description, execution, verbose } = message;
  const session = new Session({
    libc: await openLibc(),
    fd,
    core,
    executor: await loadExecutor(undefined, execution),
    description,
    log: (text) => {
      if (verbose) post(text);
    },
  });
  session.run();
} catch (error) {
  post(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
post(null);
