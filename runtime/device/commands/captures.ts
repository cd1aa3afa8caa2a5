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
import { Graph } from "../graph.ts";
import type { Command, CommandFamily } from "../table.ts";
import { destroyGraph, writeHandles } from "./graphs.ts";

const begin: Command = {
  responseBytes: P.CAPTURE_BEGIN_RESPONSE_SIZE,
  context: true,
  creates: true,
  run(device: Device, call: Call): number {
    const mode = call.u32(P.CAPTURE_BEGIN_MODE);
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    if (mode > P.CAPTURE_RELAXED) return cudaErrorInvalidValue;
    if (stream.legacy) return cudaErrorStreamCaptureUnsupported;
    if (stream.capture) return cudaErrorIllegalState;
    const graph = new Graph(device.newHandle());
    call.context.resources.set(graph.handle, graph);
    const capture = new Capture(device.newStreamId(), graph, stream, mode, call.thread);
    device.captures.add(capture);
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
    if (capture === undefined) return cudaErrorIllegalState;
    if (capture.origin !== stream) return cudaErrorStreamCaptureUnmatched;
    if (capture.mode !== P.CAPTURE_RELAXED && capture.thread !== call.thread) {
      return cudaErrorStreamCaptureWrongThread;
    }
    capture.end();
    device.captures.delete(capture);
    if (!capture.invalid && capture.joined) {
      call.set32(P.CAPTURE_END_GRAPH, capture.graph.handle);
      return cudaSuccess;
    }
    destroyGraph(device, capture.graph);
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
]);
