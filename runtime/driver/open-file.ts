/** An open file of the driver: ioctl, mmap, poll, release. */
import * as P from "../protocol/definitions.ts";
import { EBADF, EFAULT, ENOMEM, ENOTTY } from "../protocol/errno.ts";
import { readU64, writeU64 } from "../protocol/fields.ts";
import * as O from "../protocol/pools.ts";
import * as S from "../protocol/streams.ts";
import { AllocationList } from "./allocation-list.ts";
import { COMMAND_SHAPES } from "./commands.ts";
import { copyBox, copyLinear, mapDevice, virtToPhys } from "./copies.ts";
import type { DeviceEvent } from "./event-reader.ts";
import type { DriverModule } from "./module.ts";
import { type DriverOptions, type IoctlData, type OpenFile, POLLERR, POLLIN } from "./types.ts";

/** Images above this size do not go through guest RAM. */
const LONG_IMAGE = 1 << 20;

/** The files of each driver, newest last: events go to one that has their context. */
const filesOf = new WeakMap<DriverModule, DriverFile[]>();

/**
 * Opens the device (open(2)).
 * @param module this thread's driver
 * @param options callbacks and the thread id
 * @returns the file, or -errno: -ENODEV, -EPROTO, -ENOMEM, -EIO
 */
export function openFile(module: DriverModule, options: DriverOptions): OpenFile | number {
  const thread = options.thread ?? module.transport.group + 1;
  const result = module.get(thread);
  if (result < 0) return result;
  const file = new DriverFile(module, options, thread);
  const files = filesOf.get(module) ?? [];
  files.push(file);
  filesOf.set(module, files);
  module.onEvent = (event) => dispatch(files, event);
  return file;
}

function dispatch(files: readonly DriverFile[], event: DeviceEvent): void {
  const file = files.find((candidate) => candidate.has(event.context)) ?? files[0];
  file?.receive(event);
}

/** See OpenFile. */
class DriverFile implements OpenFile {
  readonly thread: number;
  readonly pointerBase: number;
  readonly #module: DriverModule;
  readonly #options: DriverOptions;
  readonly #allocations = new AllocationList();
  /** Contexts that this file retained, and how often. */
  readonly #contexts = new Map<number, number>();
  #open = true;

  constructor(module: DriverModule, options: DriverOptions, thread: number) {
    this.#module = module;
    this.#options = options;
    this.thread = thread;
    this.pointerBase = module.memory.base;
  }

  ioctl(request: number, arg: DataView, out?: IoctlData, into?: IoctlData): number {
    if (!this.#open) return -EBADF;
    const command = request - P.IOCTL_BASE;
    const shape = COMMAND_SHAPES[command];
    if (shape === undefined) return -ENOTTY;
    if (arg.byteLength < P.ARG_RESPONSE + shape.responseBytes) return -EFAULT;
    switch (command) {
      case P.COMMAND_MODULE_LOAD:
        return this.#loadModule(arg, out, into);
      case P.COMMAND_MEMORY_COPY:
        return copyLinear(this.#module, this.thread, arg, out, into);
      case P.COMMAND_MEMORY_COPY_3D:
        return copyBox(this.#module, this.thread, arg, out, into);
      case P.COMMAND_MEMORY_ALLOC:
      case P.COMMAND_MEMORY_FREE:
      case O.COMMAND_MEMORY_ALLOC_ASYNC:
      case O.COMMAND_MEMORY_FREE_ASYNC:
      case P.COMMAND_CONTEXT_CREATE:
      case P.COMMAND_CONTEXT_DESTROY: {
        const result = this.#module.transact(command, shape, arg, this.thread);
        if (result === 0 && arg.getUint32(P.ARG_RESPONSE + P.RESPONSE_ERROR, true) === 0) {
          this.#keepAccount(command, arg);
        }
        return result;
      }
      default:
        return this.#module.transact(command, shape, arg, this.thread, out, into);
    }
  }

  /** MODULE_LOAD: a long image goes by pinned memory, as guest RAM may not have room for it. */
  #loadModule(arg: DataView, out: IoctlData | undefined, into: IoctlData | undefined): number {
    const command = P.COMMAND_MODULE_LOAD;
    const shape = COMMAND_SHAPES[command];
    arg.setUint32(P.MODULE_LOAD_FLAGS, 0, true);
    if (out === undefined || out.length <= LONG_IMAGE) {
      return this.#module.transact(command, shape, arg, this.thread, out, into);
    }
    const own = new DataView(new ArrayBuffer(P.ARG_SIZE));
    own.setUint32(P.REQUEST_CONTEXT, arg.getUint32(P.REQUEST_CONTEXT, true), true);
    writeU64(own, P.MEMORY_ALLOC_BYTES, out.length);
    own.setUint32(P.MEMORY_ALLOC_KIND, P.MEMORY_HOST, true);
    const allocated = this.ioctl(P.IOCTL_BASE + P.COMMAND_MEMORY_ALLOC, own);
    if (allocated < 0) return allocated;
    const address = readU64(own, P.ARG_RESPONSE + P.MEMORY_ALLOC_ADDRESS);
    const view = this.mmap(address, out.length);
    if (typeof view === "number") return -ENOMEM;
    view.set(out);
    arg.setUint32(P.MODULE_LOAD_FLAGS, P.MODULE_IMAGE_MAPPED, true);
    writeU64(arg, P.MODULE_LOAD_ADDRESS, address);
    const result = this.#module.transact(command, shape, arg, this.thread, undefined, into);
    writeU64(own, P.MEMORY_FREE_ADDRESS, address);
    own.setUint32(P.MEMORY_FREE_KIND, P.MEMORY_HOST, true);
    own.setUint32(P.MEMORY_FREE_SERIAL, 0, true);
    this.ioctl(P.IOCTL_BASE + P.COMMAND_MEMORY_FREE, own);
    return result;
  }

  /** What this opener has to give back one day. */
  #keepAccount(command: number, arg: DataView): void {
    if (command === P.COMMAND_MEMORY_ALLOC) {
      const address = readU64(arg, P.ARG_RESPONSE + P.MEMORY_ALLOC_ADDRESS);
      const kind = arg.getUint32(P.MEMORY_ALLOC_KIND, true);
      const serial = arg.getUint32(P.ARG_RESPONSE + P.MEMORY_ALLOC_SERIAL, true);
      if (address !== 0) this.#allocations.add(address, kind, serial);
    } else if (command === O.COMMAND_MEMORY_ALLOC_ASYNC) {
      const address = readU64(arg, P.ARG_RESPONSE + O.MEMORY_ALLOC_ASYNC_ADDRESS);
      const serial = arg.getUint32(P.ARG_RESPONSE + O.MEMORY_ALLOC_ASYNC_SERIAL, true);
      if (address !== 0) this.#allocations.add(address, P.MEMORY_DEVICE, serial);
    } else if (command === P.COMMAND_MEMORY_FREE || command === O.COMMAND_MEMORY_FREE_ASYNC) {
      // Both have the address in the same place.
      this.#allocations.remove(readU64(arg, P.MEMORY_FREE_ADDRESS));
    } else if (command === P.COMMAND_CONTEXT_CREATE) {
      const context = arg.getUint32(P.ARG_RESPONSE + P.CONTEXT_CREATE_CONTEXT, true);
      this.#contexts.set(context, (this.#contexts.get(context) ?? 0) + 1);
    } else {
      const context = arg.getUint32(P.REQUEST_CONTEXT, true);
      const held = this.#contexts.get(context) ?? 0;
      if (held > 1) this.#contexts.set(context, held - 1);
      else this.#contexts.delete(context);
    }
  }

  mmap(pointer: number, length: number): Uint8Array | number {
    return this.#open ? mapDevice(this.#module, pointer, length) : -EBADF;
  }

  virtToPhys(view: ArrayBufferView): number {
    return virtToPhys(this.#module, view);
  }

  poll(): number {
    if (!this.#open) return POLLERR;
    const any = this.#module.events();
    return (any ? POLLIN : 0) | (this.#module.broken ? POLLERR : 0);
  }

  release(): number {
    if (!this.#open) return 0;
    const module = this.#module;
    const arg = new DataView(new ArrayBuffer(P.ARG_SIZE));
    const send = (command: number): void => {
      module.transact(command, COMMAND_SHAPES[command], arg, this.thread);
    };
    // A context that failed refuses to free one by one: it is emptied with its last holder.
    const [context = 0] = this.#contexts.keys();
    for (const { address, kind, serial } of this.#allocations.drain()) {
      arg.setUint32(P.REQUEST_CONTEXT, context, true);
      writeU64(arg, P.MEMORY_FREE_ADDRESS, address);
      arg.setUint32(P.MEMORY_FREE_KIND, kind, true);
      arg.setUint32(P.MEMORY_FREE_SERIAL, serial, true);
      send(P.COMMAND_MEMORY_FREE);
    }
    for (const [handle, count] of this.#contexts) {
      arg.setUint32(P.REQUEST_CONTEXT, handle, true);
      for (let i = 0; i < count; i++) send(P.COMMAND_CONTEXT_DESTROY);
    }
    this.#contexts.clear();
    const result = module.put(this.thread);
    this.#open = false;
    const files = filesOf.get(module)!;
    files.splice(files.indexOf(this), 1);
    return result;
  }

  /** Does an event of this context concern this file? */
  has(context: number): boolean {
    return this.#contexts.has(context);
  }

  /** Calls the host's function, then lets the stream go on, whatever the function did. */
  #hostCall(event: DeviceEvent): void {
    const view = new DataView(event.bytes.buffer);
    const data = readU64(view, S.EVENT_HOST_CALL_DATA);
    const error = view.getUint32(S.EVENT_HOST_CALL_ERROR, true);
    const stream = view.getUint32(S.EVENT_HOST_CALL_STREAM, true);
    try {
      this.#options.hostCall?.(data, error, stream);
    } finally {
      const arg = new DataView(new ArrayBuffer(P.ARG_SIZE));
      arg.setUint32(S.HOST_CALL_DONE_TICKET, event.value, true);
      const shape = COMMAND_SHAPES[S.COMMAND_HOST_CALL_DONE];
      this.#module.transact(S.COMMAND_HOST_CALL_DONE, shape, arg, this.thread);
    }
  }

  /** Hands one event to the opener. */
  receive(event: DeviceEvent): void {
    const { stdout, stderr, fault } = this.#options;
    if (event.kind === P.EVENT_HOST_CALL) {
      this.#hostCall(event);
      return;
    }
    if (event.kind === P.EVENT_PRINT) (event.value === 2 ? stderr : stdout)?.(event.bytes);
    else if (event.kind === P.EVENT_FAULT)
      fault?.(event.value, new TextDecoder().decode(event.bytes));
  }
}
