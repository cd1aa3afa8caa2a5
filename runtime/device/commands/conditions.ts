/** Conditions of graphs, and the nodes that look at them. */
import { cudaErrorInvalidValue, cudaSuccess } from "../../protocol/errors.ts";
import * as P from "../../protocol/graphs.ts";
import type { Call } from "../call.ts";
import type { Device } from "../device.ts";
import { Condition, Graph, type GraphNode } from "../graph.ts";
import type { Command, CommandFamily } from "../table.ts";
import { graphOf, writeHandles } from "./graphs.ts";

const create: Command = {
  responseBytes: P.GRAPH_CONDITION_CREATE_RESPONSE_SIZE,
  context: true,
  creates: true,
  run(device: Device, call: Call): number {
    const graph = graphOf(device, call, call.u32(P.GRAPH_CONDITION_CREATE_GRAPH));
    const flags = call.u32(P.GRAPH_CONDITION_CREATE_FLAGS);
    if (graph === undefined || (flags & ~P.CONDITION_ASSIGN) !== 0) return cudaErrorInvalidValue;
    const initial = flags & P.CONDITION_ASSIGN ? call.u32(P.GRAPH_CONDITION_CREATE_VALUE) : 0;
    const condition = new Condition(device.newHandle(), graph, initial);
    graph.conditions.add(condition);
    call.context.resources.set(condition.handle, condition);
    call.set64(P.GRAPH_CONDITION_CREATE_CONDITION, condition.handle);
    return cudaSuccess;
  },
};

/** What a request says of a conditional node that it adds. */
interface Asked {
  readonly condition: Condition | undefined;
  readonly kind: number;
  readonly bodies: number;
}

/** @returns undefined if the request is for another node */
export function readConditional(device: Device, call: Call): Asked | undefined {
  const handle = call.u64(P.GRAPH_ADD_NODE_CONDITION);
  if (handle === 0) return undefined;
  const kind = call.u32(P.GRAPH_ADD_NODE_KIND);
  const bodies = call.u32(P.GRAPH_ADD_NODE_BODIES);
  return { condition: device.visible(call.context, handle, Condition), kind, bodies };
}

/** Adds a conditional node with empty bodies, which the answer names. */
export function addConditionalNode(
  device: Device,
  call: Call,
  graph: Graph,
  { condition, kind, bodies: count }: Asked,
  after: readonly GraphNode[],
): number {
  if (condition === undefined || !graph.sees(condition)) return cudaErrorInvalidValue;
  const most = [2, 1, P.MAX_BODIES][kind];
  if (most === undefined || count === 0 || count > most) return cudaErrorInvalidValue;
  const bodies = Array.from({ length: count }, () => new Graph(device.newHandle()));
  const conditional = { condition, kind, bodies };
  const none = new Uint8Array(0);
  const { context } = call;
  const type = P.NODE_CONDITIONAL;
  const node = graph.add(device, context, type, none, after, undefined, conditional);
  for (const made of [node, ...bodies]) context.resources.set(made.handle, made);
  call.set32(P.GRAPH_ADD_NODE_NODE, node.handle);
  writeHandles(
    call,
    bodies.map(({ handle }) => handle),
  );
  return cudaSuccess;
}

/** The family: GRAPH_CONDITION_CREATE. */
export const conditionCommands: CommandFamily = new Map([
  [P.COMMAND_GRAPH_CONDITION_CREATE, create],
]);
