import assert from "node:assert/strict";
import * as cuda from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureBytes, ok, withCuda } from "./support.ts";

/** Registers saxpy, and makes device copies of x and y. */
function setUp(): { x: number; y: number; args: (a: number) => ArrayBufferView[] } {
  const handle = cuda.__cudaRegisterFatBinary(fixtureBytes("kernels.fatbin"));
  cuda.__cudaRegisterFunction(handle, "saxpy", "saxpy");
  const pointers = [1, 2].map((value) => {
    const pointer = { value: 0 };
    ok(cuda.cudaMalloc(pointer, 256));
    const data = new Float32Array(64).fill(value);
    ok(cuda.cudaMemcpy(pointer.value, data, 256, cuda.cudaMemcpyHostToDevice));
    return pointer.value;
  });
  const [x = 0, y = 0] = pointers;
  const address = (pointer: number) => BigUint64Array.of(BigInt(pointer));
  return { x, y, args: (a) => [Int32Array.of(64), Float32Array.of(a), address(x), address(y)] };
}

function kernelParams(args: ArrayBufferView[]): cuda.CudaKernelNodeParams {
  return { func: "saxpy", gridDim: 2, blockDim: 32, kernelParams: args };
}

/** The first float at an address. */
function first(pointer: number): number {
  const data = new Float32Array(64);
  ok(cuda.cudaMemcpy(data, pointer, 256, cuda.cudaMemcpyDeviceToHost));
  assert.ok(data.every((value) => value === data[0]));
  return data[0] ?? Number.NaN;
}

const box = () => ({ value: 0 });

describe("graphs built by hand", () => {
  test("kernel, copy, set and host nodes run in the order of their edges", () =>
    withCuda(() => {
      const { x, y, args } = setUp();
      const pinned = box();
      ok(cuda.cudaMallocHost(pinned, 256));
      const graph = box();
      ok(cuda.cudaGraphCreate(graph));
      const seen: number[] = [];
      const [set, kernel, copy, host] = [box(), box(), box(), box()];
      const memset = { dst: y, pitch: 0, value: 0, elementSize: 4, width: 64, height: 1 };
      ok(cuda.cudaGraphAddMemsetNode(set, graph.value, [], memset));
      const params = kernelParams(args(3));
      ok(cuda.cudaGraphAddKernelNode(kernel, graph.value, [set.value], params));
      const toHost = cuda.cudaMemcpyDeviceToHost;
      const after = [kernel.value];
      ok(cuda.cudaGraphAddMemcpyNode1D(copy, graph.value, after, pinned.value, y, 256, toHost));
      const view = new Float32Array(
        cuda.hostView(pinned.value, 256).buffer,
        pinned.value % 2 ** 32,
        64,
      );
      const fn = (data: unknown) => seen.push((view[5] ?? 0) + Number(data));
      ok(cuda.cudaGraphAddHostNode(host, graph.value, [copy.value], { fn, userData: 100 }));
      const exec = box();
      ok(cuda.cudaGraphInstantiate(exec, graph.value));
      const stream = box();
      ok(cuda.cudaStreamCreate(stream));
      for (let i = 0; i < 3; i++) ok(cuda.cudaGraphLaunch(exec.value, stream.value));
      ok(cuda.cudaStreamSynchronize(stream.value));
      assert.deepEqual(seen, [103, 103, 103]);
      assert.equal(first(y), 3);
      // Another constant, in the executable graph only.
      const other = kernelParams(args(7));
      ok(cuda.cudaGraphExecKernelNodeSetParams(exec.value, kernel.value, other));
      ok(cuda.cudaGraphLaunch(exec.value));
      ok(cuda.cudaDeviceSynchronize());
      assert.equal(first(y), 7);
      ok(cuda.cudaGraphNodeSetEnabled(exec.value, kernel.value, 0));
      const on = box();
      ok(cuda.cudaGraphNodeGetEnabled(exec.value, kernel.value, on));
      assert.equal(on.value, 0);
      ok(cuda.cudaGraphLaunch(exec.value));
      ok(cuda.cudaDeviceSynchronize());
      assert.equal(first(y), 0);
      assert.equal(first(x), 1);
      ok(cuda.cudaGraphExecDestroy(exec.value));
      ok(cuda.cudaGraphDestroy(graph.value));
    }));

  test("nodes, edges, clones and updates", () =>
    withCuda(() => {
      const { y, args } = setUp();
      const graph = box();
      ok(cuda.cudaGraphCreate(graph));
      const [a, b, c] = [box(), box(), box()];
      ok(cuda.cudaGraphAddEmptyNode(a, graph.value, null));
      ok(cuda.cudaGraphAddKernelNode(b, graph.value, [a.value], kernelParams(args(1))));
      ok(cuda.cudaGraphAddEmptyNode(c, graph.value, []));
      const nodes: cuda.Out<number[]> = { value: [] };
      const count = box();
      ok(cuda.cudaGraphGetNodes(graph.value, nodes, count));
      assert.deepEqual(nodes.value, [a.value, b.value, c.value]);
      assert.equal(count.value, 3);
      ok(cuda.cudaGraphGetRootNodes(graph.value, nodes));
      assert.deepEqual(nodes.value, [a.value, c.value]);
      ok(cuda.cudaGraphAddDependencies(graph.value, [b.value], [c.value]));
      const from: cuda.Out<number[]> = { value: [] };
      const to: cuda.Out<number[]> = { value: [] };
      ok(cuda.cudaGraphGetEdges(graph.value, from, to, count));
      assert.deepEqual(
        [from.value, to.value],
        [
          [a.value, b.value],
          [b.value, c.value],
        ],
      );
      ok(cuda.cudaGraphNodeGetDependencies(c.value, nodes));
      assert.deepEqual(nodes.value, [b.value]);
      ok(cuda.cudaGraphNodeGetDependentNodes(a.value, nodes));
      assert.deepEqual(nodes.value, [b.value]);
      const type = box();
      ok(cuda.cudaGraphNodeGetType(b.value, type));
      assert.equal(type.value, cuda.cudaGraphNodeTypeKernel);

      const exec = box();
      ok(cuda.cudaGraphInstantiate(exec, graph.value));
      const clone = box();
      ok(cuda.cudaGraphClone(clone, graph.value));
      const cloned = box();
      ok(cuda.cudaGraphNodeFindInClone(cloned, b.value, clone.value));
      ok(cuda.cudaGraphKernelNodeSetParams(cloned.value, kernelParams(args(10))));
      const info: cuda.Out<cuda.CudaGraphExecUpdateResultInfo | null> = { value: null };
      ok(cuda.cudaGraphExecUpdate(exec.value, clone.value, info));
      assert.equal(info.value?.result, cuda.cudaGraphExecUpdateSuccess);
      ok(cuda.cudaGraphLaunch(exec.value));
      ok(cuda.cudaDeviceSynchronize());
      assert.equal(first(y), 12);
      ok(cuda.cudaGraphRemoveDependencies(clone.value, [], []));
      ok(cuda.cudaGraphDestroyNode(cloned.value));
      fails(
        cuda.cudaGraphExecUpdate(exec.value, clone.value, info),
        "cudaErrorGraphExecUpdateFailure",
      );
      assert.equal(info.value?.result, cuda.cudaGraphExecUpdateErrorTopologyChanged);

      const parent = box();
      const child = box();
      ok(cuda.cudaGraphCreate(parent));
      ok(cuda.cudaGraphAddChildGraphNode(child, parent.value, [], graph.value));
      const inside = box();
      ok(cuda.cudaGraphChildGraphNodeGetGraph(child.value, inside));
      ok(cuda.cudaGraphGetNodes(inside.value, null, count));
      assert.equal(count.value, 3);
    }));

  test("cycles, foreign and ended nodes, wrong memory", () =>
    withCuda(() => {
      const { x, args } = setUp();
      const graph = box();
      const other = box();
      ok(cuda.cudaGraphCreate(graph));
      ok(cuda.cudaGraphCreate(other));
      const [a, b] = [box(), box()];
      ok(cuda.cudaGraphAddEmptyNode(a, graph.value, []));
      ok(cuda.cudaGraphAddEmptyNode(b, other.value, []));
      const bad = "cudaErrorInvalidValue";
      fails(cuda.cudaGraphAddEmptyNode(b, graph.value, [b.value]), bad);
      fails(cuda.cudaGraphAddEmptyNode(b, 12345, []), bad);
      fails(cuda.cudaGraphAddEmptyNode(null, graph.value, []), bad);
      fails(cuda.cudaGraphAddDependencies(graph.value, [a.value], [a.value]), bad);
      fails(cuda.cudaGraphAddDependencies(graph.value, [a.value], []), bad);
      fails(cuda.cudaGraphAddKernelNode(b, graph.value, [], null), bad);
      const unknown = { ...kernelParams(args(1)), func: "nobody" };
      const noFunction = "cudaErrorInvalidResourceHandle";
      fails(cuda.cudaGraphAddKernelNode(b, graph.value, [], unknown), noFunction);
      const huge = { ...kernelParams(args(1)), blockDim: 2048 };
      fails(cuda.cudaGraphAddKernelNode(b, graph.value, [], huge), bad);
      const host = new Uint8Array(16);
      const toHost = cuda.cudaMemcpyDeviceToHost;
      const line = (dst: cuda.CopyOperand, src: cuda.CopyOperand, count: number, kind = toHost) =>
        cuda.cudaGraphAddMemcpyNode1D(b, graph.value, [], dst, src, count, kind);
      fails(line(host, x, 17), bad);
      fails(line(host, x, 0), bad);
      fails(line(new Uint8Array(4096), x, 4096), bad);
      fails(line(host, 4096, 16), bad);
      fails(line(x, host, 16), bad);
      fails(line(host, x, 16, 9), "cudaErrorInvalidMemcpyDirection");
      fails(cuda.cudaGraphAddHostNode(b, graph.value, [], null), bad);
      const exec = box();
      ok(cuda.cudaGraphInstantiate(exec, graph.value));
      ok(cuda.cudaGraphDestroy(graph.value));
      fails(cuda.cudaGraphDestroy(graph.value), bad);
      fails(cuda.cudaGraphGetNodes(graph.value, { value: [] }), bad);
      fails(cuda.cudaGraphInstantiate(exec, graph.value), bad);
      ok(cuda.cudaGraphLaunch(exec.value));
      ok(cuda.cudaGraphExecDestroy(exec.value));
      for (const handle of [exec.value, other.value, 0, -1]) {
        fails(cuda.cudaGraphLaunch(handle), bad);
        fails(cuda.cudaGraphExecDestroy(handle), bad);
      }
      // The recorder of a node that failed leaves later calls alone.
      ok(cuda.cudaDeviceSynchronize());
    }));
});

describe("JavaScript's own memory in graphs", () => {
  const down = cuda.cudaMemcpyDeviceToHost;
  const up = cuda.cudaMemcpyHostToDevice;

  for (const device of ["inline", "worker"] as const) {
    test(`is copied in the nodes' turn, and takes the place of pinned memory (${device})`, () =>
      withCuda(
        () => {
          const [graph, exec, first, last] = [box(), box(), box(), box()];
          const [pinned, x, stream] = [box(), box(), box()];
          const source = Uint32Array.of(1, 2, 3, 4);
          const target = new Uint32Array(4);
          ok(cuda.cudaMalloc(x, 16));
          ok(cuda.cudaMallocHost(pinned, 16));
          ok(cuda.cudaStreamCreate(stream));
          ok(cuda.cudaGraphCreate(graph));
          ok(cuda.cudaGraphAddMemcpyNode1D(first, graph.value, [], x.value, source, 16, up));
          const after = [first.value];
          ok(cuda.cudaGraphAddMemcpyNode1D(last, graph.value, after, target, x.value, 16, down));
          ok(cuda.cudaGraphInstantiate(exec, graph.value));
          const run = (): number[] => {
            target.fill(0);
            ok(cuda.cudaGraphLaunch(exec.value, stream.value));
            ok(cuda.cudaStreamSynchronize(stream.value));
            return [...target];
          };
          assert.deepEqual(run(), [1, 2, 3, 4]);
          source[1] = 50;
          assert.deepEqual(run(), [1, 50, 3, 4]);
          const type = box();
          ok(cuda.cudaGraphNodeGetType(first.value, type));
          assert.equal(type.value, cuda.cudaGraphNodeTypeMemcpy);
          const params: cuda.Out<cuda.CudaMemcpy3DParms | null> = { value: null };
          ok(cuda.cudaGraphMemcpyNodeGetParams(first.value, params));
          assert.equal(params.value?.srcPtr?.ptr, source);
          assert.equal(params.value?.dstPtr?.ptr, x.value);
          fails(
            cuda.cudaGraphHostNodeGetParams(first.value, { value: null }),
            "cudaErrorInvalidValue",
          );
          new Uint32Array(cuda.hostView(pinned.value, 16).buffer).set(
            [7, 8, 9, 10],
            cuda.hostView(pinned.value, 16).byteOffset / 4,
          );
          const set = cuda.cudaGraphExecMemcpyNodeSetParams1D;
          ok(set(exec.value, first.value, x.value, pinned.value, 16, up));
          assert.deepEqual(run(), [7, 8, 9, 10]);
          ok(set(exec.value, first.value, x.value, source, 16, up));
          assert.deepEqual(run(), [1, 50, 3, 4]);
          ok(cuda.cudaGraphNodeSetEnabled(exec.value, last.value, 0));
          assert.deepEqual(run(), [0, 0, 0, 0]);
        },
        { device },
      ));
  }

  test("boxes, and copies of a captured stream", () =>
    withCuda(() => {
      const [stream, graph, exec, x] = [box(), box(), box(), box()];
      ok(cuda.cudaMalloc(x, 64));
      ok(cuda.cudaStreamCreate(stream));
      const source = Uint8Array.from({ length: 32 }, (_, i) => i);
      const target = new Uint8Array(32);
      ok(cuda.cudaStreamBeginCapture(stream.value, cuda.cudaStreamCaptureModeGlobal));
      ok(cuda.cudaMemcpyAsync(x.value, source, 32, up, stream.value));
      ok(cuda.cudaMemcpy2DAsync(target, 8, x.value, 16, 4, 2, down, stream.value));
      ok(cuda.cudaMemcpyAsync(target.subarray(16), x.value, 4, down, stream.value));
      ok(cuda.cudaStreamEndCapture(stream.value, graph));
      ok(cuda.cudaMemset(x.value, 0, 64));
      ok(cuda.cudaGraphInstantiate(exec, graph.value));
      assert.equal(target[1], 0);
      ok(cuda.cudaGraphLaunch(exec.value, stream.value));
      ok(cuda.cudaStreamSynchronize(stream.value));
      assert.deepEqual(
        [...target.subarray(0, 20)],
        [0, 1, 2, 3, 0, 0, 0, 0, 16, 17, 18, 19, 0, 0, 0, 0, 0, 1, 2, 3],
      );
      const kept = box();
      const node = box();
      ok(cuda.cudaGraphCreate(kept));
      ok(
        cuda.cudaGraphAddMemcpyNode(node, kept.value, [], {
          srcPtr: { ptr: source, pitch: 8, xsize: 8, ysize: 4 },
          srcPos: { x: 2, y: 1, z: 0 },
          dstPtr: { ptr: x.value, pitch: 16, xsize: 16, ysize: 4 },
          extent: { width: 3, height: 2, depth: 1 },
          kind: up,
        }),
      );
      ok(cuda.cudaGraphInstantiate(exec, kept.value));
      ok(cuda.cudaGraphLaunch(exec.value));
      ok(cuda.cudaMemcpy(target, x.value, 32, down));
      assert.deepEqual(
        [...target.subarray(0, 3), ...target.subarray(16, 19)],
        [10, 11, 12, 18, 19, 20],
      );
      // Outside of captures such copies are done when the call returns.
      ok(cuda.cudaMemcpyAsync(x.value, source, 32, up, stream.value));
    }));
});

describe("captured graphs", () => {
  test("a stream, and another that an event draws in", () =>
    withCuda(() => {
      const { x, y, args } = setUp();
      const [one, two, event] = [box(), box(), box()];
      ok(cuda.cudaStreamCreate(one));
      ok(cuda.cudaStreamCreateWithFlags(two, cuda.cudaStreamNonBlocking));
      ok(cuda.cudaEventCreate(event));
      const seen: number[] = [];
      ok(cuda.cudaStreamBeginCapture(one.value, cuda.cudaStreamCaptureModeGlobal));
      const status = box();
      ok(cuda.cudaStreamIsCapturing(one.value, status));
      assert.equal(status.value, cuda.cudaStreamCaptureStatusActive);
      ok(cuda.cudaMemsetAsync(y, 0, 256, one.value));
      ok(cuda.cudaEventRecord(event.value, one.value));
      ok(cuda.cudaStreamWaitEvent(two.value, event.value));
      ok(cuda.cudaLaunchKernel("saxpy", 2, 32, args(4), 0, two.value));
      ok(cuda.cudaEventRecord(event.value, two.value));
      ok(cuda.cudaStreamWaitEvent(one.value, event.value));
      ok(cuda.cudaLaunchHostFunc(one.value, () => seen.push(1)));
      const dependencies: cuda.Out<number[]> = { value: [] };
      const [id, making] = [box(), box()];
      ok(cuda.cudaStreamGetCaptureInfo(one.value, status, id, making, dependencies));
      assert.equal(dependencies.value.length, 1);
      const graph = box();
      ok(cuda.cudaStreamEndCapture(one.value, graph));
      ok(cuda.cudaStreamIsCapturing(one.value, status));
      assert.equal(status.value, cuda.cudaStreamCaptureStatusNone);
      // Nothing has run yet.
      assert.equal(first(y), 2);
      const count = box();
      ok(cuda.cudaGraphGetNodes(graph.value, null, count));
      assert.equal(count.value, 3);
      const exec = box();
      ok(cuda.cudaGraphInstantiate(exec, graph.value));
      for (let i = 0; i < 2; i++) ok(cuda.cudaGraphLaunch(exec.value, one.value));
      ok(cuda.cudaStreamSynchronize(one.value));
      assert.deepEqual(seen, [1, 1]);
      assert.equal(first(y), 4);
      assert.equal(first(x), 1);
    }));

  test("what can't be captured", () =>
    withCuda(() => {
      const stream = box();
      const graph = box();
      ok(cuda.cudaStreamCreate(stream));
      fails(cuda.cudaStreamBeginCapture(0, 0), "cudaErrorStreamCaptureUnsupported");
      fails(cuda.cudaStreamBeginCapture(stream.value, 3), "cudaErrorInvalidValue");
      fails(cuda.cudaStreamBeginCapture(999, 0), "cudaErrorInvalidResourceHandle");
      fails(cuda.cudaStreamEndCapture(stream.value, graph), "cudaErrorIllegalState");
      ok(cuda.cudaStreamBeginCapture(stream.value, 0));
      fails(cuda.cudaStreamSynchronize(stream.value), "cudaErrorStreamCaptureUnsupported");
      fails(cuda.cudaStreamEndCapture(stream.value, graph), "cudaErrorStreamCaptureInvalidated");
      assert.equal(graph.value, 0);
      fails(cuda.cudaStreamEndCapture(stream.value, null), "cudaErrorInvalidValue");
      ok(cuda.cudaStreamSynchronize(stream.value));
    }));
});
