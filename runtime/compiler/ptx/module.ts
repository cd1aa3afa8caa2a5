// The top of a module: version, target, functions and variables (PTX ISA §11).

import type { Dim3, Label, Linkage, PtxFunction } from "./ast.ts";
import { parseCount } from "./constants.ts";
import { parseFile, parseLoc, parsePragma, skipSection } from "./debug.ts";
import { parseDeclaration, parseParams, spaceOf } from "./declarations.ts";
import { TOKEN_DOT, TOKEN_END, TOKEN_FLOAT } from "./lexer.ts";
import { type Named, type ParserState, Scope } from "./scope.ts";
import { parseBody } from "./statements.ts";
import { formsOf } from "./table/index.ts";

const SEMICOLON = 59;
const COMMA = 44;
const OPEN = 123;

const LINKAGES = new Map<string, Linkage>([
  ["extern", "extern"],
  ["visible", "visible"],
  ["weak", "weak"],
  ["common", "common"],
]);

/** Reads the whole source into `p.module`. */
export function parseModule(p: ParserState): void {
  p.next();
  parseVersion(p);
  while (p.token !== TOKEN_END) {
    if (p.accept(SEMICOLON)) continue;
    if (p.token !== TOKEN_DOT) throw p.expected("a directive: .visible, .entry, .global, …");
    parseTopLevel(p);
  }
  if (p.module.target.length === 0) throw p.expected("'.target' somewhere in the module");
  resolvePending(p);
}

/** `.version 9.0`, which must come first (§11.1). */
function parseVersion(p: ParserState): void {
  if (!p.acceptDot("version")) throw p.expected("'.version', with which PTX begins");
  if (p.token !== TOKEN_FLOAT) throw p.expected("a version such as 9.0");
  const text = p.text();
  if (!/^\d{1,3}\.\d{1,3}$/.test(text)) throw p.expected("a version such as 9.0");
  const [major, minor] = text.split(".");
  p.module.version = [Number(major), Number(minor)];
  p.next();
  p.accept(SEMICOLON);
}

function parseTopLevel(p: ParserState): void {
  let linkage: Linkage = "none";
  let word = p.text().slice(1);
  const given = LINKAGES.get(word);
  if (given !== undefined) {
    linkage = given;
    p.next();
    if (p.token !== TOKEN_DOT) throw p.expected("'.entry', '.func' or a state space");
    word = p.text().slice(1);
  }
  if (word === "entry" || word === "func") {
    p.next();
    parseFunction(p, word, linkage);
  } else if (spaceOf(p) !== undefined) {
    parseDeclaration(p, linkage, p.module.variables);
  } else if (given !== undefined) {
    throw p.expected("'.entry', '.func' or a state space");
  } else {
    parseModuleDirective(p, word);
  }
}

function parseModuleDirective(p: ParserState, word: string): void {
  switch (word) {
    case "target":
      p.next();
      do p.module.target.push(p.name("a target: sm_50, sm_90a, debug, …"));
      while (p.accept(COMMA));
      p.accept(SEMICOLON);
      break;
    case "address_size": {
      p.next();
      const size = parseCount(p, "32 or 64");
      if (size !== 32 && size !== 64) throw p.error(`address size ${size} isn't 32 or 64`);
      p.module.addressSize = size;
      p.accept(SEMICOLON);
      break;
    }
    case "file":
      parseFile(p);
      break;
    case "loc":
      parseLoc(p);
      break;
    case "section":
      skipSection(p);
      break;
    case "pragma":
      parsePragma(p);
      break;
    case "alias":
      parseAlias(p);
      break;
    default:
      throw p.expected("a directive: .visible, .entry, .func, .global, .target, …");
  }
}

/** `.alias name, target;` (§11.6.5) */
function parseAlias(p: ParserState): void {
  p.next();
  const alias = parseFunctionName(p);
  p.expect(COMMA);
  const target = parseFunctionName(p);
  p.expect(SEMICOLON);
  alias.aliasOf = target;
}

function parseFunctionName(p: ParserState): PtxFunction {
  const { line, column } = p;
  const name = p.name("a function's name");
  const named = p.lookup(name);
  if (named?.kind !== "func") throw p.errorAt(line, column, `'${name}' is no declared function`);
  return named;
}

function newFunction(kind: "entry" | "func", name: string, linkage: Linkage, line: number) {
  const fn: PtxFunction = {
    kind,
    index: 0,
    name,
    linkage,
    returns: [],
    params: [],
    variadic: false,
    registers: [],
    locals: [],
    labels: [],
    noreturn: false,
    explicitCluster: false,
    blocksAreClusters: false,
    line,
  };
  return fn;
}

/** A function after `.entry` or `.func`: a declaration that ends with `;` or a definition. */
function parseFunction(p: ParserState, kind: "entry" | "func", linkage: Linkage): void {
  const scope = new Scope(p.moduleScope);
  p.scope = scope;
  const fn = newFunction(kind, "", linkage, p.line);
  while (p.isDot("attribute")) skipAttribute(p);
  if (kind === "func" && p.is(40)) parseParams(p, fn.returns, true);
  const { line, column } = p;
  fn.line = line;
  fn.name = p.name("a function's name");
  p.kernel = fn.name;
  if (p.is(40)) fn.variadic = parseParams(p, fn.params, true);
  parseFunctionDirectives(p, fn);
  p.scope = p.moduleScope;
  const declared = declareFunction(p, fn, line, column);
  if (!p.accept(SEMICOLON)) {
    if (!p.is(OPEN)) throw p.expected("'{' and the body, or ';'");
    if (declared.body !== undefined) {
      throw p.errorAt(line, column, `'${fn.name}' is defined twice`);
    }
    parseDefinition(p, declared, scope);
  }
  p.kernel = undefined;
}

/** The function's object: that of an earlier declaration if there is one, with what is new. */
function declareFunction(p: ParserState, fn: PtxFunction, line: number, column: number) {
  const before = p.moduleScope.names.get(fn.name);
  if (before === undefined) {
    fn.index = p.module.functions.length;
    p.module.functions.push(fn);
    p.moduleScope.names.set(fn.name, fn);
    return fn;
  }
  if (before.kind !== fn.kind) {
    throw p.errorAt(line, column, `'${fn.name}' is declared twice: first on line ${before.line}`);
  }
  if (before.body !== undefined) return before;
  const sizes = (list: { size: number }[]) => list.map((v) => v.size).join();
  if (
    sizes(before.params) !== sizes(fn.params) ||
    sizes(before.returns) !== sizes(fn.returns) ||
    before.variadic !== fn.variadic
  ) {
    throw p.errorAt(
      line,
      column,
      `'${fn.name}' has other parameters than declared on line ${before.line}`,
    );
  }
  const { index } = before;
  const linkage = fn.linkage === "none" || fn.linkage === "extern" ? before.linkage : fn.linkage;
  const noreturn = before.noreturn || fn.noreturn;
  return Object.assign(before, fn, { index, linkage, noreturn });
}

function parseDefinition(p: ParserState, fn: PtxFunction, scope: Scope): void {
  if (fn.linkage === "extern") fn.linkage = "visible";
  p.scope = scope;
  p.fn = fn;
  p.body = [];
  p.loc = undefined;
  const outer = p.pending;
  p.pending = [];
  parseBody(p);
  fn.body = p.body;
  resolveLabels(p, outer);
  p.pending = outer;
  p.fn = undefined;
  p.scope = p.moduleScope;
}

/** Finds the labels of a function that were used ahead; leaves other names to the module's end. */
function resolveLabels(p: ParserState, outer: ParserState["pending"]): void {
  for (const pending of p.pending) {
    const found = findLate(pending.name, pending.scope);
    if (found !== undefined) pending.resolve(found);
    else outer.push(pending);
  }
}

function findLate(name: string, from: Scope): Named | Label | undefined {
  for (let scope: Scope | undefined = from; scope !== undefined; scope = scope.parent) {
    const found = scope.labels?.get(name) ?? scope.names.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function resolvePending(p: ParserState): void {
  for (const { name, line, column, kernel, resolve } of p.pending) {
    const found = p.moduleScope.names.get(name);
    p.kernel = kernel;
    if (found === undefined) {
      // An opcode where an operand should be: the line before lacks its semicolon.
      const what = formsOf(name).length > 0 ? "expected ';' before it" : "it isn't declared";
      throw p.errorAt(line, column, `'${name}': ${what}`);
    }
    resolve(found);
  }
}

function parseDim3(p: ParserState): Dim3 {
  const dims: Dim3 = [1, 1, 1];
  for (let k = 0; k < 3; k++) {
    dims[k] = parseCount(p, "a number of threads or blocks");
    if (!p.accept(COMMA)) break;
  }
  return dims;
}

/** `.attribute(.unified(…))` of a function */
function skipAttribute(p: ParserState): void {
  p.next();
  p.expect(40);
  if (!p.acceptDot("unified")) throw p.expected("'.unified'");
  p.expect(40);
  parseCount(p, "a UUID's half");
  p.expect(COMMA);
  parseCount(p, "a UUID's half");
  p.expect(41);
  p.expect(41);
}

/** Directives between a function's parameters and its body (§11.2, §11.7, §11.8). */
function parseFunctionDirectives(p: ParserState, fn: PtxFunction): void {
  while (p.token === TOKEN_DOT) {
    const word = p.text().slice(1);
    if (word === "pragma") {
      parsePragma(p);
      continue;
    }
    if (word === "attribute") {
      skipAttribute(p);
      continue;
    }
    p.next();
    switch (word) {
      case "maxntid":
        fn.maxntid = parseDim3(p);
        break;
      case "reqntid":
        fn.reqntid = parseDim3(p);
        break;
      case "reqnctapercluster":
        fn.clusterDims = parseDim3(p);
        break;
      case "minnctapersm":
        fn.minnctapersm = parseCount(p, "a number of blocks");
        break;
      case "maxnctapersm":
        fn.maxnctapersm = parseCount(p, "a number of blocks");
        break;
      case "maxnreg":
        fn.maxnreg = parseCount(p, "a number of registers");
        break;
      case "maxclusterrank":
        fn.maxClusterRank = parseCount(p, "a cluster size");
        break;
      case "explicitcluster":
        fn.explicitCluster = true;
        break;
      case "blocksareclusters":
        fn.blocksAreClusters = true;
        break;
      case "noreturn":
        fn.noreturn = true;
        break;
      case "abi_preserve":
      case "abi_preserve_control":
        parseCount(p, "a number of registers");
        break;
      case "unique":
        break;
      default:
        throw p.error(`unknown directive '.${word}' of function '${fn.name}'`);
    }
  }
}
