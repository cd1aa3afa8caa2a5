/**
 * What the arguments of the CUDA calls can be, for entry-points.test.ts: for each type of parameter a
 * good value, and bad ones with the error that each must give.
 */
import * as cuda from "../../cuda-shim/index.ts";
import { fixtureBytes, fixturePath, ok } from "./support.ts";

/** A bad value: what it is, how to come by it, and the names of the errors that are right. */
type Bad = readonly [label: string, value: (fx: Fixture) => unknown, error: string];

/** One type of parameter. A value is made anew for each call, since calls may use it up. */
export interface ParameterType {
  readonly good: (fx: Fixture) => unknown;
  readonly bad: readonly Bad[];
}

/** Runs a call that puts a handle or an address into a box, and gives it back. */
function made(create: (out: { value: number }) => number): number {
  const out = { value: 0 };
  ok(create(out));
  return out.value;
}

/** The calls of a library. */
export type Api = typeof cuda;

/** Handles and addresses of a thread with two devices, the first of them current. */
export class Fixture {
  readonly api: Api;
  readonly fatbin: number;
  /** A stream and an event of the second device. */
  readonly foreignStream: number;
  readonly foreignEvent: number;

  /** @param api the calls */
  constructor(api: Api) {
    this.api = api;
    ok(api.cudaSetDevice(1));
    this.foreignStream = made(api.cudaStreamCreate);
    this.foreignEvent = made(api.cudaEventCreate);
    ok(api.cudaSetDevice(0));
    const image = fixtureBytes("kernels.fatbin");
    this.fatbin = this.api.__cudaRegisterFatBinary(image);
    for (const name of ["nothing", "absent"]) {
      this.api.__cudaRegisterFunction(this.fatbin, name, name);
    }
    for (const name of ["factors", "missing"]) this.api.__cudaRegisterVar(this.fatbin, name, name);
  }

  #library = 0;
  /** A library that stays loaded. */
  get library(): number {
    const image = fixtureBytes("kernels.fatbin");
    this.#library ||= made((out) => this.api.cudaLibraryLoadData(out, image));
    return this.#library;
  }

  memory = (): number => made((out) => this.api.cudaMalloc(out, 256));
  pinned = (): number => made((out) => this.api.cudaMallocHost(out, 256));
  stream = (): number => made(this.api.cudaStreamCreate);
  event(): number {
    const event = made(this.api.cudaEventCreate);
    ok(this.api.cudaEventRecord(event));
    return event;
  }
  graph = (): number => made((out) => this.api.cudaGraphCreate(out));
  node = (graph: number = this.graph()): number =>
    made((out) => this.api.cudaGraphAddEmptyNode(out, graph, []));
  exec(): number {
    return made((out) => this.api.cudaGraphInstantiate(out, this.graph()));
  }
  pool = (): number =>
    made((out) => this.api.cudaMemPoolCreate(out, { allocType: 1, location: { type: 1, id: 0 } }));
  array = (): number => {
    const desc = this.api.cudaCreateChannelDesc(8, 8, 8, 8, this.api.cudaChannelFormatKindUnsigned);
    return made((out) => this.api.cudaMallocArray(out, desc, 16, 4));
  };
  mipmapped = (): number => {
    const desc = this.api.cudaCreateChannelDesc(8, 8, 8, 8, this.api.cudaChannelFormatKindUnsigned);
    const extent = { width: 16, height: 4, depth: 0 };
    return made((out) => this.api.cudaMallocMipmappedArray(out, desc, extent, 3, 0));
  };
  /** Nodes of their own graphs, by what they do. */
  kernelNode = (): number =>
    made((out) => this.api.cudaGraphAddKernelNode(out, this.graph(), [], kernelNode));
  hostNode = (): number =>
    made((out) => this.api.cudaGraphAddHostNode(out, this.graph(), [], noNode));
  copyNode = (): number =>
    made((out) => {
      const [to, from] = [this.memory(), this.memory()];
      return this.api.cudaGraphAddMemcpyNode1D(out, this.graph(), [], to, from, 64, 3);
    });
  recordNode = (): number =>
    made((out) => this.api.cudaGraphAddEventRecordNode(out, this.graph(), [], this.event()));
  waitNode = (): number =>
    made((out) => this.api.cudaGraphAddEventWaitNode(out, this.graph(), [], this.event()));
  setNode = (): number =>
    made((out) => this.api.cudaGraphAddMemsetNode(out, this.graph(), [], setParams(this)));
  allocNode = (): number =>
    made((out) => this.api.cudaGraphAddMemAllocNode(out, this.graph(), [], allocParams()));
  kernel = (): number => made((out) => this.api.__cudaGetKernel(out, "nothing"));

  /** What goes with the handle that was made last: a node of an executable graph, a held object. */
  companion = 0;
  /** An executable graph of one node, which `add` makes. */
  execOf(add: (out: { value: number }, graph: number) => number): number {
    const graph = this.graph();
    this.companion = made((out) => add(out, graph));
    return made((out) => this.api.cudaGraphInstantiate(out, graph));
  }
  userObject = (): number => made((out) => this.api.cudaUserObjectCreate(out, 0, () => {}, 2, 1));
  /** A graph that holds an object. */
  holder(): number {
    const graph = this.graph();
    this.companion = this.userObject();
    ok(this.api.cudaGraphRetainUserObject(graph, this.companion, 2, 0));
    return graph;
  }
  texture = (): number =>
    made((out) =>
      this.api.cudaCreateTextureObject(
        out,
        { resType: 0, res: { array: { array: this.array() } } },
        {},
      ),
    );
  surface = (): number => {
    const desc = this.api.cudaCreateChannelDesc(8, 8, 8, 8, this.api.cudaChannelFormatKindUnsigned);
    const array = made((out) => this.api.cudaMallocArray(out, desc, 16, 4, SURFACE_LOAD_STORE));
    return made((out) =>
      this.api.cudaCreateSurfaceObject(out, { resType: 0, res: { array: { array } } }),
    );
  };

  /** Makes something and ends it. */
  ended(make: () => number, end: (handle: number) => number): number {
    const handle = make();
    ok(end(handle));
    return handle;
  }
}

/** Structures that calls are given. */
export const noNode = { fn: () => {} };
const SURFACE_LOAD_STORE = 2;
export const setParams = (fx: Fixture) => {
  return { dst: fx.memory(), pitch: 0, value: 0, elementSize: 4, width: 16, height: 1 };
};
export const copyParams = (fx: Fixture) => {
  const side = () => ({ ptr: fx.memory(), pitch: 64, xsize: 64, ysize: 1 });
  const extent = { width: 64, height: 1, depth: 1 };
  return { srcPtr: side(), dstPtr: side(), extent, kind: 3 };
};
export const allocParams = () => {
  return { poolProps: { allocType: 1, location: { type: 1, id: 0 } }, bytesize: 256 };
};
export const kernelNode = { func: "nothing", gridDim: 1, blockDim: 1, kernelParams: [] };

const VALUE = "cudaErrorInvalidValue";
const HANDLE = "cudaErrorInvalidResourceHandle";

/** Numbers that are no handle of anything. */
const noHandles = (error: string): Bad[] =>
  [77, 0xfffffff0, -1, 0.5, Number.NaN, 3 * 2 ** 40, Number.MAX_SAFE_INTEGER].map((value) => [
    `${value}`,
    () => value,
    error,
  ]);

/** Sizes and counts that no size_t of ours is. */
const noSizes = (error: string): Bad[] =>
  [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2 ** 64].map((value) => [
    `${value}`,
    () => value,
    error,
  ]);

const badStreams: Bad[] = [
  ...noHandles(HANDLE),
  ["an ended stream", (fx) => fx.ended(fx.stream, fx.api.cudaStreamDestroy), HANDLE],
  ["an event", (fx) => fx.event(), HANDLE],
  ["a graph", (fx) => fx.graph(), HANDLE],
];

const badEvents: Bad[] = [
  ...noHandles(HANDLE),
  ["null", () => 0, HANDLE],
  ["an ended event", (fx) => fx.ended(() => fx.event(), fx.api.cudaEventDestroy), HANDLE],
  ["a stream", (fx) => fx.stream(), HANDLE],
];

const badAddresses: Bad[] = [
  ["null", () => 0, VALUE],
  ["freed memory", (fx) => fx.ended(fx.memory, fx.api.cudaFree), VALUE],
  ["the end of an allocation", (fx) => fx.memory() + 250, VALUE],
  ["a wild address", () => 2 ** 46 + 4096, VALUE],
  ["a low address", () => 4096, VALUE],
  ["-1", () => -1, VALUE],
  ["a fraction", () => 0.5, VALUE],
];

const graphObject = (make: (fx: Fixture) => number, ended: Bad, other: Bad): ParameterType => ({
  good: make,
  bad: [...noHandles(VALUE), ["null", () => 0, VALUE], ended, other],
});

/** A node of one kind, which an empty one is not. */
const nodeOf = (make: (fx: Fixture) => number): ParameterType =>
  graphObject(
    make,
    ["an ended node", (fx) => fx.ended(() => make(fx), fx.api.cudaGraphDestroyNode), VALUE],
    ["an empty node", (fx) => fx.node(), VALUE],
  );

/** An executable graph of one node. */
const execOf = (
  add: (fx: Fixture, out: { value: number }, graph: number) => number,
): ParameterType =>
  graphObject(
    (fx) => fx.execOf((out, graph) => add(fx, out, graph)),
    ["an ended one", (fx) => fx.ended(() => fx.exec(), fx.api.cudaGraphExecDestroy), VALUE],
    ["a graph", (fx) => fx.graph(), VALUE],
  );

/** A texture or surface object, and one of the other kind. */
const objectOf = (
  make: (fx: Fixture) => number,
  end: "cudaDestroyTextureObject" | "cudaDestroySurfaceObject",
  other: (fx: Fixture) => number,
): ParameterType => ({
  good: make,
  bad: [
    ...noHandles(VALUE),
    ["null", () => 0, VALUE],
    [
      "an ended object",
      (fx) =>
        fx.ended(
          () => make(fx),
          (object) => fx.api[end](object),
        ),
      VALUE,
    ],
    ["memory", (fx) => fx.memory(), VALUE],
    ["the other kind", other, VALUE],
  ],
});

const OUT = { value: 0 };
const badOut: Bad[] = [["null", () => null, VALUE]];
const bytes = new Uint8Array(256);

/** A value that is always good. */
const fixed = (value: unknown): ParameterType => ({ good: () => value, bad: [] });

const badMipmapped: Bad[] = [
  ...noHandles(HANDLE),
  ["an ended one", (fx) => fx.ended(fx.mipmapped, fx.api.cudaFreeMipmappedArray), HANDLE],
  ["a stream", (fx) => fx.stream(), HANDLE],
];

/** The types, by the names that the table uses. */
export const TYPES = {
  out: { good: () => ({ ...OUT }), bad: badOut },
  "out?": fixed(null),
  stream: { good: (fx) => fx.stream(), bad: badStreams },
  "own stream": {
    good: (fx) => fx.stream(),
    bad: [...badStreams, ["another device's", (fx) => fx.foreignStream, HANDLE]],
  },
  "made stream": {
    good: (fx) => fx.stream(),
    bad: [...badStreams, ["the default one", () => 0, HANDLE], ["the legacy one", () => 1, HANDLE]],
  },
  event: { good: (fx) => fx.event(), bad: badEvents },
  "own event": {
    good: (fx) => fx.event(),
    bad: [...badEvents, ["another device's", (fx) => fx.foreignEvent, HANDLE]],
  },
  device: {
    good: () => 0,
    bad: [2, -1, 0.5, Number.NaN].map((value) => [
      `${value}`,
      () => value,
      "cudaErrorInvalidDevice",
    ]),
  },
  memory: { good: (fx) => fx.memory(), bad: badAddresses },
  managed: {
    good: (fx) => made((out) => fx.api.cudaMallocManaged(out, 256)),
    bad: [...badAddresses.slice(0, 2), ["device memory", (fx) => fx.memory(), VALUE]],
  },
  "memory to free": { good: (fx) => fx.memory(), bad: badAddresses.slice(1) },
  "pinned to free": {
    good: (fx) => fx.pinned(),
    bad: [
      ["freed memory", (fx) => fx.ended(fx.pinned, fx.api.cudaFreeHost), VALUE],
      ["device memory", (fx) => fx.memory(), VALUE],
      ["a wild address", () => 2 ** 46, VALUE],
    ],
  },
  pinned: {
    good: (fx) => fx.pinned(),
    bad: [...badAddresses, ["device memory", (fx) => fx.memory(), VALUE]],
  },
  "host memory": {
    good: () => bytes,
    bad: [
      ["null", () => null, VALUE],
      ["too short", () => bytes.subarray(0, 4), VALUE],
      ["a text", () => "text", VALUE],
    ],
  },
  size: { good: () => 64, bad: noSizes(VALUE) },
  "size to allocate": {
    good: () => 64,
    bad: [
      [-1, "cudaErrorMemoryAllocation"],
      [2 ** 40, "cudaErrorMemoryAllocation"],
      [Number.MAX_SAFE_INTEGER, "cudaErrorMemoryAllocation"],
      [0.5, VALUE],
      [Number.NaN, VALUE],
    ].map(([value, error]) => [`${value}`, () => value, String(error)] as const),
  },
  "size in memory": { good: () => 64, bad: [...noSizes(VALUE), ["257", () => 257, VALUE]] },
  "size in memory to use": {
    good: () => 64,
    bad: [...noSizes(VALUE), ["257", () => 257, VALUE], ["0", () => 0, VALUE]],
  },
  "size in 16": { good: () => 8, bad: [...noSizes(VALUE), ["17", () => 17, VALUE]] },
  "offset in 16": { good: () => 4, bad: [...noSizes(VALUE), ["9", () => 9, VALUE]] },
  pitch: { good: () => 16, bad: [...noSizes(VALUE), ["3", () => 3, "cudaErrorInvalidPitchValue"]] },
  width: { good: () => 4, bad: noSizes(VALUE) },
  height: {
    good: () => 2,
    bad: [...noSizes(VALUE), ["17", () => 17, VALUE], ["2^50", () => 2 ** 50, VALUE]],
  },
  rows: { good: () => 2, bad: [...noSizes(VALUE), ["5", () => 5, VALUE]] },
  array: {
    good: (fx) => fx.array(),
    bad: [
      ...noHandles(HANDLE),
      ["an ended array", (fx) => fx.ended(fx.array, fx.api.cudaFreeArray), HANDLE],
      ["a stream", (fx) => fx.stream(), HANDLE],
    ],
  },
  "mipmapped array": {
    good: (fx) => fx.mipmapped(),
    bad: badMipmapped,
  },
  "mipmapped array to use": {
    good: (fx) => fx.mipmapped(),
    bad: [...badMipmapped, ["null", () => 0, HANDLE]],
  },
  level: {
    good: () => 2,
    bad: [3, -1, 0.5, 2 ** 31].map((value) => [`${value}`, () => value, VALUE]),
  },
  "to device": {
    good: () => cuda.cudaMemcpyHostToDevice,
    bad: [-1, 5, 0.5].map((value) => [`${value}`, () => value, "cudaErrorInvalidMemcpyDirection"]),
  },
  "to host": {
    good: () => cuda.cudaMemcpyDeviceToHost,
    bad: [-1, 5, 0.5].map((value) => [`${value}`, () => value, "cudaErrorInvalidMemcpyDirection"]),
  },
  "in device": fixed(cuda.cudaMemcpyDeviceToDevice),
  kernel: {
    good: () => "nothing",
    bad: [
      ["null", () => null, "cudaErrorInvalidDeviceFunction"],
      ["absent", () => "absent", "cudaErrorSymbolNotFound"],
      ...["nobody", 12345, {}].map((value): Bad => [String(value), () => value, HANDLE]),
    ],
  },
  "registered kernel": {
    good: () => "nothing",
    // What the image lacks is found out at the launch.
    bad: ["nobody", null, 12345, {}].map((value) => [
      String(value),
      () => value,
      "cudaErrorInvalidDeviceFunction",
    ]),
  },
  "kernel handle": {
    good: (fx) => fx.kernel(),
    bad: [
      ["0", () => 0, "cudaErrorInvalidDeviceFunction"],
      ...[-1, 12345, 0.5].map((value): Bad => [String(value), () => value, HANDLE]),
    ],
  },
  symbol: {
    good: () => "factors",
    bad: [
      ["missing", () => "missing", "cudaErrorSymbolNotFound"],
      ...["nobody", null, 12345].map(
        (value): Bad => [String(value), () => value, "cudaErrorInvalidSymbol"],
      ),
    ],
  },
  library: { good: (fx) => fx.library, bad: [["null", () => 0, HANDLE], ...noHandles(HANDLE)] },
  "library to end": {
    good: (fx) => made((out) => fx.api.cudaLibraryLoadData(out, fixtureBytes("kernels.fatbin"))),
    bad: [["null", () => 0, HANDLE], ...noHandles(HANDLE)],
  },
  image: { good: () => fixtureBytes("kernels.fatbin"), bad: [["null", () => null, VALUE]] },
  shape: {
    good: () => [1, 1, 1],
    bad: [0, -1, 0.5, Number.NaN, 2 ** 32].map((value) => [`${value}`, () => [value, 1, 1], VALUE]),
  },
  shared: { good: () => 0, bad: [...noSizes(VALUE), ["49153", () => 49153, VALUE]] },
  "cooperative shared": {
    good: () => 0,
    bad: [...noSizes(VALUE), ["49153", () => 49153, "cudaErrorCooperativeLaunchTooLarge"]],
  },
  arguments: fixed([]),
  function: {
    good: () => () => {},
    bad: [
      ["null", () => null, VALUE],
      ["a text", () => "f", VALUE],
    ],
  },
  graph: graphObject(
    (fx) => fx.graph(),
    ["an ended graph", (fx) => fx.ended(() => fx.graph(), fx.api.cudaGraphDestroy), VALUE],
    ["a stream", (fx) => fx.stream(), VALUE],
  ),
  node: graphObject(
    (fx) => fx.node(),
    ["an ended node", (fx) => fx.ended(() => fx.node(), fx.api.cudaGraphDestroyNode), VALUE],
    ["a stream", (fx) => fx.stream(), VALUE],
  ),
  exec: graphObject(
    (fx) => fx.exec(),
    ["an ended one", (fx) => fx.ended(() => fx.exec(), fx.api.cudaGraphExecDestroy), VALUE],
    ["a graph", (fx) => fx.graph(), VALUE],
  ),
  nodes: {
    good: () => [],
    bad: [
      ["another graph's", (fx) => [fx.node()], VALUE],
      ["null handles", () => [0], VALUE],
      ["none at all", () => [2 ** 40], VALUE],
    ],
  },
  pool: {
    good: (fx) => fx.pool(),
    bad: [
      ["null", () => 0, VALUE],
      ...noHandles(VALUE),
      ["an ended pool", (fx) => fx.ended(fx.pool, fx.api.cudaMemPoolDestroy), VALUE],
      ["a stream", (fx) => fx.stream(), VALUE],
    ],
  },
  "kernel node": nodeOf((fx) => fx.kernelNode()),
  "host node": nodeOf((fx) => fx.hostNode()),
  "copy node": nodeOf((fx) => fx.copyNode()),
  "record node": nodeOf((fx) => fx.recordNode()),
  "wait node": nodeOf((fx) => fx.waitNode()),
  "set node": nodeOf((fx) => fx.setNode()),
  "alloc node": graphObject(
    (fx) => fx.allocNode(),
    ["an ended graph", (fx) => fx.ended(() => fx.graph(), fx.api.cudaGraphDestroy), VALUE],
    ["an empty node", (fx) => fx.node(), VALUE],
  ),
  "set params": { good: setParams, bad: badOut },
  "copy params": { good: copyParams, bad: badOut },
  "alloc params": {
    good: allocParams,
    bad: [...badOut, ["0 bytes", () => ({ ...allocParams(), bytesize: 0 }), VALUE]],
  },
  "wait params": {
    good: (fx) => ({ type: 6, eventWait: { event: fx.event() } }),
    bad: [
      ...badOut,
      ["an ended event", (fx) => ({ type: 6, eventWait: { event: fx.stream() } }), HANDLE],
    ],
  },
  "exec of a kernel": execOf((fx, out, graph) =>
    fx.api.cudaGraphAddKernelNode(out, graph, [], kernelNode),
  ),
  "exec of a set": execOf((fx, out, graph) =>
    fx.api.cudaGraphAddMemsetNode(out, graph, [], setParams(fx)),
  ),
  "exec of a copy": execOf((fx, out, graph) =>
    fx.api.cudaGraphAddMemcpyNode(out, graph, [], copyParams(fx)),
  ),
  "exec of a host function": execOf((fx, out, graph) =>
    fx.api.cudaGraphAddHostNode(out, graph, [], noNode),
  ),
  "exec of a child": execOf((fx, out, graph) =>
    fx.api.cudaGraphAddChildGraphNode(out, graph, [], fx.graph()),
  ),
  "exec of a record": execOf((fx, out, graph) =>
    fx.api.cudaGraphAddEventRecordNode(out, graph, [], fx.event()),
  ),
  "exec of a wait": execOf((fx, out, graph) =>
    fx.api.cudaGraphAddEventWaitNode(out, graph, [], fx.event()),
  ),
  "node of it": {
    good: (fx) => fx.companion,
    bad: [
      ...noHandles(VALUE),
      ["null", () => 0, VALUE],
      ["another graph's", (fx) => fx.kernelNode(), VALUE],
      ["an ended node", (fx) => fx.ended(() => fx.companion, fx.api.cudaGraphDestroyNode), VALUE],
    ],
  },
  "user object": {
    good: (fx) => fx.userObject(),
    bad: [
      ...noHandles(VALUE),
      ["null", () => 0, VALUE],
      ["a graph", (fx) => fx.graph(), VALUE],
      [
        "an ended object, freed memory",
        (fx) => fx.ended(fx.userObject, (object) => fx.api.cudaUserObjectRelease(object, 2)),
        VALUE,
      ],
    ],
  },
  holder: graphObject(
    (fx) => fx.holder(),
    ["an ended graph", (fx) => fx.ended(() => fx.holder(), fx.api.cudaGraphDestroy), VALUE],
    ["a graph that doesn't hold it", (fx) => fx.graph(), VALUE],
  ),
  "object of it": {
    good: (fx) => fx.companion,
    bad: [["another object", (fx) => fx.userObject(), VALUE]],
  },
  references: {
    good: () => 2,
    bad: [0, -1, 0.5, 2 ** 31, 2 ** 32].map((value) => [`${value}`, () => value, VALUE]),
  },
  "references of it": {
    good: () => 2,
    bad: [0, -1, 0.5, 3].map((value) => [`${value}`, () => value, VALUE]),
  },
  texture: objectOf(
    (fx) => fx.texture(),
    "cudaDestroyTextureObject",
    (fx) => fx.surface(),
  ),
  surface: objectOf(
    (fx) => fx.surface(),
    "cudaDestroySurfaceObject",
    (fx) => fx.texture(),
  ),
  "bank size": {
    good: () => 1,
    bad: [-1, 3, 0.5].map((value) => [`${value}`, () => value, VALUE]),
  },
  "managed ranges": {
    good: (fx) => [made((out) => fx.api.cudaMallocManaged(out, 256))],
    bad: [
      ["device memory", (fx) => [fx.memory()], VALUE],
      ["null", () => [0], VALUE],
    ],
  },
  "their sizes": {
    good: () => [64],
    bad: [
      ["257", () => [257], VALUE],
      ["0", () => [0], VALUE],
    ],
  },
  "image file": {
    good: () => fixturePath("kernels.fatbin"),
    bad: [
      ["null", () => null, VALUE],
      ["none", () => fixturePath("no such file"), "cudaErrorFileNotFound"],
    ],
  },
  structure: { good: () => ({}), bad: badOut },
  text: { good: () => "text", bad: badOut },
} satisfies Record<string, ParameterType>;
