import type { FormGroup } from "./notation.ts";

const TYPES = "dtype.atype.btype";
const AB = "a:atype.sel, b:btype.sel";

/** The three forms of a scalar video instruction: plain, with a second operation, merging. */
function scalar(name: string, mods: string, ab: string): string[] {
  return [
    `${name}.${mods} d:dtype, ${ab}`,
    `${name}.${mods}.op2 d:dtype, ${ab}, c:dtype`,
    `${name}.${mods} d:dtype.sel, ${ab}, c:dtype`,
  ];
}

/** The two forms of a SIMD video instruction: merging, and accumulating. */
function simd(name: string, lanes: 2 | 4): string[] {
  const operands = `d:dtype.sel${lanes}, a:atype.sel${lanes}, b:btype.sel${lanes}, c:dtype`;
  return [`${name}${lanes}.${TYPES}{.sat} ${operands}`, `${name}${lanes}.${TYPES}.add ${operands}`];
}

const OPS = ["vadd", "vsub", "vabsdiff", "vmin", "vmax"];
const SIMD_OPS = ["vadd", "vsub", "vavrg", "vabsdiff", "vmin", "vmax"];

/** Video instructions (PTX ISA §9.7.18). */
export const VIDEO: FormGroup[] = [
  {
    family: "Scalar video instructions",
    section: "9.7.18",
    since: "2.0",
    target: 20,
    sets: {
      dtype: "u32 s32",
      atype: "u32 s32",
      btype: "u32 s32",
      op2: "add min max",
      mode: "clamp wrap",
      shr: "shr7 shr15",
    },
    forms: [
      ...OPS.flatMap((name) => scalar(name, `${TYPES}{.sat}`, AB)),
      ...["vshl", "vshr"].flatMap((name) =>
        scalar(name, "dtype.atype.u32{.sat}.mode", "a:atype.sel, b:u32.sel"),
      ),
      ...scalar("vset", "atype.btype.cmp", AB).map((form) => form.replaceAll(":dtype", ":u32")),
      "vmad.dtype.atype.btype{.sat}{.shr} d:dtype, {-}a:atype.sel, {-}b:btype.sel, {-}c:dtype",
      "vmad.dtype.atype.btype.po{.sat}{.shr} d:dtype, a:atype.sel, b:btype.sel, c:dtype",
    ],
  },
  {
    family: "SIMD video instructions",
    section: "9.7.18",
    since: "3.0",
    target: 30,
    sets: { dtype: "u32 s32", atype: "u32 s32", btype: "u32 s32" },
    forms: [
      ...SIMD_OPS.flatMap((name) => simd(name, 2)),
      ...SIMD_OPS.flatMap((name) => simd(name, 4)),
      ...([2, 4] as const).flatMap((lanes) => {
        const ab = `a:atype.sel${lanes}, b:btype.sel${lanes}, c:u32`;
        return [
          `vset${lanes}.atype.btype.cmp d:u32.sel${lanes}, ${ab}`,
          `vset${lanes}.atype.btype.cmp.add d:u32.sel${lanes}, ${ab}`,
        ];
      }),
    ],
  },
];
