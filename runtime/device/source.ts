/** A stream-ordered request, however it came: just now in a queue, or recorded in a graph's node. */

import type { GuestMemory } from "../memory/index.ts";
import {
  REQUEST_COMMAND,
  REQUEST_SIZE,
  REQUEST_STREAM,
  REQUEST_THREAD,
} from "../protocol/definitions.ts";
import { readU64 } from "../protocol/fields.ts";
import type { Context } from "./context.ts";
import type { QueueGroup } from "./groups.ts";

/** What turning a request into work needs of it. */
export interface RequestSource {
  readonly context: Context;
  /** The host thread that it concerns (host functions are called there). */
  readonly group: QueueGroup;
  u32(field: number): number;
  u64(field: number): number;
  /** Bytes of the variable part. */
  readonly inputBytes: number;
  /** Copies from the variable part to an array or a checked linear address. */
  readInput(offset: number, target: Uint8Array | number, bytes: number): number;
  /** Says what is wrong with the request (DETAIL_*). */
  detail(reason: number): void;
}

/** A request in a node. */
export class RecordedRequest implements RequestSource {
  readonly context: Context;
  readonly group: QueueGroup;
  readonly #memory: GuestMemory;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** @param bytes REQUEST_SIZE bytes and the variable part */
  constructor(memory: GuestMemory, context: Context, group: QueueGroup, bytes: Uint8Array) {
    this.#memory = memory;
    this.context = context;
    this.group = group;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(field: number): number {
    return this.#view.getUint32(field, true);
  }

  u64(field: number): number {
    return readU64(this.#view, field);
  }

  get inputBytes(): number {
    return this.#bytes.length - REQUEST_SIZE;
  }

  readInput(offset: number, target: Uint8Array | number, bytes: number): number {
    const from = REQUEST_SIZE + offset;
    const part = this.#bytes.subarray(from, from + bytes);
    if (typeof target === "number") this.#memory.u8.set(part, target);
    else target.set(part);
    return part.length;
  }

  detail(): void {}
}

/** Takes out of a request what is the launch's own. */
export function anonymous(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(REQUEST_STREAM, 0, true);
  view.setUint32(REQUEST_THREAD, 0, true);
  return bytes;
}

/** @returns the command number of a recorded request */
export function recordedCommand(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(REQUEST_COMMAND, true);
}
