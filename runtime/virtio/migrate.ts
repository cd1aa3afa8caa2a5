// Saving a queue and going on elsewhere: what the device's side knows beyond guest memory.

import { BROKEN_ADDRESS } from "./defs.ts";
import { type DeviceQueue, OPEN, VirtQueueElement } from "./device-queue.ts";
import { segmentWord } from "./iov.ts";
import { translate, untranslate } from "./regions.ts";
import type { QueueSetup } from "./transport-options.ts";

/** A buffer in flight; its segments by guest address, since linear ones end with the process. */
export interface ElementState {
  readonly index: number;
  readonly ndescs: number;
  readonly headerLength: number;
  /** First segment and number of segments of what is left to read, and to write. */
  readonly out: readonly [number, number];
  readonly in: readonly [number, number];
  /** Number of readable segments at pop: those before are readable, the others writable. */
  readonly readable: number;
  readonly segments: readonly (readonly [guest: number, length: number])[];
}

/** An enabled queue; plain data that JSON and structured clone carry. */
export interface QueueState {
  /** BROKEN_*, 0 if it is not. */
  readonly broken: number;
  /** Cursors and flags of the core: splitDeviceState, packedDeviceState. */
  readonly words: readonly number[];
  readonly elements: readonly ElementState[];
}

/** A device; plain data, features in hexadecimal. */
export interface DeviceState {
  readonly status: number;
  readonly driverFeatures: string;
  readonly generation: number;
  /** SUSPEND was asked for, and buffers are still in flight. */
  readonly suspending: boolean;
  readonly configChanged: boolean;
  readonly config: readonly number[];
  /** By index: what the driver has written, and the queue; null where it is not enabled. */
  readonly queues: readonly { readonly setup: QueueSetup; readonly queue: QueueState | null }[];
}

const STATE_WORDS = 6;

/**
 * Saves a queue.
 * @param elements those in flight, in the order of pop, none of them filled
 * @throws Error if these are not all, or one is staged already: flush first
 */
export function saveQueue(vq: DeviceQueue, elements: readonly VirtQueueElement[]): QueueState {
  if (elements.length !== vq.inFlight || vq.staged.length > 0) {
    throw new Error(`${vq.inFlight} buffers in flight, ${elements.length} to be saved`);
  }
  const words = Array.from({ length: STATE_WORDS }, (_, word) => vq.ring.state(word));
  const saved = elements.map((element) => saveElement(vq, element));
  return { broken: vq.ring.broken(), words, elements: saved };
}

function saveElement(vq: DeviceQueue, element: VirtQueueElement): ElementState {
  if (element.queue !== vq || element.state !== OPEN) throw new Error("not a buffer in flight");
  vq.makeResident(element.out);
  const segments: [number, number][] = [];
  for (let i = 0; i < element.segments; i++) {
    const at = segmentWord(i);
    segments.push([untranslate(vq.regions, vq.words[at]!), vq.words[at + 1]!]);
  }
  return {
    index: element.index,
    ndescs: element.ndescs,
    headerLength: element.headerLength,
    out: [element.out.first, element.out.count],
    in: [element.in.first, element.in.count],
    readable: element.readable,
    segments,
  };
}

/**
 * Goes on with a saved queue in a new DeviceQueue of the same set-up.
 * @returns the buffers in flight; a segment that this guest's memory does not have breaks the queue
 */
export function restoreQueue(vq: DeviceQueue, state: QueueState): VirtQueueElement[] {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = state.words;
  vq.ring.restore(a, b, c, d, e, f);
  if (state.broken !== 0) vq.restoreBroken(state.broken);
  return state.elements.map((saved) => {
    const element = new VirtQueueElement(
      vq,
      saved.index,
      saved.ndescs,
      saved.readable,
      saved.segments.length - saved.readable,
    );
    const words = new Uint32Array(2 * saved.segments.length);
    for (const [i, [guest, length]] of saved.segments.entries()) {
      const linear = translate(vq.regions, guest, length, i >= saved.readable);
      if (linear < 0) vq.breakQueue(BROKEN_ADDRESS, i);
      else words.set([linear, length], 2 * i);
    }
    [element.out.first, element.out.count] = saved.out;
    [element.in.first, element.in.count] = saved.in;
    element.headerLength = saved.headerLength;
    vq.adoptSaved(element, words);
    return element;
  });
}
