/** Runs recorded cases on the device library alone: a little interpreter of their straight-line bodies. */
import assert from "node:assert/strict";
import type { Case, ElementType, Oracle } from "../conformance/oracle.ts";
import { applyFunction, LIBRARY_NAMES, VECTOR_BYTES, type VectorType } from "./library.ts";
import { videoCall } from "./video-control.ts";

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
export function bodyOf(entry: Case): string[] {
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

/** Integer operations that cases use to prepare an operand, on unsigned values. */
const INTEGER: Record<string, (a: bigint, b: bigint) => bigint> = {
  "or.b": (a, b) => a | b,
  "and.b": (a, b) => a & b,
  "shr.u": (a, b) => a >> b,
  "add.u": (a, b) => a + b,
  "mul.lo.u": (a, b) => a * b,
};
const FLOAT: Record<string, (a: number, b: number) => number> = {
  "add.f32": (a, b) => a + b,
  "mul.f32": (a, b) => a * b,
};

/** Element `i` of `size` bytes as an unsigned number. */
function element(bytes: Uint8Array, size: number, i: number): bigint {
  let value = 0n;
  for (let b = size - 1; b >= 0; b--) value = (value << 8n) | BigInt(bytes[i * size + b] ?? 0);
  return value;
}

function fromElements(type: VectorType, values: bigint[]): Vector {
  const size = VECTOR_BYTES[type];
  const bytes = new Uint8Array(values.length * size);
  values.forEach((value, i) => {
    let rest = BigInt.asUintN(8 * size, value);
    for (let b = 0; b < size; b++, rest >>= 8n) bytes[i * size + b] = Number(rest & 255n);
  });
  return { type, bytes };
}

function elements(v: Vector): bigint[] {
  const size = VECTOR_BYTES[v.type];
  return Array.from({ length: v.bytes.length / size }, (_, i) => element(v.bytes, size, i));
}

/** A constant operand, or %lane, for all elements. */
function constantVector(text: string, count: number, type: VectorType = "i32"): Vector {
  if (text === "%lane") {
    return fromElements(
      type,
      Array.from({ length: count }, (_, i) => BigInt(i & 31)),
    );
  }
  assert.match(text, /^(-?\d+|0x[\da-f]+|0f[\da-f]{8})$/i, `operand ${text}`);
  const value = text.startsWith("0f") ? BigInt(`0x${text.slice(2)}`) : BigInt(text);
  return fromElements(type, new Array<bigint>(count).fill(value));
}

/** The type of a register that a preparing instruction writes. */
function resultType(mnemonic: string): VectorType {
  const bits = /(\d+)$/.exec(mnemonic)?.[1];
  if (mnemonic.endsWith("f32")) return "f32";
  return `i${bits}` as VectorType;
}

/** Moves and plain arithmetic on operands; undefined for anything else. */
function prepare(mnemonic: string, from: Vector[]): Vector | undefined {
  const type = resultType(mnemonic);
  const [a, b] = from;
  if (/^mov\.[bu](16|32|64)$/.test(mnemonic) && a) return { type, bytes: a.bytes };
  if (!a || !b) return undefined;
  const integer = INTEGER[mnemonic.replace(/\d+$/, "")];
  if (integer) {
    const right = elements(b);
    return fromElements(
      type,
      elements(a).map((x, i) => integer(x, right[i] as bigint)),
    );
  }
  const float = FLOAT[mnemonic];
  if (!float) return undefined;
  const x = new Float32Array(a.bytes.slice().buffer);
  const y = new Float32Array(b.bytes.slice().buffer);
  return { type, bytes: new Uint8Array(x.map((v, i) => float(v, y[i] as number)).buffer) };
}

/**
 * Runs a case's body over whole vectors. Undefined if the library has no part in it, or the body does
 * something else besides.
 */
export function runCase(oracle: Oracle, entry: Case): Uint8Array | undefined {
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
    const library = mnemonic.replaceAll(".", "_");
    const video = videoCall(mnemonic, [to, ...from]);
    const operand = (f: string, type?: VectorType): Vector =>
      registers.get(f) ?? constantVector(f, oracle.n, type ?? (f.startsWith("0f") ? "f32" : "i32"));
    if (mnemonic === "selp.u32" && from[0] === "1" && from[1] === "0") {
      registers.set(to, registers.get(from[2] as string) as Vector);
      continue;
    }
    if (video) {
      const operands = [...video.constants.map(String), ...video.registers];
      const inputs = operands.map((f) => operand(f));
      registers.set(to.split(".")[0] as string, {
        type: "i32",
        bytes: applyFunction(video.name, inputs, "i32"),
      });
      used = true;
      continue;
    }
    // A preparing instruction writes an input or a scratch register, the one under test %d or %p1.
    const prepared = /^%(d|p1)$/.test(to)
      ? undefined
      : prepare(
          mnemonic,
          from.map((f) => operand(f, resultType(mnemonic))),
        );
    if (prepared) {
      // An input register keeps its declared type, whatever a move calls it.
      registers.set(to, { type: registers.get(to)?.type ?? prepared.type, bytes: prepared.bytes });
    } else if (LIBRARY_NAMES.has(library)) {
      const type = /^%(d|p1)$/.test(to) ? output : resultType(mnemonic);
      const inputs = from.map((f) => operand(f));
      registers.set(to, { type, bytes: narrow(applyFunction(library, inputs, type), type) });
      used = true;
    } else return undefined;
  }
  return used ? registers.get("%d")?.bytes : undefined;
}

/** Whether a case's body names a function of the library. */
export function usesLibrary(entry: Case): boolean {
  if (/\.sync|\.shared|barrier|mma/.test(entry.ptx)) return false;
  return bodyOf(entry).some((s) => {
    const mnemonic = s.split(/\s/)[0] as string;
    return LIBRARY_NAMES.has(mnemonic.replaceAll(".", "_")) || /^v[a-z]+[24]?\./.test(mnemonic);
  });
}
