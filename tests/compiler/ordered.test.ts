/**
 * Atomic operations and ordered accesses of every type, space, order and scope (the cases that a GPU has
 * yet to judge): in lane groups as thread by thread, and those of integers as their meaning says.
 */
import assert from "node:assert/strict";
import { atomically } from "../../scripts/kernels/interpret-memory.ts";
import { memoryCases } from "../../scripts/oracle/memory_cases.ts";
import { makePools, POOL } from "../../scripts/oracle/mma_pools.ts";
import { describe, test } from "../harness.ts";
import { Bench, WIDTHS } from "./bench.ts";

const cases = memoryCases();
const pools = makePools(1);

/** What a case leaves behind. */
function answer(bench: Bench, index: number): Uint8Array {
  const c = cases[index]!;
  const pool = pools[c.in[0] as string] as Uint8Array;
  const bytes = pool.length / 3;
  const inputs = [0, 1, 2].map((k) => bench.upload(pool.slice(k * bytes, (k + 1) * bytes)));
  const size = POOL * (c.out === "i64" ? 8 : 4);
  const output = bench.zeros(size);
  const shape = { kernel: "t", grid: POOL / 128, block: 128 };
  assert.equal(bench.run(c.ptx, [...inputs, output, POOL], shape), undefined, c.name);
  return bench.bytes(output, size);
}

/** The same in TypeScript: the old value, exclusive-or three times the new one. */
function model(name: string, type: string): Uint8Array {
  const mnemonic = name.split(" ")[0] as string;
  const [opcode, ...mods] = mnemonic.split(".");
  const wide = type.endsWith("64");
  const size = wide ? 8 : 4;
  const pool = pools[wide ? "i64" : "i32"] as Uint8Array;
  const view = new DataView(pool.buffer, pool.byteOffset);
  const read = (k: number, i: number) => {
    const at = k * POOL * size + i * size;
    return wide ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
  };
  const out = new DataView(new ArrayBuffer(POOL * size));
  const word = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < POOL; i++) {
    const [a, b, c] = [read(0, i), read(1, i), read(2, i)];
    word.setBigUint64(0, a, true);
    const compared = BigInt.asUintN(8 * size, a + (b & 1n));
    const cas = mods.includes("cas");
    const old = BigInt(atomically(word, 0, mods, cas ? compared : b, c));
    const now = wide ? word.getBigUint64(0, true) : BigInt(word.getUint32(0, true));
    const mixed = (opcode === "atom" ? old : 0n) ^ BigInt.asUintN(8 * size, now * 3n);
    if (wide) out.setBigUint64(8 * i, mixed, true);
    else out.setUint32(4 * i, Number(mixed), true);
  }
  return new Uint8Array(out.buffer);
}

describe("atomic operations and ordered accesses", () => {
  test("every type, space, order and scope", async () => {
    const benches = await Promise.all(WIDTHS.map((width) => Bench.create(width)));
    let modelled = 0;
    cases.forEach((c, index) => {
      const [groups, threads] = benches.map((bench) => answer(bench, index));
      assert.deepEqual(groups, threads, c.name);
      const type = c.name.split(" ")[0]!.split(".").at(-1) as string;
      if (/^(atom|red)\./.test(c.name) && /^[usb](32|64)$/.test(type)) {
        modelled++;
        assert.deepEqual(groups, model(c.name, type), c.name);
      } else if (c.name.startsWith("st.")) {
        modelled++;
        const pool = pools[c.out] as Uint8Array;
        assert.deepEqual(groups, pool.slice(0, pool.length / 3), c.name);
      }
    });
    assert.equal(new Set(cases.map((c) => c.name)).size, cases.length);
    assert.ok(modelled > 200, `${modelled} of ${cases.length}`);
  });
});
