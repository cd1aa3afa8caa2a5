/** `warpring compile`: kernels to WebAssembly ahead of time, and the code after any pass. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  type CompiledKernel,
  compileKernel,
  formatReport,
  kernelParamOffset,
  layoutModule,
  lowerKernel,
  type ModuleLayout,
  PASSES,
  PtxError,
  type PtxFunction,
  type PtxModule,
  parsePtx,
  printRegion,
  reportKernel,
  type Value,
} from "../runtime/compiler/index.ts";
import { loadArtifacts } from "../runtime/exec/index.ts";
import { linkPtx, selectPtx } from "../runtime/image/index.ts";
import {
  type Command,
  type CommandArguments,
  CommandError,
  EXIT_OK,
  stringOption,
  UsageError,
} from "./command.ts";
import { formatPtxError } from "./ptx-error.ts";
import { formatBytes, Progress, print, table } from "./terminal.ts";

type Shape = [x: number, y: number, z: number];
type Fma = "exact" | "relaxed" | "unfused";

/** The block that a report is for, if none is given. */
const DEFAULT_BLOCK: Shape = [256, 1, 1];

/** Options of the command, checked. */
interface Choices {
  folder: string;
  kernel: string | undefined;
  shape: Shape | undefined;
  scalar: boolean;
  report: boolean;
  fma: Fma;
  passes: string[];
}

/** The `compile` command. */
export const compile: Command = {
  name: "compile",
  operands: "FILE",
  count: [1, 1],
  summary: "compile the kernels of a file to WebAssembly ahead of time",
  options: {
    out: {
      type: "string",
      short: "o",
      value: "FOLDER",
      help: "where NAME.wasm and NAME.json go (.)",
    },
    kernel: { type: "string", short: "k", value: "NAME", help: "this kernel only" },
    block: {
      type: "string",
      short: "b",
      value: "X,Y,Z",
      help: "code for this block shape, in SIMD",
    },
    scalar: { type: "boolean", help: "one thread at a time, even where SIMD is possible" },
    fma: {
      type: "string",
      value: "KIND",
      help: "exact (in software), relaxed (the engine's, if fused) or unfused; exact",
    },
    report: {
      type: "boolean",
      help: "tell what the code does with branches and accesses; write nothing",
    },
    print: {
      type: "string",
      short: "p",
      value: "PASS",
      multiple: true,
      help: `print the code after a pass and write nothing: ${PASSES.join(", ")} or all`,
    },
  },
  async run(args) {
    const choices = readChoices(args);
    const file = args.operands[0] ?? "";
    const modules = selectPtx(new Uint8Array(await readFile(file))).modules;
    const { library } = await loadArtifacts();
    const progress = new Progress();
    const rows: string[][] = [];
    const reports: string[] = [];
    let found = 0;
    for (const texts of modules) {
      const source = texts.length === 1 ? (texts[0] ?? "") : linkPtx(texts);
      const module = placed(file, () => parsePtx(source, basename(file)));
      const layout = layoutModule(module);
      for (const fn of module.functions) {
        if (fn.kind !== "entry" || !fn.body) continue;
        if (choices.kernel !== undefined && fn.name !== choices.kernel) continue;
        found++;
        progress.step(`compiling ${fn.name}`);
        if (choices.report) {
          const lowered = placed(file, () => lowerKernel(module, layout, fn, library));
          const shape = choices.shape ?? fn.reqntid ?? DEFAULT_BLOCK;
          reports.push(formatReport(reportKernel(lowered, shape)));
          continue;
        }
        const compiled = placed(file, () =>
          compileKernel(lowerKernel(module, layout, fn, library), {
            fma: choices.fma,
            shape: choices.shape ?? fn.reqntid,
            ...(choices.scalar ? { width: 1 } : {}),
            ...(choices.passes.length > 0 ? { observe: printer(fn, choices.passes) } : {}),
          }),
        );
        if (choices.passes.length > 0) continue;
        rows.push(await write(choices, module, layout, fn, compiled));
      }
    }
    progress.done();
    if (found === 0) {
      const what = choices.kernel === undefined ? "no kernels" : `no kernel ${choices.kernel}`;
      throw new CommandError(`${file}: ${what}`);
    }
    for (const report of reports) print(report.trimEnd());
    for (const line of table(rows, [1])) print(line);
    return EXIT_OK;
  },
};

/** @throws UsageError for a block, arithmetic or pass that there is none of */
function readChoices(args: CommandArguments): Choices {
  const fma = stringOption(args, "fma") ?? "exact";
  if (fma !== "exact" && fma !== "relaxed" && fma !== "unfused") {
    throw new UsageError(`compile: --fma is exact, relaxed or unfused, not ${fma}`);
  }
  const given = args.values["print"];
  const wanted = (Array.isArray(given) ? given : []).map(String);
  for (const pass of wanted) {
    if (pass === "all" || PASSES.some((name) => name === pass)) continue;
    throw new UsageError(`compile: no pass ${pass}; there are ${PASSES.join(", ")} and all`);
  }
  return {
    folder: stringOption(args, "out") ?? ".",
    kernel: stringOption(args, "kernel"),
    shape: readShape(stringOption(args, "block")),
    scalar: args.values["scalar"] === true,
    report: args.values["report"] === true,
    fma,
    passes: wanted.includes("all") ? [...PASSES] : wanted,
  };
}

/** `16,16` and `256` are shapes too. */
function readShape(text: string | undefined): Shape | undefined {
  if (text === undefined) return undefined;
  const sizes = text.split(/[,x]/).map(Number);
  const [x = 1, y = 1, z = 1] = sizes;
  const whole = sizes.every((size) => Number.isInteger(size) && size > 0);
  if (!whole || sizes.length > 3 || x > 1024 || y > 1024 || z > 64 || x * y * z > 1024) {
    throw new UsageError(`compile: --block is X,Y,Z with at most 1024 threads, not ${text}`);
  }
  return [x, y, z];
}

/** Runs a step of the compiler; its errors come back as `file:line:column: message`. */
function placed<T>(file: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof PtxError) throw new CommandError(formatPtxError(file, error));
    throw error;
  }
}

/** Prints each region after the passes that were asked for. */
function printer(fn: PtxFunction, passes: string[]) {
  return (pass: string, region: Parameters<typeof printRegion>[0], prologue: Value[]): void => {
    if (!passes.includes(pass)) return;
    print(`; ${fn.name} after ${pass}`);
    print(printRegion(region, prologue));
  };
}

/** Writes a kernel's module and, beside it, what a launch of it has to know. */
async function write(
  choices: Choices,
  module: PtxModule,
  layout: ModuleLayout,
  fn: PtxFunction,
  kernel: CompiledKernel,
): Promise<string[]> {
  const path = join(choices.folder, `${fn.name}.wasm`);
  const { wasm, cuts, ...rest } = kernel;
  const description = {
    ...rest,
    shape: choices.shape ?? fn.reqntid ?? null,
    fma: choices.fma,
    ptxVersion: module.version,
    target: module.target[0],
    params: fn.params.map((param) => ({
      name: param.name,
      offset: kernelParamOffset(fn, param),
      size: param.size,
      align: param.align,
    })),
    cuts: [...cuts],
    ...variablesOf(module, layout),
  };
  await mkdir(choices.folder, { recursive: true });
  await writeFile(path, wasm);
  await writeFile(
    join(choices.folder, `${fn.name}.json`),
    `${JSON.stringify(description, undefined, 2)}\n`,
  );
  const regions = kernel.regions === 1 ? "1 region" : `${kernel.regions} regions`;
  const code = kernel.width > 1 ? `SIMD, ${kernel.width} threads` : "scalar";
  return [path, formatBytes(wasm.length), regions, code];
}

/** The module's `.global` and `.const` variables: where they lie and what they begin with. */
function variablesOf(module: PtxModule, layout: ModuleLayout) {
  const all = [...module.variables, ...module.functions.flatMap((fn) => fn.locals)];
  const variables = all.flatMap((variable) => {
    const offset = layout.offsets.get(variable.id);
    if (offset === undefined) return [];
    const { name, space, size, init } = variable;
    const bytes = Array.from(init?.bytes ?? [], (byte) => byte.toString(16).padStart(2, "0"));
    const relocations = (init?.relocations ?? []).map(({ symbol, mask, ...rest }) => ({
      ...rest,
      symbol: symbol.name,
      ...(mask === undefined ? {} : { mask: `0x${mask.toString(16)}` }),
    }));
    return [{ name, space, offset, size, init: bytes.join(""), relocations }];
  });
  return { moduleBytes: layout.size, variables };
}
