/** Small classes over the CUDA calls: a device, modules, kernels, buffers. They throw `CudaError`. */
export { f32, f64, i32, i64, type KernelArgument, Scalar, u32, u64 } from "./arguments.ts";
export { type BufferKind, DeviceBuffer, type TypedArrayConstructor } from "./buffer.ts";
export { Device, type DeviceOptions } from "./device.ts";
export { Kernel, type KernelInfo, type LaunchShape, Module } from "./kernel.ts";
export { Event, Stream, type StreamOptions } from "./stream.ts";
