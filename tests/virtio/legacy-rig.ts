import {
  DriverQueue,
  VirtioDevice,
  virtioNotify,
  virtqueuePop,
  virtqueuePush,
} from "../../runtime/virtio/index.ts";
import { core, RAM_END, RAM_SIZE, RAM_START } from "./rig.ts";

/** A transitional device that offers `features`, and the queue of a driver that accepts some. */
export function legacyRig(options: { features: bigint; accepted: bigint; legacy?: boolean }) {
  const { features, accepted, legacy = true } = options;
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const interrupts: number[] = [];
  const log: string[] = [];
  const device = new VirtioDevice({
    core,
    memory,
    deviceId: 1,
    vendorId: 1,
    features,
    config: new Uint8Array(4),
    queues: [{ maxSize: 8 }],
    workspace: RAM_END + 0x10000,
    regions: [{ guest: RAM_START, size: RAM_SIZE, offset: RAM_START }],
    legacy,
    onNotify: (vq) => {
      for (let e = virtqueuePop(vq); e; e = virtqueuePop(vq)) {
        virtqueuePush(vq, e, 0);
        virtioNotify(vq);
      }
    },
    interrupt: (index) => void interrupts.push(index),
    log: (message) => void log.push(message),
  });
  const driver = new DriverQueue<number>({
    core,
    memory,
    index: 0,
    size: 8,
    base: RAM_START,
    workspace: RAM_END,
    features: accepted,
    notify: () => {},
  });
  return { memory, device, driver, interrupts, log };
}
