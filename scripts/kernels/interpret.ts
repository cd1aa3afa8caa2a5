// A slow, plain interpreter of generated kernels: one thread after the other, each instruction by its
// meaning in `ops.ts`. Threads stop at barriers and warp operations and go on together.

import type { Instruction, Label, Operand, PtxFunction } from "../../runtime/compiler/ptx/index.ts";
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

const view = new DataView(new ArrayBuffer(8));

/** The value of a register of `type` with these bits. */
function fromBits(type: string, low: number, high: number): Value {
  view.setUint32(0, low, true);
  view.setUint32(4, high, true);
  if (type === "f32") return view.getFloat32(0, true);
  if (type === "f64") return view.getFloat64(0, true);
  return type === "b64" ? view.getBigUint64(0, true) : low;
}

/** The bits of a value, low and high word. */
function toBits(type: string, value: Value): [number, number] {
  view.setBigUint64(0, 0n, true);
  if (type === "f32") view.setFloat32(0, value as number, true);
  else if (type === "f64") view.setFloat64(0, value as number, true);
  else if (typeof value === "bigint") view.setBigUint64(0, value, true);
  else view.setUint32(0, Number(value), true);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}

class Thread {
  readonly registers = new Map<number, Value>();
  readonly local = new Uint32Array(64);
  readonly tid: number;
  pc = 0;
  carry = 0;
  done = false;
  /** The instruction at which it waits for others. */
  waiting: Instruction | undefined = undefined;

  constructor(tid: number) {
    this.tid = tid;
  }
}

class Block {
  readonly #fn: PtxFunction;
  readonly #launch: Launch;
  readonly #index: number;
  readonly #threads: Thread[];
  readonly #shared: Uint32Array;
  #steps = 0;

  constructor(fn: PtxFunction, launch: Launch, index: number) {
    this.#fn = fn;
    this.#launch = launch;
    this.#index = index;
    const { block } = launch.generated;
    this.#threads = Array.from({ length: block }, (_, tid) => new Thread(tid));
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
    const body = this.#fn.body ?? [];
    while (!t.done && t.waiting === undefined) {
      if (++this.#steps > MAX_STEPS) throw new Error("the kernel doesn't end");
      const statement = body[t.pc++];
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
      case "ret":
        t.done = true;
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

  #memory(t: Thread, i: Instruction): void {
    const at = i.operands[i.opcode === "ld" ? 1 : 0];
    if (at?.kind !== "address") throw new Error("no address");
    if (at.base.kind === "symbol") {
      // ld.param
      const value = { in: IN, out: OUT, counters: COUNTERS }[at.base.symbol.name];
      this.#set(t, i.operands[0], value ?? 0n);
      return;
    }
    const address = this.#value(t, at.base);
    const [words, word] = this.#place(t, i, address, at.offset);
    if (i.opcode === "red") {
      this.#reduce(words, word, i.mods, Number(this.#value(t, i.operands[1])));
    } else if (i.opcode === "ld") {
      this.#set(t, i.operands[0], words[word] as number);
    } else {
      const value = this.#value(t, i.operands[1]);
      const type = i.operands[1]?.kind === "reg" ? i.operands[1].reg.type : "b32";
      const [low, high] = toBits(type, value);
      words[word] = low;
      if (i.mods.includes("b64")) words[word + 1] = high;
    }
  }

  /** The memory that an address is in, and the word. */
  #place(t: Thread, i: Instruction, address: Value, offset: number): [Uint32Array, number] {
    if (i.mods.includes("shared")) return [this.#shared, (Number(address) + offset) / 4];
    if (i.mods.includes("local")) return [t.local, (Number(address) + offset) / 4];
    const full = (address as bigint) + BigInt(offset);
    const { input, outcome } = this.#launch;
    if (full >= COUNTERS) return [outcome.counters, Number(full - COUNTERS) / 4];
    if (full >= OUT) return [outcome.output, Number(full - OUT) / 4];
    return [input, Number(full - IN) / 4];
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
  const fn = parsePtx(generated.ptx).functions[0];
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
