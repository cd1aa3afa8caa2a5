/** Textures and surfaces laid out by hand in a bench's device memory. */
import * as P from "../../../runtime/protocol/index.ts";
import type { Bench } from "../bench.ts";
import {
  BORDER,
  COORDINATES,
  type TextureCase,
  textureCoordinates,
  textureData,
  textureKernel,
} from "./cases.ts";
import { SURFACE_PLACES, type SurfaceCase, surfaceKernel, surfacePlaces } from "./surface-cases.ts";

export type Texture = Omit<TextureCase, "name" | "operation" | "seed">;

/** Lays out texels without gaps between rows; gives the object: its descriptor's pointer. */
export function makeTexture(bench: Bench, c: Texture, texels: Uint8Array): number {
  const [width, height, depth] = c.extent;
  const view = new DataView(new ArrayBuffer(P.DESCRIPTOR_SIZE));
  const pitch = (width * c.channels * c.bits) / 8;
  P.writeU64(view, P.DESCRIPTOR_ADDRESS, bench.upload(texels));
  P.writeU64(view, P.DESCRIPTOR_PITCH, pitch);
  P.writeU64(view, P.DESCRIPTOR_SLICE, pitch * Math.max(1, height));
  const words: [number, number][] = [
    [P.DESCRIPTOR_WIDTH, width],
    [P.DESCRIPTOR_HEIGHT, height],
    [P.DESCRIPTOR_DEPTH, depth],
    [P.DESCRIPTOR_LAYERED, /^a|cube/.test(c.geometry) ? 1 : 0],
    [P.DESCRIPTOR_FORMAT, c.format],
    [P.DESCRIPTOR_CHANNELS, c.channels],
    [P.DESCRIPTOR_CHANNEL_BYTES, c.bits / 8],
    [P.DESCRIPTOR_ADDRESS_MODE_X, c.mode],
    [P.DESCRIPTOR_ADDRESS_MODE_Y, c.mode],
    [P.DESCRIPTOR_ADDRESS_MODE_Z, c.mode],
    [P.DESCRIPTOR_FILTER, c.linear ? 1 : 0],
    [P.DESCRIPTOR_READ_MODE, c.fraction ? 1 : 0],
    [P.DESCRIPTOR_NORMALIZED, c.normalized ? 1 : 0],
    [P.DESCRIPTOR_SRGB, c.srgb ? 1 : 0],
  ];
  for (const [at, value] of words) view.setUint32(at, value, true);
  BORDER.forEach((v, k) => {
    view.setFloat32(P.DESCRIPTOR_BORDER + 4 * k, v, true);
  });
  return bench.upload(new Uint8Array(view.buffer));
}

/** Four 32-bit results for each of the case's places, and the surface's texels afterwards. */
export function runSurface(bench: Bench, c: SurfaceCase): [Uint8Array, Uint8Array] {
  const texels = textureData(c);
  const how = { mode: 0, linear: false, fraction: false, normalized: false };
  const surface = makeTexture(bench, { ...c, ...how }, texels);
  const address = Number(bench.longs(surface + P.DESCRIPTOR_ADDRESS, 1)[0]);
  const out = bench.zeros(16 * SURFACE_PLACES);
  const options = { kernel: "t", grid: SURFACE_PLACES / 128, block: 128 };
  const parameters = [surface, bench.upload(surfacePlaces(c)), out, SURFACE_PLACES];
  const fault = bench.run(surfaceKernel(c), parameters, options);
  if (fault) throw new Error(`${c.name}: ${fault.message}`);
  return [bench.bytes(out, 16 * SURFACE_PLACES), bench.bytes(address, texels.length)];
}

/** Four 32-bit results for each of the case's places. */
export function sampleTexture(bench: Bench, c: TextureCase): Uint32Array {
  const texture = makeTexture(bench, c, textureData(c));
  const places = bench.upload(textureCoordinates(c));
  const out = bench.zeros(16 * COORDINATES);
  const options = { kernel: "t", grid: COORDINATES / 128, block: 128 };
  const fault = bench.run(textureKernel(c), [texture, places, out, COORDINATES], options);
  if (fault) throw new Error(fault.message);
  return Uint32Array.from(bench.words(out, 4 * COORDINATES));
}
