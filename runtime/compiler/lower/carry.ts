import { I1, I32, I64, type Value } from "../ir/ir.ts";
import type { Instruction } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { lastType, type PtxType } from "./types.ts";

const prefix = (type: PtxType) => (type.type === I64 ? "i64" : "i32");

function readCarry(b: Builder): Value {
  return b.emit("regread", I32, [], undefined, b.fn.carryRegister());
}

function writeCarry(b: Builder, i: Instruction, carry: Value): void {
  if (i.mods.includes("cc")) b.writeRegister(b.fn.carryRegister(), b.bit(carry));
}

/** x + y + carry-in with its carry-out. */
function addWithCarry(b: Builder, type: PtxType, x: Value, y: Value, carryIn: Value | undefined) {
  const p = prefix(type);
  const sum = b.emit(`${p}_add`, type.type, [x, y]);
  const over = b.emit(`${p}_lt_u`, I1, [sum, x]);
  if (!carryIn) return { v: sum, carry: over };
  const c = b.coerce(carryIn, type.type);
  const whole = b.emit(`${p}_add`, type.type, [sum, c]);
  const again = b.emit(`${p}_lt_u`, I1, [whole, c]);
  return { v: whole, carry: b.emit("or1", I1, [over, again]) };
}

/** x - y - borrow-in; the flag is the borrow (PTX ISA §9.7.2 sub.cc). */
function subWithBorrow(b: Builder, type: PtxType, x: Value, y: Value, borrowIn: Value | undefined) {
  const p = prefix(type);
  const difference = b.emit(`${p}_sub`, type.type, [x, y]);
  const under = b.emit(`${p}_lt_u`, I1, [x, y]);
  if (!borrowIn) return { v: difference, carry: under };
  const c = b.coerce(borrowIn, type.type);
  const whole = b.emit(`${p}_sub`, type.type, [difference, c]);
  const again = b.emit(`${p}_lt_u`, I1, [difference, c]);
  return { v: whole, carry: b.emit("or1", I1, [under, again]) };
}

const addc: Lowering = (b, i) => {
  const type = lastType(i.mods) as PtxType;
  const [d, x, y] = i.operands;
  const { v, carry } = addWithCarry(b, type, b.read(x, type), b.read(y, type), readCarry(b));
  b.write(d, v, type);
  writeCarry(b, i, carry);
  return true;
};

const subc: Lowering = (b, i) => {
  const type = lastType(i.mods) as PtxType;
  const [d, x, y] = i.operands;
  const { v, carry } = subWithBorrow(b, type, b.read(x, type), b.read(y, type), readCarry(b));
  b.write(d, v, type);
  writeCarry(b, i, carry);
  return true;
};

/** add.cc and sub.cc; the arithmetic family handles the forms without `.cc`. */
export const addCc: Lowering = (b, i) => {
  const type = lastType(i.mods) as PtxType;
  const [d, x, y] = i.operands;
  const step = i.opcode === "add" ? addWithCarry : subWithBorrow;
  const { v, carry } = step(b, type, b.read(x, type), b.read(y, type), undefined);
  b.write(d, v, type);
  writeCarry(b, i, carry);
  return true;
};

/** madc.lo/.hi{.cc} and mad.lo/.hi.cc: a product half plus an addend, with carry. */
export const madCc: Lowering = (b, i) => {
  const type = lastType(i.mods) as PtxType;
  const [d, x, y, z] = i.operands;
  const p = prefix(type);
  let product: Value;
  if (i.mods.includes("lo")) {
    product = b.emit(`${p}_mul`, type.type, [b.read(x, type), b.read(y, type)]);
  } else product = b.lib(`mul_hi_${type.name}`, [b.read(x, type), b.read(y, type)]);
  const carryIn = i.opcode === "madc" ? readCarry(b) : undefined;
  const { v, carry } = addWithCarry(b, type, product, b.read(z, type), carryIn);
  b.write(d, v, type);
  writeCarry(b, i, carry);
  return true;
};

/** Extended-precision arithmetic (PTX ISA §9.7.2). */
export const carries: Record<string, Lowering> = { addc, subc, madc: madCc };
