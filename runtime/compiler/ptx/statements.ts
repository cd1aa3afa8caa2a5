// Bodies of functions: labels, blocks, instructions and the directives among them (PTX ISA §4.3).

import { Instruction, type Label, type Operand, type Prototype, type Variable } from "./ast.ts";
import { parseCount, parseFamilyCount } from "./constants.ts";
import { parseFile, parseLoc, parsePragma, skipSection } from "./debug.ts";
import { parseDeclaration, parseParams, spaceOf } from "./declarations.ts";
import { TOKEN_DOT, TOKEN_END, TOKEN_NAME } from "./lexer.ts";
import { parseElements, parseOperand } from "./operands.ts";
import type { ParserState } from "./scope.ts";

const SEMICOLON = 59;
const COLON = 58;
const COMMA = 44;
const OPEN = 123;
const CLOSE = 125;
const LIST = 40;
const GUARD = 64;
const NOT = 33;

/** More operands than any instruction has. */
const MAX_OPERANDS = 64;

/** Reads the body of `p.fn`; the current token is its `{`. Leaves the one after its `}`. */
export function parseBody(p: ParserState): void {
  const fn = p.fn;
  if (fn === undefined) return;
  const depth = p.scope.depth;
  p.next();
  for (;;) {
    if (p.token === TOKEN_NAME) {
      parseLabelOrInstruction(p);
    } else if (p.token === TOKEN_DOT) {
      parseBodyDirective(p);
    } else if (p.is(GUARD)) {
      parseGuarded(p);
    } else if (p.is(OPEN)) {
      p.open();
      p.next();
    } else if (p.is(CLOSE)) {
      const last = p.scope.depth === depth;
      p.next();
      if (last) return;
      p.close();
    } else if (p.is(SEMICOLON)) {
      p.next();
    } else if (p.token === TOKEN_END) {
      throw p.expected(`'}' that ends the body of '${fn.name}'`);
    } else {
      throw p.expected("an instruction, a label, a declaration or '}'");
    }
  }
}

/** `@p` or `@!p` and an instruction. */
function parseGuarded(p: ParserState): void {
  const { start, line, column } = p;
  p.next();
  const negate = p.accept(NOT);
  if (p.token !== TOKEN_NAME) throw p.expected("a predicate register");
  const reg = p.lookup(p.text());
  if (reg?.kind !== "variable" || reg.space !== "reg" || reg.type !== "pred") {
    throw p.expected("a predicate register");
  }
  p.next();
  if (p.token !== TOKEN_NAME) throw p.expected("an instruction");
  parseInstruction(p, { reg, negate }, start, line, column);
}

function parseLabelOrInstruction(p: ParserState): void {
  const { source } = p;
  // A label's colon mostly follows at once; white space may stand between.
  let at = p.end;
  while (source.charCodeAt(at) === 32 || source.charCodeAt(at) === 9) at++;
  if (source.charCodeAt(at) === COLON && source.charCodeAt(at + 1) !== COLON) parseLabel(p);
  else parseInstruction(p, undefined, p.start, p.line, p.column);
}

function parseLabel(p: ParserState): void {
  const { line, column } = p;
  const name = p.text();
  p.next();
  p.next(); // the colon
  if (p.token === TOKEN_DOT && parsePrototype(p, name, line, column)) return;
  p.scope.labels ??= new Map();
  if (p.scope.labels.has(name)) {
    throw p.errorAt(line, column, `label '${name}' is declared twice`);
  }
  const labels = p.fn?.labels ?? [];
  const label: Label = { name, index: labels.length, position: p.body.length, line };
  labels.push(label);
  p.scope.labels.set(name, label);
  p.body.push({ kind: "label", label });
}

/** `.branchtargets`, `.calltargets` or `.callprototype` after its label; false if it is none. */
function parsePrototype(p: ParserState, name: string, line: number, column: number): boolean {
  const kind = p.text().slice(1);
  if (kind !== "branchtargets" && kind !== "calltargets" && kind !== "callprototype") return false;
  p.next();
  const proto: Prototype = {
    kind,
    name,
    targets: 0,
    labels: [],
    functions: [],
    returns: [],
    params: [],
    noreturn: false,
    variadic: false,
    line,
  };
  p.declare(name, proto, line, column);
  if (kind === "callprototype") parseCallPrototype(p, proto);
  else parseTargets(p, proto);
  p.expect(SEMICOLON);
  return true;
}

function parseCallPrototype(p: ParserState, proto: Prototype): void {
  if (p.is(LIST)) parseParams(p, proto.returns, false);
  if (p.token === TOKEN_NAME) p.name("'_'");
  if (p.is(LIST)) proto.variadic = parseParams(p, proto.params, false);
  for (;;) {
    if (p.acceptDot("noreturn")) proto.noreturn = true;
    else if (p.acceptDot("abi_preserve") || p.acceptDot("abi_preserve_control")) {
      parseCount(p, "a number of registers");
    } else return;
  }
}

function parseTargets(p: ParserState, proto: Prototype): void {
  do {
    const { line, column } = p;
    const name = p.name(proto.kind === "branchtargets" ? "a label" : "a function");
    if (proto.kind === "branchtargets" && p.accept(60)) {
      // N<4>: the labels N0, N1, N2 and N3
      const count = parseFamilyCount(p);
      p.expect(62);
      for (let n = 0; n < count; n++) {
        if (proto.targets >= p.source.length) throw p.error("more targets than labels");
        addTarget(p, proto, `${name}${n}`, line, column);
      }
    } else addTarget(p, proto, name, line, column);
  } while (p.accept(COMMA));
}

/** Adds a target that is put in its place once the function has been read. */
function addTarget(p: ParserState, proto: Prototype, name: string, line: number, column: number) {
  const isBranch = proto.kind === "branchtargets";
  const slot = proto.targets++;
  p.later(name, line, column, (found) => {
    if (isBranch && !("kind" in found)) proto.labels[slot] = found;
    else if (!isBranch && "kind" in found && found.kind === "func") proto.functions[slot] = found;
    else throw p.errorAt(line, column, `'${name}' is no ${isBranch ? "label" : "function"}`);
  });
}

/** An instruction; the current token is its name, `start` is where its guard or name begins. */
function parseInstruction(
  p: ParserState,
  pred: { reg: Variable; negate: boolean } | undefined,
  start: number,
  line: number,
  column: number,
): void {
  p.extendMnemonic();
  let text = p.text();
  p.next();
  // `ld .global .u32` is the same as `ld.global.u32`.
  while (p.token === TOKEN_DOT) {
    text += p.text();
    p.next();
  }
  const name = p.mnemonic(text);
  const operands: Operand[] = [];
  if (name.opcode === "call") parseCallOperands(p, operands);
  else if (!p.is(SEMICOLON)) {
    const memory = name.opcode !== "mov" && name.opcode !== "cvta";
    for (;;) {
      parseOperand(p, operands, memory);
      if (p.is(SEMICOLON)) break;
      if (!p.is(COMMA)) throw p.expected("',' or ';'");
      if (operands.length > MAX_OPERANDS) throw p.error(`more than ${MAX_OPERANDS} operands`);
      p.next();
    }
  }
  if (!p.is(SEMICOLON)) throw p.expected("';'");
  const { source, end } = p;
  const instruction = new Instruction(
    name,
    pred,
    operands,
    line,
    column,
    p.loc,
    source,
    start,
    end,
  );
  p.next();
  p.body.push(instruction);
}

/** `call (ret), target, (arguments), prototype;`: each list may be missing. */
function parseCallOperands(p: ParserState, operands: Operand[]): void {
  for (;;) {
    if (p.is(LIST)) operands.push({ kind: "list", elements: parseElements(p, 41) });
    else parseOperand(p, operands, false);
    if (operands.length > 4) throw p.error("a call has at most four operands");
    if (!p.is(COMMA)) return;
    p.next();
  }
}

function parseBodyDirective(p: ParserState): void {
  const { line, column } = p;
  const word = p.text().slice(1);
  if (word === "loc") parseLoc(p);
  else if (word === "pragma") parsePragma(p);
  else if (word === "section") skipSection(p);
  else if (word === "file") parseFile(p);
  else if (spaceOf(p) !== undefined) parseDeclaration(p, "none", p.fn?.locals ?? []);
  else if (word === "extern" && p.fn !== undefined) {
    // `.extern .shared .b8 s[];` in a body
    p.next();
    if (spaceOf(p) === undefined) throw p.expected("a state space: .shared, .global, …");
    parseDeclaration(p, "extern", p.fn.locals);
  } else {
    throw p.errorAt(line, column, `expected an instruction or a declaration, found '.${word}'`);
  }
}
