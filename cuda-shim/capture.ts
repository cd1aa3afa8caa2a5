/** Stream capture: calls on a stream become nodes of a graph. */
import {
  cudaErrorIllegalState,
  cudaErrorInvalidValue,
  cudaErrorStreamCaptureUnmatched,
  cudaErrorStreamCaptureWrongThread,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import {
  CAPTURE_BEGIN_DEPENDENCIES,
  CAPTURE_BEGIN_GRAPH,
  CAPTURE_BEGIN_MODE,
  CAPTURE_END_GRAPH,
  CAPTURE_END_KNOWN,
  CAPTURE_GLOBAL,
  CAPTURE_INFO_DEPENDENCIES,
  CAPTURE_INFO_GRAPH,
  CAPTURE_INFO_ID,
  CAPTURE_INFO_STATUS,
  CAPTURE_RELAXED,
  CAPTURE_UPDATE_COUNT,
  CAPTURE_UPDATE_REPLACE,
  COMMAND_CAPTURE_BEGIN,
  COMMAND_CAPTURE_END,
  COMMAND_CAPTURE_INFO,
  COMMAND_CAPTURE_UPDATE,
} from "../runtime/protocol/graphs.ts";
import { cudaStreamAddCaptureDependencies, cudaStreamSetCaptureDependencies } from "./constants.ts";
import { handleOf } from "./device-file.ts";
import { CudaError } from "./errors.ts";
import { type CudaGraphEdgeData, checkEdges } from "./graph-place.ts";
import { call } from "./thread.ts";
import {
  type CudaGraph,
  type CudaGraphNode,
  type CudaStream,
  isBox,
  isI32,
  type Out,
} from "./types.ts";

/**
 * Sets which calls this host thread may make while streams are captured, and gives what was set
 * before.
 * @param mode `cudaStreamCaptureMode…`, changed for what it was
 */
export function cudaThreadExchangeStreamCaptureMode(mode: Out<number> | null): number {
  return call((thread) => {
    if (!isBox(mode) || !isI32(mode.value)) return cudaErrorInvalidValue;
    if (mode.value < CAPTURE_GLOBAL || mode.value > CAPTURE_RELAXED) return cudaErrorInvalidValue;
    const before = thread.captureMode;
    thread.captureMode = mode.value;
    mode.value = before;
    return cudaSuccess;
  });
}

/** Handles as bytes. @throws CudaError cudaErrorInvalidValue if one can be none */
function handles(nodes: readonly CudaGraphNode[] | null): Uint8Array {
  if (nodes !== null && !Array.isArray(nodes)) throw new CudaError(cudaErrorInvalidValue);
  const words = (nodes ?? []).map((node) => handleOf(node, cudaErrorInvalidValue));
  return new Uint8Array(Uint32Array.from(words).buffer);
}

function begin(
  stream: CudaStream,
  graph: CudaGraph,
  dependencies: readonly CudaGraphNode[] | null,
  mode: number,
): number {
  return call((thread) => {
    if (!isI32(mode) || mode < 0) return cudaErrorInvalidValue;
    const nodes = handles(dependencies);
    const device = thread.device().begin(stream).setU32(CAPTURE_BEGIN_MODE, mode);
    device.setU32(CAPTURE_BEGIN_GRAPH, handleOf(graph, cudaErrorInvalidValue));
    device.setU32(CAPTURE_BEGIN_DEPENDENCIES, nodes.length / 4);
    const error = device.send(COMMAND_CAPTURE_BEGIN, nodes);
    if (error === cudaSuccess) thread.captures++;
    return error;
  });
}

/** Begins to capture a stream. @param mode `cudaStreamCaptureMode…` */
export function cudaStreamBeginCapture(stream: CudaStream, mode: number): number {
  return begin(stream, 0, null, mode);
}

/**
 * Begins to capture a stream into a graph that there is.
 * @param dependencies nodes of it that the first one comes after
 * @param dependencyData for each edge its ports: all 0, or null
 */
export function cudaStreamBeginCaptureToGraph(
  stream: CudaStream,
  graph: CudaGraph,
  dependencies: readonly CudaGraphNode[] | null,
  dependencyData: readonly (CudaGraphEdgeData | null)[] | null,
  mode: number,
): number {
  if (graph === 0) return call(() => cudaErrorInvalidValue);
  const checked = call(() => checkEdges(dependencyData));
  return checked === cudaSuccess ? begin(stream, graph, dependencies, mode) : checked;
}

/**
 * Changes what the next node of a stream that captures comes after.
 * @param dependencyData for each edge its ports: all 0, or null
 * @param flags `cudaStreamAddCaptureDependencies` or `cudaStreamSetCaptureDependencies`
 */
export function cudaStreamUpdateCaptureDependencies(
  stream: CudaStream,
  dependencies: readonly CudaGraphNode[] | null,
  dependencyData: readonly (CudaGraphEdgeData | null)[] | null = null,
  flags: number = cudaStreamAddCaptureDependencies,
): number {
  return call((thread) => {
    const known = [cudaStreamAddCaptureDependencies, cudaStreamSetCaptureDependencies];
    if (!known.includes(flags)) return cudaErrorInvalidValue;
    checkEdges(dependencyData);
    const nodes = handles(dependencies);
    const device = thread.device().begin(stream).setU32(CAPTURE_UPDATE_REPLACE, flags);
    return device
      .setU32(CAPTURE_UPDATE_COUNT, nodes.length / 4)
      .send(COMMAND_CAPTURE_UPDATE, nodes);
  });
}

/** After these a capture goes on. */
const GOES_ON: ReadonlySet<number> = new Set([
  cudaErrorIllegalState,
  cudaErrorStreamCaptureUnmatched,
  cudaErrorStreamCaptureWrongThread,
]);

/**
 * Ends the capture that began on this stream.
 * @param pGraph receives the graph, 0 if it failed; may be null after `cudaStreamBeginCaptureToGraph`
 */
export function cudaStreamEndCapture(stream: CudaStream, pGraph: Out<CudaGraph> | null): number {
  return call((thread) => {
    const box = isBox(pGraph);
    const device = thread
      .device()
      .begin(stream)
      .setU32(CAPTURE_END_KNOWN, box ? 0 : 1);
    const error = device.send(COMMAND_CAPTURE_END);
    if (!GOES_ON.has(error)) thread.captures = Math.max(0, thread.captures - 1);
    if (box) pGraph.value = error === cudaSuccess ? device.getU32(CAPTURE_END_GRAPH) : 0;
    return error;
  });
}

/** Whether a stream captures (`cudaStreamCaptureStatus…`). */
export function cudaStreamIsCapturing(
  stream: CudaStream,
  pCaptureStatus: Out<number> | null,
): number {
  return cudaStreamGetCaptureInfo(stream, pCaptureStatus);
}

/**
 * What a stream captures: the status, the capture's number, the graph in the making, and the nodes
 * that the next one depends on.
 */
export function cudaStreamGetCaptureInfo(
  stream: CudaStream,
  captureStatus: Out<number> | null,
  id: Out<number> | null = null,
  graph: Out<CudaGraph> | null = null,
  dependencies: Out<CudaGraphNode[]> | null = null,
): number {
  return call((thread) => {
    if (!isBox(captureStatus)) return cudaErrorInvalidValue;
    const device = thread.device().begin(stream);
    device.check(COMMAND_CAPTURE_INFO);
    captureStatus.value = device.getU32(CAPTURE_INFO_STATUS);
    if (isBox(id)) id.value = device.getU64(CAPTURE_INFO_ID);
    if (isBox(graph)) graph.value = device.getU32(CAPTURE_INFO_GRAPH);
    if (isBox(dependencies)) {
      const handles = new Uint32Array(device.getU32(CAPTURE_INFO_DEPENDENCIES));
      const bytes = new Uint8Array(handles.buffer);
      if (bytes.length > 0) device.begin(stream).check(COMMAND_CAPTURE_INFO, undefined, bytes);
      dependencies.value = [...handles];
    }
    return cudaSuccess;
  });
}
