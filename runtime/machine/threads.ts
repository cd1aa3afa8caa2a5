/** Workers, in the two ways that runtimes have them: the web's, and Node's worker_threads. */

/** A thread that was started. */
export interface Thread {
  post(message: unknown): void;
  /** Called for each message and for a failure (an Error). */
  onMessage(callback: (message: unknown) => void): void;
  terminate(): void;
  /** Lets the process end while the thread still runs. */
  unref(): void;
}

interface NodeWorkerModule {
  readonly Worker: new (url: URL) => NodeWorker;
  readonly parentPort: NodePort | null;
}
interface NodePort {
  postMessage(message: unknown): void;
  on(event: string, callback: (message: unknown) => void): void;
  once(event: string, callback: (message: unknown) => void): void;
}
interface NodeWorker extends NodePort {
  terminate(): Promise<number>;
  unref(): void;
}

const nodeModule = "node:worker_threads";

/**
 * Starts a module in a thread of its own.
 * @param name of the file beside this one, without extension
 */
export async function startThread(name: string): Promise<Thread> {
  // Sources are .ts, the package's files .js: the neighbour has the extension that we have.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const url = new URL(`./${name}.${extension}`, import.meta.url);
  if (typeof Worker === "undefined") {
    const { Worker: NodeThread } = (await import(nodeModule)) as NodeWorkerModule;
    const worker = new NodeThread(url);
    return {
      post: (message) => worker.postMessage(message),
      onMessage: (callback) => {
        worker.on("message", callback);
        worker.on("error", callback);
      },
      terminate: () => void worker.terminate(),
      unref: () => worker.unref(),
    };
  }
  const worker = new Worker(url, { type: "module" });
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (callback) => {
      worker.addEventListener("message", (event) => callback(event.data));
      worker.addEventListener("error", (event) => callback(new Error(event.message)));
    },
    terminate: () => worker.terminate(),
    unref: () => (worker as { unref?: () => void }).unref?.(),
  };
}

/** In a thread: waits for the first message, and gives the way to answer. */
export async function onFirstMessage<T>(): Promise<{
  message: T;
  post: (message: unknown) => void;
}> {
  const scope = globalThis as unknown as {
    postMessage?: (message: unknown) => void;
    addEventListener?: (
      type: string,
      listener: (event: { data: unknown }) => void,
      options: { once: boolean },
    ) => void;
  };
  if (typeof scope.addEventListener === "function" && typeof scope.postMessage === "function") {
    const listen = scope.addEventListener.bind(scope);
    const message = await new Promise<unknown>((resolve) => {
      listen("message", (event) => resolve(event.data), { once: true });
    });
    return { message: message as T, post: (answer) => scope.postMessage?.(answer) };
  }
  const { parentPort } = (await import(nodeModule)) as NodeWorkerModule;
  if (parentPort === null) throw new Error("this module runs in a thread of its own");
  const message = await new Promise<unknown>((resolve) => parentPort.once("message", resolve));
  return { message: message as T, post: (answer) => parentPort.postMessage(answer) };
}
