// Constant expressions (PTX ISA §4.5): C's operators over s64, u64 and f64.

import { TOKEN_DOT, TOKEN_FLOAT, TOKEN_INT, TOKEN_NAME, TOKEN_PUNCT } from "./lexer.ts";
import type { ParserState } from "./scope.ts";

/** The value of a constant expression. Integers are 64 bits, unsigned in `int`. */
export type Constant =
  | { kind: "int"; unsigned: boolean; int: bigint }
  | { kind: "float"; value: number; bits: bigint | undefined; size: 4 | 8 };

const MAX_DEPTH = 200;

const op = (text: string): number =>
  text.length === 1 ? text.charCodeAt(0) : text.charCodeAt(0) * 256 + text.charCodeAt(1);

/** Binary operators by their token, with C's precedence (11 binds tightest). */
const PRECEDENCE = new Map<number, number>(
  (
    [
      ["||", 1],
      ["&&", 2],
      ["|", 3],
      ["^", 4],
      ["&", 5],
      ["==", 6],
      ["!=", 6],
      ["<", 7],
      ["<=", 7],
      [">", 7],
      [">=", 7],
      ["<<", 8],
      [">>", 8],
      ["+", 9],
      ["-", 9],
      ["*", 10],
      ["/", 10],
      ["%", 10],
    ] as const
  ).map(([text, precedence]) => [op(text), precedence]),
);

const U64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

function integer(value: bigint, unsigned: boolean): Constant {
  return { kind: "int", unsigned, int: U64(value) };
}

function double(value: number): Constant {
  return { kind: "float", value, bits: undefined, size: 8 };
}

/** The number that a constant is, for arithmetic in f64. */
function toNumber(c: Constant): number {
  if (c.kind === "float") return c.value;
  return Number(c.unsigned ? c.int : signed(c.int));
}

function isTrue(c: Constant): boolean {
  return c.kind === "float" ? c.value !== 0 : c.int !== 0n;
}

const view = new DataView(new ArrayBuffer(8));

/** The bits of a constant stored as f32 (size 4) or f64 (size 8). */
export function floatBits(c: Constant, size: 4 | 8): bigint {
  if (c.kind === "float" && c.bits !== undefined && c.size === size) return c.bits;
  if (size === 4) {
    view.setFloat32(0, toNumber(c));
    return BigInt(view.getUint32(0));
  }
  view.setFloat64(0, toNumber(c));
  return view.getBigUint64(0);
}

/** Reads a constant expression. Throws PtxError where there is none, and for a division by zero. */
export function parseConstant(p: ParserState): Constant {
  return conditional(p, 0);
}

/** Reads a constant expression whose value is an integer. `what` names it in the error. */
export function parseInteger(p: ParserState, what: string): bigint {
  const { line, column } = p;
  const value = parseConstant(p);
  if (value.kind !== "int") throw p.errorAt(line, column, `expected ${what}`);
  return value.unsigned ? value.int : signed(value.int);
}

/** Reads a constant that is a count or a size: an integer from 0 to 2^53 − 1. */
export function parseCount(p: ParserState, what: string): number {
  const { line, column } = p;
  const value = parseInteger(p, what);
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw p.errorAt(line, column, `expected ${what}, from 0 to 2^53 - 1`);
  }
  return Number(value);
}

/** Reads the rest of a constant expression whose first operand has been read. */
export function continueConstant(p: ParserState, first: Constant): Constant {
  return conditional(p, 0, first);
}

/** Reads the count of `name<count>`: one literal or a parenthesis, as `>` ends it. */
export function parseFamilyCount(p: ParserState): number {
  const { line, column } = p;
  const value = unary(p, 0);
  const count = value.kind === "int" && value.int < 1n << 31n ? Number(value.int) : -1;
  if (count < 0) throw p.errorAt(line, column, "expected a number of names, from 0 to 2^31 - 1");
  return count;
}

function conditional(p: ParserState, depth: number, left?: Constant): Constant {
  const condition = binary(p, 1, depth, left);
  if (!p.is(63)) return condition;
  p.next();
  const first = conditional(p, depth + 1);
  p.expect(58);
  const second = conditional(p, depth + 1);
  return isTrue(condition) ? first : second;
}

function binary(p: ParserState, least: number, depth: number, first?: Constant): Constant {
  if (depth > MAX_DEPTH) throw p.error("a constant expression is nested too deeply");
  let left = first ?? unary(p, depth);
  for (;;) {
    const precedence = p.token === TOKEN_PUNCT ? PRECEDENCE.get(p.punct) : undefined;
    if (precedence === undefined || precedence < least) return left;
    const operator = p.punct;
    const { line, column } = p;
    p.next();
    const right = binary(p, precedence + 1, depth + 1);
    const result = apply(operator, left, right);
    if (typeof result === "string") throw p.errorAt(line, column, result);
    left = result;
  }
}

const DIVISION_BY_ZERO = "division by zero in a constant expression";
const NOT_AN_INTEGER = "an integer operator of a constant expression has a floating-point operand";

/** `a operator b`, or why there is no such value. */
function apply(operator: number, a: Constant, b: Constant): Constant | string {
  if (operator === op("&&")) return integer(isTrue(a) && isTrue(b) ? 1n : 0n, false);
  if (operator === op("||")) return integer(isTrue(a) || isTrue(b) ? 1n : 0n, false);
  if (a.kind === "float" || b.kind === "float")
    return applyFloat(operator, toNumber(a), toNumber(b));
  // The usual conversion: one unsigned operand makes both unsigned (§4.5.5).
  const unsigned = a.unsigned || b.unsigned;
  const x = unsigned ? a.int : signed(a.int);
  const y = unsigned ? b.int : signed(b.int);
  const truth = (condition: boolean): Constant => integer(condition ? 1n : 0n, false);
  switch (operator) {
    case op("+"):
      return integer(x + y, unsigned);
    case op("-"):
      return integer(x - y, unsigned);
    case op("*"):
      return integer(x * y, unsigned);
    case op("/"):
      return y === 0n ? DIVISION_BY_ZERO : integer(x / y, unsigned);
    case op("%"):
      return y === 0n ? DIVISION_BY_ZERO : integer(x % y, unsigned);
    case op("&"):
      return integer(x & y, unsigned);
    case op("|"):
      return integer(x | y, unsigned);
    case op("^"):
      return integer(x ^ y, unsigned);
    // A shift has the type of its left operand; its count is taken as unsigned.
    case op("<<"):
      return integer(b.int > 63n ? 0n : a.int << b.int, a.unsigned);
    case op(">>"):
      return integer(
        (a.unsigned ? a.int : signed(a.int)) >> (b.int > 63n ? 64n : b.int),
        a.unsigned,
      );
    case op("<"):
      return truth(x < y);
    case op("<="):
      return truth(x <= y);
    case op(">"):
      return truth(x > y);
    case op(">="):
      return truth(x >= y);
    case op("=="):
      return truth(x === y);
    default:
      return truth(x !== y);
  }
}

function applyFloat(operator: number, x: number, y: number): Constant | string {
  const truth = (condition: boolean): Constant => integer(condition ? 1n : 0n, false);
  switch (operator) {
    case op("+"):
      return double(x + y);
    case op("-"):
      return double(x - y);
    case op("*"):
      return double(x * y);
    case op("/"):
      return double(x / y);
    case op("<"):
      return truth(x < y);
    case op("<="):
      return truth(x <= y);
    case op(">"):
      return truth(x > y);
    case op(">="):
      return truth(x >= y);
    case op("=="):
      return truth(x === y);
    case op("!="):
      return truth(x !== y);
    default:
      return NOT_AN_INTEGER;
  }
}

function unary(p: ParserState, depth: number): Constant {
  if (depth > MAX_DEPTH) throw p.error("a constant expression is nested too deeply");
  switch (p.token) {
    case TOKEN_INT: {
      const int = p.big ?? BigInt(p.value);
      // A literal that doesn't fit in s64 is unsigned, as one with the suffix U is (§4.5.1).
      const unsigned = p.unsigned || (p.big !== undefined && int >> 63n !== 0n);
      p.next();
      return { kind: "int", unsigned, int };
    }
    case TOKEN_FLOAT: {
      const { bits, floatSize: size } = p;
      let value = p.value;
      if (bits !== undefined) {
        if (size === 4) view.setUint32(0, Number(bits));
        else view.setBigUint64(0, bits);
        value = size === 4 ? view.getFloat32(0) : view.getFloat64(0);
      }
      p.next();
      return { kind: "float", value, bits, size };
    }
    case TOKEN_NAME:
      if (p.text() === "WARP_SZ") {
        p.next();
        return integer(32n, false);
      }
      break;
    case TOKEN_PUNCT:
      return prefixed(p, depth);
  }
  throw p.expected("a constant");
}

/** `(expression)`, a cast, or an operator before an operand. */
function prefixed(p: ParserState, depth: number): Constant {
  const operator = p.punct;
  if (operator === op("(")) {
    p.next();
    if (p.token === TOKEN_DOT) {
      // (.s64) and (.u64)
      const unsigned = p.isDot("u64");
      if (!unsigned && !p.isDot("s64")) throw p.expected("'.s64' or '.u64'");
      p.next();
      p.expect(41);
      const value = unary(p, depth + 1);
      if (value.kind === "int") return integer(value.int, unsigned);
      if (!Number.isFinite(value.value)) throw p.error("a cast of a value that isn't finite");
      return integer(BigInt(Math.trunc(value.value)), unsigned);
    }
    const value = conditional(p, depth + 1);
    p.expect(41);
    return value;
  }
  if (operator !== 43 && operator !== 45 && operator !== 33 && operator !== 126) {
    throw p.expected("a constant");
  }
  p.next();
  const value = unary(p, depth + 1);
  switch (operator) {
    case 43:
      return value;
    case 45:
      if (value.kind === "int") return integer(-value.int, value.unsigned);
      if (value.bits === undefined) return double(-value.value);
      return {
        kind: "float",
        value: -value.value,
        bits: value.bits ^ (1n << BigInt(value.size * 8 - 1)),
        size: value.size,
      };
    case 33:
      return integer(isTrue(value) ? 0n : 1n, false);
    default:
      if (value.kind !== "int") throw p.error(NOT_AN_INTEGER);
      return integer(~value.int, value.unsigned);
  }
}
