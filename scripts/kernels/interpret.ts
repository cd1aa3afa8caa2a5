// A slow, plain interpreter of generated kernels: one thread after the other, each instruction by its
// meaning in `ops.ts`. Threads stop at barriers and warp operations and go on together.

import type {
  Instruction,
  Label,
  Operand,
  PtxFunction,
  Variable,
} from "../../runtime/compiler/ptx/index.ts";
import { parsePtx } from "../../runtime/compiler/ptx/index.ts";
import type { Generated } from "./generate.ts";
import { atomically, fromBits, loadFrom, storeTo, toBits } from "./interpret-memory.ts";
import { type Operands, warpResults } from "./interpret-warp.ts";
import { opOf, type Value } from "./ops.ts";
import "./wide-ops.ts";

/** What a launch leaves behind. */
export interface Outcome {
  output: Uint32Array;
  counters: Uint32Array;
}

/** Addresses of the interpreter's memories: far apart, so that no sum reaches another one. */
const IN = 0x1_0000_0000n;
const OUT = 0x2_0000_0000n;
const COUNTERS = 0x3_0000_0000n;

interface Launch {
  input: Uint32Array;
  outcome: Outcome;
  generated: Generated;
  functions: PtxFunction[];
}

/** More steps than a generated kernel can take. */
const MAX_STEPS = 20_000_000;

/** A call that hasn't returned. */
interface Call {
  fn: PtxFunction;
  pc: number;
  result: Variable;
  registers: Map<number, Value>;
  params: Map<Variable, Value>;
}

class Thread {
  registers = new Map<number, Value>();
  readonly local = new Uint32Array(64);
  readonly tid: number;
  fn: PtxFunction;
  pc = 0;
  /** Where calls return to, with the variable that takes the result. */
  readonly calls: Call[] = [];
  /** `.param` variables of calls, and parameters of functions. */
  params = new Map<Variable, Value>();
  carry = 0;
  done = false;
  /** The instruction at which it waits for others. */
  waiting: Instruction | undefined = undefined;

  constructor(tid: number, fn: PtxFunction) {
    this.tid = tid;
    this.fn = fn;
  }
}

class Block {
  readonly #launch: Launch;
  readonly #index: number;
  readonly #threads: Thread[];
  readonly #shared: Uint32Array;
  #steps = 0;

  constructor(fn: PtxFunction, launch: Launch, index: number) {
    this.#launch = launch;
    this.#index = index;
    const { block } = launch.generated;
    this.#threads = Array.from({ length: block }, (_, tid) => new Thread(tid, fn));
    this.#shared = new Uint32Array(block * 4 + 64);
  }

  run(): void {
    for (;;) {
      for (const thread of this.#threads) this.#runThread(thread);
      const waiting = new Map<Instruction, Thread[]>();
      for (const t of this.#threads) {
        if (t.waiting === undefined) continue;
        const others = waiting.get(t.waiting);
        if (others) others.push(t);
        else waiting.set(t.waiting, [t]);
      }
      if (waiting.size === 0) return;
      let moved = false;
      for (const [instruction, threads] of waiting) {
        const meet = instruction.opcode === "bar" ? this.#barrier : this.#exchange;
        if (meet.call(this, instruction, threads)) moved = true;
      }
      if (!moved) throw new Error("threads wait for each other");
    }
  }

  #runThread(t: Thread): void {
    while (!t.done && t.waiting === undefined) {
      if (++this.#steps > MAX_STEPS) throw new Error("the kernel doesn't end");
      const statement = t.fn.body?.[t.pc++];
      if (statement === undefined || statement.kind === "label") {
        if (statement === undefined) t.done = true;
        continue;
      }
      const { pred } = statement;
      if (pred !== undefined && t.registers.get(pred.reg.id) === pred.negate) continue;
      this.#execute(t, statement);
    }
  }

  #value(t: Thread, o: Operand | undefined): Value {
    switch (o?.kind) {
      case "reg": {
        const value = t.registers.get(o.reg.id);
        if (value === undefined) throw new Error(`${o.reg.name} has no value`);
        return value;
      }
      case "int":
        return Number(BigInt.asUintN(32, o.value));
      case "symbol":
        // Shared and local memory start at 0 here; functions are their numbers.
        return o.symbol.kind === "variable" ? 0 : BigInt(this.#launch.functions.indexOf(o.symbol));
      case "sreg":
        return this.#special(t, o.name);
      default:
        throw new Error(`operand of kind ${o?.kind}`);
    }
  }

  #special(t: Thread, name: string): number {
    const [block, grid] = [this.#launch.generated.blockShape, this.#launch.generated.gridShape];
    const [x, y] = block;
    const [, register, axis] = /^%(\w+)\.([xyz])$/.exec(name) ?? [];
    const k = ["x", "y", "z"].indexOf(axis ?? "");
    if (name === "%laneid") return t.tid & 31;
    if (register === "tid")
      return [t.tid % x, Math.floor(t.tid / x) % y, Math.floor(t.tid / x / y)][k] as number;
    if (register === "ctaid")
      return [this.#index % grid[0], Math.floor(this.#index / grid[0])][k] as number;
    if (register === "ntid") return block[k] as number;
    if (register === "nctaid") return grid[k] as number;
    throw new Error(`no special register ${name}`);
  }

  #set(t: Thread, o: Operand | undefined, value: Value): void {
    if (o?.kind !== "reg") throw new Error("a destination that is no register");
    t.registers.set(o.reg.id, value);
  }

  #execute(t: Thread, i: Instruction): void {
    const { operands: o } = i;
    switch (i.opcode) {
      case "exit":
        t.done = true;
        return;
      case "ret":
        this.#return(t);
        return;
      case "call":
        this.#call(t, i);
        return;
      case "bra":
        t.pc = (o[0] as { label: Label }).label.position;
        return;
      case "brx": {
        const targets = o[1]?.kind === "proto" ? o[1].proto.labels : [];
        t.pc = (targets[Number(this.#value(t, o[0]))] as Label).position;
        return;
      }
      case "bar":
      case "shfl":
      case "vote":
      case "redux":
      case "match":
        t.waiting = i;
        return;
      case "ld":
      case "st":
      case "red":
      case "atom":
        this.#memory(t, i);
        return;
      case "mov":
        this.#move(t, i);
        return;
    }
    if (this.#carry(t, i)) return;
    const op = opOf(i.mnemonic);
    if (op === undefined) throw new Error(`no meaning for ${i.mnemonic}`);
    const args = o.slice(1).map((operand) => this.#value(t, operand));
    this.#set(t, o[0], op.run(...(args as never[])));
  }

  /** `mov`: bits go between registers of the same size, whatever their types. */
  #move(t: Thread, { operands: [to, from] }: Instruction): void {
    if (to?.kind === "vector") {
      const type = from?.kind === "reg" ? from.reg.type : "b64";
      const words = toBits(type, this.#value(t, from));
      to.elements.forEach((element, k) => {
        this.#set(t, element, words[k] as number);
      });
      return;
    }
    if (to?.kind !== "reg") throw new Error("mov to something else");
    if (from?.kind === "vector") {
      const [low, high] = from.elements.map((e) => Number(this.#value(t, e)));
      this.#set(t, to, fromBits(to.reg.type, low ?? 0, high ?? 0));
      return;
    }
    const value = this.#value(t, from);
    const type = from?.kind === "reg" ? from.reg.type : "b32";
    this.#set(t, to, fromBits(to.reg.type, ...toBits(type, value)));
  }

  /** Sums and differences with a carry. */
  #carry(t: Thread, i: Instruction): boolean {
    const [to, ...rest] = i.operands;
    const number = (k: number) => Number(this.#value(t, rest[k]));
    const carry = (sum: number, out: boolean): void => {
      if (out) t.carry = sum > 0xffffffff || sum < 0 ? 1 : 0;
      this.#set(t, to, sum >>> 0);
    };
    switch (i.mnemonic) {
      case "add.cc.u32":
        carry(number(0) + number(1), true);
        return true;
      case "sub.cc.u32":
        carry(number(0) - number(1), true);
        return true;
      case "addc.u32":
      case "addc.cc.u32":
        carry(number(0) + number(1) + t.carry, i.mods[0] === "cc");
        return true;
      case "subc.u32":
      case "subc.cc.u32":
        carry(number(0) - number(1) - t.carry, i.mods[0] === "cc");
        return true;
    }
    return false;
  }

  #call(t: Thread, { operands: [results, target, args] }: Instruction): void {
    const callee =
      target?.kind === "symbol"
        ? (target.symbol as PtxFunction)
        : (this.#launch.functions[Number(this.#value(t, target))] as PtxFunction);
    const variables = (o: Operand | undefined): Variable[] =>
      (o?.kind === "list" ? o.elements : []).map((e) => {
        if (e.kind !== "symbol" || e.symbol.kind !== "variable") throw new Error("argument");
        return e.symbol;
      });
    variables(args).forEach((variable, k) => {
      t.params.set(callee.params[k] as Variable, t.params.get(variable) as Value);
    });
    t.calls.push({
      fn: t.fn,
      pc: t.pc,
      result: variables(results)[0] as Variable,
      registers: new Map(t.registers),
      params: new Map(t.params),
    });
    t.fn = callee;
    t.pc = 0;
  }

  #return(t: Thread): void {
    const call = t.calls.pop();
    if (call === undefined) {
      t.done = true;
      return;
    }
    // Registers and parameters are each call's own.
    const result = t.params.get(t.fn.returns[0] as Variable) as Value;
    t.registers = call.registers;
    t.params = call.params;
    t.params.set(call.result, result);
    t.fn = call.fn;
    t.pc = call.pc;
  }

  #memory(t: Thread, i: Instruction): void {
    const at = i.operands[i.opcode === "ld" || i.opcode === "atom" ? 1 : 0];
    if (at?.kind !== "address") throw new Error("no address");
    if (at.base.kind === "symbol") {
      this.#parameter(t, i, at.base.symbol as Variable);
      return;
    }
    const address = this.#value(t, at.base);
    const [words, byte] = this.#place(t, i, address, at.offset);
    const view = new DataView(words.buffer, words.byteOffset);
    const { operands: o } = i;
    if (i.opcode === "red") {
      atomically(view, byte, i.mods, this.#value(t, o[1]), 0);
      return;
    }
    if (i.opcode === "atom") {
      const last = o.length > 3 ? this.#value(t, o[3]) : 0;
      this.#set(t, o[0], atomically(view, byte, i.mods, this.#value(t, o[2]), last));
      return;
    }
    const type = i.mods.at(-1) as string;
    const bytes = Number(type.slice(1)) / 8;
    const data = o[i.opcode === "ld" ? 0 : 1];
    const elements = data?.kind === "vector" ? data.elements : [data];
    elements.forEach((element, k) => {
      const where = byte + k * bytes;
      const register = element?.kind === "reg" ? element.reg.type : "b32";
      if (i.opcode === "st") storeTo(view, where, bytes, register, this.#value(t, element));
      else this.#set(t, element, loadFrom(view, where, type, register));
    });
  }

  /** A kernel's parameter, or one of a call. */
  #parameter(t: Thread, i: Instruction, variable: Variable): void {
    if (i.opcode === "st") {
      t.params.set(variable, this.#value(t, i.operands[1]));
      return;
    }
    const base = { in: IN, out: OUT, counters: COUNTERS }[variable.name];
    const value = base !== undefined && t.calls.length === 0 ? base : t.params.get(variable);
    this.#set(t, i.operands[0], value as Value);
  }

  /** The memory that an address is in, and the byte. */
  #place(t: Thread, i: Instruction, address: Value, offset: number): [Uint32Array, number] {
    if (i.mods.includes("shared")) return [this.#shared, Number(address) + offset];
    if (i.mods.includes("local")) return [t.local, Number(address) + offset];
    const full = (address as bigint) + BigInt(offset);
    const { input, outcome } = this.#launch;
    if (full >= COUNTERS) return [outcome.counters, Number(full - COUNTERS)];
    if (full >= OUT) return [outcome.output, Number(full - OUT)];
    return [input, Number(full - IN)];
  }

  /** A barrier, once all its threads are there; a reduction goes to all of them (§9.7.13 barrier). */
  #barrier(i: Instruction, threads: Thread[]): boolean {
    const { operands: o } = i;
    const reduces = i.mods[0] === "red";
    const count =
      reduces || o.length < 2 ? undefined : Number(this.#value(threads[0] as Thread, o[1]));
    const live = this.#threads.filter((t) => !t.done).length;
    if (threads.length !== (count ?? live)) return false;
    const votes = reduces ? threads.filter((t) => this.#value(t, o[2]) === true).length : 0;
    for (const t of threads) {
      t.waiting = undefined;
      if (!reduces) continue;
      if (i.mods[1] === "popc") this.#set(t, o[0], votes);
      else this.#set(t, o[0], i.mods[1] === "and" ? votes === threads.length : votes > 0);
    }
    return true;
  }

  /** A warp operation, for each warp whose lanes of the mask are all there. */
  #exchange(i: Instruction, threads: Thread[]): boolean {
    const { operands: o } = i;
    const mask = o.at(-1);
    let moved = false;
    for (let warp = 0; warp * 32 < this.#threads.length; warp++) {
      const there = threads.filter((t) => t.tid >> 5 === warp);
      const [one] = there;
      if (one === undefined) continue;
      const lanes = Number(this.#value(one, mask));
      let seen = 0;
      for (const t of there) seen |= 1 << (t.tid & 31);
      if (seen >>> 0 !== lanes >>> 0) continue;
      const operands = new Map<number, Operands>(
        there.map((t) => [t.tid & 31, o.slice(1, -1).map((operand) => this.#value(t, operand))]),
      );
      const results = warpResults(i.opcode, i.mods, operands);
      const [to] = o;
      for (const t of there) {
        const [value, predicate] = results.get(t.tid & 31) as [Value, boolean?];
        t.waiting = undefined;
        if (to?.kind === "pair") {
          this.#set(t, to.first, value);
          this.#set(t, to.second, predicate as boolean);
        } else this.#set(t, to, value);
      }
      moved = true;
    }
    return moved;
  }
}

/** What a generated kernel computes from the input. */
export function interpret(generated: Generated, input: Uint32Array): Outcome {
  const { functions } = parsePtx(generated.ptx);
  const fn = functions.find((f) => f.kind === "entry");
  if (fn === undefined) throw new Error("no kernel");
  const { grid, block, dialect } = generated;
  const outcome = {
    output: new Uint32Array(grid * block * dialect.outputWords),
    counters: new Uint32Array(dialect.counterWords),
  };
  const launch = { input, outcome, generated, functions };
  for (let index = 0; index < grid; index++) new Block(fn, launch, index).run();
  return outcome;
}
