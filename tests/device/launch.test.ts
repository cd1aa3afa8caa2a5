import assert from "node:assert/strict";
import * as P from "../../runtime/protocol/index.ts";
import { describe, test } from "../harness.ts";
import { Bench } from "./bench.ts";
import { fault } from "./fake-executor.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("modules and functions", () => {
  test("a function's layout and attributes come with its handle", () => {
    const bench = new Bench();
    const module = bench.load(
      "// kernel first 12 shared=1000 maxthreads=256 regs=40\n// kernel b 0",
    );
    assert.equal(bench.get32(P.MODULE_LOAD_FUNCTIONS), 2);
    const into = new Uint8Array(100);
    assert.equal(bench.getFunction(module, "first", into), 0);
    assert.equal(bench.get32(P.FUNCTION_GET_PARAMETER_BYTES), 12);
    assert.equal(bench.get32(P.FUNCTION_GET_PARAMETER_COUNT), 3);
    assert.equal(bench.get32(P.FUNCTION_GET_SHARED_BYTES), 1000);
    assert.equal(bench.get32(P.FUNCTION_GET_MAX_THREADS), 256);
    assert.equal(bench.get32(P.FUNCTION_GET_REGISTERS), 40);
    assert.equal(bench.get32(P.FUNCTION_GET_MAX_DYNAMIC_SHARED), 48 * 1024 - 1000);
    assert.equal(bench.get32(P.FUNCTION_GET_PTX_VERSION), 80);
    assert.equal(bench.get32(P.FUNCTION_GET_BINARY_VERSION), 90);
    const table = new DataView(into.buffer);
    assert.equal(table.getUint32(2 * P.PARAMETER_SIZE + P.PARAMETER_OFFSET, true), 8);
    assert.equal(table.getUint32(2 * P.PARAMETER_SIZE + P.PARAMETER_BYTES, true), 4);
    assert.equal(text(into.subarray(24, 24 + bench.get32(P.FUNCTION_GET_NAME_BYTES))), "first");
    const handle = bench.get32(P.FUNCTION_GET_FUNCTION);
    assert.equal(bench.fn(module, "first"), handle, "the same function has one handle");
  });

  test("functions can be listed by index", () => {
    const bench = new Bench();
    const module = bench.load("// kernel first 0\n// kernel second 0");
    const into = new Uint8Array(100);
    const at = (index: number): number =>
      bench.call(
        P.COMMAND_FUNCTION_GET,
        { [P.FUNCTION_GET_MODULE]: module, [P.FUNCTION_GET_INDEX]: index },
        {},
        undefined,
        into,
      );
    assert.equal(at(1), 0);
    assert.equal(text(into.subarray(0, bench.get32(P.FUNCTION_GET_NAME_BYTES))), "second");
    assert.equal(at(2), P.cudaErrorSymbolNotFound);
  });

  test("unknown names, modules and images are refused, with a log for images", () => {
    const bench = new Bench();
    const module = bench.load("// kernel k 0");
    assert.equal(bench.getFunction(module, "nope"), P.cudaErrorSymbolNotFound);
    assert.equal(bench.getFunction(module + 1000, "k"), P.cudaErrorInvalidResourceHandle);
    const load = (image: Uint8Array, into: Uint8Array): number =>
      bench.call(P.COMMAND_MODULE_LOAD, { [P.MODULE_LOAD_BYTES]: image.length }, {}, image, into);
    const log = new Uint8Array(200);
    const bad = new TextEncoder().encode(".version 8.0\nsyntax error");
    assert.equal(load(bad, log), P.cudaErrorInvalidPtx);
    const length = bench.get32(P.MODULE_LOAD_LOG_LENGTH);
    assert.match(text(log.subarray(0, length)), /line 2, column 7/);
    assert.equal(load(new Uint8Array([1, 2, 3, 4]), log), P.cudaErrorInvalidKernelImage);
    assert.ok(bench.get32(P.MODULE_LOAD_LOG_LENGTH) > 0);
    assert.equal(load(new Uint8Array(0), log), P.cudaErrorInvalidKernelImage);
    assert.equal(bench.sync(), 0);
  });

  test("an image longer than a request slot arrives whole", () => {
    const bench = new Bench();
    const lines = Array.from({ length: 20_000 }, (_, i) => `// padding ${i}`).join("\n");
    const module = bench.load(`${lines}\n// kernel last 4`);
    assert.equal(bench.getFunction(module, "last"), 0);
  });

  test("symbols are found by name, copied to, and go with their module", () => {
    const bench = new Bench();
    bench.call(P.COMMAND_MEMORY_INFO);
    const before = bench.get64(P.MEMORY_INFO_FREE);
    const module = bench.load("// symbol table 1024");
    const name = new TextEncoder().encode("table");
    const fields = { [P.SYMBOL_GET_MODULE]: module, [P.SYMBOL_GET_NAME_LENGTH]: name.length };
    assert.equal(bench.call(P.COMMAND_SYMBOL_GET, fields, {}, name), 0);
    const address = bench.get64(P.SYMBOL_GET_ADDRESS);
    assert.equal(bench.get64(P.SYMBOL_GET_BYTES), 1024);
    const data = new Uint8Array(1024).fill(9);
    assert.equal(bench.copyIn(address, data), 0);
    assert.equal(bench.copyIn(address + 1, data), P.cudaErrorInvalidValue);
    assert.equal(bench.free(address), P.cudaErrorInvalidValue, "not the guest's to free");
    const unload = { [P.MODULE_UNLOAD_MODULE]: module };
    assert.equal(bench.call(P.COMMAND_MODULE_UNLOAD, unload), 0);
    assert.equal(bench.call(P.COMMAND_MODULE_UNLOAD, unload), P.cudaErrorInvalidResourceHandle);
    bench.call(P.COMMAND_MEMORY_INFO);
    assert.equal(bench.get64(P.MEMORY_INFO_FREE), before);
    assert.equal(bench.executor.loaded, 0);
  });
});

describe("launches", () => {
  test("grid, block and parameters reach the executor", () => {
    const bench = new Bench();
    const fn = bench.fn(bench.load("// kernel k 12"), "k");
    const params = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const shape = [7, 5, 3, 32, 4, 2];
    const extra = Object.fromEntries(shape.map((n, i) => [P.LAUNCH_GRID_X + 4 * i, n]));
    assert.equal(bench.launch(fn, params, extra), 0);
    const [seen] = bench.executor.launches;
    assert.deepEqual(seen, { kernel: "k", grid: [7, 5, 3], block: [32, 4, 2], params });
  });

  test("parameters larger than a slot arrive whole", () => {
    const bench = new Bench();
    const fn = bench.fn(bench.load(`// kernel k ${P.MAX_PARAMETER_BYTES}`), "k");
    const params = new Uint8Array(P.MAX_PARAMETER_BYTES).map((_, i) => i * 7);
    assert.equal(bench.launch(fn, params), 0);
    assert.deepEqual(bench.executor.launches[0]!.params, params);
  });

  test("shapes over the limits are refused as CUDA refuses them", () => {
    const bench = new Bench();
    const module = bench.load(
      "// kernel k 0\n// kernel small 0 maxthreads=64\n// kernel s 0 shared=40000",
    );
    const fn = bench.fn(module, "k");
    const none = new Uint8Array(0);
    const at = (index: number, value: number, handle = fn): number =>
      bench.launch(handle, none, { [P.LAUNCH_GRID_X + 4 * index]: value });
    const bad = P.cudaErrorInvalidConfiguration;
    for (let i = 0; i < 6; i++) assert.equal(at(i, 0), bad);
    assert.equal(at(0, 0x80000000), bad);
    assert.equal(at(1, 65536), bad);
    assert.equal(at(2, 65536), bad);
    assert.equal(at(3, 1025), bad);
    assert.equal(at(5, 65), bad);
    const square = { [P.LAUNCH_BLOCK_X]: 64, [P.LAUNCH_BLOCK_Y]: 32 };
    assert.equal(bench.launch(fn, none, square), bad);
    const small = bench.fn(module, "small");
    assert.equal(at(3, 65, small), P.cudaErrorLaunchOutOfResources);
    assert.equal(at(3, 64, small), 0);
    const shared = bench.fn(module, "s");
    const most = 48 * 1024 - 40000;
    assert.equal(bench.launch(shared, none, { [P.LAUNCH_SHARED_BYTES]: most }), 0);
    const over = { [P.LAUNCH_SHARED_BYTES]: most + 1 };
    assert.equal(bench.launch(shared, none, over), P.cudaErrorInvalidValue);
    assert.equal(bench.launch(fn, new Uint8Array(4)), P.cudaErrorInvalidValue);
    assert.equal(bench.launch(12345, none), P.cudaErrorInvalidResourceHandle);
    assert.equal(bench.executor.launches.length, 2);
  });

  test("a cooperative grid must fit the device", () => {
    const bench = new Bench({ multiprocessors: 2 });
    const fn = bench.fn(bench.load("// kernel k 0 regs=32"), "k");
    const launch = (blocks: number): number =>
      bench.launch(fn, new Uint8Array(0), {
        [P.LAUNCH_GRID_X]: blocks,
        [P.LAUNCH_BLOCK_X]: 1024,
        [P.LAUNCH_FLAGS]: P.LAUNCH_COOPERATIVE,
      });
    assert.equal(launch(4), 0);
    assert.equal(launch(5), P.cudaErrorCooperativeLaunchTooLarge);
  });

  test("a fault sticks to the context until it is reset, and has its story", () => {
    const bench = new Bench();
    const fn = bench.fn(bench.load("// kernel k 0"), "k");
    bench.executor.bodies.set("k", () => fault(P.cudaErrorIllegalAddress, "k: illegal address"));
    const none = new Uint8Array(0);
    assert.equal(bench.launch(fn, none), 0, "asynchronous: not the launch's own error");
    assert.equal(bench.sync(), P.cudaErrorIllegalAddress);
    assert.equal(bench.launch(fn, none), P.cudaErrorIllegalAddress);
    assert.equal(bench.call(P.COMMAND_MEMORY_ALLOC), P.cudaErrorIllegalAddress);
    assert.deepEqual(bench.faults, [[P.cudaErrorIllegalAddress, "k: illegal address"]]);
    const into = new Uint8Array(100);
    assert.equal(bench.call(P.COMMAND_FAULT_INFO, {}, {}, undefined, into), 0);
    assert.equal(bench.get32(P.FAULT_INFO_CODE), P.cudaErrorIllegalAddress);
    assert.equal(bench.get32(P.FAULT_INFO_LINE), 7);
    assert.equal(bench.get64(P.FAULT_INFO_ADDRESS), 0x1234);
    assert.equal(bench.get32(P.FAULT_INFO_BLOCK + 4), 2);
    assert.equal(bench.get32(P.FAULT_INFO_THREAD + 8), 6);
    const length = bench.get32(P.FAULT_INFO_TEXT_LENGTH);
    assert.equal(text(into.subarray(0, length)), "k: illegal address");
    assert.equal(bench.executor.launches.length, 1);
    assert.equal(bench.call(P.COMMAND_CONTEXT_RESET), 0);
    assert.equal(bench.sync(), 0);
    assert.equal(bench.launch(fn, none), P.cudaErrorInvalidResourceHandle, "the module is gone");
    assert.equal(bench.free(bench.alloc(100)), 0);
  });

  test("an executor that throws is this launch's fault and not the device's end", () => {
    const bench = new Bench();
    const fn = bench.fn(bench.load("// kernel k 0"), "k");
    bench.executor.bodies.set("k", () => {
      throw new RangeError("out of table room");
    });
    bench.launch(fn, new Uint8Array(0));
    assert.equal(bench.sync(), P.cudaErrorLaunchFailure);
    assert.match(bench.faults[0]![1], /k: out of table room/);
    assert.equal(bench.call(P.COMMAND_CONTEXT_RESET), 0);
    assert.equal(bench.free(bench.alloc(100)), 0);
  });

  test("printed text comes at synchronisation, in order, whatever its length", () => {
    const bench = new Bench();
    const fn = bench.fn(bench.load("// kernel k 4"), "k");
    let number = 0;
    bench.executor.bodies.set("k", (_request, host) => {
      host.print(new TextEncoder().encode(`${number}:${"x".repeat(number * 1000)};`));
      number++;
      return undefined;
    });
    let want = "";
    for (let i = 0; i < 100; i++) {
      assert.equal(bench.launch(fn, new Uint8Array(4)), 0);
      want += `${i}:${"x".repeat(i * 1000)};`;
    }
    assert.equal(bench.sync(), 0);
    assert.equal(bench.stdout.join(""), want);
    bench.stdout.length = 0;
    bench.launch(fn, new Uint8Array(4));
    assert.equal(bench.stdout.length, 0, "not before a synchronisation point");
    const pointer = bench.alloc(4);
    bench.copyOut(new Uint8Array(4), pointer);
    assert.equal(bench.stdout.join("").length, 5 + 100_000);
  });

  test("a reset of the context says first what was printed before it", () => {
    const bench = new Bench();
    const fn = bench.fn(bench.load("// kernel k 0"), "k");
    bench.executor.bodies.set("k", (_request, host) => {
      host.print(new TextEncoder().encode("last words"));
      return undefined;
    });
    bench.launch(fn, new Uint8Array(0));
    assert.equal(bench.call(P.COMMAND_CONTEXT_RESET), 0);
    assert.deepEqual(bench.stdout, ["last words"]);
  });

  test("an assertion's message goes to stderr", () => {
    const bench = new Bench();
    const fn = bench.fn(bench.load("// kernel k 0"), "k");
    bench.executor.bodies.set("k", () =>
      fault(P.cudaErrorAssert, "a.cu:7: k: Assertion `x` failed."),
    );
    bench.launch(fn, new Uint8Array(0));
    assert.equal(bench.sync(), P.cudaErrorAssert);
    assert.deepEqual(bench.stderr, ["a.cu:7: k: Assertion `x` failed.\n"]);
  });
});
