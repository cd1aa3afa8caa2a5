/** Texture and surface objects. */
import {
  COMMAND_TEXTURE_CREATE,
  COMMAND_TEXTURE_DESTROY,
  DESCRIPTOR_ADDRESS,
  DESCRIPTOR_ADDRESS_MODE_X,
  DESCRIPTOR_BORDER,
  DESCRIPTOR_CHANNEL_BYTES,
  DESCRIPTOR_CHANNELS,
  DESCRIPTOR_FILTER,
  DESCRIPTOR_FORMAT,
  DESCRIPTOR_HEIGHT,
  DESCRIPTOR_MIP_BIAS,
  DESCRIPTOR_MIP_FILTER,
  DESCRIPTOR_MIP_LEAST,
  DESCRIPTOR_MIP_MOST,
  DESCRIPTOR_NORMALIZED,
  DESCRIPTOR_PITCH,
  DESCRIPTOR_READ_MODE,
  DESCRIPTOR_SIZE,
  DESCRIPTOR_SRGB,
  DESCRIPTOR_WIDTH,
  RESOURCE_ARRAY,
  RESOURCE_LINEAR,
  RESOURCE_MIPMAPPED,
  RESOURCE_PITCH_2D,
  RESOURCE_SURFACE,
  TEXTURE_CREATE_ARRAY,
  TEXTURE_CREATE_OBJECT,
  TEXTURE_CREATE_RESOURCE,
  TEXTURE_DESTROY_OBJECT,
} from "../runtime/protocol/arrays.ts";
import {
  cudaErrorInvalidChannelDescriptor,
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { writeU64 } from "../runtime/protocol/fields.ts";
import {
  cudaResourceTypeArray,
  cudaResourceTypeLinear,
  cudaResourceTypeMipmappedArray,
  cudaResourceTypePitch2D,
} from "./constants.ts";
import { CudaError } from "./errors.ts";
import type { CudaChannelFormatDesc } from "./misc.ts";
import { call, type HostThread } from "./thread.ts";
import {
  type CudaArray,
  type CudaMipmappedArray,
  type CudaPointer,
  type CudaTextureObject,
  isBox,
  isObject,
  isSize,
  isU32,
  type Out,
} from "./types.ts";

/** `cudaResourceDesc`: an array, a mipmapped one, a row of texels in memory, or pitched rows of them. */
export type CudaResourceDesc =
  | { resType: 0; res: { array: { array: CudaArray } } }
  | { resType: 1; res: { mipmap: { mipmap: CudaMipmappedArray } } }
  | {
      resType: 2;
      res: { linear: { devPtr: CudaPointer; desc: CudaChannelFormatDesc; sizeInBytes: number } };
    }
  | {
      resType: 3;
      res: {
        pitch2D: {
          devPtr: CudaPointer;
          desc: CudaChannelFormatDesc;
          width: number;
          height: number;
          pitchInBytes: number;
        };
      };
    };

/** `cudaTextureDesc`; what is left out is 0. Anisotropy is not there. */
export interface CudaTextureDesc {
  /** `cudaAddressMode…` of each dimension. */
  addressMode?: readonly number[];
  /** `cudaFilterMode…` */
  filterMode?: number;
  /** `cudaReadMode…` */
  readMode?: number;
  sRGB?: number;
  borderColor?: readonly number[];
  normalizedCoords?: number;
  /** Between levels of a mipmapped array: `cudaFilterMode…` */
  mipmapFilterMode?: number;
  /** Is added to the level that is asked for, which is then kept between the other two. */
  mipmapLevelBias?: number;
  minMipmapLevelClamp?: number;
  maxMipmapLevelClamp?: number;
}

/** A field that must be an unsigned int. @throws CudaError cudaErrorInvalidValue */
function word(value: unknown): number {
  if (!isU32(value)) throw new CudaError(cudaErrorInvalidValue);
  return value;
}

function real(value: unknown): number {
  if (typeof value !== "number") throw new CudaError(cudaErrorInvalidValue);
  return value;
}

function size(value: unknown): number {
  if (!isSize(value)) throw new CudaError(cudaErrorInvalidValue);
  return value;
}

/** Puts the format of texels in memory into a descriptor. @returns bytes of a texel */
function putFormat(view: DataView, desc: CudaChannelFormatDesc): number {
  const bits = isObject(desc) ? [desc.x, desc.y, desc.z, desc.w] : [];
  const used = bits.filter((value) => value !== 0);
  // Channels are of one size, and those that aren't there come last.
  const good = used.length > 0 && bits.slice(0, used.length).every((value) => value === bits[0]);
  if (!good || !isU32(desc.f)) throw new CudaError(cudaErrorInvalidChannelDescriptor);
  const bytes = (bits[0] ?? 0) / 8;
  view.setUint32(DESCRIPTOR_FORMAT, desc.f, true);
  view.setUint32(DESCRIPTOR_CHANNELS, used.length, true);
  view.setUint32(DESCRIPTOR_CHANNEL_BYTES, bytes, true);
  return used.length * bytes;
}

/** Puts a resource into a descriptor. @returns its RESOURCE_ number and its array, if it is one */
function putResource(view: DataView, desc: CudaResourceDesc): [resource: number, array: CudaArray] {
  if (!isObject(desc) || !isObject(desc.res)) throw new CudaError(cudaErrorInvalidValue);
  if (desc.resType === cudaResourceTypeArray && isObject(desc.res.array)) {
    return [RESOURCE_ARRAY, desc.res.array.array];
  }
  if (desc.resType === cudaResourceTypeMipmappedArray && isObject(desc.res.mipmap)) {
    return [RESOURCE_MIPMAPPED, desc.res.mipmap.mipmap];
  }
  if (desc.resType === cudaResourceTypeLinear && isObject(desc.res.linear)) {
    const { devPtr, desc: format, sizeInBytes } = desc.res.linear;
    const texel = putFormat(view, format);
    writeU64(view, DESCRIPTOR_ADDRESS, size(devPtr));
    view.setUint32(DESCRIPTOR_WIDTH, word(Math.floor(size(sizeInBytes) / texel)), true);
    return [RESOURCE_LINEAR, 0];
  }
  if (desc.resType === cudaResourceTypePitch2D && isObject(desc.res.pitch2D)) {
    const { devPtr, desc: format, width, height, pitchInBytes } = desc.res.pitch2D;
    putFormat(view, format);
    writeU64(view, DESCRIPTOR_ADDRESS, size(devPtr));
    writeU64(view, DESCRIPTOR_PITCH, size(pitchInBytes));
    view.setUint32(DESCRIPTOR_WIDTH, word(width), true);
    view.setUint32(DESCRIPTOR_HEIGHT, word(height), true);
    return [RESOURCE_PITCH_2D, 0];
  }
  throw new CudaError(cudaErrorInvalidValue);
}

/** Puts the way of reading into a descriptor. */
function putSampling(view: DataView, desc: CudaTextureDesc): void {
  const { addressMode = [], borderColor = [] } = desc;
  for (let index = 0; index < 3; index++) {
    view.setUint32(DESCRIPTOR_ADDRESS_MODE_X + 4 * index, word(addressMode[index] ?? 0), true);
  }
  view.setUint32(DESCRIPTOR_FILTER, word(desc.filterMode ?? 0), true);
  view.setUint32(DESCRIPTOR_READ_MODE, word(desc.readMode ?? 0), true);
  view.setUint32(DESCRIPTOR_NORMALIZED, word(desc.normalizedCoords ?? 0), true);
  view.setUint32(DESCRIPTOR_SRGB, word(desc.sRGB ?? 0), true);
  view.setUint32(DESCRIPTOR_MIP_FILTER, word(desc.mipmapFilterMode ?? 0), true);
  view.setFloat32(DESCRIPTOR_MIP_BIAS, real(desc.mipmapLevelBias ?? 0), true);
  view.setFloat32(DESCRIPTOR_MIP_LEAST, real(desc.minMipmapLevelClamp ?? 0), true);
  view.setFloat32(DESCRIPTOR_MIP_MOST, real(desc.maxMipmapLevelClamp ?? 0), true);
  for (let index = 0; index < 4; index++) {
    const color = real(borderColor[index] ?? 0);
    view.setFloat32(DESCRIPTOR_BORDER + 4 * index, color, true);
  }
}

function create(
  out: Out<CudaTextureObject> | null,
  describe: (view: DataView) => [resource: number, array: CudaArray],
): number {
  return call((thread) => {
    if (!isBox(out)) return cudaErrorInvalidValue;
    const view = new DataView(new ArrayBuffer(DESCRIPTOR_SIZE));
    const [resource, array] = describe(view);
    const ofArray = resource !== RESOURCE_LINEAR && resource !== RESOURCE_PITCH_2D;
    const device = thread.device();
    device.begin().setU32(TEXTURE_CREATE_RESOURCE, resource);
    if (ofArray) device.setHandle(TEXTURE_CREATE_ARRAY, array, cudaErrorInvalidResourceHandle);
    device.check(COMMAND_TEXTURE_CREATE, new Uint8Array(view.buffer));
    out.value = device.getU64(TEXTURE_CREATE_OBJECT);
    return cudaSuccess;
  });
}

function destroy(thread: HostThread, object: CudaTextureObject): number {
  if (!isSize(object)) return cudaErrorInvalidValue;
  const device = thread.device().begin().setU64(TEXTURE_DESTROY_OBJECT, object);
  return device.send(COMMAND_TEXTURE_DESTROY);
}

/**
 * Makes a texture object: an opaque number that is given to kernels as a 64-bit argument.
 *
 * @param pResDesc what is read
 * @param pTexDesc how it is read
 * @param pResViewDesc another view of an array's elements: not supported
 * @returns cudaErrorInvalidChannelDescriptor, cudaErrorInvalidValue, cudaErrorNotSupported (mipmapped
 *   cubes)
 */
export function cudaCreateTextureObject(
  pTexObject: Out<CudaTextureObject> | null,
  pResDesc: CudaResourceDesc | null,
  pTexDesc: CudaTextureDesc | null,
  pResViewDesc: unknown = null,
): number {
  return create(pTexObject, (view) => {
    if (!isObject(pResDesc) || !isObject(pTexDesc)) throw new CudaError(cudaErrorInvalidValue);
    if (pResViewDesc !== null) throw new CudaError(cudaErrorNotSupported, "resource views");
    const resource = putResource(view, pResDesc);
    putSampling(view, pTexDesc);
    return resource;
  });
}

/** Ends a texture object, after all work that uses it. */
export function cudaDestroyTextureObject(texObject: CudaTextureObject): number {
  return call((thread) => destroy(thread, texObject));
}

/** Makes a surface object of an array made with `cudaArraySurfaceLoadStore`. */
export function cudaCreateSurfaceObject(
  pSurfObject: Out<CudaTextureObject> | null,
  pResDesc: CudaResourceDesc | null,
): number {
  return create(pSurfObject, (view) => {
    if (!isObject(pResDesc)) throw new CudaError(cudaErrorInvalidValue);
    const [resource, array] = putResource(view, pResDesc);
    if (resource !== RESOURCE_ARRAY) throw new CudaError(cudaErrorInvalidValue);
    return [RESOURCE_SURFACE, array];
  });
}

/** Ends a surface object, after all work that uses it. */
export function cudaDestroySurfaceObject(surfObject: CudaTextureObject): number {
  return call((thread) => destroy(thread, surfObject));
}
