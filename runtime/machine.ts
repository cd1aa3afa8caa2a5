/** A machine: guest memory, the vGPU (in this thread or in a Worker of its own) and its driver. */
export type { ExecutionOptions, ExecutorModule } from "./machine/load-executor.ts";
export {
  attachMachine,
  createMachine,
  Machine,
  MachineError,
  type MachineHandle,
  type MachineOptions,
} from "./machine/machine.ts";
