/** What the kernels of a PTX module need, read off its syntax tree: what `warpring info` lists. */
import type {
  Instruction,
  Operand,
  PtxFunction,
  PtxModule,
  Variable,
} from "../runtime/compiler/ptx/ast.ts";

/** One kernel. Sizes are in bytes. */
export interface KernelSummary {
  name: string;
  /** Types in order: `u64`, `f32`, `b8[24]`. */
  params: string[];
  /** Packed size of all parameters with their alignment. */
  paramBytes: number;
  /** Static shared memory of the kernel and of all that it calls. */
  sharedBytes: number;
  /** Whether it also uses shared memory whose size the launch gives. */
  dynamicShared: boolean;
  /** Local memory declared by the kernel and by all that it calls. */
  localBytes: number;
  /** PTX registers: virtual ones, before any allocation. */
  registers: number;
  instructions: number;
  /** `.maxntid` or `.reqntid`, if the kernel has one. */
  block: string;
}

/** The kernels that a module defines, in its order. */
export function summarizeKernels(module: PtxModule): KernelSummary[] {
  return module.functions
    .filter((fn) => fn.kind === "entry" && fn.body !== undefined)
    .map(summarizeKernel);
}

function summarizeKernel(kernel: PtxFunction): KernelSummary {
  const { functions, variables } = reach(kernel);
  const inSpace = (space: Variable["space"]) =>
    [...variables].filter((variable) => variable.space === space);
  const shared = inSpace("shared");
  const bodies = [...functions].map(instructionsOf);
  return {
    name: kernel.name,
    params: kernel.params.map(typeName),
    paramBytes: packed(kernel.params),
    sharedBytes: packed(shared.filter((variable) => variable.linkage !== "extern")),
    dynamicShared: shared.some((variable) => variable.size === 0),
    localBytes: packed(inSpace("local")),
    registers: kernel.registers.length,
    instructions: bodies.reduce((sum, body) => sum + body.length, 0),
    block: blockLimit(kernel),
  };
}

/** `u64`, `v4.f32`, `b8[24]`. */
function typeName(variable: Variable): string {
  const vector = variable.vector > 1 ? `v${variable.vector}.` : "";
  return `${vector}${variable.type}${variable.dims.map((count) => `[${count}]`).join("")}`;
}

/** Size of variables laid out one after the other, each at its alignment. */
function packed(variables: Variable[]): number {
  return variables.reduce(
    (end, { align, size }) => Math.ceil(end / Math.max(align, 1)) * Math.max(align, 1) + size,
    0,
  );
}

function blockLimit(kernel: PtxFunction): string {
  if (kernel.reqntid) return kernel.reqntid.join("x");
  if (kernel.maxntid) return `<= ${kernel.maxntid.reduce((product, size) => product * size, 1)}`;
  return "";
}

function instructionsOf(fn: PtxFunction): Instruction[] {
  return (fn.body ?? []).filter((statement) => statement.kind === "instr");
}

/** All functions that a kernel may call, itself included, and all variables that these name. */
function reach(kernel: PtxFunction): { functions: Set<PtxFunction>; variables: Set<Variable> } {
  const functions = new Set<PtxFunction>();
  const variables = new Set<Variable>();
  const waiting = [kernel];
  for (let fn = waiting.pop(); fn !== undefined; fn = waiting.pop()) {
    if (functions.has(fn)) continue;
    functions.add(fn);
    for (const variable of fn.locals) variables.add(variable);
    for (const instruction of instructionsOf(fn)) {
      for (const symbol of instruction.operands.flatMap(symbolsOf)) {
        if (symbol.kind === "variable") variables.add(symbol);
        else waiting.push(symbol.aliasOf ?? symbol);
      }
    }
  }
  return { functions, variables };
}

/** The variables and functions that an operand names, however deep. */
function symbolsOf(operand: Operand): (Variable | PtxFunction)[] {
  switch (operand.kind) {
    case "symbol":
      return [operand.symbol];
    case "address":
      return symbolsOf(operand.base);
    case "texture":
      return [operand.base, operand.coords, ...(operand.sampler ? [operand.sampler] : [])].flatMap(
        symbolsOf,
      );
    case "vector":
    case "list":
      return operand.elements.flatMap(symbolsOf);
    case "pair":
      return [operand.first, operand.second].flatMap(symbolsOf);
    case "proto":
      return operand.proto.functions;
    default:
      return [];
  }
}
