import assert from "node:assert/strict";
import { warpFrame } from "../../runtime/compiler/warp-frames.ts";
import { describe, test } from "../harness.ts";
import {
  decode,
  elementA,
  elementB,
  encode,
  fusedSum,
  placeOfC,
  type Registers,
} from "./mma-model.ts";
import {
  clearFrame,
  FILL,
  FRAME,
  get32,
  LANES,
  laneMasks,
  random32,
  set32,
  warpFunction,
} from "./warp-harness.ts";

type Random = () => number;

/** Runs a product on registers and gives those of D, all 32 lanes. */
function run(mnemonic: string, active: number, sources: Registers): Registers {
  const frame = warpFrame(mnemonic);
  if (!frame) throw new Error(`no frame for ${mnemonic}`);
  assert.equal(sources.length, frame.src.length, mnemonic);
  const [plain, relaxed] = [frame.function, frame.relaxed].map((name) => {
    if (!name) return undefined;
    clearFrame();
    sources.forEach((values, i) => {
      set32(frame.dst.length + i, values);
    });
    warpFunction(name)(active, FRAME);
    return frame.dst.map((_, k) => get32(k));
  });
  if (relaxed) assert.deepEqual(relaxed, plain, `${mnemonic}, relaxed`);
  return plain as Registers;
}

/** D's registers from its elements; lanes outside `active` hold the marker. */
function registersOf(
  rows: number,
  half: boolean,
  active: number,
  element: (row: number, column: number) => number,
): Registers {
  const out: Registers = Array.from({ length: rows / (half ? 8 : 4) }, () => Array(32).fill(0));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < 8; column++) {
      const { register, lane, part } = placeOfC(row, column, half);
      const words = out[register] as number[];
      words[lane] = ((words[lane] ?? 0) | (element(row, column) << (16 * part))) >>> 0;
    }
  }
  return out.map((words) => words.map((w, lane) => ((active >>> lane) & 1 ? w : FILL)));
}

const registers = (count: number, word: () => number): Registers =>
  Array.from({ length: count }, () => LANES.map(word));

/** Random bits of a float type: exponents in a window, or anything. */
function floatWord(type: string, random: Random, span: number): number {
  const bits = (width: number, exponent: number, mantissa: number) => {
    if (span === 0 || random() % 64 === 0) return random() & (2 ** width - 1);
    const bias = (1 << (exponent - 1)) - 1;
    const field = bias - (span >> 1) + (random() % span);
    const kept = Math.max(0, Math.min((1 << exponent) - 2, field));
    return (
      ((random() & 1) << (width - 1)) | (kept << mantissa) | (random() & ((1 << mantissa) - 1))
    );
  };
  if (type === "f16") return (bits(16, 5, 10) | (bits(16, 5, 10) << 16)) >>> 0;
  if (type === "bf16") return (bits(16, 8, 7) | (bits(16, 8, 7) << 16)) >>> 0;
  if (type === "f32" || type === "tf32") return bits(32, 8, 23) >>> 0;
  const byte = () => (type === "e4m3" ? bits(8, 4, 3) : bits(8, 5, 2)) & 255;
  return (byte() | (byte() << 8) | (byte() << 16) | (byte() << 24)) >>> 0;
}

/** Numbers of up to `bits` bits times 2^unit, as near as the type has them; some are 0. */
function wholeWord(type: string, random: Random, bits: number, unit: number): number {
  const one = () => {
    const n = BigInt(random() % 8 === 0 ? 0 : random() % 2 ** (1 + (random() % bits)));
    return encode(type === "tf32" ? "f32" : type, random() & 1 ? n : -n, unit, true);
  };
  if (type === "f32" || type === "tf32") return one();
  if (type === "f16" || type === "bf16") return (one() | (one() << 16)) >>> 0;
  return (one() | (one() << 8) | (one() << 16) | (one() << 24)) >>> 0;
}

const ELEMENTS: Record<string, number> = { f16: 2, bf16: 2, tf32: 1, e4m3: 4, e5m2: 4 };

/** Sum of a model's f32 or f16 addition, to nearest (what follows an 8-bit product). */
function addNearest(type: string, x: number, y: number): number {
  const [p, q] = [decode(type, x), decode(type, y)];
  const word = new DataView(new ArrayBuffer(4));
  if (typeof p !== "number" && typeof q !== "number") {
    const unit = Math.min(p.exponent, q.exponent);
    const sum =
      (p.significand << BigInt(p.exponent - unit)) + (q.significand << BigInt(q.exponent - unit));
    if (sum === 0n && x >>> (type === "f16" ? 15 : 31) && y >>> (type === "f16" ? 15 : 31))
      return x;
    return encode(type, sum, unit, true);
  }
  const number = (e: typeof p) => (typeof e === "number" ? e : 0);
  const sum = number(p) + number(q);
  if (Number.isNaN(sum)) return type === "f16" ? 0x7fff : 0x7fffffff;
  word.setFloat32(0, sum);
  return type === "f16" ? (sum < 0 ? 0xfc00 : 0x7c00) : word.getUint32(0);
}

function checkFloat(
  shape: string,
  k: number,
  types: [string, string],
  acc: string,
  active: number,
  what: string,
  word: (type: string) => number,
): void {
  const [typeA, typeB] = types;
  const per = ELEMENTS[typeA] ?? 1;
  const quarter = per === 4;
  const na = (16 * k) / 32 / per;
  const half = acc === "f16";
  const a = registers(na, () => word(typeA));
  const b = registers(na / 2, () => word(typeB));
  const c = registers(half ? 2 : 4, () => word(acc));
  const name = `mma.sync.aligned.${shape}.row.col.${acc}.${typeA}.${typeB}.${acc}`;
  const element = (row: number, column: number): number => {
    const { register, lane, part } = placeOfC(row, column, half);
    const word = c[register]?.[lane] ?? 0;
    const cBits = half ? (word >>> (16 * part)) & 0xffff : word;
    const rowA = (ks: number[]) => ks.map((i) => decode(typeA, elementA(a, row, i, per, true)));
    const columnB = (ks: number[]) => ks.map((i) => decode(typeB, elementB(b, i, column, per)));
    const all = Array.from({ length: k }, (_, i) => i);
    if (!quarter) return fusedSum(rowA(all), columnB(all), decode(acc, cBits), acc);
    const first = all.filter((i) => i % 4 < 2);
    const second = all.filter((i) => i % 4 >= 2);
    const t = fusedSum(rowA(first), columnB(first), decode(acc, 0), acc);
    const u = fusedSum(rowA(second), columnB(second), decode(acc, t), acc);
    return addNearest(acc, cBits, u);
  };
  const expected = registersOf(16, half, active, element);
  assert.deepEqual(run(name, active, [...a, ...b, ...c]), expected, `${name} ${what}`);
}

describe("mma.sync against a model of the tensor core", () => {
  const forms: [string, number, [string, string][], string[]][] = [
    ["m16n8k16", 16, [["f16", "f16"]], ["f32", "f16"]],
    ["m16n8k8", 8, [["f16", "f16"]], ["f32", "f16"]],
    ["m16n8k16", 16, [["bf16", "bf16"]], ["f32"]],
    ["m16n8k8", 8, [["bf16", "bf16"]], ["f32"]],
    ["m16n8k8", 8, [["tf32", "tf32"]], ["f32"]],
    ["m16n8k4", 4, [["tf32", "tf32"]], ["f32"]],
  ];
  const quarters: [string, string][] = ["e4m3", "e5m2"].flatMap((x) =>
    ["e4m3", "e5m2"].map((y): [string, string] => [x, y]),
  );
  forms.push(
    ["m16n8k32", 32, quarters, ["f32", "f16"]],
    ["m16n8k16", 16, quarters, ["f32", "f16"]],
  );
  for (const [shape, k, pairs, accumulators] of forms) {
    for (const types of pairs) {
      for (const acc of accumulators) {
        test(`${shape} ${types.join("·")} in ${acc}`, () => {
          const random = random32(k * 31 + acc.length);
          for (let round = 0; round < 12; round++) {
            const active = round < 8 ? 0xffffffff : (laneMasks(random)[round % 8] ?? 1);
            const span = [0, 4, 12, 40][random() % 4] ?? 0;
            checkFloat(shape, k, types, acc, active, `span ${span}`, (type) =>
              floatWord(type, random, span),
            );
          }
        });
        test(`${shape} ${types.join("·")} in ${acc}, multiples of one unit`, () => {
          const random = random32(k * 37 + acc.length);
          for (let round = 0; round < 16; round++) {
            const active = round < 12 ? 0xffffffff : (laneMasks(random)[round % 8] ?? 1);
            const bits = 1 + (random() % 14);
            const unit = [-10, -3, -24, -17][round % 4] ?? 0;
            // c up to 2²⁸ products of units; one round in four an addend that is none.
            const far = round % 8 < 6 ? 0 : 1;
            // Addends of any value, of exponents around those of the largest products.
            const near = 127 + 2 * unit + 2 * bits - 2 - (random() % 8);
            const any = (): number => {
              const e = near + (random() % 2);
              return (((random() & 1) << 31) | (e << 23) | (random() & 0x7fffff)) >>> 0;
            };
            checkFloat(shape, k, types, acc, active, `${bits} bits of 2^${unit}`, (type) =>
              type !== acc
                ? wholeWord(type, random, bits, unit)
                : acc === "f32" && round % 2 === 1
                  ? any()
                  : wholeWord(
                      acc,
                      random,
                      1 + (random() % 28),
                      Math.max(2 * unit - far, acc === "f16" ? -24 : -99),
                    ),
            );
          }
        });
      }
    }
  }
});

const signed = (bits: number, width: number) =>
  bits >= 2 ** (width - 1) ? bits - 2 ** width : bits;

describe("mma.sync on integers and bits", () => {
  const integer: [string, number, number, number][] = [
    ["m8n8k16", 8, 16, 8],
    ["m16n8k16", 16, 16, 8],
    ["m16n8k32", 16, 32, 8],
    ["m8n8k32", 8, 32, 4],
    ["m16n8k32", 16, 32, 4],
    ["m16n8k64", 16, 64, 4],
  ];
  for (const [shape, rows, k, width] of integer) {
    test(`${shape} of ${width} bits, every pair of types, with and without satfinite`, () => {
      const random = random32(rows + k + width);
      for (let round = 0; round < 24; round++) {
        const [x, y] = [round & 1 ? "u" : "s", round & 2 ? "u" : "s"];
        const saturate = (round & 4) !== 0;
        const per = 32 / width;
        const na = (rows * k) / 32 / per;
        const a = registers(na, random);
        const b = registers((8 * k) / 32 / per, random);
        const near = round & 8 ? 0x7fffffff : 0x80000000;
        const c = registers(
          rows / 4,
          () => (random() & 1 ? near ^ (random() & 0xfff) : random()) >>> 0,
        );
        const active = round < 16 ? 0xffffffff : (laneMasks(random)[round % 8] ?? 1);
        const name = `mma.sync.aligned.${shape}.row.col${saturate ? ".satfinite" : ""}.s32.${x}${width}.${y}${width}.s32`;
        const value = (kind: string, bits: number) => (kind === "s" ? signed(bits, width) : bits);
        const expected = registersOf(rows, false, active, (row, column) => {
          const { register, lane } = placeOfC(row, column, false);
          let sum = signed(c[register]?.[lane] ?? 0, 32);
          for (let i = 0; i < k; i++) {
            const p = value(x, elementA(a, row, i, per, rows === 16));
            sum += p * value(y, elementB(b, i, column, per));
          }
          return saturate ? Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, sum)) : sum | 0;
        });
        assert.deepEqual(run(name, active, [...a, ...b, ...c]), expected, name);
      }
    });
  }

  for (const [shape, rows, k] of [
    ["m8n8k128", 8, 128],
    ["m16n8k128", 16, 128],
    ["m16n8k256", 16, 256],
  ] as const) {
    test(`${shape} of bits`, () => {
      const random = random32(k + rows);
      for (let round = 0; round < 8; round++) {
        const op = round & 1 ? "xor" : "and";
        const a = registers((rows * k) / 1024, random);
        const b = registers(k / 128, random);
        const c = registers(rows / 4, random);
        const active = round < 4 ? 0xffffffff : (laneMasks(random)[round] ?? 1);
        const expected = registersOf(rows, false, active, (row, column) => {
          const { register, lane } = placeOfC(row, column, false);
          let sum = c[register]?.[lane] ?? 0;
          for (let i = 0; i < k; i++) {
            const p = elementA(a, row, i, 32, rows === 16);
            const q = elementB(b, i, column, 32);
            sum += op === "xor" ? p ^ q : p & q;
          }
          return sum | 0;
        });
        const name = `mma.sync.aligned.${shape}.row.col.s32.b1.b1.s32.${op}.popc`;
        assert.deepEqual(run(name, active, [...a, ...b, ...c]), expected, name);
      }
    });
  }
});
