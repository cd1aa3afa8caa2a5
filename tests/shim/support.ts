/** What the tests of the shim share: fixtures, a device for a test, and expectations. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cudaDeviceReset, cudaSetDevice } from "../../cuda-shim/device.ts";
import { type CudaOptions, type HostThread, openCuda, useThread } from "../../cuda-shim/thread.ts";
import { cudaGetErrorName } from "../../runtime/protocol/error-texts.ts";

/** The bytes of a file of tests/fixtures/shim. */
export function fixtureBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/shim/${name}`, import.meta.url)));
}

/** The path of a file of tests/fixtures/shim. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/shim/${name}`, import.meta.url));
}

/** The text of a file of tests/fixtures/shim. */
export function fixtureText(name: string): string {
  return new TextDecoder().decode(fixtureBytes(name));
}

/** Collects what kernels print. */
export class Output {
  text = "";
  readonly write = (bytes: Uint8Array): void => {
    this.text += new TextDecoder().decode(bytes);
  };
}

/** Options for small devices, so that many tests fit into a machine. */
export const SMALL = { memoryBytes: 64 << 20 } as const;

/** Runs `body` with CUDA started in this thread, and ends it. */
export async function withCuda(
  body: (thread: HostThread) => void | Promise<void>,
  options: CudaOptions = {},
): Promise<void> {
  const thread = await openCuda({ ...SMALL, ...options });
  try {
    await body(thread);
  } finally {
    thread.close();
  }
}

/** Fails unless `error` is 0. */
export function ok(error: number): void {
  assert.equal(cudaGetErrorName(error), "cudaSuccess");
}

/** Fails unless `error` is the one of that name. */
export function fails(error: number, name: string): void {
  assert.equal(cudaGetErrorName(error), name);
}

let pair: HostThread | undefined;

/**
 * Runs `body` with two devices that such tests share: they are emptied before each, which is quicker
 * than making new ones.
 */
export async function withTwoDevices(body: () => void): Promise<void> {
  pair ??= await openCuda({ ...SMALL, devices: 2 });
  const before = useThread(pair);
  try {
    for (const device of [1, 0]) {
      ok(cudaSetDevice(device));
      ok(cudaDeviceReset());
    }
    body();
  } finally {
    useThread(before);
  }
}
