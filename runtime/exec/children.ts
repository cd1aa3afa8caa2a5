import type { GuestMemory } from "../memory/index.ts";
import { cudaGetErrorName, cudaGetErrorString } from "../protocol/error-texts.ts";
import type { Module } from "./module.ts";
import type { ExecHost, KernelFault, LaunchRequest } from "./types.ts";

/** cudaStreamTailLaunch: after the grid and all its other children. */
const TAIL_LAUNCH = 3n;
/** Children of one grid that can be pending, and their parameter buffers. */
const MAX_PENDING = 65536;

const SUCCESS = 0;
const INVALID_VALUE = 1;
const INVALID_CONFIGURATION = 9;
const INVALID_COPY_DIRECTION = 21;
const PENDING_COUNT_EXCEEDED = 69;
const INVALID_DEVICE_FUNCTION = 98;

type Dim = [number, number, number];

/** cudaMemcpyKind: kernels copy within device memory only. */
const DEVICE_TO_DEVICE = 3;
const DEFAULT_KIND = 4;

/** A launch that a kernel has prepared with a parameter buffer. */
interface Prepared {
  kernel: string;
  grid: Dim;
  block: Dim;
  dynamicSharedBytes: number;
  bytes: number;
}

/** What a grid has asked for: a launch, by its parameter buffer, or a copy or fill. */
type Work = number | (() => void);

/** Rows of bytes in memory. */
interface Rows {
  pointer: bigint;
  pitch: bigint;
}

/**
 * Launches by kernels (CUDA dynamic parallelism as CUDA 12 and later have it, where a grid cannot
 * wait for its children), and copies and fills of device memory by them: collected while a grid runs
 * and run, in order, when it is done. Streams and events order nothing more than that.
 */
export class ChildLaunches {
  /** The functions of the device runtime that kernels import. */
  readonly imports: Record<string, (...args: never[]) => unknown>;
  private readonly host: ExecHost;
  private readonly memory: GuestMemory;
  private module: Module | undefined;
  private readonly prepared = new Map<number, Prepared>();
  private ordinary: Work[] = [];
  private tail: Work[] = [];
  private lastError = SUCCESS;
  private nextHandle = 0n;
  /** Names and texts of errors that kernels have asked for: their offsets in device memory. */
  private readonly texts = new Map<string, number>();

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
      __cudaCDP2GetErrorName: (_c: number, _t: number, code: number) =>
        this.text(cudaGetErrorName(code)),
      __cudaCDP2GetErrorString: (_c: number, _t: number, code: number) =>
        this.text(cudaGetErrorString(code)),
      __cudaCDP2MemcpyAsync: (
        _c: number,
        _t: number,
        to: bigint,
        from: bigint,
        bytes: bigint,
        kind: number,
        stream: bigint,
      ) => {
        const [target, source] = [to, from].map((pointer) => ({ pointer, pitch: bytes }));
        return fail(this.copy(target, source, bytes, 1n, kind, stream));
      },
      __cudaCDP2Memcpy2DAsync: (
        _c: number,
        _t: number,
        to: bigint,
        toPitch: bigint,
        from: bigint,
        fromPitch: bigint,
        width: bigint,
        height: bigint,
        kind: number,
        stream: bigint,
      ) => {
        const target = { pointer: to, pitch: toPitch };
        const source = { pointer: from, pitch: fromPitch };
        return fail(this.copy(target, source, width, height, kind, stream));
      },
      __cudaCDP2MemsetAsync: (
        _c: number,
        _t: number,
        pointer: bigint,
        value: number,
        bytes: bigint,
        stream: bigint,
      ) => fail(this.fill({ pointer, pitch: bytes }, value, bytes, 1n, stream)),
      __cudaCDP2Memset2DAsync: (
        _c: number,
        _t: number,
        pointer: bigint,
        pitch: bigint,
        value: number,
        width: bigint,
        height: bigint,
        stream: bigint,
      ) => fail(this.fill({ pointer, pitch }, value, width, height, stream)),
    } as Record<string, (...args: never[]) => unknown>;
  }

  /** Sets the module whose kernel runs next. */
  begin(module: Module): void {
    this.module = module;
  }

  /** Whether the grid that has run launched others, or prepared to. */
  get pending(): boolean {
    return this.prepared.size + this.ordinary.length + this.tail.length > 0;
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

  /** The address of a text, which stays in device memory; 0 if there is no room. */
  private text(text: string): bigint {
    let offset = this.texts.get(text) ?? 0;
    if (offset === 0) {
      const bytes = new TextEncoder().encode(`${text}\0`);
      offset = this.host.allocDevice(bytes.length, 16);
      if (offset === 0) return 0n;
      this.memory.bytes(offset, bytes.length).set(bytes);
      this.texts.set(text, offset);
    }
    return BigInt(this.memory.pointerOf(offset));
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
    return this.prepared.has(offset) ? this.enqueue(offset, stream) : INVALID_VALUE;
  }

  private enqueue(work: Work, stream: bigint): number {
    const queue = stream === TAIL_LAUNCH ? this.tail : this.ordinary;
    if (queue.length >= MAX_PENDING) return PENDING_COUNT_EXCEEDED;
    queue.push(work);
    return SUCCESS;
  }

  /** Where rows begin in memory, and their pitch; undefined if they don't lie in it. */
  private rows(
    { pointer, pitch }: Rows,
    width: bigint,
    height: bigint,
  ): [number, number] | undefined {
    const [step, columns, rows] = [pitch, width, height].map((v) => BigInt.asUintN(64, v));
    if (rows > 1n && step < columns) return undefined;
    const bytes = step * (rows - 1n) + columns;
    const first = bytes < 1n << 32n ? this.offset(pointer, Number(bytes)) : -1;
    return first < 0 ? undefined : [first, Number(step)];
  }

  private copy(
    to: Rows,
    from: Rows,
    width: bigint,
    height: bigint,
    kind: number,
    stream: bigint,
  ): number {
    if (kind !== DEVICE_TO_DEVICE && kind !== DEFAULT_KIND) return INVALID_COPY_DIRECTION;
    if (width === 0n || height === 0n) return SUCCESS;
    const target = this.rows(to, width, height);
    const source = this.rows(from, width, height);
    if (!target || !source) return INVALID_VALUE;
    const bytes = Number(width);
    return this.enqueue(() => {
      for (let k = 0; k < Number(height); k++) {
        const at = source[0] + k * source[1];
        this.memory.u8.copyWithin(target[0] + k * target[1], at, at + bytes);
      }
    }, stream);
  }

  private fill(to: Rows, value: number, width: bigint, height: bigint, stream: bigint): number {
    if (width === 0n || height === 0n) return SUCCESS;
    const target = this.rows(to, width, height);
    if (!target) return INVALID_VALUE;
    return this.enqueue(() => {
      for (let k = 0; k < Number(height); k++) {
        const at = target[0] + k * target[1];
        this.memory.u8.fill(value, at, at + Number(width));
      }
    }, stream);
  }

  /**
   * Runs what a grid that has ended asked for, launches with all their own ones, tail launches last.
   * @param parent the grid's launch
   * @param run runs one launch with all its children
   */
  run(
    parent: LaunchRequest,
    run: (request: LaunchRequest) => KernelFault | undefined,
  ): KernelFault | undefined {
    const works = [...this.ordinary, ...this.tail].map((work) => {
      if (typeof work !== "number") return work;
      const { kernel, grid, block, dynamicSharedBytes, bytes } = this.prepared.get(
        work,
      ) as Prepared;
      const params = this.memory.bytes(work, bytes).slice();
      const shape = { kernel, grid, block, dynamicSharedBytes, params, cooperative: false };
      return { ...shape, module: parent.module, timeoutMs: parent.timeoutMs };
    });
    this.drop();
    for (const work of works) {
      if (typeof work === "function") {
        work();
        continue;
      }
      const fault = run(work);
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
