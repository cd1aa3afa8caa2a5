// Names that PTX itself gives: fundamental types with their sizes, special registers.

/** Bytes of a type that a variable may have (PTX ISA §5.2); opaque types are 64-bit handles. */
export const TYPE_BYTES: ReadonlyMap<string, number> = new Map([
  ["pred", 1],
  ["b8", 1],
  ["u8", 1],
  ["s8", 1],
  ["b16", 2],
  ["u16", 2],
  ["s16", 2],
  ["f16", 2],
  ["bf16", 2],
  ["b32", 4],
  ["u32", 4],
  ["s32", 4],
  ["f32", 4],
  ["tf32", 4],
  ["f16x2", 4],
  ["bf16x2", 4],
  ["b64", 8],
  ["u64", 8],
  ["s64", 8],
  ["f64", 8],
  ["f32x2", 8],
  ["b128", 16],
  ["texref", 8],
  ["samplerref", 8],
  ["surfref", 8],
]);

/** Is the type an opaque one: a texture, sampler or surface reference? */
export function isOpaqueType(type: string): boolean {
  return type === "texref" || type === "samplerref" || type === "surfref";
}

const VECTOR_SREGS = ["tid", "ntid", "ctaid", "nctaid"];
const CLUSTER_SREGS = ["clusterid", "nclusterid", "cluster_ctaid", "cluster_nctaid"];
const SCALAR_SREGS = [
  "laneid warpid nwarpid smid nsmid gridid is_explicit_cluster cluster_ctarank cluster_nctarank",
  "lanemask_eq lanemask_le lanemask_lt lanemask_ge lanemask_gt clock clock_hi clock64",
  "globaltimer globaltimer_lo globaltimer_hi current_graph_exec",
  "reserved_smem_offset_begin reserved_smem_offset_end reserved_smem_offset_cap",
  "total_smem_size aggr_smem_size dynamic_smem_size",
].flatMap((names) => names.split(" "));

function listSregs(): Set<string> {
  const names = new Set<string>();
  for (const name of [...VECTOR_SREGS, ...CLUSTER_SREGS]) {
    names.add(`%${name}`);
    for (const component of "xyzw") names.add(`%${name}.${component}`);
  }
  for (const name of SCALAR_SREGS) names.add(`%${name}`);
  for (let n = 0; n < 32; n++) names.add(`%envreg${n}`);
  for (let n = 0; n < 8; n++) names.add(`%pm${n}`).add(`%pm${n}_64`);
  names.add("%reserved_smem_offset_0").add("%reserved_smem_offset_1");
  return names;
}

/** Every special register (PTX ISA §10), with its components: "%tid", "%tid.x", "%clock64", … */
export const SPECIAL_REGISTERS: ReadonlySet<string> = listSregs();

/** Types that only instructions have, with the bits of a register that holds one. */
const INSTRUCTION_TYPES: ReadonlyMap<string, number> = new Map([
  ["u16x2", 32],
  ["s16x2", 32],
  ["e4m3x2", 16],
  ["e5m2x2", 16],
  ["e2m3x2", 16],
  ["e3m2x2", 16],
  ["e2m1x2", 8],
  ["ue8m0x2", 16],
  ["e4m3x4", 32],
  ["e5m2x4", 32],
  ["e2m3x4", 32],
  ["e3m2x4", 32],
  ["e2m1x4", 16],
]);

/** Types of matrix elements, which registers hold packed. */
const ELEMENT_TYPES = new Set("b1 s4 u4 s2 u2 e4m3 e5m2 e3m2 e2m3 e2m1 ue8m0 ue4m3".split(" "));

/** Is the modifier a type? */
export function isTypeName(mod: string): boolean {
  return TYPE_BYTES.has(mod) || INSTRUCTION_TYPES.has(mod) || ELEMENT_TYPES.has(mod);
}

/** Bits of a value of the type; 1 for a predicate, 0 for an unknown name. */
export function typeBits(type: string): number {
  if (type === "pred") return 1;
  return INSTRUCTION_TYPES.get(type) ?? (TYPE_BYTES.get(type) ?? 0) * 8;
}

/** The integer type of twice the width: "u16" → "u32". */
export function widerType(type: string): string {
  return `${type[0]}${Number(type.slice(1)) * 2}`;
}

/** The classes that the rules of §9.4 tell apart. */
function classOf(type: string): "pred" | "bits" | "int" | "float" | "opaque" {
  if (type === "pred") return "pred";
  if (isOpaqueType(type)) return "opaque";
  const first = type[0];
  if (first === "f" && type !== "f16x2" && type !== "f32x2") return "float";
  if ((first === "u" || first === "s") && /^[us]\d+$/.test(type)) return "int";
  return "bits";
}

/**
 * May a register of type `reg` be an operand of type `type` (§9.4)? Integers of one size are alike,
 * bits go with everything of their size, floats with themselves and bits. `relaxed`: it may be wider
 * (§9.4.1).
 */
export function fitsRegister(reg: string, type: string, relaxed: boolean): boolean {
  const have = typeBits(reg);
  const want = typeBits(type);
  const regClass = classOf(reg);
  if (regClass === "pred" || type === "pred") return reg === type;
  if (regClass === "opaque" || have === 0 || want === 0) return false;
  if (have < want || (have > want && !relaxed)) return false;
  switch (classOf(type)) {
    case "int":
      return regClass === "int" || regClass === "bits";
    case "float":
      return reg === type || (regClass === "bits" && /^b\d+$/.test(reg));
    default:
      break;
  }
  // Bit types take every register of their size; packed and alternative formats only bits.
  if (/^b\d+$/.test(type)) return true;
  return reg === type || (regClass === "bits" && /^b\d+$/.test(reg));
}
