/** PTX to WebAssembly: the parser, the passes and the writer (docs/architecture.md). */
export {
  type CompiledKernel,
  type CompileOptions,
  compileKernel,
  type LoweredKernel,
  lowerKernel,
  mostOperations,
} from "./compile.ts";
export type { EmitOptions } from "./emit/kernel.ts";
export type { Region, Site, Value } from "./ir/ir.ts";
export { printRegion } from "./ir/print.ts";
export { layoutModule, type ModuleLayout } from "./lower/context.ts";
export { kernelParamOffset } from "./lower/function.ts";
export { lowerings } from "./lower/instructions.ts";
export { PASSES, type PassObserver } from "./pipeline.ts";
export type { PtxFunction, PtxModule, Variable } from "./ptx/ast.ts";
export { PtxError } from "./ptx/ast.ts";
export { parsePtx } from "./ptx/index.ts";
export { formatReport, type KernelReport, reportKernel } from "./report.ts";
export { DeviceLibrary } from "./wasm/library.ts";
