/** assert inside a kernel: how a failure is reported, and how a program goes on after it. */
import { CudaError, Device } from "../index.ts";
import {
  checked,
  difference,
  main,
  type RunOptions,
  type RunResult,
  randomFloats,
  readPtx,
} from "./support.ts";

/** cudaErrorAssert of driver_types.h. */
const CUDA_ERROR_ASSERT = 710;

/** Opens a device, takes roots of `values`, and returns them with the time. */
async function takeRoots(values: Float32Array, stderr: (text: Uint8Array) => void) {
  // Closing the device frees what is on it. Nothing else is to be freed one by one here: after a
  // failed kernel every call on the device fails, as in CUDA.
  using device = await Device.open({ stderr });
  const checkedSqrt = device.loadModule(await readPtx("assert")).kernel("checkedSqrt");
  const deviceValues = device.upload(values);
  const roots = device.alloc(values.byteLength);

  const start = performance.now();
  const grid = Math.ceil(values.length / 64);
  checkedSqrt.launch({ grid, block: 64 }, deviceValues, roots, values.length);
  device.synchronize();
  const ms = performance.now() - start;
  return { roots: roots.toArray(Float32Array), ms };
}

/**
 * Takes square roots where an assert forbids negative numbers: first of good values, then with one
 * negative. The failure must be a CudaError with cudaErrorAssert, and the assert's own message, with
 * block and thread, must have come on stderr.
 */
export async function run({ log = () => {} }: RunOptions = {}): Promise<RunResult> {
  const n = 200;
  let message = "";
  const stderr = (bytes: Uint8Array): void => {
    message += new TextDecoder().decode(bytes);
  };

  const values = randomFloats(n, 17, 0, 100);
  const { roots, ms } = await takeRoots(values, stderr);
  let wrong = difference(roots, values.map(Math.sqrt));
  if (message) wrong ||= `good values printed ${message}`;

  values[130] = -1; // block 2, thread 2
  try {
    await takeRoots(values, stderr);
    wrong ||= "the failing assert was not reported";
  } catch (error) {
    if (!(error instanceof CudaError)) throw error;
    log(`${error.name} ${error.code}: ${error.message}`);
    log(message.trimEnd());
    if (error.code !== CUDA_ERROR_ASSERT) wrong ||= `error ${error.code} (${error.message})`;
    const text = "block: [2,0,0], thread: [2,0,0] Assertion `values[i] >= 0.0f` failed.";
    if (!message.includes(text)) wrong ||= `stderr has ${JSON.stringify(message)}`;
  }
  return checked("one assert that holds and one that fails", wrong, ms, "cudaErrorAssert reported");
}

if (import.meta.main) await main(run);
