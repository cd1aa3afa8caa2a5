// A driver and a device in two threads at full speed, over one queue.

import { Worker } from "node:worker_threads";
import {
  loadCore,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
} from "../../../runtime/virtio/index.ts";
import type { StressReport, StressTask } from "./layout.ts";

/** The queues that are stressed. */
export const STRESSED: readonly { name: string; features: bigint; size: number }[] = [
  { name: "split", features: 0n, size: 256 },
  { name: "split, event index", features: VIRTIO_F_EVENT_IDX, size: 64 },
  { name: "packed", features: VIRTIO_F_RING_PACKED, size: 256 },
  { name: "packed, event index", features: VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX, size: 51 },
  {
    name: "packed, in order, event index",
    features: VIRTIO_F_RING_PACKED | VIRTIO_F_IN_ORDER | VIRTIO_F_EVENT_IDX,
    size: 63,
  },
  {
    name: "split, in order",
    features: VIRTIO_F_IN_ORDER | VIRTIO_F_INDIRECT_DESC,
    size: 128,
  },
];

export interface StressResult {
  /** Requests that came through. */
  readonly done: number;
  /** What went wrong; empty if nothing did. */
  readonly error: string;
  readonly seconds: number;
  readonly sleeps: number;
  readonly notifications: number;
}

type Side = "driver" | "device";

function open(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url));
}

/** Two Workers, one for each side; made once, since a runtime may check and compile them first. */
export class StressPair {
  readonly #workers = { driver: open(), device: open() };
  #report: (side: Side, report: StressReport | Error) => void = () => {};

  constructor() {
    for (const side of ["driver", "device"] as const) {
      this.#workers[side].on("message", (report: StressReport) => this.#report(side, report));
      this.#workers[side].on("error", (error) => this.#report(side, error as Error));
    }
  }

  /**
   * Sends `count` requests through one queue between the two threads.
   * @param progress is told how many are through, now and then
   */
  async run(
    queue: { features: bigint; size: number },
    count: number,
    progress: (done: number) => void = () => {},
  ): Promise<StressResult> {
    const core = await loadCore();
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
    const features = queue.features | VIRTIO_F_VERSION_1;
    const began = performance.now();
    const result = { done: 0, error: "", seconds: 0, sleeps: 0, notifications: 0 };
    await new Promise<void>((resolve) => {
      let running = 2;
      const end = (error: string) => {
        result.error ||= error;
        // A side that failed leaves the other one waiting for it.
        if (--running === 0 || error !== "") resolve();
      };
      this.#report = (side, report) => {
        if (report instanceof Error) {
          end(`${side}: ${report}`);
          return;
        }
        if (side === "driver") {
          result.done = Math.max(result.done, report.done);
          progress(result.done);
        }
        if (!report.finished) return;
        result.sleeps += report.sleeps;
        result.notifications += report.notifications;
        end(report.error === "" ? "" : `${side}: ${report.error}`);
      };
      for (const side of ["driver", "device"] as const) {
        const task: StressTask = { side, memory, core, features, size: queue.size, count };
        this.#workers[side].postMessage(task);
      }
    });
    result.seconds = (performance.now() - began) / 1000;
    return result;
  }

  /** Ends both threads; after an error one of them may still wait, and ends with its process. */
  async stop(): Promise<void> {
    await Promise.all([this.#workers.driver.terminate(), this.#workers.device.terminate()]);
  }
}
