import {
  type Aux,
  type Block,
  I32,
  I64,
  type MemorySpace,
  NONE,
  type Type,
  type Value,
} from "../ir/ir.ts";
import type { AddressOperand, Instruction, Operand } from "../ptx/ast.ts";
import { completeTransfer } from "./async.ts";
import type { Builder } from "./builder.ts";
import { kernelParamOffset } from "./function.ts";
import type { Lowering } from "./instructions.ts";
import { lastType, type PtxType, ptxType } from "./types.ts";
import { isWhole, loadWhole, storeWhole } from "./whole.ts";
import { loadWide, storeWide } from "./wide.ts";

/** The largest offset that goes into the instruction instead of the address. */
const MAX_STATIC_OFFSET = 65536;

/** An address that has been checked: offset into linear memory plus a static offset. */
export interface CheckedAddress {
  ea: Value;
  offset: number;
  space: MemorySpace;
}

/** The state space that a memory instruction names; generic if none. */
export function spaceOf(i: Instruction): string {
  for (const m of i.mods) {
    if (/^(global|const|shared|local|param)(::|$)/.test(m)) return m.replace(/::.*/, "");
  }
  return "generic";
}

/**
 * Checks an address operand for an access of `size` bytes and gives its place in linear memory.
 * Symbols with a constant offset inside the variable need no check at run time.
 */
export function checkedAddress(
  b: Builder,
  operand: Operand,
  space: string,
  size: number,
  align: number,
): CheckedAddress {
  if (operand.kind !== "address") throw b.error("an address was expected");
  const { base } = operand;
  if (base.kind === "symbol" && base.symbol.kind === "variable") {
    const known = symbolEa(b, base.symbol, Number(operand.offset), size, align);
    if (known) return known;
  }
  const from = addressOf(b, operand, space);
  return { ea: checkAt(b, from, size, align), offset: from.offset, space: from.space };
}

/** An address that has not been checked: I64 if generic, else I32; plus a static offset. */
export interface Address {
  address: Value;
  offset: number;
  space: MemorySpace;
}

/** The address that an operand names in a state space. */
export function addressOf(b: Builder, operand: Operand, space: string): Address {
  if (operand.kind !== "address") throw b.error("an address was expected");
  const { base } = operand;
  let offset = Number(operand.offset);
  // A register holds the place of a kernel's parameter; a function's parameters are local memory.
  const parameter = space === "param" && base.kind === "reg" && b.fn.isKernelBody();
  const kind: MemorySpace =
    space === "shared" || space === "local"
      ? space
      : space === "param" && !parameter
        ? "local"
        : "generic";
  let address: Value;
  if (kind === "generic") {
    address = genericBase(b, base, space);
    if (parameter) {
      address = b.emit("i64_add", I64, [b.emit("sreg", I64, [], { name: "paramWindow" }), address]);
    }
    if (offset < 0 || offset > MAX_STATIC_OFFSET) {
      address = b.emit("i64_add", I64, [address, b.i64(BigInt(offset))]);
      offset = 0;
    }
  } else {
    address = b.read(base, ptxType("u32"));
    if (base.kind === "symbol") {
      // Where dynamic shared memory begins is known when all of the kernel has been read.
      if (offset !== 0) address = b.emit("i32_add", I32, [address, b.i32(offset)]);
      offset = 0;
    } else if (address.op === "const") {
      address = b.i32(address.imm + offset);
      offset = 0;
    } else if (offset < 0 || offset > MAX_STATIC_OFFSET) {
      address = b.emit("i32_add", I32, [address, b.i32(offset)]);
      offset = 0;
    }
  }
  return { address, offset, space: kind };
}

/** Emits the check of `size` bytes at an address; gives its place without the static offset. */
export function checkAt(b: Builder, from: Address, size: number, align: number): Value {
  const aux: Aux = { space: from.space, size, offset: from.offset, align, site: b.site() };
  return b.emit("check", I32, [from.address], aux);
}

/** As {@link checkedAddress}, with the static offset added. */
export function checkedPointer(
  b: Builder,
  operand: Operand,
  space: string,
  size: number,
  align: number,
): Value {
  const { ea, offset } = checkedAddress(b, operand, space, size, align);
  return offset === 0 ? ea : b.emit("i32_add", I32, [ea, b.i32(offset)]);
}

/** A generic 64-bit address. 32-bit constant-space addresses are offsets in the memory. */
function genericBase(b: Builder, base: AddressOperand["base"], space: string): Value {
  if (base.kind === "reg" && ptxType(base.reg.type).bits === 32) {
    if (space !== "const" && space !== "global") return b.read(base, ptxType("u64"));
    const heap = b.emit("sreg", I64, [], { name: "heapBase" });
    return b.emit("i64_add", I64, [heap, b.read(base, ptxType("u64"))]);
  }
  return b.read(base, ptxType("u64"));
}

function symbolEa(
  b: Builder,
  symbol: import("../ptx/ast.ts").Variable,
  offset: number,
  size: number,
  align: number,
): CheckedAddress | undefined {
  if (offset < 0 || offset + size > symbol.size || offset % align !== 0) return undefined;
  if (symbol.align % align !== 0) return undefined;
  const from = (name: string, at: number, space: MemorySpace): CheckedAddress => ({
    ea: b.emit("sreg", I32, [], { name }),
    offset: at,
    space,
  });
  if (symbol.managed) return undefined;
  if (symbol.space === "global" || symbol.space === "const") {
    return from("moduleOffset", b.fn.context.moduleOffset(symbol) + offset, "generic");
  }
  if (symbol.space === "shared") {
    const at = b.fn.context.sharedOffset(symbol);
    return at < 0 ? undefined : from("sharedOffset", at + offset, "shared");
  }
  if (symbol.space === "local" && !b.fn.real) {
    return from("localOffset", b.fn.localOffset(symbol) + offset, "local");
  }
  return undefined;
}

/** The IR type and bytes of one element in memory. */
function element(type: PtxType): { type: Type; size: number } {
  return { type: type.type, size: type.bits / 8 };
}

export function isOrdered(i: Instruction): boolean {
  if (i.mods.includes("async")) return false;
  return i.mods.some((m) => /^(volatile|relaxed|acquire|release|mmio)$/.test(m));
}

/** The last access in a block for which lanes were kept in step. */
const lastAccess = new WeakMap<Block, string>();

/**
 * Code from before `__syncwarp` counts on the lanes of a warp being in step, and keeps what they
 * exchange in volatile shared memory, or (`exchanges.ts`) in shared memory like any other. So lanes that
 * come to such an access together make it together: all have loaded before one stores, and all have stored
 * before one loads.
 */
function keepStep(b: Builder, i: Instruction): void {
  if (spaceOf(i) !== "shared" || b.fn.real) return;
  if (!i.mods.includes("volatile") && !b.fn.frame.inStep.has(i)) return;
  if (lastAccess.get(b.block) !== i.opcode) {
    b.fn.cut({ kind: "gather", operands: [], destinations: [], sources: [], scratchBytes: 0 });
  }
  lastAccess.set(b.block, i.opcode);
}

const ld: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type) return false;
  keepStep(b, i);
  if (type.bits > 64) return loadWide(b, i);
  const [d, address] = i.operands;
  const targets = d.kind === "vector" ? d.elements : [d];
  const space = spaceOf(i);
  const { type: t, size } = element(type);
  if (space === "param" && address.kind === "address" && address.base.kind === "symbol") {
    loadParam(b, address, targets, type);
    return true;
  }
  const total = size * targets.length;
  const place = checkedAddress(b, address, space, total, total);
  const { ea, offset, space: kind } = place;
  const ordered = isOrdered(i);
  if (ordered && isWhole(place, size, targets.length)) {
    loadWhole(b, place, targets, type);
    return true;
  }
  const invariant = space === "const" || i.mods.includes("nc");
  targets.forEach((target, k) => {
    if (target.kind === "sink") return;
    const aux: Aux = { size, offset: offset + k * size, ordered, invariant, space: kind };
    b.write(target, b.emit("load", t, [ea], aux), type);
  });
  return true;
};

/** ld.param of the kernel's own parameters, or of a called function's (PTX ISA §7.1). */
function loadParam(b: Builder, address: AddressOperand, targets: Operand[], type: PtxType): void {
  if (address.base.kind !== "symbol" || address.base.symbol.kind !== "variable")
    throw b.error("a parameter was expected");
  const variable = address.base.symbol;
  const size = type.bits / 8;
  targets.forEach((target, k) => {
    const offset = Number(address.offset) + k * size;
    if (offset < 0 || offset + size > variable.size) throw b.error("outside of the parameter");
    if (b.fn.isKernelParam(variable)) {
      const at = kernelParamOffset(b.fn.frame.fn, variable) + offset;
      b.write(target, b.emit("param", type.type, [], { size }, at), type);
    } else {
      const v = b.fn.paramStore(variable).read(b, offset, size);
      b.write(target, b.coerce(v, type.type), type);
    }
  });
}

const st: Lowering = (b, i) => {
  const type = lastType(i.mods);
  if (!type) return false;
  keepStep(b, i);
  if (type.bits > 64) return storeWide(b, i);
  const [address, value] = i.operands;
  const sources = value.kind === "vector" ? value.elements : [value];
  const space = spaceOf(i);
  const { size } = element(type);
  if (space === "param" && address.kind === "address" && address.base.kind === "symbol") {
    const variable = address.base.symbol;
    if (variable.kind !== "variable") throw b.error("a parameter was expected");
    sources.forEach((s, k) => {
      const v = b.coerce(b.read(s, type), size === 8 ? I64 : I32);
      b.fn.paramStore(variable).write(b, Number(address.offset) + k * size, size, v);
    });
    return true;
  }
  const total = size * sources.length;
  const place = checkedAddress(b, address, space, total, total);
  const { ea, offset, space: kind } = place;
  const values = sources.map((s) => b.read(s, type));
  const ordered = isOrdered(i);
  if (ordered && isWhole(place, size, values.length)) storeWhole(b, place, values, type);
  else {
    values.forEach((v, k) => {
      b.emit("store", NONE, [ea, v], { size, offset: offset + k * size, ordered, space: kind });
    });
  }
  if (i.mods.includes("async")) completeTransfer(b, i, i.operands[2], total);
  return true;
};

/** Cache hints: no effect on what a program computes (PTX ISA §9.7.9 prefetch, applypriority, …). */
const hint: Lowering = () => true;

/** membar and fence: a full barrier between threads of different workers. */
const fence: Lowering = (b) => {
  b.emit("fence", NONE, []);
  return true;
};

/** Loads, stores, fences and hints (PTX ISA §9.7.9, §9.7.13). */
export const memory: Record<string, Lowering> = {
  ld,
  ldu: ld,
  st,
  prefetch: hint,
  prefetchu: hint,
  applypriority: hint,
  discard: hint,
  createpolicy: (b, i) => {
    b.write(i.operands[0], b.i64(0n), ptxType("b64"));
    return true;
  },
  membar: fence,
  fence,
};
