// Initialisation as the vGPU's driver does it (virtio 1.3 §3.1.1), on a transport that writes down
// what is asked of it.

import assert from "node:assert/strict";
import { DriverModule } from "../../runtime/driver/module.ts";
import type { QueueAddresses, Transport } from "../../runtime/driver/transport.ts";
import { GuestMemory } from "../../runtime/memory/index.ts";
import * as P from "../../runtime/protocol/definitions.ts";
import {
  VIRTIO_F_ORDER_PLATFORM,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_SR_IOV,
  VIRTIO_F_VERSION_1,
} from "../../runtime/virtio/index.ts";
import { test } from "../harness.ts";
import { core } from "./rig.ts";

const DEVICE_MEMORY = 1n << BigInt(P.WARPRING_F_DEVICE_MEMORY);

class Recorder implements Transport {
  readonly group = 0;
  readonly concurrent = false;
  readonly calls: string[] = [];
  readonly offered: bigint;
  readonly refuse: boolean;
  features = 0n;
  #status = 0;

  constructor(offered: bigint, refuse = false) {
    this.offered = offered;
    this.refuse = refuse;
  }

  deviceFeatures(): bigint {
    this.calls.push("read features");
    return this.offered;
  }
  negotiated(): bigint | undefined {
    return undefined;
  }
  setDriverFeatures(features: bigint): void {
    this.calls.push("write features");
    this.features = features;
  }
  status(): number {
    return this.#status;
  }
  setStatus(status: number): void {
    this.calls.push(`status ${status}`);
    this.#status = this.refuse ? status & ~8 : status;
  }
  readConfig(target: Uint8Array): void {
    this.calls.push("config");
    new DataView(target.buffer).setUint32(P.CONFIG_PROTOCOL_VERSION, P.PROTOCOL_VERSION, true);
  }
  queueMaxSize(): number {
    return 16;
  }
  enableQueue(index: number, size: number, { desc, driver, device }: QueueAddresses): void {
    const aligned = desc % 16 === 0 && driver % 4 === 0 && device % 4 === 0;
    this.calls.push(`queue ${index} of ${size}${aligned ? "" : ", misaligned"}`);
  }
  resetQueue(): void {}
  notify(): boolean {
    this.calls.push("notify");
    return true;
  }
  onInterrupt(): void {}
  wait(): boolean {
    return false;
  }
}

function probe(transport: Recorder): number {
  const memory = GuestMemory.create();
  const { guestRam, workspace } = memory.map;
  return new DriverModule({ memory, core, transport, guestRam, workspace }).probe();
}

test("the driver initialises a device in the standard's order", () => {
  const transport = new Recorder(VIRTIO_F_VERSION_1 | DEVICE_MEMORY);
  assert.equal(probe(transport), 0);
  assert.deepEqual(transport.calls, [
    "status 0",
    "status 1",
    "status 3",
    "read features",
    "write features",
    "status 11",
    "config",
    `queue ${P.QUEUE_CONTROL} of 16`,
    `queue ${P.QUEUE_STREAM} of 16`,
    "status 15",
  ]);
});

test("features that are not known are left alone", () => {
  const strange =
    VIRTIO_F_SR_IOV | VIRTIO_F_ORDER_PLATFORM | (1n << 23n) | (1n << 49n) | (1n << 60n);
  const known = VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED | DEVICE_MEMORY;
  const transport = new Recorder(known | strange);
  assert.equal(probe(transport), 0);
  assert.equal(transport.features, known);
});

test("a device without a needed feature is given up", () => {
  const transport = new Recorder(DEVICE_MEMORY);
  assert.ok(probe(transport) < 0);
  assert.equal(transport.calls.at(-1), `status ${128 | 3}`);
  assert.equal(transport.calls.includes("status 11"), false);
});

test("a device that refuses FEATURES_OK is given up", () => {
  const transport = new Recorder(VIRTIO_F_VERSION_1 | DEVICE_MEMORY, true);
  assert.ok(probe(transport) < 0);
  assert.equal(transport.calls.at(-1), `status ${128 | 3}`);
});

test("a driver that failed resets before it tries again", () => {
  const transport = new Recorder(DEVICE_MEMORY);
  assert.ok(probe(transport) < 0);
  const tries = transport.calls.length;
  assert.ok(probe(transport) < 0);
  assert.equal(transport.calls[tries], "status 0");
});

test("the configuration is read before the queues are set up", () => {
  const transport = new Recorder(VIRTIO_F_VERSION_1 | DEVICE_MEMORY);
  probe(transport);
  const { calls } = transport;
  assert.ok(calls.indexOf("config") < calls.indexOf("queue 0 of 16"));
  assert.equal(calls.indexOf("notify"), -1, "no notification before DRIVER_OK");
});
