import assert from "node:assert/strict";
import * as cuda from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { Fixture, type ParameterType, TYPES } from "./entry-types.ts";
import { withTwoDevices } from "./support.ts";

type Parameter = keyof typeof TYPES | { readonly is: unknown };

/** A parameter with that value always. */
const is = (value: unknown): Parameter => ({ is: value });

const noNode = { fn: () => {} };
const kernelNode = { func: "nothing", gridDim: 1, blockDim: 1, kernelParams: [] };
const poolProps = { allocType: 1, location: { type: 1, id: 0 } };

/** The parameters of every call that can be given something wrong. */
const TABLE: Record<string, Parameter[]> = {
  __cudaGetKernel: ["out", "registered kernel"],
  __cudaLaunchKernel: ["kernel handle", "shape", "shape", "arguments", "shared", "own stream"],
  cudaDeviceCanAccessPeer: ["out", "device", "device"],
  cudaDeviceGetAttribute: ["out", is(1), "device"],
  cudaDeviceGetCacheConfig: ["out"],
  cudaDeviceGetDefaultMemPool: ["out", "device"],
  cudaDeviceGetLimit: ["out", is(0)],
  cudaDeviceGetMemPool: ["out", "device"],
  cudaDeviceGetPCIBusId: ["out", "device"],
  cudaDeviceGetByPCIBusId: ["out", is("0000:01:00.0")],
  cudaArrayGetInfo: ["out?", "out?", "out?", "array"],
  cudaFreeArray: ["array"],
  cudaGetChannelDesc: ["out", "array"],
  cudaMemcpy2DFromArray: [
    "host memory",
    "pitch",
    "array",
    is(0),
    is(0),
    "width",
    "rows",
    "to host",
  ],
  cudaMemcpy2DToArray: [
    "array",
    is(0),
    is(0),
    "host memory",
    "pitch",
    "width",
    "rows",
    "to device",
  ],
  cudaChooseDevice: ["out", is({ major: 9 })],
  cudaDeviceSetLimit: [is(2), "size"],
  cudaDeviceSetMemPool: ["device", "pool"],
  cudaDriverGetVersion: ["out"],
  cudaEventCreate: ["out"],
  cudaEventCreateWithFlags: ["out", is(0)],
  cudaEventDestroy: ["event"],
  cudaEventElapsedTime: ["out", "event", "own event"],
  cudaEventQuery: ["event"],
  cudaEventRecord: ["own event", "own stream"],
  cudaEventRecordWithFlags: ["own event", "own stream", is(0)],
  cudaEventSynchronize: ["event"],
  cudaFree: ["memory to free"],
  cudaFreeAsync: ["memory to free", "own stream"],
  cudaFreeHost: ["pinned to free"],
  cudaFuncGetAttributes: ["out", "kernel"],
  cudaFuncGetName: ["out", "kernel"],
  cudaFuncSetAttribute: ["kernel", is(8), is(0)],
  cudaFuncSetCacheConfig: ["kernel", is(0)],
  cudaGetDevice: ["out"],
  cudaGetDeviceCount: ["out"],
  cudaGetDeviceFlags: ["out"],
  cudaGetDeviceProperties: ["out", "device"],
  cudaGetKernel: ["out", "registered kernel"],
  cudaGetSymbolAddress: ["out", "symbol"],
  cudaGetSymbolSize: ["out", "symbol"],
  cudaGraphAddChildGraphNode: ["out", "graph", "nodes", "graph"],
  cudaGraphAddEmptyNode: ["out", "graph", "nodes"],
  cudaGraphAddEventRecordNode: ["out", "graph", "nodes", "own event"],
  cudaGraphAddEventWaitNode: ["out", "graph", "nodes", "own event"],
  cudaGraphAddHostNode: ["out", "graph", "nodes", is(noNode)],
  cudaGraphAddKernelNode: ["out", "graph", "nodes", is(kernelNode)],
  cudaGraphAddMemcpyNode1D: [
    "out",
    "graph",
    "nodes",
    "memory",
    "memory",
    "size in memory",
    "in device",
  ],
  cudaGraphClone: ["out", "graph"],
  cudaGraphCreate: ["out"],
  cudaGraphDestroy: ["graph"],
  cudaGraphDestroyNode: ["node"],
  cudaGraphExecDestroy: ["exec"],
  cudaGraphGetNodes: ["graph", is({ value: [] })],
  cudaGraphGetRootNodes: ["graph", is({ value: [] })],
  cudaGraphInstantiate: ["out", "graph"],
  cudaGraphInstantiateWithFlags: ["out", "graph", is(0)],
  cudaGraphLaunch: ["exec", "own stream"],
  cudaGraphNodeGetDependencies: ["node", is({ value: [] })],
  cudaGraphNodeGetDependentNodes: ["node", is({ value: [] })],
  cudaGraphNodeGetType: ["node", "out"],
  cudaHostAlloc: ["out", "size to allocate", is(0)],
  cudaHostGetDevicePointer: ["out", "pinned", is(0)],
  cudaHostGetFlags: ["out", "pinned"],
  cudaLaunchCooperativeKernel: ["kernel", "shape", "shape", "arguments", "shared", "own stream"],
  cudaLaunchHostFunc: ["stream", "function"],
  cudaLaunchKernel: ["kernel", "shape", "shape", "arguments", "shared", "own stream"],
  cudaLaunchKernelExC: [is({ gridDim: 1, blockDim: 1 }), "kernel", "arguments"],
  cudaLibraryGetGlobal: ["out", "out?", "library", is("factors")],
  cudaLibraryGetKernel: ["out", "library", is("nothing")],
  cudaLibraryGetKernelCount: ["out", "library"],
  cudaLibraryLoadData: ["out", "image"],
  cudaLibraryUnload: ["library to end"],
  cudaMalloc: ["out", "size to allocate"],
  cudaMallocAsync: ["out", "size to allocate", "own stream"],
  cudaMallocFromPoolAsync: ["out", "size to allocate", "pool", "own stream"],
  cudaMallocHost: ["out", "size to allocate"],
  cudaMallocManaged: ["out", "size to allocate"],
  cudaMallocPitch: ["out", "out", "size", "size"],
  cudaMemcpy: ["memory", "host memory", "size in memory", "to device"],
  cudaMemcpy2D: ["memory", "pitch", "host memory", "pitch", "width", "height", "to device"],
  cudaMemcpy2DAsync: [
    "memory",
    "pitch",
    "host memory",
    "pitch",
    "width",
    "height",
    "to device",
    "own stream",
  ],
  cudaMemcpyAsync: ["host memory", "memory", "size in memory", "to host", "own stream"],
  cudaMemcpyFromSymbol: ["host memory", "symbol", "size in 16", "offset in 16", "to host"],
  cudaMemcpyFromSymbolAsync: [
    "host memory",
    "symbol",
    "size in 16",
    "offset in 16",
    "to host",
    "own stream",
  ],
  cudaMemcpyPeerAsync: ["memory", "device", "memory", "device", "size in memory", "own stream"],
  cudaMemcpyPeer: ["memory", "device", "memory", "device", "size in memory"],
  cudaMemcpyToSymbol: ["symbol", "host memory", "size in 16", "offset in 16", "to device"],
  cudaMemcpyToSymbolAsync: [
    "symbol",
    "host memory",
    "size in 16",
    "offset in 16",
    "to device",
    "own stream",
  ],
  cudaMemAdvise: ["managed", "size in memory to use", is(1), is({ type: 1, id: 0 })],
  cudaMemPrefetchAsync: [
    "managed",
    "size in memory to use",
    is({ type: 2, id: 0 }),
    is(0),
    "stream",
  ],
  cudaMemPoolCreate: ["out", is(poolProps)],
  cudaMemPoolDestroy: ["pool"],
  cudaMemPoolGetAttribute: ["pool", is(4), "out"],
  cudaMemPoolSetAttribute: ["pool", is(4), "size"],
  cudaMemPoolTrimTo: ["pool", "size"],
  cudaMemset: ["memory", is(1), "size in memory"],
  cudaMemset2D: ["memory", "pitch", is(1), "width", "height"],
  cudaMemset2DAsync: ["memory", "pitch", is(1), "width", "height", "own stream"],
  cudaMemsetAsync: ["memory", is(1), "size in memory", "own stream"],
  cudaOccupancyAvailableDynamicSMemPerBlock: ["out", "kernel", is(1), is(32)],
  cudaOccupancyMaxActiveBlocksPerMultiprocessor: ["out", "kernel", is(32), "size"],
  cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags: ["out", "kernel", is(32), "size", is(0)],
  cudaOccupancyMaxActiveClusters: ["out", "kernel", is({ gridDim: 1, blockDim: 1 })],
  cudaOccupancyMaxPotentialBlockSize: ["out", "out", "kernel"],
  cudaOccupancyMaxPotentialClusterSize: ["out", "kernel", is({ gridDim: 1, blockDim: 1 })],
  cudaPointerGetAttributes: ["out", is(4096)],
  cudaRuntimeGetVersion: ["out"],
  cudaSetDevice: ["device"],
  cudaStreamAddCallback: ["stream", "function"],
  cudaStreamAttachMemAsync: ["stream", "managed"],
  cudaStreamCreate: ["out"],
  cudaStreamCreateWithFlags: ["out", is(0)],
  cudaStreamCreateWithPriority: ["out", is(0), is(0)],
  cudaStreamDestroy: ["made stream"],
  cudaStreamGetAttribute: ["stream", is(1), "out"],
  cudaStreamGetCaptureInfo: ["stream", "out"],
  cudaStreamGetDevice: ["stream", "out"],
  cudaStreamGetFlags: ["stream", "out"],
  cudaStreamGetId: ["stream", "out"],
  cudaStreamGetPriority: ["stream", "out"],
  cudaStreamIsCapturing: ["stream", "out"],
  cudaStreamQuery: ["stream"],
  cudaStreamSetAttribute: ["stream", is(1), is({})],
  cudaStreamSynchronize: ["stream"],
  cudaStreamWaitEvent: ["stream", "event", is(0)],
};

/** Calls without an argument that can be wrong, and those whose tests are in other files. */
const ELSEWHERE = new Set([
  // No arguments, or none that can be wrong.
  "__cudaInitModule",
  "__cudaRegisterFatBinary",
  "__cudaRegisterFatBinaryEnd",
  "__cudaRegisterFunction",
  "__cudaRegisterVar",
  "__cudaUnregisterFatBinary",
  "cudaCreateChannelDesc",
  "cudaCtxResetPersistingL2Cache",
  "cudaDeviceReset",
  "cudaDeviceSynchronize",
  "cudaGetErrorName",
  "cudaGetErrorString",
  "cudaGetLastError",
  "cudaMemGetInfo",
  "cudaPeekAtLastError",
  "cudaProfilerStart",
  "cudaProfilerStop",
  "cudaThreadSynchronize",
  "cudaDeviceGetStreamPriorityRange",
  // Configured launches: launch.test.ts.
  "__cudaPopCallConfiguration",
  "__cudaPushCallConfiguration",
  "cudaConfigureCall",
  "cudaLaunch",
  "cudaSetupArgument",
  // Flags and enumerations only: functions.test.ts.
  "cudaDeviceSetCacheConfig",
  "cudaSetDeviceFlags",
  "cudaFuncGetParamInfo",
  // Structures: pitched.test.ts.
  "cudaMalloc3D",
  "cudaMemcpy3D",
  "cudaMemcpy3DAsync",
  "cudaMemset3D",
  "cudaMemset3DAsync",
  // Descriptions, and offsets that must fit: textures.test.ts.
  "cudaCreateSurfaceObject",
  "cudaCreateTextureObject",
  "cudaDestroySurfaceObject",
  "cudaDestroyTextureObject",
  "cudaMalloc3DArray",
  "cudaMallocArray",
  "cudaMemcpy2DArrayToArray",
  "cudaMemcpy2DFromArrayAsync",
  "cudaMemcpy2DToArrayAsync",
  // Several handles that must fit together: graphs.test.ts.
  "cudaGraphAddDependencies",
  "cudaGraphAddMemcpyNode",
  "cudaGraphAddMemsetNode",
  "cudaGraphChildGraphNodeGetGraph",
  "cudaGraphExecHostNodeSetParams",
  "cudaGraphExecKernelNodeSetParams",
  "cudaGraphExecMemcpyNodeSetParams1D",
  "cudaGraphExecMemsetNodeSetParams",
  "cudaGraphExecUpdate",
  "cudaGraphGetEdges",
  "cudaGraphHostNodeSetParams",
  "cudaGraphKernelNodeSetParams",
  "cudaGraphMemcpyNodeSetParams1D",
  "cudaGraphMemsetNodeSetParams",
  "cudaGraphNodeFindInClone",
  "cudaGraphNodeGetEnabled",
  "cudaGraphNodeSetEnabled",
  "cudaGraphRemoveDependencies",
  "cudaStreamBeginCapture",
  "cudaStreamEndCapture",
  // Not possible on this device whatever is given: peers.test.ts.
  "cudaDeviceDisablePeerAccess",
  "cudaDeviceEnablePeerAccess",
  "cudaHostRegister",
  "cudaHostUnregister",
]);

const ENTRY_POINTS = Object.entries(cuda).filter(
  ([name, value]) => /^(__)?cuda[A-Z]/.test(name) && typeof value === "function",
) as [string, (...args: unknown[]) => number][];

function typeOf(parameter: Parameter): ParameterType {
  return typeof parameter === "object" ? { good: () => parameter.is, bad: [] } : TYPES[parameter];
}

describe("every entry point", () => {
  test("is in the table, or has its tests elsewhere", () => {
    const missing = ENTRY_POINTS.map(([name]) => name).filter(
      (name) => !(name in TABLE) && !ELSEWHERE.has(name),
    );
    assert.deepEqual(missing, []);
    const names = new Set(ENTRY_POINTS.map(([name]) => name));
    const gone = [...Object.keys(TABLE), ...ELSEWHERE].filter((name) => !names.has(name));
    assert.deepEqual(gone, []);
  });

  for (const [name, fn] of ENTRY_POINTS) {
    const parameters = TABLE[name]?.map(typeOf);
    if (!parameters) continue;
    test(`${name} with null, ended, foreign and wrong handles, and sizes that are none`, () =>
      withTwoDevices(() => {
        const fx = new Fixture();
        const good = () => parameters.map((type) => type.good(fx));
        const wrong: string[] = [];
        const expect = (what: string, args: unknown[], expected: string) => {
          const error = cuda.cudaGetErrorName(fn(...args));
          if (error !== expected) wrong.push(`${what}: ${error} instead of ${expected}`);
        };
        expect("all good", good(), "cudaSuccess");
        for (const [index, type] of parameters.entries()) {
          for (const [label, make, error] of type.bad) {
            const args = good();
            args[index] = make(fx);
            expect(`argument ${index} ${label}`, args, error);
          }
        }
        expect("all good afterwards", good(), "cudaSuccess");
        assert.deepEqual(wrong, []);
      }));
  }
});
