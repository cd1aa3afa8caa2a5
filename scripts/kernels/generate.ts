// Random kernels that are valid, end, and have one right answer: no data races, no undefined values, no
// result that depends on the order of threads.

import { Random } from "../ptx-mutants.ts";
import { type Class, OPS, type Op } from "./ops.ts";

/** A generated kernel and how it is launched. */
export interface Generated {
  ptx: string;
  grid: number;
  block: number;
}

/** Registers of each class that hold values; further ones are the generator's own. */
export const REGISTERS: Record<"h" | "r" | "q" | "f" | "d" | "p", number> = {
  h: 4,
  r: 10,
  q: 5,
  f: 5,
  d: 3,
  p: 5,
};
/** Words (32 bits) of the input, from which all registers start. */
export const INPUT_WORDS = 256;
/** Words that all threads add to. */
export const COUNTER_WORDS = 64;
/** Words of output per thread: its registers, and from SCRATCH_WORD on what it stored in between. */
export const OUTPUT_WORDS = 44;
export const SCRATCH_WORD = 36;
const SCRATCH_WORDS = 8;
/** Words of shared memory that all threads of a block add to. */
const SHARED_COUNTERS = 4;
/** Words of shared memory per thread, and of local memory. */
const SHARED_WORDS = 4;
const LOCAL_WORDS = 8;

const TYPES = { h: "b16", r: "b32", q: "b64", f: "f32", d: "f64", p: "pred" } as const;
export type RegisterClass = keyof typeof TYPES;

/** Integer constants at which something may go wrong. */
const CONSTANTS = [
  0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 255, 65535, 0x7fffffff, 0x80000000, 0xffffffff,
];

class Generator {
  readonly #random: Random;
  readonly #lines: string[] = [];
  /** All threads of a warp are there, all warps of the block: exchange is allowed. */
  readonly #exchanges: boolean;
  readonly #block: number;
  #labels = 0;
  #budget: number;

  constructor(random: Random, block: number, exchanges: boolean) {
    this.#random = random;
    this.#block = block;
    this.#exchanges = exchanges;
    this.#budget = 20 + random.below(100);
  }

  text(): string {
    this.#statements(0);
    return this.#lines.join("\n");
  }

  #emit(line: string): void {
    this.#lines.push(line);
  }

  #register(c: RegisterClass): string {
    return `%${c}${this.#random.below(REGISTERS[c])}`;
  }

  #constant(): string {
    const random = this.#random;
    return `${random.below(3) === 0 ? random.next() : random.pick(CONSTANTS)}`;
  }

  #operand(c: Class): string {
    const random = this.#random;
    if (c === "i") return this.#constant();
    if (c === "lut") return `${random.below(256)}`;
    // Sources of 32 bits are constants now and then.
    if (c === "r" && random.below(8) === 0) return this.#constant();
    return this.#register(c);
  }

  #label(): string {
    return `L${this.#labels++}`;
  }

  #statements(depth: number): void {
    const count = 2 + this.#random.below(depth === 0 ? 30 : 7);
    for (let n = 0; n < count && this.#budget > 0; n++) this.#statement(depth);
  }

  #statement(depth: number): void {
    const kind = this.#random.below(100);
    this.#budget--;
    if (kind < 58) this.#operation("");
    else if (kind < 66)
      this.#operation(`@${this.#random.below(2) === 0 ? "!" : ""}${this.#register("p")} `);
    else if (kind < 70) this.#local();
    else if (kind < 73) this.#load();
    else if (kind < 75) this.#store();
    else if (kind < 78) this.#atomic();
    else if (kind < 80) this.#carry();
    else if (kind < 82) this.#divide();
    else if (kind < 83) this.#call();
    else if (depth === 0 && this.#exchanges && kind < 92) this.#exchange();
    else if (depth > 0 && !this.#exchanges && kind < 84)
      this.#emit(`@${this.#register("p")} exit;`);
    else if (depth < 3) this.#control(depth);
  }

  #operation(guard: string): void {
    const op: Op = this.#random.pick(OPS);
    // Constant shift counts, positions and lengths of bit fields stay small: of huge ones ptxas makes
    // other code than of the same value in a register.
    const isField = op.name.startsWith("bf") && op.args.length > 2;
    const isShift = /^sh[lr]/.test(op.name);
    const counts = isField ? 2 : isShift ? 1 : 0;
    const args = op.args.map((c, k) => {
      if (k < op.args.length - counts) return this.#operand(c);
      if (this.#random.below(4) > 0) return this.#register("r");
      return `${this.#random.below(isField ? 33 : 70)}`;
    });
    this.#emit(
      `${guard}${op.name} ${[this.#register(op.to as RegisterClass), ...args].join(", ")};`,
    );
  }

  /** Addition with carry over 64 bits in two registers. */
  #carry(): void {
    const [a, b, c] = [this.#register("r"), this.#operand("r"), this.#operand("r")];
    const name = this.#random.below(2) === 0 ? "add" : "sub";
    this.#emit(`${name}.cc.u32 ${a}, ${this.#operand("r")}, ${b};`);
    this.#emit(`${name}c.u32 ${this.#register("r")}, ${this.#operand("r")}, ${c};`);
  }

  /** Division by something that isn't zero. */
  #divide(): void {
    const name = this.#random.pick(["div.u32", "rem.u32", "div.s32", "rem.s32"]);
    const mask = name.endsWith("s32") ? "0x7fff" : "0xffffffff";
    this.#emit(`and.b32 %x0, ${this.#register("r")}, ${mask};`);
    this.#emit("or.b32 %x0, %x0, 1;");
    this.#emit(`${name} ${this.#register("r")}, ${this.#register("r")}, %x0;`);
  }

  /** An access to the thread's own local memory, at an index that only run time knows. */
  #local(): void {
    this.#emit(`and.b32 %x0, ${this.#register("r")}, ${LOCAL_WORDS - 1};`);
    this.#emit("shl.b32 %x0, %x0, 2;");
    this.#emit("add.u32 %x0, %x0, %lbase;");
    const direction = this.#random.below(2);
    if (direction === 0) this.#emit(`st.local.b32 [%x0], ${this.#register("r")};`);
    else this.#emit(`ld.local.b32 ${this.#register("r")}, [%x0];`);
  }

  /** A load of any width from the input, at an index of the thread's own. */
  #load(): void {
    const random = this.#random;
    const [type, bytes, to] = random.pick([
      ["b32", 4, ["r"]],
      ["nc.b32", 4, ["r"]],
      ["u8", 1, ["r"]],
      ["s8", 1, ["r"]],
      ["u16", 2, ["r"]],
      ["s16", 2, ["r"]],
      ["b64", 8, ["q"]],
      ["f32", 4, ["f"]],
      ["f64", 8, ["d"]],
      ["v2.b32", 8, ["r", "r"]],
      ["v4.b32", 16, ["r", "r", "r", "r"]],
      ["v2.f32", 8, ["f", "f"]],
    ] as [string, number, RegisterClass[]][]);
    this.#emit(`and.b32 %x0, ${this.#register("r")}, ${512 / bytes - 1};`);
    this.#emit(`mul.wide.u32 %xq0, %x0, ${bytes};`);
    this.#emit("add.u64 %xq0, %xq0, %inbase;");
    const names = to.map((c) => this.#register(c));
    const destination = names.length === 1 ? names[0] : `{${names.join(", ")}}`;
    const guard = random.below(3) === 0 ? `@${this.#register("p")} ` : "";
    // Two registers of one vector must not be the same.
    if (new Set(names).size < names.length) return;
    this.#emit(`${guard}ld.global.${type} ${destination}, [%xq0+${bytes * random.below(32)}];`);
  }

  /** A store of any width into the thread's own part of the output. */
  #store(): void {
    const random = this.#random;
    const [type, bytes, from] = random.pick([
      ["b32", 4, "r"],
      ["u8", 1, "r"],
      ["u16", 2, "r"],
      ["b16", 2, "h"],
      ["b64", 8, "q"],
      ["v2.b32", 8, "r"],
    ] as [string, number, RegisterClass][]);
    this.#emit(`and.b32 %x0, ${this.#register("r")}, ${(4 * SCRATCH_WORDS) / bytes - 1};`);
    this.#emit(`mul.wide.u32 %xq0, %x0, ${bytes};`);
    this.#emit("add.u64 %xq0, %xq0, %out;");
    const first = this.#register(from);
    const source = type.startsWith("v2") ? `{${first}, ${this.#register(from)}}` : first;
    const guard = random.below(3) === 0 ? `@!${this.#register("p")} ` : "";
    this.#emit(`${guard}st.global.${type} [%xq0+${4 * SCRATCH_WORD}], ${source};`);
  }

  /** A call of the module's function. */
  #call(): void {
    this.#emit("{ .param .b32 a; .param .b64 b; .param .b32 r;");
    this.#emit(`st.param.b32 [a], ${this.#register("r")};`);
    this.#emit(`st.param.b64 [b], ${this.#register("q")};`);
    this.#emit("call (r), mix, (a, b);");
    this.#emit(`ld.param.b32 ${this.#register("r")}, [r]; }`);
  }

  /** A reduction into a word that has one operation only, so that order doesn't matter. */
  #atomic(): void {
    const [name, first] = this.#random.pick([
      ["add.u32", 0],
      ["max.s32", 16],
      ["or.b32", 32],
      ["xor.b32", 48],
    ] as const);
    this.#emit(`and.b32 %x0, ${this.#register("r")}, 15;`);
    this.#emit("mul.wide.u32 %xq0, %x0, 4;");
    this.#emit("add.u64 %xq0, %xq0, %counters;");
    const [op, type] = name.split(".") as [string, string];
    this.#emit(`red.global.${op}.${type} [%xq0+${4 * first}], ${this.#register("r")};`);
  }

  /** Values go to other threads: through shared memory and a barrier, or within the warp. */
  #exchange(): void {
    const random = this.#random;
    const kind = random.below(this.#block % 32 === 0 ? 6 : 2);
    if (kind === 5) {
      const [name, type] = random.pick([
        ["add", "u32"],
        ["min", "s32"],
        ["max", "u32"],
        ["and", "b32"],
        ["xor", "b32"],
      ] as const);
      const operands = `${this.#register("r")}, ${this.#register("r")}, 0xffffffff`;
      this.#emit(`redux.sync.${name}.${type} ${operands};`);
    } else if (kind === 1) {
      this.#emit(`and.b32 %x0, ${this.#register("r")}, ${SHARED_COUNTERS - 1};`);
      this.#emit("shl.b32 %x0, %x0, 2;");
      this.#emit("add.u32 %x0, %x0, %sbase;");
      const at = `%x0+${this.#block * SHARED_WORDS * 4}`;
      this.#emit(`@${this.#register("p")} red.shared.add.u32 [${at}], ${this.#register("r")};`);
      this.#emit("bar.sync 0;");
      this.#emit(`ld.shared.u32 ${this.#register("r")}, [${at}];`);
      this.#emit("bar.sync 0;");
    } else if (kind === 0) {
      this.#emit(
        `st.shared.b32 [%sown+${4 * random.below(SHARED_WORDS)}], ${this.#register("r")};`,
      );
      this.#emit("bar.sync 0;");
      this.#emit(`add.u32 %x0, %t, ${1 + random.below(40)};`);
      this.#emit(`rem.u32 %x0, %x0, ${this.#block};`);
      this.#emit(`mad.lo.u32 %x0, %x0, ${4 * SHARED_WORDS}, %sbase;`);
      this.#emit(`ld.shared.b32 ${this.#register("r")}, [%x0+${4 * random.below(SHARED_WORDS)}];`);
      this.#emit("bar.sync 0;");
    } else if (kind === 2) {
      const mode = random.pick(["up", "down", "bfly", "idx"]);
      const clamp = mode === "up" ? 0 : 31;
      const source = `${this.#register("r")}, ${random.below(33)}, ${clamp}, 0xffffffff`;
      this.#emit(`shfl.sync.${mode}.b32 ${this.#register("r")}|${this.#register("p")}, ${source};`);
    } else if (kind === 3) {
      const mode = random.pick(["any", "all", "uni"]);
      this.#emit(
        `vote.sync.${mode}.pred ${this.#register("p")}, ${this.#register("p")}, 0xffffffff;`,
      );
    } else {
      this.#emit(
        `vote.sync.ballot.b32 ${this.#register("r")}, ${this.#register("p")}, 0xffffffff;`,
      );
    }
  }

  #control(depth: number): void {
    switch (this.#random.below(5)) {
      case 0:
      case 1: {
        const [other, end] = [this.#label(), this.#label()];
        this.#emit(
          `@${this.#random.below(2) === 0 ? "!" : ""}${this.#register("p")} bra ${other};`,
        );
        this.#statements(depth + 1);
        this.#emit(`bra ${end};`);
        this.#emit(`${other}:`);
        if (this.#random.below(2) === 0) this.#statements(depth + 1);
        this.#emit(`${end}:`);
        break;
      }
      case 2:
      case 3:
        this.#loop(depth);
        break;
      default:
        this.#switch(depth);
    }
  }

  /** A loop of one to eight rounds, as many as a register of the thread says, perhaps left early. */
  #loop(depth: number): void {
    const [top, end] = [this.#label(), this.#label()];
    const counter = `%loop${depth}`;
    this.#emit(`and.b32 ${counter}, ${this.#register("r")}, ${this.#random.pick([0, 1, 3, 7])};`);
    this.#emit(`${top}:`);
    this.#statements(depth + 1);
    if (this.#random.below(3) === 0) {
      this.#emit(`@${this.#register("p")} bra ${end};`);
      this.#statements(depth + 1);
    }
    this.#emit(`sub.u32 ${counter}, ${counter}, 1;`);
    this.#emit(`setp.ge.s32 %xp, ${counter}, 0;`);
    this.#emit(`@%xp bra ${top};`);
    this.#emit(`${end}:`);
  }

  /** A jump table of three cases; the first falls through to the second. */
  #switch(depth: number): void {
    const [targets, a, b, c, end] = Array.from({ length: 5 }, () => this.#label());
    this.#emit(`rem.u32 %x1, ${this.#register("r")}, 3;`);
    this.#emit(`${targets}: .branchtargets ${a}, ${b}, ${c};`);
    this.#emit(`brx.idx %x1, ${targets};`);
    this.#emit(`${a}:`);
    this.#statements(depth + 1);
    this.#emit(`${b}:`);
    this.#statements(depth + 1);
    this.#emit(`bra ${end};`);
    this.#emit(`${c}:`);
    this.#statements(depth + 1);
    this.#emit(`${end}:`);
  }
}

/** Loads of every register from the input, each thread from a place of its own. */
function prologue(block: number): string {
  const lines: string[] = [];
  let word = 0;
  for (const [c, count] of Object.entries(REGISTERS) as [RegisterClass, number][]) {
    for (let k = 0; k < count; k++, word += 3) {
      const offset = (word * 4) % (INPUT_WORDS * 2);
      lines.push(`ld.global.b32 %x0, [%in+${offset}];`);
      const register = `%${c}${k}`;
      if (c === "r") lines.push(`mov.b32 ${register}, %x0;`);
      else if (c === "h") lines.push(`cvt.u16.u32 ${register}, %x0;`);
      else if (c === "p") lines.push(`setp.lt.s32 ${register}, %x0, 0;`);
      else if (c === "f") lines.push(`mov.b32 ${register}, %x0;`);
      else {
        lines.push(`ld.global.b32 %x1, [%in+${(offset + 4) % (INPUT_WORDS * 2)}];`);
        lines.push(`mov.b64 ${register}, {%x0, %x1};`);
      }
    }
  }
  lines.push(
    "setp.eq.u32 %xp, %t, 0;",
    ...Array.from(
      { length: SHARED_COUNTERS },
      (_, k) => `@%xp st.shared.b32 [%sbase+${block * SHARED_WORDS * 4 + 4 * k}], 0;`,
    ),
  );
  for (let k = 0; k < LOCAL_WORDS; k++) lines.push(`st.local.b32 [%lbase+${4 * k}], %r${k % 10};`);
  for (let k = 0; k < SHARED_WORDS; k++) lines.push(`st.shared.b32 [%sown+${4 * k}], %r${k};`);
  return lines.join("\n");
}

/** Where each register is stored in a thread's output: word and class, 64-bit ones at even words. */
export const OUTPUT_LAYOUT: readonly { register: string; kind: RegisterClass; word: number }[] =
  layOut();

function layOut(): { register: string; kind: RegisterClass; word: number }[] {
  const places: { register: string; kind: RegisterClass; word: number }[] = [];
  let word = 0;
  for (const [kind, count] of Object.entries(REGISTERS) as [RegisterClass, number][]) {
    const words = kind === "q" || kind === "d" ? 2 : 1;
    word += word % words;
    for (let k = 0; k < count; k++, word += words)
      places.push({ register: `%${kind}${k}`, kind, word });
  }
  return places;
}

/** Stores of every register, predicates as 0 and 1. */
function epilogue(): string {
  const lines: string[] = [];
  for (const { register, kind, word } of OUTPUT_LAYOUT) {
    const at = `[%out+${4 * word}]`;
    if (kind === "q" || kind === "d") lines.push(`st.global.b64 ${at}, ${register};`);
    else if (kind === "h") lines.push(`cvt.u32.u16 %x0, ${register};`, `st.global.b32 ${at}, %x0;`);
    else if (kind === "p")
      lines.push(`selp.u32 %x0, 1, 0, ${register};`, `st.global.b32 ${at}, %x0;`);
    else lines.push(`st.global.b32 ${at}, ${register};`);
  }
  return lines.join("\n");
}

/** A function with a loop of up to eight rounds and a branch: part of every module. */
const FUNCTION = `.func (.param .b32 r) mix(.param .b32 a, .param .b64 b)
{
.reg .b32 %r<6>; .reg .b64 %q<3>; .reg .pred %p<3>;
ld.param.b32 %r1, [a];
ld.param.b64 %q1, [b];
and.b32 %r2, %r1, 7;
AGAIN:
cvt.u32.u64 %r3, %q1;
setp.lt.s32 %p1, %r3, 0;
@%p1 bra NEGATIVE;
add.u32 %r1, %r1, %r3;
shr.u64 %q1, %q1, 3;
bra NEXT;
NEGATIVE:
xor.b32 %r1, %r1, %r3;
shr.u64 %q1, %q1, 1;
NEXT:
sub.u32 %r2, %r2, 1;
setp.ge.s32 %p2, %r2, 0;
@%p2 bra AGAIN;
st.param.b32 [r], %r1;
ret;
}`;

/** Kernel number `index` of a seed. */
export function generate(seed: number, index: number): Generated {
  const random = new Random(Math.imul(seed, 0x85ebca77) ^ Math.imul(index, 0x9e3779b1));
  const block = random.pick([32, 64, 96, 128, 1, 3, 33, 50]);
  const grid = 1 + random.below(3);
  const body = new Generator(random, block, random.below(3) > 0).text();
  const declare = (Object.keys(TYPES) as RegisterClass[]).map(
    (c) => `.reg .${TYPES[c]} %${c}<${REGISTERS[c]}>;`,
  );
  const ptx = `.version 8.0
.target sm_80
.address_size 64
${FUNCTION}
.visible .entry k(.param .u64 in, .param .u64 out, .param .u64 counters)
{
${declare.join(" ")}
.reg .b32 %x<4>; .reg .b64 %xq<2>; .reg .pred %xp; .reg .b32 %loop<4>;
.reg .b32 %t; .reg .b32 %gid; .reg .b32 %sbase; .reg .b32 %sown; .reg .b32 %lbase;
.reg .b64 %in; .reg .b64 %inbase; .reg .b64 %out; .reg .b64 %counters;
.shared .align 16 .b8 shared[${(block * SHARED_WORDS + SHARED_COUNTERS) * 4}];
.local .align 16 .b8 local[${LOCAL_WORDS * 4}];
mov.u32 %t, %tid.x;
mov.u32 %x0, %ctaid.x;
mov.u32 %x1, %ntid.x;
mad.lo.u32 %gid, %x0, %x1, %t;
mov.u32 %sbase, shared;
mov.u32 %lbase, local;
mad.lo.u32 %sown, %t, ${SHARED_WORDS * 4}, %sbase;
ld.param.u64 %in, [in];
mov.b64 %inbase, %in;
ld.param.u64 %out, [out];
ld.param.u64 %counters, [counters];
and.b32 %x0, %gid, 127;
mul.wide.u32 %xq0, %x0, 4;
add.u64 %in, %in, %xq0;
mul.wide.u32 %xq0, %gid, ${OUTPUT_WORDS * 4};
add.u64 %out, %out, %xq0;
${prologue(block)}
bar.sync 0;
${body}
${epilogue()}
ret;
}
`;
  return { ptx, grid, block };
}

/** Input words: small and large integers, and bits of all kinds of floats. */
export function inputWords(seed: number): Uint32Array {
  const random = new Random(seed ^ 0x51ed270b);
  const words = new Uint32Array(INPUT_WORDS);
  const special = [
    0, 1, 0xffffffff, 0x80000000, 0x7fffffff, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
    0x7fc00000, 0x00000001, 0x00400000, 0x4f000000, 0x3ff00000, 0x40590000, 0x7ff00000,
  ];
  for (let k = 0; k < words.length; k++) {
    const kind = random.below(4);
    if (kind === 0) words[k] = random.pick(special);
    else if (kind === 1) words[k] = random.below(64);
    else if (kind === 2) words[k] = 0x3f000000 + random.below(0x03000000);
    else words[k] = random.next();
  }
  return words;
}
