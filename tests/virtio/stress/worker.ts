// One side of the stress test, in a thread of its own.

import { parentPort } from "node:worker_threads";
import {
  DeviceQueue,
  Doorbell,
  DriverQueue,
  type Scatterlist,
  sgInitOne,
  virtqueueAddSgs,
  virtqueueDisableCb,
  virtqueueEmpty,
  virtqueueEnableCb,
  virtqueueGetBuf,
  virtqueueKick,
  virtqueuePopRequest,
  virtqueuePushResponse,
  virtqueueSetNotification,
} from "../../../runtime/virtio/index.ts";
import { RAM_SIZE, RAM_START } from "../ram.ts";
import * as layout from "./layout.ts";

let task: layout.StressTask;
let deviceBell: Doorbell;
let driverBell: Doorbell;
let sleeps = 0;
let notifications = 0;

function report(done: number, finished: boolean, error = ""): void {
  const message: layout.StressReport = {
    side: task.side,
    done,
    finished,
    error,
    sleeps,
    notifications,
  };
  parentPort?.postMessage(message);
}

class Wrong extends Error {}

function sleep(bell: Doorbell, seen: number): void {
  sleeps++;
  if (!bell.wait(seen, layout.LOST_MS)) throw new Wrong("a notification was lost");
}

/** Sends requests with all the room there is, and checks every response. */
function drive(driver: DriverQueue<number>): void {
  const words = new Uint32Array(task.memory.buffer);
  const { size, count } = task;
  const sequences = new Float64Array(size);
  const free = Array.from({ length: size >> 1 }, (_, slot) => slot);
  const lists = free.map((slot): [Scatterlist[], Scatterlist[]] => {
    const at = layout.SLOTS + slot * layout.SLOT_BYTES;
    const bytes = 4 * layout.WORDS;
    return [[sgInitOne(at, bytes)], [sgInitOne(at + layout.RESPONSE_AT, bytes)]];
  });
  let sent = 0;
  let done = 0;
  virtqueueDisableCb(driver);
  while (done < count) {
    while (sent < count && free.length > 0) {
      const slot = free.pop()!;
      const at = (layout.SLOTS + slot * layout.SLOT_BYTES) >>> 2;
      for (let i = 0; i < layout.WORDS; i++) words[at + i] = layout.requestWord(sent, i);
      const [out, into] = lists[slot]!;
      const error = virtqueueAddSgs(driver, out, into, slot);
      if (error !== 0) throw new Wrong(`add: ${error}, ${driver.error}`);
      sequences[slot] = sent++;
    }
    virtqueueKick(driver);
    const before = done;
    for (let slot = virtqueueGetBuf(driver); slot !== undefined; slot = virtqueueGetBuf(driver)) {
      const sequence = sequences[slot]!;
      if (sequence < 0) throw new Wrong(`slot ${slot} came back twice`);
      if (driver.usedLength !== 4 * layout.WORDS) throw new Wrong(`length ${driver.usedLength}`);
      const at = (layout.SLOTS + slot * layout.SLOT_BYTES + layout.RESPONSE_AT) >>> 2;
      for (let i = 0; i < layout.WORDS; i++) {
        if (words[at + i] !== layout.responseWord(sequence, i)) {
          throw new Wrong(`response ${sequence} is torn`);
        }
      }
      sequences[slot] = -1;
      free.push(slot);
      done++;
      if (done % layout.REPORT_EVERY === 0) report(done, false);
    }
    if (driver.error !== "") throw new Wrong(driver.error);
    if (done > before || done === count) continue;
    const seen = driverBell.count;
    if (virtqueueEnableCb(driver)) sleep(driverBell, seen);
    virtqueueDisableCb(driver);
  }
  report(done, true);
}

/** Serves requests, which must come one after the other and whole. */
function serve(device: DeviceQueue, broken: () => string): void {
  const { count } = task;
  let done = 0;
  virtqueueSetNotification(device, false);
  while (done < count) {
    const element = virtqueuePopRequest(device, 4 * layout.WORDS);
    if (element !== undefined) {
      for (let i = 0; i < layout.WORDS; i++) {
        if (device.header.getUint32(4 * i, true) !== layout.requestWord(done, i)) {
          throw new Wrong(`request ${done} is lost, doubled or torn`);
        }
        device.response.setUint32(4 * i, layout.responseWord(done, i), true);
      }
      virtqueuePushResponse(element, 4 * layout.WORDS);
      done++;
      continue;
    }
    if (broken() !== "") throw new Wrong(broken());
    const seen = deviceBell.count;
    virtqueueSetNotification(device, true);
    if (virtqueueEmpty(device)) sleep(deviceBell, seen);
    virtqueueSetNotification(device, false);
  }
  report(done, true);
}

/** One task: makes this side of the queue and runs it to the end. */
function run(): void {
  try {
    const { core, memory, features, size } = task;
    let error = "";
    const driver = new DriverQueue<number>({
      core,
      // The device's side needs the addresses only: it lays out a queue in a memory of no account.
      memory:
        task.side === "driver"
          ? memory
          : new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true }),
      index: 0,
      size,
      base: layout.QUEUE_BASE,
      workspace: layout.DRIVER_WORKSPACE,
      features,
      notify: () => {
        notifications++;
        deviceBell.ring();
      },
    });
    if (task.side === "driver") {
      drive(driver);
    } else {
      const device = new DeviceQueue({
        core,
        memory,
        index: 0,
        size,
        ...driver.addresses,
        workspace: layout.DEVICE_WORKSPACE,
        regions: [{ guest: RAM_START, size: RAM_SIZE, offset: RAM_START }],
        features,
        notify: () => {
          notifications++;
          driverBell.ring();
        },
        onError: (reason) => {
          error = reason;
        },
      });
      serve(device, () => error);
    }
  } catch (error) {
    report(0, true, error instanceof Error ? error.message : String(error));
  }
}

parentPort?.on("message", (message: layout.StressTask) => {
  task = message;
  deviceBell = new Doorbell(task.memory, layout.DEVICE_BELL);
  driverBell = new Doorbell(task.memory, layout.DRIVER_BELL);
  sleeps = 0;
  notifications = 0;
  run();
});
