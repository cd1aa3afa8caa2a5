/**
 * What a device in a Worker and the host threads that drive it share besides guest memory: a page
 * of registers, where virtio-mmio would have its own (virtio 1.3 §4.2.2). It is a SharedArrayBuffer
 * outside guest memory, so that no kernel can write to it. Indices are of 32-bit words.
 *
 *   BELL            ↑ whenever the device has something to look at; it sleeps on it
 *   NOTIFIED        bit q: queue q was notified
 *   STATUS          the status field, kept current by the device
 *   STOP            not 0: the machine is closed, or its device is gone
 *   LOCK            held by the host thread that uses the mailbox
 *   MAIL            0 free, 1 a request is there, 2 its answer is
 *   OPERATION       OP_*
 *   WORDS           arguments, then results
 *   GROUP_BELL + g  ↑ whenever the device has used buffers of group g, or changed STATUS
 *   GROUP_TAKEN + g 1 while a host thread owns queue group g
 */
import { MAX_QUEUE_GROUPS } from "../protocol/definitions.ts";

export const BELL = 0;
export const NOTIFIED = 1;
export const STATUS = 2;
export const STOP = 3;
export const LOCK = 4;
export const MAIL = 5;
export const OPERATION = 6;
export const WORDS = 8;
export const WORD_COUNT = 24;
export const GROUP_BELL = WORDS + WORD_COUNT;
export const GROUP_TAKEN = GROUP_BELL + MAX_QUEUE_GROUPS;
export const REGISTER_WORDS = GROUP_TAKEN + MAX_QUEUE_GROUPS;

export const MAIL_FREE = 0;
export const MAIL_REQUEST = 1;
export const MAIL_ANSWER = 2;

export const OP_DEVICE_FEATURES = 1; // → low, high
export const OP_DRIVER_FEATURES = 2; // low, high
export const OP_NEGOTIATED = 3; // → DRIVER_OK?, low, high
export const OP_STATUS = 4; // status
export const OP_CONFIG = 5; // → the config space
export const OP_QUEUE_SIZE = 6; // queue → largest size
export const OP_ENABLE = 7; // queue, size, desc, driver, device
export const OP_RESET = 8; // queue

/** How long to spin before sleeping: a sleep and a wake-up cost 6 to 24 µs. */
export const SPIN_ROUNDS = 2000;

/** @returns a page of registers, all 0 */
export function newRegisters(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * REGISTER_WORDS));
}
