/**
 * The benchmark's kernels in WGSL: the same algorithms as bench/kernels/*.cu. Binding i of group 0 is
 * buffer i of the problem; binding 7 holds the parameters of one dispatch of a sequence.
 */

/** One problem's shaders: the source, and the dispatches of one run. */
export interface Shader {
  code(n: number): string;
  /** Entry point, workgroups in x and y, and the parameters of each dispatch of one run. */
  dispatches(n: number): Dispatch[];
}

/** One dispatch. Workgroups beyond 65,535 in x must be folded into y. */
export interface Dispatch {
  readonly entry?: string;
  readonly groups: readonly [number, number];
  readonly params?: readonly number[];
}

const binding = (i: number, name: string, type: string, access = "read"): string =>
  `@group(0) @binding(${i}) var<storage, ${access}> ${name}: ${type};\n`;
const input = (i: number, name: string, type = "f32"): string => binding(i, name, `array<${type}>`);
const output = (i: number, name: string, type = "f32"): string =>
  binding(i, name, `array<${type}>`, "read_write");
const params = "@group(0) @binding(7) var<uniform> params: vec4u;\n";

const BUILTINS = `@builtin(global_invocation_id) g: vec3u, @builtin(local_invocation_id) l: vec3u,
  @builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u`;
const main = (x: number, y: number, body: string, entry = "main"): string =>
  `@compute @workgroup_size(${x}, ${y}) fn ${entry}(${BUILTINS}) {\n${body}\n}\n`;
/** The index of a one-dimensional thread or block whose blocks are folded into y. */
const FLAT = "let block = w.y * nw.x + w.x; let i = block * 256u + l.x;\n";

/** Folds a one-dimensional grid into two dimensions of at most 65,535 each. */
function fold(blocks: number): readonly [number, number] {
  let y = 1;
  while (blocks / y > 32768) y *= 2;
  return [blocks / y, y];
}
const linear = (n: number): Dispatch[] => [{ groups: fold(n / 256) }];
const tiles =
  (x: number, y: number) =>
  (n: number): Dispatch[] => [{ groups: [n / x, n / y] }];

/** Only the shape of the loads differs between the f32 and the f16 product. */
function gemm(type: string, load: (matrix: string, index: string) => string): Shader {
  return {
    code: (n) =>
      input(0, "a", type) +
      input(1, "b", type) +
      output(2, "c") +
      `const N = ${n}u;
       var<workgroup> s: array<array<f32, 16>, 16>; var<workgroup> t: array<array<f32, 16>, 16>;\n` +
      main(
        16,
        16,
        `let row = w.y * 16u + l.y; let col = w.x * 16u + l.x;
         var sum = 0.0;
         for (var k0 = 0u; k0 < N; k0 += 16u) {
           s[l.y][l.x] = ${load("a", "row * N + k0 + l.x")};
           t[l.y][l.x] = ${load("b", "(k0 + l.y) * N + col")};
           workgroupBarrier();
           for (var k = 0u; k < 16u; k++) { sum += s[l.y][k] * t[k][l.x]; }
           workgroupBarrier();
         }
         c[row * N + col] = sum;`,
      ),
    dispatches: tiles(16, 16),
  };
}

const tree = (combine: string): string => `workgroupBarrier();
  for (var k = 128u; k > 0u; k >>= 1u) {
    if (l.x < k) { s[l.x] = ${combine}; }
    workgroupBarrier();
  }\n`;

const SCAN = `fn scanInBlock(t: u32, first: i32) -> i32 {
  var at = 0u; var to = 256u;
  s[t] = first;
  workgroupBarrier();
  for (var d = 1u; d < 256u; d <<= 1u) {
    var value = s[at + t];
    if (t >= d) { value += s[at + t - d]; }
    s[to + t] = value;
    workgroupBarrier();
    at ^= 256u; to ^= 256u;
  }
  return s[at + t];
}\n`;

const NORMAL_CDF = `fn normalCdf(d: f32) -> f32 {
  let k = 1.0 / (1.0 + 0.2316419 * abs(d));
  let tail = 0.39894228040143267794 * exp(-0.5 * d * d) * (k * (0.31938153 + k * (-0.356563782 +
    k * (1.781477937 + k * (-1.821255978 + k * 1.330274429)))));
  return select(tail, 1.0 - tail, d > 0.0);
}\n`;

const SHA_K =
  "428a2f98 71374491 b5c0fbcf e9b5dba5 3956c25b 59f111f1 923f82a4 ab1c5ed5 d807aa98 12835b01 243185be 550c7dc3 72be5d74 80deb1fe 9bdc06a7 c19bf174 e49b69c1 efbe4786 0fc19dc6 240ca1cc 2de92c6f 4a7484aa 5cb0a9dc 76f988da 983e5152 a831c66d b00327c8 bf597fc7 c6e00bf3 d5a79147 06ca6351 14292967 27b70a85 2e1b2138 4d2c6dfc 53380d13 650a7354 766a0abb 81c2c92e 92722c85 a2bfe8a1 a81a664b c24b8b70 c76c51a3 d192e819 d6990624 f40e3585 106aa070 19a4c116 1e376c08 2748774c 34b0bcb5 391c0cb3 4ed8aa4a 5b9cca4f 682e6ff3 748f82ee 78a5636f 84c87814 8cc70208 90befffa a4506ceb bef9a3f7 c67178f2".split(
    " ",
  );

/** SHA-256 with its 64 rounds unrolled here, as `#pragma unroll` does in the other languages. */
function sha256Rounds(): string {
  let code = "";
  for (let r = 0; r < 64; r++) {
    const at = (d: number): string => `w${(r + d) & 15}`;
    if (r >= 16) {
      code += `${at(0)} += (rotr(${at(1)}, 7u) ^ rotr(${at(1)}, 18u) ^ (${at(1)} >> 3u)) + ${at(9)} +
        (rotr(${at(14)}, 17u) ^ rotr(${at(14)}, 19u) ^ (${at(14)} >> 10u));\n`;
    }
    code += `t1 = h + (rotr(e, 6u) ^ rotr(e, 11u) ^ rotr(e, 25u)) + ((e & f) ^ (~e & g)) +
        0x${SHA_K[r]}u + ${at(0)};
      t2 = (rotr(a, 2u) ^ rotr(a, 13u) ^ rotr(a, 22u)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;\n`;
  }
  return code;
}

/** The shaders by problem. dgemm has none: WGSL has no f64. */
export const shaders: Readonly<Record<string, Shader>> = {
  saxpy: {
    code: (n) =>
      input(0, "x") +
      output(1, "y") +
      main(256, 1, `${FLAT}if (i < ${n}u) { y[i] = fma(2.0, x[i], y[i]); }`),
    dispatches: linear,
  },
  triad: {
    code: (n) =>
      input(0, "b") +
      input(1, "c") +
      output(2, "a") +
      main(256, 1, `${FLAT}if (i < ${n}u) { a[i] = fma(3.0, c[i], b[i]); }`),
    dispatches: linear,
  },
  "transpose-naive": {
    code: (n) =>
      input(0, "src") +
      output(1, "dst") +
      main(16, 16, `dst[g.x * ${n}u + g.y] = src[g.y * ${n}u + g.x];`),
    dispatches: tiles(16, 16),
  },
  "transpose-tiled": {
    code: (n) =>
      input(0, "src") +
      output(1, "dst") +
      "var<workgroup> tile: array<array<f32, 33>, 32>;\n" +
      main(
        32,
        8,
        `for (var j = 0u; j < 32u; j += 8u) {
           tile[l.y + j][l.x] = src[(w.y * 32u + l.y + j) * ${n}u + w.x * 32u + l.x];
         }
         workgroupBarrier();
         for (var j = 0u; j < 32u; j += 8u) {
           dst[(w.x * 32u + l.y + j) * ${n}u + w.y * 32u + l.x] = tile[l.x][l.y + j];
         }`,
      ),
    dispatches: tiles(32, 32),
  },
  reduce: {
    code: () =>
      input(0, "src") +
      output(1, "dst") +
      "var<workgroup> s: array<f32, 256>;\n" +
      main(
        256,
        1,
        `${FLAT}s[l.x] = src[i];\n${tree("s[l.x] + s[l.x + k]")}
         if (l.x == 0u) { dst[block] = s[0]; }`,
      ),
    dispatches: linear,
  },
  scan: {
    code: (n) =>
      input(0, "src", "i32") +
      output(1, "dst", "i32") +
      output(2, "sums", "i32") +
      `var<workgroup> s: array<i32, 512>; var<workgroup> carry: i32;\n${SCAN}` +
      main(
        256,
        1,
        `${FLAT}let value = scanInBlock(l.x, src[i]); dst[i] = value;
         if (l.x == 255u) { sums[block] = value; }`,
        "scanBlocks",
      ) +
      main(
        256,
        1,
        `if (l.x == 0u) { carry = 0; }
         for (var first = 0u; first < ${n / 256}u; first += 256u) {
           let i = first + l.x;
           workgroupBarrier();
           var value = 0;
           if (i < ${n / 256}u) { value = sums[i]; }
           value = scanInBlock(l.x, value) + carry;
           if (i < ${n / 256}u) { sums[i] = value; }
           workgroupBarrier();
           if (l.x == 255u) { carry = value; }
         }`,
        "scanSums",
      ) +
      main(
        256,
        1,
        `${FLAT}if (block > 0u) { dst[i] += sums[block - 1u]; }
         if (i == 0xffffffffu) { dst[0] = src[0]; }`,
        "scanAdd",
      ),
    dispatches: (n) => [
      { entry: "scanBlocks", groups: fold(n / 256) },
      { entry: "scanSums", groups: [1, 1] },
      { entry: "scanAdd", groups: fold(n / 256) },
    ],
  },
  "histogram-shared": {
    code: () =>
      input(0, "data", "u32") +
      output(1, "bins", "atomic<u32>") +
      "var<workgroup> local: array<atomic<u32>, 256>;\n" +
      main(
        256,
        1,
        `let first = (w.y * nw.x + w.x) * 4096u + l.x;
         atomicStore(&local[l.x], 0u);
         workgroupBarrier();
         for (var j = 0u; j < 16u; j++) { atomicAdd(&local[data[first + j * 256u] & 255u], 1u); }
         workgroupBarrier();
         atomicAdd(&bins[l.x], atomicLoad(&local[l.x]));`,
      ),
    dispatches: (n) => [{ groups: fold(n / 4096) }],
  },
  "histogram-global": {
    code: () =>
      input(0, "data", "u32") +
      output(1, "bins", "atomic<u32>") +
      main(256, 1, `${FLAT}atomicAdd(&bins[data[i] & 4095u], 1u);`),
    dispatches: linear,
  },
  sgemm: gemm("f32", (matrix, index) => `${matrix}[${index}]`),
  // f16 in memory, two a word, widened by unpack2x16float: WGSL has no matrix units to address.
  "hgemm-wmma": gemm(
    "u32",
    (matrix, index) => `unpack2x16float(${matrix}[(${index}) >> 1u])[(${index}) & 1u]`,
  ),
  convolution: {
    code: (n) =>
      input(0, "src") +
      input(1, "taps") +
      output(2, "dst") +
      main(
        16,
        16,
        `var sum = 0.0;
         for (var dy = -3; dy <= 3; dy++) { for (var dx = -3; dx <= 3; dx++) {
           let x = i32(g.x) + dx; let y = i32(g.y) + dy;
           if (x >= 0 && x < ${n} && y >= 0 && y < ${n}) {
             sum += taps[(dy + 3) * 7 + dx + 3] * src[y * ${n} + x];
           }
         } }
         dst[g.y * ${n}u + g.x] = sum;`,
      ),
    dispatches: tiles(16, 16),
  },
  stencil: {
    code: (n) =>
      input(0, "src") +
      output(1, "dst") +
      main(
        32,
        8,
        `let i = g.y * ${n}u + g.x; let c = src[i];
         if (g.x == 0u || g.y == 0u || g.x == ${n - 1}u || g.y == ${n - 1}u) { dst[i] = c; return; }
         let around = src[i - 1u] + src[i + 1u] + src[i - ${n}u] + src[i + ${n}u];
         dst[i] = c + 0.25 * (around - 4.0 * c);`,
      ),
    dispatches: tiles(32, 8),
  },
  nbody: {
    code: (n) =>
      input(0, "p", "vec4f") +
      output(1, "dst", "vec4f") +
      main(
        256,
        1,
        `let me = p[g.x]; var a = vec3f(0);
         for (var j = 0u; j < ${n}u; j++) {
           let q = p[j]; let d = q.xyz - me.xyz;
           let r = 1.0 / sqrt(dot(d, d) + 0.01);
           a += d * (q.w * r * r * r);
         }
         dst[g.x] = vec4f(a, 0);`,
      ),
    dispatches: linear,
  },
  mandelbrot: {
    code: (n) =>
      output(0, "dst", "u32") +
      main(
        16,
        16,
        `let cx = -2.0 + 3.0 * f32(g.x) / ${n}.0; let cy = -1.5 + 3.0 * f32(g.y) / ${n}.0;
         var x = 0.0; var y = 0.0; var n = 0u;
         while (n < 256u) {
           let xx = x * x; let yy = y * y;
           if (xx + yy > 4.0) { break; }
           y = 2.0 * x * y + cy; x = xx - yy + cx; n++;
         }
         dst[g.y * ${n}u + g.x] = n;`,
      ),
    dispatches: tiles(16, 16),
  },
  "black-scholes": {
    code: () =>
      input(0, "spot") +
      input(1, "strike") +
      input(2, "years") +
      output(3, "call") +
      output(4, "put") +
      NORMAL_CDF +
      main(
        256,
        1,
        `${FLAT}let s = spot[i]; let x = strike[i]; let t = years[i];
         let spread = 0.3 * sqrt(t);
         let d1 = (log(s / x) + (0.02 + 0.5 * 0.3 * 0.3) * t) / spread; let d2 = d1 - spread;
         let c1 = normalCdf(d1); let c2 = normalCdf(d2); let later = x * exp(-0.02 * t);
         call[i] = s * c1 - later * c2;
         put[i] = later * (1.0 - c2) - s * (1.0 - c1);`,
      ),
    dispatches: linear,
  },
  spmv: {
    code: () =>
      input(0, "starts", "u32") +
      input(1, "columns", "u32") +
      input(2, "values") +
      input(3, "x") +
      output(4, "y") +
      main(
        256,
        1,
        `let end = starts[g.x + 1u]; var sum = 0.0;
         for (var k = starts[g.x]; k < end; k++) { sum += values[k] * x[columns[k]]; }
         y[g.x] = sum;`,
      ),
    dispatches: linear,
  },
  "bitonic-sort": {
    code: () =>
      params +
      output(0, "keys", "u32") +
      main(
        256,
        1,
        `${FLAT}let size = params.x; let distance = params.y;
         let k = 2u * i - (i & (distance - 1u));
         let a = keys[k]; let b = keys[k + distance];
         if ((a > b) == ((k & size) == 0u)) { keys[k] = b; keys[k + distance] = a; }`,
      ),
    dispatches: (n) => {
      const all: Dispatch[] = [];
      for (let size = 2; size <= n; size *= 2) {
        for (let distance = size / 2; distance > 0; distance >>= 1) {
          all.push({ groups: fold(n / 512), params: [size, distance] });
        }
      }
      return all;
    },
  },
  "monte-carlo": {
    code: () =>
      `${output(0, "hits", "u32")}var<private> state: u32;
       fn xorshift() -> u32 {
         state ^= state << 13u; state ^= state >> 17u; state ^= state << 5u; return state;
       }\n` +
      main(
        256,
        1,
        `state = g.x * 2654435761u + 12345u; if (state == 0u) { state = 1u; }
         var inside = 0u;
         for (var k = 0u; k < 256u; k++) {
           let x = f32(xorshift() >> 8u) * 0x1p-24f; let y = f32(xorshift() >> 8u) * 0x1p-24f;
           if (x * x + y * y <= 1.0) { inside++; }
         }
         hits[g.x] = inside;`,
      ),
    dispatches: linear,
  },
  sha256: {
    code: (n) =>
      input(0, "messages", "u32") +
      output(1, "digests", "u32") +
      "fn rotr(x: u32, n: u32) -> u32 { return (x >> n) | (x << (32u - n)); }\n" +
      main(
        256,
        1,
        `${Array.from({ length: 8 }, (_, j) => `var w${j} = messages[${j * n}u + g.x];`).join("\n")}
         var w8 = 0x80000000u; var w15 = 256u;
         ${[9, 10, 11, 12, 13, 14].map((j) => `var w${j} = 0u;`).join(" ")}
         var a = 0x6a09e667u; var b = 0xbb67ae85u; var c = 0x3c6ef372u; var d = 0xa54ff53au;
         var e = 0x510e527fu; var f = 0x9b05688cu; var g_ = 0x1f83d9abu; var h = 0x5be0cd19u;
         var t1: u32; var t2: u32;
         ${sha256Rounds().replace(/\bg\b/g, "g_")}
         digests[g.x] = a + 0x6a09e667u;`,
      ),
    dispatches: linear,
  },
  softmax: {
    code: () =>
      input(0, "src") +
      output(1, "dst") +
      "var<workgroup> s: array<f32, 256>;\n" +
      main(
        256,
        1,
        `let row = (w.y * nw.x + w.x) * 1024u;
         var top = -3.402823466e38f;
         for (var i = l.x; i < 1024u; i += 256u) { top = max(top, src[row + i]); }
         s[l.x] = top;
         ${tree("max(s[l.x], s[l.x + k])")}
         top = s[0];
         workgroupBarrier();
         var sum = 0.0;
         for (var i = l.x; i < 1024u; i += 256u) { sum += exp(src[row + i] - top); }
         s[l.x] = sum;
         ${tree("s[l.x] + s[l.x + k]")}
         let scale = 1.0 / s[0];
         for (var i = l.x; i < 1024u; i += 256u) {
           dst[row + i] = exp(src[row + i] - top) * scale;
         }`,
      ),
    dispatches: (n) => [{ groups: fold(n) }],
  },
  "floyd-warshall": {
    code: (n) =>
      params +
      output(0, "d", "i32") +
      main(
        16,
        16,
        `let through = d[g.y * ${n}u + params.x] + d[params.x * ${n}u + g.x];
         if (through < d[g.y * ${n}u + g.x]) { d[g.y * ${n}u + g.x] = through; }`,
      ),
    dispatches: (n) =>
      Array.from({ length: n }, (_, k) => ({ groups: [n / 16, n / 16] as const, params: [k] })),
  },
};
