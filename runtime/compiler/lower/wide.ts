import { I64, NONE, type Value } from "../ir/ir.ts";
import type { Instruction, Operand, Variable } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import { kernelParamOffset } from "./function.ts";
import {
  type CheckedAddress,
  checkedAddress,
  checkedPointer,
  isOrdered,
  spaceOf,
} from "./memory.ts";
import { ptxType } from "./types.ts";

// A `.b128` register is two virtual registers: the low and the high 64 bits.

const B64 = ptxType("b64");

/** The two halves of a `.b128` operand. */
function readWide(b: Builder, o: Operand): [Value, Value] {
  if (o.kind !== "reg" || o.reg.type !== "b128") throw b.error("a .b128 register was expected");
  return [b.readRegister(o.reg), b.emit("regread", I64, [], undefined, b.fn.highOf(o.reg))];
}

function writeWide(b: Builder, o: Operand, low: Value, high: Value): void {
  if (o.kind === "sink") return;
  if (o.kind !== "reg" || o.reg.type !== "b128") throw b.error("a .b128 register was expected");
  b.writeRegister(b.fn.registerOf(o.reg), low);
  b.writeRegister(b.fn.highOf(o.reg), high);
}

/** mov.b128: a copy, a pair of 64-bit values to one, or one to a pair. */
export function moveWide(b: Builder, i: Instruction): boolean {
  const [d, x] = i.operands;
  const [low, high] = x.kind === "vector" ? x.elements.map((e) => b.read(e, B64)) : readWide(b, x);
  if (d.kind === "vector") {
    b.write(d.elements[0], low, B64);
    b.write(d.elements[1], high, B64);
  } else writeWide(b, d, low, high);
  return true;
}

function halves(b: Builder, { ea, offset, space }: CheckedAddress): [Value, Value] {
  const half = (k: number) => b.emit("load", I64, [ea], { size: 8, offset: offset + k, space });
  return [half(0), half(8)];
}

/** The parameter that an address in `.param` space names, if it names one. */
function paramOf(
  i: Instruction,
  address: Operand,
): { variable: Variable; offset: number } | undefined {
  if (spaceOf(i) !== "param" || address.kind !== "address") return undefined;
  const { base } = address;
  if (base.kind !== "symbol" || base.symbol.kind !== "variable") return undefined;
  return { variable: base.symbol, offset: Number(address.offset) };
}

/** ld.b128; ordered ones are one access, under the library's lock. */
export function loadWide(b: Builder, i: Instruction): boolean {
  const [d, address] = i.operands;
  const param = paramOf(i, address);
  if (param && b.fn.isKernelParam(param.variable)) {
    const at = kernelParamOffset(b.fn.frame.fn, param.variable) + param.offset;
    const half = (k: number) => b.emit("param", I64, [], { size: 8 }, at + k);
    writeWide(b, d, half(0), half(8));
    return true;
  }
  if (param) {
    const store = b.fn.paramStore(param.variable);
    writeWide(b, d, store.read(b, param.offset, 8), store.read(b, param.offset + 8, 8));
    return true;
  }
  if (!isOrdered(i)) {
    const [low, high] = halves(b, checkedAddress(b, address, spaceOf(i), 16, 16));
    writeWide(b, d, low, high);
    return true;
  }
  const pointer = checkedPointer(b, address, spaceOf(i), 16, 16);
  const out = b.fn.resultSlot(b);
  b.lib("ld_b128", [pointer, out.ea], true);
  const [low, high] = halves(b, out);
  writeWide(b, d, low, high);
  return true;
}

/** st.b128. */
export function storeWide(b: Builder, i: Instruction): boolean {
  const [address, value] = i.operands;
  const [low, high] = readWide(b, value);
  const param = paramOf(i, address);
  if (param) {
    const store = b.fn.paramStore(param.variable);
    store.write(b, param.offset, 8, low);
    store.write(b, param.offset + 8, 8, high);
    return true;
  }
  if (isOrdered(i)) {
    b.lib("st_b128", [checkedPointer(b, address, spaceOf(i), 16, 16), low, high], true);
    return true;
  }
  const { ea, offset, space } = checkedAddress(b, address, spaceOf(i), 16, 16);
  b.emit("store", NONE, [ea, low], { size: 8, offset, space });
  b.emit("store", NONE, [ea, high], { size: 8, offset: offset + 8, space });
  return true;
}

/** atom.cas.b128 and atom.exch.b128. */
export function atomicWide(b: Builder, i: Instruction): boolean {
  const [d, address, ...rest] = i.operands;
  const exchange = i.mods.includes("exch");
  const sources = rest.slice(0, exchange ? 1 : 2).flatMap((o) => readWide(b, o));
  const pointer = checkedPointer(b, address, spaceOf(i), 16, 16);
  const out = b.fn.resultSlot(b);
  b.lib(`atom_${exchange ? "exch" : "cas"}_b128`, [pointer, out.ea, ...sources], true);
  const [low, high] = halves(b, out);
  writeWide(b, d, low, high);
  return true;
}
