/** The Worker that serves one client. */
import type { DeviceDescription } from "../device/properties.ts";
import { type ExecutionOptions, loadExecutor } from "../machine/load-executor.ts";
import { onFirstMessage } from "../machine/threads.ts";
import { openLibc } from "./libc.ts";
import { Session } from "./session.ts";
import { ClientStatus } from "./status.ts";

/** What a client's Worker is started with. */
export interface ClientStart {
  /** The socket; it stays the server's. */
  readonly fd: number;
  readonly core: WebAssembly.Module;
  readonly description: DeviceDescription;
  readonly execution: ExecutionOptions;
  /** Of ClientStatus. */
  readonly status: SharedArrayBuffer;
  /** Say what clients do wrong. */
  readonly verbose: boolean;
}

/** What it says: a text for the log, the memory of its device, and null at its end. */
export type ClientMessage = string | WebAssembly.Memory | null;

const { post, message } = await onFirstMessage<ClientStart>();
try {
  const { fd, core, description, execution, status, verbose } = message;
  const session = new Session({
    libc: await openLibc(),
    fd,
    core,
    executor: await loadExecutor(undefined, execution),
    description,
    status: new ClientStatus(status),
    onMemory: post,
    log: (text) => {
      if (verbose) post(text);
    },
  });
  session.run();
} catch (error) {
  post(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
post(null);
