/** The device's thread: it serves registers and queues of all host threads until it is stopped. */
import type { VirtioGpu } from "../device/virtio-gpu.ts";
import { CONFIG_SIZE, MAX_QUEUE_GROUPS, QUEUES_PER_GROUP } from "../protocol/definitions.ts";
import { STATUS_DRIVER_OK } from "../virtio/index.ts";
import * as R from "./registers.ts";

/** Rings the bell of the group that a queue belongs to; of all groups for a new status (-1). */
export function interruptGroup(registers: Int32Array, index: number): void {
  const group = Math.floor(index / QUEUES_PER_GROUP);
  for (let g = 0; g < MAX_QUEUE_GROUPS; g++) {
    if (index >= 0 && g !== group) continue;
    Atomics.add(registers, R.GROUP_BELL + g, 1);
    Atomics.notify(registers, R.GROUP_BELL + g);
  }
}

/**
 * Serves the device until STOP is set. Requests are accepted between any two pieces of work, so
 * that queued launches do not keep others from asking.
 * @param gpu made with `deferred: true` and `interruptGroup` as its interrupt
 */
export function deviceLoop(gpu: VirtioGpu, registers: Int32Array<SharedArrayBuffer>): void {
  let idle = 0;
  while (Atomics.load(registers, R.STOP) === 0) {
    const bell = Atomics.load(registers, R.BELL);
    const notified = Atomics.exchange(registers, R.NOTIFIED, 0);
    for (let q = 0; notified >>> q !== 0; q++) {
      if ((notified >>> q) & 1) gpu.virtio.notify(q);
    }
    if (Atomics.load(registers, R.MAIL) === R.MAIL_REQUEST) serveMail(gpu, registers);
    const worked = gpu.turn();
    Atomics.store(registers, R.STATUS, gpu.virtio.status);
    if (worked || notified !== 0) {
      idle = 0;
    } else if (++idle > R.SPIN_ROUNDS) {
      Atomics.wait(registers, R.BELL, bell);
    }
  }
}

function serveMail(gpu: VirtioGpu, registers: Int32Array<SharedArrayBuffer>): void {
  const { virtio } = gpu;
  const arg = (i: number): number => Atomics.load(registers, R.WORDS + i) >>> 0;
  const answer = (...values: number[]): void => {
    values.forEach((value, i) => {
      Atomics.store(registers, R.WORDS + i, value | 0);
    });
  };
  const halves = (value: bigint): [number, number] => [
    Number(value & 0xffffffffn),
    Number(value >> 32n),
  ];
  switch (Atomics.load(registers, R.OPERATION)) {
    case R.OP_DEVICE_FEATURES:
      answer(...halves(virtio.deviceFeatures));
      break;
    case R.OP_DRIVER_FEATURES:
      virtio.setDriverFeatures(BigInt(arg(0)) | (BigInt(arg(1)) << 32n));
      break;
    case R.OP_NEGOTIATED:
      answer(virtio.status & STATUS_DRIVER_OK ? 1 : 0, ...halves(virtio.driverFeatures));
      break;
    case R.OP_STATUS:
      virtio.writeStatus(arg(0));
      break;
    case R.OP_CONFIG: {
      const config = new Uint8Array(CONFIG_SIZE);
      virtio.readConfig(0, config);
      answer(...new Int32Array(config.buffer));
      break;
    }
    case R.OP_QUEUE_SIZE:
      answer(virtio.queueMaxSize(arg(0)));
      break;
    case R.OP_ENABLE:
      virtio.setQueue(arg(0), { size: arg(1), desc: arg(2), driver: arg(3), device: arg(4) });
      gpu.virtio.enableQueue(arg(0));
      break;
    case R.OP_RESET:
      virtio.resetQueue(arg(0));
      break;
  }
  Atomics.store(registers, R.STATUS, virtio.status);
  Atomics.store(registers, R.MAIL, R.MAIL_ANSWER);
  Atomics.notify(registers, R.MAIL);
}
