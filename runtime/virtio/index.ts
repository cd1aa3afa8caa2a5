// virtio for warpring: both sides of a virtqueue, split and packed (virtio 1.3 §2.7, §2.8), and the
// transport's state. Addresses and lengths are bytes; errors are Linux's numbers, negated.

export { type AccessLog, loadCore } from "./core.ts";
export {
  DESC_SIZE,
  EINVAL,
  EIO,
  ENOMEM,
  ENOSPC,
  PACKED_F_AVAIL,
  PACKED_F_USED,
  QUEUE_SIZE_MAX,
  STATUS_ACKNOWLEDGE,
  STATUS_DRIVER,
  STATUS_DRIVER_OK,
  STATUS_FAILED,
  STATUS_FEATURES_OK,
  STATUS_NEEDS_RESET,
  STATUS_SUSPEND,
} from "./defs.ts";
export {
  virtioNotify,
  virtqueueDetachElement,
  virtqueueEmpty,
  virtqueueFill,
  virtqueueFlush,
  virtqueuePop,
  virtqueuePopRequest,
  virtqueuePush,
  virtqueuePushResponse,
  virtqueueResume,
  virtqueueReturnAll,
  virtqueueRewind,
  virtqueueSetNotification,
  virtqueueUnpop,
} from "./device-ops.ts";
export {
  DeviceQueue,
  type DeviceQueueOptions,
  type QueueObserver,
  type TakenChain,
  VirtQueueElement,
} from "./device-queue.ts";
export { Doorbell } from "./doorbell.ts";
export {
  DriverQueue,
  type DriverQueueOptions,
  type Scatterlist,
  sgInitOne,
  virtqueueAddInbuf,
  virtqueueAddOutbuf,
  virtqueueAddSgs,
  virtqueueBreakDevice,
  virtqueueDetachUnusedBuf,
  virtqueueDisableCb,
  virtqueueEnableCb,
  virtqueueEnableCbDelayed,
  virtqueueEnableCbPrepare,
  virtqueueGetBuf,
  virtqueueIsBroken,
  virtqueueKick,
  virtqueueKickPrepare,
  virtqueueNotify,
  virtqueuePoll,
  virtqueueReset,
  virtqueueResize,
  vringInterrupt,
} from "./driver-queue.ts";
export * from "./features.ts";
export {
  Iov,
  iovDiscardBack,
  iovDiscardFront,
  iovDiscardUndo,
  iovFromBuf,
  iovMemset,
  iovSize,
  iovToBuf,
} from "./iov.ts";
export {
  type DeviceWorkspaceShape,
  deviceWorkspaceBytes,
  driverWorkspaceBytes,
  isQueueSize,
  type QueueLayout,
  type QueueShape,
  queueLayout,
} from "./layout.ts";
export type { DeviceState, ElementState, QueueState } from "./migrate.ts";
export { type MmioState, type SharedMemory, VirtioMmio } from "./mmio.ts";
export { type GuestRegion, translate } from "./regions.ts";
export { VirtioDevice } from "./transport.ts";
export {
  CONFIG_CHANGE,
  type QueueOffer,
  type QueueSetup,
  type VirtioDeviceOptions,
  virtioWorkspaceBytes,
} from "./transport-options.ts";
