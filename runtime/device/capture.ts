/**
 * Stream capture (CUDA Programming Guide, "Creating a Graph Using Stream Capture"): while a stream
 * captures, its requests become nodes instead of work; events carry the capture to other streams.
 */
import * as D from "../protocol/definitions.ts";
import * as E from "../protocol/errors.ts";
import * as P from "../protocol/graphs.ts";
import * as O from "../protocol/pools.ts";
import * as S from "../protocol/streams.ts";
import type { Call } from "./call.ts";
import type { Context } from "./context.ts";
import type { Device } from "./device.ts";
import { type Graph, type GraphNode, nodeType } from "./graph.ts";
import { allocateForGraph } from "./graph-memory.ts";
import { anonymous } from "./source.ts";
import type { Stream } from "./stream.ts";
import type { Command } from "./table.ts";
import { DeviceEvent } from "./timing.ts";

/** One capture: a graph in the making, and the streams that take part. */
export class Capture {
  readonly id: number;
  readonly graph: Graph;
  readonly origin: Stream;
  readonly mode: number;
  readonly thread: number;
  /** For each stream the nodes that its next one depends on. */
  readonly frontiers = new Map<Stream, Set<GraphNode>>();
  /** The nodes that the graph had before; undefined if the capture has made the graph. */
  readonly before: ReadonlySet<GraphNode> | undefined;
  invalid = false;

  /** @param after if given, the graph is an older one, and the first node comes after these */
  constructor(
    id: number,
    graph: Graph,
    origin: Stream,
    mode: number,
    thread: number,
    after?: readonly GraphNode[],
  ) {
    this.id = id;
    this.graph = graph;
    this.origin = origin;
    this.mode = mode;
    this.thread = thread;
    this.before = after && new Set(graph.nodes);
    this.join(origin, after ?? []);
  }

  /** A stream takes part, after the given nodes. */
  join(stream: Stream, nodes: Iterable<GraphNode>): void {
    stream.capture = this;
    this.frontiers.set(stream, new Set(nodes));
  }

  /** Do streams of a context take part? */
  involves(context: Context): boolean {
    return [...this.frontiers.keys()].some((stream) => stream.context === context);
  }

  /**
   * The streams of a context are gone.
   * @returns true if that ends the capture: it began there
   */
  leave(context: Context): boolean {
    if (!this.involves(context)) return false;
    this.invalid = true;
    for (const stream of this.frontiers.keys()) {
      if (stream.context !== context) continue;
      stream.capture = undefined;
      this.frontiers.delete(stream);
    }
    if (this.origin.context !== context) return false;
    this.end();
    return true;
  }

  /** A stream was destroyed: one that joined leaves, whose work has to be joined; the first one ends it. */
  ended(stream: Stream): void {
    if (stream === this.origin) {
      this.invalid = true;
      return;
    }
    stream.capture = undefined;
    this.frontiers.delete(stream);
  }

  /** All streams leave. */
  end(): void {
    for (const stream of this.frontiers.keys()) stream.capture = undefined;
  }

  /** Do all nodes lead to the origin stream's last ones? */
  get joined(): boolean {
    const seen = new Set<GraphNode>(this.frontiers.get(this.origin));
    for (const node of seen) for (const before of node.dependencies) seen.add(before);
    return [...this.graph.nodes].every((node) => seen.has(node) || this.before?.has(node));
  }
}

/** Commands that may not be used at all while the context captures, unless in relaxed mode. */
const UNSAFE: ReadonlySet<number> = new Set([D.COMMAND_MEMORY_ALLOC, D.COMMAND_MEMORY_FREE]);

/** Copies and fills, and where their flags are. */
const FLAGS_FIELD: ReadonlyMap<number, number> = new Map([
  [D.COMMAND_MEMORY_COPY, D.MEMORY_COPY_FLAGS],
  [D.COMMAND_MEMORY_COPY_3D, D.MEMORY_COPY_3D_FLAGS],
  [D.COMMAND_MEMORY_SET, D.MEMORY_SET_FLAGS],
  [D.COMMAND_MEMORY_SET_3D, D.MEMORY_SET_3D_FLAGS],
]);

/**
 * Looks at a request of a context in which something captures.
 * @returns the answer if the request is not to be carried out now, else undefined
 */
export function intercept(device: Device, call: Call, command: Command): number | undefined {
  const number = call.u32(D.REQUEST_COMMAND);
  const { context } = call;
  switch (number) {
    case D.COMMAND_CONTEXT_SYNCHRONIZE:
      return synchronize(device, context);
    case S.COMMAND_EVENT_QUERY:
    case S.COMMAND_EVENT_SYNCHRONIZE:
      return askedCapturedEvent(device, call.u32(S.EVENT_QUERY_EVENT));
    case S.COMMAND_EVENT_ELAPSED: {
      const handles = [call.u32(S.EVENT_ELAPSED_START), call.u32(S.EVENT_ELAPSED_END)];
      const captured = handles.some((handle) => device.resource(handle, DeviceEvent)?.captured);
      return captured ? E.cudaErrorCapturedEvent : undefined;
    }
    default:
  }
  if (UNSAFE.has(number)) return unsafe(device, call.thread, call.u32(D.REQUEST_FLAGS));
  const stream = call.stream();
  if (stream === undefined || (!command.prepare && !STREAM_COMMANDS.has(number))) return undefined;
  const capture = stream.capture;
  if (number === S.COMMAND_STREAM_WAIT_EVENT) return waitEvent(device, call, stream);
  if (capture === undefined) {
    if (STREAM_COMMANDS.has(number) && number !== O.COMMAND_MEMORY_FREE_ASYNC) {
      const refused = unsafe(device, call.thread, call.u32(D.REQUEST_FLAGS));
      if (refused !== undefined) return refused;
    }
    if (number === S.COMMAND_EVENT_RECORD) {
      const event = device.resource(call.u32(S.EVENT_RECORD_EVENT), DeviceEvent);
      if (event) event.captured = undefined;
    }
    return stream.legacy ? implicit(device, context) : undefined;
  }
  if (capture.invalid) return E.cudaErrorStreamCaptureInvalidated;
  if (number === S.COMMAND_STREAM_SYNCHRONIZE || number === S.COMMAND_STREAM_QUERY) {
    capture.invalid = true;
    return E.cudaErrorStreamCaptureUnsupported;
  }
  if (number === S.COMMAND_EVENT_RECORD) return record(device, call, stream, capture);
  if (number === O.COMMAND_MEMORY_ALLOC_ASYNC) return allocNode(device, call, stream);
  if (number === O.COMMAND_MEMORY_FREE_ASYNC) return freeNode(device, call, stream);
  return commandNode(device, call, command, number, stream);
}

const STREAM_COMMANDS: ReadonlySet<number> = new Set([
  S.COMMAND_STREAM_SYNCHRONIZE,
  S.COMMAND_STREAM_QUERY,
  O.COMMAND_MEMORY_ALLOC_ASYNC,
  O.COMMAND_MEMORY_FREE_ASYNC,
]);

/** The context would have to wait for streams that capture. */
function synchronize(device: Device, context: Context): number | undefined {
  let refused = false;
  for (const capture of device.captures) {
    if (!capture.involves(context)) continue;
    capture.invalid = true;
    refused = true;
  }
  return refused ? E.cudaErrorStreamCaptureUnsupported : undefined;
}

function askedCapturedEvent(device: Device, handle: number): number | undefined {
  const captured = device.resource(handle, DeviceEvent)?.captured;
  if (captured === undefined) return undefined;
  captured.capture.invalid = true;
  return E.cudaErrorCapturedEvent;
}

/** @param threadMode what the thread asked for (cudaThreadExchangeStreamCaptureMode) */
function unsafe(device: Device, thread: number, threadMode: number): number | undefined {
  if (threadMode === P.CAPTURE_RELAXED) return undefined;
  let refused = false;
  for (const capture of device.captures) {
    const own = capture.thread === thread && capture.mode !== P.CAPTURE_RELAXED;
    const concerns = own || (capture.mode === P.CAPTURE_GLOBAL && threadMode === P.CAPTURE_GLOBAL);
    if (!concerns) continue;
    capture.invalid = true;
    refused = true;
  }
  return refused ? E.cudaErrorStreamCaptureUnsupported : undefined;
}

/** The legacy stream would have to wait for a capturing stream. */
function implicit(device: Device, context: Context): number | undefined {
  let refused = false;
  for (const capture of device.captures) {
    for (const stream of capture.frontiers.keys()) {
      if (stream.nonBlocking || stream.context !== context) continue;
      capture.invalid = true;
      refused = true;
    }
  }
  return refused ? E.cudaErrorStreamCaptureImplicit : undefined;
}

function waitEvent(device: Device, call: Call, stream: Stream): number | undefined {
  const event = device.resource(call.u32(S.STREAM_WAIT_EVENT_EVENT), DeviceEvent);
  if (event === undefined) return undefined;
  const own = stream.capture;
  const captured = event.captured;
  if (own?.invalid) return E.cudaErrorStreamCaptureInvalidated;
  if (call.u32(S.STREAM_WAIT_EVENT_FLAGS) !== 0) {
    if (own === undefined) return undefined;
    append(device, call, stream, P.NODE_WAIT_EVENT, requestBytes(call));
    return E.cudaSuccess;
  }
  if (captured === undefined) {
    if (own === undefined) return undefined;
    if (event.record === undefined) return E.cudaSuccess;
    own.invalid = true;
    return E.cudaErrorStreamCaptureIsolation;
  }
  const { capture, nodes } = captured;
  if (capture.invalid || !device.captures.has(capture)) {
    return E.cudaErrorStreamCaptureInvalidated;
  }
  if (stream.legacy) {
    capture.invalid = true;
    return E.cudaErrorStreamCaptureImplicit;
  }
  if (own === undefined) {
    capture.join(stream, nodes);
    return E.cudaSuccess;
  }
  if (own !== capture) {
    own.invalid = true;
    capture.invalid = true;
    return E.cudaErrorStreamCaptureMerge;
  }
  const frontier = capture.frontiers.get(stream)!;
  for (const node of nodes) frontier.add(node);
  return E.cudaSuccess;
}

function record(device: Device, call: Call, stream: Stream, capture: Capture): number {
  const event = device.resource(call.u32(S.EVENT_RECORD_EVENT), DeviceEvent);
  if (event?.context.ordinal !== call.context.ordinal) return E.cudaErrorInvalidResourceHandle;
  if (call.u32(S.EVENT_RECORD_FLAGS) & S.EVENT_RECORD_EXTERNAL) {
    append(device, call, stream, P.NODE_EVENT_RECORD, requestBytes(call));
    return E.cudaSuccess;
  }
  event.captured = { capture, nodes: [...capture.frontiers.get(stream)!] };
  return E.cudaSuccess;
}

function allocNode(device: Device, call: Call, stream: Stream): number {
  const bytes = call.u64(O.MEMORY_ALLOC_ASYNC_BYTES);
  if (bytes === 0) return E.cudaSuccess;
  const entry = allocateForGraph(device, call.context, bytes);
  if (entry === undefined) return E.cudaErrorMemoryAllocation;
  append(device, call, stream, P.NODE_MEM_ALLOC, requestBytes(call)).allocation = entry;
  call.set64(O.MEMORY_ALLOC_ASYNC_ADDRESS, device.memory.pointerOf(entry.offset));
  call.set32(O.MEMORY_ALLOC_ASYNC_SERIAL, entry.serial);
  return E.cudaSuccess;
}

function freeNode(device: Device, call: Call, stream: Stream): number {
  const entry = device.allocations.at(call.u64(O.MEMORY_FREE_ASYNC_ADDRESS));
  const { graph } = stream.capture!;
  // What was allocated outside of graphs would be freed once for every launch.
  if (entry === undefined || !graph.mayFree(entry)) return E.cudaErrorInvalidValue;
  append(device, call, stream, P.NODE_MEM_FREE, requestBytes(call)).allocation = entry;
  return E.cudaSuccess;
}

function commandNode(
  device: Device,
  call: Call,
  command: Command,
  number: number,
  stream: Stream,
): number {
  const flagsAt = FLAGS_FIELD.get(number);
  const flags = flagsAt === undefined ? D.COPY_ASYNC : call.u32(flagsAt);
  // A copy that the caller waits for, or whose bytes are in no memory that the device can see
  // when the graph is launched.
  const request = flags === D.COPY_ASYNC ? requestBytes(call) : undefined;
  const type = request && nodeType(request);
  if (request === undefined || type === undefined) {
    stream.capture!.invalid = true;
    return E.cudaErrorStreamCaptureUnsupported;
  }
  const error = checkRequest(device, call.context, request);
  if (error === E.cudaSuccess) append(device, call, stream, type, request);
  else if (number === D.COMMAND_LAUNCH) stream.capture!.invalid = true;
  return command ? error : E.cudaErrorUnknown;
}

/** @returns what preparing a recorded request gives, without running it */
export function checkRequest(device: Device, context: Context, request: Uint8Array): number {
  const work = device.prepareRecorded(context, device.groups[0]!, request);
  if (typeof work === "number") return work;
  work.release?.();
  return E.cudaSuccess;
}

function requestBytes(call: Call): Uint8Array {
  const bytes = new Uint8Array(D.REQUEST_SIZE + call.inputBytes);
  bytes.set(new Uint8Array(call.request.buffer, call.request.byteOffset, D.REQUEST_SIZE));
  call.readInput(0, bytes.subarray(D.REQUEST_SIZE), call.inputBytes);
  return anonymous(bytes);
}

function append(
  device: Device,
  call: Call,
  stream: Stream,
  type: number,
  request: Uint8Array,
): GraphNode {
  const capture = stream.capture!;
  const frontier = capture.frontiers.get(stream)!;
  const node = capture.graph.add(device, call.context, type, request, frontier);
  call.context.resources.set(node.handle, node);
  capture.frontiers.set(stream, new Set([node]));
  return node;
}
