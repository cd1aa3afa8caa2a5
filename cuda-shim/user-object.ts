/**
 * Objects of the program that live as long as graphs use them (`cudaUserObject_t`). Their destructors
 * are functions of this JavaScript thread, so that its host thread counts who holds them.
 */
import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import {
  COMMAND_GRAPH_LIST,
  GRAPH_LIST_OBJECT,
  GRAPH_LIST_WHAT,
  LIST_NODES,
} from "../runtime/protocol/graphs.ts";
import { cudaGraphUserObjectMove, cudaUserObjectNoDestructorSync } from "./constants.ts";
import { aboutGraph } from "./graph-place.ts";
import { call, type HostThread } from "./thread.ts";
import { type CudaGraph, type CudaUserObject, isBox, isI32, type Out } from "./types.ts";

/** Whether `count` is a number of references. */
function isCount(count: number): boolean {
  return isI32(count) && count > 0;
}

/**
 * Makes an object with a destructor, which is called when nobody holds it any more.
 * @param initialRefcount references that the caller has
 * @param flags `cudaUserObjectNoDestructorSync`
 */
export function cudaUserObjectCreate(
  object_out: Out<CudaUserObject> | null,
  ptr: unknown,
  destroy: (ptr: unknown) => void,
  initialRefcount: number,
  flags: number,
): number {
  return call(({ userObjects }) => {
    if (!isBox(object_out) || typeof destroy !== "function") return cudaErrorInvalidValue;
    if (!isCount(initialRefcount) || flags !== cudaUserObjectNoDestructorSync) {
      return cudaErrorInvalidValue;
    }
    object_out.value = userObjects.add(() => destroy(ptr), initialRefcount);
    return cudaSuccess;
  });
}

/** Takes more references to an object. */
export function cudaUserObjectRetain(object: CudaUserObject, count = 1): number {
  return call(({ userObjects }) =>
    isCount(count) && userObjects.retain(object, count) ? cudaSuccess : cudaErrorInvalidValue,
  );
}

/** Gives references to an object back; with the last one of all it ends. */
export function cudaUserObjectRelease(object: CudaUserObject, count = 1): number {
  return call(({ userObjects }) =>
    isCount(count) && userObjects.release(object, count) ? cudaSuccess : cudaErrorInvalidValue,
  );
}

function checkGraph(thread: HostThread, graph: CudaGraph): void {
  const device = aboutGraph(thread.device(), GRAPH_LIST_OBJECT, graph);
  device.setU32(GRAPH_LIST_WHAT, LIST_NODES).check(COMMAND_GRAPH_LIST);
}

/**
 * Lets a graph hold an object, as its clones and executable graphs then do.
 * @param flags `cudaGraphUserObjectMove` if the caller's references become the graph's
 */
export function cudaGraphRetainUserObject(
  graph: CudaGraph,
  object: CudaUserObject,
  count = 1,
  flags = 0,
): number {
  return call((thread) => {
    if (!isCount(count) || (flags !== 0 && flags !== cudaGraphUserObjectMove)) {
      return cudaErrorInvalidValue;
    }
    checkGraph(thread, graph);
    const move = flags === cudaGraphUserObjectMove;
    const held = thread.userObjects.hold(graph, object, count, move);
    return held ? cudaSuccess : cudaErrorInvalidValue;
  });
}

/** Takes back a graph's references to an object. */
export function cudaGraphReleaseUserObject(
  graph: CudaGraph,
  object: CudaUserObject,
  count = 1,
): number {
  return call((thread) => {
    checkGraph(thread, graph);
    const good = isCount(count) && thread.userObjects.letGo(graph, object, count);
    return good ? cudaSuccess : cudaErrorInvalidValue;
  });
}
