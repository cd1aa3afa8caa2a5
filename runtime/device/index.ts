// The vGPU: its state and work, and the same as a virtio device.
export { Device, type DeviceOptions } from "./device.ts";
export type { DeviceDescription } from "./properties.ts";
export { VirtioGpu, type VirtioGpuOptions } from "./virtio-gpu.ts";
