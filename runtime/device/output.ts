/** What a context's kernels have said and no host thread has heard yet. */
import { EVENT_BUFFER_SIZE, EVENT_HEADER_SIZE, EVENT_PRINT } from "../protocol/definitions.ts";
import type { HostEvent } from "./events.ts";

/** Text is gathered to events of this size, which fill one event buffer each. */
const CHUNK_BYTES = EVENT_BUFFER_SIZE - EVENT_HEADER_SIZE;

/** The most that is kept for hosts that do not listen; what is printed beyond it is lost. */
const MOST_BYTES = 64 << 20;

const STDOUT = 1;
const STDERR = 2;

/** The output of one context, in order. */
export class ContextOutput {
  readonly #context: number;
  readonly #most: number;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #used = 0;
  #events: HostEvent[] = [];
  #lost = 0;
  /** Bytes of text that wait. */
  bytes = 0;

  /**
   * @param context its handle
   * @param most bytes to keep
   */
  constructor(context: number, most = MOST_BYTES) {
    this.#context = context;
    this.#most = most;
  }

  get empty(): boolean {
    return this.#used === 0 && this.#events.length === 0 && this.#lost === 0;
  }

  /** printf: text for stdout. */
  print(text: Uint8Array): void {
    if (this.bytes + text.length > this.#most) {
      this.#lost += text.length;
      return;
    }
    this.bytes += text.length;
    for (let at = 0; at < text.length; ) {
      const part = text.subarray(at, at + CHUNK_BYTES - this.#used);
      this.#chunk.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used === CHUNK_BYTES) this.#cut();
    }
  }

  /** A line for stderr. */
  complain(line: string): void {
    this.push(EVENT_PRINT, STDERR, new TextEncoder().encode(`${line}\n`));
  }

  /** Any event, behind what was printed before it. */
  push(kind: number, value: number, bytes: Uint8Array): void {
    this.#cut();
    this.#events.push({ kind, context: this.#context, value, bytes });
  }

  /** Hands over everything, and says if something was lost. */
  take(): HostEvent[] {
    this.#cut();
    if (this.#lost > 0) {
      const lost = this.#lost;
      this.#lost = 0;
      this.complain(`${lost} bytes of printf output were lost: nobody took what came before`);
    }
    const events = this.#events;
    this.#events = [];
    this.bytes = 0;
    return events;
  }

  /** Forgets everything. */
  clear(): void {
    this.#events = [];
    this.#used = 0;
    this.#lost = 0;
    this.bytes = 0;
  }

  #cut(): void {
    if (this.#used === 0) return;
    const bytes = this.#chunk.slice(0, this.#used);
    this.#used = 0;
    this.#events.push({ kind: EVENT_PRINT, context: this.#context, value: STDOUT, bytes });
  }
}
