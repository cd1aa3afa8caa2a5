import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "../harness.ts";
import { Bench, kernelText, type RunOptions, WIDTHS } from "./bench.ts";

const read = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8");
const PTX = read("clusters.ptx");
/** What an H100 printed: for each launch a hash of its output and its first words. */
const RECORDED = new Map(
  read("clusters.txt")
    .split("\n")
    .map((line) => [line.split(" ", 1)[0], line.slice(line.indexOf(" ") + 1)]),
);

/** The hash that clusters-main.cu prints. */
function summary(words: number[]): string {
  let hash = 0xcbf29ce484222325n;
  for (const word of words) hash = BigInt.asUintN(64, (hash ^ BigInt(word)) * 0x100000001b3n);
  return [hash.toString(16).padStart(16, "0"), ...words.slice(0, 16)].join(" ");
}

/** The launches of clusters-main.cu: kernel, output words, shape, other parameters. */
type Launch = [
  name: string,
  words: number,
  options: RunOptions,
  params: (out: number, input: number) => (number | bigint)[],
];
const only = (out: number) => [out];
const LAUNCHES: Launch[] = [
  ["ids-4", 128, { grid: 8, block: 32, cluster: 4 }, only],
  ["ids-221", 384, { grid: [4, 6, 1], block: [8, 2, 2], cluster: [2, 2, 1] }, only],
  ["ids-132", 576, { grid: [3, 6, 2], block: 33, cluster: [1, 3, 2] }, only],
  ["ids-1", 32, { grid: 2, block: 32, cluster: 1 }, only],
  ["ids-none", 32, { grid: 2, block: 32 }, only],
  ["ring", 1024, { grid: 8, block: 128, cluster: 4 }, (out) => [out, 9]],
  ["ring-7", 1344, { grid: 14, block: 96, cluster: 7 }, (out) => [out, 20]],
  ["leavers", 12, { grid: 12, block: 100, cluster: 3 }, only],
  ["leavers-2", 4, { grid: 4, block: 32, cluster: 2 }, only],
  ["transfers", 512, { grid: 8, block: 64, cluster: 4 }, (out, input) => [input, out]],
  ["transfers-2", 1024, { grid: 8, block: 128, cluster: 2 }, (out, input) => [input, out]],
  ["corners", 6144, { grid: [4, 4, 4], block: [8, 4, 3], dynamicSharedBytes: 384 }, only],
  ["locked", 16, { grid: 8, block: 96, cluster: 4 }, only],
];

for (const width of WIDTHS) {
  describe(`clusters of several blocks, ${width} lanes`, () => {
    const input = Uint32Array.from({ length: 4096 }, (_, k) => Math.imul(k, 2654435761) >>> 7);

    test("answers as recorded", async () => {
      const bench = await Bench.create(width);
      const module = bench.executor.loadModule(PTX);
      const from = bench.upload(input);
      for (const [name, words, options, params] of LAUNCHES) {
        const out = bench.zeros(4 * words);
        const kernel = name.replace(/-.*/, "");
        const fault = bench.launch(module, params(out, from), { kernel, ...options });
        assert.equal(fault, undefined, name);
        assert.equal(summary(bench.words(out, words)), RECORDED.get(name), name);
      }
    });

    test("a histogram spread over clusters of 1 to 8 blocks", async () => {
      const bench = await Bench.create(width);
      const module = bench.executor.loadModule(PTX);
      const from = bench.upload(input);
      for (const cluster of [1, 2, 4, 8]) {
        const bins = bench.zeros(4 * 64 * cluster);
        const expected = new Array<number>(64 * cluster).fill(0);
        for (const value of input) expected[value % expected.length]++;
        const shape = { grid: 16, block: 96, cluster, dynamicSharedBytes: 256 };
        const params = [bins, 64, from, 4096];
        assert.equal(bench.launch(module, params, { kernel: "histogram", ...shape }), undefined);
        assert.deepEqual(bench.words(bins, expected.length), expected);
      }
    });

    test("addresses of the cluster's window mean the same in all its blocks", async () => {
      const bench = await Bench.create(width);
      const module = bench.executor.loadModule(PTX);
      const out = bench.zeros(4 * 64);
      const shape = { kernel: "addresses", grid: 8, block: 32, cluster: 4 };
      assert.equal(bench.launch(module, [out], shape), undefined);
      assert.equal(summary(bench.words(out, 64)), RECORDED.get("addresses"));
    });

    test("an address beyond the cluster's windows faults, in the block that used it", async () => {
      const bench = await Bench.create(width);
      const body = `.shared .b32 s; mapa.shared::cluster.u32 %r1, s, 2; mov.u32 %r2, %cluster_ctarank;
setp.eq.u32 %p1, %r2, 1; @%p1 st.shared::cluster.u32 [%r1], %r2;`;
      const fault = bench.run(kernelText(0, body), [], { grid: 2, block: 32, cluster: 2 });
      assert.equal(fault?.code, 700);
      assert.deepEqual(fault?.block, [1, 0, 0]);
    });

    test("a barrier that a thread never comes to is found, not waited for", async () => {
      const bench = await Bench.create(width);
      const body = `mov.u32 %r2, %cluster_ctarank; setp.eq.u32 %p1, %r2, 0;
@%p1 barrier.cluster.arrive; @%p1 barrier.cluster.wait;
@!%p1 bar.sync 1, 64;`;
      const fault = bench.run(kernelText(0, body), [], { grid: 2, block: 32, cluster: 2 });
      assert.ok(fault);
    });

    test("waiting blocks of many clusters take turns, on several threads", async () => {
      const bench = await Bench.create(width);
      const module = bench.executor.loadModule(PTX);
      const out = bench.zeros(4 * 600);
      const shape = { kernel: "locked", grid: 300, block: 64, cluster: 3 };
      assert.equal(bench.launch(module, [out], shape), undefined);
      const words = bench.words(out, 600);
      for (let k = 0; k < 300; k += 3) assert.deepEqual(words.slice(2 * k, 2 * k + 2), [192, 384]);
    });

    test("registers about shared memory", async () => {
      const bench = await Bench.create(width);
      const names =
        "total_smem_size aggr_smem_size dynamic_smem_size reserved_smem_offset_cap pm0 nclusterid.w";
      const body = names
        .split(" ")
        .map((name, k) => `mov.u32 %r1, %${name}; st.global.u32 [%rd0+${4 * k}], %r1;`)
        .join("\n");
      const text = kernelText(1, `.shared .b32 s[100]; st.shared.u32 [s], 1; ${body}`);
      const out = bench.zeros(64);
      assert.equal(bench.run(text, [out]), undefined);
      assert.deepEqual(bench.words(out, 6), [512, 1424, 0, 1024, 0, 0]);
    });

    test("tiles of several warps, as on an H100", async () => {
      const bench = await Bench.create(width);
      const out = bench.zeros(5120);
      const options = { kernel: "tiles", block: 256 };
      assert.equal(bench.run(read("tiles.ptx"), [out], options), undefined);
      const words = bench.words(out, 1280);
      const of = (k: number) => [0, 1, 70, 100, 130, 200, 255].map((i) => words[256 * k + i]);
      assert.deepEqual(of(0), [2016, 2016, 6112, 6112, 10208, 14304, 14304]);
      assert.deepEqual(of(1), new Array(7).fill(100));
      assert.deepEqual(of(2), [77, 77, 77, 77, 205, 205, 205]);
      assert.deepEqual(of(3), [0, 0, 399, 2934, 257, 1564, 14049]);
      assert.deepEqual(of(4), [0, 0, 0, 0, 1, 1, 1]);
    });

    test("reserved shared memory lies beside the kernel's own", async () => {
      const bench = await Bench.create(width);
      const text = kernelText(
        1,
        `.shared .b32 s[4]; mov.u32 %r1, s; st.shared.v4.u32 [%r1], {1, 2, 3, 4};
mov.u32 %r2, %reserved_smem_offset_0; mov.u32 %r3, %reserved_smem_offset_1; mov.u32 %r8, %reserved_smem_offset_begin;
st.shared.u32 [%r2], 7; st.shared.u32 [%r3], 8; ld.shared.u32 %r9, [%r8];
ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r1]; st.global.v4.u32 [%rd0], {%r4, %r5, %r6, %r7}; st.global.u32 [%rd0+16], %r9;`,
      );
      const out = bench.zeros(64);
      assert.equal(bench.run(text, [out]), undefined);
      assert.deepEqual(bench.words(out, 5), [1, 2, 3, 4, 8]);
    });
  });
}
