// What host code does with the device's side of a queue: pop, push, notify, by QEMU's names.

import { RESULT_BROKEN, WORK_DROPPED, WORK_LENGTH } from "./defs.ts";
import {
  CLOSED,
  type DeviceQueue,
  FILLED,
  FLUSHED,
  OPEN,
  type TakenChain,
  type VirtQueueElement,
} from "./device-queue.ts";
import { iovFromBuf } from "./iov.ts";

/**
 * Takes the next chain that the driver made available. Malformed ones break the queue.
 * Drain a queue until this returns nothing before you wait for the driver's next notification.
 * @returns the element, or nothing if there is none or the queue is broken
 */
export function virtqueuePop(vq: DeviceQueue): VirtQueueElement | undefined {
  vq.spill();
  const head = vq.ring.pop();
  if (head >= 0) return vq.adopt(head);
  if (head === RESULT_BROKEN) vq.reportBroken();
  return undefined;
}

/**
 * Pop, iovToBuf and iovDiscardFront in one call: the first bytes of the request are in `vq.header`
 * (a private copy: the guest can't change it any more), and `element.out` goes on behind them.
 * @param headerBytes at most the queue's `headerBytes`; `element.headerLength` says how many came
 * @throws RangeError if `headerBytes` is more than the queue has room for
 */
export function virtqueuePopRequest(
  vq: DeviceQueue,
  headerBytes: number,
): VirtQueueElement | undefined {
  if (headerBytes > vq.header.byteLength) throw new RangeError(`header of ${headerBytes} bytes`);
  vq.spill();
  const head = vq.ring.popRequest(headerBytes);
  if (head >= 0) {
    const element = vq.adopt(head);
    const dropped = vq.words[WORK_DROPPED >>> 2]!;
    element.headerLength = vq.words[WORK_LENGTH >>> 2]!;
    element.out.first += dropped;
    element.out.count -= dropped;
    return element;
  }
  if (head === RESULT_BROKEN) vq.reportBroken();
  return undefined;
}

/**
 * Writes the first `bytes` of `vq.response` to the chain, gives it back and notifies the driver if
 * it asks for that (§2.7.7.2).
 * @throws RangeError if `bytes` is more than the queue has room for; Error if given back before
 */
export function virtqueuePushResponse(element: VirtQueueElement, bytes: number): void {
  const vq = element.queue;
  if (bytes > vq.response.byteLength) throw new RangeError(`response of ${bytes} bytes`);
  if (element.state !== OPEN) throw new Error("the buffer was given back already");
  if (vq.staged.length > 0) throw new Error("staged buffers come first: flush them");
  if (vq.order.length > 1) {
    const written = iovFromBuf(element.in, 0, vq.response.byteOffset, bytes);
    virtqueuePush(vq, element, written);
    virtioNotify(vq);
    return;
  }
  vq.makeResident(element.in);
  const { first, count } = element.in;
  vq.observer?.giving(element.index);
  const notify = vq.ring.respond(element.index, vq.units(element), first, count, bytes);
  vq.order.length = 0;
  vq.close(element);
  vq.observer?.given(element.index);
  if (notify) vq.notifyDriver();
}

/**
 * Gives a chain back: fill and flush of one element.
 * @param length bytes written to `element.in`
 */
export function virtqueuePush(vq: DeviceQueue, element: VirtQueueElement, length: number): void {
  virtqueueFill(vq, element, length, 0);
  virtqueueFlush(vq, 1);
}

/**
 * Stages a chain as the `position`-th to be flushed.
 * @throws Error if it was given back already, or positions are not 0, 1, 2, …
 */
export function virtqueueFill(
  vq: DeviceQueue,
  element: VirtQueueElement,
  length: number,
  position: number,
): void {
  if (element.state !== OPEN) throw new Error("the buffer was given back already");
  if (position !== vq.staged.length) throw new Error(`fill at ${position}, not in sequence`);
  element.state = FILLED;
  element.length = length;
  vq.staged.push(element);
}

/**
 * Makes `count` staged chains visible to the driver. In-order queues hold back those that overtook
 * an earlier one (§2.7.9, §2.8.8) until that one is flushed too.
 * @throws Error if fewer were staged
 */
export function virtqueueFlush(vq: DeviceQueue, count: number): void {
  if (count > vq.staged.length) throw new Error(`flush of ${count}, ${vq.staged.length} staged`);
  const flushed = vq.staged.splice(0, count);
  if (!vq.inOrder) {
    publish(vq, flushed);
    return;
  }
  for (const element of flushed) element.state = FLUSHED;
  let ready = 0;
  while (vq.order[ready]?.state === FLUSHED) ready++;
  publish(vq, vq.order.splice(0, ready));
}

function publish(vq: DeviceQueue, elements: readonly VirtQueueElement[]): void {
  let start = 0;
  let offset = 0;
  for (const [i, element] of elements.entries()) {
    vq.observer?.giving(element.index);
    offset += vq.units(element);
    vq.close(element);
    // §2.7.9, §2.8.8: in order, the last of a batch may stand for all of it, at the place of the
    // first. The driver takes the others as used completely, so only those without a writable part
    // are left out.
    const batched = vq.inOrder && i + 1 < elements.length && element.readable === element.segments;
    if (batched) continue;
    vq.ring.fill(element.index, element.length, start);
    start = offset;
  }
  if (offset > 0) vq.ring.flush(offset);
  if (vq.observer) for (const { index } of elements) vq.observer.given(index);
}

/** Gives a chain back without telling the driver: it stays in flight for the driver. */
export function virtqueueDetachElement(vq: DeviceQueue, element: VirtQueueElement): void {
  if (element.state === CLOSED) throw new Error("the buffer was given back already");
  vq.staged = vq.staged.filter((other) => other !== element);
  const at = vq.order.indexOf(element);
  if (at >= 0) vq.order.splice(at, 1);
  vq.ring.detach(vq.units(element));
  vq.close(element);
}

/**
 * Undoes the latest pop: the chain is the next one to be popped again.
 * @throws Error if it was given back already
 */
export function virtqueueUnpop(vq: DeviceQueue, element: VirtQueueElement): void {
  if (element.state !== OPEN) throw new Error("the buffer was given back already");
  const at = vq.order.indexOf(element);
  if (at >= 0) vq.order.splice(at, 1);
  vq.ring.rewind(1, vq.units(element));
  vq.close(element);
}

/**
 * Steps back over the latest `count` pops, whose elements host code has lost. Only right while no
 * later element was given back, and on a packed ring only if each was one descriptor.
 * @returns false if fewer are in flight
 */
export function virtqueueRewind(vq: DeviceQueue, count: number): boolean {
  if (count > vq.inFlight || vq.ring.rewind(count, count) === 0) return false;
  vq.inFlight -= count;
  if (vq.inOrder) vq.order.splice(vq.order.length - count, count);
  return true;
}

/**
 * Goes on with a ring that another device has served up to here, before anything is taken.
 * @param base where it goes on: of a split ring the index of the first entry of the available ring to
 *   be taken; of a packed ring the position of the next descriptor to take in the low half, of the
 *   next to be written in the high half, each with its wrap counter in bit 15 (taken modulo the size)
 * @param lost buffers before that which the other one had and never gave back, in the order in which
 *   they go back now, with nothing written
 */
export function virtqueueResume(vq: DeviceQueue, base: number, lost: readonly TakenChain[]): void {
  const used = vq.packed ? base >>> 16 : vq.usedIndex;
  vq.ring.restore(base & 0xffff, used, 0, 0, 1, unitsOf(lost));
  returnChains(vq, lost);
}

/**
 * Gives all buffers back, with nothing written: the queue's last act.
 * @param chains those that the device has
 * @returns where the ring goes on, as in virtqueueResume
 */
export function virtqueueReturnAll(vq: DeviceQueue, chains: readonly TakenChain[]): number {
  for (const { head } of chains) vq.observer?.giving(head);
  returnChains(vq, chains);
  for (const { head } of chains) vq.observer?.given(head);
  const avail = vq.ring.state(0);
  return vq.packed ? (avail | (vq.ring.state(1) << 16)) >>> 0 : avail;
}

function returnChains(vq: DeviceQueue, chains: readonly TakenChain[]): void {
  let offset = 0;
  for (const { head, units } of chains) {
    vq.ring.fill(head, 0, offset);
    offset += units;
  }
  if (offset > 0) vq.ring.flush(offset);
  virtioNotify(vq);
}

function unitsOf(chains: readonly TakenChain[]): number {
  return chains.reduce((sum, { units }) => sum + units, 0);
}

/** Asks for the driver's notifications, or for none. Look at the queue again after enabling. */
export function virtqueueSetNotification(vq: DeviceQueue, enable: boolean): void {
  vq.ring.setNotification(enable ? 1 : 0);
}

/** Is there nothing to pop? A broken queue is empty. */
export function virtqueueEmpty(vq: DeviceQueue): boolean {
  const empty = vq.ring.empty() !== 0;
  if (empty && vq.broken) vq.reportBroken();
  return empty;
}

/** Notifies the driver of used buffers if it wants to hear of them (§2.7.7.2). @returns if it did */
export function virtioNotify(vq: DeviceQueue): boolean {
  if (vq.ring.shouldNotify() === 0) return false;
  vq.notifyDriver();
  return true;
}
