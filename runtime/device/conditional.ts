/**
 * Conditional nodes (CUDA Programming Guide, "Conditional Graph Nodes"): kernels set a condition's value
 * (cudaGraphSetConditional), and the node runs, by that value, the one or the other of its bodies.
 */
import {
  cudaErrorInvalidValue,
  cudaErrorLaunchFailure,
  cudaErrorLaunchTimeout,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../protocol/errors.ts";
import * as P from "../protocol/graphs.ts";
import { COMMAND_HOST_CALL } from "../protocol/streams.ts";
import type { Device } from "./device.ts";
import {
  type ConditionalStep,
  type Graph,
  type GraphExec,
  type GraphStep,
  innerGraphs,
} from "./graph.ts";
import type { QueueGroup } from "./groups.ts";
import { reportFault } from "./launch.ts";
import { recordedCommand } from "./source.ts";
import { type Stream, WORK_AGAIN, WORK_DONE, type Work } from "./stream.ts";

/** What kernels have set in one launch of a graph, by the condition's handle. */
export type ConditionValues = Map<number, number>;

/** @returns the conditions of a launch that begins */
export function initialValues(exec: GraphExec): ConditionValues {
  return new Map(exec.conditions().map(({ handle, initial }) => [handle, initial]));
}

/** What may be in a body: nothing that the device would have to wait for. */
const BODY_NODES: ReadonlySet<number> = new Set([
  P.NODE_KERNEL,
  P.NODE_MEMCPY,
  P.NODE_MEMSET,
  P.NODE_GRAPH,
  P.NODE_EMPTY,
  P.NODE_CONDITIONAL,
]);

/**
 * Can a graph be executed?
 * @param inBody whether it is inside a conditional node
 * @returns cudaErrorInvalidValue for cycles, cudaErrorNotSupported for what may not be in a body
 */
export function checkGraph(graph: Graph, inBody = false): number {
  if (graph.sorted() === undefined) return cudaErrorInvalidValue;
  for (const node of graph.nodes) {
    if (inBody && !BODY_NODES.has(node.type)) return cudaErrorNotSupported;
    for (const inner of innerGraphs(node)) {
      const error = checkGraph(inner, inBody || node.conditional !== undefined);
      if (error !== cudaSuccess) return error;
    }
  }
  return cudaSuccess;
}

/** A body that runs: its steps, and which is next. */
interface Frame {
  readonly conditional: ConditionalStep;
  readonly steps: readonly GraphStep[];
  next: number;
}

/** A conditional node as work. It runs a node at a time, so that requests are served in between. */
export class ConditionalWork implements Work {
  readonly #device: Device;
  readonly #group: QueueGroup;
  readonly #step: GraphStep;
  readonly #values: ConditionValues;
  readonly #frames: Frame[] = [];
  #started: number | undefined;

  /** @param values of the graph's launch */
  constructor(device: Device, group: QueueGroup, step: GraphStep, values: ConditionValues) {
    this.#device = device;
    this.#group = group;
    this.#step = step;
    this.#values = values;
  }

  run(stream: Stream): number {
    const { timeoutMs } = this.#device;
    const now = performance.now();
    if (this.#started === undefined) {
      this.#started = now;
      if (this.#step.conditional) this.#enter(this.#step.conditional);
    } else if (timeoutMs > 0 && now - this.#started > timeoutMs) {
      return this.#fail(cudaErrorLaunchTimeout, "a conditional node ran too long");
    }
    const step = this.#advance();
    if (step === undefined) return WORK_DONE;
    if (step === "again") return WORK_AGAIN;
    const work = prepareInBody(this.#device, this.#group, step);
    if (typeof work === "number") {
      const what = `a node of a conditional body can no longer run (error ${work})`;
      return this.#fail(cudaErrorLaunchFailure, what);
    }
    withValues(this.#device, this.#values, work).run(stream);
    work.release?.();
    return WORK_AGAIN;
  }

  /** @returns the step that is next; "again" where a body begins anew; undefined at the end */
  #advance(): GraphStep | "again" | undefined {
    for (;;) {
      const frame = this.#frames.at(-1);
      if (frame === undefined) return undefined;
      const step = frame.steps[frame.next++];
      if (step?.conditional) {
        this.#enter(step.conditional);
      } else if (step) {
        return step;
      } else {
        this.#frames.pop();
        if (frame.conditional.kind !== P.CONDITION_WHILE) continue;
        this.#enter(frame.conditional);
        return "again";
      }
    }
  }

  /** Begins the body that the condition's value asks for, if there is one. */
  #enter(conditional: ConditionalStep): void {
    const { condition, kind, bodies } = conditional;
    const value = this.#values.get(condition.handle) ?? 0;
    const index = kind === P.CONDITION_SWITCH ? value : value === 0 ? 1 : 0;
    const steps = bodies[index]?.actions();
    if (steps) this.#frames.push({ conditional, steps, next: 0 });
  }

  #fail(code: number, message: string): number {
    const none: [number, number, number] = [0, 0, 0];
    reportFault(this.#step.context, {
      code,
      kind: "conditional",
      kernel: "",
      block: none,
      thread: none,
      address: 0,
      line: 0,
      file: "",
      message,
    });
    return WORK_DONE;
  }
}

/** Work of a launch whose kernels may set conditions. */
export function withValues(device: Device, values: ConditionValues, work: Work): Work {
  return {
    ...(work.always === undefined ? {} : { always: work.always }),
    ...(work.waits === undefined ? {} : { waits: work.waits }),
    run(stream) {
      device.conditions = values;
      try {
        return work.run(stream);
      } finally {
        device.conditions = undefined;
      }
    },
    enqueued: (ticket) => work.enqueued?.(ticket),
    release: () => work.release?.(),
  };
}

/** The work of a step of a body. @returns cudaErrorNotSupported for a copy that the host does */
function prepareInBody(device: Device, group: QueueGroup, step: GraphStep): Work | number {
  if (recordedCommand(step.request) === COMMAND_HOST_CALL) return cudaErrorNotSupported;
  return device.prepareRecorded(step.context, group, step.request);
}

/** Are all steps of a conditional node's bodies such as can run? @returns a cudaError_t */
export function checkBodies(device: Device, group: QueueGroup, step: ConditionalStep): number {
  for (const inner of step.bodies.flatMap((body) => body.actions())) {
    if (inner.conditional) {
      const error = checkBodies(device, group, inner.conditional);
      if (error !== cudaSuccess) return error;
      continue;
    }
    const work = prepareInBody(device, group, inner);
    if (typeof work === "number") return work;
    work.release?.();
  }
  return cudaSuccess;
}
