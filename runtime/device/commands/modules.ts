/** Modules, the functions in them and their variables. */
import type { LoadedModule } from "../../exec/index.ts";
import { selectPtx } from "../../image/index.ts";
import * as P from "../../protocol/definitions.ts";
import {
  cudaErrorInvalidKernelImage,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorSymbolNotFound,
  cudaSuccess,
} from "../../protocol/errors.ts";
import type { Call } from "../call.ts";
import { requiredCluster } from "../clusters.ts";
import type { Device } from "../device.ts";
import {
  type KernelFunction,
  type Module,
  newFunction,
  newModule,
  unloadModule,
} from "../module.ts";
import { COMPUTE_MAJOR, COMPUTE_MINOR } from "../properties.ts";
import type { Command, CommandFamily } from "../table.ts";

/** Most bytes of an image or a name that are taken from a guest. */
const MAX_IMAGE_BYTES = 1 << 30;
const MAX_NAME_BYTES = 1 << 16;

/** Reads variable input; undefined (and the detail set) if there is less of it than announced. */
function input(call: Call, bytes: number, most: number): Uint8Array | undefined {
  if (bytes > most || call.inputBytes < bytes) {
    call.detail(P.DETAIL_BAD_LENGTH);
    return undefined;
  }
  const data = new Uint8Array(bytes);
  call.readInput(0, data, bytes);
  return data;
}

/** Loads one part a translation unit; what was loaded goes again if a later one is refused. */
function loadParts(
  device: Device,
  texts: readonly string[],
  twin: Module | undefined,
): LoadedModule[] {
  const parts: LoadedModule[] = [];
  try {
    for (const [i, text] of texts.entries()) {
      parts.push(device.executor.loadModule(text, undefined, twin?.parts[i]));
    }
    return parts;
  } catch (error) {
    for (const part of parts) part.unload();
    throw error;
  }
}

/** The image of a MODULE_LOAD: a private copy, which nobody changes while it is read. */
function readImage(device: Device, call: Call): Uint8Array | undefined {
  const bytes = call.u32(P.MODULE_LOAD_BYTES);
  const flags = call.u32(P.MODULE_LOAD_FLAGS);
  if (flags === 0) return input(call, bytes, MAX_IMAGE_BYTES);
  if (flags !== P.MODULE_IMAGE_MAPPED) return undefined;
  const offset = device.allocations.range(call.u64(P.MODULE_LOAD_ADDRESS), bytes);
  return offset < 0 ? undefined : device.memory.bytes(offset, bytes).slice();
}

const load: Command = {
  responseBytes: P.MODULE_LOAD_RESPONSE_SIZE,
  context: true,
  creates: true,
  run(device: Device, call: Call): number {
    const { context } = call;
    const twinHandle = call.u32(P.MODULE_LOAD_TWIN);
    const twin = device.module(twinHandle);
    if (twinHandle !== 0 && twin === undefined) return cudaErrorInvalidResourceHandle;
    const image = readImage(device, call);
    if (image === undefined) return cudaErrorInvalidValue;
    try {
      device.current = context;
      const module = newModule(device.newHandle(), loadParts(device, selectPtx(image).ptx, twin));
      context.modules.set(module.handle, module);
      call.set32(P.MODULE_LOAD_MODULE, module.handle);
      call.set32(P.MODULE_LOAD_FUNCTIONS, module.names.length);
      return cudaSuccess;
    } catch (error) {
      // Images come from guests: whatever is wrong with one is an answer, never an exception.
      const text = new TextEncoder().encode(errorText(error));
      call.set32(P.MODULE_LOAD_LOG_LENGTH, call.writeOutput(text, text.length));
      const code = (error as { code?: unknown }).code;
      return typeof code === "number" ? code : cudaErrorInvalidKernelImage;
    }
  },
};

/** What is wrong with an image; PTX errors say where. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { line, column, kernel } = error as { line?: number; column?: number; kernel?: string };
  // Bun gives every error a line: that of our own source.
  if (error.name !== "PtxError" || !line) return error.message;
  const where = `line ${line}${column ? `, column ${column}` : ""}`;
  return `${where}${kernel ? `, in ${kernel}` : ""}: ${error.message}`;
}

const unload: Command = {
  responseBytes: P.MODULE_UNLOAD_RESPONSE_SIZE,
  context: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    const { context } = call;
    const module = context.modules.get(call.u32(P.MODULE_UNLOAD_MODULE));
    if (module === undefined) return cudaErrorInvalidResourceHandle;
    context.modules.delete(module.handle);
    for (const fn of module.functions.values()) context.functions.delete(fn.handle);
    return device.whenDone(call, context, () => unloadModule(module));
  },
};

/** The function of a module by name, with a handle from now on. */
function functionOf(device: Device, call: Call, module: Module, name: string) {
  const known = module.functions.get(name);
  if (known !== undefined) return known;
  const fn = newFunction(device.newHandle(), module, name);
  if (fn === undefined) return undefined;
  module.functions.set(name, fn);
  call.context.functions.set(fn.handle, fn);
  return fn;
}

function describe(call: Call, fn: KernelFunction): void {
  const { info } = fn;
  const name = new TextEncoder().encode(info.name);
  call.set32(P.FUNCTION_GET_FUNCTION, fn.handle);
  call.set32(P.FUNCTION_GET_PARAMETER_BYTES, info.paramBytes);
  call.set32(P.FUNCTION_GET_PARAMETER_COUNT, info.params.length);
  call.set32(P.FUNCTION_GET_NAME_BYTES, name.length);
  call.set32(P.FUNCTION_GET_SHARED_BYTES, info.sharedBytes);
  call.set32(P.FUNCTION_GET_LOCAL_BYTES, info.localBytes);
  call.set32(P.FUNCTION_GET_CONST_BYTES, info.constBytes);
  call.set32(P.FUNCTION_GET_REGISTERS, info.numRegs);
  call.set32(P.FUNCTION_GET_MAX_THREADS, info.maxThreadsPerBlock);
  call.set32(P.FUNCTION_GET_MAX_DYNAMIC_SHARED, fn.maxDynamicShared);
  call.set32(P.FUNCTION_GET_PTX_VERSION, info.ptxVersion);
  call.set32(P.FUNCTION_GET_BINARY_VERSION, COMPUTE_MAJOR * 10 + COMPUTE_MINOR);
  const clusters = info.explicitCluster || requiredCluster(fn) !== undefined;
  call.set32(P.FUNCTION_GET_CLUSTERS, clusters ? 1 : 0);
  const table = new DataView(new ArrayBuffer(info.params.length * P.PARAMETER_SIZE));
  info.params.forEach((param, i) => {
    table.setUint32(i * P.PARAMETER_SIZE + P.PARAMETER_OFFSET, param.offset, true);
    table.setUint32(i * P.PARAMETER_SIZE + P.PARAMETER_BYTES, param.size, true);
  });
  // A driver that offers less room gets less: the counts tell it how much there is.
  call.writeOutput(new Uint8Array(table.buffer), table.byteLength);
  call.writeOutput(name, name.length);
}

const getFunction: Command = {
  responseBytes: P.FUNCTION_GET_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const module = call.context.modules.get(call.u32(P.FUNCTION_GET_MODULE));
    if (module === undefined) return cudaErrorInvalidResourceHandle;
    const length = call.u32(P.FUNCTION_GET_NAME_LENGTH);
    const index = call.u32(P.FUNCTION_GET_INDEX);
    let name = module.names[index];
    if (length > 0) {
      const bytes = input(call, length, MAX_NAME_BYTES);
      if (bytes === undefined) return cudaErrorInvalidValue;
      name = new TextDecoder().decode(bytes);
    }
    const fn = name === undefined ? undefined : functionOf(device, call, module, name);
    if (fn === undefined) return cudaErrorSymbolNotFound;
    describe(call, fn);
    return cudaSuccess;
  },
};

const getSymbol: Command = {
  responseBytes: P.SYMBOL_GET_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const module = call.context.modules.get(call.u32(P.SYMBOL_GET_MODULE));
    if (module === undefined) return cudaErrorInvalidResourceHandle;
    const bytes = input(call, call.u32(P.SYMBOL_GET_NAME_LENGTH), MAX_NAME_BYTES);
    if (bytes === undefined) return cudaErrorInvalidValue;
    const name = new TextDecoder().decode(bytes);
    const symbol = module.parts.map((part) => part.symbols.get(name)).find((found) => found);
    if (symbol === undefined) return cudaErrorSymbolNotFound;
    call.set64(P.SYMBOL_GET_ADDRESS, symbol.address);
    call.set64(P.SYMBOL_GET_BYTES, symbol.size);
    call.set32(P.SYMBOL_GET_SPACE, symbol.space === "const" ? P.SYMBOL_CONST : P.SYMBOL_GLOBAL);
    return cudaSuccess;
  },
};

/** The family: MODULE_*, FUNCTION_GET, SYMBOL_GET. */
export const moduleCommands: CommandFamily = new Map([
  [P.COMMAND_MODULE_LOAD, load],
  [P.COMMAND_MODULE_UNLOAD, unload],
  [P.COMMAND_FUNCTION_GET, getFunction],
  [P.COMMAND_SYMBOL_GET, getSymbol],
]);
