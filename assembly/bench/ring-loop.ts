// AssemblyScript: the loop of ring.c over our core, driver's and device's side in one instance, so
// that what is measured is the ring code and not the calls between JavaScript and WebAssembly.

import { setLoadsInOrder } from "../core/access";
import { setRegionCount, setWorkspace, work } from "../core/iov";
import {
  packedDeviceInit,
  packedDevicePopRequest,
  packedDeviceRespond,
} from "../core/packed-device";
import {
  packedDriverAdd,
  packedDriverGet,
  packedDriverInit,
  packedDriverKickPrepare,
} from "../core/packed-driver";
import {
  splitDeviceInit,
  splitDevicePopRequest,
  splitDeviceRespond,
} from "../core/ring-device";
import {
  splitDriverAdd,
  splitDriverGet,
  splitDriverInit,
  splitDriverKickPrepare,
} from "../core/ring-driver";
import {
  DESC_ADDR,
  DESC_LEN,
  DESC_SIZE,
  WORK_IN_COUNT,
  WORK_LENGTH,
  WORK_NDESCS,
  WORK_OUT_COUNT,
} from "../../runtime/virtio/defs";

export { setLoadsInOrder, setRegionCount, setWorkspace };

const BYTES: u32 = 16;
const SLOT_BYTES: u32 = 64;

let packed: bool = false;
let buffers: u32 = 0;
let staging: u32 = 0;
let driverWork: u32 = 0;
let header: u32 = 0;
let response: u32 = 0;
let notified: u32 = 0;

/** Sets both sides up; addresses are linear, rings are zeroed. */
export function setUp(
  isPacked: bool,
  size: u32,
  desc: u32,
  driver: u32,
  device: u32,
  workspace: u32,
  stagingArea: u32,
  shadow: u32,
  bufferArea: u32,
  headerArea: u32,
  responseArea: u32,
): void {
  packed = isPacked;
  driverWork = workspace;
  staging = stagingArea;
  buffers = bufferArea;
  header = headerArea;
  response = responseArea;
  if (packed) {
    packedDriverInit(size, desc, driver, device, 0, workspace, stagingArea, shadow);
    packedDeviceInit(size, desc, driver, device, 0);
  } else {
    splitDriverInit(size, desc, driver, device, 0, workspace, stagingArea, shadow);
    splitDeviceInit(size, desc, driver, device, 0);
  }
}

/** One request's scatterlist: 16 bytes to read, with its number, and 16 to write. */
function stage(slot: u32, sequence: u32): void {
  const at = buffers + slot * SLOT_BYTES;
  store<u64>(at, sequence);
  store<u64>(staging, at, DESC_ADDR);
  store<u32>(staging, BYTES, DESC_LEN);
  store<u64>(staging + DESC_SIZE, at + 32, DESC_ADDR);
  store<u32>(staging + DESC_SIZE, BYTES, DESC_LEN);
}

/** The device: pops what there is, answers it, and gives it back. */
function serve(): void {
  while (true) {
    const id = packed ? packedDevicePopRequest(BYTES) : splitDevicePopRequest(BYTES);
    if (id < 0) return;
    store<u64>(response, load<u64>(header) ^ 0xffff);
    const first = load<u32>(work, WORK_OUT_COUNT);
    const count = load<u32>(work, WORK_IN_COUNT);
    notified += packed
      ? packedDeviceRespond(id, load<u32>(work, WORK_NDESCS), first, count, BYTES)
      : splitDeviceRespond(id, 1, first, count, BYTES);
  }
}

/** `requests` requests in batches; the sum of used lengths, or -1 if a side broke. */
export function loop(batch: u32, requests: u32): f64 {
  let done: u32 = 0;
  let sum: f64 = 0;
  while (done < requests) {
    for (let i: u32 = 0; i < batch; i++) {
      stage(i, done + i);
      if ((packed ? packedDriverAdd(1, 1) : splitDriverAdd(1, 1)) < 0) return -1;
    }
    notified += packed ? packedDriverKickPrepare() : splitDriverKickPrepare();
    serve();
    for (let i: u32 = 0; i < batch; i++) {
      if ((packed ? packedDriverGet() : splitDriverGet()) < 0) return -1;
      sum += load<u32>(driverWork, WORK_LENGTH);
    }
    done += batch;
  }
  return sum;
}

/** How often a side wanted to be notified; so that the question is not optimised away. */
export function notifications(): u32 {
  return notified;
}
