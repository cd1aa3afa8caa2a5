// Random statements that are valid, end, and have one right answer: no data races, no undefined values, no
// result that depends on the order of threads.

import type { Random } from "../ptx-mutants.ts";
import {
  type Dialect,
  LOCAL_WORDS,
  type RegisterClass,
  SHARED_COUNTERS,
  SHARED_WORDS,
} from "./dialect.ts";
import { type Class, OPS, type Op } from "./ops.ts";

/** Integer constants at which something may go wrong. */
const CONSTANTS = [
  0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 255, 65535, 0x7fffffff, 0x80000000, 0xffffffff,
];

export class Statements {
  protected readonly dialect: Dialect;
  protected readonly random: Random;
  protected readonly lines: string[] = [];
  /** All threads of a warp are there, all warps of the block: exchange is allowed. */
  protected readonly exchanges: boolean;
  protected readonly block: number;
  protected readonly ops: readonly Op[] = OPS;
  protected labels = 0;
  protected budget: number;

  constructor(dialect: Dialect, random: Random, block: number, exchanges: boolean) {
    this.dialect = dialect;
    this.random = random;
    this.block = block;
    this.exchanges = exchanges;
    this.budget = 20 + random.below(100);
  }

  text(): string {
    this.statements(0);
    return this.lines.join("\n");
  }

  protected emit(line: string): void {
    this.lines.push(line);
  }

  protected register(c: RegisterClass): string {
    return `%${c}${this.random.below(this.dialect.registers[c] as number)}`;
  }

  protected constant(): string {
    const random = this.random;
    return `${random.below(3) === 0 ? random.next() : random.pick(CONSTANTS)}`;
  }

  protected operand(c: Class): string {
    const random = this.random;
    if (c === "i") return this.constant();
    if (c === "lut") return `${random.below(256)}`;
    // Sources of 32 bits are constants now and then.
    if (c === "r" && random.below(8) === 0) return this.constant();
    return this.register(c);
  }

  protected label(): string {
    return `L${this.labels++}`;
  }

  protected statements(depth: number): void {
    const count = 2 + this.random.below(depth === 0 ? 30 : 7);
    for (let n = 0; n < count && this.budget > 0; n++) this.statement(depth);
  }

  protected statement(depth: number): void {
    const kind = this.random.below(100);
    this.budget--;
    if (kind < 58) this.operation("");
    else if (kind < 66)
      this.operation(`@${this.random.below(2) === 0 ? "!" : ""}${this.register("p")} `);
    else if (kind < 70) this.local();
    else if (kind < 73) this.load();
    else if (kind < 75) this.store();
    else if (kind < 78) this.atomic();
    else if (kind < 80) this.carry();
    else if (kind < 82) this.divide();
    else if (kind < 83) this.call();
    else if (depth === 0 && this.exchanges && kind < 92) this.exchange();
    else if (depth > 0 && !this.exchanges && kind < 84) this.emit(`@${this.register("p")} exit;`);
    else if (depth < 3) this.control(depth);
  }

  protected operation(guard: string): void {
    const op: Op = this.random.pick(this.ops);
    // Constant shift counts, positions and lengths of bit fields stay small: of huge ones ptxas makes
    // other code than of the same value in a register.
    const isField = op.name.startsWith("bf") && op.args.length > 2;
    const isShift = /^sh[lr]/.test(op.name);
    const counts = isField ? 2 : isShift ? 1 : 0;
    const args = op.args.map((c, k) => {
      if (k < op.args.length - counts) return this.operand(c);
      if (this.random.below(4) > 0) return this.register("r");
      return `${this.random.below(isField ? 33 : 70)}`;
    });
    // What ptxas 13.0 makes of a guarded `set` to a float converts the old value where the guard doesn't hold.
    const guarded = op.name.startsWith("set.") && op.to === "f" ? "" : guard;
    this.emit(
      `${guarded}${op.name} ${[this.register(op.to as RegisterClass), ...args].join(", ")};`,
    );
  }

  /** Addition with carry over 64 bits in two registers. */
  protected carry(): void {
    const [a, b, c] = [this.register("r"), this.operand("r"), this.operand("r")];
    const name = this.random.below(2) === 0 ? "add" : "sub";
    this.emit(`${name}.cc.u32 ${a}, ${this.operand("r")}, ${b};`);
    this.emit(`${name}c.u32 ${this.register("r")}, ${this.operand("r")}, ${c};`);
  }

  /** Division by something that isn't zero. */
  protected divide(): void {
    const name = this.random.pick(["div.u32", "rem.u32", "div.s32", "rem.s32"]);
    const mask = name.endsWith("s32") ? "0x7fff" : "0xffffffff";
    this.emit(`and.b32 %x0, ${this.register("r")}, ${mask};`);
    this.emit("or.b32 %x0, %x0, 1;");
    this.emit(`${name} ${this.register("r")}, ${this.register("r")}, %x0;`);
  }

  /** An access to the thread's own local memory, at an index that only run time knows. */
  protected local(): void {
    this.emit(`and.b32 %x0, ${this.register("r")}, ${LOCAL_WORDS - 1};`);
    this.emit("shl.b32 %x0, %x0, 2;");
    this.emit("add.u32 %x0, %x0, %lbase;");
    const direction = this.random.below(2);
    if (direction === 0) this.emit(`st.local.b32 [%x0], ${this.register("r")};`);
    else this.emit(`ld.local.b32 ${this.register("r")}, [%x0];`);
  }

  /** A load of any width from the input, at an index of the thread's own. */
  protected load(): void {
    const random = this.random;
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
    this.emit(`and.b32 %x0, ${this.register("r")}, ${512 / bytes - 1};`);
    this.emit(`mul.wide.u32 %xq0, %x0, ${bytes};`);
    this.emit("add.u64 %xq0, %xq0, %inbase;");
    const names = to.map((c) => this.register(c));
    const destination = names.length === 1 ? names[0] : `{${names.join(", ")}}`;
    const guard = random.below(3) === 0 ? `@${this.register("p")} ` : "";
    // Two registers of one vector must not be the same.
    if (new Set(names).size < names.length) return;
    this.emit(`${guard}ld.global.${type} ${destination}, [%xq0+${bytes * random.below(32)}];`);
  }

  /** A store of any width into the thread's own part of the output. */
  protected store(): void {
    const random = this.random;
    const [type, bytes, from] = random.pick([
      ["b32", 4, "r"],
      ["u8", 1, "r"],
      ["u16", 2, "r"],
      ["b16", 2, "h"],
      ["b64", 8, "q"],
      ["v2.b32", 8, "r"],
    ] as [string, number, RegisterClass][]);
    this.emit(
      `and.b32 %x0, ${this.register("r")}, ${(4 * this.dialect.scratchWords) / bytes - 1};`,
    );
    this.emit(`mul.wide.u32 %xq0, %x0, ${bytes};`);
    this.emit("add.u64 %xq0, %xq0, %out;");
    const first = this.register(from);
    const source = type.startsWith("v2") ? `{${first}, ${this.register(from)}}` : first;
    const guard = random.below(3) === 0 ? `@!${this.register("p")} ` : "";
    this.emit(`${guard}st.global.${type} [%xq0+${4 * this.dialect.scratchWord}], ${source};`);
  }

  /** A call of the module's function. */
  protected call(): void {
    this.emit("{ .param .b32 a; .param .b64 b; .param .b32 r;");
    this.emit(`st.param.b32 [a], ${this.register("r")};`);
    this.emit(`st.param.b64 [b], ${this.register("q")};`);
    this.emit("call (r), mix, (a, b);");
    this.emit(`ld.param.b32 ${this.register("r")}, [r]; }`);
  }

  /** A reduction into a word that has one operation only, so that order doesn't matter. */
  protected atomic(): void {
    const [name, first] = this.random.pick([
      ["add.u32", 0],
      ["max.s32", 16],
      ["or.b32", 32],
      ["xor.b32", 48],
    ] as const);
    this.emit(`and.b32 %x0, ${this.register("r")}, 15;`);
    this.emit("mul.wide.u32 %xq0, %x0, 4;");
    this.emit("add.u64 %xq0, %xq0, %counters;");
    const [op, type] = name.split(".") as [string, string];
    this.emit(`red.global.${op}.${type} [%xq0+${4 * first}], ${this.register("r")};`);
  }

  /** Values go to other threads: through shared memory and a barrier, or within the warp. */
  protected exchange(): void {
    const random = this.random;
    const kind = random.below(this.block % 32 === 0 ? 6 : 2);
    if (kind > 1) this.exchangeInWarp(kind);
    else if (kind === 1) {
      this.emit(`and.b32 %x0, ${this.register("r")}, ${SHARED_COUNTERS - 1};`);
      this.emit("shl.b32 %x0, %x0, 2;");
      this.emit("add.u32 %x0, %x0, %sbase;");
      const at = `%x0+${this.block * SHARED_WORDS * 4}`;
      this.emit(`@${this.register("p")} red.shared.add.u32 [${at}], ${this.register("r")};`);
      this.emit("bar.sync 0;");
      this.emit(`ld.shared.u32 ${this.register("r")}, [${at}];`);
      this.emit("bar.sync 0;");
    } else {
      this.emit(`st.shared.b32 [%sown+${4 * random.below(SHARED_WORDS)}], ${this.register("r")};`);
      this.emit("bar.sync 0;");
      this.emit(`add.u32 %x0, %t, ${1 + random.below(40)};`);
      this.emit(`rem.u32 %x0, %x0, ${this.block};`);
      this.emit(`mad.lo.u32 %x0, %x0, ${4 * SHARED_WORDS}, %sbase;`);
      this.emit(`ld.shared.b32 ${this.register("r")}, [%x0+${4 * random.below(SHARED_WORDS)}];`);
      this.emit("bar.sync 0;");
    }
  }

  /** All lanes of a warp of 32 come here: of kinds 2 to 5. */
  protected exchangeInWarp(kind: number): void {
    const { random } = this;
    if (kind === 5) {
      const [name, type] = random.pick([
        ["add", "u32"],
        ["min", "s32"],
        ["max", "u32"],
        ["and", "b32"],
        ["xor", "b32"],
      ] as const);
      const operands = `${this.register("r")}, ${this.register("r")}, 0xffffffff`;
      this.emit(`redux.sync.${name}.${type} ${operands};`);
    } else if (kind === 2) {
      const mode = random.pick(["up", "down", "bfly", "idx"]);
      const clamp = mode === "up" ? 0 : 31;
      const source = `${this.register("r")}, ${random.below(33)}, ${clamp}, 0xffffffff`;
      this.emit(`shfl.sync.${mode}.b32 ${this.register("r")}|${this.register("p")}, ${source};`);
    } else if (kind === 3) {
      const mode = random.pick(["any", "all", "uni"]);
      this.emit(`vote.sync.${mode}.pred ${this.register("p")}, ${this.register("p")}, 0xffffffff;`);
    } else {
      this.emit(`vote.sync.ballot.b32 ${this.register("r")}, ${this.register("p")}, 0xffffffff;`);
    }
  }

  protected control(depth: number): void {
    switch (this.random.below(5)) {
      case 0:
      case 1: {
        const [other, end] = [this.label(), this.label()];
        this.emit(`@${this.random.below(2) === 0 ? "!" : ""}${this.register("p")} bra ${other};`);
        this.statements(depth + 1);
        this.emit(`bra ${end};`);
        this.emit(`${other}:`);
        if (this.random.below(2) === 0) this.statements(depth + 1);
        this.emit(`${end}:`);
        break;
      }
      case 2:
      case 3:
        this.loop(depth);
        break;
      default:
        this.switch(depth);
    }
  }

  /** A loop of one to eight rounds, as many as a register of the thread says, perhaps left early. */
  protected loop(depth: number): void {
    const [top, end] = [this.label(), this.label()];
    const counter = `%loop${depth}`;
    this.emit(`and.b32 ${counter}, ${this.register("r")}, ${this.random.pick([0, 1, 3, 7])};`);
    this.emit(`${top}:`);
    this.statements(depth + 1);
    if (this.random.below(3) === 0) {
      this.emit(`@${this.register("p")} bra ${end};`);
      this.statements(depth + 1);
    }
    this.emit(`sub.u32 ${counter}, ${counter}, 1;`);
    this.emit(`setp.ge.s32 %xp, ${counter}, 0;`);
    this.emit(`@%xp bra ${top};`);
    this.emit(`${end}:`);
  }

  /** A jump table of three cases; the first falls through to the second. */
  protected switch(depth: number): void {
    const [targets, a, b, c, end] = Array.from({ length: 5 }, () => this.label());
    this.emit(`rem.u32 %x1, ${this.register("r")}, 3;`);
    this.emit(`${targets}: .branchtargets ${a}, ${b}, ${c};`);
    this.emit(`brx.idx %x1, ${targets};`);
    this.emit(`${a}:`);
    this.statements(depth + 1);
    this.emit(`${b}:`);
    this.statements(depth + 1);
    this.emit(`bra ${end};`);
    this.emit(`${c}:`);
    this.statements(depth + 1);
    this.emit(`${end}:`);
  }
}
