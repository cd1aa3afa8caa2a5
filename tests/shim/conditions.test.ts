import assert from "node:assert/strict";
import * as cuda from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureText, ok, withCuda } from "./support.ts";

const box = () => ({ value: 0 });
const address = (pointer: number) => BigUint64Array.of(BigInt(pointer));

function made(create: (out: cuda.Out<number>) => number): number {
  const out = box();
  ok(create(out));
  return out.value;
}

/** Three ints (a value, what bodies put, rounds), and nodes that work on them. */
class Fixture {
  readonly memory = made((out) => cuda.cudaMalloc(out, 12));
  readonly graph = made((out) => cuda.cudaGraphCreate(out));
  readonly #library = made((out) => cuda.cudaLibraryLoadData(out, fixtureText("conditions.ptx")));

  condition(value = 0, flags = 0): number {
    return made((out) => cuda.cudaGraphConditionalHandleCreate(out, this.graph, value, flags));
  }

  kernel(name: string, args: ArrayBufferView[]): cuda.CudaKernelNodeParams {
    const func = made((out) => cuda.cudaLibraryGetKernel(out, this.#library, name));
    return { func, gridDim: 1, blockDim: 1, kernelParams: args };
  }
  put(graph: number, after: number[], digit: number): number {
    const params = this.kernel("put", [address(this.memory + 4), Int32Array.of(digit)]);
    return made((out) => cuda.cudaGraphAddKernelNode(out, graph, after, params));
  }
  chooses(graph: number, handle: number): number {
    const params = this.kernel("choose", [address(this.memory), address(handle)]);
    return made((out) => cuda.cudaGraphAddKernelNode(out, graph, [], params));
  }
  countsDown(graph: number, handle: number): number {
    const { memory } = this;
    const args = [address(memory), address(memory + 8), address(handle)];
    const params = this.kernel("countDown", args);
    return made((out) => cuda.cudaGraphAddKernelNode(out, graph, [], params));
  }

  /** A conditional node: its handle and its bodies. */
  add(handle: number, kind: number, size = 1, after: number[] = []) {
    const conditional: cuda.CudaConditionalNodeParams = { handle, type: kind, size };
    const params = { type: cuda.cudaGraphNodeTypeConditional, conditional } as const;
    const node = made((out) => cuda.cudaGraphAddNode(out, this.graph, after, null, params));
    return { node, bodies: conditional.phGraph_out ?? [] };
  }

  run(exec: number, value: number): number[] {
    const host = Int32Array.of(value, 0, 0);
    ok(cuda.cudaMemcpy(this.memory, host, 12, cuda.cudaMemcpyHostToDevice));
    ok(cuda.cudaGraphLaunch(exec));
    ok(cuda.cudaMemcpy(host, this.memory, 12, cuda.cudaMemcpyDeviceToHost));
    return [...host];
  }
}

describe("conditional nodes", () => {
  test("if and else, switch, and what comes after", () =>
    withCuda(() => {
      const fx = new Fixture();
      const handle = fx.condition();
      const kinds = [cuda.cudaGraphCondTypeIf, cuda.cudaGraphCondTypeSwitch];
      const [choice, many] = kinds.map((kind, i) => fx.add(handle, kind, 2 + i));
      assert.ok(choice && many);
      const chosen = fx.chooses(fx.graph, handle);
      ok(cuda.cudaGraphAddDependencies(fx.graph, [chosen], [choice.node]));
      ok(cuda.cudaGraphAddDependencies(fx.graph, [choice.node], [many.node]));
      for (const [i, body] of [...choice.bodies, ...many.bodies].entries()) fx.put(body, [], i + 1);
      fx.put(fx.graph, [many.node], 9);
      const type = made((out) => cuda.cudaGraphNodeGetType(many.node, out));
      assert.equal(type, cuda.cudaGraphNodeTypeConditional);
      const exec = made((out) => cuda.cudaGraphInstantiate(out, fx.graph));
      const put = (value: number) => fx.run(exec, value)[1];
      assert.deepEqual([0, 1, 2, 3].map(put), [239, 149, 159, 19]);
    }));

  test("while, from the value that a launch begins with; updated from another graph", () =>
    withCuda(() => {
      const fx = new Fixture();
      const handle = fx.condition(1, cuda.cudaGraphCondAssignDefault);
      const [body = 0] = fx.add(handle, cuda.cudaGraphCondTypeWhile).bodies;
      const counted = fx.countsDown(body, handle);
      fx.put(body, [counted], 1);
      const exec = made((out) => cuda.cudaGraphInstantiate(out, fx.graph));
      assert.deepEqual(fx.run(exec, 3), [0, 111, 3]);
      assert.deepEqual(fx.run(exec, 0), [-1, 1, 1]);

      const other = new Fixture();
      const [again, unused] = [other.condition(1, 1), other.condition()];
      const [inside = 0] = other.add(again, cuda.cudaGraphCondTypeWhile).bodies;
      other.put(inside, [other.countsDown(inside, again)], 2);
      const info: cuda.Out<cuda.CudaGraphExecUpdateResultInfo | null> = { value: null };
      ok(cuda.cudaGraphExecUpdate(exec, other.graph, info));
      assert.deepEqual(other.run(exec, 4), [0, 2222, 4]);
      ok(cuda.cudaGraphDestroy(other.graph));
      const third = new Fixture();
      const [only = 0] = third.add(third.condition(), cuda.cudaGraphCondTypeIf).bodies;
      third.put(only, [third.put(only, [], 1)], 2);
      const failed = cuda.cudaGraphExecUpdate(exec, third.graph, info);
      fails(failed, "cudaErrorGraphExecUpdateFailure");
      assert.equal(info.value?.result, cuda.cudaGraphExecUpdateErrorParametersChanged);
      // Ended with its graph.
      const params = { handle: unused, type: cuda.cudaGraphCondTypeIf, size: 1 };
      const late = { type: cuda.cudaGraphNodeTypeConditional, conditional: params } as const;
      fails(cuda.cudaGraphAddNode(box(), fx.graph, [], null, late), "cudaErrorInvalidValue");
    }));

  test("captured into a body, and into a stream's graph", () =>
    withCuda(() => {
      const fx = new Fixture();
      const stream = made(cuda.cudaStreamCreate);
      const global = cuda.cudaStreamCaptureModeGlobal;
      const put = fx.kernel("put", []).func;
      const launch = (digit: number) =>
        ok(
          cuda.cudaLaunchKernel(
            put,
            1,
            1,
            [address(fx.memory + 4), Int32Array.of(digit)],
            0,
            stream,
          ),
        );
      ok(cuda.cudaStreamBeginCaptureToGraph(stream, fx.graph, null, null, global));
      launch(1);
      const { node, bodies } = fx.add(fx.condition(1, 1), cuda.cudaGraphCondTypeIf);
      const set = cuda.cudaStreamSetCaptureDependencies;
      ok(cuda.cudaStreamUpdateCaptureDependencies(stream, [node], null, set));
      launch(3);
      // The first node is not among what the last one comes after.
      fails(cuda.cudaStreamEndCapture(stream, null), "cudaErrorStreamCaptureUnjoined");
      const nodes: cuda.Out<number[]> = { value: [] };
      ok(cuda.cudaGraphGetNodes(fx.graph, nodes));
      assert.equal(nodes.value.length, 3);
      const [first = 0] = nodes.value;
      ok(cuda.cudaGraphAddDependencies(fx.graph, [first], [node]));

      const [body = 0] = bodies;
      ok(cuda.cudaStreamBeginCaptureToGraph(stream, body, [], [], global));
      launch(2);
      const ended = made((out) => cuda.cudaStreamEndCapture(stream, out));
      assert.equal(ended, body);
      const exec = made((out) => cuda.cudaGraphInstantiate(out, fx.graph));
      assert.equal(fx.run(exec, 0)[1], 123);

      const invalid = "cudaErrorInvalidValue";
      fails(cuda.cudaStreamBeginCaptureToGraph(stream, 0, null, null, global), invalid);
      fails(cuda.cudaStreamBeginCaptureToGraph(stream, body, [first], null, global), invalid);
      const port = [{ from_port: 1 }];
      const refused = cuda.cudaStreamBeginCaptureToGraph(stream, body, [], port, global);
      fails(refused, "cudaErrorNotSupported");
      fails(cuda.cudaStreamUpdateCaptureDependencies(stream, [node]), "cudaErrorIllegalState");
      ok(cuda.cudaStreamBeginCapture(stream, global));
      fails(cuda.cudaStreamUpdateCaptureDependencies(stream, [node]), invalid);
      fails(cuda.cudaStreamEndCapture(stream, null), invalid);
      ok(cuda.cudaStreamEndCapture(stream, box()));
    }));

  test("a loop that never ends is stopped like a kernel that never ends", () =>
    withCuda(
      () => {
        const fx = new Fixture();
        const handle = fx.condition(1, 1);
        fx.put(fx.add(handle, cuda.cudaGraphCondTypeWhile).bodies[0] ?? 0, [], 1);
        const exec = made((out) => cuda.cudaGraphInstantiate(out, fx.graph));
        ok(cuda.cudaGraphLaunch(exec));
        fails(cuda.cudaDeviceSynchronize(), "cudaErrorLaunchTimeout");
        ok(cuda.cudaDeviceReset());
        ok(cuda.cudaMalloc(box(), 16));
      },
      { timeoutMs: 100 },
    ));

  test("a kernel that faults in a body ends the loop", () =>
    withCuda(() => {
      const fx = new Fixture();
      const [body = 0] = fx.add(fx.condition(1, 1), cuda.cudaGraphCondTypeWhile).bodies;
      const params = fx.kernel("put", [address(0), Int32Array.of(1)]);
      ok(cuda.cudaGraphAddKernelNode(box(), body, [], params));
      const exec = made((out) => cuda.cudaGraphInstantiate(out, fx.graph));
      ok(cuda.cudaGraphLaunch(exec));
      fails(cuda.cudaDeviceSynchronize(), "cudaErrorIllegalAddress");
    }));

  test("what is refused", () =>
    withCuda(() => {
      const fx = new Fixture();
      const handle = fx.condition();
      const add = (conditional: cuda.CudaConditionalNodeParams, graph = fx.graph) => {
        const params = { type: cuda.cudaGraphNodeTypeConditional, conditional } as const;
        return cuda.cudaGraphAddNode(box(), graph, [], null, params);
      };
      const [loop, choice] = [cuda.cudaGraphCondTypeWhile, cuda.cudaGraphCondTypeIf];
      const other = made((out) => cuda.cudaGraphCreate(out));
      const bad: [cuda.CudaConditionalNodeParams, number?][] = [
        [{ handle, type: loop, size: 2 }],
        [{ handle, type: choice, size: 3 }],
        [{ handle, type: choice, size: 0 }],
        [{ handle, type: 3, size: 1 }],
        [{ handle, type: cuda.cudaGraphCondTypeSwitch, size: 2 ** 31 }],
        [{ handle: 0, type: loop, size: 1 }],
        [{ handle: fx.graph, type: loop, size: 1 }],
        [{ handle, type: loop, size: 1 }, other],
      ];
      for (const [params, graph] of bad) fails(add(params, graph), "cudaErrorInvalidValue");
      const { node, bodies } = fx.add(handle, choice);
      const again = { handle, type: choice, size: 1 };
      const params = { type: cuda.cudaGraphNodeTypeConditional, conditional: again } as const;
      fails(cuda.cudaGraphNodeSetParams(node, params), "cudaErrorInvalidValue");
      fails(cuda.cudaGraphClone(box(), fx.graph), "cudaErrorNotSupported");
      const inside = cuda.cudaGraphAddChildGraphNode(box(), other, [], fx.graph);
      fails(inside, "cudaErrorNotSupported");
      const event = made(cuda.cudaEventCreate);
      const record = made((out) =>
        cuda.cudaGraphAddEventRecordNode(out, bodies[0] ?? 0, [], event),
      );
      fails(cuda.cudaGraphInstantiate(box(), fx.graph), "cudaErrorNotSupported");
      ok(cuda.cudaGraphDestroyNode(record));
      const [a, b] = [fx.put(bodies[0] ?? 0, [], 1), fx.put(bodies[0] ?? 0, [], 1)];
      ok(cuda.cudaGraphAddDependencies(bodies[0] ?? 0, [a, b], [b, a]));
      fails(cuda.cudaGraphInstantiate(box(), fx.graph), "cudaErrorInvalidValue");
      ok(cuda.cudaGraphDestroyNode(b));
      const exec = made((out) => cuda.cudaGraphInstantiate(out, fx.graph));
      const stream = made(cuda.cudaStreamCreate);
      ok(cuda.cudaStreamBeginCapture(stream, cuda.cudaStreamCaptureModeRelaxed));
      fails(cuda.cudaGraphLaunch(exec, stream), "cudaErrorNotSupported");
    }));
});
