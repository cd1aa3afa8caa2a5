/** A second JavaScript thread of shared.test.ts: attaches, launches, says its thread id. */
import { attachMachine, type MachineHandle } from "../../runtime/machine.ts";
import { writeU64 } from "../../runtime/protocol/index.ts";
import { Client } from "./client.ts";

interface Start {
  readonly handle: MachineHandle;
  readonly pointer: number;
  readonly image: string;
  /** Not 0: so many rounds of allocating, copying, launching and freeing, all checked. */
  readonly rounds?: number;
}

/** Random work on memory of its own, each byte of it compared. */
function stress(client: Client, store: number, rounds: number): void {
  const params = new DataView(new ArrayBuffer(12));
  let state = client.file.thread * 7919;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let i = 0; i < rounds; i++) {
    const bytes = 16 + random(20_000);
    const pointer = client.alloc(bytes);
    const data = new Uint8Array(bytes).map((_, k) => k + state);
    if (client.copyIn(pointer, data) !== 0) throw new Error("copy in");
    writeU64(params, 0, pointer + 4 * random(Math.floor(bytes / 4)));
    const at = params.getUint32(0, true) - (pointer % 2 ** 32);
    params.setUint32(8, state, true);
    if (client.launch(store, new Uint8Array(params.buffer)) !== 0) throw new Error("launch");
    const back = new Uint8Array(bytes);
    if (client.copyOut(back, pointer) !== 0) throw new Error("copy out");
    new DataView(data.buffer).setUint32(at, state, true);
    const wrong = back.findIndex((byte, k) => byte !== data[k]);
    if (wrong >= 0) throw new Error(`round ${i}, byte ${wrong} of ${bytes}`);
    if (client.free(pointer) !== 0) throw new Error("free");
  }
}

const scope = globalThis as unknown as {
  onmessage: (event: { data: Start }) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = async ({ data }) => {
  try {
    const client = new Client(await attachMachine(data.handle));
    const store = client.fn(client.load(data.image), "store");
    const params = new DataView(new ArrayBuffer(12));
    if (data.rounds) stress(client, store, data.rounds);
    for (let i = 1; i <= 1000 && !data.rounds; i++) {
      writeU64(params, 0, data.pointer);
      params.setUint32(8, i, true);
      if (client.launch(store, new Uint8Array(params.buffer)) !== 0) throw new Error("launch");
    }
    if (client.sync() !== 0) throw new Error("synchronize");
    const { thread } = client.file;
    if (data.rounds) {
      // Its queues are another's once it closes: it holds them until the test has heard of all threads.
      scope.onmessage = () => {
        client.machine.close();
        scope.postMessage("closed");
      };
    } else {
      client.machine.close();
    }
    scope.postMessage(thread);
  } catch (error) {
    scope.postMessage(String(error));
  }
};
