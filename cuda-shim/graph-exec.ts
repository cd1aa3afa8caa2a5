/** Executable graphs: made of graphs, updated, launched. */
import {
  cudaErrorGraphExecUpdateFailure,
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import {
  COMMAND_GRAPH_EXEC_DESTROY,
  COMMAND_GRAPH_EXEC_NODE_ENABLE,
  COMMAND_GRAPH_EXEC_UPDATE,
  COMMAND_GRAPH_INSTANTIATE,
  COMMAND_GRAPH_LAUNCH,
  GRAPH_EXEC_DESTROY_EXEC,
  GRAPH_EXEC_NODE_ENABLE_ENABLED,
  GRAPH_EXEC_NODE_ENABLE_EXEC,
  GRAPH_EXEC_NODE_ENABLE_NODE,
  GRAPH_EXEC_NODE_ENABLE_SET,
  GRAPH_EXEC_UPDATE_EXEC,
  GRAPH_EXEC_UPDATE_GRAPH,
  GRAPH_EXEC_UPDATE_NODE,
  GRAPH_EXEC_UPDATE_RESULT,
  GRAPH_INSTANTIATE_EXEC,
  GRAPH_INSTANTIATE_FLAGS,
  GRAPH_INSTANTIATE_GRAPH,
  GRAPH_LAUNCH_EXEC,
  GRAPH_LAUNCH_ONLY_CHECK,
  INSTANTIATE_FREE_ON_LAUNCH,
} from "../runtime/protocol/graphs.ts";
import {
  cudaGraphInstantiateError,
  cudaGraphInstantiateFlagAutoFreeOnLaunch,
  cudaGraphInstantiateFlagDeviceLaunch,
  cudaGraphInstantiateFlagUpload,
  cudaGraphInstantiateFlagUseNodePriority,
  cudaGraphInstantiateSuccess,
} from "./constants.ts";
import { act, ask } from "./graph.ts";
import { aboutGraph } from "./graph-place.ts";
import { call } from "./thread.ts";
import {
  type CudaGraph,
  type CudaGraphExec,
  type CudaGraphNode,
  type CudaStream,
  isBox,
  isObject,
  isU32,
  type Out,
} from "./types.ts";

/** `cudaGraphExecUpdateResultInfo`. */
export interface CudaGraphExecUpdateResultInfo {
  /** `cudaGraphExecUpdate…` */
  result: number;
  /** The node that differs, or 0. */
  errorNode: CudaGraphNode;
}

/** `cudaGraphInstantiateFlag…` that are known; there are no priorities, and uploads are at once. */
const INSTANTIATE_FLAGS =
  cudaGraphInstantiateFlagAutoFreeOnLaunch |
  cudaGraphInstantiateFlagUpload |
  cudaGraphInstantiateFlagDeviceLaunch |
  cudaGraphInstantiateFlagUseNodePriority;

/**
 * Makes an executable graph of a graph.
 * @param flags `cudaGraphInstantiateFlag…`, or 0
 * @returns cudaErrorNotSupported for graphs that kernels are to launch
 */
export function cudaGraphInstantiate(
  pGraphExec: Out<CudaGraphExec> | null,
  graph: CudaGraph,
  flags = 0,
): number {
  return call((thread) => {
    if (!isBox(pGraphExec) || !isU32(flags)) return cudaErrorInvalidValue;
    if (flags & ~INSTANTIATE_FLAGS) return cudaErrorInvalidValue;
    if (flags & cudaGraphInstantiateFlagDeviceLaunch) return cudaErrorNotSupported;
    const device = aboutGraph(thread.device(), GRAPH_INSTANTIATE_GRAPH, graph);
    device.setU32(GRAPH_INSTANTIATE_FLAGS, flags & INSTANTIATE_FREE_ON_LAUNCH);
    device.check(COMMAND_GRAPH_INSTANTIATE);
    pGraphExec.value = device.getU32(GRAPH_INSTANTIATE_EXEC);
    thread.userObjects.copied(graph, pGraphExec.value);
    return cudaSuccess;
  });
}

/** `cudaGraphInstantiateParams`. */
export interface CudaGraphInstantiateParams {
  flags?: number;
  uploadStream?: CudaStream;
  /** Receives the node that can't be, or 0. */
  errNode_out?: CudaGraphNode;
  /** Receives a `cudaGraphInstantiate…`. */
  result_out?: number;
}

/** `cudaGraphInstantiate`; what became of it is put into `instantiateParams` too. */
export function cudaGraphInstantiateWithParams(
  pGraphExec: Out<CudaGraphExec> | null,
  graph: CudaGraph,
  instantiateParams: CudaGraphInstantiateParams | null,
): number {
  if (!isObject(instantiateParams)) return call(() => cudaErrorInvalidValue);
  const error = cudaGraphInstantiate(pGraphExec, graph, instantiateParams.flags ?? 0);
  instantiateParams.errNode_out = 0;
  instantiateParams.result_out =
    error === cudaSuccess ? cudaGraphInstantiateSuccess : cudaGraphInstantiateError;
  return error;
}

/** `cudaGraphInstantiate`. */
export function cudaGraphInstantiateWithFlags(
  pGraphExec: Out<CudaGraphExec> | null,
  graph: CudaGraph,
  flags = 0,
): number {
  return cudaGraphInstantiate(pGraphExec, graph, flags);
}

/** Ends an executable graph. */
export function cudaGraphExecDestroy(graphExec: CudaGraphExec): number {
  return act(COMMAND_GRAPH_EXEC_DESTROY, GRAPH_EXEC_DESTROY_EXEC, graphExec, ({ userObjects }) =>
    userObjects.ended(graphExec),
  );
}

function launch(graphExec: CudaGraphExec, stream: CudaStream, onlyCheck: 0 | 1): number {
  return call((thread) => {
    const device = thread.device().begin(stream);
    device.setHandle(GRAPH_LAUNCH_EXEC, graphExec, cudaErrorInvalidValue);
    return device.setU32(GRAPH_LAUNCH_ONLY_CHECK, onlyCheck).send(COMMAND_GRAPH_LAUNCH);
  });
}

/** Runs an executable graph in a stream. */
export function cudaGraphLaunch(graphExec: CudaGraphExec, stream: CudaStream = 0): number {
  return launch(graphExec, stream, 0);
}

/** Would bring an executable graph to the device, which has it already. */
export function cudaGraphUpload(graphExec: CudaGraphExec, stream: CudaStream = 0): number {
  return launch(graphExec, stream, 1);
}

/**
 * Gives an executable graph the parameters of a graph of the same shape.
 * @param resultInfo receives what differs
 * @returns cudaErrorGraphExecUpdateFailure if the shapes differ
 */
export function cudaGraphExecUpdate(
  hGraphExec: CudaGraphExec,
  hGraph: CudaGraph,
  resultInfo: Out<CudaGraphExecUpdateResultInfo | null> | null,
): number {
  return call((thread) => {
    const device = aboutGraph(thread.device(), GRAPH_EXEC_UPDATE_EXEC, hGraphExec);
    device.setHandle(GRAPH_EXEC_UPDATE_GRAPH, hGraph, cudaErrorInvalidValue);
    const error = device.send(COMMAND_GRAPH_EXEC_UPDATE);
    if (error !== cudaSuccess && error !== cudaErrorGraphExecUpdateFailure) return error;
    if (isBox(resultInfo)) {
      resultInfo.value = {
        result: device.getU32(GRAPH_EXEC_UPDATE_RESULT),
        errorNode: device.getU32(GRAPH_EXEC_UPDATE_NODE),
      };
    }
    return error;
  });
}

const ONLY_ASK = 2;

function enabled(
  exec: CudaGraphExec,
  node: CudaGraphNode,
  set: number,
  out: Out<number> | null,
): number {
  const answer = GRAPH_EXEC_NODE_ENABLE_ENABLED;
  const field = GRAPH_EXEC_NODE_ENABLE_EXEC;
  return ask(out, COMMAND_GRAPH_EXEC_NODE_ENABLE, answer, field, exec, (device) =>
    device
      .setHandle(GRAPH_EXEC_NODE_ENABLE_NODE, node, cudaErrorInvalidValue)
      .setU32(GRAPH_EXEC_NODE_ENABLE_SET, set),
  );
}

/** Switches a node of an executable graph on (not 0) or off. */
export function cudaGraphNodeSetEnabled(
  hGraphExec: CudaGraphExec,
  hNode: CudaGraphNode,
  isEnabled: number,
): number {
  return enabled(hGraphExec, hNode, isEnabled ? 1 : 0, { value: 0 });
}

/** Whether a node of an executable graph is on. */
export function cudaGraphNodeGetEnabled(
  hGraphExec: CudaGraphExec,
  hNode: CudaGraphNode,
  isEnabled: Out<number> | null,
): number {
  return enabled(hGraphExec, hNode, ONLY_ASK, isEnabled);
}
