/** The texture cases whose answers a real GPU has recorded (golden.bin.br), in order. */

/** One texture, sampled at COORDINATES places by a kernel `t(texture, coordinates, out, n)`. */
export interface TextureCase {
  name: string;
  /** Dimensions, layer or cube: "1d", "2d", "3d", "a1d", "a2d", "cube", "acube". */
  geometry: string;
  /**
   * "tex", "tex.level" or "tex.grad" with f32 coordinates, "tld4.<component>", "fetch" (tex with s32
   * coordinates), "half" (tex.v4.f16), "half2" (tex.v2.f16x2), or a query, "txq.<attribute>".
   */
  operation: string;
  /** 0 signed, 1 unsigned, 2 float */
  format: number;
  bits: number;
  channels: number;
  extent: [number, number, number];
  /** 0 wrap, 1 clamp, 2 mirror, 3 border */
  mode: number;
  linear: boolean;
  /** Integers are read as fractions. */
  fraction: boolean;
  normalized: boolean;
  srgb?: boolean;
  /** Texels in memory instead of an array: "linear" (1-D), or "pitch" (2-D). */
  memory?: "linear" | "pitch";
  /** Number of the data's and the coordinates' sequences. */
  seed: number;
}

/** Places at which each texture is sampled. */
export const COORDINATES = 512;
export const BORDER = [0.25, -1.5, 3, 0.5];

const MODES = ["wrap", "clamp", "mirror", "border"];
const EXTENTS: Record<string, [number, number, number]> = {
  "1d": [37, 0, 0],
  "2d": [23, 17, 0],
  "3d": [9, 7, 5],
  a2d: [16, 8, 3],
  cube: [8, 8, 6],
  a1d: [16, 0, 3],
  acube: [8, 8, 12],
};
/** Other attributes no driver takes. */
const QUERIES = "width height depth";

type Add = (
  geometry: string,
  type: [number, number, number],
  mode: number,
  linear: boolean,
  normalized: boolean,
  more?: Partial<TextureCase>,
) => void;

/** Every geometry with every address mode; gathers, levels, halves, memory and queries. */
function addMore(add: Add): void {
  const f32: [number, number, number] = [2, 32, 1];
  for (const linear of [false, true]) {
    for (const mode of [0, 1, 2, 3]) {
      for (const geometry of ["a1d", "a2d", "3d"]) add(geometry, [2, 32, 2], mode, linear, true);
      for (const geometry of ["cube", "acube"]) add(geometry, f32, mode, linear, true);
      add("1d", f32, mode, linear, true);
    }
    for (const mode of [1, 3]) {
      for (const geometry of ["1d", "a1d", "3d"]) add(geometry, [2, 32, 4], mode, linear, false);
    }
    for (const operation of ["half", "half2", "tex.level", "tex.grad"]) {
      add("2d", [2, 32, 4], 0, linear, true, { operation });
    }
    add("2d", [1, 8, 2], 1, linear, false, { operation: "half", fraction: true });
    for (const mode of [1, 3]) add("2d", [2, 32, 2], mode, linear, false, { memory: "pitch" });
    for (const type of [
      [1, 8, 1],
      [0, 8, 4],
      [1, 16, 2],
      [0, 16, 4],
    ] as const) {
      add("2d", [...type], linear ? 0 : 2, linear, true, { fraction: true });
    }
  }
  for (const component of ["r", "g", "b", "a"]) {
    for (const mode of [0, 1, 2, 3]) {
      add("2d", [2, 32, 4], mode, false, true, { operation: `tld4.${component}` });
    }
    for (const mode of [1, 3])
      add("2d", [0, 16, 4], mode, false, false, { operation: `tld4.${component}` });
    for (const geometry of ["a2d", "cube", "acube"]) {
      add(geometry, [2, 32, 4], 1, false, geometry !== "a2d", { operation: `tld4.${component}` });
    }
  }
  // One-dimensional arrays are not fetched from: there an H100 reads zeros.
  for (const geometry of ["3d", "a1d", "a2d"]) {
    for (const mode of [1, 3])
      add(geometry, [0, 32, 2], mode, false, false, { operation: "fetch" });
  }
  for (const type of [
    [2, 32, 1],
    [1, 8, 4],
    [0, 16, 2],
    [2, 32, 4],
  ] as const) {
    add("1d", [...type], 1, false, false, { operation: "fetch", memory: "linear" });
  }
  add("1d", [1, 8, 4], 1, false, false, { operation: "fetch", memory: "linear", fraction: true });
  for (const attribute of QUERIES.split(" ")) {
    add("2d", [1, 8, 4], 2, true, true, { operation: `txq.${attribute}`, fraction: true });
    add("a2d", [2, 16, 2], 3, false, false, { operation: `txq.${attribute}` });
    add("3d", [0, 32, 1], 1, false, false, { operation: `txq.${attribute}` });
  }
}

function list(): TextureCase[] {
  const cases: TextureCase[] = [];
  let seed = 0;
  const add = (
    geometry: string,
    type: [number, number, number],
    mode: number,
    linear: boolean,
    normalized: boolean,
    more: Partial<TextureCase> = {},
  ): void => {
    const [format, bits, channels] = type;
    const operation = more.operation ?? "tex";
    const how = `${linear ? "linear" : "point"} ${MODES[mode]}${normalized ? " normalized" : ""}`;
    const texel = `${"suf"[format]}${bits}x${channels}${more.fraction ? " fraction" : ""}`;
    const where = more.memory ? ` ${more.memory}` : "";
    cases.push({
      name: `${operation}.${geometry} ${texel} ${how}${more.srgb ? " sRGB" : ""}${where}`,
      geometry,
      operation,
      format,
      bits,
      channels,
      extent: EXTENTS[geometry],
      mode,
      linear,
      fraction: false,
      normalized,
      seed: seed++,
      ...more,
    });
  };
  const f32: [number, number, number] = [2, 32, 1];
  for (const linear of [false, true]) {
    for (const mode of [0, 1, 2, 3]) add("2d", f32, mode, linear, true);
    for (const mode of [1, 3]) add("2d", f32, mode, linear, false);
    for (const mode of [0, 1]) add("1d", [2, 32, 4], mode, linear, true);
    for (const mode of [0, 2, 3]) add("3d", f32, mode, linear, true);
    add("3d", [2, 32, 2], 1, linear, false);
    add("a2d", f32, 1, linear, false);
    add("a2d", f32, 0, linear, true);
    add("cube", f32, 1, linear, true);
    add("2d", [2, 16, 4], 1, linear, false);
    add("2d", [1, 8, 4], 1, linear, true, { fraction: true });
    add("2d", [0, 16, 2], 3, linear, true, { fraction: true });
    add("2d", [0, 8, 1], 1, linear, false, { fraction: true });
  }
  add("2d", [1, 8, 4], 1, false, true, { fraction: true, srgb: true });
  for (const type of [
    [1, 8, 4],
    [0, 8, 2],
    [1, 16, 1],
    [0, 32, 1],
  ] as const) {
    add("2d", [...type], 1, false, false);
    add("2d", [...type], 3, false, false);
  }
  add("2d", f32, 1, false, false, { operation: "fetch" });
  add("2d", f32, 3, false, false, { operation: "fetch" });
  seed++; // the number of a case that was recorded and dropped
  for (const component of ["r", "a"]) {
    add("2d", [2, 32, 4], 1, true, false, { operation: `tld4.${component}` });
    add("2d", [1, 8, 4], 0, false, true, { operation: `tld4.${component}` });
  }
  addMore(add);
  return cases;
}

export const TEXTURE_CASES: readonly TextureCase[] = list();

/** Whether the results are f32; else they are integers of 32 bits. */
export const isFloat = (c: TextureCase) => c.format === 2 || c.fraction;

/** The kernel of a case. */
export function textureKernel(c: TextureCase): string {
  const { geometry, operation } = c;
  const type = isFloat(c) ? "f32" : c.format === 0 ? "s32" : "u32";
  const fetch = operation === "fetch";
  const v = fetch ? ["%r4", "%r5", "%r6", "%r7"] : ["%f0", "%f1", "%f2", "%f3"];
  const coordinates: Record<string, string> = {
    "1d": `{${v[0]}}`,
    "2d": `{${v[0]}, ${v[1]}}`,
    "3d": `{${v[0]}, ${v[1]}, ${v[2]}, ${v[2]}}`,
    a2d: `{%r7, ${v[0]}, ${v[1]}, ${v[1]}}`,
    cube: `{${v[0]}, ${v[1]}, ${v[2]}, ${v[2]}}`,
    a1d: `{%r7, ${v[0]}}`,
    acube: `{%r7, ${v[0]}, ${v[1]}, ${v[2]}}`,
  };
  const place = `[%rd0, ${coordinates[geometry]}]`;
  const words = "{%r8, %r9, %r10, %r11}";
  const forms: Record<string, string> = {
    fetch: `tex.${geometry}.v4.${type}.s32 ${words}, ${place};`,
    "tex.level": `tex.level.${geometry}.v4.${type}.f32 ${words}, ${place}, %f4;`,
    "tex.grad": `tex.grad.${geometry}.v4.${type}.f32 ${words}, ${place}, {%f4, %f4}, {%f4, %f4};`,
    half: `tex.${geometry}.v4.f16.f32 {%h0, %h1, %h2, %h3}, ${place};
${[0, 1, 2, 3].map((k) => `cvt.u32.u16 %r${8 + k}, %h${k};`).join("\n")}`,
    half2: `tex.${geometry}.v2.f16x2.f32 {%r8, %r9}, ${place}; mov.u32 %r10, 0; mov.u32 %r11, 0;`,
  };
  const query = `${operation}.b32 %r8, [%rd0]; mov.u32 %r9, 0; mov.u32 %r10, 0; mov.u32 %r11, 0;`;
  const plain = `${operation}.${geometry}.v4.${type}.f32 ${words}, ${place};`;
  const body = operation.startsWith("txq") ? query : (forms[operation] ?? plain);
  const load = fetch || geometry.startsWith("a");
  return `.version 8.0
.target sm_80
.address_size 64
.visible .entry t(.param .u64 texture, .param .u64 coordinates, .param .u64 out, .param .u32 n)
{
.reg .pred %p; .reg .b16 %h<4>; .reg .b32 %r<16>; .reg .b64 %rd<8>; .reg .f32 %f<8>;
ld.param.u64 %rd0, [texture];
ld.param.u64 %rd1, [coordinates];
ld.param.u64 %rd2, [out];
ld.param.u32 %r0, [n];
mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x;
mad.lo.u32 %r3, %r1, %r2, %r3;
setp.ge.u32 %p, %r3, %r0;
@%p bra DONE;
mul.wide.u32 %rd3, %r3, 16;
add.u64 %rd4, %rd1, %rd3;
ld.global.v4.f32 {%f0, %f1, %f2, %f3}, [%rd4];
${load ? [0, 1, 2, 3].map((k) => `cvt.rmi.s32.f32 %r${4 + k}, %f${k};`).join("\n") : ""}
mov.f32 %f4, 0f3e800000;
${body}
add.u64 %rd5, %rd2, %rd3;
st.global.v4.u32 [%rd5], {%r8, %r9, %r10, %r11};
DONE: ret;
}
`;
}

/** A sequence of 32-bit numbers (xorshift), the same in every run. */
export function sequence(seed: number): () => number {
  let x = (seed * 2654435761 + 1) >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return x;
  };
}

/** The texels of a case, rows and slices without gaps. */
export function textureData(
  c: Pick<TextureCase, "extent" | "channels" | "bits" | "format" | "seed">,
): Uint8Array {
  const [width, height, depth] = c.extent;
  const count = width * Math.max(1, height) * Math.max(1, depth) * c.channels;
  const next = sequence(c.seed + 1);
  const size = c.bits / 8;
  const bytes = new Uint8Array(count * size);
  const view = new DataView(bytes.buffer);
  for (let k = 0; k < count; k++) {
    const v = next();
    if (size === 1) bytes[k] = v >>> 8;
    // Halves from 1 to 32, either sign; floats are multiples of 1/128.
    else if (size === 2) {
      view.setUint16(2 * k, c.format === 2 ? 0x3c00 + (v & 0x93ff) : v >>> 8, true);
    } else if (c.format === 2) view.setFloat32(4 * k, ((v % 2001) - 1000) / 128, true);
    else view.setUint32(4 * k, v, true);
  }
  return bytes;
}

/** The coordinates of a case: x, y, z and the layer of each place, f32. */
export function textureCoordinates(c: TextureCase): Float32Array {
  const next = sequence(c.seed + 1000);
  const places = new Float32Array(4 * COORDINATES);
  const unit = () => next() / 2 ** 32;
  for (let k = 0; k < COORDINATES; k++) {
    for (let axis = 0; axis < 3; axis++) {
      const n = Math.max(1, c.extent[axis]);
      // A third of the places are multiples of 1/512 of a texel: ties and exact weights.
      let texels = -3 + unit() * (n + 6);
      if (c.normalized && k % 2) texels = (unit() * 6 - 3) * n;
      if (k % 3 === 0) texels = Math.round(texels * 512) / 512;
      places[4 * k + axis] = c.geometry.endsWith("cube")
        ? unit() * 2 - 1
        : c.normalized
          ? texels / n
          : texels;
    }
    places[4 * k + 3] = Math.floor(unit() * 6) - 1;
  }
  return places;
}
