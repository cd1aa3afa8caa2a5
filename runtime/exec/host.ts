import type { GuestMemory } from "../memory/index.ts";
import * as L from "./layout.ts";
import { formatPrintf } from "./printf.ts";
import type { ExecHost, LaunchRequest } from "./types.ts";

/** Device heap that `malloc` in kernels draws from, bytes (cudaLimitMallocHeapSize's default). */
const MALLOC_HEAP_BYTES = 8 << 20;

/** The functions that compiled kernels import from `host` (docs/embedding.md). */
export class KernelHost {
  readonly imports: Record<string, (...args: never[]) => unknown>;
  /** The message of the launch's failed assertion. */
  assertion = "";
  private readonly host: ExecHost;
  private readonly memory: GuestMemory;
  private readonly blocks = new Map<number, number>();
  private heapUsed = 0;
  private heapBytes = MALLOC_HEAP_BYTES;
  private shape: readonly [number, number, number] = [1, 1, 1];

  constructor(host: ExecHost) {
    this.host = host;
    this.memory = host.memory;
    const started = performance.now();
    this.imports = {
      now: () => performance.now(),
      // A clock of 1 GHz.
      clock: () => BigInt(Math.round((performance.now() - started) * 1e6)),
      globaltimer: () =>
        BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n,
      vprintf: (_context: number, _thread: number, format: bigint, args: bigint) =>
        this.vprintf(format, args),
      malloc: (_context: number, _thread: number, bytes: bigint) => this.malloc(bytes),
      free: (_context: number, _thread: number, pointer: bigint) => this.free(pointer),
      cudaGraphSetConditional: (_c: number, _t: number, condition: bigint, value: number) =>
        host.setCondition?.(Number(condition), value >>> 0),
      __assertfail: (
        context: number,
        thread: number,
        message: bigint,
        file: bigint,
        line: number,
        fn: bigint,
        _charBytes: bigint,
      ) => this.assertFail(context, thread, message, file, line, fn),
    } as Record<string, (...args: never[]) => unknown>;
  }

  /** Sets what messages of the next launch refer to. */
  begin(request: LaunchRequest): void {
    this.shape = request.block;
    this.heapBytes = request.heapBytes ?? MALLOC_HEAP_BYTES;
    this.assertion = "";
  }

  /** The offset of a CUDA pointer with at least `bytes` behind it, or -1. */
  private offset(pointer: bigint, bytes: number): number {
    const offset = Number(pointer) - this.memory.base;
    return offset >= 65536 && offset + bytes <= this.memory.byteLength ? offset : -1;
  }

  /** The bytes of a zero-terminated string at a CUDA pointer. */
  private text(pointer: bigint): Uint8Array {
    const at = this.offset(pointer, 1);
    if (at < 0) return new TextEncoder().encode("(null)");
    const { u8 } = this.memory;
    let end = at;
    while (end < u8.length && u8[end] !== 0) end++;
    return u8.slice(at, end);
  }

  private string(pointer: bigint): string {
    return new TextDecoder().decode(this.text(pointer));
  }

  private vprintf(format: bigint, args: bigint): number {
    const base = this.offset(args, 0);
    const { view } = this.memory;
    let at = base;
    const take = (bytes: 4 | 8): bigint => {
      at = Math.ceil(at / bytes) * bytes;
      if (base < 0 || at + bytes > view.byteLength) return 0n;
      const value = bytes === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
      at += bytes;
      return value;
    };
    const { output, count } = formatPrintf(this.text(format), take, (p) => this.text(p));
    this.host.print(output);
    return count;
  }

  private malloc(bytes: bigint): bigint {
    const size = Number(bytes);
    if (size <= 0 || this.heapUsed + size > this.heapBytes) return 0n;
    const offset = this.host.allocDevice(size, 16);
    if (offset === 0) return 0n;
    this.blocks.set(offset, size);
    this.heapUsed += size;
    return BigInt(this.memory.pointerOf(offset));
  }

  private free(pointer: bigint): void {
    if (pointer === 0n) return;
    const offset = Number(pointer) - this.memory.base;
    const size = this.blocks.get(offset);
    if (size === undefined) return; // undefined in CUDA: freeing what malloc did not give
    this.blocks.delete(offset);
    this.heapUsed -= size;
    this.host.freeDevice(offset);
  }

  private assertFail(
    context: number,
    thread: number,
    message: bigint,
    file: bigint,
    line: number,
    fn: bigint,
  ): void {
    if (this.assertion) return;
    const { view } = this.memory;
    const block = [L.BLOCK_CTAID_X, L.BLOCK_CTAID_Y, L.BLOCK_CTAID_Z].map((offset) =>
      view.getUint32(context + offset, true),
    );
    const [x, y] = this.shape;
    const index = [thread % x, Math.floor(thread / x) % y, Math.floor(thread / x / y)];
    this.assertion =
      `${this.string(file)}:${line}: ${this.string(fn)}: block: [${block}], ` +
      `thread: [${index}] Assertion \`${this.string(message)}\` failed.`;
  }
}
