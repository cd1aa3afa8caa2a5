import { cudaDeviceSynchronize, cudaGetDeviceProperties } from "../device.ts";
import { cudaMalloc, cudaMallocHost, cudaMallocManaged, cudaMemGetInfo } from "../memory.ts";
import { cudaLibraryLoadData, type KernelImage } from "../module.ts";
import type { CudaDeviceProp } from "../properties.ts";
import {
  attachCuda,
  type CudaHandle,
  type CudaOptions,
  type HostThread,
  openCuda,
  useThread,
} from "../thread.ts";
import { bytesOf, type CudaPointer, type HostMemory, type Out } from "../types.ts";
import { DeviceBuffer } from "./buffer.ts";
import { check } from "./check.ts";
import { Module } from "./kernel.ts";
import { Event, Stream, type StreamOptions } from "./stream.ts";

/** What can be chosen about a device that is opened or attached to. */
export type DeviceOptions = Omit<CudaOptions, "devices">;

/**
 * A virtual GPU.
 *
 * ```ts
 * using device = await Device.open();
 * using module = device.loadModule(ptx);
 * using x = device.upload(Float32Array.of(1, 2, 3));
 * module.kernel("scale").launch({ grid: 1, block: 3 }, x, f32(2), 3);
 * console.log(x.toArray(Float32Array));
 * ```
 */
export class Device {
  /** The host thread, for calls by CUDA's own names: `useThread(device.thread)`. */
  readonly thread: HostThread;

  private constructor(thread: HostThread) {
    this.thread = thread;
  }

  /**
   * Makes a device for this JavaScript thread; calls by CUDA's own names act for it from now on.
   * @param options memory size, number of workers, where printed text goes …
   */
  static async open(options: DeviceOptions = {}): Promise<Device> {
    return new Device(await openCuda({ ...options, devices: 1 }));
  }

  /**
   * Attaches to the device of another JavaScript thread, with queues of this thread's own.
   * @param handle `device.handle` of the other thread, which opened it with `device: "worker"`
   */
  static async attach(handle: CudaHandle, options: DeviceOptions = {}): Promise<Device> {
    return new Device(await attachCuda(handle, options));
  }

  /** What another JavaScript thread needs for `Device.attach`; structured-cloneable. */
  get handle(): CudaHandle {
    return this.thread.handle;
  }

  /** All properties, by their names in `cudaDeviceProp`. */
  get properties(): CudaDeviceProp {
    const properties: Out<CudaDeviceProp | null> = { value: null };
    check(this.thread, "properties", () => cudaGetDeviceProperties(properties, 0));
    return properties.value as CudaDeviceProp;
  }

  /** Free and total device memory, in bytes. */
  get memory(): { free: number; total: number } {
    const free = { value: 0 };
    const total = { value: 0 };
    check(this.thread, "memory", () => cudaMemGetInfo(free, total));
    return { free: free.value, total: total.value };
  }

  /**
   * Allocates memory. Its contents are undefined.
   * @param bytes size
   * @param kind `device`, or memory that the host sees at the same address: `pinned`, `managed`
   * @throws CudaError cudaErrorMemoryAllocation if there is no room
   */
  alloc(bytes: number, kind: "device" | "pinned" | "managed" = "device"): DeviceBuffer {
    const pointer = { value: 0 };
    const allocate = { device: cudaMalloc, pinned: cudaMallocHost, managed: cudaMallocManaged }[
      kind
    ];
    check(this.thread, `alloc of ${bytes} bytes`, () => allocate(pointer, bytes));
    return new DeviceBuffer(this.thread, pointer.value, bytes, kind);
  }

  /** Allocates device memory of the size of `data` and copies `data` into it. */
  upload(data: HostMemory): DeviceBuffer {
    return this.alloc(bytesOf(data).length).write(data);
  }

  /**
   * A buffer for memory that somebody else frees: another thread's, or what a call by CUDA's names
   * gave.
   * @param pointer its address
   * @param bytes how much of it
   */
  borrow(pointer: CudaPointer, bytes: number): DeviceBuffer {
    return new DeviceBuffer(this.thread, pointer, bytes, "borrowed");
  }

  /**
   * Loads kernels.
   * @param image PTX text, or the bytes of PTX, of a fat binary, or of an ELF program or object
   * @throws CudaError cudaErrorInvalidPtx (the message has line and column),
   *   cudaErrorInvalidKernelImage, cudaErrorNoKernelImageForDevice
   */
  loadModule(image: KernelImage): Module {
    const library = { value: 0 };
    check(this.thread, "loadModule", () => cudaLibraryLoadData(library, image));
    return new Module(this.thread, library.value);
  }

  /** Makes a stream, for work beside other work. */
  createStream(options: StreamOptions = {}): Stream {
    return new Stream(this.thread, options);
  }

  /** Makes an event, to wait for a point in a stream and to measure time. */
  createEvent(): Event {
    return new Event(this.thread);
  }

  /**
   * Waits for all work of the device.
   * @throws CudaError with the fault of a kernel: cudaErrorIllegalAddress, cudaErrorAssert …
   */
  synchronize(): void {
    check(this.thread, "synchronize", cudaDeviceSynchronize);
  }

  /** Makes calls by CUDA's own names act for this device in `body`. */
  run<T>(body: () => T): T {
    const before = useThread(this.thread);
    try {
      return body();
    } finally {
      useThread(before);
    }
  }

  /** Closes the device: all that is left on it is freed. Idempotent. */
  close(): void {
    this.thread.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
