/** Launches: modules, compiled kernels, scratch memory and the core's execution loops. */
export { type ExecArtifacts, loadArtifacts, openKernelCache } from "./artifacts.ts";
export { Executor } from "./executor.ts";
export { formatPrintf } from "./printf.ts";
export type {
  ExecHost,
  ExecOptions,
  KernelFault,
  KernelInfo,
  LaunchRequest,
  LoadedModule,
  ParamInfo,
  SymbolInfo,
} from "./types.ts";
