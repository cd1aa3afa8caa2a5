// Directives that carry no code: debug lines and sections, files, pragmas (PTX ISA §11.4, §11.5).

import type { SourceLocation } from "./ast.ts";
import { parseCount } from "./constants.ts";
import { TOKEN_END, TOKEN_NAME, TOKEN_STRING } from "./lexer.ts";
import type { ParserState } from "./scope.ts";

/** The text of a string token, its quotes taken off and its escapes read. */
export function parseString(p: ParserState, what: string): string {
  if (p.token !== TOKEN_STRING) throw p.expected(what);
  const text = p.text().slice(1, -1);
  p.next();
  return text.includes("\\") ? text.replace(/\\(.)/g, "$1") : text;
}

/** `.file 1 "name.cu"`, perhaps with time stamp and size. */
export function parseFile(p: ParserState): void {
  p.next();
  const index = parseCount(p, "a file number");
  const path = parseString(p, "a file name in quotes");
  if (p.accept(44)) {
    parseCount(p, "a time stamp");
    p.expect(44);
    parseCount(p, "a file size");
  }
  p.accept(59);
  p.module.files.set(index, path);
}

function parsePlace(p: ParserState): SourceLocation {
  return {
    file: parseCount(p, "a file number"),
    line: parseCount(p, "a line number"),
    column: parseCount(p, "a column"),
  };
}

/** `.loc file line column`, perhaps with `, function_name label+4, inlined_at file line column`. */
export function parseLoc(p: ParserState): void {
  p.next();
  const place = parsePlace(p);
  while (p.is(44)) {
    p.next();
    const word = p.name("'function_name' or 'inlined_at'");
    if (word === "function_name") {
      p.name("a label");
      if (p.accept(43)) parseCount(p, "an offset");
    } else if (word === "inlined_at") place.inlinedAt = parsePlace(p);
    else throw p.error(`expected 'function_name' or 'inlined_at', found '${word}'`);
  }
  p.accept(59);
  p.loc = place;
}

/** `.pragma "…", "…";`: hints, none of which changes what a program computes. */
export function parsePragma(p: ParserState): void {
  p.next();
  do parseString(p, "a pragma in quotes");
  while (p.accept(44));
  p.expect(59);
}

/** `.section name { … }`: debug data (§11.5.2), which is skipped. */
export function skipSection(p: ParserState): void {
  p.next();
  if (p.token === TOKEN_NAME) p.next();
  else {
    if (!p.source.startsWith(".", p.start)) throw p.expected("a section's name");
    p.next();
  }
  if (!p.is(123)) throw p.expected("'{'");
  let depth = 0;
  do {
    if (p.is(123)) depth++;
    else if (p.is(125)) depth--;
    else if (p.token === TOKEN_END) throw p.expected("'}' that ends the section");
    p.next();
  } while (depth > 0);
}
