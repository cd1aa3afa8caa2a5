/** Beginning, ending and asking about stream capture; what happens meanwhile is in capture.ts. */
import {
  cudaErrorIllegalState,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorStreamCaptureInvalidated,
  cudaErrorStreamCaptureUnjoined,
  cudaErrorStreamCaptureUnmatched,
  cudaErrorStreamCaptureUnsupported,
  cudaErrorStreamCaptureWrongThread,
  cudaSuccess,
} from "../../protocol/errors.ts";
import * as P from "../../protocol/graphs.ts";
import type { Call } from "../call.ts";
import { Capture } from "../capture.ts";
import type { Device } from "../device.ts";
import { Graph, type GraphNode } from "../graph.ts";
import type { Command, CommandFamily } from "../table.ts";
import { destroyGraph, graphOf, nodeOf, readWords, writeHandles } from "./graphs.ts";

const begin: Command = {
  responseBytes: P.CAPTURE_BEGIN_RESPONSE_SIZE,
  context: true,
  creates: true,
  run(device: Device, call: Call): number {
    const mode = call.u32(P.CAPTURE_BEGIN_MODE);
    const handle = call.u32(P.CAPTURE_BEGIN_GRAPH);
    const count = call.u32(P.CAPTURE_BEGIN_DEPENDENCIES);
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    if (mode > P.CAPTURE_RELAXED) return cudaErrorInvalidValue;
    if (stream.legacy) return cudaErrorStreamCaptureUnsupported;
    if (stream.capture) return cudaErrorIllegalState;
    const number = device.newStreamId();
    if (handle !== 0) {
      const known = graphOf(device, call, handle);
      const after = known && nodesOf(device, call, known, count);
      if (known === undefined || after === undefined) return cudaErrorInvalidValue;
      // One capture at a time adds nodes to a graph.
      const busy = [...device.captures].some((other) => other.graph === known);
      if (busy) return cudaErrorIllegalState;
      device.captures.add(new Capture(number, known, stream, mode, call.thread, after));
      return cudaSuccess;
    }
    if (count !== 0) return cudaErrorInvalidValue;
    const graph = new Graph(device.newHandle());
    call.context.resources.set(graph.handle, graph);
    device.captures.add(new Capture(number, graph, stream, mode, call.thread));
    return cudaSuccess;
  },
};

/** Nodes of a graph whose handles follow the request. @returns undefined if they are none of it */
function nodesOf(device: Device, call: Call, graph: Graph, count: number): GraphNode[] | undefined {
  const handles = readWords(call, 0, count);
  const nodes = [...(handles ?? [])].map((handle) => nodeOf(device, call, handle));
  const good = handles !== undefined && nodes.every((node) => node?.graph === graph);
  return good ? (nodes as GraphNode[]) : undefined;
}

/** Changes what the next node of a stream comes after. */
const update: Command = {
  responseBytes: P.CAPTURE_UPDATE_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const replace = call.u32(P.CAPTURE_UPDATE_REPLACE);
    const count = call.u32(P.CAPTURE_UPDATE_COUNT);
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    const { capture } = stream;
    if (capture === undefined) return cudaErrorIllegalState;
    if (capture.invalid) return cudaErrorStreamCaptureInvalidated;
    const nodes = nodesOf(device, call, capture.graph, count);
    if (nodes === undefined || replace > 1) return cudaErrorInvalidValue;
    const now = replace === 1 ? [] : (capture.frontiers.get(stream) ?? []);
    capture.frontiers.set(stream, new Set([...now, ...nodes]));
    return cudaSuccess;
  },
};

const end: Command = {
  responseBytes: P.CAPTURE_END_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    const { capture } = stream;
    const known = capture?.before !== undefined;
    if (call.u32(P.CAPTURE_END_KNOWN) !== 0 && !known) return cudaErrorInvalidValue;
    if (capture === undefined) return cudaErrorIllegalState;
    if (capture.origin !== stream) return cudaErrorStreamCaptureUnmatched;
    capture.end();
    device.captures.delete(capture);
    // Of what another thread has begun nothing is left either.
    if (capture.mode !== P.CAPTURE_RELAXED && capture.thread !== call.thread) {
      if (!known) destroyGraph(device, capture.graph);
      return cudaErrorStreamCaptureWrongThread;
    }
    if (!capture.invalid && capture.joined) {
      call.set32(P.CAPTURE_END_GRAPH, capture.graph.handle);
      return cudaSuccess;
    }
    if (!known) destroyGraph(device, capture.graph);
    return capture.invalid ? cudaErrorStreamCaptureInvalidated : cudaErrorStreamCaptureUnjoined;
  },
};

const info: Command = {
  responseBytes: P.CAPTURE_INFO_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    const { capture } = stream;
    if (capture === undefined) return cudaSuccess;
    const status = capture.invalid ? P.CAPTURE_STATUS_INVALIDATED : P.CAPTURE_STATUS_ACTIVE;
    call.set32(P.CAPTURE_INFO_STATUS, status);
    call.set64(P.CAPTURE_INFO_ID, capture.id);
    if (capture.invalid) return cudaSuccess;
    call.set32(P.CAPTURE_INFO_GRAPH, capture.graph.handle);
    const nodes = [...(capture.frontiers.get(stream) ?? [])].map((node) => node.handle);
    call.set32(P.CAPTURE_INFO_DEPENDENCIES, nodes.length);
    writeHandles(call, nodes);
    return cudaSuccess;
  },
};

/** The family: CAPTURE_*. */
export const captureCommands: CommandFamily = new Map([
  [P.COMMAND_CAPTURE_BEGIN, begin],
  [P.COMMAND_CAPTURE_END, end],
  [P.COMMAND_CAPTURE_INFO, info],
  [P.COMMAND_CAPTURE_UPDATE, update],
]);
