import type { FormGroup } from "./notation.ts";

/** Conversions (PTX ISA §9.7.9). */
export const CONVERT: FormGroup[] = [
  {
    family: "Conversion",
    section: "9.7.9",
    since: "1.0",
    target: 10,
    sets: {
      i: "u8 u16 u32 u64 s8 s16 s32 s64",
      to: "u8 u16 u32 u64 s8 s16 s32 s64",
      from: "u8 u16 u32 u64 s8 s16 s32 s64",
      half: "f16 bf16",
      drnd: "rm rp",
      frnd: "rn rz",
    },
    forms: [
      // integer to integer
      "cvt{.sat}.to.from d:to~, a:from~%",
      // float to integer
      "cvt.irnd{.ftz}{.sat}.i.f32 d:i~, a:f32~",
      "cvt.irnd{.sat}.i.f64 d:i~, a:f64~ sm_13",
      "cvt.irnd{.sat}.i.f16 d:i~, a:f16~ @4.2",
      "cvt.irnd.i.bf16 d:i~, a:bf16~ @7.8 sm_90",
      // integer to float
      "cvt.rnd{.sat}.f32.i d:f32~, a:i~",
      "cvt.rnd{.sat}.f64.i d:f64~, a:i~ sm_13",
      "cvt.rnd{.sat}.f16.i d:f16~, a:i~ @4.2",
      "cvt.rnd.bf16.i d:bf16~, a:i~ @7.8 sm_90",
      // float to a narrower float
      "cvt.rnd{.sat}{.ftz}.f32.f64 d:f32~, a:f64~ sm_13",
      "cvt.rnd{.sat}.f16.f64 d:f16~, a:f64~ @4.2",
      "cvt.rnd.bf16.f64 d:bf16~, a:f64~ @7.8 sm_90",
      "cvt.rnd{.sat}{.ftz}.f16.f32 d:f16~, a:f32~ @4.2",
      // float to a wider float
      "cvt{.sat}{.ftz}.f64.f32 d:f64~, a:f32~ sm_13",
      "cvt{.sat}.f64.half d:f64~, a:half~ @4.2",
      "cvt{.sat}{.ftz}.f32.f16 d:f32~, a:f16~ @4.2",
      "cvt{.ftz}.f32.bf16 d:f32~, a:bf16~ @7.1 sm_80",
      // to an integral value, or without change, of the same float
      "cvt{.irnd}{.sat}{.ftz}.f32.f32 d:f32~, a:f32~",
      "cvt{.irnd}{.sat}.f64.f64 d:f64~, a:f64~ sm_13",
      "cvt{.irnd}{.sat}.f16.f16 d:f16~, a:f16~ @4.2",
      "cvt{.irnd}.bf16.bf16 d:bf16~, a:bf16~ @7.8 sm_90",
      "cvt.rnd.bf16.f16 d:bf16~, a:f16~ @7.8 sm_90",
      "cvt.rnd.f16.bf16 d:f16~, a:bf16~ @7.8 sm_90",
      // rounding with saturation and rectification
      "cvt.frnd{.relu}{.satfinite}.f16.f32 d:f16~, a:f32~ @7.0 sm_80",
      "cvt.frnd{.relu}{.satfinite}.f16x2.f32 d:f16x2, a:f32, b:f32 @7.0 sm_80",
      "cvt.frnd{.relu}{.satfinite}.bf16.f32 d:bf16~, a:f32~ @7.0 sm_80",
      "cvt.drnd.bf16.f32 d:bf16~, a:f32~ @7.8 sm_90",
      "cvt.frnd{.relu}{.satfinite}.bf16x2.f32 d:bf16x2, a:f32, b:f32 @7.0 sm_80",
      "cvt.rna{.satfinite}.tf32.f32 d:b32, a:f32 @7.0 sm_80",
      "cvt.frnd{.relu}.tf32.f32 d:b32, a:f32 @7.8 sm_90",
    ],
  },
  {
    family: "Conversion of 8-bit floats",
    section: "9.7.9",
    since: "7.8",
    target: 89,
    sets: { f8x2: "e4m3x2 e5m2x2" },
    forms: [
      "cvt.rn.satfinite{.relu}.f8x2.f32 d:f8x2, a:f32, b:f32",
      "cvt.rn.satfinite{.relu}.f8x2.f16x2 d:f8x2, a:f16x2",
      "cvt.rn{.relu}.f16x2.f8x2 d:f16x2, a:f8x2",
    ],
  },
  {
    family: "Conversions of later targets",
    section: "9.7.9",
    since: "8.6",
    target: 100,
    sets: {
      half: "f16x2 bf16x2",
      f8x4: "e4m3x4 e5m2x4",
      f6x2: "e2m3x2 e3m2x2",
      f6x4: "e2m3x4 e3m2x4",
      up: "rz rp",
      frnd: "rn rz",
    },
    forms: [
      "cvt.rs{.relu}{.satfinite}.half.f32 d:half, a:f32, b:f32, rbits:b32 @8.7",
      "cvt.frnd.satfinite{.relu}.tf32.f32 d:b32, a:f32",
      "cvt.rn.satfinite{.relu}.e2m1x2.f32 d:b8, a:f32, b:f32",
      "cvt.rn{.relu}.f16x2.e2m1x2 d:f16x2, a:b8",
      "cvt.rn.satfinite{.relu}.f6x2.f32 d:f6x2, a:f32, b:f32",
      "cvt.rn{.relu}.f16x2.f6x2 d:f16x2, a:f6x2",
      "cvt.rs{.relu}.satfinite.f8x4.f32 d:b32, a:f32*4, rbits:b32 @8.7",
      "cvt.rs{.relu}.satfinite.f6x4.f32 d:b32, a:f32*4, rbits:b32 @8.7",
      "cvt.rs{.relu}.satfinite.e2m1x4.f32 d:b16, a:f32*4, rbits:b32 @8.7",
      "cvt.up{.satfinite}.ue8m0x2.f32 d:b16, a:f32, b:f32",
      "cvt.up{.satfinite}.ue8m0x2.bf16x2 d:b16, a:bf16x2",
      "cvt.rn.bf16x2.ue8m0x2 d:bf16x2, a:b16",
    ],
  },
  {
    family: "Packed conversion",
    section: "9.7.9",
    since: "6.5",
    target: 72,
    sets: { to: "u16 s16", narrow: "u8 s8", four: "u2 s2 u4 s4" },
    forms: [
      "cvt.pack.sat.to.s32 d:b32, a:s32, b:s32",
      "cvt.pack.sat.narrow.s32.b32 d:b32, a:s32, b:s32, c:b32",
      "cvt.pack.sat.four.s32.b32 d:b32, a:s32, b:s32, c:b32 sm_75",
    ],
  },
];
