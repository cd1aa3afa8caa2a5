/**
 * The second host thread of threads.test.ts: a Worker that attaches to the device of the first one
 * and does one job.
 */
import {
  cudaMemcpy2D,
  cudaMemcpyDeviceToHost,
  cudaMemcpyHostToDevice,
  useThread,
} from "../../cuda-shim/index.ts";
import { type CudaHandle, Device, f32 } from "../../index.ts";
import { fixtureText } from "./support.ts";

/** What the first thread asks for. */
export interface Job {
  readonly handle: CudaHandle;
  readonly task: "fill" | "saxpy" | "many" | "between" | "fault" | "leave";
  /** Address of a buffer of the first thread, and its bytes. */
  readonly pointer: number;
  readonly bytes: number;
}

/** What it gets: what the second thread saw. */
export interface Answer {
  readonly thread: number;
  readonly value: number;
  readonly error: string;
}

async function work(job: Job): Promise<Answer> {
  const device = await Device.attach(job.handle, { stderr: () => {} });
  const { thread } = device.thread.devices[0]?.file ?? { thread: -1 };
  let value = 0;
  let error = "";
  try {
    value = tasks[job.task](device, job);
  } catch (failure) {
    error = String(failure);
  }
  device.close();
  return { thread, value, error };
}

const tasks: Record<Job["task"], (device: Device, job: Job) => number> = {
  /** Writes into the first thread's buffer, and reads what that put there. */
  fill(device, { pointer, bytes }) {
    const buffer = device.borrow(pointer, bytes);
    const before = buffer.toArray(Uint8Array)[0] ?? -1;
    buffer.fill(9);
    return before;
  },
  /** y = 3 x + y on the first thread's buffer, by a module of its own. */
  saxpy(device, { pointer, bytes }) {
    using module = device.loadModule(fixtureText("kernels.ptx"));
    using x = device.upload(new Float32Array(bytes / 4).fill(2));
    const y = device.borrow(pointer, bytes);
    module.kernel("saxpy").launch({ grid: bytes / 128, block: 32 }, bytes / 4, f32(3), x, y);
    device.synchronize();
    return bytes / 4;
  },
  /** Many small allocations, copies and frees while the first thread does the same. */
  many(device) {
    let wrong = 0;
    const back = new Int32Array(64);
    for (let i = 0; i < 300; i++) {
      using buffer = device.upload(new Int32Array(64).fill(i));
      if (buffer.read(back).some((value) => value !== i)) wrong++;
    }
    return wrong;
  },
  /** Copies into the second half of each eight words of a buffer, row by row, and reads what came of it. */
  between(device, { pointer, bytes }) {
    useThread(device.thread);
    const rows = bytes / 32;
    const own = new Uint32Array(4 * rows);
    const back = own.slice();
    let wrong = 0;
    for (let k = 1; k <= 100; k++) {
      own.fill(k);
      const into = cudaMemcpy2D(pointer + 16, 32, own, 16, 16, rows, cudaMemcpyHostToDevice);
      const out = cudaMemcpy2D(back, 16, pointer + 16, 32, 16, rows, cudaMemcpyDeviceToHost);
      if (into + out !== 0) throw new Error(`errors ${into}, ${out}`);
      wrong += back.filter((value) => value !== k).length;
    }
    return wrong;
  },
  /** A kernel's fault: the primary context is shared, and so is its error. */
  fault(device) {
    const module = device.loadModule(fixtureText("faults.ptx"));
    module.kernel("storeInt").launch({ grid: 1, block: 1 }, 0);
    device.synchronize();
    return 0;
  },
  /** Leaves memory behind, which goes when the thread is closed. */
  leave(device) {
    device.alloc(1 << 20);
    device.alloc(1 << 20, "pinned");
    return device.memory.free;
  },
};

interface WorkerScope {
  onmessage: ((event: { data: Job }) => void) | null;
  postMessage(answer: Answer): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = async ({ data }) => scope.postMessage(await work(data));
