/**
 * warpring: a virtual GPU for JavaScript runtimes. The CUDA runtime API by its own names, and small
 * classes over it (Device, Module, Kernel, DeviceBuffer). The layers below have entries of their own:
 * `warpring/driver`, `warpring/device`, `warpring/compiler` and so on.
 */
export * from "./cuda-shim/index.ts";
