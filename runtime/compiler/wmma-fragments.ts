/**
 * How the registers of `wmma` fragments hold a matrix (PTX ISA 9.7.14.4 leaves that open): as an
 * H100 does it, where each fragment is one or two of the `mma.sync` fragments (9.7.14.5).
 *
 * `wmma.load` and `wmma.store` are accesses of each lane on its own. For lane L, register R and
 * element j of that register (from bit 0 upwards), `place` gives row and column, so that with the
 * base address and stride (in elements) of the instruction
 *
 *   layout row:  element number row·stride + column       column: column·stride + row
 *   byte address base + number·elementBits/8; elements below 8 bits are packed, lowest bits first
 */

/** Row and column of an element in its matrix. */
export interface Place {
  row: number;
  column: number;
}

/** The layout of one fragment. */
export interface WmmaFragment {
  /** Rows and columns of the matrix. */
  rows: number;
  columns: number;
  /** Bits of an element in memory and in registers. */
  elementBits: number;
  /** Registers of a lane, and their width: 64 for f64, else 32. */
  registers: number;
  registerBits: 32 | 64;
  elementsPerRegister: number;
  /**
   * Registers that hold different elements. From here on they repeat (register R is a copy of
   * R mod distinct): a load may copy, a store has none of these.
   */
  distinct: number;
  /** Where element j of register R of lane L is. */
  place(lane: number, register: number, j: number): Place;
}

const ELEMENT_BITS: Record<string, number> = {
  f16: 16,
  bf16: 16,
  tf32: 32,
  f32: 32,
  s32: 32,
  f64: 64,
  s8: 8,
  u8: 8,
  s4: 4,
  u4: 4,
  b1: 1,
};

/** m, n, k of a shape such as "m16n16k16". */
function sizes(shape: string): [number, number, number] | undefined {
  const match = /^m(\d+)n(\d+)k(\d+)$/.exec(shape);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

/** Types of A and B by shape. */
const FACTORS: Record<string, string[]> = {
  m16n16k16: ["f16", "bf16", "s8", "u8"],
  m8n32k16: ["f16", "bf16", "s8", "u8"],
  m32n8k16: ["f16", "bf16", "s8", "u8"],
  m16n16k8: ["tf32"],
  m8n8k4: ["f64"],
  m8n8k32: ["s4", "u4"],
  m8n8k128: ["b1"],
};

/** Types of C and D by shape. */
function accumulators(shape: string): string[] {
  if (shape === "m8n8k4") return ["f64"];
  if (shape === "m16n16k8") return ["f32"];
  return shape.startsWith("m8n8") ? ["s32"] : ["f16", "f32", "s32"];
}

/** Element of A of an `mma.sync`: two registers for rows 0–7 and 8–15, then on along k. */
function placeA(lane: number, register: number, j: number, per: number, tall: boolean): Place {
  const group = lane >> 2;
  const half = tall ? register & 1 : 0;
  const along = tall ? register >> 1 : register;
  return { row: group + 8 * half, column: (4 * along + (lane & 3)) * per + j };
}

/** Element of C or D of an `mma.sync`, f32 or s32 (two registers a row) or f16 (one). */
function placeC(lane: number, register: number, j: number, packed: boolean): Place {
  const half = packed ? register : register >> 1;
  const odd = packed ? j : register & 1;
  return { row: (lane >> 2) + 8 * half, column: 2 * (lane & 3) + odd };
}

const transposed = ({ row, column }: Place): Place => ({ row: column, column: row });

/** A or B: 16 (or 32) rows of a `wmma` A are one (or two) `mma.sync` A, 8 are a B transposed. */
function factor(shape: string, use: "a" | "b", type: string): WmmaFragment {
  const [m, n, k] = sizes(shape) ?? [0, 0, 0];
  const elementBits = ELEMENT_BITS[type] ?? 0;
  const registerBits = type === "f64" ? 64 : 32;
  const per = registerBits / elementBits;
  const along = k / (4 * per); // registers for the whole of k
  const length = use === "a" ? m : n; // rows of A, columns of B
  // B's columns lie as A's rows do, except that m16n16 has two 8-column B where A is one of 16.
  const tall = shape === "m16n16k16" || shape === "m16n16k8" ? use === "a" : length >= 16;
  const perPart = tall ? 2 * along : along;
  const partLength = tall ? 16 : 8;
  const distinct = (length / partLength) * perPart;
  const place = (lane: number, register: number, j: number): Place => {
    const r = register % distinct;
    const part = Math.floor(r / perPart);
    const at = placeA(lane, r % perPart, j, per, tall);
    const whole = { row: at.row + partLength * part, column: at.column };
    return use === "a" ? whole : transposed(whole);
  };
  return {
    rows: use === "a" ? m : k,
    columns: use === "a" ? k : n,
    elementBits,
    registers: type === "f16" ? 8 : distinct,
    registerBits,
    elementsPerRegister: per,
    distinct,
    place,
  };
}

/** C or D. */
function accumulator(shape: string, type: string): WmmaFragment {
  const [m, n] = sizes(shape) ?? [0, 0, 0];
  const packed = type === "f16";
  const perPart = shape.startsWith("m8n8") ? 2 : packed ? 2 : 4;
  const registers = (m * n) / 32 / (packed ? 2 : 1);
  const place = (lane: number, register: number, j: number): Place => {
    const part = Math.floor(register / perPart);
    const { row, column } = placeC(lane, register % perPart, j, packed);
    if (shape === "m8n32k16") return { row: column, column: row + 16 * part };
    if (shape === "m32n8k16") return { row: row + 16 * part, column };
    return { row, column: column + 8 * part };
  };
  return {
    rows: m,
    columns: n,
    elementBits: ELEMENT_BITS[type] ?? 0,
    registers,
    registerBits: type === "f64" ? 64 : 32,
    elementsPerRegister: packed ? 2 : 1,
    distinct: registers,
    place,
  };
}

/**
 * The layout of a `wmma` fragment.
 * @param shape "m16n16k16", "m8n32k16", "m32n8k16", "m16n16k8", "m8n8k4", "m8n8k32", "m8n8k128"
 * @param use the matrix
 * @param type the element type in the mnemonic
 * @returns undefined if the ISA has no such fragment
 */
export function wmmaFragment(
  shape: string,
  use: "a" | "b" | "c" | "d",
  type: string,
): WmmaFragment | undefined {
  const factors = FACTORS[shape];
  if (!factors) return undefined;
  if (use === "a" || use === "b") {
    return factors.includes(type) ? factor(shape, use, type) : undefined;
  }
  return accumulators(shape).includes(type) ? accumulator(shape, type) : undefined;
}

/** A `wmma.load` or `wmma.store` mnemonic, taken apart. */
export interface WmmaAccess {
  store: boolean;
  use: "a" | "b" | "c" | "d";
  layout: "row" | "col";
  shape: string;
  /** State space; "" is generic. */
  space: "" | "global" | "shared";
  type: string;
  fragment: WmmaFragment;
}

/**
 * Takes a `wmma.load` or `wmma.store` mnemonic apart, such as
 * `wmma.load.a.sync.aligned.row.m16n16k16.global.f16`.
 * @returns undefined if it is not one that the ISA has
 */
export function wmmaAccess(mnemonic: string): WmmaAccess | undefined {
  const match =
    /^wmma\.(load|store)\.([abcd])\.sync\.aligned\.(row|col)\.(m\d+n\d+k\d+)(?:\.(global|shared)(?:::cta)?)?\.(\w+)$/.exec(
      mnemonic,
    );
  if (!match) return undefined;
  const [, kind, use, layout, shape = "", space = "", type = ""] = match;
  const store = kind === "store";
  if (store !== (use === "d")) return undefined;
  const fragment = wmmaFragment(shape, use as WmmaAccess["use"], type);
  if (!fragment) return undefined;
  // Below 8 bits an element is not addressable, and only the packed direction exists.
  if (fragment.elementBits < 8 && layout !== (use === "a" ? "row" : "col")) return undefined;
  return {
    store,
    use: use as WmmaAccess["use"],
    layout: layout as WmmaAccess["layout"],
    shape,
    space: space as WmmaAccess["space"],
    type,
    fragment,
  };
}
