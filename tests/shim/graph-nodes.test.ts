import assert from "node:assert/strict";
import * as cuda from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureBytes, ok, withCuda } from "./support.ts";

type Given<T> = cuda.Out<T | null>;
const box = () => ({ value: 0 });
const given = <T>(): Given<T> => ({ value: null });
const pointer = (address: number) => BigUint64Array.of(BigInt(address));
const COUNT = 32;

/** What a call puts into a box. */
function made(create: (out: cuda.Out<number>) => number): number {
  const out = box();
  ok(create(out));
  return out.value;
}

/** Registers saxpy and a variable, and makes x (all `value`) and y (all 0) of 32 floats. */
function setUp(value = 1) {
  const image = cuda.__cudaRegisterFatBinary(fixtureBytes("kernels.fatbin"));
  cuda.__cudaRegisterFunction(image, "saxpy", "saxpy");
  cuda.__cudaRegisterVar(image, "factors", "factors");
  const [x, y] = [
    made((out) => cuda.cudaMalloc(out, 128)),
    made((out) => cuda.cudaMalloc(out, 128)),
  ];
  ok(cuda.cudaMemcpy(x, new Float32Array(COUNT).fill(value), 128, cuda.cudaMemcpyHostToDevice));
  ok(cuda.cudaMemset(y, 0, 128));
  const launch = (a: number): cuda.CudaKernelNodeParams => ({
    func: "saxpy",
    gridDim: 1,
    blockDim: COUNT,
    kernelParams: [Int32Array.of(COUNT), Float32Array.of(a), pointer(x), pointer(y)],
  });
  return { x, y, launch, graph: made((out) => cuda.cudaGraphCreate(out)) };
}

function floats(address: number, count = COUNT): number[] {
  const data = new Float32Array(count);
  ok(cuda.cudaMemcpy(data, address, 4 * count, cuda.cudaMemcpyDeviceToHost));
  return [...data];
}

function run(exec: number): void {
  ok(cuda.cudaGraphLaunch(exec));
  ok(cuda.cudaDeviceSynchronize());
}

describe("what nodes were given", () => {
  test("kernel nodes: function, shape, arguments and attributes", () =>
    withCuda(() => {
      const { x, graph, launch } = setUp();
      const node = made((out) => cuda.cudaGraphAddKernelNode(out, graph, [], launch(7)));
      const got = given<cuda.CudaKernelNodeParams>();
      ok(cuda.cudaGraphKernelNodeGetParams(node, got));
      assert.equal(got.value?.func, "saxpy");
      assert.deepEqual(got.value?.gridDim, [1, 1, 1]);
      assert.deepEqual(got.value?.blockDim, [COUNT, 1, 1]);
      const [n, a, at] = (got.value?.kernelParams ?? []) as Uint8Array[];
      assert.deepEqual([...(n ?? [])], [COUNT, 0, 0, 0]);
      assert.equal(new Float32Array((a as Uint8Array<ArrayBuffer>).buffer)[0], 7);
      assert.equal(new BigUint64Array((at as Uint8Array<ArrayBuffer>).buffer)[0], BigInt(x));
      // What was read can be given again, to a clone too.
      ok(cuda.cudaGraphKernelNodeSetParams(node, got.value));

      const attribute: cuda.Out<unknown> = { value: undefined };
      const { cudaLaunchAttributeCooperative: cooperative } = cuda;
      ok(cuda.cudaGraphKernelNodeGetAttribute(node, cooperative, attribute));
      assert.equal(attribute.value, 0);
      ok(cuda.cudaGraphKernelNodeSetAttribute(node, cooperative, 1));
      const other = made((out) => cuda.cudaGraphAddKernelNode(out, graph, [], launch(1)));
      ok(cuda.cudaGraphKernelNodeCopyAttributes(other, node));
      ok(cuda.cudaGraphKernelNodeGetAttribute(other, cooperative, attribute));
      assert.equal(attribute.value, 1);
      ok(cuda.cudaGraphKernelNodeGetParams(other, got));
      fails(cuda.cudaGraphKernelNodeGetAttribute(node, 4, attribute), "cudaErrorNotSupported");
      ok(cuda.cudaGraphKernelNodeSetAttribute(node, cuda.cudaLaunchAttributePriority, 3));
    }));

  test("a kernel of a library comes back by its handle", () =>
    withCuda(() => {
      const library = made((out) => cuda.cudaLibraryLoadData(out, fixtureBytes("kernels.fatbin")));
      const kernel = made((out) => cuda.cudaLibraryGetKernel(out, library, "nothing"));
      const graph = made((out) => cuda.cudaGraphCreate(out));
      const params = { func: kernel, gridDim: 3, blockDim: [4, 2], kernelParams: [] };
      const node = made((out) => cuda.cudaGraphAddKernelNode(out, graph, [], params));
      const got = given<cuda.CudaKernelNodeParams>();
      ok(cuda.cudaGraphKernelNodeGetParams(node, got));
      assert.equal(got.value?.func, kernel);
      assert.deepEqual(got.value?.blockDim, [4, 2, 1]);
    }));

  test("copies, sets, functions and events", () =>
    withCuda(() => {
      const { x, y, graph } = setUp();
      const set = { dst: x, pitch: 32, value: 5, elementSize: 4, width: 4, height: 3 };
      const line = { dst: y, pitch: 0, value: 6, elementSize: 2, width: 9, height: 1 };
      const sets = [set, line].map((params) =>
        made((out) => cuda.cudaGraphAddMemsetNode(out, graph, [], params)),
      );
      const got = given<cuda.CudaMemsetParams>();
      ok(cuda.cudaGraphMemsetNodeGetParams(sets[0] ?? 0, got));
      assert.deepEqual(got.value, set);
      ok(cuda.cudaGraphMemsetNodeGetParams(sets[1] ?? 0, got));
      assert.deepEqual(got.value, { ...line, pitch: 18 });

      const inside = cuda.cudaMemcpyDeviceToDevice;
      const straight = made((out) =>
        cuda.cudaGraphAddMemcpyNode1D(out, graph, [], y, x, 64, inside),
      );
      const copy = given<cuda.CudaMemcpy3DParms>();
      ok(cuda.cudaGraphMemcpyNodeGetParams(straight, copy));
      assert.deepEqual([copy.value?.dstPtr?.ptr, copy.value?.srcPtr?.ptr], [y, x]);
      assert.deepEqual(copy.value?.extent, { width: 64, height: 1, depth: 1 });
      const rows = {
        srcPtr: { ptr: x, pitch: 16, xsize: 8, ysize: 4 },
        dstPtr: { ptr: y, pitch: 32, xsize: 8, ysize: 4 },
        extent: { width: 8, height: 4, depth: 1 },
        kind: inside,
      };
      ok(cuda.cudaGraphMemcpyNodeSetParams(straight, rows));
      ok(cuda.cudaGraphMemcpyNodeGetParams(straight, copy));
      assert.deepEqual(copy.value, rows);
      fails(cuda.cudaGraphMemsetNodeGetParams(straight, got), "cudaErrorInvalidValue");

      const fn = () => {};
      const host = made((out) => cuda.cudaGraphAddHostNode(out, graph, [], { fn, userData: 9 }));
      const asked = given<cuda.CudaHostNodeParams>();
      ok(cuda.cudaGraphHostNodeGetParams(host, asked));
      assert.deepEqual(asked.value, { fn, userData: 9 });

      const [first, second] = [made(cuda.cudaEventCreate), made(cuda.cudaEventCreate)];
      const record = made((out) => cuda.cudaGraphAddEventRecordNode(out, graph, [], first));
      const wait = made((out) => cuda.cudaGraphAddEventWaitNode(out, graph, [record], first));
      ok(cuda.cudaGraphEventRecordNodeSetEvent(record, second));
      ok(cuda.cudaGraphEventWaitNodeSetEvent(wait, second));
      assert.equal(
        made((out) => cuda.cudaGraphEventRecordNodeGetEvent(record, out)),
        second,
      );
      assert.equal(
        made((out) => cuda.cudaGraphEventWaitNodeGetEvent(wait, out)),
        second,
      );
    }));
});

describe("nodes are given something else", () => {
  test("variables, and nodes by one structure, in a graph and in an executable one", () =>
    withCuda(() => {
      const { x, y, graph, launch } = setUp(2);
      const inside = cuda.cudaMemcpyDeviceToDevice;
      const { cudaGraphNodeTypeKernel: kernelType } = cuda;
      const kernel = made((out) =>
        cuda.cudaGraphAddNode(out, graph, [], null, { type: kernelType, kernel: launch(1) }),
      );
      const after = [kernel];
      const to = made((out) =>
        cuda.cudaGraphAddMemcpyNodeToSymbol(out, graph, after, "factors", y, 8, 4, inside),
      );
      const result = made((out) => cuda.cudaMalloc(out, 16));
      const from = made((out) =>
        cuda.cudaGraphAddMemcpyNodeFromSymbol(out, graph, [to], result, "factors", 16, 0, inside),
      );
      const exec = made((out) => cuda.cudaGraphInstantiate(out, graph));
      ok(cuda.cudaGraphUpload(exec));
      run(exec);
      assert.deepEqual(floats(result, 4), [1, 2, 2, 4]);

      ok(cuda.cudaGraphExecNodeSetParams(exec, kernel, { type: kernelType, kernel: launch(10) }));
      ok(cuda.cudaGraphExecMemcpyNodeSetParamsToSymbol(exec, to, "factors", y, 4, 12, inside));
      const half = result + 8;
      ok(
        cuda.cudaGraphExecMemcpyNodeSetParamsFromSymbol(exec, from, half, "factors", 8, 8, inside),
      );
      run(exec);
      assert.deepEqual(floats(result, 4), [1, 2, 2, 22]);

      // The graph itself still has what it had.
      ok(cuda.cudaGraphMemcpyNodeSetParamsToSymbol(to, "factors", x, 4, 0, inside));
      ok(cuda.cudaGraphMemcpyNodeSetParamsFromSymbol(from, result, "factors", 4, 0, inside));
      const second = made((out) => cuda.cudaGraphInstantiate(out, graph));
      run(second);
      assert.deepEqual(floats(result, 4), [2, 2, 2, 22]);
      assert.equal(floats(y)[0], 24);

      const empty = { type: cuda.cudaGraphNodeTypeEmpty } as const;
      fails(cuda.cudaGraphNodeSetParams(to, empty), "cudaErrorInvalidValue");
      const wrong = { type: kernelType, kernel: launch(1) } as const;
      fails(cuda.cudaGraphNodeSetParams(to, wrong), "cudaErrorInvalidValue");
      const edge = [{ from_port: 1 }];
      fails(cuda.cudaGraphAddNode(box(), graph, [kernel], edge, empty), "cudaErrorNotSupported");
      ok(cuda.cudaGraphAddNode(box(), graph, [kernel], [{ from_port: 0 }], empty));
    }));

  test("every type by one structure", () =>
    withCuda(() => {
      const { x, y, graph, launch } = setUp();
      const child = made((out) => cuda.cudaGraphCreate(out));
      const event = made(cuda.cudaEventCreate);
      const side = (ptr: number) => ({ ptr, pitch: 128, xsize: 128, ysize: 1 });
      const extent = { width: 128, height: 1, depth: 1 };
      const copyParams = { dstPtr: side(y), srcPtr: side(x), extent, kind: 3 };
      const alloc: cuda.CudaMemAllocNodeParams = {
        poolProps: { allocType: 1, location: { type: 1, id: 0 } },
        bytesize: 512,
      };
      let calls = 0;
      const host = { fn: () => calls++ };
      const memset = { dst: x, pitch: 0, value: 0x40400000, elementSize: 4, width: 32, height: 1 };
      const nodes: cuda.CudaGraphNodeParams[] = [
        { type: cuda.cudaGraphNodeTypeMemset, memset },
        { type: cuda.cudaGraphNodeTypeMemcpy, memcpy: { copyParams } },
        { type: cuda.cudaGraphNodeTypeKernel, kernel: launch(1) },
        { type: cuda.cudaGraphNodeTypeHost, host },
        { type: cuda.cudaGraphNodeTypeGraph, graph: { graph: child } },
        { type: cuda.cudaGraphNodeTypeEmpty },
        { type: cuda.cudaGraphNodeTypeEventRecord, eventRecord: { event } },
        { type: cuda.cudaGraphNodeTypeWaitEvent, eventWait: { event } },
        { type: cuda.cudaGraphNodeTypeMemAlloc, alloc },
      ];
      let before: number[] = [];
      const type = box();
      const add = (params: cuda.CudaGraphNodeParams): void => {
        const node = made((out) => cuda.cudaGraphAddNode(out, graph, before, null, params));
        ok(cuda.cudaGraphNodeGetType(node, type));
        assert.equal(type.value, params.type);
        before = [node];
      };
      for (const params of nodes) add(params);
      assert.ok((alloc.dptr ?? 0) > 0);
      add({ type: cuda.cudaGraphNodeTypeMemFree, free: { dptr: alloc.dptr ?? 0 } });
      run(made((out) => cuda.cudaGraphInstantiate(out, graph)));
      assert.deepEqual(floats(y), new Array(COUNT).fill(6));
      assert.equal(calls, 1);
      ok(cuda.cudaEventQuery(event));
    }));

  test("child graphs, events and copies of an executable graph", () =>
    withCuda(() => {
      const { x, y, launch, graph: inner } = setUp();
      const outer = made((out) => cuda.cudaGraphCreate(out));
      const kernel = made((out) => cuda.cudaGraphAddKernelNode(out, inner, [], launch(1)));
      const child = made((out) => cuda.cudaGraphAddChildGraphNode(out, outer, [], inner));
      const [first, second] = [made(cuda.cudaEventCreate), made(cuda.cudaEventCreate)];
      const record = made((out) => cuda.cudaGraphAddEventRecordNode(out, outer, [child], first));
      const wait = made((out) => cuda.cudaGraphAddEventWaitNode(out, outer, [record], first));
      const inside = cuda.cudaMemcpyDeviceToDevice;
      const copy = made((out) =>
        cuda.cudaGraphAddMemcpyNode1D(out, outer, [wait], x, y, 64, inside),
      );
      const params: cuda.CudaGraphInstantiateParams = {};
      const exec = made((out) => cuda.cudaGraphInstantiateWithParams(out, outer, params));
      assert.deepEqual(params, { errNode_out: 0, result_out: cuda.cudaGraphInstantiateSuccess });
      ok(cuda.cudaGraphKernelNodeSetParams(kernel, launch(100)));
      ok(cuda.cudaGraphExecChildGraphNodeSetParams(exec, child, inner));
      fails(cuda.cudaGraphExecChildGraphNodeSetParams(exec, child, outer), "cudaErrorInvalidValue");
      ok(cuda.cudaGraphExecEventRecordNodeSetEvent(exec, record, second));
      ok(cuda.cudaGraphExecEventWaitNodeSetEvent(exec, wait, second));
      const part = {
        srcPtr: { ptr: y, pitch: 8, xsize: 8, ysize: 1 },
        dstPtr: { ptr: x, pitch: 8, xsize: 8, ysize: 1 },
        extent: { width: 8, height: 1, depth: 1 },
        kind: inside,
      };
      ok(cuda.cudaGraphExecMemcpyNodeSetParams(exec, copy, part));
      run(exec);
      assert.deepEqual(floats(x, 3), [100, 100, 1]);
      const ms = { value: -1 };
      // The first was never recorded.
      fails(cuda.cudaEventElapsedTime(ms, first, second), "cudaErrorInvalidResourceHandle");
      ok(cuda.cudaEventElapsedTime(ms, second, second));
      fails(
        cuda.cudaGraphInstantiateWithParams(box(), outer, { flags: 4 }),
        "cudaErrorNotSupported",
      );
      fails(cuda.cudaGraphInstantiate(box(), outer, 16), "cudaErrorInvalidValue");
    }));
});

describe("user objects", () => {
  test("live as long as a graph, a clone or an executable graph holds them", () =>
    withCuda(() => {
      const ended: unknown[] = [];
      const flag = cuda.cudaUserObjectNoDestructorSync;
      const destroy = (data: unknown) => ended.push([data, cuda.cudaDeviceSynchronize()]);
      const create = (data: unknown, count: number) =>
        made((out) => cuda.cudaUserObjectCreate(out, data, destroy, count, flag));
      const graph = made((out) => cuda.cudaGraphCreate(out));
      const object = create("a", 1);
      const move = cuda.cudaGraphUserObjectMove;
      fails(cuda.cudaGraphRetainUserObject(graph, object, 2, move), "cudaErrorInvalidValue");
      ok(cuda.cudaGraphRetainUserObject(graph, object, 1, move));
      const exec = made((out) => cuda.cudaGraphInstantiate(out, graph));
      const clone = made((out) => cuda.cudaGraphClone(out, graph));
      ok(cuda.cudaGraphDestroy(graph));
      ok(cuda.cudaGraphDestroy(clone));
      assert.deepEqual(ended, []);
      ok(cuda.cudaGraphExecDestroy(exec));
      // Destructors must make no CUDA calls.
      assert.deepEqual(ended, [["a", cuda.cudaErrorNotPermitted]]);
      fails(cuda.cudaUserObjectRelease(object), "cudaErrorInvalidValue");

      const other = create("b", 2);
      const holder = made((out) => cuda.cudaGraphCreate(out));
      ok(cuda.cudaGraphRetainUserObject(holder, other));
      ok(cuda.cudaUserObjectRelease(other, 2));
      assert.equal(ended.length, 1);
      fails(cuda.cudaGraphReleaseUserObject(holder, other, 2), "cudaErrorInvalidValue");
      ok(cuda.cudaGraphReleaseUserObject(holder, other));
      assert.equal(ended.length, 2);
      ok(cuda.cudaGraphDestroy(holder));
      assert.equal(ended.length, 2);
      const bad = cuda.cudaUserObjectCreate(box(), 0, destroy, 1, 0);
      fails(bad, "cudaErrorInvalidValue");
    }));
});
