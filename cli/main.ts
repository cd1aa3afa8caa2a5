#!/usr/bin/env node
/**
 * The `warpring` command: `demo`, `info`, `compile`, `smi`, `run` and `serve`. Runs from dist/ in
 * Node, and from source in Bun and Deno.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { type Command, EXIT_FAILURE, EXIT_OK, EXIT_USAGE, UsageError } from "./command.ts";
import { commandHelp, mainHelp } from "./help.ts";
import { print, printError } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** Commands are loaded when called, so that `--help` needs no WebAssembly. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  demo: async () => (await import("./demo.ts")).demo,
  info: async () => (await import("./info.ts")).info,
  compile: async () => (await import("./compile.ts")).compile,
  smi: async () => (await import("./smi.ts")).smi,
  run: async () => (await import("./run.ts")).run,
  serve: async () => (await import("./serve.ts")).serve,
};

/** Runs one command line, without the program's name; returns the exit code. */
async function main(argv: string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    const all = await Promise.all(Object.values(COMMANDS).map((load) => load()));
    const text = mainHelp(all);
    if (first === undefined) throw new UsageError("no command given", { cause: text });
    print(text);
    return EXIT_OK;
  }
  if (first === "--version" || first === "-V") {
    print(`warpring ${VERSION}`);
    return EXIT_OK;
  }
  if (!Object.hasOwn(COMMANDS, first)) {
    const kind = first.startsWith("-") ? "option" : "command";
    throw new UsageError(`unknown ${kind} ${first}`);
  }
  const command = await COMMANDS[first]?.();
  if (!command) throw new UsageError(`unknown command ${first}`);
  return runCommand(command, rest);
}

/** Parses one command's options and runs it. */
async function runCommand(command: Command, argv: string[]): Promise<number> {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short ? { short } : {}), ...(multiple ? { multiple } : {}) },
    ]),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: argv,
      options: { ...options, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), {
      cause: `See \`warpring ${command.name} --help\`.`,
    });
  }
  if (parsed.values["help"]) {
    print(commandHelp(command));
    return EXIT_OK;
  }
  const operands = parsed.positionals;
  const [min, max] = command.count;
  if (operands.length < min || operands.length > max) {
    const many = operands.length < min ? "missing" : "too many operands, it takes only";
    throw new UsageError(
      command.operands
        ? `${command.name}: ${many} ${command.operands}`
        : `${command.name} takes no operands`,
      { cause: `See \`warpring ${command.name} --help\`.` },
    );
  }
  return command.run({ values: parsed.values, operands });
}

/** Reports an error as its kind deserves; returns the exit code. */
function report(error: unknown): number {
  if (error instanceof UsageError) {
    printError(error.message);
    process.stderr.write(`${error.cause ?? "See `warpring --help`."}\n`);
    return EXIT_USAGE;
  }
  // The library's errors (PTX, images, CUDA) and the system's (ENOENT …) say what is wrong and
  // where. Anything else is a bug, and its stack is wanted.
  if (!(error instanceof Error)) printError(String(error));
  else printError(isBug(error) ? (error.stack ?? error.message) : error.message);
  return EXIT_FAILURE;
}

const BUG_NAMES = ["TypeError", "RangeError", "ReferenceError", "SyntaxError", "AssertionError"];

/** JavaScript's own error types, and bare errors without a code, come from mistakes in here. */
function isBug(error: Error): boolean {
  return BUG_NAMES.includes(error.name) || (error.name === "Error" && !("code" in error));
}

let code: number;
try {
  code = await main(process.argv.slice(2));
} catch (error) {
  code = report(error);
}
// A pool of workers may keep the process alive; the commands are done when they return. The exit
// waits for what was printed: a pipe may still hold some of it.
process.stdout.write("", () => process.exit(code));
