import { type Aux, type Cut, I1, I32, I64, NONE, type Type, type Value } from "../ir/ir.ts";
import type { Instruction, Operand } from "../ptx/ast.ts";
import { type WarpFrame, warpFrame } from "../warp-frames.ts";
import { type WmmaFragment, wmmaFragment } from "../wmma-fragments.ts";
import type { Builder } from "./builder.ts";
import { isTurned, turnBlocks } from "./fragments.ts";
import type { Lowering } from "./instructions.ts";
import { checkedAddress, spaceOf } from "./memory.ts";
import { lastType, type PtxType, ptxType } from "./types.ts";

const U32 = ptxType("u32");
const elements = (o: Operand) => (o.kind === "vector" ? o.elements : [o]);

/** Ends the block with a frame operation on all lanes: destinations, then sources. */
function frameOperation(
  b: Builder,
  frame: WarpFrame,
  destinations: Operand[],
  sources: Value[],
  turned: Cut["turned"] = [],
): void {
  if (destinations.length !== frame.dst.length || sources.length !== frame.src.length) {
    throw b.error(`${frame.dst.length} destinations and ${frame.src.length} sources expected`);
  }
  const targets = destinations.map((o): { register: number; type: Type } => {
    if (o.kind === "sink") return { register: -1, type: I32 };
    if (o.kind !== "reg") throw b.error("a register was expected");
    const register = b.fn.registerOf(o.reg);
    return { register, type: b.fn.registers[register].type };
  });
  b.fn.cut({
    kind: "warp",
    operands: [b.i32(-1)],
    warpOp: frame.function,
    relaxedOp: frame.relaxed,
    turned,
    destinations: targets,
    sources,
    scratchBytes: frame.scratchBytes,
  });
}

/** A fragment register as the frame holds it. */
function fragment(b: Builder, o: Operand): Value {
  if (o.kind !== "reg") return b.read(o, U32);
  const type = ptxType(o.reg.type);
  return b.read(o, type.bits === 16 ? U32 : type);
}

/** The layouts of A and B of a wmma.mma on f16, of whose registers some repeat others. */
function wmmaFactors(i: Instruction): (WmmaFragment | undefined)[] | undefined {
  const shape = i.mods.find((m) => /^m\d+n\d+k16$/.test(m));
  const halves = i.opcode === "wmma" && /^f(16|32)\.f(16|32)$/.test(i.mods.slice(-2).join("."));
  if (!shape || !halves || i.mods.includes("bf16")) return undefined;
  return [wmmaFragment(shape, "a", "f16"), wmmaFragment(shape, "b", "f16")];
}

/** mma.sync, mma.sp and wmma.mma: D, then A, B, C, metadata and selector (PTX ISA §9.7.14). */
const product: Lowering = (b, i) => {
  const frame = warpFrame(i.mnemonic);
  if (!frame) return false;
  const [d, ...rest] = i.operands;
  const sources: Value[] = [];
  const turned: Cut["turned"] = [];
  const fragments = wmmaFactors(i);
  for (const [k, o] of rest.entries()) {
    const registers = elements(o).slice(0, fragments?.[k]?.distinct);
    if (isTurned(b.fn.frame.fn, o)) {
      turned.push({ slot: frame.dst.length + sources.length, count: registers.length });
    }
    sources.push(...registers.map((e) => fragment(b, e)));
  }
  frameOperation(b, frame, elements(d), sources, turned);
  return true;
};

/** ldmatrix and stmatrix: only the first 8, 16 or 32 lanes give addresses of rows. */
const matrixMove: Lowering = (b, i) => {
  const frame = warpFrame(i.mnemonic);
  if (!frame) return false;
  const [first, second] = i.operands;
  if (!frame.access) {
    frameOperation(b, frame, [first], [b.read(second, U32)]);
    return true;
  }
  const { store, lanes } = frame.access;
  const address = rowAddress(b, store ? first : second, lanes);
  if (store)
    frameOperation(b, frame, [], [address, ...elements(second).map((o) => b.read(o, U32))]);
  else frameOperation(b, frame, elements(first), [address]);
  return true;
};

/** The checked address of a row of 16 bytes, for the lanes that have one; 0 for the others. */
function rowAddress(b: Builder, operand: Operand, lanes: number): Value {
  const register = b.fn.newRegister("row", I32);
  const check = () => {
    const { ea, offset } = checkedAddress(b, operand, "shared", 16, 16);
    b.writeRegister(register, offset === 0 ? ea : b.emit("i32_add", I32, [ea, b.i32(offset)]));
  };
  if (lanes >= 32) check();
  else {
    b.writeRegister(register, b.i32(0));
    const lane = b.emit("sreg", I32, [], { name: "laneid" });
    const has = b.emit("i32_lt_u", I1, [lane, b.i32(lanes)]);
    const then = b.fn.newBlock();
    const next = b.fn.newBlock();
    b.block.terminator = { kind: "branch", cond: has, yes: then, no: next };
    b.block = then;
    check();
    b.block.terminator = { kind: "jump", target: next };
    b.block = next;
  }
  return b.emit("regread", I32, [], undefined, register);
}

/** wmma.load and wmma.store: accesses of each lane on its own; wmma.mma is a product. */
const wmma: Lowering = (b, i) => {
  if (i.mods[0] === "mma") return product(b, i);
  const use = i.mods[1] as "a" | "b" | "c" | "d";
  const shape = i.mods.find((m) => /^m\d+n\d+k\d+$/.test(m));
  const type = lastType(i.mods) ?? bitType(i);
  const layout = i.mods.find((m) => m === "row" || m === "col");
  if (!shape || !type || !layout) return false;
  const straight = wmmaFragment(shape, use, i.mods[i.mods.length - 1]);
  if (!straight) return false;
  const load = i.mods[0] === "load";
  const turned = load && isTurned(b.fn.frame.fn, i.operands[0]);
  const described = turned ? turnBlocks(straight) : straight;
  const registers = elements(i.operands[load ? 0 : 1]);
  const address = i.operands[load ? 1 : 0];
  const stride = i.operands[2];
  if (registers.length !== described.registers) {
    throw b.error(`${described.registers} registers expected`);
  }
  const access = new FragmentAccess(b, i, described, address, stride, layout === "row");
  registers.forEach((r, k) => {
    if (load && k >= described.distinct) {
      const same = registers[k % described.distinct];
      b.write(
        r,
        b.read(same, ptxType(described.registerBits === 64 ? "b64" : "b32")),
        word(described),
      );
    } else if (load) b.write(r, access.load(k), word(described));
    else access.store(k, fragment(b, r));
  });
  return true;
};

const word = (f: WmmaFragment): PtxType => ptxType(f.registerBits === 64 ? "b64" : "b32");

function bitType(i: Instruction): PtxType | undefined {
  return /^(b1|[su]4)$/.test(i.mods[i.mods.length - 1]) ? U32 : undefined;
}

/** Element addresses of one fragment in memory: linear in the lane's row group and column. */
class FragmentAccess {
  private readonly b: Builder;
  private readonly f: WmmaFragment;
  private readonly address: Operand;
  private readonly space: string;
  private readonly rowMajor: boolean;
  private readonly group: Value;
  private readonly inner: Value;
  private readonly stride: Value;

  constructor(
    b: Builder,
    i: Instruction,
    f: WmmaFragment,
    address: Operand,
    stride: Operand | undefined,
    rowMajor: boolean,
  ) {
    this.b = b;
    this.f = f;
    this.address = address;
    this.space = spaceOf(i);
    this.rowMajor = rowMajor;
    const lane = b.emit("sreg", I32, [], { name: "laneid" });
    this.group = b.emit("i32_shr_u", I32, [lane, b.i32(2)]);
    this.inner = b.emit("i32_and", I32, [lane, b.i32(3)]);
    // Without a stride the matrix is stored densely.
    this.stride = stride ? b.read(stride, U32) : b.i32(rowMajor ? f.columns : f.rows);
  }

  /** Element number of element j of a register: row·stride + column, or the other way round. */
  private number(register: number, j: number): Value {
    const { b, f } = this;
    const at = (lane: number) => f.place(lane, register, j);
    const origin = at(0);
    const perGroup = at(4);
    const perInner = at(1);
    const linear = (key: "row" | "column"): Value => {
      const times = (v: Value, n: number) => b.emit("i32_mul", I32, [v, b.i32(n)]);
      const sum = b.emit("i32_add", I32, [
        times(this.group, perGroup[key] - origin[key]),
        times(this.inner, perInner[key] - origin[key]),
      ]);
      return b.emit("i32_add", I32, [sum, b.i32(origin[key])]);
    };
    const [major, minor] = this.rowMajor
      ? (["row", "column"] as const)
      : (["column", "row"] as const);
    const start = b.emit("i32_mul", I32, [linear(major), this.stride]);
    return b.emit("i32_add", I32, [start, linear(minor)]);
  }

  /** Whether the elements of a register lie side by side in memory. */
  private contiguous(register: number): boolean {
    const key = this.rowMajor ? "column" : "row";
    const other = this.rowMajor ? "row" : "column";
    const first = this.f.place(0, register, 0);
    for (let j = 1; j < this.f.elementsPerRegister; j++) {
      const p = this.f.place(0, register, j);
      if (p[key] !== first[key] + j || p[other] !== first[other]) return false;
    }
    return true;
  }

  /** The checked address of `size` bytes at element j of a register. */
  private ea(register: number, j: number, size: number): { ea: Value; aux: Aux } {
    const { b, f } = this;
    const number = this.number(register, j);
    const bytes =
      f.elementBits >= 8
        ? b.emit("i32_mul", I32, [number, b.i32(f.elementBits / 8)])
        : b.emit("i32_shr_u", I32, [number, b.i32(31 - Math.clz32(8 / f.elementBits))]);
    const { address } = this;
    if (address.kind !== "address") throw b.error("an address was expected");
    const site = b.site();
    if (this.space === "shared") {
      const base = b.read(address.base, U32);
      const whole = b.emit("i32_add", I32, [
        base,
        b.emit("i32_add", I32, [bytes, b.i32(address.offset)]),
      ]);
      const aux: Aux = { space: "shared", size, offset: 0, align: size, site };
      return { ea: b.emit("check", I32, [whole], aux), aux: { size, offset: 0, space: "shared" } };
    }
    const base = b.read(address.base, ptxType("u64"));
    const wide = b.emit("i64_extend_i32_s", I64, [bytes]);
    const offset = b.emit("i64_add", I64, [wide, b.i64(BigInt(address.offset))]);
    const whole = b.emit("i64_add", I64, [base, offset]);
    const aux: Aux = { space: "generic", size, offset: 0, align: size, site };
    return { ea: b.emit("check", I32, [whole], aux), aux: { size, offset: 0, space: "generic" } };
  }

  load(register: number): Value {
    const { b, f } = this;
    if (f.registerBits === 64 || this.contiguous(register)) {
      const size = f.registerBits / 8;
      const { ea, aux } = this.ea(register, 0, size);
      return b.emit("load", size === 8 ? I64 : I32, [ea], aux);
    }
    let sum: Value | undefined;
    for (let j = 0; j < f.elementsPerRegister; j++) {
      const { ea, aux } = this.ea(register, j, f.elementBits / 8);
      const v = b.emit("load", I32, [ea], aux);
      const moved = j === 0 ? v : b.emit("i32_shl", I32, [v, b.i32(j * f.elementBits)]);
      sum = sum ? b.emit("i32_or", I32, [sum, moved]) : moved;
    }
    return sum as Value;
  }

  store(register: number, value: Value): void {
    const { b, f } = this;
    if (f.registerBits === 64 || this.contiguous(register)) {
      const { ea, aux } = this.ea(register, 0, f.registerBits / 8);
      b.emit("store", NONE, [ea, value], aux);
      return;
    }
    const bits = b.coerce(value, I32);
    for (let j = 0; j < f.elementsPerRegister; j++) {
      const { ea, aux } = this.ea(register, j, f.elementBits / 8);
      const moved = j === 0 ? bits : b.emit("i32_shr_u", I32, [bits, b.i32(j * f.elementBits)]);
      b.emit("store", NONE, [ea, moved], aux);
    }
  }
}

/** Matrix products and the moves of their fragments (PTX ISA §9.7.14). */
export const matrices: Record<string, Lowering> = {
  mma: product,
  wmma,
  ldmatrix: matrixMove,
  stmatrix: matrixMove,
  movmatrix: matrixMove,
};
