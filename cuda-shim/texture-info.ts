/** What texture and surface objects were made of. */
import {
  COMMAND_TEXTURE_INFO,
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
  RESOURCE_LINEAR,
  RESOURCE_MIPMAPPED,
  RESOURCE_PITCH_2D,
  RESOURCE_SURFACE,
  TEXTURE_INFO_ARRAY,
  TEXTURE_INFO_OBJECT,
  TEXTURE_INFO_RESOURCE,
} from "../runtime/protocol/arrays.ts";
import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import { readU64 } from "../runtime/protocol/fields.ts";
import {
  cudaResourceTypeArray,
  cudaResourceTypeLinear,
  cudaResourceTypeMipmappedArray,
  cudaResourceTypePitch2D,
} from "./constants.ts";
import { CudaError } from "./errors.ts";
import type { CudaResourceDesc, CudaTextureDesc } from "./texture.ts";
import { call, type HostThread } from "./thread.ts";
import { type CudaArray, type CudaTextureObject, isBox, isSize, type Out } from "./types.ts";

/** What the device says of an object. */
interface Described {
  readonly view: DataView;
  /** `RESOURCE_…` */
  readonly resource: number;
  readonly array: CudaArray;
}

/**
 * Asks for an object's description.
 * @param surface whether it must be a surface object
 * @throws CudaError cudaErrorInvalidValue if it is none, or of the other kind
 */
function described(thread: HostThread, object: CudaTextureObject, surface: boolean): Described {
  if (!isSize(object)) throw new CudaError(cudaErrorInvalidValue);
  const bytes = new Uint8Array(DESCRIPTOR_SIZE);
  const device = thread.device().begin().setU64(TEXTURE_INFO_OBJECT, object);
  device.check(COMMAND_TEXTURE_INFO, undefined, bytes);
  const resource = device.getU32(TEXTURE_INFO_RESOURCE);
  if (surface !== (resource === RESOURCE_SURFACE)) throw new CudaError(cudaErrorInvalidValue);
  const array = device.getU32(TEXTURE_INFO_ARRAY);
  return { view: new DataView(bytes.buffer), resource, array };
}

function get<T>(
  out: Out<T> | null,
  object: CudaTextureObject,
  surface: boolean,
  read: (of: Described) => T,
): number {
  return call((thread) => {
    if (!isBox(out)) return cudaErrorInvalidValue;
    out.value = read(described(thread, object, surface));
    return cudaSuccess;
  });
}

function resourceOf({ view, resource, array }: Described): CudaResourceDesc {
  const word = (field: number) => view.getUint32(field, true);
  const channels = word(DESCRIPTOR_CHANNELS);
  const bits = (index: number) => (index < channels ? 8 * word(DESCRIPTOR_CHANNEL_BYTES) : 0);
  const desc = { x: bits(0), y: bits(1), z: bits(2), w: bits(3), f: word(DESCRIPTOR_FORMAT) };
  const devPtr = readU64(view, DESCRIPTOR_ADDRESS);
  const width = word(DESCRIPTOR_WIDTH);
  if (resource === RESOURCE_LINEAR) {
    const sizeInBytes = width * channels * word(DESCRIPTOR_CHANNEL_BYTES);
    return { resType: cudaResourceTypeLinear, res: { linear: { devPtr, desc, sizeInBytes } } };
  }
  if (resource === RESOURCE_PITCH_2D) {
    const height = word(DESCRIPTOR_HEIGHT);
    const pitchInBytes = readU64(view, DESCRIPTOR_PITCH);
    const pitch2D = { devPtr, desc, width, height, pitchInBytes };
    return { resType: cudaResourceTypePitch2D, res: { pitch2D } };
  }
  if (resource === RESOURCE_MIPMAPPED) {
    return { resType: cudaResourceTypeMipmappedArray, res: { mipmap: { mipmap: array } } };
  }
  return { resType: cudaResourceTypeArray, res: { array: { array } } };
}

/** What a texture object reads. */
export function cudaGetTextureObjectResourceDesc(
  pResDesc: Out<CudaResourceDesc | null> | null,
  texObject: CudaTextureObject,
): number {
  return get(pResDesc, texObject, false, resourceOf);
}

/** What a surface object reads and writes. */
export function cudaGetSurfaceObjectResourceDesc(
  pResDesc: Out<CudaResourceDesc | null> | null,
  surfObject: CudaTextureObject,
): number {
  return get(pResDesc, surfObject, true, resourceOf);
}

/** How a texture object reads. */
export function cudaGetTextureObjectTextureDesc(
  pTexDesc: Out<CudaTextureDesc | null> | null,
  texObject: CudaTextureObject,
): number {
  return get(pTexDesc, texObject, false, ({ view }) => {
    const word = (field: number) => view.getUint32(field, true);
    return {
      addressMode: [0, 4, 8].map((at) => word(DESCRIPTOR_ADDRESS_MODE_X + at)),
      filterMode: word(DESCRIPTOR_FILTER),
      readMode: word(DESCRIPTOR_READ_MODE),
      sRGB: word(DESCRIPTOR_SRGB),
      borderColor: [0, 4, 8, 12].map((at) => view.getFloat32(DESCRIPTOR_BORDER + at, true)),
      normalizedCoords: word(DESCRIPTOR_NORMALIZED),
      mipmapFilterMode: word(DESCRIPTOR_MIP_FILTER),
      mipmapLevelBias: view.getFloat32(DESCRIPTOR_MIP_BIAS, true),
      minMipmapLevelClamp: view.getFloat32(DESCRIPTOR_MIP_LEAST, true),
      maxMipmapLevelClamp: view.getFloat32(DESCRIPTOR_MIP_MOST, true),
    };
  });
}

/** The view of a texture object. @returns cudaErrorInvalidValue: objects with views are refused */
export function cudaGetTextureObjectResourceViewDesc(
  pResViewDesc: Out<unknown> | null,
  texObject: CudaTextureObject,
): number {
  return get(pResViewDesc, texObject, false, () => {
    throw new CudaError(cudaErrorInvalidValue);
  });
}
