import type { FormGroup } from "./notation.ts";

// Fragments by the ISA's figures (§9.7.14): registers per thread of a, b, and of c and d.

/**
 * wmma.load and .store of one type; `shapes`: shape → registers of a and b. Before PTX 6.3 `.aligned`
 * went without saying.
 */
function wmma(
  type: string,
  shapes: Record<string, [number, number]>,
  accumulators: Record<string, number>,
  reg: string,
  layouts: [string, string],
  aligned = ".aligned",
): string[] {
  const [row, col] = layouts;
  const forms: string[] = [];
  for (const [shape, [a, b]] of Object.entries(shapes)) {
    forms.push(
      `wmma.load.a.sync${aligned}.${row}.${shape}{.space}.${type} r:${reg}*${a}!, [p]{, stride:u32}`,
      `wmma.load.b.sync${aligned}.${col}.${shape}{.space}.${type} r:${reg}*${b}!, [p]{, stride:u32}`,
    );
  }
  for (const shape of Object.keys(shapes)) {
    for (const [acc, n] of Object.entries(accumulators)) {
      const r = acc === "f64" ? "f64" : "b32";
      const load = `wmma.load.c.sync${aligned}.layout.${shape}{.space}.${acc}`;
      const store = `wmma.store.d.sync${aligned}.layout.${shape}{.space}.${acc}`;
      forms.push(`${load} r:${r}*${n}!, [p]{, stride:u32}`);
      forms.push(`${store} [p], r:${r}*${n}{, stride:u32}`);
    }
  }
  return forms;
}

const MMA = "mma.sync.aligned";
const SP = "mma.sparse.sync.aligned";
const ABC = (d: number, a: number, b: number, reg = "b32"): string =>
  `d:${reg}*${d}, a:${reg}*${a}, b:${reg}*${b}, c:${reg}*${d}`;
/** `selectors`: the values that the sparsity selector may have. */
const ABCEF = (d: number, a: number, b: number, selectors = "0|1"): string =>
  `${ABC(d, a, b)}, e:b32, f:imm(${selectors})`;
const SCALED = (a: number, b: number, sparse: boolean): string =>
  `${ABC(4, a, b)}${sparse ? ", e:b32, f:imm(0)" : ""}, scale-a:b32, ia:u16*2, scale-b:b32, ib:u16*2`;
const F16_SHAPES = {
  m16n16k16: [8, 8],
  m8n32k16: [8, 8],
  m32n8k16: [8, 8],
} as Record<string, [number, number]>;

/** Matrix products (PTX ISA §9.7.14). */
export const MATRIX: FormGroup[] = [
  {
    family: "Matrix fragments (wmma), f16",
    section: "9.7.14",
    since: "6.0",
    target: 70,
    sets: {
      layout: "row col",
      space: "global shared shared::cta",
      alayout: "row col",
      blayout: "row col",
      shape: "m16n16k16 m8n32k16 m32n8k16",
    },
    forms: [
      ...wmma("f16", F16_SHAPES, { f16: 4, f32: 8 }, "b32", ["layout", "layout"], "{.aligned}"),
      `wmma.mma.sync{.aligned}.alayout.blayout.shape.f16.f16 ${ABC(4, 8, 8)}`,
      `wmma.mma.sync{.aligned}.alayout.blayout.shape.f32.f32 ${ABC(8, 8, 8)}`,
      "wmma.mma.sync{.aligned}.alayout.blayout.shape.f32.f16 d:b32*8, a:b32*8, b:b32*8, c:b32*4",
      "wmma.mma.sync{.aligned}.alayout.blayout.shape.f16.f32 d:b32*4, a:b32*8, b:b32*8, c:b32*8",
    ],
  },
  {
    family: "Matrix fragments (wmma), integers",
    section: "9.7.14",
    since: "6.3",
    target: 72,
    sets: {
      layout: "row col",
      space: "global shared shared::cta",
      i8: "s8 u8",
      i4: "s4 u4",
      alayout: "row col",
      blayout: "row col",
      op: "xor and",
    },
    forms: [
      ...wmma("i8", { m16n16k16: [2, 2], m8n32k16: [1, 4], m32n8k16: [4, 1] }, { s32: 8 }, "b32", [
        "layout",
        "layout",
      ]),
      ...["s8.s8", "u8.u8"].flatMap((types) => [
        `wmma.mma.sync.aligned.alayout.blayout.m16n16k16.s32.${types}.s32{.satfinite} ${ABC(8, 2, 2)}`,
        `wmma.mma.sync.aligned.alayout.blayout.m8n32k16.s32.${types}.s32{.satfinite} ${ABC(8, 1, 4)}`,
        `wmma.mma.sync.aligned.alayout.blayout.m32n8k16.s32.${types}.s32{.satfinite} ${ABC(8, 4, 1)}`,
      ]),
      ...wmma("i4", { m8n8k32: [1, 1] }, { s32: 2 }, "b32", ["row", "col"]),
      `wmma.mma.sync.aligned.row.col.m8n8k32.s32.s4.s4.s32{.satfinite} ${ABC(2, 1, 1)}`,
      `wmma.mma.sync.aligned.row.col.m8n8k32.s32.u4.u4.s32{.satfinite} ${ABC(2, 1, 1)}`,
      ...wmma("b1", { m8n8k128: [1, 1] }, { s32: 2 }, "b32", ["row", "col"]),
      `wmma.mma.op.popc.sync.aligned.row.col.m8n8k128.s32.b1.b1.s32 ${ABC(2, 1, 1)}`,
    ],
  },
  {
    family: "Matrix fragments (wmma), bf16, tf32, f64",
    section: "9.7.14",
    since: "7.0",
    target: 80,
    sets: {
      layout: "row col",
      space: "global shared shared::cta",
      alayout: "row col",
      blayout: "row col",
    },
    forms: [
      ...wmma(
        "bf16",
        { m16n16k16: [4, 4], m8n32k16: [2, 8], m32n8k16: [8, 2] },
        { f32: 8 },
        "b32",
        ["layout", "layout"],
      ),
      `wmma.mma.sync.aligned.alayout.blayout.m16n16k16.f32.bf16.bf16.f32 ${ABC(8, 4, 4)}`,
      `wmma.mma.sync.aligned.alayout.blayout.m8n32k16.f32.bf16.bf16.f32 ${ABC(8, 2, 8)}`,
      `wmma.mma.sync.aligned.alayout.blayout.m32n8k16.f32.bf16.bf16.f32 ${ABC(8, 8, 2)}`,
      ...wmma("tf32", { m16n16k8: [4, 4] }, { f32: 8 }, "b32", ["layout", "layout"]),
      `wmma.mma.sync.aligned.alayout.blayout.m16n16k8.f32.tf32.tf32.f32 ${ABC(8, 4, 4)}`,
      ...wmma("f64", { m8n8k4: [1, 1] }, { f64: 2 }, "f64", ["layout", "layout"]),
      `wmma.mma.sync.aligned.alayout.blayout.m8n8k4{.rnd}.f64.f64.f64.f64 ${ABC(2, 1, 1, "f64")}`,
    ],
  },
  {
    family: "Matrix product (mma)",
    section: "9.7.14",
    since: "6.4",
    target: 70,
    sets: {
      alayout: "row col",
      blayout: "row col",
      i8a: "u8 s8",
      i8b: "u8 s8",
      i4a: "u4 s4",
      i4b: "u4 s4",
      f8a: "e4m3 e5m2",
      f8b: "e4m3 e5m2",
      op: "xor and",
    },
    forms: [
      `${MMA}.m8n8k4.alayout.blayout.f16.f16.f16.f16 ${ABC(4, 2, 2)}`,
      `${MMA}.m8n8k4.alayout.blayout.f32.f16.f16.f32 ${ABC(8, 2, 2)}`,
      `${MMA}.m8n8k4.alayout.blayout.f32.f16.f16.f16 d:b32*8, a:b32*2, b:b32*2, c:b32*4`,
      `${MMA}.m16n8k8.row.col.f16.f16.f16.f16 ${ABC(2, 2, 1)} @6.5 sm_75`,
      `${MMA}.m16n8k8.row.col.f32.f16.f16.f32 ${ABC(4, 2, 1)} @6.5 sm_75`,
      `${MMA}.m16n8k16.row.col.f16.f16.f16.f16 ${ABC(2, 4, 2)} @7.0 sm_80`,
      `${MMA}.m16n8k16.row.col.f32.f16.f16.f32 ${ABC(4, 4, 2)} @7.0 sm_80`,
      `${MMA}.m16n8k8.row.col.f32.bf16.bf16.f32 ${ABC(4, 2, 1)} @7.0 sm_80`,
      `${MMA}.m16n8k16.row.col.f32.bf16.bf16.f32 ${ABC(4, 4, 2)} @7.0 sm_80`,
      `${MMA}.m16n8k4.row.col.f32.tf32.tf32.f32 ${ABC(4, 2, 1)} @7.0 sm_80`,
      `${MMA}.m16n8k8.row.col.f32.tf32.tf32.f32 ${ABC(4, 4, 2)} @7.0 sm_80`,
      `${MMA}.m16n8k32.row.col.f32.f8a.f8b.f32 ${ABC(4, 4, 2)} @8.4 sm_89`,
      `${MMA}.m16n8k32.row.col.f16.f8a.f8b.f16 ${ABC(2, 4, 2)} @8.7 sm_89`,
      `${MMA}.m16n8k16.row.col.f32.f8a.f8b.f32 ${ABC(4, 2, 1)} @8.7 sm_89`,
      `${MMA}.m16n8k16.row.col.f16.f8a.f8b.f16 ${ABC(2, 2, 1)} @8.7 sm_89`,
      `${MMA}.m8n8k4.row.col{.rnd}.f64.f64.f64.f64 ${ABC(2, 1, 1, "f64")} @7.0 sm_80`,
      `${MMA}.m16n8k4.row.col{.rnd}.f64.f64.f64.f64 ${ABC(4, 2, 1, "f64")} @7.8 sm_90`,
      `${MMA}.m16n8k8.row.col{.rnd}.f64.f64.f64.f64 ${ABC(4, 4, 2, "f64")} @7.8 sm_90`,
      `${MMA}.m16n8k16.row.col{.rnd}.f64.f64.f64.f64 ${ABC(4, 8, 4, "f64")} @7.8 sm_90`,
      `${MMA}.m8n8k16.row.col{.satfinite}.s32.i8a.i8b.s32 ${ABC(2, 1, 1)} @6.5 sm_75`,
      `${MMA}.m16n8k16.row.col{.satfinite}.s32.i8a.i8b.s32 ${ABC(4, 2, 1)} @7.0 sm_80`,
      `${MMA}.m16n8k32.row.col{.satfinite}.s32.i8a.i8b.s32 ${ABC(4, 4, 2)} @7.0 sm_80`,
      `${MMA}.m8n8k32.row.col{.satfinite}.s32.i4a.i4b.s32 ${ABC(2, 1, 1)} @6.5 sm_75`,
      `${MMA}.m16n8k32.row.col{.satfinite}.s32.i4a.i4b.s32 ${ABC(4, 2, 1)} @7.0 sm_80`,
      `${MMA}.m16n8k64.row.col{.satfinite}.s32.i4a.i4b.s32 ${ABC(4, 4, 2)} @7.0 sm_80`,
      `${MMA}.m8n8k128.row.col.s32.b1.b1.s32.op.popc ${ABC(2, 1, 1)} @7.0 sm_75`,
      `${MMA}.m16n8k128.row.col.s32.b1.b1.s32.op.popc ${ABC(4, 2, 1)} @7.0 sm_80`,
      `${MMA}.m16n8k256.row.col.s32.b1.b1.s32.op.popc ${ABC(4, 4, 2)} @7.0 sm_80`,
    ],
  },
  {
    family: "Sparse matrix product (mma.sp)",
    section: "9.7.14",
    since: "7.1",
    target: 80,
    sets: {
      sparse: "sp sp::ordered_metadata",
      i8a: "u8 s8",
      i8b: "u8 s8",
      i4a: "u4 s4",
      i4b: "u4 s4",
      f8a: "e4m3 e5m2",
      f8b: "e4m3 e5m2",
    },
    forms: [
      `${SP}.m16n8k16.row.col.f16.f16.f16.f16 ${ABCEF(2, 2, 2, "0|1|2|3")}`,
      `${SP}.m16n8k16.row.col.f32.f16.f16.f32 ${ABCEF(4, 2, 2, "0|1|2|3")}`,
      `${SP}.m16n8k32.row.col.f16.f16.f16.f16 ${ABCEF(2, 4, 4)}`,
      `${SP}.m16n8k32.row.col.f32.f16.f16.f32 ${ABCEF(4, 4, 4)}`,
      `${SP}.m16n8k16.row.col.f32.bf16.bf16.f32 ${ABCEF(4, 2, 2, "0|1|2|3")}`,
      `${SP}.m16n8k32.row.col.f32.bf16.bf16.f32 ${ABCEF(4, 4, 4)}`,
      `${SP}.m16n8k8.row.col.f32.tf32.tf32.f32 ${ABCEF(4, 2, 2, "0|1|2|3")}`,
      `${SP}.m16n8k16.row.col.f32.tf32.tf32.f32 ${ABCEF(4, 4, 4)}`,
      `${SP}.m16n8k64.row.col.f32.f8a.f8b.f32 ${ABCEF(4, 4, 4, "0")} @8.4 sm_89`,
      `${SP}.m16n8k32.row.col{.satfinite}.s32.i8a.i8b.s32 ${ABCEF(4, 2, 2)}`,
      `${SP}.m16n8k64.row.col{.satfinite}.s32.i8a.i8b.s32 ${ABCEF(4, 4, 4, "0")}`,
      `${SP}.m16n8k64.row.col{.satfinite}.s32.i4a.i4b.s32 ${ABCEF(4, 2, 2)}`,
      `${SP}.m16n8k128.row.col{.satfinite}.s32.i4a.i4b.s32 ${ABCEF(4, 4, 4, "0")}`,
    ],
  },
  {
    family: "Matrix products of later targets",
    section: "9.7.14",
    since: "8.7",
    target: 120,
    sets: {
      f6a: "e4m3 e5m2 e3m2 e2m3 e2m1",
      f6b: "e4m3 e5m2 e3m2 e2m3 e2m1",
    },
    forms: [
      `${MMA}.m16n8k32.row.col.kind::f8f6f4.f32.f6a.f6b.f32 ${ABC(4, 4, 2)}`,
      `${MMA}.m16n8k32.row.col.kind::f8f6f4.f16.f6a.f6b.f16 ${ABC(2, 4, 2)}`,
      `${MMA}.m16n8k64.row.col.kind::mxf4.block_scale{.scale_vec::2X}.f32.e2m1.e2m1.f32.ue8m0 ${SCALED(4, 2, false)}`,
      `${MMA}.m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::2X.f32.e2m1.e2m1.f32.ue8m0 ${SCALED(4, 2, false)}`,
      `${MMA}.m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::4X.f32.e2m1.e2m1.f32.ue4m3 ${SCALED(4, 2, false)}`,
      `${MMA}.m16n8k32.row.col.kind::mxf8f6f4.block_scale{.scale_vec::1X}.f32.f6a.f6b.f32.ue8m0 ${SCALED(4, 2, false)}`,
      `mma.sp::ordered_metadata.sync.aligned.m16n8k64.row.col.kind::f8f6f4.f32.f6a.f6b.f32 ${ABCEF(4, 4, 4, "0")}`,
      `mma.sp::ordered_metadata.sync.aligned.m16n8k64.row.col.kind::f8f6f4.f16.f6a.f6b.f16 ${ABCEF(2, 4, 4, "0")}`,
      `mma.sp::ordered_metadata.sync.aligned.m16n8k128.row.col.kind::mxf4.block_scale{.scale_vec::2X}.f32.e2m1.e2m1.f32.ue8m0 ${SCALED(4, 4, true)}`,
      `mma.sp::ordered_metadata.sync.aligned.m16n8k128.row.col.kind::mxf4nvf4.block_scale.scale_vec::2X.f32.e2m1.e2m1.f32.ue8m0 ${SCALED(4, 4, true)}`,
      `mma.sp::ordered_metadata.sync.aligned.m16n8k128.row.col.kind::mxf4nvf4.block_scale.scale_vec::4X.f32.e2m1.e2m1.f32.ue4m3 ${SCALED(4, 4, true)}`,
      `mma.sp::ordered_metadata.sync.aligned.m16n8k64.row.col.kind::mxf8f6f4.block_scale{.scale_vec::1X}.f32.f6a.f6b.f32.ue8m0 ${SCALED(4, 4, true)}`,
    ],
  },
  {
    family: "Matrix loads and stores",
    section: "9.7.14",
    since: "6.5",
    target: 75,
    sets: { num: "x1 x2 x4", n8: "x1 x2", src: "b6x16_p32 b4x16_p64" },
    forms: [
      "ldmatrix.sync.aligned.m8n8.num{.trans}{.ss}.b16 r:b32*num!, [p]",
      "ldmatrix.sync.aligned.m16n16.n8.trans{.ss}.b8 r:b32*any!, [p] @8.6 sm_100",
      "ldmatrix.sync.aligned.m8n16.num{.ss}.b8x16.src r:b32*num!, [p] @8.6 sm_100",
      "ldmatrix.sync.aligned.m16n16.n8.trans{.ss}.b8x16.src r:b32*any!, [p] @8.6 sm_100",
      "stmatrix.sync.aligned.m8n8.num{.trans}{.ss}.b16 [p], r:b32*num @7.8 sm_90",
      "stmatrix.sync.aligned.m16n8.num.trans{.ss}.b8 [p], r:b32*num @8.6 sm_100",
      "movmatrix.sync.aligned.m8n8.trans.b16 d:b32, a:b32 @7.8 sm_75",
    ],
  },
];
