/** All instructions of a module that can't be compiled, not just the first. */
import {
  type DeviceLibrary,
  layoutModule,
  lowerKernel,
  PtxError,
  type PtxFunction,
  type PtxModule,
} from "../runtime/compiler/index.ts";

import { checkInstruction } from "../runtime/compiler/ptx/index.ts";

/** After so many the rest of what can't be lowered is not looked for; each takes one more try. */
const MAX_FOUND = 100;

/**
 * Finds what the compiler refuses: instructions that PTX hasn't, then what can't be lowered. It is
 * asked again and again, each time without what it refused before; the module is spoilt by that.
 * @param module parsed without a check of its instructions, and not wanted any more
 * @returns the compiler's errors, in the order of the lines
 */
export function findUnsupported(module: PtxModule, library: DeviceLibrary): PtxError[] {
  const found: PtxError[] = [];
  for (const fn of module.functions) {
    for (const statement of [...(fn.body ?? [])]) {
      if (statement.kind !== "instr") continue;
      const error = refusal(() => checkInstruction(statement, fn));
      if (error === undefined) continue;
      drop(fn, error);
      found.push(error);
    }
  }
  const layout = layoutModule(module);
  for (const kernel of module.functions) {
    if (kernel.kind !== "entry" || !kernel.body) continue;
    while (found.length < MAX_FOUND) {
      const error = refusal(() => lowerKernel(module, layout, kernel, library));
      if (error === undefined) break;
      found.push(error);
      // An error that belongs to no instruction (a parameter, say) would come again.
      if (!module.functions.some((fn) => drop(fn, error))) break;
    }
  }
  return found.sort((a, b) => a.line - b.line || a.column - b.column);
}

function refusal(step: () => unknown): PtxError | undefined {
  try {
    step();
    return undefined;
  } catch (error) {
    if (error instanceof PtxError) return error;
    throw error;
  }
}

/** Takes the instruction at an error's place out of a function; returns whether it was there. */
function drop(fn: PtxFunction, error: PtxError): boolean {
  const at = (fn.body ?? []).findIndex(
    (statement) =>
      statement.kind === "instr" &&
      statement.line === error.line &&
      statement.column === error.column,
  );
  if (at < 0) return false;
  fn.body?.splice(at, 1);
  for (const label of fn.labels) if (label.position > at) label.position--;
  return true;
}
