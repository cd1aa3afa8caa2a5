import assert from "node:assert/strict";
import * as defs from "../../runtime/virtio/defs.ts";
import {
  type DeviceQueue,
  type DeviceState,
  iovToBuf,
  type MmioState,
  VIRTIO_F_EVENT_IDX,
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

/** Saves behind registers, through JSON, and goes on in another machine. */
function moveMachine(machine: Machine): Machine {
  const held = machine.held.map(({ element }) => element);
  const inFlight = (vq: DeviceQueue) => held.filter((element) => element.queue === vq);
  const state = JSON.parse(JSON.stringify(machine.mmio.save(inFlight))) as MmioState;
  const target = new Machine();
  const ram = new Uint8Array(machine.memory.buffer, RAM_START, RAM_SIZE);
  new Uint8Array(target.memory.buffer, RAM_START, RAM_SIZE).set(ram);
  for (const elements of target.mmio.restore(state)) {
    for (const element of elements) target.held.push({ vq: element.queue, element });
  }
  target.features = machine.features;
  return target;
}

describe("save and restore behind registers", () => {
  test("an interrupt that was not acknowledged is still there, and so is the line", () => {
    const machine = new Machine();
    machine.negotiate(VIRTIO_F_VERSION_1);
    machine.setUp(0, 8);
    machine.write(defs.MMIO_STATUS, 15);
    machine.requests(0, 1, true);
    machine.device.updateConfig(0, new Uint8Array([9]));
    const target = moveMachine(machine);
    assert.equal(target.line, true);
    assert.equal(target.read(defs.MMIO_INTERRUPT_STATUS), 3);
    assert.equal(target.read(defs.MMIO_CONFIG_GENERATION), 1);
    assert.equal(target.read(defs.MMIO_CONFIG, 1), 9);
    target.write(defs.MMIO_INTERRUPT_ACK, 3);
    assert.equal(target.line, false);
  });

  test("in the middle of negotiation: features, selectors and a queue's addresses are kept", () => {
    const machine = new Machine();
    machine.write(defs.MMIO_STATUS, 1);
    machine.write(defs.MMIO_STATUS, 3);
    machine.write(defs.MMIO_DRIVER_FEATURES_SEL, 1);
    machine.write(defs.MMIO_DRIVER_FEATURES, 1);
    machine.write(defs.MMIO_DEVICE_FEATURES_SEL, 1);
    let target = moveMachine(machine);
    assert.equal(target.read(defs.MMIO_DEVICE_FEATURES), Number(VIRTIO_SUPPORTED >> 32n));
    target.write(defs.MMIO_DRIVER_FEATURES_SEL, 0);
    target.write(defs.MMIO_DRIVER_FEATURES, Number(VIRTIO_F_EVENT_IDX));
    assert.equal(target.device.driverFeatures, VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX);
    target.write(defs.MMIO_STATUS, 11);
    target.write(defs.MMIO_QUEUE_SEL, 1);
    target.write(defs.MMIO_QUEUE_SIZE, 4);
    target.write(defs.MMIO_QUEUE_DESC_LOW, RAM_START);
    target.write(defs.MMIO_SHM_SEL, 1);
    target = moveMachine(target);
    target.write(defs.MMIO_QUEUE_DESC_HIGH, 0);
    target.write(defs.MMIO_QUEUE_DRIVER_LOW, RAM_START + 0x100);
    target.write(defs.MMIO_QUEUE_DEVICE_LOW, RAM_START + 0x200);
    target.write(defs.MMIO_QUEUE_READY, 1);
    assert.equal(target.device.queue(1)?.size, 4);
    assert.equal(target.read(defs.MMIO_SHM_BASE_HIGH), 1);
    assert.deepEqual(target.log, []);
  });

  test("a suspend that waits for buffers in flight goes on waiting", () => {
    const machine = new Machine();
    machine.negotiate(VIRTIO_F_VERSION_1 | VIRTIO_F_SUSPEND);
    machine.setUp(0, 8);
    machine.write(defs.MMIO_STATUS, 15);
    machine.holding = true;
    machine.requests(0, 2, false);
    machine.write(defs.MMIO_STATUS, 31);
    const target = moveMachine(machine);
    assert.equal(target.read(defs.MMIO_STATUS), 15);
    assert.equal(target.device.live, false);
    target.release();
    assert.equal(target.read(defs.MMIO_STATUS), 27);
  });

  test("a broken queue stays broken, and is reported once", () => {
    const machine = new Machine();
    machine.negotiate(VIRTIO_F_VERSION_1);
    machine.setUp(0, 8);
    machine.setUp(1, 8);
    machine.write(defs.MMIO_STATUS, 15);
    const { driver } = machine.drivers[0]!.addresses;
    machine.view.setUint16(driver + 2, 9, true);
    machine.write(defs.MMIO_QUEUE_NOTIFY, 0);
    assert.match(machine.log.join(), /jumped/);
    const target = moveMachine(machine);
    assert.equal(target.device.queue(0)?.broken, true);
    assert.equal(target.device.queue(1)?.broken, false);
    assert.equal(target.read(defs.MMIO_STATUS), 15 | defs.STATUS_NEEDS_RESET);
    target.write(defs.MMIO_QUEUE_NOTIFY, 0);
    target.write(defs.MMIO_QUEUE_NOTIFY, 1);
    assert.deepEqual(target.log, []);
  });

  test("a configuration change told after the resume moves too", () => {
    const machine = new Machine();
    machine.negotiate(VIRTIO_F_VERSION_1 | VIRTIO_F_SUSPEND);
    machine.write(defs.MMIO_STATUS, 15);
    machine.write(defs.MMIO_STATUS, 31);
    machine.device.updateConfig(0, new Uint8Array([9]));
    const target = moveMachine(machine);
    assert.equal(target.line, false);
    target.write(defs.MMIO_STATUS, 15);
    assert.equal(target.read(defs.MMIO_INTERRUPT_STATUS), defs.INTERRUPT_CONFIG_CHANGE);
    // Told once: the next resume has nothing to tell.
    target.write(defs.MMIO_INTERRUPT_ACK, 3);
    target.write(defs.MMIO_STATUS, 31);
    target.write(defs.MMIO_STATUS, 15);
    assert.equal(target.read(defs.MMIO_INTERRUPT_STATUS), 0);
  });
});

test("a state that does not fit is refused", () => {
  const machine = new Machine();
  machine.negotiate(VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED);
  machine.setUp(0, 16);
  const state = machine.device.save();
  const other = new Machine(VIRTIO_SUPPORTED & ~VIRTIO_F_RING_PACKED);
  assert.throws(() => other.device.restore(state), RangeError);
  const [first, , third, fourth] = state.queues;
  const tall = { ...state, queues: [first!, first!, third!, fourth!] };
  assert.throws(() => new Machine().device.restore(tall), /size 16/);
  const three = { ...state, queues: [first!, first!, third!] };
  assert.throws(() => new Machine().device.restore(three), RangeError);
  const bare = { ...state, config: [1, 2, 3] };
  assert.throws(() => new Machine().device.restore(bare), /configuration has 3 bytes/);
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
