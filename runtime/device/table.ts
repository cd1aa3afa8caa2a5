/** The command table: what each command number needs and who handles it. */
import type { Call } from "./call.ts";
import type { Device } from "./device.ts";
import type { RequestSource } from "./source.ts";
import type { Work } from "./stream.ts";

/** One command of the protocol. */
export interface Command {
  /** Bytes of the response's fixed part. */
  readonly responseBytes: number;
  /** The request must name a context. */
  readonly context?: boolean;
  /** Is answered even when the context has a sticky error. */
  readonly afterFault?: boolean;
  /** May be sent on a stream queue too. */
  readonly streamQueue?: boolean;
  /** A synchronisation point: printed text goes to the host before the answer does. */
  readonly synchronizes?: boolean;
  /** Makes something that has a handle: refused when the context has too many. */
  readonly creates?: boolean;
  /** Is answered before START. */
  readonly beforeStart?: boolean;
  /**
   * For commands that can be nodes of a graph: makes the work of a request without doing it.
   * @returns the work, or a cudaError_t
   */
  prepare?(device: Device, source: RequestSource): Work | number;
  /**
   * Handles a request.
   * @returns a cudaError_t, or LATER when the answer comes by an Answer
   */
  run(device: Device, call: Call): number;
}

/** Command number → command; families are merged in `commands/index.ts`. */
export type CommandFamily = ReadonlyMap<number, Command>;
