/** A second JavaScript thread of shared.test.ts: attaches, launches, says its thread id. */
import { attachMachine, type MachineHandle } from "../../runtime/machine.ts";
import { writeU64 } from "../../runtime/protocol/index.ts";
import { Client } from "./client.ts";

interface Start {
  readonly handle: MachineHandle;
  readonly pointer: number;
  readonly image: string;
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
    for (let i = 1; i <= 1000; i++) {
      writeU64(params, 0, data.pointer);
      params.setUint32(8, i, true);
      if (client.launch(store, new Uint8Array(params.buffer)) !== 0) throw new Error("launch");
    }
    if (client.sync() !== 0) throw new Error("synchronize");
    const { thread } = client.file;
    client.machine.close();
    scope.postMessage(thread);
  } catch (error) {
    scope.postMessage(String(error));
  }
};
