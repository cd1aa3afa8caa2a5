import {
  type Aux,
  Block,
  type Cut,
  I32,
  I64,
  type LoweredFunction,
  NO_AUX,
  NONE,
  type Site,
  type Type,
  type Value,
  type VirtualRegister,
} from "../ir/ir.ts";
import type { Instruction, Label, PtxFunction, Statement, Variable } from "../ptx/ast.ts";
import { PtxError } from "../ptx/ast.ts";
import type { DeviceLibrary } from "../wasm/library.ts";
import { Builder } from "./builder.ts";
import { chunks } from "./calls.ts";
import type { KernelContext } from "./context.ts";
import { exchangesInStep } from "./exchanges.ts";
import { lowerInstruction } from "./instructions.ts";
import type { CheckedAddress } from "./memory.ts";
import { ParamStore } from "./params.ts";
import { ownWindow, readSpecialRegister } from "./sreg.ts";
import { usesAlloca } from "./stack.ts";
import { ptxType } from "./types.ts";

/** One inlined instance of a PTX function. */
export interface Frame {
  fn: PtxFunction;
  parent: Frame | undefined;
  registers: Map<number, number>;
  /** High halves of `.b128` registers. */
  highs: Map<number, number>;
  blocks: Map<Label, Block>;
  stores: Map<number, ParamStore>;
  locals: Map<number, number>;
  /** Where `ret` goes; undefined in the outermost function. */
  returnTo: Block | undefined;
  /** The virtual register that holds the condition-code carry. */
  carry: number;
  /** Accesses to shared memory for which the lanes of a warp are kept in step. */
  inStep: ReadonlySet<Instruction>;
}

/** Opcodes that end a block, or that a guard must branch around. */
const BRANCH_AROUND = new Set(
  (
    "ld ldu st atom red call bar barrier trap brkpt prefetch prefetchu membar fence cp mbarrier " +
    "nanosleep wmma mma ldmatrix stmatrix movmatrix shfl vote match redux activemask elect tex tld4 " +
    "suld sust sured ret exit stackrestore stacksave alloca discard applypriority multimem wgmma " +
    "griddepcontrol setmaxnreg pmevent isspacep"
  ).split(" "),
);

/**
 * Lowers one function, with what is inlined into it, to register form. `real` functions are those
 * that are called as WebAssembly functions (recursive ones and targets of pointers): no cut may lie
 * inside them.
 */
export class FunctionLowering {
  readonly context: KernelContext;
  readonly library: DeviceLibrary;
  readonly kernelName: string;
  readonly real: boolean;
  readonly registers: VirtualRegister[] = [];
  readonly blocks: Block[] = [];
  readonly cuts: Cut[] = [];
  readonly sites: Site[];
  readonly hosts = new Set<string>();
  localBytes = 0;
  frame!: Frame;
  readonly builder: Builder;
  private inlined = 0;
  private stackTop = -1;
  private stackOffset = -1;
  private slotOffset = -1;

  constructor(context: KernelContext, sites: Site[], real: boolean) {
    this.context = context;
    this.library = context.library;
    this.kernelName = context.kernel.name;
    this.sites = sites;
    this.real = real;
    this.builder = new Builder(this);
  }

  /** Lowers the outermost function. */
  run(fn: PtxFunction): LoweredFunction {
    const entry = this.newBlock();
    this.builder.block = entry;
    this.frame = this.newFrame(fn, undefined, undefined);
    if (this.context.module.functions.some(usesAlloca)) {
      this.builder.writeRegister(this.stackRegister(), this.builder.i32(0));
    }
    if (this.real) this.receiveArguments(fn);
    this.lowerBody(fn);
    return {
      name: fn.name,
      registers: this.registers,
      blocks: this.blocks,
      entry,
      cuts: this.cuts,
      sites: this.sites,
      localBytes: this.localBytes,
      hosts: this.hosts,
    };
  }

  /** A real function's parameters arrive as WebAssembly parameters, one for each chunk. */
  private receiveArguments(fn: PtxFunction): void {
    const b = this.builder;
    chunks(fn.params).forEach((c, k) => {
      const v = b.emit("argument", c.type, [], NO_AUX, k);
      if (c.variable.space === "param") this.paramStore(c.variable).write(b, c.offset, c.size, v);
      else {
        const register = this.registerOf(c.variable);
        b.writeRegister(register, b.coerce(v, this.registers[register].type));
      }
    });
  }

  private sendResults(): void {
    const b = this.builder;
    chunks(this.frame.fn.returns).forEach((c, k) => {
      const v =
        c.variable.space === "param"
          ? this.paramStore(c.variable).read(b, c.offset, c.size)
          : b.coerce(b.readRegister(c.variable), c.type);
      b.emit("setresult", NONE, [v], NO_AUX, k);
    });
  }

  newFrame(fn: PtxFunction, parent: Frame | undefined, returnTo: Block | undefined): Frame {
    return {
      fn,
      parent,
      registers: new Map(),
      highs: new Map(),
      blocks: new Map(),
      stores: new Map(),
      locals: new Map(),
      returnTo,
      carry: -1,
      inStep: parent || this.real ? new Set() : exchangesInStep(fn),
    };
  }

  newBlock(): Block {
    const block = new Block(this.blocks.length);
    this.blocks.push(block);
    return block;
  }

  newRegister(name: string, type: Type): number {
    this.registers.push({ name, type });
    return this.registers.length - 1;
  }

  /** The virtual register of a PTX register in the current frame. */
  registerOf(reg: Variable): number {
    let index = this.frame.registers.get(reg.id);
    if (index === undefined) {
      index = this.newRegister(reg.name, ptxType(reg.type).type);
      this.frame.registers.set(reg.id, index);
    }
    return index;
  }

  /** The virtual register of the high 64 bits of a `.b128` register. */
  highOf(reg: Variable): number {
    let index = this.frame.highs.get(reg.id);
    if (index === undefined) {
      index = this.newRegister(`${reg.name}.high`, I64);
      this.frame.highs.set(reg.id, index);
    }
    return index;
  }

  /** The register with the bytes in use of the area that alloca draws from. */
  stackRegister(): number {
    if (this.stackTop < 0) this.stackTop = this.newRegister("stack", I32);
    return this.stackTop;
  }

  /** Local memory for alloca, the same for all calls that are inlined here. */
  stackArea(bytes: number): number {
    if (this.stackOffset < 0) this.stackOffset = this.allocateLocal(bytes, 16);
    return this.stackOffset;
  }

  /** 16 bytes of local memory that library functions write results to, which are read at once. */
  resultSlot(b: Builder): CheckedAddress {
    if (this.slotOffset < 0) this.slotOffset = this.allocateLocal(16, 16);
    const address = this.localAddress(b, this.slotOffset);
    const aux: Aux = { space: "local", size: 16, offset: 0, align: 1, site: b.site() };
    return { ea: b.emit("check", I32, [address], aux), offset: 0, space: "local" };
  }

  /** The carry flag (PTX ISA §9.7.2) of the current frame, an I32 0 or 1. */
  carryRegister(): number {
    if (this.frame.carry < 0) this.frame.carry = this.newRegister("CC.CF", I32);
    return this.frame.carry;
  }

  site(instruction: Instruction): number {
    const last = this.sites[this.sites.length - 1];
    if (last && last.line === instruction.line) return this.sites.length - 1;
    const loc = instruction.loc;
    this.sites.push({
      line: instruction.line,
      text: instruction.text(),
      ...(loc ? { file: this.context.module.files.get(loc.file), sourceLine: loc.line } : {}),
    });
    return this.sites.length - 1;
  }

  /** The storage of a `.param` variable of a called function or of a call's arguments. */
  paramStore(v: Variable): ParamStore {
    let store = this.frame.stores.get(v.id);
    if (!store) {
      store = new ParamStore(this, v.name, v.size);
      this.frame.stores.set(v.id, store);
    }
    return store;
  }

  /** True while the kernel's own statements are lowered, not those of a function that it calls. */
  isKernelBody(): boolean {
    return !this.real && this.frame.parent === undefined;
  }

  /** True for a parameter of the kernel itself (as against one of an inlined function). */
  isKernelParam(v: Variable): boolean {
    return this.isKernelBody() && this.frame.fn.params.includes(v);
  }

  /** Byte offset of a `.local` variable in its thread's local memory. */
  localOffset(v: Variable): number {
    let offset = this.frame.locals.get(v.id);
    if (offset === undefined) {
      offset = this.allocateLocal(v.size, v.align);
      this.frame.locals.set(v.id, offset);
    }
    return offset;
  }

  allocateLocal(size: number, align: number): number {
    const offset = Math.ceil(this.localBytes / align) * align;
    this.localBytes = offset + size;
    return offset;
  }

  specialRegister(b: Builder, name: string): Value {
    return readSpecialRegister(b, name);
  }

  /** The address of a symbol: generic for global and const, an offset in its window otherwise. */
  symbolAddress(b: Builder, symbol: Variable | PtxFunction, offset: number): Value {
    if (symbol.kind !== "variable") return b.i64(BigInt(this.context.functionAddress(symbol)));
    switch (symbol.space) {
      case "global":
      case "const": {
        if (symbol.managed) return this.managedAddress(b, symbol, offset);
        const at = this.context.moduleOffset(symbol) + offset;
        const base = b.emit("sreg", I64, [], { name: "moduleBase" });
        return at === 0 ? base : b.emit("i64_add", I64, [base, b.i64(BigInt(at))]);
      }
      case "shared": {
        const at = this.context.sharedOffset(symbol);
        const value = b.i32(at < 0 ? 0 : at + offset);
        if (at < 0) this.context.patchDynamic(value, offset);
        if (!this.context.usesClusters) return value;
        return b.emit("i32_add", I32, [ownWindow(b), value]);
      }
      case "local":
        return this.localAddress(b, this.localOffset(symbol) + offset);
      case "param": {
        if (this.isKernelParam(symbol))
          return b.i32(kernelParamOffset(this.frame.fn, symbol) + offset);
        return this.localAddress(b, this.paramStore(symbol).spillToLocal(b) + offset);
      }
      default:
        throw b.error(`the address of ${symbol.name} cannot be taken`);
    }
  }

  /** The address of a managed variable is kept in the module's segment. */
  private managedAddress(b: Builder, symbol: Variable, offset: number): Value {
    const segment = b.emit("sreg", I32, [], { name: "moduleOffset" });
    const at = this.context.moduleOffset(symbol);
    const aux = { size: 8, offset: at, invariant: true, space: "generic" as const };
    const address = b.emit("load", I64, [segment], aux);
    return offset === 0 ? address : b.emit("i64_add", I64, [address, b.i64(BigInt(offset))]);
  }

  /** A local-space address: in a real function relative to the stack pointer. */
  localAddress(b: Builder, offset: number): Value {
    if (!this.real) return b.i32(offset);
    return b.emit("i32_add", I32, [b.emit("sreg", I32, [], { name: "stack" }), b.i32(offset)]);
  }

  blockOf(label: Label): Block {
    let block = this.frame.blocks.get(label);
    if (!block) {
      block = this.newBlock();
      block.line = label.line;
      this.frame.blocks.set(label, block);
    }
    return block;
  }

  /** Lowers the statements of the current frame's function into the current block. */
  private lowerBody(fn: PtxFunction): void {
    const b = this.builder;
    for (const s of fn.body as Statement[]) {
      if (s.kind === "label") {
        const next = this.blockOf(s.label);
        if (!b.block.terminator) b.block.terminator = { kind: "jump", target: next };
        b.block = next;
        continue;
      }
      if (b.block.terminator) b.block = this.newBlock(); // unreachable until a label
      this.lowerStatement(s);
    }
    if (!b.block.terminator) this.lowerReturn();
  }

  /** `ret`: the end of the thread, of a real function, or of an inlined one. */
  lowerReturn(): void {
    const { returnTo } = this.frame;
    if (this.real && !returnTo) this.sendResults();
    this.builder.block.terminator = returnTo
      ? { kind: "jump", target: returnTo }
      : { kind: this.real ? "return" : "exit" };
  }

  private lowerStatement(s: Instruction): void {
    const b = this.builder;
    b.instruction = s;
    b.guard = undefined;
    if (s.pred) {
      const p = b.readRegister(s.pred.reg);
      const cond = s.pred.negate ? b.not(p) : p;
      if (s.opcode === "bra") {
        const target = s.operands[0];
        if (target.kind !== "label") throw b.error("a label was expected");
        const next = this.newBlock();
        b.block.terminator = {
          kind: "branch",
          cond,
          yes: this.blockOf(target.label),
          no: next,
        };
        b.block = next;
        return;
      }
      if (BRANCH_AROUND.has(s.opcode)) {
        const then = this.newBlock();
        const next = this.newBlock();
        b.block.terminator = { kind: "branch", cond, yes: then, no: next };
        b.block = then;
        lowerInstruction(b, s);
        if (!b.block.terminator) b.block.terminator = { kind: "jump", target: next };
        b.block = next;
        return;
      }
      b.guard = cond;
    }
    lowerInstruction(b, s);
  }

  /** Ends the current block with a cut and continues behind it. */
  cut(cut: Omit<Cut, "entry" | "next" | "line">): void {
    const b = this.builder;
    if (this.real) {
      throw b.unsupported(
        "a barrier or warp operation in a recursive or indirectly called function",
      );
    }
    const next = this.newBlock();
    const whole: Cut = { ...cut, entry: this.cuts.length + 2, next, line: b.instruction.line };
    this.cuts.push(whole);
    b.block.terminator = { kind: "cut", cut: whole };
    b.block = next;
  }

  /** Inlines a call: `bind` connects parameters between the caller's and the callee's frames. */
  inline(callee: PtxFunction, bind: (inner: Frame) => void): void {
    const b = this.builder;
    this.inlined += callee.body?.length ?? 0;
    if (this.inlined > 200_000) throw b.error("inlined calls grow beyond 200,000 instructions");
    const outer = this.frame;
    const call = b.instruction;
    const next = this.newBlock();
    const inner = this.newFrame(callee, outer, next);
    bind(inner);
    const saved = usesAlloca(callee) ? this.newRegister("saved stack", I32) : -1;
    const copy = (from: number, to: number) =>
      b.emit("regwrite", NONE, [b.emit("regread", I32, [], NO_AUX, from)], NO_AUX, to);
    if (saved >= 0) copy(this.stackRegister(), saved);
    this.frame = inner;
    this.lowerBody(callee);
    this.frame = outer;
    b.instruction = call;
    b.block = next;
    if (saved >= 0) copy(saved, this.stackRegister());
  }
}

/** Byte offset of a kernel parameter in the parameter buffer (PTX ISA §7.1: natural alignment). */
export function kernelParamOffset(fn: PtxFunction, param: Variable): number {
  let offset = 0;
  for (const p of fn.params) {
    offset = Math.ceil(offset / p.align) * p.align;
    if (p === param) return offset;
    offset += p.size;
  }
  throw new PtxError(`${param.name} is no parameter of ${fn.name}`, param.line, 0, fn.name);
}
