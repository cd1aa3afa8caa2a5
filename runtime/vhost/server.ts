/** The device served to other processes: a Unix socket on which each client gets a device. */
import type { DeviceDescription } from "../device/properties.ts";
import type { ExecutionOptions } from "../machine/load-executor.ts";
import { memoryMap } from "../memory/index.ts";
import { MAX_DEVICES } from "../protocol/definitions.ts";
import { loadCore } from "../virtio/index.ts";
import { Clients } from "./clients.ts";
import { AF_UNIX, type Libc, openLibc, SOCK_CLOEXEC, SOCK_STREAM } from "./libc.ts";

/** How to serve. */
export interface ServeOptions extends ExecutionOptions {
  /** Path of the socket; it must not exist. */
  readonly socket: string;
  /** Path of another one: who sends it a byte is told `ServerReport`, as JSON. */
  readonly statusSocket?: string;
  /** How many devices a client sees, 1 unless given; they share its memory in equal parts. */
  readonly devices?: number;
  /** Most bytes of memory for each device of one client; all that 4 GiB leave if not given. */
  readonly memoryBytes?: number;
  /** Kernels are stopped after this many milliseconds, 600,000 by default; 0: never. */
  readonly timeoutMs?: number;
  readonly multiprocessors?: number;
  /** Clients that are served at once, 64 by default: more are turned away. */
  readonly maxClients?: number;
  readonly verbose?: boolean;
  /** Called when clients can connect. */
  readonly onReady?: () => void;
  /** Ends the server once it aborts; clients that are served then are cut off with the process. */
  readonly signal?: AbortSignal;
  readonly log?: (message: string) => void;
}

/** A socket that cannot be made. */
export class ServeError extends Error {
  override name = "ServeError";
}

const BACKLOG = 128;
const SOCKET_PATH_BYTES = 108;
const POLL_MS = 20;
const MAX_CLIENTS = 64;

/**
 * Serves devices, one for each connection, each in a Worker of its own.
 * @throws ServeError if there can be no such socket
 */
export async function serve(options: ServeOptions): Promise<void> {
  const libc = await openLibc();
  const devices = options.devices ?? 1;
  if (!(devices >= 1 && devices <= MAX_DEVICES)) {
    throw new ServeError(`${devices} devices; from 1 to ${MAX_DEVICES}`);
  }
  const most = memoryMap().deviceMemory.size;
  const description: DeviceDescription = {
    name: "warpring vGPU",
    index: 0,
    devices,
    multiprocessors: options.multiprocessors ?? 16,
    memoryBytes: Math.min(most, devices * (options.memoryBytes ?? most)),
    timeoutMs: options.timeoutMs ?? 600_000,
  };
  const clients = new Clients({
    libc,
    core: await loadCore(),
    description,
    execution: {
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      ...(options.fma === undefined ? {} : { fma: options.fma }),
      ...(options.cache === undefined ? {} : { cache: options.cache }),
    },
    most: options.maxClients ?? MAX_CLIENTS,
    verbose: options.verbose ?? false,
    log: options.log ?? (() => {}),
  });
  clients.listen(listen(libc, options.socket), false);
  const { statusSocket } = options;
  if (statusSocket !== undefined) clients.listen(listen(libc, statusSocket), true);
  options.onReady?.();
  while (options.signal?.aborted !== true) {
    await clients.turn(POLL_MS);
    // Signals and the clients' messages are heard in between.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  clients.close();
}

function listen(libc: Libc, path: string): number {
  const name = new TextEncoder().encode(path);
  if (name.length >= SOCKET_PATH_BYTES) {
    throw new ServeError(
      `the socket's path is longer than ${SOCKET_PATH_BYTES - 1} bytes: ${path}`,
    );
  }
  const address = new Uint8Array(new ArrayBuffer(2 + SOCKET_PATH_BYTES));
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, 2);
  const fd = libc.call("socket", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new ServeError(`no socket (errno ${-fd})`);
  const bound = libc.call("bind", fd, address, address.length);
  const listening = bound < 0 ? bound : libc.call("listen", fd, BACKLOG);
  if (listening < 0) {
    libc.call("close", fd);
    throw new ServeError(`cannot listen on ${path} (errno ${-listening})`);
  }
  return fd;
}
