// The notation in which the instruction table is written, and what it is compiled to.
//
//   add{.rnd}{.ftz}{.sat}.f32 d, a, b @1.0 sm_20
//
// is the ISA's own: `.x` is a modifier, `{.x}` an optional one, `{.x.y}` two that come together or not
// at all; where x names a set (`.rnd`) one of
// its members stands. After an operand's name comes what the ISA says in prose:
//
//   d p          destinations by name (others with `!`); `d|p` and `d{|p}` a pair
//   a:u32        its type; a set's name means the member that is used; `wide(t)` twice as wide.
//                Without one, the last type among the modifiers
//   a:b32*4      a vector of four; `*vec` as many as the modifier says, none if it isn't given;
//                `*any` of any length
//   a:t~         a register may be wider than the type (§9.4.1)
//   a:t?         `_` may stand for it;  a:t+ also a variable's address;  a:t% a special register
//   a:t.sel      with a selector
//   _            nothing but `_`
//   {!}c         a predicate that may be negated;  {-}c a register that may be negated
//   [a]          an address;  [a, c] a texture or surface with coordinates
//   n:imm        a constant;  n:imm(4|8) one of these;  n:u32(15) at most 15 if it is a constant
//   {, e:b64}    an operand that may be missing
//   a.*  ...     any further modifiers, any operands
//   @8.0 sm_90   PTX version and target since when, if not those of the group

/** A group of instruction forms that share a section of the ISA. */
export interface FormGroup {
  /** Heading in the documentation. */
  family: string;
  /** Section of the PTX ISA. */
  section: string;
  /** PTX version that introduced the forms. */
  since: string;
  /** Lowest target, as in sm_70. */
  target: number;
  /** Largest error by the ISA, where a result isn't exact. */
  error?: string;
  sets?: Record<string, string>;
  forms: string[];
}

/** A place for a modifier in a form's name. */
export interface Slot {
  /** Name of the set, or the modifier itself. */
  name: string;
  optional: boolean;
  /** Slots with the same number come together or not at all; 0 for none. */
  group: number;
  values: readonly string[];
}

export type OperandKind =
  | "destination"
  | "source"
  | "pair"
  | "address"
  | "texture"
  | "predicate"
  | "constant"
  | "label"
  | "targets"
  | "sink"
  | "pack";

/** An operand of a form, before its modifiers are known. */
export interface OperandSpec {
  name: string;
  kind: OperandKind;
  /** A type, a set's name, "wide(…)", or "" for the last type of the name. */
  type: string;
  /** Elements: a number, the slot that says it ("v4" → 4), or "any"; 0 for a scalar. */
  count: number | string;
  optional: boolean;
  /** A register may be wider than the type. */
  relaxed: boolean;
  sink: boolean;
  symbol: boolean;
  special: boolean;
  /** Selectors that may follow a register: "" none, "sel", "sel2" or "sel4" (§9.7.18). */
  selector: string;
  /** Largest constant that a source may be. */
  most: bigint;
  /** Values that a constant may have; empty for any. */
  constants: readonly number[];
  /** The second of a pair may be missing. */
  pairOptional: boolean;
  /** A minus may stand before the register. */
  negatable: boolean;
}

/** One form of an instruction. */
export interface Form {
  /** Position in the table. */
  readonly index: number;
  readonly group: FormGroup;
  readonly opcode: string;
  /** The form as the ISA writes it. */
  readonly syntax: string;
  readonly slots: readonly Slot[];
  readonly operands: readonly OperandSpec[];
  readonly since: string;
  readonly target: number;
  /** Takes any operands. */
  readonly anyOperands: boolean;
  /** Takes any further modifiers: forms for later targets, listed by name only. */
  readonly openEnded: boolean;
}

/** Sets that many forms use; a group's own come first. */
const SETS: Record<string, string> = {
  rnd: "rn rz rm rp",
  irnd: "rni rzi rmi rpi",
  int: "u16 u32 u64 s16 s32 s64",
  int32: "u32 s32",
  sem: "relaxed acquire release acq_rel",
  scope: "cta cluster gpu sys",
  vec: "v2 v4",
  ss: "shared shared::cta",
  cache_hint: "L2::cache_hint",
  prefetch_size: "L2::64B L2::128B L2::256B",
  l1: "L1::evict_normal L1::evict_unchanged L1::evict_first L1::evict_last L1::no_allocate",
  l2: "L2::evict_normal L2::evict_first L2::evict_last",
  bytes: "mbarrier::complete_tx::bytes",
  size: "u32 u64",
  cmp: "eq ne lt le gt ge",
  bool: "and or xor",
};

const split = (members: string): string[] => members.split(" ").filter((m) => m !== "");

/** Splits at commas that stand outside of brackets of any kind. */
function splitOperands(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at] as string;
    if ("([{".includes(c)) {
      if (c === "{" && depth === 0 && /^\{\s*,/.test(text.slice(at))) {
        // `{, e}`: an operand that may be missing
        parts.push(text.slice(from, at));
        from = at;
      }
      depth++;
    } else if (")]}".includes(c)) depth--;
    else if (c === "," && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

const PLAIN: OperandSpec = {
  name: "",
  kind: "source",
  type: "",
  count: 0,
  optional: false,
  relaxed: false,
  sink: false,
  symbol: false,
  special: false,
  selector: "",
  constants: [],
  most: (1n << 64n) - 1n,
  pairOptional: false,
  negatable: false,
};

/** Kinds that are written as a type. */
const KINDS: Record<string, OperandKind> = {
  label: "label",
  targets: "targets",
  pack: "pack",
  unpack: "pack",
};

function parseOperandSpec(text: string): OperandSpec {
  const spec: OperandSpec = { ...PLAIN };
  const optional = /^\{\s*,\s*(.*)\}$/.exec(text);
  if (optional !== null) {
    spec.optional = true;
    text = (optional[1] as string).trim();
  }
  const negated = text.startsWith("{!}");
  if (negated) text = text.slice(3);
  if (text.startsWith("{-}")) {
    spec.negatable = true;
    text = text.slice(3);
  }
  const [, name, type = "", count = "", selector = "", flags = ""] =
    /^([^:*~?+%!]+?)(?::([^*~?+%!.]*))?(?:\*(\w+))?(?:\.(sel\d?))?([~?+%!]*)$/.exec(text) ?? [];
  if (name === undefined) throw new Error(`instruction table: operand '${text}'`);
  const [, plainType, most] = /^(\w+)\((\d+)\)$/.exec(type) ?? [];
  spec.name = name;
  spec.type = plainType === undefined || plainType === "imm" ? type : plainType;
  if (plainType !== undefined && plainType !== "imm") spec.most = BigInt(most as string);
  spec.count = /^\d+$/.test(count) ? Number(count) : count;
  if (count === "") spec.count = 0;
  spec.selector = selector;
  spec.relaxed = flags.includes("~");
  spec.sink = flags.includes("?");
  spec.symbol = flags.includes("+");
  spec.special = flags.includes("%");
  const constant = /^imm(?:\(([\d|]+)\))?$/.exec(type);
  if (negated) spec.kind = "predicate";
  else if (name === "_") spec.kind = "sink";
  else if (KINDS[type] !== undefined) spec.kind = KINDS[type] as OperandKind;
  else if (constant !== null) {
    spec.kind = "constant";
    spec.constants = constant[1] === undefined ? [] : constant[1].split("|").map(Number);
  } else if (name.startsWith("[")) spec.kind = name.includes(",") ? "texture" : "address";
  else if (name.includes("|")) {
    spec.kind = "pair";
    spec.pairOptional = name.includes("{|");
  } else if (name === "d" || name === "p") spec.kind = "destination";
  return spec;
}

function parseSlots(text: string, sets: Record<string, string> | undefined): Slot[] {
  const slots: Slot[] = [];
  let groups = 0;
  for (let at = 0; at < text.length; ) {
    // `{.a.b}` or `.a`
    const optional = text[at] === "{";
    const from = optional ? at + 2 : at + 1;
    let to = from;
    while (to < text.length && !(optional ? "}" : ".{").includes(text[to] as string)) to++;
    at = optional ? to + 1 : to;
    const names = optional ? text.slice(from, to).split(".") : [text.slice(from, to)];
    const group = names.length > 1 ? ++groups : 0;
    for (const name of names) {
      const members = sets?.[name] ?? SETS[name];
      const values = members === undefined ? [name] : split(members);
      slots.push({ name, optional, group, values });
    }
  }
  return slots;
}

/** The base opcode with which a line begins. */
export function opcodeOf(line: string): string {
  const end = line.search(/[.{ ]/);
  return end < 0 ? line : line.slice(0, end);
}

/**
 * One line of a group. Its parts are read when they are first asked for: of most forms of an opcode
 * no more than the modifiers are ever looked at.
 */
class LineForm implements Form {
  readonly index: number;
  readonly group: FormGroup;
  readonly opcode: string;
  readonly slots: readonly Slot[];
  readonly anyOperands: boolean;
  readonly openEnded: boolean;
  readonly #line: string;
  readonly #name: string;
  /** What follows the name, the notes on versions included. */
  readonly #rest: string;
  #operands: readonly OperandSpec[] | undefined;

  constructor(line: string, group: FormGroup, index: number) {
    this.#line = line;
    this.group = group;
    this.index = index;
    const space = line.indexOf(" ");
    this.#name = space < 0 ? line : line.slice(0, space);
    this.#rest = space < 0 ? "" : line.slice(space);
    this.opcode = opcodeOf(line);
    this.anyOperands = this.#rest.trimStart().startsWith("...");
    this.openEnded = this.#name.endsWith(".*");
    const end = this.openEnded ? this.#name.length - 2 : undefined;
    this.slots = parseSlots(this.#name.slice(this.opcode.length, end), group.sets);
  }

  /** The operands' text. */
  get #plain(): string {
    return this.#rest.replace(/\s(@\d+\.\d+|sm_\d+)/g, "").trim();
  }

  get operands(): readonly OperandSpec[] {
    this.#operands ??= this.anyOperands ? [] : splitOperands(this.#plain).map(parseOperandSpec);
    return this.#operands;
  }

  get syntax(): string {
    return display(this.#name, this.#plain);
  }

  get since(): string {
    return /\s@(\d+\.\d+)/.exec(this.#line)?.[1] ?? this.group.since;
  }

  get target(): number {
    const target = /\ssm_(\d+)/.exec(this.#line);
    return target === null ? this.group.target : Number(target[1]);
  }
}

/** Compiles one line of a group. */
export function parseForm(line: string, group: FormGroup, index: number): Form {
  return new LineForm(line, group, index);
}

/** A form without the notes that only this table has. */
function display(name: string, operands: string): string {
  const plain = operands
    .replace(/:(\w+\([\w|]+\)|\w+)/g, "")
    .replace(/\*\w+|\.sel\d?|[~?+%]|(?<!\{)!/g, "");
  return `${name} ${plain}`.trim();
}
