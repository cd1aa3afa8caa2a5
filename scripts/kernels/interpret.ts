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
import { COUNTER_WORDS, type Generated, OUTPUT_WORDS } from "./generate.ts";
import { opOf, type Value } from "./ops.ts";

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
}

/** More steps than a generated kernel can take. */
const MAX_STEPS = 2_000_000;

const scratch = new DataView(new ArrayBuffer(8));

/** The value of a register of `type` with these bits. */
function fromBits(type: string, low: number, high: number): Value {
  scratch.setUint32(0, low, true);
  scratch.setUint32(4, high, true);
  if (type === "f32") return scratch.getFloat32(0, true);
  if (type === "f64") return scratch.getFloat64(0, true);
  return type === "b64" ? scratch.getBigUint64(0, true) : low;
}

/** The bits of a value, low and high word. */
function toBits(type: string, value: Value): [number, number] {
  scratch.setBigUint64(0, 0n, true);
  if (type === "f32") scratch.setFloat32(0, value as number, true);
  else if (type === "f64") scratch.setFloat64(0, value as number, true);
  else if (typeof value === "bigint") scratch.setBigUint64(0, value, true);
  else scratch.setUint32(0, Number(value), true);
  return [scratch.getUint32(0, true), scratch.getUint32(4, true)];
}

class Thread {
  readonly registers = new Map<number, Value>();
  readonly local = new Uint32Array(64);
  readonly tid: number;
  fn: PtxFunction;
  pc = 0;
  /** Where calls return to, with the variable that takes the result. */
  readonly calls: { fn: PtxFunction; pc: number; result: Variable }[] = [];
  /** `.param` variables of calls, and parameters of functions. */
  readonly params = new Map<Variable, Value>();
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
      const waiting = this.#threads.filter((t) => t.waiting !== undefined);
      if (waiting.length === 0) return;
      if (waiting.some((t) => t.waiting !== waiting[0]?.waiting)) {
        throw new Error("threads wait at different places");
      }
      const instruction = waiting[0]?.waiting as Instruction;
      if (instruction.opcode !== "bar") this.#exchange(instruction);
      for (const thread of waiting) thread.waiting = undefined;
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
        return 0; // shared and local memory start at 0 here
      case "sreg":
        return {
          "%tid.x": t.tid,
          "%ctaid.x": this.#index,
          "%ntid.x": this.#launch.generated.block,
        }[o.name] as number;
      default:
        throw new Error(`operand of kind ${o?.kind}`);
    }
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
        t.waiting = i;
        return;
      case "ld":
      case "st":
      case "red":
        this.#memory(t, i);
        return;
      case "mov":
        this.#move(t, i);
        return;
    }
    if (this.#arithmetic(t, i)) return;
    const op = opOf(i.mnemonic);
    if (op === undefined) throw new Error(`no meaning for ${i.mnemonic}`);
    const args = o.slice(1).map((operand) => this.#value(t, operand));
    this.#set(t, o[0], op.run(...(args as never[])));
  }

  /** `mov`: bits go between registers of the same size, whatever their types. */
  #move(t: Thread, { operands: [to, from] }: Instruction): void {
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

  /** What the generator uses for addresses, and carries and divisions. */
  #arithmetic(t: Thread, i: Instruction): boolean {
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
        carry(number(0) + number(1) + t.carry, false);
        return true;
      case "subc.u32":
        carry(number(0) - number(1) - t.carry, false);
        return true;
      case "mad.lo.u32":
        this.#set(t, to, (Math.imul(number(0), number(1)) + number(2)) >>> 0);
        return true;
      case "sub.u32":
        this.#set(t, to, (number(0) - number(1)) >>> 0);
        return true;
      case "mul.wide.u32":
        this.#set(t, to, BigInt(number(0)) * BigInt(number(1)));
        return true;
      case "add.u64": {
        const sum = (this.#value(t, rest[0]) as bigint) + (this.#value(t, rest[1]) as bigint);
        this.#set(t, to, sum);
        return true;
      }
      case "div.u32":
        this.#set(t, to, Math.floor(number(0) / number(1)));
        return true;
      case "rem.u32":
        this.#set(t, to, number(0) % number(1));
        return true;
      case "div.s32":
        this.#set(t, to, Math.trunc((number(0) | 0) / (number(1) | 0)) >>> 0);
        return true;
      case "rem.s32":
        this.#set(t, to, ((number(0) | 0) % (number(1) | 0)) >>> 0);
        return true;
      case "selp.u32":
        this.#set(t, to, this.#value(t, rest[2]) === true ? number(0) : number(1));
        return true;
    }
    return false;
  }

  #call(t: Thread, { operands: [results, target, args] }: Instruction): void {
    if (target?.kind !== "symbol" || target.symbol.kind === "variable") throw new Error("call");
    const callee = target.symbol;
    const variables = (o: Operand | undefined): Variable[] =>
      (o?.kind === "list" ? o.elements : []).map((e) => {
        if (e.kind !== "symbol" || e.symbol.kind !== "variable") throw new Error("argument");
        return e.symbol;
      });
    variables(args).forEach((variable, k) => {
      t.params.set(callee.params[k] as Variable, t.params.get(variable) as Value);
    });
    t.calls.push({ fn: t.fn, pc: t.pc, result: variables(results)[0] as Variable });
    t.fn = callee;
    t.pc = 0;
  }

  #return(t: Thread): void {
    const call = t.calls.pop();
    if (call === undefined) {
      t.done = true;
      return;
    }
    t.params.set(call.result, t.params.get(t.fn.returns[0] as Variable) as Value);
    t.fn = call.fn;
    t.pc = call.pc;
  }

  #memory(t: Thread, i: Instruction): void {
    const at = i.operands[i.opcode === "ld" ? 1 : 0];
    if (at?.kind !== "address") throw new Error("no address");
    if (at.base.kind === "symbol") {
      this.#parameter(t, i, at.base.symbol as Variable);
      return;
    }
    const address = this.#value(t, at.base);
    const [words, byte] = this.#place(t, i, address, at.offset);
    if (i.opcode === "red") {
      this.#reduce(words, byte / 4, i.mods, Number(this.#value(t, i.operands[1])));
      return;
    }
    const type = i.mods.at(-1) as string;
    const bytes = Number(type.slice(1)) / 8;
    const view = new DataView(words.buffer, words.byteOffset);
    const data = i.operands[i.opcode === "ld" ? 0 : 1];
    const elements = data?.kind === "vector" ? data.elements : [data];
    elements.forEach((element, k) => {
      const where = byte + k * bytes;
      if (i.opcode === "ld") this.#load(t, element, type, view, where);
      else this.#store(t, element, bytes, view, where);
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

  #load(t: Thread, to: Operand | undefined, type: string, view: DataView, at: number): void {
    const narrow: Record<string, () => number> = {
      u8: () => view.getUint8(at),
      s8: () => view.getInt8(at) >>> 0,
      u16: () => view.getUint16(at, true),
      s16: () => view.getInt16(at, true) >>> 0,
    };
    const value = narrow[type];
    if (value !== undefined) {
      this.#set(t, to, value());
      return;
    }
    const high = type.endsWith("64") ? view.getUint32(at + 4, true) : 0;
    const register = to?.kind === "reg" ? to.reg.type : "b32";
    this.#set(t, to, fromBits(register, view.getUint32(at, true), high));
  }

  #store(t: Thread, from: Operand | undefined, bytes: number, view: DataView, at: number): void {
    const value = this.#value(t, from);
    const [low, high] = toBits(from?.kind === "reg" ? from.reg.type : "b32", value);
    if (bytes === 1) view.setUint8(at, low);
    else if (bytes === 2) view.setUint16(at, low, true);
    else view.setUint32(at, low, true);
    if (bytes === 8) view.setUint32(at + 4, high, true);
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

  #reduce(words: Uint32Array, at: number, mods: readonly string[], value: number): void {
    const old = words[at] as number;
    if (mods.includes("add")) words[at] = old + value;
    else if (mods.includes("or")) words[at] = old | value;
    else if (mods.includes("xor")) words[at] = old ^ value;
    else words[at] = Math.max(old | 0, value | 0);
  }

  /** A shuffle or vote, warp by warp (§9.7.9 shfl.sync, §9.7.13 vote.sync). */
  #exchange(i: Instruction): void {
    for (let first = 0; first < this.#threads.length; first += 32) {
      const warp = this.#threads.slice(first, first + 32);
      if (i.opcode === "vote") this.#vote(warp, i);
      else if (i.opcode === "redux") this.#redux(warp, i);
      else this.#shuffle(warp, i);
    }
  }

  #vote(warp: Thread[], i: Instruction): void {
    const votes = warp.map((t) => this.#value(t, i.operands[1]) === true);
    let ballot = 0;
    votes.forEach((vote, lane) => {
      if (vote) ballot |= 1 << lane;
    });
    const all = votes.every((vote) => vote);
    const any = votes.some((vote) => vote);
    const result = i.mods.includes("ballot")
      ? ballot >>> 0
      : i.mods.includes("all")
        ? all
        : i.mods.includes("any")
          ? any
          : all || !any;
    for (const t of warp) this.#set(t, i.operands[0], result);
  }

  #redux(warp: Thread[], i: Instruction): void {
    const values = warp.map((t) => Number(this.#value(t, i.operands[1])));
    const steps: Record<string, (a: number, b: number) => number> = {
      add: (a, b) => a + b,
      min: (a, b) => Math.min(a | 0, b | 0),
      max: (a, b) => Math.max(a, b),
      and: (a, b) => a & b,
      xor: (a, b) => a ^ b,
    };
    const step = steps[i.mods[1] as string] as (a: number, b: number) => number;
    const result = values.reduce((a, b) => step(a, b) >>> 0) >>> 0;
    for (const t of warp) this.#set(t, i.operands[0], result);
  }

  #shuffle(warp: Thread[], i: Instruction): void {
    const [pair, value, by] = i.operands;
    if (pair?.kind !== "pair") throw new Error("shfl without a pair");
    const values = warp.map((t) => this.#value(t, value));
    const results = warp.map((t, lane) => {
      const b = Number(this.#value(t, by)) & 31;
      const mode = i.mods[1];
      const from =
        mode === "up" ? lane - b : mode === "down" ? lane + b : mode === "bfly" ? lane ^ b : b;
      const valid = mode === "up" ? from >= 0 : from <= 31;
      return { valid, value: values[valid ? from : lane] as Value };
    });
    warp.forEach((t, lane) => {
      this.#set(t, pair.first, results[lane]?.value as Value);
      this.#set(t, pair.second, results[lane]?.valid as boolean);
    });
  }
}

/** What a generated kernel computes from the input. */
export function interpret(generated: Generated, input: Uint32Array): Outcome {
  const fn = parsePtx(generated.ptx).functions.find((f) => f.kind === "entry");
  if (fn === undefined) throw new Error("no kernel");
  const { grid, block } = generated;
  const outcome = {
    output: new Uint32Array(grid * block * OUTPUT_WORDS),
    counters: new Uint32Array(COUNTER_WORDS),
  };
  const launch = { input, outcome, generated };
  for (let index = 0; index < grid; index++) new Block(fn, launch, index).run();
  return outcome;
}
