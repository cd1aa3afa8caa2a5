/** The memory file of GET_INFLIGHT_FD and SET_INFLIGHT_FD: made, or taken back, and mapped. */
import type { DeviceQueue, QueueObserver, TakenChain } from "../virtio/index.ts";
import { InflightPacked, packedRegionBytes } from "./inflight-packed.ts";
import { InflightSplit, splitRegionBytes } from "./inflight-split.ts";
import {
  F_ADD_SEALS,
  F_GET_SEALS,
  F_SEAL_SHRINK,
  type Libc,
  MAP_SHARED,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  PROT_READ_WRITE,
  SEEK_END,
} from "./libc.ts";
import { TableError } from "./memory.ts";

/** Both messages: u64 bytes, u64 offset, u16 queues, u16 size of a queue. */
export const INFLIGHT_SIZE = 20;
const PAGE = 4096;
const MAX_QUEUE_SIZE = 1024;

/** Where a queue goes on, as virtqueueResume takes it. */
export interface InflightState {
  readonly base: number;
  readonly lost: readonly TakenChain[];
}

/** One queue's region of an area. */
export interface InflightRegion extends QueueObserver {
  /**
   * Reads what an earlier device has left, checks it, and makes the region new.
   * @param base where the frontend says that the queue goes on
   * @returns where it goes on, and the buffers that were in flight in the order in which they were
   *   taken; undefined if the region is not one of this queue
   */
  recover(base: number): InflightState | undefined;
}

/** A mapped area, with a region for each queue. */
export class InflightArea {
  readonly #libc: Libc;
  readonly #address: number;
  readonly #bytes: Uint8Array;
  readonly #mapped: number;
  readonly #queueSize: number;
  readonly #packed: boolean;
  readonly queues: number;

  /**
   * Makes the file.
   * @param wanted the frontend's GET_INFLIGHT_FD
   * @param packed the rings are packed ones
   * @returns its descriptor, which is the caller's to close, and the answer's payload
   * @throws TableError if there can be no such area
   */
  static create(libc: Libc, wanted: DataView, packed: boolean): { fd: number; answer: Uint8Array } {
    const { queues, queueSize } = shape(wanted);
    const bytes = Math.ceil((queues * regionBytes(queueSize, packed)) / PAGE) * PAGE;
    const name = new TextEncoder().encode("warpring-inflight\0");
    const fd = libc.call("memfd_create", name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) throw new TableError(`no memory file (errno ${-fd})`);
    if (
      libc.call("ftruncate", fd, bytes) < 0 ||
      libc.call("fcntl", fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0
    ) {
      libc.call("close", fd);
      throw new TableError(`no memory file of ${bytes} bytes`);
    }
    const answer = new DataView(new ArrayBuffer(INFLIGHT_SIZE));
    answer.setBigUint64(0, BigInt(bytes), true);
    answer.setUint16(16, queues, true);
    answer.setUint16(18, queueSize, true);
    return { fd, answer: new Uint8Array(answer.buffer) };
  }

  /**
   * Maps the file of a SET_INFLIGHT_FD.
   * @param fd stays the caller's
   * @param packed the rings are packed ones
   * @throws TableError if it could shrink, or is smaller than it says
   */
  constructor(libc: Libc, given: DataView, fd: number, packed: boolean) {
    const { queues, queueSize } = shape(given);
    const bytes = Number(given.getBigUint64(0, true));
    const offset = Number(given.getBigUint64(8, true));
    const seals = libc.call("fcntl", fd, F_GET_SEALS, 0);
    if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
      throw new TableError("the inflight file is not sealed with F_SEAL_SHRINK");
    }
    const sound = offset % PAGE === 0 && bytes >= queues * regionBytes(queueSize, packed);
    if (!sound || !(offset + bytes <= libc.call("lseek", fd, 0, SEEK_END))) {
      throw new TableError(
        `an inflight area of ${bytes} bytes for ${queues} queues of ${queueSize}`,
      );
    }
    const address = libc.call("mmap", 0, bytes, PROT_READ_WRITE, MAP_SHARED, fd, offset);
    if (address < 0) throw new TableError(`mapping the inflight area failed (errno ${-address})`);
    this.#libc = libc;
    this.#address = address;
    this.#mapped = bytes;
    this.#bytes = libc.view(address, bytes);
    this.#queueSize = queueSize;
    this.#packed = packed;
    this.queues = queues;
  }

  /**
   * The region of a queue; undefined if there is none, or the queue is larger.
   * @throws TableError if the area is one of the other kind of rings
   */
  queue(index: number, queue: DeviceQueue): InflightRegion | undefined {
    if (index >= this.queues || queue.size > this.#queueSize) return undefined;
    if (queue.packed !== this.#packed) {
      throw new TableError("the inflight area was set before the kind of rings was negotiated");
    }
    const each = regionBytes(this.#queueSize, this.#packed);
    const bytes = this.#bytes.subarray(index * each, (index + 1) * each);
    return this.#packed ? new InflightPacked(bytes, queue) : new InflightSplit(bytes, queue);
  }

  /** Takes the area out of this process. Its queues must not be used any more. */
  unmap(): void {
    this.#libc.call("munmap", this.#address, this.#mapped);
  }
}

function regionBytes(size: number, packed: boolean): number {
  return packed ? packedRegionBytes(size) : splitRegionBytes(size);
}

function shape(message: DataView): { queues: number; queueSize: number } {
  const queues = message.getUint16(16, true);
  const queueSize = message.getUint16(18, true);
  if (queues === 0 || queueSize === 0 || queueSize > MAX_QUEUE_SIZE) {
    throw new TableError(`an inflight area for ${queues} queues of ${queueSize}`);
  }
  return { queues, queueSize };
}
