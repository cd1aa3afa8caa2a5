/**
 * Launches that need not be waited for. To a device in another thread a launch is sent and
 * forgotten, if the driver knows enough of the function to be sure that the device accepts it;
 * otherwise the driver waits for the answer, and the device decides.
 */
import * as P from "../protocol/definitions.ts";
import * as F from "../protocol/functions.ts";
import * as G from "../protocol/graphs.ts";
import * as S from "../protocol/streams.ts";

/** Limits that hold for every function (compute capability 9.0): grid x, y, z, block x, y, z. */
const LIMITS = [2147483647, 65535, 65535, 1024, 1024, 64];

interface KnownFunction {
  readonly parameterBytes: number;
  readonly maxThreads: number;
  maxDynamicShared: number;
  /** Its launches must have clusters of some size. */
  clusters: boolean;
}

/** What one host thread's driver knows of functions, and what is on its way. */
export class LaunchPipeline {
  /** Launches that the device has not answered. */
  inFlight = 0;
  /**
   * The first error that such a launch came back with, for the next request of its context that is waited
   * for.
   */
  readonly lateErrors = new Map<number, number>();
  #capturing = 0;
  readonly #functions = new Map<number, KnownFunction>();
  /** Streams, and their contexts. */
  readonly #streams = new Map<number, number>();

  /**
   * Learns from a request that succeeded.
   * @param arg request and response
   */
  learn(command: number, arg: DataView): void {
    const request = (field: number): number => arg.getUint32(field, true);
    const response = (field: number): number => arg.getUint32(P.ARG_RESPONSE + field, true);
    if (command === P.COMMAND_FUNCTION_GET) {
      this.#functions.set(response(P.FUNCTION_GET_FUNCTION), {
        parameterBytes: response(P.FUNCTION_GET_PARAMETER_BYTES),
        maxThreads: response(P.FUNCTION_GET_MAX_THREADS),
        maxDynamicShared: response(P.FUNCTION_GET_MAX_DYNAMIC_SHARED),
        clusters: response(P.FUNCTION_GET_CLUSTERS) !== 0,
      });
    } else if (command === F.COMMAND_FUNCTION_SET) {
      const known = this.#functions.get(request(F.FUNCTION_SET_FUNCTION));
      if (known && request(F.FUNCTION_SET_ATTRIBUTE) === F.FUNCTION_MAX_DYNAMIC_SHARED) {
        known.maxDynamicShared = request(F.FUNCTION_SET_VALUE);
      } else if (known && request(F.FUNCTION_SET_ATTRIBUTE) !== F.FUNCTION_CACHE_CONFIG) {
        known.clusters ||= request(F.FUNCTION_SET_ATTRIBUTE) >= F.FUNCTION_CLUSTER_WIDTH;
      }
    } else if (command === S.COMMAND_STREAM_CREATE) {
      this.#streams.set(response(S.STREAM_CREATE_STREAM), request(P.REQUEST_CONTEXT));
    } else if (command === S.COMMAND_STREAM_DESTROY) {
      this.#streams.delete(request(P.REQUEST_STREAM));
    } else if (command === G.COMMAND_CAPTURE_BEGIN) {
      this.#capturing++;
    } else if (command === G.COMMAND_CAPTURE_END) {
      this.#capturing = Math.max(0, this.#capturing - 1);
    } else if (command === P.COMMAND_MODULE_UNLOAD || command === P.COMMAND_CONTEXT_RESET) {
      // Functions are gone; handles are never used twice, so that the rest can be asked for again.
      this.#functions.clear();
      if (command === P.COMMAND_CONTEXT_RESET) this.#streams.clear();
    }
  }

  /**
   * Is it certain that the device accepts a launch?
   * @param arg the request
   * @param bytes of parameters beside it
   */
  isCertain(arg: DataView, bytes: number): boolean {
    const request = (field: number): number => arg.getUint32(field, true);
    const known = this.#functions.get(request(P.LAUNCH_FUNCTION));
    if (known === undefined || this.#capturing > 0 || request(P.LAUNCH_FLAGS) !== 0) return false;
    if (known.clusters) return false;
    const stream = request(P.REQUEST_STREAM);
    const context = request(P.REQUEST_CONTEXT);
    if (stream > P.STREAM_PER_THREAD && this.#streams.get(stream) !== context) return false;
    for (let i = 0; i < 6; i++) {
      const extent = request(P.LAUNCH_GRID_X + 4 * i);
      if (extent === 0 || extent > LIMITS[i]!) return false;
    }
    const threads =
      request(P.LAUNCH_BLOCK_X) * request(P.LAUNCH_BLOCK_Y) * request(P.LAUNCH_BLOCK_Z);
    return (
      threads <= known.maxThreads &&
      request(P.LAUNCH_SHARED_BYTES) <= known.maxDynamicShared &&
      request(P.LAUNCH_PARAMETER_BYTES) === known.parameterBytes &&
      bytes >= known.parameterBytes
    );
  }
}
