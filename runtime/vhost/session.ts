/**
 * One client of a served device: the messages of the vhost-user protocol, and the device that they
 * set up. A session has its own memory, queues, contexts and executor, and shares nothing.
 */
import type { DeviceDescription } from "../device/properties.ts";
import { OFFERED_FEATURES, VirtioGpu } from "../device/virtio-gpu.ts";
import type { ExecHost, Executor } from "../exec/index.ts";
import { deviceWorkspace } from "../machine/layout.ts";
import { CONFIG_SIZE } from "../protocol/definitions.ts";
import { STATUS_NEEDS_RESET } from "../virtio/index.ts";
import { Connection, ConnectionError, type Message } from "./connection.ts";
import * as V from "./defs.ts";
import { INFLIGHT_SIZE } from "./inflight-area.ts";
import { type Libc, POLLHUP, POLLIN } from "./libc.ts";
import { MappedMemory, readTable, TableError, type TableRegion } from "./memory.ts";
import type { ClientStatus } from "./status.ts";
import { QUEUES, Vrings } from "./vrings.ts";

/** What a session is made with. */
export interface SessionOptions {
  readonly libc: Libc;
  /** The connected socket. */
  readonly fd: number;
  readonly core: WebAssembly.Module;
  readonly executor: (host: ExecHost) => Executor;
  /** Of the device; `memoryBytes` is the most that a client gets. */
  readonly description: DeviceDescription;
  /** What the server and this session tell each other. */
  readonly status: ClientStatus;
  /** Receives the memory of the device when there is one. */
  readonly onMemory: (memory: WebAssembly.Memory) => void;
  readonly log: (message: string) => void;
}

/** How often an idle device looks at its queues before it sleeps. */
const IDLE_LOOKS = 2000;

/** Rounds of 64 looks between two collections of garbage. */
const COLLECT_ROUNDS = 2048;

const PROTOCOL_FEATURES = [
  V.PROTOCOL_F_MQ,
  V.PROTOCOL_F_REPLY_ACK,
  V.PROTOCOL_F_CONFIG,
  V.PROTOCOL_F_INFLIGHT_SHMFD,
  V.PROTOCOL_F_RESET_DEVICE,
  V.PROTOCOL_F_STATUS,
].reduce((bits, bit) => bits | (1n << BigInt(bit)), 0n);

const TRANSPORT_FEATURES = 1n << BigInt(V.F_PROTOCOL_FEATURES);

/** Serves one client; see `run`. */
export class Session {
  readonly #options: SessionOptions;
  readonly #libc: Libc;
  readonly #connection: Connection;
  readonly #vrings: Vrings;
  readonly #count = new Uint8Array(new ArrayBuffer(8));
  /** struct pollfd for the socket and each queue, and whose they are: one object for all calls. */
  readonly #pollBytes = new Uint8Array(new ArrayBuffer(8 * (QUEUES + 1)));
  readonly #pollView = new DataView(this.#pollBytes.buffer);
  readonly #watched: number[] = [];
  #rounds = 0;
  #protocol = 0n;
  #status = 0;
  #table: TableRegion[] = [];
  #memory: MappedMemory | undefined;
  #gpu: VirtioGpu | undefined;
  /** Looks without finding anything before it sleeps. */
  #patience = IDLE_LOOKS;

  /** @param options socket and parts of the device */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.#libc = options.libc;
    this.#connection = new Connection(options.libc, options.fd);
    this.#vrings = new Vrings(options.libc);
  }

  /**
   * Serves until the client goes away or breaks the protocol; then frees all that it had. Blocks the
   * thread that calls it.
   */
  run(): void {
    try {
      while (this.#turn());
    } catch (error) {
      if (!(error instanceof ConnectionError || error instanceof TableError)) throw error;
      this.#options.log(error.message);
    } finally {
      this.#end();
    }
  }

  /** Works until there is nothing to do, then waits. @returns false at the end of the connection */
  #turn(): boolean {
    const { status } = this.#options;
    let idle = 0;
    let looks = 0;
    this.#vrings.wantKicks(false);
    while (this.#gpu !== undefined && idle < this.#patience) {
      if (status.gone) return false;
      idle = this.#gpu.turn() || this.#look(this.#gpu) ? 0 : idle + 1;
      // A client that never stops sending work must be heard.
      if (++looks % 64 !== 0) continue;
      this.#tellMemory();
      this.#collect();
      if (this.#poll(0)) return this.#message();
    }
    // Looking is worth while if something came before the patience was at its end.
    this.#patience =
      looks > idle
        ? Math.min(IDLE_LOOKS, 2 * this.#patience)
        : Math.max(IDLE_LOOKS >> 5, this.#patience >> 1);
    this.#tellMemory();
    this.#vrings.wantKicks(true);
    // What came before the queues' flags changed was not notified.
    if (this.#gpu !== undefined && this.#look(this.#gpu)) return true;
    return this.#poll(-1) ? this.#message() : true;
  }

  /**
   * Bun lets a thread that never goes back to its event loop gather gigabytes of garbage: there it is
   * asked to collect, every so many looks. Deno does it by itself.
   */
  #collect(): void {
    if (++this.#rounds % COLLECT_ROUNDS !== 0) return;
    (globalThis as { Bun?: { gc(now: boolean): void } }).Bun?.gc(true);
  }

  #tellMemory(): void {
    const allocations = this.#gpu?.device.allocations;
    if (allocations) this.#options.status.memory(allocations.used);
  }

  /** Looks into queues that may have buffers whose kick has not been seen yet. */
  #look(gpu: VirtioGpu): boolean {
    let any = false;
    for (const index of this.#vrings.requests) any = gpu.device.processQueue(index) || any;
    return any;
  }

  /** Waits for kicks and messages. @returns true if there is a message, or the peer has gone */
  #poll(timeout: number): boolean {
    const fds = this.#watched;
    const view = this.#pollView;
    let count = 1;
    fds[0] = -1;
    view.setInt32(0, this.#connection.fd, true);
    for (let index = 0; index < QUEUES; index++) {
      const kick = this.#vrings.kick(index);
      if (kick < 0) continue;
      view.setInt32(8 * count, kick, true);
      fds[count++] = index;
    }
    for (let i = 0; i < count; i++) view.setInt32(8 * i + 4, POLLIN, true);
    this.#libc.call("poll", this.#pollBytes, count, timeout);
    for (let i = 1; i < count; i++) {
      if (!(view.getInt16(8 * i + 6, true) & POLLIN)) continue;
      this.#libc.call("read", view.getInt32(8 * i, true), this.#count, 8);
      this.#gpu?.virtio.notify(fds[i] as number);
    }
    return (view.getInt16(6, true) & (POLLIN | POLLHUP)) !== 0;
  }

  #message(): boolean {
    const message = this.#connection.receive();
    if (message === undefined) return false;
    const taken = new Set<number>();
    try {
      this.#serve(message, taken);
    } finally {
      for (const fd of message.descriptors) if (!taken.has(fd)) this.#libc.call("close", fd);
    }
    return true;
  }

  /** @param taken receives the descriptors that the session keeps */
  #serve(message: Message, taken: Set<number>): void {
    const { request, payload } = message;
    const answer = this.#handle(message, taken);
    if (answer instanceof Uint8Array) {
      this.#connection.reply(request, answer);
      return;
    }
    if (answer === undefined) return;
    const wanted = message.flags & V.FLAG_NEED_REPLY;
    if (wanted && this.#protocol & (1n << BigInt(V.PROTOCOL_F_REPLY_ACK))) {
      this.#connection.reply(request, u64(answer ? 0n : 1n));
    } else if (!answer) {
      throw new ConnectionError(`request ${request} (${payload.byteLength} bytes) was refused`);
    }
  }

  /**
   * @returns the reply, or for a request without one, whether it was carried out; undefined if it was
   *   answered
   */
  #handle(message: Message, taken: Set<number>): Uint8Array | boolean | undefined {
    const { request, payload, descriptors } = message;
    const needs = (bytes: number): void => {
      if (payload.byteLength < bytes) {
        throw new ConnectionError(`request ${request} of ${payload.byteLength} bytes`);
      }
    };
    switch (request) {
      case V.GET_FEATURES:
        return u64(OFFERED_FEATURES | TRANSPORT_FEATURES);
      case V.SET_FEATURES:
        needs(8);
        this.#vrings.features = payload.getBigUint64(0, true) & ~TRANSPORT_FEATURES;
        return (this.#vrings.features & ~OFFERED_FEATURES) === 0n;
      case V.GET_PROTOCOL_FEATURES:
        return u64(PROTOCOL_FEATURES);
      case V.SET_PROTOCOL_FEATURES:
        needs(8);
        this.#protocol = payload.getBigUint64(0, true);
        return (this.#protocol & ~PROTOCOL_FEATURES) === 0n;
      case V.GET_QUEUE_NUM:
        return u64(BigInt(QUEUES));
      case V.SET_OWNER:
      case V.RESET_OWNER:
        return true;
      case V.SET_MEM_TABLE:
        return this.#setTable(payload, descriptors, taken);
      case V.GET_INFLIGHT_FD: {
        needs(INFLIGHT_SIZE);
        const { fd, answer } = this.#vrings.createInflight(payload);
        this.#connection.reply(request, answer, fd);
        this.#close(fd);
        return undefined;
      }
      case V.SET_INFLIGHT_FD: {
        needs(INFLIGHT_SIZE);
        const [fd] = descriptors;
        if (fd === undefined) throw new ConnectionError("SET_INFLIGHT_FD without a descriptor");
        return this.#vrings.setInflight(payload, fd);
      }
      case V.GET_CONFIG:
        needs(V.CONFIG_HEADER_SIZE);
        return this.#config(payload);
      case V.SET_CONFIG:
        return false;
      case V.SET_STATUS:
        needs(8);
        this.#status = payload.getUint8(0);
        if (this.#status === 0) this.#reset();
        return true;
      case V.GET_STATUS:
        return u64(BigInt(this.#status | ((this.#gpu?.virtio.status ?? 0) & STATUS_NEEDS_RESET)));
      case V.RESET_DEVICE:
        this.#reset();
        return true;
      default:
        needs(8);
        return this.#vrings.handle(message, taken);
    }
  }

  #setTable(payload: DataView, descriptors: readonly number[], taken: Set<number>): boolean {
    if (this.#gpu !== undefined) {
      throw new TableError("the memory table cannot change while the device is in use");
    }
    const table = readTable(payload, descriptors);
    const { libc, description } = this.#options;
    // Without the feature the driver cannot use device memory that is shared: all there is is RAM.
    const map = this.#vrings.sharesDeviceMemory ? MappedMemory.map : MappedMemory.mapRam;
    this.#memory = map(libc, table, description.memoryBytes);
    for (const { fd } of this.#table) this.#close(fd);
    this.#table = table;
    for (const fd of descriptors) taken.add(fd);
    this.#makeDevice(this.#memory);
    return true;
  }

  #makeDevice(memory: MappedMemory): void {
    const { core, executor, description, log, status, onMemory } = this.#options;
    const gpu = new VirtioGpu({
      memory,
      core,
      description: { ...description, memoryBytes: memory.map.deviceMemory.size },
      executor,
      workspace: deviceWorkspace(memory.map),
      regions: memory.ram,
      interrupt: (index) => this.#vrings.interrupt(index),
      log,
      deferred: true,
      observer: (index) => this.#vrings.observe(index),
      onKernel: (name) => {
        status.kernel(name);
        if (name !== undefined) this.#tellMemory();
      },
    });
    this.#gpu = gpu;
    this.#vrings.serve({ gpu, memory });
    onMemory(memory.memory);
    status.made(gpu.device.executor.stopWord, gpu.device.allocations.total);
  }

  #reset(): void {
    this.#gpu?.virtio.writeStatus(0);
    this.#vrings.reset();
  }

  /** The configuration space; with a size of 0 as long as there is no device. */
  #config(payload: DataView): Uint8Array {
    const offset = payload.getUint32(0, true);
    const wanted = payload.getUint32(4, true);
    const size = this.#gpu === undefined || wanted > CONFIG_SIZE ? 0 : wanted;
    const bytes = new Uint8Array(V.CONFIG_HEADER_SIZE + size);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, offset, true);
    view.setUint32(4, size, true);
    if (size > 0) this.#gpu?.virtio.readConfig(offset, bytes.subarray(V.CONFIG_HEADER_SIZE));
    return bytes;
  }

  #close(fd: number): void {
    if (fd >= 0) this.#libc.call("close", fd);
  }

  #end(): void {
    this.#reset();
    this.#vrings.end();
    this.#gpu?.device.executor.dispose();
    this.#gpu = undefined;
    this.#memory?.release();
    for (const { fd } of this.#table) this.#close(fd);
    this.#connection.shutdown();
  }
}

function u64(value: bigint): Uint8Array {
  return new Uint8Array(new BigUint64Array([value]).buffer);
}
