import assert from "node:assert/strict";
import {
  type CudaPointerAttributes,
  cudaDeviceCanAccessPeer,
  cudaDeviceDisablePeerAccess,
  cudaDeviceEnablePeerAccess,
  cudaHostGetDevicePointer,
  cudaHostGetFlags,
  cudaHostRegister,
  cudaHostUnregister,
  cudaMalloc,
  cudaMallocHost,
  cudaMallocManaged,
  cudaMemoryTypeDevice,
  cudaMemoryTypeHost,
  cudaMemoryTypeManaged,
  cudaMemoryTypeUnregistered,
  cudaPointerGetAttributes,
  cudaSetDevice,
  hostView,
  type Out,
} from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, ok, withCuda } from "./support.ts";

describe("peers", () => {
  test("access is allowed and ended, each once, in one direction", () =>
    withCuda(
      () => {
        const can = { value: 1 };
        ok(cudaDeviceCanAccessPeer(can, 0, 1));
        assert.equal(can.value, 1);
        ok(cudaDeviceCanAccessPeer(can, 1, 1));
        assert.equal(can.value, 0);
        fails(cudaDeviceDisablePeerAccess(1), "cudaErrorPeerAccessNotEnabled");
        ok(cudaDeviceEnablePeerAccess(1));
        fails(cudaDeviceEnablePeerAccess(1), "cudaErrorPeerAccessAlreadyEnabled");
        ok(cudaSetDevice(1));
        fails(cudaDeviceDisablePeerAccess(0), "cudaErrorPeerAccessNotEnabled");
        ok(cudaSetDevice(0));
        ok(cudaDeviceDisablePeerAccess(1));
        fails(cudaDeviceEnablePeerAccess(1, 1), "cudaErrorInvalidValue");
        fails(cudaDeviceEnablePeerAccess(0), "cudaErrorPeerAccessUnsupported");
        fails(cudaDeviceEnablePeerAccess(2), "cudaErrorInvalidDevice");
        fails(cudaDeviceDisablePeerAccess(-1), "cudaErrorInvalidDevice");
      },
      { devices: 2 },
    ));
});

describe("what is known of an address", () => {
  test("kind, device and both sides' addresses", () =>
    withCuda(
      () => {
        const device = { value: 0 };
        const pinned = { value: 0 };
        const managed = { value: 0 };
        ok(cudaSetDevice(1));
        ok(cudaMalloc(device, 100));
        ok(cudaMallocHost(pinned, 100));
        ok(cudaMallocManaged(managed, 100));
        ok(cudaSetDevice(0));
        const out: Out<CudaPointerAttributes | null> = { value: null };
        const expected: [number, number, boolean][] = [
          [device.value + 7, cudaMemoryTypeDevice, false],
          [pinned.value, cudaMemoryTypeHost, true],
          [managed.value + 99, cudaMemoryTypeManaged, true],
        ];
        for (const [pointer, type, host] of expected) {
          ok(cudaPointerGetAttributes(out, pointer));
          const hostPointer = host ? pointer : 0;
          assert.deepEqual(out.value, { type, device: 1, devicePointer: pointer, hostPointer });
        }
        for (const unknown of [12345, device.value + 4096 * 64, new Uint8Array(5)]) {
          ok(cudaPointerGetAttributes(out, unknown));
          assert.equal(out.value?.type, cudaMemoryTypeUnregistered);
        }
        fails(cudaPointerGetAttributes(out, 0), "cudaErrorInvalidValue");
        const address = { value: 0 };
        ok(cudaHostGetDevicePointer(address, pinned.value));
        assert.equal(address.value, pinned.value);
        ok(cudaHostGetFlags(address, pinned.value));
        assert.equal(address.value, 2);
      },
      { devices: 2 },
    ));

  test("JavaScript's memory can't be registered; pinned memory is already", () =>
    withCuda(() => {
      const pinned = { value: 0 };
      ok(cudaMallocHost(pinned, 100));
      fails(cudaHostRegister(new Uint8Array(8), 8), "cudaErrorNotSupported");
      const already = "cudaErrorHostMemoryAlreadyRegistered";
      fails(cudaHostRegister(pinned.value, 8), already);
      fails(cudaHostRegister(hostView(pinned.value, 8), 8), already);
      fails(cudaHostRegister(12345, 8), "cudaErrorInvalidValue");
      fails(cudaHostRegister(null, 8), "cudaErrorInvalidValue");
      fails(cudaHostRegister(new Uint8Array(8), 0), "cudaErrorInvalidValue");
      fails(cudaHostUnregister(new Uint8Array(8)), "cudaErrorHostMemoryNotRegistered");
      fails(cudaHostUnregister(null), "cudaErrorInvalidValue");
    }));
});
