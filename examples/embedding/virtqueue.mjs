// Both sides of a split virtqueue (virtio 1.3 §2.7) through the core's exports.

const SIZE = 8; // descriptors; a power of two
const HEADER_BYTES = 16;

/**
 * Sends a text through a virtqueue to a device that answers with it backwards.
 * @param core the compiled core.wasm
 * @param memory shared memory; 8 KiB from `at` are used
 * @returns the answer
 */
export function echoOnce(core, memory, at, text) {
  // Guest memory: the rings and two buffers.
  const desc = at; // 16 bytes a descriptor, 16-aligned
  const avail = at + 256; // 4 + 2 × size + 2 bytes, 2-aligned
  const used = at + 320; // 4 + 8 × size + 2 bytes, 4-aligned
  const request = at + 512;
  const response = at + 640;
  // Private workspaces, one for each side: the device's lies outside of every region of the guest.
  const driverWork = at + 1024; // 64 bytes of words, then scatterlist (16 × size), shadow (16 × size)
  const deviceWork = at + 4096; // words, region table (1088), segments (8 × size), header, response
  const deviceHeader = deviceWork + 1088 + 8 * SIZE;
  const deviceResponse = deviceHeader + HEADER_BYTES;
  const bytes = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);
  bytes.fill(0, at, at + 8192);

  const driver = instantiate(core, memory);
  const device = instantiate(core, memory);
  driver.splitDriverInit(SIZE, desc, avail, used, 0, driverWork, driverWork + 64, driverWork + 192);
  device.setWorkspace(deviceWork, SIZE, deviceHeader, deviceResponse);
  // One region of guest memory: { guest address u64, bytes u64, linear address u32, flags u32 }.
  view.setBigUint64(deviceWork + 64, BigInt(at), true);
  view.setBigUint64(deviceWork + 72, 1024n, true);
  view.setUint32(deviceWork + 80, at, true);
  device.setRegionCount(1);
  device.splitDeviceInit(SIZE, desc, avail, used, 0);

  // Driver: a scatterlist of one readable and one writable element, { address u64, length u32 }.
  const message = new TextEncoder().encode(text);
  bytes.set(message, request);
  const element = (index, address, length) => {
    view.setBigUint64(driverWork + 64 + 16 * index, BigInt(address), true);
    view.setUint32(driverWork + 64 + 16 * index + 8, length, true);
  };
  element(0, request, message.length);
  element(1, response, message.length);
  const head = driver.splitDriverAdd(1, 1);
  if (head < 0) throw new Error(`splitDriverAdd: errno ${-head}`);
  driver.splitDriverKickPrepare(); // publishes; 1 would mean: notify the device

  // Device: take the chain with a private copy of its first bytes, and answer.
  const chain = device.splitDevicePopRequest(HEADER_BYTES);
  if (chain < 0) throw new Error(`splitDevicePopRequest: ${chain}, ${device.splitDeviceBroken()}`);
  const readable = view.getUint32(deviceWork + 0, true); // WORK_OUT_COUNT: segments
  const writable = view.getUint32(deviceWork + 4, true); // WORK_IN_COUNT
  const length = device.iovSize(0, readable);
  const got = bytes.slice(deviceHeader, deviceHeader + length).reverse();
  bytes.set(got, deviceResponse);
  device.splitDeviceRespond(chain, 1, readable, writable, length);

  // Driver: take the used buffer; the device says how many bytes it wrote.
  const taken = driver.splitDriverGet();
  if (taken !== head) throw new Error(`splitDriverGet: ${taken}`);
  const written = view.getUint32(driverWork + 16, true); // WORK_LENGTH
  return new TextDecoder().decode(bytes.slice(response, response + written));
}

function instantiate(core, memory) {
  const table = new WebAssembly.Table({ initial: 1, element: "anyfunc" });
  return new WebAssembly.Instance(core, { env: { memory, table } }).exports;
}
