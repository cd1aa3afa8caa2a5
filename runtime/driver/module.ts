/**
 * The driver in one host thread: it finds the device, negotiates features, sets up the thread's
 * queues (virtio 1.3 §3.1.1), and carries requests. Open files are in open-file.ts.
 */
import type { GuestMemory, Region } from "../memory/index.ts";
import * as P from "../protocol/definitions.ts";
import { EDEADLK, EIO, ENODEV, ENOMEM, EPROTO } from "../protocol/errno.ts";
import {
  DriverQueue,
  driverWorkspaceBytes,
  queueLayout,
  STATUS_ACKNOWLEDGE,
  STATUS_DRIVER,
  STATUS_DRIVER_OK,
  STATUS_FAILED,
  STATUS_FEATURES_OK,
  STATUS_NEEDS_RESET,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_VERSION_1,
  virtqueueAddSgs,
  virtqueueBreakDevice,
  virtqueueGetBuf,
  virtqueueIsBroken,
  virtqueueKick,
} from "../virtio/index.ts";
import { COMMAND_SHAPES, type CommandShape } from "./commands.ts";
import { DmaPool, SLOT_IN_BYTES, SLOT_OUT_BYTES, type Slot } from "./dma.ts";
import { type DeviceEvent, EventReader } from "./event-reader.ts";
import { LaunchPipeline } from "./pipeline.ts";
import type { Transport } from "./transport.ts";
import type { IoctlData } from "./types.ts";

/** Features that this driver can use. */
const WANTED =
  VIRTIO_F_VERSION_1 |
  VIRTIO_F_EVENT_IDX |
  VIRTIO_F_RING_PACKED |
  VIRTIO_F_RING_RESET |
  (1n << BigInt(P.WARPRING_F_EVENTS)) |
  (1n << BigInt(P.WARPRING_F_DEVICE_MEMORY)) |
  (1n << BigInt(P.WARPRING_F_HOST_CALLS));
/** Without these it cannot work. */
const NEEDED = VIRTIO_F_VERSION_1 | (1n << BigInt(P.WARPRING_F_DEVICE_MEMORY));

/** Launches that may be on their way at once: half of the descriptors that a queue has. */
const MOST_IN_FLIGHT = P.STREAM_QUEUE_SIZE / 4;

const START_SHAPE: CommandShape = {
  responseBytes: P.START_RESPONSE_SIZE,
  streamQueue: false,
  synchronizes: false,
};
const STOP_SHAPE: CommandShape = {
  responseBytes: P.STOP_RESPONSE_SIZE,
  streamQueue: false,
  synchronizes: true,
};

/** What a driver is given. */
export interface DriverModuleOptions {
  readonly memory: GuestMemory;
  /** Compiled core.wasm. */
  readonly core: WebAssembly.Module;
  readonly transport: Transport;
  /** This thread's share of guest RAM. */
  readonly guestRam: Region;
  /** This thread's private bytes outside guest RAM, for its side of the queues. */
  readonly workspace: Region;
  /** Features not to use, for tests and comparisons. */
  readonly without?: bigint;
}

/** The driver's state in one thread; its users are counted as those of a kernel module. */
export class DriverModule {
  readonly memory: GuestMemory;
  readonly transport: Transport;
  readonly dma: DmaPool;
  /** Receives events; set by the open files. */
  onEvent: (event: DeviceEvent) => void = () => {};
  /** Features in force. */
  features = 0n;
  #users = 0;
  #control!: DriverQueue<Slot>;
  #stream!: DriverQueue<Slot>;
  #events: EventReader | undefined;
  readonly #options: DriverModuleOptions;
  readonly #pipeline: LaunchPipeline | undefined;
  #up = false;

  /** @param options memory, core, transport and this thread's regions */
  constructor(options: DriverModuleOptions) {
    this.#options = options;
    this.memory = options.memory;
    this.transport = options.transport;
    this.dma = new DmaPool(options.memory, options.guestRam);
    if (options.transport.concurrent) this.#pipeline = new LaunchPipeline();
  }

  /** How many open files there are. */
  get users(): number {
    return this.#users;
  }

  /**
   * One more user; the first one makes the device start.
   * @param thread the caller's thread id
   * @returns 0, -ENODEV (no such device, or it refuses our features), -EPROTO (another protocol
   *   version), -ENOMEM or -EIO
   */
  get(thread: number): number {
    if (this.#users === 0) {
      const result = this.probe();
      if (result < 0) return result;
      const arg = new DataView(new ArrayBuffer(P.ARG_SIZE));
      arg.setUint32(P.START_PROTOCOL_VERSION, P.PROTOCOL_VERSION, true);
      arg.setUint32(P.START_PROCESS, thread, true);
      const sent = this.transact(P.COMMAND_START, START_SHAPE, arg, thread);
      if (sent < 0) return sent;
      if (arg.getUint32(P.ARG_RESPONSE + P.RESPONSE_ERROR, true) !== 0) return -EPROTO;
    }
    this.#users++;
    return 0;
  }

  /** One user fewer; the last one makes the device stop for this thread. @returns 0 or -errno */
  put(thread: number): number {
    if (--this.#users > 0) return 0;
    const arg = new DataView(new ArrayBuffer(P.ARG_SIZE));
    return this.transact(P.COMMAND_STOP, STOP_SHAPE, arg, thread);
  }

  /** Takes the thread's queues out of use; the group is free for another thread then. */
  remove(): void {
    if (!this.#up) return;
    this.#up = false;
    const first = this.transport.group * P.QUEUES_PER_GROUP;
    for (let i = 0; i < P.QUEUES_PER_GROUP; i++) this.transport.resetQueue(first + i);
  }

  /** True once the device is unusable until it is reset. */
  get broken(): boolean {
    return virtqueueIsBroken(this.#control) || virtqueueIsBroken(this.#stream);
  }

  // ── set-up ────────────────────────────────────────────────────────────────────────────────

  /**
   * Finds the device and sets up this thread's queues, if that was not done yet.
   * @returns 0, -ENODEV, -EPROTO or -ENOMEM, as `get`
   */
  probe(): number {
    if (this.#up) return 0;
    const { transport } = this;
    const known = transport.negotiated();
    if (known === undefined) {
      transport.setStatus(0);
      transport.setStatus(STATUS_ACKNOWLEDGE);
      transport.setStatus(STATUS_ACKNOWLEDGE | STATUS_DRIVER);
      this.features = transport.deviceFeatures() & WANTED & ~(this.#options.without ?? 0n);
      if ((this.features & NEEDED) !== NEEDED) return this.#fail(-ENODEV);
      transport.setDriverFeatures(this.features);
      transport.setStatus(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
      // §3.1.1 step 6: the device may still refuse.
      if (!(transport.status() & STATUS_FEATURES_OK)) return this.#fail(-ENODEV);
    } else {
      this.features = known;
    }
    const config = new DataView(new ArrayBuffer(P.CONFIG_SIZE));
    transport.readConfig(new Uint8Array(config.buffer));
    if (config.getUint32(P.CONFIG_PROTOCOL_VERSION, true) !== P.PROTOCOL_VERSION) {
      return this.#fail(-EPROTO);
    }
    transport.onInterrupt(() => {});
    if (!this.#setUpQueues()) return this.#fail(-ENOMEM);
    if (known === undefined) {
      const ok = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK;
      transport.setStatus(ok);
    }
    this.#up = true;
    this.#events?.offer();
    return 0;
  }

  #fail(error: number): number {
    if (this.transport.negotiated() === undefined) {
      this.transport.setStatus(this.transport.status() | STATUS_FAILED);
    }
    return error;
  }

  #setUpQueues(): boolean {
    const first = this.transport.group * P.QUEUES_PER_GROUP;
    let { start } = this.#options.workspace;
    const end = start + this.#options.workspace.size;
    const make = <Token>(role: number, wanted: number): DriverQueue<Token> | undefined => {
      const index = first + role;
      const size = Math.min(wanted, this.transport.queueMaxSize(index));
      const packed = (this.features & VIRTIO_F_RING_PACKED) !== 0n;
      const layout = queueLayout({ size, packed });
      const base = this.dma.alloc(layout.bytes, layout.align);
      const workspace = start;
      start += driverWorkspaceBytes({ size, packed });
      if (!base || start > end) return undefined;
      const queue = new DriverQueue<Token>({
        core: this.#options.core,
        memory: this.memory.memory,
        index,
        size,
        base,
        workspace,
        features: this.features,
        notify: (queueIndex) => this.transport.notify(queueIndex),
      });
      this.transport.enableQueue(index, size, queue.addresses);
      return queue;
    };
    const control = make<Slot>(P.QUEUE_CONTROL, P.CONTROL_QUEUE_SIZE);
    const stream = make<Slot>(P.QUEUE_STREAM, P.STREAM_QUEUE_SIZE);
    if (!control || !stream) return false;
    this.#control = control;
    this.#stream = stream;
    if (this.features & (1n << BigInt(P.WARPRING_F_EVENTS))) {
      const event = make<number>(P.QUEUE_EVENT, P.EVENT_QUEUE_SIZE);
      if (!event) return false;
      this.#events = new EventReader(this.memory, this.dma, event);
    }
    return true;
  }

  // ── requests ──────────────────────────────────────────────────────────────────────────────

  /**
   * Sends one request and waits for its answer: copy in, add, kick, get, copy out.
   * @param command its number
   * @param arg the request, and where the response goes
   * @param out bytes that follow the request
   * @param into receives the bytes that follow the response
   * @returns 0 or -errno, as OpenFile.ioctl
   */
  transact(
    command: number,
    shape: CommandShape | undefined,
    arg: DataView,
    thread: number,
    out?: IoctlData,
    into?: IoctlData,
  ): number {
    const travel = shape ?? COMMAND_SHAPES[command]!;
    const pipeline = this.#pipeline;
    if (pipeline !== undefined && pipeline.inFlight > 0) {
      // The queues have no order between them: what is on its way in one is let arrive first.
      const most = travel.streamQueue ? MOST_IN_FLIGHT : 0;
      const drained = this.#drain(most);
      if (drained < 0) return drained;
    }
    const slot = this.dma.takeSlot();
    if (slot === undefined) return -ENOMEM;
    const words = slot.requestWords;
    for (let at = 0; at < P.REQUEST_SIZE; at += 4) words[at >> 2] = arg.getUint32(at, true);
    words[P.REQUEST_COMMAND >> 2] = command;
    words[P.REQUEST_THREAD >> 2] = thread;
    const queue = travel.streamQueue ? this.#stream : this.#control;
    const room = travel.responseBytes + (into?.length ?? 0);
    if (!this.#fillOut(slot, queue, out) || !this.#makeRoom(slot, queue, room)) {
      this.dma.giveSlot(slot);
      return -ENOMEM;
    }
    const added = virtqueueAddSgs(queue, slot.out, slot.into, slot);
    if (added < 0) {
      this.dma.giveSlot(slot);
      return added;
    }
    virtqueueKick(queue);
    const context = arg.getUint32(P.REQUEST_CONTEXT, true);
    if (pipeline !== undefined && command === P.COMMAND_LAUNCH) {
      if (!pipeline.lateErrors.has(context) && pipeline.isCertain(arg, out?.length ?? 0)) {
        slot.abandoned = true;
        slot.launch = true;
        pipeline.inFlight++;
        arg.setUint32(P.ARG_RESPONSE + P.RESPONSE_ERROR, 0, true);
        arg.setUint32(P.ARG_RESPONSE + P.RESPONSE_DETAIL, 0, true);
        return 0;
      }
    }
    const result = this.#await(queue, slot);
    if (result < 0) return result;
    this.#copyOut(slot, travel, arg, into);
    this.dma.giveSlot(slot);
    if (pipeline !== undefined) {
      if (arg.getUint32(P.ARG_RESPONSE + P.RESPONSE_ERROR, true) === 0) {
        pipeline.learn(command, arg);
        const late = pipeline.lateErrors.get(context);
        if (travel.synchronizes && late !== undefined) {
          arg.setUint32(P.ARG_RESPONSE + P.RESPONSE_ERROR, late, true);
        }
      }
      if (travel.synchronizes) pipeline.lateErrors.delete(context);
    }
    if (travel.synchronizes) this.events();
    return 0;
  }

  #fillOut(slot: Slot, queue: DriverQueue<Slot>, out: IoctlData | undefined): boolean {
    const bytes = out?.length ?? 0;
    slot.head.length = P.REQUEST_SIZE;
    if (out === undefined || bytes === 0) return true;
    if (bytes <= SLOT_OUT_BYTES - P.REQUEST_SIZE) {
      slot.request.set(out, P.REQUEST_SIZE);
      slot.head.length = P.REQUEST_SIZE + bytes;
      return true;
    }
    const pages = this.dma.allocPages(bytes, queue.size / 2 - 2);
    if (pages === undefined) return false;
    let at = 0;
    for (const { address, length } of pages) {
      this.memory.bytes(address, length).set(out.subarray(at, at + length));
      at += length;
    }
    slot.pages.push(...pages);
    slot.out = [slot.head, ...pages];
    return true;
  }

  #makeRoom(slot: Slot, queue: DriverQueue<Slot>, room: number): boolean {
    slot.tail.length = Math.min(room, SLOT_IN_BYTES);
    if (room <= SLOT_IN_BYTES) return true;
    const pages = this.dma.allocPages(room - SLOT_IN_BYTES, queue.size / 2 - 2);
    if (pages === undefined) return false;
    slot.pages.push(...pages);
    slot.into = [slot.tail, ...pages];
    return true;
  }

  #await(queue: DriverQueue<Slot>, slot: Slot): number {
    for (;;) {
      const done = virtqueueGetBuf(queue);
      if (done !== undefined) {
        if (done.abandoned) this.#takeBack(done);
        else done.used = queue.usedLength;
      }
      if (slot.used >= 0) return 0;
      if (done !== undefined) continue;
      if (virtqueueIsBroken(queue) || this.transport.status() & STATUS_NEEDS_RESET) {
        this.#breakAll();
        return -EIO;
      }
      if (this.events()) continue;
      if (!this.transport.wait()) {
        slot.abandoned = true;
        // A device beside us is gone; one in this thread has done all that it could.
        if (!this.transport.concurrent) return -EDEADLK;
        this.#breakAll();
        return -EIO;
      }
    }
  }

  /** Waits until at most `most` launches are on their way. @returns 0, or -EIO */
  #drain(most: number): number {
    const queue = this.#stream;
    for (;;) {
      const done = virtqueueGetBuf(queue);
      if (done !== undefined) {
        if (done.abandoned) this.#takeBack(done);
        else done.used = queue.usedLength;
      } else if (this.#pipeline!.inFlight <= most) {
        return 0;
      } else if (virtqueueIsBroken(queue) || this.transport.status() & STATUS_NEEDS_RESET) {
        this.#breakAll();
        return -EIO;
      } else if (!this.events() && !this.transport.wait()) {
        return -EIO;
      }
    }
  }

  /** A slot that nobody waits for came back. */
  #takeBack(slot: Slot): void {
    const pipeline = this.#pipeline;
    if (slot.launch && pipeline !== undefined) {
      pipeline.inFlight--;
      const error = slot.response.getUint32(P.RESPONSE_ERROR, true);
      const context = slot.requestWords[P.REQUEST_CONTEXT >> 2] ?? 0;
      if (error !== 0 && !pipeline.lateErrors.has(context)) pipeline.lateErrors.set(context, error);
    }
    this.dma.giveSlot(slot);
  }

  #copyOut(slot: Slot, shape: CommandShape, arg: DataView, into: IoctlData | undefined): void {
    const { response, used } = slot;
    // A device that wrote nothing had no room for its header: this driver always gives it.
    for (let at = 0; at < shape.responseBytes; at += 4) {
      arg.setUint32(P.ARG_RESPONSE + at, at < used ? response.getUint32(at, true) : 0, true);
    }
    let left = used - shape.responseBytes;
    if (into === undefined || left <= 0) return;
    let at = shape.responseBytes;
    let done = 0;
    for (const { address, length } of slot.into) {
      const part = Math.min(left, length - at);
      into.set(this.memory.bytes(address + at, part), done);
      done += part;
      left -= part;
      at = 0;
      if (left === 0) break;
    }
  }

  #breakAll(): void {
    for (const queue of [this.#control, this.#stream]) virtqueueBreakDevice(queue);
    this.#events?.breakQueue();
  }

  /**
   * Takes what the device has put into the event queue and hands it on, in order.
   * @returns true if there was anything
   */
  events(): boolean {
    return this.#events?.deliver(this.onEvent) ?? false;
  }
}
