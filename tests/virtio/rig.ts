// A driver and a device on one queue, in one thread, for tests: our own driver is the mock.

import {
  DeviceQueue,
  DriverQueue,
  driverWorkspaceBytes,
  type GuestRegion,
  loadCore,
  queueLayout,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
} from "../../runtime/virtio/index.ts";
import { BUFFERS, RAM_END, RAM_SIZE, RAM_START } from "./ram.ts";

export { BUFFERS, RAM_END, RAM_SIZE, RAM_START } from "./ram.ts";

export const core = await loadCore();

const WORKSPACES = RAM_END;

export interface RigOptions {
  /** At least 4 MiB; a new one by default. */
  readonly memory?: WebAssembly.Memory;
  readonly size?: number;
  readonly features?: bigint;
  readonly indirect?: number;
  readonly headerBytes?: number;
  readonly segments?: number;
  readonly regions?: readonly GuestRegion[];
  /** As in DriverQueueOptions. */
  readonly guestOffset?: number;
}

export interface Rig {
  readonly memory: WebAssembly.Memory;
  readonly u8: Uint8Array;
  readonly view: DataView;
  readonly driver: DriverQueue<unknown>;
  readonly device: DeviceQueue;
  /** Notifications to the device (their data) and to the driver, and what broke. */
  readonly kicks: number[];
  readonly interrupts: number[];
  readonly errors: string[];
}

/** Makes memory, a driver and a device that know each other's rings. */
export function makeRig(options: RigOptions = {}): Rig {
  const { size = 8, features = VIRTIO_F_VERSION_1, indirect = 0, headerBytes, segments } = options;
  const memory =
    options.memory ?? new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const u8 = new Uint8Array(memory.buffer);
  const kicks: number[] = [];
  const interrupts: number[] = [];
  const errors: string[] = [];
  const packed = (features & VIRTIO_F_RING_PACKED) !== 0n;
  const shape = { size, packed, indirect };
  const layout = queueLayout(shape);
  if (RAM_START + layout.bytes > BUFFERS) throw new RangeError("rig: queue too large");
  const driver = new DriverQueue<unknown>({
    core,
    memory,
    index: 3,
    size,
    base: RAM_START,
    workspace: WORKSPACES,
    features,
    indirect,
    guestOffset: options.guestOffset ?? 0,
    notify: (_index, data) => void kicks.push(data),
  });
  const device = new DeviceQueue({
    core,
    memory,
    index: 3,
    size,
    ...driver.addresses,
    workspace: WORKSPACES + Math.ceil(driverWorkspaceBytes(shape) / 4096) * 4096,
    regions: options.regions ?? [{ guest: RAM_START, size: RAM_SIZE, offset: RAM_START }],
    features,
    ...(headerBytes === undefined ? {} : { headerBytes }),
    ...(segments === undefined ? {} : { segments }),
    notify: (index) => void interrupts.push(index),
    onError: (reason) => void errors.push(reason),
  });
  const view = new DataView(memory.buffer);
  return { memory, u8, view, driver, device, kicks, interrupts, errors };
}

/** Every combination of the ring features, for tests that hold in all of them. */
export function featureSets(): { name: string; features: bigint }[] {
  const bits: [string, bigint][] = [
    ["packed", VIRTIO_F_RING_PACKED],
    ["event_idx", VIRTIO_F_EVENT_IDX],
    ["indirect", VIRTIO_F_INDIRECT_DESC],
    ["in_order", VIRTIO_F_IN_ORDER],
  ];
  const sets: { name: string; features: bigint }[] = [];
  for (let mask = 0; mask < 1 << bits.length; mask++) {
    let features = VIRTIO_F_VERSION_1;
    const names: string[] = [];
    for (const [i, [name, bit]] of bits.entries()) {
      if ((mask & (1 << i)) === 0) continue;
      features |= bit;
      names.push(name);
    }
    sets.push({ name: names.join("+") || "split", features });
  }
  return sets;
}
