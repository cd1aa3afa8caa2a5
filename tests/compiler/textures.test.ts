import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { describe, test } from "../harness.ts";
import { Bench, kernelText, WIDTHS } from "./bench.ts";
import {
  TEXTURE_CASES,
  type TextureCase,
  textureCoordinates,
  textureData,
} from "./textures/cases.ts";
import { makeTexture, sampleTexture, type Texture } from "./textures/run.ts";

const asFloats = (words: Uint32Array) => new Float32Array(words.slice().buffer);
const RECORDED = readFileSync(new URL("./textures/golden.bin.br", import.meta.url));
/** Four results for each place of each case, recorded on an H100. */
const GOLDEN = new Uint32Array(new Uint8Array(brotliDecompressSync(RECORDED)).buffer);

/** How far a result may be off: blends of f16 and of fractions are rounded, sRGB is a table. */
function toleranceOf(c: TextureCase): number {
  if (c.srgb) return 2 ** -8;
  if (c.linear && c.bits === 16 && c.format === 2) return 2 ** -10;
  if (c.fraction) return c.linear ? 2 ** -14 : 2 ** -23;
  return c.linear ? 2 ** -22 : 0;
}

/** The texel of a normalized coordinate, of which 21 fractional bits count. */
const texelOf = (v: number, n: number) => Math.floor((Math.floor(v * 2 ** 21) / 2 ** 21) * n);
const numberOf = (name: string) => TEXTURE_CASES.findIndex((c) => c.name === name);
const clamp = (v: number, n: number) => Math.min(Math.max(v, 0), n - 1);

const PLAIN: Texture = {
  geometry: "2d",
  format: 1,
  bits: 32,
  channels: 1,
  extent: [16, 4, 0],
  mode: 1,
  linear: false,
  fraction: false,
  normalized: false,
};

const SURFACE = kernelText(
  2,
  `shl.b32 %r1, %r0, 2; mov.u32 %r2, 1;
suld.b.2d.b32.zero %r3, [%rd0, {%r1, %r2}];
add.u32 %r3, %r3, 1000;
sust.b.2d.b32.zero [%rd0, {%r1, 2}], %r3;
suld.b.2d.b32.clamp %r4, [%rd0, {%r1, 9}];
sured.b.add.2d.u32.zero [%rd0, {%r1, 0}], %r0;
mul.wide.u32 %rd4, %r0, 8; add.u64 %rd4, %rd4, %rd1;
st.global.v2.u32 [%rd4], {%r3, %r4};`,
);

/** Four fetches a thread (2-D, 1-D, by index, 2-D by every third lane), 64 bytes a thread. */
const FETCHES = (type: string) => `mul.wide.u32 %rd4, %r0, 8; add.u64 %rd4, %rd4, %rd1;
ld.global.v2.f32 {%f0, %f1}, [%rd4];
cvt.rmi.s32.f32 %r1, %f0; cvt.rmi.s32.f32 %r2, %f1;
tex.2d.v4.${type}.f32 {%r4, %r5, %r6, %r7}, [%rd0, {%f0, %f1}];
tex.1d.v4.${type}.f32 {%r8, %r9, %r10, %r11}, [%rd0, {%f0}];
tex.2d.v4.${type}.s32 {%r12, %r13, %r14, %r15}, [%rd0, {%r1, %r2}];
mul.wide.u32 %rd5, %r0, 64; add.u64 %rd5, %rd5, %rd2;
st.global.v4.u32 [%rd5], {%r4, %r5, %r6, %r7};
st.global.v4.u32 [%rd5+16], {%r8, %r9, %r10, %r11};
st.global.v4.u32 [%rd5+32], {%r12, %r13, %r14, %r15};
rem.u32 %r3, %r0, 3; setp.ne.u32 %p0, %r3, 0; @%p0 bra DONE;
tex.2d.v4.${type}.f32 {%r4, %r5, %r6, %r7}, [%rd0, {%f1, %f0}];
st.global.v4.u32 [%rd5+48], {%r4, %r5, %r6, %r7};
DONE:`;

/** Places of 128 threads: along a row at texels' middles, between them, leaving, far, no numbers. */
const PLACES = Float32Array.from({ length: 256 }, (_, k) => {
  const [thread, y] = [k >> 1, k & 1];
  if (thread < 32) return y ? 2.5 : (thread % 14) + 0.5;
  if (thread < 64) return y ? 1 + (thread % 8) / 4 : (thread % 14) + 0.3;
  if (thread < 96) return y ? thread / 16 - 3 : thread / 4 - 10;
  return [NaN, Infinity, -Infinity, 3e9, -3e9, 1e38, 2.25, -0][(thread + y) % 8];
});

test("textures: four lanes at once answer what each of them alone does", async () => {
  const four = await Bench.create(4);
  const one = await Bench.create(1);
  const special = [-0, NaN, Infinity, -Infinity, 1e-45, 3.4e38];
  for (const [format, channels] of [
    [2, 1],
    [2, 2],
    [2, 4],
    [0, 1],
    [1, 4],
  ] as const) {
    const words = new Float32Array(16 * 8 * channels).map((_, k) =>
      k % 5 ? k * 0.37 - 20 : special[(k / 5) % special.length],
    );
    for (const [mode, normalized] of [
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 1],
      [1, 0],
      [3, 0],
    ]) {
      for (const linear of format === 2 ? [false, true] : [false]) {
        const place = PLACES.map((v, k) => (normalized ? v / (k & 1 ? 8 : 16) : v));
        const how = { format, channels, mode, linear, normalized: normalized === 1 };
        const extent: [number, number, number] = [16, 8, 0];
        const answers = [four, one].map((bench) => {
          const texture = makeTexture(
            bench,
            { ...PLAIN, ...how, extent },
            new Uint8Array(words.buffer),
          );
          const out = bench.zeros(128 * 64);
          const ptx = kernelText(3, FETCHES(["s32", "u32", "f32"][format]));
          const parameters = [texture, bench.upload(new Uint8Array(place.buffer)), out];
          assert.equal(bench.run(ptx, parameters, { block: 128 }), undefined);
          return [...bench.words(out, 128 * 16)];
        });
        assert.deepEqual(answers[0], answers[1], JSON.stringify(how));
      }
    }
  }
});

for (const width of WIDTHS) {
  describe(`textures, ${width} lanes`, () => {
    test("every texture case answers what an H100 answers", async () => {
      const bench = await Bench.create(width);
      TEXTURE_CASES.forEach((c, number) => {
        const got = sampleTexture(bench, c);
        const golden = GOLDEN.subarray(got.length * number, got.length * (number + 1));
        const tolerance = toleranceOf(c);
        const [values, expected] = [asFloats(got), asFloats(golden)];
        for (let k = 0; k < got.length; k++) {
          if (got[k] === golden[k]) continue;
          const [v, w] = [values[k], expected[k]];
          const near = tolerance > 0 && Math.abs(v - w) <= tolerance * Math.max(1, Math.abs(w));
          const place = textureCoordinates(c).slice(4 * (k >> 2), 4 * (k >> 2) + 4);
          if (!near)
            assert.fail(`${c.name}: channel ${k & 3} at ${place}: got ${v}, expected ${w}`);
        }
      });
    });

    test("addressing: wrap, clamp, mirror, border", async () => {
      const bench = await Bench.create(width);
      const index = [
        (i: number, n: number) => ((i % n) + n) % n,
        clamp,
        (i: number, n: number) => {
          const m = ((i % (2 * n)) + 2 * n) % (2 * n);
          return m < n ? m : 2 * n - 1 - m;
        },
        (i: number, n: number) => (i < 0 || i >= n ? -1 : i),
      ];
      ["wrap", "clamp", "mirror", "border"].forEach((mode, number) => {
        const k = numberOf(`tex.2d f32x1 point ${mode} normalized`);
        const c = TEXTURE_CASES[k];
        const texels = new Float32Array(textureData(c).buffer);
        const places = textureCoordinates(c);
        const got = asFloats(sampleTexture(bench, c));
        const [w, h] = c.extent;
        for (let p = 0; p < places.length / 4; p++) {
          const x = index[number](texelOf(places[4 * p], w), w);
          const y = index[number](texelOf(places[4 * p + 1], h), h);
          const expected = x < 0 || y < 0 ? 0.25 : texels[y * w + x];
          assert.equal(got[4 * p], expected, `${mode} ${places[4 * p]}, ${places[4 * p + 1]}`);
        }
      });
    });

    test("surfaces: load, store, add, outside", async () => {
      const bench = await Bench.create(width);
      const texels = Uint32Array.from({ length: 64 }, (_, k) => k);
      const surface = makeTexture(bench, PLAIN, new Uint8Array(texels.buffer));
      const out = bench.zeros(256);
      assert.equal(bench.run(SURFACE, [surface, out], { block: 32 }), undefined);
      const lanes = Array.from({ length: 32 }, (_, k) => k);
      assert.deepEqual(
        bench.words(out, 64),
        lanes.flatMap((x) => [(x < 16 ? 16 + x : 0) + 1000, 48 + Math.min(x, 15)]),
      );
      const body = "mov.u32 %r1, 64; suld.b.2d.b32.trap %r2, [%rd0, {%r1, %r1}];";
      assert.equal(bench.run(kernelText(1, body), [surface])?.code, 700);
    });

    test("queries, and a texture reference that holds an object", async () => {
      const bench = await Bench.create(width);
      const texels = Uint32Array.from({ length: 64 }, (_, k) => k * k);
      const object = makeTexture(bench, PLAIN, new Uint8Array(texels.buffer));
      const out = bench.zeros(64);
      const body = `st.global.u64 [ref], %rd0;
txq.width.b32 %r1, [ref]; txq.height.b32 %r2, [%rd0]; txq.channel_data_type.b32 %r3, [%rd0];
tex.2d.v4.u32.s32 {%r4, %r5, %r6, %r7}, [ref, {%r8, %r9}];
st.global.v4.u32 [%rd1], {%r1, %r2, %r3, %r4};`;
      const set = "mov.u32 %r8, 7; mov.u32 %r9, 3;";
      const ptx = kernelText(2, set + body, ".global .texref ref;");
      assert.equal(bench.run(ptx, [object, out]), undefined);
      assert.deepEqual(bench.words(out, 4), [16, 4, 0x10dc, 55 * 55]);
    });
  });
}
