/**
 * A small executor for the device's tests: its "PTX" is a list of kernels, one a line, and each
 * kernel does one plain thing, so that tests see what reached it.
 *
 *   .version 8.0
 *   // kernel NAME PARAMETER_BYTES [shared=N] [maxthreads=N] [regs=N]
 *   // symbol NAME BYTES
 */
import type {
  ExecHost,
  Executor,
  KernelFault,
  KernelInfo,
  LaunchRequest,
  LoadedModule,
  SymbolInfo,
} from "../../runtime/exec/index.ts";

/** What a test wants a kernel to do; a fault if it returns one. */
export type KernelBody = (request: LaunchRequest, host: ExecHost) => KernelFault | undefined;

/** The executor and what it saw. */
export class FakeExecutor {
  readonly host: ExecHost;
  readonly bodies = new Map<string, KernelBody>();
  /** Copies of all launches so far. */
  readonly launches: { kernel: string; grid: number[]; block: number[]; params: Uint8Array }[] = [];
  loaded = 0;

  constructor(host: ExecHost) {
    this.host = host;
  }

  /** The same object by the type that the device wants. */
  get executor(): Executor {
    return this as unknown as Executor;
  }

  loadModule(ptx: string): LoadedModule {
    if (ptx.includes("syntax error")) {
      throw Object.assign(new Error("line 2, column 7: expected a directive"), { code: 218 });
    }
    const kernels = new Map<string, KernelInfo>();
    const symbols = new Map<string, SymbolInfo>();
    const blocks: number[] = [];
    for (const line of ptx.split("\n")) {
      const kernel = /^\/\/ kernel (\S+) (\d+)(.*)$/.exec(line);
      if (kernel) kernels.set(kernel[1]!, info(kernel[1]!, Number(kernel[2]), kernel[3]!));
      const symbol = /^\/\/ symbol (\S+) (\d+)$/.exec(line);
      if (symbol) {
        const size = Number(symbol[2]);
        const offset = this.host.allocDevice(size, 256);
        blocks.push(offset);
        const address = this.host.memory.pointerOf(offset);
        symbols.set(symbol[1]!, { name: symbol[1]!, address, size, space: "global" });
      }
    }
    this.loaded++;
    const unload = (): void => {
      this.loaded--;
      for (const offset of blocks.splice(0)) this.host.freeDevice(offset);
    };
    return { kernels, symbols, unload } as LoadedModule;
  }

  launch(request: LaunchRequest): KernelFault | undefined {
    const { kernel, params } = request;
    const grid = [...request.grid];
    const block = [...request.block];
    this.launches.push({ kernel, grid, block, params: params.slice() });
    return this.bodies.get(kernel)?.(request, this.host);
  }

  dispose(): void {}
}

function info(name: string, paramBytes: number, rest: string): KernelInfo {
  const option = (key: string, other: number): number =>
    Number(new RegExp(`${key}=(\\d+)`).exec(rest)?.[1] ?? other);
  const params = [];
  for (let at = 0; at + 4 <= paramBytes; at += 4) params.push({ offset: at, size: 4, align: 4 });
  return {
    name,
    params,
    paramBytes,
    sharedBytes: option("shared", 0),
    localBytes: 0,
    constBytes: 0,
    numRegs: option("regs", 32),
    maxThreadsPerBlock: option("maxthreads", 1024),
    ptxVersion: 80,
    usesGridSync: false,
  };
}

/** A fault as an executor would report it. */
export function fault(code: number, message: string): KernelFault {
  return {
    code,
    kind: "illegal address",
    kernel: "k",
    block: [1, 2, 3],
    thread: [4, 5, 6],
    address: 0x1234,
    line: 7,
    file: "k.cu",
    message,
  };
}

/** Makes machines use it (MachineOptions.executor); kernel "spin" waits for word 0 of its memory. */
export async function executorFactory(): Promise<(host: ExecHost) => Executor> {
  return (host) => {
    const fake = new FakeExecutor(host);
    // store(pointer u64, value u32): what a kernel of one thread would do.
    fake.bodies.set("store", ({ params }) => {
      const view = new DataView(params.buffer, params.byteOffset, params.byteLength);
      const at = view.getUint32(0, true);
      host.memory.u32[at >>> 2] = view.getUint32(8, true);
      return undefined;
    });
    // spin(pointer u64): until the word there is not 0.
    fake.bodies.set("spin", ({ params }) => {
      const at = new DataView(params.buffer, params.byteOffset).getUint32(0, true);
      while (Atomics.load(host.memory.u32, at >>> 2) === 0);
      return undefined;
    });
    fake.bodies.set("hello", () => {
      host.print(new TextEncoder().encode("hello from the device\n"));
      return undefined;
    });
    return fake.executor;
  };
}
