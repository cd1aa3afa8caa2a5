// Declarations of variables, registers and parameters (PTX ISA §5.4, §11.1 `.param`).

import type { Linkage, Space, Variable } from "./ast.ts";
import { parseCount, parseFamilyCount, parseInteger } from "./constants.ts";
import { parseFields, parseInitializer } from "./initializers.ts";
import { TOKEN_DOT, TOKEN_NAME } from "./lexer.ts";
import type { ParserState } from "./scope.ts";
import { isOpaqueType, TYPE_BYTES } from "./types.ts";

const SPACES = new Map<string, Space>([
  ["reg", "reg"],
  ["sreg", "sreg"],
  ["global", "global"],
  ["const", "const"],
  ["shared", "shared"],
  ["shared::cta", "shared"],
  ["local", "local"],
  ["param", "param"],
  ["tex", "global"],
]);

/** The space that the current token `.space` names, or undefined. */
export function spaceOf(p: ParserState): Space | undefined {
  return p.token === TOKEN_DOT ? SPACES.get(p.text().slice(1)) : undefined;
}

/** What comes before the names of a declaration. */
interface Specifier {
  space: Space;
  type: string;
  vector: 1 | 2 | 4 | 8;
  align: number | undefined;
  managed: boolean;
  pointer: Variable["pointer"];
}

/** Largest alignment that `.align` takes; it has to be a power of two. */
const MAX_ALIGN = 2 ** 31;

function parseAlign(p: ParserState): number {
  const { line, column } = p;
  const align = parseCount(p, "an alignment in bytes");
  if (align < 1 || align > MAX_ALIGN || !Number.isInteger(Math.log2(align))) {
    throw p.errorAt(line, column, `alignment ${align} isn't a power of two`);
  }
  return align;
}

/** `.attribute(.managed)`, `.attribute(.unified(1, 2))` (§11.6, 5.4.8). Returns: is it managed? */
function parseAttribute(p: ParserState): boolean {
  let managed = false;
  p.expect(40);
  do {
    if (p.acceptDot("managed")) managed = true;
    else if (p.acceptDot("unified")) {
      p.expect(40);
      parseInteger(p, "a UUID's half");
      p.expect(44);
      parseInteger(p, "a UUID's half");
      p.expect(41);
    } else throw p.expected("'.managed' or '.unified'");
  } while (p.accept(44));
  p.expect(41);
  return managed;
}

/** `.ptr .global .align 8` of a kernel's parameter. */
function parsePointer(p: ParserState): Variable["pointer"] {
  const space = spaceOf(p);
  if (space !== undefined) p.next();
  const align = p.acceptDot("align") ? parseAlign(p) : 4;
  return { space: space ?? "generic", align };
}

function parseSpecifier(p: ParserState): Specifier {
  const space = spaceOf(p);
  if (space === undefined) throw p.expected("a state space: .reg, .global, .shared, …");
  const isTex = p.isDot("tex");
  p.next();
  if (space === "const" && p.accept(91)) {
    // .const[bank], deprecated since PTX 2.2: the banks are one space here.
    parseCount(p, "a bank number");
    p.expect(93);
  }
  const result: Specifier = {
    space,
    type: "",
    vector: 1,
    align: undefined,
    managed: false,
    pointer: undefined,
  };
  while (p.token === TOKEN_DOT) {
    const word = p.text().slice(1);
    if (TYPE_BYTES.has(word)) {
      if (result.type !== "") throw p.expected("a name");
      result.type = isTex ? "texref" : word;
      p.next();
    } else if (word === "align") {
      p.next();
      result.align = parseAlign(p);
    } else if (word === "v2" || word === "v4" || word === "v8") {
      result.vector = Number(word.slice(1)) as 2 | 4 | 8;
      p.next();
    } else if (word === "ptr" && space === "param") {
      p.next();
      result.pointer = parsePointer(p);
    } else if (word === "attribute") {
      p.next();
      result.managed = parseAttribute(p);
    } else {
      throw p.expected("a type: .b8, .u32, .f64, .pred, …");
    }
  }
  if (result.type === "") throw p.expected("a type: .b8, .u32, .f64, .pred, …");
  return result;
}

function typeBytes(type: string): number {
  return TYPE_BYTES.get(type) ?? 0;
}

/** `[n][m]` after a name, [] if there is none; an empty bracket is 0. */
function parseDims(p: ParserState): number[] {
  const dims: number[] = [];
  while (p.is(91)) {
    p.next();
    if (p.is(93)) {
      if (dims.length > 0) throw p.expected("an array size: only the first may be left out");
      dims.push(0);
    } else dims.push(parseCount(p, "an array size"));
    p.expect(93);
    if (dims.length > 16) throw p.error("an array of more than 16 dimensions");
  }
  return dims;
}

function setLayout(p: ParserState, variable: Variable, align: number | undefined): void {
  const element = typeBytes(variable.type) * variable.vector;
  let size = element;
  for (const dim of variable.dims) size *= dim;
  if (!Number.isSafeInteger(size)) throw p.error(`'${variable.name}' is larger than 2^53 bytes`);
  variable.size = size;
  variable.align = align ?? element;
}

/**
 * Reads one declaration up to its semicolon, in the current scope: at module level (with the linkage
 * read before) or in a body. Adds the variables to `list`, registers to the function's registers.
 */
export function parseDeclaration(p: ParserState, linkage: Linkage, list: Variable[]): void {
  const specifier = parseSpecifier(p);
  const { space } = specifier;
  if (space === "sreg") throw p.error("special registers can't be declared");
  if (space === "reg" && p.fn === undefined) {
    throw p.error("a register is declared outside of a function");
  }
  do {
    const { line, column } = p;
    const name = p.name("a name");
    if (p.is(60)) {
      parseFamily(p, name, specifier, line);
      continue;
    }
    let variable = p.variable(name, space, specifier.type, specifier.vector, line);
    variable.linkage = linkage;
    if (specifier.managed) variable.managed = true;
    variable.dims = parseDims(p);
    setLayout(p, variable, specifier.align);
    if (space === "reg") {
      if (variable.dims.length > 0) throw p.error("an array of registers: they can't be indexed");
      p.addRegister(variable);
      p.declare(name, variable, line, column);
    } else {
      variable = declareVariable(p, variable, list, line, column);
    }
    if (p.is(61)) readInitializer(p, variable);
  } while (p.accept(44));
  p.expect(59);
}

function readInitializer(p: ParserState, variable: Variable): void {
  if (isOpaqueType(variable.type)) {
    p.next();
    variable.fields = parseFields(p);
    return;
  }
  if (variable.space !== "global" && variable.space !== "const") {
    throw p.error(`a .${variable.space} variable can't have an initialiser`);
  }
  if (variable.linkage === "extern") throw p.error("an extern variable can't have an initialiser");
  p.next();
  variable.init = parseInitializer(p, variable);
}

/**
 * Enters a variable and returns the object that stands for it: a definition is put into the object
 * of an earlier extern declaration, and an extern declaration of a defined variable is that variable.
 */
function declareVariable(
  p: ParserState,
  variable: Variable,
  list: Variable[],
  line: number,
  column: number,
): Variable {
  const before = p.scope.names.get(variable.name);
  if (before?.kind === "variable" && p.fn === undefined && before.space === variable.space) {
    if (variable.linkage === "extern") return before;
    if (before.linkage === "extern") {
      const { id, index } = before;
      return Object.assign(before, variable, { id, index });
    }
  }
  p.declare(variable.name, variable, line, column);
  variable.index = list.length;
  list.push(variable);
  return variable;
}

/** `%r<100>` */
function parseFamily(p: ParserState, name: string, specifier: Specifier, line: number): void {
  if (specifier.space !== "reg") throw p.error("only registers are declared in numbered families");
  p.next();
  const count = parseFamilyCount(p);
  p.expect(62);
  p.scope.families ??= new Map();
  if (p.scope.families.has(name)) throw p.error(`'${name}<…>' is declared twice`);
  const bytes = typeBytes(specifier.type) * specifier.vector;
  p.scope.families.set(name, {
    count,
    type: specifier.type,
    vector: specifier.vector,
    bytes,
    align: specifier.align ?? bytes,
    line,
  });
}

/**
 * Reads `(.param .b32 a, …)`; the current token is the parenthesis. Returns whether the list ends
 * with an unsized array (variadic). `_` names nothing. `declare`: the names are for the body.
 */
export function parseParams(p: ParserState, list: Variable[], declare: boolean): boolean {
  p.expect(40);
  let variadic = false;
  if (p.accept(41)) return false;
  do {
    if (variadic) throw p.expected("')': an unsized array is the last parameter");
    const specifier = parseSpecifier(p);
    if (specifier.space !== "param" && specifier.space !== "reg") {
      throw p.error(`a parameter is .param or .reg, not .${specifier.space}`);
    }
    const { line, column } = p;
    const name = p.token === TOKEN_NAME ? p.name("a name") : "_";
    const { space, type, vector } = specifier;
    const variable = p.variable(name, space, type, vector, line);
    variable.dims = parseDims(p);
    variadic = variable.dims[0] === 0 && variable.dims.length === 1;
    setLayout(p, variable, specifier.align);
    if (specifier.pointer !== undefined) variable.pointer = specifier.pointer;
    if (declare && name !== "_") p.declare(name, variable, line, column);
    variable.index = list.length;
    list.push(variable);
  } while (p.accept(44));
  p.expect(41);
  return variadic;
}
