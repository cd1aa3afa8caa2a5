/** Common to the device's and the driver's tests: a machine with a fake executor, and requests. */
import { type DriverOptions, type OpenFile, openFile } from "../../runtime/driver/index.ts";
import { type InlineMachine, inlineMachine } from "../../runtime/machine/inline.ts";
import { GuestMemory, memoryMap } from "../../runtime/memory/index.ts";
import { loadCore } from "../../runtime/virtio/index.ts";
import { Requests } from "./client.ts";
import { FakeExecutor } from "./fake-executor.ts";

const core = await loadCore();

/** Which machine a test wants. */
export interface BenchOptions extends DriverOptions {
  readonly multiprocessors?: number;
  readonly devices?: number;
  /** Device memory, in bytes. */
  readonly memoryBytes?: number;
  readonly without?: bigint;
}

/** A machine under test, with one open file and its primary context. */
export class Bench extends Requests {
  readonly memory: GuestMemory;
  readonly machine: InlineMachine;
  readonly executor: FakeExecutor;
  readonly log: string[];
  readonly stdout: string[];
  readonly stderr: string[];
  readonly faults: [number, string][];

  constructor(options: BenchOptions = {}) {
    const parts = build(options);
    super(parts.open(options));
    this.memory = parts.memory;
    this.machine = parts.machine;
    this.executor = parts.executor;
    this.log = parts.log;
    this.stdout = parts.stdout;
    this.stderr = parts.stderr;
    this.faults = parts.faults;
    this.open = parts.open;
  }

  /** Another open file. */
  readonly open: (options?: DriverOptions) => OpenFile;
}

function build(options: BenchOptions) {
  const scratchBytes = 1 << 16;
  const small = memoryMap({ scratchBytes });
  const bytes = small.deviceMemory.start + (options.memoryBytes ?? 64 << 20);
  const memory = GuestMemory.create(memoryMap({ scratchBytes, bytes }));
  const log: string[] = [];
  const stdout: string[] = [];
  const stderr: string[] = [];
  const faults: [number, string][] = [];
  let fake: FakeExecutor | undefined;
  const machine = inlineMachine({
    memory,
    core,
    description: {
      name: "test vGPU",
      index: 0,
      devices: options.devices ?? 1,
      multiprocessors: options.multiprocessors ?? 16,
      memoryBytes: memory.map.deviceMemory.size,
      timeoutMs: 0,
    },
    executor: (host) => {
      fake = new FakeExecutor(host);
      return fake.executor;
    },
    log: (message) => log.push(message),
    ...(options.without === undefined ? {} : { without: options.without }),
  });
  const open = (more: DriverOptions = {}): OpenFile => {
    const file = openFile(machine.driver, {
      stdout: (text) => stdout.push(new TextDecoder().decode(text)),
      stderr: (text) => stderr.push(new TextDecoder().decode(text)),
      fault: (error, text) => faults.push([error, text]),
      ...more,
    });
    if (typeof file === "number") throw new Error(`open: errno ${-file}`);
    return file;
  };
  return { memory, machine, executor: fake!, log, stdout, stderr, faults, open };
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
