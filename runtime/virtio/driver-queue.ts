// The driver's side of a virtqueue, by Linux's names. Rings and scatterlists are checked and walked
// in the core; tokens (what the caller wants back for a buffer) are kept here.

import { type AccessLog, type CoreDriver, coreDriver, instantiateCore } from "./core.ts";
import { BROKEN_BY_DRIVER, DESC_SIZE, EINVAL, WORK_ERROR_DETAIL, WORK_LENGTH } from "./defs.ts";
import { brokenText } from "./errors.ts";
import {
  ringFeatures,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_NOTIFICATION_DATA,
  VIRTIO_F_RING_PACKED,
} from "./features.ts";
import { driverWorkspace, type QueueLayout, queueLayout } from "./layout.ts";

/** One element of a buffer: an address that the device understands, and bytes. */
export interface Scatterlist {
  readonly address: number;
  readonly length: number;
}

/** How to make the driver's side of a queue. */
export interface DriverQueueOptions {
  readonly core: WebAssembly.Module;
  /** Shared linear memory. */
  readonly memory: WebAssembly.Memory;
  readonly index: number;
  /** Descriptors. */
  readonly size: number;
  /** Linear address of queueLayout().bytes bytes, aligned to queueLayout().align. */
  readonly base: number;
  /** Guest address minus linear address of `base`; 0, the default, in this process. */
  readonly guestOffset?: number;
  /** Linear address of driverWorkspaceBytes() bytes, 16-aligned, that only this side uses. */
  readonly workspace: number;
  /** Negotiated feature bits. */
  readonly features: bigint;
  /** Descriptors of each buffer's indirect table, as given to queueLayout(). */
  readonly indirect?: number;
  /**
   * Tells the device of new buffers. `data` is the value of a notification with data (§2.9): the
   * queue's index in its low 16 bits and, with VIRTIO_F_NOTIFICATION_DATA, the next position.
   * Returns `false` if the device is gone, which breaks the queue; anything else is success.
   */
  readonly notify: (index: number, data: number) => unknown;
  /** Called by vringInterrupt when used buffers are there. */
  readonly callback?: (vq: DriverQueue<never>) => void;
  /** With the debug core: receives each access to the rings. */
  readonly log?: AccessLog;
}

/** The driver's side of one virtqueue, split or packed; a token belongs to each buffer. */
export class DriverQueue<Token> {
  readonly index: number;
  readonly packed: boolean;
  readonly features: bigint;
  /** Bytes that the device wrote into the buffer that virtqueueGetBuf returned last. */
  usedLength = 0;
  /** @internal */
  ring!: CoreDriver;
  /** @internal */
  words!: Uint32Array;
  /** @internal Scatterlist area: 4 words an element. */
  staging!: Uint32Array;
  /** @internal */
  tokens: (Token | undefined)[] = [];
  #size: number;
  #layout!: QueueLayout;
  readonly #options: DriverQueueOptions;
  readonly #withData: boolean;

  /**
   * Lays the queue out at `base`, zeroed (§2.7.6, §2.8.13: rings start at zero).
   * @throws RangeError if the size is not a legal one or an address is misaligned
   */
  constructor(options: DriverQueueOptions) {
    this.#options = options;
    this.index = options.index;
    this.features = options.features;
    this.packed = (options.features & VIRTIO_F_RING_PACKED) !== 0n;
    this.#withData = (options.features & VIRTIO_F_NOTIFICATION_DATA) !== 0n;
    this.#size = options.size;
    this.#start();
  }

  #start(): void {
    const { core, memory, base, workspace, features, log } = this.#options;
    const indirect = this.#options.indirect ?? 0;
    const shape = { size: this.#size, packed: this.packed, indirect };
    const layout = queueLayout(shape);
    const areas = driverWorkspace(shape);
    if (base % layout.align !== 0)
      throw new RangeError(`queue at ${base}, not ${layout.align}-aligned`);
    if (workspace % 16 !== 0) throw new RangeError(`workspace at ${workspace}, not 16-aligned`);
    this.#layout = layout;
    new Uint8Array(memory.buffer, base, layout.bytes).fill(0);
    this.words = new Uint32Array(memory.buffer, workspace, 16);
    this.staging = new Uint32Array(memory.buffer, workspace + areas.staging, 4 * areas.elements);
    this.tokens = new Array<Token | undefined>(this.#size).fill(undefined);
    const instance = instantiateCore(core, memory, log);
    this.ring = coreDriver(instance, this.packed);
    this.ring.init(
      this.#size,
      base + layout.descriptors,
      base + layout.driver,
      base + layout.device,
      ringFeatures(features),
      workspace,
      workspace + areas.staging,
      workspace + areas.shadow,
    );
    if (indirect > 0 && features & VIRTIO_F_INDIRECT_DESC) {
      const tables = base + layout.indirect;
      this.ring.setIndirect(tables, BigInt(this.toGuest(tables)), indirect);
    }
  }

  /** Descriptors. */
  get size(): number {
    return this.#size;
  }

  /** Free descriptors. */
  get free(): number {
    return this.ring.free();
  }

  /** Guest addresses of the three areas, for the transport. */
  get addresses(): { desc: number; driver: number; device: number } {
    const { base } = this.#options;
    return {
      desc: this.toGuest(base + this.#layout.descriptors),
      driver: this.toGuest(base + this.#layout.driver),
      device: this.toGuest(base + this.#layout.device),
    };
  }

  /** Why the queue is broken; empty if it is not. */
  get error(): string {
    const reason = this.ring.broken();
    return reason === 0 ? "" : brokenText(reason, this.words[WORK_ERROR_DETAIL >>> 2]!);
  }

  /** @internal */
  toGuest(linear: number): number {
    return linear + (this.#options.guestOffset ?? 0);
  }

  /** @internal Value of a notification of this queue (§2.9). */
  notificationData(): number {
    const position = this.#withData ? this.ring.notificationData() : 0;
    return (this.index | (position << 16)) >>> 0;
  }

  /** @internal */
  notifyDevice(): boolean {
    return this.#options.notify(this.index, this.notificationData()) !== false;
  }

  /** @internal */
  runCallback(): void {
    this.#options.callback?.(this as unknown as DriverQueue<never>);
  }

  /** @internal Starts afresh, with `size` descriptors (virtqueueReset, virtqueueResize). */
  restart(size: number): void {
    const layout = queueLayout({
      size,
      packed: this.packed,
      indirect: this.#options.indirect ?? 0,
    });
    if (layout.bytes > this.#reserved().bytes) throw new RangeError("larger than it was laid out");
    this.#size = size;
    this.#start();
  }

  /** The room that was laid out: that of the size given at first. */
  #reserved(): QueueLayout {
    const { size, indirect } = this.#options;
    return queueLayout({ size, packed: this.packed, indirect: indirect ?? 0 });
  }
}

/** A scatterlist element. @param address guest address @param length bytes, not 0 */
export function sgInitOne(address: number, length: number): Scatterlist {
  return { address, length };
}

/**
 * Adds a buffer: what the device reads, then what it writes (§2.7.4.2). It is made visible to the
 * device by the next kick.
 * @returns 0, -ENOSPC (not enough free descriptors), -EINVAL (no elements, an empty one, more than
 *   the queue can ever hold, or no token), -EIO (queue broken)
 */
export function virtqueueAddSgs<Token>(
  vq: DriverQueue<Token>,
  out: readonly Scatterlist[],
  into: readonly Scatterlist[],
  token: Token,
): number {
  const outCount = out.length;
  const total = outCount + into.length;
  const { staging } = vq;
  if (token === undefined || 4 * total > staging.length) return -EINVAL;
  for (let i = 0; i < total; i++) {
    const { address, length } = i < outCount ? out[i]! : into[i - outCount]!;
    if (!(address >= 0 && length > 0 && length <= 0xffffffff)) return -EINVAL;
    const at = (i * DESC_SIZE) >>> 2;
    staging[at] = address;
    staging[at + 1] = address / 0x100000000;
    staging[at + 2] = length;
  }
  const head = vq.ring.add(outCount, into.length);
  if (head < 0) return head;
  vq.tokens[head] = token;
  return 0;
}

/** Adds a buffer that the device only reads. See virtqueueAddSgs. */
export function virtqueueAddOutbuf<Token>(
  vq: DriverQueue<Token>,
  out: readonly Scatterlist[],
  token: Token,
): number {
  return virtqueueAddSgs(vq, out, [], token);
}

/** Adds a buffer that the device only writes. See virtqueueAddSgs. */
export function virtqueueAddInbuf<Token>(
  vq: DriverQueue<Token>,
  into: readonly Scatterlist[],
  token: Token,
): number {
  return virtqueueAddSgs(vq, [], into, token);
}

/** Makes added buffers visible. @returns whether the device wants a notification (§2.7.10.1) */
export function virtqueueKickPrepare<Token>(vq: DriverQueue<Token>): boolean {
  return vq.ring.kickPrepare() !== 0;
}

/** Notifies the device. @returns false if the queue is broken, or breaks because that fails */
export function virtqueueNotify<Token>(vq: DriverQueue<Token>): boolean {
  return vq.ring.broken() === 0 && notify(vq);
}

function notify<Token>(vq: DriverQueue<Token>): boolean {
  if (vq.notifyDevice()) return true;
  vq.ring.breakQueue(BROKEN_BY_DRIVER, 0);
  return false;
}

/** virtqueueKickPrepare and, if wanted, virtqueueNotify. @returns false if the queue is broken */
export function virtqueueKick<Token>(vq: DriverQueue<Token>): boolean {
  return vq.ring.kickPrepare() === 0 || notify(vq);
}

/**
 * Takes a used buffer back.
 * @returns its token, or nothing if none is used or the queue is broken; `vq.usedLength` says how
 *   many bytes the device wrote
 */
export function virtqueueGetBuf<Token>(vq: DriverQueue<Token>): Token | undefined {
  const head = vq.ring.get();
  if (head < 0) return undefined;
  vq.usedLength = vq.words[WORK_LENGTH >>> 2]!;
  const token = vq.tokens[head];
  vq.tokens[head] = undefined;
  return token;
}

/** Asks for no more callbacks: a hint, they may come all the same (§2.7.7.1). */
export function virtqueueDisableCb<Token>(vq: DriverQueue<Token>): void {
  vq.ring.disableCallbacks();
}

/** Asks for callbacks again; the result is for virtqueuePoll. */
export function virtqueueEnableCbPrepare<Token>(vq: DriverQueue<Token>): number {
  return vq.ring.enableCallbacks();
}

/** Has a buffer been used since virtqueueEnableCbPrepare returned `mark`? */
export function virtqueuePoll<Token>(vq: DriverQueue<Token>, mark: number): boolean {
  return vq.ring.poll(mark) !== 0;
}

/** Asks for callbacks again. @returns false if used buffers are waiting already: take them first */
export function virtqueueEnableCb<Token>(vq: DriverQueue<Token>): boolean {
  return !virtqueuePoll(vq, virtqueueEnableCbPrepare(vq));
}

/** Asks for a callback once most of what is in flight is used. @returns false as enableCb */
export function virtqueueEnableCbDelayed<Token>(vq: DriverQueue<Token>): boolean {
  return vq.ring.enableCallbacksDelayed() !== 0;
}

/** After a reset of device or queue: takes back a buffer that was never used, one a call. */
export function virtqueueDetachUnusedBuf<Token>(vq: DriverQueue<Token>): Token | undefined {
  const head = vq.ring.detachUnused();
  if (head < 0) return undefined;
  const token = vq.tokens[head];
  vq.tokens[head] = undefined;
  return token;
}

/** Has the device done something impossible, or the driver given up on it? */
export function virtqueueIsBroken<Token>(vq: DriverQueue<Token>): boolean {
  return vq.ring.broken() !== 0;
}

/** Gives up on the queue (virtio_break_device does it for each of a device). */
export function virtqueueBreakDevice<Token>(vq: DriverQueue<Token>): void {
  vq.ring.breakQueue(BROKEN_BY_DRIVER, 0);
}

/**
 * The device's notification arrived: runs the callback if used buffers are there.
 * @returns false if there was nothing to do (a spurious notification, §2.7.7.1, or a broken queue)
 */
export function vringInterrupt<Token>(vq: DriverQueue<Token>): boolean {
  if (vq.ring.broken() !== 0 || vq.ring.more() === 0) return false;
  vq.runCallback();
  return true;
}

/**
 * Resets the driver's side: all buffers come back through `recycle`, and the ring starts at zero.
 * The device's side must have been reset first (§2.6.1).
 */
export function virtqueueReset<Token>(
  vq: DriverQueue<Token>,
  recycle?: (token: Token) => void,
): void {
  virtqueueResize(vq, vq.size, recycle);
}

/**
 * Resets the driver's side with another size, at most the one it was laid out for.
 * @throws RangeError if the size is not a legal one or larger than that
 */
export function virtqueueResize<Token>(
  vq: DriverQueue<Token>,
  size: number,
  recycle?: (token: Token) => void,
): void {
  for (;;) {
    const token = virtqueueDetachUnusedBuf(vq);
    if (token === undefined) break;
    recycle?.(token);
  }
  vq.restart(size);
}
