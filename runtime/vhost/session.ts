/**
 * One client of a served device: the messages of the vhost-user protocol, and the device that they
 * set up. A session has its own memory, queues, contexts and executor, and shares nothing.
 */
import type { DeviceDescription } from "../device/properties.ts";
import { OFFERED_FEATURES, VirtioGpu } from "../device/virtio-gpu.ts";
import type { ExecHost, Executor } from "../exec/index.ts";
import { deviceWorkspace, guestRegions } from "../machine/layout.ts";
import {
  CONFIG_SIZE,
  MAX_QUEUE_GROUPS,
  QUEUE_EVENT,
  QUEUES_PER_GROUP,
} from "../protocol/definitions.ts";
import {
  type QueueObserver,
  STATUS_ACKNOWLEDGE,
  STATUS_DRIVER,
  STATUS_DRIVER_OK,
  STATUS_FEATURES_OK,
  STATUS_NEEDS_RESET,
  VIRTIO_F_RING_PACKED,
  virtqueueResume,
  virtqueueReturnAll,
  virtqueueSetNotification,
} from "../virtio/index.ts";
import { Connection, ConnectionError, type Message } from "./connection.ts";
import * as V from "./defs.ts";
import type { InflightQueue } from "./inflight.ts";
import { INFLIGHT_SIZE, InflightArea } from "./inflight-area.ts";
import { type Libc, POLLHUP, POLLIN } from "./libc.ts";
import { MappedMemory, TableError, type TableRegion } from "./memory.ts";
import type { ClientStatus } from "./status.ts";

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

const QUEUES = MAX_QUEUE_GROUPS * QUEUES_PER_GROUP;

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

/** What the frontend has said about a queue; addresses are its own virtual ones. */
interface Vring {
  size: number;
  /** Where the available ring goes on. */
  base: number;
  desc: number;
  avail: number;
  used: number;
  kick: number;
  call: number;
  error: number;
  enabled: boolean;
  running: boolean;
}

/** Serves one client; see `run`. */
export class Session {
  readonly #options: SessionOptions;
  readonly #libc: Libc;
  readonly #connection: Connection;
  readonly #vrings: Vring[] = [];
  readonly #one = new Uint8Array(new BigUint64Array([1n]).buffer);
  readonly #count = new Uint8Array(new ArrayBuffer(8));
  /** struct pollfd for the socket and each queue, and whose they are: one object for all calls. */
  readonly #pollBytes = new Uint8Array(new ArrayBuffer(8 * (QUEUES + 1)));
  readonly #pollView = new DataView(this.#pollBytes.buffer);
  readonly #watched: number[] = [];
  #rounds = 0;
  #features = 0n;
  #protocol = 0n;
  #status = 0;
  #table: TableRegion[] = [];
  #memory: MappedMemory | undefined;
  #gpu: VirtioGpu | undefined;
  #inflight: InflightArea | undefined;
  readonly #observers: { inFlight: Set<number>; region: InflightQueue | undefined }[] = [];
  /** Looks without finding anything before it sleeps. */
  #patience = IDLE_LOOKS;

  /** @param options socket and parts of the device */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.#libc = options.libc;
    this.#connection = new Connection(options.libc, options.fd);
    for (let i = 0; i < QUEUES; i++) this.#vrings.push(newVring());
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
    this.#wantKicks(false);
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
    this.#wantKicks(true);
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

  /** While the device looks by itself the driver can spare its kicks (§2.7.10). */
  #wantKicks(wanted: boolean): void {
    for (const [index, { running }] of this.#vrings.entries()) {
      if (!running || index % QUEUES_PER_GROUP === QUEUE_EVENT) continue;
      const queue = this.#gpu?.virtio.queue(index);
      if (queue !== undefined && !queue.broken) virtqueueSetNotification(queue, wanted);
    }
  }

  /** Looks into queues that may have buffers whose kick has not been seen yet. */
  #look(gpu: VirtioGpu): boolean {
    let any = false;
    for (const [index, { running }] of this.#vrings.entries()) {
      if (running && index % QUEUES_PER_GROUP !== QUEUE_EVENT) {
        any = gpu.device.processQueue(index) || any;
      }
    }
    return any;
  }

  /** Waits for kicks and messages. @returns true if there is a message, or the peer has gone */
  #poll(timeout: number): boolean {
    const fds = this.#watched;
    const view = this.#pollView;
    let count = 1;
    fds[0] = -1;
    view.setInt32(0, this.#connection.fd, true);
    for (let index = 0; index < this.#vrings.length; index++) {
      const vring = this.#vrings[index];
      if (!vring?.running || vring.kick < 0) continue;
      view.setInt32(8 * count, vring.kick, true);
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
        this.#features = payload.getBigUint64(0, true) & ~TRANSPORT_FEATURES;
        return (this.#features & ~OFFERED_FEATURES) === 0n;
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
        const { fd, answer } = InflightArea.create(this.#libc, payload);
        this.#connection.reply(request, answer, fd);
        this.#close(fd);
        return undefined;
      }
      case V.SET_INFLIGHT_FD: {
        needs(INFLIGHT_SIZE);
        const [fd] = descriptors;
        if (fd === undefined) throw new ConnectionError("SET_INFLIGHT_FD without a descriptor");
        if (this.#vrings.some(({ running }) => running)) return false;
        this.#inflight?.unmap();
        this.#inflight = undefined;
        this.#inflight = new InflightArea(this.#libc, payload, fd);
        return true;
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
        return this.#handleVring(message, taken);
    }
  }

  #handleVring(
    { request, payload, descriptors }: Message,
    taken: Set<number>,
  ): Uint8Array | boolean {
    const word = payload.getUint32(0, true);
    const hasFd = [V.SET_VRING_KICK, V.SET_VRING_CALL, V.SET_VRING_ERR].includes(request);
    const index = hasFd ? word & 0xff : word;
    const vring = this.#vrings[index];
    if (vring === undefined) throw new ConnectionError(`request ${request} for queue ${index}`);
    const value = payload.getUint32(4, true);
    const fd = (): number => {
      const given = hasFd && !(word & V.VRING_NO_FD) ? descriptors[0] : -1;
      if (given === undefined) throw new ConnectionError(`request ${request} has no descriptor`);
      if (given >= 0) taken.add(given);
      return given;
    };
    switch (request) {
      case V.SET_VRING_NUM:
        vring.size = value;
        return !vring.running;
      case V.SET_VRING_BASE:
        vring.base = value & 0xffff;
        // The upper half is the used ring's index of a packed ring, which starts at 0 here.
        return !vring.running && value <= 0xffff && (value === 0 || !this.#packed);
      case V.SET_VRING_ADDR:
        if (payload.byteLength < V.VRING_ADDR_SIZE) throw new ConnectionError("short ring address");
        vring.desc = Number(payload.getBigUint64(V.VRING_ADDR_DESC, true));
        vring.avail = Number(payload.getBigUint64(V.VRING_ADDR_AVAIL, true));
        vring.used = Number(payload.getBigUint64(V.VRING_ADDR_USED, true));
        return !vring.running;
      case V.SET_VRING_KICK:
        this.#close(vring.kick);
        vring.kick = fd();
        return this.#start(index);
      case V.SET_VRING_CALL:
        this.#close(vring.call);
        vring.call = fd();
        return true;
      case V.SET_VRING_ERR:
        this.#close(vring.error);
        vring.error = fd();
        return true;
      case V.SET_VRING_ENABLE:
        vring.enabled = value !== 0;
        if (!vring.enabled) this.#stop(index);
        return vring.enabled ? this.#start(index) : true;
      case V.GET_VRING_BASE: {
        this.#stop(index);
        const state = new DataView(new ArrayBuffer(8));
        state.setUint32(0, index, true);
        state.setUint32(4, vring.base, true);
        return new Uint8Array(state.buffer);
      }
      default:
        throw new ConnectionError(`unknown request ${request}`);
    }
  }

  #setTable(payload: DataView, descriptors: readonly number[], taken: Set<number>): boolean {
    const count = payload.byteLength < V.TABLE_HEADER_SIZE ? 0 : payload.getUint32(0, true);
    const bytes = V.TABLE_HEADER_SIZE + count * V.REGION_SIZE;
    if (count === 0 || count > V.MAX_REGIONS || payload.byteLength < bytes) {
      throw new TableError(`a memory table of ${count} regions in ${payload.byteLength} bytes`);
    }
    if (descriptors.length !== count) {
      throw new TableError(`${descriptors.length} descriptors for ${count} regions`);
    }
    if (this.#gpu !== undefined) {
      throw new TableError("the memory table cannot change while the device is in use");
    }
    const table = descriptors.map((fd, i): TableRegion => {
      const at = V.TABLE_HEADER_SIZE + i * V.REGION_SIZE;
      const field = (offset: number): number => Number(payload.getBigUint64(at + offset, true));
      return {
        guest: field(V.REGION_GUEST),
        bytes: field(V.REGION_BYTES),
        user: field(V.REGION_USER),
        offset: field(V.REGION_OFFSET),
        fd,
      };
    });
    const { libc, description } = this.#options;
    this.#memory = MappedMemory.map(libc, table, description.memoryBytes);
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
      regions: guestRegions(memory.map),
      interrupt: (index) => this.#interrupt(index),
      log,
      deferred: true,
      observer: (index) => this.#observe(index),
      onKernel: (name) => {
        status.kernel(name);
        if (name !== undefined) this.#tellMemory();
      },
    });
    this.#gpu = gpu;
    onMemory(memory.memory);
    status.made(gpu.device.executor.stopWord, gpu.device.allocations.total);
  }

  /** §3.1.1 in one go: a frontend negotiates with the guest before it sets queues up. */
  #negotiate(gpu: VirtioGpu): boolean {
    const { virtio } = gpu;
    if (virtio.status & STATUS_DRIVER_OK) return true;
    const steps = [STATUS_ACKNOWLEDGE, STATUS_DRIVER, STATUS_FEATURES_OK, STATUS_DRIVER_OK];
    let status = 0;
    for (const step of steps) {
      if (step === STATUS_FEATURES_OK) virtio.setDriverFeatures(this.#features);
      status |= step;
      virtio.writeStatus(status);
    }
    return (virtio.status & STATUS_DRIVER_OK) !== 0;
  }

  /** A queue starts when it has a kick descriptor and is enabled. */
  #start(index: number): boolean {
    const vring = this.#vrings[index];
    const gpu = this.#gpu;
    const memory = this.#memory;
    if (vring === undefined || vring.running || vring.kick < 0 || !vring.enabled) return true;
    if (gpu === undefined || memory === undefined || !this.#negotiate(gpu)) return false;
    const { size } = vring;
    const [desc, driver, device] = [vring.desc, vring.avail, vring.used].map((user) =>
      memory.guestOf(user),
    ) as [number, number, number];
    if (desc < 0 || driver < 0 || device < 0) return false;
    const region = this.#packed ? undefined : this.#inflight?.queue(index, size);
    const inFlight = new Set<number>();
    this.#observers[index] = { inFlight, region };
    gpu.virtio.setQueue(index, { size, desc, driver, device });
    vring.running = gpu.virtio.enableQueue(index);
    const queue = gpu.virtio.queue(index);
    if (queue === undefined || queue.broken || this.#packed) return vring.running;
    const lost = region === undefined ? [] : region.recover(queue.usedIndex);
    if (lost === undefined)
      throw new TableError(`the inflight region of queue ${index} is not one`);
    // What was lost lies before the rest: the used ring and the lost ones are all that was taken.
    const next = lost.length > 0 ? (queue.usedIndex + lost.length) & 0xffff : vring.base;
    virtqueueResume(queue, next, lost);
    return vring.running;
  }

  get #packed(): boolean {
    return (this.#features & VIRTIO_F_RING_PACKED) !== 0n;
  }

  /** Keeps account of what the device has of a queue. */
  #observe(index: number): QueueObserver | undefined {
    const observed = this.#observers[index];
    if (observed === undefined) return undefined;
    const { inFlight, region } = observed;
    return {
      taken(head) {
        inFlight.add(head);
        region?.taken(head);
      },
      giving: (head) => region?.giving(head),
      given(head) {
        inFlight.delete(head);
        region?.given(head);
      },
    };
  }

  /** Takes a queue out of use. What the device still has of it goes back with nothing written. */
  #stop(index: number): void {
    const vring = this.#vrings[index];
    if (!vring?.running) return;
    const queue = this.#gpu?.virtio.queue(index);
    if (queue !== undefined && !queue.broken && !this.#packed) {
      vring.base = virtqueueReturnAll(queue, [...(this.#observers[index]?.inFlight ?? [])]);
    }
    this.#gpu?.virtio.disableQueue(index);
    vring.running = false;
  }

  #reset(): void {
    this.#gpu?.virtio.writeStatus(0);
    for (const vring of this.#vrings) {
      for (const fd of [vring.kick, vring.call, vring.error]) this.#close(fd);
      Object.assign(vring, newVring());
    }
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

  #interrupt(index: number): void {
    const write = (fd: number): void => {
      if (fd >= 0) this.#libc.call("write", fd, this.#one, 8);
    };
    if (index >= 0) {
      write(this.#vrings[index]?.call ?? -1);
      return;
    }
    // The device needs a reset: vhost-user says so on the error descriptors, and wakes who waits.
    for (const vring of this.#vrings) {
      write(vring.error);
      write(vring.call);
    }
  }

  #close(fd: number): void {
    if (fd >= 0) this.#libc.call("close", fd);
  }

  #end(): void {
    this.#reset();
    this.#inflight?.unmap();
    this.#gpu?.device.executor.dispose();
    this.#gpu = undefined;
    this.#memory?.release();
    for (const { fd } of this.#table) this.#close(fd);
    this.#connection.shutdown();
  }
}

function newVring(): Vring {
  const none = { kick: -1, call: -1, error: -1 };
  return { size: 0, base: 0, desc: 0, avail: 0, used: 0, ...none, enabled: false, running: false };
}

function u64(value: bigint): Uint8Array {
  return new Uint8Array(new BigUint64Array([value]).buffer);
}
