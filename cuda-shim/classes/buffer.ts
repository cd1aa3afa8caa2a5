import { cudaErrorInvalidValue } from "../../runtime/protocol/errors.ts";
import { cudaMemcpyDefault, cudaMemcpyDeviceToHost, cudaMemcpyHostToDevice } from "../constants.ts";
import { CudaError } from "../errors.ts";
import { cudaFree, cudaFreeHost, cudaMemcpy, cudaMemset, hostView } from "../memory.ts";
import { type HostThread, useThread } from "../thread.ts";
import { bytesOf, type CudaPointer, type HostMemory } from "../types.ts";
import { check, disposeQuietly } from "./check.ts";

/** A typed array's constructor, from `Uint8Array` to `BigInt64Array`. */
export interface TypedArrayConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): T;
}

/** What a buffer's memory is, and so how it is freed. */
export type BufferKind = "device" | "pinned" | "managed" | "borrowed";

/**
 * Memory that kernels can use: device memory, pinned or managed memory; or what is borrowed (a variable
 * of a module, memory of another thread), which it does not free.
 * Offsets and sizes are in bytes. It is freed by `free`, or at the end of its block if held by `using`.
 */
export class DeviceBuffer {
  /** Bytes. */
  readonly byteLength: number;
  readonly kind: BufferKind;
  readonly #thread: HostThread;
  #pointer: CudaPointer;

  /** Use `device.alloc`, `device.upload`, `device.borrow` or `module.variable`. */
  constructor(thread: HostThread, pointer: CudaPointer, byteLength: number, kind: BufferKind) {
    this.#thread = thread;
    this.#pointer = pointer;
    this.byteLength = byteLength;
    this.kind = kind;
  }

  /**
   * The address that kernels use.
   * @throws CudaError cudaErrorInvalidValue after `free`
   */
  get pointer(): CudaPointer {
    if (this.#pointer === -1) throw new CudaError(cudaErrorInvalidValue, "the buffer was freed");
    return this.#pointer;
  }

  /**
   * Copies `data` into the buffer.
   * @param offset where to, in bytes
   * @throws CudaError cudaErrorInvalidValue if it doesn't fit
   */
  write(data: HostMemory, offset = 0): this {
    const bytes = bytesOf(data);
    const target = this.#range(offset, bytes.length);
    check(this.#thread, "write", () =>
      cudaMemcpy(target, bytes, bytes.length, cudaMemcpyHostToDevice),
    );
    return this;
  }

  /**
   * Fills `target` from the buffer, after the work that was queued before.
   * @param offset where from, in bytes
   * @returns `target`
   * @throws CudaError cudaErrorInvalidValue if the buffer has fewer bytes
   */
  read<T extends HostMemory>(target: T, offset = 0): T {
    const bytes = bytesOf(target);
    const source = this.#range(offset, bytes.length);
    check(this.#thread, "read", () =>
      cudaMemcpy(bytes, source, bytes.length, cudaMemcpyDeviceToHost),
    );
    return target;
  }

  /**
   * The whole buffer as a new typed array: `buffer.toArray(Float32Array)`. A rest of less than one
   * element is left out.
   */
  toArray<T extends ArrayBufferView>(type: TypedArrayConstructor<T>): T {
    return this.read(new type(Math.floor(this.byteLength / type.BYTES_PER_ELEMENT)));
  }

  /** Sets every byte to the low byte of `value`. */
  fill(value: number): this {
    const target = this.#range(0, this.byteLength);
    check(this.#thread, "fill", () => cudaMemset(target, value, this.byteLength));
    return this;
  }

  /** Copies the start of `source` (all of it, unless `bytes` are given) to the start of this buffer. */
  copyFrom(source: DeviceBuffer, bytes: number = source.byteLength): this {
    const from = source.#range(0, bytes);
    const to = this.#range(0, bytes);
    check(this.#thread, "copyFrom", () => cudaMemcpy(to, from, bytes, cudaMemcpyDefault));
    return this;
  }

  /**
   * The buffer's own bytes, without a copy. Synchronise before you look at what kernels wrote, and
   * don't use the view after `free`.
   */
  view(): Uint8Array {
    const before = useThread(this.#thread);
    try {
      return hostView(this.pointer, this.byteLength);
    } finally {
      useThread(before);
    }
  }

  #range(offset: number, size: number): CudaPointer {
    if (!(offset >= 0 && offset + size <= this.byteLength)) {
      throw new CudaError(
        cudaErrorInvalidValue,
        `bytes ${offset} to ${offset + size} are not inside a buffer of ${this.byteLength}`,
      );
    }
    return this.pointer + offset;
  }

  /**
   * Frees the memory, unless it is borrowed.
   * @throws CudaError cudaErrorInvalidValue if it has been freed already
   */
  free(): void {
    const pointer = this.pointer;
    this.#pointer = -1;
    if (this.kind === "borrowed" || pointer === 0) return;
    const release = this.kind === "pinned" ? cudaFreeHost : cudaFree;
    check(this.#thread, "free", () => release(pointer));
  }

  /** Frees the memory unless that was done, the device is closed, or a fault has taken it. */
  [Symbol.dispose](): void {
    if (this.#pointer !== -1) disposeQuietly(this.#thread, () => this.free());
  }
}
