/**
 * The connections of a server. One that has said nothing costs a descriptor only; with its first bytes
 * it gets a Worker, which owns its device. The server keeps the sockets: it sees a client's end while
 * its Worker is in a kernel, and stops that kernel.
 */
import type { DeviceDescription } from "../device/properties.ts";
import type { ExecutionOptions } from "../machine/load-executor.ts";
import { startThread, type Thread } from "../machine/threads.ts";
import type { ClientMessage, ClientStart } from "./client-worker.ts";
import { type Libc, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK, POLLIN, SOCK_CLOEXEC } from "./libc.ts";
import { ClientStatus } from "./status.ts";

/** What connections are made with. */
export interface ClientsOptions {
  readonly libc: Libc;
  readonly core: WebAssembly.Module;
  readonly description: DeviceDescription;
  readonly execution: ExecutionOptions;
  /** Clients at once. */
  readonly most: number;
  readonly verbose: boolean;
  readonly log: (message: string) => void;
}

/** What the status socket tells, as JSON. */
export interface ServerReport {
  readonly name: string;
  /** That each client sees. */
  readonly devices: number;
  readonly multiprocessors: number;
  /** Of each device. */
  readonly memoryBytes: number;
  readonly clients: readonly ClientReport[];
}

/** One client. Bytes of memory that it uses of each device, and has; the kernel that runs, or ran last. */
export interface ClientReport {
  readonly pid: number;
  readonly used: readonly number[];
  readonly total: number;
  readonly running: boolean;
  readonly launches: number;
  readonly kernel: string;
}

interface Client {
  readonly fd: number;
  readonly pid: number;
  readonly thread: Thread;
  readonly status: ClientStatus;
  memory: WebAssembly.Memory | undefined;
}

/** Connections that have said nothing yet; the oldest go if there are more. */
const MOST_SILENT = 256;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const UCRED_BYTES = 12;

/** All connections of a server. */
export class Clients {
  readonly #options: ClientsOptions;
  readonly #libc: Libc;
  readonly #listeners = new Map<number, boolean>();
  /** By descriptor: do they ask for the report? */
  readonly #silent = new Map<number, boolean>();
  readonly #served = new Map<number, Client>();

  /** @param options parts of the devices */
  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#libc = options.libc;
  }

  /** Takes connections from a listening socket. @param report they get the report, and no device */
  listen(fd: number, report: boolean): void {
    this.#listeners.set(fd, report);
  }

  /** Waits at most `ms` milliseconds for something to happen, and deals with it. */
  async turn(ms: number): Promise<void> {
    // The Workers of those that have gone are on their way out, and may have started a kernel since.
    for (const client of this.#served.values()) if (client.status.gone) stop(client);
    const watched = [...this.#served.values()].filter(({ status }) => !status.gone);
    const fds = [...this.#listeners.keys(), ...this.#silent.keys()];
    const hearing = fds.length;
    fds.push(...watched.map(({ fd }) => fd));
    const view = new DataView(new ArrayBuffer(8 * fds.length));
    for (const [i, fd] of fds.entries()) {
      view.setInt32(8 * i, fd, true);
      // Of clients that are served only the end is of interest here.
      view.setInt16(8 * i + 4, i < hearing ? POLLIN : 0, true);
    }
    if (this.#libc.call("poll", new Uint8Array(view.buffer), fds.length, ms) <= 0) return;
    for (const [i, fd] of fds.entries()) {
      const events = view.getInt16(8 * i + 6, true);
      if (events === 0) continue;
      const report = this.#listeners.get(fd);
      if (report !== undefined) this.#accept(fd, report);
      else if (i < hearing) await this.#heard(fd, events);
      else this.#hungUp(fd);
    }
  }

  /** Closes all sockets. Workers end with the process. */
  close(): void {
    const fds = [...this.#listeners, ...this.#silent, ...this.#served].map(([fd]) => fd);
    for (const fd of fds) this.#libc.call("close", fd);
  }

  /** What there is to tell. */
  report(): ServerReport {
    const { name, devices = 1, multiprocessors, memoryBytes } = this.#options.description;
    const clients = [...this.#served.values()]
      .filter(({ status }) => !status.gone)
      .map(({ pid, status }) => ({ pid, ...status.read() }));
    return { name, devices, multiprocessors, memoryBytes: memoryBytes / devices, clients };
  }

  #accept(listener: number, report: boolean): void {
    const fd = this.#libc.call("accept4", listener, 0n, 0n, SOCK_CLOEXEC);
    if (fd < 0) return;
    this.#silent.set(fd, report);
    for (const oldest of this.#silent.keys()) {
      if (this.#silent.size <= MOST_SILENT) break;
      this.#turnAway(oldest, undefined);
    }
  }

  async #heard(fd: number, events: number): Promise<void> {
    const report = this.#silent.get(fd);
    // Closed meanwhile, to make room.
    if (report === undefined) return;
    if (!(events & POLLIN) || this.#isAtEnd(fd)) {
      this.#turnAway(fd, undefined);
    } else if (report) {
      const bytes = new TextEncoder().encode(JSON.stringify(this.report()));
      // Closed with something unread, the connection would be reset.
      this.#libc.call("recv", fd, new Uint8Array(new ArrayBuffer(64)), 64, MSG_DONTWAIT);
      // Far less than a socket's buffer, so that nobody can make the server wait.
      this.#libc.call("send", fd, bytes, bytes.length, MSG_NOSIGNAL | MSG_DONTWAIT);
      this.#turnAway(fd, undefined);
    } else if (this.#served.size >= this.#options.most) {
      this.#turnAway(fd, `${this.#options.most} clients are served already`);
    } else {
      this.#silent.delete(fd);
      await this.#serve(fd);
    }
  }

  #isAtEnd(fd: number): boolean {
    const byte = new Uint8Array(new ArrayBuffer(1));
    return this.#libc.call("recv", fd, byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
  }

  #turnAway(fd: number, why: string | undefined): void {
    this.#silent.delete(fd);
    this.#libc.call("close", fd);
    if (why !== undefined) this.#options.log(`a client is turned away: ${why}`);
  }

  async #serve(fd: number): Promise<void> {
    const { core, description, execution, verbose, log } = this.#options;
    const thread = await startThread("../vhost/client-worker");
    const status = new ClientStatus();
    const client: Client = { fd, pid: this.#processOf(fd), thread, status, memory: undefined };
    this.#served.set(fd, client);
    thread.onMessage((message) => {
      const said = message as ClientMessage | Error;
      if (said instanceof WebAssembly.Memory) {
        client.memory = said;
      } else if (said === null || said instanceof Error) {
        if (said !== null) log(said.message);
        thread.terminate();
        if (this.#served.delete(fd)) this.#libc.call("close", fd);
      } else log(said);
    });
    const start: ClientStart = { fd, core, description, execution, status: status.buffer, verbose };
    thread.post(start);
  }

  #hungUp(fd: number): void {
    const client = this.#served.get(fd);
    if (client === undefined) return;
    client.status.hangUp();
    stop(client);
  }

  #processOf(fd: number): number {
    const credentials = new Uint8Array(new ArrayBuffer(UCRED_BYTES));
    const length = new Uint8Array(new Uint32Array([UCRED_BYTES]).buffer);
    this.#libc.call("getsockopt", fd, SOL_SOCKET, SO_PEERCRED, credentials, length);
    return new DataView(credentials.buffer).getInt32(0, true);
  }
}

/** Ends the kernel that runs, if one does. */
function stop({ memory, status }: Client): void {
  const at = status.stopWord;
  if (memory !== undefined && at > 0) Atomics.store(new Int32Array(memory.buffer), at >> 2, 1);
}
