import assert from "node:assert/strict";
import * as cuda from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, ok, withCuda, withTwoDevices } from "./support.ts";

const BYTES = 1 << 20;
const box = () => ({ value: 0 });

function made(create: (out: cuda.Out<number>) => number): number {
  const out = box();
  ok(create(out));
  return out.value;
}

function params(id = 0, bytesize = BYTES): cuda.CudaMemAllocNodeParams {
  const location = { type: cuda.cudaMemLocationTypeDevice, id };
  return { poolProps: { allocType: cuda.cudaMemAllocationTypePinned, location }, bytesize };
}

function attribute(which: number): number {
  return made((out) => cuda.cudaDeviceGetGraphMemAttribute(0, which, out));
}

describe("memory of graphs", () => {
  test("is there while the graph runs, and leaves nothing", () =>
    withCuda(() => {
      const graph = made((out) => cuda.cudaGraphCreate(out));
      const result = made((out) => cuda.cudaMalloc(out, 64));
      const alloc = params();
      const first = made((out) => cuda.cudaGraphAddMemAllocNode(out, graph, [], alloc));
      const dptr = alloc.dptr ?? 0;
      assert.ok(dptr > 0);
      const memset = { dst: dptr, pitch: 0, value: 7, elementSize: 1, width: BYTES, height: 1 };
      const set = made((out) => cuda.cudaGraphAddMemsetNode(out, graph, [first], memset));
      const copy = made((out) =>
        cuda.cudaGraphAddMemcpyNode1D(out, graph, [set], result, dptr + BYTES - 64, 64, 3),
      );
      fails(cuda.cudaGraphAddMemFreeNode(box(), graph, [], result), "cudaErrorInvalidValue");
      const last = made((out) => cuda.cudaGraphAddMemFreeNode(out, graph, [copy], dptr));
      fails(cuda.cudaGraphAddMemFreeNode(box(), graph, [copy], dptr), "cudaErrorInvalidValue");
      const asked: cuda.Out<cuda.CudaMemAllocNodeParams | null> = { value: null };
      ok(cuda.cudaGraphMemAllocNodeGetParams(first, asked));
      assert.deepEqual(asked.value, alloc);
      assert.equal(
        made((out) => cuda.cudaGraphMemFreeNodeGetParams(last, out)),
        dptr,
      );
      fails(cuda.cudaGraphMemFreeNodeGetParams(first, box()), "cudaErrorInvalidValue");
      fails(cuda.cudaFree(dptr), "cudaErrorInvalidValue");
      const change = { type: cuda.cudaGraphNodeTypeMemAlloc, alloc: params() } as const;
      fails(cuda.cudaGraphNodeSetParams(first, change), "cudaErrorInvalidValue");

      const exec = made((out) => cuda.cudaGraphInstantiate(out, graph));
      for (let i = 0; i < 2; i++) ok(cuda.cudaGraphLaunch(exec));
      const host = new Uint8Array(64);
      ok(cuda.cudaMemcpy(host, result, 64, cuda.cudaMemcpyDeviceToHost));
      assert.deepEqual([...host], new Array(64).fill(7));
      assert.equal(attribute(cuda.cudaGraphMemAttrUsedMemHigh), BYTES);
      ok(cuda.cudaDeviceGraphMemTrim(0));
      assert.equal(attribute(cuda.cudaGraphMemAttrUsedMemCurrent), 0);
      assert.equal(attribute(cuda.cudaGraphMemAttrReservedMemCurrent), 0);
      assert.equal(attribute(cuda.cudaGraphMemAttrReservedMemHigh), BYTES);
      ok(cuda.cudaDeviceSetGraphMemAttribute(0, cuda.cudaGraphMemAttrReservedMemHigh, 0));
      assert.equal(attribute(cuda.cudaGraphMemAttrReservedMemHigh), 0);
      const high = cuda.cudaGraphMemAttrUsedMemHigh;
      fails(cuda.cudaDeviceSetGraphMemAttribute(0, high, 5), "cudaErrorInvalidValue");
      const [free, total] = [box(), box()];
      ok(cuda.cudaGraphExecDestroy(exec));
      ok(cuda.cudaGraphDestroy(graph));
      ok(cuda.cudaFree(result));
      ok(cuda.cudaMemGetInfo(free, total));
      assert.equal(free.value, total.value);
    }));

  test("regression: what a launch leaves allocated is freed by the next one if that is asked for", () =>
    withCuda(() => {
      const graph = made((out) => cuda.cudaGraphCreate(out));
      ok(cuda.cudaGraphAddMemAllocNode(box(), graph, [], params()));
      const plain = made((out) => cuda.cudaGraphInstantiate(out, graph));
      ok(cuda.cudaGraphLaunch(plain));
      fails(cuda.cudaGraphLaunch(plain), "cudaErrorInvalidValue");
      const flag = cuda.cudaGraphInstantiateFlagAutoFreeOnLaunch;
      const freeing = made((out) => cuda.cudaGraphInstantiate(out, graph, flag));
      for (let i = 0; i < 3; i++) ok(cuda.cudaGraphLaunch(freeing));
      ok(cuda.cudaDeviceSynchronize());
    }));

  test("is on the device that the node names", () =>
    withTwoDevices(() => {
      const graph = made((out) => cuda.cudaGraphCreate(out));
      const second = params(1);
      ok(cuda.cudaGraphAddMemAllocNode(box(), graph, [], second));
      const known: cuda.Out<cuda.CudaPointerAttributes | null> = { value: null };
      ok(cuda.cudaPointerGetAttributes(known, second.dptr ?? 0));
      assert.equal(known.value?.device, 1);
      fails(cuda.cudaGraphAddMemAllocNode(box(), graph, [], params(2)), "cudaErrorInvalidDevice");
      const shared = { ...params(), accessDescs: [{ location: { type: 1, id: 5 }, flags: 3 }] };
      fails(cuda.cudaGraphAddMemAllocNode(box(), graph, [], shared), "cudaErrorInvalidDevice");
    }));
});
