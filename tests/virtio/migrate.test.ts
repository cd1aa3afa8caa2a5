import assert from "node:assert/strict";
import * as defs from "../../runtime/virtio/defs.ts";
import {
  type DeviceQueue,
  type DeviceState,
  iovToBuf,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_SUSPEND,
  VIRTIO_F_VERSION_1,
  VIRTIO_SUPPORTED,
  VirtioDevice,
  type VirtQueueElement,
  virtioWorkspaceBytes,
  virtqueueGetBuf,
  virtqueuePush,
} from "../../runtime/virtio/index.ts";
import { describe, test } from "../harness.ts";
import { BUFFERS, core, RAM_END, RAM_SIZE, RAM_START } from "./rig.ts";
import { Machine } from "./vectors/machine.ts";

const QUEUES = [{ maxSize: 16 }, { maxSize: 8 }, { maxSize: 0 }, { maxSize: 4 }];

/** Another device over the same guest's bytes, in a memory of its own where they lie elsewhere. */
function moveTo(machine: Machine, state: DeviceState) {
  const memory = new WebAssembly.Memory({ initial: 128, maximum: 65536, shared: true });
  const shift = 0x100000;
  const bytes = new Uint8Array(machine.memory.buffer, RAM_START, RAM_SIZE);
  new Uint8Array(memory.buffer, RAM_START + shift, RAM_SIZE).set(bytes);
  const popped: VirtQueueElement[] = [];
  const log: string[] = [];
  const device = new VirtioDevice({
    ...machine.device.options,
    memory,
    workspace: RAM_END + shift,
    regions: [{ guest: RAM_START, size: RAM_SIZE, offset: RAM_START + shift }],
    onNotify: () => {},
    interrupt: () => {},
    log: (message) => void log.push(message),
  });
  assert.ok(RAM_END + shift + virtioWorkspaceBytes(QUEUES) < memory.buffer.byteLength);
  const elements = device.restore(structuredClone(state));
  return { memory, device, elements, popped, log, shift };
}

for (const features of [0n, VIRTIO_F_RING_PACKED, VIRTIO_F_IN_ORDER]) {
  describe(`save and restore, feature bits ${features}`, () => {
    test("a running device with buffers in flight moves, and completes them there", () => {
      const machine = new Machine();
      machine.negotiate(VIRTIO_F_VERSION_1 | features);
      machine.setUp(0, 8);
      machine.write(defs.MMIO_STATUS, 15);
      for (let i = 0; i < 3; i++) machine.requests(0, 5, true);
      machine.holding = true;
      machine.view.setUint32(BUFFERS, 0xc0ffee, true);
      machine.requests(0, 6, false);
      const held = machine.held.map(({ element }) => element);
      const inFlight = (vq: DeviceQueue) => held.filter((element) => element.queue === vq);
      assert.throws(() => machine.device.save(), /in flight/);
      const state = JSON.parse(JSON.stringify(machine.device.save(inFlight))) as DeviceState;

      const target = moveTo(machine, state);
      assert.equal(target.device.status, 15);
      const elements = target.elements[0]!;
      assert.equal(elements.length, 6);
      assert.deepEqual(
        elements.map(({ index }) => index),
        held.map(({ index }) => index),
      );
      const bytes = new Uint8Array(16);
      assert.equal(iovToBuf(elements[5]!.out, 0, bytes), 16);
      assert.equal(new DataView(bytes.buffer).getUint32(0, true), 0xc0ffee);
      const vq = target.device.queue(0)!;
      for (const element of elements) virtqueuePush(vq, element, 0);

      // The guest's bytes go back to where its driver runs, which then finds all six.
      const back = new Uint8Array(target.memory.buffer, RAM_START + target.shift, RAM_SIZE);
      new Uint8Array(machine.memory.buffer, RAM_START, RAM_SIZE).set(back);
      const driver = machine.drivers[0]!;
      for (let i = 0; i < 6; i++) assert.equal(virtqueueGetBuf(driver), i);
      assert.equal(virtqueueGetBuf(driver), undefined);
      assert.deepEqual(target.log, []);
    });

    test("a suspended device moves and resumes", () => {
      const machine = new Machine();
      machine.negotiate(VIRTIO_F_VERSION_1 | VIRTIO_F_SUSPEND | features);
      machine.setUp(0, 4);
      machine.write(defs.MMIO_STATUS, 15);
      machine.requests(0, 3, true);
      machine.write(defs.MMIO_STATUS, 31);
      machine.device.updateConfig(2, new Uint8Array([0x99]));
      const target = moveTo(machine, machine.device.save());
      assert.equal(target.device.status, 27);
      assert.equal(target.device.generation, 1);
      const config = new Uint8Array(8);
      target.device.readConfig(0, config);
      assert.deepEqual([...config], [1, 2, 0x99, 4, 5, 6, 7, 8]);
      target.device.writeStatus(15);
      assert.equal(target.device.status, 15);
      assert.equal(target.device.queueReady(0), true);
      assert.equal(target.device.queueReady(1), false);
    });
  });
}

test("a state that does not fit is refused", () => {
  const machine = new Machine();
  machine.negotiate(VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED);
  machine.setUp(0, 16);
  const state = machine.device.save();
  const other = new Machine(VIRTIO_SUPPORTED & ~VIRTIO_F_RING_PACKED);
  assert.throws(() => other.device.restore(state), RangeError);
  const tall = { ...state, queues: [state.queues[0]!, state.queues[0]!, null, null] };
  assert.throws(() => new Machine().device.restore(tall), /size 16/);
});

test("a buffer in flight that the new memory does not have breaks its queue", () => {
  const machine = new Machine();
  machine.negotiate(VIRTIO_F_VERSION_1);
  machine.setUp(0, 8);
  machine.write(defs.MMIO_STATUS, 15);
  machine.holding = true;
  machine.requests(0, 1, false);
  const state = machine.device.save(() => machine.held.map(({ element }) => element));
  const log: string[] = [];
  const target = new VirtioDevice({
    ...machine.device.options,
    core,
    regions: [{ guest: RAM_START, size: BUFFERS - RAM_START, offset: RAM_START }],
    log: (message) => void log.push(message),
  });
  target.restore(state);
  assert.match(log.join(), /outside guest memory/);
  assert.equal(target.status, 15 | defs.STATUS_NEEDS_RESET);
});
