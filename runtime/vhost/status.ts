/**
 * What the server and the Worker of one client tell each other while either is busy: words in memory
 * that both have.
 *
 *     0   i32  the client has gone (the server says so)
 *     4   i32  a kernel runs
 *     8   i32  kernels that were launched, modulo 2³²
 *     12  i32  offset in the device's memory of the word that stops a kernel; 0: no device yet
 *     16  f64  bytes of memory in all, of each device
 *     24  f64[MAX_DEVICES]  bytes in use, of each device
 *     152 i32  length of the name that follows
 *     156 u8[] name of the kernel that runs, or ran last
 */
import { MAX_DEVICES } from "../protocol/definitions.ts";

const TOTAL = 0;
const USED = 1;
const NAME_LENGTH = 6 + 2 * MAX_DEVICES;
const NAME = 4 * (NAME_LENGTH + 1);
const NAME_BYTES = 220;

/** One client's words. */
export class ClientStatus {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  #name = "";

  /** @param buffer of the other side's object; a new one if not given */
  constructor(buffer = new SharedArrayBuffer(NAME + NAME_BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, NAME_LENGTH + 1);
    this.#numbers = new Float64Array(buffer, 16, USED + MAX_DEVICES);
  }

  /** Says that the client has gone: its device ends at the next look. */
  hangUp(): void {
    Atomics.store(this.#words, 0, 1);
  }

  /** Has the client gone? */
  get gone(): boolean {
    return Atomics.load(this.#words, 0) !== 0;
  }

  /** A kernel starts, or (undefined) has ended. */
  kernel(name: string | undefined): void {
    Atomics.store(this.#words, 1, name === undefined ? 0 : 1);
    if (name === undefined) return;
    Atomics.add(this.#words, 2, 1);
    if (name === this.#name) return;
    this.#name = name;
    const bytes = new TextEncoder().encode(name).subarray(0, NAME_BYTES);
    new Uint8Array(this.buffer).set(bytes, NAME);
    Atomics.store(this.#words, NAME_LENGTH, bytes.length);
  }

  /** The device is made. @param stopWord offset of Executor.stopWord. @param total bytes of each device */
  made(stopWord: number, total: number): void {
    this.#numbers[TOTAL] = total;
    Atomics.store(this.#words, 3, stopWord);
  }

  /** @param used bytes of memory in use, of each device */
  memory(used: readonly number[]): void {
    this.#numbers.set(used, USED);
  }

  /** Offset of the device's stop word, 0 as long as there is no device. */
  get stopWord(): number {
    return Atomics.load(this.#words, 3);
  }

  /** All of it, for people. */
  read(): { running: boolean; launches: number; kernel: string; used: number[]; total: number } {
    const length = Math.min(Atomics.load(this.#words, NAME_LENGTH), NAME_BYTES);
    const name = new Uint8Array(this.buffer).slice(NAME, NAME + length);
    return {
      running: Atomics.load(this.#words, 1) !== 0,
      launches: Atomics.load(this.#words, 2) >>> 0,
      kernel: new TextDecoder().decode(name),
      used: [...this.#numbers.subarray(USED)],
      total: this.#numbers[TOTAL] ?? 0,
    };
  }
}
