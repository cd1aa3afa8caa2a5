// What the two threads of the stress test agree on.

import { RAM_END, RAM_START } from "../ram.ts";

/** One run: `count` requests through one queue. */
export interface StressTask {
  readonly side: "driver" | "device";
  readonly memory: WebAssembly.Memory;
  readonly core: WebAssembly.Module;
  readonly features: bigint;
  readonly size: number;
  readonly count: number;
}

/** What a side reports at the end, or after each million. */
export interface StressReport {
  readonly side: "driver" | "device";
  readonly done: number;
  readonly finished: boolean;
  readonly error: string;
  /** How often it went to sleep, and how often it notified. */
  readonly sleeps: number;
  readonly notifications: number;
}

export const REPORT_EVERY = 1 << 18;
export const QUEUE_BASE = RAM_START;
export const SLOTS = RAM_START + 0x100000;
export const SLOT_BYTES = 64;
/** Words of a request and of a response. */
export const WORDS = 4;
export const RESPONSE_AT = 32;
export const DRIVER_WORKSPACE = RAM_END;
export const DEVICE_WORKSPACE = RAM_END + 0x40000;
export const DEVICE_BELL = RAM_END + 0x80000;
export const DRIVER_BELL = DEVICE_BELL + 64;
/** A wake-up that takes longer than this is lost. */
export const LOST_MS = 20_000;

/** The words of request `sequence`: each depends on it, so that a torn one is seen. */
export function requestWord(sequence: number, word: number): number {
  return (Math.imul(sequence + word, 0x9e3779b1) ^ (word << 28)) >>> 0;
}

/** The words of the response to it. */
export function responseWord(sequence: number, word: number): number {
  return (Math.imul(sequence ^ word, 0x85ebca6b) + word) >>> 0;
}
