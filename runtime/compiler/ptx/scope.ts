// What the parser knows while it reads: the current token, the scopes and the module being built.

import type {
  Label,
  Linkage,
  Mnemonic,
  Prototype,
  PtxFunction,
  PtxModule,
  SourceLocation,
  Space,
  Statement,
  Variable,
} from "./ast.ts";
import { Lexer, TOKEN_DOT, TOKEN_NAME } from "./lexer.ts";

/** `%r<100>`: the registers %r0 to %r99, made when they are first used. */
export interface RegisterFamily {
  count: number;
  type: string;
  vector: 1 | 2 | 4 | 8;
  bytes: number;
  align: number;
  line: number;
}

export type Named = Variable | PtxFunction | Prototype;

export function isPrototype(named: Named): named is Prototype {
  const { kind } = named;
  return kind === "branchtargets" || kind === "calltargets" || kind === "callprototype";
}

/** The names of a module, a function or a `{ }` block. */
export class Scope {
  readonly parent: Scope | undefined;
  readonly names = new Map<string, Named>();
  /** By the name before the number. Most blocks declare none. */
  families: Map<string, RegisterFamily> | undefined = undefined;
  labels: Map<string, Label> | undefined = undefined;
  readonly depth: number;

  constructor(parent: Scope | undefined) {
    this.parent = parent;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
  }
}

/** A name that is used before it is declared: a label ahead, or a function of the module. */
export interface PendingName {
  name: string;
  scope: Scope;
  line: number;
  column: number;
  kernel: string | undefined;
  /** Puts what the name turned out to be where it was used. */
  resolve(found: Named | Label): void;
}

/** Blocks within blocks; nvcc nests three or four. */
export const MAX_SCOPE_DEPTH = 500;

export class ParserState extends Lexer {
  readonly module: PtxModule;
  readonly moduleScope = new Scope(undefined);
  scope: Scope = this.moduleScope;
  /** The function whose body is being read. */
  fn: PtxFunction | undefined = undefined;
  body: Statement[] = [];
  loc: SourceLocation | undefined = undefined;
  /** Names of the function being read that aren't resolved yet, then those left for the end. */
  pending: PendingName[] = [];
  /** The elements of vector registers. */
  readonly vectors = new Map<Variable, readonly Variable[]>();
  readonly mnemonics = new Map<string, Mnemonic>();
  #nextId = 0;

  constructor(source: string, name: string) {
    super(source);
    this.module = {
      name,
      version: [0, 0],
      target: [],
      addressSize: 64,
      variables: [],
      functions: [],
      files: new Map(),
    };
  }

  /** Takes the punctuation or throws that it was expected. */
  expect(punct: number): void {
    if (!this.is(punct)) throw this.expected(`'${String.fromCharCode(punct)}'`);
    this.next();
  }

  /** Takes the punctuation if it is there. */
  accept(punct: number): boolean {
    if (!this.is(punct)) return false;
    this.next();
    return true;
  }

  /** Is the current token `.name`? */
  isDot(name: string): boolean {
    return (
      this.token === TOKEN_DOT &&
      this.end - this.start === name.length + 1 &&
      this.source.startsWith(name, this.start + 1)
    );
  }

  /** Takes `.name` if it is there. */
  acceptDot(name: string): boolean {
    if (!this.isDot(name)) return false;
    this.next();
    return true;
  }

  /** Takes a name and returns it. */
  name(what: string): string {
    if (this.token !== TOKEN_NAME) throw this.expected(what);
    const text = this.text();
    this.next();
    return text;
  }

  /** A new variable with the module's next id. */
  variable(
    name: string,
    space: Space,
    type: string,
    vector: 1 | 2 | 4 | 8,
    line: number,
  ): Variable {
    return {
      kind: "variable",
      id: this.#nextId++,
      index: 0,
      name,
      space,
      type,
      vector,
      dims: [],
      align: 0,
      size: 0,
      linkage: "none" as Linkage,
      line,
    };
  }

  /** Enters a name in the current scope. Throws if the scope has it already. */
  declare(name: string, named: Named, line: number, column: number): void {
    const before = this.scope.names.get(name);
    if (before !== undefined) {
      throw this.errorAt(line, column, `'${name}' is declared twice: first on line ${before.line}`);
    }
    this.scope.names.set(name, named);
  }

  /** What a name stands for here, if it is declared so far. */
  lookup(name: string): Named | undefined {
    for (let scope: Scope | undefined = this.scope; scope !== undefined; scope = scope.parent) {
      const named = scope.names.get(name);
      if (named !== undefined) return named;
      if (scope.families !== undefined) {
        const made = this.#expand(scope, name);
        if (made !== undefined) return made;
      }
    }
    return undefined;
  }

  /** Makes register `name` if it belongs to a family of the scope. */
  #expand(scope: Scope, name: string): Variable | undefined {
    let digits = name.length;
    while (digits > 0) {
      const code = name.charCodeAt(digits - 1);
      if (code < 48 || code > 57) break;
      digits--;
    }
    // The prefix may itself end in digits (`%r1_<4>` doesn't, `r1<4>` does): shortest number last.
    for (let at = digits; at < name.length && name.length - at < 12; at++) {
      const family = scope.families?.get(name.slice(0, at));
      if (family === undefined) continue;
      const leadingZero = name.charCodeAt(at) === 48 && at + 1 < name.length;
      if (leadingZero || Number(name.slice(at)) >= family.count) continue;
      const variable = this.variable(name, "reg", family.type, family.vector, family.line);
      variable.size = family.bytes;
      variable.align = family.align;
      this.addRegister(variable);
      scope.names.set(name, variable);
      return variable;
    }
    return undefined;
  }

  /**
   * Adds a register to the function's; a vector (`.reg .v4 .f32 v`) as its elements `v.x`, `v.y`, …,
   * so that registers are scalars everywhere else.
   */
  addRegister(variable: Variable): void {
    const registers = this.fn?.registers;
    if (registers === undefined) return;
    if (variable.vector === 1) {
      variable.index = registers.length;
      registers.push(variable);
      return;
    }
    const elements: Variable[] = [];
    const bytes = variable.size / variable.vector;
    for (let k = 0; k < variable.vector; k++) {
      const name = `${variable.name}.${"xyzw"[k] ?? k}`;
      const element = this.variable(name, "reg", variable.type, 1, variable.line);
      element.size = bytes;
      element.align = bytes;
      this.addRegister(element);
      elements.push(element);
    }
    this.vectors.set(variable, elements);
  }

  /** Remembers a name to be resolved when its function, or the module, has been read. */
  later(name: string, line: number, column: number, resolve: (found: Named | Label) => void): void {
    this.pending.push({ name, scope: this.scope, line, column, kernel: this.kernel, resolve });
  }

  /** The instruction name of the current token, its parts shared between uses. */
  mnemonic(text: string): Mnemonic {
    let mnemonic = this.mnemonics.get(text);
    if (mnemonic === undefined) {
      const parts = text.split(".");
      mnemonic = { mnemonic: text, opcode: parts[0] as string, mods: parts.slice(1) };
      this.mnemonics.set(text, mnemonic);
    }
    return mnemonic;
  }

  /** Enters a block: `{`. */
  open(): void {
    if (this.scope.depth >= MAX_SCOPE_DEPTH) {
      throw this.error(`blocks are nested more than ${MAX_SCOPE_DEPTH} deep`);
    }
    this.scope = new Scope(this.scope);
  }

  /** Leaves a block: `}`. */
  close(): void {
    this.scope = this.scope.parent ?? this.moduleScope;
  }
}
