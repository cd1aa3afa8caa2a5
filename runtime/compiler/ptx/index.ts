// PTX text → syntax tree. `parsePtx` is all that the rest of the compiler uses.

import { PtxError, type PtxModule } from "./ast.ts";
import { checkModule } from "./check.ts";
import { parseModule } from "./module.ts";
import { ParserState } from "./scope.ts";

export * from "./ast.ts";
export { check, checkInstruction, checkModule } from "./check.ts";

/** Longest source that is read, in characters. */
const MAX_SOURCE = 2 ** 29;

export interface ParseOptions {
  /** Look every instruction up in the table (default true). */
  check?: boolean;
}

/**
 * Parses a PTX module: the whole grammar of PTX ISA 9.0, every name resolved, and every instruction
 * found in the table, its modifiers put into the ISA's order.
 *
 * Takes time linear in the source's length. Throws PtxError, with line, column and what was expected,
 * and nothing else, whatever the source is.
 */
export function parsePtx(source: string, name = "module", options: ParseOptions = {}): PtxModule {
  if (source.length > MAX_SOURCE) throw new PtxError("the PTX source is too long");
  const state = new ParserState(source, name);
  parseModule(state);
  if (options.check !== false) checkModule(state.module);
  return state.module;
}
