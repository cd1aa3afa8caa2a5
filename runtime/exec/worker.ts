/** A worker of the pool: waits for launches in shared memory and runs blocks of them. */
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { InstallMessage, WorkerSetup } from "./pool.ts";
import {
  POOL_COMMAND,
  POOL_CONTEXTS,
  POOL_COUNT,
  POOL_DONE,
  POOL_KERNEL,
  POOL_LAUNCH,
  POOL_OFFER,
  POOL_READY,
  POOL_RESULT,
  POOL_STOP,
  POOL_TAKEN,
} from "./pool-defs.ts";

/** Rounds of looking at the command word before sleeping. */
const SPINS = 2000;

const setup = workerData as WorkerSetup;
const { memory, core, port } = setup;
const control = new Int32Array(memory.buffer, setup.control, 16);
const table = new WebAssembly.Table({ initial: 64, element: "anyfunc" });
const { runLaunch } = new WebAssembly.Instance(core, { env: { memory, table } })
  .exports as unknown as {
  runLaunch(launch: number, contexts: number, count: number, budget: number): number;
};
const started = performance.now();
const host = {
  now: () => performance.now(),
  clock: () => BigInt(Math.round((performance.now() - started) * 1e6)),
  globaltimer: () =>
    BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n,
};
let installed = 0;
const word = (offset: number) => offset >> 2;

/**
 * Puts kernels that were posted into the table, until number `wanted` is there, or the launch that
 * wants it has been withdrawn.
 * @returns whether the kernel is there
 */
function install(wanted: number, command: number): boolean {
  while (installed < wanted) {
    const received = receiveMessageOnPort(port as MessagePort) as
      | { message: InstallMessage }
      | undefined;
    if (!received) {
      if (Atomics.load(control, word(POOL_OFFER)) !== command) return false;
      continue;
    }
    const { number, module, table: at, regions } = received.message;
    const instance = new WebAssembly.Instance(module, { env: { memory }, host });
    if (table.length < at + regions) table.grow(at + regions + 64 - table.length);
    for (let k = 0; k < regions; k++) {
      table.set(at + k, instance.exports[`region${k + 1}`] as () => number);
    }
    installed = number;
  }
  return true;
}

/** Takes the offered launch, unless it was withdrawn; then its memory is no longer ours. */
function take(command: number): boolean {
  if (!install(Atomics.load(control, word(POOL_KERNEL)), command)) return false;
  return Atomics.compareExchange(control, word(POOL_OFFER), command, POOL_TAKEN) === command;
}

function run(): number {
  const launch = Atomics.load(control, word(POOL_LAUNCH)) >>> 0;
  const contexts = Atomics.load(control, word(POOL_CONTEXTS)) >>> 0;
  const count = Atomics.load(control, word(POOL_COUNT));
  for (;;) {
    // Deadlines are the launching thread's business: it sets the stop word.
    const result = runLaunch(launch, contexts, count, 4096);
    if (result !== 1) return result;
  }
}

let last = 0;
Atomics.store(control, word(POOL_READY), 1);
for (;;) {
  let command = Atomics.load(control, word(POOL_COMMAND));
  for (let k = 0; k < SPINS && command === last; k++) {
    command = Atomics.load(control, word(POOL_COMMAND));
  }
  if (command === last) {
    Atomics.wait(control, word(POOL_COMMAND), last);
    continue;
  }
  if (command >>> 0 === POOL_STOP) break;
  last = command;
  if (!take(last)) continue;
  let result = 2;
  try {
    result = run();
  } catch {
    result = 4; // the engine trapped; the launching thread reports it
  }
  Atomics.store(control, word(POOL_RESULT), result);
  Atomics.store(control, word(POOL_DONE), last);
  Atomics.notify(control, word(POOL_DONE));
}
port.close();
