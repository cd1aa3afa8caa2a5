/** The Worker that a machine with device "worker" runs its device in. */
import { VirtioGpu } from "../device/virtio-gpu.ts";
import { GuestMemory } from "../memory/index.ts";
import { deviceLoop, interruptGroup } from "./device-loop.ts";
import { deviceWorkspace, guestRegions } from "./layout.ts";
import { loadExecutor } from "./load-executor.ts";
import type { DeviceWorkerStart } from "./machine.ts";
import * as R from "./registers.ts";
import { onFirstMessage } from "./threads.ts";

const { post, message } = await onFirstMessage<DeviceWorkerStart>();
const { registers } = message;
try {
  const memory = new GuestMemory(message.memory, message.map, message.base);
  const gpu = new VirtioGpu({
    memory,
    core: message.core,
    description: message.description,
    executor: await loadExecutor(message.executor, message.options),
    workspace: deviceWorkspace(memory.map),
    regions: guestRegions(memory.map),
    interrupt: (index) => interruptGroup(registers, index),
    deferred: true,
  });
  post("ready");
  deviceLoop(gpu, registers);
  gpu.device.executor.dispose();
} catch (error) {
  post(`device thread: ${error instanceof Error ? error.stack : String(error)}`);
} finally {
  // Whoever waits for the device must not wait for ever.
  Atomics.store(registers, R.STOP, 1);
  interruptGroup(registers, -1);
}
