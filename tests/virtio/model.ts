// A plain model of a virtqueue, driven beside the real one: random interleavings of a driver and a
// device in one thread. The model knows nothing of rings: it keeps lists of buffers.

import assert from "node:assert/strict";
import {
  EINVAL,
  ENOSPC,
  iovFromBuf,
  iovSize,
  iovToBuf,
  sgInitOne,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  type VirtQueueElement,
  virtioNotify,
  virtqueueAddSgs,
  virtqueueDisableCb,
  virtqueueEnableCb,
  virtqueueFill,
  virtqueueFlush,
  virtqueueGetBuf,
  virtqueueKickPrepare,
  virtqueuePop,
  virtqueuePopRequest,
  virtqueuePush,
  virtqueuePushResponse,
  virtqueueSetNotification,
  virtqueueUnpop,
} from "../../runtime/virtio/index.ts";
import { BUFFERS, makeRig, type Rig } from "./rig.ts";

const SLOT_BYTES = 128;
const SLOTS = 4096;
const HEADER = 8;
const INDIRECT = 6;

/** A buffer as the model knows it. */
interface Buffer {
  readonly token: number;
  readonly descriptors: number;
  readonly outBytes: number;
  readonly inBytes: number;
  element?: VirtQueueElement;
  written: number;
  /** In order: given back, but held until those before it are. */
  done: boolean;
}

/** Runs `steps` (one number is one step) on a queue; throws at the first difference. */
export function runModel(
  features: bigint,
  size: number,
  steps: Uint32Array,
  memory?: WebAssembly.Memory,
): void {
  const model = new Model(
    makeRig({ size, features, indirect: INDIRECT, ...(memory && { memory }) }),
  );
  for (const [i, step] of steps.entries()) {
    try {
      model.step(step);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      throw new Error(`step ${i} of ${steps.length} (${step}): ${detail}`);
    }
  }
  model.drain();
}

class Model {
  readonly #rig: Rig;
  readonly #indirect: boolean;
  readonly #inOrder: boolean;
  readonly #eventIdx: boolean;
  readonly #packed: boolean;
  #next = 1;
  #free: number;
  /** Added and not kicked; visible and not popped; popped; used and not taken. */
  readonly #added: Buffer[] = [];
  readonly #available: Buffer[] = [];
  readonly #popped: Buffer[] = [];
  readonly #used: Buffer[] = [];
  /** Did the side see an empty queue, and does it want to hear of the next entry? */
  #deviceSleeps = false;
  #driverSleeps = false;
  #callbacks = true;
  #notifications = true;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#free = rig.driver.size;
    this.#indirect = (rig.driver.features & VIRTIO_F_INDIRECT_DESC) !== 0n;
    this.#inOrder = (rig.driver.features & VIRTIO_F_IN_ORDER) !== 0n;
    this.#eventIdx = (rig.driver.features & VIRTIO_F_EVENT_IDX) !== 0n;
    this.#packed = (rig.driver.features & VIRTIO_F_RING_PACKED) !== 0n;
  }

  /** The low 4 bits choose what is done, the others how. */
  step(word: number): void {
    const how = word >>> 4;
    switch (word & 15) {
      case 0:
      case 1:
      case 2:
        this.#add(how);
        break;
      case 3:
      case 4:
        this.#kick();
        break;
      case 5:
      case 6:
        this.#pop(how);
        break;
      case 7:
      case 8:
        this.#push(how);
        break;
      case 9:
        this.#pushBatch(how);
        break;
      case 10:
      case 11:
      case 12:
        this.#get();
        break;
      case 13:
        this.#unpop();
        break;
      case 14:
        this.#toggleCallbacks(how);
        break;
      default:
        this.#toggleNotifications(how);
    }
  }

  /** Everything that is under way comes through to the driver, in the end. */
  drain(): void {
    this.#kick();
    while (this.#available.length + this.#popped.length + this.#used.length > 0) {
      while (this.#available.length > 0) this.#pop(0);
      while (this.#popped.some(({ done }) => !done)) this.#push(0);
      while (this.#used.length > 0) this.#get();
    }
    assert.equal(this.#free, this.#rig.driver.size);
    assert.equal(this.#rig.device.inFlight, 0);
    assert.deepEqual(this.#rig.errors, []);
  }

  #add(how: number): void {
    const { driver, view } = this.#rig;
    const outCount = 1 + (how & 3);
    const inCount = (how >> 2) & 3;
    const total = outCount + inCount;
    const token = this.#next;
    const at = BUFFERS + (token % SLOTS) * SLOT_BYTES;
    const out = Array.from({ length: outCount }, (_, i) =>
      sgInitOne(at + 16 * i, i === 0 ? HEADER : 1 + ((how >> (4 + i)) & 7)),
    );
    const into = Array.from({ length: inCount }, (_, i) =>
      sgInitOne(at + 64 + 16 * i, 1 + ((how >> (8 + i)) & 15)),
    );
    const table = this.#indirect && total > 1 && total <= INDIRECT;
    const descriptors = table ? 1 : total;
    let expected = 0;
    if (total > driver.size) expected = -EINVAL;
    else if (descriptors > this.#free) expected = -ENOSPC;
    assert.equal(virtqueueAddSgs(driver, out, into, token), expected, "add");
    if (expected !== 0) return;
    view.setUint32(at, token, true);
    view.setUint32(at + 4, ~token, true);
    this.#next++;
    this.#free -= descriptors;
    const sum = (list: typeof out) => list.reduce((bytes, { length }) => bytes + length, 0);
    this.#added.push({
      token,
      descriptors,
      outBytes: sum(out),
      inBytes: sum(into),
      written: 0,
      done: false,
    });
  }

  #kick(): void {
    const fresh = this.#added.length > 0;
    const wanted = virtqueueKickPrepare(this.#rig.driver);
    // A device that saw the queue empty and asked for a notification gets one.
    if (fresh && this.#deviceSleeps) assert.equal(wanted, true, "the device must be notified");
    if (!this.#notifications && (this.#packed || !this.#eventIdx)) {
      assert.equal(wanted, false, "the device must be left alone");
    }
    if (fresh) this.#deviceSleeps = false;
    this.#available.push(...this.#added.splice(0));
  }

  #pop(how: number): void {
    const { device } = this.#rig;
    const request = (how & 1) === 1;
    const element = request ? virtqueuePopRequest(device, HEADER) : virtqueuePop(device);
    const buffer = this.#available.shift();
    if (buffer === undefined) {
      assert.equal(element, undefined, "pop of an empty queue");
      this.#deviceSleeps = this.#notifications;
      return;
    }
    assert.ok(element, `pop: ${this.#rig.errors.join()}`);
    const header = new Uint8Array(HEADER);
    if (request) {
      header.set(new Uint8Array(device.header.buffer, device.header.byteOffset, HEADER));
      assert.equal(element.headerLength, HEADER);
    } else {
      assert.equal(iovToBuf(element.out, 0, header), HEADER);
    }
    const view = new DataView(header.buffer);
    assert.equal(view.getUint32(0, true), buffer.token, "token");
    assert.equal(view.getUint32(4, true), ~buffer.token >>> 0, "token's complement");
    assert.equal(iovSize(element.out), buffer.outBytes - (request ? HEADER : 0), "readable bytes");
    assert.equal(iovSize(element.in), buffer.inBytes, "writable bytes");
    buffer.element = element;
    this.#popped.push(buffer);
  }

  /** A popped buffer that was not given back; undefined if there is none. */
  #choose(how: number): Buffer | undefined {
    const open = this.#popped.filter(({ done }) => !done);
    return open[how % Math.max(1, open.length)];
  }

  #push(how: number): void {
    const buffer = this.#choose(how);
    if (buffer?.element === undefined) return;
    const { device } = this.#rig;
    const length = Math.min(buffer.inBytes, (how >> 8) & 63);
    const bytes = new Uint8Array(length).fill(buffer.token & 0xff);
    buffer.written = length;
    const before = this.#rig.interrupts.length;
    if ((how >> 16) & 1) {
      for (let i = 0; i < length; i++) device.response.setUint8(i, bytes[i] ?? 0);
      virtqueuePushResponse(buffer.element, length);
    } else {
      assert.equal(iovFromBuf(buffer.element.in, 0, bytes), length);
      virtqueuePush(device, buffer.element, length);
      virtioNotify(device);
    }
    this.#finish([buffer], this.#rig.interrupts.length > before);
  }

  #pushBatch(how: number): void {
    const open = this.#popped.filter(({ done }) => !done);
    if (how & 1) open.reverse();
    const batch = open.slice(0, 1 + ((how >> 1) & 7));
    if (batch.length === 0) return;
    const { device } = this.#rig;
    for (const [i, buffer] of batch.entries()) {
      buffer.written = Math.min(buffer.inBytes, 4);
      const bytes = new Uint8Array(buffer.written).fill(buffer.token & 0xff);
      iovFromBuf(buffer.element!.in, 0, bytes);
      virtqueueFill(device, buffer.element!, buffer.written, i);
    }
    const before = this.#rig.interrupts.length;
    virtqueueFlush(device, batch.length);
    virtioNotify(device);
    this.#finish(batch, this.#rig.interrupts.length > before);
  }

  #finish(batch: readonly Buffer[], notified: boolean): void {
    const visible: Buffer[] = [];
    for (const buffer of batch) buffer.done = true;
    if (this.#inOrder) {
      while (this.#popped[0]?.done) visible.push(this.#popped.shift()!);
    } else {
      for (const buffer of batch) {
        this.#popped.splice(this.#popped.indexOf(buffer), 1);
        visible.push(buffer);
      }
    }
    this.#used.push(...visible);
    if (visible.length > 0) {
      // A driver that saw nothing used, with callbacks on, is told.
      if (this.#driverSleeps) assert.equal(notified, true, "the driver must be notified");
      if (!this.#callbacks && (this.#packed || !this.#eventIdx)) {
        assert.equal(notified, false, "the driver must be left alone");
      }
      this.#driverSleeps = false;
    }
  }

  #get(): void {
    const { driver, u8 } = this.#rig;
    const token = virtqueueGetBuf(driver);
    const buffer = this.#used.shift();
    if (buffer === undefined) {
      assert.equal(token, undefined, "get from an empty queue");
      this.#driverSleeps = this.#callbacks;
      return;
    }
    assert.equal(token, buffer.token, "get");
    assert.equal(driver.usedLength, buffer.written, "used length");
    this.#free += buffer.descriptors;
    assert.equal(driver.free, this.#free, "free descriptors");
    if (buffer.written > 0) {
      const at = BUFFERS + (buffer.token % SLOTS) * SLOT_BYTES + 64;
      assert.equal(u8[at], buffer.token & 0xff, "response");
    }
  }

  /** Undoes the latest pop; in this model only if the latest is still open. */
  #unpop(): void {
    const latest = this.#popped.at(-1);
    if (latest?.element === undefined || latest.done) return;
    // Only the latest pop of all can be undone: later ones may have been given back already.
    if (latest.token !== this.#lastPopped()) return;
    virtqueueUnpop(this.#rig.device, latest.element);
    this.#popped.pop();
    this.#available.unshift(latest);
    this.#deviceSleeps = false;
  }

  /** Token of the latest buffer that left the available list. */
  #lastPopped(): number {
    const first = this.#available[0] ?? this.#added[0];
    return (first?.token ?? this.#next) - 1;
  }

  #toggleCallbacks(how: number): void {
    const { driver } = this.#rig;
    if (how & 1) {
      this.#callbacks = true;
      const nothing = virtqueueEnableCb(driver);
      assert.equal(nothing, this.#used.length === 0, "enable_cb");
      this.#driverSleeps = nothing;
    } else {
      this.#callbacks = false;
      this.#driverSleeps = false;
      virtqueueDisableCb(driver);
    }
  }

  #toggleNotifications(how: number): void {
    this.#notifications = (how & 1) === 1;
    this.#deviceSleeps = false;
    virtqueueSetNotification(this.#rig.device, this.#notifications);
    if (this.#notifications) this.#deviceSleeps = this.#available.length === 0;
  }
}
