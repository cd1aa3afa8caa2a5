import type { CompiledKernel } from "../compiler/index.ts";
import type { GuestMemory } from "../memory/index.ts";
import type { KernelHost } from "./host.ts";
import * as L from "./layout.ts";
import type { KernelFault, LaunchRequest } from "./types.ts";

/** cudaError_t of the faults that kernels make, with the words for them. */
const KINDS: Record<number, string> = {
  700: "an illegal memory access",
  702: "the launch timed out",
  710: "a device-side assert",
  714: "a stack overflow",
  716: "a misaligned address",
  719: "an unspecified launch failure",
};

/**
 * Tells what ended a launch early.
 * @param cause runLaunch's result (1 deadline, 2 fault record, 3 deadlock) or what the engine threw
 */
export function describeFault(
  memory: GuestMemory,
  launch: number,
  request: LaunchRequest,
  compiled: CompiledKernel,
  host: KernelHost,
  cause: unknown,
): KernelFault {
  const { view } = memory;
  const record = launch + L.LAUNCH_FAULT;
  const u32 = (offset: number) => view.getUint32(record + offset, true);
  let code = u32(L.FAULT_CODE);
  let detail = "";
  if (code === 0) {
    if (cause === 1) code = 702;
    else if (cause === 3) {
      code = 702;
      detail = "its threads wait at barriers for each other and none can go on";
    } else if (cause instanceof RangeError) {
      code = 714;
      detail = "the engine's stack is exhausted";
    } else {
      code = 719;
      detail = cause instanceof Error ? cause.message : String(cause);
    }
  }
  const faulted = u32(L.FAULT_CODE) !== 0;
  const block: [number, number, number] = faulted
    ? [u32(L.FAULT_BLOCK_X), u32(L.FAULT_BLOCK_Y), u32(L.FAULT_BLOCK_Z)]
    : [0, 0, 0];
  const linear = faulted ? u32(L.FAULT_THREAD) : 0;
  const [x, y] = request.block;
  const thread: [number, number, number] = [
    linear % x,
    Math.floor(linear / x) % y,
    Math.floor(linear / x / y),
  ];
  const address = faulted ? u32(L.FAULT_ADDRESS) + u32(L.FAULT_ADDRESS + 4) * 2 ** 32 : 0;
  const site = faulted ? compiled.sites[u32(L.FAULT_SITE)] : undefined;
  const kind = KINDS[code] ?? `error ${code}`;
  const line = site?.sourceLine ?? site?.line ?? 0;
  const file = site?.sourceLine !== undefined ? (site.file ?? "") : "";
  let message = `kernel ${request.kernel}: ${kind}`;
  if (code === 700 || code === 716) message += ` at address 0x${address.toString(16)}`;
  if (faulted) message += `, block (${block.join(", ")}), thread (${thread.join(", ")})`;
  if (site) {
    message += file ? `, ${file}:${line}` : "";
    message += `, PTX line ${site.line}: ${site.text}`;
  }
  if (detail) message += `: ${detail}`;
  if (code === 710 && host.assertion) message = host.assertion;
  return { code, kind, kernel: request.kernel, block, thread, address, line, file, message };
}
