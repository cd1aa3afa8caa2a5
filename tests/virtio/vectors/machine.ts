// A device behind virtio-mmio registers, driven by scripts: for vectors about status, features,
// configuration, queues, reset and suspend (virtio 1.3 §2.1 to §2.6, §3, §4.2; suspend of 1.4).

import assert from "node:assert/strict";
import * as defs from "../../../runtime/virtio/defs.ts";
import {
  type DeviceQueue,
  DriverQueue,
  driverWorkspaceBytes,
  sgInitOne,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
  VIRTIO_SUPPORTED,
  VirtioDevice,
  VirtioMmio,
  type VirtQueueElement,
  virtioNotify,
  virtioWorkspaceBytes,
  virtqueueAddSgs,
  virtqueueGetBuf,
  virtqueueKickPrepare,
  virtqueuePop,
  virtqueuePush,
} from "../../../runtime/virtio/index.ts";
import { BUFFERS, core, RAM_END, RAM_SIZE, RAM_START } from "../rig.ts";

/** A step of a script. */
export type Step =
  /** Write or read (and compare) a register, 4 bytes; or with another size. */
  | readonly ["w", offset: number, value: number, size?: number]
  | readonly ["r", offset: number, value: number, size?: number]
  /** Write the status, and what it then reads. */
  | readonly ["status", value: number, reads: number]
  /** Reset, ACKNOWLEDGE, DRIVER, features, FEATURES_OK. */
  | readonly ["negotiate", features: bigint]
  /** Set up and enable queue `index` with `size` descriptors. */
  | readonly ["queue", index: number, size: number]
  /** The driver makes `count` requests on a queue, which the device has served or not. */
  | readonly ["requests", index: number, count: number, served: boolean]
  /** As `requests`, but no notification is sent. */
  | readonly ["add", index: number, count: number]
  /** Write QueueNotify. */
  | readonly ["kick", value: number]
  /** Requests that the device has served on a queue since the start. */
  | readonly ["served", index: number, count: number]
  /** The latest log line matches; or nothing was logged since the last look. */
  | readonly ["log", text: RegExp]
  | readonly ["quiet"]
  /** Does the device hold its requests back from now on? And give all back now. */
  | readonly ["hold", on: boolean]
  | readonly ["release"]
  /** The device changes its configuration; it fails. */
  | readonly ["config", offset: number, value: number]
  | readonly ["fail", reason: string]
  /** The interrupt line. */
  | readonly ["line", asserted: boolean]
  /** Anything that needs code. */
  | readonly ["do", (machine: Machine) => void];

export interface StateVector {
  readonly name: string;
  readonly source: string;
  readonly section: string;
  readonly steps: readonly Step[];
}

const QUEUES = [{ maxSize: 16 }, { maxSize: 8 }, { maxSize: 0 }, { maxSize: 4 }] as const;
export const DEVICE_ID = 0x107f;
export const VENDOR_ID = 0x1af4;
/** VERSION_1 and what else has no influence on how the ring is laid out. */
export const PLAIN = VIRTIO_F_VERSION_1;

export class Machine {
  readonly memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  readonly view = new DataView(this.memory.buffer);
  readonly log: string[] = [];
  readonly served = [0, 0, 0, 0];
  readonly drivers: (DriverQueue<number> | undefined)[] = [];
  held: { vq: DeviceQueue; element: VirtQueueElement }[] = [];
  holding = false;
  suspendable = true;
  line = false;
  readonly device: VirtioDevice;
  readonly mmio: VirtioMmio;
  features = 0n;

  constructor(offered: bigint = VIRTIO_SUPPORTED) {
    const workspace = RAM_END + 0x40000;
    assert.ok(workspace + virtioWorkspaceBytes(QUEUES) < this.memory.buffer.byteLength);
    this.device = new VirtioDevice({
      core,
      memory: this.memory,
      deviceId: DEVICE_ID,
      vendorId: VENDOR_ID,
      features: offered,
      config: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]),
      queues: QUEUES,
      workspace,
      regions: [{ guest: RAM_START, size: RAM_SIZE, offset: RAM_START }],
      validateFeatures: (features) =>
        features & VIRTIO_F_INDIRECT_DESC && !(features & VIRTIO_F_EVENT_IDX)
          ? "this device needs the event index for indirect tables"
          : undefined,
      onNotify: (vq) => this.serve(vq),
      onReset: (vq) => {
        this.held = this.held.filter((held) => vq !== undefined && held.vq !== vq);
      },
      onSuspend: () => this.suspendable,
      onConfigWrite: (offset) => offset >= 4,
      interrupt: (index) => this.mmio.interrupt(index),
      log: (message) => void this.log.push(message),
    });
    this.mmio = new VirtioMmio(
      this.device,
      (asserted) => {
        this.line = asserted;
      },
      [{ id: 1, base: 0x1_2345_0000n, bytes: 0x2_0000_0000n }],
    );
  }

  serve(vq: DeviceQueue): void {
    for (let element = virtqueuePop(vq); element !== undefined; element = virtqueuePop(vq)) {
      if (this.holding) this.held.push({ vq, element });
      else this.complete(vq, element);
    }
  }

  complete(vq: DeviceQueue, element: VirtQueueElement): void {
    this.served[vq.index]! += 1;
    virtqueuePush(vq, element, 0);
    virtioNotify(vq);
  }

  release(): void {
    for (const { vq, element } of this.held.splice(0)) this.complete(vq, element);
  }

  write(offset: number, value: number, size = 4): void {
    this.mmio.write(offset, value, size);
  }

  read(offset: number, size = 4): number {
    return this.mmio.read(offset, size);
  }

  negotiate(features: bigint): void {
    this.write(defs.MMIO_STATUS, 0);
    this.write(defs.MMIO_STATUS, 1);
    this.write(defs.MMIO_STATUS, 3);
    this.writeFeatures(features);
    this.write(defs.MMIO_STATUS, 11);
    this.features = features;
  }

  writeFeatures(features: bigint): void {
    for (const word of [0, 1]) {
      this.write(defs.MMIO_DRIVER_FEATURES_SEL, word);
      const value = Number((features >> BigInt(32 * word)) & 0xffffffffn);
      this.write(defs.MMIO_DRIVER_FEATURES, value);
    }
  }

  /** What a driver does with a queue (§4.2.3.2). */
  setUp(index: number, size: number): void {
    const shape = { size, packed: (this.features & VIRTIO_F_RING_PACKED) !== 0n };
    const workspace = RAM_END + index * 0x8000;
    assert.ok(driverWorkspaceBytes(shape) < 0x8000);
    const driver = new DriverQueue<number>({
      core,
      memory: this.memory,
      index,
      size,
      base: RAM_START + index * 0x8000,
      workspace,
      features: this.features,
      notify: (_index, data) => this.write(defs.MMIO_QUEUE_NOTIFY, data),
    });
    this.drivers[index] = driver;
    this.write(defs.MMIO_QUEUE_SEL, index);
    this.write(defs.MMIO_QUEUE_SIZE, size);
    this.writeAddresses(driver.addresses);
    this.write(defs.MMIO_QUEUE_READY, 1);
  }

  writeAddresses({ desc, driver, device }: { desc: number; driver: number; device: number }): void {
    const pairs = [
      [defs.MMIO_QUEUE_DESC_LOW, desc],
      [defs.MMIO_QUEUE_DRIVER_LOW, driver],
      [defs.MMIO_QUEUE_DEVICE_LOW, device],
    ] as const;
    for (const [low, address] of pairs) {
      this.write(low, address % 0x100000000);
      this.write(low + 4, Math.floor(address / 0x100000000));
    }
  }

  add(index: number, count: number): DriverQueue<number> {
    const driver = this.drivers[index];
    assert.ok(driver);
    for (let i = 0; i < count; i++) {
      assert.equal(virtqueueAddSgs(driver, [sgInitOne(BUFFERS, 16)], [], i), 0);
    }
    virtqueueKickPrepare(driver);
    return driver;
  }

  requests(index: number, count: number, served: boolean): void {
    const driver = this.add(index, count);
    this.write(defs.MMIO_QUEUE_NOTIFY, driver.notificationData());
    for (let i = 0; i < (served ? count : 0); i++) assert.equal(virtqueueGetBuf(driver), i);
    assert.equal(virtqueueGetBuf(driver), undefined);
  }
}

/** A device that serves requests on queue 0. */
export function live(features: bigint = PLAIN): Step[] {
  return [
    ["negotiate", features],
    ["queue", 0, 16],
    ["status", 15, 15],
    ["requests", 0, 2, true],
  ];
}

/** A head that is out of range, made available on queue 0. */
export const POISON: Step = [
  "do",
  (machine) => {
    const { driver } = machine.drivers[0]!.addresses;
    machine.view.setUint16(driver + 2, machine.view.getUint16(driver + 2, true) + 17, true);
    machine.write(defs.MMIO_QUEUE_NOTIFY, 0);
  },
];

/** Runs one script. */
export function runStateVector(vector: StateVector): void {
  const machine = new Machine();
  for (const [i, step] of vector.steps.entries()) {
    try {
      runStep(machine, step);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      throw new Error(`step ${i} ${step.map(String).join(" ")}: ${detail}`);
    }
  }
}

function runStep(machine: Machine, step: Step): void {
  switch (step[0]) {
    case "w":
      machine.write(step[1], step[2], step[3]);
      break;
    case "r":
      assert.equal(machine.read(step[1], step[3]) >>> 0, step[2] >>> 0);
      break;
    case "status":
      machine.write(defs.MMIO_STATUS, step[1]);
      assert.equal(machine.read(defs.MMIO_STATUS), step[2]);
      break;
    case "negotiate":
      machine.negotiate(step[1]);
      assert.equal(machine.read(defs.MMIO_STATUS), 11);
      break;
    case "queue":
      machine.setUp(step[1], step[2]);
      assert.equal(machine.read(defs.MMIO_QUEUE_READY), 1);
      break;
    case "requests":
      machine.requests(step[1], step[2], step[3]);
      break;
    case "add":
      machine.add(step[1], step[2]);
      break;
    case "kick":
      machine.write(defs.MMIO_QUEUE_NOTIFY, step[1]);
      break;
    case "served":
      assert.equal(machine.served[step[1]], step[2]);
      break;
    case "log":
      assert.match(machine.log.at(-1) ?? "", step[1]);
      machine.log.length = 0;
      break;
    case "quiet":
      assert.deepEqual(machine.log, []);
      break;
    case "hold":
      machine.holding = step[1];
      break;
    case "release":
      machine.release();
      break;
    case "config":
      machine.device.updateConfig(step[1], new Uint8Array([step[2]]));
      break;
    case "fail":
      machine.device.needsReset(step[1]);
      break;
    case "line":
      assert.equal(machine.line, step[1]);
      break;
    case "do":
      step[1](machine);
      break;
  }
}
