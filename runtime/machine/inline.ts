/** A machine whose device runs in the thread that uses it, inside the kick. */
import type { DeviceOptions } from "../device/device.ts";
import { VirtioGpu } from "../device/virtio-gpu.ts";
import { DriverModule } from "../driver/index.ts";
import type { GuestMemory } from "../memory/index.ts";
import { deviceWorkspace, groupLayout, guestRegions } from "./layout.ts";
import { LocalTransport } from "./local-transport.ts";

/** What an inline machine is made of. */
export interface InlineParts extends DeviceOptions {
  readonly memory: GuestMemory;
  readonly core: WebAssembly.Module;
  /** Says what a guest did wrong. */
  readonly log?: (message: string) => void;
  /** Features that the driver is not to use. */
  readonly without?: bigint;
}

/** Device, transport and driver of one thread. */
export interface InlineMachine {
  readonly gpu: VirtioGpu;
  readonly driver: DriverModule;
}

/**
 * Puts an inline machine together.
 * @param parts memory, core, executor factory and the device's description
 */
export function inlineMachine(parts: InlineParts): InlineMachine {
  const { memory, core } = parts;
  let transport: LocalTransport | undefined;
  const gpu = new VirtioGpu({
    ...parts,
    workspace: deviceWorkspace(memory.map),
    regions: guestRegions(memory.map),
    interrupt: (index) => transport?.interrupt(index),
  });
  transport = new LocalTransport(gpu);
  const { guestRam, workspace } = groupLayout(memory.map, 0);
  const driver = new DriverModule({
    memory,
    core,
    transport,
    guestRam,
    workspace,
    ...(parts.without === undefined ? {} : { without: parts.without }),
  });
  return { gpu, driver };
}
