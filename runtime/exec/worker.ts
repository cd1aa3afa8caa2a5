/** A worker of the pool: waits for launches in shared memory and runs blocks of them. */
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import type { InstallMessage, WorkerSetup } from "./pool.ts";
import {
  POOL_COMMAND,
  POOL_CONTEXTS,
  POOL_COUNT,
  POOL_DONE,
  POOL_KERNEL,
  POOL_LAUNCH,
  POOL_READY,
  POOL_RESULT,
  POOL_STOP,
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

/** Puts kernels that were posted into the table, until number `wanted` is there. */
function install(wanted: number): void {
  while (installed < wanted) {
    const received = receiveMessageOnPort(port) as { message: InstallMessage } | undefined;
    if (!received) continue;
    const { number, module, table: at, regions } = received.message;
    const instance = new WebAssembly.Instance(module, { env: { memory }, host });
    if (table.length < at + regions) table.grow(at + regions + 64 - table.length);
    for (let k = 0; k < regions; k++) {
      table.set(at + k, instance.exports[`region${k + 1}`] as () => number);
    }
    installed = number;
  }
}

const word = (offset: number) => offset >> 2;

function run(): number {
  install(Atomics.load(control, word(POOL_KERNEL)));
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
