/** Executable graphs: instantiating, updating, launching; and the memory that they use. */
import { COMMAND_MEMORY_SET, MEMORY_SET_TARGET } from "../../protocol/definitions.ts";
import {
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
  cudaErrorStreamCaptureInvalidated,
  cudaSuccess,
} from "../../protocol/errors.ts";
import * as P from "../../protocol/graphs.ts";
import type { Call } from "../call.ts";
import {
  ConditionalWork,
  type ConditionValues,
  checkBodies,
  checkGraph,
  initialValues,
  withValues,
} from "../conditional.ts";
import type { Device } from "../device.ts";
import { Graph, GraphExec, type GraphNode, type GraphStep, isMemoryNode } from "../graph.ts";
import { claimMemory, graphAccount, memoryWork, releaseGraphMemory } from "../graph-memory.ts";
import type { QueueGroup } from "../groups.ts";
import { RecordedRequest, recordedCommand } from "../source.ts";
import type { Work } from "../stream.ts";
import type { Command, CommandFamily } from "../table.ts";
import { reachesBox } from "./boxes.ts";
import { reaches } from "./copies.ts";
import { graphOf, nodeOf, replacement } from "./graphs.ts";

function execOf(device: Device, call: Call, handle: number): GraphExec | undefined {
  return device.visible(call.context, handle, GraphExec);
}

/** The work of a step. @returns the work, or a cudaError_t */
function prepareStep(
  device: Device,
  group: QueueGroup,
  step: GraphStep,
  values: ConditionValues,
): Work | number {
  const { context } = step;
  const { allocation } = step.node;
  if (isMemoryNode(step.type) && allocation) return memoryWork(step.type, allocation);
  if (step.conditional) {
    const error = checkBodies(device, group, step.conditional);
    return error === cudaSuccess ? new ConditionalWork(device, group, step, values) : error;
  }
  if (step.type === P.NODE_MEMSET && !reachesTarget(device, group, step)) {
    return cudaErrorInvalidValue;
  }
  const work = device.prepareRecorded(context, group, step.request);
  return typeof work === "number" || values.size === 0 ? work : withValues(device, values, work);
}

/** May the device of a node that fills memory reach that? */
function reachesTarget(
  device: Device,
  group: QueueGroup,
  { context, request }: GraphStep,
): boolean {
  const recorded = new RecordedRequest(device.memory, context, group, request);
  return recordedCommand(request) === COMMAND_MEMORY_SET
    ? reaches(device, context, recorded.u64(MEMORY_SET_TARGET))
    : reachesBox(device, recorded);
}

const instantiate: Command = {
  responseBytes: P.GRAPH_INSTANTIATE_RESPONSE_SIZE,
  context: true,
  creates: true,
  run(device: Device, call: Call): number {
    const graph = graphOf(device, call, call.u32(P.GRAPH_INSTANTIATE_GRAPH));
    if (graph === undefined) return cudaErrorInvalidValue;
    const error = checkGraph(graph);
    if (error !== cudaSuccess) return error;
    const nodes = graph.sorted() ?? [];
    const freesOnLaunch =
      (call.u32(P.GRAPH_INSTANTIATE_FLAGS) & P.INSTANTIATE_FREE_ON_LAUNCH) !== 0;
    const exec = new GraphExec(device.newHandle(), nodes, freesOnLaunch);
    for (const step of exec.actions()) {
      const work = prepareStep(device, call.group, step, new Map());
      if (typeof work === "number") return work;
      work.release?.();
    }
    call.context.resources.set(exec.handle, exec);
    call.set32(P.GRAPH_INSTANTIATE_EXEC, exec.handle);
    return cudaSuccess;
  },
};

const execDestroy: Command = {
  responseBytes: P.GRAPH_EXEC_DESTROY_RESPONSE_SIZE,
  context: true,
  afterFault: true,
  run(device: Device, call: Call): number {
    const exec = execOf(device, call, call.u32(P.GRAPH_EXEC_DESTROY_EXEC));
    if (exec === undefined) return cudaErrorInvalidValue;
    device.forget(exec.handle);
    releaseGraphMemory(device);
    return cudaSuccess;
  },
};

const launch: Command = {
  responseBytes: P.GRAPH_LAUNCH_RESPONSE_SIZE,
  context: true,
  streamQueue: true,
  run(device: Device, call: Call): number {
    const { group } = call;
    const exec = execOf(device, call, call.u32(P.GRAPH_LAUNCH_EXEC));
    const stream = call.stream();
    if (exec === undefined) return cudaErrorInvalidValue;
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    if (call.u32(P.GRAPH_LAUNCH_ONLY_CHECK) !== 0) return cudaSuccess;
    if (stream.capture) return captureLaunch(device, call, exec);
    // All of it is prepared before any of it is queued: a launch is refused whole or not at all.
    const works: Work[] = [];
    let error: number = cudaSuccess;
    const values = initialValues(exec);
    for (const step of exec.actions()) {
      const work = step.context.error || prepareStep(device, group, step, values);
      if (typeof work === "number") error = work;
      else works.push(work);
      if (error !== cudaSuccess) break;
    }
    if (error === cudaSuccess) error = claimMemory(device, exec);
    if (error !== cudaSuccess) {
      for (const made of works) made.release?.();
      return error;
    }
    for (const work of works) call.context.scheduler.enqueue(stream, work);
    return cudaSuccess;
  },
};

/** A graph that is launched into a capturing stream becomes a child node. */
function captureLaunch(device: Device, call: Call, exec: GraphExec): number {
  const stream = call.stream()!;
  const capture = stream.capture!;
  if (capture.invalid) return cudaErrorStreamCaptureInvalidated;
  // A child graph has no conditional nodes, as in CUDA.
  if (exec.conditions().length > 0) return cudaErrorNotSupported;
  const inner = new Graph(device.newHandle());
  call.context.resources.set(inner.handle, inner);
  let before: GraphNode[] = [];
  for (const { node, context, type, request } of exec.actions()) {
    const step = inner.add(device, context, type, request.slice(), before);
    step.allocation = node.allocation;
    call.context.resources.set(step.handle, step);
    before = [step];
  }
  const frontier = capture.frontiers.get(stream)!;
  const node = capture.graph.add(
    device,
    call.context,
    P.NODE_GRAPH,
    new Uint8Array(0),
    frontier,
    inner,
  );
  call.context.resources.set(node.handle, node);
  capture.frontiers.set(stream, new Set([node]));
  return cudaSuccess;
}

const execUpdate: Command = {
  responseBytes: P.GRAPH_EXEC_UPDATE_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const exec = execOf(device, call, call.u32(P.GRAPH_EXEC_UPDATE_EXEC));
    const graph = graphOf(device, call, call.u32(P.GRAPH_EXEC_UPDATE_GRAPH));
    if (exec === undefined || graph === undefined) return cudaErrorInvalidValue;
    const bad = checkGraph(graph);
    if (bad !== cudaSuccess) return bad;
    const { error, result, node } = exec.update(graph);
    call.set32(P.GRAPH_EXEC_UPDATE_RESULT, result);
    call.set32(P.GRAPH_EXEC_UPDATE_NODE, node);
    return error;
  },
};

const execNodeSet: Command = {
  responseBytes: P.GRAPH_EXEC_NODE_SET_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const exec = execOf(device, call, call.u32(P.GRAPH_EXEC_NODE_SET_EXEC));
    const node = nodeOf(device, call, call.u32(P.GRAPH_EXEC_NODE_SET_NODE));
    const step = node && exec?.stepOf(node);
    if (step === undefined) return cudaErrorInvalidValue;
    const bytes = call.u32(P.GRAPH_EXEC_NODE_SET_REQUEST_BYTES);
    const child = call.u32(P.GRAPH_EXEC_NODE_SET_CHILD);
    if (child !== 0) {
      const graph = graphOf(device, call, child);
      const updated = graph && step.child?.update(graph);
      return updated?.error === cudaSuccess ? cudaSuccess : cudaErrorInvalidValue;
    }
    const kernel = step.type === P.NODE_KERNEL;
    if (kernel && step.context.ordinal !== call.context.ordinal) return cudaErrorInvalidValue;
    const request = replacement(device, call, bytes, step.type, step.context);
    if (typeof request === "number") return request;
    step.request = request;
    return cudaSuccess;
  },
};

const execNodeEnable: Command = {
  responseBytes: P.GRAPH_EXEC_NODE_ENABLE_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const exec = execOf(device, call, call.u32(P.GRAPH_EXEC_NODE_ENABLE_EXEC));
    const node = nodeOf(device, call, call.u32(P.GRAPH_EXEC_NODE_ENABLE_NODE));
    const step = node && exec?.stepOf(node);
    const set = call.u32(P.GRAPH_EXEC_NODE_ENABLE_SET);
    if (step === undefined || set > 2) return cudaErrorInvalidValue;
    // Only kernels, copies and fills can be switched off (cudaGraphNodeSetEnabled).
    if (step.type > P.NODE_MEMSET) return cudaErrorInvalidValue;
    if (set < 2) step.enabled = set === 1;
    call.set32(P.GRAPH_EXEC_NODE_ENABLE_ENABLED, step.enabled ? 1 : 0);
    return cudaSuccess;
  },
};

const memory: Command = {
  responseBytes: P.GRAPH_MEMORY_RESPONSE_SIZE,
  context: true,
  run(_device: Device, call: Call): number {
    const account = graphAccount(call.context);
    const attribute = call.u32(P.GRAPH_MEMORY_ATTRIBUTE);
    switch (call.u32(P.GRAPH_MEMORY_WHAT)) {
      case P.GRAPH_MEMORY_GET: {
        const { used, usedHigh, reserved, reservedHigh } = account;
        const value = [used, usedHigh, reserved, reservedHigh][attribute];
        if (value === undefined) return cudaErrorInvalidValue;
        call.set64(P.GRAPH_MEMORY_VALUE, value);
        return cudaSuccess;
      }
      case P.GRAPH_MEMORY_RESET:
        if (attribute === P.GRAPH_MEMORY_USED_HIGH) account.resetUsedHigh();
        else if (attribute === P.GRAPH_MEMORY_RESERVED_HIGH) account.resetReservedHigh();
        else return cudaErrorInvalidValue;
        return cudaSuccess;
      case P.GRAPH_MEMORY_TRIM:
        account.trim();
        return cudaSuccess;
      default:
        return cudaErrorInvalidValue;
    }
  },
};

/** The family: GRAPH_INSTANTIATE, GRAPH_EXEC_*, GRAPH_LAUNCH, GRAPH_MEMORY. */
export const graphExecCommands: CommandFamily = new Map([
  [P.COMMAND_GRAPH_INSTANTIATE, instantiate],
  [P.COMMAND_GRAPH_EXEC_DESTROY, execDestroy],
  [P.COMMAND_GRAPH_LAUNCH, launch],
  [P.COMMAND_GRAPH_MEMORY, memory],
  [P.COMMAND_GRAPH_EXEC_UPDATE, execUpdate],
  [P.COMMAND_GRAPH_EXEC_NODE_SET, execNodeSet],
  [P.COMMAND_GRAPH_EXEC_NODE_ENABLE, execNodeEnable],
]);
