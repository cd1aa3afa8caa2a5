// The syntax tree of a PTX module (PTX ISA 9.0). Names are resolved: a register, variable, label or
// function is one object wherever it is used, and the scopes of `{ }` blocks are gone.

/** State spaces (PTX ISA §5.1). `.tex` variables are `global` ones of type `texref`. */
export type Space = "reg" | "sreg" | "global" | "const" | "shared" | "local" | "param";

/** Linkage directives (PTX ISA §11.6); "none" is a name private to the module. */
export type Linkage = "none" | "extern" | "visible" | "weak" | "common";

/** An address stored by an initialiser: `size` bytes at `offset` get `symbol + addend`. */
export interface Relocation {
  /** Byte offset in the variable. */
  offset: number;
  /** Bytes written: the size of the variable's element. */
  size: number;
  symbol: Variable | PtxFunction;
  /** Bytes added to the symbol's address. */
  addend: number;
  /** `generic(symbol)`: the address as a generic one, not one in the symbol's state space. */
  generic: boolean;
  /** `mask(0xFF00, symbol)`: the bits of the address to take, shifted down to bit 0 (§5.4.4). */
  mask?: bigint;
}

/** What a variable holds before the first launch. Bytes past the end of `bytes` are zero. */
export interface Initializer {
  bytes: Uint8Array;
  relocations: Relocation[];
}

/**
 * A register, a variable of any state space, or a parameter. Registers of functions are scalars: a
 * vector register `v` is the registers `v.x`, `v.y`, …, and `v` alone the vector of them.
 */
export interface Variable {
  kind: "variable";
  /** Unique in the module, dense from 0. */
  id: number;
  /** Position in the list that holds it: registers, locals, params, returns or module variables. */
  index: number;
  name: string;
  space: Space;
  /** Element type without the dot: "u32", "f64", "b8", "pred", "f16x2", "texref", … */
  type: string;
  vector: 1 | 2 | 4 | 8;
  /** Array dimensions: [] is a scalar; a leading 0 is an unsized array. */
  dims: number[];
  /** Bytes; the type's natural alignment (of the whole vector) where `.align` isn't given. */
  align: number;
  /** Bytes: element size × vector × dims; 0 when unsized. Predicates count as one byte. */
  size: number;
  init?: Initializer;
  /** Initial fields of a texref, samplerref or surfref: `{ addr_mode_0 = wrap }` (§5.3). */
  fields?: Record<string, string | number>;
  linkage: Linkage;
  /** `.attribute(.managed)` */
  managed?: boolean;
  /** A kernel parameter's `.ptr`: the space and alignment of what it points to (§11.1 `.ptr`). */
  pointer?: { space: Space | "generic"; align: number };
  line: number;
}

/** A label of a function. `position` is its index in the function's body. */
export interface Label {
  name: string;
  /** Dense from 0 in its function. */
  index: number;
  position: number;
  line: number;
}

/** `.branchtargets`, `.calltargets` or `.callprototype`, declared under a label (§11.3). */
export interface Prototype {
  kind: "branchtargets" | "calltargets" | "callprototype";
  name: string;
  /** How many labels or functions are listed. */
  targets: number;
  /** branchtargets */
  labels: Label[];
  /** calltargets */
  functions: PtxFunction[];
  /** callprototype */
  returns: Variable[];
  params: Variable[];
  noreturn: boolean;
  /** The parameter list ends with an unsized array: `.param .b8 rest[]` (variadic). */
  variadic: boolean;
  line: number;
}

/** Where an instruction comes from (`.loc`, §11.5). `file` is a key of `PtxModule.files`. */
export interface SourceLocation {
  file: number;
  line: number;
  column: number;
  /** The call that was inlined here (`inlined_at`). */
  inlinedAt?: SourceLocation;
}

export interface RegOperand {
  kind: "reg";
  reg: Variable;
  /** Selector of a video instruction: "b0" … "h1", "h10", "b3210" (§9.7.18). */
  component?: string;
}
/** A special register with its component: "%tid.x", "%clock64", "%envreg3". */
export interface SregOperand {
  kind: "sreg";
  name: string;
}
/** An integer constant: 64 bits, as an unsigned bigint (−1 is 0xffff_ffff_ffff_ffff). */
export interface IntOperand {
  kind: "int";
  value: bigint;
}
/** A floating-point constant: `0f…` has size 4; `0d…` and decimal ones have size 8. */
export interface FloatOperand {
  kind: "float";
  bits: bigint;
  size: 4 | 8;
}
/** The address of a variable or function, `name` or `name+4`; in a call, the function itself. */
export interface SymbolOperand {
  kind: "symbol";
  symbol: Variable | PtxFunction;
  offset: number;
}
/** `[base+offset]`. */
export interface AddressOperand {
  kind: "address";
  base: RegOperand | SymbolOperand | IntOperand;
  /** Bytes; 0 for an int base. A symbol base has its own `offset` 0. */
  offset: number;
}
/** `[texture, coords]` or `[texture, sampler, coords]`; also `[surface, …]`, `[tensorMap, …]`. */
export interface TextureOperand {
  kind: "texture";
  base: RegOperand | SymbolOperand;
  sampler?: RegOperand | SymbolOperand;
  /** A vector, or one register or constant. */
  coords: Operand;
}
/** `{a, b, …}` */
export interface VectorOperand {
  kind: "vector";
  elements: Operand[];
}
/** `d|p` */
export interface PairOperand {
  kind: "pair";
  first: Operand;
  second: Operand;
}
/** `!p` */
export interface NotOperand {
  kind: "not";
  operand: RegOperand;
}
/** `-a`, of vmad only */
export interface NegOperand {
  kind: "neg";
  operand: RegOperand;
}
/** `_` */
export interface SinkOperand {
  kind: "sink";
}
export interface LabelOperand {
  kind: "label";
  label: Label;
}
/** `(a, b, …)`: return values and arguments of a call. */
export interface ListOperand {
  kind: "list";
  elements: Operand[];
}
/** A reference to `.branchtargets`, `.calltargets` or `.callprototype`. */
export interface ProtoOperand {
  kind: "proto";
  proto: Prototype;
}

export type Operand =
  | RegOperand
  | SregOperand
  | IntOperand
  | FloatOperand
  | SymbolOperand
  | AddressOperand
  | TextureOperand
  | VectorOperand
  | PairOperand
  | NotOperand
  | NegOperand
  | SinkOperand
  | LabelOperand
  | ListOperand
  | ProtoOperand;

/** An instruction's name, taken apart once for every use of it in a module. */
export interface Mnemonic {
  mnemonic: string;
  opcode: string;
  mods: readonly string[];
}

/** An instruction. Operands are in the order they are written. */
export class Instruction {
  readonly kind = "instr" as const;
  /**
   * The whole name: "add.rn.ftz.f32". Once the table has checked it the modifiers stand in the ISA's
   * order, in whichever they were written.
   */
  mnemonic: string;
  /** The base: "add". */
  readonly opcode: string;
  /** The modifiers: ["rn", "ftz", "f32"]; `::` stays inside one: "shared::cta". Shared: read only. */
  mods: readonly string[];
  readonly pred: { reg: Variable; negate: boolean } | undefined;
  readonly operands: Operand[];
  readonly line: number;
  readonly column: number;
  readonly loc: SourceLocation | undefined;
  readonly #source: string;
  readonly #start: number;
  readonly #end: number;

  /** `source.slice(start, end)` is the instruction's text. */
  constructor(
    name: Mnemonic,
    pred: { reg: Variable; negate: boolean } | undefined,
    operands: Operand[],
    line: number,
    column: number,
    loc: SourceLocation | undefined,
    source: string,
    start: number,
    end: number,
  ) {
    this.mnemonic = name.mnemonic;
    this.opcode = name.opcode;
    this.mods = name.mods;
    this.pred = pred;
    this.operands = operands;
    this.line = line;
    this.column = column;
    this.loc = loc;
    this.#source = source;
    this.#start = start;
    this.#end = end;
  }

  /** The instruction as it is written, guard and semicolon included, white space made single. */
  text(): string {
    return this.#source.slice(this.#start, this.#end).replace(/\s+/g, " ").trim();
  }
}

export interface LabelStatement {
  kind: "label";
  label: Label;
}

export type Statement = LabelStatement | Instruction;

export type Dim3 = [number, number, number];

/** A kernel (`.entry`) or a device function (`.func`), defined or only declared. */
export interface PtxFunction {
  kind: "entry" | "func";
  /** Unique among the module's functions, dense from 0: its index in `PtxModule.functions`. */
  index: number;
  name: string;
  linkage: Linkage;
  returns: Variable[];
  params: Variable[];
  /** The parameter list ends with an unsized `.b8` array (variadic). */
  variadic: boolean;
  /** Undefined for a declaration. */
  body?: Statement[];
  /** Every register that is declared by itself, or used if its family (`%r<9>`) is declared. */
  registers: Variable[];
  /** `.local`, `.shared`, `.const`, `.global` and `.param` variables declared in the body. */
  locals: Variable[];
  labels: Label[];
  maxntid?: Dim3;
  reqntid?: Dim3;
  minnctapersm?: number;
  maxnctapersm?: number;
  maxnreg?: number;
  noreturn: boolean;
  /** `.reqnctapercluster` */
  clusterDims?: Dim3;
  maxClusterRank?: number;
  explicitCluster: boolean;
  /** `.blocksareclusters` */
  blocksAreClusters: boolean;
  /** `.alias name, target`: calls go to the target. */
  aliasOf?: PtxFunction;
  line: number;
}

/** One PTX source. */
export interface PtxModule {
  /** The name given to `parsePtx`, for messages. */
  name: string;
  version: [major: number, minor: number];
  /** `.target`'s list: ["sm_90a", "debug", "texmode_independent"]. */
  target: string[];
  addressSize: 32 | 64;
  /** Module-scope variables. Those of functions are in their `locals`. */
  variables: Variable[];
  functions: PtxFunction[];
  /** `.file` numbers and paths. */
  files: Map<number, string>;
}

/** A PTX source that doesn't parse, or an instruction that doesn't exist or isn't supported. */
export class PtxError extends Error {
  /** 1-based line of the PTX source; 0 if none. */
  readonly line: number;
  /** 1-based column; 0 if none. */
  readonly column: number;
  /** The kernel or function it is in. */
  readonly kernel: string | undefined;
  /** cudaErrorInvalidPtx */
  readonly code: number = 218;

  constructor(message: string, line = 0, column = 0, kernel?: string) {
    super(message);
    this.name = "PtxError";
    this.line = line;
    this.column = column;
    this.kernel = kernel;
  }
}
