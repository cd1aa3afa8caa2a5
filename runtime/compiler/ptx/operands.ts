// Operands of instructions (PTX ISA §6): registers, constants, addresses, vectors, lists.

import type {
  AddressOperand,
  IntOperand,
  Operand,
  RegOperand,
  SymbolOperand,
  TextureOperand,
  Variable,
  VectorOperand,
} from "./ast.ts";
import { floatBits, parseConstant, parseInteger } from "./constants.ts";
import { isNameCode, TOKEN_DOT, TOKEN_FLOAT, TOKEN_INT, TOKEN_NAME } from "./lexer.ts";
import { isPrototype, type ParserState } from "./scope.ts";
import { SPECIAL_REGISTERS } from "./types.ts";

const SINK: Operand = Object.freeze({ kind: "sink" });

/** Longest vector or argument list that is read; wgmma has 128 registers in one vector. */
const MAX_ELEMENTS = 4096;

/** Components of vectors (§6.4.3) and the selectors of video instructions (§9.7.18). */
const COMPONENT = /^(?:[xyzwrgba]|b[0-7]{1,4}|h[0-3]{1,2})$/;

/**
 * Reads one operand into `list`. A name that isn't declared yet (a label ahead) is put there when
 * the function has been read. `memory`: `a[1]` stands for the memory at that element, not for its
 * address (§6.4.2).
 */
export function parseOperand(p: ParserState, list: Operand[], memory: boolean): void {
  const index = list.length;
  const waiting = p.pending.length;
  parsePrimary(p, list, memory, false);
  if (p.is(124)) {
    // d|p
    p.next();
    const pair: Operand[] = [list[index] as Operand];
    parsePrimary(p, pair, memory, false);
    refusePending(p, waiting);
    const first = pair[0] as Operand;
    const second = pair[1] as Operand;
    list[index] = { kind: "pair", first, second };
  }
}

/** Throws if a name was left for later where only declared ones can stand. */
function refusePending(p: ParserState, waiting: number): void {
  const pending = p.pending[waiting];
  if (pending === undefined) return;
  throw p.errorAt(pending.line, pending.column, `'${pending.name}' isn't declared`);
}

function parsePrimary(p: ParserState, list: Operand[], memory: boolean, nested: boolean): void {
  switch (p.token) {
    case TOKEN_NAME:
      parseNamed(p, list, memory, nested);
      return;
    case TOKEN_INT:
    case TOKEN_FLOAT:
      list.push(parseImmediate(p));
      return;
  }
  if (!nested) {
    if (p.is(91)) {
      list.push(parseAddress(p));
      return;
    }
    if (p.is(123)) {
      list.push({ kind: "vector", elements: parseElements(p, 125) });
      return;
    }
  }
  if (p.is(33)) {
    p.next();
    if (p.token === TOKEN_NAME) {
      const named = p.lookup(p.text());
      if (named?.kind === "variable" && named.space === "reg") {
        p.next();
        list.push({ kind: "not", operand: { kind: "reg", reg: named } });
        return;
      }
    }
    throw p.expected("a predicate register after '!'");
  }
  if (p.is(45) && isNameCode(p.source.charCodeAt(p.end + 1)) && parseNegated(p, list)) return;
  if (p.is(45) || p.is(40) || p.is(43) || p.is(126)) {
    list.push(parseImmediate(p));
    return;
  }
  throw p.expected("an operand");
}

/** `-a` with a register a; false if it is a constant after all. The current token is the minus. */
function parseNegated(p: ParserState, list: Operand[]): boolean {
  const { source, end } = p;
  const first = source.charCodeAt(end);
  if (first >= 48 && first <= 57) return false;
  if (source.startsWith("WARP_SZ", end)) return false;
  p.next();
  const named = p.token === TOKEN_NAME ? p.lookup(p.text()) : undefined;
  if (named?.kind !== "variable" || named.space !== "reg") {
    throw p.expected("a register or a constant after '-'");
  }
  list.push({ kind: "neg", operand: parseRegister(p, named) });
  return true;
}

/** Elements up to the closing bracket (a character code); the current token is the opening one. */
export function parseElements(p: ParserState, close: number): Operand[] {
  const elements: Operand[] = [];
  p.next();
  if (p.accept(close)) return elements;
  for (;;) {
    parsePrimary(p, elements, false, true);
    if (elements.length > MAX_ELEMENTS) throw p.error(`more than ${MAX_ELEMENTS} elements`);
    if (p.accept(close)) return elements;
    if (!p.is(44)) throw p.expected(`',' or '${String.fromCharCode(close)}'`);
    p.next();
  }
}

function parseImmediate(p: ParserState): Operand {
  const value = parseConstant(p);
  if (value.kind === "int") return { kind: "int", value: value.int };
  return { kind: "float", bits: floatBits(value, value.size), size: value.size };
}

/** A register with its component, from the current name token that `reg` is. */
function parseRegister(p: ParserState, reg: Variable): RegOperand {
  const operand = parseRegisters(p, reg);
  if (operand.kind === "reg") return operand;
  throw p.error(`'${reg.name}' is a vector: one element is expected, such as ${reg.name}.x`);
}

/** A register with its component, or a vector register as the vector of its elements. */
function parseRegisters(p: ParserState, reg: Variable): RegOperand | VectorOperand {
  p.next();
  const elements = p.vectors.get(reg);
  if (p.token !== TOKEN_DOT) {
    if (elements === undefined) return { kind: "reg", reg };
    return { kind: "vector", elements: elements.map((element) => ({ kind: "reg", reg: element })) };
  }
  const component = p.text().slice(1);
  if (!COMPONENT.test(component)) throw p.expected("a component: .x, .y, .z, .w, .b0 or .h0");
  const index = component.length === 1 ? "xrygzbwa".indexOf(component) >> 1 : -1;
  if (index >= 0) {
    const element = elements?.[index];
    if (element === undefined) throw p.error(`'${reg.name}' has no component .${component}`);
    p.next();
    return { kind: "reg", reg: element };
  }
  p.next();
  return { kind: "reg", reg, component };
}

function parseSpecial(p: ParserState, name: string): Operand | undefined {
  if (!SPECIAL_REGISTERS.has(name)) return undefined;
  p.next();
  if (p.token !== TOKEN_DOT) return { kind: "sreg", name };
  const full = name + p.text();
  if (!SPECIAL_REGISTERS.has(full)) throw p.error(`there is no special register '${full}'`);
  p.next();
  return { kind: "sreg", name: full };
}

function parseNamed(p: ParserState, list: Operand[], memory: boolean, nested: boolean): void {
  const name = p.text();
  const named = p.lookup(name);
  if (named === undefined) {
    if (name === "_") {
      p.next();
      list.push(SINK);
      return;
    }
    if (name === "WARP_SZ") {
      list.push(parseImmediate(p));
      return;
    }
    const special = parseSpecial(p, name);
    if (special !== undefined) {
      list.push(special);
      return;
    }
    if (name.charCodeAt(0) === 37) throw p.error(`register '${name}' isn't declared`);
    parseLater(p, list, name);
    return;
  }
  if (named.kind === "variable") {
    if (named.space === "reg") {
      list.push(nested ? parseRegister(p, named) : parseRegisters(p, named));
      return;
    }
    p.next();
    const symbol: SymbolOperand = { kind: "symbol", symbol: named, offset: 0 };
    if (p.is(91)) {
      const address = parseIndexed(p, named);
      list.push(memory ? { kind: "address", base: symbol, offset: address } : symbol);
      if (!memory) symbol.offset = address;
      return;
    }
    symbol.offset = parseOffset(p);
    list.push(symbol);
    return;
  }
  p.next();
  if (isPrototype(named)) list.push({ kind: "proto", proto: named });
  else list.push({ kind: "symbol", symbol: named, offset: parseOffset(p) });
}

/** A name declared further on: a label, a prototype or a function. */
function parseLater(p: ParserState, list: Operand[], name: string): void {
  const index = list.length;
  list.push(SINK); // keeps the place
  p.later(name, p.line, p.column, (found) => {
    if (!("kind" in found)) list[index] = { kind: "label", label: found };
    else if (isPrototype(found)) list[index] = { kind: "proto", proto: found };
    else list[index] = { kind: "symbol", symbol: found, offset: 0 };
  });
  p.next();
}

/** `+4` or `-4` after a base; 0 if there is none. */
function parseOffset(p: ParserState): number {
  const plus = p.is(43);
  if (!plus && !p.is(45)) return 0;
  if (plus) p.next();
  const { line, column } = p;
  const value = Number(BigInt.asIntN(64, parseInteger(p, "an integer offset")));
  if (!Number.isSafeInteger(value)) {
    throw p.errorAt(line, column, "an address offset doesn't fit in 53 bits");
  }
  return value;
}

/** `[n]` after a variable: the offset of element n. */
function parseIndexed(p: ParserState, variable: Variable): number {
  p.next();
  const index = Number(parseInteger(p, "a constant index"));
  p.expect(93);
  let elements = 1;
  for (const dim of variable.dims) elements *= dim || 1;
  const bytes = variable.dims.length > 0 && variable.size > 0 ? variable.size / elements : 1;
  return index * bytes;
}

/** `[…]`; the current token is the bracket. */
function parseAddress(p: ParserState): AddressOperand | TextureOperand {
  p.next();
  let base: RegOperand | SymbolOperand | IntOperand;
  let offset = 0;
  if (p.token === TOKEN_NAME && p.text() !== "WARP_SZ") {
    base = parseBase(p);
    offset = parseOffset(p);
  } else {
    const value = parseConstant(p);
    if (value.kind !== "int") throw p.error("an address is an integer, not a float");
    base = { kind: "int", value: value.int };
  }
  if (p.is(44) && base.kind !== "int" && offset === 0) return parseTexture(p, base);
  p.expect(93);
  return { kind: "address", base, offset };
}

function parseBase(p: ParserState): RegOperand | SymbolOperand {
  const name = p.text();
  const named = p.lookup(name);
  if (named === undefined) throw p.error(`'${name}' isn't declared`);
  if (named.kind === "variable") {
    if (named.space === "reg") return parseRegister(p, named);
    p.next();
    return { kind: "symbol", symbol: named, offset: 0 };
  }
  if (named.kind === "entry" || named.kind === "func") {
    p.next();
    return { kind: "symbol", symbol: named, offset: 0 };
  }
  throw p.expected("a register or variable");
}

/** What follows `[texture`: an optional sampler and the coordinates. */
function parseTexture(p: ParserState, base: RegOperand | SymbolOperand): TextureOperand {
  p.next();
  const rest: Operand[] = [];
  const waiting = p.pending.length;
  for (;;) {
    parsePrimary(p, rest, false, false);
    if (rest.length === 2 || !p.accept(44)) break;
  }
  p.expect(93);
  refusePending(p, waiting);
  const coords = rest[rest.length - 1] as Operand;
  if (rest.length === 1) return { kind: "texture", base, coords };
  const sampler = rest[0] as Operand;
  if (sampler.kind !== "reg" && sampler.kind !== "symbol") {
    throw p.error("expected a sampler before the coordinates");
  }
  return { kind: "texture", base, sampler, coords };
}
