import assert from "node:assert/strict";
import * as P from "../../runtime/protocol/index.ts";
import { describe, test } from "../harness.ts";
import { Bench, pattern } from "./bench.ts";

const bad = P.cudaErrorInvalidValue;

interface Shape {
  readonly width: number;
  readonly height?: number;
  readonly depth?: number;
  readonly flags?: number;
  readonly format?: number;
  readonly bits?: readonly number[];
}

function create(bench: Bench, shape: Shape): number {
  const { width, height = 0, depth = 0, flags = 0, format = P.FORMAT_FLOAT } = shape;
  const bits = shape.bits ?? [32, 0, 0, 0];
  const fields: Record<number, number> = {
    [P.ARRAY_CREATE_WIDTH]: width,
    [P.ARRAY_CREATE_HEIGHT]: height,
    [P.ARRAY_CREATE_DEPTH]: depth,
    [P.ARRAY_CREATE_FLAGS]: flags,
    [P.ARRAY_CREATE_FORMAT]: format,
  };
  bits.forEach((each, i) => {
    fields[P.ARRAY_CREATE_BITS_X + 4 * i] = each;
  });
  return bench.call(P.COMMAND_ARRAY_CREATE, fields);
}

function made(bench: Bench, shape: Shape): number {
  assert.equal(create(bench, shape), 0);
  return bench.get32(P.ARRAY_CREATE_ARRAY);
}

const ask = (bench: Bench, array: number): number =>
  bench.call(P.COMMAND_ARRAY_INFO, { [P.ARRAY_INFO_ARRAY]: array });

const destroy = (bench: Bench, array: number): number =>
  bench.call(P.COMMAND_ARRAY_DESTROY, { [P.ARRAY_DESTROY_ARRAY]: array });

/** A descriptor with the given u32 and u64 fields. */
function descriptor(words: Record<number, number>, wide: Record<number, number> = {}): Uint8Array {
  const view = new DataView(new ArrayBuffer(P.DESCRIPTOR_SIZE));
  for (const [at, value] of Object.entries(words)) view.setUint32(Number(at), value, true);
  for (const [at, value] of Object.entries(wide)) P.writeU64(view, Number(at), value);
  return new Uint8Array(view.buffer);
}

function texture(bench: Bench, resource: number, array: number, body: Uint8Array): number {
  const fields = {
    [P.TEXTURE_CREATE_RESOURCE]: resource,
    [P.TEXTURE_CREATE_ARRAY]: array,
  };
  return bench.call(P.COMMAND_TEXTURE_CREATE, fields, {}, body);
}

describe("arrays", () => {
  test("keep what is copied into them, and know what they are", () => {
    const bench = new Bench();
    const array = made(bench, { width: 10, height: 6, bits: [8, 8, 8, 8], format: 1 });
    assert.equal(ask(bench, array), 0);
    assert.equal(bench.get32(P.ARRAY_INFO_WIDTH), 10);
    assert.equal(bench.get32(P.ARRAY_INFO_BITS_W), 8);
    const address = bench.get64(P.ARRAY_INFO_ADDRESS);
    const pitch = bench.get64(P.ARRAY_INFO_PITCH);
    assert.equal(pitch, 64);
    const host = pattern(40 * 6);
    const back = new Uint8Array(host.length);
    const copy = (numbers: number[], kind: number, flags: number, side: Uint8Array): number => {
      const view = new DataView(new ArrayBuffer(P.BOX_SIZE));
      numbers.forEach((value, i) => {
        P.writeU64(view, 8 * i, value);
      });
      const fields = { [P.MEMORY_COPY_3D_KIND]: kind, [P.MEMORY_COPY_3D_FLAGS]: flags };
      return bench.call(P.COMMAND_MEMORY_COPY_3D, fields, {}, new Uint8Array(view.buffer), side);
    };
    const up = [address, pitch, 0, 0, 40, 0, 40, 6, 1];
    assert.equal(copy(up, P.COPY_HOST_TO_DEVICE, P.COPY_SOURCE_MAPPED, host), 0);
    const down = [0, 40, 0, address, pitch, 0, 40, 6, 1];
    assert.equal(copy(down, P.COPY_DEVICE_TO_HOST, P.COPY_TARGET_MAPPED, back), 0);
    assert.deepEqual(back, host);
    assert.equal(bench.free(address), bad, "not memory to be freed as such");
    assert.equal(destroy(bench, array), 0);
    assert.equal(destroy(bench, array), P.cudaErrorInvalidResourceHandle);
    assert.equal(ask(bench, array), P.cudaErrorInvalidResourceHandle);
    assert.equal(bench.machine.gpu.device.allocations.count, 0);
  });

  test("channel descriptors and extents are checked", () => {
    const bench = new Bench();
    const channel = P.cudaErrorInvalidChannelDescriptor;
    assert.equal(create(bench, { width: 4, bits: [0, 0, 0, 0] }), channel);
    assert.equal(create(bench, { width: 4, bits: [32, 32, 32, 0] }), channel);
    assert.equal(create(bench, { width: 4, bits: [32, 16, 0, 0] }), channel);
    assert.equal(create(bench, { width: 4, bits: [8, 0, 0, 0] }), channel, "no 8-bit floats");
    assert.equal(create(bench, { width: 4, format: 3 }), channel);
    assert.equal(create(bench, { width: 4, bits: [0, 32, 0, 0] }), channel);
    assert.equal(create(bench, { width: 0 }), bad);
    assert.equal(create(bench, { width: 131073 }), bad);
    assert.equal(create(bench, { width: 4, height: 65537 }), bad);
    assert.equal(create(bench, { width: 4, height: 4, depth: 16385 }), bad);
    assert.equal(create(bench, { width: 4, height: 0, depth: 4 }), bad);
    assert.equal(create(bench, { width: 4, height: 5, depth: 6, flags: P.ARRAY_CUBEMAP }), bad);
    assert.equal(create(bench, { width: 4, flags: 0x40 }), bad);
    const cube = made(bench, { width: 4, height: 4, depth: 6, flags: P.ARRAY_CUBEMAP });
    const layers = made(bench, { width: 4, depth: 7, flags: P.ARRAY_LAYERED });
    const box = made(bench, { width: 4, height: 4, depth: 4 });
    for (const array of [cube, layers, box]) assert.equal(destroy(bench, array), 0);
    const large = { width: 16384, height: 16384, depth: 16384, bits: [32, 32, 32, 32] };
    assert.equal(create(bench, large), P.cudaErrorMemoryAllocation);
  });
});

describe("texture and surface objects", () => {
  test("over an array: kernels find its place and shape in the descriptor", () => {
    const bench = new Bench();
    const array = made(bench, { width: 10, height: 6, bits: [16, 16, 0, 0] });
    ask(bench, array);
    const address = bench.get64(P.ARRAY_INFO_ADDRESS);
    const body = descriptor({ [P.DESCRIPTOR_FILTER]: 1, [P.DESCRIPTOR_ADDRESS_MODE_X]: 2 });
    assert.equal(texture(bench, P.RESOURCE_ARRAY, array, body), 0);
    const object = bench.get64(P.TEXTURE_CREATE_OBJECT);
    const into = new Uint8Array(P.DESCRIPTOR_SIZE);
    const wide = { [P.TEXTURE_INFO_OBJECT]: object };
    assert.equal(bench.call(P.COMMAND_TEXTURE_INFO, {}, wide, undefined, into), 0);
    assert.equal(bench.get32(P.TEXTURE_INFO_ARRAY), array);
    const inMemory = bench.file.mmap(object, P.DESCRIPTOR_SIZE) as Uint8Array;
    assert.deepEqual(inMemory.slice(), into);
    const view = new DataView(into.buffer);
    assert.equal(P.readU64(view, P.DESCRIPTOR_ADDRESS), address);
    const word = (field: number): number => view.getUint32(field, true);
    assert.deepEqual([word(P.DESCRIPTOR_WIDTH), word(P.DESCRIPTOR_HEIGHT)], [10, 6]);
    assert.deepEqual([word(P.DESCRIPTOR_CHANNELS), word(P.DESCRIPTOR_CHANNEL_BYTES)], [2, 2]);
    assert.deepEqual([word(P.DESCRIPTOR_FILTER), word(P.DESCRIPTOR_ADDRESS_MODE_X)], [1, 2]);
    const end = { [P.TEXTURE_DESTROY_OBJECT]: object };
    assert.equal(bench.call(P.COMMAND_TEXTURE_DESTROY, {}, end), 0);
    assert.equal(bench.call(P.COMMAND_TEXTURE_DESTROY, {}, end), bad);
    assert.equal(bench.call(P.COMMAND_TEXTURE_INFO, {}, wide), bad);
  });

  test("over memory: the texels must lie in one allocation", () => {
    const bench = new Bench();
    const pointer = bench.alloc(4096);
    const float4 = {
      [P.DESCRIPTOR_FORMAT]: P.FORMAT_FLOAT,
      [P.DESCRIPTOR_CHANNELS]: 4,
      [P.DESCRIPTOR_CHANNEL_BYTES]: 4,
    };
    const linear = (width: number, at = pointer): number => {
      const body = descriptor(
        { ...float4, [P.DESCRIPTOR_WIDTH]: width },
        { [P.DESCRIPTOR_ADDRESS]: at },
      );
      return texture(bench, P.RESOURCE_LINEAR, 0, body);
    };
    assert.equal(linear(256), 0);
    assert.equal(linear(257), bad);
    assert.equal(linear(0), bad);
    assert.equal(linear(1, pointer + 16), bad, "misaligned");
    const pitched = (pitch: number, height: number): number => {
      const words = { ...float4, [P.DESCRIPTOR_WIDTH]: 4, [P.DESCRIPTOR_HEIGHT]: height };
      const wide = { [P.DESCRIPTOR_ADDRESS]: pointer, [P.DESCRIPTOR_PITCH]: pitch };
      return texture(bench, P.RESOURCE_PITCH_2D, 0, descriptor(words, wide));
    };
    assert.equal(pitched(64, 64), 0);
    assert.equal(pitched(64, 65), bad);
    assert.equal(pitched(32, 2), bad, "rows would overlap");
    assert.equal(pitched(80, 2), bad, "misaligned rows");
  });

  test("what cannot be sampled, and what is no surface, is refused", () => {
    const bench = new Bench();
    const words = made(bench, { width: 4, format: P.FORMAT_UNSIGNED });
    const bytes = made(bench, { width: 4, format: P.FORMAT_UNSIGNED, bits: [8, 0, 0, 0] });
    const filter = { [P.DESCRIPTOR_FILTER]: 1 };
    const fraction = { [P.DESCRIPTOR_READ_MODE]: 1 };
    const over = (array: number, fields: Record<number, number>): number =>
      texture(bench, P.RESOURCE_ARRAY, array, descriptor(fields));
    assert.equal(over(words, filter), bad);
    assert.equal(over(words, fraction), bad);
    assert.equal(over(bytes, filter), bad);
    assert.equal(over(bytes, { ...filter, ...fraction }), 0);
    assert.equal(over(bytes, { [P.DESCRIPTOR_ADDRESS_MODE_Z]: 4 }), bad);
    assert.equal(over(bytes, { [P.DESCRIPTOR_FILTER]: 2 }), bad);
    const none = descriptor({});
    assert.equal(texture(bench, P.RESOURCE_SURFACE, bytes, none), bad);
    const flags = P.ARRAY_SURFACE_LOAD_STORE;
    const surface = made(bench, { width: 4, flags });
    assert.equal(texture(bench, P.RESOURCE_SURFACE, surface, none), 0);
    assert.equal(texture(bench, P.RESOURCE_ARRAY, 999, none), P.cudaErrorInvalidResourceHandle);
    const mipmapped = texture(bench, P.RESOURCE_MIPMAPPED, surface, none);
    assert.equal(mipmapped, P.cudaErrorInvalidResourceHandle);
    assert.equal(texture(bench, 4, surface, none), bad, "no resource");
    assert.equal(texture(bench, P.RESOURCE_ARRAY, surface, new Uint8Array(10)), bad);
    assert.equal(bench.call(P.COMMAND_CONTEXT_RESET), 0);
    assert.equal(bench.machine.gpu.device.allocations.count, 0);
  });
});
