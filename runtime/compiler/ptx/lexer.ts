// Tokens of PTX (PTX ISA §4). One token at a time, by character codes; no regular expressions and
// no token objects: the current token is the lexer's own fields.

import { PtxError } from "./ast.ts";

export const TOKEN_END = 0;
/** A name: `%r1`, `$L__BB0_1`, `add`. */
export const TOKEN_NAME = 1;
/** A dot and a name: `.reg`, `.f32`. */
export const TOKEN_DOT = 2;
export const TOKEN_INT = 3;
export const TOKEN_FLOAT = 4;
export const TOKEN_STRING = 5;
/** One punctuation character, or an operator of two (`<<`, `&&`); see `punct`. */
export const TOKEN_PUNCT = 6;

const BLANK = 1;
const NAME = 2;
const DIGIT = 4;
const START = 8;

/** Bits by character: blank, part of a name, digit, start of a name. */
const CLASS = new Uint8Array(128);
for (const c of " \t\r\n\f\v\0") CLASS[c.charCodeAt(0)] = BLANK;
for (let c = 48; c < 58; c++) CLASS[c] = NAME | DIGIT;
for (let c = 65; c < 91; c++) CLASS[c] = CLASS[c + 32] = NAME | START;
for (const c of "_$") CLASS[c.charCodeAt(0)] = NAME | START;
CLASS[37] = START; // %

const NEWLINE = 10;
const QUOTE = 34;
const DOT = 46;
const SLASH = 47;
const STAR = 42;
const COLON = 58;
const BACKSLASH = 92;
const AT = 64;
const PERCENT = 37;

/** Is the character code part of a name (a letter, digit, `_` or `$`)? */
export function isNameCode(code: number): boolean {
  return code < 128 && (CLASS[code] & NAME) !== 0;
}

export class Lexer {
  readonly source: string;
  /** The next character to read. */
  position = 0;
  /** One of the TOKEN_… */
  token = TOKEN_END;
  /** The token is source.slice(start, end). */
  start = 0;
  end = 0;
  /** Line of the token, 1-based. */
  line = 1;
  /** Code of a punctuation token; an operator of two characters is `first * 256 + second`. */
  punct = 0;
  /** Value of an integer token, as long as it is exact in a double; else see `big`. */
  value = 0;
  /** Value of an integer token beyond 2^53, else undefined. */
  big: bigint | undefined = undefined;
  /** The integer token carries the suffix U. */
  unsigned = false;
  /** Bits of a `0f`/`0d` token, or undefined for a decimal float, whose value is `value`. */
  bits: bigint | undefined = undefined;
  /** 4 for `0f`, 8 for `0d` and decimal ones. */
  floatSize: 4 | 8 = 8;
  /** The function being parsed, for errors. */
  kernel: string | undefined = undefined;
  #line = 1;
  #lineStart = 0;

  constructor(source: string) {
    this.source = source;
  }

  /** Column of the current token, 1-based. */
  get column(): number {
    return this.start - this.#lineStart + 1;
  }

  /** The text of the current token. */
  text(): string {
    return this.source.slice(this.start, this.end);
  }

  /** An error at the current token. */
  error(message: string): PtxError {
    return new PtxError(message, this.line, this.column, this.kernel);
  }

  /** An error at a place read before. */
  errorAt(line: number, column: number, message: string): PtxError {
    return new PtxError(message, line, column, this.kernel);
  }

  /** An error that says what was expected and what is there. */
  expected(what: string): PtxError {
    return this.error(`expected ${what}, found ${this.describe()}`);
  }

  /** The current token for a message. */
  describe(): string {
    if (this.token === TOKEN_END) return "the end of the file";
    const text = this.text();
    return text.length > 40 ? `'${text.slice(0, 40)}…'` : `'${text}'`;
  }

  /** Is the current token this punctuation (a character code)? */
  is(punct: number): boolean {
    return this.token === TOKEN_PUNCT && this.punct === punct;
  }

  /** Reads the next token. Throws PtxError for a character or literal that PTX doesn't have. */
  next(): void {
    const source = this.source;
    const length = source.length;
    let at = this.position;
    let code: number;
    for (;;) {
      if (at >= length) {
        this.#set(TOKEN_END, length, length);
        return;
      }
      code = source.charCodeAt(at);
      if (code < 128 && CLASS[code] === BLANK) {
        if (code === NEWLINE) {
          this.#line++;
          this.#lineStart = at + 1;
        }
        at++;
        continue;
      }
      if (code === SLASH) {
        const second = source.charCodeAt(at + 1);
        if (second === SLASH) {
          const end = source.indexOf("\n", at);
          at = end < 0 ? length : end;
          continue;
        }
        if (second === STAR) {
          at = this.#skipComment(at);
          continue;
        }
      }
      if (code === AT && source.startsWith("@@DWARF", at)) {
        // Debug data of old compilers, a line each (§11.5.1).
        const end = source.indexOf("\n", at);
        at = end < 0 ? length : end;
        continue;
      }
      break;
    }
    const kind = code < 128 ? CLASS[code] : 0;
    if ((kind & START) !== 0) {
      if (code === PERCENT && !isNameCode(source.charCodeAt(at + 1))) {
        this.#punct(at, 1, code);
        return;
      }
      const end = this.#nameEnd(at + 1);
      this.#set(TOKEN_NAME, at, end);
    } else if ((kind & DIGIT) !== 0) {
      this.#number(at);
    } else if (code === DOT) {
      const second = source.charCodeAt(at + 1);
      const secondKind = second < 128 ? CLASS[second] : 0;
      if ((secondKind & DIGIT) !== 0) this.#number(at);
      else if ((secondKind & NAME) !== 0) this.#set(TOKEN_DOT, at, this.modifierEnd(at + 1));
      else this.#punct(at, 1, code);
    } else if (code === QUOTE) {
      this.#string(at);
    } else {
      this.#operator(at, code);
    }
  }

  /** End of a modifier that begins at `at`: a name in which `::` may stand (`shared::cta`). */
  modifierEnd(at: number): number {
    const source = this.source;
    for (;;) {
      at = this.#nameEnd(at);
      if (
        source.charCodeAt(at) !== COLON ||
        source.charCodeAt(at + 1) !== COLON ||
        !isNameCode(source.charCodeAt(at + 2))
      ) {
        return at;
      }
      at += 2;
    }
  }

  /**
   * Extends the current name token over the modifiers that follow it directly: `add` becomes
   * `add.rn.f32`. Modifiers may start with a digit (`tex.2d`).
   */
  extendMnemonic(): void {
    const source = this.source;
    let at = this.end;
    while (source.charCodeAt(at) === DOT && isNameCode(source.charCodeAt(at + 1))) {
      at = this.modifierEnd(at + 1);
    }
    this.end = at;
    this.position = at;
  }

  #set(token: number, start: number, end: number): void {
    this.token = token;
    this.start = start;
    this.end = end;
    this.position = end;
    this.line = this.#line;
  }

  #punct(at: number, length: 1 | 2, code: number): void {
    this.#set(TOKEN_PUNCT, at, at + length);
    this.punct = code;
  }

  #operator(at: number, code: number): void {
    const second = this.source.charCodeAt(at + 1);
    // << >> && || == != <= >=
    const double =
      ((code === 60 || code === 62) && (second === code || second === 61)) ||
      ((code === 38 || code === 124) && second === code) ||
      ((code === 61 || code === 33) && second === 61);
    if (double) {
      this.#punct(at, 2, code * 256 + second);
      return;
    }
    this.#punct(at, 1, code);
    // @ ; , : ( ) [ ] { } + - * / % ! ~ < > & ^ | = ?
    if (!"@;,:()[]{}+-*/%!~<>&^|=?".includes(String.fromCharCode(code))) {
      throw this.error(`unexpected character ${JSON.stringify(this.source.charAt(at))}`);
    }
  }

  #nameEnd(at: number): number {
    const source = this.source;
    for (;;) {
      const code = source.charCodeAt(at); // NaN past the end
      if (!(code < 128) || (CLASS[code] & NAME) === 0) return at;
      at++;
    }
  }

  #skipComment(at: number): number {
    const end = this.source.indexOf("*/", at + 2);
    if (end < 0) {
      this.#set(TOKEN_END, at, at);
      throw this.error("a comment isn't closed: expected '*/'");
    }
    this.#countLines(at, end);
    return end + 2;
  }

  #countLines(from: number, to: number): void {
    for (let at = this.source.indexOf("\n", from); at >= 0 && at < to; ) {
      this.#line++;
      this.#lineStart = at + 1;
      at = this.source.indexOf("\n", at + 1);
    }
  }

  #string(at: number): void {
    const source = this.source;
    for (let end = at + 1; end < source.length; end++) {
      const code = source.charCodeAt(end);
      if (code === QUOTE) {
        this.#set(TOKEN_STRING, at, end + 1);
        return;
      }
      if (code === NEWLINE) break;
      if (code === BACKSLASH) end++;
    }
    this.#set(TOKEN_STRING, at, at + 1);
    throw this.error("a string isn't closed: expected '\"' on the same line");
  }

  /** An integer (decimal, 0x, 0b, octal, with U) or a float (decimal, 0f, 0d) (§4.5). */
  #number(at: number): void {
    const source = this.source;
    let end = this.#nameEnd(at);
    const second = source.charCodeAt(at + 1) | 32; // to lower case
    this.big = undefined;
    this.bits = undefined;
    this.unsigned = false;
    if (source.charCodeAt(at) === 48 && end - at > 2 && (second === 102 || second === 100)) {
      // 0f and 8 hexadecimal digits, 0d and 16
      const digits = second === 102 ? 8 : 16;
      this.#set(TOKEN_FLOAT, at, end);
      if (end - at !== digits + 2 || !isHex(source, at + 2, end)) {
        throw this.error(`${this.describe()} is no float: expected ${digits} hexadecimal digits`);
      }
      this.bits = BigInt(`0x${source.slice(at + 2, end)}`);
      this.floatSize = digits === 8 ? 4 : 8;
      return;
    }
    const hex = second === 120 && source.charCodeAt(at) === 48;
    if (!hex) {
      const exponent = source.charCodeAt(end - 1) | 32;
      const after = source.charCodeAt(end);
      const isExponent = exponent === 101 && (after === 43 || after === 45);
      if (after === DOT || isExponent || hasExponent(source, at, end)) {
        this.#decimalFloat(at, end);
        return;
      }
    }
    this.#set(TOKEN_INT, at, end);
    if ((source.charCodeAt(end - 1) | 32) === 117) {
      this.unsigned = true;
      end--;
    }
    this.#integer(source.slice(at, end), hex);
  }

  #integer(text: string, hex: boolean): void {
    let value: number;
    const c1 = text.charCodeAt(1) | 32;
    if (hex || (c1 === 98 && text.charCodeAt(0) === 48)) value = Number(text);
    else if (text.length > 1 && text.charCodeAt(0) === 48) value = Number(`0o${text.slice(1)}`);
    else value = Number(text);
    if (!Number.isFinite(value) || text.length > 80) {
      throw this.error(`${this.describe()} is no integer constant`);
    }
    this.value = value;
    if (value > Number.MAX_SAFE_INTEGER) {
      const octal = !hex && c1 !== 98 && text.charCodeAt(0) === 48;
      const big = BigInt(octal ? `0o${text.slice(1)}` : text);
      if (big >= 1n << 64n) throw this.error(`${this.describe()} doesn't fit in 64 bits`);
      this.big = big;
    }
  }

  #decimalFloat(at: number, end: number): void {
    const source = this.source;
    if (source.charCodeAt(end) === DOT) end = this.#nameEnd(end + 1);
    const last = source.charCodeAt(end - 1) | 32;
    const sign = source.charCodeAt(end);
    if (last === 101 && (sign === 43 || sign === 45)) end = this.#nameEnd(end + 1);
    this.#set(TOKEN_FLOAT, at, end);
    const text = source.slice(at, end);
    const value = text.length > 1000 ? Number.NaN : Number(text);
    if (Number.isNaN(value)) throw this.error(`${this.describe()} is no floating-point constant`);
    this.value = value;
    this.floatSize = 8;
  }
}

function isHex(source: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = source.charCodeAt(at);
    const lower = code | 32;
    if (!((code >= 48 && code <= 57) || (lower >= 97 && lower <= 102))) return false;
  }
  return true;
}

/** Does a decimal literal hold an exponent letter: `1e5`? */
function hasExponent(source: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = source.charCodeAt(at) | 32;
    if (code === 101) return true;
  }
  return false;
}
