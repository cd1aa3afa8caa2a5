import assert from "node:assert/strict";
import { describe, test } from "../harness.ts";
import { Bench, kernelText, WIDTHS } from "./bench.ts";
import { TEXTURE_CASES, textureCoordinates, textureData } from "./textures/cases.ts";
import { makeTexture, sampleTexture, type Texture } from "./textures/run.ts";

const asFloats = (words: Uint32Array) => new Float32Array(words.buffer);
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

for (const width of WIDTHS) {
  describe(`textures, ${width} lanes`, () => {
    test("a bilinear fetch weighs four texels in steps of 1/256", async () => {
      const bench = await Bench.create(width);
      const k = numberOf("tex.2d f32x1 linear clamp");
      const c = TEXTURE_CASES[k];
      const texels = new Float32Array(textureData(c, k).buffer);
      const places = textureCoordinates(c, k);
      const got = asFloats(sampleTexture(bench, c, k));
      const [w, h] = c.extent;
      const at = (x: number, y: number) => texels[clamp(y, h) * w + clamp(x, w)];
      for (let p = 0; p < places.length / 4; p++) {
        const [fx, fy] = [places[4 * p], places[4 * p + 1]].map(
          (v) => Math.floor((v - 0.5) * 256 + 0.5) / 256,
        );
        const [i, j] = [Math.floor(fx), Math.floor(fy)];
        const [a, b] = [fx - i, fy - j];
        const expected =
          (1 - b) * ((1 - a) * at(i, j) + a * at(i + 1, j)) +
          b * ((1 - a) * at(i, j + 1) + a * at(i + 1, j + 1));
        assert.ok(Math.abs(got[4 * p] - expected) < 1e-5, `${places[4 * p]}, ${places[4 * p + 1]}`);
      }
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
        const texels = new Float32Array(textureData(c, k).buffer);
        const places = textureCoordinates(c, k);
        const got = asFloats(sampleTexture(bench, c, k));
        const [w, h] = c.extent;
        for (let p = 0; p < places.length / 4; p++) {
          const x = index[number](Math.floor(Math.fround(places[4 * p] * w)), w);
          const y = index[number](Math.floor(Math.fround(places[4 * p + 1] * h)), h);
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
      assert.equal(bench.run(kernelText(1, body), [surface])?.code, 719);
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
