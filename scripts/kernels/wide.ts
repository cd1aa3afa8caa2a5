// Wider statements of generated kernels: vectors and dynamic indices in every memory, atomics that answer,
// loops that the compiler sees through, loops with several entries and exits, barriers inside of uniform
// loops, operations of a part of a warp.

import type { Random } from "../ptx-mutants.ts";
import {
  type Dialect,
  INPUT_WORDS,
  LOCAL_WORDS,
  type RegisterClass,
  SHARED_WORDS,
} from "./dialect.ts";
import { OPS, type Op } from "./ops.ts";
import { ExchangeStatements } from "./wide-exchange.ts";
import { WIDE_OPS } from "./wide-ops.ts";

/** An access: type with vector length, bytes in all, registers. */
type Access = [type: string, bytes: number, registers: RegisterClass[]];

const ACCESSES: Access[] = [
  ["u8", 1, ["r"]],
  ["s16", 2, ["r"]],
  ["b16", 2, ["h"]],
  ["b32", 4, ["r"]],
  ["b64", 8, ["q"]],
  ["v2.b16", 4, ["h", "h"]],
  ["v2.b32", 8, ["r", "r"]],
  ["v2.b64", 16, ["q", "q"]],
  ["v4.u8", 4, ["r", "r", "r", "r"]],
  ["v4.u16", 8, ["h", "h", "h", "h"]],
  ["v4.b32", 16, ["r", "r", "r", "r"]],
];
const FLOATS: Access[] = [
  ["f32", 4, ["f"]],
  ["f64", 8, ["d"]],
  ["b16", 2, ["e"]],
  ["b32", 4, ["w"]],
  ["v4.f32", 16, ["f", "f", "f", "f"]],
  ["v2.f64", 16, ["d", "d"]],
];

export class WideStatements extends ExchangeStatements {
  protected override readonly ops: readonly Op[] = [...OPS, ...WIDE_OPS];
  /** Neither shared nor local memory: nothing keeps the blocks of a row apart. */
  private readonly streams: boolean;
  /** Such a kernel without any branch or index that only run time knows. */
  private readonly plain: boolean;
  /** Loops around this statement whose rounds are the same for all threads. */
  private uniform = 0;
  /** Labels that leave the loops around this statement, and that go on with their next rounds. */
  private readonly exits: string[] = [];

  constructor(
    dialect: Dialect,
    random: Random,
    block: number,
    exchanges: boolean,
    streams: boolean,
  ) {
    super(dialect, random, block, exchanges);
    this.streams = streams;
    this.plain = streams && random.below(2) === 0;
  }

  protected override local(): void {
    if (!this.streams) super.local();
  }

  protected override statement(depth: number): void {
    if (this.plain) {
      this.budget--;
      const kind = this.random.below(10);
      if (kind < 6) this.operation("");
      else if (kind < 8) this.access();
      else this.affineLoop();
      return;
    }
    if (depth === 0 && this.exchanges && this.random.below(100) < 20) {
      this.budget--;
      this.together();
      return;
    }
    if (this.random.below(100) < 55) {
      super.statement(depth);
      return;
    }
    this.budget--;
    const kind = this.random.below(100);
    if (kind < 30) this.access();
    else if (kind < 40) this.atom();
    else if (kind < 46) this.counter();
    else if (kind < 58) this.affineLoop();
    else if (kind < 64) this.divideWide();
    else if (kind < 70) this.callMore();
    else if (kind < 76) this.carryWide();
    else if (kind < 84 && this.exits.length > 0) this.emit(this.leave());
    else if (depth < 3) this.manyWays(depth);
  }

  /** What all threads of a block come to together. */
  private together(): void {
    const kind = this.random.below(10);
    if (kind < 5) this.exchangeMore();
    else if (kind < 8) this.partOfWarp();
    else if (this.uniform < 2) this.uniformLoop();
  }

  private leave(): string {
    return `@${this.register("p")} bra ${this.random.pick(this.exits)};`;
  }

  /** Any memory, any width, at an index of the thread's own; only its own part of what is written. */
  private access(): void {
    const { random, dialect } = this;
    const space = random.pick(
      this.streams ? ["input", "output"] : ["input", "input", "output", "shared", "local"],
    );
    const load = space === "input" || random.below(2) === 0;
    const floats = space === "input" && random.below(2) === 0;
    const [type, bytes, classes] = random.pick(floats ? FLOATS : ACCESSES);
    const operand = this.names(classes, load);
    if (operand === undefined) return;
    const guard = random.below(3) === 0 ? `@${this.register("p")} ` : "";
    const words = {
      input: INPUT_WORDS / 2,
      output: dialect.scratchWords,
      shared: SHARED_WORDS,
      local: LOCAL_WORDS,
    };
    const places = (4 * words[space as keyof typeof words]) / bytes;
    // A constant index, one of the thread, or one that only run time knows.
    const dynamic = !this.plain && random.below(3) > 0;
    const [index] = [dynamic ? this.register("r") : `${random.below(places)}`];
    if (dynamic) this.emit(`and.b32 %x0, ${index}, ${places - 1};`);
    else this.emit(`mov.b32 %x0, ${index};`);
    let address: string;
    if (space === "input" || space === "output") {
      this.emit(`mul.wide.u32 %xq0, %x0, ${bytes};`);
      this.emit(`add.u64 %xq0, %xq0, ${space === "input" ? "%inbase" : "%out"};`);
      address = space === "input" ? "[%xq0]" : `[%xq0+${4 * dialect.scratchWord}]`;
    } else {
      this.emit(`mad.lo.u32 %x0, %x0, ${bytes}, ${space === "shared" ? "%sown" : "%lbase"};`);
      address = "[%x0]";
    }
    const where = space === "shared" || space === "local" ? space : "global";
    const cached = space === "input" && random.below(3) === 0 ? ".nc" : "";
    if (load) this.emit(`${guard}ld.${where}${cached}.${type} ${operand}, ${address};`);
    else this.emit(`${guard}st.${where}.${type} ${address}, ${operand};`);
  }

  /** An atomic operation on a word of the thread's own, whose old value is used. */
  private atom(): void {
    const { random, dialect } = this;
    const wide = random.below(3) === 0;
    const [c, bytes] = wide ? (["q", 8] as const) : (["r", 4] as const);
    const [op, type] = random.pick([
      ["add", wide ? "u64" : "u32"],
      ["min", wide ? "s64" : "s32"],
      ["max", wide ? "u64" : "u32"],
      ["and", wide ? "b64" : "b32"],
      ["or", wide ? "b64" : "b32"],
      ["xor", wide ? "b64" : "b32"],
      ["exch", wide ? "b64" : "b32"],
      ["cas", wide ? "b64" : "b32"],
      ...(wide ? [] : [["inc", "u32"] as const, ["dec", "u32"] as const]),
    ] as const);
    const shared = !this.streams && random.below(2) === 0;
    const places = (4 * (shared ? SHARED_WORDS : dialect.scratchWords)) / bytes;
    this.emit(`and.b32 %x0, ${this.register("r")}, ${places - 1};`);
    if (shared) this.emit(`mad.lo.u32 %x0, %x0, ${bytes}, %sown;`);
    else {
      this.emit(`mul.wide.u32 %xq0, %x0, ${bytes};`);
      this.emit("add.u64 %xq0, %xq0, %out;");
    }
    const at = shared ? "[%x0]" : `[%xq0+${4 * dialect.scratchWord}]`;
    const operands = [this.register(c), at, this.register(c)];
    if (op === "cas") operands.push(this.register(c));
    const guard = random.below(3) === 0 ? `@${this.register("p")} ` : "";
    const space = shared ? "shared" : random.pick(["global", "relaxed.gpu.global"]);
    const name = space.includes("relaxed")
      ? `atom.relaxed.gpu.global.${op}.${type}`
      : `atom.${space}.${op}.${type}`;
    this.emit(`${guard}${name} ${operands.join(", ")};`);
  }

  /** More counters that all threads change, each by one operation only. */
  private counter(): void {
    const [op, type, first, bytes, c] = this.random.pick([
      ["add", "u64", 64, 8, "q"],
      ["max", "u64", 80, 8, "q"],
      ["inc", "u32", 96, 4, "r"],
      ["or", "b64", 112, 8, "q"],
    ] as const);
    this.emit(`and.b32 %x0, ${this.register("r")}, 7;`);
    this.emit(`mul.wide.u32 %xq0, %x0, ${bytes};`);
    this.emit("add.u64 %xq0, %xq0, %counters;");
    // All that count up have the same limit.
    const operand = op === "inc" ? "1000" : this.register(c);
    const guard = this.random.below(2) === 0 ? `@${this.register("p")} ` : "";
    this.emit(`${guard}red.global.${op}.${type} [%xq0+${4 * first}], ${operand};`);
  }

  /** A sum over words at indices that are linear in the thread and the round. */
  private affineLoop(): void {
    const { random } = this;
    const top = this.label();
    const rounds = 1 + random.below(12);
    const byThread = this.block <= 128 ? random.pick([0, 1, 1, 1]) : random.pick([0, 0, 1]);
    const step = random.pick([0, 1, 2, 4]);
    const most = byThread * (this.block - 1) + step * (rounds - 1);
    if (most >= INPUT_WORDS) return;
    const first = random.below(INPUT_WORDS - most);
    const thread = this.streams ? "%t" : random.pick(["%t", "%tid.x"]);
    this.emit(
      `mov.u32 %a0, ${thread}; mul.lo.u32 %a0, %a0, ${byThread}; add.u32 %a0, %a0, ${first};`,
    );
    this.emit("mul.wide.u32 %aq, %a0, 4; add.u64 %aq, %aq, %inbase; mov.u32 %a1, 0;");
    this.emit(`${top}:`);
    if (random.below(2) === 0) {
      const sum = this.register("r");
      this.emit(
        `ld.global.b32 %x0, [%aq]; ${random.pick(["add.u32", "xor.b32", "max.u32"])} ${sum}, ${sum}, %x0;`,
      );
    } else {
      const [sum, by] = [this.register("f"), this.register("f")];
      this.emit(`ld.global.f32 %xf, [%aq]; fma.rn.f32 ${sum}, %xf, ${by}, ${sum};`);
      if (random.below(2) === 0)
        this.emit(`max.f32 ${sum}, ${sum}, %xf; sub.rn.f32 ${sum}, ${sum}, ${by};`);
    }
    this.emit(`add.u64 %aq, %aq, ${4 * step}; add.u32 %a1, %a1, 1;`);
    this.emit(`setp.lt.u32 %xp, %a1, ${rounds}; @%xp bra ${top};`);
  }

  private divideWide(): void {
    const name = this.random.pick(["div.u64", "rem.u64", "div.s64", "rem.s64"]);
    this.emit(`or.b32 %x0, ${this.register("r")}, 1; and.b32 %x0, %x0, 0x7fffffff;`);
    this.emit(
      `cvt.u64.u32 %xq1, %x0; and.b32 %x1, ${this.register("r")}, 31; shl.b64 %xq1, %xq1, %x1;`,
    );
    this.emit(`${name} ${this.register("q")}, ${this.register("q")}, %xq1;`);
  }

  /** A call with a guard, through a pointer, or of the function that calls itself. */
  private callMore(): void {
    const kind = this.random.below(3);
    const n = this.label();
    const guard = this.random.below(2) === 0 ? `@${this.register("p")} ` : "";
    this.emit("{ .param .b32 a; .param .b64 b; .param .b32 r;");
    this.emit(`st.param.b32 [a], ${this.register("r")};`);
    this.emit(`st.param.b64 [b], ${this.register("q")};`);
    this.emit("st.param.b32 [r], 0;");
    if (kind === 0) this.emit(`${guard}call (r), deep, (a, b);`);
    else if (kind === 1) this.emit(`${guard}call (r), mix, (a, b);`);
    else {
      this.emit("mov.u64 %xq0, mix; mov.u64 %xq1, deep;");
      this.emit(`selp.b64 %xq0, %xq0, %xq1, ${this.register("p")};`);
      this.emit(`${n}: .callprototype (.param .b32 _) _ (.param .b32 _, .param .b64 _);`);
      this.emit(`call (r), %xq0, (a, b), ${n};`);
    }
    // Without the call there is no result to be used; ptxas takes no guard in front of the load.
    this.emit(
      `ld.param.b32 %x0, [r]; ${kind === 2 ? "" : guard}mov.b32 ${this.register("r")}, %x0; }`,
    );
  }

  /** 128-bit sums and differences in four registers. */
  private carryWide(): void {
    const name = this.random.pick(["add", "sub"]);
    const r = () => this.register("r");
    this.emit(`${name}.cc.u32 %x0, ${r()}, ${r()}; ${name}c.cc.u32 %x1, ${r()}, ${r()};`);
    this.emit(`${name}c.cc.u32 %x2, ${r()}, ${r()}; ${name}c.u32 %x3, ${r()}, ${r()};`);
    this.emit(`mov.b32 ${r()}, %x3; xor.b32 ${r()}, %x0, %x1; mov.b32 ${r()}, %x2;`);
  }

  /** Loops with two entries, or that are left and gone on with from anywhere inside. */
  private manyWays(depth: number): void {
    const { random } = this;
    const [top, middle, next, end] = Array.from({ length: 4 }, () => this.label()) as [
      string,
      string,
      string,
      string,
    ];
    const counter = `%loop${depth}`;
    this.emit(`and.b32 ${counter}, ${this.register("r")}, ${random.pick([1, 3])};`);
    if (random.below(2) === 0) this.emit(`@${this.register("p")} bra ${middle};`);
    this.emit(`${top}:`);
    const before = this.exits.length;
    this.exits.push(end, next);
    this.statements(depth + 1);
    this.emit(`${middle}:`);
    this.statements(depth + 1);
    if (random.below(2) === 0) this.emit(this.leave());
    this.exits.length = before;
    this.emit(`${next}:`);
    this.emit(
      `sub.u32 ${counter}, ${counter}, 1; setp.ge.s32 %xp, ${counter}, 0; @%xp bra ${top};`,
    );
    this.emit(`${end}:`);
  }

  /** Rounds that are the same for all threads of a block, with exchanges inside. */
  private uniformLoop(): void {
    const { random } = this;
    const [top, skip] = [this.label(), this.label()];
    const counter = `%u${this.uniform++}`;
    const rounds = random.pick([
      `mov.u32 ${counter}, ${random.below(3)};`,
      `ld.global.b32 ${counter}, [%inbase+${4 * random.below(INPUT_WORDS)}]; and.b32 ${counter}, ${counter}, 3;`,
      `mov.u32 ${counter}, %ctaid.x; and.b32 ${counter}, ${counter}, 1;`,
    ]);
    this.emit(rounds);
    // Perhaps only some blocks go in at all.
    if (random.below(3) === 0) this.emit(`setp.eq.u32 %xp, ${counter}, 0; @%xp bra ${skip};`);
    this.emit(`${top}:`);
    const count = 1 + random.below(4);
    for (let n = 0; n < count && this.budget > 0; n++) this.statement(0);
    this.emit(
      `sub.u32 ${counter}, ${counter}, 1; setp.ge.s32 %xp, ${counter}, 0; @%xp bra ${top};`,
    );
    this.emit(`${skip}:`);
    this.uniform--;
  }
}
