import assert from "node:assert/strict";
import { wmmaFragment } from "../../runtime/compiler/wmma-fragments.ts";
import { describe, test } from "../harness.ts";
import { Bench, kernelText, WIDTHS } from "./bench.ts";

/** Halves of the integers −8…8. */
const half = (n: number): number => {
  if (n === 0) return 0;
  const e = 31 - Math.clz32(Math.abs(n));
  return (n < 0 ? 0x8000 : 0) | ((e + 15) << 10) | ((Math.abs(n) << (10 - e)) & 0x3ff);
};

/** D = A·B of one shape, A in columns and B in rows, with `between` after the loads. */
const kernel = (shape: string, between: string) => {
  const list = (from: number) => Array.from({ length: 8 }, (_, i) => `%r${from + i}`).join(", ");
  const floats = (from: number) => list(from).replaceAll("%r", "%f");
  return kernelText(
    4,
    `wmma.load.a.sync.aligned.col.${shape}.global.f16 {${list(8)}}, [%rd0];
wmma.load.b.sync.aligned.row.${shape}.global.f16 {${list(16)}}, [%rd1];
${Array.from({ length: 8 }, (_, i) => `mov.f32 %f${8 + i}, 0f00000000;`).join(" ")}
${between}
wmma.mma.sync.aligned.col.row.${shape}.f32.f32 {${floats(0)}}, {${list(8)}}, {${list(16)}}, {${floats(8)}};
wmma.store.d.sync.aligned.row.${shape}.global.f32 [%rd2], {${floats(0)}};
shl.b32 %r1, %r0, 2; cvt.u64.u32 %rd4, %r1; add.u64 %rd4, %rd4, %rd3; st.global.u32 [%rd4], %r2;`,
  );
};

const integers = (count: number, step: number) =>
  Array.from({ length: count }, (_, i) => ((i * step + (i >> 3)) % 17) - 8);

describe("fragments that lie across their registers", () => {
  for (const shape of ["m16n16k16", "m32n8k16", "m8n32k16"]) {
    const [m = 0, n = 0, k = 0] = (/m(\d+)n(\d+)k(\d+)/.exec(shape) ?? []).slice(1).map(Number);
    const [a, b] = [integers(m * k, 5), integers(k * n, 7)];
    const product = (sign: number) =>
      Array.from({ length: m * n }, (_, at) => {
        const [row, column] = [Math.floor(at / n), at % n];
        let sum = 0;
        for (let i = 0; i < k; i++) {
          sum += (a[i * m + row] ?? 0) * (b[i * n + column] ?? 0);
        }
        return sum * sign + 0;
      });
    const fragment = wmmaFragment(shape, "b", "f16");
    const lowOf = (lane: number) => {
      const p = fragment?.place(lane, 1 % (fragment?.distinct ?? 1), 0);
      return p ? half(b[p.row * n + p.column] ?? 0) : -1;
    };
    const ways: [string, string, boolean, boolean][] = [
      ["read by products only", "mov.u32 %r2, 0;", false, false],
      ["read by others too", "and.b32 %r2, %r17, 0xffff;", true, false],
      [
        "changed in between",
        Array.from({ length: 8 }, (_, i) => `xor.b32 %r${16 + i}, %r${16 + i}, 0x80008000;`)
          .join(" ")
          .concat(" mov.u32 %r2, 0;"),
        false,
        true,
      ],
    ];
    for (const [name, between, read, negated] of ways) {
      test(`${shape}, B ${name}`, async () => {
        for (const width of WIDTHS) {
          const bench = await Bench.create(width);
          const d = bench.zeros(4 * m * n);
          const seen = bench.zeros(128);
          const fault = bench.run(
            kernel(shape, between),
            [
              bench.upload(Uint16Array.from(a, half)),
              bench.upload(Uint16Array.from(b, half)),
              d,
              seen,
            ],
            { block: 32 },
          );
          assert.equal(fault, undefined);
          const expected = product(negated ? -1 : 1);
          assert.deepEqual(bench.floats(d, m * n), expected);
          const lanes = Array.from({ length: 32 }, (_, lane) => (read ? lowOf(lane) : 0));
          assert.deepEqual(bench.words(seen, 32), lanes);
        }
      });
    }
  }
});
