/** Runs single kernels on an executor of its own, without a device around it. */
import { Reader } from "../../runtime/compiler/wasm/reader.ts";
import {
  type ExecOptions,
  Executor,
  type KernelFault,
  type LaunchRequest,
  type LoadedModule,
  loadArtifacts,
} from "../../runtime/exec/index.ts";
import { GuestMemory, Heap } from "../../runtime/memory/index.ts";

type Bytes = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array | BigUint64Array;
type Shape = number | [number, number, number];
const triple = (s: Shape): [number, number, number] => (typeof s === "number" ? [s, 1, 1] : s);

/** A kernel `k` of module-scope declarations, pointer parameters p0, p1, … and a body. */
export function kernelText(pointers: number, body: string, before = ""): string {
  const params = Array.from({ length: pointers }, (_, k) => `.param .u64 p${k}`).join(", ");
  const loads = Array.from(
    { length: pointers },
    (_, k) => `ld.param.u64 %rd${k}, [p${k}]; cvta.to.global.u64 %rd${k}, %rd${k};`,
  ).join("\n");
  return `.version 8.5
.target sm_90
.address_size 64
${before}
.visible .entry k(${params})
{
.reg .pred %p<8>; .reg .b16 %h<16>; .reg .b32 %r<32>; .reg .b64 %rd<32>; .reg .f32 %f<32>; .reg .b128 %q<4>;
${loads}
mov.u32 %r0, %tid.x;
${body}
ret;
}`;
}

export interface RunOptions {
  grid?: Shape;
  block?: Shape;
  dynamicSharedBytes?: number;
  kernel?: string;
  cooperative?: boolean;
  cluster?: Shape | undefined;
  timeoutMs?: number;
}

/** One executor with its memory. */
export class Bench {
  readonly executor: Executor;
  readonly memory: GuestMemory;
  printed = "";
  /** Offsets between which the host is taken to write while kernels run. */
  hostWrites: { low: number; high: number } | undefined = { low: 0, high: 0 };
  private readonly heap: Heap;

  private constructor(artifacts: Awaited<ReturnType<typeof loadArtifacts>>, options: ExecOptions) {
    this.memory = GuestMemory.create();
    const { deviceMemory } = this.memory.map;
    const ensure = (end: number) => this.memory.ensure(end);
    this.heap = new Heap(deviceMemory.start, deviceMemory.size, 256, ensure);
    const host = {
      memory: this.memory,
      allocDevice: (bytes: number, align: number) => this.heap.alloc(bytes, align),
      freeDevice: (offset: number) => void this.heap.release(offset),
      hostWrites: () => this.hostWrites,
      print: (text: Uint8Array) => {
        this.printed += new TextDecoder().decode(text);
      },
    };
    this.executor = new Executor(host, artifacts, options);
  }

  /**
   * @param width threads of a lane group: 1 is scalar code
   * @param fused false: multiply-adds in software, even where the engine has them
   * @param spills code keeps vectors in memory; undefined: as the engine needs it
   * @param workers that may help with long launches; undefined: one for each other core
   */
  static async create(
    width: 1 | 4 = 4,
    fused = true,
    spills?: boolean,
    workers?: number,
  ): Promise<Bench> {
    const artifacts = await loadArtifacts();
    const fusedMultiplyAdd = fused && artifacts.fusedMultiplyAdd;
    return new Bench(
      {
        ...artifacts,
        fusedMultiplyAdd,
        spills: spills ?? artifacts.spills,
      },
      workers === undefined ? { width } : { width, workers },
    );
  }

  private static readonly known = new Map<string, Promise<Bench>>();

  /** As `create`, but one for all that ask: what they leave in its memory stays there. */
  static shared(width: 1 | 4 = 4, fused = true): Promise<Bench> {
    const key = `${width} ${fused}`;
    const bench = Bench.known.get(key) ?? Bench.create(width, fused);
    Bench.known.set(key, bench);
    return bench;
  }

  /** Device memory with the bytes of `data`: its CUDA pointer. */
  upload(data: Bytes): number {
    const offset = this.heap.alloc(data.byteLength, 256);
    this.memory
      .bytes(offset, data.byteLength)
      .set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return this.memory.pointerOf(offset);
  }

  /** Device memory of zeros. */
  zeros(bytes: number): number {
    return this.upload(new Uint8Array(bytes));
  }

  bytes(pointer: number, length: number): Uint8Array<ArrayBuffer> {
    return this.memory.bytes(pointer - this.memory.base, length).slice() as Uint8Array<ArrayBuffer>;
  }

  words(pointer: number, count: number): number[] {
    return [...new Uint32Array(this.bytes(pointer, 4 * count).buffer)];
  }

  longs(pointer: number, count: number): bigint[] {
    return [...new BigUint64Array(this.bytes(pointer, 8 * count).buffer)];
  }

  floats(pointer: number, count: number): number[] {
    return [...new Float32Array(this.bytes(pointer, 4 * count).buffer)];
  }

  /** Loads, launches and unloads. */
  run(ptx: string, params: (number | bigint)[], options: RunOptions = {}): KernelFault | undefined {
    const module = this.executor.loadModule(ptx);
    try {
      return this.launch(module, params, options);
    } finally {
      module.unload();
    }
  }

  /** Launches a kernel of a loaded module; parameters are integers of 4 or 8 bytes. */
  launch(
    module: LoadedModule,
    params: (number | bigint)[],
    options: RunOptions = {},
  ): KernelFault | undefined {
    const kernel = options.kernel ?? "k";
    const info = module.kernels.get(kernel);
    if (!info) throw new Error(`no kernel ${kernel}`);
    const bytes = new Uint8Array(info.paramBytes);
    const view = new DataView(bytes.buffer);
    info.params.forEach(({ offset, size }, k) => {
      if (size === 8) view.setBigUint64(offset, BigInt(params[k]), true);
      else view.setUint32(offset, Number(params[k]), true);
    });
    const request: LaunchRequest = {
      module,
      kernel,
      grid: triple(options.grid ?? 1),
      block: triple(options.block ?? 1),
      dynamicSharedBytes: options.dynamicSharedBytes ?? 0,
      params: bytes,
      cooperative: options.cooperative ?? false,
      cluster: options.cluster === undefined ? undefined : triple(options.cluster),
      timeoutMs: options.timeoutMs ?? 10_000,
    };
    return this.executor.launch(request);
  }
}

/** Both ways of execution: lane groups, and one thread at a time. */
export const WIDTHS = [4, 1] as const;

const CODE_SECTION = 10;

/** The bodies of a module's functions, from their locals on. */
export function bodiesOf(wasm: Uint8Array): Uint8Array[] {
  const r = new Reader(wasm, 8);
  while (r.pos < wasm.length) {
    const id = r.u8();
    const size = r.u32();
    if (id !== CODE_SECTION) {
      r.pos += size;
      continue;
    }
    return Array.from({ length: r.u32() }, () => {
      const length = r.u32();
      r.pos += length;
      return wasm.subarray(r.pos - length, r.pos);
    });
  }
  throw new Error("no code");
}
