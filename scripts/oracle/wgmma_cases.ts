/** The warpgroup's cases of the conformance oracle: `wgmma.mma_async` in its types, widths and layouts. */
import type { OracleCase } from "./mma_kernels.ts";
import { type SharedOperand, type WarpgroupProduct, wgmmaCase } from "./wgmma_kernels.ts";

/** Bytes of a row by the descriptor's swizzle field. */
const WIDTH = [16, 128, 64, 32] as const;

/** A layout that leaves nothing to coincidence, of `rows` rows (or columns). */
function layout(rows: number, swizzle: number, turned: boolean, variant: number): SharedOperand {
  const width = WIDTH[swizzle] ?? 16;
  const atom = swizzle === 0 ? 128 : 8 * width;
  const blocks = rows / 8;
  // Offsets that are multiples of what the swizzle repeats after; a start within a row of k.
  const start = 1024 * (1 + (variant % 3)) + (!turned && width > 32 ? 32 * (variant & 1) : 0);
  const operand = { start, swizzle, baseOffset: 0, turned };
  if (swizzle === 0) {
    const near = 128 + 16 * (variant & 1);
    return turned
      ? { ...operand, leading: near * blocks + 256, stride: near }
      : { ...operand, leading: near * blocks + 128, stride: near };
  }
  if (!turned) return { ...operand, leading: 16, stride: atom };
  const per = width / 16;
  return { ...operand, leading: 2 * atom, stride: blocks > per ? atom : 3 * atom };
}

interface Types {
  d: string;
  a: string;
  b: string;
}

const FLOATS: Types[] = [
  { d: "f32", a: "f16", b: "f16" },
  { d: "f16", a: "f16", b: "f16" },
  { d: "f32", a: "bf16", b: "bf16" },
  { d: "f32", a: "tf32", b: "tf32" },
];
const QUARTERS: Types[] = ["f32", "f16"].flatMap((d) =>
  ["e4m3", "e5m2"].flatMap((a) => ["e4m3", "e5m2"].map((b) => ({ d, a, b }))),
);
const INTEGERS: Types[] = ["s8", "u8"].flatMap((a) =>
  ["s8", "u8"].map((b) => ({ d: "s32", a, b })),
);

/** All products, in the order of their golden outputs. */
export function wgmmaProducts(): { product: WarpgroupProduct; note: string }[] {
  const all: { product: WarpgroupProduct; note: string }[] = [];
  let turn = 0;
  const add = (
    types: Types,
    n: number,
    a: [number, boolean] | undefined,
    b: [number, boolean],
    more: Partial<WarpgroupProduct> = {},
  ) => {
    const variant = turn++;
    const product: WarpgroupProduct = {
      ...types,
      n,
      sharedA: a && layout(64, a[0], a[1], variant),
      sharedB: layout(n, b[0], b[1], variant >> 1),
      scale: true,
      signs: [1, 1],
      saturate: false,
      pair: variant * 3,
      ...more,
    };
    const kind = (o: SharedOperand | undefined) =>
      o ? `${o.turned ? "across" : "along"} ${WIDTH[o.swizzle]}` : "registers";
    const signs = product.signs.some((s) => s < 0) ? ` ${product.signs}` : "";
    const note = `${kind(product.sharedA)}, ${kind(product.sharedB)}${product.scale ? "" : ", no C"}${signs} #${variant}`;
    all.push({ product, note });
  };
  for (const types of FLOATS) {
    const sixteen = types.a !== "tf32";
    for (let swizzle = 0; swizzle < 4; swizzle++) {
      add(types, 8 * (1 + (turn % 5)), [swizzle, false], [(swizzle + 1) % 4, false]);
      add(types, 64, undefined, [swizzle, false]);
      if (!sixteen) continue;
      add(types, 32, [swizzle, true], [swizzle, true]);
      add(types, 128, undefined, [swizzle, true]);
    }
    add(types, 16, [0, false], [0, false], { scale: false });
    add(types, 24, [1, false], [2, false], { signs: [-1, 1] });
    add(types, 40, undefined, [1, false], { signs: [1, -1] });
    add(types, 8, undefined, [3, false], { signs: [-1, -1] });
    for (const n of [72, 200, 256]) add(types, n, [1, false], [1, false]);
  }
  // Starts that are no multiples of what the swizzle repeats after, with and without an offset for it.
  for (const swizzle of [1, 2, 3]) {
    for (const baseOffset of [0, 3]) {
      const width = WIDTH[swizzle] ?? 16;
      const moved = (turned: boolean): SharedOperand => ({
        ...layout(32, swizzle, turned, 0),
        start: 1024 + 3 * 128,
        leading: turned ? 2048 : 16,
        stride: 8 * width,
        baseOffset,
      });
      const halves = { d: "f32", a: "f16", b: "f16" };
      add(halves, 32, undefined, [swizzle, false], { sharedB: moved(false) });
      add(halves, 32, undefined, [swizzle, true], { sharedB: moved(true) });
    }
  }
  for (const types of QUARTERS) {
    add(types, 8, [1, false], [2, false]);
    add(types, 32, undefined, [0, false]);
    add(types, 64, [3, false], [1, false], { scale: false });
    add(types, 16, [0, false], [3, false], { signs: [-1, 1] });
  }
  for (const types of INTEGERS) {
    for (const saturate of [false, true]) {
      add(types, 8, [1, false], [2, false], { saturate });
      add(types, 96, undefined, [1, false], { saturate, scale: !saturate });
    }
  }
  const bits = { d: "s32", a: "b1", b: "b1" };
  add(bits, 8, [0, false], [1, false]);
  add(bits, 64, undefined, [2, false]);
  add(bits, 24, [1, false], [3, false], { scale: false });
  return all;
}

/** The cases that are recorded. */
export function wgmmaCases(): OracleCase[] {
  return wgmmaProducts().map(({ product, note }) => wgmmaCase(product, note));
}
