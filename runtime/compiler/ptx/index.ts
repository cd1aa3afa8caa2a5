// PTX text → syntax tree. `parsePtx` is all that the rest of the compiler uses.

import { type Instruction, PtxError, type PtxFunction, type PtxModule } from "./ast.ts";
import { parseModule } from "./module.ts";
import { ParserState } from "./scope.ts";

export * from "./ast.ts";

/** Largest source that is read: more text than a JavaScript string can hold anywhere. */
const MAX_SOURCE = 2 ** 29;

/**
 * Parses a PTX module: the whole grammar of PTX ISA 9.0, every name resolved. Whether an instruction
 * exists and has the right operands is the table's to say (`check.ts`); `onInstruction` is called
 * with each one, in order, function by function.
 *
 * Takes time linear in the source's length. Throws PtxError, with line, column and what was expected,
 * and nothing else, whatever the source is.
 */
export function parsePtx(
  source: string,
  name = "module",
  onInstruction?: (instruction: Instruction, fn: PtxFunction) => void,
): PtxModule {
  if (source.length > MAX_SOURCE) throw new PtxError("the PTX source is too long");
  const state = new ParserState(source, name, onInstruction);
  parseModule(state);
  return state.module;
}
