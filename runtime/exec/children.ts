import type { GuestMemory } from "../memory/index.ts";
import type { Module } from "./module.ts";
import type { ExecHost, KernelFault, LaunchRequest } from "./types.ts";

/** cudaStreamTailLaunch: after the grid and all its other children. */
const TAIL_LAUNCH = 3n;
/** Children of one grid that can be pending, and their parameter buffers. */
const MAX_PENDING = 65536;

const SUCCESS = 0;
const INVALID_VALUE = 1;
const INVALID_CONFIGURATION = 9;
const PENDING_COUNT_EXCEEDED = 69;
const INVALID_DEVICE_FUNCTION = 98;

type Dim = [number, number, number];

/** A launch that a kernel has prepared with a parameter buffer. */
interface Prepared {
  kernel: string;
  grid: Dim;
  block: Dim;
  dynamicSharedBytes: number;
  bytes: number;
}

/**
 * Launches by kernels (CUDA dynamic parallelism as CUDA 12 and later have it, where a grid cannot
 * wait for its children): collected while a grid runs and run, in order, when it is done. Streams and
 * events order nothing more than that.
 */
export class ChildLaunches {
  /** The functions of the device runtime that kernels import. */
  readonly imports: Record<string, (...args: never[]) => unknown>;
  private readonly host: ExecHost;
  private readonly memory: GuestMemory;
  private module: Module | undefined;
  private readonly prepared = new Map<number, Prepared>();
  private ordinary: number[] = [];
  private tail: number[] = [];
  private lastError = SUCCESS;
  private nextHandle = 0n;

  constructor(host: ExecHost) {
    this.host = host;
    this.memory = host.memory;
    const fail = (code: number) => {
      if (code !== SUCCESS) this.lastError = code;
      return code;
    };
    const handle = (_context: number, _thread: number, out: bigint) => fail(this.create(out));
    const nothing = () => SUCCESS;
    this.imports = {
      __cudaCDP2GetParameterBufferV2: (
        _context: number,
        _thread: number,
        kernel: bigint,
        ...rest: number[]
      ) => this.prepare(kernel, rest),
      __cudaCDP2LaunchDeviceV2: (_c: number, _t: number, buffer: bigint, stream: bigint) =>
        fail(this.launch(buffer, stream)),
      __cudaCDP2GetLastError: () => {
        const code = this.lastError;
        this.lastError = SUCCESS;
        return code;
      },
      __cudaCDP2PeekAtLastError: () => this.lastError,
      __cudaCDP2StreamCreateWithFlags: handle,
      __cudaCDP2EventCreateWithFlags: handle,
      __cudaCDP2StreamDestroy: nothing,
      __cudaCDP2StreamWaitEvent: nothing,
      __cudaCDP2EventRecord: nothing,
      __cudaCDP2EventRecordWithFlags: nothing,
      __cudaCDP2EventDestroy: nothing,
      __cudaCDP2GetDevice: (_c: number, _t: number, out: bigint) => fail(this.write32(out, 0)),
      __cudaCDP2GetDeviceCount: (_c: number, _t: number, out: bigint) => fail(this.write32(out, 1)),
    } as Record<string, (...args: never[]) => unknown>;
  }

  /** Sets the module whose kernel runs next. */
  begin(module: Module): void {
    this.module = module;
  }

  /** Whether the grid that has run launched others, or prepared to. */
  get pending(): boolean {
    return this.prepared.size > 0;
  }

  private offset(pointer: bigint, bytes: number): number {
    const offset = Number(pointer) - this.memory.base;
    return offset >= 65536 && offset + bytes <= this.memory.byteLength ? offset : -1;
  }

  private write32(pointer: bigint, value: number): number {
    const at = this.offset(pointer, 4);
    if (at < 0) return INVALID_VALUE;
    this.memory.view.setUint32(at, value, true);
    return SUCCESS;
  }

  /** A stream or an event: only a name, since everything runs in order. */
  private create(pointer: bigint): number {
    const at = this.offset(pointer, 8);
    if (at < 0) return INVALID_VALUE;
    this.nextHandle += 16n;
    this.memory.view.setBigUint64(at, 0x1000n + this.nextHandle, true);
    return SUCCESS;
  }

  /** A parameter buffer for a kernel: its address, 0 if there can be none. */
  private prepare(kernel: bigint, rest: number[]): bigint {
    const name = this.module?.kernelAt(kernel);
    const info = name === undefined ? undefined : this.module?.kernels.get(name);
    const [x, y, z, bx, by, bz, shared] = rest.map((v) => v >>> 0);
    const refuse = (code: number) => {
      this.lastError = code;
      return 0n;
    };
    if (name === undefined || !info) return refuse(INVALID_DEVICE_FUNCTION);
    const threads = bx * by * bz;
    const fits = x * y * z > 0 && threads > 0 && threads <= info.maxThreadsPerBlock;
    if (!fits || x > 0x7fffffff || y > 65535 || z > 65535 || bz > 64) {
      return refuse(INVALID_CONFIGURATION);
    }
    if (info.sharedBytes + shared > 227 * 1024) return refuse(INVALID_VALUE);
    if (this.prepared.size >= MAX_PENDING) return refuse(PENDING_COUNT_EXCEEDED);
    const offset = this.host.allocDevice(Math.max(16, info.paramBytes), 16);
    if (offset === 0) return refuse(PENDING_COUNT_EXCEEDED);
    this.prepared.set(offset, {
      kernel: name,
      grid: [x, y, z],
      block: [bx, by, bz],
      dynamicSharedBytes: shared,
      bytes: info.paramBytes,
    });
    return BigInt(this.memory.pointerOf(offset));
  }

  private launch(buffer: bigint, stream: bigint): number {
    const offset = Number(buffer) - this.memory.base;
    if (!this.prepared.has(offset)) return INVALID_VALUE;
    (stream === TAIL_LAUNCH ? this.tail : this.ordinary).push(offset);
    return SUCCESS;
  }

  /**
   * Runs the launches of a grid that has ended, each with all its own ones, tail launches last.
   * @param parent the grid's launch
   * @param run runs one launch with all its children
   */
  run(
    parent: LaunchRequest,
    run: (request: LaunchRequest) => KernelFault | undefined,
  ): KernelFault | undefined {
    const requests = [...this.ordinary, ...this.tail].map((offset) => {
      const { kernel, grid, block, dynamicSharedBytes, bytes } = this.prepared.get(
        offset,
      ) as Prepared;
      const params = this.memory.bytes(offset, bytes).slice();
      const shape = { kernel, grid, block, dynamicSharedBytes, params, cooperative: false };
      return { ...shape, module: parent.module, timeoutMs: parent.timeoutMs };
    });
    this.drop();
    for (const request of requests) {
      const fault = run(request);
      if (fault) return fault;
    }
    return undefined;
  }

  /** Forgets what a grid has launched. */
  drop(): void {
    for (const offset of this.prepared.keys()) this.host.freeDevice(offset);
    this.prepared.clear();
    this.ordinary = [];
    this.tail = [];
  }
}
