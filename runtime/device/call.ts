/**
 * One request while it is being handled: its private copy (a guest that changes it meanwhile
 * changes nothing), the response being filled, and the variable parts in the guest's buffers.
 */
import {
  REQUEST_CONTEXT,
  REQUEST_STREAM,
  REQUEST_THREAD,
  RESPONSE_DETAIL,
  RESPONSE_ERROR,
  RESPONSE_HEADER_SIZE,
} from "../protocol/definitions.ts";
import { readU64, writeU64 } from "../protocol/fields.ts";
import type { DeviceQueue, VirtQueueElement } from "../virtio/index.ts";
import { iovFromBuf, iovSize, iovToBuf, virtioNotify, virtqueuePush } from "../virtio/index.ts";
import type { Context } from "./context.ts";
import type { QueueGroup } from "./groups.ts";
import type { RequestSource } from "./source.ts";
import type { Stream } from "./stream.ts";

/** What a handler returns when the answer comes later, by `Answer.send`. */
export const LATER = -1;

/** The request that a command handler works on. The object is reused from request to request. */
export class Call implements RequestSource {
  group!: QueueGroup;
  queue!: DeviceQueue;
  element!: VirtQueueElement;
  /** The context that the request names; set for commands that need one. */
  context!: Context;
  /** Bytes of the response: the fixed part, and what `writeOutput` added. */
  responseBytes = 0;
  request!: DataView;
  response!: DataView;

  /** A u32 field of the request. */
  u32(field: number): number {
    return this.request.getUint32(field, true);
  }

  /** A u64 field, exact below 2⁵³. */
  u64(field: number): number {
    return readU64(this.request, field);
  }

  /** The caller's thread id. */
  get thread(): number {
    return this.request.getUint32(REQUEST_THREAD, true);
  }

  get contextHandle(): number {
    return this.request.getUint32(REQUEST_CONTEXT, true);
  }

  /** The stream that the request names, or undefined. */
  stream(): Stream | undefined {
    return this.context.stream(this.request.getUint32(REQUEST_STREAM, true), this.thread);
  }

  set32(field: number, value: number): void {
    this.response.setUint32(field, value, true);
  }

  set64(field: number, value: number): void {
    writeU64(this.response, field, value);
  }

  /** Why the request itself is wrong (DETAIL_*). */
  detail(reason: number): void {
    this.response.setUint32(RESPONSE_DETAIL, reason, true);
  }

  /** Bytes that follow the fixed request. */
  get inputBytes(): number {
    return iovSize(this.element.out);
  }

  /**
   * Copies from what follows the fixed request. Into an array the bytes go by way of the queue's
   * bounce buffer, where the copy of the fixed request is too: read its fields before.
   * @param offset in it
   * @param target a view, or an offset in the linear memory that the caller has checked
   * @returns bytes copied
   */
  readInput(offset: number, target: Uint8Array | number, bytes: number): number {
    return iovToBuf(this.element.out, offset, target, bytes);
  }

  /** Bytes that can follow the fixed response of `fixed` bytes. */
  outputRoom(fixed: number): number {
    return Math.max(0, iovSize(this.element.in) - fixed);
  }

  /**
   * Copies to behind the fixed response and makes the answer longer by it.
   * @param source a view, or an offset in the linear memory that the caller has checked
   * @returns bytes copied: fewer than `bytes` if there is no more room
   */
  writeOutput(source: Uint8Array | number, bytes: number): number {
    const copied = iovFromBuf(this.element.in, this.responseBytes, source, bytes);
    this.responseBytes += copied;
    return copied;
  }

  /** Keeps what is needed to answer after the handler has returned. */
  later(): Answer {
    return new Answer(this.group, this.queue, this.element, this.responseBytes);
  }
}

/** A response that was put off. */
export class Answer {
  readonly group: QueueGroup;
  readonly element: VirtQueueElement;
  readonly #queue: DeviceQueue;
  /** Bytes of the whole response. */
  bytes: number;
  readonly #header = new DataView(new ArrayBuffer(RESPONSE_HEADER_SIZE));

  constructor(group: QueueGroup, queue: DeviceQueue, element: VirtQueueElement, bytes: number) {
    this.group = group;
    this.#queue = queue;
    this.element = element;
    this.bytes = bytes;
  }

  /**
   * Copies to behind what the response has so far.
   * @param source an offset in the linear memory that the caller has checked
   */
  write(source: number, bytes: number): void {
    if (this.group.reset) return;
    this.bytes += iovFromBuf(this.element.in, this.bytes, source, bytes);
  }

  /** Sends the response. Only commands without fixed fields of their own are answered late. */
  send(error: number): void {
    if (this.group.reset) return;
    this.#header.setUint32(RESPONSE_ERROR, error, true);
    iovFromBuf(this.element.in, 0, new Uint8Array(this.#header.buffer), RESPONSE_HEADER_SIZE);
    virtqueuePush(this.#queue, this.element, this.bytes);
    virtioNotify(this.#queue);
  }
}
