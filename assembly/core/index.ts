// Entry of core.wasm: the hot path only. One instance is one side of one virtqueue, or one worker
// that runs kernels; state lives in globals, and there is no static data and no allocation.

export {
  iovDiscardBack,
  iovDiscardFront,
  iovFromBuf,
  iovMemset,
  iovSize,
  iovToBuf,
  setRegionCount,
  setWorkspace,
} from "./iov";
export * from "./packed-device";
export * from "./packed-driver";
export * from "./ring-device";
export * from "./ring-driver";
export { setLoadsInOrder } from "./access";
export { runLaunch } from "./exec";
