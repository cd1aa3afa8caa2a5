/** Arrays, texture objects and surface objects. */
import * as P from "../../protocol/arrays.ts";
import { DETAIL_BAD_LENGTH, MEMORY_ARRAY, MEMORY_DEVICE } from "../../protocol/definitions.ts";
import {
  cudaErrorInvalidChannelDescriptor,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorMemoryAllocation,
  cudaErrorNotSupported,
  cudaErrorPeerAccessNotEnabled,
  cudaSuccess,
} from "../../protocol/errors.ts";
import { readU64, writeU64 } from "../../protocol/fields.ts";
import type { Allocation } from "../allocations.ts";
import {
  ArrayObject,
  type ArrayShape,
  channels,
  elementBytes,
  isArrayShape,
  MipmappedArray,
  mipmapBytes,
  mipmapShapes,
} from "../array.ts";
import type { Call } from "../call.ts";
import type { Context } from "../context.ts";
import type { Device } from "../device.ts";
import { TEXTURE_ALIGNMENT, TEXTURE_PITCH_ALIGNMENT } from "../properties.ts";
import type { Command, CommandFamily } from "../table.ts";

const create: Command = {
  responseBytes: P.ARRAY_CREATE_RESPONSE_SIZE,
  context: true,
  creates: true,
  run(device: Device, call: Call): number {
    const shape: ArrayShape = {
      width: call.u32(P.ARRAY_CREATE_WIDTH),
      height: call.u32(P.ARRAY_CREATE_HEIGHT),
      depth: call.u32(P.ARRAY_CREATE_DEPTH),
      flags: call.u32(P.ARRAY_CREATE_FLAGS),
      format: call.u32(P.ARRAY_CREATE_FORMAT),
      bits: [0, 4, 8, 12].map((at) => call.u32(P.ARRAY_CREATE_BITS_X + at)),
    };
    if (channels(shape) === 0) return cudaErrorInvalidChannelDescriptor;
    if (!isArrayShape(shape)) return cudaErrorInvalidValue;
    const most = call.u32(P.ARRAY_CREATE_LEVELS);
    const shapes = most === 0 ? [shape] : mipmapShapes(shape, most);
    const { context } = call;
    const { allocations } = device;
    const align = TEXTURE_ALIGNMENT;
    const bytes = mipmapBytes(shapes);
    const entry = allocations.alloc(bytes, MEMORY_ARRAY, shape.flags, context, true, align);
    if (entry === undefined) return cudaErrorMemoryAllocation;
    const newHandle = () => device.newHandle();
    const array =
      most === 0
        ? new ArrayObject(newHandle(), shape, entry)
        : new MipmappedArray(shapes, entry, newHandle);
    context.resources.set(array.handle, array);
    for (const level of levelsOf(array)) context.resources.set(level.handle, level);
    call.set32(P.ARRAY_CREATE_ARRAY, array.handle);
    return cudaSuccess;
  },
};

function levelsOf(array: ArrayObject | MipmappedArray): readonly ArrayObject[] {
  return array instanceof MipmappedArray ? array.levels : [];
}

function mipmappedOf(device: Device, call: Call, handle: number): MipmappedArray | undefined {
  return device.visible(call.context, handle, MipmappedArray);
}

function arrayOf(device: Device, call: Call, handle: number): ArrayObject | undefined {
  return device.visible(call.context, handle, ArrayObject);
}

/** Frees memory of an object once no work can use it any more. */
function freeLater(device: Device, call: Call, entry: Allocation): number {
  device.allocations.withdraw(entry);
  const done = (): void => device.allocations.giveBack(entry);
  return device.whenDone(call, call.context, done, device.tails());
}

const destroy: Command = {
  responseBytes: P.ARRAY_DESTROY_RESPONSE_SIZE,
  context: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    const handle = call.u32(P.ARRAY_DESTROY_ARRAY);
    const array = arrayOf(device, call, handle) ?? mipmappedOf(device, call, handle);
    if (array === undefined) return cudaErrorInvalidResourceHandle;
    // A level ends with the whole.
    if (array instanceof ArrayObject && array.mipmapped) return cudaErrorInvalidValue;
    device.forget(array.handle);
    for (const level of levelsOf(array)) device.forget(level.handle);
    return freeLater(device, call, array.allocation);
  },
};

const level: Command = {
  responseBytes: P.ARRAY_LEVEL_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const mipmapped = mipmappedOf(device, call, call.u32(P.ARRAY_LEVEL_MIPMAPPED));
    if (mipmapped === undefined) return cudaErrorInvalidResourceHandle;
    const array = mipmapped.levels[call.u32(P.ARRAY_LEVEL_LEVEL)];
    if (array === undefined) return cudaErrorInvalidValue;
    call.set32(P.ARRAY_LEVEL_ARRAY, array.handle);
    return cudaSuccess;
  },
};

/** The CUDA pointer of an array's element 0. */
function startOf(device: Device, { allocation, start }: ArrayObject): number {
  return device.memory.pointerOf(allocation.offset + start);
}

const info: Command = {
  responseBytes: P.ARRAY_INFO_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const array = arrayOf(device, call, call.u32(P.ARRAY_INFO_ARRAY));
    if (array === undefined) return cudaErrorInvalidResourceHandle;
    call.set64(P.ARRAY_INFO_ADDRESS, startOf(device, array));
    call.set64(P.ARRAY_INFO_PITCH, array.pitch);
    call.set64(P.ARRAY_INFO_SLICE, array.slice);
    call.set32(P.ARRAY_INFO_WIDTH, array.width);
    call.set32(P.ARRAY_INFO_HEIGHT, array.height);
    call.set32(P.ARRAY_INFO_DEPTH, array.depth);
    call.set32(P.ARRAY_INFO_FLAGS, array.flags);
    call.set32(P.ARRAY_INFO_FORMAT, array.format);
    array.bits.forEach((bits, i) => {
      call.set32(P.ARRAY_INFO_BITS_X + 4 * i, bits);
    });
    return cudaSuccess;
  },
};

/** A texture or surface object; its descriptor is in device memory, where kernels read it. */
class TextureObject {
  readonly resource: number;
  /** Handle of the array that it is over, or 0. */
  readonly array: number;
  readonly allocation: Allocation;

  constructor(resource: number, array: number, allocation: Allocation) {
    this.resource = resource;
    this.array = array;
    this.allocation = allocation;
  }
}

/** Fills in what an array knows of itself. */
function describeArray(device: Device, view: DataView, array: ArrayObject): void {
  writeU64(view, P.DESCRIPTOR_ADDRESS, startOf(device, array));
  writeU64(view, P.DESCRIPTOR_PITCH, array.pitch);
  writeU64(view, P.DESCRIPTOR_SLICE, array.slice);
  const stacked = (array.flags & (P.ARRAY_LAYERED | P.ARRAY_CUBEMAP)) !== 0;
  const words = [
    array.width,
    array.height,
    array.depth,
    stacked ? 1 : 0,
    array.format,
    channels(array),
    elementBytes(array) / channels(array),
  ];
  words.forEach((word, i) => {
    view.setUint32(P.DESCRIPTOR_WIDTH + 4 * i, word, true);
  });
}

/** Checks a descriptor over plain memory. @returns a cudaError_t */
function checkMemory(device: Device, view: DataView, resource: number): number {
  const word = (field: number): number => view.getUint32(field, true);
  const count = word(P.DESCRIPTOR_CHANNELS);
  const size = word(P.DESCRIPTOR_CHANNEL_BYTES);
  const float = word(P.DESCRIPTOR_FORMAT) === P.FORMAT_FLOAT;
  const known = [1, 2, 4].includes(count) && (float ? [2, 4] : [1, 2, 4]).includes(size);
  if (!known || word(P.DESCRIPTOR_FORMAT) > P.FORMAT_FLOAT)
    return cudaErrorInvalidChannelDescriptor;
  const width = word(P.DESCRIPTOR_WIDTH);
  const height = word(P.DESCRIPTOR_HEIGHT);
  const pitch = readU64(view, P.DESCRIPTOR_PITCH);
  const row = width * count * size;
  let bytes = row;
  if (resource === P.RESOURCE_LINEAR) {
    if (width === 0 || width > 268435456 || height !== 0) return cudaErrorInvalidValue;
  } else {
    const fits = width > 0 && width <= 131072 && height > 0 && height <= 65000 && pitch <= 2097120;
    if (!fits || pitch < row || pitch % TEXTURE_PITCH_ALIGNMENT !== 0) return cudaErrorInvalidValue;
    bytes = (height - 1) * pitch + row;
  }
  if (word(P.DESCRIPTOR_DEPTH) !== 0 || word(P.DESCRIPTOR_LAYERED) !== 0)
    return cudaErrorInvalidValue;
  const address = readU64(view, P.DESCRIPTOR_ADDRESS);
  const offset = device.allocations.range(address, bytes);
  if (offset < 0 || offset % TEXTURE_PITCH_ALIGNMENT !== 0) return cudaErrorInvalidValue;
  return cudaSuccess;
}

/** Checks how a texture is to be read. */
function isSampling(view: DataView): boolean {
  const word = (field: number): number => view.getUint32(field, true);
  const modes = [0, 4, 8].map((at) => word(P.DESCRIPTOR_ADDRESS_MODE_X + at));
  if (modes.some((mode) => mode > 3)) return false;
  const flags = [
    P.DESCRIPTOR_FILTER,
    P.DESCRIPTOR_READ_MODE,
    P.DESCRIPTOR_NORMALIZED,
    P.DESCRIPTOR_SRGB,
  ];
  if (flags.some((field) => word(field) > 1)) return false;
  const mipFilter = word(P.DESCRIPTOR_MIP_FILTER);
  const bounds = [P.DESCRIPTOR_MIP_BIAS, P.DESCRIPTOR_MIP_LEAST, P.DESCRIPTOR_MIP_MOST];
  if (mipFilter > 1 || bounds.some((at) => Number.isNaN(view.getFloat32(at, true)))) return false;
  // Whole elements of integers can't be blended, nor can 32-bit integers be read as fractions.
  const float = word(P.DESCRIPTOR_FORMAT) === P.FORMAT_FLOAT;
  const wide = word(P.DESCRIPTOR_CHANNEL_BYTES) === 4;
  const fraction = word(P.DESCRIPTOR_READ_MODE) === 1;
  if (fraction && !float && wide) return false;
  return float || fraction || (word(P.DESCRIPTOR_FILTER) === 0 && mipFilter === 0);
}

const textureCreate: Command = {
  responseBytes: P.TEXTURE_CREATE_RESPONSE_SIZE,
  context: true,
  creates: true,
  run(device: Device, call: Call): number {
    const { context } = call;
    const resource = call.u32(P.TEXTURE_CREATE_RESOURCE);
    const handle = call.u32(P.TEXTURE_CREATE_ARRAY);
    const array = arrayOf(device, call, handle);
    const mipmapped = mipmappedOf(device, call, handle);
    if (call.inputBytes < P.DESCRIPTOR_SIZE) {
      call.detail(DETAIL_BAD_LENGTH);
      return cudaErrorInvalidValue;
    }
    const bytes = new Uint8Array(P.DESCRIPTOR_SIZE);
    call.readInput(0, bytes, bytes.length);
    const view = new DataView(bytes.buffer);
    const owner = (array ?? mipmapped?.levels[0])?.allocation.device ?? context.ordinal;
    if (owner !== context.ordinal && !context.peers.has(owner))
      return cudaErrorPeerAccessNotEnabled;
    if (resource === P.RESOURCE_ARRAY || resource === P.RESOURCE_SURFACE) {
      if (array === undefined) return cudaErrorInvalidResourceHandle;
      const surface = resource === P.RESOURCE_SURFACE;
      if (surface && !(array.flags & P.ARRAY_SURFACE_LOAD_STORE)) return cudaErrorInvalidValue;
      describeArray(device, view, array);
    } else if (resource === P.RESOURCE_MIPMAPPED) {
      if (mipmapped === undefined) return cudaErrorInvalidResourceHandle;
      // The levels that gradients of directions ask for are not known.
      if (mipmapped.levels[0]!.flags & P.ARRAY_CUBEMAP) return cudaErrorNotSupported;
      // Levels are chosen for coordinates that mean the same in all of them.
      if (view.getUint32(P.DESCRIPTOR_NORMALIZED, true) !== 1) return cudaErrorInvalidValue;
      describeArray(device, view, mipmapped.levels[0]!);
    } else if (resource === P.RESOURCE_LINEAR || resource === P.RESOURCE_PITCH_2D) {
      const error = checkMemory(device, view, resource);
      if (error !== cudaSuccess) return error;
    } else {
      return cudaErrorInvalidValue;
    }
    if (!isSampling(view)) return cudaErrorInvalidValue;
    const levels = resource === P.RESOURCE_MIPMAPPED ? (mipmapped?.levels ?? []) : [];
    const count = Math.max(1, levels.length);
    view.setUint32(P.DESCRIPTOR_LEVELS, count, true);
    const size = count * P.DESCRIPTOR_SIZE;
    const entry = device.allocations.alloc(size, MEMORY_DEVICE, 0, context, true);
    if (entry === undefined) return cudaErrorMemoryAllocation;
    device.memory.u8.set(bytes, entry.offset);
    for (const [index, each] of levels.entries()) {
      describeArray(device, view, each);
      device.memory.u8.set(bytes, entry.offset + index * P.DESCRIPTOR_SIZE);
    }
    const over = array || mipmapped ? handle : 0;
    context.textures.set(entry.offset, new TextureObject(resource, over, entry));
    call.set64(P.TEXTURE_CREATE_OBJECT, device.memory.pointerOf(entry.offset));
    return cudaSuccess;
  },
};

/** A texture object, and the context that it was made in: this one, or another device's. */
function textureOf(device: Device, call: Call): [TextureObject, Context] | undefined {
  const offset = call.u64(P.TEXTURE_DESTROY_OBJECT) - device.memory.base;
  for (const context of [call.context, ...device.primaries]) {
    const texture = context?.textures.get(offset);
    if (context && texture) return [texture as TextureObject, context];
  }
  return undefined;
}

const textureDestroy: Command = {
  responseBytes: P.TEXTURE_DESTROY_RESPONSE_SIZE,
  context: true,
  synchronizes: true,
  run(device: Device, call: Call): number {
    if (call.u64(P.TEXTURE_DESTROY_OBJECT) === 0) return cudaSuccess;
    const [texture, owner] = textureOf(device, call) ?? [];
    if (texture === undefined) return cudaErrorInvalidValue;
    owner?.textures.delete(texture.allocation.offset);
    return freeLater(device, call, texture.allocation);
  },
};

const textureInfo: Command = {
  responseBytes: P.TEXTURE_INFO_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const [texture] = textureOf(device, call) ?? [];
    if (texture === undefined) return cudaErrorInvalidValue;
    call.set32(P.TEXTURE_INFO_RESOURCE, texture.resource);
    call.set32(P.TEXTURE_INFO_ARRAY, texture.array);
    call.writeOutput(texture.allocation.offset, P.DESCRIPTOR_SIZE);
    return cudaSuccess;
  },
};

/** The family: ARRAY_*, TEXTURE_*. */
export const arrayCommands: CommandFamily = new Map([
  [P.COMMAND_ARRAY_CREATE, create],
  [P.COMMAND_ARRAY_DESTROY, destroy],
  [P.COMMAND_ARRAY_INFO, info],
  [P.COMMAND_ARRAY_LEVEL, level],
  [P.COMMAND_TEXTURE_CREATE, textureCreate],
  [P.COMMAND_TEXTURE_DESTROY, textureDestroy],
  [P.COMMAND_TEXTURE_INFO, textureInfo],
]);
