/**
 * Every function of the device library that a recorded case uses, against what the H100 answered. The
 * compiler emits some instructions without the library; those cases are not for this test, and the
 * conformance runner has them all.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { compareOutput, hexElement } from "../conformance/compare.ts";
import { type Case, ELEMENT_BYTES, type ElementType, loadOracle } from "../conformance/oracle.ts";
import { describe, test } from "../harness.ts";
import { applyFunction, LIBRARY_NAMES, VECTOR_BYTES, type VectorType } from "./library.ts";

const oracle = loadOracle(fileURLToPath(new URL("../conformance/data", import.meta.url)));

/** How a vector of an element type is handed to the library. */
function vectorType(type: ElementType): VectorType {
  if (type === "f16" || type === "bf16") return "i16";
  return type === "f16x2" || type === "bf16x2" ? "i32" : type;
}

interface Vector {
  type: VectorType;
  bytes: Uint8Array;
}

/** The statements of a case's body, between the loads of the inputs and the store of the output. */
function bodyOf(entry: Case): string[] {
  const text = entry.ptx.slice(entry.ptx.indexOf("cvt.u64.u32 %qi, %i;"));
  const end = text.indexOf("ld.param.u64 %q0, [po]");
  const statements = text
    .slice(0, end)
    .split(";")
    .map((s) => s.trim())
    .filter((s) => s !== "")
    .slice(1);
  return statements.slice(5 * entry.in.length);
}

/** Results of 8 and 16 bits come as 32: the upper bits must be zero. */
function narrow(bytes: Uint8Array, type: VectorType): Uint8Array {
  const size = VECTOR_BYTES[type];
  if (size >= 4) return bytes;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const out = new Uint8Array(words.length * size);
  words.forEach((word, i) => {
    assert.ok(word < 2 ** (8 * size), `result ${word} has bits above ${8 * size}`);
    for (let b = 0; b < size; b++) out[i * size + b] = word >>> (8 * b);
  });
  return out;
}

/** Operations that cases use to prepare an operand, on bytes with a constant repeated as needed. */
const SIMPLE: Record<string, (a: bigint, b: bigint) => bigint> = {
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  shr: (a, b) => a >> b,
};

function element(bytes: Uint8Array, size: number, i: number): bigint {
  let value = 0n;
  for (let b = size - 1; b >= 0; b--) value = (value << 8n) | BigInt(bytes[i * size + b] ?? 0);
  return value;
}

function constantVector(text: string, count: number): Vector {
  assert.match(text, /^-?\d+$/, `operand ${text}`);
  return { type: "i32", bytes: new Uint8Array(new Uint32Array(count).fill(Number(text)).buffer) };
}

function applySimple(op: string, a: Vector, constant: string): Vector {
  const size = VECTOR_BYTES[a.type];
  const bytes = new Uint8Array(a.bytes.length);
  const run = SIMPLE[op] as (a: bigint, b: bigint) => bigint;
  for (let i = 0; i < bytes.length / size; i++) {
    let value = run(element(a.bytes, size, i), BigInt(constant));
    for (let b = 0; b < size; b++, value >>= 8n) bytes[i * size + b] = Number(value & 255n);
  }
  return { type: a.type, bytes };
}

/**
 * Runs a case's body over whole vectors. Undefined if the library has no part in it, or the body does
 * something else besides.
 */
function runCase(entry: Case): Uint8Array | undefined {
  const registers = new Map<string, Vector>();
  entry.in.forEach((type, k) => {
    registers.set(`%${"abc"[k]}`, { type: vectorType(type), bytes: oracle.input(type, k) });
  });
  const output = vectorType(entry.out);
  let used = false;
  for (const statement of bodyOf(entry)) {
    const match = /^([\w.]+)\s+(.*)$/s.exec(statement);
    if (!match) return undefined;
    const mnemonic = match[1] as string;
    const [to = "", ...from] = (match[2] as string).split(",").map((s) => s.trim());
    const operation = mnemonic.split(".")[0] as string;
    if (to !== "%d" && SIMPLE[operation] && registers.has(from[0] as string)) {
      registers.set(
        to,
        applySimple(operation, registers.get(from[0] as string) as Vector, from[1] as string),
      );
    } else if (LIBRARY_NAMES.has(mnemonic.replaceAll(".", "_"))) {
      const inputs = from.map((f) => registers.get(f) ?? constantVector(f, oracle.n));
      const result = applyFunction(mnemonic.replaceAll(".", "_"), inputs, output);
      registers.set(to, { type: output, bytes: narrow(result, output) });
      used = true;
    } else if (mnemonic === "selp.u32" && from[0] === "1" && from[1] === "0") {
      registers.set(to, registers.get(from[2] as string) as Vector);
    } else return undefined;
  }
  return used ? registers.get("%d")?.bytes : undefined;
}

describe("device library against the H100", () => {
  let covered = 0;
  oracle.cases.forEach((entry, index) => {
    const uses = bodyOf(entry).some((s) =>
      LIBRARY_NAMES.has((s.split(/\s/)[0] as string).replaceAll(".", "_")),
    );
    if (!uses || entry.name.includes(".sync")) return;
    test(entry.name, () => {
      const got = runCase(entry);
      if (!got) return;
      covered++;
      const inputs = entry.in.map((type, k) => oracle.input(type, k));
      const wrong = compareOutput(entry, inputs, oracle.golden(index), got);
      if (!wrong) return;
      const shown = entry.in.map((type, k) =>
        hexElement(inputs[k] as Uint8Array, ELEMENT_BYTES[type], wrong.element),
      );
      assert.fail(
        `element ${wrong.element} (${shown.join(", ")}): expected ${wrong.expected}, ` +
          `got ${wrong.got}; ${wrong.count} wrong`,
      );
    });
  });
  test("covers the cases that need the library", () => {
    assert.ok(covered >= 500, `only ${covered} cases ran`);
  });
});
