import { F32, F64, I1, I32, I64, type Type } from "../ir/ir.ts";

/** A PTX scalar type, taken apart. */
export interface PtxType {
  name: string;
  /** Width in bits; 1 for predicates. */
  bits: number;
  /** Two's complement signed integer. */
  signed: boolean;
  /** f32 or f64: a float with a WebAssembly type of its own. f16, bf16 and packed ones are bits. */
  float: boolean;
  /** The IR type of a value of this type. */
  type: Type;
}

const table = new Map<string, PtxType>();

function add(names: string, bits: number, type: Type, signed = false, float = false): void {
  for (const name of names.split(" ")) table.set(name, { name, bits, signed, float, type });
}

add("pred", 1, I1);
add("u2 b2", 2, I32);
add("s2", 2, I32, true);
add("u4 b4", 4, I32);
add("s4", 4, I32, true);
add("b8 u8 e4m3 e5m2", 8, I32);
add("s8", 8, I32, true);
add("b16 u16 f16 bf16 e4m3x2 e5m2x2", 16, I32);
add("s16", 16, I32, true);
add("b32 u32 f16x2 bf16x2 tf32 u16x2 s16x2 u8x4 s8x4 b8x4", 32, I32);
add("s32", 32, I32, true);
add("b64 u64 texref samplerref surfref f32x2", 64, I64);
add("s64", 64, I64, true);
add("f32", 32, F32, false, true);
add("f64", 64, F64, false, true);
add("b128", 128, I64);

/** The type of that name, or undefined: "u32", "f16x2", "pred", … (PTX ISA §5.2). */
export function findType(name: string): PtxType | undefined {
  return table.get(name);
}

/** The type of that name; throws on an unknown one. */
export function ptxType(name: string): PtxType {
  const found = table.get(name);
  if (!found) throw new Error(`unknown PTX type .${name}`);
  return found;
}

/** The last type among an instruction's modifiers, or undefined. */
export function lastType(mods: readonly string[]): PtxType | undefined {
  for (let k = mods.length - 1; k >= 0; k--) {
    const found = table.get(mods[k]);
    if (found) return found;
  }
  return undefined;
}
