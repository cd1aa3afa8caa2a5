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
