/** The surface cases whose answers a real GPU has recorded (surfaces.bin.br), in order. */
import { sequence } from "./cases.ts";

/** One surface, accessed at SURFACE_PLACES places by a kernel `t(surface, places, out, n)`. */
export interface SurfaceCase {
  name: string;
  /** The instruction up to its operands: "suld.b.2d.v2.b32.zero", "suq.width.b32". */
  instruction: string;
  geometry: string;
  /** 0 signed, 1 unsigned, 2 float */
  format: number;
  bits: number;
  channels: number;
  extent: [number, number, number];
  /** Number of the data's and the places' sequences. */
  seed: number;
}

/** Places at which each surface is accessed. */
export const SURFACE_PLACES = 128;

const EXTENTS: Record<string, [number, number, number]> = {
  "1d": [37, 0, 0],
  "2d": [23, 17, 0],
  "3d": [9, 7, 5],
  a1d: [16, 0, 3],
  a2d: [16, 8, 3],
};
/** Other attributes no driver takes. */
const QUERIES = "width height depth";

type Element = readonly [format: number, bits: number, channels: number];

/** Each access with elements of its size, and with others. */
const ACCESSES: readonly [string, Element][] = [
  ["b8", [1, 8, 1]],
  ["v2.b8", [0, 8, 2]],
  ["v4.b8", [1, 8, 4]],
  ["b16", [1, 16, 1]],
  ["v2.b16", [2, 16, 2]],
  ["v4.b16", [0, 16, 4]],
  ["b32", [2, 32, 1]],
  ["v2.b32", [1, 32, 2]],
  ["v4.b32", [2, 32, 4]],
  ["b64", [1, 32, 2]],
  ["v2.b64", [0, 32, 4]],
  ["b32", [1, 8, 4]],
  ["b64", [2, 16, 4]],
];
const FEW: readonly [string, Element][] = [
  ["b8", [1, 8, 1]],
  ["v2.b16", [1, 16, 2]],
  ["v4.b32", [0, 32, 4]],
];
const FORMATTED: readonly Element[] = [
  [1, 8, 1],
  [0, 8, 2],
  [1, 8, 4],
  [1, 16, 2],
  [0, 16, 4],
  [2, 16, 2],
  [1, 32, 1],
  [0, 32, 2],
  [2, 32, 4],
];

function list(): SurfaceCase[] {
  const cases: SurfaceCase[] = [];
  const add = (instruction: string, geometry: string, [format, bits, channels]: Element): void => {
    const name = `${instruction} on ${geometry} ${"suf"[format]}${bits}x${channels}`;
    const seed = 5000 + cases.length;
    const extent = EXTENTS[geometry] as [number, number, number];
    cases.push({ name, instruction, geometry, format, bits, channels, extent, seed });
  };
  for (const mode of ["zero", "clamp", "trap"]) {
    for (const geometry of Object.keys(EXTENTS)) {
      for (const [type, element] of geometry === "2d" ? ACCESSES : FEW) {
        add(`suld.b.${geometry}.${type}.${mode}`, geometry, element);
        add(`sust.b.${geometry}.${type}.${mode}`, geometry, element);
      }
    }
    for (const element of FORMATTED) {
      const vector = ["", ".v2", "", ".v4"][element[2] - 1];
      const geometries = element[1] === 8 ? ["1d", "2d", "3d"] : ["2d"];
      for (const g of geometries) add(`sust.p.${g}${vector}.b32.${mode}`, g, element);
    }
    for (const [op, types] of [
      ["add", "u32 s32 u64"],
      ["min", "u32 s32 u64 s64"],
      ["max", "u32 s32 u64 s64"],
      ["and", "b32"],
      ["or", "b32"],
    ] as const) {
      for (const type of types.split(" ")) {
        const element: Element = [type.startsWith("s") ? 0 : 1, 32, type.endsWith("64") ? 2 : 1];
        for (const g of ["1d", "2d", "3d"]) add(`sured.b.${op}.${g}.${type}.${mode}`, g, element);
      }
      if (mode !== "trap") add(`sured.p.${op}.2d.b32.${mode}`, "2d", [1, 32, 1]);
    }
  }
  for (const attribute of QUERIES.split(" ")) {
    for (const [geometry, element] of [
      ["2d", [1, 8, 4]],
      ["a2d", [2, 16, 2]],
      ["3d", [0, 32, 1]],
      ["1d", [2, 32, 4]],
    ] as const) {
      add(`suq.${attribute}.b32`, geometry, element);
    }
  }
  return cases;
}

/** Stores to layers that are clamped meet in other layers than their values say: what is left is chance. */
const races = (c: SurfaceCase) => /^sust\.b\.a.*\.clamp$/.test(c.instruction);

export const SURFACE_CASES: readonly SurfaceCase[] = list().filter((c) => !races(c));

/** Whether the recorded answer of a case is what was loaded; else it is the texels afterwards. */
export const isLoad = (c: SurfaceCase): boolean => !/^(sust|sured)/.test(c.instruction);

/** Bytes of an access of `.b`; 0 for whole elements (`.p`) and for queries. */
function accessBytes(c: SurfaceCase): number {
  const found = /^su\w+\.b\.(?:\w+\.)*?(?:v(\d)\.)?[bus](\d+)\.\w+$/.exec(c.instruction);
  return found ? (Number(found[1] ?? 1) * Number(found[2])) / 8 : 0;
}

/** The kernel of a case: a place is x, y, z and the layer, and 16 bytes to store. */
export function surfaceKernel(c: SurfaceCase): string {
  const words = ["%r8", "%r9", "%r10", "%r11"];
  const coordinates: Record<string, string> = {
    "1d": "{%r4}",
    "2d": "{%r4, %r5}",
    "3d": "{%r4, %r5, %r6, %r6}",
    a1d: "{%r7, %r4}",
    a2d: "{%r7, %r4, %r5, %r5}",
  };
  const place = `[%rd0, ${coordinates[c.geometry]}]`;
  const parts = c.instruction.split(".");
  const type = parts.find((p) => /^[bus]\d+$/.test(p)) ?? "b32";
  const count = Number(/\.v(\d)\./.exec(c.instruction)?.[1] ?? 1);
  const small = /^b(8|16)$/.test(type);
  const long = type.endsWith("64");
  const registers = (small ? ["%h0", "%h1", "%h2", "%h3"] : long ? ["%rd6", "%rd7"] : words).slice(
    0,
    count,
  );
  const operand = count === 1 ? registers[0] : `{${registers.join(", ")}}`;
  const out = small
    ? registers.map((r, k) => `cvt.u32.u16 ${words[k]}, ${r};`)
    : registers.map((r, k) =>
        long ? `mov.b64 {${words[2 * k]}, ${words[2 * k + 1]}}, ${r};` : "",
      );
  const into = small
    ? registers.map((r, k) => `cvt.u16.u32 ${r}, ${words[k]};`)
    : registers.map((r, k) =>
        long ? `mov.b64 ${r}, {${words[2 * k]}, ${words[2 * k + 1]}};` : "",
      );
  const load = parts[0] === "suld";
  const body = load
    ? [`${c.instruction} ${operand}, ${place};`, ...out]
    : parts[0] === "suq"
      ? [`${c.instruction} %r8, [%rd0];`]
      : [...into, `${c.instruction} ${place}, ${operand};`];
  return `.version 8.1
.target sm_80
.address_size 64
.visible .entry t(.param .u64 surface, .param .u64 places, .param .u64 out, .param .u32 n)
{
.reg .pred %p; .reg .b16 %h<4>; .reg .b32 %r<16>; .reg .b64 %rd<12>;
ld.param.u64 %rd0, [surface];
ld.param.u64 %rd1, [places];
ld.param.u64 %rd2, [out];
ld.param.u32 %r0, [n];
mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x;
mad.lo.u32 %r3, %r1, %r2, %r3;
setp.ge.u32 %p, %r3, %r0;
@%p bra DONE;
mul.wide.u32 %rd3, %r3, 32;
add.u64 %rd4, %rd1, %rd3;
ld.global.v4.u32 {%r4, %r5, %r6, %r7}, [%rd4];
ld.global.v4.u32 {%r8, %r9, %r10, %r11}, [%rd4 + 16];
${body.filter((line) => line !== "").join("\n")}
mul.wide.u32 %rd3, %r3, 16;
add.u64 %rd5, %rd2, %rd3;
st.global.v4.u32 [%rd5], {%r8, %r9, %r10, %r11};
DONE: ret;
}
`;
}

/**
 * The places of a case, 8 words each: x (bytes, or elements for `.p`), y, z, layer, and what is stored
 * there, which is the same for places that clamping makes the same. With `.trap` all are inside.
 */
export function surfacePlaces(c: SurfaceCase): Uint32Array {
  const next = sequence(c.seed + 1000);
  const below = (n: number) => next() % n;
  const bytes = accessBytes(c);
  const [width, height, depth] = c.extent.map((n) => Math.max(1, n)) as [number, number, number];
  const step = bytes || 1;
  const across = bytes ? Math.floor((width * c.channels * c.bits) / 8 / bytes) : width;
  const layered = c.geometry.startsWith("a");
  const wide = c.instruction.endsWith("trap") ? 0 : 2;
  const clamp = (v: number, n: number) => Math.min(Math.max(v, 0), n - 1);
  const axis = (n: number) => below(n + 2 * wide) - wide;
  const words = new Uint32Array(8 * SURFACE_PLACES);
  for (let k = 0; k < SURFACE_PLACES; k++) {
    const at = [axis(across), axis(height), layered ? 0 : axis(depth), layered ? axis(depth) : 0];
    const limits = [across, height, layered ? 1 : depth, layered ? depth : 1];
    words.set([at[0] * step, ...at.slice(1)], 8 * k);
    const same = at.reduce((sum, v, i) => sum * 64 + clamp(v, limits[i]), 1);
    const value = sequence(same + c.seed);
    for (let i = 4; i < 8; i++) {
      const v = value();
      words[8 * k + i] = c.format === 2 ? 0x3f800000 + (v & 0x80ffffff) : v;
    }
  }
  return words;
}
