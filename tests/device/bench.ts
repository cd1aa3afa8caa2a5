/** Common to the device's and the driver's tests: a machine with a fake executor, and requests. */
import { type DriverOptions, type OpenFile, openFile } from "../../runtime/driver/index.ts";
import { type InlineMachine, inlineMachine } from "../../runtime/machine/inline.ts";
import { GuestMemory, memoryMap } from "../../runtime/memory/index.ts";
import * as P from "../../runtime/protocol/index.ts";
import { loadCore } from "../../runtime/virtio/index.ts";
import { FakeExecutor } from "./fake-executor.ts";

const core = await loadCore();

/** Which machine a test wants. */
export interface BenchOptions extends DriverOptions {
  readonly multiprocessors?: number;
  /** Device memory, in bytes. */
  readonly memoryBytes?: number;
  readonly without?: bigint;
}

/** A machine under test, with one open file and its primary context. */
export class Bench {
  readonly memory: GuestMemory;
  readonly machine: InlineMachine;
  readonly executor: FakeExecutor;
  readonly file: OpenFile;
  readonly arg = new DataView(new ArrayBuffer(P.ARG_SIZE));
  readonly log: string[] = [];
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly faults: [number, string][] = [];
  context = 0;

  constructor(options: BenchOptions = {}) {
    const scratchBytes = 1 << 16;
    const small = memoryMap({ scratchBytes });
    const bytes = small.deviceMemory.start + (options.memoryBytes ?? 64 << 20);
    this.memory = GuestMemory.create(memoryMap({ scratchBytes, bytes }));
    let fake: FakeExecutor | undefined;
    this.machine = inlineMachine({
      memory: this.memory,
      core,
      description: {
        name: "test vGPU",
        index: 0,
        multiprocessors: options.multiprocessors ?? 16,
        memoryBytes: this.memory.map.deviceMemory.size,
        timeoutMs: 0,
      },
      executor: (host) => {
        fake = new FakeExecutor(host);
        return fake.executor;
      },
      log: (message) => this.log.push(message),
      ...(options.without === undefined ? {} : { without: options.without }),
    });
    this.executor = fake!;
    this.file = this.open(options);
    this.call(P.COMMAND_CONTEXT_CREATE, { [P.CONTEXT_CREATE_FLAGS]: P.CONTEXT_PRIMARY });
    this.context = this.get32(P.CONTEXT_CREATE_CONTEXT);
  }

  /** Another open file. */
  open(options: DriverOptions = {}): OpenFile {
    const file = openFile(this.machine.driver, {
      stdout: (text) => this.stdout.push(new TextDecoder().decode(text)),
      stderr: (text) => this.stderr.push(new TextDecoder().decode(text)),
      fault: (error, text) => this.faults.push([error, text]),
      ...options,
    });
    if (typeof file === "number") throw new Error(`open: errno ${-file}`);
    return file;
  }

  /**
   * Makes a request.
   * @param fields of the request: field → u32
   * @param wide fields of the request: field → u64
   * @returns the cudaError_t
   */
  call(
    command: number,
    fields: Record<number, number> = {},
    wide: Record<number, number> = {},
    out?: Uint8Array,
    into?: Uint8Array,
    file: OpenFile = this.file,
  ): number {
    new Uint8Array(this.arg.buffer).fill(0);
    this.arg.setUint32(P.REQUEST_CONTEXT, this.context, true);
    for (const [field, value] of Object.entries(fields)) {
      this.arg.setUint32(Number(field), value >>> 0, true);
    }
    for (const [field, value] of Object.entries(wide)) P.writeU64(this.arg, Number(field), value);
    const result = file.ioctl(P.IOCTL_BASE + command, this.arg, out, into);
    if (result < 0) throw new Error(`ioctl ${command}: errno ${-result}`);
    return this.get32(P.RESPONSE_ERROR);
  }

  get32(field: number): number {
    return this.arg.getUint32(P.ARG_RESPONSE + field, true);
  }

  get64(field: number): number {
    return P.readU64(this.arg, P.ARG_RESPONSE + field);
  }

  /** Allocates device memory (or another kind). @returns the pointer; throws on an error */
  alloc(bytes: number, kind: number = P.MEMORY_DEVICE): number {
    const fields = { [P.MEMORY_ALLOC_KIND]: kind };
    const error = this.call(P.COMMAND_MEMORY_ALLOC, fields, { [P.MEMORY_ALLOC_BYTES]: bytes });
    if (error !== 0) throw new Error(`alloc: ${error}`);
    return this.get64(P.MEMORY_ALLOC_ADDRESS);
  }

  free(pointer: number, kind: number = P.MEMORY_DEVICE): number {
    const fields = { [P.MEMORY_FREE_KIND]: kind };
    return this.call(P.COMMAND_MEMORY_FREE, fields, { [P.MEMORY_FREE_ADDRESS]: pointer });
  }

  /** Copies; a side that is an array goes beside the request. */
  copy(
    target: number | Uint8Array,
    source: number | Uint8Array,
    bytes: number,
    kind: number,
    extra: Record<number, number> = {},
  ): number {
    return this.call(
      P.COMMAND_MEMORY_COPY,
      { [P.MEMORY_COPY_KIND]: kind, ...extra },
      {
        [P.MEMORY_COPY_BYTES]: bytes,
        [P.MEMORY_COPY_TARGET]: typeof target === "number" ? target : 0,
        [P.MEMORY_COPY_SOURCE]: typeof source === "number" ? source : 0,
      },
      typeof source === "number" ? undefined : source,
      typeof target === "number" ? undefined : target,
    );
  }

  /** Loads a module of the fake executor's "PTX". @returns its handle */
  load(lines: string): number {
    const image = new TextEncoder().encode(`.version 8.0\n.target sm_90\n${lines}\n`);
    const error = this.call(
      P.COMMAND_MODULE_LOAD,
      { [P.MODULE_LOAD_BYTES]: image.length },
      {},
      image,
    );
    if (error !== 0) throw new Error(`load: ${error}`);
    return this.get32(P.MODULE_LOAD_MODULE);
  }

  /** @returns the function's handle, or throws */
  fn(module: number, name: string): number {
    const bytes = new TextEncoder().encode(name);
    const fields = {
      [P.FUNCTION_GET_MODULE]: module,
      [P.FUNCTION_GET_NAME_LENGTH]: bytes.length,
    };
    const error = this.call(P.COMMAND_FUNCTION_GET, fields, {}, bytes);
    if (error !== 0) throw new Error(`function: ${error}`);
    return this.get32(P.FUNCTION_GET_FUNCTION);
  }

  /** Launches. @returns the cudaError_t */
  launch(
    fn: number,
    grid: readonly number[] = [1, 1, 1],
    block: readonly number[] = [1, 1, 1],
    params: Uint8Array = new Uint8Array(0),
    extra: Record<number, number> = {},
  ): number {
    const fields: Record<number, number> = {
      [P.LAUNCH_FUNCTION]: fn,
      [P.LAUNCH_PARAMETER_BYTES]: params.length,
      ...extra,
    };
    for (let i = 0; i < 3; i++) {
      fields[P.LAUNCH_GRID_X + 4 * i] = grid[i]!;
      fields[P.LAUNCH_BLOCK_X + 4 * i] = block[i]!;
    }
    return this.call(P.COMMAND_LAUNCH, fields, {}, params);
  }

  /** Waits for all work. @returns the cudaError_t */
  sync(): number {
    return this.call(P.COMMAND_CONTEXT_SYNCHRONIZE);
  }
}

/** `count` bytes that differ from their neighbours. */
export function pattern(count: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(count);
  let state = seed;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}
