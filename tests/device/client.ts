/** Requests through an open file of a machine, for tests; Bench adds an inline machine to it. */
import type { DriverOptions, OpenFile } from "../../runtime/driver/index.ts";
import type { Machine } from "../../runtime/machine.ts";
import * as P from "../../runtime/protocol/index.ts";

/** An open file with the primary context. Methods give the cudaError_t unless they say otherwise. */
export class Requests {
  readonly file: OpenFile;
  readonly arg = new DataView(new ArrayBuffer(P.ARG_SIZE));
  context = 0;

  constructor(file: OpenFile) {
    this.file = file;
    this.call(P.COMMAND_CONTEXT_CREATE, { [P.CONTEXT_CREATE_FLAGS]: P.CONTEXT_PRIMARY });
    this.context = this.get32(P.CONTEXT_CREATE_CONTEXT);
  }

  /**
   * Makes a request.
   * @param fields of the request: field → u32
   * @param wide fields of the request: field → u64
   */
  call(
    command: number,
    fields: Record<number, number> = {},
    wide: Record<number, number> = {},
    out?: Uint8Array,
    into?: Uint8Array,
  ): number {
    new Uint8Array(this.arg.buffer).fill(0);
    this.arg.setUint32(P.REQUEST_CONTEXT, this.context, true);
    for (const [field, value] of Object.entries(fields)) {
      this.arg.setUint32(Number(field), value >>> 0, true);
    }
    for (const [field, value] of Object.entries(wide)) P.writeU64(this.arg, Number(field), value);
    const result = this.file.ioctl(P.IOCTL_BASE + command, this.arg, out, into);
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

  copyIn(target: number, source: Uint8Array, extra: Record<number, number> = {}): number {
    return this.copy(target, source, source.length, P.COPY_HOST_TO_DEVICE, extra);
  }

  copyOut(target: Uint8Array, source: number, extra: Record<number, number> = {}): number {
    return this.copy(target, source, target.length, P.COPY_DEVICE_TO_HOST, extra);
  }

  /** Loads a module of the fake executor's "PTX". @returns its handle; throws on an error */
  load(lines: string): number {
    const image = new TextEncoder().encode(`.version 8.0\n.target sm_90\n${lines}\n`);
    const fields = { [P.MODULE_LOAD_BYTES]: image.length };
    const error = this.call(P.COMMAND_MODULE_LOAD, fields, {}, image);
    if (error !== 0) throw new Error(`load: ${error}`);
    return this.get32(P.MODULE_LOAD_MODULE);
  }

  /** @returns the function's handle; throws on an error */
  fn(module: number, name: string): number {
    const error = this.getFunction(module, name);
    if (error !== 0) throw new Error(`function: ${error}`);
    return this.get32(P.FUNCTION_GET_FUNCTION);
  }

  getFunction(module: number, name: string, into?: Uint8Array): number {
    const bytes = new TextEncoder().encode(name);
    const fields = {
      [P.FUNCTION_GET_MODULE]: module,
      [P.FUNCTION_GET_NAME_LENGTH]: bytes.length,
    };
    return this.call(P.COMMAND_FUNCTION_GET, fields, {}, bytes, into);
  }

  /** Launches one thread unless `extra` says otherwise. */
  launch(fn: number, params: Uint8Array, extra: Record<number, number> = {}): number {
    const fields: Record<number, number> = {
      [P.LAUNCH_FUNCTION]: fn,
      [P.LAUNCH_PARAMETER_BYTES]: params.length,
    };
    for (let i = 0; i < 6; i++) fields[P.LAUNCH_GRID_X + 4 * i] = 1;
    return this.call(P.COMMAND_LAUNCH, { ...fields, ...extra }, {}, params);
  }

  /** Waits for all work. */
  sync(): number {
    return this.call(P.COMMAND_CONTEXT_SYNCHRONIZE);
  }
}

/** Requests through a machine. */
export class Client extends Requests {
  /** All that were made and not released by `releaseAll`. */
  static readonly #made: Client[] = [];
  readonly machine: Machine;
  readonly stdout: string[];

  constructor(machine: Machine, options: DriverOptions = {}) {
    const stdout: string[] = [];
    super(
      machine.open({ stdout: (text) => stdout.push(new TextDecoder().decode(text)), ...options }),
    );
    this.machine = machine;
    this.stdout = stdout;
    Client.#made.push(this);
  }

  /** Releases the files of all clients of this thread. */
  static releaseAll(): void {
    for (const client of Client.#made.splice(0)) client.file.release();
  }
}
