// Initialisers of variables (PTX ISA §5.4.4) and of texture, sampler and surface references (§5.3).

import type { Initializer, Label, Relocation, Variable } from "./ast.ts";
import {
  type Constant,
  continueConstant,
  floatBits,
  parseConstant,
  parseInteger,
} from "./constants.ts";
import { TOKEN_INT, TOKEN_NAME, TOKEN_STRING } from "./lexer.ts";
import type { Named, ParserState } from "./scope.ts";
import { TYPE_BYTES } from "./types.ts";

const COMMA = 44;
const OPEN = 123;
const CLOSE = 125;
/** Bytes that an initialiser may span beyond what its text pays for. */
const MAX_GAP = 1 << 24;

/** Bytes that grow as they are written, so that a huge array costs only what is given of it. */
class ByteWriter {
  bytes = new Uint8Array(64);
  view = new DataView(this.bytes.buffer);
  length = 0;

  /** Makes room for `size` bytes at `offset`. */
  reserve(offset: number, size: number): void {
    const end = offset + size;
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    if (end > this.length) this.length = end;
  }
}

interface Target {
  variable: Variable;
  /** Bytes of an element. */
  element: number;
  /** Elements from one sub-array of each depth to the next; the last is 1. */
  strides: number[];
  /** Elements in all; Infinity for an unsized array. */
  total: number;
  out: ByteWriter;
  relocations: Relocation[];
}

/**
 * Reads the initialiser of `variable`, after the `=`: a value, or values in braces for each dimension
 * (the inner braces may be left out). Sets the size of an unsized array.
 */
export function parseInitializer(p: ParserState, variable: Variable): Initializer {
  if (variable.type === "pred" || variable.type === "f16" || variable.type === "f16x2") {
    throw p.error(`a .${variable.type} variable can't have an initialiser`);
  }
  const dims = variable.vector > 1 ? [...variable.dims, variable.vector] : variable.dims;
  const strides: number[] = new Array(dims.length).fill(1);
  for (let k = dims.length - 2; k >= 0; k--) {
    strides[k] = (strides[k + 1] as number) * (dims[k + 1] as number);
  }
  const unsized = dims[0] === 0;
  const inner = strides[0] ?? 1;
  const target: Target = {
    variable,
    element: TYPE_BYTES.get(variable.type) ?? 1,
    strides,
    total: dims.length === 0 ? 1 : unsized ? Number.POSITIVE_INFINITY : (dims[0] as number) * inner,
    out: new ByteWriter(),
    relocations: [],
  };
  if (dims.length === 0 && !p.is(OPEN)) parseElement(p, target, 0);
  else {
    if (!p.is(OPEN)) throw p.expected("'{' and the values of the array");
    const end = parseBraces(p, target, 0, 0, target.total);
    if (unsized) {
      const rows = Math.ceil(end / inner);
      variable.dims[0] = rows;
      variable.size = rows * inner * target.element;
    }
  }
  return { bytes: target.out.bytes.slice(0, target.out.length), relocations: target.relocations };
}

/** `{…}` that fills the elements from `from` up to `limit`; returns the element after the last. */
function parseBraces(
  p: ParserState,
  t: Target,
  depth: number,
  from: number,
  limit: number,
): number {
  p.expect(OPEN);
  let at = from;
  let end = from;
  while (!p.is(CLOSE)) {
    if (at >= limit) throw p.error(`more values than '${t.variable.name}' has elements`);
    if (p.is(OPEN)) {
      if (depth + 1 >= t.strides.length) throw p.expected("a value: braces are nested too deeply");
      const stride = t.strides[depth] as number;
      at = from + Math.ceil((at - from) / stride) * stride;
      parseBraces(p, t, depth + 1, at, Math.min(at + stride, limit));
      at += stride;
    } else {
      parseElement(p, t, at);
      at++;
    }
    end = at;
    if (!p.accept(COMMA)) break;
  }
  p.expect(CLOSE);
  return end;
}

function parseElement(p: ParserState, t: Target, index: number): void {
  const offset = index * t.element;
  // Rows of which only the start is given leave gaps; those are stored, so they must stay small.
  if (offset > MAX_GAP + 64 * p.source.length) {
    throw p.error(`the initialiser of '${t.variable.name}' leaves too large gaps`);
  }
  t.out.reserve(offset, t.element);
  if (p.token === TOKEN_NAME && p.text() !== "WARP_SZ") {
    parseSymbol(p, t, offset);
    return;
  }
  if (p.token !== TOKEN_INT) {
    storeConstant(p, t, offset, parseConstant(p));
    return;
  }
  const { value, big, unsigned } = p;
  p.next();
  if (p.is(40)) {
    // 0xFF(symbol): some bits of an address
    p.next();
    parseAddressOf(p, t, offset, big ?? BigInt(value));
    p.expect(41);
    return;
  }
  const alone = p.is(COMMA) || p.is(CLOSE) || p.is(59);
  if (alone && big === undefined && value <= 0xffffffff && t.element <= 4 && !isFloat(t)) {
    // The common case, without a bigint.
    if (t.element === 1) t.out.view.setUint8(offset, value);
    else if (t.element === 2) t.out.view.setUint16(offset, value, true);
    else t.out.view.setUint32(offset, value, true);
    return;
  }
  const int = big ?? BigInt(value);
  const first: Constant = { kind: "int", unsigned: unsigned || int >> 63n !== 0n, int };
  storeConstant(p, t, offset, continueConstant(p, first));
}

function isFloat(t: Target): boolean {
  return t.variable.type === "f32" || t.variable.type === "f64";
}

function storeConstant(p: ParserState, t: Target, offset: number, c: Constant): void {
  const { type } = t.variable;
  if (isFloat(t)) {
    storeInteger(t, offset, floatBits(c, t.element === 4 ? 4 : 8));
  } else if (c.kind === "int") {
    storeInteger(t, offset, c.int);
  } else if (c.bits !== undefined && c.size === t.element) {
    storeInteger(t, offset, c.bits);
  } else {
    throw p.error(`a floating-point value for '${t.variable.name}' of type .${type}`);
  }
}

/** Writes the low bytes of an integer, little-endian. */
function storeInteger(t: Target, offset: number, value: bigint): void {
  const { view } = t.out;
  switch (t.element) {
    case 1:
      view.setUint8(offset, Number(BigInt.asUintN(8, value)));
      break;
    case 2:
      view.setUint16(offset, Number(BigInt.asUintN(16, value)), true);
      break;
    case 4:
      view.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
      break;
    default:
      view.setBigUint64(offset, BigInt.asUintN(64, value), true);
      // A 128-bit element takes the sign of the 64-bit constant.
      if (t.element === 16) view.setBigInt64(offset + 8, BigInt.asIntN(64, value) >> 63n, true);
  }
}

/** `symbol`, `generic(symbol)+4`, `mask(0xFF, symbol)`. */
function parseSymbol(p: ParserState, t: Target, offset: number): void {
  if (p.text() !== "mask") {
    parseAddressOf(p, t, offset, undefined);
    return;
  }
  p.next();
  p.expect(40);
  const mask = parseInteger(p, "a mask");
  p.expect(COMMA);
  parseAddressOf(p, t, offset, mask);
  p.expect(41);
}

/** `symbol` or `generic(symbol)`, and perhaps `+4` or `-4`. */
function parseAddressOf(p: ParserState, t: Target, offset: number, mask: bigint | undefined): void {
  const { line, column } = p;
  let name = p.name("a variable's name");
  const generic = name === "generic" && p.is(40);
  if (generic) {
    p.next();
    name = p.name("a variable's name");
    p.expect(41);
  }
  let addend = 0;
  if (p.accept(43) || p.is(45)) addend = Number(parseInteger(p, "an integer offset"));
  const relocation: Relocation = { offset, size: t.element, symbol: t.variable, addend, generic };
  if (mask !== undefined) relocation.mask = mask;
  t.relocations.push(relocation);
  const set = (found: Named | Label): void => {
    if (!("kind" in found) || !isAddressable(found)) {
      throw p.errorAt(line, column, `'${name}' isn't a variable in memory or a function`);
    }
    relocation.symbol = found;
  };
  const found = p.lookup(name);
  if (found === undefined) p.later(name, line, column, set);
  else set(found);
}

function isAddressable(named: { kind: string; space?: string }): named is Relocation["symbol"] {
  if (named.kind === "variable") return named.space !== "reg" && named.space !== "param";
  return named.kind === "entry" || named.kind === "func";
}

/** `{ addr_mode_0 = wrap, filter_mode = linear, … }` */
export function parseFields(p: ParserState): Record<string, string | number> {
  const fields: Record<string, string | number> = {};
  p.expect(OPEN);
  while (!p.is(CLOSE)) {
    const field = p.name("a field: addr_mode_0, filter_mode, …");
    p.expect(61);
    if (p.token === TOKEN_NAME) fields[field] = p.name("a value");
    else if (p.token === TOKEN_STRING) throw p.expected("a value");
    else fields[field] = Number(parseInteger(p, "a value"));
    if (!p.accept(COMMA)) break;
  }
  p.expect(CLOSE);
  return fields;
}
