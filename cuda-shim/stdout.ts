/** The parts of the runtimes' globals that write to a file descriptor at once. */
interface Writers {
  Deno?: Record<"stdout" | "stderr", { writeSync(bytes: Uint8Array): number }>;
  process?: Record<"stdout" | "stderr", { write(bytes: Uint8Array): boolean }>;
}

/**
 * Where printed text goes unless the user chose: the process's standard output or error, in order
 * with what `console.log` writes; in a browser the console, line by line.
 *
 * @param descriptor 1 standard output, 2 standard error
 */
export function defaultOutput(descriptor: 1 | 2): (text: Uint8Array) => void {
  const name = descriptor === 1 ? "stdout" : "stderr";
  const { Deno: deno, process } = globalThis as Writers;
  if (deno) {
    return (text) => {
      // A pipe may take a part only.
      for (let rest = text; rest.length > 0; ) rest = rest.subarray(deno[name].writeSync(rest));
    };
  }
  // Node keeps the array until a slow reader takes it, and the device reuses it.
  if (process?.[name]) return (text) => void process[name].write(text.slice());
  return consoleLines(descriptor === 1 ? console.log : console.error);
}

/** Collects text and passes whole lines on. */
function consoleLines(write: (line: string) => void): (text: Uint8Array) => void {
  const decoder = new TextDecoder();
  let pending = "";
  return (text) => {
    const lines = (pending + decoder.decode(text.slice(), { stream: true })).split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) write(line);
  };
}
