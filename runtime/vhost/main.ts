/**
 * The process that serves devices: `main.ts SOCKET [JSON of ServeOptions]`. It says "ready" on
 * stdout when clients can connect, and ends with SIGTERM, SIGINT, or with its parent (the end of its
 * stdin) if the options say so.
 */
import process from "node:process";
import { serve } from "./server.ts";

const [socket = "", json = "{}"] = process.argv.slice(2);
const { watchStdin, ...options } = JSON.parse(json);
const abort = new AbortController();
const end = (): void => abort.abort();
process.on("SIGTERM", end);
// A terminal sends it to the whole group: then the program decides what it means.
process.on("SIGINT", () => {
  if (!watchStdin) end();
});
if (watchStdin) {
  process.stdin.on("end", end);
  process.stdin.on("error", end);
  process.stdin.resume();
}
try {
  await serve({
    ...options,
    socket,
    signal: abort.signal,
    onReady: () => process.stdout.write("ready\n"),
    log: (message) => process.stderr.write(`warpring: ${message}\n`),
  });
} catch (error) {
  process.stderr.write(`warpring: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
process.exit();
