/** Stream capture: calls on a stream become nodes of a graph. */
import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import {
  CAPTURE_BEGIN_MODE,
  CAPTURE_END_GRAPH,
  CAPTURE_GLOBAL,
  CAPTURE_INFO_DEPENDENCIES,
  CAPTURE_INFO_GRAPH,
  CAPTURE_INFO_ID,
  CAPTURE_INFO_STATUS,
  CAPTURE_RELAXED,
  COMMAND_CAPTURE_BEGIN,
  COMMAND_CAPTURE_END,
  COMMAND_CAPTURE_INFO,
} from "../runtime/protocol/graphs.ts";
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

/** Begins to capture a stream. @param mode `cudaStreamCaptureMode…` */
export function cudaStreamBeginCapture(stream: CudaStream, mode: number): number {
  return call((thread) => {
    if (!isI32(mode) || mode < 0) return cudaErrorInvalidValue;
    const device = thread.device().begin(stream).setU32(CAPTURE_BEGIN_MODE, mode);
    return device.send(COMMAND_CAPTURE_BEGIN);
  });
}

/** Ends the capture that began on this stream. @param pGraph receives the graph, 0 if it failed */
export function cudaStreamEndCapture(stream: CudaStream, pGraph: Out<CudaGraph> | null): number {
  return call((thread) => {
    if (!isBox(pGraph)) return cudaErrorInvalidValue;
    const device = thread.device().begin(stream);
    const error = device.send(COMMAND_CAPTURE_END);
    pGraph.value = error === cudaSuccess ? device.getU32(CAPTURE_END_GRAPH) : 0;
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
